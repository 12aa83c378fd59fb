"""Fit parameters to measured data, and say how well they are determined.

Residuals are (model - measured) / sigma of all data in one vector, and one more for each
prior; scipy's bounded Gauss-Newton method (trust region) minimises their squares.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pybamm
from scipy.optimize import least_squares
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.files import read_bytes, writing
from ssnib_model.fit_data import CAPACITY, GAP, RateTestData, data_from_file
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.quantity import unit_of
from ssnib_model.results import record
from ssnib_model.solvers.structured import StructuredSolver

#: Step of the central differences, as a part of a parameter's range: large against the noise
#: of a capacity at the solver's tolerance, small against its curvature.
STEP = 1e-3

MAX_STARTS = 100_000
#: Bytes; it holds the data of the fit.
MAX_CHECKPOINT_SIZE = 100_000_000

#: Residual in place of a value that a trial point does not have (a failed or impossible run).
NO_ANSWER = 100.0

#: A direction in which the data leave more than this part of the range open is undetermined.
UNDETERMINED = 0.3


@dataclass(frozen=True)
class Free:
    """A parameter to be fitted.

    Parameters
    ----------
    name : str
        Name in the parameter set.
    low, high : float, optional
        Bounds; default: the range of uncertainty in the set.
    log : bool, optional
        Whether its logarithm is fitted; default: if the bounds span a factor of 10.
    prior : tuple of float, optional
        Mean, and standard deviation (of the natural logarithm if ``log``).
    data : str, optional
        Name of the only data set it applies to: each test its own value.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool | None = None
    prior: tuple[float, float] | None = None
    data: str | None = None

    @property
    def label(self) -> str:
        """The name, and the data set if it is not for all."""
        return f"{self.name} ({self.data})" if self.data else self.name

    def completed(self, parameters: ParameterSet) -> Free:
        """With bounds and scale filled in; `OptionError` if they cannot be."""
        info = parameters.info(self.name)
        if not isinstance(info.value, float):
            raise OptionError(f'"{self.name}" is {info.value}: only a number can be fitted')
        range_ = (info.uncertainty or {}).get("range", (None, None))
        low = range_[0] if self.low is None else self.low
        high = range_[1] if self.high is None else self.high
        if low is None or high is None or not (math.isfinite(low) and low < high < math.inf):
            raise OptionError(
                f'"{self.name}" has bounds {low} and {high}: two finite numbers, the lower one '
                "first, are needed (the set gives no range to take them from)"
            )
        log = (low > 0 and high > 9.99 * low) if self.log is None else self.log
        if log and low <= 0:
            raise OptionError(f'"{self.name}" is fitted as a logarithm: its bounds must be > 0')
        return Free(self.name, float(low), float(high), log, self.prior, self.data)

    def _t(self, value):
        return math.log(value) if self.log else value

    def to_unit(self, value: float) -> float:
        """The value on the scale of the fit, 0 at the lower and 1 at the upper bound."""
        return (self._t(value) - self._t(self.low)) / self.span

    def from_unit(self, unit: float) -> float:
        """The value at a place between the bounds."""
        t = self._t(self.low) + unit * self.span
        # the bounds themselves must not be missed by round-off
        return min(max(math.exp(t) if self.log else t, self.low), self.high)

    @property
    def span(self) -> float:
        """Distance of the bounds on the scale of the fit."""
        return self._t(self.high) - self._t(self.low)


