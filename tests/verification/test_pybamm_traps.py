"""Behaviour of PyBaMM that is silent or obscure, and how this package stays clear of it."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.materials import plateau_ocp
from ssnib_model.materials.tables import Table

ONE_C = 0.472e-3
CURRENT = "Current function [A]"
KAPPA = "Na3PS4 layer conductivity [S.m-1]"
THICKNESS = "Na3PS4 layer thickness [m]"


def _simulation(parameters, inputs, model=None, tolerance=1e-8, **changes):
    values = parameters.to_pybamm()
    values.update({name: "[input]" for name in inputs} | changes)
    solver = pybamm.IDAKLUSolver(rtol=tolerance, atol=tolerance)
    return pybamm.Simulation(model or ss.SolidStateDFN(), parameter_values=values, solver=solver)


@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
@pytest.mark.parametrize("soc", [0.02, 0.5, 0.99])
def test_initial_conditions_are_the_equilibrium(model, soc, hu2024):
    """Algebraic residuals vanish at the initial guess, where impedance would linearise."""
    simulation = _simulation(hu2024, [], model(), **{CURRENT: 0.0, "Initial state of charge": soc})
    simulation.build()
    built = simulation.built_model
    y0 = built.concatenated_initial_conditions.evaluate()
    for residual in (built.concatenated_rhs, built.concatenated_algebraic):
        assert np.abs(residual.evaluate(0, y0)).max(initial=0) < 1e-6  # A.m-2 and V


def test_sensitivity_of_a_capacity_needs_the_time_of_the_event(hu2024):
    """d(capacity)/d(conductivity) at a cut-off is - V_p / V_t x I, not 0: 0.5 %."""
    simulation = _simulation(hu2024, [KAPPA, CURRENT])
    inputs = {KAPPA: 0.01, CURRENT: 2 * ONE_C}

    def end(kappa):
        return simulation.solve([0, 3000], inputs=inputs | {KAPPA: kappa}).t[-1]

    step = 2e-3 * 0.01
    differences = (end(0.01 + step) - end(0.01 - step)) / (2 * step)
    solution = simulation.solve([0, 3000], inputs=inputs, calculate_sensitivities=[KAPPA])
    assert solution.termination == "event: Minimum voltage [V]"
    capacity = solution["Discharge capacity [A.h]"].sensitivities[KAPPA]
    assert float(np.ravel(capacity)[-1]) == pytest.approx(0, abs=1e-12)
    V_p = float(np.ravel(solution["Voltage [V]"].sensitivities[KAPPA])[-1])
    V_t = np.gradient(solution["Voltage [V]"](t=solution.t[-1] + np.array([-0.02, -0.01, 0.0])))
    assert -V_p / (V_t[-1] / 0.01) == pytest.approx(differences, rel=5e-3)


def test_initial_state_is_a_parameter(hu2024):
    """Not ``initial_soc``, which PyBaMM sends through the code of lithium-ion cells."""
    name = "Initial state of charge"
    simulation = _simulation(hu2024, [name, CURRENT])
    inputs = [{name: soc, CURRENT: ONE_C} for soc in (0.9, 0.6)]
    for given, solution in zip(inputs, simulation.solve([0, 10], inputs=inputs), strict=True):
        start = solution["Positive electrode stoichiometry"].entries[0]
        assert start == pytest.approx(1 - given[name], abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        KAPPA,
        THICKNESS,
        "Positive electrode thickness [m]",
        "Positive particle radius [m]",
        "Ambient temperature [K]",
        "Initial state of charge",
        "Positive electrode exchange-current density [A.m-2]",
        CURRENT,
    ],
)
def test_inputs_are_exact_in_their_sensitivity(name, hu2024):
    """Anything can be an input, geometry included; dV/dp is within 0.5 % of differences."""
    value = hu2024[name] if name != "Initial state of charge" else 0.6
    simulation = _simulation(hu2024, [name], tolerance=1e-7)
    times = np.linspace(0, 900, 4)

    def voltage(factor, **kwargs):
        return simulation.solve([0, 900], inputs={name: factor * value}, t_interp=times, **kwargs)

    step = 1e-3
    up, down = (voltage(1 + s)["Voltage [V]"].entries for s in (step, -step))
    exact = voltage(1, calculate_sensitivities=True)["Voltage [V]"].sensitivities[name]
    exact = np.ravel(exact)[1:] * value
    assert exact == pytest.approx(((up - down) / (2 * step))[1:], rel=5e-3, abs=5e-6)
    assert np.abs(exact).max() > 1e-5


def test_a_list_of_inputs_is_solved_in_one_call(hu2024):
    simulation = _simulation(hu2024, [KAPPA, THICKNESS])
    inputs = [{KAPPA: k, THICKNESS: t} for k, t in ((0.01, 2e-4), (0.02, 3e-4), (0.1, 1e-4))]
    single = [simulation.solve([0, 600], inputs=i)["Voltage [V]"].entries[-1] for i in inputs]
    batch = [s["Voltage [V]"].entries[-1] for s in simulation.solve([0, 600], inputs=inputs)]
    assert batch == pytest.approx(single, abs=1e-6)


def test_a_rate_test_leaves_the_model_it_was_given(hu2024):
    model = ss.SolidStateDFN()
    before = [event.name for event in model.events], model.is_processed
    ss.RateTest([1]).run(model, hu2024)
    assert ([event.name for event in model.events], model.is_processed) == before
    assert before[0] == ["Minimum voltage [V]", "Maximum voltage [V]"]


def test_a_misspelt_name_is_refused(hu2024):
    """Where ``pybamm.ParameterValues`` takes it without a word."""
    wrong = "Na3PS4 layer conductivty [S.m-1]"
    pybamm.ParameterValues({}).update({wrong: 1.0}, check_already_exists=False)
    with pytest.raises(ss.ParameterError, match=r'did you mean "Na3PS4 layer conductivity'):
        hu2024.replace({wrong: 1.0})


def test_averages_over_the_composite_are_averages(hu2024):
    """`pybamm.x_average` would return some custom domains unaveraged."""
    solution = _simulation(hu2024, []).solve([0, 600])
    mean = solution["Positive electrode stoichiometry"].entries
    profile = solution["Positive particle stoichiometry"].entries
    assert mean.shape == solution.t.shape
    shells = (np.arange(20) + 1) ** 3 - np.arange(20) ** 3
    weighted = np.einsum("rxt,r->xt", profile, shells / shells.sum()).mean(axis=0)
    assert mean == pytest.approx(weighted, abs=1e-9)


def test_one_infeasible_rate_spoils_no_other(hu2024):
    """In a list of inputs PyBaMM aborts them all."""
    result = ss.RateTest([0.2, 20, 0.5]).run(parameters=hu2024)
    assert result.table["Status"].tolist() == ["ok", "cut-off reached at start", "ok"]
    assert result.table["Discharge capacity [mA.h.g-1]"][1] == 0
    plain = ss.RateTest([0.2, 0.5]).run(parameters=hu2024)
    column = "Discharge capacity [mA.h.g-1]"
    assert result.table[column][2] == pytest.approx(plain.table[column][1], abs=1e-3)


def test_a_table_costs_few_steps_more_than_a_smooth_function(hu2024):
    """Every kink of a linear table restarts the integrator, up to ten times the steps."""
    smooth = hu2024.replace(
        {"Positive electrode OCP [V]": lambda s: plateau_ocp(s, 3.4, 5, 0.02, 0.02)}
    )
    sto = np.linspace(0.01, 0.99, 50)
    volts = 3.4 + 0 * sto
    table = hu2024.replace({"Positive electrode OCP [V]": Table(sto, volts, steep_ends=True)})
    charged = {CURRENT: ONE_C, "Initial state of charge": 0.9}
    steps = [
        len(_simulation(p, [], tolerance=1e-6, **charged).solve([0, 4000]).t)
        for p in (smooth, table)
    ]
    assert steps[1] < 2 * steps[0]


def test_the_model_is_built_once(hu2024, monkeypatch):
    """`pybamm.Experiment` builds a model a step; a chain of plain solves does not."""
    built = []
    process = pybamm.Discretisation.process_model
    monkeypatch.setattr(
        pybamm.Discretisation,
        "process_model",
        lambda self, model, **kwargs: built.append(model.name) or process(self, model, **kwargs),
    )
    ss.RateTest([0.5, 1]).run(parameters=hu2024, solver="idaklu")
    assert built == ["Solid-state DFN"]
    # and for the variables of the structured solver's answer, once they are asked for
    built.clear()
    result = ss.RateTest([0.5, 1]).run(parameters=hu2024, solver="structured")
    assert built == []
    for half_cycle in result.half_cycles:
        assert half_cycle.at("Positive electrode stoichiometry", 0.5) > 0
    assert built == ["Solid-state DFN"]
