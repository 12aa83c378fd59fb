"""Designs: grids, samples, ranges of a set."""

import numpy as np
import pytest

import ssnib_model as ss

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"


def test_designs():
    design = ss.grid({KAPPA: [0.01, 0.1], D: [1e-16, 1e-15, 1e-14]})
    assert design.shape == (6, 2)
    assert design[D].tolist() == [1e-16, 1e-15, 1e-14] * 2
    for method in ("sobol", "lhs"):
        points = ss.sample({KAPPA: (1e-3, 1.0, "log"), D: (0.0, 1.0)}, 64, method, seed=3)
        assert points.equals(ss.sample({KAPPA: (1e-3, 1.0, "log"), D: (0.0, 1.0)}, 64, method, 3))
        assert np.log10(points[KAPPA]).mean() == pytest.approx(-1.5, abs=0.05)
        assert points[D].between(0, 1).all()


def test_the_ranges_of_a_set_can_be_sampled(hu2024):
    ranges = ss.own_ranges(hu2024)
    assert len(ranges) > 30
    assert ranges["Negative electrode exchange-current density [A.m-2]"] == (0.5, 100.0, "log")
    low, high, scale = ranges[D]
    assert scale == "log"
    assert 0.1 * hu2024[D] < low < hu2024[D] < high < 100 * hu2024[D]
    names = [KAPPA, "Positive electrode void fraction", D]
    table = ss.sweep(hu2024, ss.sample({n: ranges[n] for n in names}, 4), ss.RateTest([0.2]))
    assert table["Status"].tolist() == ["ok"] * 4


def test_bad_samples():
    with pytest.raises(ss.OptionError, match="the method is one of"):
        ss.sample({KAPPA: (0, 1)}, 4, "random")
    with pytest.raises(ss.OptionError, match="logarithm"):
        ss.sample({KAPPA: (0, 1, "log")}, 4)
