"""How a cell is made."""

import math

import pytest

import ssnib_model as ss
from ssnib_model.cell import relations

AREA = math.pi / 4 * 0.01**2


def test_cell_of_the_paper(hu2024):
    """Hand calculation from masses, die, ratio and densities (Hu et al. 2024)."""
    solids = 10e-6 * (0.4 / 3160 + 0.4 / 2900 + 0.2 / 1900)
    thickness = solids / (AREA * 0.85)
    expected = {
        "Electrode area [m2]": AREA,
        "Na3PS4 layer thickness [m]": 40e-6 / (AREA * 2213 * 0.80),
        "NaTaCl6 layer thickness [m]": 120e-6 / (AREA * 2900 * 0.75),
        "Positive electrode thickness [m]": thickness,
        "Positive electrode active material mass [kg]": 4e-6,
        "Positive electrode active material loading [kg.m-2]": 4e-6 / AREA,
        "Nominal cell capacity [A.h]": 0.472e-3,
        "Positive electrode active material volume fraction": 4e-6 / 3160 / AREA / thickness,
        "Positive electrode electrolyte volume fraction": 4e-6 / 2900 / AREA / thickness,
        "Positive electrode carbon volume fraction": 2e-6 / 1900 / AREA / thickness,
        "Maximum concentration in positive electrode [mol.m-3]": 2 * 3160 / 0.45577,
    }
    for name, value in expected.items():
        assert hu2024[name] == pytest.approx(value, rel=1e-12)
        assert hu2024.info(name).kind == "derived"
    fractions = [
        hu2024[f"Positive electrode {c} volume fraction"]
        for c in ("active material", "electrolyte", "carbon")
    ]
    assert sum(fractions) + hu2024["Positive electrode void fraction"] == pytest.approx(1)
    # the sizes estimated by hand in the theory
    assert 47e-6 < hu2024["Positive electrode thickness [m]"] < 60e-6
    assert 255e-6 < hu2024["Na3PS4 layer thickness [m]"] < 290e-6


def test_masses_and_thicknesses_round_trip():
    rules = relations.rules(("A",), "A")
    made = {
        "Die diameter [m]": 0.01,
        "A layer density [kg.m-3]": 2000.0,
        "A layer relative density": 0.8,
        "Positive electrode mass [kg]": 1e-5,
        "Positive electrode active material mass part": 4.0,
        "Positive electrode electrolyte mass part": 4.0,
        "Positive electrode carbon mass part": 2.0,
        "Positive electrode active material density [kg.m-3]": 3160.0,
        "Positive electrode carbon density [kg.m-3]": 1900.0,
    }
    pairs = {
        "A layer mass [kg]": ("A layer thickness [m]", 4e-5),
        "Positive electrode void fraction": ("Positive electrode thickness [m]", 0.15),
    }
    forward = relations.derive(made | {name: value for name, (_, value) in pairs.items()}, rules)
    thicknesses = {name: forward[name][0] for name, _ in pairs.values()}
    backward = relations.derive(made | thicknesses, rules)
    for name, (_, value) in pairs.items():
        assert backward[name][0] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_contradiction_shows_both_values(factor, hu2024):
    name = "Na3PS4 layer thickness [m]"
    given = {n: i.value for n, i in hu2024.given.items() if isinstance(i.value, float)}
    rules = relations.rules(("Na3PS4", "NaTaCl6"), "NaTaCl6")
    wrong = factor * hu2024[name]
    (sentence,) = relations.contradictions(given | {name: wrong}, rules, [name])
    assert f"{wrong:.6g}" in sentence
    assert f"{hu2024[name]:.6g}" in sentence
    near = hu2024[name] * (1 + (factor - 1) / 2)
    assert not relations.contradictions(given | {name: near}, rules, [name])


def test_replacing_an_input_carries_through(hu2024):
    thicker = hu2024.replace({"Na3PS4 layer mass [kg]": 80e-6})
    name = "Na3PS4 layer thickness [m]"
    assert thicker[name] == pytest.approx(2 * hu2024[name])
    assert thicker.info(name).kind == "derived"
    assert thicker.info("Na3PS4 layer mass [kg]").kind == "user"
    assert hu2024["Na3PS4 layer mass [kg]"] == 40e-6


def test_replacing_a_derived_value_overrides_it_and_says_so(hu2024):
    name = "Na3PS4 layer thickness [m]"
    thin = hu2024.replace({name: 30e-6})
    assert (thin[name], thin.info(name).kind) == (30e-6, "user")
    assert "overrides the derived value 0.000287673 m" in thin.info(name).note
    again = thin.replace({name: 20e-6})
    assert "overrides" in again.info(name).note
    assert "gives way" in thin.info(name).note
    mass = thin.info("Na3PS4 layer mass [kg]")
    assert mass.kind == "derived"
    assert f'given up for "{name}", was 4e-05 kg (measured)' in mass.note
    # what is changed last wins
    heavy = thin.replace({"Na3PS4 layer mass [kg]": 40e-6})
    assert heavy[name] == pytest.approx(hu2024[name], rel=1e-12)
    assert heavy.info(name).kind == "derived"


def test_replacing_both_sides_must_agree(hu2024):
    changes = {"Na3PS4 layer mass [kg]": 80e-6, "Na3PS4 layer thickness [m]": 30e-6}
    with pytest.raises(ss.ParameterError, match=r"3e-05 m, but 0\.000575345 m"):
        hu2024.replace(changes)


def test_a_given_void_fraction_can_be_too_small_for_the_thickness(hu2024):
    with pytest.raises(ss.ParameterError, match="volume fractions"):
        hu2024.replace({"Positive electrode thickness [m]": 30e-6})
