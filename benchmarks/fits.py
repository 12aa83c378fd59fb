"""Fits of three parameters, their gradient, the paper's fit, and PyBOP at the same task."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import math
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pybop

import ssnib_model as ss
from benchmarks.cases import (
    FINE,
    IDAKLU,
    J0,
    KAPPA,
    MODELS,
    SHORT,
    VOLTAGE,
    D,
    for_default,
    hu2024,
    idaklu,
    label,
)
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, interleaved
from ssnib_model.fits.problem import FitProblem
from ssnib_model.models import names

FREE = {KAPPA: (1e-3, 1.0), D: (1e-17, 1e-14), J0: (1e-3, 1.0)}
TRUTH = {KAPPA: 0.02, D: 3e-16, J0: 0.02}
NOISE = 1e-3  # V

#: Of a gradient: what the fit of the paper's cell has free, and the conductivities.
EIGHT = FREE | {
    "Positive electrode effective electronic conductivity [S.m-1]": (1e-3, 1.0),
    "Negative electrode|Na3PS4 interface resistance [Ohm.m2]": (3e-4, 3e-2),
    "Positive electrode accessible fraction": (0.8, 1.0),
    "Lower voltage cut-off [V]": (2.0, 2.8),
    "Upper voltage cut-off [V]": (3.8, 4.2),
}

#: From here there is nothing to charge: the test is one discharge, as PyBOP's is.
CHARGED = 0.99
SIX_RATES = (0.1, 0.2, 0.5, 1, 1.5, 2)

STUDY = Path(__file__).parents[1] / "studies" / "fit_hu2024" / "run.py"

#: PyBOP's two best on such a model, with their default tolerances; those with gradients stall.
OPTIMISERS = {
    "Nelder-Mead": lambda problem: pybop.SciPyMinimize(
        problem, pybop.SciPyMinimizeOptions(method="Nelder-Mead", jac=False)
    ),
    "CMAES": pybop.CMAES,
}

#: A sum of squares over the least one, above which an optimiser has not converged.
SAME_OPTIMUM = 1.01


def _truth(kind: str, test: ss.RateTest) -> pd.DataFrame:
    """The discharges of a test of the true cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        result = test.run(MODELS[kind][0](), hu2024().replace(TRUTH), solver=idaklu((1e-8, 1e-8)))
    return result.curves[result.curves["Direction"] == "discharge"]


def _data(kind: str, test: ss.RateTest) -> list[ss.CurveData]:
    """The same with noise, as data of a fit."""
    random, found = np.random.default_rng(4), []
    for rate, rows in _truth(kind, test).groupby("C-rate"):
        voltage = rows["Voltage [V]"] + random.normal(0, NOISE, len(rows))
        capacity = rows["Capacity [mA.h.g-1]"]
        sigmas = {"sigma_voltage": NOISE, "sigma_capacity": 0.1}
        found.append(ss.CurveData(f"{rate} C", capacity, voltage, rate, test=test, **sigmas))
    return found


def _recovered(result: ss.FitResult) -> str:
    """How far from the truth, in standard errors of the fit."""
    off = max(abs(result.values[n] - TRUTH[n]) / result.errors[n] for n in TRUTH)
    part = max(abs(result.values[n] / TRUTH[n] - 1) for n in TRUTH)
    return f"truth within {off:.1f} se, {100 * part:.1g} %"


def fit(settings: Settings, solver: str) -> list[Row]:
    """kappa, D and j0 from one curve at 1 C, and from six discharges of a rate test."""
    tasks = {
        "one curve at 1 C": (
            ss.RateTest([1], initial_state_of_charge=CHARGED),
            Targets(1, 0.5, 0.1),
        ),
        "six rates": (ss.RateTest(SIX_RATES), Targets(6, 3, 0.5)),
    }
    rows = []
    for name, (test, targets) in tasks.items():
        for kind in settings.kinds:
            data, results = _data(kind, test), []
            (seconds,) = interleaved(
                lambda kind=kind, data=data, results=results: results.append(
                    ss.fit(hu2024(), data, FREE, model=SHORT[kind], solver=solver)
                ),
                repeats=settings.long_repeats,
                warm_up=False,
            )
            rows.append(
                Row(
                    label(f"fit of 3 parameters, {name}, {kind}", solver),
                    seconds,
                    "s",
                    judged="ours",
                    targets=targets,
                    error=_recovered(results[-1]),
                )
            )
    return rows


