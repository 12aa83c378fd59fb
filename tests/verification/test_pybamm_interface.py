"""The models are used as any PyBaMM model."""

import pickle

import numpy as np
import pybamm
import pytest

import ssnib_model as ss

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
ONE_C = 0.472e-3


@pytest.mark.parametrize("model", MODELS)
def test_experiment_gives_the_capacities_of_the_rate_test(model, hu2024):
    """A second route, `pybamm.Experiment`: the same capacities to 0.05 mAh/g."""
    rates = [0.2, 1, 2]
    steps = [
        f"{direction} at {rate}C for 20 hours or until {cut_off} V"
        for rate in rates
        for direction, cut_off in (("Charge", 4.0), ("Discharge", 2.5))
    ]
    values = hu2024.to_pybamm()
    values["Initial state of charge"] = 0.01
    solver = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-6)
    simulation = pybamm.Simulation(
        model(), parameter_values=values, experiment=pybamm.Experiment(steps), solver=solver
    )
    solution = simulation.solve(calc_esoh=False)
    mass = hu2024["Positive electrode active material mass [kg]"]
    charge = [cycle["Discharge capacity [A.h]"].entries / mass for cycle in solution.cycles]
    moved = np.abs([entries[-1] - entries[0] for entries in charge])
    result = ss.RateTest(rates).run(model(), hu2024)
    for direction, expected in (("Charge", moved[::2]), ("Discharge", moved[1::2])):
        capacities = result.table[f"{direction} capacity [mA.h.g-1]"].to_numpy()
        assert capacities == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("model", MODELS)
def test_experiment_with_constant_voltage_and_rest(model, hu2024):
    experiment = pybamm.Experiment(
        [
            (
                "Discharge at C/2 for 3 hours or until 2.5 V",
                "Rest for 10 minutes",
                "Charge at 1C for 2 hours or until 4.0 V",
                "Hold at 4.0 V for 2 hours or until C/20",
            )
        ]
    )
    simulation = pybamm.Simulation(
        model(), parameter_values=hu2024.to_pybamm(), experiment=experiment
    )
    solution = simulation.solve(calc_esoh=False)
    ends = [step.termination for step in solution.cycles[0].steps]
    assert ["2.5" in ends[0], ends[1], "4.0" in ends[2], "C-rate" in ends[3]] == [
        True,
        "final time",
        True,
        True,
    ]
    assert np.abs(solution["Voltage breakdown residual [V]"].entries).max() < 1e-9


@pytest.mark.parametrize("model", MODELS)
def test_json_round_trip(model, hu2024):
    values = hu2024.to_pybamm()
    original = model({"conductivity form": "sigma T"})
    copy = pybamm.BaseModel.from_json(original.to_json())
    assert (type(copy), copy.options) == (model, original.options)
    copied_values = pybamm.ParameterValues.from_json(values.to_json())
    voltages = [
        pybamm.Simulation(m, parameter_values=v).solve([0, 900])["Voltage [V]"](t=800.0)
        for m, v in ((original, values), (copy, copied_values))
    ]
    assert voltages[0] == pytest.approx(voltages[1], abs=1e-5)


def test_entry_points(hu2024):
    values = pybamm.ParameterValues("Hu2024")
    assert "Hu2024" in pybamm.parameter_sets
    name = "Na3PS4 layer conductivity [S.m-1]"
    assert values[name] == hu2024[name]
    assert isinstance(pybamm.Model("SolidStateDFN"), ss.SolidStateDFN)
    assert isinstance(pybamm.Model("SolidStateSPM"), ss.SolidStateSPM)


@pytest.mark.parametrize("model", MODELS)
def test_defaults_of_a_simulation(model):
    simulation = pybamm.Simulation(model(), C_rate=0.5, var_pts=model().default_var_pts)
    solution = simulation.solve([0, 600])
    assert solution["C-rate"](t=300.0) == pytest.approx(0.5)
    simulation.plot(show_plot=False)
    assert pickle.loads(pickle.dumps(solution)).t[-1] == 600


@pytest.mark.parametrize("law", ["bruggeman", "tortuosity", "percolation"])
@pytest.mark.parametrize("model", MODELS)
def test_to_pybamm_holds_what_the_model_reads(model, law, hu2024):
    """Nothing missing; nothing without effect but the parameters of the other laws."""
    values = hu2024.replace(
        {
            "Positive electrode tortuosity factor": 5.0,
            "Positive electrode percolation threshold": 0.1,
            "Positive electrode percolation exponent": 2.0,
        }
    ).to_pybamm()
    instance = model({"composite transport": law})
    read = {parameter.name for parameter in instance.parameters}
    functions = {n for n in values if " OCP " in n or "plateau" in n} - read
    other_laws = {n for n in values if n.rpartition(" ")[0].endswith(("Bruggeman", "percolation"))}
    other_laws.add("Positive electrode tortuosity factor")
    composite = {"Positive electrode effective electronic conductivity [S.m-1]"}
    assert read <= set(values) | {"Faraday constant [C.mol-1]"}
    assert set(values.keys()) - read - functions - other_laws - composite <= set(
        pybamm.ParameterValues({}).keys()
    )
    pybamm.Simulation(instance, parameter_values=values).solve([0, 60])


@pytest.mark.parametrize(
    "layers", [("NaTaCl6",), ("A", "B", "C"), ("NaTaCl6", "Na3PS4")], ids=lambda v: "|".join(v)
)
def test_any_number_of_layers_in_order(layers):
    model = ss.SolidStateDFN({"electrolyte layers": layers})
    names = [n for n in model.variables if n.endswith((" layer overpotential [V]",))]
    assert names == [f"{layer} layer overpotential [V]" for layer in layers]
    interfaces = [n for n in model.variables if n.endswith("interface overpotential [V]")]
    assert len(interfaces) == len(layers) + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"electrolyte layer": ["A"]}, "unknown model option 'electrolyte layer'"),
        ({"electrolyte layers": []}, "one or more different names"),
        ({"electrolyte layers": ["A", "A"]}, "one or more different names"),
        ({"composite transport": "maxwell"}, "must be one of"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ss.OptionError, match=message):
        ss.SolidStateDFN(options)
