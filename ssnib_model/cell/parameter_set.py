"""Parameter sets: load, validate, show, replace, save; and hand over to PyBaMM.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Loading reads data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import numbers
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ssnib_model.cell import declared, relations
from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.set_files import (
    FILE_NAME,
    Entry,
    Function,
    Table,
    Uncertainty,
    beside,
    find_set,
    list_parameter_sets,
    read_set,
)
from ssnib_model.cell.values import (
    OVERRIDING_KINDS,
    FunctionValue,
    ParameterInfo,
    TableValue,
    shown,
)
from ssnib_model.errors import (
    MeasuredDataError,
    OptionError,
    ParameterError,
    UnknownParameterError,
)
from ssnib_model.quantity import Quantity, unit_of
from ssnib_model.tables import read_rate_data, read_table
from ssnib_model.units import convert
from ssnib_model.words import short, suggestion


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
        path = find_set(name)
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
                f'{self.origin}: no parameter "{name}"{suggestion(name, self._all)}'
            )
        return self._all[name]

    def quantity(self, name: str) -> Quantity:
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
                problems.append(f'unknown parameter "{name}"{suggestion(name, new._known)}')
                continue
            info = value if isinstance(value, ParameterInfo) else None
            value = info.value if info else value
            problem = _value_problem(value, quantity, unit_of(name))
            if problem:
                problems.append(f'"{name}" {problem}')
                continue
            if info:
                given[name] = info
                continue
            old = self._all.get(name)
            note = f"replaces {shown(old)} ({old.kind})" if old else "replaces nothing"
            if old and (old.kind == "derived" or "overrides" in old.note):
                note = f"overrides the derived value {shown(old)}: {old.note}"
            value = value if callable(value) else float(value)
            given[name] = ParameterInfo(name, value, unit_of(name), "user", note=note)
        if problems:
            raise ParameterError(problems)
        problems = new._complete(given, changes)
        if problems:
            raise ParameterError(problems)
        return new

    def dependents(self, names: Iterable[str]) -> set[str]:
        """``names`` and every other name whose value may change with theirs."""
        return relations.dependents(names, self._rules)

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
        from ssnib_model.cell.pybamm_values import CellParameterValues

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
        file = read_set(path)
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
                near = suggestion(name, self._known) if len(problems) < 20 else ""
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
                self.measured[key] = read_rate_data(beside(path, measured.file))
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
        self._known = declared.known_names(layers)
        self._rules = relations.rules(layers, self.catholyte)

    def _read_entry(self, path: Path, name: str, entry: Entry):
        """The entry as a `ParameterInfo`, and sentences on what is wrong with it."""
        problems = []
        quantity, target = self._known[name], unit_of(name)
        value, uncertainty = entry.value, None
        if isinstance(value, Function):
            problems += self._function_problems(value)
            value = FunctionValue(value.function, dict(value.arguments))
        elif isinstance(value, Table) and quantity.shape != "function":
            problems.append(f"is a table: it must be a number, {_allowed(quantity, target)}")
        elif isinstance(value, Table):
            try:
                x, y = read_table(beside(path, value.table))
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

    def _function_problems(self, value: Function) -> list[str]:
        import inspect

        from ssnib_model.materials import FUNCTIONS

        if value.function not in FUNCTIONS:
            near = suggestion(value.function, FUNCTIONS)
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
                    f"{suggestion(given, self._known)}"
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
        derived = relations.derive(numbers_given, self._rules)
        self._all = dict(given)
        for name, (value, rule) in derived.items():
            unit = unit_of(name)
            self._all[name] = ParameterInfo(name, value, unit, "derived", note=rule.formula)
        for name, quantity in self._known.items():
            if name not in self._all and quantity.default is not None:
                self._all[name] = ParameterInfo(
                    name, quantity.default, unit_of(name), "assumed", note="default"
                )
            interface_energy = name.endswith("interface resistance activation energy [J.mol-1]")
            if name not in self._all and interface_energy:
                self._all[name] = ParameterInfo(
                    name, 0.0, "J.mol-1", "assumed", note="default: no temperature dependence"
                )

        problems = []
        for name, (value, rule) in derived.items():
            problem = _value_problem(value, self._known[name], unit_of(name))
            if problem:
                problems.append(
                    f'"{name}" {problem}; it follows from {rule.formula} '
                    f"({', '.join(rule.inputs)})"
                )
        optional = self._function_parameters()
        for text, (option, needed_by) in declared.OPTION_PARAMETERS.items():
            if self._options[option] != needed_by:
                optional |= {name for name in self._known if text in name}
        for name, option in declared.NEEDS_OPTION.items():
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
        problems += relations.contradictions(numbers_given, self._rules, checked)
        problems += relations.check_composition({n: i.value for n, i in self._all.items()})
        return problems

    def _function_parameters(self) -> set[str]:
        """Parameters that only a named function reads."""
        return {n for n in self._known if " OCP " in n and not n.endswith("OCP [V]")} | {
            "Positive electrode plateau potential [V]"
        }


def get_hu2024() -> dict:
    """Hu et al., Matter 2024: NVP + NaTaCl6 + C | NaTaCl6 | Na3PS4 | Na15Sn4.

    The all-solid-state sodium cell of doi 10.1016/j.matt.2023.12.017; values that the paper
    does not give are assumed, each with its range (``ssnib parameters show Hu2024``).
    """
    return dict(ParameterSet("Hu2024").to_pybamm())


def _no_source(where: str, key: str, sources: dict) -> str:
    near = suggestion(key, sources)
    where = f"{where} " if where else ""
    return f'{where}has source "{key}", which is not in the sources table{near}'


def _value_problem(value, quantity: Quantity, unit: str) -> str | None:
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


def _allowed(quantity: Quantity, unit: str) -> str:
    allowed = f"allowed is {quantity.low:g} to {quantity.high:g}"
    return allowed if unit == "1" else f"{allowed} {unit}"


def _table_problem(table: TableValue, quantity: Quantity, allowed: str) -> str | None:
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


def _converted_uncertainty(value: float, given: Uncertainty, unit: str, target: str) -> dict:
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
