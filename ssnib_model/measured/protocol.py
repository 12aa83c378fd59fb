"""A measurement as a protocol: what was done to the cell, for the model to do as well."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE
from ssnib_model.measured.ends import EndedBy, MeasuredEnd, held, measured_ends
from ssnib_model.measured.reading import read_curves
from ssnib_model.measured.start import starting_state
from ssnib_model.measured.steps import MeasuredStep, measured_steps
from ssnib_model.measured.trace import Columns
from ssnib_model.protocol.instruction import TEMPERATURES, Instruction, Limit
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.protocol.resolve import LOWER, MASS, UPPER, sodium
from ssnib_model.steps import Profile
from ssnib_model.words import short

AREA = "Electrode area [m2]"

KINDS = ("charge", "discharge", "rest", "hold", "profile")

#: The model's voltage may leave that of the measurement by so much [V] before a step whose
#: current was imposed ends in the model.
MARGIN = 0.5

#: A charge passed one way [-] of what the cathode holds that no cell of this size takes, and
#: below which it is doubtful that it is one of this size.
TOO_MUCH, LITTLE = 1.05, 0.15

#: 0 degC [K].
ZERO = 273.15

#: Digits of what becomes a step.
DIGITS = 6


@dataclass(frozen=True)
class Done:
    """A step of a measurement, and the same for the model.

    Attributes
    ----------
    number : int
        Its place in the measurement, from 1.
    step : MeasuredStep
        As measured.
    end : MeasuredEnd
        What ended it.
    instruction : Instruction
        For the model.
    is_compared : bool
        Whether it is among those that were asked for.
    """

    number: int
    step: MeasuredStep
    end: MeasuredEnd
    instruction: Instruction
    is_compared: bool


class MeasuredProtocol:
    """What was done to a cell, step by step, as its measurement tells it.

    Each step becomes one of a `Protocol`: constant current, held voltage, rest, or a profile of
    the current, at the measured temperature if there is one, ended by what ended it.

    Parameters
    ----------
    curves : pandas.DataFrame, str or Path
        A measurement as from `read_curves`, or its file.
    parameters : ParameterSet
        The cell that is to do the same.
    name : str, optional
        What it is called; default: the name of the file without its ending, or "measurement".
    start : float or str, optional
        The state at the first row: a state of charge between 0 and 1, "as made", "charged" or
        "discharged" (in equilibrium at the highest or lowest voltage of the file), or an
        open-circuit voltage such as "3.4 V". Default: that of a rest at the start, by its
        open-circuit voltage, or as made if the file begins with a charge; refused if neither
        says it.
    cycles : str or iterable of int, optional
        Cycles that are compared, "2,5-7" for example; default: all. Those before are run as well.
    only : str or iterable of str, optional
        Kinds of steps that are compared: "charge", "discharge", "rest", "hold", "profile";
        default: all.
    mass, area : float, optional
        Mass of active material [kg], or area of the electrode [m2], of the cell that was
        measured, one of them: its currents are scaled to the cell of ``parameters``. Default: the
        measured cell is of the same size.
    temperature : float, optional
        [K]; default: as measured, and where it was not, that of the parameters.

    Attributes
    ----------
    done : list of Done
        The steps, up to the last one that is compared.
    protocol : Protocol
        The same for the model, with the state of charge at the start.
    start : str
        How the state at the start is known.
    scale : float
        What the measured currents are multiplied by.
    findings : list of str
        What there is to say about how the steps were found.

    Raises
    ------
    MeasuredDataError
        If nothing says what was done or from which state, or it cannot be this cell.
    OptionError
        For a setting that is not allowed.

    Notes
    -----
    Where the file has step and cycle columns, a step is never longer than they say, and what
    current and voltage do divides it further: a step number of some cyclers holds a charge, its
    hold and a rest. An interval between two rows belongs to the step of its second row.
    """

    def __init__(
        self,
        curves: pd.DataFrame | str | Path,
        parameters: ParameterSet,
        *,
        name: str | None = None,
        start: float | str | None = None,
        cycles: str | Iterable[int] | None = None,
        only: str | Iterable[str] | None = None,
        mass: float | None = None,
        area: float | None = None,
        temperature: float | None = None,
    ):
        where = ""
        if isinstance(curves, str | Path):
            name = Path(curves).stem if name is None else name
            where, curves = f"{curves}: ", read_curves(curves)
        if not isinstance(curves, pd.DataFrame):
            raise OptionError(
                f"curves is a {type(curves).__name__}: a table as from read_curves is needed, or "
                "the path of a file"
            )
        if not isinstance(parameters, ParameterSet):
            raise OptionError(
                f"parameters is a {type(parameters).__name__}: a ParameterSet is needed"
            )
        self.name = "measurement" if name is None else name
        where = where or f"{self.name}: "
        self.parameters = parameters
        self.scale, self.size = _scale(parameters, mass, area)
        try:
            self._columns = Columns(curves)
            steps, findings = measured_steps(curves)
            self._check_size(steps)
            self.window = float(self._columns.v.min()), float(self._columns.v.max())
            state, self.start = starting_state(start, steps, self.window, parameters)
        except MeasuredDataError as error:
            raise MeasuredDataError(f"{where}{error}") from error
        self.findings = [*curves.attrs.get("problems", []), *findings, *self._doubts(steps)]
        self.cut_offs = parameters[LOWER], parameters[UPPER]
        ends = measured_ends(self._columns, steps, self.cut_offs)
        chosen = _chosen(steps, cycles, only)
        last = max(i for i, is_chosen in enumerate(chosen) if is_chosen)
        temperatures = _temperatures(steps, temperature)
        self.done: list[Done] = []
        for i, (step, end) in enumerate(zip(steps[: last + 1], ends, strict=False)):
            try:
                instruction = self._instruction(step, end, temperatures[i])
            except OptionError as error:
                raise MeasuredDataError(f"{where}step {i + 1}, a {step.kind}: {error}") from error
            self.done.append(Done(i + 1, step, end, instruction, chosen[i]))
        groups = itertools.groupby(self.done, key=lambda d: d.step.cycle)
        self.protocol = Protocol(
            [tuple(d.instruction for d in group) for _, group in groups],
            initial_state_of_charge=min(max(state, 1e-6), 1 - 1e-6),
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {len(self.done)} steps>"

    @property
    def table(self) -> pd.DataFrame:
        """One row a step: "Step", "Cycle", "Text", "Duration [s]", "Charge passed [A.h]" and
        "End voltage [V]" as measured, "Ended by", "Compared"."""
        rows = [
            (
                d.number, d.step.cycle, d.instruction.label, d.step.duration, d.step.charge,
                d.step.voltage, str(d.end.by), d.is_compared,
            )
            for d in self.done
        ]  # fmt: skip
        names = (
            "Step", "Cycle", "Text", "Duration [s]", "Charge passed [A.h]", "End voltage [V]",
            "Ended by", "Compared",
        )  # fmt: skip
        return pd.DataFrame(rows, columns=list(names))

    @property
    def limits(self) -> dict[str, float]:
        """Cut-offs of the cell that leave room for what was measured: a step whose current was
        imposed is not ended by those of the set."""
        lower, upper = self.cut_offs
        return {
            LOWER: max(min(lower, self.window[0]) - MARGIN, -1.0),
            UPPER: min(max(upper, self.window[1]) + MARGIN, 6.0),
        }

    def rows(self, done: Done) -> pd.DataFrame:
        """What was measured in a step: "Time [s]" from its start, "Current [A]" of the cell of the
        set, "Voltage [V]"."""
        c, rows = self._columns, done.step.rows
        return pd.DataFrame(
            {
                TIME: c.t[rows] - done.step.start,
                CURRENT: self.scale * c.i[rows],
                VOLTAGE: c.v[rows],
            }
        )

    def state_of_charge(self, step: int) -> float:
        """The state of charge after a step, by the charge that passed up to there.

        Parameters
        ----------
        step : int
            Its number; 0 for the start.

        Raises
        ------
        OptionError
            If there is no such step.
        """
        if not 0 <= step <= len(self.done):
            raise OptionError(f"step is {step!r}: {self.name} has the steps 1 to {len(self.done)}")
        start = self.protocol.initial_state_of_charge
        assert start is not None
        passed = self.scale * sum(d.step.charge for d in self.done[:step])
        return start - 3600 * passed / sodium(self.parameters)

    # ---------------------------------------------------------------- of this cell
    def _check_size(self, steps: Sequence[MeasuredStep]) -> None:
        most, holds = self._most(steps), sodium(self.parameters) / 3600
        if most > TOO_MUCH * holds:
            raise MeasuredDataError(
                f"{1e3 * most:.4g} mA.h pass in one direction ({self.size}), and the cathode of "
                f"{self.parameters.name} holds {1e3 * holds:.4g} mA.h: if the measured cell is of "
                "another size, say its mass of active material or its area (mass, area)"
            )

    def _doubts(self, steps: Sequence[MeasuredStep]) -> list[str]:
        most, holds = self._most(steps), sodium(self.parameters) / 3600
        if most >= LITTLE * holds:
            return []
        return [
            f"{1e3 * most:.3g} mA.h at most pass in one direction ({self.size}), and the cathode "
            f"of {self.parameters.name} holds {1e3 * holds:.3g} mA.h: if the measured cell is of "
            "another size, say its mass of active material or its area (mass, area)"
        ]

    def _most(self, steps: Sequence[MeasuredStep]) -> float:
        """Largest charge that passes in one direction [A.h]."""
        moving = [step for step in steps if step.charge]
        groups = itertools.groupby(moving, key=lambda step: step.charge > 0)
        return self.scale * max(
            (abs(sum(step.charge for step in group)) for _, group in groups), default=0.0
        )

    def _instruction(
        self, step: MeasuredStep, end: MeasuredEnd, temperature: float | None
    ) -> Instruction:
        by = end.by
        duration = _rounded(step.duration) if by is EndedBy.TIME else None
        value: float | Profile
        unit, ends = "A", tuple[Limit, ...]()
        if step.kind == "rest":
            value = 0.0
        elif step.kind == "hold":
            value, unit = held(self._columns, step.voltage, self.cut_offs), "V"
        elif step.kind == "profile":
            value = self._profile(step)
            duration = value.times[-1]
        else:
            value = _rounded(self.scale * step.current)
        if by is EndedBy.VOLTAGE:
            ends = (Limit(end.value, "V"),)
        elif by is not EndedBy.TIME:
            kind = "A" if by is EndedBy.CURRENT else "A.h"
            ends = (Limit(_rounded(self.scale * end.value), kind),)
        return Instruction(value, unit, duration, ends, temperature)

    def _profile(self, step: MeasuredStep) -> Profile:
        c = self._columns
        t, current = c.t[step.rows] - step.start, self.scale * c.i[step.rows]
        # of rows of one time the last one counts
        keep = np.append(np.diff(t) > 0, True)
        t, current = t[keep], current[keep]
        if t[0] > 0:
            t, current = np.append(0.0, t), np.append(current[0], current)
        # what lies on the line between its neighbours says nothing
        slope = np.diff(current) / np.diff(t)
        bends = np.abs(np.diff(slope)) > 1e-9 * np.abs(slope).max(initial=0.0)
        keep = np.concatenate([[True], bends, [True]])
        return Profile(tuple(map(float, t[keep])), tuple(map(float, current[keep])))


def _scale(parameters: ParameterSet, mass: float | None, area: float | None) -> tuple[float, str]:
    """What currents are multiplied by, and why."""
    if mass is not None and area is not None:
        raise OptionError("mass and area are given: currents are scaled by one of them")
    for name, own, value, unit in (("mass", MASS, mass, "kg"), ("area", AREA, area, "m2")):
        if value is None:
            continue
        if not (is_number(value) and 0 < value < math.inf):
            raise OptionError(f"{name} is {short(value)}: a number above 0 is needed [{unit}]")
        scale = parameters[own] / value
        return scale, f"currents times {scale:.4g}, by the {name} of {value:.4g} {unit}"
    return 1.0, f"the measured cell is taken to be of the size of {parameters.name}"


def is_number(value: Any) -> bool:
    """Whether this is a number, and not a truth value."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _temperatures(steps: Sequence[MeasuredStep], temperature: float | None) -> list[float | None]:
    """Of each step [K], to 0.1 degC; of a step without one, that of the step before."""
    low, high = TEMPERATURES
    if temperature is not None:
        if not (is_number(temperature) and low <= temperature <= high):
            raise OptionError(
                f"temperature is {short(temperature)}: it must be from {low:g} to {high:g} K"
            )
        return [float(temperature)] * len(steps)
    measured = [step.temperature for step in steps]
    there = [t for t in measured if t is not None]
    if not there:
        return [None] * len(steps)
    bad = next((t for t in there if not low <= t <= high), None)
    if bad is not None:
        raise MeasuredDataError(
            f"a measured temperature is {bad:.5g} K: it must be from {low:g} to {high:g} K"
        )
    found, last = [], there[0]
    for t in measured:
        last = last if t is None else t
        found.append(round(last - ZERO, 1) + ZERO)
    return list(found)


