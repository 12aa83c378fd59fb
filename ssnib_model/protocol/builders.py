"""Tests that many do, put together from a few numbers."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Iterable
from typing import Any

from ssnib_model.errors import OptionError
from ssnib_model.protocol.groups import at
from ssnib_model.protocol.instruction import Instruction, written
from ssnib_model.protocol.language import instruction
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.results import by_state
from ssnib_model.words import short

#: Pulses and cycles of one test.
MAX_TIMES = 100_000

DIRECTIONS = ("charge", "discharge", "both")


class Cycling(Protocol):
    """Charge and discharge again and again.

    Parameters
    ----------
    rate : float or str, optional
        C-rate of the discharges, 1 or "C/2".
    cycles : int, optional
        How many cycles.
    charge_rate : float or str, optional
        C-rate of the charges; default: that of the discharges.
    hold : float or str, optional
        Constant voltage after each charge, until the current has fallen to a C-rate, 0.05 or
        "C/20", or for a time, "30 minutes".
    rest : float or str, optional
        Time without current after each charge (and its hold) and each discharge, in seconds or
        as "10 minutes".
    upper_voltage, lower_voltage : float, optional
        Where charges and discharges end [V]; default: the cut-offs of the cell.
    initial_state_of_charge : float, optional
        Where it starts; default: the "As-made state of charge" of the parameters.

    Raises
    ------
    OptionError
        For a value that is not allowed.

    Examples
    --------
    >>> print(Cycling("C/2", 100, hold="C/20").to_text())
    Repeat 100 times:
        Charge at C/2 until cut-off
        Hold at upper cut-off until C/20
        Discharge at C/2 until cut-off
    """

    def __init__(
        self,
        rate: float | str = 1.0,
        cycles: int = 100,
        *,
        charge_rate: float | str | None = None,
        hold: float | str | None = None,
        rest: float | str | None = None,
        upper_voltage: float | None = None,
        lower_voltage: float | None = None,
        initial_state_of_charge: float | None = None,
    ):
        down = _rate("rate", rate)
        up = down if charge_rate is None else _rate("charge_rate", charge_rate)
        steps = _cycle(up, down, hold, rest, upper_voltage, lower_voltage)
        repeated = Protocol(steps) * _count("cycles", cycles)
        super().__init__(repeated, initial_state_of_charge=initial_state_of_charge)

    #: Capacity against cycle, of any result: `ssnib_model.results.by_state.retention`.
    capacities = staticmethod(by_state.retention)


class Formation(Protocol):
    """The first cycles of a cell, slow, one at each rate; its steps have the tag "formation".

    Parameters
    ----------
    rates : iterable of float or str, optional
        C-rates of the cycles in order.
    hold, rest, upper_voltage, lower_voltage, initial_state_of_charge : optional
        As for `Cycling`.

    Raises
    ------
    OptionError
        For a value that is not allowed.

    Examples
    --------
    >>> len(Formation(["C/20", "C/10"]) + Cycling(1, cycles=100))
    204
    """

    def __init__(
        self,
        rates: Iterable[float | str] = (0.05, 0.1, 0.1),
        *,
        hold: float | str | None = None,
        rest: float | str | None = None,
        upper_voltage: float | None = None,
        lower_voltage: float | None = None,
        initial_state_of_charge: float | None = None,
    ):
        several: Any = [rates] if isinstance(rates, numbers.Real | str) else rates
        if not isinstance(several, Iterable):
            raise OptionError(f"rates is {short(rates)}: C-rates are needed, [0.05, 0.1] say")
        cycles = []
        for given in several:
            rate = _rate("rates", given)
            steps = _cycle(rate, rate, hold, rest, upper_voltage, lower_voltage)
            cycles.append(tuple(f"{step} (tags: formation)" for step in steps))
        if not cycles:
            raise OptionError("rates is empty: give at least one C-rate")
        super().__init__(cycles, initial_state_of_charge=initial_state_of_charge)


class GITT(Protocol):
    """Galvanostatic intermittent titration: a little charge, then a rest, until the cut-off.

    Parameters
    ----------
    rate : float or str, optional
        C-rate of the current, 0.1 or "C/10".
    pulses : int, optional
        How many steps there are in each direction.
    rest : float or str, optional
        Time without current after each, in seconds or as "2 hours".
    duration : float or str, optional
        How long each step is, in seconds or as "10 minutes"; default: as long as it takes for
        all of them to pass the nominal capacity. After the cut-off, what is left of the steps
        ends at their start.
    direction : str, optional
        "both": charge, then discharge; "charge"; or "discharge", after a charge in one go unless
        an initial state of charge is given.
    initial_state_of_charge : float, optional
        Where it starts; default: the "As-made state of charge" of the parameters.

    Raises
    ------
    OptionError
        For a value that is not allowed.

    Examples
    --------
    >>> print(GITT("C/10", pulses=20, rest="2 hours", direction="charge").to_text())
    Rest for 2 hours
    Repeat 20 times:
        Charge at C/10 until 5% capacity or cut-off (tags: titration)
        Rest for 2 hours
    """

    def __init__(
        self,
        rate: float | str = 0.1,
        pulses: int = 20,
        rest: float | str = "2 hours",
        *,
        duration: float | str | None = None,
        direction: str = "both",
        initial_state_of_charge: float | None = None,
    ):
        if direction not in DIRECTIONS:
            raise OptionError(f"direction is {short(direction)}: it must be one of {DIRECTIONS}")
        current, relaxes = _rate("rate", rate), f"Rest for {_time('rest', rest)}"
        number = _count("pulses", pulses)
        share = f"until {written(100 / number)}% capacity or cut-off"
        if duration is not None:
            share = f"for {_time('duration', duration)} or until cut-off"
        steps: list[Any] = [relaxes]
        if direction == "discharge" and initial_state_of_charge is None:
            steps = [f"Charge at {current} until cut-off", relaxes]
        for verb in ("Charge", "Discharge"):
            if direction in ("both", verb.lower()):
                titrated = f"{verb} at {current} {share} (tags: {by_state.TITRATION})"
                steps.append(Protocol([titrated, relaxes]) * number)
        super().__init__(steps, initial_state_of_charge=initial_state_of_charge)

    #: Relaxed voltage, drop and polarization, of any result: see there.
    titration = staticmethod(by_state.titration)


class Pulse(Protocol):
    """Resistances by state of charge, by pulses of discharge and charge (HPPC).

    The cell is charged to its cut-off; then, again and again, it is discharged by a part of its
    capacity and rests, and a pulse of discharge, a pause, a pulse of charge and a pause follow.

    Parameters
    ----------
    rate : float or str, optional
        C-rate of the pulses.
    duration : float or str, optional
        How long a pulse is, in seconds or as text.
    states : int, optional
        At how many states of charge.
    step : float, optional
        Charge from state to state [% of the nominal capacity].
    step_rate : float or str, optional
        C-rate from state to state, and of the charge at the start.
    rest : float or str, optional
        Time without current before the first pulse of each state, in seconds or as text.
    pause : float or str, optional
        The same after each pulse.
    initial_state_of_charge : float, optional
        Where it starts, without the charge at the start; default: as made, with it.

    Raises
    ------
    OptionError
        For a value that is not allowed.

    Examples
    --------
    >>> print(Pulse(2, states=5, step=15).to_text())
    Charge at 0.2 C until cut-off
    Repeat 5 times:
        Discharge at 0.2 C until 15% capacity or cut-off
        Rest for 1 hour
        Discharge at 2 C for 10 seconds or until cut-off (tags: pulse)
        Rest for 40 seconds
        Charge at 2 C for 10 seconds or until cut-off (tags: pulse)
        Rest for 40 seconds
    """

    def __init__(
        self,
        rate: float | str = 1.0,
        duration: float | str = "10 seconds",
        *,
        states: int = 9,
        step: float = 10.0,
        step_rate: float | str = 0.2,
        rest: float | str = "1 hour",
        pause: float | str = "40 seconds",
        initial_state_of_charge: float | None = None,
    ):
        pulse, part = _rate("rate", rate), _rate("step_rate", step_rate)
        length, waits = _time("duration", duration), f"Rest for {_time('pause', pause)}"
        share = _number("step", step, 0.01, 100)
        ends = f"for {length} or until cut-off (tags: {by_state.PULSE})"
        state = [
            f"Discharge at {part} until {written(share)}% capacity or cut-off",
            f"Rest for {_time('rest', rest)}",
            f"Discharge at {pulse} {ends}",
            waits,
            f"Charge at {pulse} {ends}",
            waits,
        ]
        first = [] if initial_state_of_charge is not None else [f"Charge at {part} until cut-off"]
        super().__init__(
            [*first, Protocol(state) * _count("states", states)],
            initial_state_of_charge=initial_state_of_charge,
        )

    #: Resistances of the pulses, of any result: see there.
    resistances = staticmethod(by_state.resistances)


#: Names of the tests on the command line.
EXPERIMENTS: dict[str, type[Protocol]] = {
    "cycling": Cycling,
    "formation": Formation,
    "gitt": GITT,
    "pulse": Pulse,
}


def experiment(name: str, settings: dict[str, Any]) -> Protocol:
    """A test by its name and arguments.

    Raises
    ------
    OptionError
        If there is none of this name, or it has no such argument.
    """
    if name not in EXPERIMENTS:
        raise OptionError(f"the experiment is {short(name)}: {', '.join(EXPERIMENTS)} are known")
    known = inspect.signature(EXPERIMENTS[name]).parameters
    for setting in settings:
        if setting not in known:
            raise OptionError(f"{name} has no {short(setting)}: it has {', '.join(known)}")
    return EXPERIMENTS[name](**settings)


# ---------------------------------------------------------------- what is given, as text of steps
def _cycle(
    up: str,
    down: str,
    hold: float | str | None,
    rest: float | str | None,
    upper: float | None,
    lower: float | None,
) -> list[str]:
    """The steps of a cycle."""
    high = None if upper is None else written(_number("upper_voltage", upper, -1, 6))
    low = None if lower is None else written(_number("lower_voltage", lower, -1, 6))
    if high is not None and low is not None and float(low) >= float(high):
        raise OptionError(f"lower_voltage is {low} V: it must be below upper_voltage, {high} V")
    waits = [] if rest is None else [f"Rest for {_time('rest', rest)}"]
    held = "upper cut-off" if high is None else f"{high} V"
    holds = [] if hold is None else [f"Hold at {held} {_until(hold)}"]
    return [
        f"Charge at {up} until {'cut-off' if high is None else f'{high} V'}",
        *holds,
        *waits,
        f"Discharge at {down} until {'cut-off' if low is None else f'{low} V'}",
        *waits,
    ]


def _rate(name: str, value: Any) -> str:
    """A C-rate as text: 0.2, "0.2 C" or "C/5"."""
    text = f"{written(value)} C" if _is_number(value) else value
    found = _read(name, value, f"Discharge at {text} for 1 hour")
    if found.unit != "C" or found.duration != 3600:
        raise OptionError(f'{name} is {short(value)}: a C-rate is needed, 0.2 or "C/5"')
    return str(text)


def _time(name: str, value: Any) -> str:
    """A time as text: 600 or "10 minutes"."""
    text = f"{written(value)} seconds" if _is_number(value) else value
    found = _read(name, value, f"Rest for {text}")
    if found.ends or found.temperature or found.period or found.tags:
        raise OptionError(f'{name} is {short(value)}: a time is needed, 600 or "10 minutes"')
    return str(text)


def _until(value: Any) -> str:
    """The end of a hold as text: 0.05, "C/20" or "1 hour"."""
    text = f"{written(value)} C" if _is_number(value) else str(value)
    said = f"until {text}" if "C" in text else f"for {text}"
    found = _read("hold", value, f"Hold at upper cut-off {said}")
    if len(found.ends) + (found.duration is not None) != 1 or found.temperature or found.tags:
        raise OptionError(f'hold is {short(value)}: a C-rate or a time, "C/20" or "1 hour"')
    return said


def _read(name: str, value: Any, text: str) -> Instruction:
    return at(f"{name} is {short(value)}", instruction, text)


def _number(name: str, value: Any, low: float, high: float) -> float:
    if not _is_number(value) or not low <= value <= high:
        raise OptionError(f"{name} is {short(value)}: a number from {low:g} to {high:g} is needed")
    return float(value)


def _count(name: str, value: Any) -> int:
    whole = isinstance(value, numbers.Integral) and _is_number(value)
    if not whole or not 1 <= value <= MAX_TIMES:
        raise OptionError(f"{name} is {short(value)}: a whole number from 1 to {MAX_TIMES}")
    return int(value)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Real)
