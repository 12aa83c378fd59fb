"""Many cells through a test each, without the interpreter in between."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel.cell import (
    CURRENT,
    OF_CHARGE,
    OF_VOLTAGE,
    RESISTANCE,
    VOLTAGE,
    Cell,
    State,
    Task,
)
from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.integrate import AT_START, ENDED, TIME_OVER, integrate
from ssnib_model.solvers.kernel.look import look, totals
from ssnib_model.solvers.kernel.one_step import PARTS
from ssnib_model.solvers.tables import Table

_SECONDS = 3600.0

#: What is found of a step: its duration [s]; charge [C.m-2] and energy [J.m-2] passed; the
#: anode's potential at start and end [V] and its place on its table at the start; voltage [V] at
#: the start, half and end, and current density [A.m-2] at start and end.
(
    DURATION, CHARGE, ENERGY, ANODE_START, ANODE_END, ALLOY_START,
    V_START, V_HALF, V_END, I_START, I_END,
) = range(11)  # fmt: skip
FOUND = 11

#: Columns of `Members.numbers`; the last three are not those of a `Cell`.
NUMBERS = (
    "L", "sigma_s", "sigma_e", "series", "anode_j0", "thermal", "film", "j0", "half_gap",
    "alloy rate", "scale", "area", "stoichiometry", "alloy content",
)  # fmt: skip


class Members(NamedTuple):
    """Cells of one kind, that have the same equilibrium potentials, as in `Cell`."""

    reduced: bool
    points: int
    numbers: np.ndarray  #: shape (members, len(NUMBERS))
    surface: np.ndarray  #: of the classes, shape (members, classes), as the next three
    diffusion: np.ndarray  #: [s-1]
    flux: np.ndarray  #: into the particles per reaction current density [s-1/(A.m-2)]
    gap_rate: np.ndarray
    decay: np.ndarray  #: of the modes in a unit sphere, shape (modes,), as the next three
    uptake: np.ndarray
    surface_of: np.ndarray
    uniform: np.ndarray  #: amplitudes for the value 1
    ocp: Table
    alloy: Table
    alloy_range: float  #: sodium content at the end of the anode's table


class Schedules(NamedTuple):
    """Tests of equally many steps, one after the other; in SI units for a cell."""

    of: np.ndarray  #: number of the test of a member
    steps: int  #: of a test
    control: np.ndarray  #: of every step of every test, as the next three
    value: np.ndarray
    duration: np.ndarray
    open_ended: np.ndarray
    knot_at: np.ndarray  #: where the points of the current of a step begin
    knots: np.ndarray
    currents: np.ndarray
    end_at: np.ndarray  #: where its ends begin
    measures: np.ndarray
    limits: np.ndarray
    signs: np.ndarray


class Kept(NamedTuple):
    """Room for the samples of the steps, see `integrate`; as `PARTS` potentials an end."""

    wanted: bool
    ends: np.ndarray
    potentials: np.ndarray
    flows: np.ndarray
    place: np.ndarray  #: where those of a step begin, and its ends, shape (members, steps, 2)


@compiled
def cell_of(members, m):
    """The coefficients of a member."""
    x = members.numbers[m]
    classes, modes = members.surface.shape[1], members.decay.size
    decay, uptake = np.empty((classes, modes)), np.empty((classes, modes))
    for c in range(classes):
        for n in range(modes):
            decay[c, n] = members.diffusion[m, c] * members.decay[n]
            uptake[c, n] = members.flux[m, c] * members.uptake[n]
    return Cell(
        members.reduced, members.points, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7],
        members.surface[m], decay, uptake, members.surface_of, x[8], members.gap_rate[m],
        members.ocp, members.alloy, x[9] / members.alloy_range, x[10],
    )  # fmt: skip


@compiled
def _start(members, m):
    """The state of a member at rest."""
    sites, modes = members.points * members.surface.shape[1], members.decay.size
    amplitudes = np.empty((sites, modes))
    for s in range(sites):
        for n in range(modes):
            amplitudes[s, n] = members.numbers[m, 12] * members.uniform[n]
    alloy = np.full(1, members.numbers[m, 13] / members.alloy_range)
    return State(amplitudes, np.zeros(sites), alloy)


@compiled
def _task(schedules, s, area):
    """A step per area [m2] of the cell."""
    control, scale = schedules.control[s], 1.0
    if control == RESISTANCE:
        scale = area
    elif control != VOLTAGE:
        scale = 1 / area
    first, last = schedules.knot_at[s], schedules.knot_at[s + 1]
    knots, currents = np.empty(last - first), np.empty(last - first)
    for n in range(first, last):
        knots[n - first], currents[n - first] = schedules.knots[n], schedules.currents[n] * scale
    first, last = schedules.end_at[s], schedules.end_at[s + 1]
    measures, limits = np.empty(last - first, np.int64), np.empty(last - first)
    signs = np.empty(last - first)
    for n in range(first, last):
        measure, per = schedules.measures[n], 1 / area
        if measure == OF_VOLTAGE:
            per = 1.0
        elif measure == OF_CHARGE:
            per = _SECONDS / area
        measures[n - first], limits[n - first] = measure, schedules.limits[n] * per
        signs[n - first] = schedules.signs[n]
    value = schedules.value[s] * scale if control != CURRENT else 0.0
    return Task(
        control, value, knots, currents, measures, limits, signs, schedules.duration[s], 0.0
    )  # fmt: skip


@compiled
def _measure(cell, task, alloy, ends, potentials, flows, found):
    """What is found of a step."""
    duration = ends[-1]
    charge, energy, before, after = totals(cell, task, alloy, ends, potentials, flows)
    seen = look(
        cell, task, alloy, ends, potentials, flows, np.array([0.0, 0.5 * duration, duration])
    )
    found[DURATION], found[CHARGE], found[ENERGY] = duration, charge, energy
    found[ANODE_START], found[ANODE_END], found[ALLOY_START] = before, after, alloy
    found[V_START], found[V_HALF], found[V_END] = seen[0, 0], seen[0, 1], seen[0, 2]
    found[I_START], found[I_END] = seen[1, 0], seen[1, 2]


@compiled
def run(members, schedules, rtol, atol, first, last, found, how, alone, kept):
    """Take members from ``first`` to before ``last`` through their tests.

    Parameters
    ----------
    members : Members
    schedules : Schedules
    rtol, atol : float
        As for `integrate`.
    first, last : int
    found : numpy.ndarray
        Takes the numbers of each step, shape (members, steps, FOUND).
    how : numpy.ndarray
        Takes how it ended and the number of the end, shape (members, steps, 2).
    alone : numpy.ndarray
        Takes whether a step of the member failed, shape (members,); then it was given up.
    kept : Kept
        Takes the samples if they are wanted.

    Returns
    -------
    int
        The member before which it stopped: ``last`` unless there was no more room.
    """
    used = 0
    for m in range(first, last):
        cell, state = cell_of(members, m), _start(members, m)
        for k in range(schedules.steps):
            s = schedules.of[m] * schedules.steps + k
            task, alloy = _task(schedules, s, members.numbers[m, 11]), state.alloy[0]
            outcome, which, ends, potentials, flows, _ = integrate(cell, state, task, rtol, atol)
            how[m, k, 0], how[m, k, 1] = outcome, which
            if outcome == AT_START:
                continue
            over = outcome == TIME_OVER and not schedules.open_ended[s]
            if not (outcome == ENDED or over):
                alone[m] = True
                break
            n = ends.size
            while n > 2 and ends[n - 1] == ends[n - 2]:  # the end was where it had arrived
                n -= 1
            size = PARTS * (n - 1) + 1
            ends, potentials, flows = ends[:n], potentials[:size], flows[:size]
            _measure(cell, task, alloy, ends, potentials, flows, found[m, k])
            if kept.wanted:
                if used + n > kept.ends.size:
                    return m
                kept.place[m, k, 0], kept.place[m, k, 1] = used, n
                for q in range(n):
                    kept.ends[used + q] = ends[q]
                for q in range(size):
                    kept.potentials[PARTS * used + q] = potentials[q]
                    kept.flows[PARTS * used + q] = flows[q]
                used += n
    return last
