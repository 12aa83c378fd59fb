"""The rate test: charge and discharge one cell at a sequence of rates."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import numbers
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pybamm
from tqdm import tqdm

from ssnib_model import provenance
from ssnib_model.errors import OptionError, ParameterError, ValidityWarning
from ssnib_model.files import writing
from ssnib_model.models import default_model
from ssnib_model.models.base import SOLVER_OPTIONS
from ssnib_model.models.names import MODELS
from ssnib_model.parameters import ParameterSet
from ssnib_model.preflight import CURRENT, INITIAL, Preflight

if TYPE_CHECKING:
    from ssnib_model.structured import StructuredSolver

#: A half-cycle starts beyond its cut-off: the ohmic drop alone exceeds the window.
AT_START = "cut-off reached at start"

#: A discharge that ended because the alloy had no sodium left, not the cathode no room.
ANODE_EMPTY = "anode empty"
#: Rise of the alloy's potential [V] that says so: more than all its plateaus span.
ANODE_EMPTY_RISE = 0.6

#: Variable of the reduced model, and where its voltage is off by about 1 % of the polarization.
UNIFORMITY = "Reaction uniformity number"
UNIFORMITY_LIMIT = 2.0

#: C-rates that are run: from a charge of a year to one of some seconds.
RATE_RANGE = (1e-4, 1e3)

#: Cycles at one rate, of which every solution is kept.
MAX_CYCLES = 10_000

LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
PROTOCOL_INPUTS = (CURRENT, INITIAL, LOWER, UPPER)
FAR_AWAY = 1e3  # V
SAMPLES = 201

GAVE_UP = "failed: the solver gave up"
#: What the failures of IDAKLU mean, by their names in SUNDIALS.
MEANINGS = {
    "IDA_ERR_FAIL": "steps too many or too short",
    "IDA_CONV_FAIL": "no convergence of Newton's method",
    "IDA_LINESEARCH_FAIL": "no potentials that go with the state at the start",
    "IDA_NO_RECOVERY": "no potentials that go with the state at the start",
    "IDA_LSETUP_FAIL": "a linear system without a solution",
    "IDA_LSOLVE_FAIL": "a linear system without a solution",
    "IDA_FIRST_RES_FAIL": "equations without a value",
    "IDA_REP_RES_ERR": "equations without a value",
    "IDA_RES_FAIL": "equations without a value",
}
#: Of one half-cycle, which takes some hundred: round-off may make the steps as short as it likes.
MAX_STEPS = 10_000
#: What is tried on the same mesh where the solver gives up: name and options of the next one.
RECOVERIES = {
    "a first step of 1 ns": {"dt_init": 1e-9},
    # each step takes long
    "the dense linear solver": {
        "linear_solver": "SUNLinSol_Dense", "jacobian": "dense",
        "num_steps_no_progress": MAX_STEPS // 5,
    },
}  # fmt: skip
#: What is tried after that, with all half-cycles.
FINER = "the whole test on a mesh twice as fine"

TABLE_COLUMNS = (
    "C-rate",
    "Charge capacity [mA.h.g-1]",
    "Discharge capacity [mA.h.g-1]",
    "Polarization [V]",
    "Mean charge voltage [V]",
    "Mean discharge voltage [V]",
    "Energy efficiency",
    "Coulombic efficiency",
    "Status",
)


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge at constant current, and how it ended.

    Attributes
    ----------
    rate : float
        C-rate, positive.
    direction : str
        "charge" or "discharge".
    cycle : int
        Number of the cycle at this rate, from 1.
    current : float
        Current [A], positive on discharge.
    status : str
        "ok", "cut-off reached at start", "anode empty" or "failed: <reason>".
    solution : pybamm.Solution or None
        None where there was nothing to solve.
    reason : str
        Why it could not start at all; "" where it could.
    recovery : str
        What it took to solve it; "" where the solver did at once.
    """

    rate: float
    direction: str
    cycle: int
    current: float
    status: str
    solution: pybamm.Solution | None = None
    reason: str = ""
    recovery: str = ""

    @property
    def duration(self) -> float:
        """Time to the cut-off [s]."""
        return 0.0 if self.solution is None else self.solution.t[-1] - self.solution.t[0]

    @property
    def capacity(self) -> float:
        """Charge passed [A.h]; NaN if the half-cycle failed."""
        failed = self.status.startswith("failed")
        return math.nan if failed else abs(self.current) * self.duration / 3600

    @functools.cached_property
    def energy(self) -> float:
        """Energy passed [W.h]; NaN if the half-cycle failed."""
        if self.solution is None:
            return self.capacity * math.nan if self.status != AT_START else 0.0
        start, end = self.solution["Discharge energy [W.h]"](t=self.solution.t[[0, -1]])
        return float(abs(end - start))

    def at(self, variable: str, fraction) -> np.ndarray:
        """A variable at fractions of the half-cycle (0 to 1); NaN if there is no solution."""
        fraction = np.asarray(fraction, dtype=float)
        if self.solution is None:
            return np.full_like(fraction, math.nan)
        # the products may miss the ends by round-off, outside the interpolant
        start, end = self.solution.t[0], self.solution.t[-1]
        times = np.clip(start + fraction * (end - start), start, end)
        return self.solution[variable](t=times)


