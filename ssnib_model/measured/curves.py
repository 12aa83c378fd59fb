"""Charges and discharges of a measurement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ssnib_model.measured.capacity import chosen
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE

#: Smallest part of the largest current that counts as current: less than C/50 beside a pulse of
#: 50 C, more than the noise of a cycler at rest.
REST = 2e-4


def half_cycles(curves: pd.DataFrame, active_mass: float) -> list[pd.DataFrame]:
    """Charges and discharges of a measurement, each with its specific capacity.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`.
    active_mass : float
        Mass of active material [kg].

    Returns
    -------
    list of pandas.DataFrame
        In order of time; "Time [s]" and "Capacity [mA.h.g-1]" count from where the current sets
        in, "Current [A]" and "Voltage [V]" are as measured. The capacity is the cycler's own
        count where that is the better one (`ssnib_model.measured.capacity.chosen`), else the
        integral of the current. ``attrs["direction"]`` is "charge" or "discharge",
        ``attrs["current"]`` the median current [A], ``attrs["capacity by"]`` says which count it
        is. Rests end a half-cycle and are left out, as are half-cycles of less than 5 points and
        points whose time does not rise.
    """
    current, time = curves[CURRENT].to_numpy(), curves[TIME].to_numpy()
    gains, which = chosen(curves)
    passed = np.cumsum(np.abs(gains))
    largest = np.abs(current).max(initial=0.0)
    sign = np.where(np.abs(current) > REST * largest, np.sign(current), 0)
    runs = np.split(np.arange(len(sign)), np.flatnonzero(np.diff(sign)) + 1)
    found = []
    for run in runs:
        if not len(run) or sign[run[0]] == 0:
            continue
        rows = run[np.diff(time[run], prepend=-np.inf) > 0]
        if len(rows) < 5:
            continue
        # the interval before the first row is part of it as far as charge passed in it
        before = gains[rows[0]] * 3600 / current[rows[0]]
        frame = pd.DataFrame(
            {
                TIME: time[rows] - time[rows[0]] + max(float(before), 0.0),
                CURRENT: current[rows],
                VOLTAGE: curves[VOLTAGE].to_numpy()[rows],
                "Capacity [mA.h.g-1]": (passed[rows] - passed[rows[0]] + abs(gains[rows[0]]))
                / active_mass,
            }
        )
        frame.attrs["direction"] = "discharge" if sign[run[0]] > 0 else "charge"
        frame.attrs["current"] = float(np.median(current[rows]))
        frame.attrs["capacity by"] = which
        found.append(frame)
    return found
