"""Many rate tests: one at every point of a design."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ssnib_model import provenance
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.materials.solid_electrolytes import swap_layer
from ssnib_model.models.names import MODELS
from ssnib_model.parameters import ParameterSet
from ssnib_model.rate_test import TABLE_COLUMNS, RateTest, RateTestResult
from ssnib_model.runs.designs import MATERIAL, check_design, plain
from ssnib_model.runs.store import RESULTS, SET, STORE, Store, check_files, locked
from ssnib_model.runs.workers import in_processes, on_dask
from ssnib_model.structured import StructuredSolver

RUN = "Run"


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
    check_design(parameters, design)
    job = {
        "versions": provenance.versions(),
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
        "design": {name: [plain(v) for v in column] for name, column in design.items()},
    }  # fmt: skip
    runner = Runner(parameters, run, model, solver, design)
    if out is None:
        store = Store(sqlite3.connect(":memory:"), job)
        return _fill(store, runner, design, workers, time_limit, scheduler, progress)
    folder = Path(out)
    check_files(folder)
    with locked(folder):
        if not (folder / SET).exists():
            parameters.save(folder / SET)
        with contextlib.closing(sqlite3.connect(folder / STORE)) as connection:
            try:
                store = Store(connection, job)
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
    check_files(folder)
    if not os.path.isfile(folder / STORE):
        raise SSNIBError(f"{folder}: holds no sweep (no {STORE})")
    try:
        with contextlib.closing(sqlite3.connect(folder / STORE)) as connection:
            job = Store.read_job(connection)
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


class Runner:
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
    points = {i: {n: plain(v) for n, v in row.items()} for i, row in enumerate(records)}
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
            on_dask(runner, points, pending, workers, scheduler, keep)
        elif workers == 1 and time_limit is None:
            runner.prepare()
            for run in pending:
                keep({run: runner(points[run])})
        else:
            in_processes(runner, points, pending, workers, time_limit, keep)
    # a million runs are gigabytes: not twice
    rows = [{RUN: run, **points[run], **row} for run in sorted(found) for row in found.pop(run)]
    return pd.DataFrame(rows, columns=[RUN, *design.columns, *TABLE_COLUMNS])
