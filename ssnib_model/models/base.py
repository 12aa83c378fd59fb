"""What every model of the cell shares: symbols, electrolyte layers, anode, voltage, defaults."""

from __future__ import annotations

from typing import Any

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.pybamm_values import anode_as_made, anode_potential, equilibrium
from ssnib_model.materials.transport import effective_ratio
from ssnib_model.models.ageing import ISOLATED, Ageing
from ssnib_model.models.coordinates import DOMAIN, UnitFiniteVolume, UnitSubMesh, coordinate
from ssnib_model.models.initial import CellOptions, UnitCharge
from ssnib_model.models.losses import (
    LOCAL,
    SERIES,
    AnodeReaction,
    Layer,
    LocalLoss,
    SeriesLoss,
    arrhenius,
    pybamm_components,
)
from ssnib_model.models.losses import F as F
from ssnib_model.models.losses import R_gas as R_gas
from ssnib_model.models.particles import size_classes

#: Options of IDAKLU with which it starts where it would give up by its own. The first step is
#: guessed from a duration that may be years, and must shrink to what resolves the start; Newton's
#: method needs small steps towards the potentials where charge transfer is extremely slow.
SOLVER_OPTIONS = {"max_error_test_failures": 100, "max_linesearch_backtracks_ic": 20}


#: State of a cell whose electrolytes leak electrons, and what leaks.
IONIC_CURRENT, LEAKAGE = "Ionic current density [A.m-2]", "Electronic leakage current [A]"


