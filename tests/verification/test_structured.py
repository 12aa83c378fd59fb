"""The structured solver against the PyBaMM models, and what it has no equations for."""

import sys

import numpy as np
import pybamm
import pytest
from scipy.optimize import brentq

import ssnib_model as ss
from ssnib_model.protocol.resolve import sodium as all_sodium
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.solvers.coefficients import Modes
from ssnib_model.steps import Step

TIGHT = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8)
TIGHT_OWN = ss.StructuredSolver(1e-8, 1e-10)
CONDUCTIVITY = "Na3PS4 layer conductivity [S.m-1]"
MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]

#: Where the composite is the bottleneck and the reaction a front.
FRONT = {
    "Positive electrode electrolyte conductivity [S.m-1]": 1e-3,
    "Positive electrode exchange-current density [A.m-2]": 0.5,
}


def _both(parameters, rates, model=ss.SolidStateDFN, solver=None, **settings):
    model, test = model(parameters.model_options), ss.RateTest(rates)
    fast = test.run(
        model, parameters, solver=solver or ss.StructuredSolver(1e-5, 1e-7), **settings
    )
    return fast, test.run(model, parameters, solver=TIGHT, **settings)


def _differences(fast, reference):
    """Largest difference of voltage [V] and largest relative one of capacity."""
    fractions = np.linspace(0, 1, 101)
    voltage, capacity = 0.0, 0.0
    for ours, theirs in zip(fast.half_cycles, reference.half_cycles, strict=True):
        assert ours.status == theirs.status
        if (
            ours.segment
            and theirs.capacity > 1e-3 * fast.parameters["Nominal cell capacity [A.h]"]
        ):
            a, b = (h.at("Voltage [V]", fractions) for h in (ours, theirs))
            voltage = max(voltage, np.abs(a - b).max())
            capacity = max(capacity, abs(ours.capacity / theirs.capacity - 1))
    return voltage, capacity


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize(
    "changes",
    [{}, {"Positive electrode film resistance [Ohm.m2]": 0.05}, {CONDUCTIVITY: 0.1}, FRONT],
    ids=["default", "film", "better interlayer", "front"],
)
def test_agrees_with_the_pybamm_model(model, changes, hu2024):
    fast, reference = _both(hu2024.replace(changes), [0.2, 1, 2], model)
    voltage, capacity = _differences(fast, reference)
    print(f"{model.__name__} {changes}: {1e3 * voltage:.4f} mV, {capacity:.1e}")
    assert voltage < 1e-4
    assert capacity < 1e-5
    for column in ("Mean discharge voltage [V]", "Polarization [V]", "Energy efficiency"):
        np.testing.assert_allclose(fast.table[column], reference.table[column], atol=1e-4)


def test_converges_with_its_tolerance(hu2024):
    """An estimate of order 3 of the error: it falls with the tolerance, far below it."""
    errors = []
    for rtol in (1e-3, 1e-5, 1e-7):
        fast, reference = _both(hu2024, [1], solver=ss.StructuredSolver(rtol, rtol / 100))
        errors.append(_differences(fast, reference)[1])
    print("relative error of capacity at rtol 1e-3, 1e-5, 1e-7:", errors)
    assert errors[0] < 1e-3
    assert errors[1] < 1e-5
    assert errors[2] < 1e-7


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Positive particle diffusivity [m2.s-1]": 6e-9, "Positive particle radius [m]": 2e-9},
    ],
    ids=["default", "diffusion within a ns"],
)
def test_conserves_charge(changes, hu2024):
    """What passes is what the particles take: exactly, whatever the tolerance."""
    hu2024 = hu2024.replace(changes)
    prepared = ss.RateTest([1]).prepare(
        None, hu2024, solver=ss.StructuredSolver(1e-3, 1e-5), var_pts={"x_p": 20, "r_p": 20}
    )
    charge, discharge = prepared.half_cycles(hu2024)
    stepper, inputs = prepared._steppers.first, prepared._values(hu2024)
    state, longest = stepper.start(inputs), 1.05 * all_sodium(hu2024)
    for half_cycle, cut_off in ((charge, 4.0), (discharge, 2.5)):
        _, state = stepper.step(
            state,
            Step.to_cut_off(half_cycle.current, cut_off, longest / abs(half_cycle.current)),
            inputs,
        )
    modes = Modes.of(20)
    # the uniform mode alone has a mean
    mean = (state.modes @ modes.uniform).mean() / (modes.uniform @ modes.uniform)
    sodium = (
        pybamm.constants.F.value
        * hu2024["Maximum concentration in positive electrode [mol.m-3]"]
        * hu2024["Positive electrode active material volume fraction"]
        * hu2024["Positive electrode accessible fraction"]
        * hu2024["Positive electrode thickness [m]"]
        * hu2024["Electrode area [m2]"]
    )
    passed = (discharge.capacity - charge.capacity) * 3600 / sodium
    start = 1 - hu2024["As-made state of charge"]
    assert mean - start == pytest.approx(passed, abs=1e-12)


