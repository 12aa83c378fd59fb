"""Files of impedance analysers: one class a format, and the list of them.

A format says whether a file is its own and gives its blocks: tables of text with a name to each
column. What the columns are, and which sign they have, is found in one place for all formats.
"""

from __future__ import annotations

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.spectrum_columns import FREQUENCY, IMAGINARY, REAL, quantity_of
from ssnib_model.tables import MAX_COLUMNS, listed

#: Spectra, and rows of all of them, that one file may have.
MAX_BLOCKS, MAX_ROWS = 10_000, 500_000

#: Lines in which the names of the columns are looked for.
MAX_PREAMBLE = 500


@dataclass
class Block:
    """A table as it stands in a file.

    Attributes
    ----------
    names : list of str
        Of its columns.
    rows : list of list of str
        Its cells.
    lines : list of int
        The line of the file that each row is on, counted from 1.
    problems : list of str
        What there is to say about it, one sentence each.
    """

    names: list[str]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, path: Path, line: int, cells: list[str]) -> None:
        """One more row, as long as the others; names at the end may have no cells."""
        while len(cells) > len(self.names) and not cells[-1]:
            cells.pop()
        needed = len(self.rows[0]) if self.rows else min(len(cells), len(self.names))
        if len(cells) != needed:
            raise MeasuredDataError(
                f"{path}: line {line} has {len(cells)} value(s), where {needed} are needed: "
                f"{' '.join(cells)[:60]!r}"
            )
        if len(self.rows) >= MAX_ROWS:
            raise MeasuredDataError(f"{path}: more than {MAX_ROWS} rows")
        self.rows.append(cells)
        self.lines.append(line)


class SpectrumFormat(ABC):
    """Spectra in files of one kind."""

    name: ClassVar[str]

    @abstractmethod
    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether a file is of this kind."""

    @abstractmethod
    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """Its tables, in order."""


class Table(SpectrumFormat):
    """A line with the names of the columns, and rows of numbers; again for each further block."""

    name = "table with names (Parstat, Powersuite, NOVA, this package's impedance.csv, others)"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether there is a line that names a frequency, a real and an imaginary part."""
        return self._header(lines) is not None

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """See `SpectrumFormat.blocks`."""
        start = self._header(lines)
        if start is None:
            raise MeasuredDataError(
                f"{path}: no line names a frequency, a real and an imaginary part of an impedance"
            )
        separator = separator_of(lines[start])
        found = [Block(names_of(cells_of(lines[start], separator)))]
        for number, line in enumerate(lines[start + 1 :], start + 2):
            if not line.strip():
                continue
            cells = cells_of(line, separator)
            if has_impedance(names := names_of(cells)):
                found.append(Block(names))
                if len(found) > MAX_BLOCKS:
                    raise MeasuredDataError(f"{path}: more than {MAX_BLOCKS} blocks")
                continue
            found[-1].add(path, number, cells)
        return found

    def _header(self, lines: Sequence[str]) -> int | None:
        for number, line in enumerate(lines[:MAX_PREAMBLE]):
            if has_impedance(names_of(cells_of(line, separator_of(line)))):
                return number
        return None


class ChInstruments(Table):
    """Text of CH Instruments, whose second line says what was done."""

    name = "CH Instruments text"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether the second line says so."""
        return len(lines) > 1 and lines[1].strip() == "A.C. Impedance"


class EcLab(Table):
    """Text of EC-Lab and BT-Lab (.mpt; PEIS, GEIS and what holds them), with its header."""

    name = "EC-Lab and BT-Lab text (PEIS, GEIS)"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether the first line says so."""
        return bool(lines) and re.match(r"(EC|BT)-Lab ASCII FILE", lines[0]) is not None

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """The rows under as many lines of header as the second line says."""
        count = re.search(r"Nb header lines\s*:\s*(\d{1,6})", lines[1]) if lines[1:] else None
        if not count or not 1 <= int(count[1]) <= len(lines):
            raise MeasuredDataError(
                f"{path}: line 2 must say 'Nb header lines : N' with N lines in the file"
            )
        start = int(count[1]) - 1
        block = Block(names_of(cells_of(lines[start], "\t")))
        if not has_impedance(block.names):
            raise MeasuredDataError(
                f"{path}: {self.name}, but without an impedance: its columns are "
                f"{listed(block.names)}"
            )
        for number, line in enumerate(lines[start + 1 :], start + 2):
            if line.strip():
                block.add(path, number, [cell.strip() for cell in line.split("\t")])
        return [block]


