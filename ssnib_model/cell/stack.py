"""The stack of a cell: its options, and the names and rules that follow from its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssnib_model.cell import declared, exchanges, relations
from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError
from ssnib_model.quantity import Quantity


@dataclass(frozen=True)
class Stack:
    """What a cell is before any of its values is known.

    Only what was chosen is kept, so that it can be pickled: the rules are functions, which
    cannot be, and are made once for all cells with these layers.

    Attributes
    ----------
    options : ModelOptions
        All of them.
    catholyte : str
        The layer whose material fills the composite.
    """

    options: ModelOptions
    catholyte: str

    @classmethod
    def of(cls, options: Mapping[str, Any], catholyte: Any = None) -> Stack:
        """The stack of these options; the catholyte is the layer at the cathode by default.

        Raises
        ------
        OptionError
            For an option or a catholyte that is not allowed, or without layers.
        """
        if "electrolyte layers" not in options:
            raise OptionError("'electrolyte layers' is missing: names from anode to cathode")
        whole = ModelOptions(options)
        layers = whole["electrolyte layers"]
        catholyte = layers[-1] if catholyte is None else catholyte
        if catholyte not in layers:
            raise OptionError(
                f"catholyte is {catholyte!r}: it must be one of the layers {layers}; another "
                'material is given by "Positive electrode electrolyte conductivity [S.m-1]" and '
                "density"
            )
        return cls(whole, catholyte)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the electrolyte layers, from the anode to the cathode."""
        layers: tuple[str, ...] = self.options["electrolyte layers"]
        return layers

    @property
    def known(self) -> dict[str, Quantity]:
        """Every name of a parameter, with what is declared about it."""
        return declared.known_names(self.layers)

    @property
    def rules(self) -> tuple[relations.Rule, ...]:
        """The relations between the parameters."""
        return relations.rules(self.layers, self.catholyte)

    def plan(
        self, given: Mapping[str, ParameterInfo], changed: Mapping[str, ParameterInfo]
    ) -> exchanges.Plan:
        """What ``changed`` over ``given`` does."""
        every = {**given, **changed}
        functions = tuple([n for n, i in every.items() if not isinstance(i.value, float)])
        return exchanges.plan(self.layers, self.catholyte, tuple(given), functions, tuple(changed))
