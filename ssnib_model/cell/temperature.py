"""Conductivities given as a whole function of the temperature, without an Arrhenius law."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from ssnib_model.cell.values import ParameterInfo, TableValue, allowed
from ssnib_model.quantity import Quantity, unit_of

AMBIENT = "Ambient temperature [K]"

#: The parameters of the Arrhenius law of a quantity.
ENERGY, REFERENCE = "activation energy [J.mol-1]", "reference temperature [K]"


def laws(infos: Mapping[str, ParameterInfo], known: Mapping[str, Quantity]) -> list[str]:
    """Names of the quantities that are given as a function of the temperature."""
    return [
        name
        for name, info in infos.items()
        if known[name].argument_name == "temperature" and not isinstance(info.value, float)
    ]


def arrhenius_of(name: str) -> tuple[str, str]:
    """Names of the activation energy and the reference temperature of a quantity."""
    quantity = name.rpartition(" [")[0]
    return f"{quantity} {ENERGY}", f"{quantity} {REFERENCE}"


def without_arrhenius(
    given: Mapping[str, ParameterInfo],
    changed: Mapping[str, ParameterInfo],
    known: Mapping[str, Quantity],
) -> dict[str, ParameterInfo]:
    """``given`` without the Arrhenius laws of what ``changed`` makes a function."""
    gone = {other for name in laws(changed, known) for other in arrhenius_of(name)}
    return {name: info for name, info in given.items() if name not in gone}


def follow(infos: MutableMapping[str, ParameterInfo], known: Mapping[str, Quantity]) -> None:
    """What follows from a function: it is not activated a second time."""
    for name in laws(infos, known):
        energy, _ = arrhenius_of(name)
        note = f"none: {infos[name].value} has all"
        info = ParameterInfo(energy, 0.0, unit_of(energy), "derived", note=note)
        infos.setdefault(energy, info)


def problems(
    infos: Mapping[str, ParameterInfo],
    given: Mapping[str, ParameterInfo],
    known: Mapping[str, Quantity],
) -> list[str]:
    """One sentence for each function that contradicts what else is given."""
    sentences = []
    ambient = infos[AMBIENT].value if AMBIENT in infos else None
    values = {name: info.value for name, info in infos.items()}
    for name in laws(infos, known):
        value, quantity = infos[name].value, known[name]
        sentences += [
            f'"{other}" is given, but "{name}" is a function of the temperature, {value}: '
            "take one of the two out"
            for other in arrhenius_of(name)
            if other in given
        ]
        if ambient is None or not hasattr(value, "at"):
            continue
        if isinstance(value, TableValue) and not value.x[0] <= ambient <= value.x[-1]:
            sentences.append(
                f'"{name}" is a table from {value.x[0]:g} to {value.x[-1]:g} K, and "{AMBIENT}" '
                f"is {ambient:g}: nothing is known there"
            )
            continue
        number = value.at(ambient, values)
        if not (math.isfinite(number) and quantity.low <= number <= quantity.high):
            sentences.append(
                f'"{name}" is {number:g} by {value} at {ambient:g} K: '
                f"{allowed(quantity, unit_of(name))}"
            )
    return sentences


def handed_over(value: Callable[..., Any], name: str, form: str) -> Callable[..., Any]:
    """A function as the models take it, which multiply by T_ref / T in the form "sigma T"."""
    if form == "sigma":
        return value
    import pybamm

    reference = pybamm.Parameter(arrhenius_of(name)[1])
    return lambda temperature: value(temperature) * temperature / reference
