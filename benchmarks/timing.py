"""Medians of interleaved runs, and runs in processes of their own."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import psutil


@dataclass(frozen=True)
class Settings:
    """How much to measure.

    Attributes
    ----------
    repeats : int
        Of every short measurement.
    long_repeats : int
        Of those that take seconds.
    refine : int
        Mesh of the fine references, as a multiple.
    batch : int
        Runs of a batch.
    kinds : tuple of str
        Models of the longer benchmarks.
    quick : bool
        Whether this is a look and not a measurement.
    """

    repeats: int = 9
    long_repeats: int = 7
    refine: int = 4
    batch: int = 1000
    kinds: tuple[str, ...] = ("full", "reduced")
    quick: bool = False


QUICK = Settings(repeats=2, long_repeats=1, refine=2, batch=20, kinds=("reduced",), quick=True)


def interleaved(
    *functions: Callable[[], object], repeats: int, warm_up: bool = True
) -> list[float]:
    """Median time [s] of each function, called in turn, so that a slow spell meets all."""
    if warm_up:
        for function in functions:
            function()
    times = np.empty((repeats, len(functions)))
    for row in times:
        for k, function in enumerate(functions):
            gc.collect()  # nobody pays for another's rubbish
            began = time.perf_counter()
            function()
            row[k] = time.perf_counter() - began
    return np.median(times, axis=0).tolist()


def python(*arguments: str, **environment: str) -> Callable[[], object]:
    """A call of this interpreter in a process of its own, with more in its environment."""
    command, variables = [sys.executable, *arguments], os.environ | environment
    return lambda: subprocess.run(command, check=True, capture_output=True, env=variables)


def in_fresh_process(function: Callable, *arguments):
    """The result of a function of a module, from a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def resident() -> float:
    """Memory of this process [KiB], without what is only waiting to be collected."""
    gc.collect()
    return _memory()


@contextlib.contextmanager
def peak_growth(interval: float = 0.01) -> Iterator[Callable[[], float]]:
    """How far memory rose above where it was at the start [KiB], looked at every ``interval``."""
    start, done = resident(), threading.Event()
    seen = [start]

    def look() -> None:
        while not done.wait(interval):
            seen[0] = max(seen[0], _memory())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: max(seen[0], _memory()) - start
    finally:
        done.set()
        thread.join()


def _memory() -> float:
    return psutil.Process().memory_info().rss / 1024
