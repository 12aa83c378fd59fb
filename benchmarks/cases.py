"""What is timed: discharges of our models and of stock PyBaMM, and their fine references."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pybamm

import ssnib_model as ss
from benchmarks.report import Targets
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.solvers.choice import Named

VOLTAGE, CURRENT = "Voltage [V]", "Current function [A]"
FRACTIONS = np.linspace(0.02, 0.98, 49)

#: Ours and its counterpart in PyBaMM.
MODELS = {
    "full": (ss.SolidStateDFN, pybamm.lithium_ion.DFN),
    "reduced": (ss.SolidStateSPM, pybamm.lithium_ion.SPM),
}
#: Names in `ss.fit` and `ss.sweep`.
SHORT = {"full": "dfn", "reduced": "spm"}

LOOSE, TIGHT, FINE = (1e-4, 1e-6), (1e-6, 1e-6), (1e-9, 1e-9)

#: Solvers of the package; the first is what a user gets who says nothing.
SOLVERS = DEFAULT, IDAKLU = ("structured", "idaklu")

#: Tolerances of a user who says nothing.
USUAL = {DEFAULT: LOOSE, IDAKLU: TIGHT}

#: What the rows call the stock models.
STOCK = {"full": "lithium_ion.DFN", "reduced": "lithium_ion.SPM"}

KAPPA = "Na3PS4 layer conductivity [S.m-1]"
D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"


@functools.cache
def hu2024() -> ss.ParameterSet:
    return ss.ParameterSet("Hu2024")


def tolerances(tolerance: tuple[float, float]) -> str:
    """As the names of the rows show them."""
    return "/".join(f"{x:.0e}".replace("e-0", "e-") for x in tolerance)


def idaklu(tolerance: tuple[float, float], **settings) -> pybamm.IDAKLUSolver:
    rtol, atol = tolerance
    return pybamm.IDAKLUSolver(rtol=rtol, atol=atol, **settings)


def solver_of(solver: str, tolerance: tuple[float, float]) -> Named:
    """One of the package's solvers at a tolerance."""
    return Named(solver, structured=tolerance, idaklu=tolerance)


def label(name: str, solver: str) -> str:
    return f"{name} [{solver}]"


def for_default(solver: str, targets: Targets) -> Targets | None:
    """The targets of what people get: nothing is asked of the other solver."""
    return targets if solver == DEFAULT else None


class Discharge:
    """The discharge at 1 C of a PyBaMM model by a plain ``pybamm.Simulation``.

    Parameters
    ----------
    kind : str
        "full" or "reduced".
    stock : bool
        PyBaMM's own model with Chen2020, or ours with Hu2024.
    tolerance : tuple of float
        rtol and atol.
    refine : int, optional
        Multiple of the mesh, which is 20 points in each direction for both.
    inputs : tuple of str, optional
        Parameters that may change from solve to solve.
    **settings
        Of the solver.
    """

    def __init__(self, kind, stock, tolerance, *, refine=1, inputs=(), **settings):
        model = MODELS[kind][stock]()
        if stock:
            values = pybamm.ParameterValues("Chen2020")
            self.one_c = values["Nominal cell capacity [A.h]"]
        else:
            values, self.one_c = hu2024().to_pybamm(), hu2024()["Nominal cell capacity [A.h]"]
        self.inputs = {CURRENT: self.one_c} | {name: float(values[name]) for name in inputs}
        values.update(dict.fromkeys(self.inputs, "[input]"))
        points = {name: refine * n for name, n in model.default_var_pts.items()}
        self.simulation = pybamm.Simulation(
            model, parameter_values=values, var_pts=points, solver=idaklu(tolerance, **settings)
        )

    def __call__(self, changes=None, t_end=5000.0, **settings):
        """Solve; ``changes`` is a dict of inputs, or a list of such for a batch."""
        if isinstance(changes, list):
            inputs = [self.inputs | change for change in changes]
        else:
            inputs = self.inputs | (changes or {})
        return self.simulation.solve([0, t_end], inputs=inputs, **settings)


class Chain:
    """A rate test on a model built once, as a user runs it.

    Every call takes other values, because the same ones again are not solved again.
    """

    def __init__(self, kind, test, solver, *, parameters=None, refine=1):
        parameters = hu2024() if parameters is None else parameters
        model = MODELS[kind][0](parameters.model_options)
        # None is what a user gets who says nothing about the mesh
        points = {n: refine * k for n, k in model.default_var_pts.items()} if refine else None
        self.test, self.kind = test, kind
        self.prepared = test.prepare(
            model, parameters, varying=[KAPPA], solver=solver, var_pts=points
        )
        changed = parameters.replace({KAPPA: 1.001 * parameters[KAPPA]})
        self._sets = itertools.cycle([changed, parameters])
        self.parameters = parameters

    def __call__(self) -> list[HalfCycle]:
        return self.prepared.half_cycles(next(self._sets))

    def result(self) -> ss.RateTestResult:
        """With the rows of its table."""
        parameters = next(self._sets)
        half_cycles = self.prepared.half_cycles(parameters)
        return ss.RateTestResult(self.test, parameters, half_cycles, self.kind)

    def curves(self) -> np.ndarray:
        """Of the set itself, one row a half-cycle that ran: voltages, then capacity."""
        half_cycles = self.prepared.half_cycles(self.parameters)
        ran = [h for h in half_cycles if h.duration > 0]
        return np.array([[*h.at(VOLTAGE, FRACTIONS), h.capacity] for h in ran])


def curve(solution: pybamm.Solution) -> np.ndarray:
    """Voltages at fractions of a discharge, then its duration."""
    duration = solution.t[-1] - solution.t[0]
    return np.append(solution[VOLTAGE](t=solution.t[0] + FRACTIONS * duration), duration)


@functools.cache
def reference_discharge(kind: str, stock: bool, refine: int) -> np.ndarray:
    return curve(Discharge(kind, stock, FINE, refine=refine)())


@functools.cache
def reference_chain(
    kind: str, rates: tuple[float, ...], refine: int, start: float | None = None
) -> np.ndarray:
    test = ss.RateTest(rates, initial_state_of_charge=start)
    return Chain(kind, test, idaklu(FINE), refine=refine).curves()


def deviation(found: np.ndarray, reference: np.ndarray) -> str:
    """Largest error of the voltages [mV] and of the capacities (relative)."""
    difference = np.atleast_2d(found - reference)
    capacities = np.abs(np.atleast_2d(reference)[:, -1])
    capacities = np.where(capacities > 0, capacities, capacities.max())  # nothing passes in a rest
    voltage = 1e3 * np.abs(difference[:, :-1]).max()
    return f"{voltage:.2g} mV, {np.abs(difference[:, -1] / capacities).max():.1e}"
