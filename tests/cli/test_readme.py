"""The README's Python example runs as it stands."""

import re
from pathlib import Path


def test_python_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})


def test_ci_runs_the_test_command():
    root = Path(__file__).parents[2]
    command = 'pip install ".[test]" && pytest\n'
    assert f"    {command}" in (root / "README.md").read_text()
    assert (root / ".ci" / "run").read_text().endswith(f"\n{command}")
