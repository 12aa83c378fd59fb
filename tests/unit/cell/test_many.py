"""Many cells at once have the values that they have one by one."""

import numpy as np
import pytest

import ssnib_model as ss

AREA, VOID = "Electrode area [m2]", "Positive electrode void fraction"
LOADING, UPPER = (
    "Positive electrode active material loading [kg.m-2]",
    "Upper voltage cut-off [V]",
)


@pytest.mark.parametrize(
    "ranges",
    [
        {AREA: (5e-5, 1e-3), VOID: (-0.2, 1.1), UPPER: (1.0, 4.2)},
        {LOADING: (0.01, 0.4), "Positive particle radius [m]": (1e-8, 1e-5)},
    ],
)
def test_they_are_those_of_replace_and_refused_where_it_refuses(hu2024, ranges):
    rng = np.random.default_rng(1)
    changes = {name: rng.uniform(*ends, 12) for name, ends in ranges.items()}
    values, allowed = hu2024.replace_many(changes)
    assert AREA not in ranges or 0 < allowed.sum() < 12
    for m in range(12):
        point = {name: float(x[m]) for name, x in changes.items()}
        if not allowed[m]:
            with pytest.raises(ss.ParameterError):
                hu2024.replace(point)
            continue
        one = hu2024.replace(point)
        assert values.keys() == set(one)
        for name, expected in one.items():
            found = values[name]
            found = float(found[m]) if isinstance(found, np.ndarray) else found
            assert found == (pytest.approx(expected, rel=1e-12) if found != expected else expected)


def test_what_needs_more_than_rules_of_numbers_is_left_to_replace(hu2024):
    assert hu2024.replace_many({"Electrode aera [m2]": np.ones(2)}) is None
    assert hu2024.replace_many({AREA: np.full(2, -1.0)}) is None
