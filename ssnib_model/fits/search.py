"""Fit parameters to measured data.

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

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.files import read_bytes
from ssnib_model.fits.data import RateTestData, data_from_file
from ssnib_model.fits.free import Free
from ssnib_model.fits.problem import FitProblem
from ssnib_model.fits.result import FitResult
from ssnib_model.parameters import ParameterSet
from ssnib_model.structured import StructuredSolver

MAX_STARTS = 100_000
#: Bytes; it holds the data of the fit.
MAX_CHECKPOINT_SIZE = 100_000_000


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
