"""The page on spectra, curves and rate tables: its tables are the lists, its examples run."""

import re
import shlex
from pathlib import Path

import pytest

from ssnib_model.cli import main
from ssnib_model.cli.measurements import SPECTRUM_KEYS
from ssnib_model.measured.capacity_voltage import CURVE_FORMATS
from ssnib_model.measured.spectrum_formats import SPECTRUM_FORMATS

PAGE = (Path(__file__).parents[3] / "docs" / "measured_spectra.md").read_text(encoding="utf-8")


def test_the_tables_are_the_lists():
    tables = re.findall(r"(?m)^\|---\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    for table, formats in zip(tables, (SPECTRUM_FORMATS, CURVE_FORMATS), strict=True):
        assert table.splitlines() == [f"| {f.name} | {f.suffixes} | {f.about} |" for f in formats]
    assert f"Keys of `--spectrum`: {', '.join(f'`{key}`' for key in SPECTRUM_KEYS)}." in PAGE


def test_python_examples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "measured_spectra.md", "exec"), names)
    assert "discharge 0.1" in capsys.readouterr().out
    assert Path("fitted/fit.png").exists()


@pytest.mark.parametrize("command", re.findall(r"(?m)^    ssnib (fit .*)$", PAGE))
def test_commands_are_understood(command, tmp_path, monkeypatch, capsys):
    """Up to the file, which is not there."""
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
