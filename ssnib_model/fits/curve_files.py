"""Voltage against capacity of files, as data of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError
from ssnib_model.fits.data import MASS, SIGMA, SIGMA_VOLTAGE, CurveData
from ssnib_model.measured.capacity_voltage import CAPACITY, VOLTAGE, read_capacity_curve
from ssnib_model.protocol.rate_test import RateTest


def curve_from_file(
    path: str | Path,
    parameters: ParameterSet,
    *,
    curve: int | str | None = None,
    rate: float | None = None,
    unit: str | None = None,
    temperature: float | None = None,
    sigma: Mapping[str, float] | None = None,
    test: RateTest | None = None,
    name: str | None = None,
) -> CurveData:
    """A curve of voltage against capacity of a file, ready for a fit.

    Parameters
    ----------
    path : str or Path
        The file, as for `read_capacity_curve`.
    parameters : ParameterSet
        For the mass of active material and the area.
    curve : int or str, optional
        Which one of several in the file: its number or name.
    rate : float, optional
        C-rate; default: as the name of the curve or a column of the file says.
    unit : str, optional
        Of the capacity, as for `read_capacity_curve`.
    temperature : float, optional
        [K]; default: that of the parameters.
    sigma : mapping, optional
        Standard deviations of "Voltage [V]" and of the capacity, "Discharge capacity
        [mA.h.g-1]" or "Charge capacity [mA.h.g-1]"; others are left to other data.
    test : RateTest, optional
        As for `CurveData`.
    name : str, optional
        Of the data; default: that of the file and the curve.

    Returns
    -------
    CurveData
        With what there is to say about the file in ``findings``.

    Raises
    ------
    MeasuredDataError
        If the file cannot be used, or nothing says at which rate the curve was taken.
    """
    path = Path(path)
    frame = read_capacity_curve(
        path,
        curve,
        unit=unit,
        active_mass=parameters[MASS],
        area=parameters["Electrode area [m2]"],
    )
    said = frame.attrs["rate"]
    findings = list(frame.attrs["problems"])
    if rate is None:
        rate = said
    elif said is not None and abs(said - rate) > 1e-6 * rate:
        findings.append(f"the file says {said:g} C, it is taken for {rate:g} C")
    if rate is None:
        raise MeasuredDataError(
            f"{path}: {frame.attrs['name']}: nothing says at which C-rate it was taken: give "
            "rate=..., or put it into the name of the curve, as in '0.1 C'"
        )
    sigma, direction = dict(sigma or {}), frame.attrs["direction"]
    ends = f"{direction.capitalize()} capacity [mA.h.g-1]"
    data = CurveData(
        name or f"{path.stem} {frame.attrs['name']}",
        frame[CAPACITY],
        frame[VOLTAGE],
        rate,
        direction,
        sigma_voltage=sigma.get(VOLTAGE, SIGMA_VOLTAGE),
        sigma_capacity=sigma.get(ends, SIGMA[ends]),
        temperature=temperature,
        test=test,
    )
    data.findings = tuple(findings)
    return data
