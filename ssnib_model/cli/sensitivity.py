"""``ssnib sensitivity`` and ``ssnib target``."""

from __future__ import annotations

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
from ssnib_model.files import writing


def add_parsers(commands) -> None:
    sensitivity = commands.add_parser(
        "sensitivity",
        help="which parameter a result depends on",
        description="Local: d ln(result) / d ln(parameter) at the values of the set. Tornado: the "
        "result at both ends of each range. Sobol: shares of its variance over all ranges. "
        "Morris: elementary effects.",
        epilog='Example: ssnib sensitivity --of "Na3PS4 layer conductivity [S.m-1]" --rates 0.2,2',
    )
    add_cell_arguments(sensitivity, models=("spm", "dfn"))
    add_output_arguments(sensitivity, "sensitivity")
    sensitivity.add_argument(
        "--of", action="append", required=True, metavar="NAME", help="parameter; repeatable"
    )
    sensitivity.add_argument(
        "--method",
        choices=("local", "tornado", "sobol", "morris"),
        default="local",
        help="default: local",
    )
    sensitivity.add_argument(
        "--metric", default="Discharge capacity [mA.h.g-1]", help="result for tornado and sobol"
    )
    sensitivity.add_argument("--rates", type=numbers, default=[0.2, 2.0], metavar="0.2,2",
                             help="default: 0.2,2; tornado and sobol take the last")  # fmt: skip
    sensitivity.add_argument(
        "--samples", type=int, default=64, help="of sobol and morris (default: 64)"
    )
    sensitivity.set_defaults(command=_sensitivity)

    target = commands.add_parser(
        "target",
        help="the value of a parameter that a result needs",
        epilog='Example: ssnib target --metric "capacity retention at 2 C" --value 0.88 '
        '--vary "Na3PS4 layer conductivity [S.m-1]"',
    )
    add_cell_arguments(target, models=("spm", "dfn"))
    target.add_argument(
        "--metric",
        required=True,
        help='"capacity retention at R C", "discharge capacity at R C" or "polarization at R C"',
    )
    target.add_argument("--value", type=float, required=True, help="what is wanted")
    target.add_argument("--vary", required=True, metavar="NAME", help="the parameter")
    target.add_argument(
        "--against",
        type=axis,
        metavar='"NAME=LOW:HIGH:log|lin:N"',
        help="a second parameter: the answer for each of its values",
    )
    target.add_argument("--json", action="store_true", help="machine-readable output")
    target.set_defaults(command=_target)


def _sensitivity(arguments) -> int:
    from ssnib_model import sensitivities as found
    from ssnib_model.plotting import save_sensitivity
    from ssnib_model.rate_test import RateTest

    parameters, test = cell(arguments), RateTest(arguments.rates)
    found.check_metric(arguments.metric, arguments.rates[-1], test)
    folder = results_folder(arguments)
    names, settings = arguments.of, {"model": arguments.model}
    settings["solver"] = solver(arguments, rtol=1e-7 if arguments.method == "local" else 1e-4)
    asked = (names, test, arguments.metric, arguments.rates[-1])
    if arguments.method == "local":
        table = found.sensitivity(parameters, names, test, **settings)
    elif arguments.method == "tornado":
        table = found.tornado(parameters, *asked, **settings)
    else:
        table = found.global_sensitivity(
            parameters, *asked, method=arguments.method, n=arguments.samples,
            progress=talks(arguments), **settings,
        )  # fmt: skip
        table = table.rename_axis("Parameter").reset_index()
    if folder:
        with writing(folder):
            table.to_csv(folder / f"{arguments.method}.csv", index=False)
            save_sensitivity(table, arguments.method, arguments.metric, folder)
    if arguments.json:
        print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
    elif not arguments.quiet:
        say(table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"))
        say(f"\n{arguments.method}.csv and {arguments.method}.png are in {folder}")
    return EXIT_OK


def _target(arguments) -> int:
    from ssnib_model.sensitivities import contour, target

    asked = (cell(arguments), arguments.metric, arguments.value, arguments.vary)
    settings = {"model": arguments.model, "solver": solver(arguments)}
    if arguments.against:
        table = contour(*asked, *arguments.against, **settings)
        found = bool(table[arguments.vary].notna().any())
        if arguments.json:
            print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
        else:
            say(table.drop(columns="Answer").to_string(index=False, na_rep="none"))
        return EXIT_OK if found else EXIT_SOME_FAILED
    answer = target(*asked, **settings)
    if arguments.json:
        print_json({"value": answer.value, "sentence": answer.sentence})
    else:
        say(answer.sentence)
    return EXIT_OK if answer.value is not None else EXIT_SOME_FAILED
