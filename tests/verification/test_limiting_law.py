"""The limiting law of thick composites: where ions are slow a discharge is a front.

With fast particles, electrons and charge transfer all reaction is where the ions come from, and
what has reacted lies behind: at a depth x the ions lose i x / kappa, so that the cut-off is met at
x = kappa (U - U_cut - R i) / i, and capacity falls as 1/i (Kato et al., J. Phys. Chem. Lett. 2018,
10.1021/acs.jpclett.7b02880: there with a second composite, here against a planar anode).
"""

import numpy as np
import pytest

import ssnib_model as ss

F = 96485.33212
RATES = np.array([0.1, 0.2, 0.4])
CAPACITY = "Discharge capacity [mA.h.g-1]"
LAYERS = ("Na3PS4", "NaTaCl6")


@pytest.fixture(scope="module")
def thick(hu2024):
    """A composite of 0.2 mm against a planar anode of sodium metal, which stays at 0 V."""
    return hu2024.replace(
        {
            "Negative electrode sodium thickness [m]": 2e-3,
            "Negative electrode exchange-current density [A.m-2]": 1e4,
            "Positive electrode active material loading [kg.m-2]": 0.2,
            "Positive electrode Bruggeman exponent": 3.0,
            "Positive electrode effective electronic conductivity [S.m-1]": 1e3,
            "Positive particle diffusivity [m2.s-1]": 1e-11,
            "Positive electrode exchange-current density [A.m-2]": 0.05,
            "Positive electrode accessible fraction": 1.0,
            "Negative electrode|Na3PS4 interface resistance [Ohm.m2]": 27e-4,
            "Lower voltage cut-off [V]": 2.5,
            "Upper voltage cut-off [V]": 4.0,
        },
        {"negative electrode": "sodium metal"},
    )


def _law(cell, current):
    """Capacity [C.m-2]; resistances are at their reference temperature."""
    conductivity, share, b = (
        cell[f"Positive electrode {name}"]
        for name in ("electrolyte conductivity [S.m-1]", "electrolyte volume fraction",
                     "Bruggeman exponent")
    )  # fmt: skip
    resistance = cell["Negative electrode|Na3PS4 interface resistance [Ohm.m2]"] + sum(
        cell[f"{layer} layer thickness [m]"] / cell[f"{layer} layer conductivity [S.m-1]"]
        for layer in LAYERS
    )
    charge = cell["Maximum concentration in positive electrode [mol.m-3]"] * F
    charge *= cell["Positive electrode active material volume fraction"]
    drop = cell["Positive electrode plateau potential [V]"] - cell["Lower voltage cut-off [V]"]
    return charge * conductivity * share**b * (drop - resistance * current) / current


def _tested(cell, model=ss.SolidStateDFN, x=120):
    """Current densities and capacities [C.m-2] after slow charges."""
    points = {"r_p": 20} | ({"x_p": x} if model is ss.SolidStateDFN else {})
    test = ss.RateTest(RATES, charge_rate=0.005)
    table = test.run(model(cell.model_options), cell, var_pts=points).table
    assert table["Status"].tolist() == ["ok"] * len(RATES)
    loading = cell["Positive electrode active material loading [kg.m-2]"]
    current = RATES * cell["Nominal cell capacity [A.h]"] / cell["Electrode area [m2]"]
    return current, 3600 * table[CAPACITY].to_numpy() * loading


@pytest.mark.parametrize(("composite", "layer"), [(8e-3, 0.1), (4e-3, 0.1), (8e-3, 0.01)], ids=str)
def test_capacity_falls_as_one_over_the_current(thick, composite, layer):
    """Within 5 %: the front is some micrometres wide, of 23 at the least."""
    cell = thick.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": composite,
            "Na3PS4 layer conductivity [S.m-1]": layer,
        }
    )
    current, found = _tested(cell)
    law = _law(cell, current)
    assert found == pytest.approx(law, rel=0.05)
    # slope -1 once what the layers lose is taken off
    slopes = np.diff(np.log(found)) / np.diff(np.log(law))
    assert slopes == pytest.approx(1, abs=0.08)


@pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")
def test_the_reduced_model_has_no_front(thick):
    """It overrates the capacity at the highest of the currents, and its number says so."""
    cell = thick.replace({"Positive electrode electrolyte conductivity [S.m-1]": 8e-3})
    current, found = _tested(cell, ss.SolidStateSPM)
    assert found[-1] > 2 * _law(cell, current)[-1]
    model = ss.SolidStateSPM(cell.model_options)
    result = ss.RateTest(RATES, charge_rate=0.005).run(model, cell)
    assert result.half_cycles[-1].at("Reaction uniformity number", 0.5) > 2
