"""Bounds, scale and priors of what a fit may change."""

import numpy as np
import pytest

import ssnib_model as ss

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"


@pytest.mark.parametrize("log", [True, False])
def test_the_scale_has_the_bounds_at_0_and_1(log, hu2024):
    free = ss.Free(J0, 0.002, 0.7, log=log).completed(hu2024)
    assert (free.from_unit(0), free.from_unit(1)) == pytest.approx((0.002, 0.7), rel=1e-14)
    for unit in np.linspace(0, 1, 7):
        assert free.to_unit(free.from_unit(unit)) == pytest.approx(unit)
    # round-off never leads out of them
    assert all(0.002 <= free.from_unit(u) <= 0.7 for u in np.linspace(0, 1, 1001))


def test_the_logarithm_is_taken_over_a_factor_of_ten(hu2024):
    assert ss.Free(J0, 0.01, 0.1).completed(hu2024).log
    assert not ss.Free(J0, 0.01, 0.09).completed(hu2024).log


def test_a_prior_is_in_its_own_standard_deviations(hu2024):
    free = ss.Free(J0, 1e-3, 1.0, prior=(0.02, 0.5)).completed(hu2024)
    assert free.prior_residual(free.to_unit(0.02)) == pytest.approx(0, abs=1e-12)
    assert free.prior_residual(free.to_unit(0.02 * np.exp(1.5))) == pytest.approx(3)


@pytest.mark.parametrize(
    "prior", [(0.02, 0), (0.02, -1), (-0.02, 1), (0.02,), (0.02, float("nan")), "ab", (True, 1)]
)
def test_what_is_no_prior_is_refused_by_name(prior, hu2024):
    with pytest.raises(ss.OptionError, match=r"exchange-current density.*prior"):
        ss.Free(J0, 1e-3, 1.0, prior=prior).completed(hu2024)


def test_a_move_in_words(hu2024):
    assert ss.Free(J0, 1e-3, 1.0).completed(hu2024).moved(1 / 3).endswith("times 10")
    assert ss.Free(J0, 0, 1.0, log=False).completed(hu2024).moved(0.25).endswith("plus 0.25")
