"""From the columns of any cycler to quantities in SI: what they are called, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured import times
from ssnib_model.measured.text import Source, decimal_of, known_unit, numbers, split_name
from ssnib_model.tables import listed
from ssnib_model.units import convert

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
STEP, CYCLE, TEMPERATURE = "Step", "Cycle", "Temperature [K]"
CHARGED, DISCHARGED = "Charge capacity [A.h]", "Discharge capacity [A.h]"
#: Only while reading: time since the start of the step, a date, words for what a step does, one
#: capacity for both directions.
STEP_TIME, DATE, STATE, CAPACITY = "Step time [s]", "Date", "State", "Capacity [A.h]"

#: What columns are called, best first: small letters and digits of the name without its unit.
NAMES: dict[str, str] = {
    TIME: (
        "testtime totaltime tottime cumulativetime elapsedtime runtime runningtime timeelapsed"
        " programtime programduration 测试时间 总时间 累计时间 相对时间 test t time 时间 zeit"
    ),
    STEP_TIME: "steptime tstep timestep steptimes stepduration step 工步时间 过程时间",
    DATE: (
        "datetime dateandtime absolutetime realtime dpttime dpt systemtime systime timestamp date"
        " unixtime abstime datestamp testdatetime 绝对时间 系统时间 实时时间 日期"
    ),
    VOLTAGE: (
        "eweece <eweece> ecell <ecell> cellvoltage cellpotential voltage volts volt potential u"
        " v e ewe <ewe> vf 电压 spannung"
    ),
    CURRENT: "i <i> current amps amp cur currents im 电流 strom",
    STEP: (
        "stepcount stepindex stepno stepnumber stepid ns step line 工步序号 工步号 工步 过程序号"
    ),
    CYCLE: (
        "cycleindex cyclec cyclenumber cycleno cycleid cycle cyc cyccount cyclecount cyclep"
        " 循环序号 循环号 循环"
    ),
    STATE: (
        "state md status stepstate stepstatus workstate steptype stepname instructionname command"
        " mode workmode stepmode steptypename 工步类型 工步名称 工作模式 过程名称 状态"
    ),
    TEMPERATURE: (
        "temperature temp celltemperature surfacetemperature surfacetemp auxtemperature1"
        " temperature1 temperaturet1 temp1 auxtemperature t1 auxtemp ambienttemperature"
        " environmenttemperature chambertemperature evtemp tempa tempc 温度"
    ),
    CHARGED: (
        "chargecapacity chargingcapacity qcharge capacitancechg capchg chgcap chgcapacity"
        " chargecap capcha ahcyccharge ahcyccharge0 ahcha qcha qchg chargedcapacity 充电容量"
    ),
    DISCHARGED: (
        "dischargecapacity dischargingcapacity qdischarge capacitancedchg capdchg dchgcap"
        " dchgcapacity dischargecap capdis ahcycdischarge ahcycdischarge0 ahdch qdis qdchg"
        " dischargedcapacity 放电容量"
    ),
    CAPACITY: "qqo capacity amphr cap ampheures ah ahstep capacityah mamphr 容量",
}
#: Units that a name says without a bracket.
_SAID = {
    "amps": "A", "amp": "A", "volts": "V", "volt": "V", "amphr": "A.h", "mamps": "mA",
    "mamphr": "mA.h", "ah": "A.h", "ahstep": "A.h", "ahcyccharge": "A.h",
    "ahcycdischarge": "A.h", "ahcyccharge0": "A.h", "ahcycdischarge0": "A.h", "tempc": "degC",
}  # fmt: skip
#: Unit of each quantity, and of a column that says none.
_TARGET = {
    TIME: "s", STEP_TIME: "s", VOLTAGE: "V", CURRENT: "A", TEMPERATURE: "K",
    CHARGED: "A.h", DISCHARGED: "A.h", CAPACITY: "A.h",
}  # fmt: skip
_ASSUMED = {**_TARGET, TEMPERATURE: "degC"}
#: What makes a row part of a spectrum.
_FREQUENCY = ("freq", "frequency", "f")
#: Words that are added to a name and say nothing.
_NOISE = re.compile(r"[\s_.#\-:~]|\uff08.*?\uff09")


def plain(name: str) -> str:
    """A name without its unit, as `NAMES` has it."""
    bare, _ = split_name(name)
    bare = bare.lower().replace("(q-qo)", "qqo")
    for milli in ("mamps", "mamphr", "mvolts"):
        if _NOISE.sub("", bare) == milli:
            return milli
    return _NOISE.sub("", bare)


@dataclass(frozen=True)
class Column:
    """A column that holds a quantity: its name in the file, and its unit there."""

    name: str
    unit: str
    #: whether the file says the unit
    said: bool = True


@dataclass
class Table:
    """A table as it stands in a file, and what was noticed on the way."""

    raw: pd.DataFrame
    decimal: str = "."
    remarks: list[str] = field(default_factory=list)
    #: words for what each row does, where they stand above the rows
    states: pd.Series | None = None
    #: first row of each table of a file that has several
    blocks: tuple[int, ...] = (0,)
    #: units that a format has without saying so: quantity -> unit
    units: Mapping[str, str] = field(default_factory=dict)


def find_columns(
    names: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, list[Column]]:
    """All columns that hold a quantity, best first.

    Parameters
    ----------
    names : iterable of str
        The names in the file.
    given : mapping of str to str
        Names of a format for some quantities, before those of `NAMES`.
    """
    by_plain: dict[str, list[str]] = {}
    for name in names:
        key = plain(name)
        if key in ("mamps", "mamphr"):
            key = key[1:]
        by_plain.setdefault(key, []).append(str(name))
    found: dict[str, list[Column]] = {}
    for quantity, wanted in NAMES.items():
        wanted = f"{(given or {}).get(quantity, '')} {wanted}"
        columns = []
        for name in [n for w in wanted.split() for n in by_plain.get(w, [])]:
            column = _column(name, quantity)
            if column is not None and column not in columns:
                columns.append(column)
        if columns:
            found[quantity] = columns
    return found


def _column(name: str, quantity: str) -> Column | None:
    """The column as one of a quantity, or None where its unit says that it is none."""
    _, written = split_name(name)
    target = _TARGET.get(quantity)
    if target is None:
        # "Step (s)" is a time; "Step Name" is not
        return None if quantity in (STEP, CYCLE) and written else Column(name, "")
    said = written or _SAID.get(plain(name), "")
    if not said:
        # "Step" alone is a number
        bare_step = quantity == STEP_TIME and plain(name) == "step"
        return None if bare_step else Column(name, _ASSUMED[quantity], said=False)
    unit = known_unit(said, target)
    if unit != "h:m:s":
        try:
            convert(1.0, unit, target)
        except ValueError:
            # a unit of another kind is another quantity
            return None
    return Column(name, unit)


def is_frequency(name: str) -> bool:
    """Whether a column is that of a spectrum's frequencies."""
    return plain(name) in _FREQUENCY and split_name(name)[1].lower() in ("hz", "hertz", "")


