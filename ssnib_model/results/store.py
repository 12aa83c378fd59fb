"""What a long run has done so far, in a folder that may come from elsewhere."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ssnib_model.errors import SSNIBError
from ssnib_model.words import short

LOCK = ".lock"


def files_of(store: str) -> tuple[str, ...]:
    """What SQLite opens for a store of this name."""
    return store, f"{store}-journal", f"{store}-wal", f"{store}-shm"


def check_files(folder: Path, files: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Nothing that is opened in a folder may lead out of it, or be a device that has no end."""
    folders = set(folders)
    for file in (*files, *folders):
        try:
            kind = (folder / file).lstat().st_mode
        except (OSError, ValueError):
            continue  # not there; whether it can be written shows later
        if not (stat.S_ISDIR(kind) if file in folders else stat.S_ISREG(kind)):
            needed = "folder" if file in folders else "regular file"
            raise SSNIBError(
                f"{folder / file}: must be a {needed}, not a link, a device or the like"
            )


@contextlib.contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """The folder of a sweep or the like for this process alone, made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout:
        raise SSNIBError(f"{folder}: another process is at work on this {what}") from None
    except OSError as error:
        raise SSNIBError(f"{folder}: cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def connected(folder: Path, store: str, what: str) -> Iterator[sqlite3.Connection]:
    """A database in a folder; what goes wrong becomes one sentence."""
    try:
        with contextlib.closing(sqlite3.connect(folder / store)) as connection:
            yield connection
    except (sqlite3.OperationalError, OSError) as error:
        raise SSNIBError(
            f"{folder}: the store cannot be written ({error}); what it holds is valid, and the "
            f"{what} goes on from there"
        ) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter from its own message
        raise SSNIBError(f"{folder}: {store} cannot be read: {error}") from error


def tables_of(connection: sqlite3.Connection, schema: Mapping[str, str], what: str) -> set[str]:
    """The tables that are there; nothing else may be: a view or trigger is code."""
    found = dict(connection.execute("select name, sql from sqlite_master"))
    if not found.items() <= schema.items():
        raise SSNIBError(
            f"the store holds {short(found)}: only the tables {list(schema)} of a {what} are "
            "allowed"
        )
    return set(found)


def make_tables(connection: sqlite3.Connection, schema: Mapping[str, str], what: str) -> None:
    """The tables of a store, where they are not there."""
    with connection:
        for name in schema.keys() - tables_of(connection, schema, what):
            connection.execute(schema[name])


def from_json(text: Any) -> Any:
    """What a store holds."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise SSNIBError(f"the store has {short(text)}, which is not JSON") from error


def differences(known: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What of two jobs is not the same, a clause each."""
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
