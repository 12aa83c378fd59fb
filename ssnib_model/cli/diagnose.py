"""``ssnib diagnose``: from files to a report."""

from __future__ import annotations

import argparse
import os

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    add_sigma_argument,
    cell,
    choice,
    free,
    sigma,
)
from ssnib_model.cli.compare import add_measured_arguments, measured_settings
from ssnib_model.cli.measurements import SPECTRUM_KEYS, spectrum
from ssnib_model.cli.output import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SOME_FAILED,
    RUN_FILE,
    one_line,
    print_json,
    results_folder,
    run_record,
    say,
    warn,
    write_run,
)
from ssnib_model.errors import OptionError

CHECKPOINT = "draws.jsonl"

EXAMPLES = """examples:
  ssnib diagnose *.mpt --set mycell --out report
  ssnib diagnose rates.csv --start charged --fit "Na3PS4 layer conductivity [S.m-1]:0.001:0.1:log"
  ssnib diagnose test.mpt --spectrum "eis.mpt, state=0.5, to=1e5" --draws 100
Example: ssnib diagnose *.mpt --set mycell --out report
"""


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``diagnose``."""
    parser = commands.add_parser(
        "diagnose",
        help="files of instruments in, one report out: the cell's parameters, how sure they are, "
        "what limits it",
        description="Read files of cyclers, rate tests and spectra, fit what they tell of the "
        "cell, and say how sure that is, what limits the cell, what stays open and what to "
        "measure next. Writes report.html (one page that needs no network), report.json (the "
        "same) and run.json. A file that cannot be used is in the report, with the reason.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="files of instruments")
    add_measured_arguments(parser)
    parser.add_argument(
        "--spectrum",
        action="append",
        default=[],
        type=spectrum,
        metavar='"FILE, state=S[, KEY=VALUE ...]"',
        help="impedance spectrum at a state of charge; keys: "
        f"{', '.join(SPECTRUM_KEYS)}; repeatable",
    )
    parser.add_argument(
        "--fit",
        action="append",
        default=[],
        type=free,
        metavar='"NAME[:low:high[:log]]"',
        help="parameter to fit, with bounds (default: its range in the set); repeatable "
        "(default: all that the data tell)",
    )
    parser.add_argument(
        "--hold",
        action="store_true",
        help="hold what is not fitted at its value in the set, where it would vary over its range",
    )
    add_sigma_argument(parser)
    parser.add_argument(
        "--for",
        dest="answer",
        metavar="ANSWER",
        help='what the next measurement is to make more certain, "capacity at 2 C" for example, '
        "as for ssnib next-experiment, or none (default: the capacity at twice the fastest rate)",
    )
    parser.add_argument("--draws", type=int, help="draws of the parameters (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws (default: 0)")
    add_cell_arguments(parser)
    add_output_arguments(parser, "diagnose")
    parser.set_defaults(command=_diagnose)


def _diagnose(arguments: argparse.Namespace) -> int:
    from ssnib_model.diagnosis.diagnose import DRAWS, diagnose
    from ssnib_model.diagnosis.diagnosis import DOCUMENT, PAGE
    from ssnib_model.fits.free import Free

    if not (arguments.files or arguments.spectrum):
        raise OptionError("nothing to diagnose: give at least one file, or a --spectrum")
    parameters, _ = cell(arguments)
    arguments.draws = DRAWS if arguments.draws is None else arguments.draws
    settings = measured_settings(arguments, parameters)
    spectra = {}
    for file, given in arguments.spectrum:
        if isinstance(given["state"], str):
            raise OptionError(f"state={given['state']} of {file}: a state as a number is needed")
        spectra[file] = given
    errors = sigma(arguments)
    folder = results_folder(arguments, [PAGE, DOCUMENT, RUN_FILE])
    chosen = choice(arguments, parameters)
    head = run_record(arguments, parameters, chosen)
    found = diagnose(
        arguments.files,
        parameters,
        fit=[Free(*one) for one in arguments.fit] or None,
        hold=arguments.hold,
        spectra=spectra,
        sigma=errors,
        **settings,
        model=arguments.model,
        solver=arguments.solver,
        answer=arguments.answer,
        draws=arguments.draws,
        workers=min(2, os.cpu_count() or 1),
        seed=arguments.seed,
        checkpoint=folder / CHECKPOINT if folder else None,
        progress=not (arguments.quiet or arguments.json),
    )
    if folder:
        found.save(folder, head)
        write_run(folder, head)
    for one in found.files:
        if not one.is_used:
            warn(f"{one.path} is not used: {one.error}")
    if arguments.json:
        print_json(head | found.to_dict())
    elif not arguments.quiet:
        say("\n" + "\n".join(f"- {one_line(text)}" for text in found.summary))
        if folder:
            say(f"\nThe report is {folder / PAGE}; the same as JSON, and run.json, beside it")
            if found.interrupted:
                say("It was interrupted: the same command with --force goes on from there")
    if found.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_OK if all(one.is_used for one in found.files) else EXIT_SOME_FAILED
