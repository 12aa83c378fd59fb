"""What is compared of a measured step, and the same of the model's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ssnib_model.measured.columns import TIME, VOLTAGE
from ssnib_model.measured.ends import EndedBy
from ssnib_model.measured.protocol import Done, MeasuredProtocol
from ssnib_model.results.step import StepResult
from ssnib_model.steps import Status

#: Voltages of a step at most, and the fractions of it between which they are.
POINTS, WITHIN, TO_CUT_OFF = 25, (0.01, 1.0), (0.02, 0.98)


@dataclass(frozen=True)
class StepPoints:
    """Voltages and capacity of a measured step, to be compared.

    Where the current was imposed, voltages are compared at the same times; where a voltage ended
    a charge or discharge, at the same fractions of what was measured and of what the model does,
    and the capacity beside them. Of a hold, it is the charge that passed.

    Attributes
    ----------
    done : Done
        The step.
    fractions : numpy.ndarray
        Where voltages are compared, as parts of the duration; shape (n,), none of a hold.
    voltage : numpy.ndarray
        Measured there [V].
    capacity : float or None
        Measured size of the charge [A.h], of the cell of the set; None where it was imposed.
    """

    done: Done
    fractions: np.ndarray
    voltage: np.ndarray
    capacity: float | None

    @property
    def by_capacity(self) -> bool:
        """Whether a cut-off ended the step, and not its time."""
        return self.capacity is not None and self.done.step.kind != "hold"

    def times(self, result: StepResult, fractions: np.ndarray) -> np.ndarray:
        """Times [s] of the model's step that belong to fractions of the measured one."""
        assert result.segment is not None
        duration = result.segment.duration
        if self.by_capacity:
            return fractions * duration
        # the model's voltage left the window before: it stays what it was then
        return np.minimum(fractions * self.done.step.duration, duration)

    def model_voltage(self, result: StepResult) -> np.ndarray:
        """The model's voltages [V]; NaN where there are none."""
        if result.segment is None:
            return np.full_like(self.fractions, math.nan)
        return np.asarray(result.segment.voltage(self.times(result, self.fractions)))

    def model_capacity(self, result: StepResult) -> float:
        """The model's capacity [A.h]; NaN if the step failed."""
        if result.status is Status.FAILED:
            return math.nan
        return 0.0 if result.segment is None else abs(result.segment.charge)

    def ends_early(self, result: StepResult) -> bool:
        """Whether the model could not take an imposed current for as long as it was."""
        outcome = result.outcome
        if outcome.status is Status.FAILED or self.done.end.by is not EndedBy.TIME:
            return False
        return outcome.end is not None and self.done.step.kind != "hold"


def points_of(measured: MeasuredProtocol, done: Done, points: int = POINTS) -> StepPoints:
    """What is compared of a step.

    Parameters
    ----------
    measured : MeasuredProtocol
        The measurement.
    done : Done
        One of its steps.
    points : int, optional
        Voltages at most; there are never more than rows.
    """
    rows, step = measured.rows(done), done.step
    capacity = measured.scale * abs(step.charge)
    if step.kind == "hold":
        return StepPoints(done, np.empty(0), np.empty(0), capacity)
    at_end = done.end.by is EndedBy.VOLTAGE
    low, high = TO_CUT_OFF if at_end else WITHIN
    # the first row may be of before the current was switched
    known = rows[TIME].to_numpy() / step.duration
    there = np.flatnonzero((known >= low) & (known <= high))
    if there.size > points:
        even = np.linspace(0, 1, points)
        # after a switch the voltage changes most
        wanted = low + (high - low) * (even if at_end else even**2)
        after = np.clip(np.searchsorted(known[there], wanted), 1, there.size - 1)
        before = known[there[after]] - wanted > wanted - known[there[after - 1]]
        there = there[np.unique(after - before)]
    fractions, voltage = known[there], rows[VOLTAGE].to_numpy()[there]
    return StepPoints(done, fractions, voltage, capacity if at_end else None)
