"""Files of voltage against capacity: one class a format, and the list of them."""

from __future__ import annotations

import io
import json
import re
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.spectra import _lines, number
from ssnib_model.measured.spectrum_formats import cells_of, separator_of
from ssnib_model.tables import MAX_COLUMNS, listed

#: Data sets of a file, points of one, and members of a .tar.
MAX_DATASETS, MAX_POINTS, MAX_MEMBERS = 500, 100_000, 500

#: Lines in which the names of the columns are looked for.
MAX_PREAMBLE = 100


@dataclass
class Dataset:
    """A curve as it stands in a file.

    Attributes
    ----------
    name : str
        What it is called there.
    capacity, voltage : list of float
        Its points; the voltage in V.
    unit : str
        Of the capacity, "" if the file does not say.
    rate : float or None
        C-rate, where a column says it.
    problems : list of str
        What there is to say about it.
    """

    name: str
    capacity: list[float] = field(default_factory=list)
    voltage: list[float] = field(default_factory=list)
    unit: str = ""
    rate: float | None = None
    problems: list[str] = field(default_factory=list)

    def add(self, path: Path, where: str, capacity: Any, voltage: Any) -> None:
        """A point, from texts or numbers; ``where`` is for the message."""
        if len(self.capacity) >= MAX_POINTS:
            raise MeasuredDataError(f"{path}: {self.name[:60]} has more than {MAX_POINTS} points")
        try:
            if isinstance(capacity, bool) or isinstance(voltage, bool):
                raise ValueError("a truth value")
            point = number(str(capacity)), number(str(voltage))
        except ValueError as error:
            raise MeasuredDataError(
                f"{path}: {where}: {str(capacity)[:30]!r}, {str(voltage)[:30]!r} are no two "
                "finite numbers"
            ) from error
        self.capacity.append(point[0])
        self.voltage.append(point[1])


class CurveFormat(ABC):
    """Curves in files of one kind."""

    name: ClassVar[str]

    @abstractmethod
    def opens(self, path: Path, data: bytes) -> bool:
        """Whether a file is of this kind."""

    @abstractmethod
    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """Its curves, in order."""


class DigitizerProject(CurveFormat):
    """A project of WebPlotDigitizer as JSON, of its versions 3 and 4."""

    name = "WebPlotDigitizer project (.json)"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether it is JSON with the words of such a project."""
        start = data[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
        return start.startswith(b"{") and (b'"datasetColl"' in data or b'"dataSeries"' in data)

    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """The data sets on x and y axes."""
        try:
            project = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise MeasuredDataError(f"{path}: is no JSON: {str(error)[:100]}") from error
        try:
            return self._datasets(path, project)
        except (LookupError, TypeError, AttributeError) as error:
            raise MeasuredDataError(
                f"{path}: is no project of WebPlotDigitizer as of versions 3 and 4: "
                f"{str(error)[:100]}"
            ) from error

    def _datasets(self, path: Path, project: Any) -> list[Dataset]:
        found: list[Dataset] = []
        for given in self._plane(path, project):
            name = str(given["name"]).strip() or f"curve {len(found) + 1}"
            dataset = Dataset(name[:200])
            for place, point in enumerate(given["data"], 1):
                if "value" not in point:
                    raise MeasuredDataError(
                        f"{path}: {name[:60]!r} has points in pixels only: open it in "
                        "WebPlotDigitizer with its image and save it again"
                    )
                x, y, *_ = point["value"]
                dataset.add(path, f"{name[:60]!r}, point {place}", x, y)
            # one is made with every axis, and may be left empty
            if dataset.capacity:
                found.append(dataset)
        return found

    @staticmethod
    def _plane(path: Path, project: Any) -> list[Any]:
        if "wpd" in project:  # version 3
            old = project["wpd"]
            if old["axesType"] != "XYAxes":
                raise MeasuredDataError(
                    f"{path}: its axes are {old['axesType']!r:.30}, not x and y"
                )
            return list(old["dataSeries"])[:MAX_DATASETS]
        axes = {axis["name"] for axis in project["axesColl"] if axis["type"] == "XYAxes"}
        return [d for d in project["datasetColl"] if d["axesName"] in axes][:MAX_DATASETS]


class DigitizerTar(DigitizerProject):
    """The same in a .tar with the image; only the project is read, and into memory."""

    name = "WebPlotDigitizer project (.tar)"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether it is a .tar."""
        return data[257:262] == b"ustar" or path.suffix == ".tar"

    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """See `DigitizerProject.datasets`."""
        return super().datasets(path, self._project(path, data))

    @staticmethod
    def _project(path: Path, data: bytes) -> bytes:
        found: list[bytes] = []
        try:
            # without decompression: nothing in it is larger than the file
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for count, member in enumerate(archive):
                    if count >= MAX_MEMBERS:
                        raise MeasuredDataError(f"{path}: more than {MAX_MEMBERS} members")
                    if member.isreg() and member.name.split("/")[-1] == "wpd.json":
                        content = archive.extractfile(member)
                        if content is None or member.size > len(data) or member.issparse():
                            raise MeasuredDataError(f"{path}: its wpd.json is no plain file")
                        found.append(content.read(len(data)))
        except (tarfile.TarError, OSError, EOFError, ValueError, LookupError) as error:
            if isinstance(error, MeasuredDataError):
                raise
            raise MeasuredDataError(f"{path}: cannot be read as .tar: {error}") from error
        if len(found) != 1:
            raise MeasuredDataError(
                f"{path}: has {len(found)} files wpd.json: one is needed, as WebPlotDigitizer "
                "writes it"
            )
        return found[0]


