"""``ssnib fit``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    assignment,
    cell,
    choice,
    free,
    in_unit_of,
    once,
)
from ssnib_model.cli.output import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    RUN_FILE,
    print_json,
    results_folder,
    run_record,
    say,
    talks,
    write_run,
)
from ssnib_model.errors import OptionError
from ssnib_model.files import read_bytes, writing

if TYPE_CHECKING:
    from ssnib_model.fits.result import FitResult

#: Residuals that are printed one by one.
MAX_RESIDUALS = 30
#: What ``--misfit`` stands for.
MISFIT = {"auto": None, "yes": True, "no": False}
SET_FILE, CHECKPOINT = "parameters.toml", "checkpoint.json"


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``fit``."""
    fit = commands.add_parser(
        "fit",
        help="fit parameters to measured data",
        description="Fit parameters to files: tables of capacities by C-rate, or curves from a "
        "cycler. Writes the fitted parameter set, report.txt, fit.json, fit.png and run.json.",
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
        help='standard deviation of a measurement, "Voltage [V]=2 mV" for example',
    )
    fit.add_argument("--starts", type=int, default=1, help="starting points (default: 1)")
    fit.add_argument("--seed", type=int, default=0, help="seed of the further starting points")
    fit.add_argument("--workers", type=int, default=1, help="processes to share the starts")
    fit.add_argument(
        "--posterior",
        type=int,
        metavar="N",
        help="what is known of the parameters beyond standard errors, as N independent draws: "
        "posterior.csv, .json and .png",
    )
    fit.add_argument(
        "--misfit",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the model may be wrong by more than the errors of the data, for --posterior "
        "(default: auto, if chi2 is too large to come by chance)",
    )
    fit.set_defaults(command=_fit)


def _fit(arguments: argparse.Namespace) -> int:
    import hashlib

    from ssnib_model.fits.data import data_from_files
    from ssnib_model.fits.free import Free
    from ssnib_model.fits.posterior import check_draws
    from ssnib_model.fits.search import fit
    from ssnib_model.measured.formats import MAX_CURVES_SIZE

    if arguments.posterior is None and arguments.misfit != "auto":
        raise OptionError("--misfit is for --posterior, which is not given")
    if arguments.posterior is not None:
        check_draws(arguments.posterior, arguments.seed)
    parameters, _ = cell(arguments)
    sigma = {n: in_unit_of(n, v) for n, v in once(arguments.sigma, "--sigma").items()}
    data = data_from_files(arguments.data, parameters, sigma)
    files = [SET_FILE, "report.txt", "fit.json", "fit.png", RUN_FILE]
    if arguments.posterior is not None:
        files += ["posterior.csv", "posterior.json", "posterior.png"]
    folder = results_folder(arguments, files, keeps=True)
    chosen = choice(arguments, parameters, "FOR_DIFFERENCES")
    record = run_record(arguments, parameters, chosen)
    contents = {file: read_bytes(Path(file), MAX_CURVES_SIZE) for file in arguments.data}
    record["settings"]["data"] = [
        {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
        for file, content in contents.items()
    ]
    result = fit(
        parameters,
        data,
        [Free(*free) for free in arguments.free],
        model=arguments.model,
        solver=arguments.solver,
        starts=arguments.starts,
        seed=arguments.seed,
        workers=arguments.workers,
        checkpoint=folder / CHECKPOINT if folder else None,
        progress=talks(arguments),
    )
    if folder:
        with writing(folder):
            (folder / SET_FILE).unlink(missing_ok=True)  # only with --force is there one
        result.save(folder)
        write_run(folder, record)
        if not result.interrupted:
            (folder / CHECKPOINT).unlink(missing_ok=True)
    drawn = None
    if arguments.posterior is not None and not result.interrupted:
        drawn = result.posterior(
            arguments.posterior,
            misfit=MISFIT[arguments.misfit],
            seed=arguments.seed,
            progress=talks(arguments),
        )
        if folder:
            drawn.save(folder)
    if arguments.json:
        found = result.to_dict()
        found |= {"posterior": drawn.to_dict()} if drawn else {}
        print_json(record | {"fitted": found.pop("parameters")} | found)
    elif not arguments.quiet:
        say(_report(result))
        if drawn:
            say(f"\n{drawn.report()}")
            say(f"\nposterior.csv, posterior.json and posterior.png are in {folder}")
        say(f"\nThe fitted set, report.txt, fit.json, fit.png and run.json are in {folder}")
        if result.interrupted:
            say("It was interrupted: the same command with --force goes on from there")
    ended_early = result.interrupted or bool(drawn and drawn.interrupted)
    return EXIT_INTERRUPTED if ended_early else EXIT_OK


def _report(result: FitResult) -> str:
    """The report of a fit, with a line a data set in place of a long list of residuals."""
    report = result.report()
    if len(result.residuals) <= MAX_RESIDUALS:
        return report
    head = report.split("\nResiduals\n", 1)[0]
    sets = result.residuals.groupby("Data", sort=False)["Residual"]
    lines = [
        f"  {name}: {len(values)} values, root mean square {(values**2).mean() ** 0.5:.3g}, "
        f"largest {values.abs().max():.3g}"
        for name, values in sets
    ]
    title = "Residuals in units of sigma, by data set (one by one in report.txt)"
    return "\n".join([head, title, *lines])
