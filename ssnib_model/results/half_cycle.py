"""One charge or discharge at constant current, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.steps import Segment, Status


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current, and how it ended.

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
        How it ended.
    segment : Segment or None
        What the solver gave; None where there was nothing to solve.
    reason : str
        Why it could not start, or failed; "" where it did neither.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    """

    rate: float
    direction: str
    cycle: int
    current: float
    status: Status
    segment: Segment | None = None
    reason: str = ""
    recovery: str = ""

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
        """Time to the cut-off [s]."""
        return 0.0 if self.segment is None else self.segment.duration

    @property
    def capacity(self) -> float:
        """Charge passed [A.h]; NaN if the half-cycle failed."""
        failed = self.status is Status.FAILED
        return math.nan if failed else abs(self.current) * self.duration / 3600

    @property
    def energy(self) -> float:
        """Energy passed [W.h]; NaN if the half-cycle failed."""
        if self.segment is None:
            return 0.0 if self.status is Status.AT_START else math.nan
        return abs(self.segment.energy)

    def at(self, variable: str, fraction: ArrayLike) -> np.ndarray:
        """A variable at fractions of the half-cycle (0 to 1); NaN if there is no solution."""
        fraction = np.asarray(fraction, dtype=float)
        if self.segment is None:
            return np.full_like(fraction, math.nan)
        if variable == "Voltage [V]":
            return self.segment.voltage(fraction * self.duration)
        solution = self.segment.solution
        # the products may miss the ends by round-off, outside the interpolant
        start, end = solution.t[0], solution.t[-1]
        return solution[variable](t=np.clip(start + fraction * (end - start), start, end))
