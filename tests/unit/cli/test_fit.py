"""Several cells, and what is written for other programs, on the command line."""

import json

import pytest

from ssnib_model.cli import main

ACCESSIBLE = "Positive electrode accessible fraction:0.6:1"
TABLE = "C-rate,Discharge capacity [mA.h.g-1]\n1,{}\n"


@pytest.fixture
def files(tmp_path):
    """Rate tables of three cells, in folders of their own."""
    found = []
    for cell, value in zip("abc", (97.2, 98.0, 99.1), strict=True):
        (tmp_path / cell).mkdir()
        found.append(tmp_path / cell / "rates.csv")
        found[-1].write_text(TABLE.format(value))
    return list(map(str, found))


def run(*arguments):
    return main([*map(str, arguments)])


def test_each_file_is_a_cell(files, capsys):
    cells = [f"--cell={cell}={file}" for cell, file in zip("xy", files[:2], strict=True)]
    assert run("fit", *files, "--each", ACCESSIBLE, "--model", "spm", "--json", *cells) == 0
    found = json.loads(capsys.readouterr().out)
    name = ACCESSIBLE.partition(":")[0]
    assert list(found["fitted"]) == [f"{name} ({cell})" for cell in ("x", "y", "rates")]
    population = found["population"][name]
    assert 0 < population["Spread"] < 0.2
    assert population["Spread of"] == "value"
    values = [value["value"] for value in found["fitted"].values()]
    assert min(values) < population["Mean"] < max(values)
    assert list(found["pooled"]) == list(found["fitted"])


def test_what_is_no_cell_is_refused(files, capsys):
    for arguments, message in (
        (["--cell=x=none.csv", "--each", ACCESSIBLE], "is no file of the data"),
        (["--cell=x=" + files[0], "--free", ACCESSIBLE], "--cell is for --each"),
        ([f"--cell=x={files[0]},{files[0]}", "--each", ACCESSIBLE], "twice"),
        (["--each", ACCESSIBLE, "--petab"], "no prior with an unknown mean"),
        (["--free", ACCESSIBLE, "--petab"], "--petab writes into a folder"),
        ([], "give --free or --each"),
    ):
        assert run("fit", *files, "--json", "--model", "spm", *arguments) == 2
        assert message in capsys.readouterr().err


def test_the_problem_for_others(files, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["fit", files[0], "--free", ACCESSIBLE, "--model", "spm", "--petab", "--out", out]
    assert run(*command) == 0
    assert "petab" in capsys.readouterr().out
    assert (out / "petab" / "problem.yaml").is_file()
    assert run(*command) == 2
    assert run(*command, "--force", "--quiet") == 0
