"""Steps by a solver that uses the structure of the equations, an order of magnitude faster.

Mesh, extrapolations and coefficients are those of the PyBaMM model, which is the reference
it is tested against. It takes what it lists; everything else is refused by name.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.models.dfn import SolidStateDFN
from ssnib_model.models.losses import AnodeReaction, Film, Interface, Layer
from ssnib_model.models.spm import SolidStateSPM
from ssnib_model.solvers.coefficients import Coefficients, Modes
from ssnib_model.solvers.compiling import numba_problem
from ssnib_model.solvers.preflight import CURRENT
from ssnib_model.solvers.stepper import ANODE_OCP, constant_current, status_of
from ssnib_model.steps import Outcome, Status, Step

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers import kernel

#: The models it has the equations of, and whether they are reduced. Not their subclasses.
MODELS = {SolidStateDFN: False, SolidStateSPM: True}

#: The options it has the equations of; None: any value. An option that is not here is refused.
ACCEPTED: dict[str, tuple[Any, ...] | None] = {
    "electrolyte layers": None,
    "negative electrode": ("alloy", "sodium metal"),
    "positive electrode": ("composite",),
    "composite transport": ("bruggeman", "tortuosity", "percolation"),
    "conductivity form": ("sigma", "sigma T"),
    "particle": ("Fickian diffusion",),
    "size classes": (1,),
    "open-circuit potential": ("single",),
    "thermal": ("isothermal",),
    "surface form": ("false",),
}

#: The losses it has: those of the whole current by their value, that of the film by its law.
LOSSES = (Interface, Layer, AnodeReaction, Film)

#: What to do where it cannot.
INSTEAD = 'use solver="idaklu"'

TOLERANCES = (1e-12, 0.1)

DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"


@dataclass(frozen=True)
class StructuredSolver:
    """Solver of a rate test that uses the structure of the equations.

    To be given as ``solver`` to `RateTest.run` or `RateTest.prepare`, with either model. It
    gives voltage, capacity and energy of every half-cycle.

    Parameters
    ----------
    rtol, atol : float, optional
        Tolerances of the states, which are of order 1.

    Raises
    ------
    SSNIBError
        If numba cannot be imported.
    OptionError
        On use, for a model option or a parameter it has no equations for.

    Examples
    --------
    >>> import ssnib_model as ss
    >>> result = ss.RateTest([0.2, 1]).run(solver=ss.StructuredSolver())
    >>> result.table["Status"].tolist()
    ['ok', 'ok']
    """

    rtol: float = 1e-4
    atol: float = 1e-6

    def __post_init__(self) -> None:
        check_tolerances(self.rtol, self.atol)
        if problem := numba_problem():
            raise SSNIBError(f"the structured solver needs numba: {problem}")

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> StructuredSolver:
        """The solver that ``dataclasses.asdict`` made ``document`` of; checked, it may be bad."""
        if set(document) != {"rtol", "atol"}:
            raise OptionError(f"solver has {sorted(document)}: rtol and atol are needed")
        return cls(**document)


def check_tolerances(rtol: Any, atol: Any) -> None:
    """`OptionError` for tolerances that are none."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not (number and TOLERANCES[0] <= value <= TOLERANCES[1]):
            raise OptionError(
                f"{name} is {value!r}: a tolerance must be a number from {TOLERANCES[0]:g} "
                f"to {TOLERANCES[1]:g}"
            )


class State(NamedTuple):
    """The cell at the end of a step."""

    modes: np.ndarray  #: amplitudes of the modes of every particle, shape (points, shells)
    sodium: float  #: content of the alloy [mol Na per mol Sn]


class Structured:
    """Steps of either model by a `StructuredSolver`.

    Parameters
    ----------
    model : SolidStateDFN or SolidStateSPM
        As the package makes it.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs; the diffusivity a number.
    solver : StructuredSolver
        The tolerances.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``; default: those of the model.

    Raises
    ------
    OptionError
        For a model, an option or a parameter it has no equations for.
    """

    finer = None

    def __init__(
        self,
        model: pybamm.BaseModel,
        values: pybamm.ParameterValues,
        solver: StructuredSolver,
        var_pts: dict[Any, int] | None = None,
    ):
        if lacking := what_it_lacks(model, values, var_pts):
            raise OptionError(f"{lacking}: {INSTEAD}")
        self._solver, self._model = solver, model
        self._is_reduced = MODELS[type(model)]
        self._nx, self._nr = _points(model, var_pts)
        self._coefficients = Coefficients(model, values)

    def start(self, inputs: Mapping[str, float]) -> State:
        """The same composition in every particle."""
        c = self._coefficients.numbers(inputs)
        uniform = np.outer(np.full(self._nx, c["stoichiometry"]), Modes.of(self._nr).uniform)
        return State(uniform, c["alloy content"])

    def step(self, state: State, step: Step, inputs: Mapping[str, float]) -> tuple[Outcome, State]:
        """As `Stepper.step`; the segment is a `StructuredSegment`."""
        from ssnib_model.solvers import kernel

        plain = constant_current(step)
        if isinstance(plain, str):
            return Outcome(Status.FAILED, reason=f"the structured solver has no {plain}"), state
        current, cut_off = plain
        try:
            c, ocp, alloy, alloy_range = self._coefficients({**inputs, CURRENT: current})
        except OptionError as error:
            return Outcome(Status.FAILED, reason=str(error), gave_up=True), state
        modes = Modes.of(self._nr)
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
            alloy_start=state.sodium / alloy_range,
            alloy_rate=c["alloy rate"] / alloy_range,
        )
        amplitudes = state.modes.copy()
        outcome, t, potentials, sto = kernel.integrate(
            cell, amplitudes, cut_off, step.duration, self._solver.rtol, self._solver.atol
        )
        if outcome == kernel.AT_START:
            return Outcome(Status.AT_START, end=step.ends[0]), state
        if outcome != kernel.EVENT:
            gave_up = outcome != kernel.NO_EVENT
            return Outcome(Status.FAILED, reason=kernel.REASONS[outcome], gave_up=gave_up), state
        segment = StructuredSegment(cell, t, potentials, sto, current)
        end = State(amplitudes, state.sodium + c["alloy rate"] * t[-1])
        status = status_of(kernel.anode(cell, 0.0), kernel.anode(cell, t[-1]))
        return Outcome(status, segment, step.ends[0]), end


