"""Voltage against capacity: the same curve in every format, and nothing unpacked to disk."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ssnib_model as ss
from ssnib_model.measured.capacity_voltage import CURVE_FORMATS, format_of, rate_in
from ssnib_model.measured.text import Source

X = np.linspace(0, 1, 30)
SLOW = (110 * X, 3.38 - 0.1 * X - 0.6 * np.exp(40 * (X - 1)))
FAST = (90 * X, 3.30 - 0.1 * X - 0.6 * np.exp(40 * (X - 1)))


def pairs(slow, fast, names="X,Y,X,Y"):
    table = [f"{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for a, b, c, d in zip(*slow, *fast, strict=True)]
    return "\n".join(["0.1 C,,1 C discharge,", names, *table])


def project(slow, fast, version=4):
    curves = [
        {"name": name, "axesName": "XY", "data": [{"x": 1, "y": 2, "value": [*p]} for p in points]}
        for name, points in (
            ("0.1 C", np.column_stack(slow).tolist()),
            ("1 C discharge", np.column_stack(fast).tolist()),
        )
    ]
    if version == 3:
        return json.dumps({"wpd": {"axesType": "XYAxes", "dataSeries": curves}})
    axes = [{"name": "XY", "type": "XYAxes"}, {"name": "Bar", "type": "BarAxes"}]
    bars = {"name": "bars", "axesName": "Bar", "data": [{"value": [1.0]}]}
    empty = {"name": "left empty", "axesName": "XY", "data": []}
    return json.dumps({"version": [4, 2], "axesColl": axes, "datasetColl": [*curves, bars, empty]})


def archive(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def tar(slow, fast):
    text = project(slow, fast).encode()
    return archive({"p/info.json": b"{}", "p/wpd.json": text, "../../evil.png": b"x"})


def named(slow, fast):
    table = [
        f"{rate};{a:.6f};{b:.6f}".replace(".", ",")
        for rate, curve in (("0.1", slow), ("1", fast))
        for a, b in zip(*curve, strict=True)
    ]
    return "\n".join(["C-rate;Specific capacity / mAh g-1;Voltage (V vs. Na/Na+)", *table])


WRITERS = {
    "pairs.csv": pairs,
    "project.json": project,
    "old.json": lambda slow, fast: project(slow, fast, 3),
    "project.tar": tar,
    "named.csv": named,
}


def written(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("file", WRITERS)
def test_every_format_gives_the_same(file, tmp_path):
    path = written(tmp_path / file, WRITERS[file](SLOW, FAST))
    with pytest.raises(ss.MeasuredDataError, match="holds 2 curves: say which one"):
        ss.read_capacity_curve(path)
    for number, rate, (capacity, voltage) in ((1, 0.1, SLOW), (2, 1.0, FAST)):
        curve = ss.read_capacity_curve(path, number)
        assert curve["Capacity [mA.h.g-1]"].to_numpy() == pytest.approx(capacity, abs=1e-5)
        assert curve["Voltage [V]"].to_numpy() == pytest.approx(voltage, abs=1e-5)
        assert (curve.attrs["rate"], curve.attrs["direction"]) == (rate, "discharge")
        assert bool(curve.attrs["problems"]) == (file != "named.csv")  # that no unit is said
    both = ss.read_capacity_curve(path, "all")
    assert both["Curve"].tolist() == [1] * 30 + [2] * 30
    assert both.attrs["rate"] == [0.1, 1.0]
    assert list(tmp_path.iterdir()) == [path]  # nothing was unpacked
    assert not (tmp_path.parent / "evil.png").exists()


def test_by_name_and_without_names(tmp_path):
    path = written(tmp_path / "a.csv", pairs(SLOW, FAST))
    assert ss.read_capacity_curve(path, "1 C discharge").attrs["rate"] == 1.0
    with pytest.raises(ss.MeasuredDataError, match="0 curves have the name '2 C'"):
        ss.read_capacity_curve(path, "2 C")
    bare = "\n".join(f"{a:.6f}, {b:.6f}" for a, b in zip(*SLOW, strict=True))
    curve = ss.read_capacity_curve(written(tmp_path / "bare.csv", bare))
    assert curve.attrs["rate"] is None
    assert "the columns have no names" in curve.attrs["problems"][0]


def test_a_charge_rises_and_a_name_that_says_otherwise_is_said(tmp_path):
    charge = (SLOW[0], SLOW[1][::-1])
    path = written(tmp_path / "a.csv", pairs(charge, charge))
    assert ss.read_capacity_curve(path, 1).attrs["direction"] == "charge"
    wrong = ss.read_capacity_curve(path, 2).attrs
    assert "its name says discharge, its voltage rises" in str(wrong["problems"])


@pytest.mark.parametrize(
    ("names", "factor", "settings"),
    [
        ("Capacity (mAh/g),Voltage (V)", 1, {}),
        ("Q [A.h.kg-1],E [mV]", 1, {}),
        ("capacity / mAhg\u22121,Cell voltage (V vs. Na/Na+)", 1, {}),
        ("Areal capacity (mAh cm-2),Potential / V", 0.02, {"active_mass": 2e-5, "area": 1e-4}),
        ("Capacity [mAh],Voltage [V]", 0.02, {"active_mass": 2e-5}),
    ],
)
def test_units_in_any_spelling(names, factor, settings, tmp_path):
    volts = 1e3 if "mV" in names else 1
    table = [f"{a * factor:.8f},{b * volts:.6f}" for a, b in zip(*SLOW, strict=True)]
    path = written(tmp_path / "a.csv", "\n".join([names, *table]))
    curve = ss.read_capacity_curve(path, **settings)
    assert curve["Capacity [mA.h.g-1]"].to_numpy() == pytest.approx(SLOW[0], abs=1e-4)
    assert curve["Voltage [V]"].to_numpy() == pytest.approx(SLOW[1], abs=1e-4)
    assert curve.attrs["problems"] == []
    if settings:
        with pytest.raises(ss.MeasuredDataError, match="must be given"):
            ss.read_capacity_curve(path)


def test_points_out_of_order_are_said_and_a_second_half_cycle_is_refused(tmp_path):
    capacity = SLOW[0].copy()
    capacity[11] = capacity[10] - 0.5
    path = written(tmp_path / "a.csv", pairs((capacity, SLOW[1]), FAST))
    curve = ss.read_capacity_curve(path, 1)
    assert "does not rise at 1 of 30 points" in str(curve.attrs["problems"])
    assert curve["Capacity [mA.h.g-1]"].is_monotonic_increasing
    both = np.append(SLOW[0], 0.0), np.append(SLOW[1], 3.0)
    path = written(tmp_path / "b.csv", pairs(both, both))
    with pytest.raises(ss.MeasuredDataError, match="a data set of its own"):
        ss.read_capacity_curve(path, 1)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("0.1 C", 0.1), ("C/10", 0.1), ("0.5C_charge", 0.5), ("NVP 2C", 2.0), ("60 °C", None),
        ("25C", None), ("0.1 C and 1 C", None), ("Curve 1", None), ("C/0", None), ("10Cu", None),
    ],
)  # fmt: skip
def test_rates_in_names(name, rate):
    assert rate_in(name) == rate


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.csv", "", "no file of voltage against capacity that is known"),
        ("a.csv", "Time [s],Capacity [mAh],Voltage [V]\n1,2,3\n", "no file of voltage"),
        ("a.csv", "0.1C,\nX,Y\n0,3\n1\n2,3\n3,3\n4,3\n", "line 4, '0.1C' has one of two"),
        ("a.csv", "0.1C,\nX,Y\n0,3\n1,3\n", "has 2 points: 5 are needed"),
        ("a.csv", "0.1C,\nX,Y\n0,3\n1,9\n2,3\n3,3\n4,2\n", "which no cell has"),
        ("a.csv", "0.1C,\nX,Y\n5,3\n6,3\n7,3\n8,3\n9,2\n", "begins at 0"),
        ("a.csv", "0.1C,\nX,Y\n0,3\n1,x\n2,3\n", "line 4, column 'Y' is 'x'"),
        ("a.csv", "Q [V],E [V]\n0,3\n1,3\n2,3\n3,3\n4,3\n", "'V' is no unit of a capacity"),
        ("a.csv", "Q [mAh/g],E [s]\n0,3\n1,3\n2,3\n", "cannot be converted"),
        ("a.csv", "Charge capacity [mAh/g],Discharge capacity [mAh/g],E [V]\n0,3,1\n1,3,1\n",
         "which one belongs to the voltage"),
        ("a.csv", "Rate,Q [mAh/g],E [V]\nfast,0,3\nfast,1,3\n", "'fast': no C-rate"),
        ("a.json", '{"datasetColl": 1}', "no project of WebPlotDigitizer"),
        ("a.json", '{"datasetColl": ', "no project of WebPlotDigitizer"),
        ("a.json", '{"datasetColl": ' + "[" * 100_000, "deeply"),
        ("a.json", '{"wpd": {"axesType": "BarAxes", "dataSeries": []}}', "not x and y"),
        ("a.json", '{"wpd": {"axesType": "XYAxes", "dataSeries": []}}', "without any point"),
        ("a.json", '{"wpd": {"axesType": "XYAxes", "dataSeries": [{"name": "a", "data": '
         '[{"x": 1}]}]}}',
         "points in pixels only"),
        ("a.json", '{"wpd": {"axesType": "XYAxes", "dataSeries": [{"name": "a", "data": '
         '[{"value": [1, 1e999]}]}]}}', "no two finite numbers"),
        ("a.tar", b"no archive", "cannot be read as a .tar"),
        ("a.tar", archive({"wpd.txt": b"1"}), "0 files wpd.json"),
        ("a.tar", archive({"a/wpd.json": b"{}", "b/wpd.json": b"{}"}), "2 files wpd.json"),
        ("a.tar", archive({f"{n}": b"" for n in range(600)}), "more than 500 members"),
    ],
)  # fmt: skip
def test_bad_files(file, content, message, tmp_path):
    path = written(tmp_path / file, content)
    with pytest.raises(ss.MeasuredDataError, match=message) as error:
        ss.read_capacity_curve(path, 1)
    assert str(path) in str(error.value)


def test_choices_that_are_none(tmp_path):
    path = written(tmp_path / "a.csv", pairs(SLOW, FAST))
    for setting in ({"curve": 0}, {"active_mass": 0}, {"area": float("nan")}):
        with pytest.raises(ss.OptionError, match=next(iter(setting))):
            ss.read_capacity_curve(path, **setting)


def test_every_format_is_tried(tmp_path):
    """Each is the one that opens its own file."""
    bare = "\n".join(f"{a:.6f}, {b:.6f}" for a, b in zip(*SLOW, strict=True))
    texts = {file: write(SLOW, FAST) for file, write in WRITERS.items()} | {"bare.csv": bare}
    sources = [
        Source(Path(f), t if isinstance(t, bytes) else t.encode()) for f, t in texts.items()
    ]
    assert {type(format_of(source)) for source in sources} == {type(f) for f in CURVE_FORMATS}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(WRITERS)),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=6)), min_size=1, max_size=6),
)
def test_a_mutated_file_is_read_or_refused(file, changes):
    text = WRITERS[file](SLOW, FAST)
    data = bytearray(text if isinstance(text, bytes) else text.encode())
    for place, new in changes:
        place %= len(data)
        data[place : place + len(new) // 2] = new
    source = Source(Path(file), bytes(data))
    try:
        format_ = format_of(source)
        found = format_.datasets(source) if format_ else []
    except ss.SSNIBError:
        return
    assert all(np.isfinite(d.capacity).all() and np.isfinite(d.voltage).all() for d in found)
