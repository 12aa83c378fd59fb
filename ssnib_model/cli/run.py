"""``ssnib run``: any test, step by step."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.cli.arguments import (
    CELL,
    add_cell_arguments,
    add_output_arguments,
    cell,
    choice,
    in_words,
    model,
    once,
    option,
    refuse_beside,
)
from ssnib_model.cli.output import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SOME_FAILED,
    RUN_FILE,
    fitted,
    no_answer,
    print_json,
    result_record,
    results_folder,
    say,
    talks,
    warn,
    write_run,
)
from ssnib_model.errors import OptionError
from ssnib_model.files import writing

if TYPE_CHECKING:
    import pandas as pd

    from ssnib_model.protocol.protocol import Protocol
    from ssnib_model.results.protocol import ProtocolResult

FILES = ("table.csv", "curves.csv", "cycles.csv", "protocol.txt", "protocol.png", RUN_FILE)
#: Tables of pulses and titrations, where a test has them.
TABLES = ("resistances", "titration")

#: What says what is run; with a run.json nothing of it can be given.
TEST = ("file", "experiment", "setting", "times", "initial_soc", "keep")

EXAMPLES = """examples:
  ssnib run "Charge at C/5 until cut-off" "Rest for 1 hour" "Discharge at 1 C until 2.5 V"
  ssnib run "Repeat 3 times:" "  Charge at 1 C until cut-off" "  Discharge at 1 C until cut-off"
  ssnib run --file protocol.txt --out aged --keep 100
  ssnib run --experiment gitt --setting rate=C/10 --setting "rest=2 hours"
Example: ssnib run --experiment pulse --setting states=5 --model spm
"""


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``run``."""
    run = commands.add_parser(
        "run",
        help="any test: steps, a file of steps, GITT, pulses, cycling, formation",
        description="Run a test step by step. A step is a text in PyBaMM's language, such as "
        '"Discharge at C/5 for 10 hours or until 2.5 V" (docs/protocols.md tells all). Writes '
        "table.csv (a row a step), curves.csv, run.json, protocol.txt and a plot, cycles.csv "
        "where there are several, and resistances.csv and titration.csv of pulses and titrations.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "steps",
        nargs="*",
        metavar="STEP",
        help='a step; "Repeat 3 times:" before indented ones',
    )
    run.add_argument("--file", type=Path, metavar="FILE", help="text file, one step a line")
    run.add_argument(
        "--experiment", metavar="NAME", help="a test by name: cycling, formation, gitt or pulse"
    )
    run.add_argument(
        "--setting",
        action="append",
        default=[],
        type=option,
        metavar='"NAME=VALUE"',
        help='a setting of the experiment, "rate=C/10" for example; repeatable',
    )
    run.add_argument("--times", type=int, default=1, metavar="N", help="do all of it N times")
    run.add_argument(
        "--initial-soc",
        type=float,
        metavar="X",
        help="state of charge at the start, 0 to 1 (default: as made, discharged)",
    )
    run.add_argument(
        "--keep",
        type=int,
        default=1,
        metavar="N",
        help="keep curves of every Nth cycle, and of the last one (default: 1, of all)",
    )
    run.add_argument(
        "--repeat",
        type=Path,
        metavar="RUN.JSON",
        help="run what this file of an earlier run says; with it, only where results go can be "
        "given",
    )
    add_cell_arguments(run)
    add_output_arguments(run, "run")
    run.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    protocol, settings, words = _repeated(arguments) if arguments.repeat else _asked(arguments)
    # what a cell cannot do is said before a folder is made
    protocol.schedule(settings["parameters"])
    named = arguments.out or Path(arguments.folder)
    there = [path for path in (named, *_own(named)) if os.path.lexists(path)]
    folder = results_folder(arguments, (*FILES, *(f"{name}.csv" for name in TABLES)))
    # a folder of the user's choice keeps what was done, for a run that goes on
    if arguments.out:
        settings["out"] = _for_this_run(folder, arguments.force)
    result = protocol.run(**settings, progress=talks(arguments))
    tables = _tables(result)
    document = result_record(arguments, result)
    document |= {name: _records(table) for name, table in tables.items()}
    solved = any(step.segment is not None or step.samples.size for step in result.steps)
    if folder and solved:
        with writing(folder):  # what an earlier run left, and this has not
            for name in ("cycles.csv", *(f"{name}.csv" for name in TABLES)):
                (folder / name).unlink(missing_ok=True)
        result.save(folder, f"{result.model_name}, {words}")
        with writing(folder):
            (folder / "protocol.txt").write_text(protocol.to_text() + "\n", encoding="utf-8")
            for name, table in tables.items():
                table.to_csv(folder / f"{name}.csv", index=False)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        first = ["Step", "Text", "Status", "Ended by", "Capacity [mA.h.g-1]", "End voltage [V]"]
        say(fitted(result.table, first))
        for table in tables.values():
            say("\n" + fitted(table, ["Direction", "State of charge", *table.columns[6:]]))
        if folder and solved:
            say(f"\nTables, curves, plot and run.json are in {folder}")
    if not result.is_complete:
        return EXIT_INTERRUPTED
    if not solved:
        _clear(folder, there)
        first_reason = next((s.outcome.reason for s in result.steps if s.outcome.reason), "")
        return no_answer(f"no step could be run ({first_reason}), and nothing is written")
    return EXIT_OK if result.ok else EXIT_SOME_FAILED


