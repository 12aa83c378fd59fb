"""``ssnib run``."""

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cli import main

CYCLE = ("Charge at 1 C until cut-off", "Discharge at 1 C until cut-off")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Where default folders may be made."""
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return main(["run", "--model", "spm", *map(str, arguments)])


def test_steps(tmp_path, capsys):
    assert run("Repeat 2 times:", *(f"  {step}" for step in CYCLE)) == 0
    assert "upper cut-off 4 V" in capsys.readouterr().out
    folder = tmp_path / "run"
    test = ss.Protocol(list(CYCLE)) * 2
    assert ss.Protocol.from_file(folder / "protocol.txt") == test
    table = pd.read_csv(folder / "table.csv")
    assert table["Cycle"].tolist() == [1, 1, 2, 2]
    assert len(pd.read_csv(folder / "cycles.csv")) == 2
    assert (folder / "protocol.png").read_bytes().startswith(b"\x89PNG")
    # the same from its record, to the last digit
    assert run("--repeat", folder / "run.json", "--out", "again") == 2
    assert main(["run", "--repeat", str(folder / "run.json"), "--out", "again"]) == 0
    assert (tmp_path / "again" / "table.csv").read_text() == (folder / "table.csv").read_text()
    # a test of one cycle leaves nothing of that of two
    assert run("Rest for 1 minute") == 0
    assert not (folder / "cycles.csv").exists()


def test_file_and_times(tmp_path, capsys):
    (tmp_path / "drive.csv").write_text("Time [s],Current [mA]\n0,-0.1\n60,-0.2\n")
    (tmp_path / "test.txt").write_text("Rest for 1 minute # first\nRun drive.csv (A)\n")
    assert run("--file", "test.txt", "--times", "2", "--initial-soc", "0.3", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["Type"] for row in document["table"]] == ["rest", "profile"] * 2
    assert document["protocol"]["initial_state_of_charge"] == 0.3
    charge = 0.15e-3 * 60 / 3600
    assert document["table"][1]["Charge passed [A.h]"] == pytest.approx(-charge, rel=1e-4)


def test_experiments(capsys, tmp_path):
    settings = ("--setting", "states=1", "--setting", "step=40", "--setting", "rest=10 minutes")
    assert run("--experiment", "pulse", *settings) == 0
    assert "Resistance at 0.1 s [Ohm]" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "run" / "resistances.csv")) == 2
    gitt = ("--setting", "pulses=2", "--setting", "direction=charge", "--json")
    assert run("--experiment", "gitt", *gitt) == 0
    assert len(json.loads(capsys.readouterr().out)["titration"]) == 2
    assert run("--experiment", "formation", "--setting", "rates=C/2,1", "--json") == 0
    texts = [row["Text"] for row in json.loads(capsys.readouterr().out)["table"]]
    assert texts[1:3] == ["Discharge at C/2 until cut-off", "Charge at 1 C until cut-off"]


def test_a_run_that_was_cut_goes_on(tmp_path, capsys, monkeypatch):
    """As after the power went: the folder has what was done, and no results yet."""
    long = ("--experiment", "cycling", "--setting", "cycles=30", "--out", "long", "--quiet")
    from ssnib_model.protocol.walk import Walk

    take, taken = Walk.take, []

    def cut(self, step, called):
        taken.append(called)
        if len(taken) == 56:
            raise MemoryError
        return take(self, step, called)

    monkeypatch.setattr(Walk, "take", cut)
    with pytest.raises(MemoryError):
        run(*long)
    assert not (tmp_path / "long" / "table.csv").exists()
    taken.clear()
    taken += [""] * 100  # no more cuts
    assert run(*long) == 0
    assert len(taken) == 100 + 10  # the first 50 were done
    assert len(pd.read_csv(tmp_path / "long" / "table.csv")) == 60
    # its results are there now, and another test does not go on from it
    assert run(*long) == 2
    assert "--force" in capsys.readouterr().err
    assert run("Rest for 1 minute", "--out", "long", "--force", "--quiet") == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "nothing to run is given"),
        (("Rest for 1 s", "--file", "x.txt"), "steps and --file are given"),
        (("--file", "missing.txt"), "missing.txt: cannot be read"),
        (("Rest for 1 s", "Rest at 1 A"), "line 2: "),
        (("Repeat 2 times:", "Rest for 1 s"), "line 1: .*has no steps below"),
        (("Rest for 1 s", "--setting", "rate=1"), "--setting is of an --experiment"),
        (("--experiment", "hppc"), "cycling, formation, gitt, pulse are known"),
        (("--experiment", "gitt", "--setting", "length=1"), "gitt has no 'length'"),
        (("--experiment", "gitt", "--setting", "rate=x"), "rate is 'x'"),
        (("Rest for 1 s", "--times", "0"), "--times: is repeated 0 times"),
        (("Rest for 1 s", "--keep", "0"), "keep is 0"),
        (("Rest for 1 s", "--initial-soc", "2"), "between 0 and 1"),
        (("Hold at 9 V until C/20",), 'step 1, "Hold at 9 V until C/20": it holds 9 V'),
        (("Rest for 1 s", "--repeat", "run.json"), "has no effect with --repeat"),
    ],
)
def test_what_is_refused(arguments, why, capsys, tmp_path):
    assert run(*arguments) == 2
    assert re.search(why, capsys.readouterr().err)
    assert not (tmp_path / "run" / "table.csv").exists()


def test_what_cannot_start_is_no_answer(capsys, tmp_path):
    assert run("Discharge at 100 C until cut-off") == 3
    captured = capsys.readouterr()
    assert "cut-off reached at start" in captured.out
    assert "no answer: no step could be run (the ohmic drop" in captured.err
    assert not (tmp_path / "run").exists()


def test_what_has_no_answer_leaves_no_folder(capsys, tmp_path):
    """Nor does it take what was there before."""
    assert run("Discharge at 100 C until cut-off", "--out", "new") == 3
    assert "nothing is written" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine.txt").write_text("mine")
    assert run("Discharge at 100 C until cut-off", "--out", "old") == 3
    assert [f.name for f in (tmp_path / "old").iterdir()] == ["mine.txt"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_and_kill_then_on(tmp_path):
    """A run of its own process: killed, interrupted in compiled functions, gone on with."""
    setting = ("--experiment", "cycling", "--setting", "cycles=3000", "--keep", "3000")
    call = [sys.executable, "-m", "ssnib_model", "run", *setting, "--quiet", "--out", "long"]

    def done():
        try:
            with contextlib.closing(
                sqlite3.connect("file:long/run.sqlite?mode=ro", uri=True)
            ) as c:
                return c.execute("select count(*) from steps").fetchone()[0]
        except sqlite3.Error:
            return 0

    for number, code, words in (
        (signal.SIGKILL, -signal.SIGKILL, ""),
        (signal.SIGINT, 130, "interrupted"),
    ):
        before = done()
        with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 300
            while process.poll() is None and done() <= before and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(number)
            said = process.communicate()[1]
        assert process.returncode == code
        assert words in said.lower()
        assert "Traceback" not in said
        assert done() > before
    assert not (tmp_path / "long" / "table.csv").exists()
