"""Runs stored by version 0.1.0 still repeat: ``tests/data/run_*.json``, as it wrote them.

ssnib rate-test --rates 0.2,2 --json, and with
structured:    --solver structured --temperature 40 --param "Na3PS4 ... [S.m-1]=0.02"
spm_cycles:    --model spm --cycles 2 --charge-rate 0.5
three_layers:  --set ThreeLayers
"""

import json
import warnings
from pathlib import Path

import pytest

import ssnib_model as ss

RUNS = sorted((Path(__file__).parents[1] / "data").glob("run_*.json"))

#: Relative tolerance of what repeats. On one machine a run repeats to the last digit; between
#: machines and versions of the libraries the steps of a solver may fall elsewhere, and what is
#: integrated from them moves within the tolerance of that solver: 1e-6 at each step of IDAKLU's,
#: 1e-4 of the structured one.
TOLERANCE = {"idaklu": 1e-4, "structured": 1e-3}


def test_there_are_stored_runs():
    names = {"run_default", "run_structured", "run_spm_cycles", "run_three_layers"}
    assert {file.stem for file in RUNS} >= names


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_stored_run_repeats(file):
    stored = json.loads(file.read_text())
    with warnings.catch_warnings():  # that versions differ is said, and looked at below
        warnings.simplefilter("ignore", ss.ValidityWarning)
        again = ss.repeat_run(file)
    tolerance = TOLERANCE["structured" if stored["settings"]["solver"] else "idaklu"]
    document = again.to_dict()
    assert document["test"].items() >= stored["test"].items()
    assert document["settings"]["model"] == stored["settings"]["model"]
    options = document["settings"]["options"]
    assert options.items() >= stored["settings"]["options"].items()
    values = document["parameters"]["values"]
    for name, value in stored["parameters"]["values"].items():
        assert values[name] == pytest.approx(value, rel=1e-12), name
    assert len(again.table) == len(stored["table"])
    for row, then in zip(again.table.to_dict("records"), stored["table"], strict=True):
        for name, value in then.items():
            if isinstance(value, str):
                assert row[name] == value, name
            else:
                assert row[name] == pytest.approx(value, rel=tolerance), (row["C-rate"], name)


def test_other_versions_are_said_and_not_refused():
    """Its answer may differ: that is said with both versions; nothing is said of equal ones."""
    document = json.loads((RUNS[0].parent / "run_spm_cycles.json").read_text())
    document["versions"] |= {"pybamm": "25.1.1", "ssnib_model": "0.0.9"}
    with pytest.warns(ss.ValidityWarning) as said:
        again = ss.repeat_run(document)
    sentence = next(str(w.message) for w in said if "25.1.1" in str(w.message))
    assert "0.0.9" in sentence
    assert ss.__version__ in sentence
    assert (again.table["Status"] == "ok").all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ss.ValidityWarning)
        ss.repeat_run(again.to_dict())
