"""Tables of equilibrium potentials and their compiled lookup."""

import itertools
import pickle

import numpy as np
import pybamm
import pytest
from numba import njit
from scipy.integrate import quad

import ssnib_model as ss
from ssnib_model.solvers.coefficients import Potential
from ssnib_model.solvers.kernel.lookup import integral, interpolate
from ssnib_model.solvers.tables import (
    BINS,
    DIVISIONS,
    FIRST_PART,
    MOST_INTERVALS,
    PARTS,
    PER_WIDTH,
    TABLE_ERROR,
    build,
)

SMALLEST = 1 / (BINS * PARTS**DIVISIONS)


@njit(error_model="numpy")
def _many(table, x):
    results = np.empty((3, x.size))
    for k in range(x.size):
        results[0, k], results[1, k] = interpolate(table, x[k])
        results[2, k] = integral(table, x[k])
    return results


def _smooth(x):
    """The plateau of NVP with its ends, 5 V and 0.005 wide."""
    low, high = 5 * np.exp(-x / 0.005), 5 * np.exp(-(1 - x) / 0.005)
    return np.stack([3.4 + low - high, -(low + high) / 0.005])


def _step(x, width=1e-6, place=0.3456):
    tanh = np.tanh((x - place) / width)
    return np.stack([3.4 - 0.5 * tanh, -0.5 * (1 - tanh**2) / width])


def _linear(x, nodes, values):
    """Between points of a table, with the slope to the right of a point."""
    slopes = np.append(np.diff(values) / np.diff(nodes), 0)
    k = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, nodes.size - 2)
    return np.stack([np.interp(x, nodes, values), slopes[k]])


def _measured(rng, close=()):
    """A falling table with kinks; 1e-9 after every place in ``close`` it is 0.2 V lower."""
    nodes = np.sort(np.concatenate([[0, 1], rng.uniform(size=60), close]))
    drops = rng.exponential(0.01, nodes.size)
    for place in close:
        k = np.searchsorted(nodes, place)
        nodes, drops = np.insert(nodes, k + 1, place + 1e-9), np.insert(drops, k + 1, 0.2)
    return nodes, 4 - np.cumsum(drops)


CLOSE = (0.25, 0.6180339887)


def _cases():
    rng = np.random.default_rng(0)
    nodes, values = _measured(rng)
    near, steps = _measured(rng, CLOSE)
    return {
        "smooth": (_smooth, [0.01, 0.5]),
        "tanh": (_step, [0.3456]),
        "kinks": (lambda x: _linear(x, nodes, values), nodes),
        "close points": (lambda x: _linear(x, near, steps), near),
        "vertical ends": (
            lambda x: _linear(
                x, np.array([0, 1e-10, 0.5, 1 - 1e-10, 1]), np.array([9, 3.5, 3.4, 3.3, -9.0])
            ),
            [0, 1],
        ),
        "constant": (lambda x: np.stack([np.full(x.size, 3.4), np.zeros(x.size)]), [0.5]),
    }


CASES = _cases()


@pytest.fixture(params=CASES)
def case(request):
    function, places = CASES[request.param]
    return function, np.asarray(places), build(function, 1.0)


def _places(around):
    """Everywhere, and ever nearer to what a table has its trouble with."""
    rng = np.random.default_rng(1)
    near = np.concatenate([s * np.geomspace(1e-13, 0.1, 400) for s in (-1, 1)])
    x = np.concatenate([rng.uniform(size=20_000), (around[:, None] + near).ravel()])
    return np.unique(np.clip(x, 0, 1))


def test_error(case):
    function, places, table = case
    x = _places(places)
    value = function(x)[0]
    # half as much again as at the points that are compared; and within the smallest interval
    allowed = 1.5 * TABLE_ERROR * np.maximum(1, value**2)
    low, high = (function(x + s * SMALLEST)[0] for s in (1, -1))
    error = np.abs(_many(table, x)[0] - value)
    assert ((error < allowed) | (error <= high - low)).all()
    assert (error < allowed).mean() > 0.9


def test_falls_where_the_function_falls(case):
    function, places, table = case
    x = _places(places)
    assert (np.diff(function(x)[0]) <= 1e-15).all()
    assert np.diff(_many(table, x)[0]).max() <= 1e-14 * 9


