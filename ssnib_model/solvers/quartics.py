"""Between the samples that the structured solver keeps of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

#: A step of the integrator has samples at its quarters, through which a quartic goes.
SAMPLES_A_STEP = 4
_POWERS = np.arange(SAMPLES_A_STEP + 1)
_TO_POLYNOMIAL = np.linalg.inv(np.vander(_POWERS / SAMPLES_A_STEP, increasing=True))


class Quartics:
    """The quartics through the samples of every step, at given times.

    Parameters
    ----------
    t : numpy.ndarray
        Times of the samples, four a step and that of the start.
    times : numpy.ndarray
        Times between the first and the last of them.
    """

    def __init__(self, t: np.ndarray, times: np.ndarray):
        self._ends = t[::SAMPLES_A_STEP]
        self._shape = times.size, t.size
        self._after = self._place(times, "right")
        self._value = self._matrix(*self._after[:1], self._after[1][:, None] ** _POWERS)
        # where two steps meet their slopes differ by what the solver's tolerance allows
        sides = [self._slopes(*side) for side in (self._place(times, "left"), self._after)]
        self._rate = (sides[0] + sides[1]) / 2

    def _place(self, times: np.ndarray, side: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Step, place in it from 0 to 1, and its length."""
        last = self._ends.size - 2
        step = np.clip(np.searchsorted(self._ends, times, side=side) - 1, 0, last)
        length = np.diff(self._ends)[step]
        return step, (times - self._ends[step]) / length, length

    def _slopes(
        self, step: np.ndarray, u: np.ndarray, length: np.ndarray
    ) -> scipy.sparse.csr_array:
        powers = _POWERS * u[:, None] ** np.maximum(_POWERS - 1, 0)
        return self._matrix(step, powers / length[:, None])

    def _matrix(self, step: np.ndarray, powers: np.ndarray) -> scipy.sparse.csr_array:
        """What makes values at the times of samples, for powers of the place in the step."""
        columns = SAMPLES_A_STEP * step[:, None] + _POWERS
        rows = np.broadcast_to(np.arange(step.size)[:, None], columns.shape)
        weights = powers @ _TO_POLYNOMIAL
        where = rows.ravel(), columns.ravel()
        return scipy.sparse.csr_array((weights.ravel(), where), shape=self._shape)

    def values(self, samples: np.ndarray) -> np.ndarray:
        """Values at the times, of samples along the first axis."""
        return _apply(self._value, samples)

    def rates(self, samples: np.ndarray) -> np.ndarray:
        """Derivatives with time; where two steps meet the mean of both."""
        return _apply(self._rate, samples)

    def integrals(self, samples: np.ndarray) -> np.ndarray:
        """Integrals from the first sample to the times, of samples in one dimension."""
        step, u, length = self._after
        steps = _by_step(samples)
        areas = np.diff(self._ends) * (steps @ (1 / (_POWERS + 1) @ _TO_POLYNOMIAL))
        before = np.concatenate([[0.0], np.cumsum(areas)])[step]
        weights = u[:, None] ** (_POWERS + 1) / (_POWERS + 1) @ _TO_POLYNOMIAL
        return before + length * (weights * steps[step]).sum(axis=1)


def corners(t: np.ndarray, samples: np.ndarray, tolerance: float) -> np.ndarray:
    """Times where two steps meet at slopes that no cubic on either side could share.

    Parameters
    ----------
    t : numpy.ndarray
        Times of the samples.
    samples : numpy.ndarray
        Shape (n, points).
    tolerance : float
        What the mean of both slopes may change between the samples there.
    """
    ends = t[::SAMPLES_A_STEP]
    lengths = np.diff(ends)[:, None]
    steps = np.stack([samples[n : n + samples.shape[0] - 4 : 4] for n in _POWERS])
    starts, stops = (
        np.tensordot((_POWERS * u ** np.maximum(_POWERS - 1, 0)) @ _TO_POLYNOMIAL, steps, 1)
        / lengths
        for u in (0.0, 1.0)
    )
    quarter = np.maximum(lengths[1:], lengths[:-1]) / SAMPLES_A_STEP
    # a cubic takes up to 4/27 of a wrong slope at its end
    missed = 4 / 27 * quarter * np.abs(starts[1:] - stops[:-1]) / 2
    return ends[1:-1][(missed > tolerance).any(axis=1)]


def _by_step(samples: np.ndarray) -> np.ndarray:
    """Samples of every step, shape (steps, 5)."""
    return np.lib.stride_tricks.sliding_window_view(samples, _POWERS.size)[::SAMPLES_A_STEP]


def _apply(matrix: scipy.sparse.csr_array, samples: np.ndarray) -> np.ndarray:
    return (matrix @ samples.reshape(len(samples), -1)).reshape(-1, *samples.shape[1:])
