"""Designs: which values of which parameters are run, and all that they change."""

from __future__ import annotations

import itertools
import math
import numbers
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from ssnib_model.cell.electrolytes import solid_electrolytes, swap_layer
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.words import short, suggestion

#: A column of a design that ends so names the solid electrolyte of a layer.
MATERIAL = " layer material"

#: Runs of one design.
MAX_RUNS = 2_000_000

#: The words after the two ends of a range.
SCALES = ("lin", "log")


def grid(axes: Mapping[str, object]) -> pd.DataFrame:
    """Every combination of the values of each parameter.

    Parameters
    ----------
    axes : mapping of str to array_like
        Values by parameter name; by "<layer> layer material", names of solid electrolytes.

    Returns
    -------
    pandas.DataFrame
        One row a run, one column a parameter; the last parameter varies fastest.

    Raises
    ------
    OptionError
        For an axis without values, or a value that is neither a finite number nor a name.
    """
    given: Any = axes
    if not isinstance(given, Mapping) or not given:
        raise OptionError(
            f"axes is {short(axes)}: a grid needs at least one parameter with at least one value, "
            "{name: values}"
        )
    values = {name: _axis(name, axis) for name, axis in axes.items()}
    check_size(math.prod(map(len, values.values())))
    return pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))


def _axis(name: str, given: Any) -> list[float | str]:
    """The values of one parameter of a grid."""
    alone = isinstance(given, str) or not isinstance(given, Iterable)
    values = [given] if alone else list(given)
    if not values:
        raise OptionError(f'"{name}" has no values: a grid needs at least one of each parameter')
    for value in values:
        if not isinstance(value, str) and not is_number(value):
            raise OptionError(
                f'"{name}" has the value {short(value)}: a number, or the name of a solid '
                "electrolyte, is needed"
            )
    return [plain(value) for value in values]


def sample(
    ranges: Mapping[str, tuple], n: int, method: str = "sobol", seed: int = 0
) -> pd.DataFrame:
    """Points that fill the ranges of several parameters.

    Parameters
    ----------
    ranges : mapping of str to tuple
        ``(low, high)``, ``(low, high, "lin")`` or ``(low, high, "log")`` by parameter name.
    n : int
        Number of points; for "sobol" best a power of 2.
    method : str, optional
        "sobol" (default) or "lhs" (Latin hypercube).
    seed : int, optional
        Of the random numbers.

    Returns
    -------
    pandas.DataFrame
        As from `grid`.

    Raises
    ------
    OptionError
        For a range, number, method or seed that cannot be used.
    """
    samplers = {"sobol": qmc.Sobol, "lhs": qmc.LatinHypercube}
    if method not in samplers:
        raise OptionError(f"method is {method!r}: the method is one of {sorted(samplers)}")
    asked: Any = ranges
    if not isinstance(asked, Mapping) or not asked:
        raise OptionError(f"ranges is {short(ranges)}: at least one parameter is needed")
    checked = {name: checked_range(name, ends) for name, ends in ranges.items()}
    n, seed = whole(n, "n", 1), whole(seed, "seed", 0)
    check_size(n)
    sampler = samplers[method](len(checked), seed=seed)
    # the first n of a power of 2 are the same points, and scipy has nothing to warn of
    powers = (n - 1).bit_length()
    unit = sampler.random_base2(powers)[:n] if method == "sobol" else sampler.random(n)
    columns = {}
    for (name, (low, high, scale)), u in zip(checked.items(), unit.T, strict=True):
        log = scale == "log"
        a, b = (math.log(low), math.log(high)) if log else (low, high)
        columns[name] = np.clip(np.exp(a + u * (b - a)) if log else a + u * (b - a), low, high)
    return pd.DataFrame(columns)


def checked_range(name: str, given: Any) -> tuple[float, float, str]:
    """Both ends and the scale of a range, "lin" where it names none.

    Raises
    ------
    OptionError
        If it is not ``(low, high)`` or ``(low, high, "lin" or "log")`` with low < high.
    """
    parts = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else []
    ends, scale = parts[:2], parts[2:] or ["lin"]
    known = len(scale) == 1 and isinstance(scale[0], str) and scale[0] in SCALES
    finite = all(is_number(end) and math.isfinite(end) for end in ends)
    if len(ends) != 2 or not finite or not known:
        raise OptionError(
            f'"{name}" has the range {short(given)}: it must be (low, high), '
            '(low, high, "lin") or (low, high, "log") with finite numbers'
        )
    low, high = map(float, ends)
    if not low < high:
        raise OptionError(f'"{name}" has the range {low:g} to {high:g}: low < high is needed')
    if scale == ["log"] and low <= 0:
        raise OptionError(f'"{name}" has the range {low:g} to {high:g}: a logarithm needs > 0')
    return low, high, scale[0]


def check_size(n: int) -> None:
    """`OptionError` if a design of ``n`` runs is too large."""
    if n > MAX_RUNS:
        raise OptionError(f"the design has {n} runs: at most {MAX_RUNS} are allowed")


