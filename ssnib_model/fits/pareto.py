"""Pareto-smoothed importance sampling (Vehtari et al., J. Mach. Learn. Res. 25 (2024) 72).

ArviZ has it too, but its two generations take weights of opposite signs under one name; the tests
compare with it.
"""

from __future__ import annotations

import numpy as np

#: Fewest weights in the tail that a distribution is fitted to.
LEAST = 5


def smoothed(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Normalised weights with the largest put in order, and what their tail is like.

    Parameters
    ----------
    log_weights : numpy.ndarray
        Logarithms of weights, -inf for 0, shape (n,).

    Returns
    -------
    tuple of numpy.ndarray and float
        Weights with sum 1, shape (n,), and the index k of the generalised Pareto distribution
        of the largest: their mean can be trusted up to 0.7. Infinite if there are too few
        weights to tell, minus infinite if all of them are equal.
    """
    n = len(log_weights)
    logs = log_weights - np.logaddexp.reduce(log_weights) if n else log_weights
    tail = int(np.ceil(min(0.2 * n, 3 * np.sqrt(n))))
    if tail < LEAST:
        return np.exp(logs), np.inf
    order = np.argsort(logs)
    cut = np.exp(logs[order[-tail - 1]])
    largest = order[-tail:]
    excess = np.exp(logs[largest]) - cut
    if excess[0] <= 1e-12 * cut:  # ties with the cut-off have no excess
        keep = excess > 1e-12 * cut
        largest, excess = largest[keep], excess[keep]
    if len(excess) < LEAST:
        return np.exp(logs), -np.inf
    k, scale = fit_tail(excess)
    # quantiles of the distribution in place of the weights, none above the largest of them
    at = (np.arange(len(excess)) + 0.5) / len(excess)
    quantiles = -scale * np.log1p(-at) if k == 0 else scale * np.expm1(-k * np.log1p(-at)) / k
    weights = np.exp(logs)
    weights[largest] = np.minimum(cut + quantiles, weights[largest[-1]])
    return weights / weights.sum(), k


def fit_tail(excess: np.ndarray) -> tuple[float, float]:
    """Index and scale of a generalised Pareto distribution.

    The empirical Bayes estimate of Zhang & Stephens, Technometrics 51 (2009) 316, k drawn a
    little to 0.5 as by Vehtari et al., appendix C.

    Parameters
    ----------
    excess : numpy.ndarray
        Positive and rising, shape (n,).
    """
    n = len(excess)
    m = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt(m / (np.arange(m) + 0.5))) / (3 * quartile)
    k = np.log1p(-theta[:, None] * excess).mean(axis=1)
    log_likelihood = n * (np.log(-theta / k) - k - 1)
    weights = np.exp(log_likelihood - np.logaddexp.reduce(log_likelihood))
    best = float(weights @ theta)
    index = float(np.log1p(-best * excess).mean())
    scale = -index / best
    return (n * index + 10 * 0.5) / (n + 10), scale
