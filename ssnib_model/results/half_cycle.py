"""One charge or discharge at constant current, and how it ended."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.steps import Status


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
    solution : pybamm.Solution or None
        None where there was nothing to solve.
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
    solution: pybamm.Solution | None = None
    reason: str = ""
    recovery: str = ""

    @property
    def ending(self) -> str:
        """How it ended, as tables say it: the status, and why where it failed."""
        return f"failed: {self.reason}" if self.status is Status.FAILED else str(self.status)

    @property
    def duration(self) -> float:
        """Time to the cut-off [s]."""
        return 0.0 if self.solution is None else float(self.solution.t[-1] - self.solution.t[0])

    @property
    def capacity(self) -> float:
        """Charge passed [A.h]; NaN if the half-cycle failed."""
        failed = self.status is Status.FAILED
        return math.nan if failed else abs(self.current) * self.duration / 3600

    @functools.cached_property
    def energy(self) -> float:
        """Energy passed [W.h]; NaN if the half-cycle failed."""
        if self.solution is None:
            return 0.0 if self.status is Status.AT_START else math.nan
        start, end = self.solution["Discharge energy [W.h]"](t=self.solution.t[[0, -1]])
        return float(abs(end - start))

    def at(self, variable: str, fraction: ArrayLike) -> np.ndarray:
        """A variable at fractions of the half-cycle (0 to 1); NaN if there is no solution."""
        fraction = np.asarray(fraction, dtype=float)
        if self.solution is None:
            return np.full_like(fraction, math.nan)
        # the products may miss the ends by round-off, outside the interpolant
        start, end = self.solution.t[0], self.solution.t[-1]
        times = np.clip(start + fraction * (end - start), start, end)
        return self.solution[variable](t=times)
