"""Measured data that come with a parameter set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError

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
    try:
        data = pd.read_csv(path, comment="#")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as e:
        raise MeasuredDataError(f"{path}: cannot be read as CSV: {e}") from e
    unknown = [c for c in data.columns if c not in RATE_COLUMNS]
    missing = [c for c in RATE_COLUMNS[:2] if c not in data.columns]
    if unknown or missing or data.empty:
        raise MeasuredDataError(
            f"{path}: the columns are {list(data.columns)} with {len(data)} rows: 'C-rate' and "
            f"'Ambient temperature [K]' are required, at least one row, and only "
            f"{list(RATE_COLUMNS)} are known"
        )
    for column in data.columns.drop("Note", errors="ignore"):
        numbers = pd.to_numeric(data[column], errors="coerce")
        bad = data.index[(numbers.isna() & data[column].notna()) | np.isinf(numbers)]
        if len(bad):
            raise MeasuredDataError(
                f"{path}: row {bad[0] + 1}, column '{column}' is {data[column][bad[0]]!r}: "
                "it must be a finite number"
            )
        data[column] = numbers.astype(float)
    return data


def read_table(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a curve of two columns, the first one increasing.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, or is not such a curve of at least four points.
    """
    path = Path(path)
    try:
        data = pd.read_csv(path, comment="#", dtype=float)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise MeasuredDataError(f"{path}: cannot be read as CSV of numbers: {error}") from error
    values = data.to_numpy()
    if values.ndim != 2 or values.shape[1] != 2 or len(values) < 4:
        raise MeasuredDataError(
            f"{path}: has shape {values.shape}: two columns and at least four rows are needed"
        )
    if not np.isfinite(values).all() or (np.diff(values[:, 0]) <= 0).any():
        raise MeasuredDataError(
            f"{path}: all values must be finite and the first column must increase"
        )
    return values[:, 0], values[:, 1]
