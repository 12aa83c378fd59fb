"""Checks of whatever was read: each finding is a sentence, or an error where data are unusable."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ssnib_model.measured.columns import TIME, VOLTAGE
from ssnib_model.measured.text import Source


def check(source: Source, frame: pd.DataFrame) -> list[str]:
    """What is doubtful about curves, in sentences.

    Raises
    ------
    MeasuredDataError
        If they cannot be right.
    """
    problems = []
    line = frame.index.to_numpy()
    back = np.flatnonzero(np.diff(frame[TIME]) <= 0)
    if back.size:
        problems.append(
            f"time does not rise at {back.size} place(s), first at line {line[back[0] + 1]}"
        )
    voltage = frame[VOLTAGE].to_numpy()
    # a point far from both neighbours, which agree with one another
    around = (voltage[:-2] + voltage[2:]) / 2
    jump = np.abs(voltage[1:-1] - around)
    lone = (jump > 0.2) & (np.abs(voltage[:-2] - voltage[2:]) < 0.05)
    if lone.any():
        problems.append(
            f"voltage jumps at {lone.sum()} point(s), first at line "
            f"{line[np.flatnonzero(lone)[0] + 1]}"
        )
    return problems
