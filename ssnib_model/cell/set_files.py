"""The files of a parameter set: their shape, reading them within limits, and writing them.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Reading looks at data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and neighbour files.
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pydantic

from ssnib_model.cell.values import (
    KINDS,
    FunctionValue,
    ParameterInfo,
    TableValue,
    allowed,
    value_problem,
)
from ssnib_model.errors import MeasuredDataError, ParameterError
from ssnib_model.files import read_bytes
from ssnib_model.materials import FUNCTIONS
from ssnib_model.quantity import Quantity, unit_of
from ssnib_model.rate_values import HOLD_EXAMPLES, REST_EXAMPLES
from ssnib_model.tables import read_table
from ssnib_model.units import convert
from ssnib_model.words import short, suggestion

FILE_NAME = "parameters.toml"

#: The format written. A file without it is of a time when every table of a cathode's potential
#: had steep ends that nobody asked for.
FORMAT = 2

#: Bytes; a complete set has some 20 thousand.
MAX_FILE_SIZE = 500_000
#: Dots in a line: the time for a dotted key rises with the square of its parts.
MAX_DOTS = 100
MAX_LAYERS = 20
#: Rates of the test of one set.
MAX_RATES = 100
#: Files of measured data of one set.
MAX_MEASURED = 100

#: The only quantity whose table may have steep ends.
STEEP_ENDS = "Positive electrode OCP [V]"

#: Stands for a value that was not there before.
NOT_GIVEN = "not given"


# -------------------------------------------------------------------- shape of the file
_Number = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False)]


_Option = (
    Annotated[int, pydantic.Field(strict=True, ge=-(2**31), lt=2**31)]
    | str
    | Annotated[list[str], pydantic.Field(max_length=MAX_LAYERS)]
)


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class Uncertainty(_Strict):
    """How far a value may be off, in the unit of the value."""

    sd: Annotated[float, pydantic.Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    range: tuple[_Number, _Number] | None = None


class Function(_Strict):
    """A named function; its arguments are numbers in SI units or names of parameters."""

    function: str
    arguments: dict[str, _Number | str] = {}


class Table(_Strict):
    """A CSV file of two columns beside this one, the second in the unit of the entry."""

    table: str
    steep_ends: Annotated[bool, pydantic.Field(strict=True)] | None = None


class Entry(_Strict):
    """One parameter."""

    value: _Number | Function | Table
    unit: str
    kind: Literal["measured", "derived", "literature", "assumed", "fitted", "user"]
    source: str | None = None
    uncertainty: Uncertainty | None = None
    note: str = ""


class Source(_Strict):
    """What a value or data are taken from."""

    citation: str
    doi: str | None = None


class Test(_Strict):
    """How the cell is tested: C-rates of the discharges, C-rate of every charge, constant voltage
    after it until a C-rate or for a time, rest after both; as `ssnib_model.RateTest` takes it."""

    rates: Annotated[list[_Number], pydantic.Field(min_length=1, max_length=MAX_RATES)] | None = (
        None
    )
    charge_rate: _Number | None = None
    hold: _Number | str | None = None
    rest: _Number | str | None = None
    note: str = ""


class Measured(_Strict):
    """A CSV file of a rate test."""

    file: str
    source: str
    note: str = ""


class SetFile(_Strict):
    """The file ``parameters.toml`` of a parameter set of ssnib_model."""

    name: str
    description: str = ""
    format: Literal[1, 2] | None = None
    base: str | None = None
    inherit_fitted: list[str] = []
    stack: dict[str, _Option] = {}
    sources: dict[str, Source] = {}
    test: Test | None = None
    measured: Annotated[dict[str, Measured], pydantic.Field(max_length=MAX_MEASURED)] = {}
    reference: Annotated[dict[str, Measured], pydantic.Field(max_length=MAX_MEASURED)] = {}
    was: dict[str, _Number | str] = {}
    parameters: dict[str, Entry] = {}


@dataclass(frozen=True)
class Data:
    """Measured rate-test data that a set carries: the table and where it comes from."""

    table: pd.DataFrame
    file: str
    source: str
    note: str = ""


# -------------------------------------------------------------------- reading
def list_parameter_sets() -> list[str]:
    """Names of the parameter sets that come with the package."""
    return sorted(p.parent.name for p in parameter_root().glob(f"*/{FILE_NAME}"))


def parameter_root() -> Path:
    """The folder of the parameter sets and materials that come with the package."""
    package = Path(__file__).parent.parent
    shipped = package / "_parameters"  # in a wheel
    return shipped if shipped.is_dir() else package.parent / "parameters"  # in a clone


def find_set(name: str | Path) -> Path:
    """The ``parameters.toml`` of a set that comes with the package, or of a folder.

    Raises
    ------
    ParameterError
        If there is none.
    """
    known = list_parameter_sets()
    if str(name) in known:
        return parameter_root() / str(name) / FILE_NAME
    path = Path(name)
    try:
        path = path / FILE_NAME if path.is_dir() else path
        found = path.name == FILE_NAME and path.is_file()
    except (OSError, ValueError):  # a name too long, a zero byte, a folder closed to us
        found = False
    if found:
        return path
    raise ParameterError(
        f'"{name}" is neither a known parameter set ({", ".join(known)}) nor a folder with a '
        f"{FILE_NAME}{suggestion(str(name), known)}"
    )


def read_set(path: Path) -> tuple[SetFile, list[str], set[str]]:
    """The file as far as it has the right shape, so that all its problems are found at once.

    Returns
    -------
    SetFile
        Without the parts that have not the right shape.
    list of str
        One sentence for each of them.
    set of str
        Names of the parameters that are left out.

    Raises
    ------
    ParameterError
        If it is no TOML file at all.
    """
    try:
        text = read_bytes(path, MAX_FILE_SIZE).decode()
        for number, line in enumerate(text.split("\n"), start=1):
            if line.count(".") > MAX_DOTS:
                raise ValueError(f"line {number} has more than {MAX_DOTS} dots")
        document = tomllib.loads(text)
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ParameterError(f"{path}: not a valid TOML file: {error}") from error
    problems: list[str] = []
    left_out: set[str] = set()
    while True:
        try:
            return SetFile.model_validate(document), problems, left_out
        except pydantic.ValidationError as error:
            problems += _sentences(error)
            left_out |= _prune(document, error)


def _prune(document: dict[str, Any], error: pydantic.ValidationError) -> set[str]:
    """Take out what has not the right shape; the names of the parameters among it."""
    names = set()
    for problem in error.errors(include_url=False, include_context=False):
        field, *inside = map(str, problem["loc"])
        table = document.get(field)
        if field == "name":
            document["name"] = "?"
        elif not inside or not isinstance(table, dict):
            document.pop(field, None)
        elif field == "sources":
            table[inside[0]] = {"citation": "?"}  # there is one, whatever is wrong with it
        else:
            table.pop(inside[0], None)
            if field == "parameters":
                names.add(inside[0])
    return names


def _sentences(error: pydantic.ValidationError) -> list[str]:
    """One sentence for each field that has not the right shape."""
    sentences: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        # the members of the union for "value" each complain: one sentence is enough
        where = [str(part) for part in problem["loc"]]
        if "value" in where:
            where = where[: where.index("value") + 1]
            message = (
                f"is {short(problem['input'])}: a finite number, {{ function = ..., arguments = "
                "{...} } or { table = ... } is allowed"
            )
            if problem["type"] == "missing" and problem["loc"][-1] == "value":
                message = "is missing: write value = with a number, a function or a table"
        elif where[0] == "stack" and len(where) > 1:  # a union as well
            where = where[:2]
            message = (
                f"is {short(problem['input'])}: a text, a whole number or a list of at most "
                f"{MAX_LAYERS} texts is allowed"
            )
        elif where[0] == "test" and where[1:2] != ["note"] and problem["type"] != _EXTRA:
            where = where[:2]
            message = f"is {short(problem['input'])}: {_TEST.get(where[-1], 'a table is needed')}"
        elif problem["type"] == _EXTRA:
            message = f"is not a known field{suggestion(where[-1], _FIELDS)}"
        elif problem["type"] == "missing":
            message = f"is missing: write {_line_to_write(where)}"
        else:
            message = f"is {short(problem['input'])}: {problem['msg']}"
        where = [f'"{part}"' if " " in part else part for part in where]
        sentences.setdefault(".".join(where), message)
    return [f"{where} {message}" for where, message in sentences.items()]


_EXTRA = "extra_forbidden"

#: What is allowed in the table "test".
_TEST = {
    "rates": f"a list of at most {MAX_RATES} C-rates is needed, [0.1, 1] for example",
    "charge_rate": "a C-rate is needed, 0.1 for example",
    "hold": HOLD_EXAMPLES,
    "rest": REST_EXAMPLES,
}

_FIELDS = {
    field
    for shape in (SetFile, Entry, Uncertainty, Function, Table, Source, Test, Measured)
    for field in shape.model_fields
}


def _line_to_write(where: list[str]) -> str:
    """What a missing field looks like."""
    field = where[-1]
    if field == "kind":
        return " or ".join(f'kind = "{kind}"' for kind in KINDS)
    if field == "unit":
        return f'unit = "{unit_of(where[-2])}" or another unit of its kind'
    examples = {
        "name": "the name of the folder",
        "citation": "authors, journal and year",
        "source": "a key of the sources table",
        "file": "rates.csv",
        "function": "the name of a function",
        "table": "the name of a CSV file",
    }
    return f'{field} = "{examples.get(field, "...")}"'


def beside(path: Path, file: str) -> Path:
    """The path of a file that a parameter file names, which can only be its neighbour.

    Raises
    ------
    MeasuredDataError
        If it is another one.
    """
    target = path.parent / file
    # all of them may be links to one folder, but none may lead elsewhere
    homes = {os.path.realpath(path.parent), os.path.dirname(os.path.realpath(path))}
    if (
        Path(file).name != file
        or "\0" in file
        or os.path.dirname(os.path.realpath(target)) not in homes
    ):
        raise MeasuredDataError(f"{short(file)} is not the name of a file in {path.parent}")
    return target


def read_entry(
    path: Path,
    name: str,
    entry: Entry,
    known: Mapping[str, Quantity],
    sources: Mapping[str, Any],
    steep_ends: bool = False,
) -> tuple[ParameterInfo | None, list[str]]:
    """An entry as a `ParameterInfo`, and what is wrong with it as the rest of sentences.

    Parameters
    ----------
    path : Path
        The parameter file, beside which its tables are.
    name : str
        One of ``known``.
    entry : Entry
        What the file says.
    known : mapping of str to Quantity
        All names of the stack.
    sources : mapping
        Keys of the sources table.
    steep_ends : bool, optional
        What a table of the cathode's potential means that does not say it.
    """
    problems: list[str] = []
    quantity, target = known[name], unit_of(name)
    value: Any = entry.value
    if isinstance(value, Function):
        problems += _function_problems(name, value, known)
        if entry.unit != target:
            # a function gives SI units whatever stands beside it
            problems.append(
                f'has unit "{entry.unit}": the function "{value.function}" gives "{target}", '
                f'write unit = "{target}"'
            )
        value = FunctionValue(value.function, dict(value.arguments))
    elif isinstance(value, Table) and quantity.shape != "function":
        problems.append(f"is a table: it must be a number, {allowed(quantity, target)}")
    elif isinstance(value, Table):
        if value.steep_ends and name != STEEP_ENDS:
            problems.append(f'has steep_ends: only a table of "{STEEP_ENDS}" can have them')
        ends = steep_ends if value.steep_ends is None else value.steep_ends
        by_temperature = quantity.argument_name == "temperature"
        try:
            x, y = read_table(beside(path, value.table), 2 if by_temperature else 4)
            value = TableValue(
                value.table, tuple(x), tuple(y), ends and name == STEEP_ENDS, by_temperature
            )
        except MeasuredDataError as error:
            problems.append(f"has a table that cannot be used: {error}")
    given = entry.uncertainty
    if given and given.sd is None and given.range is None:
        problems.append('has an uncertainty that needs "sd", "range" or both')
        given = None
    uncertainty = None
    try:
        if isinstance(value, float) and given:
            uncertainty = _converted_uncertainty(value, given, entry.unit, target)
        if isinstance(value, float):
            value = convert(value, entry.unit, target)
        elif isinstance(value, TableValue):
            converted = tuple(convert(v, entry.unit, target) for v in value.y)
            value = dataclasses.replace(value, y=converted)
    except ValueError as error:
        problems.append(f'has unit "{entry.unit}": {error}')
    if not problems:
        problem = value_problem(value, quantity, target)
        problems += [problem] if problem else []
    if uncertainty and "range" in uncertainty:
        low, high = uncertainty["range"]
        if not low <= value <= high:
            problems.append(
                f"is {value:g} {target}, outside its own uncertainty range "
                f"[{low:g}, {high:g}] {target}"
            )
    if entry.kind == "assumed" and isinstance(value, float) and not entry.uncertainty:
        problems.append(
            'is assumed: it needs an "uncertainty" with its sd or range, write uncertainty = '
            "{ range = [low, high] }"
        )
    if entry.source is None and entry.kind in ("measured", "literature"):
        problems.append(
            f'is of kind "{entry.kind}": it needs a "source", write source = "KEY", and once '
            '[sources.KEY] with citation = "..."'
        )
    if entry.source is not None and entry.source not in sources:
        problems.append(no_source("", entry.source, sources))
    info = ParameterInfo(name, value, target, entry.kind, entry.source, uncertainty, entry.note)
    return (None if problems else info), problems


def _function_problems(name: str, value: Function, known: Mapping[str, Quantity]) -> list[str]:
    """What is wrong with a named function as the value of a parameter."""
    if value.function not in FUNCTIONS:
        near = suggestion(value.function, FUNCTIONS)
        return [f'names the function "{value.function}": known are {sorted(FUNCTIONS)}{near}']
    law = FUNCTIONS[value.function]
    if not name.endswith(law.gives):
        quantities = " or ".join(f'"... {ending}"' for ending in law.gives)
        return [f'is given by the function "{value.function}", which gives {quantities} only']
    if set(law.arguments) != set(value.arguments):
        return [
            f'gives the function "{value.function}" the arguments '
            f"{short(sorted(value.arguments))}: it takes {sorted(law.arguments)}"
        ]
    problems = []
    for argument, given in value.arguments.items():
        if isinstance(given, str) and given not in known:
            problems.append(
                f'takes "{argument}" from the unknown parameter "{given}"'
                f"{suggestion(given, known)}"
            )
        elif isinstance(given, str) and known[given].shape != "number":
            problems.append(f'takes "{argument}" from "{given}", which is not a number')
    return problems


def _converted_uncertainty(
    value: float, given: Uncertainty, unit: str, target: str
) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    if given.sd is not None and not math.isfinite(value + given.sd):
        raise ValueError(f"{value:g} + {given.sd:g} is too large a number")
    if given.sd is not None:
        # by difference, because a unit may have an offset (degC)
        centre, above = (convert(v, unit, target) for v in (value, value + given.sd))
        converted["sd"] = above - centre
    if given.range is not None:
        converted["range"] = tuple(sorted(convert(v, unit, target) for v in given.range))
    return converted


def no_source(where: str, key: str, sources: Iterable[str]) -> str:
    """A sentence on a source that is not in the table of sources."""
    near = suggestion(key, sources)
    where = f"{where} " if where else ""
    line = "" if near else f': write [sources.{key}] with citation = "..."'
    return f'{where}has source "{key}", which is not in the sources table{near}{line}'


# -------------------------------------------------------------------- writing
def set_texts(
    head: Mapping[str, Any],
    given: Mapping[str, ParameterInfo],
    measured: Mapping[str, Data],
    reference: Mapping[str, Data],
    was: Mapping[str, Any],
) -> dict[str, str]:
    """The texts of the files of a set by name, the TOML file first.

    Parameters
    ----------
    head : mapping
        The fields of `SetFile` before its tables: name, description, stack, sources.
    given : mapping of str to ParameterInfo
        What is not derived.
    measured, reference : mapping of str to Data
        Data of this cell, and of others.
    was : mapping
        Values before they were changed.

    Raises
    ------
    ParameterError
        If a value is a Python callable.
    """
    import tomlkit

    texts: dict[str, str] = {}

    def file_of(name: str, table: pd.DataFrame) -> str:
        """A file for a table; two tables of one name are two files."""
        text, stem, number = table.to_csv(index=False), Path(name).stem, 2
        while texts.get(name, text) != text:
            name, number = f"{stem}_{number}.csv", number + 1
        texts[name] = text
        return name

    entries = {}
    for name, info in given.items():
        value = info.value
        if isinstance(value, FunctionValue):
            value = {"function": value.function, "arguments": value.arguments}
        elif isinstance(value, TableValue):
            frame = pd.DataFrame({"x": value.x, "y": value.y})
            steep = {"steep_ends": True} if value.steep_ends else {}
            value = {"table": file_of(value.file, frame), **steep}
        elif callable(value):
            raise ParameterError(
                f'"{name}" is a Python function: only numbers, named functions and tables '
                "can be saved"
            )
        entry = {"value": value, "unit": info.unit, "kind": info.kind}
        entry |= {"source": info.source} if info.source else {}
        entry |= {"uncertainty": info.uncertainty} if info.uncertainty else {}
        entry |= {"note": info.note} if info.note else {}
        entries[name] = entry
    document: dict[str, Any] = {"name": head["name"], "format": FORMAT, **head}
    for field, data in (("measured", measured), ("reference", reference)):
        document[field] = {
            key: {"file": file_of(d.file, d.table), "source": d.source, "note": d.note}
            for key, d in data.items()
        }
    document["was"] = {
        name: NOT_GIVEN if value is None else value if isinstance(value, float) else str(value)
        for name, value in was.items()
    }
    document["parameters"] = entries
    return {FILE_NAME: tomlkit.dumps({k: v for k, v in document.items() if v != {}}), **texts}


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files of a set into a folder that holds none.

    Raises
    ------
    ParameterError
        If the folder holds a set already or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / FILE_NAME).exists():
            raise FileExistsError(None, f"{FILE_NAME} is there already")
        for file, text in texts.items():
            (folder / file).write_bytes(text.encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ParameterError(f"{folder}: cannot be written: {reason}") from error