def paper_fit(settings: Settings) -> list[Row]:
    """Five parameters and three tests of the paper's cell, as ``studies/fit_hu2024`` has it."""
    spec = importlib.util.spec_from_file_location("fit_hu2024", STUDY)
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    name = "reduced" if settings.quick else "reduced, then full"
    began = time.perf_counter()
    result = study.fit_variant(hu2024(), "one size", settings.quick)
    seconds = time.perf_counter() - began
    error = f"chi2 {result.cost:.4g}, {result.solves} simulations"
    return [Row(f"the paper's fit, 5 parameters, {name}", seconds, "s", error=error)]


def gradient(settings: Settings, solver: str) -> list[Row]:
    """The Jacobian of a fit, across cut-offs, next to one run without derivatives."""
    rows = []
    for kind in settings.kinds:
        problem = _problem(kind, solver)
        unit = problem.start()
        elsewhere = itertools.cycle([unit + 1e-3, unit])  # the same again is not solved again
        once, whole = interleaved(
            lambda p=problem, at=elsewhere: p.simulate(next(at)),
            lambda p=problem, u=unit: p.jacobian(u),
            repeats=settings.long_repeats,
        )
        found = problem.jacobian(unit)
        off = np.abs(found - _differences(kind)).max(axis=0)
        error = 100 * (off / np.abs(found).max(axis=0)).max()
        rows.append(
            Row(
                label(f"8 gradients of V(t) and capacities, six rates, {kind}", solver),
                1e3 * whole,
                "ms",
                1e3 * once,
                "a plain run",
                whole / once,
                targets=for_default(solver, Targets(4, 3, 2)),
                error=f"{error:.1g} % of each largest",
            )
        )
    return rows


def _problem(kind: str, solver: str) -> FitProblem:
    """Six discharges and `EIGHT` free parameters."""
    free = [ss.Free(name, *bounds) for name, bounds in EIGHT.items()]
    return FitProblem(hu2024(), _data(kind, ss.RateTest(SIX_RATES)), free, SHORT[kind], solver)


@functools.cache
def _differences(kind: str) -> np.ndarray:
    """d(residuals)/d(unit) by central differences with one Richardson step, at tight tolerance."""
    problem, test = _problem(kind, IDAKLU), ss.RateTest(SIX_RATES)
    unit = problem.start()
    prepared = test.prepare(
        names.MODELS[problem.model](), hu2024(), varying=EIGHT, solver=idaklu(FINE)
    )
    mass = hu2024()["Positive electrode active material mass [kg]"]

    def values(at: np.ndarray) -> np.ndarray:
        half_cycles = prepared.half_cycles(problem.parameters_for(at, None))
        discharges = {h.rate: h for h in half_cycles if h.direction == "discharge"}
        return np.concatenate(
            [
                [*discharges[rate].at(VOLTAGE, d.fractions), discharges[rate].capacity / mass]
                for rate, d in zip(test.rates, problem.data, strict=True)
            ]
        )

    columns = []
    for step in 4e-3 * np.eye(len(unit)):
        coarse, fine = (
            (values(unit + s * step) - values(unit - s * step)) / (2 * s * step.max())
            for s in (1, 0.5)
        )
        columns.append((4 * fine - coarse) / 3 / problem.sigma)
    return np.column_stack(columns)


class _TimedCurve(ss.CurveData):
    """Compared at times and without the capacity, as PyBOP does."""

    def __init__(self, times, capacity, voltage, test: ss.RateTest):
        super().__init__("curve", capacity, voltage, 1, test=test)
        self.times, self.measured = times, voltage
        self.sigma = np.full(len(voltage), NOISE)
        self.labels = [f"Voltage [V] at {t:.0f} s" for t in times]

    def read(self, outcome, parameters):
        _, half_cycle = outcome
        if not half_cycle.duration > 0:
            return np.full(len(self.times), np.nan)
        return half_cycle.at(VOLTAGE, np.minimum(self.times / half_cycle.duration, 1))


