"""Symbols of a model as numbers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import casadi
import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.models.base import SolidStateBaseModel


class Numbers:
    """Values of symbols for given inputs, compiled once; any number of threads may call it.

    Parameters
    ----------
    symbols : mapping of str to pybamm.Symbol
        Parameters and what is made of them, without variables.
    values : pybamm.ParameterValues
        Their values, any of them "[input]".
    """

    def __init__(self, symbols: Mapping[str, pybamm.Symbol], values: pybamm.ParameterValues):
        processed = [values.process_symbol(symbol) for symbol in symbols.values()]
        needed = input_names(*processed)
        inputs = {name: casadi.MX.sym("p") for name in needed}
        results = [casadi.MX(symbol.to_casadi(inputs=inputs)) for symbol in processed]
        function = casadi.Function(
            "numbers", [casadi.vertcat(*inputs.values())], [casadi.vertcat(*results)]
        )
        self._set(list(symbols), needed, function)

    def __getstate__(self) -> tuple[list[str], list[str], casadi.Function]:
        return self._names, self._inputs, self._function  # the buffer cannot be pickled

    def __setstate__(self, state: tuple[list[str], list[str], casadi.Function]) -> None:
        self._set(*state)

    def _set(self, names: list[str], inputs: list[str], function: casadi.Function) -> None:
        self._names, self._inputs, self._function = names, inputs, function
        # arrays of our own: converting arguments and results takes longer than the numbers
        self._arguments, self._results = np.zeros(len(self._inputs)), np.zeros(len(self._names))
        self._buffer, self._evaluate = self._function.buffer()
        self._lock = threading.Lock()  # the arrays are those of one call at a time
        self._buffer.set_arg(0, memoryview(self._arguments))  # type: ignore[call-arg, arg-type]
        self._buffer.set_res(0, memoryview(self._results))  # type: ignore[call-arg, arg-type]

    def __call__(self, inputs: Mapping[str, float]) -> dict[str, float]:
        """The numbers by name."""
        arguments = [inputs[name] for name in self._inputs]
        with self._lock:
            self._arguments[:] = arguments
            self._evaluate()
            results = self._results.tolist()
        return dict(zip(self._names, results, strict=True))

    def of_many(self, inputs: Mapping[str, ArrayLike], members: int) -> dict[str, np.ndarray]:
        """The same numbers for many at once, each of shape (members,).

        Parameters
        ----------
        inputs : mapping of str to array_like
            A number for all, or one each, shape (members,).
        members : int
            How many they are.
        """
        if not self._inputs:
            return {name: np.full(members, value) for name, value in self({}).items()}
        given = np.array([np.broadcast_to(inputs[name], members) for name in self._inputs])
        results = self._function(given).full()  # one column each: casadi goes through them
        return dict(zip(self._names, results, strict=True))


def by_inputs(model: SolidStateBaseModel, symbol: pybamm.Symbol) -> pybamm.Symbol:
    """A symbol in which the slow states of a model are inputs of their names."""
    slow = {
        c.state: pybamm.InputParameter(c.state.name) for c in model.param.ageing.clocks.values()
    }
    return pybamm.replace(symbol, slow, {}) if slow else symbol


class Readings:
    """Values of variables of a discretised model at one state, compiled once.

    Parameters
    ----------
    built : pybamm.BaseModel
        The discretised model.
    variables : sequence of str
        Names of variables that are numbers.
    """

    def __init__(self, built: pybamm.BaseModel, variables: Sequence[str]):
        symbols = [built.get_processed_variable(name) for name in variables]
        self._names, self._inputs = tuple(variables), input_names(*symbols)
        t, y = casadi.MX.sym("t"), casadi.MX.sym("y", built.len_rhs_and_alg)
        inputs = {name: casadi.MX.sym("p") for name in self._inputs}
        results = [casadi.MX(symbol.to_casadi(t, y, inputs=inputs)) for symbol in symbols]
        self._function = casadi.Function(
            "readings", [t, y, casadi.vertcat(*inputs.values())], [casadi.vertcat(*results)]
        )

    def __call__(self, t: float, y: np.ndarray, inputs: Mapping[str, float]) -> dict[str, float]:
        """The values by name; ``y`` of shape (states,) or (states, 1)."""
        values = self._function(t, y, [float(np.squeeze(inputs[name])) for name in self._inputs])
        return dict(zip(self._names, values.full().ravel().tolist(), strict=True))


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
