"""Exact derivatives of the structured solver against differences of what it gives."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.errors import NoDerivativesError
from ssnib_model.fits.problem import FitProblem
from ssnib_model.protocol.nearby import Side

SMALL = 1e-6
MASS = "Positive electrode active material mass [kg]"
#: One of a kind: diffusion, kinetics, transport, a layer, the anode, what scales the current,
#: where steps end, what changes the mesh of the composite.
NAMES = (
    "Positive particle diffusivity [m2.s-1]",
    "Positive electrode exchange-current density [A.m-2]",
    "Positive electrode Bruggeman exponent",
    "Na3PS4 layer conductivity [S.m-1]",
    "Negative electrode exchange-current density [A.m-2]",
    MASS,
    "Upper voltage cut-off [V]",
    "Positive electrode accessible fraction",
)
#: What several size classes with hysteresis and a film add.
CLASSES = {
    "Positive particle radius spread": 0.4,
    "Positive electrode hysteresis [V]": 0.02,
    "Positive electrode film resistance [Ohm.m2]": 0.01,
}
MODELS = {"full": ss.SolidStateDFN, "reduced": ss.SolidStateSPM}
#: Tight enough for differences of what the solver gives.
TIGHT = ss.StructuredSolver(1e-10, 1e-12)


def moved(parameters, name, by):
    return parameters.replace({name: parameters[name] * (1 + by)})


def sides(parameters, names):
    return [
        Side(moved(parameters, n, SMALL), moved(parameters, n, -SMALL), share=0.5) for n in names
    ]


def fourth_order(function, step):
    """Derivative at 0 by differences of order 4."""
    near = function(step) - function(-step)
    far = function(2 * step) - function(-2 * step)
    return (8 * near - far) / (12 * step)


def read_half_cycles(half_cycles, parameters):
    """Capacities, energies, voltages and holds."""
    found = []
    for h in half_cycles:
        found += [h.capacity / parameters[MASS] / 100, h.energy / parameters[MASS] / 300]
        found += list(h.at("Voltage [V]", np.array([0, 0.1, 0.4, 0.8])))
        if h.hold is not None:
            found += [h.hold.charge / parameters[MASS] / 100]
    return np.array(found)


def read_steps(steps, parameters):
    found = []
    for s in steps:
        found += [s.segment.charge / parameters[MASS] / 100]
        found += [s.segment.energy / parameters[MASS] / 300]
        found += list(s.segment.voltage(np.array([0.0, 0.3, 0.9]) * s.segment.duration))
    return np.array(found)


def compare(prepared, nearby, run, read, parameters, names, step=2e-3):
    """Largest difference beyond the noise of differences, over the largest derivative along each
    direction."""
    _, found = nearby(parameters, sides(parameters, names))
    worst = {}
    for name, (ahead, behind) in zip(names, found, strict=True):
        up, down = moved(parameters, name, SMALL), moved(parameters, name, -SMALL)
        exact = (read(ahead, up) - read(behind, down)) / (2 * SMALL)

        def at(by, name=name):
            other = moved(parameters, name, by)
            return read(run(other), other)

        expected = fourth_order(at, step)
        # differences see what the solver leaves open, some times its tolerance
        apart = np.abs(exact - expected).max() - 4 * TIGHT.rtol / step
        worst[name] = float(max(apart, 0.0) / np.abs(expected).max())
    return worst


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_rate_test_with_holds_and_rests(model, hu2024):
    test = ss.RateTest([0.3, 1], charge_rate=0.3, hold=0.05, rest=600)
    made = MODELS[model](hu2024.model_options)
    mesh = {"x_p": 8, "r_p": 8}
    if model == "reduced":
        mesh = {"r_p": 8}
    prepared = test.prepare(made, hu2024, varying=NAMES, solver=TIGHT, var_pts=mesh)
    worst = compare(
        prepared, prepared.half_cycles_nearby, prepared.half_cycles, read_half_cycles,
        hu2024, NAMES, step=1e-3,
    )  # fmt: skip
    print(model, {name: f"{value:.1e}" for name, value in worst.items()})
    assert max(worst.values()) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_powers_resistances_profiles_and_classes(model, hu2024):
    options = {"size classes": 2, "open-circuit potential": "one-state hysteresis"}
    parameters = hu2024.replace(CLASSES, options)
    test = ss.Protocol(
        [
            "Charge at C/3 for 1 hour",
            "Discharge at 2 mW for 10 minutes",
            "Discharge at 10000 Ohm for 10 minutes",
            "Hold at 3.4 V for 5 minutes",
            "Rest for 20 minutes",
        ]
    )
    names = [*NAMES[:4], *CLASSES]
    made = MODELS[model](parameters.model_options)
    mesh = {"x_p": 6, "r_p": 6} if model == "full" else {"r_p": 6}
    prepared = test.prepare(made, parameters, varying=names, solver=TIGHT, var_pts=mesh)
    worst = compare(
        prepared, prepared.steps_nearby, prepared.steps, read_steps, parameters, names
    )  # fmt: skip
    print(model, {name: f"{value:.1e}" for name, value in worst.items()})
    assert max(worst.values()) < 1e-5


def test_what_has_no_derivatives_is_said(hu2024):
    test, name = ss.RateTest([0.5]), "Positive particle diffusivity [m2.s-1]"
    made = ss.SolidStateSPM(hu2024.model_options)
    other = test.prepare(made, hu2024, varying=[name], solver="idaklu")
    with pytest.raises(NoDerivativesError, match="idaklu"):
        other.half_cycles_nearby(hu2024, sides(hu2024, [name]))
    prepared = test.prepare(made, hu2024, varying=[name], solver=TIGHT)
    _, [(ahead, _)] = prepared.half_cycles_nearby(hu2024, sides(hu2024, [name]))
    with pytest.raises(ss.SSNIBError, match="voltage and a current only"):
        _ = ahead[0].solution
    with pytest.raises(ss.OptionError, match="only what it was told to vary"):
        prepared.half_cycles_nearby(hu2024, sides(hu2024, [MASS]))


def test_a_parameter_without_exact_derivatives_leaves_those_of_others(hu2024):
    """One of an equilibrium potential, and one that comes with a rate that it changes."""
    name, potential = (
        "Positive particle diffusivity [m2.s-1]",
        "Positive electrode plateau potential [V]",
    )
    both = [ss.Free(name, 1e-17, 1e-14), ss.Free(potential, 3.3, 3.45)]
    data = [
        ss.RateTestData(
            "rates",
            pd.DataFrame({"C-rate": [0.5, 1.0], "Discharge capacity [mA.h.g-1]": [100.0, 90.0]}),
        )
    ]
    problem = FitProblem(hu2024, data, both, "spm")
    at = problem.start()
    found = problem.jacobian(at)
    alone = FitProblem(hu2024, data, both[:1], "spm").jacobian(at[:1])
    np.testing.assert_array_equal(found[:, :1], alone)
    np.testing.assert_array_equal(problem.jacobian(at, [1]), found[:, 1:])
    np.testing.assert_array_equal(problem.jacobian(at, [1, 0]), found[:, ::-1])
    tight = FitProblem(hu2024, data, both, "spm", TIGHT)

    def residuals(by):
        return tight.residuals(np.array([at[0], at[1] + by]))

    np.testing.assert_allclose(found[:, 1], fourth_order(residuals, 4e-3), rtol=1e-3, atol=1e-4)

    made = ss.SolidStateSPM(hu2024.model_options)
    prepared = ss.RateTest([0.5]).prepare(made, hu2024, varying=[name, potential], solver=TIGHT)
    _, nearby = prepared.half_cycles_nearby(hu2024, sides(hu2024, [potential, name]))
    assert [pair is None for pair in nearby] == [True, False]


def test_what_is_free_for_other_data_changes_nothing(hu2024):
    name = "Positive particle diffusivity [m2.s-1]"
    capacity = "Discharge capacity [mA.h.g-1]"
    data = [
        ss.RateTestData(label, pd.DataFrame({"C-rate": [rate], capacity: [100.0]}))
        for label, rate in (("slow", 0.5), ("fast", 1.0))
    ]
    problem = FitProblem(hu2024, data, [ss.Free(name, 1e-17, 1e-14, data="fast")], "spm")
    slow, fast = problem.jacobian(problem.start())
    assert slow == 0
    assert fast != 0
    made = ss.SolidStateSPM(hu2024.model_options)
    prepared = ss.RateTest([0.5]).prepare(made, hu2024, solver=TIGHT)
    half_cycles, nearby = prepared.half_cycles_nearby(hu2024, [])
    assert [h.status for h in half_cycles] == ["ok", "ok"]
    assert nearby == []
