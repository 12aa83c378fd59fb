"""The sign of a current: by words for what a step does, by two counts of capacity, by voltage.

Within the package a current is positive on discharge. Whatever the column says, charge raises
the voltage: that is looked at last, and always.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ssnib_model.measured.columns import CHARGED, CURRENT, DISCHARGED, STATE, TIME, VOLTAGE, Reader

#: Smallest part of the largest current that counts as current when a sign is looked for.
NOISE = 1e-4

#: Parts of a stretch of current in which the voltage is followed.
PARTS = 20

#: As Land abbreviates: CCC is a charge, CCCV_D a discharge.
_MODE = r"^(?:cccv|cc|cv|cp|cr)+_?"
_DISCHARGE = re.compile(
    rf"d(?:is|[ée])?[ _-]?ch|dchg|放电|^d(?:$|[ _-])|{_MODE}d|entlad", re.IGNORECASE
)
_CHARGE = re.compile(rf"chg|charg|充电|^c(?:$|[ _-])|^cha$|{_MODE}c$|laden", re.IGNORECASE)
_REST = re.compile(
    r"rest|pause|still|ocv|open|idle|wait|storage|静置|搁置|^[rpsoa](?:$|[ _-])|stop|end|finish",
    re.IGNORECASE,
)


def direction_of(word: str) -> float:
    """1 of a word for a discharge, -1 for a charge, 0 for a rest; NaN if it is none of these.

    Examples
    --------
    >>> [direction_of(w) for w in ("CC_DChg", "C", "恒流充电", "Rest")]
    [1.0, -1.0, -1.0, 0.0]
    """
    word = str(word).strip()
    for value, pattern in ((1.0, _DISCHARGE), (-1.0, _CHARGE), (0.0, _REST)):
        if pattern.search(word):
            return value
    return np.nan


def states(reader: Reader) -> np.ndarray | None:
    """What each row says it does, as `direction_of`; None if no column says so."""
    candidates = [reader.table.states] if reader.table.states is not None else []
    candidates += [reader.table.raw[c.name] for c in reader.columns.get(STATE, [])]
    for column in candidates:
        words = column.astype(str)
        meaning = {word: direction_of(word) for word in words.unique()[:1000]}
        directions = words.map(meaning).to_numpy(float)
        if np.isin(directions, (1.0, -1.0)).any():
            return directions
    return None


def turn(
    reader: Reader,
    frame: pd.DataFrame,
    directions: np.ndarray | None,
    discharge_is_positive: bool,
    name: str,
) -> None:
    """Give the current of a frame the sign of the package, in place.

    Parameters
    ----------
    reader : Reader
        For two counts of capacity, and for what is remarked.
    frame : pandas.DataFrame
        "Time [s]", "Current [A]" as in the file, "Voltage [V]".
    directions : numpy.ndarray or None
        As from `states`.
    discharge_is_positive : bool
        Where nothing in the file says so: whether the current of the format is.
    name : str
        Of the column.

    Raises
    ------
    MeasuredDataError
        If the current is without sign, and nothing says which half-cycles are charges.
    """
    current = frame[CURRENT].to_numpy()
    flows = np.abs(current) > NOISE * np.abs(current).max(initial=0.0)
    unsigned = not (current[flows] < 0).any()
    by = "words for the steps"
    if directions is None or not np.isfinite(directions[flows]).any():
        directions, by = _by_counts(reader, frame), "the two counts of capacity"
    sense = _sense(current, directions, flows)
    told = directions is not None and np.isin(directions[flows], (1.0, -1.0)).any()
    if told and unsigned and directions is not None:
        both = {1.0, -1.0} <= set(directions[flows])
        signed = np.abs(current) * np.where(directions >= 0, 1.0, -1.0)
        unknown = flows & ~np.isin(directions, (1.0, -1.0))
        if unknown.any():
            reader.remarks.append(
                f"current flows on {int(unknown.sum())} line(s) without a word for its direction, "
                f"first at line {frame.index[unknown][0]}: taken as that of the step before"
            )
            last = pd.Series(np.where(np.isin(directions, (1.0, -1.0)), directions, np.nan))
            signed[unknown] = (np.abs(current) * last.ffill().bfill().to_numpy())[unknown]
        frame[CURRENT] = signed
        if both:
            reader.remarks.append(f"'{name}' is without sign: it is given one by {by}")
    elif sense:
        frame[CURRENT] = current * sense
    else:
        frame[CURRENT] = current if discharge_is_positive else -current
    frame[CURRENT] += 0.0  # no -0.0
    _look_at_voltage(reader, frame, name, bool(told), unsigned)


def _by_counts(reader: Reader, frame: pd.DataFrame) -> np.ndarray | None:
    """Direction of each row by which of two counts of capacity rises."""
    charged, discharged = reader.optional(CHARGED), reader.optional(DISCHARGED)
    if charged is None or discharged is None:
        return None
    up, down = (np.diff(c, prepend=c[:1]) for c in (charged, discharged))
    directions = np.where(down > 0, 1.0, np.where(up > 0, -1.0, np.nan))
    # both at once is neither; a rounded count moves on some rows only: the run has one direction
    directions[(down > 0) & (up > 0)] = np.nan
    sign = np.sign(frame[CURRENT].to_numpy())
    runs = np.cumsum(np.diff(sign, prepend=sign[:1]) != 0)
    if (sign < 0).any():
        mean = pd.Series(directions).groupby(runs).transform("mean").to_numpy()
        return np.where(np.abs(mean) > 0.5, np.sign(mean), np.nan)
    filled = pd.Series(directions).groupby(runs)
    return filled.bfill().fillna(filled.ffill()).to_numpy()


def _sense(current: np.ndarray, directions: np.ndarray | None, flows: np.ndarray) -> float:
    """1 if a signed current is positive on discharge by its directions, -1 if not, 0 unknown."""
    if directions is None:
        return 0.0
    known = flows & np.isin(directions, (1.0, -1.0))
    agreement = np.sign(current[known]) * directions[known]
    return float(np.sign(agreement.mean())) if known.any() and abs(agreement.mean()) > 0.5 else 0.0


def _look_at_voltage(
    reader: Reader, frame: pd.DataFrame, name: str, told: bool, unsigned: bool
) -> None:
    """Charge raises the voltage: turn a current that says otherwise, or refuse it."""
    right, wrong = evidence(frame)
    if unsigned and not told and min(right, wrong) > 0.2 * max(right, wrong, 0.25):
        raise reader.source.error(
            f"'{name}' has one sign, but the voltage rises by {max(right, wrong):.2f} V and "
            f"falls by {min(right, wrong):.2f} V under it: its sign is missing, and no column "
            "says what a step does; write the current with its sign"
        )
    if wrong > 3 * right and wrong > 0.02:
        if told:
            reader.remarks.append(
                f"by its steps '{name}' has the right sign, but the voltage moves the other way "
                f"({wrong:.2f} V against, {right:.2f} V with the current): look at the voltage"
            )
        else:
            frame[CURRENT] = -frame[CURRENT]
            reader.remarks.append(
                f"the sign of '{name}' was turned: the voltage moves the other way "
                f"({wrong:.2f} V against, {right:.2f} V with it)"
            )


def evidence(frame: pd.DataFrame) -> tuple[float, float]:
    """Volts by which the voltage moves as the sign of the current says, and the other way.

    Counted are stretches of steady current, in at most `PARTS` parts each, from the first to the
    last point of a part: falling on discharge, rising on charge.
    """
    current, voltage = frame[CURRENT].to_numpy(), frame[VOLTAGE].to_numpy()
    time = frame[TIME].to_numpy()
    flows = np.abs(current) > NOISE * np.abs(current).max(initial=0.0)
    step = np.abs(np.diff(current)) > 0.02 * np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
    again = np.diff(time) < 0
    bounds = np.flatnonzero(step | again) + 1
    right = wrong = 0.0
    for begin, stop in zip([0, *bounds], [*bounds, len(current)], strict=True):
        if stop - begin < 3 or not flows[begin]:
            continue
        at = np.unique(
            np.linspace(begin, stop - 1, min(PARTS, (stop - begin) // 2) + 1, dtype=int)
        )
        moved = np.diff(voltage[at]) * -np.sign(current[begin])
        right += moved[moved > 0].sum()
        wrong -= moved[moved < 0].sum()
    return float(right), float(wrong)
