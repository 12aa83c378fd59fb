"""A step of a test, from its start to its end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel import exact, rodas, start
from ssnib_model.solvers.kernel.cell import (
    CURRENT,
    OF_CURRENT,
    OF_CURRENT_SIZE,
    OF_VOLTAGE,
    State,
)
from ssnib_model.solvers.kernel.compiled import compiled, dot, fill
from ssnib_model.solvers.kernel.composite import behind, interface, weights_of_voltage
from ssnib_model.solvers.kernel.control import cathode
from ssnib_model.solvers.kernel.lookup import interpolate
from ssnib_model.steps import STOICHIOMETRY_MARGIN, TIE, TIE_OF_CURRENT

#: Most steps of the integrator, and as many more as a profile has points.
MAX_STEPS = 20_000
#: How often at most a step is started anew where it is refused again and again: at jumps of U.
MAX_RESTARTS = 500
#: Where voltage and current are given within a step: at its quarters.
PARTS = 4

#: How it may end.
ENDED, TIME_OVER, AT_START, NO_START, NO_CURRENT, GAVE_UP, OUT_OF_RANGE, GOING_ON = range(8)

#: Why it failed.
REASONS = {
    NO_START: "the solver found no potentials that go with the state at the start",
    NO_CURRENT: "no current meets what is imposed, from the state at the start",
    GAVE_UP: f"the solver gave up after {MAX_STEPS} steps",
    OUT_OF_RANGE: "the surface of the particles left the range of compositions, 0 to 1",
}

#: Where another solver may do better.
GIVEN_UP = (NO_START, GAVE_UP)

#: A polynomial through the samples of a step, by rising powers of the part of the step.
TO_POLYNOMIAL = np.linalg.inv(np.vander(np.linspace(0, 1, PARTS + 1), increasing=True))

#: Its values between the quarters.
BETWEEN = np.vander((np.arange(PARTS) + 0.5) / PARTS, PARTS + 1, increasing=True) @ TO_POLYNOMIAL
#: Integrals of it over each quarter.
_RISING = np.arange(PARTS + 2)[1:]
QUARTERS = (
    np.diff(np.linspace(0, 1, PARTS + 1)[:, None] ** _RISING / _RISING, axis=0) @ TO_POLYNOMIAL
)
#: Its integral where it is 1 at the quarters and 0 at both ends.
INSIDE = float(QUARTERS[:, 1:-1].sum())


@compiled
def _distance(cell, task, n, V, i, alloy, alloy_start):
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
def is_exact(cell, task, slope):
    """Whether diffusion has a closed form."""
    single = cell.points == 1 and cell.surface.size == 1
    return single and task.control == CURRENT and (slope == 0 or cell.gap_rate[0] == 0)


class Now(NamedTuple):
    """Where the integrator is, beside the `State`."""

    J: np.ndarray  #: reactions, shape (sites,)
    sto: np.ndarray  #: stoichiometries of the surface
    delta: np.ndarray  #: potential differences, shape (points,)


class Room(NamedTuple):
    """Room for what a step arrives at."""

    work: rodas.Work
    state: State  #: of a closed form
    samples: np.ndarray  #: potential of the cathode at the quarters, shape (5,)
    currents: np.ndarray  #: current densities there
    fine: (
        np.ndarray
    )  #: potential at the eighths, shape (9,); every other one to check the quarters
    scratch: np.ndarray  #: shape (3, modes)
    near: np.ndarray  #: shape (2, classes)
    delta: np.ndarray


@compiled
def rooms(state, points, classes):
    """Empty `Now` and `Room`."""
    sites, modes = state.modes.shape
    now = Now(np.zeros(sites), np.empty(sites), np.empty(points))
    room = Room(
        rodas.room(sites, points, classes, modes),
        State(np.empty((sites, modes)), np.empty(sites), np.empty(1)),
        np.empty(PARTS + 1),
        np.empty(PARTS + 1),
        np.empty(2 * PARTS + 1),
        np.empty((3, modes)),
        np.empty((2, classes)),
        np.empty(points),
    )
    return now, room


@compiled
def _between(cell, state, now, i, room):
    """Potentials and currents at the quarters within the last step, by its dense output.

    And potentials at two of the eighths, to check the polynomial through the others.
    """
    points, classes, work = cell.points, cell.surface.size, room.work
    ocp, j0, thermal, film = cell.ocp, cell.j0, cell.thermal, cell.film
    surface, half_gap = cell.surface[0], cell.half_gap
    old_J, old_sto, old_h = now.J, now.sto, state.hysteresis
    new_J, new_sto, new_h = work.J, work.sto, work.hysteresis
    changes_J, changes_sto = work.changes_J, work.changes_sto
    changes_h, changes_i, new_i = work.changes_hysteresis, work.changes_current, work.scalars[0]
    samples, fine, currents, delta = room.samples, room.fine, room.currents, room.delta
    J, sto = room.near
    first, before, last, of_i = weights_of_voltage(cell)
    hysteretic = cell.gap_rate[0] > 0
    for eighth in (1, 2, 4, 5, 6):
        part = eighth / (2 * PARTS)
        current = rodas.scalar_within(i, new_i, changes_i, part)
        for turn in range(1 if cell.reduced else 3):  # the points that the voltage needs
            k = points - 3 + turn if turn > 0 else 0
            for c in range(classes if cell.reduced else 1):
                J[c] = rodas.within(old_J, new_J, changes_J, k * classes + c, part)
                sto[c] = rodas.within(old_sto, new_sto, changes_sto, k * classes + c, part)
            delta[k] = interface(ocp, j0, thermal, film, surface, J[0], sto[0])
            if hysteretic:
                delta[k] += half_gap * rodas.within(old_h, new_h, changes_h, k * classes, part)
        if cell.reduced:
            potential = cathode(cell, current, J, sto, delta)
        else:
            potential = first * delta[0] + before * delta[points - 2] + last * delta[points - 1]
            potential += of_i * current
        fine[eighth] = potential
        if eighth % 2 == 0:
            samples[eighth // 2], currents[eighth // 2] = potential, current


@compiled
def take(cell, task, slope, closed, state, now, i, h, room):
    """One step of the integrator, without going on: samples and what it arrives at.

    ``closed`` says whether it `is_exact`; then the states are in ``room.state``.
    """
    work, samples, currents = room.work, room.samples, room.currents
    if closed:
        exact.step(
            cell, state, i, slope, h, 2 * PARTS, room.fine, room.state,
            work.J, work.sto, work.difference, room.scratch,
        )  # fmt: skip
        for q in range(1, PARTS + 1):
            samples[q] = room.fine[2 * q]
            currents[q] = i + q / PARTS * h * slope
        work.scalars[0], work.scalars[1] = i + h * slope, room.state.alloy[0]
        return
    rodas.step(cell, task, slope, state, i, now.J, now.sto, now.delta, h, work)
    _between(cell, state, now, i, room)
    samples[PARTS] = cathode(cell, work.scalars[0], work.J, work.sto, work.difference)
    currents[PARTS] = work.scalars[0]
    if task.control != CURRENT:
        # what the polynomial moves is what the states have moved, to the last digit
        moved = work.changes_alloy[5]
        for p in range(5):
            moved += rodas.A[5, p] * work.changes_alloy[p]
        short = moved / (h * cell.alloy_rate)
        for q in range(PARTS):
            short -= dot(QUARTERS[q], currents)
        for q in range(1, PARTS):
            currents[q] += short / INSIDE


@compiled
def _unknown(cell, now, work):
    """What round-off of the surfaces leaves open of the potentials at both ends of a step [V]."""
    points, classes, steepest = cell.points, cell.surface.size, 0.0
    for turn in range(1 if cell.reduced else 3):  # the points that the voltage needs
        n = (points - 3 + turn if turn > 0 else 0) * classes
        for sto in (now.sto[n], work.sto[n]):
            steepest = max(steepest, abs(interpolate(cell.ocp, sto)[1]))
    return rodas.ROUND_OFF * steepest


@compiled
def _error(cell, closed, now, room, rtol, atol):
    """Error of the last step over the tolerances: of states, and of potentials in between."""
    between = 0.0
    for q in range(PARTS):
        if closed or q % 2 == 0:
            missed = room.fine[2 * q + 1] - dot(BETWEEN[q], room.samples)
            between = max(between, abs(missed) / rtol)
    if between > 1:
        between *= rtol / (rtol + _unknown(cell, now, room.work))
    if closed:
        return between
    return max(rodas.error(cell, now.J, now.sto, room.work, rtol, atol), between)


@compiled
def go_on(cell, closed, state, now, h, room):
    """Take over what the last step arrived at; returns its current density."""
    work = room.work
    if closed:
        fill(state.modes[0], room.state.modes[0])
        state.hysteresis[0] = room.state.hysteresis[0]
        state.alloy[0] = room.state.alloy[0]
    else:
        rodas.advance(cell, state.modes, h, work)
        state.alloy[0] = work.scalars[1]
        if cell.gap_rate[0] > 0:
            fill(state.hysteresis, work.hysteresis)
    fill(now.J, work.J)
    fill(now.sto, work.sto)
    fill(now.delta, work.difference)
    return work.scalars[0]


@compiled
def begin(cell, task, state, now):
    """Reactions, surfaces and differences at the start, and the current density; NaN: none."""
    for n in range(now.sto.size):
        now.sto[n], now.J[n] = dot(cell.surface_of, state.modes[n]), 0.0
    if task.control != CURRENT:
        return start.current(cell, task, state, now.J, now.sto, now.delta)
    i, tolerance = task.currents[0], 1e-10 * cell.scale
    found = start.potentials(cell, state.hysteresis, i, now.J, now.sto, now.delta, tolerance)
    return i if found else np.nan


@compiled
def _again(cell, task, state, now, i):
    """What goes with the present state, exactly: reactions, differences and current density."""
    for n in range(now.sto.size):
        now.sto[n] = dot(cell.surface_of, state.modes[n])
    if task.control != CURRENT:
        found = start.current(cell, task, state, now.J, now.sto, now.delta)
        if np.isfinite(found):
            i = found
    start.potentials(cell, state.hysteresis, i, now.J, now.sto, now.delta, 1e-10 * cell.scale)
    return i


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
    return _distance(cell, task, n, V, i, place, alloy_start)


@compiled
def _first_end(cell, task, room, alloy, h, alloy_start):
    """Which end the last step crosses first, and at which part of it; -1: none."""
    first, where, place = -1, 2.0, alloy
    for q in range(1, PARTS + 1):
        i = room.currents[q]
        place += cell.alloy_rate * h * dot(QUARTERS[q - 1], room.currents)
        V = room.samples[q] + behind(cell, i, place)
        for n in range(task.measures.size):
            if _distance(cell, task, n, V, i, place, alloy_start) > 0:
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
def integrate(cell, state, task, rtol, atol):
    """Go on until an end is reached or the time is over; ``state`` changes in place.

    Returns
    -------
    tuple
        How it ended; the number of the end that was reached, or -1; the ends of the integrator's
        steps [s]; potential of the cathode [V] and current density [A.m-2] there and at the
        quarters of every step.
    """
    now, room = rooms(state, cell.points, cell.surface.size)
    samples, currents = room.samples, room.currents
    ends, potentials, flows = [0.0], [np.nan], [np.nan]
    alloy_start = state.alloy[0]
    which, outcome = -1, GOING_ON
    i = begin(cell, task, state, now)
    if not np.isfinite(i):
        outcome = NO_START if task.control == CURRENT else NO_CURRENT
    else:
        potentials[0], flows[0] = cathode(cell, i, now.J, now.sto, now.delta), i
        V = potentials[0] + behind(cell, i, alloy_start)
        for n in range(task.measures.size):
            tie = TIE
            if task.measures[n] != OF_VOLTAGE:
                tie = TIE_OF_CURRENT * abs(task.limits[n])
            if _distance(cell, task, n, V, i, alloy_start, alloy_start) <= tie:
                outcome, which = AT_START, n
                break

    t, h, steps, knot, before = 0.0, 1e-4 * task.duration, 0, 0, 1.0
    refused, restarts = 0, 0
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
        error = _error(cell, closed, now, room, rtol, atol)
        if not error <= 1:  # nor a number
            h *= max(0.1, 0.8 * error**-0.25) if error > 1 else 0.1
            refused += 1
            if refused == 2 and restarts < MAX_RESTARTS:
                restarts += 1
                # where U is steep the reaction may not go with the state: no step would do
                i = _again(cell, task, state, now, i)
                flows[-1] = i
                potentials[-1] = cathode(cell, i, now.J, now.sto, now.delta)
            continue
        # an error that grew from step to step will go on to (Gustafsson 1991)
        factor = 0.85 * max(error, 1e-8) ** -0.25 * min(1.0, (before / max(error, 1e-8)) ** 0.1)
        factor = min(factor, 1.0 if refused else 5.0)
        before, refused = error, 0
        which, part = _first_end(cell, task, room, state.alloy[0], h, alloy_start)
        if which >= 0:
            h = _to_end(
                cell, task, slope, closed, state, now, i, h, part, room, which, alloy_start
            )
            outcome, at_knot = ENDED, False
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
        for sto in now.sto:
            if not -STOICHIOMETRY_MARGIN <= sto <= 1 + STOICHIOMETRY_MARGIN:
                outcome = OUT_OF_RANGE
        # a step cut short by a knot says nothing against the length before
        h = max(h * factor, asked if at_knot else 0.0)
    return outcome, which, np.array(ends), np.array(potentials), np.array(flows)


@compiled
def _to_end(cell, task, slope, closed, state, now, i, h, part, room, which, alloy_start):
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
        apart = _distance(cell, task, which, V, new_i, place, alloy_start)
        if abs(apart) < 1e-10 * scale:
            break
        if h != before_h:
            rate = (apart - before) / (h - before_h)
        if rate == 0 or not np.isfinite(rate):
            break
        before_h, before = h, apart
        h = min(max(h - apart / rate, 0.9 * h), 1.1 * h)
    return h
