"""The best design: a result of a rate test at its largest, others kept within limits."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeResult, differential_evolution
from tqdm import tqdm

from ssnib_model.cell.bulk import bulk_of
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.runs.designs import (
    check_read,
    checked_range,
    is_wide,
    own_range,
    reason_of,
    whole,
)
from ssnib_model.runs.metrics import (
    CAPACITY,
    METRICS,
    OF_DESIGNS,
    REFERENCE_RATE,
    RETENTION,
    SPECIFIC_ENERGY,
    Metric,
)
from ssnib_model.runs.runner import Runner
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Designs of one generation for each parameter, and generations at most.
PER_PARAMETER, GENERATIONS = 12, 60

#: Of the largest value: how much less is as good, and by how much those of the last generation
#: differ at most.
AS_GOOD, SETTLED = 0.01, 1e-3

#: A design that breaks a condition is worse than any that does not, one without a result worst.
_BROKEN, _NONE = 1e6, 1e9

_CONDITION = re.compile(r"(?P<what>.+?)\s*(?P<sense>>=|<=)\s*(?P<value>\S+)")


@dataclass(frozen=True)
class Condition:
    """What a design must keep: a metric, or a value that follows from the design.

    Attributes
    ----------
    what : Metric or str
        A metric with its rate, or the name of a parameter.
    sense : str
        ">=" or "<=".
    value : float
        The limit.
    """

    what: Metric | str
    sense: str
    value: float

    def __str__(self) -> str:
        return f"{self.what} {self.sense} {self.value:g}"

    def broken_by(self, found: np.ndarray) -> np.ndarray:
        """How far values are beyond the limit, as a part of it; 0 where they keep it."""
        beyond = self.value - found if self.sense == ">=" else found - self.value
        return np.maximum(beyond, 0.0) / (abs(self.value) or 1.0)

    @classmethod
    def of(cls, text: Any, parameters: ParameterSet) -> Condition:
        """The condition that a text states, as in "capacity retention at 2 C >= 0.85"."""
        match = _CONDITION.fullmatch(text.strip()) if isinstance(text, str) else None
        try:
            value = float(match["value"]) if match else math.nan
        except ValueError:
            value = math.nan
        if match is None or not math.isfinite(value):
            raise OptionError(
                f"subject_to is {short(text)}: a condition is a metric with its rate, or a "
                'parameter, then >= or <= and a number, as in "capacity retention at 2 C >= 0.85"'
            )
        what = match["what"].strip()
        if what in parameters and not isinstance(parameters[what], float):
            raise OptionError(
                f'subject_to is {short(text)}: "{what}" is {parameters[what]}, and a number is '
                "needed"
            )
        return cls(what if what in parameters else _metric(what), match["sense"], value)


@dataclass(frozen=True)
class Optimum:
    """The answer to a question of design.

    Attributes
    ----------
    values : dict of str to float
        The best design: value by parameter; empty if no design keeps all conditions.
    parameters : ParameterSet or None
        The cell with them.
    metrics : dict of str to float
        What it reaches: each metric that was asked for, by its name and rate.
    as_good : dict of str to tuple of float
        Lowest and highest value of each parameter among the designs that were looked at, keep the
        conditions and come within 1 % of the best.
    table : pandas.DataFrame
        Every design that was looked at: its parameters, the metrics, "Allowed" and "Status".
    front : pandas.DataFrame
        Of two metrics to maximise: the designs of the table that keep all conditions and none of
        which is beaten in both, by the first metric. Of one metric: the best design.
    sentence : str
        The answer in words, with what stands in the way where a value is at the end of its range.
    """

    values: dict[str, float]
    parameters: ParameterSet | None
    metrics: dict[str, float]
    as_good: dict[str, tuple[float, float]]
    table: pd.DataFrame
    front: pd.DataFrame
    sentence: str
    maximised: list[str] = field(default_factory=list)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The designs that were looked at: two metrics against each other, or one against the
        parameter that was varied first."""
        from ssnib_model.runs.plots import designs

        return designs(self, ax)


