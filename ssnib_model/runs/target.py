"""What value of a parameter is needed."""

from __future__ import annotations

import itertools
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.quantity import unit_of
from ssnib_model.runs.designs import check_read, is_number, is_wide, reason_of
from ssnib_model.runs.metrics import REFERENCE_RATE, RETENTION, Metric, check_metric
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.words import short

#: Values of the parameter that are looked at before any crossing is refined.
POINTS = 33
#: Orders of magnitude that are looked at below the upper end of a range from 0.
DECADES_FROM_ZERO = 6
#: Difference from the target, over the target, that the solvers' tolerances leave open.
EQUAL = 1e-5
#: Halvings of an interval at one end of which there is no result.
HALVINGS = 12


@dataclass(frozen=True)
class Target:
    """Answer to an inverse question.

    Attributes
    ----------
    value : float or None
        The parameter's value: of several the one nearest to that of the set (by ratio where the
        range spans orders of magnitude); None if none was found.
    sentence : str
        The answer in words: all values, how finely the range was looked at, and what limits
        where no value reaches the target.
    values : list of float
        Every value that was found, ascending; of a plateau both ends.
    """

    value: float | None
    sentence: str
    values: list[float] = field(default_factory=list)


def target(
    parameters: ParameterSet,
    metric: str,
    value: float,
    vary: str,
    *,
    rate: float | None = None,
    low: float | None = None,
    high: float | None = None,
    model: str = "spm",
    solver: Solver = AUTO,
    progress: bool = False,
) -> Target:
    """The values of a parameter at which a result of a rate test reaches a target.

    The range is scanned at `POINTS` values, in the logarithm where it spans orders of magnitude;
    every crossing between two of them, and every turn towards the target, is refined. What comes
    and goes between two of them is not seen, as the answer says.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    metric : str
        One of `METRICS`, as "capacity retention at R C" (discharge capacity over that at 0.1 C,
        which is run before), "discharge capacity at R C" [mAh/g] or "polarization at R C" [V].
    value : float
        The target.
    vary : str
        The parameter.
    rate : float, optional
        C-rate, if ``metric`` says none.
    low, high : float, optional
        Where to look, within what is allowed. Default: a factor of 1000 to either side of a
        positive value, else all that is allowed.
    model : str, optional
        "spm" (default) or "dfn".
    solver : str, pybamm.BaseSolver or StructuredSolver, optional
        As for `RateTest.run`.
    progress : bool, optional
        Whether to count the rate tests on stderr.

    Returns
    -------
    Target

    Raises
    ------
    OptionError
        For a metric, value, parameter or range that is not allowed.

    Warns
    -----
    ValidityWarning
        For what the rate test says of its validity at the answer.
    """
    asked = Metric.of(metric, rate)
    search = _Search(parameters, asked, value, vary, low, high, model, solver, [vary])
    return search.answer(parameters, progress)


