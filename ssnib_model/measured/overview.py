"""What a measurement holds, at a glance: its steps as a table, and as a picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssnib_model.measured.capacity import chosen
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE
from ssnib_model.measured.ends import EndedBy, MeasuredEnd, measured_ends
from ssnib_model.measured.steps import measured_steps
from ssnib_model.measured.trace import Columns
from ssnib_model.plotting import axes

#: Points that are drawn of a curve at most.
MAX_DRAWN = 20_000

_UNITS = {
    EndedBy.VOLTAGE: "V",
    EndedBy.TIME: "s",
    EndedBy.CURRENT: "A",
    EndedBy.CAPACITY: "A.h",
}


def steps_table(curves: pd.DataFrame) -> pd.DataFrame:
    """The steps of a measurement, one row each.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`.

    Returns
    -------
    pandas.DataFrame
        "Kind" ("charge" or "discharge" at constant current, "rest", "hold" at a voltage or
        "profile"), "Cycle", "First line" and "Last line" of the file, "Start [s]",
        "Duration [s]", "Current [A]" (its mean, positive on discharge), "Start voltage [V]",
        "End voltage [V]", "Charge passed [A.h]" (positive on discharge; by the cycler's own count
        where that is the better one) and "Ended by" in words.

    Raises
    ------
    MeasuredDataError
        If no current flows at all, or a time goes back.
    """
    columns = Columns(curves)
    steps, _ = measured_steps(curves)
    window = float(columns.v.min()), float(columns.v.max())
    ends = measured_ends(columns, steps, window)
    passed = np.concatenate([[0.0], np.cumsum(chosen(curves)[0])])
    lines = curves.index.to_numpy()
    rows = []
    for step, end in zip(steps, ends, strict=True):
        # a rest of which there is no row has its last row before its first
        last = max(step.last, min(step.first, len(lines) - 1))
        first = min(step.first, last)
        rows.append(
            {
                "Kind": step.kind,
                "Cycle": step.cycle,
                "First line": int(lines[first]),
                "Last line": int(lines[last]),
                "Start [s]": step.start,
                "Duration [s]": step.duration,
                "Current [A]": step.current,
                "Start voltage [V]": float(columns.v[first]),
                "End voltage [V]": step.voltage,
                "Charge passed [A.h]": float(passed[step.last + 1] - passed[step.first]),
                "Ended by": _in_words(end),
            }
        )
    return pd.DataFrame(rows)


def _in_words(end: MeasuredEnd) -> str:
    return f"{end.by} {end.value:.4g} {_UNITS[end.by]}"


def plot_curves(curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Voltage and current of a measurement over time.

    Parameters
    ----------
    curves : pandas.DataFrame
        As from `read_curves`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new ones by default. The current has an axis of its own to the right.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the voltage.
    """
    ax = axes(ax)
    shown = curves.iloc[:: max(1, -(-len(curves) // MAX_DRAWN))]
    time = shown[TIME].to_numpy()
    scale, unit = (3600.0, "h") if np.ptp(time) > 7200 else (1.0, "s")
    current = shown[CURRENT].to_numpy()
    milli = np.abs(current).max(initial=0.0) < 1
    right = ax.twinx()
    right.plot(time / scale, current * (1e3 if milli else 1.0), color="0.6", lw=0.8)
    right.set_ylabel(f"Current [{'mA' if milli else 'A'}], discharge positive", color="0.45")
    ax.plot(time / scale, shown[VOLTAGE].to_numpy(), color="C0", lw=1.2)
    ax.set_xlabel(f"Time [{unit}]")
    ax.set_ylabel("Voltage [V]", color="C0")
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    figure = ax.get_figure()
    if isinstance(figure, Figure) and len(figure.axes) == 2:
        ax.set_title(str(curves.attrs.get("format", "")), fontsize="small")
    return ax
