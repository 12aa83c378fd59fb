"""Protocols: put together, written and read, and planned for a cell."""

import itertools
import json
import pickle
import time

import numpy as np
import pybamm
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ssnib_model as ss
from ssnib_model.errors import OptionError
from ssnib_model.protocol.groups import MAX_DEPTH, Repeat
from ssnib_model.protocol.language import instruction
from ssnib_model.protocol.resolve import sodium
from ssnib_model.steps import Control, End, Measure, Profile, Step

CHARGE, DISCHARGE, REST = (
    "Charge at C/2 until cut-off",
    "Discharge at 1 C until 2.8 V",
    "Rest for 1 hour",
)


@pytest.fixture(scope="module")
def cell():
    return ss.ParameterSet("Hu2024")


# ---------------------------------------------------------------- put together
def test_repeats_are_kept():
    cycle = ss.Protocol([CHARGE, DISCHARGE])
    test = REST_ONLY + cycle * 4000
    assert len(test) == 8001
    assert [type(s).__name__ for s in test.steps] == ["Instruction", "Repeat"]
    assert test.steps[1].times == 4000
    assert len(pickle.dumps(test)) < 2000
    assert test == REST_ONLY + 4000 * cycle
    assert test != REST_ONLY + cycle * 3999
    assert hash(test) == hash(REST_ONLY + cycle * 4000)
    assert test != "Rest for 1 hour"
    assert repr(test).startswith("<Protocol of 8001 steps: Rest for 1 hour; Repeat 4000 times:")


REST_ONLY = ss.Protocol(REST)


def test_lists_and_tuples_are_groups():
    cycle = ss.Protocol([CHARGE, DISCHARGE])
    once = Repeat(1, cycle.steps)
    assert ss.Protocol([(CHARGE, DISCHARGE)]).steps == (once,)
    assert ss.Protocol([[CHARGE, DISCHARGE], REST]).steps[0] == once
    assert ss.Protocol([cycle, REST]).steps[0] == once
    assert ss.Protocol([(CHARGE, DISCHARGE)] * 7) == cycle * 7
    assert ss.Protocol([cycle * 3, cycle * 4]) == cycle * 7
    assert ss.Protocol(cycle) == cycle
    assert ss.Protocol(step for step in (CHARGE, DISCHARGE)) == cycle


def test_equal_arrays_that_are_made_on_the_way_are_told_apart():
    # objects that are gone leave their ids to others
    arrays = (np.array([[0.0, n], [1.0, n]]) for n in range(50))
    values = [s.value.values[0] for s in ss.Protocol(arrays).steps]
    assert values == list(range(50))


def test_experiment():
    drive = np.array([[0, 1.0], [1, 2.0]])
    experiment = pybamm.Experiment(
        [(CHARGE.replace("cut-off", "3.9 V"), pybamm.step.rest(60, temperature="40 oC"))] * 1000
        + ["Rest for 10 seconds (1 second period)", pybamm.step.current(drive)],
        period="5 seconds",
        temperature="50 oC",
    )
    protocol = ss.Protocol(experiment)
    assert len(protocol) == 2002
    cycle, rest, current = protocol.steps
    assert cycle.times == 1000
    assert [str(s) for s in cycle.steps] == [
        "Charge at 0.5 C until 3.9 V (50 oC) (5 seconds period)",
        "Rest for 1 minute (40 oC) (5 seconds period)",
    ]
    assert rest.steps[0].period == 1.0
    assert current.steps[0].value == Profile((0.0, 1.0), (1.0, 2.0))
    # its cycles are those of PyBaMM
    assert ss.Protocol([experiment, REST]).steps[0].steps == protocol.steps
    plain = pybamm.Experiment([(REST, REST), REST])
    assert ss.Protocol(plain) == ss.Protocol([(REST, REST), (REST,)])
    with pytest.raises(OptionError, match="termination '80% capacity' is not supported"):
        ss.Protocol(pybamm.Experiment([REST], termination="80% capacity"))
    other = pybamm.Experiment([REST, (REST, pybamm.step.rest(1, skip_ok=False))])
    with pytest.raises(OptionError, match="step 2: a Rest with skip_ok=False"):
        ss.Protocol(other)


