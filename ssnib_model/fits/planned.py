"""A measurement that could be made, as data of a fit without measured values."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.fits.data import (
    CAPACITY,
    CHARGE_CAPACITY,
    MASS,
    VOLTAGE,
    Data,
    Prepared,
    of_steps,
)
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.step import StepResult
from ssnib_model.solvers.choice import Solver

#: Voltages of a step: as many as of a measured curve, fewer where there are many steps.
MOST, LEAST, ALTOGETHER = 25, 5, 250

#: Steps of a measurement that is planned.
MAX_STEPS = 2000


class PlannedData(Data):
    """Voltages along every step of a test, and the charge that each passes.

    The values that stand for measured ones are 0 and their standard deviations 1: the derivatives
    of the model's values do not depend on them.

    Parameters
    ----------
    name : str
        Name of the measurement.
    test : RateTest or Protocol
        What is done.
    parameters : ParameterSet
        The cell.

    Raises
    ------
    OptionError
        If the cell cannot do the test, or it has too many steps.
    """

    def __init__(self, name: str, test: RateTest | Protocol, parameters: ParameterSet):
        self.test = test
        steps = [planned.step for planned in test.schedule(parameters)]
        if len(steps) > MAX_STEPS:
            raise OptionError(
                f"{name}: has {len(steps)} steps: {MAX_STEPS} at most can be planned, of which "
                "a few say what all of them do"
            )
        points = int(np.clip(ALTOGETHER // len(steps), LEAST, MOST))
        even = np.linspace(0, 1, points)
        #: Fractions of each step at which its voltage is read; none where it is imposed.
        self._fractions: list[np.ndarray] = []
        self._kinds: list[str] = []
        self._passes: list[bool] = []
        labels: list[str] = []
        for number, step in enumerate(steps, start=1):
            kind = step.direction
            # after a switch the voltage changes most, and after that of a rest nothing else does
            fractions = 0.01 + 0.99 * even**2 if kind == "rest" else 0.02 + 0.96 * even
            fractions = np.empty(0) if kind == "hold" else fractions
            self._fractions.append(fractions)
            self._passes.append(kind not in ("rest", "profile"))
            where = f"of step {number} ({kind})"
            labels += [f"{VOLTAGE} at {f:.3%} {where}" for f in fractions]
            self._kinds += [VOLTAGE] * len(fractions)
            if self._passes[-1]:
                # a hold passes what the step before it did
                up = kind == "charge" or (kind == "hold" and self._kinds[-1:] != [CAPACITY])
                self._kinds.append(CHARGE_CAPACITY if up else CAPACITY)
                labels.append(f"{self._kinds[-1]} {where}")
        super().__init__(name, labels, np.zeros(len(labels)), 1.0, None)

    @property
    def experiment(self) -> Hashable:
        """The test by its values."""
        return "planned", repr(self.test.to_dict())

    @property
    def kinds(self) -> list[str]:
        """See `Data.kinds`."""
        return self._kinds

    def ignores(self) -> set[str]:
        """See `Data.ignores`."""
        starts = self.test.initial_state_of_charge is not None
        return super().ignores() | ({"As-made state of charge"} if starts else set())

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return of_steps(self.test, model, parameters, varying, solver)

    def read(self, outcome: list[StepResult], parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        found, mass = [], parameters[MASS]
        for result, fractions, passes in zip(outcome, self._fractions, self._passes, strict=True):
            segment = result.segment
            if segment is None:
                found.append(np.full(len(fractions) + passes, np.nan))
                continue
            if len(fractions):
                found.append(np.asarray(segment.voltage(fractions * segment.duration)))
            if passes:
                found.append(np.array([abs(segment.charge) / mass]))
        return np.concatenate(found)

    def reasons(self, outcome: list[StepResult]) -> list[str]:
        """See `Data.reasons`."""
        found = []
        for result, fractions, passes in zip(outcome, self._fractions, self._passes, strict=True):
            why = "" if result.segment is not None else f"step {result.number}: {result.ending}"
            found += [why] * (len(fractions) + passes)
        return found
