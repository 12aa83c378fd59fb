"""Plots of sensitivities and designs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from ssnib_model.plotting import axes, label
from ssnib_model.runs.metrics import OF_DESIGNS, Metric

if TYPE_CHECKING:
    from ssnib_model.runs.optimise import Optimum


def sensitivity_bars(
    table: pd.DataFrame, method: str, metric: str, ax: Any = None, rate: float | None = None
) -> Any:
    """Bars of local sensitivities, of a tornado or of global ones, one group a parameter.

    Parameters
    ----------
    table : pandas.DataFrame
        As from `sensitivity`, `tornado` or, with its index as "Parameter", `global_sensitivity`.
    method : str
        "local", "tornado", "sobol" or "morris".
    metric : str
        The result, in any spelling of `Metric.of`.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    rate : float, optional
        C-rate of the result, for the label, if ``metric`` says none.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes(ax)
    asked = Metric.of(metric, rate)
    name = label(asked.column) + ("" if asked.rate is None else f" at {asked.rate:g} C")
    if method == "tornado":
        rows = table.iloc[::-1]
        left = rows[["At low", "At high"]].min(axis=1)
        ax.barh(rows["Parameter"], (rows["At high"] - rows["At low"]).abs(), left=left)
        ax.axvline(table["Base"].iloc[0], color="k", linewidth=0.8)
        ax.set(xlabel=name, ylabel="Parameter over its range")
        return ax
    errors = None
    if method == "local":
        # of a rate that a test has twice the last; also a rate without any result
        last = table.drop_duplicates(["Parameter", "C-rate"], keep="last")
        bars = last.pivot_table(asked.column, "Parameter", "C-rate", dropna=False)
        bars = bars.set_axis([f"{rate:g} C" for rate in bars.columns], axis=1)
        text = f"d ln({label(asked.column)}) / d ln(parameter) [-]"
    elif method == "morris":
        bars, errors = _with_errors(table, {"mu_star": "mu_star", "sigma": "sigma"})
        text = f"elementary effect on {name} over the range, 95 % confidence"
    else:
        bars, errors = _with_errors(table, {"S1": "first order", "ST": "total"})
        text = f"share of the variance of {name} [-], 95 % confidence"
    bars.plot.barh(ax=ax, xerr=errors)
    ax.axvline(0, color="k", linewidth=0.8)
    ax.set(xlabel=text, ylabel="Parameter")
    return ax


def _with_errors(table: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars by parameter under their names in the legend, and the confidence of each."""
    rows = table.set_index("Parameter")
    bars = rows[list(names)].set_axis(list(names.values()), axis=1)
    errors = {
        shown: rows.get(f"{column}_conf", pd.Series(0.0, rows.index))
        for column, shown in names.items()
    }
    return bars, pd.DataFrame(errors)


def save_sensitivity(
    table: pd.DataFrame, method: str, metric: str, folder: Path, rate: float | None = None
) -> None:
    """Write the bars as PNG."""
    figure = Figure(figsize=(11, 1.5 + 0.5 * table["Parameter"].nunique()), layout="constrained")
    sensitivity_bars(table, method, metric, figure.subplots(), rate)
    figure.savefig(folder / f"{method}.png", dpi=150)


def designs(optimum: Optimum, ax: Any = None) -> Any:
    """Every design that an optimisation looked at, and the best.

    Parameters
    ----------
    optimum : Optimum
        As from `optimise`: of two metrics, one is shown over the other with the front; one
        metric is shown over the parameter that was varied first.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes(ax)
    table, goals = optimum.table, optimum.maximised
    y, x = (goals[0], goals[1]) if len(goals) == 2 else (goals[0], str(table.columns[0]))
    allowed = table["Allowed"].to_numpy(dtype=bool)
    for part, colour, said in (
        (table[~allowed], "0.75", "breaks a condition or has no result"),
        (table[allowed], "C0", "allowed"),
    ):
        if len(part):
            ax.plot(part[x], part[y], ".", color=colour, label=said, markersize=4)
    if len(optimum.front):
        line = "-" if len(optimum.front) > 1 else ""
        said = "front" if len(goals) == 2 else "best"
        ax.plot(
            optimum.front[x], optimum.front[y], f"o{line}", color="C1", label=said, markersize=4
        )
    ax.set(xlabel=label(_with_unit(x) if x in goals else x), ylabel=label(_with_unit(y)))
    ax.legend()
    return ax


def _with_unit(name: str) -> str:
    """A metric at a rate with its unit."""
    metric = Metric.of(name, among=OF_DESIGNS)
    spoken, bracket, unit = metric.column.partition(" [")
    return f"{spoken} at {metric.rate:g} C{bracket}{unit}"
