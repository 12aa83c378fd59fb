"""Draws of all that is assumed, weighted by what is given, and what they say of other tests.

Every value that a set gives with a range varies over it, uniformly; over its logarithm where the
range spans a factor of ten. Draws come from there first, then from a mixture fitted to those that
agreed, in the few values that the data tell most of; all of them are weighted against all
proposals together (`ssnib_model.fits.importance`). The model may be wrong: a capacity is known to
it no better than `PART` of itself and `OF_LOST` of what is lost, in the data and in predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from families import (
    FAMILIES,
    LOADING,
    OF_LAW,
    REFERENCE,
    SPREAD,
    STANDS_FOR,
    Family,
    Given,
    HeldBack,
    cell_of,
)
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

import ssnib_model as ss
from ssnib_model.fits.data import CAPACITY, CHARGE_CAPACITY, TEMPERATURE
from ssnib_model.fits.free import Bounded
from ssnib_model.fits.importance import Draws, Proposal, fitted, resampled
from ssnib_model.fits.problem import FitProblem
from ssnib_model.models.names import MODELS

#: What the model is wrong by (sd): part of a capacity, and of what is lost of the accessible one.
PART, OF_LOST = 0.03, 0.15

#: Correlation of what the model is wrong by between two cells at one rate, and a factor of rate
#: over which it falls by e.
ALIKE, FACTOR = 0.9, 10.0

ACCESSIBLE = "Positive electrode accessible fraction"
RADIUS, D = "Positive particle radius [m]", "Positive particle diffusivity [m2.s-1]"
CYCLABLE = "Positive electrode cyclable sodium per formula unit"
MOLAR = "Positive electrode active material molar mass [kg.mol-1]"
ONE_C = "Specific current at 1 C [A.kg-1]"
CELL_SPREAD = "Spread of the accessible fraction from cell to cell"
#: Parameters that the data tell most of.
STEERED = (D, RADIUS, ACCESSIBLE, SPREAD)

#: Not read by a rate test from the state as made.
UNUSED = {"Initial state of charge"}
FARADAY = 96485.33212
#: A charge of less than this part of 1 C for an hour is none.
NOTHING = 0.01
#: Members that are run in one call: what a call costs besides rises with their square.
TOGETHER = 20


@dataclass(frozen=True)
class Axis:
    """A value that varies: uniform, or its logarithm is, between two bounds."""

    name: str
    low: float
    high: float
    log: bool

    @property
    def bounded(self) -> Bounded:
        """As a fit has it."""
        return Bounded(self.name, self.low, self.high, self.log)

    def at(self, unit: np.ndarray) -> np.ndarray:
        """Values at places from 0 to 1."""
        low, high = np.log([self.low, self.high]) if self.log else (self.low, self.high)
        value = low + unit * (high - low)
        return np.exp(value) if self.log else value

    def unit(self, value: np.ndarray) -> np.ndarray:
        """The other way round."""
        low, high = np.log([self.low, self.high]) if self.log else (self.low, self.high)
        return ((np.log(value) if self.log else value) - low) / (high - low)


def axis(name: str, low: float, high: float) -> Axis:
    """On the scale that a fit would take."""
    return Axis(name, low, high, low > 0 and high > 9.99 * low)


def with_ranges(name: str, family: Family) -> dict[str, Axis]:
    """Every value of a set with a range that a rate test of it reads."""
    shipped, cell = ss.ParameterSet(name), cell_of(name, family)
    found = {}
    replaced = {n for n in OF_LAW if n in cell} if REFERENCE in cell else set()
    for parameter in cell.given:
        known = shipped.info(STANDS_FOR.get(parameter, parameter)) if parameter != SPREAD else None
        limits = (0.0, 1.0) if known is None else (known.uncertainty or {}).get("range")
        unread = cell.quantity(parameter).unread_with(cell.model_options)
        is_read = not unread and parameter not in UNUSED and parameter not in replaced
        if limits is not None and limits[0] < limits[1] and is_read:
            found[parameter] = axis(parameter, *map(float, limits))
    return found


class Cells:
    """The values of all cells of a family, from places in a box.

    Axes are the values with ranges; one that a variant gives a range of its own is an axis for
    itself, named "name (variant)". Then the spread of the accessible fraction, and for each cell
    how far it is off the family's in this spread.
    """

    def __init__(self, family: Family):
        self.family = family
        sets = dict.fromkeys([*(g.of for g in family.given), *(h.of for h in family.held_back)])
        self.of = {name: with_ranges(name, family) for name in sets}
        first = self.of[next(iter(sets))]
        self.axes: dict[str, Axis] = dict(first)
        for name, axes in self.of.items():
            self.axes |= {f"{p} ({name})": a for p, a in axes.items() if first.get(p) != a}
        self.axes[CELL_SPREAD] = Axis(CELL_SPREAD, *family.spread, log=True)
        names = dict.fromkeys([*(g.name for g in family.given), *map(name_of, family.held_back)])
        self.axes |= {f"Cell {name}": Axis(f"Cell {name}", 0.0, 1.0, log=False) for name in names}
        self.labels = list(self.axes)

    def column(self, units: np.ndarray, label: str) -> np.ndarray:
        """Values of one axis, shape (n,)."""
        return self.axes[label].at(units[:, self.labels.index(label)])

    def values(self, units: np.ndarray, of: str, cell: str) -> dict[str, np.ndarray]:
        """Values of a set's parameters for one of its cells, each of shape (n,)."""
        found = {}
        for parameter in self.of[of]:
            own = f"{parameter} ({of})"
            found[parameter] = self.column(units, own if own in self.axes else parameter)
        off = ndtri(np.clip(self.column(units, f"Cell {cell}"), 1e-9, 1 - 1e-9))
        factor = np.exp(self.column(units, CELL_SPREAD) * off)
        found[ACCESSIBLE] = np.minimum(found[ACCESSIBLE] * factor, 1.0)
        return found

    @property
    def steered(self) -> list[int]:
        """Places of the axes that the data tell most of."""
        cells = {f"Cell {g.name}" for g in self.family.given}
        led = cells if len(cells) > 1 and not self.family.pinned else ()
        names = {*STEERED, *led, CELL_SPREAD}
        return [i for i, label in enumerate(self.labels) if label in names]


