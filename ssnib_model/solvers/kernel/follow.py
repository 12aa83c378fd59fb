"""A step of a test once more, with the derivatives of all that came of it along directions."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel import rodas, tangent, tangent_exact
from ssnib_model.solvers.kernel.cell import CURRENT, OF_CURRENT, OF_CURRENT_SIZE, OF_VOLTAGE
from ssnib_model.solvers.kernel.compiled import compiled, fill
from ssnib_model.solvers.kernel.composite import (
    behind,
    coupling,
    factorise,
    imbalance_of_current,
    solve,
    weights_of_voltage,
)
from ssnib_model.solvers.kernel.control import cathode, residual, slopes
from ssnib_model.solvers.kernel.directions import (
    SMALL,
    NowChange,
    moved,
    moved_by,
    moved_task,
)
from ssnib_model.solvers.kernel.integrate import (
    INSIDE,
    PARTS,
    QUARTERS,
    begin,
    go_on,
    is_exact,
    rooms,
)
from ssnib_model.solvers.kernel.rodas import within
from ssnib_model.solvers.kernel.tangent import (
    imbalance_change,
    interface_change,
    kinetics,
    solve_all,
)


@compiled
def _begin(cell, change, sides, task, task_change, state, state_change, now, now_change, i, ramp):
    """Change of all that goes with the states at the start of a step, into ``now_change``.

    ``ramp`` is the change of an imposed current density. The equations of `start`, linearised.
    """
    J, sto, delta = now.J, now.sto, now.delta
    (sites, modes), points, classes = state.modes.shape, cell.points, cell.surface.size
    directions, free = ramp.size, task.control != CURRENT
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    still, ease = np.zeros(directions), np.empty(sites)
    known, d = np.empty((sites, directions)), np.empty((points, directions))
    conductances, low, pivot = np.zeros(points), np.empty(points), np.empty(points)
    for p in range(directions):
        now_change.i[p] = 0.0 if free else ramp[p]
    for k in range(points):
        for p in range(directions):
            now_change.delta[k, p] = 0.0
    n = 0
    for k in range(points):
        imbalance_change(
            cell, change, kappa, drift, i, delta, now_change.i, now_change.delta, k, d[k]
        )
        for p in range(directions):
            d[k, p] = -d[k, p]
        for c in range(classes):
            for p in range(directions):
                now_change.sto[n, p] = 0.0
            for m in range(modes):
                for p in range(directions):
                    now_change.sto[n, p] += cell.surface_of[m] * state_change.modes[n, m, p]
            interface_change(cell, change, c, J[n], sto[n], still, now_change.sto[n], known[n])
            ease[n] = 1 / kinetics(cell, c, J[n], sto[n])[0]
            conductances[k] += ease[n]
            for p in range(directions):
                known[n, p] += change.half_gap[p] * state.hysteresis[n]
                known[n, p] += cell.half_gap * state_change.hysteresis[n, p]
                d[k, p] += ease[n] * known[n, p]
            n += 1
    factorise(kappa, conductances, low, pivot)
    solve_all(kappa, low, pivot, d)
    if free:
        by_current = np.empty(points)
        for k in range(points):
            by_current[k] = -imbalance_of_current(points, drift, k)
        solve(kappa, low, pivot, by_current)
        place = state.alloy[0]
        first, before, last, border, _, cost_J, _ = slopes(cell, task, i, place, J, sto, delta)
        border += first * by_current[0] + before * by_current[points - 2]
        border += last * by_current[points - 1]
        for c in range(classes if cell.reduced else 0):
            border += cost_J[c] * ease[c] * by_current[0]
    n = 0
    for k in range(points):
        for _ in range(classes):
            for p in range(directions):
                now_change.J[n, p] = (d[k, p] - known[n, p]) * ease[n]
            n += 1
    for p in range(directions if free else 0):
        missed = _imposed_change(
            sides, task, task_change, state, state_change, now, now_change, i, d, p
        )
        now_change.i[p] = -missed / border
        n = 0
        for k in range(points):
            for _ in range(classes):
                now_change.J[n, p] += now_change.i[p] * by_current[k] * ease[n]
                n += 1
            d[k, p] += now_change.i[p] * by_current[k]
    for k in range(points):
        for p in range(directions):
            now_change.delta[k, p] = d[k, p]


@compiled
def _imposed_change(sides, task, task_change, state, state_change, now, now_change, i, d, p):
    """Change of `control.residual` where the current does not change."""
    total = 0.0
    for side in range(2):
        sign = 1.0 - 2 * side
        total += (
            sign
            / 2
            * residual(
                sides[p][side],
                moved_task(task, task_change, p, sign),
                i,
                state.alloy[0] + sign * state_change.alloy[p],
                moved_by(now.J, now_change.J, p, sign),
                moved_by(now.sto, now_change.sto, p, sign),
                moved_by(now.delta, d, p, sign),
            )
        )
    return total


@compiled
def _potential_change(cell, change, sides, J, sto, delta, i, J_change, sto_change, delta_change,
                      i_change, result):  # fmt: skip
    """Change of `control.cathode`, into ``result``; full: of the three points it needs."""
    if not cell.reduced:
        points = delta.size
        first, before, last, of_i = weights_of_voltage(cell)
        for p in range(result.size):
            result[p] = (
                first * delta_change[0, p] + change.weights[0, p] * delta[0]
                + before * delta_change[points - 2, p] + change.weights[1, p] * delta[points - 2]
                + last * delta_change[points - 1, p] + change.weights[2, p] * delta[points - 1]
                + of_i * i_change[p] + change.weights[3, p] * i
            )  # fmt: skip
        return
    for p in range(result.size):
        result[p] = 0.0
        for side in range(2):
            sign = 1.0 - 2 * side
            result[p] += (
                sign
                / 2
                * cathode(
                    sides[p][side],
                    i + sign * i_change[p],
                    moved_by(J, J_change, p, sign),
                    moved_by(sto, sto_change, p, sign),
                    moved_by(delta, delta_change, p, sign),
                )
            )


@compiled
def _within(before, after, changes, part, result):
    """The dense output of a step of RODAS, of all directions: as `rodas.within`."""
    rest = 1 - part
    for p in range(result.size):
        c3, c4 = 0.0, 0.0
        for s in range(5):
            c3 += rodas.D[0, s] * changes[s, p]
            c4 += rodas.D[1, s] * changes[s, p]
        result[p] = rest * before[p] + part * (after[p] + rest * (c3 + part * c4))


@compiled
def _between(cell, change, sides, state, state_change, now, now_change, i, work, changes, at,
             potentials, flows):  # fmt: skip
    """Changes of the potentials and current densities at the quarters inside a step."""
    points, classes, directions = cell.points, cell.surface.size, flows.shape[1]
    used = classes if cell.reduced else 1
    J, sto, delta, h = np.empty(used), np.empty(used), np.zeros(points), 0.0
    J_change, sto_change = np.empty((used, directions)), np.empty((used, directions))
    h_change, delta_change = np.zeros(directions), np.zeros((points, directions))
    hysteretic = cell.gap_rate[0] > 0
    for q in range(1, PARTS):
        part = q / PARTS
        current = rodas.scalar_within(i, work.scalars[0], work.changes_current, part)
        _within(now_change.i, changes.end_current, changes.current, part, flows[at + q])
        for turn in range(1 if cell.reduced else 3):  # the points that the voltage needs
            k = points - 3 + turn if turn > 0 else 0
            for c in range(used):
                n = k * classes + c
                J[c] = within(now.J, work.J, work.changes_J, n, part)
                sto[c] = within(now.sto, work.sto, work.changes_sto, n, part)
                _within(now_change.J[n], changes.end_J[n], changes.J[:, n], part, J_change[c])
                _within(
                    now_change.sto[n], changes.end_sto[n], changes.sto[:, n], part, sto_change[c]
                )
            n = k * classes
            delta[k] = rodas.interface(
                cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], J[0], sto[0]
            )
            interface_change(
                cell, change, 0, J[0], sto[0], J_change[0], sto_change[0], delta_change[k]
            )
            if hysteretic:
                h = within(state.hysteresis, work.hysteresis, work.changes_hysteresis, n, part)
                _within(
                    state_change.hysteresis[n], changes.end_hysteresis[n],
                    changes.hysteresis[:, n], part, h_change,
                )  # fmt: skip
                delta[k] += cell.half_gap * h
                for p in range(directions):
                    delta_change[k, p] += change.half_gap[p] * h + cell.half_gap * h_change[p]
        _potential_change(
            cell, change, sides, J, sto, delta, current, J_change, sto_change, delta_change,
            flows[at + q], potentials[at + q],
        )  # fmt: skip


@compiled
def _moved_charge(cell, change, stretch, h, work, changes, at, currents, flows):
    """Change of what `integrate.take` adds to current densities for the sake of the charge."""
    moved = work.changes_alloy[5]
    for s in range(5):
        moved += rodas.A[5, s] * work.changes_alloy[s]
    for p in range(stretch.size):
        moved_change = changes.alloy[5, p]
        for s in range(5):
            moved_change += rodas.A[5, s] * changes.alloy[s, p]
        moved_change -= moved * (change.alloy_rate[p] / cell.alloy_rate + stretch[p])
        short = moved_change / (h * cell.alloy_rate)
        for q in range(PARTS):
            for r in range(PARTS + 1):
                short -= QUARTERS[q, r] * flows[at + r, p]
        for q in range(1, PARTS):
            flows[at + q, p] += short / INSIDE


@compiled
def _closed(cell, change, sides, state, state_change, now, now_change, i, slope, slope_change,
            h, stretch, at, potentials, flows):  # fmt: skip
    """A step of the closed form with its changes; states, ``now`` and their changes go on."""
    directions, part, rate = stretch.size, h / PARTS, cell.gap_rate[0]
    for q in range(1, PARTS + 1):
        side = np.sign(i)
        tangent_exact.step(
            cell, change, state.modes[0], state_change.modes[0], i, now_change.i, slope,
            slope_change, part, stretch, now.sto, now_change.sto,
        )  # fmt: skip
        if rate > 0:
            moving = np.exp(-abs(rate * i) * part)
            left = (state.hysteresis[0] + side) * moving
            state.hysteresis[0] = left - side
            for p in range(directions):
                grown = rate * part * side * now_change.i[p] + abs(rate * i) * part * (
                    stretch[p] + change.gap_rate[0, p] / rate
                )
                state_change.hysteresis[0, p] *= moving
                state_change.hysteresis[0, p] -= left * grown
        for p in range(directions):
            mean = now_change.i[p] + slope_change[p] * part / 2
            moved_by_current = cell.alloy_rate * (mean + slope * part / 2 * stretch[p])
            own = change.alloy_rate[p] + cell.alloy_rate * stretch[p]
            state_change.alloy[p] += part * (moved_by_current + own * (i + slope * part / 2))
            now_change.i[p] += part * (slope_change[p] + slope * stretch[p])
            now_change.J[0, p] = -now_change.i[p]
        state.alloy[0] += cell.alloy_rate * part * (i + slope * part / 2)
        i += slope * part
        now.J[0] = -i
        now.delta[0] = cell.half_gap * state.hysteresis[0] + rodas.interface(
            cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], -i, now.sto[0]
        )
        interface_change(
            cell, change, 0, now.J[0], now.sto[0], now_change.J[0], now_change.sto[0],
            now_change.delta[0],
        )  # fmt: skip
        for p in range(directions):
            now_change.delta[0, p] += change.half_gap[p] * state.hysteresis[0]
            now_change.delta[0, p] += cell.half_gap * state_change.hysteresis[0, p]
            flows[at + q, p] = now_change.i[p]
        _potential_change(
            cell, change, sides, now.J, now.sto, now.delta, i, now_change.J, now_change.sto,
            now_change.delta, now_change.i, potentials[at + q],
        )  # fmt: skip
    return i


@compiled
def _take_over(cell, state_change, now_change, changes):
    """As `integrate.go_on`, of the changes."""
    sites, directions = now_change.J.shape
    for p in range(directions):
        for n in range(sites):
            now_change.J[n, p], now_change.sto[n, p] = changes.end_J[n, p], changes.end_sto[n, p]
            if cell.gap_rate[0] > 0:
                state_change.hysteresis[n, p] = changes.end_hysteresis[n, p]
        for k in range(cell.points):
            now_change.delta[k, p] = changes.end_difference[k, p]
        now_change.i[p], state_change.alloy[p] = changes.end_current[p], changes.end_alloy[p]


@compiled
def follow(cell, change, task, task_change, state, state_change, ends, which, samples):
    """Derivatives of all that `integrate` gave, along directions.

    Parameters
    ----------
    cell, task, state
        As there; ``state`` is where the step starts, and goes on.
    change, task_change, state_change
        Their changes; the last direction is room for the length of the last step, all 0.
        ``state_change`` goes on.
    ends : numpy.ndarray
        Ends of the integrator's steps [s], shape (steps + 1,).
    which : int
        The end of ``task`` that was reached, or -1.
    samples : numpy.ndarray
        Current densities as from `integrate`, shape (4 steps + 1,).

    Returns
    -------
    tuple
        Changes of the end of the last step [s], shape (directions,), and of the potentials [V]
        and current densities [A.m-2] at the start and the quarters of all steps, shape
        (4 steps + 1, directions); without the last direction.
    """
    (sites, _), points, classes = state.modes.shape, cell.points, cell.surface.size
    directions = change.L.size
    now, room = rooms(state, points, classes)
    work, changes = room.work, tangent.changes_for(sites, points, directions)
    now_change = NowChange(
        np.zeros((sites, directions)),
        np.zeros((sites, directions)),
        np.zeros((points, directions)),
        np.zeros(directions),
    )
    sides = [
        (moved(cell, change, p, 1.0), moved(cell, change, p, -1.0)) for p in range(directions)
    ]
    steps, start = ends.size - 1, state.alloy[0]
    started = state_change.alloy.copy()
    potentials = np.zeros((PARTS * steps + 1, directions))
    flows = np.zeros((PARTS * steps + 1, directions))
    stretch, slope_change = np.zeros(directions), np.zeros(directions)
    i, knot, h = begin(cell, task, state, now), 0, 0.0
    _begin(
        cell, change, sides, task, task_change, state, state_change, now, now_change, i,
        task_change.currents[0],
    )  # fmt: skip
    fill(flows[0], now_change.i)
    _potential_change(
        cell, change, sides, now.J, now.sto, now.delta, i, now_change.J, now_change.sto,
        now_change.delta, now_change.i, potentials[0],
    )  # fmt: skip
    shift = SMALL * max(ends[steps] - ends[steps - 1], 0.01 * ends[steps])
    for n in range(steps):
        h, slope, at = ends[n + 1] - ends[n], 0.0, PARTS * n
        if n == steps - 1 and which >= 0:
            stretch[directions - 1] = shift / h
        if task.control == CURRENT:
            while knot + 2 < task.knots.size and ends[n] >= task.knots[knot + 1]:
                knot += 1
                i = task.currents[knot]
                fill(now_change.i, task_change.currents[knot])
            length = task.knots[knot + 1] - task.knots[knot]
            slope = (task.currents[knot + 1] - task.currents[knot]) / length
            for p in range(directions):
                rise = task_change.currents[knot + 1, p] - task_change.currents[knot, p]
                slope_change[p] = rise / length
        if is_exact(cell, task, slope):
            i = _closed(
                cell, change, sides, state, state_change, now, now_change, i, slope,
                slope_change, h, stretch, at, potentials, flows,
            )  # fmt: skip
            continue
        rodas.step(cell, task, slope, state, i, now.J, now.sto, now.delta, h, work)
        tangent.step(
            cell, change, sides, task, task_change, slope, slope_change, stretch, state,
            state_change, now, now_change, i, h, work, changes,
        )  # fmt: skip
        _between(
            cell, change, sides, state, state_change, now, now_change, i, work, changes, at,
            potentials, flows,
        )  # fmt: skip
        tangent.advance(cell, change, stretch, state.modes, state_change.modes, h, work, changes)
        i = go_on(cell, False, state, now, h, room)
        _take_over(cell, state_change, now_change, changes)
        fill(flows[at + PARTS], now_change.i)
        _potential_change(
            cell, change, sides, now.J, now.sto, now.delta, i, now_change.J, now_change.sto,
            now_change.delta, now_change.i, potentials[at + PARTS],
        )  # fmt: skip
        if task.control != CURRENT:
            _moved_charge(cell, change, stretch, h, work, changes, at, samples, flows)
    ends_change = np.zeros(directions)
    if which >= 0:
        _to_end(
            cell, sides, task, task_change, state, state_change, i, shift, which, start, started,
            potentials, flows, ends_change,
        )  # fmt: skip
    return ends_change, potentials, flows


@compiled
def _to_end(cell, sides, task, task_change, state, state_change, i, shift, which, start, started,
            potentials, flows, ends_change):  # fmt: skip
    """Let the last step arrive at its end along all directions, by changing its length."""
    directions, place = ends_change.size, state.alloy[0]
    measure, last = task.measures[which], potentials.shape[0] - 1
    apart = np.empty(directions)
    for p in range(directions):
        apart[p] = -task_change.limits[which, p]
        i_change, place_change = flows[last, p], state_change.alloy[p]
        if measure == OF_VOLTAGE:
            apart[p] += potentials[last, p]
            for side in range(2):
                sign = 1.0 - 2 * side
                apart[p] += sign / 2 * behind(
                    sides[p][side], i + sign * i_change, place + sign * place_change
                )  # fmt: skip
        elif measure == OF_CURRENT:
            apart[p] += i_change
        elif measure == OF_CURRENT_SIZE:
            apart[p] += np.sign(i) * i_change
        else:
            passed, rate = place - start, abs(cell.alloy_rate)
            apart[p] += np.sign(passed) * (place_change - started[p]) / rate
            rate_change = (sides[p][0].alloy_rate - sides[p][1].alloy_rate) / 2
            apart[p] -= abs(passed) / rate * rate_change / cell.alloy_rate
    for p in range(directions - 1):
        share = -apart[p] / apart[directions - 1]
        ends_change[p] = share * shift
        for n in range(last - PARTS + 1, last + 1):
            potentials[n, p] += share * potentials[n, directions - 1]
            flows[n, p] += share * flows[n, directions - 1]
        for n in range(state_change.modes.shape[0]):
            for m in range(state_change.modes.shape[1]):
                state_change.modes[n, m, p] += share * state_change.modes[n, m, directions - 1]
            state_change.hysteresis[n, p] += share * state_change.hysteresis[n, directions - 1]
        state_change.alloy[p] += share * state_change.alloy[directions - 1]
    # the next step has a length of its own
    for n in range(state_change.modes.shape[0]):
        for m in range(state_change.modes.shape[1]):
            state_change.modes[n, m, directions - 1] = 0.0
        state_change.hysteresis[n, directions - 1] = 0.0
    state_change.alloy[directions - 1] = 0.0
