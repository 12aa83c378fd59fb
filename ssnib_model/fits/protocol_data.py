"""A measurement as data of a fit: each step compared with the same step of the model."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError
from ssnib_model.fits.data import (
    ALIKE,
    APART,
    CAPACITY,
    CHARGE_CAPACITY,
    MASS,
    SIGMA,
    SIGMA_VOLTAGE,
    TEMPERATURE,
    VOLTAGE,
    Data,
    Prepared,
    check_sigma,
    of_steps,
)
from ssnib_model.measured.points import POINTS, StepPoints, points_of
from ssnib_model.measured.protocol import Done, MeasuredProtocol
from ssnib_model.results.step import StepResult
from ssnib_model.solvers.choice import Solver
from ssnib_model.steps import Status


class ProtocolData(Data):
    """Voltages and capacities of a measurement, step by step, as it was done.

    The model does what was done to the cell: charges at their own rates, holds, rests, pulses, and
    steps that ended by time. Voltages are compared in time where the current was imposed, and at
    equal parts of the capacity, with the capacity itself, where a cut-off ended the step; of a
    hold it is the charge that passed.

    Parameters
    ----------
    curves : MeasuredProtocol, pandas.DataFrame, str or Path
        A measurement as from `read_curves`, its file, or what was found in it already.
    parameters : ParameterSet
        The cell.
    name : str, optional
        Name of the measurement; default: that of `MeasuredProtocol`.
    sigma : mapping, optional
        Standard deviations of "Voltage [V]", "Discharge capacity [mA.h.g-1]" and "Charge capacity
        [mA.h.g-1]"; default 5 mV, and as for `RateTestData`.
    points : int, optional
        Voltages of a step at most.
    **settings
        ``start``, ``cycles``, ``only``, ``mass``, ``area`` and ``temperature``, as for
        `MeasuredProtocol`.

    Attributes
    ----------
    measured_protocol : MeasuredProtocol
        What was done, and how that is known.

    Raises
    ------
    MeasuredDataError
        If nothing says what was done or from which state, nothing of it can be compared, or
        ``sigma`` is of something that was not measured.
    OptionError
        For a setting that is not allowed.

    Notes
    -----
    Where the model cannot take an imposed current to the end of its step, because its voltage
    leaves the range of the measurement by more than `MARGIN`, the voltages that are missing are
    the last one that it had.
    """

    def __init__(
        self,
        curves: MeasuredProtocol | pd.DataFrame | str | Path,
        parameters: ParameterSet,
        *,
        name: str | None = None,
        sigma: Mapping[str, float] | None = None,
        points: int = POINTS,
        **settings: Any,
    ):
        if isinstance(curves, MeasuredProtocol):
            if settings:
                raise MeasuredDataError(
                    f"{', '.join(settings)}: a MeasuredProtocol has its own, which cannot be "
                    "changed here"
                )
            measured = curves
        else:
            measured = MeasuredProtocol(curves, parameters, name=name, **settings)
        self.measured_protocol = measured
        name = measured.name if name is None else name
        self._points = [points_of(measured, d, points) for d in measured.done if d.is_compared]
        mass, sigma = parameters[MASS], dict(sigma or {})
        rows: list[tuple[str, float, str]] = []
        for p in self._points:
            rows += _rows(p, mass)
        if not rows:
            raise MeasuredDataError(f"{name}: of no step there are enough rows to compare")
        check_sigma(name, sigma, sorted({quantity for *_, quantity in rows}))
        sigma = {VOLTAGE: SIGMA_VOLTAGE} | SIGMA | sigma
        super().__init__(
            name,
            [label for label, *_ in rows],
            [value for _, value, _ in rows],
            [sigma[quantity] for *_, quantity in rows],
            None,
        )
        self._quantities = [quantity for *_, quantity in rows]
        #: Places of the voltages among the values, and their times in the measurement [s].
        self.voltages = np.array([i for i, (*_, q) in enumerate(rows) if q == VOLTAGE], dtype=int)
        self.times = np.concatenate(
            [p.done.step.start + p.fractions * p.done.step.duration for p in self._points]
        )
        state = measured.protocol.initial_state_of_charge
        self.findings = (
            *measured.findings,
            f"starts at state of charge {state:.4g}: {measured.start}",
            measured.size,
        )

    @property
    def experiment(self) -> Hashable:
        """The protocol and the cut-offs that leave room for it."""
        measured = self.measured_protocol
        return "protocol", measured.protocol, tuple(measured.limits.items())

    @property
    def kinds(self) -> list[str]:
        """See `Data.kinds`."""
        return self._quantities

    def steps(self) -> list[tuple[np.ndarray, Done]]:
        """Where in each step that is compared its voltages are, as parts of its time."""
        return [(p.fractions, p.done) for p in self._points]

    @property
    def along(self) -> np.ndarray:
        """See `Data.along`: every step by itself."""
        found = []
        for number, p in enumerate(self._points):
            found.append(p.fractions / ALIKE + APART * number)
            if p.capacity is not None:
                found.append(np.array([np.nan]))
        return np.concatenate(found)

    def changes(self) -> dict[str, float]:
        """See `Data.changes`."""
        return self.measured_protocol.limits

    def ignores(self) -> set[str]:
        """See `Data.ignores`; the state at the start is part of the protocol."""
        own = {d.instruction.temperature for d in self.measured_protocol.done}
        return (
            super().ignores()
            | {"As-made state of charge"}
            | (set() if None in own else {TEMPERATURE})
        )

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return of_steps(self.measured_protocol.protocol, model, parameters, varying, solver)

    def read(self, outcome: list[StepResult], parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        found = []
        for p in self._points:
            result = outcome[p.done.number - 1]
            found.append(p.model_voltage(result))
            if p.capacity is not None:
                found.append(np.array([p.model_capacity(result) / parameters[MASS]]))
        return np.concatenate(found)

    def reasons(self, outcome: list[StepResult]) -> list[str]:
        """See `Data.reasons`."""
        found = []
        for p in self._points:
            count = len(p.fractions) + (p.capacity is not None)
            found += [_why(outcome[p.done.number - 1])] * count
        return found

    def describe(self) -> dict:
        """See `Data.describe`."""
        measured = self.measured_protocol
        return super().describe() | {
            "experiment": "protocol",
            "protocol": measured.protocol.to_dict(),
            "cut-offs": measured.limits,
            "start": measured.start,
            "size": measured.size,
            "at": [p.fractions.tolist() for p in self._points],
            "steps": [p.done.number for p in self._points],
        }


def quantities_of(measured: MeasuredProtocol, points: int = POINTS) -> set[str]:
    """What there is to compare of a measurement, by the names that standard deviations have."""
    compared = (points_of(measured, d, points) for d in measured.done if d.is_compared)
    return {quantity for p in compared for *_, quantity in _rows(p, 1.0)}


def _rows(p: StepPoints, mass: float) -> list[tuple[str, float, str]]:
    """Label, measured value and quantity of all that is compared of a step."""
    number, kind = p.done.number, p.done.step.kind
    rows = [
        (f"Voltage [V] at {f:.3%} of step {number} ({kind})", float(v), VOLTAGE)
        for f, v in zip(p.fractions, p.voltage, strict=True)
    ]
    if p.capacity is not None:
        quantity = CAPACITY if p.done.step.charge > 0 else CHARGE_CAPACITY
        rows.append((f"{quantity} of step {number} ({kind})", p.capacity / mass, quantity))
    return rows


def _why(result: StepResult) -> str:
    """Why there is nothing to read off a step; "" if there is."""
    if result.segment is not None:
        return ""
    outcome = result.outcome
    more = outcome.reason if outcome.reason and outcome.status is not Status.FAILED else ""
    called = f"step {result.number}, {result.planned.text!r}: {result.ending}"
    return f"{called} ({more})" if more else called
