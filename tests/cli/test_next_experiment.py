"""``ssnib next-experiment``."""

import json

import pytest

from ssnib_model.cli import main

LAYER = "Na3PS4 layer conductivity [S.m-1]"
COMMAND = ["next-experiment", "--for", "polarization at 1 C", "--free", LAYER]


def test_json_has_the_cell_and_the_ranking(capsys):
    assert main([*COMMAND, "--candidate", "rates 1", "--candidate", "rates 0.2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["best"] == "rates 1"
    assert document["settings"]["model"] == "spm"
    assert document["parameters"]["set"] == "Hu2024"
    assert [row["Candidate"] for row in document["deviations"]] == ["rates 1", "rates 0.2"]


def test_files_and_exit_codes(tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    assert main([*COMMAND, "--candidate", "rates 1", "--candidate", "rates 1000", *out]) == 3
    assert "cut-off reached at start" in capsys.readouterr().out
    assert (tmp_path / "out" / "next_experiment.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "out" / "run.json").read_text())["command"] == COMMAND[0]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--candidate", "rate 1"], "did you mean"),
        (["--data", "a"], "--data is for --fit"),
        (["--fit", "none.json"], "--free has no effect"),
        (["--sigma", "Current [A]=1"], "Current [A]"),
    ],
)
def test_bad_input(more, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*COMMAND, *more]) == 2
    assert says in capsys.readouterr().err
