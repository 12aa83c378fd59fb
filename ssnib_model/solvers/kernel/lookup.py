"""Value, slope and integral of a `Table`, compiled by numba: the kernel's most frequent call."""

from __future__ import annotations

import numpy as np

from ssnib_model.solvers.kernel.compiled import contracted as _compiled
from ssnib_model.solvers.tables import BEFORE, FIRST_PART, PARTS, PER_WIDTH

#: The last number before 1: what is beyond counts from there, and no index runs over.
_LAST = np.nextafter(1.0, 0.0)


@_compiled
def _locate(table, x):
    """Row of the interval that holds ``x``, from 0 to `_LAST`, and the place within it."""
    u = x * table.bins
    row = int(u)
    u -= row
    while table.rows[row, FIRST_PART] >= 0:
        u *= PARTS
        part = int(u)
        u -= part
        row = int(table.rows[row, FIRST_PART]) + part
    return row, u


@_compiled
def _inside(x):
    """The nearest place in the table; the first if ``x`` is not a number."""
    positive = x if x > 0.0 else 0.0
    return positive if positive < _LAST else _LAST


@_compiled
def value(table, x):
    """As `interpolate`, without the slope where it is not needed."""
    if not 0.0 <= x <= _LAST:
        return interpolate(table, x)[0]
    row, u = _locate(table, x)
    a, b, c, d = table.rows[row, 0], table.rows[row, 1], table.rows[row, 2], table.rows[row, 3]
    return a + u * (b + u * (c + u * d))


@_compiled
def interpolate(table, x):
    """Value and slope at ``x``; straight on outside [0, 1].

    Parameters
    ----------
    table : Table
        By `ssnib_model.solvers.tables.build`.
    x : float
        The argument, over its range.

    Returns
    -------
    value, slope : float
        The value is NaN where ``x`` is.
    """
    inside = _inside(x)
    row, u = _locate(table, inside)
    a, b, c, d = table.rows[row, 0], table.rows[row, 1], table.rows[row, 2], table.rows[row, 3]
    slope = (b + u * (2 * c + 3 * d * u)) * table.rows[row, PER_WIDTH]
    return a + u * (b + u * (c + u * d)) + slope * (x - inside), slope


@_compiled
def integral(table, x):
    """Integral over the argument from 0 to ``x`` of what `interpolate` gives, exactly."""
    inside = _inside(x)
    row, u = _locate(table, inside)
    a, b, c, d = table.rows[row, 0], table.rows[row, 1], table.rows[row, 2], table.rows[row, 3]
    within = u * (a + u * (b / 2 + u * (c / 3 + u * d / 4))) / table.rows[row, PER_WIDTH]
    there, slope = interpolate(table, inside)
    beyond = x - inside
    return table.rows[row, BEFORE] + within + beyond * (there + slope * beyond / 2)


@_compiled
def curvature(table, x):
    """Slope of the slope that `interpolate` gives; 0 outside [0, 1]."""
    if not 0.0 <= x <= _LAST:
        return 0.0
    row, u = _locate(table, x)
    return (2 * table.rows[row, 2] + 6 * table.rows[row, 3] * u) * table.rows[row, PER_WIDTH] ** 2
