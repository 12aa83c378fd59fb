"""The rate test: charge and discharge one cell at a sequence of rates."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.models import default_model
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.protocol.prepared import PreparedRateTest
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.solvers.choice import AUTO, Solver, named

#: C-rates that are run: from a charge of a year to one of some seconds.
RATE_RANGE = (1e-4, 1e3)

#: Cycles at one rate, of which every solution is kept.
MAX_CYCLES = 10_000


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
    ):
        several: Any = [rates] if isinstance(rates, numbers.Real | str) else rates
        self.rates = [_positive(rate, "rates") for rate in several]
        if not self.rates:
            raise OptionError("rates is empty: give at least one C-rate, 0.2 for example")
        self.charge_rate = None if charge_rate is None else _positive(charge_rate, "charge_rate")
        self.cycles = _cycles(cycles)
        soc = initial_state_of_charge
        self.initial_state_of_charge = None if soc is None else _state_of_charge(soc)

    def run(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
        progress: bool = False,
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

        Returns
        -------
        RateTestResult
            One row a rate, whatever happened to it.
        """
        prepared = self.prepare(model, parameters, solver=solver, var_pts=var_pts)
        result = prepared.result(prepared.parameters, progress=progress)
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
        parameters = ParameterSet("Hu2024") if parameters is None else parameters
        if not isinstance(parameters, ParameterSet):
            raise OptionError(
                f"parameters is a {type(parameters).__name__}: a ParameterSet is needed, "
                'ParameterSet("Hu2024") for example'
            )
        if parameters.model_options["positive electrode"] == "alloy":
            raise OptionError(
                f"{parameters.name} is a symmetric cell: a rate test needs a cathode"
            )
        solver = named(solver)
        model = default_model(parameters.model_options) if model is None else model
        parameters = _of_one_cell(model, parameters)
        return PreparedRateTest(self, model, parameters, varying, solver, var_pts)

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON keeps it: ``RateTest(**test.to_dict())`` is the same."""
        return {
            "rates": self.rates,
            "charge_rate": self.charge_rate,
            "cycles": self.cycles,
            "initial_state_of_charge": self.initial_state_of_charge,
        }

    def __repr__(self) -> str:
        given = {k: v for k, v in self.to_dict().items() if k != "rates"}
        defaults = RateTest([1.0]).to_dict()
        others = "".join(f", {k}={v!r}" for k, v in given.items() if v != defaults[k])
        return f"RateTest({self.rates}{others})"

    def schedule(self) -> Iterator[tuple[float, float, str, int]]:
        """The half-cycles in order, as (rate of the row, its own C-rate, direction, cycle)."""
        for rate in self.rates:
            for cycle in range(1, self.cycles + 1):
                yield rate, self.charge_rate or rate, "charge", cycle
                yield rate, rate, "discharge", cycle


def _positive(value: Any, name: str) -> float:
    low, high = RATE_RANGE
    if not _is_number(value) or not low <= value <= high:
        raise OptionError(
            f"{name} has {value!r}: a C-rate must be a positive number from {low:g} to {high:g}"
        )
    return float(value)


def _cycles(value: Any) -> int:
    whole = isinstance(value, numbers.Integral) and _is_number(value)
    if not whole or not 1 <= value <= MAX_CYCLES:
        raise OptionError(f"cycles is {value!r}: it must be a whole number from 1 to {MAX_CYCLES}")
    return int(value)


def _state_of_charge(value: Any) -> float:
    if not _is_number(value) or not 0 < value < 1:
        raise OptionError(
            f"initial_state_of_charge is {value!r}: it must be between 0 and 1, both excluded"
        )
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _of_one_cell(model: Any, parameters: ParameterSet) -> ParameterSet:
    """The parameters with the options of the model, where these say more than the set's.

    A set that asks for something, size classes for example, must not be run without it; a model
    that asks for more than the set is believed.
    """
    if not isinstance(model, SolidStateBaseModel):
        raise OptionError(
            f"model is a {type(model).__name__}: a model of this package is needed, or one "
            "derived from it"
        )
    own, default = parameters.model_options, ModelOptions()
    for option, value in own.items():
        asked = model.options[option]
        if asked != value and (option == "electrolyte layers" or value != default[option]):
            raise OptionError(
                f'the model has "{option}" = {asked!r} and the parameters {parameters.name} have '
                f"{value!r}: make it with the options of the set, parameters.model_options"
            )
    return parameters if model.options == own else parameters.replace({}, model.options)