class Gamry(SpectrumFormat):
    """Gamry's Framework (.DTA): a table ``ZCURVE`` for each spectrum, units in its second line."""

    name = "Gamry DTA"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether the first line is that of Gamry and a table of impedance follows."""
        return bool(lines) and lines[0].strip() == "EXPLAIN"

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """Every table of impedance; those of anything else are left."""
        found: list[Block] = []
        starts = [n for n, line in enumerate(lines) if re.match(r"ZCURVE\w*\tTABLE", line)]
        if not 1 <= len(starts) <= MAX_BLOCKS:
            raise MeasuredDataError(
                f"{path}: {self.name}, but with {len(starts)} tables ZCURVE: 1 to {MAX_BLOCKS} "
                "are needed"
            )
        for start in starts:
            head = [line.strip().split("\t") for line in lines[start + 1 : start + 3]]
            if len(head) < 2 or len(head[0]) != len(head[1]):
                raise MeasuredDataError(
                    f"{path}: line {start + 2}: two lines with as many names as units must follow"
                )
            block = Block([f"{n.strip()} [{u.strip()}]" for n, u in zip(*head, strict=True)])
            for number, line in enumerate(lines[start + 3 :], start + 4):
                if not line.startswith("\t"):
                    break
                block.add(path, number, [cell.strip() for cell in line[1:].split("\t")])
            found.append(block)
        return found


class ZPlot(SpectrumFormat):
    """Scribner's ZPlot and ZView (.z), with comments above the rows."""

    name = "ZPlot (.z)"

    #: Their own names have no units, which are these.
    columns: ClassVar[list[str]] = [
        "Freq [Hz]", "Ampl", "Bias", "Time [s]", "Z' [Ohm]", "Z'' [Ohm]", "GD", "Err", "Range",
    ]  # fmt: skip

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether the first line says so."""
        return bool(lines) and re.match(r"ZPLOT\d? ASCII", lines[0].strip()) is not None

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """The rows after the comments, as many as these say."""
        ends = [n for n, line in enumerate(lines) if line.strip() == "End Comments"]
        heads = [n for n, line in enumerate(lines) if self._is_header(line, "\t")]
        if len(ends) != 1 or len(heads) != 1:
            raise MeasuredDataError(
                f"{path}: one line 'End Comments' is needed, and one with the names "
                f"Freq(Hz), ..., Z'(a), Z''(b), ... above it"
            )
        said = next(
            (
                m
                for line in lines[: ends[0]]
                if (m := re.match(r"\s*Data Points:\s*(\d{1,6})", line))
            ),
            None,
        )
        return [self._rows(path, lines, ends[0] + 1, "\t", int(said[1]) if said else None)]

    @staticmethod
    def _is_header(line: str, separator: str | None) -> bool:
        cells = [cell.strip() for cell in line.strip().strip('"').split(separator)]
        return cells[0].startswith("Freq") and "Z'(a)" in cells and "Z''(b)" in cells

    def _rows(
        self,
        path: Path,
        lines: Sequence[str],
        start: int,
        separator: str,
        said: int | None,
    ) -> Block:
        block = Block(list(self.columns))
        for number, line in enumerate(lines[start:], start + 1):
            if line.strip():
                block.add(path, number, [cell.strip() for cell in line.split(separator)])
        if said is not None and said != len(block.rows):
            block.problems.append(
                f"the header says {said} points, the file has {len(block.rows)}: the measurement "
                "was stopped, or the file is cut"
            )
        return block


class Autolab(ZPlot):
    """``Z60W``, as written by Autolab and others for ZView."""

    name = "Autolab and others for ZView (Z60W)"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether the first line says so."""
        return bool(lines) and lines[0].strip('" ').startswith("Z60W Data File")

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """The rows under the line of names; the line above it is their number."""
        heads = [n for n, line in enumerate(lines) if line.lstrip('" ').startswith("Freq")]
        if len(heads) != 1 or not re.fullmatch(r"\d{1,6}", lines[heads[0] - 1].strip()):
            raise MeasuredDataError(
                f"{path}: one line with the names Freq (Hz), ..., Z'(a), Z''(b), ... is needed, "
                "under the number of points"
            )
        said = int(lines[heads[0] - 1])
        return [self._rows(path, lines, heads[0] + 1, ",", said)]


