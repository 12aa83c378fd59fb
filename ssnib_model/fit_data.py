"""What a fit compares with: rate tests as scalars, voltage curves, spectra.

Every kind of data has a ``name``, ``labels``, ``measured`` values and their ``sigma`` (1-D, the
same length), and simulates the same quantities for a set of parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.eis import PreparedImpedance
from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes
from ssnib_model.measured.curves import half_cycles
from ssnib_model.measured.formats import MAX_CURVES_SIZE, read_curves
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.solvers.idaklu import half_cycle_solver
from ssnib_model.tables import read_rate_data

CAPACITY, CHARGE_CAPACITY = "Discharge capacity [mA.h.g-1]", "Charge capacity [mA.h.g-1]"
GAP = "Polarization [V]"

#: Standard deviation of a measurement where none is given. Two tests of the paper's cell differ
#: by 1.3 mAh/g at the same rate.
SIGMA = {CAPACITY: 1.3, CHARGE_CAPACITY: 1.3, GAP: 0.005}

TEMPERATURE = "Ambient temperature [K]"


class _Data:
    """Common to all kinds: checks, and the temperature of the measurement."""

    def __init__(self, name: str, labels, values, sigma, temperature: float | None):
        self.name, self.labels, self.temperature = name, list(labels), temperature
        self.measured = np.asarray(values, dtype=float)
        self.sigma = np.broadcast_to(np.asarray(sigma, dtype=float), self.measured.shape)
        if not self.measured.size or not np.isfinite(self.measured).all():
            raise MeasuredDataError(f"{name}: the data must be finite numbers, at least one")
        if not (np.isfinite(self.sigma) & (self.sigma > 0)).all():
            raise MeasuredDataError(f"{name}: sigma must be positive")

    def at_temperature(self, parameters: ParameterSet) -> ParameterSet:
        """The parameters at the temperature of this measurement."""
        if self.temperature is None:
            return parameters
        return parameters.replace({TEMPERATURE: self.temperature})

    def prepare(
        self,
        model_class,
        parameters: ParameterSet,
        varying: Iterable[str],
        shared=None,
        solver=None,
    ) -> None:
        """Build what `simulate` runs; ``varying`` are the parameters that will change."""
        raise TypeError(f"{type(self).__name__} must define prepare")

    def simulate(self, parameters: ParameterSet) -> np.ndarray:
        """The quantities of ``measured`` for these parameters; NaN where there is no answer."""
        raise TypeError(f"{type(self).__name__} must define simulate")


class _HalfCycleData(_Data):
    """Data that are read from the half-cycles of a rate test."""

    test: RateTest

    def prepare(self, model_class, parameters, varying, shared=None, solver=None):
        """As in `_Data`; data of the same test share what ``shared`` holds."""
        shared = {} if shared is None else shared
        key = (id(self.test), self.temperature, frozenset(varying))
        if key in shared:
            self._prepared = shared[key]
            return
        parameters = self.at_temperature(parameters)
        # differences of residuals need more digits than a plot
        solver = solver or half_cycle_solver(1e-7, 1e-7)
        self._prepared = self.test.prepare(
            model_class(parameters.model_options), parameters, varying=varying, solver=solver
        )
        shared[key] = self._prepared

    def simulate(self, parameters):
        half_cycles = self._prepared.half_cycles(self.at_temperature(parameters))
        mass = parameters["Positive electrode active material mass [kg]"]
        return self._read({(h.rate, h.direction): h for h in half_cycles}, mass)

    def _read(self, half_cycles: dict[tuple[float, str], HalfCycle], mass: float) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} must define _read")


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
        The protocol; default: the rates of the table in rising order.

    Raises
    ------
    MeasuredDataError
        If the table has no such column or no value.
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
        sigma = SIGMA | dict(sigma or {})
        if "C-rate" not in table.columns:
            raise MeasuredDataError(f"{name}: no column 'C-rate' in {list(table.columns)}")
        columns = [column for column in SIGMA if column in table.columns]
        self._points = [
            (float(row["C-rate"]), column, float(row[column]))
            for _, row in table.iterrows()
            for column in columns
            if np.isfinite(row[column])
        ]
        if not self._points:
            raise MeasuredDataError(f"{name}: no value in any of the columns {list(SIGMA)}")
        super().__init__(
            name,
            [f"{column} at {rate:g} C" for rate, column, _ in self._points],
            [value for *_, value in self._points],
            [sigma[column] for _, column, _ in self._points],
            temperature,
        )
        self.test = test or RateTest(sorted({rate for rate, *_ in self._points}))

    def _read(self, half_cycles, mass):
        def value(rate, column):
            charge, discharge = (half_cycles[rate, d] for d in ("charge", "discharge"))
            if column == GAP:
                return float(charge.at("Voltage [V]", 0.5) - discharge.at("Voltage [V]", 0.5))
            return (discharge if column == CAPACITY else charge).capacity / mass

        return np.array([value(rate, column) for rate, column, _ in self._points])


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
        As for `RateTestData`; the default protocol is the rate alone.
    """

    def __init__(
        self,
        name: str,
        capacity,
        voltage,
        rate: float,
        direction: str = "discharge",
        *,
        sigma_voltage: float = 0.005,
        sigma_capacity: float = 1.3,
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
        self.fractions = np.linspace(0.02, 0.98, points)
        at = np.interp(self.fractions * capacity[-1], capacity, voltage)
        self._key = (float(rate), direction)
        super().__init__(
            name,
            [f"Voltage [V] at {f:.0%} of the {direction}" for f in self.fractions]
            + [f"{direction.capitalize()} capacity [mA.h.g-1]"],
            [*at, capacity[-1]],
            [*np.full(points, sigma_voltage), sigma_capacity],
            temperature,
        )
        self.test = test or RateTest([rate])

    def _read(self, half_cycles, mass):
        half_cycle = half_cycles[self._key]
        voltage = half_cycle.at("Voltage [V]", self.fractions)
        return np.append(voltage, half_cycle.capacity / mass)


class SpectrumData(_Data):
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
    """

    def __init__(
        self,
        name: str,
        frequencies,
        z,
        state: float = 0.5,
        *,
        relative_sigma: float = 0.01,
        temperature: float | None = None,
    ):
        z = np.asarray(z, dtype=complex)
        self.frequencies, self.state = np.asarray(frequencies, dtype=float), state
        if self.frequencies.shape != z.shape:
            raise MeasuredDataError(f"{name}: as many frequencies as values are needed")
        labels = [f"{part}(Z) [Ohm] at {f:g} Hz" for part in ("Re", "Im") for f in frequencies]
        sigma = np.tile(relative_sigma * np.abs(z), 2)
        super().__init__(name, labels, np.concatenate([z.real, z.imag]), sigma, temperature)

    def prepare(self, model_class, parameters, varying, shared=None, solver=None):
        """Build the model of the spectrum; a rate test's solver has no part in it."""
        self._prepared = PreparedImpedance(
            self.at_temperature(parameters), self.frequencies, self.state, varying=varying
        )

    def simulate(self, parameters):
        spectrum = self._prepared.solve(self.at_temperature(parameters))
        return np.concatenate([spectrum.z.real, spectrum.z.imag])


def data_from_file(
    path: str | Path, parameters: ParameterSet, sigma: Mapping[str, float] | None = None
) -> list[_Data]:
    """What a file holds, ready for a fit.

    Parameters
    ----------
    path : str or Path
        A table with "C-rate" (`read_rate_data`), or the file of a cycler (`read_curves`), of
        which every charge and discharge is one data set; they are compared with one rate test
        of their rates in the order of the file.
    parameters : ParameterSet
        For the mass of active material and the current of 1 C.
    sigma : mapping, optional
        Standard deviations, as `SIGMA`, and "Voltage [V]".

    Returns
    -------
    list
        `RateTestData` or `CurveData`.

    Raises
    ------
    MeasuredDataError
        If the file is neither.
    """
    path, sigma = Path(path), dict(sigma or {})
    if path.suffix == ".csv" and _has_rates(path):
        table = read_rate_data(path)
        return [
            RateTestData(f"{path.stem} {kelvin:g} K", rows, sigma=sigma, temperature=kelvin)
            for kelvin, rows in table.groupby(TEMPERATURE)
        ]
    mass = parameters["Positive electrode active material mass [kg]"]
    parts = half_cycles(read_curves(path), mass)
    if not parts:
        raise MeasuredDataError(f"{path}: holds no charge or discharge of at least 5 points")
    one_c = parameters["Nominal cell capacity [A.h]"]
    # rounded as a person would say it
    rates = [float(f"{abs(part.attrs['current']) / one_c:.2g}") for part in parts]
    test = RateTest(dict.fromkeys(rates))
    found = []
    for number, (rate, part) in enumerate(zip(rates, parts, strict=True), start=1):
        rising = part.drop_duplicates("Capacity [mA.h.g-1]")
        found.append(
            CurveData(
                f"{path.stem} {number}",
                rising["Capacity [mA.h.g-1]"],
                rising["Voltage [V]"],
                rate,
                part.attrs["direction"],
                sigma_voltage=sigma.get("Voltage [V]", 0.005),
                sigma_capacity=sigma.get(CAPACITY, SIGMA[CAPACITY]),
                test=test,
            )
        )
    return found


def _has_rates(path: Path) -> bool:
    try:
        return any(
            b"C-rate" in line for line in read_bytes(path, MAX_CURVES_SIZE).split(b"\n", 5)[:5]
        )
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
