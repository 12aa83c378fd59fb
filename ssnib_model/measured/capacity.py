"""Capacity: as the cycler counted it, and as the integral of the current."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ssnib_model.measured.columns import (
    CAPACITY,
    CHARGED,
    CURRENT,
    DISCHARGED,
    STEP_TIME,
    TIME,
    Reader,
)

#: Key of ``attrs``: whether the current is the mean since the row before.
MEAN_CURRENT = "mean current"


def counted(reader: Reader, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The cycler's own count for each direction, from the start of the file on.

    Cyclers count from the start of the file, of a cycle or of a step, up or down, for both
    directions at once or for each. Here each count only rises: what a count gained on a row is
    its difference to the row before, or, where it began anew, the count itself, whichever is
    nearer to what the current says.

    Parameters
    ----------
    reader : Reader
        For the columns.
    frame : pandas.DataFrame
        With "Time [s]" and "Current [A]" (positive on discharge).

    Returns
    -------
    dict
        "Charge capacity [A.h]" and "Discharge capacity [A.h]", or nothing.
    """
    expected = increments(frame)
    charged, discharged = reader.optional(CHARGED), reader.optional(DISCHARGED)
    if charged is not None and discharged is not None:
        gains = {
            CHARGED: _gains(_held(charged), np.maximum(-expected, 0)),
            DISCHARGED: _gains(np.abs(_held(discharged)), np.maximum(expected, 0)),
        }
        return {name: np.cumsum(np.maximum(gain, 0)) for name, gain in gains.items()}
    single = reader.optional(CAPACITY)
    if single is None:
        return {}
    single = _held(single)
    moved = np.diff(single, prepend=single[:1])
    falls = (moved < 0) & (np.abs(single) > 0.05 * np.abs(single).max(initial=0.0))
    if (single < 0).any() or np.count_nonzero(falls) > 0.05 * len(single):
        # one count with a sign, which falls on discharge: or, of some, on charge
        gain = _gains(single, -expected)
        if np.dot(gain, expected) > 0:
            gain = -gain
        return {
            CHARGED: np.cumsum(np.maximum(gain, 0)),
            DISCHARGED: np.cumsum(np.maximum(-gain, 0)),
        }
    gain = np.maximum(_gains(single, np.abs(expected)), 0)
    discharging = direction_of_rows(frame) > 0
    return {
        CHARGED: np.cumsum(np.where(discharging, 0.0, gain)),
        DISCHARGED: np.cumsum(np.where(discharging, gain, 0.0)),
    }


def direction_of_rows(frame: pd.DataFrame) -> np.ndarray:
    """Sign of the current; on a row without any that of the row before."""
    sign = pd.Series(np.sign(frame[CURRENT].to_numpy()))
    return sign.replace(0, np.nan).ffill().fillna(0).to_numpy()


def _held(count: np.ndarray) -> np.ndarray:
    """A count as on the row before where it is empty."""
    return pd.Series(count).ffill().fillna(0.0).to_numpy()


def _gains(count: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """What a count gains on each row, near to what is expected."""
    moved = np.diff(count, prepend=count[:1])
    anew = np.abs(count - expected) < np.abs(moved - expected)
    # only a count that goes towards zero has begun anew
    anew &= np.abs(count) < np.abs(np.concatenate([count[:1], count[:-1]]))
    return np.where(anew, count, moved)


def increments(frame: pd.DataFrame) -> np.ndarray:
    """Integral of the current over the interval before each row [A.h], positive on discharge.

    A trapezoid where the current runs on; where it sets in or turns, the current after that, since
    the step began. A current that is the mean since the row before is taken as that. A row whose
    time lies before that of an earlier row counts as nothing.
    """
    time, current = frame[TIME].to_numpy(), frame[CURRENT].to_numpy()
    length = np.diff(np.maximum.accumulate(time), prepend=time[:1])
    if frame.attrs.get(MEAN_CURRENT):
        return current * length / 3600
    before = np.concatenate([current[:1], current[:-1]])
    mean = (current + before) / 2
    jump = np.sign(current) != np.sign(before)
    if STEP_TIME in frame:
        since = np.nan_to_num(frame[STEP_TIME].to_numpy(), nan=np.inf)
        onset = np.where(since >= 0, np.minimum(length, since), length)
    else:
        onset = length
    # a row long after the one before was written as the current set in
    after = np.concatenate([length[1:], length[-1:]])
    onset = np.where(onset <= 1.5 * after, onset, 0.0)
    charge = np.where(jump, current * onset, mean * length)
    return charge / 3600


def totals(frame: pd.DataFrame, gains: np.ndarray | None) -> dict[str, float]:
    """What passed on charge and on discharge [A.h]: by gains, or by the cycler's own count."""
    if gains is None:
        return {
            "charge": float(frame[CHARGED].iloc[-1] - frame[CHARGED].iloc[0]),
            "discharge": float(frame[DISCHARGED].iloc[-1] - frame[DISCHARGED].iloc[0]),
        }
    return {
        "charge": float(-gains[gains < 0].sum()),
        "discharge": float(gains[gains > 0].sum()),
    }


def chosen(frame: pd.DataFrame) -> tuple[np.ndarray, str]:
    """What passed in the interval before each row, by the better of two counts.

    The cycler's own count is the better one: it knows the current between two rows. It is not
    where it is rounded more than the current is, or counts nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        As from `read_curves`.

    Returns
    -------
    gains : numpy.ndarray
        [A.h], positive on discharge.
    which : str
        In words: "the cycler's own count" or "the integral of the current".
    """
    integral = increments(frame)
    if CHARGED not in frame or DISCHARGED not in frame:
        return integral, "the integral of the current"
    charged, discharged = frame[CHARGED].to_numpy(), frame[DISCHARGED].to_numpy()
    own = np.diff(discharged, prepend=discharged[:1]) - np.diff(charged, prepend=charged[:1])
    total = float(np.abs(own).sum())
    if not total > 0.01 * float(np.abs(integral).sum()):
        return integral, "the integral of the current"
    # half a digit of a count that is read at both ends of a half-cycle, against that of a current
    current = np.abs(frame[CURRENT].to_numpy())
    halves = max(1, np.count_nonzero(np.diff(np.sign(current)) != 0) / 2)
    rough = max(_digit(charged), _digit(discharged)) * halves / total
    flows = current[current > 0.01 * current.max(initial=0.0)]
    rough_current = _digit(current) / float(np.median(flows)) / 2 if flows.size else 0.0
    if rough > max(0.01, rough_current):
        return integral, "the integral of the current"
    return own, "the cycler's own count"


def _digit(values: np.ndarray) -> float:
    """The last decimal digit that numbers are written with; 0 if they have more than twelve."""
    sample = np.unique(np.round([0.0, *values[:: max(1, len(values) // 2000)]], 13))
    for digits in range(13):
        rounded = np.round(sample, digits)
        close = np.abs(sample - rounded).max(initial=0.0) < 0.02 * 10.0**-digits
        if close and np.unique(rounded).size == sample.size:
            return 10.0**-digits
    return 0.0
