"""Many rate tests: designs, a store that loses nothing, and the workers that fill it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import math
import multiprocessing
import numbers
import os
import sqlite3
import stat
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from scipy.stats import qmc
from tqdm import tqdm

from ssnib_model.cell.electrolytes import swap_layer
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.set_files import FILE_NAME
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results import record
from ssnib_model.results.rate_test import TABLE_COLUMNS, RateTestResult
from ssnib_model.solvers.structured import StructuredSolver
from ssnib_model.words import short

STORE, RESULTS, SET = "sweep.sqlite", "results.csv", "parameters"
RUN = "Run"

#: A column of a design that ends so names the solid electrolyte of a layer.
MATERIAL = " layer material"

#: What a process is given at a time [s]: fast runs one by one would have it wait for us.
BATCH_SECONDS = 0.1

#: Tasks that a Dask cluster is given at least, and the most runs of one.
DASK_TASKS, DASK_BATCH = 1000, 50

#: Runs of one design.
MAX_RUNS = 2_000_000

#: The only tables that a store may hold: a view or trigger from elsewhere is code.
SCHEMA = {
    "job": "CREATE TABLE job (text text)",
    "runs": "CREATE TABLE runs (run integer primary key, rows text)",
}


# -------------------------------------------------------------------- designs
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
    values = {name: [_plain(x) for x in np.atleast_1d(v)] for name, v in axes.items()}
    if not values or not all(values.values()):
        raise OptionError("a grid needs at least one parameter with at least one value")
    _check_size(math.prod(map(len, values.values())))
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
    _check_size(n)
    unit = samplers[method](len(ranges), seed=seed).random(n)
    columns = {}
    for (name, (low, high, *log)), u in zip(ranges.items(), unit.T, strict=True):
        if log and low <= 0:
            raise OptionError(f'"{name}" has the range {low} to {high}: a logarithm needs > 0')
        a, b = (math.log(low), math.log(high)) if log else (low, high)
        columns[name] = np.exp(a + u * (b - a)) if log else a + u * (b - a)
    return pd.DataFrame(columns)


def _check_size(n: int) -> None:
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


def _check_design(parameters: ParameterSet, design: pd.DataFrame) -> None:
    """Only known names, with materials by name and all others by number."""
    if design.empty or not len(design.columns):
        raise OptionError("the design is empty: at least one run of one parameter is needed")
    if not design.columns.is_unique:
        raise OptionError(
            f"the columns of the design are {list(design.columns)}: they must differ"
        )
    _check_size(len(design))
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


def _plain(value):
    """A number or a name, as JSON and a database keep it."""
    return str(value) if isinstance(value, str) else float(value)


# -------------------------------------------------------------------- the sweep
def sweep(
    parameters: ParameterSet,
    design: pd.DataFrame,
    run: RateTest,
    *,
    model: str = "spm",
    solver: StructuredSolver | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    time_limit: float | None = None,
    scheduler: str | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Run a rate test at every point of a design.

    Parameters
    ----------
    parameters : ParameterSet
        The cell; the design replaces some of its values.
    design : pandas.DataFrame
        One row a run, one column a parameter, as from `grid` or `sample`.
    run : RateTest
        What to run.
    model : str, optional
        "spm" (default) or "dfn".
    solver : StructuredSolver, optional
        An order of magnitude faster than the solver of the model, for the options it has.
    out : str or Path, optional
        Folder of the store. Every run is kept there as it ends, and a sweep that was
        interrupted, in whatever way, goes on from there. Without it nothing is kept.
    workers : int, optional
        Processes.
    time_limit : float, optional
        Seconds after which a run is given up; it then gets a row that says so. Not with a
        scheduler.
    scheduler : str, optional
        Address of a Dask scheduler, or "local" for a cluster of ``workers`` processes on this
        machine (extra ``[distributed]``).
    progress : bool, optional
        Whether to show progress, rate and time left on stderr.

    Returns
    -------
    pandas.DataFrame
        One row a run and rate: "Run", the parameters of the design, and the columns of the
        table of a rate test, in the order of the design whatever the order of the work.

    Raises
    ------
    OptionError
        For a design or setting that is not allowed.
    SSNIBError
        If the store belongs to another sweep, is in use, or cannot be written.
    """
    if model not in MODELS or workers < 1 or not (time_limit is None or time_limit > 0):
        raise OptionError(
            f"model is {model!r}, workers {workers}, time_limit {time_limit}: the model is one "
            f"of {sorted(MODELS)}, workers at least 1, and a time limit positive"
        )
    _check_design(parameters, design)
    job = {
        "versions": record.versions(),
        "model": model,
        "solver": None if solver is None else dataclasses.asdict(solver),
        "rates": run.rates,
        "charge_rate": run.charge_rate,
        "cycles": run.cycles,
        "initial_state_of_charge": run.initial_state_of_charge,
        "options": {k: list(v) if isinstance(v, tuple) else v
                    for k, v in parameters.model_options.items()},
        "given": {n: i.value if isinstance(i.value, float) else str(i.value)
                  for n, i in parameters.given.items()},
        "design": {name: [_plain(v) for v in column] for name, column in design.items()},
    }  # fmt: skip
    runner = _Runner(parameters, run, model, solver, design)
    if out is None:
        store = _Store(sqlite3.connect(":memory:"), job)
        return _fill(store, runner, design, workers, time_limit, scheduler, progress)
    folder = Path(out)
    _check_files(folder)
    with _locked(folder):
        if not (folder / SET).exists():
            parameters.save(folder / SET)
        with contextlib.closing(sqlite3.connect(folder / STORE)) as connection:
            try:
                store = _Store(connection, job)
                table = _fill(store, runner, design, workers, time_limit, scheduler, progress)
                new = folder / (RESULTS + ".new")
                table.to_csv(new, index=False)
                new.replace(folder / RESULTS)
            except (sqlite3.OperationalError, OSError) as error:
                raise SSNIBError(
                    f"{folder}: the store cannot be written ({error}); what it holds is valid, "
                    "and the sweep goes on from there"
                ) from error
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise SSNIBError(f"{folder}: {STORE} cannot be read: {error}") from error
    return table


