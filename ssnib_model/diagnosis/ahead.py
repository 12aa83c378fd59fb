"""What to measure next, worked out beside the draws where there is a process for it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ssnib_model.diagnosis.limits import HalfCycleOf
from ssnib_model.errors import SSNIBError
from ssnib_model.fits.next_experiment import next_experiment
from ssnib_model.fits.next_result import NextExperiment
from ssnib_model.fits.result import FitResult

#: What is asked for unless something is: the capacity at a rate as many times the fastest one, or
#: the resistance if there is none.
FASTER, WITHOUT_RATE = 2.0, "resistance at 50 %"

#: What there is, or why there is nothing.
Ahead = NextExperiment | str


def usual_answer(half_cycles: Sequence[HalfCycleOf]) -> str:
    """What a measurement is to make more certain, where nobody says so."""
    rates = [one.rate for one in half_cycles if one.direction == "discharge"]
    return f"capacity at {FASTER * max(rates):.2g} C" if rates else WITHOUT_RATE


def look_ahead(result: FitResult, answer: str) -> Ahead:
    """The ranking by the reduced model, or why there is none."""
    try:
        return next_experiment(result, answer, model="spm")
    except SSNIBError as error:
        return str(error).splitlines()[0]


@contextlib.contextmanager
def beside(result: FitResult, answer: str, workers: int) -> Iterator[Callable[[], Ahead]]:
    """A function that gives `look_ahead`; with two workers it is under way already."""
    if workers < 2:
        yield lambda: look_ahead(result, answer)
        return
    pool = ProcessPoolExecutor(1, get_context("spawn"), _deaf)
    try:
        task = pool.submit(look_ahead, result, answer)
        yield task.result
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
