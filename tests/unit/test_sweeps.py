"""Sweeps: designs, one row a run whatever happens, and a store that loses nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import ssnib_model as ss
from ssnib_model import sweeps

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"
MASS = "Na3PS4 layer mass [kg]"
CAPACITY = "Discharge capacity [mA.h.g-1]"


def test_designs():
    design = ss.grid({KAPPA: [0.01, 0.1], D: [1e-16, 1e-15, 1e-14]})
    assert design.shape == (6, 2)
    assert design[D].tolist() == [1e-16, 1e-15, 1e-14] * 2
    for method in ("sobol", "lhs"):
        points = ss.sample({KAPPA: (1e-3, 1.0, "log"), D: (0.0, 1.0)}, 64, method, seed=3)
        assert points.equals(ss.sample({KAPPA: (1e-3, 1.0, "log"), D: (0.0, 1.0)}, 64, method, 3))
        assert np.log10(points[KAPPA]).mean() == pytest.approx(-1.5, abs=0.05)
        assert points[D].between(0, 1).all()


def test_rows_are_those_of_single_rate_tests(hu2024):
    """Also for a mass, from which a thickness follows."""
    design = ss.grid({KAPPA: [0.005, 0.02], MASS: [2e-5, 4e-5]})
    table = ss.sweep(hu2024, design, ss.RateTest([0.5, 2]))
    assert len(table) == 8
    for run, point in enumerate(design.to_dict("records")):
        single = ss.RateTest([0.5, 2]).run(ss.SolidStateSPM(), hu2024.replace(point)).table
        rows = table[table["Run"] == run]
        assert rows[CAPACITY].to_numpy() == pytest.approx(single[CAPACITY].to_numpy(), rel=1e-5)
        assert (rows[MASS] == point[MASS]).all()


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_structured_solver(model, hu2024, tmp_path):
    """The same rows, also of a cell without an answer; resumed with the solver it began with."""
    design = ss.grid({KAPPA: [1e-5, 0.01], MASS: [2e-5, 4e-5]})
    test, solver = ss.RateTest([0.5, 2]), ss.StructuredSolver()
    fast = ss.sweep(hu2024, design, test, model=model, solver=solver, out=tmp_path / "a")
    slow = ss.sweep(hu2024, design, test, model=model)
    assert fast["Status"].tolist() == slow["Status"].tolist()
    np.testing.assert_allclose(fast[CAPACITY], slow[CAPACITY], rtol=1e-4)
    np.testing.assert_allclose(fast["Polarization [V]"], slow["Polarization [V]"], atol=1e-3)
    assert sweeps.resume(tmp_path / "a").equals(fast)
    with pytest.raises(ss.SSNIBError, match="solver is"):
        ss.sweep(hu2024, design, test, model=model, out=tmp_path / "a")


def test_a_layers_material_is_an_axis(hu2024):
    names = ["Na3PS4 cubic", "Na2.88Sb0.88W0.12S4", "Unobtainium"]
    design = ss.grid({"Na3PS4 layer material": names, "Ambient temperature [K]": [298.15, 333.15]})
    table = ss.sweep(hu2024, design, ss.RateTest([2]))
    assert table["Na3PS4 layer material"].tolist() == [n for n in names for _ in range(2)]
    for row in table[:4].to_dict("records"):
        swapped = ss.swap_layer(hu2024, "Na3PS4", row["Na3PS4 layer material"])
        point = {"Ambient temperature [K]": row["Ambient temperature [K]"]}
        single = ss.RateTest([2]).run(ss.SolidStateSPM(), swapped.replace(point)).table
        assert row[CAPACITY] == pytest.approx(single[CAPACITY][0], rel=1e-5)
    assert table["Status"][4:].str.contains("no solid electrolyte").all()


def test_a_grid_is_a_labelled_dataset(hu2024):
    axes = {KAPPA: [0.01, 0.02], D: [1e-16, 2e-16, 4e-16]}
    table = ss.sweep(hu2024, ss.grid(axes), ss.RateTest([0.2, 1]))
    data = ss.as_dataset(table)
    assert dict(data.sizes) == {KAPPA: 2, D: 3, "C-rate": 2}
    cell = data[CAPACITY].sel({KAPPA: 0.02, D: 2e-16, "C-rate": 1}).item()
    rows = table[(table[KAPPA] == 0.02) & (table[D] == 2e-16) & (table["C-rate"] == 1)]
    assert cell == rows[CAPACITY].item()


def test_the_ranges_of_a_set_can_be_sampled(hu2024):
    ranges = ss.own_ranges(hu2024)
    assert len(ranges) > 30
    assert ranges["Negative electrode exchange-current density [A.m-2]"] == (0.5, 100.0, "log")
    low, high = ranges[D]
    assert low < hu2024[D] < high < 3 * hu2024[D]
    names = [KAPPA, "Positive electrode void fraction", D]
    table = ss.sweep(hu2024, ss.sample({n: ranges[n] for n in names}, 4), ss.RateTest([0.2]))
    assert table["Status"].tolist() == ["ok"] * 4


def test_every_run_gives_a_row(hu2024):
    """Out of range, beyond the window, contradicting: a status each, the others unharmed."""
    design = ss.grid({KAPPA: [0.01, -1.0, 1e-6, 0.02]})
    table = ss.sweep(hu2024, design, ss.RateTest([1]))
    ok, negative, blocked, better = table["Status"]
    assert (ok, blocked, better) == ("ok", "cut-off reached at start", "ok")
    assert "allowed is 1e-09 to 1000" in negative
    assert table[CAPACITY].isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_a_run_that_cannot_be_leaves_the_others_alone(model, hu2024):
    """In the middle: an anode without the sodium that the start takes."""
    tin = "Negative electrode tin amount [mol]"
    design = ss.grid({tin: [2e-4, 1e-9, 1e-4]})
    test = ss.RateTest([1], initial_state_of_charge=0.005)
    table = ss.sweep(hu2024, design, test, model=model)
    assert table["Status"][[0, 2]].tolist() == ["ok", "ok"]
    assert table["Status"][1].startswith("failed: at the start the anode would hold -")
    alone = ss.sweep(hu2024, design[2:], test, model=model)
    assert table[CAPACITY][2] == pytest.approx(alone[CAPACITY][0], rel=1e-9)


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

    def failed(self, reason):
        return [reason]


@pytest.fixture
def importable(monkeypatch):
    """Other processes find this module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def test_a_process_that_dies_takes_no_other_run_with_it(importable):
    points = {i: {"number": i} for i in range(300)}
    found = {}
    sweeps._in_processes(Deadly(), points, list(points), 2, None, found.update)
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
    monkeypatch.setattr(sweeps, "DASK_TASKS", 3)
    points, found = {i: {"number": i} for i in range(20)}, {}
    sweeps._on_dask(Faulty(), points, list(points), 1, "local", found.update)
    assert found.pop(7) == ["on its worker: seven"]
    assert found == {i: [point] for i, point in points.items() if i != 7}


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [1000, 3])
def test_dask_gives_the_same_bytes(tasks, hu2024, tmp_path, monkeypatch):
    """A real scheduler with two worker processes on this machine, reached by its address.

    Every run is a task of its own, or two of the seven together.
    """
    from distributed import LocalCluster

    monkeypatch.setattr(sweeps, "DASK_TASKS", tasks)
    design, run = ss.grid({KAPPA: [*np.geomspace(0.005, 0.5, 6), -1.0]}), ss.RateTest([1])
    ss.sweep(hu2024, design, run, out=tmp_path / "one")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        ss.sweep(hu2024, design, run, out=tmp_path / "dask", scheduler=address)
    files = [(tmp_path / name / "results.csv").read_bytes() for name in ("one", "dask")]
    assert files[0] == files[1]
    with pytest.raises(ss.SSNIBError, match="no Dask scheduler at"):
        ss.sweep(hu2024, design, run, scheduler="tcp://127.0.0.1:9")


