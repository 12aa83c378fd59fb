"""The structured solver's answer as a `pybamm.Solution`.

A solution by IDAKLU at tight tolerances plays the structured solver here: what that would follow
is taken from it at the quarters of coarse steps, and all variables must come back.
"""

import copy
import functools
import pickle
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pybamm
import pytest
from numpy.testing import assert_allclose as close
from scipy.interpolate import CubicHermiteSpline

import ssnib_model as ss
from ssnib_model.models.particles import Particle
from ssnib_model.solvers.controlled import SLOPE, VALUE
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.quartics import Quartics
from ssnib_model.solvers.solution import LazySolution, Solutions
from ssnib_model.solvers.state import StateVector, scaling
from ssnib_model.solvers.structured import Structured
from ssnib_model.solvers.terminals import SAME
from ssnib_model.solvers.vectors import (
    DIFFERENCE,
    PHI_E,
    PHI_S,
    REACTION,
    Record,
    from_values,
    suffixes,
    to_values,
)
from ssnib_model.steps import Control, End, Measure, Profile, Step

ONE_C = 4.72e-4
VARIED = "Nominal cell capacity [A.h]"  # a scale of states
FILM = "Positive electrode film resistance [Ohm.m2]"
SHELLS = 9
VAR_PTS = {"x_p": 7, "r_p": SHELLS}

#: Values and options.
CELLS = {
    "plain": ({}, {}),
    "three sizes": (
        {"Positive particle radius spread": 0.4, FILM: 0.01},
        {"size classes": 3},
    ),
    "hysteresis": (
        {
            "Positive electrode hysteresis [V]": 0.02,
            FILM: 0.01,
        },
        {"open-circuit potential": "one-state hysteresis", "size classes": 2},
    ),
    "sodium metal": (
        {"Negative electrode sodium thickness [m]": 1e-4},
        {"negative electrode": "sodium metal"},
    ),
    # its alloy goes over a steep edge of its potential in the discharge
    "little alloy": (
        {
            "Negative electrode tin amount [mol]": 4e-6,
            "Negative electrode as-made sodium content": 0.1,
            "Negative electrode OCP step width": 1e-3,
        },
        {},
    ),
}  # fmt: skip
MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]

DISCHARGE = Step(Control.CURRENT, ONE_C, 600.0)
STEPS = {
    "discharge": DISCHARGE,
    "charge": Step(Control.CURRENT, -ONE_C / 2, 1e4, (End(Measure.VOLTAGE, 3.9, True),)),
    "rest": Step(Control.CURRENT, 0.0, 3600.0),
    "hold": Step(Control.VOLTAGE, 3.25, 1800.0, (End(Measure.CURRENT_SIZE, ONE_C / 50, False),)),
    "power": Step(Control.POWER, 2 * ONE_C, 1200.0),
    "profile": Step(
        Control.CURRENT, Profile((0.0, 300.0, 301.0, 700.0), (0.0, ONE_C, -ONE_C / 3, 0.0)), 700.0
    ),
}


class Followed(NamedTuple):
    """A step by IDAKLU, and what the structured solver would have followed of it."""

    solutions: Solutions
    record: Record
    inputs: dict[str, float]
    passed: tuple[float, float]
    step: Step
    end: End | None
    solution: pybamm.Solution

    def again(self):
        """A segment, and its solution that was not asked for anything."""
        segment = Segment(self.record)
        return segment, self.solutions.of(segment, self.step, self.end, self.inputs, self.passed)


class Segment:
    terminals = SAME

    def __init__(self, record):
        self._record, self.asked = record, 0

    def record(self):
        self.asked += 1
        return self._record


@functools.cache
def cell(model, name):
    changes, options = CELLS[name]
    parameters = ss.ParameterSet("Hu2024").replace(changes, options)
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER, VARIED), "[input]"))
    model = model(parameters.model_options)
    inputs = {CURRENT: 0.0, INITIAL: 0.9, VARIED: parameters[VARIED]}
    tight = Idaklu(model, values, half_cycle_solver(1e-9, 1e-9), VAR_PTS, controls=True)
    return model, values, inputs, tight, Solutions(model, values, VAR_PTS)


