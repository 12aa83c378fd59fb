"""Which solver is taken, what is said of it, and that nothing is lost where one cannot."""

import json
import sqlite3
import sys

import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.cell.options import OPTIONS
from ssnib_model.cli import main
from ssnib_model.fits.problem import FitProblem
from ssnib_model.runs.sweep import resume
from ssnib_model.solvers import choice
from ssnib_model.solvers.choice import (
    FOR_DERIVATIVES,
    FOR_DIFFERENCES,
    FOR_FITS,
    USUAL,
    Named,
    decide,
    named,
)
from ssnib_model.solvers.idaklu import Idaklu
from ssnib_model.solvers.structured import ACCEPTED, Structured
from ssnib_model.steps import Outcome, Status

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"
FAST = ss.StructuredSolver()
RTOL, ATOL = USUAL.structured


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)


def decided(asked, options=None, values=None, **settings):
    model = ss.SolidStateDFN(options)
    values = values or ss.ParameterSet("Hu2024").to_pybamm()
    return decide(asked, model, values, **settings)


def test_auto_takes_the_structured_solver_where_it_can():
    for asked in ("auto", None, Named()):
        found = decided(asked)
        assert found.solver == ss.StructuredSolver()
        assert (found.asked, found.why, found.note, found.in_words()) == ("auto", "", "", "")


@pytest.mark.parametrize("option", OPTIONS)
def test_auto_takes_idaklu_for_every_option_the_other_lacks(option):
    """And says which; by its name the structured solver is refused with the same sentence."""
    for value in OPTIONS[option][1:]:
        if ACCEPTED[option] is None or value in ACCEPTED[option]:
            continue
        try:
            found = decided("auto", {option: value})
        except ss.OptionError:
            continue  # the model itself has no such option
        assert isinstance(found.solver, pybamm.IDAKLUSolver)
        assert f'"{option}"' in found.why
        assert repr(value) in found.why
        assert found.in_words() == f"solver: IDAKLU, because {found.why}"
        with pytest.raises(ss.OptionError) as refused:
            decided("structured", {option: value})
        assert str(refused.value).startswith(found.why)


def test_auto_takes_idaklu_for_a_mesh_the_other_lacks():
    found = decided("auto", var_pts={"r_p": 2})
    assert found.name == "idaklu"
    assert "at least 3 shells" in found.why


def test_idaklu_by_its_name_is_as_it_was():
    model, found = ss.SolidStateDFN(), decided("idaklu")
    assert (found.name, found.asked, found.why) == ("idaklu", "idaklu", "")
    assert (found.solver.rtol, found.solver.atol) == (
        model.default_solver.rtol,
        model.default_solver.atol,
    )


def test_a_solver_of_ones_own_is_taken_as_it_is():
    own = pybamm.IDAKLUSolver(rtol=1e-9)
    found = decided(own)
    assert found.solver is found.again is own
    assert found.to_dict() == "IDAKLUSolver"
    exact = ss.StructuredSolver(1e-8, 1e-10)
    assert decided(exact).solver is exact


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("structred", 'did you mean "structured"'),
        ("", "one of auto, structured, idaklu"),
        (1e-6, "one of auto, structured, idaklu"),
        (ss.StructuredSolver, "one of auto, structured, idaklu"),
    ],
)
def test_what_is_no_solver_is_refused(asked, words):
    with pytest.raises(ss.OptionError, match=words):
        named(asked)


@pytest.mark.parametrize(
    "document",
    [
        "structured",
        [],
        {},
        {"rtol": 1e-4},
        {"rtol": "1e-4", "atol": 1e-6},
        {"rtol": 1e-4, "atol": None},
        {"name": "auto", "rtol": 1e-4, "atol": 1e-6, "asked": "auto", "why": ""},
        {"name": ["idaklu"], "rtol": 1e-4, "atol": 1e-6, "asked": "auto", "why": ""},
        {"name": "idaklu", "rtol": 0, "atol": 1e-6, "asked": "auto", "why": ""},
        {"name": "idaklu", "rtol": 1e-4, "atol": 1e-6, "asked": 1, "why": ""},
    ],
)
def test_a_record_that_is_none_is_refused(document):
    with pytest.raises(ss.OptionError):
        Named.from_dict(document)


