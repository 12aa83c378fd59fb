"""The numerical kernel of the structured solver, compiled by numba.

Particles of constant diffusivity share one matrix, so that its modes replace the shells and
each goes its own way; with single-ion electrolytes the current joins the two potentials, so
that a step needs one tridiagonal solve over the composite. Time goes on by RODAS, a stiffly
accurate Rosenbrock method of order 4 (Hairer and Wanner 1996, *Solving Ordinary Differential
Equations II*, section VI.4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.compiling import compiled as compiled_by

MAX_STEPS = 20_000
#: Where the voltage is given within a step: at its quarters.
SAMPLES_A_STEP = 4

#: How a half-cycle may end, and what to say where it did not end at its cut-off.
EVENT, AT_START, NO_EVENT, NO_START, GOING_ON = range(5)
REASONS = {
    NO_EVENT: "no cut-off was reached with all the sodium moved",
    NO_START: "the solver found no potentials that go with the state at the start",
    GOING_ON: f"the solver gave up after {MAX_STEPS} steps",
}

# RODAS (Hairer and Wanner): stages, error estimate and dense output
GAMMA = 0.25
_A = np.array([
    [0, 0, 0, 0, 0, 0],
    [1.544, 0, 0, 0, 0, 0],
    [0.9466785280815826, 0.2557011698983284, 0, 0, 0, 0],
    [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0, 0, 0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0, 0],
    [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 0],
])  # fmt: skip
_C = np.array([
    [0, 0, 0, 0, 0],
    [-5.6688, 0, 0, 0, 0],
    [-2.430093356833875, -0.2063599157091915, 0, 0, 0],
    [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0, 0],
    [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0],
    [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
     -6.058818238834054],
])  # fmt: skip
_D = np.array([
    [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823,
     1.025137723295662],
    [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386,
     -6.594389125716872],
])  # fmt: skip


# a polynomial through the samples of a step, and its integral
_TO_POLYNOMIAL = np.linalg.inv(np.vander(np.linspace(0, 1, SAMPLES_A_STEP + 1), increasing=True))
_BOOLE = (1 / np.arange(1, SAMPLES_A_STEP + 2)) @ _TO_POLYNOMIAL


class Cell(NamedTuple):
    """What a half-cycle needs to know; currents per area of the cell, discharge positive."""

    i: float  #: current density [A.m-2]
    ohmic: float  #: overpotentials of anode, layers and interfaces [V]
    reduced: bool  #: one particle with the resistance of the composite
    L: float  #: thickness of the composite [m]
    sigma_s: float  #: its effective conductivities [S.m-1]
    sigma_e: float
    surface: float  #: reacting surface per area of the cell
    film: float  #: resistance of the film [Ohm.m2]
    thermal: float  #: 2 R T / F [V]
    j0: float  #: exchange-current density at stoichiometry 1/2 [A.m-2]
    decay: np.ndarray  #: of the modes of diffusion in a particle, negative [s-1]
    uptake: np.ndarray  #: of the modes, per reaction current density [s-1/(A.m-2)]
    surface_of: np.ndarray  #: weights of the modes in the stoichiometry of the surface
    ocp: np.ndarray  #: equilibrium potential of the cathode on [0, 1], by `hermite_table`
    alloy: np.ndarray  #: that of the anode, on [0, 1] of the sodium content it may have
    alloy_start: float  #: where on that range the half-cycle starts
    alloy_rate: float  #: and how fast it moves [s-1]


# -------------------------------------------------------------------- kernel
compiled = compiled_by(error_model="numpy")
#: A call counts the references to every array of a `Cell`, which takes longer than the function.
inlined = compiled_by(error_model="numpy", inline="always")


@compiled
def _interpolate(table, x):
    """Cubic Hermite interpolation on a uniform table over [0, 1]; straight on outside."""
    n = table.shape[0] - 1
    position = x * n
    k = min(max(int(position), 0), n - 1)
    u = position - k
    f, g = table[k, 0], table[k + 1, 0]
    df, dg = table[k, 1], table[k + 1, 1]
    if u < 0:
        return f + df * u, df * n
    if u > 1:
        return g + dg * (u - 1), dg * n
    a, b = df - (g - f), (g - f) - dg
    value = f + u * ((g - f) + (1 - u) * (a * (1 - u) + b * u))
    slope = (g - f) + (1 - 2 * u) * (a * (1 - u) + b * u) + u * (1 - u) * (b - a)
    return value, slope * n


@compiled
def _difference(cell, J, sto):
    """Potential across the interface [V] at a point, and its slopes with J and stoichiometry."""
    U, dU = _interpolate(cell.ocp, sto)
    product = sto * (1 - sto)
    root = np.sqrt(max(product, 1e-6))
    j0 = 2 * cell.j0 * root
    dj0 = cell.j0 * (1 - 2 * sto) / root if product > 1e-6 else 0.0
    j = J / cell.surface
    z = j / (2 * j0)
    norm = np.sqrt(1 + z * z)
    value = U + cell.film * j + cell.thermal * np.arcsinh(z)
    slope_J = (cell.film + cell.thermal / (2 * j0 * norm)) / cell.surface
    return value, slope_J, dU - cell.thermal * z * dj0 / (j0 * norm)


@compiled
def _coupling(cell, nx):
    """Conductance of the composite between two points, and what drives its current [A.m-2]."""
    both = cell.L * (1 / cell.sigma_s + 1 / cell.sigma_e)
    return nx * nx / both, nx * cell.L * cell.i / cell.sigma_e / both


@inlined
def _imbalance(cell, J, sto, delta, G):
    """Charge balance ``div(i_s) + J`` at every point, with the potentials eliminated."""
    nx = J.size
    kappa, drift = _coupling(cell, nx)
    for k in range(nx):
        delta[k] = _difference(cell, J[k], sto[k])[0]
    for k in range(nx):
        right = drift - kappa * (delta[k + 1] - delta[k]) if k < nx - 1 else cell.i * nx
        left = drift - kappa * (delta[k] - delta[k - 1]) if k > 0 else 0.0
        G[k] = J[k] + right - left


@compiled
def _factorise(kappa, theta, low, pivot):
    """LU of ``1 + kappa Lap theta``, Lap the Laplacian with closed ends."""
    nx = theta.size
    for k in range(nx):
        neighbours = (k > 0) + (k < nx - 1)
        pivot[k] = 1 + kappa * neighbours * theta[k]
        if k > 0:
            low[k] = -kappa * theta[k - 1] / pivot[k - 1]
            pivot[k] += low[k] * kappa * theta[k]


@compiled
def _solve_coupled(kappa, theta, low, pivot, rhs):
    nx = rhs.size
    for k in range(1, nx):
        rhs[k] -= low[k] * rhs[k - 1]
    rhs[nx - 1] /= pivot[nx - 1]
    for k in range(nx - 2, -1, -1):
        rhs[k] = (rhs[k] + kappa * theta[k + 1] * rhs[k + 1]) / pivot[k]


@compiled
def _initialise(cell, J, sto, tolerance):
    """Reaction current density that goes with the state, by Newton's method."""
    nx = J.size
    kappa, _ = _coupling(cell, nx)
    delta, G, low, pivot = np.empty(nx), np.empty(nx), np.empty(nx), np.empty(nx)
    theta, trial = np.empty(nx), np.empty(nx)
    J[:] = -cell.i
    _imbalance(cell, J, sto, delta, G)
    size = np.abs(G).max()
    for _ in range(200):
        for k in range(nx):
            theta[k] = _difference(cell, J[k], sto[k])[1]
        _factorise(kappa, theta, low, pivot)
        _solve_coupled(kappa, theta, low, pivot, G)
        change, damping = G.copy(), 1.0
        while True:
            trial[:] = J - damping * change
            _imbalance(cell, trial, sto, delta, G)
            new = np.abs(G).max()
            if new < size or damping < 1e-3:
                break
            damping /= 2
        J[:] = trial
        size = new
        if np.abs(change).max() * damping < tolerance * abs(cell.i):
            return True
    return False


