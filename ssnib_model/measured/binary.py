"""Binary files of cyclers, through libraries of the extra ``[formats]``; all are optional.

Each class hands a table to what is common to all formats; columns keep the names that the library
or the instrument gives them. BioLogic's .mpr is known and refused: the libraries that read it are
under the GPL, its text export is read.
"""

from __future__ import annotations

import importlib
import io
import logging
import zipfile
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.columns import Table, is_header
from ssnib_model.measured.formats import ARBIN_UNITS, Format
from ssnib_model.measured.text import MAX_ROWS, Source
from ssnib_model.tables import MAX_COLUMNS, listed, one_line

#: Bytes that a packed file may unpack to.
MAX_UNPACKED = 1_000_000_000


class BinaryFormat(Format):
    """A format that a library reads."""

    #: What is installed, and what is imported.
    library: ClassVar[str]
    module: ClassVar[str]

    @abstractmethod
    def read(self, source: Source, module: Any) -> Table:
        """The table, by the library."""

    def table(self, source: Source) -> Table:
        """The table in it.

        Raises
        ------
        MeasuredDataError
            If the library is missing, or cannot read the file.
        """
        try:
            module = importlib.import_module(self.module)
        except ImportError as error:
            raise source.error(
                f"{self.name} needs {self.library}: pip install 'ssnib_model[formats]'"
            ) from error
        _check_unpacked(source)
        return self._guarded(source, lambda: self.read(source, module))

    def _guarded(self, source: Source, read: Callable[[], Table]) -> Table:
        try:
            table = read()
        except (MeasuredDataError, KeyboardInterrupt, SystemExit):
            raise
        # a broken file makes these libraries fail in any way, a panic of Rust's among them
        except BaseException as error:
            raise source.error(
                f"cannot be read as {self.name} by {self.library}: "
                f"{one_line(error) or type(error).__name__}"  # type: ignore[arg-type]
            ) from error
        if len(table.raw) > MAX_ROWS or table.raw.shape[1] > MAX_COLUMNS:
            raise source.error(f"has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns")
        return table


def _check_unpacked(source: Source) -> None:
    if not source.data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile as error:
        raise source.error(f"is no whole file: {one_line(error)}") from error
    if size > MAX_UNPACKED:
        raise source.error(f"unpacks to {size} bytes: at most {MAX_UNPACKED} are allowed")


class Spreadsheet(BinaryFormat):
    """Workbooks that Arbin, Neware, Land and others export."""

    name = "spreadsheet"
    suffixes = ".xlsx, .xls"
    about = (
        "of Arbin, Neware, Landt and others: all sheets whose names of columns are the same as "
        "those of the first one with time, current and voltage; needs python-calamine"
    )
    library = "python-calamine"
    module = "python_calamine"

    def opens(self, source: Source) -> bool:
        """Whether its name or its parts say so."""
        return source.path.suffix.lower() in (".xlsx", ".xls", ".xlsm", ".xlsb") or (
            source.data.startswith(b"PK") and b"xl/workbook.xml" in source.data
        )

    def read(self, source: Source, module: Any) -> Table:
        """Sheets with the same names, one after the other."""
        book = module.CalamineWorkbook.from_filelike(io.BytesIO(source.data))
        found: list[pd.DataFrame] = []
        used: list[str] = []
        seen: list[str] = []
        for sheet in book.sheet_names:
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            place = next(
                (n for n, row in enumerate(rows[:200]) if is_header([_text(c) for c in row])), None
            )
            if place is None:
                seen += [_text(cell) for row in rows[:1] for cell in row]
                continue
            names = [_text(cell) for cell in rows[place]]
            raw = pd.DataFrame(rows[place + 1 :], columns=names, dtype=object)
            raw.index = pd.RangeIndex(place + 2, place + 2 + len(raw), name="Line")
            raw = raw.loc[:, [bool(n) for n in names]]
            raw = raw.loc[:, ~raw.columns.duplicated()]
            if found and list(raw.columns) != list(found[0].columns):
                continue
            found.append(raw[(raw != "").any(axis=1)])
            used.append(sheet)
        if not found:
            raise source.error(
                f"no sheet of {listed(book.sheet_names)} has columns for time, current and "
                f"voltage with their units; there are {listed(seen)}"
            )
        raw = pd.concat(found).apply(_typed)
        remarks = [f"sheets {', '.join(used)} are read"] if len(book.sheet_names) > 1 else []
        units = ARBIN_UNITS if "Test_Time" in raw.columns else {}
        return Table(raw, remarks=remarks, units=units)


