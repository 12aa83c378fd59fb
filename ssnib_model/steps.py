"""One step of a test: what is applied, when it ends, and how it ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Status(enum.StrEnum):
    """How a step ended; why is text beside it."""

    OK = "ok"
    #: It starts beyond its cut-off: the drop at the start alone exceeds the window.
    AT_START = "cut-off reached at start"
    #: A discharge that ended because the alloy had no sodium left, not the cathode no room.
    ANODE_EMPTY = "anode empty"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """Constant current until the voltage reaches a cut-off.

    Attributes
    ----------
    current : float
        Current [A], positive on discharge, not 0.
    cut_off : float
        Voltage that ends it [V]: the lowest of a discharge, the highest of a charge.
    longest : float
        Time after which it is given up [s]: more than any cell can take.
    """

    current: float
    cut_off: float
    longest: float

    @property
    def direction(self) -> str:
        """ "charge" or "discharge"."""
        return "discharge" if self.current > 0 else "charge"


@dataclass(frozen=True)
class Outcome:
    """What a solver says of a step.

    Attributes
    ----------
    status : Status
        How it ended.
    segment : pybamm.Solution or StructuredSolution or None
        The solution from its start to its end; None where there is none.
    reason : str
        Why it failed; "" where it did not.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    gave_up : bool
        Whether the integrator failed, so that another mesh may help.
    """

    status: Status
    segment: Any = None
    reason: str = ""
    recovery: str = ""
    gave_up: bool = False
