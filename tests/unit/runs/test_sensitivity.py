"""Sensitivities: local, over ranges, over all ranges."""

import warnings

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.runs.metrics import METRICS, RETENTION

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
GAP = "Polarization [V]"


def test_local_sensitivities_are_derivatives(hu2024):
    """The gap's to the layer in closed form (1 %); the rest against plain differences (1 %)."""
    run = ss.RateTest([0.2, 2])
    table = ss.sensitivity(hu2024, [KAPPA, ACCESSIBLE], run).set_index(["Parameter", "C-rate"])
    result = run.run(ss.SolidStateSPM(), hu2024).table.set_index("C-rate")
    for rate in (0.2, 2):
        i = rate * 0.472e-3 / hu2024["Electrode area [m2]"]
        drop = i * hu2024["Na3PS4 layer thickness [m]"] / hu2024[KAPPA]
        closed_form = -2 * drop / result[GAP][rate]
        assert table.loc[(KAPPA, rate), GAP] == pytest.approx(closed_form, rel=0.01)
    step = 0.01
    up, down = (
        run.run(ss.SolidStateSPM(), hu2024.replace({ACCESSIBLE: hu2024[ACCESSIBLE] * f})).table
        for f in (1 + step, 1 - step)
    )
    for metric in set(METRICS) - {RETENTION}:
        plain = (up[metric] - down[metric]) / (2 * step) / result[metric].to_numpy()
        assert table.loc[ACCESSIBLE, metric].to_numpy() == pytest.approx(
            plain.to_numpy(), rel=0.01, abs=1e-3
        )


def test_sobol_indices_of_the_ishigami_function():
    """First and total order against their closed forms (Ishigami and Homma 1990), 0.03."""
    a, b = 7.0, 0.1

    def ishigami(x):
        return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])

    found = ss.sobol(ishigami, {n: (-np.pi, np.pi) for n in "xyz"}, 4096)
    v1 = (1 + b * np.pi**4 / 5) ** 2 / 2
    v2, v13 = a**2 / 8, b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    total = v1 + v2 + v13
    assert found["S1"].to_numpy() == pytest.approx([v1 / total, v2 / total, 0], abs=0.03)
    assert found["ST"].to_numpy() == pytest.approx(
        [(v1 + v13) / total, v2 / total, v13 / total], abs=0.03
    )


def test_elementary_effects_of_a_linear_function():
    """Exact for a linear function: mu is slope times range, sigma is 0."""
    found = ss.morris(lambda x: 2 * x[:, 0] - 3 * x[:, 1], {"a": (0, 1), "b": (0, 2)}, 8)
    assert found["mu"].to_numpy() == pytest.approx([2, -6], rel=1e-9)
    assert found["mu_star"].to_numpy() == pytest.approx([2, 6], rel=1e-9)
    assert found["sigma"].to_numpy() == pytest.approx([0, 0], abs=1e-9)


def test_global_sensitivity_of_the_gap(hu2024):
    """Nearly additive and mostly by the layer's conductivity, as the breakdown says."""
    ranges = {KAPPA: (0.005, 0.02), J0: (0.008, 0.012)}
    indices = ss.global_sensitivity(hu2024, ranges, ss.RateTest([1]), GAP, 1, n=32)
    assert indices.loc[KAPPA, "ST"] > 0.9 > 0.2 > indices.loc[J0, "ST"]
    assert indices["S1"].sum() == pytest.approx(1, abs=0.1)
    run = ss.RateTest([1])
    effects = ss.global_sensitivity(hu2024, ranges, run, GAP, 1, method="morris", n=4)
    assert effects.loc[KAPPA, "mu_star"] > effects.loc[J0, "mu_star"]
    with pytest.raises(ss.SSNIBError, match="have no value"):
        ss.global_sensitivity(hu2024, {KAPPA: (1e-6, 1e-5)}, ss.RateTest([1]), GAP, 1, n=2)


def test_tornado_is_sorted(hu2024):
    names = [J0, "NaTaCl6 layer conductivity [S.m-1]", KAPPA]
    table = ss.tornado(hu2024, names, ss.RateTest([1]), GAP, 1)
    widths = (table["At high"] - table["At low"]).abs()
    assert widths.is_monotonic_decreasing
    assert table["Parameter"].tolist() == [J0, KAPPA, names[1]]
    assert table["Base"].nunique() == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ps: ss.sensitivity(ps, ["Positive electrode film resistance [Ohm.m2]"],
                                   ss.RateTest([1])), "not 0"),
        (lambda ps: ss.tornado(ps, [KAPPA], ss.RateTest([1]), "Speed", 1), "must be one of"),
        (lambda ps: ss.tornado(ps, [KAPPA], ss.RateTest([1]), GAP, 2), "must be one of"),
        (lambda ps: ss.tornado(ps, ["Die diameter [m]"], ss.RateTest([1]), GAP, 1), "no range"),
    ],
)  # fmt: skip
def test_bad_input(call, message, hu2024):
    with pytest.raises(ss.SSNIBError, match=message):
        call(hu2024)


def test_indices_that_their_error_leaves_open_are_warned_of():
    """4 samples of a product say nothing; a parameter without effect is known as such."""
    ranges = {n: (-1.0, 1.0) for n in "abc"}
    with pytest.warns(ss.ValidityWarning, match="n = 4 is too few: .* take a larger n"):
        ss.sobol(lambda x: x[:, 0] * x[:, 1] * np.exp(2 * x[:, 2]), ranges, 4)
    with pytest.warns(ss.ValidityWarning, match='mu_star of "a"'):
        ss.morris(lambda x: 100 * np.maximum(x[:, 0] - 0.8, 0) + x[:, 1], ranges, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ss.ValidityWarning)
        ss.sobol(lambda x: x[:, 0] + x[:, 1], ranges, 1024)


@pytest.mark.parametrize("method", [ss.sobol, ss.morris])
@pytest.mark.parametrize(
    ("ranges", "n", "seed", "message"),
    [
        ({"a": (0, 1), "b": (1, 0)}, 8, 0, "low < high"),
        ({"a": (0, 1, "log")}, 8, 0, "must be"),
        ({}, 8, 0, "at least one"),
        ({"a": (0, 1)}, 0, 0, "n is 0"),
        ({"a": (0, 1)}, 8.0, 0, "n is 8.0"),
        ({"a": (0, 1)}, 8, None, "seed is None"),
    ],
)
def test_bad_global_input(method, ranges, n, seed, message):
    with pytest.raises(ss.OptionError, match=message):
        method(lambda x: x[:, 0], ranges, n, seed)


def test_nothing_to_share():
    with pytest.raises(ss.SSNIBError, match="no variance to share"):
        ss.sobol(lambda x: np.ones(len(x)), {"a": (0, 1), "b": (0, 1)}, 8)


def test_a_tornado_says_why_an_end_has_no_value(hu2024):
    table = ss.tornado(hu2024, {KAPPA: (1e-5, 0.02)}, ss.RateTest([1]), "polarization at 1 C",
                       solver=ss.StructuredSolver())  # fmt: skip
    assert table["Note"].tolist() == ["at low: cut-off reached at start"]
    assert np.isnan(table["At low"][0])
