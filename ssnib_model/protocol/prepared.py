"""A rate test on one model built once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import pybamm
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.results.rate_test import RateTestResult, Test
from ssnib_model.results.record import settings_of
from ssnib_model.solvers.choice import AUTO, Solver, Steppers, decide
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER, Preflight
from ssnib_model.solvers.stepper import Stepper
from ssnib_model.steps import Status, Step

#: What the test sets by itself, from the parameters of each run.
PROTOCOL_INPUTS = (CURRENT, INITIAL, LOWER, UPPER)

AS_MADE, ONE_C = "As-made state of charge", "Nominal cell capacity [A.h]"

#: Points of a mesh in one direction.
MAX_POINTS = 1000


class PreparedRateTest:
    """A rate test on one model built once; see `RateTest.prepare`.

    Nothing of a run is kept: each call starts from the parameters it is given.

    Attributes
    ----------
    test : RateTest
        What is run.
    parameters : ParameterSet
        What it was prepared for.
    varying : frozenset of str
        The parameters whose values later runs may change, and all that follows from them.
    choice : Choice
        The solver, and why it is this one.
    """

    def __init__(
        self,
        test: Test,
        model: SolidStateBaseModel,
        parameters: ParameterSet,
        varying: Iterable[str] = (),
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
    ):
        self.test, self.parameters, self.model_name = test, parameters, model.name
        self.varying = frozenset(parameters.dependents(varying))
        _check_mesh(model, var_pts)
        values = parameters.to_pybamm()
        read = [name for name in parameters if name in values and name not in PROTOCOL_INPUTS]
        self._inputs = [name for name in read if name in self.varying]
        for name in self._inputs:
            if not isinstance(parameters[name], float):
                raise OptionError(
                    f'"{name}" is {parameters[name]}: only a number can differ from run to run'
                )
        self._fixed = {name: parameters[name] for name in read if name not in self.varying}
        values.update(dict.fromkeys((*PROTOCOL_INPUTS, *self._inputs), "[input]"))
        self._preflight = Preflight(model.options, values)
        self.choice = decide(solver, model, values, var_pts)
        self.settings = settings_of(model, self.choice, var_pts)
        self._steppers = Steppers(self.choice, model, values, var_pts)

    def half_cycles(self, parameters: ParameterSet, progress: bool = False) -> list[HalfCycle]:
        """All half-cycles for some parameters.

        Parameters
        ----------
        parameters : ParameterSet
            They may differ in `varying` parameters only.
        progress : bool, optional
            Whether to show a progress bar on stderr.

        Returns
        -------
        list of HalfCycle
            In the order of the test, whatever happened to each.

        Raises
        ------
        OptionError
            If another parameter differs from what the test was prepared for.
        """
        self._check(parameters)
        with compilation_shown(progress):
            half_cycles, gave_up = self._run(self._steppers.first, parameters, progress)
        for recovery, stepper in self._steppers.others() if gave_up else ():
            again, gave_up = self._run(stepper, parameters, progress)
            if not any(h.status is Status.FAILED for h in again):
                return [dataclasses.replace(h, recovery=recovery) for h in again]
            if not gave_up:
                break
        return half_cycles

    def result(self, parameters: ParameterSet, progress: bool = False) -> RateTestResult:
        """The result for some parameters; they, and what is raised, are as for `half_cycles`."""
        half_cycles = self.half_cycles(parameters, progress)
        notes = functools.partial(self._notes, parameters)
        return RateTestResult(
            self.test, parameters, half_cycles, self.model_name, self.settings, notes
        )

    def _notes(self, parameters: ParameterSet) -> list[str]:
        """What there is to say beside what the half-cycles say."""
        of_solver = [self.choice.note] if self.choice.note else []
        return of_solver + self._preflight.anode_notes(self._values(parameters))

    def _check(self, parameters: ParameterSet) -> None:
        if parameters.model_options != self.parameters.model_options:
            raise OptionError(
                f"the model options are {parameters.model_options} here and "
                f"{self.parameters.model_options} where the test was prepared"
            )
        for name, value in self._fixed.items():
            if parameters[name] != value:
                raise OptionError(
                    f'"{name}" is {parameters[name]} here and {value} where the test was '
                    f"prepared: only what it was told to vary may differ "
                    f"({', '.join(sorted(self.varying)) or 'nothing'})"
                )

    def _values(self, parameters: ParameterSet) -> dict[str, float]:
        """The inputs of the model for a run."""
        soc = self.test.initial_state_of_charge
        values = {name: parameters[name] for name in self._inputs}
        values[INITIAL] = parameters[AS_MADE] if soc is None else soc
        values[CURRENT] = 0.0  # until a step sets it
        return values

    def _run(
        self, stepper: Stepper, parameters: ParameterSet, progress: bool
    ) -> tuple[list[HalfCycle], bool]:
        """All half-cycles by one solver, and whether it gave up on any."""
        inputs, one_c = self._values(parameters), parameters[ONE_C]
        impossible = self._preflight.impossible(inputs)
        # more than all the sodium that can move: the potential ends a half-cycle before
        limit = 1.05 * _sodium(parameters)
        cut_offs = {"discharge": parameters[LOWER], "charge": parameters[UPPER]}
        failure, gave_up, passed, found = impossible, False, 0.0, []
        state = None if impossible else stepper.start(inputs)
        schedule = list(self.test.schedule())
        bar = tqdm(schedule, desc="Rate test", unit="half-cycle", disable=not progress)
        for row, rate, direction, cycle in bar:
            current = rate * one_c * (1 if direction == "discharge" else -1)
            if failure:
                found.append(
                    HalfCycle(row, direction, cycle, current, Status.FAILED, reason=failure)
                )
                continue
            cut_off = cut_offs[direction]
            step = Step.to_cut_off(current, cut_off, limit / abs(current))
            outcome, state = stepper.step(state, step, inputs)
            reason = outcome.reason
            if outcome.segment is not None:
                passed += 3600 * outcome.segment.charge
            elif outcome.status is Status.AT_START:
                reason = self._preflight.why_at_start(inputs, current, cut_off, passed)
            else:
                failure = f"the {direction} at {rate:g} C before it failed"
                gave_up = gave_up or outcome.gave_up
            found.append(
                HalfCycle(
                    row, direction, cycle, current, outcome.status, outcome.segment, reason,
                    outcome.recovery,
                )
            )  # fmt: skip
        return found, gave_up


def _sodium(parameters: Mapping[str, float]) -> float:
    """All the sodium of the active material, as a charge [C]."""
    return (
        parameters["Maximum concentration in positive electrode [mol.m-3]"]
        * parameters["Positive electrode active material volume fraction"]
        * parameters["Positive electrode thickness [m]"]
        * parameters["Electrode area [m2]"]
        * pybamm.constants.F.value
    )


def _check_mesh(model: SolidStateBaseModel, var_pts: dict[Any, Any] | None) -> None:
    """`OptionError` for points of a mesh that the model has not, or for too many."""
    known = {str(name) for name in model.default_var_pts}
    for name, points in (var_pts or {}).items():
        whole = isinstance(points, int) and not isinstance(points, bool)
        if str(name) not in known or not whole or not 1 <= points <= MAX_POINTS:
            raise OptionError(
                f'var_pts has {points!r} as "{name}": whole numbers from 1 to {MAX_POINTS} are '
                f"needed, for {', '.join(sorted(known))}"
            )
