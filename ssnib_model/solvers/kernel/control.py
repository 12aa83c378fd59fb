"""What a step imposes where it is not the current: an equation for the current."""

from __future__ import annotations

from ssnib_model.solvers.kernel.cell import POWER, RESISTANCE
from ssnib_model.solvers.kernel.compiled import inner, plain
from ssnib_model.solvers.kernel.composite import (
    behind,
    behind_slopes,
    uneven_resistance,
    uniformity,
    uniformity_slopes,
    weights_of_voltage,
)


@plain
def cathode(cell, i, J, sto, delta):
    """Potential of the cathode [V] against the electrolyte where the last layer ends."""
    if cell.reduced:
        nu_squared = uniformity(cell, J, sto)
        return delta[0] - i * uneven_resistance(cell.L, cell.sigma_s, cell.sigma_e, nu_squared)[0]
    first, before, last, of_i = weights_of_voltage(cell)
    points = cell.points
    return first * delta[0] + before * delta[points - 2] + last * delta[points - 1] + of_i * i


@inner
def of_differences(first, before, last, d):
    """What the voltage takes of the differences at three points, with weights for each."""
    points = d.size
    return first * d[0] + before * d[points - 2] + last * d[points - 1]


@inner
def residual(cell, task, i, place, J, sto, delta):
    """What is imposed: 0 where it is met."""
    V = cathode(cell, i, J, sto, delta) + behind(cell, i, place)
    if task.control == POWER:
        return V * i - task.value
    if task.control == RESISTANCE:
        return V - task.value * (i - task.offset)
    return V - task.value


@inner
def slopes(cell, task, i, place, J, sto, delta, of_J, of_sto):
    """Slopes of `residual`: with three differences, i and the anode's place.

    Those with the J and sto of the classes go into the two last arguments.
    """
    first, before, last, of_i = weights_of_voltage(cell)
    if cell.reduced:
        nu_squared = uniformity(cell, J, sto)
        resistance, bend = uneven_resistance(cell.L, cell.sigma_s, cell.sigma_e, nu_squared)
        of_i = -resistance
        for c in range(of_J.size):
            nu_of_J, nu_of_sto = uniformity_slopes(cell, c, J[c], sto[c])
            of_J[c], of_sto[c] = -i * bend * nu_of_J, -i * bend * nu_of_sto
    V = cathode(cell, i, J, sto, delta) + behind(cell, i, place)
    behind_of_i, of_place = behind_slopes(cell, i, place)
    of_i += behind_of_i
    factor = 1.0
    if task.control == POWER:
        factor = i
        of_i = i * of_i + V
    elif task.control == RESISTANCE:
        of_i -= task.value
    for c in range(of_J.size):
        of_J[c] = factor * of_J[c] if cell.reduced else 0.0
        of_sto[c] = factor * of_sto[c] if cell.reduced else 0.0
    return factor * first, factor * before, factor * last, of_i, factor * of_place
