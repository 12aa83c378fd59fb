"""What is declared about a quantity before any file is read; its unit is in its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


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
    argument_name : str
        What that argument is.
    read_with : mapping of str to tuple
        Model options with which it is read: the allowed values of each; always if empty.
    is_argument : bool
        Whether it is read by the function that names it, and by nothing else.
    """

    low: float
    high: float
    description: str
    in_model: bool = False
    default: float | None = None
    shape: str = "number"
    argument: tuple[float, float] = (0.0, 1.0)
    argument_name: str = "stoichiometry"
    read_with: Mapping[str, tuple] = field(default_factory=dict)
    is_argument: bool = False


def unit_of(name: str) -> str:
    """The unit in the brackets of a name; "1" if it has none."""
    match = re.search(r"\[([^\[\]]+)\]$", name)
    return match[1] if match else "1"
