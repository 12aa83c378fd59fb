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
from ssnib_model.solvers.kernel.compiled import compiled, inner_contracted
from ssnib_model.solvers.kernel.composite import (
    coupling,
    factorise,
    imbalance_of_current,
    solve,
)
from ssnib_model.solvers.kernel.composite_change import (
    bent_by_kappa,
    imbalance_change,
    interface_change,
    kinetics,
    slopes_change,
    solve_all,
)
from ssnib_model.solvers.kernel.control import of_differences, slopes
from ssnib_model.solvers.kernel.control_change import residual_change, slopes_of_imposed_change
from ssnib_model.solvers.kernel.modes_change import change_memory, change_uptakes
from ssnib_model.solvers.kernel.rodas import GAMMA, POWERS, STAGES, A, C, P, combine


class Room(NamedTuple):
    """For what `step` needs, and what it shares with `modes_change` and `samples_change`."""

    stages: np.ndarray  #: `rodas.P`, shape (6, POWERS)
    bends: np.ndarray  #: of the uptakes, shape (classes, 6, 6)
    gains: np.ndarray  #: shape (classes, modes)
    memory: np.ndarray  #: shape (sites, 6, directions)
    of_sites: np.ndarray  #: shape (7, sites, directions)
    of_points: np.ndarray  #: shape (1, points, directions)
    of_classes: np.ndarray  #: shape (2, classes, directions)
    of_directions: np.ndarray  #: shape (8, directions)
    of_modes: np.ndarray  #: shape (2, modes)
    sums: np.ndarray  #: shape (POWERS + 1,)
    sums_change: np.ndarray  #: shape (POWERS, directions)
    takes: np.ndarray  #: shape (2, modes, 6)
    forced: np.ndarray  #: shape (6, directions)
    taken: np.ndarray  #: shape (modes, directions)


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
    decays: np.ndarray  #: relative, times the step, shape (classes, directions)
    uptakes: np.ndarray
    room: Room


@compiled
def changes_for(sites, points, classes, modes, directions):
    """Empty `Changes`."""
    room = Room(
        P.copy(),
        np.zeros((classes, STAGES, STAGES)),
        np.zeros((classes, modes)),
        np.zeros((sites, STAGES, directions)),
        np.zeros((7, sites, directions)),
        np.zeros((1, points, directions)),
        np.zeros((2, classes, directions)),
        np.zeros((8, directions)),
        np.zeros((2, modes)),
        np.zeros(POWERS + 1),
        np.zeros((POWERS, directions)),
        np.zeros((2, modes, STAGES)),
        np.zeros((STAGES, directions)),
        np.zeros((modes, directions)),
    )
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
        np.zeros((classes, directions)),
        np.zeros((classes, directions)),
        room,
    )


