"""Sweeps, sensitivities and targets: what once was silently wrong."""

import warnings

import numpy as np
import pytest

import ssnib_model as ss

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"
GAP = "Polarization [V]"
CAPACITY = "Discharge capacity [mA.h.g-1]"
MASS, DENSITY = "Na3PS4 layer mass [kg]", "Na3PS4 layer density [kg.m-3]"
THICKNESS = "Na3PS4 layer thickness [m]"
CATHODE_MASS = "Positive electrode mass [kg]"
CARBON = "Positive electrode carbon mass part"
VOID = "Positive electrode void fraction"
DIE = "Die diameter [m]"
TIN = "Negative electrode tin amount [mol]"
ACCESSIBLE = "Positive electrode accessible fraction"

DESIGNS = {
    # up and down at once: both corners are the cell itself
    "mass x density": {MASS: [2e-5, 4e-5, 6e-5], DENSITY: [1106.5, 2213.0, 3319.5]},
    # the smallest and the largest are refused
    "mass": {MASS: [1e-12, 2e-5, 5e-5, 9.0]},
    "mass of the composite": {CATHODE_MASS: [1e-12, 4e-6, 9e-6, 3.0]},
    "parts": {CARBON: [0.01, 1.0, 1e5], "Positive electrode electrolyte mass part": [0.8, 2.0]},
    "area": {DIE: [8e-3, 12e-3], MASS: [2e-5, 3e-5]},
    "voids": {VOID: [0.05, 0.2, 0.79], CATHODE_MASS: [4e-6, 7e-6]},
    "tin": {TIN: [1e-9, 3e-5, 1e-4]},
    "alloy": {"Negative electrode alloy mass [kg]": [5e-6, 1e-5],
              "Negative electrode as-made sodium content": [3.4, 3.7]},
    "material x mass": {"Na3PS4 layer material": ["Na3PS4 cubic", "Na2.88Sb0.88W0.12S4"],
                        "Positive electrode active material mass part": [1.0, 2.0]},
    "material of the catholyte": {"NaTaCl6 layer material": ["Na3PS4 cubic"],
                                  "Ambient temperature [K]": [298.15, 333.15]},
    "temperature": {"Reference temperature [K]": [290.0, 300.0],
                    "Ambient temperature [K]": [140.0, 310.0, 700.0]},
    "current": {"Specific current at 1 C [A.kg-1]": [60.0, 118.0]},
}  # fmt: skip


def _cell(parameters, point):
    """The set at one point, by the same steps that a user would take."""
    for name in [n for n in point if n.endswith(" layer material")]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parameters = ss.swap_layer(parameters, name.removesuffix(" layer material"),
                                       point[name])  # fmt: skip
    return parameters.replace({n: v for n, v in point.items() if not n.endswith("material")})


def _or_error(made):
    try:
        return made(), None
    except ss.SSNIBError as error:
        return None, str(error).splitlines()[0]


@pytest.mark.parametrize("solver", ["idaklu", "structured"])
@pytest.mark.parametrize("name", DESIGNS)
def test_finding_01_every_row_is_the_test_of_its_own_cell(name, solver, hu2024):
    design = ss.grid(DESIGNS[name])
    solver = ss.StructuredSolver() if solver == "structured" else None
    test = ss.RateTest([1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        table = ss.sweep(hu2024, design, test, solver=solver)
    for point, row in zip(design.to_dict("records"), table.to_dict("records"), strict=True):
        own, refused = _or_error(lambda point=point: _cell(hu2024, point))
        if refused:
            assert row["Status"] == f"failed: {refused}"
            assert np.isnan(row[CAPACITY])
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ss.ValidityWarning)
            single = test.run(ss.SolidStateSPM(), own, solver=solver).table.iloc[0]
        assert row["Status"] == single["Status"]
        for column in (CAPACITY, GAP):
            assert row[column] == pytest.approx(single[column], rel=2e-4, abs=2e-5, nan_ok=True)


def test_finding_01_the_answers_differ_from_the_cells_own(hu2024):
    """The gap of a layer of twice the mass and half the density is that of four times the
    thickness, in closed form."""
    mass, density = hu2024[MASS], hu2024[DENSITY]
    table = ss.sweep(
        hu2024, ss.grid({MASS: [mass / 2, 2 * mass], DENSITY: [density / 2, 2 * density]}),
        ss.RateTest([0.2]),
    )  # fmt: skip
    thick, thin = table.iloc[2], table.iloc[1]
    assert (thick[MASS], thick[DENSITY]) == (2 * mass, density / 2)
    current = hu2024["Nominal cell capacity [A.h]"] / hu2024["Electrode area [m2]"]
    lengths = [hu2024.replace({MASS: r[MASS], DENSITY: r[DENSITY]})[THICKNESS]
               for r in (thick, thin)]  # fmt: skip
    expected = 2 * 0.2 * current * (lengths[0] - lengths[1]) / hu2024[KAPPA]
    assert thick[GAP] - thin[GAP] == pytest.approx(expected, rel=0.02)


def _one_sided(parameters, name, run, metric, step):
    """Relative change of a result when a parameter is made smaller, or larger."""
    test = ss.RateTest(run)
    value = parameters[name]
    solver = ss.StructuredSolver(1e-9, 1e-11)
    there, here = (
        test.run(ss.SolidStateSPM(), p, solver=solver).table[metric].to_numpy()
        for p in (parameters.replace({name: value * (1 + step)}), parameters)
    )
    return (there - here) / step / here


@pytest.mark.parametrize(
    ("name", "limit", "step"),
    [
        (ACCESSIBLE, 1.0, -1e-4),
        (VOID, 0.8, -1e-4),
        ("Positive electrode Bruggeman exponent", 10.0, -1e-4),
        ("Positive electrode Bruggeman exponent", 0.5, 1e-4),
        # from here on nothing is declared: what follows has the limit
        ("Positive electrode active material density [kg.m-3]", 2e4, -1e-4),
    ],
)
def test_finding_07_a_sensitivity_at_a_limit_is_one_sided(name, limit, step, hu2024):
    parameters = hu2024.replace({name: limit})
    run = ss.RateTest([0.02, 0.05])
    table = ss.sensitivity(parameters, [name], run, solver=ss.StructuredSolver(1e-9, 1e-11))
    for metric in (CAPACITY, GAP):
        plain = _one_sided(parameters, name, [0.02, 0.05], metric, step)
        assert table[metric].to_numpy() == pytest.approx(plain, rel=0.02, abs=1e-3)
    side = "below" if step < 0 else "above"
    assert table["Note"].str.contains(f"to the side {side} only: .*allowed is").all()


def test_finding_07_a_table_says_why_it_has_no_value(hu2024):
    parameters = hu2024.replace({KAPPA: 1e-4})
    table = ss.sensitivity(parameters, [KAPPA], ss.RateTest([0.01, 2]))
    assert table["Note"].tolist()[0] == ""
    assert table[GAP].notna().tolist() == [True, False]
    assert table["Note"].tolist()[1] == "no value: cut-off reached at start"


def test_finding_07_a_range_ends_where_the_values_do(hu2024):
    info = hu2024.info(ACCESSIBLE)
    near = type(info)(**vars(info) | {"value": 0.97, "uncertainty": {"sd": 0.05}})
    parameters = hu2024.replace({ACCESSIBLE: near})
    table = ss.tornado(parameters, [ACCESSIBLE], ss.RateTest([0.2]), CAPACITY, 0.2)
    assert table["High"].tolist() == [1.0]
    assert np.isfinite(table[["At low", "At high", "Base"]].to_numpy()).all()
