"""Arguments that commands share, and what they stand for."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.cli.output import say
from ssnib_model.errors import OptionError, SSNIBError

if TYPE_CHECKING:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.solvers.choice import Choice

#: As `ssnib_model.solvers.choice.NAMES`, which takes long to import.
SOLVERS = ("auto", "structured", "idaklu")

#: An argument that takes away what a set says.
NONE = "none"

#: Values of one parameter in a sweep.
MAX_VALUES = 1_000_000

DEFAULT_SET = "Hu2024"
TEMPERATURE = "Ambient temperature [K]"

#: What ``--layer`` calls the electrolyte in the composite, and its conductivity.
CATHOLYTE = "catholyte"
CATHOLYTE_CONDUCTIVITY = "Positive electrode electrolyte conductivity [S.m-1]"

#: A temperature without a unit above this [degC] is meant in kelvin.
KELVIN_FROM = 150.0

#: What follows from a change is listed up to this many.
MAX_CONSEQUENCES = 6

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf))(.*)", re.I)


# -------------------------------------------------------------------- the same for all commands
def add_cell_arguments(
    parser: argparse.ArgumentParser,
    models: tuple[str, ...] = ("dfn", "spm"),
) -> None:
    """What the cell is, and how its equations are solved."""
    sets = parser.add_argument(
        "--set", metavar="NAME_OR_PATH", help=f"parameter set (default: {DEFAULT_SET})"
    )
    complete(sets, _sets)
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        type=assignment,
        metavar='"NAME=VALUE [UNIT]"',
        help="replace a parameter, in the unit of its name or in the one given; repeatable",
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
        "--temperature",
        metavar="T",
        help='temperature of the cell [degC], or with a unit, "298.15 K" for example',
    )
    if models:
        parser.add_argument(
            "--model",
            choices=models,
            default=models[0],
            help=f"dfn: the full model; spm: the reduced one (default: {models[0]})",
        )
        parser.add_argument(
            "--solver",
            choices=SOLVERS,
            default=SOLVERS[0],
            help="structured: an order of magnitude faster, for what it has the equations of; "
            "idaklu: PyBaMM's, for everything; auto: structured where it can, and else says why "
            f"not (default: {SOLVERS[0]})",
        )


def add_output_arguments(
    parser: argparse.ArgumentParser,
    called: str,
    *,
    is_default: bool = True,
    can_force: bool = True,
) -> None:
    """Where results go.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    called : str
        Name of the command.
    is_default : bool, optional
        Whether there is a folder, with the name of the command, without ``--out``.
    can_force : bool, optional
        Whether results can be overwritten on demand.
    """
    default = f"{called}; none with --json" if is_default else "none"
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"folder for the results (default: {default})"
    )
    if can_force:
        parser.add_argument(
            "--force", action="store_true", help="overwrite the results that the folder holds"
        )
    parser.add_argument(
        "--json", action="store_true", help="print JSON on stdout, and nothing else there"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no table")
    folder = Path(called) if is_default else None
    parser.set_defaults(called=called, folder=folder, parser=parser)


def refuse_beside(arguments: argparse.Namespace, flag: str, names: Iterable[str]) -> None:
    """`OptionError` if an argument was given that ``flag`` leaves without effect."""
    default = arguments.parser.get_default
    given = [name for name in names if getattr(arguments, name) != default(name)]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise OptionError(f"{flags} has no effect with {flag}: leave one of them out")


#: Arguments that describe a cell and its solver, by their names.
CELL = ("set", "param", "layer", "option", "temperature", "model", "solver")


# -------------------------------------------------------------------- what is read from a text
def numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.2,1"
        ) from None


def or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Reads "none" as `NONE`, and everything else as before."""

    def read_or_none(text: str) -> Any:
        return NONE if text.strip().casefold() == NONE else read(text)

    read_or_none.__name__ = read.__name__  # what argparse calls it in an error
    return read_or_none


def quantity(text: str) -> tuple[float, str]:
    """A number and its unit, which is "" if there is none."""
    match = _NUMBER.fullmatch(text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, with its unit or without")
    return float(match[1]), match[2].strip()


def assignment(text: str) -> tuple[str, tuple[float, str]]:
    name, equals, value = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no '=': NAME=VALUE is needed")
    try:
        return name.strip(), quantity(value)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=VALUE with a number as value"
        ) from None


