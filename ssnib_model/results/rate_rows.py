"""The rows of the tables of many rate tests, at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ssnib_model.results.rate_test import TABLE_COLUMNS, Test
from ssnib_model.solvers.many import Found
from ssnib_model.steps import Status


class _HalfCycles(NamedTuple):
    """One half-cycle of many tests, as `HalfCycle` has it; all of shape (members,)."""

    status: np.ndarray
    capacity: np.ndarray
    energy: np.ndarray
    mean_voltage: np.ndarray
    half_voltage: np.ndarray


def rows_of_many(
    test: Test,
    found: Found,
    currents: np.ndarray,
    places: Sequence[tuple[int, int | None]],
    mass: ArrayLike,
) -> list[list[dict[str, Any]]]:
    """The rows of ``RateTestResult.rows`` of many tests, with None in place of NaN.

    Parameters
    ----------
    test : Test
        What was run.
    found : Found
        What came of it; the rows of those that are to be run alone mean nothing.
    currents : numpy.ndarray
        Of the steps [A], shape (members, steps).
    places : sequence of tuple
        Numbers of the steps of each half-cycle: of its current, and of its hold if it has one.
    mass : array_like
        Active material of the cathode [kg], one or of shape (members,).
    """
    blocks, per_rate = [], 2 * test.cycles
    for n, rate in enumerate(test.rates):
        last = per_rate * (n + 1)
        charge, discharge = (
            _half_cycles(found, currents, *places[p]) for p in (last - 2, last - 1)
        )
        ok = charge.status == str(Status.OK)
        columns = {
            "C-rate": np.full(len(ok), rate),
            "Charge capacity [mA.h.g-1]": charge.capacity / mass,
            "Discharge capacity [mA.h.g-1]": discharge.capacity / mass,
            "Polarization [V]": charge.half_voltage - discharge.half_voltage,
            "Mean charge voltage [V]": charge.mean_voltage,
            "Mean discharge voltage [V]": discharge.mean_voltage,
            "Energy efficiency": _ratio(discharge.energy, charge.energy),
            "Coulombic efficiency": _ratio(discharge.capacity, charge.capacity),
            "Status": np.where(ok, discharge.status, charge.status),
        }
        values = zip(*(_listed(columns[name]) for name in TABLE_COLUMNS), strict=True)
        blocks.append([dict(zip(TABLE_COLUMNS, row, strict=True)) for row in values])
    return [list(rows) for rows in zip(*blocks, strict=True)]


def _half_cycles(found: Found, currents: np.ndarray, number: int, hold: int | None) -> _HalfCycles:
    at_start, charge = found.at_start[:, number], found.charge[:, number]
    status = np.where(found.anode_empty[:, number], str(Status.ANODE_EMPTY), str(Status.OK))
    status = np.where(at_start, str(Status.AT_START), status)
    held, more = np.zeros(len(at_start)), np.zeros(len(at_start))
    if hold is not None:
        held = np.where(found.at_start[:, hold], 0.0, abs(found.charge[:, hold]))
        more = np.where(found.at_start[:, hold], 0.0, abs(found.energy[:, hold]))
    duration = np.where(at_start, 0.0, found.duration[:, number])
    energy = np.where(at_start, 0.0, abs(found.energy[:, number]))
    return _HalfCycles(
        status,
        abs(currents[:, number]) * duration / 3600 + held,
        energy + more,
        _ratio(found.energy[:, number], charge),
        found.half_voltage[:, number],
    )


def _listed(column: np.ndarray) -> list[Any]:
    """As Python has it, None for what is no number."""
    values: list[Any] = column.tolist()
    return [None if x != x else x for x in values] if (column != column).any() else values


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """NaN where nothing is divided by."""
    nothing = denominator == 0
    return np.where(nothing, np.nan, numerator / np.where(nothing, 1.0, denominator))
