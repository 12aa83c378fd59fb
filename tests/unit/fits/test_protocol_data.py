"""A measurement as data: the cell that made it is found again."""

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.fits.data import CAPACITY, VOLTAGE
from ssnib_model.fits.files import data_from_files
from tests.unit.measured.synthetic import RATE_TEST, TESTS, measured

DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
EXCHANGE = "Positive electrode exchange-current density [A.m-2]"


@pytest.fixture(scope="module")
def truth(hu2024):
    return hu2024.replace({DIFFUSIVITY: 5e-17, EXCHANGE: 0.7 * hu2024[EXCHANGE]})


@pytest.mark.parametrize("name", ["all kinds", "titration", "aborted"])
def test_data_of_the_model_leave_nothing(name, hu2024):
    frame = measured(TESTS[name], hu2024)
    data = ss.ProtocolData(frame, hu2024)
    run = data.prepare("dfn", hu2024.replace(data.changes()), [], "auto").run
    outcome = run(hu2024.replace(data.changes()))
    found = data.read(outcome, hu2024)
    assert set(data.reasons(outcome)) == {""}
    assert ((found - data.measured) / data.sigma) == pytest.approx(0, abs=0.02)


def test_a_fixed_rate_of_charge_gives_back_the_cell(hu2024, truth, tmp_path):
    """Charged at the rate of each discharge, as if it were so, D came out 16-fold wrong."""
    path = tmp_path / "rates.csv"
    spm = ss.SolidStateSPM()
    frame = measured(RATE_TEST, truth, rows=40, volts=1e-3, columns=False, model=spm)
    frame.drop_duplicates("Time [s]").to_csv(path, index=False)
    (data,) = ss.data_from_file(path, hu2024)
    fit = ss.fit(hu2024, data, [DIFFUSIVITY, EXCHANGE], model="spm")
    assert fit.values[DIFFUSIVITY] == pytest.approx(truth[DIFFUSIVITY], rel=0.02)
    assert fit.values[EXCHANGE] == pytest.approx(truth[EXCHANGE], rel=0.005)
    assert "as made" in fit.report()


def test_a_titration_and_a_selection(hu2024, truth):
    """Of aborted and partial steps what was imposed is known: no residual of 80 sigma."""
    spm = ss.SolidStateSPM()
    frame = measured(TESTS["aborted"], truth, columns=False, model=spm)
    data = [
        ss.ProtocolData(frame, hu2024, name="all"),
        ss.ProtocolData(frame, hu2024, name="some", only="discharge", sigma={VOLTAGE: 0.002}),
    ]
    assert len(data[1].measured) < len(data[0].measured)
    assert data[1].sigma.min() == 0.002
    fit = ss.fit(hu2024, data, [DIFFUSIVITY, EXCHANGE], model="spm")
    assert fit.values[DIFFUSIVITY] == pytest.approx(truth[DIFFUSIVITY], rel=0.02)
    assert np.abs(fit.residuals["Residual"]).max() < 0.5


def test_frames_and_measured_protocols_are_data(hu2024):
    frame = measured(RATE_TEST[:2], hu2024, rows=10)
    found = ss.MeasuredProtocol(frame, hu2024, name="mine")
    for given in (frame, found):
        fit = ss.fit(hu2024, given, [EXCHANGE], model="spm", max_iterations=1)
        assert len(fit.residuals) == len(ss.ProtocolData(frame, hu2024).measured)
    with pytest.raises(ss.MeasuredDataError, match="start: a MeasuredProtocol"):
        ss.ProtocolData(found, hu2024, start=0.5)


def test_what_it_sets_cannot_be_fitted(hu2024):
    frame = measured(RATE_TEST[:2], hu2024, rows=10)
    warm = frame.assign(**{"Temperature [K]": 298.0})
    data = ss.ProtocolData(warm, hu2024)
    assert {"Ambient temperature [K]", "As-made state of charge"} <= data.ignores()
    assert "Lower voltage cut-off [V]" in data.ignores()
    with pytest.raises(ss.OptionError, match="set it themselves"):
        ss.fit(hu2024, data, {"Upper voltage cut-off [V]": (3.5, 4.2)}, model="spm")


def test_equal_measurements_are_one_experiment(hu2024):
    frame = measured(RATE_TEST[:2], hu2024, rows=10)

    def data(**settings):
        return ss.ProtocolData(frame, hu2024, **settings)

    assert data().experiment == data(name="other", sigma={CAPACITY: 1.0}).experiment
    assert data().experiment != data(start=0.02).experiment
    assert data().describe()["protocol"] == data().measured_protocol.protocol.to_dict()


def test_settings_are_for_files_of_cyclers(hu2024, tmp_path):
    path, table = tmp_path / "cycler.csv", tmp_path / "rates.csv"
    measured(RATE_TEST[:2], hu2024, rows=10).drop_duplicates("Time [s]").to_csv(path, index=False)
    table.write_text("C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n1,298.15,99\n")
    both = data_from_files([table, path], hu2024, {CAPACITY: 0.5}, only="discharge", start=None)
    assert [type(d).__name__ for d in both] == ["RateTestData", "ProtocolData"]
    assert both[1].sigma.max() == 0.5
    with pytest.raises(ss.OptionError, match="only: has no effect"):
        data_from_files([table], hu2024, only="discharge")
    with pytest.raises(ss.MeasuredDataError, match="Polarization"):
        data_from_files([path], hu2024, {"Polarization [V]": 0.01})
