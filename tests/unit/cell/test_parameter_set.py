"""Parameter sets: loading, validation, saving."""

import re
import shutil
from pathlib import Path

import numpy as np
import pybamm
import pytest

import ssnib_model as ss
from ssnib_model.cell.values import KINDS
from ssnib_model.units import convert

SHIPPED = Path(__file__).parents[3] / "parameters" / "Hu2024"
BASE = (SHIPPED / "parameters.toml").read_text()


@pytest.fixture
def folder(tmp_path):
    """Writes a changed copy of the shipped set and returns its folder."""

    def write(old="", new="", *, count=1, append="", text=None):
        target = tmp_path / "set"
        shutil.copytree(SHIPPED, target, dirs_exist_ok=True)
        assert old in BASE
        content = BASE.replace(old, new, count) + append if text is None else text
        (target / "parameters.toml").write_text(content)
        return target

    return write


def _entry(name, **fields):
    lines = [f'\n[parameters."{name}"]'] + [f"{key} = {value}" for key, value in fields.items()]
    return "\n".join(lines) + "\n"


def _problems(folder):
    with pytest.raises(ss.ParameterError) as error:
        ss.ParameterSet(folder)
    for problem in error.value.problems:
        assert problem.startswith(str(folder))
        assert "\n" not in problem.strip()
    return error.value.problems


def test_every_parameter_says_where_it_comes_from(hu2024):
    for name in hu2024:
        info = hu2024.info(name)
        assert info.kind in KINDS
        if info.kind == "fitted":
            assert "studies/fit_hu2024" in info.note
            assert info.uncertainty["sd"] > 0
        if info.kind in ("measured", "literature"):
            assert info.source in hu2024.sources
        if info.kind == "assumed" and info.note.startswith("default") is False:
            assert info.uncertainty
    assert hu2024.sources["Hu2024"]["doi"] == "10.1016/j.matt.2023.12.017"


def test_values_are_in_the_unit_of_the_name(hu2024):
    assert hu2024["Na3PS4 layer conductivity [S.m-1]"] == 0.01
    assert hu2024["NaTaCl6 layer conductivity [S.m-1]"] == 0.4
    assert hu2024["Ambient temperature [K]"] == 298.15
    info = hu2024.info("Na3PS4 layer conductivity activation energy [J.mol-1]")
    assert info.value == pytest.approx(0.3 * 96485.33, rel=1e-5)
    assert info.uncertainty["range"] == pytest.approx((0.24 * 96485.33, 0.38 * 96485.33), rel=1e-5)
    assert hu2024.info("Ambient temperature [K]").uncertainty == {"range": (293.15, 303.15)}


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (1e-4, "S/cm", "S.m-1", 0.01),
        (0.1, "mS.cm-1", "S.m-1", 0.01),
        (27, "Ohm.cm2", "Ohm.m2", 27e-4),
        (1, "eV", "J.mol-1", 96485.332),
        (25, "degC", "K", 298.15),
        (50, "%", "1", 0.5),
        (1, "mA/cm^2", "A.m-2", 10),
        (3, "µm", "m", 3e-6),
    ],
)
def test_units(value, unit, target, expected):
    assert convert(value, unit, target) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("unit", ["m**99", "__import__('os')", "S/", "2*m", "furlongg", "m" * 99])
def test_what_is_not_a_unit(unit):
    with pytest.raises(ValueError, match="is not a unit"):
        convert(1, unit, "m")


