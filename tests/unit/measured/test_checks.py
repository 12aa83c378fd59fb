"""What is doubtful about a file is said; what cannot be right is refused, with what to do."""

import numpy as np
import pytest

import ssnib_model as ss
from ssnib_model.measured.capacity import chosen, increments

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"


def write(path, names, *columns):
    rows = [",".join(f"{c:.10g}" if not isinstance(c, str) else c for c in row)
            for row in zip(*columns, strict=True)]  # fmt: skip
    path.write_text("\n".join([names, *rows]) + "\n")
    return path


def cycle(n=60, dt=60.0, current=1e-3):
    """Time, current positive on discharge, voltage: a charge and a discharge of n rows each."""
    time = np.arange(2 * n) * dt
    flows = np.where(np.arange(2 * n) < n, -current, current)
    up = 3.0 + np.arange(n) / n
    return time, flows, np.concatenate([up, up[::-1]])


def problems(path):
    return ss.read_curves(path).attrs["problems"]


def test_nothing_is_said_of_a_good_file(tmp_path):
    assert problems(write(tmp_path / "a.csv", "t/s,I/A,U/V", *[c * s for c, s in
                          zip(cycle(), (1, -1, 1), strict=True)])) == []  # fmt: skip


def test_a_sign_against_the_voltage_is_turned(tmp_path):
    time, current, voltage = cycle()
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", time, current, voltage)
    curves = ss.read_curves(path)
    assert curves[CURRENT].to_numpy() == pytest.approx(current)
    assert (
        "the sign of 'I/A' was turned: the voltage moves the other way (1.97 V"
        in (curves.attrs["problems"][0])
    )


def test_a_missing_sign_is_refused_unless_something_says_it(tmp_path):
    time, current, voltage = cycle()
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", time, abs(current), voltage)
    with pytest.raises(ss.MeasuredDataError, match="'I/A' has one sign, but the voltage rises by"):
        ss.read_curves(path)
    up, down = (np.cumsum(np.maximum(sign * current, 0)) / 60 for sign in (-1, 1))
    names = "t/s,I/A,U/V,Charge capacity/Ah,Discharge capacity/Ah"
    write(path, names, time, abs(current), voltage, up, down)
    curves = ss.read_curves(path)
    assert curves[CURRENT].to_numpy()[1:] == pytest.approx(current[1:])
    assert "it is given one by the two counts of capacity" in curves.attrs["problems"][0]


def test_time_that_goes_back(tmp_path):
    time, current, voltage = cycle()
    time[70] = 60.0  # one row
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", time, -current, voltage)
    curves = ss.read_curves(path)
    (said,) = curves.attrs["problems"]
    assert said.startswith("1 row(s) have a time before that of an earlier row, first line 72")
    assert len(curves) == 119
    assert (np.diff(curves[TIME]) > 0).all()
    time[70:100] = np.arange(30) + 600.5  # many
    write(path, "t/s,I/A,U/V", time, -current, voltage)
    with pytest.raises(ss.MeasuredDataError, match=r"line 72, time goes back from 4140 to 600.5"):
        ss.read_curves(path)


def test_a_time_that_is_impossible(tmp_path):
    time, current, voltage = cycle()
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", time * 1e5, -current, voltage)
    with pytest.raises(ss.MeasuredDataError, match=r"its time runs over 22.6 years") as error:
        ss.read_curves(path)
    assert "units={'Time [s]': 1/3600}" in str(error.value)
    curves = ss.read_curves(path, units={TIME: 1e-5})
    assert curves[TIME].to_numpy() == pytest.approx(time)


def test_a_time_against_the_dates(tmp_path):
    time, current, voltage = cycle()
    dates = [f"2024-03-05 {13 + int(t // 3600)}:{int(t // 60 % 60):02d}:00" for t in time]
    path = write(tmp_path / "a.csv", "t/h,Date,I/A,U/V", time, dates, -current, voltage)
    with pytest.raises(ss.MeasuredDataError, match="3600 times apart: say the right unit"):
        ss.read_curves(path)
    assert ss.read_curves(path, units={TIME: "s"}).attrs["problems"] == []
    write(path, "t/s,Date,I/A,U/V", 0.9 * time, dates, -current, voltage)
    (said,) = problems(path)
    assert said == (
        "column 't/s' runs over 1.785 h and the dates in 'Date' over 1.983 h: the former is used"
    )


