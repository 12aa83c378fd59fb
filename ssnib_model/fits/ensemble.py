"""Draws from a density on the unit box by emcee's ensemble of walkers (extra ``[bayes]``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Steps between two looks at how far it has come.
STEPS = 50

#: Autocorrelation times that a chain is to be long, so that they mean something.
LONG = 20

#: Walkers, or more if there are many axes.
WALKERS = 12


@dataclass(frozen=True)
class Chain:
    """The second half of the chains of all walkers.

    Attributes
    ----------
    steps : numpy.ndarray
        Shape (steps, walkers, k).
    times : numpy.ndarray
        Autocorrelation time of each axis in steps, shape (k,).
    """

    steps: np.ndarray
    times: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """All draws, shape (n, k)."""
        return self.steps.reshape(-1, self.steps.shape[2])

    @property
    def weights(self) -> np.ndarray:
        """All equal, with sum 1, shape (n,)."""
        n = len(self.points)
        return np.full(n, 1 / n)

    @property
    def effective(self) -> float:
        """Number of independent draws that they are worth, of the axis that mixes worst."""
        return float(len(self.points) / self.times.max())

    @property
    def r_hat(self) -> float:
        """Potential scale reduction of the split chains (Gelman et al. 2013), the worst axis."""
        half = len(self.steps) // 2
        split = np.concatenate([self.steps[:half], self.steps[half : 2 * half]], axis=1)
        within = split.var(axis=0, ddof=1).mean(axis=0)
        between = half * split.mean(axis=0).var(axis=0, ddof=1)
        return float(np.sqrt(((half - 1) / half * within + between / half) / within).max())


def lacking_emcee() -> str:
    """Why there is no ensemble; "" if emcee is installed."""
    try:
        import emcee  # noqa: F401
    except ImportError:
        return "the ensemble needs emcee: pip install 'ssnib_model[bayes]'"
    return ""


def sample_ensemble(
    log_density: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    effective: int,
    most: int,
    seed: int,
) -> Chain:
    """Chains of walkers, until they are worth enough draws.

    Parameters
    ----------
    log_density : callable
        As for `ssnib_model.fits.importance.sample_box`.
    start : numpy.ndarray
        Where the walkers begin, inside the box, shape (walkers, k).
    effective : int
        Number of independent draws that is wanted.
    most : int
        Number of points at which the density is evaluated, at most.
    seed : int
        Of the moves.

    Returns
    -------
    Chain
        Worth fewer draws than wanted if ``most`` did not do.
    """
    import emcee

    is_over = False

    def density(points: np.ndarray) -> np.ndarray:
        nonlocal is_over
        found = np.full(len(points), -np.inf)
        inside = np.flatnonzero(((points >= 0) & (points <= 1)).all(axis=1))
        if not is_over and len(inside):
            values = log_density(points[inside])
            is_over = len(values) < len(inside)
            found[inside[: len(values)]] = values
        return found

    walkers, k = start.shape
    sampler = emcee.EnsembleSampler(walkers, k, density, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    state = start
    while True:
        state = sampler.run_mcmc(state, STEPS, skip_initial_state_check=True)
        steps = sampler.get_chain(discard=sampler.iteration // 2)
        times = emcee.autocorr.integrated_time(steps, tol=0)
        chain = Chain(steps, np.maximum(np.nan_to_num(times, nan=len(steps)), 1.0))
        enough = chain.effective >= effective and len(steps) > LONG * chain.times.max()
        if is_over or enough or sampler.iteration * walkers >= most:
            return chain
