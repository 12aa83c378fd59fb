"""Files of cyclers: the same measurement in every format gives the same curves."""

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss

MASS = 4e-6  # kg
HEADERS = {
    # format: (header, separator, columns of time, voltage, current with factors and sign)
    "tidy.csv": ("Time [s],Current [A],Voltage [V]", ",", "tiv", (1, 1, 1)),
    "bdf.csv": ("Test Time / s,Voltage / V,Current / A", ",", "tvi", (1, 1, -1)),
    "land.txt": ("TestTime/Sec.\tVoltage/V\tCurrent/mA\tCapacity/mAh", "\t", "tvi0", (1, 1, -1e3)),
    "neware.csv": (
        "Record number,Total Time(h),Voltage(mV),Current(mA),Capacity(mAh)", ",", "0tvi0",
        (1 / 3600, 1e3, -1e3),
    ),
    "biologic.mpt": ("mode\ttime/s\tEwe/V\t<I>/mA\tcycle number", "\t", "0tvi0", (1, 1, -1e3)),
}  # fmt: skip


@pytest.fixture
def measurement():
    """A charge, a rest and a discharge: 0.2 C for an hour each."""
    time = np.arange(0, 9000, 60.0)
    current = np.where(time < 3600, -94.4e-6, np.where(time < 4200, 0.0, 94.4e-6))
    voltage = 3.4 - 800 * current - 1e-6 * time
    return time, current, voltage


def write(path, measurement, rows=None):
    header, separator, order, (ft, fv, fi) = HEADERS[path.name]
    time, current, voltage = measurement
    columns = {"t": time * ft, "v": voltage * fv, "i": current * fi, "0": np.zeros(len(time))}
    lines = [separator.join(f"{columns[c][k]:.9g}" for c in order) for k in range(len(time))]
    lines = rows(lines) if rows else lines
    if path.suffix == ".mpt":
        lines = [line.replace(".", ",") for line in lines]  # as a European instrument writes
        top = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Acquisition started on : -"]
        path.write_text("\n".join([*top, header, *lines]), encoding="utf-8")
    else:
        path.write_text("\n".join([header, *lines]), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("name", HEADERS)
def test_every_format_gives_the_same(name, measurement, tmp_path):
    time, current, voltage = measurement
    curves = ss.read_curves(write(tmp_path / name, measurement))
    assert curves["Time [s]"].to_numpy() == pytest.approx(time)
    assert curves["Current [A]"].to_numpy() == pytest.approx(current)
    assert curves["Voltage [V]"].to_numpy() == pytest.approx(voltage)
    assert curves.attrs["problems"] == []
    charge, discharge = ss.half_cycles(curves, MASS)
    assert (charge.attrs["direction"], discharge.attrs["direction"]) == ("charge", "discharge")
    assert charge["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(94.4e-6 * 3540 / 3600 / MASS)
    assert discharge["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(94.4e-6 * 4740 / 3600 / MASS)
    assert discharge["Time [s]"].iloc[0] == 0


def test_parquet(measurement, tmp_path):
    time, current, voltage = measurement
    path = tmp_path / "curve.parquet"
    frame = pd.DataFrame({"Test Time / s": time, "Current / A": -current, "Voltage / V": voltage})
    frame.to_parquet(path)
    assert ss.read_curves(path)["Current [A]"].to_numpy() == pytest.approx(current)


def test_what_is_suspicious_is_reported(measurement, tmp_path):
    def spoil(lines):
        cells = lines[20].split(",")
        return [*lines[:10], lines[5], *lines[10:20], f"{cells[0]},{cells[1]},4.9", *lines[21:]]

    curves = ss.read_curves(write(tmp_path / "tidy.csv", measurement, spoil))
    assert len(curves) == 150
    time, jump = curves.attrs["problems"]
    assert "1 row(s) have a time before that of an earlier row, first line 12" in time
    assert "left out" in time
    assert "voltage jumps at 1 point(s), first at line 23" in jump
    assert len(ss.half_cycles(curves, MASS)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least two rows"),
        ("Time [s],Voltage [V]\n1,3\n2,3\n", "no column for current"),
        ("Time [s],Current [A],Voltage [V]\n1,1,3\n2,1,x\n", "line 3, column 'Voltage \\[V\\]'"),
        ("Time [s],Current [A],Voltage [V]\n1,1,\n2,1,3\n", "line 2, column"),
        ("Time [m],Current [A],Voltage [V]\n1,1,3\n2,1,3\n", "cannot be converted"),
        ("Time [s],Current [A],Voltage [smoot]\n1,1,3\n2,1,3\n", "is not a unit"),
        ("EC-Lab ASCII FILE\nno count\n\n", "Nb header lines"),
        ("EC-Lab ASCII FILE\nNb header lines : 99\n\n", "with N lines in the file"),
        ("\x00\x01\x02\n\x03\n\x04\n", "no column for time"),
    ],
)
def test_bad_files(text, message, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(ss.MeasuredDataError, match=message) as error:
        ss.read_curves(path)
    assert str(path) in str(error.value)


def test_missing_file_and_parquet_that_is_none(tmp_path):
    with pytest.raises(ss.MeasuredDataError, match="cannot be read"):
        ss.read_curves(tmp_path / "nothing.csv")
    (tmp_path / "wrong.parquet").write_text("text")
    with pytest.raises(ss.MeasuredDataError, match="cannot be read as Parquet"):
        ss.read_curves(tmp_path / "wrong.parquet")


def test_files_become_data_for_a_fit(hu2024, tmp_path):
    """A simulated test, written as a cycler would, read back and fitted: the truth returns."""
    name = "Na3PS4 layer conductivity [S.m-1]"
    truth = hu2024.replace({name: 0.02})
    curves = ss.RateTest([0.5]).run(ss.SolidStateSPM(), truth).curves
    charge, discharge = (curves[curves["Direction"] == d] for d in ("charge", "discharge"))
    offset = charge["Time [s]"].max() + 1
    frame = pd.concat([charge, discharge.assign(**{"Time [s]": discharge["Time [s]"] + offset})])
    path = tmp_path / "cycler.csv"
    frame[["Time [s]", "Current [A]", "Voltage [V]"]].to_csv(path, index=False)
    data = ss.data_from_file(path, hu2024)
    assert [d.name for d in data] == ["cycler"]
    fit = ss.fit(hu2024, data, [ss.Free(name, 0.005, 0.05)], model="spm")
    assert fit.values[name] == pytest.approx(0.02, rel=0.01)

    rates = tmp_path / "rates.csv"
    rates.write_text("C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n1,298.15,99\n")
    (data,) = ss.data_from_file(rates, hu2024)
    assert (data.labels, data.temperature) == (["Discharge capacity [mA.h.g-1] at 1 C"], 298.15)