def name_of(row: HeldBack) -> str:
    """Of the cell that a row is of: one that was measured, or one for itself."""
    pressure = row.case.partition(" C, ")[2] if row.changes else row.case
    return row.cell or pressure or row.case


@dataclass(frozen=True)
class Simulated:
    """Capacities of cells [mAh/g], 0 where nothing is charged, NaN without an answer.

    ``accessible`` is what would be had of each slowly enough.
    """

    discharge: np.ndarray  #: (n, rates)
    charge: np.ndarray
    accessible: np.ndarray  #: (n,)
    nothing: np.ndarray  #: capacity below which there is none, (n,)

    def sd(self) -> np.ndarray:
        """What the model may be wrong by, shape (n, rates)."""
        lost = np.maximum(self.accessible[:, None] - self.discharge, 0.0)
        return np.hypot(PART * self.discharge, OF_LOST * lost)


def simulate(
    cells: Cells,
    units: np.ndarray,
    of: str,
    cell: str,
    rates: Sequence[float],
    regime: Mapping[str, Any],
    changes: Mapping[str, float] | None = None,
    celsius: float | None = None,
    model: str = "spm",
) -> Simulated:
    """A rate test of many cells."""
    base = cell_of(of, cells.family, changes)
    kelvin = None if celsius is None else celsius + 273.15
    values = cells.values(units, of, cell)
    test = ss.RateTest(rates, **regime)
    table = pd.DataFrame({"C-rate": rates, CAPACITY: 0.0, CHARGE_CAPACITY: 0.0})
    data = ss.RateTestData("test", table, temperature=kelvin, test=test)
    fixed = {*data.ignores(), *(changes or {})}
    free = {n: cells.of[of][n] for n in values if n not in fixed and n in base.given}
    free[ACCESSIBLE] = Axis(ACCESSIBLE, 0.1, 1.0, log=False)
    problem = FitProblem(base, [data], [a.bounded for a in free.values()], model)
    places = np.column_stack([a.unit(values[n]) for n, a in free.items()])
    answers = [one for some in np.split(places, range(TOGETHER, len(places), TOGETHER))
               for one in problem.answers(some)]  # fmt: skip
    found = np.array([a.values for a in answers]).reshape(len(units), len(rates), 2)
    sodium = values.get(CYCLABLE, np.full(len(units), base[CYCLABLE]))
    most = sodium * FARADAY / 3.6 / (1e3 * base[MOLAR])
    nothing = NOTHING * values.get(ONE_C, np.full(len(units), base[ONE_C]))
    return Simulated(found[:, :, 0], found[:, :, 1], values[ACCESSIBLE] * most, nothing)


