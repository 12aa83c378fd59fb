"""Check 10 of the theory: energy."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]


def _integral(values, function, start, end):
    """Of an equilibrium potential over composition; its own parameters are put in."""
    points, weights = np.polynomial.legendre.leggauss(400)
    at = start + (points + 1) / 2 * (end - start)
    curve = values.process_symbol(values[function](pybamm.Vector(at))).evaluate()
    return (weights * np.ravel(curve)).sum() * (end - start) / 2


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("current", [0.944e-3, -0.944e-3])
def test_work_and_heat_are_the_free_energy(model, current, hu2024, simulate):
    """Electrical work plus heat of the losses equals the change of free energy, 1e-6.

    Free energy is that of the mean compositions: int U_p dQ and - int U_n dQ. An insulated
    cell of known heat capacity measures the heat.
    """
    capacity = 0.5
    changes = {
        "Cell heat capacity [J.K-1]": capacity,
        "Cell heat transfer coefficient [W.K-1]": 0.0,
        "Initial state of charge": 0.95 if current > 0 else 0.05,
    }
    parameters = hu2024.replace(changes, {"thermal": "lumped"})
    solution = simulate(
        model(parameters.model_options), parameters, current, 1200, rtol=1e-8, atol=1e-8
    )
    T = solution["Cell temperature [K]"].entries
    heat = capacity * (T[-1] - T[0])
    work = 3600 * solution["Discharge energy [W.h]"].entries[-1]

    F = pybamm.constants.F.value
    sto = solution["Positive electrode stoichiometry"].entries
    y = solution["Negative electrode sodium content"].entries
    potentials = parameters.to_pybamm()
    cathode = _integral(potentials, "Positive electrode OCP [V]", sto[0], sto[-1])
    anode = _integral(potentials, "Negative electrode OCP [V]", y[0], y[-1])
    n_p = solution["Positive electrode sodium [mol]"].entries[0] / sto[0]
    n_n = parameters["Negative electrode tin amount [mol]"]
    free_energy = F * (n_p * cathode + n_n * anode)
    assert heat > 0
    assert work + heat == pytest.approx(free_energy, rel=1e-6)
