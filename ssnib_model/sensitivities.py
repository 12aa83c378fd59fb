"""Which parameter matters: locally, over its range, over all ranges; and what value is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pybamm
from scipy.optimize import brentq

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.solvers.idaklu import half_cycle_solver
from ssnib_model.solvers.structured import StructuredSolver
from ssnib_model.sweeps import MAX_RUNS, own_range, sweep

#: Results of a rate test that a sensitivity can be asked of.
METRICS = (
    "Discharge capacity [mA.h.g-1]",
    "Charge capacity [mA.h.g-1]",
    "Polarization [V]",
    "Mean discharge voltage [V]",
    "Energy efficiency",
)

STEP = 2e-3


def _ranges(parameters: ParameterSet, names) -> dict[str, tuple[float, float]]:
    """Ranges by name: as given, or those of uncertainty in the set (2 sd where it has an sd)."""
    if isinstance(names, Mapping):
        return {name: (float(low), float(high)) for name, (low, high, *_) in names.items()}
    found = {}
    for name in [names] if isinstance(names, str) else names:
        bounds = own_range(parameters.info(name))
        if bounds is None:
            raise OptionError(f'"{name}" has no range in {parameters.name}: give one')
        found[name] = bounds
    return found


def sensitivity(
    parameters: ParameterSet,
    names: Iterable[str],
    run: RateTest,
    *,
    model: str = "spm",
    solver: pybamm.BaseSolver | StructuredSolver | None = None,
) -> pd.DataFrame:
    """Local sensitivities of a rate test: relative change of a result over that of a parameter.

    Derivatives are by central differences with one Richardson step, through cut-offs and from
    half-cycle to half-cycle.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    names : iterable of str
        Parameters, not 0.
    run : RateTest
        The test.
    model : str, optional
        "spm" (default) or "dfn".
    solver : pybamm.BaseSolver or StructuredSolver, optional
        Default: IDAKLU with rtol = atol = 1e-8.

    Returns
    -------
    pandas.DataFrame
        One row a parameter and rate: "Parameter", "C-rate", and ``d ln(result) / d ln(parameter)``
        for each of `METRICS`.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        value = parameters[name]
        if not isinstance(value, float) or value == 0:
            raise OptionError(f'"{name}" is {value}: a relative sensitivity needs a number, not 0')
    tables = _Tables(parameters, names, run, model, solver)
    base = tables(parameters)
    rows = []
    for name in names:
        value, sides = parameters[name], []
        for step in (2 * STEP, STEP):
            up, down = (tables(parameters.replace({name: value * (1 + s)})) for s in (step, -step))
            sides.append((up - down) / (2 * step) / base)
        derivative = (4 * sides[1] - sides[0]) / 3
        for rate, row in derivative.iterrows():
            rows.append({"Parameter": name, "C-rate": rate, **row})
    return pd.DataFrame(rows)


class _Tables:
    """Metrics by rate for changed parameters; the model is built once, to tight tolerance."""

    def __init__(self, parameters, names, run: RateTest, model: str, solver):
        if model not in MODELS:
            raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
        values = parameters.to_pybamm()
        moved = [parameters.replace({n: parameters[n] * 1.001}) for n in names]
        varying = {n for side in moved for n in side if n in values and side[n] != parameters[n]}
        solver = solver or half_cycle_solver(1e-8, 1e-8)
        self.run, self.model = run, model
        self._prepared = run.prepare(
            MODELS[model](parameters.model_options), parameters, varying=varying, solver=solver
        )

    def __call__(self, parameters: ParameterSet) -> pd.DataFrame:
        half_cycles = self._prepared.half_cycles(parameters)
        table = RateTestResult(self.run, parameters, half_cycles, self.model).table
        return table.set_index("C-rate")[list(METRICS)]


def tornado(
    parameters: ParameterSet,
    names,
    run: RateTest,
    metric: str,
    rate: float,
    *,
    model: str = "spm",
    solver: StructuredSolver | None = None,
) -> pd.DataFrame:
    """One at a time: a result at both ends of the range of each parameter.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    names : iterable of str or mapping
        Parameters with a range in the set, or ``{name: (low, high)}``.
    run : RateTest
        The test.
    metric : str
        One of `METRICS`.
    rate : float
        C-rate at which it is read.
    model, solver : optional
        As for `sweep`.

    Returns
    -------
    pandas.DataFrame
        One row a parameter, the widest first: "Parameter", "Low", "High" (its range), "At low",
        "At high" and "Base" (the result).
    """
    check_metric(metric, rate, run)
    ranges = _ranges(parameters, names)
    rows = []
    for name, (low, high) in ranges.items():
        design = pd.DataFrame({name: [low, high, parameters[name]]})
        table = sweep(parameters, design, run, model=model, solver=solver)
        at = table[table["C-rate"] == rate][metric].tolist()
        rows.append(dict(zip(("Parameter", "Low", "High", "At low", "At high", "Base"),
                             (name, low, high, *at), strict=True)))  # fmt: skip
    frame = pd.DataFrame(rows)
    width = (frame["At high"] - frame["At low"]).abs()
    return frame.loc[width.sort_values(ascending=False).index].reset_index(drop=True)


