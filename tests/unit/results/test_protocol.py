"""What a protocol gave: tables, curves, one solution, files."""

import dataclasses
import json
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.results.protocol import CYCLE_COLUMNS, STEP_COLUMNS
from ssnib_model.results.step import StepResult, in_words
from ssnib_model.steps import End, Measure, Outcome, Status

STEPS = ("Charge at 1 C until 3.9 V", "Hold at 3.9 V until C/10", "Rest for 10 minutes",
         "Discharge at 1 mW for 20 minutes", "Discharge at 1 C until cut-off")  # fmt: skip
VARIABLES = ("Voltage [V]", "Current [A]", "Discharge capacity [A.h]", "Discharge energy [W.h]")


@pytest.fixture(scope="module")
def result(hu2024):
    return (ss.Protocol(STEPS) * 2).run(ss.SolidStateSPM(), hu2024)


def test_table(result, hu2024):
    table = result.table
    assert tuple(table.columns) == STEP_COLUMNS
    assert table["Step"].tolist() == list(range(1, 11))
    assert table["Cycle"].tolist() == [1] * 5 + [2] * 5
    assert table["Type"].tolist()[:5] == ["charge", "hold", "rest", "discharge", "discharge"]
    words = ["voltage above 3.9 V", "current below 0.0472 mA", "time", "time"]
    assert table["Ended by"].tolist()[:4] == words
    assert set(table["Status"]) == {"ok"}
    one = table.iloc[0]
    assert one["Charge passed [A.h]"] == pytest.approx(-0.472e-3 * one["Duration [s]"] / 3600)
    mass = hu2024["Positive electrode active material mass [kg]"]
    assert one["Capacity [mA.h.g-1]"] == pytest.approx(-one["Charge passed [A.h]"] / mass)
    assert one["End voltage [V]"] == pytest.approx(3.9)
    hold = table.iloc[1]
    assert hold[["Start voltage [V]", "End voltage [V]"]].tolist() == pytest.approx([3.9, 3.9])
    assert hold["Start current [A]"] == pytest.approx(one["End current [A]"], rel=1e-4)
    assert hold["End current [A]"] == pytest.approx(-0.0472e-3, rel=1e-4)
    power = table.iloc[3]
    assert power["Energy [W.h]"] == pytest.approx(1e-3 * 1200 / 3600, rel=1e-5)


def test_curves_are_as_fine_as_a_plot_needs(result):
    """Their integrals are the table's, and the solution between their points is on their lines."""
    for (number, part), row in zip(result.curves.groupby("Step"), result.rows, strict=True):
        charge = np.trapezoid(part["Current [A]"], part["Time [s]"]) / 3600
        assert charge == pytest.approx(row["Charge passed [A.h]"], rel=2e-3, abs=1e-12)
        assert part["Charge passed [A.h]"].iloc[-1] == pytest.approx(row["Charge passed [A.h]"])
        assert part["Step time [s]"].iloc[-1] == row["Duration [s]"]
        assert (np.diff(part["Time [s]"]) > 0).all()
        segment = result.steps[number - 1].segment
        t = part["Step time [s]"].to_numpy()
        between = (t[1:] + t[:-1]) / 2
        line = np.interp(between, t, part["Voltage [V]"])
        assert abs(segment.voltage(between) - line).max() < 3e-3
    ends = result.curves.groupby("Step")["Time [s]"].agg(["first", "last"])
    assert ends["first"].to_numpy()[1:] == pytest.approx(ends["last"].to_numpy()[:-1])


def test_cycles(result):
    cycles = result.cycles
    assert tuple(cycles.columns) == CYCLE_COLUMNS
    second = result.table[result.table["Cycle"] == 2].set_index("Step")["Capacity [mA.h.g-1]"]
    assert cycles["Charge capacity [mA.h.g-1]"][1] == pytest.approx(second[6] + second[7])
    assert cycles["Discharge capacity [mA.h.g-1]"][1] == pytest.approx(second[9] + second[10])
    assert cycles["Coulombic efficiency"][1] == pytest.approx(1, abs=0.02)
    assert 0.7 < cycles["Energy efficiency"][1] < 0.95


