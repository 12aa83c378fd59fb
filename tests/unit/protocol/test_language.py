"""Steps from text, PyBaMM's steps, arrays and files."""

import math
import warnings
from datetime import datetime

import numpy as np
import pybamm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssnib_model.errors import OptionError
from ssnib_model.protocol.instruction import Instruction, Limit
from ssnib_model.protocol.language import MAX_TEXT, instruction
from ssnib_model.steps import Profile


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Discharge at C/5 for 10 hours or until 2.5 V",
            Instruction(0.2, "C", 36000.0, (Limit(2.5, "V"),)),
        ),
        ("Charge at 200 mA for 45 minutes", Instruction(-0.2, "A", 2700.0)),
        ("Discharge at 1W for 0.5 hours", Instruction(1.0, "W", 1800.0)),
        ("Charge at 5 Ohm until 4.1V", Instruction(-5.0, "Ohm", None, (Limit(4.1, "V"),))),
        ("Rest for 10 minutes", Instruction(0.0, "A", 600.0)),
        ("Hold at 4.1 V until 50mA", Instruction(4.1, "V", None, (Limit(0.05, "A"),))),
        ("Hold at 3V until C/50", Instruction(3.0, "V", None, (Limit(0.02, "C"),))),
        # what PyBaMM lacks
        (
            "Discharge at 1 C until 2.5 V or 0.3 mA.h or 50 mA.h.g-1 or 10% capacity",
            Instruction(
                1.0,
                "C",
                None,
                (
                    Limit(2.5, "V"),
                    Limit(0.0003, "A.h"),
                    Limit(50.0, "A.h.kg-1"),
                    Limit(10.0, "capacity"),
                ),
            ),
        ),
        ("Charge at C/2 until cut-off", Instruction(-0.5, "C", None, (Limit(0.0, "cut-off"),))),
        (
            "Hold at upper cut-off for 1 h or until C/20",
            Instruction("upper cut-off", "V", 3600.0, (Limit(0.05, "C"),)),
        ),
        (
            "Rest for 1 hour or until > 3 V (60 oC) (5 minute period) (tags: a b, c)",
            Instruction(0.0, "A", 3600.0, (Limit(3.0, "V", ">"),), 333.15, 300.0, ("a b", "c")),
        ),
        ("Rest for 1 hour (298.15 K)", Instruction(0.0, "A", 3600.0, (), 298.15)),
        (
            "Run [0 0.1; 10 -0.2] (A) for 5 s or until < 2 V",
            Instruction(Profile((0.0, 10.0), (0.1, -0.2)), "A", 5.0, (Limit(2.0, "V", "<"),)),
        ),
        ("Run [0 0.1; 10 -0.2] (C)", Instruction(Profile((0.0, 10.0), (0.1, -0.2)), "C", 10.0)),
    ],
)
def test_text(text, expected):
    assert instruction(text) == expected
    assert instruction(str(instruction(text))) == expected
    # and as it is written where no text was given
    assert instruction(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "PyBaMM does not understand"),
        ("Discharge at 1 C", "nothing ends it"),
        ("Discharge at 1 Q for 1 hour", "units must be"),
        ("Discharge at C/0 for 1 hour", "division by zero"),
        ("Discharge at 1 C for 5 minutes 3 s", "time units must be"),
        ("Discharge at 1 C for -1 s", "duration is -1 s"),
        ("Discharge at 1 C until 3 V until 2 V", "is not understood"),
        ("Discharge at 1 C until 3 V or", "PyBaMM|not understood"),
        ("Discharge at 1 C until 4 Ohm", "is not understood"),
        ("Discharge at 1 C until 1 mW.h", "cannot be converted"),
        ("Discharge at 1 C until 2.5 V or 2.5 V", "given twice"),
        ("Discharge at 1 C until > 10% capacity", "is not understood"),
        ("Discharge at 1 C until -1 A.h", "must be above 0"),
        ("Rest for 1 hour (60 degrees)", "is not known"),
        ("Rest for 1 hour (60 oC) (61 oC)", "can be given once"),
        ("Rest for 1 hour (6000 oC)", "from 150 to 600 K"),
        ("Rest for 1 hour (x period)", 'period "x" is not understood'),
        ("Rest for 1 hour (-5 s period)", "period is -5 s"),
        ("Rest for 1 hour (tags: )", "the tag '' is not allowed"),
        ("Run (A)", "is not known|a profile is"),
        ("Run [0 1; 1 2] (V)", "is not known"),
        ("Run [0 1; 1] (A)", "is not of the form"),
        ("Run [0 1; 1 x] (A)", "is not of the form"),
        ("Run [0 1; 0 2] (A)", "rise from point to point"),
        ("Run [1 1; 2 2] (A)", "begin with 0"),
        ("Run [0 1; 1 nan] (A)", "finite numbers are needed"),
        ("Run [0 1; 1 2] (A) for 2 seconds", "repeat the step instead"),
        ("Run missing.csv (A)", "missing.csv: cannot be read"),
        # PyBaMM reads these, and does something else than they say
        ("Rest until 3 V", "no direction in a rest"),
        ("Rest for 1 hour or until 3 V", "no direction in a rest"),
        ("Resting at 5 A for 3 s", "would not see"),
        ("Charge at 4 V for 1 hour", "a voltage is held"),
        ("Hold at 0.1 A for 1 hour", "a voltage is held"),
        ("Discharge at -1 A for 1 hour", "would be the opposite"),
        ("Discharge at 0 A for 1 hour", "write Rest"),
        ("Hold at 4 V for 1 hour or until 3 V", "holds the voltage"),
        ("Hold at 4 V until > C/50", "PyBaMM does not see"),
        ("Charge at 1 C until C/50", "its current is given"),
        ("Rest for 1 hour or until 0.1 A", "its current is given"),
        ("Run [0 1; 1 2] (A) until 2 V", "no direction in a profile"),
        # a hold or a rest may last for ever
        ("Hold at 4 V until 0.1 mA.h", "never come to this end"),
        ("Rest until > 3 V", "never come to an end"),
        ("Rest for 1 hour or until 1 mA.h", "no charge passes"),
        ("Hold at 4 V until cut-off", "no cut-off of its own"),
        ("Rest for 1 hour " + "x" * MAX_TEXT, "characters: at most"),
    ],
)
def test_text_that_is_refused(text, why):
    with pytest.raises(OptionError, match=why):
        instruction(text)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (pybamm.step.c_rate(0.5, duration="2 hours"), "Discharge at 0.5 C for 2 hours"),
        (pybamm.step.current(-1e-4, termination="> 4 V"), "Charge at 0.0001 A until > 4 V"),
        (pybamm.step.power(2, termination=["2.5V", "1 A"]), "Discharge at 2 W until 2.5 V or 1 A"),
        (
            pybamm.step.resistance(5, duration=1.5, temperature="25 oC", period=0.1, tags="x"),
            "Discharge at 5 Ohm for 1.5 seconds (25 oC) (0.1 seconds period) (tags: x)",
        ),
        (
            pybamm.step.voltage(4, termination="C/20", direction="charge"),
            "Hold at 4 V until 0.05 C",
        ),
        (pybamm.step.rest(np.float64(60)), "Rest for 1 minute"),
        (pybamm.step.string("Hold at 4 V until C/20"), "Hold at 4 V until C/20"),
        (
            pybamm.step.string("Rest for 1 hour", temperature=300.123456789),
            "Rest for 1 hour (300.123456789 K)",
        ),
        (
            pybamm.step.c_rate(np.array([[0, 1], [2, -3]]), termination="< 2 V"),
            "Run [0 1; 2 -3] (C) for 2 seconds or until < 2 V",
        ),
        (np.array([[0, 1.5], [2, 0]]), "Run [0 1.5; 2 0] (A) for 2 seconds"),
    ],
)
def test_steps_of_pybamm_and_arrays(step, text):
    assert str(instruction(step)) == text
    assert instruction(text) == instruction(step)


