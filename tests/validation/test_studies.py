"""Every study runs, at reduced size, and writes what its README shows."""

import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*/run.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", STUDIES, ids=lambda path: path.parent.name)
def test_study(script, tmp_path):
    command = [sys.executable, script, "--quick", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {path.name for path in tmp_path.iterdir()}
    shown = {path.name for path in script.parent.iterdir() if path.suffix in (".csv", ".png")}
    assert shown
    assert shown <= written
