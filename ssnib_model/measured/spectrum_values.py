"""From the table of an instrument to spectra: numbers in SI, one sweep each, one sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ssnib_model.measured import spectrum_checks as checks
from ssnib_model.measured import spectrum_columns as columns
from ssnib_model.measured.spectrum_columns import FREQUENCY, IMAGINARY, REAL, Named
from ssnib_model.measured.spectrum_formats import Block
from ssnib_model.measured.text import Source, decimal_of, numbers
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
class FoundSpectrum:
    """A spectrum, its lines in the file, and what there is to say about it."""

    frame: pd.DataFrame
    lines: np.ndarray
    problems: list[str]


def spectra_of(
    source: Source, block: Block, electrode: str, area: float | None, negate: bool | None
) -> list[FoundSpectrum]:
    """The spectra of a block, in order.

    Parameters
    ----------
    source : Source
        The file.
    block : Block
        A table of it.
    electrode, area, negate
        As for `ssnib_model.measured.spectra.read_spectrum`.

    Raises
    ------
    MeasuredDataError
        If a value that is needed is no number, or a spectrum has too few.
    """
    # a name without cells under it names nothing
    raw = block.raw.loc[:, (block.raw != "").any()]
    chosen, said = columns.choose(source, list(raw.columns), electrode)
    problems = [*block.problems, *said]
    bare = [n for q in (FREQUENCY, REAL) for n, named in chosen[q] if not named.unit]
    if bare:
        problems.append(f"columns without a unit are taken as in SI, {bare} among them")
    read = {
        quantity: chosen[quantity][0]
        for quantity in (FREQUENCY, REAL, IMAGINARY, columns.MODULUS, *BESIDE)
        if quantity in chosen
    }
    decimal = decimal_of(source, raw[[name for name, _ in read.values()]], block.separator)
    frequencies = _values(source, raw, FREQUENCY, *read[FREQUENCY], decimal, area)
    _check_rows(source, raw, frequencies < 0, read[FREQUENCY][0], "not be negative")
    there = np.nan_to_num(frequencies) > 0
    if 0 < there.sum() < len(raw):
        problems.append(
            f"{int((~there).sum())} of {len(raw)} rows have no frequency (cycling or rest beside "
            "the impedance) and belong to no spectrum"
        )
    raw = raw[there]
    if raw.empty:
        return []
    values = {
        quantity: _values(source, raw, quantity, name, named, decimal, area)
        for quantity, (name, named) in read.items()
    }
    for quantity in (REAL, IMAGINARY):
        empty = np.isnan(values[quantity])
        _check_rows(source, raw, empty, read[quantity][0], "be a finite number, not empty")
        large = np.abs(values[quantity]) > LARGEST
        _check_rows(source, raw, large, read[quantity][0], f"be at most {LARGEST:g}")
    labels = [raw[name].to_numpy() for name, _ in chosen.get(columns.GROUP, [])]
    parts = _parts(values[FREQUENCY], np.flatnonzero(there), labels)
    for rows in parts:
        if len(rows) < LEAST:
            raise source.error(
                f"a spectrum of {len(rows)} row(s) begins here: at least {LEAST} frequencies are "
                "needed",
                int(raw.index[rows[0]]),
            )
    z = values[REAL] * _sign(read[REAL]) + 1j * values[IMAGINARY] * _sign(read[IMAGINARY])
    z, said = _with_sign_of_physics(values[FREQUENCY], z, parts, read[IMAGINARY][1], negate)
    values |= {REAL: z.real, IMAGINARY: z.imag}
    return [_one(values, raw.index.to_numpy(), rows, [*problems, *said]) for rows in parts]


def _sign(column: tuple[str, Named]) -> int:
    return -1 if column[1].negative else 1


def _check_rows(source: Source, raw: pd.DataFrame, bad: np.ndarray, name: str, must: str) -> None:
    for row in np.flatnonzero(bad)[:1]:
        raise source.error(
            f"column '{name[:60]}' is {raw[name].iloc[row][:60]!r}: it must {must}",
            int(raw.index[row]),
        )


def _values(
    source: Source,
    raw: pd.DataFrame,
    quantity: str,
    name: str,
    named: Named,
    decimal: str,
    area: float | None,
) -> np.ndarray:
    """A column in the unit of its quantity; NaN where a cell is empty."""
    found = numbers(source, raw[name], decimal)
    unit, target = named.unit, unit_of(quantity)
    if not unit:
        return found
    try:
        if target == "Ohm" and _is_area_specific(unit):
            if area is None:
                raise ValueError(
                    f'"{unit}" is area-specific: the area [m2] must be given (area=...)'
                )
            return found * convert(1.0, unit, "Ohm.m2") / area
        # a temperature has an offset, too
        zero, one = convert(0.0, unit, target), convert(1.0, unit, target)
        return found * (one - zero) + zero
    except ValueError as error:
        raise source.error(f"column '{name[:60]}': {error}") from error


def _is_area_specific(unit: str) -> bool:
    try:
        convert(1.0, unit, "Ohm.m2")
    except ValueError:
        return False
    return True


def _parts(
    frequencies: np.ndarray, places: np.ndarray, labels: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Rows of each spectrum: without a break in the file, of one cycle, and one sweep.

    Parameters
    ----------
    frequencies : numpy.ndarray
        [Hz], positive, shape (n,).
    places : numpy.ndarray
        Their rows in the table.
    labels : sequence of numpy.ndarray
        Columns that tell spectra apart.
    """
    logs = np.log(frequencies)
    steps = np.diff(logs)
    # a sweep goes one way; where it goes back by half its range, another one begins
    way = np.sign(np.median(steps)) if steps.size else 0.0
    new = -way * steps > STARTS_ANEW * max(np.ptp(logs), 1e-9)
    new |= np.diff(places) > 1
    for label in labels:
        new |= label[1:] != label[:-1]
    return np.split(np.arange(len(frequencies)), np.flatnonzero(new) + 1)


