"""``ssnib fit``."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssnib_model.cli.arguments import (
    add_cell_arguments,
    add_output_arguments,
    add_sigma_argument,
    assigned_files,
    cell,
    choice,
    free,
    once,
    sigma,
)
from ssnib_model.cli.compare import add_measured_arguments, measured_settings
from ssnib_model.cli.measurements import CURVE_KEYS, SPECTRUM_KEYS, curve, spectrum
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
    from ssnib_model.fits.data import Data
    from ssnib_model.fits.result import FitResult

#: Residuals that are printed one by one.
MAX_RESIDUALS = 30
#: What ``--misfit`` stands for.
MISFIT = {"auto": None, "yes": True, "no": False}
SET_FILE, PETAB, CHECKPOINT = "parameters.toml", "petab", "checkpoint.json"


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``fit``."""
    fit = commands.add_parser(
        "fit",
        help="fit parameters to measured data",
        description="Fit parameters to files: tables of capacities by C-rate, curves from a "
        "cycler, impedance spectra. Writes the fitted parameter set, report.txt, fit.json, fit.png"
        " and run.json.",
        epilog='Example: ssnib fit data.csv --free "Positive particle diffusivity [m2.s-1]" '
        '--free "Na3PS4 layer conductivity [S.m-1]:0.005:0.05:log"; '
        'ssnib fit --spectrum "eis.mpt, state=0.5, temperature=25, to=1e5" '
        '--free "Set-up series inductance [H]:0:1e-5" '
        '--free "Na3PS4 layer conductivity [S.m-1]:0.005:0.05:log"',
    )
    add_cell_arguments(fit, models=("dfn", "spm", "spm+dfn"))
    add_output_arguments(fit, "fit")
    fit.add_argument("data", nargs="*", metavar="DATA", help="files of measured data")
    add_measured_arguments(fit)
    fit.add_argument(
        "--curve",
        action="append",
        default=[],
        type=curve,
        metavar='"FILE, rate=C[, KEY=VALUE ...]"',
        help="voltage against capacity of a half-cycle (digitised, for example), whose rate or "
        f"unit the file does not say; keys: {', '.join(CURVE_KEYS)}; repeatable",
    )
    fit.add_argument(
        "--spectrum",
        action="append",
        default=[],
        type=spectrum,
        metavar='"FILE, state=S[, KEY=VALUE ...]"',
        help="impedance spectrum at a state of charge, or after a step of the file of a cycler "
        '("state=step 5"), as a measurement to fit; keys: '
        f"{', '.join(SPECTRUM_KEYS)}; repeatable",
    )
    fit.add_argument(
        "--free",
        action="append",
        default=[],
        type=free,
        metavar='"NAME[:low:high[:log]]"',
        help="parameter to fit, with bounds (default: its range in the set); repeatable",
    )
    fit.add_argument(
        "--each",
        action="append",
        default=[],
        type=free,
        metavar='"NAME[:low:high[:log]]"',
        help="parameter of which each cell has its own value, around a mean and with a spread "
        "that are fitted with it; repeatable",
    )
    fit.add_argument(
        "--cell",
        action="append",
        default=[],
        type=assigned_files,
        metavar='"NAME=FILE[, FILE ...]"',
        help="files that are of one cell, for --each (default: each file is one); repeatable",
    )
    add_sigma_argument(fit)
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
    fit.add_argument(
        "--petab",
        action="store_true",
        help="write the problem for other programs too: a folder petab, which "
        "ssnib_model.pypesto_problem reads",
    )
    fit.add_argument(
        "--marginal",
        action="store_true",
        help="with --posterior: N draws in which every assumed value of the set, which a fit "
        "takes to be exact, varies over its own range",
    )
    fit.set_defaults(command=_fit)


