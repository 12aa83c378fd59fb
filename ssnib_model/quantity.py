"""What is declared about a quantity before any file is read; its unit is in its name."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """What is known about a parameter before any file is read.

    Attributes
    ----------
    low, high : float
        Allowed range, in the unit of the name, both ends included.
    description : str
        What it is.
    in_model : bool
        Whether the models read it; the others only serve to derive those.
    default : float or None
        Value taken, as an assumption, where a file gives none.
    shape : str
        "number", or "function" where a named function or a table is allowed as well.
    argument : tuple of float
        Allowed range of the argument of a function given as a table.
    """

    low: float
    high: float
    description: str
    in_model: bool = False
    default: float | None = None
    shape: str = "number"
    argument: tuple[float, float] = (0.0, 1.0)


def unit_of(name: str) -> str:
    """The unit in the brackets of a name; "1" if it has none."""
    match = re.search(r"\[([^\[\]]+)\]$", name)
    return match[1] if match else "1"
