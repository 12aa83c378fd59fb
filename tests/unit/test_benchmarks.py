"""The benchmarks run; what they measure is judged by who runs them on an idle machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_quick_benchmarks_print_a_table(tmp_path):
    pytest.importorskip("pybop", reason="PyBOP is not made for this Python")
    file = tmp_path / "rows.json"
    only = ("--only", "half_cycle", "--only", "batch")
    command = [sys.executable, "-m", "benchmarks", "--quick", *only, "--json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| Benchmark")
    assert "lithium_ion.DFN" in done.stdout
    rows = json.loads(file.read_text())["rows"]
    assert {row["verdict"] for row in rows} <= {"missed", "must", "goal", "stretch", ""}
    assert all(row["ours"] > 0 for row in rows)
