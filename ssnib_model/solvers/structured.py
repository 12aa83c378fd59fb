"""Steps by a solver that uses the structure of the equations, an order of magnitude faster.

Mesh, extrapolations and coefficients are those of the PyBaMM model, which is the reference
it is tested against. It takes what it lists; everything else is refused by name.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pybamm

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.models.dfn import SolidStateDFN
from ssnib_model.models.losses import (
    HYSTERESIS,
    AnodeInterphase,
    AnodeReaction,
    CathodeInterphase,
    Film,
    Hysteresis,
    Interface,
    Layer,
)
from ssnib_model.models.spm import SolidStateSPM
from ssnib_model.solvers.coefficients import Coefficients
from ssnib_model.solvers.compiling import numba_problem
from ssnib_model.solvers.controlled import binding_ends
from ssnib_model.solvers.slow import SlowStates
from ssnib_model.solvers.solution import Solutions
from ssnib_model.solvers.state import CellState
from ssnib_model.solvers.stepper import ANODE_OCP, status_of
from ssnib_model.solvers.structured_segment import StructuredSegment, task_of
from ssnib_model.solvers.terminals import SAME, Imposed, imposed
from ssnib_model.solvers.vectors import from_values, to_values
from ssnib_model.steps import Control, End, Measure, Outcome, Profile, Status, Step

#: The models it has the equations of, and whether they are reduced. Not their subclasses.
MODELS = {SolidStateDFN: False, SolidStateSPM: True}

#: The options it has the equations of; None: any value. An option that is not here is refused.
ACCEPTED: dict[str, tuple[Any, ...] | None] = {
    "electrolyte layers": None,
    "negative electrode": ("alloy", "sodium metal"),
    "positive electrode": ("composite",),
    "composite transport": ("bruggeman", "tortuosity", "percolation", "carbon percolation"),
    "conductivity form": ("sigma", "sigma T"),
    "particle": ("Fickian diffusion",),
    "size classes": None,
    "open-circuit potential": ("single", HYSTERESIS),
    "thermal": ("isothermal",),
    "electronic leakage": ("none", "ohmic"),
    "negative electrode interphase": ("none", "parabolic"),
    "positive electrode interphase": ("none", "parabolic"),
    "accessible fraction": ("constant", "ageing"),
    "surface form": ("false",),
}

#: The losses it has.
LOSSES = (
    Interface, Layer, AnodeReaction, Hysteresis, Film, AnodeInterphase, CathodeInterphase,
)  # fmt: skip

#: What to do where it cannot.
INSTEAD = 'use solver="idaklu"'

TOLERANCES = (1e-12, 0.1)

NO_END = "no cut-off was reached with all the sodium moved"

DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"


@dataclass(frozen=True)
class StructuredSolver:
    """Solver of any test that uses the structure of the equations.

    To be given as ``solver`` to ``run`` or ``prepare`` of a `RateTest` or `Protocol`, with either
    model. It takes every step of a test: currents, holds, powers, resistances, rests, profiles.
    The ``solution`` of a result has all variables of the model, worked out when they are asked
    for. ``solver="auto"``, the default of all tests, takes it wherever it can.

    Parameters
    ----------
    rtol, atol : float, optional
        Tolerances of the states, which are of order 1.

    Raises
    ------
    SSNIBError
        If numba cannot be imported.
    OptionError
        On use, for a model option or a parameter it has no equations for.

    Examples
    --------
    >>> import ssnib_model as ss
    >>> result = ss.RateTest([0.2, 1]).run(solver=ss.StructuredSolver())
    >>> result.table["Status"].tolist()
    ['ok', 'ok']
    >>> test = ss.Protocol(["Charge at C/5 for 1 hour", "Hold at 3.5 V for 10 minutes"])
    >>> test.run(ss.SolidStateSPM(), solver=ss.StructuredSolver(1e-6)).table["Status"].tolist()
    ['ok', 'ok']
    """

    rtol: float = 1e-5
    atol: float = 1e-7

    def __post_init__(self) -> None:
        check_tolerances(self.rtol, self.atol)
        if problem := numba_problem():
            raise SSNIBError(f"the structured solver needs numba: {problem}")

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> StructuredSolver:
        """The solver that ``dataclasses.asdict`` made ``document`` of; checked, it may be bad."""
        if set(document) != {"rtol", "atol"}:
            raise OptionError(f"solver has {sorted(document)}: rtol and atol are needed")
        return cls(**document)


def check_tolerances(rtol: Any, atol: Any) -> None:
    """`OptionError` for tolerances that are none."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not (number and TOLERANCES[0] <= value <= TOLERANCES[1]):
            raise OptionError(
                f"{name} is {value!r}: a tolerance must be a number from {TOLERANCES[0]:g} "
                f"to {TOLERANCES[1]:g}"
            )


