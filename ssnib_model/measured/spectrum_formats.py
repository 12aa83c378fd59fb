"""Files of impedance analysers: one class a format, and the list of them.

A format says whether a file is its own ("can I open this") and gives the tables in it. What the
columns are, and which sign they have, is found in one place for all formats.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.file_format import FileFormat
from ssnib_model.measured.spectrum_columns import FREQUENCY, IMAGINARY, REAL, quantity_of
from ssnib_model.measured.text import Source, cells_of, find_header, read_table, separator_of
from ssnib_model.tables import listed

#: Tables of spectra that one file may have.
MAX_BLOCKS = 5_000


@dataclass
class Block:
    """A table as it stands in a file.

    Attributes
    ----------
    raw : pandas.DataFrame
        Texts, with the lines of the file as index.
    separator : str
        Between its cells.
    problems : list of str
        What there is to say about it, one sentence each.
    """

    raw: pd.DataFrame
    separator: str
    problems: list[str] = field(default_factory=list)


class SpectrumFormat(FileFormat):
    """Files of one kind: whether a file is one, and the tables of spectra in it."""

    @abstractmethod
    def blocks(self, source: Source) -> list[Block]:
        """Its tables, in order, at least one.

        Raises
        ------
        MeasuredDataError
            If there is none, or one cannot be read.
        """

    def found(self, source: Source, blocks: list[Block]) -> list[Block]:
        """The blocks, if it is a number that is allowed."""
        if not 1 <= len(blocks) <= MAX_BLOCKS:
            raise source.error(
                f"{self.name}, but with {len(blocks)} tables of impedance: 1 to {MAX_BLOCKS} are "
                "needed"
            )
        return blocks


class NamedTable(SpectrumFormat):
    """A line with the names of the columns, and rows of numbers; again for each further block."""

    name = "table with names"
    suffixes = ".csv, .txt, .tsv"
    about = (
        "any table whose names of frequency, real and imaginary part are known: Parstat (cycling "
        "rows before the impedance are left out), Powersuite, Autolab's NOVA, and the "
        "`impedance.csv` of this package"
    )

    def opens(self, source: Source) -> bool:
        """Whether there is a line that names a frequency, a real and an imaginary part."""
        return find_header(source.lines, has_impedance) is not None

    def blocks(self, source: Source) -> list[Block]:
        """A table under each line of names."""
        starts: list[tuple[int, str]] = []
        found = find_header(source.lines, has_impedance)
        while found and len(starts) <= MAX_BLOCKS:
            starts.append(found)
            found = find_header(source.lines, has_impedance, found[0] + 1)
        stops = [place for place, _ in starts[1:]] + [len(source.lines)]
        blocks = [
            Block(read_table(source, place, separator, stop=stop), separator)
            for (place, separator), stop in zip(starts[: MAX_BLOCKS + 1], stops, strict=False)
        ]
        return self.found(source, blocks)


class ChInstruments(NamedTable):
    """Text of CH Instruments, whose second line says what was done."""

    name = "CH Instruments"
    suffixes = ".txt"
    about = "what the instrument exports as text, with its settings above the table"

    def opens(self, source: Source) -> bool:
        """Whether the second line says so."""
        return source.start.split("\n")[1:2] == ["A.C. Impedance"]


class EcLabSpectrum(SpectrumFormat):
    """Text of EC-Lab and BT-Lab (.mpt) with its header."""

    name = "EC-Lab and BT-Lab"
    suffixes = ".mpt"
    about = "PEIS, GEIS, and techniques that hold them; cycles are spectra of their own"

    def opens(self, source: Source) -> bool:
        """Whether the first line says so."""
        return re.match(r"(EC|BT)-Lab ASCII FILE", source.start) is not None

    def blocks(self, source: Source) -> list[Block]:
        """The rows under as many lines of header as the second line says."""
        lines = source.lines
        count = re.search(r"Nb header lines\s*:\s*(\d{1,6})", lines[1]) if lines[1:] else None
        if not count or not 1 <= int(count[1]) <= len(lines):
            raise source.error("line 2 must say 'Nb header lines : N' with N lines in the file")
        header = int(count[1]) - 1
        names = cells_of(lines[header], "\t")
        if not has_impedance(names):
            raise source.error(f"{self.name}, but without an impedance: it has {listed(names)}")
        return [Block(read_table(source, header, "\t"), "\t")]


class Gamry(SpectrumFormat):
    """Gamry's Framework (.DTA): a table ``ZCURVE`` for each spectrum, units in its second line."""

    name = "Gamry"
    suffixes = ".DTA"
    about = "every table ZCURVE is a spectrum; those of anything else are left out"

    def opens(self, source: Source) -> bool:
        """Whether it begins as Gamry's files do."""
        return source.start.startswith("EXPLAIN\n")

    def blocks(self, source: Source) -> list[Block]:
        """Every table of impedance."""
        lines = list(source.lines)
        blocks = []
        starts = [n for n, line in enumerate(lines) if re.match(r"ZCURVE\w*\tTABLE", line)]
        for start in starts[: MAX_BLOCKS + 1]:
            head = [cells_of(line, "\t") for line in lines[start + 1 : start + 3]]
            if len(head) < 2 or len(head[0]) != len(head[1]):
                raise source.error(
                    "a line of names and one of as many units are needed", start + 2
                )
            names = [f"{n} [{u}]" if u else n for n, u in zip(*head, strict=True)]
            lines[start + 2] = "\t".join(names)
            stop = start + 3
            while stop < len(lines) and lines[stop].startswith("\t"):
                stop += 1
            blocks.append(Block(read_table(source, start + 2, "\t", lines, stop), "\t"))
        return self.found(source, blocks)


