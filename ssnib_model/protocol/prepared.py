"""A rate test on one model built once."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pybamm
from tqdm import tqdm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.models.spm import SolidStateSPM
from ssnib_model.results.half_cycle import AT_START, HalfCycle, ended
from ssnib_model.results.rate_test import settings_of
from ssnib_model.solvers.coefficients import Coefficients, Modes
from ssnib_model.solvers.idaklu import FINER, GAVE_UP, RECOVERIES, half_cycle_solver, in_words
from ssnib_model.solvers.preflight import CURRENT, INITIAL, Preflight
from ssnib_model.solvers.structured import DIFFUSIVITY, StructuredSolution

LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
PROTOCOL_INPUTS = (CURRENT, INITIAL, LOWER, UPPER)
FAR_AWAY = 1e3  # V


class PreparedRateTest:
    """A rate test on one model built once; see `RateTest.prepare`."""

    _may_be_finer = False

    def __init__(self, test, model, parameters: ParameterSet, varying, solver, var_pts):
        self.test, self.parameters, self.model_name = test, parameters, model.name
        self.settings = settings_of(model, solver, var_pts)
        values = parameters.to_pybamm()
        self._varying = sorted(set(varying) - set(PROTOCOL_INPUTS))
        values.update({name: "[input]" for name in (*PROTOCOL_INPUTS, *self._varying)})
        self._inputs, self._one_c = None, None
        self._preflight = Preflight(model.options, values)
        self._set_up(model, values, solver, var_pts)

    def _set_up(self, model, values: pybamm.ParameterValues, solver, var_pts) -> None:
        if solver is None:
            solver = half_cycle_solver(model.default_solver.rtol, model.default_solver.atol)
        self._simulation = pybamm.Simulation(
            model.new_copy(), parameter_values=values, solver=solver, var_pts=var_pts
        )
        self._model, self._may_be_finer = model, True

    def half_cycles(self, parameters: ParameterSet, progress: bool = False) -> list[HalfCycle]:
        """All half-cycles for ``parameters``, which differ in varying parameters only.

        The same parameters again, as for several curves of one test, are not solved again.
        """
        before = self._inputs, self._one_c
        self._start(parameters)
        if (self._inputs, self._one_c) != before:
            schedule = list(self.test.schedule())
            bar = tqdm(schedule, desc="Rate test", unit="half-cycle", disable=not progress)
            self._latest = [self._half_cycle(*step) for step in bar]
            if any(h.status.startswith(GAVE_UP) for h in self._latest):
                self._latest = self._on_finer_mesh(parameters) or self._latest
        return self._latest

    def _start(self, parameters: ParameterSet) -> None:
        soc = self.test.initial_state_of_charge
        self._inputs = {name: parameters[name] for name in (*PROTOCOL_INPUTS, *self._varying)}
        self._inputs[INITIAL] = parameters["As-made state of charge"] if soc is None else soc
        self._one_c = parameters["Nominal cell capacity [A.h]"]
        # more than all the sodium that can move: the potential ends a half-cycle before
        sodium = "Maximum concentration in positive electrode [mol.m-3]"
        self._charge_limit = 1.05 * (
            parameters[sodium]
            * parameters["Positive electrode active material volume fraction"]
            * parameters["Positive electrode thickness [m]"]
            * parameters["Electrode area [m2]"]
            * pybamm.constants.F.value
        )
        self._passed = 0.0  # charge since the start of the test [C]
        impossible = self._preflight.impossible(self._inputs)
        self._failure = f"failed: {impossible}" if impossible else None
        self._reset()

    def _reset(self) -> None:
        """The state is that of the start of the test."""
        self._state = pybamm.EmptySolution()

    def _half_cycle(self, row: float, rate: float, direction: str, cycle: int) -> HalfCycle:
        """Go on from the present state to the cut-off; never raises for a failed solve."""
        current = rate * self._one_c * (1 if direction == "discharge" else -1)
        reason = self._recovery = ""
        status, solution = (self._failure, None) if self._failure else self._solve(current)
        if solution is not None:
            self._carry_on(solution)
            self._passed += current * (solution.t[-1] - solution.t[0])
        elif status == AT_START:
            inputs = {**self._inputs, CURRENT: current}
            reason = self._preflight.why_at_start(inputs, self._passed)
        elif not self._failure:
            self._failure = f"failed: the {direction} at {rate:g} C before it failed"
        return HalfCycle(row, direction, cycle, current, status, solution, reason, self._recovery)

    def _carry_on(self, solution: pybamm.Solution) -> None:
        """The state is that of the end of a half-cycle."""
        # at time 0 again, where short time constants can be resolved; a solution that ended
        # at a cut-off would refuse to go on, and one asked for its `last_state` refers to itself;
        # a copy, because a view would keep the whole solution
        self._state = pybamm.Solution(
            np.array([0.0]),
            solution.all_ys[-1][:, -1:].copy(),
            solution.all_models[-1],
            solution.all_inputs[-1],
            termination="final time",
        )

    def _solve(self, current: float) -> tuple[str, pybamm.Solution | None]:
        # a charge may start below the lower cut-off, a discharge above the upper one
        unused = {LOWER: -FAR_AWAY} if current < 0 else {UPPER: FAR_AWAY}
        first_error = None
        for recovery, solver in self._solvers.items():
            self._recovery = recovery
            try:
                solution = self._simulation.step(
                    self._charge_limit / abs(current),
                    solver=solver,
                    starting_solution=self._state,
                    inputs={**self._inputs, **unused, CURRENT: current},
                    save=False,
                )
                break
            except pybamm.SolverError as error:
                if "non-positive at initial conditions" in str(error):
                    return AT_START, None
                first_error = first_error or error
        else:
            self._recovery = ""
            return f"{GAVE_UP} ({in_words(first_error)})", None
        if not solution.termination.startswith("event"):
            return "failed: no cut-off was reached with all the sodium moved", None
        return ended(solution), solution

    @functools.cached_property
    def _solvers(self) -> dict[str, pybamm.BaseSolver]:
        """The solver of the test, and those that take over where it gives up."""
        own = self._simulation.solver
        recoveries = {
            name: half_cycle_solver(own.rtol, own.atol, options)
            for name, options in RECOVERIES.items()
        }
        return {"": own, **recoveries}

    def _on_finer_mesh(self, parameters: ParameterSet) -> list[HalfCycle] | None:
        """All half-cycles again on a mesh twice as fine; None if that is of no use."""
        if not self._may_be_finer:
            return None
        half_cycles = self._finer.half_cycles(parameters)
        if any(h.status.startswith("failed") for h in half_cycles):
            return None
        return [dataclasses.replace(h, recovery=FINER) for h in half_cycles]

    @functools.cached_property
    def _finer(self) -> PreparedRateTest:
        simulation = self._simulation
        finer = PreparedRateTest(
            self.test,
            self._model,
            self.parameters,
            self._varying,
            simulation.solver.copy(),
            {name: 2 * points for name, points in simulation.var_pts.items()},
        )
        finer._may_be_finer = False
        return finer


#: Options that must keep their default value.
PLAIN_OPTIONS = (
    "positive electrode", "particle", "size classes", "open-circuit potential", "thermal",
    "surface form",
)  # fmt: skip


class StructuredRateTest(PreparedRateTest):
    """A rate test that is solved by a `StructuredSolver`; see `RateTest.prepare`."""

    def _set_up(self, model, values: pybamm.ParameterValues, solver, var_pts) -> None:
        for option in PLAIN_OPTIONS:
            value, plain = model.options[option], ModelOptions()[option]
            if value != plain:
                raise OptionError(
                    f'the structured solver has "{option}" = {plain!r} only, not {value!r}: use '
                    "the default solver"
                )
        if not isinstance(self.parameters[DIFFUSIVITY], float):
            raise OptionError(
                f'the structured solver has a constant "{DIFFUSIVITY}" only, not '
                f"{self.parameters[DIFFUSIVITY]}: use the default solver"
            )
        self._solver, self._model = solver, model
        points = {str(k): n for k, n in {**model.default_var_pts, **(var_pts or {})}.items()}
        self._nr = points["r_p"]
        self._is_reduced = isinstance(model, SolidStateSPM)
        self._nx = 1 if self._is_reduced else points["x_p"]
        if self._nr < 3 or (self._nx < 2 and not self._is_reduced):
            raise OptionError(f"var_pts is {points}: at least 3 shells and 2 points are needed")
        self._coefficients = Coefficients(model, values)

    def _reset(self) -> None:
        self._state = self._sodium = None

    def _solve(self, current: float):
        from ssnib_model.solvers import kernel

        inputs = self._inputs | {CURRENT: current}
        try:
            c, ocp, alloy, alloy_range = self._coefficients(inputs)
        except OptionError as error:
            return f"failed: {error}", None
        modes = Modes.of(self._nr)
        if self._state is None:
            self._state = np.outer(np.full(self._nx, c["stoichiometry"]), modes.uniform)
            self._sodium = c["alloy content"]
        cell = kernel.Cell(
            i=c["current density"],
            ohmic=c["ohmic"],
            reduced=self._is_reduced,
            L=c["thickness"],
            sigma_s=c["electronic conductivity"],
            sigma_e=c["ionic conductivity"],
            surface=c["surface"],
            film=c["film resistance"],
            thermal=c["thermal voltage"],
            j0=c["exchange-current density"],
            decay=c["diffusivity over radius squared"] * modes.decay,
            uptake=c["uptake"] * modes.uptake,
            surface_of=modes.surface,
            ocp=ocp,
            alloy=alloy,
            alloy_start=self._sodium / alloy_range,
            alloy_rate=c["alloy rate"] / alloy_range,
        )
        state = self._state.copy()
        outcome, t, potentials, sto = kernel.integrate(
            cell,
            state,
            inputs[LOWER] if current > 0 else inputs[UPPER],
            self._charge_limit / abs(current),
            self._solver.rtol,
            self._solver.atol,
        )
        if outcome == kernel.AT_START:
            return AT_START, None
        if outcome != kernel.EVENT:
            return kernel.REASONS[outcome], None
        solution = StructuredSolution(self._model, cell, t, potentials, sto, current)
        self._state = state
        self._sodium += c["alloy rate"] * t[-1]
        return ended(solution), solution

    def _carry_on(self, solution) -> None:
        """Nothing to do: the state is kept as arrays."""