class FitProblem:
    """Residuals of data for values of the free parameters on their unit scale."""

    def __init__(self, parameters: ParameterSet, data, free, model: str, solver=None):
        self.parameters, self.data, self.model = parameters, list(data), model
        self.solver = solver
        self.free = [f.completed(parameters) for f in free]
        self._check()
        self.solves = 0
        self._prepared_for = None

    def _check(self) -> None:
        if self.model not in MODELS:
            raise OptionError(f"model is {self.model!r}: it must be one of {sorted(MODELS)}")
        if not self.data or not self.free:
            raise OptionError("a fit needs at least one data set and one free parameter")
        names = [d.name for d in self.data]
        if len(set(names)) < len(names):
            raise OptionError(f"the data sets have the names {names}: they must differ")
        labels = [f.label for f in self.free]
        if len(set(labels)) < len(labels):
            raise OptionError(f"the free parameters are {labels}: they must differ")
        for f in self.free:
            if f.data is not None and f.data not in names:
                raise OptionError(f'"{f.label}": no data set has this name, only {names}')

    def start(self) -> np.ndarray:
        """The values of the set, moved inside the bounds."""
        values = [f.to_unit(min(max(self.parameters[f.name], f.low), f.high)) for f in self.free]
        return np.clip(values, 0.02, 0.98)

    def values(self, unit) -> dict[str, float]:
        """Value by label."""
        return {f.label: f.from_unit(u) for f, u in zip(self.free, unit, strict=True)}

    def parameters_for(self, unit, data_name: str | None) -> ParameterSet:
        """The set with the trial values that hold for one data set (or for none by name)."""
        changes = {}
        for f, u in zip(self.free, unit, strict=True):
            if f.data is None or f.data == data_name:
                changes[f.name] = f.from_unit(u)
        return self.parameters.replace(changes)

    def prepare(self) -> None:
        """Build the model once for each data set, with all that follows from the free ones."""
        if self._prepared_for == self.model:
            return
        shared: dict = {}
        sides = (np.full(len(self.free), 0.4), np.full(len(self.free), 0.6))
        for d in self.data:
            low, high = (self.parameters_for(unit, d.name) for unit in sides)
            values = low.to_pybamm()
            varying = [n for n in low if n in values and low[n] != high[n]]
            d.prepare(MODELS[self.model], low, varying, shared, self.solver)
        self._prepared_for = self.model

    def simulate(self, unit) -> np.ndarray:
        """All simulated values, one after the other; NaN where there is no answer."""
        self.prepare()
        self.solves += 1
        return np.concatenate([d.simulate(self.parameters_for(unit, d.name)) for d in self.data])

    @property
    def measured(self) -> np.ndarray:
        return np.concatenate([d.measured for d in self.data])

    @property
    def sigma(self) -> np.ndarray:
        return np.concatenate([d.sigma for d in self.data])

    def residuals(self, unit) -> np.ndarray:
        """Data residuals, then one for each prior; always finite."""
        residuals = (self.simulate(unit) - self.measured) / self.sigma
        priors = [
            (f._t(f.from_unit(u)) - f._t(f.prior[0])) / f.prior[1]
            for f, u in zip(self.free, unit, strict=True)
            if f.prior
        ]
        # a wall, not a hole: a point without an answer is worse than any with one
        return np.append(np.where(np.isfinite(residuals), residuals, NO_ANSWER), priors)

    def jacobian(self, unit) -> np.ndarray:
        """d(residuals)/d(unit) by central differences, one-sided at a bound.

        Differences see the shift of every cut-off and what it does to the state that later
        half-cycles start from, which forward sensitivities of a DAE do not.
        """
        columns = []
        for k in range(len(unit)):
            up, down = np.array(unit, float), np.array(unit, float)
            up[k], down[k] = min(unit[k] + STEP, 1.0), max(unit[k] - STEP, 0.0)
            columns.append((self.residuals(up) - self.residuals(down)) / (up[k] - down[k]))
        return np.column_stack(columns)

    def fingerprint(self) -> dict:
        """What a checkpoint must agree with."""
        return {
            "model": self.model,
            "free": [[f.label, f.low, f.high, f.log, f.prior] for f in self.free],
            "data": {d.name: [d.measured.tolist(), d.sigma.tolist()] for d in self.data},
        }


