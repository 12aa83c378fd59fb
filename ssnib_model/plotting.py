"""Axes and labels of every plot."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def axes(ax: Axes | None) -> Axes:
    """The axes to draw on: new ones if none are given."""
    return plt.figure(layout="constrained").add_subplot() if ax is None else ax


def label(column: str) -> str:
    """A column name with its unit as printed."""
    return column.replace("mA.h.g-1", "mA h g$^{-1}$")
