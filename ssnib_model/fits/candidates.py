"""Measurements that could be made: what is done, to which cell, and how exact it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.fits.data import (
    CAPACITY,
    CHARGE_CAPACITY,
    GAP,
    SIGMA,
    SIGMA_VOLTAGE,
    TEMPERATURE,
    VOLTAGE,
    Data,
    RateTestData,
    SpectrumData,
    check_sigma,
)
from ssnib_model.fits.planned import PlannedData
from ssnib_model.protocol.builders import GITT, Pulse
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.words import short

#: Of real and imaginary part of an impedance, over its modulus.
IMPEDANCE = "Relative impedance"

#: Standard deviations of measurements where none are given, as fits have them.
NOISE = {VOLTAGE: SIGMA_VOLTAGE, **SIGMA, IMPEDANCE: 0.01}

#: Frequencies of a spectrum [Hz], if none are given.
FREQUENCIES = tuple(float(f) for f in np.geomspace(1e6, 1e-2, 30))

#: The other thickness of a layer, over its own; the temperature that is another one [K].
THICKER, WARM = 2.0, 333.15


@dataclass(frozen=True)
class Spectrum:
    """An impedance spectrum that could be taken.

    Parameters
    ----------
    state : float, optional
        State of charge.
    frequencies : tuple of float, optional
        [Hz]; default: 30 from 1 MHz to 10 mHz.
    """

    state: float = 0.5
    frequencies: tuple[float, ...] = FREQUENCIES


@dataclass(frozen=True)
class Candidate:
    """A measurement that could be made.

    Parameters
    ----------
    name : str
        What it is called.
    measures : RateTest, Protocol or Spectrum
        What is done. `GITT`, `Pulse` and all other tests are protocols.
    changes : mapping, optional
        Values by name in which the cell that is measured differs, exactly known: another
        thickness of a layer, or "Ambient temperature [K]".
    options : mapping, optional
        Model options in which it differs: ``{"positive electrode": "alloy"}`` is a symmetric
        cell.
    sigma : mapping, optional
        Standard deviations by quantity, as `NOISE`, which is the default.
    curves : bool, optional
        Of a `RateTest`: whether its voltage curves count, or only the capacities and the gaps at
        half of them.

    Raises
    ------
    OptionError
        For anything that is none of this.
    """

    name: str
    measures: RateTest | Protocol | Spectrum
    changes: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    sigma: Mapping[str, float] = field(default_factory=dict)
    curves: bool = True

    def __post_init__(self) -> None:
        if not str(self.name).strip():
            raise OptionError(f"the name of a candidate is {short(self.name)}: a text is needed")
        if not isinstance(self.measures, RateTest | Protocol | Spectrum):
            raise OptionError(
                f"{self.name}: measures is {short(self.measures)}: a RateTest, a Protocol or a "
                "Spectrum is needed"
            )
        if not self.curves and not isinstance(self.measures, RateTest):
            raise OptionError(f"{self.name}: curves=False has no effect, it is for a RateTest")
        check_sigma(self.name, self.sigma, self.quantities)

    @property
    def quantities(self) -> list[str]:
        """What is measured, by the names that standard deviations have."""
        if isinstance(self.measures, Spectrum):
            return [IMPEDANCE]
        if not self.curves:
            return [CAPACITY, CHARGE_CAPACITY, GAP]
        return [VOLTAGE, CAPACITY, CHARGE_CAPACITY]

    def cell(self, parameters: ParameterSet) -> ParameterSet:
        """The cell that is measured.

        Raises
        ------
        SSNIBError
            If there is no such cell, or the measurement does not read what is changed in it.
        """
        cell = parameters.replace(dict(self.changes), dict(self.options))
        of = "impedance" if isinstance(self.measures, Spectrum) else "rate test"
        unread = cell.unread(of)
        for name in self.changes:
            if name in unread:
                raise OptionError(f"{self.name}: {unread[name]}")
        return cell

    def data(self, cell: ParameterSet) -> Data:
        """As data without measured values, each with a standard deviation of 1."""
        if isinstance(self.measures, Spectrum):
            hertz = np.asarray(self.measures.frequencies, dtype=float)
            return SpectrumData(
                self.name, hertz, np.ones(hertz.shape), self.measures.state, relative_sigma=1.0
            )
        if self.curves:
            return PlannedData(self.name, self.measures, cell)
        assert isinstance(self.measures, RateTest)
        columns = (CAPACITY, CHARGE_CAPACITY, GAP)
        table = pd.DataFrame({"C-rate": self.measures.rates, **dict.fromkeys(columns, 0.0)})
        return RateTestData(
            self.name, table, sigma=dict.fromkeys(columns, 1.0), test=self.measures
        )

    def noise(
        self, data: Data, values: np.ndarray, sigma: Mapping[str, float] | None = None
    ) -> np.ndarray:
        """Standard deviations of the values of `data`, shape (n,).

        Parameters
        ----------
        data : Data
            Of this candidate.
        values : numpy.ndarray
            What the model says they are.
        sigma : mapping, optional
            Standard deviations where the candidate has none of its own.
        """
        known = NOISE | dict(sigma or {}) | dict(self.sigma)
        if isinstance(self.measures, Spectrum):
            real, imaginary = np.split(values, 2)
            return np.tile(known[IMPEDANCE] * np.hypot(real, imaginary), 2)
        return np.array([known[kind] for kind in data.kinds])


def default_candidates(parameters: ParameterSet) -> list[Candidate]:
    """What there is to choose from if nothing is said: usual tests of a cell, and what needs a
    second one.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    """
    return list(_usual(parameters))


def _usual(parameters: ParameterSet) -> Iterator[Candidate]:
    warm = {TEMPERATURE: WARM}
    low_rates, high_rates = [0.1, 0.2, 0.5, 1.0], [0.2, 0.5, 1.0, 2.0]
    yield Candidate("capacities and gaps at 0.1 to 1 C", RateTest(low_rates), curves=False)
    yield Candidate("capacities and gaps at 0.2 to 2 C", RateTest(high_rates), curves=False)
    yield Candidate("voltage curves at 0.1 C", RateTest([0.1]))
    yield Candidate("voltage curves at 0.2 and 1 C", RateTest([0.2, 1.0]))
    yield Candidate("GITT, 10 pulses at 0.1 C", GITT(0.1, pulses=10, rest="1 hour"))
    yield Candidate("pulses of 1 C at 5 states of charge", Pulse(1, states=5, step=15))
    yield Candidate("spectrum at 50 %", Spectrum(0.5))
    yield Candidate("spectrum at 20 %", Spectrum(0.2))
    yield Candidate("spectrum at 50 % and 60 degC", Spectrum(0.5), changes=warm)
    yield Candidate("voltage curves at 0.2 C and 60 degC", RateTest([0.2]), changes=warm)
    for layer in parameters.model_options["electrolyte layers"]:
        name = f"{layer} layer thickness [m]"
        yield Candidate(
            f"capacity and gap at 0.2 C, {layer} layer twice as thick",
            RateTest([0.2]),
            changes={name: THICKER * parameters[name]},
            curves=False,
        )
    if parameters.model_options["positive electrode"] != "alloy":
        yield Candidate(
            "spectrum of a symmetric cell", Spectrum(0.5), options={"positive electrode": "alloy"}
        )
