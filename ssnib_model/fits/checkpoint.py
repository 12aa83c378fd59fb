"""What a fit has done so far, in a file: it goes on from there as if it had never ended.

Of every search that is under way the file holds all it has evaluated, in order. A search is a
function of nothing else, so that running it again with these answers leads to where it was, and
from there to where it would have gone; nothing is simulated twice.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ssnib_model.errors import SSNIBError, ValidityWarning
from ssnib_model.files import read_bytes
from ssnib_model.fits.problem import Answer, FitProblem

#: Of the files that this version writes.
FORMAT = 2

#: Bytes; it holds the data of the fit, and all that the searches under way have evaluated.
MAX_CHECKPOINT_SIZE = 100_000_000

#: Part of the time of a fit that may go into writing.
EFFORT = 0.05


@dataclass(frozen=True)
class Evaluation:
    """What a search asked for, and what it got: an answer, or a matrix of derivatives."""

    unit: np.ndarray
    result: Answer | np.ndarray


@dataclass
class Outcome:
    """Where a search ended, or how far it has come.

    ``cost`` is that of data and priors; ``jacobian`` is None where nobody has asked for it yet;
    ``is_there`` tells whether any point tried had an answer.
    """

    unit: np.ndarray
    cost: float
    message: str
    solves: int
    answer: Answer
    jacobian: np.ndarray | None
    is_there: bool


class Log:
    """Answers to a search: what is known already first, then the problem's.

    Parameters
    ----------
    problem : FitProblem
        Of the search.
    known : sequence of Evaluation
        What an earlier run of the same search has evaluated, in order.
    report : callable
        Is given every new `Evaluation`; may raise to end the search.
    """

    def __init__(
        self,
        problem: FitProblem,
        known: Sequence[Evaluation] = (),
        report: Callable[[Evaluation], None] = lambda evaluation: None,
    ):
        self.problem, self.entries = problem, list(known)
        self._report, self._place = report, 0

    def answer(self, unit: np.ndarray) -> Answer:
        """As `FitProblem.answer`."""
        found = self._next(unit, Answer)
        return found if found is not None else self._new(unit, self.problem.answer(unit))

    def jacobian(self, unit: np.ndarray) -> np.ndarray:
        """As `FitProblem.jacobian`."""
        found = self._next(unit, np.ndarray)
        return found if found is not None else self._new(unit, self.problem.jacobian(unit))

    def _next(self, unit: np.ndarray, kind: type) -> Any:
        if self._place < len(self.entries):
            entry = self.entries[self._place]
            if isinstance(entry.result, kind) and np.array_equal(entry.unit, unit):
                self._place += 1
                return entry.result
            # another arithmetic than that of the earlier run: what follows was not asked for
            del self.entries[self._place :]
        return None

    def _new(self, unit: np.ndarray, result: Any) -> Any:
        evaluation = Evaluation(np.array(unit, float), result)
        self.entries.append(evaluation)
        self._place += 1
        self._report(evaluation)
        return result


def best_of(problem: FitProblem, entries: Iterable[Evaluation], message: str) -> Outcome | None:
    """The best of what a search has evaluated; None before its first answer."""
    best: Outcome | None = None
    solves, is_there = 0, False
    for entry in entries:
        solves += 1
        if isinstance(entry.result, Answer):
            is_there = is_there or entry.result.is_there
            residuals = problem.residuals_of(entry.result, entry.unit)
            cost = float(residuals @ residuals)
            if best is None or cost < best.cost:
                best = Outcome(entry.unit, cost, message, 0, entry.result, None, False)
        elif best is not None and np.array_equal(entry.unit, best.unit):
            best.jacobian = entry.result
    if best is not None:
        best.solves, best.is_there = solves, is_there
    return best


@dataclass
class Search:
    """One search: its evaluations while it is under way, then its cost and solves.

    ``outcome`` is kept whole for the best one of a stage only.
    """

    entries: list[Evaluation] = field(default_factory=list)
    cost: float | None = None
    solves: int = 0
    is_there: bool = False
    outcome: Outcome | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end."""
        return self.cost is not None


