"""Derivatives along directions of the closed form of one particle under an imposed current."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import dot, inner, inner_contracted
from ssnib_model.solvers.kernel.exact import phi


@inner
def phi_slopes(rate, t):
    """What both of `exact.phi` change by for a relative change of the rate."""
    x = rate * t
    if abs(x) < 1e-2:  # where the differences below lose their digits
        return (
            t * x * (1 / 2 + x * (1 / 3 + x * (1 / 8 + x * (1 / 30 + x * (1 / 144 + x / 840))))),
            t * t * x * (1 / 6 + x * (1 / 12 + x * (1 / 40 + x * (1 / 180 + x / 1008)))),
        )
    first, second = phi(rate, t)
    return t * np.exp(x) - first, t * first - 2 * second


@inner
def coefficients(cell, part, table):
    """What `step` needs of every mode for a time ``part`` [s], into ``table``, shape (4, modes).

    They are both of `phi` and of `phi_slopes`.
    """
    for m in range(table.shape[1]):
        rate = cell.decay[0, m]
        table[0, m], table[1, m] = phi(rate, part)
        table[2, m], table[3, m] = phi_slopes(rate, part)


@inner_contracted
def step(cell, change, z, z_change, i, i_change, slope, slope_change, part, table, stretch, sto,
         sto_change):  # fmt: skip
    """Go on for ``part`` [s] with modes and their changes, in place; the surface at its end.

    Parameters
    ----------
    cell, change : Cell, CellChange
    z, z_change : numpy.ndarray
        Modes of the particle, shapes (modes,) and (modes, directions).
    i, slope : float
        Current density at the start, and how fast it rises.
    i_change, slope_change : numpy.ndarray
        Their changes, shape (directions,).
    part : float
        Time [s]; ``stretch`` is its relative change, shape (directions,).
    table : numpy.ndarray
        By `coefficients`.
    sto, sto_change : numpy.ndarray
        Room for the surface, shapes (1,) and (1, directions).
    """
    directions = stretch.size
    for p in range(directions):
        sto_change[0, p] = 0.0
    for m in range(z.size):
        rate, uptake, weight = cell.decay[0, m], cell.uptake[0, m], cell.surface_of[m]
        first, second, first_slope, second_slope = (
            table[0, m],
            table[1, m],
            table[2, m],
            table[3, m],
        )
        keep, before = 1 + rate * first, z[m]
        taken = -uptake * (first * i + second * slope)
        z[m] = keep * before + taken
        of_decay = rate * part * keep * before - uptake * (first_slope * i + second_slope * slope)
        # a longer part is a faster rate, with first and second taken that much larger
        of_stretch = of_decay - uptake * (first * i + 2 * second * slope)
        for p in range(directions):
            z_change[m, p] = (
                keep * z_change[m, p]
                + of_decay * change.log_decay[0, p]
                + taken * change.log_uptake[0, p]
                + of_stretch * stretch[p]
                - uptake * (first * i_change[p] + second * slope_change[p])
            )
            sto_change[0, p] += weight * z_change[m, p]
    sto[0] = dot(cell.surface_of, z)
