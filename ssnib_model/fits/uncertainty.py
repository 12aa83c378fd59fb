"""What the uncertainty of a fit means: draws, predictions with bands, profiles, a posterior.

Everything here is a function of a result of `fit`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ParameterError, SSNIBError
from ssnib_model.fits.data import CAPACITY, GAP, MASS, TEMPERATURE, cycles_at, read_quantity
from ssnib_model.fits.free import is_whole
from ssnib_model.fits.problem import FitProblem
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest


class Fitted(Protocol):
    """What is asked of a `FitResult`, which hands on to the functions here."""

    problem: FitProblem
    unit: np.ndarray
    values: dict[str, float]
    covariance: np.ndarray

    @property
    def widening(self) -> float:
        """Factor of the standard errors in a misfit."""

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Draws of the parameters on their unit scale."""


def sample(result: Fitted, n: int, seed: int = 0) -> np.ndarray:
    """Draws of the parameters on their unit scale.

    From the Gaussian of the covariance, cut at the bounds: a direction that the data leave
    open fills its range. In a misfit the covariance is scaled by chi2/dof.

    Parameters
    ----------
    result : FitResult
        Of `ssnib_model.fits.search.fit`.
    n : int
        Number of draws.
    seed : int, optional
        Of the random numbers.

    Returns
    -------
    numpy.ndarray
        Shape (n, k).
    """
    rng = np.random.default_rng(seed)
    variances, axes = np.linalg.eigh(result.covariance * result.widening**2)
    widths = np.sqrt(np.clip(variances, 0, 1.0))
    draws = np.empty((0, len(result.unit)))
    while len(draws) < n:
        new = result.unit + (rng.normal(size=(4 * n, len(result.unit))) * widths) @ axes.T
        inside = ((new >= 0) & (new <= 1)).all(axis=1)
        # at a bound nearly all draws fall outside: bring back the rest
        new = new[inside] if inside.mean() > 0.01 else np.clip(new, 0, 1)
        draws = np.vstack([draws, new])
    return draws[:n]


def predict(
    result: Fitted,
    rates: Iterable[float],
    *,
    temperature: float | None = None,
    data: str | None = None,
    n: int = 50,
    seed: int = 0,
    test: RateTest | None = None,
) -> pd.DataFrame:
    """Capacities and gaps of a rate test with what the parameters' uncertainty makes of them.

    Parameters
    ----------
    result : FitResult
        Of `ssnib_model.fits.search.fit`.
    rates : iterable of float
        C-rates to predict.
    temperature : float, optional
        [K]; default: that of the set.
    data : str, optional
        Data set whose own values of parameters hold.
    n, seed : int, optional
        Number of draws and their seed.
    test : RateTest, optional
        The protocol; default: ``rates`` in turn. Where it comes back to a rate, its last block
        counts.

    Returns
    -------
    pandas.DataFrame
        One row a rate and quantity: "C-rate", "Quantity", "Best", "Low", "High" (2.5 and
        97.5 % of the draws that give a value), "Without a value" (part of the draws that do
        not).

    Raises
    ------
    OptionError
        If ``data`` is no data set of the fit, ``n`` no number of draws, or ``test`` lacks one of
        the rates.
    """
    rates = list(dict.fromkeys(rates))
    names = [d.name for d in result.problem.data]
    if data is not None and data not in names:
        raise OptionError(f"data is {data!r}: it must be one of the data sets, {names}")
    if not is_whole(n) or n < 1:
        raise OptionError(f"n is {n!r}: at least one draw is needed")
    test = test or RateTest(rates)
    places = {rate: cycles_at(test, rate) for rate in rates}
    for rate, found in places.items():
        if not found:
            raise OptionError(f"{rate!r} is to be predicted, but test has {test.rates} only")
    points = [(rate, column) for rate in rates for column in (CAPACITY, GAP)]
    problem = result.problem

    def cell(unit: np.ndarray) -> ParameterSet:
        parameters = problem.parameters_for(unit, data)
        return (
            parameters if temperature is None else parameters.replace({TEMPERATURE: temperature})
        )

    best = cell(result.unit)
    prepared = test.prepare(
        MODELS[problem.model](best.model_options),
        best,
        varying=problem.varying(data),
        solver=problem.solver,
    )

    def simulate(parameters: ParameterSet) -> np.ndarray:
        half_cycles, mass = prepared.half_cycles(parameters), parameters[MASS]
        return np.array(
            [read_quantity(half_cycles, column, *places[r][-1], mass) for r, column in points]
        )

    def draw(unit: np.ndarray) -> np.ndarray:
        try:
            return simulate(cell(unit))
        except ParameterError:  # values that cannot be together
            return np.full(len(points), np.nan)

    center = simulate(best)
    draws = np.array([draw(unit) for unit in sample(result, int(n), seed)])
    bands = np.full((2, len(points)), np.nan)
    there = np.isfinite(draws)
    for i in np.flatnonzero(there.any(axis=0)):
        bands[:, i] = np.percentile(draws[there[:, i], i], [2.5, 97.5])
    return pd.DataFrame(
        {
            "C-rate": [rate for rate, _ in points],
            "Quantity": [column for _, column in points],
            "Best": center,
            "Low": bands[0],
            "High": bands[1],
            "Without a value": 1 - there.mean(axis=0),
        }
    )


