"""The compiled integrator: ends that are there, states that stay in range, the same again."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.kernel import cell as kinds
from ssnib_model.solvers.kernel import ends, one_step, replay, start
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.structured import Structured
from ssnib_model.solvers.structured_segment import task_of
from ssnib_model.steps import TIE, Control, End, Measure, Profile, Status, Step

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
OCP = "Positive electrode OCP [V]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ONE_C, LONG = 0.472e-3, 1e5
#: Three size classes and hysteresis, on a small mesh.
DETAILS = (
    {"Positive particle radius spread": 0.5, "Positive electrode hysteresis [V]": 0.02},
    {"size classes": 3, "open-circuit potential": "one-state hysteresis"},
)
#: A potential that falls nearly vertically at its ends, and by 0.1 V within 1e-6 in the middle.
STEEP = np.array([
    [0, 1e-4, 0.2, 0.5, 0.500001, 0.8, 1 - 1e-4, 1],
    [4.6, 3.52, 3.47, 3.45, 3.35, 3.33, 3.3, 1.8],
])  # fmt: skip


def inputs(state_of_charge):
    return {INITIAL: state_of_charge, CURRENT: 0.0, LOWER: 2.5, UPPER: 4.0}


def stepper(model, changes=None, options=None, rtol=1e-5, points=5):
    parameters = ss.ParameterSet("Hu2024").replace(changes or {}, options or {})
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    mesh = {"x_p": points, "r_p": 6} if model is ss.SolidStateDFN else {"r_p": 6}
    solver = ss.StructuredSolver(rtol, rtol / 100)
    return Structured(model(parameters.model_options), values, solver, mesh)


def steep(sto):
    return pybamm.Interpolant(*STEEP, sto)


def beginning(model, step, state_of_charge=0.5, **settings):
    """What the kernel has at the start of a step."""
    made, given = stepper(model, **settings), inputs(state_of_charge)
    cell, scales = made.coefficients.cell(given)
    at = made.start(given)
    state = kinds.State(at.modes, at.hysteresis, np.array([at.sodium / scales.alloy_range]))
    now, room = one_step.rooms(state, cell.points, cell.surface.size)
    task = task_of(step, scales.area)
    task = task._replace(limits=task.limits.copy())  # the other one is kept for the next
    return cell, task, state, now, room, one_step.begin(cell, task, state, now)


# -------------------------------------------------------------------- ends
@pytest.mark.parametrize("rtol", [1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("model", MODELS)
def test_a_step_stops_where_its_end_is(model, rtol):
    """By the potentials that belong to the state there; the same step is over from there."""
    changes, options = DETAILS
    cell = stepper(model, changes | {OCP: steep}, options, rtol)
    given, allowed = inputs(0.3), min(TIE, 10 * rtol)
    state = cell.start(given)
    for step in (
        Step(Control.CURRENT, -ONE_C, LONG, (End(Measure.VOLTAGE, 3.9, True),)),
        Step(Control.VOLTAGE, 3.9, LONG, (End(Measure.CURRENT_SIZE, ONE_C / 20, False),)),
        Step(Control.POWER, 3 * ONE_C, LONG, (End(Measure.VOLTAGE, 3.2, False),)),
        Step(Control.CURRENT, ONE_C / 5, LONG, (End(Measure.VOLTAGE, 2.4, False),)),
        Step(Control.RESISTANCE, 1e5, LONG, (End(Measure.VOLTAGE, 2.2, False),)),
    ):
        outcome, state = cell.step(state, step, given)
        assert (outcome.status, outcome.end) == (Status.OK, step.ends[0])
        (end,) = step.ends
        once_more, _ = cell.step(state, step, given)
        assert (once_more.status, once_more.end) == (Status.AT_START, end)
        on, _ = cell.step(state, Step(step.control, step.value, 1e-3), given)
        if end.measure is Measure.VOLTAGE:
            assert float(on.segment.voltage(0.0)) == pytest.approx(end.value, abs=allowed)
        else:
            assert abs(float(on.segment.current(0.0))) == pytest.approx(end.value, rel=allowed)


@pytest.mark.parametrize("model", MODELS)
def test_an_end_that_only_the_polynomial_sees_is_refused(model):
    """As where what is between the ends of a step overshoots; a true end is found."""
    changes, options = DETAILS
    step = Step(Control.CURRENT, ONE_C, LONG, (End(Measure.VOLTAGE, 2.5, False),))
    cell, task, state, now, room, i = beginning(model, step, changes=changes, options=options)
    h, alloy = 2.0, state.alloy[0]
    one_step.take(cell, task, 0.0, False, state, now, i, h, room)
    room.samples[0] = one_step.cathode(cell, i, now.J, now.sto, now.delta)
    room.currents[0] = i
    assert ends.first_end(cell, task, room, alloy, h, alloy)[0] == -1
    true = room.samples.copy()

    def arrives(shift):
        """Length of the step to the end that its samples, off by ``shift`` [V], promise."""
        room.samples[:] = true + shift
        which, part = ends.first_end(cell, task, room, alloy, h, alloy)
        assert which == 0
        assert 0 < part < 1
        return ends.to_end(
            cell, task, 0.0, False, state, now, 0.0, i, h, part, room, which, alloy, 1e-5
        )

    assert arrives(np.array([0, 0, -1.0, 0, 0])) == 0
    # now there is one, at half of the step, and the samples are a millivolt off
    task.limits[0] = true[2] + ends.behind(cell, i, alloy + cell.alloy_rate * i * h / 2)
    assert arrives(np.array([0, 0, -1e-3, 0, 0])) == pytest.approx(h / 2, rel=1e-3)


def test_an_end_whose_reaction_does_not_go_with_the_state_is_refused():
    """A step may carry a potential that is not that of its states: then no end is there."""
    changes, options = DETAILS
    step = Step(Control.CURRENT, ONE_C, LONG, (End(Measure.VOLTAGE, 3.1, False),))
    cell, task, state, now, room, i = beginning(
        ss.SolidStateDFN, step, changes=changes, options=options
    )
    one_step.take(cell, task, 0.0, False, state, now, i, 2.0, room)
    place = room.work.scalars[1]
    task.limits[0] = room.samples[-1] + ends.behind(cell, i, place)

    def is_there():
        return ends._is_there(cell, task, False, state, now, room, 0, state.alloy[0], 1e-5)

    assert is_there()
    # as if by a method that missed the differences: the voltage seems to be that of the end
    task.limits[0] += 1e-3
    room.samples[-1] += 1e-3
    room.work.difference[:] += 1e-3
    assert not is_there()


# -------------------------------------------------------------------- range of compositions
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_surface_that_is_out_of_range_within_a_step_only_is_not_ok(model, sign):
    """It would be back in range at the end of the profile, and no potential says a word."""
    cell = stepper(model, {OCP: lambda sto: 3.4 + 0 * sto}, rtol=1e-2)
    given, peak = inputs(0.5), 0.1 * sign
    state = cell.start(given)
    # up and down by some part of what the cathode holds
    for part, expected in ((0.4, Status.OK), (0.6, Status.FAILED)):
        seconds = 3600.0 * part / abs(peak)
        swing = Profile((0.0, seconds), (peak * 4 * ONE_C, -peak * 4 * ONE_C))
        outcome, _ = cell.step(state, Step(Control.CURRENT, swing, seconds), given)
        print(outcome.status, outcome.reason, outcome.segment and len(outcome.segment.times))
        assert outcome.status is expected
    assert "left the range of compositions" in outcome.reason
    assert not outcome.gave_up


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_range_of_a_step_is_that_within_it(model, sign):
    """One step of the integrator over a whole swing, which starts and ends in range."""
    for peak, expected in ((0.1, True), (2.4, False)):
        current = sign * ONE_C * peak
        step = Step(Control.CURRENT, Profile((0.0, 1e3), (current, -current)), 1e3)
        cell, task, state, now, room, i = beginning(
            model, step, 0.5 - 0.42 * sign, changes={J0: 1e3, OCP: lambda sto: 3.4 - 0.1 * sto}
        )
        slope = -2 * task.currents[0] / 1e3
        closed = one_step.is_exact(cell, task, slope)
        one_step.take(cell, task, slope, closed, state, now, i, 1e3, room)
        assert 0 < now.sto.min() <= now.sto.max() < 1
        assert 0 < room.work.sto.min() <= room.work.sto.max() < 1
        assert one_step.within_range(closed, now, room, 1e-4) == expected


@pytest.mark.parametrize("model", MODELS)
def test_a_state_out_of_range_cannot_be_gone_on_from(model):
    cell, given = stepper(model), inputs(0.5)
    state = cell.start(given)
    for shift, expected in ((0.0, Status.OK), (0.6, Status.FAILED), (-0.6, Status.FAILED)):
        uniform = cell.coefficients._modes.uniform
        moved = state._replace(modes=state.modes + shift * uniform)
        outcome, _ = cell.step(moved, Step(Control.CURRENT, 0.0, 1.0), given)
        assert outcome.status is expected


# -------------------------------------------------------------------- potentials of a state
@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_potentials_anew_are_those_from_nothing(model, details, control):
    """One iteration for all unknowns, from some that are off, against the nested ones."""
    changes, options = DETAILS if details else ({}, {})
    values = dict(zip(Control, (ONE_C, 3.2, 3 * ONE_C, 3.2 / ONE_C), strict=True))
    cell, task, state, now, _, i = beginning(
        model, Step(control, values[control], 10.0), changes=changes, options=options
    )
    assert np.isfinite(i)
    rng = np.random.default_rng(1)
    for off in (0.0, 1e-3, 1.0):
        J = now.J * (1 + off * rng.uniform(-0.5, 0.5, now.J.size))
        delta = now.delta + 0.05 * off * rng.uniform(-1, 1, now.delta.size)
        guess = i if control is Control.CURRENT else i * (1 + 0.3 * off)
        found = start._near(cell, task, state, guess, J, now.sto, delta)
        assert found == pytest.approx(i, rel=1e-8)
        np.testing.assert_allclose(J, now.J, rtol=1e-7, atol=1e-9 * abs(i))
        np.testing.assert_allclose(delta, now.delta, atol=1e-9)


def test_of_two_currents_of_a_power_the_smaller_is_kept():
    """Newton's method from beyond the largest power would find the other one."""
    step = Step(Control.POWER, 3 * ONE_C, 10.0)
    cell, task, state, now, _, i = beginning(ss.SolidStateSPM, step)
    J, delta = now.J * 40, now.delta.copy()
    delta[0] += 0.5
    assert start.anew(cell, task, state, 40 * i, J, now.sto, delta) == pytest.approx(i, rel=1e-8)


