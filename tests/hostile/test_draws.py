"""A few of the random cells of ``draws.py``."""

import importlib.util
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("draws", Path(__file__).with_name("draws.py"))
draws = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = draws
spec.loader.exec_module(draws)


@pytest.mark.slow
@pytest.mark.parametrize("solver", draws.SOLVERS)
@pytest.mark.parametrize("model", draws.MODELS)
def test_every_draw_ends_with_an_answer(model, solver):
    summary = draws.run(150, seed=20, model=model, solver=solver, sample=10)
    print(draws.report(summary))
    assert not summary.gave_up
    assert summary.sensible.total() > 20
    assert summary.share == 1
    assert summary.slowest < 20
    assert (summary.printed, summary.warned) == ("", [])
    capacity, voltage, _ = zip(*summary.differences, strict=True)
    assert max(capacity) < 5e-4
    assert max(voltage) < 1e-3
