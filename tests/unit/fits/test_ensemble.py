"""Walkers on a density whose moments are known."""

import numpy as np
import pytest

from ssnib_model.fits.ensemble import sample_ensemble

pytest.importorskip("emcee")


def test_moments_of_a_gaussian_in_a_box():
    def log_density(p):
        return -0.5 * (((p - [0.5, 0.3]) / [0.05, 0.02]) ** 2).sum(axis=1)

    start = np.random.default_rng(0).uniform(0.2, 0.8, (12, 2))
    chain = sample_ensemble(log_density, start, effective=500, most=100_000, seed=1)
    assert chain.effective >= 500
    assert chain.r_hat < 1.1
    assert chain.points.mean(axis=0) == pytest.approx([0.5, 0.3], abs=0.01)
    assert chain.points.std(axis=0) == pytest.approx([0.05, 0.02], rel=0.1)
    assert chain.weights.sum() == pytest.approx(1)


def test_it_ends_where_it_must_and_says_that_it_has_not_mixed():
    start = np.concatenate([np.full((6, 1), 0.1), np.full((6, 1), 0.9)])
    start += np.random.default_rng(0).normal(0, 1e-3, start.shape)

    def two(p):
        return -0.5 * ((np.abs(p[:, 0] - 0.5) - 0.4) / 1e-3) ** 2

    chain = sample_ensemble(two, start, effective=500, most=1200, seed=1)
    assert chain.effective < 500
    assert chain.r_hat > 1.1