def axis(text: str) -> tuple[str, list[float]]:
    import numpy as np

    name, _, range_ = text.rpartition("=")
    try:
        first, last, scale, number = range_.split(":")
        spaces: dict[str, Callable] = {"log": np.geomspace, "lin": np.linspace}
        space = spaces[scale]
        low, high, n = float(first), float(last), int(number)
        good = math.isfinite(low) and math.isfinite(high) and 1 <= n <= MAX_VALUES
        if not good or (scale == "log" and min(low, high) <= 0):
            raise ValueError
        return name.strip(), [float(v) for v in space(low, high, n)]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=LOW:HIGH:log|lin:N with finite numbers, above 0 for log, and "
            f"N from 1 to {MAX_VALUES}"
        ) from None


def range_(text: str) -> tuple[str, tuple | None]:
    """A parameter and where to look, None for its own range."""
    name, equals, ends = text.rpartition("=")
    if not equals:
        return text.strip(), None
    low, colon, rest = ends.partition(":")
    high, _, scale = rest.partition(":")
    try:
        if not colon or scale not in ("", "lin", "log"):
            raise ValueError
        return name.strip(), (float(low), float(high), scale or "lin")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME[=LOW:HIGH[:lin|log]]") from None


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


def assigned_files(text: str) -> tuple[str, list[str]]:
    name, _, files = text.partition("=")
    found = [file.strip() for file in files.split(",") if file.strip()]
    if not (name.strip() and found):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE[, FILE ...]")
    return name.strip(), found