def optimise(
    parameters: ParameterSet,
    vary: Mapping[str, tuple | None] | Iterable[str],
    maximise: str | Sequence[str],
    subject_to: str | Iterable[str] = (),
    *,
    model: str = "spm",
    solver: Solver = AUTO,
    points: int = 7,
    seed: int = 0,
    progress: bool = False,
) -> Optimum:
    """The design of a cell whose energy, or any result of a rate test, is largest.

    By differential evolution (Storn and Price, J. Glob. Optim. 11 (1997) 341), so that designs
    that cannot be run, jumps and several summits are no hindrance; a design that keeps the
    conditions is always better than one that does not (Deb, Comput. Methods Appl. Mech. Eng. 186
    (2000) 311). An anode that is too small, so that sodium would be plated or it would run empty,
    breaks a condition too. With two metrics, their weighted sums are maximised one after the
    other, each metric over its own best value, and the front is taken from all designs.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    vary : mapping of str to tuple, or iterable of str
        ``(low, high)`` or ``(low, high, "lin" or "log")`` by parameter; a name alone, or with
        None, varies over the range that the set gives it.
    maximise : str or sequence of two str
        A metric with its rate, as "specific energy at 0.2 C" or "capacity retention at 2 C":
        one of `METRICS`, "Specific energy [W.h.kg-1]" or "Energy density [W.h.L-1]" of a
        discharge, per mass or volume of anode, layers and cathode (`bulk_of`).
    subject_to : str or iterable of str, optional
        Conditions, as "capacity retention at 2 C >= 0.85" or "Positive electrode thickness [m]
        <= 1e-4".
    model : str, optional
        "spm" (default) or "dfn".
    solver : str, pybamm.BaseSolver or StructuredSolver, optional
        As for `RateTest.run`.
    points : int, optional
        Weights of two metrics, at least 2.
    seed : int, optional
        Of the random numbers; the same one gives the same answer.
    progress : bool, optional
        Whether to count the designs on stderr.

    Returns
    -------
    Optimum

    Warns
    -----
    ValidityWarning
        For what the rate test of the best design says of its validity.

    Raises
    ------
    OptionError
        For a parameter, range, metric or condition that is not allowed, or a set that does not
        say the mass or volume of its stack where they are asked for.

    Examples
    --------
    >>> import ssnib_model as ss
    >>> best = ss.optimise(
    ...     ss.ParameterSet("Hu2024"),
    ...     {"Na3PS4 layer thickness [m]": (30e-6, 300e-6)},
    ...     maximise="specific energy at 0.2 C",
    ... )
    >>> round(1e6 * best.values["Na3PS4 layer thickness [m]"])
    30
    """
    ranges = _ranges(parameters, vary)
    goals = [_metric(m) for m in ([maximise] if isinstance(maximise, str) else list(maximise))]
    if len(goals) not in (1, 2) or len(set(goals)) < len(goals):
        raise OptionError(
            f"maximise is {short(maximise)}: one metric, or two different ones, are needed"
        )
    given = [subject_to] if isinstance(subject_to, str) else list(subject_to)
    conditions = [Condition.of(text, parameters) for text in given]
    weights = whole(points, "points", 2)
    search = _Search(parameters, ranges, goals, conditions, model, solver)
    tries = [(1.0, 0.0)] if len(goals) == 1 else _weights(weights)
    bar = tqdm(desc="Designs", unit="design", disable=not progress)
    with bar, compilation_shown(progress):
        for weight in tries:
            search.run(weight, whole(seed, "seed", 0), bar)
    best = search.answer()
    if best.values:
        for note in search.runner.notes(dict(best.values)):
            warnings.warn(f"at the best design, {note}", ValidityWarning, stacklevel=2)
    return best


def _weights(points: int) -> list[tuple[float, float]]:
    """Of both metrics: each alone first, because the others are told by their best values."""
    inner = np.linspace(0.0, 1.0, points)[1:-1].tolist()
    return [(1.0, 0.0), (0.0, 1.0), *((1 - w, w) for w in inner)]


