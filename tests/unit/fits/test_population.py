"""A value for each cell, with a common mean and spread."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import ssnib_model as ss
from ssnib_model.fits.data import Data, Prepared
from ssnib_model.fits.free import Bounded
from ssnib_model.fits.population import LARGEST, Population, estimate, populations_of

D = "Positive particle diffusivity [m2.s-1]"
ACCESSIBLE = "Positive electrode accessible fraction"


class Read(Data):
    """The value of a parameter itself, measured: linear, and Gaussian."""

    takes_solver = False

    def __init__(self, name, values, sigma):
        super().__init__(name, [f"value {i}" for i in range(len(values))], values, sigma, None)

    @property
    def experiment(self):
        return "read", len(self.measured)

    def prepare(self, model, parameters, varying, solver):
        return Prepared(lambda parameters: parameters[ACCESSIBLE])

    def read(self, outcome, parameters):
        return np.full(len(self.measured), outcome)


def cells(m, spread, sigma=0.005, n=2, seed=0):
    """Cells with a mean of 0.8."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.8, spread, m)
    return values, {
        f"cell {i}": Read(f"test {i}", v + rng.normal(0, sigma, n), sigma)
        for i, v in enumerate(values)
    }


@pytest.fixture(scope="module")
def linear(hu2024):
    truth, data = cells(8, 0.02)
    return truth, ss.fit(hu2024, data, [ss.Free(ACCESSIBLE, 0.6, 1.0, each=True)])


def brute(values, variances):
    """Mean and error of both hyperparameters by their density on a grid."""
    means, spreads = (np.arange(800) + 0.5) / 800, (np.arange(2000) + 0.5) / 2000 * LARGEST
    mean, spread = np.meshgrid(means, spreads, sparse=True)
    density = np.ones((2000, 800))
    for value, variance in zip(values, variances, strict=True):
        density *= norm.pdf(value, mean, np.hypot(spread, np.sqrt(variance)))
    density /= density.sum()
    found = []
    for x, parts in ((means, density.sum(axis=0)), (spreads, density.sum(axis=1))):
        found += [parts @ x, np.sqrt(parts @ (x - parts @ x) ** 2)]
    return found


def test_mean_and_spread_are_those_of_the_integral(linear):
    _, fit = linear
    row = fit.population.loc[ACCESSIBLE]
    values = np.array([d.measured.mean() for d in fit.problem.data])
    assert fit.unit == pytest.approx((values - 0.6) / 0.4, abs=1e-6)
    expected = np.array(brute((values - 0.6) / 0.4, (0.005 / 0.4) ** 2 / 2 * np.ones(8)))
    found = row[["Mean", "Mean error", "Spread", "Spread error"]].to_numpy(float)
    assert found == pytest.approx(expected * 0.4 + [0.6, 0, 0, 0], rel=2e-3)
    assert row["Spread 2.5 %"] < 0.02 < row["Spread 97.5 %"]


def test_draws_say_the_same(linear):
    """The prior with mean and spread integrated out, by weights, against the closed form."""
    _, fit = linear
    drawn = fit.posterior(500, seed=2)
    assert drawn.method == "importance"
    row, both = fit.population.loc[ACCESSIBLE], drawn.population
    mean, spread = both[f"Mean of {ACCESSIBLE}"], both[f"Spread of {ACCESSIBLE}"]
    assert mean.mean() == pytest.approx(row["Mean"], abs=0.2 * row["Mean error"])
    assert mean.std() == pytest.approx(row["Mean error"], rel=0.15)
    assert spread.mean() == pytest.approx(row["Spread"], abs=0.2 * row["Spread error"])
    assert spread.std() == pytest.approx(row["Spread error"], rel=0.2)
    pooled, summary = fit.pooled, drawn.summary()
    assert summary["Mean"].to_numpy() == pytest.approx(
        pooled["Value"].to_numpy(), abs=0.25 * pooled["Error"].max()
    )
    assert summary["Standard deviation"].to_numpy() == pytest.approx(
        pooled["Error"].to_numpy(), rel=0.2
    )
    assert "From cell to cell" in drawn.report()
    assert "population" in drawn.to_dict()


def test_a_known_spread_pools_as_the_closed_form_says():
    """Of equal errors: each value drawn to the mean by its part of the variance."""
    free = Bounded("x", 0.0, 1.0, False, each=True)
    population = Population("x", np.arange(40), free)
    values = np.random.default_rng(1).normal(0.5, 0.05, 40)
    found = estimate(population, values, 0.02**2 * np.eye(40))
    assert found.mean == pytest.approx(values.mean())
    # spread is known within 12 %: taken at its expectation
    part = found.spread**2 / (found.spread**2 + 0.02**2)
    assert found.pooled == pytest.approx(values.mean() + part * (values - values.mean()), abs=3e-3)
    assert found.spread == pytest.approx(0.05, abs=3 * found.spread_error)


