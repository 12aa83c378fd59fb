"""How what is activated depends on the temperature."""

from __future__ import annotations

import pybamm

R_gas = pybamm.constants.R


def arrhenius(quantity: str, T: pybamm.Symbol) -> pybamm.Symbol:
    """Factor by which ``quantity`` at temperature ``T`` [K] exceeds its reference value.

    ``exp(-Ea / R (1 / T - 1 / T_ref))``, with Ea and T_ref the parameters
    ``"<quantity> activation energy [J.mol-1]"`` and ``"<quantity> reference temperature [K]"``.
    """
    Ea = pybamm.Parameter(f"{quantity} activation energy [J.mol-1]")
    T_ref = pybamm.Parameter(f"{quantity} reference temperature [K]")
    return pybamm.exp(-Ea / R_gas * (1 / T - 1 / T_ref))
