"""The page on measurements beside the model: its examples and commands run."""

import re
import shlex
from pathlib import Path

import pytest

from ssnib_model.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


def test_python_examples(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "compare.md", "exec"), names)
    found = names["fit"].values["Na3PS4 layer conductivity [S.m-1]"]
    assert found == pytest.approx(0.02, rel=0.1)  # by the reduced model


@pytest.mark.parametrize("command", re.findall(r"^    ssnib (.+)$", PAGE, re.MULTILINE))
def test_commands(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main([*shlex.split(command), "--model", "spm"]) == 0
    assert capsys.readouterr().out
