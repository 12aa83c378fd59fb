"""Every set that comes with the package: it loads, runs, and says where each value is from."""

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.cell.values import KINDS

EXAMPLES = ["SymmetricNaSn", "ThreeLayers"]
#: Published cells by family, the first the set that the others are based on.
FAMILIES = {
    "Asakura2020": [],
    "Duchene2020": ["Duchene2020_97"],
    "Hu2024": [],
    "Oh2025": ["Oh2025_15", "Oh2025_30"],
    "Ridley2024": ["Ridley2024_Na0.25"],
}
CELLS = sorted([*FAMILIES, *(name for variants in FAMILIES.values() for name in variants)])
BEYOND = [name for name in CELLS if name != "Hu2024"]

#: C-rates of all measured rows: what is held back, to be predicted, is in none of them.
GIVEN = {
    "Asakura2020": [0.1, 0.2, 1],
    "Duchene2020": [0.1, 5],
    "Duchene2020_97": [0.1],
    "Oh2025": [0.1, 0.1],
    "Oh2025_15": [0.1],
    "Oh2025_30": [0.1],
    "Ridley2024": [0.1, 0.5],
    "Ridley2024_Na0.25": [],
}
CAPACITY = "Discharge capacity [mA.h.g-1]"


def test_these_are_all():
    assert ss.list_parameter_sets() == sorted([*CELLS, *EXAMPLES])


@pytest.mark.parametrize("name", [*CELLS, *EXAMPLES])
def test_every_value_says_where_it_comes_from(name):
    cell = ss.ParameterSet(name)
    assert cell.name == name
    for key, info in cell.given.items():
        assert info.kind in KINDS, key
        if info.kind in ("measured", "literature"):
            assert cell.sources[info.source]["citation"], key
        if info.kind == "assumed" and isinstance(info.value, float):
            assert info.uncertainty, key
        if info.kind == "assumed":
            assert info.note, key
    for source in cell.sources.values():
        assert source["citation"].strip()


@pytest.mark.parametrize("name", BEYOND)
def test_nothing_is_fitted_and_nothing_held_back_is_in_the_data(name):
    cell = ss.ParameterSet(name)
    assert "fitted" not in {info.kind for info in cell.given.values()}
    rates = [rate for table in cell.measured.values() for rate in table["C-rate"]]
    assert rates == GIVEN[name]


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("name", BEYOND)
def test_both_models_charge_and_discharge_it(name):
    cell = ss.ParameterSet(name)
    most = cell["Maximum concentration in positive electrode [mol.m-3]"] * 96485.33212 / 3600
    most /= cell["Positive electrode active material density [kg.m-3]"]
    answers = []
    for model in (ss.SolidStateSPM, ss.SolidStateDFN):
        test = ss.RateTest.of(cell, rates=[0.1])
        table = test.run(model(cell.model_options), cell, solver="structured").table
        assert table["Status"].tolist() == ["ok"]
        answers.append(table[CAPACITY][0])
        assert 0.5 * most < answers[-1] < most
    # slow enough for the reduced model, whatever it says of faster tests
    assert answers[0] == pytest.approx(answers[1], abs=0.2)
    for table in cell.measured.values():
        slow = table.loc[np.isclose(table["C-rate"], 0.1), CAPACITY]
        # the assumed values are not fitted, but not somewhere else either
        assert answers[1] == pytest.approx(slow.to_numpy(), rel=0.2)


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "Hu2024"])
def test_both_solvers_agree_on_it(name):
    cell = ss.ParameterSet(name)
    test = ss.RateTest([0.5])
    structured, idaklu = (
        test.run(ss.SolidStateDFN(cell.model_options), cell, solver=solver).table.iloc[0]
        for solver in ("structured", "idaklu")
    )
    assert structured[CAPACITY] == pytest.approx(idaklu[CAPACITY], rel=1e-4)
    assert structured["Polarization [V]"] == pytest.approx(idaklu["Polarization [V]"], abs=5e-4)


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_the_potential_of_nacro2_bends_by_its_range_only():
    """The shape is assumed: what it does to the capacity at the cut-off is known and small."""
    cell, found = ss.ParameterSet("Duchene2020"), []
    for exponent in (4.0, 8.0, 14.0):
        changed = cell.replace({"Positive electrode OCP rise exponent": exponent})
        result = ss.RateTest([0.1]).run(ss.SolidStateSPM(cell.model_options), changed)
        found.append(result.table[CAPACITY][0])
    assert found == sorted(found)
    assert 8 < found[-1] - found[0] < 20
