"""Every parameter name the package knows, with its unit and the values that make sense.

A name is a template: ``{layer}`` stands for an electrolyte layer, ``{interface}`` for
``left|right``, and ``{quantity}`` for whatever has an Arrhenius law. The unit is the one in
the name (SI; dimensionless without brackets).
"""

from __future__ import annotations

import functools
import itertools

from ssnib_model import materials
from ssnib_model.quantity import Quantity


def _model(low, high, description, **kwargs):
    return Quantity(low, high, description, in_model=True, **kwargs)


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
    "Positive electrode thickness [m]": _model(1e-7, 1e-2, "Thickness of the composite"),
    "Positive electrode active material mass [kg]": Quantity(1e-9, 1.0, "Mass of NVP"),
    "Positive electrode active material loading [kg.m-2]": Quantity(
        1e-4, 10, "Mass of active material over area"
    ),
    "Positive electrode active material volume fraction": _model(
        1e-3, 1, "Volume of active material over volume of composite"
    ),
    "Positive electrode electrolyte volume fraction": _model(
        1e-3, 1, "Volume of electrolyte over volume of composite"
    ),
    "Positive electrode carbon volume fraction": Quantity(
        *_FRACTION, "Volume of carbon over volume of composite"
    ),
    "Specific current at 1 C [A.kg-1]": Quantity(
        1, 1e4, "Current at 1 C over mass of active material"
    ),
    "Nominal cell capacity [A.h]": _model(1e-9, 1e3, "Charge that 1 C moves in one hour"),
    # composite cathode
    "Positive electrode electrolyte conductivity [S.m-1]": _model(
        1e-9,
        1e3,
        "Conductivity of the dense electrolyte that the composite holds",
        **_OF_TEMPERATURE,
    ),
    "Positive electrode Bruggeman exponent": _model(0.5, 10, "b of the law phi^b", default=3.0),
    "Positive electrode tortuosity factor": _model(1, 1e4, "tau2 of the law phi/tau2"),
    "Positive electrode percolation threshold": _model(0, 0.99, "phi_c of the percolation law"),
    "Positive electrode percolation exponent": _model(0.5, 10, "t of the percolation law"),
    "Positive electrode effective electronic conductivity [S.m-1]": _model(
        1e-9, 1e3, "Electronic conductivity of the composite"
    ),
    "Positive electrode exchange-current density [A.m-2]": _model(
        1e-12, 1e6, "Exchange-current density at stoichiometry 1/2"
    ),
    "Positive electrode film resistance [Ohm.m2]": _model(
        0, 1e4, "Resistance of a film on the particles, per area of particle", default=0.0
    ),
    "Positive electrode accessible fraction": _model(
        1e-3, 1, "Fraction of the active material that is wired", default=1.0
    ),
    "Positive electrode contacted fraction": _model(
        1e-4, 1, "Fraction of the particles' surface in contact with electrolyte", default=1.0
    ),
    # active material
    "Positive particle radius [m]": _model(
        1e-9, 1e-3, "Radius of the particles; the median by volume if they differ"
    ),
    "Positive particle radius spread": _model(
        0, 2, "Standard deviation of the logarithm of the radius, by volume", default=0.0
    ),
    "Positive particle sodium-poor phase limit": _model(
        0.001, 0.45, "Stoichiometry at which the sodium-poor phase is saturated"
    ),
    "Positive particle sodium-rich phase limit": _model(
        0.55, 0.999, "Stoichiometry at which the sodium-rich phase is saturated"
    ),
    "Positive particle diffusivity [m2.s-1]": _model(
        1e-24, 1e-6, "Diffusivity of Na in the particles", shape="function"
    ),
    "Positive electrode active material molar mass [kg.mol-1]": Quantity(
        0.01, 10, "Mass of a mole of formula units"
    ),
    "Positive electrode cyclable sodium per formula unit": Quantity(
        0.1, 10, "Na that a formula unit gives up at most"
    ),
    "Maximum concentration in positive electrode [mol.m-3]": _model(
        10, 1e6, "Concentration of the sodium that cycles, in the sodiated active material"
    ),
    "Positive electrode OCP [V]": _model(
        -1, 6, "Equilibrium potential vs Na/Na+ against stoichiometry", shape="function"
    ),
    "Positive electrode hysteresis [V]": _model(
        0, 1, "Rate-independent gap between charge and discharge", default=0.0
    ),
    "Positive electrode hysteresis decay rate": _model(
        1, 1e4, "1 over the part of the capacity on which the hysteresis reverses", default=50.0
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
    "Positive electrode double-layer capacity [F.m-2]": _model(
        1e-6, 1e3, "Double layer on the particles, per area of contact"
    ),
    "Negative electrode double-layer capacity [F.m-2]": _model(
        1e-6, 1e3, "Double layer of the planar anode"
    ),
    "{interface} interface capacity [F.m-2]": _model(
        1e-9, 1e3, "Capacity parallel to the resistance between two neighbours", default=0.01
    ),
    "{layer} layer relative permittivity": _model(
        1, 1e5, "Relative permittivity, for the geometric capacitance"
    ),
    # heat
    "Cell heat capacity [J.K-1]": _model(1e-3, 1e6, "Heat capacity of cell and die"),
    "Cell heat transfer coefficient [W.K-1]": _model(
        0, 1e4, "Heat given to the surroundings per kelvin"
    ),
    # interfaces and temperature laws
    "{interface} interface resistance [Ohm.m2]": _model(
        0, 1e4, "Area-specific resistance between two neighbours", default=0.0
    ),
    "{layer} layer conductivity [S.m-1]": _model(
        1e-9, 1e3, "Ionic conductivity of a dense layer, pores included", **_OF_TEMPERATURE
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
        *_FRACTION, "State of charge at which the anode has its as-made sodium", default=0.01
    ),
    "Initial state of charge": _model(
        *_FRACTION, "Start of a simulation; 0: Na3V2(PO4)3, 1: NaV2(PO4)3", default=0.99
    ),
    "Current function [A]": _model(-1e3, 1e3, "Applied current, positive on discharge"),
    **materials.QUANTITIES,
}

