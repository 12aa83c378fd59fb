"""Data of fits are plain: what they read off half-cycles, and what they refuse."""

import copy

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.fits.data import CAPACITY, CHARGE_CAPACITY, GAP, cycles_at
from ssnib_model.fits.files import data_from_files

CURVE = ([0, 10, 20, 30, 40], [3.6, 3.5, 3.4, 3.3, 3.2])


@pytest.fixture(scope="module")
def there_and_back(hu2024):
    """A test that comes back to its first rate, with two cycles at each."""
    test = ss.RateTest([0.5, 2, 0.5], cycles=2)
    model = ss.SolidStateSPM()
    return test, test.run(model, hu2024)


def test_a_rate_that_comes_again_is_read_off_its_own_block(there_and_back, hu2024):
    test, result = there_and_back
    table = result.table[["C-rate", CAPACITY, CHARGE_CAPACITY, GAP]]
    assert cycles_at(test, 0.5) == [(2, 3), (10, 11)]
    data = ss.RateTestData("test", table, test=test)
    assert data.read(result.half_cycles, hu2024) == pytest.approx(data.measured, rel=1e-12)
    assert data.reasons(result.half_cycles) == [""] * 9
    pd.testing.assert_frame_equal(
        data.table[table.columns], table.reset_index(drop=True), check_exact=False
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_that_may_belong_to_either_block_are_refused(rows, there_and_back):
    test, _ = there_and_back
    table = pd.DataFrame({"C-rate": [0.5] * rows, CAPACITY: 100.0})
    with pytest.raises(ss.MeasuredDataError, match="comes to 2 times"):
        ss.RateTestData("test", table, test=test)


def test_two_cells_at_one_rate_keep_both_values():
    table = pd.DataFrame({"C-rate": [1.0, 1.0], CAPACITY: [98.0, 97.0]})
    data = ss.RateTestData("test", table)
    assert data.table[CAPACITY].tolist() == [98.0, 97.0]


def test_equal_tests_are_one_experiment():
    table = pd.DataFrame({"C-rate": [1.0], CAPACITY: [98.0]})

    def data(*rates, **settings):
        return ss.RateTestData("x", table, test=ss.RateTest(rates, **settings)).experiment

    assert data(0.5, 1) == data(0.5, 1)
    others = [data(1), data(1, 0.5), data(0.5, 1, cycles=2), data(0.5, 1, charge_rate=0.1)]
    assert len({data(0.5, 1), *others}) == 5


def test_a_fit_leaves_the_data_as_they_are(hu2024):
    table = pd.DataFrame({"C-rate": [1.0], CAPACITY: [98.0]})
    data = ss.RateTestData("x", table)
    before = copy.deepcopy(vars(data))
    ss.fit(hu2024, data, ["Positive particle diffusivity [m2.s-1]"], model="spm",
           max_iterations=1)  # fmt: skip
    after = vars(data)
    assert before.keys() == after.keys()
    for name in ("name", "labels", "points", "_at", "temperature"):
        assert before[name] == after[name]
    assert (before["measured"] == after["measured"]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ss.RateTestData("x", pd.DataFrame({"C-rate": ["a"], CAPACITY: [1]})), "numbers"),
        (
            lambda: ss.RateTestData(
                "x", pd.DataFrame({"C-rate": [1], CAPACITY: [1]}), test=ss.RateTest([2])
            ),
            "no rate of its test",
        ),
        (lambda: ss.CurveData("x", *CURVE, 1, test=ss.RateTest([2])), "no rate of its test"),
        (lambda: ss.CurveData("x", *CURVE, 1, "up"), '"charge" or "discharge"'),
        (lambda: ss.CurveData("x", *CURVE, 1, sigma_voltage=0), "sigma_voltage"),
        (lambda: ss.CurveData("x", *CURVE, 1, sigma_capacity=1e-200), "sigma_capacity"),
        (lambda: ss.SpectrumData("x", [1.0], [1j], relative_sigma=np.nan), "relative_sigma"),
        (lambda: ss.RateTestData("x", pd.DataFrame({"C-rate": [1], CAPACITY: [1e300]})), "finite"),
    ],
)
def test_bad_data_are_refused_by_name(make, message):
    with pytest.raises(ss.MeasuredDataError, match=message):
        make()


def test_a_sigma_is_for_the_files_that_have_the_quantity(hu2024, tmp_path):
    kelvin = {"Ambient temperature [K]": 298.15}
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    pd.DataFrame({"C-rate": [1.0], CAPACITY: [98.0], **kelvin}).to_csv(one, index=False)
    pd.DataFrame({"C-rate": [1.0], GAP: [0.5], **kelvin}).to_csv(two, index=False)
    data = data_from_files([one, two], hu2024, {GAP: 0.01, CAPACITY: 0.5})
    assert [d.sigma.tolist() for d in data] == [[0.5], [0.01]]
    with pytest.raises(ss.MeasuredDataError, match="Polarization"):
        data_from_files([one], hu2024, {GAP: 0.01})