@compiled
def uniformity(cell, sto):
    """Reaction uniformity number of the reduced model."""
    j = cell.i / cell.surface
    j0 = 2 * cell.j0 * np.sqrt(max(sto * (1 - sto), 1e-6))
    slope = 2 / cell.thermal * np.sqrt(j0**2 + (j / 2) ** 2)
    a_g = cell.surface / cell.L / (1 / slope + cell.film)
    return cell.L**2 * a_g * (1 / cell.sigma_s + 1 / cell.sigma_e)


@inlined
def _cathode(cell, J, sto, delta):
    """Potential of the cathode [V] against the electrolyte where the last layer ends."""
    nx = J.size
    for k in range(nx):
        delta[k] = _difference(cell, J[k], sto[k])[0]
    if cell.reduced:
        # the resistance of `porous_electrode_resistance`
        s, e = cell.sigma_s, cell.sigma_e
        nu = np.sqrt(uniformity(cell, sto[0]) + 1e-4)
        decay = np.exp(-nu)
        coth, csch = (1 + decay**2) / (1 - decay**2), 2 * decay / (1 - decay**2)
        spread = (2 * csch + (s / e + e / s) * coth) / nu - (s + e) ** 2 / (s * e * nu**2)
        return delta[0] - cell.i * cell.L / (s + e) * (1 + spread)
    kappa, drift = _coupling(cell, nx)
    phi_e = -cell.L * cell.i / cell.sigma_e / (2 * nx)
    before = 0.0
    for k in range(nx - 1):
        i_s = (drift - kappa * (delta[k + 1] - delta[k])) / nx
        if k == nx - 2:
            before = delta[k] + phi_e
        phi_e -= cell.L * (cell.i - i_s) / cell.sigma_e / nx
    # parabola through two points with the gradient at the current collector
    gradient = -cell.i * cell.L / cell.sigma_s
    return 1.125 * (delta[nx - 1] + phi_e) - 0.125 * before + 0.375 / nx * gradient


