"""A long run that ends in any way goes on from there, to the same bytes."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from filelock import FileLock

import ssnib_model as ss
from ssnib_model.protocol.run_store import RunStore
from ssnib_model.solvers.idaklu import Idaklu
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Status

FILES = ("table.csv", "curves.csv", "cycles.csv", "run.json")
CYCLE = ("Charge at 3 C until cut-off", "Hold at upper cut-off until 1 C", "Rest for 1 minute",
         "Discharge at 3 C until cut-off (50 oC)")  # fmt: skip

SCRIPT = """
import sys, ssnib_model as ss
warm = ss.ParameterSet("Hu2024").replace({"Ambient temperature [K]": 333.15})
protocol = ss.Protocol(%r) * 20
protocol.run(ss.SolidStateSPM(), warm, keep=5, out=sys.argv[1])
"""


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr("ssnib_model.protocol.prepared.INTERVAL", 4)


@pytest.fixture(scope="module")
def warm(hu2024):
    return hu2024.replace({"Ambient temperature [K]": 333.15})


def _steps(folder):
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        try:
            return connection.execute("select count(*) from steps").fetchone()[0]
        except sqlite3.OperationalError:  # killed before there was a table
            return 0


@pytest.mark.slow
def test_kill_and_go_on(tmp_path):
    """Killed after each part that it wrote: byte for byte the uninterrupted result."""
    script = SCRIPT % (CYCLE,)
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "whole")], check=True)
    killed, seen = tmp_path / "killed", [0]
    for _ in range(10):
        process = subprocess.Popen([sys.executable, "-c", script, str(killed)])
        while process.poll() is None:
            time.sleep(0.02)
            if (killed / "run.sqlite").exists() and (now := _steps(killed)) > seen[-1]:
                seen.append(now)
                os.kill(process.pid, signal.SIGKILL)
                break
        if process.wait() == 0:
            break
    else:
        pytest.fail("it does not come to its end")
    assert seen[1:] == [50, 80]
    for file in FILES:
        assert (killed / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file


class Stopped:
    """Stops a solver as a kill would, at a step."""

    at, calls = 0, 0

    def __init__(self, step):
        self._step = step

    def __get__(self, stepper, owner):
        def step(*arguments):
            type(self).calls += 1
            if type(self).calls == self.at:
                raise SystemExit
            return self._step(stepper, *arguments)

        return step


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize("model", ["spm", "dfn"])
@pytest.mark.parametrize("stepper", [Idaklu, Structured])
def test_goes_on_to_the_same_bytes(stepper, model, warm, tmp_path, monkeypatch):
    """Wherever it ended: at every step of some cycles."""
    made = {"spm": ss.SolidStateSPM, "dfn": ss.SolidStateDFN}[model]()
    protocol, solver = ss.Protocol(CYCLE) * 3, stepper.__name__.lower()

    def run(folder):
        return protocol.run(made, warm, solver=solver, out=tmp_path / folder, keep=2)

    whole = run("whole")
    monkeypatch.setattr(stepper, "step", Stopped(stepper.step))
    for at in (3, 6, 2):
        monkeypatch.setattr(Stopped, "at", at)
        monkeypatch.setattr(Stopped, "calls", 0)
        with pytest.raises(SystemExit):
            run("stopped")
    assert _steps(tmp_path / "stopped") == 4
    monkeypatch.setattr(Stopped, "at", -1)
    monkeypatch.setattr(Stopped, "calls", 0)
    result = run("stopped")
    assert Stopped.calls == 8  # the first four are there
    for file in FILES:
        assert (tmp_path / "stopped" / file).read_bytes() == (
            tmp_path / "whole" / file
        ).read_bytes(), file
    for name, values in whole.final_state.values.items():
        assert (result.final_state.values[name] == values).all()
    # done: nothing is solved again
    monkeypatch.setattr(Stopped, "calls", 0)
    assert run("stopped").table.equals(whole.table)
    assert Stopped.calls == 0
    # of the steps before there are curves, and no states
    with pytest.warns(ss.ValidityWarning, match="lacks the steps 1 to 4"):
        solution = result.solution
    assert solution.cycles[0] is None
    # without a folder the same within the tolerance
    free = protocol.run(made, warm, solver=solver, keep=2)
    assert free.table["Charge passed [A.h]"].to_numpy() == pytest.approx(
        whole.table["Charge passed [A.h]"].to_numpy(), rel=1e-4, abs=1e-12
    )


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_ctrl_c_and_failures_go_on_too(warm, tmp_path, monkeypatch):
    """What failed stays so; after Ctrl-C the same call does the rest."""
    protocol = ss.Protocol(CYCLE[3:]) * 6
    whole = protocol.run(ss.SolidStateSPM(), warm, solver="idaklu", out=tmp_path / "whole")
    step = Idaklu.step
    calls = []

    def interrupt(self, *arguments):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(Idaklu, "step", interrupt)
    part = protocol.run(ss.SolidStateSPM(), warm, solver="idaklu", out=tmp_path / "part")
    assert not part.is_complete
    assert len(part.table) == 5
    assert protocol.run(
        ss.SolidStateSPM(), warm, solver="idaklu", out=tmp_path / "part"
    ).table.equals(whole.table)

    def fail(self, state, planned, inputs):
        outcome, state = step(self, state, planned, inputs)
        return type(outcome)(Status.FAILED, reason="of a test"), state

    monkeypatch.setattr(Idaklu, "step", fail)
    failed = protocol.run(ss.SolidStateSPM(), warm, solver="idaklu", out=tmp_path / "failed")
    monkeypatch.setattr(Idaklu, "step", step)
    again = protocol.run(ss.SolidStateSPM(), warm, solver="idaklu", out=tmp_path / "failed")
    assert again.table.equals(failed.table)
    assert again.table["Status"][5].startswith("failed: step 1")


def test_folders_that_are_refused(warm, hu2024, tmp_path):
    protocol, model = ss.Protocol("Rest for 1 minute"), ss.SolidStateSPM()
    first = protocol.run(model, warm, out=tmp_path / "a")
    assert protocol.run(model, warm, out=tmp_path / "a").table.equals(first.table)
    with pytest.raises(ss.SSNIBError, match="the folder holds another run: parameters differs"):
        protocol.run(model, hu2024, out=tmp_path / "a")
    with pytest.raises(ss.SSNIBError, match="another run: protocol differs in steps"):
        ss.Protocol("Rest for 2 minutes").run(model, warm, out=tmp_path / "a")
    with pytest.raises(ss.SSNIBError, match="another run: keep is 1 there and 2 here"):
        protocol.run(model, warm, out=tmp_path / "a", keep=2)
    with pytest.raises(ss.SSNIBError, match="start"):
        protocol.run(model, warm, out=tmp_path / "a", start=first.final_state)
    with FileLock(tmp_path / "a" / ".lock"), pytest.raises(ss.SSNIBError, match="another process"):
        protocol.run(model, warm, out=tmp_path / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(ss.SSNIBError, match="cannot be written"):
        protocol.run(model, warm, out=tmp_path / "file")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "run.sqlite").symlink_to(tmp_path / "a" / "run.sqlite")
    with pytest.raises(ss.SSNIBError, match="must be a regular file"):
        protocol.run(model, warm, out=tmp_path / "link")
    name = "Positive particle diffusivity [m2.s-1]"
    function = warm.replace({name: lambda sto: 2e-16 * (1 + 0.1 * sto)})
    with pytest.raises(ss.SSNIBError, match="a Python function"):
        protocol.run(model, function, out=tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update steps set text = '{}'", "damaged at step 1"),
        ("update steps set text = 'x'", "not JSON"),
        ("update steps set number = 2", "damaged at step 2: step 1 is not there"),
        ("delete from steps", "its state is not that after its last step"),
        ("update state set text = '{}'", "the state of a cell has"),
        ("update job set text = '3'", "another run"),
        ("create view other as select 1", "only the tables"),
    ],
)
def test_damaged_stores_are_refused(change, words, warm, tmp_path):
    protocol, model = ss.Protocol("Rest for 1 minute"), ss.SolidStateSPM()
    protocol.run(model, warm, out=tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection, connection:
        connection.execute(change)
    with pytest.raises(ss.SSNIBError, match=words):
        protocol.run(model, warm, out=tmp_path)
    (tmp_path / "run.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ss.SSNIBError, match="cannot be read"):
        protocol.run(model, warm, out=tmp_path)


def test_a_full_disk_is_said(warm, tmp_path, monkeypatch):
    add = RunStore.add

    def full(self, *arguments):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(RunStore, "add", full)
    protocol, model = ss.Protocol("Rest for 1 minute"), ss.SolidStateSPM()
    with pytest.raises(ss.SSNIBError, match=r"disk is full.*what it holds is valid"):
        protocol.run(model, warm, out=tmp_path)
    monkeypatch.setattr(RunStore, "add", add)
    assert protocol.run(model, warm, out=tmp_path).ok
