"""How all that a step of RODAS arrives at changes along directions: its exact derivatives.

Every line of `ssnib_model.solvers.kernel.rodas` is differentiated, the Jacobian in its matrix too,
with the length of the step as it was taken (Bock's internal differentiation): the derivatives are
those of the numbers that the solver gives. Matrices and kinetics are those of the step; directions
share them and stand side by side, innermost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel.cell import CURRENT
from ssnib_model.solvers.kernel.compiled import compiled, contracted, dot
from ssnib_model.solvers.kernel.composite import (
    arsinh,
    coupling,
    factorise,
    imbalance_of_current,
    solve,
)
from ssnib_model.solvers.kernel.control import residual, slopes
from ssnib_model.solvers.kernel.directions import moved_by, moved_task
from ssnib_model.solvers.kernel.lookup import curvature, interpolate
from ssnib_model.solvers.kernel.rodas import GAMMA, POWERS, STAGES, A, C, P, Q, R, T, combine


class Changes(NamedTuple):
    """Of a `rodas.Work`, with the directions last."""

    J: np.ndarray  #: by stage, shape (6, sites, directions)
    sto: np.ndarray
    hysteresis: np.ndarray
    difference: np.ndarray  #: shape (6, points, directions)
    current: np.ndarray  #: shape (6, directions)
    alloy: np.ndarray
    forced: np.ndarray  #: shape (6, sites, directions)
    end_J: np.ndarray  #: at the end of the step, shape (sites, directions)
    end_sto: np.ndarray
    end_hysteresis: np.ndarray
    end_difference: np.ndarray
    end_current: np.ndarray  #: shape (directions,)
    end_alloy: np.ndarray


@compiled
def changes_for(sites, points, directions):
    """Empty `Changes`."""
    return Changes(
        np.zeros((STAGES, sites, directions)),
        np.zeros((STAGES, sites, directions)),
        np.zeros((STAGES, sites, directions)),
        np.zeros((STAGES, points, directions)),
        np.zeros((STAGES, directions)),
        np.zeros((STAGES, directions)),
        np.zeros((STAGES, sites, directions)),
        np.zeros((sites, directions)),
        np.zeros((sites, directions)),
        np.zeros((sites, directions)),
        np.zeros((points, directions)),
        np.zeros(directions),
        np.zeros(directions),
    )


@compiled
def kinetics(cell, c, J, sto):
    """What `interface_change` needs of a class, of a potential ``U + film j + thermal arsinh(z)``.

    Returns
    -------
    tuple
        Slopes with reaction and stoichiometry, reaction current density j, slope with j, ``z / sqrt(1 + z**2)``, z.
    """
    product = sto * (1 - sto)
    twice_j0 = 4 * cell.j0 * np.sqrt(max(product, 1e-6))
    j = J / cell.surface[c]
    root = np.sqrt(twice_j0 * twice_j0 + j * j)
    of_j, ratio = cell.film + cell.thermal / root, j / root
    of_log_j0 = (1 - 2 * sto) / (2 * product) if product > 1e-6 else 0.0
    of_sto = interpolate(cell.ocp, sto)[1] - cell.thermal * ratio * of_log_j0
    return of_j / cell.surface[c], of_sto, j, of_j, ratio, j / twice_j0


@contracted
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


@contracted
def _slopes_change(cell, change, c, J, sto, J_change, sto_change, of_J_change, of_sto_change):
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


@compiled
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


@contracted
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


@compiled
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


# ------------------------------------------------------------------- modes of diffusion
@contracted
def _uptakes_change(cell, change, stretch, h, work, uptakes_change, gains):
    """Change of ``work.uptakes``; the gain of every mode goes into ``gains``."""
    classes, modes = cell.decay.shape
    directions = stretch.size
    sums = np.empty(POWERS + 1)
    for c in range(classes):
        for power in range(POWERS + 1):
            sums[power] = 0.0
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            gains[c, m] = gain
            value = h * cell.surface_of[m] * cell.uptake[c, m]
            for power in range(POWERS + 1):
                sums[power] += value
                value *= gain
        for s in range(STAGES):
            for q in range(s + 1):
                slope = 0.0
                for k in range(1, POWERS):
                    slope += Q[s, q, k] * k * (sums[k + 1] / GAMMA - sums[k])
                for p in range(directions):
                    uptakes_change[c, s, q, p] = (
                        (change.log_uptake[c, p] + stretch[p]) * work.uptakes[c, s, q]
                        + (change.log_decay[c, p] + stretch[p]) * slope
                    )  # fmt: skip


@contracted
def _memory_change(cell, change, stretch, z, z_change, work, gains, memory_change):
    """Change of what of the modes is left on the surfaces at the stages, without reaction."""
    sites, modes = z.shape
    classes, directions = cell.surface.size, stretch.size
    weighted = np.empty((POWERS + 1, modes))
    sums, sums_change = np.empty(POWERS + 1), np.empty((POWERS, directions))
    for c in range(classes):
        for m in range(modes):
            for k in range(POWERS):
                weighted[k, m] = cell.surface_of[m] * work.powers[c, k, m]
            weighted[POWERS, m] = weighted[POWERS - 1, m] * gains[c, m]
        for n in range(c, sites, classes):
            for k in range(POWERS + 1):
                sums[k] = dot(weighted[k], z[n])
            for k in range(POWERS):
                for p in range(directions):
                    sums_change[k, p] = 0.0
                for m in range(modes):
                    w = weighted[k, m]
                    for p in range(directions):
                        sums_change[k, p] += w * z_change[n, m, p]
                slope = k * (sums[k + 1] / GAMMA - sums[k])
                for p in range(directions):
                    sums_change[k, p] += slope * (change.log_decay[c, p] + stretch[p])
            for s in range(STAGES):
                for p in range(directions):
                    memory_change[s, n, p] = 0.0
                for k in range(POWERS):
                    for p in range(directions):
                        memory_change[s, n, p] += P[s, k] * sums_change[k, p]


@contracted
def advance(cell, change, stretch, z, z_change, h, work, changes):
    """Change of the modes at the end of the step, in place; ``z`` are those at its start."""
    sites, modes = z.shape
    classes, directions = cell.surface.size, stretch.size
    keep, bend = np.empty(modes), np.empty(modes)
    takes, take_bends = np.empty((STAGES, modes)), np.empty((STAGES, modes))
    for c in range(classes):
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            excess = gain / GAMMA - 1  # g' = rho g excess
            keep[m], bend[m], power = R[0], 0.0, 1.0
            for s in range(STAGES):
                takes[s, m], take_bends[s, m] = 0.0, 0.0
            for k in range(1, POWERS):
                power *= gain
                keep[m] += R[k] * power
                bend[m] += R[k] * k * power * excess
                for s in range(STAGES):
                    takes[s, m] += T[s, k] * power
                    take_bends[s, m] += T[s, k] * k * power * excess
            if cell.decay[c, m] == 0:
                keep[m], bend[m] = 1.0, 0.0
            for s in range(STAGES):
                takes[s, m] *= h * cell.uptake[c, m]
                take_bends[s, m] *= h * cell.uptake[c, m]
        for n in range(c, sites, classes):
            for m in range(modes):
                of_decay, of_uptake, kept = bend[m] * z[n, m], 0.0, keep[m]
                for s in range(STAGES):
                    of_decay += take_bends[s, m] * work.forced[s, n]
                    of_uptake += takes[s, m] * work.forced[s, n]
                t0, t1, t2 = takes[0, m], takes[1, m], takes[2, m]
                t3, t4, t5 = takes[3, m], takes[4, m], takes[5, m]
                for p in range(directions):
                    z_change[n, m, p] = (
                        kept * z_change[n, m, p]
                        + of_decay * (change.log_decay[c, p] + stretch[p])
                        + of_uptake * (change.log_uptake[c, p] + stretch[p])
                        + t0 * changes.forced[0, n, p] + t1 * changes.forced[1, n, p]
                        + t2 * changes.forced[2, n, p] + t3 * changes.forced[3, n, p]
                        + t4 * changes.forced[4, n, p] + t5 * changes.forced[5, n, p]
                    )  # fmt: skip


# ------------------------------------------------------------------- the stages
@contracted
def _started(s, before, changes, result):
    """Change of what a stage starts from: as `rodas.combine`."""
    rows, directions = result.shape
    for n in range(rows):
        for p in range(directions):
            result[n, p] = before[n, p]
    for q in range(s):
        a = A[s, q]
        if a != 0:
            for n in range(rows):
                for p in range(directions):
                    result[n, p] += a * changes[q, n, p]


@contracted
def step(
    cell, change, sides, task, task_change, slope, slope_change, stretch,
    state, state_change, now, now_change, i, h, work, changes,
):  # fmt: skip
    """Derivatives of `rodas.step`, which has just been taken, into ``changes``.

    Parameters
    ----------
    cell, task, slope, state, now, i, h, work
        As there; ``now`` holds J, sto and delta.
    change, task_change, slope_change, state_change, now_change
        Their changes along the directions.
    sides : list of tuple of Cell
        The cell moved along and against every direction.
    stretch : numpy.ndarray
        Relative change of the length of the step, shape (directions,).
    changes : Changes
        Room; see there.
    """
    J, sto, delta, place = now.J, now.sto, now.delta, state.alloy[0]
    (sites, _), points, classes = state.modes.shape, cell.points, cell.surface.size
    directions, rates = stretch.size, cell.gap_rate
    hysteretic, free = rates[0] > 0, task.control != CURRENT
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    uptakes, gains = work.uptakes, np.empty(cell.decay.shape)
    uptakes_change = np.empty((classes, STAGES, STAGES, directions))
    memory_change = np.empty((STAGES, sites, directions))
    _uptakes_change(cell, change, stretch, h, work, uptakes_change, gains)
    _memory_change(
        cell, change, stretch, state.modes, state_change.modes, work, gains, memory_change
    )

    # the Jacobian
    ease, of_sto = np.empty(sites), np.empty(sites)
    gain_h, bend = np.empty(sites), np.empty(sites)
    ease_change, of_sto_change = np.empty((sites, directions)), np.empty((sites, directions))
    gain_change, bend_change = np.zeros((sites, directions)), np.zeros((sites, directions))
    conductances, low, pivot = np.zeros(points), np.empty(points), np.empty(points)
    total_conductance, n = 0.0, 0
    for k in range(points):
        for c in range(classes):
            of_J, of_sto[n], _, _, _, _ = kinetics(cell, c, J[n], sto[n])
            _slopes_change(
                cell, change, c, J[n], sto[n], now_change.J[n], now_change.sto[n],
                ease_change[n], of_sto_change[n],
            )  # fmt: skip
            of_J += of_sto[n] * uptakes[c, 0, 0]
            for p in range(directions):
                ease_change[n, p] += of_sto_change[n, p] * uptakes[c, 0, 0]
                ease_change[n, p] += of_sto[n] * uptakes_change[c, 0, 0, p]
            if hysteretic:
                side, own = np.sign(J[n]), abs(rates[c] * J[n])
                gain_h[n] = 1 / (1 / (GAMMA * h) + own)
                bend[n] = rates[c] * (1 - side * state.hysteresis[n])
                of_J += cell.half_gap * gain_h[n] * bend[n]
                for p in range(directions):
                    moved_own = side * (
                        change.gap_rate[c, p] * J[n] + rates[c] * now_change.J[n, p]
                    )
                    gain_change[n, p] = gain_h[n] ** 2 * (stretch[p] / (GAMMA * h) - moved_own)
                    bend_change[n, p] = change.gap_rate[c, p] * (1 - side * state.hysteresis[n])
                    bend_change[n, p] -= rates[c] * side * state_change.hysteresis[n, p]
                    ease_change[n, p] += (
                        change.half_gap[p] * gain_h[n] * bend[n]
                        + cell.half_gap * gain_change[n, p] * bend[n]
                        + cell.half_gap * gain_h[n] * bend_change[n, p]
                    )
            ease[n] = 1 / of_J
            conductances[k] += ease[n]
            for p in range(directions):
                ease_change[n, p] *= -ease[n] * ease[n]
            n += 1
        total_conductance += conductances[k]
    factorise(kappa, conductances, low, pivot)

    # and the border
    by_current, border = np.zeros(points), 1.0
    first, before, last, of_i, of_place = 0.0, 0.0, 0.0, 0.0, 0.0
    cost_J, cost_sto = np.zeros(classes), np.zeros(classes)
    of_change = np.zeros((5, directions))
    cost_J_change, cost_sto_change = (
        np.zeros((classes, directions)),
        np.zeros((classes, directions)),
    )
    if free:
        first, before, last, of_i, of_place, cost_J, cost_sto = slopes(
            cell, task, i, place, J, sto, delta
        )
        for k in range(points):
            by_current[k] = -imbalance_of_current(points, drift, k)
        solve(kappa, low, pivot, by_current)
        border = of_i + of_place * GAMMA * h * cell.alloy_rate
        border += first * by_current[0] + before * by_current[points - 2]
        border += last * by_current[points - 1]
        for c in range(classes if cell.reduced else 0):
            of_J = cost_J[c] + cost_sto[c] * uptakes[c, 0, 0]
            border += of_J * ease[c] * by_current[0]
        for p in range(directions):
            for side in range(2):
                sign = 1.0 - 2 * side
                found = slopes(
                    sides[p][side],
                    moved_task(task, task_change, p, sign),
                    i + sign * now_change.i[p],
                    place + sign * state_change.alloy[p],
                    moved_by(J, now_change.J, p, sign),
                    moved_by(sto, now_change.sto, p, sign),
                    moved_by(delta, now_change.delta, p, sign),
                )
                half = sign / 2
                of_change[0, p] += half * found[0]
                of_change[1, p] += half * found[1]
                of_change[2, p] += half * found[2]
                of_change[3, p] += half * found[3]
                of_change[4, p] += half * found[4]
                for c in range(classes):
                    cost_J_change[c, p] += half * found[5][c]
                    cost_sto_change[c, p] += half * found[6][c]

    new_J, new_sto, new_h = np.empty(sites), np.empty(sites), np.empty(sites)
    new_delta = np.empty(points)
    J_change, sto_change, h_change = changes.end_J, changes.end_sto, changes.end_hysteresis
    delta_change = changes.end_difference
    i_change, place_change = changes.end_current, changes.end_alloy
    d = np.empty((points, directions))
    rho, q_change = np.empty((sites, directions)), np.empty((sites, directions))
    bent_change = np.zeros((sites, directions))
    carried_i, carried_place = np.empty(directions), np.empty(directions)
    known_change = np.empty(directions)
    for s in range(STAGES):
        # what the stage starts from
        new_i, new_place = i, place
        for q in range(s):
            new_i += A[s, q] * work.changes_current[q]
            new_place += A[s, q] * work.changes_alloy[q]
        combine(s, J, work.changes_J, new_J)
        combine(s, sto, work.changes_sto, new_sto)
        combine(s, delta, work.changes_difference, new_delta)
        _started(s, now_change.J, changes.J, J_change)
        _started(s, now_change.sto, changes.sto, sto_change)
        _started(s, now_change.delta, changes.difference, delta_change)
        if hysteretic:
            combine(s, state.hysteresis, work.changes_hysteresis, new_h)
            _started(s, state_change.hysteresis, changes.hysteresis, h_change)
        for p in range(directions):
            i_change[p], place_change[p] = now_change.i[p], state_change.alloy[p]
            carried_i[p] = h * (slope_change[p] + slope * stretch[p])
            carried_place[p] = 0.0
            for q in range(s):
                i_change[p] += A[s, q] * changes.current[q, p]
                place_change[p] += A[s, q] * changes.alloy[q, p]
                carried_i[p] += C[s, q] * changes.current[q, p]
                carried_place[p] += C[s, q] * changes.alloy[q, p]
            carried_i[p] *= GAMMA
            known_change[p] = i_change[p] if free else i_change[p] + carried_i[p]
        known_current = new_i + work.changes_current[s]
        n = 0
        for k in range(points):
            imbalance_change(
                cell,
                change,
                kappa,
                drift,
                known_current,
                new_delta,
                known_change,
                delta_change,
                k,
                d[k],
            )
            for p in range(directions):
                d[k, p] = -d[k, p]
            for c in range(classes):
                interface_change(
                    cell, change, c, new_J[n], new_sto[n], J_change[n], sto_change[n], rho[n]
                )
                v = work.changes_J[s, n]
                known = work.changes_sto[s, n] - uptakes[c, s, s] * v
                for p in range(directions):
                    total = memory_change[s, n, p] + uptakes[c, s, s] * J_change[n, p]
                    total += uptakes_change[c, s, s, p] * new_J[n]
                    q_change[n, p] = total
                for q in range(s):
                    u, forced = uptakes[c, s, q], work.forced[q, n]
                    for p in range(directions):
                        q_change[n, p] += u * changes.forced[q, n, p]
                        q_change[n, p] += uptakes_change[c, s, q, p] * forced
                if hysteretic:
                    side = np.sign(rates[c] * new_J[n])
                    rest = work.changes_hysteresis[s, n] / gain_h[n] - bend[n] * v
                    for p in range(directions):
                        moved_own = change.gap_rate[c, p] * new_J[n] + rates[c] * J_change[n, p]
                        total = moved_own * (1 - side * new_h[n])
                        total -= abs(rates[c] * new_J[n]) * h_change[n, p]
                        for q in range(s):
                            total += C[s, q] / h * (
                                changes.hysteresis[q, n, p]
                                - work.changes_hysteresis[q, n] * stretch[p]
                            )  # fmt: skip
                        bent_change[n, p] = total
                        rho[n, p] += change.half_gap[p] * (new_h[n] + gain_h[n] * rest)
                        rho[n, p] += cell.half_gap * (
                            h_change[n, p] + gain_change[n, p] * rest + gain_h[n] * total
                        )
                for p in range(directions):
                    rho[n, p] += of_sto[n] * q_change[n, p] + of_sto_change[n, p] * known
                    rho[n, p] -= delta_change[k, p]
                    # with what the change of the matrix takes off
                    d[k, p] += rho[n, p] * ease[n] - J_change[n, p]
                    d[k, p] -= ease_change[n, p] / ease[n] * v
                n += 1
        bent_by_kappa(change, work.changes_difference[s], d)
        solve_all(kappa, low, pivot, d)
        moved_i = work.changes_current[s]
        for p in range(directions):
            step_change = carried_i[p]
            if free:
                # what is imposed, linearised, with all that the stage has changed
                total = 0.0
                for side in range(2):
                    sign = 1.0 - 2 * side
                    total += sign / 2 * residual(
                        sides[p][side],
                        moved_task(task, task_change, p, sign),
                        new_i + sign * i_change[p],
                        new_place + sign * place_change[p],
                        moved_by(new_J, J_change, p, sign),
                        moved_by(new_sto, sto_change, p, sign),
                        moved_by(new_delta, delta_change, p, sign),
                    )  # fmt: skip
                moved = work.changes_difference[s]
                total += of_change[0, p] * moved[0] + first * d[0, p]
                total += of_change[1, p] * moved[points - 2] + before * d[points - 2, p]
                total += of_change[2, p] * moved[points - 1] + last * d[points - 1, p]
                total += of_change[3, p] * moved_i + of_change[4, p] * work.changes_alloy[s]
                rate = change.alloy_rate[p] + cell.alloy_rate * stretch[p]
                total += of_place * GAMMA * (
                    h * (cell.alloy_rate * i_change[p] + rate * (new_i + moved_i))
                    + carried_place[p]
                )  # fmt: skip
                for c in range(classes if cell.reduced else 0):
                    v = work.changes_J[s, c]
                    v_change = (d[0, p] - rho[c, p]) * ease[c] + ease_change[c, p] / ease[c] * v
                    total += cost_J_change[c, p] * v + cost_J[c] * v_change
                    total += cost_sto_change[c, p] * work.changes_sto[s, c]
                    total += cost_sto[c] * (
                        q_change[c, p] + uptakes_change[c, s, s, p] * v
                        + uptakes[c, s, s] * v_change
                    )  # fmt: skip
                step_change = -total / border
                for k in range(points):
                    d[k, p] += step_change * by_current[k]
            excess = points * (i_change[p] + step_change)
            n = 0
            for k in range(points):
                for _ in range(classes):
                    excess += J_change[n, p] + (d[k, p] - rho[n, p]) * ease[n]
                    excess += ease_change[n, p] / ease[n] * work.changes_J[s, n]
                    n += 1
            shift = -excess / total_conductance
            for k in range(points):
                d[k, p] += shift
            changes.current[s, p] = step_change
            changes.alloy[s, p] = GAMMA * (
                h * cell.alloy_rate * (i_change[p] + step_change)
                + h * (change.alloy_rate[p] + cell.alloy_rate * stretch[p]) * (new_i + moved_i)
                + carried_place[p]
            )  # fmt: skip
        n = 0
        for k in range(points):
            for p in range(directions):
                changes.difference[s, k, p] = d[k, p]
            for c in range(classes):
                v, inverse = work.changes_J[s, n], work.changes_J[s, n] / ease[n]
                u = uptakes[c, s, s]
                for p in range(directions):
                    v_change = (d[k, p] - rho[n, p]) * ease[n] + ease_change[n, p] * inverse
                    changes.J[s, n, p] = v_change
                    changes.forced[s, n, p] = J_change[n, p] + v_change
                    changes.sto[s, n, p] = (
                        q_change[n, p] + uptakes_change[c, s, s, p] * v + u * v_change
                    )
                    if hysteretic:
                        reached = work.changes_hysteresis[s, n] / gain_h[n]
                        changes.hysteresis[s, n, p] = gain_change[n, p] * reached + gain_h[n] * (
                            bent_change[n, p] + bend_change[n, p] * v + bend[n] * v_change
                        )
                n += 1

    # the last stage starts from what the step would be without it
    last_stage = STAGES - 1
    for n in range(sites):
        for p in range(directions):
            J_change[n, p] += changes.J[last_stage, n, p]
            sto_change[n, p] += changes.sto[last_stage, n, p]
            if hysteretic:
                h_change[n, p] += changes.hysteresis[last_stage, n, p]
    for k in range(points):
        for p in range(directions):
            delta_change[k, p] += changes.difference[last_stage, k, p]
    for p in range(directions):
        i_change[p] += changes.current[last_stage, p]
        place_change[p] += changes.alloy[last_stage, p]
