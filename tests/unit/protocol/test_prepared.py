"""One engine for any list of steps."""

import itertools
import json

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.solvers.choice import FINER
from ssnib_model.solvers.idaklu import Idaklu
from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Outcome, Status

CONDUCTIVITY = "Na3PS4 layer conductivity [S.m-1]"
TEMPERATURE = "Ambient temperature [K]"
CYCLE = ("Charge at 1 C until cut-off", "Hold at upper cut-off until C/10", "Rest for 10 minutes",
         "Discharge at 1 C until cut-off")  # fmt: skip


@pytest.fixture(scope="module")
def spm():
    return ss.SolidStateSPM()


@pytest.fixture(scope="module")
def warm(hu2024):
    """A cell whose losses are small."""
    return hu2024.replace({TEMPERATURE: 333.15})


def test_rate_test_is_a_protocol(spm, hu2024):
    """The same steps by either class are the same to the last bit."""
    test = ss.RateTest([0.5, 1], charge_rate=0.5, cycles=2, hold="C/10", rest="10 min")
    ours = test.run(spm, hu2024)
    theirs = test.to_protocol().run(spm, hu2024)
    assert theirs.table["Cycle"].max() == 4
    charges = theirs.table[theirs.table["Type"] == "charge"]
    for half_cycle, (_, row) in zip(ours.half_cycles[::2], charges.iterrows(), strict=True):
        assert half_cycle.segment.charge == row["Charge passed [A.h]"]
        assert half_cycle.segment.energy == row["Energy [W.h]"]
    last = theirs.table[theirs.table["Cycle"] == 4].set_index("Type")["Capacity [mA.h.g-1]"]
    row = ours.rows[-1]
    assert row["Charge capacity [mA.h.g-1]"] == pytest.approx(last["charge"] + last["hold"])
    assert row["Discharge capacity [mA.h.g-1]"] == pytest.approx(last["discharge"])
    for name, values in ours.final_state.values.items():
        assert (theirs.final_state.values[name] == values).all()


def test_temperature_of_a_step(spm, hu2024):
    """A step at another temperature is that of a cell at that temperature, from the same state."""
    protocol = ss.Protocol(
        ["Charge at C/2 until cut-off", "Discharge at C/2 until cut-off (60 oC)",
         "Charge at C/2 until cut-off"]
    )  # fmt: skip
    prepared = protocol.prepare(spm, hu2024)
    assert TEMPERATURE in prepared.varying
    steps = prepared.result(hu2024).steps
    charged = ss.Protocol(["Charge at C/2 until cut-off"]).run(spm, hu2024)
    warm = hu2024.replace({TEMPERATURE: 333.15})
    alone = ss.Protocol(["Discharge at C/2 until cut-off"]).run(
        spm, warm, start=charged.final_state
    )
    assert steps[1].numbers.charge == pytest.approx(alone.steps[0].numbers.charge, rel=1e-5)
    cold = ss.Protocol(["Discharge at C/2 until cut-off"]).run(
        spm, hu2024, start=charged.final_state
    )
    assert steps[1].numbers.charge > 1.005 * cold.steps[0].numbers.charge


def test_prepared_protocol_is_strict(spm, hu2024):
    prepared = ss.Protocol(CYCLE).prepare(spm, hu2024, varying=[CONDUCTIVITY])
    changed = hu2024.replace({CONDUCTIVITY: 0.02})
    again, fresh = prepared.result(changed), ss.Protocol(CYCLE).run(spm, changed)
    assert again.table["Charge passed [A.h]"].to_numpy() == pytest.approx(
        fresh.table["Charge passed [A.h]"].to_numpy(), rel=1e-5, abs=1e-12
    )
    with pytest.raises(ss.OptionError, match="only what it was told to vary may differ"):
        prepared.result(hu2024.replace({TEMPERATURE: 333.15}))