def what_it_lacks(
    model: pybamm.BaseModel,
    values: pybamm.ParameterValues,
    var_pts: Mapping[Any, int] | None = None,
    steps: Iterable[Step] = (),
) -> str:
    """Why the structured solver cannot do what is asked, one sentence; "" where it can.

    Parameters
    ----------
    model, values, var_pts
        As for `Structured`.
    steps : iterable of Step, optional
        Those of the test.
    """
    if type(model) not in MODELS:
        known = " and ".join(m.__name__ for m in MODELS)
        return (
            f"the structured solver has the equations of {known} only, not those of "
            f"{type(model).__name__}"
        )
    for option, value in model.options.items():
        accepted = ACCEPTED.get(option, ())
        if accepted is not None and value not in accepted:
            words = " or ".join(repr(v) for v in accepted) or "no such option"
            return f'the structured solver has "{option}" = {words} only, not {value!r}'
    for loss in (*model.series_losses(), *model.local_losses()):
        if type(loss) not in LOSSES:
            return f'the structured solver has not the loss "{loss.name}"'
    if _equations(model) != _equations(type(model)(model.options)):
        return (
            "the structured solver has the equations of the model as it is made, and some of "
            "these were changed"
        )
    if callable(values[DIFFUSIVITY]):
        return f'the structured solver has a constant "{DIFFUSIVITY}" only, not a function'
    nx, nr = _points(model, var_pts)
    if nr < 3 or (nx < 2 and not MODELS[type(model)]):
        return (
            f"the structured solver needs at least 3 shells and 2 points, and var_pts is {var_pts}"
        )
    for step in dict.fromkeys(steps):
        if isinstance(plain := constant_current(step), str):
            return f"the structured solver has no {plain}"
    return ""


def _points(model: pybamm.BaseModel, var_pts: Mapping[Any, int] | None) -> tuple[int, int]:
    """Points over the composite and shells of a particle."""
    points = {str(k): n for k, n in {**model.default_var_pts, **(var_pts or {})}.items()}
    return 1 if MODELS[type(model)] else points["x_p"], points["r_p"]


def _equations(model: pybamm.BaseModel) -> list[dict[Any, Any]]:
    """What a model solves, to compare."""
    found = []
    for equations in (model.rhs, model.algebraic, model.initial_conditions):
        found.append({variable.name: equation.id for variable, equation in equations.items()})
    found.append(
        {
            variable.id: {side: (value.id, kind) for side, (value, kind) in sides.items()}
            for variable, sides in model.boundary_conditions.items()
        }
    )
    found.append({name: model.variables[name].id for name in ("Voltage [V]", ANODE_OCP)})
    found.append({event.name: event.expression.id for event in model.events})
    return found


class StructuredSegment:
    """What is known of a step, in the manner of `ssnib_model.steps.Segment`."""

    def __init__(
        self,
        cell: kernel.Cell,
        t: np.ndarray,
        potentials: np.ndarray,
        sto: np.ndarray,
        current: float,
    ):
        self.times = t
        self._cell, self._potentials, self._current = cell, potentials, current
        self._sto = sto

    @property
    def solution(self) -> pybamm.Solution:
        """See `Segment`."""
        raise OptionError(f"the structured solver gives no other variables: {INSTEAD}")

    @property
    def duration(self) -> float:
        """See `Segment`."""
        return float(self.times[-1])

    @property
    def charge(self) -> float:
        """See `Segment`."""
        return self._current * self.duration / 3600

    @functools.cached_property
    def energy(self) -> float:
        """See `Segment`."""
        return float(self._current / 3600 * self._voltage_and_area(self.duration)[1])

    def voltage(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._voltage_and_area(t)[0]

    def current(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return np.full(np.shape(t), self._current)[()]

    def passed(self, t: ArrayLike) -> np.ndarray:
        """See `Segment`."""
        return self._current * np.asarray(t, dtype=float) / 3600

    def _voltage_and_area(self, t: ArrayLike) -> list[np.ndarray]:
        from ssnib_model.solvers import kernel

        times = np.asarray(t, dtype=float)
        both = kernel.voltage(self._cell, self.times, self._potentials, times.ravel())
        return [values.reshape(times.shape)[()] for values in both]

    @property
    def uniformity(self) -> float | None:
        """See `Segment`."""
        from ssnib_model.solvers import kernel

        if not self._cell.reduced:
            return None
        sto = np.interp(self.duration / 2, self.times, self._sto)
        return float(kernel.uniformity(self._cell, sto))
