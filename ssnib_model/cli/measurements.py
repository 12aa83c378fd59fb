"""Files of measurements on the command line, each with what it does not say itself."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ssnib_model.cli.arguments import in_unit_of, kelvin, quantity
from ssnib_model.errors import OptionError


def _number(text: str) -> float:
    number, unit = quantity(text)
    if unit == "%":
        return number / 100
    if unit:
        raise argparse.ArgumentTypeError(f"{text!r} has a unit where none is needed")
    return number


def _state(text: str) -> float | str:
    """A state of charge, or the step of a measurement after which it was reached."""
    return text if re.fullmatch(r"step \d{1,6}", text) else _number(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _hertz(text: str) -> float:
    found = in_unit_of("Frequency [Hz]", quantity(text))
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not finite")
    return found


def _rate(text: str) -> float:
    from ssnib_model.measured.capacity_voltage_formats import rate_of

    try:
        return rate_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _which(text: str) -> int | str:
    """A number, or else a name."""
    return int(text) if re.fullmatch(r"\d{1,6}", text) else text


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


#: Key -> argument of `ssnib_model.fits.spectrum_files.spectrum_from_file`, and how it is read.
_SPECTRUM: dict[str, tuple[str, Callable[[str], Any]]] = {
    "state": ("state", _state),
    "temperature": ("temperature", kelvin),
    "spectrum": ("spectrum", _whole),
    "from": ("lowest", _hertz),
    "to": ("highest", _hertz),
    "sigma": ("relative_sigma", _number),
    "electrode": ("electrode", str),
    "negate": ("negate", _yes),
}
SPECTRUM_KEYS = tuple(_SPECTRUM)


#: The same of `ssnib_model.fits.curve_files.curve_from_file`.
_CURVE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "rate": ("rate", _rate),
    "curve": ("curve", _which),
    "unit": ("unit", str),
    "temperature": ("temperature", kelvin),
}
CURVE_KEYS = tuple(_CURVE)


def curve(text: str) -> tuple[str, dict[str, Any]]:
    """A file and the settings of its curve from ``FILE, rate=0.1, ...``."""
    return _parted(text, _CURVE)


def spectrum(text: str) -> tuple[str, dict[str, Any]]:
    """A file and the settings of its spectrum from ``FILE, state=0.5, ...``."""
    file, given = _parted(text, _SPECTRUM)
    if "state" not in given:
        raise argparse.ArgumentTypeError(
            f'{text!r} has no state of charge: "FILE, state=0.5" is needed, as no file says it'
        )
    return file, given


def _parted(
    text: str, keys: Mapping[str, tuple[str, Callable[[str], Any]]]
) -> tuple[str, dict[str, Any]]:
    # a file may have commas in its name, and a key has an equals sign
    file, *parts = re.split(r"\s*,\s*(?=[a-z]+\s*=)", text.strip())
    given: dict[str, Any] = {}
    for part in parts:
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in keys:
            raise argparse.ArgumentTypeError(f"{text!r}: {key!r} is none of {list(keys)}")
        name, read = keys[key]
        if name in given:
            raise argparse.ArgumentTypeError(f"{text!r}: {key} is given twice")
        try:
            given[name] = read(value)
        except (argparse.ArgumentTypeError, OptionError) as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {key}: {error}") from error
    if not file:
        raise argparse.ArgumentTypeError(f"{text!r} names no file")
    return file, given
