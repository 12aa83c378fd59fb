"""The examples of docs/posterior.md run, one after the other."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "posterior.md").read_text(encoding="utf-8")


def test_examples(capsys):
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(example, "posterior.md", "exec"), names)
    assert "Pareto k" in capsys.readouterr().out
