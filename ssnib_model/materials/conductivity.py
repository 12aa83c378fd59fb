"""Ionic conductivity against temperature where one activation energy does not do."""

from __future__ import annotations

import numpy as np

from ssnib_model.materials.law import Law, Symbolic, argument

#: Molar gas constant [J.mol-1.K-1], CODATA 2018 (exact).
GAS_CONSTANT = 8.31446261815324


def vft_conductivity(
    temperature: Symbolic,
    prefactor: Symbolic,
    pseudo_activation_energy: Symbolic,
    vanishing_temperature: Symbolic,
) -> Symbolic:
    """Vogel, Fulcher and Tammann: the conductivity of a glass or a polymer.

    ``sigma = A exp(-B / (R (T - T0)))``, without a factor of T in front (Vogel 1921; Fulcher
    1925, doi 10.1111/j.1151-2916.1925.tb16731.x; Tammann and Hesse 1926,
    doi 10.1002/zaac.19261560121). An A that was fitted to ``A T^-1/2`` is another number.

    Parameters
    ----------
    temperature : pybamm.Symbol or float
        T [K].
    prefactor : pybamm.Symbol or float
        A [S.m-1].
    pseudo_activation_energy : pybamm.Symbol or float
        B [J.mol-1].
    vanishing_temperature : pybamm.Symbol or float
        T0 [K], below every T that is asked for.

    Returns
    -------
    pybamm.Symbol or float
        Conductivity [S.m-1].
    """
    excess = GAS_CONSTANT * (temperature - vanishing_temperature)
    return prefactor * np.exp(-pseudo_activation_energy / excess)


def two_slope_conductivity(
    temperature: Symbolic,
    conductivity: Symbolic,
    transition_temperature: Symbolic,
    energy_below: Symbolic,
    energy_above: Symbolic,
) -> Symbolic:
    """Two Arrhenius laws that meet at a transition, of a crystal that changes its phase.

    ``sigma = sigma_t exp(-Ea / R (1 / T - 1 / T_t))`` with Ea = ``energy_below`` where T < T_t
    and ``energy_above`` otherwise.

    Parameters
    ----------
    temperature : pybamm.Symbol or float
        T [K].
    conductivity : pybamm.Symbol or float
        sigma_t, at the transition [S.m-1].
    transition_temperature : pybamm.Symbol or float
        T_t [K].
    energy_below, energy_above : pybamm.Symbol or float
        Activation energies [J.mol-1].

    Returns
    -------
    pybamm.Symbol or float
        Conductivity [S.m-1].
    """
    colder = 1 / temperature - 1 / transition_temperature
    exponent = energy_below * np.maximum(colder, 0.0) + energy_above * np.minimum(colder, 0.0)
    return conductivity * np.exp(-exponent / GAS_CONSTANT)


def two_slope_conductivity_from_reference(
    temperature: Symbolic,
    conductivity: Symbolic,
    reference_temperature: Symbolic,
    transition_temperature: Symbolic,
    energy_below: Symbolic,
    energy_above: Symbolic,
) -> Symbolic:
    """The law of `two_slope_conductivity` through a value at any temperature.

    For a crystal whose conductivity was measured below its transition, near room temperature:
    that value stays what it is, whatever becomes of the energies.

    Parameters
    ----------
    temperature : pybamm.Symbol or float
        T [K].
    conductivity : pybamm.Symbol or float
        At the reference temperature [S.m-1].
    reference_temperature, transition_temperature : pybamm.Symbol or float
        T_ref, on either side, and T_t [K].
    energy_below, energy_above : pybamm.Symbol or float
        Activation energies [J.mol-1].

    Returns
    -------
    pybamm.Symbol or float
        Conductivity [S.m-1].
    """
    law = (transition_temperature, energy_below, energy_above)
    at_reference = two_slope_conductivity(reference_temperature, 1.0, *law)
    return conductivity * two_slope_conductivity(temperature, 1.0, *law) / at_reference


_CONDUCTIVITIES = ("layer conductivity [S.m-1]", "electrolyte conductivity [S.m-1]")

FUNCTIONS = {
    "vft_conductivity": Law(vft_conductivity, _CONDUCTIVITIES),
    "two_slope_conductivity": Law(two_slope_conductivity, _CONDUCTIVITIES),
    "two_slope_conductivity_from_reference": Law(
        two_slope_conductivity_from_reference, _CONDUCTIVITIES
    ),
}

QUANTITIES = {
    "{layer} layer reference conductivity [S.m-1]": argument(
        1e-9, 1e3, "Conductivity of a law with two slopes, at the reference temperature"
    ),
    "{layer} layer transition temperature [K]": argument(
        150, 1500, "Temperature at which the slope of a law with two slopes changes"
    ),
    "{layer} layer activation energy below transition [J.mol-1]": argument(
        0, 3e5, "Of a law with two slopes, below its transition"
    ),
    "{layer} layer activation energy above transition [J.mol-1]": argument(
        0, 3e5, "Of a law with two slopes, above its transition"
    ),
}
