"""A model whose current is a state."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.cell.options import OPTIONS
from ssnib_model.solvers.controlled import (
    CURRENT_STATE,
    END_EVENTS,
    END_INPUTS,
    FAR_AWAY,
    Piece,
    binding_ends,
    control_inputs,
    controlled,
    end_inputs,
    is_plain,
    pieces,
)
from ssnib_model.solvers.preflight import CURRENT, LOWER, UPPER
from ssnib_model.steps import Control, End, Measure, Profile, Step

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]


class Subclass(ss.SolidStateSPM):
    """A model of a user, with a variable of their own."""

    def __init__(self, options=None):
        super().__init__(options)
        self.variables["Current squared [A2]"] = self.variables["Current [A]"] ** 2


def symbols_of(model):
    equations = [*model.rhs.values(), *model.algebraic.values(), *model.variables.values()]
    bounds = [v for sides in model.boundary_conditions.values() for v, _ in sides.values()]
    return [*equations, *bounds, *(event.expression for event in model.events)]


def has_function(model):
    return any(node.name == CURRENT for s in symbols_of(model) for node in s.pre_order())


@pytest.mark.parametrize("option", [o for o in OPTIONS if OPTIONS[o][1:]])
@pytest.mark.parametrize("model", [*MODELS, Subclass])
def test_nothing_of_a_controlled_model_reads_the_given_current(model, option):
    for value in OPTIONS[option][1:]:
        try:
            made = model({option: value, "size classes": 2})
        except ss.OptionError:
            continue
        before = [s.id for s in symbols_of(made)]
        copy = controlled(made)
        assert not has_function(copy)
        assert has_function(made)
        assert [s.id for s in symbols_of(made)] == before
        assert type(copy) is model
        assert copy.options == made.options


def test_all_variables_follow_the_state():
    """Power, heat, C-rate and what a subclass adds, in a hold, where the current is an answer."""
    parameters = ss.ParameterSet("Hu2024")
    step = Step(Control.VOLTAGE, 3.6, 600.0)
    simulation = pybamm.Simulation(controlled(Subclass()), parameter_values=parameters.to_pybamm())
    solution = simulation.solve([0, 600], inputs=dict(control_inputs(step, pieces(step)[0])))
    current, voltage = solution[CURRENT_STATE].entries, solution["Voltage [V]"].entries
    assert abs(current[0]) > 2 * abs(current[-1]) > 0
    nominal, area = (parameters[n] for n in ("Nominal cell capacity [A.h]", "Electrode area [m2]"))
    losses = -current * (voltage - solution["Open-circuit voltage [V]"].entries)
    expected = {
        "Current [A]": current,
        "C-rate": current / nominal,
        "Current density [A.m-2]": current / area,
        "Power [W]": current * voltage,
        "Heat of the losses [W]": losses,
        "Current squared [A2]": current**2,
    }
    for name, values in expected.items():
        assert solution[name].entries == pytest.approx(values, rel=1e-9), name
    passed = np.trapezoid(current, solution.t) / 3600
    assert solution["Discharge capacity [A.h]"].entries[-1] == pytest.approx(passed, rel=1e-2)


def test_every_kind_of_end_has_its_input_and_its_event():
    kinds = {(measure, rising) for measure in Measure for rising in (False, True)}
    kinds.remove((Measure.CAPACITY, False))  # what has passed only rises
    assert set(END_INPUTS) == set(END_EVENTS) == kinds
    names = {event.name for event in controlled(ss.SolidStateSPM()).events}
    assert names >= set(END_EVENTS.values())


def test_ends_that_a_step_has_not_are_far_away():
    step = Step(Control.CURRENT, 1.0, 1.0, (End(Measure.CURRENT_SIZE, 2.0, rising=True),))
    inputs = end_inputs(step)
    assert inputs.pop(END_INPUTS[Measure.CURRENT_SIZE, True]) == 2
    assert inputs[LOWER] == -FAR_AWAY
    assert inputs[UPPER] == FAR_AWAY
    assert {abs(value) for value in inputs.values()} == {FAR_AWAY}


@pytest.mark.parametrize("rising", [False, True])
def test_of_two_ends_of_a_kind_the_nearer_is_watched(rising):
    ends = tuple(End(Measure.VOLTAGE, value, rising) for value in (2.5, 2.6, 2.4))
    (end,) = binding_ends(Step(Control.CURRENT, 1.0, 1.0, ends)).values()
    assert end.value == (2.4 if rising else 2.6)


def test_pieces_of_a_profile():
    profile = Profile((0.0, 1.0, 2.0, 4.0, 5.0), (0.0, 0.0, 0.0, 4.0, 3.0))
    whole = pieces(Step(Control.CURRENT, profile, 5.0))
    assert whole == [Piece(0, 2, 0, 0), Piece(2, 4, -4, 2), Piece(4, 5, 8, -1)]
    assert pieces(Step(Control.CURRENT, profile, 3.0)) == [Piece(0, 2, 0, 0), Piece(2, 3, -4, 2)]
    assert pieces(Step(Control.POWER, 2.0, 3.0)) == [Piece(0, 3, 2, 0)]


def test_what_is_plain():
    by_voltage = (End(Measure.VOLTAGE, 2.5, rising=False),)
    assert is_plain(Step(Control.CURRENT, 0.0, 10.0))
    assert is_plain(Step(Control.CURRENT, 1.0, 10.0, by_voltage))
    assert not is_plain(Step(Control.VOLTAGE, 3.0, 10.0))
    assert not is_plain(Step(Control.CURRENT, Profile((0.0, 1.0), (0.0, 1.0)), 1.0))
    assert not is_plain(
        Step(Control.CURRENT, 1.0, 10.0, (*by_voltage, End(Measure.CAPACITY, 1.0, rising=True)))
    )
