"""Parameter sets: load, validate, show, replace, save; and hand over to PyBaMM.

A set is a folder with a ``parameters.toml`` and the CSV files it names. Loading reads data
only: a file can name a function of `ssnib_model.materials.FUNCTIONS` and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ssnib_model.cell import cathode, completion, effects, exchanges, loading, many, temperature
from ssnib_model.cell.completion import Completed
from ssnib_model.cell.options import OPTIONS, ModelOptions
from ssnib_model.cell.set_files import FILE_NAME, Data, find_set, set_texts, write_texts
from ssnib_model.cell.stack import Stack
from ssnib_model.cell.values import ParameterInfo, html_table
from ssnib_model.errors import ParameterError, UnknownParameterError
from ssnib_model.quantity import Quantity
from ssnib_model.words import suggestion

if TYPE_CHECKING:
    from ssnib_model.cell.pybamm_values import CellParameterValues

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
        self._load(find_set(name))

    def _load(self, path: Path, steep_ends: bool = False) -> None:
        """Read a file; ``steep_ends`` is what a table of before there was a format means."""
        loaded = loading.load(path, ParameterSet, steep_ends)
        self.origin, self.name, self.description = str(path), loaded.name, loaded.description
        self.sources, self._stack = loaded.sources, loaded.stack
        self._take(loaded.completed)
        self._own, self._reference = loaded.measured, loaded.reference
        self._test = loaded.test
        self._measured_name, self._measured_on = self.name, self._now
        self._before = self._now | loaded.was
        #: Of what was fitted with another cathode, what that one had another value of.
        self._fitted_elsewhere: dict[str, str] = {}

    def _take(self, completed: Completed) -> None:
        """Have these values."""
        self._given, self._given_up = completed.given, completed.given_up
        self._all = completed.values

    # ------------------------------------------------------------ mapping
    def __getitem__(self, name: str) -> Any:
        return self.info(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        changed = f", {len(self.changes)} changed" if self.changes else ""
        return f"ParameterSet({self.name!r}, {len(self)} parameters{changed})"

    def _repr_html_(self) -> str:
        return html_table(f"{self.name}: {self.description}", self._all.values())

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
        return self._stack.known[name]

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

    # ------------------------------------------------------------ test
    @property
    def test(self) -> dict[str, Any]:
        """How the cell is tested, as far as the set says it: empty if it does not.

        Of "rates", "charge_rate", "hold" and "rest", as `RateTest` takes them, and "note"; a
        variant without a test of its own has that of its base. `RateTest.of` is this test.
        """
        return copy.deepcopy(self._test)

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
        """What may not be expected, one sentence each: what follows from the changes, and what a
        law is extrapolated to."""
        notes = effects.extrapolated(self.model_options, self._all)
        notes += cathode.notes(self._all, self._fitted_elsewhere)
        layer, composite = f"{self.catholyte} layer", "Positive electrode electrolyte"
        name = "conductivity [S.m-1]"
        changed = [n for n in self.changes if n.startswith((f"{layer} conductivity",
                                                            f"{layer} density"))]  # fmt: skip
        if not changed or f"{composite} {name}" in self._given:
            return notes
        return [
            *notes,
            f"the electrolyte in the composite is that of the {layer} and follows what was "
            f'changed there ({", ".join(changed)}); give "{composite} ..." to keep it',
        ]

    def replace(
        self, changes: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> ParameterSet:
        """A new set with some values replaced, and what derives from them derived again.

        What is changed last wins. Where it contradicts what it would follow from, something
        that was given gives way and follows from now on: `exchanges.exchanges` says what, and
        the notes of both say so.

        Values that were fitted to another active material or composition of the cathode are
        assumed from then on, and their notes say so.

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

        Warns
        -----
        ValidityWarning
            If the change makes the cathode another one than values of the set were fitted to.

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
            whole = ModelOptions(self.model_options | dict(options))
            kept = self.catholyte in whole["electrolyte layers"]
            new._stack = Stack.of(whole, self.catholyte if kept else None)
            given = {n: i for n, i in given.items() if n in new._stack.known}
        known = new._stack.known
        changed, plain, problems = completion.checked(changes, known)
        if problems:
            raise ParameterError(problems)
        given = temperature.without_arrhenius(given, changed, known)
        plan = new._stack.plan(given, changed)
        rules = self._stack.rules
        for name in plain:
            note = completion.note_of_change(name, self._all.get(name), plan, given, rules)
            changed[name] = dataclasses.replace(changed[name], note=note)
        done = completion.carry_out(new._stack, plan, given, changed, self._all, self._given_up)
        if done.problems:
            raise ParameterError(done.problems)
        cause = cathode.other_than_fitted(self._all, changed, done.values)
        fitted = cathode.fitted_values(done.given) if cause else []
        if carried := [n for n in fitted if n not in changed]:
            others = cathode.not_fitted_to_it(done.given, carried, cause)
            done.given.update(others)
            done.values.update(others)
            new._fitted_elsewhere = self._fitted_elsewhere | dict.fromkeys(carried, cause)
        new._take(done)
        return new

    def replace_many(
        self, changes: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Any], np.ndarray] | None:
        """The values that `replace` gives for each of many changes, at once.

        Parameters
        ----------
        changes : mapping of str to numpy.ndarray
            Numbers by name, shape (members,).

        Returns
        -------
        values : dict
            By name, of shape (members,) where they differ.
        allowed : numpy.ndarray
            The members that `replace` does not refuse, shape (members,).
        None
            In place of both where only `replace` can tell. One member is compared with it.
        """
        found = many.values_of_many(self._stack, self._given, self._all, changes)
        if found is None or not found[1].any():
            return None
        values, allowed = found
        one = int(np.flatnonzero(allowed)[0])
        try:
            example = self.replace({name: float(x[one]) for name, x in changes.items()})
        except ParameterError:
            return None
        values = {n: values.get(n, info.value) for n, info in example._all.items()}
        for name, x in values.items():
            number = float(x[one]) if isinstance(x, np.ndarray) else x
            if number != example[name] and not _is_near(number, example[name]):
                return None
        return values, allowed

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
        layers, known = self._stack.layers, self._stack.known
        for name in names:
            layer = name.removesuffix(exchanges.MATERIAL)
            if name not in known and (layer == name or layer not in layers):
                near = suggestion(name, known)
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
        return effects.unread(self._stack, self._all, self._given, protocol)

    # ------------------------------------------------------------ hand over
    @property
    def catholyte(self) -> str:
        """The electrolyte layer whose material fills the composite."""
        return self._stack.catholyte

    @property
    def model_options(self) -> dict[str, Any]:
        """Options of the models for this stack."""
        return dict(self._stack.options)

    def to_pybamm(self) -> CellParameterValues:
        """The values the models read, as ``pybamm.ParameterValues``.

        A simulation starts at their "Initial state of charge" (charged, 0.99, unless the set
        says otherwise), which ``initial_soc`` and ``set_initial_state`` set; a `RateTest`
        starts at the "As-made state of charge" (discharged, 0.01).
        """
        from ssnib_model.cell.pybamm_values import CellParameterValues

        values = {}
        known, options = self._stack.known, self._stack.options
        for name, info in self._all.items():
            # the values of the other kind of anode are left out: which there are tells the kind
            of_other = "negative electrode" in known[name].unread_with(options)
            if known[name].in_model and not of_other:
                value = info.value
                value = value.to_pybamm() if hasattr(value, "to_pybamm") else value
                if known[name].argument_name == "temperature" and callable(value):
                    value = temperature.handed_over(value, name, options["conductivity form"])
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
            "test": self._test,
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


def _is_near(one: Any, other: Any) -> bool:
    """Whether two are numbers that differ by round-off."""
    both = isinstance(one, float) and isinstance(other, float)
    return both and abs(one - other) <= 1e-12 * abs(other)


def get_hu2024() -> dict[str, Any]:
    """Hu et al., Matter 2024: NVP + NaTaCl6 + C | NaTaCl6 | Na3PS4 | Na15Sn4.

    The all-solid-state sodium cell of doi 10.1016/j.matt.2023.12.017; values that the paper
    does not give are assumed, each with its range (``ssnib parameters show Hu2024``).
    """
    return dict(ParameterSet("Hu2024").to_pybamm())