def test_is_continuous_where_intervals_meet(case):
    _, _, table = case
    leaves = table.rows[table.rows[:, FIRST_PART] < 0]
    # in order of their place: the integral cannot tell where it is the same
    edges = np.unique(np.concatenate([_leaf_edges(table), [0, 1]]))
    assert edges.size == len(leaves) + 1
    inner = edges[1:-1]
    left, right = (_many(table, np.nextafter(inner, end)) for end in (0, 1))
    # over two steps of a number of 64 bits the steepest slope does no more
    steepest = np.maximum(np.abs(left[1]), np.abs(right[1]))
    assert (np.abs(left[0] - right[0]) <= 1e-14 * 9 + 4.5e-16 * steepest).all()
    assert (np.abs(left[2] - right[2]) <= 1e-14).all()


def _leaf_edges(table):
    """Starts of the intervals that are not divided."""
    starts = np.full(len(table.rows), np.nan)
    bins = int(table.bins)
    starts[:bins] = np.arange(bins) / bins
    for row, (per_width, first) in enumerate(table.rows[:, [PER_WIDTH, FIRST_PART]]):
        if first >= 0:
            parts = np.arange(PARTS)
            starts[int(first) + parts] = starts[row] + parts / (PARTS * per_width)
    return starts[table.rows[:, FIRST_PART] < 0]


def test_slope_is_that_of_the_value(case):
    _, _, table = case
    edges = np.append(_leaf_edges(table), 1.0)
    edges.sort()
    wide = np.diff(edges) > 1e-6
    start, width = edges[:-1][wide], np.diff(edges)[wide]
    for part in (0.2, 0.5, 0.8):
        x, step = start + part * width, width / 1000
        values = [_many(table, x + s * step) for s in (-1, 0, 1)]
        expected = (values[2][0] - values[0][0]) / (2 * step)
        np.testing.assert_allclose(values[1][1], expected, rtol=1e-4, atol=1e-6)
        expected = (values[2][2] - values[0][2]) / (2 * step)
        np.testing.assert_allclose(values[1][0], expected, rtol=1e-5)


def test_integral(case):
    function, places, table = case
    # pieces that quadrature follows
    breaks = places[:, None] + np.array([-1e-5, -1e-6, -1e-9, 0, 1e-10, 1e-9, 1e-6, 1e-5])
    breaks = np.concatenate([breaks.ravel(), [1 - 1e-10, 0.01, 0.05, 0.95, 0.99]])
    for end in (0.1, 0.3456, 0.7, 1.0):
        edges = np.unique(np.clip(np.append(breaks, [0, end]), 0, end))
        exact = sum(
            quad(lambda x: function(np.array([x]))[0, 0], a, b, epsabs=1e-14, limit=200)[0]
            for a, b in itertools.pairwise(edges)
        )
        assert integral(table, end) == pytest.approx(exact, abs=3e-7)


def test_straight_on_outside(case):
    _, _, table = case
    for edge, outside in ((0.0, -0.3), (1.0, 1.4)):
        value, slope = interpolate(table, edge)
        there, same = interpolate(table, outside)
        assert same == slope
        assert there == pytest.approx(value + (outside - edge) * slope, rel=1e-9)
        middle = interpolate(table, (edge + outside) / 2)[0]
        assert integral(table, outside) == pytest.approx(
            integral(table, edge) + (outside - edge) * middle, rel=1e-9
        )


def test_what_is_not_a_number():
    table = build(_smooth, 1.0)
    assert np.isnan(interpolate(table, np.nan)[0])
    assert np.isnan(integral(table, np.nan))


def test_range_is_scaled():
    function = lambda x: _smooth(x / 4)  # noqa: E731
    table = build(lambda x: function(x) / np.array([[1], [4]]), 4.0)
    for x in (0.004, 0.3, 0.97):
        value, slope = _smooth(np.array([x])).ravel()
        assert interpolate(table, x) == pytest.approx((value, slope), rel=1e-5)


def test_is_as_small_as_it_may_be():
    """Few intervals for what is smooth, and a jump costs those around it only."""
    assert len(build(_smooth, 1.0).rows) < 1000
    jump = build(lambda x: np.stack([np.where(x < 1 / 3, 4.0, 3.0), np.zeros(x.size)]), 1.0)
    assert len(jump.rows) == BINS + PARTS * DIVISIONS
    assert jump.rows[:, PER_WIDTH].max() == 1 / SMALLEST
    x = 1 / 3 + np.array([-2, 2]) * SMALLEST
    assert _many(jump, x)[0].tolist() == [4.0, 3.0]


