"""Figures of a diagnosis, as SVG that stands in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ssnib_model.diagnosis.limits import HALF_WAY, PER_GRAM
from ssnib_model.fits.data import MASS, VOLTAGE, CurveData, Data, RateTestData, SpectrumData
from ssnib_model.fits.protocol_data import ProtocolData
from ssnib_model.measured.overview import plot_curves
from ssnib_model.measured.protocol import Done
from ssnib_model.plotting import label

if TYPE_CHECKING:
    from ssnib_model.diagnosis.diagnosis import Diagnosis
    from ssnib_model.diagnosis.inputs import InputFile

#: Points of a file that are drawn at most: each is some bytes of the page.
DRAWN = 1500

#: Losses of less than this share of the sum, in every half-cycle, are drawn as one.
SMALL = 0.02

#: Steps whose texts find room.
NAMED_STEPS = 14

#: Colours that people with any colour vision tell apart (Okabe & Ito 2008), then hatched.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")

MEASURED = {"color": "k", "ls": "", "marker": "o", "ms": 3, "mfc": "none", "mew": 0.7}


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows.

    Attributes
    ----------
    source : str
        Its SVG as an address that holds it.
    alt : str
        What it shows, for those who do not see it.
    caption : str
        The same for those who do.
    """

    source: str
    alt: str
    caption: str