def fit(
    parameters: ParameterSet,
    data,
    free: Iterable[Free | str] | Mapping[str, tuple[float, float]],
    *,
    model: str = "dfn",
    solver: pybamm.BaseSolver | StructuredSolver | None = None,
    start: Mapping[str, float] | None = None,
    starts: int = 1,
    seed: int = 0,
    workers: int = 1,
    loss: str = "linear",
    tolerance: float = 1e-6,
    max_iterations: int = 50,
    checkpoint: str | Path | None = None,
    progress: bool = False,
) -> FitResult:
    """Fit free parameters to data.

    Parameters
    ----------
    parameters : ParameterSet
        The cell; every parameter that is not free keeps its value.
    data : one or an iterable of data sets
        `RateTestData`, `CurveData` and `SpectrumData`, with different names; or the path of a
        file (see `data_from_file`), or a table as for `RateTestData`.
    free : iterable of Free or str, or mapping
        What to fit; a name alone takes the range of the set as bounds, a mapping gives them.
    model : str, optional
        "dfn" (default), "spm", or "spm+dfn": the reduced model first, then the full one.
    solver : pybamm.BaseSolver or StructuredSolver, optional
        Default: IDAKLU with rtol = atol = 1e-7. Differences of residuals need digits:
        ``StructuredSolver(rtol=1e-6, atol=1e-8)`` is an order of magnitude faster.
    start : mapping, optional
        Values by label to start from; default: those of the set.
    starts : int, optional
        Number of starting points: the first as above, the others drawn between the bounds.
    seed : int, optional
        Of those draws.
    workers : int, optional
        Processes to share several starts.
    loss : str, optional
        "linear" (default), or a robust loss of ``scipy.optimize.least_squares``.
    tolerance : float, optional
        Relative change of cost and parameters at which the search ends.
    max_iterations : int, optional
        Iterations at most, for each start.
    checkpoint : str or Path, optional
        A file that keeps the best point so far; if it exists the fit goes on from there.
    progress : bool, optional
        Whether to show cost and iterations on stderr.

    Returns
    -------
    FitResult
        Also after Ctrl-C: the best point so far, with ``message`` saying so.

    Raises
    ------
    OptionError
        For a free parameter, bound or setting that is not allowed.
    SSNIBError
        If the checkpoint belongs to another fit.
    """
    if isinstance(free, Mapping):
        free = [Free(name, *bounds) for name, bounds in free.items()]
    free = [Free(f) if isinstance(f, str) else f for f in free]
    single = isinstance(data, str | Path | pd.DataFrame) or hasattr(data, "simulate")
    data = [
        d
        for number, given in enumerate([data] if single else data, start=1)
        for d in _as_data(given, parameters, number)
    ]
    stages = model.split("+")
    problem = FitProblem(parameters, data, free, stages[0], solver)
    first = problem.start()
    if start is not None:
        labels = [f.label for f in problem.free]
        for label, value in start.items():
            if label not in labels:
                raise OptionError(f'start has "{label}", which is not free: {labels}')
            k = labels.index(label)
            first[k] = np.clip(problem.free[k].to_unit(value), 0, 1)
    began = time.perf_counter()
    search = _Search(loss, tolerance, max_iterations, _checkpoint(checkpoint), progress)
    first = search.resume(problem, first)
    outcome = _best_of(problem, first, starts, seed, workers, search)
    solves = outcome.solves
    for stage in stages[1:]:
        problem = FitProblem(parameters, data, free, stage, solver)
        outcome = search.run(problem, outcome.unit)
        solves += outcome.solves
    return FitResult(problem, outcome, solves, time.perf_counter() - began)


def _as_data(given, parameters: ParameterSet, number: int) -> list:
    """Data sets from whatever was given in their place."""
    if isinstance(given, str | Path):
        return data_from_file(given, parameters)
    if isinstance(given, pd.DataFrame):
        return [RateTestData(f"table {number}", given)]
    if not hasattr(given, "simulate"):
        raise OptionError(
            f"data has a {type(given).__name__}: a RateTestData, CurveData, SpectrumData, table "
            "or path is needed"
        )
    return [given]


@dataclass
class _Outcome:
    unit: np.ndarray
    cost: float
    message: str
    solves: int


