"""Designs: which values of which parameters are run."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import qmc

from ssnib_model.errors import OptionError
from ssnib_model.parameters import ParameterInfo, ParameterSet, short

#: A column of a design that ends so names the solid electrolyte of a layer.
MATERIAL = " layer material"

#: Runs of one design.
MAX_RUNS = 2_000_000


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
    """
    values = {name: [plain(x) for x in np.atleast_1d(v)] for name, v in axes.items()}
    if not values or not all(values.values()):
        raise OptionError("a grid needs at least one parameter with at least one value")
    check_size(math.prod(map(len, values.values())))
    return pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))


def sample(
    ranges: Mapping[str, tuple], n: int, method: str = "sobol", seed: int = 0
) -> pd.DataFrame:
    """Points that fill the ranges of several parameters.

    Parameters
    ----------
    ranges : mapping of str to tuple
        ``(low, high)`` or ``(low, high, "log")`` by parameter name.
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
    """
    samplers = {"sobol": qmc.Sobol, "lhs": qmc.LatinHypercube}
    if method not in samplers or n < 1 or not ranges:
        raise OptionError(
            f"method is {method!r} and n is {n}: the method is one of {sorted(samplers)}, and at "
            "least one point and one parameter are needed"
        )
    check_size(n)
    unit = samplers[method](len(ranges), seed=seed).random(n)
    columns = {}
    for (name, (low, high, *log)), u in zip(ranges.items(), unit.T, strict=True):
        if log and low <= 0:
            raise OptionError(f'"{name}" has the range {low} to {high}: a logarithm needs > 0')
        a, b = (math.log(low), math.log(high)) if log else (low, high)
        columns[name] = np.exp(a + u * (b - a)) if log else a + u * (b - a)
    return pd.DataFrame(columns)


def check_size(n: int) -> None:
    if n > MAX_RUNS:
        raise OptionError(f"the design has {n} runs: at most {MAX_RUNS} are allowed")


def own_range(info: ParameterInfo) -> tuple[float, float] | None:
    """Two standard deviations to either side, or the range of a parameter; None without either."""
    uncertainty = info.uncertainty or {}
    if "sd" in uncertainty:
        return info.value - 2 * uncertainty["sd"], info.value + 2 * uncertainty["sd"]
    return uncertainty.get("range")


def own_ranges(parameters: ParameterSet) -> dict[str, tuple]:
    """The ranges of every uncertain parameter of a set, ready for `sample`.

    A range of more than a factor of 10 is taken in its logarithm.
    """
    found = {}
    for name, info in parameters.given.items():
        low, high = own_range(info) or (0.0, 0.0)
        if low < high:
            found[name] = (low, high, "log") if low > 0 and high > 10 * low else (low, high)
    return found


def check_design(parameters: ParameterSet, design: pd.DataFrame) -> None:
    """Only known names, with materials by name and all others by number."""
    if design.empty or not len(design.columns):
        raise OptionError("the design is empty: at least one run of one parameter is needed")
    if not design.columns.is_unique:
        raise OptionError(
            f"the columns of the design are {list(design.columns)}: they must differ"
        )
    check_size(len(design))
    for name, column in design.items():
        material = isinstance(name, str) and name.endswith(MATERIAL)
        if name not in parameters and not material:
            parameters.info(str(name))  # raises, and suggests a name
        good = [isinstance(v, str) if material else _is_number(v) for v in column]
        if not all(good):
            row = good.index(False)
            raise OptionError(
                f'the design has {short(column.iloc[row])} as "{name}" of run {row}: '
                f"{'the name of a solid electrolyte' if material else 'a number'} is needed"
            )


def _is_number(value) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    return real and not math.isnan(value)


def plain(value):
    """A number or a name, as JSON and a database keep it."""
    return str(value) if isinstance(value, str) else float(value)
