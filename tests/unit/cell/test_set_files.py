"""Reading and writing the files of a set."""

import subprocess
import sys
import time

import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cell.set_files import FORMAT, read_set
from ssnib_model.cell.values import TableValue

OCP, DIFFUSIVITY = "Positive electrode OCP [V]", "Positive particle diffusivity [m2.s-1]"


def _write(folder, text, name="mine"):
    path = folder / name
    path.mkdir()
    (path / "parameters.toml").write_text(text)
    return path


def test_loading_is_fast_and_needs_no_pybamm():
    code = (
        "import sys, time; import ssnib_model as ss; ss.ParameterSet('SymmetricNaSn');"
        "t = time.process_time(); ss.ParameterSet('Hu2024'); t = time.process_time() - t;"
        "print(t, 'pybamm' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, has_pybamm = run.stdout.split()
    assert has_pybamm == "False"
    assert float(seconds) < 0.3


@pytest.mark.parametrize(
    ("text", "sentences", "left_out"),
    [
        ("", ['name is missing: write name = "the name of the folder"'], set()),
        ('name = "x"\nstac = {}', ['stac is not a known field; did you mean "stack"?'], set()),
        (
            'name = "x"\n[parameters."Die diameter [m]"]\nvalue = 1\nuni = "m"\n[sources.A]\n',
            [
                'parameters."Die diameter [m]".unit is missing: write unit = "m" or another',
                'parameters."Die diameter [m]".kind is missing: write kind = "measured" or',
                'parameters."Die diameter [m]".uni is not a known field; did you mean "unit"',
                'sources.A.citation is missing: write citation = "authors, journal and year"',
            ],
            {"Die diameter [m]"},
        ),
        (
            "name = 3\nparameters = 3\nsources = [1]\n[measured]\na = 1\n[stack]\nb = 1.5\n",
            [
                "name is 3",
                "parameters is 3",
                "sources is [1]",
                "measured.a is 1",
                "stack.b is 1.5",
            ],
            set(),
        ),
    ],
)
def test_what_has_not_the_right_shape_is_left_out(text, sentences, left_out, tmp_path):
    path = _write(tmp_path, text) / "parameters.toml"
    file, problems, names = read_set(path)
    assert names == left_out
    assert len(problems) == len(sentences)
    for sentence in sentences:
        assert any(problem.startswith(sentence) for problem in problems), (sentence, problems)
    assert isinstance(file.parameters, dict)


def test_many_wrong_entries_take_no_time(tmp_path):
    text = 'name = "x"\n[stack]\n"electrolyte layers" = ["A"]\n'
    text += "".join(f'[parameters."A {i}"]\nvalue = "x"\n' for i in range(1000))
    began = time.monotonic()
    with pytest.raises(ss.ParameterError):
        ss.ParameterSet(_write(tmp_path, text))
    assert time.monotonic() - began < 5


def test_a_stack_over_a_base_changes_what_it_names(tmp_path):
    text = 'name = "x"\nbase = "Hu2024"\n[stack]\n"composite transport" = "tortuosity"\n'
    text += '[parameters."Positive electrode tortuosity factor"]\nvalue = 5\nunit = "1"\n'
    options = ss.ParameterSet(_write(tmp_path, text + 'kind = "user"\n')).model_options
    assert options == ss.ParameterSet("Hu2024").model_options | {
        "composite transport": "tortuosity"
    }


def test_tables_of_one_name_are_two_files(hu2024, tmp_path):
    """Of another folder each, they would overwrite one another."""
    x, info = (0.0, 0.3, 0.6, 1.0), hu2024.info
    curve = TableValue("t.csv", x, (3.6, 3.5, 3.4, 3.3), steep_ends=True)
    diffusivity = TableValue("t.csv", x, (1e-15, 2e-15, 2e-15, 1e-15))
    values = {OCP: curve, DIFFUSIVITY: diffusivity}
    changed = hu2024.replace(
        {n: type(info(n))(n, v, info(n).unit, "user") for n, v in values.items()}
    )
    saved = ss.ParameterSet(changed.save(tmp_path / "two"))
    assert saved[OCP].y == curve.y
    assert saved[OCP].steep_ends
    assert saved[DIFFUSIVITY].y == diffusivity.y
    assert not saved[DIFFUSIVITY].steep_ends
    assert saved[OCP].file != saved[DIFFUSIVITY].file


@pytest.mark.parametrize("name", ["Hu2024", "ThreeLayers", "SymmetricNaSn"])
def test_what_is_written_is_read_again(name, tmp_path):
    parameters = ss.ParameterSet(name)
    files = parameters.files()
    again = ss.ParameterSet.from_files(files)
    assert again.files() == files
    assert dict(again) == dict(parameters)
    assert again.model_options == parameters.model_options
    assert f"format = {FORMAT}" in files["parameters.toml"]


def test_data_given_to_a_set(hu2024, tmp_path):
    rates = pd.DataFrame(
        {"C-rate": [0.1], "Ambient temperature [K]": [298.15], "Polarization [V]": [0.1]}
    )
    mine = hu2024.with_measured({"mine": rates}, source="our cell 7")
    assert list(mine.measured) == ["mine"]
    assert "Hu2024: Fig. 4E" in mine.reference_data
    assert {"citation": "our cell 7"} in mine.sources.values()
    assert mine.changes == {}
    saved = ss.ParameterSet(mine.save(tmp_path / "mine"))
    assert saved.measured["mine"].equals(rates)
    assert set(hu2024.measured) == {"Fig. 4E", "Fig. 4B", "polarization", "60 C"}
    again = mine.with_measured({"more": rates}, source="our cell 8")
    assert "Hu2024: mine" in again.reference_data


LIKE_OH = 'name = "mine"\nformat = 2\nbase = "Oh2025"\n'


@pytest.mark.parametrize(
    ("table", "test"),
    [
        ("", {"rates": [0.1], "hold": "C/20"}),
        ("[test]\nrates = [1]\nrest = 60\n", {"rates": [1.0], "rest": 60.0}),
        ("[test]\n", {}),
    ],
)
def test_how_a_cell_is_tested(table, test, tmp_path):
    """A variant has the test of its base, or one of its own alone; what is written keeps it."""
    cell = ss.ParameterSet(_write(tmp_path, LIKE_OH + table))
    hotter = cell.replace({"Ambient temperature [K]": 333.15})
    again = ss.ParameterSet(hotter.save(tmp_path / "saved"))
    for one in (cell, hotter, again, ss.ParameterSet.from_files(cell.files())):
        assert {k: v for k, v in one.test.items() if k != "note"} == test
    cell.test["rates"] = [5]  # a copy
    assert cell.test.get("rates") == test.get("rates")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rates = []", "test.rates is []: a list of at most 100 C-rates is needed"),
        ("rates = 1", "test.rates is 1: a list of at most 100 C-rates is needed"),
        ("rates = [1, -1]", "[test] rates has -1.0: a C-rate must be a positive number"),
        ('rates = ["C/10"]', "test.rates is 'C/10': a list of at most 100 C-rates is needed"),
        ("charge_rate = 0", "[test] charge_rate has 0.0: a C-rate must be a positive number"),
        ('charge_rate = "C/10"', "test.charge_rate is 'C/10': a C-rate is needed"),
        ('hold = "long"', "[test] hold is 'long': a C-rate is needed, 0.05 or \"C/20\""),
        ("hold = true", "test.hold is True: a C-rate is needed, 0.05 or"),
        ("rest = -1", "[test] rest is -1.0: a time is needed"),
        ("rate = [1]", 'test.rate is not a known field; did you mean "rates"'),
    ],
)
def test_a_test_that_cannot_be(line, sentence, tmp_path):
    with pytest.raises(ss.ParameterError) as error:
        ss.ParameterSet(_write(tmp_path, f"{LIKE_OH}[test]\n{line}\n"))
    (problem,) = error.value.problems
    assert sentence in problem
