"""``ssnib compare``, and ``ssnib fit`` with the file of a cycler."""

import json

import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cli import main
from tests.unit.measured.synthetic import RATE_TEST, TESTS, measured

SIGMA = "Na3PS4 layer conductivity [S.m-1]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, hu2024):
    found = tmp_path_factory.mktemp("files")
    for name, steps in (("kinds", TESTS["all kinds"]), ("rates", RATE_TEST[:6])):
        frame = measured(steps, hu2024, rows=30).drop(columns="Cycle")
        frame.drop_duplicates("Time [s]").to_csv(found / f"{name}.csv", index=False)
    return found


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda *words: main([str(word) for word in words])


def test_compare_writes_and_says(run, folder, capsys):
    assert run("compare", "kinds.csv", "--step", 5, "--model", "spm") == 0
    said = capsys.readouterr()
    assert "start: state of charge 0.01 (the rest at the start" in said.out
    assert said.err.count("warning") == 1  # of the charge that was stopped
    assert "did not end at 3.900 V" in said.err
    names = {path.name for path in (folder / "compare").iterdir()}
    assert names == {
        "table.csv", "curves.csv", "protocol.txt", "compare.png", "run.json", "step_5.png",
    }  # fmt: skip
    assert len(pd.read_csv(folder / "compare" / "table.csv")) == 10
    document = json.loads((folder / "compare" / "run.json").read_text())
    assert (document["command"], document["settings"]["file"]) == ("compare", "kinds.csv")
    assert len(document["settings"]["sha256"]) == 64
    protocol = folder / "compare" / "protocol.txt"
    assert run("run", "--file", protocol, "--model", "spm", "--json") == 0


def test_compare_chooses(run, capsys):
    words = ("--cycles", "2-3", "--only", "discharge", "--start", "as-made", "--json")
    assert run("compare", "rates.csv", *words) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["Step"] for row in document["comparison"]] == [4, 6]
    assert document["rms"] < 1e-4
    assert document["measured"]["start"] == "as made, as stated"


def test_compare_scales(run, capsys):
    """Of a cell of half the size the current is doubled: more than this one holds."""
    assert run("compare", "rates.csv", "--area", "0.3927 cm2", "--out", "half") == 2
    assert "holds 0.4704 mA.h" in capsys.readouterr().err
    assert run("compare", "rates.csv", "--mass", "8 mg", "--json") == 0
    assert json.loads(capsys.readouterr().out)["measured"]["scale"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--start", "nowhere"), "start is 'nowhere'"),
        (("--start", "3.32 V"), "state it as a number"),
        (("--cycles", "a"), "whole numbers"),
        (("--cycles", "9"), "cycles 1 to 3"),
        (("--only", "hold"), "nothing is left"),
        (("--area", "1 mg"), "mg"),
        (("--step", "99"), "compared are"),
    ],
)
def test_compare_refuses(words, message, run, capsys):
    assert run("compare", "rates.csv", "--out", "never", *words) == 2
    assert message in capsys.readouterr().err


def test_the_temperature_of_the_command_line_is_that_of_the_test(run, folder, capsys):
    frame = pd.read_csv(folder / "rates.csv").assign(**{"Temperature [K]": 298.15})
    frame.to_csv(folder / "warm.csv", index=False)
    for words, oc in ((), "25"), (("--temperature", "60"), "60"):
        assert run("compare", "warm.csv", "--json", "--model", "spm", *words) == 0
        steps = json.loads(capsys.readouterr().out)["protocol"]["steps"]
        assert f"({oc} oC)" in json.dumps(steps)


def test_fit_takes_the_same_words(run, folder, capsys):
    words = ("--free", f"{SIGMA}:0.005:0.02", "--model", "spm", "--out", "fitted")
    assert run("fit", "rates.csv", *words, "--only", "discharge", "--cycles", "1") == 0
    assert "step 2 (discharge)" in capsys.readouterr().out
    document = json.loads((folder / "fitted" / "fit.json").read_text())
    assert {row["Data"] for row in document["residuals"]} == {"rates"}
    table = folder / "table.csv"
    table.write_text("C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n1,298.15,99\n")
    assert run("fit", table, *words[:-1], "none", "--start", "0.5") == 2
    assert "start: has no effect" in capsys.readouterr().err


def test_a_spectrum_has_its_place_in_the_test(run, folder, hu2024, capsys):
    test = ss.Protocol(
        ["Charge at C/5 for 2 hours", "Rest for 1 hour", "Charge at C/5 for 1 hour"]
    )
    curves = test.run(ss.SolidStateSPM(), hu2024).curves.drop_duplicates("Time [s]")
    curves[["Time [s]", "Current [A]", "Voltage [V]", "Step"]].to_csv("stop.csv", index=False)
    state = ss.MeasuredProtocol("stop.csv", hu2024).state_of_charge(2)
    assert state == pytest.approx(0.41, abs=0.02)
    ss.impedance(hu2024, state=state).table.to_csv("eis.csv", index=False)
    words = ("--free", f"{SIGMA}:0.005:0.02", "--model", "spm", "--out", "both")
    spectrum = "eis.csv, state=step 2, from=1, to=1e5"
    assert run("fit", "stop.csv", "--spectrum", spectrum, *words) == 0
    document = json.loads((folder / "both" / "fit.json").read_text())
    assert document["parameters"][SIGMA]["value"] == pytest.approx(hu2024[SIGMA], rel=5e-3)
    capsys.readouterr()
    assert run("fit", "--spectrum", spectrum, *words, "--force") == 2
    assert "one is needed" in capsys.readouterr().err
