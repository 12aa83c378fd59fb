"""What is known of the free parameters after a fit, as weighted draws.

By importance sampling from the curvature at the best point, with a proposal that is fitted again
where that does not do, and by an ensemble of walkers where the weights cannot be trusted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.fits.draws import Posterior
from ssnib_model.fits.ensemble import WALKERS, Chain, lacking_emcee, sample_ensemble
from ssnib_model.fits.free import is_whole
from ssnib_model.fits.importance import GOOD_K, Draws, Proposal, resampled, sample_box
from ssnib_model.fits.problem import FitProblem
from ssnib_model.fits.target import Target
from ssnib_model.solvers.choice import IDAKLU, USUAL, Named

#: Ways to draw.
AUTO, IMPORTANCE, ENSEMBLE = METHODS = ("auto", "importance", "ensemble")

MAX_DRAWS = 1_000_000

#: Evaluations for one independent draw that is wanted, at most, and always allowed; walkers take
#: that many times more.
PER_DRAW, LEAST_EVALUATIONS, WALKING = 20, 5000, 3

#: Largest potential scale reduction of chains that have mixed.
GOOD_R_HAT = 1.1

#: Largest change of the logarithm of the likelihood that a solver's tolerance may make.
CLOSE = 0.02

#: Points that are simulated together.
TOGETHER = 50

#: Of a draw, if that is close.
LOOSE = Named(structured=(1e-4, 1e-6))


class Fitted(Protocol):
    """What is asked of a `FitResult`, which hands on to `posterior`."""

    problem: FitProblem
    unit: np.ndarray
    jacobian: np.ndarray
    covariance: np.ndarray

    @property
    def widening(self) -> float:
        """Factor of the standard errors in a misfit."""

    @property
    def misfit(self) -> str:
        """What is wrong with chi2."""

    @property
    def does_not_fit(self) -> bool:
        """Whether chi2 is too large to come by chance."""

    @property
    def conditions(self) -> str:
        """What errors suppose."""


def posterior(
    result: Fitted,
    draws: int = 1000,
    *,
    misfit: bool | None = None,
    method: str = AUTO,
    seed: int = 0,
    progress: bool = False,
) -> Posterior:
    """Draws of the free parameters given data and priors.

    The prior is uniform between the bounds, on the scale that is fitted, times `Free.prior`. The
    likelihood is Gaussian, whatever loss the search had.

    Parameters
    ----------
    result : FitResult
        Of `ssnib_model.fits.search.fit`.
    draws : int, optional
        Number of independent draws that the result is to be worth.
    misfit : bool, optional
        Whether the model may be wrong by more than the errors of the data: an amplitude for each
        kind of data, along a curve or spectrum as a Gaussian process, which widens what is known
        of the parameters. Default: if chi2 of the fit is too large to come by chance.
    method : str, optional
        "importance": weighted draws; "ensemble": walkers of emcee (extra ``[bayes]``); "auto"
        (default): the first, and the other where its weights cannot be trusted.
    seed : int, optional
        Of the random numbers; the same one gives the same draws again.
    progress : bool, optional
        Whether to show progress on stderr.

    Returns
    -------
    Posterior
        Also after Ctrl-C, if there are draws.

    Raises
    ------
    OptionError
        For a setting that is not allowed.
    SSNIBError
        If the ensemble is asked for and emcee is not installed.
    KeyboardInterrupt
        After Ctrl-C before there are draws.
    """
    check_draws(draws, seed)
    if method not in METHODS:
        raise OptionError(f"method is {method!r}: it must be one of {METHODS}")
    if misfit is not None and not isinstance(misfit, bool):
        raise OptionError(f"misfit is {misfit!r}: True, False or None is needed")
    lacks = lacking_emcee()
    if method == ENSEMBLE and lacks:
        raise SSNIBError(lacks)
    began = time.perf_counter()
    has_misfit = result.does_not_fit if misfit is None else misfit
    target = Target(as_exact_as_needed(result), result.unit, has_misfit)
    first = target.proposal(result.jacobian, result.covariance * result.widening**2)
    rng = np.random.default_rng(seed)
    effective, most = int(draws), max(PER_DRAW * int(draws), LEAST_EVALUATIONS)
    notes: list[str] = []
    found: Draws | Chain | None = None
    with tqdm(desc="Posterior", unit="draw", disable=not progress) as bar:
        evaluator = _Evaluator(target, bar)
        start = _inside(first, rng)
        if method != ENSEMBLE:
            found = sample_box(evaluator, first, effective=effective, most=most, rng=rng)
        if isinstance(found, Draws) and len(found.points):
            start = found.points[resampled(found.tempered(0.5, len(start)), len(start), rng)]
        if isinstance(found, Draws) and found.k > GOOD_K and method == AUTO:
            notes.append(f"the weights could not be trusted (Pareto k {found.k:.2f})")
            if lacks:
                notes[-1] += f", and nothing was drawn instead: {lacks}"
            elif not evaluator.is_interrupted:
                notes[-1] += ": an ensemble of walkers was drawn instead"
                found = None
        if found is None:
            most *= WALKING
            found = sample_ensemble(evaluator, start, effective=effective, most=most, seed=seed)
    if not len(found.points) and evaluator.is_interrupted:
        raise KeyboardInterrupt
    if not len(found.points):
        raise SSNIBError("no draw falls between the bounds: free fewer parameters")
    if evaluator.is_interrupted:
        notes.append("interrupted: what had been drawn by then")
    settings = {"draws": effective, "misfit": misfit, "method": method, "seed": int(seed)}
    return Posterior(
        target,
        found,
        settings=settings,
        notes=[*notes, *_notes(result, target, found, effective)],
        conditions=result.conditions,
        seconds=time.perf_counter() - began,
        interrupted=evaluator.is_interrupted,
    )


def check_draws(draws: Any, seed: Any) -> None:
    """`OptionError` if there cannot be so many draws, or the seed is none."""
    for name, value, low, high in (
        ("draws", draws, 1, MAX_DRAWS),
        ("seed", seed, 0, 2**32 - 1),
    ):
        if not (is_whole(value) and low <= value <= high):
            raise OptionError(
                f"{name} is {value!r}: a whole number from {low} to {high} is needed"
            )


class _Evaluator:
    """The density of points, some at a time; of those before Ctrl-C, if it comes."""

    def __init__(self, target: Target, bar: tqdm):
        self._target, self._bar, self.is_interrupted = target, bar, False

    def __call__(self, points: np.ndarray) -> np.ndarray:
        found: list[float] = []
        try:
            for some in np.split(points, range(TOGETHER, len(points), TOGETHER)):
                if self.is_interrupted:
                    break
                found += self._target.log_densities(some)
                self._bar.update(len(some))
        except KeyboardInterrupt:
            self.is_interrupted = True
        return np.array(found)


def _inside(first: Proposal, rng: np.random.Generator) -> np.ndarray:
    """Points where walkers can begin, from a proposal, shape (walkers, k)."""
    k = first.centres.shape[1]
    points = first.draw(max(WALKERS, 2 * k + 2), rng)
    # away from the bounds, where two walkers would stand at one place
    return np.where((points > 0) & (points < 1), points, rng.uniform(size=points.shape))


def as_exact_as_needed(result: Fitted) -> FitProblem:
    """The problem with the loosest tolerance of which the likelihood cannot tell the difference.

    A search follows a slope to its end, in which digits count; a draw does not.
    """
    problem, asked = result.problem, result.problem.solver
    if not (problem.is_as_usual and isinstance(asked, Named)):
        return problem  # as exact as the user has asked for
    spread = 2 * np.sqrt(np.diag(result.covariance)) * result.widening
    near = [np.clip(result.unit + side * spread, 0, 1) for side in (-1, 0, 1)]
    units = [*near, np.clip(result.unit, 0.25, 0.75)]
    exact = [_half_chi2(problem, unit) for unit in units]
    like = LOOSE if problem.choice and problem.choice.name != IDAKLU else USUAL
    looser = replace(asked, structured=like.structured, idaklu=like.idaklu)
    other = FitProblem(problem.parameters, problem.data, problem.free, problem.model, looser)
    found = (_half_chi2(other, unit) for unit in units)
    is_close = all(abs(one - two) <= CLOSE for one, two in zip(found, exact, strict=True))
    return other if is_close else problem


def _half_chi2(problem: FitProblem, unit: np.ndarray) -> float:
    residuals = problem.residuals(unit)
    return 0.5 * float(residuals @ residuals)


def _notes(result: Fitted, target: Target, found: Draws | Chain, effective: int) -> Iterator[str]:
    """What there is to say about the draws."""
    kinds = [m.kind for m in target.misfits]
    if kinds and result.does_not_fit:
        yield (
            "chi2 is too large to come by chance: the model may be wrong by an amplitude a kind "
            "of data, alike along curves, which widens what is known of the parameters; a wrong "
            "model can still be wrong in other ways"
        )
    elif result.does_not_fit:
        yield (
            "THE MODEL DOES NOT DESCRIBE THE DATA and may not be wrong (misfit is False): all of "
            "this is too sure"
        )
    if isinstance(found, Draws) and found.k > GOOD_K:
        yield (
            f"Pareto k is {found.k:.2f}, above {GOOD_K}: THE DRAWS CANNOT BE TRUSTED; ask for "
            "more, free fewer parameters, or give priors"
        )
    if isinstance(found, Chain) and found.r_hat > GOOD_R_HAT:
        yield (
            f"R-hat is {found.r_hat:.3g}, above {GOOD_R_HAT}: THE WALKERS HAVE NOT MIXED; ask for "
            "more draws, free fewer parameters, or give priors"
        )
    if found.effective < 0.98 * effective:
        yield f"worth {found.effective:.0f} independent draws, of {effective} that were asked for"
    if target.lacking:
        (reason, _), *_ = target.reasons.most_common(1)
        yield (
            f"{target.lacking} of {len(target.values)} points have no answer where the best point "
            f"has one and count as impossible, most often: {reason}"
        )
    left_out = int((~target.used).sum())
    if left_out:
        yield f"{left_out} of the values could not be simulated at the best point: without them"
    free = [f for f in target.problem.free if f.prior is None]
    with_sd = [
        f.label
        for f in free
        if "sd" in (target.problem.parameters.info(f.name).uncertainty or {})
        and target.problem.parameters.info(f.name).kind != "fitted"
    ]
    if with_sd:
        yield (
            f"the set has a standard deviation of {', '.join(with_sd)}, which is no prior unless "
            'Free(..., prior="set") says so'
        )
