"""The potential that rises as the sodium leaves."""

import numpy as np
import pytest

from ssnib_model.materials.nacro2 import rising_ocp

NO_ENDS = (0.0, 0.005, 0.005)


@pytest.mark.parametrize("exponent", [1.0, 4.0, 7.5])
def test_ends_and_mean_in_closed_form(exponent):
    x = np.linspace(0, 1, 200_001)
    potential = rising_ocp(x, 2.97, 0.63, exponent, *NO_ENDS)
    assert potential[[0, -1]] == pytest.approx([3.60, 2.97], abs=1e-6)
    assert np.trapezoid(potential, x) == pytest.approx(2.97 + 0.63 / (exponent + 1), abs=1e-6)
    assert (np.diff(potential) <= 0).all()


def test_a_surface_just_outside_is_a_number():
    """A solver tries such states; a broken power of a negative number would be none."""
    assert np.isfinite(rising_ocp(np.array([-1e-3, 1 + 1e-3]), 2.97, 0.63, 7.5, *NO_ENDS)).all()
