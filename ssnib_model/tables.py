"""Tables of numbers as CSV, read within limits."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes

#: Columns of measured rate-test data; the first two are required.
RATE_COLUMNS = (
    "C-rate",
    "Ambient temperature [K]",
    "Charge capacity [mA.h.g-1]",
    "Discharge capacity [mA.h.g-1]",
    "Polarization [V]",
    "Coulombic efficiency",
    "Charge dQ/dV peak [V]",
    "Discharge dQ/dV peak [V]",
    "Note",
)

#: Bytes of a table, and rows of a curve given as a table.
MAX_TABLE_SIZE, MAX_POINTS = 500_000, 10_000
#: Columns of any table.
MAX_COLUMNS = 1000

#: A line with an odd number of quotes: the cell would go on in the next line.
_OPEN_QUOTE = re.compile(r'(?m)^[^"\n]*+(?:"[^"\n]*+"[^"\n]*+)*+"')


def read_rate_data(path: str | Path) -> pd.DataFrame:
    """Read measured rate-test data.

    Parameters
    ----------
    path : str or Path
        A CSV file with a header; columns as in `RATE_COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        One row a measurement; a value that was not measured is NaN.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, or a column or value is not allowed.
    """
    path = Path(path)
    data = read_csv(path)
    unknown = [c for c in data.columns if c not in RATE_COLUMNS]
    missing = [c for c in RATE_COLUMNS[:2] if c not in data.columns]
    if unknown or missing or data.empty:
        raise MeasuredDataError(
            f"{path}: the columns are {listed(data.columns)} with {len(data)} rows: 'C-rate' and "
            f"'Ambient temperature [K]' are required, at least one row, and only "
            f"{list(RATE_COLUMNS)} are known"
        )
    for column in data.columns.drop("Note", errors="ignore"):
        given = data[column]
        # as text, because a whole number may be too large for a float
        text = given if pd.api.types.is_numeric_dtype(given) else given.astype(str)
        numbers = pd.to_numeric(text, errors="coerce")
        bad = data.index[(numbers.isna() & data[column].notna()) | np.isinf(numbers)]
        if len(bad):
            value = str(data[column][bad[0]])[:60]
            raise MeasuredDataError(
                f"{path}: row {bad[0] + 1}, column '{column}' is {value!r}: it must be a finite "
                "number"
            )
        data[column] = numbers.astype(float)
    return data


def read_table(path: str | Path, least: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Read a curve of two columns, the first one increasing.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, or is not such a curve of at least ``least`` points.
    """
    path = Path(path)
    values = read_csv(path, dtype=float).to_numpy()
    if values.ndim != 2 or values.shape[1] != 2 or not least <= len(values) <= MAX_POINTS:
        raise MeasuredDataError(
            f"{path}: has shape {values.shape}: two columns and {least} to {MAX_POINTS} rows are "
            "needed"
        )
    if not np.isfinite(values).all() or (np.diff(values[:, 0]) <= 0).any():
        raise MeasuredDataError(
            f"{path}: all values must be finite and the first column must increase"
        )
    return values[:, 0], values[:, 1]


def read_csv(path: Path, dtype=None, limit: int = MAX_TABLE_SIZE) -> pd.DataFrame:
    """A table with a header; comments start with #, and the file has at most ``limit`` bytes."""
    try:
        # never by its name, which would be taken for an address or unpacked
        text = text_of(read_bytes(path, limit), "strict")
        check_cells(text, ",")
        table = pd.read_csv(io.StringIO(text), comment="#", dtype=dtype)
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read as CSV: {error.strerror}") from error
    except ValueError as error:
        raise MeasuredDataError(f"{path}: cannot be read as CSV: {one_line(error)}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise MeasuredDataError(f"{path}: a row has more values than the header has names")
    return table


def text_of(data: bytes, errors: str) -> str:
    text = data.decode("utf-8-sig", errors=errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_cells(text: str, separator: str) -> None:
    """Some thousand columns take pandas minutes."""
    if _OPEN_QUOTE.search(text):
        raise ValueError("a quote is not closed on its line")
    if re.search(rf"(?m)^(?:[^{separator}\n]*+{separator}){{{MAX_COLUMNS}}}", text):
        raise ValueError(f"it has more than {MAX_COLUMNS} columns")


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def listed(names) -> list[str]:
    """Names for a message: a hostile header has many and long ones."""
    shown = [str(name)[:60] for name in names[:20]]
    return shown if len(names) <= 20 else [*shown, f"... {len(names)} in all"]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries, with None for NaN, which JSON does not have."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
