"""Rate tests: the first one, the next ones, many of them, and what they keep."""

from __future__ import annotations

import gc
import time

import numpy as np
import pandas as pd
import psutil
import pybamm

import ssnib_model as ss
from benchmarks.cases import (
    KAPPA,
    LOOSE,
    MODELS,
    SHORT,
    TIGHT,
    VOLTAGE,
    Chain,
    Discharge,
    chosen,
    deviation,
    hu2024,
    idaklu,
    label,
    reference_chain,
    solver_of,
    tolerances,
)
from benchmarks.report import Row, Targets
from benchmarks.solves import STOCK
from benchmarks.timing import Settings, in_fresh_process, interleaved

RATES = (0.1, 0.2, 0.5, 1, 2)

#: A discharge, then six charges and discharges: from here the first charge has nothing to do.
#: 1.5 C stands for 3 C, at which the cell of the paper can hardly be charged.
THIRTEEN, CHARGED = (0.2, 0.1, 0.2, 0.5, 1, 1.5, 2), 0.995
PER_SECOND = {
    "full": Targets(15, 25, 150, more=True),
    "full, default mesh": Targets(40, 70, 250, more=True),
    "reduced": Targets(200, 400, 700, more=True),
}


def _experiment(kind: str, mode: str) -> pybamm.Simulation:
    """The same rates on a stock model, which starts charged."""
    steps = [
        step
        for rate in RATES
        for step in (f"Discharge at {rate}C until 2.5 V", f"Charge at {rate}C until 4.2 V")
    ]
    return pybamm.Simulation(
        MODELS[kind][1](),
        experiment=pybamm.Experiment(steps),
        parameter_values=pybamm.ParameterValues("Chen2020"),
        solver=idaklu(TIGHT),
        experiment_model_mode=mode,
    )


def _solved(experiment: pybamm.Simulation) -> list[float]:
    """Solve, and read the capacities as our table does."""
    name = "Discharge capacity [A.h]"
    cycles = experiment.solve(calc_esoh=False).cycles
    return [float(np.ptp(c[name](t=np.array([c.t[0], c.t[-1]])))) for c in cycles]


def first(settings: Settings, solver: str | None = None) -> list[Row]:
    """The first rate test of five rates in a process, model building included."""
    rows, test = [], ss.RateTest(RATES)
    for kind in settings.kinds:
        model = MODELS[kind][0]
        times = interleaved(
            lambda model=model: test.run(model(), hu2024(), solver=solver_of(solver, TIGHT)).table,
            # of its two modes the one that is faster at first
            lambda kind=kind: _solved(_experiment(kind, "unified")),
            repeats=settings.long_repeats,
            warm_up=not settings.quick,
        )
        rows.append(_five_rates("first rate test, 0.1 to 2 C", kind, times, solver, settings))
    return rows


def repeated(settings: Settings, solver: str | None = None) -> list[Row]:
    """The same again on a model built before, with its table."""
    rows, test = [], ss.RateTest(RATES)
    for kind in settings.kinds:
        ours = Chain(kind, test, solver_of(solver, TIGHT))
        stock = _experiment(kind, "legacy")  # the faster mode on repeat
        times = interleaved(
            lambda ours=ours: ours.result().table,
            lambda stock=stock: _solved(stock),
            repeats=settings.long_repeats,
        )
        rows.append(_five_rates("repeated rate test, 0.1 to 2 C", kind, times, solver, settings))
    return rows


def _five_rates(name: str, kind: str, times, solver, settings: Settings) -> Row:
    found = Chain(kind, ss.RateTest(RATES), solver_of(solver, TIGHT)).curves()
    return Row(
        label(f"{name}, {kind}, {tolerances(TIGHT)}", solver),
        1e3 * times[0],
        "ms",
        1e3 * times[1],
        f"Experiment, {STOCK[kind]}",
        times[0] / times[1],
        error=deviation(found, reference_chain(kind, RATES, settings.refine)),
    )


def throughput(settings: Settings, solver: str | None = None) -> list[Row]:
    """Rate tests of 13 half-cycles a second on one core, with the rows of their tables."""
    rows, test = [], ss.RateTest(THIRTEEN, initial_state_of_charge=CHARGED)
    for name, targets in PER_SECOND.items():
        kind, _, default = name.partition(", ")
        run = Chain(kind, test, solver_of(solver, LOOSE), refine=0 if default else 1)
        assert len(run.curves()) == 13
        (seconds,) = interleaved(run.result, repeats=settings.repeats)
        reference = reference_chain(kind, THIRTEEN, settings.refine, CHARGED)
        rows.append(
            Row(
                label(f"13 half-cycles, {name}, {tolerances(LOOSE)}", solver),
                1 / seconds,
                "/s",
                judged="ours",
                targets=targets,
                error=deviation(run.curves(), reference),
            )
        )
    return rows


