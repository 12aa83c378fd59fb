"""From a file to curves: its format, its columns in SI, one sign, one count of capacity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes
from ssnib_model.measured import checks, signs, times
from ssnib_model.measured.capacity import counted
from ssnib_model.measured.columns import (
    CHARGED,
    CURRENT,
    CYCLE,
    DATE,
    DISCHARGED,
    STEP,
    STEP_TIME,
    TEMPERATURE,
    TIME,
    VOLTAGE,
    Column,
    Reader,
    find_columns,
    plain,
)
from ssnib_model.measured.formats import FORMATS, Format
from ssnib_model.measured.text import MAX_SIZE, Source
from ssnib_model.tables import listed

#: What `columns` and `units` of `read_curves` may name.
_GIVEN = (TIME, CURRENT, VOLTAGE, TEMPERATURE, STEP, CYCLE, CHARGED, DISCHARGED)


def read_curves(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str | float] | None = None,
) -> pd.DataFrame:
    """Read time, current and voltage from the file of a cycler.

    The formats are listed in "Measured files" of the documentation; which one a file has is found
    from the file. What is not understood is an error; what is doubtful is said.

    Parameters
    ----------
    path : str or Path
        The file.
    columns : mapping of str to str, optional
        Columns to take instead of those that are found: quantity -> name in the file, such as
        ``{"Voltage [V]": "Ewe/V"}``.
    units : mapping of str to (str or float), optional
        Units instead of those in the names: quantity -> unit, such as ``{"Current [A]": "mA"}``,
        or the number that makes it the unit of the quantity.

    Returns
    -------
    pandas.DataFrame
        "Time [s]", "Current [A]" (positive on discharge), "Voltage [V]", in the order of the
        file, and where the file has them "Step", "Cycle", "Temperature [K]",
        "Charge capacity [A.h]" and "Discharge capacity [A.h]". The capacities are the cycler's
        own count, from the start of the file on: they never fall. The index "Line" has the lines
        of the file.

        ``attrs["problems"]`` lists, in sentences, what is doubtful; nothing is dropped.
        ``attrs["format"]`` is the name of the format.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, lacks one of the three, has values that are no numbers, or
        holds data that cannot be right: the message says where, and what to do.
    """
    path = Path(path)
    try:
        source = Source(path, read_bytes(path, MAX_SIZE))
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
    form = next(f for f in FORMATS if f.opens(source))
    return _curves(source, form, columns or {}, units or {})


def _curves(
    source: Source, form: Format, columns: Mapping[str, str], units: Mapping[str, str | float]
) -> pd.DataFrame:
    table = form.table(source)
    if len(table.raw) < 2:
        raise source.error(f"has {len(table.raw)} row(s): at least two rows are needed")
    found = find_columns(table.raw.columns, form.names)
    _choose(source, table.raw, found, columns, units)
    reader = Reader(source, table, found)
    reader.first(TIME if TIME in found or not {STEP_TIME, DATE} & set(found) else CURRENT)
    frame = pd.DataFrame(index=table.raw.index)
    frame[CURRENT], frame[VOLTAGE] = reader.needed(CURRENT), _voltage(reader, VOLTAGE in columns)
    for quantity in (STEP, CYCLE):
        labels = reader.labels(quantity)
        if labels is not None:
            frame[quantity] = labels
    frame.insert(0, TIME, _time(reader, frame))
    temperature = reader.optional(TEMPERATURE)
    if temperature is not None:
        frame[TEMPERATURE] = temperature
    states = signs.states(reader)
    signs.turn(reader, frame, states, form.discharge_is_positive, found[CURRENT][0].name)
    for quantity, values in counted(reader, frame).items():
        frame[quantity] = values
    frame.attrs["format"] = form.name
    frame.attrs["problems"] = reader.remarks
    frame.attrs["problems"] = [*reader.remarks, *checks.check(source, frame)]
    return frame


def _choose(
    source: Source,
    raw: pd.DataFrame,
    found: dict[str, list[Column]],
    columns: Mapping[str, str],
    units: Mapping[str, str | float],
) -> None:
    """What the user said about columns and units, in place."""
    for name, given in (*columns.items(), *units.items()):
        if name not in _GIVEN:
            raise source.error(f"'{name}' ({given}) is none of {list(_GIVEN)}")
    for quantity, name in columns.items():
        if name not in raw.columns:
            raise source.error(
                f"there is no column '{name}' for {quantity}; the columns are "
                f"{listed(raw.columns)}"
            )
        known = next((c for c in find_columns([name]).get(quantity, [])), None)
        found[quantity] = [known or Column(name, quantity.split("[")[-1].rstrip("]"), False)]
    for quantity, unit in units.items():
        if quantity not in found:
            raise source.error(f"no column for {quantity}, to be in {unit}")
        found[quantity] = [Column(found[quantity][0].name, str(unit))]


def _voltage(reader: Reader, given: bool) -> np.ndarray:
    """The voltage of the cell, and which one it is if the file has several."""
    column = reader.first(VOLTAGE)
    voltage = reader.needed(VOLTAGE)
    names = {plain(n).strip("<>"): n for n in reader.table.raw.columns}
    chosen = plain(column.name).strip("<>")
    if {"ewe", "ece"} <= set(names):
        electrode = {
            key: reader.values(Column(names[key], "V"), VOLTAGE) for key in ("ewe", "ece")
        }
        if chosen == "ewe" and not given:
            voltage, column = electrode["ewe"] - electrode["ece"], Column("Ewe - Ece", "V")
        low, high = np.nanmin(electrode["ewe"]), np.nanmax(electrode["ewe"])
        reader.remarks.append(
            f"three electrodes: the voltage is '{column.name}', {voltage.min():.3f} to "
            f"{voltage.max():.3f} V; '{names['ewe']}' runs from {low:.3f} to {high:.3f} V"
        )
    return voltage


def _time(reader: Reader, frame: pd.DataFrame) -> np.ndarray:
    """Seconds of a file: its test time, that of its steps one after the other, or its dates."""
    for quantity in (TIME, STEP_TIME):
        for column in reader.columns.get(quantity, []):
            kind = times.looks_like(reader.table.raw[column.name])
            if kind == "date":
                return _from_dates(reader, column)
            if kind == "":
                continue
            seconds = reader.values(column, quantity)
            empty = np.flatnonzero(~np.isfinite(seconds))
            if empty.size:
                line = int(frame.index[empty[0]])
                raise reader.source.error(
                    f"column '{column.name}' is empty: a time is needed", line
                )
            if quantity == STEP_TIME or _restarts(seconds, frame):
                seconds = _one_after_the_other(reader, column, seconds)
            if not column.said and kind == "number":
                seconds = seconds * _unit_by_dates(reader, column, seconds)
            return seconds
    if DATE in reader.columns:
        return _from_dates(reader, reader.columns[DATE][0])
    column = reader.first(TIME)
    # its first cell is nothing like a time: the message says so
    return reader.values(column, TIME)


def _dates(reader: Reader, column: Column) -> np.ndarray | None:
    """Seconds since the first date; None if the column has none."""
    raw = reader.table.raw[column.name]
    if times.looks_like(raw) == "date":
        seconds, remark = times.dates(reader.source, raw)
        if remark:
            reader.remarks.append(f"column '{column.name}': {remark}")
        return seconds
    if times.looks_like(raw) == "number":
        values = pd.to_numeric(raw, errors="coerce").to_numpy(float)
        if np.isfinite(values).all():
            # days since 1900 as a spreadsheet counts, or seconds since 1970
            first = values[0]
            factor = 86400.0 if 2e4 < first < 8e4 else 1.0 if 5e8 < first < 5e9 else 0.0
            return (values - first) * factor if factor else None
    return None


def _from_dates(reader: Reader, column: Column) -> np.ndarray:
    seconds = _dates(reader, column)
    if seconds is None:
        raise reader.source.error(f"column '{column.name}' holds no times that are understood")
    reader.remarks.append(f"time is counted from the dates in column '{column.name}'")
    return seconds


def _restarts(seconds: np.ndarray, frame: pd.DataFrame) -> bool:
    """Whether a time begins anew with each step: then it is not that of the test."""
    falls = np.flatnonzero(np.diff(seconds) < 0) + 1
    if not falls.size:
        return False
    labels = [frame[q].to_numpy() for q in (STEP, CYCLE) if q in frame]
    changes = np.zeros(len(seconds), dtype=bool)
    for label in labels:
        changes[1:] |= np.diff(label) != 0
    if labels and not changes[falls].all():
        return False
    # from zero, or from one interval on
    parts = np.split(seconds, falls)
    usual = np.median(np.concatenate([np.diff(part) for part in parts if len(part) > 1] or [[0]]))
    return all(part[0] <= 2 * max(usual, *np.diff(part[:2]), 0.0) for part in parts[1:])


def _one_after_the_other(reader: Reader, column: Column, seconds: np.ndarray) -> np.ndarray:
    """Time of a test from that of its steps: where there are dates, with the pauses between."""
    begins = np.concatenate([[0], np.flatnonzero(np.diff(seconds) < 0) + 1])
    by_dates = [
        d for c in reader.columns.get(DATE, [])[:1] if (d := _dates(reader, c)) is not None
    ]
    total = np.empty_like(seconds)
    end = 0.0
    for begin, stop in zip(begins, [*begins[1:], len(seconds)], strict=True):
        # the last row of a step and the first of the next are one moment
        start = end if begin else 0.0
        if by_dates and begin:
            start = max(start, by_dates[0][begin] - by_dates[0][0] + total[0] - seconds[begin])
        total[begin:stop] = start + seconds[begin:stop]
        end = total[stop - 1]
    reader.remarks.append(
        f"column '{column.name}' begins anew {len(begins) - 1} time(s): its steps are put one "
        "after the other"
    )
    return total


def _unit_by_dates(reader: Reader, column: Column, seconds: np.ndarray) -> float:
    """Seconds in the unit of a time whose name says none, by the dates beside it."""
    name = column.name
    for other in reader.columns.get(DATE, [])[:1]:
        dates = _dates(reader, other)
        if dates is None or not np.ptp(dates) > 0 or not np.ptp(seconds) > 0:
            continue
        ratio = np.ptp(dates) / np.ptp(seconds)
        for factor, unit in ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (1e-3, "ms")):
            if abs(ratio / factor - 1) < 0.05:
                reader.remarks.append(
                    f"column '{name}' says no unit: it is {unit} by the dates in '{other.name}'"
                )
                return factor
    reader.remarks.append(f"column '{name}' says no unit: it is taken as s")
    return 1.0
