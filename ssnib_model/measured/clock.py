"""The time of a test: from its own column, from those of its steps, from its dates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ssnib_model.measured import times
from ssnib_model.measured.columns import CYCLE, DATE, STEP, STEP_TIME, TIME, Column, Reader


def time_of(reader: Reader, frame: pd.DataFrame) -> np.ndarray:
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
                return seconds * _unit_by_dates(reader, column, seconds)
            _against_dates(reader, column, seconds)
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


def _against_dates(reader: Reader, column: Column, seconds: np.ndarray) -> None:
    """The time of a file against the dates beside it.

    Raises
    ------
    MeasuredDataError
        If they are the factor between two units of time apart.
    """
    for other in reader.columns.get(DATE, [])[:1]:
        dates = _dates(reader, other)
        if dates is None or min(np.ptp(dates), np.ptp(seconds)) < 60:
            continue
        ratio = np.ptp(dates) / np.ptp(seconds)
        for factor in (60.0, 3600.0, 1000.0, 86400.0):
            if min(abs(ratio / factor - 1), abs(ratio * factor - 1)) < 0.02:
                raise reader.source.error(
                    f"column '{column.name}' runs over {np.ptp(seconds):.4g} s and the dates in "
                    f"'{other.name}' over {np.ptp(dates):.4g} s, {factor:g} times apart: say the "
                    "right unit, units={'Time [s]': 'min'} or --unit 'Time [s]=min' for example"
                )
        if abs(ratio - 1) > 0.05:
            reader.remarks.append(
                f"column '{column.name}' runs over {np.ptp(seconds) / 3600:.4g} h and the dates "
                f"in '{other.name}' over {np.ptp(dates) / 3600:.4g} h: the former is used"
            )


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
