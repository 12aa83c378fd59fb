"""What ages, for the structured solver: slow states that stay within a piece of a step.

The kernel has coefficients that do not change within what it integrates. So a step is taken in
pieces within which nothing that ages changes a coefficient by more than a little; what is known
ahead, time and charge, is taken in the middle of a piece. Then the clocks go on by what happened
in it: their own integrals over time, charge and potential. Time at high potential is known then
only: a piece in which it changed a coefficient by more is taken again, half as long.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pybamm

from ssnib_model.models.ageing import ISOLATED
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.models.particles import size_classes
from ssnib_model.solvers.coefficients import Coefficients, Modes
from ssnib_model.solvers.numbers import Numbers, by_inputs
from ssnib_model.solvers.pieces import SegmentOfPieces
from ssnib_model.solvers.stepper import status_of
from ssnib_model.steps import Control, Measure, Outcome, Profile, Status, Step

if TYPE_CHECKING:
    from ssnib_model.solvers.structured import State, Structured
    from ssnib_model.solvers.structured_segment import StructuredSegment

#: What a coefficient may change by within a piece, over the root of the relative tolerance: of
#: itself, or times 1 V.
TOLERATED = 0.16
#: Most pieces of a step.
MOST = 2000
#: Shortest piece, of what is left of a step.
SHORTEST = 1e-6

_LACKS = "the structured solver has not a profile that ends by capacity where a cell ages fast"

_TOO_FAST = f"the cell ages so fast that {MOST} pieces of a step do not do"
ALL_TAKEN = "the interphase has taken all the sodium of the anode"

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class SlowStates:
    """The slow states of a model, and steps in pieces.

    Parameters
    ----------
    model : SolidStateBaseModel
        One that the structured solver takes.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs.
    coefficients : Coefficients
        Those of its equations.
    rtol : float
        Relative tolerance of the solver.
    """

    def __init__(
        self,
        model: SolidStateBaseModel,
        values: pybamm.ParameterValues,
        coefficients: Coefficients,
        rtol: float,
    ):
        ageing = model.param.ageing
        self.names, self._coefficients = ageing.names, coefficients
        self._tolerance = TOLERATED * rtol**0.5
        self._by_charge = {name: clock.by_charge for name, clock in ageing.clocks.items()}
        symbols = {"contact": ageing.contact(), "one C": model.param.Q}
        self._gated = []
        for name, clock in ageing.clocks.items():
            symbols[name] = clock.rate
            if clock.onset is not None and clock.width is not None:
                self._gated.append(name)
                symbols[f"{name} onset"], symbols[f"{name} width"] = clock.onset, clock.width
        self._numbers = Numbers({k: by_inputs(model, s) for k, s in symbols.items()}, values)
        self._shares = size_classes(model.options["size classes"])[1]

    def start(self) -> dict[str, float]:
        """Those of a cell as made."""
        return dict.fromkeys(self.names, 0.0)

    # ---------------------------------------------------------------- a step
    def take(
        self, stepper: Structured, state: State, step: Step, inputs: Mapping[str, float]
    ) -> tuple[Outcome, State]:
        """A step in pieces; as `Stepper.step`."""
        first, t = state, 0.0
        pieces: list[Any] = []
        passed, longest = 0.0, step.duration
        while True:
            left = step.duration - t
            h = self._length(state.slow, step, inputs, min(left, longest))
            if h < left and isinstance(step.value, Profile) and _counts(step):
                return Outcome(Status.FAILED, reason=_LACKS, gave_up=True), first
            rest = _rest(step, t, h, h >= left, passed)
            middle = self._ahead(state.slow, step, inputs, h / 2)
            contacts = [self._contact(s, inputs) for s in (state.slow, middle)]
            if ISOLATED in middle:
                middle[ISOLATED] += self._mean(state.modes) * (contacts[0] - contacts[1])
            if why := self._impossible(state, {**inputs, **middle}):
                return Outcome(Status.FAILED, reason=why), first
            if len(pieces) == MOST:
                return Outcome(Status.FAILED, reason=_TOO_FAST, gave_up=True), first
            outcome, after = stepper.piece(state, rest, {**inputs, **middle})
            if outcome.status is Status.FAILED:
                return outcome, first
            segment: Any = outcome.segment
            slow = dict(state.slow)
            if segment is not None:
                slow = self._after(slow, inputs, segment)
                if h > SHORTEST * step.duration and self._jumped(state.slow, slow, step, inputs):
                    longest = segment.duration / 2
                    continue
            end = None if outcome.end is None else step.ends[rest.ends.index(outcome.end)]
            if segment is not None:
                pieces.append(segment)
                t, passed = t + segment.duration, passed + segment.charge
                longest = 2 * h
                if ISOLATED in slow:
                    gone = contacts[1] - self._contact(slow, inputs)
                    slow[ISOLATED] = middle[ISOLATED] + self._mean(after.modes) * gone
                state = after._replace(slow=slow)
            if end is not None or h >= left:
                break
        if not pieces:
            return dataclasses.replace(outcome, end=end), first
        whole = pieces[0] if len(pieces) == 1 else SegmentOfPieces(pieces)
        status = status_of(pieces[0].anode()[0], pieces[-1].anode()[1])
        return Outcome(status, whole, end), state

    def _impossible(self, state: State, inputs: Mapping[str, float]) -> str:
        """Why there is no such cell any more, or nothing."""
        taken = self._coefficients.numbers(inputs)["taken"]
        return ALL_TAKEN if taken > 0 and taken >= state.sodium else ""

    def _jumped(
        self,
        before: Mapping[str, float],
        after: Mapping[str, float],
        step: Step,
        inputs: Mapping[str, float],
    ) -> bool:
        """Whether what is not known ahead changed a coefficient by more than is tolerated."""
        gated = {name: after[name] for name in self._gated}
        if all(before[name] == value for name, value in gated.items()):
            return False
        now, size = self._coefficients.numbers({**inputs, **before}), self._current(step, inputs)
        then = {**inputs, **before, **gated}
        return self._coefficients.change(then, now, size) > self._tolerance

    def _length(
        self,
        slow: Mapping[str, float],
        step: Step,
        inputs: Mapping[str, float],
        left: float,
    ) -> float:
        """How long a piece may be [s]."""
        size = self._current(step, inputs)
        now, h = self._coefficients.numbers({**inputs, **slow}), left
        while h > SHORTEST * left:
            then = self._ahead(slow, step, inputs, h)
            if self._coefficients.change({**inputs, **then}, now, size) <= self._tolerance:
                break
            h /= 2
        return h

    def _current(self, step: Step, inputs: Mapping[str, float]) -> float:
        """The size of the current of a step [A], at most or about."""
        one_c = self._numbers({**inputs, **self.start()})["one C"]
        if step.control is not Control.CURRENT:
            return one_c
        values = step.value.values if isinstance(step.value, Profile) else (step.value,)
        return max(map(abs, values))

    def _ahead(
        self, slow: Mapping[str, float], step: Step, inputs: Mapping[str, float], t: float
    ) -> dict[str, float]:
        """The slow states ``t`` [s] later, but for those that depend on the potential."""
        c, size = self._numbers({**inputs, **slow}), self._current(step, inputs)
        found = dict(slow)
        for name, by_charge in self._by_charge.items():
            if name not in self._gated:
                found[name] += t * c[name] * (size if by_charge else 1.0)
        return found

    def _after(
        self, slow: Mapping[str, float], inputs: Mapping[str, float], segment: StructuredSegment
    ) -> dict[str, float]:
        """The slow states after a piece."""
        c, found = self._numbers({**inputs, **slow}), dict(slow)
        for name, by_charge in self._by_charge.items():
            ran = segment.duration
            if by_charge:
                times = np.interp(
                    np.arange(0, segment.times.size - 0.75, 0.25),
                    np.arange(segment.times.size),
                    segment.times,
                )
                ran = 3600 * float(np.abs(np.diff(segment.passed(times))).sum())
            elif name in self._gated:
                ran = time_above(segment, c[f"{name} onset"], c[f"{name} width"])
            found[name] += c[name] * ran
        return found

    def _contact(self, slow: Mapping[str, float], inputs: Mapping[str, float]) -> float:
        return self._numbers({**inputs, **slow})["contact"]

    def _mean(self, modes: np.ndarray) -> float:
        """Mean stoichiometry of the composite."""
        uniform = Modes.of(modes.shape[-1]).uniform
        of_sites = 3 * modes @ uniform
        return float(of_sites.reshape(-1, self._shares.size).mean(axis=0) @ self._shares)


def time_above(segment: StructuredSegment, onset: float, width: float) -> float:
    """Time [s] of a piece at a potential of the cathode above an onset [V], which is not sharp."""
    from ssnib_model.solvers.kernel.one_step import PARTS, TO_POLYNOMIAL

    found = segment.samples[1]
    if found.max() < onset - 20 * width:
        return 0.0
    samples = np.column_stack([found[:-1].reshape(-1, PARTS), found[PARTS::PARTS]])
    powers = ((1 + _NODES) / 2)[:, None] ** np.arange(PARTS + 1)
    potentials = samples @ (powers @ TO_POLYNOMIAL).T
    running = (1 + np.tanh((potentials - onset) / (2 * width))) / 2
    return float(np.diff(segment.times) @ (running @ _WEIGHTS / 2))


def _counts(step: Step) -> bool:
    """Whether a step may end by the charge that has passed."""
    return any(end.measure is Measure.CAPACITY for end in step.ends)


def _rest(step: Step, t: float, h: float, is_last: bool, passed: float) -> Step:
    """What is left of a step after ``t`` [s], for ``h`` [s]."""
    if t == 0 and is_last:
        return step
    value = step.value
    if isinstance(value, Profile):
        later = [(s - t, v) for s, v in zip(value.times, value.values, strict=True) if s > t]
        now = float(np.interp(t, value.times, value.values))
        points = [(0.0, now), *later]
        value = Profile(tuple(s for s, _ in points), tuple(v for _, v in points))
    ends = tuple(
        dataclasses.replace(end, value=max(end.value - abs(passed), 0.0))
        if end.measure is Measure.CAPACITY
        else end
        for end in step.ends
    )
    return dataclasses.replace(
        step, value=value, duration=h, ends=ends, open_ended=step.open_ended and is_last
    )
