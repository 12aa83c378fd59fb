"""The steps of a measurement: stretches of constant current, held voltage, rest, or a profile.

They are found where the step and cycle columns of the file change, and within each such part by
what current and voltage do; where there are no such columns, by the latter alone.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.columns import (
    CHARGED,
    CURRENT,
    CYCLE,
    DISCHARGED,
    STEP,
    TEMPERATURE,
    TIME,
    VOLTAGE,
)

#: A current is the same as another one within this part of it, and a voltage held within this
#: [V]; or within this many times the noise, up to so many volts.
SAME_CURRENT, SAME_VOLTAGE, NOISES, LARGEST_NOISE = 0.04, 1e-3, 5.0, 0.01

#: Noise of the current at most, as a part of the largest one.
LARGEST_CURRENT_NOISE = 3e-3

#: Currents that are no current at all, as a part of the largest of the file, and those that are
#: none if next to no charge passes, as a part of the largest and of all the charge.
NO_CURRENT, SMALL_CURRENT, NO_CHARGE = 1e-4, 1e-2, 1e-3

#: How much more charge may pass where the current is none, as offsets of an instrument do.
OFFSET = 10.0

#: Time that it may take to switch, as a part of what comes after.
SWITCH = 0.02

#: Time that is none, as a part of what comes after.
NO_TIME = 1e-3

#: Rows in which a held voltage is seen as such.
HOLD_ROWS = 3

#: A stretch of at least so many pieces of few rows each, this part of them of one only, is a
#: profile.
PROFILE_PIECES, PROFILE_ROWS, LONE = 5, 3, 0.4

#: Part of a step of the file from which on all of it is a profile.
PROFILE_SHARE = 0.2

#: Longest time without a record, in typical times between two and in seconds, for which the
#: current of a step is believed to have begun that long before its first row.
GAP, GAP_SECONDS = 20.0, 60.0

#: The cycler's own count of charge is used instead of the integral if they differ by more than
#: the first, and believed if by less than the second.
COUNTS_DIFFER, COUNTS_LIMIT = 0.005, 0.5


@dataclass(frozen=True)
class MeasuredStep:
    """A step as it was measured.

    Attributes
    ----------
    kind : str
        "charge" or "discharge" (at constant current), "rest", "hold" or "profile".
    first, last : int
        Its rows of the table, both included.
    cycle : int
        As the file counts them; where it does not, from 1, a new one with each charge that
        follows a discharge.
    start, end : float
        From the last row of the step before to its own last row [s].
    current : float
        Its mean [A], positive on discharge; 0 in a rest.
    charge : float
        Passed [A.h], positive on discharge.
    voltage : float
        At its last row; of a hold, that which is held [V].
    temperature : float or None
        Its mean [K], where it was measured.
    """

    kind: str
    first: int
    last: int
    cycle: int
    start: float
    end: float
    current: float
    charge: float
    voltage: float
    temperature: float | None = None

    @property
    def duration(self) -> float:
        """How long it took [s]."""
        return self.end - self.start

    @property
    def rows(self) -> slice:
        """Its rows of the table."""
        return slice(self.first, self.last + 1)


class _Piece(NamedTuple):
    kind: str  # "current", "hold" or "profile"
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Columns:
    """The columns of a measurement as arrays, with their noise.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`.

    Raises
    ------
    MeasuredDataError
        If a column is missing, a value is no finite number, or times do not rise.
    """

    def __init__(self, curves: pd.DataFrame):
        for name in (TIME, CURRENT, VOLTAGE):
            if name not in curves.columns:
                raise MeasuredDataError(
                    f"the measurement has no column {name!r}: it has {list(curves.columns)}"
                )
        self._index = curves.index
        self.t, self.i, self.v = (
            pd.to_numeric(curves[name], errors="coerce").to_numpy(dtype=float)
            for name in (TIME, CURRENT, VOLTAGE)
        )
        if len(self.t) < 2:
            raise MeasuredDataError(f"the measurement has {len(self.t)} rows: two are needed")
        for name, values in ((TIME, self.t), (CURRENT, self.i), (VOLTAGE, self.v)):
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                raise MeasuredDataError(f"{self._row(bad[0])}: {name!r} is no finite number")
        back = np.flatnonzero(np.diff(self.t) < 0)
        if back.size:
            raise MeasuredDataError(
                f"time goes back at {back.size} place(s), first from {self.t[back[0]]:g} to "
                f"{self.t[back[0] + 1]:g} s in {self._row(back[0] + 1)}: what was done is not "
                "known from such a file"
            )
        self.largest = float(np.abs(self.i).max())
        if not self.largest > 0:
            raise MeasuredDataError("the measurement has no current at all")
        self.current_noise = min(_noise(self.i, 1), LARGEST_CURRENT_NOISE * self.largest)
        self.voltage_noise = _noise(self.v, 2)
        self.same_voltage = max(SAME_VOLTAGE, min(NOISES * self.voltage_noise, LARGEST_NOISE))
        # numbers, words and blanks alike, as long as they are the same
        self.marks = [
            pd.factorize(curves[name])[0] for name in (STEP, CYCLE) if name in curves.columns
        ]
        self.cycles: np.ndarray | None = None
        if CYCLE in curves.columns:
            numbers = pd.to_numeric(curves[CYCLE], errors="coerce").ffill().bfill()
            self.cycles = numbers.to_numpy(dtype=float) if numbers.notna().all() else None
        optional = (CHARGED, DISCHARGED, TEMPERATURE)
        self.charged, self.discharged, self.temperature = (
            curves[name].to_numpy(dtype=float) if name in curves.columns else None
            for name in optional
        )

    def _row(self, place: int) -> str:
        """What a row is called: by its line, where it comes from a file."""
        if self._index.name == "Line":
            return f"line {self._index[place]}"
        return f"row {place + 1}"

    @functools.cached_property
    def span(self) -> float:
        """Largest difference between two states of charge [A.h]."""
        passed = np.cumsum(self.i * np.diff(self.t, prepend=self.t[0]))
        return float(np.ptp(passed)) / 3600

    def same_current(self, current: float) -> float:
        """By how much a current may differ from another one to be the same [A]."""
        floor = max(NO_CURRENT * self.largest, NOISES * self.current_noise)
        return max(SAME_CURRENT * abs(current), floor)

    def one_part(self, row: int, other: int) -> bool:
        """Whether two rows have the same step and cycle."""
        return all(mark[row] == mark[other] for mark in self.marks)

    def parts(self) -> Iterator[tuple[int, int]]:
        """Rows, both included, between the changes of the step and cycle columns."""
        changes = np.zeros(len(self.t) - 1, dtype=bool)
        for mark in self.marks:
            changes |= mark[1:] != mark[:-1]
        at = np.flatnonzero(changes)
        yield from zip([0, *(at + 1)], [*at, len(self.t) - 1], strict=True)


def _noise(values: np.ndarray, order: int) -> float:
    """Standard deviation of the noise, by the smaller of the differences from row to row: jumps
    from step to step, or where there are few rows, are the larger ones."""
    differences = np.abs(np.diff(values, order))
    if not differences.size:
        return 0.0
    quartile = 0.3186  # of the size of a normal variable
    return (
        float(np.quantile(differences, 0.25)) / quartile / math.sqrt(math.comb(2 * order, order))
    )


# ---------------------------------------------------------------- pieces of one kind each
def _pieces(c: Columns, first: int, last: int) -> list[_Piece]:
    """Rows from first to last in pieces of constant current or voltage, or profiles."""
    found: list[_Piece] = []
    at = first
    while at <= last:
        current_to = _constant_current(c, at, last)
        held_to = _held_voltage(c, at, last)
        held = held_to > current_to
        found.append(_Piece("hold" if held else "current", at, held_to if held else current_to))
        at = found[-1].last + 1
    found = _with_early_holds(c, found)
    found = _without_outliers(c, found)
    found = _profiles(c, found)
    return _without_transitions(c, found)


def _constant_current(c: Columns, at: int, last: int) -> int:
    """Last row up to which the current stays the same."""
    level, size, end = float(c.i[at]), 16, at
    if at < last and abs(float(c.i[at + 1]) - level) > c.same_current(level):
        return at  # at once: profiles have a piece a row
    while end < last:
        stop = min(end + size, last)
        away = np.abs(c.i[end + 1 : stop + 1] - level) > c.same_current(level)
        if away.any():
            return end + int(away.argmax())
        end, size = stop, 2 * size
        level = float(np.median(c.i[at : end + 1]))
    return end


def _held_voltage(c: Columns, at: int, last: int) -> int:
    """Last row up to which the voltage is held and the current dies away; before ``at`` if it
    is not."""
    rows = slice(at, at + HOLD_ROWS)
    if last < at + HOLD_ROWS - 1 or abs(float(c.i[at])) <= c.same_current(0.0):
        return at - 1
    if np.ptp(c.v[rows]) > 2 * c.same_voltage:
        return at - 1
    end, size, level = at, 16, c.v[at]
    while end < last:
        stop = min(end + size, last)
        rows = slice(end + 1, stop + 1)
        away = np.abs(c.v[rows] - level) > c.same_voltage
        away |= c.i[rows] * np.sign(c.i[at]) < -c.same_current(0.0)
        if not c.marks:  # a rest may follow at nearly the same voltage, with the current off
            away |= np.abs(c.i[rows]) <= c.same_current(0.0)
        if away.any():
            end += int(away.argmax())
            break
        end, size = stop, 2 * size
        level = float(np.median(c.v[at : end + 1]))
    sizes = np.abs(c.i[at : end + 1])
    # dies away, and is no step from one current to another at a flat voltage
    dies = sizes[-1] < sizes[0] - c.same_current(sizes[0])
    jumps = np.abs(np.diff(sizes)).max(initial=0.0) > 0.8 * (sizes[0] - sizes[-1])
    return end if end - at + 1 >= HOLD_ROWS and dies and not jumps else at - 1


def _with_early_holds(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """A hold begins where its voltage is reached, before its current is seen to die away."""
    found: list[_Piece] = []
    for piece in pieces:
        before = found[-1] if found else None
        if piece.kind == "hold" and before is not None and before.kind == "current":
            held = float(np.median(c.v[piece.first : piece.last + 1]))
            rows = slice(before.first, before.last + 1)
            way = -np.sign(c.i[piece.first])  # up on charge
            short = way * (c.v[rows] - held) < -c.same_voltage
            other = c.i[rows] * c.i[piece.first] <= 0
            not_yet = np.flatnonzero(short | other)
            reached = before.first + (int(not_yet[-1]) + 1 if not_yet.size else 0)
            # the row that reaches it is the last one of the current
            reached += reached < piece.first
            if before.first < reached < piece.first:
                found[-1] = _Piece("current", before.first, reached - 1)
                piece = _Piece("hold", reached, piece.last)
        found.append(piece)
    return found


def _without_outliers(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """A row whose current jumps and whose voltage does not ends no step."""
    found: list[_Piece] = []
    levels: list[float] = []
    for piece, after in itertools.zip_longest(pieces, pieces[1:]):
        before = found[-1] if found else None
        level = float(c.i[piece.first])
        if piece.size > 1:
            level = float(np.median(c.i[piece.first : piece.last + 1]))
        both = before is not None and before.kind == piece.kind == "current"
        if both and abs(level - levels[-1]) <= c.same_current(levels[-1]):
            found[-1] = found[-1]._replace(last=piece.last)  # what went on after one
            continue
        if before and after and piece.size == 1 and before.size > 1 and after.size > 1:
            here, was = piece.first, float(c.i[before.last])
            around = (c.v[here - 1] + c.v[here + 1]) / 2
            quiet = abs(c.v[here] - around) <= c.same_voltage
            if quiet and abs(c.i[after.first] - was) <= 2 * c.same_current(was):
                found[-1] = before._replace(last=here)
                continue
        found.append(piece)
        levels.append(level)
    return found


def _profiles(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """Stretches in which the current changes from row to row, or slowly, as one piece each."""
    joined = _drifts(c, pieces)
    found: list[_Piece] = []
    at = 0
    while at < len(joined):
        end = at
        while end < len(joined) and joined[end].size <= PROFILE_ROWS:
            end += 1
        run = joined[at:end]
        lone = sum(piece.size == 1 for piece in run)
        if len(run) >= PROFILE_PIECES and lone >= LONE * len(run):
            found.append(_Piece("profile", run[0].first, run[-1].last))
            at = end
        else:
            found += joined[at : max(end, at + 1)]
            at = max(end, at + 1)
    return found


def _drifts(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """Pieces between which the current does not jump are one in which it drifts."""
    found: list[_Piece] = []
    for piece in pieces:
        before = found[-1] if found else None
        if before and {before.kind, piece.kind} <= {"current", "profile"}:
            a, b = c.i[before.last], c.i[piece.first]
            jump = abs(b - a) > 1.5 * c.same_current(a)
            if not jump and a * b > 0 and piece.size > 1 and before.size > 1:
                found[-1] = _Piece("profile", before.first, piece.last)
                continue
        found.append(piece)
    return found


def _without_transitions(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """A single row between two pieces, on the way from one to the other, belongs to the next;
    several in a row are a profile, so that no charge is lost."""
    found: list[_Piece] = []
    for alone, run in itertools.groupby(pieces, key=lambda p: p.size == 1):
        group = list(run)
        if alone and len(group) > 1:
            group = [_Piece("profile", group[0].first, group[-1].last)]
        found += group
    pieces, found, start = found, [], None
    for number, piece in enumerate(pieces):
        first, start = piece.first if start is None else start, None
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        before = found[-1] if found else None
        if piece.size == 1 and after and before:
            low, high = sorted((c.i[before.last], c.i[after.first]))
            margin = c.same_current(0.0)
            between = low - margin <= c.i[piece.first] <= high + margin
            took = c.t[piece.first] - c.t[piece.first - 1]
            passed = abs(c.i[piece.first]) * took / 3600
            short = took <= SWITCH * (c.t[after.last] - c.t[piece.first])
            if between and short and passed <= NO_CHARGE * c.span:
                start = piece.first
                continue
        found.append(_Piece(piece.kind, first, piece.last))
    return found


def _without_switches(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """A few rows in which next to no time and no charge passes belong to what comes next."""
    found: list[_Piece] = []
    first: int | None = None
    for piece, after in itertools.zip_longest(pieces, pieces[1:]):
        begin, first = piece.first if first is None else first, None
        is_short = piece.size == 1 or (piece.kind == "profile" and piece.size <= PROFILE_ROWS)
        if is_short and piece.first and after is not None:
            took = c.t[piece.last] - c.t[piece.first - 1]
            passed = np.abs(c.i[piece.first : piece.last + 1]).max() * took / 3600
            part = NO_TIME if piece.size == 1 else SWITCH
            short = took <= part * (c.t[after.last] - c.t[piece.last])
            if short and passed <= NO_CHARGE * c.span:
                first = begin
                continue
        found.append(_Piece(piece.kind, begin, piece.last))
    return found


def _short_holds(c: Columns, pieces: list[_Piece]) -> list[_Piece]:
    """Too few rows to see that the voltage is held, but they stay at that of a charge or discharge
    before them while the current falls."""
    found: list[_Piece] = []
    for piece in pieces:
        before = found[-1] if found else None
        if (
            before is not None
            and before.kind == "current"
            and piece.kind != "hold"
            and piece.size <= HOLD_ROWS
            and before.size > piece.size
        ):
            sizes = np.sign(c.i[before.last]) * c.i[piece.first : piece.last + 1]
            held = np.abs(c.v[piece.first : piece.last + 1] - c.v[before.last])
            size = abs(float(c.i[before.last]))
            falls = (np.diff(sizes) <= 0).all() and sizes[0] <= size + c.same_current(size)
            small = sizes[-1] < size - c.same_current(size)
            if falls and small and sizes[-1] > 0 and (held <= 2 * c.same_voltage).all():
                piece = piece._replace(kind="hold")
        found.append(piece)
    return found


# ---------------------------------------------------------------- steps
def measured_steps(curves: pd.DataFrame) -> tuple[list[MeasuredStep], list[str]]:
    """What was done in a measurement, step by step.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`: "Time [s]", "Current [A]" (positive on discharge), "Voltage [V]",
        and where there are, "Step", "Cycle", "Temperature [K]" and the cycler's own capacities.

    Returns
    -------
    steps : list of MeasuredStep
        In order, without a gap between them.
    findings : list of str
        What there is to say about how they were found, one sentence each.

    Raises
    ------
    MeasuredDataError
        If these are no such columns, times go back, or nothing happens.
    """
    c = Columns(curves)
    pieces: list[_Piece] = []
    for first, last in c.parts():
        own = _pieces(c, first, last)
        # a step of the file that is a profile for a good part is one
        took = sum(c.t[p.last] - c.t[p.first] for p in own if p.kind == "profile")
        if c.marks and took > PROFILE_SHARE * (c.t[last] - c.t[first]):
            own = [_Piece("profile", first, last)]
        pieces += own
    pieces = _short_holds(c, _without_switches(c, pieces))
    findings: list[str] = []
    steps = _steps(c, pieces, findings)
    if not steps:
        raise MeasuredDataError("the measurement holds no step that takes any time")
    return _in_cycles(c, steps), findings


def _steps(c: Columns, pieces: list[_Piece], findings: list[str]) -> list[MeasuredStep]:
    limit = NO_CHARGE * c.span
    found: list[MeasuredStep] = []
    typical = float(np.median(np.diff(c.t)))
    start = 0.0 if 0 < c.t[0] <= 1.01 * typical else float(c.t[0])
    first: int | None = None
    rests, counts, gaps = [], [], []
    for piece in pieces:
        begin, first = piece.first if first is None else first, None
        rows = slice(begin, piece.last + 1)
        end = float(c.t[piece.last])
        if not end > start:  # a step that takes no time is told with the next one
            first = begin if piece is not pieces[-1] else None
            continue
        current = float(np.median(c.i[rows]))
        charge = _integral(c, begin, piece.last, start)
        rest = _is_rest(c, piece, current, charge, limit)
        if rest and abs(current) > NO_CURRENT * c.largest:
            rests.append(abs(current))
        gap = float(c.t[begin] - start)
        times = np.diff(c.t[rows])
        usual = float(np.median(times)) if times.size else np.inf
        if not rest and gap > max(GAP * usual, GAP_SECONDS):
            # nothing says that the current flowed before its first row
            gaps.append((gap, start))
            found.append(_rest(start, float(c.t[begin]), begin, float(c.v[max(begin - 1, 0)])))
            start = float(c.t[begin])
            if not end > start:  # a single row after it, of which nothing is known
                continue
            charge = _integral(c, begin, piece.last, start)
        if rest:
            kind, current, charge = "rest", 0.0, 0.0
            before = found[-1] if found else None
            if before and before.kind == "rest" and c.one_part(before.first, begin):
                found.pop()
                begin, start = before.first, before.start
                rows = slice(begin, piece.last + 1)
        elif piece.kind == "current":
            counted = _counted(c, begin, piece.last, charge)
            if counted is not None:
                counts.append(abs(counted / charge))
                charge = counted
            kind = "discharge" if charge > 0 else "charge"
            current = 3600 * charge / (end - start)
        else:
            kind, current = piece.kind, 3600 * charge / (end - start)
        voltage = np.median(c.v[rows]) if kind == "hold" else c.v[piece.last]
        temperature = None
        if c.temperature is not None and np.isfinite(c.temperature[rows]).any():
            temperature = float(np.nanmean(c.temperature[rows]))
        found.append(
            MeasuredStep(
                kind, begin, piece.last, 0, float(start), end, current, charge, float(voltage),
                temperature,
            )
        )  # fmt: skip
        start = end
    if rests:
        findings.append(
            f"{len(rests)} rest(s) have a current of up to {max(rests):.3g} A, which is taken for "
            "none"
        )
    if counts:
        findings.append(
            f"in {len(counts)} step(s) the cycler counts {min(counts):.4g} to {max(counts):.4g} "
            "times the charge of the integral of its current: the cycler's count is used"
        )
    if gaps:
        longest = max(gaps)
        findings.append(
            f"{len(gaps)} time(s) nothing is recorded before a step, at most {longest[0]:.4g} s "
            f"from {longest[1]:.6g} s on: this is taken for a rest"
        )
    return found


def _rest(start: float, end: float, row: int, voltage: float) -> MeasuredStep:
    """A rest of which there is no row: its rows are none."""
    return MeasuredStep("rest", row, row - 1, 0, start, end, 0.0, 0.0, voltage)


def _integral(c: Columns, first: int, last: int, start: float) -> float:
    """Charge passed from a time before the first row to the last one [A.h]."""
    within = np.trapezoid(c.i[first : last + 1], c.t[first : last + 1])
    return float(c.i[first] * (c.t[first] - start) + within) / 3600


def _is_rest(c: Columns, piece: _Piece, current: float, charge: float, limit: float) -> bool:
    if piece.kind != "current":
        return False
    if abs(current) <= NO_CURRENT * c.largest and abs(charge) <= OFFSET * limit:
        return True
    if abs(charge) > limit:
        return False
    noise = NOISES * c.current_noise / math.sqrt(piece.size)
    small = abs(current) <= SMALL_CURRENT * c.largest
    return abs(current) <= noise or (small and _relaxes(c, piece, current))


def _relaxes(c: Columns, piece: _Piece, current: float) -> bool:
    """Whether the voltage does not go the way that the current drives it."""
    change = c.v[piece.last] - c.v[piece.first]
    return change * current >= -abs(current) * c.same_voltage


def _counted(c: Columns, first: int, last: int, charge: float) -> float | None:
    """The charge as the cycler counts it, where that is another one."""
    column = c.discharged if charge > 0 else c.charged
    if column is None or not np.isfinite(column[first : last + 1]).all():
        return None
    before = column[first - 1] if first and np.isfinite(column[first - 1]) else 0.0
    # the count goes on from the step before, or from zero
    counted = column[last] - (before if column[first] >= before else 0.0)
    if not counted > 0:
        return None
    differs = abs(counted / abs(charge) - 1)
    return float(np.sign(charge) * counted) if COUNTS_DIFFER < differs < COUNTS_LIMIT else None


def _in_cycles(c: Columns, steps: list[MeasuredStep]) -> list[MeasuredStep]:
    if c.cycles is not None:
        at = [min(step.first, len(c.cycles) - 1) for step in steps]
        return [
            dataclasses.replace(step, cycle=int(c.cycles[row]))
            for step, row in zip(steps, at, strict=True)
        ]
    found, cycle, discharged = [], 1, False
    for step in steps:
        if step.charge < 0 and discharged:
            cycle, discharged = cycle + 1, False
        discharged |= step.charge > 0
        found.append(dataclasses.replace(step, cycle=cycle))
    return found
