"""Bars of sensitivities: what is drawn is what the table holds."""

import pandas as pd
import pytest

from ssnib_model.runs.plots import save_sensitivity, sensitivity_bars

GAP = "Polarization [V]"


@pytest.mark.parametrize("metric", [GAP, "polarization at 2 C"])
def test_a_rate_that_comes_twice_is_drawn_as_the_last(metric):
    table = pd.DataFrame({"Parameter": ["a"] * 3, "C-rate": [2.0, 1.0, 2.0], GAP: [9.0, 1.0, 3.0]})
    ax = sensitivity_bars(table, "local", metric)
    assert sorted(bar.get_width() for bar in ax.patches) == [1.0, 3.0]


def test_indices_have_their_confidence():
    table = pd.DataFrame(
        {"Parameter": ["a"], "S1": [0.5], "S1_conf": [0.2], "ST": [0.7], "ST_conf": [0.1]}
    )
    ax = sensitivity_bars(table, "sobol", GAP, rate=2)
    errors = [bars.errorbar for bars in ax.containers if hasattr(bars, "errorbar")]
    lines = [error.lines[2][0].get_segments()[0] for error in errors]
    assert [line[:, 0].tolist() for line in lines] == [
        pytest.approx([0.3, 0.7]), pytest.approx([0.6, 0.8])
    ]  # fmt: skip
    assert "at 2 C" in ax.get_xlabel()


def test_a_tornado_says_its_rate(tmp_path):
    table = pd.DataFrame({"Parameter": ["a", "b"], "At low": [1.0, 2.0], "At high": [3.0, 2.5],
                          "Base": [2.0, 2.0]})  # fmt: skip
    ax = sensitivity_bars(table, "tornado", "polarization at 0.5 C")
    assert ax.get_xlabel().endswith("at 0.5 C")
    save_sensitivity(table, "tornado", GAP, tmp_path)
    assert (tmp_path / "tornado.png").stat().st_size > 1000
