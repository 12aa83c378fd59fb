"""Values fitted to a cathode that is changed in Python."""

import warnings

import pytest

import ssnib_model as ss

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
CARBON = "Positive electrode carbon mass part"
PLATEAU = "Positive electrode plateau potential [V]"
PARTS = [f"Positive electrode {c} mass part" for c in ("active material", "electrolyte", "carbon")]


@pytest.mark.parametrize(
    "changes",
    [
        {PLATEAU: 3.7},
        {CARBON: 1.0},
        {"Positive electrode active material molar mass [kg.mol-1]": 0.3},
        {"Positive electrode carbon volume fraction": 0.1},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_was_fitted_is_assumed_for_another_cathode(hu2024, changes):
    (name,) = changes
    with pytest.warns(ss.ValidityWarning, match="fitted to the cathode with another") as said:
        other = hu2024.replace(changes)
    assert len(said) == 1
    assert other.info(D).kind == other.info(J0).kind == "assumed"
    assert f'fitted with another "{name}"' in other.info(D).note
    assert f'"{D}" was fitted with another "{name}" and is assumed here' in other.notes
    # once given, there is nothing to say of it
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = other.replace({D: 1e-16})
    assert not any(D in note for note in given.notes)
    assert any(J0 in note for note in given.notes)


@pytest.mark.parametrize(
    "changes",
    [
        {PLATEAU: 3.38},  # within its range
        {n: 2.0 * v for n, v in zip(PARTS, (4, 4, 2), strict=True)},  # the same composite
        {"Positive electrode mass [kg]": 2e-5},
        {CARBON: 1.0, D: 1e-16, J0: 0.01, "Positive electrode accessible fraction": 0.9},
    ],
    ids=["within the range", "parts", "mass", "all given"],
)
def test_the_same_cathode_keeps_what_was_fitted(hu2024, changes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = hu2024.replace(changes)
    assert not any("fitted" in note for note in other.notes)


def test_it_is_written_with_the_set(hu2024, tmp_path):
    with pytest.warns(ss.ValidityWarning):
        other = hu2024.replace({CARBON: 1.0})
    other.save(tmp_path / "other")
    assert f'with another "{CARBON}"' in ss.ParameterSet(tmp_path / "other").info(J0).note
