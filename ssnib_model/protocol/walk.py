"""A cell on its way through a test, by one solver."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from ssnib_model.solvers.preflight import INITIAL, Preflight
from ssnib_model.solvers.state import CellState
from ssnib_model.solvers.stepper import Stepper
from ssnib_model.steps import Outcome, Status, Step

SODIUM = "Negative electrode sodium content"


class Walk:
    """A cell on its way through a test, by one solver; of one run.

    Parameters
    ----------
    stepper : Stepper
        The solver.
    preflight : Preflight
        Says why a step cannot start.
    inputs_at : callable
        The inputs of the model at a temperature [K], None for that of the parameters.
    """

    def __init__(
        self,
        stepper: Stepper,
        preflight: Preflight,
        inputs_at: Callable[[float | None], dict[str, float]],
    ):
        self._stepper, self._preflight, self._inputs_at = stepper, preflight, inputs_at
        self._inputs: dict[float | None, dict[str, float]] = {}
        self._state: Any = None
        self._written: CellState | None = None
        # state of charge where it began, None: that of the inputs; charge passed since [C]
        self._charge: float | None = None
        self._passed, self._failure = 0.0, ""

    def begin(self, temperature: float | None, start: CellState | None) -> None:
        """Start as made, or from a state."""
        inputs = self._at(temperature)
        self._failure = self._preflight.impossible(inputs)
        if not self._failure:
            self._set(inputs, start)

    def take(self, step: Step, name: str) -> Outcome:
        """The next step; after one that failed there is no other."""
        if self._failure:
            return Outcome(Status.FAILED, reason=self._failure)
        inputs, self._written = self._at(step.temperature), None
        outcome, self._state = self._stepper.step(self._state, step, inputs)
        if outcome.status is Status.FAILED:
            self.fail(name)
        elif outcome.segment is not None:
            self._passed += 3600 * outcome.segment.charge
        elif outcome.end is not None:
            at = inputs if self._charge is None else {**inputs, INITIAL: self._charge}
            soc = self._preflight.state_of_charge(at, self._passed)
            reason = self._preflight.why_at_start(inputs, step, outcome.end, soc)
            outcome = dataclasses.replace(outcome, reason=reason)
        return outcome

    def fail(self, name: str) -> None:
        """Nothing that follows a step of this name is run."""
        self._failure = self._failure or f"{name} before it failed"

    def hand_over(self, temperature: float | None) -> CellState | None:
        """The state in its written form, from which it goes on itself from now on."""
        if self._state is None:
            return None
        state = self._stepper.cell_state(self._state)
        self._set(self._at(temperature), state)
        return state

    @property
    def final_state(self) -> Callable[[], CellState] | None:
        """Gives the state as it is now; None where the cell could not start."""
        if self._state is None:
            return None
        return functools.partial(_state_of, self._stepper, self._state, self._written)

    def _set(self, inputs: dict[str, float], start: CellState | None) -> None:
        self._state, self._written = self._stepper.start(inputs, start), start
        self._passed, self._charge = 0.0, None
        if start is not None:
            sodium = float(start.values[SODIUM].item())
            self._charge = self._preflight.state_of_charge(inputs, sodium=sodium)

    def _at(self, temperature: float | None) -> dict[str, float]:
        if temperature not in self._inputs:
            self._inputs[temperature] = self._inputs_at(temperature)
        return self._inputs[temperature]


def _state_of(stepper: Stepper, state: Any, written: CellState | None) -> CellState:
    return stepper.cell_state(state) if written is None else written