def test_bins_are_what_most_of_the_range_needs():
    waves = build(lambda x: np.stack([np.sin(300 * x), 300 * np.cos(300 * x)]), 1.0)
    assert waves.bins > BINS
    assert np.mean(waves.rows[: int(waves.bins), FIRST_PART] < 0) > 0.5
    x = np.linspace(0, 1, 10_001)
    np.testing.assert_allclose(_many(waves, x)[0], np.sin(300 * x), rtol=0, atol=TABLE_ERROR)


def test_infinite_slope_is_no_obstacle():
    def root(x):
        with np.errstate(divide="ignore"):
            return np.stack([4 - np.sqrt(x), -0.5 / np.sqrt(x)])

    x = np.geomspace(1e-12, 1, 1000)
    assert np.abs(_many(build(root, 1.0), x)[0] - root(x)[0]).max() < 1.5e-7 * 4**2


def test_is_pickled():
    table = build(_smooth, 1.0)
    copy = pickle.loads(pickle.dumps(table))
    x = np.linspace(-0.1, 1.1, 1001)
    np.testing.assert_array_equal(_many(copy, x), _many(table, x))


@pytest.mark.parametrize("largest", [1e90, 1e300])
def test_values_of_any_size(largest):
    """What is far outside any cut-off costs no accuracy, or it is no potential."""
    a = np.log(largest)

    def function(x):
        return np.stack([3 + np.exp(a * x), a * np.exp(a * x)])

    if largest > 1e100:
        with pytest.raises(ss.OptionError, match=r"at x 0\.3\d+: "):
            build(function, 1.0)
        return
    table, x = build(function, 1.0), np.linspace(0, 1, 1001)
    np.testing.assert_array_less(
        np.abs(_many(table, x)[0] - function(x)[0]), 1.5 * TABLE_ERROR * function(x)[0] ** 2
    )


def test_what_has_no_value_is_refused():
    def logarithm(x):
        with np.errstate(all="ignore"):
            return np.stack([np.log(1 - 2 * x), -2 / (1 - 2 * x)])

    with pytest.raises(ss.OptionError, match=r"the potential is -inf at stoichiometry 0\.5: "):
        build(logarithm, 1.0, "potential", "stoichiometry")


def test_what_is_rough_everywhere_is_refused():
    def noise(x):
        return np.stack([np.sin(1e9 * x), 1e9 * np.cos(1e9 * x)])

    with pytest.raises(ss.OptionError, match=f"more than {MOST_INTERVALS} intervals"):
        build(noise, 1.0)


# -------------------------------------------------------------------- of pybamm's functions
@pytest.mark.parametrize("interpolator", ["linear", "cubic", "pchip"])
def test_measured_tables_of_pybamm(interpolator):
    nodes = np.linspace(0, 1, 31)
    values = 3.4 - 0.3 * np.tanh((nodes - 0.5) / 0.01) - 0.05 * nodes
    shift = pybamm.InputParameter("shift")

    def curve(x):
        return pybamm.Interpolant(nodes, values, x, interpolator=interpolator) + shift

    potential = Potential(curve, pybamm.ParameterValues({}), "potential", "stoichiometry")
    table = potential.table(1.0, {"shift": 0.25})
    x = np.linspace(0, 1, 3001)
    expected = curve(pybamm.Array(x)).evaluate(inputs={"shift": 0.25}).ravel()
    np.testing.assert_allclose(_many(table, x)[0], expected, rtol=0, atol=1.5e-7 * 4**2)
    assert potential.table(1.0, {"shift": 0.25}) is table
    other = potential.table(1.0, {"shift": 0.0})
    assert interpolate(other, 0.5)[0] == pytest.approx(interpolate(table, 0.5)[0] - 0.25)


def test_potential_that_is_a_number():
    potential = Potential(lambda x: pybamm.Scalar(0.1), pybamm.ParameterValues({}), "a", "b")
    assert interpolate(potential.table(4.0, {}), 0.7) == (0.1, 0.0)


def test_what_casadi_knows_to_be_zero_is_zero():
    """It would leave the numbers of the call before in their place."""
    potential = Potential(lambda x: 3.4 + 0 * x, pybamm.ParameterValues({}), "a", "b")
    x = np.linspace(0, 1, 1000)
    for _ in range(20):
        left = np.full((2, 1024), np.pi)  # what is freed may be given to the results
        del left
        values, slopes = potential._values_and_slopes(x, [])
        assert set(values) == {3.4}
        assert set(slopes) == {0.0}