SCRIPT = """
import sys, numpy as np, ssnib_model as ss
design = ss.grid({"Na3PS4 layer conductivity [S.m-1]": np.geomspace(0.005, 0.5, 40)})
ss.sweep(ss.ParameterSet("Hu2024"), design, ss.RateTest([0.2, 0.5, 1]), out=sys.argv[1])
"""


@pytest.mark.slow
def test_kill_at_any_moment_and_resume(hu2024, tmp_path):
    """20 kills at random moments, then resume: byte for byte the uninterrupted result."""
    whole = tmp_path / "whole"
    subprocess.run([sys.executable, "-c", SCRIPT, str(whole)], check=True)
    reference = (whole / "results.csv").read_bytes()
    rng = np.random.default_rng(0)
    killed = tmp_path / "killed"
    kills, moments = 0, []
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(killed)])
        began = time.monotonic()
        while process.poll() is None and not (killed / "sweep.sqlite").exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        moments.append(time.monotonic() - began)
        with sqlite3.connect(killed / "sweep.sqlite") as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    table = sweeps.resume(killed)
    print(f"{kills} kills")
    assert kills >= 5
    assert (killed / "results.csv").read_bytes() == reference
    assert table["Run"].value_counts().eq(3).all()


def test_a_store_in_use_or_of_another_sweep_is_refused(hu2024, tmp_path):
    design, run = ss.grid({KAPPA: [0.01, 0.02]}), ss.RateTest([1])
    ss.sweep(hu2024, design, run, out=tmp_path)
    with pytest.raises(ss.SSNIBError, match=r"another sweep: rates is \[1.0\] there"):
        ss.sweep(hu2024, design, ss.RateTest([2]), out=tmp_path)
    with pytest.raises(ss.SSNIBError, match="given differs in Ambient temperature"):
        ss.sweep(hu2024.replace({"Ambient temperature [K]": 333.15}), design, run, out=tmp_path)
    with FileLock(tmp_path / ".lock"), pytest.raises(ss.SSNIBError, match="another process"):
        ss.sweep(hu2024, design, run, out=tmp_path)
    with pytest.raises(ss.SSNIBError, match="holds no sweep"):
        sweeps.resume(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(ss.SSNIBError, match="cannot be written"):
        ss.sweep(hu2024, design, run, out=tmp_path / "file")


def test_a_full_disk_leaves_a_valid_store(hu2024, tmp_path, monkeypatch):
    design, run = ss.grid({KAPPA: [0.01, 0.02, 0.03]}), ss.RateTest([1])
    add, calls = sweeps._Store.add, []

    def full(self, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        add(self, *arguments)

    monkeypatch.setattr(sweeps._Store, "add", full)
    with pytest.raises(ss.SSNIBError, match=r"disk is full.*what it holds is valid"):
        ss.sweep(hu2024, design, run, out=tmp_path)
    table = sweeps.resume(tmp_path)
    assert table.equals(ss.sweep(hu2024, design, run))


@pytest.mark.parametrize(
    ("design", "settings", "message"),
    [
        ({}, {}, "at least one parameter"),
        ({"Nonsense [m]": [1]}, {}, "no parameter"),
        ({KAPPA: [1]}, {"model": "p2d"}, "is one of"),
        ({KAPPA: [1]}, {"workers": 0}, "at least 1"),
        ({KAPPA: [1]}, {"time_limit": -1}, "positive"),
    ],
)
def test_bad_input(design, settings, message, hu2024):
    with pytest.raises(ss.SSNIBError, match=message):
        ss.sweep(hu2024, ss.grid(design), ss.RateTest([1]), **settings)


def test_bad_samples():
    with pytest.raises(ss.OptionError, match="the method is one of"):
        ss.sample({KAPPA: (0, 1)}, 4, "random")
    with pytest.raises(ss.OptionError, match="logarithm"):
        ss.sample({KAPPA: (0, 1, "log")}, 4)
