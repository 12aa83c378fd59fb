"""Files of measurements with what they do not say themselves, on the command line."""

import argparse
import json

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.cli import main
from ssnib_model.cli.measurements import curve, spectrum


def test_settings_of_a_spectrum():
    text = (
        "my, file.z , state = 50 %, temperature=60, spectrum=2, from=1 Hz, to=100 kHz, negate=no"
    )
    file, given = spectrum(text)
    assert file == "my, file.z"
    assert given == {
        "state": 0.5, "temperature": pytest.approx(333.15), "spectrum": 2, "lowest": 1.0,
        "highest": 1e5, "negate": False,
    }  # fmt: skip


def test_settings_of_a_curve():
    given = {"rate": 0.1, "curve": "fast one", "unit": "mAh/cm2"}
    assert curve("a.tar, rate=C/10, curve=fast one, unit=mAh/cm2") == ("a.tar", given)
    assert curve("a.tar, curve=2") == ("a.tar", {"curve": 2})


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (spectrum, "a.z", "no state of charge"),
        (spectrum, ", state=0.5", "names no file"),
        (spectrum, "a.z, state=x", "state: 'x' is not a number"),
        (spectrum, "a.z, state=0.5 V", "has a unit where none is needed"),
        (spectrum, "a.z, state=0.5, state=0.6", "state is given twice"),
        (spectrum, "a.z, state=0.5, mass=1", "'mass' is none of"),
        (spectrum, "a.z, state=0.5, to=1 m", "to: .*cannot be converted"),
        (spectrum, "a.z, state=0.5, to=inf", "is not finite"),
        (spectrum, "a.z, state=0.5, spectrum=-1", "is not a whole number"),
        (spectrum, "a.z, state=0.5, negate=maybe", "neither yes nor no"),
        (spectrum, "a.z, state=0.5, temperature=298.15", "is in degC"),
        (curve, "a.csv, rate=fast", "is no C-rate"),
    ],
)
def test_bad_settings(read, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        read(text)


def test_a_spectrum_is_fitted(hu2024, tmp_path, capsys):
    """From the file to the fitted set: the set-up's resistance comes back."""
    name = "Set-up contact resistance [Ohm]"
    made = ss.impedance(hu2024.replace({name: 7.0}), np.geomspace(1e5, 100, 4), 0.4)
    made.table.to_csv(tmp_path / "eis.csv", index=False)
    given = ["--spectrum", f"{tmp_path / 'eis.csv'}, state=0.4, from=1 kHz"]
    out = tmp_path / "out"
    assert main(["fit", *given, "--free", f"{name}:0:20", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1 of 4 frequencies are left out" in printed
    fit = json.loads((out / "fit.json").read_text())
    assert fit["parameters"][name]["value"] == pytest.approx(7.0, rel=1e-4)
    (file,) = json.loads((out / "run.json").read_text())["settings"]["data"]
    assert (file["state"], file["lowest"], len(file["sha256"])) == (0.4, 1000.0, 64)
    assert ss.ParameterSet(out)[name] == pytest.approx(7.0, rel=1e-4)


def test_nothing_to_fit_to(capsys):
    assert main(["fit", "--free", "x"]) == 2
    assert "nothing to fit to" in capsys.readouterr().err
