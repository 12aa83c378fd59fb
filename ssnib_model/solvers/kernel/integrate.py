"""A step of a test, from its start to its end."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import CURRENT, OF_VOLTAGE
from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.composite import behind
from ssnib_model.solvers.kernel.control import cathode
from ssnib_model.solvers.kernel.ends import distance, first_end, to_end
from ssnib_model.solvers.kernel.one_step import (
    INSIDE,
    PARTS,
    QUARTERS,
    again,
    begin,
    error_of,
    go_on,
    is_exact,
    rooms,
    take,
    within_range,
)
from ssnib_model.steps import STOICHIOMETRY_MARGIN, TIE, TIE_OF_CURRENT

#: Most steps of the integrator, and as many more as a profile has points.
MAX_STEPS = 20_000
#: How often at most a step is started anew where it is refused again and again: at jumps of U.
MAX_RESTARTS = 500
#: What the last sample counts for in the integral over a step.
AT_END = float(QUARTERS[:, -1].sum())

#: How it may end.
ENDED, TIME_OVER, AT_START, NO_START, NO_CURRENT, GAVE_UP, OUT_OF_RANGE, GOING_ON = range(8)

#: Why it failed.
REASONS = {
    NO_START: "the solver found no potentials that go with the state at the start",
    NO_CURRENT: "no current meets what is imposed, from the state at the start",
    GAVE_UP: f"the solver gave up: more than {MAX_STEPS} steps, or one too short for the clock",
    OUT_OF_RANGE: "the surface of the particles left the range of compositions, 0 to 1",
}

#: Where another solver may do better.
GIVEN_UP = (NO_START, GAVE_UP)


@compiled
def integrate(cell, state, task, rtol, atol):
    """Go on until an end is reached or the time is over; ``state`` changes in place.

    Returns
    -------
    tuple
        How it ended; the number of the end that was reached, or -1; the ends of the integrator's
        steps [s]; potential of the cathode [V] and current density [A.m-2] there and at the
        quarters of every step; and the numbers of the steps that were started `again`.
    """
    now, room = rooms(state, cell.points, cell.surface.size)
    samples, currents = room.samples, room.currents
    ends, potentials, flows = [0.0], [np.nan], [np.nan]
    alloy_start = state.alloy[0]
    renewed, which, outcome = [-1], -1, GOING_ON
    i = begin(cell, task, state, now)
    if not (now.sto.min() >= -STOICHIOMETRY_MARGIN and now.sto.max() <= 1 + STOICHIOMETRY_MARGIN):
        outcome = OUT_OF_RANGE
    elif not np.isfinite(i):
        outcome = NO_START if task.control == CURRENT else NO_CURRENT
    else:
        potentials[0], flows[0] = cathode(cell, i, now.J, now.sto, now.delta), i
        V = potentials[0] + behind(cell, i, alloy_start)
        for n in range(task.measures.size):
            tie = TIE
            if task.measures[n] != OF_VOLTAGE:
                tie = TIE_OF_CURRENT * abs(task.limits[n])
            if distance(cell, task, n, V, i, alloy_start, alloy_start) <= tie:
                outcome, which = AT_START, n
                break

    t, h, steps, knot, before = 0.0, 1e-4 * task.duration, 0, 0, 1.0
    refused, restarts, length = 0, 0, 0.0
    while outcome == GOING_ON:
        steps += 1
        if steps > MAX_STEPS + task.knots.size or t + h == t:
            outcome = GAVE_UP
            break
        slope, until = 0.0, task.duration
        if task.control == CURRENT:
            until = task.knots[knot + 1]
            slope = (task.currents[knot + 1] - task.currents[knot]) / (until - task.knots[knot])
        asked = h
        at_knot = t + 1.01 * h >= until
        if at_knot:
            h = until - t
        samples[0], currents[0] = potentials[-1], i
        closed = is_exact(cell, task, slope)
        take(cell, task, slope, closed, state, now, i, h, room)
        error = error_of(cell, closed, now, room, rtol, atol)
        is_taken, part = error <= 1, 1.0  # not where it is no number
        if is_taken:
            which, part = first_end(cell, task, room, state.alloy[0], h, alloy_start)
            if which >= 0:
                length = to_end(
                    cell, task, slope, closed, state, now, t, i, h, part, room, which,
                    alloy_start, rtol,
                )  # fmt: skip
                is_taken = length > 0
        if not is_taken:
            if error <= 1:  # no end there, or not with these reactions
                h *= max(0.1, 0.5 * part)
            else:
                h *= max(0.1, 0.8 * error**-0.25) if error > 1 else 0.1
            which, refused = -1, refused + 1
            if refused == 2 and restarts < MAX_RESTARTS:
                restarts += 1
                # where U is steep the reaction may not go with the state: no step would do
                renewed.append(len(ends) - 1)
                i = again(cell, task, state, now, i)
                if len(ends) > 1:  # the charge of the step before stays
                    for q in range(1, PARTS):
                        flows[-1 - q] += (flows[-1] - i) * AT_END / INSIDE
                flows[-1] = i
                potentials[-1] = cathode(cell, i, now.J, now.sto, now.delta)
            continue
        # an error that grew from step to step will go on to (Gustafsson 1991)
        factor = 0.85 * max(error, 1e-8) ** -0.25 * min(1.0, (before / max(error, 1e-8)) ** 0.1)
        factor = min(factor, 1.0 if refused else 5.0)
        before, refused = error, 0
        if which >= 0:
            h, outcome, at_knot = length, ENDED, False
        if not within_range(closed, now, room, STOICHIOMETRY_MARGIN):
            outcome = OUT_OF_RANGE
        for q in range(1, PARTS + 1):
            potentials.append(samples[q])
            flows.append(currents[q])
        i = go_on(cell, closed, state, now, h, room)
        t = until if at_knot else t + h
        ends.append(t)
        if at_knot:
            if t >= task.duration:
                outcome = TIME_OVER
            else:
                knot += 1
                i = task.currents[knot]
        # a step cut short by a knot says nothing against the length before
        h = max(h * factor, asked if at_knot else 0.0)
    return (
        outcome, which, np.array(ends), np.array(potentials), np.array(flows),
        np.array(renewed[1:]),
    )  # fmt: skip
