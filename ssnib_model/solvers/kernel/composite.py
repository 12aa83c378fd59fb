"""The equations of the composite: potential across the interface, charge balance, voltage.

With single-ion electrolytes the current joins the two potentials, so that their difference at
every point is all that is left of them, and the balance of charge is tridiagonal in it.
"""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import inlined, inner, plain
from ssnib_model.solvers.kernel.lookup import interpolate, value


@inner
def arsinh(x):
    """Inverse of sinh, to an absolute error of round-off, which suffices for potentials."""
    size = abs(x)
    return np.copysign(np.log(size + np.sqrt(1 + size * size)), x)


@inner
def interface(ocp, j0, thermal, film, surface, J, sto):
    """Potential across the interface [V] without hysteresis.

    ``j = 2 j0(theta) sinh(eta / thermal)`` with ``j0(theta) = 2 j0 sqrt(theta (1 - theta))``.
    """
    j = J / surface
    twice_j0 = 4 * j0 * np.sqrt(max(sto * (1 - sto), 1e-6))
    return value(ocp, sto) + film * j + thermal * arsinh(j / twice_j0)


@inner
def interface_slopes(ocp, j0, thermal, film, surface, J, sto):
    """Slopes of `interface` with the reaction and with the stoichiometry, and itself."""
    U, dU = interpolate(ocp, sto)
    product = sto * (1 - sto)
    twice_j0 = 4 * j0 * np.sqrt(max(product, 1e-6))
    j = J / surface
    z = j / twice_j0
    norm = np.sqrt(1 + z * z)
    of_J = (film + thermal / (twice_j0 * norm)) / surface
    of_log_j0 = (1 - 2 * sto) / (2 * product) if product > 1e-6 else 0.0
    of_sto = dU - thermal * z / norm * of_log_j0
    return U + film * j + thermal * arsinh(z), of_J, of_sto


@plain
def coupling(points, L, sigma_s, sigma_e):
    """Conductance between two points [S.m-2], and what a current drives there, per current."""
    both = L * (1 / sigma_s + 1 / sigma_e)
    return points * points / both, points * L / sigma_e / both


@inlined
def imbalance(points, kappa, drift, i, delta, k):
    """What leaves point ``k`` as electronic current [A.m-2], times the points."""
    right = drift * i - kappa * (delta[k + 1] - delta[k]) if k < points - 1 else i * points
    left = drift * i - kappa * (delta[k] - delta[k - 1]) if k > 0 else 0.0
    return right - left


@inlined
def imbalance_of_current(points, drift, k):
    """Slope of `imbalance` with the current."""
    return (drift if k < points - 1 else points) - (drift if k > 0 else 0.0)


@inner
def factorise(kappa, conductance, low, pivot):
    """LDL of ``diag(conductance) + kappa * Laplacian`` with closed ends."""
    points = conductance.size
    for k in range(points):
        neighbours = (k > 0) + (k < points - 1)
        pivot[k] = conductance[k] + kappa * neighbours
        if k > 0:
            low[k] = kappa / pivot[k - 1]
            pivot[k] -= low[k] * kappa


@inner
def solve(kappa, low, pivot, rhs):
    """Solve with what `factorise` made, in place."""
    points = rhs.size
    for k in range(1, points):
        rhs[k] += low[k] * rhs[k - 1]
    rhs[points - 1] /= pivot[points - 1]
    for k in range(points - 2, -1, -1):
        rhs[k] = rhs[k] / pivot[k] + low[k + 1] * rhs[k + 1]


# -------------------------------------------------------------------- voltage
@plain
def weights_of_voltage(cell):
    """The potential of the cathode [V] is linear in the differences at three points and in i.

    These are the first, the last but one and the last; the potential is extrapolated to the
    current collector by a parabola with the gradient there, as in the PyBaMM model.
    """
    points, L = cell.points, cell.L
    if cell.reduced:
        return 0.0, 0.0, 1.0, 0.0
    kappa, drift = coupling(points, L, cell.sigma_s, cell.sigma_e)
    # potential of the electrolyte at the two last points, over the one that enters the composite
    per_face = L / cell.sigma_e / points
    share = per_face * kappa / points
    last = -per_face / 2 - per_face * (points - 1) * (1 - drift / points)
    before = -per_face / 2 - per_face * (points - 2) * (1 - drift / points)
    of_current = 1.125 * last - 0.125 * before - 0.375 / points * L / cell.sigma_s
    return share, -0.125 * (1 - share), 1.125 * (1 - share), of_current


@inlined
def conductance(cell, c, J, sto):
    """Slope of the kinetics [S.m-2] of a class, and its own slopes with J and stoichiometry."""
    product = sto * (1 - sto)
    j0_squared = 4 * cell.j0**2 * max(product, 1e-6)
    j = J / cell.surface[c]
    root = np.sqrt(j0_squared + (j / 2) ** 2)
    of_sto = 2 * cell.j0**2 * (1 - 2 * sto) / root if product > 1e-6 else 0.0
    factor = 2 / cell.thermal
    return factor * root, factor * j / (4 * root * cell.surface[c]), factor * of_sto


@inlined
def uniformity(cell, J, sto):
    """Reaction uniformity number of the reduced model, of the classes in ``J`` and ``sto``."""
    total = 0.0
    for c in range(cell.surface.size):
        g = conductance(cell, c, J[c], sto[c])[0]
        total += cell.surface[c] / (1 / g + cell.film)
    return total * cell.L * (1 / cell.sigma_s + 1 / cell.sigma_e)


@inlined
def uniformity_slopes(cell, c, J, sto):
    """Slopes of `uniformity` with J and stoichiometry of a class."""
    g, of_J, of_sto = conductance(cell, c, J, sto)
    both = cell.L * (1 / cell.sigma_s + 1 / cell.sigma_e)
    factor = both * cell.surface[c] / (1 + g * cell.film) ** 2
    return factor * of_J, factor * of_sto


@inner
def uneven_resistance(L, sigma_s, sigma_e, nu_squared):
    """What an uneven reaction adds [Ohm.m2], and its slope with the uniformity number.

    ``ssnib_model.models.spm.porous_electrode_resistance``.
    """
    nu = np.sqrt(nu_squared + 1e-4)
    decay = np.exp(-nu)
    coth, csch = (1 + decay**2) / (1 - decay**2), 2 * decay / (1 - decay**2)
    ratios = sigma_s / sigma_e + sigma_e / sigma_s
    square = (sigma_s + sigma_e) ** 2 / (sigma_s * sigma_e)
    factor = L / (sigma_s + sigma_e)
    bracket = 2 * csch + ratios * coth
    of_bracket = -2 * csch * coth - ratios * csch**2
    value = factor * (1 + bracket / nu - square / nu**2)
    slope = factor * (of_bracket / nu - bracket / nu**2 + 2 * square / nu**3)
    return value, slope / (2 * nu)


@plain
def behind(cell, i, alloy):
    """What anode, layers and interfaces add to the voltage [V]."""
    eta = cell.thermal * arsinh(i / (2 * cell.anode_j0))
    return -i * cell.series - eta - value(cell.alloy, alloy)


@inner
def behind_slopes(cell, i, alloy):
    """Slopes of `behind` with the current density and with the anode's place."""
    z = i / (2 * cell.anode_j0)
    slope = -cell.series - cell.thermal / (2 * cell.anode_j0 * np.sqrt(1 + z * z))
    return slope, -interpolate(cell.alloy, alloy)[1]
