"""Voltage against capacity, as it is digitised from figures or exported for them."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.measured.capacity_voltage_formats import (
    BareColumns,
    CurveFormat,
    Dataset,
    NamedColumns,
    Pairs,
)
from ssnib_model.measured.digitised import DigitizerProject, DigitizerTar
from ssnib_model.measured.text import MAX_SIZE, Source
from ssnib_model.tables import listed
from ssnib_model.units import convert

#: The first that opens a file reads it.
CURVE_FORMATS: tuple[CurveFormat, ...] = (
    DigitizerTar(), DigitizerProject(), Pairs(), NamedColumns(), BareColumns(),
)  # fmt: skip

CAPACITY, VOLTAGE = "Capacity [mA.h.g-1]", "Voltage [V]"

#: Least number of points of a curve.
LEAST = 5

#: Part of its range by which a capacity may go back from point to point, as digitising does.
WAVERS = 0.02

#: Part of its end at which a half-cycle may begin: figures are not digitised from 0 on.
BEGINS = 0.05

#: Voltages that a cell can have [V].
VOLTAGES = (-1.0, 6.0)

#: A rate in the name of a data set: "0.1 C", "C/10", "1C"; above this it may be a temperature.
LARGEST_RATE = 20.0
_RATE = re.compile(
    r"(?<![A-Za-z0-9.])(?:C\s?/\s?(?P<hours>\d+(?:\.\d+)?)|(?P<rate>\d+(?:\.\d+)?)\s?C)(?![A-Za-z])"
)


def read_capacity_curve(
    path: str | Path,
    curve: int | str | None = None,
    *,
    unit: str | None = None,
    active_mass: float | None = None,
    area: float | None = None,
) -> pd.DataFrame:
    """Read voltage against capacity of a half-cycle, as digitised or exported for a figure.

    Understood are projects of WebPlotDigitizer (.tar and .json; nothing of a .tar is written to
    disk), its CSV of several data sets with two lines of names, tables with names for capacity
    and voltage, of which a column of rates or cycles tells several curves apart, and two columns
    without names.

    Parameters
    ----------
    path : str or Path
        The file.
    curve : int or str, optional
        Which of several in a file: its number from 1, its name, or "all". It must be given where
        there are several: there is no default.
    unit : str, optional
        Of the capacity; default: as the file says, and mA.h/g where it does not.
    active_mass : float, optional
        Mass of active material [kg], for a capacity that is not per mass.
    area : float, optional
        Electrode area [m2], for a capacity per area.

    Returns
    -------
    pandas.DataFrame
        "Capacity [mA.h.g-1]", rising, and "Voltage [V]"; with "all" a column "Curve" with the
        number before them. ``attrs``: "name" of the data set, "direction" ("charge" where the
        voltage rises, or "discharge"), "rate" as its name or the table says, or None, and
        "problems", sentences on what there is to say; with "all" lists of these.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read or is no such curve, or has several of which none is chosen.
    OptionError
        For a choice that is none.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "figure.csv"
    >>> lines = ["C/10,,1 C,", "X,Y,X,Y", "0,3.5,0,3.4", "30,3.4,20,3.3", "60,3.4,40,3.3"]
    >>> lines += ["90,3.3,60,3.2", "110,2.5,80,2.5"]
    >>> _ = path.write_text("\\n".join(lines))
    >>> slow = read_capacity_curve(path, "C/10")
    >>> slow.attrs["direction"], slow.attrs["rate"], float(slow["Capacity [mA.h.g-1]"].iloc[-1])
    ('discharge', 0.1, 110.0)
    """
    path = Path(path)
    _check(curve, active_mass, area)
    source = Source.read(path, MAX_SIZE)
    format_ = format_of(source)
    if format_ is None:
        known = "; ".join(f"{f.name} ({f.suffixes})" for f in CURVE_FORMATS)
        raise source.error(f"is no file of voltage against capacity that is known: {known}")
    datasets = format_.datasets(source)
    if not datasets:
        raise source.error(f"{format_.name}, but without any point")
    names = [dataset.name for dataset in datasets]
    if curve == "all":
        frames = [_frame(path, d, unit, active_mass, area) for d in datasets]
        whole = pd.concat(
            [frame.assign(Curve=n) for n, frame in enumerate(frames, 1)], ignore_index=True
        )
        whole.insert(0, "Curve", whole.pop("Curve"))
        keys: list[Hashable] = ["name", "direction", "rate", "problems"]
        whole.attrs = {key: [frame.attrs[key] for frame in frames] for key in keys}
        return whole
    if curve is None and len(datasets) > 1:
        raise MeasuredDataError(
            f"{path}: holds {len(datasets)} curves: say which one by its number or name, or "
            f'"all" (curve=...): {listed(names)}'
        )
    if isinstance(curve, str):
        if names.count(curve) != 1:
            raise MeasuredDataError(
                f"{path}: {names.count(curve)} curves have the name {curve!r}: there are "
                f"{listed(names)}"
            )
        curve = names.index(curve) + 1
    number = 1 if curve is None else curve
    if number > len(datasets):
        raise MeasuredDataError(
            f"{path}: curve {number} is asked for, but it holds {len(datasets)}: {listed(names)}"
        )
    return _frame(path, datasets[number - 1], unit, active_mass, area)


def format_of(source: Source) -> CurveFormat | None:
    """The kind of a file; None if it is no file of voltage against capacity."""
    return next((f for f in CURVE_FORMATS if f.opens(source)), None)


def is_capacity_curve(source: Source) -> bool:
    """Whether a file is one of voltage against capacity."""
    return format_of(source) is not None


def _check(curve: object, active_mass: float | None, area: float | None) -> None:
    whole = isinstance(curve, int) and not isinstance(curve, bool) and curve >= 1
    if not (curve is None or isinstance(curve, str) or whole):
        raise OptionError(f'curve is {curve!r}: a number from 1, a name or "all" is needed')
    for name, value in (("active_mass", active_mass), ("area", area)):
        if value is not None and not 0 < value < np.inf:
            raise OptionError(f"{name} is {value!r}: a positive number is needed")


def _frame(
    path: Path,
    dataset: Dataset,
    unit: str | None,
    active_mass: float | None,
    area: float | None,
) -> pd.DataFrame:
    """A data set as a half-cycle."""
    where = f"{path}: {dataset.name}"
    problems = list(dataset.problems)
    if unit is None and not dataset.unit:
        problems.append("the file says no unit: the capacity is taken in mA.h/g, the voltage in V")
    if unit and dataset.unit and unit != dataset.unit:
        problems.append(f"the file has the capacity in {dataset.unit}, it is taken in {unit}")
    unit = unit or dataset.unit or "mA.h.g-1"
    factor = specific(where, unit, active_mass, area)
    capacity, voltage = dataset.capacity * factor, dataset.voltage
    if len(capacity) < LEAST:
        raise MeasuredDataError(f"{where}: has {len(capacity)} points: {LEAST} are needed")
    low, high = voltage.min(), voltage.max()
    if not (VOLTAGES[0] <= low and high <= VOLTAGES[1]):
        raise MeasuredDataError(
            f"{where}: the voltage is {low:.4g} to {high:.4g} V, which no cell has: are the axes "
            "the other way round, or is it not in volt?"
        )
    capacity, voltage = _rising(where, capacity, voltage, problems)
    end = capacity[-1]
    if not (end > 0 and abs(capacity[0]) <= BEGINS * end):
        raise MeasuredDataError(
            f"{where}: the capacity goes from {capacity[0]:.4g} to {end:.4g} mA.h/g: a half-cycle "
            "begins at 0"
        )
    quarter = max(len(voltage) // 4, 1)
    change = np.median(voltage[-quarter:]) - np.median(voltage[:quarter])
    direction = "charge" if change > 0 else "discharge"
    said = "discharge" if re.search("dis", dataset.name, re.I) else ""
    said = said or ("charge" if re.search("charg", dataset.name, re.I) else "")
    if said and said != direction:
        problems.append(
            f"its name says {said}, its voltage {'rises' if change > 0 else 'falls'}: it is "
            f"taken for a {direction}"
        )
    frame = pd.DataFrame({CAPACITY: capacity, VOLTAGE: voltage})
    attrs: dict[Hashable | None, Any] = {
        "name": dataset.name,
        "direction": direction,
        "rate": dataset.rate if dataset.rate is not None else rate_in(dataset.name),
        "problems": problems,
    }
    frame.attrs = attrs
    return frame


def _rising(
    where: str, capacity: np.ndarray, voltage: np.ndarray, problems: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Points in the order of capacity, one for each."""
    reach = np.ptp(capacity)
    back = np.maximum.accumulate(capacity) - capacity
    if back.max() > WAVERS * reach:
        raise MeasuredDataError(
            f"{where}: the capacity goes back at point {int(back.argmax()) + 1} by "
            f"{back.max():.3g}: each charge and discharge needs a data set of its own"
        )
    wavers = int((np.diff(capacity) <= 0).sum())
    if wavers:
        problems.append(
            f"the capacity does not rise at {wavers} of {len(capacity)} points, by "
            f"{back.max():.2g} mA.h/g at most: put in order, points of equal capacity averaged"
        )
    values, place = np.unique(capacity, return_inverse=True)
    if len(values) < LEAST:
        raise MeasuredDataError(f"{where}: has {len(values)} capacities: {LEAST} are needed")
    return values, np.bincount(place, weights=voltage) / np.bincount(place)