class State(NamedTuple):
    """The cell at the end of a step."""

    modes: np.ndarray  #: amplitudes of the modes of every site, shape (sites, shells)
    hysteresis: np.ndarray  #: shape (sites,)
    sodium: float  #: content of the alloy [mol Na per mol Sn]
    passed: tuple[float, float] = (0.0, 0.0)  #: charge [A.h] and energy [W.h] since the start
    slow: Mapping[str, float] = MappingProxyType({})  #: what ages, by name


class Structured:
    """Steps of either model by a `StructuredSolver`.

    Parameters
    ----------
    model : SolidStateDFN or SolidStateSPM
        As the package makes it.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs; the diffusivity a number.
    solver : StructuredSolver
        The tolerances.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``; default: those of the model.

    Raises
    ------
    OptionError
        For a model, an option or a parameter it has no equations for.
    """

    def __init__(
        self,
        model: pybamm.BaseModel,
        values: pybamm.ParameterValues,
        solver: StructuredSolver,
        var_pts: dict[Any, int] | None = None,
    ):
        if lacking := what_it_lacks(model, values, var_pts):
            raise OptionError(f"{lacking}: {INSTEAD}")
        self._solver, self._model = solver, model
        self._points, self._shells = _points(model, var_pts)
        self.coefficients = Coefficients(model, values, self._shells, self._points)
        self._slow = SlowStates(model, values, self.coefficients, solver.rtol)
        self._solutions = Solutions(model, values, var_pts)

    @property
    def is_plain(self) -> bool:
        """Whether the kernel has all of the cell: many at once, and exact derivatives."""
        return self._model.options["electronic leakage"] == "none" and not self._slow.names

    @property
    def tolerances(self) -> tuple[float, float]:
        """rtol and atol."""
        return self._solver.rtol, self._solver.atol

    def start(self, inputs: Mapping[str, float], initial: CellState | None = None) -> State:
        """The same composition in every particle, or a state that a solver handed over."""
        slow = self._slow.start()
        fresh = State(*self.coefficients.start({**inputs, **slow}), slow=slow)
        if initial is None:
            return fresh
        sizes = {name: v.size for name, v in self._values(fresh).items()}
        initial.check(self._model, sizes)
        modes, hysteresis, sodium = from_values(self._model.options, initial.values, self._shells)
        slow = {name: float(initial.values[name].item()) for name in slow}
        shape = fresh.modes.shape
        return State(modes.reshape(shape), hysteresis.ravel(), float(sodium), slow=slow)

    def cell_state(self, state: State) -> CellState:
        """As `Stepper.cell_state`."""
        return CellState(self._model.name, self._model.options, self._values(state))

    def _values(self, state: State) -> dict[str, np.ndarray]:
        """The differential states of the model by name."""
        modes = state.modes.reshape(self._points, -1, self._shells)
        hysteresis = state.hysteresis.reshape(modes.shape[:-1])
        values = to_values(self._model.options, modes, hysteresis, state.sodium)
        return values | {name: np.array([value]) for name, value in state.slow.items()}

    def step(self, state: State, step: Step, inputs: Mapping[str, float]) -> tuple[Outcome, State]:
        """As `Stepper.step`."""
        if not self._slow.names:
            return self.piece(state, step, inputs)
        try:
            return self._slow.take(self, state, step, inputs)
        except OptionError as error:
            return Outcome(Status.FAILED, reason=str(error), gave_up=True), state

    def piece(
        self, state: State, step: Step, inputs: Mapping[str, float]
    ) -> tuple[Outcome, State]:
        """A step through which nothing ages; ``inputs`` has what does, by its name too.

        The segment is a `StructuredSegment`, and what ages is in the state as it was.
        """
        from ssnib_model.solvers.kernel import cell as numbers
        from ssnib_model.solvers.kernel import integrate
        from ssnib_model.solvers.kernel.one_step import PARTS

        try:
            cell, scales = self.coefficients.cell(inputs)
        except OptionError as error:
            return Outcome(Status.FAILED, reason=str(error), gave_up=True), state
        asked = Imposed(task_of(step, scales.area), SAME)
        if scales.leakage:
            asked = imposed(step, asked.task, scales.area, scales.leakage)
        if asked.refusal:
            return Outcome(Status.FAILED, reason=asked.refusal, gave_up=True), state
        if asked.reached is not None:
            return Outcome(Status.AT_START, end=asked.reached), state
        task = asked.task
        place = (state.sodium - scales.taken) / scales.alloy_range
        start = numbers.State(state.modes, state.hysteresis, np.array([place]))
        end = numbers.State(*(array.copy() for array in start))
        outcome, which, *samples, renewed = integrate.integrate(
            cell, end, task, self._solver.rtol, self._solver.atol
        )
        reached = step.ends[which] if which >= 0 else None
        if outcome == integrate.AT_START:
            return Outcome(Status.AT_START, end=reached), state
        if outcome == integrate.NO_CURRENT:
            reached = self._beyond_all_power(state, step, inputs)
            if reached is not None:
                return Outcome(Status.AT_START, end=reached), state
        reason = integrate.REASONS.get(outcome, "")
        if outcome == integrate.TIME_OVER:
            reached = asked.timed
        if outcome == integrate.TIME_OVER and step.open_ended and reached is None:
            reason = NO_END
        if reason:
            gave_up = outcome in integrate.GIVEN_UP
            return Outcome(Status.FAILED, reason=reason, gave_up=gave_up), state
        while samples[0].size > 2 and samples[0][-1] == samples[0][-2]:
            # the end was where the step before arrived
            samples = [samples[0][:-1], *(array[:-PARTS] for array in samples[1:])]
        solution = functools.partial(
            self._solutions.of, step=step, end=reached, inputs=inputs, passed=state.passed
        )
        segment = StructuredSegment(
            cell, scales, task, start, samples, renewed, solution, asked.terminals
        )
        sodium = float(end.alloy[0]) * scales.alloy_range + scales.taken
        charge, energy = state.passed
        passed = charge + segment.charge, energy + segment.energy
        after = State(end.modes, end.hysteresis, sodium, passed, state.slow)
        return Outcome(status_of(*segment.anode()), segment, reached), after

    def _beyond_all_power(
        self, state: State, step: Step, inputs: Mapping[str, float]
    ) -> End | None:
        """The lower end by voltage of a power that the cell has not at any voltage down to it."""
        end = binding_ends(step).get((Measure.VOLTAGE, False))
        if step.control is not Control.POWER or end is None or isinstance(step.value, Profile):
            return None
        hold, _ = self.piece(state, Step(Control.VOLTAGE, end.value, 1e-3), inputs)
        if hold.segment is None:
            return None
        most = float(hold.segment.current(0.0) * hold.segment.voltage(0.0))
        return end if most < step.value else None