def _metric(text: Any) -> Metric:
    metric = Metric.of(text, among=OF_DESIGNS)
    if metric.rate is None:
        raise OptionError(f'metric is {short(text)}: it needs a rate, as in "{metric} at 0.2 C"')
    return metric


def _ranges(parameters: ParameterSet, vary: Any) -> dict[str, tuple[float, float, bool]]:
    """Both ends of each range, and whether it is one of orders of magnitude."""
    names = [vary] if isinstance(vary, str) else list(vary)
    if not names:
        raise OptionError("vary is empty: at least one parameter with its range is needed")
    given = vary if isinstance(vary, Mapping) else {}
    found = {}
    for name in map(str, names):
        quantity, ends = parameters.quantity(name), given.get(name)
        if ends is not None:
            low, high, scale = checked_range(name, ends)
            found[name] = low, high, scale == "log"
        elif own := own_range(parameters, name):
            low, high = own
            found[name] = low, high, is_wide(low, high)
        else:
            raise OptionError(f'"{name}" has no range in the set: say where to look, (low, high)')
        if not (quantity.low <= low < high <= quantity.high):
            raise OptionError(
                f'"{name}" has the range {low:g} to {high:g}: from {quantity.low:g} to '
                f"{quantity.high:g}, low < high, is allowed"
            )
        check_read(parameters, name, [low, high])
    return found


