"""Models that were saved by PyBaMM with an earlier version of the package still load."""

import json
import lzma
from pathlib import Path

import pybamm
import pytest

import ssnib_model as ss

FOLDER = Path(__file__).parents[1] / "data" / "saved_models"
MANY = {"size classes": 2, "open-circuit potential": "one-state hysteresis"}
CHANGES = {"Positive particle radius spread": 0.4, "Positive electrode hysteresis [V]": 0.02}

#: Version 0.1.0: class, options, changes, and voltages [V] at 0, 600 and 1800 s of 1 C from the
#: charged state, on a mesh of 8 points in x and r.
SAVED = {
    "dfn": (ss.SolidStateDFN, {}, {}, [3.60298152, 2.99925201, 3.00683500]),
    "spm": (ss.SolidStateSPM, {}, {}, [3.60291752, 2.99904220, 3.00727095]),
    "dfn_classes": (ss.SolidStateDFN, MANY, CHANGES, [3.60697954, 2.99403297, 2.99184762]),
}


@pytest.mark.parametrize("name", SAVED)
def test_saved_models_load_and_give_the_same_voltage(name, first_hu2024, tmp_path):
    """The voltage of the version that saved them, 1e-5 V."""
    model_class, options, changes, voltages = SAVED[name]
    text = lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()).decode()
    assert "ssnib_model.models" in text
    assert json.loads(text)["model"]
    file = tmp_path / "model.json"
    file.write_text(text)
    model = pybamm.BaseModel.from_json(file)
    assert isinstance(model, model_class)
    assert dict(model.options) == dict(model_class(options).options)
    simulation = pybamm.Simulation(
        model,
        parameter_values=first_hu2024.replace(changes, options).to_pybamm(),
        var_pts={"x_p": 8, "r_p": 8},
    )
    solution = simulation.solve([0, 1800])
    assert solution["Voltage [V]"](t=[0, 600, 1800]) == pytest.approx(voltages, abs=1e-5)
    assert simulation.solve([0, 60], initial_soc=0.4)["Positive electrode stoichiometry"](
        t=0.0
    ) == pytest.approx(0.6, abs=1e-9)