def test_the_cyclers_count_where_the_current_is_rounded(tmp_path):
    time, current, voltage = cycle(current=1.4e-3)
    up, down = (np.cumsum(np.maximum(sign * current, 0)) / 60 for sign in (-1, 1))
    path = tmp_path / "a.csv"
    names = "t/s,I/A,U/V,Charge capacity/Ah,Discharge capacity/Ah"
    write(path, names, time, np.round(-current, 3), voltage, up, down)
    curves = ss.read_curves(path)
    said = [p for p in curves.attrs["problems"] if "the cycler counted" in p]
    assert len(said) == 2
    assert said[1] == (
        "on discharge the cycler counted 1.4 mA.h and the current times the time gives 1 mA.h: "
        "the cycler's own count is used"
    )
    charge, discharge = ss.half_cycles(curves, 1e-6)
    assert discharge["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(1400, rel=1e-3)
    assert charge.attrs["capacity by"] == "the cycler's own count"
    # a count of few digits is the worse one
    write(path, names, time, -current, voltage, np.round(up, 3), np.round(down, 3))
    curves = ss.read_curves(path)
    assert chosen(curves)[1] == "the integral of the current"
    assert increments(curves)[60:].sum() == pytest.approx(1.4e-3, rel=0.02)


@pytest.mark.parametrize("factor", [1e3, 1e-3, 3600, 1 / 60])
def test_two_counts_that_are_units_apart_are_refused(factor, tmp_path):
    time, current, voltage = cycle()
    up, down = (np.cumsum(np.maximum(sign * current, 0)) / 60 * factor for sign in (-1, 1))
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V,Charge capacity/Ah,Discharge capacity/Ah", time,
                 -current, voltage, up, down)  # fmt: skip
    with pytest.raises(ss.MeasuredDataError, match="one of their units is wrong; say the right"):
        ss.read_curves(path)


def test_gaps_and_ends_that_differ(tmp_path):
    time, current, voltage = cycle()
    all_time = np.concatenate([time, time + 7200 + 60, time + 14400 + 120])
    all_voltage = np.concatenate([voltage] * 3)
    all_current = np.concatenate([-current] * 3)
    kept = np.ones(len(all_time), dtype=bool)
    kept[110:120] = False  # the first discharge is stopped early
    all_time[150:] += 7200.0  # and the second charge not recorded for two hours
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", *(c[kept] for c in
                 (all_time, all_current, all_voltage)))  # fmt: skip
    gap, end = problems(path)
    assert gap.startswith("no rows for 2.02 h in 1 place(s) while current flowed, first 2.02 h")
    assert end == (
        "1 of 3 discharges did not end at 3.000 V as the others did, first the one that ends at "
        "3.167 V, line 111"
    )


def test_a_last_line_that_is_cut_off_and_rows_of_a_spectrum(tmp_path):
    path = tmp_path / "a.txt"
    rows = [f"{t}\t{3 + t / 100}\t1.0\t{100 if t > 7 else 0}" for t in range(10)]
    path.write_text("\n".join(["time/s\tEwe/V\tI/mA\tfreq/Hz", *rows, "10\t3"]))
    curves = ss.read_curves(path)
    assert len(curves) == 8
    assert curves.attrs["problems"] == [
        "2 row(s) with a frequency, lines 10 to 11, belong to a spectrum and are left out",
        "line 12, the last one, is cut off and left out",
    ]


def test_voltages_of_no_cell(tmp_path):
    time, current, voltage = cycle()
    path = write(tmp_path / "a.csv", "t/s,I/A,U/V", time, -current, 1e3 * voltage)
    with pytest.raises(ss.MeasuredDataError, match="3000 to 3983 V, which is no voltage"):
        ss.read_curves(path)
    assert ss.read_curves(path, units={VOLTAGE: "mV"})[VOLTAGE].max() < 4
    write(path, "Rec#,Test (Sec),mAmps,Volts,State", np.arange(120.0), time, -1e3 * current,
          1e3 * voltage, ["C"] * 60 + ["D"] * 60)  # fmt: skip
    assert "column 'Volts' holds 3000 to 3983: it is taken as mV" in problems(path)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("1,001", "0,25"), ("2,002", "0,5"), 1.001),  # decimal commas
        (("1,001", "1.5"), ("2,002", "0.5"), 1001.0),  # thousands apart
        (("1.234,5", "0,25"), ("2.002,0", "0,5"), 1234.5),
    ],
)
def test_commas_and_points(first, second, expected, tmp_path):
    path = tmp_path / "a.csv"
    rows = [f'"{time}","{current}",3' for time, current in (first, second)]
    path.write_text("\n".join(["t/s,I/A,U/V", *rows]))
    assert ss.read_curves(path)[TIME].iloc[0] == expected


def test_commas_that_may_be_either_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('t/s,I/A,U/V\n"1,001",1,3\n"2,001",1,3\n')
    with pytest.raises(ss.MeasuredDataError, match="'1,001' may be a decimal comma or have"):
        ss.read_curves(path)


def test_a_quoted_cell_of_a_million_characters_is_one_sentence(tmp_path):
    path = tmp_path / "a.csv"
    names = "Cycle ID,Cap(mAh)\n,Step ID,Step Name\n,,Record ID,Time(s),Voltage(V),Current(mA)\n"
    path.write_text(names + f'1,"{"x" * 1_000_000}"\n,,1,0,3,1\n,,2,1,3,1\n')
    assert len(ss.read_curves(path)) == 2
