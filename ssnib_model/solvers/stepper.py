"""What a solver must do: start a cell, and take it through one step after the other.

The state is passed in and handed back: a stepper keeps nothing of a run (after diffrax, whose
solvers do the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Outcome, Status, Step

#: Rise of the alloy's potential [V] that says that it ran empty: more than its plateaus span.
ANODE_EMPTY_RISE = 0.6

ANODE_OCP = "Negative electrode open-circuit potential [V]"


class Stepper(Protocol):
    """A model made ready for many runs by one solver; see `Idaklu` and `Structured`."""

    def start(self, inputs: Mapping[str, float], initial: CellState | None = None) -> Any:
        """The state of the cell at the start, for values of all inputs.

        It is that of the model's initial conditions, or one that a solver handed over.
        """

    def step(self, state: Any, step: Step, inputs: Mapping[str, float]) -> tuple[Outcome, Any]:
        """Go on from a state, which stays as it is; never raises for a failed solve.

        Returns
        -------
        tuple
            How the step ended, and the state at its end (that at its start where it has none).
        """

    def cell_state(self, state: Any) -> CellState:
        """A state as any solver of the same model takes it."""


def status_of(anode_start: float, anode_end: float) -> Status:
    """Status of a step that reached its end, from the anode's potentials [V] at start and end."""
    return Status.ANODE_EMPTY if anode_end - anode_start > ANODE_EMPTY_RISE else Status.OK
