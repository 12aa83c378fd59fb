"""Sets to start from."""

import tomllib

import pytest

import ssnib_model as ss
from ssnib_model.cell.set_files import parameter_root


def test_every_value_of_a_new_set_is_an_assumed_example(tmp_path):
    parameters = ss.ParameterSet(ss.new_set(tmp_path / "mine"))
    for info in parameters.given.values():
        assert info.kind == "assumed"
        assert info.note.startswith("EXAMPLE")
        assert not isinstance(info.value, float) or "range" in info.uncertainty
    text = (tmp_path / "mine" / "parameters.toml").read_text()
    assert text.count("#") > 20
    # a spectrum needs nothing more
    assert ss.impedance(parameters, [1e3]).z[0].real > 0


@pytest.mark.parametrize("base", ["Hu2024", "ThreeLayers", "SymmetricNaSn"])
def test_a_set_over_a_base_has_its_values(base, tmp_path):
    mine, other = ss.ParameterSet(ss.new_set(tmp_path / "mine", base)), ss.ParameterSet(base)
    assert mine.model_options == other.model_options
    assert set(mine) == set(other)
    for name in other:
        if isinstance(other[name], float):
            assert mine[name] == pytest.approx(other[name], rel=1e-5)
    written = tomllib.loads((tmp_path / "mine" / "parameters.toml").read_text())["parameters"]
    assert {entry["kind"] for entry in written.values()} == {"assumed"}
    assert len(written) >= 8
    assert not mine.measured
    assert not mine.reference_data


@pytest.mark.parametrize("base", ["Hu2042", "."])
def test_a_base_that_is_none(base, tmp_path):
    with pytest.raises(ss.ParameterError, match="comes with the package"):
        ss.new_set(tmp_path / "mine", base)
    assert not (tmp_path / "mine").exists()


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ss.ParameterError, match="cannot be written"):
        ss.new_set(tmp_path / "file" / "mine")


def test_names_with_quotes(tmp_path):
    assert ss.ParameterSet(ss.new_set(tmp_path / 'a "cell"')).name == 'a "cell"'


def test_the_template_is_no_set():
    assert (parameter_root() / "template" / "template.toml").is_file()
    assert "template" not in ss.list_parameter_sets()
