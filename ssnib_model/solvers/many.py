"""Many cells through a test each in one call of compiled code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ssnib_model.solvers.coefficients import Scales
from ssnib_model.solvers.compiling import interrupts
from ssnib_model.solvers.stepper import ANODE_EMPTY_RISE
from ssnib_model.solvers.structured import Structured
from ssnib_model.solvers.structured_segment import StructuredSegment, task_of
from ssnib_model.solvers.vectors import Record
from ssnib_model.steps import Outcome, Status, Step

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers.kernel.batch import Members, Schedules

#: Ends of steps of the integrator that there is room for at first, for a step of a test.
ROOM = 64

_SECONDS = 3600.0


@dataclass(frozen=True)
class Found:
    """What came of many tests; numbers of the shape (members, steps).

    Attributes
    ----------
    alone : numpy.ndarray
        Whether a member has no answer here, because a step failed or it has no coefficients, and
        is to be run by itself, shape (members,).
    at_start : numpy.ndarray
        Whether a step had reached an end at its start; then it has no other numbers.
    which : numpy.ndarray
        Number of the end of the step that was reached; -1: none.
    anode_empty : numpy.ndarray
        Whether the alloy had no sodium left at the end.
    duration, charge, energy, half_voltage : numpy.ndarray
        [s], [A.h], [W.h], and the voltage at half of the time [V].
    """

    alone: np.ndarray
    at_start: np.ndarray
    which: np.ndarray
    anode_empty: np.ndarray
    duration: np.ndarray
    charge: np.ndarray
    energy: np.ndarray
    half_voltage: np.ndarray
    _areas: np.ndarray
    _raw: np.ndarray
    _samples: dict[tuple[int, int], tuple[np.ndarray, ...]]
    _members: list[tuple[Members, int] | None]
    _alone: Callable[[int], tuple[Structured, dict[str, float], Sequence[Step]]]
    _known: dict[int, list[Any]] = field(default_factory=dict)
    _cells: dict[int, Any] = field(default_factory=dict)

    def outcome(self, member: int, number: int, step: Step) -> Outcome:
        """What came of a step, as the solver says it of one; a step that cannot start without why.

        Its segment has voltage, current and charge at hand; for all else the member is run again.
        """
        which = int(self.which[member, number])
        end = step.ends[which] if which >= 0 else None
        if self.at_start[member, number]:
            return Outcome(Status.AT_START, end=end)
        status = Status.ANODE_EMPTY if self.anode_empty[member, number] else Status.OK
        return Outcome(status, self._segment(member, number, step), end)

    def _segment(self, member: int, number: int, step: Step) -> StructuredSegment:
        from ssnib_model.solvers.kernel import batch
        from ssnib_model.solvers.kernel.cell import State

        of = self._members[member]
        assert of is not None, "a member without coefficients"
        group, place = of
        if member not in self._cells:  # the same for all of its steps
            self._cells[member] = batch.cell_of(group, place)
        scales = Scales(float(self._areas[member]), group.alloy_range)
        alloy = self._raw[member, number, batch.ALLOY_START]
        # of the state, voltage and charge need the place on the anode's table only
        start = State(np.empty((0, 0)), np.empty(0), np.array([alloy]))
        return _OneOfMany(
            self._cells[member], scales, task_of(step, scales.area), start,
            self._samples[member, number], np.empty(0, np.int64),
            lambda _: self._again(member)[number].solution,
            record=lambda: self._again(member)[number].record(),
        )  # fmt: skip

    def _again(self, member: int) -> list[StructuredSegment]:
        """The segments of a member that is run by itself."""
        solver, inputs, test = self._alone(member)
        if member not in self._known:
            state, segments = solver.start(inputs), []
            for step in test:
                outcome, state = solver.step(state, step, inputs)
                segments.append(outcome.segment)
            self._known.clear()  # one at a time: they are as large as they are
            self._known[member] = segments
        return self._known[member]


class _OneOfMany(StructuredSegment):
    """A step of one of many, which has no state to start from."""

    def __init__(self, *known: Any, record: Callable[[], Record]):
        super().__init__(*known)
        self._record = record

    def record(self) -> Record:
        """See `StructuredSegment`."""
        return self._record()


def run_many(
    solver: Structured,
    inputs: Mapping[str, ArrayLike],
    tests: Sequence[Sequence[Step]],
    of: np.ndarray,
    *,
    samples: bool = False,
    threads: int = 1,
) -> Found:
    """Many cells through a test each, as made.

    Parameters
    ----------
    solver : Structured
        What one cell would be run by; it gives the same numbers.
    inputs : mapping of str to array_like
        Of the model: a number for all members, or one each, shape (members,).
    tests : sequence of sequence of Step
        All of equally many steps, none with a temperature of its own.
    of : numpy.ndarray
        The test of each member, shape (members,).
    samples : bool, optional
        Whether to keep what `Found.outcome` needs.
    threads : int, optional
        How many go through the members side by side.
    """
    from ssnib_model.solvers.kernel import batch, integrate

    def one(member: int) -> tuple[Structured, dict[str, float], Sequence[Step]]:
        own = {n: float(np.broadcast_to(x, len(of))[member]) for n, x in inputs.items()}
        return solver, own, tests[of[member]]

    count, steps = len(of), len(tests[0])
    groups, areas = solver.coefficients.of_many(inputs, count)
    raw = np.full((count, steps, batch.FOUND), np.nan)
    how, alone = np.full((count, steps, 2), -1), np.ones(count, dtype=bool)
    kept: dict[tuple[int, int], tuple[np.ndarray, ...]] = {}
    owners: list[tuple[Members, int] | None] = [None] * count
    with ThreadPoolExecutor(threads) as pool:
        parts = []
        for at, members in groups:
            for place, member in enumerate(at.tolist()):
                owners[member] = members, place
            # of its own tests only: there may be as many groups as members
            own, local = np.unique(of[at], return_inverse=True)
            schedules = _schedules([tests[n] for n in own], local)
            for part in np.array_split(np.arange(len(at)), min(threads, len(at))):
                first, last = int(part[0]), int(part[-1]) + 1
                job = solver, members, schedules, first, last, samples
                parts.append((at, first, last, pool.submit(_part, *job)))
        for at, first, last, future in parts:
            with interrupts():
                own_raw, own_how, own_alone, own_samples = future.result()
            where = at[first:last]
            raw[where], how[where], alone[where] = own_raw, own_how, own_alone
            kept |= {(int(at[m]), k): found for (m, k), found in own_samples.items()}
    at_start = how[:, :, 0] == integrate.AT_START
    rise = raw[:, :, batch.ANODE_END] - raw[:, :, batch.ANODE_START]
    return Found(
        alone, at_start, how[:, :, 1], rise > ANODE_EMPTY_RISE, raw[:, :, batch.DURATION],
        raw[:, :, batch.CHARGE] * areas[:, None] / _SECONDS,
        raw[:, :, batch.ENERGY] * areas[:, None] / _SECONDS,
        raw[:, :, batch.V_HALF], areas, raw, kept, owners, one,
    )  # fmt: skip


def _part(
    solver: Structured, members: Members, schedules: Schedules, first: int, last: int, keep: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[tuple[int, int], tuple[np.ndarray, ...]]]:
    """Some of the members."""
    from ssnib_model.solvers.kernel import batch
    from ssnib_model.solvers.kernel.one_step import PARTS

    count, steps = len(members.numbers), schedules.steps
    raw = np.full((count, steps, batch.FOUND), np.nan)
    how, alone = np.full((count, steps, 2), -1), np.zeros(count, dtype=bool)
    place = np.zeros((count, steps, 2), dtype=np.int64)
    found: dict[tuple[int, int], tuple[np.ndarray, ...]] = {}
    now, room = first, ROOM * steps * (last - first) if keep else 0
    while now < last:
        kept = batch.Kept(
            keep, np.empty(room), np.empty(PARTS * room), np.empty(PARTS * room), place
        )
        rtol, atol = solver.tolerances
        reached = batch.run(
            members, schedules, rtol, atol, now, last, raw, how, alone, kept
        )  # fmt: skip
        for m in range(now, reached if keep else now):
            for k in range(steps):
                start, n = place[m, k].tolist()
                size = PARTS * (n - 1) + 1
                if n:
                    found[m, k] = (
                        kept.ends[start : start + n],
                        kept.potentials[PARTS * start : PARTS * start + size],
                        kept.flows[PARTS * start : PARTS * start + size],
                    )
        room = 2 * room if reached == now else room
        now = reached
    return raw[first:last], how[first:last], alone[first:last], found


def _schedules(tests: Sequence[Sequence[Step]], of: np.ndarray) -> Schedules:
    """Tests as the arrays of the kernel."""
    from ssnib_model.solvers.kernel.batch import Schedules

    every = [step for test in tests for step in test]
    # a cell of 1 m2 has the numbers of the cell itself
    tasks = [task_of(step, 1.0) for step in every]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(task, name) for task in tasks])

    def ends(name: str) -> np.ndarray:
        return np.cumsum([0, *(getattr(task, name).size for task in tasks)])

    def each(name: str) -> np.ndarray:
        return np.array([getattr(task, name) for task in tasks])

    limits = np.array([end.value for step in every for end in step.ends])
    return Schedules(
        np.asarray(of, dtype=np.int64), len(tests[0]), each("control"),
        each("value").astype(float),
        each("duration"), np.array([step.open_ended for step in every]), ends("knots"),
        joined("knots"), joined("currents"), ends("limits"), joined("measures"), limits,
        joined("signs"),
    )  # fmt: skip
