"""A step that was taken in pieces."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.solvers.solution import LazySolution
from ssnib_model.steps import Segment


class SegmentOfPieces:
    """Several segments one after the other, in the manner of `ssnib_model.steps.Segment`.

    Parameters
    ----------
    pieces : sequence of Segment
        Two or more.
    """

    def __init__(self, pieces: Sequence[Segment]):
        self._pieces = pieces
        durations = [piece.duration for piece in pieces]
        self._starts = np.concatenate([[0.0], np.cumsum(durations)])
        charges = [piece.charge for piece in pieces]
        self._charges = np.concatenate([[0.0], np.cumsum(charges)])

    @property
    def duration(self) -> float:
        """See `Segment`."""
        return float(self._starts[-1])

    @property
    def charge(self) -> float:
        """See `Segment`."""
        return float(self._charges[-1])

    @property
    def energy(self) -> float:
        """See `Segment`."""
        return float(sum(piece.energy for piece in self._pieces))

    @functools.cached_property
    def times(self) -> np.ndarray:
        """See `Segment`."""
        later = zip(self._starts, self._pieces, strict=False)
        return np.concatenate([[0.0], *(start + piece.times[1:] for start, piece in later)])

    def _each(self, t: ArrayLike, read: Callable[[int, np.ndarray], np.ndarray]) -> Any:
        """Values at times, read of the piece of each; where two meet, of the first."""
        times = np.asarray(t, dtype=float)
        flat = times.ravel()
        last = len(self._pieces) - 1
        of = np.clip(np.searchsorted(self._starts, flat, side="left") - 1, 0, last)
        found = np.empty(flat.shape)
        for n in np.unique(of).tolist():
            own = flat[of == n] - self._starts[n]
            found[of == n] = read(n, np.clip(own, 0.0, self._pieces[n].duration))
        return found.reshape(times.shape)[()]

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._each(t, lambda n, own: self._pieces[n].voltage(own))

    def current(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._each(t, lambda n, own: self._pieces[n].current(own))

    def passed(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._each(t, lambda n, own: self._charges[n] + self._pieces[n].passed(own))

    @property
    def uniformity(self) -> float | None:
        """See `Segment`."""
        half = int(np.searchsorted(self._starts, self.duration / 2)) - 1
        return self._pieces[half].uniformity

    @functools.cached_property
    def solution(self) -> pybamm.Solution:
        """See `Segment`; what ages stays as it is within each piece."""
        return LazySolution.of(functools.partial(_together, self._pieces, self._starts))


def _together(pieces: Sequence[Segment], starts: np.ndarray) -> dict[str, Any]:
    """Arguments of a ``pybamm.Solution`` of all pieces."""
    solutions = [piece.solution for piece in pieces]
    all_ts: list[np.ndarray] = []
    for start, solution in zip(starts, solutions, strict=False):
        for t in solution.all_ts:
            later = t + start
            if all_ts and later[0] <= all_ts[-1][-1]:
                # right after the last of the piece before: no time twice
                later[0] = np.nextafter(all_ts[-1][-1], np.inf)
            all_ts.append(later)
    arguments: dict[str, Any] = {"all_ts": all_ts}
    for name in ("all_ys", "all_yps", "all_models", "all_inputs"):
        arguments[name] = [part for solution in solutions for part in getattr(solution, name)]
    last = solutions[-1]
    if last.termination.startswith("event"):
        arguments |= {"termination": last.termination, "t_event": all_ts[-1][-1:]}
        arguments["y_event"] = last.y_event
    return arguments
