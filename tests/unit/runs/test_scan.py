"""The search for zeros behind a target, on functions with known ones."""

import math

import numpy as np
import pytest

from ssnib_model.runs.target import _grid, _Scan


def _zeros(function, low, high, is_log=False, present=None):
    scan = _Scan(lambda x: (function(x), "no value there"), 1e-7)
    scan.look(_grid(low, high, is_log, low if present is None else present))
    return scan.found(), scan


def test_every_crossing():
    found, _ = _zeros(lambda x: math.sin(x), 1.0, 20.0)
    assert found == pytest.approx([k * math.pi for k in range(1, 7)], rel=1e-6)


def test_a_turn_between_two_points():
    """Narrower than the grid, above 0 for a width of 0.02 of the range only."""
    found, _ = _zeros(lambda x: 1e-4 - (x - 0.37131) ** 2, 0.0, 1.0)
    assert found == pytest.approx([0.36131, 0.38131], abs=1e-6)


def test_a_plateau_is_both_its_ends():
    found, scan = _zeros(lambda x: max(x - 1.0, 0.0) if x > 0.5 else x - 0.5, 0.1, 2.0)
    ((low, high),) = scan.roots
    assert found == [low, high]
    assert low == pytest.approx(0.5, abs=1e-3)
    assert high == pytest.approx(1.0, abs=1e-3)


def test_a_jump_is_no_crossing():
    found, scan = _zeros(lambda x: -1.0 if x < 0.777 else 2.0, 0.1, 1.0)
    assert found == []
    ((at, below, above),) = scan.jumps
    assert (at, below, above) == (pytest.approx(0.777, rel=1e-5), -1, 2)


def test_a_crossing_at_the_edge_of_where_there_is_a_value():
    """Between the last point of the grid that has a value and the edge."""
    found, scan = _zeros(lambda x: x - 0.5001 if x < 0.5005 else math.nan, 0.0, 1.0)
    assert found == pytest.approx([0.5001], rel=1e-6)
    assert set(scan.reasons.values()) == {"no value there"}


def test_no_crossing_where_there_is_no_value():
    found, scan = _zeros(lambda x: x - 0.5 if abs(x - 0.5) > 0.1 else math.nan, 0.0, 1.0)
    assert (found, scan.jumps) == ([], [])


@pytest.mark.parametrize(
    ("low", "high", "is_log"),
    [(1e-8, 0.1, True), (150.0, 600.0, False), (0.0, 1e4, False), (0.1, 0.3, True)],
)
def test_grids_end_exactly(low, high, is_log):
    points = _grid(low, high, is_log, (low + high) / 3)
    assert (points[0], points[-1]) == (low, high)
    assert (low + high) / 3 in points
    assert np.all(np.diff(points) > 0)
