"""Tables of capacities by C-rate, with the names that people give their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.capacity_voltage import specific
from ssnib_model.measured.capacity_voltage_formats import kind_of, rate_of
from ssnib_model.measured.text import (
    Source,
    decimal_of,
    find_header,
    known_unit,
    numbers,
    read_table,
)
from ssnib_model.tables import MAX_TABLE_SIZE, RATE_COLUMNS
from ssnib_model.units import convert

RATE, TEMPERATURE, CHARGED, DISCHARGED, GAP, EFFICIENCY = RATE_COLUMNS[:6]
NOTE = RATE_COLUMNS[-1]

#: Lines in which the names are looked for.
MAX_PREAMBLE = 100

_PATTERNS = {
    NOTE: r"notes?|remarks?|comments?|source|reference",
    EFFICIENCY: r"coulombic efficiency|efficiency|ce",
    GAP: r"polari[sz]ation|voltage (gap|hysteresis)|gap",
    TEMPERATURE: r"(ambient |cell |test )?(temperature|temp\.?)|t",
}
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATTERNS.items()}

#: A header that is a unit of capacity and nothing else.
_ONLY_UNIT = re.compile(r"[mµ]?A\s?\.?h\s*(/|\s|\.|·)\s*k?g\S*|[mµ]?Ah", re.IGNORECASE)
_CAPACITY = re.compile(r"\b(capacity|cap|q)\b", re.IGNORECASE)


def read_rate_table(
    path: str | Path, *, active_mass: float | None = None, area: float | None = None
) -> pd.DataFrame:
    """Read capacities by C-rate from a table, whatever its columns are called.

    Rates are numbers, or "0.1C" and "C/10". Units stand in the names: "Rate (C)",
    "Capacity (mAh/g)", "mAh/g", "Temperature / °C", "Voltage gap (mV)".

    Parameters
    ----------
    path : str or Path
        A table as text; comments start with #.
    active_mass : float, optional
        Mass of active material [kg], for capacities that are not per mass.
    area : float, optional
        Electrode area [m2], for capacities per area.

    Returns
    -------
    pandas.DataFrame
        One row a measurement: "C-rate" and what there is of "Ambient temperature [K]", "Charge
        capacity [mA.h.g-1]", "Discharge capacity [mA.h.g-1]", "Polarization [V]", "Coulombic
        efficiency" and "Note"; NaN where nothing was measured. ``attrs["problems"]`` has a
        sentence for each column that is taken for something it does not say, or not used.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, has no rates, or a value that is no number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "rates.csv"
    >>> _ = path.write_text("Rate (C),Discharge capacity (mAh/g)\\nC/10,110.6\\n2,84\\n")
    >>> read_rate_table(path).to_dict("list")
    {'C-rate': [0.1, 2.0], 'Discharge capacity [mA.h.g-1]': [110.6, 84.0]}
    """
    path = Path(path)
    source = Source.read(path, MAX_TABLE_SIZE)
    lines = [line.split("#")[0] for line in source.lines]
    found = find_header(lines[:MAX_PREAMBLE], _is_header)
    if found is None:
        raise source.error(
            "no line names a C-rate and a capacity, such as 'C-rate' and 'Discharge capacity "
            "[mA.h.g-1]'"
        )
    header, separator = found
    raw = read_table(source, header, separator, lines)
    problems: list[str] = []
    columns = _columns(source, list(raw.columns), problems)
    measured = [name for quantity, name in columns.items() if quantity not in (RATE, NOTE)]
    decimal = decimal_of(source, raw[measured], separator)
    table = pd.DataFrame(index=range(len(raw)))
    for quantity in RATE_COLUMNS:
        if quantity not in columns:
            continue
        name = columns[quantity]
        if quantity == NOTE:
            table[quantity] = raw[name].to_numpy()
        elif quantity == RATE:
            table[quantity] = [_rate(source, raw, name, row) for row in range(len(raw))]
        else:
            values = numbers(source, raw[name], decimal)
            table[quantity] = _in_si(source, quantity, name, values, active_mass, area)
    if TEMPERATURE in table and table[TEMPERATURE].isna().any():
        line = int(raw.index[np.flatnonzero(table[TEMPERATURE].isna())[0]])
        raise source.error("has no temperature, where other rows have one", line)
    table.attrs["problems"] = problems
    return table


def is_rate_table(source: Source) -> bool:
    """Whether a line of the file names a C-rate and a capacity or gap, and no voltage."""
    lines = [line.split("#")[0] for line in source.lines[:MAX_PREAMBLE]]
    return find_header(lines, _is_header) is not None


def _is_header(cells: Sequence[str]) -> bool:
    quantities = {_quantity(cell)[0] for cell in cells}
    kinds = {kind_of(cell)[0] for cell in cells}
    # beside a voltage, time or current it is a table of curves
    return (
        RATE in quantities
        and bool(quantities & {CHARGED, DISCHARGED, GAP})
        and not (kinds & {"v", "t", "i"})
    )


def _quantity(name: str) -> tuple[str, str]:
    """What a column holds, one of `RATE_COLUMNS` or "", and what is assumed in that."""
    if name in RATE_COLUMNS:
        return name, ""
    kind, _ = kind_of(name)
    bare = re.split(r"[\[(]|\s/|/\s", " ".join(name.replace("_", " ").split()))[0].strip()
    if kind == "r":
        return RATE, ""
    for quantity, pattern in _COMPILED.items():
        if pattern.fullmatch(bare):
            return quantity, ""
    if _ONLY_UNIT.fullmatch(name) or kind == "c" or _CAPACITY.search(bare):
        if re.search(r"dis|dchg", bare, re.IGNORECASE):
            return DISCHARGED, ""
        if re.search(r"char|chg", bare, re.IGNORECASE):
            return CHARGED, ""
        return DISCHARGED, "the capacity of discharge"
    return "", ""


def _columns(source: Source, names: Sequence[str], problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        quantity, assumed = _quantity(name)
        if not name.strip():
            continue
        if not quantity:
            problems.append(f"column {name[:60]!r} is not used")
        elif quantity in found:
            raise source.error(
                f"the columns {found[quantity][:60]!r} and {name[:60]!r} are both {quantity}"
            )
        else:
            found[quantity] = name
            if assumed:
                problems.append(f"column {name[:60]!r} is taken for {assumed}")
    return found


def _rate(source: Source, raw: pd.DataFrame, name: str, row: int) -> float:
    try:
        return rate_of(raw[name].iloc[row])
    except ValueError as error:
        raise source.error(f"column {name[:60]!r}: {error}", int(raw.index[row])) from error


def _in_si(
    source: Source,
    quantity: str,
    name: str,
    values: np.ndarray,
    active_mass: float | None,
    area: float | None,
) -> np.ndarray:
    """Values of a column in the unit of the package."""
    unit = name if _ONLY_UNIT.fullmatch(name) else kind_of(name)[1]
    where = f"{source.path}: column '{name[:60]}'"
    if quantity == EFFICIENCY:
        return values / 100 if unit == "%" else values
    if quantity not in (CHARGED, DISCHARGED, GAP, TEMPERATURE):
        return values
    if not unit:
        raise MeasuredDataError(
            f"{where} has no unit: write it behind the name, as in '{quantity}'"
        )
    if quantity in (CHARGED, DISCHARGED):
        return values * specific(where, unit, active_mass, area)
    target = "K" if quantity == TEMPERATURE else "V"
    try:
        unit = known_unit(unit, target)
        zero, one = convert(0.0, unit, target), convert(1.0, unit, target)
    except ValueError as error:
        raise MeasuredDataError(f"{where}: {error}") from error
    return zero + values * (one - zero)
