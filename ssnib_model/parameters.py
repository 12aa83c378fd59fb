"""Parameter sets: load, validate, show, replace, save; and hand over to PyBaMM.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Loading reads data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import numbers
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pydantic

from ssnib_model import cell, schema
from ssnib_model.errors import (
    MeasuredDataError,
    OptionError,
    ParameterError,
    UnknownParameterError,
)
from ssnib_model.files import read_bytes
from ssnib_model.measured import read_rate_data, read_table
from ssnib_model.models.options import ModelOptions
from ssnib_model.units import convert

FILE_NAME = "parameters.toml"
KINDS = ("measured", "derived", "literature", "assumed", "fitted", "user")

#: Kinds that stand beside a value derived from others instead of contradicting it.
OVERRIDING_KINDS = ("user", "fitted")

#: Bytes; a complete set has some 20 thousand.
MAX_FILE_SIZE = 500_000
#: Dots in a line: the time for a dotted key rises with the square of its parts.
MAX_DOTS = 100
MAX_LAYERS = 20
#: Files of measured data of one set.
MAX_MEASURED = 100


# -------------------------------------------------------------------- shape of the file
_Number = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False)]


_Option = (
    Annotated[int, pydantic.Field(strict=True, ge=-(2**31), lt=2**31)]
    | str
    | Annotated[list[str], pydantic.Field(max_length=MAX_LAYERS)]
)


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class _Uncertainty(_Strict):
    sd: Annotated[float, pydantic.Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    range: tuple[_Number, _Number] | None = None


class _Function(_Strict):
    function: str
    arguments: dict[str, _Number | str] = {}


class _Table(_Strict):
    table: str


class _Entry(_Strict):
    value: _Number | _Function | _Table
    unit: str
    kind: Literal["measured", "derived", "literature", "assumed", "fitted", "user"]
    source: str | None = None
    uncertainty: _Uncertainty | None = None
    note: str = ""


class _Source(_Strict):
    citation: str
    doi: str | None = None


class _Measured(_Strict):
    file: str
    source: str
    note: str = ""


class _File(_Strict):
    name: str
    description: str = ""
    base: str | None = None
    stack: dict[str, _Option]
    sources: dict[str, _Source] = {}
    measured: Annotated[dict[str, _Measured], pydantic.Field(max_length=MAX_MEASURED)] = {}
    parameters: dict[str, _Entry]


# -------------------------------------------------------------------- what a user sees
@dataclass(frozen=True)
class FunctionValue:
    """A named function of `ssnib_model.materials.FUNCTIONS` with its other arguments."""

    function: str
    arguments: dict[str, float | str]

    def __str__(self) -> str:
        return f"{self.function}(...)"

    def to_pybamm(self) -> Callable:
        import pybamm

        from ssnib_model.materials import FUNCTIONS

        arguments = {
            name: pybamm.Parameter(value) if isinstance(value, str) else value
            for name, value in self.arguments.items()
        }
        return functools.partial(FUNCTIONS[self.function], **arguments)


@dataclass(frozen=True)
class TableValue:
    """A curve of two columns, in the unit of the parameter's name."""

    file: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    steep_ends: bool

    def __str__(self) -> str:
        return f"table {self.file} of {len(self.x)} points"

    def to_pybamm(self) -> Callable:
        from ssnib_model.materials.tables import Table

        return Table(self.x, self.y, self.steep_ends)


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter: value in the unit of its name, and where it comes from.

    Attributes
    ----------
    name, unit : str
        The name and the unit in it.
    value : float, FunctionValue, TableValue or callable
        The value.
    kind : str
        One of `KINDS`.
    source : str or None
        Key into `ParameterSet.sources`.
    uncertainty : dict or None
        ``{"sd": s}``, ``{"range": (low, high)}`` or both, in ``unit``.
    note : str
        What there is to say about it.
    """

    name: str
    value: Any
    unit: str
    kind: str
    source: str | None = None
    uncertainty: dict | None = None
    note: str = ""


class ParameterSet(Mapping):
    """The parameters of one cell, with their units, sources and uncertainties.

    ``ps[name]`` gives the value of any parameter, derived ones included, in the unit of its
    name; iteration runs over all names.

    Parameters
    ----------
    name : str or Path
        The name of a set that comes with the package (see `list_parameter_sets`), or the
        path of a folder that holds a ``parameters.toml``.

    Raises
    ------
    ParameterError
        With every problem of the file, one sentence each.

    Examples
    --------
    >>> ps = ParameterSet("Hu2024")
    >>> ps["Na3PS4 layer conductivity [S.m-1]"]
    0.01
    """

    def __init__(self, name: str | Path = "Hu2024"):
        path = _find(name)
        self._load(path)

    # ------------------------------------------------------------ mapping
    def __getitem__(self, name: str):
        return self.info(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __getstate__(self) -> dict:
        # the rules are functions, which cannot be pickled, and follow from the stack
        return {k: v for k, v in self.__dict__.items() if k not in ("_rules", "_known")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._set_stack(self.model_options, self.catholyte)

    def __repr__(self) -> str:
        return f"ParameterSet({self.name!r}, {len(self)} parameters)"

    def info(self, name: str) -> ParameterInfo:
        """Value, unit, kind, source, uncertainty and note of one parameter.

        Raises
        ------
        UnknownParameterError
            If no parameter has this name.
        """
        if name not in self._all:
            raise UnknownParameterError(
                f'{self.origin}: no parameter "{name}"{schema.suggestion(name, self._all)}'
            )
        return self._all[name]

    def quantity(self, name: str) -> schema.Quantity:
        """What is allowed for a parameter, whatever its value."""
        self.info(name)
        return self._known[name]

    def to_frame(self) -> pd.DataFrame:
        """One row a parameter: value, unit, kind, source, uncertainty, note."""
        rows = [vars(info) for info in self._all.values()]
        return pd.DataFrame(rows).set_index("name")

    @property
    def given(self) -> dict[str, ParameterInfo]:
        """The parameters that were given, in a file or by `replace`: nothing derived."""
        return dict(self._given)

    # ------------------------------------------------------------ change
    def replace(
        self, changes: Mapping[str, float], options: Mapping[str, Any] | None = None
    ) -> ParameterSet:
        """A new set with some values replaced, and what derives from them derived again.

        Parameters
        ----------
        changes : mapping of str to float
            New values in the unit of the name, or a callable for a parameter that may be a
            function, or a whole `ParameterInfo`. A replaced value is of kind "user". A derived
            value that is replaced overrides what it would follow from, and says so in its note.
        options : mapping, optional
            Model options to replace, see `SolidStateBaseModel`.

        Returns
        -------
        ParameterSet

        Raises
        ------
        ParameterError
            For an unknown name, a value that is not allowed, or a contradiction.
        OptionError
            For an option that is not allowed.
        """
        new = copy.copy(self)
        stack = ModelOptions(self.model_options | dict(options or {}))
        kept = self.catholyte in stack["electrolyte layers"]
        new._set_stack(stack, self.catholyte if kept else None)
        problems, given = [], {n: i for n, i in self._given.items() if n in new._known}
        for name, value in changes.items():
            quantity = new._known.get(name)
            if quantity is None:
                problems.append(f'unknown parameter "{name}"{schema.suggestion(name, new._known)}')
                continue
            info = value if isinstance(value, ParameterInfo) else None
            value = info.value if info else value
            problem = _value_problem(value, quantity, schema.unit_of(name))
            if problem:
                problems.append(f'"{name}" {problem}')
                continue
            if info:
                given[name] = info
                continue
            old = self._all.get(name)
            note = f"replaces {_shown(old)} ({old.kind})" if old else "replaces nothing"
            if old and (old.kind == "derived" or "overrides" in old.note):
                note = f"overrides the derived value {_shown(old)}: {old.note}"
            value = value if callable(value) else float(value)
            given[name] = ParameterInfo(name, value, schema.unit_of(name), "user", note=note)
        if problems:
            raise ParameterError(problems)
        problems = new._complete(given, changes)
        if problems:
            raise ParameterError(problems)
        return new

    # ------------------------------------------------------------ hand over
    @property
    def model_options(self) -> dict:
        """Options of the models for this stack."""
        return dict(self._options)

    def to_pybamm(self):
        """The values the models read, as ``pybamm.ParameterValues``.

        A simulation starts at their "Initial state of charge" (charged, 0.99, unless the set
        says otherwise), which ``initial_soc`` and ``set_initial_state`` set; a `RateTest`
        starts at the "As-made state of charge" (discharged, 0.01).
        """
        from ssnib_model.pybamm_values import CellParameterValues

        values = {}
        for name, info in self._all.items():
            if self._known[name].in_model:
                value = info.value
                values[name] = value.to_pybamm() if hasattr(value, "to_pybamm") else value
        return CellParameterValues(values)

    def files(self) -> dict[str, str]:
        """The set as the texts of the files of a folder, by name: the TOML file first.

        Raises
        ------
        ParameterError
            If a value is a Python callable.
        """
        import tomlkit

        entries, tables = {}, {}
        for name, info in self._given.items():
            value = info.value
            if isinstance(value, FunctionValue):
                value = {"function": value.function, "arguments": value.arguments}
            elif isinstance(value, TableValue):
                tables[value.file] = pd.DataFrame({"x": value.x, "y": value.y})
                value = {"table": value.file}
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
        options = self.model_options
        document = {
            "name": self.name,
            "description": self.description,
            "stack": {
                "electrolyte layers": list(options.pop("electrolyte layers")),
                "catholyte": self.catholyte,
                **options,
            },
            "sources": self.sources,
            "measured": {
                key: {"file": m.file, "source": m.source, "note": m.note}
                for key, m in self._measured_files.items()
            },
            "parameters": entries,
        }
        tables |= {m.file: self.measured[key] for key, m in self._measured_files.items()}
        texts = {file: table.to_csv(index=False) for file, table in tables.items()}
        return {FILE_NAME: tomlkit.dumps(document), **texts}

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> ParameterSet:
        """The set that `files` came from; nothing is left on the disk.

        Raises
        ------
        ParameterError
            As for `ParameterSet`, or if a name is not that of a file alone.
        """
        with tempfile.TemporaryDirectory() as folder:
            for file, text in files.items():
                if file in ("", ".", "..") or Path(file).name != file:
                    raise ParameterError(f'"{file}" is not the name of a file')
                (Path(folder) / file).write_bytes(text.encode())
            return cls(folder)

    def save(self, folder: str | Path) -> Path:
        """Write the set as a folder that `ParameterSet` can read; returns the folder.

        Its name becomes that of the folder.

        Raises
        ------
        ParameterError
            If the folder holds a set already, cannot be written, or a value is a Python callable.
        """
        folder, named = Path(folder), copy.copy(self)
        named.name = folder.name
        named.description = f"Saved from the set {self.name}. {self.description}".strip()
        files = named.files()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / FILE_NAME).exists():
                raise FileExistsError(None, f"{FILE_NAME} is there already")
            for file, text in files.items():
                (folder / file).write_bytes(text.encode())
        except OSError as error:
            raise ParameterError(f"{folder}: cannot be written: {error.strerror}") from error
        return folder

    # ------------------------------------------------------------ loading
    def _load(self, path: Path) -> None:
        file = _read(path)
        self.origin = str(path)
        self.name, self.description = file.name, file.description
        if file.base is not None and file.base not in list_parameter_sets():
            raise ParameterError(
                f"{path}: base is {short(file.base)}: it must be one of the sets that come with "
                f"the package, {', '.join(list_parameter_sets())}"
            )
        base = ParameterSet(file.base) if file.base else None
        options = dict(file.stack)
        catholyte = options.pop("catholyte", None)
        try:
            self._set_stack(options, catholyte)
        except OptionError as error:
            raise ParameterError(f"{path}: [stack] {error}") from error
        self.sources = {
            key: {k: v for k, v in source.model_dump().items() if v is not None}
            for key, source in file.sources.items()
        }
        if base:
            self.sources = base.sources | self.sources
        problems: list[str] = []
        # what the base set gives and this stack knows; the measured data are another cell's
        given = {n: info for n, info in (base.given if base else {}).items() if n in self._known}
        for name, entry in file.parameters.items():
            if name not in self._known:
                # some are enough to see what is wrong
                near = schema.suggestion(name, self._known) if len(problems) < 20 else ""
                problems.append(f'unknown parameter "{name}"{near}')
                continue
            info, found = self._read_entry(path, name, entry)
            problems += [f'"{name}" {problem}' for problem in found]
            if info:
                given[name] = info
        for key, measured in file.measured.items():
            if measured.source not in self.sources:
                problems.append(_no_source(f"measured.{key}", measured.source, self.sources))
        self._measured_files = file.measured
        self.measured: dict[str, pd.DataFrame] = {}
        for key, measured in file.measured.items():
            try:
                self.measured[key] = read_rate_data(_beside(path, measured.file))
            except MeasuredDataError as error:
                problems.append(f"measured.{key}: {error}")
        # what is missing or contradictory shows only once every value given is a good one
        if not problems:
            problems = self._complete(given)
        if problems:
            raise ParameterError([f"{path}: {problem}" for problem in problems])

    def _set_stack(self, options: dict, catholyte) -> None:
        if "electrolyte layers" not in options:
            raise OptionError("'electrolyte layers' is missing: names from anode to cathode")
        self._options = ModelOptions(options)
        layers = self._options["electrolyte layers"]
        self.catholyte = layers[-1] if catholyte is None else catholyte
        if self.catholyte not in layers:
            raise OptionError(
                f"catholyte is {self.catholyte!r}: it must be one of the layers {layers}; another "
                'material is given by "Positive electrode electrolyte conductivity [S.m-1]" and '
                "density"
            )
        self._known = schema.known_names(layers)
        self._rules = cell.rules(layers, self.catholyte)

    def _read_entry(self, path: Path, name: str, entry: _Entry):
        """The entry as a `ParameterInfo`, and sentences on what is wrong with it."""
        problems = []
        quantity, target = self._known[name], schema.unit_of(name)
        value, uncertainty = entry.value, None
        if isinstance(value, _Function):
            problems += self._function_problems(value)
            value = FunctionValue(value.function, dict(value.arguments))
        elif isinstance(value, _Table) and quantity.shape != "function":
            problems.append(f"is a table: it must be a number, {_allowed(quantity, target)}")
        elif isinstance(value, _Table):
            try:
                x, y = read_table(_beside(path, value.table))
                value = TableValue(value.table, tuple(x), tuple(y), target == "V")
            except MeasuredDataError as error:
                problems.append(f"has a table that cannot be used: {error}")
        given = entry.uncertainty
        if given and given.sd is None and given.range is None:
            problems.append('has an uncertainty that needs "sd", "range" or both')
            given = None
        try:
            if isinstance(value, float) and given:
                uncertainty = _converted_uncertainty(value, given, entry.unit, target)
            if isinstance(value, float):
                value = convert(value, entry.unit, target)
            elif isinstance(value, TableValue):
                y = tuple(convert(v, entry.unit, target) for v in value.y)
                value = dataclasses.replace(value, y=y)
            else:
                convert(1.0, entry.unit, target)
        except ValueError as error:
            problems.append(f'has unit "{entry.unit}": {error}')
        if not problems:
            problem = _value_problem(value, quantity, target)
            problems += [problem] if problem else []
        if uncertainty and "range" in uncertainty:
            low, high = uncertainty["range"]
            if not low <= value <= high:
                problems.append(
                    f"is {value:g} {target}, outside its own uncertainty range "
                    f"[{low:g}, {high:g}] {target}"
                )
        if entry.kind == "assumed" and isinstance(value, float) and not entry.uncertainty:
            problems.append('is assumed: it needs an "uncertainty" with its sd or range')
        if entry.source is None and entry.kind in ("measured", "literature"):
            problems.append(f'is of kind "{entry.kind}": it needs a "source"')
        if entry.source is not None and entry.source not in self.sources:
            problems.append(_no_source("", entry.source, self.sources))
        info = ParameterInfo(
            name, value, target, entry.kind, entry.source, uncertainty, entry.note
        )
        return (None if problems else info), problems

    def _function_problems(self, value: _Function) -> list[str]:
        import inspect

        from ssnib_model.materials import FUNCTIONS

        if value.function not in FUNCTIONS:
            near = schema.suggestion(value.function, FUNCTIONS)
            return [f'names the function "{value.function}": known are {sorted(FUNCTIONS)}{near}']
        _, *expected = inspect.signature(FUNCTIONS[value.function]).parameters
        problems = []
        if set(expected) != set(value.arguments):
            return [
                f'gives the function "{value.function}" the arguments '
                f"{short(sorted(value.arguments))}: it takes {sorted(expected)}"
            ]
        for argument, given in value.arguments.items():
            if isinstance(given, str) and given not in self._known:
                problems.append(
                    f'takes "{argument}" from the unknown parameter "{given}"'
                    f"{schema.suggestion(given, self._known)}"
                )
            elif isinstance(given, str) and self._known[given].shape != "number":
                problems.append(f'takes "{argument}" from "{given}", which is not a number')
        return problems

    def _complete(self, given: dict[str, ParameterInfo], changed=()) -> list[str]:
        """Set all values from those given; returns sentences on what is wrong.

        A value that overrides is not compared with what it would follow from, unless both
        were ``changed`` at once.
        """
        self._given = given
        numbers_given = {n: i.value for n, i in given.items() if isinstance(i.value, float)}
        derived = cell.derive(numbers_given, self._rules)
        self._all = dict(given)
        for name, (value, rule) in derived.items():
            unit = schema.unit_of(name)
            self._all[name] = ParameterInfo(name, value, unit, "derived", note=rule.formula)
        for name, quantity in self._known.items():
            if name not in self._all and quantity.default is not None:
                self._all[name] = ParameterInfo(
                    name, quantity.default, schema.unit_of(name), "assumed", note="default"
                )
            interface_energy = name.endswith("interface resistance activation energy [J.mol-1]")
            if name not in self._all and interface_energy:
                self._all[name] = ParameterInfo(
                    name, 0.0, "J.mol-1", "assumed", note="default: no temperature dependence"
                )

        problems = []
        for name, (value, rule) in derived.items():
            problem = _value_problem(value, self._known[name], schema.unit_of(name))
            if problem:
                problems.append(
                    f'"{name}" {problem}; it follows from {rule.formula} '
                    f"({', '.join(rule.inputs)})"
                )
        optional = self._function_parameters()
        for text, (option, needed_by) in schema.OPTION_PARAMETERS.items():
            if self._options[option] != needed_by:
                optional |= {name for name in self._known if text in name}
        for name, option in schema.NEEDS_OPTION.items():
            value, chosen = self._all[name].value, self._options[option]
            if value > 0 and chosen == ModelOptions()[option]:
                problems.append(
                    f'"{name}" is {value:g} but has no effect with the model option "{option}" = '
                    f"{chosen!r}: change the option too"
                )
        for name, quantity in self._known.items():
            if quantity.in_model and name not in self._all and name not in optional:
                inputs = [rule.inputs for rule in self._rules if rule.target == name]
                needs = "".join(f", or give {', '.join(i)}" for i in inputs)
                problems.append(f'"{name}" is missing: give it{needs}')
        for info in given.values():
            if isinstance(info.value, FunctionValue):
                for used in info.value.arguments.values():
                    if isinstance(used, str) and used not in self._all:
                        problems.append(f'"{used}" is missing: "{info.name}" uses it')
        inputs = {rule.target: rule.inputs for rule in self._rules if rule.is_checked}
        checked = [
            name
            for name in numbers_given
            if given[name].kind not in OVERRIDING_KINDS
            or (name in changed and set(inputs.get(name, ())) & set(changed))
        ]
        problems += cell.contradictions(numbers_given, self._rules, checked)
        problems += cell.check_composition({n: i.value for n, i in self._all.items()})
        return problems

    def _function_parameters(self) -> set[str]:
        """Parameters that only a named function reads."""
        return {n for n in self._known if " OCP " in n and not n.endswith("OCP [V]")} | {
            "Positive electrode plateau potential [V]"
        }


def list_parameter_sets() -> list[str]:
    """Names of the parameter sets that come with the package."""
    return sorted(p.parent.name for p in parameter_root().glob(f"*/{FILE_NAME}"))


def get_hu2024() -> dict:
    """Hu et al., Matter 2024: NVP + NaTaCl6 + C | NaTaCl6 | Na3PS4 | Na15Sn4.

    The all-solid-state sodium cell of doi 10.1016/j.matt.2023.12.017; values that the paper
    does not give are assumed, each with its range (``ssnib parameters show Hu2024``).
    """
    return dict(ParameterSet("Hu2024").to_pybamm())


# -------------------------------------------------------------------- helpers
def parameter_root() -> Path:
    """The folder of the parameter sets and materials that come with the package."""
    package = Path(__file__).parent
    shipped = package / "_parameters"  # in a wheel
    return shipped if shipped.is_dir() else package.parent / "parameters"  # in a clone


def _find(name: str | Path) -> Path:
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
        f"{FILE_NAME}{schema.suggestion(str(name), known)}"
    )


def _read(path: Path) -> _File:
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
    try:
        return _File.model_validate(document)
    except pydantic.ValidationError as error:
        raise ParameterError([f"{path}: {s}" for s in _sentences(error)]) from error


def _sentences(error: pydantic.ValidationError) -> list[str]:
    """One sentence for each field that has not the right shape."""
    sentences = {}
    for problem in error.errors(include_url=False):
        # the members of the union for "value" each complain: one sentence is enough
        where = [str(part) for part in problem["loc"]]
        if "value" in where:
            where = where[: where.index("value") + 1]
            message = (
                f"is {short(problem['input'])}: a finite number, {{ function = ..., arguments = "
                "{...} } or { table = ... } is allowed"
            )
        elif where[0] == "stack" and len(where) > 1:  # a union as well
            where = where[:2]
            message = (
                f"is {short(problem['input'])}: a text, a whole number or a list of at most "
                f"{MAX_LAYERS} texts is allowed"
            )
        elif problem["type"] == "extra_forbidden":
            message = "is not a known field"
        elif problem["type"] == "missing":
            message = "is missing"
        else:
            message = f"is {short(problem['input'])}: {problem['msg']}"
        where = [f'"{part}"' if " " in part else part for part in where]
        sentences.setdefault(".".join(where), message)
    return [f"{where} {message}" for where, message in sentences.items()]


def short(value) -> str:
    """A value for a message, cut if it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more than 4300 digits, endless brackets
        return f"{type(value).__name__} that is too long to show"
    return text if len(text) <= 60 else text[:57] + "..."