class Stage:
    """The searches of one model from all starting points, by their number."""

    def __init__(self, problem: FitProblem, changed: Callable[[], None]):
        self.problem, self._changed = problem, changed
        self.searches: dict[int, Search] = {}

    def search(self, number: int) -> Search:
        """A search, new if there is none of this number."""
        return self.searches.setdefault(number, Search())

    def add(self, number: int, evaluation: Evaluation) -> None:
        """A search has evaluated something."""
        search = self.search(number)
        if not search.is_done:
            search.entries.append(evaluation)
            self._changed()

    def finish(self, number: int, outcome: Outcome) -> None:
        """A search has come to its end."""
        search = self.search(number)
        search.entries = []
        search.cost, search.solves = outcome.cost, outcome.solves
        search.is_there = outcome.is_there
        before = self._best_done()
        if before is None or (outcome.cost, number) < before:
            for other in self.searches.values():
                other.outcome = None
            search.outcome = outcome
        self._changed()

    def _best_done(self) -> tuple[float, int] | None:
        done = [(s.cost, n) for n, s in self.searches.items() if s.cost is not None and s.outcome]
        return min(done) if done else None

    @property
    def done(self) -> int:
        """Number of searches that have come to their end."""
        return sum(search.is_done for search in self.searches.values())

    def best(self) -> Outcome | None:
        """The best point of all searches, done or under way, with all their solves."""
        found: list[tuple[float, int, Outcome]] = []
        solves, is_there = 0, False
        for number, search in self.searches.items():
            outcome = search.outcome
            if search.is_done:
                solves, is_there = solves + search.solves, is_there or search.is_there
            else:
                outcome = best_of(self.problem, search.entries, "")
                solves += outcome.solves if outcome else 0
                is_there = is_there or bool(outcome and outcome.is_there)
            if outcome:
                found.append((outcome.cost, number, outcome))
        if not found:
            return None
        *_, best = min(found, key=lambda item: item[:2])
        return Outcome(
            best.unit, best.cost, best.message, solves, best.answer, best.jacobian, is_there
        )


