"""Check 6 of the theory: impedance against closed forms."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.eis import PreparedImpedance

F = pybamm.constants.F.value
R_GAS = pybamm.constants.R.value
FREQUENCIES = np.geomspace(7e6, 1e-2, 40)
EPSILON_0 = 8.8541878188e-12


def _separator_and_anode(ps, w):
    """Layers and interfaces as R || C, and the anode's charge transfer || double layer."""
    T = ps["Ambient temperature [K]"]
    z = 0
    for layer in ("Na3PS4", "NaTaCl6"):
        L = ps[f"{layer} layer thickness [m]"]
        sigma = ps[f"{layer} layer conductivity [S.m-1]"]
        z += L / (sigma + 1j * w * EPSILON_0 * ps[f"{layer} layer relative permittivity"])
    name = "Negative electrode|Na3PS4 interface"
    z += 1 / (1 / ps[f"{name} resistance [Ohm.m2]"] + 1j * w * ps[f"{name} capacity [F.m-2]"])
    anode = "Negative electrode"
    g = F * ps[f"{anode} exchange-current density [A.m-2]"] / (R_GAS * T)
    return z + 1 / (g + 1j * w * ps[f"{anode} double-layer capacity [F.m-2]"])


def _composite(ps, w, slope=0.0):
    """Porous electrode (Ong and Newman 1999, doi 10.1149/1.1392654) with a complex nu.

    Per area of particle: the double layer, parallel to charge transfer in series with
    spherical diffusion, ``slope R / (F c D) tanh(q) / (q - tanh(q))``, q^2 = i w R^2 / D
    (finite-space diffusion in a sphere, Jacobsen and West 1995, doi 10.1016/0013-4686(94)E0233-9).
    """
    T, p = ps["Ambient temperature [K]"], "Positive electrode"
    radius, D = ps["Positive particle radius [m]"], ps["Positive particle diffusivity [m2.s-1]"]
    c = ps["Maximum concentration in positive electrode [mol.m-3]"]
    q = np.sqrt(1j * w * radius**2 / D)
    diffusion = slope * radius / (F * c * D) * np.tanh(q) / (q - np.tanh(q))
    g = F * ps[f"{p} exchange-current density [A.m-2]"] / (R_GAS * T)
    y = 1 / (1 / g + diffusion) + 1j * w * ps[f"{p} double-layer capacity [F.m-2]"]
    volume = ps[f"{p} active material volume fraction"] * ps[f"{p} accessible fraction"]
    a = 3 * volume / radius
    L, s = ps[f"{p} thickness [m]"], ps[f"{p} effective electronic conductivity [S.m-1]"]
    phi, b = ps[f"{p} electrolyte volume fraction"], ps[f"{p} Bruggeman exponent"]
    k = ps[f"{p} electrolyte conductivity [S.m-1]"] * phi**b
    nu = L * np.sqrt(a * y * (1 / s + 1 / k))
    coth, csch = 1 / np.tanh(nu), 2 * np.exp(-nu) / (1 - np.exp(-2 * nu))
    return L / (s + k) * (1 + (2 * csch + (s / k + k / s) * coth) / nu)


@pytest.fixture(scope="module")
def poor(hu2024):
    """A composite in which ions and electrons are slow, so that its shape shows."""
    return hu2024.replace(
        {
            "Positive electrode electrolyte conductivity [S.m-1]": 0.05,
            "Positive electrode effective electronic conductivity [S.m-1]": 0.01,
            "Positive electrode double-layer capacity [F.m-2]": 0.02,
            "Positive electrode Bruggeman exponent": 3.0,
        }
    )


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_whole_spectrum(slope, poor):
    """7 MHz to 10 mHz, with and without diffusion, within 1 % of the modulus."""
    parameters = poor.replace(
        {"Positive electrode OCP [V]": lambda sto: 3.4 - slope * (sto - 0.5)}
    )
    w = 2 * np.pi * FREQUENCIES
    expected = _separator_and_anode(parameters, w) + _composite(parameters, w, slope)
    spectrum = ss.impedance(parameters, FREQUENCIES, 0.5, var_pts={"x_p": 80, "r_p": 300})
    error = np.abs(spectrum.z * spectrum.area - expected) / np.abs(expected)
    print(f"largest difference {error.max():.2%} of |Z|")
    assert error.max() < 0.01


def test_limits(hu2024):
    """High-frequency intercept (1 %) and dc limit (0.1 %) against sums of resistances."""
    flat = hu2024.replace({"Positive electrode OCP [V]": lambda sto: 3.4 + 0 * sto})
    spectrum = ss.impedance(flat, [1e-5], 0.5)
    dc = spectrum.z[0] * spectrum.area
    R = R_GAS * 298.15 / F
    expected = (_separator_and_anode(flat, 1e-9) + _composite(flat, 1e-6)).real
    assert dc.real == pytest.approx(expected, rel=1e-3)
    assert R / hu2024["Negative electrode exchange-current density [A.m-2]"] < expected
    # between the bulk arc (MHz) and the double layers: the layers and the composite's networks
    # in parallel, where capacities of the layers are far smaller than those of the reactions
    layers = sum(
        hu2024[f"{n} layer thickness [m]"] / hu2024[f"{n} layer conductivity [S.m-1]"]
        for n in ("Na3PS4", "NaTaCl6")
    )
    small = {f"{n} layer relative permittivity": 1.0 for n in ("Na3PS4", "NaTaCl6")}
    intercept = ss.impedance(flat.replace(small), [1e6], 0.5)
    assert (intercept.z[0] * intercept.area).real == pytest.approx(layers, rel=0.01)


