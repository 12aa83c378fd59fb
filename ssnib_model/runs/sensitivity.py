"""Which parameter matters: locally, over its range, over all ranges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import NoDerivativesError, OptionError, SSNIBError, ValidityWarning
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.nearby import Side
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.runs.designs import (
    MAX_RUNS,
    check_read,
    checked_range,
    is_wide,
    own_range,
    reason_of,
    whole,
)
from ssnib_model.runs.metrics import METRICS, REFERENCE_RATE, RETENTION, Metric, check_metric
from ssnib_model.runs.sweep import sweep
from ssnib_model.solvers.choice import AUTO, FOR_DERIVATIVES, Solver, named
from ssnib_model.solvers.structured import StructuredSolver
from ssnib_model.words import short

#: From an array of points, shape (m, k), to values, shape (m,).
Evaluate = Callable[[np.ndarray], np.ndarray]

#: Share of the variance, or of the largest effect, that is no more than 0 if its error is less.
SMALL = 0.05

#: Step of a difference over the parameter's value; and of what exact derivatives are read at.
STEP, NEARBY = 2e-3, 1e-6


def _ranges(
    parameters: ParameterSet, names: str | Iterable[str] | Mapping[str, tuple]
) -> dict[str, tuple[float, float, bool]]:
    """Ends by name, as given or of the set (`own_range`), and whether in their logarithm."""
    found = {}
    for name in [names] if isinstance(names, str) else names:
        parameters.info(name)  # raises, and suggests a name
        if isinstance(names, Mapping):
            low, high, scale = checked_range(name, names[name])
            said = len(list(names[name])) == 3
            found[name] = (low, high, scale == "log" if said else is_wide(low, high))
            continue
        bounds = own_range(parameters, name)
        if bounds is None:
            raise OptionError(f'"{name}" has no range in {parameters.name}: give one')
        found[name] = (*bounds, is_wide(*bounds))
    if not found:
        raise OptionError("names is empty: at least one parameter is needed")
    return found


def sensitivity(
    parameters: ParameterSet,
    names: str | Iterable[str],
    run: RateTest,
    metric: str | None = None,
    rate: float | None = None,
    *,
    model: str = "spm",
    solver: Solver = AUTO,
) -> pd.DataFrame:
    """Local sensitivities of a rate test: relative change of a result over that of a parameter.

    Derivatives go through cut-offs and from half-cycle to half-cycle. They are exact where the
    structured solver gives them, elsewhere (IDAKLU, what changes an equilibrium potential) by
    central differences with one Richardson step. Where a parameter can go to one side only, as a
    fraction of 1, they are one-sided, of the same order, and the note says so.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    names : iterable of str
        Parameters, not 0.
    run : RateTest
        The test.
    metric : str, optional
        One result only, see `Metric`; default: all that the test gives.
    rate : float, optional
        One rate only.
    model : str, optional
        "spm" (default) or "dfn".
    solver : str, pybamm.BaseSolver or StructuredSolver, optional
        As for `RateTest.run`; where it is named, rtol is 1e-8.

    Returns
    -------
    pandas.DataFrame
        One row a parameter and rate, in the order of the test: "Parameter", "C-rate",
        ``d ln(result) / d ln(parameter)`` for each of `METRICS`, and "Note": a difference to one
        side, or why there is none.

    Raises
    ------
    OptionError
        For a name, value or setting that is not allowed.
    """
    names = [names] if isinstance(names, str) else list(names)
    if not names:
        raise OptionError("names is empty: at least one parameter is needed")
    for name in names:
        value = parameters[name]
        if not isinstance(value, float) or value == 0:
            raise OptionError(f'"{name}" is {value}: a relative sensitivity needs a number, not 0')
        check_read(parameters, name, [value])
    asked = None if metric is None else Metric.of(metric, rate)
    if asked is not None and asked.rate is not None:
        asked.check(run)
    wanted = METRICS if asked is None else (asked.column,)
    if REFERENCE_RATE not in run.rates:
        wanted = tuple(column for column in wanted if column != RETENTION)
        if not wanted:
            Metric(RETENTION, run.rates[-1]).check(run)  # raises, and says what is missing
    only = rate if asked is None else asked.rate
    if only is not None and only not in run.rates:
        raise OptionError(f"rate is {only!r}: it must be one of {run.rates}")
    tables = _Tables(parameters, names, run, wanted, model, solver)
    exact = tables.exact(parameters, names)
    found = [_Differences(tables, parameters, name, exact.get(name)).table() for name in names]
    table = pd.concat(found, ignore_index=True)
    return table if only is None else table[table["C-rate"] == only].reset_index(drop=True)


class _Tables:
    """Metrics by rate for changed parameters; the model is built once, to tight tolerance."""

    def __init__(
        self,
        parameters: ParameterSet,
        names: list[str],
        run: RateTest,
        columns: tuple[str, ...],
        model: str,
        solver: Solver,
    ):
        if model not in MODELS:
            raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
        self.run, self.columns = run, columns
        self._prepared = run.prepare(
            MODELS[model](parameters.model_options),
            parameters,
            varying=names,
            solver=named(solver, FOR_DERIVATIVES),
        )
        if note := self._prepared.choice.note:
            warnings.warn(note, ValidityWarning, stacklevel=4)
        self.base = self(parameters)

    def exact(self, parameters: ParameterSet, names: list[str]) -> dict[str, np.ndarray]:
        """Derivatives with the logarithm of parameters, where the solver gives them."""
        sides = {}
        for name in names:
            ahead, behind = (parameters[name] * (1 + k * NEARBY) for k in (1, -1))
            try:
                sides[name] = Side(
                    parameters.replace({name: ahead}), parameters.replace({name: behind}), 0.5
                )
            except SSNIBError:  # at the end of its range: differences say so
                continue
        if not sides:
            return {}
        try:
            _, nearby = self._prepared.results_nearby(parameters, sides.values())
        except NoDerivativesError:
            return {}
        columns = list(self.columns)
        return {
            name: (
                self._read(pair[0])[columns].to_numpy(dtype=float)
                - self._read(pair[1])[columns].to_numpy(dtype=float)
            )
            / (2 * NEARBY)
            for name, pair in zip(sides, nearby, strict=True)
            if pair is not None
        }

    def __call__(self, parameters: ParameterSet) -> pd.DataFrame:
        """One row a rate of the test: the metrics, and "Status"."""
        return self._read(self._prepared.result(parameters))

    def _read(self, result: RateTestResult) -> pd.DataFrame:
        table = result.table
        if RETENTION in self.columns:
            rates = self.run.rates
            retention = [Metric(RETENTION, rate).values(table, rates)[0] for rate in rates]
            table[RETENTION] = retention
        return table[[*self.columns, "Status"]]

    def nothing(self, reason: str) -> pd.DataFrame:
        """The table of a cell that cannot be."""
        table = self.base.copy()
        table[list(self.columns)] = np.nan
        return table.assign(Status=reason)


class _Differences:
    """Relative derivatives by one parameter: exact where the solver gives them, else central, or
    one-sided where one side has no value.

    Points are at the value times 1 + k `STEP`.
    """

    def __init__(
        self, tables: _Tables, parameters: ParameterSet, name: str, exact: np.ndarray | None
    ):
        self._tables, self._parameters, self._name = tables, parameters, name
        self._exact = exact
        self._known = {0: tables.base}

    def _at(self, k: int) -> pd.DataFrame:
        if k not in self._known:
            value = self._parameters[self._name] * (1 + k * STEP)
            try:
                changed = self._parameters.replace({self._name: value})
            except SSNIBError as error:
                self._known[k] = self._tables.nothing(reason_of(error))
            else:
                self._known[k] = self._tables(changed)
        return self._known[k]

    def _values(self, k: int) -> np.ndarray:
        return self._at(k)[list(self._tables.columns)].to_numpy(dtype=float)

    def _central(self) -> np.ndarray:
        near, far = ((self._values(k) - self._values(-k)) / (2 * k * STEP) for k in (1, 2))
        return (4 * near - far) / 3

    def _one_sided(self, side: int) -> np.ndarray:
        # parabolas through 0, k and 2k, whose errors are of second order in k
        f0, f1, f2, f4 = (self._values(side * k) for k in (0, 1, 2, 4))
        near, far = ((4 * b - 3 * f0 - c) / (2 * k) for k, b, c in ((1, f1, f2), (2, f2, f4)))
        return (4 * near - far) / (3 * side * STEP)

    def table(self) -> pd.DataFrame:
        """The rows of this parameter."""
        tables = self._tables
        found = self._central() if self._exact is None else self._exact
        notes = [""] * len(tables.base)
        upwards = 1 if self._parameters[self._name] > 0 else -1
        for side, where in ((-upwards, "below"), (upwards, "above")):
            lacking = ~np.isfinite(found) & np.isfinite(tables.base[list(tables.columns)])
            if lacking.to_numpy().any():
                new = self._one_sided(side)
                taken = lacking.to_numpy() & np.isfinite(new)
                found = np.where(taken, new, found)
                for row in np.flatnonzero(taken.any(axis=1)).tolist():
                    notes[row] = f"difference to the side {where} only: {self._why(row, -side)}"
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = found / tables.base[list(tables.columns)].to_numpy(dtype=float)
        for row, numbers in enumerate(relative):
            if not np.isfinite(numbers).all():
                status = tables.base["Status"][row]
                own = status if status != "ok" else ""
                why = own or self._why(row, 1) or self._why(row, -1) or "the result is 0 itself"
                notes[row] = f"no value: {why}"
        frame = pd.DataFrame(relative, columns=list(tables.columns))
        frame.insert(0, "Parameter", self._name)
        frame.insert(1, "C-rate", tables.run.rates)
        return frame.assign(Note=notes)

    def _why(self, row: int, side: int) -> str:
        """What a side that has no value says."""
        statuses = [self._at(side * k)["Status"][row] for k in (1, 2)]
        return next((s for s in statuses if s != "ok"), "")


def tornado(
    parameters: ParameterSet,
    names: str | Iterable[str] | Mapping[str, tuple],
    run: RateTest,
    metric: str,
    rate: float | None = None,
    *,
    model: str = "spm",
    solver: str | StructuredSolver | None = AUTO,
) -> pd.DataFrame:
    """One at a time: a result at both ends of the range of each parameter.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    names : iterable of str or mapping
        Parameters with a range in the set, which ends where the values that are allowed do, or
        ``{name: (low, high)}``.
    run : RateTest
        The test.
    metric : str
        One of `METRICS`, or as "polarization at 2 C".
    rate : float, optional
        C-rate at which it is read, if ``metric`` says none; the last time that the test has it.
    model, solver : optional
        As for `sweep`.

    Returns
    -------
    pandas.DataFrame
        One row a parameter, the widest first: "Parameter", "Low", "High" (its range), "At low",
        "At high" and "Base" (the result), and "Note": why one of them has no value.

    Raises
    ------
    OptionError
        For a name, range or metric that is not allowed.
    """
    asked = check_metric(metric, rate, run)
    rows = []
    for name, (low, high, _) in _ranges(parameters, names).items():
        base = parameters[name]
        if not isinstance(base, float):
            raise OptionError(f'"{name}" is {base}: only a number has a low and a high value')
        ends = {"At low": low, "At high": high, "Base": base}
        design = pd.DataFrame({name: list(ends.values())})
        table = sweep(parameters, design, run, model=model, solver=solver)
        found = dict(zip(ends, asked.values(table, run.rates), strict=True))
        statuses = zip(ends, asked.statuses(table, run.rates), strict=True)
        notes = [f"{where.lower()}: {s}" for where, s in statuses if np.isnan(found[where])]
        row = {"Parameter": name, "Low": low, "High": high, **found, "Note": "; ".join(notes)}
        rows.append(row)
    frame = pd.DataFrame(rows)
    width = (frame["At high"] - frame["At low"]).abs()
    return frame.loc[width.sort_values(ascending=False).index].reset_index(drop=True)


def _salib() -> Any:
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


def _problem(ranges: Mapping[str, tuple]) -> dict:
    return {
        "num_vars": len(ranges),
        "names": list(ranges),
        "bounds": [list(bounds) for bounds in ranges.values()],
    }


def _evaluated(evaluate: Evaluate, points: np.ndarray) -> np.ndarray:
    values = np.asarray(evaluate(points), dtype=float)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise SSNIBError(_without_value(bad, len(values)))
    return values


def _without_value(bad: int, of: int) -> str:
    return (
        f"{bad} of {of} points have no value: narrow the ranges, or ask for a result that always "
        "exists, such as the discharge capacity"
    )


def _too_few(name: str, index: str, value: float, error: float, smallest: float) -> str | None:
    """A sentence on an index that its error leaves open; none on one known to be small."""
    if error <= max(abs(value), smallest) and value >= -error:
        return None
    return f'{index} of "{name}" is {value:.2g} +- {error:.2g}'


def _warn_of(sentences: Iterable[str | None], n: int) -> None:
    found = [sentence for sentence in sentences if sentence]
    if found:
        warnings.warn(
            f"n = {n} is too few: {'; '.join(found)}; take a larger n",
            ValidityWarning,
            stacklevel=3,
        )


def morris(
    evaluate: Evaluate, ranges: Mapping[str, tuple[float, float]], n: int, seed: int = 0
) -> pd.DataFrame:
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

    Warns
    -----
    ValidityWarning
        If the 95 % confidence of an effect is as wide as the effect itself, unless both are
        below 5 % of the largest effect.
    """
    n, seed = whole(n, "n", 1), whole(seed, "seed", 0)
    salib, problem = _salib(), _problem(_checked(ranges))
    points = salib.sample.morris.sample(problem, n, seed=seed)
    values = _evaluated(evaluate, points)
    found = salib.analyze.morris.analyze(problem, points, values, seed=seed)
    columns = ("mu", "mu_star", "mu_star_conf", "sigma")
    table = pd.DataFrame({c: np.asarray(found[c], float) for c in columns}, index=list(ranges))
    small = SMALL * table["mu_star"].max()
    rows = table[["mu_star", "mu_star_conf"]].itertuples()
    _warn_of((_too_few(name, "mu_star", mu, error, small) for name, mu, error in rows), n)
    return table