@inner_contracted
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
    room, uptakes = changes.room, work.uptakes
    decays, ups, bends, memory_change = changes.decays, changes.uptakes, room.bends, room.memory
    for c in range(classes):
        for p in range(directions):
            decays[c, p] = change.log_decay[c, p] + stretch[p]
            ups[c, p] = change.log_uptake[c, p] + stretch[p]
    change_uptakes(cell, h, room)
    change_memory(cell, decays, state.modes, state_change.modes, work, room)

    # the Jacobian
    sites_, points_ = work.of_sites, work.of_points
    ease, of_sto, gain_h, bend = sites_[0], sites_[1], sites_[2], sites_[3]
    conductances, low, pivot, by_current = points_[0], points_[1], points_[2], points_[3]
    ease_change, of_sto_change = room.of_sites[0], room.of_sites[1]
    gain_change, bend_change = room.of_sites[2], room.of_sites[3]
    total_conductance, n = 0.0, 0
    for k in range(points):
        conductances[k] = 0.0
        for c in range(classes):
            of_J, of_sto[n], _, _, _, _ = kinetics(cell, c, J[n], sto[n])
            slopes_change(
                cell, change, c, J[n], sto[n], now_change.J[n], now_change.sto[n],
                ease_change[n], of_sto_change[n],
            )  # fmt: skip
            of_J += of_sto[n] * uptakes[c, 0, 0]
            for p in range(directions):
                ease_change[n, p] += of_sto_change[n, p] * uptakes[c, 0, 0]
                ease_change[n, p] += of_sto[n] * ups[c, p] * uptakes[c, 0, 0]
                ease_change[n, p] += of_sto[n] * decays[c, p] * bends[c, 0, 0]
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
    first, before, last, of_i, of_place, border = 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
    cost_J, cost_sto = work.of_classes[0], work.of_classes[1]
    cost_J_change, cost_sto_change = room.of_classes[0], room.of_classes[1]
    of_change = room.of_directions[:5]
    if free:
        first, before, last, of_i, of_place = slopes(
            cell, task, i, place, J, sto, delta, cost_J, cost_sto
        )
        for k in range(points):
            by_current[k] = -imbalance_of_current(points, drift, k)
        solve(kappa, low, pivot, by_current)
        border = of_i + of_place * GAMMA * h * cell.alloy_rate
        border += of_differences(first, before, last, by_current)
        for c in range(classes if cell.reduced else 0):
            of_J = cost_J[c] + cost_sto[c] * uptakes[c, 0, 0]
            border += of_J * ease[c] * by_current[0]
        slopes_of_imposed_change(
            sides, task, task_change, i, now_change.i, place, state_change.alloy, J,
            now_change.J, sto, now_change.sto, delta, now_change.delta, of_change,
            cost_J_change, cost_sto_change,
        )  # fmt: skip

    new_J, new_sto, new_h, new_delta = sites_[4], sites_[5], sites_[6], points_[4]
    J_change, sto_change, h_change = changes.end_J, changes.end_sto, changes.end_hysteresis
    delta_change = changes.end_difference
    i_change, place_change = changes.end_current, changes.end_alloy
    d, rho, q_change = room.of_points[0], room.of_sites[4], room.of_sites[5]
    bent_change = room.of_sites[6]
    carried_i, carried_place, known_change = (
        room.of_directions[5], room.of_directions[6], room.of_directions[7],
    )  # fmt: skip
    for s in range(STAGES):
        # what the stage starts from
        new_i, new_place = i, place
        for q in range(s):
            new_i += A[s, q] * work.changes_current[q]
            new_place += A[s, q] * work.changes_alloy[q]
        combine(s, J, work.changes_J, new_J)
        combine(s, sto, work.changes_sto, new_sto)
        combine(s, delta, work.changes_difference, new_delta)
        combine(s, now_change.J.reshape(-1), changes.J.reshape(STAGES, -1), J_change.reshape(-1))
        combine(
            s, now_change.sto.reshape(-1), changes.sto.reshape(STAGES, -1), sto_change.reshape(-1)
        )
        combine(
            s,
            now_change.delta.reshape(-1),
            changes.difference.reshape(STAGES, -1),
            delta_change.reshape(-1),
        )
        if hysteretic:
            combine(s, state.hysteresis, work.changes_hysteresis, new_h)
            combine(
                s,
                state_change.hysteresis.reshape(-1),
                changes.hysteresis.reshape(STAGES, -1),
                h_change.reshape(-1),
            )
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
                # the surface, by what stages force and how the modes take it
                of_decay, of_uptake = bends[c, s, s] * new_J[n], uptakes[c, s, s] * new_J[n]
                for q in range(s):
                    of_decay += bends[c, s, q] * work.forced[q, n]
                    of_uptake += uptakes[c, s, q] * work.forced[q, n]
                u = uptakes[c, s, s]
                for p in range(directions):
                    q_change[n, p] = (
                        memory_change[n, s, p] + u * J_change[n, p] + of_decay * decays[c, p]
                        + of_uptake * ups[c, p]
                    )  # fmt: skip
                for q in range(s):
                    u = uptakes[c, s, q]
                    for p in range(directions):
                        q_change[n, p] += u * changes.forced[q, n, p]
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
                total = residual_change(
                    sides, task, task_change, p, new_i, i_change[p], new_place,
                    place_change[p], new_J, J_change, new_sto, sto_change, new_delta,
                    delta_change,
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
                        q_change[c, p]
                        + (ups[c, p] * uptakes[c, s, s] + decays[c, p] * bends[c, s, s]) * v
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
                u, b = uptakes[c, s, s], bends[c, s, s] * v
                for p in range(directions):
                    v_change = (d[k, p] - rho[n, p]) * ease[n] + ease_change[n, p] * inverse
                    changes.J[s, n, p] = v_change
                    changes.forced[s, n, p] = J_change[n, p] + v_change
                    changes.sto[s, n, p] = (
                        q_change[n, p] + u * (v_change + ups[c, p] * v) + b * decays[c, p]
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
