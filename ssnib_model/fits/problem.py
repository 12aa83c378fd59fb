"""Residuals of data for trial values of the free parameters, and their derivatives."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pybamm

from ssnib_model.cell.many import of_allowed
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import NoDerivativesError, OptionError, ParameterError
from ssnib_model.fits.data import Data, Prepared
from ssnib_model.fits.free import Bounded, Free
from ssnib_model.fits.population import Population, populations_of
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.nearby import Side
from ssnib_model.solvers.choice import (
    AUTO,
    FOR_DIFFERENCES,
    FOR_FITS,
    IDAKLU,
    Choice,
    Named,
    Solver,
    decide,
    named,
)
from ssnib_model.solvers.structured import StructuredSolver

#: Step of the central differences, as a part of a parameter's range: large against the noise
#: of a capacity at the solver's tolerance, small against its curvature.
STEP = 1e-3

#: Least residual in place of a value that a trial point does not have (a failed or impossible
#: run).
NO_ANSWER = 100.0

#: Where the solver differentiates, how far on either side what it depends on is looked at: a
#: change in closed forms, with no noise.
SMALL = 1e-6


@dataclass(frozen=True)
class Answer:
    """What all data would be at a trial point.

    Attributes
    ----------
    values : numpy.ndarray
        Shape (n,), NaN where there is no answer.
    reasons : tuple of str
        Why a value could not be simulated, "" where it was; also where the value is known
        without: nothing is charged in a half-cycle that starts beyond its cut-off.
    """

    values: np.ndarray
    reasons: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether anything was simulated."""
        return "" in self.reasons


class Along(NamedTuple):
    """What an experiment gives on both sides of a point, along a free parameter."""

    column: int
    side: Side
    width: float  #: how far apart the two sides are, on the unit scale
    ahead: Any
    behind: Any