def frequencies(source: Source, table: Table) -> np.ndarray | None:
    """Frequency of each row [Hz], 0 where a cell is empty; None if there is no such column."""
    for name in table.raw.columns:
        if is_frequency(name):
            values = pd.to_numeric(
                table.raw[name].astype(str).str.replace(",", "."), errors="coerce"
            )
            return values.fillna(0.0).to_numpy(float)
    return None


def is_header(cells: Iterable[str]) -> bool:
    """Whether cells are the names of a table with time, current and voltage."""
    found = find_columns(cells)
    return VOLTAGE in found and CURRENT in found and bool({TIME, STEP_TIME, DATE} & set(found))


def missing(source: Source, names: Iterable[str], quantity: str) -> MeasuredDataError:
    """The error about a quantity that no column holds."""
    names = list(names)
    for name in names:
        _, unit = split_name(name)
        if plain(name) in NAMES[quantity].split() and unit:
            try:
                convert(1.0, known_unit(unit, _TARGET[quantity]), _TARGET[quantity])
            except ValueError as error:
                return source.error(f"column '{name}': {error}")
    return source.error(
        f"no column for {quantity.split(' [')[0].lower()} with its unit, such as '{quantity}'; "
        f"the columns are {listed(names)}"
    )


class Reader:
    """Values of the columns of one table, in SI."""

    def __init__(self, source: Source, table: Table, columns: Mapping[str, list[Column]]):
        self.source, self.table, self.columns = source, table, columns
        self.remarks: list[str] = list(table.remarks)

    def first(self, quantity: str) -> Column:
        """The best column of a quantity.

        Raises
        ------
        MeasuredDataError
            If there is none.
        """
        if quantity not in self.columns:
            raise missing(self.source, self.table.raw.columns, quantity)
        for column in self.columns[quantity]:
            raw = self.table.raw[column.name]
            some = raw.notna() if pd.api.types.is_numeric_dtype(raw) else raw.astype(str) != ""
            if some.any():
                return column
        return self.columns[quantity][0]

    def values(self, column: Column, quantity: str) -> np.ndarray:
        """Numbers in the unit of the quantity; NaN where a cell is empty."""
        raw = self.table.raw[column.name]
        target = _TARGET[quantity]
        if quantity in (TIME, STEP_TIME) and times.looks_like(raw) == "duration":
            return times.durations(self.source, raw)
        values = numbers(self.source, raw, self.table.decimal)
        unit = "h" if column.unit == "h:m:s" else column.unit
        if not column.said:
            unit = self.table.units.get(quantity, unit)
        try:
            if re.fullmatch(r"[\d.]+(?:[eE][+-]?\d+)?", unit):
                return values * float(unit)
            if target == "K":  # an offset, too
                zero, one = convert(0.0, unit, target), convert(1.0, unit, target)
                return zero + values * (one - zero)
            return values * convert(1.0, unit, target)
        except ValueError as error:
            raise self.source.error(f"column '{column.name}': {error}") from error

    def needed(self, quantity: str) -> np.ndarray:
        """Values of a quantity that must have one on each line.

        Raises
        ------
        MeasuredDataError
            If there is no such column, or a cell is empty.
        """
        column = self.first(quantity)
        if not column.said and quantity not in self.table.units:
            self.remarks.append(
                f"column '{column.name}' says no unit: it is taken as {column.unit}"
            )
        values = self.values(column, quantity)
        empty = np.flatnonzero(np.isnan(values))
        if empty.size:
            raise self.source.error(
                f"column '{column.name}' is empty: a finite number was expected",
                int(self.table.raw.index[empty[0]]),
            )
        return values

    def optional(self, quantity: str) -> np.ndarray | None:
        """Values of a quantity that need not be there; a column without any is passed over."""
        for column in self.columns.get(quantity, []):
            try:
                values = self.values(column, quantity)
            except MeasuredDataError as error:
                self.remarks.append(f"column '{column.name}' is not used: {error}")
                continue
            if np.isfinite(values).any():
                return values
        return None

    def labels(self, quantity: str) -> np.ndarray | None:
        """Numbers of steps or cycles, as whole numbers where they are."""
        for column in self.columns.get(quantity, []):
            values = pd.to_numeric(self.table.raw[column.name], errors="coerce").to_numpy(float)
            whole = np.isfinite(values).all() and (values == np.round(values)).all()
            if whole and np.abs(values).max(initial=0) < 2**53:
                return values.astype(np.int64)
            if np.isfinite(values).any():
                self.remarks.append(
                    f"column '{column.name}' is not used: it holds no whole numbers"
                )
        return None


def decimal_mark(source: Source, raw: pd.DataFrame, separator: str) -> str:
    """As `decimal_of`, of the columns that are looked at only."""
    columns = find_columns(raw.columns)
    measured = (TIME, STEP_TIME, VOLTAGE, CURRENT, CHARGED, DISCHARGED, CAPACITY)
    names = [c.name for q in measured for c in columns.get(q, [])[:1]]
    return decimal_of(source, raw[list(dict.fromkeys(names))], separator)
