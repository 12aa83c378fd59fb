"""A posterior in which every assumed value of the set varies over its own range.

Many values that a set assumes move an answer without being seen by the data. Free with the
others they are too many for one proposal; but given all of them, what is fitted is known well.
So the assumed values are drawn from their ranges, what is fitted is drawn around its own best
values for each of them, and a draw weighs what its likelihood is against the density that it was
drawn from (importance sampling with a conditional proposal).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtr, ndtri
from scipy.stats import qmc
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ParameterError, SSNIBError
from ssnib_model.fits.draws import Posterior
from ssnib_model.fits.free import SET, UNIFORM, Bounded, Free
from ssnib_model.fits.importance import GOOD_K, Draws, Proposal
from ssnib_model.fits.pareto import smoothed
from ssnib_model.fits.posterior import Fitted, as_exact_as_needed, check_draws
from ssnib_model.fits.problem import FitProblem
from ssnib_model.fits.target import Target

#: Steps from the best values for others to those for one draw of the assumed values, by the
#: reduced model and by the full one.
STEPS, FULL_STEPS = 8, 4

#: chi2 by which the full model may be worse where the reduced one is at its best, and that above
#: the one of the values as assumed, from where no values nearby would mend it.
CLOSE, HOPELESS = 1.0, 60.0

#: Part of the draws by which it is seen where in their ranges the assumed values agree with the
#: data, and standard errors by which a mean must be off the middle to say so.
LOOK, CLEAR = 0.35, 2.0

#: Draws of what is fitted for one of what is assumed, of which one is kept.
TRIES = 8

#: Parts of their proposal: the curvature at the best values; the same, twice as wide; and one
#: value anywhere in its range, for likelihoods that go flat where a loss vanishes.
NEAR, WIDE, ANYWHERE = 0.6, 0.2, 0.2

#: Standard deviation of what is anywhere on the scale from 0 to 1, and by how much wider the
#: others are there.
FAR, LOOSER = 0.3, 1.5

#: Standard deviations to either side of a value that has no range.
WIDTH = 4.0

#: Draws by which the part of a proposal inside the bounds is counted.
COUNTED = 2000


class Weighted(Draws):
    """Draws with the weights that they have, in no need of one proposal for all."""

    def __init__(
        self, points: np.ndarray, log_density: np.ndarray, log_weights: np.ndarray, total: int
    ):
        super().__init__(points, log_density, [])
        self._log_weights, self._total = log_weights - math.log(total), total
        self.weights, self.k = smoothed(log_weights)

    @property
    def total(self) -> int:
        """Number of draws, those without an answer as well."""
        return self._total


def assumed(parameters: ParameterSet, without: Iterable[str] = ()) -> list[Free]:
    """Every value of a set that has an uncertainty, to vary over its own range.

    Uniform over its range; if it has a standard deviation as well, times that Gaussian.

    Parameters
    ----------
    parameters : ParameterSet
        Values of kind "fitted", and those that the model options do not read, are left out.
    without : iterable of str, optional
        Names to leave out.

    Returns
    -------
    list of Free
        In the order of the set.
    """
    left_out, found = set(without), []
    for name, info in parameters.given.items():
        known = info.uncertainty or {}
        is_read = not parameters.quantity(name).unread_with(parameters.model_options)
        if name in left_out or info.kind == "fitted" or not known or not is_read:
            continue
        value: Any = info.value
        if "sd" not in known:
            found.append(Free(name))
        elif "range" in known:
            found.append(Free(name, prior=SET))
        else:
            low, high = value - WIDTH * known["sd"], value + WIDTH * known["sd"]
            found.append(Free(name, low, high, log=False, prior=SET))
    return found


def marginal(
    result: Fitted,
    draws: int = 400,
    *,
    over: Iterable[Free] | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Posterior:
    """Draws of what is fitted and of what is assumed, given data, ranges and priors.

    Parameters
    ----------
    result : FitResult
        Of `ssnib_model.fits.search.fit`, for the values as assumed.
    draws : int, optional
        Draws of the assumed values; the result is worth fewer independent ones.
    over : iterable of Free, optional
        What varies besides what was fitted; default: `assumed` of the set.
    seed : int, optional
        Of the random numbers; the same one gives the same draws again.
    progress : bool, optional
        Whether to show progress on stderr.

    Returns
    -------
    Posterior
        Of all of them.

    Raises
    ------
    OptionError
        If there is nothing to vary, or a setting is not allowed.
    SSNIBError
        If no draw agrees with the data.
    """
    check_draws(draws, seed)
    began = time.perf_counter()
    given = result.problem
    names = {f.name for f in given.free}
    others = list(over or [])
    if over is None:
        set_by_all = set.intersection(*(set(d.ignores()) for d in given.data))
        others = assumed(given.parameters, names | set_by_all)
    if not others:
        raise OptionError(f"{given.parameters.name} has no value with a range to vary over")
    if {f.name for f in others} & names:
        raise OptionError(
            f"{sorted({f.name for f in others} & names)} are free in the fit already"
        )
    free = [*given.free, *others]
    solver = as_exact_as_needed(result).solver
    problem = FitProblem(given.parameters, given.data, free, given.model, solver)
    start = np.append(result.unit, problem.start()[len(given.free) :])
    target = Target(problem, start, has_misfit=False)
    search = _Search(problem, len(given.free), start)
    rng = np.random.default_rng(seed)
    found = _Found(target, search, result.unit, rng, draws, progress)
    interrupted = not found.all_of(seed)
    weighted, notes = found.weighted(), found.notes()
    if interrupted:
        notes.append(f"interrupted: what had been drawn by then, of {draws}")
    if weighted.k > GOOD_K:
        notes.append(
            f"Pareto k is {weighted.k:.2f}, above {GOOD_K}: THE DRAWS CANNOT BE TRUSTED; ask for "
            "more, or give narrower ranges"
        )
    exact = [n for n in given.parameters.given if n not in {f.name for f in free}]
    return Posterior(
        target,
        weighted,
        settings={"draws": int(draws), "misfit": False, "method": "marginal", "seed": int(seed)},
        notes=notes,
        conditions=(
            f"Marginal over {len(others)} values that {given.parameters.name} assumes, each over "
            f"its own range; the {len(exact)} others that are given and not free have exactly "
            "their values"
        ),
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
    )


class _Found:
    """Draws in two rounds: from the ranges, then also more often where the first ones agreed."""

    def __init__(
        self,
        target: Target,
        search: _Search,
        start: np.ndarray,
        rng: np.random.Generator,
        draws: int,
        progress: bool,
    ):
        self._target, self._search, self._start, self._rng = target, search, start, rng
        self._others = target.problem.free[search.n :]
        self._bar = tqdm(total=draws, desc="Marginal", unit="draw", disable=not progress)
        self._parts: list[np.ndarray] = []  # of all draws, on the scale of the priors
        self._drawn: list[tuple[np.ndarray, float, float]] = []
        self._of: list[int] = []  # which draw each of them is
        self._tilt, self._rounds = np.zeros(len(self._others)), np.zeros(2)
        self._size = draws

    def all_of(self, seed: int) -> bool:
        """Draw; whether it came to an end."""
        first = max(round(LOOK * self._size), min(self._size, 20))
        sampler = qmc.LatinHypercube(len(self._others), rng=np.random.default_rng([seed, 1]))
        try:
            for number, n in enumerate((first, self._size - first)):
                if number and n and len(self._drawn) > 1:
                    self._tilt = self._tilts()
                for parts in _tilted(sampler.random(n), self._tilt if number else 0 * self._tilt):
                    self._parts.append(parts)
                    self._rounds[number] += 1
                    self._add(parts)
        except KeyboardInterrupt:
            if not self._drawn:
                raise
            return False
        finally:
            self._bar.close()
        return True

    def _add(self, parts: np.ndarray) -> None:
        pairs = zip(self._others, parts, strict=True)
        unit = np.append(self._start, [_of_prior(f, v) for f, v in pairs])
        drawn = _draw(self._target, self._search, unit, self._rng)
        if drawn is not None:
            self._drawn.append(drawn)
            self._of.append(len(self._parts) - 1)
        self._bar.update()

    def _log_weights(self) -> np.ndarray:
        """Against the mixture of both rounds."""
        parts = np.array(self._parts)[self._of]
        share = self._rounds / self._rounds.sum()
        mixed = np.log(share[0] + share[1] * np.exp(_log_tilted(parts, self._tilt)))
        return np.array([weight for _, _, weight in self._drawn]) - mixed

    def _tilts(self) -> np.ndarray:
        """By how much more often to draw towards an end of each range."""
        weights, _ = smoothed(self._log_weights())
        parts = np.array(self._parts)[self._of]
        error = np.sqrt(float(weights @ weights) / 12)
        off = weights @ parts - 0.5
        # half of what would give the mean that was found: the mean is not well known
        return np.where(np.abs(off) > CLEAR * error, 6 * off, 0.0)

    def weighted(self) -> Weighted:
        """All draws that have an answer."""
        if not self._drawn:
            raise SSNIBError(
                "no draw of the assumed values agrees with the data: check the ranges"
            )
        points, densities, _ = (np.array(column) for column in zip(*self._drawn, strict=True))
        return Weighted(points, densities, self._log_weights(), len(self._parts))

    def notes(self) -> list[str]:
        """What there is to say."""
        lacking = len(self._parts) - len(self._drawn)
        return [
            f"{lacking} of {len(self._parts)} draws of the assumed values cannot be brought to "
            "agree with the data by what is fitted"
        ] * (lacking > 0)


def _tilted(parts: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Uniform numbers made exponential ones, exp(tilt x) on 0..1."""
    safe = np.where(tilt == 0, 1.0, tilt)
    return np.where(tilt == 0, parts, np.log1p(parts * np.expm1(safe)) / safe)


