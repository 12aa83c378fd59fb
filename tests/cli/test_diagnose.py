"""``ssnib diagnose``."""

import json

import pandas as pd
import pytest

from ssnib_model.cli import main
from tests.unit.measured.synthetic import measured

ACCESSIBLE = "Positive electrode accessible fraction"
STEPS = ["Charge at 0.2C until 4 V", "Discharge at 0.3C until 2.5 V"]
QUICK = ("--model", "spm", "--draws", "10", "--hold", "--fit", ACCESSIBLE, "--for", "none")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, hu2024):
    found = tmp_path_factory.mktemp("files")
    frame = measured(STEPS, hu2024.replace({ACCESSIBLE: 0.95}), rows=40, volts=0.002)
    frame.drop(columns="Cycle").to_csv(found / "rates.csv", index=False)
    (found / "notes.txt").write_text("no measurement\n")
    return found


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda *words: main(["diagnose", *words])


def test_report_and_record(run, folder, capsys):
    assert run("rates.csv", "notes.txt", *QUICK) == 3
    said = capsys.readouterr()
    assert "1 of 2 files are used" in said.out
    assert said.err.count("notes.txt is not used") == 1
    assert "reading 2 file(s)" in said.err
    written = {path.name for path in (folder / "diagnose").iterdir()}
    assert written == {"report.html", "report.json", "run.json"}
    document = json.loads((folder / "diagnose" / "report.json").read_text())
    assert (document["command"], document["settings"]["draws"]) == ("diagnose", 10)
    (row,) = document["fitted and varied"]
    assert row["5 %"] < 0.95 < row["95 %"]


def test_json(run, folder, capsys):
    """The same on stdout and nothing else, nothing written; errors as they are said."""
    assert run("rates.csv", *QUICK, "--json", "--sigma", "Voltage [V]=2 mV") == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["complete"]
    sigma = pd.DataFrame(document["comparison"])["Sigma"]
    assert set(sigma) == {0.002, 1.3}
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give at least one file"),
        (["no.csv"], "No such file or directory"),
        (["notes.txt"], "notes.txt: "),
        (["notes.txt", "no.csv"], "none of the 2 files can be used"),
        (["rates.csv", "--fit", "Accessible"], "Accessible"),
        (["rates.csv", "--start", "half"], "start is 'half'"),
        (["rates.csv", "--cycles", "9"], "cycle 9"),
        (["rates.csv", "--draws", "1"], "draws is 1"),
        (["rates.csv", "--sigma", "Current [A]=1 mA"], "of which there are no data"),
        (["rates.csv", "--mass", "1 V"], "mass"),
        (["--spectrum", "rates.csv, state=step 3"], "a number is needed"),
    ],
)
def test_bad_input(words, said, run, folder, capsys):
    assert run(*words, "--out", "bad") == 2
    error = capsys.readouterr().err
    assert said in error.splitlines()[-1]
    assert not (folder / "bad" / "report.html").exists()
