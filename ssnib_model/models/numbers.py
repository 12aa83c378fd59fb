"""Symbols of a model as numbers."""

from __future__ import annotations

from collections.abc import Mapping

import casadi
import pybamm


class Numbers:
    """Values of symbols for given inputs, compiled once.

    Parameters
    ----------
    symbols : mapping of str to pybamm.Symbol
        Parameters and what is made of them, without variables.
    values : pybamm.ParameterValues
        Their values, any of them "[input]".
    """

    def __init__(self, symbols: Mapping[str, pybamm.Symbol], values: pybamm.ParameterValues):
        processed = [values.process_symbol(symbol) for symbol in symbols.values()]
        self._names = list(symbols)
        self._inputs = input_names(*processed)
        inputs = {name: casadi.MX.sym("p") for name in self._inputs}
        results = [casadi.MX(symbol.to_casadi(inputs=inputs)) for symbol in processed]
        self._function = casadi.Function(
            "numbers", [casadi.vertcat(*inputs.values())], [casadi.vertcat(*results)]
        )

    def __call__(self, inputs: Mapping[str, float]) -> dict[str, float]:
        """The numbers by name."""
        numbers = self._function([inputs[name] for name in self._inputs])
        return dict(zip(self._names, numbers.full().ravel().tolist(), strict=True))


def input_names(*symbols: pybamm.Symbol) -> list[str]:
    """Names of the inputs that processed symbols depend on."""
    return sorted(
        {
            node.name
            for symbol in symbols
            for node in symbol.pre_order()
            if isinstance(node, pybamm.InputParameter)
        }
    )
