"""One step of a test, and what came out of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ssnib_model.steps import End, Measure, Outcome, Planned, Segment, Status

#: Points of a curve, about; more where the solver took more steps.
SAMPLES = 200


class Numbers(NamedTuple):
    """What a table says of a step; NaN where there is nothing."""

    duration: float  #: [s]
    charge: float  #: passed [A.h], positive on discharge
    energy: float  #: given [W.h], positive on discharge
    start_voltage: float  #: [V]
    end_voltage: float  #: [V]
    start_current: float  #: [A], positive on discharge
    end_current: float  #: [A]
    uniformity: float  #: reaction uniformity number, of the reduced model only


class StepResult:
    """One step of a test, and what came out of it.

    Parameters
    ----------
    number : int
        Its place in the test, from 1.
    planned : Planned
        What was to be done.
    outcome : Outcome
        What the solver said.
    numbers, samples : optional
        What is known of it where it has no segment any more.
    """

    def __init__(
        self,
        number: int,
        planned: Planned,
        outcome: Outcome,
        numbers: Numbers | None = None,
        samples: np.ndarray | None = None,
    ):
        self.number, self.planned, self.outcome = number, planned, outcome
        self._numbers, self._samples = numbers, samples

    def __repr__(self) -> str:
        return f"StepResult({self.number}, {self.planned.text!r}, {self.ending!r})"

    @property
    def segment(self) -> Segment | None:
        """From its start to its end; None where nothing was solved, or it was not kept."""
        return self.outcome.segment

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.outcome.status

    @property
    def ending(self) -> str:
        """The status, and why where it failed."""
        failed = self.status is Status.FAILED
        return f"failed: {self.outcome.reason}" if failed else str(self.status)

    @property
    def ended_by(self) -> str:
        """What ended it: "time", "upper cut-off 3.9 V", "current below 0.05 mA" for example."""
        if self.status is Status.FAILED:
            return ""
        return "time" if self.outcome.end is None else in_words(self.outcome.end)

    @property
    def numbers(self) -> Numbers:
        """What a table says of it."""
        if self._numbers is None:
            self._numbers = _measured(self.outcome)
        return self._numbers

    @property
    def samples(self) -> np.ndarray:
        """Time from its start [s], current [A], voltage [V] and charge passed [A.h], a row each.

        As finely as the solver needed to resolve it, and finer where that are few; where the step
        has a period, at its multiples and at the end.
        """
        if self._samples is not None:
            return self._samples
        return (
            np.empty((4, 0))
            if self.segment is None
            else sampled(self.segment, self.planned.period)
        )

    def without_segment(self, is_new: bool = True) -> StepResult:
        """The same with its numbers only; that for the notes is worked out of a new kind of step
        alone, as it may take as long as the step."""
        outcome = dataclasses.replace(self.outcome, segment=None)
        numbers = self.numbers if is_new else _measured(self.outcome, uniformity=False)
        return StepResult(self.number, self.planned, outcome, numbers, np.empty((4, 0)))

    def recovered(self, recovery: str) -> StepResult:
        """The same with what it took to solve it."""
        return self._with(dataclasses.replace(self.outcome, recovery=recovery))

    def unrecovered(self, tried: Iterable[str]) -> StepResult:
        """The same with what else was tried, where that was of no help."""
        if not self.outcome.gave_up:
            return self
        reason = f"{self.outcome.reason}; in vain, too: {', '.join(tried)}"
        return self._with(dataclasses.replace(self.outcome, reason=reason))

    def _with(self, outcome: Outcome) -> StepResult:
        return StepResult(self.number, self.planned, outcome, self._numbers, self._samples)

    def to_dict(self) -> dict[str, Any]:
        """All but what was planned, as JSON keeps it, to the last bit."""
        ends, end = self.planned.step.ends, self.outcome.end
        return {
            "status": str(self.status),
            "end": None if end is None else ends.index(end),
            "reason": self.outcome.reason,
            "recovery": self.outcome.recovery,
            "gave_up": self.outcome.gave_up,
            "numbers": [None if math.isnan(x) else float(x) for x in self.numbers],
            "samples": self.samples.tolist(),
        }

    @classmethod
    def from_dict(cls, number: int, planned: Planned, document: Any) -> StepResult:
        """What `to_dict` made ``document`` of.

        Raises
        ------
        ValueError, TypeError, LookupError
            If it is none of this kind.
        """
        end = document["end"]
        if not (end is None or (type(end) is int and end >= 0)):
            raise ValueError(f"end is {end!r}")
        texts = [document[name] for name in ("reason", "recovery")]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("reason and recovery are no texts")
        numbers = Numbers(*(math.nan if x is None else _finite(x) for x in document["numbers"]))
        samples = np.array([[_finite(x) for x in row] for row in document["samples"]])
        if samples.shape[0] != 4 or samples.ndim != 2:
            raise ValueError(f"samples have the shape {samples.shape}")
        outcome = Outcome(
            Status(document["status"]),
            end=None if end is None else planned.step.ends[end],
            reason=texts[0],
            recovery=texts[1],
            gave_up=document["gave_up"] is True,
        )
        return cls(number, planned, outcome, numbers, samples)


def in_words(end: End) -> str:
    """What ends a step, as a table says it."""
    if end.measure is Measure.VOLTAGE:
        if end.cut_off:
            return f"{'upper' if end.rising else 'lower'} cut-off {end.value:.6g} V"
        return f"voltage {'above' if end.rising else 'below'} {end.value:.6g} V"
    if end.measure is Measure.CAPACITY:
        return f"capacity {1e3 * end.value:.6g} mA.h"
    return f"{end.measure} {'above' if end.rising else 'below'} {1e3 * end.value:.6g} mA".replace(
        "absolute ", ""
    )


def _measured(outcome: Outcome, uniformity: bool = True) -> Numbers:
    segment = outcome.segment
    if segment is None or outcome.status is Status.FAILED:
        passed = 0.0 if outcome.status is Status.AT_START else math.nan
        return Numbers(passed, passed, passed, *[math.nan] * 5)
    ends = np.array([0.0, segment.duration])
    voltage, current = segment.voltage(ends), segment.current(ends)
    number = segment.uniformity if uniformity else None
    found = (
        segment.duration, segment.charge, segment.energy, *voltage, *current,
        math.nan if number is None else number,
    )  # fmt: skip
    return Numbers(*map(float, found))


def sampled(segment: Segment, period: float | None = None) -> np.ndarray:
    """Time from its start [s], current [A], voltage [V] and charge passed [A.h], a row each."""
    if period is not None:
        t = np.append(np.arange(0, segment.duration, period), segment.duration)
    else:
        times = np.asarray(segment.times, dtype=float)
        # each of the solver's own steps in as many parts: as fine as it needed them
        parts = max(1, math.ceil(SAMPLES / max(1, len(times) - 1)))
        places = np.linspace(0, len(times) - 1, parts * (len(times) - 1) + 1)
        t = np.interp(places, np.arange(len(times)), times)
        t[-1] = segment.duration  # the last time to the bit, whatever round-off says
    return np.array([t, segment.current(t), segment.voltage(t), segment.passed(t)])


def _finite(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.60} is not a finite number")
    return float(value)


def is_whole(value: Any) -> bool:
    """Whether this is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
