"""The best design, its conditions, and the front of two results."""

import math

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cell.bulk import ALLOY_DENSITY, bulk_of
from ssnib_model.runs.optimise import Condition, _front

LAYER, CATHODE = "Na3PS4 layer thickness [m]", "Positive electrode mass [kg]"
ALLOY = "Negative electrode alloy mass [kg]"
LOADING = {CATHODE: (1e-5, 8e-5)}
ENERGY, RETENTION = "specific energy at 0.2 C", "capacity retention at 2 C"


@pytest.fixture(scope="module")
def best(hu2024):
    return ss.optimise(hu2024, LOADING, ENERGY, f"{RETENTION} >= 0.8")


def test_mass_and_volume_of_a_stack(hu2024):
    """By hand, with the relative densities of the pellets in the masses."""
    bulk = bulk_of(hu2024)
    names = [f"{x} layer mass [kg]" for x in ("Na3PS4", "NaTaCl6")]
    assert bulk.mass == pytest.approx(sum(hu2024[n] for n in (*names, CATHODE, ALLOY)))
    parts = [LAYER, "NaTaCl6 layer thickness [m]", "Positive electrode thickness [m]"]
    thickness = sum(hu2024[n] for n in parts)
    volume = thickness * hu2024["Electrode area [m2]"] + hu2024[ALLOY] / ALLOY_DENSITY
    assert bulk.volume == pytest.approx(volume)
    sodium = ss.ParameterSet("Asakura2020")
    with pytest.raises(ss.OptionError, match=r'needs ".* layer relative density", which'):
        bulk_of(sodium)
    with pytest.raises(ss.OptionError, match='"positive electrode" of the cell is "alloy"'):
        bulk_of(ss.ParameterSet("SymmetricNaSn"))


def test_energy_is_that_of_the_half_cycle(hu2024, best):
    result = ss.RateTest([0.1, 0.2, 2]).run(ss.SolidStateSPM(), best.parameters)
    discharge = result.half_cycles[3]
    assert best.metrics[ENERGY] == pytest.approx(
        discharge.energy / bulk_of(best.parameters).mass, rel=1e-3
    )


def test_a_condition_binds(best, hu2024):
    """More cathode is more energy, up to where the condition is broken: 1 % more breaks it."""
    assert best.metrics[RETENTION] >= 0.8
    more = best.parameters.replace({CATHODE: 1.01 * best.values[CATHODE]})
    table = ss.RateTest([0.1, 2]).run(ss.SolidStateSPM(), more).table
    capacity = table["Discharge capacity [mA.h.g-1]"]
    assert capacity[1] / capacity[0] < 0.8
    low, high = best.as_good[CATHODE]
    assert low <= best.values[CATHODE] <= high
    assert "as the set has it" in best.sentence


def test_the_best_of_a_grid_is_no_better(hu2024, best):
    masses = np.linspace(1e-5, 8e-5, 30)
    table = ss.sweep(
        hu2024, ss.grid({CATHODE: masses}), ss.RateTest([0.1, 0.2, 2]), model="spm"
    )  # fmt: skip
    capacity = table.pivot_table("Discharge capacity [mA.h.g-1]", CATHODE, "C-rate")
    voltage = table.pivot_table("Mean discharge voltage [V]", CATHODE, "C-rate")[0.2]
    cells = [hu2024.replace({CATHODE: m}) for m in capacity.index]
    active = [c["Positive electrode active material mass [kg]"] / bulk_of(c).mass for c in cells]
    energy = capacity[0.2] * voltage * active
    allowed = energy[capacity[2.0] / capacity[0.1] >= 0.8]
    assert best.metrics[ENERGY] >= allowed.max() * (1 - 1e-3)


def test_the_same_seed_gives_the_same_answer(hu2024):
    asked = (hu2024, {LAYER: (30e-6, 300e-6)}, ENERGY)
    one, again = ss.optimise(*asked), ss.optimise(*asked)
    pd.testing.assert_frame_equal(one.table, again.table)
    assert "is at the lowest value that was allowed" in one.sentence


def test_an_anode_that_is_too_small_is_no_design(hu2024):
    found = ss.optimise(hu2024, {ALLOY: (1e-6, 1e-4, "log")}, ENERGY)
    small = found.table[~found.table["Allowed"]]
    assert small["Status"].str.contains("anode is too small").all()
    assert len(small) > 10
    assert found.values[ALLOY] > small[ALLOY].max()


