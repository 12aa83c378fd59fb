"""``ssnib compare``: the model beside what was measured."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.cli.arguments import (
    TEMPERATURE,
    add_cell_arguments,
    add_output_arguments,
    cell,
    choice,
    in_unit_of,
    quantity,
)
from ssnib_model.cli.output import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SOME_FAILED,
    RUN_FILE,
    fitted,
    print_json,
    result_record,
    results_folder,
    say,
    talks,
    write_run,
)
from ssnib_model.files import read_bytes, writing

if TYPE_CHECKING:
    from ssnib_model.cell.parameter_set import ParameterSet

FILES = ("table.csv", "curves.csv", "protocol.txt", "compare.png", RUN_FILE)

EXAMPLES = """examples:
  ssnib compare test.mpt --set mycell
  ssnib compare test.csv --set mycell --cycles 2,5-7 --only discharge --start as-made
  ssnib compare gitt.csv --set mycell --area "0.785 cm2" --start 0.9 --step 4
Example: ssnib compare test.mpt --set mycell --start charged
"""


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``compare``."""
    compare = commands.add_parser(
        "compare",
        help="the model beside the file of a cycler, step by step",
        description="Find out what was done to a cell from the file of a cycler, do the same with "
        "the model, and compare. Writes table.csv (a row a step), curves.csv, protocol.txt, "
        "compare.png and run.json.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("file", metavar="FILE", help="file of a cycler")
    add_measured_arguments(compare)
    compare.add_argument(
        "--step",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="also draw this step with the model's losses, as step_N.png; repeatable",
    )
    add_cell_arguments(compare)
    add_output_arguments(compare, "compare")
    compare.set_defaults(command=_compare)


def add_measured_arguments(parser: argparse.ArgumentParser) -> None:
    """What a user may say of the file of a cycler."""
    group = parser.add_argument_group("of files of cyclers")
    group.add_argument(
        "--start",
        metavar="STATE",
        help="state at the first row: a state of charge, as-made, charged, discharged, or an "
        'open-circuit voltage, "3.4 V" (default: by a rest at the start, or as made before a '
        "charge)",
    )
    group.add_argument(
        "--cycles", metavar="LIST", help="compare these cycles only, 2,5-7 for example"
    )
    group.add_argument(
        "--only",
        action="append",
        metavar="KIND",
        help="compare this kind of step only: charge, discharge, rest, hold, profile; repeatable",
    )
    group.add_argument(
        "--mass",
        type=quantity,
        metavar="M",
        help='mass of active material of the measured cell [kg], or with a unit, "4 mg": '
        "scales its currents to the cell of the set",
    )
    group.add_argument(
        "--area",
        type=quantity,
        metavar="A",
        help='area of its electrode [m2], "0.785 cm2" for example: the same, by the area',
    )


def measured_settings(arguments: argparse.Namespace, parameters: ParameterSet) -> dict[str, Any]:
    """The same as arguments of `MeasuredProtocol`; None where nothing was said."""
    start: float | str | None = arguments.start
    if start is not None:
        with contextlib.suppress(ValueError):  # what is no number is a word, or no state
            start = float(start)
    said = [name for name, _ in arguments.param]
    own = arguments.temperature is not None or TEMPERATURE in said
    return {
        "start": start,
        "cycles": arguments.cycles,
        "only": arguments.only,
        "mass": None if arguments.mass is None else in_unit_of("mass [kg]", arguments.mass),
        "area": None if arguments.area is None else in_unit_of("area [m2]", arguments.area),
        "temperature": parameters[TEMPERATURE] if own else None,
    }


def _compare(arguments: argparse.Namespace) -> int:
    from ssnib_model.measured.comparison import compare
    from ssnib_model.measured.protocol import MeasuredProtocol
    from ssnib_model.measured.text import MAX_SIZE

    parameters, words = cell(arguments)
    settings = measured_settings(arguments, parameters)
    files = (*FILES, *(f"step_{step}.png" for step in arguments.step))
    # what cannot be followed is said before a folder is made
    measured = MeasuredProtocol(arguments.file, parameters, **settings)
    folder = results_folder(arguments, files)
    choice(arguments, parameters)
    comparison = compare(
        measured,
        parameters,
        model=arguments.model,
        solver=arguments.solver,
        progress=talks(arguments),
    )
    figures = {f"step_{step}.png": comparison.plot(step) for step in arguments.step}
    content = read_bytes(Path(arguments.file), MAX_SIZE)
    document = result_record(arguments, comparison)
    document["settings"] |= {
        "file": arguments.file,
        "sha256": hashlib.sha256(content).hexdigest(),
        **settings,
    }
    if folder:
        comparison.save(folder, f"{measured.name} beside {words}")
        with writing(folder):
            for name, figure in figures.items():
                figure.savefig(folder / name, dpi=150)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        first = [
            "Step", "Text", "RMS [V]", "Measured capacity [mA.h.g-1]",
            "Model capacity [mA.h.g-1]", "Status",
        ]  # fmt: skip
        say(comparison.summary + "\n")
        say(fitted(comparison.table, first))
        if folder:
            say(f"\nTable, curves, protocol, plot and run.json are in {folder}")
    if not comparison.result.is_complete:
        return EXIT_INTERRUPTED
    return EXIT_OK if comparison.result.ok else EXIT_SOME_FAILED
