"""Values that differ from cell to cell around a common mean, with a common spread.

Each cell has its own value, drawn from a Gaussian whose mean and standard deviation (the spread)
are unknown: a hierarchical, or mixed-effects, model. All is on the unit scale of the fit. The
mean is uniform between the bounds, the spread uniform up to `LARGEST` of their distance.

The search takes each cell's value as it comes: the joint maximum of values, mean and spread lies
at a spread of zero, whatever the data say (Gelman, Bayesian Anal. 1 (2006) 515). Mean and spread
follow from these values and their covariance, over which they are integrated; exact where the
data depend linearly on the values and the bounds are far. A posterior has the same prior, mean
and spread integrated out, without this approximation.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ssnib_model.fits.free import Bounded

#: Spreads that are looked at, in distances between the bounds: logarithmically even.
SMALLEST, LARGEST, NODES = 1e-5, 0.5, 240

#: Nodes of the mean, for the part of the prior that lies within the bounds.
MEANS = 400

#: Percentiles of a band.
LOW, HIGH = 0.025, 0.975


@functools.cache
def _spreads() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and the prior's part in each."""
    nodes = np.geomspace(SMALLEST, LARGEST, NODES)
    return nodes, nodes / nodes.sum()


@functools.cache
def _log_inside(m: int) -> float:
    """Logarithm of the part of the prior of ``m`` values that lies within the bounds."""
    spreads, parts = _spreads()
    means = (np.arange(MEANS) + 0.5) / MEANS
    inside = ndtr((1 - means) / spreads[:, None]) - ndtr(-means / spreads[:, None])
    return float(np.log(parts @ (inside**m).mean(axis=1)))


