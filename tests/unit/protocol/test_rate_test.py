"""The rate test's protocol, result and plots."""

import gc
import json
import weakref

import matplotlib.pyplot as plt
import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.results import plots
from ssnib_model.results.rate_test import TABLE_COLUMNS
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, Preflight
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Outcome, Status


def test_table_and_curves(rate_test):
    table, curves = rate_test.table, rate_test.curves
    assert tuple(table.columns) == TABLE_COLUMNS
    assert table["C-rate"].tolist() == [0.1, 0.2, 0.5, 1, 2]
    assert set(table["Status"]) == {"ok"}
    for column in ("Charge", "Discharge"):
        part = curves[curves["Direction"] == column.lower()]
        ends = part.groupby("C-rate")["Capacity [mA.h.g-1]"].max()
        assert ends.to_numpy() == pytest.approx(table[f"{column} capacity [mA.h.g-1]"].to_numpy())
        voltage = part.groupby("C-rate")["Voltage [V]"]
        assert voltage.last().to_numpy() == pytest.approx(4.0 if column == "Charge" else 2.5)
    # energies by quadrature of the curves
    for rate, mean in zip(table["C-rate"], table["Mean discharge voltage [V]"], strict=True):
        part = curves[(curves["C-rate"] == rate) & (curves["Direction"] == "discharge")]
        area = np.trapezoid(part["Voltage [V]"], part["Capacity [mA.h.g-1]"])
        assert area / part["Capacity [mA.h.g-1]"].max() == pytest.approx(mean, abs=2e-3)
    efficiency = table["Coulombic efficiency"] * (
        table["Mean discharge voltage [V]"] / table["Mean charge voltage [V]"]
    )
    assert table["Energy efficiency"].to_numpy() == pytest.approx(efficiency.to_numpy())
    assert (curves["Current [A]"] > 0).eq(curves["Direction"] == "discharge").all()


def test_energy_is_integrated_to_the_tolerance(rate_test):
    """Against quadrature of the solution itself, 1e-5: the energy is some mW.h only."""
    for half_cycle in rate_test.half_cycles:
        points, weights = np.polynomial.legendre.leggauss(200)
        fractions = (np.tanh(3 * points) / np.tanh(3) + 1) / 2  # dense at both steep ends
        slope = 3 / np.cosh(3 * points) ** 2 / np.tanh(3) / 2
        mean = (weights * slope * half_cycle.at("Voltage [V]", fractions)).sum()
        assert half_cycle.energy / half_cycle.capacity == pytest.approx(mean, rel=1e-4)


def test_state_is_carried_over(hu2024):
    result = ss.RateTest([0.5, 1], cycles=2).run(parameters=hu2024)
    assert len(result.half_cycles) == 8
    sodium = "Positive electrode stoichiometry"
    for before, after in zip(result.half_cycles[:-1], result.half_cycles[1:], strict=True):
        assert after.at(sodium, 0.0) == pytest.approx(before.at(sodium, 1.0), abs=1e-6)
    assert result.curves["Cycle"].unique().tolist() == [1, 2]


def test_prepared_test_gives_what_a_fresh_one_does(hu2024):
    """One build, many values: exactly the half-cycles of separate runs, in any order."""
    name = "Na3PS4 layer conductivity [S.m-1]"
    prepared = ss.RateTest([0.5, 1]).prepare(parameters=hu2024, varying=[name])
    for value in (0.02, 0.005, 0.02):
        changed = hu2024.replace({name: value})
        again = [h.capacity for h in prepared.half_cycles(changed)]
        fresh = [h.capacity for h in ss.RateTest([0.5, 1]).run(parameters=changed).half_cycles]
        assert again == pytest.approx(fresh, rel=1e-5)


def test_fixed_charge_rate(hu2024):
    result = ss.RateTest([0.5, 2], charge_rate=0.2).run(parameters=hu2024)
    currents = [abs(h.current) / 0.472e-3 for h in result.half_cycles]
    assert currents == pytest.approx([0.2, 0.5, 0.2, 2])
    assert result.table["C-rate"].tolist() == [0.5, 2]
    assert result.curves["C-rate"].unique().tolist() == [0.5, 2]


