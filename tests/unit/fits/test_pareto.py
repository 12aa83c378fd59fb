"""Pareto-smoothed weights."""

import numpy as np
import pytest

from ssnib_model.fits.pareto import smoothed


def test_index_of_a_known_tail():
    rng = np.random.default_rng(2)
    for k in (0.2, 0.7):
        found = [smoothed(np.log(rng.pareto(1 / k, 4000) + 1))[1] for _ in range(20)]
        assert np.mean(found) == pytest.approx(k, abs=0.06)


def test_weights_without_a_tail():
    weights, k = smoothed(np.zeros(100))
    assert k == -np.inf
    assert weights == pytest.approx(np.full(100, 0.01))
    weights, k = smoothed(np.array([0.0, -np.inf, 0.0]))
    assert k == np.inf  # too few to tell
    assert weights == pytest.approx([0.5, 0, 0.5])
