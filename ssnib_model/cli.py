"""The command ``ssnib``: parses, calls the package, prints. Nothing is computed here."""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from pathlib import Path

from ssnib_model import __version__
from ssnib_model.errors import SSNIBError, ValidityWarning
from ssnib_model.files import writing

EXIT_OK, EXIT_BAD_INPUT, EXIT_SOME_FAILED = 0, 2, 3

#: Values of one parameter in a sweep.
MAX_VALUES = 1_000_000


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Exit code 0: done; 2: bad input; 3: some runs failed, results are kept.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except SSNIBError as error:
        for problem in getattr(error, "problems", [str(error)]):
            _say(f"ssnib: error: {_one_line(problem)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("ssnib: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone (ssnib ... | head)
        sys.stderr.close()
        return EXIT_OK


# -------------------------------------------------------------------- arguments
class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        super().error(_printable(_one_line(message)))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ssnib", description="Model of all-solid-state sodium batteries.")
    parser.add_argument("--version", action="version", version=f"ssnib_model {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    rate_test = commands.add_parser(
        "rate-test",
        help="charge and discharge at each rate, beside the measured data",
        description="Charge and discharge the cell at each rate in turn and compare with the "
        "measured data of the parameter set. Writes table.csv, curves.csv, comparison.csv, "
        "run.json and plots.",
        epilog='Example: ssnib rate-test --param "Na3PS4 layer conductivity [S.m-1]=0.1"',
    )
    _add_cell_arguments(rate_test)
    _add_output_arguments(rate_test, "rate-test")
    rate_test.add_argument(
        "--rates",
        type=_numbers,
        default=[0.1, 0.2, 0.5, 1, 2],
        metavar="0.1,0.2,1",
        help="C-rates in the order of the test (default: 0.1,0.2,0.5,1,2)",
    )
    rate_test.add_argument(
        "--charge-rate",
        type=float,
        metavar="C",
        help="C-rate of every charge (default: as the discharge that follows)",
    )
    rate_test.add_argument("--cycles", type=int, default=1, help="cycles at each rate")
    rate_test.add_argument(
        "--repeat",
        type=Path,
        metavar="RUN.JSON",
        help="run what this file of an earlier run says, and nothing else of the above",
    )
    rate_test.set_defaults(command=_rate_test)

    breakdown = commands.add_parser(
        "breakdown",
        help="which loss costs how many millivolts",
        description="Run the rate test up to a rate and print every overpotential at one "
        "point of its charge and discharge. Writes breakdown.csv, breakdown.png and run.json.",
    )
    _add_cell_arguments(breakdown, solvers=())
    _add_output_arguments(breakdown, "breakdown")
    breakdown.add_argument("--rate", type=float, default=2.0, help="C-rate (default: 2)")
    breakdown.add_argument(
        "--at", type=float, default=0.5, help="fraction of the half-cycle (default: 0.5)"
    )
    # the structured solver gives no overpotentials
    breakdown.set_defaults(command=_breakdown, solver="idaklu")

    fit = commands.add_parser(
        "fit",
        help="fit parameters to measured data",
        description="Fit parameters to files: tables of capacities by C-rate, or curves from a "
        "cycler. Writes the fitted parameter set, report.txt, fit.json and fit.png.",
        epilog='Example: ssnib fit data.csv --free "Positive particle diffusivity [m2.s-1]" '
        '--free "Na3PS4 layer conductivity [S.m-1]:0.005:0.05:log"',
    )
    _add_cell_arguments(fit, models=("dfn", "spm", "spm+dfn"))
    _add_output_arguments(fit, "fit")
    fit.add_argument("data", nargs="+", metavar="DATA", help="files of measured data")
    fit.add_argument(
        "--free",
        action="append",
        required=True,
        type=_free,
        metavar='"NAME[:low:high[:log]]"',
        help="parameter to fit, with bounds (default: its range in the set); repeatable",
    )
    fit.add_argument(
        "--sigma",
        action="append",
        default=[],
        type=_assignment,
        metavar='"QUANTITY=VALUE"',
        help='standard deviation of a measurement, "Voltage [V]=0.002" for example',
    )
    fit.add_argument("--starts", type=int, default=1, help="starting points (default: 1)")
    fit.add_argument("--seed", type=int, default=0, help="seed of the further starting points")
    fit.add_argument("--workers", type=int, default=1, help="processes to share the starts")
    fit.set_defaults(command=_fit)

    sweep = commands.add_parser(
        "sweep",
        help="many rate tests over one or more parameters",
        description="Run a rate test at every combination of the values given. Every run is kept "
        "as it ends; results.csv is written at the end. An interrupted sweep goes on with "
        "--resume DIR.",
        epilog='Example: ssnib sweep --vary "Na3PS4 layer conductivity [S.m-1]=1e-3:10:log:13" '
        "--rates 0.2,2 --out sweep",
    )
    _add_cell_arguments(sweep, models=("spm", "dfn"))
    _add_output_arguments(sweep, "sweep")
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        type=_axis,
        metavar='"NAME=LOW:HIGH:log|lin:N"',
        help="N values of a parameter; repeatable, all combinations are run",
    )
    sweep.add_argument(
        "--rates", type=_numbers, default=[0.2, 2], metavar="0.2,2", help="default: 0.2,2"
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

    sensitivity = commands.add_parser(
        "sensitivity",
        help="which parameter a result depends on",
        description="Local: d ln(result) / d ln(parameter) at the values of the set. Tornado: the "
        "result at both ends of each range. Sobol: shares of its variance over all ranges. "
        "Morris: elementary effects.",
        epilog='Example: ssnib sensitivity --of "Na3PS4 layer conductivity [S.m-1]" --rates 0.2,2',
    )
    _add_cell_arguments(sensitivity, models=("spm", "dfn"))
    _add_output_arguments(sensitivity, "sensitivity")
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
    sensitivity.add_argument("--rates", type=_numbers, default=[0.2, 2.0], metavar="0.2,2",
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
    _add_cell_arguments(target, models=("spm", "dfn"))
    target.add_argument(
        "--metric",
        required=True,
        help='"capacity retention at R C", "discharge capacity at R C" or "polarization at R C"',
    )
    target.add_argument("--value", type=float, required=True, help="what is wanted")
    target.add_argument("--vary", required=True, metavar="NAME", help="the parameter")
    target.add_argument(
        "--against",
        type=_axis,
        metavar='"NAME=LOW:HIGH:log|lin:N"',
        help="a second parameter: the answer for each of its values",
    )
    target.add_argument("--json", action="store_true", help="machine-readable output")
    target.set_defaults(command=_target)

    spectrum = commands.add_parser(
        "impedance",
        help="impedance of the cell, or of a pellet of one of its electrolytes",
        description="Impedance at equilibrium, 7 MHz to 10 mHz. Writes impedance.csv (frequency, "
        "Re, Im) and impedance.png (Nyquist and Bode).",
    )
    _add_cell_arguments(spectrum, models=())
    _add_output_arguments(spectrum, "impedance")
    spectrum.add_argument(
        "--state", type=float, default=0.5, help="state of charge, 0 to 1 (default: 0.5)"
    )
    spectrum.add_argument(
        "--pellet", metavar="LAYER", help="this layer between blocking electrodes instead"
    )
    spectrum.set_defaults(command=_impedance)

    materials = commands.add_parser("materials", help="the solid electrolytes known by name")
    materials.add_argument("--json", action="store_true", help="machine-readable output")
    materials.set_defaults(command=_materials)

    parameters = commands.add_parser("parameters", help="list, show or check parameter sets")
    actions = parameters.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the sets that come with the package")
    listing.set_defaults(command=_parameters_list)
    show = actions.add_parser("show", help="values, units, sources and notes of a set")
    show.add_argument("set", nargs="?", default="Hu2024", help="name or folder (default: Hu2024)")
    show.add_argument("name", nargs="?", default="", help="only names that contain this text")
    show.set_defaults(command=_parameters_show)
    check = actions.add_parser("check", help="report every problem of a set")
    check.add_argument("set", help="name or folder")
    check.set_defaults(command=_parameters_check)
    for action in (listing, show, check):
        action.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _add_cell_arguments(
    parser: argparse.ArgumentParser, models=("dfn", "spm"), solvers=("idaklu", "structured")
) -> None:
    parser.add_argument(
        "--set", default="Hu2024", metavar="NAME_OR_PATH", help="parameter set (default: Hu2024)"
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        type=_assignment,
        metavar='"NAME=VALUE"',
        help="replace a parameter, in the unit of its name; repeatable",
    )
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        type=_option,
        metavar='"LAYER=MATERIAL"',
        help="another solid electrolyte in a layer, at the same thickness; repeatable "
        "(names: ssnib materials)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar='"NAME=VALUE"',
        help='change a model option, "size classes=5" for example; repeatable',
    )
    parser.add_argument(
        "--temperature", type=float, metavar="C", help="temperature of the cell [degC]"
    )
    if models:
        parser.add_argument(
            "--model",
            choices=models,
            default=models[0],
            help=f"dfn: the full model; spm: the reduced one (default: {models[0]})",
        )
    if models and solvers:
        parser.add_argument(
            "--solver",
            choices=solvers,
            default=solvers[0],
            help="idaklu: PyBaMM's, for every option; structured: an order of magnitude faster, "
            f"for the plain options (default: {solvers[0]})",
        )


def _add_output_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"folder for the results (default: {folder}; none with --json)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON on stdout, and nothing else there"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no table")
    parser.set_defaults(folder=Path(folder))


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.2,1"
        ) from None


