"""Loading a set: from its file, the set it is based on and its measured data to all values."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ssnib_model.cell import completion, temperature
from ssnib_model.cell.cathode import ACTIVE_MATERIAL
from ssnib_model.cell.completion import Completed
from ssnib_model.cell.set_files import (
    FORMAT,
    NOT_GIVEN,
    STEEP_ENDS,
    Data,
    Measured,
    SetFile,
    Table,
    beside,
    list_parameter_sets,
    no_source,
    read_entry,
    read_set,
)
from ssnib_model.cell.stack import Stack
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import MeasuredDataError, OptionError, ParameterError, ValidityWarning
from ssnib_model.quantity import unit_of
from ssnib_model.rate_values import c_rate, held_until, time_of
from ssnib_model.tables import read_rate_data
from ssnib_model.words import short, suggestion

#: How each value of a test is checked.
_TEST_VALUES: dict[str, Callable[[Any, str], Any]] = {
    "rates": c_rate,
    "charge_rate": c_rate,
    "hold": lambda value, _: held_until(value),
    "rest": time_of,
}


class Base(Protocol):
    """What a file needs of the set that it is based on."""

    name: str
    sources: dict[str, dict[str, Any]]

    @property
    def given(self) -> dict[str, ParameterInfo]:
        """What was given."""

    @property
    def model_options(self) -> dict[str, Any]:
        """Options of its stack."""

    @property
    def catholyte(self) -> str:
        """The layer whose material fills the composite."""

    @property
    def test(self) -> dict[str, Any]:
        """How it is tested."""

    def __getitem__(self, name: str) -> Any:
        """The value of any parameter."""


@dataclass(frozen=True)
class Loaded:
    """What a file gives.

    Attributes
    ----------
    name, description : str
        As in the file.
    stack : Stack
        Of the cell.
    sources : dict
        Where values come from, those of the base included.
    completed : Completed
        The values.
    measured, reference : dict
        Data of this very cell and of others.
    was : dict
        What was changed before the file was written, by its value then.
    test : dict
        How the cell is tested, as far as that is said.
    """

    name: str
    description: str
    stack: Stack
    sources: dict[str, dict[str, Any]]
    completed: Completed
    measured: dict[str, Data]
    reference: dict[str, Data]
    was: dict[str, Any]
    test: dict[str, Any]


def load(path: Path, base_of: Callable[[str], Base], steep_ends: bool = False) -> Loaded:
    """Read a file.

    Parameters
    ----------
    path : Path
        The ``parameters.toml``.
    base_of : callable
        Loads a set that comes with the package, by its name.
    steep_ends : bool, optional
        What a table of the cathode's potential means in a file of before there was a format.

    Returns
    -------
    Loaded

    Raises
    ------
    ParameterError
        With every problem of the file, one sentence each.
    """
    file, problems, left_out = read_set(path)
    known = list_parameter_sets()
    if file.base is not None and file.base not in known:
        problems.append(
            f"base is {short(file.base)}: it must be one of the sets that come with "
            f"the package, {', '.join(known)}"
        )
        raise _refused(path, problems)
    base = base_of(file.base) if file.base else None
    try:
        stack = _stack(file, base)
    except OptionError as error:
        problems.append(f"[stack] {error}")
        raise _refused(path, problems) from error
    sources: dict[str, dict[str, Any]] = {
        key: {k: v for k, v in source.model_dump().items() if v is not None}
        for key, source in file.sources.items()
    }
    if base:
        sources = base.sources | sources

    below, given, found = _read_given(path, file, stack, sources, base, steep_ends)
    problems += found
    measured, found = _read_data(path, "measured", file.measured, sources)
    problems += found
    reference, found = _read_data(path, "reference", file.reference, sources)
    problems += found
    test, found = _read_test(file, base)
    problems += found
    if problems:
        # a contradiction shows only once every value given is a good one
        names = [*below, *given, *left_out, *file.parameters]
        problems += completion.missing(stack, completion.would_be_present(stack, names))
        raise _refused(path, problems)
    # what the base gives gives way to the file
    completed = completion.change(stack, below, given) if base else completion.give(stack, given)
    if completed.problems:
        raise _refused(path, completed.problems)
    was = {n: None if v == NOT_GIVEN else v for n, v in file.was.items()}
    named = (file.name, file.description)
    return Loaded(*named, stack, sources, completed, measured, reference, was, test)


def _refused(path: Path, problems: list[str]) -> ParameterError:
    return ParameterError([f"{path}: {problem}" for problem in problems])


def _stack(file: SetFile, base: Base | None) -> Stack:
    """The stack of a file over that of its base."""
    options: dict[str, Any] = dict(file.stack)
    if base:
        options = base.model_options | {"catholyte": base.catholyte} | options
        layers = options["electrolyte layers"]
        if "catholyte" not in file.stack and base.catholyte not in layers:
            del options["catholyte"]
    catholyte = options.pop("catholyte", None)
    return Stack.of(options, catholyte)


def _read_given(
    path: Path,
    file: SetFile,
    stack: Stack,
    sources: Mapping[str, Any],
    base: Base | None,
    steep_ends: bool,
) -> tuple[dict[str, ParameterInfo], dict[str, ParameterInfo], list[str]]:
    """What the base of a file gives and this stack knows, and what the file gives over it."""
    problems: list[str] = []
    known, of_base = stack.known, base.given if base else {}
    below = {n: i for n, i in of_base.items() if n in known}
    given: dict[str, ParameterInfo] = {}
    is_old = file.format != FORMAT
    for name, entry in file.parameters.items():
        if name not in known:
            # some are enough to see what is wrong
            near = suggestion(name, known) if len(problems) < 20 else ""
            problems.append(f'unknown parameter "{name}"{near}')
            continue
        ends = steep_ends and is_old
        info, found = read_entry(path, name, entry, known, sources, ends)
        problems += [f'"{name}" {problem}' for problem in found]
        if info:
            given[name] = info
        if is_old and isinstance(entry.value, Table) and entry.value.steep_ends is None:
            _say_without_ends(path, name, ends)
    below = temperature.without_arrhenius(below, given, known)
    fitted = {n: i for n, i in of_base.items() if i.kind == "fitted"}
    for name in file.inherit_fitted:
        if name not in fitted or name not in known or name in file.parameters:
            can = sorted(set(fitted) - set(file.parameters))
            problems.append(
                f'inherit_fitted has "{name}": only values that are fitted in the base and '
                f"not given here can be inherited, {can}"
            )
    if base and stack.options["positive electrode"] == "composite":
        problems += _inherit_fitted(below, given, file, base, fitted)
    return below, given, problems


def _inherit_fitted(
    below: dict[str, ParameterInfo],
    given: Mapping[str, ParameterInfo],
    file: SetFile,
    base: Base,
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


def _say_without_ends(path: Path, name: str, ends: bool) -> None:
    """Tables of potentials once had steep ends that nobody asked for."""
    if unit_of(name) != "V" or (ends and name == STEEP_ENDS):
        return
    choice = "write steep_ends = true beside the table to add them, or " * (name == STEEP_ENDS)
    warnings.warn(
        f'{path}: the table of "{name}" is used as it is, its end values held beyond '
        "its ends; before, steep ends were added at 0 and 1 without being asked for: "
        f"{choice}write format = {FORMAT} at the top of the file to keep it so",
        ValidityWarning,
        stacklevel=2,
    )


def _read_test(file: SetFile, base: Base | None) -> tuple[dict[str, Any], list[str]]:
    """How the cell is tested, that of its base if the file says nothing; and what is wrong."""
    if file.test is None:
        return (base.test if base else {}), []
    test = {n: v for n, v in file.test.model_dump().items() if v not in (None, "")}
    problems = []
    for name, checked in _TEST_VALUES.items():
        for value in test.get(name, []) if name == "rates" else [test.get(name)]:
            try:
                if value is not None:
                    checked(value, name)
            except OptionError as error:
                problems.append(f"[test] {error}")
    return test, problems


def _read_data(
    path: Path, field: str, files: Mapping[str, Measured], sources: Mapping[str, Any]
) -> tuple[dict[str, Data], list[str]]:
    """Tables of measured data, and what is wrong with them."""
    data: dict[str, Data] = {}
    problems = []
    for key, m in files.items():
        if m.source not in sources:
            problems.append(no_source(f"{field}.{key}", m.source, sources))
        try:
            data[key] = Data(read_rate_data(beside(path, m.file)), m.file, m.source, m.note)
        except MeasuredDataError as error:
            problems.append(f"{field}.{key}: {error}")
    return data, problems
