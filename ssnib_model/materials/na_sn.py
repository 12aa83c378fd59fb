"""Sodium-tin alloys: the anode Na15Sn4 and what it becomes on discharge."""

from __future__ import annotations

import numpy as np

from ssnib_model.materials.law import Law, Symbolic, argument

#: Two-phase plateaus as (upper end of the plateau [mol Na per mol Sn], potential [V vs Na/Na+]):
#: Sn-NaSn2, NaSn2-NaSn, NaSn-Na9Sn4 and Na9Sn4-Na15Sn4; beyond Na15Sn4 sodium is plated at 0 V.
#: GITT at 363 K, J. Power Sources 237, 98 (2013).
PLATEAUS = ((0.5, 0.53), (1.0, 0.46), (2.25, 0.16), (3.75, 0.08))


def alloy_ocp(
    sodium_content: Symbolic,
    step_width: Symbolic,
    empty_amplitude: Symbolic,
    empty_width: Symbolic,
) -> Symbolic:
    """Equilibrium potential of Na_ySn against its sodium content.

    The plateaus of `PLATEAUS`, joined by smooth steps of width ``step_width``, and a steep
    rise as the alloy runs out of sodium, which ends the discharge of a cell with too little
    of it.

    Parameters
    ----------
    sodium_content : pybamm.Symbol or float
        y [mol Na per mol Sn].
    step_width : pybamm.Symbol or float
        Width of the steps between plateaus [mol Na per mol Sn] (assumed).
    empty_amplitude : pybamm.Symbol or float
        Rise of the potential at y = 0 [V] (assumed: enough to reach any cut-off).
    empty_width : pybamm.Symbol or float
        Width of that rise [mol Na per mol Sn] (assumed).

    Returns
    -------
    pybamm.Symbol or float
        Equilibrium potential [V vs Na/Na+].
    """
    potential = empty_amplitude * np.exp(-sodium_content / empty_width)
    lower_plateaus = [u for _, u in PLATEAUS[1:]] + [0.0]
    for (content, upper), lower in zip(PLATEAUS, lower_plateaus, strict=True):
        step = (1 - np.tanh((sodium_content - content) / step_width)) / 2
        potential += (upper - lower) * step
    return potential


FUNCTIONS = {"na_sn_alloy_ocp": Law(alloy_ocp, ("Negative electrode OCP [V]",))}

QUANTITIES = {
    "Negative electrode OCP step width": argument(
        1e-3, 1, "Width of the steps between plateaus [mol Na per mol Sn]"
    ),
    "Negative electrode OCP empty amplitude [V]": argument(
        0, 100, "Rise of the alloy's potential as its sodium runs out"
    ),
    "Negative electrode OCP empty width": argument(
        1e-4, 1, "Width of that rise [mol Na per mol Sn]"
    ),
}
