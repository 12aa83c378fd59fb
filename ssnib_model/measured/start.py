"""The state that a measurement starts from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.measured.steps import MeasuredStep
from ssnib_model.solvers.preflight import INITIAL, Preflight
from ssnib_model.words import short

AS_MADE = "As-made state of charge"

#: A rest says the state if its open-circuit voltage, give or take this [V], leaves no more than
#: this of the state open.
REST_ERROR, OPEN_STATE = 5e-3, 0.05

#: States of charge at which an open-circuit voltage is looked for.
STATES = np.concatenate([np.geomspace(1e-3, 0.02, 40), np.linspace(0.03, 0.97, 95),
                         1 - np.geomspace(0.02, 1e-3, 40)])  # fmt: skip

_VOLTAGE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*V\s*")

ALLOWED = (
    'a state of charge between 0 and 1, "as made", "charged" or "discharged" (in equilibrium at '
    'the highest or lowest voltage of the file), or an open-circuit voltage such as "3.4 V"'
)


def starting_state(
    given: Any,
    steps: Sequence[MeasuredStep],
    window: tuple[float, float],
    parameters: ParameterSet,
) -> tuple[float, str]:
    """The state of charge that a measurement starts from, and how that is known.

    Parameters
    ----------
    given : float, str or None
        As the user says it; None: as the first steps imply it.
    steps : sequence of MeasuredStep
        The steps.
    window : tuple of float
        Lowest and highest voltage of the measurement [V].
    parameters : ParameterSet
        The cell.

    Raises
    ------
    MeasuredDataError
        If nothing says what the state was.
    OptionError
        If what is given is no state.
    """
    if given is None:
        return _implied(steps, parameters)
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not 0 < given < 1:
            raise OptionError(f"start is {given!r}: allowed is {ALLOWED}")
        return float(given), "as stated"
    text = " ".join(given.replace("-", " ").split()).lower() if isinstance(given, str) else ""
    if text == "as made":
        return parameters[AS_MADE], "as made, as stated"
    if text in ("charged", "discharged"):
        voltage = window[text == "charged"]
        state, _ = _at_voltage(voltage, parameters)
        return state, f"{text}: open-circuit voltage {voltage:.4g} V"
    match = _VOLTAGE.fullmatch(given) if isinstance(given, str) else None
    if not match:
        raise OptionError(f"start is {short(given)}: allowed is {ALLOWED}")
    voltage = float(match[1])
    state, (low, high) = _at_voltage(voltage, parameters)
    if high - low > OPEN_STATE:
        raise OptionError(
            f"start is {given!r}: the cell {parameters.name} has this open-circuit voltage from "
            f"state of charge {low:.3g} to {high:.3g}: state it as a number"
        )
    return state, f"open-circuit voltage {voltage:.4g} V, as stated"


def _implied(steps: Sequence[MeasuredStep], parameters: ParameterSet) -> tuple[float, str]:
    first = steps[0]
    if first.kind == "rest" and first.last >= first.first:
        state, (low, high) = _at_voltage(first.voltage, parameters)
        said = f"the rest at the start ends at {first.voltage:.4g} V"
        if high - low <= OPEN_STATE:
            return state, f"{said}, the open-circuit voltage of this state"
        raise MeasuredDataError(
            f"{said}, which the cell {parameters.name} has from state of charge {low:.3g} to "
            f"{high:.3g}: say what the state at the start was, start: {ALLOWED}"
        )
    if first.kind == "charge":
        return parameters[AS_MADE], "it begins with a charge, and so as made"
    raise MeasuredDataError(
        f"it begins with a {first.kind}, and no row says what the state before it was: say start: "
        f"{ALLOWED}"
    )


def _at_voltage(voltage: float, parameters: ParameterSet) -> tuple[float, tuple[float, float]]:
    """The state of charge at an open-circuit voltage, and those that may be meant by it."""
    values = parameters.to_pybamm()
    values.update({INITIAL: "[input]"})
    preflight = Preflight(parameters.model_options, values)
    volts = np.array([preflight.value("voltage", {INITIAL: float(s)}) for s in STATES])
    volts = np.maximum.accumulate(volts)  # to round-off it rises anyway

    def at(v: float) -> float:
        place = int(np.searchsorted(volts, v))
        if place in (0, len(volts)):
            return float(STATES[max(place - 1, 0)])
        low, high = map(float, STATES[place - 1 : place + 1])
        off = lambda s: preflight.value("voltage", {INITIAL: s}) - v  # noqa: E731
        # of a level stretch both ends may be its voltage to round-off
        return float(brentq(off, low, high)) if off(low) * off(high) < 0 else high

    return at(voltage), (at(voltage - REST_ERROR), at(voltage + REST_ERROR))
