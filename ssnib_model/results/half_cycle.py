"""One charge or discharge of a rate test, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.results.breakdown import variable_at
from ssnib_model.steps import Segment, Status


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current, its hold if it has one, and how it ended.

    Attributes
    ----------
    rate : float
        C-rate of its row in the table: that of the discharge.
    direction : str
        "charge" or "discharge".
    cycle : int
        Number of the cycle at this rate, from 1.
    current : float
        Current [A], positive on discharge.
    status : Status
        How it ended; failed where its hold or rest failed.
    segment : Segment or None
        Of the constant current; None where there was nothing to solve.
    reason : str
        Why it could not start, or failed; "" where it did neither.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    hold : Segment or None
        Of the constant voltage after it.
    """

    rate: float
    direction: str
    cycle: int
    current: float
    status: Status
    segment: Segment | None = None
    reason: str = ""
    recovery: str = ""
    hold: Segment | None = None

    @property
    def ending(self) -> str:
        """How it ended, as tables say it: the status, and why where it failed."""
        return f"failed: {self.reason}" if self.status is Status.FAILED else str(self.status)

    @property
    def solution(self) -> pybamm.Solution | None:
        """All variables of the model; None where there was nothing to solve."""
        return None if self.segment is None else self.segment.solution

    @property
    def duration(self) -> float:
        """Time at constant current [s]."""
        return 0.0 if self.segment is None else self.segment.duration

    @property
    def capacity(self) -> float:
        """Charge passed [A.h], the hold included; NaN if the half-cycle failed."""
        held = 0.0 if self.hold is None else abs(self.hold.charge)
        failed = self.status is Status.FAILED
        return math.nan if failed else abs(self.current) * self.duration / 3600 + held

    @property
    def energy(self) -> float:
        """Energy passed [W.h], the hold included; NaN if the half-cycle failed."""
        if self.status is Status.FAILED:
            return math.nan
        return sum(abs(s.energy) for s in (self.segment, self.hold) if s is not None)

    @property
    def mean_voltage(self) -> float:
        """Mean over the charge passed at constant current [V]; NaN where there was none."""
        if self.segment is None or self.status is Status.FAILED:
            return math.nan
        charge = self.segment.charge
        return self.segment.energy / charge if charge else math.nan

    def at(self, variable: str, fraction: ArrayLike) -> np.ndarray:
        """A variable at fractions (0 to 1) of the time at constant current; NaN if there is no
        solution."""
        if self.segment is None:
            return np.full_like(np.asarray(fraction, dtype=float), math.nan)
        return variable_at(self.segment, variable, fraction)
