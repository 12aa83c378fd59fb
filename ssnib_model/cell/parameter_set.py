"""Parameter sets: load, validate, show, replace, save; and hand over to PyBaMM.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Loading reads data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import html
import tempfile
import warnings
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ssnib_model.cell import declared, exchanges, relations, temperature
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

if TYPE_CHECKING:
    from ssnib_model.cell.pybamm_values import CellParameterValues

#: Options that a protocol has its own values of.
PROTOCOL_OPTIONS: dict[str, dict[str, Any]] = {
    "rate test": {},
    "impedance": {"surface form": "differential"},
}


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
        self, changes: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> ParameterSet:
        """A new set with some values replaced, and what derives from them derived again.

        What is changed last wins. Where it contradicts what it would follow from, something
        that was given gives way and follows from now on: `exchanges.exchanges` says what, and
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
            problem = value_problem(value, quantity, unit_of(name))
            if problem:
                problems.append(f'"{name}" {problem}')
            elif info:
                changed[name] = info
            else:
                is_function = callable(getattr(value, "to_pybamm", value))
                values[name] = value if is_function else float(value)
                changed[name] = ParameterInfo(name, values[name], unit_of(name), "user")
        if problems:
            raise ParameterError(problems)
        given = temperature.without_arrhenius(given, changed, new._known)
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
            layer = name.removesuffix(exchanges.MATERIAL)
            if name not in self._known and (layer == name or layer not in layers):
                near = suggestion(name, self._known)
                raise UnknownParameterError(f'{self.origin}: no parameter "{name}"{near}')
        functions = tuple(n for n, i in self._given.items() if not isinstance(i.value, float))
        return exchanges.dependents(names, layers, self.catholyte, tuple(self._given), functions)

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

    def to_pybamm(self) -> CellParameterValues:
        """The values the models read, as ``pybamm.ParameterValues``.

        A simulation starts at their "Initial state of charge" (charged, 0.99, unless the set
        says otherwise), which ``initial_soc`` and ``set_initial_state`` set; a `RateTest`
        starts at the "As-made state of charge" (discharged, 0.01).
        """
        from ssnib_model.cell.pybamm_values import CellParameterValues

        values = {}
        for name, info in self._all.items():
            # the values of the other kind of anode are left out: which there are tells the kind
            of_other = "negative electrode" in self._known[name].unread_with(self._options)
            if self._known[name].in_model and not of_other:
                value = info.value
                value = value.to_pybamm() if hasattr(value, "to_pybamm") else value
                if self._known[name].argument_name == "temperature" and callable(value):
                    value = temperature.handed_over(
                        value, name, self._options["conductivity form"]
                    )
                values[name] = value
        return CellParameterValues(values)

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
        self._given_up: dict[str, str] = {}
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

        below, given, found = self._read_given(path, file, base, steep_ends)
        problems += found
        self._own, found = self._read_data(path, "measured", file.measured)
        problems += found
        self._reference, found = self._read_data(path, "reference", file.reference)
        problems += found
        # a contradiction shows only once every value given is a good one
        problems += (
            self._missing(self._present([*below, *given, *left_out, *file.parameters]))
            if problems
            # what the base gives gives way to the file
            else (self._change(below, given) if base else self._give(given))
        )
        if problems:
            raise ParameterError([f"{path}: {problem}" for problem in problems])
        self._measured_name, self._measured_on = self.name, self._now
        was = {n: None if v == NOT_GIVEN else v for n, v in file.was.items()}
        self._before = self._now | was

    def _read_given(
        self, path: Path, file: SetFile, base: ParameterSet | None, steep_ends: bool
    ) -> tuple[dict[str, ParameterInfo], dict[str, ParameterInfo], list[str]]:
        """What the base of a file gives and this stack knows, and what the file gives over it."""
        problems: list[str] = []
        below = {n: i for n, i in (base.given if base else {}).items() if n in self._known}
        given: dict[str, ParameterInfo] = {}
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
        below = temperature.without_arrhenius(below, given, self._known)
        fitted = {n: i for n, i in (base.given if base else {}).items() if i.kind == "fitted"}
        for name in file.inherit_fitted:
            if name not in fitted or name not in self._known or name in file.parameters:
                can = sorted(set(fitted) - set(file.parameters))
                problems.append(
                    f'inherit_fitted has "{name}": only values that are fitted in the base and '
                    f"not given here can be inherited, {can}"
                )
        if base and self._options["positive electrode"] == "composite":
            problems += _inherit_fitted(below, given, file, base, fitted)
        return below, given, problems

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

    def _plan(
        self, given: Mapping[str, ParameterInfo], changed: Mapping[str, ParameterInfo]
    ) -> exchanges.Plan:
        """What ``changed`` over ``given`` does."""
        layers, every = self._options["electrolyte layers"], {**given, **changed}
        functions = tuple([n for n, i in every.items() if not isinstance(i.value, float)])
        return exchanges.plan(layers, self.catholyte, tuple(given), functions, tuple(changed))

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
        plan: exchanges.Plan,
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
            quantity = self._known[name]
            if rule.form == "inverse" and not quantity.in_model and name != relations.VOID:
                continue  # a mass of what is described otherwise, however small: nothing reads it
            problem = value_problem(value, quantity, unit)
            if problem:
                problems.append(
                    f'"{name}" {problem}; it follows from {rule.formula} '
                    f"({', '.join(rule.inputs)})"
                )
        for name, info in _defaults(self._options["electrolyte layers"]).items():
            self._all.setdefault(name, info)
        temperature.follow(self._all, self._known)
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
        problems = self._missing(self._all) + temperature.problems(
            self._all, self._given, self._known
        )
        for name, info in self._all.items():
            quantity = self._known[name]
            if quantity.off is not None and info.value != quantity.off:
                for option, values in quantity.unread_with(self._options).items():
                    problems.append(
                        f'"{name}" is {info.value:g} but has no effect with the model '
                        f'option "{option}" = {self._options[option]!r}: change the option to '
                        f"{_alternatives(values)} too"
                    )
        for info in self._given.values():
            if isinstance(info.value, FunctionValue):
                for used in info.value.arguments.values():
                    if isinstance(used, str) and used not in self._all:
                        problems.append(f'"{used}" is missing: "{info.name}" uses it')
        return problems

    def _missing(self, present: Container[str]) -> list[str]:
        """One sentence for each parameter that the models read and that is not ``present``."""
        sentences = []
        common: dict[str, list[str]] = {}
        for name, quantity in self._known.items():
            is_read = quantity.in_model and not quantity.is_argument
            if name in present or not is_read or quantity.unread_with(self._options):
                continue
            rules = [rule for rule in self._rules if rule.target == name]
            # what would only be taken over from another name: that one is told, once
            taken = [r.inputs[0] for r in rules if r.form == "fill" and len(r.inputs) == 1]
            if taken and not any(source in present for source in taken):
                if not any(self._known[source].in_model for source in taken):
                    common.setdefault(taken[0], []).append(name)
                continue
            needed = [list(dict.fromkeys(n for n in r.inputs if n not in present)) for r in rules]
            needs = "".join(f", or give {', '.join(some)}" for some in needed if some)
            sentences.append(f'"{name}" is missing: give it{needs}')
        for source, names in common.items():
            also = f" and {len(names) - 1} more" if len(names) > 1 else ""
            sentences.append(f'"{source}" is missing: give it, or give "{names[0]}"{also}')
        return sentences

    def _present(self, given: Iterable[str]) -> set[str]:
        """Names of all that would have a value if those ``given`` had one."""
        present = {*given, *_defaults(self._options["electrolyte layers"])}
        while True:
            more = {r.target for r in self._rules if present.issuperset(r.inputs)} - present
            if not more:
                return present
            present |= more


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
    plan: exchanges.Plan,
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


def _inherit_fitted(
    below: dict[str, ParameterInfo],
    given: Mapping[str, ParameterInfo],
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
        if name in file.parameters or name not in below or not name.startswith("Positive "):
            continue
        if name in file.inherit_fitted:
            note = f"inherited from {base.name}, where it is fitted to another active material"
            below[name] = dataclasses.replace(info, kind="assumed", note=note)
        else:
            problems.append(
                f'"{name}" is fitted to the active material of {base.name}, and this set has '
                f'another "{other[0]}": give its value, or take that one over by '
                f'inherit_fitted = ["{name}"]'
            )
    return problems