def test_one_solution_of_all_steps(result):
    """As an experiment of PyBaMM gives it: time and counters go on, cycles and steps are there."""
    solution = result.solution
    assert [len(cycle.steps) for cycle in solution.cycles] == [5, 5]
    total = result.table[["Duration [s]", "Charge passed [A.h]", "Energy [W.h]"]].sum()
    assert solution.t[-1] == pytest.approx(total.iloc[0])
    for variable, value in zip(VARIABLES[2:], total[1:], strict=True):
        assert solution[variable].entries[0] == 0
        assert solution[variable].entries[-1] == pytest.approx(value, rel=1e-7)
    # each step where its curve is, and where the sum of those before says
    curves = result.curves
    inside = curves[curves["Step time [s]"] > 1e-6]
    for variable in VARIABLES[:2]:
        assert solution[variable](t=inside["Time [s]"].to_numpy()) == pytest.approx(
            inside[variable].to_numpy(), rel=1e-4, abs=1e-8
        )
    third = solution.cycles[1].steps[3]
    assert third["Power [W]"].entries == pytest.approx(1e-3, rel=1e-3)
    assert third.t[0] == pytest.approx(result.table["Duration [s]"][:8].sum())
    # what a step has by itself stays as it is
    assert result.steps[8].segment.solution.t[0] < 1e-6


def test_plots_of_pybamm(result):
    plot = pybamm.QuickPlot(result.solution, list(VARIABLES))
    plot.plot(0)
    figure, _ = pybamm.plot_voltage_components(result.solution, show_plot=False)
    assert figure.axes
    plt.close("all")


def test_breakdown(result):
    losses = result.breakdown(1, np.linspace(0, 1, 5))
    solution = result.steps[0].segment.solution
    ocv = solution["Open-circuit voltage [V]"].entries
    voltage = result.steps[0].numbers
    assert losses.sum(axis=1).iloc[[0, -1]].to_numpy() == pytest.approx(
        np.array([voltage.start_voltage, voltage.end_voltage]) - ocv[[0, -1]], abs=1e-6
    )
    assert isinstance(result.breakdown(4), pd.Series)
    for step in (0, 11, 1.5, True):
        with pytest.raises(ss.OptionError, match="the test has the steps 1 to 10"):
            result.breakdown(step)
    with pytest.raises(ss.OptionError, match=r"at is 1.5: it must be a fraction of the time"):
        result.breakdown(1, 1.5)


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_what_cannot_start_has_no_breakdown(hu2024):
    result = ss.Protocol("Charge at 20 C until cut-off").run(None, hu2024)
    with pytest.raises(ss.OptionError, match=r"no breakdown for step 1.*cut-off reached at start"):
        result.breakdown(1)
    with pytest.raises(ss.OptionError, match="no solution"):
        _ = result.solution
    assert result.curves.empty


def test_rows_of_all_cycles_and_curves_of_some(hu2024):
    cycle = ss.Protocol(["Charge at 1 C until cut-off", "Discharge at 1 C until cut-off"])
    all_kept = (cycle * 6).run(ss.SolidStateSPM(), hu2024)
    some = (cycle * 6).run(ss.SolidStateSPM(), hu2024, keep=2)
    assert some.table.equals(all_kept.table)
    assert some.cycles.equals(all_kept.cycles)
    assert some.curves["Cycle"].unique().tolist() == [1, 3, 5, 6]
    kept = all_kept.curves[all_kept.curves["Cycle"].isin([1, 3, 5, 6])]
    assert some.curves.equals(kept.reset_index(drop=True))
    assert [cycle is not None for cycle in some.solution.cycles] == [
        True, False, True, False, True, True,
    ]  # fmt: skip
    assert some.solution.t[-1] == pytest.approx(all_kept.solution.t[-1])
    with pytest.raises(ss.OptionError, match="its curve was not kept"):
        some.breakdown(3)


