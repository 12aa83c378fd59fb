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
    Table,
    find_columns,
    frequencies,
    plain,
)
from ssnib_model.measured.formats import Format
from ssnib_model.measured.registry import format_of
from ssnib_model.measured.text import MAX_SIZE, Source, split_name
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
    return _curves(source, format_of(source), columns or {}, units or {})


def _curves(
    source: Source, form: Format, columns: Mapping[str, str], units: Mapping[str, str | float]
) -> pd.DataFrame:
    table = form.table(source)
    if len(table.raw) < 2:
        raise source.error(f"has {len(table.raw)} row(s): at least two rows are needed")
    found = find_columns(table.raw.columns, form.names)
    _choose(source, table.raw, found, columns, units)
    _without_spectra(source, table)
    _without_cut_line(source, table, found)
    _without_remarks(table, found)
    reader = Reader(source, table, found)
    reader.first(TIME if TIME in found or not {STEP_TIME, DATE} & set(found) else CURRENT)
    frame = pd.DataFrame(index=table.raw.index)
    frame[CURRENT], frame[VOLTAGE] = reader.needed(CURRENT), _voltage(reader, VOLTAGE in columns)
    for quantity in (STEP, CYCLE):
        labels = reader.labels(quantity)
        if labels is not None:
            frame[quantity] = labels
    frame.insert(0, TIME, _time(reader, frame))
    late = checks.out_of_order_rows(source, frame[TIME].to_numpy(), frame.index.to_numpy())
    if late.any():
        reader.remarks.append(
            f"{int(late.sum())} row(s) have a time before that of an earlier row, first line "
            f"{frame.index[late][0]}: they are left out"
        )
        frame = frame[~late].copy()
        _keep(table, ~late)
    for quantity in (STEP_TIME, TEMPERATURE):
        values = reader.optional(quantity)
        if values is not None and _sensible(reader, quantity, values):
            frame[quantity] = values
    states = signs.states(reader)
    signs.turn(reader, frame, states, form.discharge_is_positive, found[CURRENT][0].name)
    for quantity, values in counted(reader, frame).items():
        frame[quantity] = values
    frame.attrs["format"] = form.name
    frame.attrs["problems"] = reader.remarks
    frame.attrs["problems"] = [*reader.remarks, *checks.check(source, frame)]
    return frame


def _sensible(reader: Reader, quantity: str, values: np.ndarray) -> bool:
    """Whether temperatures are some: a missing sensor reads far below any."""
    if quantity != TEMPERATURE or (np.nanmin(values) > 100 and np.nanmax(values) < 600):
        return True
    name = reader.columns[quantity][0].name
    reader.remarks.append(
        f"column '{name}' is not used: {np.nanmin(values):.0f} to {np.nanmax(values):.0f} K is no "
        "temperature of a cell"
    )
    return False


def _without_spectra(source: Source, table: Table) -> None:
    """Leave out rows that belong to a spectrum, and say so; refuse a file that is one."""
    frequency = frequencies(source, table)
    if frequency is None or not (frequency > 0).any():
        return
    rows = np.flatnonzero(frequency > 0)
    lines_of_numbers = pd.to_numeric(table.raw.iloc[:, 0], errors="coerce").notna().sum()
    if len(rows) > 0.9 * max(lines_of_numbers, 1):
        raise source.error("holds a spectrum: ss.read_spectrum reads it")
    lines = table.raw.index[rows]
    table.remarks.append(
        f"{len(rows)} row(s) with a frequency, lines {lines[0]} to {lines[-1]}, belong to a "
        "spectrum and are left out"
    )
    _keep(table, frequency <= 0)


def _without_cut_line(source: Source, table: Table, found: dict[str, list[Column]]) -> None:
    """Leave out a last line that stops before its end, and say so."""
    raw = table.raw
    needed = [found[q][0].name for q in (VOLTAGE, CURRENT) if q in found]
    empty = [str(raw[name].iloc[-1]).strip() == "" for name in needed]
    before = [str(raw[name].iloc[-2]).strip() == "" for name in needed]
    if len(raw) > 2 and any(empty) and not any(before):
        table.remarks.append(f"line {raw.index[-1]}, the last one, is cut off and left out")
        _keep(table, np.arange(len(raw)) < len(raw) - 1)