def _custom(variables):
    return variables["Voltage [V]"] - 4


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: pybamm.step.CustomStepImplicit(_custom, duration=3), "CustomStepImplicit is not"),
        (lambda: pybamm.step.CustomStepExplicit(_custom, duration=3), "CustomStepExplicit is not"),
        (lambda: pybamm.step.current(lambda t: t, duration=3), "of a Python function"),
        (lambda: pybamm.step.c_rate(pybamm.InputParameter("x"), duration=3), "a number is needed"),
        (
            lambda: pybamm.step.current(
                1, termination=pybamm.step.CustomTermination("mine", _custom)
            ),
            "an end by CustomTermination",
        ),
        (
            lambda: pybamm.step.current(1, duration=1, start_time=datetime(2026, 1, 1)),
            "with start_time",
        ),
        (lambda: pybamm.step.current(1, duration=1, skip_ok=False), "skip_ok=False"),
        (lambda: pybamm.step.current(1), "nothing ends it"),
        (lambda: pybamm.step.current(math.nan, duration=1), "finite"),
        (lambda: pybamm.step.voltage(True, duration=1), "a number is needed"),
        (lambda: pybamm.step.power(np.array([[0, 1.0], [1, 2]])), "of an array is not supported"),
        (lambda: pybamm.step.current(np.array([[0, 1.0], [1, 2]]), duration=3), "repeat the step"),
        (lambda: np.zeros((3, 3)), "shape"),
        (lambda: np.array([["0", "1"], ["1", "2"]]), "numbers are needed"),
        (lambda: np.array([[0.0, 1.0]]), "shape"),
        (lambda: 3, "3 is a int"),
        (lambda: None, "None is a NoneType"),
    ],
)
def test_steps_that_are_refused(make, why):
    with pytest.raises(OptionError, match=why):
        instruction(make())


