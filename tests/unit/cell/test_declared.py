"""What is declared of a quantity: that it is read, or under which condition."""

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.cell import declared
from ssnib_model.cell.options import OPTIONS
from ssnib_model.cell.values import FunctionValue

KNOWN = declared.known_names(("Na3PS4", "NaTaCl6"))
NUMBERS = {name: quantity for name, quantity in KNOWN.items() if quantity.shape == "number"}
#: A cell in which nothing is switched off by a value of 0, warm enough for activation energies
#: to count, and one whose anode runs out of sodium.
PRESENT = {
    "Ambient temperature [K]": 320.0,
    **{name: 1e-3 for name in NUMBERS if name.endswith("resistance [Ohm.m2]")},
    **{n: 2e4 for n in NUMBERS if n.endswith("interface resistance activation energy [J.mol-1]")},
}
EMPTYING = {
    "alloy": {
        "Negative electrode alloy mass [kg]": 2e-6,
        "Negative electrode as-made sodium content": 0.02,
    },
    # its sodium runs out only where the cathode was made without
    "sodium metal": {
        "Negative electrode sodium mass [kg]": 2.5e-7,
        "As-made state of charge": 0.9,
    },
}
#: Values for what the set does not give.
TYPICAL = {
    "Positive electrode tortuosity factor": 5.0,
    "Positive electrode percolation threshold": 0.1,
    "Positive electrode percolation exponent": 2.0,
    "Positive electrode percolation threshold per carbon fraction": 0.2,
    "Positive electrode hysteresis [V]": 0.03,
    "Positive particle radius spread": 0.3,
    "Negative electrode sodium mass [kg]": 5e-6,
    "Na3PS4 layer electronic conductivity [S.m-1]": 1e-7,
    "Positive electrode accessible fraction loss per cycle": 0.02,
    "Positive electrode accessible fraction loss rate [s-1]": 1e-6,
    "Positive electrode accessible fraction loss rate at high potential [s-1]": 1e-4,
    "Positive electrode accessible fraction gain by activation": 0.05,
    "Positive electrode accessible fraction activation cycles": 1.0,
}


def test_conditions_are_options_and_their_values():
    for name, quantity in KNOWN.items():
        for option, values in quantity.read_with.items():
            assert option in OPTIONS
            assert option == "size classes" or set(values) < set(OPTIONS[option]), name


def test_the_law_of_arrhenius_is_read_where_its_quantity_is():
    for quantity in declared.activated_quantities(("Na3PS4", "NaTaCl6")):
        (name,) = [n for n in KNOWN if n.startswith(f"{quantity} [")]
        for law in ("activation energy [J.mol-1]", "reference temperature [K]"):
            assert KNOWN[f"{quantity} {law}"].read_with == KNOWN[name].read_with


def answer(parameters):
    """All numbers of a test that reads everything the options ask for."""
    if parameters.model_options["surface form"] == "differential":
        z = ss.impedance(parameters, [5e6, 1e3, 0.1], var_pts={"x_p": 4, "r_p": 8}).z
        return np.concatenate([z.real, z.imag])
    test, model = ss.RateTest([0.5]), ss.SolidStateSPM(parameters.model_options)
    try:
        result = test.run(model, parameters, solver=ss.StructuredSolver())
    except ss.OptionError:
        result = test.run(model, parameters)
    return result.table.iloc[0].drop("Status").to_numpy(float)


@pytest.fixture(scope="module")
def cells():
    """The cells to try a quantity in, made once for each set of options, with their answers."""
    made = {}

    def of(options):
        key = tuple(sorted(options.items()))
        if key not in made:
            hu2024 = ss.ParameterSet("Hu2024")
            every = hu2024.model_options | options
            needed = {n: v for n, v in TYPICAL.items() if not KNOWN[n].unread_with(every)}
            present = hu2024.replace(needed | PRESENT, options)
            both = (present, present.replace(EMPTYING[every["negative electrode"]]))
            made[key] = [(cell, answer(cell)) for cell in both]
        return made[key]

    return of


#: Shipped sets whose functions take what Hu2024 has no use for.
WITH_OTHER_FUNCTIONS = ("Asakura2020", "Duchene2020")


def cells_with_the_function(name):
    """A cell in which a function takes the quantity, with its answer."""
    if " layer " in name:  # a law of conductivity with two slopes, beyond its transition
        layer, law = f"{name.split(' layer ')[0]} layer", "two_slope_conductivity_from_reference"
        values = {
            f"{layer} reference conductivity [S.m-1]": 0.01,
            f"{layer} transition temperature [K]": 320.0,
            f"{layer} activation energy below transition [J.mol-1]": 5e4,
            f"{layer} activation energy above transition [J.mol-1]": 3e4,
        }
        names = ("conductivity", "transition_temperature", "energy_below", "energy_above")
        takes = dict(zip(names, values, strict=True)) | {"reference_temperature": 298.15}
        function = {f"{layer} conductivity [S.m-1]": FunctionValue(law, takes)}
        warm = {"Ambient temperature [K]": 330.0}
        cells = [ss.ParameterSet("Hu2024").replace(values | function | warm)]
    else:
        cells = [c for c in map(ss.ParameterSet, WITH_OTHER_FUNCTIONS) if name in c.given]
    return [(cell, answer(cell)) for cell in cells]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("name", NUMBERS)
