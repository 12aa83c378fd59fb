"""Plots of fits."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ssnib_model.fits.data import CurveData, SpectrumData
from ssnib_model.fits.protocol_data import ProtocolData
from ssnib_model.plotting import axes
from ssnib_model.results.plots import complex_plane

#: Spectra of a fit that are drawn.
MAX_SPECTRA = 8


def fit_residuals(result, ax=None):
    """Residuals in units of sigma, one group a data set."""
    ax = axes(ax)
    start = 0
    for name, rows in result.residuals.groupby("Data", sort=False):
        at = np.arange(start, start + len(rows))
        ax.bar(at, rows["Residual"], label=name)
        start += len(rows)
    ax.axhline(0, color="k", linewidth=0.8)
    for bound in (-2, 2):
        ax.axhline(bound, color="k", linestyle=":", linewidth=0.8)
    ax.set(xlabel="Number of the value [-]", ylabel="(model - measured) / sigma [-]")
    ax.legend(fontsize="small")
    return ax


def fit_comparison(result, ax=None):
    """Measured against simulated value of everything, in units of the measurement's sigma."""
    ax = axes(ax)
    rows = result.residuals
    rates = rows["Quantity"].str.extract(r"^(.*) at ([\d.e+-]+) C$")
    for quantity, group in rows.groupby(rates[0]):
        at = rates.loc[group.index, 1].astype(float)
        part = group.assign(rate=at).sort_values("rate")
        (line,) = ax.plot(part["rate"], part["Model"], "x", label=f"model, {quantity}")
        ax.errorbar(
            part["rate"], part["Measured"], 2 * part["Sigma"], fmt="o", mfc="w",
            color=line.get_color(), label="measured, 2 sigma",
        )  # fmt: skip
    ax.set(xlabel="C-rate [h$^{-1}$]", ylabel="Value [unit of its name]", xscale="log")
    if rates[0].notna().any():
        ax.legend(fontsize="x-small")
    return ax


def profile_likelihood(profile, label, ax=None):
    """chi2 over a parameter, with the level of the 95 % interval."""
    ax = axes(ax)
    ax.plot(profile["Value"], profile["chi2"], "o-")
    ax.axhline(profile["chi2"].min() + 3.84, color="k", linestyle=":", label="95 %")
    ax.set(xlabel=label, ylabel="chi2 [-]")
    if profile["Value"].max() > 10 * profile["Value"].min() > 0:
        ax.set_xscale("log")
    ax.legend()
    return ax


def fit_spectrum(result, name, ax=None):
    """Nyquist plot of one spectrum of a fit: measured points, and the model as a line."""
    ax = axes(ax)
    (data,) = (d for d in result.problem.data if d.name == name)
    rows = result.residuals[result.residuals["Data"] == name]
    measured, model = (_complex(rows[column]) for column in ("Measured", "Model"))
    order = np.argsort(data.frequencies)
    ax.plot(measured.real, -measured.imag, "o", mfc="none", label=f"{name}, measured")
    ax.plot(model.real[order], -model.imag[order], "-", label="model")
    # what was measured may go to and fro, so that the labels stand beside the model
    there = np.isfinite(model[order])
    along = (model if there.all() else measured)[order]
    complex_plane(data.frequencies[order], along, ax)
    ax.legend(fontsize="small")
    return ax


def fit_curves(result, ax=None):
    """Voltage against capacity of all curves of a fit: measured points, the model as a line."""
    ax = axes(ax)
    curves = [d for d in result.problem.data if isinstance(d, CurveData)]
    for number, data in enumerate(curves):
        rows = result.residuals[result.residuals["Data"] == data.name]
        for column, style, label in (
            ("Measured", "o", f"{data.name}, measured"),
            ("Model", "-", "model"),
        ):
            *voltage, capacity = rows[column]
            at = data.fractions * capacity
            ax.plot(at, voltage, style, mfc="none", ms=4, color=f"C{number}", label=label)
    ax.set(xlabel="Capacity [mA.h.g$^{-1}$]", ylabel="Voltage [V]")
    ax.legend(fontsize="small")
    return ax


def fit_protocols(result, ax=None):
    """Voltages over time of all measurements that were followed step by step."""
    ax = axes(ax)
    followed = [d for d in result.problem.data if isinstance(d, ProtocolData)]
    for number, data in enumerate(followed):
        rows = result.residuals[result.residuals["Data"] == data.name].iloc[data.voltages]
        hours = data.times / 3600
        colour = f"C{number}"
        ax.plot(
            hours, rows["Measured"], "o", color=colour, mfc="none", ms=4,
            label=f"{data.name}, measured",
        )  # fmt: skip
        ax.plot(hours, rows["Model"], ".", color=colour, ms=4, label="model")
    ax.set(xlabel="Time [h]", ylabel="Voltage [V]")
    ax.legend(fontsize="small")
    return ax


def _complex(values) -> np.ndarray:
    real, imaginary = np.split(np.asarray(values, dtype=float), 2)
    return real + 1j * imaginary


def save_fit(result, folder: Path) -> None:
    """Write what was measured beside the model, and the residuals, as PNG."""
    data = result.problem.data
    rates = result.residuals["Quantity"].str.contains(r" at [\d.e+-]+ C$").any()
    plots = [fit_comparison] if rates else []
    plots += [fit_curves] if any(isinstance(d, CurveData) for d in data) else []
    plots += [fit_protocols] if any(isinstance(d, ProtocolData) for d in data) else []
    # each has its own range, and its own decades
    spectra = [d.name for d in data if isinstance(d, SpectrumData)][:MAX_SPECTRA]
    plots += [functools.partial(fit_spectrum, name=name) for name in spectra]
    plots += [fit_residuals]
    wide = min(len(plots), 3)
    high = -(-len(plots) // wide)
    figure = Figure(figsize=(6.5 * wide, 5 * high), layout="constrained")
    places = figure.subplots(high, wide, squeeze=False).ravel()
    for plot, ax in zip(plots, places, strict=False):
        plot(result, ax=ax)
    for ax in places[len(plots) :]:
        ax.remove()
    figure.savefig(folder / "fit.png", dpi=150)
