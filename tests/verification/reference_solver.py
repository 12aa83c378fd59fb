"""The equations of the cell solved a second time, without PyBaMM, for any step of a test.

Covers both models with any number of size classes, hysteresis and film, at one temperature;
no double layers, no two-phase particles, a constant diffusivity. Nothing is shared with the
package. A particle is a polynomial in the square of its radius, by Galerkin's method on
Gauss-Radau points (Villadsen and Stewart 1967); the reaction over the composite is collocated
at Gauss points; time goes on by an L-stable diagonally implicit Runge-Kutta method of order 4
(Hairer and Wanner 1996, section IV.6), whose stages meet the algebraic equations exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.polynomial import hermite_e, legendre
from scipy.constants import R, physical_constants
from scipy.optimize import brentq
from scipy.special import roots_jacobi

F = physical_constants["Faraday constant"][0]

#: Plateaus of Na-Sn: upper end [mol Na per mol Sn] and potential [V vs Na/Na+].
ALLOY_PLATEAUS = np.array([[0.5, 0.53], [1.0, 0.46], [2.25, 0.16], [3.75, 0.08]])

#: Collocation points in an element of the composite.
ORDER = 4

# SDIRK of order 4, its last row the weights; what the embedded method of order 3 has instead
GAMMA = 0.25
STAGES = np.array([
    [1 / 4, 0, 0, 0, 0],
    [1 / 2, 1 / 4, 0, 0, 0],
    [17 / 50, -1 / 25, 1 / 4, 0, 0],
    [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
    [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
])  # fmt: skip
TIMES = STAGES.sum(axis=1)
DEFECT = STAGES[-1] - [59 / 48, -17 / 96, 225 / 32, -85 / 12, 0]


class State(NamedTuple):
    """The cell at one time; a point is one size class at one place of the composite."""

    theta: np.ndarray  #: composition at the radial nodes of every point
    hysteresis: np.ndarray  #: state of hysteresis at every point
    sodium: float  #: content of the alloy [mol Na per mol Sn]
    charge: float  #: passed since the start of the step [A.s]
    energy: float  #: given since the start of the step [J]


@dataclass(frozen=True)
class Span:
    """A step from its start to its end.

    Attributes
    ----------
    duration : float
        Time it took [s]; 0 if it starts beyond one of its ends.
    charge, energy : float
        Passed and given [A.h, W.h], positive on discharge.
    end : tuple or None
        The end that was reached, as it was given; None: its time was over.
    steps : int
        Steps of the integrator.
    at : callable
        What is known at a time [s] from the start, by name: "V", "I", "charge" [A.h], "theta"
        (mean, point by point), "surface", "J" (reaction current per area of the cell), "losses".
    """

    duration: float
    charge: float
    energy: float
    end: tuple | None
    steps: int
    at: Callable[[float], dict]

    def voltage(self, t: float) -> float:
        """Voltage [V] at a time [s] from the start."""
        return self.at(t)["V"]


class ReferenceCell:
    """The cell and its present state.

    Parameters
    ----------
    values : dict of str to float
        The parameters in the units of their names, derived ones included.
    state_of_charge : float
        Where it starts.
    reduced : bool, optional
        Whether the reaction is uniform, with the resistance of the composite in closed form.
    elements : int, optional
        Elements of equal length over the composite, of `ORDER` collocation points each.
    shells : int, optional
        Degree of the polynomial of a particle in the square of its radius.
    classes : int, optional
        Size classes.
    rtol : float, optional
        Error of a time step; compositions are of order 1.
    step : float, optional
        Fixed length of the time steps [s], whatever their error.
    """

    def __init__(
        self, values, state_of_charge, *, reduced=False, elements=4, shells=12, classes=1,
        rtol=1e-7, step=None,
    ):  # fmt: skip
        self.values, self.reduced, self.rtol, self.fixed = values, reduced, rtol, step
        self.temperature = values["Ambient temperature [K]"]
        self.thermal = 2 * R * self.temperature / F
        self.area = values["Electrode area [m2]"]
        self.one_C = values["Nominal cell capacity [A.h]"] / self.area
        self._set_composite(elements)
        self._set_particles(shells, classes)

        self.j0_anode = self.activated("Negative electrode exchange-current density [A.m-2]")
        # of everything between the anode and the composite [Ohm.m2]
        self.series = {}
        for name, value in values.items():
            if name.endswith(" layer thickness [m]"):
                conductivity = name.replace("thickness [m]", "conductivity [S.m-1]")
                self.series[name[: -len(" thickness [m]")]] = value / self.activated(conductivity)
            elif name.endswith(" interface resistance [Ohm.m2]"):
                resistance = self.activated(name, sign=-1)
                self.series[name[: -len(" resistance [Ohm.m2]")]] = resistance
        self.resistance = sum(self.series.values())

        tin = F * values["Negative electrode tin amount [mol]"]
        self.alloying = -self.area / tin  # of its content by the current density [s-1/(A.m-2)]
        #: all sodium that cycles, as a charge [A.s]
        self.capacity = (
            F * values["Maximum concentration in positive electrode [mol.m-3]"] * self.area
            * self.positive("active material volume fraction")
            * self.positive("accessible fraction") * self.positive("thickness [m]")
        )  # fmt: skip
        made = values["As-made state of charge"]
        sodium = values["Negative electrode as-made sodium content"]
        points = len(self.place)
        self.state = State(
            np.full((points, shells + 1), 1 - state_of_charge),
            np.zeros(points),
            sodium + (state_of_charge - made) * self.capacity / tin,
            0.0,
            0.0,
        )
        self.last = np.zeros(points + 2)

    # ---------------------------------------------------------------- discretisation
    def _set_composite(self, elements):
        thickness = self.positive("thickness [m]")
        self.j0 = self.activated("Positive electrode exchange-current density [A.m-2]")
        self.film = self.positive("film resistance [Ohm.m2]")
        fraction, exponent = (
            self.positive(name) for name in ("electrolyte volume fraction", "Bruggeman exponent")
        )
        dense = self.activated("Positive electrode electrolyte conductivity [S.m-1]")
        self.sigma_e = dense * fraction**exponent
        self.sigma_s = self.positive("effective electronic conductivity [S.m-1]")
        self.thickness = thickness
        self.ionic, self.electronic = thickness / self.sigma_e, thickness / self.sigma_s
        if self.reduced:
            self.x, self.weights = np.array([0.5]), np.array([1.0])
            self.integral = self.ohmic = np.zeros((1, 1))
            return
        # points and weights on 0..1, and the matrix that integrates from 0 to each point
        z, weights = legendre.leggauss(ORDER)
        series = np.linalg.inv(legendre.legvander(z, ORDER - 1))
        within = legendre.legval(z, legendre.legint(np.eye(ORDER), lbnd=-1)).T @ series
        before = np.tile(weights, (ORDER, 1))
        self.x = (np.arange(elements)[:, None] + (z + 1) / 2).ravel() / elements
        self.weights = np.tile(weights, elements) / (2 * elements)
        self.integral = np.kron(np.eye(elements), within) + np.kron(np.tri(elements, k=-1), before)
        self.integral /= 2 * elements
        # phi_s - phi_e at each place, less V - phi_e(0), by the reaction current at all places
        twice = (self.electronic + self.ionic) * self.integral @ self.integral
        self.ohmic = twice - self.electronic * self.weights @ self.integral

    def _set_particles(self, shells, classes):
        spread, shares = hermite_e.hermegauss(classes)
        kept = shares >= 1e-6 * shares.sum()
        spread, shares = spread[kept], shares[kept] / shares[kept].sum()
        radii = self.values["Positive particle radius [m]"] * np.ones(len(shares))
        if classes > 1:
            radii *= np.exp(self.values["Positive particle radius spread"] * spread)
        # the points, class by class
        self.place = np.tile(np.arange(len(self.x)), len(shares))
        self.ohmic_of_points = self.ohmic[np.ix_(self.place, self.place)]
        self.kind = np.repeat(np.arange(len(shares)), len(self.x))
        self.share = shares[self.kind] * self.weights[self.place]  # of the composite
        # reacting surface per area of the cell
        volume = self.positive("active material volume fraction") * self.positive("thickness [m]")
        contacted = self.positive("contacted fraction")
        surface = 3 * volume * self.positive("accessible fraction") * shares / radii * contacted
        self.surface = surface[self.kind]
        self.rates = self.activated("Positive particle diffusivity [m2.s-1]") / radii**2
        # only the contacted surface reacts; the flux is the average over the sphere
        c_max = self.values["Maximum concentration in positive electrode [mol.m-3]"]
        self.flux = -contacted / (F * c_max * radii[self.kind] * self.surface)
        # rate at which hysteresis follows, by the reaction current
        self.following = -3 * self.flux * self.positive("hysteresis decay rate")
        self.gap = self.positive("hysteresis [V]")

        self.volumes, stiffness = galerkin_sphere(shells)
        self.diffusion = -stiffness / self.volumes[:, None]
        self.into = np.zeros(shells + 1)
        self.into[-1] = 1 / self.volumes[-1]

    def positive(self, name):
        return self.values[f"Positive electrode {name}"]

    def activated(self, name, sign=1):
        """A value with an activation energy, at the temperature of the cell."""
        quantity = name.split(" [")[0]
        energy = self.values[f"{quantity} activation energy [J.mol-1]"]
        reference = self.values[f"{quantity} reference temperature [K]"]
        return self.values[name] * np.exp(
            -sign * energy / R * (1 / self.temperature - 1 / reference)
        )

    # ---------------------------------------------------------------- potentials
    def potentials(self, base, h, imposed, guess):
        """What goes with a state, or with the end of an implicit stage that starts from it.

        Parameters
        ----------
        base : State
            The state; with ``h``, where the stage starts.
        h : float
            Length of the implicit part [s]; 0: at the state itself.
        imposed : callable
            What must vanish, in volt, and its derivatives by voltage and current density.
        guess : numpy.ndarray
            Unknowns where Newton's method starts.

        Returns
        -------
        unknowns : numpy.ndarray
            Reaction current per area of the cell [A.m-2] at the points, voltage [V], current
            density [A.m-2].
        state : State
            That at the end of the stage.
        """
        # composition = still + response * flux at every node
        still, response = base.theta, np.zeros_like(base.theta)
        if h:
            still = np.empty_like(base.theta)
            for kind, rate in enumerate(self.rates):
                matrix = np.linalg.inv(np.eye(len(self.into)) - h * rate * self.diffusion)
                here = self.kind == kind
                still[here] = base.theta[here] @ matrix.T
                response[here] = h * np.outer(self.flux[here], matrix @ self.into)

        def end(w):
            J, V, i = w[:-2], w[-2], w[-1]
            leaving = self.following * J
            swing = 1 + h * np.abs(leaving)
            return State(
                still + response * J[:, None],
                (base.hysteresis + h * leaving) / swing,
                base.sodium + h * self.alloying * i,
                base.charge + h * i * self.area,
                base.energy + h * i * self.area * V,
            ), h * self.following / swing  # fmt: skip

        def equations(w):
            J, V, i = w[:-2], w[-2], w[-1]
            state, follow = end(w)
            follow = follow * (1 - np.sign(self.following * J) * state.hysteresis)
            theta = state.theta[:, -1]
            drop, by_theta, by_j = self.interface(theta, J / self.surface)
            local = drop + self.gap / 2 * state.hysteresis
            own = by_theta * response[:, -1] + by_j / self.surface + self.gap / 2 * follow
            left, by_i = self.electrolyte(state.sodium, i, h)
            total = self.totals(J)
            difference, spread = self.across(i, by_j, total)
            residual = local - (V - left + difference)[self.place]
            balance = (self.weights @ total + i) * self.thermal / self.one_C
            control, by_V, by_current = imposed(V, i)
            n = len(J)
            matrix = np.zeros((n + 2, n + 2))
            matrix[:n, :n] = np.diag(own) - self.ohmic_of_points
            matrix[:n, n] = -1
            matrix[:n, n + 1] = by_i - spread[self.place]
            matrix[n, :n] = self.weights[self.place] * self.thermal / self.one_C
            matrix[n, n + 1] = self.thermal / self.one_C
            matrix[n + 1, n:] = by_V, by_current
            return np.r_[residual, balance, control], matrix

        unknowns, damping = guess.copy(), 1.0
        residual, matrix = equations(unknowns)
        for _ in range(200):
            if np.abs(residual).max() < 1e-11:
                return unknowns, end(unknowns)[0]
            trial = unknowns - damping * np.linalg.solve(matrix, residual)
            tried = equations(trial)
            if np.linalg.norm(tried[0]) < np.linalg.norm(residual):
                unknowns, (residual, matrix) = trial, tried
                damping = min(1.0, 2 * damping)
            else:
                damping /= 4
            # as near as round-off lets it, where a potential is steep
            if damping < 1e-9 or (damping < 1e-2 and np.abs(residual).max() < 1e-8):
                break
        if np.abs(residual).max() < 1e-8:
            return unknowns, end(unknowns)[0]
        raise RuntimeError(f"no potentials found, off by {np.abs(residual).max():.1g} V")

    def totals(self, J):
        """Reaction current of all classes together, place by place."""
        return J.reshape(-1, len(self.x)).sum(axis=0)

    def across(self, i, by_j, total):
        """phi_s - phi_e, less its value V - phi_e(0), at every place; its derivative by i."""
        if not self.reduced:
            return self.ohmic @ total + self.ionic * i * self.x, self.ionic * self.x
        # linear kinetics with the conductance at the present current (`distribution`)
        conductance = (self.surface / by_j).sum()
        spread = self.distribution(conductance)
        return np.array([i * spread]), np.array([spread])

    def distribution(self, conductance):
        """What an uneven reaction adds to the resistance of the composite [Ohm.m2].

        That of a porous electrode with linear kinetics, from eta'' = nu^2 eta with the current
        ionic at 0 and electronic at 1, less the charge transfer of an even reaction.
        """
        e, s = self.ionic, self.electronic
        nu = np.sqrt(conductance * (e + s))
        if nu < 1e-2:
            return (e + s) / 3
        # potential difference at both ends, per current density, and from there V - phi_e(0)
        at_0 = (s + e * np.cosh(nu)) / (nu * np.sinh(nu))
        at_1 = (e + s * np.cosh(nu)) / (nu * np.sinh(nu))
        # current and difference are shared: e i_e = s i_s + d eta / dx
        whole = (e * s + e * at_0 + s * at_1) / (e + s)
        return whole - 1 / conductance

    def electrolyte(self, sodium, i, h):
        """phi_e [V] where the last layer ends, and its derivative by the current density."""
        ocp, slope = self.alloy_ocp(sodium)
        ratio = i / (2 * self.j0_anode)
        value = -ocp - self.thermal * np.arcsinh(ratio) - self.resistance * i
        by_i = -slope * h * self.alloying - self.resistance
        return value, by_i - self.thermal / (2 * self.j0_anode * np.hypot(1, ratio))

    def interface(self, theta, j):
        """phi_s - phi_e [V] of reacting NVP, and its derivatives by theta and j."""
        ocp, ocp_slope = self.cathode_ocp(theta)
        # a trial may leave 0..1
        product = np.maximum(theta * (1 - theta), 1e-6)
        ratio = j / (4 * self.j0 * np.sqrt(product))
        by_ratio = self.thermal / np.hypot(1, ratio)
        ratio_by_theta = np.where(product > 1e-6, ratio * (theta - 0.5) / product, 0)
        drop = ocp + self.thermal * np.arcsinh(ratio) + self.film * j
        by_j = by_ratio / (4 * self.j0 * np.sqrt(product)) + self.film
        return drop, ocp_slope + by_ratio * ratio_by_theta, by_j

    def cathode_ocp(self, theta):
        """Equilibrium potential of NVP [V vs Na/Na+] and its slope."""
        amplitude = self.positive("OCP end amplitude [V]")
        charged, discharged = (
            self.positive(f"OCP {end} end width") for end in ("charged", "discharged")
        )
        # the exponents are bounded because a trial may leave 0..1
        up = amplitude * np.exp(np.minimum(-theta / charged, 100))
        down = amplitude * np.exp(np.minimum((theta - 1) / discharged, 100))
        ocp = self.positive("plateau potential [V]") + up - down
        return ocp, -up / charged - down / discharged

    def alloy_ocp(self, sodium):
        """Equilibrium potential of the alloy [V vs Na/Na+] and its slope."""
        name = "Negative electrode OCP"
        content, potential = ALLOY_PLATEAUS.T
        width, tail = self.values[f"{name} step width"], self.values[f"{name} empty width"]
        step = np.tanh((sodium - content) / width)
        empty = self.values[f"{name} empty amplitude [V]"] * np.exp(-sodium / tail)
        drops = potential - np.r_[potential[1:], 0]
        slope = -drops @ (1 - step**2) / (2 * width) - empty / tail
        return drops @ (1 - step) / 2 + empty, slope

    def open_circuit(self):
        """Equilibrium voltage [V] of the mean composition."""
        mean = self.share @ self.state.theta @ self.volumes * 3
        return self.cathode_ocp(mean)[0] - self.alloy_ocp(self.state.sodium)[0]

    def slope(self, state, unknowns):
        """Rate of change of a state, in the shape of a state."""
        J, V, i = unknowns[:-2], unknowns[-2], unknowns[-1]
        leaving = self.following * J
        diffusion = self.rates[self.kind, None] * (state.theta @ self.diffusion.T)
        return State(
            diffusion + np.outer(self.flux * J, self.into),
            leaving - np.abs(leaving) * state.hysteresis,
            self.alloying * i,
            i * self.area,
            i * self.area * V,
        )

    # ---------------------------------------------------------------- time
    def step(self, state, t, h, control, guess):
        """One time step: state and unknowns at its end, and its error."""
        slopes = []
        for c, row in zip(TIMES, STAGES, strict=True):
            base = combine(state, [h * a for a in row[: len(slopes)]], slopes)
            guess, state_there = self.potentials(base, GAMMA * h, control(t + c * h), guess)
            k = State(*((a - b) / (GAMMA * h) for a, b in zip(state_there, base, strict=True)))
            slopes.append(k)
        off = combine(state, [h * d for d in DEFECT], slopes)
        work = (off.energy - state.energy) / self.capacity
        error = [off.theta - state.theta, off.hysteresis - state.hysteresis, work]
        return state_there, guess, max(np.abs(e).max() for e in error)

    def control(self, kind, value):
        """As `potentials` takes it, for a time [s]; a value is a number or (times, values)."""
        unit = self.thermal / self.one_C

        def at(t):
            now = value if np.isscalar(value) else np.interp(t, *value)
            equations = {
                "current": lambda V, i: ((i - now / self.area) * unit, 0.0, unit),
                "voltage": lambda V, i: (V - now, 1.0, 0.0),
                "resistance": lambda V, i: (V - now * i * self.area, 1.0, -now * self.area),
                "power": lambda V, i: (
                    (V * i - now / self.area) / self.one_C, i / self.one_C, V / self.one_C,
                ),
            }  # fmt: skip
            return equations[kind]

        return at

    def apply(self, kind, value, duration, until=()):
        """Go on from the present state.

        Parameters
        ----------
        kind : str
            "current" [A], "voltage" [V], "power" [W] or "resistance" [Ohm].
        value : float or tuple
            How much, positive on discharge; (times, values) go straight from point to point.
        duration : float
            Longest time [s].
        until : iterable of tuple, optional
            (quantity, limit, rising): the step ends when "V", "I", "|I|" or "charge" [A.h]
            rises or falls to the limit.

        Returns
        -------
        Span
        """
        control = self.control(kind, value)
        knots = [duration] if np.isscalar(value) else [*value[0][1:], duration]
        knots = sorted({min(knot, duration) for knot in knots})
        state = self.state._replace(charge=0.0, energy=0.0)
        if not self.last.any():
            self.last[-2] = self.open_circuit()
        guess, _ = self.potentials(state, 0.0, control(0.0), self.last)
        kept, reached, t = [], first_reached(until, state, guess, self.area), 0.0
        h = self.fixed or min(1e-4, duration / 10)
        while reached is None and t < duration * (1 - 1e-12):
            knot = next(knot for knot in knots if knot > t * (1 + 1e-12))
            length = min(h, knot - t)
            if knot - t - length < 1e-9 * knot:
                length = knot - t
            new, unknowns, error = self.step(state, t, length, control, guess)
            factor = 0.9 * (self.rtol / max(error, 1e-30)) ** 0.25
            if not self.fixed and error > self.rtol:
                h = length * max(0.2, min(factor, 0.9))
                continue
            kept.append((t, state, guess))
            reached = first_reached(until, new, unknowns, self.area)
            if reached is not None:

                def margin(part, t=t, state=state, guess=guess, reached=reached):
                    if part == 0:
                        return excess(reached, state, guess, self.area)
                    there = self.step(state, t, part, control, guess)
                    return excess(reached, there[0], there[1], self.area)

                length = brentq(margin, 0, length, xtol=1e-12, rtol=1e-12)
                new, unknowns, _ = self.step(state, t, length, control, guess)
            t, state, guess = t + length, new, unknowns
            if not self.fixed:
                h = length * min(4.0, factor) if length == min(h, length) else h
        self.state, self.last = state, guess
        kept.append((t, state, guess))
        starts = np.array([start for start, _, _ in kept])

        def at(time):
            k = max(np.searchsorted(starts, min(time, t), side="right") - 1, 0)
            start, there, unknowns = kept[k]
            if time > start and k < len(kept) - 1:
                there, unknowns, _ = self.step(there, start, time - start, control, unknowns)
            return self.seen(there, unknowns)

        return Span(t, state.charge / 3600, state.energy / 3600, reached, len(kept) - 1, at)

    def seen(self, state, unknowns):
        """What is known of the cell, by name."""
        J, V, i = unknowns[:-2], unknowns[-2], unknowns[-1]
        surface = state.theta[:, -1]
        mean = state.theta @ self.volumes * 3
        ocp = self.cathode_ocp(self.share @ mean)[0]
        losses = {name: -i * resistance for name, resistance in self.series.items()}
        left, _ = self.electrolyte(state.sodium, i, 0.0)
        losses["Negative electrode reaction"] = -self.thermal * np.arcsinh(i / (2 * self.j0_anode))
        if i != 0:
            # averages weighted with the reaction current
            weight = -J * self.weights[self.place] / i
            drop, _, by_j = self.interface(surface, J / self.surface)
            total = self.totals(J)
            difference, spread = self.across(i, by_j, total)
            once = self.integral @ total
            phi_e = left - self.ionic * (i * self.x + self.integral @ once)
            if self.reduced:
                ionic = -i * spread[0] * self.ionic / (self.ionic + self.electronic)
                losses["Positive electrode ionic"] = ionic
                losses["Positive electrode electronic"] = -i * spread[0] - ionic
            else:
                losses["Positive electrode ionic"] = weight @ phi_e[self.place] - left
                phi_s = phi_e + V - left + difference
                losses["Positive electrode electronic"] = V - weight @ phi_s[self.place]
            film = self.film * J / self.surface
            losses["Positive electrode film"] = weight @ film
            ocp_surface = self.cathode_ocp(surface)[0]
            losses["Positive electrode reaction"] = weight @ (drop - ocp_surface - film)
            losses["Positive particle diffusion"] = weight @ ocp_surface - ocp
            losses["Positive electrode hysteresis"] = weight @ (self.gap / 2 * state.hysteresis)
        return {
            "V": V, "I": i * self.area, "charge": state.charge / 3600, "theta": mean,
            "surface": surface, "J": J, "losses": losses,
        }  # fmt: skip


def galerkin_sphere(degree):
    """Weights and stiffness of polynomials in u = r^2 on the unit sphere.

    The integrals of ``v w r^2`` and of ``v' w' r^2`` over r are exact on the Gauss-Radau points
    of the weight ``u^(1/2)``, one of which is the surface: the mass matrix is diagonal.

    Returns
    -------
    weights : numpy.ndarray
        For ``r^2 dr``; their sum is 1/3. The last node is the surface.
    stiffness : numpy.ndarray
    """
    z, weights = roots_jacobi(degree, 1, 0.5)
    u = np.r_[(1 + z) / 2, 1.0]
    # for (1 - u) u^(1/2) on 0..1, then without the first factor
    inner = weights / 2**2.5 / (1 - u[:-1])
    weights = np.r_[inner, 2 / 3 - inner.sum()] / 2
    gaps = u[:, None] - u + np.eye(len(u))
    barycentric = 1 / gaps.prod(axis=1)
    slopes = barycentric / barycentric[:, None] / gaps
    np.fill_diagonal(slopes, 0)
    np.fill_diagonal(slopes, -slopes.sum(axis=1))
    return weights, 4 * slopes.T @ np.diag(weights * u) @ slopes


def combine(state, factors, slopes):
    """A state plus a combination of its slopes."""
    if not slopes:
        return state
    changes = (sum(f * s[n] for f, s in zip(factors, slopes, strict=True)) for n in range(5))
    return State(*(value + change for value, change in zip(state, changes, strict=True)))


def excess(end, state, unknowns, area):
    """How far a state is from an end; not positive where it is reached."""
    quantity, limit, rising = end
    V, current = unknowns[-2], unknowns[-1] * area
    values = {"V": V, "I": current, "|I|": abs(current), "charge": abs(state.charge) / 3600}
    return limit - values[quantity] if rising else values[quantity] - limit


def first_reached(until, state, unknowns, area):
    """The first end that is reached, in their order; None: none is."""
    return next((end for end in until if excess(end, state, unknowns, area) <= 0), None)
