"""Checks of whatever was read: each finding is a sentence, or an error where data are unusable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.capacity import chosen, increments, totals
from ssnib_model.measured.columns import CHARGED, CURRENT, STEP, TEMPERATURE, TIME, VOLTAGE
from ssnib_model.measured.text import Source

#: Longest test that is believed [s], and voltages of a cell [V].
MAX_DURATION, MAX_VOLTAGE = 10 * 365.25 * 86400, 10.0

#: A row after more than so many usual intervals, and so many seconds, follows a gap.
GAP, GAP_SECONDS = 20.0, 60.0

#: Rows of a time before that of an earlier row that are left out: as part of all, and in a row.
MAX_LATE, MAX_LATE_RUN = 0.02, 3

#: Two counts of one capacity agree within this part; factors between two units of one quantity.
AGREES, FACTORS = 0.02, (1000.0, 60.0, 3600.0)

#: Voltages at which steps end are one cut-off within this [V].
SAME_CUT_OFF = 0.02

#: Half-cycles that pass less than this part of the largest one are pulses.
PULSE = 0.1

#: Capacity above the theoretical one that is believed, as part of it.
MAX_EXCESS = 0.05


def check(source: Source, frame: pd.DataFrame) -> list[str]:
    """What is doubtful about curves, in sentences.

    Parameters
    ----------
    source : Source
        Their file, for messages.
    frame : pandas.DataFrame
        Curves as from `read_curves`.

    Raises
    ------
    MeasuredDataError
        If they cannot be right: the message says where, and what to do.
    """
    _impossible(source, frame)
    return [*_times(frame), *_voltages(frame), *_counts(source, frame), *_ends(frame)]


def _impossible(source: Source, frame: pd.DataFrame) -> None:
    span = float(np.ptp(frame[TIME]))
    if span > MAX_DURATION:
        charge = float(np.abs(increments(frame)).sum())
        raise source.error(
            f"its time runs over {span / 3.156e7:.3g} years, in which {charge:.3g} A.h would have "
            f"passed, with {np.median(np.diff(frame[TIME])):.4g} s between rows: if its time is "
            "too large by a factor, say so with units={'Time [s]': 1/3600} or "
            "--unit 'Time [s]=0.000277778'"
        )
    high = frame[VOLTAGE].abs() > MAX_VOLTAGE
    if high.mean() > 0.5:
        raise source.error(
            f"its voltage is {frame[VOLTAGE][high].iloc[0]:.4g} V, that of no single cell",
            int(frame.index[high][0]),
        )


def out_of_order_rows(source: Source, time: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Rows whose time lies before that of an earlier row, where they are but a few.

    Parameters
    ----------
    source : Source
        The file, for the message.
    time : numpy.ndarray
        Times [s].
    lines : numpy.ndarray
        Their lines.

    Raises
    ------
    MeasuredDataError
        If time goes back for more than some rows: what came first is not known then.
    """
    late = time < np.maximum.accumulate(time) - 1e-6
    if late.any():
        length = max(len(run) for run in _runs(late) if late[run[0]])
        if late.mean() > MAX_LATE or length > MAX_LATE_RUN:
            place = int(np.flatnonzero(late)[0])
            raise source.error(
                f"time goes back from {time[:place].max():.6g} to {time[place]:.6g} s, and "
                f"{int(late.sum())} row(s) lie before an earlier one: split the file there, or "
                "sort its rows",
                int(lines[place]),
            )
    return late


def _runs(values: np.ndarray) -> Iterator[np.ndarray]:
    """Places of equal neighbours."""
    yield from np.split(np.arange(len(values)), np.flatnonzero(np.diff(values)) + 1)


def _times(frame: pd.DataFrame) -> Iterator[str]:
    line, time = frame.index.to_numpy(), frame[TIME].to_numpy()
    interval = np.diff(time)
    # two rows at one time are usual where a step ends and the next begins
    same = np.sign(frame[CURRENT].to_numpy())
    same = (same[1:] == same[:-1]) & (np.diff(frame.get(STEP, frame[CURRENT] * 0)) == 0)
    still = np.flatnonzero((interval <= 0) & same)
    if still.size:
        yield f"time does not rise at {still.size} place(s), first at line {line[still[0] + 1]}"
    gaps = _gaps(frame)
    if gaps.size:
        first = gaps[0]
        yield (
            f"no rows for {interval[gaps].sum() / 3600:.3g} h in {gaps.size} place(s) while "
            f"current flowed, first {interval[first] / 3600:.3g} h from line {line[first]} on"
        )


def _gaps(frame: pd.DataFrame) -> np.ndarray:
    """Places of rows after which there are none for long, though the current runs on."""
    interval, current = np.diff(frame[TIME].to_numpy()), frame[CURRENT].to_numpy()
    usual = float(np.median(interval[interval > 0])) if (interval > 0).any() else 0.0
    flows = np.abs(current) > 1e-3 * np.abs(current).max(initial=0.0)
    on = (np.sign(current[1:]) == np.sign(current[:-1])) & flows[1:] & flows[:-1]
    around = np.maximum(np.roll(interval, 1), np.roll(interval, -1))
    far = interval > np.maximum(GAP * np.maximum(usual, around), GAP_SECONDS)
    return np.flatnonzero(far & on)


