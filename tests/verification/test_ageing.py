"""What ages a cell, against closed forms and between the solvers; charge and sodium with it."""

import itertools

import numpy as np
import pybamm
import pytest
from scipy.integrate import solve_ivp

import ssnib_model as ss
from ssnib_model.errors import NoDerivativesError
from ssnib_model.models.ageing import AGE, FULL_CYCLES, GROWTH_TIME, HIGH_TIME, OXIDATION_TIME

F = pybamm.constants.F.value
MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
SOLVERS = ["idaklu", "structured"]
TIGHT = {
    "idaklu": pybamm.IDAKLUSolver(1e-8, 1e-9),
    "structured": ss.StructuredSolver(1e-7, 1e-9),
}
AGEING = {
    "negative electrode interphase": "parabolic",
    "positive electrode interphase": "parabolic",
    "accessible fraction": "ageing",
}
ANODE, CATHODE = "Negative electrode interphase", "Positive electrode interphase"
FRACTION = "Positive electrode accessible fraction"
FAST = {
    f"{FRACTION} loss per cycle": 0.01,
    f"{FRACTION} loss rate [s-1]": 1e-7,
    f"{FRACTION} loss rate at high potential [s-1]": 1e-6,
    f"{FRACTION} gain by activation": 0.03,
    f"{FRACTION} activation cycles": 1.5,
    f"{CATHODE} onset potential [V]": 3.5,
    f"{FRACTION} onset potential [V]": 3.45,
}
CYCLE = ("Charge at 1 C until cut-off", "Rest for 1 hour", "Discharge at 1 C until cut-off")


def final(result, variable):
    return float(result.steps[-1].segment.solution[variable].entries.ravel()[-1])


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_interphase_grows_with_the_root_of_time(solver, hu2024):
    """At 25 and, faster, at 60 degC; its resistance by its conductivity."""
    options = {"negative electrode interphase": "parabolic"}
    parameters = hu2024.replace({}, options)
    test = ss.Protocol(["Rest for 7 hours", "Rest for 50 hours (60 oC)", "Rest for 1 minute"])
    result = test.run(ss.SolidStateSPM(options), parameters, solver=TIGHT[solver])
    energy = parameters[f"{ANODE} growth constant activation energy [J.mol-1]"]
    faster = np.exp(-energy / pybamm.constants.R.value * (1 / 333.15 - 1 / 298.15))
    hours = 7 + 50 * faster
    assert result.final_state.values[GROWTH_TIME][0] == pytest.approx(hours, rel=1e-4)
    constant = parameters[f"{ANODE} growth constant [m2.s-1]"]
    thickness = final(result, f"{ANODE} thickness [m]")
    assert thickness == pytest.approx(np.sqrt(3600 * hours * constant), rel=1e-4)
    # the paper behind the value: 10 um after 2 h of 8.75 h would be 12.5
    assert np.sqrt(3600 * 8.75 * constant) == pytest.approx(10e-6, rel=0.15)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", MODELS)
def test_its_resistance_is_in_the_voltage_and_its_breakdown(model, solver, hu2024):
    options = {"negative electrode interphase": "parabolic"}
    parameters = hu2024.replace({f"{ANODE} sodium concentration [mol.m-3]": 0.0}, options)
    test = ss.Protocol(["Rest for 100 hours", "Discharge at 1 C for 1 minute"],
                       initial_state_of_charge=0.5)  # fmt: skip
    aged = test.run(model(options), parameters, solver=solver)
    fresh = test.run(model(), hu2024, solver=solver)
    losses = aged.breakdown(2, [0.5, 1.0])
    area = parameters["Electrode area [m2]"]
    density = parameters["Nominal cell capacity [A.h]"] / area
    constant = parameters[f"{ANODE} growth constant [m2.s-1]"]
    resistance = np.sqrt(3.6e5 * constant) / parameters[f"{ANODE} conductivity [S.m-1]"]
    assert losses[ANODE].to_numpy() == pytest.approx(-density * resistance, rel=1e-3)
    dropped = fresh.table["End voltage [V]"][1] - aged.table["End voltage [V]"][1]
    assert dropped == pytest.approx(density * resistance, rel=2e-3)
    solution = aged.steps[1].segment.solution
    assert np.abs(solution["Voltage breakdown residual [V]"].entries).max() < 1e-9


