"""The state of a cell, handed from test to test."""

import json

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.solvers.idaklu import Idaklu
from ssnib_model.solvers.preflight import CURRENT, INITIAL, LOWER, UPPER
from ssnib_model.solvers.state import COUNTERS, CellState
from ssnib_model.steps import Control, Step

PARAMETERS = ss.ParameterSet("Hu2024")
Q = PARAMETERS["Nominal cell capacity [A.h]"]
INPUTS = {INITIAL: 0.4, CURRENT: 0.0}
MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
OPTIONS = [
    {},
    {"size classes": 3, "open-circuit potential": "one-state hysteresis", "thermal": "lumped"},
]
DISCHARGE = Step(Control.CURRENT, Q / 4, 1200.0)
CHARGE = Step(Control.CURRENT, -Q / 4, 1200.0)


def cell_of(model, options=None, **settings):
    values = PARAMETERS.replace({}, options or {}).to_pybamm()
    values.update(dict.fromkeys((CURRENT, INITIAL, LOWER, UPPER), "[input]"))
    return Idaklu(model(options), values, **settings)


@pytest.fixture(scope="module")
def reduced():
    cell = cell_of(ss.SolidStateSPM)
    _, state = cell.step(cell.start(INPUTS), DISCHARGE, INPUTS)
    return cell.cell_state(state)


@pytest.mark.slow
@pytest.mark.parametrize("controls", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("model", MODELS)
def test_what_follows_is_the_same_from_a_state_read_from_json(model, options, controls):
    """On another stepper, whatever its initial state of charge; the counters start from 0."""
    cell = cell_of(model, options)
    _, state = cell.step(cell.start(INPUTS), DISCHARGE, INPUTS)
    expected, _ = cell.step(state, CHARGE, INPUTS)
    read = CellState.from_dict(json.loads(json.dumps(cell.cell_state(state).to_dict())))
    for name, values in cell.cell_state(state).values.items():
        assert np.array_equal(read.values[name], values), name
    other, elsewhere = cell_of(model, options, controls=controls), {**INPUTS, INITIAL: 0.9}
    outcome, _ = other.step(other.start(elsewhere, read), CHARGE, elsewhere)
    t = np.linspace(0, 1200, 50)
    assert outcome.segment.voltage(t) == pytest.approx(expected.segment.voltage(t), abs=1e-5)
    assert outcome.segment.solution[COUNTERS[0]].entries[0] == 0


def test_a_state_has_every_state_but_the_counters(reduced):
    assert set(reduced.values) == {
        "Negative electrode sodium content",
        "Positive particle stoichiometry",
    }
    full = cell_of(ss.SolidStateDFN)
    values = full.cell_state(full.start(INPUTS)).values
    assert values["Positive particle stoichiometry"].shape == (400,)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ((ss.SolidStateDFN,), "Solid-state DFN"),
        ((ss.SolidStateSPM, {"thermal": "lumped"}), "thermal.*isothermal.*lumped"),
    ],
)
def test_a_state_of_another_model_is_refused_by_name(reduced, cell, words):
    with pytest.raises(ss.OptionError, match=words):
        cell_of(*cell).start(INPUTS, reduced)


def test_a_state_on_another_mesh_is_refused(reduced):
    cell = cell_of(ss.SolidStateSPM, var_pts={"r_p": 12})
    with pytest.raises(ss.OptionError, match=r'20 points of "Positive particle.*has 12'):
        cell.start(INPUTS, reduced)


def test_a_state_that_lacks_one_is_refused(reduced):
    name = "Negative electrode sodium content"
    values = {k: v for k, v in reduced.values.items() if k != name}
    cell = cell_of(ss.SolidStateSPM)
    with pytest.raises(ss.OptionError, match=f'has not "{name}"'):
        cell.start(INPUTS, CellState(reduced.model, reduced.options, values))
    more = CellState(reduced.model, reduced.options, {**reduced.values, "Age [s]": np.ones(1)})
    with pytest.raises(ss.OptionError, match=r'this model has not "Age \[s\]"'):
        cell.start(INPUTS, more)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("options"), "model, options and values"),
        (lambda d: d.update(model=3), "the model 3"),
        (lambda d: d.update(options=[1]), r"options \[1\]"),
        (lambda d: d["options"].update(thermal="hot"), "thermal"),
        (lambda d: d.update(values=None), "values None"),
        (lambda d: d["values"].update(x=[]), '"x"'),
        (lambda d: d["values"].update(x=[True]), '"x"'),
        (lambda d: d["values"].update(x=[[1.0]]), '"x"'),
        (lambda d: d["values"].update(x=["1"]), '"x"'),
        (lambda d: d["values"].update(x=[float("nan")]), '"x"'),
        (lambda d: d["values"].update(x=[10**400]), '"x"'),
    ],
)
def test_a_bad_document_is_refused_by_name(reduced, change, words):
    document = json.loads(json.dumps(reduced.to_dict()))
    change(document)
    with pytest.raises(ss.OptionError, match=words):
        CellState.from_dict(document)


@pytest.mark.parametrize("document", [None, [], "state", 3])
def test_what_is_no_table_is_refused(document):
    with pytest.raises(ss.OptionError, match="model, options and values"):
        CellState.from_dict(document)
