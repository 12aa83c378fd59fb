"""Tables of voltage against capacity: one class a format."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ssnib_model.measured.file_format import FileFormat
from ssnib_model.measured.spectrum_formats import is_number, table_without_names
from ssnib_model.measured.text import (
    Source,
    cells_of,
    decimal_of,
    find_header,
    known_unit,
    numbers,
    read_table,
    separator_of,
)
from ssnib_model.units import convert

#: Curves that one file may have.
MAX_CURVES = 500


@dataclass
class Dataset:
    """A curve as it stands in a file.

    Attributes
    ----------
    name : str
        What it is called there.
    capacity, voltage : numpy.ndarray
        Its points, shape (n,); the voltage in V.
    unit : str
        Of the capacity, "" if the file does not say.
    rate : float or None
        C-rate, where a column says it.
    problems : list of str
        What there is to say about it.
    """

    name: str
    capacity: np.ndarray
    voltage: np.ndarray
    unit: str = ""
    rate: float | None = None
    problems: list[str] = field(default_factory=list)


class CurveFormat(FileFormat):
    """Files of one kind: whether a file is one, and the curves in it."""

    @abstractmethod
    def datasets(self, source: Source) -> list[Dataset]:
        """Its curves, in order.

        Raises
        ------
        MeasuredDataError
            If they cannot be read.
        """


class Pairs(CurveFormat):
    """Pairs of columns side by side, what each is called in the line above their names."""

    name = "pairs of columns"
    suffixes = ".csv"
    about = (
        "WebPlotDigitizer's CSV of several data sets, with their names in the first line and "
        "X, Y in the second; the same with capacity and voltage there"
    )

    def opens(self, source: Source) -> bool:
        """Whether a line names x and y, or capacity and voltage, again and again."""
        return find_header(source.lines[:100], self._names_pairs) is not None

    @staticmethod
    def _names_pairs(cells: Sequence[str]) -> bool:
        kinds = "".join(kind_of(cell)[0] for cell in cells if cell)
        return re.fullmatch(r"(xy)+|(cv){2,}", kinds) is not None

    def datasets(self, source: Source) -> list[Dataset]:
        """A curve for each pair."""
        header, separator = find_header(source.lines[:100], self._names_pairs) or (0, ",")
        names = [cell for cell in cells_of(source.lines[header], separator) if cell]
        above = cells_of(source.lines[header - 1], separator) if header else []
        above += [""] * (len(names) - len(above))
        raw = read_table(source, header, separator).iloc[:, : len(names)]
        decimal = decimal_of(source, raw, separator)
        values = np.column_stack([numbers(source, raw[name], decimal) for name in raw.columns])
        found = []
        for left in range(0, min(len(names), 2 * MAX_CURVES), 2):
            name = above[left] or above[left + 1] or f"curve {left // 2 + 1}"
            pair = values[:, left : left + 2]
            half = np.isnan(pair).sum(axis=1) == 1
            if half.any():
                line = int(raw.index[np.flatnonzero(half)[0]])
                raise source.error(f"{name[:60]!r} has one of two values only", line)
            pair = pair[~np.isnan(pair[:, 0])]
            if len(pair):
                factor = volts(source, names[left + 1])
                unit = kind_of(names[left])[1]
                found.append(Dataset(name, pair[:, 0], factor * pair[:, 1], unit))
        return found


class NamedColumns(CurveFormat):
    """A table with one column each for capacity and voltage, and none for time and current."""

    name = "table of capacity and voltage"
    suffixes = ".csv, .txt"
    about = "names with units, and no time or current; a column of rates, cycles or names tells "
    about += "several curves apart"

    def opens(self, source: Source) -> bool:
        """Whether a line has such names."""
        return find_header(source.lines[:100], self._names_curve) is not None

    @staticmethod
    def _names_curve(cells: Sequence[str]) -> bool:
        kinds = [kind_of(cell)[0] for cell in cells]
        return "c" in kinds and kinds.count("v") == 1 and not {"t", "i"} & set(kinds)

    def datasets(self, source: Source) -> list[Dataset]:
        """A curve for each run of equal rate, cycle and name."""
        header, separator = find_header(source.lines[:100], self._names_curve) or (0, ",")
        raw = read_table(source, header, separator)
        kinds = {name: kind_of(name) for name in raw.columns}
        capacities = [name for name, kind in kinds.items() if kind[0] == "c"]
        if len(capacities) > 1:
            raise source.error(
                f"the columns {[n[:30] for n in capacities[:10]]} are all capacities: which one "
                "belongs to the voltage cannot be told"
            )
        capacity = capacities[0]
        voltage = next(name for name, kind in kinds.items() if kind[0] == "v")
        decimal = decimal_of(source, raw[[capacity, voltage]], separator)
        x, y = (_full(source, raw[name], decimal) for name in (capacity, voltage))
        y = y * volts(source, voltage)
        groups = [name for name, kind in kinds.items() if kind[0] in "rg"]
        new = np.zeros(len(raw), dtype=bool)
        for name in groups:
            new |= (raw[name] != raw[name].shift()).to_numpy()
        starts = sorted({0, *np.flatnonzero(new).tolist()})
        if len(starts) > MAX_CURVES:
            raise source.error(f"holds {len(starts)} curves: at most {MAX_CURVES} are read")
        found = []
        for count, rows in enumerate(np.split(np.arange(len(raw)), starts[1:]), 1):
            cells = {name: str(raw[name].iloc[rows[0]]) for name in groups}
            name = ", ".join(f"{n} {cell}" for n, cell in cells.items())[:200]
            dataset = Dataset(name or f"curve {count}", x[rows], y[rows], kinds[capacity][1])
            for group, cell in cells.items():
                if kinds[group][0] == "r":
                    dataset.rate = _rate(source, group, cell, int(raw.index[rows[0]]))
            found.append(dataset)
        return found


class BareColumns(CurveFormat):
    """Two columns of numbers without names: WebPlotDigitizer's CSV of one data set."""

    name = "two columns without names"
    suffixes = ".csv, .txt"
    about = "capacity, then voltage: WebPlotDigitizer's CSV of one data set"

    def opens(self, source: Source) -> bool:
        """Whether its first line is two numbers."""
        first = source.start.lstrip("\n").split("\n")[0]
        cells = cells_of(first, separator_of(first))
        return len(cells) == 2 and all(is_number(cell) for cell in cells)

    def datasets(self, source: Source) -> list[Dataset]:
        """All lines."""
        first = next(line for line in source.lines if line.strip())
        separator = separator_of(first)
        raw = table_without_names(source, separator, ("Capacity", "Voltage"))
        decimal = decimal_of(source, raw, separator)
        x, y = (_full(source, raw[name], decimal) for name in raw.columns)
        said = "the columns have no names: taken for capacity and voltage, in this order"
        return [Dataset(source.path.stem, x, y, problems=[said])]