def resume(folder: str | Path, **settings) -> pd.DataFrame:
    """Go on with a sweep from its folder alone; ``settings`` as for `sweep`."""
    folder = Path(folder)
    _check_files(folder)
    if not os.path.isfile(folder / STORE):
        raise SSNIBError(f"{folder}: holds no sweep (no {STORE})")
    try:
        with contextlib.closing(sqlite3.connect(folder / STORE)) as connection:
            job = _Store.read_job(connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter from its own message
        raise SSNIBError(f"{folder}: {STORE} cannot be read: {error}") from error
    if job is None:
        raise SSNIBError(f"{folder}: {STORE} holds no sweep")
    run = RateTest(
        job["rates"],
        charge_rate=job["charge_rate"],
        cycles=job["cycles"],
        initial_state_of_charge=job["initial_state_of_charge"],
    )
    parameters = ParameterSet(folder / SET)
    design = pd.DataFrame(job["design"])
    solver = StructuredSolver.from_dict(job["solver"]) if job["solver"] else None
    return sweep(
        parameters, design, run, model=job["model"], solver=solver, out=folder, **settings
    )


def as_dataset(table: pd.DataFrame):
    """The table of a sweep over a grid as a labelled ``xarray.Dataset``.

    Its dimensions are the parameters of the design and "C-rate"; its variables the results.
    Points that are not in the table are NaN.
    """
    parameters = list(table.columns[1 : table.columns.get_loc("C-rate")])
    return table.drop(columns=RUN).set_index([*parameters, "C-rate"]).to_xarray()


#: What a sweep opens in its folder, which may come from elsewhere.
_FILES = (STORE, f"{STORE}-journal", f"{STORE}-wal", f"{STORE}-shm", RESULTS, f"{RESULTS}.new",
          ".lock", SET, f"{SET}/{FILE_NAME}")  # fmt: skip


def _check_files(folder: Path) -> None:
    """Nothing in the folder of a sweep may lead out of it, or be a device that has no end."""
    for file in _FILES:
        try:
            kind = (folder / file).lstat().st_mode
        except (OSError, ValueError):
            continue  # not there; whether it can be written shows later
        if not (stat.S_ISDIR(kind) if file == SET else stat.S_ISREG(kind)):
            needed = "folder" if file == SET else "regular file"
            raise SSNIBError(
                f"{folder / file}: must be a {needed}, not a link, a device or the like"
            )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise SSNIBError(f"{folder}: another process is at work on this sweep") from None
    except OSError as error:
        raise SSNIBError(f"{folder}: cannot be written: {error.strerror}") from error


class _Store:
    """Rows as they come, in a database that a kill cannot spoil."""

    def __init__(self, connection: sqlite3.Connection, job: dict):
        self.connection = connection
        with connection:
            for name in SCHEMA.keys() - self._tables(connection):
                connection.execute(SCHEMA[name])
        known = self.read_job(connection)
        if known is None:
            with connection:
                connection.execute("insert into job values (?)", [json.dumps(job)])
        elif known != json.loads(json.dumps(job)):
            raise SSNIBError(
                "the folder holds another sweep: " + "; ".join(_differences(known, job))
            )

    @staticmethod
    def _tables(connection: sqlite3.Connection) -> set[str]:
        """The tables that are there; nothing else may be."""
        found = dict(connection.execute("select name, sql from sqlite_master"))
        if not found.items() <= SCHEMA.items():
            raise SSNIBError(
                f"the store holds {short(found)}: only the tables {list(SCHEMA)} of a sweep are "
                "allowed"
            )
        return set(found)

    @classmethod
    def read_job(cls, connection: sqlite3.Connection) -> dict | None:
        if "job" not in cls._tables(connection):
            return None
        row = connection.execute("select text from job").fetchone()
        return _checked_job(_from_json(row[0])) if row else None

    def add(self, found: dict[int, list[dict]]) -> None:
        """Rows by run, all or none of them."""
        lines = [(run, json.dumps(rows)) for run, rows in found.items()]
        with self.connection:
            self.connection.executemany("insert into runs values (?, ?)", lines)

    def rows(self) -> Iterator[tuple[int, list[dict]]]:
        for run, text in self.connection.execute("select run, rows from runs order by run"):
            rows = _from_json(text)
            if not isinstance(rows, list) or not all(map(_is_row, rows)):
                raise SSNIBError(
                    f"the store has {short(rows)} as run {run}: a list of rows of a rate test is "
                    "needed"
                )
            yield run, rows


def _from_json(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise SSNIBError(f"the store has {short(text)}, which is not JSON") from error


def _is_row(row) -> bool:
    """Whether this is a row of the table of a rate test, as JSON."""
    return (
        isinstance(row, dict)
        and set(row) == set(TABLE_COLUMNS)
        and isinstance(row["Status"], str)
        and all(v is None or _is_json_number(v) for k, v in row.items() if k != "Status")
    )


def _is_json_number(value) -> bool:
    # any float or whole number that is one
    return type(value) in (int, float) and abs(value) <= 1e300


def _checked_job(job) -> dict:
    """The job of a store, if it has the shape that `sweep` gives it."""
    shape = {
        "versions": dict, "model": str, "solver": dict | None, "rates": list,
        "charge_rate": float | None, "cycles": int,
        "initial_state_of_charge": float | None, "options": dict, "given": dict, "design": dict,
    }  # fmt: skip
    problems = [] if isinstance(job, dict) and set(job) == set(shape) else ["its fields"]
    if not problems:
        problems = [key for key, kind in shape.items() if not isinstance(job[key], kind)]
    if not problems:
        columns = list(job["design"].values())
        same = all(isinstance(c, list) and len(c) == len(columns[0]) for c in columns)
        problems = [] if same else ["design"]
    if problems:
        raise SSNIBError(
            f"the store holds the job {short(job)}, which is none of a sweep "
            f"({', '.join(problems)} cannot be used)"
        )
    return job


def _differences(known: dict, asked: dict) -> list[str]:
    asked = json.loads(json.dumps(asked))
    parts = []
    for key in known:
        if known[key] == asked.get(key):
            continue
        if isinstance(known[key], dict) and isinstance(asked.get(key), dict):
            names = [
                n for n in {*known[key], *asked[key]} if known[key].get(n) != asked[key].get(n)
            ]
            parts.append(f"{key} differs in {', '.join(sorted(names)[:3])}")
        else:
            parts.append(f"{key} is {known[key]} there and {asked.get(key)} here")
    return parts


class _Runner:
    """One point of the design to the rows of its rate test; the model is built once."""

    def __init__(self, parameters: ParameterSet, run: RateTest, model: str, solver, design):
        self.parameters, self.run, self.model, self.solver = parameters, run, model, solver
        # two points that differ in every column which varies at all: a process that is sent a
        # long design would keep the others waiting
        self._sides = [
            {name: getattr(column, pick)() for name, column in design.items()}
            for pick in ("min", "max")
        ]
        self._prepared = None

    @property
    def is_prepared(self) -> bool:
        """Whether the model is built."""
        return self._prepared is not None

    def prepare(self) -> None:
        """Make an input of all that follows from the parameters of the design."""
        sides = []
        for point in self._sides:
            try:
                sides.append(self._changed(point))
            except SSNIBError:
                sides.append(self.parameters)
        values, columns = self.parameters.to_pybamm(), list(self._sides[0])
        varying = {n for n in self.parameters if n in values and n in columns}
        for column in columns:
            if column.endswith(MATERIAL):
                layer = column.removesuffix(MATERIAL) + " layer conductivity"
                varying |= {n for n in values if n.startswith(layer)}
        for side in sides:
            varying |= {n for n in side if n in values and side[n] != self.parameters[n]}
        model = MODELS[self.model](self.parameters.model_options)
        self._prepared = self.run.prepare(
            model, self.parameters, varying=varying, solver=self.solver
        )

    def __call__(self, point: dict[str, float]) -> list[dict]:
        try:
            parameters = self._changed(point)
        except SSNIBError as error:
            return self.failed(str(error).splitlines()[0])
        half_cycles = self._prepared.half_cycles(parameters)
        rows = RateTestResult(self.run, parameters, half_cycles, self.model).rows
        return [{name: None if v != v else v for name, v in row.items()} for row in rows]

    def _changed(self, point: Mapping) -> ParameterSet:
        """The set at one point: materials first, then values."""
        parameters = self.parameters
        for name in (n for n in point if n.endswith(MATERIAL)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ValidityWarning)
                parameters = swap_layer(parameters, name.removesuffix(MATERIAL), point[name])
        return parameters.replace({n: v for n, v in point.items() if not n.endswith(MATERIAL)})

    def failed(self, reason: str) -> list[dict]:
        """A row a rate that says why there is no result."""
        nothing = dict.fromkeys(TABLE_COLUMNS)
        return [nothing | {"C-rate": r, "Status": f"failed: {reason}"} for r in self.run.rates]


def _fill(store, runner, design, workers, time_limit, scheduler, progress) -> pd.DataFrame:
    records = design.to_dict("records")
    points = {i: {n: _plain(v) for n, v in row.items()} for i, row in enumerate(records)}
    found = dict(store.rows())
    for run in found:
        if run not in points:
            raise SSNIBError(f"the store has a run {run}: the design has 0 to {len(points) - 1}")
    pending = [i for i in points if i not in found]
    bar = tqdm(
        total=len(points), initial=len(points) - len(pending), desc="Sweep", unit="run",
        disable=not progress,
    )  # fmt: skip

    def keep(new: dict[int, list[dict]]) -> None:
        store.add(new)
        found.update(new)
        bar.update(len(new))

    with bar:
        if not pending:
            pass
        elif scheduler is not None:
            _on_dask(runner, points, pending, workers, scheduler, keep)
        elif workers == 1 and time_limit is None:
            runner.prepare()
            for run in pending:
                keep({run: runner(points[run])})
        else:
            _in_processes(runner, points, pending, workers, time_limit, keep)
    # a million runs are gigabytes: not twice
    rows = [{RUN: run, **points[run], **row} for run in sorted(found) for row in found.pop(run)]
    return pd.DataFrame(rows, columns=[RUN, *design.columns, *TABLE_COLUMNS])


# -------------------------------------------------------------------- processes
def _work(connection, runner: _Runner) -> None:
    runner.prepare()
    connection.send(None)  # ready
    while (batch := connection.recv()) is not None:
        connection.send([runner(point) for point in batch])


@dataclasses.dataclass
class _Worker:
    process: multiprocessing.process.BaseProcess
    runs: list[int]  # that it is at work on; none while it starts
    began: float = 0.0


def _in_processes(runner, points, pending, workers, time_limit, keep: Callable) -> None:
    """Hand points to processes; one that dies or takes too long is replaced, its run kept."""
    context = multiprocessing.get_context("spawn")
    queue = list(reversed(pending))
    alive: dict[Connection, _Worker] = {}
    # runs at a time; a limit, or a process that died, needs to know which it was
    batch, may_grow = 1, time_limit is None

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, runner), daemon=True)
        process.start()
        theirs.close()
        alive[ours] = _Worker(process, [])

    def hand_out(connection) -> None:
        worker = alive.pop(connection)
        # no more than its share, so that all end together
        runs = [queue.pop() for _ in range(min(batch, math.ceil(len(queue) / workers)))]
        if runs:
            alive[connection] = _Worker(worker.process, runs, time.monotonic())
        with contextlib.suppress(OSError):  # it has died: there will be no answer either
            connection.send([points[run] for run in runs] or None)

    def give_up(connection, reason: str) -> None:
        worker = alive.pop(connection)
        worker.process.kill()
        if not worker.runs:
            raise SSNIBError(f"a worker of the sweep could not start ({reason})")
        if len(worker.runs) == 1:
            keep({worker.runs[0]: runner.failed(reason)})
        else:  # one by one, to see which it was
            queue.extend(reversed(worker.runs))
        if queue:
            start()

    try:
        for _ in range(min(workers, len(queue))):
            start()
        while alive:
            for connection in wait(list(alive), timeout=0.2):
                worker = alive[connection]
                try:
                    found = connection.recv()
                except (EOFError, OSError):
                    batch, may_grow = 1, False
                    give_up(connection, "its process died")
                    continue
                if worker.runs and may_grow:
                    a_run = (time.monotonic() - worker.began) / len(worker.runs)
                    batch = max(1, int(BATCH_SECONDS / a_run))
                hand_out(connection)  # first: it works on while we write
                if worker.runs:
                    keep(dict(zip(worker.runs, found, strict=True)))
            for connection, worker in list(alive.items()):
                if worker.runs and time.monotonic() - worker.began > (time_limit or math.inf):
                    give_up(connection, f"it took longer than {time_limit:g} s")
    finally:
        for worker in alive.values():
            worker.process.kill()