def _text(cell: Any) -> str:
    return str(cell).strip()


def _typed(column: pd.Series) -> pd.Series:
    """Numbers and dates as such, where all cells are; anything else as text."""
    filled = column[column != ""]
    kinds = {type(value).__name__ for value in filled}
    if kinds <= {"int", "float", "bool"}:
        return pd.to_numeric(column.where(column != ""), errors="coerce")
    if kinds == {"datetime"} and len(filled) == len(column):
        return pd.to_datetime(column)
    return column.astype(str)


class NewareBinary(BinaryFormat):
    """Neware's .nda and .ndax, by fastnda (BSD-3-Clause)."""

    name = "Neware binary"
    suffixes = ".nda, .ndax"
    about = "needs fastnda"
    library = "fastnda"
    module = "fastnda"

    def opens(self, source: Source) -> bool:
        """Whether its name or its first bytes say so."""
        return source.path.suffix.lower() in (".nda", ".ndax") or source.data.startswith(b"NEWARE")

    def read(self, source: Source, module: Any) -> Table:
        """The records, with units in brackets."""
        logging.getLogger(self.module).setLevel(logging.ERROR)
        frame = module.read(source.path)
        known = {
            "voltage_V": "voltage [V]", "current_mA": "current [mA]",
            "total_time_s": "total time [s]", "step_time_s": "step time [s]",
            "unix_time_s": "unix time", "cycle_count": "cycle", "step_count": "step count",
            "step_type": "step type", "capacity_mAh": "capacity [mAh]",
            "charge_capacity_mAh": "charge capacity [mAh]",
            "discharge_capacity_mAh": "discharge capacity [mAh]",
        }  # fmt: skip
        named = {name: known[name] for name in frame.columns if name in known}
        raw = pd.DataFrame(
            {new: pd.Series(frame[old].to_list()) for old, new in named.items()},
        )
        if "step type" in raw:
            raw["step type"] = raw["step type"].astype(str)
        raw.index = pd.RangeIndex(1, len(raw) + 1, name="Line")
        return Table(raw)


class ArbinBinary(BinaryFormat):
    """Arbin's .res, a database of Access, by access-parser (Apache-2.0)."""

    name = "Arbin binary"
    suffixes = ".res"
    about = "needs access-parser"
    library = "access-parser"
    module = "access_parser"

    def opens(self, source: Source) -> bool:
        """Whether its name or its first bytes say so."""
        return source.path.suffix.lower() == ".res" or b"Standard Jet DB" in source.data[:40]

    def read(self, source: Source, module: Any) -> Table:
        """The records of the one test in it."""
        parsed = module.AccessParser(str(source.path)).parse_table("Channel_Normal_Table")
        raw = pd.DataFrame({name: pd.Series(values) for name, values in parsed.items()})
        if raw.empty:
            raise source.error("its table of records, Channel_Normal_Table, is empty")
        tests = sorted(set(raw.get("Test_ID", [])))
        if len(tests) > 1:
            raise source.error(f"holds the tests {tests}: one file for each is needed")
        if "Data_Point" in raw:
            raw = raw.sort_values("Data_Point", kind="stable")
        raw.index = pd.RangeIndex(1, len(raw) + 1, name="Line")
        return Table(raw, units=ARBIN_UNITS)


class BiologicBinary(Format):
    """BioLogic's .mpr, which is refused with what to do."""

    name = "BioLogic binary"
    suffixes = ".mpr"
    about = "not read, as its libraries are under the GPL: export it as text (.mpt), which is"

    def opens(self, source: Source) -> bool:
        """Whether its first bytes say so."""
        return source.data.startswith(b"BIO-LOGIC MODULAR FILE")

    def table(self, source: Source) -> Table:
        """Nothing.

        Raises
        ------
        MeasuredDataError
            Always.
        """
        raise source.error(
            "is EC-Lab's binary format, which is not read: export it as text (Experiment > "
            "Export as Text in EC-Lab), and read the .mpt"
        )