def states(solution):
    """Samples of all states by name, in physical units."""
    inputs = solution.all_inputs[0]
    found = {}
    for variable, (where,) in solution.all_models[0].y_slices.items():
        scale, reference = scaling(variable, inputs)
        found[variable.name] = (reference + scale * solution.y[where]).T
    return found


def recorded(model, values, solution):
    """What the structured solver follows, from the samples of a solution."""
    found = states(solution)
    modes, hysteresis, sodium = from_values(model.options, found, SHELLS)
    names = suffixes(model.options)
    if isinstance(model, ss.SolidStateSPM):
        particles = [Particle(model, n, None) for n in range(len(names))]
        surfaces = [
            values.process_symbol(model.param.L * q.a).evaluate(inputs=solution.all_inputs[0])
            for q in particles
        ]
        j = [
            solution[f"Positive electrode interfacial current density{s} [A.m-2]"].entries
            for s in names
        ]
        reaction = np.stack([float(s) * c for s, c in zip(surfaces, j, strict=True)], axis=-1)
        reaction = reaction[:, None]
        difference = found.get(DIFFERENCE, np.full((len(sodium), 1), np.nan))
    else:
        reaction = np.stack([found[f"{REACTION}{s} [A.m-2]"] for s in names], axis=-1)
        difference = found[PHI_S] - found[PHI_E]
    current = solution["Current [A]"].entries
    return Record(solution.t, modes, hysteresis, reaction, difference, current, sodium)


def sampled(solution, ends):
    """A solution at the ends of steps and the quarters of each, as IDAKLU interpolates."""
    t = np.concatenate([ends[:-1, None] + np.diff(ends)[:, None] * [0, 0.25, 0.5, 0.75]])
    t = np.append(t.ravel(), ends[-1])
    ys = np.empty((solution.y.shape[0], t.size))
    for times, y, yp in zip(solution.all_ts, solution.all_ys, solution.all_yps, strict=True):
        here = (t >= times[0] - 1e-6) & (t <= times[-1])
        ys[:, here] = CubicHermiteSpline(times, y, yp, axis=1)(t[here])
    return pybamm.Solution(t, ys, solution.all_models[0], solution.all_inputs[0])


@functools.cache
def follow(model, name, what):
    """A step that comes after a discharge, so that nothing is at rest or uniform at its start."""
    step = STEPS[what]
    model, values, inputs, tight, solutions = cell(model, name)
    _, state = tight.step(tight.start(inputs), DISCHARGE, inputs)
    outcome, _ = tight.step(state, step, inputs)
    assert outcome.segment is not None, outcome.reason
    solution = outcome.segment.solution
    T = solution.t[-1]
    own = solution.t[np.searchsorted(solution.t, 1e-3) :: 6]  # where the solution is steep
    ends = np.unique(
        np.concatenate([[0.0], np.geomspace(1e-3, T, 40), own, np.linspace(0, T, 20)])
    )
    if isinstance(step.value, Profile):
        after = np.add.outer(step.value.times[:-1], np.geomspace(1e-3, 10, 40)).ravel()
        ends = np.unique(np.concatenate([ends, after, step.value.times]))
    ends = ends[np.append(np.diff(ends) > 1e-9, True)]
    record = recorded(model, values, sampled(solution, ends))
    passed = tuple(
        float(solution[f"Discharge {what}"].entries[0])
        for what in ("capacity [A.h]", "energy [W.h]")
    )
    return Followed(solutions, record, inputs, passed, step, outcome.end, solution)


