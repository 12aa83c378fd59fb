"""What a rate test may be given: C-rates, holds and times, as numbers or as text.

Protocols and the files of parameter sets say them alike.
"""

from __future__ import annotations

import numbers
import re
from typing import Any

from ssnib_model.errors import OptionError
from ssnib_model.words import short

#: C-rates that are run: from a charge of a year to one of some seconds.
RATE_RANGE = (1e-4, 1e3)

#: Cycles at one rate, of which every solution is kept.
MAX_CYCLES = 10_000

#: Longest hold or rest [s]: ten years.
LONGEST = 3.2e8
SECONDS = " s"
UNITS_OF_TIME = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
}
HOLD_EXAMPLES = 'a C-rate is needed, 0.05 or "C/20", or a time, "1 hour"'
REST_EXAMPLES = 'a time is needed, "10 minutes" for example'


def held_until(value: Any) -> float | str:
    """A C-rate, or a time as "3600.0 s"."""
    if _plain(value) is not None:
        return c_rate(_plain(value), "hold")
    text = value if isinstance(value, str) else ""
    rate = re.fullmatch(r"\s*(?:C\s*/\s*(\S+)|(\S+?)\s*C)\s*", text)
    if rate is None:
        return f"{time_of(value, 'hold')!r}{SECONDS}"
    try:
        number = 1 / float(rate[1]) if rate[1] else float(rate[2])
    except (ValueError, ZeroDivisionError):
        raise OptionError(f"hold is {short(value)}: {HOLD_EXAMPLES}") from None
    return c_rate(number, "hold")


def time_of(value: Any, name: str) -> float:
    """A time in seconds, or as text with its unit."""
    examples = HOLD_EXAMPLES if name == "hold" else REST_EXAMPLES
    match = re.fullmatch(r"\s*(\S+?)\s*([a-z]+)\s*", value) if isinstance(value, str) else None
    seconds = None if name == "hold" else _plain(value)
    if match and seconds is None:
        try:
            seconds = float(match[1]) * UNITS_OF_TIME[match[2]]
        except (ValueError, KeyError):
            seconds = None
    if seconds is None or not 0 < seconds <= LONGEST:
        raise OptionError(f"{name} is {short(value)}: {examples}, at most ten years")
    return seconds


def _plain(value: Any) -> float | None:
    """A number, also as the command line gives it; None if it is none."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def c_rate(value: Any, name: str) -> float:
    """A C-rate that can be run."""
    low, high = RATE_RANGE
    if not _is_number(value) or not low <= value <= high:
        raise OptionError(
            f"{name} has {value!r}: a C-rate must be a positive number from {low:g} to {high:g}"
        )
    return float(value)


def whole_cycles(value: Any) -> int:
    """A number of cycles at each rate."""
    whole = isinstance(value, numbers.Integral) and _is_number(value)
    if not whole or not 1 <= value <= MAX_CYCLES:
        raise OptionError(f"cycles is {value!r}: it must be a whole number from 1 to {MAX_CYCLES}")
    return int(value)


def state_of_charge(value: Any) -> float:
    """Where a test starts."""
    if not _is_number(value) or not 0 < value < 1:
        raise OptionError(
            f"initial_state_of_charge is {value!r}: it must be between 0 and 1, both excluded"
        )
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
