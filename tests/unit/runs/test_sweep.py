"""Sweeps: one row a run whatever happens."""

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.runs.sweep import resume

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"
MASS = "Na3PS4 layer mass [kg]"
CAPACITY = "Discharge capacity [mA.h.g-1]"


def test_rows_are_those_of_single_rate_tests(hu2024):
    """Also for a mass, from which a thickness follows."""
    design = ss.grid({KAPPA: [0.005, 0.02], MASS: [2e-5, 4e-5]})
    table = ss.sweep(hu2024, design, ss.RateTest([0.5, 2]))
    assert len(table) == 8
    for run, point in enumerate(design.to_dict("records")):
        single = ss.RateTest([0.5, 2]).run(ss.SolidStateSPM(), hu2024.replace(point)).table
        rows = table[table["Run"] == run]
        assert rows[CAPACITY].to_numpy() == pytest.approx(single[CAPACITY].to_numpy(), rel=1e-5)
        assert (rows[MASS] == point[MASS]).all()


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_structured_solver(model, hu2024, tmp_path):
    """The same rows, also of a cell without an answer; resumed with the solver it began with."""
    design = ss.grid({KAPPA: [1e-5, 0.01], MASS: [2e-5, 4e-5]})
    test, solver = ss.RateTest([0.5, 2]), ss.StructuredSolver()
    fast = ss.sweep(hu2024, design, test, model=model, solver=solver, out=tmp_path / "a")
    slow = ss.sweep(hu2024, design, test, model=model, solver="idaklu")
    assert fast["Status"].tolist() == slow["Status"].tolist()
    np.testing.assert_allclose(fast[CAPACITY], slow[CAPACITY], rtol=1e-4)
    np.testing.assert_allclose(fast["Polarization [V]"], slow["Polarization [V]"], atol=1e-3)
    assert resume(tmp_path / "a").equals(fast)
    with pytest.raises(ss.SSNIBError, match="solver is"):
        ss.sweep(hu2024, design, test, model=model, solver="idaklu", out=tmp_path / "a")


def test_a_layers_material_is_an_axis(hu2024):
    names = ["Na3PS4 cubic", "Na2.88Sb0.88W0.12S4", "Unobtainium"]
    design = ss.grid({"Na3PS4 layer material": names, "Ambient temperature [K]": [298.15, 333.15]})
    table = ss.sweep(hu2024, design, ss.RateTest([2]))
    assert table["Na3PS4 layer material"].tolist() == [n for n in names for _ in range(2)]
    for row in table[:4].to_dict("records"):
        swapped = ss.swap_layer(hu2024, "Na3PS4", row["Na3PS4 layer material"])
        point = {"Ambient temperature [K]": row["Ambient temperature [K]"]}
        single = ss.RateTest([2]).run(ss.SolidStateSPM(), swapped.replace(point)).table
        assert row[CAPACITY] == pytest.approx(single[CAPACITY][0], rel=1e-5)
    assert table["Status"][4:].str.contains("no solid electrolyte").all()


def test_a_grid_is_a_labelled_dataset(hu2024):
    axes = {KAPPA: [0.01, 0.02], D: [1e-16, 2e-16, 4e-16]}
    table = ss.sweep(hu2024, ss.grid(axes), ss.RateTest([0.2, 1]))
    data = ss.as_dataset(table)
    assert dict(data.sizes) == {KAPPA: 2, D: 3, "C-rate": 2}
    cell = data[CAPACITY].sel({KAPPA: 0.02, D: 2e-16, "C-rate": 1}).item()
    rows = table[(table[KAPPA] == 0.02) & (table[D] == 2e-16) & (table["C-rate"] == 1)]
    assert cell == rows[CAPACITY].item()


def test_every_run_gives_a_row(hu2024):
    """Out of range, beyond the window, contradicting: a status each, the others unharmed."""
    design = ss.grid({KAPPA: [0.01, -1.0, 1e-6, 0.02]})
    table = ss.sweep(hu2024, design, ss.RateTest([1]))
    ok, negative, blocked, better = table["Status"]
    assert (ok, blocked, better) == ("ok", "cut-off reached at start", "ok")
    assert "allowed is 1e-09 to 1000" in negative
    assert table[CAPACITY].isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_a_run_that_cannot_be_leaves_the_others_alone(model, hu2024):
    """In the middle: an anode without the sodium that the start takes."""
    tin = "Negative electrode tin amount [mol]"
    design = ss.grid({tin: [2e-4, 1e-8, 1e-4]})
    test = ss.RateTest([1], initial_state_of_charge=0.005)
    table = ss.sweep(hu2024, design, test, model=model)
    assert table["Status"][[0, 2]].tolist() == ["ok", "ok"]
    assert table["Status"][1].startswith("failed: at the start the anode would hold -")
    alone = ss.sweep(hu2024, design[2:], test, model=model)
    assert table[CAPACITY][2] == pytest.approx(alone[CAPACITY][0], rel=1e-9)


@pytest.mark.parametrize(
    ("design", "settings", "message"),
    [
        ({}, {}, "at least one parameter"),
        ({"Nonsense [m]": [1]}, {}, "no parameter"),
        ({KAPPA: [1]}, {"model": "p2d"}, "is one of"),
        ({KAPPA: [1]}, {"workers": 0}, "at least 1"),
        ({KAPPA: [1]}, {"time_limit": -1}, "positive"),
    ],
)
def test_bad_input(design, settings, message, hu2024):
    with pytest.raises(ss.SSNIBError, match=message):
        ss.sweep(hu2024, ss.grid(design), ss.RateTest([1]), **settings)
