"""Plots. Every function draws on an Axes (a new one if none is given) and returns it."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

MEASURED_MARKERS = "sD^vPX"


def rate_capability(result, ax=None):
    """Discharge capacity against C-rate, with the measured points."""
    return _against_rate(result, "Discharge capacity [mA.h.g-1]", ax)


def polarization(result, ax=None):
    """Gap between charge and discharge at half capacity against C-rate, with measured points."""
    return _against_rate(result, "Polarization [V]", ax)


def _against_rate(result, column, ax):
    ax = _axes(ax)
    table = result.table.sort_values("C-rate")
    ax.plot(table["C-rate"], table[column], "o-", color="C0", label="model")
    data = result.compare()
    data = data[data["Quantity"] == column]
    for marker, (name, points) in zip(MEASURED_MARKERS, data.groupby("Data"), strict=False):
        ax.plot(
            points["C-rate"],
            points["Measured"],
            marker,
            color="k",
            mfc="w",
            label=f"measured, {name}",
        )
    ax.set_xscale("log")
    ax.set_xticks(rates := sorted(set(table["C-rate"])), [f"{r:g}" for r in rates])
    ax.minorticks_off()
    ax.margins(y=0.1)
    ax.set(xlabel="C-rate [h$^{-1}$]", ylabel=_label(column), ylim=(0, None))
    ax.legend()
    return ax


def voltage_curves(result, ax=None):
    """Voltage against capacity: one colour a rate, charge dashed, last cycle of each rate."""
    ax = _axes(ax)
    curves = result.curves
    curves = curves[curves["Cycle"] == result.test.cycles]
    rates = list(dict.fromkeys(curves["C-rate"]))
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, max(len(rates), 1)))
    for rate, colour in zip(rates, colours, strict=True):
        for direction, style in (("charge", "--"), ("discharge", "-")):
            part = curves[(curves["C-rate"] == rate) & (curves["Direction"] == direction)]
            ax.plot(
                part["Capacity [mA.h.g-1]"],
                part["Voltage [V]"],
                style,
                color=colour,
                label=f"{rate:g} C" if direction == "discharge" else None,
            )
    ax.set(xlabel=_label("Capacity [mA.h.g-1]"), ylabel="Voltage vs Na$_{15}$Sn$_4$ [V]")
    if rates:
        ax.legend(title="charge dashed", loc="center left")
    return ax


def save_rate_test(result, folder: Path) -> None:
    """Write the three plots of a rate test, and one picture of all of them, as PNG."""
    plots = {
        "rate_capability": rate_capability,
        "voltage": voltage_curves,
        "polarization": polarization,
    }
    pictures = {"rate_test": list(plots.values()), **{n: [p] for n, p in plots.items()}}
    for file, drawn in pictures.items():
        # a figure of its own, not pyplot's: nothing to show or close
        figure = Figure(figsize=(5 * len(drawn), 4), layout="constrained")
        for plot, ax in zip(drawn, figure.subplots(1, len(drawn), squeeze=False)[0], strict=True):
            plot(result, ax)
        figure.suptitle(f"{result.parameters.name}, {result.model_name}")
        figure.savefig(folder / f"{file}.png", dpi=150)


def _axes(ax):
    return plt.figure(layout="constrained").add_subplot() if ax is None else ax


def _label(column: str) -> str:
    """A column name with its unit as printed."""
    return column.replace("mA.h.g-1", "mA h g$^{-1}$")
