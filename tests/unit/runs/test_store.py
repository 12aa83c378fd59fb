"""The store of a sweep loses nothing."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from filelock import FileLock

import ssnib_model as ss
from ssnib_model.runs.store import Store
from ssnib_model.runs.sweep import resume

KAPPA = "Na3PS4 layer conductivity [S.m-1]"


SCRIPT = """
import sys, numpy as np, ssnib_model as ss
design = ss.grid({"Na3PS4 layer conductivity [S.m-1]": np.geomspace(0.005, 0.5, 40)})
ss.sweep(ss.ParameterSet("Hu2024"), design, ss.RateTest([0.2, 0.5, 1]), out=sys.argv[1])
"""


def _rows(folder):
    """Runs that are in a store by now; -1 where there is no store yet."""
    if not (folder / "sweep.sqlite").exists():
        return -1
    with contextlib.closing(sqlite3.connect(folder / "sweep.sqlite")) as connection:
        try:
            return connection.execute("select count(*) from runs").fetchone()[0]
        except sqlite3.OperationalError:  # killed before there was a table
            return 0


@pytest.mark.slow
def test_kill_at_any_moment_and_resume(hu2024, tmp_path):
    """Killed as it starts, and then as rows come; then resume: byte for byte the same result."""
    whole = tmp_path / "whole"
    subprocess.run([sys.executable, "-c", SCRIPT, str(whole)], check=True)
    reference = (whole / "results.csv").read_bytes()
    rng = np.random.default_rng(0)
    killed = tmp_path / "killed"
    seen = []
    for more in (0, 1, *rng.integers(1, 10, 3)):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(killed)])
        until = seen[-1] + more if seen else 0
        while process.poll() is None and _rows(killed) < until:
            time.sleep(0.001)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        seen.append(max(_rows(killed), 0))
        with contextlib.closing(sqlite3.connect(killed / "sweep.sqlite")) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    table = resume(killed)
    print("rows at each kill:", seen)
    assert len({n for n in seen if 0 < n < 40}) >= 2
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
        resume(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(ss.SSNIBError, match="cannot be written"):
        ss.sweep(hu2024, design, run, out=tmp_path / "file")


def test_a_full_disk_leaves_a_valid_store(hu2024, tmp_path, monkeypatch):
    design, run = ss.grid({KAPPA: [0.01, 0.02, 0.03]}), ss.RateTest([1])
    add, calls = Store.add, []

    def full(self, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        add(self, *arguments)

    monkeypatch.setattr(Store, "add", full)
    with pytest.raises(ss.SSNIBError, match=r"disk is full.*what it holds is valid"):
        ss.sweep(hu2024, design, run, out=tmp_path)
    table = resume(tmp_path)
    assert table.equals(ss.sweep(hu2024, design, run))


def test_hold_and_rest_are_part_of_a_sweep(hu2024, tmp_path):
    """They are gone on with, and a store of before they were there is read."""
    design, held = ss.grid({KAPPA: [0.01, 0.02]}), ss.RateTest([1], hold="C/10", rest="1 min")
    table = ss.sweep(hu2024, design, held, out=tmp_path / "held")
    assert resume(tmp_path / "held").equals(table)
    with pytest.raises(ss.SSNIBError, match=r"hold is 0.1 there and None here"):
        ss.sweep(hu2024, design, ss.RateTest([1]), out=tmp_path / "held")
    plain = ss.sweep(hu2024, design, ss.RateTest([1]), out=tmp_path / "plain")
    charge = "Charge capacity [mA.h.g-1]"
    assert (table[charge] > plain[charge]).all()
    with contextlib.closing(sqlite3.connect(tmp_path / "plain" / "sweep.sqlite")) as connection:
        (text,) = connection.execute("select text from job").fetchone()
        job = {k: v for k, v in json.loads(text).items() if k not in ("hold", "rest")}
        with connection:
            connection.execute("update job set text = ?", [json.dumps(job)])
    assert resume(tmp_path / "plain").equals(plain)
