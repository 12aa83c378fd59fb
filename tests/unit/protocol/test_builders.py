"""GITT, pulses, cycling and formation: their steps, and what their results say."""

import math

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.errors import OptionError
from ssnib_model.protocol.builders import EXPERIMENTS, experiment

MASS = "Positive electrode active material mass [kg]"


@pytest.fixture(scope="module")
def spm():
    return ss.SolidStateSPM()


# ---------------------------------------------------------------- their steps
def test_cycling():
    plain = ss.Cycling(0.5, cycles=3)
    assert plain == ss.Protocol(
        ["Charge at 0.5 C until cut-off", "Discharge at 0.5 C until cut-off"]
    ) * 3  # fmt: skip
    full = ss.Cycling(
        "2 C", 2, charge_rate="C/2", hold="30 minutes", rest=60,
        upper_voltage=3.9, lower_voltage=2.6, initial_state_of_charge=0.5,
    )  # fmt: skip
    assert full.to_text().split("\n") == [
        "Initial state of charge: 0.5",
        "Repeat 2 times:",
        "    Charge at C/2 until 3.9 V",
        "    Hold at 3.9 V for 30 minutes",
        "    Rest for 60 seconds",
        "    Discharge at 2 C until 2.6 V",
        "    Rest for 60 seconds",
    ]
    for hold, text in ((0.05, "until 0.05 C"), ("C/20", "until C/20"), ("2 h", "for 2 h")):
        line = ss.Cycling(1, 1, hold=hold).to_text().split("\n")[2].strip()
        assert line == f"Hold at upper cut-off {text}"


def test_formation():
    formation = ss.Formation(["C/20", 0.1, 0.1], hold="C/50")
    assert [step.times for step in formation.steps] == [1, 2]
    assert {leaf.tags for group in formation.steps for leaf in group.steps} == {("formation",)}
    assert len(formation) == 9
    assert ss.Formation(0.1) == ss.Formation([0.1])


def test_titration_in_both_directions():
    text = ss.GITT("C/10", 4, 600, duration="30 minutes").to_text()
    assert text.split("\n") == [
        "Rest for 600 seconds",
        "Repeat 4 times:",
        "    Charge at C/10 for 30 minutes or until cut-off (tags: titration)",
        "    Rest for 600 seconds",
        "Repeat 4 times:",
        "    Discharge at C/10 for 30 minutes or until cut-off (tags: titration)",
        "    Rest for 600 seconds",
    ]
    down = ss.GITT(direction="discharge")
    assert down.to_text().startswith("Charge at 0.1 C until cut-off\nRest for 2 hours\nRepeat 20")
    from_charged = ss.GITT(direction="discharge", initial_state_of_charge=0.9)
    assert from_charged.steps == down.steps[1:]