@pytest.mark.parametrize(
    ("options", "name"), [({}, "structured"), ({"particle": "two-phase"}, "idaklu")]
)
def test_a_record_asks_for_the_same_again(options, name):
    first = decided("auto", options)
    document = json.loads(json.dumps(first.to_dict()))
    assert document["name"] == name
    again = decided(Named.from_dict(document), options)
    assert again.to_dict() == document


def test_records_from_before_there_was_a_choice():
    assert Named.from_dict(None).name == "idaklu"
    old = decided(Named.from_dict({"rtol": 1e-5, "atol": 1e-8}))
    assert old.solver == ss.StructuredSolver(1e-5, 1e-8)


# -------------------------------------------------------------------- what it is for
def test_a_rate_test_by_default_and_repeated(hu2024, tmp_path):
    test = ss.RateTest([1])
    result = test.run(ss.SolidStateSPM(), hu2024)
    document = result.to_dict()
    assert document["settings"]["solver"] == {
        "name": "structured", "rtol": RTOL, "atol": ATOL, "asked": "auto", "why": ""
    }  # fmt: skip
    assert result.table.equals(test.run(ss.SolidStateSPM(), hu2024, solver=FAST).table)
    assert ss.repeat_run(document).to_dict() == document


def test_an_option_it_lacks_is_solved_by_idaklu(hu2024):
    model = ss.SolidStateSPM({"particle": "two-phase"})
    result = ss.RateTest([1]).run(model, hu2024)
    kept = result.to_dict()["settings"]["solver"]
    assert kept["name"] == "idaklu"
    assert "two-phase" in kept["why"]
    assert result.table.equals(ss.RateTest([1]).run(model, hu2024, solver="idaklu").table)
    assert result.notes == []


@pytest.mark.usefixtures("without_numba")
def test_without_numba_all_is_solved_by_idaklu_and_said(hu2024, capsys):
    with pytest.warns(ss.ValidityWarning, match="numba cannot be imported") as said:
        result = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024)
    assert len(said) == 1
    kept = result.to_dict()
    assert kept["settings"]["solver"]["name"] == "idaklu"
    assert "numba cannot be imported" in kept["settings"]["solver"]["why"]
    assert any("numba cannot be imported" in note for note in kept["notes"])
    with pytest.warns(ss.ValidityWarning, match="numba cannot be imported"):
        table = ss.sweep(hu2024, ss.grid({KAPPA: [0.01]}), ss.RateTest([1]))
    assert table["Status"].tolist() == ["ok"]
    assert main(["rate-test", "--model", "spm", "--rates", "1", "--out", "/dev/null/x"]) == 2
    capsys.readouterr()
    with pytest.raises(ss.SSNIBError, match="needs numba: numba cannot be imported"):
        ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024, solver="structured")


def test_where_it_gives_up_idaklu_takes_over(hu2024, monkeypatch):
    """The whole test, and it is said: a state between two solvers would be neither's."""

    def give_up(self, state, step, inputs):
        if step.direction == "charge":
            return own(self, state, step, inputs)
        return Outcome(Status.FAILED, reason="the solver gave up", gave_up=True), state

    own = Structured.step
    monkeypatch.setattr(Structured, "step", give_up)
    with pytest.warns(ss.ValidityWarning, match="solved with IDAKLU in place of the structured"):
        result = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024)
    assert {h.recovery for h in result.half_cycles} == {choice.BY_IDAKLU}
    own = ss.SolidStateSPM().default_solver
    exact = Named("idaklu", idaklu=(min(RTOL, own.rtol), min(ATOL, own.atol)))
    reference = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024, solver=exact)
    assert [h.capacity for h in result.half_cycles] == [h.capacity for h in reference.half_cycles]


def test_it_is_said_where_idaklu_gives_up_too(hu2024, monkeypatch):
    def give_up(self, state, step, inputs):
        return Outcome(Status.FAILED, reason="the solver gave up", gave_up=True), state

    for stepper in (Structured, Idaklu):
        monkeypatch.setattr(stepper, "step", give_up)
    result = ss.Protocol(["Charge at 1 C until cut-off"]).run(ss.SolidStateSPM(), hu2024)
    expected = f"failed: the solver gave up; in vain, too: {choice.BY_IDAKLU}, {choice.FINER}"
    assert result.table["Status"].tolist() == [expected]


