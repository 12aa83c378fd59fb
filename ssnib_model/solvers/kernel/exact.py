"""One particle under an imposed current: diffusion in closed form, however long the step."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import dot, inner
from ssnib_model.solvers.kernel.composite import interface
from ssnib_model.solvers.kernel.control import cathode


@inner
def phi(rate, t):
    """Integrals over ``t`` of ``exp(rate s)`` and of ``(t - s) exp(rate s)``."""
    x = rate * t
    if abs(x) < 1e-3:  # where the differences below lose their digits
        return t * (1 + x / 2 * (1 + x / 3 * (1 + x / 4))), t * t / 2 * (
            1 + x / 3 * (1 + x / 4 * (1 + x / 5))
        )
    first = np.expm1(x) / rate
    return first, (first - t) / rate


@inner
def step(cell, state, i, slope, t, parts, samples, result, J, sto, delta, scratch):
    """Go on for ``t`` [s] in ``parts`` equal parts, with a current density that rises linearly.

    The potential of the cathode after every part goes into ``samples[1:]``, the states at the
    end into ``result``, reaction, surface and potential difference there into the three after.
    ``scratch`` is room, shape (3, modes).

    Returns
    -------
    float, float
        The least and the largest stoichiometry of the surface after the parts.
    """
    modes = state.modes.shape[1]
    part = t / parts
    z, before = result.modes[0], state.modes[0]
    keep, take, rise = scratch[0], scratch[1], scratch[2]
    for m in range(modes):
        rate = cell.decay[0, m]
        first, second = phi(rate, part)
        keep[m] = 1 + rate * first
        take[m] = cell.uptake[0, m] * first
        rise[m] = cell.uptake[0, m] * second
        z[m] = before[m]
    rate = cell.gap_rate[0]
    h, moving = state.hysteresis[0], 0.0
    if rate > 0:  # at constant current only, where it goes to its end like an exponential
        moving = np.exp(-abs(rate * i) * part)
    now, least, most = i, np.inf, -np.inf
    for n in range(1, parts + 1):
        for m in range(modes):
            z[m] = keep[m] * z[m] - take[m] * now - rise[m] * slope
        surface = dot(cell.surface_of, z)
        least, most = min(least, surface), max(most, surface)
        if rate > 0:
            h = -np.sign(i) + (h + np.sign(i)) * moving
        now = i + n * part * slope
        J[0], sto[0] = -now, surface
        delta[0] = cell.half_gap * h + interface(
            cell.ocp, cell.j0, cell.thermal, cell.film, cell.surface[0], -now, surface
        )
        samples[n] = cathode(cell, now, J, sto, delta)
    result.hysteresis[0] = h
    result.alloy[0] = state.alloy[0] + cell.alloy_rate * (i + slope * t / 2) * t
    return least, most
