"""The model beside what it made itself: nothing is left; beside another cell, that is said."""

import json

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.measured.comparison import COLUMNS
from tests.unit.measured.synthetic import RATE_TEST, TESTS, measured


@pytest.mark.parametrize("name", TESTS)
def test_nothing_is_left_beside_the_models_own_measurement(name, hu2024):
    frame = measured(TESTS[name], hu2024, columns=False)
    beside = ss.compare(frame, hu2024)
    assert beside.findings == []
    assert beside.rms < 1e-6
    assert tuple(beside.table.columns) == COLUMNS
    of_steps = beside.table["Compared by"] != "charge"
    capacity = beside.table[of_steps]
    assert capacity["Model capacity [mA.h.g-1]"].to_numpy() == pytest.approx(
        capacity["Measured capacity [mA.h.g-1]"].to_numpy(), abs=2e-3
    )
    # the trapezoid of a current that dies away is a little too large
    held = beside.table[~of_steps]
    assert held["Model capacity [mA.h.g-1]"].to_numpy() == pytest.approx(
        held["Measured capacity [mA.h.g-1]"].to_numpy(), rel=0.01
    )
    curves = beside.curves.dropna()
    assert len(curves) == len(beside.curves) == len(frame)
    of_last = curves[curves["Step"] == len(beside.result.steps)]
    assert np.abs(of_last["Residual [V]"]).iloc[2:].max() < 1e-4


def test_the_way_of_comparing_follows_from_the_end(hu2024):
    frame = measured(TESTS["all kinds"], hu2024)
    beside = ss.compare(frame, hu2024.replace({"Na3PS4 layer conductivity [S.m-1]": 0.005}))
    by = dict(zip(beside.table["Step"], beside.table["Compared by"], strict=True))
    assert [by[n] for n in (1, 2, 3, 5, 7)] == ["time", "capacity", "charge", "capacity", "time"]
    worse = beside.table.set_index("Step")
    assert worse["RMS [V]"][5] > 0.1  # more loss, at equal parts of the capacity
    assert worse["Model capacity [mA.h.g-1]"][7] == pytest.approx(39.33, abs=0.01)
    assert worse["Model capacity [mA.h.g-1]"][5] < worse["Measured capacity [mA.h.g-1]"][5] - 0.1
    assert beside.breakdown(5)["Na3PS4 layer"] < -0.2


def test_a_model_that_cannot_follow_says_so(hu2024):
    """Less active material: the imposed charge fills the model before its time."""
    steps = ["Charge at C/5 for 4.2 hours", "Rest for 10 minutes", "Discharge at C/5 for 1 hour"]
    name = "Positive electrode active material loading [kg.m-2]"
    small = hu2024.replace({name: 0.87 * hu2024[name]})
    with pytest.warns(ss.ValidityWarning, match="cannot take step 1, 'Charge at"):
        beside = ss.compare(measured(steps, hu2024), small)
    assert beside.table["Status"].tolist() == ["ended early", "ok", "ok"]
    assert np.isfinite(beside.rms)


def test_a_step_that_cannot_start_takes_no_other_with_it(hu2024):
    """More loss than there is room for at 2 C: the others have their answers."""
    frame = measured(RATE_TEST[4:8], hu2024, rows=30)
    poor = hu2024.replace({"Na3PS4 layer conductivity [S.m-1]": 0.003})
    with pytest.warns(ss.ValidityWarning, match="cannot start"):
        beside = ss.compare(frame, poor)
    assert beside.table["Status"].tolist() == ["ok", "ok", "ok", "cut-off reached at start"]
    assert beside.table["Model capacity [mA.h.g-1]"].iloc[-1] == 0
    assert beside.rms > 0.1
    assert "that the model does not have" in beside.summary


def test_it_is_written_and_drawn(hu2024, tmp_path):
    frame = measured(RATE_TEST[:4], hu2024, rows=30, volts=1e-3)
    beside = ss.compare(frame, hu2024, model="spm", cycles=[1], only="discharge")
    assert beside.table["Step"].tolist() == [2, 4]
    folder = beside.save(tmp_path / "out")
    names = {"table.csv", "curves.csv", "protocol.txt", "compare.png", "run.json"}
    assert {path.name for path in folder.iterdir()} == names
    document = json.loads((folder / "run.json").read_text())
    assert document["measured"]["start"] == "it begins with a charge, and so as made"
    assert len(document["comparison"]) == 2
    again = ss.repeat_run(folder / "run.json")
    assert again.table["Duration [s]"].tolist() == beside.result.table["Duration [s]"].tolist()
    upper, _, lower = beside.plot().axes
    assert [line.get_label() for line in upper.get_lines()] == ["measured", "model"]
    assert len(lower.get_lines()) == 3  # two steps and zero
    assert len(beside.plot(step=2).axes) == 3
    with pytest.raises(ss.OptionError, match="compared are"):
        beside.plot(step=1)
    assert "2 compared" in beside.summary
    assert "4 steps" not in repr(beside)


def test_a_measured_protocol_has_its_settings(hu2024):
    frame = measured(RATE_TEST[:2], hu2024, rows=10)
    found = ss.MeasuredProtocol(frame, hu2024)
    with pytest.raises(ss.OptionError, match="start: a MeasuredProtocol"):
        ss.compare(found, hu2024, start=0.5)
    with pytest.raises(ss.OptionError, match="model is 'p2d'"):
        ss.compare(frame, hu2024, model="p2d")
    assert ss.compare(found, hu2024, model="spm").measured is found