def option(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no '=': NAME=VALUE is needed")
    value = value.strip()
    return name.strip(), int(value) if value.isdecimal() else value


def in_unit_of(name: str, value: tuple[float, str]) -> float:
    """A value in the unit of a name, as in a parameter file.

    Raises
    ------
    OptionError
        If its unit is none, or cannot be converted.
    """
    from ssnib_model.quantity import unit_of
    from ssnib_model.units import convert

    number, unit = value
    if not unit:
        return number
    try:
        return convert(number, unit, unit_of(name))
    except ValueError as error:
        raise OptionError(f'"{name}" is given as {number:g} {unit}: {error}') from error


def add_sigma_argument(parser: argparse.ArgumentParser, more: str = "") -> None:
    """``--sigma``, which `sigma` reads; ``more`` is a further example of it."""
    parser.add_argument(
        "--sigma",
        action="append",
        default=[],
        type=assignment,
        metavar='"QUANTITY=VALUE"',
        help=f'standard deviation of a measurement, "Voltage [V]=2 mV"{more} for example; '
        "repeatable",
    )


def sigma(arguments: argparse.Namespace) -> dict[str, float]:
    """Standard deviations by quantity, of ``--sigma``."""
    return {n: in_unit_of(n, v) for n, v in once(arguments.sigma, "--sigma").items()}


def once(pairs: Iterable[tuple[str, Any]], flag: str) -> dict[str, Any]:
    """Pairs as a dictionary; `OptionError` for a name that is given twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise OptionError(f'{flag} gives "{name}" twice: only one value can hold')
        found[name] = value
    return found


def kelvin(text: str) -> float:
    """A temperature [K] from a text in degC, or with its unit.

    Raises
    ------
    OptionError
        If it is no temperature, or without a unit far more plausible in kelvin.
    """
    try:
        number, unit = quantity(text)
    except argparse.ArgumentTypeError as error:
        raise OptionError(f"--temperature {error}") from error
    if not unit and KELVIN_FROM < number < math.inf:
        raise OptionError(
            f"--temperature {number:g} is in degC, which is {number + 273.15:g} K: write "
            f"--temperature {number - 273.15:.6g} if {number:g} K is meant (or "
            f'--temperature "{number:g} K"), and --temperature "{number:g} degC" if it is not'
        )
    unit = {"": "degC", "C": "degC", "°C": "degC"}.get(unit, unit)
    return in_unit_of(TEMPERATURE, (number, unit))


# -------------------------------------------------------------------- the cell
def base_set(arguments: argparse.Namespace) -> ParameterSet:
    """The set asked for, before anything is changed."""
    from ssnib_model.cell.parameter_set import ParameterSet

    return ParameterSet(DEFAULT_SET if arguments.set is None else arguments.set)


def cell(arguments: argparse.Namespace) -> tuple[ParameterSet, str]:
    """The set asked for with all that is changed, and that in words.

    The words are printed, unless JSON or silence is wanted, and are a title for plots.
    """
    from ssnib_model.cell.electrolytes import swap_layer

    base = base_set(arguments)
    changes = {n: in_unit_of(n, v) for n, v in once(arguments.param, "--param").items()}
    if arguments.temperature is not None:
        if TEMPERATURE in changes:
            raise OptionError(f'--temperature and --param "{TEMPERATURE}" are the same thing')
        changes[TEMPERATURE] = kelvin(arguments.temperature)
    options = once(arguments.option, "--option")
    parameters, layers = base, once(arguments.layer, "--layer")
    # the composite first: what it holds is then no question when its layer is swapped
    if CATHOLYTE_CONDUCTIVITY in changes:
        parameters = parameters.replace({CATHOLYTE_CONDUCTIVITY: changes[CATHOLYTE_CONDUCTIVITY]})
    for layer in sorted(layers, key=lambda layer: layer != CATHOLYTE):
        parameters = swap_layer(parameters, layer, str(layers[layer]))
    if changes or options:
        parameters = parameters.replace(changes, options)
    words = in_words(parameters, base, layers)
    if not (arguments.json or arguments.quiet):
        say(words)
    return parameters, words.split("\n")[0]


def in_words(
    parameters: ParameterSet, base: ParameterSet, materials: Mapping[str, object] | None = None
) -> str:
    """Name and temperature of a cell, what was changed in it, and what follows from that.

    Parameters
    ----------
    parameters, base : ParameterSet
        The cell, and the set that it was made from.
    materials : mapping, optional
        Solid electrolytes by the layer that they were put in.

    Returns
    -------
    str
        One line, and a second one if something follows.
    """

    def differs(name: str) -> bool:
        return name not in base or parameters[name] != base[name]

    heading = f"{base.name} at {parameters[TEMPERATURE] - 273.15:.6g} degC"
    if differs(TEMPERATURE):
        heading += f" (was {base[TEMPERATURE] - 273.15:.6g})"
    given = parameters.given
    changed = [n for n in given if n != TEMPERATURE and differs(n)]
    options, before = parameters.model_options, base.model_options
    parts = [f"{layer} layer of {name}" for layer, name in (materials or {}).items()]
    parts += [_change(n, parameters, base) for n in changed]
    parts += [f"{o} = {v} (was {before[o]})" for o, v in options.items() if v != before[o]]
    lines = [heading + (f", changed: {'; '.join(parts)}" if parts else "")]
    read = parameters.to_pybamm()
    moved = [n for n in parameters if n in read and n not in given and differs(n)]
    if moved:
        parts = [_change(n, parameters, base) for n in moved[:MAX_CONSEQUENCES]]
        more = len(moved) - len(parts)
        lines.append(f"  what follows: {'; '.join(parts)}" + (f"; {more} more" if more else ""))
    return "\n".join(lines)


def _change(name: str, parameters: ParameterSet, base: ParameterSet) -> str:
    was = f" (was {_number(base[name])})" if name in base else ""
    return f"{name} = {_number(parameters[name])}{was}"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def model(arguments: argparse.Namespace, parameters: ParameterSet) -> Any:
    """The model asked for, for the stack of a set."""
    from ssnib_model.models.names import MODELS

    return MODELS[arguments.model](parameters.model_options)


def choice(
    arguments: argparse.Namespace, parameters: ParameterSet, precision: str = "USUAL"
) -> Choice:
    """The solver for what was asked; a line says why it is a slower one.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command.
    parameters : ParameterSet
        The cell.
    precision : str, optional
        Name of the tolerances, in `ssnib_model.solvers.choice`.
    """
    from ssnib_model.models.names import MODELS
    from ssnib_model.solvers import choice as choices

    asked = choices.named(arguments.solver, getattr(choices, precision))
    last = MODELS[arguments.model.split("+")[-1]](parameters.model_options)
    found = choices.decide(asked, last, parameters.to_pybamm())
    if found.why and not (arguments.json or arguments.quiet):
        say(found.in_words())
    return found


# -------------------------------------------------------------------- completion in a shell
def complete(action: argparse.Action, names: Callable[..., list[str]]) -> None:
    """Let the shell complete an argument by names."""
    action.completer = names  # type: ignore[attr-defined]  # where argcomplete looks for it


def _sets(**_: Any) -> list[str]:
    from ssnib_model.cell.set_files import list_parameter_sets

    return list_parameter_sets()


def parameter_names(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Names of the set asked for."""
    try:
        return list(base_set(parsed_args))
    except SSNIBError:
        return []
