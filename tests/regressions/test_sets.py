"""Parameter sets: what a file says is what is simulated, or it is refused by name."""

import json
import math
import warnings

import numpy as np
import pandas as pd
import pybamm
import pytest

import ssnib_model as ss

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
ENERGY = "Na3PS4 layer conductivity activation energy [J.mol-1]"
CATHODE_OCP, ANODE_OCP = "Positive electrode OCP [V]", "Negative electrode OCP [V]"
DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
TEMPERATURE = "Ambient temperature [K]"
GAS_CONSTANT = 8.314462618


@pytest.fixture
def made(tmp_path):
    """A set over Hu2024 from the texts of its entries and tables; returns its folder."""

    def write(entries="", *, top="", stack="", name="mine", **tables):
        folder = tmp_path / name
        folder.mkdir()
        stack = f"[stack]\n{stack}\n" if stack else LAYERS
        text = f'name = "{name}"\nbase = "Hu2024"\n{top}\n{stack}\n{entries}'
        (folder / "parameters.toml").write_text(text)
        for file, rows in tables.items():
            pd.DataFrame(rows, columns=["x", "y"]).to_csv(folder / f"{file}.csv", index=False)
        return folder

    return write


#: Given although the set has a base: without it a set of before is refused for another reason.
LAYERS = '[stack]\n"electrolyte layers" = ["Na3PS4", "NaTaCl6"]\ncatholyte = "NaTaCl6"\n'


def entry(name, value, unit="1", kind="user", more=""):
    return f'[parameters."{name}"]\nvalue = {value}\nunit = "{unit}"\nkind = "{kind}"\n{more}\n'


def table_entry(name, file, unit, more=""):
    return entry(name, f'{{ table = "{file}.csv"{more} }}', unit)


def at(parameters, name, x):
    """The value of a function of a set at an argument."""
    return np.asarray(parameters.to_pybamm()[name](pybamm.Scalar(x)).evaluate()).item()


FITTED = 'inherit_fitted = ["Positive particle diffusivity [m2.s-1]", ' \
    '"Positive electrode exchange-current density [A.m-2]", ' \
    '"Positive electrode accessible fraction"]'  # fmt: skip


# -------------------------------------------------------------------- tables of potentials
@pytest.mark.parametrize("potential", [0.0, 0.05])
def test_finding_12_a_table_of_the_anode_has_no_walls(potential, made):
    """Its argument is mol Na per mol Sn and runs far beyond 1."""
    rows = [(y, potential) for y in (0.0, 1.0, 10.0, 60.0, 100.0)]
    folder = made(table_entry(ANODE_OCP, "anode", "V"), anode=rows)
    parameters = ss.ParameterSet(folder)
    for y in (0.0, 0.02, 3.5, 42.0):
        assert at(parameters, ANODE_OCP, y) == pytest.approx(potential, abs=1e-9)
    table = ss.RateTest([0.5]).run(parameters=parameters).table
    assert table["Status"].tolist() == ["ok"]
    assert table["Discharge capacity [mA.h.g-1]"][0] > 90


SLOPE = [(x, 3.6 - 0.4 * x) for x in np.linspace(0, 1, 11)]


@pytest.mark.parametrize("x", [0.012, 0.03, 0.96])
def test_finding_12_a_table_of_the_cathode_is_what_it_says(x, made):
    entries = table_entry(CATHODE_OCP, "ocp", "V")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        parameters = ss.ParameterSet(made(entries, top=f"format = 2\n{FITTED}", ocp=SLOPE))
    assert at(parameters, CATHODE_OCP, x) == pytest.approx(3.6 - 0.4 * x, abs=1e-7)
    # held at its ends
    assert at(parameters, CATHODE_OCP, -0.1) == pytest.approx(3.6, abs=1e-7)
    assert at(parameters, CATHODE_OCP, 1.1) == pytest.approx(3.2, abs=1e-7)


def test_finding_12_steep_ends_by_name(made, tmp_path):
    """12 mV at 0.03, and they are kept by a saved set."""
    entries = table_entry(CATHODE_OCP, "ocp", "V", ", steep_ends = true")
    parameters = ss.ParameterSet(made(entries, top=FITTED, ocp=SLOPE))
    again = ss.ParameterSet(parameters.save(tmp_path / "again"))
    for p in (parameters, again):
        for x in (0.01, 0.03):
            expected = 3.6 - 0.4 * x + 5 * math.exp(-x / 0.005)
            assert at(p, CATHODE_OCP, x) == pytest.approx(expected, abs=1e-6)
    assert ss.RateTest([0.5]).run(parameters=parameters).ok


