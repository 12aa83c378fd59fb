"""The steps of a test as one ``pybamm.Solution``, as an experiment of PyBaMM gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pybamm

from ssnib_model.solvers.state import COUNTERS

#: Time from the end of a step to the first point of the next [s], as in PyBaMM.
OFFSET = 1e-9


def joined(
    parts: Sequence[tuple[int, float, tuple[float, float], pybamm.Solution]],
) -> pybamm.Solution:
    """One solution of all steps, one after the other.

    Parameters
    ----------
    parts : sequence of tuple
        Of each step in order: number of its cycle, time of its start [s], charge passed [A.h]
        and energy given [W.h] before, and its solution, whose time starts with it.

    Returns
    -------
    pybamm.Solution
        Its time and what it counts go on from step to step. ``cycles`` are those of the test,
        None where nothing of one was kept, each with its ``steps``.
    """
    steps: dict[int, list[pybamm.Solution]] = {}
    for cycle, start, counted, solution in parts:
        steps.setdefault(cycle, []).append(_moved(solution, start, counted))
    whole = pybamm.Solution.from_sub_solutions([s for several in steps.values() for s in several])
    cycles: list[pybamm.Solution | None] = []
    for number in range(1, max(steps) + 1):
        cycles.append(_cycle(steps[number]) if number in steps else None)
    whole.cycles = cycles
    return whole


def _cycle(steps: list[pybamm.Solution]) -> pybamm.Solution:
    cycle = pybamm.Solution.from_sub_solutions(steps)
    cycle.steps = steps
    return cycle


def _moved(
    solution: pybamm.Solution, start: float, counted: tuple[float, float]
) -> pybamm.Solution:
    """The same with another time of its start, and counters that go on."""
    hermite = solution.hermite_interpolation
    slopes = solution.all_yps if hermite else [None] * len(solution.all_ts)
    parts = zip(
        solution.all_ts, solution.all_ys, slopes, solution.all_models, solution.all_inputs,
        strict=True,
    )  # fmt: skip
    first, last = solution.t[0], -np.inf
    shifts: dict[str, float] = {}
    all_ts, all_ys, all_yps = [], [], []
    for t, y, yp, model, inputs in parts:
        t = t - first + start
        if last == -np.inf and start > 0:
            # right after the step before, whose last point is another state: the current jumps
            t[0] += max(OFFSET, 2 * np.spacing(start))
        # late in a test the first steps of a solver are shorter than what a number can tell apart
        kept = np.diff(t, prepend=last) > 0
        kept[0] = kept[0] or last == -np.inf
        y = np.array(y)
        for name, before in zip(COUNTERS, counted, strict=True):
            place, low, scale = _counter(model, name, inputs)
            y[place] += shifts.setdefault(name, (before - low) / scale - y[place, 0])
        all_ts.append(t[kept])
        all_ys.append(y[:, kept])
        all_yps.append(None if yp is None else np.asarray(yp)[:, kept])
        last = t[-1]
    return pybamm.Solution(
        all_ts,
        all_ys,
        solution.all_models,
        solution.all_inputs,
        termination=solution.termination,
        all_yps=all_yps if hermite else None,
        options=solution.user_options,
    )


def _counter(
    model: pybamm.BaseModel, name: str, inputs: dict[str, Any]
) -> tuple[int, float, float]:
    """Place of a counter among the states, its value where the state is 0, and its scale."""
    variable = next(variable for variable in model.y_slices if variable.name == name)
    reference, scale = (
        float(np.squeeze(symbol.evaluate(inputs=inputs)))
        for symbol in (variable.reference, variable.scale)
    )
    return model.y_slices[variable][0].start, reference, scale
