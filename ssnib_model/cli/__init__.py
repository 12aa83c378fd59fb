"""The command ``ssnib``: parses, calls the package, prints. Nothing is computed here."""

from __future__ import annotations

import argparse
import os
import sys

from ssnib_model import __version__
from ssnib_model.cli import (
    compare,
    diagnose,
    explore,
    fit,
    impedance,
    next_experiment,
    optimise,
    parameters,
    rate_test,
    read,
    run,
    sensitivity,
    sweep,
)
from ssnib_model.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    one_line,
    printable,
    say,
    warnings_in_one_line,
)
from ssnib_model.errors import SSNIBError

EXIT_CODES = (
    "Exit code: 0 done; 2 bad input; 3 some runs failed, or there is no answer (what there is of "
    "results is kept); 130 interrupted."
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Exit code 0: done; 2: bad input; 3: some runs failed or there is no answer, results are kept;
    130: interrupted.
    """
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may follow
        try:
            import argcomplete
        except ImportError:
            return EXIT_OK
        argcomplete.autocomplete(parser)
    arguments = parser.parse_args(argv)
    try:
        with warnings_in_one_line():
            return arguments.command(arguments)
    except SSNIBError as error:
        for problem in getattr(error, "problems", [str(error)]):
            say(f"ssnib: error: {one_line(problem)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("ssnib: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone (ssnib ... | head)
        sys.stderr.close()
        return EXIT_OK


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        super().error(printable(one_line(message)))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ssnib",
        description="Model of all-solid-state sodium batteries.",
        epilog=f"Example: ssnib rate-test --temperature 60. {EXIT_CODES}",
    )
    parser.add_argument("--version", action="version", version=f"ssnib_model {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    groups = (
        rate_test, run, read, compare, fit, diagnose, next_experiment, sweep, sensitivity,
        optimise, impedance, parameters, explore,
    )  # fmt: skip
    for group in groups:
        group.add_parsers(commands)
    return parser
