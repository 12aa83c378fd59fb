"""The benchmarks run; what they measure is judged by who runs them on an idle machine."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybop", reason="PyBOP is not made for this Python")

from benchmarks.__main__ import benchmarks, main
from benchmarks.cases import deviation
from benchmarks.report import BEGIN, END, Row, Targets, markdown, rewritten
from benchmarks.timing import peak_growth

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"

#: What is quick enough at reduced size, with what its rows say.
QUICK = {
    "half_cycle": ("half-cycle at 1 C, full", "lithium_ion.DFN"),
    "throughput": ("13 half-cycles, reduced", "Experiment, lithium_ion.SPM"),
    "cc_cv": ("CC-CV, rest, discharge", "Experiment, SolidStateSPM"),
    "cycles": ("memory at most, 40 cycles at 3 C", "80 ok"),
    "batch": ("20 discharges in lists", "lithium_ion.SPM"),
    "sweep": ("sweep of two rates", "two discharges, lithium_ion.SPM"),
    "gradient": ("8 gradients", "a plain run"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Rows and page of one run of all that are quick."""
    folder = tmp_path_factory.mktemp("benchmarks")
    rows, page = folder / "rows.json", folder / "page.md"
    page.write_text(f"before\n\n{BEGIN}\n| an old table |\n{END}\n\nafter\n")
    command = [sys.executable, "-m", "benchmarks", *QUICK, "--quick"]
    command += ["--json", rows, "--write", page]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| Benchmark")
    return json.loads(rows.read_text())["rows"], page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("case", QUICK)
def test_rows_of_a_quick_look(found, case):
    name, said = QUICK[case]
    rows = [row for row in found[0] if name in row["name"]]
    assert rows
    assert all(row["ours"] > 0 for row in rows if "memory" not in row["name"])
    assert any(said in row["beside"] + row["error"] for row in found[0])
    assert {row["verdict"] for row in rows} == {""}, "a look at reduced size is not judged"


@pytest.mark.slow
def test_both_solvers_are_as_exact_as_one_another(found):
    errors = {}
    for row in found[0]:
        if row["name"].startswith(("half-cycle", "13 half", "CC-CV", "sweep")):
            name, _, solver = row["name"].rpartition(" [")
            voltage, capacity = re.match(r"([\d.e-]+) mV, ([\d.e-]+)", row["error"]).groups()
            errors.setdefault(name, {})[solver] = float(voltage), float(capacity)
    assert len(errors) == 5
    for name, by in errors.items():
        assert np.allclose(by["structured]"], by["idaklu]"], rtol=0.1, atol=0.3), name
        assert by["structured]"][1] == pytest.approx(by["idaklu]"][1], rel=0.2, abs=1e-4), name


@pytest.mark.slow
def test_the_page_says_what_it_shows(found):
    rows, page = found
    assert page.startswith(f"before\n\n{BEGIN}\n\nA quick look, no measurement, only half_cycle, ")
    assert page.endswith(f"|\n\n{END}\n\nafter\n")
    assert "load before" in page
    assert "an old table" not in page
    assert page.count("\n| ") == len(rows) + 1


def test_the_page_has_a_place_for_the_table():
    assert rewritten(PAGE.read_text(), "x").count("x\n" + END) == 1


@pytest.mark.parametrize("page", ["", BEGIN, END + BEGIN, 2 * (BEGIN + END)])
def test_a_page_without_place_is_refused_before_anything_runs(tmp_path, page, capsys):
    file = tmp_path / "page.md"
    file.write_text(page)
    with pytest.raises(SystemExit) as stopped:
        main(["--write", str(file)])
    assert stopped.value.code == 2
    assert "page.md cannot be written to: it has not one line" in capsys.readouterr().err
    assert file.read_text() == page


def test_an_unknown_case_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["half_cycles", "cycles"])
    assert stopped.value.code == 2
    assert "no benchmark half_cycles: they are shell, " in capsys.readouterr().err


def test_cases_are_listed(capsys):
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(benchmarks())


@pytest.mark.parametrize(
    ("value", "more", "verdict"),
    [(3, False, "missed"), (2, False, "must"), (0.9, False, "goal"), (0.1, False, "stretch"),
     (1, True, "missed"), (2, True, "must")],
)  # fmt: skip
def test_verdicts(value, more, verdict):
    levels = (2, 5) if more else (2, 1, 0.5)
    assert Targets(*levels, more=more).verdict(value) == verdict


def test_a_row_as_the_table_shows_it():
    row = Row("x", 2.0, "/s", 8.0, "stock", 4.0, "ours", Targets(1, 3, more=True), "1 mV")
    shown = ("x", "2 /s", "8 /s, stock", "4", "≥ 1 /s", "≥ 3 /s", "", "1 mV", "must")
    assert row.cells() == shown
    assert markdown([row], aligned=False).splitlines()[-1] == f"| {' | '.join(shown)} |"


def test_where_nothing_passes_the_charge_counts_against_the_largest():
    reference = np.array([[3.0, 2.0], [3.5, 0.0]])
    assert deviation(reference + np.array([[0, 0], [1e-3, 0.01]]), reference) == "1 mV, 5.0e-03"


def test_memory_that_is_given_back_is_seen():
    with peak_growth(interval=1e-3) as growth:
        for _ in range(100):
            kept = np.ones(8_000_000)
        del kept
        assert growth() > 30_000
