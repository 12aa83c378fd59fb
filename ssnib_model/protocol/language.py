"""Steps of a test from text, PyBaMM's steps, arrays and files.

The language is PyBaMM's, and PyBaMM reads it (`pybamm.step.string`). What is added here, because
tests of cells say it and PyBaMM's language does not: several ends ("until 2.5 V or C/50"), ends
by capacity and by the cell's own cut-off, a temperature and tags in brackets as PyBaMM's period
is, and profiles of the current.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
import re
from pathlib import Path
from typing import Any

import numpy as np
import pybamm

from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.protocol.instruction import HELD, Instruction, Limit
from ssnib_model.quantity import unit_of
from ssnib_model.steps import Profile
from ssnib_model.tables import MAX_POINTS, listed, read_csv
from ssnib_model.units import convert
from ssnib_model.words import short

#: Characters of a step, other than one with a profile, and of a profile.
MAX_TEXT, MAX_PROFILE_TEXT = 1000, 1_000_000

_UNITS: dict[type, str] = {
    pybamm.step.Current: "A",
    pybamm.step.Rest: "A",
    pybamm.step.CRate: "C",
    pybamm.step.Voltage: "V",
    pybamm.step.Power: "W",
    pybamm.step.Resistance: "Ohm",
}
_END_UNITS: dict[type, str] = {
    pybamm.step.VoltageTermination: "V",
    pybamm.step.CurrentTermination: "A",
    pybamm.step.CRateTermination: "C",
}
#: What PyBaMM raises for text that it cannot read.
_UNREADABLE = (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, OverflowError)

#: In what Python says, and PyBaMM passes on, where a text has a number or a part too few.
_PYTHONS = ("could not convert", "not enough values", "too many values", "index out of range")

_SUFFIX = re.compile(r"(.*\S)\s*\(([^()]*)\)")
_RUN = re.compile(r"Run (\[[^\]]*\]|.+?) \(([^()]*)\)( .*)?")
_HELD = re.compile(rf"Hold at ({'|'.join(HELD)})(?= |$)")
_CAPACITY = re.compile(r"([-+.0-9eE]+) ?([A-Za-z].*)")
_OF_NOMINAL = re.compile(r"([-+.0-9eE]+) ?% capacity")

EXAMPLE = '"Discharge at C/5 for 10 hours or until 2.5 V" for example'


def instruction(step: Any, folder: Path = Path()) -> Instruction:
    """A step as an `Instruction`.

    Parameters
    ----------
    step : str, pybamm.step.BaseStep, numpy.ndarray or Instruction
        An array is a current profile: time [s] and current [A], positive on discharge.
    folder : Path, optional
        Where the files of profiles are.

    Raises
    ------
    OptionError
        If it is no step, or one that is not supported; why in one sentence.
    """
    if isinstance(step, Instruction):
        return step
    if isinstance(step, str):
        return from_text(step, folder)
    if isinstance(step, pybamm.step.BaseStep):
        return from_pybamm(step)
    if isinstance(step, np.ndarray):
        profile = _profile(step)
        return Instruction(profile, "A", profile.times[-1])
    raise OptionError(
        f"{short(step)} is a {type(step).__name__}: a step is text, {EXAMPLE}, a step of "
        "pybamm.step, or an array of times and currents"
    )


# ---------------------------------------------------------------- text
def from_text(text: str, folder: Path = Path()) -> Instruction:
    """A step of text; see `instruction`."""
    given = " ".join(text.split())
    if len(given) > (MAX_PROFILE_TEXT if given.startswith("Run ") else MAX_TEXT):
        raise OptionError(f"{short(given)} has {len(given)} characters: at most {MAX_TEXT}")
    try:
        found = _read(given, folder)
    except OptionError as error:
        raise OptionError(f'"{given if len(given) < 100 else given[:97] + "..."}": {error}') from (
            error.__cause__ or error
        )
    # a profile is written out, so that it no longer needs its file
    return found if isinstance(found.value, Profile) else dataclasses.replace(found, given=given)


@functools.lru_cache(maxsize=256)
def _read_plain(text: str) -> tuple[float | str, str, float | None, tuple[Limit, ...]]:
    """What is imposed with its unit, and duration and ends."""
    body, several, until = text.partition(" until ")
    body = body.removesuffix(" or")
    ends = tuple(map(_end, until.split(" or "))) if several else ()
    held = _HELD.match(body)
    timed = " for " in body
    said = _HELD.sub("Hold at 1 V", body) + ("" if timed else " for 1 second")
    step = _by_pybamm(said, text)
    unit, value = _UNITS[type(step)], step.value
    imposed = body.split(" for ")[0]
    if isinstance(step, pybamm.step.Rest) and imposed != "Rest":
        raise OptionError(f'PyBaMM would not see what stands after "Rest" in "{imposed}"')
    if (unit == "V") != imposed.startswith("Hold "):
        raise OptionError(
            'a voltage is held, "Hold at 4 V"; anything else is a charge or a discharge, "Charge '
            'at 0.1 A"'
        )
    if not isinstance(step, pybamm.step.Rest) and unit != "V":
        if value == 0:
            raise OptionError("its size is 0: write Rest for no current")
        if (value > 0) != imposed.startswith("Discharge"):
            raise OptionError(f'"{imposed}" would be the opposite: write it without the minus')
    return (held[1] if held else value), unit, (step.duration if timed else None), ends


def _read(text: str, folder: Path) -> Instruction:
    body, others = _suffixes(text)
    run = _RUN.fullmatch(body)
    if body.startswith("Run ") and not run:
        raise OptionError('a profile is "Run FILE.csv (A)" or "Run [0 0.1; 10 0.2] (A)", or in C')
    if not run:
        value, unit, duration, ends = _read_plain(body)
        return Instruction(value, unit, duration, ends, **others)
    source, unit, rest = run[1], run[2], run[3] or ""
    if unit not in ("A", "C"):
        raise OptionError(f'its unit is "{unit}": a profile is of the current, in A or C')
    profile = _inline(source) if source.startswith("[") else _file(folder / source, unit)
    duration, ends = profile.times[-1], ()
    if rest:
        _, _, given, ends = _read_plain("Discharge at 1 A" + rest)
        duration = duration if given is None else given
    return Instruction(profile, unit, duration, ends, **others)


def _suffixes(text: str) -> tuple[str, dict[str, Any]]:
    """The text without what stands in brackets at its end, and that."""
    found: dict[str, Any] = {}
    while match := _SUFFIX.fullmatch(text):
        body, inside = match[1], match[2].strip()
        if inside in ("A", "C") and body.startswith("Run "):
            break
        value: float | tuple[str, ...]
        if inside.startswith("tags:"):
            name, value = "tags", tuple(t.strip() for t in inside[5:].split(","))
        elif inside.endswith(" period"):
            name, value = "period", _asked("period", inside.removesuffix(" period"))
        elif inside.endswith(("oC", "K")):
            name, value = "temperature", _asked("temperature", inside)
        else:
            raise OptionError(
                f'"({inside})" is not known: "(60 oC)", "(333.15 K)", "(1 minute period)" and '
                '"(tags: pulse)" are'
            )
        if name in found:
            raise OptionError(f"it has two: {name} can be given once")
        found[name], text = value, body
    return text, found


def _asked(name: str, text: str) -> float:
    """A number with its unit, which PyBaMM reads where it is an argument of a step."""
    try:
        return float(getattr(pybamm.step.rest(1, **{name: text}), name))
    except _UNREADABLE as error:
        raise OptionError(f'the {name} "{text}" is not understood') from error


def _by_pybamm(said: str, text: str) -> pybamm.step.BaseStep:
    try:
        return pybamm.step.string(said)
    except _UNREADABLE as error:
        words = " ".join(str(error).split()).split(" For example:")[0].rstrip(".:")
        # of Python's own words a user has nothing
        if any(own in words for own in _PYTHONS) or not words:
            words = f"a step is {EXAMPLE}"
        raise OptionError(f'PyBaMM does not understand "{text}" ({words[:200]})') from error


def _end(text: str) -> Limit:
    """An end of text; PyBaMM reads those that it knows."""
    text = text.strip()
    if text == "cut-off":
        return Limit(0.0, "cut-off")
    try:
        if share := _OF_NOMINAL.fullmatch(text):
            return Limit(float(share[1]), "capacity")
        if (charge := _CAPACITY.fullmatch(text)) and "h" in charge[2] and charge[2] != "Ohm":
            return _capacity(float(charge[1]), charge[2])
    except ValueError as error:
        raise OptionError(f'its end "{text}" is not understood: {error}') from error
    try:
        (end,) = pybamm.step.string(f"Discharge at 1 A until {text}").termination
        return _limit(end)
    except _UNREADABLE as error:
        if isinstance(error, OptionError):
            raise
        raise OptionError(
            f'its end "{text}" is not understood: "2.5 V", "C/50", "0.1 mA", "0.3 mA.h", '
            '"50 mA.h.g-1", "10% capacity" and "cut-off" are'
        ) from error


def _capacity(value: float, unit: str) -> Limit:
    try:
        return Limit(convert(value, unit, "A.h"), "A.h")
    except ValueError:
        return Limit(convert(value, unit, "A.h.kg-1"), "A.h.kg-1")


# ---------------------------------------------------------------- PyBaMM's objects
def from_pybamm(step: pybamm.step.BaseStep) -> Instruction:
    """A step of `pybamm.step`; see `instruction`."""
    name = type(step).__name__
    if type(step) not in _UNITS:
        raise OptionError(
            f"a {name} is not supported: {', '.join(sorted(c.__name__ for c in _UNITS))} are"
        )
    unit, value = _UNITS[type(step)], step.input_value
    if step.start_time is not None:
        raise OptionError(f"a {name} with start_time is not supported: rest until then instead")
    if not step.skip_ok:
        raise OptionError(
            f"a {name} with skip_ok=False is not supported: a step that cannot start is an answer"
        )
    duration = None if step.uses_default_duration else float(step.duration)
    profile = None
    if isinstance(value, np.ndarray):
        if unit not in ("A", "C"):
            raise OptionError(
                f"a {name} of an array is not supported: only current and C-rate are"
            )
        profile = _profile(value)
    elif type(value) is bool or not isinstance(value, numbers.Real):
        what = "a Python function" if callable(value) else short(value)
        raise OptionError(f"a {name} of {what} is not supported: a number is needed, or an array")
    found = Instruction(
        float(value) + 0.0 if profile is None else profile,  # no minus zero
        unit,
        duration,
        tuple(map(_limit, step.termination)),
        None if step.temperature is None else float(step.temperature),
        None if step.period is None else float(step.period),
        tuple(step.tags),
    )
    return _as_described(found, step.description)


def _as_described(found: Instruction, description: str | None) -> Instruction:
    """With the text that it was made from, if it was and nothing was said beside it."""
    try:
        described = from_text(description or "")
    except OptionError:
        return found
    return described if described == found else found


def _limit(end: pybamm.step.BaseTermination) -> Limit:
    if type(end) not in _END_UNITS:
        raise OptionError(
            f"an end by {type(end).__name__} is not supported: by voltage, current, C-rate, "
            "capacity and time are"
        )
    return Limit(float(end.value) + 0.0, _END_UNITS[type(end)], end.operator or "")


# ---------------------------------------------------------------- profiles
def _profile(array: Any) -> Profile:
    points = np.asarray(array)
    if points.ndim != 2 or points.shape[1] != 2 or not 2 <= len(points) <= MAX_POINTS:
        raise OptionError(
            f"its profile has the shape {points.shape}: two columns, time [s] and current, and 2 "
            f"to {MAX_POINTS} rows are needed"
        )
    if points.dtype.kind not in "iuf":
        raise OptionError(f"its profile is of {points.dtype}: numbers are needed")
    times, values = (points.astype(float) + 0.0).T.tolist()
    return Profile(tuple(times), tuple(values))


def _inline(text: str) -> Profile:
    try:
        points = [[float(n) for n in point.split()] for point in text[1:-1].split(";")]
        return _profile(np.array(points, dtype=float))
    except ValueError as error:
        if isinstance(error, OptionError):
            raise
        raise OptionError(
            f'its profile {short(text)} is not of the form "[0 0.1; 10 0.2]": pairs of time [s] '
            "and current with ; between them"
        ) from error


def _file(path: Path, unit: str) -> Profile:
    """A profile of a CSV file with the columns "Time [s]" and "Current [A]", or "C-rate"."""
    try:
        table = read_csv(path)
        columns = []
        for name, target in (("Time", "s"), ("Current", "A") if unit == "A" else ("C-rate", "1")):
            named = [c for c in table.columns if str(c).split(" [")[0] == name]
            if len(named) != 1 or (target != "1" and "[" not in named[0]):
                raise OptionError(
                    f'{path}: has the columns {listed(table.columns)}: one "Time [s]" and one '
                    f'"{"Current [A]" if unit == "A" else "C-rate"}" are needed'
                )
            factor = 1.0 if target == "1" else convert(1.0, unit_of(named[0]), target)
            columns.append(table[named[0]].to_numpy(dtype=float) * factor)
        return _profile(np.column_stack(columns))
    except (MeasuredDataError, OptionError) as error:
        raise OptionError(str(error)) from error
    except (ValueError, TypeError) as error:
        raise OptionError(f"{path}: is not a table of times and currents ({error})") from error
