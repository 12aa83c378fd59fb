"""Draws from a density on the unit box by adaptive importance sampling.

The first draws come from one multivariate t; if they do not do, the next ones from a mixture of t
at what has been found so far (population Monte Carlo; Cappe et al., J. Comput. Graph. Stat. 13
(2004) 907), fitted to all draws weighted against all proposals together (Cornuet et al., Scand. J.
Stat. 39 (2012) 798). Only draws from the last proposal, which they had no part in, are the result.
A draw outside the box has weight 0 and costs nothing. Whether the weights can be trusted is told
by the index k of the Pareto distribution of their tail (Vehtari et al., J. Mach. Learn. Res. 25
(2024) 72): up to 0.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from ssnib_model.fits.pareto import smoothed

#: Largest Pareto k of weights that can be trusted, and one with which they are good.
GOOD_K, BEST_K = 0.7, 0.5

#: Degrees of freedom of the proposals: heavier tails than a Gaussian's, with a variance.
TAILS = 5.0

#: Components that a mixture may have, and steps by which it is fitted.
COMPONENTS = (1, 2, 4, 8)
ITERATIONS = 12

#: Part of a mixture that is twice as wide as all draws.
WIDE = 0.2

#: Power of the weights that a proposal is fitted to: first to look further, then to be near.
FLATTER, NEARER = 0.5, 0.8

#: Proposals that look further.
LOOKS = 3

#: Part of the draws that a proposal is to be worth if it is kept.
FAIR = 0.3

#: Factor by which a proposal gets more draws than the one before.
GROWTH = 1.2

#: Times that the proposal is fitted again before it is given up.
REFITS = 8

#: Draws of a proposal for one inside the box, at most.
WASTE = 1e6


@dataclass(frozen=True)
class Proposal:
    """A mixture of multivariate t.

    Attributes
    ----------
    centres : numpy.ndarray
        Shape (m, k).
    roots : numpy.ndarray
        Lower triangles of the Cholesky decompositions of the scale matrices, shape (m, k, k).
    parts : numpy.ndarray
        With sum 1, shape (m,).
    """

    centres: np.ndarray
    roots: np.ndarray
    parts: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draws, shape (n, k)."""
        k = self.centres.shape[1]
        of = rng.choice(len(self.parts), size=n, p=self.parts)
        normal = (self.roots[of] @ rng.normal(size=(n, k, 1)))[:, :, 0]
        return self.centres[of] + normal * np.sqrt(TAILS / rng.chisquare(TAILS, size=(n, 1)))

    def log_parts(self, points: np.ndarray) -> np.ndarray:
        """Logarithm of each component's share of the density at points (n, k), shape (n, m)."""
        k = self.centres.shape[1]
        inverse = np.linalg.inv(self.roots)
        scaled = inverse @ points.T - inverse @ self.centres[:, :, None]
        square = (scaled**2).sum(axis=1).T
        constant = gammaln((TAILS + k) / 2) - gammaln(TAILS / 2) - 0.5 * k * np.log(TAILS * np.pi)
        log_det = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum(axis=1)
        found = constant - log_det - 0.5 * (TAILS + k) * np.log1p(square / TAILS)
        return found + np.log(self.parts)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Of points (n, k), shape (n,)."""
        return np.logaddexp.reduce(self.log_parts(points), axis=1)


def single(mean: np.ndarray, covariance: np.ndarray) -> Proposal:
    """One t as wide as a Gaussian of this covariance where that is thick."""
    return Proposal(mean[None], np.linalg.cholesky(covariance)[None], np.ones(1))


def fitted(points: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> Proposal:
    """A mixture of as many t as are fitted best to the other half of weighted points by one half.

    Parameters
    ----------
    points, weights : numpy.ndarray
        Shape (n, k) and (n,).
    rng : numpy.random.Generator
        Chooses the halves, and the points that components begin at.
    """
    one, other = np.array_split(rng.permutation(len(points)), 2)

    def score(m: int) -> float:
        proposal = mixture(points[one], weights[one], m, rng)
        inside = max(float(_in_box(proposal.draw(1000, rng)).mean()), 1e-3)
        return float(weights[other] @ (proposal.log_density(points[other]) - np.log(inside)))

    found = mixture(points, weights, max(COMPONENTS, key=score), rng)
    # a wide one beside them, which bounds the weights of what lies between and around (Hesterberg,
    # Technometrics 37 (1995) 185)
    wide = mixture(points, weights, 1, rng)
    return Proposal(
        np.vstack([found.centres, wide.centres]),
        np.concatenate([found.roots, 2 * wide.roots]),
        np.append((1 - WIDE) * found.parts, WIDE),
    )


def mixture(points: np.ndarray, weights: np.ndarray, m: int, rng: np.random.Generator) -> Proposal:
    """A mixture of ``m`` t by expectation and maximisation (Cappe et al., Stat. Comput. 18 (2008)
    447), with a little of the covariance of all in each."""
    n, k = points.shape
    weights = weights / weights.sum()
    mean = weights @ points
    whole = _covariance(points - mean, weights) + 1e-12 * np.eye(k)
    roots = np.repeat(np.linalg.cholesky(whole)[None], m, axis=0)
    if m == 1:
        return Proposal(mean[None], roots, np.ones(1))
    found = Proposal(points[resampled(weights, m, rng)], roots, np.full(m, 1 / m))
    for _ in range(ITERATIONS):
        logs = found.log_parts(points)
        shares = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None]) * weights[:, None]
        parts = shares.sum(axis=0) + 1e-3 / m
        # what of the covariance of all a component has: the more, the fewer points it stands on
        prior = k / (k + n * parts / parts.sum())
        shares = shares / (shares.sum(axis=0) + 1e-300)
        centres = shares.T @ points
        scales = [_covariance(points - c, s) for c, s in zip(centres, shares.T, strict=True)]
        mixed = (1 - prior)[:, None, None] * np.array(scales)
        mixed += (prior / m ** (2 / k))[:, None, None] * whole + 1e-12 * np.eye(k)
        found = Proposal(centres, np.linalg.cholesky(mixed), parts / parts.sum())
    return found


def _covariance(off: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights[:, None] * off).T @ off


def _in_box(points: np.ndarray) -> np.ndarray:
    return np.all((points >= 0) & (points <= 1), axis=1)


def resampled(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Places of ``n`` draws of equal weight among weighted ones (systematic resampling)."""
    at = (rng.uniform() + np.arange(n)) / n
    found = np.searchsorted(np.cumsum(weights), at * weights.sum())
    return rng.permutation(np.minimum(found, len(weights) - 1))


