"""Where a step of a test ends within a step of the integrator."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel import start
from ssnib_model.solvers.kernel.cell import (
    OF_CHARGE,
    OF_CURRENT,
    OF_CURRENT_SIZE,
    OF_VOLTAGE,
    State,
)
from ssnib_model.solvers.kernel.compiled import compiled, dot, inner, plain
from ssnib_model.solvers.kernel.composite import behind
from ssnib_model.solvers.kernel.control import cathode
from ssnib_model.solvers.kernel.one_step import PARTS, QUARTERS, TO_POLYNOMIAL, take, unknown
from ssnib_model.steps import TIE, TIE_OF_CURRENT

EPSILON = float(np.finfo(float).eps)


@inner
def distance(cell, task, n, V, i, alloy, alloy_start):
    """How far it is to an end; not positive where it is reached."""
    measure = task.measures[n]
    if measure == OF_VOLTAGE:
        value = V
    elif measure == OF_CURRENT:
        value = i - task.offset
    elif measure == OF_CURRENT_SIZE:
        value = abs(i - task.offset)
    else:
        value = abs(alloy - alloy_start) / abs(cell.alloy_rate)
    return task.signs[n] * (value - task.limits[n])


@inner
def _place(cell, currents, alloy, h, part):
    """Current density and place on the anode's table, at a part of a step."""
    i, area, power = 0.0, 0.0, 1.0
    for p in range(PARTS + 1):
        coefficient = dot(TO_POLYNOMIAL[p], currents)
        i += coefficient * power
        power *= part
        area += coefficient * power / (p + 1)
    return i, alloy + cell.alloy_rate * h * area


@inner
def _apart(cell, task, n, room, alloy, h, alloy_start, part):
    """`_distance` within the last step, by the polynomials through its samples."""
    i, place = _place(cell, room.currents, alloy, h, part)
    V, power = behind(cell, i, place), 1.0
    for p in range(PARTS + 1):
        V += dot(TO_POLYNOMIAL[p], room.samples) * power
        power *= part
    return distance(cell, task, n, V, i, place, alloy_start)


@plain
def first_end(cell, task, room, alloy, h, alloy_start):
    """Which end the last step crosses first, and at which part of it; -1: none."""
    first, where, place = -1, 2.0, alloy
    for q in range(1, PARTS + 1):
        i = room.currents[q]
        place += cell.alloy_rate * h * dot(QUARTERS[q - 1], room.currents)
        V = room.samples[q] + behind(cell, i, place)
        for n in range(task.measures.size):
            if distance(cell, task, n, V, i, place, alloy_start) > 0:
                continue
            near, far = (q - 1) / PARTS, q / PARTS
            for _ in range(40):
                middle = (near + far) / 2
                if _apart(cell, task, n, room, alloy, h, alloy_start, middle) > 0:
                    near = middle
                else:
                    far = middle
            if far < where:
                first, where = n, far
        if first >= 0:
            break
    return first, where


@plain
def to_end(cell, task, slope, closed, state, now, t, i, h, part, room, which, alloy_start, rtol):
    """Take the last step again so that it arrives at an end, which is where its samples say.

    Parameters
    ----------
    t, h : float
        Where the step starts, and how long it was [s].
    part : float
        Part of the step in which the polynomial through its samples arrives.
    which : int
        Number of the end.

    Returns
    -------
    float
        Length of the step that arrives [s]; 0 where none does: the polynomial, or the reaction
        at the end of the step, is off by more than the tolerance, and another end is not first.
    """
    near = 0.99 * part
    rate = (
        _apart(cell, task, which, room, state.alloy[0], h, alloy_start, part)
        - _apart(cell, task, which, room, state.alloy[0], h, alloy_start, near)
    ) / ((part - near) * h)
    scale = 1.0 if task.measures[which] == OF_VOLTAGE else abs(task.limits[which])
    short, long, length = 0.0, np.inf, part * h
    before_length, before = 0.0, np.nan
    for turn in range(60):
        take(cell, task, slope, closed, state, now, i, length, room)
        i_end, place = room.work.scalars
        V = room.samples[PARTS] + behind(cell, i_end, place)
        apart = distance(cell, task, which, V, i_end, place, alloy_start)
        if abs(apart) < 1e-10 * scale:
            found = _is_there(cell, task, closed, state, now, room, which, alloy_start, rtol)
            return length if found else 0.0
        if apart > 0:
            if length >= h:
                return 0.0
            short = length
        elif apart <= 0:
            long = length
        else:  # not a number
            return 0.0
        has_passed = np.isfinite(long)
        if has_passed and long - short <= 4 * EPSILON * (t + long):  # a jump: no time is nearer
            take(cell, task, slope, closed, state, now, i, long, room)
            return long
        if turn > 0 and length != before_length:
            rate = (apart - before) / (length - before_length)
        before_length, before = length, apart
        length -= apart / rate  # secants, the first with the slope of the polynomial
        if not has_passed:
            length = min(length if length > short else np.inf, 1.1 * short, h)
        elif turn % 4 == 3 or not short < length < long:
            length = (short + long) / 2
    return 0.0


@compiled
def _is_there(cell, task, closed, state, now, room, which, alloy_start, rtol):
    """Whether the potentials that go with the states after the last step are at an end.

    And at none of the others: within `tolerance`.
    """
    work, i, place = room.work, room.work.scalars[0], room.work.scalars[1]
    V = room.samples[PARTS]
    if not closed:  # which has solved for them
        hysteresis = work.hysteresis if cell.gap_rate[0] > 0 else state.hysteresis
        after = State(state.modes, hysteresis, work.scalars[1:])
        J, delta = work.J.copy(), work.difference.copy()
        i = start.anew(cell, task, after, i, J, work.sto, delta)
        V = cathode(cell, i, J, work.sto, delta)
    V += behind(cell, i, place)
    open_V = unknown(cell, now, work)
    open_i = 0.0 if closed else work.unknown_J.sum() / cell.points
    for n in range(task.measures.size):
        apart = distance(cell, task, n, V, i, place, alloy_start)
        allowed = tolerance(cell, task, n, rtol)
        allowed += open_V if task.measures[n] == OF_VOLTAGE else open_i
        if not apart >= -allowed or (n == which and not apart <= allowed):
            return False
    return True


@inner
def tolerance(cell, task, n, rtol):
    """How far from an end a step may stop that was ended by it [V], [A.m-2] or [C.m-2].

    A step from there with the same end has reached it at its start, and no less exact than the
    rest is.
    """
    if task.measures[n] == OF_VOLTAGE:
        return min(TIE, 10 * rtol)
    relative = min(TIE_OF_CURRENT, 10 * rtol)
    if task.measures[n] == OF_CHARGE:
        return relative * task.limits[n]
    return relative * max(abs(task.limits[n]), cell.scale)