def _pybop(kind: str, dataset: pybop.Dataset, optimiser: str) -> dict[str, float]:
    """Fitted values of PyBOP, from the same start."""
    values = hu2024().to_pybamm()
    values["Initial state of charge"] = CHARGED
    for name, bounds in FREE.items():
        values[name] = pybop.Parameter(
            bounds=bounds, initial_value=hu2024()[name], transformation=pybop.LogTransformation()
        )
    simulator = pybop.pybamm.Simulator(
        # PyBOP takes the voltage events out of the model it is given
        MODELS[kind][0]().new_copy(),
        parameter_values=values,
        protocol=dataset,
        output_variables=[VOLTAGE],
        solver=idaklu((1e-7, 1e-7)),
    )
    problem = pybop.Problem(simulator, pybop.SumSquaredError(dataset))
    optimum = OPTIMISERS[optimiser](problem).run()
    return dict(zip(problem.parameters.names, np.asarray(optimum.x), strict=True))


def _excess(result: ss.FitResult, values: dict[str, float]) -> float:
    """Sum of squares at the values of another over that of our fit."""
    unit = [f.to_unit(values[f.name]) for f in result.problem.free]
    return (result.problem.residuals(unit) ** 2).sum() / result.chi2


def against_pybop(settings: Settings, solver: str) -> list[Row]:
    """The same discharge, start, bounds and tolerance of the solver: PyBOP's time over ours."""
    rows, test = [], ss.RateTest([1], initial_state_of_charge=CHARGED)
    for kind in settings.kinds:
        curve = _truth(kind, test)
        capacity = curve["Capacity [mA.h.g-1]"].to_numpy()
        # trials end before the last point, and PyBOP knows no cut-off
        kept = capacity <= 0.95 * capacity.max()
        times, capacity = curve["Time [s]"].to_numpy()[kept], capacity[kept]
        noise = np.random.default_rng(4).normal(0, NOISE, len(times))
        voltage = curve["Voltage [V]"].to_numpy()[kept] + noise
        current = np.full(len(times), hu2024()["Nominal cell capacity [A.h]"])
        dataset = pybop.Dataset(
            {"Time [s]": times, "Current [A]": current, "Voltage [V]": voltage}
        )
        data, found = _TimedCurve(times, capacity, voltage, test), defaultdict(list)

        def ours(kind=kind, data=data, found=found):
            asked = {"model": SHORT[kind], "solver": solver}
            found["ours"].append(ss.fit(hu2024(), [data], FREE, **asked))

        def theirs(optimiser, kind=kind, dataset=dataset, found=found):
            found[optimiser].append(_pybop(kind, dataset, optimiser))

        seconds = interleaved(
            ours,
            *(functools.partial(theirs, name) for name in OPTIMISERS),
            repeats=settings.long_repeats,
            warm_up=False,
        )
        result = found["ours"][-1]
        converged, errors = {}, [f"chi2/dof {result.chi2 / result.dof:.3f}"]
        for name, time_ in zip(OPTIMISERS, seconds[1:], strict=True):
            # CMAES is random: what it finds most of the time
            excess = np.median([_excess(result, values) for values in found[name]])
            errors.append(f"{name} {excess:.4f} of it in {time_:.2g} s")
            if excess < SAME_OPTIMUM:
                converged[name] = time_
        best = min(converged, key=converged.get, default="no optimiser converged")
        theirs_seconds = converged.get(best, math.nan)
        rows.append(
            Row(
                label(f"PyBOP's time over ours, one curve at 1 C, {kind}", solver),
                seconds[0],
                "s",
                theirs_seconds,
                f"PyBOP {best}",
                theirs_seconds / seconds[0],
                targets=Targets(3, 6, 20, more=True),
                error="; ".join(errors),
            )
        )
    return rows