@pytest.mark.parametrize(("name", "unit"), [(ANODE_OCP, "V"), (DIFFUSIVITY, "m2.s-1")])
def test_finding_12_steep_ends_are_the_cathodes(name, unit, made):
    rows = [(x, 1e-12) for x in np.linspace(0, 1, 5)]
    folder = made(table_entry(name, "t", unit, ", steep_ends = true"), t=rows)
    with pytest.raises(ss.ParameterError, match="steep_ends") as error:
        ss.ParameterSet(folder)
    assert name in str(error.value)
    assert CATHODE_OCP in str(error.value)


def test_finding_12_a_file_of_before_says_so(made):
    """It does not choose, and was simulated with walls: said on loading, never silent."""
    folder = made(table_entry(CATHODE_OCP, "ocp", "V"), top=FITTED, ocp=SLOPE)
    with pytest.warns(ss.ValidityWarning, match="steep_ends"):
        ss.ParameterSet(folder)


def test_finding_12_the_run_json_of_before_repeats(made):
    """What was run with walls is repeated with walls."""
    entries = table_entry(CATHODE_OCP, "ocp", "V", ", steep_ends = true")
    parameters = ss.ParameterSet(made(entries, top=FITTED, ocp=SLOPE))
    files = parameters.files()
    before = files | {
        "parameters.toml": files["parameters.toml"]
        .replace("format = 2\n", "")
        .replace(", steep_ends = true", "")
        .replace("steep_ends = true\n", "")
    }
    assert before["parameters.toml"] != files["parameters.toml"]
    old = ss.ParameterSet.from_files(before)
    assert at(old, CATHODE_OCP, 0.01) == at(parameters, CATHODE_OCP, 0.01)


# -------------------------------------------------------------------- whose data
OWN = """[measured."day 1"]
file = "rates.csv"
source = "us"
[sources.us]
citation = "our own cell"
"""


def _changed(how):
    hu2024 = ss.ParameterSet("Hu2024")
    if how == "layer":
        return ss.swap_layer(hu2024, "Na3PS4", "Na11Sn2PS12")
    return hu2024.replace({how: 1.3 * hu2024[how]})


@pytest.mark.parametrize(
    "how", ["layer", KAPPA, DIFFUSIVITY, "Positive electrode mass [kg]", "Die diameter [m]"]
)
def test_finding_29_another_cell_does_not_own_the_data(how, tmp_path):
    """Neither a changed set nor the one saved from it has measured data of its own."""
    changed = _changed(how)
    saved = ss.ParameterSet(changed.save(tmp_path / "fit1"))
    for parameters in (changed, saved):
        assert not len(parameters.measured)
        assert set(parameters.reference_data) == {
            f"Hu2024: {key}" for key in ss.ParameterSet("Hu2024").measured
        }
        table = parameters.reference_data["Hu2024: Fig. 4E"]
        assert table["Discharge capacity [mA.h.g-1]"].tolist() == [103.8, 99.4, 98.2, 88.3]


def test_finding_29_another_temperature_is_the_same_cell():
    warm = ss.ParameterSet("Hu2024").replace({TEMPERATURE: 333.15})
    assert set(warm.measured) == set(ss.ParameterSet("Hu2024").measured)
    assert not warm.reference_data


def test_finding_29_what_was_changed():
    hu2024 = ss.ParameterSet("Hu2024")
    assert hu2024.changes == {}
    changed = hu2024.replace({KAPPA: 0.02}).replace({TEMPERATURE: 310.0})
    assert changed.changes == {KAPPA: (0.01, 0.02), TEMPERATURE: (298.15, 310.0)}
    assert changed.name == "Hu2024"
    # as written in a run.json and read again
    assert ss.ParameterSet.from_files(changed.files()).changes == changed.changes
    swapped = ss.swap_layer(hu2024, "Na3PS4", "Na11Sn2PS12")
    assert swapped.changes[KAPPA] == (0.01, pytest.approx(0.14))