def test_drop_larger_than_the_window_is_an_answer(hu2024):
    result = ss.RateTest([20]).run(parameters=hu2024)
    row = result.table.iloc[0]
    assert row["Status"] == "cut-off reached at start"
    assert row["Discharge capacity [mA.h.g-1]"] == 0
    assert np.isnan(row["Polarization [V]"])
    assert result.ok
    with pytest.raises(ss.OptionError, match="cut-off reached at start"):
        result.breakdown(20)


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize(
    ("changes", "rate", "words"),
    [
        ({}, 20, "ohmic drop of layers and interfaces alone is 3.99 V: more than the 1.36 V"),
        ({}, 6, "the layers take 1.2 V and the anode's reaction 0.0695 V"),
        ({"Upper voltage cut-off [V]": 2.6}, 0.1, "is above the upper cut-off (2.6 V) already"),
    ],
)
def test_why_a_half_cycle_cannot_start(changes, rate, words, hu2024):
    result = ss.RateTest([rate]).run(parameters=hu2024.replace(changes))
    charge = result.half_cycles[0]
    assert charge.status == "cut-off reached at start"
    assert words in charge.reason
    assert f"the charge at {rate} C cannot start: {charge.reason}" in result.notes


def test_numbers_of_the_words_are_those_of_the_model(hu2024):
    """After a charge, without solving: voltage, sodium and losses of the solved discharge."""
    test = ss.RateTest([0.5], charge_rate=0.2)
    result = test.run(parameters=hu2024)
    charge, discharge = result.half_cycles
    values = hu2024.to_pybamm()
    values.update({INITIAL: "[input]", CURRENT: "[input]"})
    preflight = Preflight(hu2024.model_options, values)
    start = {INITIAL: hu2024["As-made state of charge"], CURRENT: discharge.current}
    state = start | {INITIAL: preflight.state_of_charge(start, charge.current * charge.duration)}
    for name, variables in {
        "voltage": ["Open-circuit voltage [V]"],
        "sodium": ["Negative electrode sodium content"],
        "anode": ["Negative electrode reaction overpotential [V]"],
        "layers": [
            f"{name} overpotential [V]"
            for name in result.breakdown(0.5).index
            if name.endswith(("layer", "interface"))
        ],
    }.items():
        solved = sum(discharge.at(variable, 0.0) for variable in variables)
        assert abs(preflight.value(name, state)) == pytest.approx(abs(solved), rel=1e-4), name


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_an_anode_that_cannot_be_is_a_reason(hu2024):
    for tin, soc, words in ((1e-8, 0.001, "would hold -"), (1e-9, 0.5, "full charge would bring")):
        cell = hu2024.replace({"Negative electrode tin amount [mol]": tin})
        result = ss.RateTest([1], initial_state_of_charge=soc).run(parameters=cell)
        assert words in result.table["Status"][0]
        assert not result.ok


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Negative electrode alloy mass [kg]": 2e-6}, "beyond 3.75 (Na15Sn4) sodium is plated"),
        ({"Negative electrode as-made sodium content": 2.5e-4}, "empty before a full discharge"),
    ],
)
def test_an_anode_too_small_is_a_note(changes, words, hu2024):
    with pytest.warns(ss.ValidityWarning) as caught:
        ss.RateTest([0.2]).run(ss.SolidStateSPM(), hu2024.replace(changes))
    assert any(words in str(warning.message) for warning in caught)


def test_a_solver_that_gives_up_is_helped(hu2024):
    """One iteration is enough for no half-cycle: the next solver takes over, and it is said."""
    options = {"max_nonlinear_iterations": 1, "max_convergence_failures": 1}
    hasty = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-6, options=options)
    with pytest.warns(ss.ValidityWarning, match="the charge at 1 C was solved with a first step"):
        result = ss.RateTest([1]).run(parameters=hu2024, solver=hasty)
    assert {h.recovery for h in result.half_cycles} == {"a first step of 1 ns"}
    reference = ss.RateTest([1]).run(parameters=hu2024)
    assert {h.recovery for h in reference.half_cycles} == {""}
    for ours, theirs in zip(result.half_cycles, reference.half_cycles, strict=True):
        assert ours.capacity == pytest.approx(theirs.capacity, rel=1e-5)