#: Parameters that are read only with an option: text in their name -> (option, value).
OPTION_PARAMETERS = {
    "Positive electrode ": ("positive electrode", "composite"),
    "Positive particle ": ("positive electrode", "composite"),
    "Maximum concentration in positive": ("positive electrode", "composite"),
    "Bruggeman exponent": ("composite transport", "bruggeman"),
    "tortuosity factor": ("composite transport", "tortuosity"),
    "percolation": ("composite transport", "percolation"),
    "phase limit": ("particle", "two-phase"),
    "hysteresis": ("open-circuit potential", "one-state hysteresis"),
    "capacity [F.m-2]": ("surface form", "differential"),
    "permittivity": ("surface form", "differential"),
    "Cell heat": ("thermal", "lumped"),
}

#: Parameters without effect unless a model option is changed; 0 does not need it.
NEEDS_OPTION = {
    "Positive particle radius spread": "size classes",
    "Positive electrode hysteresis [V]": "open-circuit potential",
}

#: Quantities with an Arrhenius law of their own, as templates.
ACTIVATED = (
    "{layer} layer conductivity",
    "{interface} interface resistance",
    "Positive electrode electrolyte conductivity",
    "Positive electrode exchange-current density",
    "Positive particle diffusivity",
    "Negative electrode exchange-current density",
)


@functools.lru_cache(maxsize=100)
def known_names(layers: tuple[str, ...]) -> dict[str, Quantity]:
    """Every parameter name of a stack of ``layers``, anode to cathode, with its `Quantity`."""
    fill = _fillings(layers) | {"{quantity}": activated_quantities(layers)}
    return {n: quantity for t, quantity in QUANTITIES.items() for n in _filled(t, fill)}


def activated_quantities(layers: tuple[str, ...]) -> list[str]:
    """Every quantity of a stack that has an Arrhenius law of its own."""
    return [name for t in ACTIVATED for name in _filled(t, _fillings(layers))]


def _fillings(layers: tuple[str, ...]) -> dict[str, list[str]]:
    ends = ("Negative electrode", *layers, "Positive electrode")
    interfaces = [f"{a}|{b}" for a, b in itertools.pairwise(ends)]
    return {"{layer}": list(layers), "{interface}": interfaces}


def _filled(template: str, fill: dict) -> list[str]:
    for placeholder, names in fill.items():
        if placeholder in template:
            return [template.replace(placeholder, name) for name in names]
    return [template]
