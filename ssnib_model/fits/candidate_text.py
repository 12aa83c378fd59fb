"""Candidates as text: "rates 0.2 0.5 1, temperature=60 degC"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.fits.candidates import NOISE, Candidate, Spectrum
from ssnib_model.fits.data import TEMPERATURE
from ssnib_model.protocol.builders import experiment
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.quantity import unit_of
from ssnib_model.units import convert
from ssnib_model.words import short, suggestion

#: The first word of a candidate, and what may follow it.
KINDS = {
    "rates": 'capacities and gaps of a rate test: "rates 0.2 0.5 1"',
    "curves": 'its voltage curves: "curves 0.1 1"',
    "gitt": 'titration: "gitt", "gitt rate=C/20 pulses=20"',
    "pulse": 'resistances by pulses: "pulse", "pulse rate=2 states=5"',
    "spectrum": 'impedance at a state of charge: "spectrum 0.5"',
    "symmetric": 'impedance of a symmetric cell: "symmetric"',
}

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)")
_SETTING = re.compile(r"(\w+)=([^=]+?)(?=\s+\w+=|$)")


def candidate_of(text: str, parameters: ParameterSet) -> Candidate:
    """A candidate from a text.

    Parameters
    ----------
    text : str
        One of `KINDS` with what follows it, and after commas: "temperature=60 degC"; values of
        other parameters in which the cell that is measured differs, "Na3PS4 layer thickness
        [m]=40 um"; and standard deviations, "sigma Voltage [V]=1 mV". Its name is the text.
    parameters : ParameterSet
        The cell.

    Raises
    ------
    OptionError
        If it is none of this.
    """
    head, *rest = (part.strip() for part in text.split(","))
    kind, _, arguments = head.partition(" ")
    if kind.casefold() not in KINDS:
        raise OptionError(
            f"the candidate {short(text)}: its first word must be one of "
            f"{'; '.join(f'{name} ({what})' for name, what in KINDS.items())}"
            f"{suggestion(kind, KINDS)}"
        )
    settings = _measures(text, kind.casefold(), arguments.strip())
    changes: dict[str, float] = {}
    sigma: dict[str, float] = {}
    for part in rest:
        name, equals, value = (piece.strip() for piece in part.rpartition("="))
        if not equals:
            raise OptionError(f"the candidate {short(text)}: {part!r} is not NAME=VALUE")
        to = sigma if name.startswith("sigma ") else changes
        name = TEMPERATURE if name == "temperature" else name.removeprefix("sigma ").strip()
        if name in to:
            raise OptionError(f'the candidate {short(text)}: "{name}" is given twice')
        if to is changes:
            parameters.info(name)  # raises, and suggests a name
        elif name not in NOISE:
            raise OptionError(
                f"the candidate {short(text)}: sigma of {name!r}, which is none of {list(NOISE)}"
            )
        to[name] = _value(text, name, value)
    return Candidate(name=text.strip(), changes=changes, sigma=sigma, **settings)


def _measures(text: str, kind: str, arguments: str) -> Mapping[str, Any]:
    """What is done, as arguments of `Candidate`."""
    if kind in ("gitt", "pulse"):
        given = dict(_SETTING.findall(arguments))
        if _SETTING.sub("", arguments).strip():
            raise OptionError(
                f"the candidate {short(text)}: {kind} is followed by KEY=VALUE, as in "
                f"{KINDS[kind]}"
            )
        return {"measures": experiment(kind, {k: _plain(v) for k, v in given.items()})}
    numbers = [_float(text, part) for part in arguments.split()]
    if kind in ("rates", "curves"):
        return {"measures": RateTest(numbers), "curves": kind == "curves"}
    if kind == "symmetric":
        if numbers:
            raise OptionError(f"the candidate {short(text)}: symmetric is followed by nothing")
        return {"measures": Spectrum(), "options": {"positive electrode": "alloy"}}
    if len(numbers) > 1:
        raise OptionError(f"the candidate {short(text)}: one state of charge is needed")
    return {"measures": Spectrum(numbers[0]) if numbers else Spectrum()}


def _float(text: str, part: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise OptionError(f"the candidate {short(text)}: {part!r} is not a number") from None


def _plain(text: str) -> Any:
    """A number where it is one, as builders of tests take them."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


def _value(text: str, name: str, value: str) -> float:
    """A number in the unit of a name; a temperature without a unit is in degC."""
    match = _NUMBER.fullmatch(value)
    if not match:
        raise OptionError(f'the candidate {short(text)}: "{name}" is {value!r}: no number')
    number, unit = float(match[1]), match[2]
    if name == TEMPERATURE:
        unit = {"": "degC", "C": "degC", "°C": "degC"}.get(unit, unit)
    if not unit:
        return number
    try:
        return convert(number, unit, unit_of(name))
    except ValueError as error:
        raise OptionError(f'the candidate {short(text)}: "{name}": {error}') from error