# -------------------------------------------------------------------- once more
@pytest.mark.parametrize(
    "step",
    [
        Step(Control.CURRENT, ONE_C, 1800.0, (End(Measure.VOLTAGE, 2.5, False),)),
        Step(Control.VOLTAGE, 3.2, 1800.0),
    ],
    ids=["current", "hold"],
)
@pytest.mark.parametrize("details", [False, True])
def test_a_replay_is_the_same_where_a_step_was_started_again(details, step):
    """Over jumps of the potential, where reactions are worked out anew in between."""
    changes, options = DETAILS if details else ({}, {})
    cell = stepper(ss.SolidStateDFN, changes | {OCP: steep}, options, rtol=1e-4)
    given = inputs(0.55)
    outcome, after = cell.step(cell.start(given), step, given)
    segment = outcome.segment
    assert segment.renewed.size > 0
    record = segment.record()
    shape = after.modes.shape
    np.testing.assert_allclose(record.modes[-1].reshape(shape), after.modes, atol=1e-12)
    np.testing.assert_allclose(record.hysteresis[-1].ravel(), after.hysteresis, atol=1e-12)
    whole = 4 * np.arange(len(segment.times))
    np.testing.assert_allclose(
        record.current[whole], segment.current(segment.times), rtol=1e-9, atol=1e-9 * ONE_C
    )


