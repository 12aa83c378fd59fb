"""``ssnib optimise``."""

from __future__ import annotations

import argparse
import shutil

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    cell,
    choice,
    complete,
    once,
    parameter_names,
    range_,
)
from ssnib_model.cli.output import (
    EXIT_OK,
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
from ssnib_model.files import writing

TABLE, FRONT, PLOT, SET = "designs.csv", "front.csv", "designs.png", "best"


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``optimise``."""
    optimise = commands.add_parser(
        "optimise",
        help="the design with the largest energy, or any result of a rate test",
        description="Look for the design whose specific energy, energy density or any result of a "
        "rate test is largest while conditions are kept. Twice --maximise gives the front of two "
        f"results. Writes {TABLE} with every design, {FRONT}, {PLOT}, the best cell as a set in "
        f"{SET}/ and run.json.",
        epilog='Example: ssnib optimise --vary "Na3PS4 layer thickness [m]=3e-5:3e-4" '
        '--vary "Positive electrode active material loading [kg.m-2]=0.02:0.3" '
        '--maximise "specific energy at 0.2 C" --subject-to "capacity retention at 2 C >= 0.85"',
    )
    add_cell_arguments(optimise, models=("spm", "dfn"))
    add_output_arguments(optimise, "optimise")
    vary = optimise.add_argument(
        "--vary",
        type=range_,
        action="append",
        required=True,
        metavar='"NAME[=LOW:HIGH[:log]]"',
        help="parameter and where to look (default: the range that the set gives it); repeatable",
    )
    complete(vary, parameter_names)
    optimise.add_argument(
        "--maximise",
        action="append",
        required=True,
        metavar='"METRIC at R C"',
        help='"specific energy", "energy density", "capacity retention" or a column of the table '
        "of a rate test, and its rate; once, or twice for a front",
    )
    optimise.add_argument(
        "--subject-to",
        action="append",
        default=[],
        metavar='"WHAT >= VALUE"',
        help="condition on a metric at a rate, or on a parameter, by >= or <=; repeatable",
    )
    optimise.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    optimise.set_defaults(command=_optimise)


def _optimise(arguments: argparse.Namespace) -> int:
    from matplotlib.figure import Figure

    from ssnib_model.runs.optimise import optimise
    from ssnib_model.tables import records

    parameters, _ = cell(arguments)
    folder = results_folder(arguments, (TABLE, FRONT, PLOT, SET, RUN_FILE))
    chosen = choice(arguments, parameters)
    best = optimise(
        parameters,
        once(arguments.vary, "--vary"),
        arguments.maximise,
        arguments.subject_to,
        model=arguments.model,
        solver=arguments.solver,
        seed=arguments.seed,
        progress=talks(arguments),
    )
    document = run_record(arguments, parameters, chosen) | {
        "sentence": best.sentence,
        "values": best.values,
        "metrics": best.metrics,
        "as_good": best.as_good,
        "front": records(best.front),
    }
    if folder:
        with writing(folder):
            best.table.to_csv(folder / TABLE, index=False)
            best.front.to_csv(folder / FRONT, index=False)
            figure = Figure(figsize=(7, 5), layout="constrained")
            best.plot(figure.subplots())
            figure.savefig(folder / PLOT, dpi=150)
        if best.parameters is not None:
            shutil.rmtree(folder / SET, ignore_errors=True)
            best.parameters.save(folder / SET)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        say(best.sentence)
        if len(best.maximised) > 1:
            say("\n" + fitted(best.front, best.maximised, "{:.4g}"))
        say(f"\n{TABLE}, {FRONT}, {PLOT} and run.json are in {folder}")
    if best.parameters is None:
        return no_answer("no design keeps the conditions")
    return EXIT_OK
