"""What the structured solver refused or gave up, and IDAKLU solved."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.numbers import Numbers

OCP = "Positive electrode OCP [V]"
TIGHT = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)


def _measured(end):
    """Forty points with a noise of 1 mV that falls throughout, and nearly vertical ends."""
    rng = np.random.default_rng(3)
    x = np.sort(np.concatenate([[0, end, 1 - end, 1], rng.uniform(0.02, 0.98, 36)]))
    y = 3.43 - 0.06 * x + 0.006 * np.sin(9 * x) + 1e-3 * rng.normal(size=x.size)
    return x, np.concatenate([[4.6], np.sort(y)[-2:0:-1], [1.8]])


def _with(parameters, points, interpolator="linear"):
    return parameters.replace(
        {OCP: lambda sto: pybamm.Interpolant(*points, sto, interpolator=interpolator)}
    )


def _check_agreement(parameters, model):
    test = ss.RateTest([1])
    ours, theirs = (
        test.run(model(parameters.model_options), parameters, solver=solver).half_cycles
        for solver in (ss.StructuredSolver(1e-6, 1e-8), TIGHT)
    )
    for a, b in zip(ours, theirs, strict=True):
        assert (a.status, b.status) == ("ok", "ok")
        assert a.capacity == pytest.approx(b.capacity, rel=1e-6)
        V = [h.at("Voltage [V]", np.linspace(0, 1, 101)) for h in (a, b)]
        error = np.abs(V[0] - V[1])
        # more where a step goes over several kinks: its voltage is a polynomial
        assert np.quantile(error, 0.9) < 1e-5
        assert error.max() < 3e-4


@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
@pytest.mark.parametrize("interpolator", ["linear", "pchip"])
def test_finding_61_a_measured_potential_with_vertical_ends(interpolator, model, hu2024):
    _check_agreement(_with(hu2024, _measured(1e-3), interpolator), model)


@pytest.mark.parametrize(
    "change",
    [
        {"Negative electrode OCP empty width": 1e-4},
        {"Positive electrode OCP charged end width": 1e-4},
    ],
)
def test_finding_61_narrow_ends(change, hu2024):
    (name,) = change
    amplitude = name.replace("charged end", "end").replace("width", "amplitude [V]")
    _check_agreement(hu2024.replace({**change, amplitude: 100.0}), ss.SolidStateSPM)


#: 0.15 V within 1e-6 and 0.2 V within 1e-7 of the stoichiometry.
JUMPS = [0, 0.3, 0.300001, 0.6, 0.6000001, 1], [4.2, 3.6, 3.45, 3.4, 3.2, 2.2]


def test_finding_61_jumps_in_the_middle(hu2024):
    """A step over a jump leaves a reaction that no shorter step could put right."""
    parameters = _with(hu2024, np.array(JUMPS))
    _check_agreement(parameters, ss.SolidStateDFN)
    for rtol in (1e-3, 1e-4, 1e-5):
        assert (
            ss.RateTest([0.2, 1])
            .run(parameters=parameters, solver=ss.StructuredSolver(rtol, rtol / 100))
            .ok
        )


@pytest.mark.parametrize(
    ("model", "ends"),
    [(ss.SolidStateDFN, (1e-6, 1e-9)), (ss.SolidStateSPM, (1e-6, 1e-9, 1e-12))],
)
def test_finding_61_points_as_near_as_they_may_be(model, ends, hu2024):
    """Ends that rise within 1e-9, which IDAKLU gives up on, are what ends within 1e-6 are."""
    capacities = []
    for end in ends:
        result = ss.RateTest([0.2, 1]).run(
            model(), parameters=_with(hu2024, _measured(end)), solver=ss.StructuredSolver()
        )
        assert result.ok
        assert not any(h.recovery for h in result.half_cycles)
        capacities.append([h.capacity for h in result.half_cycles])
    np.testing.assert_allclose(capacities[1:], [capacities[0]] * (len(ends) - 1), rtol=1e-5)


def test_finding_61_a_potential_without_a_value_is_refused(hu2024):
    """By the name of the potential and the place."""
    beyond = hu2024.replace({OCP: lambda sto: 3.4 - pybamm.exp(1e4 * (sto - 0.9))})
    result = ss.RateTest([1]).run(parameters=beyond, solver=ss.StructuredSolver())
    expected = r"equilibrium potential of the positive electrode is \S+ at stoichiometry 0\.9"
    assert re.search(expected, result.half_cycles[0].reason)


@pytest.mark.parametrize("rtol", [1e-7, 3e-7])
def test_a_resistance_at_a_steep_end_does_not_give_up(rtol, hu2024):
    """What the reaction was off by, of a state there, no shorter step could put right."""
    protocol = ss.Protocol(
        ["Discharge at 1000000 Ohm for 2000 hours or until 2.5 V"], initial_state_of_charge=0.05
    )
    model, solver = ss.SolidStateSPM(hu2024.model_options), ss.StructuredSolver(rtol, rtol / 100)
    (step,) = protocol.run(model, hu2024, solver=solver, var_pts={"r_p": 8}).steps
    assert (step.outcome.status, step.outcome.recovery) == ("ok", "")


def test_charge_of_a_step_is_what_the_states_have_moved(hu2024):
    """Whatever the tolerance, and whether the current is imposed or follows."""
    protocol = ss.Protocol(
        [
            "Hold at 3.5 V for 1 hour",
            "Discharge at 0.5 mW for 10 minutes",
            "Discharge at 3000 Ohm for 10 minutes",
            "Rest for 1 minute",
        ],
        initial_state_of_charge=0.5,
    )
    model = ss.SolidStateDFN(hu2024.model_options)
    for rtol in (1e-3, 1e-5):
        run = protocol.run(model, hu2024, solver=ss.StructuredSolver(rtol, rtol / 100))
        moved = sum(step.segment.charge for step in run.steps)
        content = run.final_state.values["Negative electrode sodium content"].item()
        rest = ss.Protocol(["Rest for 1 second"], initial_state_of_charge=0.5)
        before = rest.run(model, hu2024).final_state.values["Negative electrode sodium content"]
        tin = hu2024["Negative electrode tin amount [mol]"]
        sodium = (before.item() - content) * tin * 96485.33212 / 3600
        assert moved == pytest.approx(sodium, rel=1e-9)


def test_threads_that_call_one_solver_get_their_own_numbers():
    """They got those of others, or the process crashed: all wrote into one array."""
    numbers = Numbers({"a": pybamm.Parameter("a")}, pybamm.ParameterValues({"a": "[input]"}))
    evaluate = numbers._evaluate

    def slowly():
        evaluate()
        time.sleep(0.01)  # in which another thread has its turn

    numbers._evaluate = slowly
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda value: numbers({"a": value})["a"], range(8)))
    assert found == list(range(8))