def whole(value: Any, name: str, low: int) -> int:
    """A whole number of at least ``low``, or `OptionError` with its name."""
    number = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    if not number or value < low:
        raise OptionError(f"{name} is {short(value)}: it must be a whole number, at least {low}")
    return int(value)


def own_range(parameters: ParameterSet, name: str) -> tuple[float, float] | None:
    """Two standard deviations to either side, or the range of a parameter; None without either.

    It ends where the values that are allowed do. The standard deviation of a value that may be
    anywhere in orders of magnitude is that of its logarithm.
    """
    info, quantity = parameters.info(name), parameters.quantity(name)
    uncertainty = info.uncertainty or {}
    if "sd" in uncertainty and is_wide(*uncertainty.get("range", (0.0, 0.0))):
        factor = math.exp(2 * uncertainty["sd"] / info.value)
        low, high = info.value / factor, info.value * factor
    elif "sd" in uncertainty:
        low, high = info.value - 2 * uncertainty["sd"], info.value + 2 * uncertainty["sd"]
    elif uncertainty.get("range"):
        low, high = uncertainty["range"]
    else:
        return None
    return max(low, quantity.low), min(high, quantity.high)


def own_ranges(parameters: ParameterSet) -> dict[str, tuple]:
    """The ranges of every uncertain parameter that a rate test of a set reads, for `sample`.

    A range of more than a factor of 10 is taken in its logarithm.
    """
    found: dict[str, tuple] = {}
    for name in parameters.given:
        low, high = own_range(parameters, name) or (0.0, 0.0)
        if low < high and _is_read(parameters, name, (low, high)):
            found[name] = (low, high, "log") if is_wide(low, high) else (low, high)
    return found


def is_wide(low: float, high: float) -> bool:
    """Whether a range is one of orders of magnitude."""
    return low > 0 and high > 10 * low


# -------------------------------------------------------------------- a design on a cell
def check_design(parameters: ParameterSet, design: pd.DataFrame) -> None:
    """`OptionError` unless it has known names, materials by name and all others by number.

    Warns of each material that its layer's neighbours do not stand (`swap_layer`).
    """
    if not isinstance(design, pd.DataFrame):
        raise OptionError(
            f"design is a {type(design).__name__}: a table is needed, as from grid or sample"
        )
    if design.empty or not len(design.columns):
        raise OptionError("the design is empty: at least one run of one parameter is needed")
    if not design.columns.is_unique:
        raise OptionError(
            f"the columns of the design are {list(design.columns)}: they must differ"
        )
    check_size(len(design))
    for heading, column in design.items():
        name = str(heading)
        material = name.endswith(MATERIAL)
        if material:
            _check_layer(parameters, name)
        elif heading not in parameters:
            parameters.info(name)  # raises, and suggests a name
        good = [isinstance(v, str) if material else is_number(v) for v in column]
        if not all(good):
            row = good.index(False)
            raise OptionError(
                f'the design has {short(column.iloc[row])} as "{name}" of run {row}: '
                f"{'the name of a solid electrolyte' if material else 'a number'} is needed"
            )
        if not material:
            check_read(parameters, name, column.unique())
            continue
        for known in column.unique():
            if known in solid_electrolytes():
                swap_layer(parameters, name.removesuffix(MATERIAL), known)


def _check_layer(parameters: ParameterSet, column: str) -> None:
    layers = parameters.model_options["electrolyte layers"]
    if column.removesuffix(MATERIAL) not in layers:
        known = [layer + MATERIAL for layer in layers]
        raise OptionError(
            f'the design has "{column}", which is no layer of the cell: its layers are {layers}'
            f"{suggestion(column, known)}"
        )


def check_read(parameters: ParameterSet, name: str, values: Iterable[float]) -> None:
    """`OptionError` if a rate test of this cell does not read a parameter, and why not.

    It is asked of the first of ``values`` that the set allows, of which some are enough.
    """
    for value in itertools.islice(values, 100):
        try:
            changed = parameters.replace({name: value})
        except SSNIBError:
            continue  # the run says so
        unread = changed.unread("rate test")
        if name in unread:
            raise OptionError(unread[name])
        return


def _is_read(parameters: ParameterSet, name: str, values: Iterable[float]) -> bool:
    """Whether `check_read` passes."""
    try:
        check_read(parameters, name, values)
    except OptionError:
        return False
    return True


def with_materials(parameters: ParameterSet, point: Mapping[str, float | str]) -> ParameterSet:
    """The cell with the materials of a point, whose warnings `check_design` has given."""
    for name, value in point.items():
        if name.endswith(MATERIAL):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ValidityWarning)
                parameters = swap_layer(parameters, name.removesuffix(MATERIAL), str(value))
    return parameters


# -------------------------------------------------------------------- numbers
def is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold, infinity included."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        return False
    try:
        return not math.isnan(float(value))
    except OverflowError:
        return False


def plain(value: Any) -> float | str:
    """A number or a name, as JSON and a database keep it."""
    return str(value) if isinstance(value, str) else float(value)


def reason_of(error: SSNIBError) -> str:
    """The first sentence of an error."""
    return str(error).splitlines()[0]
