"""What can be said in words before anything is solved, from the model's own symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pybamm

from ssnib_model.materials.na_sn import PLATEAUS
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.solvers.numbers import Numbers

#: What a test sets, whatever the parameters say.
INITIAL, CURRENT = "Initial state of charge", "Current function [A]"
LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
CUT_OFFS = {"discharge": LOWER, "charge": UPPER}

#: Variable of the reduced model.
UNIFORMITY = "Reaction uniformity number"

#: Sodium content of Na15Sn4, beyond which sodium is plated, and one beyond all sense
#: [mol Na per mol Sn].
NA15SN4, SODIUM_LIMIT = PLATEAUS[-1][0], 1e4


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

    def state_of_charge(self, inputs: Mapping[str, float], passed: float) -> float:
        """What is left of the initial state of charge after ``passed`` [C] of discharge."""
        return inputs[INITIAL] - passed / self.value("capacity", inputs)

    def impossible(self, inputs: Mapping[str, float]) -> str:
        """Why there is no such cell, or nothing."""
        start = self.value("sodium", inputs)
        if not start >= 0:
            return (
                f"at the start the anode would hold {start:.3g} {self.unit}: it needs more "
                "sodium as made"
            )
        full = self.value("sodium", {**inputs, INITIAL: 1.0})
        if not full < SODIUM_LIMIT:
            return f"a full charge would bring the anode to {full:.3g} {self.unit}"
        return ""

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
        self, inputs: Mapping[str, float], current: float, cut_off: float, passed: float
    ) -> str:
        """Why a ``current`` [A] starts beyond its cut-off, after ``passed`` [C] of discharge."""
        sign, direction = (1, "discharge") if current > 0 else (-1, "charge")
        at = {**inputs, CURRENT: current}
        state = {**at, INITIAL: self.state_of_charge(at, passed)}
        voltage = self.value("voltage", state)
        limit = f"{CUT_OFFS[direction].split()[0].lower()} cut-off ({cut_off:.4g} V)"
        left = sign * (voltage - cut_off)
        if left <= 0:
            side = "below" if direction == "discharge" else "above"
            return f"the open-circuit voltage, {voltage:.4g} V, is {side} the {limit} already"
        between = (
            f"the {left:.3g} V between the open-circuit voltage ({voltage:.4g} V) and the {limit}"
        )
        layers, anode = sign * self.value("layers", state), sign * self.value("anode", state)
        if layers >= left:
            return (
                f"the ohmic drop of layers and interfaces alone is {layers:.3g} V: more "
                f"than {between}"
            )
        return (
            f"of {between} the layers take {layers:.3g} V and the anode's reaction {anode:.3g} V, "
            "and the composite needs more than what is left"
        )
