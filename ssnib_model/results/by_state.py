"""What pulses and titrations say of a cell, by its state of charge.

Both are read from any test by the tags of its steps: a step of charge or discharge with one of the
tags below, right after a rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from ssnib_model.errors import OptionError
from ssnib_model.results.breakdown import variable_at
from ssnib_model.results.protocol import ProtocolResult
from ssnib_model.results.step import StepResult
from ssnib_model.steps import Segment, Status
from ssnib_model.words import short

PULSE, TITRATION = "pulse", "titration"

#: Times after the start of a pulse [s] that its resistances are of.
TIMES = (0.1, 1.0, 10.0)

STOICHIOMETRY = "Positive electrode stoichiometry"


def resistances(result: ProtocolResult, times: Iterable[float] = TIMES) -> pd.DataFrame:
    """Resistances of the pulses of a test.

    Parameters
    ----------
    result : ProtocolResult
        Of a test with steps that have the tag "pulse", as `Pulse` has.
    times : iterable of float, optional
        Times from the start of the pulse [s].

    Returns
    -------
    pandas.DataFrame
        One row a pulse: "Step", "Cycle", "Direction", "State of charge", "Open-circuit voltage
        [V]" (at the end of the rest before), "Current [A]", "Resistance at 0.1 s [Ohm]" and so
        on, which is the change of the voltage since the rest over the current, and "Status". A
        pulse that was over before a time has no resistance there.

    Raises
    ------
    OptionError
        If the test has no such pulses, one does not follow a rest, or its curve was not kept.
    """
    wanted = [float(t) for t in times]
    if not wanted or not all(0 <= t < math.inf for t in wanted):
        raise OptionError(f"times is {short(times)}: times from 0 on are needed [s]")
    rows = []
    for before, pulse in _after_rests(result, PULSE):
        ocv = before.numbers.end_voltage
        row = _row(pulse, before) | {
            "Open-circuit voltage [V]": ocv,
            "Current [A]": pulse.numbers.start_current,
        }
        for t in wanted:
            row[f"Resistance at {t:g} s [Ohm]"] = _resistance(pulse, ocv, t)
        rows.append(row | {"Status": pulse.ending})
    return pd.DataFrame(rows)


def titration(result: ProtocolResult) -> pd.DataFrame:
    """Relaxed voltage, drop and polarization of the steps of a titration (GITT).

    Parameters
    ----------
    result : ProtocolResult
        Of a test with steps that have the tag "titration", each between rests, as `GITT` has.

    Returns
    -------
    pandas.DataFrame
        One row a step: "Step", "Cycle", "Direction", "State of charge" (at its end), "Relaxed
        voltage [V]" (at the end of the rest after it), "IR drop [V]" (what the voltage jumps by
        as the current sets in, ohmic and by charge transfer) and "Polarization [V]" (from the
        end of the current to the end of the rest), both above 0, and "Status".

    Raises
    ------
    OptionError
        If the test has no such steps, or one is not between rests.
    """
    following = dict(zip(result.steps, result.steps[1:], strict=False))
    rows = []
    for before, step in _after_rests(result, TITRATION):
        after, numbers = following.get(step), step.numbers
        if after is None:
            break  # the run was interrupted before this rest
        if not _rests(after):
            raise OptionError(f"{_name(after)} is no rest: one follows each step of a titration")
        sign = -1 if step.planned.step.direction == "charge" else 1
        rows.append(
            _row(step, after)
            | {
                "Relaxed voltage [V]": after.numbers.end_voltage,
                "IR drop [V]": sign * (before.numbers.end_voltage - numbers.start_voltage),
                "Polarization [V]": sign * (after.numbers.end_voltage - numbers.end_voltage),
                "Status": step.ending,
            }
        )
    return pd.DataFrame(rows)


def retention(result: ProtocolResult) -> pd.DataFrame:
    """Capacity against cycle.

    Parameters
    ----------
    result : ProtocolResult
        Of any test with several cycles.

    Returns
    -------
    pandas.DataFrame
        The columns of ``result.cycles`` and "Capacity retention", the discharge capacity over
        that of the first cycle with a discharge.
    """
    cycles = result.cycles
    capacity = cycles["Discharge capacity [mA.h.g-1]"]
    discharged = capacity[capacity > 0]
    first = discharged.iloc[0] if len(discharged) else math.nan
    return cycles.assign(**{"Capacity retention": capacity / first})


def _after_rests(result: ProtocolResult, tag: str) -> Iterator[tuple[StepResult, StepResult]]:
    """Steps with a tag, each after the rest before it."""
    if not any(tag in step.planned.tags for step in result.steps):
        raise OptionError(f'no step of the test has the tag "{tag}"')
    before = None
    for step in result.steps:
        if tag in step.planned.tags:
            if before is None or not _rests(before):
                raise OptionError(f"{_name(step)} does not follow a rest: one is needed before it")
            yield before, step
        before = step


def _rests(step: StepResult) -> bool:
    return step.planned.step.direction == "rest"


def _name(step: StepResult) -> str:
    return f'step {step.number}, "{step.planned.text}",'


def _row(step: StepResult, rest: StepResult) -> dict[str, Any]:
    """What both tables say of a step, and the state of charge of a rest beside it."""
    kept = _kept(rest)
    soc = math.nan if kept is None else 1 - float(variable_at(kept, STOICHIOMETRY, 1))
    return {
        "Step": step.number,
        "Cycle": step.planned.cycle,
        "Direction": step.planned.step.direction,
        "State of charge": soc,
    }


def _kept(step: StepResult) -> Segment | None:
    """The curve of a step; None if it has none."""
    if step.status in (Status.FAILED, Status.AT_START):
        return None
    if step.segment is None:
        raise OptionError(f"of {_name(step)} no curve was kept: run it with keep=1")
    return step.segment


def _resistance(pulse: StepResult, ocv: float, t: float) -> float:
    kept = _kept(pulse)
    # a pulse of 10 s is one that lasts until 10 s, whatever round-off says
    if kept is None or t > kept.duration * (1 + 1e-9):
        return math.nan
    at = min(t, kept.duration)
    return float((ocv - kept.voltage(at)) / kept.current(at))