def check_metric(metric: str, rate: float, run: RateTest) -> None:
    """`OptionError` if the metric is none of `METRICS`, or the test has not this rate."""
    if metric not in METRICS or rate not in run.rates:
        raise OptionError(
            f"metric is {metric!r} at {rate!r} C: the metric must be one of {METRICS} and the "
            f"rate one of {run.rates}"
        )


def _salib():
    try:
        import SALib.analyze.morris
        import SALib.analyze.sobol
        import SALib.sample.morris
        import SALib.sample.sobol
    except ImportError as error:
        raise SSNIBError(
            "global sensitivity needs SALib: pip install 'ssnib_model[sensitivity]'"
        ) from error
    return SALib


def _problem(ranges: Mapping[str, tuple[float, float]]) -> dict:
    return {
        "num_vars": len(ranges),
        "names": list(ranges),
        "bounds": [list(bounds) for bounds in ranges.values()],
    }


def _evaluated(evaluate, points: np.ndarray) -> np.ndarray:
    values = np.asarray(evaluate(points), dtype=float)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise SSNIBError(
            f"{bad} of {len(values)} points have no value: narrow the ranges, or ask for a result "
            "that always exists, such as the discharge capacity"
        )
    return values


def morris(evaluate, ranges: Mapping[str, tuple[float, float]], n: int, seed: int = 0):
    """Elementary effects of any function, by SALib (extra ``[sensitivity]``).

    Campolongo et al. 2007, doi 10.1016/j.envsoft.2006.10.004.

    Parameters
    ----------
    evaluate, ranges, seed
        As for `sobol`.
    n : int
        Number of trajectories; ``n (k + 1)`` points are evaluated.

    Returns
    -------
    pandas.DataFrame
        By name: "mu", "mu_star", "mu_star_conf" and "sigma", over the whole range of each.
    """
    salib, problem = _salib(), _problem(ranges)
    points = salib.sample.morris.sample(problem, n, seed=seed)
    values = _evaluated(evaluate, points)
    found = salib.analyze.morris.analyze(problem, points, values, seed=seed)
    columns = ("mu", "mu_star", "mu_star_conf", "sigma")
    return pd.DataFrame({c: np.asarray(found[c], float) for c in columns}, index=list(ranges))


def sobol(evaluate, ranges: Mapping[str, tuple[float, float]], n: int, seed: int = 0):
    """First and total order indices of any function, by SALib (extra ``[sensitivity]``).

    Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018.

    Parameters
    ----------
    evaluate : callable
        From an array of points, shape (m, k), to values, shape (m,).
    ranges : mapping
        ``(low, high)`` by name, in the order of the columns.
    n : int
        Size of the base sample, best a power of 2; ``n (k + 2)`` points are evaluated.
    seed : int, optional
        Of the sample.

    Returns
    -------
    pandas.DataFrame
        By name: "S1", "ST" and their 95 % confidence "S1_conf", "ST_conf".
    """
    salib, problem = _salib(), _problem(ranges)
    points = salib.sample.sobol.sample(problem, n, calc_second_order=False, seed=seed)
    values = _evaluated(evaluate, points)
    found = salib.analyze.sobol.analyze(problem, values, calc_second_order=False, seed=seed)
    columns = ("S1", "S1_conf", "ST", "ST_conf")
    return pd.DataFrame({c: found[c] for c in columns}, index=list(ranges))


def global_sensitivity(
    parameters: ParameterSet,
    names,
    run: RateTest,
    metric: str,
    rate: float,
    *,
    method: str = "sobol",
    n: int = 64,
    seed: int = 0,
    model: str = "spm",
    **settings,
) -> pd.DataFrame:
    """Sobol indices or elementary effects of one result over the ranges of several parameters.

    Parameters
    ----------
    parameters, names, run, metric, rate, model
        As for `tornado`. A range of more than a factor of 10 is sampled in its logarithm.
    method : str, optional
        "sobol" (default) or "morris".
    n, seed : int, optional
        As for `sobol` and `morris`.
    **settings
        As for `sweep`: ``solver``, ``out``, ``workers``, ``time_limit``, ``progress``.

    Returns
    -------
    pandas.DataFrame
        As from `sobol` or `morris`.
    """
    methods = {"sobol": sobol, "morris": morris}
    if method not in methods:
        raise OptionError(f"method is {method!r}: it must be one of {sorted(methods)}")
    check_metric(metric, rate, run)
    ranges = _ranges(parameters, names)
    if not 1 <= n <= MAX_RUNS // (len(ranges) + 2):
        raise OptionError(f"n is {n}: at least 1 and at most {MAX_RUNS} runs in all are allowed")
    logs = {name: low > 0 and high > 10 * low for name, (low, high) in ranges.items()}
    scaled = {
        name: tuple(math.log(b) for b in bounds) if logs[name] else bounds
        for name, bounds in ranges.items()
    }

    def evaluate(points):
        design = pd.DataFrame(points, columns=list(ranges))
        for name in design:
            design[name] = np.exp(design[name]) if logs[name] else design[name]
        table = sweep(parameters, design, run, model=model, **settings)
        return table[table["C-rate"] == rate][metric].to_numpy()

    return methods[method](evaluate, scaled, n, seed)


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
