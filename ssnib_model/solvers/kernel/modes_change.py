"""How the modes of diffusion change along directions, and what stages of RODAS see of them.

A mode goes with ``g = 1 / (1 / gamma - h lambda)``, which a relative change ``rho`` of its rate or
of the length of a step changes by ``rho (g**2 / gamma - g)``; so sums over powers of g suffice.
"""

from __future__ import annotations

from ssnib_model.solvers.kernel.compiled import dot, inner_contracted, multiply
from ssnib_model.solvers.kernel.rodas import GAMMA, POWERS, STAGES, Q, R, T


@inner_contracted
def change_uptakes(cell, h, room):
    """Change of `rodas.Work.uptakes` per relative change of the decay, into ``room.bends``.

    The gain of every mode goes into ``room.gains``.
    """
    classes, modes = cell.decay.shape
    bends, gains, sums = room.bends, room.gains, room.sums
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
                bends[c, s, q] = slope


@inner_contracted
def change_memory(cell, decays, z, z_change, work, room):
    """Change of what of the modes is left on the surfaces at the stages, without reaction.

    ``decays`` are the relative changes of the decays times the step, shape (classes, directions);
    it goes into ``room.memory``.
    """
    sites, modes = z.shape
    classes, directions = decays.shape
    gains, weighted, last = room.gains, work.of_modes, room.of_modes[0]
    sums, sums_change = room.sums, room.sums_change
    for c in range(classes):
        for m in range(modes):
            for k in range(POWERS):
                weighted[k, m] = cell.surface_of[m] * work.powers[c, k, m]
            last[m] = weighted[POWERS - 1, m] * gains[c, m]
        for n in range(c, sites, classes):
            for k in range(POWERS):
                sums[k] = dot(weighted[k], z[n])
            sums[POWERS] = dot(last, z[n])
            multiply(weighted, z_change[n], sums_change)
            for k in range(1, POWERS):
                slope = k * (sums[k + 1] / GAMMA - sums[k])
                for p in range(directions):
                    sums_change[k, p] += slope * decays[c, p]
            multiply(room.stages, sums_change, room.memory[n])


@inner_contracted
def change_modes(cell, z, z_change, h, work, changes):
    """Change of the modes at the end of the step, in place; ``z`` are those at its start."""
    sites, modes = z.shape
    decays, uptakes, room = changes.decays, changes.uptakes, changes.room
    classes, directions = decays.shape
    keep, bend = room.of_modes[0], room.of_modes[1]
    takes, take_bends = room.takes[0], room.takes[1]
    forced, taken = room.forced, room.taken
    for c in range(classes):
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            excess = gain / GAMMA - 1  # g' = rho g excess
            keep[m], bend[m], power = R[0], 0.0, 1.0
            for s in range(STAGES):
                takes[m, s], take_bends[m, s] = 0.0, 0.0
            for k in range(1, POWERS):
                power *= gain
                keep[m] += R[k] * power
                bend[m] += R[k] * k * power * excess
                for s in range(STAGES):
                    takes[m, s] += T[s, k] * power
                    take_bends[m, s] += T[s, k] * k * power * excess
            if cell.decay[c, m] == 0:
                keep[m], bend[m] = 1.0, 0.0
            for s in range(STAGES):
                takes[m, s] *= h * cell.uptake[c, m]
                take_bends[m, s] *= h * cell.uptake[c, m]
        for n in range(c, sites, classes):
            for s in range(STAGES):
                for p in range(directions):
                    forced[s, p] = changes.forced[s, n, p]
            multiply(takes, forced, taken)
            for m in range(modes):
                of_decay, of_uptake, kept = bend[m] * z[n, m], 0.0, keep[m]
                for s in range(STAGES):
                    of_decay += take_bends[m, s] * work.forced[s, n]
                    of_uptake += takes[m, s] * work.forced[s, n]
                for p in range(directions):
                    z_change[n, m, p] = (
                        kept * z_change[n, m, p] + taken[m, p]
                        + of_decay * decays[c, p] + of_uptake * uptakes[c, p]
                    )  # fmt: skip
