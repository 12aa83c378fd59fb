"""``ssnib sensitivity`` and ``ssnib target``."""

from __future__ import annotations

import argparse

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    axis,
    cell,
    choice,
    complete,
    in_unit_of,
    numbers,
    parameter_names,
    quantity,
    refuse_beside,
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
from ssnib_model.cli.rate_test import test_of
from ssnib_model.files import writing

CONTOUR = "contour.csv"
#: Runs of the first sample of a global method.
SAMPLES = 64


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``sensitivity`` and ``target``."""
    sensitivity = commands.add_parser(
        "sensitivity",
        help="which parameter a result depends on",
        description="Local: d ln(result) / d ln(parameter) at the values of the set. Tornado: the "
        "result at both ends of each range. Sobol: shares of its variance over all ranges. "
        "Morris: elementary effects. Writes a table and a plot with the name of the method, and "
        "run.json.",
        epilog='Example: ssnib sensitivity --of "Na3PS4 layer conductivity [S.m-1]" --rates 0.2,2',
    )
    add_cell_arguments(sensitivity, models=("spm", "dfn"))
    add_output_arguments(sensitivity, "sensitivity")
    names = sensitivity.add_argument(
        "--of", action="append", required=True, metavar="NAME", help="parameter; repeatable"
    )
    complete(names, parameter_names)
    sensitivity.add_argument(
        "--method",
        choices=("local", "tornado", "sobol", "morris"),
        default="local",
        help="default: local",
    )
    sensitivity.add_argument(
        "--metric",
        default="Discharge capacity [mA.h.g-1]",
        help='a column of the table of a rate test or "capacity retention", which may end with '
        '"at R C" (default: discharge capacity)',
    )
    sensitivity.add_argument(
        "--rates",
        type=numbers,
        default=[0.2, 2.0],
        metavar="0.2,2",
        help="default: 0.2,2; all methods but local take the last, unless the metric names one",
    )
    sensitivity.add_argument(
        "--samples", type=int, help=f"of sobol and morris (default: {SAMPLES})"
    )
    sensitivity.set_defaults(command=_sensitivity)

    target = commands.add_parser(
        "target",
        help="the value of a parameter that a result needs",
        description="Search the range of a parameter for the value at which a result of a rate "
        "test is what is wanted. With --out, writes run.json, and contour.csv with --against.",
        epilog='Example: ssnib target --metric "capacity retention at 2 C" --value 0.88 '
        '--vary "Na3PS4 layer conductivity [S.m-1]"',
    )
    add_cell_arguments(target, models=("spm", "dfn"))
    add_output_arguments(target, "target", is_default=False)
    target.add_argument(
        "--metric",
        required=True,
        help='a column of the table of a rate test or "capacity retention", and "at R C"',
    )
    target.add_argument("--value", type=float, required=True, help="what is wanted")
    vary = target.add_argument("--vary", required=True, metavar="NAME", help="the parameter")
    complete(vary, parameter_names)
    for end in ("low", "high"):
        target.add_argument(
            f"--{end}",
            type=quantity,
            metavar='"VALUE [UNIT]"',
            help=f"{end}est value to look at (default: a factor of 1000 away, within what is "
            "allowed)",
        )
    target.add_argument(
        "--against",
        type=axis,
        metavar='"NAME=LOW:HIGH:log|lin:N"',
        help="a second parameter: the answer for each of its values",
    )
    target.set_defaults(command=_target)


def _sensitivity(arguments: argparse.Namespace) -> int:
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.runs import sensitivity as found
    from ssnib_model.runs.metrics import Metric
    from ssnib_model.runs.plots import save_sensitivity
    from ssnib_model.solvers.compiling import compilation_shown
    from ssnib_model.tables import records

    if arguments.method in ("local", "tornado"):
        refuse_beside(arguments, f"--method {arguments.method}", ["samples"])
    samples = SAMPLES if arguments.samples is None else arguments.samples
    rates, (parameters, _) = RateTest(arguments.rates).rates, cell(arguments)
    test = test_of(arguments, parameters, rates=rates)
    metric = Metric.of(arguments.metric)
    if metric.rate is None:
        metric = Metric(metric.column, arguments.rates[-1])
    metric.check(test)
    files = (f"{arguments.method}.csv", f"{arguments.method}.png")
    folder = results_folder(arguments, (*files, RUN_FILE))
    precision = "FOR_DERIVATIVES" if arguments.method == "local" else "USUAL"
    chosen = choice(arguments, parameters, precision)
    names, settings = arguments.of, {"model": arguments.model, "solver": arguments.solver}
    asked = (names, test, metric.column, metric.rate)
    with compilation_shown(talks(arguments)):
        if arguments.method == "local":
            table = found.sensitivity(parameters, names, test, **settings)
        elif arguments.method == "tornado":
            table = found.tornado(parameters, *asked, **settings)
        else:
            table = found.global_sensitivity(
                parameters, *asked, method=arguments.method, n=samples,
                progress=talks(arguments), **settings,
            )  # fmt: skip
            table = table.rename_axis("Parameter").reset_index()
    of_results = ["Parameter", "C-rate", "Low", "High", "Note"]
    results = table.drop(columns=of_results, errors="ignore")
    computed = bool(results.notna().to_numpy().any())
    document = run_record(arguments, parameters, chosen) | {"table": records(table)}
    if folder and computed:
        with writing(folder):
            table.to_csv(folder / files[0], index=False)
            save_sensitivity(table, arguments.method, metric.column, folder, metric.rate)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        first = ["Parameter", "C-rate", metric.column]
        noted = "Note" in table and bool((table["Note"] != "").any())
        say(fitted(table, [*first, *(["Note"] if noted else [])], "{:.4g}"))
        if computed:
            say(f"\n{', '.join(files)} and run.json are in {folder}")
    if not computed:
        return no_answer("no result to take a sensitivity of, and nothing is written")
    return EXIT_OK


def _target(arguments: argparse.Namespace) -> int:
    import dataclasses

    from ssnib_model.runs.target import contour, target
    from ssnib_model.tables import records

    parameters, _ = cell(arguments)
    folder = results_folder(arguments, (CONTOUR, RUN_FILE) if arguments.against else (RUN_FILE,))
    chosen = choice(arguments, parameters)
    asked = (parameters, arguments.metric, arguments.value, arguments.vary)
    settings = {"model": arguments.model, "solver": arguments.solver, "progress": talks(arguments)}
    for end in ("low", "high"):
        given = getattr(arguments, end)
        settings[end] = None if given is None else in_unit_of(arguments.vary, given)
    table = None
    if arguments.against:
        table = contour(*asked, *arguments.against, **settings)
        found = bool(table[arguments.vary].notna().any())
        results = {"table": records(table)}
    else:
        answer = target(*asked, **settings)
        found, results = answer.value is not None, dataclasses.asdict(answer)
    document = run_record(arguments, parameters, chosen) | results
    if folder:
        if table is not None:
            with writing(folder):
                table.to_csv(folder / CONTOUR, index=False)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif table is not None and not arguments.quiet:
        say(table.drop(columns="Answer").to_string(index=False, na_rep="none"))
        several = table["Answer"].str.startswith("several values")
        if several.any():
            say("\n".join(["", *table["Answer"][several]]))
    elif not arguments.quiet:
        say(answer.sentence)
    return EXIT_OK if found else EXIT_SOME_FAILED