def log_likelihood(cells: Cells, units: np.ndarray, regime: Mapping[str, Any]) -> np.ndarray:
    """Of all that is given of a family, shape (n,)."""
    total = np.zeros(len(units))
    for g in cells.family.given:
        model = cells.family.fitted_by
        found = simulate(cells, units, g.of, g.name, g.rates, regime, model=model)
        sd = np.hypot(g.reading, found.sd())
        log = -0.5 * ((found.discharge - np.array(g.values)) / sd) ** 2 - np.log(sd)
        total += np.where(np.isfinite(log), log, -np.inf).sum(axis=1)
    return np.maximum(total, -1e6)


def pin(
    cells: Cells, units: np.ndarray, regime: Mapping[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Draw each measured cell's place among cells around what it was measured at, in ``units``.

    The capacity is nearly proportional to the accessible fraction, so that what a cell in the
    middle gives says where this one is. Returns the logarithm of prior over proposal, (n,).
    """
    total = np.zeros(len(units))
    spread = cells.column(units, CELL_SPREAD)
    middle = units.copy()
    for g in cells.family.given:
        middle[:, cells.labels.index(f"Cell {g.name}")] = 0.5
    for g in cells.family.given:
        found = simulate(cells, middle, g.of, g.name, g.rates[:1], regime)
        capacity = np.nan_to_num(np.maximum(found.discharge[:, 0], found.nothing), nan=1.0)
        sd = np.nan_to_num(np.hypot(g.reading, found.sd()[:, 0]) / capacity / spread, nan=1.0)
        precision = 1 + 1 / sd**2
        mean = np.log(g.values[0] / capacity) / spread / sd**2 / precision
        # wider than that by half, as it is not exactly proportional
        width = 1.5 / np.sqrt(precision)
        place = np.clip(rng.normal(mean, width), -5.5, 5.5)
        units[:, cells.labels.index(f"Cell {g.name}")] = ndtr(place)
        total += 0.5 * ((place - mean) / width) ** 2 + np.log(width) - 0.5 * place**2
    return total


@dataclass(frozen=True)
class Steered:
    """A mixture in some axes times what is uniform in the others, part of it uniform in all."""

    mixture: Proposal | None
    columns: list[int]
    k: int
    plain: float = 0.15

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Points in the box, shape (n, k)."""
        points = qmc.LatinHypercube(self.k, rng=rng).random(n)
        if self.mixture is not None:
            inside = np.empty((0, len(self.columns)))
            while len(inside) < n:
                drawn = self.mixture.draw(2 * n, rng)
                inside = np.vstack([inside, drawn[((drawn > 0) & (drawn < 1)).all(axis=1)]])
            led = rng.uniform(size=n) >= self.plain
            points[np.ix_(led, self.columns)] = inside[: led.sum()]
        return points

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Of points (n, k), shape (n,)."""
        if self.mixture is None:
            return np.zeros(len(points))
        return np.log(self.plain + (1 - self.plain) * np.exp(self._log_mixture(points)))

    def _log_mixture(self, points: np.ndarray) -> np.ndarray:
        assert self.mixture is not None
        drawn = self.mixture.draw(20_000, np.random.default_rng(0))
        part = ((drawn > 0) & (drawn < 1)).all(axis=1).mean()
        return self.mixture.log_density(points[:, self.columns]) - np.log(part)


@dataclass
class Known:
    """What is known of a family: weighted draws of each regime of charging.

    Attributes
    ----------
    cells : Cells
        Of the family.
    draws : list of Draws
        One for each regime.
    shares : numpy.ndarray
        Probability of each regime, given the data.
    """

    cells: Cells
    draws: list[Draws]

    def __post_init__(self) -> None:
        logs = np.array([d.log_integral[0] for d in self.draws])
        self.shares = np.exp(logs - np.logaddexp.reduce(logs))

    @property
    def effective(self) -> float:
        """Number of independent draws that all are worth."""
        parts = zip(self.shares, self.draws, strict=True)
        return float(1 / sum(s**2 / d.effective for s, d in parts))

    @property
    def pareto(self) -> float:
        """Largest Pareto k: the weights can be trusted up to 0.7."""
        return max(float(d.k) for d in self.draws)

    def equal(self, n: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Draws of equal weight, about ``n`` in all, one array (m, k) a regime."""
        sizes = np.round(n * self.shares).astype(int)
        return [d.points[resampled(d.weights, m, rng)] for d, m in
                zip(self.draws, sizes, strict=True)]  # fmt: skip


def know(family: Family, rounds: Sequence[int], seed: int) -> Known:
    """Draws of a family given its data, ``rounds`` of them one after the other in each regime."""
    cells = Cells(family)
    found = []
    for number, regime in enumerate(family.regimes):
        rng = np.random.default_rng([seed, FAMILIES.index(family), number])
        k, steered = len(cells.labels), cells.steered
        draws, proposal = Draws.none(k), Steered(None, [], k)
        for n in rounds:
            if len(draws.points):
                weights = draws.tempered(0.6, min(60, n / 4))
                chosen = draws.points[:, steered]
                proposal = Steered(fitted(chosen, weights, rng), steered, k)
            points = proposal.draw(n, rng)
            log = pin(cells, points, regime, rng) if family.pinned else np.zeros(n)
            log += log_likelihood(cells, points, regime)
            draws.add(points, log, proposal, n)  # type: ignore[arg-type]
        found.append(draws)
    return Known(cells, found)


@dataclass(frozen=True)
class Prediction:
    """A held-back capacity in draws.

    ``values`` are of those draws that can be charged, with what the model may be wrong by.
    """

    row: HeldBack
    values: np.ndarray
    plain: np.ndarray  #: the same as simulated
    cannot: float
    lacking: int
    loading: float  #: [mg.cm-2]


def nearest(family: Family, row: HeldBack) -> tuple[Given, int, float]:
    """The given value whose misfit is most like that of a row, and how much it is alike."""
    alike = [
        (
            (1.0 if g.name == name_of(row) else ALIKE)
            * np.exp(-abs(np.log(row.rates[-1] / rate)) / np.log(FACTOR)),
            g,
            place,
        )
        for g in family.given
        for place, rate in enumerate(g.rates)
    ]
    correlation, given, place = max(alike, key=lambda one: one[0])
    return given, place, float(correlation)


def predict(known: Known, row: HeldBack, n: int, seed: int, model: str) -> Prediction:
    """A held-back capacity by a model.

    What the model is wrong by at the most similar value that is given carries over as far as it
    is alike.
    """
    family, cells = known.cells.family, known.cells
    rng = np.random.default_rng([seed, FAMILIES.index(family), family.held_back.index(row), 7])
    given, place, correlation = nearest(family, row)
    values, plain, cannot, lacking = [], [], [], 0
    for regime, units in zip(family.regimes, known.equal(n, rng), strict=True):
        if not len(units):
            continue
        at = (row.of, name_of(row), row.rates, regime, row.changes, row.celsius, model)
        found = simulate(cells, units, *at)
        of_given = (given.of, given.name, given.rates, regime)
        seen = simulate(cells, units, *of_given, model=family.fitted_by)
        capacity, sd, sd_seen = found.discharge[:, -1], found.sd()[:, -1], seen.sd()[:, place]
        of_misfit = sd_seen**2 / (sd_seen**2 + given.reading**2)
        off = (given.values[place] - seen.discharge[:, place]) / sd_seen
        wrong = correlation * of_misfit * off
        wrong += np.sqrt(1 - correlation**2 * of_misfit) * rng.normal(size=len(units))
        answered = np.isfinite(capacity) & np.isfinite(found.charge[:, -1])
        lacking += int((~answered).sum())
        none = np.minimum(capacity, found.charge[:, -1]) < found.nothing
        is_one = answered & ~none
        cannot.append(none[answered])
        # what would make a capacity negative leaves it near none
        values.append(np.maximum(capacity + sd * wrong, found.nothing)[is_one])
        plain.append(capacity[is_one])
    loading = cell_of(row.of, family, row.changes)[LOADING]
    return Prediction(
        row,
        np.concatenate(values),
        np.concatenate(plain),
        float(np.concatenate(cannot).mean()),
        lacking,
        100 * loading,
    )


COMPOSITE = "Positive electrode electrolyte conductivity [S.m-1]"

#: What is taken away to see what it costs: factors of the parameters whose names end so.
LOSSES: dict[str, dict[str, float]] = {
    "diffusion in the particles": {"Positive particle diffusivity [m2.s-1]": 1e3},
    "electrolyte layer": {"layer conductivity [S.m-1]": 1e3},
    "ions in the composite": {COMPOSITE: 1e3},
    "electrons in the composite": {
        "Positive electrode effective electronic conductivity [S.m-1]": 1e3
    },
    "charge transfer at the particles": {
        "Positive electrode exchange-current density [A.m-2]": 1e3,
        "Positive electrode film resistance [Ohm.m2]": 0.0,
    },
    "anode and interfaces": {
        "interface resistance [Ohm.m2]": 0.0,
        "Negative electrode exchange-current density [A.m-2]": 1e3,
    },
    "what is not accessible": {ACCESSIBLE: np.inf},
}


def limiting(known: Known, row: HeldBack, n: int, seed: int, model: str) -> pd.Series:
    """Capacity that would be gained without each loss [mAh/g], the mean of some draws."""
    family, cells = known.cells.family, known.cells
    rng = np.random.default_rng([seed, FAMILIES.index(family), family.held_back.index(row), 11])
    gains = []
    for regime, units in zip(family.regimes, known.equal(n, rng), strict=True):
        one_at_a_time = [_one(cells, unit[None], row) for unit in units]
        if not one_at_a_time:
            continue
        first = one_at_a_time[0]
        varying = {*(n for n in first.given if isinstance(first[n], float)), COMPOSITE}
        test = ss.RateTest(row.rates, **regime)
        prepared = test.prepare(MODELS[model](first.model_options), first, varying=varying)
        for cell in one_at_a_time:
            changed = [cell, *(cell.replace(_without(cell, loss)) for loss in LOSSES)]
            tables = [prepared.result(one).table for one in changed]
            before, *after = np.nan_to_num([t[CAPACITY].iloc[-1] for t in tables])
            gains.append(dict(zip(LOSSES, np.array(after) - before, strict=True)))
    return pd.DataFrame(gains).mean()


def _without(cell: ss.ParameterSet, loss: str) -> dict[str, float]:
    """What takes a loss away."""
    changes = {
        name: min(cell[name] * factor if np.isfinite(factor) else 1.0, cell.quantity(name).high)
        for end, factor in LOSSES[loss].items()
        for name in (*cell.given, COMPOSITE)
        if name.endswith(end) and isinstance(cell[name], float)
    }
    # the electrolyte in the composite stays what it is, if it is not what is meant
    return {COMPOSITE: cell[COMPOSITE]} | changes


def _one(cells: Cells, unit: np.ndarray, row: HeldBack) -> ss.ParameterSet:
    """The cell of a row at one draw."""
    base = cell_of(row.of, cells.family, row.changes)
    values = cells.values(unit, row.of, name_of(row))
    changes = {n: float(v[0]) for n, v in values.items() if n in base.given and
               n not in row.changes}  # fmt: skip
    if row.celsius is not None:
        changes[TEMPERATURE] = row.celsius + 273.15
    return base.replace(changes)