def test_a_potential_too_steep_for_tables_is_left_to_idaklu(hu2024, monkeypatch):
    monkeypatch.setattr("ssnib_model.solvers.tables.MOST_INTERVALS", 2)
    with pytest.warns(ss.ValidityWarning, match="IDAKLU in place of the structured"):
        result = ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024)
    assert result.ok


def test_fits_and_sensitivities_ask_for_more_digits(hu2024):
    table = hu2024.reference_data or hu2024.measured
    data = [ss.RateTestData("own", next(iter(table.values())))]
    problem = FitProblem(hu2024, data, [ss.Free(D)], "spm")
    exact = ss.StructuredSolver(*FOR_FITS.structured)
    assert problem.choice.solver == exact
    assert problem.fingerprint()["solver"] == repr(exact)
    by_name = FitProblem(hu2024, data, [ss.Free(D)], "spm", "idaklu")
    assert (by_name.choice.solver.rtol, by_name.choice.solver.atol) == FOR_DIFFERENCES.idaklu
    assert by_name.fingerprint()["solver"] == "None"  # as checkpoints had it from the start
    run = ss.RateTest([1])
    by_default = ss.sensitivity(hu2024, [KAPPA], run)
    tight = ss.StructuredSolver(*FOR_DERIVATIVES.structured)
    assert by_default.equals(ss.sensitivity(hu2024, [KAPPA], run, solver=tight))
    columns = by_default.columns.difference(["Parameter", "Note"])
    other = ss.sensitivity(hu2024, [KAPPA], run, solver="idaklu")
    for column in columns:
        assert by_default[column][0] == pytest.approx(other[column][0], rel=1e-3, abs=1e-6)


def test_a_sweep_goes_on_by_the_solver_it_was_begun_with(hu2024, tmp_path, monkeypatch):
    """Whatever "auto" would be by then; one that is named must be the same."""
    design, test = ss.grid({KAPPA: [0.01, 0.02]}), ss.RateTest([1])
    kept, kept_name = {}, {"auto": "structured", "idaklu": "idaklu"}
    for solver in ("auto", "idaklu"):
        table = ss.sweep(hu2024, design, test, solver=solver, out=tmp_path / solver)
        with sqlite3.connect(tmp_path / solver / "sweep.sqlite") as connection:
            (text,) = connection.execute("select text from job").fetchone()
            connection.execute("delete from runs where run = 1")
        kept[solver] = json.loads(text)["solver"]
        if solver == "auto":  # which was the structured solver and is no more
            monkeypatch.setattr(choice, "numba_problem", lambda: "numba was taken away")
        else:
            monkeypatch.undo()
        assert decided("auto").name != kept_name[solver]
        again = ss.sweep(hu2024, design, test, out=tmp_path / solver)
        assert again.equals(table)
        assert resume(tmp_path / solver).equals(table)
        other = "structured" if solver == "idaklu" else "idaklu"
        with pytest.raises(ss.SSNIBError, match="solver is"):
            ss.sweep(hu2024, design, test, solver=other, out=tmp_path / solver)
    # as stores had it before there was a choice
    assert kept == {"auto": {"rtol": RTOL, "atol": ATOL}, "idaklu": None}


def test_the_command_line_says_why(capsys, tmp_path):
    command = ["rate-test", "--model", "spm", "--rates", "1", "--out", str(tmp_path), "--force"]
    assert main([*command, "--option", "particle=two-phase"]) == 0
    said = capsys.readouterr().out
    assert "solver: IDAKLU, because the structured solver has" in said
    for plain in (["--option", "particle=two-phase", "--solver", "idaklu"], ["--quiet"], []):
        assert main([*command, *plain]) == 0
        assert "solver:" not in capsys.readouterr().out
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["solver"] == {
        "name": "structured", "rtol": RTOL, "atol": ATOL, "asked": "auto", "why": ""
    }  # fmt: skip
    assert main([*command, "--option", "particle=two-phase", "--solver", "structured"]) == 2
    assert "two-phase" in capsys.readouterr().err
