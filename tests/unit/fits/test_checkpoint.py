"""Searches that go on: what is known is not asked again, and nothing else is believed."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.fits.checkpoint import Checkpoint, Log, Stage, best_of
from ssnib_model.fits.data import CAPACITY
from ssnib_model.fits.problem import Answer, FitProblem
from ssnib_model.fits.search import Settings, descend

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"


class Valley(FitProblem):
    """Two data that are the place itself, bent; nothing is simulated."""

    def _nearby(self, d, unit, columns):
        return None

    def _answer(self, unit, data):
        x, y = unit
        if x > 0.95:
            return Answer(np.array([np.nan, 0.0]), ("too far", "too far"))
        return Answer(np.array([100 * x + 30 * y**2, 50 * y + 10 * x**2]), ("", ""))


@pytest.fixture
def problem(hu2024):
    table = pd.DataFrame({"C-rate": [0.5, 1.0], CAPACITY: [60.0, 30.0]})
    free = [ss.Free(D), ss.Free(J0, prior=(0.02, 0.7))]
    return Valley(hu2024, [ss.RateTestData("test", table)], free, "spm")


POINT = np.array([0.9, 0.1])


def test_a_search_with_all_it_knew_asks_nothing(problem):
    log = Log(problem)
    whole = descend(log, POINT, Settings())
    solves = problem.solves
    again = descend(Log(problem, log.entries), POINT, Settings())
    assert problem.solves == solves
    assert (again.unit == whole.unit).all()
    assert (again.jacobian == whole.jacobian).all()
    assert again.solves == whole.solves


def test_what_was_asked_elsewhere_is_forgotten(problem):
    log = Log(problem)
    descend(log, POINT, Settings())
    new = Log(problem, log.entries)
    other = descend(new, POINT + 0.02, Settings())
    assert not any(np.array_equal(e.unit, POINT) for e in new.entries)
    assert other.cost == pytest.approx(descend(Log(problem), POINT + 0.02, Settings()).cost)


def test_every_state_of_the_file_leads_to_the_same_end(problem, tmp_path):
    """Interrupted after every single evaluation."""
    log = Log(problem)
    whole = descend(log, POINT, Settings())
    for cut in range(len(log.entries)):
        file = tmp_path / f"{cut}.json"
        first = Checkpoint(file, [problem], {})
        for entry in log.entries[:cut]:
            first.stages[0].add(0, entry)
        first.flush()
        second = Checkpoint(file, [problem], {})
        known = second.stages[0].search(0).entries
        assert len(known) == cut
        found = descend(Log(problem, known), POINT, Settings())
        assert (found.unit == whole.unit).all()
        assert found.cost == whole.cost


def test_the_best_start_is_kept_whole_and_the_others_as_numbers(problem, tmp_path):
    file = tmp_path / "state.json"
    record = Checkpoint(file, [problem], {})
    outcomes = [descend(Log(problem), POINT, Settings(max_iterations=n)) for n in (2, 20, 1)]
    for number in (2, 0, 1):
        record.stages[0].finish(number, outcomes[number])
    record.flush()
    stage = Checkpoint(file, [problem], {}).stages[0]
    assert stage.done == 3
    best = stage.best()
    assert (best.unit == outcomes[1].unit).all()
    assert (best.jacobian == outcomes[1].jacobian).all()
    assert best.solves == sum(o.solves for o in outcomes)
    assert [s.outcome is not None for s in stage.searches.values()].count(True) == 1
    assert json.loads(file.read_text())["chi2"] == best.cost
    assert not list(tmp_path.glob("*.new"))


def test_points_without_an_answer_are_worse_than_any_with_one(problem):
    far = problem.residuals(np.array([0.97, 0.1]))
    near = problem.residuals(np.array([0.0, 0.0]))
    assert (np.abs(far[0]) >= np.abs(near[0])).all()
    # one side without an answer: the other one counts
    jacobian = problem.jacobian(np.array([0.9495, 0.5]))
    sigma = problem.sigma[0]
    assert jacobian[0, 0] == pytest.approx(100 / sigma, rel=1e-6)


def test_only_what_has_been_answered_is_there(problem):
    log = Log(problem)
    log.answer(np.array([0.99, 0.5]))
    found = best_of(problem, log.entries, "")
    assert not found.is_there
    assert found.jacobian is None
    assert best_of(problem, [], "") is None
    assert Stage(problem, lambda: None).best() is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["stages"].append({}),
        lambda d: d.update(stages=3),
        lambda d: d["stages"][0]["0"].update(evaluations=[{}]),
        lambda d: d["stages"][0].update(x={"evaluations": []}),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(unit=[0.5]),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(unit=[0.5, 10**400]),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(unit=[0.5, 1.5]),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(values="AAAA"),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(values="?"),
        lambda d: d["stages"][0]["0"]["evaluations"][0].update(reasons={"7": "x"}),
        lambda d: d["stages"][0].update({"0": {"chi2": 1e999, "solves": 1, "simulated": True}}),
    ],
)
def test_a_damaged_file_is_refused(spoil, problem, tmp_path):
    file = tmp_path / "state.json"
    record = Checkpoint(file, [problem], {})
    descend(Log(problem, report=lambda e: record.stages[0].add(0, e)), POINT, Settings())
    record.flush()
    document = json.loads(file.read_text())
    spoil(document)
    file.write_text(json.dumps(document))
    with pytest.raises(ss.SSNIBError, match="damaged"):
        Checkpoint(file, [problem], {})


def test_a_disk_that_is_full_does_not_end_the_fit(problem, tmp_path, monkeypatch):
    file = tmp_path / "state.json"
    record = Checkpoint(file, [problem], {})
    before = file.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.warns(ss.ValidityWarning, match="can no longer be written"):
        record.flush()
    assert file.read_text() == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record.flush()
