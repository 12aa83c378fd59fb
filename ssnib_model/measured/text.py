"""Text that instruments write: its characters, its table, its numbers, times and units.

Nothing here knows of a format. A table is a frame of texts whose index holds the numbers of the
lines in the file, so that whoever finds a value wrong can say where it stands.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes
from ssnib_model.tables import MAX_COLUMNS, check_cells, one_line
from ssnib_model.units import convert

#: Bytes and lines of the file of an instrument (a week at one point a second has some 20
#: million bytes in 600 thousand lines).
MAX_SIZE, MAX_ROWS = 100_000_000, 2_000_000

#: Lines before the table that are looked through for its names.
MAX_PREAMBLE = 20_000

#: Characters of the name of a column that are looked at.
MAX_NAME = 100


@dataclass(frozen=True)
class Source:
    """A file that was read into memory; what is worked out from its bytes is worked out once."""

    path: Path
    data: bytes

    @classmethod
    def read(cls, path: Path, limit: int) -> Source:
        """A file of at most ``limit`` bytes.

        Raises
        ------
        MeasuredDataError
            If it cannot be read, or is larger.
        """
        try:
            return cls(path, read_bytes(path, limit))
        except OSError as error:
            raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error

    @functools.cached_property
    def text(self) -> str:
        """As text, with ``\\n`` between lines."""
        return decode(self.data)

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines of `text`.

        Raises
        ------
        MeasuredDataError
            If there are more than `MAX_ROWS`.
        """
        # of some instruments each line stands in quotes as a whole
        lines = [
            line[1:-1] if line[:1] == '"' == line[-1:] and line.count('"') == 2 else line
            for line in self.text.rstrip("\n").split("\n")
        ]
        if len(lines) > MAX_ROWS:
            raise self.error(f"has {len(lines)} lines: at most {MAX_ROWS} are allowed")
        return lines

    @functools.cached_property
    def start(self) -> str:
        """The first characters, to know a format by."""
        return decode(self.data[:4000])

    def error(self, message: str, line: int | None = None) -> MeasuredDataError:
        """An error about the file, or about one of its lines."""
        where = f"{self.path}: line {line}" if line else f"{self.path}:"
        return MeasuredDataError(f"{where}{',' if line else ''} {message}")


def decode(data: bytes) -> str:
    """Text of an instrument, whatever its encoding: UTF-8, UTF-16, GBK or Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    elif len(data) > 3 and data[1:200:2].count(0) > 0.8 * len(data[1:200:2]):
        text = data.decode("utf-16-le", errors="replace")
    else:
        text = _decode_bytes(data)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_bytes(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        # a lone high byte is a degree sign in Latin-1; Chinese characters have two each
        if encoding == "gb18030" and not _all_in_pairs(data):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            # the first characters of a longer text may end within one
            if len(data) - error.start < 4 and error.start:
                return data[: error.start].decode(encoding)
    return data.decode("latin-1")


def _all_in_pairs(data: bytes) -> bool:
    return all(len(run) % 2 == 0 for run in re.findall(rb"[\x81-\xfe][\x40-\xfe]?", data))


# ---------------------------------------------------------------------------------------------
# tables


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of one line; ``" "`` separates by any white space."""
    if separator == " ":
        return line.split()
    if '"' in line:
        # a cell of more than 131072 characters is no cell
        with contextlib.suppress(csv.Error):
            return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    return [cell.strip() for cell in line.split(separator)]


def separator_of(line: str) -> str:
    """What separates the cells of a line: a tab, a semicolon, a comma or white space."""
    best = max("\t;,", key=line.count)
    return best if best in line else " "


def find_header(
    lines: Sequence[str], is_header: Callable[[list[str]], bool], first: int = 0
) -> tuple[int, str] | None:
    """The place of the line that holds the names of a table, and its separator.

    Parameters
    ----------
    lines : sequence of str
        The file.
    is_header : callable
        Whether cells are such names.
    first : int
        Where to begin.

    Returns
    -------
    (int, str) or None
        The index in ``lines`` and the separator; None if there is none in the first
        `MAX_PREAMBLE` lines.
    """
    for place, line in enumerate(lines[first : first + MAX_PREAMBLE], start=first):
        # a table that is worth reading has three columns, and is no page of text
        if not line or len(line) > MAX_NAME * MAX_COLUMNS:
            continue
        separator = separator_of(line)
        cells = cells_of(line, separator)
        if len(cells) >= 2 and is_header(cells):
            return place, separator
    return None


