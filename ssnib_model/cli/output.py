"""What a command prints, where it writes, and how it ends."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ssnib_model.errors import SSNIBError, ValidityWarning
from ssnib_model.files import read_bytes, writing

if TYPE_CHECKING:
    import pandas as pd

    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.measured.comparison import Comparison
    from ssnib_model.results.protocol import ProtocolResult
    from ssnib_model.results.rate_test import RateTestResult
    from ssnib_model.solvers.choice import Choice

#: Done; bad input; some runs failed or there is no answer; stopped by Ctrl-C.
EXIT_OK, EXIT_BAD_INPUT, EXIT_SOME_FAILED, EXIT_INTERRUPTED = 0, 2, 3, 130

RUN_FILE = "run.json"
#: Bytes of a run.json that is looked at before it is overwritten.
MAX_RUN_SIZE = 100_000_000

#: Arguments that are no settings of a run: where it writes, and the cell, which is written whole.
_NO_SETTINGS = {
    "command", "called", "folder", "parser", "out", "json", "quiet", "force",
    "set", "param", "layer", "option", "temperature",
}  # fmt: skip

#: Rows of a table that are printed.
MAX_ROWS = 40


# -------------------------------------------------------------------- text
def say(text: str, file: TextIO | None = None) -> None:
    """Print for a person."""
    print(printable(text), file=file)


def warn(text: str) -> None:
    """One line on stderr."""
    say(f"ssnib: warning: {one_line(text)}", file=sys.stderr)


def no_answer(text: str) -> int:
    """Say why there is no result; the exit code that goes with it."""
    say(f"ssnib: no answer: {one_line(text)}", file=sys.stderr)
    return EXIT_SOME_FAILED


def printable(text: str) -> str:
    """Text of a file without what would steer the terminal or cannot be encoded."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    return " ".join(text.split())


def talks(arguments: argparse.Namespace) -> bool:
    """Whether to show a progress bar."""
    return not (arguments.quiet or arguments.json) and sys.stderr.isatty()


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Every warning as one line on stderr, none of them twice."""
    seen: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            warn(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", ValidityWarning)
        warnings.showwarning = show
        yield


def fitted(table: pd.DataFrame, first: list[str], number: str = "{:.5g}", na: str = "-") -> str:
    """The rows and columns of a table that fit the terminal, in their order.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    first : list of str
        Columns to show before all others, the most important one first.
    number : str, optional
        Format of the numbers.
    na : str, optional
        What stands for a missing value.

    Returns
    -------
    str
        With a last line that says what is left out.
    """
    width = shutil.get_terminal_size((100, 24)).columns
    part = table.head(MAX_ROWS)

    def text(columns: list[str]) -> str:
        shown = part[[c for c in table.columns if c in columns]]
        return shown.to_string(index=False, na_rep=na, float_format=number.format)

    chosen: list[str] = []
    for column in dict.fromkeys([*first, *table.columns]):
        if column not in table.columns:
            continue
        if not chosen or len(text([*chosen, column]).split("\n", 1)[0]) <= width:
            chosen.append(column)
    left = [f"{len(table) - len(part)} rows"] if len(table) > len(part) else []
    columns = len(table.columns) - len(chosen)
    left += [f"{columns} column{'s' if columns > 1 else ''}"] if columns else []
    return text(chosen) + (f"\n... and {' and '.join(left)} more" if left else "")


# -------------------------------------------------------------------- JSON
def print_json(document: Any) -> None:
    print(_json(document))


def _json(document: Any) -> str:
    return json.dumps(_finite(document), indent=2, allow_nan=False)


def _finite(document: Any) -> Any:
    """With None for NaN and infinity, which JSON does not have."""
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_finite(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document


def run_record(
    arguments: argparse.Namespace,
    parameters: ParameterSet,
    solver: Choice | None = None,
) -> dict[str, Any]:
    """What repeats a run: the command, its settings, the whole set and the versions.

    Every document that a command prints with ``--json`` or writes as ``run.json`` begins with
    these four; its results follow.
    """
    from ssnib_model.results.record import parameters_of, versions

    settings = {k: v for k, v in vars(arguments).items() if k not in _NO_SETTINGS}
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()}
    settings.pop("solver", None)
    if solver is not None:
        settings["solver"] = solver.to_dict()
    return {
        "command": arguments.called,
        "settings": settings,
        "parameters": parameters_of(parameters),
        "versions": versions(),
    }


def result_record(
    arguments: argparse.Namespace, result: RateTestResult | ProtocolResult | Comparison
) -> dict[str, Any]:
    """The same of the result of a test, which `repeat_run` takes."""
    document = result.to_dict()
    first = ("settings", "parameters", "versions")
    head = {"command": arguments.called, **{key: document[key] for key in first}}
    return head | document


# -------------------------------------------------------------------- files
def results_folder(
    arguments: argparse.Namespace, writes: Iterable[str], keeps: bool = False
) -> Path | None:
    """The folder for results, made before the run so that no work is lost to it.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command.
    writes : iterable of str
        Files that the command writes there.
    keeps : bool, optional
        Whether the default folder too keeps what it holds; else the results of an earlier run
        of the same command give way there.

    Returns
    -------
    Path or None
        None if nothing is to be written.

    Raises
    ------
    SSNIBError
        If it cannot be written, or holds one of these files and ``--force`` is not given.
    """
    folder = arguments.out or (None if arguments.json else arguments.folder)
    if folder is None:
        return None
    if "\0" in str(folder):
        raise SSNIBError(f"--out {folder}: cannot be written: a path holds no zero byte")
    there = [name for name in writes if os.path.lexists(folder / name)]
    # twice in a row the same command, with no folder named, is the same work again
    own = not arguments.out and not keeps and _command_of(folder) == arguments.called
    if there and not (own or getattr(arguments, "force", False)):
        force = ", or add --force to overwrite" if hasattr(arguments, "force") else ""
        raise SSNIBError(
            f"{folder}: holds {', '.join(there)} already: name another folder with --out{force}"
        )
    if there and not arguments.quiet:
        say(f"ssnib: overwrites the results in {folder}", file=sys.stderr)
    with writing(folder):
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    return folder


def write_run(folder: Path, document: dict) -> None:
    """Write ``run.json``."""
    write_json(folder, RUN_FILE, document)


def write_json(folder: Path, name: str, document: Any) -> None:
    """Write a document as a file of a folder."""
    with writing(folder):
        (folder / name).write_text(_json(document) + "\n")


def _command_of(folder: Path) -> str | None:
    """The command whose results are in a folder, as far as its run.json says so."""
    try:
        document = json.loads(read_bytes(folder / RUN_FILE, MAX_RUN_SIZE))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if "command" not in document and "test" in document:  # as written before it said so
        return "breakdown" if (folder / "breakdown.csv").exists() else "rate-test"
    return document.get("command")
