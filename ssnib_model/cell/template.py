"""A new parameter set: a commented file that is complete and runs as it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.set_files import (
    FILE_NAME,
    FORMAT,
    list_parameter_sets,
    parameter_root,
    write_texts,
)
from ssnib_model.errors import ParameterError
from ssnib_model.quantity import Quantity, unit_of
from ssnib_model.units import convert
from ssnib_model.words import suggestion

#: What one changes about a cell like another, with the unit one writes it in.
_CHANGED = {
    "Die diameter [m]": "mm",
    "Electrode area [m2]": "cm2",
    "{layer} layer mass [kg]": "mg",
    "{layer} layer thickness [m]": "um",
    "{layer} layer conductivity [S.m-1]": "S.cm-1",
    "{layer} layer conductivity activation energy [J.mol-1]": "eV",
    "Positive electrode mass [kg]": "mg",
    "Positive electrode thickness [m]": "um",
    "Positive electrode active material mass part": "1",
    "Positive electrode electrolyte mass part": "1",
    "Positive electrode carbon mass part": "1",
    "Positive electrode void fraction": "1",
    "Ambient temperature [K]": "degC",
    "Lower voltage cut-off [V]": "V",
    "Upper voltage cut-off [V]": "V",
}

_HEAD = """\
# A cell like {base}: only what differs from it is written here, all else is that of {base}.
#
#     ssnib parameters check FOLDER
#     ssnib {command} --set FOLDER
#
# Every value below is that of {base}, as an EXAMPLE: replace it with yours, or take the entry out.
#   unit         any unit of the same kind
#   kind         "measured" or "literature" (then name a source), "assumed" (then give a range or
#                an sd), "derived" or "user"
#   uncertainty  {{ range = [low, high] }}, {{ sd = 0.1 }} or both, in the unit of the value
# All names with units and limits: docs/parameter_reference.md.
name = {name}
description = "a cell like {base}"
format = {format}
base = "{base}"

# With another active material the values fitted to that of {base} are not inherited: give your
# own, or name those you take over, which are then assumed:
# inherit_fitted = ["Positive particle diffusivity [m2.s-1]"]

# [sources.lab]
# citation = "our own measurement, day and sample"

# Your own rate test, drawn beside the model; rates.csv has the columns C-rate,
# Ambient temperature [K], Discharge capacity [mA.h.g-1] and perhaps Polarization [V]:
# [measured."rate test"]
# file = "rates.csv"
# source = "lab"

# How it is tested, if not as the model does by default; what is left out is not said:
# [test]
# rates = [0.1, 1]       # C-rates of the discharges
# charge_rate = 0.1      # of every charge; as the discharge that follows if it is left out
# hold = "C/20"          # constant voltage after each charge, until a C-rate or for "1 hour"
# rest = "10 minutes"    # after each charge and discharge

# Other layers than those of {base}, from the anode to the cathode, each with its own entries:
# [stack]
# "electrolyte layers" = {layers}
"""

_ENTRY = """
[parameters.{name}]
value = {value:.6g}
unit = "{unit}"
kind = "assumed"
uncertainty = {{ range = [{low:.6g}, {high:.6g}] }}
note = "EXAMPLE: as in {base}"
"""


def new_set(folder: str | Path, base: str | None = None) -> Path:
    """Write a commented parameter set to start from; it loads and runs as it is written.

    Parameters
    ----------
    folder : str or Path
        Where to write it; made if need be. Its name becomes that of the set.
    base : str, optional
        A set that comes with the package: only what one would change about it is written, over
        that base. Default: a complete set of example values, with sodium metal, one layer and
        a cathode given by a table.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        If the folder holds a set already or cannot be written, or there is no such base.
    """
    folder = Path(folder)
    name = json.dumps(folder.resolve().name, ensure_ascii=False)
    if base is None:
        template = parameter_root() / "template"
        text = (template / "template.toml").read_text().replace('"NAME"', name)
        texts = {FILE_NAME: text}
        texts |= {path.name: path.read_text() for path in template.glob("*.csv")}
    elif base in list_parameter_sets():
        texts = {FILE_NAME: _over(base, name)}
    else:
        known = list_parameter_sets()
        raise ParameterError(
            f'no parameter set "{base}" comes with the package: {", ".join(known)} do'
            f"{suggestion(base, known)}"
        )
    write_texts(folder, texts)
    return folder


def command_of(parameters: ParameterSet) -> str:
    """The command that runs a set: a symmetric cell has no rate test."""
    symmetric = parameters.model_options["positive electrode"] == "alloy"
    return "impedance" if symmetric else "rate-test"


def _over(base: str, name: str) -> str:
    """The file of a set over a base, with the values of the base."""
    parameters = ParameterSet(base)
    layers = parameters.model_options["electrolyte layers"]
    text = _HEAD.format(
        base=base,
        name=name,
        format=FORMAT,
        layers=json.dumps(layers),
        command=command_of(parameters),
    )
    for template, unit in _CHANGED.items():
        for layer in layers if "{layer}" in template else ("",):
            quantity = template.replace("{layer}", layer)
            info = parameters.given.get(quantity)
            if info is None or not isinstance(info.value, float):
                continue
            low, high = _range(info.value, info.uncertainty, parameters.quantity(quantity))
            value, low, high = (
                convert(v, unit_of(quantity), unit) for v in (info.value, low, high)
            )
            text += _ENTRY.format(
                name=json.dumps(quantity), value=value, unit=unit, low=low, high=high, base=base
            )
    return text


def _range(
    value: float, uncertainty: dict[str, Any] | None, quantity: Quantity
) -> tuple[float, float]:
    """The range of a value: its own, or two standard deviations, or 10 %."""
    given = uncertainty or {}
    if "range" in given:
        low, high = given["range"]
        return float(low), float(high)
    half = 2 * given.get("sd", 0.05 * abs(value))
    return max(value - half, quantity.low), min(value + half, quantity.high)
