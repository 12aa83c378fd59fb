"""The reduced model of the all-solid-state cell: one particle and a closed-form composite."""

from __future__ import annotations

from collections.abc import Sequence

import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.models.losses import AnodeReaction, Composite, F, R_gas
from ssnib_model.models.particles import Particle, size_classes


class SolidStateSPM(SolidStateBaseModel):
    """Single-particle model that keeps the resistance of the composite.

    The reaction is taken as uniform over the composite, so that one particle stands for all.
    What the uneven reaction costs is added in closed form: the resistance of a porous
    electrode with linear kinetics, less its charge transfer (`porous_electrode_resistance`),
    with the conductance of the reaction at its present overpotential.

    The variable "Reaction uniformity number" is the square of the ratio of composite
    thickness to penetration depth of the reaction, ``nu**2 = a g L**2 (1/sigma_s +
    1/sigma_e)``. The reaction is uniform where it is well below 1.

    Parameters
    ----------
    options : dict, optional
        See `SolidStateBaseModel`.
    name : str, optional
        The name of the model.

    Examples
    --------
    >>> import pybamm, ssnib_model as ss
    >>> solution = pybamm.Simulation(ss.SolidStateSPM()).solve([0, 1800])
    """

    def __init__(self, options: dict | None = None, name: str = "Solid-state SPM"):
        super().__init__(options, name)
        if self.options["surface form"] != "false":
            raise OptionError("the reduced model has no double layers: use SolidStateDFN")
        p = self.param
        i, T = p.i, p.T

        ######################
        # Anode and electrolyte layers
        ######################
        y = self.set_cell_states(p.y_init)
        eta_n = self.anode_overpotential()
        separator = self.separator_overpotentials()

        ######################
        # Particles and their reaction
        ######################
        classes = len(size_classes(self.options["size classes"])[0])
        particles = [Particle(self, n, None) for n in range(classes)]
        exchange = [p.j0_p(particle.sto_surf) for particle in particles]
        if len(particles) == 1:
            j = -i / (p.L * particles[0].a)
            currents = [j]
            etas = [2 * R_gas * T / F * pybamm.arcsinh(j / (2 * exchange[0]))]
        else:
            # the classes share a potential difference, which follows from the current
            difference = pybamm.Variable("Positive electrode potential difference [V]")
            etas = [
                pybamm.Variable(f"Positive electrode reaction overpotential{q.suffix} [V]")
                for q in particles
            ]
            currents = [
                2 * j0 * pybamm.sinh(F * eta / (2 * R_gas * T))
                for j0, eta in zip(exchange, etas, strict=True)
            ]
            sides = zip(particles, currents, strict=True)
            self.algebraic[difference] = sum(p.L * q.a * j for q, j in sides) + i
            self.initial_conditions[difference] = p.U_p(p.sto_init)
        local_losses = self.local_losses()
        drops: dict[str, list[pybamm.Symbol]] = {loss.name: [] for loss in local_losses}
        for particle, eta, j in zip(particles, etas, currents, strict=True):
            for loss in local_losses:
                drops[loss.name].append(loss.drop(particle, j))
            if len(particles) > 1:
                taken = [values[-1] for values in drops.values()]
                self.algebraic[eta] = difference - particle.U_surf - sum(taken) - eta
                self.initial_conditions[eta] = pybamm.Scalar(0)
            particle.set_equations(j)

        ######################
        # Composite
        ######################
        # slope of the kinetics at the present overpotential, and what is in series with it
        slopes = [
            F / (R_gas * T) * pybamm.sqrt(j0**2 + (j / 2) ** 2)
            for j0, j in zip(exchange, currents, strict=True)
        ]
        a_g = sum(
            q.a / (1 / slope + sum(loss.resistance(q) for loss in local_losses))
            for q, slope in zip(particles, slopes, strict=True)
        )
        sigma_e, sigma_s = self.composite_conductivity(), p.sigma_s
        nu_squared = p.L**2 * a_g * (1 / sigma_s + 1 / sigma_e)
        resistance = porous_electrode_resistance(p.L, sigma_s, sigma_e, nu_squared)
        # the two potentials share what the uneven reaction costs as their resistances
        ionic_share = sigma_s / (sigma_s + sigma_e)

        ######################
        # Voltage
        ######################
        sto_mean = sum(q.share * pybamm.r_average(q.sto) for q in particles)
        U_mean = self.set_cathode_state(sto_mean)
        shares = [p.L * q.a * j for q, j in zip(particles, currents, strict=True)]
        i_rest = 1e-4 * p.Q / p.A_cc

        def average(values: Sequence[pybamm.Symbol]) -> pybamm.Symbol:
            """Weighted with the reaction current of each class; evenly at rest."""
            if len(particles) == 1:
                return values[0]
            weights = [
                (q.share * i_rest**2 - i * share) / (i**2 + i_rest**2)
                for q, share in zip(particles, shares, strict=True)
            ]
            # the states meet the current to the solver's tolerance: normalise exactly
            return sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)

        composite = Composite(
            particles,
            etas,
            drops,
            ionic=-i * resistance * ionic_share,
            electronic=-i * resistance * (1 - ionic_share),
            U_mean=U_mean,
            average=average,
        )
        overpotentials = {
            **separator,
            AnodeReaction.name: eta_n,
            **composite.overpotentials(),
        }
        V = U_mean - p.U_n(y) + sum(overpotentials.values())
        self.set_voltage(V, U_mean, p.U_n(y), overpotentials)
        self.variables.update(
            {
                "Positive electrode effective ionic conductivity [S.m-1]": sigma_e,
                "Reaction uniformity number": nu_squared,
            }
        )

    @property
    def default_geometry(self) -> dict:
        return self.geometry_of("positive particle")


def porous_electrode_resistance(
    L: pybamm.Symbol | float,
    sigma_s: pybamm.Symbol | float,
    sigma_e: pybamm.Symbol | float,
    nu_squared: pybamm.Symbol | float,
) -> pybamm.Symbol:
    """What distribution adds to the resistance of a porous electrode [Ohm.m2].

    ``R = L / (s + k) (1 + (2 + (s/k + k/s) cosh nu) / (nu sinh nu))`` for linear kinetics
    (Newman and Tobias 1962, doi 10.1149/1.2425269; Ong and Newman 1999,
    doi 10.1149/1.1392654), less the charge transfer of a uniform reaction,
    ``L (s + k) / (s k nu**2)``. Its limit for small nu is ``L (1/s + 1/k) / 3``.

    Parameters
    ----------
    L : pybamm.Symbol or float
        Thickness [m].
    sigma_s, sigma_e : pybamm.Symbol or float
        Effective electronic and ionic conductivity, s and k [S.m-1].
    nu_squared : pybamm.Symbol or float
        Square of thickness over penetration depth.

    Returns
    -------
    pybamm.Symbol
        Area-specific resistance [Ohm.m2].
    """
    # 1/sinh and coth - 1/nu lose all digits as nu -> 0: bounded below, where R has its limit
    nu = pybamm.sqrt(nu_squared + 1e-4)
    decay = pybamm.exp(-nu)  # exponentials that cannot overflow
    coth = (1 + decay**2) / (1 - decay**2)
    csch = 2 * decay / (1 - decay**2)
    total, product = sigma_s + sigma_e, sigma_s * sigma_e
    ratios = sigma_s / sigma_e + sigma_e / sigma_s
    return L / total * (1 + (2 * csch + ratios * coth) / nu) - L * total / (product * nu**2)
