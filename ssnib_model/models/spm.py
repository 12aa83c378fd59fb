"""The reduced model of the all-solid-state cell: one particle and a closed-form composite."""

from __future__ import annotations

import pybamm

from ssnib_model.models.base import F, R_gas, SolidStateBaseModel


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
        p = self.param
        i, T = p.i, p.T

        ######################
        # Anode and electrolyte layers
        ######################
        y = self.set_cell_states()
        eta_n = self.anode_overpotential()
        separator = self.separator_overpotentials()

        ######################
        # Particle
        ######################
        sto = pybamm.Variable("Positive particle stoichiometry", domain="positive particle")
        sto_surf = pybamm.surf(sto)
        j = -i / (p.a * p.L)
        N = -(p.D(sto) / p.R**2) * pybamm.grad(sto)
        self.rhs[sto] = -pybamm.div(N)
        self.boundary_conditions[sto] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (p.surface_gradient(j, sto_surf), "Neumann"),
        }
        self.initial_conditions[sto] = p.sto_init

        ######################
        # Reaction and composite
        ######################
        j0 = p.j0_p(sto_surf)
        eta = 2 * R_gas * T / F * pybamm.arcsinh(j / (2 * j0))
        # slope of the kinetics at the present overpotential, and the film in series with it
        conductance = F / (R_gas * T) * pybamm.sqrt(j0**2 + (j / 2) ** 2)
        g = 1 / (1 / conductance + p.R_film)
        sigma_e, sigma_s = self.composite_conductivity(), p.sigma_s
        nu_squared = p.a * g * p.L**2 * (1 / sigma_s + 1 / sigma_e)
        resistance = porous_electrode_resistance(p.L, sigma_s, sigma_e, nu_squared)
        # the two potentials share what the uneven reaction costs as their resistances
        ionic_share = sigma_s / (sigma_s + sigma_e)

        ######################
        # Voltage
        ######################
        sto_mean = pybamm.r_average(sto)
        overpotentials = {
            **separator,
            "Negative electrode reaction": eta_n,
            "Positive electrode ionic": -i * resistance * ionic_share,
            "Positive electrode electronic": -i * resistance * (1 - ionic_share),
            "Positive electrode film": j * p.R_film,
            "Positive electrode reaction": eta,
            "Positive particle diffusion": p.U_p(sto_surf) - p.U_p(sto_mean),
        }
        V = p.U_p(sto_mean) - p.U_n(y) + sum(overpotentials.values())
        self.set_voltage(V, sto_mean, y, overpotentials)
        self.variables.update(
            {
                "Positive particle stoichiometry": sto,
                "Positive particle surface stoichiometry": sto_surf,
                "Positive electrode interfacial current density [A.m-2]": j,
                "Positive electrode effective ionic conductivity [S.m-1]": sigma_e,
                "Reaction uniformity number": nu_squared,
            }
        )

    @property
    def default_geometry(self):
        return {"positive particle": {"r_p": {"min": 0, "max": 1}}}

    @property
    def default_var_pts(self):
        return {"r_p": 20}


def porous_electrode_resistance(L, sigma_s, sigma_e, nu_squared):
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
