"""``ssnib fit``."""

from __future__ import annotations

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    assignment,
    cell,
    free,
    solver,
)
from ssnib_model.cli.output import EXIT_OK, print_json, results_folder, say, talks
from ssnib_model.errors import SSNIBError


def add_parsers(commands) -> None:
    fit = commands.add_parser(
        "fit",
        help="fit parameters to measured data",
        description="Fit parameters to files: tables of capacities by C-rate, or curves from a "
        "cycler. Writes the fitted parameter set, report.txt, fit.json and fit.png.",
        epilog='Example: ssnib fit data.csv --free "Positive particle diffusivity [m2.s-1]" '
        '--free "Na3PS4 layer conductivity [S.m-1]:0.005:0.05:log"',
    )
    add_cell_arguments(fit, models=("dfn", "spm", "spm+dfn"))
    add_output_arguments(fit, "fit")
    fit.add_argument("data", nargs="+", metavar="DATA", help="files of measured data")
    fit.add_argument(
        "--free",
        action="append",
        required=True,
        type=free,
        metavar='"NAME[:low:high[:log]]"',
        help="parameter to fit, with bounds (default: its range in the set); repeatable",
    )
    fit.add_argument(
        "--sigma",
        action="append",
        default=[],
        type=assignment,
        metavar='"QUANTITY=VALUE"',
        help='standard deviation of a measurement, "Voltage [V]=0.002" for example',
    )
    fit.add_argument("--starts", type=int, default=1, help="starting points (default: 1)")
    fit.add_argument("--seed", type=int, default=0, help="seed of the further starting points")
    fit.add_argument("--workers", type=int, default=1, help="processes to share the starts")
    fit.set_defaults(command=_fit)


def _fit(arguments) -> int:
    from ssnib_model.fit_data import data_from_file
    from ssnib_model.fitting import Free, fit

    parameters = cell(arguments)
    data = [
        d
        for file in arguments.data
        for d in data_from_file(file, parameters, dict(arguments.sigma))
    ]
    folder = results_folder(arguments)
    if folder and (folder / "parameters.toml").exists():
        raise SSNIBError(f"--out {folder}: holds a parameter set already, name another folder")
    result = fit(
        parameters,
        data,
        [Free(*free) for free in arguments.free],
        model=arguments.model,
        # differences of residuals need digits
        solver=solver(arguments, rtol=1e-6),
        starts=arguments.starts,
        seed=arguments.seed,
        workers=arguments.workers,
        checkpoint=folder / "checkpoint.json" if folder else None,
        progress=talks(arguments),
    )
    if folder:
        result.save(folder)
        if not result.message.startswith("interrupted"):
            (folder / "checkpoint.json").unlink(missing_ok=True)
    if arguments.json:
        print_json(result.to_dict())
    elif not arguments.quiet:
        say(result.report())
        say(f"\nThe fitted set, report.txt, fit.json and fit.png are in {folder}")
    return EXIT_OK