# -------------------------------------------------------------------- all variables
CASES = [
    *(("plain", what) for what in STEPS),
    ("three sizes", "discharge"),
    ("three sizes", "hold"),
    ("hysteresis", "charge"),
    ("hysteresis", "profile"),
    ("sodium metal", "discharge"),
    ("little alloy", "discharge"),
    ("little alloy", "power"),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_every_variable_comes_back(model, case):
    """At the samples up to what IDAKLU makes of its algebraic equations, and in between."""
    found = follow(model, *case)
    _, lazy = found.again()
    expected, record = found.solution, found.record
    assert lazy.t[-1] == expected.t[-1]
    assert lazy.termination == expected.termination
    samples = sampled(expected, record.t[::4])
    here = np.isin(lazy.t, record.t)
    between = np.sort(np.random.default_rng(0).uniform(0, record.t[-1], 200))
    for name in cell(model, case[0])[0].variables:
        # of differences of potentials over short ways; 1e-4 of a current of 6 A.m-2
        steep = name.endswith("current density [A.m-2]")
        a, b = samples[name].entries, lazy[name].entries[..., here]
        close(b, a, rtol=1e-9, atol=5e-4 if steep else 2e-7, err_msg=name)
        a, b = expected[name](t=between), lazy[name](t=between)
        close(b, a, rtol=1e-4, atol=6e-4 if steep else 5e-5, err_msg=name)


@pytest.mark.parametrize(
    ("model", "name"), [(MODELS[0], "hysteresis"), (MODELS[1], "three sizes")]
)
def test_the_equations_without_time_hold(model, name):
    """Those that PyBaMM makes of the model, for the vectors as they are."""
    what = "profile" if name == "hysteresis" else "hold"
    _, lazy = follow(model, name, what).again()
    built, inputs = lazy.all_models[0], lazy.all_inputs[0]
    residual = built.concatenated_algebraic.evaluate(lazy.all_ts[0], lazy.all_ys[0], inputs=inputs)
    assert np.abs(residual).max() < 1e-4


def test_a_steep_edge_of_the_anode_has_its_own_times():
    """The samples may pass over it: at constant current the content of the alloy is a line."""
    found = follow(ss.SolidStateDFN, "little alloy", "discharge")
    model, values = cell(ss.SolidStateDFN, "little alloy")[:2]
    T = found.record.t[-1]
    coarse = sampled(found.solution, np.append(0.0, np.geomspace(1e-3, T, 50)))
    segment = Segment(recorded(model, values, coarse))
    lazy = found.solutions.of(segment, DISCHARGE, None, found.inputs, found.passed)
    added = lazy.t[~np.isin(lazy.t, coarse.t)]
    alloy = lazy["Negative electrode open-circuit potential [V]"](t=added)
    assert added.size > 10
    assert (np.abs(alloy - 0.12) < 0.041).all()  # between its plateaus at 0.08 and 0.16 V
    between = np.linspace(added[0], added[-1], 200)
    ours, theirs = (s["Voltage [V]"](t=between) for s in (lazy, found.solution))
    close(ours, theirs, rtol=0, atol=5e-5)
    energies = (s["Discharge energy [W.h]"].entries[-1] for s in (lazy, found.solution))
    assert next(energies) == pytest.approx(next(energies), rel=1e-7)


def test_steps_too_short_to_have_quarters_are_left_out(found):
    """A step to a cut-off may be as short as round-off."""
    record = found.record
    last = [np.repeat(samples[-1:], 4, axis=0) for samples in record]
    longer = Record(*(np.concatenate(pair) for pair in zip(record, last, strict=True)))
    _, expected = found.again()
    solution = found.solutions.of(Segment(longer), found.step, None, found.inputs, found.passed)
    assert np.array_equal(solution.t, expected.t)
    assert np.array_equal(solution.yp, expected.yp)


def test_a_profile_has_a_part_for_each_of_its_lines():
    found = follow(ss.SolidStateSPM, "plain", "profile")
    _, lazy = found.again()
    assert [t[-1] for t in lazy.all_ts] == [300, 301, 700]
    for part, inputs in zip(lazy.all_ts, lazy.all_inputs, strict=True):
        imposed = inputs[VALUE] + inputs[SLOPE] * part
        current = found.step.value
        close(imposed, np.interp(part, current.times, current.values), rtol=0, atol=1e-12)


# -------------------------------------------------------------------- the state alone
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["plain", "three sizes", "hysteresis"])
def test_a_state_goes_there_and_back(model, name):
    found = follow(model, name, "charge" if name == "hysteresis" else "discharge")
    model = cell(model, name)[0]
    y = found.solution.all_ys[-1][:, -1]
    values = StateVector(found.solution.all_models[0]).read(y, found.solution.all_inputs[0])
    modes, hysteresis, sodium = from_values(model.options, values, SHELLS)
    back = to_values(model.options, modes, hysteresis, float(sodium))
    assert back.keys() == values.keys()
    for state, value in values.items():
        close(back[state], value, rtol=0, atol=2e-14, err_msg=state)
    again = from_values(model.options, back, SHELLS)
    close(again[0], modes, rtol=0, atol=2e-14)
    assert np.array_equal(again[1], hysteresis)
    assert again[2] == sodium