def picture(figure: Figure, alt: str, caption: str) -> Picture:
    """A figure as `Picture`."""
    buffer = io.BytesIO()
    # the same figure is the same text, without a date
    with mpl.rc_context({"svg.hashsalt": "ssnib"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = base64.b64encode(buffer.getvalue()).decode()
    return Picture(f"data:image/svg+xml;base64,{text}", alt, caption)


def of_file(one: InputFile) -> Picture | None:
    """Voltage and current of the file of a cycler."""
    trace = one.trace()
    if trace is None:
        return None
    figure = Figure(figsize=(8, 3), layout="constrained")
    plot_curves(trace.iloc[:: max(1, len(trace) // DRAWN)], figure.add_subplot())
    low, high = trace[VOLTAGE].min(), trace[VOLTAGE].max()
    return picture(
        figure,
        f"Voltage and current over time of {one.path}: {low:.3g} to {high:.3g} V.",
        "Voltage and current as read (current of the cell of the set, positive on discharge).",
    )


def of_data(d: Diagnosis) -> Iterator[tuple[str, Picture]]:
    """Fit beside data, one picture a data set, by its name."""
    one_c = d.parameters[PER_GRAM] * d.parameters[MASS]
    for data in d.fit.problem.data:
        table = d.comparison[d.comparison["Data"] == data.name].reset_index(drop=True)
        if isinstance(data, SpectrumData):
            yield data.name, _spectrum(data, table)
        elif isinstance(data, RateTestData):
            yield data.name, _rate_test(data, table)
        else:
            yield data.name, _curves(data, table, one_c)


def _curves(data: Data, table: pd.DataFrame, one_c: float) -> Picture:
    """Voltages by step, every step as wide as any other."""
    x, texts = _places(data, one_c)
    rows = table[table["Quantity"].str.startswith(VOLTAGE)]
    figure = Figure(figsize=(8, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1))
    step = np.floor(x - 1e-9)
    for number in np.unique(step):
        at = step == number
        part, here = rows[at], x[at]
        first = number == step[0]
        named = {"label": "best point of the model"} if first else {}
        band = {"label": "5 to 95 % of the draws"} if first else {}
        upper.fill_between(
            here, part["5 %"], part["95 %"], color="#56B4E9", alpha=0.5, lw=0, **band
        )
        upper.plot(here, part["Model"], color="#0072B2", lw=1.2, **named)
        off = 1e3 * (part["Model"] - part["Measured"])
        lower.plot(here, off, ".-", color="#0072B2", lw=0.8, ms=3)
    upper.plot(x, rows["Measured"], **MEASURED, label="measured")
    sigma = 1e3 * float(rows["Sigma"].median())
    lower.axhspan(-2 * sigma, 2 * sigma, color="0.9", zorder=0)
    lower.axhline(0, color="k", lw=0.8)
    upper.set_ylabel(label(VOLTAGE))
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    lower.set(ylabel="Model - measured\n[mV]", xlabel="Step of the measurement, each as wide")
    if len(texts) <= NAMED_STEPS:
        lower.set_xticks(np.arange(len(texts)) + 0.5, texts, rotation=25, ha="right", fontsize=7)
        lower.set_xlabel("")
    for ax in (upper, lower):
        for edge in range(1, len(texts)):
            ax.axvline(edge, color="0.85", lw=0.6, zorder=0)
    figure.align_ylabels([upper, lower])
    off = 1e3 * (rows["Model"] - rows["Measured"])
    rms = float(np.sqrt(np.nanmean(off**2)))
    return picture(
        figure,
        f"Measured voltages of {data.name} with the model's line through them and the differences "
        f"below: {rms:.3g} mV root mean square, {off.abs().max():.3g} mV at most.",
        f"{data.name}: measured voltages, best point and band of the draws; below, the difference "
        f"(root mean square {rms:.3g} mV) and twice the stated error in grey. Within a step time "
        "runs from left to right.",
    )


def _named(done: Done, one_c: float) -> str:
    """A step in a word or two."""
    kind, value = done.step.kind, done.instruction.value
    if kind in ("charge", "discharge") and isinstance(value, float):
        return f"{kind} at {abs(value) / one_c:.3g} C"
    return f"{kind}, {done.step.duration / 3600:.2g} h"


def _places(data: Data, one_c: float) -> tuple[np.ndarray, list[str]]:
    """Where each voltage is drawn, in steps, and what the steps are called."""
    if isinstance(data, CurveData):
        return data.fractions, [data.name]
    assert isinstance(data, ProtocolData)
    x: list[np.ndarray] = []
    texts: list[str] = []
    for fractions, done in data.steps():
        if len(fractions):
            x.append(len(texts) + np.clip(fractions, 1e-6, 1.0))
            texts.append(f"{done.number}: {_named(done, one_c)}")
    return np.concatenate(x), texts


def _rate_test(data: RateTestData, table: pd.DataFrame) -> Picture:
    """Capacities and gaps by C-rate."""
    rates = np.array([rate for rate, _ in data.points])
    quantities = list(dict.fromkeys(column for _, column in data.points))
    columns = np.array([column for _, column in data.points])
    figure = Figure(figsize=(8, 1 + 2.6 * len(quantities)), layout="constrained")
    rows = figure.subplots(len(quantities), 1, sharex=True, squeeze=False)[:, 0]
    for ax, quantity in zip(rows, quantities, strict=True):
        at = np.flatnonzero(columns == quantity)
        at = at[np.argsort(rates[at], kind="stable")]
        part, x = table.iloc[at], rates[at]
        ax.fill_between(x, part["5 %"], part["95 %"], color="#56B4E9", alpha=0.5, lw=0)
        ax.plot(x, part["Model"], color="#0072B2", lw=1.2, label="best point, 5 to 95 % of draws")
        ax.errorbar(x, part["Measured"], 2 * part["Sigma"], **MEASURED, label="measured, 2 sigma")
        ax.set_ylabel(label(quantity))
        ax.set_xscale("log")
    rows[0].legend(frameon=False)
    rows[-1].set_xlabel("C-rate")
    worst = table["Residual"].abs().max()
    return picture(
        figure,
        f"{', '.join(quantities)} of {data.name} over the C-rate, measured and of the model: they "
        f"are {worst:.2g} standard deviations apart at most.",
        f"{data.name}: measured with two standard deviations, best point and band of the draws.",
    )


def _spectrum(data: SpectrumData, table: pd.DataFrame) -> Picture:
    """Nyquist, and the differences over the frequency."""
    n = len(data.frequencies)
    real, imaginary = table.iloc[:n], table.iloc[n:]
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(2, 1))
    upper.plot(real["Measured"], -imaginary["Measured"], **MEASURED, label="measured")
    upper.plot(real["Model"], -imaginary["Model"], color="#0072B2", lw=1.2, label="best point")
    upper.set(xlabel="Re(Z) [Ohm]", ylabel="-Im(Z) [Ohm]")
    upper.set_aspect("equal", "datalim")
    upper.legend(frameon=False)
    size = np.abs(real["Measured"].to_numpy() + 1j * imaginary["Measured"].to_numpy())
    for part, rows in (("Re", real), ("Im", imaginary)):
        off = 100 * (rows["Model"] - rows["Measured"]).to_numpy() / size
        lower.semilogx(data.frequencies, off, ".-", ms=3, lw=0.8, label=part)
    lower.axhline(0, color="k", lw=0.8)
    lower.set(xlabel="Frequency [Hz]", ylabel="Model - measured\n[% of |Z|]")
    lower.legend(frameon=False)
    return picture(
        figure,
        f"Impedance of {data.name} in the complex plane, measured and of the model, and the "
        "differences over the frequency.",
        f"{data.name}: impedance at state of charge {data.state:.3g}, and the difference.",
    )


def of_limits(d: Diagnosis) -> Picture | None:
    """Losses by half-cycle, stacked."""
    table = d.limits
    if table.empty:
        return None
    parts = table[table["Loss"] != "all together"]
    cycles = list(dict.fromkeys(_cycle(parts)))
    sizes = parts.assign(Cycle=_cycle(parts)).pivot_table(
        index="Loss", columns="Cycle", values="Median [V]", sort=False
    )[cycles]
    is_small = (sizes / sizes.sum()).max(axis=1) < SMALL
    small = sizes[is_small].sum()
    sizes = sizes[~is_small].sort_values(cycles[-1], ascending=False)
    if is_small.any():
        sizes.loc[f"{is_small.sum()} others"] = small
    figure = Figure(figsize=(8, 1.8 + 0.42 * len(cycles)), layout="constrained")
    ax = figure.add_subplot()
    whole = table[table["Loss"] == "all together"]
    names = ("5 % [V]", "Median [V]", "95 % [V]")
    low, middle, high = (1e3 * whole[name].to_numpy() for name in names)
    # medians do not add up to that of their sum
    sizes *= middle / (1e3 * sizes.sum().to_numpy())
    left = np.zeros(len(cycles))
    for place, (name, row) in enumerate(sizes.iterrows()):
        hatch = "" if place < len(COLOURS) else "//"
        width = 1e3 * row.to_numpy()
        colour = COLOURS[place % len(COLOURS)]
        ax.barh(
            cycles, width, left=left, color=colour, hatch=hatch, label=str(name), ec="w", lw=0.5
        )
        left += width
    ax.errorbar(middle, cycles, xerr=[middle - low, high - middle], fmt="k|", lw=1, capsize=3)
    ax.invert_yaxis()
    ax.set_xlabel(
        f"Losses at {HALF_WAY:.0%} of the time [mV], medians; line: 5 to 95 % of the sum"
    )
    figure.legend(loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return picture(
        figure,
        "Stacked bars of the losses of each half-cycle; the tables that follow have the numbers.",
        "What is lost half-way through each charge and discharge, by part of the cell.",
    )


def _cycle(table: pd.DataFrame) -> list[str]:
    several = len(set(table["Data"])) > 1
    return [
        f"{row['Direction']} {row['C-rate']:.3g} C" + (f", {row['Data']}" if several else "")
        for _, row in table.iterrows()
    ]


def of_next(d: Diagnosis) -> Picture | None:
    """Bands of the answer before and with each further measurement."""
    if d.next is None:
        return None
    figure = Figure(figsize=(8, 1.6 + 0.32 * len(d.next.table)), layout="constrained")
    d.next.plot(figure.add_subplot())
    return picture(
        figure,
        f"Bars of the 95 % band of {d.next.answer} with each further measurement, beside the band "
        "before; the numbers are in the table that follows.",
        f"95 % band of {d.next.answer} now, and with each measurement.",
    )


def of_parameters(d: Diagnosis) -> Picture | None:
    """What is known of each parameter within what its prior allows."""
    if not len(d.draws):
        return None
    table, free = d.table, d.fit.problem.free
    figure = Figure(figsize=(8, 1 + 0.27 * len(free)), layout="constrained")
    ax = figure.add_subplot()
    ax.hlines(range(len(free)), 0, 1, color="0.85", lw=7, label="prior")
    for place, f in enumerate(free):
        low, middle, high = (
            f.to_unit(float(table[n][f.label])) for n in ("5 %", "Median", "95 %")
        )
        colour = "#0072B2" if table["Part"][f.label] == "fitted" else "#E69F00"
        ax.plot([low, high], [place, place], color=colour, lw=4, solid_capstyle="butt")
        ax.plot(middle, place, "|", color="k", ms=9)
        inside = min(max(f.to_unit(d.parameters[f.name]), 0.0), 1.0)
        ax.plot(inside, place, "x", color="k", ms=5)
    ax.set_yticks(range(len(free)), [f.label for f in free], fontsize=7.5)
    ax.set_xticks([0, 1], ["lower bound", "upper bound"])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlim=(-0.02, 1.02))
    ax.invert_yaxis()
    return picture(
        figure,
        "Intervals of all parameters between their bounds; the numbers are in the table that "
        "follows.",
        "Between the bounds of each parameter (grey): 5 to 95 % of the draws, blue of what is "
        "fitted, orange of what varies; | the median, x the value in the set.",
    )