def batch(settings: Settings) -> list[Row]:
    """Discharges at 1 C in lists of inputs, in ten parts to interleave them."""
    rows, part = [], max(settings.batch // 10, 1)
    scales = np.linspace(0.8, 1.25, part)
    for kind in MODELS:
        runs = []
        for stock in (False, True):
            name = "Positive particle diffusivity [m2.s-1]"
            run = Discharge(kind, stock, LOOSE, inputs=(name,), output_variables=[VOLTAGE])
            changes = [{name: scale * run.inputs[name]} for scale in scales]
            runs.append(lambda run=run, changes=changes: run(changes))
        parts = settings.batch // part
        ours, theirs = (parts * t for t in interleaved(*runs, repeats=2 if settings.quick else 10))
        rows.append(
            Row(
                f"{settings.batch} discharges in lists, {kind}, {tolerances(LOOSE)}",
                ours,
                "s",
                theirs,
                STOCK[kind],
                ours / theirs,
            )
        )
    return rows


def sweep(settings: Settings, solver: str | None = None) -> list[Row]:
    """`ss.sweep` over rate tests at 1 C, next to as many discharges of the stock model."""
    rows, test = [], ss.RateTest([1])
    for kind in settings.kinds:
        n = settings.batch
        name = "Positive particle diffusivity [m2.s-1]"
        stock = Discharge(kind, True, TIGHT, inputs=(name,))
        values = stock.inputs[name] * np.linspace(0.8, 1.25, n)
        design = _design(n)
        times = interleaved(
            lambda design=design, kind=kind: ss.sweep(
                hu2024(), design, test, model=SHORT[kind], **chosen(solver, TIGHT)
            ),
            lambda stock=stock, name=name, values=values: [stock({name: v}).t[-1] for v in values],
            repeats=1,
            warm_up=False,
        )
        rows.append(
            Row(
                label(f"sweep of {n} charges and discharges, {kind}, {tolerances(TIGHT)}", solver),
                times[0],
                "s",
                times[1],
                f"{n} discharges one by one, {STOCK[kind]}",
                times[0] / times[1],
            )
        )
    return rows


def _design(n: int) -> pd.DataFrame:
    return ss.sample({KAPPA: (5e-3, 1.0, "log")}, n, method="lhs")


def two_cores(settings: Settings, solver: str | None = None) -> list[Row]:
    """Two processes next to one, by the longer less the shorter sweep: start-up cancels.

    Left out of a quick look, in which the start-up would be all there is.
    """
    rows, lengths = [], {} if settings.quick else {"full": 400, "reduced": 1000}
    for kind, many in lengths.items():
        many *= 1 if solver is None else 5  # as long as before, on a faster solver
        few, seconds = many // 10, {}
        for workers in (1, 2):
            both = [_sweep_seconds(kind, n, workers, solver) for n in (few, many)]
            seconds[workers] = (both[1] - both[0]) / (many - few)
        rows.append(
            Row(
                label(f"two cores over one (speed-up), sweep of five rates, {kind}", solver),
                1 / seconds[2],
                "/s",
                1 / seconds[1],
                "one core",
                seconds[1] / seconds[2],
                targets=Targets(1.7, 1.85, more=True),
            )
        )
    return rows


def _sweep_seconds(kind: str, n: int, workers: int, solver: str | None) -> float:
    began, settings = time.perf_counter(), {"model": SHORT[kind], "workers": workers}
    ss.sweep(hu2024(), _design(n), ss.RateTest(RATES), **settings, **chosen(solver, TIGHT))
    return time.perf_counter() - began


def memory(settings: Settings, solver: str | None = None) -> list[Row]:
    """Growth of a process per rate test of five rates: results kept in a list, and in a sweep."""
    rows, n = [], 5 if settings.quick else 25
    ways = {"kept in a list": _grow_list, "in a sweep": _grow_sweep}
    for name, grow in list(ways.items())[: 1 if settings.quick else 2]:
        for kind in settings.kinds:
            rows.append(
                Row(
                    label(f"memory of a rate test {name}, {kind}", solver),
                    in_fresh_process(grow, kind, n, solver),
                    "KiB",
                    judged="ours",
                    targets=Targets(60, 10),
                )
            )
    return rows


#: Tolerances of a user who says nothing.
_DEFAULT = {None: TIGHT, "structured": LOOSE}


def _resident() -> float:
    """Memory of this process [KiB], without what is only waiting to be collected."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1024


def _grow_list(kind: str, n: int, solver: str | None) -> float:
    run = Chain(kind, ss.RateTest(RATES), solver_of(solver, _DEFAULT[solver]))
    kept = [run.result() for _ in range(n)]  # what the first ones load and cache is no growth
    before = _resident()
    kept += [run.result() for _ in range(n)]
    return max(_resident() - before, 0.0) / n


def _grow_sweep(kind: str, n: int, solver: str | None) -> float:
    after = []
    for runs in (2 * n, 6 * n):
        ss.sweep(
            hu2024(),
            _design(runs),
            ss.RateTest(RATES),
            model=SHORT[kind],
            **chosen(solver, _DEFAULT[solver]),
        )
        after.append(_resident())
    return max(after[1] - after[0], 0.0) / (6 * n)