def read_table(
    source: Source,
    header: int,
    separator: str,
    lines: Sequence[str] | None = None,
    stop: int = -1,
    extra: bool = False,
) -> pd.DataFrame:
    """A table as texts, with the numbers of its lines as index.

    Parameters
    ----------
    source : Source
        The file.
    header : int
        Index of the line of names in its lines.
    separator : str
        As from `separator_of`.
    lines : sequence of str, optional
        The lines instead of those of the file: some may be emptied, none left out.
    stop : int
        Index of the line after the last one.
    extra : bool
        Whether rows may have more cells than there are names; they are left out.

    Returns
    -------
    pandas.DataFrame
        Lines that are empty, or hold empty cells only, are left out. A second column of the same
        name is called "name.1", a column without a name "".

    Raises
    ------
    MeasuredDataError
        If it is no table, or a row has more cells than there are names.
    """
    lines = source.lines if lines is None else lines
    stop = len(lines) if stop < 0 else stop
    blank = {"", *(separator, " ", "\t", ";", ",")}
    kept = [n for n in range(header + 1, stop) if not set(lines[n]) <= blank]
    text = "\n".join(lines[n] for n in kept)
    names = cells_of(lines[header], separator)
    try:
        check_cells(text, "\\s" if separator == " " else separator)
        if not kept:
            raise ValueError("there is no line after the names")
        table = pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if separator == " " else separator,
            dtype=str,
            header=None,
            names=range(max(len(names), _widest(lines, kept, separator))),
            keep_default_na=False,
            skipinitialspace=True,
            index_col=False,
        )
    except (ValueError, csv.Error) as error:
        raise source.error(f"from line {header + 1}: {one_line(error)}") from error
    if len(table) != len(kept):
        raise source.error(f"from line {header + 1}: a quote is not closed on its line")
    table.index = pd.Index(np.array(kept) + 1, name="Line")
    nameless = table.iloc[:, len(names) :]
    table = table.iloc[:, : len(names)]
    for column in [] if extra else nameless:
        # a separator at the end of each line is a habit; a value without a name is a mistake
        filled = nameless.index[nameless[column].fillna("").str.strip() != ""]
        if len(filled):
            raise source.error("has more cells than there are names", int(filled[0]))
    table.columns = pd.Index(_distinct(names))
    return table.fillna("")


def _widest(lines: Sequence[str], kept: Sequence[int], separator: str) -> int:
    if separator == " ":
        return max(len(lines[n].split()) for n in kept) if kept else 0
    # the widest by its separators is the widest, or wider than it: quotes may hold some
    return min(max((lines[n].count(separator) for n in kept), default=0) + 1, MAX_COLUMNS + 1)


def _distinct(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        distinct.append(f"{name}.{count}" if count else name)
    return distinct


# ---------------------------------------------------------------------------------------------
# names and units

#: A unit as it stands behind a name: [s], (s), / s, and "Cap. [Ah]".
_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:\[(?P<b>[^\]]*)\]|\((?P<p>[^)]*)\)|/\s*(?P<s>[^/]+)|#(?P<n>[^#]+))\s*$"
)

_SPELLINGS = {
    "s": r"s|sec|secs|second|seconds|秒",
    "min": r"min|mins|minute|minutes|分",
    "h": r"h|hr|hrs|hour|hours|时|小时",
    "ms": r"ms|millisecond|milliseconds",
    "d": r"d|day|days",
    "h:m:s": r".*h+.*:m+.*:s+.*",
    "V": r"v|volt|volts|伏",
    "mV": r"mv|millivolt|millivolts",
    "A": r"a|amp|amps|ampere|amperes|安",
    "mA": r"ma|mamp|mamps|milliampere|milliamps",
    "uA": r"[uµμ]a|microampere|microamps",
    "nA": r"na|nanoampere",
    "A.h": r"a[.·*\- ]?h|ah?r|amp-?hr|ampere[_ ]?hours?",
    "mA.h": r"ma[.·*\- ]?h|mahr|mamp-?hr|milliampere[_ ]?hours?",
    "uA.h": r"[uµμ]a[.·*\- ]?h",
    "A.s": r"a[.·*]?s|c|coulombs?",
    "degC": r"[°ºo�℃]c?|deg[. _]?c|c|℃|celsius|degrees? celsius",
    "K": r"k|kelvin",
}
_PATTERNS = {unit: re.compile(f"(?:{p})", re.IGNORECASE) for unit, p in _SPELLINGS.items()}

