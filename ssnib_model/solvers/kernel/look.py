"""Voltage, current, charge and energy at any time of a step, from its samples."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import VOLTAGE
from ssnib_model.solvers.kernel.compiled import compiled, dot, inner
from ssnib_model.solvers.kernel.composite import behind
from ssnib_model.solvers.kernel.lookup import integral, value
from ssnib_model.solvers.kernel.one_step import PARTS, TO_POLYNOMIAL


@inner
def _at(samples, part):
    """The polynomial through samples at the quarters, and its integral, at a part of the step."""
    found, area, power = 0.0, 0.0, 1.0
    for p in range(PARTS + 1):
        coefficient = dot(TO_POLYNOMIAL[p], samples)
        found += coefficient * power
        power *= part
        area += coefficient * power / (p + 1)
    return found, area


@compiled
def totals(cell, task, alloy_start, ends, potentials, flows):
    """Charge [C.m-2] and energy [J.m-2] of a whole step; the anode's potential [V] at its ends."""
    whole = look(cell, task, alloy_start, ends, potentials, flows, ends[-1:])
    charge, energy = whole[2, 0], whole[3, 0]
    before = value(cell.alloy, alloy_start)
    return charge, energy, before, value(cell.alloy, alloy_start + cell.alloy_rate * charge)


@compiled
def look(cell, task, alloy_start, ends, potentials, flows, t):
    """What a step gave up to times ``t`` [s].

    Parameters
    ----------
    cell : Cell
    task : Task
    alloy_start : float
        Where the anode's content was on its table.
    ends, potentials, flows : numpy.ndarray
        As from `integrate`.
    t : numpy.ndarray
        Times [s] from the start, shape (n,).

    Returns
    -------
    numpy.ndarray
        Voltage [V], current density [A.m-2], charge [C.m-2] and energy [J.m-2] up to there,
        shape (4, n).
    """
    steps = ends.size - 1
    # without the anode's potential, which has steps that no polynomial follows; its energy is an
    # integral over its own content, whatever the current
    powers = np.empty(potentials.size)
    for n in range(powers.size):
        V = potentials[n] + behind(cell, flows[n], 0.0) + value(cell.alloy, 0.0)
        powers[n] = V * flows[n]
    charges, energies = np.zeros(steps + 1), np.zeros(steps + 1)
    for n in range(steps):
        at, h = slice(PARTS * n, PARTS * (n + 1) + 1), ends[n + 1] - ends[n]
        charges[n + 1] = charges[n] + h * _at(flows[at], 1.0)[1]
        energies[n + 1] = energies[n] + h * _at(powers[at], 1.0)[1]
    before = integral(cell.alloy, alloy_start)
    result = np.empty((4, t.size))
    for k in range(t.size):
        n = min(max(np.searchsorted(ends, t[k], side="right") - 1, 0), steps - 1)
        at, h = slice(PARTS * n, PARTS * (n + 1) + 1), ends[n + 1] - ends[n]
        part = (t[k] - ends[n]) / h
        i, charge = _at(flows[at], part)
        charge = charges[n] + h * charge
        place = alloy_start + cell.alloy_rate * charge
        V = _at(potentials[at], part)[0] + behind(cell, i, place)
        energy = energies[n] + h * _at(powers[at], part)[1]
        energy -= (integral(cell.alloy, place) - before) / cell.alloy_rate
        result[0, k] = task.value if task.control == VOLTAGE else V
        result[1, k], result[2, k], result[3, k] = i, charge, energy
    return result
