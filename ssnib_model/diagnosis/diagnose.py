"""From files to what they say of the cell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.diagnosis.ahead import NOTHING, beside, usual_answers
from ssnib_model.diagnosis.choice import Problems, choose
from ssnib_model.diagnosis.diagnosis import Diagnosis
from ssnib_model.diagnosis.draws import Draw, Joint, plausible
from ssnib_model.diagnosis.inputs import read_files
from ssnib_model.diagnosis.kept import Kept
from ssnib_model.diagnosis.limits import half_cycles_of, losses
from ssnib_model.errors import OptionError
from ssnib_model.fits.checkpoint import Outcome
from ssnib_model.fits.free import Free, is_whole
from ssnib_model.fits.result import FitResult
from ssnib_model.models.names import MODELS
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.compiling import compilation_shown
from ssnib_model.words import short

#: Draws of the parameters, and of those whose losses are worked out, as usual.
DRAWS, OF_LOSSES = 40, 12

#: Further starting points for the best one if the first does not describe the data.
AGAIN = 3

#: Fewest draws that bands can be taken of, and most.
FEWEST, MOST = 10, 10_000


def diagnose(
    files: str | Path | Iterable[str | Path],
    parameters: ParameterSet | None = None,
    *,
    fit: Iterable[Free | str] | Free | str | None = None,
    hold: bool = False,
    spectra: Mapping[str | Path, Mapping[str, Any]] | None = None,
    sigma: Mapping[str, float] | None = None,
    start: float | str | None = None,
    cycles: str | Iterable[int] | None = None,
    only: str | Iterable[str] | None = None,
    mass: float | None = None,
    area: float | None = None,
    temperature: float | None = None,
    model: str = "dfn",
    solver: Solver = AUTO,
    answer: str | None = None,
    draws: int = DRAWS,
    workers: int = 1,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool = False,
) -> Diagnosis:
    """What files of measurements say of a cell, and what they leave open.

    Parameters
    ----------
    files : str, Path or iterable of these
        As for `data_from_file`: files of cyclers, tables of rate tests, voltage against capacity.
        One that cannot be used is part of the report, with the reason.
    parameters : ParameterSet, optional
        The cell; default ``ParameterSet("Hu2024")``.
    fit : iterable of Free or str, or one of these, optional
        Parameters to fit, with their bounds or those of the set. Default: those that the data
        tell, by the Fisher information (`ssnib_model.diagnosis.choice.choose`).
    hold : bool, optional
        Whether everything that is not fitted keeps its value in the set. Default: it varies over
        its range, as far as the data allow, wherever that makes a difference to them.
    spectra : mapping, optional
        Settings of `spectrum_from_file` by file, of which ``state`` is needed.
    sigma : mapping, optional
        Standard deviation of the errors by quantity, as for `data_from_file`.
    start, cycles, only, mass, area, temperature : optional
        Of the files of cyclers, as for `MeasuredProtocol`.
    model, solver : optional
        As for `fit`.
    answer : str, optional
        What the next measurement is to make more certain, as for `next_experiment`. Default: the
        capacity at twice the fastest rate of discharge, or a lower one that the cell takes;
        "none" leaves it out.
    workers : int, optional
        2 works out what to measure next in a process beside the draws.
    draws : int, optional
        Draws of the parameters that intervals and bands are taken of.
    seed : int, optional
        Of the random numbers.
    checkpoint : str or Path, optional
        A file that keeps the draws; if it exists, they go on from there.
    progress : bool, optional
        Whether to say on stderr what is done.

    Returns
    -------
    Diagnosis
        Also after Ctrl-C, if there are some draws.

    Raises
    ------
    MeasuredDataError
        If no file can be used.
    OptionError
        For a setting that is not allowed.
    SSNIBError
        If nothing can be simulated, or the checkpoint is of another diagnosis.
    KeyboardInterrupt
        After Ctrl-C before there are draws.

    Examples
    --------
    >>> import ssnib_model as ss
    >>> report = ss.diagnose("test.csv", ss.ParameterSet("Hu2024"))  # doctest: +SKIP
    >>> report.save("report")  # doctest: +SKIP
    """
    began = time.perf_counter()
    parameters = ParameterSet("Hu2024") if parameters is None else parameters
    _check(parameters, model, draws, seed, workers)
    if not (spectra is None or isinstance(spectra, Mapping)):
        raise OptionError(f"spectra is {short(spectra)}: settings by file are needed")
    say = _speaker(progress)
    given = [files] if isinstance(files, str | Path) else list(files)
    say(f"reading {len(given) + len(spectra or {})} file(s)")
    inputs = read_files(
        given,
        parameters,
        spectra=spectra or {},
        sigma=sigma or {},
        settings={
            "start": start, "cycles": cycles, "only": only, "mass": mass, "area": area,
            "temperature": temperature,
        },
    )  # fmt: skip
    data = [d for one in inputs for d in one.data]
    with compilation_shown(progress):
        say(f"what {sum(len(d.measured) for d in data)} values say of the parameters")
        wanted = [fit] if isinstance(fit, str | Free) else fit
        chosen = choose(parameters, data, wanted, model, solver, hold)
        problems = Problems.of(parameters, data, chosen.all, model, solver)
        joint = Joint(problems, chosen.jacobian)
        say(f"best point of {len(chosen.fitted)} fitted and {len(chosen.varied)} varied values")
        best = joint.best()
        result = _result(joint, best)
        for number in range(AGAIN):
            if not result.does_not_fit:
                break
            say(f"that point does not describe the data: another start, {number + 1} of {AGAIN}")
            other = joint.best(_elsewhere(len(best.unit), [int(seed), number]))
            if other.cost < best.cost:
                best = other
                result = _result(joint, best)
        if result.does_not_fit:
            joint.jacobian = problems.derivatives(best.unit)
            say("the model does not describe the data: its misfit widens what is not known")
            joint.widen(best.values)
            best = joint.best(best.unit)
            result = _result(joint, best)
    kept = Kept(checkpoint, joint, best, [int(draws), int(seed)])
    say(f"{draws} draws" + (f", {len(kept.draws)} of them kept" if kept.draws else ""))
    half_cycles = half_cycles_of(data, parameters)
    asked = usual_answers(half_cycles) if answer is None else [answer]
    with beside(result, asked, workers) as ahead:
        found, interrupted = _drawn(joint, best, kept, int(draws), int(seed), progress)
        good = plausible(found, best)
        if not interrupted and asked != [NOTHING]:
            say(f"what to measure next for the {asked[0]}")
        further = "it was interrupted" if interrupted else ahead()
    return Diagnosis(
        inputs,
        chosen,
        joint,
        best,
        result,
        good,
        half_cycles=half_cycles,
        ahead=further,
        lost=len(found) - len(good),
        interrupted=interrupted,
        settings={
            "draws": int(draws), "seed": int(seed), "hold": hold, "model": model, "answer": asked,
        },
        seconds=time.perf_counter() - began,
    )  # fmt: skip


def _elsewhere(k: int, seed: Sequence[int]) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, k)


def _check(parameters: Any, model: Any, draws: Any, seed: Any, workers: Any) -> None:
    if not isinstance(parameters, ParameterSet):
        raise OptionError(f"parameters is a {type(parameters).__name__}: a ParameterSet is needed")
    if model not in MODELS:
        raise OptionError(f"model is {short(model)}: it must be one of {sorted(MODELS)}")
    for name, value, low, high in (
        ("draws", draws, FEWEST, MOST),
        ("seed", seed, 0, 2**32 - 1),
        ("workers", workers, 1, 2),
    ):
        if not (is_whole(value) and low <= value <= high):
            raise OptionError(
                f"{name} is {short(value)}: a whole number from {low} to {high} is needed"
            )


def _speaker(progress: bool) -> Callable[[str], None]:
    began = time.perf_counter()

    def say(text: str) -> None:
        if progress:
            seconds = time.perf_counter() - began
            print(f"ssnib: {seconds:5.1f} s: {text}", file=sys.stderr, flush=True)

    return say


def _result(joint: Joint, best: Draw) -> FitResult:
    """The best point as that of a fit."""
    problem = joint.problems.exact
    k = len(best.unit)
    priors = [i for i, f in enumerate(problem.free) if f.prior]
    rows = np.zeros((len(priors), k))
    for row, i in enumerate(priors):
        rows[row, i] = 1 / joint.widths[i]
    answer = joint.problem.answer(best.unit)
    joint.used = np.isfinite(joint.problem.scaled(answer))
    outcome = Outcome(
        unit=best.unit,
        cost=best.cost,
        message="best point of all uncertain parameters",
        solves=joint.problem.solves,
        answer=answer,
        jacobian=np.vstack([joint.jacobian, rows]),
        is_there=answer.is_there,
    )
    return FitResult(problem, outcome, solves=joint.problem.solves, seconds=0.0)


def _drawn(
    joint: Joint, best: Draw, kept: Kept, n: int, seed: int, progress: bool
) -> tuple[list[Draw], bool]:
    """Draws, and whether Ctrl-C ended the drawing."""
    found = list(kept.draws)
    shown = progress and sys.stderr.isatty()
    with tqdm(total=n, initial=len(found), desc="Draws", disable=not shown) as bar:
        try:
            if not best.losses:
                best.losses = losses(joint.problem, best.unit)
            for number in range(len(found), n):
                draw = joint.draw([seed, number], best)
                if number < OF_LOSSES:
                    draw.losses = losses(joint.problem, draw.unit)
                found.append(draw)
                kept.add(draw)
                bar.update()
        except KeyboardInterrupt:
            if len(found) < FEWEST:
                raise
            return found, True
    kept.finish()
    return found, False
