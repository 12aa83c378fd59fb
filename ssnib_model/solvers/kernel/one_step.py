"""One step of the integrator: samples, error, what it arrives at, and going on from there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel import exact, rodas, start
from ssnib_model.solvers.kernel.cell import CURRENT, State
from ssnib_model.solvers.kernel.compiled import compiled, dot, fill, inner, plain
from ssnib_model.solvers.kernel.composite import interface, weights_of_voltage
from ssnib_model.solvers.kernel.control import cathode
from ssnib_model.solvers.kernel.lookup import interpolate

#: Where voltage and current are given within a step: at its quarters.
PARTS = 4

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


@plain
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
    extent: np.ndarray  #: least and largest stoichiometry of a closed form, shape (2,)


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
        np.empty(2),
    )
    return now, room


@inner
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
    J, sto = room.near[0], room.near[1]
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


@plain
def take(cell, task, slope, closed, state, now, i, h, room):
    """One step of the integrator, without going on: samples and what it arrives at.

    ``closed`` says whether it `is_exact`; then the states are in ``room.state``.
    """
    work, samples, currents = room.work, room.samples, room.currents
    if closed:
        room.extent[0], room.extent[1] = exact.step(
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


@inner
def unknown(cell, now, work):
    """What round-off of the surfaces leaves open of the potentials at both ends of a step [V]."""
    points, classes, steepest = cell.points, cell.surface.size, 0.0
    for turn in range(1 if cell.reduced else 3):  # the points that the voltage needs
        n = (points - 3 + turn if turn > 0 else 0) * classes
        for sto in (now.sto[n], work.sto[n]):
            steepest = max(steepest, abs(interpolate(cell.ocp, sto)[1]))
    return rodas.ROUND_OFF * steepest


@inner
def error_of(cell, closed, now, room, rtol, atol):
    """Error of the last step over the tolerances: of states, and of potentials in between."""
    between = 0.0
    for q in range(PARTS):
        if closed or q % 2 == 0:
            missed = room.fine[2 * q + 1] - dot(BETWEEN[q], room.samples)
            between = max(between, abs(missed) / rtol)
    if between > 1:
        between *= rtol / (rtol + unknown(cell, now, room.work))
    if closed:
        return between
    return max(rodas.error(cell, now.J, now.sto, room.work, rtol, atol), between)


@plain
def within_range(closed, now, room, margin):
    """Whether all surfaces stayed in 0..1, up to a margin, throughout the last step."""
    if closed:
        return room.extent[0] >= -margin and room.extent[1] <= 1 + margin
    before, after, changes = now.sto, room.work.sto, room.work.changes_sto
    for n in range(before.size):
        least, most = min(before[n], after[n]), max(before[n], after[n])
        bend = rodas.largest_bend(changes, n)
        if least - bend >= -margin and most + bend <= 1 + margin:
            continue
        for part in range(1, 2 * PARTS):
            sto = rodas.within(before, after, changes, n, part / (2 * PARTS))
            least, most = min(least, sto), max(most, sto)
        if not (least >= -margin and most <= 1 + margin):
            return False
    return True


@plain
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


@plain
def begin(cell, task, state, now):
    """Reactions, surfaces and differences at the start, and the current density; NaN: none."""
    for n in range(now.sto.size):
        now.sto[n], now.J[n] = dot(cell.surface_of, state.modes[n]), 0.0
    if task.control != CURRENT:
        return start.current(cell, task, state, now.J, now.sto, now.delta)
    i, tolerance = task.currents[0], 1e-10 * cell.scale
    found = start.potentials(cell, state.hysteresis, i, now.J, now.sto, now.delta, tolerance)
    return i if found else np.nan


@plain
def again(cell, task, state, now, i):
    """What goes with the present state, exactly: reactions, differences and current density."""
    for n in range(now.sto.size):
        now.sto[n] = dot(cell.surface_of, state.modes[n])
    found = start.anew(cell, task, state, i, now.J, now.sto, now.delta)
    return found if np.isfinite(found) else i