@pytest.mark.parametrize("solver", SOLVERS)
def test_contact_fades_and_activates_with_the_exponential_of_cycles(solver, hu2024):
    lost, gained, scale = 0.02, 0.05, 2.0
    options = {"accessible fraction": "ageing"}
    parameters = hu2024.replace(
        {
            f"{FRACTION} loss per cycle": lost,
            f"{FRACTION} gain by activation": gained,
            f"{FRACTION} activation cycles": scale,
            FRACTION: 0.9,
        },
        options,
    )
    result = ss.Cycling(1, cycles=3).run(ss.SolidStateSPM(options), parameters, solver=solver)
    throughput = result.table["Charge passed [A.h]"].abs().sum()
    cycles = throughput / (2 * parameters["Nominal cell capacity [A.h]"])
    assert result.final_state.values[FULL_CYCLES][0] == pytest.approx(cycles, rel=1e-5)
    expected = 0.9 * np.exp(-lost * cycles) * (1 + gained * (1 - np.exp(-cycles / scale)))
    fraction = final(result, FRACTION)
    # in a solution of the structured solver what ages stays within a piece
    assert fraction == pytest.approx(expected, rel=1e-6 if solver == "idaklu" else 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_both_solvers_agree_and_the_pieces_converge(model, hu2024):
    """All laws at once, fast: capacities to 0.01 mAh/g, and nearer the tighter it is."""
    parameters = hu2024.replace(FAST, AGEING)
    test = ss.Protocol([CYCLE] * 2)
    exact = test.run(model(AGEING), parameters, solver=TIGHT["idaklu"])
    errors = []
    for solver in (ss.StructuredSolver(1e-5, 1e-7), ss.StructuredSolver(1e-7, 1e-9)):
        found = test.run(model(AGEING), parameters, solver=solver)
        column = "Capacity [mA.h.g-1]"
        errors.append((found.table[column] - exact.table[column]).abs().max())
        for name in (GROWTH_TIME, AGE, FULL_CYCLES, HIGH_TIME, OXIDATION_TIME):
            expected = exact.final_state.values[name][0]
            assert found.final_state.values[name][0] == pytest.approx(expected, rel=2e-3)
            assert expected > 0
    print(errors)
    assert errors[0] < 1e-2
    assert errors[1] < errors[0] / 4


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", MODELS)
def test_no_sodium_is_lost_without_being_told_where(model, solver, hu2024):
    """Cathode, what lost its contact, and the anode with its interphase: 1e-8 of all."""
    parameters = hu2024.replace(FAST, AGEING)
    result = ss.Protocol([CYCLE] * 2).run(model(AGEING), parameters, solver=solver)
    names = (
        "Positive electrode sodium [mol]",
        "Positive electrode isolated sodium [mol]",
        "Negative electrode sodium [mol]",
    )
    whole = np.concatenate(
        [sum(s.segment.solution[n].entries for n in names).ravel() for s in result.steps]
    )
    assert np.ptp(whole) < 1e-8 * whole.mean()
    assert final(result, names[1]) > 1e-3 * final(result, names[0])
    # and what the current took of the anode is what it says
    last = result.steps[-1].segment.solution
    moved = result.table["Charge passed [A.h]"].sum() * 3600 / F
    first = result.steps[0].segment.solution[names[2]].entries[0]
    assert last[names[2]].entries[-1] - first == pytest.approx(-moved, abs=1e-8 * first)


def test_against_an_independent_integration(hu2024):
    """A cell without losses but what grows: its voltage and clocks by scipy."""
    options = {"positive electrode interphase": "parabolic"}
    parameters = hu2024.replace(
        {
            "Positive electrode OCP [V]": lambda sto: 4.2 - 1.2 * sto,
            "Negative electrode OCP [V]": lambda y: 0 * y,
            "Positive particle diffusivity [m2.s-1]": 1e-10,
            f"{CATHODE} onset potential [V]": 3.7,
            f"{CATHODE} onset width [V]": 0.1,
            f"{CATHODE} growth constant [Ohm2.m4.s-1]": 1e-9,
        },
        options,
    )
    model = ss.SolidStateSPM(options)
    test = ss.Protocol("Charge at 0.5 C for 50 minutes", initial_state_of_charge=0.2)
    result = test.run(model, parameters, solver=TIGHT["structured"])
    plain = ss.Protocol("Charge at 0.5 C for 50 minutes", initial_state_of_charge=0.2).run(
        ss.SolidStateSPM(), hu2024.replace({n: parameters[n] for n in (
            "Positive electrode OCP [V]", "Negative electrode OCP [V]",
            "Positive particle diffusivity [m2.s-1]")}), solver=TIGHT["structured"],
    )  # fmt: skip
    losses = plain.breakdown(1, np.linspace(0, 1, 201)).filter(like="Positive")
    sto = plain.steps[0].segment.solution["Positive electrode stoichiometry"].entries
    fractions = np.linspace(0, 1, 201)
    potential = 4.2 - 1.2 * np.interp(fractions, [0, 1], sto[[0, -1]]) + losses.sum(axis=1)
    density = 0.5 * parameters["Nominal cell capacity [A.h]"] / parameters["Electrode area [m2]"]
    constant = parameters[f"{CATHODE} growth constant [Ohm2.m4.s-1]"]

    def rate(t, tau):
        E = np.interp(t / 3000, fractions, potential) + density * np.sqrt(constant * tau)
        return (1 + np.tanh((E - 3.7) / 0.2)) / 2

    found = solve_ivp(rate, [0, 3000], [3600e-6], rtol=1e-9, atol=1e-9).y[0, -1] / 3600
    assert result.final_state.values[OXIDATION_TIME][0] == pytest.approx(found, rel=1e-3)
    risen = result.table["End voltage [V]"][0] - plain.table["End voltage [V]"][0]
    # the resistance of an uneven reaction falls as what is in series with it grows
    assert risen == pytest.approx(density * np.sqrt(3600 * constant * found), rel=2e-2)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_aged_cell_goes_on_where_it_was(solver, hu2024):
    """In one go or by its state, written and read; and a rate test knows what went before."""
    parameters = hu2024.replace(FAST, AGEING)
    model = ss.SolidStateSPM(AGEING)
    whole = ss.Cycling(1, cycles=4).run(model, parameters, solver=solver)
    half = ss.Cycling(1, cycles=2).run(model, parameters, solver=solver)
    state = type(half.final_state).from_dict(half.final_state.to_dict())
    rest = ss.Cycling(1, cycles=2).run(model, parameters, solver=solver, start=state)
    column = "Capacity [mA.h.g-1]"
    assert rest.table[column].to_numpy() == pytest.approx(
        whole.table[column].to_numpy()[4:], rel=1e-4
    )
    capacity = "Discharge capacity [mA.h.g-1]"
    fresh = ss.RateTest([0.5]).run(model, parameters, solver=solver).table[capacity][0]
    aged = ss.RateTest([0.5]).run(model, parameters, solver=solver, start=whole.final_state)
    assert aged.table[capacity][0] < 0.98 * fresh
    with pytest.raises(ss.OptionError, match="interphase"):
        ss.RateTest([0.5]).run(ss.SolidStateSPM(), hu2024, start=whole.final_state)


def test_the_excess_of_the_anode_delays_the_loss_of_sodium(hu2024):
    """With much tin nothing is seen; with little the discharge ends by an empty anode."""
    options = {"negative electrode interphase": "parabolic"}
    tin, concentration = "Negative electrode tin amount [mol]", f"{ANODE} sodium concentration"
    constant = hu2024[f"{ANODE} growth constant [m2.s-1]"]
    taken = hu2024[f"{concentration} [mol.m-3]"] * hu2024["Electrode area [m2]"]
    taken *= np.sqrt(3600 * 304 * constant)
    moved = 3600 * hu2024["Nominal cell capacity [A.h]"] / F
    made = hu2024["Negative electrode as-made sodium content"]
    # half of what the cathode gave is left with little tin
    little = (taken - moved / 2) / made
    found = []
    for amount in (hu2024[tin], little):
        changes = {tin: amount, f"{ANODE} conductivity [S.m-1]": 1.0}
        parameters = hu2024.replace(changes, options)
        test = ss.Protocol([CYCLE[::2], (CYCLE[0], "Rest for 300 hours", CYCLE[2])])
        result = test.run(ss.SolidStateSPM(options), parameters)
        discharges = result.table["Capacity [mA.h.g-1]"].to_numpy()[[1, 4]]
        potential = final(result, "Negative electrode open-circuit potential [V]")
        found.append((discharges[1] / discharges[0], potential))
    print(found)
    assert found[0][0] > 0.97
    assert 0.1 < found[1][0] < 0.7
    assert found[0][1] < 0.5 < found[1][1]


def test_exact_derivatives_and_many_at_once_are_refused(hu2024):
    for option, value in AGEING.items():
        parameters = hu2024.replace({}, {option: value})
        model = ss.SolidStateSPM({option: value})
        film = "Positive electrode film resistance [Ohm.m2]"
        prepared = ss.RateTest([1]).prepare(model, parameters, varying=[film])
        with pytest.raises(NoDerivativesError):
            prepared.steps_nearby(parameters, [])
        members = [parameters, parameters.replace({film: 1e-3})]
        for found, member in zip(prepared.steps_of_many(members), members, strict=True):
            alone = prepared.steps(member)
            assert [s.numbers for s in found] == [s.numbers for s in alone]


def test_a_profile_ages_a_cell(hu2024):
    """Up and down in pieces, as by IDAKLU: the charge of both ways counts."""
    times = np.linspace(0, 7200, 9)
    currents = 4e-4 * np.array([0, -1, -1, -1, 0, 1, 1, 1, 0])
    test = ss.Protocol(np.column_stack([times, currents]), initial_state_of_charge=0.3)
    parameters = hu2024.replace(FAST, AGEING)
    runs = [test.run(ss.SolidStateSPM(AGEING), parameters, solver=TIGHT[s]) for s in SOLVERS]
    for name, value in runs[0].final_state.values.items():
        if value.size == 1:
            found = runs[1].final_state.values[name]
            assert found == pytest.approx(value, rel=1e-4, abs=2e-5), name


def test_what_ages_without_a_cathode_is_refused():
    for option, value in itertools.chain(AGEING.items()):
        with pytest.raises(ss.OptionError, match=option):
            ss.SymmetricCell({"positive electrode": "alloy", option: value})


def test_more_than_there_is_cannot_be_activated(hu2024):
    gain = f"{FRACTION} gain by activation"
    with pytest.raises(ss.ParameterError, match=r"at most 0\.1"):
        hu2024.replace({gain: 0.2}, {"accessible fraction": "ageing"})
