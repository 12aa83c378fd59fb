"""Capacity: as the cycler counted it, and as the integral of the current."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ssnib_model.measured.columns import (
    CAPACITY,
    CHARGED,
    CURRENT,
    DISCHARGED,
    TIME,
    Reader,
)


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
            CHARGED: _gains(charged, np.maximum(-expected, 0)),
            DISCHARGED: _gains(np.abs(discharged), np.maximum(expected, 0)),
        }
        return {name: np.cumsum(np.maximum(gain, 0)) for name, gain in gains.items()}
    single = reader.optional(CAPACITY)
    if single is None:
        return {}
    single = np.nan_to_num(single)
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


def _gains(count: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """What a count gains on each row, near to what is expected."""
    count = np.nan_to_num(count)
    moved = np.diff(count, prepend=count[:1])
    anew = np.abs(count - expected) < np.abs(moved - expected)
    # only a count that goes towards zero has begun anew
    anew &= np.abs(count) < np.abs(np.concatenate([count[:1], count[:-1]]))
    return np.where(anew, count, moved)


def increments(frame: pd.DataFrame) -> np.ndarray:
    """Integral of the current over the interval before each row [A.h], positive on discharge.

    A trapezoid where the current runs on; where it sets in or jumps, the current after it, for
    no longer than to the next row. Intervals of no or negative length count as nothing.
    """
    time, current = frame[TIME].to_numpy(), frame[CURRENT].to_numpy()
    length = np.maximum(np.diff(time, prepend=time[:1]), 0.0)
    before = np.concatenate([current[:1], current[:-1]])
    mean = (current + before) / 2
    jump = np.sign(current) != np.sign(before)
    after = np.concatenate([length[1:], [np.inf]])
    charge = np.where(jump, current * np.minimum(length, after), mean * length)
    return charge / 3600