def _without_remarks(table: Table, found: dict[str, list[Column]]) -> None:
    """Leave out lines of words between the rows, and say so."""
    raw = table.raw
    names = [c.name for q in (VOLTAGE, CURRENT) for c in found.get(q, [])]
    empty = np.ones(len(raw), dtype=bool)
    for name in names:
        column = raw[name]
        if pd.api.types.is_numeric_dtype(column):
            return
        empty &= (column.astype(str).str.strip() == "").to_numpy()
    if names and empty.any() and empty.mean() < 0.5:
        table.remarks.append(
            f"{int(empty.sum())} line(s) hold neither voltage nor current and are left out, first "
            f"line {raw.index[empty][0]}"
        )
        _keep(table, ~empty)


def _keep(table: Table, rows: np.ndarray) -> None:
    table.blocks = tuple(int(rows[:b].sum()) for b in table.blocks)
    table.raw = table.raw[rows]
    if table.states is not None:
        table.states = table.states[rows]


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
    in_volts = [c.name for c in reader.columns[VOLTAGE] if c.unit == "V" or given]
    in_volts += [n for n in reader.table.raw.columns if split_name(n)[1] == "V"]
    names = {plain(n).strip("<>"): n for n in reversed(in_volts)}
    chosen = plain(column.name).strip("<>")
    low, high = voltage.min(), voltage.max()
    if np.median(np.abs(voltage)) > 100:
        if "[" in column.name or "(" in column.name or "/" in column.name:
            raise reader.source.error(
                f"column '{column.name}' holds {low:.4g} to {high:.4g} V, which is no voltage "
                "of a cell: say its unit, units={'Voltage [V]': 'mV'} or "
                "--unit 'Voltage [V]=mV'"
            )
        reader.remarks.append(
            f"column '{column.name}' holds {low:.4g} to {high:.4g}: it is taken as mV"
        )
        voltage = voltage / 1000
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
            if not np.isfinite(seconds).any():
                continue
            empty = np.flatnonzero(~np.isfinite(seconds))
            if empty.size:
                line = int(frame.index[empty[0]])
                raise reader.source.error(
                    f"column '{column.name}' is empty: a time is needed", line
                )
            if len(reader.table.blocks) > 1:
                return _blocks_in_order(reader, seconds)
            if quantity == STEP_TIME or _restarts(seconds, frame):
                seconds = _one_after_the_other(reader, column, seconds)
            if not column.said and kind == "number" and TIME not in reader.table.units:
                seconds = seconds * _unit_by_dates(reader, column, seconds)
            return seconds
    if DATE in reader.columns:
        return _from_dates(reader, reader.columns[DATE][0])
    column = reader.first(TIME)
    # its first cell is nothing like a time: the message says so
    return reader.values(column, TIME)


def _blocks_in_order(reader: Reader, seconds: np.ndarray) -> np.ndarray:
    """Time of a file of several tables, of which each begins anew, by their dates or in a row."""
    dates = (_dates(reader, c) for c in reader.columns.get(DATE, [])[:1])
    by_dates = next((d for d in dates if d is not None), None)
    total = seconds.copy()
    lines = reader.table.raw.index
    for begin, stop in zip(
        reader.table.blocks[1:], [*reader.table.blocks[2:], len(seconds)], strict=True
    ):
        if total[begin] >= total[begin - 1]:
            continue
        start = total[begin - 1]
        if by_dates is not None:
            start = max(start, by_dates[begin] - by_dates[0] + total[0])
        total[begin:stop] += start - total[begin]
        gap = (start - total[begin - 1]) / 3600
        reader.remarks.append(
            f"a new table begins at line {lines[begin]}: its time is put {gap:.3g} h after the "
            "end of the one before"
        )
    return total


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
    # one row with a time of its own is not yet a step
    follow = falls[falls + 1 < len(seconds)]
    if (seconds[follow + 1] >= seconds[follow - 1]).any():
        return False
    # from zero, or from one interval on; a step may have an interval of its own
    parts = np.split(seconds, falls)
    usual = float(np.median(np.diff(seconds)))
    own = [float(np.diff(part[:2]).max(initial=0.0)) if labels else 0.0 for part in parts]
    return all(part[0] <= 2 * max(usual, mine) for part, mine in zip(parts, own, strict=True))


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
