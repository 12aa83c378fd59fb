"""A run is repeated from what it wrote, to the last digit."""

import json

import pytest

import ssnib_model as ss
from ssnib_model.cli import main

CONDUCTIVITY = "Na3PS4 layer conductivity [S.m-1]"


def _run(parameters, **settings):
    return ss.RateTest([0.5, 2], charge_rate=0.5).run(None, parameters, **settings)


@pytest.mark.parametrize("solver", ["default", "structured"])
def test_repeated_run_is_identical(solver, hu2024, tmp_path):
    """Also of a set that comes from no folder, on another mesh."""
    swapped = ss.swap_layer(hu2024.replace({CONDUCTIVITY: 0.02}), "NaTaCl6", "Na3PS4 cubic")
    settings = {"solver": ss.StructuredSolver()} if solver == "structured" else {}
    first = _run(swapped, var_pts={"x_p": 10, "r_p": 12}, **settings)
    first.save(tmp_path / "first")
    again = ss.repeat_run(tmp_path / "first" / "run.json")
    again.save(tmp_path / "again")
    assert (
        again.parameters["NaTaCl6 layer conductivity [S.m-1]"]
        == swapped["NaTaCl6 layer conductivity [S.m-1]"]
    )
    for file in ("run.json", "table.csv", "curves.csv", "comparison.csv"):
        a, b = ((tmp_path / folder / file).read_bytes() for folder in ("first", "again"))
        assert a == b, file


def test_hash_tells_sets_apart(hu2024):
    def digest(parameters):
        return _run(parameters, solver=ss.StructuredSolver()).to_dict()["parameters"]["sha256"]

    assert digest(hu2024) == digest(ss.ParameterSet("Hu2024"))
    assert digest(hu2024) != digest(hu2024.replace({CONDUCTIVITY: 0.0101}))


def test_versions(hu2024):
    versions = _run(hu2024, solver=ss.StructuredSolver()).to_dict()["versions"]
    assert versions["ssnib_model"] == ss.__version__
    assert {"pybamm", "pybammsolvers", "casadi", "numpy"} <= set(versions)


def test_what_cannot_be_repeated(hu2024, tmp_path):
    name = "Positive particle diffusivity [m2.s-1]"
    changed = hu2024.replace({name: lambda sto: 2e-16 * (1 + 0.1 * sto)})
    with pytest.raises(ss.OptionError, match="Python function"):
        ss.repeat_run(_run(changed).to_dict())
    document = _run(hu2024, solver=ss.StructuredSolver()).to_dict()
    document["settings"]["solver"] = "MySolver"
    with pytest.raises(ss.OptionError, match="'MySolver'"):
        ss.repeat_run(document)
    document["settings"]["solver"] = None
    document["parameters"]["files"] = {"../parameters.toml": ""}
    with pytest.raises(ss.ParameterError, match="not the name of a file"):
        ss.repeat_run(document)
    (tmp_path / "run.json").write_text('{"settings": 3}')
    with pytest.raises(ss.OptionError, match=r"is not the run\.json"):
        ss.repeat_run(tmp_path / "run.json")
    for file in (tmp_path / "none.json", tmp_path, "/dev/zero"):
        with pytest.raises(ss.OptionError, match="cannot be read"):
            ss.repeat_run(file)
    for data in (b"", b"\x89PNG", b"[" * 100_000, b"9" * 10_000):
        (tmp_path / "run.json").write_bytes(data)
        with pytest.raises(ss.OptionError, match=r"is not the run\.json"):
            ss.repeat_run(tmp_path / "run.json")


def test_command_line(tmp_path, capsys):
    command = ["rate-test", "--rates", "1", "--solver", "structured", "--json"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["settings"]["solver"] == {
        "name": "structured", "rtol": 1e-5, "atol": 1e-7, "asked": "structured", "why": ""
    }  # fmt: skip
    (tmp_path / "run.json").write_text(printed)
    assert main(["rate-test", "--repeat", str(tmp_path / "run.json"), "--json"]) == 0
    assert capsys.readouterr().out == printed
    assert main(["rate-test", "--repeat", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
