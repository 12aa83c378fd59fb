"""``ssnib next-experiment``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssnib_model.cli.arguments import (
    CELL,
    add_cell_arguments,
    add_output_arguments,
    add_sigma_argument,
    cell,
    complete,
    free,
    numbers,
    parameter_names,
    refuse_beside,
    sigma,
)
from ssnib_model.cli.output import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    RUN_FILE,
    fitted,
    no_answer,
    print_json,
    results_folder,
    run_record,
    say,
    talks,
    write_run,
)
from ssnib_model.errors import OptionError

FILES = tuple(f"next_experiment.{ending}" for ending in ("csv", "json", "txt", "png"))


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``next-experiment``."""
    parser = commands.add_parser(
        "next-experiment",
        help="what to measure next to know an answer better",
        description="Rank measurements by how much each would shrink the band of an answer, from "
        "a fit, or from a set whose standard deviations and ranges are priors. Nothing has to be "
        "measured for it. Writes next_experiment.csv, .json, .txt and .png, and run.json.",
        epilog='Example: ssnib next-experiment --fit fit/fit.json --for "capacity at 2 C" '
        '--candidate "rates 0.5 1" --candidate "spectrum 0.5, temperature=60 degC"',
    )
    add_cell_arguments(parser, models=("spm", "dfn"))
    add_output_arguments(parser, "next-experiment")
    parser.add_argument(
        "--fit",
        type=Path,
        metavar="FILE",
        help="the fit.json that ssnib fit writes (or its folder), in place of --set",
    )
    answer = parser.add_argument(
        "--for",
        required=True,
        dest="answer",
        metavar='"ANSWER"',
        help='what is to be known better: "capacity at 2 C" and other results of a rate test, '
        '"resistance at 50 %%", "Na3PS4 layer overpotential at 1 C", or the name of a parameter',
    )
    complete(answer, parameter_names)
    parser.add_argument(
        "--candidate",
        action="append",
        metavar='"WHAT[, NAME=VALUE ...]"',
        help='a measurement: "rates 0.2 1", "curves 0.1", "gitt rate=C/20 pulses=20", "pulse", '
        '"spectrum 0.5" or "symmetric", then "temperature=60 degC", "Na3PS4 layer thickness '
        '[m]=40 um" or "sigma Voltage [V]=1 mV"; repeatable (default: usual ones)',
    )
    names = parser.add_argument(
        "--free",
        action="append",
        type=free,
        metavar='"NAME[:low:high[:log]]"',
        help="what is not known of a set (default: all that it has a range or a standard "
        "deviation of); repeatable",
    )
    complete(names, parameter_names)
    parser.add_argument(
        "--rates",
        type=numbers,
        metavar="0.2,1,2",
        help="rate test that the answer is of (default: its rate alone)",
    )
    parser.add_argument(
        "--data",
        metavar="NAME",
        help="data set of the fit whose own values of parameters hold",
    )
    add_sigma_argument(parser, ' or "Relative impedance=0.02"')
    # of a fit it is that of the fit, and not to be given
    parser.set_defaults(command=_next_experiment, model=None)


def _next_experiment(arguments: argparse.Namespace) -> int:
    from ssnib_model.fits.free import Free
    from ssnib_model.fits.known import of_file, of_name
    from ssnib_model.fits.next_experiment import next_experiment
    from ssnib_model.protocol.rate_test import RateTest

    if arguments.fit is not None:
        # the cell, its model and what is free are those of the fit
        others = [name for name in CELL if name != "solver"]
        refuse_beside(arguments, "--fit", [*others, "free"])
        known = arguments.fit
        parameters = of_file(known).parameters
    else:
        if arguments.data is not None:
            raise OptionError("--data is for --fit, which is not given")
        known = parameters = cell(arguments)[0]
    chosen = None
    if arguments.free is not None:
        chosen = [
            of_name(parameters, name) if low is None else Free(name, low, high, log)
            for name, low, high, log in arguments.free
        ]
    folder = results_folder(arguments, (*FILES, RUN_FILE))
    result = next_experiment(
        known,
        arguments.answer,
        free=chosen,
        candidates=arguments.candidate,
        data=arguments.data,
        test=None if arguments.rates is None else RateTest(arguments.rates),
        sigma=sigma(arguments),
        model=arguments.model,
        solver=arguments.solver,
        progress=talks(arguments),
    )
    document = run_record(arguments, parameters) | result.to_dict()
    document["settings"]["model"] = result.model
    if folder:
        result.save(folder)
        write_run(folder, document)
    computed = bool(result.table["Low"].notna().any())
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        first = ["Candidate", "Shrinks [%]", "Low", "High", "Shrinks all [%]", "Values"]
        say(result.sentence)
        say(f"\n{fitted(result.table, first, '{:.4g}')}")
        failed = result.table[result.table["Status"] != "ok"]
        for name, status in zip(failed["Candidate"], failed["Status"], strict=True):
            say(f"{name}: {status}")
        say("\nThis supposes\n" + "\n".join(f"  {text}" for text in result.assumptions))
        say(f"\n{', '.join(FILES)} and run.json are in {folder}")
    if not computed:
        return no_answer("none of the measurements can be simulated; the table says why")
    return EXIT_OK if result.table["Low"].notna().all() else EXIT_SOME_FAILED
