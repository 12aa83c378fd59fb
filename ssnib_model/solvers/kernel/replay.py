"""A step of a test once more, with all states at the quarters of the integrator's steps."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel import rodas
from ssnib_model.solvers.kernel.cell import CURRENT
from ssnib_model.solvers.kernel.compiled import compiled, dot, inner
from ssnib_model.solvers.kernel.composite import interface
from ssnib_model.solvers.kernel.one_step import (
    PARTS,
    again,
    begin,
    go_on,
    is_exact,
    rooms,
    take,
)


@inner
def _modes_within(cell, state, h, work, part, z):
    """The modes within the last step of RODAS, by its dense output."""
    sites, modes = z.shape
    classes = cell.surface.size
    rest = 1 - part
    for n in range(sites):
        c = n % classes
        for m in range(modes):
            # by stages: what `rodas.advance` and `rodas.within` do, a mode at a time
            after = state.modes[n, m]
            c3, c4 = 0.0, 0.0
            for s in range(rodas.STAGES):
                change = 0.0
                for p in range(rodas.POWERS):
                    power = work.powers[c, p, m]
                    change += rodas.P[s, p] * power * state.modes[n, m]
                    for q in range(s + 1):
                        force = h * cell.uptake[c, m] * work.forced[q, n]
                        change += rodas.Q[s, q, p] * power * force
                if s < 5:
                    after += rodas.A[5, s] * change
                    c3 += rodas.D[0, s] * change
                    c4 += rodas.D[1, s] * change
                else:
                    after += change
            z[n, m] = rest * state.modes[n, m] + part * (after + rest * (c3 + part * c4))


@compiled
def replay(cell, state, task, ends, renewed):
    """The states along a step whose integrator's steps are known; ``state`` changes in place.

    Parameters
    ----------
    cell : Cell
    state : State
        Where the step started.
    task : Task
    ends : numpy.ndarray
        Ends of the integrator's steps [s], from 0, shape (steps + 1,).
    renewed : numpy.ndarray
        Numbers of the steps that were started `again`, rising.

    Returns
    -------
    tuple
        Times [s], shape (n,), n = 4 steps + 1; modes, shape (n, sites, modes); states of
        hysteresis and reactions [A.m-2], shape (n, sites); potential differences [V], shape
        (n, points); current densities [A.m-2] and places on the anode's table, shape (n,).
    """
    (sites, modes), classes = state.modes.shape, cell.surface.size
    now, room = rooms(state, cell.points, classes)
    work = room.work
    count = PARTS * (ends.size - 1) + 1
    t = np.empty(count)
    z, hysteresis = np.empty((count, sites, modes)), np.empty((count, sites))
    reactions, differences = np.empty((count, sites)), np.empty((count, cell.points))
    flows, places = np.empty(count), np.empty(count)
    i, knot, at = begin(cell, task, state, now), 0, 0
    t[0], z[0], hysteresis[0], reactions[0] = 0.0, state.modes, state.hysteresis, now.J
    differences[0], flows[0], places[0] = now.delta, i, state.alloy[0]
    turn = 0
    for n in range(1, ends.size):
        if turn < renewed.size and renewed[turn] == n - 1:
            turn += 1
            i = again(cell, task, state, now, i)
            reactions[at], differences[at], flows[at] = now.J, now.delta, i
        h, slope = ends[n] - ends[n - 1], 0.0
        if task.control == CURRENT:
            while knot + 2 < task.knots.size and ends[n - 1] >= task.knots[knot + 1]:
                knot += 1
            slope = task.currents[knot + 1] - task.currents[knot]
            slope /= task.knots[knot + 1] - task.knots[knot]
        closed = is_exact(cell, task, slope)
        for q in range(1, PARTS + 1):
            at, part = at + 1, q / PARTS
            t[at] = ends[n - 1] + part * h
            if closed:  # each from the start
                take(cell, task, slope, closed, state, now, i, part * h, room)
                z[at], hysteresis[at], reactions[at] = (
                    room.state.modes,
                    room.state.hysteresis,
                    work.J,
                )
                differences[at], flows[at] = work.difference, work.scalars[0]
                places[at] = work.scalars[1]
                continue
            if q == 1:
                take(cell, task, slope, closed, state, now, i, h, room)
            if q == PARTS:
                continue
            _modes_within(cell, state, h, work, part, z[at])
            for k in range(sites):
                reactions[at, k] = rodas.within(now.J, work.J, work.changes_J, k, part)
                hysteresis[at, k] = state.hysteresis[k]
                if cell.gap_rate[0] > 0:
                    hysteresis[at, k] = rodas.within(
                        state.hysteresis, work.hysteresis, work.changes_hysteresis, k, part
                    )
            for k in range(cell.points):
                site = k * classes
                differences[at, k] = cell.half_gap * hysteresis[at, site] + interface(
                    cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0],
                    reactions[at, site], dot(cell.surface_of, z[at, site]),
                )  # fmt: skip
            i_end, place_end = work.scalars
            flows[at] = rodas.scalar_within(i, i_end, work.changes_current, part)
            places[at] = rodas.scalar_within(state.alloy[0], place_end, work.changes_alloy, part)
        i = go_on(cell, closed, state, now, h, room)
        t[at], z[at], hysteresis[at], reactions[at] = ends[n], state.modes, state.hysteresis, now.J
        differences[at], flows[at], places[at] = now.delta, i, state.alloy[0]
    return t, z, hysteresis, reactions, differences, flows, places