class CellSymbols(UnitCharge):
    """The parameters of the cell as symbols; also the ``param`` that PyBaMM reads."""

    def __init__(self, options: ModelOptions):
        self.T_amb = pybamm.Parameter("Ambient temperature [K]")
        lumped = options["thermal"] == "lumped"
        self.T = pybamm.Variable("Cell temperature [K]") if lumped else self.T_amb
        self.A_cc = pybamm.Parameter("Electrode area [m2]")
        self.Q = pybamm.Parameter("Nominal cell capacity [A.h]")
        self.voltage_low_cut = pybamm.Parameter("Lower voltage cut-off [V]")
        self.voltage_high_cut = pybamm.Parameter("Upper voltage cut-off [V]")
        self.I = pybamm.FunctionParameter("Current function [A]", {"Time [s]": pybamm.t})
        # what passes the stack as ions: more than the applied current where electrons leak
        self.is_leaking = options["electronic leakage"] != "none"
        self.i = self.I / self.A_cc
        self.I_ion = self.I
        if self.is_leaking:
            self.i = pybamm.Variable(IONIC_CURRENT, scale=self.Q / self.A_cc)
            self.I_ion = self.i * self.A_cc

        # composite cathode and its particles
        self.L = pybamm.Parameter("Positive electrode thickness [m]")
        self.R = pybamm.Parameter("Positive particle radius [m]")
        self.phi_AM = pybamm.Parameter("Positive electrode active material volume fraction")
        self.phi_SE = pybamm.Parameter("Positive electrode electrolyte volume fraction")
        self.ageing = Ageing(options, self)
        self._size_classes = options["size classes"]
        as_made = pybamm.Parameter("Positive electrode accessible fraction")
        self.accessible = as_made * self.ageing.contact()
        self.contacted = pybamm.Parameter("Positive electrode contacted fraction")
        self.c_max = pybamm.Parameter("Maximum concentration in positive electrode [mol.m-3]")
        self.sigma_s = pybamm.Parameter(
            "Positive electrode effective electronic conductivity [S.m-1]"
        )
        self.R_film = pybamm.Parameter("Positive electrode film resistance [Ohm.m2]")
        self.j0_p_ref = pybamm.Parameter("Positive electrode exchange-current density [A.m-2]")
        # the two phases that meet in a two-phase particle
        self.sto_poor = pybamm.Parameter("Positive particle sodium-poor phase limit")
        self.sto_rich = pybamm.Parameter("Positive particle sodium-rich phase limit")
        # sodium that can cycle, as a charge: now, and as made
        whole = F * self.c_max * self.phi_AM * self.L * self.A_cc
        self.Q_p, self.Q_p_made = whole * self.accessible, whole * as_made

        # anode: its sodium per tin of an alloy, or over what was made of the metal itself
        self.is_metal = options["negative electrode"] == "sodium metal"
        self.n_Sn, self.y_made = anode_as_made(self.is_metal)
        self.j0_n_ref = pybamm.Parameter("Negative electrode exchange-current density [A.m-2]")

        # initial state
        self.soc_init = pybamm.Parameter("Initial state of charge")
        self.soc_made = pybamm.Parameter("As-made state of charge")
        self.sto_init, self.y_init, self.ocv_init = equilibrium(self.soc_init, self.is_metal)

    def surface(self) -> pybamm.Symbol:
        """Reacting surface of all particles per area of the cell."""
        points, shares = size_classes(self._size_classes)
        inverse = 1 / self.R
        if len(points) > 1:
            spread = pybamm.Parameter("Positive particle radius spread")
            inverse = sum(
                share / (self.R * pybamm.exp(spread * point))
                for point, share in zip(points, shares, strict=True)
            )
        return 3 * self.L * self.phi_AM * self.accessible * self.contacted * inverse

    def U_p(self, sto: pybamm.Symbol) -> pybamm.Symbol:
        """Equilibrium potential of the cathode [V vs Na/Na+] at a stoichiometry."""
        return pybamm.FunctionParameter(
            "Positive electrode OCP [V]", {"Positive particle stoichiometry": sto}
        )

    def U_n(self, y: pybamm.Symbol) -> pybamm.Symbol:
        """Equilibrium potential of the anode [V vs Na/Na+] at a sodium content."""
        return anode_potential(y, self.is_metal)

    def D(self, sto: pybamm.Symbol) -> pybamm.Symbol:
        """Diffusivity of Na in the particles [m2.s-1] at a stoichiometry."""
        D_ref = pybamm.FunctionParameter(
            "Positive particle diffusivity [m2.s-1]", {"Positive particle stoichiometry": sto}
        )
        return D_ref * arrhenius("Positive particle diffusivity", self.T)

    def j0_p(self, sto: pybamm.Symbol) -> pybamm.Symbol:
        """Exchange-current density of the cathode [A.m-2]; the reference value is at 1/2."""
        # the state of an iterate may leave (0, 1): no root of a negative number
        product = pybamm.maximum(sto * (1 - sto), 1e-6)
        j0_ref = self.j0_p_ref * arrhenius("Positive electrode exchange-current density", self.T)
        return j0_ref * 2 * pybamm.sqrt(product)

    def j0_n(self) -> pybamm.Symbol:
        """Exchange-current density of the anode [A.m-2]."""
        return self.j0_n_ref * arrhenius("Negative electrode exchange-current density", self.T)