def test_warburg_slope(poor):
    """Diffusion alone at high frequency falls as 1 / sqrt(frequency) at 45 degrees, 3 %."""
    slope = 0.5
    sloped = poor.replace(
        {
            "Positive electrode OCP [V]": lambda sto: 3.4 - slope * (sto - 0.5),
            "Positive electrode electrolyte conductivity [S.m-1]": 200,
            "Positive electrode effective electronic conductivity [S.m-1]": 100,
            "Positive electrode double-layer capacity [F.m-2]": 1e-6,
        }
    )
    flat = sloped.replace({"Positive electrode OCP [V]": lambda sto: 3.4 + 0 * sto})
    frequencies = np.geomspace(0.5, 2.0, 5)
    diffusion = np.subtract(
        *(ss.impedance(p, frequencies, 0.5, var_pts={"r_p": 600}).z for p in (sloped, flat))
    )
    p = "Positive electrode"
    a = 3 * poor[f"{p} active material volume fraction"] * poor[f"{p} accessible fraction"]
    area = a / poor["Positive particle radius [m]"] * poor[f"{p} thickness [m]"]
    c = poor["Maximum concentration in positive electrode [mol.m-3]"]
    D = poor["Positive particle diffusivity [m2.s-1]"]
    coefficient = slope / (F * c * np.sqrt(2 * np.pi * D)) / np.sqrt(2)
    warburg = coefficient * (1 - 1j) / np.sqrt(frequencies) / area / poor["Electrode area [m2]"]
    # the sphere's curvature takes its share of the real part: R^2 w / D is 4000 at 0.5 Hz
    assert diffusion.imag == pytest.approx(warburg.imag, rel=0.03)
    assert np.polyfit(np.log(frequencies), np.log(-diffusion.imag), 1)[0] == pytest.approx(
        -0.5, abs=0.02
    )


@pytest.mark.parametrize("layer", ["Na3PS4", "NaTaCl6"])
def test_blocking_pellet_gives_back_its_conductivity(layer, hu2024):
    spectrum = ss.impedance(hu2024, np.geomspace(1e5, 1e2, 10), pellet=layer)
    resistance = spectrum.z.real[-1] * spectrum.area
    conductivity = hu2024[f"{layer} layer thickness [m]"] / resistance
    assert conductivity == pytest.approx(hu2024[f"{layer} layer conductivity [S.m-1]"], rel=1e-6)
    phase = np.angle(ss.impedance(hu2024, [1e-2], pellet=layer).z[0], deg=True)
    assert phase == pytest.approx(-90, abs=0.1)


def test_temperature_and_state(hu2024):
    cold, hot = (ss.impedance(hu2024, [1.0], temperature=T).z[0].real for T in (298.15, 333.15))
    assert hot < 0.5 * cold
    middle, end = (ss.impedance(hu2024, [1.0], state=s).z[0].real for s in (0.5, 0.98))
    assert end != pytest.approx(middle, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frequencies": []}, "positive numbers in Hz"),
        ({"frequencies": [0.0]}, "positive numbers in Hz"),
        ({"frequencies": [np.nan]}, "positive numbers in Hz"),
        ({"state": 0}, "state of charge between 0 and 1"),
        ({"state": float("nan")}, "state of charge between 0 and 1"),
        ({"temperature": -1.0}, "Ambient temperature"),
        ({"pellet": "Na3PS5"}, "must be one of the layers"),
    ],
)
def test_bad_input(arguments, message, hu2024):
    with pytest.raises(ss.SSNIBError, match=message):
        ss.impedance(hu2024, **arguments)


def test_double_layers_do_not_change_a_rate_test(hu2024):
    """Gap within 0.1 mV; capacities within what the double layer itself stores.

    0.1 F/m2 on 88 m2 of particles per m2 of electrode over 1.5 V is 0.07 mAh/g.
    """
    rich = hu2024.replace({}, {"surface form": "differential"})
    plain, double = (ss.RateTest([0.2, 2]).run(parameters=p).table for p in (hu2024, rich))
    for column, tolerance in (("Discharge capacity [mA.h.g-1]", 0.15), ("Polarization [V]", 1e-4)):
        assert plain[column].to_numpy() == pytest.approx(double[column].to_numpy(), abs=tolerance)


def test_a_prepared_spectrum_is_that_of_a_model_built_anew(hu2024):
    """Inputs of every kind: a layer, a thickness that follows from a mass, the kinetics."""
    changes = {
        "Na3PS4 layer conductivity [S.m-1]": 0.02,
        "NaTaCl6 layer mass [kg]": 1e-4,
        "Positive electrode exchange-current density [A.m-2]": 0.05,
        "Positive electrode double-layer capacity [F.m-2]": 0.3,
    }
    changed = hu2024.replace(changes)
    varying = [n for n in changed if n in changed.to_pybamm() and changed[n] != hu2024[n]]
    prepared = PreparedImpedance(hu2024, state=0.3, varying=varying)
    prepared.solve(hu2024)
    again = prepared.solve(changed)
    np.testing.assert_allclose(again.z, ss.impedance(changed, state=0.3).z, rtol=1e-9)
    assert abs(again.z / prepared.solve(hu2024).z - 1).max() > 0.1


def test_a_change_that_no_spectrum_reads_is_said(hu2024):
    changed = hu2024.replace({"Positive particle sodium-poor phase limit": 0.02})
    with pytest.warns(ss.ValidityWarning, match="sodium-poor phase limit.* has no effect"):
        ss.impedance(changed, [1.0])
