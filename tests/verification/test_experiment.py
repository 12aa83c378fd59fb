"""Our steps by IDAKLU against ``pybamm.Experiment`` on the same model, mesh and tolerance."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.steps import Control, End, Measure, Profile, Status, Step

PARAMETERS = ss.ParameterSet("Hu2024")
Q = PARAMETERS["Nominal cell capacity [A.h]"]
INPUTS = {INITIAL: 0.3, CURRENT: 0.0}
MODELS = {"dfn": ss.SolidStateDFN, "spm": ss.SolidStateSPM}
TOLERANCE = 1e-8
DAY = 86400.0

BELOW, ABOVE = End(Measure.VOLTAGE, 2.8, rising=False), End(Measure.VOLTAGE, 3.7, rising=True)
TO_C_50 = End(Measure.CURRENT_SIZE, Q / 50, rising=False)


def ours(model, steps, inputs=INPUTS):
    values = PARAMETERS.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    cell = Idaklu(model, values, half_cycle_solver(TOLERANCE, TOLERANCE), controls=True)
    state, found = cell.start(inputs), []
    for step in steps:
        outcome, state = cell.step(state, step, inputs)
        assert outcome.status is Status.OK, outcome.reason
        found.append(outcome)
    return found


def theirs(model, steps):
    """The steps of an experiment, each as a solution."""
    values = PARAMETERS.to_pybamm()
    values[INITIAL] = INPUTS[INITIAL]
    # far away, as ours are where a step does not name them
    values.update({LOWER: 1.0, UPPER: 5.0})
    simulation = pybamm.Simulation(
        model,
        parameter_values=values,
        experiment=pybamm.Experiment([tuple(steps)]),
        solver=half_cycle_solver(TOLERANCE, TOLERANCE),
    )
    (cycle,) = simulation.solve(calc_esoh=False).cycles
    return cycle.steps


def timed(control, value, duration, *ends):
    return Step(control, value, duration, ends)


def until(control, value, *ends):
    return Step(control, value, 10 * DAY, ends, open_ended=True)


DRIVE = (0.0, 0.5, 1.0, -0.7, 0.0, 0.0, 1.5, -1.0, 0.2)
PULSE, WAIT = timed(Control.CURRENT, Q / 5, 300.0), timed(Control.CURRENT, 0.0, 3600.0)

CASES = {
    "CC-CV, rest, discharge": (
        [
            until(Control.CURRENT, -Q / 3, ABOVE),
            until(Control.VOLTAGE, 3.7, TO_C_50),
            timed(Control.CURRENT, 0.0, 7200.0),
            until(Control.CURRENT, Q / 2, BELOW),
        ],
        [
            pybamm.step.c_rate(-1 / 3, termination="3.7 V"),
            pybamm.step.voltage(3.7, termination="C/50"),
            pybamm.step.rest(7200),
            pybamm.step.c_rate(1 / 2, termination="2.8 V"),
        ],
    ),
    "power and resistance": (
        [
            until(Control.POWER, -0.3 * 3.3 * Q, ABOVE),
            timed(Control.POWER, 0.5 * 3.3 * Q, 1800.0),
            until(Control.RESISTANCE, 3.3 / (0.4 * Q), BELOW),
            timed(Control.POWER, 0.0, 600.0),
        ],
        [
            pybamm.step.power(-0.3 * 3.3 * Q, termination="3.7 V"),
            pybamm.step.power(0.5 * 3.3 * Q, duration=1800),
            pybamm.step.resistance(3.3 / (0.4 * Q), termination="2.8 V"),
            pybamm.step.power(0, duration=600),
        ],
    ),
    "drive cycle": (
        [
            timed(
                Control.CURRENT,
                Profile(tuple(60.0 * n for n in range(len(DRIVE))), tuple(Q * c for c in DRIVE)),
                60.0 * (len(DRIVE) - 1),
            ),
            timed(Control.CURRENT, 0.0, 20 * 3600.0),
        ],
        [
            pybamm.step.current(
                np.column_stack((60.0 * np.arange(len(DRIVE)), Q * np.array(DRIVE))),
                duration=60.0 * (len(DRIVE) - 1),
            ),
            pybamm.step.rest(20 * 3600),
        ],
    ),
    "pulses and waits": (
        [PULSE, WAIT] * 4,
        [pybamm.step.current(Q / 5, duration=300), pybamm.step.rest(3600)] * 4,
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", MODELS)
def test_our_steps_are_those_of_an_experiment(model, case):
    """Voltages within 0.3 mV, times and capacities 1e-5."""
    our_steps, their_steps = CASES[case]
    mine, reference = ours(MODELS[model](), our_steps), theirs(MODELS[model](), their_steps)
    assert len(mine) == len(reference)
    for outcome, solution in zip(mine, reference, strict=True):
        segment, start = outcome.segment, solution.t[0]
        assert segment.duration == pytest.approx(solution.t[-1] - start, rel=1e-5)
        charge = np.ptp(solution["Discharge capacity [A.h]"].entries[[0, -1]])
        assert abs(segment.charge) == pytest.approx(charge, rel=1e-5, abs=1e-7 * Q)
        energy = np.diff(solution["Discharge energy [W.h]"].entries[[0, -1]])[0]
        assert segment.energy == pytest.approx(energy, rel=1e-5, abs=1e-7 * Q)
        shared = min(segment.duration, solution.t[-1] - start)
        t = np.linspace(0, 1, 101) ** 2 * shared
        for name, at, limit in (
            ("Voltage [V]", segment.voltage, 3e-4),
            ("Current [A]", segment.current, 1e-4 * Q),
        ):
            # at the jump itself the experiment keeps the potentials of the step before
            gap = at(t[1:]) - solution[name](t=start + t[1:])
            assert np.abs(gap).max() < limit, name


@pytest.mark.parametrize("voltage", [3.2, 3.45])
@pytest.mark.parametrize("model", MODELS)
def test_a_hold_converges_to_the_equilibrium(model, voltage):
    """No current, the composition whose open-circuit voltage is held, the same everywhere."""
    hold = timed(Control.VOLTAGE, voltage, 30 * DAY)
    rest = timed(Control.CURRENT, 0.0, DAY)
    held, rested = (outcome.segment for outcome in ours(MODELS[model](), [hold, rest]))
    last = {
        name: held.solution[name].entries[..., -1]
        for name in (
            "Open-circuit voltage [V]",
            "Positive electrode stoichiometry",
            "Positive particle stoichiometry",
        )
    }
    assert abs(held.current(held.duration)) < 1e-6 * Q
    assert last["Open-circuit voltage [V]"] == pytest.approx(voltage, abs=1e-6)
    mean = float(last["Positive electrode stoichiometry"])
    assert np.abs(last["Positive particle stoichiometry"] - mean).max() < 1e-6
    assert rested.voltage(np.linspace(0, DAY, 5)) == pytest.approx(voltage, abs=1e-6)
    # which composition that is does not depend on the way to it
    way = [
        timed(Control.CURRENT, Q / 2 * (1 if voltage > 3.3 else -1), 600.0),
        timed(Control.POWER, Q / 3, 600.0),
        hold,
    ]
    *_, other = ours(MODELS[model](), way)
    there = other.segment.solution["Positive electrode stoichiometry"].entries[-1]
    assert there == pytest.approx(mean, abs=1e-6)
