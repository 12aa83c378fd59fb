"""The equations of the cell solved a second time, without PyBaMM.

Covers the plain model: one particle size, no hysteresis, no double layers, one temperature.
It shares no discretisation with the package. Diffusion in the particles is a sum of the
eigenfunctions of the sphere (Crank 1975), the reaction over the composite is collocated at
Gauss points, and Radau IIA steps in time with the potentials from an inner Newton's method.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.constants import R, physical_constants
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

F = physical_constants["Faraday constant"][0]

#: Plateaus of Na-Sn: upper end [mol Na per mol Sn] and potential [V vs Na/Na+].
ALLOY_PLATEAUS = np.array([[0.5, 0.53], [1.0, 0.46], [2.25, 0.16], [3.75, 0.08]])

#: Collocation points in an element of the composite.
ORDER = 4


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current.

    Attributes
    ----------
    rate : float
        C-rate, positive on discharge.
    duration : float
        Time to the voltage cut-off [s]; 0 if the half-cycle starts beyond it.
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
        ``elements``, ``modes`` and ``rtol`` of `ReferenceCell`.

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
    elements : int, optional
        Elements of equal length over the composite, of `ORDER` collocation points each.
    modes : int, optional
        Eigenfunctions of the sphere; those left out follow the current without delay.
    rtol : float, optional
        Relative tolerance of the time steps.
    """

    def __init__(self, values, state_of_charge, elements=16, modes=6, rtol=1e-6):
        self.values, self.rtol = values, rtol
        self.temperature = values["Ambient temperature [K]"]
        self.thermal_voltage = R * self.temperature / F
        self._set_composite(elements)
        self._set_particles(modes)

        self.j0_anode = self.activated("Negative electrode exchange-current density [A.m-2]")
        # of everything between the anode and the composite [Ohm.m2]
        self.resistance = 0.0
        for name, value in values.items():
            if name.endswith(" layer thickness [m]"):
                conductivity = name.replace("thickness [m]", "conductivity [S.m-1]")
                self.resistance += value / self.activated(conductivity)
            elif name.endswith(" interface resistance [Ohm.m2]"):
                self.resistance += self.activated(name, sign=-1)

        # mean of the sphere and modes, at each point of the composite
        self.composition = np.zeros((len(self.x), modes + 1))
        self.composition[:, 0] = 1 - state_of_charge
        self.sodium = values["Negative electrode as-made sodium content"]

    def _set_composite(self, elements):
        thickness = self.positive("thickness [m]")
        # reacting surface per area of the cell
        self.surface = (
            3 / self.values["Positive particle radius [m]"]
            * self.positive("active material volume fraction") * thickness
            * self.positive("accessible fraction") * self.positive("contacted fraction")
        )  # fmt: skip
        self.j0 = self.activated("Positive electrode exchange-current density [A.m-2]")
        self.film = self.positive("film resistance [Ohm.m2]")
        fraction, exponent = (
            self.positive(name) for name in ("electrolyte volume fraction", "Bruggeman exponent")
        )
        dense = self.activated("Positive electrode electrolyte conductivity [S.m-1]")
        self.ionic = thickness / (dense * fraction**exponent)
        self.electronic = thickness / self.positive("effective electronic conductivity [S.m-1]")

        # points and weights on 0..1, and the matrix that integrates from 0 to each point
        z, weights = legendre.leggauss(ORDER)
        series = np.linalg.inv(legendre.legvander(z, ORDER - 1))
        within = legendre.legval(z, legendre.legint(np.eye(ORDER), lbnd=-1)).T @ series
        before = np.tile(weights, (ORDER, 1))
        self.x = (np.arange(elements)[:, None] + (z + 1) / 2).ravel() / elements
        self.weights = np.tile(weights, elements) / (2 * elements)
        self.integral = np.kron(np.eye(elements), within) + np.kron(np.tri(elements, k=-1), before)
        self.integral /= 2 * elements
        # potential difference at each point by the reaction current at all of them
        drop = (self.electronic + self.ionic) * self.surface
        self.ohmic = drop * self.integral @ self.integral

    def _set_particles(self, modes):
        radius = self.values["Positive particle radius [m]"]
        rate = self.activated("Positive particle diffusivity [m2.s-1]") / radius**2
        c_max = self.values["Maximum concentration in positive electrode [mol.m-3]"]
        # only the contacted surface reacts; the flux is the average over the sphere
        flux = self.positive("contacted fraction") / (F * radius * c_max)

        def characteristic(z):
            return np.sin(z) - z * np.cos(z)

        roots = np.array(
            [brentq(characteristic, k * np.pi, (k + 0.5) * np.pi) for k in range(1, modes + 1)]
        )
        # d mode/dt = source j - decay mode, and theta at the surface = sum of modes - lag j
        self.decay = np.r_[0, rate * roots**2]
        self.source = -flux * np.r_[3, np.full(modes, 2)]
        self.lag = flux / rate * (1 / 5 - (2 / roots**2).sum())

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

    def half_cycle(self, rate):
        """Go on from the present composition to the cut-off."""
        current = rate * self.values["Nominal cell capacity [A.h]"]
        i = current / self.values["Electrode area [m2]"]
        start, shape = self.sodium, self.composition.shape
        sodium_rate = -current / (F * self.values["Negative electrode tin amount [mol]"])
        cut_off = self.values[f"{'Lower' if rate > 0 else 'Upper'} voltage cut-off [V]"]
        last = np.r_[np.full(len(self.x), -i / self.surface), self.cathode_ocp(0.5)[0]]

        def reaction(y):
            # Newton's method goes on from where it ended the last time
            last[:], gain = self.reaction(y.reshape(shape).sum(axis=1), i, last)
            return last, gain

        def slope(_, y):
            j = reaction(y)[0][:-1]
            return (np.outer(j, self.source) - self.decay * y.reshape(shape)).ravel()

        def jacobian(_, y):
            blocks = np.einsum("k,mn,l->mknl", self.source, reaction(y)[1], np.ones(shape[1]))
            return blocks.reshape(y.size, y.size) - np.diag(np.tile(self.decay, shape[0]))

        def voltage(t, y):
            return self.voltage(reaction(y)[0], i) - self.alloy_ocp(start + sodium_rate * t)

        def margin(t, y):
            return np.sign(rate) * (voltage(t, y) - cut_off)

        margin.terminal, margin.direction = True, -1
        initial = self.composition.ravel()
        if margin(0, initial) <= 0:
            return HalfCycle(rate, 0.0, 0.0, lambda t: np.nan)
        solution = solve_ivp(
            slope, (0, 1.5 * 3600 / abs(rate)), initial, "Radau", jac=jacobian, events=margin,
            rtol=self.rtol, atol=self.rtol / 10, first_step=1e-3, dense_output=True,
        )  # fmt: skip
        if solution.status != 1:
            raise RuntimeError(f"{rate} C did not reach its cut-off: {solution.message}")
        duration = solution.t[-1]
        self.composition = solution.y[:, -1].reshape(shape)
        self.sodium = start + sodium_rate * duration
        capacity = abs(current) * duration / 3600 / self.positive("active material mass [kg]")
        return HalfCycle(rate, duration, capacity, lambda t: voltage(t, solution.sol(t)))

    def voltage(self, unknowns, i):
        """Voltage of the cell [V] with the alloy's equilibrium potential at zero."""
        j, difference = unknowns[:-1], unknowns[-1]
        anode = 2 * self.thermal_voltage * np.arcsinh(i / (2 * self.j0_anode))
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
            Unknowns where Newton's method starts.

        Returns
        -------
        unknowns : numpy.ndarray
            Reaction current [A.m-2] at the points, then phi_s - phi_e [V] at the separator.
        gain : numpy.ndarray
            Derivative of the reaction current with respect to ``slow``.
        """
        # the charge balance in volt, as the other equations are
        balance = self.surface * self.weights * self.thermal_voltage / abs(i)
        column = -np.ones((len(slow), 1))

        def equations(unknowns):
            j, difference = unknowns[:-1], unknowns[-1]
            drop, by_theta, by_j = self.interface(slow - self.lag * j, j)
            local = drop - difference - self.ionic * i * self.x - self.ohmic @ j
            total = balance @ j + self.thermal_voltage * np.sign(i)
            own = np.diag(by_j - self.lag * by_theta) - self.ohmic
            return np.r_[local, total], np.block([[own, column], [balance, 0]]), by_theta

        unknowns, damping = guess.copy(), 1.0
        residual, matrix, by_theta = equations(unknowns)
        for _ in range(200):
            if np.abs(residual).max() < 1e-11:
                break
            trial = unknowns - damping * np.linalg.solve(matrix, residual)
            tried = equations(trial)
            if np.linalg.norm(tried[0]) < np.linalg.norm(residual):
                unknowns, (residual, matrix, by_theta) = trial, tried
                damping = min(1.0, 2 * damping)
            else:
                damping /= 4
        else:
            raise RuntimeError(f"no potentials found, off by {np.abs(residual).max():.1g} V")
        by_slow = np.vstack([-np.diag(by_theta), np.zeros(len(slow))])
        return unknowns, np.linalg.solve(matrix, by_slow)[:-1]

    def interface(self, theta, j):
        """phi_s - phi_e [V] of reacting NVP, and its derivatives by theta and j."""
        ocp, ocp_slope = self.cathode_ocp(theta)
        # a trial may leave 0..1
        product = np.maximum(theta * (1 - theta), 1e-9)
        ratio = j / (4 * self.j0 * np.sqrt(product))
        by_ratio = 2 * self.thermal_voltage / np.hypot(1, ratio)
        ratio_by_theta = np.where(product > 1e-9, ratio * (theta - 0.5) / product, 0)
        drop = ocp + 2 * self.thermal_voltage * np.arcsinh(ratio) + self.film * j
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
        """Equilibrium potential of the alloy [V vs Na/Na+]."""
        name = "Negative electrode OCP"
        content, potential = ALLOY_PLATEAUS.T
        steps = (1 - np.tanh((sodium - content) / self.values[f"{name} step width"])) / 2
        empty = np.exp(-sodium / self.values[f"{name} empty width"])
        drops = potential - np.r_[potential[1:], 0]
        return drops @ steps + self.values[f"{name} empty amplitude [V]"] * empty
