"""``ssnib sweep``."""

from __future__ import annotations

from pathlib import Path

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    axis,
    cell,
    numbers,
    solver,
)
from ssnib_model.cli.output import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    print_json,
    results_folder,
    say,
    talks,
)
from ssnib_model.errors import SSNIBError


def add_parsers(commands) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="many rate tests over one or more parameters",
        description="Run a rate test at every combination of the values given. Every run is kept "
        "as it ends; results.csv is written at the end. An interrupted sweep goes on with "
        "--resume DIR.",
        epilog='Example: ssnib sweep --vary "Na3PS4 layer conductivity [S.m-1]=1e-3:10:log:13" '
        "--rates 0.2,2 --out sweep",
    )
    add_cell_arguments(sweep, models=("spm", "dfn"))
    add_output_arguments(sweep, "sweep")
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        type=axis,
        metavar='"NAME=LOW:HIGH:log|lin:N"',
        help="N values of a parameter; repeatable, all combinations are run",
    )
    sweep.add_argument(
        "--rates", type=numbers, default=[0.2, 2], metavar="0.2,2", help="default: 0.2,2"
    )
    sweep.add_argument(
        "--design", type=Path, metavar="CSV", help="points as a table, one column a parameter"
    )
    sweep.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help="N points (Sobol) of the ranges of all uncertain parameters of the set",
    )
    sweep.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    sweep.add_argument(
        "--scheduler", metavar="ADDRESS", help='a Dask scheduler, or "local" for one of our own'
    )
    sweep.add_argument("--time-limit", type=float, metavar="S", help="seconds a run, at most")
    sweep.add_argument("--resume", type=Path, metavar="DIR", help="go on with this sweep")
    sweep.set_defaults(command=_sweep)


def _sweep(arguments) -> int:
    from ssnib_model import sweeps
    from ssnib_model.rate_test import RateTest

    settings = {
        "workers": arguments.workers,
        "time_limit": arguments.time_limit,
        "scheduler": arguments.scheduler,
        "progress": talks(arguments),
    }
    if arguments.resume:
        folder = arguments.resume
        table = sweeps.resume(folder, **settings)
    else:
        test, parameters = RateTest(arguments.rates), cell(arguments)
        folder = results_folder(arguments)
        design = _design(arguments, parameters)
        table = sweeps.sweep(
            parameters,
            design,
            test,
            model=arguments.model,
            solver=solver(arguments),
            out=folder,
            **settings,
        )
    if arguments.json:
        print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
    elif not arguments.quiet:
        say(table.to_string(index=False, na_rep="-", float_format="{:.5g}".format))
        say(f"\nresults.csv and the store are in {folder}")
    failed = table["Status"].str.startswith("failed").any()
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _design(arguments, parameters):
    from ssnib_model import sweeps
    from ssnib_model.measured import MAX_CURVES_SIZE, read_csv

    given = [bool(arguments.vary), bool(arguments.design), bool(arguments.sample)]
    if sum(given) != 1:
        raise SSNIBError("one of --vary, --design and --sample is needed, and only one")
    if arguments.vary:
        return sweeps.grid(dict(arguments.vary))
    if arguments.sample:
        return sweeps.sample(sweeps.own_ranges(parameters), arguments.sample)
    return read_csv(arguments.design, limit=MAX_CURVES_SIZE)