def specific(where: str, unit: str, active_mass: float | None, area: float | None) -> float:
    """What makes a capacity in a unit one in mA.h/g; ``where`` is for the message."""
    # as journals and instruments write it: mAhg-1, mAh g^{-1}, a real minus sign
    unit = re.sub(r"[{}]", "", unit.replace("\u2212", "-"))
    unit = re.sub(r"(m?A)\s?h\s?(?=[gck])", r"\1h ", unit)
    kinds: tuple[tuple[str, tuple[float | None, ...], str], ...] = (
        ("mA.h.g-1", (), ""),
        ("A.h", (active_mass,), "the mass of active material [kg] (active_mass=...)"),
        ("A.h.m-2", (active_mass, area), "mass [kg] and area [m2] (active_mass=..., area=...)"),
    )
    for target, needed, words in kinds:
        try:
            factor = convert(1.0, unit, target)
        except ValueError:
            continue
        if None in needed:
            raise MeasuredDataError(f"{where}: the capacity is in {unit}: {words} must be given")
        if target == "mA.h.g-1":
            return factor
        assert active_mass is not None
        return factor / active_mass * (area if target == "A.h.m-2" and area else 1.0)
    raise MeasuredDataError(f"{where}: {unit!r} is no unit of a capacity, such as mA.h/g or mA.h")


def rate_in(name: str) -> float | None:
    """The C-rate that a name says, if it says one.

    Examples
    --------
    >>> rate_in("NVP, C/10 discharge"), rate_in("0.5C_charge"), rate_in("60 °C")
    (0.1, 0.5, None)
    """
    found = set()
    for match in _RATE.finditer(name):
        hours = match["hours"]
        number = float(hours or match["rate"])
        if number > 0:
            found.add(1 / number if hours else number)
    found = {rate for rate in found if rate <= LARGEST_RATE}
    return found.pop() if len(found) == 1 else None
