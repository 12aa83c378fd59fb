"""The page on the shipped cells: its example and commands run, its capacities are the model's."""

import re
import shlex
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "cells.md").read_text(encoding="utf-8")


def test_every_published_cell_is_on_it():
    for name in ss.list_parameter_sets():
        assert f"`{name}`" in PAGE or name in ("Hu2024", "SymmetricNaSn", "ThreeLayers")


def test_python_example(capsys):
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "cells.md", "exec"), {})
    assert "Difference" in capsys.readouterr().out


@pytest.mark.parametrize("command", re.findall(r"^    ssnib (.+)$", PAGE, re.MULTILINE))
def test_commands(command, capsys):
    assert main(shlex.split(command)) == 0


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize(
    ("name", "rates", "model"),
    [
        ("Asakura2020", [0.1, 0.2, 1], "103, 100, 75"),
        ("Duchene2020", [0.1, 5], "118, 68"),
        ("Duchene2020_97", [0.1], "118"),
        ("Ridley2024", [0.1, 0.5], "123, 111"),
        ("Oh2025", [0.1], "79"),
    ],
)
def test_capacities(name, rates, model):
    cell = ss.ParameterSet(name)
    result = ss.RateTest.of(cell, rates=rates).run(ss.SolidStateDFN(cell.model_options), cell)
    found = result.table["Discharge capacity [mA.h.g-1]"]
    assert ", ".join(f"{value:.0f}" for value in found) == model
    section = PAGE.split("## What the sets carry")[1].split("\n## ")[0]
    (row,) = re.findall(rf"^\| `{name}` .*$", section, re.MULTILINE)
    assert row.split("|")[4].strip() == model


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
@pytest.mark.parametrize(
    "row", re.findall(r"^\| `(.*)` \| ([\d.]+) \| ([\d.]+) \| < 0.1", PAGE, re.M)
)
def test_numbers_of_the_reduced_model(row):
    name, *numbers = row
    cell = ss.ParameterSet(name)
    test = ss.RateTest.of(cell, rates=[1], charge_rate=0.1)
    result = test.run(ss.SolidStateSPM(cell.model_options), cell)
    found = [h.at("Reaction uniformity number", 0.5) for h in result.half_cycles]
    assert found == pytest.approx([float(n) for n in numbers], rel=0.06)
