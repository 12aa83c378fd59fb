"""Times that instruments write: durations such as 1d 02:03:04.5, and dates of any order."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ssnib_model.measured.text import Source

#: d h:m:s with any of its parts, the last one with a fraction or with milliseconds behind a
#: colon; days are in front of a colon where there is one in front of them
_DURATION = (
    r"(?:(?::(?P<colon>\d+):)|"
    r"(?:(?P<d>\d+)\s*(?:d(?:ays?)?[, ]*|[-.]|\s)\s*))?"
    r"(?P<h>\d+):(?P<m>\d+)(?::(?P<s>\d+(?:[.,]\d+)?)(?::(?P<ms>\d+))?)?"
)
_DATE = re.compile(
    r"(?P<a>\d{1,4}|[A-Za-z]{3,9})[-/. 年](?P<b>\d{1,2}|[A-Za-z]{3,9})[-/. 月](?P<c>\d{2,4})日?"
    r"(?:[T,\s]+(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2}(?:[.,]\d+)?)"
    r"(?::(?P<ms>\d+))?)?)?\s*(?P<pm>[AaPp][Mm])?\s*(?:Z|[+-]\d{2}:?\d{2}|UTC)?"
)
_MONTHS = {m: k for k, m in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
)}  # fmt: skip


def looks_like(column: pd.Series) -> str:
    """What a column of times holds: "number", "duration", "date" or "" for none of these."""
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    cells = column.astype(str).str.strip()
    cells = cells[cells != ""]
    if cells.empty:
        return ""
    cell = cells.iloc[0]
    if re.fullmatch(_DURATION, cell):
        return "duration"
    if _DATE.fullmatch(cell):
        return "date"
    return "number" if re.fullmatch(r"[+-]?[\d.,\s]+(?:[eE][+-]?\d+)?", cell) else ""


def _parts(
    source: Source, column: pd.Series, pattern: str, needed: str, expected: str
) -> pd.DataFrame:
    """The groups of a pattern in every cell; an error where the one that is needed is missing."""
    cells = column.astype(str).str.strip()
    parts = cells.str.extract(f"^{pattern}$")
    if parts[needed].isna().any():
        line = parts.index[parts[needed].isna()][0]
        raise source.error(
            f"column '{column.name}' is {cells[line][:60]!r}: {expected} was expected", int(line)
        )
    return parts


def durations(source: Source, column: pd.Series) -> np.ndarray:
    """Seconds of durations.

    Raises
    ------
    MeasuredDataError
        If a cell is none.
    """
    parts = _parts(source, column, _DURATION, "h", "a time such as 1d 02:03:04.5")
    seconds = pd.to_numeric(parts["s"].str.replace(",", ".", regex=False)).fillna(0.0)
    parts["d"] = parts["d"].fillna(parts["colon"])
    values = {k: pd.to_numeric(parts[k]).fillna(0.0).to_numpy(float) for k in ("d", "h", "m")}
    milliseconds = pd.to_numeric("0." + parts["ms"].fillna("0")).to_numpy(float)
    return (
        values["d"] * 86400 + values["h"] * 3600 + values["m"] * 60 + seconds.to_numpy(float)
    ) + milliseconds


def dates(source: Source, column: pd.Series) -> tuple[np.ndarray, str]:
    """Seconds since the first of some dates, and what was assumed of their order, if anything.

    Where day and month cannot be told apart by their values, they are taken in the order in
    which the file's times never go back, and of two such orders in that of the shorter test.

    Raises
    ------
    MeasuredDataError
        If a cell is no date.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        values = column.to_numpy("datetime64[ns]").astype(np.int64) / 1e9
        return values - values[0], ""
    parts = _parts(source, column, _DATE.pattern, "a", "a date such as 2024-11-20 11:38:41")
    hour = pd.to_numeric(parts["h"]).fillna(0).to_numpy(float)
    half = parts["pm"].str.lower().to_numpy(dtype=object)
    hour = np.where((half == "pm") & (hour < 12), hour + 12, hour)
    hour = np.where((half == "am") & (hour == 12), 0, hour)
    second = pd.to_numeric(parts["s"].str.replace(",", ".", regex=False)).fillna(0.0)
    minute = pd.to_numeric(parts["m"]).fillna(0).to_numpy(float)
    of_day = hour * 3600 + minute * 60 + second.to_numpy(float)
    of_day += pd.to_numeric("0." + parts["ms"].fillna("0")).to_numpy(float)

    days, remark = _days(source, column, parts[["a", "b", "c"]])
    return (days - days[0]) * 86400.0 + of_day - of_day[0], remark


def _days(source: Source, column: pd.Series, parts: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Days since 1970, of the three numbers of each date."""
    distinct = parts.drop_duplicates()
    orders = {
        "year-month-day": ("a", "b", "c"),
        "month/day/year": ("c", "a", "b"),
        "day/month/year": ("c", "b", "a"),
    }
    found = {}
    for name, (year, month, day) in orders.items():
        values = [
            _day(distinct[year].iloc[k], distinct[month].iloc[k], distinct[day].iloc[k])
            for k in range(len(distinct))
        ]
        if None not in values:
            found[name] = np.array(values, dtype="datetime64[D]").astype(int)
    if not found:
        raise source.error(
            f"column '{column.name}' has no date such as 2024-11-20 on all its lines, first "
            f"{str(column.iloc[0])[:60]!r}",
            int(column.index[0]),
        )
    # in the order in which they stand: backwards in time is worse than long
    best = min(found, key=lambda n: ((np.diff(found[n]) < 0).sum(), np.ptp(found[n])))
    others = [
        n for n in found
        if n != best and not np.array_equal(np.diff(found[n]), np.diff(found[best]))
    ]  # fmt: skip
    remark = f"its dates are read as {best}" if others else ""
    place = parts.merge(distinct.assign(days=found[best]), on=["a", "b", "c"], how="left")
    return place["days"].to_numpy(float), remark


def _day(year: str, month: str, day: str) -> np.datetime64 | None:
    number = _MONTHS.get(month[:3].lower()) if month.isalpha() else int(month)
    if number is None or not (day.isdigit() and year.isdigit()):
        return None
    of_year = int(year) + (2000 if len(year) == 2 else 0)
    if not (1 <= number <= 12 and 1 <= int(day) <= 31 and 1970 <= of_year <= 2200):
        return None
    try:
        return np.datetime64(f"{of_year:04d}-{number:02d}-{int(day):02d}")
    except ValueError:
        return None