def _voltages(frame: pd.DataFrame) -> Iterator[str]:
    line, voltage = frame.index.to_numpy(), frame[VOLTAGE].to_numpy()
    # a point far from both neighbours, which agree with one another
    around = (voltage[:-2] + voltage[2:]) / 2
    jump = np.abs(voltage[1:-1] - around)
    lone = (jump > 0.2) & (np.abs(voltage[:-2] - voltage[2:]) < 0.05)
    if lone.any():
        at = line[np.flatnonzero(lone)[0] + 1]
        yield f"voltage jumps at {lone.sum()} point(s), first at line {at}"
    current = frame[CURRENT].to_numpy()
    if not (np.abs(current) > 1e-12).any():
        yield "no current flows on any row"
    if TEMPERATURE in frame and np.ptp(frame[TEMPERATURE].dropna()) > 5:
        low, high = frame[TEMPERATURE].min() - 273.15, frame[TEMPERATURE].max() - 273.15
        yield f"temperature runs from {low:.1f} to {high:.1f} degC"


def _counts(source: Source, frame: pd.DataFrame) -> Iterator[str]:
    """The cycler's own capacities against the integral of the current."""
    if CHARGED not in frame:
        return
    integral, own = totals(frame, increments(frame)), totals(frame, None)
    if not max(integral.values()) > 0:
        return
    _, which = chosen(frame)
    for direction, passed in integral.items():
        counted = own[direction]
        if passed < 0.01 * max(integral.values()) or counted < 0.01 * max(own.values()):
            continue
        ratio = counted / passed
        for factor in FACTORS:
            if min(abs(ratio / factor - 1), abs(ratio * factor - 1)) < AGREES:
                raise source.error(
                    f"on {direction} its capacity comes to {counted:.4g} A.h and its current "
                    f"times its time to {passed:.4g} A.h, {factor:g} times apart: one of their "
                    "units is wrong; say the right one, units={'Current [A]': 'mA'} or "
                    "--unit 'Current [A]=mA' for example"
                )
        if abs(ratio - 1) > AGREES:
            yield (
                f"on {direction} the cycler counted {_amount(counted)} and the current times the "
                f"time gives {_amount(passed)}: {which} is used"
            )


def _amount(charge: float) -> str:
    return f"{charge * 1e3:.4g} mA.h" if charge < 1 else f"{charge:.4g} A.h"


def _ends(frame: pd.DataFrame) -> Iterator[str]:
    """Charges and discharges that stopped short of the voltage at which the others end."""
    current, voltage = frame[CURRENT].to_numpy(), frame[VOLTAGE].to_numpy()
    gains = chosen(frame)[0]
    sign = np.where(np.abs(current) > 2e-4 * np.abs(current).max(initial=0.0), np.sign(current), 0)
    for direction, name in ((-1.0, "charge"), (1.0, "discharge")):
        runs = [run for run in _runs(sign) if sign[run[0]] == direction and len(run) >= 5]
        # pulses among half-cycles end where they end
        passed = [abs(gains[run].sum()) for run in runs]
        runs = [r for r, p in zip(runs, passed, strict=True) if p > PULSE * max(passed)]
        if len(runs) < 2:
            continue
        ends = np.array([voltage[run[-1]] for run in runs])
        # the voltage at which most end; of as many, the one furthest out
        outwards = np.sort(ends)[::-1] if direction < 0 else np.sort(ends)
        there = [np.count_nonzero(np.abs(ends - end) <= SAME_CUT_OFF) for end in outwards]
        limit = outwards[int(np.argmax(there))]
        other = np.abs(ends - limit) > SAME_CUT_OFF
        if other.sum() > len(runs) / 2:
            yield (
                f"the {len(runs)} {name}s end at {ends.min():.3f} to {ends.max():.3f} V: most of "
                "them not at one voltage"
            )
        elif other.any():
            run = runs[int(np.flatnonzero(other)[0])]
            yield (
                f"{other.sum()} of {len(runs)} {name}s did not end at {limit:.3f} V as the others "
                f"did, first the one that ends at {voltage[run[-1]]:.3f} V, line "
                f"{frame.index[run[-1]]}"
            )


def check_capacity(
    name: str, capacities: dict[str, float], theoretical: float, mass: float
) -> list[str]:
    """Capacities of half-cycles against what the active material can hold.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    capacities : dict
        What each half-cycle is called, and what passed in it [A.h].
    theoretical : float
        Of the active material [mA.h.g-1].
    mass : float
        Of active material [kg].

    Returns
    -------
    list of str
        Half-cycles with a little more than that.

    Raises
    ------
    MeasuredDataError
        If one has far more: then mass, current or time is wrong.
    """
    findings = []
    for label, charge in capacities.items():
        specific = charge / mass
        if specific > 2 * theoretical:
            raise MeasuredDataError(
                f"{name}: {label} comes to {specific:.4g} mAh/g of at most {theoretical:.4g}: the "
                f"mass of active material ({mass * 1e6:.4g} mg), the unit of the current or that "
                "of the time is wrong"
            )
        if specific > (1 + MAX_EXCESS) * theoretical:
            findings.append(
                f"{label} comes to {specific:.4g} mAh/g, more than the {theoretical:.4g} that the "
                "active material can hold"
            )
    return findings
