"""Protocols: a cycle as people do it, and thousands of cycles."""

from __future__ import annotations

import functools
import itertools
import time
from collections import Counter

import numpy as np
import pybamm

import ssnib_model as ss
from benchmarks.cases import (
    DEFAULT,
    FINE,
    FRACTIONS,
    KAPPA,
    LOOSE,
    MODELS,
    STOCK,
    TIGHT,
    VOLTAGE,
    deviation,
    for_default,
    hu2024,
    idaklu,
    label,
    solver_of,
    tolerances,
)
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, in_fresh_process, interleaved, peak_growth

LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
CHARGE = "Discharge capacity [A.h]"

CC_CV = {"full": Targets(0.10, 0.06)}

#: The longest test of the paper, of its cell at 60 oC: at 25 oC it cannot be discharged at 3 C.
CYCLES, RATE, EVERY, WARM = 4000, 3, 100, {"Ambient temperature [K]": 333.15}
CYCLING = {"full": Targets(12, 6, 4), "reduced": Targets(3, 1.5, 0.8)}


def _steps(lower: float, upper: float) -> tuple[str, ...]:
    """Constant current, constant voltage, rest, discharge."""
    return (
        f"Charge at C/2 until {upper} V",
        f"Hold at {upper} V until C/20",
        "Rest for 30 minutes",
        f"Discharge at 1C until {lower} V",
    )


class Cycle:
    """The steps on our model by one of our solvers, built once."""

    def __init__(self, kind: str, solver, *, refine: int = 1):
        model = MODELS[kind][0]()
        points = {name: refine * n for name, n in model.default_var_pts.items()}
        steps = _steps(hu2024()[LOWER], hu2024()[UPPER])
        self.prepared = ss.Protocol([steps]).prepare(
            model, hu2024(), varying=[KAPPA], solver=solver, var_pts=points
        )
        changed = hu2024().replace({KAPPA: 1.001 * hu2024()[KAPPA]})
        self._sets = itertools.cycle([changed, hu2024()])

    def __call__(self) -> list[dict]:
        return self.prepared.result(next(self._sets)).rows

    def curves(self) -> np.ndarray:
        """One row a step: voltages, then the charge passed."""
        found = []
        for step in self.prepared.result(hu2024()).steps:
            segment = step.segment
            found.append([*segment.voltage(FRACTIONS * segment.duration), segment.charge])
        return np.array(found)


class Experiment:
    """The same by ``pybamm.Experiment``, on PyBaMM's model with Chen2020 or on ours."""

    def __init__(self, kind: str, stock: bool, tolerance, *, refine: int = 1, period=None):
        model = MODELS[kind][stock]()
        if stock:
            values = pybamm.ParameterValues("Chen2020")
            values.set_initial_state(0.0)
        else:
            values = hu2024().to_pybamm()
            values["Initial state of charge"] = hu2024()["As-made state of charge"]
        steps = _steps(values[LOWER], values[UPPER])
        # it keeps them only nearly, and here they end the same steps
        values.update({LOWER: values[LOWER] - 0.5, UPPER: values[UPPER] + 0.5})
        self.simulation = pybamm.Simulation(
            model,
            experiment=pybamm.Experiment([steps], **({"period": period} if period else {})),
            parameter_values=values,
            var_pts={name: refine * n for name, n in model.default_var_pts.items()},
            solver=idaklu(tolerance),
        )

    def __call__(self) -> list[float]:
        """Solve, and read the charges, as our rows have them."""
        (cycle,) = self.simulation.solve(calc_esoh=False).cycles
        return [_charge(step) for step in cycle.steps]

    def curves(self) -> np.ndarray:
        """One row a step: voltages, then the charge passed."""
        (cycle,) = self.simulation.solve(calc_esoh=False).cycles
        return np.array(
            [
                [*step[VOLTAGE](step.t[0] + FRACTIONS * (step.t[-1] - step.t[0])), _charge(step)]
                for step in cycle.steps
            ]
        )


