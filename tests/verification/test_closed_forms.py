"""Checks 3, 4 and 5 of the theory: limits with closed-form solutions."""

import numpy as np
import pybamm
import pytest
from scipy.optimize import brentq

import ssnib_model as ss

F = pybamm.constants.F.value
R_GAS = pybamm.constants.R.value
ONE_C = 0.472e-3


@pytest.mark.parametrize("rate", [-1, 1])
def test_uniform_reaction_limit_is_the_single_particle(rate, hu2024, simulate):
    """Check 3: with both conductivities large the full model is the reduced one, 1e-6 V."""
    parameters = hu2024.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": 200,
            "Positive electrode Bruggeman exponent": 0.5,
            "Positive electrode effective electronic conductivity [S.m-1]": 100,
        }
    )
    soc = {"Initial state of charge": 0.99 if rate > 0 else 0.01}
    times = np.linspace(0, 3000, 61)
    full, reduced = (
        simulate(model, parameters, rate * ONE_C, 3000, soc, rtol=1e-7, atol=1e-7, t_interp=times)[
            "Voltage [V]"
        ].entries
        for model in (ss.SolidStateDFN(), ss.SolidStateSPM())
    )
    assert full.size == times.size
    assert full == pytest.approx(reduced, abs=1e-6)


def _porous_electrode(L, sigma_s, sigma_e, a_g):
    """Overpotential profile per current density, and resistance, of a porous electrode.

    eta'' = a g (1/s + 1/k) eta, because eta' = -i_s/s + i_e/k and i_e' = a g eta = -i_s'.
    The current is ionic at 0 and electronic at L: eta'(0) = i/k, eta'(L) = -i/s.
    Newman and Tobias 1962, doi 10.1149/1.2425269.
    """
    nu = L * np.sqrt(a_g * (1 / sigma_s + 1 / sigma_e))

    def eta(x):
        B = L / (sigma_e * nu)
        A = -(L / (sigma_s * nu) + B * np.cosh(nu)) / np.sinh(nu)
        return A * np.cosh(nu * x) + B * np.sinh(nu * x)

    r = sigma_s / sigma_e
    bracket = 1 + (2 + (r + 1 / r) * np.cosh(nu)) / (nu * np.sinh(nu))
    return nu, eta, L / (sigma_s + sigma_e) * bracket


@pytest.mark.parametrize(("sigma_e", "sigma_s"), [(1e-3, 5.0), (1e-2, 1e-2), (0.1, 1e-3)])
def test_porous_electrode_with_linear_kinetics(sigma_e, sigma_s, hu2024, simulate):
    """Check 4: reaction distribution (0.5 %) and resistance (0.1 %) on 160 points.

    A flat OCP and a current of 1e-3 C leave linear kinetics and no diffusion.
    """
    b = hu2024["Positive electrode Bruggeman exponent"]
    phi = hu2024["Positive electrode electrolyte volume fraction"]
    parameters = hu2024.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": sigma_e / phi**b,
            "Positive electrode effective electronic conductivity [S.m-1]": sigma_s,
            "Positive electrode OCP [V]": lambda sto: 3.4 + 0 * sto,
            "Initial state of charge": 0.5,
        }
    )
    i = 1e-3 * ONE_C / hu2024["Electrode area [m2]"]
    solution = simulate(
        ss.SolidStateDFN(), parameters, 1e-3 * ONE_C, 1, var_pts={"x_p": 160, "r_p": 5},
        rtol=1e-6, atol=1e-7,
    )  # fmt: skip
    L = hu2024["Positive electrode thickness [m]"]
    volume = hu2024["Positive electrode active material volume fraction"]
    accessible = hu2024["Positive electrode accessible fraction"]
    a = 3 * volume * accessible / hu2024["Positive particle radius [m]"]
    j0 = hu2024["Positive electrode exchange-current density [A.m-2]"]
    T = hu2024["Ambient temperature [K]"]
    nu, eta, resistance = _porous_electrode(L, sigma_s, sigma_e, a * j0 * F / (R_GAS * T))
    assert nu > 0.5  # the distribution is not uniform

    x = (np.arange(160) + 0.5) / 160
    profile = solution["Positive electrode reaction overpotential profile [V]"].entries[:, -1]
    assert profile == pytest.approx(i * eta(x), rel=5e-3)
    parts = ("ionic", "electronic", "reaction")
    loss = -sum(
        solution[f"Positive electrode {part} overpotential [V]"].entries[-1] for part in parts
    )
    assert loss / i == pytest.approx(resistance, rel=1e-3)
    reduced = simulate(ss.SolidStateSPM(), parameters, 1e-3 * ONE_C, 1)
    loss = -sum(
        reduced[f"Positive electrode {part} overpotential [V]"].entries[-1] for part in parts
    )
    assert loss / i == pytest.approx(resistance, rel=2e-4 + 1e-4 / nu**2)


