"""Steps of a test for one cell: C-rates, percent and cut-offs become SI."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.protocol.instruction import Instruction, Limit
from ssnib_model.steps import Control, End, Measure, Profile, Step

ONE_C = "Nominal cell capacity [A.h]"
LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
#: Points of the curve of a step with a period.
MAX_SAMPLES = 1_000_000
MASS = "Positive electrode active material mass [kg]"

_CONTROLS = {
    "A": Control.CURRENT,
    "C": Control.CURRENT,
    "V": Control.VOLTAGE,
    "W": Control.POWER,
    "Ohm": Control.RESISTANCE,
}


def sodium(parameters: Mapping[str, float]) -> float:
    """All the sodium of the active material, as a charge [C]."""
    return (
        parameters["Maximum concentration in positive electrode [mol.m-3]"]
        * parameters["Positive electrode active material volume fraction"]
        * parameters["Positive electrode thickness [m]"]
        * parameters["Electrode area [m2]"]
        * pybamm.constants.F.value
    )


def resolve(instruction: Instruction, parameters: Mapping[str, float]) -> Step:
    """A step in SI units for a cell, with its cut-offs.

    Parameters
    ----------
    instruction : Instruction
        The step.
    parameters : mapping
        Values of the cell by name.

    Raises
    ------
    OptionError
        If this cell cannot do it.
    """
    lower, upper = parameters[LOWER], parameters[UPPER]
    factor = parameters[ONE_C] if instruction.unit == "C" else 1.0
    value: float | Profile
    if isinstance(instruction.value, Profile):
        amperes = tuple(factor * rate for rate in instruction.value.values)
        value = Profile(instruction.value.times, amperes)
    elif isinstance(instruction.value, str):
        value = upper if instruction.value.startswith("upper") else lower
    else:
        value = factor * instruction.value
    if instruction.direction == "hold" and not lower <= value <= upper:  # type: ignore[operator]
        raise OptionError(
            f"it holds {value:g} V, beyond the cut-offs of the cell, {lower:g} and {upper:g} V"
        )
    ends = [_end(limit, instruction.direction, parameters) for limit in instruction.ends]
    ends += _safety(instruction.direction, ends, lower, upper)
    duration, open_ended = instruction.duration, instruction.duration is None
    if duration is None:
        duration = _longest(instruction, value, ends, parameters)
    if instruction.period is not None and duration / instruction.period > MAX_SAMPLES:
        raise OptionError(
            f"its period of {instruction.period:g} s is too short for the {duration:g} s that it "
            f"may last: its curve would have more than {MAX_SAMPLES} points"
        )
    control, temperature = _CONTROLS[instruction.unit], instruction.temperature
    return Step(control, value, duration, tuple(ends), open_ended, temperature)


def _end(limit: Limit, direction: str, parameters: Mapping[str, float]) -> End:
    one_c, rising = parameters[ONE_C], limit.operator == ">"
    value, unit = limit.value, limit.unit
    if unit == "cut-off":
        charges = direction == "charge"
        cut_off = parameters[UPPER if charges else LOWER]
        return End(Measure.VOLTAGE, cut_off, charges, cut_off=True)
    if unit == "V":
        return End(Measure.VOLTAGE, value, rising if limit.operator else direction == "charge")
    if unit in ("A", "C"):
        measure = Measure.CURRENT if limit.operator else Measure.CURRENT_SIZE
        return End(measure, value * (one_c if unit == "C" else 1.0), rising)
    factors = {"capacity": one_c / 100, "A.h.kg-1": parameters[MASS], "A.h": 1.0}
    return End(Measure.CAPACITY, value * factors[unit], rising=True)


def _safety(direction: str, ends: list[End], lower: float, upper: float) -> Iterator[End]:
    """The cut-offs that the step does not reach after an end of its own."""
    for value, rising, of in ((lower, False, "discharge"), (upper, True, "charge")):
        before = any(
            e.measure is Measure.VOLTAGE
            and e.rising == rising
            and (e.value <= value if rising else e.value >= value)
            for e in ends
        )
        if direction in (of, "profile") and not before:
            yield End(Measure.VOLTAGE, value, rising, cut_off=True)


def _longest(
    instruction: Instruction,
    value: float | Profile,
    ends: list[End],
    parameters: Mapping[str, float],
) -> float:
    """Time [s] in which more than all the sodium would pass, at the least current of the step."""
    lower, upper = parameters[LOWER], parameters[UPPER]
    volts = [e.value for e in ends if e.measure is Measure.VOLTAGE]
    amperes = math.nan
    if isinstance(value, Profile):  # has a duration always
        raise OptionError("a profile without a duration")
    if instruction.unit in ("A", "C"):
        amperes = abs(value)
    elif instruction.unit == "W":
        amperes = abs(value) / max(upper, *volts, 0.1)
    elif instruction.unit == "Ohm":
        amperes = min(lower, *volts) / abs(value)
    else:  # a hold goes on at the largest of the currents that may end it, or more
        amperes = max(abs(e.value) for e in ends if e.measure is not Measure.CAPACITY)
    if not amperes > 0:
        raise OptionError(
            "it may never come to an end, as the voltage may be zero: say for how long at most"
        )
    return 1.05 * sodium(parameters) / amperes
