"""Plots. Every function draws on an Axes (a new one if none is given) and returns it."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.plotting import axes, label
from ssnib_model.results.half_cycle import HalfCycle

MEASURED_MARKERS = "sD^vPX"


class Drawn(Protocol):
    """What a plot needs of a `RateTestResult`, which draws itself by these functions."""

    parameters: ParameterSet
    model_name: str
    test: Any
    half_cycles: list[HalfCycle]

    @property
    def table(self) -> pd.DataFrame:
        """One row a rate."""

    @property
    def curves(self) -> pd.DataFrame:
        """Voltage over time and capacity."""

    def compare(self) -> pd.DataFrame:
        """Beside the measurements."""

    def breakdown(self, rate: float, at: ArrayLike = 0.5, direction: str = "discharge") -> Any:
        """Overpotentials [V]."""


class Spectrum(Protocol):
    """What a plot needs of an impedance spectrum."""

    @property
    def frequencies(self) -> np.ndarray:
        """Frequencies [Hz]."""

    @property
    def z(self) -> np.ndarray:
        """Impedance [Ohm]."""

    @property
    def title(self) -> str:
        """What it is the impedance of."""


def rate_capability(result: Drawn, ax: Axes | None = None) -> Axes:
    """Discharge capacity against C-rate, with the measured points."""
    return _against_rate(result, "Discharge capacity [mA.h.g-1]", ax)


def polarization(result: Drawn, ax: Axes | None = None) -> Axes:
    """Gap between charge and discharge at half capacity against C-rate, with measured points."""
    return _against_rate(result, "Polarization [V]", ax)


def _against_rate(result: Drawn, column: str, ax: Axes | None) -> Axes:
    ax = axes(ax)
    table = result.table.sort_values("C-rate")
    ax.plot(table["C-rate"], table[column], "o-", color="C0", label="model")
    data, own = result.compare(), bool(result.parameters.measured)
    data = data[data["Quantity"] == column]
    for marker, (name, points) in zip(MEASURED_MARKERS, data.groupby("Data"), strict=False):
        ax.plot(
            points["C-rate"],
            points["Measured"],
            marker,
            color="k",
            mfc="w",
            label=f"measured, {name}" if own else f"measured on another cell, {name}",
        )
    ax.set_xscale("log")
    ax.set_xticks(rates := sorted(set(table["C-rate"])), [f"{r:g}" for r in rates])
    ax.minorticks_off()
    ax.margins(y=0.1)
    ax.set(xlabel="C-rate [h$^{-1}$]", ylabel=label(column), ylim=(0, None))
    ax.legend()
    return ax


def voltage_curves(result: Drawn, ax: Axes | None = None) -> Axes:
    """Voltage against capacity: one colour a rate, charge dashed, last cycle of each rate."""
    ax = axes(ax)
    curves = result.curves
    curves = curves[curves["Cycle"] == result.test.cycles]
    rates = list(dict.fromkeys(curves["C-rate"]))
    colours = dict(
        zip(rates, mpl.colormaps["viridis"](np.linspace(0, 0.9, len(rates))), strict=True)
    )
    named = set()
    for _, part in curves.groupby("Half-cycle"):
        rate, direction = part["C-rate"].iloc[0], part["Direction"].iloc[0]
        is_first = direction == "discharge" and rate not in named
        named |= {rate} if is_first else set()
        ax.plot(
            part["Capacity [mA.h.g-1]"],
            part["Voltage [V]"],
            "-" if direction == "discharge" else "--",
            color=colours[rate],
            label=f"{rate:g} C" if is_first else None,
        )
    ax.set(xlabel=label("Capacity [mA.h.g-1]"), ylabel="Cell voltage [V]")
    if named:
        # beside the axes, which the curves fill
        ax.legend(title="charge dashed", loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def breakdown_over_capacity(
    result: Drawn, rate: float, direction: str = "discharge", ax: Axes | None = None
) -> Axes:
    """Stacked overpotentials [mV] over the capacity of one half-cycle (its first and last 2 %
    left out, where the equilibrium potential is steep)."""
    ax = axes(ax)
    fractions = np.linspace(0.02, 0.98, 97)
    losses = result.breakdown(rate, fractions, direction)
    table = result.table.set_index("C-rate")
    capacity = fractions * table[f"{direction.capitalize()} capacity [mA.h.g-1]"][rate]
    sign = -1e3 if direction == "discharge" else 1e3
    shown = _shown(losses)
    ax.margins(x=0, y=0.4)
    ax.stackplot(capacity, (sign * shown).T, labels=shown.columns, colors=_colours(losses, shown))
    ax.set(
        xlabel=label("Capacity [mA.h.g-1]"),
        ylabel="Overpotential [mV]",
        title=f"{direction} at {rate:g} C",
    )
    ax.legend(fontsize="x-small", loc="upper left")
    return ax


def breakdown_bars(
    result: Drawn, at: float = 0.5, direction: str = "discharge", ax: Axes | None = None
) -> Axes:
    """One stacked bar of overpotentials [mV] a rate, at a fraction of the half-cycle."""
    ax = axes(ax)
    rates = [h.rate for h in result.half_cycles if h.direction == direction and h.segment]
    rates = sorted(set(rates))
    sign = -1e3 if direction == "discharge" else 1e3
    losses = pd.DataFrame({r: sign * result.breakdown(r, at, direction) for r in rates}).T
    shown = _shown(losses)
    bottom = np.zeros(len(rates))
    for name, colour in zip(shown, _colours(losses, shown), strict=True):
        ax.bar([f"{r:g}" for r in rates], shown[name], bottom=bottom, label=name, color=colour)
        bottom += shown[name].clip(lower=0).to_numpy()
    ax.set(
        xlabel="C-rate [h$^{-1}$]",
        ylabel="Overpotential [mV]",
        title=f"{direction}, at {at:.0%} of its capacity",
    )
    ax.legend(fontsize="x-small", loc="upper left")
    return ax


def loss_lines(losses: pd.DataFrame, x: ArrayLike, ax: Axes | None = None) -> Axes:
    """Overpotentials [mV] of a step as lines, a row of ``losses`` [V] for each ``x``."""
    ax = axes(ax)
    shown = _shown(losses)
    for name, colour in zip(shown, _colours(losses, shown), strict=True):
        ax.plot(x, 1e3 * shown[name], color=colour, label=name)
    ax.axhline(0, color="k", lw=0.8)
    ax.set(ylabel="Overpotential [mV]")
    # beside the axes, which the lines fill
    ax.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _shown(losses: pd.DataFrame) -> pd.DataFrame:
    """Without what nobody would see."""
    largest = losses.abs().max()
    return losses.loc[:, largest >= 1e-3 * largest.max()]


def _colours(losses: pd.DataFrame, shown: pd.DataFrame) -> list[Any]:
    """The same colour for the same loss in every plot."""
    colours = mpl.colormaps["tab20"](np.arange(losses.shape[1]) % 20)
    return [colours[losses.columns.get_loc(name)] for name in shown]


class Named(Protocol):
    """What the title of a plot says."""

    parameters: ParameterSet
    model_name: str


def set_title(figure: Figure, result: Named, title: str | None) -> None:
    """A title in as many lines as the figure needs."""
    kelvin = result.parameters["Ambient temperature [K]"]
    changes = [f"{n} = {_value(now)}" for n, (_, now) in result.parameters.changes.items()]
    own = f"{result.parameters.name}, {result.model_name}, {kelvin - 273.15:.6g} degC"
    own += f", changed: {'; '.join(changes)}" if changes else ""
    width = int(13 * figure.get_figwidth())
    figure.suptitle(textwrap.fill(own if title is None else title, width), fontsize="medium")


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def save_breakdown(
    result: Drawn, rate: float, at: float, folder: Path, title: str | None = None
) -> None:
    """Write the breakdown at one rate over capacity, and the bars of all rates, as PNG."""
    figure = Figure(figsize=(14, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    breakdown_over_capacity(result, rate, ax=left)
    breakdown_bars(result, at, ax=right)
    set_title(figure, result, title)
    figure.savefig(folder / "breakdown.png", dpi=150)


def save_rate_test(result: Drawn, folder: Path, title: str | None = None) -> None:
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
        set_title(figure, result, title)
        figure.savefig(folder / f"{file}.png", dpi=150)


def nyquist(spectrum: Spectrum, ax: Axes | None = None) -> Axes:
    """Nyquist plot with equal axes: -Im against Re [Ohm], decades of frequency marked."""
    ax = axes(ax)
    ax.plot(spectrum.z.real, -spectrum.z.imag, ".-")
    return complex_plane(spectrum.frequencies, spectrum.z, ax)


def complex_plane(frequencies: np.ndarray, z: np.ndarray, ax: Axes) -> Axes:
    """Axes of a Nyquist plot, equal, with the decades of frequency marked along a spectrum.

    Parameters
    ----------
    frequencies, z : numpy.ndarray
        [Hz] and [Ohm], shape (n,); for more spectra on the axes call it after they are drawn.
    ax : matplotlib.axes.Axes
        Where the spectra are.
    """
    limits = ax.dataLim
    width = max(limits.width, limits.height, 1e-12)
    # a strip that is flatter than this has no room for its own labels
    height = max(limits.height, 0.3 * width)
    margin = 0.08 * width
    ax.set_xlim(limits.x0 - margin, limits.x0 + max(limits.width, 0.3 * width) + 2 * margin)
    ax.set_ylim(limits.y0 - margin, limits.y0 + height + margin)
    ax.set_aspect("equal", adjustable="box")
    marked: list[complex] = []
    low, high = np.log10(frequencies.min()), np.log10(frequencies.max())
    for decade in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1):
        nearest = int(np.abs(np.log10(frequencies) - decade).argmin())
        at = complex(z[nearest])
        if any(abs(at - other) < 0.1 * width for other in marked):
            continue  # its label would cover another one
        marked.append(at)
        ax.plot(at.real, -at.imag, "o", color="k", markersize=4)
        # across the curve, to the side that is above or on the right
        before, after = z[max(nearest - 1, 0)], z[min(nearest + 1, len(z) - 1)]
        along = (after - before).conjugate()
        across = 1j * along / (abs(along) or 1)
        across *= -1 if across.imag < -0.3 or (across.imag < 0.3 and across.real < 0) else 1
        ax.annotate(
            f"$10^{{{decade}}}$ Hz",
            (at.real, -at.imag),
            textcoords="offset points",
            xytext=(10 * across.real, 10 * across.imag),
            ha="left" if across.real > 0.7 else "center",
            va="center",
            fontsize="small",
        )
    ax.set(xlabel="Re(Z) [Ohm]", ylabel="-Im(Z) [Ohm]")
    return ax


def bode(spectrum: Spectrum, ax: Axes | None = None) -> Axes:
    """Bode plot: modulus [Ohm] on the left axis, phase [degree] on the right one."""
    ax = axes(ax)
    modulus = ax.loglog(spectrum.frequencies, np.abs(spectrum.z), ".-", label="modulus")
    ax.set(xlabel="Frequency [Hz]", ylabel="|Z| [Ohm]")
    right = ax.twinx()
    degrees = np.angle(spectrum.z, deg=True)
    phase = right.semilogx(spectrum.frequencies, degrees, ".--", color="C1", label="phase")
    right.set(ylabel="Phase [degree]")
    ax.legend(handles=[*modulus, *phase])
    return ax


def save_impedance(spectrum: Spectrum, folder: Path) -> None:
    """Write Nyquist and Bode plot side by side as PNG."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    for plot, ax in zip((nyquist, bode), figure.subplots(1, 2), strict=True):
        plot(spectrum, ax)
    width = int(13 * figure.get_figwidth())
    figure.suptitle(textwrap.fill(spectrum.title, width), fontsize="medium")
    figure.savefig(folder / "impedance.png", dpi=150)
