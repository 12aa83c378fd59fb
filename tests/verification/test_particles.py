"""Size distribution, hysteresis and two-phase particles."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.models.particles import size_classes

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
ONE_C = 0.472e-3
FLAT = {
    "Positive electrode OCP [V]": lambda sto: 3.4 + 0 * sto,
    "Positive electrode electrolyte conductivity [S.m-1]": 200,
    "Positive electrode Bruggeman exponent": 0.5,
    "Positive electrode effective electronic conductivity [S.m-1]": 100,
}


def _voltage(model, parameters, simulate, current, times):
    solution = simulate(
        model(parameters.model_options), parameters, current, times[-1], rtol=1e-8, atol=1e-8,
        t_interp=times,
    )  # fmt: skip
    return solution["Voltage [V]"].entries


@pytest.mark.parametrize("model", MODELS)
def test_diffusion_of_any_speed(model, hu2024):
    """Particles that are uniform anyway: the same cell whatever the diffusivity, 1e-6."""
    capacities = []
    for diffusivity in (1e-9, 1e-6):
        parameters = hu2024.replace({"Positive particle diffusivity [m2.s-1]": diffusivity})
        result = ss.RateTest([0.01, 1]).run(model(), parameters)
        assert set(result.table["Status"]) == {"ok"}
        capacities.append([h.capacity for h in result.half_cycles])
    assert capacities[0] == pytest.approx(capacities[1], rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_classes_of_one_size_are_the_plain_case(model, hu2024, simulate):
    """Without spread any number of classes gives the same voltage, 1e-7 V."""
    times = np.linspace(0, 3000, 31)
    plain, classes = (
        _voltage(model, hu2024.replace({}, {"size classes": n}), simulate, ONE_C, times)
        for n in (1, 3)
    )
    assert plain == pytest.approx(classes, abs=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_size_distribution_converges_in_its_classes(model, hu2024):
    """1 to 9, 12 and 20 classes all solve; from 4 on 2 C within 1 mAh/g, from 7 on 0.4."""
    spread = {"Positive particle radius spread": 0.5}
    capacities = {}
    for classes in (*range(2, 10), 12, 20):
        parameters = hu2024.replace(spread, {"size classes": classes})
        result = ss.RateTest([2]).run(model(parameters.model_options), parameters)
        assert (result.table["Status"].tolist(), result.notes[1:]) == (["ok"], [])
        capacities[classes] = result.table["Discharge capacity [mA.h.g-1]"][0]
        discharge = result.half_cycles[1]
        sodium = discharge.at("Positive electrode sodium [mol]", [0.0, 1.0])
        moved = discharge.capacity * 3600 / pybamm.constants.F.value
        assert sodium[1] - sodium[0] == pytest.approx(moved, rel=1e-5)
    assert np.ptp([c for n, c in capacities.items() if n >= 4]) < 1
    assert np.ptp([c for n, c in capacities.items() if n >= 7]) < 0.4
    plain = ss.RateTest([2]).run(model(), hu2024).table["Discharge capacity [mA.h.g-1]"][0]
    assert capacities[12] < plain


def test_size_classes_are_the_moments_of_a_log_normal_distribution():
    """Mean and spread of the radius, whatever is left out; the shares add up to 1."""
    for number in (2, 5, 9, 13, 20):
        points, shares = size_classes(number)
        assert shares.sum() == pytest.approx(1, abs=1e-15)
        assert (shares * points).sum() == pytest.approx(0, abs=1e-12)
        assert (shares * points**2).sum() == pytest.approx(1, abs=1e-4)
        if number >= 5:
            mean = (shares * np.exp(0.3 * points)).sum()
            assert mean == pytest.approx(np.exp(0.3**2 / 2), rel=1e-5)


def test_reduced_and_full_model_agree_with_a_size_distribution(hu2024):
    changes = {"Positive particle radius spread": 0.5}
    parameters = hu2024.replace(changes, {"size classes": 3})
    full, reduced = (
        ss.RateTest([0.2]).run(model(parameters.model_options), parameters).table.iloc[0]
        for model in MODELS
    )
    assert full["Discharge capacity [mA.h.g-1]"] == pytest.approx(
        reduced["Discharge capacity [mA.h.g-1]"], abs=0.05
    )
    # what the reduced model says of transport in the composite is good to 1 mV of 11 there
    assert full["Polarization [V]"] == pytest.approx(reduced["Polarization [V]"], abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_hysteresis_is_a_gap_that_does_not_depend_on_rate(model, hu2024):
    """At half capacity the gap grows by the hysteresis, 0.1 mV, at any rate."""
    changes = {"Positive electrode hysteresis [V]": 0.02}
    options = {"open-circuit potential": "one-state hysteresis"}
    wide = hu2024.replace(changes, options)
    tests = [ss.RateTest([0.05, 1]).run(model(p.model_options), p) for p in (hu2024, wide)]
    difference = tests[1].table["Polarization [V]"] - tests[0].table["Polarization [V]"]
    assert difference.to_numpy() == pytest.approx(0.02, abs=1e-4)
    assert tests[1].breakdown(1)["Positive electrode hysteresis"] == pytest.approx(-0.01, abs=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_hysteresis_survives_partial_cycles(model, hu2024):
    """Reversals at any state keep the state of hysteresis within -1 and 1, and rest keeps it."""
    changes = {"Positive electrode hysteresis [V]": 0.02, "Initial state of charge": 0.5}
    parameters = hu2024.replace(changes, {"open-circuit potential": "one-state hysteresis"})
    steps = ["Charge at 1C for 2 minutes", "Discharge at 1C for 30 seconds", "Rest for 1 hour"] * 4
    simulation = pybamm.Simulation(
        model(parameters.model_options),
        parameter_values=parameters.to_pybamm(),
        experiment=pybamm.Experiment(steps),
    )
    solution = simulation.solve(calc_esoh=False)
    state = np.atleast_2d(solution["Positive electrode hysteresis state"].entries)
    assert np.abs(state).max() <= 1
    assert state.max() > 0.5
    rest = np.atleast_2d(solution.cycles[2]["Positive electrode hysteresis state"].entries)
    assert np.ptp(rest, axis=-1).max() < 0.1


def _two_phase(hu2024, **changes):
    return hu2024.replace(FLAT | changes, {"particle": "two-phase"})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("direction", [-1, 1])
def test_two_phase_particles_conserve_sodium(model, direction, hu2024, simulate):
    """What the current moves is in the particles, 1e-8, while fronts move through them."""
    soc = 0.99 if direction > 0 else 0.01
    parameters = hu2024.replace(
        {"Positive particle diffusivity [m2.s-1]": 1e-14, "Initial state of charge": soc},
        {"particle": "two-phase"},
    )
    solution = simulate(
        model(parameters.model_options), parameters, direction * ONE_C, 1800, rtol=1e-6, atol=1e-6
    )
    moved = solution["Discharge capacity [A.h]"].entries[-1] * 3600 / pybamm.constants.F.value
    sodium = solution["Positive electrode sodium [mol]"].entries
    assert sodium[-1] - sodium[0] == pytest.approx(moved, rel=1e-8)


def test_two_phase_particle_is_a_shrinking_core(hu2024, simulate):
    """Surface composition against the quasi-steady shrinking core: 8 % of its rise, 3 % mean.

    With a constant flux q = (1/R) d(sto_mean)/dt R^2/(3 D) through a shell in which diffusion
    is fast against the motion of the front (q is 4 % of the gap) at radius s,
    sto_surf - sto_rich = q (R/s - 1), and the sodium in the core follows
    from the balance (the shell's own content included to first order;
    Srinivasan and Newman 2004, doi 10.1149/1.1785012).
    """
    radius, D = 0.5e-6, 4e-16
    poor, rich = 0.05, 0.95
    parameters = _two_phase(
        hu2024,
        **{
            "Positive particle sodium-poor phase limit": poor,
            "Positive particle sodium-rich phase limit": rich,
            "Positive particle diffusivity [m2.s-1]": D,
            "Initial state of charge": 1 - poor,
        },
    )
    times = np.linspace(500, 5000, 51)
    solution = simulate(
        ss.SolidStateSPM(parameters.model_options), parameters, 0.5 * ONE_C, 5000,
        rtol=1e-6, atol=1e-6, t_interp=times,
    )  # fmt: skip
    surface = solution["Positive particle surface stoichiometry"](t=times)
    mean = solution["Positive electrode stoichiometry"](t=times)
    rate = (mean[-1] - mean[0]) / (times[-1] - times[0])
    q = rate * radius**2 / (3 * D)
    # balance: mean = poor s^3 + rich (1 - s^3) + shell, shell = 3 int_s^1 q (1/s - 1/r) r^2 dr,
    # less what the flux through the shell varies by, which is of second order
    core = np.linspace(0.999, 0.2, 4000)
    shell = 3 * q * ((1 - core**3) / (3 * core) - (1 - core**2) / 2)
    content = poor * core**3 + rich * (1 - core**3) + shell
    radius_of_core = np.interp(mean, content, core)
    expected = q * (1 / radius_of_core - 1)
    rise = surface - rich
    assert expected.max() > 0.02
    assert rise == pytest.approx(expected, abs=0.08 * expected.max())
    assert abs((rise - expected).mean()) < 0.03 * expected.max()