# -------------------------------------------------------------------- a solution that waits
@pytest.fixture
def found():
    return follow(ss.SolidStateSPM, "plain", "charge")


def test_nothing_is_done_before_the_first_question(found):
    fresh = pickle.loads(pickle.dumps(found.solutions))
    segment = Segment(found.record)
    solution = fresh.of(segment, found.step, found.end, found.inputs, found.passed)
    assert isinstance(solution, pybamm.Solution)
    assert segment.asked == 0
    assert not {"_plain", "_controlled", "_states"} & set(vars(fresh))
    assert solution.termination == "event: Maximum voltage [V]"
    assert solution.t_event == solution.t[-1]
    assert np.array_equal(solution.y_event, solution.y[:, -1])
    assert segment.asked == 1
    assert fresh.of(segment, found.step, found.end, found.inputs, found.passed) is solution
    other = fresh.of(Segment(found.record), found.step, None, found.inputs, found.passed)
    assert other.all_models[0] is solution.all_models[0]
    assert other.termination == "final time"
    assert other.t_event is None


def test_a_solution_that_nobody_keeps_is_worked_out_again(found):
    fresh = pickle.loads(pickle.dumps(found.solutions))
    segments = [Segment(found.record) for _ in range(20)]
    for segment in segments:
        assert fresh.of(segment, found.step, None, found.inputs, found.passed).t[0] == 0
    kept = sum(isinstance(ref(), LazySolution) for ref in fresh._of.values())
    assert kept == 16
    fresh.of(segments[0], found.step, None, found.inputs, found.passed).t  # noqa: B018
    assert segments[0].asked == 2
    assert segments[-1].asked == 1


@pytest.mark.parametrize("asked", [False, True])
def test_it_can_be_pickled_and_copied(found, asked):
    _, solution = found.again()
    if asked:
        solution["Voltage [V]"].entries  # noqa: B018
    for other in (pickle.loads(pickle.dumps(solution)), copy.copy(solution), solution.copy()):
        assert other.termination == solution.termination
        assert np.array_equal(other["Voltage [V]"].entries, solution["Voltage [V]"].entries)
        t = solution.t[-1] / 3
        assert other["Voltage [V]"](t=t) == solution["Voltage [V]"](t=t)


def test_what_is_set_on_it_stays(found):
    _, solution = found.again()
    solution.cycles = [1]
    assert solution.t.size > 1
    assert solution.cycles == [1]
    with pytest.raises(AttributeError, match="no such_thing"):
        solution.such_thing  # noqa: B018


def test_solutions_add_up_as_those_of_pybamm(found):
    _, first = found.again()
    after = first.copy()
    shifted = pybamm.Solution(
        after.t + first.t[-1], after.y, after.all_models, after.all_inputs, all_yps=after.yp
    )
    for total in (first + shifted, pybamm.Solution.from_sub_solutions([first, shifted])):
        assert total.t.size == 2 * first.t.size - 1
        assert len(total.all_models) == len(total.all_inputs) == len(total.sub_solutions) == 2
        V = total["Voltage [V]"](t=first.t[-1] * np.array([0.3, 1.3]))
        assert V[0] == pytest.approx(V[1], abs=1e-9)
    assert np.array_equal((first + None).y, first.y)
    assert first.last_state.y[:, 0] == pytest.approx(first.y[:, -1], abs=0)


