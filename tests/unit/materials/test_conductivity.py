"""Laws of conductivity against temperature, and what a material offers."""

import math

import numpy as np
import pybamm
import pytest

from ssnib_model.materials import FUNCTIONS, MODULES, QUANTITIES
from ssnib_model.materials.conductivity import (
    two_slope_conductivity,
    two_slope_conductivity_from_reference,
    vft_conductivity,
)
from ssnib_model.materials.sodium import EMPTY_AMPLITUDE, sodium_metal_ocp
from ssnib_model.materials.tables import ActivatedTable


def test_vft_is_arrhenius_without_its_temperature():
    R = 8.31446261815324
    T = np.array([250.0, 300, 400])
    assert vft_conductivity(T, 7.0, 2e4, 0.0) == pytest.approx(7 * np.exp(-2e4 / R / T))
    # its slope against 1/(T - T0) is B / R
    logarithm = [math.log(vft_conductivity(t, 7.0, 2e4, 180.0)) for t in (280.0, 281.0)]
    slope = (logarithm[1] - logarithm[0]) / (1 / 101 - 1 / 100)
    assert slope == pytest.approx(-2e4 / R)


def test_two_slopes_meet():
    R = 8.31446261815324

    def ea(T):
        low, high = (two_slope_conductivity(t, 0.5, 340.0, 6e4, 3e4) for t in (T - 0.1, T + 0.1))
        return -R * math.log(high / low) / (1 / (T + 0.1) - 1 / (T - 0.1))

    assert ea(300) == pytest.approx(6e4, rel=1e-6)
    assert ea(380) == pytest.approx(3e4, rel=1e-6)
    assert two_slope_conductivity(340.0, 0.5, 340.0, 6e4, 3e4) == 0.5


@pytest.mark.parametrize("reference", [298.15, 360.0])
def test_two_slopes_through_a_value_at_a_reference(reference):
    """Each side is an Arrhenius law of its own, and both meet at the transition."""
    R, transition, below, above = 8.31446261815324, 343.15, 6e4, 3e4

    def sigma(T):
        return two_slope_conductivity_from_reference(T, 0.1, reference, transition, below, above)

    assert sigma(reference) == pytest.approx(0.1, rel=1e-14)
    near = below if reference < transition else above
    at_transition = 0.1 * math.exp(-near / R * (1 / transition - 1 / reference))
    assert sigma(transition) == pytest.approx(at_transition, rel=1e-12)
    for T, energy in ((263.15, below), (423.15, above)):
        expected = at_transition * math.exp(-energy / R * (1 / T - 1 / transition))
        assert sigma(T) == pytest.approx(expected, rel=1e-12)
    through = two_slope_conductivity(300.0, at_transition, transition, below, above)
    assert sigma(300.0) == pytest.approx(through, rel=1e-12)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_take_numbers_and_symbols_alike(name):
    law = FUNCTIONS[name]
    arguments = dict.fromkeys(law.arguments, 0.3)
    x = 0.8
    number = law.function(x, **arguments)
    symbol = law.function(pybamm.Scalar(x), **{k: pybamm.Scalar(v) for k, v in arguments.items()})
    assert isinstance(symbol, pybamm.Symbol)
    assert float(symbol.evaluate()) == pytest.approx(number, rel=1e-12)
    mixed = law.function(pybamm.Parameter("x"), **arguments)
    assert isinstance(mixed, pybamm.Symbol)


def test_a_table_of_temperature_is_arrhenius_between_its_points():
    T, sigma = [280.0, 300.0, 350.0], [1e-3, 4e-3, 9e-3]
    table = ActivatedTable(T, sigma)

    def at(t):
        return np.asarray(table(pybamm.Scalar(t)).evaluate()).item()

    assert [at(t) for t in T] == pytest.approx(sigma)
    middle = 2 / (1 / 280 + 1 / 300)
    assert at(middle) == pytest.approx(2e-3)


def test_sodium_has_no_potential_until_it_is_gone():
    assert sodium_metal_ocp(1.0) == 0
    assert sodium_metal_ocp(0.02) < 1e-6
    assert sodium_metal_ocp(0.0) == EMPTY_AMPLITUDE


def test_a_material_is_one_module():
    """All that a parameter file can name is in a list by hand."""
    for module in MODULES:
        for name, law in getattr(module, "FUNCTIONS", {}).items():
            assert FUNCTIONS[name] is law
        for name, quantity in getattr(module, "QUANTITIES", {}).items():
            assert QUANTITIES[name] is quantity
    assert len(MODULES) == len(set(MODULES))
