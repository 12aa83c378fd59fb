"""The rate test: charge and discharge one cell at a sequence of rates."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pybamm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.protocol.prepared import HALF_CYCLE, HOLD, PreparedRateTest
from ssnib_model.protocol.protocol import Protocol as TestProtocol
from ssnib_model.protocol.resolve import sodium
from ssnib_model.protocol.running import cell_of
from ssnib_model.rate_values import (
    SECONDS,
    c_rate,
    held_until,
    state_of_charge,
    time_of,
    whole_cycles,
)
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.preflight import LOWER, UPPER
from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Control, End, Measure, Planned, Step

ONE_C = "Nominal cell capacity [A.h]"

#: C-rates of a set that does not say its own.
RATES = (0.1, 0.2, 0.5, 1.0, 2.0)


class RateTest:
    """Charge and discharge the same cell at each rate in turn, between the set's cut-offs.

    The cell starts as made and carries its state from one half-cycle to the
    next. Every half-cycle is a plain solve with the current as an input that ends at the
    voltage cut-off; the model is built once.

    Parameters
    ----------
    rates : iterable of float
        C-rates of the discharges, positive, in the order of the test.
    charge_rate : float, optional
        C-rate of every charge; default: that of the discharge that follows.
    cycles : int, optional
        Cycles at each rate; the table shows the last one.
    initial_state_of_charge : float, optional
        Where the test starts; default: the "As-made state of charge" of the parameters.
    hold : float or str, optional
        Constant voltage at the upper cut-off after each charge until the current has fallen to a
        C-rate, 0.05 or "C/20", or for a time, "1 hour". Also where the charge could not start.
        What it charges is part of the charge capacity.
    rest : float or str, optional
        Time without current after each charge (and its hold) and each discharge, in seconds or
        as text, "10 minutes".

    Raises
    ------
    OptionError
        For a value that is not allowed.

    Examples
    --------
    >>> result = RateTest([0.2, 1]).run(parameters=ParameterSet("Hu2024"))
    >>> result.table["Status"].tolist()
    ['ok', 'ok']
    """

    def __init__(
        self,
        rates: Iterable[float],
        *,
        charge_rate: float | None = None,
        cycles: int = 1,
        initial_state_of_charge: float | None = None,
        hold: float | str | None = None,
        rest: float | str | None = None,
    ):
        several: Any = [rates] if isinstance(rates, numbers.Real | str) else rates
        self.rates = [c_rate(rate, "rates") for rate in several]
        if not self.rates:
            raise OptionError("rates is empty: give at least one C-rate, 0.2 for example")
        self.charge_rate = None if charge_rate is None else c_rate(charge_rate, "charge_rate")
        self.cycles = whole_cycles(cycles)
        soc = initial_state_of_charge
        self.initial_state_of_charge = None if soc is None else state_of_charge(soc)
        self.hold = None if hold is None else held_until(hold)
        self.rest = None if rest is None else time_of(rest, "rest")

    @classmethod
    def of(cls, parameters: ParameterSet, **given: Any) -> RateTest:
        """The test that a set says its cell is given (`ParameterSet.test`).

        Parameters
        ----------
        parameters : ParameterSet
            The cell.
        **given
            What is to be otherwise, or is not said there: any argument of `RateTest`;
            ``hold=None`` is none. Rates that neither says are 0.1, 0.2, 0.5, 1 and 2 C.

        Raises
        ------
        OptionError
            For a value that is not allowed.

        Examples
        --------
        >>> RateTest.of(ParameterSet("Oh2025"))
        RateTest([0.1], hold=0.05)
        """
        stated = {name: value for name, value in parameters.test.items() if name != "note"}
        known = list(RateTest([1.0]).to_dict())
        unknown = sorted(given.keys() - set(known))
        if unknown:
            raise OptionError(f"{', '.join(unknown)}: a rate test has only {', '.join(known)}")
        return cls(**({"rates": RATES} | stated | given))

    def run(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
        progress: bool = False,
        start: CellState | None = None,
    ) -> RateTestResult:
        """Run the test.

        Parameters
        ----------
        model : pybamm.BaseModel, optional
            Default `SolidStateDFN` for the stack of ``parameters``.
        parameters : ParameterSet, optional
            Default ``ParameterSet("Hu2024")``. Its "Initial state of charge", where a plain
            simulation starts, is not used.
        solver : str, pybamm.BaseSolver or StructuredSolver, optional
            "auto" (default) is the structured solver where it has all that is asked, else
            IDAKLU: ``result.to_dict()["settings"]["solver"]`` says which, and why. "structured"
            is refused where it cannot, "idaklu" is PyBaMM's with the tolerances of the model.
        var_pts : dict, optional
            Mesh points, as for ``pybamm.Simulation``; default: those of the model.
        progress : bool, optional
            Whether to show a progress bar on stderr.
        start : CellState, optional
            The cell at the start, as from ``result.final_state`` of any test of the same model;
            default: as made, or at the initial state of charge of the test.

        Returns
        -------
        RateTestResult
            One row a rate, whatever happened to it.
        """
        prepared = self.prepare(model, parameters, solver=solver, var_pts=var_pts)
        result = prepared.result(prepared.parameters, progress=progress, start=start)
        for note in result.notes:
            warnings.warn(note, ValidityWarning, stacklevel=2)
        return result

    def prepare(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        varying: Iterable[str] = (),
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
    ) -> PreparedRateTest:
        """Build the model once, to run the test for many values of some parameters.

        Parameters
        ----------
        model, parameters, solver, var_pts
            As for `run`.
        varying : iterable of str, optional
            Parameters that later runs may change; what follows from them may change too.

        Returns
        -------
        PreparedRateTest

        Raises
        ------
        OptionError
            If model and parameters are not those of one cell, or for a solver or mesh that is not
            allowed, or a solver that cannot do this.
        """
        model, parameters = cell_of(model, parameters, solver, "a rate test")
        return PreparedRateTest(self, model, parameters, varying, solver, var_pts)

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON keeps it: ``RateTest(**test.to_dict())`` is the same."""
        return {
            "rates": self.rates,
            "charge_rate": self.charge_rate,
            "cycles": self.cycles,
            "initial_state_of_charge": self.initial_state_of_charge,
            "hold": self.hold,
            "rest": self.rest,
        }

    def __repr__(self) -> str:
        given = {k: v for k, v in self.to_dict().items() if k != "rates"}
        defaults = RateTest([1.0]).to_dict()
        others = "".join(f", {k}={v!r}" for k, v in given.items() if v != defaults[k])
        return f"RateTest({self.rates}{others})"

    def half_cycles(self) -> Iterator[tuple[float, float, str, int]]:
        """The half-cycles in order, as (rate of the row, its own C-rate, direction, cycle)."""
        for rate in self.rates:
            for cycle in range(1, self.cycles + 1):
                yield rate, self.charge_rate or rate, "charge", cycle
                yield rate, rate, "discharge", cycle

    def schedule(self, parameters: Mapping[str, float]) -> list[Planned]:
        """The steps in order, in SI units for a cell."""
        one_c, planned = parameters[ONE_C], []
        # more than all the sodium that can move: the potential ends a half-cycle before
        limit = 1.05 * sodium(parameters)
        cut_offs = {"discharge": parameters[LOWER], "charge": parameters[UPPER]}
        for number, (_, rate, direction, _) in enumerate(self.half_cycles()):
            current = rate * one_c * (1 if direction == "discharge" else -1)
            cut_off, cycle = cut_offs[direction], 1 + number // 2
            name = f"{direction} at {rate:g} C"
            step = Step.to_cut_off(current, cut_off, limit / abs(current))
            text = f"{direction.capitalize()} at {rate:g} C until {cut_off:g} V"
            planned.append(Planned(step, text, cycle, (direction, HALF_CYCLE, f"the {name}")))
            if direction == "charge" and self.hold is not None:
                step, text = self._held(cut_off, one_c, limit)
                planned.append(Planned(step, text, cycle, (HOLD, f"the hold after the {name}")))
            if self.rest is not None:
                step, text = Step(Control.CURRENT, 0.0, self.rest), _rest(self.rest)
                planned.append(Planned(step, text, cycle, ("rest", f"the rest after the {name}")))
        return planned

    def _held(self, voltage: float, one_c: float, limit: float) -> tuple[Step, str]:
        """The hold for a cell, and its text."""
        rate, seconds = self._hold
        if rate is None:
            step = Step(Control.VOLTAGE, voltage, seconds)
            return step, f"Hold at {voltage:g} V for {seconds:g} seconds"
        # as long as it takes all the sodium at the least of its currents
        end = End(Measure.CURRENT_SIZE, rate * one_c, rising=False)
        step = Step(Control.VOLTAGE, voltage, limit / end.value, (end,), open_ended=True)
        return step, f"Hold at {voltage:g} V until {rate:g} C"

    @property
    def _hold(self) -> tuple[float | None, float]:
        """C-rate at which the hold ends, or None and the time after which it does [s]."""
        if isinstance(self.hold, str):
            return None, float(self.hold.removesuffix(SECONDS))
        return self.hold, 0.0

    def to_protocol(self) -> TestProtocol:
        """The same as a `Protocol`, which gives one row a step instead of one a rate."""
        rate, seconds = self._hold
        held = f"for {seconds!r} seconds" if rate is None else f"until {rate!r} C"
        cycles: dict[int, list[str]] = {}
        for number, (_, own, direction, _) in enumerate(self.half_cycles()):
            steps = cycles.setdefault(number // 2, [])
            steps.append(f"{direction.capitalize()} at {own!r} C until cut-off")
            if direction == "charge" and self.hold is not None:
                steps.append(f"Hold at upper cut-off {held}")
            if self.rest is not None:
                steps.append(_rest(self.rest))
        groups = [tuple(steps) for steps in cycles.values()]
        return TestProtocol(groups, initial_state_of_charge=self.initial_state_of_charge)


def _rest(seconds: float) -> str:
    return f"Rest for {seconds!r} seconds"
