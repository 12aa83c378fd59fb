"""Directions: small changes of a cell, of what is done to it, and of where it starts.

A derivative along a direction is kept as the change itself, to first order: of order `SMALL` of
what changes, so that an explicit function may be differentiated by its values on either side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel.cell import Cell, Task
from ssnib_model.solvers.kernel.compiled import compiled

#: Relative size of a change: its square is lost in what is divided by it, round-off is not.
SMALL = 1e-6


class CellChange(NamedTuple):
    """Of a `Cell`, its tables apart; all of shape (directions,), of classes (classes, ...)."""

    L: np.ndarray
    sigma_s: np.ndarray
    sigma_e: np.ndarray
    series: np.ndarray
    anode_j0: np.ndarray
    thermal: np.ndarray
    film: np.ndarray
    j0: np.ndarray
    surface: np.ndarray
    log_decay: np.ndarray  #: relative, the same for all modes
    log_uptake: np.ndarray
    half_gap: np.ndarray
    gap_rate: np.ndarray
    alloy_rate: np.ndarray
    kappa: np.ndarray  #: of `coupling`
    drift: np.ndarray
    weights: np.ndarray  #: of `weights_of_voltage`, shape (4, directions)
    acts_on_unevenness: np.ndarray  #: whether any of what `uneven_resistance` rests on changes


class TaskChange(NamedTuple):
    """Of a `Task`."""

    value: np.ndarray  #: shape (directions,)
    currents: np.ndarray  #: shape (knots, directions)
    limits: np.ndarray  #: shape (ends, directions)


class StateChange(NamedTuple):
    """Of a `State`, which a step changes in place."""

    modes: np.ndarray  #: shape (sites, modes, directions)
    hysteresis: np.ndarray  #: shape (sites, directions)
    alloy: np.ndarray  #: shape (directions,)


class NowChange(NamedTuple):
    """Of a `Now`, and of the current density."""

    J: np.ndarray  #: shape (sites, directions)
    sto: np.ndarray
    delta: np.ndarray  #: shape (points, directions)
    i: np.ndarray  #: shape (directions,)


@compiled
def moved(cell, change, p, sign):
    """A cell moved along a direction or against it, but for its modes of diffusion."""
    classes = cell.surface.size
    surface, gap_rate = np.empty(classes), np.empty(classes)
    for c in range(classes):
        surface[c] = cell.surface[c] + sign * change.surface[c, p]
        gap_rate[c] = cell.gap_rate[c] + sign * change.gap_rate[c, p]
    return Cell(
        cell.reduced,
        cell.points,
        cell.L + sign * change.L[p],
        cell.sigma_s + sign * change.sigma_s[p],
        cell.sigma_e + sign * change.sigma_e[p],
        cell.series + sign * change.series[p],
        cell.anode_j0 + sign * change.anode_j0[p],
        cell.thermal + sign * change.thermal[p],
        cell.film + sign * change.film[p],
        cell.j0 + sign * change.j0[p],
        surface,
        cell.decay,
        cell.uptake,
        cell.surface_of,
        cell.half_gap + sign * change.half_gap[p],
        gap_rate,
        cell.ocp,
        cell.alloy,
        cell.alloy_rate + sign * change.alloy_rate[p],
        cell.scale,
    )


@compiled
def moved_task(task, change, p, sign):
    """What is imposed where it is not a current, moved likewise."""
    return Task(
        task.control, task.value + sign * change.value[p], task.knots, task.currents,
        task.measures, task.limits, task.signs, task.duration, task.offset,
    )  # fmt: skip


@compiled
def moved_by(values, changes, p, sign):
    """An array moved likewise; changes have the directions last."""
    result = np.empty(values.size)
    for n in range(values.size):
        result[n] = values[n] + sign * changes[n, p]
    return result