def _with_sign_of_physics(
    frequencies: np.ndarray,
    z: np.ndarray,
    parts: Sequence[np.ndarray],
    named: Named,
    negate: bool | None,
) -> tuple[np.ndarray, list[str]]:
    """The impedance of a table with the sign of physics, and how that was found."""
    if negate is not None:
        return (z if negate == named.negative else z.conj()), []
    # a file has one sign: its spectra decide together
    votes = sum(checks.sign_by_physics(frequencies[rows], z[rows]) for rows in parts)
    if votes < 0:
        return z.conj(), [
            "the imaginary part has the other sign than its name says: the modulus falls with "
            "frequency, which goes with a negative phase (Kramers-Kronig). Its sign is turned; "
            f"negate={named.negative} keeps it"
        ]
    if votes == 0:
        return z, [
            "the sign of the imaginary part is as its name says: the modulus changes too little, "
            "or too irregularly, to tell"
        ]
    return z, []


def _one(
    values: dict[str, np.ndarray], lines: np.ndarray, rows: np.ndarray, problems: list[str]
) -> FoundSpectrum:
    """A spectrum of some rows, with what there is to say about it."""
    part = {quantity: found[rows] for quantity, found in values.items()}
    z = part[REAL] + 1j * part[IMAGINARY]
    if columns.MODULUS in part:
        bad = checks.differs(np.abs(part[columns.MODULUS]), np.abs(z))
        if bad.size:
            problems.append(
                f"the file's own modulus differs from its real and imaginary part at {bad.size} "
                f"of {len(z)} frequencies, first at line {lines[rows][bad[0]]}"
            )
    problems += checks.suspicious(part[FREQUENCY], z, lines[rows])
    kept = (FREQUENCY, REAL, IMAGINARY, *(q for q in BESIDE if q in part))
    frame = pd.DataFrame({quantity: part[quantity] for quantity in kept})
    if columns.TEMPERATURE in frame:
        low, high = TEMPERATURES
        if not frame[columns.TEMPERATURE].between(low, high).all():
            del frame[columns.TEMPERATURE]
    return FoundSpectrum(frame, lines[rows], problems)