def what_it_lacks(
    model: pybamm.BaseModel,
    values: pybamm.ParameterValues,
    var_pts: Mapping[Any, int] | None = None,
) -> str:
    """Why the structured solver cannot do what is asked, one sentence; "" where it can.

    Parameters
    ----------
    model, values, var_pts
        As for `Structured`.
    """
    if type(model) not in MODELS:
        known = " and ".join(m.__name__ for m in MODELS)
        return (
            f"the structured solver has the equations of {known} only, not those of "
            f"{type(model).__name__}"
        )
    for option, value in model.options.items():
        accepted = ACCEPTED.get(option, ())
        if accepted is not None and value not in accepted:
            words = " or ".join(repr(v) for v in accepted) or "no such option"
            return f'the structured solver has "{option}" = {words} only, not {value!r}'
    for loss in (*model.series_losses(), *model.local_losses()):
        if type(loss) not in LOSSES:
            return f'the structured solver has not the loss "{loss.name}"'
    if _equations(model) != _equations(type(model)(model.options)):
        return (
            "the structured solver has the equations of the model as it is made, and some of "
            "these were changed"
        )
    if callable(values[DIFFUSIVITY]):
        return f'the structured solver has a constant "{DIFFUSIVITY}" only, not a function'
    nx, nr = _points(model, var_pts)
    if nr < 3 or (nx < 2 and not MODELS[type(model)]):
        return (
            f"the structured solver needs at least 3 shells and 2 points, and var_pts is {var_pts}"
        )
    return ""


def _points(model: pybamm.BaseModel, var_pts: Mapping[Any, int] | None) -> tuple[int, int]:
    """Points over the composite and shells of a particle."""
    points = {str(k): n for k, n in {**model.default_var_pts, **(var_pts or {})}.items()}
    return 1 if MODELS[type(model)] else points["x_p"], points["r_p"]


def _equations(model: pybamm.BaseModel) -> list[dict[Any, Any]]:
    """What a model solves, to compare."""
    found = []
    for equations in (model.rhs, model.algebraic, model.initial_conditions):
        found.append({variable.name: equation.id for variable, equation in equations.items()})
    found.append(
        {
            variable.id: {side: (value.id, kind) for side, (value, kind) in sides.items()}
            for variable, sides in model.boundary_conditions.items()
        }
    )
    found.append({name: model.variables[name].id for name in ("Voltage [V]", ANODE_OCP)})
    found.append({event.name: event.expression.id for event in model.events})
    return found