@dataclass
class Draws:
    """Weighted draws inside the box, and how far their weights can be trusted.

    Attributes
    ----------
    points : numpy.ndarray
        Shape (n, k).
    log_density : numpy.ndarray
        Of the density at each, which need not be normalised, shape (n,).
    proposals : list of tuple
        The proposals, each with the number of draws from it, inside the box or not.
    weights : numpy.ndarray
        With sum 1, the largest smoothed by the Pareto distribution, shape (n,).
    k : float
        Pareto k of the weights; infinite if there are too few to tell.
    """

    points: np.ndarray
    log_density: np.ndarray
    proposals: list[tuple[Proposal, int]]

    def __post_init__(self) -> None:
        self.weights = np.empty(0)
        self.k = np.inf
        self._log_weights = np.empty(0)
        self._parts: list[np.ndarray] = []  # logarithms of each proposal at all points

    def add(self, points: np.ndarray, log_density: np.ndarray, of: Proposal, n: int) -> None:
        """More draws; ``n`` counts those outside the box as well."""
        for at, (proposal, _) in enumerate(self.proposals):
            self._parts[at] = np.append(self._parts[at], proposal.log_density(points))
        self.points = np.vstack([self.points, points])
        self.log_density = np.append(self.log_density, log_density)
        if self.proposals and self.proposals[-1][0] is of:
            self.proposals[-1] = of, self.proposals[-1][1] + n
        else:
            self.proposals.append((of, n))
            self._parts.append(of.log_density(self.points))
        parts = [q + np.log(n) for q, (_, n) in zip(self._parts, self.proposals, strict=True)]
        self._log_weights = self.log_density - np.logaddexp.reduce(parts, axis=0)
        self.weights, self.k = smoothed(self._log_weights)

    @classmethod
    def none(cls, k: int) -> Draws:
        """To begin with, in a box of ``k`` axes."""
        return cls(np.empty((0, k)), np.empty(0), [])

    @property
    def total(self) -> int:
        """Number of draws, those outside the box as well."""
        return sum(n for _, n in self.proposals)

    @property
    def effective(self) -> float:
        """Number of independent draws that they are worth (Kish)."""
        return float(1 / (self.weights @ self.weights)) if len(self.weights) else 0.0

    @property
    def efficiency(self) -> float:
        """Part of the draws inside the box that they are worth."""
        return self.effective / max(len(self.weights), 1)

    @property
    def log_integral(self) -> tuple[float, float]:
        """Logarithm of the integral of the density over the box, and its standard error."""
        value = float(np.logaddexp.reduce(self._log_weights))
        part = np.exp(self._log_weights - value)
        return value, float(np.sqrt(max(float(part @ part) - 1 / self.total, 0.0)))

    def tempered(self, power: float, least: float) -> np.ndarray:
        """Weights to a power, a smaller one if they are worth fewer draws than ``least``."""
        low, high = 0.0, 2 * power
        for _ in range(40):
            weights = np.exp(power * (self._log_weights - self._log_weights.max()))
            weights /= weights.sum()
            enough = 1 / (weights @ weights) >= least
            if enough and high == 2 * power:
                break
            low, high = (power, high) if enough else (low, power)
            power = 0.5 * (low + high)
        return weights


