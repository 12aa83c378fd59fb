"""Solid electrolytes as data, and stacks other than the paper's."""

import warnings

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.cell.electrolytes import solid_electrolytes
from ssnib_model.cell.set_files import parameter_root


def test_materials_are_complete():
    materials = solid_electrolytes()
    assert len(materials) >= 14
    for material in materials.values():
        assert 1e-5 < material.conductivity < 10
        assert material.kind == "assumed" or material.grade != "D"
    assert materials["NaTaCl6 milled 6 h"].conductivity == pytest.approx(6e-3)
    assert materials["NaTaCl6 milled 6 h"].activation_energy == pytest.approx(0.41 * 96485.33)
    assert materials["Na2.25Y0.25Zr0.75Cl6"].upper == pytest.approx(3.72)


def test_a_better_layer_buys_capacity(hu2024):
    """The same thickness, so that the gap falls by the ohmic drop alone."""
    better = ss.swap_layer(hu2024, "Na3PS4", "Na2.88Sb0.88W0.12S4")
    thickness = "Na3PS4 layer thickness [m]"
    assert better[thickness] == hu2024[thickness]
    tables = [ss.RateTest([0.2, 2]).run(parameters=p).table for p in (hu2024, better)]
    gain = tables[0]["Polarization [V]"] - tables[1]["Polarization [V]"]
    i = np.array([0.2, 2]) * 0.472e-3 / hu2024["Electrode area [m2]"]
    assert gain.to_numpy() == pytest.approx(
        2 * i * hu2024[thickness] * (1 / 0.01 - 1 / 3.2), rel=0.01
    )
    columns = "Discharge capacity [mA.h.g-1]"
    assert tables[1][columns][1] > tables[0][columns][1] + 1


def test_the_composite_keeps_its_electrolyte(hu2024):
    with pytest.warns(ss.ValidityWarning, match="the composite keeps"):
        worse = ss.swap_layer(hu2024, "NaTaCl6", "NaTaCl6 milled 6 h")
    name = "Positive electrode electrolyte conductivity [S.m-1]"
    assert worse[name] == hu2024[name]
    assert worse["NaTaCl6 layer conductivity [S.m-1]"] == pytest.approx(6e-3)


def test_outside_its_window_names_both(hu2024):
    with pytest.warns(ss.ValidityWarning, match=r"NaTaCl6 milled 40 h .* Negative electrode"):
        ss.swap_layer(hu2024, "Na3PS4", "NaTaCl6 milled 40 h")
    with pytest.warns(ss.ValidityWarning, match=r"Na2.25Y0.25Zr0.75Cl6 .* Positive electrode"):
        ss.swap_layer(hu2024, "NaTaCl6", "Na2.25Y0.25Zr0.75Cl6")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ss.swap_layer(hu2024, "NaTaCl6", "NaTaCl6 milled 40 h")


@pytest.mark.parametrize(
    ("layer", "material", "message"),
    [("Na3PS5", "Na3PS4 cubic", "has no layer"), ("Na3PS4", "Na3PS4 cubik", "did you mean")],
)
def test_unknown_layer_or_material(layer, material, message, hu2024):
    with pytest.raises(ss.OptionError, match=message):
        ss.swap_layer(hu2024, layer, material)


def test_every_file_of_materials_is_used():
    names = {path.name for path in (parameter_root() / "materials").iterdir()}
    assert names == {"solid_electrolytes.toml", "composite_transport.csv"}


def test_three_layers_and_another_cathode_from_a_folder():
    parameters = ss.ParameterSet("ThreeLayers")
    assert parameters.info("Die diameter [m]").source == "Hu2024"
    result = ss.RateTest([0.2, 1]).run(parameters=parameters)
    assert result.ok
    losses = result.breakdown(1)
    i = 0.472e-3 / parameters["Electrode area [m2]"]
    assert losses["buffer layer"] == pytest.approx(-i * 50e-6 / 6.6e-3)
    discharge = result.half_cycles[1]
    # a sloping cathode, not the plateau of NVP
    assert np.ptp(discharge.at("Open-circuit voltage [V]", np.array([0.1, 0.9]))) > 0.3


@pytest.mark.parametrize("layer", ["Na3PS4", "NaTaCl6"])
def test_one_layer(layer, hu2024):
    """A set with one layer only, from the same values."""
    options = {"electrolyte layers": (layer,)}
    model = ss.SolidStateDFN(hu2024.model_options | options)
    assert f"{layer} layer overpotential [V]" in model.variables
    names = [n for n in model.variables if n.endswith(" layer overpotential [V]")]
    assert len(names) == 1


def test_symmetric_cell_from_a_folder():
    """dc limit of its impedance: layer, two interfaces, two charge transfers, 0.1 %."""
    parameters = ss.ParameterSet("SymmetricNaSn")
    spectrum = ss.impedance(parameters, [1e-4])
    T, F, R = 298.15, 96485.33212, 8.314462618
    layer = parameters["Na3PS4 layer thickness [m]"] / 0.01
    expected = layer + 2 * 27e-4 + 2 * R * T / F / 10
    assert spectrum.z[0].real * spectrum.area == pytest.approx(expected, rel=1e-3)
    with pytest.raises(ss.OptionError, match="symmetric cell"):
        ss.RateTest([1]).run(parameters=parameters)


def test_symmetric_cell_polarizes_by_its_resistance(simulate):
    parameters = ss.ParameterSet("SymmetricNaSn")
    solution = simulate(ss.SymmetricCell(parameters.model_options), parameters, 1e-5, 10)
    i = 1e-5 / parameters["Electrode area [m2]"]
    T, F, R = 298.15, 96485.33212, 8.314462618
    resistance = parameters["Na3PS4 layer thickness [m]"] / 0.01 + 54e-4 + 2 * R * T / F / 10
    assert solution["Voltage [V]"].entries[0] == pytest.approx(-i * resistance, rel=1e-3)
