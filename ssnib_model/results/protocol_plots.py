"""Plots of a test, step by step."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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


#: Units of a current: it is drawn in the largest of which it has a tenth; cells of less than 1 mA
#: are usual.
CURRENTS = {"A": 1.0, "mA": 1e-3, "µA": 1e-6}


def over_time(result: DrawnProtocol, column: str, ax: Axes | None = None) -> Axes:
    """A column of the curves against the time [h] of the test, with gaps where nothing was
    kept. A current is drawn in A, mA or µA, whichever fits it."""
    ax = axes(ax)
    curves = result.curves
    values, name = curves[column].to_numpy(), label(column)
    if column == "Current [A]":
        largest = float(np.abs(values).max(initial=0.0))
        unit = next(
            (u for u, one in CURRENTS.items() if largest >= 0.1 * one), "µA" if largest else "A"
        )
        values, name = values / CURRENTS[unit], f"Current [{unit}]\n(discharge > 0)"
    breaks = np.flatnonzero(np.diff(curves["Step"]) > 1) + 1
    hours = np.insert(curves["Time [s]"].to_numpy() / HOUR, breaks, np.nan)
    ax.plot(hours, np.insert(values, breaks, np.nan), lw=1)
    ax.set(xlabel="Time [h]", ylabel=name)
    return ax


def capacity_by_cycle(result: DrawnProtocol, ax: Axes | None = None) -> Axes:
    """Charge and discharge capacity of every cycle that has them."""
    ax = axes(ax)
    cycles = result.cycles
    for way, marker in (("Charge", "^"), ("Discharge", "o")):
        capacity = cycles[f"{way} capacity [mA.h.g-1]"]
        shown = capacity.where(capacity > 0)
        ax.plot(cycles["Cycle"], shown, f"{marker}-", ms=4, lw=0.8, mfc="none", label=way.lower())
    ax.set(xlabel="Cycle", ylabel=label("Capacity [mA.h.g-1]"))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    largest = float(cycles.filter(like="capacity").to_numpy(dtype=float).max(initial=0.0))
    ax.set_ylim(0, 1.1 * largest if largest > 0 else None)  # room for the markers
    ax.legend(loc="lower left")
    return ax


def of_cycles(
    result: DrawnProtocol, column: str, name: str, scale: float = 1.0, ax: Axes | None = None
) -> Axes:
    """A column of the cycles against their number, by a short name."""
    ax = axes(ax)
    cycles = result.cycles
    ax.plot(cycles["Cycle"], scale * cycles[column], "o-", ms=3, lw=0.8, mfc="none")
    ax.set(xlabel="Cycle", ylabel=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def protocol_figure(result: DrawnProtocol, title: str | None = None) -> Figure:
    """Voltage and current over time; where there are cycles capacity, gap and energy of each."""
    cycles = result.cycles
    capacities = cycles.filter(like="capacity").to_numpy(dtype=float)
    # of parts of a charge, as titrations and pulses have them, there is nothing to compare
    whole = capacities.min(axis=1) > 0.5 * capacities.max(axis=1)
    several = bool(whole.sum() > 1)
    # a figure of its own, not pyplot's: nothing to show or close
    figure = Figure(figsize=(13 if several else 8, 5), layout="constrained")
    parts = figure.subfigures(1, 2 if several else 1, width_ratios=(3, 2)[: 1 + several])
    left, *right = np.atleast_1d(np.asarray(parts, dtype=object))
    upper, lower = left.subplots(2, 1, sharex=True)
    over_time(result, "Voltage [V]", upper).set_xlabel("")
    over_time(result, "Current [A]", lower)
    left.align_ylabels([upper, lower])
    for part in right:
        rows = part.subplots(3, 1, sharex=True, height_ratios=(2, 1, 1))
        capacity_by_cycle(result, rows[0]).set_xlabel("")
        of_cycles(result, "Mean voltage gap [V]", "Gap [V]", ax=rows[1]).set_xlabel("")
        of_cycles(result, "Discharge energy [W.h]", "Energy\n[mW h]", 1e3, rows[2])
        part.align_ylabels(rows)
    set_title(figure, result, title)
    return figure
