"""The models in PyBaMM's hands, and with many sizes of particles."""

import matplotlib
import numpy as np
import pybamm
import pytest

import ssnib_model as ss

matplotlib.use("Agg")

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
INITIAL = "Initial state of charge"
STO = "Positive electrode stoichiometry"
HYSTERESIS = {"open-circuit potential": "one-state hysteresis"}


def _simulation(model, parameters, **kwargs):
    return pybamm.Simulation(
        model(parameters.model_options), parameter_values=parameters.to_pybamm(), **kwargs
    )


# -------------------------------------------------------------------- initial states
@pytest.mark.parametrize("model", MODELS)
def test_finding_27_initial_soc_of_a_simulation(model, hu2024):
    """``initial_soc`` starts at that state, by every way and again with another one."""
    simulation = _simulation(model, hu2024)
    for soc in (0.5, 0.2, 0.97):
        start = simulation.solve([0, 60], initial_soc=soc)[STO](t=0.0)
        assert start == pytest.approx(1 - soc, abs=1e-9)
    simulation.set_initial_state(0.7)
    assert simulation.solve([0, 60])[STO](t=0.0) == pytest.approx(0.3, abs=1e-9)
    set_by_hand = hu2024.replace({INITIAL: 0.5})
    expected = _simulation(model, set_by_hand).solve([0, 3600])["Voltage [V]"](t=1000.0)
    solution = simulation.solve([0, 3600], initial_soc=0.5)
    assert solution["Voltage [V]"](t=1000.0) == pytest.approx(expected, abs=1e-5)


def test_finding_27_initial_soc_of_an_experiment_and_with_hysteresis(hu2024):
    experiment = pybamm.Experiment(["Discharge at C/5 for 10 minutes"])
    simulation = _simulation(ss.SolidStateSPM, hu2024, experiment=experiment)
    assert simulation.solve(initial_soc=0.4)[STO](t=0.0) == pytest.approx(0.6, abs=1e-9)
    gap = hu2024.replace({"Positive electrode hysteresis [V]": 0.02}, HYSTERESIS)
    simulation = _simulation(ss.SolidStateSPM, gap)
    assert simulation.solve([0, 60], initial_soc=0.4)[STO](t=0.0) == pytest.approx(0.6, abs=1e-9)
    with pytest.raises(ss.OptionError, match="direction"):
        simulation.solve([0, 60], initial_soc=0.3, direction="charge")


@pytest.mark.parametrize("voltage", ["3.3 V", "3.45V", "2.9 V"])
def test_finding_27_initial_voltage(voltage, hu2024):
    values = hu2024.to_pybamm()
    model = ss.SolidStateDFN()
    copy = values.set_initial_state(
        voltage, param=model.param, options=model.options, inplace=False
    )
    assert (values[INITIAL], 0 < copy[INITIAL] < 1) == (hu2024[INITIAL], True)
    solution = pybamm.Simulation(model, parameter_values=copy).solve([0, 10])
    start = float(voltage.removesuffix("V"))
    assert solution["Open-circuit voltage [V]"](t=0.0) == pytest.approx(start, abs=1e-8)
    simulation = pybamm.Simulation(model, parameter_values=values, cache_esoh=False)
    solution = simulation.solve([0, 10], initial_soc=voltage)
    assert solution["Open-circuit voltage [V]"](t=0.0) == pytest.approx(start, abs=1e-8)


def test_finding_27_initial_voltage_at_the_state_it_came_from(hu2024):
    """State -> open-circuit voltage -> state, where the potential is steep."""
    values = hu2024.to_pybamm()
    for soc in (0.004, 0.03, 0.97, 0.995):
        values[INITIAL] = soc
        voltage = values.evaluate(ss.SolidStateSPM().param.ocv_init)
        values.set_initial_state(f"{voltage:.12f} V")
        assert values[INITIAL] == pytest.approx(soc, abs=1e-6)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (1.5, "from 0 to 1"),
        (-0.1, "from 0 to 1"),
        (float("nan"), "from 0 to 1"),
        (True, "from 0 to 1"),
        (None, "from 0 to 1"),
        ("9 V", "open-circuit voltage of the cell is"),
        ("1e999 V", "open-circuit voltage of the cell is"),
        ("-3 V", "open-circuit voltage of the cell is"),
        ("half", "a voltage such as"),
        ("3.4", "a voltage such as"),
    ],
)
def test_finding_27_what_is_no_initial_state(state, message, hu2024):
    values = hu2024.to_pybamm()
    with pytest.raises(ss.OptionError, match=message):
        values.set_initial_state(state)
    assert values[INITIAL] == hu2024[INITIAL]


