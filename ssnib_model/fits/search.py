"""Fit parameters to measured data.

Residuals are (model - measured) / sigma of all data in one vector, and one more for each
prior; scipy's bounded Gauss-Newton method (trust region) minimises their squares.
"""

from __future__ import annotations

import contextlib
import copy
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.fits.checkpoint import Checkpoint, Evaluation, Log, Outcome, Stage, best_of
from ssnib_model.fits.data import Data, RateTestData
from ssnib_model.fits.files import data_from_file
from ssnib_model.fits.free import Free, is_number, is_whole
from ssnib_model.fits.problem import Answer, FitProblem
from ssnib_model.fits.protocol_data import ProtocolData
from ssnib_model.fits.result import FitResult
from ssnib_model.measured.columns import TIME
from ssnib_model.measured.protocol import MeasuredProtocol
from ssnib_model.models.names import MODELS
from ssnib_model.results.record import versions
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.compiling import compilation_shown

MAX_STARTS = 100_000

#: Losses of ``scipy.optimize.least_squares``.
LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")


def fit(
    parameters: ParameterSet,
    data: Any,
    free: Iterable[Free | str] | Mapping[str, tuple[float, float]],
    *,
    model: str = "dfn",
    solver: Solver = AUTO,
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
        `RateTestData`, `CurveData`, `ProtocolData` and `SpectrumData`, with different names; or
        the path of a file (see `data_from_file`), a `MeasuredProtocol`, or a table as for
        `RateTestData` or as from `read_curves`. A mapping gives the same for each of several
        cells by its name, for parameters with `Free.each`.
    free : iterable of Free or str, or mapping
        What to fit; a name alone takes the range of the set as bounds, a mapping gives them.
    model : str, optional
        "dfn" (default), "spm", or "spm+dfn": the reduced model first, then the full one.
        Spectra are always those of the full model.
    solver : str, pybamm.BaseSolver or StructuredSolver, optional
        Of rate tests, as for `RateTest.run`; where it is named, rtol is 1e-5, and 1e-7
        for IDAKLU and for derivatives by differences, which need digits.
    start : mapping, optional
        Values by label to start from, between their bounds; default: those of the set.
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
        A file that keeps all searches; if it exists the fit goes on from there, to the result
        that it would have had without a break. The number of workers may be another one.
    progress : bool, optional
        Whether to show cost and iterations on stderr.

    Returns
    -------
    FitResult
        Also after Ctrl-C, which ends all searches and stages: the best point so far, with
        ``interrupted`` True and ``message`` saying how far it came.

    Raises
    ------
    OptionError
        For a free parameter, bound or setting that is not allowed.
    SSNIBError
        If nothing can be simulated at any point tried, or the checkpoint belongs to another fit.
    KeyboardInterrupt
        After Ctrl-C before anything was simulated.
    """
    given = [Free(n, *b) for n, b in free.items()] if isinstance(free, Mapping) else free
    wanted = [Free(f) if isinstance(f, str) else f for f in given]
    data = _of_cells(data, parameters) if isinstance(data, Mapping) else _all(data, parameters)
    settings = Settings(loss, tolerance, max_iterations)
    _check_starts(starts, workers, seed)
    stages = str(model).split("+")
    for name in stages:
        if name not in MODELS:
            raise OptionError(
                f"model is {model!r}: it must be one of {sorted(MODELS)}, or some joined by +"
            )
    problems = [FitProblem(parameters, data, wanted, name, solver) for name in stages]
    points = _points(problems[0], start or {}, starts, seed)

    began = time.perf_counter()
    identity = {
        **asdict(settings),
        "points": [point.tolist() for point in points[:1]],
        "starts": starts,
        **({"seed": seed} if starts > 1 else {}),
        "versions": versions(),
    }
    record = Checkpoint(checkpoint, problems, identity)
    interrupted = ""
    for number, stage in enumerate(record.stages):
        try:
            with compilation_shown(progress):
                if workers > 1 and len(points) > 1:
                    stopped = _in_parallel(stage, points, settings, workers)
                else:
                    stopped = _in_turn(stage, points, settings, progress)
        finally:
            record.flush()
        best = stage.best()
        if stopped:
            interrupted = _how_far(stages, number, stage, best, len(points))
            break
        assert best is not None
        if not best.is_there:
            record.discard()
            raise SSNIBError(_nothing(stage, best))
        points = [best.unit]
    # the last stage that has anything
    found = [(s, b) for s, b in ((s, s.best()) for s in record.stages) if b is not None]
    if not found:
        raise KeyboardInterrupt
    stage, best = found[-1]
    result = FitResult(
        stage.problem,
        best,
        solves=sum(b.solves for _, b in found),
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
        notes=_notes(problems, solver, starts, workers),
    )
    return result


def _all(data: Any, parameters: ParameterSet) -> list[Data]:
    """Data sets from one, or several, of whatever was given in their place."""
    single = isinstance(data, str | Path | pd.DataFrame | Data | MeasuredProtocol)
    return [
        d
        for number, one in enumerate([data] if single else data, start=1)
        for d in _as_data(one, parameters, number)
    ]


def _of_cells(cells: Mapping[str, Any], parameters: ParameterSet) -> list[Data]:
    """Data sets that know their cell, whose name each of them has too."""
    found = []
    for cell, given in cells.items():
        own = [copy.copy(d) for d in _all(given, parameters)]
        for d in own:
            d.cell = str(cell)
            d.name = d.cell if len(own) == 1 else f"{cell}: {d.name}"
        found += own
    return found


def _as_data(given: Any, parameters: ParameterSet, number: int) -> Sequence[Data]:
    """Data sets from whatever was given in their place."""
    if isinstance(given, str | Path):
        return data_from_file(given, parameters)
    if isinstance(given, MeasuredProtocol):
        return [ProtocolData(given, parameters)]
    if isinstance(given, pd.DataFrame) and "C-rate" not in given.columns and TIME in given.columns:
        return [ProtocolData(given, parameters, name=f"measurement {number}")]
    if isinstance(given, pd.DataFrame):
        return [RateTestData(f"table {number}", given)]
    if not isinstance(given, Data):
        raise OptionError(
            f"data has a {type(given).__name__}: a RateTestData, CurveData, ProtocolData, "
            "SpectrumData, table or path is needed"
        )
    return [given]


@dataclass(frozen=True)
class Settings:
    """Of one local search."""

    loss: str = "linear"
    tolerance: float = 1e-6
    max_iterations: int = 50

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise OptionError(f"loss is {self.loss!r}: it must be one of {LOSSES}")
        if not (is_number(self.tolerance) and 1e-15 <= self.tolerance < 1):
            raise OptionError(f"tolerance is {self.tolerance!r}: 1e-15 to 1 is allowed")
        if not (is_whole(self.max_iterations) and self.max_iterations >= 1):
            raise OptionError(
                f"max_iterations is {self.max_iterations!r}: a whole number from 1 is needed"
            )


def _check_starts(starts: Any, workers: Any, seed: Any) -> None:
    whole = all(is_whole(value) for value in (starts, workers, seed))
    if not (whole and 1 <= starts <= MAX_STARTS and workers >= 1 and seed >= 0):
        raise OptionError(
            f"starts is {starts}, workers {workers} and seed {seed}: 1 to {MAX_STARTS} starts, at "
            "least one worker and a seed of at least 0 are needed"
        )


def _points(
    problem: FitProblem, start: Mapping[str, float], starts: int, seed: int
) -> list[np.ndarray]:
    """Where the searches begin, on the unit scale."""
    first = problem.start()
    labels = [f.label for f in problem.free]
    for label, value in start.items():
        if label not in labels:
            raise OptionError(f'start has "{label}", which is not free: {labels}')
        k = labels.index(label)
        free = problem.free[k]
        if not (is_number(value) and free.low <= value <= free.high):
            raise OptionError(
                f'start has {value!r} for "{label}": it must be within its bounds, {free.low:g} '
                f"to {free.high:g}"
            )
        first[k] = np.clip(free.to_unit(float(value)), 0, 1)
    draws = np.random.default_rng(seed).uniform(0.05, 0.95, (starts - 1, len(first)))
    return [first, *draws]


def descend(log: Log, point: np.ndarray, settings: Settings) -> Outcome:
    """One local search from a point on the unit scale, to its end."""
    problem = log.problem
    solution = least_squares(
        lambda unit: problem.residuals_of(log.answer(unit), unit),
        point,
        jac=log.jacobian,
        bounds=(0.0, 1.0),
        loss=settings.loss,
        xtol=settings.tolerance,
        ftol=settings.tolerance,
        gtol=settings.tolerance,
        max_nfev=settings.max_iterations,
    )
    best = best_of(problem, log.entries, solution.message)
    assert best is not None
    if settings.loss != "linear":
        # a robust loss ends elsewhere than at the least sum of squares
        at = [e for e in log.entries if np.array_equal(e.unit, solution.x)]
        best.unit, best.cost = solution.x, float(solution.fun @ solution.fun)
        best.answer = next(e.result for e in at if isinstance(e.result, Answer))
        best.jacobian = next((e.result for e in at if isinstance(e.result, np.ndarray)), None)
    return best


def _in_turn(stage: Stage, points: list[np.ndarray], settings: Settings, progress: bool) -> bool:
    """All searches of a stage that are not done, in this process; whether Ctrl-C ended them."""
    bar = tqdm(desc=f"Fit, {stage.problem.model}", unit="evaluation", disable=not progress)
    try:
        for number, point in enumerate(points):
            search = stage.search(number)
            if search.is_done:
                continue

            def report(evaluation: Evaluation, number: int = number) -> None:
                stage.add(number, evaluation)
                bar.update()
                if progress and isinstance(evaluation.result, Answer):
                    residuals = stage.problem.residuals_of(evaluation.result, evaluation.unit)
                    bar.set_postfix_str(
                        f"start {number + 1} of {len(points)}, chi2 {residuals @ residuals:.4g}"
                    )

            log = Log(stage.problem, search.entries, report)
            stage.finish(number, descend(log, point, settings))
    except KeyboardInterrupt:
        return True
    finally:
        bar.close()
    return False


def _in_parallel(stage: Stage, points: list[np.ndarray], settings: Settings, workers: int) -> bool:
    """As `_in_turn`, shared among processes."""
    jobs = [n for n in range(len(points)) if not stage.search(n).is_done]
    if not jobs:
        return False
    context = get_context("spawn")
    stop, events = context.Event(), context.Queue()
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)),
        mp_context=context,
        initializer=_start_worker,
        initargs=(stage.problem, settings, stop, events),
    )
    interrupted = False

    def read_events() -> None:
        with contextlib.suppress(Exception):  # Empty; a worker that died while writing
            while True:
                stage.add(*events.get_nowait())

    with pool:
        # processes that are only starting must not die of the Ctrl-C that is meant for us
        with _no_interrupts():
            pending: set[Future] = {
                pool.submit(_run_job, n, points[n], stage.search(n).entries) for n in jobs
            }
        while pending:
            try:
                ended, pending = wait(pending, timeout=0.1, return_when="FIRST_COMPLETED")
                read_events()
                for future in ended:
                    if not future.cancelled():
                        number, outcome, entries = future.result()
                        if outcome is not None:
                            stage.finish(number, outcome)
                        else:
                            stage.search(number).entries = entries
            except KeyboardInterrupt:
                if interrupted:  # for the second time: without waiting for the workers
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                interrupted = True
                stop.set()
                for future in pending:
                    future.cancel()
            except BrokenProcessPool as error:
                read_events()
                raise SSNIBError(
                    f"a process of the fit ended by itself; {stage.done} of {len(points)} starts "
                    "of the stage are done, and a checkpoint keeps what there is"
                ) from error
    return interrupted


class _StoppedError(Exception):
    """The main process wants no more."""


_worker: dict[str, Any] = {}


def _start_worker(problem: FitProblem, settings: Settings, stop: Any, events: Any) -> None:
    # the main process hears Ctrl-C and says when to stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.update(problem=problem, settings=settings, stop=stop, events=events)


def _run_job(
    number: int, point: np.ndarray, known: list[Evaluation]
) -> tuple[int, Outcome | None, list[Evaluation]]:
    """One search in a worker: its outcome, or how far it came."""

    def report(evaluation: Evaluation) -> None:
        _worker["events"].put((number, evaluation))
        if _worker["stop"].is_set():
            raise _StoppedError

    log = Log(_worker["problem"], known, report)
    try:
        if _worker["stop"].is_set():
            raise _StoppedError
        return number, descend(log, point, _worker["settings"]), []
    except _StoppedError:
        return number, None, log.entries


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Processes that start here ignore Ctrl-C; only the main thread can see to that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable | int | None = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _how_far(
    stages: list[str], number: int, stage: Stage, best: Outcome | None, starts: int
) -> str:
    """What Ctrl-C ended, as a message."""
    text = f"interrupted in stage {stages[number]} with {stage.done} of {starts} start(s) done"
    left = stages[number + 1 :]
    text += f", stage {', '.join(left)} not begun" if left else ""
    return f"{text}: the best point so far" + ("" if best else f", of stage {stages[number - 1]}")


def _nothing(stage: Stage, best: Outcome) -> str:
    names = [d.name for d in stage.problem.data for _ in d.labels]
    reasons = dict.fromkeys(
        f"{name}: {reason}" for name, reason in zip(names, best.answer.reasons, strict=True)
    )
    shown = list(reasons)[:3]
    more = f" (and {len(reasons) - len(shown)} more)" if len(reasons) > len(shown) else ""
    return (
        "nothing of the data could be simulated, neither at the start nor at any other point "
        f"tried: {'; '.join(shown)}{more}"
    )


def _notes(problems: list[FitProblem], solver: Solver, starts: int, workers: int) -> list[str]:
    """What there is to say about settings that have no effect, or another one than is usual."""
    data, stages = problems[0].data, [problem.model for problem in problems]
    notes = []
    if workers > 1 and starts == 1:
        notes.append(f"workers is {workers}, but there is one start: one process did it")
    elif workers > starts:
        notes.append(f"workers is {workers}, but there are {starts} starts: as many processes")
    spectra = [d.name for d in data if not d.takes_solver]
    if spectra and stages != ["dfn"]:
        notes.append(f"the spectra {spectra} are those of the full model in every stage")
    notes += dict.fromkeys(p.choice.note for p in problems if p.choice and p.choice.note)
    if len(spectra) == len(data) and solver not in (None, AUTO):
        notes.append("the solver is that of rate tests, of which there are no data")
    return notes