def test_correlated_values_are_not_counted_as_independent():
    """An error that all cells have in common widens the mean, and says nothing of the spread."""
    population = Population("x", np.arange(6), Bounded("x", 0.0, 1.0, False, each=True))
    values = np.array([0.5, 0.52, 0.47, 0.51, 0.49, 0.53])
    own = 0.01**2 * np.eye(6)
    alone, common = (estimate(population, values, own + c) for c in (0.0, 0.1**2))
    assert common.spread == pytest.approx(alone.spread, rel=1e-6)
    assert common.mean_error == pytest.approx(np.hypot(alone.mean_error, 0.1), rel=1e-6)


def test_the_prior_is_a_density_within_the_bounds():
    population = Population("x", np.arange(2), Bounded("x", 0.0, 1.0, False, each=True))
    # over half of the square, with nodes that crowd where the two are alike
    nodes, parts = np.polynomial.legendre.leggauss(24)
    nodes, parts = (nodes + 1) / 2, parts / 2
    total = 0.0
    for one, of_one in zip(nodes, parts, strict=True):
        for near, of_near in zip(nodes, parts, strict=True):
            values = np.array([one, one * (1 - near**2)])
            area = 2 * 2 * one * near * of_one * of_near
            total += area * np.exp(population.log_prior(values))
    assert total == pytest.approx(1, abs=5e-3)


def test_the_prior_at_a_spread_is_the_integral_over_the_mean():
    """Terms of the sum against a Gaussian with the mean as one more common error."""
    population = Population("x", np.arange(4), Bounded("x", 0.0, 1.0, False, each=True))
    values = np.array([0.4, 0.45, 0.5, 0.55])
    wide = 1e3
    with_mean = multivariate_normal(np.zeros(4), 0.05**2 * np.eye(4) + wide**2)
    # a uniform density 1 in place of that Gaussian's at 0
    expected = with_mean.logpdf(values) + np.log(wide * np.sqrt(2 * np.pi))
    slope = -0.5 * values @ population.precision(0.05) @ values
    normal = -1.5 * np.log(2 * np.pi * 0.05**2) - 0.5 * np.log(4)
    assert slope + normal == pytest.approx(expected, abs=1e-4)


def test_a_cell_may_have_several_data(hu2024):
    _, data = cells(3, 0.02)
    data = {cell: [one, Read(f"{cell} again", [0.8], 0.005)] for cell, one in data.items()}
    fit = ss.fit(hu2024, data, [ss.Free(ACCESSIBLE, 0.6, 1.0, each=True)])
    assert list(fit.values) == [f"{ACCESSIBLE} (cell {i})" for i in range(3)]
    assert fit.problem.cells["cell 1"] == ["cell 1: test 1", "cell 1: cell 1 again"]
    expected = [np.append(d[0].measured, 0.8).mean() for d in data.values()]
    assert list(fit.values.values()) == pytest.approx(expected, abs=1e-6)
    assert "cells say little of a spread" in fit.report()
    saved = fit.to_dict()
    assert saved["population"][ACCESSIBLE]["Spread of"] == "value"
    # the set that was fitted is of a cell that was not measured
    info = fit.parameters.info(ACCESSIBLE)
    row = fit.population.loc[ACCESSIBLE]
    assert info.value == row["Mean"]
    assert info.uncertainty["sd"] == pytest.approx(np.hypot(row["Mean error"], row["Spread"]))


def test_what_is_no_population_is_refused(hu2024):
    _, data = cells(1, 0.02)
    with pytest.raises(ss.OptionError, match="at least two"):
        ss.fit(hu2024, data, [ss.Free(ACCESSIBLE, 0.6, 1.0, each=True)])
    with pytest.raises(ss.OptionError, match="a prior or data"):
        ss.fit(hu2024, data, [ss.Free(ACCESSIBLE, 0.6, 1.0, prior=(0.8, 0.1), each=True)])


def test_a_prediction_must_say_for_which_cell(linear):
    _, fit = linear
    with pytest.raises(ss.OptionError, match="have a value for each cell"):
        fit.predict([1.0], n=1)
    assert not populations_of([Bounded("x", 0.0, 1.0, False)])
