"""What to measure next, worked out beside the draws where there is a process for it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from ssnib_model.diagnosis.limits import HalfCycleOf
from ssnib_model.errors import SSNIBError
from ssnib_model.fits.candidates import Spectrum, default_candidates
from ssnib_model.fits.next_experiment import next_experiment
from ssnib_model.fits.next_result import NextExperiment
from ssnib_model.fits.result import FitResult

#: What is asked for unless something is: the capacity at a rate as many times the fastest one, the
#: first at which the cell gives any; or the resistance if there is no rate.
FASTER, WITHOUT_RATE = (2.0, 1.5, 1.0), "resistance at 50 %"

#: Asks for nothing.
NOTHING = "none"

#: What there is, or why there is nothing.
Ahead = NextExperiment | str


def usual_answers(half_cycles: Sequence[HalfCycleOf]) -> list[str]:
    """What a measurement is to make more certain, where nobody says so; the first that has a value
    counts."""
    rates = [one.rate for one in half_cycles if one.direction == "discharge"]
    return [f"capacity at {f * max(rates):.2g} C" for f in FASTER] if rates else [WITHOUT_RATE]


def look_ahead(result: FitResult, answers: Sequence[str]) -> Ahead:
    """The ranking for the first answer that has a value, by the reduced model; or why there is
    none.

    Of the usual candidates, without all spectra but one: each takes as long as all others.
    """
    usual = default_candidates(result.parameters)
    spectra = [c for c in usual if isinstance(c.measures, Spectrum)]
    few = [c for c in usual if c not in spectra[1:]]
    why = []
    for answer in answers:
        try:
            return next_experiment(result, answer, candidates=few, model="spm")
        except SSNIBError as error:
            why.append(str(error).splitlines()[0])
    return "; ".join(why)


@contextlib.contextmanager
def beside(
    result: FitResult, answers: Sequence[str], workers: int
) -> Iterator[Callable[[], Ahead]]:
    """A function that gives `look_ahead`; with two workers it is under way already."""
    if list(answers) == [NOTHING]:
        yield lambda: "nobody asked for it"
        return
    if workers < 2:
        yield lambda: look_ahead(result, answers)
        return
    pool = ProcessPoolExecutor(1, get_context("spawn"), _deaf)
    try:
        task = pool.submit(look_ahead, result, answers)

        def found() -> Ahead:
            try:
                return task.result()
            except BrokenProcessPool:  # a script that does its work when it is imported
                return look_ahead(result, answers)

        yield found
        pool.shutdown()
    except BaseException:
        # nobody waits for it any more
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        raise


def _deaf() -> None:
    # the main process hears Ctrl-C
    signal.signal(signal.SIGINT, signal.SIG_IGN)