# -------------------------------------------------------------------- Dask
def _on_worker(runner: _Runner, batch: list[dict]) -> list[list[dict]]:
    # a worker gets the runner once and keeps the model it builds
    if not runner.is_prepared:
        runner.prepare()
    return [runner(point) for point in batch]


def _on_dask(runner, points, pending, workers, scheduler, keep: Callable) -> None:
    """Hand all points to a Dask cluster and keep the rows in the order they come back."""
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise SSNIBError(
            "a scheduler needs Dask: pip install 'ssnib_model[distributed]'"
        ) from error
    with contextlib.ExitStack() as stack:
        if scheduler == "local":
            # one thread a worker: a prepared model serves one run at a time
            scheduler = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
        try:
            client = stack.enter_context(Client(scheduler, timeout="10s"))
        except (OSError, ValueError) as error:
            raise SSNIBError(f"no Dask scheduler at {scheduler}: {error}") from error
        everywhere = client.scatter(runner, broadcast=True)

        def submit(runs: list[int]):
            batch = [points[run] for run in runs]
            return client.submit(_on_worker, everywhere, batch, pure=False)

        # the scheduler takes some milliseconds a task: many runs come in batches
        size = min(max(len(pending) // DASK_TASKS, 1), DASK_BATCH)
        batches = [pending[i : i + size] for i in range(0, len(pending), size)]
        tasks = {submit(runs): runs for runs in batches}
        completed = as_completed(tasks)
        for future in completed:
            runs, error = tasks.pop(future), future.exception()
            if error is None:
                keep(dict(zip(runs, future.result(), strict=True)))
            elif len(runs) == 1:
                keep({runs[0]: runner.failed(f"on its worker: {error}")})
            else:  # one by one, to see which it was
                again = {submit([run]): [run] for run in runs}
                tasks.update(again)
                completed.update(again)