class Pairs(CurveFormat):
    """Pairs of columns side by side, their names above: WebPlotDigitizer's CSV, and the like."""

    name = "pairs of columns with two lines of names (WebPlotDigitizer's CSV)"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether a line names x and y, or capacity and voltage, again and again."""
        return self._header(_head(data)) is not None

    @staticmethod
    def _header(lines: Sequence[str]) -> int | None:
        for place, line in enumerate(lines):
            cells = cells_of(line, separator_of(line))
            kinds = "".join(kind_of(cell)[0] for cell in cells)
            if re.fullmatch(r"(xy)+|(cv){2,}", kinds):
                return place
        return None

    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """A curve for each pair."""
        lines = _lines(data)
        header = self._header(lines[:MAX_PREAMBLE])
        assert header is not None
        separator = separator_of(lines[header])
        names = cells_of(lines[header], separator)
        above = cells_of(lines[header - 1], separator) if header else []
        above += [""] * (len(names) - len(above))
        _check_columns(path, names)
        found = []
        for left in range(0, len(names), 2):
            name = above[left] or above[left + 1] or f"curve {left // 2 + 1}"
            found.append(Dataset(name, unit=kind_of(names[left])[1]))
            _check_volt(path, names[left + 1])
        for place, line in enumerate(lines[header + 1 :], header + 2):
            cells = cells_of(line, separator)
            if not any(cells):
                continue
            if len(cells) > len(names) and any(cells[len(names) :]):
                raise MeasuredDataError(
                    f"{path}: line {place} has {len(cells)} values for {len(names)} names"
                )
            cells += [""] * (len(names) - len(cells))
            for dataset, left in zip(found, range(0, len(names), 2), strict=True):
                if cells[left] or cells[left + 1]:
                    dataset.add(path, f"line {place}", cells[left], cells[left + 1])
        return [dataset for dataset in found if dataset.capacity]


class Named(CurveFormat):
    """A table with one column each for capacity and voltage, and none for time and current."""

    name = "table with names for capacity and voltage"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether a line has such names."""
        return self._header(_head(data)) is not None

    @staticmethod
    def _header(lines: Sequence[str]) -> int | None:
        for place, line in enumerate(lines):
            kinds = [kind_of(cell)[0] for cell in cells_of(line, separator_of(line))]
            if "c" in kinds and kinds.count("v") == 1 and not {"t", "i"} & set(kinds):
                return place
        return None

    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """A curve for each run of equal rate, cycle and direction."""
        lines = _lines(data)
        header = self._header(lines[:MAX_PREAMBLE])
        assert header is not None
        separator = separator_of(lines[header])
        names = cells_of(lines[header], separator)
        _check_columns(path, names)
        kinds = [kind_of(name) for name in names]
        capacities = [n for n, kind in enumerate(kinds) if kind[0] == "c"]
        if len(capacities) > 1:
            raise MeasuredDataError(
                f"{path}: the columns {[names[n][:30] for n in capacities]} are all capacities: "
                "which one belongs to the voltage cannot be told"
            )
        voltage = next(n for n, kind in enumerate(kinds) if kind[0] == "v")
        _check_volt(path, names[voltage])
        groups = [n for n, kind in enumerate(kinds) if kind[0] in ("r", "g")]
        found: list[Dataset] = []
        before: list[str] | None = None
        for place, line in enumerate(lines[header + 1 :], header + 2):
            cells = cells_of(line, separator)
            if not any(cells):
                continue
            if len(cells) != len(names):
                raise MeasuredDataError(
                    f"{path}: line {place} has {len(cells)} values for {len(names)} names"
                )
            group = [cells[n] for n in groups]
            if group != before:
                if len(found) >= MAX_DATASETS:
                    raise MeasuredDataError(f"{path}: more than {MAX_DATASETS} curves")
                found.append(self._new(path, place, names, kinds, cells, groups, len(found)))
                before = group
            found[-1].add(path, f"line {place}", cells[capacities[0]], cells[voltage])
        unit = kinds[capacities[0]][1]
        for dataset in found:
            dataset.unit = unit
        return found

    @staticmethod
    def _new(
        path: Path,
        place: int,
        names: Sequence[str],
        kinds: Sequence[tuple[str, str]],
        cells: Sequence[str],
        groups: Sequence[int],
        count: int,
    ) -> Dataset:
        words = [f"{names[n]} {cells[n]}".strip() for n in groups]
        dataset = Dataset(", ".join(words)[:200] or f"curve {count + 1}")
        for n in groups:
            if kinds[n][0] == "r":
                try:
                    dataset.rate = rate_of(cells[n])
                except ValueError as error:
                    raise MeasuredDataError(
                        f"{path}: line {place}, column '{names[n][:60]}' is {cells[n][:30]!r}: "
                        "a C-rate was expected"
                    ) from error
        return dataset


