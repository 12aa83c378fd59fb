"""Data of a fit from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError
from ssnib_model.files import read_bytes
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
from ssnib_model.measured.curves import half_cycles
from ssnib_model.measured.formats import MAX_CURVES_SIZE, read_curves
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.tables import read_rate_data


def data_from_file(
    path: str | Path, parameters: ParameterSet, sigma: Mapping[str, float] | None = None
) -> list[Data]:
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
        If the file is neither, or ``sigma`` has a quantity that it does not.
    """
    return data_from_files([path], parameters, sigma)


def data_from_files(
    paths: Iterable[str | Path],
    parameters: ParameterSet,
    sigma: Mapping[str, float] | None = None,
) -> list[Data]:
    """As `data_from_file`, of several files; a sigma is for those that have the quantity."""
    sigma = dict(sigma or {})
    data: list[Data] = []
    quantities: set[str] = set()
    for path in map(Path, paths):
        read = _rate_tables if path.suffix == ".csv" and _has_rates(path) else _curves
        found, has = read(path, parameters, sigma)
        data += found
        quantities |= has
    check_sigma("the data", sigma, sorted(quantities))
    return data


def _rate_tables(
    path: Path, parameters: ParameterSet, sigma: dict[str, float]
) -> tuple[list[Data], set[str]]:
    table = read_rate_data(path)
    has = {column for column in SIGMA if column in table.columns}
    own = {column: value for column, value in sigma.items() if column in has}
    data: list[Data] = [
        RateTestData(f"{path.stem} {kelvin:g} K", rows, sigma=own, temperature=kelvin)
        for kelvin, rows in table.groupby(table[TEMPERATURE].astype(float))
    ]
    return data, has


def _curves(
    path: Path, parameters: ParameterSet, sigma: dict[str, float]
) -> tuple[list[Data], set[str]]:
    parts = half_cycles(read_curves(path), parameters[MASS])
    if not parts:
        raise MeasuredDataError(f"{path}: holds no charge or discharge of at least 5 points")
    one_c = parameters["Nominal cell capacity [A.h]"]
    # rounded as a person would say it
    rates = [float(f"{abs(part.attrs['current']) / one_c:.2g}") for part in parts]
    test = RateTest(dict.fromkeys(rates))
    found: list[Data] = []
    has = {VOLTAGE}
    for number, (rate, part) in enumerate(zip(rates, parts, strict=True), start=1):
        rising = part.drop_duplicates("Capacity [mA.h.g-1]")
        ends = CHARGE_CAPACITY if part.attrs["direction"] == "charge" else CAPACITY
        has.add(ends)
        found.append(
            CurveData(
                f"{path.stem} {number}",
                rising["Capacity [mA.h.g-1]"],
                rising["Voltage [V]"],
                rate,
                part.attrs["direction"],
                sigma_voltage=sigma.get(VOLTAGE, SIGMA_VOLTAGE),
                sigma_capacity=sigma.get(ends, SIGMA[ends]),
                test=test,
            )
        )
    return found, has


def _has_rates(path: Path) -> bool:
    try:
        return any(
            b"C-rate" in line for line in read_bytes(path, MAX_CURVES_SIZE).split(b"\n", 5)[:5]
        )
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
