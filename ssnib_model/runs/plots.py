"""Plots of sensitivities."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ssnib_model.plotting import axes, label


def sensitivity_bars(table, method, metric, ax=None):
    """Bars of local sensitivities, of a tornado or of Sobol indices, one group a parameter."""
    ax = axes(ax)
    if method == "tornado":
        rows = table.iloc[::-1]
        left = rows[["At low", "At high"]].min(axis=1)
        ax.barh(rows["Parameter"], (rows["At high"] - rows["At low"]).abs(), left=left)
        ax.axvline(table["Base"].iloc[0], color="k", linewidth=0.8)
        ax.set(xlabel=label(metric), ylabel="Parameter over its range")
        return ax
    if method == "local":
        # also a rate without any result, which pivot_table would drop
        bars = table.pivot_table(metric, "Parameter", "C-rate", dropna=False)
        bars = bars.set_axis([f"{rate:g} C" for rate in bars.columns], axis=1)
        text = f"d ln({label(metric)}) / d ln(parameter) [-]"
    elif method == "morris":
        bars = table.set_index("Parameter")[["mu_star", "sigma"]]
        text = f"elementary effect on {label(metric)} over the range"
    else:
        bars = table.set_index("Parameter")[["S1", "ST"]].set_axis(
            ["first order", "total"], axis=1
        )
        text = f"share of the variance of {label(metric)} [-]"
    bars.plot.barh(ax=ax)
    ax.axvline(0, color="k", linewidth=0.8)
    ax.set(xlabel=text, ylabel="Parameter")
    return ax


def save_sensitivity(table, method: str, metric: str, folder: Path) -> None:
    """Write the bars as PNG."""
    figure = Figure(figsize=(11, 1.5 + 0.5 * table["Parameter"].nunique()), layout="constrained")
    sensitivity_bars(table, method, metric, figure.subplots())
    figure.savefig(folder / f"{method}.png", dpi=150)