#: How the machine names of Battery Data Format end.
_MACHINE = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)_(?P<u>second|hour|minute|millisecond|volt|millivolt|ampere"
    r"|milliampere|ah|mah|ampere_hour|celsius|degc|kelvin|ohm|hertz|hz|watt|wh|s|v|a|c)$"
)


def split_name(name: str) -> tuple[str, str]:
    """A name and its unit as it is written; "" where it has none.

    Examples
    --------
    >>> split_name("Q charge/discharge/mA.h"), split_name("test_time_second")
    (('Q charge/discharge', 'mA.h'), ('test_time', 'second'))
    """
    name = str(name)[:MAX_NAME].strip()
    machine = _MACHINE.fullmatch(name)
    if machine:
        return machine["name"], machine["u"]
    match = _UNIT.fullmatch(name)
    if not match:
        return name, ""
    return match["name"].strip(), (
        match["b"] or match["p"] or match["s"] or match["n"] or ""
    ).strip()


def known_unit(written: str, of: str) -> str:
    """The unit as `ssnib_model.units` writes it, of those that convert to ``of``."""
    # "C" is a temperature or a charge: by what the column is
    bare = written.strip().rstrip(".")
    for unit, pattern in _PATTERNS.items():
        if pattern.fullmatch(bare) and _same_kind(unit, of):
            return unit
    return bare


def _same_kind(unit: str, of: str) -> bool:
    try:
        convert(1.0, "s" if unit == "h:m:s" else unit, of)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------------------------------------
# numbers


_NO_VALUE = ("", "nan", "n/a", "na", "-", "--", "none")


def numbers(source: Source, column: pd.Series, decimal: str = "") -> np.ndarray:
    """A column as numbers; empty cells are NaN.

    Parameters
    ----------
    source : Source
        The file, for the message.
    column : pandas.Series
        Texts or numbers, with the lines as index and the column's name.
    decimal : str
        What separates decimals in this file, as from `decimal_of`: then the other one of comma
        and point stands between thousands. By default, either stands before decimals.

    Raises
    ------
    MeasuredDataError
        If a cell holds anything else.
    """
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        empty = np.isnan(values)
        text = column
    else:
        text = column.astype(str).str.strip()
        plain = text
        if text.str.contains(",", regex=False).any() or decimal == ",":
            if decimal == ".":
                plain = text.str.replace(",", "", regex=False)
            elif decimal == ",":
                plain = text.str.replace(r"[.](?=\d{3}(?:\D|$))", "", regex=True)
                plain = plain.str.replace(",", ".", regex=False)
            else:
                plain = text.str.replace(",", ".", regex=False)
        values = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, copy=True)
        odd = np.flatnonzero(~np.isfinite(values))
        # spaces between thousands; words for no value
        again = plain.iloc[odd].str.replace(r"[\s\u00a0']", "", regex=True)
        values[odd] = pd.to_numeric(again, errors="coerce").to_numpy(dtype=float)
        empty = np.zeros(len(text), dtype=bool)
        empty[odd] = text.iloc[odd].str.lower().isin(_NO_VALUE)
    bad = np.flatnonzero(~np.isfinite(values) & ~empty)
    if bad.size:
        raise source.error(
            f"column '{str(column.name)[:60]}' is {str(text.iloc[bad[0]])[:60]!r}: a finite "
            "number was expected",
            int(column.index[bad[0]]),
        )
    return values


def decimal_of(source: Source, table: pd.DataFrame, separator: str) -> str:
    """What separates decimals in a table: "," or ".".

    A comma in a cell is a decimal comma, unless other cells have decimal points: then it stands
    between thousands.

    Raises
    ------
    MeasuredDataError
        If commas may be either: 1,001 may be one or a thousand.
    """
    if separator == "," and '"' not in source.text:
        return "."
    doubtful = ""
    for name in table.columns:
        cells = table[name].iloc[:50_000].astype(str).str.strip()
        cells = cells[cells.str.fullmatch(r"[+-]?\d[\d\s]*(?:[.,]\d+)*(?:[eE][+-]?\d+)?")]
        # a date has two points
        points = cells.str.count(r"\.") == 1
        commas = cells.str.contains(",", regex=False)
        if (points & commas).any():
            return max(",.", key=cells[points & commas].iloc[0].rfind)
        if points.any():
            return "."
        if (commas & ~cells.str.fullmatch(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")).any():
            return ","
        if commas.any() and separator == ",":
            doubtful = doubtful or str(cells[commas].iloc[0])
    if doubtful:
        raise source.error(
            f"{doubtful!r} may be a decimal comma or have thousands apart: write the table with "
            "decimal points"
        )
    return "," if separator != "," else "."
