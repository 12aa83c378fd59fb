"""Conservation of sodium, and a breakdown that adds up to the voltage."""

import numpy as np
import pybamm
import pytest

from ssnib_model.models.spm import SolidStateSPM


def test_sodium_and_voltage_are_accounted_for():
    solution = pybamm.Simulation(SolidStateSPM()).solve([0, 1800])
    assert np.abs(solution["Voltage breakdown residual [V]"].entries).max() < 1e-9
    moved = solution["Discharge capacity [A.h]"].entries * 3600 / pybamm.constants.F.value
    sodium = solution["Positive electrode sodium [mol]"].entries
    alloy = solution["Negative electrode sodium [mol]"].entries
    assert moved[-1] > 0
    assert sodium - sodium[0] == pytest.approx(moved, rel=1e-6, abs=1e-12)
    assert alloy[0] - alloy == pytest.approx(moved, rel=1e-6, abs=1e-12)
