"""Spectra from the file of an impedance analyser."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.files import read_bytes
from ssnib_model.measured import spectrum_checks as checks
from ssnib_model.measured import spectrum_columns as columns
from ssnib_model.measured.formats import MAX_CURVES_SIZE
from ssnib_model.measured.spectrum_columns import FREQUENCY, IMAGINARY, REAL, Named
from ssnib_model.measured.spectrum_formats import SPECTRUM_FORMATS, Block, SpectrumFormat
from ssnib_model.quantity import unit_of
from ssnib_model.units import convert

#: Least number of frequencies of a spectrum.
LEAST = 3

#: Part of the range of a sweep (of logarithms) that a frequency goes back where one starts anew.
STARTS_ANEW = 0.5

#: What is kept beside the impedance, where a file has it.
BESIDE = (columns.VOLTAGE, columns.TIME, columns.TEMPERATURE)

#: Lowest and highest temperature that is one [K]: instruments write -327.67 degC for none.
TEMPERATURES = (100.0, 1000.0)

#: No measured value is as large as this.
LARGEST = 1e100


@dataclass
class _Found:
    """A spectrum, its lines in the file, and what there is to say about it."""

    frame: pd.DataFrame
    lines: np.ndarray
    problems: list[str]


def read_spectrum(
    path: str | Path,
    spectrum: int | Literal["all"] | None = None,
    *,
    electrode: str = columns.CELL,
    area: float | None = None,
    negate: bool | None = None,
) -> pd.DataFrame:
    """Read an impedance spectrum from the file of an impedance analyser.

    Understood are EC-Lab and BT-Lab text (PEIS, GEIS), Gamry DTA, ZPlot, Autolab, VersaStudio,
    CH Instruments, and tables as text with names for frequency, real and imaginary part (Parstat,
    Powersuite, NOVA, this package's own ``impedance.csv``) or with just these three columns.

    The sign of the imaginary part is that of physics: negative for a capacitance. Files have it
    either way; it is found by the names, "-Im(Z)" for example, and by how the modulus depends on
    frequency (`ssnib_model.measured.spectrum_checks.sign_by_physics`). Where the two disagree
    physics counts, and ``attrs["problems"]`` says so.

    Parameters
    ----------
    path : str or Path
        The file.
    spectrum : int or "all", optional
        Which one of several in a file, counted from 1 in their order, or "all". It must be given
        where there are several: there is no default.
    electrode : str, optional
        Where there are three electrodes: "cell" (default), "working" or "counter".
    area : float, optional
        Electrode area [m2], for a file that holds the area-specific impedance (Ohm.cm2).
    negate : bool, optional
        Whether the file's imaginary part has the other sign; default: found as above.

    Returns
    -------
    pandas.DataFrame
        "Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]" (negative for a capacitance), in the order
        of the file, and of what it has beside them "Voltage [V]", "Time [s]" and
        "Temperature [K]"; with "all" a column "Spectrum" before them. ``attrs["problems"]`` lists,
        in words, what there is to say; ``attrs["format"]`` is the kind of file and
        ``attrs["spectra"]`` the number of spectra in it.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, is of no kind above, has a cell that is no number, or has
        several spectra of which none is chosen.
    OptionError
        For a choice that is none.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pellet.csv"
    >>> lines = ["f/Hz,Z'/Ohm,-Z''/Ohm", "1e5,100,20", "1e4,120,60", "1e3,180,90"]
    >>> _ = path.write_text("\\n".join(lines))
    >>> read_spectrum(path)["Im(Z) [Ohm]"].tolist()
    [-20.0, -60.0, -90.0]
    """
    path = Path(path)
    _check(spectrum, electrode, area)
    format_, blocks = _blocks(path)
    found = [part for block in blocks for part in _spectra(path, block, electrode, area, negate)]
    if not found:
        raise MeasuredDataError(
            f"{path}: {format_.name}, but no row of it has a frequency above 0: there is no "
            "spectrum in it"
        )
    if spectrum is None and len(found) > 1:
        raise MeasuredDataError(
            f'{path}: holds {len(found)} spectra: say which one by its number, or "all" '
            f"(spectrum=...): {'; '.join(_described(n, part) for n, part in _shown(found))}"
        )
    attrs: dict[Hashable | None, Any] = {"format": format_.name, "spectra": len(found)}
    if spectrum == "all":
        whole = pd.concat(
            [part.frame.assign(Spectrum=n) for n, part in enumerate(found, 1)], ignore_index=True
        )
        whole.insert(0, columns.GROUP, whole.pop(columns.GROUP))
        several = len(found) > 1
        whole.attrs = attrs | {
            "problems": [
                f"spectrum {n}: {p}" if several else p
                for n, part in enumerate(found, 1)
                for p in part.problems
            ]
        }
        return whole
    number = 1 if spectrum is None else spectrum
    if number > len(found):
        raise MeasuredDataError(
            f"{path}: spectrum {number} is asked for, but it holds {len(found)}"
        )
    chosen = found[number - 1]
    chosen.frame.attrs = attrs | {"problems": chosen.problems, "spectrum": number}
    return chosen.frame


def _check(spectrum: object, electrode: str, area: float | None) -> None:
    whole = isinstance(spectrum, int) and not isinstance(spectrum, bool) and spectrum >= 1
    if not (spectrum is None or spectrum == "all" or whole):
        raise OptionError(f'spectrum is {spectrum!r}: a number from 1, or "all", is needed')
    known = (columns.CELL, columns.WORKING, columns.COUNTER)
    if electrode not in known:
        raise OptionError(f"electrode is {electrode!r}: it must be one of {known}")
    if area is not None and not 0 < area < np.inf:
        raise OptionError(f"area is {area!r}: a positive number [m2] is needed")


def _blocks(path: Path) -> tuple[SpectrumFormat, list[Block]]:
    """The kind of a file, and its tables."""
    try:
        data = read_bytes(path, MAX_CURVES_SIZE)
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
    lines = _lines(data)
    for format_ in SPECTRUM_FORMATS:
        if format_.opens(path, lines):
            return format_, format_.blocks(path, lines)
    raise MeasuredDataError(
        f"{path}: is no file of a spectrum that is known. Known are: "
        f"{'; '.join(format_.name for format_ in SPECTRUM_FORMATS)}"
    )


def _lines(data: bytes) -> list[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _shown(found: Sequence[_Found], most: int = 8) -> list[tuple[int, _Found]]:
    return list(enumerate(found, 1))[:most]


def _described(number: int, part: _Found) -> str:
    frequencies = part.frame[FREQUENCY]
    at = ""
    if columns.VOLTAGE in part.frame:
        at = f" at {part.frame[columns.VOLTAGE].median():.4g} V"
    return (
        f"{number}: {len(frequencies)} frequencies from {frequencies.iloc[0]:.4g} to "
        f"{frequencies.iloc[-1]:.4g} Hz{at}, from line {part.lines[0]}"
    )


def _spectra(
    path: Path, block: Block, electrode: str, area: float | None, negate: bool | None
) -> list[_Found]:
    """The spectra of a block."""
    if not block.rows:
        return []
    # names without cells under them name nothing
    chosen, said = columns.choose(path, block.names[: len(block.rows[0])], electrode)
    problems = [*block.problems, *said]
    lines = np.array(block.lines)
    values = {}
    for quantity in (FREQUENCY, REAL, IMAGINARY, columns.MODULUS, columns.PHASE, *BESIDE):
        if quantity in chosen:
            place, named = chosen[quantity][0]
            values[quantity] = _numbers(path, block, place, quantity, named, area)
    bare = [block.names[chosen[q][0][0]] for q in (FREQUENCY, REAL) if not chosen[q][0][1].unit]
    if bare:
        problems.append(f"columns without a unit are taken as in SI, {bare} among them")
    frequencies = values[FREQUENCY]
    negative = np.flatnonzero(frequencies < 0)
    if negative.size:
        raise MeasuredDataError(
            f"{path}: line {lines[negative[0]]}: the frequency is {frequencies[negative[0]]:g}: "
            "it must not be negative"
        )
    without = int((frequencies == 0).sum())
    if 0 < without < len(frequencies):
        problems.append(
            f"{without} rows have no frequency (cycling or rest beside the impedance) and belong "
            "to no spectrum"
        )
    groups = [[row[place] for row in block.rows] for place, _ in chosen.get(columns.GROUP, [])]
    found = []
    for rows in _parts(frequencies, groups):
        if len(rows) < LEAST:
            raise MeasuredDataError(
                f"{path}: the spectrum at line {lines[rows[0]]} has {len(rows)} row(s): at least "
                f"{LEAST} frequencies are needed"
            )
        part = {quantity: numbers[rows] for quantity, numbers in values.items()}
        signs = {q: -1 if chosen[q][0][1].negative else 1 for q in part}
        found.append(_one(part, signs, lines[rows], problems, negate))
    return found


def _numbers(
    path: Path, block: Block, place: int, quantity: str, named: Named, area: float | None
) -> np.ndarray:
    """A column as numbers, in the unit of its quantity."""
    numbers = np.empty(len(block.rows))
    for row, cells in enumerate(block.rows):
        cell = cells[place] if place < len(cells) else ""
        try:
            numbers[row] = number(cell)
        except ValueError as error:
            raise MeasuredDataError(
                f"{path}: line {block.lines[row]}, column '{block.names[place][:60]}' is "
                f"{cell[:60]!r}: a finite number was expected"
            ) from error
    unit, target = named.unit, unit_of(quantity)
    if not unit:
        return numbers
    try:
        if quantity == columns.TEMPERATURE:
            return np.array([convert(value, unit, target) for value in numbers])
        if target == "Ohm" and _is_area_specific(unit):
            if area is None:
                raise ValueError(
                    f'"{unit}" is area-specific: the area [m2] must be given (area=...)'
                )
            return numbers * convert(1.0, unit, "Ohm.m2") / area
        return numbers * convert(1.0, unit, target)
    except ValueError as error:
        raise MeasuredDataError(f"{path}: column '{block.names[place][:60]}': {error}") from error


def _is_area_specific(unit: str) -> bool:
    try:
        convert(1.0, unit, "Ohm.m2")
    except ValueError:
        return False
    return True


def _parts(frequencies: np.ndarray, groups: list[list[str]]) -> list[np.ndarray]:
    """Rows of each spectrum: without a break, of one cycle, and one sweep."""
    there = np.flatnonzero(frequencies > 0)
    if not there.size:
        return []
    logs = np.log(frequencies[there])
    steps = np.diff(logs)
    # a sweep goes one way; where it goes back by half its range, another one begins
    way = np.sign(np.median(steps)) if steps.size else 0.0
    anew = -way * steps > STARTS_ANEW * (logs.max() - logs.min()) if way else steps > np.inf
    new = (np.diff(there) > 1) | anew
    for group in groups:
        labels = np.array(group)[there]
        new |= labels[1:] != labels[:-1]
    return np.split(there, np.flatnonzero(new) + 1)


def _one(
    part: dict[str, np.ndarray],
    signs: dict[str, int],
    lines: np.ndarray,
    problems: list[str],
    negate: bool | None,
) -> _Found:
    """A spectrum from its columns, with the sign of physics."""
    frequencies = part[FREQUENCY]
    z = signs[REAL] * part[REAL] + 1j * signs[IMAGINARY] * part[IMAGINARY]
    problems = list(problems)
    if negate is not None:
        z = part[REAL] + (-1j if negate else 1j) * part[IMAGINARY]
    else:
        sign = checks.sign_by_physics(frequencies, z)
        if sign < 0:
            problems.append(
                "the sign of the imaginary part is not as its name says: the modulus falls "
                "with frequency where the phase were positive, so the sign is turned "
                f"(negate={signs[IMAGINARY] > 0} or {signs[IMAGINARY] < 0} sets it)"
            )
            z = z.conj()
        elif sign == 0:
            problems.append(
                "the sign of the imaginary part is as its name says; the modulus changes too "
                "little, or too irregularly, to tell"
            )
    if columns.MODULUS in part:
        bad = checks.differs(np.abs(part[columns.MODULUS]), np.abs(z))
        if bad.size:
            problems.append(
                f"the file's own modulus differs from its real and imaginary part at {bad.size} "
                f"frequencies, first at line {lines[bad[0]]}"
            )
    problems += checks.suspicious(frequencies, z, lines)
    frame = pd.DataFrame({FREQUENCY: frequencies, REAL: z.real, IMAGINARY: z.imag})
    for quantity in BESIDE:
        if quantity in part:
            frame[quantity] = part[quantity]
    if columns.TEMPERATURE in frame:
        low, high = TEMPERATURES
        if not frame[columns.TEMPERATURE].between(low, high).all():
            del frame[columns.TEMPERATURE]
    return _Found(frame, lines, problems)


def number(text: str) -> float:
    """A finite number, with a decimal point or comma."""
    found = float(text.replace(",", "."))
    if not np.isfinite(found) or abs(found) > LARGEST:
        raise ValueError(text)
    return found