def test_an_interrupt_in_what_is_worked_out_later_is_one(monkeypatch):
    """numba makes a `SystemError` of Ctrl-C in what a compiled function returns."""
    cell, given = stepper(ss.SolidStateSPM), inputs(0.5)
    step = Step(Control.VOLTAGE, 3.3, 60.0)
    outcome, _ = cell.step(cell.start(given), step, given)

    def interrupted(*_):
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    monkeypatch.setattr(replay, "replay", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outcome.segment.solution["Voltage [V]"]
    monkeypatch.undo()
    assert outcome.segment.solution["Voltage [V]"].entries == pytest.approx(3.3, abs=1e-5)


# -------------------------------------------------------------------- order of the method
@pytest.mark.parametrize("control", [Control.CURRENT, Control.VOLTAGE, Control.POWER])
@pytest.mark.parametrize("model", MODELS)
def test_order_of_a_step(model, control):
    """States after 400 s by steps of one length: order 4 in it, of every state."""
    changes, options = DETAILS
    value = {Control.CURRENT: ONE_C / 2, Control.VOLTAGE: 3.3, Control.POWER: 1e-3}[control]
    step = Step(control, value, 1e4)
    found = []
    for count in (8, 16, 32, 128):
        cell, task, state, now, room, i = beginning(
            model, step, changes=changes, options=options, points=4
        )
        # past the first seconds, in which the states go with the square root of time
        for h in (*np.diff(np.linspace(0, 20**0.25, 400) ** 4), *np.full(count, 400 / count)):
            one_step.take(cell, task, 0.0, False, state, now, i, h, room)
            i = one_step.go_on(cell, False, state, now, h, room)
        i = one_step.again(cell, task, state, now, i)
        found.append(
            np.concatenate(
                [now.sto, state.hysteresis, state.alloy, now.delta, [i / cell.scale / 100]]
            )
        )
    errors = np.abs(np.array(found[:-1]) - found[-1]).max(axis=1)
    orders = np.log2(errors[:-1] / errors[1:])
    print(f"{model.__name__} {control}: errors {errors}, orders {orders}")
    assert orders.min() > 3.5
