"""Processes and clusters: the same rows, and no other run lost."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.runs import workers

KAPPA = "Na3PS4 layer conductivity [S.m-1]"


@pytest.mark.slow
def test_processes_give_the_same_and_a_slow_run_is_given_up(hu2024, tmp_path):
    design = ss.grid({KAPPA: np.geomspace(0.005, 0.5, 6)})
    one = ss.sweep(hu2024, design, ss.RateTest([1]), out=tmp_path / "one")
    two = ss.sweep(hu2024, design, ss.RateTest([1]), out=tmp_path / "two", workers=2)
    assert one.equals(two)
    files = [(tmp_path / name / "results.csv").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]
    long = ss.RateTest([1], cycles=300)
    slow = ss.sweep(hu2024, design[:2], long, workers=2, time_limit=0.05)
    assert slow["Status"].tolist() == ["failed: it took longer than 0.05 s"] * 2


class Deadly:
    """Runs so fast that a process gets many at a time, of which one kills it."""

    def prepare(self):
        time.sleep(0.001)

    def __call__(self, point):
        if point["number"] == 137:
            os.kill(os.getpid(), signal.SIGKILL)
        return [point]

    def many(self, points):
        return [self(point) for point in points]

    def failed(self, reason):
        return [reason]


@pytest.fixture
def importable(monkeypatch):
    """Other processes find this module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))


@pytest.mark.slow
def test_a_process_that_dies_takes_no_other_run_with_it(importable):
    points = {i: {"number": i} for i in range(300)}
    found = {}
    workers.in_processes(Deadly(), points, list(points), 2, None, found.update)
    assert found.pop(137) == ["its process died"]
    assert found == {i: [point] for i, point in points.items() if i != 137}


class Faulty(Deadly):
    """One of the runs raises an error."""

    def __init__(self):
        self.is_prepared = True

    def __call__(self, point):
        if point["number"] == 7:
            raise ValueError("seven")
        return [point]


@pytest.mark.slow
def test_dask_says_which_run_of_a_task_failed(importable, monkeypatch):
    monkeypatch.setattr(workers, "DASK_TASKS", 3)
    points, found = {i: {"number": i} for i in range(20)}, {}
    workers.on_dask(Faulty(), points, list(points), 1, "local", found.update)
    assert found.pop(7) == ["on its worker: seven"]
    assert found == {i: [point] for i, point in points.items() if i != 7}


@pytest.mark.slow
def test_dask_gives_the_same_bytes(hu2024, tmp_path, monkeypatch):
    """A real scheduler with two worker processes on this machine, reached by its address.

    Every run is a task of its own, or two of the seven together.
    """
    from distributed import LocalCluster

    design, run = ss.grid({KAPPA: [*np.geomspace(0.005, 0.5, 6), -1.0]}), ss.RateTest([1])
    ss.sweep(hu2024, design, run, out=tmp_path / "one")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        for tasks in (1000, 3):
            monkeypatch.setattr(workers, "DASK_TASKS", tasks)
            out = tmp_path / f"dask {tasks}"
            ss.sweep(hu2024, design, run, out=out, scheduler=cluster.scheduler_address)
    one, *others = ((tmp_path / name / "results.csv").read_bytes()
                    for name in ("one", "dask 1000", "dask 3"))  # fmt: skip
    assert [one, one] == others


@pytest.mark.slow
def test_no_dask_scheduler(hu2024, monkeypatch):
    monkeypatch.setattr(workers, "DASK_PATIENCE", "0.5s")
    with pytest.raises(ss.SSNIBError, match="no Dask scheduler at"):
        ss.sweep(hu2024, ss.grid({KAPPA: [0.01]}), ss.RateTest([1]), scheduler="tcp://127.0.0.1:9")
