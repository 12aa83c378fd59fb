"""Draws of all uncertain parameters together, given the data.

By randomised maximum likelihood (Oliver et al., Math. Geol. 28 (1996) 67; Bardsley et al., SIAM J.
Sci. Comput. 36 (2014) A1895): every draw is the best point for data with errors of their own and
for a mean of the priors that is drawn from them. It is exact where the data depend on the
parameters linearly; parameters that the data do not tell keep what the prior gave them. The number
of parameters costs nothing, as the derivatives are those of one point, corrected on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import lsq_linear
from scipy.stats import chi2

from ssnib_model.diagnosis.choice import Problems
from ssnib_model.fits.misfit import misfits

#: Evaluations of one draw at most, of a search for the best point of all, and such searches.
STEPS, BEST_STEPS, ROUNDS = 15, 12, 8

#: A cost that falls by less than this is as low as it gets: of the best point, and of a draw, of
#: which costs differ by their number of parameters anyway.
SETTLED, DRAWN = 0.1, 1.0

#: A draw that the data and priors allow with less than this probability has not found its way.
UNLIKELY = 1e-4


@dataclass
class Draw:
    """One draw.

    Attributes
    ----------
    unit : numpy.ndarray
        Between the bounds, shape (k,).
    cost : float
        Squares of the residuals of data and priors, the data as they are.
    values : numpy.ndarray
        All data as simulated, shape (n,).
    losses : list of pandas.Series
        Overpotentials of each half-cycle that is looked at; none where nobody has asked.
    """

    unit: np.ndarray
    cost: float
    values: np.ndarray
    losses: list[pd.Series] = field(default_factory=list)


class Joint:
    """Data, priors and misfit of all uncertain parameters, as one vector of residuals.

    Parameters
    ----------
    problems : Problems
        Of the fitted and varied parameters.
    jacobian : numpy.ndarray
        Derivatives of the residuals of the data at the values of the set, shape (n, k).
    """

    def __init__(self, problems: Problems, jacobian: np.ndarray):
        problem = problems.quick
        self.problems, self.problem, self.jacobian = problems, problem, jacobian
        #: The values of the set, where the mean of the priors is for the best point.
        self.centre = problem.start()
        self.means, self.widths = np.transpose([f.unit_prior for f in problem.free])
        self.used = np.ones(len(problem.measured), dtype=bool)
        self.root = np.eye(len(problem.measured))
        #: Amplitude of the misfit in standard deviations, by kind of data; empty: none.
        self.misfit: dict[str, float] = {}

    def widen(self, values: np.ndarray) -> None:
        """Allow the model to be wrong by as much as it is, for one amplitude a kind of data.

        See `ssnib_model.fits.misfit`: along curves it is wrong alike.
        """
        residuals = self.residuals_of(values)
        for m in misfits(self.problem.data, self.used):
            amplitude = m.amplitude(residuals[m.at])
            self.misfit[m.kind] = amplitude
            # a root of the inverse covariance
            self.root[np.ix_(m.at, m.at)] = (m.axes / np.sqrt(1 + amplitude**2 * m.spread)).T

    def residuals_of(self, values: np.ndarray) -> np.ndarray:
        """Of data as simulated, in standard deviations; 0 of those that say nothing."""
        problem = self.problem
        wall = np.maximum(100.0, np.abs(problem.measured) / problem.sigma)
        scaled = (values - problem.measured) / problem.sigma
        return np.where(self.used, np.where(np.isfinite(scaled), scaled, wall), 0.0)

    def search(
        self, start: np.ndarray, mean: np.ndarray, noise: np.ndarray, steps: int, settled: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best point for a mean of the priors and errors of the data, and what it gives.

        Gauss-Newton steps inside the bounds, damped where one fails, with derivatives that are
        corrected by every evaluation (Broyden, Math. Comput. 19 (1965) 577).
        """

        def evaluate(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
            values = self.problem.answer(unit).values
            residuals = self.root @ self.residuals_of(values) + noise
            prior = (unit - mean) / self.widths
            return values, residuals, float(residuals @ residuals + prior @ prior)

        unit = start
        jacobian = self.root @ (self.jacobian * self.used[:, None])
        values, residuals, cost = evaluate(unit)
        damping = 0.0
        for _ in range(steps):
            new = self._step(unit, jacobian, residuals, mean, damping)
            moved = new - unit
            length = float(moved @ moved)
            there, prior = residuals + jacobian @ moved, (new - mean) / self.widths
            # what there is to gain is too little to look for
            if cost - float(there @ there + prior @ prior) < settled or length < 1e-14:
                break
            newest, found, newer = evaluate(new)
            # a step that went too far says nothing of the derivatives here
            if newer < 2 * cost:
                jacobian += np.outer(found - there, moved) / length
            if newer >= cost:
                damping = max(4 * damping, float(np.sqrt(cost)))
                continue
            damping *= 0.25
            unit, values, residuals, cost = new, newest, found, newer
        return unit, values

    def _step(
        self,
        unit: np.ndarray,
        jacobian: np.ndarray,
        residuals: np.ndarray,
        mean: np.ndarray,
        damping: float = 0.0,
    ) -> np.ndarray:
        """Where the cost is least inside the bounds if residuals are linear."""
        k = len(unit)
        system = np.vstack([jacobian, np.diag(1 / self.widths), damping * np.eye(k)])
        wanted = np.concatenate([-residuals, (mean - unit) / self.widths, np.zeros(k)])
        step = lsq_linear(system, wanted, (-unit - 1e-12, 1 - unit + 1e-12), method="bvls").x
        return np.clip(unit + step, 0.0, 1.0)

    def cost(self, unit: np.ndarray, values: np.ndarray) -> float:
        """Of the data as they are and the priors."""
        residuals = self.root @ self.residuals_of(values)
        prior = (unit - self.means) / self.widths
        return float(residuals @ residuals + prior @ prior)

    def best(self, start: np.ndarray | None = None) -> Draw:
        """The best point of all parameters, from the values of the set or elsewhere.

        The derivatives are those of the last point of a search, which begins again there as long
        as that makes a difference.
        """
        none = np.zeros(len(self.problem.measured))
        unit, last = self.centre, np.inf
        if start is not None:
            unit, self.jacobian = start, self.problems.derivatives(start)
        for _ in range(ROUNDS):
            unit, values = self.search(unit, self.centre, none, BEST_STEPS, SETTLED)
            cost = self.cost(unit, values)
            self.jacobian = self.problems.derivatives(unit)
            if last - cost < max(SETTLED, 0.005 * cost):
                break
            last = cost
        return Draw(unit, cost, values)

    def draw(self, seed: Sequence[int], best: Draw) -> Draw:
        """One draw, the same one for the same seed, from the best point on."""
        rng = np.random.default_rng(seed)
        mean = np.array([self._prior(rng, i) for i in range(len(best.unit))])
        noise = rng.normal(size=len(self.problem.measured)) * self.used
        jacobian = self.root @ (self.jacobian * self.used[:, None])
        residuals = self.root @ self.residuals_of(best.values) + noise
        # all of the step that is the answer if nothing bends: better than to creep along a ridge
        begin = self._step(best.unit, jacobian, residuals, mean)
        unit, values = self.search(begin, mean, noise, STEPS, DRAWN)
        return Draw(unit, self.cost(unit, values), values)

    def _prior(self, rng: np.random.Generator, i: int) -> float:
        """A draw from the prior of a parameter."""
        if self.problem.free[i].prior is None:
            return float(rng.uniform())
        while True:  # its bounds are three standard deviations away
            value = float(rng.normal(self.means[i], self.widths[i]))
            if 0 <= value <= 1:
                return value


def plausible(draws: Sequence[Draw], best: Draw) -> list[Draw]:
    """Draws that the data and priors allow: the others have not found their way."""
    k = len(best.unit)
    limit = best.cost + float(chi2.isf(UNLIKELY, k)) + k
    return [d for d in draws if np.isfinite(d.cost) and d.cost <= limit]
