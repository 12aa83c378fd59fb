"""The package against a second solution of the same equations that shares no code with it."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import ssnib_model as ss

solve = runpy.run_path(str(Path(__file__).with_name("reference_solver.py")))["solve"]

FRACTIONS = np.linspace(0.02, 0.98, 20)

# The reaction moves through the composite as a front. Its losses leave nothing of 2 C within
# 2.5 to 4 V, and the front needs the finer mesh.
FRONT = {
    "Positive electrode electrolyte conductivity [S.m-1]": 0.02,
    "Positive electrode contacted fraction": 0.5,
    "Positive electrode film resistance [Ohm.m2]": 0.01,
    "Lower voltage cut-off [V]": 1.9,
    "Upper voltage cut-off [V]": 4.6,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "var_pts"),
    [({}, None), (FRONT, {"x_p": 40, "r_p": 40})],
    ids=["default", "front"],
)
def test_rate_test_agrees_with_the_reference(changes, var_pts, hu2024):
    """Voltage at the same capacity within 2 mV, capacity within 0.1 mAh/g, at 0.2 and 2 C."""
    parameters = hu2024.replace(changes)
    test = ss.RateTest([0.2, 2], initial_state_of_charge=0.01)
    result = test.run(parameters=parameters, var_pts=var_pts)
    values = {name: value for name, value in parameters.items() if isinstance(value, float)}
    references = solve(values, [-0.2, 0.2, -2, 2], state_of_charge=0.01)
    voltages, capacities = [], []
    for reference, own in zip(references, result.half_cycles, strict=True):
        times = FRACTIONS * min(reference.duration, own.duration)
        expected = np.array([reference.voltage(t) for t in times])
        voltages.append(np.abs(own.at("Voltage [V]", times / own.duration) - expected).max())
        capacities.append(own.capacity / result.mass - reference.capacity)
        print(f"{own.direction} {own.rate} C: {1e3 * voltages[-1]:.3f} mV, "
              f"{capacities[-1]:.4f} of {reference.capacity:.2f} mA.h/g")  # fmt: skip
    assert max(voltages) < 2e-3
    assert np.abs(capacities).max() < 0.1