def test_modes_are_those_of_a_sphere():
    """Eigenvalues x^2 with tan x = x, and a uniform state that does not decay."""
    modes = Modes.of(200)
    roots = [brentq(lambda x: np.tan(x) - x, n * np.pi + 1e-6, (n + 0.5) * np.pi - 1e-9)
             for n in (1, 2, 3)]  # fmt: skip
    slowest = np.sort(-modes.decay)[:4]
    np.testing.assert_allclose(slowest, [0, *np.square(roots)], rtol=1e-3, atol=1e-8)
    assert modes.surface @ modes.uniform == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_random_cells(hu2024):
    """Wide draws of everything that matters: the same status and the same curve."""
    ranges = {
        CONDUCTIVITY: (1e-4, 10, "log"),
        "NaTaCl6 layer conductivity [S.m-1]": (1e-4, 10, "log"),
        "Positive electrode electrolyte conductivity [S.m-1]": (1e-4, 10, "log"),
        "Positive electrode effective electronic conductivity [S.m-1]": (1e-3, 100, "log"),
        "Positive electrode exchange-current density [A.m-2]": (1e-4, 1, "log"),
        "Positive particle diffusivity [m2.s-1]": (1e-18, 1e-13, "log"),
        "Positive electrode accessible fraction": (0.5, 1),
        "Ambient temperature [K]": (260, 350),
    }
    design = ss.sample(ranges, 64, seed=1)
    test, model = ss.RateTest([0.5, 5]), ss.SolidStateDFN(hu2024.model_options)
    prepared = {
        solver: test.prepare(model, hu2024, varying=list(ranges), solver=solver)
        for solver in (ss.StructuredSolver(1e-5, 1e-7), TIGHT)
    }
    found, statuses = [], set()
    for point in design.to_dict("records"):
        parameters = hu2024.replace(point)
        results = [
            RateTestResult(test, parameters, p.half_cycles(parameters), "dfn")
            for p in prepared.values()
        ]
        found.append(_differences(*results))
        statuses |= {h.status for h in results[0].half_cycles}
    voltage, capacity = np.array(found).T
    print(f"{statuses}: {1e3 * voltage.max():.3f} mV, {capacity.max():.1e}")
    assert {"ok", "cut-off reached at start"} <= statuses
    assert voltage.max() < 1e-3
    assert capacity.max() < 1e-4


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({"Positive electrode exchange-current density [A.m-2]": 8e5}, 0.2),
        ({"Negative electrode tin amount [mol]": 4e-9}, 0.2),
    ],
    ids=["reversible", "hardly any tin"],
)
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_far_from_what_is_sensible(changes, rate, hu2024):
    """Cases in which round-off once won, and the reference cannot go to tight tolerances."""
    test, parameters = ss.RateTest([rate]), hu2024.replace(changes)
    fast = test.run(None, parameters, solver=ss.StructuredSolver())
    voltage, capacity = _differences(fast, test.run(None, parameters, solver="idaklu"))
    assert voltage < 1e-3
    assert capacity < 1e-4


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("particle", "two-phase"),
        ("thermal", "lumped"),
        ("surface form", "differential"),
    ],
)
def test_refuses_by_name_what_it_lacks(option, value, hu2024):
    model = ss.SolidStateDFN(hu2024.model_options | {option: value})
    with pytest.raises(ss.OptionError, match=f'"{option}" = .* only'):
        ss.RateTest([1]).run(model, hu2024, solver=ss.StructuredSolver())


@pytest.mark.parametrize("rtol", [0, -1, 1, float("nan"), "1e-4", True])
def test_refuses_tolerances(rtol):
    with pytest.raises(ss.OptionError, match=r"rtol is .* a number from 1e-12 to 0\.1"):
        ss.StructuredSolver(rtol)


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ss.SSNIBError, match=r"numba cannot be imported .*; pip install numba"):
        ss.StructuredSolver()


def test_refuses_a_diffusivity_that_changes(hu2024):
    name = "Positive particle diffusivity [m2.s-1]"
    changed = hu2024.replace({name: lambda sto: 1e-16 * (1 + sto)})
    with pytest.raises(ss.OptionError, match=r"constant .*diffusivity"):
        ss.RateTest([1]).run(None, changed, solver=ss.StructuredSolver())


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"Positive particle radius spread": 0.5}, {"size classes": 3}),
        (
            {"Positive electrode hysteresis [V]": 0.05},
            {"open-circuit potential": "one-state hysteresis"},
        ),
    ],
    ids=["size classes", "hysteresis"],
)
def test_size_classes_and_hysteresis(changes, options, hu2024):
    """They change the result, and as in the PyBaMM model."""
    changed = hu2024.replace(changes, options)
    fast, reference = _both(changed, [1], ss.SolidStateSPM)
    voltage, capacity = _differences(fast, reference)
    assert voltage < 1e-4
    assert capacity < 1e-5
    plain = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024)
    assert _differences(fast, plain)[0] > 5e-3


def test_gives_the_variables_of_the_model(hu2024):
    test = ss.RateTest([0.2])
    ours, theirs = (test.run(None, hu2024, solver=s).breakdown(0.2) for s in (TIGHT_OWN, TIGHT))
    assert list(ours.index) == list(theirs.index)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    with pytest.raises(KeyError, match="no such variable"):
        test.run(None, hu2024).half_cycles[0].at("no such variable", 0.5)


def test_notes_of_the_reduced_model(hu2024):
    """The warning that the reaction is not uniform comes with either solver."""
    poor = hu2024.replace(FRONT)
    with pytest.warns(ss.ValidityWarning, match="not uniform"):
        fast = ss.RateTest([0.2]).run(ss.SolidStateSPM(), poor, solver=ss.StructuredSolver())
    with pytest.warns(ss.ValidityWarning):
        reference = ss.RateTest([0.2]).run(ss.SolidStateSPM(), poor, solver="idaklu")
    assert fast.notes == reference.notes


def test_anode_that_runs_empty(hu2024):
    made_charged = {"As-made state of charge": 0.98, "Negative electrode alloy mass [kg]": 0.4e-6}
    fast, reference = _both(hu2024.replace(made_charged), [0.2])
    assert fast.table["Status"].tolist() == reference.table["Status"].tolist() == ["anode empty"]
    assert _differences(fast, reference)[1] < 1e-5
