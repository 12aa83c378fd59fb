"""Files of cyclers: the same measurement in every format gives the same curves."""

import sys
import zipfile
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.measured.capacity import increments
from ssnib_model.measured.registry import FORMATS

MASS = 4e-6  # kg
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
CHARGED, DISCHARGED = "Charge capacity [A.h]", "Discharge capacity [A.h]"


class Measured:
    """A charge at 94.4 uA for an hour, a rest and a discharge, a row a minute."""

    def __init__(self):
        self.time = np.arange(0, 9000, 60.0)
        # the current of a row flowed in the minute before it
        self.current = np.where(
            self.time == 0, 0.0,
            np.where(self.time <= 3600, -94.4e-6, np.where(self.time <= 4200, 0.0, 94.4e-6)),
        )  # fmt: skip
        passed = np.cumsum(self.current) / 60
        self.voltage = 3.4 - 800 * self.current - 1000 * passed
        self.charged = np.cumsum(np.maximum(-self.current, 0)) / 60
        self.discharged = np.cumsum(np.maximum(self.current, 0)) / 60
        self.step = np.where(self.time <= 3600, 1, np.where(self.time <= 4200, 2, 3))
        starts = {1: 0.0, 2: 3600.0, 3: 4200.0}
        self.step_time = self.time - np.vectorize(starts.get)(self.step)

    def rows(self, row: Callable[[int], list]) -> list[list]:
        return [row(k) for k in range(len(self.time))]


M = Measured()
WORDS = {1: "CC_Chg", 2: "Rest", 3: "CC_DChg"}
CHINESE = {1: "恒流充电", 2: "静置", 3: "恒流放电"}
LETTERS = {1: "C", 2: "R", 3: "D"}


def hms(seconds: float, days: bool = False) -> str:
    seconds = round(seconds, 3)
    rest = f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:06.3f}"
    return f"  0d {rest}" if days else rest


def date(seconds: float, style: str = "%Y-%m-%d %H:%M:%S") -> str:
    return (pd.Timestamp("2024-03-05 13:00:00") + pd.Timedelta(seconds=seconds)).strftime(style)


def text(header: str, row: Callable[[int], list], above: str = "", comma: bool = False) -> str:
    """A table as text, with the separator of its header."""
    separator = max("\t;,", key=header.count)
    lines = [
        separator.join(str(round(c, 12)) if isinstance(c, float) else str(c) for c in cells)
        for cells in M.rows(row)
    ]
    if comma:
        lines = [line.replace(".", ",") for line in lines]
    return above + "\n".join([header, *lines]) + "\n"


def floats(row: Callable[[int], list]) -> Callable[[int], list]:
    return lambda k: [float(c) if isinstance(c, np.floating) else c for c in row(k)]


def layered() -> str:
    """Layered Neware: a line for each cycle and step above its records."""
    lines = ["Cycle ID,Cap_Chg(mAh),Cap_DChg(mAh)", ",Step ID,Step Name,Step Time"]
    lines.append(",,Record ID,Time(h:min:s.ms),Voltage(V),Current(mA),Capacity(mAh),Realtime")
    lines.append("1,0.0944,0.1258")
    before = 0
    for k in range(len(M.time)):
        if M.step[k] != before:
            before = M.step[k]
            lines.append(f",{before},{WORDS[before]},01:00:00")
        since = M.charged[k] if before == 1 else M.discharged[k] if before == 3 else 0.0
        lines.append(
            f",,{k + 1},{hms(M.step_time[k])},{M.voltage[k]:.6f},{-1e3 * M.current[k]:.6f},"
            f"{1e3 * since:.9f},{date(M.time[k])}"
        )
    return "\n".join(lines)


def novonix() -> str:
    """Two blocks, the second with a time of its own, 1 h after the first."""
    head = "[Summary]\nNovonix HPC data file\n[End Summary]\n[Protocol]\n[End Protocol]\n[Data]\n"
    names = "Date and Time,Cycle Number,Step Number,Run Time (h),Current (A),Potential (V)"
    lines = []
    for k in range(len(M.time)):
        if k in (0, 61):
            lines += [*head.splitlines(), names]
        run_time = (M.time[k] - (M.time[61] if k > 60 else 0)) / 3600
        lines.append(
            f"{date(M.time[k])},1,{M.step[k]},{run_time:.7f},{-M.current[k]:.9f},{M.voltage[k]:.6f}"
        )
    return "\n".join(lines)


