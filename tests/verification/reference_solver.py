"""The equations of the cell solved a second time, without PyBaMM.

Covers the plain model: one particle size, no hysteresis, no double layers, one temperature.
It shares no discretisation with the package: diffusion in the particles is a sum of the
eigenfunctions of the sphere (Crank 1975), the reaction over the composite is collocated at
Gauss-Legendre points, and Radau IIA steps in time while Newton's method keeps the potentials.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.constants import R, physical_constants
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

F = physical_constants["Faraday constant"][0]

#: Collocation points in an element of the composite.
ORDER = 4

#: Plateaus of Na-Sn: upper end [mol Na per mol Sn] and potential [V vs Na/Na+].
ALLOY_PLATEAUS = np.array([[0.5, 0.53], [1.0, 0.46], [2.25, 0.16], [3.75, 0.08]])


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current.

    Attributes
    ----------
    rate : float
        C-rate, positive on discharge.
    duration : float
        Time to the voltage cut-off [s].
    capacity : float
        Charge passed per mass of active material [mA.h.g-1].
    voltage : callable
        Voltage [V] at a time [s] from the start of the half-cycle.
    """

    rate: float
    duration: float
    capacity: float
    voltage: Callable[[float], float]


def solve(values, rates, state_of_charge, **resolution):
    """Constant-current half-cycles, one after the other.

    Parameters
    ----------
    values : dict of str to float
        The parameters in the units of their names, derived ones included.
    rates : iterable of float
        C-rates, positive on discharge.
    state_of_charge : float
        Where the first one starts, with the alloy as made.
    **resolution
        ``points``, ``modes`` and ``rtol`` of `ReferenceCell`.

    Returns
    -------
    list of HalfCycle
    """
    cell = ReferenceCell(values, state_of_charge, **resolution)
    return [cell.half_cycle(rate) for rate in rates]