def _log_tilted(parts: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Logarithm of their density, shape (n,)."""
    safe = np.where(tilt == 0, 1.0, tilt)
    return parts @ tilt + np.where(tilt == 0, 0.0, np.log(safe / np.expm1(safe))).sum()


class _Search:
    """The best values of what is fitted, for others of what is assumed.

    The reduced model leads there, as it is cheap; the model of the fit has the last word, and
    what it says of a draw is all that counts.
    """

    def __init__(self, problem: FitProblem, n: int, start: np.ndarray):
        self.problem, self.n = problem, n
        self.columns = list(range(n))
        same = problem.model == "spm"
        self.helper = problem if same else FitProblem(
            problem.parameters, problem.data, problem.free, "spm", problem.solver
        )  # fmt: skip
        #: chi2 of either model from where a draw is given up.
        self._most, self._most_reduced = (
            float(residuals @ residuals) + HOPELESS
            for residuals in (self.problem.residuals(start), self.helper.residuals(start))
        )

    def best(self, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """The point with the best values, the residuals' derivatives by them there, and whether
        it describes the data at all."""
        x, jacobian, cost = self._search(self.helper, unit, STEPS)
        is_good = cost < self._most_reduced
        # the reduced model has one loss less, and describes what the full one describes
        if self.helper is not self.problem and is_good:
            residuals = self.problem.residuals(np.append(x, unit[self.n :]))
            full = float(residuals @ residuals)
            if full - cost > CLOSE and full < self._most + HOPELESS:
                unit = np.append(x, unit[self.n :])
                x, jacobian, full = self._search(self.problem, unit, FULL_STEPS)
            is_good = full < self._most
        return np.append(x, unit[self.n :]), jacobian, is_good

    def _search(
        self, problem: FitProblem, unit: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Best values, derivatives there, chi2 with the priors."""

        def whole(x: np.ndarray) -> np.ndarray:
            return np.append(x, unit[self.n :])

        found = least_squares(
            lambda x: problem.residuals(whole(x)),
            np.clip(unit[: self.n], 1e-3, 1 - 1e-3),
            jac=lambda x: problem.jacobian(whole(x), self.columns),
            bounds=(0.0, 1.0),
            max_nfev=steps,
            xtol=1e-3,
            ftol=1e-3,
        )
        return found.x, found.jac, 2 * float(found.cost)


def _draw(
    target: Target, search: _Search, unit: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, float, float] | None:
    """One draw of what is fitted: point, log density and log weight; None without an answer."""
    n = search.n
    try:
        best, jacobian, is_good = search.best(unit)
    except (ParameterError, np.linalg.LinAlgError):
        return None
    if not is_good:
        return None
    proposal = _around(best[:n], jacobian)
    # one of some, by their weights, weighs their mean
    tried, log_part = _inside(proposal, TRIES, rng)
    points = np.column_stack([tried, np.tile(best[n:], (len(tried), 1))])
    densities = np.array(target.log_densities(points))
    log_weights = densities - proposal.log_density(tried) + log_part
    log_weights -= sum(
        _log_prior(f, u) for f, u in zip(target.problem.free[n:], best[n:], strict=True)
    )
    total = float(np.logaddexp.reduce(log_weights))
    kept = rng.choice(len(tried), p=np.exp(log_weights - total))
    return points[kept], float(densities[kept]), total - math.log(len(tried))


def _around(best: np.ndarray, jacobian: np.ndarray) -> Proposal:
    """A proposal for what is fitted, from the derivatives of the residuals at its best values."""
    n = len(best)
    covariance = np.linalg.inv(jacobian.T @ jacobian + UNIFORM * np.eye(n))
    covariance = 0.5 * (covariance + covariance.T)
    widths = [covariance, 4 * covariance]
    for k in range(n):
        # of a value that no longer matters the others are independent
        wide = LOOSER**2 * covariance
        wide[k], wide[:, k] = 0.0, 0.0
        wide[k, k] = max(FAR**2, covariance[k, k])
        widths.append(wide)
    return Proposal(
        np.tile(best, (n + 2, 1)),
        np.linalg.cholesky(np.array(widths)),
        np.array([NEAR, WIDE, *[ANYWHERE / n] * n]),
    )


def _inside(proposal: Proposal, n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Some draws between the bounds, and the logarithm of the part of the proposal there."""
    points = proposal.draw(COUNTED, rng)
    inside = points[np.all((points >= 0) & (points <= 1), axis=1)]
    if not len(inside):
        raise np.linalg.LinAlgError("a corner that a proposal hardly reaches")
    return inside[:n], math.log(len(inside) / COUNTED)


def _of_prior(free: Bounded, parts: np.ndarray) -> np.ndarray:
    """Values on the unit scale at parts of the prior's distribution function."""
    if free.prior is None:
        return parts
    mean, deviation = free.unit_prior
    low, high = ndtr(-mean / deviation), ndtr((1 - mean) / deviation)
    return np.clip(mean + deviation * ndtri(low + parts * (high - low)), 0.0, 1.0)


def _log_prior(free: Bounded, unit: float) -> float:
    """Logarithm of the prior's density on the unit scale."""
    if free.prior is None:
        return 0.0
    mean, deviation = free.unit_prior
    part = ndtr((1 - mean) / deviation) - ndtr(-mean / deviation)
    z = (unit - mean) / deviation
    return -0.5 * float(z * z) - math.log(deviation * math.sqrt(2 * math.pi) * part)
