"""Functions as tables that are fine where these are steep, for the look-up of the kernel.

A table is a tree: equal bins over [0, 1], and every bin in which one cubic is not enough is
divided into equal parts, again and again. All widths are powers of two, so that places within
them are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ssnib_model.errors import OptionError

#: Error between the points [V]; relative to its square where a potential is larger than 1 V,
#: since far outside any cut-off it may be as steep as it likes.
TABLE_ERROR = 1e-7

#: From here on a number is no potential [V].
LARGEST = 1e100

#: Bins at first and at most, into how many parts what is too wide is divided, and how often. With
#: these the smallest interval is 2**-41 of the range.
BINS, MOST_BINS, PARTS, DIVISIONS = 2**8, 2**14, 2**3, 11

#: Intervals of a table at most, in 64 MB.
MOST_INTERVALS = 2**20

#: Columns of `Table.rows`, as many as fill a line of the processor's cache.
CUBIC, PER_WIDTH, FIRST_PART, BEFORE, COLUMNS = slice(4), 4, 5, 6, 8


class Table(NamedTuple):
    """A function on [0, 1] by cubics, see `build`."""

    #: One row an interval. Columns: four coefficients of a cubic in the place within the interval
    #: (0 to 1), how often the interval fits into [0, 1], the row of its first part (-1: it is not
    #: divided and the cubic holds), and the integral over the argument from 0 to its start.
    rows: np.ndarray
    bins: float  #: number of equal bins, which are the first rows


@np.errstate(over="ignore")  # of slopes; such have the value of the interval
def build(
    function: Callable[[np.ndarray], np.ndarray],
    high: float,
    potential: str = "equilibrium potential",
    argument: str = "x",
) -> Table:
    """A function on [0, high] as a table on [0, 1].

    In every interval the cubic through values and slopes at its ends is compared with the
    function at the points that would divide it. Where the function rises or falls throughout
    these, so does the cubic (Fritsch and Carlson 1980, SIAM J. Numer. Anal. 17, 238). Intervals
    of the smallest width, which hold a jump, have a straight line. The table is continuous.

    Parameters
    ----------
    function : callable
        Values [V] and derivatives for an array of n arguments, shape (2, n).
    high : float
        End of the range.
    potential, argument : str
        What the function and its argument are called in a message.

    Returns
    -------
    Table
        On as many intervals as `TABLE_ERROR` needs.

    Raises
    ------
    OptionError
        If the function has no value somewhere, or if `MOST_INTERVALS` are not enough: not
        because it is steep, but because it is so almost everywhere.
    """

    def evaluate(places: np.ndarray) -> np.ndarray:
        x = high * places.ravel()
        values = np.array(function(x))
        missing = ~(np.abs(values[0]) < LARGEST)
        if missing.any():
            raise OptionError(
                f"the {potential} is {values[0, missing][0]:g} at {argument} "
                f"{x[missing][0]:.9g}: the structured solver needs a potential everywhere from "
                f"0 to {high:g}"
            )
        values[1] *= high
        return values.reshape(2, *places.shape)

    bins, within = BINS, np.arange(PARTS + 1)
    start = np.arange(bins) / bins
    # values and slopes at the ends and the dividing points of all intervals of a level
    grid = evaluate(np.linspace(0, 1, bins * PARTS + 1))
    points = grid[:, PARTS * np.arange(bins)[:, None] + within]
    starts, levels, rows = [], [], 0
    for division in range(DIVISIONS + 1):
        width = 1 / (BINS * PARTS**division)
        if division < DIVISIONS:
            cubic, is_good = _cubics(points, width)
        else:
            cubic, is_good = _lines(points), np.full(start.size, True)
        bad = np.flatnonzero(~is_good)
        if rows == 0 and start.size < MOST_BINS and 2 * bad.size > start.size:
            # most would be divided: let the parts of all be the bins
            bins, bad = bins * PARTS, np.arange(start.size)
        else:
            level = np.empty((start.size, COLUMNS))
            level[:, CUBIC], level[:, PER_WIDTH], level[:, FIRST_PART:] = cubic, 1 / width, -1
            rows += start.size
            level[bad, FIRST_PART] = rows + PARTS * np.arange(bad.size)
            starts.append(start)
            levels.append(level)
        if not bad.size:
            break
        if rows + PARTS * bad.size > MOST_INTERVALS:
            raise OptionError(
                f"the {potential} needs more than {MOST_INTERVALS} intervals in the table of the "
                "structured solver: use the default solver"
            )
        start = (start[bad, None] + width / PARTS * within[:-1]).ravel()
        # the ends are known from before, the dividing points are new
        old = points[:, bad]
        new = evaluate(start[:, None] + width / PARTS**2 * within[1:-1])
        first, last = (part.reshape(2, -1, 1) for part in (old[:, :, :-1], old[:, :, 1:]))
        points = np.concatenate([first, new, last], axis=2)
    return Table(_with_integrals(np.concatenate(levels), np.concatenate(starts)), float(bins))


def _cubics(points: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the cubics between the ends, and whether they are good in between."""
    value, slope = points[0], points[1]
    rise = value[:, -1] - value[:, 0]
    changes = np.diff(value)
    is_monotone = (changes >= 0).all(axis=1) | (changes <= 0).all(axis=1)
    low, high = np.minimum(0, 3 * rise), np.maximum(0, 3 * rise)
    first, last = (slope[:, end] * width for end in (0, -1))
    for end in (first, last):
        end[:] = np.where(np.isfinite(end), end, rise)
        end[is_monotone] = np.clip(end, low, high)[is_monotone]
    cubic = _columns(value[:, 0], first, 3 * rise - 2 * first - last, first + last - 2 * rise)
    inner, u = value[:, 1:-1], np.arange(1, PARTS) / PARTS
    error = np.abs(cubic @ u ** np.arange(4)[:, None] - inner)
    return cubic, (error <= TABLE_ERROR * np.maximum(1, inner**2)).all(axis=1)


def _lines(points: np.ndarray) -> np.ndarray:
    """Straight lines between the ends, as cubics."""
    start, end = points[0, :, 0], points[0, :, -1]
    return _columns(start, end - start, np.zeros_like(start), np.zeros_like(start))


def _columns(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1)


def _with_integrals(rows: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The rows with the integral up to the start of every interval that is not divided."""
    whole = np.flatnonzero(rows[:, FIRST_PART] < 0)
    whole = whole[np.argsort(start[whole])]
    areas = rows[whole, CUBIC] @ (1 / np.arange(1, 5)) / rows[whole, PER_WIDTH]
    rows[whole, BEFORE] = np.cumsum(areas) - areas
    return rows
