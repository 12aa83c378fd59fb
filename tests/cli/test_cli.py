"""The command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ssnib_model
from ssnib_model.cli import main


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Where default folders may be made."""
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_rate_test_writes_table_and_plots(tmp_path, capsys):
    assert run("rate-test", "--rates", "0.5,1", "--out", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "measured, Fig. 4E" in printed
    assert "99.4" in printed
    assert (tmp_path / "out" / "rate_test.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "table.csv").exists()


def test_json_is_all_there_is_on_stdout(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("rate-test", "--rates", "0.2,30", "--json", "--model", "spm",
               "--param", "Na3PS4 layer conductivity [S.m-1]=0.02") == 0  # fmt: skip
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert [row["Status"] for row in document["table"]] == ["ok", "cut-off reached at start"]
    assert document["table"][1]["Polarization [V]"] is None
    assert document["parameters"]["changed"] == {"Na3PS4 layer conductivity [S.m-1]": 0.02}
    assert not list(tmp_path.iterdir())
    assert all("at 30 C cannot start" in line for line in captured.err.splitlines())


def test_structured_solver(tmp_path, capsys):
    command = ("rate-test", "--rates", "2", "--solver", "structured", "--json")
    assert run(*command) == 0
    (row,) = json.loads(capsys.readouterr().out)["table"]
    assert row["Discharge capacity [mA.h.g-1]"] == pytest.approx(88.0, abs=0.1)
    assert run(*command, "--option", "particle=two-phase") == 2
    assert "only, not 'two-phase'" in capsys.readouterr().err


def test_breakdown(tmp_path, capsys):
    assert run("breakdown", "--rate", "2", "--at", "0.5", "--out", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "Na3PS4 layer" in printed
    assert "sum" in printed
    assert (tmp_path / "breakdown.png").read_bytes().startswith(b"\x89PNG")
    assert run("breakdown", "--rate", "1", "--json") == 0
    losses = json.loads(capsys.readouterr().out)["discharge [mV]"]
    assert losses["Na3PS4 layer"] == pytest.approx(-172.9, abs=0.1)
    assert run("breakdown", "--at", "2", "--json") == 2
    assert run("breakdown", "--rate", "50", "--json") == 2
    assert "cut-off reached at start" in capsys.readouterr().err


def test_fit(tmp_path, capsys):
    table = tmp_path / "rates.csv"
    table.write_text(
        "C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1],Polarization [V]\n"
        "0.2,298.15,103.8,0.150\n1,298.15,98.2,\n"
    )
    diffusivity = "Positive particle diffusivity [m2.s-1]:1e-17:1e-14:log"
    layer = "Na3PS4 layer conductivity [S.m-1]"
    command = ["fit", table, "--free", diffusivity, "--free", layer, "--model", "spm"]
    assert run(*command, "--out", tmp_path / "fit") == 0
    assert "chi2" in capsys.readouterr().out
    assert run("parameters", "show", tmp_path / "fit", "particle diffusivity [m") == 0
    assert "fitted; sd" in capsys.readouterr().out
    assert not (tmp_path / "fit" / "checkpoint.json").exists()
    assert run(*command, "--out", tmp_path / "fit") == 2
    assert "holds parameters.toml, report.txt" in capsys.readouterr().err
    assert run(*command, "--out", tmp_path / "fit", "--force", "--quiet") == 0
    assert run(*command, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == document["settings"]["model"] == "spm"
    assert document["fitted"][layer]["low"] < document["fitted"][layer]["high"]
    assert "Die diameter [m]" in document["parameters"]["values"]
    assert len(document["settings"]["data"][0]["sha256"]) == 64
    assert run("fit", tmp_path / "none.csv", "--free", layer) == 2
    assert run("fit", table, "--free", "Die diameter [m]") == 2
    with pytest.raises(SystemExit, match="2"):
        run("fit", table, "--free", f"{layer}:1")


def test_sweep(tmp_path, capsys):
    layer = "Na3PS4 layer conductivity [S.m-1]"
    vary = f"{layer}=0.005:0.5:log:3"
    command = ["sweep", "--vary", vary, "--rates", "0.2,2"]
    assert run(*command, "--out", tmp_path / "sweep") == 0
    assert "results.csv" in capsys.readouterr().out
    written = (tmp_path / "sweep" / "results.csv").read_text()
    assert len(written.splitlines()) == 7
    assert run("sweep", "--resume", tmp_path / "sweep", "--quiet") == 0
    assert (tmp_path / "sweep" / "results.csv").read_text() == written
    assert run(*command, "--rates", "1", "--out", tmp_path / "sweep") == 2
    assert "holds another sweep" in capsys.readouterr().err
    assert run("sweep", "--vary", f"{layer}=-1:1:lin:2", "--json") == 3
    rows = json.loads(capsys.readouterr().out)["table"]
    assert "allowed is" in rows[0]["Status"]
    assert rows[-1]["Status"] == "ok"
    assert run("sweep", "--json") == 2
    table = tmp_path / "design.csv"
    table.write_text(f"{layer}\n0.01\n0.02\n")
    assert run("sweep", "--design", table, "--rates", "1", "--json") == 0
    capsys.readouterr()
    assert run("sweep", "--sample", "2", "--rates", "0.1", "--json") in (0, 3)
    assert len(json.loads(capsys.readouterr().out)["table"]) == 2
    assert run("sweep", "--design", tmp_path / "nothing.csv") == 2
    with pytest.raises(SystemExit, match="2"):
        run("sweep", "--vary", f"{layer}=0:1:log:3")


@pytest.mark.parametrize("method", ["local", "tornado", "sobol", "morris"])
def test_sensitivity(method, tmp_path, capsys):
    layer = ["--of", "Na3PS4 layer conductivity [S.m-1]", "--of", "Positive particle radius [m]"]
    command = ["sensitivity", *layer, "--method", method, "--rates", "1"]
    command += ["--samples", "4"] if method in ("sobol", "morris") else []
    assert run(*command, "--out", tmp_path) == 0
    assert "Na3PS4 layer conductivity" in capsys.readouterr().out
    assert (tmp_path / f"{method}.csv").exists()
    assert (tmp_path / f"{method}.png").read_bytes().startswith(b"\x89PNG")
    assert run(*command, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["table"]) == 2


def test_target(capsys):
    layer = ["--vary", "Na3PS4 layer conductivity [S.m-1]", "--metric", "polarization at 2 C"]
    assert run("target", *layer, "--value", "0.6", "--json") == 0
    assert json.loads(capsys.readouterr().out)["value"] > 0.02
    assert run("target", *layer, "--value", "0.01") == 3
    assert "no value of" in capsys.readouterr().out
    against = "Na3PS4 layer thickness [m]=1e-4:2e-4:lin:2"
    assert run("target", *layer, "--value", "0.6", "--against", against) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert run("target", *layer, "--value", "0.01", "--against", against, "--json") == 3
    assert (
        json.loads(capsys.readouterr().out)["table"][0]["Na3PS4 layer conductivity [S.m-1]"]
        is None
    )
    assert run("target", "--vary", "x", "--metric", "polarization at 2 C", "--value", "1") == 2


def test_impedance(tmp_path, capsys):
    assert run("impedance", "--out", tmp_path, "--temperature", "60") == 0
    assert "Re(Z) [Ohm]" in capsys.readouterr().out
    header, first, *_ = (tmp_path / "impedance.csv").read_text().splitlines()
    assert header == "Frequency [Hz],Re(Z) [Ohm],Im(Z) [Ohm]"
    assert float(first.split(",")[0]) == 7e6
    assert (tmp_path / "impedance.png").read_bytes().startswith(b"\x89PNG")
    assert run("impedance", "--pellet", "NaTaCl6", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["Re(Z) [Ohm]"]) == 60
    assert run("impedance", "--state", "1.5") == 2


def test_reduced_model_warns(tmp_path, capsys):
    poor = "Positive electrode electrolyte conductivity [S.m-1]=0.05"
    assert run("rate-test", "--rates", "1", "--model", "spm", "--param", poor, "--json") == 0
    assert "ssnib: warning: the reaction is not uniform" in capsys.readouterr().err


def test_options(capsys):
    spread = "Positive particle radius spread=0.3"
    assert run("rate-test", "--rates", "1", "--param", spread, "--json") == 2
    assert 'has no effect with the model option "size classes"' in capsys.readouterr().err
    option = ["--option", "size classes=3", "--model", "spm", "--json"]
    assert run("rate-test", "--rates", "1", "--param", spread, *option) == 0
    assert run("rate-test", "--option", "size class=3") == 2
    assert "unknown model option" in capsys.readouterr().err


def test_layer(capsys):
    swap = ["--layer", "Na3PS4=NaTaCl6 milled 40 h", "--rates", "2", "--json"]
    assert run("rate-test", *swap) == 0
    captured = capsys.readouterr()
    assert "Negative electrode at 0 V" in captured.err
    values = json.loads(captured.out)["parameters"]["values"]
    assert values["Na3PS4 layer conductivity [S.m-1]"] == pytest.approx(0.4)
    assert run("rate-test", "--layer", "Na3PS4=Na3PS5") == 2
    assert "All names" in capsys.readouterr().err
    assert run("materials") == 0
    assert "Na2.88Sb0.88W0.12S4: 3.2 S/m" in capsys.readouterr().out
    assert run("materials", "--json") == 0
    json.loads(capsys.readouterr().out)


def test_some_rates_cannot_start(tmp_path, capsys):
    assert run("rate-test", "--rates", "0.5,100", "--out", tmp_path) == 0
    assert "cut-off reached at start" in capsys.readouterr().out
    assert (tmp_path / "voltage.png").exists()


def test_quiet(tmp_path, capsys):
    assert run("rate-test", "--rates", "1", "--quiet", "--out", tmp_path) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_temperature_is_in_celsius(capsys):
    assert run("rate-test", "--rates", "1", "--temperature", "60", "--json") == 0
    values = json.loads(capsys.readouterr().out)["parameters"]["values"]
    assert values["Ambient temperature [K]"] == pytest.approx(333.15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--param", "Na3PS4 layer conductivty [S.m-1]=1"], "did you mean"),
        (["--param", "Na3PS4 layer conductivity [S.m-1]=-1"], "allowed is 1e-09 to 1000"),
        (["--param", "Na3PS4 layer conductivity [S.m-1]=nan"], "allowed is 1e-09 to 1000"),
        (["--set", "nowhere"], "neither a known parameter set"),
        (["--rates", "-1"], "positive number"),
        (["--rates", "0.1,nan"], "positive number"),
        (["--rates", "1e-9"], "from 0.0001 to 1000"),
        (["--rates", "1e9"], "from 0.0001 to 1000"),
        (["--cycles", "0"], "whole number"),
        (["--temperature", "-300"], "Ambient temperature"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(arguments, message, capsys, tmp_path):
    assert run("rate-test", *arguments, "--out", tmp_path) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ssnib: error: ")
    assert message in captured.err
    assert len(captured.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--param", "no equals sign"], ["--param", "name=word"], ["--rates", "a,b"], ["--rates", ""]],
)
def test_arguments_that_do_not_parse(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("rate-test", *arguments)
    assert "Traceback" not in capsys.readouterr().err


def test_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("rate-test", "--out", tmp_path / "file") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_parameters(capsys, tmp_path):
    assert run("parameters", "list") == 0
    assert "Hu2024" in capsys.readouterr().out
    assert run("parameters", "show", "Hu2024", "bruggeman") == 0
    shown = capsys.readouterr().out
    assert "Positive electrode Bruggeman exponent = 3.5" in shown
    assert "range 2.4 to 5.5" in shown
    assert run("parameters", "show", "Hu2024", "conductivity", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["unit"] == "S.m-1"
    assert run("parameters", "show", "Hu2024", "bruggemann") == 2
    assert 'contains "bruggemann"' in capsys.readouterr().err
    assert run("parameters", "check", "Hu2024") == 0
    assert "no problem" in capsys.readouterr().out
    (tmp_path / "parameters.toml").write_text("name = 3")
    assert run("parameters", "check", tmp_path) == 2
    assert "name is 3" in capsys.readouterr().err
    assert run("parameters", "check", tmp_path, "--json") == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_help_does_not_load_pybamm():
    """The help must come at once."""
    code = (
        "import sys; from ssnib_model.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit('pybamm' in sys.modules or 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "rate-test" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rate-test", "--repeat", "run.json", "--rates", "1"], "--rates has no effect with"),
        (["rate-test", "--repeat", "run.json", "--set", "Hu2024"], "--set has no effect with"),
        (["sweep", "--resume", "sweep", "--temperature", "60"], "--temperature has no effect"),
        (["sweep", "--resume", "sweep", "--sample", "2", "--out", "x"], "--sample, --out has"),
        (["sensitivity", "--of", "Die diameter [m]", "--samples", "8"], "--method local"),
        (["impedance", "--pellet", "NaTaCl6", "--state", "0.4"], "--state has no effect with"),
    ],
)
def test_an_argument_without_effect_is_refused(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_interrupted(monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ssnib_model.eis.impedance", stopped)
    assert run("impedance", "--json") == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ssnib rate", "rate-test"),
        ("ssnib impedance --pel", "--pellet"),
        ("ssnib rate-test --set Thr", "ThreeLayers"),
    ],
)
def test_the_shell_completes(line, wanted, tmp_path):
    pytest.importorskip("argcomplete")
    answer = tmp_path / "answer"
    shell = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
    }
    root = str(Path(ssnib_model.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-m", "ssnib_model"],
        env=os.environ | shell | {"PYTHONPATH": root}, timeout=120,
    )  # fmt: skip
    assert answer.read_text().strip() == wanted


def test_a_set_says_how_it_is_tested(tmp_path, capsys):
    """The rate test of a set is its own, which is said; what is given goes before it."""
    spm = ("rate-test", "--set", "Oh2025_15", "--model", "spm", "--out", tmp_path, "--force")
    assert run(*spm) == 0
    assert "test of Oh2025_15: rates 0.1 C; after each charge constant voltage, hold C/20 (" in (
        capsys.readouterr().out
    )
    held = json.loads((tmp_path / "run.json").read_text())["test"]
    assert (held["rates"], held["hold"]) == ([0.1], 0.05)
    assert run(*spm, "--rates", "0.2", "--hold", "none", "--charge-rate", "none") == 0
    assert "test of" not in capsys.readouterr().out
    test = json.loads((tmp_path / "run.json").read_text())["test"]
    assert (test["rates"], test["hold"], test["charge_rate"]) == ([0.2], None, None)
    assert run("breakdown", *spm[1:], "--rate", "0.1") == 0
    assert "hold C/20" in capsys.readouterr().out
    assert run(*spm, "--hold", "soon") == 2
    assert "hold is 'soon'" in capsys.readouterr().err
