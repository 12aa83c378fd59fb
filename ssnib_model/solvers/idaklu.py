"""Steps by PyBaMM's IDAKLU, which has every model, option and variable; and what is tried where
it gives up."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.cell.options import ModelOptions
from ssnib_model.models.base import SOLVER_OPTIONS, SolidStateBaseModel
from ssnib_model.solvers.controlled import (
    EMPTY,
    END_EVENTS,
    FULL,
    Piece,
    binding_ends,
    control_inputs,
    controlled,
    end_inputs,
    is_plain,
    pieces,
    watched,
)
from ssnib_model.solvers.numbers import Readings
from ssnib_model.solvers.preflight import CURRENT, UNIFORMITY
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
#: What is tried on the same mesh where the solver gives up: name and options of the next one.
RECOVERIES: dict[str, dict[str, Any]] = {
    "a first step of 1 ns": {"dt_init": 1e-9},
    # each step takes long
    "the dense linear solver": {
        "linear_solver": "SUNLinSol_Dense", "jacobian": "dense",
        "num_steps_no_progress": MAX_STEPS // 5,
    },
}  # fmt: skip

#: What leaving the range of a particle's composition means.
OUTSIDE = {
    EMPTY: "the surface of a particle has no sodium left",
    FULL: "the surface of a particle has no room left for sodium",
}
VOLTAGE, AMPERES, CHARGE = "Voltage [V]", "Current [A]", "Discharge capacity [A.h]"


def half_cycle_solver(
    rtol: float, atol: float, options: dict[str, Any] | None = None
) -> pybamm.IDAKLUSolver:
    """IDAKLU for a half-cycle, in which it gives up after `MAX_STEPS`."""
    # "no progress" by a time that no half-cycle takes; its own "max_num_steps" counts no steps
    limit = {"num_steps_no_progress": MAX_STEPS, "t_no_progress": 1e15}
    return pybamm.IDAKLUSolver(rtol, atol, options=SOLVER_OPTIONS | limit | (options or {}))


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
        if solver is None:
            two_phase = model.options["particle"] == "two-phase"
            limit = {"num_steps_no_progress": MAX_STEPS * (5 if two_phase else 1)}
            default = model.default_solver
            solver = half_cycle_solver(default.rtol, default.atol, limit)
        self._model, self._values, self._controls = model, values, controls
        self._simulation = pybamm.Simulation(
            controlled(model) if controls else watched(model),
            parameter_values=values,
            solver=solver,
            var_pts=var_pts,
        )

    def start(
        self, inputs: Mapping[str, float], initial: CellState | None = None
    ) -> pybamm.Solution:
        """The initial conditions of the model, or a state of the cell.

        Raises
        ------
        OptionError
            For a state of another model, with other options or on another mesh.
        """
        y = self._vector.start(inputs, initial)
        return pybamm.Solution(
            np.array([0.0]), y, self._built, dict(inputs), termination="final time"
        )

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
        ends, found = binding_ends(step), list[tuple[pybamm.Solution, str]]()
        try:
            event = self._follow(state, step, inputs, found)
        except pybamm.SolverError as error:
            if not found and (end := self._beyond_all_power(state, step, inputs)):
                return Outcome(Status.AT_START, end=end), state
            reason = f"the solver gave up ({in_words(error)})"
            return Outcome(Status.FAILED, reason=reason, gave_up=True), state
        end = next((end for kind, end in ends.items() if END_EVENTS[kind] == event), None)
        if end is not None and not found:
            return Outcome(Status.AT_START, end=end), state
        if event is not None and end is None:
            after = f"after {found[-1][0].t[-1]:.6g} s" if found else "at the start"
            reason = f"{OUTSIDE.get(event, event)} {after}, before any end of the step"
            return Outcome(Status.FAILED, reason=reason), state
        if end is None and step.open_ended:
            return Outcome(Status.FAILED, reason=_unending(step)), state
        solution = functools.reduce(operator.add, (part for part, _ in found))
        recovery = next((recovery for _, recovery in found if recovery), "")
        anodes = [self._readings(solution, n)[ANODE_OCP] for n in (0, -1)]
        outcome = Outcome(status_of(*anodes), IdakluSegment(solution), end, recovery=recovery)
        return outcome, _end_of(solution)

    def _follow(
        self,
        state: pybamm.Solution,
        step: Step,
        inputs: Mapping[str, float],
        found: list[tuple[pybamm.Solution, str]],
    ) -> str | None:
        """Follow a step piece by piece into ``found``, which stays empty where it has no start.

        Returns
        -------
        str or None
            The event that ended it; None: its time was over.

        Raises
        ------
        pybamm.SolverError
            If the solver gave up, and all that take over.
        """
        before = self._vector.charge(state.all_ys[-1][:, -1], inputs)
        for piece in pieces(step):
            try:
                part, recovery = self._solve(state, step, piece, before, inputs)
            except _Reached as reached:
                return reached.event
            if not found and (event := self._tied(part, step, before)):
                return event
            found.append((part, recovery))
            if part.termination.startswith("event"):
                return part.termination.removeprefix("event: ")
            state = _end_of(part, piece.end)
        return None

    def _tied(self, solution: pybamm.Solution, step: Step, before: float) -> str | None:
        """The event that a step starts at, up to a tie."""
        if not step.ends:
            return None
        read = self._readings(solution, 0)
        values = {
            Measure.VOLTAGE: read[VOLTAGE],
            Measure.CURRENT: read[AMPERES],
            Measure.CURRENT_SIZE: abs(read[AMPERES]),
            Measure.CAPACITY: abs(read[CHARGE] - before),
        }
        reached = (k for k, end in binding_ends(step).items() if end.reached(values[k[0]]))
        return next((END_EVENTS[kind] for kind in reached), None)

    def _beyond_all_power(
        self, state: pybamm.Solution, step: Step, inputs: Mapping[str, float]
    ) -> End | None:
        """The lower end by voltage of a power that the cell has not at any voltage down to it."""
        end = binding_ends(step).get((Measure.VOLTAGE, False))
        if step.control is not Control.POWER or end is None:
            return None
        found: list[tuple[pybamm.Solution, str]] = []
        try:
            self._follow(state, Step(Control.VOLTAGE, end.value, 1e-3), inputs, found)
        except pybamm.SolverError:
            return None
        if not found or isinstance(step.value, Profile):
            return None
        read = self._readings(found[0][0], 0)
        return end if read[AMPERES] * read[VOLTAGE] < step.value else None

    def _refusal(self, step: Step) -> str:
        """Why a step cannot be done at all, "" if it can."""
        if not self._controls and not is_plain(step):
            return (
                f"a {step.direction} by {step.control} with ends by "
                f"{', '.join(end.measure for end in step.ends) or 'time'} needs a solver that was "
                "made for all controls"
            )
        if isinstance(step.value, Profile) and step.duration > step.value.times[-1] * (1 + 1e-9):
            return (
                f"the profile ends at {step.value.times[-1]:g} s and the step at "
                f"{step.duration:g} s"
            )
        return ""

    def _solve(
        self,
        state: pybamm.Solution,
        step: Step,
        piece: Piece,
        before: float,
        inputs: Mapping[str, float],
    ) -> tuple[pybamm.Solution, str]:
        """Go on over a piece of a step, with what it took; "" where the solver did at once."""
        if self._controls:
            imposed = control_inputs(step, piece, before)
        else:
            imposed = {**end_inputs(step), CURRENT: piece.value}
        first_error = None
        for recovery, solver in self._solvers.items():
            try:
                solution = self._simulation.step(
                    piece.end - piece.start,
                    solver=solver,
                    starting_solution=state,
                    inputs={**inputs, **imposed},
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

    @functools.cached_property
    def _built(self) -> pybamm.BaseModel:
        """The discretised model."""
        self._simulation.build()
        return self._simulation.built_model

    @functools.cached_property
    def _vector(self) -> StateVector:
        return StateVector(self._built)

    @functools.cached_property
    def _read(self) -> Readings:
        return Readings(self._built, (VOLTAGE, AMPERES, CHARGE, ANODE_OCP))

    def _readings(self, solution: pybamm.Solution, n: int) -> dict[str, float]:
        """What is read of a solution at its start (0) or its end (-1)."""
        return self._read(solution.all_ts[n][n], solution.all_ys[n][:, n], solution.all_inputs[n])

    @functools.cached_property
    def _solvers(self) -> dict[str, pybamm.BaseSolver]:
        """The solver asked for, and those that take over where it gives up."""
        own = self._simulation.solver
        recoveries = {
            name: half_cycle_solver(own.rtol, own.atol, options)
            for name, options in RECOVERIES.items()
        }
        return {"": own, **recoveries}

    @functools.cached_property
    def finer(self) -> Idaklu:
        """The same on a mesh twice as fine."""
        simulation = self._simulation
        points = {name: 2 * points for name, points in simulation.var_pts.items()}
        return Idaklu(self._model, self._values, simulation.solver.copy(), points, self._controls)


class _Reached(Exception):
    """An event that was reached before there was anything to solve."""

    def __init__(self, event: str):
        super().__init__(event)
        self.event = event


class IdakluSegment:
    """A step as a ``pybamm.Solution``, in the manner of `ssnib_model.steps.Segment`."""

    def __init__(self, solution: pybamm.Solution):
        self.solution = solution

    def _at(self, variable: str, t: ArrayLike) -> np.ndarray:
        start, end = self.solution.t[[0, -1]]
        # the times may miss the ends by round-off, outside the interpolant
        times = np.clip(start + np.asarray(t, dtype=float), start, end)
        return self.solution[variable](t=times)

    def _change(self, variable: str) -> float:
        start, end = self.solution[variable](t=self.solution.t[[0, -1]])
        return float(end - start)

    @property
    def times(self) -> np.ndarray:
        """See `Segment`."""
        return self.solution.t - self.solution.t[0]

    @property
    def duration(self) -> float:
        """See `Segment`."""
        return float(self.solution.t[-1] - self.solution.t[0])

    @functools.cached_property
    def charge(self) -> float:
        """See `Segment`."""
        return self._change("Discharge capacity [A.h]")

    @functools.cached_property
    def energy(self) -> float:
        """See `Segment`."""
        return self._change("Discharge energy [W.h]")

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Voltage [V]", t)

    def current(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Current [A]", t)

    def passed(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._at("Discharge capacity [A.h]", t) - self._at("Discharge capacity [A.h]", 0)

    @property
    def uniformity(self) -> float | None:
        """See `Segment`."""
        if UNIFORMITY not in self.solution.all_models[0].variables:
            return None
        return float(self._at(UNIFORMITY, self.duration / 2))


def _end_of(solution: pybamm.Solution, t: float = 0.0) -> pybamm.Solution:
    """The state at the end of a solution, to go on from at a time ``t`` [s]."""
    # at time 0 again for the next step, where short time constants can be resolved; a solution
    # that ended at a cut-off would refuse to go on, and one asked for its `last_state` refers to
    # itself; a copy, because a view would keep the whole solution
    return pybamm.Solution(
        np.array([t]),
        solution.all_ys[-1][:, -1:].copy(),
        solution.all_models[-1],
        solution.all_inputs[-1],
        termination="final time",
    )


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
