"""What the README says of the command line, and its Python examples, as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from ssnib_model.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = re.findall(r"^    ssnib (.+)$", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command, comments=True)) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        "rate-test",
        "breakdown",
        "run",
        "compare",
        "fit",
        "diagnose",
        "sweep",
        "sensitivity",
        "target",
        "impedance",
    ],
)
def test_flags_that_every_command_takes(command, capsys):
    _, said = README.split("Every command that runs something takes ")
    flags = re.findall(r"`(--[a-z]+)", said.split(" for what comes out")[0])
    assert len(flags) == 8
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    words = capsys.readouterr().out.split()
    assert set(flags) <= set(words)
    assert "Example:" in words


def test_the_first_command_runs_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "pip install . && ssnib rate-test\n" in README
    assert [main(["rate-test"]), main(["rate-test"])] == [0, 0]
    assert "overwrites the results in rate-test" in capsys.readouterr().err


def test_exit_codes_are_those_of_the_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for code in ("0 done", "2 bad input", "3 some runs failed", "130 interrupted"):
        assert code in shown
        assert code in README


def test_python_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})


def test_ci_runs_the_test_command():
    root = Path(__file__).parents[2]
    command = 'pip install ".[test]" && pytest\n'
    assert f"    {command}" in README
    # and then what it leaves out
    assert (root / ".ci" / "run").read_text().endswith(f"\n{command}pytest -m slow\n")
