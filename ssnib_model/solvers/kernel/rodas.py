"""One step in time, by RODAS: a stiffly accurate Rosenbrock method of order 4.

Hairer and Wanner 1996, *Solving Ordinary Differential Equations II*, section VI.4. The modes of
diffusion are linear and each goes its own way, so that what a stage does to them is a polynomial
in ``g = 1 / (1 / gamma - h lambda)``, the same at every site: a stage needs their sums over the
powers of g only, and the modes themselves are touched once a step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.kernel.cell import CURRENT
from ssnib_model.solvers.kernel.compiled import compiled, dot, inner, reordered
from ssnib_model.solvers.kernel.composite import (
    coupling,
    factorise,
    imbalance,
    imbalance_of_current,
    interface,
    interface_slopes,
    solve,
)
from ssnib_model.solvers.kernel.control import of_differences, residual, slopes

STAGES = 6
GAMMA = 0.25
#: Weights of the stages in the arguments of later ones; the last row and 1 in the result.
A = np.array([
    [0, 0, 0, 0, 0, 0],
    [1.544, 0, 0, 0, 0, 0],
    [0.9466785280815826, 0.2557011698983284, 0, 0, 0, 0],
    [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0, 0, 0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0, 0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 0],
])  # fmt: skip
#: Weights of the stages, over the step, in the right-hand sides of later ones.
C = np.array([
    [0, 0, 0, 0, 0, 0],
    [-5.6688, 0, 0, 0, 0, 0],
    [-2.430093356833875, -0.2063599157091915, 0, 0, 0, 0],
    [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0, 0, 0],
    [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0, 0],
    [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
     -6.058818238834054, 0],
])  # fmt: skip
#: Weights of the first five stages in the dense output.
D = np.array([
    [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823,
     1.025137723295662],
    [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386,
     -6.594389125716872],
])  # fmt: skip


def _polynomials():
    """What stages do to a mode ``z' = lambda z + b J``, as polynomials in g.

    Stage s changes it by ``P_s z + h b sum_q Q_sq J_q``, with ``J_q`` the reaction of stage q; the
    step takes it to ``R z + h b sum_q T_q J_q``. Coefficients by rising power.
    """
    P = np.zeros((STAGES, STAGES + 1))
    Q = np.zeros((STAGES, STAGES, STAGES + 1))

    def by_gain(a, c, polynomial):  # times (h lambda a + c) g, where h lambda = 1 / gamma - 1 / g
        raised = np.append(0.0, polynomial[:-1])
        return (a / GAMMA + c) * raised - a * polynomial

    one = np.zeros(STAGES + 1)
    one[0] = 1
    for s in range(STAGES):
        P[s] = by_gain(1.0, 0.0, one)
        Q[s, s, 1] = 1
        for p in range(s):
            P[s] += by_gain(A[s, p], C[s, p], P[p])
            for q in range(p + 1):
                Q[s, q] += by_gain(A[s, p], C[s, p], Q[p, q])
    weights = np.append(A[-1, :5], 1.0)
    R, T = one + weights @ P, np.tensordot(weights, Q, 1)
    return P, Q, R, T


P, Q, R, T = _polynomials()
R[0] = 0.0  # but for round-off: what is infinitely fast has no memory
#: Powers that occur.
POWERS = STAGES + 1


#: Of a stoichiometry at a surface, a sum over modes and stages of both signs.
ROUND_OFF = 1e-14


class Work(NamedTuple):
    """Room for a step: what its stages change, and what the step arrives at."""

    powers: np.ndarray  #: of g, shape (classes, POWERS, modes)
    uptakes: np.ndarray  #: of a stage's surface by the reaction of another, (classes, 6, 6)
    forced: np.ndarray  #: reactions of the stages, shape (6, sites)
    changes_J: np.ndarray  #: shape (6, sites)
    changes_sto: np.ndarray
    changes_hysteresis: np.ndarray
    changes_difference: np.ndarray  #: shape (6, points)
    changes_current: np.ndarray  #: shape (6,)
    changes_alloy: np.ndarray
    J: np.ndarray  #: at the end of the step, shape (sites,)
    sto: np.ndarray
    hysteresis: np.ndarray
    difference: np.ndarray  #: shape (points,)
    scalars: np.ndarray  #: current density and place of the anode at the end
    unknown_J: np.ndarray  #: what round-off of the surface leaves open of J, shape (sites,)
    memory: np.ndarray  #: what of the modes is on the surfaces at the stages, shape (6, sites)
    of_sites: np.ndarray  #: for what `step` needs, shape (8, sites)
    of_points: np.ndarray  #: shape (5, points)
    of_classes: np.ndarray  #: shape (2, classes)
    of_modes: np.ndarray  #: shape (POWERS, modes)
    sums: np.ndarray  #: shape (POWERS,)


@compiled
def room(sites, points, classes, modes):
    """An empty `Work`."""
    return Work(
        np.empty((classes, POWERS, modes)),
        np.empty((classes, STAGES, STAGES)),
        np.empty((STAGES, sites)),
        np.empty((STAGES, sites)),
        np.empty((STAGES, sites)),
        np.empty((STAGES, sites)),
        np.empty((STAGES, points)),
        np.empty(STAGES),
        np.empty(STAGES),
        np.empty(sites),
        np.empty(sites),
        np.empty(sites),
        np.empty(points),
        np.empty(2),
        np.empty(sites),
        np.empty((STAGES, sites)),
        np.empty((8, sites)),
        np.empty((5, points)),
        np.empty((2, classes)),
        np.empty((POWERS, modes)),
        np.empty(POWERS),
    )


@inner
def _modes(cell, h, work):
    """Powers of the gain of every mode, and how the reaction of a stage acts on the surface."""
    classes, modes = cell.decay.shape
    weighted, sums = work.of_modes[0], work.sums
    for c in range(classes):
        powers = work.powers[c]
        for m in range(modes):
            gain = 1 / (1 / GAMMA - h * cell.decay[c, m])
            power = 1.0
            for p in range(POWERS):
                powers[p, m] = power
                power *= gain
            weighted[m] = h * cell.surface_of[m] * cell.uptake[c, m]
        for p in range(POWERS):
            sums[p] = dot(powers[p], weighted)
        for s in range(STAGES):
            for q in range(s + 1):
                work.uptakes[c, s, q] = dot(Q[s, q], sums)


@reordered
def _memory(cell, z, work):
    """What of the modes is left on the surface of every site at every stage, without reaction."""
    sites, modes = z.shape
    classes = cell.surface.size
    weighted, sums, memory = work.of_modes, work.sums, work.memory
    for c in range(classes):
        for p in range(POWERS):
            for m in range(modes):
                weighted[p, m] = cell.surface_of[m] * work.powers[c, p, m]
        for n in range(c, sites, classes):
            for p in range(POWERS):
                total = 0.0
                for m in range(modes):
                    total += weighted[p, m] * z[n, m]
                sums[p] = total
            for s in range(STAGES):
                total = 0.0
                for p in range(POWERS):
                    total += P[s, p] * sums[p]
                memory[s, n] = total


@inner
def advance(cell, z, h, work):
    """The modes at the end of the step, in place."""
    sites, modes = z.shape
    classes = cell.surface.size
    keep, take = work.of_modes[0], work.of_modes[1:]
    for c in range(classes):
        for m in range(modes):
            keep[m] = 0.0
            for q in range(STAGES):
                take[q, m] = 0.0
        for p in range(1, POWERS):
            powers = work.powers[c, p]
            for m in range(modes):
                keep[m] += R[p] * powers[m]
            for q in range(STAGES):
                for m in range(modes):
                    take[q, m] += T[q, p] * powers[m]
        for m in range(modes):
            if cell.decay[c, m] == 0:  # the mean keeps what it has, to the last digit
                keep[m] = 1.0
            for q in range(STAGES):
                take[q, m] *= h * cell.uptake[c, m]
        for n in range(c, sites, classes):
            g0, g1, g2 = work.forced[0, n], work.forced[1, n], work.forced[2, n]
            g3, g4, g5 = work.forced[3, n], work.forced[4, n], work.forced[5, n]
            row = z[n]
            for m in range(modes):
                row[m] = (
                    keep[m] * row[m] + take[0, m] * g0 + take[1, m] * g1 + take[2, m] * g2
                    + take[3, m] * g3 + take[4, m] * g4 + take[5, m] * g5
                )  # fmt: skip


@inner
def step(cell, task, slope, state, i, J, sto, delta, h, work):
    """Take the stages of a step of ``h`` [s], and what it arrives at, into ``work``.

    Parameters
    ----------
    cell : Cell
    task : Task
        What is imposed: its control and value.
    slope : float
        How fast an imposed current rises [A.m-2.s-1].
    state : State
        Differential states at the start; not changed.
    i : float
        Current density at the start.
    J, sto, delta : numpy.ndarray
        Reaction and stoichiometry of the surface of every site, and potential difference of every
        point, at the start.
    h : float
        Length [s].
    work : Work
        Room; see there.
    """
    z, hysteresis, place = state.modes, state.hysteresis, state.alloy[0]
    points, surface, rates = cell.points, cell.surface, cell.gap_rate
    classes, sites = surface.size, J.size
    ocp, j0, film, thermal, half_gap = cell.ocp, cell.j0, cell.film, cell.thermal, cell.half_gap
    hysteretic = rates[0] > 0
    new_J, new_sto, new_h, new_delta = work.J, work.sto, work.hysteresis, work.difference
    uptakes, forced = work.uptakes, work.forced
    changes_J, changes_sto, changes_h = work.changes_J, work.changes_sto, work.changes_hysteresis
    changes_delta, changes_i = work.changes_difference, work.changes_current
    changes_place = work.changes_alloy
    kappa, drift = coupling(points, cell.L, cell.sigma_s, cell.sigma_e)
    _modes(cell, h, work)

    # the Jacobian, reduced to one unknown a point; and what of the modes the stages need
    _memory(cell, z, work)
    memory = work.memory
    sites_, points_, classes_ = work.of_sites, work.of_points, work.of_classes
    of_sto, ease, start, rho, known = sites_[0], sites_[1], sites_[2], sites_[3], sites_[4]
    gain_h, bend, bent = sites_[5], sites_[6], sites_[7]
    conductances, low, pivot, d, by_current = (
        points_[0], points_[1], points_[2], points_[3], points_[4],
    )  # fmt: skip
    total_conductance, n = 0.0, 0
    for k in range(points):
        conductances[k] = 0.0
        for c in range(classes):
            start[n], of_J, of_sto[n] = interface_slopes(
                ocp, j0, thermal, film, surface[c], J[n], sto[n]
            )
            gain_h[n] = 1 / (1 / (GAMMA * h) + abs(rates[c] * J[n]))
            bend[n] = rates[c] * (1 - np.sign(J[n]) * hysteresis[n])
            of_J += of_sto[n] * uptakes[c, 0, 0] + half_gap * gain_h[n] * bend[n]
            ease[n] = 1 / of_J
            work.unknown_J[n] = ROUND_OFF * abs(of_sto[n] * ease[n])
            conductances[k] += ease[n]
            n += 1
        total_conductance += conductances[k]
    factorise(kappa, conductances, low, pivot)

    # and the border, where the current is an unknown too
    free = task.control != CURRENT
    first, before, last, of_i, of_place, border = 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
    cost_J, cost_sto = classes_[0], classes_[1]
    if free:
        first, before, last, of_i, of_place = slopes(
            cell, task, i, place, J, sto, delta, cost_J, cost_sto
        )
        for k in range(points):
            by_current[k] = -imbalance_of_current(points, drift, k)
        solve(kappa, low, pivot, by_current)
        border = of_i + of_place * GAMMA * h * cell.alloy_rate
        border += of_differences(first, before, last, by_current)
        if cell.reduced:
            for c in range(classes):
                of_J = cost_J[c] + cost_sto[c] * uptakes[c, 0, 0]
                border += of_J * ease[c] * by_current[0]

    for s in range(STAGES):
        new_i, new_place, change_i, change_place = i, place, h * slope, 0.0
        for p in range(s):
            new_i += A[s, p] * changes_i[p]
            new_place += A[s, p] * changes_place[p]
            change_i += C[s, p] * changes_i[p]
            change_place += C[s, p] * changes_place[p]
        change_i *= GAMMA
        combine(s, J, changes_J, new_J)
        combine(s, sto, changes_sto, new_sto)
        combine(s, delta, changes_delta, new_delta)
        if hysteretic:
            combine(s, hysteresis, changes_h, new_h)
        known_current = new_i if free else new_i + change_i
        n = 0
        for k in range(points):
            d[k] = -imbalance(points, kappa, drift, known_current, new_delta, k)
            for c in range(classes):
                f = start[n]
                if s > 0:
                    f = interface(ocp, j0, thermal, film, surface[c], new_J[n], new_sto[n])
                # the surface with the reaction that the stage starts from; its change comes below
                q = memory[s, n] + uptakes[c, s, s] * new_J[n]
                for p in range(s):
                    q += uptakes[c, s, p] * forced[p, n]
                known[n] = q
                if hysteretic:
                    rest = rates[c] * new_J[n] - abs(rates[c] * new_J[n]) * new_h[n]
                    for p in range(s):
                        rest += C[s, p] * changes_h[p, n] / h
                    bent[n] = rest
                    f += half_gap * (new_h[n] + gain_h[n] * rest)
                rho[n] = f - new_delta[k] + of_sto[n] * q
                d[k] += rho[n] * ease[n] - new_J[n]
                n += 1
        solve(kappa, low, pivot, d)
        if free:
            missing = residual(cell, task, new_i, new_place, new_J, new_sto, new_delta)
            missing += of_differences(first, before, last, d)
            missing += of_place * GAMMA * (h * cell.alloy_rate * new_i + change_place)
            if cell.reduced:
                for c in range(classes):
                    v = (d[0] - rho[c]) * ease[c]
                    missing += cost_J[c] * v + cost_sto[c] * (known[c] + uptakes[c, 0, 0] * v)
            change_i = -missing / border
            for k in range(points):
                d[k] += change_i * by_current[k]
        # the charge of the composite to the last digit, which the large kappa may have cost
        excess, n = points * (new_i + change_i), 0
        for k in range(points):
            for _ in range(classes):
                excess += new_J[n] + (d[k] - rho[n]) * ease[n]
                n += 1
        shift, n = -excess / total_conductance, 0
        for k in range(points):
            changes_delta[s, k] = d[k] + shift
            for c in range(classes):
                v = (d[k] - rho[n] + shift) * ease[n]
                changes_J[s, n] = v
                forced[s, n] = new_J[n] + v
                changes_sto[s, n] = known[n] + uptakes[c, s, s] * v
                if hysteretic:
                    changes_h[s, n] = gain_h[n] * (bent[n] + bend[n] * v)
                n += 1
        changes_i[s] = change_i
        changes_place[s] = GAMMA * (h * cell.alloy_rate * (new_i + change_i) + change_place)

    # the last stage starts from what the step would be without it
    for n in range(sites):
        new_J[n] += changes_J[5, n]
        new_sto[n] += changes_sto[5, n]
        if hysteretic:
            new_h[n] += changes_h[5, n]
    for k in range(points):
        new_delta[k] += changes_delta[5, k]
    work.scalars[0] = new_i + changes_i[5]
    work.scalars[1] = new_place + changes_place[5]


@reordered
def combine(s, start, changes, result):
    """What a stage starts from: a state and what earlier stages change in it."""
    for n in range(result.size):
        result[n] = start[n]
    for p in range(s):
        a = A[s, p]
        if a != 0:
            for n in range(result.size):
                result[n] += a * changes[p, n]


@inner
def error(cell, J, sto, work, rtol, atol):
    """Error of a step over the tolerances, of the states of the interface."""
    sites = J.size
    i, total = work.scalars[0], 0.0
    for n in range(sites):
        scale_J = rtol * max(abs(J[n]), abs(work.J[n]), abs(i), cell.scale)
        scale_J += work.unknown_J[n]
        scale_sto = atol + rtol * abs(sto[n])
        total += (work.changes_J[5, n] / scale_J) ** 2 + (work.changes_sto[5, n] / scale_sto) ** 2
        if cell.gap_rate[0] > 0:
            total += (work.changes_hysteresis[5, n] / (atol + rtol)) ** 2
    total += (work.changes_current[5] / (rtol * max(abs(i), cell.scale))) ** 2
    return np.sqrt(total / (2 * sites + 1))


@inner
def within(before, after, changes, n, part):
    """State number ``n`` within the last step, by its dense output."""
    c3, c4 = 0.0, 0.0  # not by `scalar_within`: a view takes longer than all of this
    for p in range(5):
        c3 += D[0, p] * changes[p, n]
        c4 += D[1, p] * changes[p, n]
    rest = 1 - part
    return rest * before[n] + part * (after[n] + rest * (c3 + part * c4))


@inner
def largest_bend(changes, n):
    """By how much at most state number ``n`` is off a straight line within the last step."""
    c3, c4 = 0.0, 0.0
    for p in range(5):
        c3 += D[0, p] * changes[p, n]
        c4 += D[1, p] * changes[p, n]
    return (abs(c3) + abs(c4)) / 4


@inner
def scalar_within(before, after, changes, part):
    """As `within`, of a state alone."""
    c3, c4 = 0.0, 0.0
    for p in range(5):
        c3 += D[0, p] * changes[p]
        c4 += D[1, p] * changes[p]
    rest = 1 - part
    return rest * before + part * (after + rest * (c3 + part * c4))