def _charge(step: pybamm.Solution) -> float:
    return float(np.diff(step[CHARGE](np.array([step.t[0], step.t[-1]])))[0])


#: Between the points that it keeps an experiment is interpolated: for the errors, few seconds.
FINELY = "5 seconds"


@functools.cache
def _experiment_error(kind: str, stock: bool, tolerance, refine: int) -> str:
    found = Experiment(kind, stock, tolerance, period=FINELY).curves()
    if not stock:
        return deviation(found, _reference(kind, refine))
    return deviation(found, _stock_reference(kind, refine))


@functools.cache
def _reference(kind: str, refine: int) -> np.ndarray:
    return Cycle(kind, idaklu(FINE), refine=refine).curves()


@functools.cache
def _stock_reference(kind: str, refine: int) -> np.ndarray:
    return Experiment(kind, True, FINE, refine=refine, period=FINELY).curves()


def cc_cv(settings: Settings, solver: str) -> list[Row]:
    """Charge, hold, rest and discharge, next to ``pybamm.Experiment`` of the stock model and ours.

    All on models built before.
    """
    rows = []
    for kind in settings.kinds:
        for tolerance in (LOOSE,) if settings.quick else (LOOSE, TIGHT):
            ours = Cycle(kind, solver_of(solver, tolerance))
            theirs = [Experiment(kind, stock, tolerance) for stock in (True, False)]
            mine, *others = interleaved(ours, *theirs, repeats=settings.repeats)
            error = deviation(ours.curves(), _reference(kind, settings.refine))
            for stock, seconds in zip((True, False), others, strict=True):
                beside = _experiment_error(kind, stock, tolerance, settings.refine)
                targets = CC_CV.get(kind) if stock else None
                rows.append(
                    Row(
                        label(f"CC-CV, rest, discharge, {kind}, {tolerances(tolerance)}", solver),
                        1e3 * mine,
                        "ms",
                        1e3 * seconds,
                        f"Experiment, {STOCK[kind] if stock else MODELS[kind][0].__name__}",
                        mine / seconds,
                        targets=for_default(solver, targets) if targets else None,
                        error=f"{error}; {beside}",
                    )
                )
    return rows


def cycles(settings: Settings) -> list[Row]:
    """4,000 cycles at 3 C with all rows and every 100th curve, in a process of their own."""
    rows, many = [], 40 if settings.quick else CYCLES
    for kind in settings.kinds:
        runs = [in_fresh_process(_cycled, kind, many) for _ in range(1 if settings.quick else 3)]
        seconds, growth, ended = sorted(runs)[len(runs) // 2]
        name = f"{many} cycles at {RATE} C and 60 °C, {kind}, {tolerances(LOOSE)}"
        time_, memory = label(name, DEFAULT), label(f"memory at most, {name}", DEFAULT)
        rows += [
            Row(time_, seconds, "s", judged="ours", targets=CYCLING[kind], error=ended),
            Row(memory, growth, "MB", judged="ours", targets=Targets(200)),
        ]
    return rows


def _cycled(kind: str, many: int) -> tuple[float, float, str]:
    """Time [s], growth of memory at most [MB], and how the steps ended."""
    model, cell, solver = MODELS[kind][0](), hu2024().replace(WARM), solver_of(DEFAULT, LOOSE)
    _ = ss.Cycling(RATE, 2).run(model, cell, solver=solver).table  # loaded and compiled
    prepared = ss.Cycling(RATE, many).prepare(model, cell, solver=solver)
    with peak_growth() as growth:
        began = time.perf_counter()
        result = prepared.result(cell, keep=EVERY)
        table = result.table
        seconds = time.perf_counter() - began
        assert len(table) == 2 * many
        assert set(result.curves["Cycle"]) == {*range(1, many + 1, EVERY), many}
        grown = growth() * 1024 / 1e6
    counts = Counter(table["Status"]).most_common()
    return seconds, grown, ", ".join(f"{number} {status}" for status, number in counts)
