"""What the command line reads from a text."""

import argparse

import pytest

from ssnib_model.cli.arguments import assignment, in_unit_of, kelvin, once, quantity
from ssnib_model.errors import OptionError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", (3.0, "")),
        (" -2.5e-3 ", (-0.0025, "")),
        ("10 mg/cm2", (10.0, "mg/cm2")),
        ("10mg.cm-2", (10.0, "mg.cm-2")),
        (".5%", (0.5, "%")),
        ("2e3K", (2000.0, "K")),
    ],
)
def test_quantity(text, value):
    assert quantity(text) == value
    assert assignment(f"A = b [m2]={text}") == ("A = b [m2]", value)


@pytest.mark.parametrize("text", ["", "m", "1e", "--3", "1..2"])
def test_what_is_no_quantity(text):
    if text in ("1e", "1..2"):  # a number and what cannot be a unit
        with pytest.raises(OptionError, match=r"is not a unit|cannot be converted"):
            in_unit_of("Thickness [m]", quantity(text))
    else:
        with pytest.raises(argparse.ArgumentTypeError):
            quantity(text)


@pytest.mark.parametrize("unit", ["mg/cm2", "mg.cm-2", "mg cm-2", "mg/cm^2"])
def test_spellings_of_a_unit(unit):
    assert in_unit_of("Loading [kg.m-2]", (10.0, unit)) == pytest.approx(0.1)


def test_kelvin():
    assert kelvin("25") == pytest.approx(298.15)
    assert kelvin("-20") == pytest.approx(253.15)
    assert kelvin("150") == pytest.approx(423.15)
    assert kelvin("151 degC") == pytest.approx(424.15)
    with pytest.raises(OptionError, match=r"write --temperature 26\.85 if 300 K is meant"):
        kelvin("300")


def test_once():
    assert once([("a", 1), ("b", 2)], "--x") == {"a": 1, "b": 2}
    with pytest.raises(OptionError, match='--x gives "a" twice'):
        once([("a", 1), ("a", 1)], "--x")
