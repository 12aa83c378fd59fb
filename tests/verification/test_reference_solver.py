"""The reference solver against closed forms, and the package against the reference solver."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import brentq

reference = runpy.run_path(str(Path(__file__).with_name("reference_solver.py")))
ReferenceCell, galerkin_sphere = reference["ReferenceCell"], reference["galerkin_sphere"]

FRACTIONS = np.linspace(0.02, 0.98, 20)
ONE_C = 0.472e-3
#: tan x = x
ROOTS = np.array(
    [brentq(lambda z: np.sin(z) - z * np.cos(z), n * np.pi, (n + 0.5) * np.pi)
     for n in range(1, 400)]
)  # fmt: skip

# The reaction moves through the composite as a front. Its losses leave nothing of 2 C within
# 2.5 to 4 V, and the front needs the finer mesh.
FRONT = {
    "Positive electrode electrolyte conductivity [S.m-1]": 0.02,
    "Positive electrode contacted fraction": 0.5,
    "Positive electrode film resistance [Ohm.m2]": 0.01,
    "Lower voltage cut-off [V]": 1.9,
    "Upper voltage cut-off [V]": 4.6,
}


def numbers(parameters):
    return {name: value for name, value in parameters.items() if isinstance(value, float)}


# ---------------------------------------------------------------- against closed forms
def test_particle_has_the_modes_of_a_sphere():
    weights, stiffness = galerkin_sphere(12)
    assert weights.sum() == pytest.approx(1 / 3, abs=1e-14)
    decay = eigh(stiffness, np.diag(weights))[0]
    assert decay[0] == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(decay[1:5], ROOTS[:4] ** 2, rtol=1e-8)


@pytest.mark.parametrize("reduced", [False, True])
def test_hold_converges_to_the_equilibrium(reduced, hu2024):
    """In the end U_p - U_n is the voltage held, and no current flows."""
    cell = ReferenceCell(numbers(hu2024), 0.5, reduced=reduced, elements=2)
    for voltage in (3.35, 3.2):
        held = cell.apply("voltage", voltage, 2e6)
        assert cell.open_circuit() == pytest.approx(voltage, abs=1e-8)
        assert np.ptp(cell.state.theta) < 1e-6
        assert abs(held.at(held.duration)["I"]) < 1e-8 * ONE_C


def test_pulse_and_relaxation_of_a_sphere(hu2024):
    """Surface after a constant flux, from its square root of time on, and how it relaxes.

    Crank 1975, The Mathematics of Diffusion, eq. 6.45, from 1e-3 of the time of diffusion on;
    what is left long after decays with the slowest mode.
    """
    cell = ReferenceCell(numbers(hu2024), 0.5, reduced=True, shells=24, rtol=1e-9)
    (rate,), (flux,) = cell.rates, cell.flux
    current = 0.5 * ONE_C
    pulse = cell.apply("current", current, 0.1 / rate)
    strength = flux * -current / cell.area / rate  # slope of composition at the surface
    for tau in (1e-3, 1e-2, 0.1):
        series = (np.exp(-(ROOTS**2) * tau) / ROOTS**2).sum()
        (surface,) = pulse.at(tau / rate)["surface"]
        exact = strength * (3 * tau + 1 / 5 - 2 * series)
        # the tail of the series that is left out
        assert surface - 0.5 == pytest.approx(exact, rel=1e-2 if tau < 1e-2 else 2e-3)
    early = pulse.at(1e-4 / rate)["surface"][0] - 0.5
    root = strength * 2 * np.sqrt(1e-4 / np.pi)
    assert early == pytest.approx(root, rel=0.02)  # and the curvature of the sphere

    rest = cell.apply("current", 0.0, 0.5 / rate)
    mean, lags = 0.5 + 3 * strength * 0.1, []
    for tau in (0.3, 0.4):
        seen = rest.at(tau / rate)
        assert seen["theta"][0] == pytest.approx(mean, abs=1e-12)
        lags.append(seen["surface"][0] - mean)
    assert lags[1] / lags[0] == pytest.approx(np.exp(-(ROOTS[0] ** 2) * 0.1), rel=1e-5)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("reduced", [False, True])
def test_coulombs_are_counted(reduced, classes, hu2024):
    """What passes is what both electrodes take, to round-off, whatever is imposed."""
    options = {"size classes": 3, "open-circuit potential": "one-state hysteresis"}
    changes = {"Positive particle radius spread": 0.4, "Positive electrode hysteresis [V]": 0.02}
    parameters = hu2024.replace(changes, options)
    cell = ReferenceCell(
        numbers(parameters), 0.5, reduced=reduced, classes=classes, elements=2, rtol=1e-4
    )
    profile = ([0.0, 60.0, 120.0], [0.0, 2 * ONE_C, -ONE_C])
    for step in (("power", 1e-3), ("voltage", 3.4), ("current", profile), ("resistance", 9e3)):
        before, sodium = cell.share @ cell.state.theta @ cell.volumes * 3, cell.state.sodium
        span = cell.apply(*step, 150.0)
        after = cell.share @ cell.state.theta @ cell.volumes * 3
        charge = 3600 * span.charge / cell.capacity
        assert after - before == pytest.approx(charge, abs=1e-12)
        passed = cell.alloying / cell.area * 3600 * span.charge
        assert cell.state.sodium - sodium == pytest.approx(passed, abs=1e-12)
    assert span.at(100.0)["V"] == pytest.approx(9e3 * span.at(100.0)["I"], abs=1e-9)


@pytest.mark.parametrize(("sigma_e", "sigma_s"), [(1e-3, 5.0), (1e-2, 1e-2), (0.1, 1e-3)])
def test_resistance_at_once_is_that_of_a_porous_electrode(sigma_e, sigma_s, hu2024):
    """The step of the voltage at t = 0 for a small current, both models, in closed form.

    Newman and Tobias 1962, doi 10.1149/1.2425269: R = L / (s + k) (1 + (2 + (s/k + k/s)
    cosh nu) / (nu sinh nu)) of the composite, beside the layers and the anode.
    """
    L, T = hu2024["Positive electrode thickness [m]"], hu2024["Ambient temperature [K]"]
    phi = hu2024["Positive electrode electrolyte volume fraction"]
    parameters = hu2024.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": sigma_e / phi**3,
            "Positive electrode effective electronic conductivity [S.m-1]": sigma_s,
        }
    )
    values = numbers(parameters)
    surface = (
        3 * values["Positive electrode active material volume fraction"]
        * values["Positive electrode accessible fraction"] * L
        / values["Positive particle radius [m]"]
    )  # fmt: skip
    linear = reference["F"] / (reference["R"] * T)
    j0 = values["Positive electrode exchange-current density [A.m-2]"]
    nu = np.sqrt(surface * j0 * linear * L * (1 / sigma_s + 1 / sigma_e))
    r = sigma_s / sigma_e
    composite = (
        L / (sigma_s + sigma_e) * (1 + (2 + (r + 1 / r) * np.cosh(nu)) / (nu * np.sinh(nu)))
    )
    for reduced in (False, True):
        cell = ReferenceCell(values, 0.5, reduced=reduced, elements=16)
        anode = 1 / (linear * cell.j0_anode)
        current = 1e-5 * ONE_C
        before = cell.open_circuit()
        voltage = cell.apply("current", current, 1e-9).voltage(0.0)
        resistance = (before - voltage) / current * cell.area
        expected = composite + cell.resistance + anode
        assert resistance == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("kind", ["current", "voltage", "power"])
def test_order_of_the_reference(kind, hu2024):
    """Voltage, current and composition after 400 s against the length of fixed steps: order 4."""
    value = {"current": ONE_C, "voltage": 3.2, "power": 1.5e-3}[kind]
    found = []
    for step in (100.0, 50.0, 25.0, 5.0):
        cell = ReferenceCell(numbers(hu2024), 0.5, reduced=True, shells=6, rtol=1e-7)
        cell.apply(kind, value, 50.0)  # past the square root of time
        cell.fixed = step
        seen = cell.apply(kind, value, 400.0).at(400.0)
        found.append([seen["V"], seen["I"] / ONE_C, *seen["surface"]])
    errors = np.abs(np.array(found[:-1]) - found[-1]).max(axis=1)
    orders = np.log2(errors[:-1] / errors[1:])
    print(f"{kind}: errors {errors} at steps of 100, 50, 25 s: orders {orders}")
    assert orders.min() > 3.5


def test_refinement_of_the_reference(hu2024):
    """Elements, shells and tolerance each twice as fine: 2e-6 V over charge, hold and pulse."""
    coarse = {"elements": 2, "shells": 10, "rtol": 1e-5}
    finer = [{}, {"elements": 4}, {"shells": 20}, {"rtol": 1e-6}]
    curves = []
    for change in finer:
        cell = ReferenceCell(numbers(hu2024), 0.1, **{**coarse, **change})
        steps = (
            cell.apply("current", -ONE_C, 1800.0),
            cell.apply("voltage", 3.5, 600.0),
            cell.apply("current", 2 * ONE_C, 10.0),
        )
        ends = [step.at(0.7 * step.duration) for step in steps]
        curves.append([[end["V"], end["I"] / ONE_C] for end in ends])
    off = np.abs(np.array(curves[1:]) - curves[0]).max(axis=(1, 2))
    print("change of voltage [V] or C-rate by elements, shells, tolerance:", off)
    assert off.max() < 2e-6
