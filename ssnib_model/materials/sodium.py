"""Sodium metal as an anode: the model option "negative electrode" = "sodium metal"."""

from __future__ import annotations

import numpy as np

from ssnib_model.materials.law import Symbolic
from ssnib_model.quantity import Quantity

#: Density [kg.m-3] at 20 degC and molar mass [kg.mol-1] (CRC Handbook of Chemistry and Physics;
#: IUPAC 2021).
DENSITY, MOLAR_MASS = 968.0, 0.02298977

#: Rise of the potential [V] as the metal is used up, and the part of what was made over which
#: it rises: they end a discharge that has no sodium left, and are nothing before.
EMPTY_AMPLITUDE, EMPTY_WIDTH = 5.0, 1e-3


def sodium_metal_ocp(content: Symbolic) -> Symbolic:
    """Equilibrium potential of sodium metal against Na/Na+: 0 V while there is some.

    ``A exp(-y / w)`` with the constants `EMPTY_AMPLITUDE` and `EMPTY_WIDTH` of this module.

    Parameters
    ----------
    content : pybamm.Symbol or float
        y, sodium over that of the electrode as made [-]; beyond 1 it is plated.

    Returns
    -------
    pybamm.Symbol or float
        Potential [V vs Na/Na+].
    """
    return EMPTY_AMPLITUDE * np.exp(-content / EMPTY_WIDTH)


_READ = {"negative electrode": ("sodium metal",)}

QUANTITIES = {
    "Negative electrode sodium thickness [m]": Quantity(
        1e-9, 1e-1, "Thickness of the sodium metal as made", read_with=_READ
    ),
    "Negative electrode sodium mass [kg]": Quantity(
        1e-12, 1.0, "Mass of the sodium metal as made", read_with=_READ
    ),
    "Negative electrode sodium amount [mol]": Quantity(
        1e-10, 1e2, "Sodium of the metal as made", in_model=True, read_with=_READ
    ),
}
