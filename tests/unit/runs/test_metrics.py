"""Names of results, and what they are read from."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.runs.metrics import METRICS, RETENTION, Metric, check_metric, short_name

CAPACITY = "Discharge capacity [mA.h.g-1]"


@pytest.mark.parametrize("column", METRICS)
def test_every_spelling(column):
    name = short_name(column)
    for text in (column, name, name.upper(), f" {name} "):
        assert Metric.of(text, 2) == Metric(column, 2.0)
    for text in (f"{column} at 2 C", f"{name} at 2 C", f"{name} at 2.0C", f"{name}  at  2e0 c"):
        assert Metric.of(text) == Metric.of(text, 2) == Metric(column, 2.0)
    assert str(Metric(column, 0.5)) == f"{name} at 0.5 C"


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        ("polarisation at 2 C", None, 'did you mean "polarization"'),
        ("speed", 2, "must be one of .*Energy efficiency"),
        ("C-rate", 2, "must be one of"),
        ("Status", 2, "must be one of"),
        (3, 2, "metric is 3"),
        ("", 2, "must be one of"),
        ("polarization at 2 C", 1, "leave one of the two"),
        ("polarization", "fast", "rate is 'fast'"),
        ("polarization", None, "its rate"),
        ("polarization at 7 C", None, r"must be one of \[0.2, 2.0\]"),
        ("capacity retention at 2 C", None, "needs the rate 0.1"),
    ],
)
def test_what_a_test_does_not_give(text, rate, message):
    with pytest.raises(ss.OptionError, match=message):
        check_metric(text, rate, ss.RateTest([0.2, 2]))


def test_values_are_of_the_last_time_that_a_test_has_a_rate():
    rates = [0.1, 2.0, 0.1]
    capacity = [100.0, 80, 90, 50, 20, 40, 0, 0, 0]
    table = pd.DataFrame({CAPACITY: capacity, "Status": ["ok"] * 5 + ["anode empty"] * 4})
    assert Metric(CAPACITY, 0.1).values(table, rates).tolist() == [90, 40, 0]
    assert Metric(CAPACITY, 2.0).values(table, rates).tolist() == [80, 20, 0]
    # over the first time at 0.1 C, the fresh cell; nothing over nothing is no retention
    retention = Metric(RETENTION, 0.1).values(table, rates)
    assert np.array_equal(retention, [0.9, 0.8, np.nan], equal_nan=True)
    assert Metric(CAPACITY, 0.1).statuses(table, rates) == ["ok", "anode empty", "anode empty"]