def test_profile_from_a_file(tmp_path):
    file = tmp_path / "a drive.csv"
    file.write_text("# measured\nTime [min],Voltage [V],Current [mA]\n0,3,1\n0.5,3,-2\n1,3,0\n")
    read = instruction("Run a drive.csv (A) until < 2 V", tmp_path)
    assert read.value == Profile((0.0, 30.0, 60.0), (0.001, -0.002, 0.0))
    file.unlink()  # it is written out
    assert instruction(str(read)) == read
    file.write_text("Time [s],C-rate\n0,1\n1,2\n")
    assert instruction("Run a drive.csv (C)", tmp_path).value == Profile((0.0, 1.0), (1.0, 2.0))
    for text, why in [
        ("Time [s],C-rate\n0,1\n", "Current"),
        ("Time [s],Current [V]\n0,1\n1,2\n", "cannot be converted"),
        ("Time [s],Current\n0,1\n1,2\n", "are needed"),
        ("Time [s],Current [A],Current [mA]\n0,1,1\n1,2,1\n", "are needed"),
        ("Time [s],Current [A]\n0,1\n", "shape"),
        ("Time [s],Current [A]\n0,1\n1,x\n", "x"),
        ("Time [s],Current [A]\n0,1\n1,\n", "point 2 .* finite"),
        ("", "cannot be read"),
    ]:
        file.write_text(text)
        with pytest.raises(OptionError, match=why):
            instruction("Run a drive.csv (A)", tmp_path)


def test_long_profiles_are_not_shown_whole():
    t = np.linspace(0, 100, 1001)
    profile = instruction(np.column_stack([t, np.sin(t)]))
    assert len(profile.label) < 150
    assert "1001 points" in profile.label
    assert instruction(str(profile)) == profile


def made(make, *arguments):
    """What is made, or None where it is refused with a sentence; no other error."""
    try:
        return make(*arguments)
    except OptionError as error:
        said = str(error)
    assert said.strip()
    assert "\n" not in said
    return None