def _deep(depth):
    steps = REST
    for _ in range(depth):
        steps = [REST, steps]
    return steps


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: ss.Protocol([]), "no steps"),
        (lambda: ss.Protocol([REST, ()]), "step 2: there are no steps"),
        (lambda: ss.Protocol(3), "3 is no step"),
        (lambda: ss.Protocol({"steps": []}), "is no step"),
        (lambda: ss.Protocol([REST, 3]), "step 2: 3 is a int"),
        (
            lambda: ss.Protocol([REST, (REST, "Rest for ever")]),
            'step 2.2: "Rest for ever": PyBaMM',
        ),
        (lambda: ss.Protocol(_deep(MAX_DEPTH + 2)), "deep"),
        (lambda: ss.Protocol(itertools.repeat(REST)), "more than 100000 steps are given"),
        (lambda: REST_ONLY * 0, "repeated 0 times"),
        (lambda: REST_ONLY * 1.5, "whole number"),
        (lambda: REST_ONLY * True, "whole number"),
        (lambda: REST_ONLY * 10**9, "1 to 1000000"),
        (lambda: REST_ONLY * 10**6 * 2, "has 2000000 steps"),
        (lambda: REST_ONLY + ss.Protocol(REST, initial_state_of_charge=0.5), "only the first can"),
        (lambda: ss.Protocol([ss.Protocol(REST, initial_state_of_charge=0.5)]), "only the outer"),
        (lambda: ss.Protocol(REST, initial_state_of_charge=1.0), "between 0 and 1"),
        (lambda: ss.Protocol(REST, initial_state_of_charge="half"), "between 0 and 1"),
    ],
)
def test_what_is_refused(make, why):
    with pytest.raises(OptionError, match=why):
        make()


def test_other_things_are_not_added():
    with pytest.raises(TypeError):
        REST_ONLY + REST
    with pytest.raises(TypeError):
        sum([REST_ONLY, REST_ONLY])  # 0 + protocol


# ---------------------------------------------------------------- text and JSON
TEXT = """\
# formation, then ageing
Initial state of charge: 0.25

Rest for 1 hour   # as made
Repeat 3 times:
    Charge at C/10 until cut-off
\tRepeat 1 time:
\t\tRest for 10 minutes
\t\tDischarge at C/10 until 2.5 V or 50% capacity
    Rest for 1 minute

Hold at 3 V for 1 hour (60 oC)
"""


def test_text():
    protocol = ss.Protocol.from_text(TEXT)
    assert protocol.initial_state_of_charge == 0.25
    assert len(protocol) == 1 + 3 * 4 + 1
    assert protocol.to_text() == "\n".join(
        line.split("#")[0].rstrip().expandtabs(4)
        for line in TEXT.split("\n")
        if line.split("#")[0].strip()
    )
    assert ss.Protocol.from_text(protocol.to_text()) == protocol
    assert ss.Protocol.from_text(TEXT.replace("\n", "\r\n")) == protocol
    inner = [("Rest for 10 minutes", "Discharge at C/10 until 2.5 V or 50% capacity")]
    assert protocol.steps[1] == ss.Protocol(
        [CHARGE.replace("C/2", "C/10"), *inner, "Rest for 1 minute"]
    ).__mul__(3).steps[0]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no steps"),
        ("# nothing\n\n", "no steps"),
        (f"{REST}\n  {REST}", "line 2: its indent of 2"),
        (f"  {REST}", "line 1: its indent of 2"),
        (f"Repeat 2 times:\n    {REST}\n  {REST}", "line 3: its indent of 2"),
        (f"Repeat 2 times:\n{REST}", 'line 1: "Repeat 2 times:" has no steps below'),
        ("Rest for 1 s\nRepeat 2 times:", "line 2: .* has no steps below"),
        (f"Repeat 0 times:\n  {REST}", "line 1: is repeated 0 times"),
        (f"Repeat two times:\n  {REST}", "line 1: "),
        (f"{REST}\n\nRest for ever", 'line 3: "Rest for ever": PyBaMM does not understand'),
        (f"{REST}\nInitial state of charge: 0.5", "line 2: "),
        (f"Initial state of charge: half\n{REST}", "line 1: 'half' is not a number"),
        (f"Initial state of charge: 2\n{REST}", "between 0 and 1"),
        ("Rest for 1 s\n" * 20_001, "20002 lines"),
        ("".join(f"{'  ' * n}Repeat 2 times:\n" for n in range(40)) + "  " * 40 + REST, "deep"),
        ("".join(f"{'  ' * n}Repeat 1000 times:\n" for n in range(5)) + "  " * 5 + REST, "line "),
    ],
)
def test_text_that_is_wrong(text, why):
    with pytest.raises(OptionError, match=f"^mine.*{why}"):
        ss.Protocol.from_text(text, "mine")


