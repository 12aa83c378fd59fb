"""The energy of a solution: work, heat of every loss, and what the materials store.

Two identities hold. Both follow from the equations as they are discretised, so that no mesh is
too coarse for them.

**Mean compositions.** The listed overpotentials add up to the voltage less the equilibrium
voltage of the mean compositions. Times the current,

    work - (integral of I times the sum of the overpotentials) = change of stored energy,

with ``Q_p int U_p dsto - F n int U_n dy`` of the mean compositions stored. In this the loss
"Positive particle diffusion" is no heat: it turns negative where a reversed current meets what
the one before left behind. Exact but for the quadrature over time and the solver's charge.

**All compositions.** A sum over shells of ``U_m Q_m dsto_m / dt``, with ``Q_m dsto_m / dt`` the
difference of the fluxes ``f`` through the two faces of a shell, is by parts

    f_surface U_surface + [ f_surface (U_M - U_surface) + sum over inner faces f (U_m - U_m+1) ].

The first term is what the reaction takes; the bracket is the heat of diffusion, each part of it
positive where U falls with composition. So

    work + heat = change of the stored energy of all shells of all particles, and of the anode,

with the heat of diffusion from Fick's law at every face, that of the composite from Joule's law
at every face (``i^2`` over the conductivity, and the halves of a cell at either end as they are
extrapolated), and that of the reaction from its kinetics. None of it uses a potential or the
voltage, which only the work does: it holds as far as the solver meets the equations. The two
heats differ by what the gradients within and between particles store, which is nothing before
the test, and after a long rest.

Isothermal or lumped; a constant diffusivity; no double layers, no two-phase particles.
"""

from dataclasses import dataclass

import numpy as np
import pybamm
from scipy.interpolate import CubicSpline

from ssnib_model.models.losses import breakdown_names
from ssnib_model.models.particles import FASTEST_DIFFUSION, size_classes

F, R = pybamm.constants.F.value, pybamm.constants.R.value
P = "Positive electrode"
OF_PARTICLES = (
    "Positive particle diffusion", f"{P} reaction", f"{P} film", f"{P} hysteresis",
)  # fmt: skip


@dataclass(frozen=True)
class Balance:
    """Energies of a solution [J], from its start to its end.

    Attributes
    ----------
    work : float
        Given to the load.
    heat : dict of str to float
        Of every loss, for the stored energy of all compositions.
    stored : float
        Change of what all shells and the anode store.
    listed, mean_stored : float
        Heat of the overpotentials, and change of what the mean compositions store.
    """

    work: float
    heat: dict[str, float]
    stored: float
    listed: float
    mean_stored: float

    def __add__(self, other):
        heat = {
            n: self.heat.get(n, 0.0) + other.heat.get(n, 0.0) for n in {**self.heat, **other.heat}
        }
        return Balance(
            self.work + other.work, heat, self.stored + other.stored,
            self.listed + other.listed, self.mean_stored + other.mean_stored,
        )  # fmt: skip

    @property
    def residual(self) -> float:
        """What is missing, over the energy that was moved."""
        return (self.work + sum(self.heat.values()) - self.stored) / self.moved

    @property
    def mean_residual(self) -> float:
        """The same for the mean compositions."""
        return (self.work + self.listed - self.mean_stored) / self.moved

    @property
    def moved(self) -> float:
        """Work and stored energy, without sign."""
        return max(abs(self.work), abs(self.stored))


#: Of no step.
NOTHING = Balance(0.0, {}, 0.0, 0.0, 0.0)


def energy_balance(solution, parameters):
    """The `Balance` of a solution of either model; of all its steps where it is of several.

    Parameters
    ----------
    solution : pybamm.Solution
        Any solution of the models of the package, by whatever solver.
    parameters : ParameterSet
        Those of the cell, with the options of its model.
    """
    if parameters.model_options["particle"] != "Fickian diffusion":
        raise ValueError("the flux between two phases is not written down here")
    return sum((_balance(part, parameters) for part in solution.sub_solutions), NOTHING)


