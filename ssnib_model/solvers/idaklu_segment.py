"""A step solved by PyBaMM."""

from __future__ import annotations

import functools

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.solvers.preflight import UNIFORMITY


class IdakluSegment:
    """A step as a ``pybamm.Solution``, in the manner of `ssnib_model.steps.Segment`."""

    def __init__(self, solution: pybamm.Solution):
        self.solution = solution

    def _at(self, variable: str, t: ArrayLike) -> np.ndarray:
        start, end = self.solution.t[[0, -1]]
        # the times may miss the ends by round-off, outside the interpolant
        times = np.clip(start + np.asarray(t, dtype=float), start, end)
        return self.solution[variable](t=times)

    def _change(self, variable: str) -> float:
        start, end = self.solution[variable](t=self.solution.t[[0, -1]])
        return float(end - start)

    @property
    def times(self) -> np.ndarray:
        """See `Segment`."""
        return self.solution.t - self.solution.t[0]

    @property
    def duration(self) -> float:
        """See `Segment`."""
        return float(self.solution.t[-1] - self.solution.t[0])

    @functools.cached_property
    def charge(self) -> float:
        """See `Segment`."""
        return self._change("Discharge capacity [A.h]")

    @functools.cached_property
    def energy(self) -> float:
        """See `Segment`."""
        return self._change("Discharge energy [W.h]")

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Voltage [V]", t)

    def current(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Current [A]", t)

    def passed(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Discharge capacity [A.h]", t) - self._at("Discharge capacity [A.h]", 0)

    @property
    def uniformity(self) -> float | None:
        """See `Segment`."""
        if UNIFORMITY not in self.solution.all_models[0].variables:
            return None
        return float(self._at(UNIFORMITY, self.duration / 2))
