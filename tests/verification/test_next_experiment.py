"""The measurement that is recommended does, once it is made, what was said of it."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss

D = "Positive particle diffusivity [m2.s-1]"
CONDUCTIVITY = "Na3PS4 layer conductivity [S.m-1]"
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"
FREE = [ss.Free(D, 5e-17, 1e-15, log=True), ss.Free(CONDUCTIVITY, 0.005, 0.02, log=True)]
SIGMA = {CAPACITY: 1.0, GAP: 0.005}


def measured(cell, rates, rng):
    """A rate test of the cell, with errors."""
    table = ss.RateTest(rates).run(ss.SolidStateSPM(), cell).table[["C-rate", CAPACITY, GAP]]
    for column, sigma in SIGMA.items():
        table[column] += sigma * rng.normal(size=len(table))
    return table


def data(name, table):
    return ss.RateTestData(name, table, sigma=SIGMA)


def band(fit, rate):
    """Width of the 95 % band of a capacity, by draws of the fit and whole simulations."""
    table = fit.predict([rate], n=150, seed=3)
    row = table[table["Quantity"] == CAPACITY].iloc[0]
    return row["High"] - row["Low"]


def test_a_refit_with_the_winner_has_the_band_that_was_predicted():
    """Within a quarter: the fits are at other best points, and 150 draws say a width to 8 %."""
    cell, rng = ss.ParameterSet("Hu2024"), np.random.default_rng(5)
    first = data("first", measured(cell, [0.2], rng))
    before = ss.fit(cell, first, FREE, model="spm")
    candidates = [
        ss.Candidate(f"rates {rate:g}", ss.RateTest([rate]), curves=False,
                     sigma=SIGMA | {"Charge capacity [mA.h.g-1]": 1e6})
        for rate in (0.1, 0.5, 1.0)
    ]  # fmt: skip
    found = before.next_experiment("capacity at 1.5 C", candidates=candidates)
    assert found.best == "rates 1"
    second = data("second", measured(cell, [1.0], rng))
    after = ss.fit(cell, [first, second], FREE, model="spm")
    predicted = found.table["High"][0] - found.table["Low"][0]
    assert band(after, 1.5) == pytest.approx(predicted, rel=0.25)
    assert band(after, 1.5) < 0.5 * band(before, 1.5)
    # of what was not recommended as well: it does less
    worst = found.table.iloc[-1]["Candidate"]
    other = data("other", measured(cell, [float(worst.split()[1])], rng))
    assert band(ss.fit(cell, [first, other], FREE, model="spm"), 1.5) > 1.3 * band(after, 1.5)


def test_linear_problem_against_least_squares():
    """Standard errors with the measurement are those of one least-squares problem of all."""
    cell = ss.ParameterSet("Hu2024")
    rates = [0.2, 0.5, 1.0]
    table = ss.RateTest(rates).run(ss.SolidStateSPM(), cell).table[["C-rate", CAPACITY, GAP]]

    def part(name, chosen):
        rows = table[table["C-rate"].isin(chosen)]
        return ss.RateTestData(name, pd.DataFrame(rows), sigma=SIGMA, test=ss.RateTest(chosen))

    free = [ss.Free(f.name, f.low, f.high, f.log, prior=(cell[f.name], 1.0)) for f in FREE]
    one = ss.fit(cell, part("one", [0.2]), free, model="spm")
    both = ss.fit(cell, [part("one", [0.2]), part("two", [0.5, 1.0])], free, model="spm")
    candidate = ss.Candidate(
        "two", ss.RateTest([0.5, 1.0]), curves=False,
        sigma=SIGMA | {"Charge capacity [mA.h.g-1]": 1e6},
    )  # fmt: skip
    for name in (D, CONDUCTIVITY):
        found = one.next_experiment(name, candidates=[candidate])
        # of a logarithm: the relative error
        expected = both.errors[name] / both.values[name]
        assert found.deviations["two"] == pytest.approx(expected, rel=2e-3)
