"""Importance sampling on densities whose integrals are known."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from ssnib_model.fits.importance import GOOD_K, Draws, sample_box, single


def draw(log_density, mean, covariance, seed=0, effective=500, most=10_000):
    asked = []

    def counted(points):
        asked.append(len(points))
        assert ((points >= 0) & (points <= 1)).all()
        return log_density(points)

    rng = np.random.default_rng(seed)
    first = single(np.array(mean), np.array(covariance))
    found = sample_box(counted, first, effective=effective, most=most, rng=rng)
    return found, sum(asked)


GAUSS = multivariate_normal([0.5, 0.4], np.diag([0.05, 0.02]) ** 2)


def test_a_gaussian_takes_one_proposal():
    found, asked = draw(GAUSS.logpdf, GAUSS.mean, GAUSS.cov)
    assert found.k < 0.5
    assert asked < 1.25 * found.effective
    assert found.log_integral[0] == pytest.approx(0, abs=4 * found.log_integral[1])
    mean = found.weights @ found.points
    assert mean == pytest.approx([0.5, 0.4], abs=0.01)
    spread = np.sqrt(found.weights @ (found.points - mean) ** 2)
    assert spread == pytest.approx([0.05, 0.02], rel=0.1)


def test_a_poor_proposal_is_fitted_again():
    found, asked = draw(GAUSS.logpdf, [0.3, 0.6], np.eye(2) * 0.1**2)
    assert found.k <= GOOD_K
    assert found.effective >= 500
    assert asked < 4000
    assert found.log_integral[0] == pytest.approx(0, abs=4 * found.log_integral[1])


def test_bounds_cut_the_density():
    """In a corner the density is that of three exponentials; what is outside costs nothing."""
    found, _ = draw(lambda p: -p.sum(axis=1) / 0.05, [0, 0, 0], np.eye(3) * 0.2**2)
    error = 4 * found.log_integral[1]
    assert found.log_integral[0] == pytest.approx(3 * np.log(0.05), abs=error)
    assert found.weights @ found.points == pytest.approx([0.05] * 3, rel=0.15)


def test_nothing_known_fills_the_box():
    found, _ = draw(lambda p: np.zeros(len(p)), [0.2] * 4, np.eye(4) / 12)
    assert found.log_integral[0] == pytest.approx(0, abs=4 * found.log_integral[1])
    assert found.weights @ found.points == pytest.approx([0.5] * 4, abs=0.06)


def test_a_bent_ridge():
    """Mean and integral of a banana are those of the Gaussian it is bent from."""

    def banana(p):
        x, y = (p[:, 0] - 0.5) / 0.15, (p[:, 1] - 0.5) / 0.03
        return -0.5 * x**2 - 0.5 * (y - 1.5 * (x**2 - 1)) ** 2

    found, _ = draw(banana, [0.5, 0.455], np.diag([0.15, 0.03]) ** 2, effective=1000, most=20_000)
    assert found.k <= GOOD_K
    assert found.log_integral[0] == pytest.approx(np.log(2 * np.pi * 0.15 * 0.03), abs=0.1)
    assert found.weights @ found.points == pytest.approx([0.5, 0.5], abs=0.02)


def test_k_says_what_the_proposals_do_not_reach():
    """A ring is followed by no mixture of a few: not trusted, and no endless search."""

    def ring(p):
        return -0.5 * ((np.hypot(*(p - 0.5).T) - 0.3) / 0.001) ** 2

    found, asked = draw(ring, [0.8, 0.5], np.eye(2) * 0.01**2)
    assert found.k > GOOD_K
    assert asked <= 10_000


def test_an_interruption_keeps_what_was_drawn():
    first = single(GAUSS.mean, GAUSS.cov)
    found = sample_box(
        lambda p: GAUSS.logpdf(p)[:60],
        first,
        effective=500,
        most=9999,
        rng=np.random.default_rng(0),
    )
    assert len(found.points) == 60
    assert found.weights.sum() == pytest.approx(1)
    assert Draws.none(2).effective == 0