class ZPlot(SpectrumFormat):
    """Scribner's ZPlot and ZView (.z), with comments above the rows."""

    name = "ZPlot"
    suffixes = ".z"
    about = "Scribner's ZPlot and ZView"
    separator = "\t"

    #: Its own names have no units, which are these.
    columns: ClassVar[tuple[str, ...]] = (
        "Freq [Hz]", "Ampl", "Bias", "Time [s]", "Z' [Ohm]", "Z'' [Ohm]", "GD", "Err", "Range",
    )  # fmt: skip

    def opens(self, source: Source) -> bool:
        """Whether the first line says so."""
        return re.match(r"ZPLOT\d? ASCII", source.start) is not None

    def blocks(self, source: Source) -> list[Block]:
        """The rows after the comments, as many as these say."""
        lines = source.lines
        ends = [n for n, line in enumerate(lines) if line.strip() == "End Comments"]
        if len(ends) != 1:
            raise source.error(f"has {len(ends)} lines 'End Comments': one is needed")
        heads = [line for line in lines[: ends[0]] if self.has_names(line)]
        if len(heads) != 1:
            raise source.error("one line with the names Freq(Hz), ..., Z'(a), Z''(b) is needed")
        counts = [re.fullmatch(r"\s*Data Points:\s*(\d{1,6})\s*", n) for n in lines[: ends[0]]]
        said = next((int(count[1]) for count in counts if count), None)
        return [self.rows(source, ends[0], said)]

    def has_names(self, line: str) -> bool:
        """Whether these are the names whose units are known."""
        return re.match(r"[\s\"]*Freq ?\(Hz\)\s.*Z'\(a\)\s+Z''\(b\)\s", line) is not None

    def rows(self, source: Source, header: int, said: int | None) -> Block:
        """The rows below a line, with names put in its place."""
        lines = list(source.lines)
        lines[header] = self.separator.join(self.columns)
        block = Block(read_table(source, header, self.separator, lines), self.separator)
        if said is not None and said != len(block.raw):
            block.problems.append(
                f"the header says {said} points, the file has {len(block.raw)}: the measurement "
                "was stopped, or the file is cut"
            )
        return block


