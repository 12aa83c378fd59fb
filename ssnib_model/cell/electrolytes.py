"""Sodium solid electrolytes as data, to put in the place of a layer."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
import warnings
from dataclasses import dataclass
from typing import Any

from ssnib_model.cell import temperature
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.materials.na_sn import PLATEAUS
from ssnib_model.units import convert
from ssnib_model.words import suggestion

#: Na15Sn4 against Na/Na+ [V]: the last plateau of the alloy.
NA15SN4 = PLATEAUS[-1][1]

#: What potentials of windows are given against, and what to add for Na15Sn4 [V]. A charge takes
#: Na9Sn4 along the plateau to Na15Sn4, which is one potential for both.
WINDOW_REFERENCES = {"Na15Sn4": 0.0, "Na9Sn4": 0.0, "Na/Na+": -NA15SN4}


#: The electrolyte in the composite, as a name of a layer and in the names of parameters.
CATHOLYTE, COMPOSITE = "catholyte", "Positive electrode electrolyte"

SIGMA, DENSITY = "conductivity [S.m-1]", "density [kg.m-3]"
ENERGY, REFERENCE = f"conductivity {temperature.ENERGY}", f"conductivity {temperature.REFERENCE}"


@dataclass(frozen=True)
class SolidElectrolyte:
    """One material; what is not known is None.

    Attributes
    ----------
    name : str
        Its name in the data file.
    conductivity : float
        At 25 degC [S.m-1].
    activation_energy : float or None
        [J.mol-1].
    density : float or None
        Without pores [kg.m-3].
    lower, upper : float or None
        Electrochemical window [V vs Na15Sn4].
    kind, grade, source, note : str
        Where it comes from and how far to trust it.
    """

    name: str
    conductivity: float
    activation_energy: float | None
    density: float | None
    lower: float | None
    upper: float | None
    kind: str
    grade: str
    source: str
    note: str


@functools.cache
def solid_electrolytes() -> dict[str, SolidElectrolyte]:
    """All materials by name, from ``parameters/materials/solid_electrolytes.toml``."""
    path = parameter_root() / "materials" / "solid_electrolytes.toml"
    document = tomllib.loads(path.read_text())
    return {
        name: _material(name, entry, document["sources"])
        for name, entry in document["materials"].items()
    }


def _material(name: str, entry: dict[str, Any], sources: dict[str, Any]) -> SolidElectrolyte:
    def value(key: str, unit: str) -> float | None:
        given = entry.get(key)
        return convert(given["value"], given["unit"], unit) if given else None

    window = entry.get("window", {})
    shift = WINDOW_REFERENCES[window.get("reference", "Na15Sn4")]
    lower, upper = (window[k] + shift if k in window else None for k in ("lower", "upper"))
    source = sources[entry["source"]]
    return SolidElectrolyte(
        name,
        convert(entry["conductivity"]["value"], entry["conductivity"]["unit"], "S.m-1"),
        value("activation_energy", "J.mol-1"),
        value("density", "kg.m-3"),
        lower,
        upper,
        entry["conductivity"]["kind"],
        entry["grade"],
        source["citation"] + (f", doi {source['doi']}" if "doi" in source else ""),
        entry.get("note", ""),
    )


def swap_layer(parameters: ParameterSet, layer: str, material: str) -> ParameterSet:
    """Another electrolyte in the place of a layer, at the same thickness, or in the composite.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    layer : str
        One of its electrolyte layers, or "catholyte": the electrolyte in the composite cathode
        (if no layer has that name), whose parts by mass stay.
    material : str
        A name of `solid_electrolytes`.

    Returns
    -------
    ParameterSet
        With the conductivity and, where they are known, the activation energy and density of
        the material; what is not known stays. The composite keeps its own electrolyte where
        a layer is swapped, and the layers keep theirs where the composite's is.

    Raises
    ------
    OptionError
        If the cell has no such layer or there is no such material, or its activation energy is
        needed and not known.

    Warns
    -----
    ValidityWarning
        If the material touches an electrode outside its electrochemical window, or the composite
        holds the electrolyte that the layer had.
    """
    layers = parameters.model_options["electrolyte layers"]
    in_composite = layer == CATHOLYTE and layer not in layers
    if layer not in layers and not in_composite:
        raise OptionError(
            f"the cell has no layer {layer!r}: its layers are {layers}, and "
            f'"{CATHOLYTE}" is the electrolyte in the composite'
        )
    if in_composite and parameters.model_options["positive electrode"] != "composite":
        raise OptionError(f'the cell has no composite, so no "{CATHOLYTE}"')
    known = solid_electrolytes()
    if material not in known:
        raise OptionError(
            f'no solid electrolyte "{material}"{suggestion(material, known)} All names: '
            + ", ".join(known)
        )
    new = known[material]
    owner = COMPOSITE if in_composite else f"{layer} layer"
    conductivity, energy = f"{owner} {SIGMA}", f"{owner} {ENERGY}"
    changes: dict[str, Any] = {}
    sentences = _outside_window(new, parameters, layers[-1] if in_composite else layer)
    if not in_composite:
        changes[f"{layer} layer thickness [m]"] = parameters[f"{layer} layer thickness [m]"]
    if layer == parameters.catholyte:
        changes |= _kept(parameters, layer)
        # nothing to say where the composite holds another one already
        shared = f"{COMPOSITE} {SIGMA}" not in parameters.given
        if shared and (parameters[conductivity], parameters[energy]) != (
            new.conductivity,
            parameters[energy] if new.activation_energy is None else new.activation_energy,
        ):
            sentences.append(
                f"the composite keeps the electrolyte that it shared with the {layer} layer: "
                f'change it by swapping "{CATHOLYTE}" as well, or by "{COMPOSITE} {SIGMA}"'
            )
    changes[conductivity] = new.conductivity
    changes[f"{owner} {REFERENCE}"] = 298.15
    if new.activation_energy is not None:
        changes[energy] = new.activation_energy
    elif not isinstance(parameters[conductivity], float):
        raise OptionError(
            f'the activation energy of "{material}" is not known, and "{conductivity}" is '
            f'{parameters[conductivity]}, which has none to leave: replace it and "{energy}"'
        )
    if new.density is not None:
        changes[f"{owner} {DENSITY}"] = new.density
    for sentence in sentences:
        warnings.warn(sentence, ValidityWarning, stacklevel=2)
    return parameters.replace(changes)


def _kept(parameters: ParameterSet, layer: str) -> dict[str, ParameterInfo]:
    """The electrolyte of the composite as values of its own, where it is that of a layer."""
    kept = {}
    for what in (SIGMA, ENERGY, REFERENCE, DENSITY):
        name, own = f"{COMPOSITE} {what}", f"{layer} layer {what}"
        is_law = what in (ENERGY, REFERENCE) and not isinstance(
            parameters[f"{layer} layer {SIGMA}"], float
        )
        if name in parameters and name not in parameters.given and not is_law:
            info = parameters.info(own)
            note = f"as the {layer} layer before it was swapped"
            kept[name] = dataclasses.replace(info, name=name, note=note)
    return kept


def _outside_window(new: SolidElectrolyte, parameters: ParameterSet, layer: str) -> list[str]:
    """A sentence for each electrode that the material cannot stand."""
    layers = parameters.model_options["electrolyte layers"]
    sentences = []
    if layer == layers[0] and new.lower is not None and new.lower > 0:
        sentences.append(
            f"{new.name} is stable above {new.lower:g} V vs Na15Sn4, but touches the Negative "
            "electrode at 0 V"
        )
    top = parameters["Upper voltage cut-off [V]"]
    if layer == layers[-1] and new.upper is not None and new.upper < top - 1e-9:
        sentences.append(
            f"{new.name} is stable below {new.upper:.2f} V vs Na15Sn4, but touches the Positive "
            f"electrode, which goes up to {top:g} V"
        )
    return sentences
