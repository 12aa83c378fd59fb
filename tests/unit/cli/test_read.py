"""ssnib read: what is printed, written and refused."""

import json

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cli import main


@pytest.fixture
def file(tmp_path):
    """A charge and a discharge of 1 mA.h, of which the current is in mA and is negative on
    discharge."""
    time = np.arange(0.0, 7260.0, 60.0)
    current = np.where(time == 0, 0.0, np.where(time <= 3600, 1.0, -1.0))
    voltage = 3 + 0.1 * current + np.where(time <= 3600, time, 7200 - time) / 3600
    frame = pd.DataFrame({"time/s": time, "Ewe/V": voltage, "I/mA": current})
    path = tmp_path / "cell.txt"
    frame.to_csv(path, sep="\t", index=False)
    return path


def test_what_is_printed(file, capsys):
    assert main(["read", str(file), "--mass", "10 mg"]) == 0
    out = capsys.readouterr().out
    assert f"{file}: table as text, 121 rows" in out
    assert "charged 1 mAh, discharged 1 mAh, by the integral of the current" in out
    assert "nothing is doubtful" in out
    line = next(line for line in out.splitlines() if " discharge " in line)
    assert line.split()[-3:] == ["voltage", "2.9", "V"]
    assert "99" in line or "100" in line  # mAh/g


def test_tidy_table_and_picture(file, tmp_path, capsys):
    assert main(["read", str(file), "--out", str(tmp_path / "tidy")]) == 0
    assert (tmp_path / "tidy" / "cell.png").stat().st_size > 10_000
    again = ss.read_curves(tmp_path / "tidy" / "cell.csv")
    assert again.attrs["format"] == "tidy table"
    first = ss.read_curves(file)
    for name in first.columns:
        assert again[name].to_numpy() == pytest.approx(first[name].to_numpy())
    assert main(["read", str(file), "--out", str(tmp_path / "tidy")]) == 2
    assert "--force" in capsys.readouterr().err


def test_json_has_all(file, capsys):
    assert main(["read", str(file), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["files"]
    assert found["charged [A.h]"] == pytest.approx(1e-3)
    assert [step["Kind"] for step in found["steps"]][-2:] == ["charge", "discharge"]


def test_columns_and_units(file, capsys):
    said = ["--column", "Voltage [V]=Ewe/V", "--unit", "Current [A]=uA"]
    assert main(["read", str(file), *said]) == 0
    assert "charged 0.001 mAh" in capsys.readouterr().out
    assert main(["read", str(file), "--column", "Voltage [V]=E"]) == 2
    assert "there is no column 'E'" in capsys.readouterr().err


def test_several_files_one_of_which_is_none(file, tmp_path, capsys):
    spectrum = tmp_path / "eis.csv"
    spectrum.write_text("freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm\n1e5,100,20\n1e4,120,60\n1e3,180,90\n")
    broken = tmp_path / "broken.csv"
    broken.write_text("nothing\n")
    assert main(["read", str(broken), str(file), str(spectrum)]) == 2
    out, err = capsys.readouterr()
    assert "broken.csv: has 1 lines" in err
    assert "charged 1 mAh" in out
    assert "1 spectrum, 1000 to 1e+05 Hz" in out


@pytest.mark.parametrize("mass", ["0 mg", "-1 mg"])
def test_a_mass_that_is_none(mass, file, capsys):
    assert main(["read", str(file), f"--mass={mass}"]) == 2
    assert "it must be positive" in capsys.readouterr().err


def test_more_than_the_material_can_hold(file, capsys):
    assert main(["read", str(file), "--mass", "10 mg", "--theoretical", "120"]) == 0
    assert "nothing is doubtful" in capsys.readouterr().out
    assert main(["read", str(file), "--mass", "10 mg", "--theoretical", "80"]) == 0
    assert "the charge number 1 comes to 100 mAh/g, more than the 80" in capsys.readouterr().out
    assert main(["read", str(file), "--mass", "1 mg", "--theoretical", "120"]) == 2
    assert "the charge number 1 comes to 1000 mAh/g of at most 120: the mass of active" in (
        capsys.readouterr().err
    )
    assert main(["read", str(file), "--theoretical", "120"]) == 2
    assert "goes with --mass" in capsys.readouterr().err


def test_two_files_of_one_name(file, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / file.name).write_bytes(file.read_bytes())
    command = ["read", str(file), str(other / file.name), "--out", str(tmp_path / "tidy")]
    assert main(command) == 2
    assert "two files would both be written as cell.csv" in capsys.readouterr().err
