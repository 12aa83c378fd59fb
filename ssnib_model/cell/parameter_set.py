"""Parameter sets: load, validate, show, replace, save; and hand over to PyBaMM.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Loading reads data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import html
import tempfile
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ssnib_model.cell import declared, relations, temperature
from ssnib_model.cell.options import OPTIONS, ModelOptions
from ssnib_model.cell.set_files import (
    FILE_NAME,
    FORMAT,
    NOT_GIVEN,
    STEEP_ENDS,
    Data,
    Measured,
    SetFile,
    Table,
    beside,
    find_set,
    list_parameter_sets,
    no_source,
    read_entry,
    read_set,
    set_texts,
    write_texts,
)
from ssnib_model.cell.temperature import ENERGY
from ssnib_model.cell.values import (
    OVERRIDING_KINDS,
    FunctionValue,
    ParameterInfo,
    shown,
    value_problem,
)
from ssnib_model.errors import (
    MeasuredDataError,
    OptionError,
    ParameterError,
    UnknownParameterError,
    ValidityWarning,
)
from ssnib_model.quantity import Quantity, unit_of
from ssnib_model.tables import read_rate_data
from ssnib_model.words import short, suggestion

#: How a cell is tested, not what it is: with another of these it is still the same cell.
TEST_CONDITIONS = (
    "Ambient temperature [K]",
    "Lower voltage cut-off [V]",
    "Upper voltage cut-off [V]",
    "Initial state of charge",
    "Current function [A]",
)

#: Options that describe the same cell in another way; the others are another cell.
DESCRIPTION_OPTIONS = tuple(
    option
    for option in OPTIONS
    if option not in ("electrolyte layers", "negative electrode", "positive electrode")
)

#: What makes an active material another one.
ACTIVE_MATERIAL = (
    "Positive electrode OCP [V]",
    "Positive electrode active material density [kg.m-3]",
    "Positive electrode active material molar mass [kg.mol-1]",
    "Positive electrode cyclable sodium per formula unit",
    "Maximum concentration in positive electrode [mol.m-3]",
)


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
        changed = f", {len(self.changes)} changed" if self.changes else ""
        return f"ParameterSet({self.name!r}, {len(self)} parameters{changed})"

    def _repr_html_(self) -> str:
        columns = ("Parameter", "Value", "Unit", "Kind", "Source", "Uncertainty", "Note")
        rows = [
            (
                info.name,
                f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value),
                info.unit,
                info.kind,
                info.source or "",
                info.uncertainty_text,
                info.note,
            )
            for info in self._all.values()
        ]
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in rows
        )
        head = "".join(f"<th>{column}</th>" for column in columns)
        title = html.escape(f"{self.name}: {self.description}")
        return (
            f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )

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

    # ------------------------------------------------------------ measured data
    @property
    def measured(self) -> dict[str, pd.DataFrame]:
        """Rate-test data of this very cell by name; none once the cell has been changed."""
        own = self._own if self._is_measured else {}
        return {key: data.table for key, data in own.items()}

    @property
    def reference_data(self) -> dict[str, pd.DataFrame]:
        """Rate-test data of other cells, by "<set>: <name>": of the one it was made from."""
        return {key: data.table for key, data in self._others.items()}

    @property
    def _others(self) -> dict[str, Data]:
        return self._reference | ({} if self._is_measured else self._labelled)

    @property
    def _labelled(self) -> dict[str, Data]:
        return {f"{self._measured_name}: {key}": data for key, data in self._own.items()}

    @property
    def _is_measured(self) -> bool:
        """Whether this is still the cell that the data were measured on."""
        changed = self._differences(self._measured_on, self._now)
        return all(n in TEST_CONDITIONS or n in DESCRIPTION_OPTIONS for n in changed)

    def with_measured(
        self, data: Mapping[str, pd.DataFrame], source: str = "measured data given to the set"
    ) -> ParameterSet:
        """The same cell with rate-test data of its own; those it had are `reference_data`.

        Parameters
        ----------
        data : mapping of str to pandas.DataFrame
            By name; the columns are `ssnib_model.tables.RATE_COLUMNS`.
        source : str, optional
            Where they come from.

        Returns
        -------
        ParameterSet
        """
        new = copy.copy(self)
        new._reference = self._reference | self._labelled
        entry, key = {"citation": source}, "own"
        while self.sources.get(key, entry) != entry:
            key += "+"
        new.sources = self.sources | {key: entry}
        new._own = {
            name: Data(table.reset_index(drop=True), f"measured_{n}.csv", key)
            for n, (name, table) in enumerate(data.items(), start=1)
        }
        new._measured_name, new._measured_on = self.name, self._now
        return new

    # ------------------------------------------------------------ change
    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What was changed since the set was loaded: name -> (before, now), options included.

        Only what was given, not what follows from it. None stands for what was not there.
        """
        return self._differences(self._before, self._now)

    @property
    def _now(self) -> dict[str, Any]:
        """All that was given, and all else that has a value."""
        options = self.model_options | {"catholyte": self.catholyte}
        options["electrolyte layers"] = " | ".join(options["electrolyte layers"])
        return options | {name: info.value for name, info in self._all.items()}

    def _differences(
        self, before: Mapping[str, Any], now: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any]]:
        given = [n for n in now if n in self._given or n not in self._all]
        return {
            name: (before.get(name), now[name])
            for name in given
            if name not in before or before[name] != now[name]
        }

    @property
    def notes(self) -> list[str]:
        """What follows from the changes and may not be expected, one sentence each."""
        layer, composite = f"{self.catholyte} layer", "Positive electrode electrolyte"
        name = "conductivity [S.m-1]"
        changed = [n for n in self.changes if n.startswith((f"{layer} conductivity",
                                                            f"{layer} density"))]  # fmt: skip
        if not changed or f"{composite} {name}" in self._given:
            return []
        return [
            f"the electrolyte in the composite is that of the {layer} and follows what was "
            f'changed there ({", ".join(changed)}); give "{composite} ..." to keep it'
        ]

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
            problem = value_problem(value, quantity, unit_of(name))
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
        temperature.give_way(given, changes, new._known)
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
        """The values the models read, as ``pybamm.ParameterValues``."""
        import pybamm

        values = {}
        for name, info in self._all.items():
            if self._known[name].in_model:
                value = info.value
                value = value.to_pybamm() if hasattr(value, "to_pybamm") else value
                if self._known[name].argument_name == "temperature" and callable(value):
                    value = temperature.handed_over(
                        value, name, self._options["conductivity form"]
                    )
                values[name] = value
        return pybamm.ParameterValues(values)

    def files(self) -> dict[str, str]:
        """The set as the texts of the files of a folder, by name: the TOML file first.

        Raises
        ------
        ParameterError
            If a value is a Python callable.
        """
        return self._files(self.changes)

    def _files(self, was: Mapping[str, tuple[Any, Any]]) -> dict[str, str]:
        """The texts of the files, with what has ``changed``."""
        options = self.model_options
        head = {
            "name": self.name,
            "description": self.description,
            "stack": {
                "electrolyte layers": list(options.pop("electrolyte layers")),
                "catholyte": self.catholyte,
                **options,
            },
            "sources": self.sources,
        }
        own = self._own if self._is_measured else {}
        before = {name: old for name, (old, _) in was.items()}
        return set_texts(head, self._given, own, self._others, before)

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> ParameterSet:
        """The set that `files` came from; nothing is left on the disk.

        Files of before they had a format were run with steep ends at a table of the cathode's
        potential: they keep them.

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
            parameters = cls.__new__(cls)
            parameters._load(Path(folder) / FILE_NAME, steep_ends=True)
            return parameters

    def save(self, folder: str | Path) -> Path:
        """Write the set as a folder that `ParameterSet` can read; returns the folder.

        Its name becomes that of the folder. Measured data stay its own if it is the cell they
        were measured on, and go to `reference_data` else.

        Raises
        ------
        ParameterError
            If the folder holds a set already, cannot be written, or a value is a Python callable.
        """
        folder, named = Path(folder), copy.copy(self)
        named.name = folder.name
        named.description = f"Saved from the set {self.name}. {self.description}".strip()
        write_texts(folder, named._files({}))
        return folder

    # ------------------------------------------------------------ loading
    def _load(self, path: Path, steep_ends: bool = False) -> None:
        """Read a file; ``steep_ends`` is what a table of before there was a format means."""
        file, problems, left_out = read_set(path)
        self.origin, self.name, self.description = str(path), file.name, file.description
        known = list_parameter_sets()
        if file.base is not None and file.base not in known:
            problems.append(
                f"base is {short(file.base)}: it must be one of the sets that come with "
                f"the package, {', '.join(known)}"
            )
            raise ParameterError([f"{path}: {problem}" for problem in problems])
        base = ParameterSet(file.base) if file.base else None
        options: dict[str, Any] = dict(file.stack)
        if base:
            options = base.model_options | {"catholyte": base.catholyte} | options
            layers = options["electrolyte layers"]
            if "catholyte" not in file.stack and base.catholyte not in layers:
                del options["catholyte"]
        try:
            self._set_stack(options, options.pop("catholyte", None))
        except OptionError as error:
            problems.append(f"[stack] {error}")
            raise ParameterError([f"{path}: {problem}" for problem in problems]) from error
        self.sources = {
            key: {k: v for k, v in source.model_dump().items() if v is not None}
            for key, source in file.sources.items()
        }
        if base:
            self.sources = base.sources | self.sources

        given, found = self._read_given(path, file, base, steep_ends)
        problems += found
        self._own, found = self._read_data(path, "measured", file.measured)
        problems += found
        self._reference, found = self._read_data(path, "reference", file.reference)
        problems += found
        # a contradiction shows only once every value given is a good one
        problems += (
            self._missing(self._present([*given, *left_out, *file.parameters]))
            if problems
            else self._complete(given)
        )
        if problems:
            raise ParameterError([f"{path}: {problem}" for problem in problems])
        self._measured_name, self._measured_on = self.name, self._now
        was = {n: None if v == NOT_GIVEN else v for n, v in file.was.items()}
        self._before = self._now | was

    def _read_given(
        self, path: Path, file: SetFile, base: ParameterSet | None, steep_ends: bool
    ) -> tuple[dict[str, ParameterInfo], list[str]]:
        """What a file gives, over what its base gives and this stack knows."""
        problems: list[str] = []
        given = {n: i for n, i in (base.given if base else {}).items() if n in self._known}
        is_old = file.format != FORMAT
        for name, entry in file.parameters.items():
            if name not in self._known:
                # some are enough to see what is wrong
                near = suggestion(name, self._known) if len(problems) < 20 else ""
                problems.append(f'unknown parameter "{name}"{near}')
                continue
            ends = steep_ends and is_old
            info, found = read_entry(path, name, entry, self._known, self.sources, ends)
            problems += [f'"{name}" {problem}' for problem in found]
            if info:
                given[name] = info
            if is_old and isinstance(entry.value, Table) and entry.value.steep_ends is None:
                self._say_without_ends(name, ends)
        temperature.give_way(given, file.parameters, self._known)
        fitted = {n: i for n, i in (base.given if base else {}).items() if i.kind == "fitted"}
        for name in file.inherit_fitted:
            if name not in fitted or name not in self._known or name in file.parameters:
                can = sorted(set(fitted) - set(file.parameters))
                problems.append(
                    f'inherit_fitted has "{name}": only values that are fitted in the base and '
                    f"not given here can be inherited, {can}"
                )
        if base and self._options["positive electrode"] == "composite":
            problems += _inherit_fitted(given, file, base, fitted)
        return given, problems

    def _say_without_ends(self, name: str, ends: bool) -> None:
        """Tables of potentials once had steep ends that nobody asked for."""
        if unit_of(name) != "V" or (ends and name == STEEP_ENDS):
            return
        choice = "write steep_ends = true beside the table to add them, or " * (name == STEEP_ENDS)
        warnings.warn(
            f'{self.origin}: the table of "{name}" is used as it is, its end values held beyond '
            "its ends; before, steep ends were added at 0 and 1 without being asked for: "
            f"{choice}write format = {FORMAT} at the top of the file to keep it so",
            ValidityWarning,
            stacklevel=2,
        )

    def _read_data(
        self, path: Path, field: str, files: Mapping[str, Measured]
    ) -> tuple[dict[str, Data], list[str]]:
        """Tables of measured data, and what is wrong with them."""
        data: dict[str, Data] = {}
        problems = []
        for key, m in files.items():
            if m.source not in self.sources:
                problems.append(no_source(f"{field}.{key}", m.source, self.sources))
            try:
                data[key] = Data(read_rate_data(beside(path, m.file)), m.file, m.source, m.note)
            except MeasuredDataError as error:
                problems.append(f"{field}.{key}: {error}")
        return data, problems

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

        temperature.follow(self._all, self._known, self.catholyte)

        problems = temperature.problems(self._all, given, self._known)
        for name, (value, rule) in derived.items():
            problem = value_problem(value, self._known[name], unit_of(name))
            if problem:
                problems.append(
                    f'"{name}" {problem}; it follows from {rule.formula} '
                    f"({', '.join(rule.inputs)})"
                )
        for name, option in declared.NEEDS_OPTION.items():
            value, chosen = self._all[name].value, self._options[option]
            if value > 0 and chosen == ModelOptions()[option]:
                problems.append(
                    f'"{name}" is {value:g} but has no effect with the model option "{option}" = '
                    f"{chosen!r}: change the option too"
                )
        problems += self._missing(self._all)
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

    def _missing(self, present: Container[str]) -> list[str]:
        """One sentence for each parameter that the models read and that is not ``present``."""
        optional = {name for name, quantity in self._known.items() if quantity.is_argument}
        for text, (option, needed_by) in declared.OPTION_PARAMETERS.items():
            if self._options[option] != needed_by:
                optional |= {name for name in self._known if text in name}
        for name, quantity in self._known.items():
            if any(self._options[o] not in values for o, values in quantity.read_with.items()):
                optional.add(name)
        sentences = []
        for name, quantity in self._known.items():
            if quantity.in_model and name not in present and name not in optional:
                inputs = [rule.inputs for rule in self._rules if rule.target == name]
                needed = [[n for n in some if n not in present] for some in inputs]
                needs = "".join(f", or give {', '.join(some)}" for some in needed)
                sentences.append(f'"{name}" is missing: give it{needs}')
        return sentences

    def _present(self, given: Iterable[str]) -> set[str]:
        """Names of all that would have a value if those ``given`` had one."""
        present = set(given)
        present |= {name for name, quantity in self._known.items() if quantity.default is not None}
        present |= {n for n in self._known if n.endswith(f"interface resistance {ENERGY}")}
        while True:
            more = {r.target for r in self._rules if present.issuperset(r.inputs)} - present
            if not more:
                return present
            present |= more


def get_hu2024() -> dict:
    """Hu et al., Matter 2024: NVP + NaTaCl6 + C | NaTaCl6 | Na3PS4 | Na15Sn4.

    The all-solid-state sodium cell of doi 10.1016/j.matt.2023.12.017; values that the paper
    does not give are assumed, each with its range (``ssnib parameters show Hu2024``).
    """
    return dict(ParameterSet("Hu2024").to_pybamm())


def _inherit_fitted(
    given: dict[str, ParameterInfo],
    file: SetFile,
    base: ParameterSet,
    fitted: Mapping[str, ParameterInfo],
) -> list[str]:
    """Values fitted to another active material: taken over as assumed if named, else a problem."""
    other = [n for n in ACTIVE_MATERIAL if n in file.parameters and n in given
             and given[n].value != base[n]]  # fmt: skip
    if not other:
        return []
    problems = []
    for name, info in fitted.items():
        if name in file.parameters or name not in given or not name.startswith("Positive "):
            continue
        if name in file.inherit_fitted:
            note = f"inherited from {base.name}, where it is fitted to another active material"
            given[name] = dataclasses.replace(info, kind="assumed", note=note)
        else:
            problems.append(
                f'"{name}" is fitted to the active material of {base.name}, and this set has '
                f'another "{other[0]}": give its value, or take that one over by '
                f'inherit_fitted = ["{name}"]'
            )
    return problems
