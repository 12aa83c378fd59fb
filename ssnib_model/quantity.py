"""What is declared about a quantity before any file is read; its unit is in its name."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


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
    read_with : mapping of str to collection
        Model options without which no equation reads it: option -> the values it takes.
    off : float or None
        The value that has no effect. Where the options do not read the quantity, any other
        value is refused, because leaving it out would be another cell.
    is_argument : bool
        Whether it is read by the function that names it, and by nothing else.
    set_by : mapping of str to str
        Protocols that have their own value instead: protocol -> where it comes from.
    only_in : str
        The protocol that alone reads it, though no equation of the model does.
    remark : str
        Why a change of it may have no effect at all.
    """

    low: float
    high: float
    description: str
    in_model: bool = False
    default: float | None = None
    shape: str = "number"
    argument: tuple[float, float] = (0.0, 1.0)
    argument_name: str = "stoichiometry"
    read_with: Mapping[str, Collection[Any]] = field(default_factory=dict)
    off: float | None = None
    is_argument: bool = False
    set_by: Mapping[str, str] = field(default_factory=dict)
    only_in: str = ""
    remark: str = ""

    def unread_with(self, options: Mapping[str, Any]) -> dict[str, Collection[Any]]:
        """Those of `read_with` that ``options`` do not meet."""
        return {o: values for o, values in self.read_with.items() if options[o] not in values}


@functools.lru_cache(maxsize=10_000)
def unit_of(name: str) -> str:
    """The unit in the brackets of a name; "1" if it has none."""
    match = re.search(r"\[([^\[\]]+)\]$", name)
    return match[1] if match else "1"
