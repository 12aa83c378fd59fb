"""Files of cyclers as text: one class a format.

A new format is a class here and in the list of `registry`: it says whether a file is its own
("can I open this") and gives its table; where its columns have names of their own, it says these.
"""

from __future__ import annotations

import io
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured import columns as cols
from ssnib_model.measured.columns import Table, decimal_mark, is_header
from ssnib_model.measured.file_format import FileFormat
from ssnib_model.measured.signs import direction_of
from ssnib_model.measured.text import Source, cells_of, find_header, read_table, separator_of
from ssnib_model.tables import listed, one_line

#: Numbers in a Parquet file.
MAX_NUMBERS = 20_000_000


#: Of Arbin's columns where their names say none.
ARBIN_UNITS = {
    cols.TIME: "s", cols.STEP_TIME: "s", cols.CURRENT: "A", cols.VOLTAGE: "V",
    cols.CHARGED: "A.h", cols.DISCHARGED: "A.h",
}  # fmt: skip


class Format(FileFormat):
    """Files of one kind: whether a file is one, and the table in it."""

    #: Names of its columns, where they are not in `columns.NAMES`: quantity -> names.
    names: ClassVar[Mapping[str, str]] = {}
    #: Whether its current is positive on discharge.
    discharge_is_positive: ClassVar[bool] = False

    @abstractmethod
    def table(self, source: Source) -> Table:
        """The table in it.

        Raises
        ------
        MeasuredDataError
            If it cannot be read.
        """


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
        packed = source.data.startswith((b"\x1f\x8b", b"PK", b"BZh", b"\xfd7zXZ"))
        if packed or re.search(r"[\x00-\x08\x0e-\x1a]", source.start):
            return source.error(
                "is packed: unpack it first"
                if packed
                else "is a binary file of no kind that is read"
            )
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
        if any(cols.is_frequency(name) for name in best):
            return source.error("looks like a spectrum: ss.read_spectrum reads these")
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


class Marked(TextTable):
    """A table of an instrument, known by words in the first 4000 characters of the file."""

    #: What is found in such a file, as a pattern.
    mark: ClassVar[str]

    def opens(self, source: Source) -> bool:
        """Whether its words are in the file."""
        return re.search(self.mark, source.start, re.IGNORECASE | re.MULTILINE) is not None


class OwnTable(TextTable):
    """What the package itself writes."""

    name = "tidy table"
    suffixes = ".csv"
    about = '"Time [s]", "Current [A]" (positive on discharge), "Voltage [V]"; written by ssnib'
    discharge_is_positive = True

    def opens(self, source: Source) -> bool:
        """Whether the first line has its three names."""
        names = cells_of(source.start.split("\n", 1)[0], ",")
        return {cols.TIME, cols.CURRENT, cols.VOLTAGE} <= set(names)


class BatteryDataFormat(Marked):
    """Battery Data Format: machine names (test_time_second) or human ones (Test Time / s)."""

    name = "Battery Data Format"
    suffixes = ".bdf.csv, .csv"
    about = (
        "machine and human names; the sign is that of its own two capacities, where it has them"
    )
    mark = r"^(?:.*,)?\"?(?:test_time_\w+|Test Time / )"


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

    def table(self, source: Source) -> Table:
        """As any table; that of an open circuit has no current, and gets one of none."""
        if "Open Circuit Voltage" not in source.start:
            return super().table(source)

        def is_open(cells: list[str]) -> bool:
            found = cols.find_columns(cells)
            return cols.TIME in found and cols.VOLTAGE in found

        found = find_header(source.lines, is_open, self.first(source))
        if found is None:
            raise self.without_header(source)
        table = self.below(source, *found)
        if cols.CURRENT not in cols.find_columns(table.raw.columns):
            table.raw["I/mA"] = "0"
            table.remarks.append("technique Open Circuit Voltage: its current is none")
        return table

    def first(self, source: Source) -> int:
        """As its second line says."""
        if "ASCII FILE" not in source.lines[0]:
            return 0
        second = source.lines[1] if len(source.lines) > 1 else ""
        count = re.search(r"Nb header lines\s*:\s*(\d{1,9})", second)
        if not count or not 1 <= int(count[1]) <= len(source.lines):
            raise source.error("line 2 must say 'Nb header lines : N' with N lines in the file")
        return int(count[1]) - 1


class Novonix(Marked):
    """Novonix: a summary, the protocol and the table, once more each time the test went on."""

    name = "Novonix text"
    suffixes = ".csv"
    about = "several [Summary] ... [Data] blocks in one file are put one after the other"
    mark = r"^\W*\[Summary\]"

    def table(self, source: Source) -> Table:
        """The tables below each [Data], as one."""
        starts = [n for n, line in enumerate(source.lines) if line.strip() == "[Data]"]
        ends = [n for n, line in enumerate(source.lines) if line.strip() == "[Summary]"]
        if not starts:
            raise source.error("no line is '[Data]': the table of a Novonix file stands below it")
        tables = []
        for start in starts:
            stop = min((n for n in ends if n > start), default=len(source.lines))
            header = start + 1
            if header >= stop or not is_header(cells_of(source.lines[header], ",")):
                raise source.error("[Data] is followed by no names of a table", start + 1)
            if stop > header + 1:
                # newer ones write cells without a name behind those with one
                tables.append(read_table(source, header, ",", stop=stop, extra=True))
        if not tables:
            raise source.error("no row stands below [Data]")
        raw = pd.concat(tables).fillna("")
        sizes = np.cumsum([0, *(len(t) for t in tables[:-1])])
        return Table(raw, ".", blocks=tuple(int(n) for n in sizes))


