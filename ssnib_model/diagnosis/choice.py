"""Which parameters are fitted, which vary with them, and which make no difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.fits.data import CAPACITY, CHARGE_CAPACITY, GAP, VOLTAGE, Data
from ssnib_model.fits.free import SET, UNIFORM, Free
from ssnib_model.fits.problem import FitProblem
from ssnib_model.solvers.choice import USUAL, Named, Solver, named

#: A parameter is fitted if the data leave less than this part of what its range leaves open.
TOLD = 0.5

#: One that moves all data together by less than this, in standard deviations, over its range as
#: a standard deviation, is held.
NOTICED = 0.3

#: Parameters that are fitted unless they are named, at most: those that the data tell best.
MOST_FITTED = 8

#: Standard deviations of a value without a range that its bounds are away.
WIDE = 3.0

#: Tolerances of the structured solver, a third faster than the usual ones, with which a voltage of
#: a rate test is 0.01 mV off, and errors of the data beside which that is nothing.
COARSE = (1e-4, 1e-6)
ENOUGH = {VOLTAGE: 1e-3, GAP: 1e-3, CAPACITY: 0.1, CHARGE_CAPACITY: 0.1}


@dataclass
class Chosen:
    """The parts that the parameters of a set have in a diagnosis.

    Attributes
    ----------
    fitted : list of Free
        Fitted, and conditioned on the data.
    varied : list of Free
        Not fitted, but no draw of the parameters takes their value in the set for granted: each
        varies over its range as far as the data allow.
    held : dict of str to str
        Why others keep their value, by name.
    jacobian : numpy.ndarray
        Derivatives of the residuals of the data at the values of the set: columns of those that
        are fitted, then of those that vary.
    """

    fitted: list[Free]
    varied: list[Free]
    held: dict[str, str]
    jacobian: np.ndarray

    @property
    def all(self) -> list[Free]:
        """Fitted and varied."""
        return [*self.fitted, *self.varied]


def choose(
    parameters: ParameterSet,
    data: Sequence[Data],
    wanted: Iterable[Free | str] | None,
    model: str,
    solver: Solver,
    hold: bool = False,
) -> Chosen:
    """Decide by what the data say about every uncertain parameter of the set together.

    The derivatives of the data at the values of the set, and the ranges as priors of variance
    range²/12, give what would be known of each parameter (Fisher information). Those of which the
    data leave less than `TOLD` open are fitted. Those that the data notice but do not tell vary
    over their ranges. The rest is held; with ``hold`` all that is not fitted is.

    Raises
    ------
    OptionError
        If a parameter that is to be fitted cannot be, or there is none that could be.
    SSNIBError
        If nothing can be simulated with the values of the set.
    """
    given = [Free(f) if isinstance(f, str) else f for f in wanted or ()]
    uncertain, held = candidates(parameters, data)
    named = {f.name for f in given}
    both = [*given, *(f for f in uncertain if f.name not in named)]
    if not both:
        raise OptionError(
            f"{parameters.name} has no value with a range or a standard deviation that these data "
            "depend on: name what is to be fitted (fit, --fit), with its bounds"
        )
    problems = Problems.of(parameters, data, both, model, solver)
    problem = problems.quick
    answer = problem.answer(problem.start())
    if not answer.is_there:
        raise SSNIBError(
            f"nothing of these data can be simulated with the values of {parameters.name}: "
            f"{next(reason for reason in answer.reasons if reason)}"
        )
    jacobian = problems.derivatives(problem.start())
    priors = np.array([width**2 for _, width in (f.unit_prior for f in problem.free)])
    known = np.linalg.inv(jacobian.T @ jacobian + np.diag(1 / priors))
    left = np.sqrt(np.diag(known) / priors)
    noticed = np.sqrt((jacobian**2).sum(axis=0) * priors)
    if not hold:
        small = np.flatnonzero(noticed < NOTICED)
        noticed[small] = np.maximum(noticed[small], at_ends(problem, answer.values, small))
    if not given:
        order = [i for i in np.argsort(left) if left[i] < TOLD] or [int(np.argmin(left))]
        fitted = [int(i) for i in order[:MOST_FITTED]]
    else:
        fitted = list(range(len(given)))
    varied = []
    for i in sorted(set(range(len(both))) - set(fitted)):
        if hold:
            held[both[i].name] = "not fitted, and nothing else was to vary"
        elif noticed[i] >= NOTICED:
            varied.append(i)
        else:
            held[both[i].name] = (
                f"no difference to these data: {noticed[i]:.2g} standard deviations of all of "
                "them together, over its range and by the values of the set for all else"
            )
    columns = [*fitted, *varied]
    return Chosen([both[i] for i in fitted], [both[i] for i in varied], held, jacobian[:, columns])


def candidates(
    parameters: ParameterSet, data: Sequence[Data]
) -> tuple[list[Free], dict[str, str]]:
    """What is uncertain in a set, and why everything else is held."""
    found, held = [], {}
    for name, info in parameters.given.items():
        uncertainty = info.uncertainty or {}
        if not isinstance(info.value, float):
            held[name] = "a function"
        elif all(name in d.ignores() for d in data):
            held[name] = "set by the measurements themselves"
        elif "range" in uncertainty:
            low, high = uncertainty["range"]
            if low < high:
                found.append(Free(name))
            else:
                held[name] = "its range has no width"
        elif "sd" in uncertainty and info.kind != "fitted":
            quantity, away = parameters.quantity(name), WIDE * uncertainty["sd"]
            low, high = max(info.value - away, quantity.low), min(info.value + away, quantity.high)
            found.append(Free(name, low, high, prior=SET))
        else:
            held[name] = f"{info.kind}, without a range in the set: taken as exact"
    return found, held


def at_ends(problem: FitProblem, values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """How far both ends of some ranges move the data, as their derivatives tell it of others.

    A parameter may make no difference at the values of the set, and one far from them: an
    electrode in excess. If all together make none at their lower and upper ends, none does.
    """

    def moved(changes: dict[int, float]) -> float:
        unit = problem.start()
        for i, value in changes.items():
            unit[i] = value
        there = problem.simulate(unit)
        off = (there - values) / problem.sigma
        # a value that is gone is a difference as well
        off = np.where(np.isfinite(there) == np.isfinite(values), off, problem.measured)
        return float(np.sqrt(np.nansum(off**2)) / UNIFORM**0.5)

    found = np.zeros(len(columns))
    for end in (0.0, 1.0):
        if moved(dict.fromkeys(columns.tolist(), end)) < NOTICED:
            continue
        for place, i in enumerate(columns):
            found[place] = max(found[place], moved({int(i): end}))
    return found


@dataclass(frozen=True)
class Problems:
    """One problem twice: to take differences of, and as exact as a look needs.

    Attributes
    ----------
    exact, quick : FitProblem
        With the same data and free parameters.
    """

    exact: FitProblem
    quick: FitProblem

    @classmethod
    def of(
        cls,
        parameters: ParameterSet,
        data: Sequence[Data],
        free: Sequence[Free],
        model: str,
        solver: Solver,
    ) -> Problems:
        """From what `FitProblem` takes."""
        given, loose = (parameters, data, free, model), named(solver, USUAL)
        if isinstance(loose, Named) and all(_is_coarse(d) for d in data):
            loose = replace(loose, structured=COARSE)
        return cls(FitProblem(*given, solver), FitProblem(*given, loose))

    def derivatives(self, unit: np.ndarray) -> np.ndarray:
        """Of the residuals of the data, shape (n, k)."""
        return self.exact.jacobian(unit)[: len(self.exact.measured)]


def _is_coarse(d: Data) -> bool:
    """Whether the errors of all its values are far above those of the solver at `COARSE`."""
    return all(s >= ENOUGH.get(kind, 0.0) for kind, s in zip(d.kinds, d.sigma, strict=True))
