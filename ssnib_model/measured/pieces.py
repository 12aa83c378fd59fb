"""A measurement in pieces: of constant current, held voltage, or a profile of the current.

They are divided where the step and cycle columns of the file change, and within each such part by
what current and voltage do; where there are no such columns, by the latter alone.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from ssnib_model.measured.trace import Columns

#: Charge that is next to none, as a part of all of it.
NO_CHARGE = 1e-3

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


class Piece(NamedTuple):
    """Rows, both ends included, in which one thing was done."""

    kind: str  # "current", "hold" or "profile"
    first: int
    last: int

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.last - self.first + 1


def pieces_of(c: Columns) -> list[Piece]:
    """The rows of a measurement, each in one piece."""
    pieces: list[Piece] = []
    for first, last in c.parts():
        own = _pieces(c, first, last)
        # a step of the file that is a profile for a good part is one
        took = sum(c.t[p.last] - c.t[p.first] for p in own if p.kind == "profile")
        if c.marks and took > PROFILE_SHARE * (c.t[last] - c.t[first]):
            own = [Piece("profile", first, last)]
        pieces += own
    return _short_holds(c, _without_switches(c, pieces))


def _pieces(c: Columns, first: int, last: int) -> list[Piece]:
    """Rows from first to last in pieces of constant current or voltage, or profiles."""
    found: list[Piece] = []
    at = first
    while at <= last:
        current_to = _constant_current(c, at, last)
        held_to = _held_voltage(c, at, last)
        held = held_to > current_to
        found.append(Piece("hold" if held else "current", at, held_to if held else current_to))
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


def _with_early_holds(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """A hold begins where its voltage is reached, before its current is seen to die away."""
    found: list[Piece] = []
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
                found[-1] = Piece("current", before.first, reached - 1)
                piece = Piece("hold", reached, piece.last)
        found.append(piece)
    return found


def _without_outliers(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """A row whose current jumps and whose voltage does not ends no step."""
    found: list[Piece] = []
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


def _profiles(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """Stretches in which the current changes from row to row, or slowly, as one piece each."""
    joined = _drifts(c, pieces)
    found: list[Piece] = []
    at = 0
    while at < len(joined):
        end = at
        while end < len(joined) and joined[end].size <= PROFILE_ROWS:
            end += 1
        run = joined[at:end]
        lone = sum(piece.size == 1 for piece in run)
        if len(run) >= PROFILE_PIECES and lone >= LONE * len(run):
            found.append(Piece("profile", run[0].first, run[-1].last))
            at = end
        else:
            found += joined[at : max(end, at + 1)]
            at = max(end, at + 1)
    return found


def _drifts(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """Pieces between which the current does not jump are one in which it drifts."""
    found: list[Piece] = []
    for piece in pieces:
        before = found[-1] if found else None
        if before and {before.kind, piece.kind} <= {"current", "profile"}:
            a, b = c.i[before.last], c.i[piece.first]
            jump = abs(b - a) > 1.5 * c.same_current(a)
            if not jump and a * b > 0 and piece.size > 1 and before.size > 1:
                found[-1] = Piece("profile", before.first, piece.last)
                continue
        found.append(piece)
    return found


def _without_transitions(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """A single row between two pieces, on the way from one to the other, belongs to the next;
    several in a row are a profile, so that no charge is lost."""
    found: list[Piece] = []
    for alone, run in itertools.groupby(pieces, key=lambda p: p.size == 1):
        group = list(run)
        if alone and len(group) > 1:
            group = [Piece("profile", group[0].first, group[-1].last)]
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
        found.append(Piece(piece.kind, first, piece.last))
    return found


def _without_switches(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """A few rows in which next to no time and no charge passes belong to what comes next."""
    found: list[Piece] = []
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
        found.append(Piece(piece.kind, begin, piece.last))
    return found


def _short_holds(c: Columns, pieces: list[Piece]) -> list[Piece]:
    """Too few rows to see that the voltage is held, but they stay at that of a charge or discharge
    before them while the current falls."""
    found: list[Piece] = []
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
