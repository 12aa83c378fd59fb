"""``ssnib sweep``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ssnib_model.cli.arguments import (
    CELL,
    SOLVERS,
    add_cell_arguments,
    add_output_arguments,
    axis,
    base_set,
    cell,
    choice,
    numbers,
    refuse_beside,
)
from ssnib_model.cli.output import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    MAX_RUN_SIZE,
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
from ssnib_model.cli.rate_test import test_of
from ssnib_model.errors import SSNIBError
from ssnib_model.files import read_bytes

if TYPE_CHECKING:
    import pandas as pd

    from ssnib_model.cell.parameter_set import ParameterSet

CAPACITY = "Discharge capacity [mA.h.g-1]"


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``sweep``."""
    sweep = commands.add_parser(
        "sweep",
        help="many rate tests over one or more parameters",
        description="Run a rate test at every combination of the values given. Every run is kept "
        "as it ends; results.csv and run.json are written at the end. An interrupted sweep goes "
        "on with --resume DIR, or with the same command; a folder never mixes two sweeps.",
        epilog='Example: ssnib sweep --vary "Na3PS4 layer conductivity [S.m-1]=1e-3:10:log:13" '
        "--rates 0.2,2 --out sweep",
    )
    add_cell_arguments(sweep, models=("spm", "dfn"))
    # a store is never overwritten: it goes on with its own sweep and refuses another
    add_output_arguments(sweep, "sweep", can_force=False)
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
    sweep.add_argument("--workers", type=int, default=1, help="at once (default: 1)")
    sweep.add_argument(
        "--scheduler", metavar="ADDRESS", help='a Dask scheduler, or "local" for one of our own'
    )
    sweep.add_argument("--time-limit", type=float, metavar="S", help="seconds a run, at most")
    sweep.add_argument("--resume", type=Path, metavar="DIR", help="go on with this sweep")
    sweep.set_defaults(command=_sweep)


def _sweep(arguments: argparse.Namespace) -> int:
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.runs.store import RESULTS, SET, STORE
    from ssnib_model.runs.sweep import RUN, resume, stored_solver, sweep
    from ssnib_model.tables import records

    settings = {
        "workers": arguments.workers,
        "time_limit": arguments.time_limit,
        "scheduler": arguments.scheduler,
        "progress": talks(arguments),
    }
    if arguments.resume is not None:
        given = (*CELL, "rates", "vary", "design", "sample", "out")
        refuse_beside(arguments, "--resume", given)
        folder = arguments.resume
        table = resume(folder, **settings)
        arguments.set = folder / SET
        record = _read_record(folder) or run_record(arguments, base_set(arguments))
    else:
        rates, (parameters, _) = RateTest(arguments.rates).rates, cell(arguments)
        test = test_of(arguments, parameters, rates=rates)
        own = os.path.isfile((arguments.out or arguments.folder) / STORE)
        folder = results_folder(arguments, () if own else (RESULTS, RUN_FILE))
        design = _design(arguments, parameters)
        if folder and own and arguments.solver == SOLVERS[0]:
            arguments.solver = stored_solver(folder)
        chosen = choice(arguments, parameters)
        record = run_record(arguments, parameters, chosen)
        table = sweep(
            parameters,
            design,
            test,
            model=arguments.model,
            solver=arguments.solver,
            out=folder,
            **settings,
        )
        if folder:
            write_run(folder, record)
    if arguments.json:
        print_json(record | {"table": records(table)})
    elif not arguments.quiet:
        first = [RUN, "C-rate", CAPACITY, "Status"]
        varied = list(table.columns[1 : table.columns.get_loc("C-rate")])
        say(fitted(table, [*first, *varied]))
        say(f"\nAll {len(table)} rows and {len(table.columns)} columns are in "
            f"{folder / RESULTS}; the store and {RUN_FILE} are beside it")  # fmt: skip
    if not (table[CAPACITY] > 0).any():
        return no_answer("no run of the sweep gave a capacity: the column Status says why")
    failed = table["Status"].str.startswith("failed").any()
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _read_record(folder: Path) -> dict | None:
    """What an earlier `ssnib sweep` wrote of itself, if it did."""
    try:
        document = json.loads(read_bytes(folder / RUN_FILE, MAX_RUN_SIZE))
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(document, dict) and document.get("command") == "sweep"
    return document if is_ours else None


def _design(arguments: argparse.Namespace, parameters: ParameterSet) -> pd.DataFrame:
    from ssnib_model.measured.text import MAX_SIZE
    from ssnib_model.runs import designs
    from ssnib_model.tables import read_csv

    given = [bool(arguments.vary), bool(arguments.design), bool(arguments.sample)]
    if sum(given) != 1:
        raise SSNIBError("one of --vary, --design and --sample is needed, and only one")
    if arguments.vary:
        return designs.grid(dict(arguments.vary))
    if arguments.sample:
        return designs.sample(designs.own_ranges(parameters), arguments.sample)
    return read_csv(arguments.design, limit=MAX_SIZE)
