"""The values of a cell as ``pybamm.ParameterValues`` that know their initial state.

PyBaMM sets an initial state with the stoichiometry limits of lithium-ion cells, which these
cells do not have: here the state of charge is a parameter, and a voltage gives it through the
open-circuit voltage.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.materials.sodium import sodium_metal_ocp

INITIAL = "Initial state of charge"

#: What PyBaMM's lithium-ion code writes once it has found an initial state.
_CONCENTRATION = "Initial concentration in {} electrode [mol.m-3]"
_HYSTERESIS = "Initial hysteresis state in {} electrode"

#: Only values of this class have it: others would ignore the state they are given.
MARK = "Initial state of charge of values made by ParameterSet.to_pybamm()"


#: Which is there among values tells what the anode is.
TIN, SODIUM = "Negative electrode tin amount [mol]", "Negative electrode sodium amount [mol]"


def anode_as_made(is_metal: bool) -> tuple[pybamm.Symbol, pybamm.Symbol]:
    """What the sodium content of the anode is per [mol], and the content as made.

    Tin and mol Na per mol Sn of an alloy; of sodium metal what was made, and 1.
    """
    if is_metal:
        return pybamm.Parameter(SODIUM), pybamm.Scalar(1)
    return pybamm.Parameter(TIN), pybamm.Parameter("Negative electrode as-made sodium content")


def anode_potential(content: pybamm.Symbol, is_metal: bool) -> pybamm.Symbol:
    """Equilibrium potential of the anode [V vs Na/Na+] at a sodium content."""
    if is_metal:
        return sodium_metal_ocp(content)
    return pybamm.FunctionParameter(
        "Negative electrode OCP [V]", {"Negative electrode sodium content": content}
    )


def equilibrium(
    soc: pybamm.Symbol, is_metal: bool
) -> tuple[pybamm.Symbol, pybamm.Symbol, pybamm.Symbol]:
    """Stoichiometry of the cathode, sodium content of the anode and open-circuit voltage [V].

    What the cathode has given up since the cell was made, the anode holds.

    Parameters
    ----------
    soc : pybamm.Symbol
        State of charge.
    is_metal : bool
        Whether the anode is sodium metal, whose content is relative to what was made.
    """
    sodium = (
        pybamm.Parameter("Maximum concentration in positive electrode [mol.m-3]")
        * pybamm.Parameter("Positive electrode active material volume fraction")
        * pybamm.Parameter("Positive electrode accessible fraction")
        * pybamm.Parameter("Positive electrode thickness [m]")
        * pybamm.Parameter("Electrode area [m2]")
    )
    given_up = (soc - pybamm.Parameter("As-made state of charge")) * sodium
    host, made = anode_as_made(is_metal)
    content = made + given_up / host
    sto = 1 - soc
    cathode = pybamm.FunctionParameter(
        "Positive electrode OCP [V]", {"Positive particle stoichiometry": sto}
    )
    return sto, content, cathode - anode_potential(content, is_metal)


class CellParameterValues(pybamm.ParameterValues):
    """Values of a cell, as `ParameterSet.to_pybamm` makes them.

    An initial state that PyBaMM is asked for (``set_initial_state``, or ``initial_soc`` of
    ``pybamm.Simulation.solve``) becomes their "Initial state of charge": 0 is
    Na3V2(PO4)3, 1 is NaV2(PO4)3.
    """

    def copy(self) -> CellParameterValues:
        """A copy of the same kind."""
        return CellParameterValues(dict(self.items()))

    def set_initial_state(
        self,
        initial_value: float | str,
        direction: str | None = None,
        param: Any = None,
        inplace: bool = True,
        options: Mapping[str, Any] | None = None,
        inputs: Mapping[str, float] | None = None,
    ) -> CellParameterValues:
        """Set the "Initial state of charge".

        Parameters
        ----------
        initial_value : float or str
            A state of charge from 0 to 1, or an open-circuit voltage such as "3.4 V".
        direction : None
            The state of hysteresis starts in the middle: no direction is taken.
        param, options : optional
            Not needed; PyBaMM gives them.
        inplace : bool, optional
            Whether to change these values (default) or a copy of them.
        inputs : mapping, optional
            Values of parameters that are inputs.

        Returns
        -------
        CellParameterValues

        Raises
        ------
        OptionError
            For a state that is not one, or a voltage that the cell has at no state of charge.
        """
        if direction is not None:
            raise _no_direction(direction)
        values = self if inplace else self.copy()
        if isinstance(initial_value, str):
            soc = values._state_at(_volts(initial_value), inputs)
        else:
            soc = _state(initial_value)
        values[INITIAL] = soc
        return values

    def _state_at(self, voltage: float, inputs: Mapping[str, float] | None) -> float:
        """The state of charge of an open-circuit voltage: the middle of all that have it."""
        time = pybamm.t  # stands for the state of charge
        symbol = self.process_symbol(equilibrium(time, self._is_metal)[2])
        # fine towards the ends, where potentials are steep
        ends = np.geomspace(1e-9, 0.5, 2000)
        grid = np.concatenate([[0.0], ends, 1 - ends[-2::-1], [1.0]])

        def excess(soc: float) -> float:
            return float(symbol.evaluate(t=soc, inputs=dict(inputs or {}))) - voltage

        found = np.array([excess(soc) for soc in grid])
        if not found.min() <= 0 <= found.max():
            raise OptionError(
                f"initial voltage is {voltage:g} V: the open-circuit voltage of the cell is "
                f"{found.min() + voltage:.4g} to {found.max() + voltage:.4g} V"
            )
        from scipy.optimize import brentq

        crossings = np.flatnonzero(np.sign(found[1:]) != np.sign(found[:-1]))
        roots = [brentq(excess, grid[k], grid[k + 1], xtol=1e-14) for k in crossings]
        if len(roots) > 1 and roots[-1] - roots[0] > 1e-6:
            raise OptionError(
                f"initial voltage is {voltage:g} V: the cell has it at several states of charge, "
                f"{', '.join(f'{r:.4g}' for r in roots)}: give one of those"
            )
        return float(np.mean(roots))

    # ------------------------------------------------------------ PyBaMM's lithium-ion code
    # `Simulation.solve(initial_soc=...)` works out stoichiometries by itself, from what the
    # model's `param` says of the electrodes, and writes them as concentrations (see
    # `ssnib_model.models.initial`).
    def update(self, values: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        """As ``pybamm.ParameterValues.update``; an initial concentration becomes a state."""
        values = dict(values)
        sodium = values.pop(_CONCENTRATION.format("positive"), None)
        values.pop(_CONCENTRATION.format("negative"), None)
        for electrode in ("positive", "negative"):
            if values.pop(_HYSTERESIS.format(electrode), 0):
                raise _no_direction("one")
        if sodium is not None:
            values[INITIAL] = _state(1 - float(sodium))
        super().update(values, *args, **kwargs)

    def evaluate(self, symbol: pybamm.Symbol, inputs: Any = None) -> Any:
        """As ``pybamm.ParameterValues.evaluate``."""
        if getattr(symbol, "name", None) == MARK:
            return 1.0
        return super().evaluate(symbol, inputs)

    def __getitem__(self, name: str) -> Any:
        if name == "Initial temperature [K]":  # of a cell that starts at a voltage
            raise OptionError(
                "PyBaMM takes a voltage as initial_soc by way of lithium-ion cells: call "
                "parameter_values.set_initial_state with it, or make the simulation with "
                "cache_esoh=False"
            )
        if name == "Negative electrode OCP [V]" and self._is_metal:
            return sodium_metal_ocp  # which has no parameter of its own
        return super().__getitem__(name)

    @property
    def _is_metal(self) -> bool:
        """Whether these are the values of a cell with an anode of sodium metal."""
        return SODIUM in self and TIN not in self


def _state(value: Any) -> float:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    # PyBaMM's detour costs some round-off
    if not number or not -1e-9 <= value <= 1 + 1e-9:
        raise OptionError(
            f"initial state of charge is {value!r}: it must be a number from 0 to 1, or a voltage "
            'such as "3.4 V"'
        )
    return min(max(float(value), 0.0), 1.0)


def _volts(text: str) -> float:
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*V\s*", text)
    if not match:
        raise OptionError(
            f"initial state is {text[:60]!r}: a state of charge from 0 to 1 or a voltage such as "
            '"3.4 V" is needed'
        )
    return min(max(float(match[1]), -1e300), 1e300)


def _no_direction(direction: str) -> OptionError:
    return OptionError(
        f"direction is {direction!r}: the state of hysteresis starts in the middle of the two "
        "branches, so that no direction is taken"
    )
