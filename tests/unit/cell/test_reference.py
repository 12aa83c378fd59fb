"""The page of parameters and the JSON Schema are those of the declarations."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.cell.declared import QUANTITIES, known_names
from ssnib_model.cell.reference import reference_page
from ssnib_model.cell.set_files import FILE_NAME, parameter_root
from ssnib_model.materials import FUNCTIONS

ROOT = Path(__file__).parents[3]


def test_the_committed_page_and_schema_are_current():
    """If not: python -m ssnib_model.cell.reference."""
    assert (ROOT / "docs" / "parameter_reference.md").read_text() == reference_page()
    assert json.loads((ROOT / "parameters" / "schema.json").read_text()) == ss.json_schema()


def test_every_name_and_function_is_on_the_page():
    page = reference_page().replace("\\|", "|")
    for name, quantity in QUANTITIES.items():
        row = next(row for row in page.splitlines() if row.startswith(f"| `{name}` |"))
        assert f"{quantity.low:g} to {quantity.high:g}" in row
        assert quantity.description in row
    for name in FUNCTIONS:
        assert f"| `{name}` |" in page


@pytest.mark.parametrize("layers", [("Na3PS4", "NaTaCl6"), ("A (b)", "x.1", "c+d")])
def test_the_schema_knows_all_names_of_a_stack(layers):
    parameters = ss.json_schema()["properties"]["parameters"]
    for name in known_names(layers):
        patterns = [p for p in parameters["patternProperties"] if re.search(p, name)]
        assert patterns or name in parameters["properties"], name
    for name in ("Die diameter [mm]", "layer mass [kg]", "Na3PS4 layer mass [kg] x"):
        assert name not in parameters["properties"]
        assert not [p for p in parameters["patternProperties"] if re.search(p, name)]


def test_the_schema_holds_for_the_sets():
    """By an independent reader of JSON Schema, where there is one."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(ss.json_schema())
    files = [*parameter_root().glob(f"*/{FILE_NAME}"), parameter_root() / "template/template.toml"]
    assert len(files) == 1 + len(ss.list_parameter_sets())
    for file in files:
        document = tomllib.loads(file.read_text())
        assert list(validator.iter_errors(document)) == []
        document["parameters"]["Die diametre [m]"] = {"value": 1, "unit": "m", "kind": "user"}
        assert len(list(validator.iter_errors(document))) == 1
