"""Every parameter name the package knows, with its unit and the values that make sense.

A name is a template: ``{layer}`` stands for an electrolyte layer, ``{interface}`` for
``left|right``, and ``{quantity}`` for whatever has an Arrhenius law. The unit is the one in
the name (SI; dimensionless without brackets).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ssnib_model import materials
from ssnib_model.quantity import Quantity


def _model(low: float, high: float, description: str, **fields: Any) -> Quantity:
    return Quantity(low, high, description, in_model=True, **fields)


#: Options under which quantities are read.
_COMPOSITE = {"positive electrode": ("composite",)}
_CAPACITIVE = {"surface form": ("differential",)}
_HEATED = {"thermal": ("lumped",)}
_HYSTERETIC = {"open-circuit potential": ("one-state hysteresis",)}
_TWO_PHASE = {"particle": ("two-phase",)}
_LEAKING = {"electronic leakage": ("ohmic",)}
_ANODE_GROWS = {"negative electrode interphase": ("parabolic",)}
_CATHODE_GROWS = {"positive electrode interphase": ("parabolic",)}
_FADES = {"accessible fraction": ("ageing",)}


def _cathode(low: float, high: float, description: str, **fields: Any) -> Quantity:
    """What the models read of the composite cathode and its particles."""
    read_with = _COMPOSITE | fields.pop("read_with", {})
    return _model(low, high, description, read_with=read_with, **fields)


def _transport(*laws: str) -> dict[str, tuple[str, ...]]:
    return {"composite transport": laws}


#: Where a rate test and a spectrum have values of their own.
_START = {
    "rate test": "it starts as made, or where it is told to",
    "impedance": "it is taken at the state of charge asked for",
}
_CURRENT = {
    "rate test": "its C-rates are of the nominal capacity",
    "impedance": "it is taken at rest",
}


_FRACTION = (0.0, 1.0)
_ALLOY = {"negative electrode": ("alloy",)}
_TEMPERATURE = (150.0, 600.0)
_OF_TEMPERATURE = {"shape": "function", "argument": _TEMPERATURE, "argument_name": "temperature"}

QUANTITIES: dict[str, Quantity] = {
    # the cell as made
    "Die diameter [m]": Quantity(1e-4, 1.0, "Inner diameter of the die"),
    "Electrode area [m2]": _model(1e-8, 1.0, "Area of every layer"),
    "{layer} layer mass [kg]": Quantity(1e-9, 1.0, "Mass of a dense electrolyte layer"),
    "{layer} layer density [kg.m-3]": Quantity(500, 2e4, "Density without pores"),
    "{layer} layer relative density": Quantity(0.2, 1.0, "Density as pressed over density"),
    "{layer} layer thickness [m]": _model(1e-8, 1e-1, "Thickness of a dense electrolyte layer"),
    "Positive electrode mass [kg]": Quantity(1e-9, 1.0, "Mass of the composite"),
    "Positive electrode active material mass part": Quantity(
        1e-6, 1e6, "Parts by mass of active material in the composite"
    ),
    "Positive electrode electrolyte mass part": Quantity(
        0, 1e6, "Parts by mass of electrolyte in the composite"
    ),
    "Positive electrode carbon mass part": Quantity(
        0, 1e6, "Parts by mass of carbon in the composite"
    ),
    "Positive electrode active material density [kg.m-3]": Quantity(
        500, 2e4, "Density of the active material"
    ),
    "Positive electrode electrolyte density [kg.m-3]": Quantity(
        500, 2e4, "Density of the electrolyte in the composite"
    ),
    "Positive electrode carbon density [kg.m-3]": Quantity(300, 3e3, "Density of the carbon"),
    "Positive electrode void fraction": Quantity(0, 0.8, "Voids in the pressed composite"),
    "Positive electrode thickness [m]": _cathode(1e-7, 1e-2, "Thickness of the composite"),
    "Positive electrode active material mass [kg]": Quantity(1e-9, 1.0, "Mass of active material"),
    "Positive electrode active material loading [kg.m-2]": Quantity(
        1e-4, 10, "Mass of active material over area"
    ),
    "Positive electrode active material volume fraction": _cathode(
        1e-3, 1, "Volume of active material over volume of composite"
    ),
    "Positive electrode electrolyte volume fraction": _cathode(
        1e-3, 1, "Volume of electrolyte over volume of composite"
    ),
    "Positive electrode carbon volume fraction": _cathode(
        *_FRACTION,
        "Volume of carbon over volume of composite",
        read_with=_transport("carbon percolation"),
    ),
    "Specific current at 1 C [A.kg-1]": Quantity(
        1, 1e4, "Current at 1 C over mass of active material"
    ),
    "Nominal cell capacity [A.h]": _model(1e-9, 1e3, "Charge that 1 C moves in one hour"),
    # composite cathode
    "Positive electrode electrolyte conductivity [S.m-1]": _cathode(
        1e-9,
        1e3,
        "Conductivity of the dense electrolyte that the composite holds",
        **_OF_TEMPERATURE,
    ),
    "Positive electrode Bruggeman exponent": _cathode(
        0.5, 10, "b of the law phi^b", default=3.0, read_with=_transport("bruggeman")
    ),
    "Positive electrode tortuosity factor": _cathode(
        1, 1e4, "tau2 of the law phi/tau2", read_with=_transport("tortuosity")
    ),
    "Positive electrode percolation threshold": _cathode(
        0, 0.99, "phi_c of the percolation law", read_with=_transport("percolation")
    ),
    "Positive electrode percolation exponent": _cathode(
        0.5, 10, "t of the percolation law", read_with=_transport("percolation")
    ),
    "Positive electrode percolation threshold without carbon": _cathode(
        0,
        0.9,
        "phi_0 of the carbon percolation law",
        default=0.14,
        read_with=_transport("carbon percolation"),
    ),
    "Positive electrode percolation threshold per carbon fraction": _cathode(
        0,
        10,
        "k of the carbon percolation law: rise of the threshold over the carbon's volume fraction",
        default=0.85,
        read_with=_transport("carbon percolation"),
    ),
    "Positive electrode effective electronic conductivity [S.m-1]": _cathode(
        1e-9, 1e3, "Electronic conductivity of the composite"
    ),
    "Positive electrode exchange-current density [A.m-2]": _cathode(
        1e-12, 1e6, "Exchange-current density at stoichiometry 1/2"
    ),
    "Positive electrode film resistance [Ohm.m2]": _cathode(
        0, 1e4, "Resistance of a film on the particles, per area of particle", default=0.0
    ),
    "Positive electrode accessible fraction": _cathode(
        1e-3, 1, "Fraction of the active material that is wired", default=1.0
    ),
    "Positive electrode contacted fraction": _cathode(
        1e-4, 1, "Fraction of the particles' surface in contact with electrolyte", default=1.0
    ),
    # active material
    "Positive particle radius [m]": _cathode(
        1e-9, 1e-3, "Radius of the particles; the median by volume if they differ"
    ),
    "Positive particle radius spread": _cathode(
        0,
        2,
        "Standard deviation of the logarithm of the radius, by volume",
        default=0.0,
        read_with={"size classes": range(2, 1000)},
        off=0.0,
    ),
    "Positive particle sodium-poor phase limit": _cathode(
        0.001,
        0.45,
        "Stoichiometry at which the sodium-poor phase is saturated",
        read_with=_TWO_PHASE,
    ),
    "Positive particle sodium-rich phase limit": _cathode(
        0.55,
        0.999,
        "Stoichiometry at which the sodium-rich phase is saturated",
        read_with=_TWO_PHASE,
    ),
    "Positive particle diffusivity [m2.s-1]": _cathode(
        1e-24, 1e-6, "Diffusivity of Na in the particles", shape="function"
    ),
    "Positive electrode active material molar mass [kg.mol-1]": Quantity(
        0.01, 10, "Mass of a mole of formula units"
    ),
    "Positive electrode cyclable sodium per formula unit": Quantity(
        0.1, 10, "Na that a formula unit gives up at most"
    ),
    "Maximum concentration in positive electrode [mol.m-3]": _cathode(
        10, 1e6, "Concentration of the sodium that cycles, in the sodiated active material"
    ),
    "Positive electrode OCP [V]": _cathode(
        -1, 6, "Equilibrium potential vs Na/Na+ against stoichiometry", shape="function"
    ),
    "Positive electrode hysteresis [V]": _cathode(
        0,
        1,
        "Rate-independent gap between charge and discharge",
        default=0.0,
        read_with=_HYSTERETIC,
        off=0.0,
    ),
    "Positive electrode hysteresis decay rate": _cathode(
        1,
        1e4,
        "1 over the part of the capacity on which the hysteresis reverses",
        default=50.0,
        read_with=_HYSTERETIC,
    ),
    # anode
    "Negative electrode alloy mass [kg]": Quantity(1e-9, 1.0, "Mass of the alloy as made"),
    "Negative electrode as-made sodium content": _model(
        0, 100, "mol Na per mol Sn as made", read_with=_ALLOY
    ),
    "Negative electrode tin amount [mol]": _model(1e-9, 1e2, "Tin in the anode", read_with=_ALLOY),
    "Negative electrode OCP [V]": _model(
        -1,
        6,
        "Equilibrium potential vs Na/Na+ against sodium content",
        shape="function",
        argument=(0, 100),
        argument_name="sodium content",
        read_with=_ALLOY,
    ),
    "Negative electrode exchange-current density [A.m-2]": _model(
        1e-9, 1e9, "Exchange-current density of the planar anode"
    ),
    # capacities, for impedance
    "Positive electrode double-layer capacity [F.m-2]": _cathode(
        1e-6, 1e3, "Double layer on the particles, per area of contact", read_with=_CAPACITIVE
    ),
    "Negative electrode double-layer capacity [F.m-2]": _model(
        1e-6, 1e3, "Double layer of the planar anode", read_with=_CAPACITIVE
    ),
    "{interface} interface capacity [F.m-2]": _model(
        1e-9,
        1e3,
        "Capacity parallel to the resistance between two neighbours",
        default=0.01,
        read_with=_CAPACITIVE,
    ),
    "{layer} layer relative permittivity": _model(
        1, 1e5, "Relative permittivity, for the geometric capacitance", read_with=_CAPACITIVE
    ),
    # heat
    "Cell heat capacity [J.K-1]": _model(
        1e-3, 1e6, "Heat capacity of cell and die", read_with=_HEATED
    ),
    "Cell heat transfer coefficient [W.K-1]": _model(
        0, 1e4, "Heat given to the surroundings per kelvin", read_with=_HEATED
    ),
    # ageing
    "Negative electrode interphase growth constant [m2.s-1]": _model(
        0,
        1e-6,
        "Square of the thickness of the interphase at the anode over time",
        read_with=_ANODE_GROWS,
    ),
    "Negative electrode interphase conductivity [S.m-1]": _model(
        1e-9, 1e3, "Ionic conductivity of the interphase at the anode", read_with=_ANODE_GROWS
    ),
    "Negative electrode interphase sodium concentration [mol.m-3]": _model(
        0,
        1e5,
        "Sodium of the anode that a volume of its interphase takes",
        default=0.0,
        read_with=_ANODE_GROWS,
    ),
    "Positive electrode interphase growth constant [Ohm2.m4.s-1]": _cathode(
        0,
        1.0,
        "Square of the resistance, per area of the cell, of what grows on the charged cathode "
        "over time",
        read_with=_CATHODE_GROWS,
    ),
    "Positive electrode interphase onset potential [V]": _cathode(
        -1, 6, "Potential of the cathode vs Na/Na+ above which it grows", read_with=_CATHODE_GROWS
    ),
    "Positive electrode interphase onset width [V]": _cathode(
        1e-3,
        1,
        "Over which potential its growth sets in",
        default=0.02,
        read_with=_CATHODE_GROWS,
    ),
    "Positive electrode accessible fraction loss per cycle": _cathode(
        -0.1,
        0.5,
        "Share of the accessible fraction lost in an equivalent full cycle",
        default=0.0,
        read_with=_FADES,
    ),
    "Positive electrode accessible fraction loss rate [s-1]": _cathode(
        -1e-3,
        1e-3,
        "Share of the accessible fraction lost with time",
        default=0.0,
        read_with=_FADES,
    ),
    "Positive electrode accessible fraction loss rate at high potential [s-1]": _cathode(
        -1e-3,
        1e-3,
        "Share of the accessible fraction lost with time above the onset potential",
        default=0.0,
        read_with=_FADES,
    ),
    "Positive electrode accessible fraction onset potential [V]": _cathode(
        -1,
        6,
        "Potential of the cathode vs Na/Na+ above which time counts as at high potential",
        default=3.6,
        read_with=_FADES,
    ),
    "Positive electrode accessible fraction onset width [V]": _cathode(
        1e-3, 1, "Over which potential that sets in", default=0.02, read_with=_FADES
    ),
    "Positive electrode accessible fraction gain by activation": _cathode(
        -0.9,
        2,
        "Share of the accessible fraction gained in the end by cycling; below 0: lost",
        default=0.0,
        read_with=_FADES,
    ),
    "Positive electrode accessible fraction activation cycles": _cathode(
        0.01,
        1e6,
        "Equivalent full cycles in which the gain comes to 1 - 1/e of it",
        default=50.0,
        read_with=_FADES,
    ),
    # interfaces and temperature laws
    "{interface} interface resistance [Ohm.m2]": _model(
        0, 1e4, "Area-specific resistance between two neighbours", default=0.0
    ),
    "{layer} layer conductivity [S.m-1]": _model(
        1e-9, 1e3, "Ionic conductivity of a dense layer, pores included", **_OF_TEMPERATURE
    ),
    "{layer} layer electronic conductivity [S.m-1]": _model(
        1e-14, 1e3, "Electronic conductivity of a dense layer, which leaks", read_with=_LEAKING
    ),
    "{quantity} activation energy [J.mol-1]": _model(0, 3e5, "Arrhenius activation energy"),
    "{quantity} reference temperature [K]": _model(
        *_TEMPERATURE, "Temperature at which the quantity has its given value"
    ),
    "Reference temperature [K]": Quantity(
        *_TEMPERATURE, "Reference temperature of every quantity that names no other"
    ),
    # test
    "Ambient temperature [K]": _model(*_TEMPERATURE, "Temperature of the cell"),
    "Lower voltage cut-off [V]": _model(-1, 6, "Voltage that ends a discharge"),
    "Upper voltage cut-off [V]": _model(-1, 6, "Voltage that ends a charge"),
    "As-made state of charge": _model(
        *_FRACTION,
        "State of charge at which the anode has its as-made sodium",
        default=0.01,
        read_with=_COMPOSITE,
    ),
    "Initial state of charge": _model(
        *_FRACTION,
        "Start of a simulation; 0: all the sodium that cycles is in the cathode, 1: none",
        default=0.99,
        set_by=_START,
        read_with=_COMPOSITE,
    ),
    "Current function [A]": _model(
        -1e3, 1e3, "Applied current, positive on discharge", set_by=_CURRENT
    ),
    # what stands in series with the cell in a spectrum
    "Set-up series inductance [H]": Quantity(
        0, 1e-2, "Inductance of leads and holder", default=0.0, only_in="impedance"
    ),
    "Set-up contact resistance [Ohm]": Quantity(
        0, 1e6, "Resistance of leads and contacts", default=0.0, only_in="impedance"
    ),
    **materials.QUANTITIES,
}

#: Quantities of the set-up and not of the cell.
SETUP = INDUCTANCE, RESISTANCE = (
    "Set-up series inductance [H]",
    "Set-up contact resistance [Ohm]",
)

#: Quantities with an Arrhenius law of their own, as templates.
ACTIVATED = (
    "{layer} layer conductivity",
    "{interface} interface resistance",
    "Positive electrode electrolyte conductivity",
    "Positive electrode exchange-current density",
    "Positive particle diffusivity",
    "Negative electrode exchange-current density",
    "Negative electrode interphase growth constant",
    "Negative electrode interphase conductivity",
    "Positive electrode interphase growth constant",
)


@functools.lru_cache(maxsize=100)
def known_names(layers: tuple[str, ...]) -> dict[str, Quantity]:
    """Every parameter name of a stack of ``layers``, anode to cathode, with its `Quantity`."""
    known: dict[str, Quantity] = {}
    read_with: dict[str, Mapping[str, Collection[Any]]] = {}
    for template, quantity in QUANTITIES.items():
        if "{quantity}" in template:  # the law of Arrhenius is read where the quantity is
            for activated in activated_quantities(layers):
                name = template.replace("{quantity}", activated)
                known[name] = replace(quantity, read_with=read_with[activated])
        else:
            for name in _filled(template, _fillings(layers)):
                known[name] = quantity
                read_with[name.split(" [")[0]] = quantity.read_with
    return known


def activated_quantities(layers: tuple[str, ...]) -> list[str]:
    """Every quantity of a stack that has an Arrhenius law of its own."""
    return [name for t in ACTIVATED for name in _filled(t, _fillings(layers))]


def _fillings(layers: tuple[str, ...]) -> dict[str, list[str]]:
    ends = ("Negative electrode", *layers, "Positive electrode")
    interfaces = [f"{a}|{b}" for a, b in itertools.pairwise(ends)]
    return {"{layer}": list(layers), "{interface}": interfaces}


def _filled(template: str, fill: Mapping[str, list[str]]) -> list[str]:
    for placeholder, names in fill.items():
        if placeholder in template:
            return [template.replace(placeholder, name) for name in names]
    return [template]
