"""Files of cyclers: one class a format, and the list of them.

A new format is a class here, in `FORMATS`: it says whether a file is its own ("can I open this")
and gives its table; where its columns have names of their own, it says these too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured import columns as cols
from ssnib_model.measured.columns import Table, decimal_mark, is_header
from ssnib_model.measured.text import Source, cells_of, find_header, read_table, separator_of
from ssnib_model.tables import listed, one_line

#: Numbers in a Parquet file.
MAX_NUMBERS = 20_000_000


class Format:
    """Files of one kind: whether a file is one, and the table in it."""

    name: ClassVar[str]
    #: How such files usually end, for the documentation.
    suffixes: ClassVar[str]
    #: What is particular about them, for the documentation.
    about: ClassVar[str]
    #: Names of its columns, where they are not in `columns.NAMES`: quantity -> names.
    names: ClassVar[Mapping[str, str]] = {}
    #: Whether its current is positive on discharge.
    discharge_is_positive: ClassVar[bool] = False

    def opens(self, source: Source) -> bool:
        """Whether a file is of this kind."""
        raise NotImplementedError

    def table(self, source: Source) -> Table:
        """The table in it.

        Raises
        ------
        MeasuredDataError
            If it cannot be read.
        """
        raise NotImplementedError


class TextTable(Format):
    """A table as text with its names in one line, wherever that is."""

    name = "table as text"
    suffixes = ".csv, .txt, .tsv"
    about = (
        "any table whose names of time, current and voltage are known, with units in the names; "
        "lines above it are passed over"
    )

    def opens(self, source: Source) -> bool:
        """Every file: this is the last format."""
        return True

    def first(self, source: Source) -> int:
        """Where to look for the names from."""
        return 0

    def table(self, source: Source) -> Table:
        """From the line of names to the end."""
        lines = source.lines
        found = find_header(lines, is_header, self.first(source))
        if found is None:
            raise self.without_header(source)
        header, separator = found
        return self.below(source, header, separator)

    def below(self, source: Source, header: int, separator: str) -> Table:
        """The table below its names, of the lines after ``header``."""
        lines = list(source.lines)
        remarks = []
        units = _units_below(lines, header, separator)
        if units:
            lines[header], lines[header + 1] = units, ""
        raw = read_table(source, header, separator, lines)
        again = _repeated_names(raw)
        if again.any():
            # a file that was continued has its names once more
            raw = raw[~again]
            remarks.append(f"the names stand once more on {int(again.sum())} line(s)")
        return Table(raw, decimal_mark(source, raw, separator), remarks)

    def without_header(self, source: Source) -> MeasuredDataError:
        """The error about a file in which no line has the names: what the likeliest one lacks."""
        if len(source.lines) < 3:
            return source.error(
                f"has {len(source.lines)} lines: names and at least two rows are needed"
            )
        best: list[str] = []
        for line in source.lines[:1000]:
            cells = cells_of(line, separator_of(line)) if len(line) < 20_000 else []
            score = len(cols.find_columns(cells))
            if score > len(cols.find_columns(best)) or not best:
                best = cells
        found = cols.find_columns(best)
        for quantity in (cols.TIME, cols.CURRENT, cols.VOLTAGE):
            if quantity not in found:
                return cols.missing(source, best, quantity)
        return source.error(f"no line has the names of a table; the first ones are {listed(best)}")


def _units_below(lines: list[str], header: int, separator: str) -> str:
    """The line of names with the units that stand on the next line, or "" if none do."""
    if header + 1 >= len(lines):
        return ""
    names, units = (cells_of(lines[n], separator) for n in (header, header + 1))
    written = [u for u in units if u]
    short = all(len(u) <= 12 and re.search(r"[A-Za-zµ°%Ωµ]", u) for u in written)
    units_only = short and not any(re.search(r"\d", u) for u in written)
    if len(written) < 3 or len(units) > len(names) or not units_only:
        return ""
    units = [*units, *[""] * (len(names) - len(units))]
    joined = [
        f"{n} [{u.strip('[]()')}]" if u and not re.search(r"[\[(/]", n) else n
        for n, u in zip(names, units, strict=True)
    ]
    return separator.join(joined) if is_header(joined) else ""


def _repeated_names(raw: pd.DataFrame) -> np.ndarray:
    same = np.ones(len(raw), dtype=bool)
    for place, name in enumerate(raw.columns):
        if name and "." not in name:
            same &= (raw.iloc[:, place].str.strip() == name).to_numpy()
    return same


class OwnTable(TextTable):
    """What the package itself writes."""

    name = "tidy table"
    suffixes = ".csv"
    about = '"Time [s]", "Current [A]" (positive on discharge), "Voltage [V]"; written by ssnib'
    discharge_is_positive = True

    def opens(self, source: Source) -> bool:
        """Whether the first line has its three names."""
        names = cells_of(source.start.split("\n", 1)[0].lstrip("\ufeff"), ",")
        return {cols.TIME, cols.CURRENT, cols.VOLTAGE} <= set(names)


class EcLab(TextTable):
    """Text of EC-Lab and BT-Lab, whose second line says how long its preamble is."""

    name = "EC-Lab and BT-Lab text"
    suffixes = ".mpt, .txt"
    about = (
        "BioLogic; with its preamble or without, times as numbers or dates; of a three-electrode "
        "file the cell voltage Ewe-Ece is taken"
    )

    def opens(self, source: Source) -> bool:
        """Whether the first line says so, or the names are its own."""
        first = source.start.split("\n", 1)[0]
        names = {name.strip() for name in first.split("\t")}
        own = {"ox/red", "Ns", "control/V/mA", "Ns changes"} & names
        return first.startswith(("EC-Lab ASCII FILE", "BT-Lab ASCII FILE")) or len(own) >= 2

    def first(self, source: Source) -> int:
        """As its second line says."""
        if "ASCII FILE" not in source.lines[0]:
            return 0
        second = source.lines[1] if len(source.lines) > 1 else ""
        count = re.search(r"Nb header lines\s*:\s*(\d{1,9})", second)
        if not count or not 1 <= int(count[1]) <= len(source.lines):
            raise MeasuredDataError(
                f"{source.path}: line 2 must say 'Nb header lines : N' with N lines in the file"
            )
        return int(count[1]) - 1


class Parquet(Format):
    """A table in a Parquet file (extra ``[data]``), with names as in a table of text."""

    name = "Parquet"
    suffixes = ".parquet"
    about = "the same names as in a table as text; needs `pip install 'ssnib_model[data]'`"

    def opens(self, source: Source) -> bool:
        """Whether its name or its first bytes say so."""
        return source.path.suffix == ".parquet" or source.data.startswith(b"PAR1")

    def table(self, source: Source) -> Table:
        """The columns of numbers; the first row is said to be on line 1."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise source.error("Parquet needs pyarrow: pip install 'ssnib_model[data]'") from error
        try:
            file = pq.ParquetFile(io.BytesIO(source.data))
            fields = {f.name: f.type for f in file.schema_arrow}
            names = [n for n, t in fields.items() if _of_numbers(pa.types, t)]
            # a file of some bytes may hold one value a billion times
            groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
            if sum(g.num_rows for g in groups) * max(len(names), 1) > MAX_NUMBERS:
                raise ValueError(f"more than {MAX_NUMBERS} numbers")
            raw = file.read(columns=names).to_pandas(ignore_metadata=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise source.error(f"cannot be read as Parquet: {one_line(error)}") from error
        raw = raw.loc[:, ~raw.columns.duplicated()]
        raw.index = pd.RangeIndex(1, len(raw) + 1, name="Line")
        return Table(raw)


def _of_numbers(types, kind) -> bool:
    return (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_timestamp(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    )


#: The first that opens a file reads it.
FORMATS: tuple[Format, ...] = (Parquet(), OwnTable(), EcLab(), TextTable())
