"""The steps of a measurement, one after another: charges, discharges, rests, holds, profiles."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.pieces import NO_CHARGE, Piece, pieces_of
from ssnib_model.measured.trace import NO_CURRENT, NOISES, Columns

#: Currents that are none if next to no charge passes, as a part of the largest of the file.
SMALL_CURRENT = 1e-2

#: How much more charge may pass where the current is none, as offsets of an instrument do.
OFFSET = 10.0

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
    findings: list[str] = []
    steps = _steps(c, pieces_of(c), findings)
    if not steps:
        raise MeasuredDataError("the measurement holds no step that takes any time")
    return _in_cycles(c, steps), findings


def _steps(c: Columns, pieces: list[Piece], findings: list[str]) -> list[MeasuredStep]:
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
        said = c.start_of(begin)
        if found and said is not None and start < said < end:
            found[-1] = _longer(c, found[-1], said)
            start = said
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


def _longer(c: Columns, step: MeasuredStep, end: float) -> MeasuredStep:
    """A step that went on for a while after its last row."""
    current = 0.0 if step.kind == "rest" else float(c.i[step.last])
    charge = step.charge + current * (end - step.end) / 3600
    return dataclasses.replace(step, end=end, charge=charge)


def _rest(start: float, end: float, row: int, voltage: float) -> MeasuredStep:
    """A rest of which there is no row: its rows are none."""
    return MeasuredStep("rest", row, row - 1, 0, start, end, 0.0, 0.0, voltage)


def _integral(c: Columns, first: int, last: int, start: float) -> float:
    """Charge passed from a time before the first row to the last one [A.h]."""
    within = np.trapezoid(c.i[first : last + 1], c.t[first : last + 1])
    return float(c.i[first] * (c.t[first] - start) + within) / 3600


def _is_rest(c: Columns, piece: Piece, current: float, charge: float, limit: float) -> bool:
    if piece.kind != "current":
        return False
    if abs(current) <= NO_CURRENT * c.largest and abs(charge) <= OFFSET * limit:
        return True
    if abs(charge) > limit:
        return False
    noise = NOISES * c.current_noise / math.sqrt(piece.size)
    small = abs(current) <= SMALL_CURRENT * c.largest
    return abs(current) <= noise or (small and _relaxes(c, piece, current))


def _relaxes(c: Columns, piece: Piece, current: float) -> bool:
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
