"""Check 10 of the theory over a whole protocol: work, heat of every loss, and what is stored."""

import runpy
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.solvers.idaklu import Idaklu, half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Control, End, Measure, Profile, Status, Step

energy = runpy.run_path(str(Path(__file__).with_name("energy_balance.py")))
energy_balance, NOTHING = energy["energy_balance"], energy["NOTHING"]

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
ONE_C = 0.472e-3
SWINGS = Profile((0.0, 60.0, 120.0, 180.0), (0.0, 3 * ONE_C, -2 * ONE_C, 0.0))
#: Every kind of step, with gradients in the particles that the next one meets.
STEPS = [
    Step(Control.CURRENT, -ONE_C, 1e5, (End(Measure.VOLTAGE, 3.8, True),)),
    Step(Control.VOLTAGE, 3.8, 1e5, (End(Measure.CURRENT_SIZE, ONE_C / 10, False),)),
    Step(Control.POWER, 1.5e-3, 900.0),
    Step(Control.CURRENT, SWINGS, 180.0),
    Step(Control.RESISTANCE, 9e3, 1e5, (End(Measure.VOLTAGE, 2.8, False),)),
    Step(Control.CURRENT, 0.0, 3600.0),
]
#: A coarse mesh, and losses that are far from even.
UNEVEN = {
    "Positive electrode electrolyte conductivity [S.m-1]": 0.05,
    "Positive electrode effective electronic conductivity [S.m-1]": 5e-3,
    "Positive electrode film resistance [Ohm.m2]": 0.01,
    "Positive electrode contacted fraction": 0.7,
    "Positive particle diffusivity [m2.s-1]": 5e-17,
    "Positive electrode OCP charged end width": 0.05,
    "Positive electrode OCP discharged end width": 0.05,
}
DETAILS = {"Positive particle radius spread": 0.4, "Positive electrode hysteresis [V]": 0.03}
OPTIONS = {"size classes": 2, "open-circuit potential": "one-state hysteresis"}


def _segments(model, parameters, steps, state_of_charge, solver, var_pts):
    values = parameters.to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    if solver == "structured":
        stepper = Structured(model, values, ss.StructuredSolver(1e-8, 1e-10), var_pts)
    else:
        stepper = Idaklu(model, values, half_cycle_solver(1e-8, 1e-8), var_pts, controls=True)
    inputs = {INITIAL: state_of_charge, CURRENT: 0.0, LOWER: 2.5, UPPER: 4.0}
    state = stepper.start(inputs)
    for step in steps:
        outcome, state = stepper.step(state, step, inputs)
        assert outcome.status is Status.OK, f"{step}: {outcome.reason}"
        yield outcome.segment


@pytest.mark.parametrize("solver", ["idaklu", "structured"])
@pytest.mark.parametrize("details", [False, True], ids=["plain", "all details"])
@pytest.mark.parametrize("model", MODELS)
def test_energy_over_a_whole_protocol(model, details, solver, hu2024):
    """Work and heat are the change of the stored energy, both ways, to 1e-6 of what moved."""
    parameters = hu2024.replace({**UNEVEN, **DETAILS}, OPTIONS) if details else hu2024
    segments = _segments(
        model(parameters.model_options), parameters, STEPS, 0.4, solver,
        {"x_p": 6, "r_p": 8},
    )  # fmt: skip
    steps = [
        energy_balance(segment.solution, parameters, getattr(step.value, "times", ()))
        for step, segment in zip(STEPS, segments, strict=True)
    ]
    whole = sum(steps, NOTHING)
    names = [*(str(step.control) for step in STEPS), "whole"]
    for name, balance in zip(names, [*steps, whole], strict=True):
        print(
            f"{name:10} work {balance.work:9.5f} J, heat {sum(balance.heat.values()):.5f}, "
            f"listed {balance.listed:.5f}, stored {balance.stored:9.5f}, residuals "
            f"{balance.residual:.1e}, {balance.mean_residual:.1e} of the means"
        )
    moved = sum(step.moved for step in steps)
    for balance in (*steps, whole):
        assert abs(balance.work + sum(balance.heat.values()) - balance.stored) < 1e-6 * moved
        assert abs(balance.work + balance.listed - balance.mean_stored) < 1e-6 * moved
    # every loss but that of hysteresis is one at any time
    assert min(h for name, h in whole.heat.items() if "hysteresis" not in name) > -1e-9
    # a rest after the reaction gives heat and no work: it is the gradients that are spent
    rest = steps[-1]
    print("heat of the rest [J]:", {name: f"{heat:.1e}" for name, heat in rest.heat.items()})
    assert sum(rest.heat.values()) > 0
    assert abs(rest.work) + abs(rest.listed) < 1e-9 * moved