def eclab(name: str) -> str:
    names = f"mode\tox/red\tNs\t{name}\tEwe/V\t<I>/mA\tQ discharge/mA.h\tQ charge/mA.h"
    above = "EC-Lab ASCII FILE\nNb header lines : 6\n\nElectrode surface area : 0.785 cm²\nµ\n"
    row = floats(
        lambda k: [1, 1, M.step[k], date(M.time[k], "%m/%d/%Y %H:%M:%S.0") if "d" in name
                   else M.time[k], M.voltage[k], -1e3 * M.current[k], 1e3 * M.discharged[k],
                   1e3 * M.charged[k]]
    )  # fmt: skip
    return text(names.replace("time/sd", "time/s"), row, above, comma="d" not in name)


def signed(k: int, factor: float = -1.0) -> float:
    return float(factor * M.current[k])


def of_step(k: int) -> float:
    """Capacity within the step [A.h], as one column counts it."""
    since = M.charged[k] if M.step[k] == 1 else M.discharged[k] if M.step[k] == 3 else 0.0
    return float(since)


#: What a file is called -> (its format, its content, its encoding, whether it has capacities).
FILES: dict[str, tuple[str, str, str, bool]] = {
    "tidy.csv": (
        "tidy table",
        text("Time [s],Current [A],Voltage [V]",
             floats(lambda k: [M.time[k], M.current[k], M.voltage[k]])),
        "utf-8", False,
    ),
    "human.bdf.csv": (
        "Battery Data Format",
        text("Test Time / s,Voltage / V,Current / A",
             floats(lambda k: [M.time[k], M.voltage[k], signed(k)])),
        "utf-8-sig", False,
    ),
    "machine.bdf.csv": (
        "Battery Data Format",
        text("test_time_second,voltage_volt,current_ampere,step_index,charging_capacity_ah,"
             "discharging_capacity_ah",
             floats(lambda k: [M.time[k], M.voltage[k], signed(k), M.step[k], M.charged[k],
                               M.discharged[k]])),
        "utf-8", True,
    ),
    "other_sign.bdf.csv": (  # positive on discharge, which its capacities say
        "Battery Data Format",
        text("Test Time / h,Current / A,Voltage / V,Charge Capacity / Ah,Discharge Capacity / Ah",
             floats(lambda k: [M.time[k] / 3600, M.current[k], M.voltage[k], M.charged[k],
                               M.discharged[k]])),
        "utf-8", True,
    ),
    "eclab.mpt": ("EC-Lab and BT-Lab text", eclab("time/s"), "latin-1", True),
    "eclab_dates.mpt": ("EC-Lab and BT-Lab text", eclab("time/sd"), "latin-1", True),
    "no_preamble.mpt": (
        "EC-Lab and BT-Lab text",
        text("mode\tox/red\tNs changes\ttime/s\tEcell/V\tI/mA",
             floats(lambda k: [1, 1, 0, M.time[k], M.voltage[k], signed(k, -1e3)])),
        "utf-8", False,
    ),
    "land.txt": (
        "Land and Landt text",
        text("Record\tTestTime/Sec.\tVoltage/V\tCurrent/mA\tCapacity/mAh\tSysTime",
             floats(lambda k: [k, M.time[k], M.voltage[k], signed(k, -1e3), 1e3 * of_step(k),
                               date(M.time[k])])),
        "utf-8", True,
    ),
    "land_gbk.csv": (
        "Land and Landt text",
        text("序号,测试时间/Sec,电压/V,电流/uA,工步类型",
             floats(lambda k: [k, M.time[k], M.voltage[k], float(1e6 * abs(M.current[k])),
                               CHINESE[M.step[k]]])),
        "gbk", False,
    ),
    "neware.csv": (
        "Neware text",
        text("Record number,Step Index,Step Type,Time,Total Time(h),Voltage(mV),Current(mA),"
             "Capacity(mAh)",
             floats(lambda k: [k, M.step[k], WORDS[M.step[k]], hms(M.step_time[k]),
                               M.time[k] / 3600, 1e3 * M.voltage[k], signed(k, -1e3),
                               1e3 * of_step(k)])),
        "utf-8", True,
    ),
    "neware_steps.csv": (  # the time of its steps only, unsigned current
        "Neware text",
        text("Record ID,Step ID,Step Type,Time(h:min:s.ms),Voltage(V),Current(mA),DateTime",
             floats(lambda k: [k, M.step[k], WORDS[M.step[k]], hms(M.step_time[k]), M.voltage[k],
                               float(1e3 * abs(M.current[k])), date(M.time[k])])),
        "utf-16", False,
    ),
    "neware_layered.csv": ("Neware text, layered", layered(), "utf-8", True),
    "arbin.csv": (
        "Arbin text",
        text("Data Point,Date Time,Test Time (s),Step Time (s),Cycle Index,Step Index,"
             "Current (A),Voltage (V),Charge Capacity (Ah),Discharge Capacity (Ah)",
             floats(lambda k: [k, date(M.time[k], "%m/%d/%Y %H:%M:%S.0"), M.time[k],
                               M.step_time[k], 1, M.step[k], signed(k), M.voltage[k],
                               M.charged[k], M.discharged[k]])),
        "utf-8", True,
    ),
    "arbin_without_units.csv": (
        "Arbin text",
        text("Data_Point,Test_Time,Step_Index,Cycle_Index,Current,Voltage",
             floats(lambda k: [k, M.time[k], M.step[k], 1, signed(k), M.voltage[k]])),
        "utf-8", False,
    ),
    "maccor.txt": (  # unsigned
        "Maccor text",
        text("Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tAmps\tVolts\tState",
             floats(lambda k: [k, 0, M.step[k], hms(M.time[k], True), hms(M.step_time[k], True),
                               of_step(k), float(abs(M.current[k])), M.voltage[k],
                               LETTERS[M.step[k]]]),
             "Today's Date 03/05/2024\n\n"),
        "utf-8", True,
    ),
    "maccor_minutes.txt": (  # a time in minutes, as its dates say, with decimal commas
        "Maccor text",
        text("Rec\tCycle C\tStep\tTestTime\tCap. [Ah]\tCurrent [A]\tVoltage [V]\tMd\tDPT Time",
             floats(lambda k: [k, 1, M.step[k], M.time[k] / 60, of_step(k),
                               float(abs(M.current[k])), M.voltage[k], LETTERS[M.step[k]],
                               date(M.time[k], "%m/%d/%Y %H:%M:%S")]),
             "Name:\tcell\nTester\tMaccor #4\n\n", comma=True),
        "utf-8", True,
    ),
    "novonix.csv": ("Novonix text", novonix(), "utf-8", False),
    "novonix_quoted.csv": (
        "Novonix text", "\n".join(f'"{line}"' if "," in line else line
                                  for line in novonix().splitlines()),
        "utf-8", False,
    ),
    "basytec.txt": (
        "Basytec text",
        text("~Time[s]\tt-Step[s]\tLine\tCommand\tU[V]\tI[A]\tAh-Cyc-Charge\tAh-Cyc-Discharge\t"
             "T1[°C]",
             floats(lambda k: [M.time[k], M.step_time[k], M.step[k],
                               {1: "Charge", 2: "Pause", 3: "Discharge"}[M.step[k]],
                               M.voltage[k], signed(k), M.charged[k], M.discharged[k], 25.0]),
             "~Resultfile from Basytec Battery Test System\n~\n"),
        "latin-1", True,
    ),
    "pec.csv": (
        "PEC text",
        text("Test,Cell,Rack,Shelf,Step,Instruction Name,Total Time (Hours in hh:mm:ss.xxx),"
             "Step Time (Seconds),Voltage (V),Current (A),Charge Capacity (mAh),"
             "Discharge Capacity (mAh)",
             floats(lambda k: [1, 1, "A", 4, M.step[k], LETTERS[M.step[k]], hms(M.time[k]),
                               M.step_time[k], M.voltage[k], signed(k), 1e3 * M.charged[k],
                               1e3 * M.discharged[k]]),
             "TestRegime Name:,x\nTestRegime Suffix:,y\n"),
        "utf-8", True,
    ),
    "digatron.csv": (
        "Digatron text",
        text("Step,Status,Program Duration#s,Voltage#V,Current#A,AhCha#Ah,AhDch#Ah",
             floats(lambda k: [M.step[k], WORDS[M.step[k]], M.time[k], M.voltage[k], signed(k),
                               M.charged[k], M.discharged[k]])),
        "utf-8", True,
    ),
    "units_below.txt": (
        "table as text",
        text("time\tpotential\tcurrent\ns\tV\tmA",
             floats(lambda k: [M.time[k], M.voltage[k], signed(k, -1e3)]), "# my potentiostat\n"),
        "utf-8", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same(name, tmp_path):
    form, content, encoding, has_capacity = FILES[name]
    path = tmp_path / name
    path.write_text(content, encoding=encoding)
    curves = ss.read_curves(path)
    assert curves.attrs["format"] == form
    assert curves[TIME].to_numpy() - curves[TIME].iloc[0] == pytest.approx(M.time, abs=0.01)
    assert curves[CURRENT].to_numpy() == pytest.approx(M.current, abs=1e-11)
    assert curves[VOLTAGE].to_numpy() == pytest.approx(M.voltage, abs=2e-6)
    if has_capacity:
        assert curves[CHARGED].to_numpy() == pytest.approx(M.charged, abs=1e-10)
        assert curves[DISCHARGED].to_numpy() == pytest.approx(M.discharged, abs=1e-10)
    charge, discharge = ss.half_cycles(curves, MASS)
    assert (charge.attrs["direction"], discharge.attrs["direction"]) == ("charge", "discharge")
    assert charge["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(94.4e-6 / MASS, rel=2e-3)
    expected = 94.4e-6 * 4740 / 3600 / MASS
    assert discharge["Capacity [mA.h.g-1]"].iloc[-1] == pytest.approx(expected, rel=2e-3)
    kinds = ss.steps_table(curves)["Kind"]
    assert [kind for kind in kinds if kind != "rest"] == ["charge", "discharge"]


def test_every_text_format_is_tried():
    tried = {form for form, *_ in FILES.values()}
    others = {"Parquet", "spreadsheet", "Neware binary", "Arbin binary", "BioLogic binary"}
    assert tried | others == {form.name for form in FORMATS}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tidy.csv", []),
        ("machine.bdf.csv", []),
        ("land_gbk.csv", ["is without sign: it is given one by words for the steps"]),
        ("neware_steps.csv", ["begins anew 2 time(s)", "is without sign"]),
        ("maccor_minutes.txt", ["it is min by the dates in 'DPT Time'", "is without sign"]),
        ("novonix.csv", ["a new table begins at line 76: its time is put 0.0167 h after"]),
        ("eclab_dates.mpt", ["time is counted from the dates"]),
    ],
)
def test_what_was_made_of_a_file_is_said(name, said, tmp_path):
    _, content, encoding, _ = FILES[name]
    path = tmp_path / name
    path.write_text(content, encoding=encoding)
    problems = ss.read_curves(path).attrs["problems"]
    assert len(problems) == len(said)
    for problem, words in zip(problems, said, strict=True):
        assert words in problem


def test_parquet(tmp_path):
    path = tmp_path / "curve.parquet"
    frame = pd.DataFrame(
        {"Test Time / s": M.time, "Current / A": -M.current, "Voltage / V": M.voltage}
    )
    frame.to_parquet(path)
    assert ss.read_curves(path)[CURRENT].to_numpy() == pytest.approx(M.current)
    # two columns of one name: the first counts, and no row is no error of its own
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table([M.time, M.voltage, -M.current, -M.current],
                     names=["time [s]", "voltage [V]", "current [A]", "current [A]"])  # fmt: skip
    pq.write_table(table, path)
    assert ss.read_curves(path)[CURRENT].to_numpy() == pytest.approx(M.current)
    pq.write_table(table.slice(0, 0), path)
    with pytest.raises(ss.MeasuredDataError, match="at least two rows"):
        ss.read_curves(path)


def write_workbook(path, sheets):
    """A workbook as simple as one can be."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    listed, related = "", ""
    with zipfile.ZipFile(path, "w") as packed:
        for n, (name, rows) in enumerate(sheets.items(), start=1):
            cells = "".join(
                "<row>"
                + "".join(
                    f'<c t="inlineStr"><is><t>{c}</t></is></c>' if isinstance(c, str)
                    else f"<c><v>{c}</v></c>" for c in row
                )
                + "</row>"
                for row in rows
            )  # fmt: skip
            packed.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>",
            )
            listed += f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'
            related += (
                f'<Relationship Id="r{n}" Type="{relations}/worksheet" '
                f'Target="worksheets/sheet{n}.xml"/>'
            )
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        packed.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="r0" '
            f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{relations}"><sheets>{listed}</sheets></workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{related}</Relationships>',
        )


def test_spreadsheet(tmp_path):
    pytest.importorskip("python_calamine")
    names = ["Test_Time(s)", "Step_Index", "Current(A)", "Voltage(V)"]
    rows = M.rows(lambda k: [float(M.time[k]), int(M.step[k]), signed(k), float(M.voltage[k])])
    sheets = {
        "Info": [["Test name", "of a cell"]],
        "Channel_1": [names, *rows[:70]],
        "Channel_2": [names, *rows[70:]],
    }
    path = tmp_path / "arbin.xlsx"
    write_workbook(path, sheets)
    curves = ss.read_curves(path)
    assert curves[CURRENT].to_numpy() == pytest.approx(M.current)
    assert curves.attrs["problems"] == ["sheets Channel_1, Channel_2 are read"]
    write_workbook(path, {"Info": sheets["Info"]})
    with pytest.raises(ss.MeasuredDataError, match=r"no sheet of .'Info'. has columns for time"):
        ss.read_curves(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ss.MeasuredDataError, match="no whole file"):
        ss.read_curves(path)


class Column(list):
    to_list = list.copy


class Frame(dict):
    """What fastnda gives, as far as it is used."""

    @property
    def columns(self):
        return list(self)


def test_neware_binary(tmp_path, monkeypatch):
    frame = Frame(
        voltage_V=Column(M.voltage), current_mA=Column(-1e3 * M.current),
        total_time_s=Column(M.time), step_time_s=Column(M.step_time),
        step_count=Column(M.step), step_index=Column(M.step),
        step_type=Column(WORDS[s] for s in M.step), aux1_voltage_V=Column(M.time),
        capacity_mAh=Column(1e3 * of_step(k) * (1 if M.step[k] == 1 else -1)
                            for k in range(len(M.time))),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "fastnda", SimpleNamespace(read=lambda path: frame))
    (tmp_path / "a.ndax").write_bytes(b"anything")
    curves = ss.read_curves(tmp_path / "a.ndax")
    assert curves[CURRENT].to_numpy() == pytest.approx(M.current)
    assert curves[CHARGED].to_numpy() == pytest.approx(M.charged, abs=1e-10)
    assert curves[DISCHARGED].to_numpy() == pytest.approx(M.discharged, abs=1e-10)
    assert curves.attrs["problems"] == []


def test_arbin_binary(tmp_path, monkeypatch):
    order = np.random.default_rng(0).permutation(len(M.time))  # as a database has them
    table = {
        "Test_ID": [1] * len(order), "Data_Point": list(order), "Test_Time": list(M.time[order]),
        "Step_Index": list(M.step[order]), "Cycle_Index": [1] * len(order),
        "Current": list(-M.current[order]), "Voltage": list(M.voltage[order]),
    }  # fmt: skip
    parser = SimpleNamespace(parse_table=lambda name: table)
    module = SimpleNamespace(AccessParser=lambda path: parser)
    monkeypatch.setitem(sys.modules, "access_parser", module)
    (tmp_path / "a.res").write_bytes(b"anything")
    curves = ss.read_curves(tmp_path / "a.res")
    assert curves[CURRENT].to_numpy() == pytest.approx(M.current)
    assert curves[TIME].to_numpy() == pytest.approx(M.time)
    table["Test_ID"][3] = 2
    with pytest.raises(ss.MeasuredDataError, match=r"holds the tests \[1, 2\]: one file"):
        ss.read_curves(tmp_path / "a.res")


@pytest.mark.parametrize(
    ("name", "module", "library"),
    [("a.nda", "fastnda", "fastnda"), ("a.res", "access_parser", "access-parser"),
     ("a.xlsx", "python_calamine", "python-calamine")],
)  # fmt: skip
def test_a_missing_library_is_named(name, module, library, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ss.MeasuredDataError, match=rf"needs {library}: pip install 'ssnib_model"):
        ss.read_curves(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nda", "a.ndax", "a.res", "a.xlsx", "a.xls"])
@pytest.mark.parametrize("content", [b"", b"NEWARE" + bytes(3000), b"PK\x03\x04" + bytes(200)])
def test_a_broken_binary_file_is_one_sentence(name, content, tmp_path):
    pytest.importorskip("fastnda")
    pytest.importorskip("access_parser")
    pytest.importorskip("python_calamine")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ss.MeasuredDataError) as error:
        ss.read_curves(tmp_path / name)
    assert "\n" not in str(error.value)
    assert str(tmp_path / name) in str(error.value)


def test_mpr_says_what_to_do(tmp_path):
    path = tmp_path / "a.mpr"
    path.write_bytes(b"BIO-LOGIC MODULAR FILE\x1a" + bytes(100))
    with pytest.raises(ss.MeasuredDataError, match="export it as text"):
        ss.read_curves(path)


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
        ("\x00\x01\x02\n\x03\n\x04\n", "is a binary file of no kind"),
        ("PK\x03\x04 something\n", "is packed: unpack it first"),
        ("time/s\tEwe/V\tI/mA\n00:00:01\t3\t1\nx\t3\t1\n", "line 3, column 'time/s' is 'x'"),
        ("freq/Hz\ttime/s\tEwe/V\tI/mA\n10\t1\t3\t1\n1\t2\t3\t1\n", "read_spectrum"),
        ("[Summary]\nNovonix\n", "no line is '\\[Data\\]'"),
        ("time/s,Ewe/V,I/mA\n1,3,1,9\n2,3,1\n", "more cells than there are names"),
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


def test_open_circuit_of_eclab(tmp_path):
    path = tmp_path / "ocv.mpt"
    head = "EC-Lab ASCII FILE\nNb header lines : 5\n\nOpen Circuit Voltage\n"
    path.write_text(head + "mode\terror\ttime/s\tEwe/V\n3\t0\t0\t3.1\n3\t0\t60\t3.2\n")
    curves = ss.read_curves(path)
    assert curves[CURRENT].tolist() == [0, 0]
    assert curves[VOLTAGE].tolist() == [3.1, 3.2]
    assert curves.attrs["problems"] == [
        "technique Open Circuit Voltage: its current is none",
        "no current flows on any row",
    ]


def test_a_mean_current_is_integrated_as_one(tmp_path):
    path = tmp_path / "mean.mpt"
    rows = ["0\t3\t0", "3600\t3.1\t1", "7200\t3.2\t3"]
    for name, expected in (("<I>/mA", 4.0), ("I/mA", 3.0)):
        path.write_text("\n".join([f"time/s\tEwe/V\t{name}", *rows]))
        assert -1e3 * increments(ss.read_curves(path)).sum() == pytest.approx(expected)


def test_columns_and_units_by_choice(tmp_path):
    path = tmp_path / "three.txt"
    rows = [f"{t:g}\t{v:.6f}\t{0.1:g}\t{v - 0.1:.6f}\t{-1e3 * i:.6f}"
            for t, v, i in zip(M.time, M.voltage, M.current, strict=True)]  # fmt: skip
    path.write_text("\n".join(["time/s\tEwe/V\tEce/V\tEwe-Ece/V\tI/mA", *rows]))
    curves = ss.read_curves(path)
    assert curves[VOLTAGE].to_numpy() == pytest.approx(M.voltage - 0.1, abs=1e-6)
    assert "three electrodes: the voltage is 'Ewe-Ece/V'" in curves.attrs["problems"][0]
    own = ss.read_curves(path, columns={VOLTAGE: "Ewe/V"}, units={TIME: 2.0})
    assert own[VOLTAGE].to_numpy() == pytest.approx(M.voltage, abs=1e-6)
    assert own[TIME].to_numpy() == pytest.approx(2 * M.time)
    with pytest.raises(ss.MeasuredDataError, match="there is no column 'E'"):
        ss.read_curves(path, columns={VOLTAGE: "E"})
    with pytest.raises(ss.MeasuredDataError, match=r"'Power' .* is none of"):
        ss.read_curves(path, units={"Power": "W"})


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
