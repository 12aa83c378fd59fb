"""Data of a fit from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.files import read_bytes
from ssnib_model.fits.data import SIGMA, TEMPERATURE, Data, RateTestData, check_sigma
from ssnib_model.fits.protocol_data import ProtocolData, quantities_of
from ssnib_model.measured.protocol import MeasuredProtocol
from ssnib_model.measured.text import MAX_SIZE
from ssnib_model.tables import read_rate_data


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
        A table with "C-rate" (`read_rate_data`), or the file of a cycler (`read_curves`), with
        which the model does what was done to the cell, step by step.
    parameters : ParameterSet
        The cell.
    sigma : mapping, optional
        Standard deviations, as `SIGMA`, and "Voltage [V]".
    **settings
        Of the file of a cycler: ``start``, ``cycles``, ``only``, ``mass``, ``area`` and
        ``temperature``, as for `MeasuredProtocol`.

    Returns
    -------
    list
        `RateTestData`, one for each temperature, or a `ProtocolData`.

    Raises
    ------
    MeasuredDataError
        If the file is neither, ``sigma`` has a quantity that it does not, or nothing says what was
        done in it or from which state.
    OptionError
        For a setting that is not allowed, or has no effect.
    """
    return data_from_files([path], parameters, sigma, **settings)


def data_from_files(
    paths: Iterable[str | Path],
    parameters: ParameterSet,
    sigma: Mapping[str, float] | None = None,
    **settings: Any,
) -> list[Data]:
    """As `data_from_file`, of several files; a sigma is for those that have the quantity, and
    the settings are for all files of cyclers."""
    sigma = dict(sigma or {})
    settings = {name: value for name, value in settings.items() if value is not None}
    data: list[Data] = []
    quantities: set[str] = set()
    for path in map(Path, paths):
        if path.suffix == ".csv" and _has_rates(path):
            found, has = _rate_tables(path, parameters, sigma)
            data += found
            quantities |= has
        else:
            measured = MeasuredProtocol(path, parameters, **settings)
            own = quantities_of(measured)
            data.append(ProtocolData(measured, parameters, sigma=_of(sigma, own)))
            quantities |= own
    if settings and not any(isinstance(d, ProtocolData) for d in data):
        raise OptionError(
            f"{', '.join(settings)}: has no effect, as there is no file of a cycler among the data"
        )
    check_sigma("the data", sigma, sorted(quantities))
    return data


def _of(sigma: Mapping[str, float], quantities: set[str]) -> dict[str, float]:
    return {quantity: value for quantity, value in sigma.items() if quantity in quantities}


def _rate_tables(
    path: Path, parameters: ParameterSet, sigma: dict[str, float]
) -> tuple[list[RateTestData], set[str]]:
    table = read_rate_data(path)
    has = {column for column in SIGMA if column in table.columns}
    data = [
        RateTestData(f"{path.stem} {kelvin:g} K", rows, sigma=_of(sigma, has), temperature=kelvin)
        for kelvin, rows in table.groupby(table[TEMPERATURE].astype(float))
    ]
    return data, has


def _has_rates(path: Path) -> bool:
    try:
        return any(b"C-rate" in line for line in read_bytes(path, MAX_SIZE).split(b"\n", 5)[:5])
    except OSError as error:
        raise MeasuredDataError(f"{path}: cannot be read: {error.strerror}") from error
