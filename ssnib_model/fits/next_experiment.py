"""Which further measurement sharpens an answer most: linear Bayesian design of experiments.

With the derivatives J of the values of a measurement (in their standard deviations) and g of an
answer, the variance of the answer is g' C g, and C = (P + J' J)^-1, where P is the inverse
covariance before: what was measured, and the priors (Chaloner & Verdinelli, Stat. Sci. 10 (1995)
273: c-optimal for one answer, D-optimal for all parameters together).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pybamm
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.fits import known as knowing
from ssnib_model.fits.answers import Answer, answer_of
from ssnib_model.fits.candidate_text import candidate_of
from ssnib_model.fits.candidates import NOISE, Candidate, Spectrum, default_candidates
from ssnib_model.fits.data import Data, check_sigma
from ssnib_model.fits.free import Free
from ssnib_model.fits.known import Fitted, Known
from ssnib_model.fits.next_result import Gain, NextExperiment
from ssnib_model.fits.problem import FitProblem
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.words import short


def next_experiment(
    known: Fitted | FitProblem | ParameterSet | str | Path,
    answer: str,
    *,
    free: Iterable[Free | str] | None = None,
    candidates: Iterable[Candidate | str] | None = None,
    data: str | None = None,
    test: RateTest | None = None,
    sigma: Mapping[str, float] | None = None,
    model: str | None = None,
    solver: Solver = AUTO,
    progress: bool = False,
) -> NextExperiment:
    """Rank measurements by how much each would shrink the band of an answer.

    The model says what each measurement would give and how that, and the answer, depend on what
    is not known; nothing has to be measured for it. All is linear around the best point.

    Parameters
    ----------
    known : FitResult, FitProblem, ParameterSet, str or Path
        What is known: a fit; its folder or ``fit.json``; or a set, whose standard deviations and
        ranges are priors.
    answer : str
        What is to be known better: the name of a parameter; "capacity at 2 C", also of energy,
        polarization and other results of a rate test; "resistance at 50 %" (of charge; "after
        10 s" may follow); "Na3PS4 layer overpotential at 1 C".
    free : iterable of Free or str, optional
        What is not known exactly. Of a set, default: all that it gives a range or standard
        deviation of and that a rate test reads. Of a fit: parameters that it held at one value
        and that are free besides; the data of the fit say what they do about them. A name alone
        takes standard deviation or range of the set.
    candidates : iterable of Candidate or str, optional
        The measurements; as text, see `ssnib_model.fits.candidate_text.candidate_of`, "rates 0.2
        0.5 1" for example. Default: usual ones for the cell.
    data : str, optional
        Data set of the fit whose own values of parameters hold for answer and candidates, which
        are then measurements of the same cell.
    test : RateTest, optional
        The protocol that a result of a rate test is of; default: its rate alone.
    sigma : mapping, optional
        Standard deviations of the candidates by quantity, as
        `ssnib_model.fits.candidates.NOISE`, which is the default.
    model : str, optional
        "spm" or "dfn"; default: that of the fit, and "spm" for a set. Spectra are always those
        of the full model.
    solver : str, pybamm.BaseSolver or StructuredSolver, optional
        As for `fit`.
    progress : bool, optional
        Whether to show a progress bar on stderr.

    Returns
    -------
    NextExperiment

    Raises
    ------
    OptionError
        For anything of this that is not allowed, or an answer that does not depend on what is
        free.
    SSNIBError
        If the answer has no value for the cell as it is.

    Examples
    --------
    >>> cell = ParameterSet("Hu2024")
    >>> free = ["Na3PS4 layer conductivity [S.m-1]"]
    >>> found = next_experiment(
    ...     cell, "polarization at 1 C", free=free, candidates=["spectrum 0.5", "rates 0.2"]
    ... )
    >>> found.best
    'spectrum 0.5'
    """
    if model is not None and model not in MODELS:
        raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
    with compilation_shown(progress):
        before = _known(known, free, model)
        return _ranked(before, answer, candidates, data, test, sigma, solver, progress)


def _ranked(
    known: Known,
    answer: str,
    candidates: Iterable[Candidate | str] | None,
    data: str | None,
    test: RateTest | None,
    sigma: Mapping[str, float] | None,
    solver: Solver,
    progress: bool,
) -> NextExperiment:
    named = sorted({f.data for f in known.free if f.data is not None})
    if data is not None and data not in named:
        raise OptionError(f"data is {data!r}: only {named or 'no data set'} has values of its own")
    check_sigma("sigma", dict(sigma or {}), list(NOISE))
    parameters = known.parameters.replace(known.values(data))
    asked = answer_of(answer, parameters, known.model, test)
    chosen = _candidates(candidates, parameters)
    value, gradient = _slope(asked, known, data, solver)
    covariance = np.linalg.inv(known.precision)
    scale = _scale(asked, known, value, data)
    gradient = gradient / scale
    gains = []
    for candidate in tqdm(chosen, desc="Candidates", unit="candidate", disable=not progress):
        gains.append(_gain(candidate, known, data, sigma, gradient, solver))
    return NextExperiment(
        known=known,
        answer=asked.name,
        unit=asked.unit,
        value=value,
        is_log=scale != 1.0,
        bounds=_bounds(asked, known, data),
        deviation=float(np.sqrt(gradient @ covariance @ gradient)),
        gains=gains,
        assumptions=_assumptions(asked, known, data, sigma),
    )


def _known(known: Any, free: Iterable[Free | str] | None, model: str | None) -> Known:
    """What is known, whatever says so."""
    several = [free] if isinstance(free, str | Free) else None if free is None else list(free)
    if isinstance(known, ParameterSet):
        return knowing.of_set(known, several, model or "spm")
    if isinstance(known, Fitted):
        base = known.problem.parameters
        more = [f if isinstance(f, Free) else knowing.of_name(base, f) for f in several or []]
        found = knowing.of_fit(known, more)
    elif several is not None:
        raise OptionError(
            "free is for a set, or for a fit as ss.fit gives it: a file holds no data to ask what "
            "they say about more parameters"
        )
    elif isinstance(known, FitProblem):
        names = ", ".join(d.name for d in known.data)
        found = knowing.of_problem(known, known.start(), 1.0, f"data as {names}, not fitted")
    elif isinstance(known, str | Path):
        found = knowing.of_file(known)
    else:
        raise OptionError(
            f"known is {short(known)}: a fit, its folder, or a parameter set is needed"
        )
    return found if model is None else dataclasses.replace(found, model=model)


def _candidates(
    candidates: Iterable[Candidate | str] | None, parameters: ParameterSet
) -> list[Candidate]:
    if candidates is None:
        return default_candidates(parameters)
    several = [candidates] if isinstance(candidates, str | Candidate) else list(candidates)
    found = []
    for one in several:
        if not isinstance(one, str | Candidate):
            raise OptionError(f"{short(one)} is no candidate: a Candidate or a text is needed")
        found.append(candidate_of(one, parameters) if isinstance(one, str) else one)
    names = [c.name for c in found]
    if not names or len(set(names)) < len(names):
        raise OptionError(f"the candidates are {names}: at least one, with different names")
    return found


def _problem(
    data: Data, cell: ParameterSet, known: Known, columns: list[int], solver: Solver
) -> FitProblem:
    """Data of a cell on which some of what is free has an effect."""
    free = [dataclasses.replace(known.free[i], data=None) for i in columns]
    return FitProblem(cell, [data], free, known.model, solver)


def _columns(known: Known, data: str | None, but: Iterable[str]) -> list[int]:
    excluded = set(but)
    return [i for i, f in enumerate(known.free) if f.applies_to(data) and f.name not in excluded]


def _slope(
    answer: Answer, known: Known, data: str | None, solver: Solver
) -> tuple[float, np.ndarray]:
    """Value and gradient of an answer on the unit scale, shape (k,)."""
    columns = _columns(known, data, answer.ignores())
    gradient = np.zeros(len(known.free))
    if not columns:
        raise OptionError(f'"{answer.name}" depends on nothing that is free')
    cell = known.parameters.replace(known.values(data))
    problem = _problem(answer, cell, known, columns, solver)
    unit = known.unit[columns]
    found = problem.answer(unit)
    if not found.is_there:
        raise SSNIBError(f'"{answer.name}" has no value for the cell as it is: {found.reasons[0]}')
    gradient[columns] = problem.jacobian(unit)[0]
    if not gradient.any():
        raise OptionError(
            f'"{answer.name}" does not depend on anything that is free: '
            f"{', '.join(f.label for f in known.free)}"
        )
    return float(found.values[0]), gradient


def _own(answer: Answer, known: Known, data: str | None) -> Any:
    """The free parameter that an answer is itself, if it is one."""
    if answer.found_by:
        return None
    return next((f for f in known.free if f.name == answer.name and f.applies_to(data)), None)


def _scale(answer: Answer, known: Known, value: float, data: str | None) -> float:
    """What turns a change of the answer into one on the scale of its band: a factor's logarithm
    where it is a parameter whose logarithm is free."""
    own = _own(answer, known, data)
    return value if own is not None and own.log else 1.0


def _bounds(answer: Answer, known: Known, data: str | None) -> tuple[float, float]:
    own = _own(answer, known, data)
    return (-np.inf, np.inf) if own is None else (own.low, own.high)


def _gain(
    candidate: Candidate,
    known: Known,
    data: str | None,
    sigma: Mapping[str, float] | None,
    gradient: np.ndarray,
    solver: Solver,
) -> Gain:
    """What a candidate adds."""
    k = len(known.free)
    try:
        rows, lacking = _rows(candidate, known, data, sigma, solver)
    except (SSNIBError, pybamm.SolverError) as error:
        reason = str(error).splitlines()[0]
        return Gain(candidate, np.nan, np.full(k, np.nan), np.nan, 0, f"no answer: {reason}")
    before = np.linalg.inv(known.precision)
    precision = known.precision + rows.T @ rows / known.widening**2
    after = np.linalg.inv(precision)
    shares = np.sqrt(np.diag(after) / np.diag(before))
    # the mean shrink of the axes of the ellipsoid of all parameters together
    volume = np.exp(
        0.5 * (np.linalg.slogdet(known.precision)[1] - np.linalg.slogdet(precision)[1]) / k
    )
    status = "ok" if not lacking else f"{lacking} of {len(rows) + lacking} values are not there"
    deviation = float(np.sqrt(gradient @ after @ gradient))
    return Gain(candidate, deviation, shares, float(volume), len(rows), status)


def _rows(
    candidate: Candidate,
    known: Known,
    data: str | None,
    sigma: Mapping[str, float] | None,
    solver: Solver,
) -> tuple[np.ndarray, int]:
    """Derivatives of a candidate's values over their standard deviations, shape (n, k), and how
    many values there are not."""
    cell = candidate.cell(known.parameters.replace(known.values(data)))
    planned = candidate.data(cell)
    columns = _columns(known, data, {*candidate.changes, *planned.ignores()})
    if isinstance(candidate.measures, Spectrum):
        # each column costs two spectra
        read = cell.to_pybamm().keys()
        columns = [
            i for i in columns
            if not cell.dependents([known.free[i].name]).isdisjoint(read)
        ]  # fmt: skip
    columns = [i for i in columns if known.free[i].name in cell]
    if not columns:
        return np.zeros((0, len(known.free))), 0
    problem = _problem(planned, cell, known, columns, solver)
    unit = known.unit[columns]
    found = problem.answer(unit)
    if not found.is_there:
        raise SSNIBError(found.reasons[0])
    there = np.isfinite(found.values)
    noise = candidate.noise(planned, found.values, sigma)
    rows = np.zeros((len(there), len(known.free)))
    rows[:, columns] = problem.jacobian(unit)[: len(there)] / noise[:, None]
    return rows[there], int((~there).sum())


def _assumptions(
    answer: Answer, known: Known, data: str | None, sigma: Mapping[str, float] | None
) -> list[str]:
    """All that the ranking rests on, one sentence each."""
    said = [f"what is known before is {known.origin}"]
    if answer.found_by:
        said.append(f"{answer.name} is that of {answer.found_by}, by the model {known.model}")
    with_prior = [f.label for f in known.free if f.prior is not None]
    without = [f.label for f in known.free if f.prior is None]
    if with_prior:
        said.append(f"Gaussian priors of {', '.join(with_prior)}")
    if without:
        said.append(
            f"anywhere in its range before anything is measured, as a Gaussian of that variance: "
            f"{', '.join(without)}"
        )
    noise = NOISE | dict(sigma or {})
    values = ", ".join(
        f"{100 * s:g} % of |Z|" if name.startswith("Relative") else _with_unit(name, s)
        for name, s in noise.items()
    )
    said.append(
        f"standard deviations of candidates without their own: {values}; every value that counts "
        "is wrong for itself, and their number is in the table"
    )
    if known.widening > 1:
        said.append(
            f"the model misses the data of the fit by {known.widening:.3g} times their errors: "
            "so it will those of a candidate, whose standard deviations are as much larger"
        )
    held = [f.label for f in known.free if not f.applies_to(data)]
    if held:
        said.append(f"no part in answer and candidates have {', '.join(held)}")
    said += [
        "what is not free is exactly what the set says, in the cells of all candidates too, but "
        "for what a candidate changes",
        "linear around the best point: derivatives are exact where the structured solver gives "
        "them, and central differences elsewhere (spectra, overpotentials, IDAKLU)",
        "what a measurement costs has no part in the ranking",
    ]
    return said


def _with_unit(name: str, value: float) -> str:
    text, _, unit = name.partition(" [")
    return f"{text.lower()} {value:g} {unit.rstrip(']')}"