@pytest.mark.parametrize("what", ["discharge", "hold"])
def test_pybamm_plots_and_reads_it(what):
    found = follow(ss.SolidStateDFN, "plain", what)
    _, solution = found.again()
    names = ["Voltage [V]", "Positive electrode potential [V]", "Positive particle stoichiometry"]
    pybamm.QuickPlot(solution, names).plot(0.1)
    plt.close("all")
    for split in (False, True):
        pybamm.plot_voltage_components(solution, split_by_electrode=split, show_plot=False)
        plt.close("all")
    L = float(ss.ParameterSet("Hu2024")["Positive electrode thickness [m]"])
    place = {"t": solution.t[-1] / 2, "x": L / 3}
    phi = [s["Positive electrode potential [V]"](**place) for s in (solution, found.solution)]
    assert phi[0] == pytest.approx(phi[1], abs=5e-5)
    x = pybamm.SpatialVariable("x_p", "positive electrode")
    mean = pybamm.Integral(cell(ss.SolidStateDFN, "plain")[0].variables[names[1]], x)
    ours, theirs = (s.observe(mean)(t=place["t"]) for s in (solution, found.solution))
    assert ours == pytest.approx(theirs, abs=5e-5)


def test_a_state_that_the_record_has_not_is_an_error(found):
    bad = Segment(found.record._replace(modes=found.record.modes[..., :5]))
    solution = found.solutions.of(bad, found.step, None, found.inputs, found.passed)
    with pytest.raises(ValueError, match="Positive particle stoichiometry"):
        solution.t  # noqa: B018


# -------------------------------------------------------------------- quartics
def test_quartics_are_exact_for_quartics():
    ends = np.array([0.0, 1.0, 1.5, 4.0])
    t = np.concatenate([ends[:-1, None] + np.diff(ends)[:, None] * [0, 0.25, 0.5, 0.75]]).ravel()
    t = np.append(t, 4.0)
    polynomial = np.polynomial.Polynomial([1, -2, 0.5, 0.3, -0.1])
    times = np.union1d(t, [0.1, 1.2, 3.9])
    quartics = Quartics(t, times)
    both = np.stack([polynomial(t), 2 * polynomial(t)], axis=1)
    assert quartics.values(both)[:, 1] == pytest.approx(2 * polynomial(times), abs=1e-12)
    assert quartics.rates(both)[:, 0] == pytest.approx(polynomial.deriv()(times), abs=1e-12)
    areas = polynomial.integ()(times) - polynomial.integ()(0)
    assert quartics.integrals(polynomial(t)) == pytest.approx(areas, abs=1e-12)


# -------------------------------------------------------------------- of the solver itself
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["hysteresis", "little alloy"])
def test_it_says_what_the_segment_says(model, name):
    """Voltage within 0.05 mV at any time, and the counters go on from step to step."""
    model, values, inputs, _, _ = cell(model, name)
    stepper = Structured(model, values, ss.StructuredSolver(), VAR_PTS)
    state, passed = stepper.start(inputs), [0.0, 0.0]
    for step in (DISCHARGE, STEPS["charge"], STEPS["profile"], STEPS["hold"]):
        outcome, state = stepper.step(state, step, inputs)
        segment = outcome.segment
        solution = segment.solution
        passed = [passed[0] + segment.charge, passed[1] + segment.energy]
        t = np.union1d(np.linspace(0, solution.t[-1], 500), solution.t[-1] * np.geomspace(1e-8, 1))
        t = t[t <= solution.t[-1]]
        close(solution["Voltage [V]"](t=t), segment.voltage(t), rtol=0, atol=5e-5)
        close(solution["Current [A]"](t=t), segment.current(t), rtol=0, atol=1e-5 * ONE_C)
        counters = [
            solution[f"Discharge {of}"].entries[-1] for of in ("capacity [A.h]", "energy [W.h]")
        ]
        close(counters, passed, rtol=0, atol=1e-6 * ONE_C)
        assert np.abs(solution["Voltage breakdown residual [V]"].entries).max() < 1e-9
