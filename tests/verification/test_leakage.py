"""Electronic leakage: what an open cell loses, charge and energy with it, both solvers."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.errors import NoDerivativesError

F = pybamm.constants.F.value
MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
SOLVERS = ["idaklu", "structured"]
LEAKS = {"electronic leakage": "ohmic"}
ELECTRONS = "NaTaCl6 layer electronic conductivity [S.m-1]"
TIGHT = {
    "idaklu": pybamm.IDAKLUSolver(1e-8, 1e-9),
    "structured": ss.StructuredSolver(1e-7, 1e-9),
}


def leaking(parameters, conductivity=None, **changes):
    values = {} if conductivity is None else {ELECTRONS: conductivity}
    return parameters.replace(values | changes, LEAKS)


def conductance(parameters):
    """Of the layers for electrons, of the whole cell [S]."""
    layers = ("Na3PS4 layer", "NaTaCl6 layer")
    resistances = (
        parameters[f"{layer} thickness [m]"]
        / parameters[f"{layer} electronic conductivity [S.m-1]"]
        for layer in layers
    )
    return parameters["Electrode area [m2]"] / sum(resistances)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", MODELS)
def test_an_open_cell_loses_charge_at_that_current(model, solver, hu2024):
    """With potentials that are linear in charge the voltage decays like that of a capacitor."""
    top, slope = 4.0, 1.5
    parameters = leaking(
        hu2024,
        1e-6,
        **{
            "Positive electrode OCP [V]": lambda sto: top - slope * sto,
            "Negative electrode OCP [V]": lambda y: 0 * y,
        },
    )
    hours = np.array([100.0, 400.0, 1000.0])
    test = ss.Protocol("Rest for 1000 hours", initial_state_of_charge=0.9)
    result = test.run(model(LEAKS), parameters, solver=TIGHT[solver])
    assert result.ok
    capacity = float(result.steps[0].segment.solution["Capacity [A.h]"].entries[0])
    rate = slope * conductance(parameters) / capacity
    expected = (top - slope * 0.1) * np.exp(-rate * hours)
    # what the leaking current drops over the cell is 1e-4 of it
    assert result.steps[0].segment.voltage(3600 * hours) == pytest.approx(expected, rel=3e-4)
    assert expected[0] - expected[-1] > 0.5
    assert result.table["Charge passed [A.h]"][0] == pytest.approx(0, abs=1e-12)
    assert result.table["Energy [W.h]"][0] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", MODELS)
def test_what_leaves_one_electrode_is_applied_or_leaked(model, solver, hu2024):
    """Sodium over a cycle with a hold and a rest, to 1e-8; the leak is the voltage's, to 1e-6."""
    parameters = leaking(hu2024, 1e-6)
    test = ss.Protocol(
        ["Charge at 0.5 C until cut-off", "Hold at 4 V until C/20", "Rest for 2 hours",
         "Discharge at 0.5 C until cut-off", "Rest for 5 hours"]
    )  # fmt: skip
    result = test.run(model(LEAKS), parameters, solver=TIGHT[solver])
    assert result.ok
    siemens = conductance(parameters)
    leaks = []
    for step in result.steps:
        solution, segment = step.segment.solution, step.segment
        ends = [0, -1]
        positive, negative = (
            np.diff(solution[f"{side} electrode sodium [mol]"].entries[ends])[0] * F / 3600
            for side in ("Positive", "Negative")
        )
        assert positive == pytest.approx(-negative, rel=1e-7, abs=5e-12)
        places = np.linspace(0, 1, 20001) * segment.duration
        leaked = siemens * np.trapezoid(segment.voltage(places), places) / 3600
        assert positive == pytest.approx(segment.charge + leaked, rel=2e-5, abs=1e-10)
        assert np.trapezoid(
            segment.voltage(places) * segment.current(places), places
        ) / 3600 == pytest.approx(segment.energy, rel=2e-5, abs=1e-12)
        # work and heat, that of the leak too, are what the sodium gave up on its way
        t = solution.t - solution.t[0]
        heat = np.trapezoid(solution["Heat of the losses [W]"](t=solution.t), t)
        sodium = F * solution["Positive electrode sodium [mol]"](t=solution.t)
        given = np.trapezoid(solution["Open-circuit voltage [V]"](t=solution.t), sodium)
        assert 3600 * segment.energy + heat == pytest.approx(given, rel=2e-3, abs=1e-5)
        assert heat > 0
        residual = solution["Voltage breakdown residual [V]"].entries
        assert np.abs(residual).max() < 1e-9
        assert solution["Discharge capacity [A.h]"].entries[-1] - solution[
            "Discharge capacity [A.h]"
        ].entries[0] == pytest.approx(segment.charge, rel=1e-7, abs=1e-13)
        assert solution["Discharge energy [W.h]"].entries[-1] - solution[
            "Discharge energy [W.h]"
        ].entries[0] == pytest.approx(segment.energy, rel=1e-5, abs=1e-12)
        leaks.append(leaked)
    assert min(leaks) > 0