def test_file(tmp_path):
    file = tmp_path / "protocol.txt"
    (tmp_path / "drive.csv").write_text("Time [s],Current [A]\n0,1\n1,2\n")
    file.write_text(f"{REST}\nRun drive.csv (A)\n", encoding="utf-8-sig")
    protocol = ss.Protocol.from_file(file)
    assert protocol == ss.Protocol([REST, np.array([[0, 1.0], [1, 2.0]])])
    file.write_text(f"{REST}\nRest for ever\n")
    with pytest.raises(OptionError, match=r"protocol\.txt, line 2: "):
        ss.Protocol.from_file(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="UTF-8"):
        ss.Protocol.from_file(file)
    with pytest.raises(OptionError, match="cannot be read"):
        ss.Protocol.from_file(tmp_path)


def made(make, *arguments):
    """What is made, or None where it is refused with a sentence; no other error."""
    try:
        return make(*arguments)
    except OptionError as error:
        said = str(error)
    assert said.strip()
    assert "\n" not in said
    return None


# that each step comes back as it was is a test of the language
STEPS = st.sampled_from(
    [
        REST,
        CHARGE,
        DISCHARGE,
        "Hold at 3 V for 1 h or until C/50 or 10% capacity (60 oC) (tags: pulse, long)",
        pybamm.step.power(1 / 3, termination="> 3.1 V", temperature=300.1),
        np.array([[0, 1 / 3], [0.1, -2.0]]),
    ]
).map(instruction)
NODES = st.recursive(
    STEPS,
    lambda inside: st.builds(
        Repeat, st.integers(1, 50), st.lists(inside, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=6,
)
PROTOCOLS = st.builds(
    lambda steps, soc: ss.Protocol(steps, initial_state_of_charge=soc),
    st.lists(NODES, min_size=1, max_size=4),
    st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
)


@given(PROTOCOLS)
def test_round_trips(protocol):
    assert ss.Protocol.from_text(protocol.to_text()) == protocol
    assert ss.Protocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol
    assert ss.Protocol(protocol.steps).steps == protocol.steps


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from([REST, 2]),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(["steps", "repeat", "x"]), inside, max_size=3)
        | st.fixed_dictionaries({"steps": st.lists(inside, max_size=3)})
        | st.fixed_dictionaries({"repeat": inside, "steps": st.lists(inside, max_size=3)})
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused_with_a_sentence(document):
    protocol = made(ss.Protocol.from_dict, document)
    if protocol is not None:
        assert ss.Protocol.from_dict(protocol.to_dict()) == protocol


LINES = st.sampled_from(
    [
        REST,
        CHARGE,
        "Repeat 2 times:",
        "Repeat 0 times:",
        "Initial state of charge: 0.5",
        "# x",
        "?",
    ]
)


@given(st.lists(st.tuples(st.integers(0, 3), LINES), max_size=8))
def test_any_lines_are_read_or_refused_with_a_sentence(lines):
    text = "\n".join("  " * indent + line for indent, line in lines)
    protocol = made(ss.Protocol.from_text, text)
    if protocol is not None:
        assert ss.Protocol.from_text(protocol.to_text()) == protocol


# ---------------------------------------------------------------- for a cell
def planned(cell, *steps):
    return list(ss.Protocol(steps).schedule(cell))


def test_cycles_are_numbered(cell):
    inner = ss.Protocol([DISCHARGE, CHARGE]) * 2
    protocol = ss.Protocol([REST, REST]) + ss.Protocol([inner, REST]) * 2
    assert [p.cycle for p in protocol.schedule(cell)] == [1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6, 7]
    assert [p.cycle for p in ss.Protocol([CHARGE, DISCHARGE]).schedule(cell)] == [1, 1]
    assert [p.cycle for p in (inner * 2).schedule(cell)] == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_schedule_is_lazy(cell):
    protocol = ss.Protocol([CHARGE, DISCHARGE]) * 500_000
    start = time.perf_counter()
    first, second = itertools.islice(protocol.schedule(cell), 2)
    assert time.perf_counter() - start < 1
    assert (first.text, second.text) == (CHARGE, DISCHARGE)


def test_steps_in_si(cell):
    one_c = cell["Nominal cell capacity [A.h]"]
    lower, upper = cell["Lower voltage cut-off [V]"], cell["Upper voltage cut-off [V]"]
    mass = cell["Positive electrode active material mass [kg]"]
    low = End(Measure.VOLTAGE, lower, rising=False, cut_off=True)
    high = End(Measure.VOLTAGE, upper, rising=True, cut_off=True)
    found = planned(
        cell,
        "Discharge at C/5 for 1 hour",
        "Charge at 0.1 mA for 1 hour or until 0.3 mA.h or 50 mA.h.g-1 or 10% capacity",
        "Rest for 1 hour (60 oC) (tags: a, b)",
        "Hold at 3 V for 1 hour or until C/50",
        "Hold at upper cut-off for 1 hour or until < -1 mA or > 2 mA",
        "Discharge at 1 mW for 1 hour or until 3 V",
        "Charge at 1000 Ohm for 1 hour or until 3 V",
        "Run [0 1; 1 -2] (C) until < 3 V",
    )
    charges = (
        End(Measure.CAPACITY, 0.0003, True),
        End(Measure.CAPACITY, 50 * mass, True),
        End(Measure.CAPACITY, 10 * (one_c / 100), True),
    )
    above = End(Measure.VOLTAGE, 3.0, rising=True)
    below = End(Measure.VOLTAGE, 3.0, rising=False)
    assert [p.step for p in found] == [
        Step(Control.CURRENT, 0.2 * one_c, 3600.0, (low,)),
        Step(Control.CURRENT, -0.0001, 3600.0, (*charges, high)),
        Step(Control.CURRENT, 0.0, 3600.0, temperature=333.15),
        Step(Control.VOLTAGE, 3.0, 3600.0, (End(Measure.CURRENT_SIZE, 0.02 * one_c, False),)),
        Step(
            Control.VOLTAGE,
            upper,
            3600.0,
            (End(Measure.CURRENT, -0.001, False), End(Measure.CURRENT, 0.002, True)),
        ),
        # its own end comes before the cut-off of the cell
        Step(Control.POWER, 0.001, 3600.0, (below,)),
        Step(Control.RESISTANCE, -1000.0, 3600.0, (above,)),
        Step(Control.CURRENT, Profile((0.0, 1.0), (one_c, -2 * one_c)), 1.0, (below, high)),
    ]
    assert found[2].tags == ("a", "b")
    assert [p.step.direction for p in found] == [
        "discharge", "charge", "rest", "hold", "hold", "discharge", "charge", "profile",
    ]  # fmt: skip


def test_cut_offs_that_are_named_and_those_that_are_not(cell):
    upper = cell["Upper voltage cut-off [V]"]
    named, beyond, within = planned(
        cell,
        "Charge at 1 C until cut-off",
        "Charge at 1 C until 4.9 V",
        f"Charge at 1 C until {upper!r} V",
    )
    assert named.step.ends == (End(Measure.VOLTAGE, upper, rising=True, cut_off=True),)
    assert within.step.ends == (End(Measure.VOLTAGE, upper, rising=True),)
    assert beyond.step.ends == (
        End(Measure.VOLTAGE, 4.9, rising=True),
        End(Measure.VOLTAGE, upper, rising=True, cut_off=True),
    )


def test_steps_without_a_duration(cell):
    """The time after which they are given up is more than that in which all sodium passes."""
    charge = sodium(cell)
    upper, lower = cell["Upper voltage cut-off [V]"], cell["Lower voltage cut-off [V]"]
    one_c = 3600 * cell["Nominal cell capacity [A.h]"]
    found = planned(
        cell,
        "Discharge at 1 C until cut-off",
        "Charge at 1 mW until cut-off",
        "Discharge at 10 Ohm until 10% capacity",
        "Hold at 3 V until C/10 or C/50",
    )
    assert all(p.step.open_ended for p in found)
    assert [p.step.duration for p in found] == pytest.approx(
        [
            1.05 * charge / one_c * 3600,
            1.05 * charge * upper / 1e-3,
            1.05 * charge * 10 / lower,
            1.05 * charge / one_c * 3600 * 10,
        ]
    )


def test_what_a_cell_cannot_do_is_said_before_anything_runs(cell):
    protocol = ss.Protocol([REST, (REST, "Hold at 5 V until C/50")])
    with pytest.raises(OptionError, match=r'^step 2\.2, "Hold at 5 V until C/50": it holds 5'):
        protocol.schedule(cell)
    symmetric = ss.ParameterSet("SymmetricNaSn")
    with pytest.raises(OptionError, match="needs a cathode"):
        REST_ONLY.schedule(symmetric)
    unbounded = cell.replace({"Lower voltage cut-off [V]": -0.5})
    with pytest.raises(OptionError, match="say for how long at most"):
        ss.Protocol("Discharge at 1 Ohm until cut-off").schedule(unbounded)
