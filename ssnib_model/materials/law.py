"""What a material's file offers to parameter files: named functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ssnib_model.quantity import Quantity

#: A number, an array or a ``pybamm.Symbol``: all of them go through the same formula.
Symbolic: TypeAlias = Any


@dataclass(frozen=True)
class Law:
    """A function that a parameter file may name.

    Attributes
    ----------
    function : callable
        Of the quantity's argument (stoichiometry, sodium content, temperature) and of numbers;
        in SI units, for numbers, arrays and symbols alike.
    gives : tuple of str
        Endings of the names of the quantities whose value it may be.
    """

    function: Callable[..., Symbolic]
    gives: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """Names of the numbers it takes after its first argument."""
        return list(inspect.signature(self.function).parameters)[1:]


def argument(low: float, high: float, description: str) -> Quantity:
    """A quantity that is read only where a function takes it."""
    return Quantity(low, high, description, in_model=True, is_argument=True)
