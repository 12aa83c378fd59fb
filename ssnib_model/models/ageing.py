"""What a cell loses with time and use: laws, each by clocks that run and what depends on them.

A `Clock` is a slow state of the model that starts at 0 and runs at a bounded rate: time at a
temperature, time at high potential, charge. All that ages is a function of the clocks in closed
form, such as a thickness that grows with the root of one: regular at the start, exact however
long the steps, and the same for both solvers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.models.activation import arrhenius

if TYPE_CHECKING:
    from ssnib_model.models.base import CellSymbols

HOUR = 3600.0

#: Slow states by name; the last is what became of the sodium in material that lost contact.
GROWTH_TIME = "Negative electrode interphase growth time [h]"
OXIDATION_TIME = "Positive electrode interphase growth time [h]"
AGE = "Time since made [h]"
HIGH_TIME = "Time at high potential [h]"
FULL_CYCLES = "Equivalent full cycles"
ISOLATED = "Positive electrode isolated stoichiometry"

#: Time [h] that every growth starts with: the root of it is regular, and it is 4 ms.
SMALL_TIME = 1e-6

ANODE_INTERPHASE, CATHODE_INTERPHASE = (
    "Negative electrode interphase",
    "Positive electrode interphase",
)
_FRACTION = "Positive electrode accessible fraction"


@dataclass(frozen=True)
class Clock:
    """A slow state.

    Attributes
    ----------
    state : pybamm.Variable
        What it shows.
    rate : pybamm.Symbol
        How fast it runs at most [s-1], or, by charge, per ampere of the current's size.
    by_charge : bool
        Whether it counts charge, not time.
    onset, width : pybamm.Symbol or None
        Potential [V] of the cathode above which it runs, and how sharp that is.
    """

    state: pybamm.Variable
    rate: pybamm.Symbol
    by_charge: bool = False
    onset: pybamm.Symbol | None = None
    width: pybamm.Symbol | None = None

    def at(self, current: pybamm.Symbol, potential: pybamm.Symbol) -> pybamm.Symbol:
        """Its rate [s-1] at a current [A] and a potential of the cathode [V]."""
        if self.by_charge:
            return self.rate * abs(current)
        if self.onset is None or self.width is None:
            return self.rate * 1
        # the logistic function, which does not overflow so
        return self.rate * (1 + pybamm.tanh((potential - self.onset) / (2 * self.width))) / 2


class Ageing:
    """The clocks of a cell, and what depends on them, as symbols.

    Parameters
    ----------
    options : ModelOptions
        Those of the model, which say what ages.
    param : CellSymbols
        The parameters of the cell.
    """

    def __init__(self, options: ModelOptions, param: CellSymbols):
        self.has_anode_interphase = options["negative electrode interphase"] != "none"
        self.has_cathode_interphase = options["positive electrode interphase"] != "none"
        self.has_fading_contact = options["accessible fraction"] != "constant"
        self.clocks: dict[str, Clock] = {}
        P, T = pybamm.Parameter, param.T
        if self.has_anode_interphase:
            factor = arrhenius(f"{ANODE_INTERPHASE} growth constant", T)
            self._start(GROWTH_TIME, factor / HOUR)
        if self.has_cathode_interphase:
            factor = arrhenius(f"{CATHODE_INTERPHASE} growth constant", T)
            self._start(OXIDATION_TIME, factor / HOUR, of=CATHODE_INTERPHASE)
        if self.has_fading_contact:
            self._start(AGE, pybamm.Scalar(1 / HOUR))
            self._start(HIGH_TIME, pybamm.Scalar(1 / HOUR), of=_FRACTION)
            name = "Nominal cell capacity [A.h]"
            self._start(FULL_CYCLES, 1 / (2 * HOUR * P(name)), by_charge=True)

    def _start(
        self, name: str, rate: pybamm.Symbol, by_charge: bool = False, of: str = ""
    ) -> None:
        onset = width = None
        if of:
            onset = pybamm.Parameter(f"{of} onset potential [V]")
            width = pybamm.Parameter(f"{of} onset width [V]")
        self.clocks[name] = Clock(pybamm.Variable(name), rate, by_charge, onset, width)

    @property
    def names(self) -> tuple[str, ...]:
        """The slow states of the model."""
        return (*self.clocks, ISOLATED) if self.has_fading_contact else tuple(self.clocks)

    def _root(self, name: str) -> pybamm.Symbol:
        """The square root of a clock [h0.5]."""
        return pybamm.sqrt(pybamm.maximum(self.clocks[name].state, 0) + SMALL_TIME)

    def thickness(self) -> pybamm.Symbol:
        """Of the interphase at the anode [m]; it grows with the root of time."""
        constant = pybamm.Parameter(f"{ANODE_INTERPHASE} growth constant [m2.s-1]")
        return pybamm.sqrt(constant * HOUR) * self._root(GROWTH_TIME)

    def sodium_taken(self) -> pybamm.Symbol:
        """Sodium of the anode that its interphase took since the start [mol.m-2]."""
        if not self.has_anode_interphase:
            return pybamm.Scalar(0)
        constant = pybamm.Parameter(f"{ANODE_INTERPHASE} growth constant [m2.s-1]")
        first = pybamm.sqrt(constant * HOUR * SMALL_TIME)
        name = f"{ANODE_INTERPHASE} sodium concentration [mol.m-3]"
        return pybamm.Parameter(name) * (self.thickness() - first)

    def cathode_resistance(self) -> pybamm.Symbol:
        """Of what grows where halide and charged cathode meet, per area of the cell [Ohm.m2]."""
        constant = pybamm.Parameter(f"{CATHODE_INTERPHASE} growth constant [Ohm2.m4.s-1]")
        return pybamm.sqrt(constant * HOUR) * self._root(OXIDATION_TIME)

    def contact(self) -> pybamm.Symbol:
        """Accessible fraction over that as made."""
        if not self.has_fading_contact:
            return pybamm.Scalar(1)
        P = pybamm.Parameter
        cycles, age, high = (self.clocks[n].state for n in (FULL_CYCLES, AGE, HIGH_TIME))
        lost = (
            P(f"{_FRACTION} loss per cycle") * cycles
            + P(f"{_FRACTION} loss rate [s-1]") * HOUR * age
            + P(f"{_FRACTION} loss rate at high potential [s-1]") * HOUR * high
        )
        gained = P(f"{_FRACTION} gain by activation") * (
            1 - pybamm.exp(-cycles / P(f"{_FRACTION} activation cycles"))
        )
        return pybamm.exp(-lost) * (1 + gained)
