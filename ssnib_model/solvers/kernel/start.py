"""Potentials and currents that go with the differential states, at the start of a step."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import CURRENT, POWER, RESISTANCE
from ssnib_model.solvers.kernel.compiled import compiled, fill, inner, plain
from ssnib_model.solvers.kernel.composite import (
    behind,
    coupling,
    factorise,
    imbalance,
    imbalance_of_current,
    interface,
    interface_slopes,
    solve,
)
from ssnib_model.solvers.kernel.control import cathode, of_differences, residual, slopes


@inner
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


@inner
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
    room = np.zeros((7, cell.points))
    return _potentials(cell, hysteresis, i, J, sto, delta, tolerance, room)


@inner
def _potentials(cell, hysteresis, i, J, sto, delta, tolerance, room):
    """`potentials` in ``room``, shape (7, points)."""
    points, classes = cell.points, cell.surface.size
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    totals, trial, change, d = room[0], room[1], room[2], room[3]
    conductance, low, pivot = room[4], room[5], room[6]
    for n in range(J.size):
        totals[n // classes] += J[n]
    _balance(totals, i)
    size, damping = np.inf, 1.0
    for iteration in range(200):
        while True:
            largest = 0.0
            for k in range(points):
                trial[k] = totals[k] + damping * change[k]
                if classes == 1:  # without the views, which take longer than the rest
                    J[k] = trial[k]
                    delta[k], slope, _ = interface_slopes(
                        cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], J[k], sto[k]
                    )
                    delta[k] += cell.half_gap * hysteresis[k]
                else:
                    at = slice(k * classes, (k + 1) * classes)
                    delta[k], slope = _shared(cell, hysteresis[at], sto[at], trial[k], J[at])
                conductance[k] = 1 / slope
            for k in range(points):
                d[k] = -trial[k] - imbalance(points, kappa, drift, i, delta, k)
                largest = max(largest, abs(d[k]))
            if largest < size or damping < 1e-3 or iteration == 0:
                break
            damping /= 2
        moved = 0.0
        for k in range(points):
            moved = max(moved, damping * abs(change[k]))
        fill(totals, trial)
        size, damping = largest, 1.0
        if not np.isfinite(size):
            return False
        if moved < tolerance and iteration > 0:
            return True
        # of the differences first, then of the reactions that go with them
        factorise(kappa, conductance, low, pivot)
        solve(kappa, low, pivot, d)
        for k in range(points):
            change[k] = d[k] * conductance[k] + totals[k]
        _balance(change, i)
        for k in range(points):
            change[k] -= totals[k]
    return False


@inner
def _balance(totals, i):
    """Shift reactions so that they take the current, which large conductivities may have cost."""
    mean = 0.0
    for k in range(totals.size):
        mean += totals[k] / totals.size
    for k in range(totals.size):
        totals[k] -= mean + i


@inner
def _imposed(cell, task, state, i, J, sto, delta):
    """`residual` at a current density, with the potentials that go with it."""
    if not potentials(cell, state.hysteresis, i, J, sto, delta, 1e-10 * cell.scale):
        return np.nan
    return residual(cell, task, i, state.alloy[0], J, sto, delta)


@inner
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
        far = task.offset + voltage / task.value
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


@plain
def anew(cell, task, state, i, J, sto, delta):
    """What goes with the states, from potentials and a current density that nearly do.

    Returns
    -------
    float
        The current density, ``i`` where it is imposed; not a number where there is none.
        Reactions and potential differences are in ``J`` and ``delta``.
    """
    found = _near(cell, task, state, i, J, sto, delta)
    if np.isfinite(found):
        return found
    if task.control != CURRENT:
        i = current(cell, task, state, J, sto, delta)
        if not np.isfinite(i):
            return i
    is_met = potentials(cell, state.hysteresis, i, J, sto, delta, 1e-10 * cell.scale)
    return i if is_met else np.nan


@compiled
def _near(cell, task, state, i, J, sto, delta):
    """`anew` by Newton's method for all unknowns at once, where that suffices.

    Every reaction and difference, and the current where it is not imposed; many times faster
    than from nothing. Where it does not, ``J`` and ``delta`` are as they were.
    """
    room = np.zeros((5, J.size)), np.zeros((8, cell.points)), np.zeros((2, cell.surface.size))
    return _newton(cell, task, state, i, J, sto, delta, room)


@inner
def _newton(cell, task, state, i, J, sto, delta, room):
    """`_near` in ``room``: for 5 values a site, 8 a point, 2 a class."""
    points, classes, sites = cell.points, cell.surface.size, J.size
    free = task.control != CURRENT
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    of_sites, of_points, of_classes = room
    new_J, old_J, change_J = of_sites[0], of_sites[1], of_sites[2]
    ease, rho = of_sites[3], of_sites[4]
    new_delta, old_delta, change_delta = of_points[0], of_points[1], of_points[2]
    conductance, low, pivot = of_points[3], of_points[4], of_points[5]
    d, by_current = of_points[6], of_points[7]
    cost_J, cost_sto = of_classes[0], of_classes[1]
    fill(new_J, J)
    fill(new_delta, delta)
    fill(old_J, J)
    fill(old_delta, delta)
    new_i, old_i, change_i, damping, before_all, border = i, i, 0.0, 1.0, np.inf, 1.0
    for _ in range(50):
        missing, off, n = 0.0, 0.0, 0
        total = points * new_i
        for k in range(points):
            d[k], conductance[k] = -imbalance(points, kappa, drift, new_i, new_delta, k), 0.0
            for c in range(classes):
                value, of_J, _ = interface_slopes(
                    cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[c], new_J[n], sto[n]
                )
                ease[n] = 1 / of_J
                rho[n] = value + cell.half_gap * state.hysteresis[n] - new_delta[k]
                off = max(off, abs(rho[n]))
                conductance[k] += ease[n]
                d[k] += rho[n] * ease[n] - new_J[n]
                total += new_J[n]
                n += 1
        if free:
            missing = residual(cell, task, new_i, state.alloy[0], new_J, sto, new_delta)
            scale = abs(new_i) if task.control == POWER else 1.0
            if task.control == RESISTANCE:
                scale = max(1.0, task.value)
            off += abs(missing) / scale
        if not off < before_all and off > 1e-12:  # not nearer: half of the last change
            damping /= 2
            if damping < 1e-3:
                return np.nan
            new_i = old_i + damping * change_i
            for n in range(sites):
                new_J[n] = old_J[n] + damping * change_J[n]
            for k in range(points):
                new_delta[k] = old_delta[k] + damping * change_delta[k]
            continue
        before_all, damping = off, 1.0
        factorise(kappa, conductance, low, pivot)
        solve(kappa, low, pivot, d)
        change_i = 0.0
        if free:
            first, before, last, border, _ = slopes(
                cell, task, new_i, state.alloy[0], new_J, sto, new_delta, cost_J, cost_sto
            )
            for k in range(points):
                by_current[k] = -imbalance_of_current(points, drift, k)
            solve(kappa, low, pivot, by_current)
            border += of_differences(first, before, last, by_current)
            missing += of_differences(first, before, last, d)
            if cell.reduced:
                for c in range(classes):
                    border += cost_J[c] * ease[c] * by_current[0]
                    missing += cost_J[c] * ease[c] * (d[0] - rho[c])
            change_i = -missing / border
            for k in range(points):
                d[k] += change_i * by_current[k]
        # the charge of the composite to the last digit, as in a step
        total += points * change_i
        everywhere, n = 0.0, 0
        for k in range(points):
            everywhere += conductance[k]
            for _ in range(classes):
                total += (d[k] - rho[n]) * ease[n]
                n += 1
        size, n = abs(change_i), 0
        fill(old_J, new_J)
        fill(old_delta, new_delta)
        old_i = new_i
        for k in range(points):
            change_delta[k] = d[k] - total / everywhere
            new_delta[k] += change_delta[k]
            for _ in range(classes):
                change_J[n] = (change_delta[k] - rho[n]) * ease[n]
                new_J[n] += change_J[n]
                size = max(size, abs(change_J[n]))
                n += 1
        new_i += change_i
        if not np.isfinite(size):
            return np.nan
        if size < 1e-10 * max(cell.scale, abs(new_i)):
            if task.control == POWER and not border > 0:
                return np.nan  # the larger of two currents
            fill(J, new_J)
            fill(delta, new_delta)
            return new_i
    return np.nan