def profile(result: Fitted, label: str, points: int = 9) -> pd.DataFrame:
    """Profile of chi2 (data and priors) over one parameter, the others fitted again.

    Parameters
    ----------
    label : str
        Label of a free parameter.
    points : int, optional
        Values over its range.

    Returns
    -------
    pandas.DataFrame
        "Value" and "chi2"; 3.84 above the minimum bounds the 95 % interval.
    """
    labels = list(result.values)
    if label not in labels:
        raise OptionError(f'"{label}" is not free: {labels}')
    k = labels.index(label)
    others = [i for i in range(len(labels)) if i != k]
    rows = []
    for fixed in np.linspace(0, 1, points):

        def full(part, fixed=fixed):
            unit = np.empty(len(labels))
            unit[k], unit[others] = fixed, part
            return unit

        start = np.clip(result.unit[others], 0.01, 0.99)
        if others:
            solution = least_squares(
                lambda part: result.problem.residuals(full(part)),
                start,
                jac=lambda part: result.problem.jacobian(full(part), others),
                bounds=(0, 1),
                max_nfev=15,
            )
            chi2 = 2 * solution.cost
        else:
            residuals = result.problem.residuals(full(start))
            chi2 = residuals @ residuals
        rows.append((result.problem.free[k].from_unit(fixed), float(chi2)))
    return pd.DataFrame(rows, columns=["Value", "chi2"])


def posterior(
    result: Fitted,
    *,
    steps: int = 500,
    walkers: int = 16,
    seed: int = 0,
    progress: bool = False,
) -> Posterior:
    """Draws from the posterior by emcee's ensemble of walkers (extra ``[bayes]``).

    Uniform between the bounds times the priors; the likelihood is Gaussian.

    Parameters
    ----------
    steps : int, optional
        Steps of each walker; the first half is thrown away.
    walkers : int, optional
        Number of walkers, at least twice the number of parameters.
    seed : int, optional
        Of the random numbers.
    progress : bool, optional
        Whether to show progress on stderr.

    Returns
    -------
    Posterior

    Raises
    ------
    SSNIBError
        If emcee is not installed.
    """
    try:
        import emcee
    except ImportError as error:
        raise SSNIBError("the posterior needs emcee: pip install 'ssnib_model[bayes]'") from error

    def log_probability(unit):
        if ((unit < 0) | (unit > 1)).any():
            return -math.inf
        residuals = result.problem.residuals(unit)
        return -0.5 * float(residuals @ residuals)

    sampler = emcee.EnsembleSampler(walkers, len(result.unit), log_probability)
    sampler.random_state = np.random.RandomState(seed).get_state()
    start = result.sample(walkers, seed)
    sampler.run_mcmc(start, steps, progress=progress)
    return Posterior.from_chain(sampler.get_chain(discard=steps // 2), result.problem)


@dataclass(frozen=True)
class Posterior:
    """Draws from a posterior and how far they can be trusted.

    Attributes
    ----------
    samples : pandas.DataFrame
        One row a draw, one column a parameter, in the units of the names.
    r_hat : pandas.Series
        Potential scale reduction of the split chains (Gelman et al. 2013): above 1.05 the
        chains have not mixed.
    effective_samples : pandas.Series
        Number of independent draws that the samples are worth.
    """

    samples: pd.DataFrame
    r_hat: pd.Series
    effective_samples: pd.Series

    @classmethod
    def from_chain(cls, chain: np.ndarray, problem: FitProblem) -> Posterior:
        """From a chain on the unit scale, shape (steps, walkers, k)."""
        import emcee

        labels = [f.label for f in problem.free]
        steps, walkers, k = chain.shape
        half = steps // 2
        split = np.concatenate([chain[:half], chain[half : 2 * half]], axis=1)
        within = split.var(axis=0, ddof=1).mean(axis=0)
        between = half * split.mean(axis=0).var(axis=0, ddof=1)
        r_hat = np.sqrt(((half - 1) / half * within + between / half) / within)
        times = emcee.autocorr.integrated_time(chain, quiet=True)
        flat = chain.reshape(-1, k)
        samples = {
            f.label: [f.from_unit(u) for u in column]
            for f, column in zip(problem.free, flat.T, strict=True)
        }
        return cls(
            pd.DataFrame(samples),
            pd.Series(r_hat, labels),
            pd.Series(steps * walkers / np.maximum(times, 1.0), labels),
        )
