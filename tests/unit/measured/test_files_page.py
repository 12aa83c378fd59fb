"""The page on measured files: its table is the list of formats, its examples run."""

import re
import shlex
from pathlib import Path

import pytest

from ssnib_model.cli import main
from ssnib_model.measured.registry import FORMATS

PAGE = (Path(__file__).parents[3] / "docs" / "measured_files.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


def test_the_table_is_the_list():
    table = re.search(r"(?m)^\|---\|---\|---\|\n((?:\|.*\n)+)", PAGE)[1]
    assert table.splitlines() == [f"| {f.name} | {f.suffixes} | {f.about} |" for f in FORMATS]


def test_python_examples(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "measured_files.md", "exec"), names)
    assert "table as text []" in capsys.readouterr().out
    assert names["discharge"]["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(100, rel=0.02)
    assert Path("cell.png").exists()


@pytest.mark.parametrize("command", re.findall(r"^    ssnib (read .+)$", PAGE, re.MULTILINE))
def test_commands(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    if not Path("cell.csv").exists():
        pytest.skip("the example that writes the file was left out")
    assert main(shlex.split(command)) == 0
    assert "discharge" in capsys.readouterr().out
