"""Plots of posteriors."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ssnib_model.plotting import axes

if TYPE_CHECKING:
    from ssnib_model.fits.draws import Posterior


def posterior_pairs(posterior: Posterior, grid: Any = None) -> np.ndarray:
    """Draws of a posterior, every parameter against every other, with the best point of the fit.

    Parameters
    ----------
    posterior : Posterior
        Of k parameters.
    grid : array_like of matplotlib.axes.Axes, optional
        Where to draw, shape (k, k).

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Shape (k, k).
    """
    free, samples, best = posterior.problem.free, posterior.samples, posterior.summary()["Best"]
    k = len(free)
    if grid is None:
        grid = plt.figure(figsize=(2.5 * k + 1, 2.5 * k + 1), layout="constrained").subplots(
            k, k, squeeze=False
        )
    grid = np.asarray(grid)
    for row, column in np.ndindex(k, k):
        ax, across, up = grid[row, column], free[column], free[row]
        if column > row:
            ax.set_axis_off()
            continue
        x = samples[across.label]
        if across.log:
            ax.set_xscale("log")
        if row == column:
            bins = np.geomspace if across.log else np.linspace
            ax.hist(x, bins(x.min(), x.max(), 31), color="C0")
            ax.set_yticks([])
        else:
            ax.plot(x, samples[up.label], ".", markersize=2, alpha=0.5, rasterized=True)
            ax.axhline(best[up.label], color="k", linewidth=0.8)
            if up.log:
                ax.set_yscale("log")
        line = ax.axvline(best[across.label], color="k", linewidth=0.8)
        for name, axis, shown in (
            (across.label, ax.xaxis, row == k - 1),
            (up.label, ax.yaxis, column == 0 < row),
        ):
            axis.set_tick_params(which="both", labelsize="x-small", rotation=30)
            axis.set_minor_formatter(NullFormatter())
            if axis.get_scale() == "log" and np.ptp(np.log10(samples[name])) < 2:
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter("{x:.1g}")
            if shown:
                axis.set_label_text(textwrap.fill(name, 28), fontsize="small")
            else:
                axis.set_ticklabels([])
    grid[0, -1].legend([line], ["best point of the fit"], loc="upper right", fontsize="small")
    return grid


def posterior_residuals(posterior: Posterior, ax: Axes | None = None) -> Axes:
    """What the draws say of the data, less what was measured, with the errors of the data.

    Parameters
    ----------
    posterior : Posterior
        Of a fit.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes(ax)
    table = posterior.of_data()
    scaled = table[["2.5 %", "Median", "97.5 %"]].sub(table["Measured"], axis=0)
    scaled = scaled.div(table["Sigma"], axis=0)
    for name, rows in scaled.groupby(table["Data"], sort=False):
        middle = rows["Median"]
        away = [middle - rows["2.5 %"], rows["97.5 %"] - middle]
        ax.errorbar(rows.index, middle, away, fmt=".", label=f"{name}, 95 % of the draws")
    ax.axhspan(-2, 2, color="0.9", zorder=0, label="errors of the data, 2 sigma")
    ax.axhline(0, color="k", linewidth=0.8)
    ax.set(xlabel="Number of the value [-]", ylabel="(model - measured) / sigma [-]")
    ax.legend(fontsize="small")
    return ax


def save_posterior(posterior: Posterior, folder: Path) -> None:
    """Write pairs of parameters, and residuals of the data, as PNG."""
    k = len(posterior.problem.free)
    figure = Figure(figsize=(2.5 * k + 1, 2.5 * k + 5), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=[2.5 * k + 1, 4])
    pairs, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    posterior_pairs(posterior, pairs.subplots(k, k, squeeze=False))
    posterior_residuals(posterior, below.add_subplot())
    figure.savefig(folder / "posterior.png", dpi=150)
