"""Misfit of the model as a term of its own, in standard deviations of the data.

A value of the data is the model's, plus the error of the measurement, plus a misfit. The misfit
is a Gaussian process of mean 0 (Kennedy & O'Hagan, J. R. Stat. Soc. B 63 (2001) 425), with one
amplitude a kind of data: along a curve or a spectrum near values have nearly the same misfit, and
single values, a capacity for example, one each, which is a larger sigma. The amplitudes are
unknown; they are integrated out on a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ssnib_model.fits.data import Data

#: Amplitudes are integrated from a misfit far below the errors of the data to one far above
#: everything.
SMALLEST, LARGEST = 1e-3, 1e6


@dataclass(frozen=True)
class Misfit:
    """The likelihood of the residuals of one kind of data, amplitude integrated out.

    Attributes
    ----------
    kind : str
        The quantity, "Voltage [V]" for example.
    at : numpy.ndarray
        Places of its values among all data, shape (n,).
    axes, spread : numpy.ndarray
        Eigenvectors (n, n) and eigenvalues (n,) of the correlation of the misfit.
    amplitudes, log_prior : numpy.ndarray
        Nodes in standard deviations of the data, and the logarithm of the prior's part in each,
        shape (m,): half-Cauchy of scale 1, which holds as much above sigma as below.
    """

    kind: str
    at: np.ndarray
    axes: np.ndarray
    spread: np.ndarray
    amplitudes: np.ndarray
    log_prior: np.ndarray

    @classmethod
    def of(cls, kind: str, at: np.ndarray, correlation: np.ndarray) -> Misfit:
        """From the places of the values and the correlation (n, n) of their misfits."""
        spread, axes = np.linalg.eigh(correlation)
        # the logarithm of an amplitude is known to 1/sqrt(2n) at best: nodes finer than that
        step = 1 / np.sqrt(len(at) + 10.0)
        logs = np.arange(np.log(SMALLEST), np.log(LARGEST), step)
        amplitudes = np.exp(logs)
        prior = amplitudes / (1 + amplitudes**2)
        return cls(
            kind, at, axes, np.maximum(spread, 0.0), amplitudes, np.log(prior / prior.sum())
        )

    def log_terms(self, residuals: np.ndarray) -> np.ndarray:
        """Logarithm of likelihood times prior at each node, but for the constant of sigma.

        Parameters
        ----------
        residuals : numpy.ndarray
            Of this kind, in standard deviations, shape (n,).

        Returns
        -------
        numpy.ndarray
            Shape (m,).
        """
        square = (residuals @ self.axes) ** 2
        variance = 1 + self.amplitudes[:, None] ** 2 * self.spread
        return self.log_prior - 0.5 * (square / variance + np.log(variance)).sum(axis=1)

    def log_likelihood(self, residuals: np.ndarray) -> float:
        """Of the residuals, but for the constant of sigma."""
        return float(np.logaddexp.reduce(self.log_terms(residuals)))

    def amplitude(self, residuals: np.ndarray) -> float:
        """Root mean square of the amplitude, given the residuals."""
        terms = self.log_terms(residuals)
        part = np.exp(terms - np.logaddexp.reduce(terms))
        return float(np.sqrt(part @ self.amplitudes**2))

    def inverse(self, amplitude: float) -> np.ndarray:
        """Inverse covariance of error and misfit at an amplitude, shape (n, n)."""
        return (self.axes / (1 + amplitude**2 * self.spread)) @ self.axes.T


def misfits(data: Sequence[Data], used: np.ndarray) -> list[Misfit]:
    """One a kind of data.

    Parameters
    ----------
    data : sequence of Data
        In the order of the residuals.
    used : numpy.ndarray of bool
        Which of all values there are residuals of.
    """
    kinds = np.array([kind for d in data for kind in d.kinds])
    of = np.concatenate([np.full(len(d.measured), i) for i, d in enumerate(data)])
    along = np.concatenate([d.along for d in data])
    found = []
    for kind in dict.fromkeys(kinds[used].tolist()):
        at = np.flatnonzero(used & (kinds == kind))
        distance = np.abs(along[at, None] - along[at])
        # Matern 3/2: continuous and smooth, as a wrong curve is
        near = (1 + np.sqrt(3) * distance) * np.exp(-np.sqrt(3) * distance)
        same = of[at, None] == of[at]
        correlation = np.where(same & np.isfinite(near), near, 0.0)
        np.fill_diagonal(correlation, 1.0)
        found.append(Misfit.of(str(kind), at, correlation))
    return found
