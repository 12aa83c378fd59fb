"""Named answers that a measurement may sharpen, as data of a fit with one value."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.fits.data import MASS, Data, Prepared, cycles_at, of_half_cycles, of_steps
from ssnib_model.models.losses import breakdown_names
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.quantity import unit_of
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.results.step import StepResult
from ssnib_model.solvers.choice import Solver
from ssnib_model.words import short, suggestion

#: Time after the start of a pulse [s] at which its resistance is read, and its C-rate.
AFTER, PULSE_RATE = 10.0, 1.0

#: From charge, discharge and active mass [kg] to a value.
Reader = Callable[[HalfCycle, HalfCycle, float], float]

#: Results of a rate test that can be asked for, with their units.
QUANTITIES: dict[str, Reader] = {
    "discharge capacity [mA.h.g-1]": lambda up, down, mass: down.capacity / mass,
    "charge capacity [mA.h.g-1]": lambda up, down, mass: up.capacity / mass,
    "discharge energy [W.h.kg-1]": lambda up, down, mass: down.energy / mass,
    "polarization [V]": lambda up, down, mass: float(
        up.at("Voltage [V]", 0.5) - down.at("Voltage [V]", 0.5)
    ),
    "mean charge voltage [V]": lambda up, down, mass: up.mean_voltage,
    "mean discharge voltage [V]": lambda up, down, mass: down.mean_voltage,
    "energy efficiency": lambda up, down, mass: down.energy / up.energy,
    "coulombic efficiency": lambda up, down, mass: down.capacity / up.capacity,
}
#: What people call them.
CALLED = {
    "capacity": "discharge capacity",
    "energy": "discharge energy",
    "gap": "polarization",
    "voltage": "mean discharge voltage",
}

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_AT_RATE = re.compile(rf"(?P<name>.+?)\s+at\s+(?P<rate>{_NUMBER})\s*C", re.IGNORECASE)
_AT_STATE = re.compile(
    rf"resistance(?: \[Ohm\])?\s+at\s+(?P<state>{_NUMBER})\s*(?P<percent>%?)"
    rf"(?:\s+state of charge)?(?:\s+after\s+(?P<after>{_NUMBER})\s*s)?",
    re.IGNORECASE,
)


class Answer(Data):
    """One value that a cell has, and how it is found.

    Attributes
    ----------
    unit : str
        Its unit; "1" if it has none.
    found_by : str
        What is done to the cell to find it; "" of a parameter.
    """

    def __init__(self, name: str, unit: str, found_by: str):
        super().__init__(name, [name], [0.0], 1.0, None)
        self.unit, self.found_by = unit, found_by

    @abstractmethod
    def value(self, outcome: Any, parameters: Mapping[str, Any]) -> float:
        """The value; NaN where there is none."""

    def read(self, outcome: Any, parameters: Mapping[str, Any]) -> np.ndarray:
        """See `Data.read`."""
        return np.array([self.value(outcome, parameters)])


class _OfParameter(Answer):
    """A value of the set, or one that follows from others."""

    takes_solver = False

    def __init__(self, name: str):
        super().__init__(name, unit_of(name), "")

    @property
    def experiment(self) -> Hashable:
        """See `Data`."""
        return "parameter", self.name

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return Prepared(lambda parameters: parameters)

    def value(self, outcome: Any, parameters: Mapping[str, Any]) -> float:
        """See `Answer.value`."""
        return parameters[self.name]

    def ignores(self) -> set[str]:
        """See `Data.ignores`."""
        return set()


class _OfRateTest(Answer):
    """A result of a rate test, at the last time that it comes to a rate."""

    def __init__(self, name: str, unit: str, read: Reader, rate: float, test: RateTest):
        if rate not in test.rates:
            raise OptionError(f'the answer is "{name}": its rate must be one of {test.rates}')
        super().__init__(name, unit, f"a rate test at {', '.join(f'{r:g}' for r in test.rates)} C")
        self.test, self._read = test, read
        self._charge, self._discharge = cycles_at(test, rate)[-1]

    @property
    def experiment(self) -> Hashable:
        """See `Data`."""
        return "answer", repr(self.test), self.name

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return of_half_cycles(self.test, model, parameters, varying, solver)

    def value(self, outcome: list[HalfCycle], parameters: Mapping[str, Any]) -> float:
        """See `Answer.value`."""
        up, down = outcome[self._charge], outcome[self._discharge]
        if up.segment is None or down.segment is None:
            return math.nan
        return float(self._read(up, down, parameters[MASS]))

    def reasons(self, outcome: list[HalfCycle]) -> list[str]:
        """See `Data.reasons`."""
        for half in (outcome[self._charge], outcome[self._discharge]):
            if half.segment is None:
                return [f"the {half.direction} at {half.rate:g} C: {half.ending}"]
        return [""]


class _OfPulse(Answer):
    """The change of the voltage over the current, some time after a discharge began."""

    def __init__(self, name: str, state: float, after: float):
        self.protocol = Protocol(
            ["Rest for 1 second", f"Discharge at {PULSE_RATE:g} C for {after:g} seconds"],
            initial_state_of_charge=state,
        )
        by = f"a pulse of discharge at {PULSE_RATE:g} C, {after:g} s after its start, from rest"
        super().__init__(name, "Ohm", by)
        self._after = after

    @property
    def experiment(self) -> Hashable:
        """See `Data`."""
        return "answer", repr(self.protocol), self.name

    def prepare(
        self, model: str, parameters: ParameterSet, varying: Iterable[str], solver: Solver
    ) -> Prepared:
        """See `Data.prepare`."""
        return of_steps(self.protocol, model, parameters, varying, solver)

    def value(self, outcome: list[StepResult], parameters: Mapping[str, Any]) -> float:
        """See `Answer.value`."""
        rest, pulse = (step.segment for step in outcome)
        if rest is None or pulse is None or pulse.duration < self._after:
            return math.nan
        before = float(rest.voltage(rest.duration))
        return (before - float(pulse.voltage(self._after))) / float(pulse.current(self._after))

    def reasons(self, outcome: list[StepResult]) -> list[str]:
        """See `Data.reasons`."""
        pulse = outcome[-1]
        if pulse.segment is None:
            return [f"the pulse: {pulse.ending}"]
        over = pulse.segment.duration < self._after
        return [f"the pulse is over after {pulse.segment.duration:.3g} s" if over else ""]


def answer_of(
    text: str, parameters: ParameterSet, model: str, test: RateTest | None = None
) -> Answer:
    """What is asked for.

    Parameters
    ----------
    text : str
        The name of a parameter; one of `QUANTITIES`, with or without its unit, or the name of an
        overpotential, and "at R C"; "resistance at 50 %", which may end with "after 10 s".
    parameters : ParameterSet
        The cell.
    model : str
        "dfn" or "spm".
    test : RateTest, optional
        That results of a rate test are of; default: one at their rate alone.

    Raises
    ------
    OptionError
        If it is none of this.
    """
    said = " ".join(str(text).split())
    at_rate, at_state = _AT_RATE.fullmatch(said), _AT_STATE.fullmatch(said)
    if test is not None and not at_rate:
        raise OptionError(f"a rate test has no effect on {short(text)}: leave it out")
    if said in parameters:
        if not isinstance(parameters[said], float):
            raise OptionError(f'"{said}" is {parameters[said]}: only a number has a band')
        return _OfParameter(said)
    if at_state:
        state = float(at_state["state"]) / (100 if at_state["percent"] else 1)
        if not 0 < state < 1:
            raise OptionError(f"{short(text)}: a state of charge between 0 and 100 % is needed")
        after = float(at_state["after"] or AFTER)
        return _OfPulse(f"resistance at {100 * state:g} %, after {after:g} s", state, after)
    if at_rate:
        rate = float(at_rate["rate"])
        name, unit, read = _quantity(at_rate["name"], parameters, model)
        if rate <= 0:
            raise OptionError(f"{short(text)}: a C-rate above 0 is needed")
        return _OfRateTest(f"{name} at {rate:g} C", unit, read, rate, test or RateTest([rate]))
    raise OptionError(
        f'the answer is {short(text)}: it must be the name of a parameter, "resistance at 50 %", '
        f'or a result at a rate, as in "capacity at 2 C": {", ".join(QUANTITIES)}, or an '
        f"overpotential{suggestion(said, [*parameters])}"
    )


def _quantity(text: str, parameters: ParameterSet, model: str) -> tuple[str, str, Reader]:
    """Name, unit and reader of a result of a rate test."""
    folded = text.casefold()
    for name, read in QUANTITIES.items():
        plain = name.partition(" [")[0]
        # with its own unit or without, never with another one
        if CALLED.get(folded, folded) in (plain, name.casefold()):
            return plain, unit_of(name), read
    losses = _losses(parameters, model)
    asked = folded.removesuffix(" [v]").removesuffix(" overpotential")
    for loss in losses:
        if loss.casefold() == asked:
            return f"{loss} overpotential in the middle of the discharge,", "V", _lost(loss)
    known = [*QUANTITIES, *CALLED, *(f"{loss} overpotential" for loss in losses)]
    raise OptionError(
        f"{short(text)} is no result of a rate test: {', '.join(known)}{suggestion(text, known)}"
    )


def _losses(parameters: ParameterSet, model: str) -> list[str]:
    variables = MODELS[model](parameters.model_options).variables
    return [name.removesuffix(" overpotential [V]") for name in breakdown_names(variables)]


def _lost(loss: str) -> Reader:
    variable = f"{loss} overpotential [V]"
    # negative on discharge: what is lost is what is asked for
    return lambda up, down, mass: -float(down.at(variable, 0.5))
