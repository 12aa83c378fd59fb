"""The steps of a test nearby: moved along its exact derivatives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import NoDerivativesError
from ssnib_model.results.step import StepResult
from ssnib_model.solvers.derivatives import Direction, Taken, moved_outcomes, obstacle
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Outcome, Planned


class Side(NamedTuple):
    """Parameters on two sides of others, close by."""

    ahead: ParameterSet
    behind: ParameterSet
    share: float  #: of their difference that is moved by: 0.5, or 1 where one is in the middle


class Planning(Protocol):
    """A test that says its steps for a cell."""

    def schedule(self, parameters: ParameterSet) -> Iterable[Planned]:
        """The steps in order, in SI units."""


def taken(
    test: Planning,
    inputs_at: Callable[[ParameterSet, float | None], dict[str, float]],
    parameters: ParameterSet,
) -> list[Taken]:
    """The steps of a test for some parameters, each with the inputs of the model for it."""
    inputs: dict[float | None, dict[str, float]] = {}
    found = []
    for planned in test.schedule(parameters):
        temperature = planned.step.temperature
        if temperature not in inputs:
            inputs[temperature] = inputs_at(parameters, temperature)
        found.append(Taken(planned.step, inputs[temperature]))
    return found


def moved_steps(
    stepper: Structured,
    plan: Callable[[ParameterSet], list[Taken]],
    parameters: ParameterSet,
    steps: Sequence[StepResult],
    sides: Sequence[Side],
    given_start: bool,
) -> list[tuple[list[StepResult], list[StepResult]] | None]:
    """Steps that were run, moved to either side by their derivatives; None: not along this one.

    Parameters
    ----------
    stepper : Structured
        That ran them.
    plan : callable
        From parameters to the steps and their inputs.
    parameters : ParameterSet
        That they were run for.
    steps : sequence of StepResult
        The steps.
    sides : sequence of Side
        Parameters close by.
    given_start : bool
        Whether the cell started from a state that is the same for all.

    Raises
    ------
    NoDerivativesError
        As `moved_outcomes`.
    """
    base = plan(parameters)
    directions = [Direction(plan(s.ahead), plan(s.behind), s.share) for s in sides]
    if len(base) != len(steps):
        raise NoDerivativesError("a test that was ended early has no derivatives")
    outcomes = [step.outcome for step in steps]
    free = [n for n, d in enumerate(directions) if not obstacle(stepper, base, d)]
    along = [directions[n] for n in free]
    moved = moved_outcomes(stepper, base, outcomes, along, given_start=given_start)
    found: list[tuple[list[StepResult], list[StepResult]] | None] = [None] * len(directions)
    for n, direction, (ahead, behind) in zip(free, along, moved, strict=True):
        found[n] = (
            _at_side(steps, direction, ahead, 1.0),
            _at_side(steps, direction, behind, -1.0),
        )
    return found


def _at_side(
    steps: Sequence[StepResult], direction: Direction, outcomes: Sequence[Outcome], sign: float
) -> list[StepResult]:
    """Steps with the outcomes of one side, and their imposed values there."""
    found = []
    for step, outcome, ahead, behind in zip(
        steps, outcomes, direction.ahead, direction.behind, strict=True
    ):
        planned, value = step.planned, step.planned.step.value
        if isinstance(value, float) and isinstance(ahead.step.value, float):
            assert isinstance(behind.step.value, float)
            value += sign * direction.share * (ahead.step.value - behind.step.value)
            at = dataclasses.replace(planned.step, value=value)
            planned = dataclasses.replace(planned, step=at)
        found.append(StepResult(step.number, planned, outcome))
    return found