@compiled
def anode(cell, t):
    """Potential of the anode [V] after a time."""
    return _interpolate(cell.alloy, cell.alloy_start + cell.alloy_rate * t)[0]


@compiled
def _anode_area(cell, t):
    """Integral over time [V.s] of `anode`, from its table: it has steps no polynomial follows."""
    table, start, end = cell.alloy, cell.alloy_start, cell.alloy_start + cell.alloy_rate * t
    area = 0.0
    for sign, place in ((1, end), (-1, start)):
        position = min(max(place, 0.0), 1.0) * (table.shape[0] - 1)
        k = min(int(position), table.shape[0] - 2)
        below = table[k, 2] + (position - k) * (table[k + 1, 2] - table[k, 2])
        area += sign * (below + table[-1, 0] * max(place - 1, 0.0))
    return area / cell.alloy_rate


@compiled
def voltage(cell, ends, potentials, t):
    """Voltage [V] at times ``t``, and its integral over time up to there [V.s].

    ``ends`` and ``potentials`` as from `integrate`; in every step a polynomial.
    """
    before = np.zeros(ends.size)  # areas at the ends
    for step in range(ends.size - 1):
        samples = potentials[SAMPLES_A_STEP * step :][: SAMPLES_A_STEP + 1]
        area = (ends[step + 1] - ends[step]) * _dot(_BOOLE, samples)
        before[step + 1] = before[step] + area
    result, areas = np.empty(t.size), np.empty(t.size)
    for n in range(t.size):
        step = min(max(np.searchsorted(ends, t[n], side="right") - 1, 0), ends.size - 2)
        samples = potentials[SAMPLES_A_STEP * step :][: SAMPLES_A_STEP + 1]
        length = ends[step + 1] - ends[step]
        part = (t[n] - ends[step]) / length
        value, power, area = 0.0, 1.0, before[step]
        for p in range(SAMPLES_A_STEP + 1):
            coefficient = _dot(_TO_POLYNOMIAL[p], samples)
            value += coefficient * power
            power *= part
            area += length * coefficient * power / (p + 1)
        result[n] = value + cell.ohmic - anode(cell, t[n])
        areas[n] = area + cell.ohmic * t[n] - _anode_area(cell, t[n])
    return result, areas


