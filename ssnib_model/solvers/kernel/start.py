"""Potentials and currents that go with the differential states, at the start of a step."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import POWER, RESISTANCE
from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.composite import (
    behind,
    coupling,
    factorise,
    imbalance,
    interface,
    interface_slopes,
    solve,
)
from ssnib_model.solvers.kernel.control import cathode, residual


@compiled
def _shared(cell, hysteresis, sto, total, J):
    """Potential difference [V] at a point whose classes take ``total`` [A.m-2], and its slope.

    The classes share it; their reactions go into ``J``. Newton's method within a bracket.
    """
    classes = J.size
    # where each class, with no less or no more than all of the current, is by itself
    low, high = np.inf, -np.inf
    for c in range(classes):
        for current in (0.0, total):
            value = interface(
                cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[c], current, sto[c]
            )
            value += cell.half_gap * hysteresis[c]
            low, high = min(low, value), max(high, value)
    delta, conductance = (low + high) / 2, 1.0
    for _ in range(100):
        excess, conductance = -total, 0.0
        for c in range(classes):
            J[c], slope = _reaction(cell, c, hysteresis[c], sto[c], delta)
            excess += J[c]
            conductance += 1 / slope
        if excess > 0:
            high = delta
        else:
            low = delta
        step = -excess / conductance
        if abs(step) < 1e-13 or high - low < 1e-14:
            break
        delta += step
        if not low < delta < high:
            delta = (low + high) / 2
    return delta, 1 / conductance


@compiled
def _reaction(cell, c, hysteresis, sto, delta):
    """Reaction of a class [A.m-2] at a potential difference, and the slope of the latter.

    The potential is concave in a positive reaction, so that Newton's method climbs from 0.
    """
    J, slope = 0.0, 1.0
    for _ in range(100):
        value, slope, _ = interface_slopes(
            cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[c], J, sto
        )
        change = (delta - value - cell.half_gap * hysteresis) / slope
        J += change
        if abs(change) <= 1e-14 * abs(J):
            break
    return J, slope


@compiled
def potentials(cell, hysteresis, i, J, sto, delta, tolerance):
    """Reactions and potential differences at a current density, by Newton's method.

    ``J`` is where it starts from and where its answer is.

    Returns
    -------
    bool
        Whether there is one, to ``tolerance`` of the current density.
    """
    points, classes = cell.points, cell.surface.size
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    totals, trial, G = np.zeros(points), np.empty(points), np.empty(points)
    theta, low, pivot = np.empty(points), np.empty(points), np.empty(points)
    for n in range(J.size):
        totals[n // classes] += J[n]
    totals += -i - totals.mean()
    size = np.inf
    trial[:] = totals
    change, damping = np.zeros(points), 1.0
    for iteration in range(200):
        while True:
            trial[:] = totals + damping * change
            for k in range(points):
                if classes == 1:  # without the views, which take longer than the rest
                    J[k] = trial[k]
                    delta[k], theta[k], _ = interface_slopes(
                        cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], J[k], sto[k]
                    )
                    delta[k] += cell.half_gap * hysteresis[k]
                    continue
                at = slice(k * classes, (k + 1) * classes)
                delta[k], theta[k] = _shared(cell, hysteresis[at], sto[at], trial[k], J[at])
            largest = 0.0
            for k in range(points):
                G[k] = trial[k] + imbalance(points, kappa, drift, i, delta, k)
                largest = max(largest, abs(G[k]))
            if largest < size or damping < 1e-3 or not np.isfinite(size):
                break
            damping /= 2
        totals[:] = trial
        size = largest
        if np.abs(change).max() * damping < tolerance and iteration > 0:
            return True
        # d of the differences, then the reactions that go with them
        factorise(kappa, 1 / theta, low, pivot)
        change[:] = -G
        solve(kappa, low, pivot, change)
        change /= theta
        change -= totals.mean() + change.mean() + i
        damping = 1.0
        if not np.isfinite(change).all():
            return False
    return False


@compiled
def _imposed(cell, task, state, i, J, sto, delta):
    """`residual` at a current density, with the potentials that go with it."""
    if not potentials(cell, state.hysteresis, i, J, sto, delta, 1e-10 * cell.scale):
        return np.nan
    return residual(cell, task, i, state.alloy[0], J, sto, delta)


@compiled
def current(cell, task, state, J, sto, delta):
    """Current density [A.m-2] that meets what is imposed; not a number where none does.

    The voltage falls with the current. Of two currents that give a power, the smaller one.
    """
    at_rest = _imposed(cell, task, state, 0.0, J, sto, delta)
    if at_rest == 0 or not np.isfinite(at_rest):
        return at_rest
    voltage = cathode(cell, 0.0, J, sto, delta) + behind(cell, 0.0, state.alloy[0])
    # from where the current is too small, or the other way round, outwards
    growth = 4.0
    if task.control == POWER:
        far, growth = task.value / voltage, 1.1  # no stride over the largest power there is
    elif task.control == RESISTANCE:
        far = voltage / task.value
    else:
        far = np.copysign(1e-2 * cell.scale, at_rest)
    near, f_near = 0.0, at_rest
    f_far = _imposed(cell, task, state, far, J, sto, delta)
    for _ in range(200):
        if not np.isfinite(f_far):
            return np.nan
        if f_far * at_rest <= 0:
            break
        if task.control == POWER and abs(f_far) > abs(f_near):
            return np.nan
        near, f_near = far, f_far
        far *= growth
        f_far = _imposed(cell, task, state, far, J, sto, delta)
    else:
        return np.nan
    i = far
    for _ in range(100):  # regula falsi, which halves the weight of an end that stays (Illinois)
        i = far - f_far * (far - near) / (f_far - f_near)
        f = _imposed(cell, task, state, i, J, sto, delta)
        if not np.isfinite(f):
            return np.nan
        if abs(f) < 1e-12 * max(1.0, abs(task.value)) or abs(far - near) < 1e-14 * cell.scale:
            break
        if f * f_far < 0:
            near, f_near = far, f_far
        else:
            f_near /= 2
        far, f_far = i, f
    return i
