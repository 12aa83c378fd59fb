"""Data of a fit from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.fits.data import (
    CAPACITY,
    CHARGE_CAPACITY,
    MASS,
    SIGMA,
    SIGMA_VOLTAGE,
    TEMPERATURE,
    VOLTAGE,
    CurveData,
    Data,
    RateTestData,
    check_sigma,
)
from ssnib_model.fits.protocol_data import ProtocolData, quantities_of
from ssnib_model.measured.capacity_voltage import is_capacity_curve, read_capacity_curve
from ssnib_model.measured.protocol import MeasuredProtocol
from ssnib_model.measured.rate_tables import is_rate_table, read_rate_table
from ssnib_model.measured.text import MAX_SIZE, Source
from ssnib_model.protocol.rate_test import RateTest


def data_from_file(
    path: str | Path,
    parameters: ParameterSet,
    sigma: Mapping[str, float] | None = None,
    **settings: Any,
) -> list[Data]:
    """What a file holds, ready for a fit.

    Parameters
    ----------
    path : str or Path
        A table of capacities by C-rate (`read_rate_table`); voltage against capacity
        (`read_capacity_curve`) with the C-rate in the name of each curve, compared with a rate
        test of these in rising order; or the file of a cycler (`read_curves`), with which the
        model does what was done to the cell, step by step. For spectra see `spectrum_from_file`.
    parameters : ParameterSet
        The cell.
    sigma : mapping, optional
        Standard deviations, as `SIGMA`, and "Voltage [V]".
    **settings
        Of the file of a cycler: ``start``, ``cycles``, ``only``, ``mass``, ``area`` and
        ``temperature``, as for `MeasuredProtocol`; the last one holds for any file without one.

    Returns
    -------
    list
        `RateTestData`, one for each temperature; `CurveData`, one for each curve; or a
        `ProtocolData`.

    Raises
    ------
    MeasuredDataError
        If the file is none of these, ``sigma`` has a quantity that it does not, or nothing says
        what was done in it or from which state.
    OptionError
        For a setting that is not allowed, or has no effect.
    """
    return data_from_files([path], parameters, sigma, **settings)


def data_from_files(
    paths: Iterable[str | Path],
    parameters: ParameterSet,
    sigma: Mapping[str, float] | None = None,
    beside: Iterable[Data] = (),
    **settings: Any,
) -> list[Data]:
    """As `data_from_file`, of several files; a sigma is for those that have the quantity, and
    the settings are for all files of cyclers. Data ``beside`` come first, with their sigmas. Each
    file is a cell, unless they are told otherwise."""
    sigma = dict(sigma or {})
    settings = {name: value for name, value in settings.items() if value is not None}
    # every kind of file may lack a temperature
    everywhere = {name: settings[name] for name in ("temperature",) if name in settings}
    data = list(beside)
    quantities = {label.partition(" at ")[0] for d in data for label in d.labels}
    for path in map(Path, paths):
        read = _kind(path)
        found, has = read(path, parameters, sigma, **(settings if read is _cycler else everywhere))
        for one in found:
            one.cell = str(path)
        data += found
        quantities |= has
    idle = settings.keys() - everywhere.keys()
    if idle and not any(isinstance(d, ProtocolData) for d in data):
        raise OptionError(
            f"{', '.join(sorted(idle))}: has no effect, as there is no file of a cycler among the "
            "data"
        )
    check_sigma("the data", sigma, sorted(quantities))
    return data


def _kind(path: Path) -> Callable[..., tuple[list[Data], set[str]]]:
    """What reads a file, by what is in it."""
    source = Source.read(path, MAX_SIZE)
    if is_rate_table(source):
        return _rate_tables
    return _capacity_curves if is_capacity_curve(source) else _cycler


def _cycler(
    path: Path, parameters: ParameterSet, sigma: dict[str, float], **settings: Any
) -> tuple[list[Data], set[str]]:
    measured = MeasuredProtocol(path, parameters, **settings)
    has = quantities_of(measured)
    return [ProtocolData(measured, parameters, sigma=_of(sigma, has))], has


def _of(sigma: Mapping[str, float], quantities: set[str]) -> dict[str, float]:
    return {quantity: value for quantity, value in sigma.items() if quantity in quantities}


def _rate_tables(
    path: Path,
    parameters: ParameterSet,
    sigma: dict[str, float],
    temperature: float | None = None,
) -> tuple[list[Data], set[str]]:
    mass, area = parameters[MASS], parameters["Electrode area [m2]"]
    table = read_rate_table(path, active_mass=mass, area=area)
    has = {column for column in SIGMA if column in table.columns}
    own = _of(sigma, has)
    findings = tuple(table.attrs["problems"])
    data: list[Data]
    if TEMPERATURE in table.columns:
        data = [
            RateTestData(f"{path.stem} {kelvin:g} K", rows, sigma=own, temperature=kelvin)
            for kelvin, rows in table.groupby(table[TEMPERATURE].astype(float))
        ]
        if temperature is not None:
            findings += ("the temperatures are those of the table, no other",)
    else:
        if temperature is None:
            kelvin = parameters[TEMPERATURE]
            findings += (f"the temperature is that of the set, {kelvin:g} K",)
        data = [RateTestData(path.stem, table, sigma=own, temperature=temperature)]
    for one in data:
        one.findings = findings
    return data, has


def _capacity_curves(
    path: Path,
    parameters: ParameterSet,
    sigma: dict[str, float],
    temperature: float | None = None,
) -> tuple[list[Data], set[str]]:
    mass, area = parameters[MASS], parameters["Electrode area [m2]"]
    frame = read_capacity_curve(path, "all", active_mass=mass, area=area)
    names, rates = frame.attrs["name"], frame.attrs["rate"]
    for name, rate in zip(names, rates, strict=True):
        if rate is None:
            raise MeasuredDataError(
                f"{path}: {name}: nothing says at which C-rate it was taken: put it into the name "
                "of the curve, as in '0.1 C', or say it (--curve, curve_from_file)"
            )
    test = RateTest(sorted(set(rates)))
    found: list[Data] = []
    has = {VOLTAGE}
    for number, rows in frame.groupby("Curve"):
        place = int(str(number)) - 1
        direction = frame.attrs["direction"][place]
        ends = CHARGE_CAPACITY if direction == "charge" else CAPACITY
        has.add(ends)
        one = CurveData(
            f"{path.stem} {names[place]}",
            rows["Capacity [mA.h.g-1]"],
            rows[VOLTAGE],
            rates[place],
            direction,
            sigma_voltage=sigma.get(VOLTAGE, SIGMA_VOLTAGE),
            sigma_capacity=sigma.get(ends, SIGMA[ends]),
            temperature=temperature,
            test=test,
        )
        one.findings = tuple(frame.attrs["problems"][place])
        found.append(one)
    return found, has
