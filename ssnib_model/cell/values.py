"""One value of a parameter set, where it comes from, and whether it is allowed."""

from __future__ import annotations

import functools
import html
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssnib_model.materials import FUNCTIONS
from ssnib_model.quantity import Quantity
from ssnib_model.words import short

KINDS = ("measured", "derived", "literature", "assumed", "fitted", "user")

#: Kinds that stand beside a value derived from others instead of contradicting it.
OVERRIDING_KINDS = ("user", "fitted")


# -------------------------------------------------------------------- what a user sees
@dataclass(frozen=True)
class FunctionValue:
    """A named function of `ssnib_model.materials.FUNCTIONS` with its other arguments."""

    function: str
    arguments: dict[str, float | str]

    def __str__(self) -> str:
        return f"{self.function}(...)"

    def to_pybamm(self) -> Callable[..., Any]:
        """The function of symbols; an argument that names a parameter is that parameter."""
        import pybamm

        arguments = {
            name: pybamm.Parameter(value) if isinstance(value, str) else value
            for name, value in self.arguments.items()
        }
        return functools.partial(FUNCTIONS[self.function].function, **arguments)

    def at(self, argument: float, values: Mapping[str, Any]) -> float:
        """Its number for an argument, with the parameters it names from ``values``."""
        arguments = {
            name: values[value] if isinstance(value, str) else value
            for name, value in self.arguments.items()
        }
        with np.errstate(all="ignore"):  # what is not allowed is said by the caller
            try:
                return float(FUNCTIONS[self.function].function(argument, **arguments))
            except (ZeroDivisionError, OverflowError):
                return math.nan


@dataclass(frozen=True)
class TableValue:
    """A curve of two columns, in the unit of the parameter's name.

    Attributes
    ----------
    file : str
        Name of its CSV file.
    x, y : tuple of float
        The points, x increasing.
    steep_ends : bool
        Whether the steep ends of `ssnib_model.materials.tables` are added at 0 and 1.
    of_temperature : bool
        Whether x is a temperature [K]: then the Arrhenius law through each two neighbours
        holds between them, else a monotone curve.
    """

    file: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    steep_ends: bool = False
    of_temperature: bool = False

    def __str__(self) -> str:
        ends = " with steep ends" if self.steep_ends else ""
        return f"table {self.file} of {len(self.x)} points{ends}"

    def to_pybamm(self) -> Callable[..., Any]:
        """The curve as a function of a symbol."""
        from ssnib_model.materials.tables import ActivatedTable, Table

        if self.of_temperature:
            return ActivatedTable(self.x, self.y)
        return Table(self.x, self.y, self.steep_ends)

    def at(self, temperature: float, values: Mapping[str, Any]) -> float:
        """Its number at a temperature; NaN outside the table."""
        inverse = -1 / np.array(self.x)
        logarithm = np.interp(-1 / temperature, inverse, np.log(self.y), math.nan, math.nan)
        return float(np.exp(logarithm))


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter: value in the unit of its name, and where it comes from.

    Attributes
    ----------
    name, unit : str
        The name and the unit in it.
    value : float, FunctionValue, TableValue or callable
        The value.
    kind : str
        One of `KINDS`.
    source : str or None
        Key into `ParameterSet.sources`.
    uncertainty : dict or None
        ``{"sd": s}``, ``{"range": (low, high)}`` or both, in ``unit``.
    note : str
        What there is to say about it.
    """

    name: str
    value: Any
    unit: str
    kind: str
    source: str | None = None
    uncertainty: dict[str, Any] | None = None
    note: str = ""

    @property
    def uncertainty_text(self) -> str:
        """The uncertainty for a reader: "sd 0.1, 0.8 to 2"."""
        return ", ".join(
            " to ".join(f"{n:.4g}" for n in number) if how == "range" else f"{how} {number:.4g}"
            for how, number in (self.uncertainty or {}).items()
        )


def shown(info: ParameterInfo) -> str:
    """Value and unit for a reader."""
    number = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
    return number if info.unit == "1" else f"{number} {info.unit}"


def html_table(title: str, infos: Iterable[ParameterInfo]) -> str:
    """Parameters as a table for a notebook."""
    columns = ("Parameter", "Value", "Unit", "Kind", "Source", "Uncertainty", "Note")
    rows = [
        (
            info.name,
            f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value),
            info.unit,
            info.kind,
            info.source or "",
            info.uncertainty_text,
            info.note,
        )
        for info in infos
    ]
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "".join(f"<th>{column}</th>" for column in columns)
    return (
        f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


# -------------------------------------------------------------------- what is allowed
def value_problem(value: Any, quantity: Quantity, unit: str) -> str | None:
    """What is wrong with a value, as the rest of a sentence, or None."""
    if type(value) is float and quantity.low <= value <= quantity.high:
        return None
    limits = allowed(quantity, unit)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        if quantity.shape == "function" and isinstance(value, TableValue):
            return _table_problem(value, quantity, limits)
        if quantity.shape == "function" and callable(getattr(value, "to_pybamm", value)):
            return None
        return f"is {short(value)}: it must be a number, {limits}"
    if not (math.isfinite(value) and quantity.low <= float(value) <= quantity.high):
        return f"is {float(value):g}: {limits}"
    return None


def allowed(quantity: Quantity, unit: str) -> str:
    """The limits of a quantity as a clause."""
    limits = f"allowed is {quantity.low:g} to {quantity.high:g}"
    return limits if unit == "1" else f"{limits} {unit}"


def _table_problem(table: TableValue, quantity: Quantity, limits: str) -> str | None:
    for x, y in zip(table.x, table.y, strict=True):
        if not quantity.low <= y <= quantity.high:
            return f"is {y:g} at {x:g} in {table.file}: {limits}"
    low, high = quantity.argument
    if table.x[0] < low or table.x[-1] > high:
        return (
            f"has the arguments {table.x[0]:g} to {table.x[-1]:g} in {table.file}: "
            f"allowed is {low:g} to {high:g}"
        )
    return None