CONDUCTIVITY = '[parameters."Na3PS4 layer conductivity [S.m-1]"]\nvalue = 1e-4'


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Na3PS4 layer conductivity [S.m-1]", "Na3PS4 layer conductivty [S.m-1]",
         r'unknown parameter "Na3PS4 layer conductivty \[S.m-1\]"; did you mean "Na3PS4 layer'),
        ('unit = "S.cm-1"', 'unit = "S.cm"', 'unit "S.cm" cannot be converted to "S.m-1"'),
        ('unit = "S.cm-1"', 'unit = "Siemens per cm"', '"Siemens per cm" is not a unit'),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "-1e-4"),
         "is -0.01: allowed is 1e-09 to 1000"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "nan"), "value is nan: a finite number"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "inf"), "value is inf: a finite number"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", '"1e-4"'), "value is '1e-4': a finite number"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "true"), "value is True: a finite number"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "5e-4"), "outside its own uncertainty range"),
        ('kind = "measured"', 'kind = "guessed"', "kind is 'guessed'"),
        ('source = "Zhu2015"', "", 'is of kind "literature": it needs a "source"'),
        ('source = "Zhu2015"', 'source = "Zhu2051"', 'did you mean "Zhu2015"'),
        ("uncertainty = { range = [0.75, 0.90] }", "", 'is assumed: it needs an "uncertainty"'),
        ("uncertainty = { range = [0.75, 0.90] }", "uncertainty = {}",
         'needs "sd", "range" or both'),
        ('note = "milled for 40 h"', 'notes = "milled for 40 h"', "notes is not a known field"),
        ('function = "nvp_plateau_ocp"', 'function = "os.system"',
         'names the function "os.system"'),
        ('function = "nvp_plateau_ocp"', 'function = "na_sn_alloy_ocp"', "which gives"),
        ('charged_end_width = "Pos', 'charged_width = "Pos', "it takes"),
        ('end_amplitude = "Positive electrode OCP end amplitude [V]"', 'end_amplitude = "x"',
         'from the unknown parameter "x"'),
        ('layers" = ["Na3PS4", "NaTaCl6"]', 'layers" = ["NaTaCl6", "NaTaCl6"]', "different names"),
        ('transport" = "bruggeman"', 'transport" = "magic"', "must be one of"),
        ('file = "fig4e.csv"', 'file = "../fig4e.csv"', "is not the name of a file in"),
        ('file = "fig4e.csv"', 'file = "fig5.csv"', "cannot be read as CSV"),
        ('[parameters."Die diameter [m]"]\nvalue = 10\nunit = "mm"\nkind = "measured"\n'
         'source = "Hu2024"', "", '"Electrode area \\[m2\\]" is missing: give it, or give Die'),
        ("value = 2.5\nunit", "value = 4.5\nunit", "outside its own uncertainty range"),
        ('name = "Hu2024"', 'name = "x"\nbase = "."', "base is '.': it must be one of the sets"),
        ('layers" = ["Na3PS4", "NaTaCl6"]', 'layers" = 5', "different names"),
        ('layers" = ["Na3PS4", "NaTaCl6"]', 'layers" = ["a|b"]', "different names"),
        ('layers" = ["Na3PS4", "NaTaCl6"]', 'layer" = ["Na3PS4"]', "'electrolyte layers' is miss"),
        ('catholyte = "NaTaCl6"', 'catholyte = "LiCl"', "must be one of the layers"),
        ('end_amplitude = "Positive electrode OCP end amplitude [V]"',
         'end_amplitude = "Positive electrode OCP [V]"', "which is not a number"),
        (CONDUCTIVITY, CONDUCTIVITY.replace("1e-4", "1" + 400 * "0"), "value is 1000000"),
    ],
)  # fmt: skip
def test_each_problem_is_one_clear_sentence(old, new, sentence, folder):
    assert any(re.search(sentence, problem) for problem in _problems(folder(old, new)))


def test_all_problems_are_reported_at_once(folder):
    text = BASE.replace('unit = "S.cm-1"', 'unit = "m"', 1)
    text = text.replace('source = "Zhu2015"', 'source = "Zhu"')
    text = text.replace("Positive electrode film", "Positive electrode fil")
    text += _entry("Nonsense [m]", value=1, unit='"m"', kind='"user"')
    problems = _problems(folder(text=text))
    assert len(problems) == 3


def test_contradicting_thickness_shows_both(folder):
    entry = _entry("Na3PS4 layer thickness [m]", value=310, unit='"um"', kind='"measured"',
                   source='"Hu2024"')  # fmt: skip
    (problem,) = _problems(folder(append=entry))
    assert "0.00031 m, but 0.000287673 m follows from mass" in problem


def test_a_measured_thickness_within_tolerance_beats_the_derived_one(folder):
    entry = _entry("Na3PS4 layer thickness [m]", value=289, unit='"um"', kind='"measured"',
                   source='"Hu2024"')  # fmt: skip
    parameters = ss.ParameterSet(folder(append=entry))
    assert parameters["Na3PS4 layer thickness [m]"] == pytest.approx(289e-6)
    assert parameters.info("Na3PS4 layer thickness [m]").kind == "measured"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BASE + BASE[BASE.index("[parameters.") :], "not a valid TOML file: Cannot declare"),
        ("name = ", "not a valid TOML file"),
        ("", "name is missing"),
        ('name = "x"\nname = "y"', "not a valid TOML file"),
    ],
)
def test_files_that_are_no_parameter_file(text, sentence, folder):
    assert any(sentence in problem for problem in _problems(folder(text=text)))


def test_unreadable_and_missing(folder, tmp_path):
    path = folder()
    (path / "parameters.toml").write_bytes(b"\xff\xfe\x00")
    _problems(path)
    (path / "parameters.toml").unlink()
    (path / "parameters.toml").mkdir()
    for name in (path, tmp_path / "nowhere", "Hu2042"):
        with pytest.raises(ss.ParameterError, match="neither a known parameter set"):
            ss.ParameterSet(name)


