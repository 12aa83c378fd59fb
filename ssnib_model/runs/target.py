"""What value of a parameter is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pybamm
from scipy.optimize import brentq

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.solvers.structured import StructuredSolver


@dataclass(frozen=True)
class Target:
    """Answer to an inverse question.

    Attributes
    ----------
    value : float or None
        The parameter's value, None if none in its range reaches the target.
    sentence : str
        The answer in words, with what limits where no value reaches it.
    """

    value: float | None
    sentence: str


def target(
    parameters: ParameterSet,
    metric: str,
    value: float,
    vary: str,
    *,
    low: float | None = None,
    high: float | None = None,
    model: str = "spm",
    solver: pybamm.BaseSolver | StructuredSolver | None = None,
) -> Target:
    """The value of a parameter at which a result of a rate test reaches a target.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    metric : str
        "capacity retention at R C" (discharge capacity over that at 0.1 C), "discharge capacity
        at R C" [mAh/g] or "polarization at R C" [V].
    value : float
        The target.
    vary : str
        The parameter.
    low, high : float, optional
        Where to look; default a factor of 1000 to either side, within what is allowed.
    model : str, optional
        "spm" (default) or "dfn".
    solver : pybamm.BaseSolver or StructuredSolver, optional
        As for `RateTest.run`.

    Returns
    -------
    Target

    Raises
    ------
    OptionError
        For a metric or range that is not allowed.
    """
    match = re.fullmatch(
        r"(capacity retention|discharge capacity|polarization) at (\d+\.?\d*|\.\d+) ?C",
        metric.strip(),
    )
    if not match:
        raise OptionError(
            f'metric is "{metric}": it must be "capacity retention at R C", "discharge capacity '
            'at R C" or "polarization at R C" with R a C-rate'
        )
    kind, rate = match[1], float(match[2])
    run = RateTest([0.1, rate] if kind == "capacity retention" else [rate])
    start = parameters[vary]
    if not isinstance(start, float) or not start > 0:
        raise OptionError(f'"{vary}" is {start}: it must be a positive number')
    quantity = parameters.quantity(vary)
    low = max(start / 1e3, quantity.low) if low is None else low
    high = min(start * 1e3, quantity.high) if high is None else high
    if not 0 < low < high:
        raise OptionError(f"low is {low} and high is {high}: 0 < low < high is needed")

    def excess(log_value: float) -> float:
        changed = parameters.replace({vary: math.exp(log_value)})
        result = run.run(MODELS[model](changed.model_options), changed, solver=solver)
        row = result.table.iloc[-1]
        if kind == "polarization":
            gap = row["Polarization [V]"]
            window = changed["Upper voltage cut-off [V]"] - changed["Lower voltage cut-off [V]"]
            return (gap if np.isfinite(gap) else window) - value
        reached = row["Discharge capacity [mA.h.g-1]"]
        if kind == "capacity retention":
            reached /= max(result.table.iloc[0]["Discharge capacity [mA.h.g-1]"], 1e-9)
        return reached - value

    ends = [(at, excess(at)) for at in (math.log(low), math.log(high))]
    if ends[0][1] * ends[1][1] <= 0:
        found = math.exp(brentq(excess, ends[0][0], ends[1][0], xtol=1e-5))
        return Target(found, f'{metric} is {value:g} at "{vary}" = {found:.4g}')
    nearest, miss = min(ends, key=lambda end: abs(end[1]))
    sentence = (
        f'no value of "{vary}" from {low:.4g} to {high:.4g} gives {metric} = {value:g}: the '
        f"nearest is {value + miss:.4g} at {math.exp(nearest):.4g}"
    )
    changed = parameters.replace({vary: math.exp(nearest)})
    result = run.run(MODELS[model](changed.model_options), changed)
    if result.half_cycles[-1].solution is not None:
        losses = result.breakdown(rate).abs().sort_values(ascending=False)
        sentence += f"; the largest loss there is {losses.index[0]}, {1e3 * losses.iloc[0]:.0f} mV"
    return Target(None, sentence)


def contour(
    parameters: ParameterSet,
    metric: str,
    value: float,
    vary: str,
    against: str,
    values: Iterable[float],
    **settings,
) -> pd.DataFrame:
    """Pairs of two parameters at which a result reaches a target.

    Parameters
    ----------
    parameters, metric, value, vary
        As for `target`.
    against : str
        The second parameter.
    values : iterable of float
        Its values.
    **settings
        ``low``, ``high``, ``model`` and ``solver`` as for `target`.

    Returns
    -------
    pandas.DataFrame
        One row a value: the second parameter, the first one (NaN if none reaches the target)
        and "Answer" in words.
    """
    rows = []
    for other in values:
        changed = parameters.replace({against: other})
        answer = target(changed, metric, value, vary, **settings)
        found = math.nan if answer.value is None else answer.value
        rows.append({against: float(other), vary: found, "Answer": answer.sentence})
    return pd.DataFrame(rows)