class VersaStudio(SpectrumFormat):
    """VersaStudio (.par) of Princeton Applied Research: a ``<Segment>`` for each measurement."""

    name = "VersaStudio (.par)"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether it names the application first."""
        return [line.strip() for line in lines[:2]] == ["<Application>", "Name=VersaStudio"]

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """The segments whose definition has an impedance."""
        found: list[Block] = []
        block: Block | None = None
        for number, line in enumerate(lines, 1):
            if line.startswith("Definition="):
                names = names_of(line.removeprefix("Definition=").split(","))
                block = Block([f"{n} [Ohm]" if n in ("Z Real", "Z Imag") else n for n in names])
                if has_impedance(block.names):
                    found.append(block)
            elif line.startswith("</Segment"):
                block = None
            elif block is not None and line.strip():
                block.add(path, number, [cell.strip() for cell in line.split(",")])
        if not 1 <= len(found) <= MAX_BLOCKS:
            raise MeasuredDataError(
                f"{path}: {self.name}, but with {len(found)} segments of impedance: 1 to "
                f"{MAX_BLOCKS} are needed"
            )
        return found


class Bare(SpectrumFormat):
    """Three columns of numbers without names: frequency, real and imaginary part."""

    name = "three columns without names"

    def opens(self, path: Path, lines: Sequence[str]) -> bool:
        """Whether its first line is three numbers."""
        first = next((line for line in lines if line.strip()), "")
        cells = cells_of(first, separator_of(first))
        return len(cells) == 3 and all(_is_number(cell) for cell in cells)

    def blocks(self, path: Path, lines: Sequence[str]) -> list[Block]:
        """All lines."""
        first = next(line for line in lines if line.strip())
        block = Block(["Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]"])
        block.problems.append(
            "the columns have no names: they are taken for frequency [Hz], real and imaginary "
            "part [Ohm]"
        )
        for number, line in enumerate(lines, 1):
            if line.strip():
                block.add(path, number, cells_of(line, separator_of(first)))
        return [block]


#: The first that opens a file reads it.
SPECTRUM_FORMATS: tuple[SpectrumFormat, ...] = (
    EcLab(), Gamry(), ZPlot(), Autolab(), VersaStudio(), ChInstruments(), Table(), Bare(),
)  # fmt: skip


def has_impedance(names: Iterable[str]) -> bool:
    """Whether these are names of a frequency, a real and an imaginary part."""
    quantities = {found.name for name in names if (found := quantity_of(name))}
    return {FREQUENCY, REAL, IMAGINARY} <= quantities


def separator_of(line: str) -> str | None:
    """The separator of a line; None: blanks."""
    best = max("\t;,", key=line.count)
    return best if best in line else None


def cells_of(line: str, separator: str | None) -> list[str]:
    """The cells of a line."""
    if separator is None:
        return line.split()
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    rows: Iterator[list[str]] = csv.reader([line], delimiter=separator, skipinitialspace=True)
    try:
        return [cell.strip() for cell in next(rows, [])]
    except csv.Error:  # a cell of too many characters
        return [line]


def names_of(cells: Sequence[str]) -> list[str]:
    """Cells as names of columns, without empty ones at the end."""
    names = [cell.strip().lstrip("#").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names[: MAX_COLUMNS + 1]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", cell) is not None