def test_solutions_are_freed_without_the_garbage_collector(hu2024):
    name = "Na3PS4 layer conductivity [S.m-1]"
    prepared = ss.RateTest([1]).prepare(
        ss.SolidStateSPM(), hu2024, varying=[name], solver="idaklu"
    )
    half_cycles = prepared.half_cycles(hu2024)
    arrays = [weakref.ref(h.solution.all_ys[-1]) for h in half_cycles]
    gc.disable()
    try:
        del half_cycles
        prepared.half_cycles(hu2024.replace({name: 0.02}))
        assert [array() for array in arrays] == [None, None]
    finally:
        gc.enable()


def test_the_dense_solver_where_two_others_give_up(hu2024):
    prepared = ss.RateTest([1]).prepare(parameters=hu2024, solver="idaklu")
    hasty = {"max_nonlinear_iterations": 1, "max_convergence_failures": 1}
    for recovery in ("", "a first step of 1 ns"):
        prepared._steppers.first._main.solvers[recovery] = half_cycle_solver(1e-6, 1e-6, hasty)
    half_cycles = prepared.half_cycles(hu2024)
    assert {h.recovery for h in half_cycles} == {"the dense linear solver"}
    reference = ss.RateTest([1]).run(parameters=hu2024, solver="idaklu").half_cycles
    assert [h.capacity for h in half_cycles] == pytest.approx(
        [h.capacity for h in reference], rel=1e-5
    )


def test_steps_without_end_are_given_up(hu2024, monkeypatch):
    """A tenth of the steps that a half-cycle needs, for every solver of the ladder."""
    monkeypatch.setattr("ssnib_model.solvers.idaklu.MAX_STEPS", 20)
    monkeypatch.setattr("ssnib_model.solvers.idaklu.RECOVERIES", {"a first step of 1 ns": {}})
    result = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024, solver="idaklu")
    assert result.table["Status"].tolist() == [
        "failed: the solver gave up (steps too many or too short); in vain, too: the whole test "
        "on a mesh twice as fine"
    ]


def test_a_finer_mesh_where_all_solvers_give_up(hu2024, monkeypatch):
    step = pybamm.Simulation.step

    def fail_on_20_points(self, dt, **kwargs):
        if "r_p" in self.var_pts and self.var_pts["r_p"] == 20 and kwargs["inputs"][CURRENT] > 0:
            raise pybamm.SolverError("no convergence")
        return step(self, dt, **kwargs)

    monkeypatch.setattr(pybamm.Simulation, "step", fail_on_20_points)
    with pytest.warns(ss.ValidityWarning, match="the whole test on a mesh twice as fine"):
        result = ss.RateTest([1]).run(parameters=hu2024, solver="idaklu")
    assert result.table["Status"].tolist() == ["ok"]
    monkeypatch.undo()
    reference = ss.RateTest([1]).run(
        parameters=hu2024, var_pts={"x_p": 40, "r_p": 40}, solver="idaklu"
    )
    assert [h.capacity for h in result.half_cycles] == pytest.approx(
        [h.capacity for h in reference.half_cycles], rel=1e-6
    )


def test_a_failed_solve_is_a_row_with_its_reason(hu2024, monkeypatch):
    step = pybamm.Simulation.step

    def fail_at_1_c(self, dt, **kwargs):
        if kwargs["inputs"]["Current function [A]"] == pytest.approx(0.472e-3):
            raise pybamm.SolverError("no convergence\nmore words")
        return step(self, dt, **kwargs)

    monkeypatch.setattr(pybamm.Simulation, "step", fail_at_1_c)
    result = ss.RateTest([0.5, 1, 2]).run(parameters=hu2024, solver="idaklu")
    assert result.table["Status"].tolist() == [
        "ok",
        "failed: the solver gave up (no convergence); in vain, too: the whole test on a mesh "
        "twice as fine",
        "failed: the discharge at 1 C before it failed",
    ]
    assert not result.ok
    assert np.isnan(result.table["Discharge capacity [mA.h.g-1]"][1])
    json.dumps(result.to_dict(), allow_nan=False)


