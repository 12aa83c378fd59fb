"""A step as people say it: C-rates, cut-offs and percent, before it is known of which cell."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ssnib_model.errors import OptionError
from ssnib_model.steps import Profile

#: What "Hold at" takes instead of a number.
HELD = ("upper cut-off", "lower cut-off")
#: Units of what is imposed.
UNITS = ("A", "C", "V", "W", "Ohm")
#: Units of ends. "capacity" is in percent of the nominal one, "cut-off" has no value.
END_UNITS = ("V", "A", "C", "A.h", "A.h.kg-1", "capacity", "cut-off")
CAPACITIES = ("A.h", "A.h.kg-1", "capacity")

#: Longest step and sampling period [s]: ten years.
LONGEST = 3.2e8
#: Temperatures of a cell [K], as for the parameter sets.
TEMPERATURES = (150.0, 600.0)
#: Characters of a tag, and tags of a step.
MAX_TAG, MAX_TAGS = 40, 20

_TAGS = re.compile(r" \(tags:[^()]*\)")

#: A profile of more points is not written out where people read it.
SHOWN_POINTS = 4


@dataclass(frozen=True)
class Limit:
    """An end of a step, for any cell.

    Attributes
    ----------
    value : float
        Where it is, in its unit; 0 for a cut-off of the cell.
    unit : str
        One of `END_UNITS`.
    operator : str
        ">": when it rises to the value; "<": when it falls to it; "": as follows from the step.
    """

    value: float
    unit: str
    operator: str = ""

    def __str__(self) -> str:
        if self.unit == "cut-off":
            return "cut-off"
        number = written(self.value) + ("% capacity" if self.unit == "capacity" else "")
        words = (self.operator, number, "" if self.unit == "capacity" else self.unit)
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Instruction:
    """A step for any cell.

    Attributes
    ----------
    value : float, Profile or str
        What is imposed, positive on discharge; 0 A is a rest; for a hold also one of `HELD`.
    unit : str
        One of `UNITS`; a `Profile` is in A or C.
    duration : float or None
        Time after which it is over [s]; None: it lasts until an end.
    ends : tuple of Limit
        What ends it before.
    temperature : float or None
        Temperature of the cell [K]; None: that of the parameters.
    period : float or None
        Time between the points of its curve [s]; None: as the result chooses.
    tags : tuple of str
        What it is looked up by.
    given : str
        The text that it was given as, if it was; two instructions that say the same are equal.
    """

    value: float | Profile | str
    unit: str
    duration: float | None = None
    ends: tuple[Limit, ...] = ()
    temperature: float | None = None
    period: float | None = None
    tags: tuple[str, ...] = ()
    given: str = dataclasses.field(default="", compare=False)

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise OptionError(problem)

    @property
    def direction(self) -> str:
        """ "charge", "discharge", "rest", "hold", or "profile"."""
        if isinstance(self.value, Profile):
            return "profile"
        if self.unit == "V" or isinstance(self.value, str):
            return "hold"
        return "discharge" if self.value > 0 else "charge" if self.value < 0 else "rest"

    def __str__(self) -> str:
        """As a line of text from which it can be read again."""
        return self.given or self._line(self._imposed(None))

    @property
    def label(self) -> str:
        """As a line for people: without tags, and long profiles are not written out."""
        if isinstance(self.value, Profile) and len(self.value.times) > SHOWN_POINTS:
            return _TAGS.sub("", self._line(self._imposed(SHOWN_POINTS)))
        return _TAGS.sub("", str(self))

    def _imposed(self, most: int | None) -> str:
        value, unit = self.value, self.unit
        if isinstance(value, Profile):
            pairs = list(zip(value.times, value.values, strict=True))
            points = "; ".join(f"{written(t)} {written(v)}" for t, v in pairs[:most])
            more = f"; ... {len(pairs)} points" if most is not None else ""
            return f"Run [{points}{more}] ({unit})"
        if isinstance(value, str):
            return f"Hold at {value}"
        if self.direction == "rest":
            return "Rest"
        verb = {"discharge": "Discharge", "charge": "Charge", "hold": "Hold"}[self.direction]
        return f"{verb} at {written(value if unit == 'V' else abs(value))} {unit}"

    def _line(self, imposed: str) -> str:
        words = [imposed]
        if self.duration is not None:
            words.append(f"for {_time(self.duration)}")
        if self.ends:
            words.append("or until" if self.duration is not None else "until")
            words.append(" or ".join(map(str, self.ends)))
        if self.temperature is not None:
            celsius = round(self.temperature - 273.15, 6)
            exact = celsius + 273.15 == self.temperature
            kelvin = written(self.temperature)
            words.append(f"({written(celsius)} oC)" if exact else f"({kelvin} K)")
        if self.period is not None:
            words.append(f"({_time(self.period)} period)")
        if self.tags:
            words.append(f"(tags: {', '.join(self.tags)})")
        return " ".join(words)


def written(value: float) -> str:
    """A number as text that PyBaMM reads, and as the same number to the last digit."""
    text = repr(float(value)).replace("e+", "e")
    return text.removesuffix(".0")


def _time(seconds: float) -> str:
    for length, unit in ((3600, "hour"), (60, "minute")):
        count = seconds / length
        if count >= 1 and count * length == seconds and len(written(count)) <= 6:
            return f"{written(count)} {unit}{'' if count == 1 else 's'}"
    return f"{written(seconds)} seconds"


# ---------------------------------------------------------------- what may be said
def _problems(step: Instruction) -> Iterator[str]:
    """Why it cannot be, one sentence each."""
    yield from _problems_of_value(step)
    for name, seconds in (("duration", step.duration), ("period", step.period)):
        if seconds is not None and not 0 < seconds <= LONGEST:  # also for NaN
            yield f"its {name} is {seconds:g} s: it must be above 0 and at most {LONGEST:g} s"
    low, high = TEMPERATURES
    if step.temperature is not None and not low <= step.temperature <= high:
        yield f"its temperature is {step.temperature:g} K: it must be from {low:g} to {high:g} K"
    if len(step.tags) > MAX_TAGS:
        yield f"it has {len(step.tags)} tags: at most {MAX_TAGS} are allowed"
    for tag in step.tags:
        plain = tag.isprintable() and not set(tag) & set("(),#") and " ".join(tag.split()) == tag
        if not (plain and 0 < len(tag) <= MAX_TAG):
            yield (
                f"the tag {tag[:60]!r} is not allowed: at most {MAX_TAG} characters, none of "
                "brackets, commas and #"
            )
    for end in step.ends:
        yield from _problems_of_end(step, end)
    if len(set(step.ends)) < len(step.ends):
        yield f"an end is given twice: {' or '.join(map(str, step.ends))}"
    if step.duration is None and not step.ends:
        yield (
            "nothing ends it: say for how long, or until what (until cut-off: that of the cell)"
        )
    decides = any(e.unit in ("A", "C") and e.value for e in step.ends)
    if step.duration is None and step.direction == "rest":
        yield "a rest may never come to an end: say for how long at most"
    if step.duration is None and step.direction == "hold" and step.ends and not decides:
        yield "a hold may never come to this end: say for how long at most as well"


def _problems_of_value(step: Instruction) -> Iterator[str]:
    value, unit = step.value, step.unit
    if isinstance(value, Profile):
        times = value.times
        points = enumerate(zip(times, value.values, strict=True), 1)
        wrong = next((p for p in points if not all(map(math.isfinite, p[1]))), None)
        pairs = enumerate(itertools.pairwise(times), 2)
        back = next(((n, a, b) for n, (a, b) in pairs if b <= a), None)
        if wrong:
            yield (
                f"point {wrong[0]} of its profile is {wrong[1][0]:g} s, {wrong[1][1]:g} {unit}: "
                "finite numbers are needed"
            )
        elif times[0] != 0:
            yield f"the times of its profile begin with {times[0]:g} s: they must begin with 0"
        elif back:
            yield (
                f"point {back[0]} of its profile is at {back[2]:g} s, after one at {back[1]:g} s: "
                "times must rise from point to point"
            )
        elif step.duration is None or step.duration > times[-1]:
            lasts = "no duration" if step.duration is None else f"{step.duration:g} s"
            yield f"its profile has {times[-1]:g} s and it {lasts}: repeat the step instead"
    elif not isinstance(value, str):
        if not math.isfinite(value):
            yield f"it imposes {value} {unit}: a finite number is needed"
        elif value == 0 and unit in ("C", "W", "Ohm"):
            yield f"it imposes 0 {unit}: write Rest for no current"
        elif abs(value) > 1e9 or (unit != "V" and 0 < abs(value) < 1e-15):
            yield f"it imposes {value:g} {unit}: no cell takes that"


def _problems_of_end(step: Instruction, end: Limit) -> Iterator[str]:
    kind, unit = step.direction, end.unit
    if not math.isfinite(end.value):
        yield f'its end "{end}" is not a finite number'
        return
    if unit in ("cut-off", *CAPACITIES) and end.operator:
        yield f'its end "{end}" has an operator: it needs none'
    if unit in CAPACITIES and not 0 < end.value <= 1e12:
        yield f'its end "{end}" must be above 0'
    if unit == "cut-off" and kind not in ("charge", "discharge"):
        yield f"a {kind} has no cut-off of its own to end at: give the voltage or current"
    if unit == "V" and kind == "hold":
        yield f'it holds the voltage, so that its end "{end}" says nothing'
    if unit == "V" and kind in ("rest", "profile") and not end.operator:
        yield (
            f'its end "{end}" has no direction in a {kind}, and PyBaMM would not see it: write '
            f'"> {written(end.value)} V" or "< {written(end.value)} V"'
        )
    if unit == "C" and end.operator:
        yield f'its end "{end}" is a C-rate with an operator, which PyBaMM does not see'
    if unit in ("A", "C"):
        if kind == "rest" or (step.unit in ("A", "C") and kind != "profile"):
            yield f'its current is given, so that its end "{end}" says nothing'
        if not end.operator and end.value <= 0:
            yield f'its end "{end}" must be above 0: it is the size of the current'
    if unit in CAPACITIES and kind == "rest":
        yield f'no charge passes in a rest, so that its end "{end}" says nothing'
