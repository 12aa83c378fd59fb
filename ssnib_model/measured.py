"""Measured data: tables that come with a parameter set, and curves from a cycler."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.integrate import cumulative_trapezoid

from ssnib_model import schema
from ssnib_model.errors import MeasuredDataError
from ssnib_model.units import convert

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


# -------------------------------------------------------------------- curves of a cycler
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"

#: What a column is called in the exports known, as patterns on the name without its unit.
_NAMES = {
    TIME: r"(test|total|elapsed|running)?[ _]?time",
    VOLTAGE: r"(voltage|volt|potential|ewe|ecell)",
    CURRENT: r"(current|cur|i|<i>)",
}
_UNIT = r"\s*(?:\[(?P<b>[^\]]+)\]|\((?P<p>[^)]+)\)|/\s*(?P<s>[^/]+))$"
_SPELLINGS = {"sec": "s", "secs": "s", "seconds": "s", "hour": "h", "hours": "h", "hr": "h"}

#: Smallest part of the largest current that counts as current.
REST = 0.01


def read_curves(path: str | Path) -> pd.DataFrame:
    """Read time, current and voltage from the file of a cycler.

    Understood are tables as text (comma, semicolon or tab) or Parquet with one column each for
    time, current and voltage, with their units in the names: the package's own tidy files
    ("Time [s]"), Battery Data Format ("Test Time / s"), exports of Land ("TestTime/Sec.") and
    Neware ("Time(h)"), and BioLogic's EC-Lab text (.mpt). In the package's own files discharge
    current is positive; in all others charge is, and the sign is turned here, once.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    pandas.DataFrame
        "Time [s]", "Current [A]" (positive on discharge), "Voltage [V]", in the order of the
        file. ``attrs["problems"]`` lists, in words, times that do not rise and voltages that
        jump; nothing is dropped.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, lacks one of the three or has values that are no numbers.
    """
    path = Path(path)
    raw, first_line = _read_columns(path)
    columns = {quantity: _find_column(path, raw.columns, quantity) for quantity in _NAMES}
    frame = pd.DataFrame()
    for quantity, (name, unit) in columns.items():
        text = raw[name].astype(str).str.strip().str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise MeasuredDataError(
                f"{path}: line {first_line + bad[0]}, column '{name}' is "
                f"{raw[name].iloc[bad[0]]!r}: a finite number was expected"
            )
        target = schema.unit_of(quantity)
        try:
            frame[quantity] = numbers * convert(1.0, unit, target)
        except ValueError as error:
            raise MeasuredDataError(f"{path}: column '{name}': {error}") from error
    if columns[CURRENT][0] != CURRENT:
        frame[CURRENT] = -frame[CURRENT]
    frame.attrs["problems"] = _suspicious(frame, first_line)
    return frame


def _read_columns(path: Path) -> tuple[pd.DataFrame, int]:
    """The table as it stands, and the line of the file that its first row is on."""
    if path.suffix == ".parquet":
        try:
            return pd.read_parquet(path), 1
        except ImportError as error:
            raise MeasuredDataError(
                f"{path}: Parquet needs pyarrow: pip install 'ssnib_model[data]'"
            ) from error
        except (OSError, ValueError) as error:
            raise MeasuredDataError(f"{path}: cannot be read as Parquet: {error}") from error
    try:
        lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
    header = 0
    if lines and lines[0].startswith("EC-Lab ASCII FILE"):
        count = re.search(r"Nb header lines\s*:\s*(\d+)", lines[1] if len(lines) > 1 else "")
        if not count or int(count[1]) > len(lines):
            raise MeasuredDataError(
                f"{path}: line 2 must say 'Nb header lines : N' with N lines in the file"
            )
        header = int(count[1]) - 1
    if len(lines) < header + 3:
        raise MeasuredDataError(
            f"{path}: has {len(lines)} lines: a header and at least two rows are needed"
        )
    separator = max("\t;,", key=lines[header].count)
    try:
        table = pd.read_csv(
            io.StringIO("\n".join(lines[header:])), sep=separator, dtype=str, index_col=False
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise MeasuredDataError(f"{path}: from line {header + 1}: {error}") from error
    return table.rename(columns=str.strip), header + 2


def _find_column(path: Path, names, quantity: str) -> tuple[str, str]:
    """The column of a quantity, and its unit."""
    for name in names:
        match = re.fullmatch(rf"(?P<name>.*?){_UNIT}", str(name))
        if match and re.fullmatch(_NAMES[quantity], match["name"].strip(), re.IGNORECASE):
            unit = (match["b"] or match["p"] or match["s"]).strip().rstrip(".")
            return name, _SPELLINGS.get(unit.lower(), unit)
    raise MeasuredDataError(
        f"{path}: no column for {quantity.split(' [')[0].lower()} with its unit, such as "
        f"'{quantity}'; the columns are {list(names)}"
    )


def _suspicious(frame: pd.DataFrame, first_line: int) -> list[str]:
    problems = []
    back = np.flatnonzero(np.diff(frame[TIME]) <= 0)
    if back.size:
        problems.append(
            f"time does not rise at {back.size} place(s), first at line {first_line + back[0] + 1}"
        )
    voltage = frame[VOLTAGE].to_numpy()
    # a point far from both neighbours, which agree with one another
    around = (voltage[:-2] + voltage[2:]) / 2
    jump = np.abs(voltage[1:-1] - around)
    lone = (jump > 0.2) & (np.abs(voltage[:-2] - voltage[2:]) < 0.05)
    if lone.any():
        at = first_line + np.flatnonzero(lone)[0] + 1
        problems.append(f"voltage jumps at {lone.sum()} point(s), first at line {at}")
    return problems


def half_cycles(curves: pd.DataFrame, active_mass: float) -> list[pd.DataFrame]:
    """Charges and discharges of a measurement, each with its specific capacity.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`.
    active_mass : float
        Mass of active material [kg].

    Returns
    -------
    list of pandas.DataFrame
        In order of time; "Time [s]" and "Capacity [mA.h.g-1]" count from the start of each,
        ``attrs["direction"]`` is "charge" or "discharge", ``attrs["current"]`` the median
        current [A]. Rests end a half-cycle and are left out, as are points whose time does
        not rise.
    """
    current = curves[CURRENT].to_numpy()
    sign = np.where(np.abs(current) > REST * np.abs(current).max(), np.sign(current), 0)
    runs = np.split(np.arange(len(sign)), np.flatnonzero(np.diff(sign)) + 1)
    found = []
    for run in runs:
        part = curves.iloc[run]
        part = part[part[TIME].diff().fillna(1.0) > 0]
        if sign[run[0]] == 0 or len(part) < 5:
            continue
        time = part[TIME].to_numpy() - part[TIME].iloc[0]
        charge = cumulative_trapezoid(np.abs(part[CURRENT].to_numpy()), time, initial=0)
        capacity = charge / 3600 / active_mass
        frame = pd.DataFrame(
            {
                TIME: time,
                CURRENT: part[CURRENT].to_numpy(),
                VOLTAGE: part[VOLTAGE].to_numpy(),
                "Capacity [mA.h.g-1]": capacity,
            }
        )
        frame.attrs["direction"] = "discharge" if sign[run[0]] > 0 else "charge"
        frame.attrs["current"] = float(part[CURRENT].median())
        found.append(frame)
    return found
