"""What ended the steps of a measurement, by what they have in common."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ssnib_model.measured.steps import MeasuredStep
from ssnib_model.measured.trace import Columns

#: How near two ends in voltage are to be the same one [V], and how far apart the last two rows
#: of a step may be for the last one to stand for its end.
NEAR, LAST_JUMP = 5e-3, 0.02

#: Voltages that people set are multiples of these [V], as near as this.
ROUND_VOLTAGES = ((0.05, 3e-3), (0.01, 6e-4))

#: Durations that people set are whole minutes, or seconds below one, this near [s] and [-].
ROUND_TIME, SAME_TIME = 0.2, 2e-5

#: Two durations, charges or currents are different ones if they differ by more than this part.
OTHER = 0.01

#: Charges that are the same one.
SAME_CHARGE = 1e-3

#: Evidence that a step ended at a voltage counts from so much on.
ENOUGH = 2


class EndedBy(enum.StrEnum):
    """What ended a measured step."""

    VOLTAGE = "voltage"
    TIME = "time"
    CURRENT = "current"
    CAPACITY = "capacity"


@dataclass(frozen=True)
class MeasuredEnd:
    """What ended a step, and where that is [V, s, A or A.h]."""

    by: EndedBy
    value: float


def measured_ends(
    c: Columns, steps: Sequence[MeasuredStep], cut_offs: tuple[float, float]
) -> list[MeasuredEnd]:
    """What ended each step.

    A charge or discharge ended at a voltage if a hold at that voltage follows, or if more speaks
    for a voltage than for a time: that others of other durations end there too, that it is a
    cut-off of the cell, a round number, the last voltage of all charges or of all discharges;
    against a duration that is round or comes again at other voltages. A charge passed that comes
    again at other currents is an end too. Where nothing speaks for either, the step is as long as
    it was.

    Parameters
    ----------
    c : Columns
        The measurement.
    steps : sequence of MeasuredStep
        Its steps.
    cut_offs : tuple of float
        Lower and upper one of the cell [V].
    """
    found = []
    for place, step in enumerate(steps):
        if step.kind == "hold":
            found.append(_of_hold(c, steps, step))
        elif step.kind in ("charge", "discharge"):
            after = steps[place + 1] if place + 1 < len(steps) else None
            found.append(_of_current(c, steps, step, after, cut_offs))
        else:
            found.append(MeasuredEnd(EndedBy.TIME, step.duration))
    return found


def held(c: Columns, voltage: float, cut_offs: tuple[float, float]) -> float:
    """The voltage that was set, of one that was measured [V]."""
    return _as_set(voltage, max(NEAR, 2 * c.same_voltage), cut_offs)


def _of_current(
    c: Columns,
    steps: Sequence[MeasuredStep],
    step: MeasuredStep,
    after: MeasuredStep | None,
    cut_offs: tuple[float, float],
) -> MeasuredEnd:
    near = _near(c, step)
    up = step.kind == "charge"
    voltages = c.v[step.rows]
    if after and after.kind == "hold" and abs(after.voltage - step.voltage) <= 2 * near:
        return MeasuredEnd(EndedBy.VOLTAGE, held(c, after.voltage, cut_offs))
    level = np.abs(c.v[max(step.first - 1, 0) : step.last + 1] - step.voltage)
    if (level <= near).all():  # it was there from the start: that is not what ended it
        return MeasuredEnd(EndedBy.TIME, step.duration)
    others = [s for s in steps if s.kind == step.kind and s is not step]
    same_end = [s for s in others if abs(s.voltage - step.voltage) <= near]
    all_ends = [step.voltage, *(s.voltage for s in others)]
    last = max(all_ends) if up else min(all_ends)
    for_voltage = (
        2 * any(_differs(s.duration, step.duration) for s in same_end)
        + 2 * (abs(cut_offs[up] - step.voltage) <= near)
        + (abs(last - step.voltage) <= near)
        + _is_round(c, step.voltage)
    )
    for_time = _for_time(step, others, lambda s: abs(s.voltage - step.voltage) > 2 * near)
    extreme = voltages.max() - step.voltage if up else step.voltage - voltages.min()
    if extreme <= near and for_voltage >= ENOUGH and for_voltage > for_time:
        alike = float(np.median([step.voltage, *(s.voltage for s in same_end)]))
        return MeasuredEnd(EndedBy.VOLTAGE, _as_set(alike, near, cut_offs))
    charge = abs(step.charge)
    same_charge = [s for s in others if abs(abs(s.charge) - charge) <= SAME_CHARGE * charge]
    if any(_differs(s.duration, step.duration) for s in same_charge) and for_time < 3:
        return MeasuredEnd(EndedBy.CAPACITY, charge)
    return MeasuredEnd(EndedBy.TIME, step.duration)


def _of_hold(c: Columns, steps: Sequence[MeasuredStep], step: MeasuredStep) -> MeasuredEnd:
    def last(s: MeasuredStep) -> float:
        return abs(float(c.i[s.last]))

    if last(step) <= 3 * c.same_current(0.0):  # nothing is left to tell by
        return MeasuredEnd(EndedBy.TIME, step.duration)
    others = [s for s in steps if s.kind == "hold" and s is not step]
    for_time = _for_time(step, others, lambda s: _differs(last(s), last(step), 5 * OTHER))
    alike = [s for s in others if not _differs(last(s), last(step), 5 * OTHER)]
    if for_time > 2 * any(_differs(s.duration, step.duration) for s in alike):
        return MeasuredEnd(EndedBy.TIME, step.duration)
    return MeasuredEnd(EndedBy.CURRENT, last(step))


def _for_time(
    step: MeasuredStep, others: Iterable[MeasuredStep], otherwise: Callable[[MeasuredStep], bool]
) -> int:
    """What speaks for an end by time: a round one, or one that comes again ``otherwise``."""
    duration = step.duration
    near = ROUND_TIME + SAME_TIME * duration
    one = 60.0 if duration >= 60 else 1.0
    is_round = abs(_multiple(duration, one) - duration) <= min(near, 0.05 * one)
    again = any(abs(s.duration - duration) <= near and otherwise(s) for s in others)
    return 2 * is_round + 3 * again


def _is_round(c: Columns, voltage: float) -> bool:
    return any(
        abs(_multiple(voltage, one) - voltage) <= max(by, min(2.5 * c.voltage_noise, one / 8))
        for one, by in ROUND_VOLTAGES
    )


def _near(c: Columns, step: MeasuredStep) -> float:
    """How well the last voltage of a step says where it ended."""
    v = c.v[step.rows]
    jump = abs(float(v[-1] - v[-2])) if v.size > 1 else 0.0
    return max(NEAR, 2 * c.same_voltage, min(jump, LAST_JUMP))


def _as_set(voltage: float, near: float, cut_offs: tuple[float, float]) -> float:
    """The round voltage nearby, or the cut-off of the cell."""
    cut_off = min(cut_offs, key=lambda v: abs(v - voltage))
    if abs(cut_off - voltage) <= near:
        return cut_off
    for one, by in ((0.05, near), (0.01, 2e-3)):
        if abs(_multiple(voltage, one) - voltage) <= by:
            return round(_multiple(voltage, one), 6)
    return round(voltage, 4)


def _multiple(value: float, one: float) -> float:
    return round(value / one) * one


def _differs(a: float, b: float, by: float = OTHER) -> bool:
    return abs(a - b) > by * max(abs(a), abs(b))
