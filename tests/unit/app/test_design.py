"""A design: the same cell by the page, by the copied Python and by the copied command."""

import math
import shlex
import subprocess
import sys

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.app import design as app
from ssnib_model.cli import main
from ssnib_model.errors import SSNIBError

LAYER = "Na3PS4 layer conductivity [S.m-1]"
CAPACITY = "Discharge capacity [mA.h.g-1]"


@pytest.fixture(scope="module")
def changed():
    design = app.Design(rates=(0.5, 2.0)).with_material("NaTaCl6", "Na2.88Sb0.88W0.12S4")
    return design.with_value(LAYER, 0.02).with_value("Ambient temperature [K]", 313.15)


def test_it_runs_as_the_package_does(changed):
    result = changed.run()
    expected = ss.RateTest([0.5, 2.0]).run(parameters=changed.parameters)
    ours, theirs = ([row[CAPACITY] for row in r.rows] for r in (result, expected))
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert ours != pytest.approx([r[CAPACITY] for r in app.Design(rates=(0.5, 2.0)).run().rows])


@pytest.mark.filterwarnings("ignore::ssnib_model.errors.ValidityWarning")
def test_copied_python_gives_the_same(changed):
    names: dict = {}
    exec(changed.to_python(), names)
    ours = [row[CAPACITY] for row in changed.run().rows]
    assert names["result"].table[CAPACITY].tolist() == pytest.approx(ours, rel=1e-6)


def test_copied_command_gives_the_same(changed, tmp_path):
    import pandas as pd

    program, *words = shlex.split(changed.to_command())
    assert program == "ssnib"
    assert main([*words, "--out", str(tmp_path), "--quiet"]) == 0
    ours = [row[CAPACITY] for row in changed.run().rows]
    assert pd.read_csv(tmp_path / "table.csv")[CAPACITY].tolist() == pytest.approx(ours, rel=1e-6)


def test_a_material_takes_what_was_changed_of_the_one_before():
    design = app.Design().with_value(LAYER, 0.5).with_material("Na3PS4", "Na2.88Sb0.88W0.12S4")
    assert LAYER not in design.changes
    assert design.with_material("Na3PS4", None).parameters[LAYER] == ss.ParameterSet()[LAYER]


def test_a_bad_value_is_one_sentence():
    with pytest.raises(SSNIBError, match="Na3PS4 layer conductivity"):
        app.Design().with_value(LAYER, -1.0).run()
    with pytest.raises(SSNIBError, match="symmetric cell"):
        app.Design("SymmetricNaSn").run()


def test_controls_show_what_they_set():
    parameters = ss.ParameterSet("Hu2024")
    for control in app.controls(parameters):
        shown = control.shown(parameters[control.name])
        assert control.value(shown) == pytest.approx(parameters[control.name], rel=1e-9)
        assert 0 <= control.position(shown) <= 1
        assert math.isclose(control.at(0.0), control.low, rel_tol=0.01, abs_tol=0.01)
        parameters.replace({control.name: control.value(control.at(0.5))})


def test_the_largest_loss_is_named(changed):
    losses = changed.run().breakdown(2.0)
    assert losses.abs().idxmax() in app.answer(losses, 2.0).split(" costs most")[0]


@pytest.mark.slow
def test_bands_hold_the_design(changed):
    (low, high), draws = changed.bands(16)
    capacities = np.array([row[CAPACITY] for row in changed.run().rows])
    assert draws > 8
    assert (low < high).all()
    assert (low <= capacities + 1).all()


def test_nothing_loads_bokeh():
    code = (
        "import sys, ssnib_model\nfrom ssnib_model.cli import main\n"
        "try: main(['explore', '--help'])\nexcept SystemExit: pass\n"
        "ssnib_model.explore\n"
        "sys.exit('bokeh' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