@pytest.mark.parametrize(
    ("first", "step", "words"),
    [
        ("Rest for 1 second", "Discharge at 1 W until 2.5 V", "the ohmic drop of layers"),
        ("Rest for 1 second", "Discharge at 10 Ohm until 2.5 V", "the ohmic drop of layers"),
        ("Rest for 1 second", "Discharge at 2.5 mW until 2.5 V", "the layers take"),
        ("Rest for 1 second", "Hold at 3.3 V until 10 C", "at 3.3 V its current is below 4.72 mA"),
        (
            "Rest for 1 second",
            "Discharge at C/10 until 3.9 V",
            "below the voltage that ends it (3.9",
        ),
        (
            "Charge at 1 C until cut-off",
            "Rest for 1 hour or until > 3.6 V",
            "voltage is above the",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_a_step_that_cannot_start_is_an_answer(first, step, words, spm, warm):
    """With its reason, and the next step goes on from there."""
    result = ss.Protocol([first, step, "Rest for 1 minute"]).run(spm, warm)
    _, stuck, after = result.steps
    assert stuck.status is Status.AT_START
    assert words in stuck.outcome.reason
    assert f"step 2, {stuck.planned.text!r}, cannot start: {stuck.outcome.reason}" in result.notes
    assert stuck.numbers[:3] == (0, 0, 0)
    assert stuck.ended_by
    assert np.isnan(stuck.numbers.end_voltage)
    assert after.status is Status.OK
    assert result.ok
    json.dumps(result.to_dict(), allow_nan=False)


def test_after_a_failed_step_the_others_are_not_run(spm, hu2024, monkeypatch):
    step = Idaklu.step

    def fail_at_rest(self, state, planned, inputs):
        if planned.direction == "rest":
            return Outcome(Status.FAILED, reason="the solver gave up (no reason)"), state
        return step(self, state, planned, inputs)

    monkeypatch.setattr(Idaklu, "step", fail_at_rest)
    result = ss.Protocol(CYCLE).run(spm, hu2024)
    assert result.table["Status"].tolist() == [
        "ok",
        "ok",
        "failed: the solver gave up (no reason)",
        "failed: step 3, 'Rest for 10 minutes', before it failed",
    ]
    assert not result.ok
    assert result.table["Ended by"].tolist()[2:] == ["", ""]
    assert result.table.loc[2:, "Duration [s]"].isna().all()
    # the state is that before the step that failed
    assert ss.Protocol("Rest for 1 second").prepare(spm, hu2024).protocol
    assert result.final_state.values


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_a_cell_that_cannot_be(hu2024, spm):
    cell = hu2024.replace({"Negative electrode tin amount [mol]": 1e-9})
    result = ss.Protocol(CYCLE, initial_state_of_charge=0.5).run(spm, cell)
    assert all("full charge would bring" in status for status in result.table["Status"])
    with pytest.raises(ss.OptionError, match="no final state: failed"):
        _ = result.final_state


def test_a_finer_mesh_for_protocols_too(spm, hu2024, monkeypatch):
    step = pybamm.Simulation.step

    def fail_on_20_points(self, dt, **kwargs):
        if self.var_pts["r_p"] == 20 and kwargs["starting_solution"].t[-1] > -1 and dt == 600:
            raise pybamm.SolverError("no convergence")
        return step(self, dt, **kwargs)

    monkeypatch.setattr(pybamm.Simulation, "step", fail_on_20_points)
    protocol = ss.Protocol(CYCLE)
    with pytest.warns(ss.ValidityWarning, match="the whole test on a mesh twice as fine"):
        result = protocol.run(spm, hu2024)
    assert {s.outcome.recovery for s in result.steps} == {FINER}
    # a state to start from is of one mesh: there is no other to go to
    start = ss.Protocol("Charge at C/2 until cut-off").run(spm, hu2024).final_state
    assert not protocol.run(spm, hu2024, start=start).ok
    monkeypatch.undo()
    fine = protocol.run(spm, hu2024, var_pts={"r_p": 40})
    assert (fine.table["Charge passed [A.h]"] == result.table["Charge passed [A.h]"]).all()


class Interrupted(Idaklu):
    """Ctrl-C in the middle of a step."""

    calls = itertools.count()

    def step(self, state, step, inputs):
        if next(self.calls) == 3:
            raise KeyboardInterrupt
        return super().step(state, step, inputs)


def test_ctrl_c_gives_what_there_is(spm, hu2024, monkeypatch):
    monkeypatch.setattr("ssnib_model.protocol.prepared.Idaklu", Interrupted)
    monkeypatch.setattr(Interrupted, "calls", itertools.count())
    with pytest.warns(ss.ValidityWarning, match="interrupted after step 3 of 8"):
        result = (ss.Protocol(CYCLE) * 2).run(spm, hu2024)
    assert len(result.table) == 3
    assert not result.ok
    monkeypatch.setattr(Interrupted, "calls", itertools.count())
    with pytest.raises(KeyboardInterrupt):  # who runs many tests wants to know
        ss.RateTest([1, 2, 1]).run(spm, hu2024)


def test_state_goes_from_test_to_test(spm, hu2024, tmp_path):
    """A test in two parts is the test; also through JSON, and from a rate test on."""
    whole = ss.Protocol(CYCLE).run(spm, hu2024)
    first = ss.Protocol(CYCLE[:2]).run(spm, hu2024)
    state = CellState.from_dict(json.loads(json.dumps(first.final_state.to_dict())))
    second = ss.Protocol(CYCLE[2:]).run(spm, hu2024, start=state)
    assert second.table["Charge passed [A.h]"].to_numpy() == pytest.approx(
        whole.table["Charge passed [A.h]"].to_numpy()[2:], rel=1e-5, abs=1e-12
    )
    second.save(tmp_path)
    again = ss.repeat_run(tmp_path / "run.json")
    assert again.to_dict() == second.to_dict()
    cycled = ss.RateTest([1]).run(spm, hu2024)
    twice = ss.RateTest([1], cycles=2).run(spm, hu2024)
    after = ss.RateTest([1]).run(spm, hu2024, start=cycled.final_state)
    assert after.half_cycles[1].capacity == pytest.approx(twice.half_cycles[3].capacity, rel=1e-5)
    assert ss.repeat_run(after.to_dict()).to_dict() == after.to_dict()


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_reason_after_a_start(spm, warm):
    """The open-circuit voltage of the words is that of the state that was handed over."""
    charged = ss.Protocol("Charge at C/2 until 4 V").run(spm, warm).final_state
    result = ss.Protocol("Charge at C/2 until cut-off").run(spm, warm, start=charged)
    low = ss.Protocol("Charge at C/2 until 3 V").run(spm, warm, start=charged)
    rested = ss.Protocol("Rest for 300 hours").run(spm, warm, start=charged)
    reason = low.steps[0].outcome.reason
    assert f"the open-circuit voltage, {rested.steps[0].numbers.end_voltage:.3f}"[:-1] in reason
    assert result.steps[0].status in (Status.OK, Status.AT_START)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"keep": 0}, "keep is 0: it must be a whole number"),
        ({"keep": True}, "keep is True"),
        ({"start": 0.5}, "start is a float: a CellState is needed"),
        ({"solver": "fast"}, "solver is 'fast'"),
        ({"var_pts": {"r_p": 0}}, "var_pts has 0"),
    ],
)
def test_settings_that_are_not_allowed(settings, words, spm, hu2024):
    with pytest.raises(ss.OptionError, match=words):
        ss.Protocol(CYCLE).run(spm, hu2024, **settings)


def test_one_start_only(spm, hu2024):
    state = ss.Protocol("Rest for 1 second").run(spm, hu2024).final_state
    for test in (
        ss.Protocol(CYCLE, initial_state_of_charge=0.5),
        ss.RateTest([1], initial_state_of_charge=0.5),
    ):
        with pytest.raises(ss.OptionError, match="start is given and initial_state_of_charge"):
            test.run(spm, hu2024, start=state)
    with pytest.raises(ss.OptionError, match="model"):
        ss.Protocol(CYCLE).run(ss.SolidStateDFN(), hu2024, start=state)
    with pytest.raises(ss.OptionError, match="var_pts"):
        ss.RateTest([1]).run(spm, hu2024, start=state, var_pts={"r_p": 10})