def sample_box(
    log_density: Callable[[np.ndarray], np.ndarray],
    first: Proposal,
    *,
    effective: int,
    most: int,
    rng: np.random.Generator,
) -> Draws:
    """Draws from a density on the unit box.

    Parameters
    ----------
    log_density : callable
        From points (n, k) to the logarithm of the density; of the first of them only, if it has
        been interrupted.
    first : Proposal
        To begin with.
    effective : int
        Number of independent draws that is wanted.
    most : int
        Number of points at which the density is evaluated, at most.
    rng : numpy.random.Generator
        Of the draws.

    Returns
    -------
    Draws
        Worth fewer draws than wanted, or with a larger `Draws.k` than `GOOD_K`, if ``most`` or
        `REFITS` did not do.
    """
    k = first.centres.shape[1]
    proposal, refits = first, 0
    draws, all_draws = Draws.none(k), Draws.none(k)
    before: Draws | None = None
    evaluated, least = 0, max(100, 25 * k)
    size = least
    while evaluated < most:
        points, n = _inside(proposal, min(size, most - evaluated), rng)
        if not len(points):
            break
        found = log_density(points)
        evaluated += len(found)
        is_interrupted = len(found) < len(points)
        if len(found):
            n = round(n * len(found) / len(points))
            draws.add(points[: len(found)], found, proposal, n)
        is_settled = _agree(before, draws) or refits == REFITS
        if is_interrupted or (draws.k <= GOOD_K and is_settled and draws.effective >= effective):
            break
        lacking = max(effective - draws.effective, 0.0) / max(draws.efficiency, 1e-3)
        again = round(least * GROWTH ** (refits + 1))
        is_fair = draws.k <= BEST_K and draws.efficiency >= FAIR
        is_near = draws.k <= GOOD_K and (lacking <= again or refits == REFITS)
        # mass that is newly found makes the integral rise by more than it was known to
        if is_settled and (is_fair or is_near):
            size = int(np.clip(1.1 * lacking, least, 4 * len(draws.points)))
        elif refits < REFITS:
            all_draws.add(draws.points, draws.log_density, proposal, draws.total)
            power = FLATTER if refits < LOOKS else NEARER
            weights = all_draws.tempered(power, min(least / 4, len(all_draws.points) / 2))
            proposal, refits = fitted(all_draws.points, weights, rng), refits + 1
            before, draws, size = draws, Draws.none(k), again
        else:
            break
    return draws


def _agree(before: Draws | None, now: Draws) -> bool:
    """Whether two proposals find the same integral within twice its standard error."""
    if before is None:
        return True
    (one, error), (two, other) = before.log_integral, now.log_integral
    return abs(one - two) <= 2 * float(np.hypot(error, other))


def _inside(proposal: Proposal, n: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """About ``n`` draws inside the box, and how many it took with those outside."""
    found, total, size = [], 0, 2 * n
    inside = 0
    while inside < n and total < WASTE * n:
        points = proposal.draw(size, rng)
        points = points[_in_box(points)]
        if inside + len(points) > n:  # those beyond are left, with their share of the draws
            keep = n - inside
            total += round(size * keep / len(points))
            points = points[:keep]
        else:
            total += size
        found.append(points)
        inside += len(points)
        size = min(max(size, 4 * n), 100_000)
    return np.vstack(found), total
