"""The reference solver against closed forms, and the package against the reference solver."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import brentq

import ssnib_model as ss
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Control, End, Measure, Profile, Status, Step

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
    b = hu2024["Positive electrode Bruggeman exponent"]
    parameters = hu2024.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": sigma_e / phi**b,
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


# ---------------------------------------------------------------- the package against it
SOLVERS = ["idaklu", "structured"]


def _until(measure, value, rising):
    return (End(Measure(measure), value, rising),)


#: What is done to a cell, and where it starts.
TESTS = {
    "charge, hold, rest": (
        0.3,
        [
            Step(Control.CURRENT, -ONE_C, 1e4, _until("voltage", 3.8, True)),
            Step(Control.VOLTAGE, 3.8, 1e4, _until("absolute current", ONE_C / 20, False)),
            Step(Control.CURRENT, 0.0, 1800.0),
            Step(Control.CURRENT, ONE_C, 1e4, _until("voltage", 2.9, False)),
            Step(Control.VOLTAGE, 3.3, 600.0),
        ],
    ),
    "pulses, profile": (
        0.9,
        [
            Step(Control.CURRENT, 2 * ONE_C, 10.0),
            Step(Control.CURRENT, 0.0, 40.0),
            Step(Control.CURRENT, -ONE_C, 10.0),
            Step(Control.CURRENT, 0.0, 600.0),
            Step(
                Control.CURRENT,
                Profile((0.0, 60.0, 120.0, 180.0), (0.0, 1.5 * ONE_C, -ONE_C, 0.0)),
                180.0,
            ),
        ],
    ),
    "power, resistance": (
        0.8,
        [
            Step(Control.POWER, 1.5e-3, 900.0),
            Step(Control.RESISTANCE, 6e3, 1e5, _until("capacity", 0.1 * ONE_C, True)),
            Step(Control.POWER, -1e-3, 1e5, _until("voltage", 3.7, True)),
            Step(Control.RESISTANCE, 3e3, 1e5, _until("current", 0.9e-3, False)),
        ],
    ),
}
#: What a plain cell has not: changes, and options.
DETAILS = (
    {
        "Positive particle radius spread": 0.4,
        "Positive electrode hysteresis [V]": 0.03,
        "Positive electrode film resistance [Ohm.m2]": 0.01,
        "Positive electrode contacted fraction": 0.8,
        "Ambient temperature [K]": 310.0,
    },
    {"size classes": 3, "open-circuit potential": "one-state hysteresis"},
)


def _by_package(model, parameters, steps, state_of_charge, var_pts, solver):
    """The segments of some steps, by one of the solvers on a mesh."""
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    if solver == "structured":
        stepper = Structured(model, values, ss.StructuredSolver(1e-7, 1e-9), var_pts)
    else:
        stepper = Idaklu(model, values, half_cycle_solver(1e-7, 1e-7), var_pts, controls=True)
    inputs = {INITIAL: state_of_charge, CURRENT: 0.0, LOWER: 2.5, UPPER: 4.0}
    state, segments = stepper.start(inputs), []
    for step in steps:
        outcome, state = stepper.step(state, step, inputs)
        assert outcome.status is Status.OK, outcome.reason
        assert outcome.end == (step.ends[0] if step.ends else None)
        segments.append(outcome.segment)
    return segments


def _by_reference(cell, steps):
    names = {"voltage": "V", "current": "I", "absolute current": "|I|", "capacity": "charge"}
    spans = []
    for step in steps:
        value = step.value
        if isinstance(value, Profile):
            value = (value.times, value.values)
        until = [(names[end.measure], end.value, end.rising) for end in step.ends]
        spans.append(cell.apply(str(step.control), value, step.duration, until))
        assert spans[-1].end == (until[0] if until else None)
    return spans


def _off(segments, spans):
    """Largest differences over all steps: voltage [V], current [C-rate], charge [of 1 C h]."""
    fractions, found = np.linspace(0.02, 0.98, 13), []
    for segment, span in zip(segments, spans, strict=True):
        seen = [span.at(f * span.duration) for f in fractions]
        times = fractions * segment.duration
        found.append(
            [
                segment.voltage(times) - [now["V"] for now in seen],
                (segment.current(times) - [now["I"] for now in seen]) / ONE_C,
                np.full(len(times), segment.charge - span.charge) / ONE_C,
            ]
        )
    return np.array(found)


def _compared(model, test, parameters, meshes, rtol, solvers):
    """`_off` on each mesh by each of the solvers."""
    state_of_charge, steps = TESTS[test]
    cell = ReferenceCell(
        numbers(parameters), state_of_charge, reduced=model is ss.SolidStateSPM, rtol=rtol,
        classes=parameters.model_options["size classes"], elements=2,
    )  # fmt: skip
    spans, model = _by_reference(cell, steps), model(parameters.model_options)
    for solver, points in itertools.product(solvers, meshes):
        segments = _by_package(model, parameters, steps, state_of_charge, points, solver)
        yield _off(segments, spans)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("model", [ss.SolidStateSPM, ss.SolidStateDFN])
def test_steps_agree_with_the_reference(model, test, first_hu2024):
    """Every kind of step on a fine mesh: 0.1 mV, 5e-4 C and 1e-4 of the capacity.

    The first seconds of a pulse are within the outermost shell: 0.35 mV there.
    """
    mesh = {"x_p": 20, "r_p": 40}
    for off in _compared(model, test, first_hu2024, [mesh], 1e-5, SOLVERS):
        voltage, rate, charge = np.abs(off).max(axis=(0, 2))
        print(f"{model.__name__} {test}: {1e3 * voltage:.3f} mV, {rate:.1e} C, {charge:.1e}")
        assert voltage < (3.5e-4 if test == "pulses, profile" else 1e-4)
        assert rate < 5e-4
        assert charge < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("model", [ss.SolidStateSPM, ss.SolidStateDFN])
def test_all_details_agree_with_the_reference(model, test, solver, first_hu2024):
    """Size classes, hysteresis, film, contact and temperature, extrapolated from two meshes.

    0.06 mV, 5e-4 C and 1e-5 of the capacity; the error of a mesh falls with its square.
    """
    meshes = [{"x_p": 10, "r_p": 20}, {"x_p": 20, "r_p": 40}]
    parameters = first_hu2024.replace(*DETAILS)
    coarse, fine = _compared(model, test, parameters, meshes, 1e-6, [solver])
    for values in (coarse, fine, off := (4 * fine - coarse) / 3):
        voltage, rate, charge = np.abs(values).max(axis=(0, 2))
        print(f"{model.__name__} {test}: {1e3 * voltage:.3f} mV, {rate:.1e} C, {charge:.1e}")
    assert np.abs(off[:, 0]).max() < 6e-5
    assert np.abs(off[:, 1]).max() < 6e-4
    assert np.abs(off[:, 2]).max() < 1e-5
