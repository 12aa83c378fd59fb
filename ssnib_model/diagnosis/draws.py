"""Draws of all uncertain parameters together, given the data.

By randomised maximum likelihood (Oliver et al., Math. Geol. 28 (1996) 67; Bardsley et al., SIAM J.
Sci. Comput. 36 (2014) A1895): every draw is the best point for data with errors of their own and
for a mean of the priors that is drawn from them. It is exact where the data depend on the
parameters linearly; parameters that the data do not tell keep what the prior gave them. The number
of parameters costs nothing, as the derivatives are those of one point, corrected on the way.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import lsq_linear
from scipy.stats import chi2

from ssnib_model.diagnosis.choice import spreads
from ssnib_model.diagnosis.limits import losses
from ssnib_model.fits.misfit import misfits
from ssnib_model.fits.problem import FitProblem

#: Evaluations of one draw at most, and of the best point of all.
STEPS, BEST_STEPS = 10, 25

#: A cost that falls by less than this is as low as it gets.
SETTLED = 0.1

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
        Overpotentials of each half-cycle that is looked at; none where it was not asked for.
    """

    unit: np.ndarray
    cost: float
    values: np.ndarray
    losses: list[pd.Series] = field(default_factory=list)


class Joint:
    """Data, priors and misfit of all uncertain parameters, as one vector of residuals.

    Parameters
    ----------
    problem : FitProblem
        Fitted and varied parameters.
    jacobian : numpy.ndarray
        Derivatives of the residuals of the data near the best point, shape (n, k).
    centre : numpy.ndarray
        The values of the set, shape (k,): of the best point the prior's mean is there.
    """

    def __init__(self, problem: FitProblem, jacobian: np.ndarray, centre: np.ndarray):
        self.problem, self.jacobian, self.centre = problem, jacobian, centre
        self.means, self.widths = np.transpose(spreads(problem))
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
        self, start: np.ndarray, mean: np.ndarray, noise: np.ndarray, steps: int
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

        unit, k = start, len(start)
        jacobian = self.root @ (self.jacobian * self.used[:, None])
        values, residuals, cost = evaluate(unit)
        damping = 0.0
        for _ in range(steps):
            system = np.vstack([jacobian, np.diag(1 / self.widths), damping * np.eye(k)])
            wanted = np.concatenate([-residuals, (mean - unit) / self.widths, np.zeros(k)])
            step = lsq_linear(system, wanted, (-unit - 1e-12, 1 - unit + 1e-12), method="bvls").x
            new = np.clip(unit + step, 0.0, 1.0)
            moved = new - unit
            length = float(moved @ moved)
            if length < 1e-14:
                break
            there, found, newer = evaluate(new)
            jacobian += np.outer(found - residuals - jacobian @ moved, moved) / length
            if newer >= cost:
                if cost - newer > -SETTLED and length < 1e-6:
                    break
                damping = max(4 * damping, float(np.sqrt(cost)))
                continue
            gain, damping = cost - newer, 0.25 * damping
            unit, values, residuals, cost = new, there, found, newer
            if gain < SETTLED:
                break
        return unit, values

    def cost(self, unit: np.ndarray, values: np.ndarray) -> float:
        """Of the data as they are and the priors."""
        residuals = self.root @ self.residuals_of(values)
        prior = (unit - self.means) / self.widths
        return float(residuals @ residuals + prior @ prior)

    def best(self, start: np.ndarray) -> Draw:
        """The best point of all parameters."""
        none = np.zeros(len(self.problem.measured))
        unit, values = self.search(start, self.centre, none, BEST_STEPS)
        return Draw(unit, self.cost(unit, values), values, self._losses(unit))

    def draw(self, seed: Sequence[int], start: np.ndarray, with_losses: bool) -> Draw:
        """One draw, the same one for the same seed."""
        rng = np.random.default_rng(seed)
        mean = np.array([self._prior(rng, i) for i in range(len(start))])
        noise = rng.normal(size=len(self.problem.measured)) * self.used
        begin = start + self._gain(start) * (mean - self.centre)
        unit, values = self.search(np.clip(begin, 0, 1), mean, noise, STEPS)
        losses = self._losses(unit) if with_losses else []
        return Draw(unit, self.cost(unit, values), values, losses)

    def _prior(self, rng: np.random.Generator, i: int) -> float:
        """A draw from the prior of a parameter."""
        if self.problem.free[i].prior is None:
            return float(rng.uniform())
        while True:  # its bounds are three standard deviations away
            value = float(rng.normal(self.means[i], self.widths[i]))
            if 0 <= value <= 1:
                return value

    def _gain(self, start: np.ndarray) -> np.ndarray:
        """How much of the prior is left of each parameter: where a search may begin."""
        weighted = self.root @ (self.jacobian * self.used[:, None])
        information = weighted.T @ weighted + np.diag(self.widths**-2.0)
        return np.diag(np.linalg.inv(information)) / self.widths**2

    def _losses(self, unit: np.ndarray) -> list[pd.Series]:
        return losses(self.problem, unit)


def plausible(draws: Sequence[Draw], best: Draw) -> list[Draw]:
    """Draws that the data and priors allow: the others have not found their way."""
    k = len(best.unit)
    limit = best.cost + float(chi2.isf(UNLIKELY, k)) + k
    return [d for d in draws if np.isfinite(d.cost) and d.cost <= limit]


# ---------------------------------------------------------------- in processes
def all_draws(
    joint: Joint,
    start: np.ndarray,
    n: int,
    with_losses: int,
    seed: int,
    workers: int,
    advance: Callable[[], None],
) -> tuple[list[Draw], bool]:
    """Draws of number 0 to n - 1, and whether Ctrl-C ended the drawing.

    Parameters
    ----------
    joint : Joint
        What is drawn from.
    start : numpy.ndarray
        The best point, shape (k,).
    n, with_losses : int
        Number of draws, and of those whose overpotentials are worked out, the first ones.
    seed : int
        Of the random numbers; the number of workers changes nothing.
    workers : int
        Processes.
    advance : callable
        Called after each draw.
    """
    found: dict[int, Draw] = {}
    jobs = [(number, ([seed, number], start, number < with_losses)) for number in range(n)]
    interrupted = False
    try:
        if workers == 1:
            for number, job in jobs:
                found[number] = joint.draw(*job)
                advance()
        else:
            with _processes(joint, workers) as pool:
                tasks: dict[Future[Draw], int] = {
                    pool.submit(_draw, *job): number for number, job in jobs
                }
                for task in as_completed(tasks):
                    found[tasks[task]] = task.result()
                    advance()
    except KeyboardInterrupt:
        interrupted = True
    return [found[number] for number in sorted(found)], interrupted


_worker: dict[str, Any] = {}


@contextlib.contextmanager
def _processes(joint: Joint, workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (joint,))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        # what is under way is not waited for, and nobody wants it
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        raise


def _begin(joint: Joint) -> None:
    # the main process hears Ctrl-C
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker["joint"] = joint


def _draw(*job: Any) -> Draw:
    return _worker["joint"].draw(*job)
