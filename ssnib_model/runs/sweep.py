"""Many rate tests: one at every point of a design."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.rate_test import TABLE_COLUMNS
from ssnib_model.results.record import versions
from ssnib_model.results.store import connected, locked
from ssnib_model.runs.designs import (
    check_design,
    is_number,
    plain,
    whole,
)
from ssnib_model.runs.runner import Runner
from ssnib_model.runs.store import RESULTS, SET, STORE, Store, check_files
from ssnib_model.runs.workers import here, in_processes, on_dask
from ssnib_model.solvers.choice import AUTO, IDAKLU, NAMES, STRUCTURED, Named, named
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.solvers.structured import StructuredSolver
from ssnib_model.words import short

if TYPE_CHECKING:
    import xarray as xr

RUN = "Run"


def sweep(
    parameters: ParameterSet,
    design: pd.DataFrame,
    run: RateTest,
    *,
    model: str = "spm",
    solver: str | StructuredSolver | None = AUTO,
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
    solver : str or StructuredSolver, optional
        "auto" (default), "structured", "idaklu" or a `StructuredSolver`, as for `RateTest.run`.
        A sweep goes on by the solver that it was begun with, whatever "auto" would be.
    out : str or Path, optional
        Folder of the store. Every run is kept there as it ends, and a sweep that was
        interrupted, in whatever way, goes on from there. Without it nothing is kept.
    workers : int, optional
        Threads of this process with the structured solver, whose runs go many at a time through
        compiled code; with IDAKLU, other materials or a time limit, processes. Not those of a
        scheduler with an address, which has its own.
    time_limit : float, optional
        Seconds after which a run is given up; it then gets a row that says so. Refused with a
        scheduler, which knows none.
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
    _check_settings(parameters, run, model, solver, workers, time_limit, scheduler)
    check_design(parameters, design)
    runner = Runner(parameters, run, model, solver, design)
    job = {
        "versions": versions(),
        "model": model,
        "rates": run.rates,
        "charge_rate": run.charge_rate,
        "cycles": run.cycles,
        "initial_state_of_charge": run.initial_state_of_charge,
        "hold": run.hold,
        "rest": run.rest,
        "options": {k: list(v) if isinstance(v, tuple) else v
                    for k, v in parameters.model_options.items()}
                   | {"catholyte": parameters.catholyte},
        "given": {n: _described(i.value) for n, i in parameters.given.items()},
        "design": {name: [plain(v) for v in column] for name, column in design.items()},
    }  # fmt: skip
    if out is None:
        _solver_of(runner)
        return _fill(None, runner, design, workers, time_limit, scheduler, progress)
    folder = Path(out)
    check_files(folder)
    with locked(folder, "sweep"):
        if not (folder / SET).exists():
            parameters.save(folder / SET)
        with connected(folder, STORE, "sweep") as connection:
            known = Store.read_job(connection)
            if known is not None and named(solver) == Named(AUTO):
                runner.solver = _known_solver(known)
            store = Store(connection, job | _solver_of(runner))
            table = _fill(store, runner, design, workers, time_limit, scheduler, progress)
            new = folder / (RESULTS + ".new")
            table.to_csv(new, index=False)
            new.replace(folder / RESULTS)
    return table


def _check_settings(
    parameters: Any,
    run: Any,
    model: Any,
    solver: Any,
    workers: Any,
    time_limit: Any,
    scheduler: str | None,
) -> None:
    """`OptionError` for a setting of a sweep that cannot be used."""
    kinds = {"parameters": (parameters, ParameterSet), "run": (run, RateTest)}
    for name, (given, needed) in kinds.items():
        if not isinstance(given, needed):
            raise OptionError(f"{name} is a {type(given).__name__}: a {needed.__name__} is needed")
    if model not in MODELS:
        raise OptionError(f"model is {model!r}: the model is one of {sorted(MODELS)}")
    if not (solver is None or isinstance(solver, str | Named | StructuredSolver)):
        raise OptionError(
            f"solver is a {type(solver).__name__}: a sweep takes one of {', '.join(NAMES)}, or a "
            "StructuredSolver"
        )
    named(solver)
    whole(workers, "workers", 1)
    positive = is_number(time_limit) and 0 < time_limit < math.inf
    if not (time_limit is None or positive):
        raise OptionError(f"time_limit is {time_limit!r}: it must be a positive number of seconds")
    if scheduler is not None and time_limit is not None:
        raise OptionError(
            f"time_limit is {time_limit:g} with the scheduler {scheduler!r}: a Dask scheduler "
            "knows no limit of a run; leave one of the two out"
        )
    if scheduler not in (None, "local") and workers != 1:
        warnings.warn(
            f"workers is {workers} and has no effect: the scheduler {scheduler!r} has workers of "
            "its own",
            ValidityWarning,
            stacklevel=3,
        )


def _solver_of(runner: Runner) -> dict[str, Any]:
    """What the store keeps of the solver: its tolerances, or None for IDAKLU."""
    choice = runner.choose()
    if choice.note:
        warnings.warn(choice.note, ValidityWarning, stacklevel=3)
    tolerances = {"rtol": choice.solver.rtol, "atol": choice.solver.atol}
    return {"solver": tolerances if choice.name == STRUCTURED else None}


def _known_solver(job: dict[str, Any]) -> str | StructuredSolver:
    """The solver of a store, which it goes on with."""
    return StructuredSolver.from_dict(job["solver"]) if job["solver"] else IDAKLU


def _described(value: object) -> float | str:
    """A value as the store compares it: numbers as they are, all others with what they hold."""
    if isinstance(value, float):
        return value
    if dataclasses.is_dataclass(value):
        content = json.dumps(dataclasses.asdict(value), sort_keys=True)  # type: ignore[arg-type]
        return f"{value}, {hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return str(value)


def resume(folder: str | Path, **settings: Any) -> pd.DataFrame:
    """Go on with a sweep from its folder alone; ``settings`` as for `sweep`."""
    folder = Path(folder)
    if not os.path.isfile(folder / STORE):
        raise SSNIBError(f"{folder}: holds no sweep (no {STORE})")
    job = _job_of(folder)
    if job is None:
        raise SSNIBError(f"{folder}: {STORE} holds no sweep")
    run = RateTest(
        job["rates"],
        charge_rate=job["charge_rate"],
        cycles=job["cycles"],
        initial_state_of_charge=job["initial_state_of_charge"],
        hold=job["hold"],
        rest=job["rest"],
    )
    parameters = ParameterSet(folder / SET)
    design = pd.DataFrame(job["design"])
    solver = _known_solver(job)
    return sweep(
        parameters, design, run, model=job["model"], solver=solver, out=folder, **settings
    )


def _job_of(folder: Path) -> dict[str, Any] | None:
    """What the store of a folder is to be filled with, if that is known."""
    check_files(folder)
    if not os.path.isfile(folder / STORE):
        return None
    with connected(folder, STORE, "sweep") as connection:
        return Store.read_job(connection)


def stored_solver(folder: Path) -> str | StructuredSolver:
    """The solver that the sweep of a folder was begun with, and goes on with; or "auto"."""
    job = _job_of(folder)
    return _known_solver(job) if job else AUTO


def as_dataset(table: pd.DataFrame) -> xr.Dataset:
    """The table of a sweep over a grid as a labelled ``xarray.Dataset``.

    Its dimensions are the parameters of the design and "C-rate"; its variables the results.
    Points that are not in the table are NaN.

    Raises
    ------
    OptionError
        If it is no table of a sweep, or holds a point at one rate twice.
    """
    if list(table.columns[:1]) != [RUN] or "C-rate" not in table:
        raise OptionError(
            f"the table has the columns {short(list(table.columns))}: that of a sweep is needed"
        )
    names = [*table.columns[1 : table.columns.get_loc("C-rate")], "C-rate"]
    twice = table[table.duplicated(names)]
    if len(twice):
        raise OptionError(
            f"the table has {short(twice.iloc[0][names].to_dict())} more than once: a dataset has "
            "one result a point and rate; drop the others first"
        )
    return table.drop(columns=RUN).set_index(names).to_xarray()


def _fill(
    store: Store | None,
    runner: Runner,
    design: pd.DataFrame,
    workers: int,
    time_limit: float | None,
    scheduler: str | None,
    progress: bool,
) -> pd.DataFrame:
    records = design.to_dict("records")
    points = {i: {str(n): plain(v) for n, v in row.items()} for i, row in enumerate(records)}
    found = {} if store is None else dict(store.rows())
    for run in found:
        if run not in points:
            raise SSNIBError(f"the store has a run {run}: the design has 0 to {len(points) - 1}")
    pending = [i for i in points if i not in found]
    bar = tqdm(
        total=len(points), initial=len(points) - len(pending), desc="Sweep", unit="run",
        disable=not progress,
    )  # fmt: skip

    def keep(new: dict[int, list[dict]]) -> None:
        if store is not None:
            store.add(new)
        found.update(new)
        bar.update(len(new))

    with bar, compilation_shown(progress):
        if not pending:
            pass
        elif scheduler is not None:
            on_dask(runner, points, pending, workers, scheduler, keep)
        elif time_limit is None and (workers == 1 or runner.takes_many):
            here(runner, points, pending, workers, keep)
        else:
            in_processes(runner, points, pending, workers, time_limit, keep)
    # a million runs are gigabytes: not twice
    rows = [{RUN: run, **points[run], **row} for run in sorted(found) for row in found.pop(run)]
    table = pd.DataFrame(rows, columns=[RUN, *design.columns, *TABLE_COLUMNS])
    # None is NaN, also where no run has a value
    return table.astype({name: float for name in TABLE_COLUMNS if name != "Status"})
