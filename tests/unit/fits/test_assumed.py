"""A posterior in which assumed values vary over their ranges."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import truncnorm

import ssnib_model as ss
from ssnib_model.fits import assumed as module
from ssnib_model.fits.assumed import assumed, marginal

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
FRACTION = "Positive electrode accessible fraction"
INTERFACE = "Na3PS4|NaTaCl6 interface resistance [Ohm.m2]"
FREE = [ss.Free(D, 1e-17, 1e-14), ss.Free(J0, 1e-3, 1.0), ss.Free(FRACTION, 0.8, 1.0)]
OVER = [ss.Free(INTERFACE, 0.0, 0.02, log=False)]


@pytest.fixture(scope="module")
def data():
    return pd.DataFrame(
        {
            "C-rate": [0.2, 1],
            "Discharge capacity [mA.h.g-1]": [102.9, 97.6],
            "Polarization [V]": [0.15, None],
        }
    )


@pytest.fixture(scope="module")
def fit(data):
    return ss.fit(ss.ParameterSet("Hu2024"), data, FREE, model="spm")


def test_it_agrees_with_the_posterior_of_all_of_them(fit, data):
    """Drawing what is fitted given what is assumed, and drawing everything at once."""
    one = marginal(fit, 60, over=OVER)
    assert one.k < 0.7
    assert one.effective > 15
    # what is in series with the reaction takes its part of the gap
    other = ss.fit(ss.ParameterSet("Hu2024"), data, [*FREE, *OVER], model="spm").posterior(100)
    for label in (D, J0, FRACTION, INTERFACE):
        a, b = (p.summary().loc[label] for p in (one, other))
        scale = np.log if label in (D, J0) else np.asarray
        width = float(scale(b["97.5 %"]) - scale(b["2.5 %"]))
        assert abs(scale(a["Median"]) - scale(b["Median"])) < 0.2 * width
    assert abs(one.log_evidence - other.log_evidence) < 0.6


def test_conditional_errors_are_narrower_and_repeat(fit):
    drawn = marginal(fit, 15, over=OVER, seed=3)
    logs = np.log(drawn.points[J0])
    assert np.sqrt(np.cov(logs, aweights=drawn.points["Weight"])) > 1.5 * (
        fit.errors[J0] / fit.values[J0]
    )
    again = marginal(fit, 15, over=OVER, seed=3)
    pd.testing.assert_frame_equal(drawn.points, again.points)
    assert "its own range" in drawn.report()


def test_all_that_has_a_range_and_is_read_is_assumed(hu2024):
    names = {f.name for f in assumed(hu2024)}
    assert INTERFACE in names
    assert "Positive electrode Bruggeman exponent" in names
    assert "Positive particle sodium-rich phase limit" not in names  # of two-phase particles
    assert J0 not in names  # fitted
    assert "Na3PS4 layer mass [kg]" not in names  # no uncertainty


def test_bad_input_is_one_sentence(fit):
    with pytest.raises(ss.OptionError, match="free in the fit already"):
        marginal(fit, 5, over=FREE[:1])
    with pytest.raises(ss.OptionError, match="no value with a range"):
        marginal(fit, 5, over=[])
    with pytest.raises(ss.OptionError, match="draws is 0"):
        marginal(fit, 0)


@pytest.mark.parametrize("tilt", [-3.0, 0.0, 2.0])
def test_tilted_draws_have_the_density_they_say(tilt):
    x = module._tilted(np.linspace(0.0005, 0.9995, 1000)[:, None], np.array([tilt]))
    grid = np.linspace(0, 1, 2001)[:, None]
    density = np.exp(module._log_tilted(grid, np.array([tilt])))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1, abs=1e-5)
    mean = np.trapezoid(density * grid[:, 0], grid[:, 0])
    assert x.mean() == pytest.approx(mean, abs=1e-3)


def test_priors_are_drawn_as_they_are_weighed(hu2024):
    free = ss.Free(INTERFACE, 0.0, 0.02, log=False, prior=(0.015, 0.01)).completed(hu2024)
    exact = truncnorm((0 - 0.75) / 0.5, (1 - 0.75) / 0.5, 0.75, 0.5)
    parts = np.linspace(0.01, 0.99, 9)
    assert module._of_prior(free, parts) == pytest.approx(exact.ppf(parts))
    for unit in (0.1, 0.9):
        assert module._log_prior(free, unit) == pytest.approx(exact.logpdf(unit))
