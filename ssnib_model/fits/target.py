"""The density that a posterior is drawn from: likelihood of the data times prior of the values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import log_ndtr

from ssnib_model.fits.free import UNIFORM, Bounded
from ssnib_model.fits.importance import Proposal, single
from ssnib_model.fits.misfit import misfits
from ssnib_model.fits.population import estimate
from ssnib_model.fits.problem import Answer, FitProblem

#: Quantiles of a spread from cell to cell that draws begin at.
SPREADS = (0.05, 0.25, 0.5, 0.75, 0.95)


class Target:
    """Logarithm of likelihood times prior on the unit box, each a density.

    The prior is uniform between the bounds of the scale that is fitted, times the Gaussian of a
    `Free.prior`, normalised over the box. The likelihood is Gaussian; with a misfit of the model
    its amplitudes are integrated out (`ssnib_model.fits.misfit`). A value that the best point
    has and another point has not counts at that point as it does in the search: it is all but
    impossible.

    Parameters
    ----------
    problem : FitProblem
        Data and free parameters.
    best : numpy.ndarray
        The best point, shape (k,).
    has_misfit : bool
        Whether the model may be wrong.
    """

    def __init__(self, problem: FitProblem, best: np.ndarray, has_misfit: bool):
        self.problem, self.best = problem, best
        answer = problem.answer(best)
        #: Which values can be simulated: the others say nothing.
        self.used = np.isfinite(problem.scaled(answer))
        self._at_best = self.residuals_of(answer.values)
        self.misfits = misfits(problem.data, self.used) if has_misfit else []
        self._constant = -float(np.log(problem.sigma[self.used] * math.sqrt(2 * math.pi)).sum())
        self._constant += sum(map(_log_normaliser, problem.free))
        #: Model values of every point so far, by its bytes.
        self.values: dict[bytes, np.ndarray] = {}
        #: Points that lack values, and why.
        self.lacking, self.reasons = 0, Counter[str]()

    def log_densities(self, units: np.ndarray) -> list[float]:
        """At points (n, k), which are simulated together."""
        answers = self.problem.answers(units)
        return [self._of(unit, answer) for unit, answer in zip(units, answers, strict=True)]

    def log_density(self, unit: np.ndarray) -> float:
        """At one point, which is simulated."""
        return self._of(unit, self.problem.answer(unit))

    def _of(self, unit: np.ndarray, answer: Answer) -> float:
        """At a point, given its answer."""
        self.values[unit.tobytes()] = answer.values
        residuals = self.residuals_of(answer.values)
        lacks = self.used & ~np.isfinite(answer.values)
        if lacks.any():
            self.lacking += 1
            self.reasons.update({answer.reasons[i] for i in np.flatnonzero(lacks)})
        # as in the search, and outside of what a misfit explains
        walls = self.problem.residuals_of(answer, unit)[: len(lacks)][lacks]
        total = self._constant - 0.5 * float(walls @ walls)
        priors = self.problem.priors(unit)
        total -= 0.5 * float(priors @ priors)
        total += sum(p.log_prior(unit) for p in self.problem.populations)
        if not self.misfits:
            return total - 0.5 * float(residuals @ residuals)
        return total + sum(m.log_likelihood(residuals[m.at]) for m in self.misfits)

    def residuals_of(self, values: np.ndarray) -> np.ndarray:
        """Residuals of the data in their standard deviations, 0 where there is none."""
        scaled = (values - self.problem.measured) / self.problem.sigma
        return np.where(self.used & np.isfinite(scaled), scaled, 0.0)

    @property
    def solves(self) -> int:
        """Number of times all data were simulated."""
        return self.problem.solves

    def amplitudes(self, simulated: np.ndarray) -> pd.Series:
        """Root mean square misfit by kind of data, in standard deviations.

        Parameters
        ----------
        simulated : numpy.ndarray
            Model values of draws of equal weight, shape (draws, n).
        """
        residuals = [self.residuals_of(values) for values in simulated]
        return pd.Series(
            {
                m.kind: float(np.sqrt(np.mean([m.amplitude(r[m.at]) ** 2 for r in residuals])))
                for m in self.misfits
            },
            dtype=float,
        )

    def proposal(self, jacobian: np.ndarray, covariance: np.ndarray) -> Proposal:
        """A proposal from the derivatives and the covariance at the best point.

        One t; where each cell has its own values, a mixture over how far they spread.
        """
        known = [estimate(p, self.best, covariance) for p in self.problem.populations]
        if not known:
            return self.gaussian(jacobian)
        spreads = np.array([e.spread_at(SPREADS) for e in known]).T
        parts = [self.gaussian(jacobian, at) for at in spreads]
        return Proposal(
            np.concatenate([p.centres for p in parts]),
            np.concatenate([p.roots for p in parts]),
            np.full(len(parts), 1 / len(parts)),
        )

    def gaussian(self, jacobian: np.ndarray, spreads: Sequence[float] = ()) -> Proposal:
        """A proposal from the derivatives at the best point.

        Where the data say little the prior's mean and variance stand in; at a bound, where the
        density falls from a value that is not its maximum, the length over which it does.

        Parameters
        ----------
        jacobian : numpy.ndarray
            Of the residuals and priors at the best point, as `FitProblem.jacobian`.
        spreads : sequence of float, optional
            Of each parameter that has a value for each cell.
        """
        n, k = len(self.used), len(self.best)
        residuals = self._at_best
        of_data, of_priors = jacobian[:n] * self.used[:, None], jacobian[n:]
        weighted = of_data.copy()
        for m in self.misfits:
            weighted[m.at] = m.inverse(m.amplitude(residuals[m.at])) @ of_data[m.at]
        priors = self.problem.priors(self.best)
        information = weighted.T @ of_data + of_priors.T @ of_priors
        slope = -(weighted.T @ residuals + of_priors.T @ priors)
        for population, spread in zip(self.problem.populations, spreads, strict=True):
            at, precision = population.at, population.precision(spread)
            information[np.ix_(at, at)] += precision
            slope[at] -= precision @ self.best[at]
        outward = ((self.best < 1e-4) & (slope < 0)) | ((self.best > 1 - 1e-4) & (slope > 0))
        information += np.diag(np.where(outward, slope**2, 0.0)) + UNIFORM * np.eye(k)
        step = np.linalg.solve(
            information, np.where(outward, 0.0, slope) + UNIFORM * (0.5 - self.best)
        )
        covariance = np.linalg.inv(information)
        return single(np.clip(self.best + step, 0, 1), 0.5 * (covariance + covariance.T))


def _log_normaliser(free: Bounded) -> float:
    """What makes the prior of one parameter a density over its range."""
    if free.prior is None:
        return 0.0
    mean, deviation = free.prior
    low, high = ((free.scaled(v) - free.scaled(mean)) / deviation for v in (free.low, free.high))
    if low > 0:  # the same on the side where it has digits
        low, high = -high, -low
    log_part = log_ndtr(high) + math.log1p(-math.exp(log_ndtr(low) - log_ndtr(high)))
    return -float(log_part) - math.log(deviation * math.sqrt(2 * math.pi) / free.span)
