"""Who does the runs: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor
from concurrent.futures import Future as RunFuture
from concurrent.futures import wait as first_of
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, cast

from ssnib_model.errors import SSNIBError
from ssnib_model.runs.runner import Runner

if TYPE_CHECKING:
    from distributed import Future


Points = dict[int, dict[str, float | str]]
Keep = Callable[[dict[int, list[dict]]], None]

#: What a process is given at a time [s]: fast runs one by one would have it wait for us.
BATCH_SECONDS = 0.1

#: What goes together in this process [s], and how many runs at most: they are kept together too,
#: and lost together if it is killed.
TOGETHER_SECONDS, MOST_AT_ONCE = 0.5, 1000

#: Tasks that a Dask cluster is given at least, and the most runs of one.
DASK_TASKS, DASK_BATCH = 1000, 50


# -------------------------------------------------------------------- here
def here(runner: Runner, points: Points, pending: list[int], threads: int, keep: Keep) -> None:
    """All points in this process, on threads where many go at once."""
    runner.prepare()
    queue, batch, timed = list(reversed(pending)), 2 if runner.takes_many else 1, False
    with contextlib.ExitStack() as stack:
        pool = ThreadPoolExecutor(threads)
        stack.callback(pool.shutdown, cancel_futures=True)
        tasks: dict[RunFuture[tuple[list[list[dict]], float]], list[int]] = {}

        def work(runs: list[int]) -> tuple[list[list[dict]], float]:
            began = time.perf_counter()
            return runner.many([points[run] for run in runs]), time.perf_counter() - began

        while queue or tasks:
            # the first alone: the solver may have to be compiled, and nobody knows how fast it is
            while queue and len(tasks) < (threads if timed else 1):
                size = min(batch, math.ceil(len(queue) / threads))
                runs = [queue.pop() for _ in range(size)]
                tasks[pool.submit(work, runs)] = runs
            for future in first_of(tasks, return_when=FIRST_COMPLETED).done:
                runs, timed = tasks.pop(future), True
                rows, seconds = future.result()
                keep(dict(zip(runs, rows, strict=True)))
                if runner.takes_many:  # not by a leap: the first may have been slow, or easy
                    wanted = int(TOGETHER_SECONDS * len(runs) / max(seconds, 1e-9))
                    batch = min(max(2, wanted), 4 * len(runs) + 4, MOST_AT_ONCE)


# -------------------------------------------------------------------- processes
def _work(connection: Connection, runner: Runner) -> None:
    try:
        runner.prepare()
    except SSNIBError as error:
        connection.send(error)
        return
    connection.send(None)  # ready
    while (batch := connection.recv()) is not None:
        connection.send(runner.many(batch))


@dataclasses.dataclass
class _Worker:
    process: multiprocessing.process.BaseProcess
    runs: list[int]  # that it is at work on; none while it starts
    began: float = 0.0


def in_processes(
    runner: Runner,
    points: Points,
    pending: list[int],
    workers: int,
    time_limit: float | None,
    keep: Keep,
) -> None:
    """Hand points to processes; one that dies or takes too long is replaced, its run kept."""
    context = multiprocessing.get_context("spawn")
    queue = list(reversed(pending))
    alive: dict[Connection, _Worker] = {}
    # runs at a time; a limit, or a process that died, needs to know which it was
    batch, may_grow = 1, time_limit is None

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, runner), daemon=True)
        process.start()
        theirs.close()
        alive[ours] = _Worker(process, [])

    def hand_out(connection: Connection) -> None:
        worker = alive.pop(connection)
        # no more than its share, so that all end together
        runs = [queue.pop() for _ in range(min(batch, math.ceil(len(queue) / workers)))]
        if runs:
            alive[connection] = _Worker(worker.process, runs, time.monotonic())
        with contextlib.suppress(OSError):  # it has died: there will be no answer either
            connection.send([points[run] for run in runs] or None)

    def give_up(connection: Connection, reason: str) -> None:
        worker = alive.pop(connection)
        worker.process.kill()
        if not worker.runs:
            raise SSNIBError(f"a worker of the sweep could not start ({reason})")
        if len(worker.runs) == 1:
            keep({worker.runs[0]: runner.failed(reason)})
        else:  # one by one, to see which it was
            queue.extend(reversed(worker.runs))
        if queue:
            start()

    try:
        for _ in range(min(workers, len(queue))):
            start()
        while alive:
            for connection in cast(list[Connection], wait(list(alive), timeout=0.2)):
                worker = alive[connection]
                try:
                    found = connection.recv()
                except (EOFError, OSError):
                    batch, may_grow = 1, False
                    give_up(connection, "its process died")
                    continue
                if isinstance(found, SSNIBError):
                    raise found  # that of any other would be the same
                if worker.runs and may_grow:
                    a_run = (time.monotonic() - worker.began) / len(worker.runs)
                    batch = max(1, int(BATCH_SECONDS / a_run))
                hand_out(connection)  # first: it works on while we write
                if worker.runs:
                    keep(dict(zip(worker.runs, found, strict=True)))
            for connection, worker in list(alive.items()):
                if worker.runs and time.monotonic() - worker.began > (time_limit or math.inf):
                    give_up(connection, f"it took longer than {time_limit:g} s")
    finally:
        for worker in alive.values():
            worker.process.kill()


# -------------------------------------------------------------------- Dask
class CannotStartError(SSNIBError):
    """The model cannot be built: no run of the sweep can begin."""


def _on_worker(runner: Runner, batch: list[dict[str, float | str]]) -> list[list[dict]]:
    # a worker gets the runner once and keeps the model it builds
    if not runner.is_prepared:
        try:
            runner.prepare()
        except SSNIBError as error:
            raise CannotStartError(str(error)) from error
    return runner.many(batch)


def on_dask(
    runner: Runner,
    points: Points,
    pending: list[int],
    workers: int,
    scheduler: str,
    keep: Keep,
) -> None:
    """Hand all points to a Dask cluster and keep the rows in the order they come back."""
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise SSNIBError(
            "a scheduler needs Dask: pip install 'ssnib_model[distributed]'"
        ) from error
    with contextlib.ExitStack() as stack:
        if scheduler == "local":
            # one thread a worker: a prepared model serves one run at a time
            scheduler = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
        try:
            client = stack.enter_context(Client(scheduler, timeout="10s"))
        except (OSError, ValueError) as error:
            raise SSNIBError(f"no Dask scheduler at {scheduler}: {error}") from error
        everywhere = client.scatter(runner, broadcast=True)

        def submit(runs: list[int]) -> Future:
            batch = [points[run] for run in runs]
            return client.submit(_on_worker, everywhere, batch, pure=False)

        # the scheduler takes some milliseconds a task: many runs come in batches
        size = min(max(len(pending) // DASK_TASKS, 1), DASK_BATCH)
        batches = [pending[i : i + size] for i in range(0, len(pending), size)]
        tasks = {submit(runs): runs for runs in batches}
        completed = as_completed(tasks)
        for future in completed:
            runs, wrong = tasks.pop(future), future.exception()
            if isinstance(wrong, CannotStartError):
                raise SSNIBError(str(wrong)) from wrong
            if wrong is None:
                keep(dict(zip(runs, future.result(), strict=True)))
            elif len(runs) == 1:
                keep({runs[0]: runner.failed(f"on its worker: {wrong}")})
            else:  # one by one, to see which it was
                again = {submit([run]): [run] for run in runs}
                tasks.update(again)
                completed.update(again)
