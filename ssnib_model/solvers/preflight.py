"""What can be said in words before anything is solved, from the model's own symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.materials.na_sn import PLATEAUS
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.solvers.numbers import Numbers
from ssnib_model.steps import Control, End, Measure, Profile, Step

#: What a test sets, whatever the parameters say.
INITIAL, CURRENT = "Initial state of charge", "Current function [A]"
LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
CUT_OFFS = {"discharge": LOWER, "charge": UPPER}

#: Variable of the reduced model.
UNIFORMITY = "Reaction uniformity number"

#: Sodium content of Na15Sn4, beyond which sodium is plated, and one beyond all sense
#: [mol Na per mol Sn].
NA15SN4, SODIUM_LIMIT = PLATEAUS[-1][0], 1e4

#: Content by which an anode without sodium may seem to hold less than none.
ROUND_OFF = 1e-12


class Preflight:
    """Open-circuit voltage, sodium and ohmic losses of a cell at any state of charge.

    Parameters
    ----------
    options : mapping
        Options of the model.
    values : pybamm.ParameterValues
        Its parameters, any of them inputs; the initial state of charge must be one.
    """

    def __init__(self, options: Mapping[str, Any], values: pybamm.ParameterValues):
        # at the ambient temperature and without double layers all are numbers
        plain = {"thermal": "isothermal", "surface form": "false"}
        model = SolidStateBaseModel({**options, **plain})
        p = model.param
        self.is_metal = p.is_metal
        self.unit = "of the sodium it was made with" if p.is_metal else "mol Na per mol Sn"
        symbols = {
            "capacity": p.Q_p,
            "sodium": p.y_init,
            "voltage": p.ocv_init,
            "layers": -sum(model.separator_overpotentials().values()),
            "anode": -model.anode_overpotential(),
        }
        self._numbers = Numbers(symbols, values)

    def value(self, name: str, inputs: Mapping[str, float]) -> float:
        """One of the symbols: capacity [C], sodium of the anode, voltage or losses [V]."""
        return self._numbers(inputs)[name]

    def state_of_charge(
        self, inputs: Mapping[str, float], passed: float = 0.0, sodium: float | None = None
    ) -> float:
        """What is left of the initial state of charge after ``passed`` [C] of discharge, or that
        at which the anode holds ``sodium``."""
        if sodium is not None:
            empty, full = (self.value("sodium", {**inputs, INITIAL: s}) for s in (0.0, 1.0))
            return (sodium - empty) / (full - empty)
        return inputs[INITIAL] - passed / self.value("capacity", inputs)

    def impossible(self, inputs: Mapping[str, float]) -> str:
        """Why there is no such cell, or nothing."""
        start = self.value("sodium", inputs)
        if not start >= -ROUND_OFF:
            return (
                f"at the start the anode would hold {start:.3g} {self.unit}: it needs more "
                "sodium as made"
            )
        full = self.value("sodium", {**inputs, INITIAL: 1.0})
        if not full < SODIUM_LIMIT:
            return f"a full charge would bring the anode to {full:.3g} {self.unit}"
        return ""

    def possible_of_many(self, inputs: Mapping[str, ArrayLike], members: int) -> np.ndarray:
        """Of which of many cells `impossible` says nothing, shape (members,)."""
        full = {**inputs, INITIAL: 1.0}
        start, most = (self._numbers.of_many(i, members)["sodium"] for i in (inputs, full))
        return (start >= -ROUND_OFF) & (most < SODIUM_LIMIT)

    def anode_notes(self, inputs: Mapping[str, float]) -> list[str]:
        """Whether the anode can take and give what the cathode can, one sentence each."""
        full = self.value("sodium", {**inputs, INITIAL: 1.0})
        empty = self.value("sodium", {**inputs, INITIAL: 0.0})
        notes = []
        if full > NA15SN4 and not self.is_metal:
            notes.append(
                f"the anode is too small for the cathode: a full charge would bring it to "
                f"{full:.3g} mol Na per mol Sn, and beyond {NA15SN4:g} (Na15Sn4) sodium is plated"
            )
        if empty <= 0:
            notes.append(
                "the anode holds too little sodium for the cathode: it would be empty before a "
                "full discharge"
            )
        return notes

    def why_at_start(
        self, inputs: Mapping[str, float], step: Step, end: End, state_of_charge: float
    ) -> str:
        """Why a step has reached one of its ends before it starts, at a state of charge."""
        at = {**inputs, INITIAL: state_of_charge}
        voltage = self.value("voltage", at)
        if end.measure is not Measure.VOLTAGE:
            side = "above" if end.rising else "below"
            if step.control is not Control.VOLTAGE:
                unit = "mA.h" if end.measure is Measure.CAPACITY else "mA"
                return f"its {end.measure} is {side} {1e3 * end.value:.4g} {unit} from the start"
            return (
                f"at {step.value:.4g} V its current is {side} {1e3 * end.value:.4g} mA already: "
                f"the open-circuit voltage is {voltage:.4g} V"
            )
        sign, side = (-1, "above") if end.rising else (1, "below")
        limit = f"voltage that ends it ({end.value:.4g} V)"
        if end.cut_off:
            limit = f"{'upper' if end.rising else 'lower'} cut-off ({end.value:.4g} V)"
        left = sign * (voltage - end.value)
        if left <= 0:
            return f"the open-circuit voltage, {voltage:.4g} V, is {side} the {limit} already"
        at[CURRENT] = current = _current_at(step, end.value)
        if sign * current <= 0:  # what went before has not died away yet
            return f"the voltage is {side} the {limit} from the start"
        between = (
            f"the {left:.3g} V between the open-circuit voltage ({voltage:.4g} V) and the {limit}"
        )
        layers, anode = sign * self.value("layers", at), sign * self.value("anode", at)
        if layers >= left:
            return (
                f"the ohmic drop of layers and interfaces alone is {layers:.3g} V: more "
                f"than {between}"
            )
        return (
            f"of {between} the layers take {layers:.3g} V and the anode's reaction {anode:.3g} V, "
            "and the composite needs more than what is left"
        )


def _current_at(step: Step, voltage: float) -> float:
    """Current of a step [A] where the voltage is at the end of it; that decides whether the
    step can start, as a smaller voltage takes more of a power and less of a resistance."""
    value = step.value.values[0] if isinstance(step.value, Profile) else step.value
    if step.control is Control.POWER:
        return value / voltage
    return voltage / value if step.control is Control.RESISTANCE else value
