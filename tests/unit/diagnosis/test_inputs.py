"""Files of a diagnosis: those that cannot be used are said, and none counts twice."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.diagnosis.inputs import read_files

TABLE = (
    "C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n0.1,298.15,104\n1,298.15,98\n"
)


def read(files, parameters, **given):
    return read_files(files, parameters, **{"spectra": {}, "sigma": {}, "settings": {}} | given)


@pytest.fixture
def spectrum(tmp_path):
    path = tmp_path / "eis.csv"
    f = np.geomspace(1e5, 1, 12)
    z = 30 + 100 / (1 + 2j * np.pi * f * 1e-3)
    frame = pd.DataFrame({"Frequency [Hz]": f, "Re(Z) [Ohm]": z.real, "Im(Z) [Ohm]": z.imag})
    frame.to_csv(path, index=False)
    return path


def test_every_file_is_used_or_says_why(rates, spectrum, hu2024, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(TABLE)
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    found = read([rates, table, spectrum, empty, tmp_path / "no.csv", tmp_path], hu2024)
    assert [one.is_used for one in found] == [True, True, False, False, False, False]
    assert [one.kind for one in found[:3]] == [
        "test of a cycler", "table of a rate test", "impedance spectrum",
    ]  # fmt: skip
    assert all(bool(one.error) != one.is_used for one in found)
    assert "state=0.5" in found[2].error
    assert "No such file" in found[4].error
    assert found[0].to_dict()["steps"][1]["text"].startswith("Discharge")


def test_spectrum_with_its_state(rates, spectrum, hu2024):
    found = read([rates], hu2024, spectra={spectrum: {"state": 0.4}})
    assert found[1].is_used
    assert found[1].data[0].state == 0.4


def test_no_file_counts_twice(rates, hu2024, tmp_path):
    copy = tmp_path / "copy.csv"
    copy.write_bytes(rates.read_bytes())
    found = read([rates, copy], hu2024)
    assert [one.is_used for one in found] == [True, False]
    assert "would count twice" in found[1].error


def test_names_differ(rates, hu2024, tmp_path):
    """Two files of one name in two folders are two data sets."""
    other = tmp_path / rates.name
    frame = pd.read_csv(rates)
    frame.iloc[:-1].to_csv(other, index=False)
    found = read([rates, other], hu2024)
    assert [d.name for one in found for d in one.data] == ["rates <b>", "rates <b> (2)"]


def test_sigma(rates, hu2024):
    volts = "Voltage [V]"
    (found,) = read([rates], hu2024, sigma={volts: 0.001})
    (d,) = found.data
    kinds = np.array(d.kinds)
    assert set(d.sigma[kinds == volts]) == {0.001}
    assert set(d.sigma[kinds != volts]) == {1.3}
    with pytest.raises(ss.MeasuredDataError, match="of which there are no data"):
        read([rates], hu2024, sigma={"Polarization [V]": 0.01})


def test_settings_of_a_cycler_leave_tables_alone(rates, hu2024, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(TABLE)
    found = read([rates, table], hu2024, settings={"only": "discharge", "start": 0.01})
    assert [one.is_used for one in found] == [True, True]
    with pytest.raises(ss.OptionError, match="has no effect"):
        read([table], hu2024, settings={"only": "discharge"})


@pytest.mark.parametrize(
    ("files", "match"),
    [(["a.csv"], "a.csv: it cannot be read"), (["a.csv", "b.csv"], "none of the 2 files can be")],
)
def test_no_file_at_all(files, match, hu2024):
    with pytest.raises(ss.MeasuredDataError, match=match):
        read(files, hu2024)
    with pytest.raises(ss.OptionError, match="at least one file"):
        read([], hu2024)