def _asked(arguments: argparse.Namespace) -> tuple[Protocol, dict[str, Any], str]:
    """The protocol of the arguments, those of its ``run``, and the cell in words."""
    protocol = _protocol(arguments)
    parameters, words = cell(arguments)
    choice(arguments, parameters)
    settings = {
        "model": model(arguments, parameters),
        "parameters": parameters,
        "solver": arguments.solver,
        "keep": arguments.keep,
    }
    return protocol, settings, words


def _repeated(arguments: argparse.Namespace) -> tuple[Protocol, dict[str, Any], str]:
    """The same of a ``run.json``."""
    from ssnib_model.protocol.protocol import Protocol
    from ssnib_model.protocol.repeat import read_run

    refuse_beside(arguments, "--repeat", (*CELL, *TEST))
    if arguments.steps:
        raise OptionError("steps have no effect with --repeat: leave one of them out")
    protocol, settings = read_run(arguments.repeat)
    if not isinstance(protocol, Protocol):
        raise OptionError(
            f"{arguments.repeat}: is the run.json of a rate test: ssnib rate-test --repeat"
        )
    words = in_words(settings["parameters"], settings["parameters"])
    if not (arguments.json or arguments.quiet):
        say(words)
    return protocol, settings, words


def _protocol(arguments: argparse.Namespace) -> Protocol:
    """The protocol that the arguments name in one of three ways."""
    from ssnib_model.protocol.builders import experiment
    from ssnib_model.protocol.groups import at
    from ssnib_model.protocol.protocol import Protocol

    given = {
        "steps": bool(arguments.steps),
        "--file": arguments.file is not None,
        "--experiment": arguments.experiment is not None,
    }
    if sum(given.values()) != 1:
        named = " and ".join(name for name, is_given in given.items() if is_given)
        said = f"{named} are given" if named else "nothing to run is given"
        raise OptionError(f"{said}: give steps, or --file, or --experiment, one of them")
    if arguments.setting and not given["--experiment"]:
        raise OptionError("--setting is of an --experiment, and none is given")
    soc = arguments.initial_soc
    if given["--experiment"]:
        settings = {n: _value(n, v) for n, v in once(arguments.setting, "--setting").items()}
        if soc is not None:
            if "initial_state_of_charge" in settings:
                raise OptionError("--initial-soc and --setting initial_state_of_charge are one")
            settings["initial_state_of_charge"] = soc
        protocol: Protocol = experiment(arguments.experiment, settings)
    else:
        if given["--file"]:
            protocol = Protocol.from_file(arguments.file)
        else:
            protocol = Protocol.from_text("\n".join(arguments.steps), "the steps")
        if soc is not None:
            if protocol.initial_state_of_charge is not None:
                raise OptionError("--initial-soc is given, and the protocol says its own as well")
            protocol = Protocol(protocol, initial_state_of_charge=soc)
    return protocol if arguments.times == 1 else at("--times", protocol.__mul__, arguments.times)


def _value(name: str, value: Any) -> Any:
    """A number or text; a list of them for "rates"."""
    if name == "rates" and isinstance(value, str):
        return [_value("", part.strip()) for part in value.split(",")]
    try:
        return value if isinstance(value, int) else float(value)
    except ValueError:
        return value


def _for_this_run(folder: Path | None, force: bool) -> Path | None:
    """The folder to go on in; what another run has done there gives way to ``--force`` only."""
    from ssnib_model.protocol.run_store import STORES

    if folder and force:
        with writing(folder):
            for name in STORES.values():
                (folder / name).unlink(missing_ok=True)
    return folder


def _own(folder: Path) -> list[Path]:
    """What a run may write to its folder."""
    from ssnib_model.protocol.run_store import STORES
    from ssnib_model.results.store import LOCK, files_of

    stores = (name for store in STORES.values() for name in files_of(store))
    return [folder / name for name in (*FILES, *stores, LOCK)]


def _clear(folder: Path | None, there: list[Path]) -> None:
    """Take away what a run without an answer left, other than what was there before."""
    if folder is None:
        return
    with writing(folder):
        for path in _own(folder):
            if path not in there:
                path.unlink(missing_ok=True)
        if folder not in there and not any(folder.iterdir()):
            folder.rmdir()


def _tables(result: ProtocolResult) -> dict[str, pd.DataFrame]:
    """What pulses and titrations say, where the test has them."""
    from ssnib_model.results import by_state

    readers: dict[str, tuple[str, Callable[[Any], pd.DataFrame]]] = {
        "resistances": (by_state.PULSE, by_state.resistances),
        "titration": (by_state.TITRATION, by_state.titration),
    }
    found = {}
    for name, (tag, reader) in readers.items():
        if any(tag in step.planned.tags for step in result.steps):
            try:
                found[name] = reader(result)
            except OptionError as error:
                warn(f"there is no table of {name}: {error}")
    return found


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    from ssnib_model.tables import records

    return records(table)
