"""What went wrong once with the values of a cell."""

import json

import pytest

import ssnib_model as ss
from ssnib_model.cli import main

P = "Positive electrode"
LOADING = f"{P} active material loading [kg.m-2]"
ACTIVE_MASS = f"{P} active material mass [kg]"
MASS, THICKNESS, VOID = f"{P} mass [kg]", f"{P} thickness [m]", f"{P} void fraction"
CAPACITY, ONE_C = "Nominal cell capacity [A.h]", "Specific current at 1 C [A.kg-1]"
FRACTIONS = [f"{P} {c} volume fraction" for c in ("active material", "electrolyte", "carbon")]
#: What scales with the amount of composite on the same area.
AMOUNTS = (LOADING, ACTIVE_MASS, MASS, THICKNESS, CAPACITY)


@pytest.mark.parametrize("name", [LOADING, ACTIVE_MASS])
@pytest.mark.parametrize("factor", [0.4, 1.7, 3.927])
def test_finding_08_more_of_the_composite_is_thicker_and_has_its_current(name, factor, hu2024):
    changed = hu2024.replace({name: factor * hu2024[name]})
    for amount in AMOUNTS:
        assert changed[amount] == pytest.approx(factor * hu2024[amount]), amount
    for same in (*FRACTIONS, VOID, ONE_C):
        assert changed[same] == pytest.approx(hu2024[same]), same


@pytest.mark.parametrize("thickness", [50e-6, 90e-6, 200e-6])
def test_finding_08_fractions_and_voids_of_another_thickness_add_up(thickness, hu2024):
    changed = hu2024.replace({THICKNESS: thickness})
    assert sum(changed[n] for n in (*FRACTIONS, VOID)) == pytest.approx(1)
    assert changed[MASS] == hu2024[MASS]
    # the solids are the same
    for name in FRACTIONS:
        assert changed[name] * thickness == pytest.approx(hu2024[name] * hu2024[THICKNESS])


@pytest.mark.parametrize("fraction", [0.2, 0.36])
def test_finding_08_a_volume_fraction_carries_its_mass(fraction, hu2024):
    changed = hu2024.replace({FRACTIONS[0]: fraction})
    ratio = fraction / hu2024[FRACTIONS[0]]
    assert changed[THICKNESS] == pytest.approx(hu2024[THICKNESS])
    for name in (LOADING, ACTIVE_MASS, CAPACITY):
        assert changed[name] == pytest.approx(ratio * hu2024[name])
    assert sum(changed[n] for n in (*FRACTIONS, VOID)) == pytest.approx(1)
    densities = [f"{P} {c} density [kg.m-3]" for c in ("active material", "electrolyte", "carbon")]
    solids = sum(changed[f] * changed[d] for f, d in zip(FRACTIONS, densities, strict=True))
    assert changed[MASS] == pytest.approx(
        solids * changed[THICKNESS] * changed["Electrode area [m2]"]
    )


@pytest.mark.parametrize(
    ("name", "follows", "power"),
    [
        (CAPACITY, ONE_C, 1),
        ("Electrode area [m2]", "Die diameter [m]", 0.5),
        ("Na3PS4 layer thickness [m]", "Na3PS4 layer mass [kg]", 1),
        ("Negative electrode tin amount [mol]", "Negative electrode alloy mass [kg]", 1),
        ("Maximum concentration in positive electrode [mol.m-3]",
         f"{P} cyclable sodium per formula unit", 1),
    ],
)  # fmt: skip
def test_finding_08_what_a_value_followed_from_follows_it(name, follows, power, hu2024):
    changed = hu2024.replace({name: 1.3 * hu2024[name]})
    assert changed[follows] == pytest.approx(1.3**power * hu2024[follows])


@pytest.mark.parametrize(("loading", "rate"), [(0.1, 0.5), (0.2, 0.2)])
def test_finding_08_a_loading_on_the_command_line_changes_the_answer(loading, rate, tmp_path):
    """More voltage is lost in a thicker cathode at the same C-rate."""
    gaps = []
    for param in ([], ["--param", f"{LOADING}={loading}"]):
        out = tmp_path / str(len(param))
        main(["rate-test", "--rates", str(rate), "--model", "spm", "--out", str(out), *param])
        gaps.append(json.loads((out / "run.json").read_text())["table"][0]["Polarization [V]"])
    assert gaps[1] > 1.2 * gaps[0]


def test_finding_08_the_last_change_wins(hu2024):
    layer = "Na3PS4 layer"
    thin = hu2024.replace({f"{layer} thickness [m]": 30e-6})
    heavy = thin.replace({f"{layer} mass [kg]": 80e-6})
    assert heavy[f"{layer} thickness [m]"] == pytest.approx(2 * hu2024[f"{layer} thickness [m]"])
    twice = hu2024.replace({LOADING: 0.1}).replace({MASS: 10e-6})
    assert twice[LOADING] == pytest.approx(hu2024[LOADING])


@pytest.mark.parametrize("loading", [0.2, 0.04])
def test_finding_08_changes_at_once_that_contradict_are_refused(loading, hu2024):
    with pytest.raises(ss.ParameterError, match=f"loading .* is given as {loading:g}"):
        hu2024.replace({LOADING: loading, MASS: 10e-6})


@pytest.mark.parametrize("alloy_mass", [3e-6, 8e-6])
def test_finding_50_tin_without_sodium_is_an_anode(alloy_mass, hu2024):
    """All its sodium comes from the cathode, and what is left in the alloy does not come back."""
    changed = hu2024.replace(
        {
            "Negative electrode as-made sodium content": 0.0,
            "Negative electrode alloy mass [kg]": alloy_mass,
        }
    )
    with pytest.warns(ss.ValidityWarning, match="would be empty"):
        row = ss.RateTest([0.1]).run(parameters=changed).table.iloc[0]
    assert row["Status"] in ("ok", "anode empty")
    assert 95 < row["Charge capacity [mA.h.g-1]"] < 106
    assert 60 < row["Discharge capacity [mA.h.g-1]"] < row["Charge capacity [mA.h.g-1]"]


def test_finding_50_the_set_says_why_the_alloy_is_short_of_what_was_weighed(hu2024):
    note = hu2024.info("Negative electrode as-made sodium content").note
    assert "dQ/dV peaks" in note
    assert "3.75" in note
