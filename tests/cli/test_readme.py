"""The README's Python example runs as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from ssnib_model.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = re.findall(r"^    ssnib (.+)$", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command, comments=True)) == 0
    assert capsys.readouterr().out


def test_python_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})


def test_ci_runs_the_test_command():
    root = Path(__file__).parents[2]
    command = 'pip install ".[test]" && pytest\n'
    assert f"    {command}" in README
    assert (root / ".ci" / "run").read_text().endswith(f"\n{command}")
