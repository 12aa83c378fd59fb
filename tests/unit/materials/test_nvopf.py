"""The potential with two plateaus."""

import numpy as np
import pytest

from ssnib_model.materials.nvopf import two_plateau_ocp
from ssnib_model.materials.nvp import plateau_ocp

ENDS = (5.0, 0.005, 0.005)


def test_each_half_of_the_sodium_has_its_plateau():
    potential = two_plateau_ocp(np.array([0.25, 0.5, 0.75]), 4.0, 3.6, 0.5, 0.02, *ENDS)
    assert potential == pytest.approx([4.0, 3.8, 3.6], abs=1e-6)


def test_its_mean_is_that_of_the_plateaus_by_their_share():
    x = np.linspace(0, 1, 200_001)
    for step in (0.3, 0.5):
        mean = np.trapezoid(two_plateau_ocp(x, 4.0, 3.6, step, 0.02, *ENDS), x)
        # the two ends cancel
        assert mean == pytest.approx(4.0 * step + 3.6 * (1 - step), abs=1e-5)


def test_two_equal_plateaus_are_one():
    x = np.linspace(0, 1, 101)
    one = plateau_ocp(x, 3.4, 5.0, 0.004, 0.006)
    assert two_plateau_ocp(x, 3.4, 3.4, 0.5, 0.02, 5.0, 0.004, 0.006) == pytest.approx(one)