def test_finding_29_own_data_of_a_set_stay(made, tmp_path):
    folder = made(OWN)
    rates = "C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n0.1,298.15,90\n"
    (folder / "rates.csv").write_text(rates)
    parameters = ss.ParameterSet(folder)
    assert list(parameters.measured) == ["day 1"]
    saved = ss.ParameterSet(parameters.save(tmp_path / "copy"))
    assert list(saved.measured) == ["day 1"]
    other = ss.ParameterSet(parameters.replace({KAPPA: 0.1}).save(tmp_path / "other"))
    assert list(other.reference_data) == ["mine: day 1"]
    measured = other.with_measured({"day 2": parameters.measured["day 1"]})
    assert list(measured.measured) == ["day 2"]
    assert list(measured.reference_data) == ["mine: day 1"]
    once_more = ss.ParameterSet(measured.save(tmp_path / "more"))
    assert list(once_more.measured) == ["day 2"]
    assert once_more.measured["day 2"].equals(parameters.measured["day 1"])


# -------------------------------------------------------------------- a set of one's own
@pytest.mark.parametrize("base", [None, "Hu2024", "ThreeLayers"])
def test_finding_33_a_new_set_runs(base, tmp_path):
    folder = ss.new_set(tmp_path / "mine", base)
    parameters = ss.ParameterSet(folder)
    assert parameters.name == "mine"
    assert not len(parameters.measured)
    result = ss.RateTest([0.1, 1]).run(parameters=parameters)
    assert result.table["Status"].tolist() == ["ok", "ok"]
    with pytest.raises(ss.ParameterError, match="is there already"):
        ss.new_set(tmp_path / "mine", base)


