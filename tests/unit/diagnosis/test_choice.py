"""Which parameters are fitted, varied and held."""

import dataclasses

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.diagnosis.choice import Problems, candidates, choose
from tests.unit.diagnosis.conftest import ACCESSIBLE, J0, D

ENERGY = "Na3PS4 layer conductivity activation energy [J.mol-1]"
ALLOY = "Negative electrode as-made sodium content"


@pytest.fixture(scope="module")
def data(rates, hu2024):
    return [ss.ProtocolData(rates, hu2024)]


def names(free):
    return {f.name for f in free}


def test_candidates(data, hu2024):
    known = dataclasses.replace(hu2024.info(ENERGY), uncertainty={"sd": 5e3})
    hu2024 = hu2024.replace({ENERGY: known})
    free, held = candidates(hu2024, data)
    assert names(free) | set(held) == set(hu2024.given)
    assert names(free) & set(held) == set()
    assert held["Upper voltage cut-off [V]"] == "set by the measurements themselves"
    assert "taken as exact" in held["Die diameter [m]"]
    by_deviation = {f.name: f for f in free if f.prior}
    energy = by_deviation[ENERGY]
    assert energy.low < hu2024[energy.name] < energy.high


def test_those_that_the_data_tell_are_fitted(data, hu2024):
    chosen = choose(hu2024, data, None, "spm", "auto")
    assert ACCESSIBLE in names(chosen.fitted)
    assert {D, "Na3PS4 layer conductivity [S.m-1]"} <= names(chosen.varied)
    assert "no difference to these data" in chosen.held["Cell heat capacity [J.K-1]"]
    assert chosen.jacobian.shape == (len(data[0].measured), len(chosen.all))


def test_ends_of_a_range_count(data, hu2024):
    """In excess at the values of the set, the anode makes no difference there: one at the end
    of its range it does."""
    chosen = choose(hu2024, data, None, "spm", "auto")
    problems = Problems.of(hu2024, data, [ss.Free(ALLOY)], "spm", "auto")
    slope = problems.derivatives(problems.quick.start())
    assert np.linalg.norm(slope) < 0.3
    assert ALLOY in names(chosen.varied)


def test_those_that_the_user_names(data, hu2024):
    wanted = [ss.Free(J0, 0.001, 0.1), D]
    chosen = choose(hu2024, data, wanted, "spm", "auto", hold=True)
    assert [f.name for f in chosen.fitted] == [J0, D]
    assert (chosen.fitted[0].high, chosen.varied) == (0.1, [])
    assert "nothing else was to vary" in chosen.held[ACCESSIBLE]
    with pytest.raises(ss.OptionError, match="set it themselves"):
        choose(hu2024, data, ["Upper voltage cut-off [V]"], "spm", "auto")


def test_a_set_without_ranges(data, hu2024):
    exact = hu2024.replace({f.name: hu2024[f.name] for f in candidates(hu2024, data)[0]})
    with pytest.raises(ss.OptionError, match="name what is to be fitted"):
        choose(exact, data, None, "spm", "auto")
    assert names(choose(exact, data, [ss.Free(J0, 0.001, 1)], "spm", "auto").all) == {J0}
