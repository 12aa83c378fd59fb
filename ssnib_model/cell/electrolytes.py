"""Sodium solid electrolytes as data, to put in the place of a layer."""

from __future__ import annotations

import functools
import tomllib
import warnings
from dataclasses import dataclass

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.materials.na_sn import PLATEAUS
from ssnib_model.units import convert
from ssnib_model.words import suggestion

#: Na15Sn4 against Na/Na+ [V]: the last plateau of the alloy.
NA15SN4 = PLATEAUS[-1][1]


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


def _material(name: str, entry: dict, sources: dict) -> SolidElectrolyte:
    def value(key: str, unit: str) -> float | None:
        given = entry.get(key)
        return convert(given["value"], given["unit"], unit) if given else None

    window = entry.get("window", {})
    shift = {"Na15Sn4": 0.0, "Na/Na+": -NA15SN4}[window.get("reference", "Na15Sn4")]
    lower, upper = (window[k] + shift if k in window else None for k in ("lower", "upper"))
    source = sources[entry["source"]]
    return SolidElectrolyte(
        name,
        value("conductivity", "S.m-1"),
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
    """Another electrolyte in the place of a layer, at the same thickness.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    layer : str
        One of its electrolyte layers.
    material : str
        A name of `solid_electrolytes`.

    Returns
    -------
    ParameterSet
        With the conductivity and, where they are known, the activation energy and density of
        the material. The composite keeps its own electrolyte.

    Raises
    ------
    OptionError
        If the cell has no such layer or there is no such material.

    Warns
    -----
    ValidityWarning
        If the material touches an electrode outside its electrochemical window.
    """
    layers = parameters.model_options["electrolyte layers"]
    if layer not in layers:
        raise OptionError(f"the cell has no layer {layer!r}: its layers are {layers}")
    known = solid_electrolytes()
    if material not in known:
        raise OptionError(
            f'no solid electrolyte "{material}"{suggestion(material, known)} All names: '
            + ", ".join(known)
        )
    new = known[material]
    kept = ["Positive electrode electrolyte conductivity [S.m-1]",
            "Positive electrode electrolyte conductivity activation energy [J.mol-1]",
            "Positive electrode electrolyte density [kg.m-3]"]  # fmt: skip
    changes = {name: parameters[name] for name in kept if layer == parameters.catholyte}
    changes[f"{layer} layer thickness [m]"] = parameters[f"{layer} layer thickness [m]"]
    changes[f"{layer} layer conductivity [S.m-1]"] = new.conductivity
    changes[f"{layer} layer conductivity reference temperature [K]"] = 298.15
    if new.activation_energy is not None:
        name = f"{layer} layer conductivity activation energy [J.mol-1]"
        changes[name] = new.activation_energy
    for sentence in _outside_window(new, parameters, layer):
        warnings.warn(sentence, ValidityWarning, stacklevel=2)
    return parameters.replace(changes)


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