@dataclass(frozen=True)
class Population:
    """The values of one parameter in all cells.

    Attributes
    ----------
    name : str
        The parameter.
    at : numpy.ndarray
        Places of the cells' values among the free parameters, shape (m,).
    free : Bounded
        Bounds and scale, those of all cells.
    """

    name: str
    at: np.ndarray
    free: Bounded

    def _log_terms(self, values: np.ndarray) -> np.ndarray:
        """Logarithm of the density of values times prior at each spread, mean integrated out."""
        spreads, parts = _spreads()
        m, mean = len(values), float(values.mean())
        square = float(((values - mean) ** 2).sum())
        width = spreads / np.sqrt(m)
        within = ndtr((1 - mean) / width) - ndtr(-mean / width)
        with np.errstate(divide="ignore"):
            return (
                np.log(parts * within)
                - 0.5 * (m - 1) * np.log(2 * np.pi * spreads**2)
                - 0.5 * np.log(m)
                - 0.5 * square / spreads**2
            )

    def log_prior(self, unit: np.ndarray) -> float:
        """Logarithm of the density of the cells' values, normalised within the bounds."""
        terms = self._log_terms(unit[self.at])
        return float(np.logaddexp.reduce(terms)) - _log_inside(len(self.at))

    def draw(self, unit: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
        """A mean and a spread, given the cells' values; on the unit scale."""
        spreads, _ = _spreads()
        values = unit[self.at]
        terms = self._log_terms(values)
        parts = np.exp(terms - np.logaddexp.reduce(terms))
        node = rng.choice(len(spreads), p=parts / parts.sum())
        step = np.log(spreads[1] / spreads[0])
        spread = min(float(spreads[node] * np.exp(rng.uniform(-0.5, 0.5) * step)), LARGEST)
        width = spread / np.sqrt(len(values))
        low, high = ndtr((np.array([0.0, 1.0]) - values.mean()) / width)
        mean = values.mean() + width * ndtri(rng.uniform(low, high))
        return float(np.clip(mean, 0, 1)), spread

    def precision(self, spread: float) -> np.ndarray:
        """Inverse covariance that a spread gives the values, mean integrated out: (m, m)."""
        m = len(self.at)
        return (np.eye(m) - 1 / m) / spread**2

    def named(self, means: np.ndarray, spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and spreads in the unit of the parameter; of a logarithm, its spread."""
        return np.array([self.free.from_unit(u) for u in means]), spreads * self.free.span


@dataclass(frozen=True)
class Estimate:
    """Mean and spread, from each cell's value and their covariance.

    Attributes
    ----------
    population : Population
        Of what.
    mean, mean_error, spread, spread_error : float
        Expectation and standard deviation, on the unit scale.
    quantiles : tuple of float
        2.5, 50 and 97.5 % of the spread.
    pooled, pooled_error : numpy.ndarray
        What each cell's value is, knowing the others; shape (m,).
    """

    population: Population
    mean: float
    mean_error: float
    spread: float
    spread_error: float
    quantiles: tuple[float, float, float]
    pooled: np.ndarray
    pooled_error: np.ndarray

    def spread_at(self, parts: Sequence[float]) -> np.ndarray:
        """Quantiles of the spread, between those that are known."""
        return np.interp(parts, [0.0, LOW, 0.5, HIGH, 1.0], [SMALLEST, *self.quantiles, LARGEST])


def estimate(population: Population, unit: np.ndarray, covariance: np.ndarray) -> Estimate:
    """Mean, spread and pooled values of a population.

    Parameters
    ----------
    population : Population
        Whose values these are.
    unit : numpy.ndarray
        The best point, each cell's value as if it were alone, shape (k,).
    covariance : numpy.ndarray
        Of all free parameters there, (k, k): a value that the data leave open is wide.
    """
    values, of_values = unit[population.at], covariance[np.ix_(population.at, population.at)]
    spreads, prior = _spreads()
    variances, axes = np.linalg.eigh(0.5 * (of_values + of_values.T))
    total = np.maximum(variances, 0.0) + spreads[:, None] ** 2  # (nodes, m)
    ones, along = axes.T @ np.ones(len(values)), axes.T @ values
    known = (ones**2 / total).sum(axis=1)
    means = (ones * along / total).sum(axis=1) / known
    off = along - means[:, None] * ones
    terms = np.log(prior) - 0.5 * (
        np.log(total).sum(axis=1) + np.log(known) + (off**2 / total).sum(axis=1)
    )
    parts = np.exp(terms - np.logaddexp.reduce(terms))
    mean, spread = float(parts @ means), float(parts @ spreads)
    # of each cell at each spread: drawn towards the mean by what its own data do not say
    taken = spreads[:, None] ** 2 / total
    pooled = means[:, None] + (taken * off) @ axes.T
    open_ = (1 - taken) * ones @ axes.T  # how a cell moves with the mean
    own = (taken * np.maximum(variances, 0.0)) @ (axes.T**2)
    square = own + open_**2 / known[:, None] + pooled**2
    centre = parts @ pooled
    return Estimate(
        population,
        mean,
        float(np.sqrt(parts @ (1 / known + (means - mean) ** 2))),
        spread,
        float(np.sqrt(parts @ (spreads - spread) ** 2)),
        tuple(np.interp([LOW, 0.5, HIGH], np.cumsum(parts) - 0.5 * parts, spreads).tolist()),
        centre,
        np.sqrt(np.maximum(parts @ square - centre**2, 0.0)),
    )


def populations_of(free: Sequence[Bounded]) -> list[Population]:
    """One for each parameter that has a value a cell."""
    names = dict.fromkeys(f.name for f in free if f.each)
    found = []
    for name in names:
        at = [i for i, f in enumerate(free) if f.each and f.name == name]
        found.append(Population(name, np.array(at), free[at[0]]))
    return found


def table_of(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """Mean and spread of each parameter, one row each.

    Returns
    -------
    pandas.DataFrame
        By name: "Mean" and "Mean error" in the unit of the parameter (of a logarithm, exp of its
        mean); "Spread", "Spread error", "Spread 2.5 %" and "Spread 97.5 %" in that unit too, or of
        the natural logarithm, as "Spread of" says.
    """
    rows = {}
    for e in estimates:
        free = e.population.free
        mean = free.from_unit(e.mean)
        rows[e.population.name] = {
            "Mean": mean,
            "Mean error": e.mean_error * free.span * (mean if free.log else 1),
            "Spread": e.spread * free.span,
            "Spread error": e.spread_error * free.span,
            "Spread 2.5 %": e.quantiles[0] * free.span,
            "Spread 97.5 %": e.quantiles[2] * free.span,
            "Spread of": "natural logarithm" if free.log else "value",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def pooled_of(estimates: Sequence[Estimate], free: Sequence[Bounded]) -> pd.DataFrame:
    """What each cell's value is, knowing the others.

    Returns
    -------
    pandas.DataFrame
        By label: "Value" and "Error", in the unit of the parameter.
    """
    rows = {}
    for e in estimates:
        pairs = zip(e.population.at, e.pooled, e.pooled_error, strict=True)
        for place, unit, error in pairs:
            f = free[place]
            value = f.from_unit(float(np.clip(unit, 0, 1)))
            rows[f.label] = {"Value": value, "Error": error * f.span * (value if f.log else 1)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["Value", "Error"])
