"""The full model of the all-solid-state cell."""

from __future__ import annotations

import pybamm

from ssnib_model.models.base import F, R_gas, SolidStateBaseModel


class SolidStateDFN(SolidStateBaseModel):
    """Doyle-Fuller-Newman model of an all-solid-state sodium cell with single-ion electrolytes.

    ``planar alloy anode | any number of dense electrolyte layers | porous composite cathode``

    The electrolytes carry sodium ions only, so that their concentration is constant and
    their transport is Ohm's law: a layer is a resistance, and the composite has two
    potentials but no salt balance (Doyle, Fuller and Newman 1993, doi 10.1149/1.2221597,
    with t+ = 1). All coordinates are of unit length, so that thicknesses and radius may be
    inputs. Discharge current is positive; potentials are relative to the anode's metal.

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
        x = pybamm.SpatialVariable("x_p", domain="positive electrode", coord_sys="cartesian")

        ######################
        # Variables
        ######################
        sto = pybamm.Variable(
            "Positive particle stoichiometry",
            domain="positive particle",
            auxiliary_domains={"secondary": "positive electrode"},
        )
        phi_s = pybamm.Variable("Positive electrode potential [V]", domain="positive electrode")
        phi_e = pybamm.Variable("Positive electrolyte potential [V]", domain="positive electrode")

        eta = pybamm.Variable(
            "Positive electrode reaction overpotential profile [V]", domain="positive electrode"
        )

        ######################
        # Anode and electrolyte layers
        ######################
        y = self.set_cell_states()
        eta_n = self.anode_overpotential()
        separator = self.separator_overpotentials()
        # electrolyte potential where the last layer meets the composite; the anode's is 0
        phi_e_left = -p.U_n(y) + eta_n + sum(separator.values())

        ######################
        # Reaction on the particles
        ######################
        sto_surf = pybamm.surf(sto)
        U_surf = p.U_p(sto_surf)
        j = 2 * p.j0_p(sto_surf) * pybamm.sinh(F * eta / (2 * R_gas * T))
        reaction = p.L * p.a * j
        # eta as a state makes j explicit although the film's drop depends on it
        driving_force = phi_s - phi_e - U_surf - j * p.R_film
        self.algebraic[eta] = driving_force - eta
        self.initial_conditions[eta] = pybamm.Scalar(0)

        ######################
        # Particles
        ######################
        N = -(p.D(sto) / p.R**2) * pybamm.grad(sto)
        self.rhs[sto] = -pybamm.div(N)
        self.boundary_conditions[sto] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (p.surface_gradient(j, sto_surf), "Neumann"),
        }
        self.initial_conditions[sto] = p.sto_init

        ######################
        # Electrons in the composite
        ######################
        i_s = -p.sigma_s / p.L * pybamm.grad(phi_s)
        self.algebraic[phi_s] = pybamm.div(i_s) + reaction
        self.boundary_conditions[phi_s] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (-i * p.L / p.sigma_s, "Neumann"),
        }
        self.initial_conditions[phi_s] = p.ocv_init

        ######################
        # Ions in the composite
        ######################
        sigma_e = self.composite_conductivity()
        i_e = -sigma_e / p.L * pybamm.grad(phi_e)
        self.algebraic[phi_e] = pybamm.div(i_e) - reaction
        self.boundary_conditions[phi_e] = {
            "left": (phi_e_left, "Dirichlet"),
            "right": (pybamm.Scalar(0), "Neumann"),
        }
        self.initial_conditions[phi_e] = -p.U_n(p.y_init)

        ######################
        # Voltage
        ######################
        V = pybamm.boundary_value(phi_s, "right")
        sto_mean = pybamm.Integral(pybamm.r_average(sto), x)
        # Averages weighted with the local reaction current; any weights of integral 1 make
        # the breakdown add up to V. They turn even as the cell comes to rest (below 1e-4 C).
        total = pybamm.Integral(reaction, x)
        i_rest = 1e-4 * p.Q / p.A_cc

        def average(f):
            weighted = pybamm.Integral((reaction * total + i_rest**2) * f, x)
            return weighted / (total**2 + i_rest**2)

        overpotentials = {
            **separator,
            "Negative electrode reaction": eta_n,
            "Positive electrode ionic": average(phi_e) - phi_e_left,
            "Positive electrode electronic": V - average(phi_s),
            "Positive electrode film": average(j * p.R_film),
            "Positive electrode reaction": average(driving_force),
            "Positive particle diffusion": average(U_surf) - p.U_p(sto_mean),
        }
        self.set_voltage(V, sto_mean, y, overpotentials)
        self.variables.update(
            {
                "Positive particle stoichiometry": sto,
                "Positive particle surface stoichiometry": sto_surf,
                "Positive electrode potential [V]": phi_s,
                "Positive electrolyte potential [V]": phi_e,
                "Positive electrode current density [A.m-2]": i_s,
                "Positive electrolyte current density [A.m-2]": i_e,
                "Positive electrode interfacial current density [A.m-2]": j,
                "Positive electrode reaction overpotential profile [V]": eta,
                "Positive electrode effective ionic conductivity [S.m-1]": sigma_e,
            }
        )

    @property
    def default_geometry(self):
        unit = {"min": 0, "max": 1}
        return {
            "positive electrode": {"x_p": unit},
            "positive particle": {"r_p": unit},
        }

    @property
    def default_var_pts(self):
        return {"x_p": 20, "r_p": 20}
