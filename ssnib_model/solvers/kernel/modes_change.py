"""How the modes of diffusion change along directions, and what stages of RODAS see of them.

A mode goes with ``g = 1 / (1 / gamma - h lambda)``, which a relative change ``rho`` of its rate or
of the length of a step changes by ``rho (g**2 / gamma - g)``; so sums over powers of g suffice.
"""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import contracted, dot
from ssnib_model.solvers.kernel.rodas import GAMMA, POWERS, STAGES, P, Q, R, T


@contracted
def change_uptakes(cell, change, stretch, h, work, uptakes_change, gains):
    """Change of ``work.uptakes``; the gain of every mode goes into ``gains``."""
    classes, modes = cell.decay.shape
    directions = stretch.size
    sums = np.empty(POWERS + 1)
    for c in range(classes):
        for power in range(POWERS + 1):
            sums[power] = 0.0
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            gains[c, m] = gain
            value = h * cell.surface_of[m] * cell.uptake[c, m]
            for power in range(POWERS + 1):
                sums[power] += value
                value *= gain
        for s in range(STAGES):
            for q in range(s + 1):
                slope = 0.0
                for k in range(1, POWERS):
                    slope += Q[s, q, k] * k * (sums[k + 1] / GAMMA - sums[k])
                for p in range(directions):
                    uptakes_change[c, s, q, p] = (
                        (change.log_uptake[c, p] + stretch[p]) * work.uptakes[c, s, q]
                        + (change.log_decay[c, p] + stretch[p]) * slope
                    )  # fmt: skip


@contracted
def change_memory(cell, change, stretch, z, z_change, work, gains, memory_change):
    """Change of what of the modes is left on the surfaces at the stages, without reaction."""
    sites, modes = z.shape
    classes, directions = cell.surface.size, stretch.size
    weighted = np.empty((POWERS + 1, modes))
    sums, sums_change = np.empty(POWERS + 1), np.empty((POWERS, directions))
    for c in range(classes):
        for m in range(modes):
            for k in range(POWERS):
                weighted[k, m] = cell.surface_of[m] * work.powers[c, k, m]
            weighted[POWERS, m] = weighted[POWERS - 1, m] * gains[c, m]
        for n in range(c, sites, classes):
            for k in range(POWERS + 1):
                sums[k] = dot(weighted[k], z[n])
            for k in range(POWERS):
                for p in range(directions):
                    sums_change[k, p] = 0.0
                for m in range(modes):
                    w = weighted[k, m]
                    for p in range(directions):
                        sums_change[k, p] += w * z_change[n, m, p]
                slope = k * (sums[k + 1] / GAMMA - sums[k])
                for p in range(directions):
                    sums_change[k, p] += slope * (change.log_decay[c, p] + stretch[p])
            for s in range(STAGES):
                for p in range(directions):
                    memory_change[s, n, p] = 0.0
                for k in range(POWERS):
                    for p in range(directions):
                        memory_change[s, n, p] += P[s, k] * sums_change[k, p]


@contracted
def change_modes(cell, change, stretch, z, z_change, h, work, changes):
    """Change of the modes at the end of the step, in place; ``z`` are those at its start."""
    sites, modes = z.shape
    classes, directions = cell.surface.size, stretch.size
    keep, bend = np.empty(modes), np.empty(modes)
    takes, take_bends = np.empty((STAGES, modes)), np.empty((STAGES, modes))
    for c in range(classes):
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            excess = gain / GAMMA - 1  # g' = rho g excess
            keep[m], bend[m], power = R[0], 0.0, 1.0
            for s in range(STAGES):
                takes[s, m], take_bends[s, m] = 0.0, 0.0
            for k in range(1, POWERS):
                power *= gain
                keep[m] += R[k] * power
                bend[m] += R[k] * k * power * excess
                for s in range(STAGES):
                    takes[s, m] += T[s, k] * power
                    take_bends[s, m] += T[s, k] * k * power * excess
            if cell.decay[c, m] == 0:
                keep[m], bend[m] = 1.0, 0.0
            for s in range(STAGES):
                takes[s, m] *= h * cell.uptake[c, m]
                take_bends[s, m] *= h * cell.uptake[c, m]
        for n in range(c, sites, classes):
            for m in range(modes):
                of_decay, of_uptake, kept = bend[m] * z[n, m], 0.0, keep[m]
                for s in range(STAGES):
                    of_decay += take_bends[s, m] * work.forced[s, n]
                    of_uptake += takes[s, m] * work.forced[s, n]
                t0, t1, t2 = takes[0, m], takes[1, m], takes[2, m]
                t3, t4, t5 = takes[3, m], takes[4, m], takes[5, m]
                for p in range(directions):
                    z_change[n, m, p] = (
                        kept * z_change[n, m, p]
                        + of_decay * (change.log_decay[c, p] + stretch[p])
                        + of_uptake * (change.log_uptake[c, p] + stretch[p])
                        + t0 * changes.forced[0, n, p] + t1 * changes.forced[1, n, p]
                        + t2 * changes.forced[2, n, p] + t3 * changes.forced[3, n, p]
                        + t4 * changes.forced[4, n, p] + t5 * changes.forced[5, n, p]
                    )  # fmt: skip
