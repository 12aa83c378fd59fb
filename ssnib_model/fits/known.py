"""What is known of the free parameters before another measurement: values and information."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.files import read_bytes
from ssnib_model.fits.free import Bounded, Free
from ssnib_model.fits.problem import FitProblem
from ssnib_model.runs.designs import is_wide, own_range, own_ranges
from ssnib_model.words import short

MAX_SIZE = 100_000_000


@runtime_checkable
class Fitted(Protocol):
    """What is asked of a `FitResult`."""

    problem: FitProblem
    unit: np.ndarray
    jacobian: np.ndarray

    @property
    def widening(self) -> float:
        """Factor of the standard errors in a misfit."""


@dataclass(frozen=True)
class Known:
    """The state of knowledge that a candidate adds to.

    Attributes
    ----------
    parameters : ParameterSet
        The cell; what is free has values beside it.
    free : list of Bounded
        What is not known exactly.
    unit : numpy.ndarray
        The best point on the unit scale, shape (k,).
    information : numpy.ndarray
        Inverse covariance that measured data leave on that scale, shape (k, k), without priors.
    model : str
        "dfn" or "spm".
    widening : float
        Factor of all standard deviations because the model does not describe the data.
    origin : str
        Where this comes from, for people.
    """

    parameters: ParameterSet
    free: list[Bounded]
    unit: np.ndarray
    information: np.ndarray
    model: str
    widening: float
    origin: str

    @property
    def precision(self) -> np.ndarray:
        """Inverse covariance with the priors, shape (k, k)."""
        return self.information / self.widening**2 + np.diag(
            [f.unit_prior[1] ** -2 for f in self.free]
        )

    def values(self, data: str | None) -> dict[str, float]:
        """Values by name of what is free and holds for a data set (or for none by name)."""
        return {
            f.name: f.from_unit(u)
            for f, u in zip(self.free, self.unit, strict=True)
            if f.applies_to(data)
        }


def of_problem(problem: FitProblem, unit: np.ndarray, widening: float, origin: str) -> Known:
    """What data say at a point."""
    of_data = problem.jacobian(unit)[: len(problem.measured)]
    return _of_rows(problem, unit, of_data, widening, origin)


def _of_rows(
    problem: FitProblem, unit: np.ndarray, rows: np.ndarray, widening: float, origin: str
) -> Known:
    return Known(
        problem.parameters, problem.free, unit, rows.T @ rows, problem.model, widening, origin
    )


def of_fit(result: Fitted, more: Iterable[Free] = ()) -> Known:
    """What a fit has found; ``more`` that it held at one value is free as well."""
    names, base = ", ".join(d.name for d in result.problem.data), result.problem
    origin, more = f"a fit to {names}", list(more)
    if not more:
        rows = result.jacobian[: len(base.measured)]
        return _of_rows(base, result.unit, rows, result.widening, origin)
    wider = FitProblem(base.parameters, base.data, [*base.free, *more], base.model, base.solver)
    unit = np.append(result.unit, wider.start()[len(result.unit) :])
    found = of_problem(wider, unit, result.widening, origin)
    labels = ", ".join(f.label for f in more)
    return replace(found, origin=f"{origin}, with {labels} free besides")


def of_set(parameters: ParameterSet, free: Iterable[Free | str] | None, model: str) -> Known:
    """What a set says of its own values: priors and ranges, no data."""
    if free is None:
        chosen: list[Free] = uncertain(parameters)
    else:
        several = [free] if isinstance(free, str | Free) else free
        chosen = [f if isinstance(f, Free) else of_name(parameters, f) for f in several]
    if not chosen:
        raise OptionError(
            f"{parameters.name} has no parameter with a range that a rate test reads: name what "
            "is free, with bounds"
        )
    for f in chosen:
        if f.data is not None:
            raise OptionError(f'"{f.label}": there is no data set in a parameter set')
    bounded = [f.completed(parameters) for f in chosen]
    labels = [f.label for f in bounded]
    if len(set(labels)) < len(labels):
        raise OptionError(f"the free parameters are {labels}: they must differ")
    for f in bounded:
        if not f.low <= parameters[f.name] <= f.high:
            raise OptionError(
                f'"{f.name}" is {parameters[f.name]:g} in {parameters.name}, outside of its '
                f"bounds {f.low:g} and {f.high:g}"
            )
    unit = np.array([f.to_unit(parameters[f.name]) for f in bounded])
    nothing = np.zeros((len(unit), len(unit)))
    origin = f"the set {parameters.name} with the ranges and standard deviations of its values"
    return Known(parameters, bounded, unit, nothing, model, 1.0, origin)


def uncertain(parameters: ParameterSet) -> list[Free]:
    """All that a set is unsure of and a rate test reads, with bounds and priors."""
    return [of_name(parameters, name) for name in own_ranges(parameters)]


def of_name(parameters: ParameterSet, name: str) -> Free:
    """A parameter as the set knows it: a standard deviation as prior, or else a range."""
    info = parameters.info(name)
    bounds = own_range(parameters, name)
    if bounds is None or not isinstance(info.value, float):
        raise OptionError(
            f'"{name}" has neither a range nor a standard deviation in {parameters.name}: give '
            "its bounds"
        )
    low, high = bounds
    log = is_wide(low, high)
    deviation = (info.uncertainty or {}).get("sd")
    prior = None
    if deviation and deviation > 0:
        prior = (info.value, deviation / info.value if log else deviation)
    return Free(name, low, high, log, prior)


def of_file(path: str | Path) -> Known:
    """What ``fit.json`` holds, beside the fitted set that was written with it.

    Raises
    ------
    OptionError
        If the file cannot be read, or is none of a fit of this version.
    """
    file = Path(path)
    file = file / "fit.json" if file.is_dir() else file
    try:
        document = json.loads(read_bytes(file, MAX_SIZE))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not JSON"
        raise OptionError(f"{file}: cannot be read: {why}") from error
    known = document.get("known") if isinstance(document, dict) else None
    if not isinstance(known, dict):
        raise OptionError(
            f'{file}: has no "known", which ssnib fit writes: it is no result of a fit, or one of '
            "an earlier version; fit again"
        )
    try:
        free = [
            Bounded(
                str(f["name"]), float(f["low"]), float(f["high"]), bool(f["log"]),
                None if f["prior"] is None else (float(f["prior"][0]), float(f["prior"][1])),
                None if f["data"] is None else str(f["data"]),
            )
            for f in known["free"]
        ]  # fmt: skip
        unit, information = (np.array(known[k], float) for k in ("unit", "information"))
        model, widening = str(document["model"]), float(known["widening"])
        measured = list(map(str, known["data"]))
    except (LookupError, TypeError, ValueError) as error:
        raise OptionError(f'{file}: its "known" is not as ssnib fit writes it: {error}') from error
    k = len(free)
    finite = np.isfinite(unit).all() and np.isfinite(information).all()
    good = unit.shape == (k,) and information.shape == (k, k) and finite and k > 0
    if not (good and math.isfinite(widening) and widening >= 1):
        raise OptionError(f'{file}: its "known" is not as ssnib fit writes it: {short(known)}')
    origin = f"a fit to {', '.join(measured)} ({file})"
    return Known(ParameterSet(file.parent), free, unit, information, model, widening, origin)


def to_dict(known: Known, data: Iterable[str]) -> dict[str, Any]:
    """What `of_file` reads."""
    return {
        "free": [
            {"name": f.name, "low": f.low, "high": f.high, "log": f.log, "data": f.data,
             "prior": None if f.prior is None else list(f.prior)}
            for f in known.free
        ],
        "unit": known.unit.tolist(),
        "information": known.information.tolist(),
        "widening": known.widening,
        "data": list(data),
    }  # fmt: skip
