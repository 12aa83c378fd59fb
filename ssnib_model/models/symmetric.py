"""Cells without a cathode: alloy | layers | alloy, and a pellet between blocking electrodes."""

from __future__ import annotations

import pybamm

from ssnib_model.cell.options import AGEING, OPTIONS
from ssnib_model.errors import OptionError
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.models.losses import F


class SymmetricCell(SolidStateBaseModel):
    """Two planar alloy electrodes of the same kind with electrolyte layers between them.

    The electrode on the right, called positive, has the kinetics, the double layer and the
    alloy of the negative one. Positive current takes sodium from the left to the right.

    Parameters
    ----------
    options : dict, optional
        See `SolidStateBaseModel`.
    name : str, optional
        The name of the model.
    """

    def __init__(self, options: dict | None = None, name: str = "Symmetric cell"):
        super().__init__(options, name)
        _refuse_losses(self)
        p = self.param
        y = self.set_cell_states(p.y_made)
        y_right = pybamm.Variable("Positive electrode sodium content")
        self.rhs[y_right] = p.I / (F * p.n_Sn)
        self.initial_conditions[y_right] = p.y_made
        left = self.anode_overpotential()
        overpotentials = {
            **self.separator_overpotentials(),
            "Negative electrode reaction": left,
            # the same current, the same kinetics, from a state that started the same
            "Positive electrode reaction": left * 1,
        }
        V = p.U_n(y_right) - p.U_n(y) + sum(overpotentials.values())
        self.set_voltage(V, p.U_n(y_right), p.U_n(y), overpotentials)
        self.variables["Positive electrode sodium content"] = y_right

    @property
    def default_geometry(self) -> dict:
        return {}


class BlockingPellet(SolidStateBaseModel):
    """One electrolyte layer between two blocking electrodes: a conductivity measurement.

    The only layer of the options is the pellet; its two surfaces have the double-layer
    capacity of the negative electrode.

    Parameters
    ----------
    options : dict, optional
        See `SolidStateBaseModel`; one electrolyte layer, surface form "differential".
    name : str, optional
        The name of the model.
    """

    def __init__(self, options: dict | None = None, name: str = "Blocking pellet"):
        super().__init__(options, name)
        _refuse_losses(self)
        p = self.param
        (layer,) = self.options["electrolyte layers"]
        bulk = self.layer_overpotential(layer)
        surfaces = pybamm.Variable("Blocking surfaces potential drop [V]")
        capacity = pybamm.Parameter("Negative electrode double-layer capacity [F.m-2]")
        self.rhs[surfaces] = 2 * p.i / capacity
        self.initial_conditions[surfaces] = pybamm.Scalar(0)
        V = bulk - surfaces
        self.variables.update(
            {
                "Voltage [V]": V,
                "Battery voltage [V]": V * 1,
                "Current [A]": p.I,
                "Current variable [A]": p.I * 1,
            }
        )

    @property
    def default_geometry(self) -> dict:
        return {}


def _refuse_losses(model: SolidStateBaseModel) -> None:
    for option in ("electronic leakage", *AGEING):
        if model.options[option] != OPTIONS[option][0]:
            raise OptionError(
                f'a cell without a cathode has no "{option}" but {OPTIONS[option][0]!r}'
            )
