"""What was done to a cell is found in what was measured: by columns, or by what it does."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.measured.protocol import MeasuredProtocol, numbers_of
from ssnib_model.measured.steps import measured_steps
from ssnib_model.steps import Control, Measure
from tests.unit.measured.synthetic import RATE_TEST, TESTS, measured

WAYS = {
    "with columns": {},
    "without columns": {"columns": False},
    "noisy": {"columns": False, "volts": 1e-3, "amperes": 2e-4},
    "sparse": {"columns": False, "rows": 4},
    "every half minute": {"columns": False, "every": 30},
}


def told(protocol, parameters):
    """The steps of a protocol for a cell, by what tells them apart."""
    found = []
    for planned in protocol.schedule(parameters):
        step = planned.step
        own = [end for end in step.ends if not end.cut_off]
        ends = tuple((end.measure, end.value) for end in own)
        found.append((step.control, step.value, None if step.open_ended else step.duration, ends))
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TESTS)
def test_what_was_done_is_found(name, way, hu2024):
    frame = measured(TESTS[name], hu2024, **WAYS[way])
    found = told(MeasuredProtocol(frame, hu2024).protocol, hu2024)
    truth = told(ss.Protocol(TESTS[name]), hu2024)
    assert len(found) == len(truth)
    near = 0.05 if way in ("noisy", "every half minute") else 1e-4
    for (control, value, duration, ends), (of, imposed, lasted, until) in zip(
        found, truth, strict=True
    ):
        assert control is of
        assert value == pytest.approx(imposed, rel=5e-3, abs=1e-12)
        assert (duration or 0.0) == pytest.approx(lasted or 0.0, rel=1e-3)
        assert [measure for measure, _ in ends] == [measure for measure, _ in until]
        for (measure, at), (_, there) in zip(ends, until, strict=True):
            exact = measure is Measure.VOLTAGE
            assert at == pytest.approx(there, rel=1e-9 if exact else near)


@pytest.mark.parametrize("columns", [True, False])
def test_a_pulse_hides_no_slow_cycle(columns):
    """Rest is what carries no charge, not a part of the largest current."""
    blocks = [  # current [C], hours, voltage from and to
        (-0.1, 8.0, 3.0, 3.9), (0.0, 1.0, 3.85, 3.8), (11.0, 10 / 3600, 3.0, 2.9),
        (0.0, 1.0, 3.7, 3.8), (0.1, 8.0, 3.7, 2.5), (0.0, 1.0, 2.6, 2.8),
    ]  # fmt: skip
    frame = stretches(blocks, columns)
    steps, findings = measured_steps(frame)
    assert [s.kind for s in steps] == ["charge", "rest", "discharge", "rest", "discharge", "rest"]
    assert [s.current for s in steps] == pytest.approx([b[0] for b in blocks], rel=1e-6)
    assert not findings


def stretches(blocks, columns=False, rows=60):
    """A measurement of straight stretches."""
    parts, begin = [], 0.0
    for number, (current, hours, first, last) in enumerate(blocks, start=1):
        t = np.linspace(0, 3600 * hours, rows)
        parts.append(
            pd.DataFrame(
                {
                    "Time [s]": begin + t,
                    "Current [A]": current,
                    "Voltage [V]": np.linspace(first, last, rows),
                    "Step": number,
                }
            )
        )
        begin += 3600 * hours
    frame = pd.concat(parts, ignore_index=True)
    return frame if columns else frame.drop(columns="Step")


@pytest.mark.parametrize("columns", [True, False])
def test_a_drive_cycle_is_a_profile(columns, hu2024):
    draws = np.random.default_rng(1)
    t = np.arange(0.0, 200.0)
    wild = 1e-4 * draws.standard_normal(200)
    frame = pd.DataFrame(
        {
            "Time [s]": np.concatenate([t, 200 + t, 400 + t]),
            "Current [A]": np.concatenate([np.full(200, -1e-4), wild, np.zeros(200)]),
            "Voltage [V]": np.concatenate([np.linspace(3, 3.4, 200), 3.4 - 100 * wild,
                                           np.linspace(3.41, 3.4, 200)]),
            "Step": np.repeat([1, 2, 3], 200),
        }
    )  # fmt: skip
    frame = frame if columns else frame.drop(columns="Step")
    found = MeasuredProtocol(frame, hu2024)
    assert [d.step.kind for d in found.done] == ["charge", "profile", "rest"]
    profile = list(found.protocol.schedule(hu2024))[1].step
    assert profile.control is Control.CURRENT
    passed = np.trapezoid(profile.value.values, profile.value.times) / 3600
    assert passed == pytest.approx(found.done[1].step.charge, rel=1e-6)


def test_time_without_a_record_is_a_rest():
    frame = stretches([(-0.1, 1.0, 3.0, 3.9), (0.1, 1.0, 3.7, 3.0)])
    frame.loc[60:, "Time [s]"] += 7200
    steps, findings = measured_steps(frame)
    assert [s.kind for s in steps] == ["charge", "rest", "discharge"]
    assert steps[2].current == pytest.approx(0.1, rel=0.02)
    assert "nothing is recorded" in findings[0]


def test_the_time_of_the_step_says_when_it_began():
    """The last row of a charge is not its end where the next step says how long it has run."""
    frame = stretches([(-0.1, 1.0, 3.0, 3.9), (0.1, 1.0, 3.7, 3.0)], columns=True)
    frame["Step time [s]"] = np.tile(np.linspace(0, 3600, 60), 2)
    kept = frame.drop(index=range(50, 61))  # ten rows of the end, one of the beginning
    steps, _ = measured_steps(kept)
    assert [s.duration for s in steps] == pytest.approx([3600, 3600])
    assert [s.charge for s in steps] == pytest.approx([-0.1, 0.1])
    other = kept.assign(**{"Step time [s]": kept["Time [s]"]})  # since the start of the test
    assert [s.duration for s in measured_steps(other)[0]] != pytest.approx([3600, 3600])


def test_the_count_of_the_cycler_is_believed():
    """Rounded currents: the integral is 12 % too large."""
    frame = stretches([(-0.1, 1.0, 3.0, 3.9), (0.1, 1.0, 3.7, 3.0)])
    hours = frame["Time [s]"] / 3600
    frame["Charge capacity [A.h]"] = 0.088 * hours.clip(upper=1)
    frame["Discharge capacity [A.h]"] = 0.088 * (hours - 1).clip(lower=0)
    steps, findings = measured_steps(frame)
    assert [s.charge for s in steps] == pytest.approx([-0.088, 0.088], rel=1e-6)
    assert [s.current for s in steps] == pytest.approx([-0.088, 0.088], rel=1e-6)
    assert "0.88" in findings[0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="Voltage [V]"), "no column 'Voltage"),
        (lambda f: f.assign(**{"Current [A]": 0.0}), "no current at all"),
        (lambda f: f.iloc[::-1], "time goes back"),
        (lambda f: f.iloc[:1], "has 1 rows"),
        (lambda f: f.assign(**{"Voltage [V]": np.nan}), "row 1: 'Voltage"),
        (lambda f: f.assign(**{"Current [A]": 100 * f["Current [A]"]}), "holds 0.4704 mA.h"),
        (lambda f: f[f["Step"] > 4], "no row says what the state before"),
        (lambda f: f[f["Step"] > 5], "from state of charge .* to .*: say"),
        (lambda f: f.assign(**{"Temperature [K]": 25.0}), "temperature is 25 K"),
    ],
)
def test_what_says_nothing_is_refused(spoil, message, hu2024):
    frame = measured(TESTS["all kinds"], hu2024, rows=20)
    with pytest.raises(ss.MeasuredDataError, match=message):
        MeasuredProtocol(spoil(frame), hu2024)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": 1.5}, "start is 1.5"),
        ({"start": "somewhere"}, "start is 'somewhere'"),
        ({"start": "3.32 V"}, "state it as a number"),
        ({"cycles": "2-1"}, "2,5-7"),
        ({"cycles": "7"}, "cycles 1 to 1"),
        ({"cycles": 3}, "cycles are 3"),
        ({"only": 3}, "only is 3"),
        ({"only": "up"}, "only is 'up'"),
        ({"only": "profile"}, "nothing is left"),
        ({"mass": 1.0, "area": 1.0}, "by one of them"),
        ({"mass": -1.0}, "mass is -1.0"),
        ({"temperature": 25.0}, "temperature is 25.0"),
    ],
)
def test_settings_that_are_none_are_refused(settings, message, hu2024):
    frame = measured(TESTS["all kinds"], hu2024, rows=20)
    with pytest.raises(ss.OptionError, match=message):
        MeasuredProtocol(frame, hu2024, **settings)


def test_other_things_are_refused(hu2024):
    with pytest.raises(ss.OptionError, match="curves is a dict"):
        ss.compare({"as made": 1}, hu2024)
    with pytest.raises(ss.OptionError, match="parameters is a str"):
        ss.compare(pd.DataFrame(), "Hu2024")
    with pytest.raises(ss.MeasuredDataError, match="no column 'Time"):
        ss.compare(pd.DataFrame(), hu2024)


def test_the_state_at_the_start(hu2024):
    frame = measured(TESTS["all kinds"], hu2024, rows=20)

    def start(frame, **settings):
        found = MeasuredProtocol(frame, hu2024, **settings)
        return found.protocol.initial_state_of_charge, found.start

    state, said = start(frame)
    assert state == pytest.approx(hu2024["As-made state of charge"], abs=1e-6)
    assert "rest at the start" in said
    assert start(frame[frame["Step"] > 1]) == (0.01, "it begins with a charge, and so as made")
    later = frame[frame["Step"] > 4]
    assert start(later, start=0.9)[0] == 0.9
    assert start(later, start="as-made")[0] == 0.01
    assert start(later, start="3.9 V")[0] == pytest.approx(0.989, abs=2e-3)
    assert start(later, start="charged")[0] > 0.98


def test_a_cell_of_another_size(hu2024):
    """Ten times the cell, and ten times its current: the same test."""
    frame = measured(TESTS["aborted"], hu2024)
    larger = frame.assign(**{"Current [A]": 10 * frame["Current [A]"]})
    own = MeasuredProtocol(frame, hu2024)
    area = 10 * hu2024["Electrode area [m2]"]
    mass = 10 * hu2024["Positive electrode active material mass [kg]"]
    for settings in ({"area": area}, {"mass": mass}):
        scaled = MeasuredProtocol(larger, hu2024, **settings)
        assert scaled.protocol == own.protocol
        assert "currents times 0.1" in scaled.size
    assert "of the size of Hu2024" in own.size


def test_cycles_and_kinds_are_chosen(hu2024):

    frame = measured(RATE_TEST, hu2024, rows=20).drop(columns="Cycle")
    found = MeasuredProtocol(frame, hu2024, cycles="2,3", only="discharge")
    assert [d.number for d in found.done if d.is_compared] == [4, 6]
    assert len(found.protocol) == 6  # with what was done before, and nothing after
    assert numbers_of("2,5-7") == [2, 5, 6, 7]
    assert found.state_of_charge(0) == found.protocol.initial_state_of_charge


def test_the_measured_temperature_is_that_of_the_step(hu2024):
    frame = measured(TESTS["aborted"], hu2024, rows=20)
    warm = frame.assign(**{"Temperature [K]": 298.15 + 5 * (frame["Step"] > 3)})
    found = MeasuredProtocol(warm, hu2024)
    assert [d.instruction.temperature for d in found.done] == [298.15] * 3 + [303.15] * 3
    told = MeasuredProtocol(warm, hu2024, temperature=310.0)
    assert {d.instruction.temperature for d in told.done} == {310.0}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_measured_is_divided_without_a_loss(seed, hu2024):
    """Steps follow one another, no row is in two, and a rest hides next to no charge."""
    draws = np.random.default_rng(seed)
    parts, begin = [], 0.0
    for number in range(draws.integers(1, 12)):
        rows, long = int(draws.choice([1, 2, 3, 8, 100])), 10 ** draws.uniform(0, 4.5)
        t = (
            np.linspace(0, long, rows)
            if draws.random() < 0.5
            else np.sort(long * draws.random(rows))
        )
        size = 10 ** draws.uniform(-6, -4)
        shapes = (np.full(rows, size), np.zeros(rows), -size * np.exp(-3 * t / long),
                  size * draws.standard_normal(rows))  # fmt: skip
        current = shapes[draws.integers(4)] * draws.choice([-1, 1])
        voltage = 3.3 + 0.1 * draws.standard_normal() - 1e3 * current * (t / long)
        parts.append(
            pd.DataFrame(
                {
                    "Time [s]": begin + t,
                    "Current [A]": current,
                    "Voltage [V]": voltage,
                    "Step": number,
                }
            )
        )
        begin += long * draws.choice([1.0, 1.0, 3.0])
    frame = pd.concat(parts, ignore_index=True)
    frame = frame if draws.random() < 0.5 else frame.drop(columns="Step")
    try:
        steps, _ = measured_steps(frame)
    except ss.MeasuredDataError:
        return
    t, current = frame["Time [s]"].to_numpy(), frame["Current [A]"].to_numpy()
    passed = np.cumsum(current * np.diff(t, prepend=t[0]))
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        assert step.duration > 0
        assert after is None or (after.start == step.end and after.first > step.last)
        if step.kind == "rest" and step.last > step.first:
            within = passed[step.last] - passed[step.first]
            assert abs(within) <= 0.02 * np.ptp(passed)