class _Search:
    """Designs, what they reach, and which is the best."""

    def __init__(
        self,
        parameters: ParameterSet,
        ranges: dict[str, tuple[float, float, bool]],
        goals: list[Metric],
        conditions: list[Condition],
        model: str,
        solver: Solver,
    ):
        if model not in MODELS:
            raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
        self.parameters, self.ranges, self.goals = parameters, ranges, goals
        self.conditions, self.model = conditions, model
        asked = [*goals, *(c.what for c in conditions if isinstance(c.what, Metric))]
        #: Every metric, once, in the order in which they were asked for.
        self.metrics = list(dict.fromkeys(asked))
        rates = {m.rate for m in self.metrics if m.rate is not None}
        if any(m.column == RETENTION for m in self.metrics):
            rates.add(REFERENCE_RATE)
        if any(m.column not in METRICS for m in self.metrics):
            bulk_of(parameters)  # a set that does not say enough is refused before any run
        self.test = RateTest(sorted(rates))
        lows = pd.DataFrame([{name: low for name, (low, *_) in ranges.items()}])
        self.runner = Runner(parameters, self.test, model, solver, lows)
        self.runner.choose()
        self.runner.prepare()
        self.found: list[dict[str, Any]] = []

    def run(self, weight: tuple[float, float], seed: int, bar: tqdm) -> None:
        """Look for the largest weighted sum of the metrics."""
        bests = [self._best_of(str(goal)) for goal in self.goals]
        scales = [abs(b[str(g)]) if b else 1.0 for b, g in zip(bests, self.goals, strict=True)]

        def objective(units: np.ndarray) -> np.ndarray:
            rows = self._look(np.atleast_2d(units.T))
            bar.update(len(rows))
            total = np.zeros(len(rows))
            for goal, share, scale in zip(self.goals, weight, scales, strict=False):
                values = np.array([row[str(goal)] for row in rows])
                total -= share * values / (scale or 1.0)
            broken = np.array([row["Broken"] for row in rows])
            total = np.where(broken > 0, _BROKEN + broken, total)
            return np.where(np.isfinite(total), total, _NONE)

        def stop(intermediate_result: OptimizeResult) -> None:
            # not where all break a condition alike
            costs = intermediate_result.population_energies
            if costs.max() < _BROKEN and np.ptp(costs) <= SETTLED * abs(costs.min()):
                raise StopIteration

        known = [b for b in bests if b is not None]
        start = known[-1] if known else self._own
        differential_evolution(
            objective,
            [(0.0, 1.0)] * len(self.ranges),
            popsize=PER_PARAMETER,
            maxiter=GENERATIONS,
            tol=0.0,
            callback=stop,
            rng=np.random.default_rng(seed),
            x0=None if start is None else self._unit(start),
            polish=False,
            vectorized=True,
            updating="deferred",
        )

    def _values(self, unit: np.ndarray) -> dict[str, float]:
        found = {}
        for u, (name, (low, high, is_log)) in zip(unit, self.ranges.items(), strict=True):
            found[name] = float(low * (high / low) ** u if is_log else low + (high - low) * u)
            found[name] = min(max(found[name], low), high)
        return found

    def _unit(self, row: Mapping[str, Any]) -> np.ndarray:
        found = []
        for name, (low, high, is_log) in self.ranges.items():
            value = min(max(row[name], low), high)
            if is_log:
                found.append(math.log(value / low) / math.log(high / low))
            else:
                found.append((value - low) / (high - low))
        return np.clip(found, 0.0, 1.0)

    def _look(self, units: np.ndarray) -> list[dict[str, Any]]:
        """The rows of some designs, which are added to those known."""
        rows = self._rows([dict(self._values(unit)) for unit in units])
        self.found += rows
        return rows

    def _rows(self, points: list[dict[str, float | str]]) -> list[dict[str, Any]]:
        """What some designs reach, a row each."""
        blocks = self.runner.many(points)
        table = pd.DataFrame([row for block in blocks for row in block])
        columns = {metric: self._read(metric, table) for metric in self.metrics}
        return [
            self._row(
                point,
                {metric: float(column[n]) for metric, column in columns.items()},
                [row["Status"] for row in block if row["Status"] != "ok"],
            )
            for n, (point, block) in enumerate(zip(points, blocks, strict=True))
        ]

    def _read(self, metric: Metric, table: pd.DataFrame) -> np.ndarray:
        """A metric of every run of a table; an energy [W.h] per kg of active material."""
        if metric.column in METRICS:
            return metric.values(table, self.test.rates)
        # no hold on discharge: its energy is its charge times its mean voltage
        capacity, voltage = (
            Metric(column, metric.rate).values(table, self.test.rates)
            for column in (CAPACITY, "Mean discharge voltage [V]")
        )
        return np.where(capacity == 0, 0.0, capacity * voltage)

    def _row(
        self, point: Mapping[str, Any], values: dict[Metric, float], said: list[str]
    ) -> dict[str, Any]:
        """What a design reaches, how far it breaks conditions, and what is said of it."""
        row: dict[str, Any] = dict(point)
        try:
            cell = self.parameters.replace(dict(point))
            row |= {str(metric): self._of(cell, metric, value) for metric, value in values.items()}
        except SSNIBError as error:
            nothing = dict.fromkeys(map(str, self.metrics), math.nan)
            return row | nothing | {"Broken": math.inf, "Status": f"failed: {reason_of(error)}"}
        broken = 0.0
        for condition in self.conditions:
            what = condition.what
            value = row[str(what)] if isinstance(what, Metric) else float(cell[what])
            by = float(condition.broken_by(np.array(value)))
            broken += by if math.isfinite(by) else math.inf
        if wrong := self.runner.anode_notes(cell):
            broken, said = broken + 1.0, wrong
        return row | {"Broken": broken, "Status": said[0] if said else "ok"}

    def _of(self, cell: ParameterSet, metric: Metric, value: float) -> float:
        """A metric; an energy per kg of active material as one of the stack."""
        if metric.column in METRICS:
            return value
        bulk, energy = bulk_of(cell), value * cell["Positive electrode active material mass [kg]"]
        return energy / (bulk.mass if metric.column == SPECIFIC_ENERGY else 1e3 * bulk.volume)

    @property
    def _own(self) -> dict[str, float | str] | None:
        """The design as the set has it; None where it has a function."""
        values = {name: self.parameters[name] for name in self.ranges}
        is_number = all(isinstance(value, float) for value in values.values())
        return values if is_number else None

    def _best_of(self, goal: str) -> dict[str, Any] | None:
        good = [r for r in self.found if r["Broken"] == 0 and math.isfinite(r[goal])]
        return max(good, key=lambda r: r[goal], default=None)

    def answer(self) -> Optimum:
        """The best of all designs that were looked at."""
        names = [str(m) for m in self.metrics]
        table = pd.DataFrame(self.found).drop_duplicates(ignore_index=True)
        table["Allowed"] = table["Broken"] == 0
        goals = [str(goal) for goal in self.goals]
        table = table[[*self.ranges, *names, "Allowed", "Broken", "Status"]]
        good = table[table["Allowed"] & table[goals].notna().all(axis=1)]
        front = _front(good, goals).drop(columns=["Broken", "Allowed"])
        best = self._best_of(goals[0])
        table = table.drop(columns="Broken")
        if best is None:
            return Optimum({}, None, {}, {}, table, front, self._none(), goals)
        near = good[good[goals[0]] >= best[goals[0]] - AS_GOOD * abs(best[goals[0]])]
        values = {name: float(best[name]) for name in self.ranges}
        as_good = {n: (float(near[n].min()), float(near[n].max())) for n in self.ranges}
        return Optimum(
            values,
            self.parameters.replace(values),
            {name: float(best[name]) for name in names},
            as_good,
            table,
            front,
            self._sentence(best, as_good),
            goals,
        )

    def _sentence(self, best: dict[str, Any], as_good: dict[str, tuple[float, float]]) -> str:
        goal = self.goals[0]
        parts = [f'"{n}" = {best[n]:.4g} ({a:.3g} to {b:.3g} are as good within 1 %)'
                 for n, (a, b) in as_good.items()]  # fmt: skip
        was = math.nan if self._own is None else self._rows([self._own])[0][str(goal)]
        told = f"{goal} is largest, {best[str(goal)]:.4g} {_unit_of(goal)}, at {'; '.join(parts)}"
        if math.isfinite(was):
            told += f"; as the set has it, it is {was:.4g}"
        for name, (low, high, _) in self.ranges.items():
            end = {low: "lowest", high: "highest"}.get(best[name])
            width = 1e-3 * (high - low)
            if end is None and min(best[name] - low, high - best[name]) < width:
                end = "lowest" if best[name] - low < width else "highest"
            if end:
                told += f'; "{name}" is at the {end} value that was allowed'
        return told + f" ({len(self.found)} designs, {self._model_in_words()})"

    def _none(self) -> str:
        broken = [r for r in self.found if math.isfinite(r["Broken"]) and r["Broken"] > 0]
        wanted = " and ".join(["has a result", *(f"keeps {c}" for c in self.conditions)])
        said = f"none of {len(self.found)} designs {wanted}"
        if not broken:
            return f"{said}; the first one says: {self.found[0]['Status']}"
        nearest = min(broken, key=lambda r: r["Broken"])
        at = ", ".join(f'"{n}" = {nearest[n]:.4g}' for n in self.ranges)
        got = ", ".join(f"{m} is {nearest[str(m)]:.4g}" for m in self.metrics)
        return f"{said}; the nearest, {at}: {got}"

    def _model_in_words(self) -> str:
        return {"spm": "reduced model", "dfn": "full model"}[self.model]


def _unit_of(metric: Metric) -> str:
    return metric.column.partition(" [")[2].rstrip("]")


def _front(table: pd.DataFrame, goals: list[str]) -> pd.DataFrame:
    """The designs that no other one beats in every goal, by the first one."""
    ordered = table.sort_values(goals, ascending=False, ignore_index=True)
    if len(goals) == 1:
        return ordered.head(1)
    # by the first goal downwards: a design stays if its second one is above all before
    second = ordered[goals[1]].to_numpy()
    before = np.concatenate([[-np.inf], np.maximum.accumulate(second)[:-1]])
    return ordered[second > before].reset_index(drop=True)
