"""Both solvers by the interface that they share: state in, state out."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.cell.options import OPTIONS
from ssnib_model.solvers.idaklu import Idaklu
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.structured import ACCEPTED, Structured
from ssnib_model.steps import Status, Step

CHARGE = Step.to_cut_off(-4.72e-4, 4.0, 1e5)
DISCHARGE = Step.to_cut_off(4.72e-4, 2.5, 1e5)
INPUTS = {INITIAL: 0.01, CURRENT: 0.0}


def stepper(kind, model):
    values = ss.ParameterSet("Hu2024").to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    if kind == "structured":
        return Structured(model, values, ss.StructuredSolver(1e-6, 1e-8))
    return Idaklu(model, values)


@pytest.mark.parametrize("kind", ["idaklu", "structured"])
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_a_state_is_not_changed_by_a_step(kind, model):
    """The same state twice gives the same step twice, whatever was done in between."""
    cell = stepper(kind, model())
    start = cell.start(INPUTS)
    first, charged = cell.step(start, CHARGE, INPUTS)
    discharge, _ = cell.step(charged, DISCHARGE, INPUTS)
    again, _ = cell.step(start, CHARGE, INPUTS)
    once_more, _ = cell.step(charged, DISCHARGE, INPUTS)
    assert first.status is discharge.status is Status.OK
    for a, b in ((first, again), (discharge, once_more)):
        assert a.segment.duration == b.segment.duration


@pytest.mark.parametrize("kind", ["idaklu", "structured"])
def test_a_step_that_cannot_start_hands_its_state_back(kind):
    cell = stepper(kind, ss.SolidStateSPM())
    start = cell.start(INPUTS)
    outcome, state = cell.step(start, Step.to_cut_off(0.5, 2.5, 1e5), INPUTS)
    assert outcome.status is Status.AT_START
    assert outcome.segment is None
    assert state is start


def test_the_state_is_a_copy_not_a_view_of_the_solution():
    cell = stepper("idaklu", ss.SolidStateSPM())
    outcome, state = cell.step(cell.start(INPUTS), CHARGE, INPUTS)
    assert state.all_ys[0].base is None
    assert np.array_equal(state.all_ys[0][:, 0], outcome.segment.solution.all_ys[-1][:, -1])


def test_every_option_is_in_the_list_of_the_structured_solver():
    assert set(ACCEPTED) == set(OPTIONS)


OTHERS = {"electrolyte layers": ("Na3PS4",), "size classes": 3, "positive electrode": "alloy"}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_every_value_of_every_option_is_solved_or_refused(option, model):
    """What is accepted gives what IDAKLU gives; everything else is refused by its name."""
    values = OPTIONS[option][1:] or (OTHERS[option],)
    for value in values:
        try:
            made = model({option: value})
        except ss.OptionError:
            continue  # the model itself has no such option
        accepted = ACCEPTED[option] is None or value in ACCEPTED[option]
        if not accepted:
            with pytest.raises(ss.OptionError, match=option):
                Structured(made, ss.ParameterSet("Hu2024").to_pybamm(), ss.StructuredSolver())
            continue
        parameters = with_option(option, value)
        runs = [
            ss.RateTest([1]).run(made, parameters, solver=solver)
            for solver in ("idaklu", ss.StructuredSolver(1e-6, 1e-8))
        ]
        capacities = [[h.capacity for h in run.half_cycles] for run in runs]
        assert capacities[1] == pytest.approx(capacities[0], rel=1e-4)


def with_option(option, value):
    """The cell of Hu2024 with this option and what the option needs."""
    needs = {
        "sodium metal": {"Negative electrode sodium thickness [m]": 1e-4},
        "tortuosity": {"Positive electrode tortuosity factor": 5.0},
        "percolation": {
            "Positive electrode percolation threshold": 0.1,
            "Positive electrode percolation exponent": 2.0,
        },
        # with the default this composite, of 0.24 carbon, is at its threshold
        "carbon percolation": {
            "Positive electrode percolation threshold per carbon fraction": 0.2,
        },
    }
    changes = needs.get(value, {}) if isinstance(value, str) else {}
    if option == "electrolyte layers":
        interface = "Na3PS4|Positive electrode interface"
        changes = {
            f"{interface} resistance [Ohm.m2]": 0.0,
            "Positive electrode electrolyte conductivity [S.m-1]": 0.4,
            "Positive electrode electrolyte conductivity activation energy [J.mol-1]": 3e4,
            "Positive electrode electrolyte density [kg.m-3]": 2900.0,
        }
    return ss.ParameterSet("Hu2024").replace(changes, {option: value})


def test_one_solver_for_several_models():
    """Made ready once each, and run by turns."""
    solver = pybamm.IDAKLUSolver(1e-6, 1e-6)
    parameters, test = ss.ParameterSet("Hu2024"), ss.Protocol(["Rest for 1 minute"])
    full, reduced = (
        test.prepare(model(), parameters, solver=solver)
        for model in (ss.SolidStateDFN, ss.SolidStateSPM)
    )
    assert all(prepared.result(parameters).ok for prepared in (full, reduced, full, reduced))