def half_cycle_solver(rtol: float, atol: float, options: dict | None = None):
    """IDAKLU for a half-cycle, in which it gives up after `MAX_STEPS`."""
    # "no progress" by a time that no half-cycle takes; its own "max_num_steps" counts no steps
    limit = {"num_steps_no_progress": MAX_STEPS, "t_no_progress": 1e15}
    return pybamm.IDAKLUSolver(rtol, atol, options=SOLVER_OPTIONS | limit | (options or {}))


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
        rates = [rates] if isinstance(rates, numbers.Real | str) else rates
        self.rates = [_positive(rate, "rates") for rate in rates]
        if not self.rates:
            raise OptionError("rates is empty: give at least one C-rate, 0.2 for example")
        self.charge_rate = None if charge_rate is None else _positive(charge_rate, "charge_rate")
        whole = isinstance(cycles, numbers.Integral) and not isinstance(cycles, bool)
        if not whole or not 1 <= cycles <= MAX_CYCLES:
            raise OptionError(
                f"cycles is {cycles!r}: it must be a whole number from 1 to {MAX_CYCLES}"
            )
        self.cycles = int(cycles)
        soc = initial_state_of_charge
        if soc is not None and not (isinstance(soc, numbers.Real) and 0 < soc < 1):
            raise OptionError(
                f"initial_state_of_charge is {soc!r}: it must be between 0 and 1, both excluded"
            )
        self.initial_state_of_charge = soc

    def run(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        solver: pybamm.BaseSolver | StructuredSolver | None = None,
        var_pts: dict | None = None,
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
        solver : pybamm.BaseSolver or StructuredSolver, optional
            Default: that of the model.
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
        half_cycles = prepared.half_cycles(prepared.parameters, progress=progress)
        result = RateTestResult(
            self, prepared.parameters, half_cycles, prepared.model_name, prepared.settings
        )
        for note in result.notes:
            warnings.warn(note, ValidityWarning, stacklevel=2)
        return result

    def prepare(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        varying: Iterable[str] = (),
        solver: pybamm.BaseSolver | StructuredSolver | None = None,
        var_pts: dict | None = None,
    ) -> PreparedRateTest:
        """Build the model once, to run the test for many values of some parameters.

        Parameters
        ----------
        model, parameters, solver, var_pts
            As for `run`.
        varying : iterable of str, optional
            Parameters of the model that later runs may change.

        Returns
        -------
        PreparedRateTest
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
        from ssnib_model.structured import StructuredRateTest, StructuredSolver

        model = default_model(parameters.model_options) if model is None else model
        structured = isinstance(solver, StructuredSolver)
        prepared = StructuredRateTest if structured else PreparedRateTest
        return prepared(self, model, parameters, varying, solver, var_pts)

    def schedule(self) -> Iterator[tuple[float, float, str, int]]:
        """The half-cycles in order, as (rate of the row, its own C-rate, direction, cycle)."""
        for rate in self.rates:
            for cycle in range(1, self.cycles + 1):
                yield rate, self.charge_rate or rate, "charge", cycle
                yield rate, rate, "discharge", cycle


class PreparedRateTest:
    """A rate test on one model built once; see `RateTest.prepare`."""

    _may_be_finer = False

    def __init__(self, test: RateTest, model, parameters: ParameterSet, varying, solver, var_pts):
        self.test, self.parameters, self.model_name = test, parameters, model.name
        self.settings = _settings(model, solver, var_pts)
        values = parameters.to_pybamm()
        self._varying = sorted(set(varying) - set(PROTOCOL_INPUTS))
        values.update({name: "[input]" for name in (*PROTOCOL_INPUTS, *self._varying)})
        self._inputs, self._one_c = None, None
        self._preflight = Preflight(model.options, values)
        self._set_up(model, values, solver, var_pts)

    def _set_up(self, model, values: pybamm.ParameterValues, solver, var_pts) -> None:
        if solver is None:
            solver = half_cycle_solver(model.default_solver.rtol, model.default_solver.atol)
        self._simulation = pybamm.Simulation(
            model.new_copy(), parameter_values=values, solver=solver, var_pts=var_pts
        )
        self._model, self._may_be_finer = model, True

    def half_cycles(self, parameters: ParameterSet, progress: bool = False) -> list[HalfCycle]:
        """All half-cycles for ``parameters``, which differ in varying parameters only.

        The same parameters again, as for several curves of one test, are not solved again.
        """
        before = self._inputs, self._one_c
        self._start(parameters)
        if (self._inputs, self._one_c) != before:
            schedule = list(self.test.schedule())
            bar = tqdm(schedule, desc="Rate test", unit="half-cycle", disable=not progress)
            self._latest = [self._half_cycle(*step) for step in bar]
            if any(h.status.startswith(GAVE_UP) for h in self._latest):
                self._latest = self._on_finer_mesh(parameters) or self._latest
        return self._latest

    def _start(self, parameters: ParameterSet) -> None:
        soc = self.test.initial_state_of_charge
        self._inputs = {name: parameters[name] for name in (*PROTOCOL_INPUTS, *self._varying)}
        self._inputs[INITIAL] = parameters["As-made state of charge"] if soc is None else soc
        self._one_c = parameters["Nominal cell capacity [A.h]"]
        # more than all the sodium that can move: the potential ends a half-cycle before
        sodium = "Maximum concentration in positive electrode [mol.m-3]"
        self._charge_limit = 1.05 * (
            parameters[sodium]
            * parameters["Positive electrode active material volume fraction"]
            * parameters["Positive electrode thickness [m]"]
            * parameters["Electrode area [m2]"]
            * pybamm.constants.F.value
        )
        self._passed = 0.0  # charge since the start of the test [C]
        impossible = self._preflight.impossible(self._inputs)
        self._failure = f"failed: {impossible}" if impossible else None
        self._reset()

    def _reset(self) -> None:
        """The state is that of the start of the test."""
        self._state = pybamm.EmptySolution()

    def _half_cycle(self, row: float, rate: float, direction: str, cycle: int) -> HalfCycle:
        """Go on from the present state to the cut-off; never raises for a failed solve."""
        current = rate * self._one_c * (1 if direction == "discharge" else -1)
        reason = self._recovery = ""
        status, solution = (self._failure, None) if self._failure else self._solve(current)
        if solution is not None:
            self._carry_on(solution)
            self._passed += current * (solution.t[-1] - solution.t[0])
        elif status == AT_START:
            inputs = {**self._inputs, CURRENT: current}
            reason = self._preflight.why_at_start(inputs, self._passed)
        elif not self._failure:
            self._failure = f"failed: the {direction} at {rate:g} C before it failed"
        return HalfCycle(row, direction, cycle, current, status, solution, reason, self._recovery)

    def _carry_on(self, solution: pybamm.Solution) -> None:
        """The state is that of the end of a half-cycle."""
        # at time 0 again, where short time constants can be resolved; a solution that ended
        # at a cut-off would refuse to go on, and one asked for its `last_state` refers to itself;
        # a copy, because a view would keep the whole solution
        self._state = pybamm.Solution(
            np.array([0.0]),
            solution.all_ys[-1][:, -1:].copy(),
            solution.all_models[-1],
            solution.all_inputs[-1],
            termination="final time",
        )

    def _solve(self, current: float) -> tuple[str, pybamm.Solution | None]:
        # a charge may start below the lower cut-off, a discharge above the upper one
        unused = {LOWER: -FAR_AWAY} if current < 0 else {UPPER: FAR_AWAY}
        first_error = None
        for recovery, solver in self._solvers.items():
            self._recovery = recovery
            try:
                solution = self._simulation.step(
                    self._charge_limit / abs(current),
                    solver=solver,
                    starting_solution=self._state,
                    inputs={**self._inputs, **unused, CURRENT: current},
                    save=False,
                )
                break
            except pybamm.SolverError as error:
                if "non-positive at initial conditions" in str(error):
                    return AT_START, None
                first_error = first_error or error
        else:
            self._recovery = ""
            return f"{GAVE_UP} ({_in_words(first_error)})", None
        if not solution.termination.startswith("event"):
            return "failed: no cut-off was reached with all the sodium moved", None
        return ended(solution), solution

    @functools.cached_property
    def _solvers(self) -> dict[str, pybamm.BaseSolver]:
        """The solver of the test, and those that take over where it gives up."""
        own = self._simulation.solver
        recoveries = {
            name: half_cycle_solver(own.rtol, own.atol, options)
            for name, options in RECOVERIES.items()
        }
        return {"": own, **recoveries}

    def _on_finer_mesh(self, parameters: ParameterSet) -> list[HalfCycle] | None:
        """All half-cycles again on a mesh twice as fine; None if that is of no use."""
        if not self._may_be_finer:
            return None
        half_cycles = self._finer.half_cycles(parameters)
        if any(h.status.startswith("failed") for h in half_cycles):
            return None
        return [dataclasses.replace(h, recovery=FINER) for h in half_cycles]

    @functools.cached_property
    def _finer(self) -> PreparedRateTest:
        simulation = self._simulation
        finer = PreparedRateTest(
            self.test,
            self._model,
            self.parameters,
            self._varying,
            simulation.solver.copy(),
            {name: 2 * points for name, points in simulation.var_pts.items()},
        )
        finer._may_be_finer = False
        return finer


def _in_words(error: pybamm.SolverError) -> str:
    """Why a solver failed."""
    sentence = str(error).splitlines()[0]
    code = re.search(r"IDA_\w+", sentence)
    return MEANINGS.get(code[0], "a fault of the integrator") if code else sentence


def ended(solution) -> str:
    """Status of a half-cycle that reached its cut-off."""
    anode = solution["Negative electrode open-circuit potential [V]"]
    start, end = anode(t=solution.t[[0, -1]])
    return ANODE_EMPTY if end - start > ANODE_EMPTY_RISE else "ok"


class RateTestResult:
    """What a rate test gave.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a rate, columns `TABLE_COLUMNS`. "Polarization [V]" is the charge minus the
        discharge voltage at half of the respective capacity.
    rows : list of dict
        The rows of the table.
    curves : pandas.DataFrame
        Tidy: "C-rate", "Cycle", "Direction", "Time [s]", "Current [A]", "Voltage [V]",
        "Capacity [mA.h.g-1]"; time and capacity count from the start of the half-cycle.
    half_cycles : list of HalfCycle
        Every half-cycle with its PyBaMM solution.
    """

    def __init__(
        self,
        test: RateTest,
        parameters: ParameterSet,
        half_cycles,
        model_name: str,
        settings: dict | None = None,
    ):
        self.test, self.parameters, self.half_cycles = test, parameters, half_cycles
        self.model_name, self._settings = model_name, settings
        self.mass = parameters["Positive electrode active material mass [kg]"]
        self.one_c = parameters["Nominal cell capacity [A.h]"]
        self.rows = [self._row(*pair) for pair in self._last_cycles()]

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=TABLE_COLUMNS)

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        return pd.concat([self._curve(h) for h in self.half_cycles], ignore_index=True)

    def _last_cycles(self) -> Iterator[tuple[HalfCycle, HalfCycle]]:
        per_rate = 2 * self.test.cycles
        for end in range(per_rate, len(self.half_cycles) + 1, per_rate):
            yield self.half_cycles[end - 2], self.half_cycles[end - 1]

    def _row(self, charge: HalfCycle, discharge: HalfCycle) -> dict:
        statuses = [h.status for h in (charge, discharge) if h.status != "ok"]
        failed = [s for s in statuses if s.startswith("failed")]
        specific = {h.direction: h.capacity / self.mass for h in (charge, discharge)}
        return {
            "C-rate": discharge.rate,
            "Charge capacity [mA.h.g-1]": specific["charge"],
            "Discharge capacity [mA.h.g-1]": specific["discharge"],
            "Polarization [V]": float(charge.at("Voltage [V]", 0.5))
            - float(discharge.at("Voltage [V]", 0.5)),
            "Mean charge voltage [V]": _ratio(charge.energy, charge.capacity),
            "Mean discharge voltage [V]": _ratio(discharge.energy, discharge.capacity),
            "Energy efficiency": _ratio(discharge.energy, charge.energy),
            "Coulombic efficiency": _ratio(discharge.capacity, charge.capacity),
            "Status": (failed or statuses or ["ok"])[0],
        }

    def _curve(self, half_cycle: HalfCycle) -> pd.DataFrame:
        fraction = np.linspace(0, 1, SAMPLES if half_cycle.solution else 0)
        time = fraction * half_cycle.duration
        capacity = abs(half_cycle.current) * time / 3600 / self.mass
        return pd.DataFrame(
            {
                "C-rate": half_cycle.rate,
                "Cycle": half_cycle.cycle,
                "Direction": half_cycle.direction,
                "Time [s]": time,
                "Current [A]": half_cycle.current,
                "Voltage [V]": half_cycle.at("Voltage [V]", fraction),
                "Capacity [mA.h.g-1]": capacity,
            }
        )

    def compare(self) -> pd.DataFrame:
        """Predictions beside the measurements that come with the set.

        Returns
        -------
        pandas.DataFrame
            One row a measured value at a rate of this test and within 5 K of its
            temperature: "Data", "C-rate", "Quantity", "Measured", "Model", "Difference"
            (model minus measured).
        """
        rows = []
        temperature = self.parameters["Ambient temperature [K]"]
        model = self.table.drop_duplicates("C-rate", keep="last").set_index("C-rate")
        for name, data in self.parameters.measured.items():
            near = data[(data["Ambient temperature [K]"] - temperature).abs() <= 5]
            for quantity in near.columns.intersection(model.columns):
                for rate, measured in zip(near["C-rate"], near[quantity], strict=True):
                    if rate in model.index and np.isfinite(measured):
                        predicted = model.loc[rate, quantity]
                        rows.append((name, rate, quantity, measured, predicted))
        columns = ["Data", "C-rate", "Quantity", "Measured", "Model"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(Difference=frame["Model"] - frame["Measured"])

    def breakdown(self, rate: float, at=0.5, direction: str = "discharge"):
        """Overpotentials [V] of the last cycle at a rate.

        Parameters
        ----------
        rate : float
            A C-rate of the test.
        at : float or array_like, optional
            Fractions of the half-cycle, 0 to 1.
        direction : str, optional
            "discharge" or "charge".

        Returns
        -------
        pandas.Series or pandas.DataFrame
            By name, negative on discharge; one row a fraction if ``at`` is an array. They add
            up to the voltage minus the open-circuit voltage of the mean composition.

        Raises
        ------
        OptionError
            If the test has no such half-cycle, or it has no solution.
        """
        half_cycle = self._half_cycle(rate, direction)
        fractions = np.asarray(at, dtype=float)
        if not ((fractions >= 0) & (fractions <= 1)).all():
            raise OptionError(f"at is {at!r}: it must be a fraction of the half-cycle, 0 to 1")
        ending = " overpotential [V]"
        names = [n for n in half_cycle.solution.all_models[0].variables if n.endswith(ending)]
        values = {name.removesuffix(ending): half_cycle.at(name, fractions) for name in names}
        if fractions.ndim == 0:
            values = {name: float(value) for name, value in values.items()}
            return pd.Series(values, name=f"{direction} at {rate:g} C")
        return pd.DataFrame(values, index=pd.Index(fractions, name="Fraction"))

    def _half_cycle(self, rate: float, direction: str) -> HalfCycle:
        matching = [h for h in self.half_cycles if (h.rate, h.direction) == (rate, direction)]
        if not matching:
            raise OptionError(
                f"the test has no {direction!r} at rate {rate!r}: rates are {self.test.rates}, "
                'directions "charge" and "discharge"'
            )
        if matching[-1].solution is None:
            raise OptionError(
                f"no breakdown for the {direction} at {rate:g} C: {matching[-1].status}"
            )
        return matching[-1]

    @functools.cached_property
    def notes(self) -> list[str]:
        """What there is to say about the validity of the result, one sentence each."""
        values = self.parameters.to_pybamm()
        values.update({INITIAL: "[input]"})
        # the anode's balance does not depend on where the test starts
        notes = Preflight(self.parameters.model_options, values).anode_notes({})
        for h in self.half_cycles:
            half_cycle = f"the {h.direction} at {abs(h.current) / self.one_c:g} C"
            if h.reason:
                notes.append(f"{half_cycle} cannot start: {h.reason}")
            if h.recovery:
                notes.append(f"{half_cycle} was solved with {h.recovery}")
        largest = max((float(h.at(UNIFORMITY, 0.5)) for h in self._reduced()), default=0.0)
        if largest > UNIFORMITY_LIMIT:
            notes.append(
                f"the reaction is not uniform over the composite (reaction uniformity number "
                f"{largest:.2g}, limit {UNIFORMITY_LIMIT:g}): use the full model, dfn"
            )
        return list(dict.fromkeys(notes))  # once, however many cycles

    def _reduced(self) -> Iterator[HalfCycle]:
        for half_cycle in self.half_cycles:
            if half_cycle.solution and UNIFORMITY in half_cycle.solution.all_models[0].variables:
                yield half_cycle

    @property
    def ok(self) -> bool:
        """Whether every rate gave an answer (a cut-off reached at start is one)."""
        return not self.table["Status"].str.startswith("failed").any()

    def to_dict(self) -> dict:
        """Everything to read the result and to repeat the run (`repeat_run`), ready for JSON."""
        changed = {n: i.value for n, i in self.parameters.given.items() if i.kind == "user"}
        values = {n: v for n, v in self.parameters.items() if isinstance(v, float)}
        try:
            files = self.parameters.files()
        except ParameterError:  # a Python function cannot be written down
            files = None
        return {
            "versions": provenance.versions(),
            "model": self.model_name,
            "settings": self._settings,
            "test": {
                "rates": self.test.rates,
                "charge_rate": self.test.charge_rate,
                "cycles": self.test.cycles,
                "initial_state_of_charge": self.test.initial_state_of_charge,
            },
            "parameters": {
                "set": self.parameters.name,
                "changed": {n: v if isinstance(v, float) else str(v) for n, v in changed.items()},
                "values": values,
                "sha256": files and provenance.digest(files),
                "files": files,
            },
            "notes": self.notes,
            "table": _records(self.table),
            "comparison": _records(self.compare()),
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``table.csv``, ``curves.csv``, ``comparison.csv``, ``run.json`` and the plots.

        Raises
        ------
        SSNIBError
            If the folder cannot be written.
        """
        from ssnib_model.plotting import save_rate_test

        with writing(folder) as folder:
            self.table.to_csv(folder / "table.csv", index=False)
            self.curves.to_csv(folder / "curves.csv", index=False)
            self.compare().to_csv(folder / "comparison.csv", index=False)
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "run.json").write_text(text + "\n")
            save_rate_test(self, folder)
        return folder


def _settings(model, solver, var_pts: dict | None) -> dict:
    """How a test was run, to run it again."""
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in model.options.items()}
    if dataclasses.is_dataclass(solver):
        solver = dataclasses.asdict(solver)
    elif solver is not None:
        solver = type(solver).__name__
    names = {model_class: name for name, model_class in MODELS.items()}
    return {
        "model": names.get(type(model), type(model).__name__),
        "options": options,
        "solver": solver,
        "var_pts": var_pts and {str(name): points for name, points in var_pts.items()},
    }


def _records(frame: pd.DataFrame) -> list[dict]:
    """Rows as dictionaries, with None for NaN."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def _positive(value, name: str) -> float:
    low, high = RATE_RANGE
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise OptionError(
            f"{name} has {value!r}: a C-rate must be a positive number from {low:g} to {high:g}"
        )
    return float(value)