@compiled
def _step(cell, z, J, sto, h, work):
    """One step of RODAS: the changes of its six stages and what they add up to, in ``work``."""
    U_z, U_J, U_sto, new_J, new_sto = work
    nx, modes = z.shape
    kappa, _ = _coupling(cell, nx)
    alpha, theta, delta, q = np.empty(nx), np.empty(nx), np.empty(nx), np.empty(nx)
    G, low, pivot, gain = np.empty(nx), np.empty(nx), np.empty(nx), np.empty(modes)
    response = 0.0
    for m in range(modes):
        gain[m] = 1 / (1 / (GAMMA * h) - cell.decay[m])
        response += cell.surface_of[m] * gain[m] * cell.uptake[m]
    for k in range(nx):
        _, slope_J, alpha[k] = _difference(cell, J[k], sto[k])
        theta[k] = alpha[k] * response + slope_J
    _factorise(kappa, theta, low, pivot)

    for stage in range(6):
        new_J[:] = J
        new_sto[:] = sto
        for p in range(stage):
            for k in range(nx):
                new_J[k] += _A[stage, p] * U_J[p, k]
                new_sto[k] += _A[stage, p] * U_sto[p, k]
        _imbalance(cell, new_J, new_sto, delta, G)
        # the modes with the reaction of the stage's start, then what its change adds
        for k in range(nx):
            X = U_z[stage, k]
            for m in range(modes):
                X[m] = cell.decay[m] * z[k, m] + cell.uptake[m] * new_J[k]
            for p in range(stage):
                a, c = _A[stage, p], _C[stage, p] / h
                for m in range(modes):
                    X[m] += (cell.decay[m] * a + c) * U_z[p, k, m]
            for m in range(modes):
                X[m] *= gain[m]
            q[k] = _dot(cell.surface_of, X)
        v = U_J[stage]
        for k in range(nx):
            curvature = 0.0
            if k > 0:
                curvature += alpha[k] * q[k] - alpha[k - 1] * q[k - 1]
            if k < nx - 1:
                curvature += alpha[k] * q[k] - alpha[k + 1] * q[k + 1]
            v[k] = -G[k] - kappa * curvature
        _solve_coupled(kappa, theta, low, pivot, v)
        for k in range(nx):
            for m in range(modes):
                U_z[stage, k, m] += gain[m] * cell.uptake[m] * v[k]
            U_sto[stage, k] = q[k] + response * v[k]
    for k in range(nx):
        new_J[k] += U_J[5, k]
        new_sto[k] += U_sto[5, k]


@compiled_by(error_model="numpy", fastmath={"reassoc"})
def _dot(a, b):
    """Sum of products, in an order that suits the processor."""
    total = 0.0
    for m in range(a.size):
        total += a[m] * b[m]
    return total


@compiled
def _advance(z, work):
    """The modes at the end of the step."""
    U_z = work[0]
    for k in range(z.shape[0]):
        for p in range(6):
            weight = _A[5, p] if p < 5 else 1.0
            for m in range(z.shape[1]):
                z[k, m] += weight * U_z[p, k, m]


@compiled
def _error(cell, z, J, work, potentials, rtol, atol):
    """Error of a step over the tolerances: of the states, and of `potentials` in between."""
    U_z, U_J, _, new_J, _ = work
    total = 0.0
    for k in range(z.shape[0]):
        for m in range(z.shape[1]):
            total += (U_z[5, k, m] / (atol + rtol * abs(z[k, m]))) ** 2
    for k in range(J.size):
        scale = rtol * max(abs(J[k]), abs(new_J[k]), abs(cell.i))
        total += (U_J[5, k] / scale) ** 2
    a, b, c, d, e = potentials
    fourth_difference = a - 4 * b + 6 * c - 4 * d + e
    return max(np.sqrt(total / (z.size + J.size)), abs(fourth_difference) / (10 * rtol))


@inlined
def _within(cell, J, sto, work, part, buffers):
    """Potential of the cathode [V] within the last step, by its dense output."""
    _, U_J, U_sto, new_J, new_sto = work
    dense_J, dense_sto, delta = buffers
    for k in range(J.size):
        c3, c4, d3, d4 = 0.0, 0.0, 0.0, 0.0
        for p in range(5):
            c3 += _D[0, p] * U_J[p, k]
            c4 += _D[1, p] * U_J[p, k]
            d3 += _D[0, p] * U_sto[p, k]
            d4 += _D[1, p] * U_sto[p, k]
        rest = 1 - part
        dense_J[k] = rest * J[k] + part * (new_J[k] + rest * (c3 + part * c4))
        dense_sto[k] = rest * sto[k] + part * (new_sto[k] + rest * (d3 + part * d4))
    return _cathode(cell, dense_J, dense_sto, delta)