def test_pulses():
    assert len(ss.Pulse()) == 1 + 9 * 6
    assert len(ss.Pulse(states=2, initial_state_of_charge=0.9)) == 12


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: ss.Cycling(0), "rate is 0: .*0 C"),
        (lambda: ss.Cycling(-1), "rate is -1: "),
        (lambda: ss.Cycling(math.nan), "rate is nan"),
        (lambda: ss.Cycling(True), "rate is True"),
        (lambda: ss.Cycling("1 A"), "rate is '1 A': a C-rate"),
        (lambda: ss.Cycling("1 C for 1 s or until 3 V"), "rate is"),
        (lambda: ss.Cycling(1, 0), "cycles is 0"),
        (lambda: ss.Cycling(1, 1.5), "cycles is 1.5"),
        (lambda: ss.Cycling(1, charge_rate="fast"), "charge_rate is 'fast'"),
        (lambda: ss.Cycling(1, hold="C/0"), "hold is 'C/0'"),
        (lambda: ss.Cycling(1, hold="4 V"), "hold is '4 V'"),
        (lambda: ss.Cycling(1, hold="C/20 or 1 mA"), "hold is"),
        (lambda: ss.Cycling(1, hold=None, rest=-5), "rest is -5"),
        (lambda: ss.Cycling(1, rest="1 hour (60 oC)"), "rest is .*: a time"),
        (lambda: ss.Cycling(1, upper_voltage=60), "upper_voltage is 60"),
        (lambda: ss.Cycling(1, upper_voltage=2, lower_voltage=3), "must be below"),
        (lambda: ss.Cycling(1, initial_state_of_charge=1), "initial_state_of_charge is 1"),
        (lambda: ss.Formation([]), "rates is empty"),
        (lambda: ss.Formation(None), "rates is None"),
        (lambda: ss.GITT(direction="up"), "direction is 'up'"),
        (lambda: ss.GITT(pulses=0), "pulses is 0"),
        (lambda: ss.GITT(duration="long"), "duration is 'long'"),
        (lambda: ss.Pulse(step=0), "step is 0"),
        (lambda: ss.Pulse(step="10 %"), "step is '10 %'"),
        (lambda: ss.Pulse(pause=""), "pause is ''"),
        (lambda: experiment("hppc", {}), "cycling, formation, gitt, pulse are known"),
        (lambda: experiment("gitt", {"length": 3}), "gitt has no 'length': it has rate, pulses"),
    ],
)
def test_what_is_refused(make, why):
    with pytest.raises(OptionError, match=why):
        make()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_one_that_comes_back_from_its_text_and_can_be_planned(name, hu2024):
    test = experiment(name, {})
    assert type(test) is EXPERIMENTS[name]
    assert ss.Protocol.from_text(test.to_text()) == test
    assert ss.Protocol.from_dict(test.to_dict()) == test
    assert len(list(test.schedule(hu2024))) == len(test)


# ---------------------------------------------------------------- what their results say
@pytest.fixture(scope="module")
def pulses(spm, hu2024):
    test = ss.Pulse(2, states=2, step=25, rest="2 hours", initial_state_of_charge=0.9)
    return test.run(spm, hu2024, solver=spm.default_solver)


def test_resistances(pulses, hu2024):
    table = ss.Pulse.resistances(pulses)
    assert table["Direction"].tolist() == ["discharge", "charge"] * 2
    assert (table["Status"] == "ok").all()
    current = 2 * hu2024["Nominal cell capacity [A.h]"]
    assert table["Current [A]"].tolist() == pytest.approx([current, -current] * 2)
    # against the model's own variables
    for row, step in zip(table.to_dict("records"), (3, 5, 9, 11), strict=True):
        solution, rest = pulses.steps[step - 1].segment.solution, pulses.steps[step - 2]
        relaxed = rest.segment.solution["Voltage [V]"].entries[-1]
        assert row["Open-circuit voltage [V]"] == pytest.approx(relaxed, abs=1e-6)
        start = solution["Positive electrode stoichiometry"].entries[0]
        assert row["State of charge"] == pytest.approx(1 - start, abs=1e-6)
        for t in (0.1, 1, 10):
            expected = (relaxed - solution["Voltage [V]"](solution.t[0] + t)) / row["Current [A]"]
            assert row[f"Resistance at {t:g} s [Ohm]"] == pytest.approx(float(expected), rel=1e-5)
    # two quarters of the nominal capacity apart
    steps = np.diff(table["State of charge"][::2])
    assert steps == pytest.approx([-0.25 * _share(hu2024)], rel=0.02)


def test_a_resistance_is_losses_and_the_change_of_the_open_circuit_voltage(spm, hu2024):
    """As HPPC has it; near empty, where that is steep, it is a good part of it."""
    result = ss.Pulse(rate=1, states=3, step=30).run(spm, hu2024)
    charge = ss.Pulse.resistances(result).iloc[-1]
    number, current = int(charge["Step"]), charge["Current [A]"]
    losses = -result.breakdown(number, at=1.0).sum() / current
    solution = result.steps[number - 1].segment.solution
    reached = solution["Battery open-circuit voltage [V]"].entries[-1]
    shift = (charge["Open-circuit voltage [V]"] - reached) / current
    assert charge["State of charge"] < 0.02
    assert shift > 0.1 * losses
    assert charge["Resistance at 10 s [Ohm]"] == pytest.approx(losses + shift, rel=1e-5)