class SolidStateBaseModel(pybamm.BaseModel):
    """Planar alloy anode | N dense single-ion electrolyte layers | a cathode (by subclass).

    Parameters
    ----------
    options : dict, optional
        Any of `ssnib_model.cell.options.OPTIONS`:

        - ``"electrolyte layers"``: names from the anode to the cathode, default
          ``("Na3PS4", "NaTaCl6")``;
        - ``"negative electrode"``: ``"alloy"`` (default) or ``"sodium metal"``;
        - ``"positive electrode"``: ``"composite"`` (default), or ``"alloy"`` for a symmetric
          cell (`SymmetricCell`);
        - ``"composite transport"``: ``"bruggeman"`` (default), ``"tortuosity"``,
          ``"percolation"`` or ``"carbon percolation"``, whose threshold rises with carbon;
        - ``"conductivity form"``: Arrhenius law for ``"sigma"`` (default) or ``"sigma T"``;
        - ``"particle"``: ``"Fickian diffusion"`` (default) or ``"two-phase"``;
        - ``"size classes"``: number of particle sizes, default 1;
        - ``"open-circuit potential"``: ``"single"`` (default) or ``"one-state hysteresis"``;
        - ``"thermal"``: ``"isothermal"`` (default) or ``"lumped"``;
        - ``"electronic leakage"``: ``"none"`` (default) or ``"ohmic"``, by the electronic
          conductivities of the layers;
        - ``"negative electrode interphase"`` and ``"positive electrode interphase"``:
          ``"none"`` (default) or ``"parabolic"`` growth with time, or time at high potential;
        - ``"accessible fraction"``: ``"constant"`` (default) or ``"ageing"``;
        - ``"surface form"``: ``"false"`` (default) or ``"differential"``, with double layers
          and geometric capacitances, for impedance.
    name : str, optional
        The name of the model.

    Raises
    ------
    OptionError
        For an unknown option or a value that is not allowed.
    """

    def __init__(self, options: dict | None = None, name: str = "Solid-state cell"):
        super().__init__(name)
        pybamm.citations.register(HU2024_BIBTEX)
        self.options = options
        self.param = CellSymbols(self.options)
        # what PyBaMM keeps of every cycle of an experiment, at its end
        self.summary_variables = [
            "Discharge capacity [A.h]",
            "Discharge energy [W.h]",
            "Negative electrode sodium content",
        ]

    @property
    def options(self) -> CellOptions:
        return self._options

    @options.setter
    def options(self, options: dict | None) -> None:
        self._options = CellOptions(options)

    # ---------------------------------------------------------------- shared equations
    def conductivity(self, quantity: str) -> pybamm.Symbol:
        """Conductivity [S.m-1] named ``quantity`` at the ambient temperature."""
        T = self.param.T
        sigma_ref = pybamm.FunctionParameter(f"{quantity} [S.m-1]", {"Ambient temperature [K]": T})
        sigma = sigma_ref * arrhenius(quantity, T)
        if self.options["conductivity form"] == "sigma T":
            sigma *= pybamm.Parameter(f"{quantity} reference temperature [K]") / T
        return sigma

    def composite_conductivity(self) -> pybamm.Symbol:
        """Effective ionic conductivity of the composite [S.m-1] by the law of the options."""
        sigma = self.conductivity("Positive electrode electrolyte conductivity")
        return sigma * effective_ratio(self.options["composite transport"])

    def series_losses(self) -> list[SeriesLoss]:
        """Every loss of the whole current, as an object; see `ssnib_model.models.losses`."""
        return [loss for kind in SERIES for loss in kind.of(self)]

    def local_losses(self) -> list[LocalLoss]:
        """Every loss of the reaction at a particle, beside its kinetics."""
        return [loss for kind in LOCAL for loss in kind.of(self)]

    def separator_overpotentials(self) -> dict[str, pybamm.Symbol]:
        """Overpotential [V] of all that the whole current passes, but the anode's reaction."""
        losses = self.series_losses()
        return {s.name: s.overpotential() for s in losses if not isinstance(s, AnodeReaction)}

    def leakage_conductance(self) -> pybamm.Symbol:
        """Conductance of the layers for electrons [S.m-2], one behind the other; 0 without."""
        if not self.param.is_leaking:
            return pybamm.Scalar(0)
        resistances = [
            pybamm.Parameter(f"{layer} layer thickness [m]")
            / pybamm.Parameter(f"{layer} layer electronic conductivity [S.m-1]")
            for layer in self.options["electrolyte layers"]
        ]
        return 1 / sum(resistances, start=pybamm.Scalar(0))

    def layer_overpotential(self, layer: str) -> pybamm.Symbol:
        """Ohmic overpotential [V] of a dense electrolyte layer."""
        return Layer(self, layer).overpotential()

    def anode_overpotential(self) -> pybamm.Symbol:
        """Reaction overpotential [V] of the planar anode, symmetric Butler-Volmer."""
        return AnodeReaction(self).overpotential()

    def set_cell_states(self, y_init: pybamm.Symbol) -> pybamm.Symbol:
        """Charge passed, and the alloy's sodium by Coulomb counting.

        Returned is the content without what the interphase took.
        """
        p = self.param
        Q = pybamm.Variable("Discharge capacity [A.h]", scale=p.Q)
        y = pybamm.Variable("Negative electrode sodium content")
        self.rhs[Q] = p.I / 3600
        self.initial_conditions[Q] = pybamm.Scalar(0)
        self.rhs[y] = -p.I_ion / (F * p.n_Sn)
        self.initial_conditions[y] = y_init
        self.variables.update(
            {
                "Time [s]": pybamm.t,
                "Time [h]": pybamm.t / 3600,
                "Discharge capacity [A.h]": Q,
                "Negative electrode sodium content": y,
                "Negative electrode sodium [mol]": y * p.n_Sn,
                "Current [A]": p.I,
                "Current variable [A]": p.I * 1,
                "Current density [A.m-2]": p.I / p.A_cc,
                "C-rate": p.I / p.Q,
                "Ambient temperature [K]": p.T_amb,
                "Cell temperature [K]": p.T if p.T is not p.T_amb else p.T * 1,
            }
        )
        if not p.ageing.has_anode_interphase:
            return y
        taken = p.ageing.sodium_taken() * p.A_cc
        self.variables["Negative electrode interphase sodium [mol]"] = taken
        return y - taken / p.n_Sn

    def set_cathode_state(self, sto_mean: pybamm.Symbol) -> pybamm.Symbol:
        """Composition of the composite; returns its equilibrium potential [V]."""
        p = self.param
        self.variables.update(
            {
                "Positive electrode stoichiometry": sto_mean,
                "Positive electrode sodium [mol]": sto_mean * p.Q_p / F,
                "Capacity [A.h]": p.Q_p / 3600,
            }
        )
        self.summary_variables += ["Capacity [A.h]", "Positive electrode stoichiometry"]
        return p.U_p(sto_mean)

    def set_voltage(
        self,
        V: pybamm.Symbol,
        U_right: pybamm.Symbol,
        U_left: pybamm.Symbol,
        overpotentials: dict[str, pybamm.Symbol],
    ) -> None:
        """Voltage, its breakdown and the cut-off events.

        ``V = U_right - U_left + sum of the overpotentials``; each is negative on discharge.
        What the sum misses is the variable "Voltage breakdown residual [V]".
        """
        p = self.param
        ocv = U_right - U_left
        residual = V - ocv - sum(overpotentials.values())
        before = [loss.name for loss in self.series_losses()]
        self._set_clocks(V + U_left - sum(overpotentials[name] for name in before))
        heat = -p.I_ion * sum(overpotentials.values())
        if p.is_leaking:
            leaked = V * self.leakage_conductance()
            self.algebraic[p.i] = (p.i - p.I / p.A_cc - leaked) / (p.Q / p.A_cc)
            self.initial_conditions[p.i] = pybamm.Scalar(0)
            self.variables[IONIC_CURRENT] = p.i
            self.variables[LEAKAGE] = leaked * p.A_cc
            heat += V * leaked * p.A_cc
        if self.options["thermal"] == "lumped":
            capacity = pybamm.Parameter("Cell heat capacity [J.K-1]")
            cooling = pybamm.Parameter("Cell heat transfer coefficient [W.K-1]")
            self.rhs[p.T] = (heat - cooling * (p.T - p.T_amb)) / capacity
            self.initial_conditions[p.T] = p.T_amb
        # of order 1 for the solver, whose tolerance is absolute
        energy = pybamm.Variable("Discharge energy [W.h]", scale=p.Q)
        self.rhs[energy] = p.I * V / 3600
        self.initial_conditions[energy] = pybamm.Scalar(0)
        self.variables.update(
            {
                # expressions, because a bare state may appear under its own name only
                "Voltage [V]": V * 1,
                "Terminal voltage [V]": V * 1,
                "Battery voltage [V]": V * 1,
                "Power [W]": p.I * V,
                "Discharge energy [W.h]": energy,
                "Heat of the losses [W]": heat,
                "Positive electrode open-circuit potential [V]": U_right,
                "Negative electrode open-circuit potential [V]": U_left,
                "Open-circuit voltage [V]": ocv,
                "Voltage breakdown residual [V]": residual,
                **{f"{name} overpotential [V]": eta for name, eta in overpotentials.items()},
                **pybamm_components(self, U_right, U_left, overpotentials),
            }
        )
        self.events += [
            pybamm.Event("Minimum voltage [V]", V - p.voltage_low_cut),
            pybamm.Event("Maximum voltage [V]", p.voltage_high_cut - V),
        ]

    def _set_clocks(self, potential: pybamm.Symbol) -> None:
        """Equations of what ages, at a potential [V] of the cathode against sodium."""
        p, ageing = self.param, self.param.ageing
        rates = {c.state: c.at(p.I, potential) for c in ageing.clocks.values()}
        for state, rate in rates.items():
            self.rhs[state], self.initial_conditions[state] = rate, pybamm.Scalar(0)
            self.variables[state.name] = state
        if ageing.has_anode_interphase:
            self.variables["Negative electrode interphase thickness [m]"] = ageing.thickness()
        if ageing.has_fading_contact:
            isolated = pybamm.Variable(ISOLATED)
            contact, sto = ageing.contact(), self.variables["Positive electrode stoichiometry"]
            self.rhs[isolated] = -sto * sum(contact.diff(c) * r for c, r in rates.items())
            self.initial_conditions[isolated] = pybamm.Scalar(0)
            self.variables |= {
                ISOLATED: isolated,
                "Positive electrode isolated sodium [mol]": isolated * p.Q_p_made / F,
                "Positive electrode accessible fraction": p.accessible * 1,
            }

    # ---------------------------------------------------------------- PyBaMM's defaults
    def geometry_of(self, *domains: str) -> dict:
        """Geometry of some domains: coordinates of unit length that are shown in metres."""
        # size classes share the coordinate but not its length
        one_size = self.options["size classes"] == 1
        geometry = {
            "positive electrode": {"x_p": coordinate(self.param.L)},
            "positive particle": {"r_p": coordinate(self.param.R if one_size else None)},
        }
        return {domain: geometry[domain] for domain in domains}

    @property
    def default_parameter_values(self) -> pybamm.ParameterValues:
        from ssnib_model.cell.parameter_set import ParameterSet

        return ParameterSet("Hu2024").to_pybamm()

    @property
    def default_submesh_types(self) -> dict:
        return {domain: UnitSubMesh for domain in self.default_geometry}

    @property
    def default_spatial_methods(self) -> dict:
        def finite_volume(domain: str, use_bcs: bool, value: str = "quadratic") -> Any:
            order = {"gradient": "quadratic", "value": value}
            options = {"extrapolation": {"order": order, "use bcs": use_bcs}, DOMAIN: domain}
            return UnitFiniteVolume(options)

        # In a particle the surface gradient depends on the surface value: it cannot be used.
        # Between two phases a parabola would overshoot.
        two_phase = self.options["particle"] == "two-phase"
        cathode, particle = "positive electrode", "positive particle"
        methods = {
            cathode: finite_volume(cathode, use_bcs=True),
            particle: finite_volume(
                particle, use_bcs=False, value="linear" if two_phase else "quadratic"
            ),
        }
        return {domain: methods[domain] for domain in self.default_geometry}

    @property
    def default_var_pts(self) -> dict:
        # a front between two phases moves from shell to shell
        shells = 60 if self.options["particle"] == "two-phase" else 20
        points = {"positive electrode": {"x_p": 20}, "positive particle": {"r_p": shells}}
        return {k: v for domain in self.default_geometry for k, v in points[domain].items()}

    @property
    def default_solver(self) -> pybamm.BaseSolver:
        # all states are of order 1
        return pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-6, options=SOLVER_OPTIONS)

    @property
    def default_quick_plot_variables(self) -> list[str]:
        return ["Current [A]", "Voltage [V]", "Positive electrode stoichiometry"]


HU2024_BIBTEX = """@article{Hu2024,
  author = {Hu and others},
  journal = {Matter},
  year = {2024},
  doi = {10.1016/j.matt.2023.12.017}
}"""