def test_finding_33_three_commands_to_a_rate_test(tmp_path, capsys):
    from ssnib_model.cli import main

    folder = str(tmp_path / "mine")
    assert main(["parameters", "new", folder]) == 0
    assert main(["parameters", "check", folder]) == 0
    run = ["rate-test", "--set", folder, "--rates", "0.1,0.5", "--model", "spm", "--quiet"]
    assert main([*run, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "table.csv").exists()


def test_finding_33_the_stack_is_that_of_the_base(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "parameters.toml").write_text('name = "mine"\nbase = "ThreeLayers"\nparameters = {}')
    parameters, base = ss.ParameterSet(folder), ss.ParameterSet("ThreeLayers")
    assert parameters.model_options == base.model_options
    assert parameters.catholyte == base.catholyte
    assert dict(parameters) == dict(base)


def test_finding_33_all_problems_in_one_round(tmp_path):
    """Shape, sources, values and what is missing, each with what to write."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "parameters.toml").write_text(
        'name = "mine"\n[stack]\n"electrolyte layers" = ["A"]\n'
        + '[parameters."A layer thickness [m]"]\nvalue = 100\nunit = "um"\n'
        + '[parameters."A layer conductivity [S.m-1]"]\nvalue = "big"\nunit = "S.cm-1"\n'
        + 'kind = "measured"\n'
        + entry("Electrode area [m2]", 1, "cm2", "measured")
        + entry("Positive electrode mass [kg]", -10, "mg", "user")
        + entry("Positive electrode void fraction", 0.1, "1", "literature", 'source = "Xu"')
        + entry("Positive electrode thicknes [m]", 50, "um")
    )
    with pytest.raises(ss.ParameterError) as error:
        ss.ParameterSet(folder)
    text = str(error.value)
    for part in (
        'kind = "measured"',  # one of the kinds, as a line to write
        "value is 'big'",
        'source = "',
        "[sources.Xu]",
        "is -1e-05",
        'did you mean "Positive electrode thickness [m]"',
        "Positive electrode carbon mass part",
        '"Reference temperature [K]" is missing',
        '"Positive electrode OCP [V]" is missing',
        '"A layer conductivity activation energy [J.mol-1]" is missing',
    ):
        assert part in text, part
    # what follows from an entry that is there but wrong is not called missing
    assert '"A layer thickness [m]" is missing' not in text
    assert '"Positive electrode mass [kg]" is missing' not in text


# -------------------------------------------------------------------- temperature laws
ARRHENIUS = '[parameters."{name}"]\n'


def _loss(parameters, layer="Na3PS4 layer", **settings):
    """Ohmic overpotential of a layer at 1 C [V]."""
    result = ss.RateTest([0.2]).run(parameters=parameters, **settings)
    return result.breakdown(0.2)[layer]


POINTS = [(270.0, 2e-5), (298.15, 1e-4), (330.0, 3e-4), (350.0, 4e-4)]


@pytest.mark.parametrize("temperature", [283.0, 298.15, 341.0])
def test_finding_34_a_table_of_temperature(temperature, made):
    """Between two points the Arrhenius law through both; not activated a second time."""
    kelvin, sigma = np.array(POINTS).T
    expected = 100 * np.exp(np.interp(-1 / temperature, -1 / kelvin, np.log(sigma)))  # S/cm to S/m
    folder = made(table_entry(KAPPA, "sigma", "S.cm-1"), sigma=POINTS)
    warm = {TEMPERATURE: temperature}
    by_table = ss.ParameterSet(folder).replace(warm)
    by_number = ss.ParameterSet("Hu2024").replace({KAPPA: expected, ENERGY: 0.0, **warm})
    assert _loss(by_table) == pytest.approx(_loss(by_number), rel=1e-6)
    model = ss.SolidStateSPM(by_table.model_options)
    rows = ss.RateTest([0.2, 1]).run(model, by_table).table
    assert rows["Polarization [V]"].to_numpy() == pytest.approx(
        ss.RateTest([0.2, 1]).run(ss.SolidStateSPM(), by_number).table["Polarization [V]"],
        abs=1e-4,
    )
    spectra = [ss.impedance(p, [1e5, 1.0]).z for p in (by_table, by_number)]
    assert spectra[0] == pytest.approx(spectra[1], rel=1e-6)
    structured = ss.StructuredSolver()
    fast = [
        ss.RateTest([1]).run(parameters=p, solver=structured).table["Polarization [V]"][0]
        for p in (by_table, by_number)
    ]
    assert fast[0] == pytest.approx(fast[1], abs=1e-6)


VFT = '{ function = "vft_conductivity", arguments = { prefactor = 40.0, ' \
    "pseudo_activation_energy = 6e3, vanishing_temperature = 200.0 } }"  # fmt: skip
TWO_SLOPES = '{ function = "two_slope_conductivity", arguments = { conductivity = 0.09, ' \
    "transition_temperature = 343.0, energy_below = 58e3, energy_above = 33e3 } }"  # fmt: skip


@pytest.mark.parametrize("temperature", [285.0, 350.0])
@pytest.mark.parametrize("law", ["vft", "two slopes"])
def test_finding_34_named_laws(law, temperature, made):
    if law == "vft":
        text, expected = VFT, 40 * math.exp(-6e3 / GAS_CONSTANT / (temperature - 200))
    else:
        energy = 58e3 if temperature < 343 else 33e3
        text = TWO_SLOPES
        expected = 0.09 * math.exp(-energy / GAS_CONSTANT * (1 / temperature - 1 / 343))
    warm = {TEMPERATURE: temperature}
    by_law = ss.ParameterSet(made(entry(KAPPA, text, "S.m-1"))).replace(warm)
    by_number = ss.ParameterSet("Hu2024").replace({KAPPA: expected, ENERGY: 0.0, **warm})
    assert _loss(by_law) == pytest.approx(_loss(by_number), rel=1e-9)


@pytest.mark.parametrize("form", ["sigma", "sigma T"])
def test_finding_34_the_catholyte_follows_its_layer(form, made):
    """A law of the NaTaCl6 layer holds in the composite as well, in either form."""
    name = "NaTaCl6 layer conductivity [S.m-1]"
    folder = made(entry(name, VFT, "S.m-1"), stack=LAYERS[8:] + f'"conductivity form" = "{form}"')
    hot = ss.ParameterSet(folder).replace({TEMPERATURE: 320.0})
    expected = 40 * math.exp(-6e3 / GAS_CONSTANT / 120)
    model = ss.SolidStateDFN(hot.model_options)
    values = hot.to_pybamm()
    for quantity in ("NaTaCl6 layer", "Positive electrode electrolyte"):
        sigma = values.process_symbol(model.conductivity(f"{quantity} conductivity"))
        assert float(sigma.evaluate()) == pytest.approx(expected, rel=1e-9)


def test_finding_34_a_law_and_an_activation_energy_contradict(made):
    folder = made(entry(KAPPA, VFT, "S.m-1") + entry(ENERGY, 0.3, "eV"))
    with pytest.raises(ss.ParameterError, match="activation energy"):
        ss.ParameterSet(folder)
    parameters = ss.ParameterSet(made(entry(KAPPA, VFT, "S.m-1"), name="other"))
    for name in (ENERGY, "Na3PS4 layer conductivity reference temperature [K]"):
        with pytest.raises(ss.ParameterError, match="function of the temperature"):
            parameters.replace({name: 300.0})
    # back to a number: then the energy is needed
    with pytest.raises(ss.ParameterError, match=r"activation energy.* is missing"):
        parameters.replace({KAPPA: 0.01})
    assert parameters.replace({KAPPA: 0.01, ENERGY: 2e4})[ENERGY] == 2e4


def test_finding_34_a_law_of_the_layer_gives_the_composite_no_energy(made):
    """A number of its own needs an energy of its own, and not the 0 of the law."""
    name = "Positive electrode electrolyte conductivity"
    law, number = entry("NaTaCl6 layer conductivity [S.m-1]", VFT, "S.m-1"), f"{name} [S.m-1]"
    with pytest.raises(ss.ParameterError, match=f"{name} activation energy.* is missing"):
        ss.ParameterSet(made(law + entry(number, 0.1, "S.m-1")))
    energy = entry(f"{name} activation energy [J.mol-1]", 0.3, "eV")
    parameters = ss.ParameterSet(made(law + entry(number, 0.1, "S.m-1") + energy, name="own"))
    assert parameters[f"{name} activation energy [J.mol-1]"] > 2e4


@pytest.mark.parametrize("temperature", [260.0, 360.0])
def test_finding_34_outside_the_table(temperature, made):
    parameters = ss.ParameterSet(made(table_entry(KAPPA, "sigma", "S.cm-1"), sigma=POINTS))
    with pytest.raises(ss.ParameterError, match=r"270 to 350 K"):
        parameters.replace({TEMPERATURE: temperature})


def test_finding_34_a_function_has_the_unit_of_its_quantity(made):
    """The numbers of a function are not converted: another unit would be ignored."""
    with pytest.raises(ss.ParameterError, match=r"S\.m-1"):
        ss.ParameterSet(made(entry(KAPPA, VFT, "S.cm-1")))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (KAPPA, "na_sn_alloy_ocp"),
        (DIFFUSIVITY, "nvp_plateau_ocp"),
        (CATHODE_OCP, "na_sn_alloy_ocp"),
    ],
)
def test_a_function_serves_its_own_quantity_only(name, function, made):
    value = f'{{ function = "{function}", arguments = {{}} }}'
    unit = name[name.index("[") + 1 : -1]
    with pytest.raises(ss.ParameterError, match=f"{function}.* gives"):
        ss.ParameterSet(made(entry(name, value, unit)))


# -------------------------------------------------------------------- the composite's electrolyte
COMPOSITE = "Positive electrode electrolyte"


@pytest.mark.parametrize("material", ["NaTaCl6 milled 6 h", "Na2.25Y0.25Zr0.75Cl6"])
def test_finding_34_swap_the_catholyte(material):
    hu2024 = ss.ParameterSet("Hu2024")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        changed = ss.swap_layer(hu2024, "catholyte", material)
    new = ss.solid_electrolytes()[material]
    assert changed[f"{COMPOSITE} conductivity [S.m-1]"] == new.conductivity
    assert changed["NaTaCl6 layer conductivity [S.m-1]"] == 0.4  # the layer stays
    assert changed[f"{COMPOSITE} mass part"] == 4
    assert f"{COMPOSITE} conductivity [S.m-1]" in changed.changes
    if new.activation_energy:
        energy = f"{COMPOSITE} conductivity activation energy [J.mol-1]"
        assert changed[energy] == new.activation_energy


def test_finding_34_a_swapped_layer_says_what_the_composite_keeps():
    hu2024 = ss.ParameterSet("Hu2024")
    with pytest.warns(ss.ValidityWarning, match='composite keeps .* "catholyte"'):
        ss.swap_layer(hu2024, "NaTaCl6", "NaTaCl6 milled 26 h")
    # a changed number of that layer changes the composite as well, and says so
    changed = hu2024.replace({"NaTaCl6 layer conductivity [S.m-1]": 0.1})
    assert changed[f"{COMPOSITE} conductivity [S.m-1]"] == 0.1
    assert any("composite" in note and "NaTaCl6 layer" in note for note in changed.notes)
    assert hu2024.notes == []


# -------------------------------------------------------------------- another active material
OTHER = {
    "table": table_entry(CATHODE_OCP, "ocp", "V", ", steep_ends = true"),
    "density": entry("Positive electrode active material density [kg.m-3]", 4.36, "g.cm-3"),
    "molar mass": entry(
        "Positive electrode active material molar mass [kg.mol-1]", 107, "g.mol-1"
    ),
    "sodium": entry("Positive electrode cyclable sodium per formula unit", 0.5),
    "plateau": entry("Positive electrode plateau potential [V]", 3.05, "V"),
}
OWN_VALUES = {
    DIFFUSIVITY: entry(DIFFUSIVITY, 1e-15, "m2.s-1"),
    "j0": entry("Positive electrode exchange-current density [A.m-2]", 0.5, "A.m-2"),
    "fraction": entry("Positive electrode accessible fraction", 0.95),
}


def _of(entries):
    return entries.replace(", steep_ends = true", "")  # unknown before


@pytest.mark.parametrize("changed", OTHER)
def test_finding_47_fitted_values_are_not_inherited_silently(changed, made):
    entries = OTHER[changed]
    with pytest.raises(ss.ParameterError) as error:
        ss.ParameterSet(made(entries, ocp=SLOPE))
    problems = [p for p in error.value.problems if "fitted" in p]
    assert len(problems) == 3
    assert all("inherit_fitted" in p for p in problems)


def test_finding_47_given_or_inherited_by_name(made):
    entries = OTHER["density"] + OWN_VALUES["j0"] + OWN_VALUES["fraction"]
    parameters = ss.ParameterSet(made(entries, top=f'inherit_fitted = ["{DIFFUSIVITY}"]'))
    info = parameters.info(DIFFUSIVITY)
    assert info.value == ss.ParameterSet("Hu2024")[DIFFUSIVITY]
    assert info.kind == "assumed"
    assert "Hu2024" in info.note
    assert "range" in info.uncertainty
    everything = ss.ParameterSet(made(entries + OWN_VALUES[DIFFUSIVITY], name="given"))
    assert everything[DIFFUSIVITY] == 1e-15


def test_finding_47_the_same_material_keeps_its_fit(made):
    entries = entry("Positive electrode mass [kg]", 20, "mg")
    assert ss.ParameterSet(made(entries)).info(DIFFUSIVITY).kind == "fitted"


@pytest.mark.parametrize("name", ["Die diameter [m]", "No such [m]"])
def test_finding_47_what_is_not_fitted_cannot_be_inherited_so(name, made):
    with pytest.raises(ss.ParameterError, match=f"inherit_fitted.*{name.split()[0]}"):
        ss.ParameterSet(made(OTHER["density"], top=f'inherit_fitted = ["{name}"]'))


# -------------------------------------------------------------------- anodes
@pytest.mark.parametrize(("solver", "tin"), [(None, 1), ("structured", 1), (None, 0.7)])
@pytest.mark.filterwarnings("ignore:the anode:ssnib_model.errors.ValidityWarning")
def test_finding_50_tin_without_sodium(solver, tin, made):
    """The first charge fills it; no discharge takes more than that."""
    anode = entry("Negative electrode as-made sodium content", 0.0)
    anode += entry("Negative electrode alloy mass [kg]", tin, "mg")
    parameters = ss.ParameterSet(made(anode))
    solver = ss.StructuredSolver() if solver else None
    result = ss.RateTest([0.1, 0.5]).run(parameters=parameters, solver=solver)
    assert not result.table["Status"].str.startswith("failed").any()
    assert parameters["Negative electrode tin amount [mol]"] == pytest.approx(tin * 1e-6 / 0.11871)
    first = result.table.iloc[0]
    assert first["Charge capacity [mA.h.g-1]"] > 80
    assert first["Discharge capacity [mA.h.g-1]"] <= first["Charge capacity [mA.h.g-1]"] * 1.0001
    assert first["Discharge capacity [mA.h.g-1]"] > 80


SODIUM = '"negative electrode" = "sodium metal"\n'


@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_finding_26_sodium_metal(model, made):
    """A potential of 0 V: the cathode's against sodium, and no plateau of an alloy."""
    foil = entry("Negative electrode sodium thickness [m]", 100, "um")
    parameters = ss.ParameterSet(made(foil, stack=LAYERS[8:] + SODIUM))
    assert parameters["Negative electrode sodium amount [mol]"] == pytest.approx(
        100e-6 * parameters["Electrode area [m2]"] * 968 / 0.02298977, rel=1e-3
    )
    result = ss.RateTest([0.1, 1]).run(model(parameters.model_options), parameters)
    assert result.table["Status"].tolist() == ["ok", "ok"]
    discharge = result.half_cycles[1]
    anode = discharge.at("Negative electrode open-circuit potential [V]", [0.1, 0.5, 0.9])
    assert anode == pytest.approx(0, abs=1e-9)
    assert float(discharge.at("Open-circuit voltage [V]", 0.5)) == pytest.approx(3.4, abs=1e-6)


@pytest.mark.filterwarnings("ignore::ssnib_model.errors.ValidityWarning")
def test_finding_26_sodium_runs_out():
    """A start charged, with less sodium in the foil than the cathode takes."""
    hu2024 = ss.ParameterSet("Hu2024")
    thin = 0.5 * hu2024["Nominal cell capacity [A.h]"] * 3600 / 96485.33 * 0.02298977
    parameters = hu2024.replace(
        {"Negative electrode sodium mass [kg]": thin, "As-made state of charge": 0.99},
        {"negative electrode": "sodium metal"},
    )
    result = ss.RateTest([0.1]).run(parameters=parameters)
    assert result.half_cycles[1].status == "anode empty"
    assert result.table["Discharge capacity [mA.h.g-1]"][0] == pytest.approx(0.5 * 118, rel=0.01)


def test_finding_26_sodium_metal_in_pybamm(made):
    """An initial state as PyBaMM sets it, of a state of charge and of a voltage."""
    foil = entry("Negative electrode sodium thickness [m]", 100, "um")
    parameters = ss.ParameterSet(made(foil, stack=LAYERS[8:] + SODIUM))
    values = parameters.to_pybamm()
    simulation = pybamm.Simulation(
        ss.SolidStateSPM(parameters.model_options), parameter_values=values
    )
    solution = simulation.solve([0, 10], initial_soc=0.4)
    assert solution["Positive electrode stoichiometry"].entries[0] == pytest.approx(0.6)
    values.set_initial_state("3.5 V")
    # 0.1 V above the plateau, by the steep end of the potential
    soc = values["Initial state of charge"]
    assert soc == pytest.approx(1 - 0.005 * math.log(5 / 0.1), abs=1e-6)


def test_finding_26_sodium_symmetric(made):
    """Na | Na3PS4 | Na."""
    stack = '"electrolyte layers" = ["Na3PS4"]\n"positive electrode" = "alloy"\n' + SODIUM
    entries = entry("Negative electrode sodium thickness [m]", 50, "um")
    parameters = ss.ParameterSet(made(entries, stack=stack))
    spectrum = ss.impedance(parameters, [1e-4])
    layer = parameters["Na3PS4 layer thickness [m]"] / 0.01
    kinetics = 2 * GAS_CONSTANT * 298.15 / 96485.33 / 10
    assert spectrum.z[0].real * spectrum.area == pytest.approx(layer + 27e-4 + kinetics, rel=1e-3)


# -------------------------------------------------------------------- a set, shown
def test_finding_35_a_set_as_html():
    html = ss.ParameterSet("Hu2024")._repr_html_()
    for part in ("<table", KAPPA, "measured", "Hu2024", "0.008 to 0.02"):
        assert part in html
    assert "<script>" not in html


def test_a_set_escapes_what_strangers_write(made):
    parameters = ss.ParameterSet(made(entry(KAPPA, 1e-4, "S.cm-1", more='note = "<script>"')))
    assert "<script>" not in parameters._repr_html_()


def test_json_schema_knows_every_name():
    schema = ss.json_schema()
    assert json.dumps(schema)
    text = json.dumps(schema)
    for name in ("Die diameter [m]", "layer thickness", "inherit_fitted", "steep_ends"):
        assert name in text