@pytest.mark.parametrize("model", MODELS)
def test_both_solvers_agree(model, hu2024):
    parameters = leaking(hu2024, 1e-6)
    test = ss.Protocol(
        ["Charge at 1 C until 3.8 V",
         "Hold at 3.8 V until C/10", "Discharge at 9000 Ohm for 1 hour",
         "Rest for 3 hours", "Discharge at C/10 until 5% capacity or cut-off",
         "Charge at C/5 until cut-off"]
    )  # fmt: skip
    first, second = (
        test.run(model(LEAKS), parameters, solver=TIGHT[solver]).table for solver in SOLVERS
    )
    assert second["Ended by"].tolist() == first["Ended by"].tolist()
    for column in ("Charge passed [A.h]", "Energy [W.h]", "End voltage [V]", "Duration [s]"):
        assert second[column].to_numpy() == pytest.approx(
            first[column].to_numpy(), rel=1e-5, abs=1e-10
        )


def test_a_step_that_only_one_solver_has_is_taken_by_it(hu2024):
    parameters = leaking(hu2024)
    test = ss.Protocol(["Charge at 1 mW for 1 hour"])
    with pytest.warns(ss.ValidityWarning, match="IDAKLU in place of the structured solver"):
        result = test.run(ss.SolidStateSPM(LEAKS), parameters)
    assert result.ok


def test_exact_derivatives_and_many_at_once_are_refused(hu2024):
    """They know nothing of it: whoever asks is told, or it is run one by one."""
    parameters = leaking(hu2024)
    film = "Positive electrode film resistance [Ohm.m2]"
    prepared = ss.RateTest([1]).prepare(ss.SolidStateSPM(LEAKS), parameters, varying=[film])
    other = parameters.replace({film: 1e-3})
    with pytest.raises(NoDerivativesError):
        prepared.steps_nearby(parameters, [])
    many = prepared.steps_of_many([parameters, other])
    for found, member in zip(many, (parameters, other), strict=True):
        alone = prepared.steps(member)
        assert [s.numbers for s in found] == [s.numbers for s in alone]


def test_first_cycle_of_the_paper(hu2024):
    """0.1 C: the paper measured 99.60 %."""
    test = ss.RateTest([0.1])
    without, with_it = (
        test.run(ss.SolidStateDFN(p.model_options), p).table["Coulombic efficiency"][0]
        for p in (hu2024, leaking(hu2024))
    )
    print(f"first-cycle efficiency at 0.1 C: {without:.4%} without, {with_it:.4%} with leakage")
    assert 0.001 < without - with_it < 0.003


def test_a_cell_without_a_cathode_has_no_leakage():
    with pytest.raises(ss.OptionError, match="electronic leakage"):
        ss.SymmetricCell({"positive electrode": "alloy", **LEAKS})
