"""A step of a test as the numbers of the kernel, and what came of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.errors import NoDerivativesError
from ssnib_model.solvers.coefficients import Scales
from ssnib_model.solvers.compiling import interrupts
from ssnib_model.solvers.terminals import SAME, Terminals
from ssnib_model.solvers.vectors import Record
from ssnib_model.steps import Control, Measure, Profile, Step

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers.kernel.cell import Cell, State, Task

_SECONDS = 3600.0


@functools.lru_cache(maxsize=256)
def task_of(step: Step, area: float) -> Task:
    """A step per area [m2] of the cell, as the kernel takes it."""
    from ssnib_model.solvers.kernel import cell as numbers

    controls = {
        Control.CURRENT: (numbers.CURRENT, 1 / area),
        Control.VOLTAGE: (numbers.VOLTAGE, 1.0),
        Control.POWER: (numbers.POWER, 1 / area),
        Control.RESISTANCE: (numbers.RESISTANCE, area),
    }
    measures = {
        Measure.VOLTAGE: (numbers.OF_VOLTAGE, 1.0),
        Measure.CURRENT: (numbers.OF_CURRENT, 1 / area),
        Measure.CURRENT_SIZE: (numbers.OF_CURRENT_SIZE, 1 / area),
        Measure.CAPACITY: (numbers.OF_CHARGE, _SECONDS / area),
    }
    control, scale = controls[step.control]
    knots, currents, value = np.array([0.0, step.duration]), np.zeros(2), 0.0
    if isinstance(step.value, Profile):
        times = np.array(step.value.times)
        inside = times < step.duration
        knots = np.append(times[inside], step.duration)
        currents = np.interp(knots, times, step.value.values) * scale
    elif control == numbers.CURRENT:
        currents = np.full(2, step.value * scale)
    else:
        value = step.value * scale
    watched = [measures[end.measure] for end in step.ends]
    return numbers.Task(
        control=control,
        value=value,
        knots=knots,
        currents=currents,
        measures=np.array([number for number, _ in watched], dtype=np.int64),
        limits=np.array([e.value * s for e, (_, s) in zip(step.ends, watched, strict=True)]),
        signs=np.array([-1.0 if end.rising else 1.0 for end in step.ends]),
        duration=float(step.duration),
        offset=0.0,
    )


class StructuredSegment:
    """What is known of a step, in the manner of `ssnib_model.steps.Segment`."""

    def __init__(
        self,
        cell: Cell,
        scales: Scales,
        task: Task,
        start: State,
        samples: Sequence[np.ndarray],
        renewed: np.ndarray,
        solution: Callable[[StructuredSegment], pybamm.Solution],
        terminals: Terminals = SAME,
    ):
        self.times = samples[0]
        self.cell, self.scales, self.task, self.start = cell, scales, task, start
        self.samples, self.renewed, self._solution = samples, renewed, solution
        self.terminals = terminals

    @property
    def solution(self) -> pybamm.Solution:
        """See `Segment`; worked out when it is first asked for something."""
        return self._solution(self)

    def record(self) -> Record:
        """All that the solver followed: it goes through the step again."""
        from ssnib_model.solvers.kernel import replay
        from ssnib_model.solvers.kernel.cell import State

        state = State(*(array.copy() for array in self.start))
        with interrupts():
            t, modes, hysteresis, reaction, difference, flow, alloy = replay.replay(
                self.cell, state, self.task, self.times, self.renewed
            )
        sites = len(t), self.cell.points, len(self.cell.surface)
        return Record(
            t,
            modes.reshape(*sites, -1),
            hysteresis.reshape(sites),
            reaction.reshape(sites),
            difference,
            flow * self.scales.area,
            alloy * self.scales.alloy_range + self.scales.taken,
        )

    def moved(
        self,
        cell: Cell,
        area: float,
        task: Task,
        start: State,
        end: float,
        potentials: np.ndarray,
        flows: np.ndarray,
    ) -> StructuredSegment:
        """What would have come of a step nearby, from changes of its samples; no solution.

        ``area``, ``end``, ``potentials`` and ``flows`` are changes, the others what there is.
        """
        times = np.append(self.times[:-1], self.times[-1] + end)
        scales = self.scales._replace(area=self.scales.area + area)
        samples = times, self.samples[1] + potentials, self.samples[2] + flows
        return StructuredSegment(cell, scales, task, start, samples, self.renewed, _no_solution)

    @property
    def duration(self) -> float:
        """See `Segment`."""
        return float(self.times[-1])

    @functools.cached_property
    def _totals(self) -> tuple[float, float, float, float]:
        from ssnib_model.solvers.kernel import look

        with interrupts():
            charge, energy, *anode = look.totals(
                self.cell, self.task, self.start.alloy[0], *self.samples
            )
        share, offset = self.terminals.share, self.terminals.offset
        if not self.terminals.is_trivial:
            volt_seconds = self.terminals.volt_seconds(charge, self.duration)
            energy = share * energy + offset * volt_seconds
            charge = share * charge + offset * self.duration
        return charge, energy, *anode

    @property
    def charge(self) -> float:
        """See `Segment`."""
        return self._totals[0] * self.scales.area / _SECONDS

    @property
    def energy(self) -> float:
        """See `Segment`."""
        return self._totals[1] * self.scales.area / _SECONDS

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._look(t, 0)

    def current(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        found = self.terminals.share * self._look(t, 1) + self.terminals.offset
        return found * self.scales.area

    def passed(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        found = self.terminals.share * self._look(t, 2)
        found = found + self.terminals.offset * np.asarray(t, dtype=float)
        return found * self.scales.area / _SECONDS

    def _look(self, t: ArrayLike, row: int) -> np.ndarray:
        from ssnib_model.solvers.kernel import look

        times = np.asarray(t, dtype=float)
        place = self.start.alloy[0]
        with interrupts():
            found = look.look(self.cell, self.task, place, *self.samples, times.ravel())
        return found[row].reshape(times.shape)[()]

    def anode(self) -> tuple[float, float]:
        """Potential of the anode [V] at start and end."""
        return self._totals[2:]

    @property
    def uniformity(self) -> float | None:
        """See `Segment`."""
        from ssnib_model.solvers.kernel.composite import uniformity

        if not self.cell.reduced:
            return None
        record = self.record()
        half = int(np.argmin(np.abs(record.t - self.duration / 2)))
        sto = record.modes[half, 0] @ self.cell.surface_of
        return float(uniformity(self.cell, record.reaction[half, 0], sto))


def _no_solution(segment: StructuredSegment) -> pybamm.Solution:
    raise NoDerivativesError(
        "a step that was moved along a derivative has a voltage and a current only"
    )
