"""Plots of the model beside a measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssnib_model.errors import OptionError
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE
from ssnib_model.plotting import axes, label
from ssnib_model.results.plots import loss_lines, set_title
from ssnib_model.results.protocol_plots import CURRENTS, HOUR

if TYPE_CHECKING:
    from ssnib_model.measured.comparison import Comparison

#: Measured points that are drawn of one step at most.
DRAWN = 150

MEASURED: dict[str, Any] = {
    "color": "k",
    "marker": "o",
    "ms": 2.5,
    "mfc": "none",
    "mew": 0.6,
    "ls": "",
}

#: Parts of a step for which losses are drawn.
FRACTIONS = np.linspace(0.02, 0.98, 49)


def voltages(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Measured points and the model's lines over the time of the measurement [h].

    Each step of the model is drawn from the start of the measured one on, for as long as it takes
    in the model.
    """
    return _over_time(comparison, VOLTAGE, label(VOLTAGE), 1.0, ax)


def currents(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """The same of the current, in A, mA or µA, whichever fits it."""
    largest = float(np.abs(comparison.curves[CURRENT]).max())
    unit, one = next(((u, v) for u, v in CURRENTS.items() if largest >= 0.1 * v), ("µA", 1e-6))
    return _over_time(comparison, CURRENT, f"Current [{unit}]\n(discharge > 0)", one, ax)


def _over_time(
    comparison: Comparison, column: str, name: str, one: float, ax: Axes | None
) -> Axes:
    ax = axes(ax)
    row = {CURRENT: 1, VOLTAGE: 2}[column]
    t, y = [], []
    for p in comparison.points:
        samples = comparison.result.steps[p.done.number - 1].samples
        t += [(p.done.step.start + samples[0]) / HOUR, [np.nan]]
        y += [samples[row] / one, [np.nan]]
    measured = _thinned(comparison.curves)
    ax.plot(measured[TIME] / HOUR, measured[column] / one, **MEASURED, label="measured")
    ax.plot(np.concatenate(t), np.concatenate(y), "C0", lw=1.2, label="model")
    ax.set(ylabel=name)
    return ax


def residuals(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Model minus measured voltage [mV], where the two are compared."""
    ax = axes(ax)
    for p in comparison.points:
        model = p.model_voltage(comparison.result.steps[p.done.number - 1])
        t = (p.done.step.start + p.fractions * p.done.step.duration) / HOUR
        ax.plot(t, 1e3 * (model - p.voltage), "C0.-", lw=0.8, ms=3)
    ax.axhline(0, color="k", lw=0.8)
    ax.set(ylabel="Model - measured\n[mV]")
    return ax


def comparison_figure(comparison: Comparison, title: str | None = None) -> Figure:
    """Voltage, current and residuals of all steps that are compared."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1.3))
    voltages(comparison, upper)
    # beside the axes, which the curves fill
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    currents(comparison, middle)
    residuals(comparison, lower)
    lower.set_xlabel("Time [h]")
    figure.align_ylabels([upper, middle, lower])
    own = f"{comparison.measured.name} beside {comparison.parameters.name}, "
    own += comparison.model_name
    set_title(figure, comparison, own if title is None else title)
    return figure


def step_figure(comparison: Comparison, step: int, title: str | None = None) -> Figure:
    """Voltage, residuals and the model's losses of one step.

    Raises
    ------
    OptionError
        If the step is not among those that are compared, or the model has nothing of it.
    """
    found = next((p for p in comparison.points if p.done.number == step), None)
    if found is None:
        there = [p.done.number for p in comparison.points]
        raise OptionError(f"step is {step!r}: compared are {there}")
    losses = comparison.breakdown(step, FRACTIONS)
    result = comparison.result.steps[step - 1]
    name, one = _abscissa(comparison, found.by_capacity)
    rows = _thinned(comparison.curves[comparison.curves["Step"] == step])
    measured = rows["Step time [s]"].to_numpy()
    size = found.done.step.duration
    figure = Figure(figsize=(8, 8), layout="constrained")
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.3, 2.4))
    charge = comparison.measured.scale * abs(found.done.step.charge)
    whole = (charge if found.by_capacity else size) / one
    samples = result.samples
    model = np.abs(samples[3]) / one if found.by_capacity else samples[0] / one
    upper.plot(measured / size * whole, rows[VOLTAGE], **MEASURED, label="measured")
    upper.plot(model, samples[2], "C0", lw=1.2, label="model")
    upper.set(ylabel=label(VOLTAGE))
    upper.legend()
    residual = 1e3 * (found.model_voltage(result) - found.voltage)
    middle.plot(found.fractions * whole, residual, "C0.-", lw=0.8, ms=3)
    middle.axhline(0, color="k", lw=0.8)
    middle.set(ylabel="Model - measured\n[mV]")
    loss_lines(losses, FRACTIONS * model[-1], lower)
    lower.set(xlabel=name)
    figure.align_ylabels([upper, middle, lower])
    text = f"{comparison.measured.name}, step {step}: {found.done.instruction.label}"
    set_title(figure, comparison, text if title is None else title)
    return figure


def _abscissa(comparison: Comparison, by_capacity: bool) -> tuple[str, float]:
    """Name of the axis, and its unit in A.h or s."""
    if by_capacity:
        return label("Capacity [mA.h.g-1]"), comparison.mass
    return "Time of the step [s]", 1.0


def _thinned(curves: pd.DataFrame) -> pd.DataFrame:
    """As many rows of each step as can be told apart."""
    groups = (part.iloc[:: max(1, len(part) // DRAWN)] for _, part in curves.groupby("Step"))
    return pd.concat(groups)