class ReferenceCell:
    """The cell and its present composition.

    Parameters
    ----------
    values, state_of_charge
        As for `solve`.
    points : int, optional
        Collocation points over the composite.
    modes : int, optional
        Eigenfunctions of the sphere; the rest follows the current without delay.
    rtol : float, optional
        Relative tolerance of the time steps.
    """

    def __init__(self, values, state_of_charge, elements=6, modes=8, rtol=1e-6):
        self.values, self.rtol = values, rtol
        self.temperature = values["Ambient temperature [K]"]
        self.thermal_voltage = R * self.temperature / F
        self.area = values["Electrode area [m2]"]
        # everything a unit current loses between the anode and the composite
        self.resistance = sum(
            values[name] / self.activated(name.replace("thickness [m]", "conductivity [S.m-1]"))
            for name in values
            if name.endswith(" layer thickness [m]")
        ) + sum(
            self.activated(name, sign=-1)
            for name in values
            if name.endswith(" interface resistance [Ohm.m2]")
        )

        positive = {
            name.removeprefix("Positive electrode ").split(" [")[0]: value
            for name, value in values.items()
            if name.startswith("Positive electrode ")
        }
        thickness = positive["thickness"]
        radius = values["Positive particle radius [m]"]
        contacted = positive["contacted fraction"]
        # reacting surface per area of electrode
        self.surface = (
            3 / radius * contacted * thickness
            * positive["active material volume fraction"] * positive["accessible fraction"]
        )  # fmt: skip
        self.film = positive["film resistance"]
        self.electronic = thickness / positive["effective electronic conductivity"]
        self.ionic = thickness / (
            self.activated("Positive electrode electrolyte conductivity [S.m-1]")
            * positive["electrolyte volume fraction"] ** positive["Bruggeman exponent"]
        )

        # surface composition = mean + sum(modes) - lag * j, with d/dt = source * j - decay * mode
        rate = self.activated("Positive particle diffusivity [m2.s-1]") / radius**2
        per_current = contacted / (
            F * radius * values["Maximum concentration in positive electrode [mol.m-3]"]
        )
        roots = np.array(
            [
                brentq(lambda z: np.sin(z) - z * np.cos(z), k * np.pi, (k + 0.5) * np.pi)
                for k in range(1, modes + 1)
            ]
        )
        self.decay = np.r_[0, rate * roots**2]
        self.source = -per_current * np.r_[3, np.full(modes, 2)]
        self.lag = per_current / rate * (1 / 5 - (2 / roots**2).sum())

        # Gauss-Legendre points in equal elements of 0..1; the matrix integrates from 0 to each
        z, weights = legendre.leggauss(ORDER)
        to_series = np.linalg.inv(legendre.legvander(z, ORDER - 1))
        primitives = legendre.legval(z, legendre.legint(np.eye(ORDER), lbnd=-1)).T
        before = np.kron(np.tri(elements, k=-1), np.tile(weights, (ORDER, 1)))
        within = np.kron(np.eye(elements), primitives @ to_series)
        self.x = (np.arange(elements)[:, None] + (z + 1) / 2).ravel() / elements
        self.weights = np.tile(weights, elements) / (2 * elements)
        self.integral = (before + within) / (2 * elements)

        self.composition = np.zeros((len(self.x), modes + 1))
        self.composition[:, 0] = 1 - state_of_charge
        self.sodium = values["Negative electrode as-made sodium content"]

    def activated(self, name, sign=1):
        """A value with an activation energy, at the temperature of the cell."""
        quantity = name.split(" [")[0]
        energy = self.values[f"{quantity} activation energy [J.mol-1]"]
        reference = self.values[f"{quantity} reference temperature [K]"]
        inverse = 1 / self.temperature - 1 / reference
        return self.values[name] * np.exp(-sign * energy / R * inverse)

    def half_cycle(self, rate):
        """Go on from the present composition to the cut-off."""
        values = self.values
        current = rate * values["Nominal cell capacity [A.h]"]
        i = current / self.area
        shape = self.composition.shape
        sodium_rate = -current / F / values["Negative electrode tin amount [mol]"]
        start, sign = self.sodium, np.sign(rate)
        cut_off = values[f"{'Lower' if rate > 0 else 'Upper'} voltage cut-off [V]"]
        # Newton's method goes on from where it was last
        last = np.r_[np.full(shape[0], -i / self.surface), 3.0]

        def reaction(y):
            unknowns, gain = self.reaction(y.reshape(shape).sum(axis=1), i, last)
            last[:] = unknowns
            return unknowns, gain

        def slope(_, y):
            j = reaction(y)[0][:-1]
            return (np.outer(j, self.source) - self.decay * y.reshape(shape)).ravel()

        def jacobian(_, y):
            block = np.einsum("k,mn,l->mknl", self.source, reaction(y)[1], np.ones(shape[1]))
            return block.reshape(y.size, y.size) - np.diag(np.tile(self.decay, shape[0]))

        def voltage(t, y):
            anode = self.alloy_ocp(start + sodium_rate * t)
            return self.voltage(reaction(y)[0], i) - anode

        def margin(t, y):
            return sign * (voltage(t, y) - cut_off)

        margin.terminal, margin.direction = True, -1
        if margin(0, self.composition.ravel()) <= 0:
            return HalfCycle(rate, 0.0, 0.0, lambda t: np.nan)
        all_sodium = 1.5 * 3600 / abs(rate)
        solution = solve_ivp(
            slope, (0, all_sodium), self.composition.ravel(), "Radau", events=margin,
            jac=jacobian, rtol=self.rtol, atol=self.rtol / 10, dense_output=True, first_step=1e-3,
        )  # fmt: skip
        if solution.status != 1:
            raise RuntimeError(f"{rate} C: the cut-off was not reached: {solution.message}")
        duration = solution.t[-1]
        self.composition = solution.y[:, -1].reshape(shape)
        self.sodium = start + sodium_rate * duration
        capacity = abs(current) * duration / 3600
        mass = values["Positive electrode active material mass [kg]"]
        return HalfCycle(rate, duration, capacity / mass, lambda t: voltage(t, solution.sol(t)))

    def voltage(self, unknowns, i):
        """Voltage of the cell [V] but for the equilibrium potential of the alloy."""
        j, difference = unknowns[:-1], unknowns[-1]
        j0 = self.activated("Negative electrode exchange-current density [A.m-2]")
        anode = 2 * self.thermal_voltage * np.arcsinh(i / (2 * j0))
        electronic = self.electronic * self.surface * self.weights @ self.integral @ j
        return difference + electronic - anode - self.resistance * i

    def reaction(self, slow, i, guess):
        """Reaction current over the composite at a given composition.

        Parameters
        ----------
        slow : numpy.ndarray
            Surface composition but for its immediate response to the reaction current.
        i : float
            Current density of the cell [A.m-2].
        guess : numpy.ndarray
            Where Newton's method starts.

        Returns
        -------
        unknowns : numpy.ndarray
            Reaction current [A.m-2] at the points, and phi_s - phi_e [V] at the separator.
        gain : numpy.ndarray
            Derivative of the reaction current with respect to ``slow``.
        """
        points = len(slow)
        ohmic = (self.electronic + self.ionic) * self.surface * self.integral @ self.integral
        # in volt, as the other equations are
        balance = np.r_[self.surface * self.weights, 0] * self.thermal_voltage / abs(i)

        def equations(unknowns):
            j, difference = unknowns[:-1], unknowns[-1]
            drop, by_theta, by_j = self.interface(slow - self.lag * j, j)
            local = drop - difference - self.ionic * i * self.x - ohmic @ j
            matrix = np.vstack([np.c_[np.diag(by_j - self.lag * by_theta) - ohmic,
                                      -np.ones(points)], balance])  # fmt: skip
            total = balance @ unknowns + np.sign(i) * self.thermal_voltage
            return np.r_[local, total], matrix, by_theta

        unknowns, damping = guess.copy(), 1.0
        residual, matrix, by_theta = equations(unknowns)
        for _ in range(200):
            if np.abs(residual).max() < 1e-11:
                break
            trial = unknowns - damping * np.linalg.solve(matrix, residual)
            found = equations(trial)
            if np.linalg.norm(found[0]) < np.linalg.norm(residual):
                unknowns, damping = trial, min(1.0, 2 * damping)
                residual, matrix, by_theta = found
            else:
                damping /= 4
        else:
            raise RuntimeError("Newton's method did not converge", np.abs(residual).max())
        change = np.vstack([-np.diag(by_theta), np.zeros(points)])
        return unknowns, np.linalg.solve(matrix, change)[:-1]

    def interface(self, theta, j):
        """phi_s - phi_e [V] of reacting NVP, and its derivatives by composition and current."""
        ocp, ocp_slope = self.cathode_ocp(theta)
        inside = np.clip(theta, 1e-12, 1 - 1e-12)
        j0 = self.activated("Positive electrode exchange-current density [A.m-2]")
        j0 = j0 * 2 * np.sqrt(inside * (1 - inside))
        j0_slope = j0 * np.where(theta == inside, (0.5 - inside) / (inside * (1 - inside)), 0)
        ratio = j / (2 * j0)
        by_ratio = 2 * self.thermal_voltage / np.hypot(1, ratio)
        drop = ocp + 2 * self.thermal_voltage * np.arcsinh(ratio) + self.film * j
        return drop, ocp_slope - by_ratio * ratio * j0_slope / j0, by_ratio / (2 * j0) + self.film

    def cathode_ocp(self, theta):
        """Equilibrium potential of NVP [V vs Na/Na+] and its slope."""
        name = "Positive electrode OCP "
        poor, rich = (self.values[f"{name}{end}charged end width"] for end in ("", "dis"))
        amplitude = self.values[name + "end amplitude [V]"]
        # the exponent is bounded for the trials of Newton's method
        up = amplitude * np.exp(np.minimum(-theta / poor, 100))
        down = amplitude * np.exp(np.minimum((theta - 1) / rich, 100))
        plateau = self.values["Positive electrode plateau potential [V]"]
        return plateau + up - down, -up / poor - down / rich

    def alloy_ocp(self, sodium):
        """Equilibrium potential of the alloy [V vs Na/Na+]."""
        name = "Negative electrode OCP "
        content, potential = ALLOY_PLATEAUS.T
        drops = potential - np.r_[potential[1:], 0]
        steps = (1 - np.tanh((sodium - content) / self.values[name + "step width"])) / 2
        empty = np.exp(-sodium / self.values[name + "empty width"])
        return drops @ steps + self.values[name + "empty amplitude [V]"] * empty
