"""Draws kept in a file, so that a diagnosis that was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.diagnosis.draws import Draw, Joint
from ssnib_model.errors import SSNIBError
from ssnib_model.files import read_bytes, writing
from ssnib_model.results.record import versions

#: Bytes of such a file, at most.
MOST = 500_000_000


class Kept:
    """A line of JSON for what is drawn from, and one for each draw.

    Parameters
    ----------
    path : str, Path or None
        The file; None: nothing is kept.
    joint : Joint
        What is drawn from.
    best : Draw
        Its best point, where every draw begins.
    settings : list of int
        Whatever else makes the draws what they are.

    Attributes
    ----------
    draws : list of Draw
        Those that the file holds.

    Raises
    ------
    SSNIBError
        If the file is of another diagnosis, or cannot be read or written.
    """

    def __init__(self, path: str | Path | None, joint: Joint, best: Draw, settings: list[int]):
        self._path = None if path is None else Path(path)
        self.draws: list[Draw] = []
        if self._path is None:
            return
        what: list[Any] = [
            joint.problem.fingerprint(), best.unit.round(12).tolist(), settings, versions(),
        ]  # fmt: skip
        identity = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        if self._path.exists():
            self._read(identity)
            return
        with writing(self._path.parent):
            self._path.write_text(json.dumps({"diagnosis": identity}) + "\n", encoding="utf-8")

    def _read(self, identity: str) -> None:
        path = self._path
        assert path is not None
        try:
            lines = read_bytes(path, MOST).decode().split("\n")
            same = json.loads(lines[0])["diagnosis"] == identity
            if same:
                # the last one may have been cut
                whole = lines[1:-1]
                self.draws = [_draw(json.loads(line)) for line in whole]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise SSNIBError(f"{path}: is no file of kept draws: {error}") from error
        if not same:
            raise SSNIBError(
                f"{path}: keeps the draws of another diagnosis (of other files, another set, "
                "other settings or versions): remove it, or name another one"
            )
        with writing(path.parent):
            path.write_text("\n".join([lines[0], *whole, ""]), encoding="utf-8")

    def add(self, draw: Draw) -> None:
        """Keep one more."""
        if self._path is None:
            return
        line = json.dumps(
            {
                "unit": draw.unit.tolist(),
                "cost": draw.cost,
                "values": draw.values.tolist(),
                "losses": [[one.name, one.to_dict()] for one in draw.losses],
            }
        )
        with writing(self._path.parent), self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def finish(self) -> None:
        """There is nothing more to draw, and nothing to keep."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _draw(document: Any) -> Draw:
    losses = [pd.Series(values, name=name, dtype=float) for name, values in document["losses"]]
    return Draw(
        np.array(document["unit"], float),
        float(document["cost"]),
        np.array(document["values"], float),
        losses,
    )
