"""Conductivities given as a whole function of the temperature, without an Arrhenius law."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, MutableMapping
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


def give_way(
    given: MutableMapping[str, ParameterInfo],
    changed: Iterable[str],
    known: Mapping[str, Quantity],
) -> None:
    """Take out the Arrhenius law of what has become a function, unless it was changed as well."""
    changed = set(changed)
    new = {name: given[name] for name in changed if name in given}
    for name in laws(new, known):
        for other in arrhenius_of(name):
            if other not in changed:
                given.pop(other, None)


def follow(
    infos: MutableMapping[str, ParameterInfo], known: Mapping[str, Quantity], catholyte: str
) -> None:
    """What follows from functions: none is activated, and the composite's is its layer's."""
    layer, composite = (
        f"{owner} conductivity [S.m-1]"
        for owner in (f"{catholyte} layer", "Positive electrode electrolyte")
    )
    if composite not in infos and layer in laws(infos, known):
        infos[composite] = dataclasses.replace(
            infos[layer],
            name=composite,
            kind="derived",
            source=None,
            note=f"that of the {catholyte} layer",
        )
    for name in laws(infos, known):
        energy, _ = arrhenius_of(name)
        infos.setdefault(
            energy,
            ParameterInfo(
                energy, 0.0, unit_of(energy), "derived", note=f"none: {infos[name].value} has all"
            ),
        )


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