class Checkpoint:
    """All stages of a fit, kept in a file if there is a path.

    Parameters
    ----------
    path : Path or None
        The file; if it exists the fit goes on from there.
    problems : list of FitProblem
        One a stage.
    settings : dict
        Of the search; with the problems, what the file must agree with.

    Raises
    ------
    SSNIBError
        If the file belongs to another fit, is none of this kind, or cannot be written.
    """

    def __init__(self, path: str | Path | None, problems: list[FitProblem], settings: dict):
        self.path = None if path is None else Path(path)
        self._fit = {
            **problems[0].fingerprint(),
            "settings": {**settings, "model": "+".join(problem.model for problem in problems)},
        }
        # as it comes back from the file
        self._fit = json.loads(json.dumps(self._fit))
        self.stages = [Stage(problem, self._changed) for problem in problems]
        self._written, self._took, self._broken = 0.0, 0.0, False
        if self.path is None:
            return
        if not self.path.parent.is_dir():
            raise SSNIBError(f"checkpoint {path}: the folder {self.path.parent} does not exist")
        if os.path.lexists(self.path):
            self._read(self.path)
        try:
            self._write(self.path)
        except OSError as error:
            raise SSNIBError(f"checkpoint {path}: cannot be written: {error.strerror}") from error

    def flush(self) -> None:
        """Write all there is; a file that cannot be written does not end the fit."""
        if self.path is None or self._broken:
            return
        try:
            self._write(self.path)
        except OSError as error:
            self._broken = True
            warnings.warn(
                f"checkpoint {self.path}: can no longer be written: {error.strerror}; the fit "
                "goes on without",
                ValidityWarning,
                stacklevel=2,
            )

    def discard(self) -> None:
        """Remove the file: there is nothing in it to go on from."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _changed(self) -> None:
        if time.perf_counter() - self._written > self._took / EFFORT:
            self.flush()

    def _write(self, path: Path) -> None:
        began = time.perf_counter()
        document = {"format": FORMAT, "fit": self._fit} | self._state()
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(document, file, allow_nan=False)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:  # Ctrl-C too leaves nothing behind
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._written = time.perf_counter()
        self._took = self._written - began

    def _state(self) -> dict:
        """The stages, and the best point so far for whoever looks into the file."""
        state: dict[str, Any] = {
            "stages": [
                {str(number): _dump(search) for number, search in stage.searches.items()}
                for stage in self.stages
            ]
        }
        for stage in reversed(self.stages):
            best = stage.best()
            if best is not None:
                return state | {
                    "stage": stage.problem.model,
                    "chi2": best.cost,
                    "values": stage.problem.values(best.unit),
                }
        return state

    def _read(self, path: Path) -> None:
        try:
            saved = json.loads(read_bytes(path, MAX_CHECKPOINT_SIZE))
        except OSError as error:
            raise SSNIBError(f"checkpoint {path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise SSNIBError(f"checkpoint {path} is not a checkpoint of a fit: {error}") from error
        if isinstance(saved, dict) and "problem" in saved and "format" not in saved:
            raise SSNIBError(
                f"checkpoint {path} is of version 0.1.0, which kept too little to go on from: "
                "name another file, or delete this one"
            )
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise SSNIBError(f"checkpoint {path} is not a checkpoint of a fit by this version")
        differs = _difference(self._fit, saved.get("fit"))
        if differs:
            raise SSNIBError(
                f"checkpoint {path} belongs to another fit: {differs} differ; name another file, "
                "or delete this one"
            )
        try:
            stages = saved["stages"]
            if len(stages) != len(self.stages):
                raise ValueError(f"it has {len(stages)} stages")
            for stage, searches in zip(self.stages, stages, strict=True):
                for number, search in searches.items():
                    stage.searches[int(number)] = _load(search, stage.problem)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SSNIBError(f"checkpoint {path} is damaged: {error!r}") from error


def _difference(fit: dict, saved: Any) -> str:
    """What of two fits is not the same, in words; "" if they are."""
    if not isinstance(saved, dict):
        return "its contents"
    for key, value in fit.items():
        other = saved.get(key)
        if value != other:
            if isinstance(value, dict) and isinstance(other, dict):
                parts = [k for k in {**value, **other} if value.get(k) != other.get(k)]
                return f"the {key} ({', '.join(map(str, parts))})"
            return f"the {key}"
    return ""


def _dump(search: Search) -> dict:
    if not search.is_done:
        return {"evaluations": [_dump_evaluation(entry) for entry in search.entries]}
    short = {"chi2": search.cost, "solves": search.solves, "simulated": search.is_there}
    best = search.outcome
    if best is None:
        return short
    return short | {
        "message": best.message,
        "best": _dump_evaluation(Evaluation(best.unit, best.answer)),
        "jacobian": None if best.jacobian is None else _pack(best.jacobian),
    }


def _load(saved: dict, problem: FitProblem) -> Search:
    if "evaluations" in saved:
        return Search([_load_evaluation(entry, problem) for entry in saved["evaluations"]])
    search = Search(cost=_finite(saved["chi2"]), solves=int(saved["solves"]))
    search.is_there = bool(saved["simulated"])
    if "best" in saved:
        best = _load_evaluation(saved["best"], problem)
        if not isinstance(best.result, Answer) or search.cost is None:
            raise ValueError("its best point is no answer")
        jacobian = None if saved["jacobian"] is None else _matrix(saved["jacobian"], problem)
        search.outcome = Outcome(
            best.unit, search.cost, str(saved["message"]), search.solves, best.result,
            jacobian, search.is_there,
        )  # fmt: skip
    return search


def _dump_evaluation(entry: Evaluation) -> dict:
    unit = entry.unit.tolist()
    if isinstance(entry.result, np.ndarray):
        return {"unit": unit, "jacobian": _pack(entry.result)}
    reasons = {str(i): reason for i, reason in enumerate(entry.result.reasons) if reason}
    return {"unit": unit, "values": _pack(entry.result.values), "reasons": reasons}


def _load_evaluation(saved: dict, problem: FitProblem) -> Evaluation:
    unit = np.array([_finite(u) for u in saved["unit"]])
    if unit.shape != (len(problem.free),) or (unit < 0).any() or (unit > 1).any():
        raise ValueError(f"a point is {saved['unit']!r:.60}")
    if "jacobian" in saved:
        return Evaluation(unit, _matrix(saved["jacobian"], problem))
    n, _ = _shape(problem)
    n -= sum(f.prior is not None for f in problem.free)
    reasons = [""] * n
    for place, reason in saved["reasons"].items():
        reasons[int(place)] = str(reason)
    return Evaluation(unit, Answer(_unpack(saved["values"], (n,)), tuple(reasons)))


def _shape(problem: FitProblem) -> tuple[int, int]:
    priors = sum(f.prior is not None for f in problem.free)
    return len(problem.measured) + priors, len(problem.free)


def _matrix(text: str, problem: FitProblem) -> np.ndarray:
    found = _unpack(text, _shape(problem))
    if not np.isfinite(found).all():
        raise ValueError("a derivative is not finite")
    return found


def _finite(value: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _pack(array: np.ndarray) -> str:
    """An array to the last bit, NaN included, as text."""
    return base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def _unpack(text: str, shape: tuple[int, ...]) -> np.ndarray:
    flat = np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(float)
    return flat.reshape(shape)