def sobol(
    evaluate: Evaluate, ranges: Mapping[str, tuple[float, float]], n: int, seed: int = 0
) -> pd.DataFrame:
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

    Raises
    ------
    SSNIBError
        If points have no value, or all have the same.

    Warns
    -----
    ValidityWarning
        If the confidence of an index is as wide as the index itself, unless both are below 5 %
        of the variance, or an index is negative beyond it.
    """
    n, seed = whole(n, "n", 1), whole(seed, "seed", 0)
    salib, problem = _salib(), _problem(_checked(ranges))
    points = salib.sample.sobol.sample(problem, n, calc_second_order=False, seed=seed)
    values = _evaluated(evaluate, points)
    if np.ptp(values) == 0:
        raise SSNIBError(
            f"the result is {values[0]:.6g} at all {len(values)} points: there is no variance to "
            "share among the parameters"
        )
    found = salib.analyze.sobol.analyze(problem, values, calc_second_order=False, seed=seed)
    table = pd.DataFrame(
        {c: found[c] for c in ("S1", "S1_conf", "ST", "ST_conf")}, index=list(ranges)
    )
    sentences = (
        _too_few(str(name), index, row[index], row[f"{index}_conf"], SMALL)
        for name, row in table.iterrows()
        for index in ("S1", "ST")
    )
    _warn_of(sentences, n)
    return table


def _checked(ranges: Any) -> dict[str, tuple[float, float]]:
    """Ranges of which both ends are numbers; a scale has no meaning for any function."""
    if not isinstance(ranges, Mapping) or not ranges:
        raise OptionError(f"ranges is {short(ranges)}: at least one parameter is needed")
    found = {}
    for name, given in ranges.items():
        if len(given) != 2:
            raise OptionError(f'"{name}" has the range {short(given)}: it must be (low, high)')
        found[name] = checked_range(name, given)[:2]
    return found


def global_sensitivity(
    parameters: ParameterSet,
    names: str | Iterable[str] | Mapping[str, tuple],
    run: RateTest,
    metric: str,
    rate: float | None = None,
    *,
    method: str = "sobol",
    n: int = 64,
    seed: int = 0,
    model: str = "spm",
    **settings: Any,
) -> pd.DataFrame:
    """Sobol indices or elementary effects of one result over the ranges of several parameters.

    Parameters
    ----------
    parameters, names, run, metric, rate, model
        As for `tornado`. A range of more than a factor of 10 is sampled in its logarithm, unless
        a third element, "lin" or "log", says otherwise.
    method : str, optional
        "sobol" (default) or "morris".
    n, seed : int, optional
        As for `sobol` and `morris`.
    **settings
        As for `sweep`: ``solver``, ``out``, ``workers``, ``time_limit``, ``scheduler``,
        ``progress``.

    Returns
    -------
    pandas.DataFrame
        As from `sobol` or `morris`.

    Raises
    ------
    SSNIBError
        As for `sobol`, `tornado` and `sweep`.

    Warns
    -----
    ValidityWarning
        As for `sobol` and `morris`.
    """
    methods = {"sobol": sobol, "morris": morris}
    if method not in methods:
        raise OptionError(f"method is {method!r}: it must be one of {sorted(methods)}")
    asked = check_metric(metric, rate, run)
    ranges = _ranges(parameters, names)
    if whole(n, "n", 1) > MAX_RUNS // (len(ranges) + 2):
        raise OptionError(f"n is {n}: at least 1 and at most {MAX_RUNS} runs in all are allowed")
    scaled = {
        name: (math.log(low), math.log(high)) if log else (low, high)
        for name, (low, high, log) in ranges.items()
    }

    def evaluate(points: np.ndarray) -> np.ndarray:
        design = pd.DataFrame(points, columns=list(ranges))
        for name, (low, high, log) in ranges.items():
            # the logarithm must not lead beyond the ends
            design[name] = (np.exp(design[name]) if log else design[name]).clip(low, high)
        table = sweep(parameters, design, run, model=model, **settings)
        values = asked.values(table, run.rates)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            status = asked.statuses(table, run.rates)[bad[0]]
            raise SSNIBError(f"{_without_value(len(bad), len(values))} (the first: {status})")
        return values

    return methods[method](evaluate, scaled, n, seed)
