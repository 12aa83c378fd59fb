"""Spectra and curves of files as data of a fit."""

import numpy as np
import pytest

import ssnib_model as ss

INDUCTANCE, RESISTANCE = "Set-up series inductance [H]", "Set-up contact resistance [Ohm]"
FREQUENCIES = np.geomspace(1e6, 10, 6)


@pytest.fixture(scope="module")
def spectrum(hu2024):
    """That of the cell with its set-up."""
    return ss.impedance(hu2024.replace({INDUCTANCE: 1e-5, RESISTANCE: 7.0}), FREQUENCIES, 0.4)


@pytest.fixture
def file(spectrum, tmp_path):
    path = tmp_path / "cell.csv"
    spectrum.table.to_csv(path, index=False)
    return path


def test_the_set_up_stands_in_series(hu2024, spectrum):
    alone = ss.impedance(hu2024, FREQUENCIES, 0.4).z
    added = 7.0 + 2j * np.pi * FREQUENCIES * 1e-5
    assert spectrum.z == pytest.approx(alone + added, rel=1e-12)


def test_only_a_spectrum_has_a_set_up(hu2024, spectrum):
    changed = hu2024.replace({RESISTANCE: 1.0})
    assert "only the impedance of a cell has it" in changed.unread("rate test")[RESISTANCE]
    assert changed.unread("impedance") == {}
    with pytest.warns(ss.ValidityWarning, match="only the impedance"):
        ss.RateTest([1]).run(ss.SolidStateSPM(), changed)
    table = ss.RateTestData("rates", spectrum_free_table())
    with pytest.raises(ss.OptionError, match="the measurements set it themselves"):
        ss.fit(hu2024, table, {RESISTANCE: (0, 10)})


def spectrum_free_table():
    import pandas as pd

    return pd.DataFrame({"C-rate": [0.1], "Discharge capacity [mA.h.g-1]": [100.0]})


def test_a_fit_finds_the_set_up(hu2024, file):
    data = ss.spectrum_from_file(file, hu2024, state=0.4)
    inductive, temperature = data.findings
    assert "leads are inductive" in inductive
    assert temperature == "the temperature is that of the set, 298.15 K"
    assert data.state == 0.4
    result = ss.fit(hu2024, data, {INDUCTANCE: (0, 1e-4), RESISTANCE: (0, 20)})
    assert result.values[INDUCTANCE] == pytest.approx(1e-5, rel=1e-4)
    assert result.values[RESISTANCE] == pytest.approx(7.0, rel=1e-4)
    assert "Data as read\n  cell: Im(Z) is positive" in result.report()
    assert result.to_dict()["findings"] == {"cell": list(data.findings)}


def test_frequencies_and_temperature_are_chosen_and_it_is_said(hu2024, file):
    data = ss.spectrum_from_file(
        file, hu2024, state=0.4, lowest=100, highest=1e5, temperature=300.0, relative_sigma=0.02
    )
    assert len(data.frequencies) == 4
    assert data.findings[1:] == ("2 of 6 frequencies are left out, outside of 100 to 100000 Hz",)
    assert data.temperature == 300.0
    assert data.sigma[:4] == pytest.approx(0.02 * np.hypot(*np.split(data.measured, 2)))
    text = file.read_text().split("\n")
    with_t = [f"{text[0]},Temperature [°C]", *(f"{line},40" for line in text[1:] if line)]
    file.write_text("\n".join(with_t), encoding="utf-8")
    assert ss.spectrum_from_file(file, hu2024, state=0.4).temperature == pytest.approx(313.15)
    said = ss.spectrum_from_file(file, hu2024, state=0.4, temperature=300.0).findings
    assert said[1:] == ("taken at 313.15 K by the file, 300 K is asked for",)


def test_area_specific_impedance_takes_the_area_of_the_set(hu2024, spectrum, file):
    table = spectrum.table
    table[["Re(Z) [Ohm]", "Im(Z) [Ohm]"]] *= spectrum.area * 1e4
    table.columns = ["f [Hz]", "Re(Z) [Ohm.cm2]", "Im(Z) [Ohm.cm2]"]
    table.to_csv(file, index=False)
    data = ss.spectrum_from_file(file, hu2024, state=0.4)
    assert data.measured == pytest.approx(np.append(spectrum.z.real, spectrum.z.imag), rel=1e-9)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"state": 1.0}, ss.OptionError, "state is 1.0"),
        ({"lowest": 10, "highest": 1}, ss.OptionError, "lowest is 10"),
        ({"lowest": 1e9}, ss.MeasuredDataError, "no frequency is between"),
        ({"spectrum": 2}, ss.MeasuredDataError, "it holds 1"),
        ({"relative_sigma": 0.0}, ss.MeasuredDataError, "relative_sigma"),
    ],
)
def test_bad_settings_of_a_spectrum(hu2024, file, given, error, message):
    with pytest.raises(error, match=message):
        ss.spectrum_from_file(file, hu2024, **{"state": 0.5, **given})


# ----------------------------------------------------------------------------------- the curves
@pytest.fixture
def curves(tmp_path):
    x = np.linspace(0, 1, 30)
    voltage = 3.4 - 0.1 * x - 0.5 * np.exp(40 * (x - 1))
    table = [
        f"{100 * a:.4f},{v:.4f},{80 * a:.4f},{v:.4f}" for a, v in zip(x, voltage, strict=True)
    ]
    path = tmp_path / "figure.csv"
    path.write_text("\n".join(["C/5,,fast,", "X,Y,X,Y", *table]))
    return path


def test_curves_need_a_rate(hu2024, curves):
    slow = ss.curve_from_file(curves, hu2024, curve=1)
    assert (slow.name, slow.test.rates) == ("figure C/5", [0.2])
    assert slow.measured[-1] == pytest.approx(100)
    assert len(slow.findings) == 1
    assert "says no unit" in slow.findings[0]
    with pytest.raises(ss.MeasuredDataError, match="fast: nothing says at which C-rate"):
        ss.curve_from_file(curves, hu2024, curve="fast")
    with pytest.raises(ss.MeasuredDataError, match="fast: nothing says at which C-rate"):
        ss.data_from_file(curves, hu2024)
    fast = ss.curve_from_file(
        curves, hu2024, curve="fast", rate=2, sigma={"Voltage [V]": 0.01, "Polarization [V]": 1}
    )
    assert fast.sigma[0] == 0.01
    said = ss.curve_from_file(curves, hu2024, curve=1, rate=0.1).findings
    assert "the file says 0.2 C, it is taken for 0.1 C" in said


def test_a_file_of_curves_is_one_rate_test(hu2024, curves):
    curves.write_text(curves.read_text().replace("fast", "2 C"))
    slow, fast = ss.data_from_file(curves, hu2024, {"Voltage [V]": 0.02})
    assert slow.experiment == fast.experiment
    assert tuple(slow.test.rates) == (0.2, 2.0)
    assert (slow.sigma[0], fast.sigma[0]) == (0.02, 0.02)


def test_a_rate_table_without_a_temperature(hu2024, tmp_path):
    (tmp_path / "rates.csv").write_text("Rate (C),mAh/g\n0.1,110\n1,90\n")
    (data,) = ss.data_from_file(tmp_path / "rates.csv", hu2024)
    assert data.temperature is None
    assert data.measured.tolist() == [110, 90]
    assert data.findings == (
        "column 'mAh/g' is taken for the capacity of discharge",
        "the temperature is that of the set, 298.15 K",
    )
