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
from ssnib_model.files import read_bytes
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

#: Bytes of a table, and rows of a curve given as a table.
MAX_TABLE_SIZE, MAX_POINTS = 500_000, 10_000
#: Bytes, lines and columns of the file of a cycler (a week at one point a second has some 20
#: million bytes in 600 thousand lines), and numbers in a Parquet file.
MAX_CURVES_SIZE, MAX_ROWS, MAX_COLUMNS, MAX_NUMBERS = 50_000_000, 2_000_000, 1000, 20_000_000

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
            f"{path}: the columns are {_listed(data.columns)} with {len(data)} rows: 'C-rate' and "
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


def read_table(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a curve of two columns, the first one increasing.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, or is not such a curve of at least four points.
    """
    path = Path(path)
    values = read_csv(path, dtype=float).to_numpy()
    if values.ndim != 2 or values.shape[1] != 2 or not 4 <= len(values) <= MAX_POINTS:
        raise MeasuredDataError(
            f"{path}: has shape {values.shape}: two columns and 4 to {MAX_POINTS} rows are needed"
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
        text = _text(read_bytes(path, limit), "strict")
        _check_cells(text, ",")
        table = pd.read_csv(io.StringIO(text), comment="#", dtype=dtype)
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read as CSV: {error.strerror}") from error
    except ValueError as error:
        raise MeasuredDataError(f"{path}: cannot be read as CSV: {_one_line(error)}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise MeasuredDataError(f"{path}: a row has more values than the header has names")
    return table


def _text(data: bytes, errors: str) -> str:
    text = data.decode("utf-8-sig", errors=errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_cells(text: str, separator: str) -> None:
    """Some thousand columns take pandas minutes."""
    if _OPEN_QUOTE.search(text):
        raise ValueError("a quote is not closed on its line")
    if re.search(rf"(?m)^(?:[^{separator}\n]*+{separator}){{{MAX_COLUMNS}}}", text):
        raise ValueError(f"it has more than {MAX_COLUMNS} columns")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _listed(names) -> list[str]:
    """Names for a message: a hostile header has many and long ones."""
    shown = [str(name)[:60] for name in names[:20]]
    return shown if len(names) <= 20 else [*shown, f"... {len(names)} in all"]


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

#: Characters of the name of a column that are looked at.
MAX_NAME = 100

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
        column = raw[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = column.astype(str).str.strip().str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise MeasuredDataError(
                f"{path}: line {first_line + bad[0]}, column '{name}' is "
                f"{str(raw[name].iloc[bad[0]])[:60]!r}: a finite number was expected"
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
    try:
        data = read_bytes(path, MAX_CURVES_SIZE)
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix == ".parquet":
        return _read_parquet(path, data), 1
    text = _text(data, "replace")
    first, second, *_ = [*text[:1000].split("\n", 2), ""]
    lines = text.count("\n") + (not text.endswith("\n"))
    header = 0
    if first.startswith("EC-Lab ASCII FILE"):
        count = re.search(r"Nb header lines\s*:\s*(\d{1,9})", second)
        if not count or not 1 <= int(count[1]) <= lines:
            raise MeasuredDataError(
                f"{path}: line 2 must say 'Nb header lines : N' with N lines in the file"
            )
        header = int(count[1]) - 1
    if not header + 3 <= lines <= MAX_ROWS:
        raise MeasuredDataError(
            f"{path}: has {lines} lines: a header and at least two rows are needed, and at most "
            f"{MAX_ROWS} lines are allowed"
        )
    stream = io.StringIO(text)
    for _ in range(header):
        stream.readline()
    start, names = stream.tell(), stream.readline()
    separator = max("\t;,", key=names.count)
    stream.seek(start)
    try:
        _check_cells(text, separator)
        table = pd.read_csv(stream, sep=separator, dtype=str, index_col=False)
    except ValueError as error:
        raise MeasuredDataError(f"{path}: from line {header + 1}: {_one_line(error)}") from error
    table = table.rename(columns=str.strip)
    return table.loc[:, ~table.columns.duplicated()], header + 2


def _read_parquet(path: Path, data: bytes) -> pd.DataFrame:
    """The columns of numbers."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MeasuredDataError(
            f"{path}: Parquet needs pyarrow: pip install 'ssnib_model[data]'"
        ) from error
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        fields = {f.name: f.type for f in file.schema_arrow}
        names = [n for n, t in fields.items() if pa.types.is_integer(t) or pa.types.is_floating(t)]
        # a file of some bytes may hold one value a billion times
        groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
        if sum(g.num_rows for g in groups) * max(len(names), 1) > MAX_NUMBERS:
            raise ValueError(f"more than {MAX_NUMBERS} numbers")
        return file.read(columns=names).to_pandas(ignore_metadata=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = _one_line(error)
        raise MeasuredDataError(f"{path}: cannot be read as Parquet: {reason}") from error


def _find_column(path: Path, names, quantity: str) -> tuple[str, str]:
    """The column of a quantity, and its unit."""
    for name in names:
        # the pattern takes long for a name that is none
        match = re.fullmatch(rf"(?P<name>.*?){_UNIT}", str(name)[:MAX_NAME])
        if match and re.fullmatch(_NAMES[quantity], match["name"].strip(), re.IGNORECASE):
            unit = (match["b"] or match["p"] or match["s"]).strip().rstrip(".")
            return name, _SPELLINGS.get(unit.lower(), unit)
    raise MeasuredDataError(
        f"{path}: no column for {quantity.split(' [')[0].lower()} with its unit, such as "
        f"'{quantity}'; the columns are {_listed(names)}"
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
