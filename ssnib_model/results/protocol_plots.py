"""Plots of a test, step by step."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.plotting import axes, label
from ssnib_model.results.plots import set_title

HOUR = 3600.0


class DrawnProtocol(Protocol):
    """What a plot needs of a `ProtocolResult`."""

    parameters: ParameterSet
    model_name: str

    @property
    def curves(self) -> pd.DataFrame:
        """Over time."""

    @property
    def cycles(self) -> pd.DataFrame:
        """One row a cycle."""


def over_time(result: DrawnProtocol, column: str, ax: Axes | None = None) -> Axes:
    """A column of the curves against the time [h] of the test, with gaps where nothing was
    kept."""
    ax = axes(ax)
    curves = result.curves
    breaks = np.flatnonzero(np.diff(curves["Step"]) > 1) + 1
    hours = np.insert(curves["Time [s]"].to_numpy() / HOUR, breaks, np.nan)
    ax.plot(hours, np.insert(curves[column].to_numpy(), breaks, np.nan), lw=1)
    ax.set(xlabel="Time [h]", ylabel=label(column))
    return ax


def capacity_by_cycle(result: DrawnProtocol, ax: Axes | None = None) -> Axes:
    """Charge and discharge capacity of every cycle."""
    ax = axes(ax)
    cycles = result.cycles
    for way, marker in (("Charge", "^"), ("Discharge", "o")):
        column = f"{way} capacity [mA.h.g-1]"
        ax.plot(cycles["Cycle"], cycles[column], f"{marker}-", ms=3, lw=0.8, label=way.lower())
    ax.set(xlabel="Cycle", ylabel=label("Capacity [mA.h.g-1]"), ylim=(0, None))
    ax.legend()
    return ax


def protocol_figure(result: DrawnProtocol, title: str | None = None) -> Figure:
    """Voltage and current over time, and beside them the capacities of the cycles."""
    several = len(result.cycles) > 1
    # a figure of its own, not pyplot's: nothing to show or close
    figure = Figure(figsize=(13 if several else 8, 5), layout="constrained")
    parts = figure.subfigures(1, 2 if several else 1, width_ratios=(3, 2)[: 1 + several])
    left, *right = np.atleast_1d(np.asarray(parts, dtype=object))
    upper, lower = left.subplots(2, 1, sharex=True)
    over_time(result, "Voltage [V]", upper).set_xlabel("")
    over_time(result, "Current [A]", lower)
    for part in right:
        capacity_by_cycle(result, part.subplots())
    set_title(figure, result, title)
    return figure
