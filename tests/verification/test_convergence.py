"""Check 7 of the theory: mesh and tolerance."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss

FRACTIONS = np.linspace(0.02, 0.98, 49)


def _test(hu2024, var_pts, rates=(2,), tolerance=1e-8):
    # a poor catholyte, so that the reaction is far from uniform over the composite
    parameters = hu2024.replace({"Positive electrode electrolyte conductivity [S.m-1]": 0.1})
    solver = pybamm.IDAKLUSolver(rtol=tolerance, atol=tolerance / 10)
    return ss.RateTest(rates).run(parameters=parameters, solver=solver, var_pts=var_pts)


def _order(values):
    """Observed order from three meshes, each twice as fine as the one before."""
    coarse, medium, fine = (np.asarray(value) for value in values)
    errors = np.abs(coarse - medium).max(), np.abs(medium - fine).max()
    return np.log2(errors[0] / errors[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "meshes",
    [
        [{"x_p": n, "r_p": 20} for n in (10, 20, 40)],
        [{"x_p": 20, "r_p": n} for n in (20, 40, 80)],
    ],
    ids=["x", "r"],
)
def test_order_of_convergence(meshes, hu2024):
    """Voltage within the half-cycle and capacity converge with order 1.8 or better."""
    results = [_test(hu2024, mesh, [1]) for mesh in meshes]
    voltages = [r.half_cycles[1].at("Voltage [V]", FRACTIONS) for r in results]
    capacities = [r.half_cycles[1].capacity for r in results]
    orders = _order(voltages), _order(capacities)
    print(f"orders of voltage and capacity: {orders[0]:.2f}, {orders[1]:.2f}")
    assert min(orders) >= 1.8


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.2, 2])
def test_default_mesh_is_fine_enough(rate, hu2024):
    """Within 0.5 mV and 0.1 mAh/g of a mesh four times as fine in x and r."""
    solver = pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8)
    default, fine = (
        ss.RateTest([rate]).run(parameters=hu2024, solver=solver, var_pts=var_pts)
        for var_pts in (None, {"x_p": 80, "r_p": 80})
    )
    for coarse, exact in zip(default.half_cycles, fine.half_cycles, strict=True):
        difference = coarse.at("Voltage [V]", FRACTIONS) - exact.at("Voltage [V]", FRACTIONS)
        capacity = (coarse.capacity - exact.capacity) / default.mass
        print(f"{coarse.direction} {rate} C: {1e3 * np.abs(difference).max():.3f} mV, "
              f"{capacity:.4f} mA.h/g")  # fmt: skip
        assert np.abs(difference).max() < 0.5e-3
        assert abs(capacity) < 0.1


def test_default_tolerance_is_tight_enough(hu2024):
    """Within 0.1 mV and 0.02 mAh/g of a tolerance 100 times as tight."""
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
    default, tight = (
        ss.RateTest([0.2, 2]).run(parameters=hu2024, solver=s) for s in (None, solver)
    )
    for loose, exact in zip(default.half_cycles, tight.half_cycles, strict=True):
        difference = loose.at("Voltage [V]", FRACTIONS) - exact.at("Voltage [V]", FRACTIONS)
        assert np.abs(difference).max() < 1e-4
        assert loose.capacity / default.mass == pytest.approx(
            exact.capacity / default.mass, abs=0.02
        )