# ---------------------------------------------------------------- what is compared
def numbers_of(text: str) -> list[int]:
    """Whole numbers of a text such as "2,5-7".

    Raises
    ------
    OptionError
        If it is none of this kind.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (p.strip() for p in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(p.isdecimal() and len(p) < 8 for p in ends) or int(ends[0]) > int(ends[1]):
            raise OptionError(f"cycles are {short(text)}: whole numbers are needed, such as 2,5-7")
        found += range(int(ends[0]), int(ends[1]) + 1)
    return found


def _chosen(
    steps: Sequence[MeasuredStep],
    cycles: str | Iterable[int] | None,
    only: str | Iterable[str] | None,
) -> list[bool]:
    """Which steps are compared."""
    if not (only is None or isinstance(only, str | Iterable)):
        raise OptionError(f"only is {short(only)}: it must be of {', '.join(KINDS)}")
    kinds = KINDS if only is None else (only,) if isinstance(only, str) else tuple(only)
    for kind in kinds:
        if kind not in KINDS:
            raise OptionError(f"only is {short(kind)}: it must be of {', '.join(KINDS)}")
    there = sorted({step.cycle for step in steps})
    if cycles is None:
        wanted = set(there)
    else:
        if not isinstance(cycles, str | Iterable):
            raise OptionError(f'cycles are {short(cycles)}: a list or a text such as "2,5-7"')
        wanted = set(numbers_of(cycles) if isinstance(cycles, str) else cycles)
        if missing := sorted(wanted - set(there)):
            raise OptionError(
                f"cycle {missing[0]} is asked for: the measurement has the cycles {there[0]} to "
                f"{there[-1]}"
            )
    chosen = [step.cycle in wanted and step.kind in kinds and step.last >= step.first
              for step in steps]  # fmt: skip
    if not any(chosen):
        has = sorted({step.kind for step in steps if step.cycle in wanted})
        raise OptionError(f"nothing is left to compare: the steps of these cycles are {has}")
    return chosen
