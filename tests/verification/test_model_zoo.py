"""Both models satisfy the contract of the PyBaMM model zoo."""

import runpy
import tomllib
from pathlib import Path

import pytest

import ssnib_model as ss
import ssnib_model.model_zoo as collection

zoo = pytest.importorskip("pybamm_model_zoo")
contract = pytest.importorskip("pybamm_model_zoo.testing.contract")

ROOT = Path(collection.__path__[0])
MODELS = {"SolidStateDFN": ss.SolidStateDFN, "SolidStateSPM": ss.SolidStateSPM}
CHECKS = contract.checks_in_scope(contract.MODEL)


@pytest.fixture(scope="module", autouse=True)
def registry():
    """Of this collection as it is in the sources, whatever is installed."""
    yield zoo.refresh(external_paths=[ROOT])
    zoo.refresh()


def test_the_entry_point_leads_to_the_models(registry):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pybamm_zoo_models"] == {"ssnib_model": collection.__name__}
    ours = {name for name, entry in registry.items() if entry.external}
    assert ours == set(MODELS)
    assert {name: zoo.load(name) for name in ours} == MODELS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_contract(check, name, registry):
    assert not registry[name].tests.skip_contract
    check.run(registry[name])


@pytest.mark.parametrize("example", sorted(ROOT.glob("*/examples/*.py")), ids=lambda p: p.stem)
def test_examples(example, capsys):
    runpy.run_path(str(example))
    assert "mV" in capsys.readouterr().out


@pytest.mark.parametrize("file", sorted(ROOT.glob("*/tests/*.py")), ids=lambda p: p.stem)
def test_tests_of_the_collection(file):
    tests = [v for n, v in runpy.run_path(str(file)).items() if n.startswith("test_")]
    assert tests
    for test in tests:
        test()
