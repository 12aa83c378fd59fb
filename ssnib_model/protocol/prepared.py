"""Tests on one model built once."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.temperature import AMBIENT
from ssnib_model.errors import NoDerivativesError, OptionError
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.protocol.many import Taken, take_many
from ssnib_model.protocol.nearby import Side, moved_steps, taken
from ssnib_model.protocol.run_store import INTERVAL, RunFolder, RunStore
from ssnib_model.protocol.walk import Walk
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.results.protocol import ProtocolResult, Run, job_of
from ssnib_model.results.rate_rows import rows_of_many
from ssnib_model.results.rate_test import RateTestResult, Test
from ssnib_model.results.record import settings_of
from ssnib_model.results.step import StepResult, is_whole
from ssnib_model.solvers.choice import AUTO, Solver, Steppers, decide
from ssnib_model.solvers.compiling import compilation_shown, interrupts
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER, Preflight
from ssnib_model.solvers.state import CellState
from ssnib_model.solvers.stepper import Stepper
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Planned, Status

#: What the test sets by itself, from the parameters of each run.
PROTOCOL_INPUTS = (CURRENT, INITIAL, LOWER, UPPER)

AS_MADE = "As-made state of charge"
MASS = "Positive electrode active material mass [kg]"

#: Points of a mesh in one direction.
MAX_POINTS = 1000


class Scheduled(Protocol):
    """What can be run: a list of steps for a cell, and where the cell starts."""

    @property
    def initial_state_of_charge(self) -> float | None:
        """Where it starts; None: as made."""

    def schedule(self, parameters: Any) -> Iterable[Planned]:
        """The steps in order, in SI units for a cell."""

    def to_dict(self) -> dict[str, Any]:
        """The protocol as JSON keeps it."""


class PreparedProtocol:
    """A protocol on one model built once; see ``Protocol.prepare``.

    Nothing of a run is kept: each call starts from the parameters it is given.

    Attributes
    ----------
    protocol : Protocol or RateTest
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
        protocol: Scheduled,
        model: SolidStateBaseModel,
        parameters: ParameterSet,
        varying: Iterable[str] = (),
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
    ):
        self.protocol, self.parameters, self.model_name = protocol, parameters, model.name
        steps = [planned.step for planned in protocol.schedule(parameters)]
        if any(step.temperature is not None for step in steps):
            varying = [*varying, AMBIENT]
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
        self._steppers = Steppers(self.choice, model, values, var_pts, steps)

    def result(
        self,
        parameters: ParameterSet,
        *,
        start: CellState | None = None,
        keep: int = 1,
        out: str | Path | None = None,
        progress: bool = False,
    ) -> ProtocolResult:
        """Run all steps for some parameters.

        Parameters
        ----------
        parameters : ParameterSet
            They may differ in `varying` parameters only.
        start : CellState, optional
            The cell at the start, as from ``result.final_state``; default: as made, or at the
            initial state of charge of the protocol.
        keep : int, optional
            Curves and solutions are kept of the first cycle and of every such cycle from there
            on, and of the last one; the table has all.
        out : str or Path, optional
            A folder for steps and state as they come. The same call goes on from there,
            whatever ended it, to the same result to the last bit. The state goes through its
            written form there every `INTERVAL` steps, so that a run without a folder may differ
            within the tolerances of the solver.
        progress : bool, optional
            Whether to show a progress bar on stderr.

        Returns
        -------
        ProtocolResult
            One row a step, whatever happened to it. Ctrl-C ends the run with what there is.

        Raises
        ------
        OptionError
            If another parameter differs from what the protocol was prepared for, or for a
            setting that is not allowed.
        SSNIBError
            If the folder holds another run, is in use, or cannot be written.
        """
        if not is_whole(keep) or keep < 1:
            raise OptionError(f"keep is {keep!r}: it must be a whole number of cycles from 1 on")
        self._check(parameters, start)
        folder = None
        if out is not None:
            folder = RunFolder(
                out, job_of(self.protocol, parameters, self.model_name, self.settings, start, keep)
            )
        with contextlib.nullcontext() if folder is None else folder.lock():
            run = self._run(parameters, start, progress, keep, folder, interruptible=True)
        notes = functools.partial(self._notes, parameters)
        return ProtocolResult(
            self.protocol, parameters, run, self.model_name, self.settings, notes
        )

    def steps(self, parameters: ParameterSet, start: CellState | None = None) -> list[StepResult]:
        """All steps for some parameters, without what else a result has; Ctrl-C ends it.

        Parameters
        ----------
        parameters : ParameterSet
            They may differ in `varying` parameters only.
        start : CellState, optional
            As for `result`.

        Returns
        -------
        list of StepResult
            In the order of the protocol, whatever happened to each.

        Raises
        ------
        OptionError
            If another parameter differs from what the protocol was prepared for.
        """
        self._check(parameters, start)
        return self._run(parameters, start, progress=False).steps

    def steps_of_many(
        self, members: Sequence[ParameterSet], threads: int = 1
    ) -> list[list[StepResult]]:
        """As `steps` for each of many cells, with the compiled solver in one call.

        The numbers are the same. Voltage, current and charge of a step are at hand; for its
        ``solution`` the cell is run again. What the solver cannot do at once is run one by one.

        Parameters
        ----------
        members : sequence of ParameterSet
            They may differ in `varying` parameters only.
        threads : int, optional
            How many go through them side by side.

        Returns
        -------
        list of list of StepResult
            In the order of ``members``.

        Raises
        ------
        OptionError
            If another parameter differs from what the protocol was prepared for.
        """
        for member in members:
            self._check(member, None)
        values: dict[str, Any] = dict(members[0]) if members else {}
        for name in self.varying.intersection(values):
            values[name] = _together([member[name] for member in members])
        taken = self._take_many(values, len(members), samples=True, threads=threads)
        # of a step that cannot start there is more to say than that
        alone = None if taken is None else taken.found.alone | taken.found.at_start.any(axis=1)
        return [
            self._run(member, None, progress=False).steps
            if taken is None or alone is None or alone[m]
            else self._of_many(taken, m)
            for m, member in enumerate(members)
        ]

    def steps_of_values(
        self, values: Mapping[str, Any], members: int, threads: int = 1
    ) -> list[list[StepResult] | None]:
        """As `steps_of_many`, for values in place of sets.

        Parameters
        ----------
        values : mapping
            All parameters, as from `ParameterSet.replace_many`: of shape (members,) where they
            differ, in `varying` parameters only.
        members : int
            How many there are.
        threads : int, optional
            As for `steps_of_many`.

        Returns
        -------
        list
            In their order; None in place of the steps of one that is to be run by itself.

        Raises
        ------
        OptionError
            If another parameter differs from what the protocol was prepared for.
        """
        taken = self._take_many(values, members, samples=True, threads=threads)
        if taken is None:
            return [None] * members
        alone = taken.found.alone.tolist()
        return [None if a else self._of_many(taken, m) for m, a in enumerate(alone)]

    def _take_many(
        self, values: Mapping[str, Any], members: int, samples: bool = False, threads: int = 1
    ) -> Taken | None:
        """As `take_many`, of values that may be; None also where the solver is another."""
        if not members:
            return None
        self._check_fixed(values)
        stepper = self._steppers.first
        if not (isinstance(stepper, Structured) and stepper.is_plain):
            return None
        inputs, schedule = self._values(values), self.protocol.schedule
        return take_many(
            stepper, self._preflight, schedule, self.parameters, values, inputs, members,
            samples=samples, threads=threads,
        )  # fmt: skip

    def _of_many(self, taken: Taken, member: int) -> list[StepResult]:
        """The steps of one of many."""
        planned = taken.tests[taken.of[member]]
        return [
            StepResult(number + 1, place, taken.found.outcome(member, number, place.step))
            for number, place in enumerate(planned)
        ]

    def steps_nearby(
        self, parameters: ParameterSet, sides: Iterable[Side], start: CellState | None = None
    ) -> tuple[list[StepResult], list[tuple[list[StepResult], list[StepResult]] | None]]:
        """All steps, and what they would be nearby by their exact derivatives.

        Whatever is read off the steps is differentiated by reading it on both sides: its
        derivative along ``side`` is half the difference, over ``side.share`` and over how far
        ``side.ahead`` and ``side.behind`` are apart.

        Parameters
        ----------
        parameters : ParameterSet
            As for `steps`.
        sides : iterable of Side
            Parameters close by, a pair for each direction.
        start : CellState, optional
            As for `result`.

        Returns
        -------
        steps : list of StepResult
        nearby : list of tuple of list of StepResult
            Ahead and behind, for each direction; with voltage and current, without a solution.
            None for a direction without exact derivatives: an equilibrium potential changes
            along it, or the steps of the test do in more than numbers.

        Raises
        ------
        NoDerivativesError
            Where another solver than the structured one was needed or a step failed.
        OptionError
            As for `result`.
        """
        pairs = list(sides)
        for at in (parameters, *(p for side in pairs for p in (side.ahead, side.behind))):
            self._check(at, start)
        stepper = self._steppers.first
        if not isinstance(stepper, Structured):
            raise NoDerivativesError(f"the solver is {self.choice.name}")
        if not stepper.is_plain:
            raise NoDerivativesError("a cell that leaks electrons or ages has no exact ones")
        steps = self._run(parameters, start, progress=False).steps
        plan = functools.partial(taken, self.protocol, self._at)
        return steps, moved_steps(stepper, plan, parameters, steps, pairs, start is not None)

    def anode_notes(self, parameters: ParameterSet) -> list[str]:
        """What is wrong with the size of the anode, without a run."""
        return self._preflight.anode_notes(self._values(parameters))

    def _notes(self, parameters: ParameterSet) -> list[str]:
        """What there is to say beside what the steps say."""
        of_solver = [self.choice.note] if self.choice.note else []
        return of_solver + self.anode_notes(parameters)

    def _check(self, parameters: ParameterSet, start: CellState | None) -> None:
        if start is not None and not isinstance(start, CellState):
            raise OptionError(
                f"start is a {type(start).__name__}: a CellState is needed, as final_state of a "
                "result is"
            )
        soc = self.protocol.initial_state_of_charge
        if start is not None and soc is not None:
            raise OptionError(
                f"start is given and initial_state_of_charge is {soc:g}: the cell can start from "
                "one of the two only"
            )
        if parameters.model_options != self.parameters.model_options:
            raise OptionError(
                f"the model options are {parameters.model_options} here and "
                f"{self.parameters.model_options} where the test was prepared"
            )
        self._check_fixed(parameters)

    def _check_fixed(self, parameters: Mapping[str, Any]) -> None:
        """`OptionError` if a parameter differs that was not to vary."""
        for name, value in self._fixed.items():
            if isinstance(parameters[name], np.ndarray) or parameters[name] != value:
                raise OptionError(
                    f'"{name}" is {parameters[name]} here and {value} where the test was '
                    f"prepared: only what it was told to vary may differ "
                    f"({', '.join(sorted(self.varying)) or 'nothing'})"
                )

    def _values(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of the model for a run."""
        soc = self.protocol.initial_state_of_charge
        values: dict[str, Any] = {name: parameters[name] for name in self._inputs}
        values[INITIAL] = parameters[AS_MADE] if soc is None else soc
        values[CURRENT] = 0.0  # until a step sets it
        values[LOWER], values[UPPER] = parameters[LOWER], parameters[UPPER]
        return values

    def _run(
        self,
        parameters: ParameterSet,
        start: CellState | None,
        progress: bool,
        keep: int = 1,
        folder: RunFolder | None = None,
        interruptible: bool = False,
    ) -> Run:
        """All steps; again by others where the solver gave up."""
        planned = list(self.protocol.schedule(parameters))

        def run(stepper: Stepper, name: str = "") -> Run:
            walk = Walk(stepper, self._preflight, functools.partial(self._at, parameters))
            with contextlib.nullcontext() if folder is None else folder.store(name) as store:
                return self._walked(walk, planned, start, progress, keep, store, interruptible)

        with compilation_shown(progress):
            found = again = run(self._steppers.first)
        tried = []
        for other in self._steppers.others():
            gave_up = any(step.outcome.gave_up for step in again.steps)
            # a state to start from is one of the mesh that it comes from
            interrupted = len(again.steps) < len(planned)
            if interrupted or not gave_up or not (other.same_mesh or start is None):
                break
            again = run(other.stepper, other.name)
            tried.append(other.in_words)
            if not any(step.status is Status.FAILED for step in again.steps):
                words = other.in_words
                return again._replace(steps=[step.recovered(words) for step in again.steps])
        return (
            found._replace(steps=[s.unrecovered(tried) for s in found.steps]) if tried else found
        )

    def _at(self, parameters: ParameterSet, temperature: float | None) -> dict[str, float]:
        """The inputs of a step."""
        if temperature is None:
            return self._values(parameters)
        return self._values(parameters.replace({AMBIENT: temperature}))

    def _walked(
        self,
        walk: Walk,
        planned: Sequence[Planned],
        start: CellState | None,
        progress: bool,
        keep: int,
        store: RunStore | None,
        interruptible: bool,
    ) -> Run:
        """All steps by one solver."""
        steps, reached = store.read(planned) if store else ([], None)
        written, last = len(steps), planned[-1].cycle
        texts = {step.planned.text for step in steps}
        # what comes after each step, where the state that is written is started from
        temperatures = [p.step.temperature for p in (*planned[1:], planned[-1])]
        failed = next((step for step in steps if step.status is Status.FAILED), None)
        first = temperatures[written - 1] if written else planned[0].step.temperature
        walk.begin(first, reached or start)
        if failed is not None:
            walk.fail(self._called(failed.number, failed.planned))
        bar = tqdm(
            planned[written:], desc="Steps", unit="step", initial=written, total=len(planned),
            disable=not progress,
        )  # fmt: skip
        try:
            with interrupts():
                for number, place in enumerate(bar, start=written + 1):
                    outcome = walk.take(place.step, self._called(number, place))
                    step = StepResult(number, place, outcome)
                    if (place.cycle - 1) % keep and place.cycle != last:
                        step = step.without_segment(is_new=place.text not in texts)
                    texts.add(place.text)
                    steps.append(step)
                    if store and (number % INTERVAL == 0 or number == len(planned)):
                        reached = walk.hand_over(temperatures[number - 1])
                        store.add(steps[written:], reached)
                        written = number
        except KeyboardInterrupt:
            if not interruptible:
                raise
        return Run(steps, len(planned), walk.final_state, start, keep)

    def _called(self, number: int, planned: Planned) -> str:
        """What a step is called in sentences."""
        return f"step {number}, {planned.text!r},"


class PreparedRateTest(PreparedProtocol):
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
    """

    protocol: Test

    @property
    def test(self) -> Test:
        """What is run."""
        return self.protocol

    def half_cycles(
        self, parameters: ParameterSet, progress: bool = False, start: CellState | None = None
    ) -> list[HalfCycle]:
        """All half-cycles for some parameters.

        Parameters
        ----------
        parameters : ParameterSet
            They may differ in `varying` parameters only.
        progress : bool, optional
            Whether to show a progress bar on stderr.
        start : CellState, optional
            The cell at the start; default: as made, or at the state of charge of the test.

        Returns
        -------
        list of HalfCycle
            In the order of the test, whatever happened to each.

        Raises
        ------
        OptionError
            If another parameter differs from what the test was prepared for.
        """
        self._check(parameters, start)
        return self._paired(self._run(parameters, start, progress).steps)

    def half_cycles_of_many(
        self, members: Sequence[ParameterSet], threads: int = 1
    ) -> list[list[HalfCycle]]:
        """As `steps_of_many`, for half-cycles."""
        return [self._paired(steps) for steps in self.steps_of_many(members, threads)]

    def half_cycles_of_values(
        self, values: Mapping[str, Any], members: int, threads: int = 1
    ) -> list[list[HalfCycle] | None]:
        """As `steps_of_values`, for half-cycles."""
        found = self.steps_of_values(values, members, threads)
        return [None if steps is None else self._paired(steps) for steps in found]

    def rows_of_many(
        self, values: Mapping[str, Any], members: int, threads: int = 1
    ) -> list[list[dict[str, Any]] | None]:
        """As `steps_of_values`, for the rows of the tables of results."""
        taken = self._take_many(values, members, threads=threads)
        if taken is None:
            return [None] * members
        places: list[tuple[int, int | None]] = []
        for number, planned in enumerate(taken.tests[0]):
            if HALF_CYCLE in planned.tags:
                places.append((number, None))
            elif HOLD in planned.tags:
                places[-1] = places[-1][0], number
        currents = np.array([[p.step.value for p in test] for test in taken.tests])[taken.of]
        rows = rows_of_many(self.test, taken.found, currents, places, values[MASS])
        alone = taken.found.alone.tolist()
        return [None if a else r for a, r in zip(alone, rows, strict=True)]

    def half_cycles_nearby(
        self, parameters: ParameterSet, sides: Iterable[Side], start: CellState | None = None
    ) -> tuple[list[HalfCycle], list[tuple[list[HalfCycle], list[HalfCycle]] | None]]:
        """As `steps_nearby`, for half-cycles."""
        steps, moved = self.steps_nearby(parameters, sides, start)
        pairs = [pair and (self._paired(pair[0]), self._paired(pair[1])) for pair in moved]
        return self._paired(steps), pairs

    def results_nearby(
        self, parameters: ParameterSet, sides: Iterable[Side], start: CellState | None = None
    ) -> tuple[RateTestResult, list[tuple[RateTestResult, RateTestResult] | None]]:
        """As `steps_nearby`, for results; those nearby hold the parameters of their side."""
        pairs = list(sides)
        steps, moved = self.steps_nearby(parameters, pairs, start)

        def result(at: ParameterSet, steps: list[StepResult]) -> RateTestResult:
            notes = functools.partial(self._notes, at)
            return RateTestResult(
                self.test, at, self._paired(steps), self.model_name, self.settings, notes, None,
                start,
            )  # fmt: skip

        return result(parameters, steps), [
            pair and (result(side.ahead, pair[0]), result(side.behind, pair[1]))
            for side, pair in zip(pairs, moved, strict=True)
        ]

    def result(  # type: ignore[override]
        self, parameters: ParameterSet, progress: bool = False, start: CellState | None = None
    ) -> RateTestResult:
        """The result for some parameters; they, and what is raised, are as for `half_cycles`."""
        self._check(parameters, start)
        run = self._run(parameters, start, progress)
        notes = functools.partial(self._notes, parameters)
        return RateTestResult(
            self.test, parameters, self._paired(run.steps), self.model_name, self.settings,
            notes, run.final_state, start,
        )  # fmt: skip

    def _paired(self, steps: list[StepResult]) -> list[HalfCycle]:
        """Half-cycles, each of its current, its hold and its rest."""
        groups: list[list[StepResult]] = []
        for step in steps:
            if HALF_CYCLE in step.planned.tags:
                groups.append([])
            groups[-1].append(step)
        found = []
        for (rate, _, direction, cycle), group in zip(
            self.test.half_cycles(), groups, strict=True
        ):
            first, *others = group
            current = first.planned.step.value
            assert isinstance(current, float)
            worst = next((s for s in group if s.status is Status.FAILED), first)
            recovery = next((s.outcome.recovery for s in group if s.outcome.recovery), "")
            reason = worst.outcome.reason
            if worst is not first:
                reason = f"{self._called(worst.number, worst.planned)}: {reason}"
            hold = next((s.segment for s in others if HOLD in s.planned.tags), None)
            found.append(
                HalfCycle(
                    rate, direction, cycle, current, worst.status, first.segment,
                    reason, recovery, hold,
                )
            )  # fmt: skip
        return found

    def _called(self, number: int, planned: Planned) -> str:
        return planned.tags[-1]


#: Tags of the steps of a rate test; the last tag is what the step is called in sentences.
HALF_CYCLE, HOLD = "half-cycle", "hold"


def _together(values: list[Any]) -> Any:
    """The one value of many cells, or all where they differ."""
    return values[0] if all(v == values[0] for v in values) else np.array(values)


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
