"""What PyBaMM reads of a model when it is asked for an initial state of charge.

``pybamm.Simulation.solve(initial_soc=...)`` always goes through the electrode state of health
of lithium-ion cells, whatever the model. The two electrodes that it is shown here take and give
the whole of one unit of charge, at a potential of which it only needs that it falls: so the
stoichiometry that it comes back with is the state of charge itself, which
`CellParameterValues` takes from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.pybamm_values import MARK


@dataclass(frozen=True)
class _Phase:
    U: Callable[..., pybamm.Symbol]
    c_max: pybamm.Symbol = field(default_factory=lambda: pybamm.Parameter(MARK))


@dataclass(frozen=True)
class _Electrode:
    prim: _Phase
    Q_init: pybamm.Symbol = field(default_factory=lambda: pybamm.Scalar(1))


def _falling(sto: Any, T: Any, direction: str | None = None) -> pybamm.Symbol:
    return 1 - sto


def _zero(sto: Any, T: Any, direction: str | None = None) -> pybamm.Symbol:
    return 0 * sto


class UnitCharge:
    """The part of ``param`` that PyBaMM's code reads for an initial state of charge."""

    n = _Electrode(_Phase(_zero))
    p = _Electrode(_Phase(_falling))
    Q_Li_particles_init = pybamm.Scalar(1)
    ocp_soc_100, ocp_soc_0 = pybamm.Scalar(1), pybamm.Scalar(0)
    T_ref = pybamm.Scalar(298.15)
    F = pybamm.constants.F

    @staticmethod
    def T_amb_av(t: Any) -> pybamm.Symbol:
        """A temperature on which nothing here depends."""
        return UnitCharge.T_ref


#: What PyBaMM asks of the options of any battery model, beside those of this package.
PYBAMM_OPTIONS = {"particle phases": "1", "working electrode": "both"}


class CellOptions(pybamm.BatteryModelOptions, ModelOptions):
    """`ModelOptions` that also answer what PyBaMM asks of every model.

    Iteration, equality and ``get`` see the options of this package only.
    """

    def __init__(self, options: dict | None = None):
        ModelOptions.__init__(self, options)

    def __missing__(self, name: str) -> str:
        return PYBAMM_OPTIONS[name]

    def __reduce__(self) -> tuple[type, tuple[dict]]:
        return CellOptions, (dict(self),)

    @property
    def negative(self) -> dict:
        """Options of the negative electrode, as PyBaMM asks for them."""
        return PYBAMM_OPTIONS | {"open-circuit potential": "single"}

    @property
    def positive(self) -> dict:
        """Options of the positive electrode, as PyBaMM asks for them."""
        return PYBAMM_OPTIONS | {"open-circuit potential": self["open-circuit potential"]}
