"""How the equations of the composite change along directions: see `directions`."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import inner, inner_contracted
from ssnib_model.solvers.kernel.composite import arsinh
from ssnib_model.solvers.kernel.lookup import curvature, interpolate


@inner
def kinetics(cell, c, J, sto):
    """What `interface_change` needs of a class, of a potential ``U + film j + thermal arsinh(z)``.

    Returns
    -------
    tuple
        Slopes with reaction and stoichiometry, reaction current density j, slope with j,
        ``z / sqrt(1 + z**2)``, z.
    """
    product = sto * (1 - sto)
    twice_j0 = 4 * cell.j0 * np.sqrt(max(product, 1e-6))
    j = J / cell.surface[c]
    root = np.sqrt(twice_j0 * twice_j0 + j * j)
    of_j, ratio = cell.film + cell.thermal / root, j / root
    of_log_j0 = (1 - 2 * sto) / (2 * product) if product > 1e-6 else 0.0
    of_sto = interpolate(cell.ocp, sto)[1] - cell.thermal * ratio * of_log_j0
    return of_j / cell.surface[c], of_sto, j, of_j, ratio, j / twice_j0


@inner_contracted
def interface_change(cell, change, c, J, sto, J_change, sto_change, result):
    """Change of `composite.interface` along all directions, into ``result``."""
    of_J, of_sto, j, of_j, ratio, z = kinetics(cell, c, J, sto)
    of_surface = -of_j * j / cell.surface[c]
    of_j0, of_thermal = -cell.thermal * ratio / cell.j0, arsinh(z)
    for p in range(result.size):
        result[p] = (
            of_J * J_change[p] + of_sto * sto_change[p] + j * change.film[p]
            + of_thermal * change.thermal[p] + of_surface * change.surface[c, p]
            + of_j0 * change.j0[p]
        )  # fmt: skip


@inner_contracted
def slopes_change(cell, change, c, J, sto, J_change, sto_change, of_J_change, of_sto_change):
    """Change of both slopes of `composite.interface_slopes`."""
    product, surface, thermal = sto * (1 - sto), cell.surface[c], cell.thermal
    inside = product > 1e-6
    twice_j0 = 4 * cell.j0 * np.sqrt(max(product, 1e-6))
    of_log_j0 = (1 - 2 * sto) / (2 * product) if inside else 0.0
    bend = -1 / product - 2 * of_log_j0 * of_log_j0 if inside else 0.0
    j = J / surface
    square = twice_j0 * twice_j0 + j * j
    root = np.sqrt(square)
    of_J, ratio, slope = (cell.film + thermal / root) / surface, j / root, thermal / root
    of_U = curvature(cell.ocp, sto)
    for p in range(of_J_change.size):
        j_change = (J_change[p] - j * change.surface[c, p]) / surface
        log_j0 = change.j0[p] / cell.j0 + of_log_j0 * sto_change[p]
        log_root = (twice_j0 * twice_j0 * log_j0 + j * j_change) / square
        slope_change = change.thermal[p] / root - slope * log_root
        ratio_change = j_change / root - ratio * log_root
        of_J_change[p] = (change.film[p] + slope_change - of_J * change.surface[c, p]) / surface
        of_sto_change[p] = of_U * sto_change[p] - change.thermal[p] * ratio * of_log_j0
        of_sto_change[p] -= thermal * (ratio_change * of_log_j0 + ratio * bend * sto_change[p])


@inner
def imbalance_change(cell, change, kappa, drift, i, delta, i_change, delta_change, k, result):
    """Change of `composite.imbalance`, into ``result``."""
    points = cell.points
    for p in range(result.size):
        total = 0.0
        if k < points - 1:
            total += change.drift[p] * i + drift * i_change[p]
            total -= change.kappa[p] * (delta[k + 1] - delta[k])
            total -= kappa * (delta_change[k + 1, p] - delta_change[k, p])
        else:
            total += points * i_change[p]
        if k > 0:
            total -= change.drift[p] * i + drift * i_change[p]
            total += change.kappa[p] * (delta[k] - delta[k - 1])
            total += kappa * (delta_change[k, p] - delta_change[k - 1, p])
        result[p] = total


@inner_contracted
def solve_all(kappa, low, pivot, rhs):
    """`composite.solve` of all directions, in place; ``rhs`` has shape (points, directions)."""
    points, directions = rhs.shape
    for k in range(1, points):
        for p in range(directions):
            rhs[k, p] += low[k] * rhs[k - 1, p]
    for p in range(directions):
        rhs[points - 1, p] /= pivot[points - 1]
    for k in range(points - 2, -1, -1):
        inverse = 1 / pivot[k]
        for p in range(directions):
            rhs[k, p] = rhs[k, p] * inverse + low[k + 1] * rhs[k + 1, p]


@inner
def bent_by_kappa(change, solution, rhs):
    """Take off ``rhs`` what the change of kappa in the matrix does to a solution with it."""
    points, directions = rhs.shape
    for k in range(points):
        bent = 0.0
        if k > 0:
            bent += solution[k] - solution[k - 1]
        if k < points - 1:
            bent += solution[k] - solution[k + 1]
        for p in range(directions):
            rhs[k, p] -= change.kappa[p] * bent