@pytest.mark.slow
def test_front_of_two(hu2024):
    with pytest.warns(ss.ValidityWarning, match="at the best design, ") as said:
        found = ss.optimise(hu2024, LOADING, [ENERGY, RETENTION], points=3)
    assert any("cannot start" in str(w.message) for w in said)
    front = found.front
    assert (np.diff(front[ENERGY]) < 0).all()
    assert (np.diff(front[RETENTION]) > 0).all()
    good = found.table[found.table["Allowed"]].dropna()
    for _, row in good.iloc[::25].iterrows():
        as_good = (front[ENERGY] >= row[ENERGY]) & (front[RETENTION] >= row[RETENTION])
        assert as_good.any()
    ax = found.plot()
    assert ax.get_xlabel() == "Capacity retention at 2 C"
    assert ax.get_ylabel() == "Specific energy at 0.2 C [W.h.kg-1]"


def test_front_by_hand():
    table = pd.DataFrame({"a": [3.0, 2.0, 2.0, 1.0, 3.0], "b": [1.0, 2.0, 1.5, 1.9, 0.5]})
    assert _front(table, ["a", "b"]).to_numpy().tolist() == [[3.0, 1.0], [2.0, 2.0]]


def test_nothing_keeps_a_condition(hu2024):
    found = ss.optimise(hu2024, {LAYER: (30e-6, 300e-6)}, ENERGY, [f"{RETENTION} >= 1.5"])
    assert found.parameters is None
    assert found.values == {}
    assert "keeps capacity retention at 2 C >= 1.5; the nearest" in found.sentence
    assert found.plot().get_xlabel()


def test_a_parameter_as_condition(hu2024):
    thickness = "Positive electrode thickness [m]"
    found = ss.optimise(hu2024, LOADING, ENERGY, f"{thickness} <= 1e-4")
    assert found.parameters[thickness] == pytest.approx(1e-4, rel=0.01)
    assert Condition.of(f"{thickness} <= 1e-4", hu2024).broken_by(np.array(2e-4)) == 1.0


def test_a_function_of_the_set_is_a_number_in_every_design(hu2024):
    """It may be varied like any other; as a condition it has no value."""
    name, metric = "Positive particle diffusivity [m2.s-1]", "energy efficiency at 1 C"
    cell = hu2024.replace({name: lambda sto: hu2024[name] + 0 * sto})
    found = ss.optimise(cell, {name: (1e-16, 6e-16, "log")}, metric)
    assert found.values[name] == pytest.approx(6e-16, rel=0.1)
    assert "as the set has it" not in found.sentence
    with pytest.raises(ss.OptionError, match="and a number is needed"):
        ss.optimise(cell, {LAYER: (30e-6, 300e-6)}, metric, f"{name} <= 1e-15")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vary": {}}, "vary is empty"),
        ({"vary": {LAYER: (1e-4, 1e-5)}}, "low < high is needed"),
        ({"vary": {LAYER: (1e-4, 10)}}, "is allowed"),
        ({"vary": ["Electrode area [m2]"]}, "no range in the set"),
        ({"vary": {"no such name": (0, 1)}}, 'no parameter "no such name"'),
        ({"maximise": "energy"}, "metric is 'energy'"),
        ({"maximise": "specific energy"}, "it needs a rate"),
        ({"maximise": [ENERGY, ENERGY]}, "one metric, or two different ones"),
        ({"subject_to": f"{RETENTION} > 1"}, "then >= or <= and a number"),
        ({"subject_to": f"{RETENTION} >= much"}, "then >= or <= and a number"),
        ({"subject_to": f"{RETENTION} >= {math.nan}"}, "then >= or <= and a number"),
        ({"points": 1}, "points is 1"),
        ({"model": "p2d"}, "model is 'p2d'"),
    ],
)
def test_what_is_not_allowed(hu2024, change, said):
    asked = {"vary": {LAYER: (30e-6, 300e-6)}, "maximise": ENERGY} | change
    with pytest.raises(ss.SSNIBError, match=said):
        ss.optimise(hu2024, **asked)
