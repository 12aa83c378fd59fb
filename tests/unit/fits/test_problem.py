"""Residuals at many points, and how exact they are."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.fits.problem import FitProblem
from ssnib_model.solvers.choice import FOR_DIFFERENCES, FOR_FITS

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"


@pytest.fixture(scope="module")
def data():
    """Two temperatures, and three quantities of each."""
    table = pd.DataFrame(
        {
            "C-rate": [0.5, 2.0],
            "Discharge capacity [mA.h.g-1]": [99.0, 90.0],
            "Charge capacity [mA.h.g-1]": [99.0, 91.0],
            "Polarization [V]": [0.35, 0.9],
        }
    )
    warm = ss.RateTestData("warm", table, temperature=320.0)
    return [ss.RateTestData("cold", table), warm]


def test_many_points_are_the_same_as_one_by_one(hu2024, data):
    free = [ss.Free(D), ss.Free(J0), ss.Free(ACCESSIBLE, 0.8, 1.0, data="warm")]
    together, alone = (FitProblem(hu2024, data, free, "spm") for _ in range(2))
    units = np.random.default_rng(0).uniform(size=(12, 3))
    found = together.answers(units)
    expected = [alone.answer(unit) for unit in units]
    assert together.solves == alone.solves == 12
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert [bool(r) for r in one.reasons] == [bool(r) for r in other.reasons]


def test_differences_have_a_solver_that_is_exact_enough(hu2024, data):
    """A fit is as exact as its exact derivatives need, and no difference is taken with that."""
    problem = FitProblem(hu2024, data, [ss.Free(D)], "spm")
    assert problem.solver.structured == FOR_FITS.structured
    finer = problem._for_differences
    assert finer.solver.structured == FOR_DIFFERENCES.structured
    assert finer._for_differences is finer
    own = FitProblem(hu2024, data, [ss.Free(D)], "spm", ss.StructuredSolver(1e-5, 1e-7))
    assert own._for_differences is own


def test_a_fit_does_not_see_the_tolerance(hu2024, data):
    """Values and errors against a solver a thousand times as exact, in parts of the errors."""
    free = [ss.Free(D), ss.Free(J0)]
    usual = ss.fit(hu2024, data[:1], free, model="spm")
    exact = ss.fit(hu2024, data[:1], free, model="spm", solver=ss.StructuredSolver(1e-8, 1e-10))
    errors = np.sqrt(np.diag(exact.covariance))
    assert np.abs((usual.unit - exact.unit) / errors).max() < 0.01
    assert np.sqrt(np.diag(usual.covariance)) == pytest.approx(errors, rel=0.01)