class Maccor(Marked):
    """Text exports of Maccor, in their many headers."""

    name = "Maccor text"
    suffixes = ".txt, .csv, .001 ..."
    about = "signed by the states C, D and R; times as d h:m:s, seconds or minutes"
    mark = r"^(?:Today'+s Date|Rec#?[\t,]|Tester\tMaccor)"

    def table(self, source: Source) -> Table:
        """As any table; currents and voltages without unit are in A and V."""
        table = super().table(source)
        table.units = {cols.CURRENT: "A", cols.VOLTAGE: "V", cols.CAPACITY: "A.h"}
        return table


class Basytec(Marked):
    """Text of Basytec, whose preamble and names begin with ~."""

    name = "Basytec text"
    suffixes = ".txt"
    about = "lines above the names begin with ~"
    mark = r"^~(?:Resultfile from Basytec|Time\[)"


class Pec(Marked):
    """Tables of PEC."""

    name = "PEC text"
    suffixes = ".csv"
    about = "times as h:m:s; preamble of the test's regime"
    mark = r"^(?:TestRegime \w+:|Test,Cell,Rack,Shelf)"


class Digatron(Marked):
    """Tables of Digatron, with units behind # or on the next line."""

    name = "Digatron text"
    suffixes = ".csv"
    about = "units behind # or below the names"
    mark = r"Program Duration|AhStep"


class Neware(Marked):
    """Flat tables of Neware: a row is a record."""

    name = "Neware text"
    suffixes = ".csv, .txt"
    about = "flat: a row is a record, steps named by CC Chg, CC_DChg ...; English or Chinese"
    mark = r"(?:^|[,\t\"])(?:Record (?:ID|number)|DataPoint|Step Type|工步|数据序号|记录号)"


class LayeredNeware(Neware):
    """Layered tables of Neware: lines of cycles, of steps and of records in one file."""

    name = "Neware text, layered"
    about = "cycles, steps and records on lines of their own, each with names in the first lines"

    def opens(self, source: Source) -> bool:
        """Whether the names of records stand behind empty cells."""
        if not super().opens(source):
            return False
        return any(self._depth(line)[1] for line in source.start.split("\n")[1:6])

    def _depth(self, line: str) -> tuple[int, bool]:
        """Empty cells at the start of a line, and whether names of records follow them."""
        separator = separator_of(line)
        cells = cells_of(line, separator)
        depth = next((n for n, cell in enumerate(cells) if cell), 0)
        return depth, depth > 0 and is_header(cells)

    def table(self, source: Source) -> Table:
        """The records; steps and cycles from the lines above them."""
        lines = list(source.lines)
        header = next((n for n, line in enumerate(lines[:6]) if self._depth(line)[1]), None)
        if header is None:
            raise self.without_header(source)
        separator = separator_of(lines[header])
        depth = self._depth(lines[header])[0]
        step, cycle, state = 0, 0, ""
        above: dict[int, tuple[int, int, str]] = {}
        for n in range(header + 1, len(lines)):
            cells = cells_of(lines[n], separator)
            if not any(cells[:depth]) and any(cells[depth:]):
                above[n + 1] = (step, cycle, state)
                continue
            if cells and cells[0]:
                cycle = int(cells[0]) if cells[0].isdigit() else cycle + 1
            word = next((c for c in cells if c and not np.isnan(direction_of(c))), "")
            if word or not (cells and cells[0]):
                step, state = step + 1, word or state
            lines[n] = ""
        raw = read_table(source, header, separator, lines)
        known = pd.DataFrame([above[n] for n in raw.index], index=raw.index)
        raw = raw.loc[:, [bool(name) for name in raw.columns]]
        raw["Step Index"], raw["Cycle Index"] = known[0], known[1]
        table = Table(raw, decimal_mark(source, raw, separator))
        table.states = known[2]
        return table


class Landt(Marked):
    """Tables of Land and Landt."""

    name = "Land and Landt text"
    suffixes = ".csv, .txt"
    about = "names such as TestTime/Sec., Current/mA; English or Chinese (GBK)"
    mark = r"TestTime/Sec|StepTime/Sec|SysTime|测试时间|过程"


class Arbin(Marked):
    """Tables of Arbin, with units in their names or without."""

    name = "Arbin text"
    suffixes = ".csv"
    about = "units in the names or, without any, s, A, V and A.h"
    mark = r"(?:Data_Point|Data Point|Test_Time|Test Time \(s\)).*Cycle[_ ]Index"

    def table(self, source: Source) -> Table:
        """As any table; without units it is in SI and A.h."""
        table = super().table(source)
        table.units = ARBIN_UNITS
        return table


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