def test_empty_anode_ends_the_discharge(hu2024):
    """A cell made charged, with less sodium in its alloy than the cathode takes."""
    made_charged = {"As-made state of charge": 0.98, "Negative electrode alloy mass [kg]": 0.4e-6}
    result = ss.RateTest([0.2]).run(parameters=hu2024.replace(made_charged))
    discharge = result.half_cycles[1]
    assert result.table["Status"].tolist() == ["anode empty"]
    assert result.ok
    assert float(discharge.at("Negative electrode sodium content", 1.0)) < 0.1
    assert 0.3 < float(discharge.at("Positive electrode stoichiometry", 1.0)) < 0.9


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_nothing_of_the_solver_on_the_terminal(hu2024, capfd):
    """No current passes this layer: SUNDIALS has something to say about the start, on fd 2."""
    blocked = {"Na3PS4 layer conductivity [S.m-1]": 1e-9, "Ambient temperature [K]": 240}
    ss.RateTest([50]).run(parameters=hu2024.replace(blocked), solver="idaklu")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": []}, "rates is empty"),
        ({"rates": [0]}, "positive number"),
        ({"rates": [1, -1]}, "positive number"),
        ({"rates": [float("nan")]}, "positive number"),
        ({"rates": ["fast"]}, "positive number"),
        ({"rates": [1], "charge_rate": 0}, "positive number"),
        ({"rates": [1], "cycles": 0}, "whole number"),
        ({"rates": [1], "cycles": 1.5}, "whole number"),
        ({"rates": [1], "cycles": 10_001}, "whole number from 1 to 10000"),
        ({"rates": [1], "initial_state_of_charge": 1}, "between 0 and 1"),
    ],
)
def test_bad_protocol(arguments, message):
    with pytest.raises(ss.OptionError, match=message):
        ss.RateTest(**arguments)


def test_parameters_must_be_a_set():
    with pytest.raises(ss.OptionError, match="a ParameterSet is needed"):
        ss.RateTest([1]).run(parameters={"Ambient temperature [K]": 298.15})


@pytest.mark.parametrize("rate", [3, "1"])
def test_breakdown_of_a_rate_that_was_not_run(rate, rate_test):
    with pytest.raises(ss.OptionError, match="the test has no 'discharge' at rate"):
        rate_test.breakdown(rate)


@pytest.mark.parametrize(
    ("plot", "measured"),
    [(plots.rate_capability, 2), (plots.polarization, 1), (plots.voltage_curves, 0)],
)
def test_plots_have_units_and_measured_points(plot, measured, rate_test):
    _, ax = plt.subplots()
    assert plot(rate_test, ax) is ax
    assert "[" in ax.get_xlabel()
    assert "[" in ax.get_ylabel()
    labels = ax.get_legend_handles_labels()[1]
    assert sum("measured" in label for label in labels) == measured
    assert plot(rate_test) is not ax
    plt.close("all")


def test_breakdown_plots(rate_test):
    for ax in (
        plots.breakdown_over_capacity(rate_test, 2.0, "charge"),
        plots.breakdown_bars(rate_test),
    ):
        assert ax.get_ylabel() == "Overpotential [mV]"
        assert "Na3PS4 layer" in ax.get_legend_handles_labels()[1]
    heights = [patch.get_height() for patch in ax.patches]
    assert sum(heights[4::5]) == pytest.approx(-1e3 * rate_test.breakdown(2).sum(), rel=0.01)
    plt.close("all")


def test_breakdown_plots_of_losses_below_a_tenth_of_a_millivolt(hu2024):
    result = ss.RateTest([1e-4]).run(ss.SolidStateSPM(), hu2024)
    for ax in (
        plots.breakdown_over_capacity(result, 1e-4),
        plots.breakdown_bars(result),
    ):
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert "Na3PS4 layer" in labels
        assert "Positive electrode film" not in labels  # it has no resistance
    plt.close("all")


@pytest.mark.parametrize("at", [-0.1, 1.1, float("nan")])
def test_breakdown_outside_the_half_cycle(at, rate_test):
    with pytest.raises(ss.OptionError, match="fraction of the half-cycle"):
        rate_test.breakdown(2, at)


