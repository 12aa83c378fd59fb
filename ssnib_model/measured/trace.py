"""A measurement as arrays, and what counts as the same current or voltage in it."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.columns import (
    CHARGED,
    CURRENT,
    CYCLE,
    DISCHARGED,
    STEP,
    STEP_TIME,
    TEMPERATURE,
    TIME,
    VOLTAGE,
)

#: A current is the same as another one within this part of it, and a voltage held within this
#: [V]; or within this many times the noise, up to so many volts.
SAME_CURRENT, SAME_VOLTAGE, NOISES, LARGEST_NOISE = 0.04, 1e-3, 5.0, 0.01

#: Noise of the current at most, as a part of the largest one.
LARGEST_CURRENT_NOISE = 3e-3

#: Currents that are no current at all, as a part of the largest of the file.
NO_CURRENT = 1e-4


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
        optional = (CHARGED, DISCHARGED, TEMPERATURE, STEP_TIME)
        self.charged, self.discharged, self.temperature, self.step_time = (
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

    def start_of(self, row: int) -> float | None:
        """When the step began that a row is the first of, where the file says so [s]."""
        if self.step_time is None or row == 0 or self.one_part(row - 1, row):
            return None
        start = float(self.t[row] - self.step_time[row])
        # a time since something else is none of this
        return start if self.t[row - 1] <= start <= self.t[row] else None

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