@dataclass
class _Search:
    """One local search, with progress, checkpoint and Ctrl-C."""

    loss: str
    tolerance: float
    max_iterations: int
    checkpoint: Path | None
    progress: bool

    def resume(self, problem: FitProblem, first: np.ndarray) -> np.ndarray:
        if self.checkpoint is None or not self.checkpoint.exists():
            return first
        try:
            saved = json.loads(read_bytes(self.checkpoint, MAX_CHECKPOINT_SIZE))
            unit = np.array(saved["unit"], dtype=float)
            same = saved["problem"] == json.loads(json.dumps(problem.fingerprint()))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise SSNIBError(f"checkpoint {self.checkpoint} cannot be read: {error}") from error
        if not same or unit.shape != first.shape or not ((unit >= 0) & (unit <= 1)).all():
            raise SSNIBError(
                f"checkpoint {self.checkpoint} belongs to another fit (other data, free "
                "parameters or model): remove it or name another file"
            )
        return unit

    def run(self, problem: FitProblem, first: np.ndarray) -> _Outcome:
        best = _Outcome(first, math.inf, "interrupted: the best point so far", 0)
        solved_before = problem.solves
        bar = tqdm(desc="Fit", unit="evaluation", disable=not self.progress)

        def residuals(unit):
            values = problem.residuals(unit)
            cost = float(values @ values)
            bar.update()
            if cost < best.cost:
                best.cost, best.unit = cost, np.array(unit)
                bar.set_postfix_str(f"chi2 {cost:.4g}")
                self._save(problem, best)
            return values

        try:
            solution = least_squares(
                residuals,
                first,
                jac=problem.jacobian,
                bounds=(0.0, 1.0),
                loss=self.loss,
                xtol=self.tolerance,
                ftol=self.tolerance,
                gtol=self.tolerance,
                max_nfev=self.max_iterations,
            )
            best.unit, best.message = solution.x, solution.message
            best.cost = float(solution.fun @ solution.fun)
        except KeyboardInterrupt:
            if not math.isfinite(best.cost):
                raise
        finally:
            bar.close()
        best.solves = problem.solves - solved_before
        return best

    def _save(self, problem: FitProblem, best: _Outcome) -> None:
        if self.checkpoint is not None:
            state = {"problem": problem.fingerprint(), "unit": best.unit.tolist()}
            new = self.checkpoint.with_suffix(".new")
            new.write_text(json.dumps(state | {"chi2": best.cost}))
            new.replace(self.checkpoint)


def _checkpoint(path) -> Path | None:
    if path is None:
        return None
    path = Path(path)
    if not path.parent.is_dir():
        raise SSNIBError(f"checkpoint {path}: the folder {path.parent} does not exist")
    return path


def _best_of(problem, first, starts, seed, workers, search) -> _Outcome:
    if not 1 <= starts <= MAX_STARTS or workers < 1 or seed < 0:
        raise OptionError(
            f"starts is {starts}, workers {workers} and seed {seed}: 1 to {MAX_STARTS} starts, at "
            "least one worker and a seed of at least 0 are needed"
        )
    draws = np.random.default_rng(seed).uniform(0.05, 0.95, (starts - 1, len(first)))
    points = [first, *draws]
    if workers == 1 or starts == 1:
        outcomes = [search.run(problem, point) for point in points]
    else:
        quiet = replace(search, checkpoint=None, progress=False)
        jobs = [(problem, point, quiet) for point in points]
        with ProcessPoolExecutor(min(workers, starts), mp_context=get_context("spawn")) as pool:
            outcomes = list(pool.map(_run_job, jobs))
    best = min(outcomes, key=lambda outcome: outcome.cost)
    return replace(best, solves=sum(outcome.solves for outcome in outcomes))


def _run_job(job) -> _Outcome:
    problem, point, search = job
    return search.run(problem, point)