def test_reduced_model_says_when_it_does_not_hold(hu2024):
    poor = hu2024.replace({"Positive electrode electrolyte conductivity [S.m-1]": 0.05})
    with pytest.warns(ss.ValidityWarning, match="reaction is not uniform"):
        ss.RateTest([1]).run(ss.SolidStateSPM(), poor)
    assert ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024).notes == []


def test_save(rate_test, tmp_path):
    folder = rate_test.save(tmp_path / "new" / "folder")
    assert sorted(p.name for p in folder.iterdir()) == [
        "comparison.csv", "curves.csv", "polarization.png", "rate_capability.png",
        "rate_test.png", "run.json", "table.csv", "voltage.png",
    ]  # fmt: skip
    run = json.loads((folder / "run.json").read_text())
    assert run["test"]["rates"] == [0.1, 0.2, 0.5, 1.0, 2.0]
    assert run["parameters"]["values"]["Na3PS4 layer conductivity [S.m-1]"] == 0.01
    (tmp_path / "file").write_text("")
    with pytest.raises(ss.SSNIBError, match="cannot be written"):
        rate_test.save(tmp_path / "file")


# ---------------------------------------------------------------- holds and rests
@pytest.fixture(scope="module")
def held(hu2024):
    return ss.RateTest([0.5, 1], hold="C/20", rest="10 min").run(parameters=hu2024)


def test_hold_is_part_of_the_charge(held, hu2024):
    plain = ss.RateTest([0.5, 1]).run(parameters=hu2024)
    charge, discharge = held.half_cycles[:2]
    mass = hu2024["Positive electrode active material mass [kg]"]
    row = held.rows[0]
    assert charge.hold.current([0, charge.hold.duration]) == pytest.approx(
        [-0.236e-3, -0.0236e-3], rel=1e-3
    )
    assert charge.hold.voltage([0, 1, charge.hold.duration]) == pytest.approx([4.0] * 3)
    assert discharge.hold is None
    whole = abs(charge.segment.charge) + abs(charge.hold.charge)
    assert row["Charge capacity [mA.h.g-1]"] == pytest.approx(whole / mass)
    assert abs(charge.hold.charge) > 5e-3 * whole
    # the constant current says how much it costs, and is that of the test without a hold
    for column in ("Mean charge voltage [V]",):
        assert row[column] == pytest.approx(plain.rows[0][column], rel=1e-5)
    assert charge.at("Voltage [V]", 0.5) == pytest.approx(
        plain.half_cycles[0].at("Voltage [V]", 0.5)
    )
    energy = abs(charge.segment.energy) + abs(charge.hold.energy)
    assert row["Energy efficiency"] == pytest.approx(discharge.energy / energy)
    assert row["Coulombic efficiency"] == pytest.approx(discharge.capacity / whole)
    assert row["Discharge capacity [mA.h.g-1]"] > plain.rows[0]["Discharge capacity [mA.h.g-1]"]


