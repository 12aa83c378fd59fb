"""What makes a cathode another one, under values that were fitted to the first."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping

from ssnib_model.cell.relations import FRACTIONS, PARTS
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import ValidityWarning

#: What makes an active material another one.
ACTIVE_MATERIAL = (
    "Positive electrode OCP [V]",
    "Positive electrode plateau potential [V]",
    "Positive electrode active material density [kg.m-3]",
    "Positive electrode active material molar mass [kg.mol-1]",
    "Positive electrode cyclable sodium per formula unit",
    "Maximum concentration in positive electrode [mol.m-3]",
)

#: Relative change of a part of the composite below which it is the same.
SAME = 1e-6


def fitted_values(infos: Mapping[str, ParameterInfo]) -> list[str]:
    """Those of the cathode that were fitted."""
    return [n for n, i in infos.items() if i.kind == "fitted" and n.startswith("Positive ")]


def other_than_fitted(
    before: Mapping[str, ParameterInfo],
    changed: Mapping[str, ParameterInfo],
    after: Mapping[str, ParameterInfo],
) -> str:
    """What makes the cathode another one: the name of a changed value; "" if it is the same.

    A value within its own range of uncertainty is still that of the same material.

    Parameters
    ----------
    before, after : mapping of str to ParameterInfo
        All values before and after a change.
    changed : mapping of str to ParameterInfo
        What was changed.
    """
    for name in ACTIVE_MATERIAL:
        if name in changed and name in before and not _is_known_as(before[name], changed[name]):
            return name
    for names in (PARTS, FRACTIONS):
        own = [n for n in names if n in changed]
        if own:
            one, other = _shares(before, names), _shares(after, names)
            if any(abs(other[n] - one[n]) > SAME * one[n] for n in names):
                return own[0]
    return ""


def not_fitted_to_it(
    infos: Mapping[str, ParameterInfo], names: list[str], cause: str
) -> dict[str, ParameterInfo]:
    """Values fitted to another cathode, as assumed ones that say so; warns of them."""
    listed = ", ".join(f'"{n}"' for n in names)
    warnings.warn(
        f'{listed}: fitted to the cathode with another "{cause}", now assumed to hold for this '
        "one too; give values for this one",
        ValidityWarning,
        stacklevel=3,
    )
    return {
        n: dataclasses.replace(
            infos[n], kind="assumed", note=f'{infos[n].note}; fitted with another "{cause}"'
        )
        for n in names
    }


def notes(infos: Mapping[str, ParameterInfo], elsewhere: Mapping[str, str]) -> list[str]:
    """A sentence for each of the values fitted with another cathode that still stand."""
    return [
        f'"{name}" was fitted with another "{cause}" and is assumed here'
        for name, cause in elsewhere.items()
        if name in infos and infos[name].kind == "assumed"
    ]


def _is_known_as(one: ParameterInfo, other: ParameterInfo) -> bool:
    """Whether a value is what another one is known to be."""
    if one.value == other.value:
        return True
    low, high = (one.uncertainty or {}).get("range", (1.0, 0.0))
    return isinstance(other.value, float) and low <= other.value <= high


def _shares(infos: Mapping[str, ParameterInfo], names: tuple[str, ...]) -> dict[str, float]:
    """Parts of a composite of sum 1."""
    values = {n: float(infos[n].value) for n in names if n in infos}
    total = sum(values.values()) or 1.0
    return {n: values.get(n, 0.0) / total for n in names}
