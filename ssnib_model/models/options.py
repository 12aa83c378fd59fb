"""The options of the models; apart, so that checking a file does not load PyBaMM."""

from __future__ import annotations

from ssnib_model.errors import OptionError

#: Every option: the default first, then the other allowed values.
#: "electrolyte layers" is free: any number of names, from the anode to the cathode.
OPTIONS = {
    "electrolyte layers": (("Na3PS4", "NaTaCl6"),),
    "composite transport": ("bruggeman", "tortuosity", "percolation"),
    "conductivity form": ("sigma", "sigma T"),
}


class ModelOptions(dict):
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

    def __init__(self, options: dict | None = None):
        super().__init__({name: allowed[0] for name, allowed in OPTIONS.items()})
        self.update(options or {})
        for name, value in self.items():
            if name not in OPTIONS:
                raise OptionError(f"unknown model option {name!r}: known are {sorted(OPTIONS)}")
            if name == "electrolyte layers":
                self[name] = _layers(value)
            elif value not in OPTIONS[name]:
                raise OptionError(
                    f"model option {name!r} is {value!r}: it must be one of {OPTIONS[name]}"
                )


def _layers(value) -> tuple[str, ...]:
    layers = (value,) if isinstance(value, str) else tuple(value)
    names = all(isinstance(layer, str) and layer for layer in layers)
    if not layers or not names or len(set(layers)) < len(layers):
        raise OptionError(
            f"model option 'electrolyte layers' is {value!r}: it must be one or more different "
            "names, from the anode to the cathode"
        )
    return layers