def test_curves_go_on_in_the_hold(held):
    part = held.curves[held.curves["Half-cycle"] == 3]
    assert (np.diff(part["Time [s]"]) >= 0).all()
    assert part["Current [A]"].iloc[-1] == pytest.approx(-0.0236e-3, rel=1e-3)
    assert part["Voltage [V]"].iloc[-1] == pytest.approx(4.0)
    ends = held.rows[1]["Charge capacity [mA.h.g-1]"]
    assert part["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(ends)


def test_rest_lets_the_cell_relax(held, hu2024):
    """The discharge starts from a cell at rest: less than its charge left it at."""
    hasty = ss.RateTest([0.5, 1], hold="C/20").run(parameters=hu2024)
    rested = held.half_cycles[1].at("Voltage [V]", 0)
    assert 0.01 < hasty.half_cycles[1].at("Voltage [V]", 0) - rested < 0.3


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_hold_charges_where_the_current_cannot(hu2024):
    """At 20 C the cut-off is reached at the start, and the hold charges the cell."""
    result = ss.RateTest([0.5], charge_rate=20, hold=0.05).run(parameters=hu2024)
    row = result.rows[0]
    assert row["Status"] == "cut-off reached at start"
    assert row["Charge capacity [mA.h.g-1]"] > 100
    assert row["Discharge capacity [mA.h.g-1]"] > 90
    assert np.isnan(row["Polarization [V]"])


@pytest.mark.parametrize(("stepper", "solver"), [(Structured, "auto"), (Idaklu, "idaklu")])
def test_a_failed_hold_fails_the_charge(stepper, solver, hu2024, monkeypatch):
    step = stepper.step

    def fail(self, state, planned, inputs):
        if planned.direction == "hold":
            return Outcome(Status.FAILED, reason="the solver gave up (words)"), state
        return step(self, state, planned, inputs)

    monkeypatch.setattr(stepper, "step", fail)
    result = ss.RateTest([0.5, 1], hold=0.05).run(ss.SolidStateSPM(), hu2024, solver=solver)
    why = "the hold after the charge at 0.5 C"
    assert result.table["Status"].tolist() == [
        f"failed: {why}: the solver gave up (words)",
        f"failed: {why} before it failed",
    ]
    assert np.isnan(result.rows[0]["Charge capacity [mA.h.g-1]"])
    assert not result.ok


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"hold": 0.05}, {"hold": 0.05}),
        ({"hold": "C/20"}, {"hold": 0.05}),
        ({"hold": "0.05 C"}, {"hold": 0.05}),
        ({"hold": "0.05"}, {"hold": 0.05}),
        ({"hold": "1 hour"}, {"hold": "3600.0 s"}),
        ({"hold": "3600.0 s"}, {"hold": "3600.0 s"}),
        ({"rest": 600}, {"rest": 600.0}),
        ({"rest": "10 min"}, {"rest": 600.0}),
        ({"rest": "10 minutes"}, {"rest": 600.0}),
    ],
)
def test_holds_and_rests_as_people_write_them(given, kept):
    test = ss.RateTest([1], **given)
    document = test.to_dict()
    assert {name: document[name] for name in kept} == kept
    assert ss.RateTest(**document).to_dict() == document
    assert eval(repr(test), {"RateTest": ss.RateTest}).to_dict() == document


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hold": "C/0"}, 'hold is .*: a C-rate is needed, 0.05 or "C/20", or a time'),
        ({"hold": "x C"}, "hold is 'x C': a C-rate is needed"),
        ({"hold": "10 parsecs"}, "hold is '10 parsecs': a C-rate is needed"),
        ({"hold": True}, "hold is True"),
        ({"hold": []}, r"hold is \[\]"),
        ({"hold": -1}, "hold has -1.0: a C-rate must be a positive number"),
        ({"hold": float("nan")}, "hold has nan"),
        ({"rest": 0}, "rest is 0: a time is needed"),
        ({"rest": "C/20"}, "rest is 'C/20': a time is needed"),
        ({"rest": "1e9 hours"}, "at most ten years"),
        ({"rest": 10**400}, "rest is 1000"),
    ],
)
def test_holds_and_rests_that_are_none(given, words):
    with pytest.raises(ss.OptionError, match=words):
        ss.RateTest([1], **given)


def test_a_time_ends_the_hold(hu2024):
    result = ss.RateTest([1], hold="5 min").run(ss.SolidStateSPM(), hu2024)
    assert result.half_cycles[0].hold.duration == pytest.approx(300)


def test_of_a_set(hu2024):
    """What the set says, what is given before it, and the usual rates of a set that says none."""
    oh, duchene = ss.ParameterSet("Oh2025"), ss.ParameterSet("Duchene2020_97")
    assert ss.RateTest.of(oh).to_dict() == ss.RateTest([0.1], hold="C/20").to_dict()
    assert ss.RateTest.of(oh, hold=None, cycles=2).to_dict() == (
        ss.RateTest([0.1], cycles=2).to_dict()
    )
    assert ss.RateTest.of(duchene).to_dict() == ss.RateTest([0.1, 5], charge_rate=0.1).to_dict()
    assert ss.RateTest.of(hu2024).to_dict() == ss.RateTest([0.1, 0.2, 0.5, 1, 2]).to_dict()
    with pytest.raises(ss.OptionError, match="holds: a rate test has only rates"):
        ss.RateTest.of(oh, holds=None)
