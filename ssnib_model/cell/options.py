"""The options of the models; apart, so that checking a file does not load PyBaMM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ssnib_model.errors import OptionError

#: Every option: the default first, then the other allowed values. "electrolyte layers" is
#: any number of names, from the anode to the cathode; "size classes" any whole number to 20.
OPTIONS = {
    "electrolyte layers": (("Na3PS4", "NaTaCl6"),),
    "negative electrode": ("alloy", "sodium metal"),
    "positive electrode": ("composite", "alloy"),
    "composite transport": ("bruggeman", "tortuosity", "percolation", "carbon percolation"),
    "conductivity form": ("sigma", "sigma T"),
    "particle": ("Fickian diffusion", "two-phase"),
    "size classes": (1,),
    "open-circuit potential": ("single", "one-state hysteresis"),
    "thermal": ("isothermal", "lumped"),
    "electronic leakage": ("none", "ohmic"),
    "negative electrode interphase": ("none", "parabolic"),
    "positive electrode interphase": ("none", "parabolic"),
    "accessible fraction": ("constant", "ageing"),
    "surface form": ("false", "differential"),
}
MAX_SIZE_CLASSES = 20
#: What ages a cell.
AGEING = ("negative electrode interphase", "positive electrode interphase", "accessible fraction")

#: Names of layers become parts of names of parameters.
_LAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+()-]{0,39}")


class ModelOptions(dict[str, Any]):
    """Options completed with their defaults and checked.

    Not a plain ``dict``, which PyBaMM's submodels would check against its own options.

    Parameters
    ----------
    options : mapping, optional
        Some of `OPTIONS`.

    Raises
    ------
    OptionError
        For an unknown option or a value that is not allowed.
    """

    def __init__(self, options: Mapping[str, Any] | None = None):
        super().__init__({name: allowed[0] for name, allowed in OPTIONS.items()})
        self.update(options or {})
        for name, value in self.items():
            if name not in OPTIONS:
                raise OptionError(f"unknown model option {name!r}: known are {sorted(OPTIONS)}")
            if name == "electrolyte layers":
                self[name] = _layers(value)
            elif name == "size classes":
                whole = isinstance(value, int) and not isinstance(value, bool)
                if not (whole and 1 <= value <= MAX_SIZE_CLASSES):
                    raise OptionError(
                        f"model option 'size classes' is {value!r}: it must be a whole number "
                        f"from 1 to {MAX_SIZE_CLASSES}"
                    )
            elif value not in OPTIONS[name]:
                raise OptionError(
                    f"model option {name!r} is {value!r}: it must be one of {OPTIONS[name]}"
                )


def _layers(value: Any) -> tuple[str, ...]:
    layers = (value,) if isinstance(value, str) else value
    allowed = isinstance(layers, list | tuple) and all(
        isinstance(layer, str) and _LAYER.fullmatch(layer) and "electrode" not in layer
        for layer in layers
    )
    if not allowed or not layers or len(set(layers)) < len(layers):
        raise OptionError(
            f"model option 'electrolyte layers' is {value!r}: it must be one or more different "
            "names of letters, digits and . _ + ( ) -, from the anode to the cathode"
        )
    return tuple(layers)
