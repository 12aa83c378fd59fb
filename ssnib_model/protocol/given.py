"""Protocols from what a user gives: text, PyBaMM's objects, arrays, and lists of them."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.protocol.groups import MAX_DEPTH, Node, Repeat, at
from ssnib_model.protocol.instruction import Instruction
from ssnib_model.protocol.language import EXAMPLE, instruction
from ssnib_model.words import short

#: Steps of one list without repeats.
MAX_GIVEN = 100_000


class Steps:
    """What a protocol is to another one that it is part of.

    Attributes
    ----------
    steps : tuple of Instruction or Repeat
        In order.
    initial_state_of_charge : float or None
        Where it starts; None: as made.
    """

    steps: tuple[Node, ...]
    initial_state_of_charge: float | None


def state_of_charge(value: Any) -> float:
    """A state of charge to start from, or `OptionError`."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0 < value < 1:
        raise OptionError(
            f"initial_state_of_charge is {short(value)}: it must be between 0 and 1, both excluded"
        )
    return float(value)


class Given:
    """Steps and groups of what a user gives; equal steps become one object, read once."""

    def __init__(self) -> None:
        # with the object itself, so that no other can get its id meanwhile
        self.read: dict[Any, tuple[Any, Instruction]] = {}

    def nodes(self, given: Any, where: str = "") -> list[Node]:
        """What is given as a whole, or as one of the items of a list."""
        if where.count(".") > MAX_DEPTH:
            raise OptionError(f"step {where}: groups lie in groups more than {MAX_DEPTH} deep")
        if isinstance(given, Steps):
            return self.of_protocol(given, where)
        if isinstance(given, pybamm.Experiment):
            return self.of_experiment(given, where)
        if isinstance(given, str | pybamm.step.BaseStep | np.ndarray | Instruction | Repeat):
            given = [given]
        if not isinstance(given, Iterable) or isinstance(given, Mapping | bytes):
            raise OptionError(f"{_at_step(where)}{short(given)} is no step: {EXAMPLE}")
        found: list[Node] = []
        for number, item in enumerate(given, 1):
            if number > MAX_GIVEN:
                raise OptionError(
                    f"{_at_step(where)}more than {MAX_GIVEN} steps are given: repeat them instead"
                )
            found += self.item(item, f"{where}.{number}" if where else str(number))
        return found

    def item(self, item: Any, place: str) -> list[Node]:
        if isinstance(item, Repeat):
            return [item]
        if not isinstance(item, list | tuple | Steps | pybamm.Experiment):
            return [self.step(item, place)]
        inside = self.nodes(item, place)
        if len(inside) == 1 and isinstance(inside[0], Repeat):
            return inside
        return [at(f"step {place}", Repeat, 1, tuple(inside))]

    def step(self, item: Any, place: str) -> Instruction:
        key = item if isinstance(item, str) else id(item)
        if key not in self.read:
            self.read[key] = item, at(f"step {place}", instruction, item)
        return self.read[key][1]

    def of_protocol(self, protocol: Steps, where: str) -> list[Node]:
        if where and protocol.initial_state_of_charge is not None:
            raise OptionError(
                f"step {where}: a protocol in another starts at initial_state_of_charge = "
                f"{protocol.initial_state_of_charge:g}: only the outermost can"
            )
        return list(protocol.steps)

    def of_experiment(self, experiment: pybamm.Experiment, where: str) -> list[Node]:
        """Its cycles as groups, with its period and temperature where a step has none."""
        if experiment.termination:
            raise OptionError(
                f"{_at_step(where)}an Experiment with termination "
                f"{experiment.termination_string!r} is not supported: give the number of cycles"
            )
        others = {"period": experiment.period, "temperature": experiment.temperature}
        filled: dict[int, Instruction] = {}

        def fill(step: Instruction) -> Instruction:
            if id(step) not in filled:
                new = {k: v for k, v in others.items() if v and getattr(step, k) is None}
                filled[id(step)] = dataclasses.replace(step, **new, given="") if new else step
            return filled[id(step)]

        prefix = f"{where}." if where else ""
        return [
            Repeat(1, tuple(fill(self.step(s, f"{prefix}{n}")) for s in cycle))
            for n, cycle in enumerate(experiment.cycles, 1)
        ]


def _at_step(where: str) -> str:
    return f"step {where}: " if where else ""
