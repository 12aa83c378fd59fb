"""The models are used as any PyBaMM model."""

import pickle
import re
from pathlib import Path

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model import model_zoo

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


def test_examples_of_the_docs(tmp_path, monkeypatch):
    """The blocks of docs/pybamm.md run, one after the other."""
    pytest.importorskip("pybamm_model_zoo").refresh(external_paths=[Path(model_zoo.__path__[0])])
    page = Path(__file__).parents[2] / "docs" / "pybamm.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(blocks) >= 5
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert dict(names["same"].options) == dict(names["model"].options)
    assert 0 < names["values"]["Initial state of charge"] < 0.1


@pytest.mark.parametrize("model", MODELS)
def test_lengths_as_inputs_and_other_spatial_methods(model, hu2024):
    """Inputs or numbers, our finite volumes or PyBaMM's own: the same voltage, 0.1 mV."""
    lengths = ["Positive electrode thickness [m]", "Positive particle radius [m]"]
    values = hu2024.to_pybamm()
    expected = pybamm.Simulation(model(), parameter_values=values).solve([0, 600])
    plain = {domain: pybamm.FiniteVolume() for domain in model().default_geometry}
    mixed = model().default_spatial_methods | {"positive electrode": pybamm.FiniteVolume()}
    for methods in (plain, {d: mixed[d] for d in plain}):
        simulation = pybamm.Simulation(model(), parameter_values=values, spatial_methods=methods)
        voltage = simulation.solve([0, 600])["Voltage [V]"](t=600.0)
        assert voltage == pytest.approx(expected["Voltage [V]"](t=600.0), abs=1e-4)
    values.update(dict.fromkeys(lengths, "[input]"))
    simulation = pybamm.Simulation(model(), parameter_values=values)
    solution = simulation.solve([0, 600], inputs={name: hu2024[name] for name in lengths})
    assert solution["Voltage [V]"](t=600.0) == pytest.approx(
        expected["Voltage [V]"](t=600.0), abs=1e-6
    )


@pytest.mark.parametrize("model", MODELS)
def test_equations_are_well_posed(model):
    """PyBaMM's own checks of a model, and its options as PyBaMM asks for them."""
    instance = model()
    instance.check_well_posedness()
    assert instance.options["particle phases"] == "1"
    assert instance.options["working electrode"] == "both"
    assert dict(instance.options) == dict(ss.ParameterSet("Hu2024").model_options)
    copy = pickle.loads(pickle.dumps(instance.options))
    assert (type(copy), copy) == (type(instance.options), instance.options)
    with pytest.raises(KeyError):
        instance.options["no such option"]


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


LAWS = {
    "Positive electrode tortuosity factor": 5.0,
    "Positive electrode percolation threshold": 0.1,
    "Positive electrode percolation exponent": 2.0,
    "Positive electrode percolation threshold per carbon fraction": 0.2,
}
SPREAD = {"Positive particle radius spread": 0.4}
HYSTERESIS = {"Positive electrode hysteresis [V]": 0.02}
VARIANTS = [
    ({}, {}),
    ({}, {"composite transport": "tortuosity"}),
    ({}, {"composite transport": "percolation"}),
    ({}, {"composite transport": "carbon percolation"}),
    ({}, {"conductivity form": "sigma T"}),
    ({}, {"particle": "two-phase"}),
    (SPREAD, {"size classes": 2}),
    (HYSTERESIS, {"open-circuit potential": "one-state hysteresis"}),
    ({}, {"thermal": "lumped"}),
    ({}, {"surface form": "differential"}),
    ({}, {"electronic leakage": "ohmic"}),
    ({}, {"negative electrode interphase": "parabolic"}),
    ({}, {"positive electrode interphase": "parabolic"}),
    ({}, {"accessible fraction": "ageing"}),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("changes", "options"), VARIANTS)
def test_every_option_has_all_its_parameters(changes, options, model, hu2024):
    if model is ss.SolidStateSPM and "surface form" in options:
        with pytest.raises(ss.OptionError, match="use SolidStateDFN"):
            model(options)
        return
    parameters = hu2024.replace(LAWS | changes, options)
    values = parameters.to_pybamm()
    instance = model(parameters.model_options)
    assert {parameter.name for parameter in instance.parameters} <= set(values)
    simulation = pybamm.Simulation(instance, parameter_values=values)
    solution = simulation.solve([0, 600])
    assert solution.t[-1] == 600
    assert np.abs(solution["Voltage breakdown residual [V]"].entries).max() < 1e-9


def test_every_parameter_of_the_models_is_read_by_one(hu2024):
    """A value without any effect has no place among those handed to PyBaMM."""
    read = set()
    for changes, options in VARIANTS:
        values = hu2024.replace(LAWS | changes, options).to_pybamm()
        model = ss.SolidStateDFN(options)
        read |= {parameter.name for parameter in model.parameters}
        for function in ("Positive electrode OCP [V]", "Negative electrode OCP [V]"):
            read |= {p.name for p in values[function](pybamm.Scalar(0.5)).pre_order()}
    assert set(values) - set(pybamm.ParameterValues({})) <= read


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