def test_a_change_changes_an_answer_or_the_declaration_says_why_not(name, cells):
    quantity = NUMBERS[name]
    options = {
        o: values[0] for o, values in quantity.read_with.items() if o != "electrolyte layers"
    }
    changed = False
    other = quantity.is_argument and name not in ss.ParameterSet("Hu2024")
    for cell, before in cells_with_the_function(name) if other else cells(options):
        value = cell[name] if name in cell else TYPICAL[name]
        try:
            after = answer(cell.replace({name: 1.1 * value if value else 1e-3 * quantity.high}))
        except ss.ParameterError:
            return  # refused
        same = np.isclose(before, after, rtol=1e-8, atol=0, equal_nan=True).all()
        changed = changed or not same
        if changed:
            break
    assert changed != bool(quantity.remark or quantity.set_by or quantity.only_in), name


# -------------------------------------------------------------------- what is not read is said
def sentence(parameters, protocol="rate test"):
    (only,) = parameters.unread(protocol).items()
    return only


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Positive electrode tortuosity factor", 4.0, "\"composite transport\" = 'tortuosity'"),
        ("Positive electrode percolation exponent", 2.0, "'percolation', not 'bruggeman'"),
        ("Positive electrode double-layer capacity [F.m-2]", 0.3, "'differential', not 'false'"),
        ("Na3PS4 layer relative permittivity", 30.0, '"surface form"'),
        ("Positive particle sodium-poor phase limit", 0.02, "'two-phase'"),
        ("Cell heat capacity [J.K-1]", 60.0, "\"thermal\" = 'lumped'"),
        ("Positive electrode hysteresis decay rate", 40.0, "'one-state hysteresis'"),
        ("Initial state of charge", 0.5, "it starts as made"),
        ("Set-up series inductance [H]", 1e-6, "only the impedance of a cell has it"),
        ("Current function [A]", 1e-3, "C-rates are of the nominal capacity"),
        (
            "Positive electrode carbon volume fraction",
            0.2,
            "'carbon percolation', not 'bruggeman'",
        ),
    ],
)
def test_a_change_that_a_rate_test_does_not_read_is_said(name, value, words, hu2024):
    changed = hu2024.replace({name: value})
    found, said = sentence(changed)
    assert found == name
    assert said.startswith(f'"{name}" is changed but has no effect')
    assert words in said


def test_what_is_read_is_not_said(hu2024):
    read = {
        "Die diameter [m]": 0.011,  # by way of the area
        "Positive electrode mass [kg]": 12e-6,
        "NaTaCl6 layer density [kg.m-3]": 2800.0,
        "Positive electrode OCP charged end width": 0.006,  # by the function that names it
        "Reference temperature [K]": 300.0,
    }
    assert hu2024.replace(read).unread("rate test") == {}
    assert hu2024.unread("rate test") == {}
    start = hu2024.replace({"Initial state of charge": 0.5})
    assert start.unread() == {}
    assert "state of charge asked for" in sentence(start, "impedance")[1]
    capacity = hu2024.replace({"Positive electrode double-layer capacity [F.m-2]": 0.3})
    assert capacity.unread("impedance") == {}
    with pytest.raises(ss.OptionError, match="must be one of"):
        hu2024.unread("cycling")


def test_what_only_serves_to_derive_what_is_overridden_is_said(hu2024):
    density = "Na3PS4 layer density [kg.m-3]"
    thin = hu2024.replace({"Na3PS4 layer thickness [m]": 100e-6, density: 2300.0})
    found, said = sentence(thin)
    assert found == density
    assert "neither it nor anything that follows from it" in said


def test_an_argument_that_no_function_names_is_said():
    table = ss.ParameterSet("ThreeLayers")  # its equilibrium potential is a table
    name = "Positive electrode plateau potential [V]"
    assert "by a function that names it only" in sentence(table.replace({name: 3.5}))[1]
    # nobody knows what a Python function reads
    own = table.replace({name: 3.5, "Positive electrode OCP [V]": lambda sto: 3.4 - 0.1 * sto})
    assert own.unread("rate test") == {}


def test_values_that_would_be_another_cell_need_their_option(hu2024):
    name, option = "Positive electrode hysteresis [V]", "open-circuit potential"
    with pytest.raises(ss.ParameterError, match=rf'{option}" = .*change the option to'):
        hu2024.replace({name: 0.03})
    assert hu2024.replace({name: 0.0})[name] == 0
    on = hu2024.replace({name: 0.03}, {option: "one-state hysteresis"})
    assert on.unread("rate test") == {}
    with pytest.raises(ss.ParameterError, match="2 or more"):
        hu2024.replace({"Positive particle radius spread": 0.4})
