"""How the samples of a step change along directions: potentials and current densities."""

from __future__ import annotations

from ssnib_model.solvers.kernel import rodas
from ssnib_model.solvers.kernel.compiled import compiled, inner
from ssnib_model.solvers.kernel.composite import (
    interface,
    uneven_resistance,
    uniformity,
    uniformity_slopes,
    weights_of_voltage,
)
from ssnib_model.solvers.kernel.composite_change import interface_change
from ssnib_model.solvers.kernel.control import cathode
from ssnib_model.solvers.kernel.one_step import INSIDE, PARTS, QUARTERS
from ssnib_model.solvers.kernel.rodas import within


@inner
def potential_change(cell, change, sides, J, sto, delta, i, J_change, sto_change, delta_change,
                      i_change, result):  # fmt: skip
    """Change of `control.cathode`, into ``result``; full: of the three points it needs."""
    if not cell.reduced:
        points = delta.size
        first, before, last, of_i = weights_of_voltage(cell)
        for p in range(result.size):
            result[p] = (
                first * delta_change[0, p] + change.weights[0, p] * delta[0]
                + before * delta_change[points - 2, p] + change.weights[1, p] * delta[points - 2]
                + last * delta_change[points - 1, p] + change.weights[2, p] * delta[points - 1]
                + of_i * i_change[p] + change.weights[3, p] * i
            )  # fmt: skip
        return
    nu_squared = uniformity(cell, J, sto)
    resistance, bend = uneven_resistance(cell.L, cell.sigma_s, cell.sigma_e, nu_squared)
    for p in range(result.size):
        result[p] = delta_change[0, p] - i_change[p] * resistance
    for c in range(J.size):
        of_J, of_sto = uniformity_slopes(cell, c, J[c], sto[c])
        for p in range(result.size):
            moved = of_J * J_change[c, p] + of_sto * sto_change[c, p]
            result[p] -= i * bend * moved
    for p in range(result.size):
        if change.acts_on_unevenness[p]:
            result[p] += _of_cell(sides, p, i, J, sto, delta)


@compiled
def _of_cell(sides, p, i, J, sto, delta):
    """What the change of the cell alone does to `control.cathode`."""
    return (cathode(sides[p][0], i, J, sto, delta) - cathode(sides[p][1], i, J, sto, delta)) / 2


@inner
def _within(before, after, changes, part, result):
    """The dense output of a step of RODAS, of all directions: as `rodas.within`."""
    rest = 1 - part
    for p in range(result.size):
        c3, c4 = 0.0, 0.0
        for s in range(5):
            c3 += rodas.D[0, s] * changes[s, p]
            c4 += rodas.D[1, s] * changes[s, p]
        result[p] = rest * before[p] + part * (after[p] + rest * (c3 + part * c4))


@inner
def between_change(cell, change, sides, state, state_change, now, now_change, i, work, changes, at,
             potentials, flows):  # fmt: skip
    """Changes of the potentials and current densities at the quarters inside a step."""
    points, classes, directions = cell.points, cell.surface.size, flows.shape[1]
    used, room = classes if cell.reduced else 1, changes.room
    J, sto, delta = work.of_classes[0][:used], work.of_classes[1][:used], work.of_points[0]
    J_change, sto_change = room.of_classes[0][:used], room.of_classes[1][:used]
    h_change, delta_change, h = room.of_directions[0], room.of_points[0], 0.0
    hysteretic = cell.gap_rate[0] > 0
    for q in range(1, PARTS):
        part = q / PARTS
        current = rodas.scalar_within(i, work.scalars[0], work.changes_current, part)
        _within(now_change.i, changes.end_current, changes.current, part, flows[at + q])
        for turn in range(1 if cell.reduced else 3):  # the points that the voltage needs
            k = points - 3 + turn if turn > 0 else 0
            for c in range(used):
                n = k * classes + c
                J[c] = within(now.J, work.J, work.changes_J, n, part)
                sto[c] = within(now.sto, work.sto, work.changes_sto, n, part)
                _within(now_change.J[n], changes.end_J[n], changes.J[:, n], part, J_change[c])
                _within(
                    now_change.sto[n], changes.end_sto[n], changes.sto[:, n], part, sto_change[c]
                )
            n = k * classes
            delta[k] = interface(
                cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], J[0], sto[0]
            )
            interface_change(
                cell, change, 0, J[0], sto[0], J_change[0], sto_change[0], delta_change[k]
            )
            if hysteretic:
                h = within(state.hysteresis, work.hysteresis, work.changes_hysteresis, n, part)
                _within(
                    state_change.hysteresis[n], changes.end_hysteresis[n],
                    changes.hysteresis[:, n], part, h_change,
                )  # fmt: skip
                delta[k] += cell.half_gap * h
                for p in range(directions):
                    delta_change[k, p] += change.half_gap[p] * h + cell.half_gap * h_change[p]
        potential_change(
            cell, change, sides, J, sto, delta, current, J_change, sto_change, delta_change,
            flows[at + q], potentials[at + q],
        )  # fmt: skip


@inner
def keep_charge(cell, change, stretch, h, work, changes, at, currents, flows):
    """Change of what `integrate.take` adds to current densities for the sake of the charge."""
    moved = work.changes_alloy[5]
    for s in range(5):
        moved += rodas.A[5, s] * work.changes_alloy[s]
    for p in range(stretch.size):
        moved_change = changes.alloy[5, p]
        for s in range(5):
            moved_change += rodas.A[5, s] * changes.alloy[s, p]
        moved_change -= moved * (change.alloy_rate[p] / cell.alloy_rate + stretch[p])
        short = moved_change / (h * cell.alloy_rate)
        for q in range(PARTS):
            for r in range(PARTS + 1):
                short -= QUARTERS[q, r] * flows[at + r, p]
        for q in range(1, PARTS):
            flows[at + q, p] += short / INSIDE
