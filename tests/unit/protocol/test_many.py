"""Many runs in one call give the numbers of one at a time, to the last bit."""

import numpy as np
import pandas as pd
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.runs.runner import Runner

KAPPA, RADIUS = "Na3PS4 layer conductivity [S.m-1]", "Positive particle radius [m]"
LOADING = "Positive electrode active material loading [kg.m-2]"
TEMPERATURE, UPPER = "Ambient temperature [K]", "Upper voltage cut-off [V]"


@pytest.fixture(scope="module")
def design():
    """Cells that can do all, that cannot start, whose cut-offs differ, and none at all."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            KAPPA: np.geomspace(1e-3, 1, 12),
            RADIUS: rng.permutation(np.geomspace(1e-7, 3e-6, 12)),
            LOADING: rng.uniform(0.02, 0.4, 12),
            UPPER: rng.uniform(3.5, 3.8, 12),
            TEMPERATURE: rng.uniform(290, 330, 12),
        }
    )
    frame.loc[3, KAPPA] = -1.0
    return frame


@pytest.mark.parametrize(
    "test",
    [
        ss.RateTest([0.2, 5], hold="C/20", rest=600),
        ss.RateTest([1], charge_rate=0.3, cycles=2),
    ],
)
def test_rows_are_the_same(hu2024, design, test):
    runner = Runner(hu2024, test, "spm", ss.StructuredSolver(1e-4, 1e-6), design)
    runner.choose()
    runner.prepare()
    points = design.to_dict("records")
    at_once = runner._at_once(points)
    assert sum(rows is None for rows in at_once) < 6
    assert runner.many(points) == [runner(point) for point in points]
    for point, rows in zip(points, at_once, strict=True):
        assert rows is None or rows == runner(point)
    assert at_once[3] is None


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_are_the_same_with_all_variables(hu2024, design, threads):
    protocol = ss.Protocol(
        ["Charge at C/5 until 3.5 V", "Hold at 3.5 V until C/30", "Discharge at 2C until 2.5 V"]
    )
    prepared = protocol.prepare(ss.SolidStateSPM(), hu2024, varying=[KAPPA, RADIUS])
    cells = [hu2024.replace({KAPPA: k, RADIUS: r}) for k, r in design[[KAPPA, RADIUS]].values[4:9]]
    many = prepared.steps_of_many(cells, threads)
    for cell, steps in zip(cells, many, strict=True):
        for found, expected in zip(steps, prepared.steps(cell), strict=True):
            assert (found.ending, found.ended_by) == (expected.ending, expected.ended_by)
            assert np.array_equal(found.samples, expected.samples)
            assert found.numbers == expected.numbers
    name = "Negative electrode sodium content"
    last = [steps[-1].segment.solution[name].entries for steps in (many[-1], prepared.steps(cell))]
    assert np.array_equal(*last)


def test_temperatures_of_steps_and_idaklu_go_one_by_one(hu2024):
    rest = pybamm.step.rest(duration=60, temperature="320 K")
    warm = ss.Protocol(["Charge at 1C for 60 seconds", rest])
    for solver in ("auto", "idaklu"):
        prepared = warm.prepare(ss.SolidStateSPM(), hu2024, varying=[KAPPA], solver=solver)
        steps = prepared.steps_of_many([hu2024])[0]
        expected = prepared.steps(hu2024)
        assert [s.numbers[:5] for s in steps] == [s.numbers[:5] for s in expected]
    with pytest.raises(ss.OptionError, match="only what it was told to vary"):
        prepared.steps_of_many([hu2024, hu2024.replace({RADIUS: 1e-6})])