class Z60(ZPlot):
    """``Z60W``, as written by Autolab and others for ZView."""

    name = "Z60W for ZView"
    suffixes = ".txt, .z"
    about = "as Autolab and other instruments export it"
    separator = ","

    def opens(self, source: Source) -> bool:
        """Whether the first line says so."""
        return re.match(r'"?Z60W Data File', source.start) is not None

    def blocks(self, source: Source) -> list[Block]:
        """The rows under the line of names; the line above it is their number."""
        lines = source.lines
        heads = [n for n, line in enumerate(lines) if self.has_names(line)]
        if len(heads) != 1 or not re.fullmatch(r"\d{1,6}", lines[heads[0] - 1].strip()):
            raise source.error(
                "one line with the names Freq (Hz), ..., Z'(a), Z''(b) is needed, under the "
                "number of points"
            )
        return [self.rows(source, heads[0], int(lines[heads[0] - 1]))]


class VersaStudio(SpectrumFormat):
    """VersaStudio (.par) of Princeton Applied Research: a ``<Segment>`` for each measurement."""

    name = "VersaStudio"
    suffixes = ".par"
    about = "every segment with an impedance is a spectrum"

    def opens(self, source: Source) -> bool:
        """Whether it names the application first."""
        return source.start.startswith("<Application>\nName=VersaStudio")

    def blocks(self, source: Source) -> list[Block]:
        """The segments whose definition has an impedance."""
        lines = list(source.lines)
        blocks: list[Block] = []
        for start, line in enumerate(source.lines):
            if not line.startswith("Definition="):
                continue
            names = cells_of(line.removeprefix("Definition="), ",")
            # the impedance is in ohm, and does not say so
            names = [f"{n} [Ohm]" if n in ("Z Real", "Z Imag") else n for n in names]
            if not has_impedance(names):
                continue
            lines[start] = ",".join(names)
            stop = start + 1
            while stop < len(lines) and not lines[stop].startswith("<"):
                stop += 1
            blocks.append(Block(read_table(source, start, ",", lines, stop), ","))
            if len(blocks) > MAX_BLOCKS:
                break
        return self.found(source, blocks)


class BareSpectrum(SpectrumFormat):
    """Three columns of numbers without names: frequency, real and imaginary part."""

    name = "three columns without names"
    suffixes = ".csv, .txt"
    about = "frequency [Hz], real and imaginary part [Ohm], in this order"

    def opens(self, source: Source) -> bool:
        """Whether its first line is three numbers."""
        first = source.start.lstrip("\n").split("\n")[0]
        cells = cells_of(first, separator_of(first))
        return len(cells) == 3 and all(is_number(cell) for cell in cells)

    def blocks(self, source: Source) -> list[Block]:
        """All lines."""
        first = next(line for line in source.lines if line.strip())
        separator = separator_of(first)
        names = ("Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]")
        raw = table_without_names(source, separator, names)
        said = "the columns have no names: taken for frequency [Hz], real and imaginary part [Ohm]"
        return [Block(raw, separator, [said])]


def table_without_names(source: Source, separator: str, names: Sequence[str]) -> pd.DataFrame:
    """All lines of a file as a table whose names it does not have; the lines are the file's."""
    glue = "\t" if separator == " " else separator
    lines = [glue.join(names), *source.lines]
    if separator == " ":
        lines[1:] = ["\t".join(line.split()) for line in source.lines]
    raw = read_table(source, 0, glue, lines)
    raw.index = raw.index - 1
    return raw


#: The first that opens a file reads it.
SPECTRUM_FORMATS: tuple[SpectrumFormat, ...] = (
    EcLabSpectrum(), Gamry(), ZPlot(), Z60(), VersaStudio(), ChInstruments(), NamedTable(),
    BareSpectrum(),
)  # fmt: skip


def has_impedance(names: Iterable[str]) -> bool:
    """Whether these are names of a frequency, a real and an imaginary part."""
    quantities = {found.name for name in names if (found := quantity_of(name))}
    return {FREQUENCY, REAL, IMAGINARY} <= quantities


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a point or a comma before its decimals."""
    return re.fullmatch(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", cell) is not None


def format_of(source: Source) -> SpectrumFormat:
    """The kind of a file.

    Raises
    ------
    MeasuredDataError
        If it is none that is known.
    """
    for format_ in SPECTRUM_FORMATS:
        if format_.opens(source):
            return format_
    known = "; ".join(f"{format_.name} ({format_.suffixes})" for format_ in SPECTRUM_FORMATS)
    raise MeasuredDataError(f"{source.path}: is no file of a spectrum that is known: {known}")
