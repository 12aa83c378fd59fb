"""Current at the terminals and through the stack, which differ by what leaks as electrons.

The kernel knows the ions alone: their current density i = i_ext + G V, with G the conductance of
the layers for electrons. What is imposed at the terminals it takes in its own terms: a constant
current is a resistance 1/G that i_ext does not pass, V = (i - i_ext) / G, and so on; all exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ssnib_model.steps import Control, End, Measure, Profile, Step

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers.kernel.cell import Task

#: An end by current or charge that nothing reaches [A.m-2 or C.m-2].
_NEVER = 1e30
_BY_CURRENT = (Measure.CURRENT, Measure.CURRENT_SIZE)


class Terminals(NamedTuple):
    """What is applied where the ions' current density is ``i``: ``share * i + offset``.

    ``volts`` and ``siemens`` say the integral of the voltage over time: the one where it is
    constant, and otherwise what has leaked over the other.
    """

    share: float = 1.0
    offset: float = 0.0  #: [A.m-2]
    volts: float = 0.0  #: [V]
    siemens: float = 0.0  #: [S.m-2]

    @property
    def is_trivial(self) -> bool:
        """Whether nothing leaks."""
        return self.share == 1 and self.offset == 0 and not self.siemens

    def volt_seconds(self, charge: Any, t: Any) -> Any:
        """Integral of the voltage [V.s] up to ``t`` [s], where ions took ``charge`` [C.m-2]."""
        if self.share:
            return self.volts * t
        return (charge - self.offset * t) / self.siemens


#: Where nothing leaks.
SAME = Terminals()


class Imposed(NamedTuple):
    """A step as the kernel takes it where electrons leak.

    Attributes
    ----------
    task : Task
        By the current of the ions.
    terminals : Terminals
        What that is at the terminals.
    timed : End or None
        The end that stands for the end of its time.
    reached : End or None
        One that it is at from the start.
    refusal : str
        Why there is no such task; "" where there is.
    """

    task: Task
    terminals: Terminals
    timed: End | None = None
    reached: End | None = None
    refusal: str = ""


def imposed(step: Step, task: Task, area: float, siemens: float) -> Imposed:
    """A step with leakage.

    Parameters
    ----------
    step : Step
        What is done.
    task : Task
        The same without leakage.
    area : float
        Of the cell [m2].
    siemens : float
        Conductance of the layers for electrons [S.m-2], above 0.
    """
    if isinstance(step.value, Profile) or step.control is Control.POWER:
        what = "a profile" if isinstance(step.value, Profile) else "a power"
        return Imposed(task, SAME, refusal=_lacks(what))
    if step.control is Control.CURRENT:
        return _constant(step, step.value / area, task, siemens)
    from ssnib_model.solvers.kernel import cell as numbers

    charges = task.measures == numbers.OF_CHARGE
    currents = (task.measures == numbers.OF_CURRENT) | (task.measures == numbers.OF_CURRENT_SIZE)
    limits = task.limits.copy()
    if step.control is Control.RESISTANCE:
        share = 1 / (1 + task.value * siemens)
        limits[charges | currents] /= share
        task = task._replace(value=task.value * share, limits=limits)
        return Imposed(task, Terminals(share, siemens=siemens))
    if charges.any():
        return Imposed(task, SAME, refusal=_lacks("an end of a hold by capacity"))
    leaked = siemens * task.value
    return Imposed(task._replace(offset=leaked), Terminals(1.0, -leaked, task.value, siemens))


def _constant(step: Step, current: float, task: Task, siemens: float) -> Imposed:
    """A step by constant current [A.m-2]."""
    from ssnib_model.solvers.kernel import cell as numbers

    value, limits, signs = step.value, task.limits.copy(), task.signs
    assert not isinstance(value, Profile)
    duration, timed = task.duration, None
    for n, end in enumerate(step.ends):
        if end.measure is Measure.VOLTAGE:
            continue
        size = abs(value) if end.measure is Measure.CURRENT_SIZE else value
        if end.measure in _BY_CURRENT and end.reached(size):
            return Imposed(task, SAME, reached=end)
        if end.measure is Measure.CAPACITY and current:
            until = task.limits[n] / abs(current)
            if until <= 0:
                return Imposed(task, SAME, reached=end)
            if until < duration:
                duration, timed = until, end
        limits[n] = -math.copysign(_NEVER, signs[n])
    task = task._replace(
        control=numbers.RESISTANCE, value=1 / siemens, offset=current, limits=limits,
        duration=float(duration),
    )  # fmt: skip
    return Imposed(task, Terminals(0.0, current, siemens=siemens), timed)


def _lacks(what: str) -> str:
    return f"the structured solver has not {what} where electrons leak"
