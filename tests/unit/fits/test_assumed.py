"""A posterior in which assumed values vary over their ranges."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import truncnorm

import ssnib_model as ss
from ssnib_model.fits import assumed as module
from ssnib_model.fits.assumed import assumed, marginal
from ssnib_model.fits.data import Data, Prepared

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


class Formula(Data):
    """Two capacities and a gap by formulas, of which everything is known exactly."""

    takes_solver = False
    experiment = "formula"

    def __init__(self, name="formula", rng=None):
        values, sigma = np.array([102.9, 97.6, 0.15]), np.array([1.3, 1.3, 0.005])
        noise = rng.normal(size=3) * sigma if rng else 0.0
        super().__init__(name, LABELS, values + noise, sigma, None)

    def prepare(self, model, parameters, varying, solver):
        return Prepared(lambda p: p)

    def read(self, outcome, parameters):
        return np.array(of_formula(*(outcome[n] for n in (D, FRACTION, J0, INTERFACE))))


LABELS = ["slow", "fast", "gap"]


def of_formula(diffusivity, fraction, j0, interface):
    """Diffusion takes nothing more where it is fast; the gap is shared."""
    lost = 1e-17 / diffusivity
    slow, fast = (114 * fraction * np.exp(-rate * lost) for rate in (0.2, 1.0))
    return slow, fast, 0.01 + 1e-3 / j0 + 6 * interface


def exact_marginals():
    """Of D and j0 on the unit scale, with their nodes, and the logarithm of the evidence."""
    unit = (np.arange(2000) + 0.5) / 2000
    d, j0 = 1e-17 * 1e3**unit, 1e-3 * 1e3**unit

    def density(off, sigma):
        return np.exp(-0.5 * (off / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))

    slow, fast, _ = of_formula(d[:, None], 0.8 + 0.2 * unit[::4], 1.0, 0.0)
    of_d = (density(slow - 102.9, 1.3) * density(fast - 97.6, 1.3)).mean(axis=1)
    gap = of_formula(1.0, 1.0, j0[:, None], 0.02 * unit[::4])[2]
    of_j0 = density(gap - 0.15, 0.005).mean(axis=1)
    return unit, of_d, of_j0, float(np.log(of_d.mean() * of_j0.mean()))


def test_it_agrees_with_an_exact_integral():
    """Where one value shares with another, and where it may be as large as it likes."""
    fit = ss.fit(ss.ParameterSet("Hu2024"), [Formula()], FREE, model="spm")
    drawn = marginal(fit, 100, over=OVER)
    assert drawn.k < 0.7
    unit, of_d, of_j0, log_evidence = exact_marginals()
    assert drawn.log_evidence == pytest.approx(log_evidence, abs=0.3)
    weights = drawn.points["Weight"].to_numpy()
    assert drawn.effective > 40
    for free, density in ((FREE[0], of_d), (FREE[1], of_j0)):
        found = np.log(drawn.points[free.name] / free.low) / np.log(free.high / free.low)
        cumulated = np.cumsum(density) / density.sum()
        for part in (0.1, 0.5, 0.9, 0.97):
            below = weights[found < unit[np.searchsorted(cumulated, part)]].sum()
            error = np.sqrt(part * (1 - part) / drawn.effective)
            assert below == pytest.approx(part, abs=3 * error), (free.name, part)
    # conditional on the interface, j0 is known to a few per cent; not so here
    low, high = unit[np.searchsorted(np.cumsum(of_j0) / of_j0.sum(), [0.025, 0.975])]
    assert 1e3 ** (high - low) > 3
    # D is bounded from below only
    assert of_d[-1] > 0.01 * of_d.max()


def test_many_values_are_not_given_up_for_their_number():
    """chi2 is about 150, which is right for 150 values."""
    data = [Formula(f"formula {n}", np.random.default_rng(n)) for n in range(50)]
    fit = ss.fit(ss.ParameterSet("Hu2024"), data, FREE, model="spm")
    assert fit.chi2 > 100
    drawn = marginal(fit, 10, over=OVER)
    assert len(drawn.points) == 10
    assert not any("brought to agree" in note for note in drawn.notes)


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
