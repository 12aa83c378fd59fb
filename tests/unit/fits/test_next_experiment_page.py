"""The examples of docs/next_experiment.md run, one after the other."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

PAGE = (Path(__file__).parents[3] / "docs" / "next_experiment.md").read_text(encoding="utf-8")


def test_examples(capsys):
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(example, "next_experiment.md", "exec"), names)
    plt.close("all")
    printed = capsys.readouterr().out
    assert "This supposes" in printed
    assert "nan" not in printed.lower()
