"""Steps by PyBaMM's IDAKLU, which has every model, option and variable; and what is tried where
it gives up."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.models.base import SOLVER_OPTIONS
from ssnib_model.solvers.preflight import CURRENT, LOWER, UNIFORMITY, UPPER
from ssnib_model.solvers.stepper import ANODE_OCP, constant_current, status_of
from ssnib_model.steps import Outcome, Status, Step

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
#: Of one half-cycle, which takes some hundred: round-off may make the steps as short as it likes.
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

#: A cut-off that no voltage reaches [V].
FAR_AWAY = 1e3


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
    model : pybamm.BaseModel
        With an input for the current and both cut-offs.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs.
    solver : pybamm.BaseSolver, optional
        Default: IDAKLU with the tolerances of the model's own.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``; default: those of the model.
    """

    def __init__(
        self,
        model: pybamm.BaseModel,
        values: pybamm.ParameterValues,
        solver: pybamm.BaseSolver | None = None,
        var_pts: dict[Any, int] | None = None,
    ):
        if solver is None:
            solver = half_cycle_solver(model.default_solver.rtol, model.default_solver.atol)
        self._model, self._values = model, values
        self._simulation = pybamm.Simulation(
            model.new_copy(), parameter_values=values, solver=solver, var_pts=var_pts
        )

    def start(self, inputs: Mapping[str, float]) -> pybamm.Solution:
        """The initial conditions of the model, which PyBaMM works out at the first step."""
        return pybamm.EmptySolution()

    def step(
        self, state: pybamm.Solution, step: Step, inputs: Mapping[str, float]
    ) -> tuple[Outcome, pybamm.Solution]:
        """As `Stepper.step`."""
        plain = constant_current(step)
        if isinstance(plain, str):
            return Outcome(Status.FAILED, reason=f"the solver has no {plain}"), state
        current, cut_off = plain
        # a charge may start below the lower cut-off, a discharge above the upper one
        ends = {LOWER: -FAR_AWAY, UPPER: FAR_AWAY}
        ends[LOWER if current > 0 else UPPER] = cut_off
        first_error = None
        for recovery, solver in self._solvers.items():
            try:
                solution = self._simulation.step(
                    step.duration,
                    solver=solver,
                    starting_solution=state,
                    inputs={**inputs, **ends, CURRENT: current},
                    save=False,
                )
            except pybamm.SolverError as error:
                if "non-positive at initial conditions" in str(error):
                    return Outcome(Status.AT_START, end=step.ends[0]), state
                first_error = first_error or error
                continue
            if not solution.termination.startswith("event"):
                reason = "no cut-off was reached with all the sodium moved"
                return Outcome(Status.FAILED, reason=reason), state
            status = status_of(*solution[ANODE_OCP](t=solution.t[[0, -1]]))
            segment = IdakluSegment(solution)
            outcome = Outcome(status, segment, step.ends[0], recovery=recovery)
            return outcome, _end_of(solution)
        reason = f"the solver gave up ({in_words(first_error)})"
        return Outcome(Status.FAILED, reason=reason, gave_up=True), state

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
        return Idaklu(self._model, self._values, simulation.solver.copy(), points)


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


def _end_of(solution: pybamm.Solution) -> pybamm.Solution:
    """The state at the end of a solution, to go on from."""
    # at time 0 again, where short time constants can be resolved; a solution that ended at a
    # cut-off would refuse to go on, and one asked for its `last_state` refers to itself; a copy,
    # because a view would keep the whole solution
    return pybamm.Solution(
        np.array([0.0]),
        solution.all_ys[-1][:, -1:].copy(),
        solution.all_models[-1],
        solution.all_inputs[-1],
        termination="final time",
    )


def in_words(error: pybamm.SolverError) -> str:
    """Why a solver failed."""
    sentence = str(error).splitlines()[0]
    code = re.search(r"IDA_\w+", sentence)
    return MEANINGS.get(code[0], "a fault of the integrator") if code else sentence