def _assignment(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=VALUE with a number as value"
            if equals
            else f"{text!r} has no '=': NAME=VALUE is needed"
        ) from None


def _axis(text: str) -> tuple[str, list[float]]:
    import numpy as np

    name, _, range_ = text.rpartition("=")
    try:
        low, high, scale, number = range_.split(":")
        space = {"log": np.geomspace, "lin": np.linspace}[scale]
        low, high, n = float(low), float(high), int(number)
        good = math.isfinite(low) and math.isfinite(high) and 1 <= n <= MAX_VALUES
        if not good or (scale == "log" and min(low, high) <= 0):
            raise ValueError
        return name.strip(), [float(v) for v in space(low, high, n)]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=LOW:HIGH:log|lin:N with finite numbers, above 0 for log, and "
            f"N from 1 to {MAX_VALUES}"
        ) from None


def _free(text: str) -> tuple[str, float | None, float | None, bool | None]:
    # a name holds no colon
    name, *rest = text.split(":")
    try:
        if len(rest) not in (0, 2, 3) or rest[2:] not in ([], ["log"]):
            raise ValueError
        low, high = (float(bound) for bound in rest[:2]) if rest else (None, None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME[:low:high[:log]]") from None
    return name.strip(), low, high, True if rest[2:] else None


def _option(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no '=': NAME=VALUE is needed")
    value = value.strip()
    return name.strip(), int(value) if value.isdecimal() else value


# -------------------------------------------------------------------- commands
def _rate_test(arguments) -> int:
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.protocol.repeat import repeat_run

    if arguments.repeat:
        folder = _folder(arguments)
        result = _warned(lambda: repeat_run(arguments.repeat))
    else:
        test = RateTest(
            arguments.rates, charge_rate=arguments.charge_rate, cycles=arguments.cycles
        )
        parameters = _parameters(arguments)
        folder = _folder(arguments)
        result = _run(test, arguments, parameters)
    if folder:
        result.save(folder)
    if arguments.json:
        _print_json(result.to_dict())
    elif not arguments.quiet:
        _say(_rate_table(result))
        _say(f"\nTable, curves, plots and run.json are in {folder}")
    return EXIT_OK if result.ok else EXIT_SOME_FAILED


def _breakdown(arguments) -> int:
    import pandas as pd

    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.results.plots import save_breakdown

    slower = [rate for rate in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if rate < arguments.rate]
    test = RateTest([*slower, arguments.rate])
    parameters = _parameters(arguments)
    folder = _folder(arguments)
    result = _run(test, arguments, parameters)
    losses = pd.DataFrame(
        {
            f"{direction} [mV]": 1e3 * result.breakdown(arguments.rate, arguments.at, direction)
            for direction in ("charge", "discharge")
        }
    )
    if folder:
        with writing(folder):
            losses.to_csv(folder / "breakdown.csv", index_label="Overpotential")
            (folder / "run.json").write_text(json.dumps(result.to_dict(), indent=2) + "\n")
            save_breakdown(result, arguments.rate, arguments.at, folder)
    if arguments.json:
        _print_json({"rate": arguments.rate, "at": arguments.at, **losses.to_dict()})
    elif not arguments.quiet:
        _say(f"Overpotentials at {arguments.rate:g} C, {arguments.at:.0%} of the half-cycle")
        _say(pd.concat([losses, losses.sum().rename("sum").to_frame().T]).round(1).to_string())
        _say(f"\nbreakdown.csv, breakdown.png and run.json are in {folder}")
    return EXIT_OK if result.ok else EXIT_SOME_FAILED


def _fit(arguments) -> int:
    from ssnib_model.fits.data import data_from_file
    from ssnib_model.fits.free import Free
    from ssnib_model.fits.search import fit

    parameters = _parameters(arguments)
    data = [
        d
        for file in arguments.data
        for d in data_from_file(file, parameters, dict(arguments.sigma))
    ]
    folder = _folder(arguments)
    if folder and (folder / "parameters.toml").exists():
        raise SSNIBError(f"--out {folder}: holds a parameter set already, name another folder")
    result = fit(
        parameters,
        data,
        [Free(*free) for free in arguments.free],
        model=arguments.model,
        # differences of residuals need digits
        solver=_solver(arguments, rtol=1e-6),
        starts=arguments.starts,
        seed=arguments.seed,
        workers=arguments.workers,
        checkpoint=folder / "checkpoint.json" if folder else None,
        progress=_talks(arguments),
    )
    if folder:
        result.save(folder)
        if not result.message.startswith("interrupted"):
            (folder / "checkpoint.json").unlink(missing_ok=True)
    if arguments.json:
        _print_json(result.to_dict())
    elif not arguments.quiet:
        _say(result.report())
        _say(f"\nThe fitted set, report.txt, fit.json and fit.png are in {folder}")
    return EXIT_OK


def _sweep(arguments) -> int:
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.runs.sweep import resume, sweep

    settings = {
        "workers": arguments.workers,
        "time_limit": arguments.time_limit,
        "scheduler": arguments.scheduler,
        "progress": _talks(arguments),
    }
    if arguments.resume:
        folder = arguments.resume
        table = resume(folder, **settings)
    else:
        test, parameters = RateTest(arguments.rates), _parameters(arguments)
        folder = _folder(arguments)
        design = _design(arguments, parameters)
        table = sweep(
            parameters,
            design,
            test,
            model=arguments.model,
            solver=_solver(arguments),
            out=folder,
            **settings,
        )
    if arguments.json:
        _print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
    elif not arguments.quiet:
        _say(table.to_string(index=False, na_rep="-", float_format="{:.5g}".format))
        _say(f"\nresults.csv and the store are in {folder}")
    failed = table["Status"].str.startswith("failed").any()
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _sensitivity(arguments) -> int:
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.runs import sensitivity as found
    from ssnib_model.runs.metrics import check_metric
    from ssnib_model.runs.plots import save_sensitivity

    parameters, test = _parameters(arguments), RateTest(arguments.rates)
    check_metric(arguments.metric, arguments.rates[-1], test)
    folder = _folder(arguments)
    names, settings = arguments.of, {"model": arguments.model}
    settings["solver"] = _solver(arguments, rtol=1e-7 if arguments.method == "local" else 1e-4)
    asked = (names, test, arguments.metric, arguments.rates[-1])
    if arguments.method == "local":
        table = found.sensitivity(parameters, names, test, **settings)
    elif arguments.method == "tornado":
        table = found.tornado(parameters, *asked, **settings)
    else:
        table = found.global_sensitivity(
            parameters, *asked, method=arguments.method, n=arguments.samples,
            progress=_talks(arguments), **settings,
        )  # fmt: skip
        table = table.rename_axis("Parameter").reset_index()
    if folder:
        with writing(folder):
            table.to_csv(folder / f"{arguments.method}.csv", index=False)
            save_sensitivity(table, arguments.method, arguments.metric, folder)
    if arguments.json:
        _print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
    elif not arguments.quiet:
        _say(table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"))
        _say(f"\n{arguments.method}.csv and {arguments.method}.png are in {folder}")
    return EXIT_OK


def _target(arguments) -> int:
    from ssnib_model.runs.target import contour, target

    asked = (_parameters(arguments), arguments.metric, arguments.value, arguments.vary)
    settings = {"model": arguments.model, "solver": _solver(arguments)}
    if arguments.against:
        table = contour(*asked, *arguments.against, **settings)
        found = bool(table[arguments.vary].notna().any())
        if arguments.json:
            _print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
        else:
            _say(table.drop(columns="Answer").to_string(index=False, na_rep="none"))
        return EXIT_OK if found else EXIT_SOME_FAILED
    answer = target(*asked, **settings)
    if arguments.json:
        _print_json({"value": answer.value, "sentence": answer.sentence})
    else:
        _say(answer.sentence)
    return EXIT_OK if answer.value is not None else EXIT_SOME_FAILED


def _design(arguments, parameters):
    from ssnib_model.measured.formats import MAX_CURVES_SIZE
    from ssnib_model.runs import designs
    from ssnib_model.tables import read_csv

    given = [bool(arguments.vary), bool(arguments.design), bool(arguments.sample)]
    if sum(given) != 1:
        raise SSNIBError("one of --vary, --design and --sample is needed, and only one")
    if arguments.vary:
        return designs.grid(dict(arguments.vary))
    if arguments.sample:
        return designs.sample(designs.own_ranges(parameters), arguments.sample)
    return read_csv(arguments.design, limit=MAX_CURVES_SIZE)


def _impedance(arguments) -> int:
    from ssnib_model.eis import impedance

    parameters = _parameters(arguments)
    folder = _folder(arguments)
    spectrum = impedance(parameters, state=arguments.state, pellet=arguments.pellet)
    if folder:
        spectrum.save(folder)
    if arguments.json:
        _print_json(spectrum.table.to_dict("list"))
    elif not arguments.quiet:
        _say(spectrum.title)
        _say(spectrum.table.iloc[::6].to_string(index=False, float_format="{:.4g}".format))
        _say(f"\nimpedance.csv and impedance.png are in {folder}")
    return EXIT_OK


def _materials(arguments) -> int:
    from ssnib_model.cell.electrolytes import solid_electrolytes

    materials = {name: vars(material) for name, material in solid_electrolytes().items()}
    if arguments.json:
        _print_json(materials)
        return EXIT_OK
    for name, m in materials.items():
        _say(f"{name}: {m['conductivity']:g} S/m at 25 degC, {m['kind']} (grade {m['grade']})")
        _say(f"    {m['source']}" + (f"; {m['note']}" if m["note"] else ""))
    return EXIT_OK


def _parameters_list(arguments) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.cell.set_files import list_parameter_sets

    sets = {name: ParameterSet(name).description for name in list_parameter_sets()}
    if arguments.json:
        _print_json(sets)
    else:
        _say("\n".join(f"{name}  {description}" for name, description in sets.items()))
    return EXIT_OK


def _parameters_show(arguments) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet

    parameters = ParameterSet(arguments.set)
    text = arguments.name.casefold()
    infos = [parameters.info(name) for name in parameters if text in name.casefold()]
    if not infos:
        raise SSNIBError(f'no parameter name of {arguments.set} contains "{arguments.name}"')
    if arguments.json:
        _print_json(
            [
                vars(i) | {"value": i.value if isinstance(i.value, float) else str(i.value)}
                for i in infos
            ]
        )
        return EXIT_OK
    for info in infos:
        value = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
        _say(_one_line(f"{info.name} = {value}"))
        details = [info.kind]
        if info.source:
            source = parameters.sources[info.source]
            doi = f", doi {source['doi']}" if "doi" in source else ""
            details.append(source["citation"] + doi)
        for how, number in (info.uncertainty or {}).items():
            numbers = number if how == "range" else (number,)
            details.append(f"{how} {' to '.join(f'{n:.4g}' for n in numbers)}")
        details += [info.note] if info.note else []
        _say("    " + _one_line("; ".join(details)))
    return EXIT_OK


def _parameters_check(arguments) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.errors import ParameterError

    try:
        parameters, problems = ParameterSet(arguments.set), []
    except ParameterError as error:
        parameters, problems = None, error.problems
    if arguments.json:
        _print_json({"ok": not problems, "problems": problems})
    elif problems:
        _say("\n".join(map(_one_line, problems)), file=sys.stderr)
        _say(f"{len(problems)} problem(s)", file=sys.stderr)
    else:
        counts = parameters.to_frame()["kind"].value_counts()
        kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items())
        _say(f"{arguments.set}: {len(parameters)} parameters, no problem ({kinds})")
    return EXIT_BAD_INPUT if problems else EXIT_OK


# -------------------------------------------------------------------- helpers
def _parameters(arguments):
    from ssnib_model.cell.parameter_set import ParameterSet

    changes = dict(arguments.param)
    if arguments.temperature is not None:
        changes["Ambient temperature [K]"] = arguments.temperature + 273.15
    parameters = ParameterSet(arguments.set)
    options = dict(arguments.option)
    for layer, material in arguments.layer:
        parameters = _swapped(parameters, layer, str(material))
    return parameters.replace(changes, options) if changes or options else parameters


def _swapped(parameters, layer: str, material: str):
    from ssnib_model.cell.electrolytes import swap_layer

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ValidityWarning)
        parameters = swap_layer(parameters, layer, material)
    for warning in caught:
        _say(f"ssnib: warning: {warning.message}", file=sys.stderr)
    return parameters


def _run(test, arguments, parameters):
    """The rate test by the model asked for."""
    settings = {"solver": _solver(arguments), "progress": _talks(arguments)}
    return _warned(lambda: test.run(_model(arguments, parameters), parameters, **settings))


def _warned(run):
    """The result of a run; its warnings as one line each on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        result = run()
    for note in result.notes:
        _say(f"ssnib: warning: {note}", file=sys.stderr)
    return result


def _model(arguments, parameters):
    from ssnib_model.models.names import MODELS

    return MODELS[arguments.model](parameters.model_options)


def _solver(arguments, rtol: float = 1e-4):
    """The solver asked for; None for that of the model."""
    if arguments.solver == "idaklu":
        return None
    from ssnib_model.solvers.structured import StructuredSolver

    return StructuredSolver(rtol, rtol / 100)


def _folder(arguments) -> Path | None:
    """The folder for results, made before the run so that no work is lost to it."""
    folder = arguments.out or (None if arguments.json else arguments.folder)
    if folder:
        with writing(folder):
            (folder / ".writable").touch()
            (folder / ".writable").unlink()
    return folder


def _talks(arguments) -> bool:
    return not (arguments.quiet or arguments.json) and sys.stderr.isatty()


def _print_json(document) -> None:
    print(json.dumps(_finite(document), indent=2, allow_nan=False))


def _finite(document):
    """With None for NaN and infinity, which JSON does not have."""
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_finite(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document


def _say(text: str, file=None) -> None:
    """Print for a person."""
    print(_printable(text), file=file)


def _printable(text: str) -> str:
    """Text of a file without what would steer the terminal or cannot be encoded."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _rate_table(result) -> str:
    """The result table with the measured values beside it."""
    table = result.table.set_index("C-rate", drop=False)
    shown = table[["C-rate"]].rename(columns={"C-rate": "C-rate [1/h]"})
    shown["charge [mAh/g]"] = table["Charge capacity [mA.h.g-1]"].round(1)
    shown["discharge [mAh/g]"] = table["Discharge capacity [mA.h.g-1]"].round(1)
    shown["gap [mV]"] = (1e3 * table["Polarization [V]"]).round(0)
    units = {"Discharge capacity [mA.h.g-1]": (1, "mAh/g"), "Polarization [V]": (1e3, "mV")}
    data = result.compare()
    for (name, quantity), rows in data[data["Quantity"].isin(units)].groupby(["Data", "Quantity"]):
        factor, unit = units[quantity]
        measured = rows.set_index("C-rate")["Measured"].groupby(level=0).mean() * factor
        shown[f"measured, {name} [{unit}]"] = measured.reindex(shown.index).round(1)
    shown["status"] = table["Status"]
    return shown.to_string(index=False, na_rep="-")


if __name__ == "__main__":
    sys.exit(main())