def _beside(path: Path, file: str) -> Path:
    """The path of a file that a parameter file names, which can only be its neighbour."""
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


def _no_source(where: str, key: str, sources: dict) -> str:
    near = schema.suggestion(key, sources)
    where = f"{where} " if where else ""
    return f'{where}has source "{key}", which is not in the sources table{near}'


def _value_problem(value, quantity: schema.Quantity, unit: str) -> str | None:
    """What is wrong with a value, as the rest of a sentence, or None."""
    allowed = _allowed(quantity, unit)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        if quantity.shape == "function" and isinstance(value, TableValue):
            return _table_problem(value, quantity, allowed)
        if quantity.shape == "function" and callable(getattr(value, "to_pybamm", value)):
            return None
        return f"is {short(value)}: it must be a number, {allowed}"
    if not math.isfinite(value) or not quantity.low <= value <= quantity.high:
        return f"is {value:g}: {allowed}"
    return None


def _allowed(quantity: schema.Quantity, unit: str) -> str:
    allowed = f"allowed is {quantity.low:g} to {quantity.high:g}"
    return allowed if unit == "1" else f"{allowed} {unit}"


def _table_problem(table: TableValue, quantity: schema.Quantity, allowed: str) -> str | None:
    for x, y in zip(table.x, table.y, strict=True):
        if not quantity.low <= y <= quantity.high:
            return f"is {y:g} at {x:g} in {table.file}: {allowed}"
    low, high = quantity.argument
    if table.x[0] < low or table.x[-1] > high:
        return (
            f"has the arguments {table.x[0]:g} to {table.x[-1]:g} in {table.file}: "
            f"allowed is {low:g} to {high:g}"
        )
    return None


def _converted_uncertainty(value: float, given: _Uncertainty, unit: str, target: str) -> dict:
    converted: dict = {}
    if given.sd is not None and not math.isfinite(value + given.sd):
        raise ValueError(f"{value:g} + {given.sd:g} is too large a number")
    if given.sd is not None:
        # by difference, because a unit may have an offset (degC)
        centre, above = (convert(v, unit, target) for v in (value, value + given.sd))
        converted["sd"] = above - centre
    if given.range is not None:
        converted["range"] = tuple(sorted(convert(v, unit, target) for v in given.range))
    return converted


def _shown(info: ParameterInfo) -> str:
    number = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
    return number if info.unit == "1" else f"{number} {info.unit}"
