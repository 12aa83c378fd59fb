"""What a fit compares with: rate tests as scalars, voltage curves, spectra.

Data are plain: a ``name``, ``labels``, the ``measured`` values and their ``sigma`` (1-D, the same
length), the ``temperature`` and the experiment they come from. They read their values off what
the experiment gave and hold nothing of a model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ssnib_model.cell.declared import SETUP
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.eis import Impedance, PreparedImpedance
from ssnib_model.errors import MeasuredDataError
from ssnib_model.fits.free import is_number
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.nearby import Side
from ssnib_model.protocol.protocol import Protocol as Steps
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.solvers.choice import Solver
from ssnib_model.steps import Status

CAPACITY, CHARGE_CAPACITY = "Discharge capacity [mA.h.g-1]", "Charge capacity [mA.h.g-1]"
GAP = "Polarization [V]"
VOLTAGE = "Voltage [V]"

#: Standard deviation of a measurement where none is given. Two tests of the paper's cell differ
#: by 1.3 mAh/g at the same rate.
SIGMA = {CAPACITY: 1.3, CHARGE_CAPACITY: 1.3, GAP: 0.005}
SIGMA_VOLTAGE = 0.005

#: Part of a half-cycle over which the misfit of a voltage curve stays alike.
ALIKE = 0.2

#: Lengths between two curves, or parts of a spectrum, whose misfits have nothing in common.
APART = 1e3

#: No measured value is as large as this; its square in standard deviations is still a number.
LARGEST = 1e100

#: Standard deviations that a measurement can have, in the unit of the quantity.
SIGMA_RANGE = (1e-9, 1e9)

TEMPERATURE = "Ambient temperature [K]"
MASS = "Positive electrode active material mass [kg]"


class Nearby(Protocol):
    """What an experiment gives, and what it would give nearby: see `steps_nearby`."""

    def __call__(
        self, parameters: ParameterSet, sides: Iterable[Side], /
    ) -> tuple[Any, list[tuple[Any, Any] | None]]: ...


class Many(Protocol):
    """What an experiment gives for each of many values; None: that one is to be run alone."""

    def __call__(self, values: Mapping[str, Any], members: int, /) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Prepared:
    """An experiment, built once to be run for many values of what varies.

    Attributes
    ----------
    run : callable
        From parameters, which differ in nothing else, to what `Data.read` reads.
    nearby : callable, optional
        The same with derivatives, where there may be exact ones.
    many : callable, optional
        The same for many values at once, as from `ParameterSet.replace_many`.
    """

    run: Callable[[ParameterSet], Any]
    nearby: Nearby | None = None
    many: Many | None = None


def of_half_cycles(
    test: RateTest, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
) -> Prepared:
    """A rate test of which the half-cycles are read; the others as for `Data.prepare`."""
    made = MODELS[model](parameters.model_options)
    prepared = test.prepare(made, parameters, varying=varying, solver=solver)
    return Prepared(
        prepared.half_cycles, prepared.half_cycles_nearby, prepared.half_cycles_of_values
    )


def of_steps(
    test: RateTest | Steps,
    model: str,
    parameters: ParameterSet,
    varying: Iterable[str],
    solver: Solver,
) -> Prepared:
    """A test of which the steps are read; the others as for `Data.prepare`."""
    made = MODELS[model](parameters.model_options)
    prepared = test.prepare(made, parameters, varying=varying, solver=solver)
    return Prepared(prepared.steps, prepared.steps_nearby, prepared.steps_of_values)


class Data(ABC):
    """Common to all kinds: checks, and the temperature of the measurement."""

    #: Whether the solver of a rate test has a part in it.
    takes_solver = True

    #: What there is to say about the measurement as it was read, one sentence each.
    findings: tuple[str, ...] = ()

    #: The cell that was measured, where there are several; "": one of its own, with this name.
    cell = ""

    def __init__(
        self,
        name: str,
        labels: Iterable[str],
        values: Any,
        sigma: Any,
        temperature: float | None,
    ):
        self.name, self.labels, self.temperature = name, list(labels), temperature
        self.measured = np.asarray(values, dtype=float)
        self.sigma = np.broadcast_to(np.asarray(sigma, dtype=float), self.measured.shape)
        if not self.measured.size or not (np.abs(self.measured) < LARGEST).all():
            raise MeasuredDataError(f"{name}: the data must be finite numbers, at least one")
        for label, value in zip(self.labels, self.sigma, strict=True):
            _check_sigma(name, label, float(value))

    @property
    @abstractmethod
    def experiment(self) -> Hashable:
        """What was done; data of equal experiments can share one simulation."""

    @abstractmethod
    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """The experiment, built once to be run for many values of ``varying`` and what follows."""

    @abstractmethod
    def read(self, outcome: Any, parameters: Mapping[str, Any]) -> np.ndarray:
        """The quantities of ``measured``; NaN where there is no answer."""

    def reasons(self, outcome: Any) -> list[str]:
        """Why a quantity could not be simulated, one sentence each; "" where it was."""
        return [""] * len(self.labels)

    @property
    def kinds(self) -> list[str]:
        """What each value is a value of: those of one kind have one amplitude of misfit."""
        return [label.partition(" at ")[0] for label in self.labels]

    @property
    def along(self) -> np.ndarray:
        """Where each value stands along its curve, in lengths over which a misfit stays alike.

        NaN for a value whose misfit has nothing to do with that of any other; shape (n,).
        """
        return np.full(len(self.labels), np.nan)

    def changes(self) -> dict[str, float]:
        """Values of parameters that this measurement sets."""
        return {} if self.temperature is None else {TEMPERATURE: self.temperature}

    def ignores(self) -> set[str]:
        """Parameters whose values in the set have no part in this measurement."""
        return {"Initial state of charge", *SETUP, *self.changes()}

    def describe(self) -> dict:
        """All that makes these data what they are, ready for JSON."""
        return {
            "kind": type(self).__name__,
            "experiment": repr(self.experiment),
            "labels": self.labels,
            "measured": self.measured.tolist(),
            "sigma": self.sigma.tolist(),
            "temperature": self.temperature,
        }


class _HalfCycleData(Data):
    """Data that are read from the half-cycles of a rate test."""

    test: RateTest

    @property
    def experiment(self) -> Hashable:
        """The protocol by its values: two tests that do the same are one experiment."""
        return type(self.test).__name__, repr(sorted(vars(self.test).items()))

    def ignores(self) -> set[str]:
        """See `Data.ignores`."""
        starts = self.test.initial_state_of_charge is not None
        return super().ignores() | ({"As-made state of charge"} if starts else set())

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return of_half_cycles(self.test, model, parameters, varying, solver)


class RateTestData(_HalfCycleData):
    """Capacities and gaps of a rate test.

    Parameters
    ----------
    name : str
        Name of the test.
    table : pandas.DataFrame
        One row a rate: "C-rate" and any of "Discharge capacity [mA.h.g-1]", "Charge capacity
        [mA.h.g-1]" and "Polarization [V]"; NaN where nothing was measured.
    sigma : mapping, optional
        Standard deviation by column; default `SIGMA`.
    temperature : float, optional
        Temperature of the test [K]; default: that of the parameters.
    test : RateTest, optional
        The protocol; default: the rates of the table in rising order. Where it comes back to a
        rate, the table needs as many rows of it, in the order of the test.

    Raises
    ------
    MeasuredDataError
        If the table has no such column or no value, ``sigma`` one of a column that the table
        has not or that is not a standard deviation, or ``test`` not the rates of the table.
    """

    def __init__(
        self,
        name: str,
        table: pd.DataFrame,
        *,
        sigma: Mapping[str, float] | None = None,
        temperature: float | None = None,
        test: RateTest | None = None,
    ):
        sigma = dict(sigma or {})
        if "C-rate" not in table.columns:
            raise MeasuredDataError(f"{name}: no column 'C-rate' in {list(table.columns)}")
        columns = [column for column in SIGMA if column in table.columns]
        check_sigma(name, sigma, columns)
        sigma = SIGMA | sigma
        try:
            values = table[["C-rate", *columns]].to_numpy(dtype=float)
        except (TypeError, ValueError) as error:
            raise MeasuredDataError(f"{name}: the table holds no numbers: {error}") from error
        rates = [float(rate) for rate in values[:, 0]]
        measured = [
            (number, column, float(row[i]))
            for number, row in enumerate(values)
            for i, column in enumerate(columns, start=1)
            if np.isfinite(row[i])
        ]
        if not measured:
            raise MeasuredDataError(f"{name}: no value in any of the columns {list(SIGMA)}")
        super().__init__(
            name,
            [f"{column} at {rates[number]:g} C" for number, column, _ in measured],
            [value for *_, value in measured],
            [sigma[column] for _, column, _ in measured],
            temperature,
        )
        used = sorted({number for number, *_ in measured})
        self.test = test or RateTest(sorted({rates[number] for number in used}))
        blocks = _blocks(name, self.test, {number: rates[number] for number in used})
        self.points = [(rates[number], column) for number, column, _ in measured]
        self._at = [(column, blocks[number]) for number, column, _ in measured]

    def read(self, outcome: list[HalfCycle], parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        mass = parameters[MASS]
        return np.array(
            [read_quantity(outcome, column, *block, mass) for column, block in self._at]
        )

    def reasons(self, outcome: list[HalfCycle]) -> list[str]:
        """See `Data.reasons`."""
        used = {CAPACITY: (1,), CHARGE_CAPACITY: (0,), GAP: (0, 1)}
        return [_why(outcome[block[i]] for i in used[column]) for column, block in self._at]

    @property
    def table(self) -> pd.DataFrame:
        """The measured values, one row a rate and block of the test."""
        rows: dict[tuple[int, int], dict[str, float]] = {}
        for (rate, column), (_, block), value in zip(
            self.points, self._at, self.measured, strict=True
        ):
            row = rows.setdefault(block, {"C-rate": rate})
            if column in row:  # two cells at one rate: a row each
                row = rows[len(rows), -1] = {"C-rate": rate}
            row[column] = float(value)
        return pd.DataFrame(list(rows.values()))


class CurveData(_HalfCycleData):
    """Voltage against capacity of one half-cycle, and the capacity it ends at.

    The voltage is compared at equal fractions of the measured and the simulated half-cycle,
    so that a shifted cut-off does not spoil the whole curve; the capacity is one more value.

    Parameters
    ----------
    name : str
        Name of the measurement.
    capacity, voltage : array_like
        The measured curve [mAh/g] and [V], shape (n,), capacity rising from 0.
    rate : float
        C-rate.
    direction : str, optional
        "discharge" (default) or "charge".
    sigma_voltage, sigma_capacity : float, optional
        Standard deviations [V] and [mAh/g].
    points : int, optional
        Fractions at which the voltage is compared, evenly from 2 % to 98 %.
    temperature, test
        As for `RateTestData`; the default protocol is the rate alone. Where the protocol comes
        back to the rate, its last block counts.

    Raises
    ------
    MeasuredDataError
        If this is no such curve, or ``test`` has no such half-cycle.
    """

    def __init__(
        self,
        name: str,
        capacity: Any,
        voltage: Any,
        rate: float,
        direction: str = "discharge",
        *,
        sigma_voltage: float = SIGMA_VOLTAGE,
        sigma_capacity: float = SIGMA[CAPACITY],
        points: int = 25,
        temperature: float | None = None,
        test: RateTest | None = None,
    ):
        capacity, voltage = np.asarray(capacity, float), np.asarray(voltage, float)
        if capacity.shape != voltage.shape or capacity.ndim != 1 or capacity.size < 5:
            raise MeasuredDataError(
                f"{name}: capacity has shape {capacity.shape} and voltage {voltage.shape}: equal "
                "1-D arrays of at least 5 points are needed"
            )
        if not (np.diff(capacity) > 0).all():
            raise MeasuredDataError(f"{name}: the capacity must rise from point to point")
        if direction not in ("charge", "discharge"):
            raise MeasuredDataError(
                f'{name}: direction is {direction!r}: it must be "charge" or "discharge"'
            )
        _check_sigma(name, "sigma_voltage", sigma_voltage)
        _check_sigma(name, "sigma_capacity", sigma_capacity)
        self.fractions = np.linspace(0.02, 0.98, points)
        at = np.interp(self.fractions * capacity[-1], capacity, voltage)
        super().__init__(
            name,
            [f"Voltage [V] at {f:.0%} of the {direction}" for f in self.fractions]
            + [f"{direction.capitalize()} capacity [mA.h.g-1]"],
            [*at, capacity[-1]],
            [*np.full(points, sigma_voltage), sigma_capacity],
            temperature,
        )
        self.test = test or RateTest([rate])
        #: Its place among the half-cycles of the test.
        self.place = _last_block(name, self.test, float(rate))[direction == "discharge"]

    @property
    def along(self) -> np.ndarray:
        """See `Data.along`."""
        return np.append(self.fractions / ALIKE, np.nan)

    def read(self, outcome: list[HalfCycle], parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        half_cycle = outcome[self.place]
        voltage = half_cycle.at("Voltage [V]", self.fractions)
        return np.append(voltage, half_cycle.capacity / parameters[MASS])

    def reasons(self, outcome: list[HalfCycle]) -> list[str]:
        """See `Data.reasons`."""
        return [_why([outcome[self.place]])] * len(self.labels)

    def describe(self) -> dict:
        """See `Data.describe`."""
        return super().describe() | {"half-cycle": self.place, "at": self.fractions.tolist()}


class SpectrumData(Data):
    """An impedance spectrum.

    Parameters
    ----------
    name : str
        Name of the measurement.
    frequencies : array_like
        [Hz], shape (n,).
    z : array_like of complex
        [Ohm], shape (n,).
    state : float, optional
        State of charge.
    relative_sigma : float, optional
        Standard deviation of real and imaginary part, relative to the modulus.
    temperature : float, optional
        [K]; default: that of the parameters.

    Raises
    ------
    MeasuredDataError
        If this is no spectrum.
    """

    takes_solver = False

    def __init__(
        self,
        name: str,
        frequencies: Any,
        z: Any,
        state: float = 0.5,
        *,
        relative_sigma: float = 0.01,
        temperature: float | None = None,
    ):
        z = np.asarray(z, dtype=complex)
        self.frequencies, self.state = np.asarray(frequencies, dtype=float), state
        if self.frequencies.shape != z.shape:
            raise MeasuredDataError(f"{name}: as many frequencies as values are needed")
        _check_sigma(name, "relative_sigma", relative_sigma)
        labels = [f"{part}(Z) [Ohm] at {f:g} Hz" for part in ("Re", "Im") for f in frequencies]
        sigma = np.tile(relative_sigma * np.abs(z), 2)
        super().__init__(name, labels, np.concatenate([z.real, z.imag]), sigma, temperature)

    @property
    def experiment(self) -> Hashable:
        """Frequencies and state."""
        return "spectrum", tuple(self.frequencies.tolist()), self.state

    @property
    def kinds(self) -> list[str]:
        """See `Data.kinds`: real and imaginary part are wrong alike."""
        return ["Z [Ohm]"] * len(self.labels)

    @property
    def along(self) -> np.ndarray:
        """See `Data.along`: in decades, the two parts far from each other."""
        decades = np.log10(self.frequencies)
        return np.concatenate([decades, decades + APART])

    def ignores(self) -> set[str]:
        """See `Data.ignores`; a spectrum is the one measurement that sees the set-up."""
        return super().ignores() - set(SETUP)

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`; always the full model, in the frequency domain."""
        read = parameters.to_pybamm()
        inputs = [
            name
            for name in sorted(parameters.dependents(varying))
            if name in read and isinstance(parameters[name], float)
        ]
        prepared = PreparedImpedance(parameters, self.frequencies, self.state, varying=inputs)
        return Prepared(prepared.solve)

    def read(self, outcome: Impedance, parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        return np.concatenate([outcome.z.real, outcome.z.imag])


def read_quantity(
    half_cycles: list[HalfCycle], column: str, charge: int, discharge: int, mass: float
) -> float:
    """A column of a table of a rate test, off a charge and the discharge that follows it.

    Parameters
    ----------
    half_cycles : list of HalfCycle
        All of the test.
    column : str
        One of `SIGMA`.
    charge, discharge : int
        Their places in the list, as `cycles_at` gives them.
    mass : float
        Of the active material [kg].
    """
    up, down = half_cycles[charge], half_cycles[discharge]
    if column == GAP:
        return float(up.at("Voltage [V]", 0.5) - down.at("Voltage [V]", 0.5))
    return (down if column == CAPACITY else up).capacity / mass


def cycles_at(test: RateTest, rate: float) -> list[tuple[int, int]]:
    """Places of charge and discharge of the last cycle of every block at a rate, in order."""
    places: dict[str, list[int]] = {"charge": [], "discharge": []}
    for place, (row, _, direction, cycle) in enumerate(test.half_cycles()):
        if row == rate and cycle == test.cycles:
            places[direction].append(place)
    return list(zip(places["charge"], places["discharge"], strict=True))


def check_sigma(where: str, sigma: Mapping[str, float], allowed: Iterable[str]) -> None:
    """Refuse a standard deviation that is none, or of a quantity that the data do not have."""
    allowed = list(allowed)
    for quantity, value in sigma.items():
        if quantity not in allowed:
            raise MeasuredDataError(
                f"{where}: sigma is given for {quantity!r}, of which there are no data: there are "
                f"{allowed}"
            )
        _check_sigma(where, quantity, value)


def _check_sigma(where: str, quantity: str, value: Any) -> None:
    low, high = SIGMA_RANGE
    if not (is_number(value) and low <= value <= high):
        raise MeasuredDataError(
            f"{where}: sigma must be positive, from {low:g} to {high:g}: that of {quantity} is "
            f"{value!r}"
        )


def _last_block(name: str, test: RateTest, rate: float) -> tuple[int, int]:
    blocks = cycles_at(test, rate)
    if not blocks:
        raise MeasuredDataError(
            f"{name}: data at {rate:g} C, which is no rate of its test: {test.rates}"
        )
    return blocks[-1]


def _blocks(name: str, test: RateTest, rates: dict[int, float]) -> dict[int, tuple[int, int]]:
    """Charge and discharge of the test for every row of a table, by row."""
    found: dict[int, tuple[int, int]] = {}
    for rate in dict.fromkeys(rates.values()):
        rows = [row for row, r in rates.items() if r == rate]
        last, blocks = _last_block(name, test, rate), cycles_at(test, rate)
        if len(blocks) > 1 and len(blocks) != len(rows):
            raise MeasuredDataError(
                f"{name}: {len(rows)} row(s) at {rate:g} C, which the test comes to {len(blocks)} "
                "times: one row for each time is needed"
            )
        blocks = blocks if len(blocks) > 1 else [last] * len(rows)
        found.update(zip(rows, blocks, strict=True))
    return found


def _why(half_cycles: Iterable[HalfCycle]) -> str:
    """Why there is nothing to read off half-cycles, the first of them; "" if there is."""
    for h in half_cycles:
        if h.segment is None:
            reason = f" ({h.reason})" if h.reason and h.status is not Status.FAILED else ""
            return f"the {h.direction} at {h.rate:g} C: {h.ending}{reason}"
    return ""