def _fit(arguments: argparse.Namespace) -> int:
    from ssnib_model.fits.assumed import marginal
    from ssnib_model.fits.curve_files import curve_from_file
    from ssnib_model.fits.files import data_from_files
    from ssnib_model.fits.free import Free
    from ssnib_model.fits.petab import check_petab
    from ssnib_model.fits.posterior import check_draws
    from ssnib_model.fits.search import fit
    from ssnib_model.fits.spectrum_files import spectrum_from_file

    if arguments.posterior is None and arguments.misfit != "auto":
        raise OptionError("--misfit is for --posterior, which is not given")
    if arguments.marginal and (arguments.posterior is None or arguments.misfit != "auto"):
        raise OptionError("--marginal is for --posterior, and goes without --misfit")
    if arguments.posterior is not None:
        check_draws(arguments.posterior, arguments.seed)
    if not (arguments.free or arguments.each):
        raise OptionError("nothing to fit: give --free or --each, a parameter")
    if arguments.cell and not arguments.each:
        raise OptionError("--cell is for --each, which is not given")
    parameters, _ = cell(arguments)
    errors = sigma(arguments)
    if not (arguments.data or arguments.curve or arguments.spectrum):
        raise OptionError(
            "nothing to fit to: give a file of measured data, a --curve or a --spectrum"
        )
    curves = [
        curve_from_file(p, parameters, sigma=errors, **given) for p, given in arguments.curve
    ]
    for (file, _), one in zip(arguments.curve, curves, strict=True):
        one.cell = file
    settings = measured_settings(arguments, parameters)
    data = data_from_files(arguments.data, parameters, errors, beside=curves, **settings)
    for file, given in arguments.spectrum:
        state = _state(given["state"], data)
        data.append(spectrum_from_file(file, parameters, **{**given, "state": state}))
        data[-1].cell = file
    _name_cells(data, once(arguments.cell, "--cell"))
    files = [SET_FILE, "report.txt", "fit.json", "fit.png", RUN_FILE]
    if arguments.posterior is not None:
        files += ["posterior.csv", "posterior.json", "posterior.png"]
    if arguments.petab:
        check_petab(data, bool(arguments.each))
        files.append(PETAB)
    folder = results_folder(arguments, files, keeps=True)
    if arguments.petab and folder is None:
        raise OptionError("--petab writes into a folder, and --json alone has none: give --out")
    chosen = choice(arguments, parameters, "FOR_FITS")
    record = run_record(arguments, parameters, chosen)
    files_as_given: list[tuple[str, dict]] = [(file, {}) for file in arguments.data]
    record["settings"]["data"] = [
        {"file": file, "sha256": _sha256(file), **settings}
        for file, settings in [*files_as_given, *arguments.curve, *arguments.spectrum]
    ]
    result = fit(
        parameters,
        data,
        [
            *(Free(*one) for one in arguments.free),
            *(replace(Free(*one), each=True) for one in arguments.each),
        ],
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
            if arguments.petab:
                shutil.rmtree(folder / PETAB, ignore_errors=True)
        result.save(folder)
        if arguments.petab:
            result.to_petab(folder / PETAB)
        write_run(folder, record)
        if not result.interrupted:
            (folder / CHECKPOINT).unlink(missing_ok=True)
    drawn = None
    if arguments.marginal and not result.interrupted:
        drawn = marginal(
            result, arguments.posterior, seed=arguments.seed, progress=talks(arguments)
        )
    elif arguments.posterior is not None and not result.interrupted:
        drawn = result.posterior(
            arguments.posterior,
            misfit=MISFIT[arguments.misfit],
            seed=arguments.seed,
            progress=talks(arguments),
        )
    if drawn and folder:
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
        if arguments.petab:
            say(f"The problem for other programs is in {folder}/{PETAB}")
        if result.interrupted:
            say("It was interrupted: the same command with --force goes on from there")
    ended_early = result.interrupted or bool(drawn and drawn.interrupted)
    return EXIT_INTERRUPTED if ended_early else EXIT_OK


def _name_cells(data: list[Data], given: dict[str, list[str]]) -> None:
    """Put the name of its cell in place of the file of each data set, where it is given."""
    cells = {d.cell for d in data}
    names: dict[str, str] = {}
    for name, files in given.items():
        for file in files:
            if file not in cells:
                raise OptionError(
                    f"--cell {name} has {file}, which is no file of the data: {sorted(cells)}"
                )
            if file in names:
                raise OptionError(f"--cell has {file} twice, in {names[file]} and {name}")
            names[file] = name
    stems = Counter(Path(file).stem for file in cells - names.keys())
    for d in data:
        stem = Path(d.cell).stem
        alone = stems[stem] == 1 and stem not in given
        d.cell = names.get(d.cell, stem if alone else d.cell)
    called = Counter(d.name for d in data)
    for d in data:  # files of one name in several folders
        if called[d.name] > 1:
            d.name = f"{d.cell}: {d.name}"


def _state(state: float | str, data: list[Data]) -> float:
    """A state of charge; that after a step is one of the only measurement with steps."""
    from ssnib_model.fits.protocol_data import ProtocolData

    if isinstance(state, float):
        return state
    followed = [d for d in data if isinstance(d, ProtocolData)]
    if len(followed) != 1:
        raise OptionError(
            f"state={state} is of a spectrum at its place in a test, and there are "
            f"{len(followed)} files of cyclers: one is needed, or the state as a number"
        )
    return followed[0].measured_protocol.state_of_charge(int(state.removeprefix("step ")))


def _sha256(file: str) -> str:
    import hashlib

    from ssnib_model.measured.text import MAX_SIZE

    return hashlib.sha256(read_bytes(Path(file), MAX_SIZE)).hexdigest()


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
