"""The page on a diagnosis: its example and its command run."""

import re
import shlex
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.cli import main
from ssnib_model.fits.candidates import default_candidates

PAGE = (Path(__file__).parents[2] / "docs" / "diagnose.md").read_text(encoding="utf-8")


def few(parameters):
    return default_candidates(parameters)[:2]


def test_example_and_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ssnib_model.diagnosis.diagnose.OF_LOSSES", 3)  # they take the time
    monkeypatch.setattr("ssnib_model.diagnosis.ahead.default_candidates", few)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "diagnose.md", "exec"), names)
    report = names["report"]
    assert isinstance(report, ss.Diagnosis)
    row = report.table.loc["Positive electrode accessible fraction"]
    assert row["5 %"] < 0.94 < row["95 %"]
    assert (tmp_path / "report" / "report.html").exists()
    commands = re.findall(r"^    ssnib (.+)$", PAGE, re.MULTILINE)
    (own,) = [shlex.split(c) for c in commands if "rates.csv" in c]
    quick = ("--model", "spm", "--draws", "10", "--hold", "--fit", row.name)
    assert main([*own, *quick]) == 0
    assert "report.html" in capsys.readouterr().out
    with pytest.raises(SystemExit):  # the other one is of files that nobody has here
        main(["diagnose", "--help"])
    assert "--set" in capsys.readouterr().out