@pytest.mark.filterwarnings("ignore:Initial (SoC|voltage)")  # PyBaMM says so before we refuse
def test_finding_27_what_pybamm_cannot_hand_over_is_refused(hu2024):
    """Nothing starts elsewhere than asked for: a voltage, and values of another kind."""
    simulation = _simulation(ss.SolidStateSPM, hu2024)
    for soc in (1.2, -0.2):
        with pytest.raises(ss.OptionError, match="from 0 to 1"):
            simulation.solve([0, 60], initial_soc=soc)
    with pytest.raises(ss.OptionError, match="set_initial_state"):
        simulation.solve([0, 60], initial_soc="3.4 V")
    plain = pybamm.ParameterValues(dict(hu2024.to_pybamm()))
    simulation = pybamm.Simulation(ss.SolidStateSPM(), parameter_values=plain)
    with pytest.raises(KeyError, match="to_pybamm"):
        simulation.solve([0, 60], initial_soc=0.5)


# -------------------------------------------------------------------- plots
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("current", [0.4e-3, -0.3e-3])
def test_finding_28_voltage_components(model, current, hu2024):
    """PyBaMM's components add up to the voltage, 1e-9 V, by both of its ways to split them."""
    changes = {
        "Positive electrode hysteresis [V]": 0.02,
        "Positive electrode film resistance [Ohm.m2]": 1e-3,
        "NaTaCl6|Positive electrode interface resistance [Ohm.m2]": 2e-3,
        "Initial state of charge": 0.6,
        "Current function [A]": current,
    }
    solution = _simulation(model, hu2024.replace(changes, HYSTERESIS)).solve([0, 900])
    for split in (False, True):
        figure, axes = pybamm.plot_voltage_components(
            solution, split_by_electrode=split, show_plot=False
        )
        areas = {area.get_label(): area.get_paths()[0].vertices for area in axes.collections}
        last = list(areas.values())[-1]  # its far side is the voltage
        end = last[np.isclose(last[:, 0], solution["Time [h]"].entries[-1])][:, 1]
        voltage = solution["Voltage [V]"].entries[-1]
        assert np.abs(end - voltage).min() < 1e-9
        matplotlib.pyplot.close(figure)
    solution.plot_voltage_components(show_plot=False)
    # a discharge loses voltage everywhere, and a charge gains
    for name in ("battery reaction overpotential", "battery electrolyte ohmic losses"):
        assert (solution[f"X-averaged {name} [V]"].entries[1:] * current < 0).all()
    assert (solution["Contact overpotential [V]"].entries[1:] * current > 0).all()


def test_finding_28_summary_of_cycles(hu2024):
    cycle = ("Discharge at C/2 until 2.5 V", "Charge at C/2 until 4.0 V")
    simulation = _simulation(
        ss.SolidStateSPM, hu2024, experiment=pybamm.Experiment([cycle, cycle])
    )
    solution = simulation.solve()
    names = simulation.model.summary_variables
    axes = pybamm.plot_summary_variables(solution, names, show_plot=False)
    assert [ax.get_ylabel() for ax in np.ravel(axes)[: len(names)]] == names
    moved = np.diff(solution.cycles[0].steps[1]["Discharge capacity [A.h]"].entries[[0, -1]])
    sodium = solution.summary_variables["Change in positive electrode stoichiometry"]
    assert sodium[1] == pytest.approx(0, abs=1e-4)
    assert 0 < -moved[0] < solution.summary_variables["Capacity [A.h]"][0]


def test_finding_28_real_lengths_of_quick_plots(hu2024):
    """The axes end at the thickness and the radius, in micrometres, whatever they are."""
    changed = hu2024.replace({"Positive particle radius [m]": 0.8e-6})
    for parameters in (hu2024, changed):
        solution = _simulation(ss.SolidStateDFN, parameters).solve([0, 600])
        names = ["Positive electrode potential [V]", "Positive particle stoichiometry"]
        plot = pybamm.QuickPlot(solution, names)
        plot.plot(300)
        L = 1e6 * parameters["Positive electrode thickness [m]"]
        R = 1e6 * parameters["Positive particle radius [m]"]
        assert plot.axis_limits[names[0],][:2] == pytest.approx([0, L])
        assert plot.axis_limits[names[1],] == pytest.approx([0, L, 0, R])
        potential = solution[names[0]]
        assert potential(t=300.0, x=1e-6 * L) == pytest.approx(
            solution["Voltage [V]"](t=300.0), abs=1e-3
        )
        assert np.isnan(potential(t=300.0, x=1.1e-6 * L))


# -------------------------------------------------------------------- size classes
@pytest.mark.parametrize("classes", [7, 8, 9])
def test_finding_45_many_size_classes_at_a_high_rate(classes, hu2024):
    """2 C with a spread of 0.5: solved at once, and within 0.45 mAh/g of 5 classes."""
    capacities = []
    for number in (5, classes):
        parameters = hu2024.replace(
            {"Positive particle radius spread": 0.5}, {"size classes": number}
        )
        result = ss.RateTest([2]).run(ss.SolidStateDFN(parameters.model_options), parameters)
        assert result.table["Status"].tolist() == ["ok"]
        assert result.notes == []
        capacities.append(result.table["Discharge capacity [mA.h.g-1]"][0])
    assert capacities[1] == pytest.approx(capacities[0], abs=0.45)
