"""What can stand in a parameter file, written from the declarations: a page and a JSON Schema."""

from __future__ import annotations

import re
from typing import Any

from ssnib_model.cell.declared import ACTIVATED, QUANTITIES
from ssnib_model.cell.relations import rules
from ssnib_model.cell.set_files import STEEP_ENDS, SetFile
from ssnib_model.materials import FUNCTIONS
from ssnib_model.quantity import Quantity, unit_of

#: A stack of one layer whose name can be told from all else.
_LAYER = "LAYER"

_HEAD = """\
# Parameters

Every name that a `parameters.toml` may give. This page is written from the declarations in
`ssnib_model/cell/declared.py` and `ssnib_model/materials/` by
`python -m ssnib_model.cell.reference`. `ssnib parameters schema` prints the same as JSON Schema,
which an editor takes from a first line `#:schema schema.json`. `ssnib parameters new FOLDER`
writes a set to start from.

- `{layer}` is an electrolyte layer of the stack, `{interface}` is `left|right` of two neighbours,
  from `Negative electrode` over the layers to `Positive electrode`, and `{quantity}` one of the
  quantities with an Arrhenius law: ACTIVATED.
- The unit is the one in the name; a file may give any unit of the same kind. Limits are in the
  unit of the name, both included.
- "Follows from": where what is named there is given, no entry is needed.
- "Read": the model options that read it; without a word, all do.

A value is a number. Where the table says so it may be a function by its name,
`{ function = "...", arguments = { ... } }`, whose arguments are numbers in SI units or names of
parameters, or a table of two columns, `{ table = "file.csv" }`, a neighbour of the file: the
argument, and the value in the unit of the entry.

- A table against stoichiometry or sodium content is a monotone curve through its points. Its end
  values are held beyond its ends: a half-cycle that meets no cut-off there ends as failed once
  all the sodium has moved.
- Only for STEEP_ENDS, `{ table = "ocp.csv", steep_ends = true }` adds 5 V exp(-x / 0.005) and
  takes the same off at 1 - x, so that every half-cycle ends at its cut-off. That adds 12 mV at
  x = 0.03 and 92 mV at 0.02. An anode's table never has them.
- A table against temperature [K] follows the Arrhenius law through each two neighbours. Neither it
  nor a named law of the temperature has an activation energy besides, and the ambient temperature
  must lie within the table.
"""

_COLUMNS = ("name", "what it is", "allowed", "default", "given as", "follows from", "read")


def json_schema() -> dict[str, Any]:
    """JSON Schema of a ``parameters.toml``, for editors.

    Returns
    -------
    dict
        Names of parameters as patterns, with description, unit and limits.
    """
    schema = SetFile.model_json_schema()
    entry = {"$ref": "#/$defs/Entry"}
    fixed, patterns = {}, {}
    for template, quantity in QUANTITIES.items():
        described = {**entry, "description": _described(template, quantity)}
        if "{" in template:
            patterns[f"^{_pattern(template)}$"] = described
        else:
            fixed[template] = described
    schema["properties"]["parameters"] = {
        "type": "object",
        "properties": fixed,
        "patternProperties": patterns,
        "additionalProperties": False,
    }
    schema["$defs"]["Function"]["properties"]["function"]["enum"] = sorted(FUNCTIONS)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _pattern(template: str) -> str:
    pattern = re.sub(r"[\[\].|]", r"\\\g<0>", template)
    return re.sub(r"\{\w+\}", ".+", pattern)


def _described(template: str, quantity: Quantity) -> str:
    unit = unit_of(template)
    limits = f"{quantity.low:g} to {quantity.high:g}" + (f" {unit}" if unit != "1" else "")
    return f"{quantity.description}; {limits}"


def reference_page() -> str:
    """The page ``docs/parameter_reference.md``: every name with what is allowed for it."""
    activated = ", ".join(f"`{name}`" for name in ACTIVATED)
    page = _HEAD.replace("ACTIVATED", activated).replace("STEEP_ENDS", f"`{STEEP_ENDS}`")
    page += f"\n## Names\n\n| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
    origins = _origins()
    for template, quantity in QUANTITIES.items():
        default = "" if quantity.default is None else f"{quantity.default:g}"
        cells = (
            f"`{template}`",
            quantity.description,
            f"{quantity.low:g} to {quantity.high:g}",
            default,
            _given_as(template, quantity),
            "; or ".join(origins.get(template, [])),
            _read(quantity),
        )
        page += f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
    page += "\n## Functions\n\n| function | gives | arguments | |\n|---|---|---|---|\n"
    for name, law in sorted(FUNCTIONS.items()):
        gives = " and ".join(f"`... {g}`" if g[0].islower() else f"`{g}`" for g in law.gives)
        first = (law.function.__doc__ or "").splitlines()[0]
        arguments = ", ".join(f"`{argument}`" for argument in law.arguments)
        page += f"| `{name}` | {gives} | {arguments} | {first} |\n"
    return page


def _given_as(template: str, quantity: Quantity) -> str:
    """How a value may be given."""
    if quantity.shape != "function":
        return "number"
    low, high = quantity.argument
    table = f"table against {quantity.argument_name} ({low:g} to {high:g})"
    names = [f"`{name}`" for name, law in FUNCTIONS.items() if template.endswith(law.gives)]
    return ", ".join(["number", table, *names])


def _read(quantity: Quantity) -> str:
    """Which options read it."""
    if quantity.is_argument:
        return "by a function that names it"
    if quantity.only_in:
        return f"by {quantity.only_in} only"
    if not quantity.in_model:
        return "to derive others"
    return "; ".join(
        f"`{option}` = {' or '.join(f'`{value}`' for value in values)}"
        for option, values in quantity.read_with.items()
    )


def _origins() -> dict[str, list[str]]:
    """What each name follows from, by its template."""
    found: dict[str, list[str]] = {}
    for rule in rules((_LAYER,), _LAYER):
        template = rule.target.replace(f"{_LAYER} layer", "{layer} layer")
        if template in QUANTITIES:
            text = rule.formula.replace(f"{_LAYER} layer", "{layer} layer of the catholyte")
            found.setdefault(template, []).append(text)
    return found


if __name__ == "__main__":
    import json
    from pathlib import Path

    root = Path(__file__).parents[2]
    (root / "docs" / "parameter_reference.md").write_text(reference_page())
    text = json.dumps(json_schema(), indent=2) + "\n"
    (root / "parameters" / "schema.json").write_text(text)
