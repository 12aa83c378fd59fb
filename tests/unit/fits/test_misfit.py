"""The misfit of a model as a term of its own."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

import ssnib_model as ss
from ssnib_model.fits.data import CAPACITY, GAP
from ssnib_model.fits.misfit import Misfit, misfits


def test_amplitude_is_integrated_out():
    """Single values: a larger sigma, half-Cauchy; against quadrature."""
    residuals = np.array([3.0, -5.0, 1.0, 4.0])
    found = Misfit.of("any", np.arange(4), np.eye(4)).log_likelihood(residuals)

    def density(a):
        variance = 1 + a**2
        prior = 2 / np.pi / (1 + a**2)
        return prior * variance**-2 * np.exp(-0.5 * residuals @ residuals / variance)

    expected = quad(density, 0, np.inf)[0]
    assert found == pytest.approx(np.log(expected), abs=1e-3)


@pytest.mark.parametrize("scale", [0.0, 3.0, 1e3])
def test_amplitude_follows_the_residuals(scale):
    rng = np.random.default_rng(0)
    n = 200
    residuals = np.hypot(1, scale) * rng.normal(size=n)
    amplitude = Misfit.of("any", np.arange(n), np.eye(n)).amplitude(residuals)
    assert amplitude == pytest.approx(scale, rel=0.15, abs=0.4)


def test_a_misfit_along_a_curve_is_not_averaged_away():
    """200 points of one wrong curve know its level no better than a few would."""
    x = np.linspace(0, 1, 200)
    curve = ss.CurveData("c", x * 100, 3.2 - 0.1 * x, 1, points=200)
    table = pd.DataFrame({"C-rate": [0.5, 1.0], CAPACITY: [100.0, 90.0], GAP: [0.1, 0.2]})
    used = np.ones(205, dtype=bool)
    used[204] = False
    found = {m.kind: m for m in misfits([curve, ss.RateTestData("t", table)], used)}
    assert list(found) == ["Voltage [V]", CAPACITY, GAP]
    # the capacities of the curve and of the table have one amplitude, but nothing else in common
    assert found[CAPACITY].at.tolist() == [200, 201, 203]
    assert found[CAPACITY].spread == pytest.approx([1, 1, 1])
    assert found[GAP].at.tolist() == [202]
    ones = np.ones(200)
    for amplitude, low, high in ((0, 1 / 200, 1 / 200), (10, 20, 100)):
        error = 1 / (ones @ found["Voltage [V]"].inverse(amplitude) @ ones)
        assert low * 0.999 <= error <= high * 1.001


def test_parts_of_a_spectrum():
    frequencies = np.geomspace(1e5, 1, 11)
    data = ss.SpectrumData("eis", frequencies, np.full(11, 100 - 50j))
    (found,) = misfits([data], np.ones(22, dtype=bool))
    correlation = found.axes @ np.diag(found.spread) @ found.axes.T
    assert correlation[0, 1] > 0.7  # half a decade
    assert abs(correlation[0, 10]) < 0.01  # five decades
    assert abs(correlation[:11, 11:]).max() < 1e-9  # real and imaginary part