def _balance(solution, parameters):
    t, area = solution.t, parameters["Electrode area [m2]"]

    def over_time(power):
        """Of a power per area; it is smooth within a step. [J]"""
        return area * float(CubicSpline(t, power).integrate(t[0], t[-1]))

    i, T = (solution[name].entries for name in ("Current density [A.m-2]", "Cell temperature [K]"))
    names = breakdown_names(solution.all_models[0].variables)
    lost = {name.removesuffix(" overpotential [V]"): -i * solution[name].entries for name in names}

    # of the particles and the reaction, class by class
    power, reaction, stored, classes = (
        dict.fromkeys(OF_PARTICLES, 0.0),
        0.0,
        0.0,
        _Classes(parameters),
    )
    for one in classes:
        sto = _with_points(solution[f"Positive particle stoichiometry{one.suffix}"].entries, 3)
        surface = f"Positive particle surface stoichiometry{one.suffix}"
        surface = _with_points(solution[surface].entries, 2)
        j = f"{P} interfacial current density{one.suffix} [A.m-2]"
        j = _with_points(solution[j].entries, 2)
        # charge of the class at a point, and what flows into its particles, per area of the cell
        charge = one.charge / len(j)
        into = -j * one.surface / len(j)
        reaction = reaction - into
        ends = classes.energy(sto[:, :, [0, -1]]) * one.volumes(len(sto))
        stored += area * charge * float(np.diff(ends.sum(axis=(0, 1)))[0])

        U = classes.energy.potential(sto)
        inner = charge * one.inner_flux(sto, T)
        to_surface = into * (U[-1] - classes.energy.potential(surface))
        power["Positive particle diffusion"] += (inner * -np.diff(U, axis=0)).sum(
            axis=(0, 1)
        ) + to_surface.sum(axis=0)
        j0 = activated(parameters, f"{P} exchange-current density [A.m-2]", T)
        j0 = j0 * 2 * np.sqrt(np.maximum(surface * (1 - surface), 1e-6))
        eta = 2 * R * T / F * np.arcsinh(j / (2 * j0))
        power[f"{P} reaction"] -= (into * eta).sum(axis=0)
        power[f"{P} film"] -= (into * j).sum(axis=0) * parameters[f"{P} film resistance [Ohm.m2]"]
        if f"{P} hysteresis" in lost:
            state = solution[f"{P} hysteresis state{one.suffix}"].entries
            drop = parameters[f"{P} hysteresis [V]"] / 2 * _with_points(state, 2)
            power[f"{P} hysteresis"] -= (into * drop).sum(axis=0)
    if len(reaction) > 1:
        power |= _joule(solution, parameters, i, reaction)
    # what the whole current passes, and in the reduced model the closed form of the composite
    heat = {name: over_time((lost | power)[name] + 0 * t) for name in lost}

    ends = [0, -1]
    anode = Stored(parameters, "Negative electrode OCP [V]")
    content = anode(solution["Negative electrode sodium content"].entries[ends])
    anode = F * parameters["Negative electrode tin amount [mol]"] * float(np.diff(content)[0])
    mean = np.diff(classes.energy(solution[f"{P} stoichiometry"].entries[ends]))[0]
    return Balance(
        work=3600 * float(np.diff(solution["Discharge energy [W.h]"].entries[ends])[0]),
        heat=heat,
        stored=stored + anode,
        listed=over_time(sum(lost.values())),
        mean_stored=area * classes.charge * float(mean) + anode,
    )


def _joule(solution, parameters, i, reaction):
    """Heat of both currents in the composite [W.m-2], from the reaction current of its points."""
    width = parameters[f"{P} thickness [m]"] / len(reaction)
    sigma_e = solution[f"{P} effective ionic conductivity [S.m-1]"].entries
    sigma_s = parameters[f"{P} effective electronic conductivity [S.m-1]"]
    # current of the electrons at the inner faces: none at the separator
    i_s = -np.cumsum(reaction, axis=0)[:-1]
    i_e = i - i_s
    # the cells at either end: half of one to where its potential is given, and the parabola
    # through two points with the gradient at the current collector
    ionic = ((i_e**2).sum(axis=0) + i**2 / 2) * width / sigma_e
    electronic = ((i_s**2).sum(axis=0) + i * (i_s[-1] / 8 + 3 * i / 8)) * width / sigma_s
    return {f"{P} ionic": ionic, f"{P} electronic": electronic}