def _full(source: Source, column: pd.Series, decimal: str) -> np.ndarray:
    values = numbers(source, column, decimal)
    empty = np.flatnonzero(np.isnan(values))
    if empty.size:
        raise source.error(f"column '{column.name}' is empty", int(column.index[empty[0]]))
    return values


# ---------------------------------------------------------------------------------------------
# names

_KINDS = {
    "c": r"(specific |areal |areic |charge |discharge |gravimetric )*(capacity|cap\.?|q)",
    "v": r"(cell |terminal )?(voltage|potential|volt|e|v|u|ewe|ecell)( vs\.? .*)?",
    "x": "x",
    "y": "y",
    "r": r"c[- ]?rate|rate",
    "g": r"cycle( number| index)?|half-?cycle|direction|curve|data ?set|series|step",
    "t": r".*(time|date|duration).*",
    "i": r".*current.*|<?i>?|cur|amps?",
}
_COMPILED = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}

#: A unit behind a name; a slash may be in the unit, so that the first one counts.
_UNITS = (r"(.*?)\s*\[(.*)\]", r"(.*?)\s*\((.*)\)", r"([^/]*?)\s*/\s*(.*)")


def kind_of(name: str) -> tuple[str, str]:
    """What a column holds, as a letter of the kinds above or "?", and its unit, or "".

    Examples
    --------
    >>> kind_of("Specific capacity / mAh g-1"), kind_of("Voltage (V vs. Na/Na+)")
    (('c', 'mAh g-1'), ('v', 'V vs. Na/Na+'))
    """
    bare, unit = " ".join(name[:100].replace("_", " ").split()), ""
    for pattern in _UNITS:
        match = re.fullmatch(pattern, bare)
        if match:
            bare, unit = match[1], match[2].strip()
            break
    for kind, compiled in _COMPILED.items():
        if compiled.fullmatch(bare):
            return kind, unit
    return "?", unit


def volts(source: Source, name: str) -> float:
    """What makes a voltage of a column of this name one in V."""
    unit = re.split(r"\s+vs\b|\s+against\b", kind_of(name)[1])[0]
    try:
        return convert(1.0, known_unit(unit, "V") or "V", "V")
    except ValueError as error:
        raise source.error(f"column '{name[:60]}': {error}") from error


def _rate(source: Source, name: str, cell: str, line: int) -> float:
    try:
        return rate_of(cell)
    except ValueError as error:
        raise source.error(f"column '{name[:60]}' is {cell[:30]!r}: no C-rate", line) from error


def rate_of(text: str) -> float:
    """A C-rate as people write it.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> rate_of("0.1"), rate_of("0.5 C"), rate_of("C/10")
    (0.1, 0.5, 0.1)
    """
    match = re.fullmatch(r"\s*(C\s*/)?\s*(\d*[.,]?\d+(?:[eE][+-]?\d+)?)\s*(C)?\s*", text, re.I)
    if not match or (match[1] and match[3]):
        raise ValueError(f"{text!r} is no C-rate")
    number = float(match[2].replace(",", "."))
    if not 1e-6 < number < 1e6:
        raise ValueError(f"{text!r} is no C-rate")
    return 1 / number if match[1] else number