class FitProblem:
    """Residuals of data for values of the free parameters on their unit scale.

    It holds the prepared models; the data are copied, and nothing is written to them.

    Parameters
    ----------
    parameters : ParameterSet
        The cell.
    data : iterable of Data
        With different names.
    free : iterable of Free
        With different labels.
    model : str
        "dfn" or "spm".
    solver : optional
        As for `ssnib_model.fits.search.fit`.

    Raises
    ------
    OptionError
        For anything of this that is not allowed.
    ParameterError
        For a temperature of the data that is not allowed.
    """

    def __init__(
        self,
        parameters: ParameterSet,
        data: Iterable[Data],
        free: Iterable[Free],
        model: str,
        solver: Solver = AUTO,
    ):
        self.parameters, self.model = parameters, model
        # what is changed later is not that of this problem
        self.data = [copy.deepcopy(d) for d in data]
        cells = self.cells
        self.free: list[Bounded] = [
            one for f in free for one in f.completed(parameters).for_each(cells)
        ]
        self._check()
        #: Of the parameters that have a value for each cell.
        self.populations: list[Population] = populations_of(self.free)
        #: Of the solver, once for all processes and those who go on later; of rate tests only.
        self.choice: Choice | None = None
        if any(d.takes_solver for d in self.data):
            made, values = MODELS[model](parameters.model_options), parameters.to_pybamm()
            self.choice = decide(named(solver, FOR_FITS), made, values)
        #: Whether the tolerance is that of fits, none that was asked for.
        self.is_as_usual = solver is None or isinstance(solver, str)
        self.solver: Solver = self.choice.again if self.choice else named(solver)
        self.solves = 0
        self._prepared: dict[Hashable, Prepared] = {}
        self._finer: FitProblem | None = None

    def __getstate__(self) -> dict:
        # another process builds its own models
        return self.__dict__ | {"_prepared": {}, "_finer": None}

    @property
    def _for_differences(self) -> FitProblem:
        """Itself with a solver that is exact enough for differences."""
        asked = self.solver
        if not (self.is_as_usual and isinstance(asked, Named)):
            return self
        if self._finer is None:
            self._finer = copy.copy(self)
            self._finer.solver = replace(asked, structured=FOR_DIFFERENCES.structured)
            self._finer.is_as_usual, self._finer._prepared = False, {}
        return self._finer

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
            if f.data is not None and not set(f.names) <= set(names):
                raise OptionError(f'"{f.label}": no data set has this name, only {names}')
            concerned = [d for d in self.data if f.applies_to(d.name)]
            if all(f.name in d.ignores() for d in concerned):
                raise OptionError(
                    f'"{f.label}" is free, but the measurements set it themselves: '
                    f"{[d.name for d in concerned]}"
                )
        for d in self.data:
            self.parameters.replace(d.changes())

    @property
    def cells(self) -> dict[str, list[str]]:
        """Names of the data sets of each cell."""
        found: dict[str, list[str]] = {}
        for d in self.data:
            found.setdefault(d.cell or d.name, []).append(d.name)
        return found

    def start(self) -> np.ndarray:
        """The values of the set, moved inside the bounds; shape (k,)."""
        values = [f.to_unit(min(max(self.parameters[f.name], f.low), f.high)) for f in self.free]
        return np.clip(values, 0.02, 0.98)

    def values(self, unit: Sequence[float] | np.ndarray) -> dict[str, float]:
        """Value by label."""
        return {f.label: f.from_unit(u) for f, u in zip(self.free, unit, strict=True)}

    def parameters_for(
        self, unit: Sequence[float] | np.ndarray, data_name: str | None
    ) -> ParameterSet:
        """The set with the trial values that hold for one data set (or for none by name).

        Raises
        ------
        OptionError
            For none by name, if each cell has its own values.
        """
        if data_name is None and self.populations:
            raise OptionError(
                f"{[p.name for p in self.populations]} have a value for each cell: data must be "
                f"the name of a data set of the cell that is meant, one of "
                f"{[d.name for d in self.data]}"
            )
        return self.parameters.replace(self._trial(unit, data_name))

    def _trial(self, unit: Sequence[float] | np.ndarray, data_name: str | None) -> dict:
        return {
            f.name: f.from_unit(u)
            for f, u in zip(self.free, unit, strict=True)
            if f.applies_to(data_name)
        }

    def varying(self, data_name: str | None) -> list[str]:
        """Names of what is free for one data set (or for none by name)."""
        return sorted(f.name for f in self.free if f.applies_to(data_name))

    def prepare(self) -> None:
        """Build the models, which the first simulation does otherwise."""
        for d in self.data:
            self._prepared_of(d, self._parameters_of(d, self.start()))

    def _parameters_of(self, d: Data, unit: Sequence[float] | np.ndarray) -> ParameterSet:
        return self.parameters.replace(self._trial(unit, d.name) | d.changes())

    def _prepared_of(self, d: Data, parameters: ParameterSet) -> Prepared:
        """The prepared experiment of a data set, shared by all that are the same."""
        varying = self.varying(d.name)
        key = (d.experiment, d.temperature, tuple(varying))
        if key not in self._prepared:
            self._prepared[key] = d.prepare(self.model, parameters, varying, self.solver)
        return self._prepared[key]

    def answer(self, unit: Sequence[float] | np.ndarray) -> Answer:
        """All data as simulated at a point; those of one experiment and values from one solve."""
        self.solves += 1
        return self._answer(unit, self.data)

    def answers(self, units: np.ndarray) -> list[Answer]:
        """As `answer`, at points (n, k), to the last bit; quicker where they go together."""
        self.solves += len(units)
        solved: dict[Hashable, list[tuple[Any, Any, str]]] = {}
        for d in self.data:
            key = self._key(d)
            if key not in solved:
                solved[key] = self._solve_many(d, units)
        return [
            self._read({key: found[n] for key, found in solved.items()}, self.data)
            for n in range(len(units))
        ]

    def _solve_many(self, d: Data, units: np.ndarray) -> list[tuple[Any, Any, str]]:
        """As `outcome`, at many points."""
        found: list[Any] = [None] * len(units)
        if len(units) > 1:
            for place, one in self._together(d, units):
                found[place] = one
        return [self.outcome(d, units[n]) if one is None else one for n, one in enumerate(found)]

    def _together(self, d: Data, units: np.ndarray) -> Iterator[tuple[int, tuple[Any, Any, str]]]:
        """What one call gives of many points, each with its place."""
        try:
            example = self._parameters_of(d, units[0])
        except ParameterError:
            return
        prepared = self._prepared_of(d, example)
        own = [(f, column) for f, column in zip(self.free, units.T, strict=True)
               if f.applies_to(d.name)]  # fmt: skip
        if prepared.many is None or not own:
            return
        changes = {f.name: np.array([f.from_unit(u) for u in column]) for f, column in own}
        together = self.parameters.replace(d.changes()).replace_many(changes)
        if together is None:
            return
        values, places = of_allowed(*together)
        differ = {n: v.tolist() for n, v in values.items() if isinstance(v, np.ndarray)}
        for m, outcome in enumerate(prepared.many(values, len(places))):
            if outcome is not None:
                yield places[m], (outcome, values | {n: v[m] for n, v in differ.items()}, "")

    def _key(self, d: Data) -> Hashable:
        """Equal for data that one solve serves."""
        own = frozenset(f.label for f in self.free if d.name in f.names)
        return d.experiment, d.temperature, own

    def _answer(self, unit: Sequence[float] | np.ndarray, data: Sequence[Data]) -> Answer:
        """As `answer`, of some data."""
        solved: dict[Hashable, tuple[Any, Any, str]] = {}
        for d in data:
            key = self._key(d)
            if key not in solved:
                solved[key] = self.outcome(d, unit)
        return self._read(solved, data)

    def _read(
        self, solved: Mapping[Hashable, tuple[Any, Any, str]], data: Sequence[Data]
    ) -> Answer:
        """Values of data off what their experiments gave."""
        values, reasons = [np.array([])], []
        for d in data:
            outcome, parameters, why = solved[self._key(d)]
            n = len(d.measured)
            found = np.full(n, np.nan) if why else np.asarray(d.read(outcome, parameters), float)
            said = [why] * n if why else d.reasons(outcome)
            values.append(found)
            reasons += [
                s or ("" if np.isfinite(v) else "there is no value")
                for s, v in zip(said, found, strict=True)
            ]
        return Answer(np.concatenate(values), tuple(reasons))

    def outcome(self, d: Data, unit: Sequence[float] | np.ndarray) -> tuple[Any, Any, str]:
        """What the experiment of a data set gave, as `Data.read` reads it, and its parameters; or
        why it cannot be simulated."""
        try:
            parameters = self._parameters_of(d, unit)
        except ParameterError as error:
            return None, None, "; ".join(error.problems)
        prepared = self._prepared_of(d, parameters)
        try:
            return prepared.run(parameters), parameters, ""
        except pybamm.SolverError as error:
            return None, None, str(error).splitlines()[0]

    def simulate(self, unit: Sequence[float] | np.ndarray) -> np.ndarray:
        """All simulated values, one after the other; NaN where there is no answer."""
        return self.answer(unit).values

    @property
    def measured(self) -> np.ndarray:
        """All measured values, shape (n,)."""
        return np.concatenate([d.measured for d in self.data])

    @property
    def sigma(self) -> np.ndarray:
        """Their standard deviations, shape (n,)."""
        return np.concatenate([d.sigma for d in self.data])

    def scaled(self, answer: Answer) -> np.ndarray:
        """Residuals of the data in their standard deviations; NaN where there is no answer."""
        return (answer.values - self.measured) / self.sigma

    def priors(self, unit: Sequence[float] | np.ndarray) -> np.ndarray:
        """Residuals of the priors, one for each."""
        pairs = zip(self.free, unit, strict=True)
        return np.array([f.prior_residual(float(u)) for f, u in pairs if f.prior], dtype=float)

    def residuals_of(self, answer: Answer, unit: Sequence[float] | np.ndarray) -> np.ndarray:
        """Data residuals, then one for each prior; always finite."""
        # a wall, not a hole: a point without an answer is worse than one that answers with 0
        wall = np.maximum(NO_ANSWER, np.abs(self.measured) / self.sigma)
        scaled = self.scaled(answer)
        return np.append(np.where(np.isfinite(scaled), scaled, wall), self.priors(unit))

    def residuals(self, unit: Sequence[float] | np.ndarray) -> np.ndarray:
        """As `residuals_of`, simulated."""
        return self.residuals_of(self.answer(unit), unit)

    def jacobian(
        self, unit: Sequence[float] | np.ndarray, columns: Iterable[int] | None = None
    ) -> np.ndarray:
        """d(residuals)/d(unit), exact where the solver differentiates, else by differences.

        Both see the shift of every cut-off and what it does to the state that later steps start
        from. The exact derivatives are those of the structured solver's own numbers. Spectra,
        runs by IDAKLU and parameters of an equilibrium potential have central differences,
        one-sided at a bound; where one side has no answer the other one counts, and where
        neither has the value says nothing: 0.

        Parameters
        ----------
        unit : array_like
            Shape (k,).
        columns : iterable of int, optional
            Which parameters; default: all.

        Returns
        -------
        numpy.ndarray
            One row a residual, one column a parameter.
        """
        at = np.array(unit, float)
        chosen = list(range(at.size)) if columns is None else list(columns)
        exact = self._exact(at, chosen)
        # parameters that lack the same data go together
        lacking: dict[tuple[str, ...], list[int]] = {}
        for k in chosen:
            names = tuple(d.name for d in self.data if k not in exact.get(d.name, {}))
            lacking.setdefault(names, []).append(k)
        columns_of: dict[int, np.ndarray] = {}
        for names, ks in lacking.items():
            by_differences = self._differences(at, ks, [d for d in self.data if d.name in names])
            for k, column in zip(ks, by_differences.T, strict=True):
                parts, row = [], 0
                for d in self.data:
                    if d.name in names:
                        parts.append(column[row : row + len(d.measured)])
                        row += len(d.measured)
                    else:
                        parts.append(exact[d.name][k] / d.sigma)
                columns_of[k] = np.concatenate([*parts, column[row:]])
        return np.column_stack([columns_of[k] for k in chosen])

    def _exact(self, unit: np.ndarray, columns: Sequence[int]) -> dict[str, dict[int, np.ndarray]]:
        """Derivatives of the values of data, by their name and the number of the parameter, where
        the solver gives them."""
        found: dict[str, dict[int, np.ndarray]] = {}
        solved: dict[Hashable, tuple[ParameterSet, Any, list[Along]] | None] = {}
        for d in self.data:
            key = self._key(d)
            if key not in solved:
                solved[key] = self._nearby(d, unit, columns)
            nearby = solved[key]
            if nearby is None:
                continue
            try:
                slopes = self._slopes(d, *nearby)
            except NoDerivativesError:  # of data that read more than voltages and currents
                continue
            nothing = np.zeros(len(d.measured))
            others = {k: nothing for k in columns if not self.free[k].applies_to(d.name)}
            # a value that is not there says nothing, as with differences
            found[d.name] = others | {
                k: np.where(np.isfinite(slope), slope, 0.0) for k, slope in slopes.items()
            }
        return found

    def _slopes(
        self, d: Data, parameters: ParameterSet, outcome: Any, along: Sequence[Along]
    ) -> dict[int, np.ndarray]:
        """Derivatives of the values of a data set, by the number of the parameter."""
        found = {}
        for a in along:
            # the outcome moves, and so does what it is read with
            of_outcome = d.read(a.ahead, parameters) - d.read(a.behind, parameters)
            of_reading = d.read(outcome, a.side.ahead) - d.read(outcome, a.side.behind)
            found[a.column] = (of_outcome / (2 * a.side.share) + of_reading) / a.width
        return found

    def _nearby(
        self, d: Data, unit: np.ndarray, columns: Sequence[int]
    ) -> tuple[ParameterSet, Any, list[Along]] | None:
        """What the experiment of a data set gives on both sides of a point, along the parameters
        that it is differentiated by; None: by none."""
        sides = []
        try:
            parameters = self._parameters_of(d, unit)
            prepared = self._prepared_of(d, parameters)
            if prepared.nearby is None:
                return None
            for k in (k for k in columns if self.free[k].applies_to(d.name)):
                up, down = unit.copy(), unit.copy()
                up[k], down[k] = min(unit[k] + SMALL, 1.0), max(unit[k] - SMALL, 0.0)
                width = float(up[k] - down[k])
                side = Side(
                    self._parameters_of(d, up), self._parameters_of(d, down), SMALL / width
                )
                sides.append((k, side, width))
            if not sides:  # nothing that is free concerns these data
                return parameters, None, []
            outcome, moved = prepared.nearby(parameters, [side for _, side, _ in sides])
        except (NoDerivativesError, ParameterError, pybamm.SolverError):
            return None  # differences say what there is to say
        return (
            parameters,
            outcome,
            [
                Along(k, side, width, *pair)
                for (k, side, width), pair in zip(sides, moved, strict=True)
                if pair is not None
            ],
        )

    def _differences(
        self, unit: np.ndarray, columns: Sequence[int], data: Sequence[Data]
    ) -> np.ndarray:
        """Derivatives of the residuals of some data, and of the priors, by differences."""
        problem = self._for_differences if any(d.takes_solver for d in data) else self
        centre: np.ndarray | None = None
        measured = np.concatenate([[], *(d.measured for d in data)])
        sigma = np.concatenate([[], *(d.sigma for d in data)])

        def raw(at: np.ndarray) -> np.ndarray:
            values = problem._answer(at, data).values
            return np.append((values - measured) / sigma, self.priors(at))

        found = []
        for k in columns:
            up, down = unit.copy(), unit.copy()
            up[k], down[k] = min(unit[k] + STEP, 1.0), max(unit[k] - STEP, 0.0)
            above, below = raw(up), raw(down)
            column = (above - below) / (up[k] - down[k])
            if not np.isfinite(column).all():
                centre = raw(unit) if centre is None else centre
                sides = [
                    (side - centre) / (at[k] - unit[k])
                    for side, at in ((above, up), (below, down))
                    if at[k] != unit[k]
                ]
                for side in sides:
                    column = np.where(np.isfinite(column), column, side)
                column = np.where(np.isfinite(column), column, 0.0)
            found.append(column)
        return np.column_stack(found)

    def fingerprint(self) -> dict:
        """What a search depends on and a checkpoint must agree with, ready for JSON."""
        return {
            "parameters": _digest(self.parameters),
            "free": [
                [
                    *(f.label, f.low, f.high, f.log, f.prior and list(f.prior)),
                    *([list(f.names)] if f.each else []),
                ]
                for f in self.free
            ],
            "data": {d.name: d.describe() for d in self.data},
            "solver": _settings_of(self.choice),
        }


def _digest(parameters: ParameterSet) -> str:
    """SHA-256 of stack and values; a Python function is itself in this process only."""
    values = sorted((name, repr(value)) for name, value in parameters.items())
    options = sorted((name, repr(value)) for name, value in parameters.model_options.items())
    return hashlib.sha256(repr((options, parameters.catholyte, values)).encode()).hexdigest()


def _settings_of(choice: Choice | None) -> str:
    """A solver by its settings; None stands for IDAKLU as fits have it."""
    if choice is None or choice.name == IDAKLU:
        return repr(None)
    solver = choice.solver
    if isinstance(solver, StructuredSolver):
        return repr(solver)
    options = sorted((k, repr(v)) for k, v in (getattr(solver, "_options", None) or {}).items())
    return repr((type(solver).__name__, solver.rtol, solver.atol, options))
