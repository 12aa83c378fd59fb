"""What the command line once did wrongly."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.cli import main

LAYER = "Na3PS4 layer conductivity [S.m-1]"
RADIUS = "Positive particle radius [m]"
AMBIENT = "Ambient temperature [K]"
QUICK = ["--model", "spm", "--rates", "1"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def printed(capsys, *arguments, code=0):
    """The document that a command prints."""
    assert run(*arguments, "--json") == code
    return json.loads(capsys.readouterr().out)


# -------------------------------------------------------------------- finding 10
@pytest.mark.parametrize(("low", "high"), [("0.02", "0.5"), ("0.2 mS/cm", "5 mS/cm")])
def test_finding_10_target_takes_bounds(low, high, capsys):
    asked = ["target", "--metric", "polarization at 2 C", "--vary", LAYER]
    found = printed(capsys, *asked, "--value", "0.6", "--low", low, "--high", high)
    assert 0.02 <= found["value"] <= 0.5
    assert run(*asked, "--value", "0.6", "--low", "0.5", "--high", "1") == 3
    assert "from 0.5 to 1" in capsys.readouterr().out


def test_finding_10_bounds_in_a_wrong_unit_are_refused_by_name(capsys):
    asked = ["target", "--metric", "polarization at 2 C", "--vary", LAYER, "--value", "0.6"]
    assert run(*asked, "--low", "1 mm") == 2
    assert f'"{LAYER}"' in capsys.readouterr().err


# -------------------------------------------------------------------- finding 30
@pytest.mark.parametrize(("kelvin", "celsius"), [("298.15", "25"), ("333.15", "60"), ("253", "")])
def test_finding_30_kelvin_is_not_taken_for_celsius(kelvin, celsius, capsys, tmp_path):
    assert run("rate-test", *QUICK, "--temperature", kelvin, "--out", tmp_path) == 2
    error = capsys.readouterr().err
    assert f'"{kelvin} K"' in error
    assert f"--temperature {celsius}" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["333.15 K", "333.15K", "60 degC", "60C", "60 °C", "60"])
def test_finding_30_a_temperature_may_have_a_unit(text, capsys):
    values = printed(capsys, "rate-test", *QUICK, "--temperature", text)["parameters"]["values"]
    assert values[AMBIENT] == pytest.approx(333.15)


@pytest.mark.parametrize("text", ["warm", "5 S", "25 degrees", "inf", "nan"])
def test_finding_30_what_is_no_temperature_is_refused(text, capsys):
    assert run("rate-test", *QUICK, "--temperature", text, "--json") == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_finding_30_temperature_is_given_once(capsys):
    twice = ["--temperature", "60", "--param", f"{AMBIENT}=300"]
    assert run("rate-test", *QUICK, *twice, "--json") == 2
    assert "the same thing" in capsys.readouterr().err


def test_finding_30_output_says_what_was_changed(capsys, tmp_path):
    changes = ["--temperature", "45", "--param", f"{LAYER}=0.03"]
    assert run("rate-test", *QUICK, *changes, "--out", tmp_path) == 0
    heading = capsys.readouterr().out.splitlines()[0]
    assert heading == f"Hu2024 at 45 degC (was 25), changed: {LAYER} = 0.03 (was 0.01)"
    assert run("impedance", "--out", tmp_path / "impedance") == 0
    assert capsys.readouterr().out.startswith("Hu2024 at 25 degC\n")


def test_finding_30_output_says_what_follows_from_a_change(capsys, tmp_path):
    change = ["--param", "Specific current at 1 C [A.kg-1]=100"]
    assert run("rate-test", *QUICK, *change, "--out", tmp_path) == 0
    second = capsys.readouterr().out.splitlines()[1]
    assert "what follows: " in second
    assert "Nominal cell capacity [A.h] = " in second
    option = ["--option", "size classes=2", "--param", "Positive particle radius spread=0.2"]
    assert run("rate-test", *QUICK, *option, "--out", tmp_path / "classes") == 0
    assert "size classes = 2 (was 1)" in capsys.readouterr().out


def test_finding_30_titles_of_plots_say_what_was_changed(tmp_path, monkeypatch):
    titles = []
    save = Figure.savefig

    def noted(figure, *arguments, **settings):
        titles.append(" ".join(figure.get_suptitle().split()))
        save(figure, *arguments, **settings)

    monkeypatch.setattr(Figure, "savefig", noted)
    changes = ["--temperature", "45", "--param", f"{LAYER}=0.03", "--quiet"]
    assert run("rate-test", *QUICK, *changes, "--out", tmp_path / "test") == 0
    assert run("breakdown", "--rate", "0.1", *changes, "--out", tmp_path / "losses") == 0
    assert run("impedance", *changes, "--out", tmp_path / "impedance") == 0
    assert len(titles) == 6
    assert all("at 45 degC (was 25)" in title for title in titles)
    assert all(f"{LAYER} = 0.03 (was 0.01)" in title for title in titles)


# -------------------------------------------------------------------- finding 31
def commands(folder):
    """Every command that runs something, with quick settings."""
    measured = folder / "rates.csv"
    if not measured.exists():
        measured.write_text(
            "C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n1,298.15,98\n"
        )
    goal = ["--metric", "discharge capacity at 1 C", "--value", "98.5"]
    return {
        "rate-test": QUICK,
        "breakdown": ["--rate", "0.1"],
        "fit": [measured, "--free", f"{RADIUS}:1e-7:1e-6:log", "--model", "spm"],
        "sweep": ["--vary", f"{LAYER}=0.01:0.1:log:2", *QUICK],
        "sensitivity": ["--of", LAYER, *QUICK],
        "target": [*goal, "--vary", LAYER, "--low", "1e-3", "--high", "1"],
        "impedance": ["--state", "0.4"],
    }


COMMANDS = ("rate-test", "breakdown", "fit", "sweep", "sensitivity", "target", "impedance")


@pytest.mark.parametrize("command", COMMANDS)
def test_finding_31_every_command_takes_and_gives_the_same(command, tmp_path, capsys):
    cell = [
        "--set", "Hu2024", "--param", "Positive electrode Bruggeman exponent=2.9",
        "--layer", "Na3PS4=Na2.88Sb0.88W0.12S4",
        "--option", "composite transport=bruggeman", "--temperature", "30",
    ]  # fmt: skip
    asked = [command, *commands(tmp_path)[command], *cell]
    document = printed(capsys, *asked)
    assert list(document)[:4] == ["command", "settings", "parameters", "versions"]
    assert document["command"] == command
    assert document["parameters"]["values"][AMBIENT] == pytest.approx(303.15)
    assert document["versions"]["ssnib_model"] == ss.__version__
    again = ss.ParameterSet.from_files(document["parameters"]["files"])
    assert again["Positive electrode Bruggeman exponent"] == 2.9
    assert run(*asked, "--quiet", "--out", tmp_path / "out") in (0, 3)
    assert capsys.readouterr().out == ""
    written = json.loads((tmp_path / "out" / "run.json").read_text())
    head = ("command", "settings", "parameters", "versions")
    assert {k: written[k] for k in head} == {k: document[k] for k in head}


@pytest.mark.parametrize("command", [["materials"], ["parameters", "show", "Hu2024", "radius"]])
def test_finding_31_lists_take_the_same(command, tmp_path, capsys):
    document = printed(capsys, *command)
    assert run(*command, "--quiet", "--out", tmp_path) == 0
    assert capsys.readouterr().out == ""
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == document


def test_finding_31_a_breakdown_is_repeated_as_a_rate_test(tmp_path, capsys):
    assert run("breakdown", "--rate", "0.2", "--out", tmp_path / "first", "--quiet") == 0
    first = json.loads((tmp_path / "first" / "run.json").read_text())
    again = printed(capsys, "rate-test", "--repeat", tmp_path / "first" / "run.json")
    assert again["table"] == first["table"]


@pytest.mark.slow
def test_finding_31_a_warning_is_one_line_and_never_comes_twice(tmp_path, capsys):
    # as a process, where nothing but the command itself decides what is shown
    command = [
        sys.executable, "-m", "ssnib_model.cli" if not _is_package() else "ssnib_model", "target",
        "--metric", "capacity retention at 2 C", "--value", "0.88", "--vary", LAYER,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_env())
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("ssnib: warning: ") for line in lines)
    assert len(set(lines)) == len(lines) <= 2
    assert run("rate-test", "--rates", "0.5,60", "--cycles", "2", "--json") == 0
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("ssnib: warning: ") for line in lines)
    assert len(set(lines)) == len(lines) == 2


def _is_package():
    from ssnib_model import cli

    return hasattr(cli, "__path__")


def _env():
    root = os.path.dirname(os.path.dirname(ss.__file__))
    return os.environ | {"PYTHONPATH": root}


# -------------------------------------------------------------------- finding 32
def test_finding_32_results_are_not_overwritten_unasked(tmp_path, capsys):
    command = ["rate-test", *QUICK, "--out", tmp_path / "mine"]
    assert run(*command) == 0
    before = (tmp_path / "mine" / "table.csv").read_bytes()
    assert run(*command, "--param", f"{LAYER}=0.1") == 2
    error = capsys.readouterr().err
    assert "table.csv" in error
    assert "--force" in error
    assert (tmp_path / "mine" / "table.csv").read_bytes() == before
    assert run(*command, "--param", f"{LAYER}=0.1", "--force") == 0
    assert "overwrites" in capsys.readouterr().err
    assert (tmp_path / "mine" / "table.csv").read_bytes() != before


def test_finding_32_the_default_folder_takes_the_same_command_again(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("rate-test", *QUICK) == 0
    assert "overwrites" not in capsys.readouterr().err
    assert run("rate-test", *QUICK) == 0
    assert "overwrites the results in rate-test" in capsys.readouterr().err
    # whatever else is called so is not ours
    (tmp_path / "impedance").mkdir()
    own = tmp_path / "impedance" / "impedance.csv"
    own.write_text("measured by hand")
    assert run("impedance") == 2
    (tmp_path / "impedance" / "run.json").write_text(json.dumps({"command": "rate-test"}))
    assert run("impedance") == 2
    assert own.read_text() == "measured by hand"


@pytest.mark.parametrize("command", COMMANDS)
def test_finding_32_no_command_overwrites(command, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text("kept")
    assert run(command, *commands(tmp_path)[command], "--out", out) == 2
    assert "holds run.json" in capsys.readouterr().err
    assert [f.read_text() for f in out.iterdir()] == ["kept"]


@pytest.mark.parametrize("rates", ["100", "40,80"])
def test_finding_32_nothing_that_can_start_is_no_success(rates, tmp_path, capsys):
    assert run("rate-test", "--rates", rates, "--out", tmp_path) == 3
    captured = capsys.readouterr()
    assert f"no charge or discharge at {rates.replace(',', ', ')} C" in captured.err
    assert "cut-off reached at start" in captured.out
    assert not list(tmp_path.iterdir())
    document = printed(capsys, "rate-test", "--rates", rates, code=3)
    assert {row["Status"] for row in document["table"]} == {"cut-off reached at start"}


def test_finding_32_a_charge_alone_is_no_success(tmp_path, capsys):
    cold = ["--rates", "1", "--temperature", "-10", "--model", "spm", "--solver", "structured"]
    assert run("rate-test", *cold, "--out", tmp_path) == 3
    captured = capsys.readouterr()
    assert "no discharge at 1 C" in captured.err
    assert "legend" not in captured.err


def test_finding_32_a_sweep_or_sensitivity_without_any_result_is_no_success(tmp_path, capsys):
    vary = f"{LAYER}=0.01:0.011:lin:2"
    assert run("sweep", "--vary", vary, "--rates", "90", "--json") == 3
    assert "no answer" in capsys.readouterr().err
    of = ["--of", LAYER, "--rates", "90", "--out", tmp_path / "s"]
    assert run("sensitivity", *of) == 3
    assert "no answer" in capsys.readouterr().err
    assert not list((tmp_path / "s").iterdir())


# -------------------------------------------------------------------- finding 34
@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Na3PS4 layer thickness [m]=350 um", "Na3PS4 layer thickness [m]", 350e-6),
        (f"{LAYER}=0.3 mS/cm", LAYER, 0.03),
        (f"{LAYER}=0.3 mS.cm-1", LAYER, 0.03),
        (f"{AMBIENT}=50 degC", AMBIENT, 323.15),
        ("Positive electrode accessible fraction=85 %", "Positive electrode accessible fraction",
         0.85),
        (f"{LAYER}=2e-2", LAYER, 0.02),
    ],
)  # fmt: skip
def test_finding_34_a_parameter_may_have_a_unit(text, name, value, capsys):
    document = printed(capsys, "rate-test", *QUICK, "--param", text)
    assert document["parameters"]["values"][name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{LAYER}=0.3 mS", ["mS", "S.m-1", LAYER]),
        (f"{LAYER}=0.3 frob", ["frob", LAYER]),
        ("Positive electrode Bruggeman exponent=3 m", ["Bruggeman", '"m"']),
    ],
)
def test_finding_34_a_bad_unit_is_refused_by_name(text, names, capsys):
    assert run("rate-test", *QUICK, "--param", text, "--json") == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert all(name in error for name in names)


@pytest.mark.parametrize(
    "twice",
    [
        ["--param", f"{LAYER}=1", "--param", f"{LAYER}=2"],
        ["--option", "size classes=1", "--option", "size classes=2"],
    ],
)
def test_finding_34_one_thing_is_given_once(twice, capsys):
    assert run("rate-test", *QUICK, *twice, "--json") == 2
    assert "twice" in capsys.readouterr().err


def test_finding_34_the_composite_keeps_its_electrolyte_and_says_so(capsys, tmp_path):
    swap = ["--layer", "NaTaCl6=Na2.88Sb0.88W0.12S4"]
    name = "Positive electrode electrolyte conductivity [S.m-1]"
    assert run("rate-test", *QUICK, *swap, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["parameters"]["values"][name] == pytest.approx(0.4)
    assert captured.err.count(f'"{name}"') == 1
    assert run("rate-test", *QUICK, *swap, "--param", f"{name}=0.1", "--json") == 0
    assert f'"{name}"' not in capsys.readouterr().err
    # a parameter of the layer is one of the composite too, which follows it
    change = ["--param", "NaTaCl6 layer conductivity [S.m-1]=0.2"]
    assert run("rate-test", *QUICK, *change, "--out", tmp_path) == 0
    assert f"what follows: {name} = 0.2 (was 0.4)" in capsys.readouterr().out


# -------------------------------------------------------------------- finding 35
def test_finding_35_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "ssnib_model", "--version"],
        capture_output=True, text=True, env=_env(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"ssnib_model {ss.__version__}\n"


def test_finding_35_the_namespace_holds_public_names_only():
    names = {name for name in dir(ss) if not name.startswith("__")}
    assert names == set(ss.__all__)


def test_finding_35_a_sweep_of_many_parameters_fits_the_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert run("sweep", "--sample", "2", *QUICK, "--out", tmp_path) in (0, 3)
    out = capsys.readouterr().out
    table, rest = out.split("\n... and ")
    assert all(len(line) <= 120 for line in table.splitlines()[1:])
    assert "Discharge capacity [mA.h.g-1]" in table
    assert "Status" in table
    columns = pd.read_csv(tmp_path / "results.csv").shape[1]
    assert f"{columns} columns are in {tmp_path / 'results.csv'}" in rest


def test_finding_35_a_curve_fit_prints_a_summary_of_its_residuals(tmp_path, capsys):
    result = ss.RateTest([0.5, 1]).run(ss.SolidStateSPM())
    columns = ["Time [s]", "Current [A]", "Voltage [V]"]
    curves, start = result.curves, 0.0
    parts = []
    for _, part in curves.groupby(["C-rate", "Direction"], sort=False):
        part = part[columns].copy()
        part["Time [s]"] += start
        parts += [
            part,
            pd.DataFrame([[part["Time [s]"].iloc[-1] + 60, 0.0, 3.3]], columns=columns),
        ]
        start = parts[-1]["Time [s]"].iloc[-1] + 60
    file = tmp_path / "curves.csv"
    pd.concat(parts).to_csv(file, index=False)
    free = f"{LAYER}:0.005:0.05:log"
    command = ["fit", file, "--free", free, "--model", "spm", "--out", tmp_path / "fit"]
    assert run(*command) == 0
    out = capsys.readouterr().out
    assert "Residuals" in out
    assert len(out.splitlines()) < 40
    assert "curves: 105 values, root mean square" in out
    full = (tmp_path / "fit" / "report.txt").read_text()
    assert len(full.splitlines()) > 100


# -------------------------------------------------------------------- finding 55
@pytest.mark.parametrize("command", COMMANDS)
def test_finding_55_a_folder_with_a_zero_byte_is_one_sentence(command, tmp_path, capsys):
    assert run(command, *commands(tmp_path)[command], "--out", "a\0b") == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("ssnib: error: ")
    assert len(captured.err.strip().splitlines()) == 1
