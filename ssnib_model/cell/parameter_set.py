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
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
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

#: Options that a protocol has its own values of.
PROTOCOL_OPTIONS: dict[str, dict[str, Any]] = {
    "rate test": {},
    "impedance": {"surface form": "differential"},
}


class ParameterSet(Mapping[str, Any]):
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
        self._given_up: dict[str, str] = {}
        self._load(path)

    # ------------------------------------------------------------ mapping
    def __getitem__(self, name: str) -> Any:
        return self.info(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __getstate__(self) -> dict[str, Any]:
        # the rules are functions, which cannot be pickled, and follow from the stack
        return {k: v for k, v in self.__dict__.items() if k not in ("_rules", "_known")}

    def __setstate__(self, state: dict[str, Any]) -> None:
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
        self, changes: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> ParameterSet:
        """A new set with some values replaced, and what derives from them derived again.

        What is changed last wins. Where it contradicts what it would follow from, something
        that was given gives way and follows from now on: `relations.exchanges` says what, and
        the notes of both say so.

        Parameters
        ----------
        changes : mapping of str to float
            New values in the unit of the name, or a callable for a parameter that may be a
            function, or a whole `ParameterInfo`. A replaced value is of kind "user".
        options : mapping, optional
            Model options to replace, see `SolidStateBaseModel`.

        Returns
        -------
        ParameterSet

        Raises
        ------
        ParameterError
            For an unknown name, a value that is not allowed, or values changed at once that
            contradict one another.
        OptionError
            For an option that is not allowed.

        Examples
        --------
        >>> heavier = ParameterSet("Hu2024").replace(
        ...     {"Positive electrode active material loading [kg.m-2]": 0.1}
        ... )
        >>> heavier.info("Positive electrode mass [kg]").kind
        'derived'
        """
        new, given = copy.copy(self), self._given
        if options:
            stack = ModelOptions(self.model_options | dict(options))
            kept = self.catholyte in stack["electrolyte layers"]
            new._set_stack(stack, self.catholyte if kept else None)
            given = {n: i for n, i in given.items() if n in new._known}
        problems: list[str] = []
        changed, values = {}, {}
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
            elif info:
                changed[name] = info
            else:
                values[name] = value if callable(value) else float(value)
                changed[name] = ParameterInfo(name, values[name], unit_of(name), "user")
        if problems:
            raise ParameterError(problems)
        plan = new._plan(given, changed)
        for name in values:
            note = _note(name, self._all.get(name), plan, given, self._rules)
            changed[name] = dataclasses.replace(changed[name], note=note)
        problems = new._carry_out(plan, given, changed, self._all)
        if problems:
            raise ParameterError(problems)
        return new

    def dependents(self, names: str | Iterable[str]) -> set[str]:
        """Every parameter whose value may change when those of ``names`` are replaced.

        Parameters
        ----------
        names : str or iterable of str
            Parameters, given or not; "<layer> layer material" stands for another electrolyte
            in a layer (`swap_layer`).

        Returns
        -------
        set of str
            ``names`` included, but for materials. All others keep their values to the last
            digit; some of these may differ by round-off only, as they follow by another rule.

        Raises
        ------
        UnknownParameterError
            If there is no parameter of such a name.

        Examples
        --------
        >>> sorted(ParameterSet("Hu2024").dependents("Na3PS4 layer thickness [m]"))
        ['Na3PS4 layer mass [kg]', 'Na3PS4 layer thickness [m]']
        """
        names = [names] if isinstance(names, str) else list(names)
        layers = self._options["electrolyte layers"]
        for name in names:
            layer = name.removesuffix(relations.MATERIAL)
            if name not in self._known and (layer == name or layer not in layers):
                near = suggestion(name, self._known)
                raise UnknownParameterError(f'{self.origin}: no parameter "{name}"{near}')
        functions = tuple(n for n, i in self._given.items() if not isinstance(i.value, float))
        return relations.dependents(names, layers, self.catholyte, tuple(self._given), functions)

    def unread(self, protocol: str | None = None) -> dict[str, str]:
        """Parameters of kind "user" that no equation reads, so that they change nothing.

        Parameters
        ----------
        protocol : str, optional
            "rate test" or "impedance"; default: a plain simulation.

        Returns
        -------
        dict
            A sentence that says why, by name.

        Raises
        ------
        OptionError
            For another protocol.
        """
        if protocol not in (None, *PROTOCOL_OPTIONS):
            raise OptionError(
                f"protocol is {protocol!r}: it must be one of {sorted(PROTOCOL_OPTIONS)} or None"
            )
        options = self._options | PROTOCOL_OPTIONS.get(protocol or "", {})
        read = {
            name
            for name in self._all
            if (quantity := self._known[name]).in_model
            and not quantity.is_argument
            and not quantity.unread_with(options)
            and protocol not in quantity.set_by
        }
        values = [self._all[name].value for name in read]
        if any(callable(v) and not hasattr(v, "to_pybamm") for v in values):
            # nobody knows what a Python function reads
            read |= {name for name in self._all if self._known[name].is_argument}
        for value in values:
            if isinstance(value, FunctionValue):
                read |= {used for used in value.arguments.values() if isinstance(used, str)}
        support = self._plan(self._given, {}).derivation.support
        used = read.union(*(support.get(name, ()) for name in read))
        return {
            name: f'"{name}" is changed but has no effect: '
            + self._why_unread(name, options, protocol)
            for name, info in self._given.items()
            if info.kind == "user" and name not in used
        }

    def _why_unread(self, name: str, options: Mapping[str, Any], protocol: str | None) -> str:
        quantity = self._known[name]
        if protocol is not None and protocol in quantity.set_by:
            return f"it is for a plain simulation; of a {protocol}, {quantity.set_by[protocol]}"
        unmet = quantity.unread_with(options)
        if unmet:
            return " and ".join(
                f'it is read only with the option "{option}" = {_alternatives(values)}, not '
                f"{options[option]!r}"
                for option, values in unmet.items()
            )
        if quantity.is_argument:
            return "it is read by a function that names it only, and none does"
        if quantity.remark:
            return quantity.remark
        return "neither it nor anything that follows from it is read with the present options"

    # ------------------------------------------------------------ hand over
    @property
    def model_options(self) -> dict[str, Any]:
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
        given: dict[str, ParameterInfo] = {}
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
            # what the base set gives and this stack knows gives way to the file
            below = {n: i for n, i in (base.given if base else {}).items() if n in self._known}
            problems = self._change(below, given) if base else self._give(given)
        if problems:
            raise ParameterError([f"{path}: {problem}" for problem in problems])

    def _set_stack(self, options: Mapping[str, Any], catholyte: Any) -> None:
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

    def _plan(
        self, given: Mapping[str, ParameterInfo], changed: Mapping[str, ParameterInfo]
    ) -> relations.Plan:
        """What ``changed`` over ``given`` does."""
        layers, every = self._options["electrolyte layers"], {**given, **changed}
        functions = tuple([n for n, i in every.items() if not isinstance(i.value, float)])
        return relations.plan(layers, self.catholyte, tuple(given), functions, tuple(changed))

    def _give(self, given: dict[str, ParameterInfo]) -> list[str]:
        """Set all values from those given; returns sentences on what is wrong.

        Values of a kind that overrides stand as changes of those that they contradict: older
        files have both.
        """
        redundant = self._plan(given, {}).redundant
        changed = {n: given[n] for n in redundant if given[n].kind in OVERRIDING_KINDS}
        return self._change({n: i for n, i in given.items() if n not in changed}, changed)

    def _change(
        self, given: dict[str, ParameterInfo], changed: dict[str, ParameterInfo]
    ) -> list[str]:
        """Set all values from ``given`` with ``changed`` in their place; returns what is wrong."""
        present: dict[str, ParameterInfo] = {}
        if changed:
            before = copy.copy(self)
            before._carry_out(before._plan(given, {}), given, {}, {})
            present = before._all
        return self._carry_out(self._plan(given, changed), given, changed, present)

    def _carry_out(
        self,
        plan: relations.Plan,
        given: Mapping[str, ParameterInfo],
        changed: Mapping[str, ParameterInfo],
        present: Mapping[str, ParameterInfo],
    ) -> list[str]:
        """Give ``changed`` over ``given`` and derive the rest; returns what is wrong.

        ``present`` are all values before the change.
        """
        self._given = {n: i for n, i in given.items() if n not in plan.given_up} | dict(changed)
        for name, cause in plan.kept.items():
            old = present[name]
            note = f'{old.note}; kept as "{cause}" was changed'
            self._given[name] = dataclasses.replace(old, kind="derived", note=note)
        self._given_up = {n: text for n, text in self._given_up.items() if n not in self._given}
        for name, cause in plan.given_up.items():
            old = given[name]
            self._given_up[name] = f'given up for "{cause}", was {shown(old)} ({old.kind})'
        self._all = dict(self._given)
        values = plan.derivation.values({n: i.value for n, i in self._given.items()})
        problems = []
        for rule in plan.derivation.steps:
            name, value = rule.target, values[rule.target]
            unit, note = unit_of(name), rule.formula
            if name in self._given_up:
                note = f"{note}; {self._given_up[name]}"
            self._all[name] = ParameterInfo(name, value, unit, "derived", note=note)
            problem = _value_problem(value, self._known[name], unit)
            if problem:
                problems.append(
                    f'"{name}" {problem}; it follows from {rule.formula} '
                    f"({', '.join(rule.inputs)})"
                )
        for name, info in _defaults(self._options["electrolyte layers"]).items():
            self._all.setdefault(name, info)
        problems += self._problems()
        tolerance = relations.ROUND_OFF
        if plan.redundant:
            numbers_given = {
                n: i.value for n, i in self._given.items() if isinstance(i.value, float)
            }
            problems += relations.contradictions(numbers_given, self._rules, plan.redundant)
            tolerance = relations.TOLERANCE
        return problems + relations.check_composition(
            {n: i.value for n, i in self._all.items()}, tolerance
        )

    def _problems(self) -> list[str]:
        """What is missing, and what has no effect though it should."""
        problems = []
        for name, quantity in self._known.items():
            if name not in self._all:
                if not quantity.in_model or quantity.is_argument:
                    continue
                if quantity.unread_with(self._options):
                    continue
                inputs = [rule.inputs for rule in self._rules if rule.target == name]
                needs = "".join(f", or give {', '.join(i)}" for i in inputs)
                problems.append(f'"{name}" is missing: give it{needs}')
            elif quantity.off is not None and self._all[name].value != quantity.off:
                for option, values in quantity.unread_with(self._options).items():
                    problems.append(
                        f'"{name}" is {self._all[name].value:g} but has no effect with the model '
                        f'option "{option}" = {self._options[option]!r}: change the option to '
                        f"{_alternatives(values)} too"
                    )
        for info in self._given.values():
            if isinstance(info.value, FunctionValue):
                for used in info.value.arguments.values():
                    if isinstance(used, str) and used not in self._all:
                        problems.append(f'"{used}" is missing: "{info.name}" uses it')
        return problems


@functools.lru_cache(maxsize=100)
def _defaults(layers: tuple[str, ...]) -> dict[str, ParameterInfo]:
    """What is assumed where nothing is given and nothing follows."""
    found = {}
    for name, quantity in declared.known_names(layers).items():
        if quantity.default is not None:
            found[name] = ParameterInfo(
                name, quantity.default, unit_of(name), "assumed", note="default"
            )
        elif name.endswith("interface resistance activation energy [J.mol-1]"):
            note = "default: no temperature dependence"
            found[name] = ParameterInfo(name, 0.0, "J.mol-1", "assumed", note=note)
    return found


def _note(
    name: str,
    old: ParameterInfo | None,
    plan: relations.Plan,
    given: Mapping[str, ParameterInfo],
    rules: Iterable[relations.Rule],
) -> str:
    """What is to be said of a value that was replaced."""
    if old is None:
        note = "replaces nothing"
    elif old.kind == "derived":
        note = f"overrides the derived value {shown(old)}: {old.note}"
        if any(rule.form == "fill" and rule.target == name for rule in rules):
            note = f"{note}; does not follow any more"
    elif old.kind == "user" and old.note:
        note = old.note  # what it was before the first change
    else:
        note = f"replaces {shown(old)} ({old.kind})"
    lost = [f'"{n}" ({shown(given[n])})' for n, cause in plan.given_up.items() if cause == name]
    verb = "gives" if len(lost) == 1 else "give"
    return f"{note}; {', '.join(lost)} {verb} way" if lost else note


def _alternatives(values: Collection[Any]) -> str:
    """Values of an option, in words."""
    if isinstance(values, range):
        return f"{values.start} or more"
    return " or ".join(repr(value) for value in values)


def get_hu2024() -> dict[str, Any]:
    """Hu et al., Matter 2024: NVP + NaTaCl6 + C | NaTaCl6 | Na3PS4 | Na15Sn4.

    The all-solid-state sodium cell of doi 10.1016/j.matt.2023.12.017; values that the paper
    does not give are assumed, each with its range (``ssnib parameters show Hu2024``).
    """
    return dict(ParameterSet("Hu2024").to_pybamm())


def _no_source(where: str, key: str, sources: dict) -> str:
    near = suggestion(key, sources)
    where = f"{where} " if where else ""
    return f'{where}has source "{key}", which is not in the sources table{near}'


def _value_problem(value: Any, quantity: Quantity, unit: str) -> str | None:
    """What is wrong with a value, as the rest of a sentence, or None."""
    if type(value) is float and quantity.low <= value <= quantity.high:
        return None
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