def test_files_repeat_the_run(result, tmp_path):
    result.save(tmp_path / "first")
    again = ss.repeat_run(tmp_path / "first" / "run.json")
    assert again.protocol == result.protocol
    again.save(tmp_path / "again")
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["curves.csv", "cycles.csv", "protocol.png", "run.json", "table.csv"]
    for file in files[:2] + files[3:]:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    read = pd.read_csv(tmp_path / "first" / "table.csv")
    assert read["Charge passed [A.h]"].tolist() == result.table["Charge passed [A.h]"].tolist()
    with pytest.raises(ss.SSNIBError, match="cannot be written"):
        result.save(tmp_path / "first" / "run.json" / "below")
    document = json.loads((tmp_path / "first" / "run.json").read_text())
    del document["keep"]
    with pytest.raises(ss.OptionError, match=r"is not the run\.json"):
        ss.repeat_run(document)


def test_plot(result):
    figure = result.plot()
    titles = [
        ax.get_ylabel() for ax in [*figure.axes, *(a for f in figure.subfigs for a in f.axes)]
    ]
    assert any("Voltage" in title for title in titles)
    assert any("Current" in title for title in titles)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (End(Measure.VOLTAGE, 3.9, rising=True, cut_off=True), "upper cut-off 3.9 V"),
        (End(Measure.VOLTAGE, 2.5, rising=False, cut_off=True), "lower cut-off 2.5 V"),
        (End(Measure.VOLTAGE, 3.0, rising=False), "voltage below 3 V"),
        (End(Measure.CURRENT_SIZE, 5e-5, rising=False), "current below 0.05 mA"),
        (End(Measure.CURRENT, -5e-5, rising=True), "current above -0.05 mA"),
        (End(Measure.CAPACITY, 1e-4, rising=True), "capacity 0.1 mA.h"),
    ],
)
def test_ends_in_words(end, words):
    assert in_words(end) == words


def test_step_as_json(result):
    """To the last bit, and nothing that is none."""
    for step in result.steps:
        document = json.loads(json.dumps(step.to_dict(), allow_nan=False))
        again = StepResult.from_dict(step.number, step.planned, document)
        assert (again.samples == step.samples).all()
        assert again.outcome == dataclasses.replace(step.outcome, segment=None)
        assert str(again.numbers) == str(step.numbers)
    failed = StepResult(1, result.steps[0].planned, Outcome(Status.FAILED, reason="why"))
    again = StepResult.from_dict(1, failed.planned, failed.to_dict())
    assert again.ending == "failed: why"
    assert math.isnan(again.numbers.charge)
    good = result.steps[0].to_dict()
    for change in (
        {"end": 7}, {"end": -1}, {"end": True}, {"reason": 3}, {"numbers": [1.0]},
        {"numbers": ["x"] * 8}, {"samples": [[1.0]]}, {"status": "fine"}, {"samples": 3},
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError, LookupError)):
            StepResult.from_dict(1, result.steps[0].planned, good | change)


def test_plot_says_units_and_whole_cycles(result):
    voltage, current, capacity, gap, energy = result.plot().axes
    assert gap.get_ylabel() == "Gap [V]"
    assert energy.lines[0].get_ydata() == pytest.approx(
        1e3 * result.cycles["Discharge energy [W.h]"]
    )
    assert voltage.get_ylabel() == "Voltage [V]"
    assert current.get_ylabel() == "Current [mA]\n(discharge > 0)"
    drawn = current.lines[0].get_ydata()
    assert np.nanmin(drawn) == pytest.approx(1e3 * result.curves["Current [A]"].min())
    assert all(tick == round(tick) for tick in capacity.get_xticks())
    top = max(np.nanmax(line.get_ydata()) for line in capacity.lines)
    bottom, upper = capacity.get_ylim()
    assert bottom == 0
    assert upper > 1.05 * top


@pytest.mark.parametrize(
    "test",
    [ss.GITT("C/10", pulses=2, rest=60, direction="charge"), ss.Pulse(states=2, step=20)],
    ids=["gitt", "pulse"],
)
def test_parts_of_a_charge_are_no_cycles_to_compare(test, hu2024):
    """A group of a titration has one direction, that of pulses little of the other."""
    assert len(test.run(ss.SolidStateSPM(), hu2024).plot().axes) == 2
