"""Models whose current is a state, so that anything may be imposed, and ended by anything.

The current is worked out from what is imposed by one algebraic equation, as PyBaMM does for the
steps of an experiment that are not by current; here one model serves all steps, which differ in
the values of its inputs only.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pybamm

from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.solvers.preflight import LOWER, UPPER
from ssnib_model.steps import STOICHIOMETRY_MARGIN, Control, End, Measure, Profile, Step

CURRENT_STATE = "Current variable [A]"

#: Inputs that select what is imposed, 1 for one of them and 0 for the others.
SELECTORS = {control: f"Imposed {control}" for control in Control}
#: How much is imposed at the start, in the unit of the control, and how it changes [1/s].
VALUE, SLOPE = "Imposed value", "Imposed change"
#: What "Discharge capacity [A.h]" was at the start of the step.
CAPACITY_START = "Discharge capacity at the start [A.h]"

#: Inputs that end a step, by what is watched and whether it ends as that rises.
END_INPUTS = {
    (Measure.VOLTAGE, False): LOWER,
    (Measure.VOLTAGE, True): UPPER,
    (Measure.CURRENT, False): "Lower current end [A]",
    (Measure.CURRENT, True): "Upper current end [A]",
    (Measure.CURRENT_SIZE, False): "Lower absolute current end [A]",
    (Measure.CURRENT_SIZE, True): "Upper absolute current end [A]",
    (Measure.CAPACITY, True): "Capacity end [A.h]",
}
#: The events by the same; those of the voltage are the model's own.
END_EVENTS = {
    (Measure.VOLTAGE, False): "Minimum voltage [V]",
    (Measure.VOLTAGE, True): "Maximum voltage [V]",
    (Measure.CURRENT, False): "Minimum current [A]",
    (Measure.CURRENT, True): "Maximum current [A]",
    (Measure.CURRENT_SIZE, False): "Minimum absolute current [A]",
    (Measure.CURRENT_SIZE, True): "Maximum absolute current [A]",
    (Measure.CAPACITY, True): "Maximum capacity [A.h]",
}
#: An end that nothing reaches [V, A or A.h].
FAR_AWAY = 1e9

SURFACE = "Positive particle surface stoichiometry"
#: Events where the composition of a particle's surface leaves what its material can hold.
EMPTY, FULL = "Positive particle empty", "Positive particle full"


def is_plain(step: Step) -> bool:
    """Whether a step is a constant current with ends by voltage only, for the model as it is."""
    by_voltage = all(end.measure is Measure.VOLTAGE for end in step.ends)
    return step.control is Control.CURRENT and not isinstance(step.value, Profile) and by_voltage


def controlled(model: SolidStateBaseModel, profile: Profile | None = None) -> SolidStateBaseModel:
    """A copy of a model in which the current is an algebraic state and all else inputs.

    Parameters
    ----------
    model : SolidStateBaseModel
        Any model of the cell, with any options; it stays as it is.
    profile : Profile, optional
        A current [A] that is imposed instead, which saves the state; its times count from 0.

    Returns
    -------
    SolidStateBaseModel
        It has the state "Current variable [A]" in place of "Current function [A]", and the
        inputs of `control_inputs`, beside the cut-offs, which are parameters. With a profile,
        only the inputs of its ends.
    """
    p, copy = model.param, watched(model)
    current: pybamm.Symbol = pybamm.Variable(CURRENT_STATE, scale=p.Q)
    if profile is not None:
        current = pybamm.Interpolant(np.array(profile.times), np.array(profile.values), pybamm.t)
    cache: dict[pybamm.Symbol, pybamm.Symbol] = {}

    def by_state(symbol: pybamm.Symbol) -> pybamm.Symbol:
        return pybamm.replace(symbol, {p.I: current}, cache)

    copy.rhs = {name: by_state(symbol) for name, symbol in copy.rhs.items()}
    copy.algebraic = {name: by_state(symbol) for name, symbol in copy.algebraic.items()}
    copy.boundary_conditions = {
        by_state(of): {side: (by_state(value), kind) for side, (value, kind) in sides.items()}
        for of, sides in copy.boundary_conditions.items()
    }
    variables = {name: by_state(symbol) for name, symbol in copy.variables.items()}
    variables[CURRENT_STATE] = current
    copy.variables.update(variables)  # as the models do: its setter wants no state twice
    if profile is None:
        copy.algebraic[current] = _residual(current, variables["Voltage [V]"], p.Q)
        copy.initial_conditions = {**copy.initial_conditions, current: pybamm.Scalar(0)}
    own = [
        pybamm.Event(event.name, by_state(event.expression), event.event_type)
        for event in copy.events
    ]
    copy.events = own + _ends(current, variables["Discharge capacity [A.h]"], p.Q)
    return copy


def watched(model: SolidStateBaseModel) -> SolidStateBaseModel:
    """A copy of a model that ends where the surface of a particle leaves what it can hold."""
    copy = model.new_copy()
    surfaces = [v for name, v in model.variables.items() if name.startswith(SURFACE)]
    copy.events = [
        *copy.events,
        *(pybamm.Event(EMPTY, pybamm.min(v) + STOICHIOMETRY_MARGIN) for v in surfaces),
        *(pybamm.Event(FULL, 1 + STOICHIOMETRY_MARGIN - pybamm.max(v)) for v in surfaces),
    ]
    return copy


def _residual(i: pybamm.Symbol, V: pybamm.Symbol, Q: pybamm.Symbol) -> pybamm.Symbol:
    """What is zero where that is imposed which the inputs select; of order 1."""
    imposed = pybamm.InputParameter(VALUE) + pybamm.InputParameter(SLOPE) * pybamm.t
    distances = {
        Control.CURRENT: (i - imposed) / Q,
        Control.VOLTAGE: V - imposed,
        Control.POWER: (i * V - imposed) / Q,
        Control.RESISTANCE: V - imposed * i,
    }
    return sum(pybamm.InputParameter(SELECTORS[c]) * d for c, d in distances.items())


def _ends(i: pybamm.Symbol, Q: pybamm.Symbol, Q_nominal: pybamm.Symbol) -> list[pybamm.Event]:
    """Events for all ends but the voltage's, which the models have."""
    passed = abs(Q - pybamm.InputParameter(CAPACITY_START))
    measures = {Measure.CURRENT: i, Measure.CURRENT_SIZE: abs(i), Measure.CAPACITY: passed}
    found = []
    for (measure, rising), name in END_EVENTS.items():
        if measure in measures:
            value = pybamm.InputParameter(END_INPUTS[measure, rising])
            distance = (measures[measure] - value) / Q_nominal
            found.append(pybamm.Event(name, -distance if rising else distance))
    return found


