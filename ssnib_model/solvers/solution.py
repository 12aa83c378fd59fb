"""The structured solver's answer as a `pybamm.Solution`, worked out when it is first asked."""

from __future__ import annotations

import collections
import functools
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import pybamm

from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.solvers.controlled import (
    END_EVENTS,
    Piece,
    control_inputs,
    controlled,
    end_inputs,
    is_plain,
    pieces,
)
from ssnib_model.solvers.preflight import CURRENT
from ssnib_model.solvers.state import scaling
from ssnib_model.solvers.terminals import Terminals
from ssnib_model.solvers.vectors import CHARGE, ENERGY, NEAR, Record, States
from ssnib_model.steps import End, Step

#: Solutions that a prepared test keeps although nobody else does: those asked for last.
KEPT = 16


class Recorded(Protocol):
    """A segment that can tell again what happened in it."""

    #: What is applied at the current of the record.
    terminals: Terminals

    def record(self) -> Record:
        """All that the solver followed."""


class LazySolution(pybamm.Solution):
    """A ``pybamm.Solution`` without content until something of it is asked for.

    PyBaMM keeps the parts of a solution in slots. As long as they are empty, whoever reads or
    sets one of them calls for the work first.
    """

    __slots__ = ("_work_out",)

    @classmethod
    def of(cls, work_out: Callable[[], dict[str, Any]]) -> LazySolution:
        """A solution of which ``work_out`` gives the arguments when they are needed."""
        solution = cls.__new__(cls)
        object.__setattr__(solution, "_work_out", work_out)
        return solution

    def __getattr__(self, name: str) -> Any:
        if name == "_work_out" or not self._is_empty:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        self._fill()
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_empty:
            self._fill()
        object.__setattr__(self, name, value)

    @property
    def _is_empty(self) -> bool:
        return hasattr(self, "_work_out")

    def _fill(self) -> None:
        arguments = self._work_out()
        object.__delattr__(self, "_work_out")
        self.__init__(**arguments)  # type: ignore[misc]

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._is_empty:
            return LazySolution.of, (self._work_out,)
        return super().__reduce_ex__(protocol)


class Solutions:
    """Makes the solutions of one model, which is discretised once for all of them.

    Parameters
    ----------
    model : SolidStateBaseModel
        One that the structured solver takes.
    values : pybamm.ParameterValues
        Its parameters; the current and both cut-offs inputs, and others as well.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``; default: those of the model.
    """

    def __init__(
        self,
        model: SolidStateBaseModel,
        values: pybamm.ParameterValues,
        var_pts: dict[Any, int] | None = None,
    ):
        self._given = model, values, var_pts
        self._forget()

    def _forget(self) -> None:
        self._of: weakref.WeakKeyDictionary[Recorded, weakref.ref[Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._latest: collections.deque[pybamm.Solution] = collections.deque(maxlen=KEPT)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._given  # the rest is made again

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._given = state
        self._forget()

    def of(
        self,
        segment: Recorded,
        step: Step,
        end: End | None,
        inputs: Mapping[str, float],
        passed: tuple[float, float],
    ) -> pybamm.Solution:
        """The solution of a segment; costs nothing until it is asked for something.

        The same one again as long as it is among the latest or somebody keeps it.

        Parameters
        ----------
        segment : Recorded
            It stays alive with the solution, but not the other way round.
        step : Step
            What was done.
        end : End or None
            The end that was reached; None: its time was over.
        inputs : mapping
            Values of the inputs in the step.
        passed : tuple of float
            The variables "Discharge capacity [A.h]" and "Discharge energy [W.h]" at its start.
        """
        known = self._of.get(segment)
        solution = known() if known else None
        if solution is None:
            work_out = functools.partial(self._work_out, segment, step, end, inputs, passed)
            solution = LazySolution.of(work_out)
            self._of[segment] = weakref.ref(solution)
            self._latest.append(solution)
        return solution

    @functools.cached_property
    def _states(self) -> States:
        model, values, _ = self._given
        return States(model, values)

    @functools.cached_property
    def _plain(self) -> pybamm.BaseModel:
        """The model as it is, for steps at a constant current."""
        return self._discretised(self._given[0].new_copy())

    @functools.cached_property
    def _controlled(self) -> pybamm.BaseModel:
        """The one whose current is a state, for all others."""
        return self._discretised(controlled(self._given[0]))

    def _discretised(self, model: pybamm.BaseModel) -> pybamm.BaseModel:
        _, values, var_pts = self._given
        simulation = pybamm.Simulation(model, parameter_values=values, var_pts=var_pts)
        simulation.build()
        return simulation.built_model

    def _inputs(
        self, step: Step, piece: Piece, inputs: Mapping[str, float], charge: float
    ) -> dict[str, np.ndarray]:
        """All inputs of the model, in an order that is the same for all its solutions."""
        _, values, _ = self._given
        known = [n for n, value in values.items() if isinstance(value, pybamm.InputParameter)]
        if is_plain(step):
            imposed = {**end_inputs(step), CURRENT: piece.value}
            imposed = {name: value for name, value in imposed.items() if name in known}
        else:
            imposed = control_inputs(step, piece, charge)
        found = {name: inputs[name] for name in known if name in inputs} | imposed
        return {name: np.array([float(found[name])]) for name in sorted(found)}

    def _work_out(
        self,
        segment: Recorded,
        step: Step,
        end: End | None,
        inputs: Mapping[str, float],
        passed: tuple[float, float],
    ) -> dict[str, Any]:
        """Arguments of a ``pybamm.Solution``."""
        model = self._plain if is_plain(step) else self._controlled
        record = segment.record()
        done = [piece for piece in pieces(step) if piece.start < (1 - 2 * NEAR) * record.t[-1]]
        all_inputs = [self._inputs(step, piece, inputs, passed[0]) for piece in done]
        bends = np.array([piece.start for piece in done[1:]])

        def voltage(times: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
            ys = _vectors(model, all_inputs[0], values | {ENERGY: np.zeros((times.size, 1))})
            return pybamm.Solution(times, ys, model, all_inputs[:1])["Voltage [V]"].entries

        t, values, rates = self._states(record, inputs, passed, bends, voltage, segment.terminals)
        ys = _vectors(model, all_inputs[0], values)
        yps = _vectors(model, all_inputs[0], rates, rates=True)
        # as by PyBaMM, a part for each piece of a profile, and no time twice
        parts = np.searchsorted(t, bends, side="right")
        arguments: dict[str, Any] = {
            "all_ts": np.split(t, parts),
            "all_ys": np.split(ys, parts, axis=1),
            "all_yps": np.split(yps, parts, axis=1),
            "all_models": [model] * len(done),
            "all_inputs": all_inputs,
        }
        if end is not None:
            event = END_EVENTS[end.measure, end.rising]
            arguments |= {"termination": f"event: {event}", "t_event": t[-1:]}
            arguments["y_event"] = ys[:, -1]
        return arguments


def _vectors(
    model: pybamm.BaseModel,
    inputs: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    rates: bool = False,
) -> np.ndarray:
    """State vectors of a discretised model, or their derivatives, one a column."""
    vectors = np.empty((model.len_rhs_and_alg, len(values[CHARGE])), order="F")
    for variable, (where,) in model.y_slices.items():
        place, block = vectors[where], np.transpose(values.get(variable.name, []))
        if block.shape != place.shape:
            raise ValueError(f'"{variable.name}" has shape {block.shape}, not {place.shape}')
        scale, reference = scaling(variable, inputs)
        place[:] = (block if rates else block - reference) / scale
    return vectors
