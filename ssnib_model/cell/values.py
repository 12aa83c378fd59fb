"""One value of a parameter set, and where it comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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

    def to_pybamm(self) -> Callable:
        import pybamm

        from ssnib_model.materials import FUNCTIONS

        arguments = {
            name: pybamm.Parameter(value) if isinstance(value, str) else value
            for name, value in self.arguments.items()
        }
        return functools.partial(FUNCTIONS[self.function], **arguments)


@dataclass(frozen=True)
class TableValue:
    """A curve of two columns, in the unit of the parameter's name."""

    file: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    steep_ends: bool

    def __str__(self) -> str:
        return f"table {self.file} of {len(self.x)} points"

    def to_pybamm(self) -> Callable:
        from ssnib_model.materials.tables import Table

        return Table(self.x, self.y, self.steep_ends)


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
    uncertainty: dict | None = None
    note: str = ""


def shown(info: ParameterInfo) -> str:
    number = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
    return number if info.unit == "1" else f"{number} {info.unit}"
