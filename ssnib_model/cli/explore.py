"""``ssnib explore``."""

from __future__ import annotations

import argparse
import sys

from ssnib_model.cli.arguments import DEFAULT_SET
from ssnib_model.cli.output import EXIT_OK, say


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``explore``."""
    explore = commands.add_parser(
        "explore",
        help="a page with sliders, on this machine only",
        description="Serve a page with sliders on 127.0.0.1 until Ctrl-C: rate test, losses, "
        "impedance, a second design beside it, a file of a cycler. Needs the extra app.",
        epilog="Example: ssnib explore --set Hu2024",
    )
    explore.add_argument(
        "--set",
        default=DEFAULT_SET,
        metavar="NAME_OR_PATH",
        help=f"parameter set to begin with (default: {DEFAULT_SET})",
    )
    explore.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    explore.add_argument("--no-browser", action="store_true", help="print the address only")
    explore.set_defaults(command=_explore)


def _explore(arguments: argparse.Namespace) -> int:
    from ssnib_model.app.server import explore

    browser = not arguments.no_browser
    explore(arguments.set, port=arguments.port, open_browser=browser, say=_said)
    return EXIT_OK


def _said(text: str) -> None:
    say(text)
    sys.stdout.flush()  # who waits for the address reads it through a pipe