@pytest.mark.parametrize(
    "content",
    ["C-rate\n1\n", "C-rate,Ambient temperature [K]\n1,warm\n",
     "C-rate,Ambient temperature [K],x\n", "", "\x00\x01",
     "C-rate,Ambient temperature [K]\n1,inf\n"],
)  # fmt: skip
def test_bad_measured_data(content, folder):
    path = folder()
    (path / "fig4e.csv").write_text(content)
    (problem,) = _problems(path)
    assert "fig4e.csv" in problem


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "0.1", None, True, [1]])
def test_replace_refuses_what_is_not_allowed(value, hu2024):
    with pytest.raises(ss.ParameterError, match="allowed is 1e-09 to 1000"):
        hu2024.replace({"Na3PS4 layer conductivity [S.m-1]": value})


def test_a_file_can_be_too_large(folder):
    (problem,) = _problems(folder(append="#" * 500_001))
    assert "at most 500000" in problem


def test_another_stack_by_option(hu2024):
    """Values of layers that are gone go with them; the last layer fills the composite."""
    one = hu2024.replace({}, {"electrolyte layers": ("Na3PS4",)})
    assert one.catholyte == "Na3PS4"
    assert "NaTaCl6 layer conductivity [S.m-1]" not in one
    assert ss.RateTest([0.1]).run(parameters=one).table["Status"].tolist() == ["ok"]


def test_unknown_name_suggests_the_nearest(hu2024):
    with pytest.raises(KeyError, match='did you mean "Ambient temperature'):
        hu2024["Ambient temperature [C]"]


def test_table_as_equilibrium_potential(folder):
    old = BASE[BASE.index('[parameters."Positive electrode OCP [V]".value]') :]
    old = old[: old.index('[parameters."Positive electrode plateau')]
    path = folder(
        old,
        '[parameters."Positive electrode OCP [V]".value]\ntable = "ocp.csv"\nsteep_ends = true\n',
    )
    sto = np.linspace(0.01, 0.99, 20)
    table = np.column_stack([sto, 3.5 - 0.2 * sto])
    np.savetxt(path / "ocp.csv", table, delimiter=",", header="sto,U", comments="")
    parameters = ss.ParameterSet(path)
    curve = parameters.to_pybamm()["Positive electrode OCP [V]"]
    assert curve(pybamm.Scalar(0.5)).evaluate() == pytest.approx(3.4, abs=1e-6)
    result = ss.RateTest([1]).run(parameters=parameters)
    assert result.ok

    table[3, 0] = 0.0
    np.savetxt(path / "ocp.csv", table, delimiter=",", header="sto,U", comments="")
    assert "first column must increase" in _problems(path)[0]


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (
            [0.0, 0.3, 0.6, 1.0],
            [1, 1, -1, 1],
            r"-1e-16 at 0.6 in d.csv: allowed is 1e-24 to 1e-06",
        ),
        ([0.0, 0.3, 0.6, 1.0], [1, 1, 1, 1e20], "10000 at 1 in d.csv: allowed"),
        ([0.0, 0.3, 0.6, 1.5], [1, 1, 1, 1], "arguments 0 to 1.5 in d.csv: allowed is 0 to 1"),
    ],
)
def test_values_of_a_table_are_checked(x, y, expected, folder):
    old = BASE[BASE.index('[parameters."Positive particle diffusivity [m2.s-1]"]') :]
    old = old[: old.index("[parameters.", 5)]
    new = (
        old[: old.index("value")]
        + 'value = { table = "d.csv" }\nunit = "cm2.s-1"\nkind = "user"\n'
    )
    path = folder(old, new)
    table = np.column_stack([x, np.array(y) * 1e-12])
    np.savetxt(path / "d.csv", table, delimiter=",", header="sto,D", comments="")
    (problem,) = _problems(path)
    assert re.search(expected, problem)
    table[:, 0], table[:, 1] = [0, 0.3, 0.6, 1], 1e-12
    np.savetxt(path / "d.csv", table, delimiter=",", header="sto,D", comments="")
    converted = ss.ParameterSet(path)["Positive particle diffusivity [m2.s-1]"]
    assert converted.y == pytest.approx([1e-16] * 4)


def test_save_round_trip(hu2024, tmp_path):
    changed = hu2024.replace({"Na3PS4 layer thickness [m]": 30e-6})
    again = ss.ParameterSet(changed.save(tmp_path / "mine"))
    assert again.name == "mine"
    for name in changed:
        old, new = changed.info(name), again.info(name)
        assert str(new.value) == str(old.value)
        assert (new.kind, new.source) == (old.kind, old.source)
        # what gave way is not in the file, but in the note of what it gave way to
        assert new.note == old.note or name not in changed.given
    assert again.measured.keys() == changed.measured.keys()
    with pytest.raises(ss.ParameterError, match="cannot be written"):
        changed.save(tmp_path / "mine")


def test_measured_data(hu2024):
    rates = hu2024.measured["Fig. 4E"].set_index("C-rate")["Discharge capacity [mA.h.g-1]"]
    assert rates.to_dict() == {0.2: 103.8, 0.5: 99.4, 1.0: 98.2, 2.0: 88.3}
    assert hu2024.measured["60 C"]["Ambient temperature [K]"].tolist() == [333.15]
