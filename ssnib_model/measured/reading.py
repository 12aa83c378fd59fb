"""From a file to curves: its format, its columns in SI, one sign, one count of capacity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.measured import checks, signs
from ssnib_model.measured.capacity import MEAN_CURRENT, counted
from ssnib_model.measured.clock import time_of
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
    source = Source.read(path, MAX_SIZE)
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
    # EC-Lab's <I> is the mean since the row before
    frame.attrs[MEAN_CURRENT] = plain(reader.first(CURRENT).name) == "<i>"
    for quantity in (STEP, CYCLE):
        labels = reader.labels(quantity)
        if labels is not None:
            frame[quantity] = labels
    frame.insert(0, TIME, time_of(reader, frame))
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
