"""One charge or discharge at constant current, and how it ended."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pybamm

#: A half-cycle starts beyond its cut-off: the ohmic drop alone exceeds the window.
AT_START = "cut-off reached at start"

#: A discharge that ended because the alloy had no sodium left, not the cathode no room.
ANODE_EMPTY = "anode empty"
#: Rise of the alloy's potential [V] that says so: more than all its plateaus span.
ANODE_EMPTY_RISE = 0.6


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current, and how it ended.

    Attributes
    ----------
    rate : float
        C-rate, positive.
    direction : str
        "charge" or "discharge".
    cycle : int
        Number of the cycle at this rate, from 1.
    current : float
        Current [A], positive on discharge.
    status : str
        "ok", "cut-off reached at start", "anode empty" or "failed: <reason>".
    solution : pybamm.Solution or None
        None where there was nothing to solve.
    reason : str
        Why it could not start at all; "" where it could.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    """

    rate: float
    direction: str
    cycle: int
    current: float
    status: str
    solution: pybamm.Solution | None = None
    reason: str = ""
    recovery: str = ""

    @property
    def duration(self) -> float:
        """Time to the cut-off [s]."""
        return 0.0 if self.solution is None else self.solution.t[-1] - self.solution.t[0]

    @property
    def capacity(self) -> float:
        """Charge passed [A.h]; NaN if the half-cycle failed."""
        failed = self.status.startswith("failed")
        return math.nan if failed else abs(self.current) * self.duration / 3600

    @functools.cached_property
    def energy(self) -> float:
        """Energy passed [W.h]; NaN if the half-cycle failed."""
        if self.solution is None:
            return self.capacity * math.nan if self.status != AT_START else 0.0
        start, end = self.solution["Discharge energy [W.h]"](t=self.solution.t[[0, -1]])
        return float(abs(end - start))

    def at(self, variable: str, fraction) -> np.ndarray:
        """A variable at fractions of the half-cycle (0 to 1); NaN if there is no solution."""
        fraction = np.asarray(fraction, dtype=float)
        if self.solution is None:
            return np.full_like(fraction, math.nan)
        # the products may miss the ends by round-off, outside the interpolant
        start, end = self.solution.t[0], self.solution.t[-1]
        times = np.clip(start + fraction * (end - start), start, end)
        return self.solution[variable](t=times)


def ended(solution) -> str:
    """Status of a half-cycle that reached its cut-off."""
    anode = solution["Negative electrode open-circuit potential [V]"]
    start, end = anode(t=solution.t[[0, -1]])
    return ANODE_EMPTY if end - start > ANODE_EMPTY_RISE else "ok"
