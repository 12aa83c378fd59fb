"""The page on designs: its examples run."""

import re
import warnings
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "design.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_examples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        for block in BLOCKS:
            exec(block, {"ss": ss})
    assert "specific energy at 0.2 C is largest" in capsys.readouterr().out
    assert ss.ParameterSet("my-design").name == "my-design"


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = re.search(r"^    (ssnib optimise .*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)[1]
    words = re.findall(r'"([^"]+)"|(\S+)', command.replace("\\\n", " "))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        assert main([a or b for a, b in words][1:]) == 0
    assert (tmp_path / "optimise" / "designs.png").stat().st_size > 10_000
