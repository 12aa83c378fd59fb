"""What a run has done so far, step by step, in a folder: it goes on from there after any end."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ssnib_model.errors import SSNIBError
from ssnib_model.results.step import StepResult
from ssnib_model.results.store import (
    LOCK,
    check_files,
    connected,
    differences,
    files_of,
    from_json,
    locked,
    make_tables,
)
from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Planned

#: By what it was run with: the solver that was chosen, or another where that gave up.
STORES = {"": "run.sqlite", "idaklu": "run_idaklu.sqlite", "finer": "run_finer.sqlite"}

#: Steps after which all is written. There the state goes through its written form in every run
#: that has a folder, interrupted or not: so both give the same to the last bit.
INTERVAL = 50

#: The only tables that a store may hold. Of the state there is one row, the last one.
SCHEMA = {
    "job": "CREATE TABLE job (text text)",
    "steps": "CREATE TABLE steps (number integer primary key, text text)",
    "state": "CREATE TABLE state (number integer primary key, text text)",
}


class RunFolder:
    """A folder that a run writes to as it goes.

    Parameters
    ----------
    folder : str or Path
        Made if need be.
    job : dict
        What is run, which must be that of the folder.

    Raises
    ------
    SSNIBError
        If the folder holds another run, is in use, or cannot be written.
    """

    def __init__(self, folder: str | Path, job: dict[str, Any]):
        self.folder, self._job = Path(folder), json.loads(json.dumps(job))
        if job["parameters"]["files"] is None:
            raise SSNIBError(
                f"{folder}: a run with a Python function as a parameter cannot be gone on with: "
                "leave out the folder"
            )
        check_files(self.folder, [*(f for s in STORES.values() for f in files_of(s)), LOCK])

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """For this process alone."""
        with locked(self.folder, "run"):
            yield

    @contextlib.contextmanager
    def store(self, name: str) -> Iterator[RunStore]:
        """What was done with one of them."""
        with connected(self.folder, STORES[name], "run") as connection:
            yield RunStore(connection, self._job)


class RunStore:
    """Steps as they come, in a database that a kill cannot spoil."""

    def __init__(self, connection: sqlite3.Connection, job: dict[str, Any]):
        self.connection = connection
        make_tables(connection, SCHEMA, "run")
        row = connection.execute("select text from job").fetchone()
        if row is None:
            with connection:
                connection.execute("insert into job values (?)", [json.dumps(job)])
        elif (known := from_json(row[0])) != job:
            words = differences(known, job) if isinstance(known, dict) else ["its job is none"]
            raise SSNIBError("the folder holds another run: " + "; ".join(words))

    def read(self, planned: Sequence[Planned]) -> tuple[list[StepResult], CellState | None]:
        """The steps that were done, and the state after them."""
        steps: list[StepResult] = []
        for number, text in self.connection.execute("select * from steps order by number"):
            try:
                if number != len(steps) + 1:
                    raise ValueError(f"step {len(steps) + 1} is not there")
                steps.append(StepResult.from_dict(number, planned[number - 1], from_json(text)))
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise SSNIBError(f"the store is damaged at step {number}: {error}") from error
        row = self.connection.execute("select number, text from state").fetchone()
        if (row[0] if row else 0) != len(steps):
            raise SSNIBError("the store is damaged: its state is not that after its last step")
        state = from_json(row[1]) if row else None
        return steps, None if state is None else CellState.from_dict(state)

    def add(self, steps: Sequence[StepResult], state: CellState | None) -> None:
        """Steps and the state after them, all or nothing."""
        lines = [(s.number, json.dumps(s.to_dict(), allow_nan=False)) for s in steps]
        text = json.dumps(None if state is None else state.to_dict(), allow_nan=False)
        with self.connection:
            self.connection.executemany("insert into steps values (?, ?)", lines)
            self.connection.execute("delete from state")
            self.connection.execute("insert into state values (?, ?)", [steps[-1].number, text])
