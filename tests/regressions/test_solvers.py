"""What the structured solver refused or gave up, and IDAKLU solved."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.numbers import Numbers
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import STOICHIOMETRY_MARGIN, TIE, Status, Step

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


# -------------------------------------------------------------------- both solvers alike
def _steppers(parameters, model, rtol):
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    mesh = {"x_p": 6, "r_p": 8} if model is ss.SolidStateDFN else {"r_p": 8}
    model = model(parameters.model_options)
    yield Structured(model, values, ss.StructuredSolver(rtol, rtol / 100), mesh)
    yield Idaklu(model, values, half_cycle_solver(rtol, rtol), mesh)


@pytest.mark.parametrize("rtol", [1e-5, 1e-8])
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_finding_58_a_state_at_a_cut_off_is_the_same_to_both(model, rtol, hu2024):
    """Within 0.1 mV it has reached it, by whichever solver it came there and is gone on from."""
    one_c = hu2024["Nominal cell capacity [A.h]"]
    inputs = {INITIAL: 0.5, CURRENT: 0.0, LOWER: 2.5, UPPER: 4.0}
    for sign, cut_off in ((-1, 3.8), (1, 2.9)):
        current = sign * one_c
        handed = []
        for stepper in _steppers(hu2024, model, rtol):
            step = Step.to_cut_off(current, cut_off, 1e5)
            outcome, state = stepper.step(stepper.start(inputs), step, inputs)
            assert outcome.status is Status.OK
            handed.append(stepper.cell_state(state))
        for cell_state in handed:
            for stepper in _steppers(hu2024, model, rtol):
                start = stepper.start(inputs, cell_state)
                # volts that are left to the cut-off
                for left in (-1e-2, -1.5e-4, 0.0, 5e-5, 2e-4, 1e-2):
                    step = Step.to_cut_off(current, cut_off - sign * left, 1e5)
                    outcome, _ = stepper.step(start, step, inputs)
                    expected = Status.OK if left > TIE else Status.AT_START
                    assert outcome.status is expected, f"{stepper}, {left} V"
                    assert outcome.end == step.ends[0]


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_finding_59_at_default_tolerance_within_a_millivolt(model, hu2024):
    """Cells far from each other, with what they are called and how much they hold."""
    ranges = {
        "Na3PS4 layer conductivity [S.m-1]": (1e-4, 10, "log"),
        "Positive electrode electrolyte conductivity [S.m-1]": (1e-4, 10, "log"),
        "Positive electrode effective electronic conductivity [S.m-1]": (1e-3, 100, "log"),
        "Positive electrode exchange-current density [A.m-2]": (1e-4, 10, "log"),
        "Positive particle diffusivity [m2.s-1]": (1e-18, 1e-13, "log"),
        "Positive electrode film resistance [Ohm.m2]": (1e-4, 0.1, "log"),
        "Positive electrode OCP charged end width": (2e-4, 0.05, "log"),
        "Positive electrode accessible fraction": (0.2, 1),
        "Ambient temperature [K]": (260, 350),
    }
    test, mesh = ss.RateTest([0.1, 1]), {"x_p": 6, "r_p": 8}
    if model is ss.SolidStateSPM:
        del mesh["x_p"]
    model = model(hu2024.model_options)
    ours, theirs = (
        test.prepare(model, hu2024, varying=list(ranges), solver=solver, var_pts=mesh)
        for solver in (ss.StructuredSolver(), TIGHT)
    )
    compared = 0
    for point in ss.sample(ranges, 24, seed=59).to_dict("records"):
        parameters = hu2024.replace(point)
        halves = (p.result(parameters).half_cycles for p in (ours, theirs))
        for a, b in zip(*halves, strict=True):
            if b.recovery or "gave up" in b.reason:
                break
            assert a.status == b.status, point
            if b.status is not Status.OK:
                break
            assert a.capacity == pytest.approx(b.capacity, rel=1e-3), point
            f = np.linspace(0, 1, 51)
            off = np.abs(a.at("Voltage [V]", f) - b.at("Voltage [V]", f)).max()
            # where a sliver of charge passes, a part of it is hardly any charge
            if b.capacity > 1e-2 * hu2024["Nominal cell capacity [A.h]"]:
                assert off < 1e-3, point
                compared += 1
    print(f"{compared} half-cycles")
    assert compared > 20


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("solver", [ss.StructuredSolver(), TIGHT], ids=["structured", "idaklu"])
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_finding_60_no_composition_out_of_range_is_ok(model, solver, hu2024):
    """With small amplitudes of the ends of the potential no cut-off is reached before."""
    statuses = {}
    for amplitude in (5.0, 0.22, 0.1):
        parameters = hu2024.replace({"Positive electrode OCP end amplitude [V]": amplitude})
        result = ss.RateTest([0.1]).run(model(), parameters, solver=solver)
        statuses[amplitude] = [str(h.status) for h in result.half_cycles]
        for half_cycle in result.half_cycles:
            if half_cycle.status is Status.FAILED:
                assert re.search("surface|particle|before it failed", half_cycle.reason)
                continue
            sto = half_cycle.segment.solution["Positive particle surface stoichiometry"].entries
            assert sto.min() >= -1.01 * STOICHIOMETRY_MARGIN
            assert sto.max() <= 1 + 1.01 * STOICHIOMETRY_MARGIN
    print(statuses)
    assert statuses[5.0] == ["ok", "ok"]
    assert statuses[0.1][-1] == "failed"
