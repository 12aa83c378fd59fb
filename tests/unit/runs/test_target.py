"""Inverse questions."""

import numpy as np
import pytest

import ssnib_model as ss

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
CAPACITY = "Discharge capacity [mA.h.g-1]"
GAP = "Polarization [V]"


def test_contour_of_two_parameters(hu2024):
    """Half the layer needs half the conductivity for the same gap; a wall has no answer."""
    thickness = "Na3PS4 layer thickness [m]"
    values = [1e-4, 2e-4]
    table = ss.contour(hu2024, "polarization at 1 C", 0.5, KAPPA, thickness, values)
    assert table[KAPPA][1] == pytest.approx(2 * table[KAPPA][0], rel=1e-3)
    none = ss.contour(hu2024, "polarization at 2 C", 0.1, KAPPA, thickness, [1e-4])
    assert np.isnan(none[KAPPA][0])
    assert "no value" in none["Answer"][0]


def test_target_is_met(hu2024):
    """The value found, put in, gives the target."""
    answer = ss.target(hu2024, "polarization at 2 C", 0.6, KAPPA)
    result = ss.RateTest([2]).run(ss.SolidStateSPM(), hu2024.replace({KAPPA: answer.value}))
    assert result.table[GAP][0] == pytest.approx(0.6, abs=1e-4)
    retention = ss.target(hu2024, "capacity retention at 2 C", 0.88, KAPPA)
    changed = hu2024.replace({KAPPA: retention.value})
    table = ss.RateTest([0.1, 2]).run(ss.SolidStateSPM(), changed).table
    assert table[CAPACITY][1] / table[CAPACITY][0] == pytest.approx(0.88, abs=1e-3)


def test_target_out_of_reach_says_what_limits(hu2024):
    answer = ss.target(hu2024, "polarization at 2 C", 0.1, KAPPA)
    assert answer.value is None
    assert "no value" in answer.sentence
    assert "largest loss there is Positive electrode reaction" in answer.sentence


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ps: ss.target(ps, "speed at 2 C", 1, KAPPA), "it must be"),
        (lambda ps: ss.target(ps, "polarization at 2 C", 1, KAPPA, low=2, high=1), "low < high"),
    ],
)
def test_bad_input(call, message, hu2024):
    with pytest.raises(ss.SSNIBError, match=message):
        call(hu2024)