def _share(cell):
    """Of all sodium, what the nominal capacity is."""
    sodium = (
        cell["Maximum concentration in positive electrode [mol.m-3]"]
        * cell["Positive electrode active material volume fraction"]
        * cell["Positive electrode accessible fraction"]
        * cell["Positive electrode thickness [m]"]
        * cell["Electrode area [m2]"]
    )
    return 3600 * cell["Nominal cell capacity [A.h]"] / (sodium * 96485.33212)


def test_times_beyond_a_pulse_have_no_resistance(pulses):
    table = ss.Pulse.resistances(pulses, times=(10, 10.01))
    assert table["Resistance at 10 s [Ohm]"].notna().all()
    assert table["Resistance at 10.01 s [Ohm]"].isna().all()
    with pytest.raises(OptionError, match="times is"):
        ss.Pulse.resistances(pulses, times=[-1])
    with pytest.raises(OptionError, match='no step of the test has the tag "titration"'):
        ss.GITT.titration(pulses)


def test_titration(spm, hu2024):
    result = ss.GITT(0.2, 3, "10 hours", direction="charge").run(spm, hu2024)
    table = ss.GITT.titration(result)
    # relaxed, it stands at the potential of its mean composition
    for row in table.to_dict("records"):
        values = hu2024.to_pybamm()
        values.set_initial_state(row["State of charge"])
        at_rest = ss.Protocol(
            "Rest for 1 second", initial_state_of_charge=row["State of charge"]
        ).run(spm, hu2024)
        equilibrium = at_rest.steps[0].numbers.end_voltage
        assert row["Relaxed voltage [V]"] == pytest.approx(equilibrium, abs=2e-4)
    assert table["State of charge"].is_monotonic_increasing
    assert (table["IR drop [V]"] > 0).all()
    assert (table["Polarization [V]"] > 0).all()
    # the drop at the start is what the losses that follow at once add up to
    second = result.steps[3]
    losses = result.breakdown(4, at=0.0)
    before = result.steps[2].numbers.end_voltage
    jump = second.numbers.start_voltage - before
    assert table["IR drop [V]"][1] == pytest.approx(jump)
    at_once = losses.drop([n for n in losses.index if "diffusion" in n]).sum()
    assert jump == pytest.approx(at_once, abs=2e-3)


def test_what_is_no_titration_or_pulse_is_said(spm, hu2024):
    charge = "Charge at 1 C for 1 minute (tags: titration, pulse)"
    result = ss.Protocol([charge, charge]).run(spm, hu2024)
    with pytest.raises(OptionError, match=r'step 1, "Charge at 1 C for 1 minute", does not fol'):
        ss.Pulse.resistances(result)
    rested = ss.Protocol(["Rest for 1 minute", charge, charge]).run(spm, hu2024)
    with pytest.raises(OptionError, match=r"step 3, .*, is no rest"):
        ss.GITT.titration(rested)
    cycle = ss.Protocol([("Rest for 1 minute", charge), ("Rest for 2 minutes", charge)] * 2)
    thinned = cycle.run(spm, hu2024, keep=3)
    with pytest.raises(OptionError, match="no curve was kept"):
        ss.Pulse.resistances(thinned)


def test_capacities_of_cycles(spm, hu2024):
    result = ss.Cycling(1, 2, hold="C/20").run(spm, hu2024)
    table = ss.Cycling.capacities(result)
    assert table["Cycle"].tolist() == [1, 2]
    discharged = [s.numbers.charge for s in result.steps if s.planned.step.direction[0] == "d"]
    expected = np.array(discharged) / hu2024[MASS]
    assert table["Discharge capacity [mA.h.g-1]"].to_numpy() == pytest.approx(expected)
    assert table["Capacity retention"].tolist() == pytest.approx([1, expected[1] / expected[0]])


def test_a_period_is_that_of_the_curve(spm, hu2024):
    test = ss.Protocol(["Rest for 1 minute (7 second period)", "Charge at 1 C for 1 minute"])
    curves = test.run(spm, hu2024).curves
    times = curves[curves["Step"] == 1]["Step time [s]"].tolist()
    assert times == [0, 7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert (curves["Step"] == 2).sum() > 50
    with pytest.raises(OptionError, match="period of 1e-06 s is too short"):
        ss.Protocol("Rest for 1 hour (1e-6 second period)").schedule(hu2024)
