"""Residuals of data for trial values of the free parameters, and their derivatives."""

from __future__ import annotations

import numpy as np

from ssnib_model.errors import OptionError
from ssnib_model.models.names import MODELS
from ssnib_model.parameters import ParameterSet

#: Step of the central differences, as a part of a parameter's range: large against the noise
#: of a capacity at the solver's tolerance, small against its curvature.
STEP = 1e-3

#: Residual in place of a value that a trial point does not have (a failed or impossible run).
NO_ANSWER = 100.0


class FitProblem:
    """Residuals of data for values of the free parameters on their unit scale."""

    def __init__(self, parameters: ParameterSet, data, free, model: str, solver=None):
        self.parameters, self.data, self.model = parameters, list(data), model
        self.solver = solver
        self.free = [f.completed(parameters) for f in free]
        self._check()
        self.solves = 0
        self._prepared_for = None

    def _check(self) -> None:
        if self.model not in MODELS:
            raise OptionError(f"model is {self.model!r}: it must be one of {sorted(MODELS)}")
        if not self.data or not self.free:
            raise OptionError("a fit needs at least one data set and one free parameter")
        names = [d.name for d in self.data]
        if len(set(names)) < len(names):
            raise OptionError(f"the data sets have the names {names}: they must differ")
        labels = [f.label for f in self.free]
        if len(set(labels)) < len(labels):
            raise OptionError(f"the free parameters are {labels}: they must differ")
        for f in self.free:
            if f.data is not None and f.data not in names:
                raise OptionError(f'"{f.label}": no data set has this name, only {names}')

    def start(self) -> np.ndarray:
        """The values of the set, moved inside the bounds."""
        values = [f.to_unit(min(max(self.parameters[f.name], f.low), f.high)) for f in self.free]
        return np.clip(values, 0.02, 0.98)

    def values(self, unit) -> dict[str, float]:
        """Value by label."""
        return {f.label: f.from_unit(u) for f, u in zip(self.free, unit, strict=True)}

    def parameters_for(self, unit, data_name: str | None) -> ParameterSet:
        """The set with the trial values that hold for one data set (or for none by name)."""
        changes = {}
        for f, u in zip(self.free, unit, strict=True):
            if f.data is None or f.data == data_name:
                changes[f.name] = f.from_unit(u)
        return self.parameters.replace(changes)

    def prepare(self) -> None:
        """Build the model once for each data set, with all that follows from the free ones."""
        if self._prepared_for == self.model:
            return
        shared: dict = {}
        sides = (np.full(len(self.free), 0.4), np.full(len(self.free), 0.6))
        for d in self.data:
            low, high = (self.parameters_for(unit, d.name) for unit in sides)
            values = low.to_pybamm()
            varying = [n for n in low if n in values and low[n] != high[n]]
            d.prepare(MODELS[self.model], low, varying, shared, self.solver)
        self._prepared_for = self.model

    def simulate(self, unit) -> np.ndarray:
        """All simulated values, one after the other; NaN where there is no answer."""
        self.prepare()
        self.solves += 1
        return np.concatenate([d.simulate(self.parameters_for(unit, d.name)) for d in self.data])

    @property
    def measured(self) -> np.ndarray:
        return np.concatenate([d.measured for d in self.data])

    @property
    def sigma(self) -> np.ndarray:
        return np.concatenate([d.sigma for d in self.data])

    def residuals(self, unit) -> np.ndarray:
        """Data residuals, then one for each prior; always finite."""
        residuals = (self.simulate(unit) - self.measured) / self.sigma
        priors = [
            (f._t(f.from_unit(u)) - f._t(f.prior[0])) / f.prior[1]
            for f, u in zip(self.free, unit, strict=True)
            if f.prior
        ]
        # a wall, not a hole: a point without an answer is worse than any with one
        return np.append(np.where(np.isfinite(residuals), residuals, NO_ANSWER), priors)

    def jacobian(self, unit) -> np.ndarray:
        """d(residuals)/d(unit) by central differences, one-sided at a bound.

        Differences see the shift of every cut-off and what it does to the state that later
        half-cycles start from, which forward sensitivities of a DAE do not.
        """
        columns = []
        for k in range(len(unit)):
            up, down = np.array(unit, float), np.array(unit, float)
            up[k], down[k] = min(unit[k] + STEP, 1.0), max(unit[k] - STEP, 0.0)
            columns.append((self.residuals(up) - self.residuals(down)) / (up[k] - down[k]))
        return np.column_stack(columns)

    def fingerprint(self) -> dict:
        """What a checkpoint must agree with."""
        return {
            "model": self.model,
            "free": [[f.label, f.low, f.high, f.log, f.prior] for f in self.free],
            "data": {d.name: [d.measured.tolist(), d.sigma.tolist()] for d in self.data},
        }