@inlined
def _sample(cell, J, sto, work, buffers, potentials):
    """Potential of the cathode [V] at the quarters of the last step."""
    for n in range(1, SAMPLES_A_STEP + 1):
        potentials[n] = _within(cell, J, sto, work, n / SAMPLES_A_STEP, buffers)


@compiled
def integrate(cell, z, cut_off, t_max, rtol, atol):
    """Go on at constant current to the cut-off.

    ``z``, the amplitudes of the modes at every point, changes in place.

    Returns
    -------
    tuple
        How it ended; the ends of the steps [s]; at these and at the quarters of every step
        the potential [V] that the cathode adds to the voltage; at the ends the stoichiometry
        of the surface at the current collector.
    """
    nx, modes = z.shape
    sign = 1.0 if cell.i > 0 else -1.0
    work = (np.empty((6, nx, modes)), np.empty((6, nx)), np.empty((6, nx)),
            np.empty(nx), np.empty(nx))  # fmt: skip
    buffers = np.empty(nx), np.empty(nx), np.empty(nx)
    J, sto = np.empty(nx), z @ cell.surface_of
    samples = np.empty(SAMPLES_A_STEP + 1)
    ends, potentials, stos = [0.0], [0.0], [sto[nx - 1]]
    outcome = GOING_ON
    if _initialise(cell, J, sto, 1e-3 * rtol):
        potentials[0] = _cathode(cell, J, sto, buffers[2])
        if sign * (potentials[0] + cell.ohmic - anode(cell, 0.0) - cut_off) <= 0:
            outcome = AT_START
    else:
        outcome = NO_START

    t, h, steps = 0.0, 1e-4 * t_max, 0
    while outcome == GOING_ON and steps < MAX_STEPS:
        steps += 1
        _step(cell, z, J, sto, h, work)
        samples[0] = potentials[-1]
        _sample(cell, J, sto, work, buffers, samples)
        error = _error(cell, z, J, work, samples, rtol, atol)
        if not error <= 1:  # nor a number
            h *= max(0.1, 0.9 * error**-0.25) if error > 1 else 0.1
            continue
        if sign * (samples[-1] + cell.ohmic - anode(cell, t + h) - cut_off) <= 0:
            outcome = EVENT
            h = _step_to_cut_off(cell, z, J, sto, t, h, work, buffers, cut_off)
            _sample(cell, J, sto, work, buffers, samples)
        for n in range(1, SAMPLES_A_STEP + 1):
            potentials.append(samples[n])
        _advance(z, work)
        J[:], sto[:] = work[3], work[4]
        t += h
        ends.append(t)
        stos.append(sto[nx - 1])
        if outcome == GOING_ON and t >= t_max:
            outcome = NO_EVENT
        h *= min(5.0, 0.9 * max(error, 1e-8) ** -0.25)
    return outcome, np.array(ends), np.array(potentials), np.array(stos)


@compiled
def _step_to_cut_off(cell, z, J, sto, t, h, work, buffers, cut_off):
    """Take the last step again so that it ends at the cut-off; returns its length."""
    sign = 1.0 if cell.i > 0 else -1.0
    near, far = 0.0, 1.0
    for _ in range(40):  # bisection of the dense output
        part = (near + far) / 2
        V = _within(cell, J, sto, work, part, buffers) + cell.ohmic - anode(cell, t + part * h)
        if sign * (V - cut_off) > 0:
            near = part
        else:
            far = part
    # from there by secants, the first with the slope of the dense output
    h, h_old = far * h, 0.99 * far * h
    V_old = _within(cell, J, sto, work, 0.99 * far, buffers) - anode(cell, t + h_old)
    V = _within(cell, J, sto, work, far, buffers) - anode(cell, t + h)
    slope, cut_off = (V - V_old) / (h - h_old), cut_off - cell.ohmic
    _step(cell, z, J, sto, h, work)
    V = _within(cell, J, sto, work, 1.0, buffers) - anode(cell, t + h)
    for _ in range(10):
        if abs(V - cut_off) < 1e-9 or slope == 0:
            break
        h_old, V_old = h, V
        h = min(max(h + (cut_off - V) / slope, 0.9 * h), 1.1 * h)
        _step(cell, z, J, sto, h, work)
        V = _within(cell, J, sto, work, 1.0, buffers) - anode(cell, t + h)
        slope = (V - V_old) / (h - h_old) if h != h_old else 0.0
    return h