class FitResult:
    """Fitted values and how well they are determined.

    Attributes
    ----------
    values : dict of str to float
        Fitted value by label (the name, with the data set if it is for one only).
    errors : dict of str to float
        Standard error, in the unit of the value; for a logarithm, value times the error of
        the natural logarithm.
    correlation : pandas.DataFrame
        Of the free parameters, by label.
    chi2 : float
        Sum of squares of the data residuals.
    cost : float
        The same with those of the priors.
    dof : int
        Number of data less number of free parameters.
    residuals : pandas.DataFrame
        One row a value: "Data", "Quantity", "Measured", "Model", "Sigma", "Residual".
    at_bound : list of str
        Labels of values that ended at a bound; their errors mean nothing.
    message : str
        Why the search ended.
    solves : int
        Number of times all data were simulated.
    seconds : float
        Wall time.
    """

    def __init__(self, problem: FitProblem, outcome: _Outcome, solves: int, seconds: float):
        self.problem, self.unit = problem, outcome.unit
        self.message, self.cost, self.seconds = outcome.message, outcome.cost, seconds
        n = len(problem.measured)
        model = problem.simulate(self.unit)
        jacobian = problem.jacobian(self.unit)
        self.solves = solves + 1 + 2 * len(self.unit)
        scaled = (model - problem.measured) / problem.sigma
        self.residuals = pd.DataFrame(
            {
                "Data": [d.name for d in problem.data for _ in d.measured],
                "Quantity": [label for d in problem.data for label in d.labels],
                "Measured": problem.measured,
                "Model": model,
                "Sigma": problem.sigma,
                "Residual": scaled,
            }
        )
        self.values = problem.values(self.unit)
        labels = list(self.values)
        self.chi2 = float(np.nansum(scaled**2))
        self.dof = n - len(labels)
        self.at_bound = [
            label for label, u in zip(labels, self.unit, strict=True) if not 1e-4 < u < 1 - 1e-4
        ]
        # Directions of the data alone, from the best to the least determined one. The range of
        # each parameter bounds what is known of it whatever the data say.
        _, singular, self._directions = np.linalg.svd(jacobian[:n], full_matrices=True)
        singular = np.append(singular, np.zeros(len(labels) - len(singular)))
        self._spread = 1 / np.maximum(singular, 1e-12)
        information = jacobian.T @ jacobian
        self.covariance = np.linalg.pinv(information, rcond=1e-12, hermitian=True)
        deviation = np.sqrt(np.diag(self.covariance))
        self.correlation = pd.DataFrame(
            self.covariance / np.outer(deviation, deviation), index=labels, columns=labels
        )
        self.errors = {
            f.label: float(d * f.span * (self.values[f.label] if f.log else 1))
            for f, d in zip(problem.free, deviation, strict=True)
        }

    @property
    def bic(self) -> float:
        """Bayesian information criterion, chi2 + k ln n: smaller is better."""
        return self.chi2 + len(self.unit) * math.log(len(self.residuals))

    @property
    def parameters(self) -> ParameterSet:
        """The set with the fitted values of kind "fitted".

        A parameter that has one value a data set keeps that of the base set.
        """
        return self.problem.parameters.replace(
            {
                f.name: ParameterInfo(
                    f.name,
                    self.values[f.label],
                    unit_of(f.name),
                    "fitted",
                    uncertainty={
                        "sd": max(self.errors[f.label], 1e-300),
                        "range": (f.low, f.high),
                    },
                    note=f"fitted to {', '.join(d.name for d in self.problem.data)}"
                    + ("; at a bound of its range" if f.label in self.at_bound else ""),
                )
                for f in self.problem.free
                if f.data is None
            }
        )

    def undetermined(self) -> list[str]:
        """Combinations of parameters that the data leave open, in words."""
        sentences = []
        for spread, direction in zip(self._spread, self._directions, strict=True):
            if spread < UNDETERMINED:
                continue
            parts = []
            for k in np.argsort(-np.abs(direction)):
                if abs(direction[k]) > 0.2:
                    parts.append(_moved(self.problem.free[k], 0.1 * direction[k]))
            verb = "leaves" if len(parts) == 1 else "together leave"
            sentences.append(f"{', '.join(parts)} {verb} the data as they are")
        return sentences

    def report(self) -> str:
        """Values with errors, residuals by data set, what is not determined: one text."""
        lines = [f"Fit of {len(self.residuals)} values by {len(self.values)} parameters"]
        lines += [f"  {self.message}; {self.solves} simulations of all data, {self.seconds:.1f} s"]
        lines += [f"  chi2 {self.chi2:.4g}, degrees of freedom {self.dof}, BIC {self.bic:.4g}"]
        lines += ["Parameters (standard errors from the curvature at the best point)"]
        for f in self.problem.free:
            value, error = self.values[f.label], self.errors[f.label]
            bound = "  AT A BOUND" if f.label in self.at_bound else ""
            lines.append(
                f"  {f.label}: {value:.5g} +- {error:.2g}  [{f.low:.4g}, {f.high:.4g}]{bound}"
            )
        strong = [
            f"  {a} with {b}: {self.correlation.loc[a, b]:+.3f}"
            for i, a in enumerate(self.values)
            for b in list(self.values)[i + 1 :]
            if abs(self.correlation.loc[a, b]) > 0.5
        ]
        lines += ["Correlations above 0.5", *strong] if strong else []
        open_ = self.undetermined()
        lines += ["Not determined by the data", *(f"  {s}" for s in open_)] if open_ else []
        lines += ["Residuals", self.residuals.to_string(index=False, float_format="{:.4g}".format)]
        return "\n".join(lines)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """``n`` draws of the parameters on their unit scale, shape (n, k).

        From the Gaussian of the covariance, cut at the bounds: a direction that the data leave
        open fills its range.
        """
        rng = np.random.default_rng(seed)
        variances, axes = np.linalg.eigh(self.covariance)
        widths = np.sqrt(np.clip(variances, 0, 1.0))
        draws = np.empty((0, len(self.unit)))
        while len(draws) < n:
            new = self.unit + (rng.normal(size=(4 * n, len(self.unit))) * widths) @ axes.T
            inside = ((new >= 0) & (new <= 1)).all(axis=1)
            # at a bound nearly all draws fall outside: bring back the rest
            new = new[inside] if inside.mean() > 0.01 else np.clip(new, 0, 1)
            draws = np.vstack([draws, new])
        return draws[:n]

    def predict(
        self,
        rates: Iterable[float],
        *,
        temperature: float | None = None,
        data: str | None = None,
        n: int = 50,
        seed: int = 0,
        test: RateTest | None = None,
    ) -> pd.DataFrame:
        """Capacities and gaps of a rate test with what the parameters' uncertainty makes of them.

        Parameters
        ----------
        rates : iterable of float
            C-rates to predict.
        temperature : float, optional
            [K]; default: that of the set.
        data : str, optional
            Data set whose own values of parameters hold.
        n, seed : int, optional
            Number of draws and their seed.
        test : RateTest, optional
            The protocol; default: ``rates`` in turn.

        Returns
        -------
        pandas.DataFrame
            One row a rate and quantity: "C-rate", "Quantity", "Best", "Low", "High" (2.5 and
            97.5 % of the draws).
        """
        rates = list(rates)
        nothing = pd.DataFrame({"C-rate": rates, CAPACITY: 1.0, GAP: 1.0})
        asked = RateTestData("prediction", nothing, temperature=temperature, test=test)
        best = self.problem.parameters_for(self.unit, data)
        names = [f.name for f in self.problem.free]
        values = best.to_pybamm()
        moved = self.problem.parameters_for(np.full(len(self.unit), 0.37), data)
        varying = [n for n in best if n in values and (n in names or best[n] != moved[n])]
        asked.prepare(MODELS[self.problem.model], best, varying, solver=self.problem.solver)
        center = asked.simulate(best)
        draws = np.array(
            [
                asked.simulate(self.problem.parameters_for(unit, data))
                for unit in self.sample(n, seed)
            ]
        )
        low, high = np.nanpercentile(draws, [2.5, 97.5], axis=0)
        keys = [(rate, column) for rate, column, _ in asked._points]
        return pd.DataFrame(
            {
                "C-rate": [rate for rate, _ in keys],
                "Quantity": [column for _, column in keys],
                "Best": center,
                "Low": low,
                "High": high,
            }
        )

    def profile(self, label: str, points: int = 9) -> pd.DataFrame:
        """Profile of chi2 (data and priors) over one parameter, the others fitted again.

        Parameters
        ----------
        label : str
            Label of a free parameter.
        points : int, optional
            Values over its range.

        Returns
        -------
        pandas.DataFrame
            "Value" and "chi2"; 3.84 above the minimum bounds the 95 % interval.
        """
        labels = list(self.values)
        if label not in labels:
            raise OptionError(f'"{label}" is not free: {labels}')
        k = labels.index(label)
        others = [i for i in range(len(labels)) if i != k]
        rows = []
        for fixed in np.linspace(0, 1, points):

            def full(part, fixed=fixed):
                unit = np.empty(len(labels))
                unit[k], unit[others] = fixed, part
                return unit

            start = np.clip(self.unit[others], 0.01, 0.99)
            if others:
                solution = least_squares(
                    lambda part: self.problem.residuals(full(part)),
                    start,
                    jac=lambda part: self.problem.jacobian(full(part))[:, others],
                    bounds=(0, 1),
                    max_nfev=15,
                )
                chi2 = 2 * solution.cost
            else:
                residuals = self.problem.residuals(full(start))
                chi2 = residuals @ residuals
            rows.append((self.problem.free[k].from_unit(fixed), float(chi2)))
        return pd.DataFrame(rows, columns=["Value", "chi2"])

    def posterior(
        self, *, steps: int = 500, walkers: int = 16, seed: int = 0, progress: bool = False
    ) -> Posterior:
        """Draws from the posterior by emcee's ensemble of walkers (extra ``[bayes]``).

        Uniform between the bounds times the priors; the likelihood is Gaussian.

        Parameters
        ----------
        steps : int, optional
            Steps of each walker; the first half is thrown away.
        walkers : int, optional
            Number of walkers, at least twice the number of parameters.
        seed : int, optional
            Of the random numbers.
        progress : bool, optional
            Whether to show progress on stderr.

        Returns
        -------
        Posterior

        Raises
        ------
        SSNIBError
            If emcee is not installed.
        """
        try:
            import emcee
        except ImportError as error:
            raise SSNIBError(
                "the posterior needs emcee: pip install 'ssnib_model[bayes]'"
            ) from error

        def log_probability(unit):
            if ((unit < 0) | (unit > 1)).any():
                return -math.inf
            residuals = self.problem.residuals(unit)
            return -0.5 * float(residuals @ residuals)

        sampler = emcee.EnsembleSampler(walkers, len(self.unit), log_probability)
        sampler.random_state = np.random.RandomState(seed).get_state()
        start = self.sample(walkers, seed)
        sampler.run_mcmc(start, steps, progress=progress)
        return Posterior.from_chain(sampler.get_chain(discard=steps // 2), self.problem)

    def to_dict(self) -> dict:
        """Everything of the report, ready for JSON."""
        finite = self.residuals.astype(object).where(self.residuals.notna(), None)
        return {
            "versions": record.versions(),
            "model": self.problem.model,
            "message": self.message,
            "chi2": self.chi2,
            "dof": self.dof,
            "bic": self.bic,
            "solves": self.solves,
            "parameters": {
                f.label: {
                    "value": self.values[f.label],
                    "error": self.errors[f.label],
                    "low": f.low,
                    "high": f.high,
                    "at_bound": f.label in self.at_bound,
                }
                for f in self.problem.free
            },
            "correlation": self.correlation.to_dict(),
            "undetermined": self.undetermined(),
            "residuals": finite.to_dict("records"),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the fitted parameter set, the report, ``fit.json`` and ``fit.png``.

        Raises
        ------
        SSNIBError
            If the folder exists or cannot be written.
        """
        from ssnib_model.fits.plots import save_fit

        with writing(self.parameters.save(folder)) as folder:
            (folder / "report.txt").write_text(self.report() + "\n")
            (folder / "fit.json").write_text(json.dumps(self.to_dict(), indent=2) + "\n")
            save_fit(self, folder)
        return folder


@dataclass(frozen=True)
class Posterior:
    """Draws from a posterior and how far they can be trusted.

    Attributes
    ----------
    samples : pandas.DataFrame
        One row a draw, one column a parameter, in the units of the names.
    r_hat : pandas.Series
        Potential scale reduction of the split chains (Gelman et al. 2013): above 1.05 the
        chains have not mixed.
    effective_samples : pandas.Series
        Number of independent draws that the samples are worth.
    """

    samples: pd.DataFrame
    r_hat: pd.Series
    effective_samples: pd.Series

    @classmethod
    def from_chain(cls, chain: np.ndarray, problem: FitProblem) -> Posterior:
        """From a chain on the unit scale, shape (steps, walkers, k)."""
        import emcee

        labels = [f.label for f in problem.free]
        steps, walkers, k = chain.shape
        half = steps // 2
        split = np.concatenate([chain[:half], chain[half : 2 * half]], axis=1)
        within = split.var(axis=0, ddof=1).mean(axis=0)
        between = half * split.mean(axis=0).var(axis=0, ddof=1)
        r_hat = np.sqrt(((half - 1) / half * within + between / half) / within)
        times = emcee.autocorr.integrated_time(chain, quiet=True)
        flat = chain.reshape(-1, k)
        samples = {
            f.label: [f.from_unit(u) for u in column]
            for f, column in zip(problem.free, flat.T, strict=True)
        }
        return cls(
            pd.DataFrame(samples),
            pd.Series(r_hat, labels),
            pd.Series(steps * walkers / np.maximum(times, 1.0), labels),
        )


def _moved(f: Free, step: float) -> str:
    """A move of a parameter along an undetermined direction, in words."""
    if f.log:
        return f'"{f.label}" times {math.exp(step * f.span):.3g}'
    return f'"{f.label}" plus {step * f.span:.3g}'
