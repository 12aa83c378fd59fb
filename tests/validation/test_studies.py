"""Every study runs, at reduced size, and writes what its README shows."""

import json
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
    shown = {
        path.name for path in script.parent.iterdir() if path.suffix in (".csv", ".png", ".json")
    }
    assert shown
    assert shown <= written


@pytest.mark.slow
def test_the_shipped_set_is_what_its_study_writes(tmp_path, hu2024):
    """The reduced model alone, few draws: every fitted value within 0.2 of its standard error."""
    script = Path(__file__).parents[2] / "studies" / "fit_hu2024" / "run.py"
    command = [sys.executable, script, "--quick", "--out", tmp_path]
    subprocess.run(command, capture_output=True, check=True)
    again = json.loads((tmp_path / "fitted.json").read_text())
    fitted = {name: hu2024.info(name) for name in hu2024 if hu2024.info(name).kind == "fitted"}
    assert len(fitted) == 3
    for name, info in fitted.items():
        found = again.get(name) or again[f"{name} (Fig. 4E)"]
        assert found["value"] == pytest.approx(info.value, abs=0.2 * info.uncertainty["sd"])
        assert found["error"] == pytest.approx(info.uncertainty["sd"], rel=0.1)