class _Classes:
    """The size classes of a cell, and what all of them share."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.energy = Stored(parameters, f"{P} OCP [V]")
        #: what cycles, per area of the cell [C.m-2]
        self.charge = (
            F * parameters["Maximum concentration in positive electrode [mol.m-3]"]
            * parameters[f"{P} active material volume fraction"]
            * parameters[f"{P} accessible fraction"] * parameters[f"{P} thickness [m]"]
        )  # fmt: skip

    def __iter__(self):
        points, shares = size_classes(self.parameters.model_options["size classes"])
        spread = self.parameters["Positive particle radius spread"]
        for n, (point, share) in enumerate(zip(points, shares, strict=True)):
            suffix = f", size class {n + 1}" if len(points) > 1 else ""
            yield _Class(self, suffix, np.exp(spread * point), share)


class _Class:
    """One size class."""

    def __init__(self, classes, suffix, size, share):
        parameters = self.parameters = classes.parameters
        self.suffix, self.charge = suffix, share * classes.charge
        self.radius = parameters["Positive particle radius [m]"] * size
        # what reacts, per area of the cell
        c_max = parameters["Maximum concentration in positive electrode [mol.m-3]"]
        contacted = parameters[f"{P} contacted fraction"]
        self.surface = 3 * contacted * self.charge / (F * c_max * self.radius)

    @staticmethod
    def volumes(shells):
        """Share of each shell in the volume."""
        return np.diff(np.linspace(0, 1, shells + 1) ** 3)[:, None, None]

    def inner_flux(self, sto, T):
        """Into the sphere at the faces between shells, by the charge of the whole [s-1]."""
        shells = len(sto)
        rate = activated(self.parameters, "Positive particle diffusivity [m2.s-1]", T)
        rate = np.minimum(rate / self.radius**2, FASTEST_DIFFUSION)
        faces = np.arange(1, shells)[:, None, None] / shells
        return 3 * rate * faces**2 * np.diff(sto, axis=0) * shells


class Stored:
    """Integral of an equilibrium potential over composition, from the lowest of those given."""

    def __init__(self, parameters, name):
        self.values = parameters.to_pybamm()
        self.function = self.values[name]
        self.nodes, self.weights = np.polynomial.legendre.leggauss(16)

    def potential(self, composition):
        """The potential itself [V]."""
        flat = pybamm.Vector(np.ravel(composition))
        curve = self.values.process_symbol(self.function(flat)).evaluate()
        return np.reshape(curve, np.shape(composition))

    def __call__(self, composition):
        """By Gauss's rule between neighbours, in panels where these are far apart."""
        at, back = np.unique(composition, return_inverse=True)
        edges = np.unique(np.r_[at, np.arange(at[0], at[-1], 2e-3)])
        if len(edges) == 1:
            return np.zeros(np.shape(composition))
        half = np.diff(edges) / 2
        points = (edges[:-1] + half)[:, None] + half[:, None] * self.nodes
        areas = self.potential(points) @ self.weights * half
        whole = np.r_[0, np.cumsum(areas)][np.searchsorted(edges, at)]
        return whole[back].reshape(np.shape(composition))


def activated(parameters, name, T):
    """A value with an activation energy, at a temperature [K]."""
    quantity = name.split(" [")[0]
    energy = parameters[f"{quantity} activation energy [J.mol-1]"]
    reference = parameters[f"{quantity} reference temperature [K]"]
    return parameters[name] * np.exp(-energy / R * (1 / T - 1 / reference))


def _with_points(entries, dimensions):
    """An axis for the places in the composite, where the reduced model has none."""
    return entries if entries.ndim == dimensions else entries[..., None, :]