def binding_ends(step: Step) -> dict[tuple[Measure, bool], End]:
    """The end that is reached first of each kind that a step has."""
    found: dict[tuple[Measure, bool], End] = {}
    for end in step.ends:
        kind = (end.measure, end.rising)
        if kind not in found or (end.value < found[kind].value) == end.rising:
            found[kind] = end
    return found


def end_inputs(step: Step) -> dict[str, float]:
    """Values of the inputs that end a step; those of ends that it has not are far away."""
    ends = binding_ends(step)
    return {
        name: ends[kind].value if kind in ends else FAR_AWAY if kind[1] else -FAR_AWAY
        for kind, name in END_INPUTS.items()
    }


class Piece(NamedTuple):
    """Part of a step in which what is imposed changes at a constant rate."""

    start: float  #: [s]
    end: float  #: [s]
    value: float  #: where the line would be at the start of the step
    slope: float  #: [1/s]


def pieces(step: Step) -> list[Piece]:
    """The pieces of a step; neighbours with one slope are one."""
    if not isinstance(step.value, Profile):
        return [Piece(0.0, step.duration, step.value, 0.0)]
    found: list[Piece] = []
    points = zip(step.value.times, step.value.values, strict=True)
    for (start, before), (end, after) in itertools.pairwise(points):
        if start >= step.duration:
            break
        slope, end = (after - before) / (end - start), min(end, step.duration)
        if found and found[-1].slope == slope:
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(Piece(start, end, before - slope * start, slope))
    return found


def control_inputs(step: Step, piece: Piece, capacity: float = 0.0) -> dict[str, float]:
    """Values of all inputs of a `controlled` model for a piece of a step.

    Parameters
    ----------
    step : Step
        What is done.
    piece : Piece
        One of its `pieces`.
    capacity : float, optional
        The variable "Discharge capacity [A.h]" at the start of the step.
    """
    selected = {name: float(control is step.control) for control, name in SELECTORS.items()}
    given = {VALUE: piece.value, SLOPE: piece.slope, CAPACITY_START: capacity}
    return end_inputs(step) | selected | given
