"""Mass and volume of a stack: what its energy is per."""

from __future__ import annotations

from typing import NamedTuple

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError

#: Na15Sn4 [kg.m-3], 2.40 +- 0.03 g/cm3 by its crystal structure; it becomes lighter as it takes
#: up sodium, and the volume of an anode is that of the alloy as made.
ALLOY_DENSITY = 2400.0

_AREA = "Electrode area [m2]"


class Bulk(NamedTuple):
    """Anode, electrolyte layers and cathode; without current collectors and housing."""

    mass: float  #: [kg]
    volume: float  #: [m3]


def bulk_of(parameters: ParameterSet) -> Bulk:
    """Mass and volume of anode, electrolyte layers and cathode of a cell.

    The anode is all of its alloy or sodium, used or not; a density of the alloy is no parameter,
    so that of Na15Sn4 is assumed (`ALLOY_DENSITY`).

    Parameters
    ----------
    parameters : ParameterSet
        With a composite cathode.

    Raises
    ------
    OptionError
        For a symmetric cell, or where the set says too little: which value is missing.
    """
    options = parameters.model_options
    if options["positive electrode"] != "composite":
        raise OptionError(
            'the "positive electrode" of the cell is '
            f'"{options["positive electrode"]}": the energy of a stack needs "composite"'
        )
    area = _known(parameters, _AREA)
    mass = _known(parameters, "Positive electrode mass [kg]")
    volume = _known(parameters, "Positive electrode thickness [m]") * area
    for layer in options["electrolyte layers"]:
        thickness = _known(parameters, f"{layer} layer thickness [m]")
        density, relative = (
            _known(parameters, f"{layer} layer {of}")
            for of in ("density [kg.m-3]", "relative density")
        )
        volume += thickness * area
        mass += thickness * area * density * relative
    if options["negative electrode"] == "alloy":
        anode = _known(parameters, "Negative electrode alloy mass [kg]")
        thickness = anode / ALLOY_DENSITY / area
    else:
        anode, thickness = (
            _known(parameters, f"Negative electrode sodium {of}")
            for of in ("mass [kg]", "thickness [m]")
        )
    return Bulk(mass + anode, volume + thickness * area)


def _known(parameters: ParameterSet, name: str) -> float:
    if name not in parameters:
        raise OptionError(
            f'the energy of a stack needs "{name}", which the set {parameters.name} does not say'
        )
    return float(parameters[name])
