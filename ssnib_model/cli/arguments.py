"""Arguments that commands share, and what they stand for."""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from pathlib import Path

from ssnib_model.cli.output import say
from ssnib_model.errors import ValidityWarning

#: Values of one parameter in a sweep.
MAX_VALUES = 1_000_000


def add_cell_arguments(
    parser: argparse.ArgumentParser, models=("dfn", "spm"), solvers=("idaklu", "structured")
) -> None:
    parser.add_argument(
        "--set", default="Hu2024", metavar="NAME_OR_PATH", help="parameter set (default: Hu2024)"
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        type=assignment,
        metavar='"NAME=VALUE"',
        help="replace a parameter, in the unit of its name; repeatable",
    )
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        type=option,
        metavar='"LAYER=MATERIAL"',
        help="another solid electrolyte in a layer, at the same thickness; repeatable "
        "(names: ssnib materials)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=option,
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


def add_output_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
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


def numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.2,1"
        ) from None


def assignment(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=VALUE with a number as value"
            if equals
            else f"{text!r} has no '=': NAME=VALUE is needed"
        ) from None


def axis(text: str) -> tuple[str, list[float]]:
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


def free(text: str) -> tuple[str, float | None, float | None, bool | None]:
    # a name holds no colon
    name, *rest = text.split(":")
    try:
        if len(rest) not in (0, 2, 3) or rest[2:] not in ([], ["log"]):
            raise ValueError
        low, high = (float(bound) for bound in rest[:2]) if rest else (None, None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME[:low:high[:log]]") from None
    return name.strip(), low, high, True if rest[2:] else None


def option(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no '=': NAME=VALUE is needed")
    value = value.strip()
    return name.strip(), int(value) if value.isdecimal() else value


def cell(arguments):
    from ssnib_model.parameters import ParameterSet

    changes = dict(arguments.param)
    if arguments.temperature is not None:
        changes["Ambient temperature [K]"] = arguments.temperature + 273.15
    parameters = ParameterSet(arguments.set)
    options = dict(arguments.option)
    for layer, material in arguments.layer:
        parameters = _swapped(parameters, layer, str(material))
    return parameters.replace(changes, options) if changes or options else parameters


def _swapped(parameters, layer: str, material: str):
    from ssnib_model.materials.solid_electrolytes import swap_layer

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ValidityWarning)
        parameters = swap_layer(parameters, layer, material)
    for warning in caught:
        say(f"ssnib: warning: {warning.message}", file=sys.stderr)
    return parameters


def model(arguments, parameters):
    from ssnib_model.models.names import MODELS

    return MODELS[arguments.model](parameters.model_options)


def solver(arguments, rtol: float = 1e-4):
    """The solver asked for; None for that of the model."""
    if arguments.solver == "idaklu":
        return None
    from ssnib_model.structured import StructuredSolver

    return StructuredSolver(rtol, rtol / 100)