@pytest.mark.parametrize("model", [ss.SolidStateSPM, ss.SolidStateDFN])
def test_sphere_with_constant_flux(model, hu2024, simulate):
    """Check 5: surface and mean concentration against the series, 0.2 % of the lag.

    Crank 1975, The Mathematics of Diffusion, eq. 6.45; the lag of the surface behind the
    mean tends to j R / (5 D F c). A uniform reaction makes the flux constant.
    """
    D, radius = 1e-16, 0.5e-6
    parameters = hu2024.replace(
        {
            "Positive particle diffusivity [m2.s-1]": D,
            "Positive electrode OCP [V]": lambda sto: 3.4 + 0 * sto,
            "Positive electrode electrolyte conductivity [S.m-1]": 200,
            "Positive electrode Bruggeman exponent": 0.5,
            "Positive electrode effective electronic conductivity [S.m-1]": 100,
        }
    )
    times = np.linspace(0, 3000, 31)
    var_pts = {"x_p": 4, "r_p": 80}
    solution = simulate(
        model(), parameters, 0.5 * ONE_C, 3000, {"Initial state of charge": 0.9},
        var_pts=var_pts, t_interp=times,
    )  # fmt: skip
    surface = np.atleast_2d(solution["Positive particle surface stoichiometry"].entries)[-1]
    mean = solution["Positive electrode stoichiometry"].entries

    capacity = 118 * hu2024["Positive electrode active material mass [kg]"]  # A.h at 1 C
    theoretical = (
        F * hu2024["Maximum concentration in positive electrode [mol.m-3]"]
        * hu2024["Positive electrode active material volume fraction"]
        * hu2024["Positive electrode accessible fraction"]
        * hu2024["Positive electrode thickness [m]"] * hu2024["Electrode area [m2]"]
    )  # fmt: skip
    rise = 0.5 * capacity / theoretical  # of the mean, 1/s
    assert mean == pytest.approx(0.1 + rise * times, abs=1e-7)

    tau = D * times / radius**2
    roots = [brentq(lambda z: np.sin(z) - z * np.cos(z), n * np.pi, (n + 0.5) * np.pi)
             for n in range(1, 400)]  # fmt: skip
    series = sum(np.exp(-(z**2) * tau) / z**2 for z in roots)
    flux = rise * radius**2 / (3 * D)  # j R / (D F c)
    exact = 0.1 + flux * (3 * tau + 1 / 5 - 2 * series)
    lag = flux / 5
    assert surface[1:] == pytest.approx(exact[1:], abs=2e-3 * lag)
    assert surface[-1] - mean[-1] == pytest.approx(lag, rel=2e-3)


@pytest.mark.parametrize("factor", [0.5, 2])
@pytest.mark.parametrize("model", [ss.SolidStateDFN, ss.SolidStateSPM])
def test_layer_conductivity_moves_the_gap_by_its_resistance(model, factor, hu2024):
    """The gap at 0.2 C moves by 2 i times the change of resistance, 1 %."""
    name = "Na3PS4 layer conductivity [S.m-1]"
    changed = hu2024.replace({name: factor * hu2024[name]})
    gap, new_gap = (
        ss.RateTest([0.2]).run(model(), parameters).table["Polarization [V]"][0]
        for parameters in (hu2024, changed)
    )
    i = 0.2 * ONE_C / hu2024["Electrode area [m2]"]
    resistance = hu2024["Na3PS4 layer thickness [m]"] / hu2024[name]
    assert new_gap - gap == pytest.approx(2 * i * resistance * (1 / factor - 1), rel=0.01)


def test_arrhenius_forms(hu2024, simulate):
    """Resistance of a layer at 60 degC in both forms of the law, 1e-9 relative."""
    hot = hu2024.replace({"Ambient temperature [K]": 333.15})
    Ea = hu2024["Na3PS4 layer conductivity activation energy [J.mol-1]"]
    arrhenius = np.exp(-Ea / R_GAS * (1 / 333.15 - 1 / 298.15))
    cold = ONE_C / hu2024["Electrode area [m2]"] * hu2024["Na3PS4 layer thickness [m]"] / 0.01
    for form, factor in {"sigma": 1, "sigma T": 298.15 / 333.15}.items():
        model = ss.SolidStateDFN({"conductivity form": form})
        solution = simulate(model, hot, ONE_C, 10)
        loss = -solution["Na3PS4 layer overpotential [V]"].entries[-1]
        assert loss == pytest.approx(cold / (arrhenius * factor), rel=1e-9)
