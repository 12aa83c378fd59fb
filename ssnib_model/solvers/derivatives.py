"""What a test would give nearby: its outcomes, moved along directions by their exact derivatives.

A direction is a small change of all that a test depends on. The kernel differentiates each step
that the structured solver took, with the steps in time as they were; what comes out is moved to
either side, so that whatever is read off a test is differentiated by reading it there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ssnib_model.errors import NoDerivativesError
from ssnib_model.solvers.structured import Structured
from ssnib_model.solvers.structured_segment import StructuredSegment, task_of
from ssnib_model.steps import Outcome, Profile, Step

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers.kernel.cell import Cell, State, Task
    from ssnib_model.solvers.kernel.directions import CellChange, StateChange, TaskChange


class Taken(NamedTuple):
    """A step that was taken, and with which inputs of the model."""

    step: Step
    inputs: Mapping[str, float]


class Direction(NamedTuple):
    """The same test for slightly different parameters, on two sides."""

    ahead: Sequence[Taken]
    behind: Sequence[Taken]
    share: float  #: of their difference that the outcomes are moved by


def obstacle(stepper: Structured, taken: Sequence[Taken], direction: Direction) -> str:
    """Why a test has no exact derivatives along a direction; empty if nothing is in the way.

    Parameters
    ----------
    stepper : Structured
        That takes the steps.
    taken : sequence of Taken
        The steps.
    direction : Direction
        The same test close by.
    """
    potentials = stepper.coefficients.inputs_of_potentials
    for side in (direction.ahead, direction.behind):
        if len(side) != len(taken):
            return "the steps of a test differ in their number"
        for base, other in zip(taken, side, strict=True):
            if any(base.inputs[name] != other.inputs[name] for name in potentials):
                return "an equilibrium potential changes along a direction"
            if not _is_alike(base.step, other.step):
                return "the steps of a test differ in more than numbers"
    return ""


def _is_alike(step: Step, other: Step) -> bool:
    """Whether two steps differ in numbers only, and not in when their current is given."""
    kinds, others = ([(e.measure, e.rising) for e in s.ends] for s in (step, other))
    times, later = _times(step), _times(other)
    is_timed_alike = len(times) == len(later) if step.open_ended else times == later
    return step.control is other.control and kinds == others and is_timed_alike


def _times(step: Step) -> list[float]:
    """When the current of a step is given after its start [s], its end included."""
    given = step.value.times if isinstance(step.value, Profile) else ()
    return [*(t for t in given if 0 < t < step.duration), step.duration]


def moved_outcomes(
    stepper: Structured,
    taken: Sequence[Taken],
    outcomes: Sequence[Outcome],
    directions: Sequence[Direction],
    *,
    given_start: bool,
) -> list[tuple[list[Outcome], list[Outcome]]]:
    """The outcomes of a test, moved along every direction and against it.

    Parameters
    ----------
    stepper : Structured
        That took the steps.
    taken : sequence of Taken
        The steps.
    outcomes : sequence of Outcome
        What came of them.
    directions : sequence of Direction
        Along which there is no `obstacle`.
    given_start : bool
        Whether the state at the start was given, the same for all; else the inputs say it.

    Raises
    ------
    NoDerivativesError
        If a step failed or was taken by another solver, or a direction changes more than numbers.
    """
    if not directions:
        return []
    from ssnib_model.solvers.kernel.follow import follow

    count = len(directions)
    found: list[tuple[list[Outcome], list[Outcome]]] = [([], []) for _ in directions]
    state_change: StateChange | None = None
    known: tuple[Mapping[str, float], Any] | None = None
    for number, (base, outcome) in enumerate(zip(taken, outcomes, strict=True)):
        segment = outcome.segment
        if segment is None:
            if outcome.reason and outcome.end is None:
                raise NoDerivativesError(f"a step failed: {outcome.reason}")
            for sides in found:
                for side in sides:
                    side.append(outcome)
            continue
        if not isinstance(segment, StructuredSegment):
            raise NoDerivativesError("another solver than the structured one took a step")
        if known is None or known[0] is not base.inputs:
            known = base.inputs, _cells(stepper, segment, number, directions)
        change, cells, areas = known[1]
        if state_change is None:
            state_change = _start(stepper, segment, number, directions, given_start)
        task_change = _tasks(segment, number, directions, areas)
        before = _copies(state_change)
        state = type(segment.start)(*(array.copy() for array in segment.start))
        which = base.step.ends.index(outcome.end) if outcome.end is not None else -1
        ends, potentials, flows = follow(
            segment.cell, change, segment.task, task_change, state, state_change,
            segment.times, segment.renewed, which, segment.samples[2],
        )  # fmt: skip
        changes = potentials[:, :count], flows[:, :count], ends[:count]
        if not all(np.isfinite(array).all() for array in changes):
            raise NoDerivativesError("the derivatives of a step are no finite numbers")
        for p, sides in enumerate(found):
            for side, cell, sign in zip(sides, cells[p], (1.0, -1.0), strict=True):
                at = segment.moved(
                    cell,
                    sign * areas[p],
                    _task(segment.task, task_change, p, sign),
                    _state(segment.start, before, p, sign),
                    sign * ends[p],
                    sign * potentials[:, p],
                    sign * flows[:, p],
                )
                side.append(dataclasses.replace(outcome, segment=at))
    return found


def _differences(
    directions: Sequence[Direction], number: int, read: Callable[[Taken], Any]
) -> np.ndarray:
    """What is read off a step on both sides, as the change along each direction; these last.

    The last direction is room for the length of a step.
    """
    changes = []
    for direction in directions:
        ahead, behind = (
            np.asarray(read(side[number]), dtype=float)
            for side in (direction.ahead, direction.behind)
        )
        changes.append(direction.share * (ahead - behind))
    return np.stack([*changes, np.zeros_like(changes[0])], axis=-1)


def _cells(
    stepper: Structured, segment: StructuredSegment, number: int, directions: Sequence[Direction]
) -> tuple[CellChange, list[tuple[Cell, Cell]], np.ndarray]:
    """Change of the cell, the cell on both sides, and change of its area [m2]."""
    from ssnib_model.solvers.kernel.composite import coupling, weights_of_voltage
    from ssnib_model.solvers.kernel.directions import CellChange

    own, rows = segment.cell, []
    for direction in directions:
        sides = []
        for taken in (direction.ahead[number], direction.behind[number]):
            cell, scales = stepper.coefficients.cell(taken.inputs)
            if cell.ocp is not own.ocp or cell.alloy is not own.alloy:
                raise NoDerivativesError("the table of an equilibrium potential is another one")
            both = coupling(cell.points, cell.L, cell.sigma_s, cell.sigma_e)
            numbers = {name: getattr(cell, name) for name in CellChange._fields[:9]}
            numbers |= {
                "log_decay": np.log(-cell.decay[:, 0]),
                "log_uptake": np.log(np.abs(cell.uptake[:, 0])),
                "half_gap": cell.half_gap,
                "gap_rate": cell.gap_rate,
                "alloy_rate": cell.alloy_rate,
                "kappa": both[0],
                "drift": both[1],
                "weights": weights_of_voltage(cell),
            }
            sides.append((numbers, scales.area))
        rows.append((sides[0], sides[1], direction.share))
    changes = {
        name: np.stack(
            [
                share * (np.asarray(ahead[0][name]) - np.asarray(behind[0][name]))
                for ahead, behind, share in rows
            ]
            + [np.zeros(np.shape(rows[0][0][0][name]))],
            axis=-1,
        )
        for name in CellChange._fields[:-1]
    }
    rests_on = [changes[n] for n in ("L", "sigma_s", "sigma_e", "thermal", "film", "j0")]
    acts = np.any([*rests_on, *changes["surface"]], axis=0)
    areas = np.array([share * (ahead[1] - behind[1]) for ahead, behind, share in rows])
    change = CellChange(**changes, acts_on_unevenness=acts)
    cells = [
        (_cell(own, change, p, 1.0), _cell(own, change, p, -1.0)) for p in range(len(directions))
    ]
    return change, cells, areas


def _start(
    stepper: Structured,
    segment: StructuredSegment,
    number: int,
    directions: Sequence[Direction],
    given: bool,
) -> StateChange:
    """Change of the state at the start."""
    from ssnib_model.solvers.kernel.directions import StateChange

    if given:
        start, count = segment.start, len(directions) + 1
        return StateChange(
            np.zeros((*start.modes.shape, count)),
            np.zeros((*start.hysteresis.shape, count)),
            np.zeros(count),
        )

    def read(row: int) -> Callable[[Taken], Any]:
        return lambda taken: stepper.coefficients.start(taken.inputs)[row]

    modes, hysteresis, sodium = (_differences(directions, number, read(row)) for row in range(3))
    return StateChange(modes, hysteresis, sodium / segment.scales.alloy_range)


def _tasks(
    segment: StructuredSegment,
    number: int,
    directions: Sequence[Direction],
    areas: np.ndarray,
) -> TaskChange:
    """Change of what is imposed and of where it ends."""
    from ssnib_model.solvers.kernel.directions import TaskChange

    own, area = segment.task, segment.scales.area

    def per_area(imposed: np.ndarray, values: np.ndarray, power: np.ndarray) -> np.ndarray:
        relative = np.append(areas, 0.0) / area
        return imposed + np.multiply.outer(power * values, relative)

    def change(name: str) -> np.ndarray:
        return _differences(
            directions, number, lambda taken: getattr(task_of(taken.step, area), name)
        )

    return TaskChange(
        per_area(change("value"), np.array(own.value), np.array(POWERS[own.control])),
        per_area(change("currents"), own.currents, np.array(-1.0)),
        per_area(change("limits"), own.limits, np.array([OF_END[m] for m in own.measures])),
    )


#: Powers of the area that what is imposed, and what ends a step, is per: by their numbers.
POWERS, OF_END = (-1.0, 0.0, -1.0, 1.0), (0.0, -1.0, -1.0, -1.0)


def _copies(change: StateChange) -> StateChange:
    return type(change)(*(array.copy() for array in change))


def _cell(cell: Cell, change: CellChange, p: int, sign: float) -> Cell:
    from ssnib_model.solvers.kernel.directions import moved

    return moved(cell, change, p, sign)


def _task(task: Task, change: TaskChange, p: int, sign: float) -> Task:
    return task._replace(
        value=task.value + sign * float(change.value[p]),
        currents=task.currents + sign * change.currents[:, p],
        limits=task.limits + sign * change.limits[:, p],
    )


def _state(state: State, change: StateChange, p: int, sign: float) -> State:
    return type(state)(
        state.modes + sign * change.modes[..., p],
        state.hysteresis + sign * change.hysteresis[..., p],
        state.alloy + sign * change.alloy[p],
    )