class Bare(CurveFormat):
    """Two columns of numbers without names: WebPlotDigitizer's CSV of one data set."""

    name = "two columns without names (capacity, voltage)"

    def opens(self, path: Path, data: bytes) -> bool:
        """Whether its first line is two numbers."""
        first = next((line for line in _head(data) if line.strip()), "")
        return len(self._cells(first)) == 2

    @staticmethod
    def _cells(line: str) -> list[str]:
        """Cells that are numbers; decimals may have a comma where a semicolon separates."""
        cells = cells_of(line, separator_of(line))
        try:
            return [cell for cell in cells if number(cell) is not None]
        except ValueError:
            return []

    def datasets(self, path: Path, data: bytes) -> list[Dataset]:
        """All lines."""
        dataset = Dataset(path.stem)
        dataset.problems.append("the columns have no names: capacity first, then voltage")
        for place, line in enumerate(_lines(data), 1):
            if line.strip():
                cells = cells_of(line, separator_of(line))
                if len(cells) != 2:
                    raise MeasuredDataError(
                        f"{path}: line {place} has {len(cells)} values: two are needed"
                    )
                dataset.add(path, f"line {place}", *cells)
        return [dataset]


#: The first that opens a file reads it.
CURVE_FORMATS: tuple[CurveFormat, ...] = (
    DigitizerTar(), DigitizerProject(), Pairs(), Named(), Bare(),
)  # fmt: skip

_KINDS = {
    "c": r"(specific |areal |areic |charge |discharge |gravimetric )*(capacity|cap\.?|q)",
    "v": r"(cell |terminal )?(voltage|potential|volt|e|v|u|ewe|ecell)( vs\.? .*)?",
    "x": "x",
    "y": "y",
    "r": r"c-?_? ?rate|rate",
    "g": r"cycle( number| index)?|half-?cycle|direction|curve|data ?set|series|step",
    "t": r"(test |total |elapsed |step )?time",
    "i": r"current|<?i>?",
}
_COMPILED = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}
_WITH_UNIT = re.compile(r"(?P<name>[^\[(/]*)(?:\[(?P<b>.*)\]|\((?P<p>.*)\)|/(?P<s>.*))\s*")


def kind_of(name: str) -> tuple[str, str]:
    """What a column holds, as a letter of `_KINDS` or "?", and its unit, "" without one."""
    name = " ".join(name[:100].replace("_", " ").split())
    match = _WITH_UNIT.fullmatch(name)
    unit = ""
    if match:
        name = match["name"].strip()
        unit = (match["b"] or match["p"] or match["s"] or "").strip().replace("\u2212", "-")
    for kind, pattern in _COMPILED.items():
        if pattern.fullmatch(name):
            return kind, unit
    return "?", unit


def rate_of(text: str) -> float:
    """A C-rate as people write it: 0.1, "0.1C", "C/10".

    Raises
    ------
    ValueError
        If it is none.
    """
    text = text.strip()
    hours = re.fullmatch(r"C\s*/\s*(\S+)", text, re.IGNORECASE)
    if hours:
        return number(str(1 / (number(hours[1]) or float("nan"))))
    rate = number(re.sub(r"\s*C$", "", text, flags=re.IGNORECASE))
    if rate <= 0:
        raise ValueError(text)
    return rate


def _head(data: bytes) -> list[str]:
    return _lines(data[:100_000])[:MAX_PREAMBLE]


def _check_columns(path: Path, names: Sequence[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise MeasuredDataError(f"{path}: has more than {MAX_COLUMNS} columns: {listed(names)}")


def _check_volt(path: Path, name: str) -> None:
    unit = kind_of(name)[1]
    if unit not in ("", "V", "v", "volt") and not unit.startswith("V vs"):
        raise MeasuredDataError(f"{path}: column '{name[:60]}': only a voltage in V is read")
