"""A step of a test once more, with the derivatives of all that came of it along directions."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel import exact_change, rodas, rodas_change
from ssnib_model.solvers.kernel.cell import CURRENT, OF_CURRENT, OF_CURRENT_SIZE, OF_VOLTAGE
from ssnib_model.solvers.kernel.compiled import compiled, fill, inner
from ssnib_model.solvers.kernel.composite import behind, interface
from ssnib_model.solvers.kernel.composite_change import interface_change
from ssnib_model.solvers.kernel.directions import SMALL, NowChange, moved
from ssnib_model.solvers.kernel.modes_change import change_modes
from ssnib_model.solvers.kernel.one_step import PARTS, again, begin, go_on, is_exact, rooms
from ssnib_model.solvers.kernel.samples_change import (
    between_change,
    keep_charge,
    potential_change,
)
from ssnib_model.solvers.kernel.start_change import begin_change


@inner
def _sample(cell, change, sides, now, now_change, i, at, potentials, flows):
    """Changes of potential and current density where the integrator is, into the samples."""
    fill(flows[at], now_change.i)
    potential_change(
        cell, change, sides, now.J, now.sto, now.delta, i, now_change.J, now_change.sto,
        now_change.delta, now_change.i, potentials[at],
    )  # fmt: skip


@inner
def _closed(cell, change, sides, state, state_change, now, now_change, i, slope, slope_change,
            h, stretch, at, potentials, flows, table):  # fmt: skip
    """A step of the closed form with its changes; states, ``now`` and their changes go on.

    ``table`` is room, shape (4, modes).
    """
    directions, part, rate = stretch.size, h / PARTS, cell.gap_rate[0]
    exact_change.coefficients(cell, part, table)
    for q in range(1, PARTS + 1):
        side = np.sign(i)
        exact_change.step(
            cell, change, state.modes[0], state_change.modes[0], i, now_change.i, slope,
            slope_change, part, table, stretch, now.sto, now_change.sto,
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
        now.delta[0] = cell.half_gap * state.hysteresis[0] + interface(
            cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], -i, now.sto[0]
        )
        interface_change(
            cell, change, 0, now.J[0], now.sto[0], now_change.J[0], now_change.sto[0],
            now_change.delta[0],
        )  # fmt: skip
        for p in range(directions):
            now_change.delta[0, p] += change.half_gap[p] * state.hysteresis[0]
            now_change.delta[0, p] += cell.half_gap * state_change.hysteresis[0, p]
        _sample(cell, change, sides, now, now_change, i, at + q, potentials, flows)
    return i


@inner
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
def follow(cell, change, task, task_change, state, state_change, ends, renewed, which, samples):
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
    renewed : numpy.ndarray
        Numbers of the steps that were started `one_step.again`, rising.
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
    (sites, modes), points, classes = state.modes.shape, cell.points, cell.surface.size
    directions, table = change.L.size, np.empty((4, modes))
    now, room = rooms(state, points, classes)
    work, changes = room.work, rodas_change.changes_for(sites, points, classes, modes, directions)
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
    i, knot, turn = begin(cell, task, state, now), 0, 0
    begin_change(
        cell, change, sides, task, task_change, state, state_change, now, now_change, i,
        task_change.currents[0],
    )  # fmt: skip
    _sample(cell, change, sides, now, now_change, i, 0, potentials, flows)
    shift = SMALL * max(ends[steps] - ends[steps - 1], 0.01 * ends[steps])
    for n in range(steps):
        h, slope, at = ends[n + 1] - ends[n], 0.0, PARTS * n
        if n == steps - 1 and which >= 0:
            stretch[directions - 1] = shift / h
        if turn < renewed.size and renewed[turn] == n:
            turn += 1
            i = again(cell, task, state, now, i)
            begin_change(
                cell, change, sides, task, task_change, state, state_change, now, now_change, i,
                now_change.i.copy(),
            )  # fmt: skip
            _sample(cell, change, sides, now, now_change, i, at, potentials, flows)
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
                slope_change, h, stretch, at, potentials, flows, table,
            )  # fmt: skip
            continue
        rodas.step(cell, task, slope, state, i, now.J, now.sto, now.delta, h, work)
        rodas_change.step(
            cell, change, sides, task, task_change, slope, slope_change, stretch, state,
            state_change, now, now_change, i, h, work, changes,
        )  # fmt: skip
        between_change(
            cell, change, sides, state, state_change, now, now_change, i, work, changes, at,
            potentials, flows,
        )  # fmt: skip
        change_modes(cell, state.modes, state_change.modes, h, work, changes)
        i = go_on(cell, False, state, now, h, room)
        _take_over(cell, state_change, now_change, changes)
        _sample(cell, change, sides, now, now_change, i, at + PARTS, potentials, flows)
        if task.control != CURRENT:
            keep_charge(cell, change, stretch, h, work, changes, at, samples, flows)
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
