"""Check 8 of the theory: stock PyBaMM where the two models overlap.

The half-cell DFN of ``pybamm.lithium_ion`` with a transference number of 1 has a constant
salt concentration, as a single-ion conductor has: its planar metal electrode, separator
and porous electrode are then the anode, one electrolyte layer and the composite of ours.
"""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.materials import plateau_ocp

ONE_C = 0.472e-3


def _stock_half_cell(parameters, current):
    model = pybamm.lithium_ion.DFN({"working electrode": "positive"})
    ps = parameters
    porosity = ps["Positive electrode electrolyte volume fraction"]
    particle = "Positive particle diffusivity [m2.s-1]"
    c_max = ps["Maximum concentration in positive electrode [mol.m-3]"]
    j0_ref = ps["Positive electrode exchange-current density [A.m-2]"]
    layer = ps["Na3PS4 layer thickness [m]"]
    # one conductivity for all: the separator's porosity carries the ratio of the two
    kappa = ps["Positive electrode electrolyte conductivity [S.m-1]"]
    ratio = ps["Na3PS4 layer conductivity [S.m-1]"] / kappa
    side = np.sqrt(ps["Electrode area [m2]"])

    values = pybamm.ParameterValues("Xu2019")
    values.update(
        {
            "Current function [A]": current,
            "Nominal cell capacity [A.h]": ONE_C,
            "Electrode height [m]": side,
            "Electrode width [m]": side,
            "Contact resistance [Ohm]": 0,
            "Ambient temperature [K]": 298.15,
            "Initial temperature [K]": 298.15,
            "Reference temperature [K]": 298.15,
            # metal counter electrode
            "Negative electrode thickness [m]": 1e-6,
            "Negative electrode conductivity [S.m-1]": 1e12,
            "Exchange-current density for lithium metal electrode [A.m-2]": (
                lambda c_e, c_metal, T: (
                    ps["Negative electrode exchange-current density [A.m-2]"] + 0 * c_e
                )
            ),
            # separator: efficiency porosity**b is the ratio of conductivities
            "Separator thickness [m]": layer,
            "Separator porosity": 1.0,
            "Separator Bruggeman coefficient (electrolyte)": 1.0,
            # electrolyte
            "Electrolyte conductivity [S.m-1]": kappa,
            "Electrolyte diffusivity [m2.s-1]": 1e-9,
            "Cation transference number": 1.0,
            "Thermodynamic factor": 1.0,
            "Initial concentration in electrolyte [mol.m-3]": 1000.0,
            # composite
            "Positive electrode thickness [m]": ps["Positive electrode thickness [m]"],
            "Positive electrode porosity": porosity,
            "Positive electrode Bruggeman coefficient (electrolyte)": ps[
                "Positive electrode Bruggeman exponent"
            ],
            "Positive electrode Bruggeman coefficient (electrode)": 0.0,
            "Positive electrode conductivity [S.m-1]": ps[
                "Positive electrode effective electronic conductivity [S.m-1]"
            ],
            "Positive electrode active material volume fraction": ps[
                "Positive electrode active material volume fraction"
            ]
            * ps["Positive electrode accessible fraction"],
            "Positive particle radius [m]": ps["Positive particle radius [m]"],
            "Positive particle diffusivity [m2.s-1]": ps[particle],
            "Maximum concentration in positive electrode [mol.m-3]": c_max,
            "Initial concentration in positive electrode [mol.m-3]": 0.01 * c_max,
            "Positive electrode charge transfer coefficient": 0.5,
            "Positive electrode double-layer capacity [F.m-2]": 0.0,
            "Positive electrode exchange-current density [A.m-2]": (
                lambda c_e, c_surf, c_m, T: (
                    j0_ref
                    * 2
                    * pybamm.sqrt(pybamm.maximum(c_surf / c_m * (1 - c_surf / c_m), 1e-6))
                )
            ),
            "Positive electrode OCP [V]": lambda sto: plateau_ocp(sto, 3.4, 5.0, 0.005, 0.005),
            "Positive electrode OCP entropic change [V.K-1]": 0.0,
            "Lower voltage cut-off [V]": 2.5,
            "Upper voltage cut-off [V]": 4.2,
        },
        check_already_exists=False,
    )
    # the separator's own conductivity, in place of porosity**b x kappa
    values["Separator thickness [m]"] = layer / ratio
    return model, values


@pytest.mark.parametrize("rate", [0.2, 1])
def test_half_cell_of_stock_pybamm(rate, hu2024):
    """Voltage within 0.1 mV and capacity within 0.01 mAh/g on a mesh of 40 x 40."""
    parameters = hu2024.replace(
        {
            "Negative electrode OCP [V]": lambda y: 0 * y,
            "Negative electrode|Na3PS4 interface resistance [Ohm.m2]": 0.0,
            "NaTaCl6 layer thickness [m]": 1e-8,
            "Positive electrode electrolyte conductivity [S.m-1]": 0.1,
        }
    )
    solutions = []
    stock, stock_values = _stock_half_cell(parameters, rate * ONE_C)
    own_values = parameters.to_pybamm()
    own_values.update({"Current function [A]": rate * ONE_C})
    points = {"x_n": 20, "r_n": 20, "x_s": 20, "x_p": 40, "r_p": 40}
    for model, values in ((stock, stock_values), (ss.SolidStateDFN(), own_values)):
        solver = pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8)
        simulation = pybamm.Simulation(
            model, parameter_values=values, var_pts=points, solver=solver
        )
        solutions.append(simulation.solve([0, 4000 / rate]))
    ends = np.array([solution.t[-1] for solution in solutions])
    times = np.linspace(0.02, 0.95, 50) * ends.min()
    voltages = [solution["Voltage [V]"](t=times) for solution in solutions]
    mass = hu2024["Positive electrode active material mass [kg]"]
    capacities = rate * ONE_C * ends / 3600 / mass
    print(f"{rate} C: largest difference {1e3 * np.abs(voltages[0] - voltages[1]).max():.4f} mV, "
          f"capacities {capacities} mA.h/g")  # fmt: skip
    assert voltages[0] == pytest.approx(voltages[1], abs=1e-4)
    assert capacities[0] == pytest.approx(capacities[1], abs=0.01)