WORDS = (
    "Discharge Charge Rest Hold Run at for until or upper lower cut-off capacity C/5 C/0 1 -1 0 "
    "1e5 1e400 nan inf V A mA C W Ohm % A.h mA.h.g-1 mAh > < = seconds hour h oC K ( ) period "
    "tags: [0 1; 10 2] [ ] ; , # / . e E - x.csv (A) (C) Repeat times:"
)
SENTENCES = st.lists(st.sampled_from(WORDS.split()) | st.text(max_size=3), max_size=14)


@given(SENTENCES.map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    read = made(instruction, text)
    if read is not None:
        assert instruction(str(read)) == read


POSITIVE = st.floats(1e-14, 1e8)
CAPACITY_ENDS = st.builds(Limit, POSITIVE, st.sampled_from(["A.h", "A.h.kg-1", "capacity"]))
VOLTAGE_ENDS = st.builds(Limit, st.floats(-5, 5), st.just("V"), st.sampled_from([">", "<"]))


@st.composite
def instructions(draw):
    """Any step."""
    kind = draw(st.sampled_from(["A", "C", "W", "Ohm", "V", "rest", "profile", *["held"]]))
    duration = draw(st.floats(1e-6, 3e8))
    ends = {CAPACITY_ENDS, VOLTAGE_ENDS}
    unit = kind
    if kind == "rest":
        value, unit, ends = 0.0, "A", {VOLTAGE_ENDS}
    elif kind == "V":
        value, ends = draw(st.floats(-5, 5)), {CAPACITY_ENDS}
    elif kind == "held":
        value, unit, ends = "upper cut-off", "V", {st.builds(Limit, POSITIVE, st.just("C"))}
    elif kind == "profile":
        unit = draw(st.sampled_from(["A", "C"]))
        gaps = draw(st.lists(st.floats(1e-3, 1e5), min_size=1, max_size=5))
        times = (0.0, *np.cumsum(gaps).tolist())
        value = Profile(times, tuple(draw(st.floats(-1e6, 1e6)) for _ in times))
        duration = times[-1] * draw(st.floats(0.1, 1))
    else:
        value = draw(POSITIVE) * draw(st.sampled_from([-1, 1]))
    return Instruction(
        value,
        unit,
        duration,
        tuple(draw(st.lists(st.one_of(*ends), max_size=3, unique=True))),
        draw(st.none() | st.floats(150, 600)),
        draw(st.none() | st.floats(1e-3, 1e6)),
        tuple(draw(st.lists(st.sampled_from(["a", "long pulse", "é"]), max_size=2))),
    )


@given(instructions())
def test_round_trip(step):
    assert instruction(str(step)) == step


@given(st.sampled_from([1, -1]), POSITIVE, st.sampled_from(["A", "C", "W", "Ohm"]), POSITIVE)
def test_pybamm_reads_what_is_written(sign, value, unit, duration):
    """Without the words that only this package has, it is PyBaMM's language."""
    step = Instruction(sign * value, unit, duration, (Limit(2.5, "V"),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = pybamm.step.string(str(step))
    assert (theirs.value, theirs.duration) == (sign * value, duration)
    assert theirs.termination == [pybamm.step.VoltageTermination(2.5)]
    assert instruction(theirs) == step


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("0 1; 2 1; 1 3", "point 3 of its profile is at 1 s, after one at 2 s"),
        ("5 1; 6 1", "begin with 5 s"),
        ("0 1; 1 nan", "point 2 of its profile is 1 s, nan A"),
    ],
)
def test_the_point_of_a_profile_that_is_wrong_is_named(points, said):
    with pytest.raises(OptionError, match=said):
        instruction(f"Run [{points}] (A)")


@pytest.mark.parametrize("text", ["Discharge at nan C until cut-off", "Time,Current", ""])
def test_words_of_python_are_not_passed_on(text):
    with pytest.raises(OptionError, match="a step is") as error:
        instruction(text)
    assert "could not convert" not in str(error.value)
    assert "unpack" not in str(error.value)


def test_a_text_is_not_said_twice():
    with pytest.raises(OptionError) as error:
        instruction("Charge at 4 V")
    assert str(error.value).count('"Charge at 4 V"') == 1
