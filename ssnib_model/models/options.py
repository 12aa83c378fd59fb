"""The options of the models; apart, so that checking a file does not load PyBaMM."""

from __future__ import annotations

from ssnib_model.errors import OptionError

#: Every option of the models: the default first, then the other allowed values.
#: "electrolyte layers" is free: any number of names, from the anode to the cathode.
OPTIONS = {
    "electrolyte layers": (("Na3PS4", "NaTaCl6"),),
    "composite transport": ("bruggeman", "tortuosity", "percolation"),
    "conductivity form": ("sigma", "sigma T"),
}


def check_options(options: dict | None) -> dict:
    """The options completed with their defaults; `OptionError` for any that is not allowed."""
    complete = {name: allowed[0] for name, allowed in OPTIONS.items()} | dict(options or {})
    for name, value in complete.items():
        if name not in OPTIONS:
            raise OptionError(f"unknown model option {name!r}: known are {sorted(OPTIONS)}")
        if name == "electrolyte layers":
            layers = [value] if isinstance(value, str) else list(value)
            if not layers or len(set(layers)) < len(layers):
                raise OptionError(
                    f"model option 'electrolyte layers' is {value!r}: it must be one or more "
                    "different names, from the anode to the cathode"
                )
            complete[name] = tuple(layers)
        elif value not in OPTIONS[name]:
            raise OptionError(
                f"model option {name!r} is {value!r}: it must be one of {OPTIONS[name]}"
            )
    return complete
