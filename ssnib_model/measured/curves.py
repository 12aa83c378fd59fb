"""Charges and discharges of a measurement."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.integrate import cumulative_trapezoid

from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE

#: Smallest part of the largest current that counts as current.
REST = 0.01


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
        In order of time; "Time [s]" and "Capacity [mA.h.g-1]" count from the start of each,
        ``attrs["direction"]`` is "charge" or "discharge", ``attrs["current"]`` the median
        current [A]. Rests end a half-cycle and are left out, as are points whose time does
        not rise.
    """
    current = curves[CURRENT].to_numpy()
    sign = np.where(np.abs(current) > REST * np.abs(current).max(), np.sign(current), 0)
    runs = np.split(np.arange(len(sign)), np.flatnonzero(np.diff(sign)) + 1)
    found = []
    for run in runs:
        part = curves.iloc[run[0] : run[-1] + 1]
        part = part[part[TIME].diff().fillna(1.0) > 0]
        if sign[run[0]] == 0 or len(part) < 5:
            continue
        time = part[TIME].to_numpy() - part[TIME].iloc[0]
        charge = cumulative_trapezoid(np.abs(part[CURRENT].to_numpy()), time, initial=0)
        capacity = charge / 3600 / active_mass
        frame = pd.DataFrame(
            {
                TIME: time,
                CURRENT: part[CURRENT].to_numpy(),
                VOLTAGE: part[VOLTAGE].to_numpy(),
                "Capacity [mA.h.g-1]": capacity,
            }
        )
        frame.attrs["direction"] = "discharge" if sign[run[0]] > 0 else "charge"
        frame.attrs["current"] = float(part[CURRENT].median())
        found.append(frame)
    return found
