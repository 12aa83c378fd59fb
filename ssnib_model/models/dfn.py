"""The full model of the all-solid-state cell."""

from __future__ import annotations

from collections.abc import Sequence

import pybamm

from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.models.losses import AnodeReaction, Composite, F, R_gas
from ssnib_model.models.particles import Particle, size_classes


class SolidStateDFN(SolidStateBaseModel):
    """Doyle-Fuller-Newman model of an all-solid-state sodium cell with single-ion electrolytes.

    ``planar alloy anode | any number of dense electrolyte layers | porous composite cathode``

    The electrolytes carry sodium ions only, so that their concentration is constant and
    their transport is Ohm's law: a layer is a resistance, and the composite has two
    potentials but no salt balance (Doyle, Fuller and Newman 1993, doi 10.1149/1.2221597,
    with t+ = 1). All coordinates of the equations are of unit length, so that thicknesses and
    radius may be inputs. Discharge current is positive; potentials are relative to the anode's
    metal.

    Parameters
    ----------
    options : dict, optional
        See `SolidStateBaseModel`.
    name : str, optional
        The name of the model.

    Examples
    --------
    >>> import pybamm, ssnib_model as ss
    >>> solution = pybamm.Simulation(ss.SolidStateDFN()).solve([0, 1800])
    """

    def __init__(self, options: dict | None = None, name: str = "Solid-state DFN"):
        super().__init__(options, name)
        p = self.param
        i, T = p.i, p.T
        cathode = "positive electrode"
        x = pybamm.SpatialVariable("x_p", domain=cathode, coord_sys="cartesian")

        ######################
        # Anode and electrolyte layers
        ######################
        y = self.set_cell_states(p.y_init)
        eta_n = self.anode_overpotential()
        separator = self.separator_overpotentials()
        behind = {loss.name for loss in self.series_losses() if loss.behind_cathode}
        # electrolyte potential where the last layer meets the composite; the anode's is 0
        before = sum(eta for name, eta in separator.items() if name not in behind)
        phi_e_left = -p.U_n(y) + eta_n + before

        ######################
        # Potentials in the composite
        ######################
        phi_s = pybamm.Variable("Positive electrode potential [V]", domain=cathode)
        phi_e = pybamm.Variable("Positive electrolyte potential [V]", domain=cathode)
        i_s = -p.sigma_s / p.L * pybamm.grad(phi_s)
        sigma_e = self.composite_conductivity()
        i_e = -sigma_e / p.L * pybamm.grad(phi_e)
        self.boundary_conditions[phi_s] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (-i * p.L / p.sigma_s, "Neumann"),
        }
        self.boundary_conditions[phi_e] = {
            "left": (phi_e_left, "Dirichlet"),
            "right": (pybamm.Scalar(0), "Neumann"),
        }
        self.initial_conditions[phi_s] = p.ocv_init
        self.initial_conditions[phi_e] = -p.U_n(p.y_init)

        # potential difference that drives the reaction: a state where there is a double layer
        difference = phi_s - phi_e
        double_layer = self.options["surface form"] == "differential"
        if double_layer:
            difference = pybamm.Variable(
                "Positive electrode surface potential difference [V]", domain=cathode
            )

        ######################
        # Particles and their reaction, one size class after the other
        ######################
        classes = len(size_classes(self.options["size classes"])[0])
        particles = [Particle(self, n, cathode) for n in range(classes)]
        local_losses = self.local_losses()
        reactions, etas = [], []
        drops: dict[str, list[pybamm.Symbol]] = {loss.name: [] for loss in local_losses}
        for particle in particles:
            # The current is the state and the overpotential follows from it: Newton's method
            # climbs an asinh from any start, where it would overshoot on a sinh.
            reaction = pybamm.Variable(
                f"Positive electrode reaction current density{particle.suffix} [A.m-2]",
                domain=cathode,
                scale=100 * particle.share,  # so that each class counts at the tolerance
            )
            j = reaction / (p.L * particle.a)
            eta = 2 * R_gas * T / F * pybamm.arcsinh(j / (2 * p.j0_p(particle.sto_surf)))
            left = difference - particle.U_surf
            for loss in local_losses:
                drop = loss.drop(particle, j)
                drops[loss.name].append(drop)
                left = left - drop
            self.algebraic[reaction] = left - eta
            self.initial_conditions[reaction] = pybamm.Scalar(0)
            particle.set_equations(j)
            reactions.append(reaction)
            # by difference, so that the breakdown adds up whatever the solver's tolerance
            etas.append(left)
            self.variables[
                f"Positive electrode reaction overpotential profile{particle.suffix} [V]"
            ] = eta
        reaction = sum(reactions)

        ######################
        # Conservation of charge
        ######################
        if double_layer:
            capacity = pybamm.Parameter("Positive electrode double-layer capacity [F.m-2]")
            surface = p.L * sum(particle.a for particle in particles)
            self.rhs[difference] = (-pybamm.div(i_s) - reaction) / (surface * capacity)
            self.initial_conditions[difference] = p.U_p(p.sto_init)
            self.algebraic[phi_s] = pybamm.div(i_s) + pybamm.div(i_e)
            self.algebraic[phi_e] = phi_s - phi_e - difference
        else:
            self.algebraic[phi_s] = pybamm.div(i_s) + reaction
            self.algebraic[phi_e] = pybamm.div(i_e) - reaction

        ######################
        # Voltage
        ######################
        phi_s_right = pybamm.boundary_value(phi_s, "right")
        V = phi_s_right + sum(separator[name] for name in separator if name in behind)
        sto_mean = sum(q.share * pybamm.Integral(pybamm.r_average(q.sto), x) for q in particles)
        U_mean = self.set_cathode_state(sto_mean)
        # Averages weighted with the local reaction current; any weights of integral 1 make
        # the breakdown add up to V. They turn even as the cell comes to rest (below 1e-4 C).
        i_rest = 1e-4 * p.Q / p.A_cc
        # with the current itself: at rest what the solver leaves of it would be magnified
        weights = [
            (q.share * i_rest**2 - r * i) / (i**2 + i_rest**2)
            for r, q in zip(reactions, particles, strict=True)
        ]
        # the states meet the current to the solver's tolerance: normalise exactly
        whole = pybamm.Integral(sum(weights), x)

        def average(values: Sequence[pybamm.Symbol]) -> pybamm.Symbol:
            weighted = (w * value for w, value in zip(weights, values, strict=True))
            return pybamm.Integral(sum(weighted), x) / whole

        def everywhere(value: pybamm.Symbol) -> list[pybamm.Symbol]:
            return [value] * len(particles)

        composite = Composite(
            particles,
            etas,
            drops,
            ionic=average(everywhere(phi_e)) - phi_e_left,
            electronic=phi_s_right - average(everywhere(phi_s)),
            U_mean=U_mean,
            average=average,
        )
        overpotentials = {
            **separator,
            AnodeReaction.name: eta_n,
            **composite.overpotentials(),
        }
        self.set_voltage(V, U_mean, p.U_n(y), overpotentials)
        self.variables.update(
            {
                "Positive electrode potential [V]": phi_s,
                "Positive electrolyte potential [V]": phi_e,
                "Positive electrode current density [A.m-2]": i_s,
                "Positive electrolyte current density [A.m-2]": i_e,
                "Positive electrode effective ionic conductivity [S.m-1]": sigma_e,
            }
        )

    @property
    def default_geometry(self) -> dict:
        return self.geometry_of("positive electrode", "positive particle")