def contour(
    parameters: ParameterSet,
    metric: str,
    value: float,
    vary: str,
    against: str,
    values: Iterable[float],
    *,
    rate: float | None = None,
    low: float | None = None,
    high: float | None = None,
    model: str = "spm",
    solver: Solver = AUTO,
    progress: bool = False,
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
    rate, low, high, model, solver, progress : optional
        As for `target`.

    Returns
    -------
    pandas.DataFrame
        One row a value: the second parameter, the first one (of several the one nearest to that
        of the set, NaN if none reaches the target) and "Answer" in words, which names all.

    Raises
    ------
    OptionError
        As for `target`.
    ParameterError
        For a value of the second parameter that is not allowed.
    """
    if against == vary:
        raise OptionError(f'against is "{against}", which is varied already: name another')
    given: Any = values
    wanted = list(given) if isinstance(given, Iterable) else [given]
    if not wanted or not all(map(is_number, wanted)):
        raise OptionError(f'values of "{against}" are {short(wanted)}: numbers are needed')
    cells = [parameters.replace({against: float(other)}) for other in wanted]
    check_read(parameters, against, map(float, wanted))
    asked = Metric.of(metric, rate)
    both = [vary, against]
    search = _Search(parameters, asked, value, vary, low, high, model, solver, both)
    rows = []
    for other, changed in zip(wanted, cells, strict=True):
        answer = search.answer(changed, progress)
        found = math.nan if answer.value is None else answer.value
        rows.append({against: float(other), vary: found, "Answer": answer.sentence})
    return pd.DataFrame(rows)


class _Search:
    """One metric over one parameter; the model is built once."""

    def __init__(
        self,
        parameters: ParameterSet,
        metric: Metric,
        value: float,
        vary: str,
        low: float | None,
        high: float | None,
        model: str,
        solver: Solver,
        varying: list[str],
    ):
        if metric.rate is None:
            raise OptionError(
                f'metric is {str(metric)!r}: it needs a rate, as in "{metric} at 2 C"'
            )
        if not is_number(value) or not math.isfinite(value):
            raise OptionError(f"value is {short(value)}: it must be a finite number")
        if model not in MODELS:
            raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
        rates = [REFERENCE_RATE, metric.rate] if metric.column == RETENTION else [metric.rate]
        self.run = RateTest(rates)
        self.metric = check_metric(metric, None, self.run)
        self.value, self.vary = float(value), vary
        self.low, self.high = _range(parameters, vary, low, high)
        self._base = parameters
        self._prepared = self.run.prepare(
            MODELS[model](parameters.model_options), parameters, varying=varying, solver=solver
        )

    def answer(self, parameters: ParameterSet, progress: bool = False) -> Target:
        """Every value at which the metric of a cell reaches the target, in words as well."""
        present = parameters[self.vary]
        points = _grid(self.low, self.high, self._is_log, present)
        bar = tqdm(desc="Target", unit="rate test", disable=not progress)
        with bar, compilation_shown(progress):
            scan = _Scan(self._miss_of(parameters, bar), self._tolerance())
            scan.look(points)
            values = scan.found()
        looked = f"{len(points)} values from {self.low:.4g} to {self.high:.4g}"
        sentence = self._found(values, scan, looked) if values else self._none(
            parameters, scan, looked
        )  # fmt: skip
        if scan.reasons:
            why, _ = Counter(scan.reasons.values()).most_common(1)[0]
            none = sum(x in scan.reasons for x in points)
            sentence += (
                f"; {none} of the {len(points)} give no result (most: {why})" if none else ""
            )
        nearest = min(values, key=lambda x: self._distance(x, present), default=None)
        if nearest is not None:
            for note in self._prepared.result(parameters.replace({self.vary: nearest})).notes:
                warnings.warn(f"at the answer, {note}", ValidityWarning, stacklevel=3)
        return Target(nearest, sentence, values)

    def _tolerance(self) -> float:
        return EQUAL * (abs(self.value) or 1.0)

    @property
    def _is_log(self) -> bool:
        fraction = unit_of(self.vary) == "1" and self._base.quantity(self.vary).high <= 1
        return is_wide(self.low, self.high) and not fraction

    def _distance(self, x: float, present: float) -> float:
        return abs(math.log(x / present)) if self._is_log and present > 0 else abs(x - present)

    def _miss_of(
        self, parameters: ParameterSet, bar: tqdm
    ) -> Callable[[float], tuple[float, str]]:
        """Metric minus target at a value of the parameter, NaN and why where there is none."""

        def miss(x: float) -> tuple[float, str]:
            try:
                changed = parameters.replace({self.vary: x})
            except SSNIBError as error:
                return math.nan, reason_of(error)
            finally:
                bar.update()
            table = self._prepared.result(changed).table
            found = float(self.metric.values(table, self.run.rates)[0])
            status = self.metric.statuses(table, self.run.rates)[0]
            return found - self.value, status

        return miss

    def _found(self, values: list[float], scan: _Scan, looked: str) -> str:
        parts = [f"{a:.4g}" if a == b else f"{a:.4g} to {b:.4g}" for a, b in scan.roots]
        sentence = f'{self.metric} is {self.value:g} at "{self.vary}" = {" and ".join(parts)}'
        several = "several values: " if len(parts) > 1 else ""
        return f"{several}{sentence} (looked at {looked}){self._jumps(scan)}"

    def _jumps(self, scan: _Scan) -> str:
        return "".join(
            f"; it jumps past the target, {self.value + a:.4g} to {self.value + b:.4g}, at {x:.4g}"
            for x, a, b in scan.jumps
        )

    def _none(self, parameters: ParameterSet, scan: _Scan, looked: str) -> str:
        sentence = (
            f'no value of "{self.vary}" from {self.low:.4g} to {self.high:.4g} gives '
            f"{self.metric} = {self.value:g}"
        )
        known = {x: miss for x, miss in scan.known.items() if math.isfinite(miss)}
        if not known:
            return f"{sentence}: it has no value at any of the {looked}"
        misses = list(known.values())
        if np.ptp(misses) <= self._tolerance():
            return f"{sentence}: it is {self.value + misses[0]:.4g} at all {looked}"
        nearest = min(known, key=lambda x: abs(known[x]))
        sentence += (
            f": the nearest is {self.value + known[nearest]:.4g} at {nearest:.4g} (looked at "
            f"{looked}){self._jumps(scan)}"
        )
        result = self._prepared.result(parameters.replace({self.vary: nearest}))
        if result.half_cycles[-1].segment is None:
            return f"{sentence}; {result.half_cycles[-1].ending} there"
        losses = result.breakdown(self.run.rates[-1]).abs().sort_values(ascending=False)
        return (
            f"{sentence}; the largest loss there is {losses.index[0]}, "
            f"{1e3 * losses.iloc[0]:.0f} mV"
        )


def _range(
    parameters: ParameterSet, vary: str, low: float | None, high: float | None
) -> tuple[float, float]:
    """Where to look: as asked, or around the value of the set, within what is allowed."""
    present, quantity = parameters[vary], parameters.quantity(vary)
    if not isinstance(present, float):
        raise OptionError(f'"{vary}" is {present}: it must be a number')
    unit = "" if unit_of(vary) == "1" else f" {unit_of(vary)}"
    check_read(parameters, vary, [present, quantity.low, quantity.high])
    for name, end in (("low", low), ("high", high)):
        if end is None:
            continue
        if not is_number(end) or not quantity.low <= end <= quantity.high:
            raise OptionError(
                f'{name} is {short(end)}: "{vary}" may be {quantity.low:g} to '
                f"{quantity.high:g}{unit}"
            )
    around = (present / 1e3, present * 1e3) if present > 0 else (-math.inf, math.inf)
    low = max(around[0], quantity.low) if low is None else float(low)
    high = min(around[1], quantity.high) if high is None else float(high)
    if not low < high:
        raise OptionError(f"low is {low:g} and high is {high:g}: low < high is needed")
    return low, high


def _grid(low: float, high: float, is_log: bool, present: float) -> list[float]:
    """Values to look at, both ends exactly and that of the set among them."""
    if is_log:
        inner = np.geomspace(low, high, POINTS)[1:-1]
    elif low == 0 and high > 1:
        inner = np.geomspace(high / 10**DECADES_FROM_ZERO, high, POINTS - 1)[:-1]
    else:
        inner = np.linspace(low, high, POINTS)[1:-1]
    own = {present} if low < present < high else set()
    return sorted({low, high, *own, *(float(x) for x in inner if low < x < high)})


class _Scan:
    """Zeros of a function of one variable that may turn, jump, be flat or have no value.

    Parameters
    ----------
    miss : callable
        From a value to the function, NaN where it has none, and a reason.
    tolerance : float
        What counts as 0.
    """

    def __init__(self, miss: Callable[[float], tuple[float, str]], tolerance: float):
        self._miss, self._tolerance = miss, tolerance
        self.known: dict[float, float] = {}
        self.reasons: dict[float, str] = {}
        self.roots: list[tuple[float, float]] = []
        self.jumps: list[tuple[float, float, float]] = []

    def __call__(self, x: float) -> float:
        if x not in self.known:
            self.known[x], reason = self._miss(x)
            if not math.isfinite(self.known[x]):
                self.known[x], self.reasons[x] = math.nan, reason
        return self.known[x]

    def look(self, points: list[float]) -> None:
        """Evaluate at all points, at the edges of where there is a value, and at the turns."""
        for x in points:
            self(x)
        for a, b in itertools.pairwise(points):
            if math.isnan(self(a)) != math.isnan(self(b)):
                self._edge(a, b, math.isnan)
        finite = [x for x in sorted(self.known) if not math.isnan(self.known[x])]
        for a, x, b in zip(finite, finite[1:], finite[2:], strict=False):
            left, middle, right = self(a), self(x), self(b)
            turns = abs(middle) <= min(abs(left), abs(right)) and abs(middle) > self._tolerance
            if turns and left * middle > 0 and right * middle > 0 and not self._lacks(a, b):
                self._turn(a, b, math.copysign(1, middle))

    def _edge(self, a: float, b: float, of: Callable[[float], Any]) -> float:
        """The last point from ``a`` to ``b`` at which ``of`` the function is as at ``a``."""
        here = of(self(a))
        for _ in range(HALVINGS):
            middle = (a + b) / 2
            a, b = (middle, b) if of(self(middle)) == here else (a, middle)
        return a

    def _turn(self, a: float, b: float, sign: float) -> None:
        """The point between ``a`` and ``b`` that comes nearest to 0, or beyond."""

        def distance(x: float) -> float:
            miss = self(float(x))
            return math.inf if math.isnan(miss) else sign * miss

        minimize_scalar(
            distance, bounds=(a, b), method="bounded", options={"xatol": 1e-4 * (b - a)}
        )

    def found(self) -> list[float]:
        """The zeros, ascending: both ends of where it is flat."""
        points = [x for x in sorted(self.known) if not math.isnan(self.known[x])]
        signs = {x: self._sign(self(x)) for x in points}
        for x, after in itertools.pairwise(points):
            if signs[x] * signs[after] < 0:
                self._refine(x, after)
        for is_zero, group in itertools.groupby(
            range(len(points)), lambda i: signs[points[i]] == 0
        ):
            flat = list(group)
            if is_zero:
                self.roots.append(self._plateau(points, flat[0], flat[-1]))
        self.roots = _joined(self.roots)
        return [end for root in self.roots for end in dict.fromkeys(root)]

    def _plateau(self, points: list[float], first: int, last: int) -> tuple[float, float]:
        """Both ends of where the function is 0, of which the points from ``first`` on are in."""
        low, high = points[first], points[last]
        if low < high and first > 0:
            low = self._edge(low, points[first - 1], self._sign)
        if low < high and last < len(points) - 1:
            high = self._edge(high, points[last + 1], self._sign)
        return low, high

    def _sign(self, miss: float) -> int:
        return 0 if abs(miss) <= self._tolerance else int(math.copysign(1, miss))

    def _refine(self, a: float, b: float) -> None:
        if self._lacks(a, b):
            return  # what has no value in between is said; its edges are looked at already
        left, right = self(a), self(b)
        x = float(brentq(self, a, b, xtol=1e-7 * (b - a), rtol=1e-9, disp=False))
        if abs(self(x)) <= 0.01 * abs(right - left) + self._tolerance:
            self.roots.append((x, x))
            return
        near = [p for p in sorted(self.known) if a <= p <= b and math.isfinite(self.known[p])]
        sides = [(p, q) for p, q in itertools.pairwise(near) if self(p) * self(q) < 0]
        self.jumps += [(q, self(p), self(q)) for p, q in sides]

    def _lacks(self, a: float, b: float) -> bool:
        return any(a < x < b for x in self.reasons)


def _joined(roots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Roots in order, those that round-off has split together."""
    joined: list[tuple[float, float]] = []
    for low, high in sorted(roots):
        if joined and low - joined[-1][1] <= 1e-6 * abs(low):
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    # a turn that touches 0 is no plateau
    narrow = [high - low <= 1e-3 * max(abs(low), abs(high)) for low, high in joined]
    return [
        ((low + high) / 2, (low + high) / 2) if n else (low, high)
        for n, (low, high) in zip(narrow, joined, strict=True)
    ]
