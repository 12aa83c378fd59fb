"""Steps by PyBaMM's IDAKLU, which has every model, option and variable; and what is tried where
it gives up."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.models.base import SOLVER_OPTIONS, SolidStateBaseModel
from ssnib_model.solvers.controlled import (
    CAPACITY_START,
    CURRENT_STATE,
    EMPTY,
    END_EVENTS,
    FULL,
    binding_ends,
    control_inputs,
    controlled,
    end_inputs,
    is_plain,
    pieces,
    watched,
)
from ssnib_model.solvers.idaklu_segment import IdakluSegment
from ssnib_model.solvers.numbers import Readings
from ssnib_model.solvers.preflight import CURRENT
from ssnib_model.solvers.state import CellState, StateVector
from ssnib_model.solvers.stepper import ANODE_OCP, status_of
from ssnib_model.steps import Control, End, Measure, Outcome, Profile, Status, Step

#: What the failures of IDAKLU mean, by their names in SUNDIALS.
MEANINGS = {
    "IDA_ERR_FAIL": "steps too many or too short",
    "IDA_CONV_FAIL": "no convergence of Newton's method",
    "IDA_LINESEARCH_FAIL": "no potentials that go with the state at the start",
    "IDA_NO_RECOVERY": "no potentials that go with the state at the start",
    "IDA_LSETUP_FAIL": "a linear system without a solution",
    "IDA_LSOLVE_FAIL": "a linear system without a solution",
    "IDA_FIRST_RES_FAIL": "equations without a value",
    "IDA_REP_RES_ERR": "equations without a value",
    "IDA_RES_FAIL": "equations without a value",
}
#: Of one step of a test, which takes some hundred: round-off may make them as short as it likes.
#: A front between two phases, which goes from shell to shell, takes thousands.
MAX_STEPS = 10_000
#: How many more at each point of a profile, where the solver starts anew.
STEPS_A_POINT = 100
LIMIT = "num_steps_no_progress"
#: What is tried on the same mesh where the solver gives up: name and options of the next one.
RECOVERIES: dict[str, dict[str, Any]] = {
    "a first step of 1 ns": {"dt_init": 1e-9},
    # each step takes long
    "the dense linear solver": {
        "linear_solver": "SUNLinSol_Dense", "jacobian": "dense",
        LIMIT: MAX_STEPS // 5,
    },
}  # fmt: skip

#: What leaving the range of a particle's composition means.
OUTSIDE = {
    EMPTY: "the surface of a particle has no sodium left",
    FULL: "the surface of a particle has no room left for sodium",
}
NO_VALUE = "a potential has no value in the state at the start"
#: Profiles that a stepper keeps its models of.
MAX_PROFILES = 8
VOLTAGE, AMPERES, CHARGE = "Voltage [V]", "Current [A]", "Discharge capacity [A.h]"


def half_cycle_solver(
    rtol: float, atol: float, options: dict[str, Any] | None = None
) -> pybamm.IDAKLUSolver:
    """IDAKLU for a half-cycle, in which it gives up after `MAX_STEPS`."""
    # "no progress" by a time that no half-cycle takes; its own "max_num_steps" counts no steps
    limit = {LIMIT: MAX_STEPS, "t_no_progress": 1e15}
    return pybamm.IDAKLUSolver(rtol, atol, options=SOLVER_OPTIONS | limit | (options or {}))


def usual_solver(model: pybamm.BaseModel, rtol: float, atol: float) -> pybamm.IDAKLUSolver:
    """IDAKLU for the steps of a model, of which some take more than others."""
    return half_cycle_solver(rtol, atol, {LIMIT: _max_steps(model)})


def _max_steps(model: pybamm.BaseModel) -> int:
    return MAX_STEPS * (5 if model.options["particle"] == "two-phase" else 1)


class Idaklu:
    """Steps of a PyBaMM model by a PyBaMM solver; the state is a ``pybamm.Solution``.

    Parameters
    ----------
    model : SolidStateBaseModel
        Any model of the cell.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs; the current and both cut-offs must be.
    solver : pybamm.BaseSolver, optional
        Default: IDAKLU with the tolerances of the model's own.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``; default: those of the model.
    controls : bool, optional
        Whether steps may impose anything and end by anything, on a model whose current is a
        state (`controlled`). Otherwise only those that are `is_plain`, on the model as it is.
    """

    def __init__(
        self,
        model: SolidStateBaseModel,
        values: pybamm.ParameterValues,
        solver: pybamm.BaseSolver | None = None,
        var_pts: dict[Any, int] | None = None,
        controls: bool = False,
    ):
        self._max_steps = _max_steps(model)
        if solver is None:
            solver = usual_solver(model, model.default_solver.rtol, model.default_solver.atol)
        self._model, self._values, self._controls = model, values, controls
        made = controlled(model) if controls else watched(model)
        # a copy: one that was given may be at work on another model
        self._main = _Solved(made, values, solver.copy(), var_pts, self._max_steps)
        self._profiles: dict[Profile, _Solved] = {}

    def start(
        self, inputs: Mapping[str, float], initial: CellState | None = None
    ) -> pybamm.Solution:
        """The initial conditions of the model, or a state of the cell.

        Raises
        ------
        OptionError
            For a state of another model, with other options or on another mesh.
        """
        return _state(self._main.built, self._vector.start(inputs, initial), inputs)

    def cell_state(self, state: pybamm.Solution) -> CellState:
        """What another test may start from."""
        values = self._vector.read(state.all_ys[-1][:, -1], state.all_inputs[-1])
        return CellState(self._model.name, ModelOptions(self._model.options), values)

    def step(
        self, state: pybamm.Solution, step: Step, inputs: Mapping[str, float]
    ) -> tuple[Outcome, pybamm.Solution]:
        """As `Stepper.step`."""
        if refusal := self._refusal(step):
            return Outcome(Status.FAILED, reason=refusal), state
        if not np.isfinite(state.all_ys[-1][:, -1]).all():
            return Outcome(Status.FAILED, reason=NO_VALUE), state
        ends = binding_ends(step)
        try:
            solution, event, recovery, first = self._follow(state, step, inputs)
        except pybamm.SolverError as error:
            if end := self._beyond_all_power(state, step, inputs):
                return Outcome(Status.AT_START, end=end), state
            reason = f"the solver gave up ({in_words(error)})"
            return Outcome(Status.FAILED, reason=reason, gave_up=True), state
        end = next((end for kind, end in ends.items() if END_EVENTS[kind] == event), None)
        if event is not None and end is None:
            after = "at the start" if solution is None else f"after {solution.t[-1]:.6g} s"
            reason = f"{OUTSIDE.get(event, event)} {after}, before any end of the step"
            return Outcome(Status.FAILED, reason=reason), state
        if solution is None:
            return Outcome(Status.AT_START, end=end), state
        if end is None and step.open_ended:
            return Outcome(Status.FAILED, reason=_unending(step)), state
        last = self._solved(step).read(solution, -1)
        status = status_of(first[ANODE_OCP], last[ANODE_OCP])
        outcome = Outcome(status, IdakluSegment(solution), end, recovery=recovery)
        # a copy, because a view would keep the whole solution
        y, given = solution.all_ys[-1][:, -1:].copy(), solution.all_inputs[-1]
        if isinstance(step.value, Profile):
            current = self._vector.scaled(CURRENT_STATE, last[AMPERES], given)
            y = np.vstack([y, [[current]]])
        return outcome, _state(self._main.built, y, given)

    def _follow(
        self, state: pybamm.Solution, step: Step, inputs: Mapping[str, float]
    ) -> tuple[pybamm.Solution | None, str | None, str, dict[str, float]]:
        """Solve a step.

        Returns
        -------
        tuple
            The solution, None where the step has no start; the event that ended it, None where
            its time was over; what it took, "" where the solver did at once; and what is read
            of its start.

        Raises
        ------
        pybamm.SolverError
            If the solver gave up, and all that take over.
        """
        solved = self._solved(step)
        before = self._vector.charge(state.all_ys[-1][:, -1], inputs)
        (piece, *_), times = pieces(step), None
        if isinstance(step.value, Profile):
            times = np.array([0.0, *(piece.end for piece in pieces(step)[:-1]), step.duration])
            imposed = {**end_inputs(step), CAPACITY_START: before}
            # without the current, which is the last of the states
            state = _state(solved.built, state.all_ys[-1][:-1, -1:], inputs)
        elif self._controls:
            imposed = control_inputs(step, piece, before)
        else:
            imposed = {**end_inputs(step), CURRENT: piece.value}
        try:
            solution, recovery = solved(state, step.duration, times, {**inputs, **imposed})
        except _Reached as reached:
            return None, reached.event, "", {}
        first = solved.read(solution, 0)
        if event := _tied(step, first, before):
            return None, event, "", first
        event = None
        if solution.termination.startswith("event"):
            event = solution.termination.removeprefix("event: ")
        return solution, event, recovery, first

    def _beyond_all_power(
        self, state: pybamm.Solution, step: Step, inputs: Mapping[str, float]
    ) -> End | None:
        """The lower end by voltage of a power that the cell has not at any voltage down to it."""
        end = binding_ends(step).get((Measure.VOLTAGE, False))
        if step.control is not Control.POWER or isinstance(step.value, Profile) or end is None:
            return None
        hold = Step(Control.VOLTAGE, end.value, 1e-3)
        try:
            *_, first = self._follow(state, hold, inputs)
        except pybamm.SolverError:
            return None
        return end if first and first[AMPERES] * first[VOLTAGE] < step.value else None

    def _refusal(self, step: Step) -> str:
        """Why a step cannot be done at all, "" if it can."""
        if not self._controls and not is_plain(step):
            return (
                f"a {step.direction} by {step.control} with ends by "
                f"{', '.join(end.measure for end in step.ends) or 'time'} needs a solver that was "
                "made for all controls"
            )
        if isinstance(step.value, Profile):
            last = step.value.times[-1]
            if step.control is not Control.CURRENT:
                return f"the solver has no profile of {step.control}, only of current"
            if step.duration > last * (1 + 1e-9):
                return f"the profile ends at {last:g} s and the step at {step.duration:g} s"
        return ""

    def _solved(self, step: Step) -> _Solved:
        """What solves a step; a profile has its own, kept because steps come again."""
        profile = step.value
        if not isinstance(profile, Profile):
            return self._main
        if profile not in self._profiles:
            if len(self._profiles) == MAX_PROFILES:
                del self._profiles[next(iter(self._profiles))]
            # the solver starts anew at each point
            max_steps = self._max_steps + STEPS_A_POINT * len(profile.times)
            solver = self._main.solver.copy()
            if getattr(solver, "options", {}).get(LIMIT):
                options = {**solver.options, LIMIT: max_steps}
                solver = pybamm.IDAKLUSolver(solver.rtol, solver.atol, options=options)
            made = controlled(self._model, profile)
            self._profiles[profile] = _Solved(
                made, self._values, solver, self._main.var_pts, max_steps
            )
        return self._profiles[profile]

    @functools.cached_property
    def _vector(self) -> StateVector:
        return StateVector(self._main.built)

    @functools.cached_property
    def finer(self) -> Idaklu:
        """The same on a mesh twice as fine."""
        points = {name: 2 * points for name, points in self._main.var_pts.items()}
        return Idaklu(self._model, self._values, self._main.solver, points, self._controls)


class _Solved:
    """A model made ready, and the solvers that are tried on it one after the other."""

    def __init__(
        self,
        model: SolidStateBaseModel,
        values: pybamm.ParameterValues,
        solver: pybamm.BaseSolver,
        var_pts: dict[Any, int] | None,
        max_steps: int,
    ):
        self._max_steps = max_steps
        self._simulation = pybamm.Simulation(
            model, parameter_values=values, solver=solver, var_pts=var_pts
        )
        self.solver, self.var_pts = self._simulation.solver, self._simulation.var_pts

    @functools.cached_property
    def built(self) -> pybamm.BaseModel:
        """The discretised model."""
        self._simulation.build()
        return self._simulation.built_model

    @functools.cached_property
    def _readings(self) -> Readings:
        return Readings(self.built, (VOLTAGE, AMPERES, CHARGE, ANODE_OCP))

    def read(self, solution: pybamm.Solution, n: int) -> dict[str, float]:
        """What is read of a solution at its start (0) or its end (-1)."""
        t, y, inputs = solution.all_ts[n][n], solution.all_ys[n][:, n], solution.all_inputs[n]
        return self._readings(t, y, inputs)

    @functools.cached_property
    def solvers(self) -> dict[str, pybamm.BaseSolver]:
        """The solver asked for, and those that take over where it gives up."""
        recoveries = {
            name: half_cycle_solver(
                self.solver.rtol, self.solver.atol, {LIMIT: self._max_steps, **options}
            )
            for name, options in RECOVERIES.items()
        }
        return {"": self.solver, **recoveries}

    def __call__(
        self,
        state: pybamm.Solution,
        duration: float,
        times: np.ndarray | None,
        inputs: dict[str, float],
    ) -> tuple[pybamm.Solution, str]:
        """Go on from a state, with stops at times [s]; and what it took, "" where nothing."""
        first_error = None
        for recovery, solver in self.solvers.items():
            try:
                solution = self._simulation.step(
                    duration,
                    t_eval=times,
                    solver=solver,
                    starting_solution=state,
                    inputs=inputs,
                    save=False,
                )
            except pybamm.SolverError as error:
                if event := re.search(r"Events \['(.*?)'.*non-positive", str(error)):
                    raise _Reached(event[1]) from None
                first_error = first_error or error
                continue
            return solution, recovery
        assert first_error is not None
        raise first_error


class _Reached(Exception):
    """An event that was reached before there was anything to solve."""

    def __init__(self, event: str):
        super().__init__(event)
        self.event = event


def _state(built: pybamm.BaseModel, y: np.ndarray, inputs: Mapping[str, Any]) -> pybamm.Solution:
    """A state to go on from."""
    # at time 0, where short time constants can be resolved; a solution that ended at a cut-off
    # would refuse to go on, and one asked for its `last_state` refers to itself
    return pybamm.Solution(np.array([0.0]), y, built, dict(inputs), termination="final time")


def _tied(step: Step, read: Mapping[str, float], before: float) -> str | None:
    """The event that a step starts at, up to a tie."""
    values = {
        Measure.VOLTAGE: read[VOLTAGE],
        Measure.CURRENT: read[AMPERES],
        Measure.CURRENT_SIZE: abs(read[AMPERES]),
        Measure.CAPACITY: abs(read[CHARGE] - before),
    }
    reached = (k for k, end in binding_ends(step).items() if end.reached(values[k[0]]))
    return next((END_EVENTS[kind] for kind in reached), None)


def _unending(step: Step) -> str:
    """Why a step failed that reached none of its ends."""
    if is_plain(step):
        return "no cut-off was reached with all the sodium moved"
    return f"no end of the step was reached in {step.duration / 3600:g} h"


def in_words(error: pybamm.SolverError) -> str:
    """Why a solver failed."""
    sentence = str(error).splitlines()[0]
    code = re.search(r"IDA_\w+", sentence)
    return MEANINGS.get(code[0], "a fault of the integrator") if code else sentence
