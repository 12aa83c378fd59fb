"""How all that goes with the states at the start of a step changes along directions."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.cell import CURRENT
from ssnib_model.solvers.kernel.compiled import compiled
from ssnib_model.solvers.kernel.composite import coupling, factorise, imbalance_of_current, solve
from ssnib_model.solvers.kernel.composite_change import (
    imbalance_change,
    interface_change,
    kinetics,
    solve_all,
)
from ssnib_model.solvers.kernel.control import of_differences, slopes
from ssnib_model.solvers.kernel.control_change import residual_change


@compiled
def begin_change(
    cell, change, sides, task, task_change, state, state_change, now, now_change, i, ramp
):
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
        cost_J, cost_sto = np.empty(classes), np.empty(classes)
        first, before, last, border, _ = slopes(
            cell, task, i, place, J, sto, delta, cost_J, cost_sto
        )
        border += of_differences(first, before, last, by_current)
        for c in range(classes if cell.reduced else 0):
            border += cost_J[c] * ease[c] * by_current[0]
    n = 0
    for k in range(points):
        for _ in range(classes):
            for p in range(directions):
                now_change.J[n, p] = (d[k, p] - known[n, p]) * ease[n]
            n += 1
    for p in range(directions if free else 0):
        missed = residual_change(
            sides, task, task_change, p, i, 0.0, state.alloy[0], state_change.alloy[p],
            J, now_change.J, sto, now_change.sto, delta, d,
        )  # fmt: skip
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
