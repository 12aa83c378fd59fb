"""``ssnib impedance``."""

from __future__ import annotations

import argparse

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    cell,
    refuse_beside,
)
from ssnib_model.cli.output import (
    EXIT_OK,
    RUN_FILE,
    print_json,
    results_folder,
    run_record,
    say,
    talks,
    write_run,
)


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``impedance``."""
    spectrum = commands.add_parser(
        "impedance",
        help="impedance of the cell, or of a pellet of one of its electrolytes",
        description="Impedance at equilibrium, 7 MHz to 10 mHz. Writes impedance.csv (frequency, "
        "Re, Im), impedance.png (Nyquist and Bode) and run.json.",
        epilog="Example: ssnib impedance --state 0.5 --temperature 60",
    )
    add_cell_arguments(spectrum, models=())
    add_output_arguments(spectrum, "impedance")
    spectrum.add_argument(
        "--state", type=float, default=0.5, help="state of charge, 0 to 1 (default: 0.5)"
    )
    spectrum.add_argument(
        "--pellet", metavar="LAYER", help="this layer between blocking electrodes instead"
    )
    spectrum.set_defaults(command=_impedance)


def _impedance(arguments: argparse.Namespace) -> int:
    import dataclasses

    from ssnib_model.eis import impedance

    if arguments.pellet is not None:
        refuse_beside(arguments, "--pellet", ["state"])
    parameters, words = cell(arguments)
    folder = results_folder(arguments, ("impedance.csv", "impedance.png", RUN_FILE))
    spectrum = impedance(
        parameters, state=arguments.state, pellet=arguments.pellet, progress=talks(arguments)
    )
    document = run_record(arguments, parameters) | spectrum.table.to_dict("list")
    if folder:
        dataclasses.replace(spectrum, title=f"{spectrum.title}, {words}").save(folder)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        say(spectrum.title)
        say(spectrum.table.iloc[::6].to_string(index=False, float_format="{:.4g}".format))
        say(f"\nimpedance.csv, impedance.png and run.json are in {folder}")
    return EXIT_OK
