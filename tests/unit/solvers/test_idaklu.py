"""Every kind of step and of end by IDAKLU; the numbers are compared in tests/verification."""

import itertools

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.solvers.controlled import is_plain
from ssnib_model.solvers.idaklu import MAX_PROFILES, Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.steps import (
    STOICHIOMETRY_MARGIN,
    TIE,
    Control,
    End,
    Measure,
    Profile,
    Status,
    Step,
)

PARAMETERS = ss.ParameterSet("Hu2024")
Q = PARAMETERS["Nominal cell capacity [A.h]"]
INPUTS = {INITIAL: 0.5, CURRENT: 0.0}
MODELS = {"dfn": ss.SolidStateDFN, "spm": ss.SolidStateSPM}
LONG = 1e6
AMBIENT = "Ambient temperature [K]"


def cell_of(model, parameters=PARAMETERS, inputs=(), **settings):
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER, *inputs), "[input]"))
    return Idaklu(MODELS[model](), values, **settings)


@pytest.fixture(scope="module", params=MODELS)
def cell(request):
    return cell_of(request.param, controls=True)


def voltage_end(value, rising):
    return End(Measure.VOLTAGE, value, rising)


def size(value, rising=False):
    return End(Measure.CURRENT_SIZE, value, rising)


def capacity(value):
    return End(Measure.CAPACITY, value, rising=True)


RAMP = Profile((0.0, 1800.0, 3600.0), (0.0, Q, -Q))

