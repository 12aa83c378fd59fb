"""Sweeps, sensitivities and targets: what once was silently wrong."""

import contextlib
import json
import sqlite3
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
    "material x values": {"Na3PS4 layer material": ["Na3PS4 cubic", "Na2.88Sb0.88W0.12S4"],
                          MASS: [2e-5, 5e-5]},
    "loading": {"Positive electrode active material loading [kg.m-2]": [0.03, 0.06, 100.0]},
    "thickness x mass": {"Positive electrode thickness [m]": [5e-5, 8e-5],
                         CATHODE_MASS: [8e-6, 1.2e-5]},
    "capacity": {"Nominal cell capacity [A.h]": [3e-7, 6e-7]},
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


def _retention(parameters, vary, value, rate):
    changed = parameters.replace({vary: value})
    table = ss.RateTest([0.1, rate]).run(ss.SolidStateSPM(), changed).table[CAPACITY]
    return table[1] / table[0]


FAST = {"solver": ss.StructuredSolver()}


def test_finding_09_a_metric_that_turns_has_all_its_values(hu2024):
    """Retention over diffusivity: both ends of the range lie above, so lower, then higher."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        answer = ss.target(hu2024, "capacity retention at 2 C", 0.88, D, **FAST)
    assert answer.value == pytest.approx(1.98e-16, rel=0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        assert _retention(hu2024, D, answer.value, 2) == pytest.approx(0.88, abs=2e-3)


@pytest.mark.parametrize("aim", [0.5, 0.7])
def test_finding_09_every_value_found_gives_the_target(aim, hu2024):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        answer = ss.target(hu2024, "capacity retention at 2 C", aim, D, **FAST)
        assert answer.values
        assert answer.value in answer.values
        for value in answer.values:
            assert f"{value:.4g}" in answer.sentence
            assert _retention(hu2024, D, value, 2) == pytest.approx(aim, abs=3e-3)


@pytest.mark.parametrize(
    ("vary", "low", "high"),
    [
        (THICKNESS, 1e-8, 0.1),
        ("Ambient temperature [K]", 150.0, 600.0),
        (ACCESSIBLE, 1e-3, 1.0),
        ("Positive electrode Bruggeman exponent", 0.5, 10.0),
        ("Positive electrode film resistance [Ohm.m2]", 0.0, 1e4),
        (D, 1e-24, 1e-6),
    ],
)
def test_finding_10_a_range_is_looked_at_to_its_ends(vary, low, high, hu2024):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        for ends in ({}, {"low": low, "high": high}):
            answer = ss.target(hu2024, "discharge capacity at 0.5 C", 1e4, vary, **ends, **FAST)
            assert answer.value is None
            assert "no value" in answer.sentence
    assert f"{low:.4g} to {high:.4g}" in answer.sentence


def test_finding_10_a_temperature(hu2024):
    name = "Ambient temperature [K]"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        answer = ss.target(hu2024, "polarization at 1 C", 0.3, name, **FAST)
        table = (
            ss.RateTest([1]).run(ss.SolidStateSPM(), hu2024.replace({name: answer.value})).table
        )
    assert table[GAP][0] == pytest.approx(0.3, abs=2e-3)


@pytest.mark.parametrize("ends", [{"low": 1e-30}, {"high": 10.0}, {"low": float("nan")}])
def test_finding_10_ends_beyond_what_is_allowed_are_named(ends, hu2024):
    with pytest.raises(ss.OptionError, match=r"(low|high) is .*: .* may be 1e-24 to 1e-06 m2"):
        ss.target(hu2024, "polarization at 1 C", 0.3, D, **ends)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, "0.3"])
def test_finding_57_a_target_is_a_finite_number(value, hu2024):
    with pytest.raises(ss.OptionError, match=r"value is .*: it must be a finite number"):
        ss.target(hu2024, "polarization at 1 C", value, KAPPA)


def test_finding_34_one_list_of_metrics(hu2024):
    """By column and rate, or in words; for everything that asks for a metric."""
    test, ranges = ss.RateTest([0.1, 1]), {KAPPA: (0.008, 0.02)}
    for column, words in (
        (GAP, "polarization at 1 C"), (CAPACITY, "Discharge capacity at 1C"),
        ("Energy efficiency", "energy efficiency at 1 C"),
        ("Mean charge voltage [V]", "mean charge voltage at 1 C"),
        ("Capacity retention", "capacity retention at 1 C"),
    ):  # fmt: skip
        for ask in (
            lambda *m: ss.tornado(hu2024, ranges, test, *m, **FAST),
            lambda *m: ss.global_sensitivity(hu2024, ranges, test, *m, method="morris", n=2,
                                             **FAST),
            lambda *m: ss.sensitivity(hu2024, [KAPPA], test, *m, **FAST),
        ):  # fmt: skip
            assert ask(column, 1).equals(ask(words))
        aim = {"low": 0.008, "high": 0.02} | FAST
        by_rate = ss.target(hu2024, column, 0.7, KAPPA, rate=1, **aim)
        assert by_rate == ss.target(hu2024, words, 0.7, KAPPA, **aim)
        pairs = ss.contour(hu2024, words, 0.7, KAPPA, THICKNESS, [1e-4], **aim)
        assert len(pairs) == 1


def test_finding_34_an_unknown_metric_is_refused_with_the_list(hu2024):
    test = ss.RateTest([1])
    for ask in (
        lambda m: ss.target(hu2024, m, 0.7, KAPPA),
        lambda m: ss.contour(hu2024, m, 0.7, KAPPA, THICKNESS, [1e-4]),
        lambda m: ss.tornado(hu2024, [KAPPA], test, m, 1),
        lambda m: ss.global_sensitivity(hu2024, [KAPPA], test, m, 1),
        lambda m: ss.sensitivity(hu2024, [KAPPA], test, m, 1),
    ):
        with pytest.raises(ss.OptionError, match=r"did you mean \"polarization\".*") as error:
            ask("polarisation at 1 C")
        assert "Energy efficiency" in str(error.value)


def test_a_rate_that_comes_twice_is_the_last(hu2024):
    """The first starts from the cell as made."""
    parameters = hu2024.replace({"As-made state of charge": 0.3})
    test = ss.RateTest([2, 0.1, 2])
    table = test.run(ss.SolidStateSPM(), parameters, **FAST).table
    charge = "Charge capacity [mA.h.g-1]"
    assert table[charge][0] < table[charge][2] - 1
    ranges = {KAPPA: (0.009, 0.011)}
    tornado = ss.tornado(parameters, ranges, test, charge, 2, **FAST)
    assert tornado["Base"][0] == pytest.approx(table[charge][2], abs=1e-2)
    local = ss.sensitivity(parameters, [KAPPA], test, **FAST)
    assert local["C-rate"].tolist() == [2, 0.1, 2]


def test_a_scale_is_what_it_says():
    ranges = {KAPPA: (1.0, 3.0, "lin")}
    assert ss.sample(ranges, 64)[KAPPA].mean() == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(
    ("given", "n", "more", "message"),
    [
        ((1, 2, "logarithmic"), 4, {}, "must be"),
        ((2, 1), 4, {}, "low < high"),
        ((1, float("inf"), "log"), 4, {}, "finite"),
        ((1, float("nan")), 4, {}, "must be"),
        ((1,), 4, {}, "must be"),
        ((1, 2), 3.5, {}, "n is 3.5"),
        ((1, 2), True, {}, "n is True"),
        ((1, 2), 4, {"seed": -1}, "seed is -1"),
        ((1, 2), 4, {"seed": 0.5}, "seed is 0.5"),
    ],
)
def test_a_sample_that_cannot_be_is_refused_by_name(given, n, more, message):
    with pytest.raises(ss.OptionError, match=message):
        ss.sample({KAPPA: given}, n, **more)


@pytest.mark.parametrize("value", [None, True, float("nan"), 10**400, [1.0, 2.0]])
def test_a_grid_that_cannot_be_is_refused_by_name(value):
    with pytest.raises(ss.OptionError, match=KAPPA.split(" [")[0]):
        ss.grid({KAPPA: [0.01, value]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scheduler": "local", "time_limit": 3}, "time_limit is 3 with the scheduler"),
        ({"time_limit": float("nan")}, "time_limit is nan"),
        ({"workers": 1.5}, "workers is 1.5"),
        ({"solver": "structred"}, 'did you mean "structured"'),
    ],
)
def test_settings_without_effect_are_refused(settings, message, hu2024):
    with pytest.raises(ss.OptionError, match=message):
        ss.sweep(hu2024, ss.grid({KAPPA: [0.01]}), ss.RateTest([1]), **settings)


def test_finding_55_a_number_too_large_for_a_float_in_a_store(hu2024, tmp_path):
    ss.sweep(hu2024, ss.grid({KAPPA: [0.01]}), ss.RateTest([1]), out=tmp_path, **FAST)
    with contextlib.closing(sqlite3.connect(tmp_path / "sweep.sqlite")) as connection:
        ((text,),) = connection.execute("select text from job")
        job = json.loads(text)
        job["design"][KAPPA] = [10**400]
        connection.execute("update job set text = ?", [json.dumps(job)])
        connection.commit()
    with pytest.raises(ss.SSNIBError, match="a number is needed"):
        _resume(tmp_path)


def _resume(folder):
    try:
        from ssnib_model.runs.sweep import resume
    except ImportError:
        from ssnib_model.sweeps import resume
    return resume(folder)


def test_a_store_of_another_cells_function_is_refused(hu2024, tmp_path):
    """The same function with another argument is another cell."""
    design, run = ss.grid({KAPPA: [0.01]}), ss.RateTest([1])
    info = next(i for i in hu2024.given.values() if "(...)" in str(i.value))
    key, argument = next(iter(info.value.arguments.items()))
    other = type(info.value)(info.value.function, dict(info.value.arguments))
    changed = argument * 1.1 if isinstance(argument, float) else 0.05
    other.arguments[key] = changed
    ss.sweep(hu2024, design, run, out=tmp_path, **FAST)
    with pytest.raises(ss.SSNIBError, match="another sweep"):
        ss.sweep(
            hu2024.replace({info.name: type(info)(**vars(info) | {"value": other})}),
            design, run, out=tmp_path, **FAST,
        )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["Initial state of charge", "Negative electrode double-layer capacity [F.m-2]",
     "Current function [A]"],
)  # fmt: skip
def test_what_a_rate_test_does_not_read_is_refused(name, hu2024):
    value = hu2024[name]
    for ask in (
        lambda: ss.sweep(hu2024, ss.grid({name: [value, 0.9 * value]}), ss.RateTest([1])),
        lambda: ss.sensitivity(hu2024, [name], ss.RateTest([1])),
        lambda: ss.target(hu2024, "polarization at 1 C", 0.5, name),
        lambda: ss.tornado(hu2024, {name: (0.5 * value, 0.9 * value)}, ss.RateTest([1]),
                           "polarization at 1 C"),
    ):  # fmt: skip
        with pytest.raises(ss.SSNIBError, match="no effect"):
            ask()
