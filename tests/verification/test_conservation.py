"""Check 1 (charge), check 2 (breakdown) and check 9 (reversibility) of the theory."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.tables import TABLE_ERROR

F = pybamm.constants.F.value


@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
@pytest.mark.parametrize("rate", [-1, 0.5, 2])
def test_charge_is_conserved(model, rate, hu2024, simulate):
    """What the current moves leaves one electrode and enters the other: 1e-8 relative."""
    soc = {"Initial state of charge": 0.99 if rate > 0 else 0.01}
    solution = simulate(model(), hu2024, rate * 0.472e-3, 1200, soc)
    moved = solution["Discharge capacity [A.h]"].entries[-1] * 3600 / F
    for electrode, sign in (("Positive", 1), ("Negative", -1)):
        sodium = solution[f"{electrode} electrode sodium [mol]"].entries
        assert sign * (sodium[-1] - sodium[0]) == pytest.approx(moved, rel=1e-8)


@pytest.mark.parametrize("solver", ["structured", "idaklu"])
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_breakdown_adds_up_to_the_voltage(model, solver, hu2024):
    """Open-circuit voltage plus all overpotentials is the voltage of the solution: 1e-9 V,
    always; and that is the voltage of the curve, at the times that the solver stopped at."""
    parameters = hu2024.replace({"Positive electrode film resistance [Ohm.m2]": 0.01})
    result = ss.RateTest([0.1, 0.5, 2]).run(model(), parameters, solver=solver)
    assert result.ok
    # the structured solver has tables of the equilibrium potentials
    of_tables = 2 * TABLE_ERROR * parameters["Upper voltage cut-off [V]"] ** 2
    for half_cycle in result.half_cycles:
        solution, segment = half_cycle.solution, half_cycle.segment
        residual = solution["Voltage breakdown residual [V]"].entries
        assert np.abs(residual).max() < 1e-9
        start = solution.t[0]
        curve = segment.voltage(segment.times)
        error = np.abs(curve - solution["Voltage [V]"](t=start + segment.times)).max()
        assert error < (1e-9 if solver == "idaklu" else of_tables)
        for at in (0.1, 0.5, 0.9):
            losses = result.breakdown(half_cycle.rate, at, half_cycle.direction)
            t = start + at * half_cycle.duration
            total = solution["Voltage [V]"](t=t) - half_cycle.at("Open-circuit voltage [V]", at)
            assert losses.sum() == pytest.approx(total, abs=1e-9)
            # between these times each interpolates in its own way
            assert half_cycle.at("Voltage [V]", at) == pytest.approx(
                solution["Voltage [V]"](t=t), abs=1e-4
            )
            assert (losses.drop("Positive particle diffusion") * half_cycle.current <= 1e-9).all()


def test_breakdown_is_finite_at_rest(hu2024, simulate):
    solution = simulate(ss.SolidStateDFN(), hu2024, 0.0, 600)
    for name in solution.all_models[0].variables:
        if name.endswith("overpotential [V]"):
            assert np.abs(solution[name].entries).max() < 1e-8
    assert np.ptp(solution["Voltage [V]"].entries) < 1e-7


def test_breakdown_of_a_rest_is_that_of_the_cell():
    """After a pulse currents go on within the composite: 0.03 mV between two tolerances."""
    parameters = ss.ParameterSet("ThreeLayers")
    test = ss.Protocol(
        ["Discharge at 1C for 10 minutes", "Rest for 10 minutes"], initial_state_of_charge=0.6
    )
    loose, tight = (
        test.run(None, parameters, solver=pybamm.IDAKLUSolver(rtol, rtol)).breakdown(
            2, np.linspace(0, 1, 25)
        )
        for rtol in (1e-6, 1e-8)
    )
    difference = (loose - tight).abs().max()
    print(difference)
    assert difference.max() < 3e-5


def test_electrolyte_and_electronic_current_add_up(hu2024, simulate):
    solution = simulate(ss.SolidStateDFN(), hu2024, 0.472e-3, 600)
    ionic = solution["Positive electrolyte current density [A.m-2]"].entries
    electronic = solution["Positive electrode current density [A.m-2]"].entries
    applied = 0.472e-3 / hu2024["Electrode area [m2]"]
    assert ionic + electronic == pytest.approx(np.full_like(ionic, applied), rel=1e-5)


def test_slow_cycle_returns_to_its_start(hu2024):
    """At 0.002 C what was charged comes back, to 1e-4 of the capacity."""
    rates = ss.RateTest([0.002], cycles=2)
    result = rates.run(parameters=hu2024)
    start, end = (
        float(half_cycle.at("Positive electrode stoichiometry", 1.0))
        for half_cycle in result.half_cycles[1::2]
    )
    assert end == pytest.approx(start, abs=1e-4)
    assert result.table["Coulombic efficiency"][0] == pytest.approx(1, abs=1e-4)


def test_symmetric_cell_has_a_symmetric_gap(hu2024):
    """Equal ends of the OCP, a flat anode and cut-offs at equal distance: no bias, 0.01 mV.

    The state is brought into its limit cycle first, which is symmetric as the equations are.
    """
    parameters = hu2024.replace(
        {
            "Negative electrode OCP [V]": lambda y: 0 * y,
            "Lower voltage cut-off [V]": 3.4 - 0.7,
            "Upper voltage cut-off [V]": 3.4 + 0.7,
        }
    )
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-9)
    result = ss.RateTest([1], cycles=12).run(parameters=parameters, solver=solver)
    charge, discharge = result.half_cycles[-2:]
    fractions = np.array([0.1, 0.5, 0.9])
    above = charge.at("Voltage [V]", fractions) - 3.4
    below = 3.4 - discharge.at("Voltage [V]", fractions)
    assert above == pytest.approx(below, abs=1e-5)
