"""A store of runs that loses nothing, in a folder that may come from elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ssnib_model.cell.set_files import FILE_NAME
from ssnib_model.errors import SSNIBError
from ssnib_model.results import store
from ssnib_model.results.rate_test import TABLE_COLUMNS
from ssnib_model.results.store import differences, files_of, from_json, make_tables, tables_of
from ssnib_model.words import short

STORE, RESULTS, SET = "sweep.sqlite", "results.csv", "parameters"

#: The only tables that a store may hold.
SCHEMA = {
    "job": "CREATE TABLE job (text text)",
    "runs": "CREATE TABLE runs (run integer primary key, rows text)",
}


def check_files(folder: Path) -> None:
    """Nothing in the folder of a sweep may lead out of it, or be a device that has no end."""
    files = (*files_of(STORE), RESULTS, f"{RESULTS}.new", store.LOCK, f"{SET}/{FILE_NAME}")
    store.check_files(folder, files, folders=[SET])


class Store:
    """Rows as they come, in a database that a kill cannot spoil."""

    def __init__(self, connection: sqlite3.Connection, job: dict):
        self.connection = connection
        make_tables(connection, SCHEMA, "sweep")
        known = self.read_job(connection)
        if known is None:
            with connection:
                connection.execute("insert into job values (?)", [json.dumps(job)])
        elif known != json.loads(json.dumps(job)):
            raise SSNIBError(
                "the folder holds another sweep: " + "; ".join(differences(known, job))
            )

    @classmethod
    def read_job(cls, connection: sqlite3.Connection) -> dict | None:
        if "job" not in tables_of(connection, SCHEMA, "sweep"):
            return None
        row = connection.execute("select text from job").fetchone()
        return _checked_job(from_json(row[0])) if row else None

    def add(self, found: dict[int, list[dict]]) -> None:
        """Rows by run, all or none of them."""
        lines = [(run, json.dumps(rows)) for run, rows in found.items()]
        with self.connection:
            self.connection.executemany("insert into runs values (?, ?)", lines)

    def rows(self) -> Iterator[tuple[int, list[dict]]]:
        for run, text in self.connection.execute("select run, rows from runs order by run"):
            rows = from_json(text)
            if not isinstance(rows, list) or not all(map(_is_row, rows)):
                raise SSNIBError(
                    f"the store has {short(rows)} as run {run}: a list of rows of a rate test is "
                    "needed"
                )
            yield run, rows


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
        "initial_state_of_charge": float | None, "hold": float | str | None,
        "rest": float | None, "options": dict, "given": dict, "design": dict,
    }  # fmt: skip
    if isinstance(job, dict):  # those of earlier versions had neither
        job = {"hold": None, "rest": None} | job
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
