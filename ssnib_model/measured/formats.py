"""Curves from the file of a cycler: one class a format, and the list of them.

A new format is a class here, in `FORMATS`: it says whether a file is its own, and gives its
table; where its columns have names of their own, it says these too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes
from ssnib_model.quantity import unit_of
from ssnib_model.tables import check_cells, listed, one_line, text_of
from ssnib_model.units import convert

#: Bytes and lines of the file of a cycler (a week at one point a second has some 20
#: million bytes in 600 thousand lines), and numbers in a Parquet file.
MAX_CURVES_SIZE, MAX_ROWS, MAX_NUMBERS = 50_000_000, 2_000_000, 20_000_000


TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"

_UNIT = r"\s*(?:\[(?P<b>[^\]]+)\]|\((?P<p>[^)]+)\)|/\s*(?P<s>[^/]+))$"
_SPELLINGS = {"sec": "s", "secs": "s", "seconds": "s", "hour": "h", "hours": "h", "hr": "h"}

#: Characters of the name of a column that are looked at.
MAX_NAME = 100


class Format:
    """Files of one kind; this one: a table as text with its names in the first line.

    It reads the package's own tidy files ("Time [s]"), Battery Data Format ("Test Time / s"), and
    exports of Land ("TestTime/Sec.") and Neware ("Time(h)").
    """

    name: ClassVar[str] = "table as text"

    #: What a column is called, as patterns on the name without its unit.
    names: ClassVar[dict[str, str]] = {
        TIME: r"(test|total|elapsed|running)?[ _]?time",
        VOLTAGE: r"(voltage|volt|potential|ewe|ecell)",
        CURRENT: r"(current|cur|i|<i>)",
    }

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether a file is of this kind."""
        return True

    def header(self, path: Path, text: str, lines: int) -> int:
        """Lines of a text before the one that holds the names."""
        return 0

    def table(self, path: Path, data: bytes) -> tuple[pd.DataFrame, int]:
        """The table as it stands, and the line of the file that its first row is on."""
        text = text_of(data, "replace")
        lines = text.count("\n") + (not text.endswith("\n"))
        header = self.header(path, text, lines)
        if not header + 3 <= lines <= MAX_ROWS:
            raise MeasuredDataError(
                f"{path}: has {lines} lines: a header and at least two rows are needed, and at "
                f"most {MAX_ROWS} lines are allowed"
            )
        stream = io.StringIO(text)
        for _ in range(header):
            stream.readline()
        start, names = stream.tell(), stream.readline()
        separator = max("\t;,", key=names.count)
        stream.seek(start)
        try:
            check_cells(text, separator)
            table = pd.read_csv(stream, sep=separator, dtype=str, index_col=False)
        except ValueError as error:
            message = f"{path}: from line {header + 1}: {one_line(error)}"
            raise MeasuredDataError(message) from error
        table = table.rename(columns=str.strip)
        return table.loc[:, ~table.columns.duplicated()], header + 2

    def discharge_is_positive(self, name: str) -> bool:
        """Whether the current in a column of this name is positive on discharge."""
        return name == CURRENT


class EcLab(Format):
    """EC-Lab text of BioLogic (.mpt), whose second line says how long its header is."""

    name = "EC-Lab text"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether the first line says so."""
        return text_of(data[:100], "replace").startswith("EC-Lab ASCII FILE")

    def header(self, path: Path, text: str, lines: int) -> int:
        """As its second line says."""
        _, second, *_ = [*text[:1000].split("\n", 2), ""]
        count = re.search(r"Nb header lines\s*:\s*(\d{1,9})", second)
        if not count or not 1 <= int(count[1]) <= lines:
            raise MeasuredDataError(
                f"{path}: line 2 must say 'Nb header lines : N' with N lines in the file"
            )
        return int(count[1]) - 1


class Parquet(Format):
    """The same names in a Parquet file (extra ``[data]``)."""

    name = "Parquet"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether its name ends so."""
        return path.suffix == ".parquet"

    def table(self, path: Path, data: bytes) -> tuple[pd.DataFrame, int]:
        """The columns of numbers; the first row is said to be on line 1."""
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
            names = [
                n for n, t in fields.items() if pa.types.is_integer(t) or pa.types.is_floating(t)
            ]
            # a file of some bytes may hold one value a billion times
            groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
            if sum(g.num_rows for g in groups) * max(len(names), 1) > MAX_NUMBERS:
                raise ValueError(f"more than {MAX_NUMBERS} numbers")
            return file.read(columns=names).to_pandas(ignore_metadata=True), 1
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = one_line(error)
            raise MeasuredDataError(f"{path}: cannot be read as Parquet: {reason}") from error


#: The first that opens a file reads it.
FORMATS: tuple[Format, ...] = (Parquet(), EcLab(), Format())


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
    try:
        data = read_bytes(path, MAX_CURVES_SIZE)
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
    format_ = next(f for f in FORMATS if f.opens(path, data))
    raw, first_line = format_.table(path, data)
    columns = {q: _find_column(path, raw.columns, q, p) for q, p in format_.names.items()}
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
        target = unit_of(quantity)
        try:
            frame[quantity] = numbers * convert(1.0, unit, target)
        except ValueError as error:
            raise MeasuredDataError(f"{path}: column '{name}': {error}") from error
    if not format_.discharge_is_positive(columns[CURRENT][0]):
        frame[CURRENT] = -frame[CURRENT]
    frame.attrs["problems"] = _suspicious(frame, first_line)
    return frame


def _find_column(path: Path, names: Iterable[str], quantity: str, pattern: str) -> tuple[str, str]:
    """The column of a quantity, and its unit."""
    for name in names:
        # the pattern takes long for a name that is none
        match = re.fullmatch(rf"(?P<name>.*?){_UNIT}", str(name)[:MAX_NAME])
        if match and re.fullmatch(pattern, match["name"].strip(), re.IGNORECASE):
            unit = (match["b"] or match["p"] or match["s"]).strip().rstrip(".")
            return name, _SPELLINGS.get(unit.lower(), unit)
    raise MeasuredDataError(
        f"{path}: no column for {quantity.split(' [')[0].lower()} with its unit, such as "
        f"'{quantity}'; the columns are {listed(names)}"
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
