"""Where a step of a test ends within a step of the integrator."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import OF_CURRENT, OF_CURRENT_SIZE, OF_VOLTAGE
from ssnib_model.solvers.kernel.compiled import compiled, dot
from ssnib_model.solvers.kernel.composite import behind
from ssnib_model.solvers.kernel.one_step import PARTS, QUARTERS, TO_POLYNOMIAL, take


@compiled
def distance(cell, task, n, V, i, alloy, alloy_start):
    """How far it is to an end; not positive where it is reached."""
    measure = task.measures[n]
    if measure == OF_VOLTAGE:
        value = V
    elif measure == OF_CURRENT:
        value = i
    elif measure == OF_CURRENT_SIZE:
        value = abs(i)
    else:
        value = abs(alloy - alloy_start) / abs(cell.alloy_rate)
    return task.signs[n] * (value - task.limits[n])


@compiled
def _place(cell, currents, alloy, h, part):
    """Current density and place on the anode's table, at a part of a step."""
    i, area, power = 0.0, 0.0, 1.0
    for p in range(PARTS + 1):
        coefficient = dot(TO_POLYNOMIAL[p], currents)
        i += coefficient * power
        power *= part
        area += coefficient * power / (p + 1)
    return i, alloy + cell.alloy_rate * h * area


@compiled
def _apart(cell, task, n, room, alloy, h, alloy_start, part):
    """`_distance` within the last step, by the polynomials through its samples."""
    i, place = _place(cell, room.currents, alloy, h, part)
    V, power = behind(cell, i, place), 1.0
    for p in range(PARTS + 1):
        V += dot(TO_POLYNOMIAL[p], room.samples) * power
        power *= part
    return distance(cell, task, n, V, i, place, alloy_start)


@compiled
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


@compiled
def to_end(cell, task, slope, closed, state, now, i, h, part, room, which, alloy_start):
    """Take the last step again so that it arrives at an end; returns its length."""
    near, place = 0.99 * part, state.alloy[0]
    rate = (
        _apart(cell, task, which, room, place, h, alloy_start, part)
        - _apart(cell, task, which, room, place, h, alloy_start, near)
    ) / ((part - near) * h)
    h *= part
    before_h, before = h, np.nan
    scale = 1.0 if task.measures[which] == OF_VOLTAGE else abs(task.limits[which])
    for _ in range(20):  # secants, the first with the slope of the polynomials
        take(cell, task, slope, closed, state, now, i, h, room)
        new_i, place = room.work.scalars
        V = room.samples[PARTS] + behind(cell, new_i, place)
        apart = distance(cell, task, which, V, new_i, place, alloy_start)
        if abs(apart) < 1e-10 * scale:
            break
        if h != before_h:
            rate = (apart - before) / (h - before_h)
        if rate == 0 or not np.isfinite(rate):
            break
        before_h, before = h, apart
        h = min(max(h - apart / rate, 0.9 * h), 1.1 * h)
    return h