#: Steps from half charge, each with the end that it must reach.
ENDS = {
    "voltage falling": (Control.CURRENT, Q / 2, voltage_end(3.1, False)),
    "voltage rising": (Control.CURRENT, -Q / 2, voltage_end(3.6, True)),
    "voltage rising by power": (Control.POWER, -3 * Q, voltage_end(3.6, True)),
    "voltage falling by resistance": (Control.RESISTANCE, 6 / Q, voltage_end(3.1, False)),
    "absolute current falling": (Control.VOLTAGE, 3.45, size(Q / 20)),
    "absolute current rising": (Control.POWER, 3 * Q, size(1.01 * Q, rising=True)),
    "current falling": (Control.VOLTAGE, 3.2, End(Measure.CURRENT, Q / 20, rising=False)),
    "current rising": (Control.VOLTAGE, 3.45, End(Measure.CURRENT, -Q / 20, rising=True)),
    "capacity, discharge": (Control.CURRENT, Q, capacity(Q / 10)),
    "capacity, charge": (Control.VOLTAGE, 3.45, capacity(Q / 50)),
    "current in a profile": (Control.CURRENT, RAMP, End(Measure.CURRENT, -Q / 2, rising=False)),
    "voltage in a profile": (Control.CURRENT, RAMP, voltage_end(3.25, False)),
    "capacity in a profile": (Control.CURRENT, RAMP, capacity(Q / 10)),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_step_ends_at_its_end(cell, case):
    control, value, end = ENDS[case]
    duration = RAMP.times[-1] if value is RAMP else LONG
    step = Step(control, value, duration, (end,), open_ended=True)
    outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
    assert outcome.status is Status.OK, outcome.reason
    assert outcome.end is end
    segment = outcome.segment
    reached = {
        Measure.VOLTAGE: segment.voltage(segment.duration),
        Measure.CURRENT: segment.current(segment.duration),
        Measure.CURRENT_SIZE: abs(segment.current(segment.duration)),
        Measure.CAPACITY: abs(segment.charge),
    }
    assert reached[end.measure] == pytest.approx(end.value, rel=1e-5)
    # and nowhere before
    t = np.linspace(0, segment.duration, 50)[1:-1]
    courses = {
        Measure.VOLTAGE: segment.voltage(t),
        Measure.CURRENT: segment.current(t),
        Measure.CURRENT_SIZE: abs(segment.current(t)),
        Measure.CAPACITY: abs(segment.passed(t)),
    }
    assert np.all((courses[end.measure] < end.value) == end.rising)


def test_the_first_of_several_ends_counts(cell):
    ends = (voltage_end(2.0, False), capacity(Q / 20), voltage_end(2.9, False))
    for duration, expected in ((LONG, ends[1]), (60.0, None)):
        step = Step(Control.CURRENT, Q, duration, ends)
        outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
        assert outcome.end is expected
        assert outcome.segment.duration == pytest.approx(180 if expected else 60, rel=1e-6)
    earlier = (*ends, capacity(Q / 40))
    outcome, _ = cell.step(cell.start(INPUTS), Step(Control.CURRENT, Q, LONG, earlier), INPUTS)
    assert outcome.end is earlier[-1]


def test_an_open_ended_step_that_reaches_no_end_fails(cell):
    step = Step(Control.VOLTAGE, 3.45, 60.0, (size(Q / 1000),), open_ended=True)
    start = cell.start(INPUTS)
    outcome, state = cell.step(start, step, INPUTS)
    assert (outcome.status, outcome.segment) == (Status.FAILED, None)
    assert "no end of the step was reached in 0.0166667 h" in outcome.reason
    assert state is start
    outcome, _ = cell.step(start, Step(Control.VOLTAGE, 3.45, 60.0, (size(Q / 1000),)), INPUTS)
    assert (outcome.status, outcome.end) == (Status.OK, None)


START = {
    "below a cut-off": (Control.CURRENT, Q, voltage_end(3.5, False)),
    "above a cut-off": (Control.CURRENT, -Q, voltage_end(3.3, True)),
    "a hold below its end": (Control.VOLTAGE, 3.4, size(10 * Q)),
    "a current above its end": (Control.POWER, 3.4 * Q, size(Q / 2, rising=True)),
    "power beyond the cut-off": (Control.POWER, 100 * Q, voltage_end(2.5, False)),
    "power that there is not": (Control.POWER, 1e4 * Q, voltage_end(2.5, False)),
}


@pytest.mark.parametrize("case", START)
def test_an_end_reached_at_the_start(cell, case):
    control, value, end = START[case]
    start = cell.start(INPUTS)
    outcome, state = cell.step(start, Step(control, value, LONG, (end,)), INPUTS)
    assert outcome.status is Status.AT_START, outcome.reason
    assert outcome.end is end
    assert outcome.segment is None
    assert state is start


@pytest.mark.parametrize("controls", [False, True])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rising", [False, True])
def test_within_a_tie_of_its_cut_off_a_step_has_no_start(model, rising, controls):
    """Also on the side from which it could go on: round-off tells the sides apart otherwise."""
    cell = cell_of(model, controls=controls)
    current, sign = (-Q / 2, -1) if rising else (Q / 2, 1)
    start = cell.start(INPUTS)
    first, _ = cell.step(start, Step(Control.CURRENT, current, 1e-3), INPUTS)
    voltage = float(first.segment.voltage(0.0))
    for distance, expected in ((-1.5, "start"), (-0.9, "start"), (0.9, "start"), (1.5, "ok")):
        cut_off = voltage - sign * distance * TIE
        outcome, _ = cell.step(start, Step.to_cut_off(current, cut_off, LONG), INPUTS)
        assert outcome.status is (Status.OK if expected == "ok" else Status.AT_START)


def test_a_step_again_is_at_its_end(cell):
    """A hold that has reached its end, and a discharge at its cut-off, are over at once."""
    state = cell.start(INPUTS)
    for step in (
        Step(Control.VOLTAGE, 3.45, LONG, (size(Q / 20),)),
        Step(Control.CURRENT, Q, LONG, (voltage_end(2.9, False),)),
    ):
        first, state = cell.step(state, step, INPUTS)
        assert first.status is Status.OK
        for _ in range(2):
            again, state = cell.step(state, step, INPUTS)
            assert (again.status, again.end) == (Status.AT_START, step.ends[0])


@pytest.mark.parametrize("controls", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_composition_beyond_all_sodium_is_not_ok(model, controls):
    """A gentle end of the potential: the voltage stays inside its window as the cathode fills."""
    parameters = PARAMETERS.replace({"Positive electrode OCP end amplitude [V]": 0.1})
    cell = cell_of(model, parameters, controls=controls)
    words = {1: "no room left for sodium", -1: "no sodium left"}
    for sign, word in words.items():
        step = Step.to_cut_off(sign * Q / 10, 2.5 if sign > 0 else 4.0, LONG)
        start = cell.start(INPUTS)
        outcome, state = cell.step(start, step, INPUTS)
        assert outcome.status is Status.FAILED
        assert word in outcome.reason
        assert not outcome.gave_up
        assert state is start


@pytest.mark.parametrize("model", MODELS)
def test_a_full_surface_is_ok_up_to_the_margin(model):
    cell = cell_of(model)
    step = Step.to_cut_off(Q / 10, 2.5, LONG)
    outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
    assert outcome.status is Status.OK
    surface = outcome.segment.solution["Positive particle surface stoichiometry"].entries
    assert 0.9 < surface.max() < 1 + STOICHIOMETRY_MARGIN


STEPS = (
    Step(Control.CURRENT, -Q / 3, LONG, (voltage_end(3.6, True),)),
    Step(Control.CURRENT, 0.0, 1800.0),
    Step(Control.CURRENT, Q / 2, 600.0),
    Step(Control.CURRENT, Q, LONG, (voltage_end(2.9, False),), open_ended=True),
)


@pytest.mark.parametrize("model", MODELS)
def test_both_models_of_a_constant_current_agree(model):
    """With the current as a number and as a state, step by step of a test."""
    found = []
    for controls in (False, True):
        cell = cell_of(model, solver=half_cycle_solver(1e-8, 1e-8), controls=controls)
        state, segments = cell.start(INPUTS), []
        for step in STEPS:
            assert is_plain(step)
            outcome, state = cell.step(state, step, INPUTS)
            assert outcome.status is Status.OK
            segments.append(outcome.segment)
        found.append(segments)
    for a, b in zip(*found, strict=True):
        assert b.duration == pytest.approx(a.duration, rel=1e-5)
        assert b.charge == pytest.approx(a.charge, rel=1e-5, abs=1e-12)
        assert b.energy == pytest.approx(a.energy, rel=1e-5, abs=1e-12)
        t = np.linspace(0, min(a.duration, b.duration), 30)
        assert b.voltage(t) == pytest.approx(a.voltage(t), abs=1e-5)
        assert b.uniformity == (None if a.uniformity is None else pytest.approx(a.uniformity))


@pytest.mark.parametrize("model", MODELS)
def test_charge_and_energy_of_any_segment(model):
    """Against the areas under current and power."""
    cell = cell_of(model, solver=half_cycle_solver(1e-8, 1e-8), controls=True)
    steps = (
        Step(Control.CURRENT, RAMP, 3600.0),
        Step(Control.VOLTAGE, 3.45, 3600.0),
        Step(Control.POWER, Q, 3600.0),
        Step(Control.RESISTANCE, 5 / Q, 3600.0),
    )
    state = cell.start(INPUTS)
    for step in steps:
        outcome, state = cell.step(state, step, INPUTS)
        segment = outcome.segment
        assert segment.times[0] == 0
        assert segment.times[-1] == segment.duration == 3600
        # dense where it changes fast
        t = np.unique(np.concatenate((3600 * np.linspace(0, 1, 20001) ** 3, segment.times)))
        current, power = segment.current(t), segment.current(t) * segment.voltage(t)
        scale = abs(np.trapezoid(abs(current), t)) / 3600
        assert segment.charge == pytest.approx(np.trapezoid(current, t) / 3600, abs=1e-5 * scale)
        assert segment.energy == pytest.approx(np.trapezoid(power, t) / 3600, abs=3e-5 * scale)
        assert segment.passed(3600.0) == segment.charge
        assert segment.passed(0.0) == 0


def test_a_profile_is_followed_exactly(cell):
    """Knots where they are, straight in between; also cut short, and where points repeat."""
    times = tuple(np.cumsum([0.0, 1.0, 10.0, 10.0, 0.1, 300.0, 20.0]).tolist())
    values = (0.0, Q, Q, Q, -Q / 2, 0.0, Q / 3)
    for duration in (times[-1], 100.0):
        step = Step(Control.CURRENT, Profile(times, values), duration)
        outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
        segment = outcome.segment
        assert segment.duration == pytest.approx(duration)
        t = np.linspace(0, duration, 999)
        assert segment.current(t) == pytest.approx(np.interp(t, times, values), abs=1e-6 * Q)
        knots = [t for t in (0, 1, 21, 21.1, 321.1) if t < duration]
        assert np.abs(segment.times[:, np.newaxis] - knots).min(axis=0) == pytest.approx(0)
        assert np.all(np.diff(segment.solution.t) > 0)


def test_a_profile_goes_on_from_any_step_and_any_step_from_a_profile(cell):
    """The same as piece by piece, where each piece is a step at a constant current."""
    currents = (Q / 2, 0.0, -Q / 3)
    one_by_one, at_once = cell.start(INPUTS), cell.start(INPUTS)
    first = Step(Control.POWER, Q, 600.0)
    last = Step(Control.VOLTAGE, 3.4, 600.0)
    edges = [0.0, *(300.0 * n + d for n in (1, 2) for d in (-1e-3, 1e-3)), 900.0]
    profile = Profile(tuple(edges), tuple(np.repeat(currents, 2).tolist()))
    for step in (first, Step(Control.CURRENT, profile, 900.0), last):
        outcome, at_once = cell.step(at_once, step, INPUTS)
        assert outcome.status is Status.OK, outcome.reason
    for step in (first, *(Step(Control.CURRENT, i, 300.0) for i in currents), last):
        expected, one_by_one = cell.step(one_by_one, step, INPUTS)
    assert outcome.segment.charge == pytest.approx(expected.segment.charge, rel=1e-4)
    assert outcome.segment.energy == pytest.approx(expected.segment.energy, rel=1e-4)
    for name, values in cell.cell_state(one_by_one).values.items():
        assert cell.cell_state(at_once).values[name] == pytest.approx(values, abs=1e-5)


def test_only_the_profiles_used_last_are_kept():
    cell = cell_of("spm", controls=True)
    start = cell.start(INPUTS)
    for n in range(MAX_PROFILES + 2):
        step = Step(Control.CURRENT, Profile((0.0, 1.0), (0.0, n * Q / 10)), 1.0)
        outcome, _ = cell.step(start, step, INPUTS)
        assert outcome.segment.charge == pytest.approx(n * Q / 10 / 7200)
    assert len(cell._profiles) == MAX_PROFILES


def test_a_profile_that_is_too_short_is_refused(cell):
    step = Step(Control.CURRENT, RAMP, 4000.0)
    outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
    assert outcome.status is Status.FAILED
    assert outcome.reason == "the profile ends at 3600 s and the step at 4000 s"
    outcome, _ = cell.step(cell.start(INPUTS), Step(Control.POWER, RAMP, 3600.0), INPUTS)
    assert outcome.reason == "the solver has no profile of power, only of current"


@pytest.mark.parametrize(
    "step", [Step(Control.VOLTAGE, 3.4, 60.0), Step(Control.CURRENT, Q, 60.0, (capacity(Q),))]
)
def test_a_stepper_for_constant_current_says_what_it_has_not(step):
    cell = cell_of("spm")
    outcome, _ = cell.step(cell.start(INPUTS), step, INPUTS)
    assert outcome.status is Status.FAILED
    assert "needs a solver that was made for all controls" in outcome.reason


def test_the_temperature_of_a_step_is_that_of_its_inputs():
    cell = cell_of("spm", inputs=[AMBIENT], controls=True)
    cold, warm = ({**INPUTS, AMBIENT: T} for T in (283.15, 313.15))
    state, found = cell.start(cold), []
    for inputs in (cold, warm, cold):
        outcome, state = cell.step(state, Step(Control.CURRENT, Q / 5, 10.0), inputs)
        found.append(outcome.segment)
    assert [s.solution["Cell temperature [K]"].entries[-1] for s in found] == [
        283.15, 313.15, 283.15,
    ]  # fmt: skip
    before, between, after = (float(s.voltage(5.0)) for s in found)
    assert between > before + 0.05
    assert after == pytest.approx(before, abs=1e-3)


def test_solver_and_mesh_go_on_to_the_finer_one():
    cell = cell_of("spm", controls=True)
    finer = cell.finer
    step = Step(Control.VOLTAGE, 3.45, LONG, (size(Q / 20),))
    durations = [
        stepper.step(stepper.start(INPUTS), step, INPUTS)[0].segment.duration
        for stepper in (cell, finer)
    ]
    assert durations[1] == pytest.approx(durations[0], rel=1e-2)
    sizes = [
        len(s.cell_state(s.start(INPUTS)).values["Positive particle stoichiometry"])
        for s in (cell, finer)
    ]
    assert sizes == [20, 40]


def test_long_and_short_steps_in_any_order(cell):
    """A millisecond after a day, a day after a millisecond, and both ways of the current."""
    state = cell.start(INPUTS)
    for duration, current in itertools.product((1e-3, 86400.0, 1.0), (0.0, Q / 1000, -Q / 1000)):
        outcome, state = cell.step(state, Step(Control.CURRENT, current, duration), INPUTS)
        assert outcome.status is Status.OK, outcome.reason
        assert outcome.segment.charge == pytest.approx(current * duration / 3600, rel=1e-6)
