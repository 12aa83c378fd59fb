"""One step of a test: what is applied, when it ends, and how it ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import numpy as np
    import pybamm


class Status(enum.StrEnum):
    """How a step ended; why is text beside it."""

    OK = "ok"
    #: It starts beyond its cut-off: the drop at the start alone exceeds the window.
    AT_START = "cut-off reached at start"
    #: A discharge that ended because the alloy had no sodium left, not the cathode no room.
    ANODE_EMPTY = "anode empty"
    FAILED = "failed"


class Control(enum.StrEnum):
    """What a step imposes."""

    CURRENT = "current"  #: [A], positive on discharge
    VOLTAGE = "voltage"  #: [V]
    POWER = "power"  #: [W], positive on discharge
    RESISTANCE = "resistance"  #: voltage over current [Ohm], positive on discharge


class Measure(enum.StrEnum):
    """What a step may be ended by, beside time."""

    VOLTAGE = "voltage"  #: [V]
    CURRENT = "current"  #: [A], positive on discharge
    CURRENT_SIZE = "absolute current"  #: [A]
    CAPACITY = "capacity"  #: charge passed since the start of the step [A.h], whichever way


@dataclass(frozen=True)
class End:
    """What ends a step before its time is over.

    Attributes
    ----------
    measure : Measure
        What is watched.
    value : float
        Where it ends the step [V, A or A.h].
    rising : bool
        Whether it ends as it rises to the value; otherwise as it falls to it.
    cut_off : bool
        Whether it is a cut-off of the cell, not a value that the step names.
    """

    measure: Measure
    value: float
    rising: bool
    cut_off: bool = False

    def reached(self, value: float) -> bool:
        """Whether what is watched is there at the start of a step, up to a tie."""
        ties = {Measure.VOLTAGE: TIE, Measure.CAPACITY: 0.0}
        tie = ties.get(self.measure, TIE_OF_CURRENT * abs(self.value))
        return value >= self.value - tie if self.rising else value <= self.value + tie


@dataclass(frozen=True)
class Profile:
    """A value that changes with time, straight from point to point.

    Attributes
    ----------
    times : tuple of float
        From 0, rising [s].
    values : tuple of float
        In the unit of the `Control`.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Step:
    """What is applied, and when it ends: by the first of its ends, or when its time is over.

    Attributes
    ----------
    control : Control
        What is imposed.
    value : float or Profile
        How much, in the unit of the control; a `Profile` of the current only.
    duration : float
        Time after which it is over [s].
    ends : tuple of End
        What ends it before.
    open_ended : bool
        Whether the duration only says after which time it is given up, because any cell
        would have reached an end before: then it fails where it reaches none.
    temperature : float or None
        Temperature of the cell [K]; None: that of the parameters.
    """

    control: Control
    value: float | Profile
    duration: float
    ends: tuple[End, ...] = ()
    open_ended: bool = False
    temperature: float | None = None

    @classmethod
    def to_cut_off(cls, current: float, cut_off: float, longest: float) -> Step:
        """Constant current [A] until the voltage reaches a cut-off [V]: what a rate test does."""
        end = End(Measure.VOLTAGE, cut_off, rising=current < 0, cut_off=True)
        return cls(Control.CURRENT, current, longest, (end,), open_ended=True)

    @property
    def direction(self) -> str:
        """ "charge", "discharge", "rest", "hold", or "profile"."""
        if isinstance(self.value, Profile):
            return "profile"
        if self.control is Control.VOLTAGE:
            return "hold"
        return "discharge" if self.value > 0 else "charge" if self.value < 0 else "rest"


@dataclass(frozen=True)
class Planned:
    """A step at its place in a test.

    Attributes
    ----------
    step : Step
        What is done, in SI units, for the cell that it is planned for.
    text : str
        How people write it, "Charge at C/5 until 3.9 V" for example.
    cycle : int
        Number of the cycle that it is part of, from 1.
    tags : tuple of str
        What it is looked up by, such as "pulse" or "formation".
    period : float or None
        Time between the points of its curve in tables [s]; None: as finely as it was solved.
    """

    step: Step
    text: str
    cycle: int = 1
    tags: tuple[str, ...] = ()
    period: float | None = None


class Segment(Protocol):
    """What a solver gives of a step, from its start to its end; times [s] from its start.

    The numbers that every test asks for are at hand; all variables of the model come with
    `solution`, which may have to be worked out first.
    """

    @property
    def duration(self) -> float:
        """How long it took [s]."""

    @property
    def charge(self) -> float:
        """Charge passed [A.h], positive on discharge."""

    @property
    def energy(self) -> float:
        """Energy given [W.h], positive on discharge."""

    @property
    def times(self) -> np.ndarray:
        """Times [s] between which voltage and current are smooth, from 0 to the duration."""

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """Voltage [V]."""

    def current(self, t: ArrayLike) -> np.ndarray:
        """Current [A], positive on discharge."""

    def passed(self, t: ArrayLike) -> np.ndarray:
        """Charge passed up to then [A.h], positive on discharge."""

    @property
    def uniformity(self) -> float | None:
        """Reaction uniformity number at half of the step, of the reduced model only."""

    @property
    def solution(self) -> pybamm.Solution:
        """All variables of the model; its time starts with the step."""


@dataclass(frozen=True)
class Outcome:
    """What a solver says of a step.

    Attributes
    ----------
    status : Status
        How it ended.
    segment : Segment or None
        From its start to its end; None where there is nothing.
    end : End or None
        The end that it reached, at its start or later; None: its time was over, or it failed.
    reason : str
        Why it failed; "" where it did not.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    gave_up : bool
        Whether the integrator failed, so that another mesh may help.
    """

    status: Status
    segment: Segment | None = None
    end: End | None = None
    reason: str = ""
    recovery: str = ""
    gave_up: bool = False


#: A step whose end is nearer than this at its start has reached it [V]: neither solver tells
#: which side of a cut-off a state is on that was reached by ending there.
TIE = 1e-4
#: The same for ends by current, relative to the end.
TIE_OF_CURRENT = 1e-4

#: How far the composition of a particle's surface may leave 0..1 in a step that is "ok": what
#: the tolerances of the solvers make of a surface that is full or empty.
STOICHIOMETRY_MARGIN = 1e-4
