"""What the command line prints."""

import warnings

import pandas as pd
import pytest

from ssnib_model.cli.output import MAX_ROWS, fitted, warnings_in_one_line
from ssnib_model.errors import ValidityWarning


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_table_fits_the_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    table = pd.DataFrame({f"column {n}": [1.0, 2.0] for n in range(30)})
    *lines, last = fitted(table, ["column 17", "column 3"]).splitlines()
    assert all(len(line) <= width for line in lines)
    assert "column 17" in lines[0]
    shown = lines[0].count("column")
    assert last == f"... and {30 - shown} columns more"
    if shown > 1:  # in the order of the table
        assert lines[0].index("column 3") < lines[0].index("column 17")


def test_a_long_table_is_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    table = pd.DataFrame({"a": range(MAX_ROWS + 7)})
    assert fitted(table, []).splitlines()[-1] == "... and 7 rows more"
    assert len(fitted(table.head(3), []).splitlines()) == 4


def test_warnings_come_once_and_in_one_line(capsys):
    with warnings_in_one_line():
        for text in ("first\n  line", "second", "first\n  line"):
            warnings.warn(text, ValidityWarning, stacklevel=1)
    assert capsys.readouterr().err.splitlines() == [
        "ssnib: warning: first line",
        "ssnib: warning: second",
    ]
