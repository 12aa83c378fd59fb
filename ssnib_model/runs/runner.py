"""One point of a design to its rows."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.many import of_allowed
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import SSNIBError
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.prepared import PreparedRateTest
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.rate_test import TABLE_COLUMNS
from ssnib_model.runs.designs import MATERIAL, reason_of, with_materials
from ssnib_model.solvers.choice import STRUCTURED, Choice, Named, Solver, decide
from ssnib_model.solvers.structured import StructuredSolver


class Runner:
    """One point of the design to the rows of its rate test; the model is built once."""

    def __init__(
        self,
        parameters: ParameterSet,
        run: RateTest,
        model: str,
        solver: Solver,
        design: pd.DataFrame,
    ):
        self.parameters, self.run, self.model, self.solver = parameters, run, model, solver
        # the names alone go to other processes: a long design would keep them waiting
        self._varying = list(map(str, design))
        self._materials = [name for name in self._varying if name.endswith(MATERIAL)]
        self._numbers = _instead_of_functions(parameters, design)
        self._prepared: PreparedRateTest | None = None
        self._one_by_one = threading.Lock()  # a prepared model serves one run at a time

    def __getstate__(self) -> dict[str, Any]:
        return {n: v for n, v in vars(self).items() if n != "_one_by_one"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _one_by_one=threading.Lock())

    @property
    def is_prepared(self) -> bool:
        """Whether the model is built."""
        return self._prepared is not None

    def choose(self) -> Choice:
        """Decide once, for all processes and those who go on later, by which solver."""
        model = MODELS[self.model](self.parameters.model_options)
        values = self.parameters.replace(self._numbers).to_pybamm()
        choice = decide(self.solver, model, values)
        self.solver = choice.again
        return choice

    def prepare(self) -> None:
        """Build the model, with all that follows from the parameters of the design as inputs."""
        model = MODELS[self.model](self.parameters.model_options)
        parameters = self.parameters.replace(self._numbers)
        self._prepared = self.run.prepare(
            model, parameters, varying=self._varying, solver=self.solver
        )

    def __call__(self, point: dict[str, float | str]) -> list[dict]:
        assert self._prepared is not None, "not prepared"
        try:
            parameters = self._changed(point)
        except SSNIBError as error:
            return self.failed(reason_of(error))
        rows = self._prepared.result(parameters).rows
        return [{name: None if v != v else v for name, v in row.items()} for row in rows]

    @property
    def takes_many(self) -> bool:
        """Whether many points are faster at once than one by one."""
        structured = isinstance(self.solver, StructuredSolver)
        named = isinstance(self.solver, Named) and self.solver.name == STRUCTURED
        return (structured or named) and not self._materials

    def many(self, points: Sequence[dict[str, float | str]]) -> list[list[dict]]:
        """The rows of many points, the same as one by one."""
        rows: list[list[dict] | None] = [None] * len(points)
        if len(points) > 1 and self.takes_many:
            rows = self._at_once(points)
        found = []
        for point, known in zip(points, rows, strict=True):
            if known is None:
                with self._one_by_one:
                    known = self(point)
            found.append(known)
        return found

    def _at_once(self, points: Sequence[dict[str, float | str]]) -> list[list[dict] | None]:
        """The rows of those that go together; None for the others."""
        assert self._prepared is not None, "not prepared"
        rows: list[list[dict] | None] = [None] * len(points)
        design = {n: np.array([p[n] for p in points], dtype=float) for n in self._varying}
        found = self.parameters.replace_many(design)
        if found is None:
            return rows
        values, at = of_allowed(*found)
        for place, own in zip(at, self._prepared.rows_of_many(values, len(at)), strict=True):
            rows[place] = own
        return rows

    def anode_notes(self, parameters: ParameterSet) -> list[str]:
        """What is wrong with the size of the anode of a cell of the design."""
        assert self._prepared is not None, "not prepared"
        return self._prepared.anode_notes(parameters)

    def notes(self, point: dict[str, float | str]) -> list[str]:
        """What a run of one point says of its validity."""
        assert self._prepared is not None, "not prepared"
        return self._prepared.result(self._changed(point)).notes

    def _changed(self, point: Mapping[str, Any]) -> ParameterSet:
        """The set at one point: materials first, then values."""
        if not self._materials:
            return self.parameters.replace(point)
        parameters = with_materials(self.parameters, point)
        values = {name: v for name, v in point.items() if name not in self._materials}
        return parameters.replace(values)

    def failed(self, reason: str) -> list[dict]:
        """A row a rate that says why there is no result."""
        nothing = dict.fromkeys(TABLE_COLUMNS)
        return [nothing | {"C-rate": r, "Status": f"failed: {reason}"} for r in self.run.rates]


def _instead_of_functions(parameters: ParameterSet, design: pd.DataFrame) -> dict[str, float]:
    """A number for each parameter of a design that is a function in the set."""
    found = {}
    for name in map(str, design):
        if name in parameters and not isinstance(parameters[name], float):
            quantity = parameters.quantity(name)
            allowed = design[name][design[name].between(quantity.low, quantity.high)]
            if len(allowed):
                found[name] = float(allowed.iloc[0])
    return found
