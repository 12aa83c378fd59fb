"""Many runs: lists of inputs, sweeps, and two cores."""

from __future__ import annotations

import functools
import time

import numpy as np
import pandas as pd

import ssnib_model as ss
from benchmarks.cases import (
    CURRENT,
    DEFAULT,
    IDAKLU,
    KAPPA,
    LOOSE,
    MODELS,
    SHORT,
    STOCK,
    VOLTAGE,
    Chain,
    Discharge,
    deviation,
    for_default,
    hu2024,
    label,
    reference_chain,
    solver_of,
    tolerances,
)
from benchmarks.rate_tests import RATES
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, interleaved

TWO_RATES = (0.2, 1)
PER_SECOND = {
    "full": Targets(500, 700, more=True),
    "reduced": Targets(4000, 8000, more=True),
}

#: Runs of a sweep, which has to build the model as well.
LENGTHS = {
    ("full", DEFAULT): 2000,
    ("reduced", DEFAULT): 10_000,
    ("full", IDAKLU): 200,
    ("reduced", IDAKLU): 1000,
}

#: Of the stock models.
VARIED = "Positive particle diffusivity [m2.s-1]"


def batch(settings: Settings) -> list[Row]:
    """Discharges at 1 C in lists of inputs, in ten parts to interleave them."""
    rows, part = [], max(settings.batch // 10, 1)
    scales = np.linspace(0.8, 1.25, part)
    for kind in MODELS:
        runs = []
        for stock in (False, True):
            run = Discharge(kind, stock, LOOSE, inputs=(VARIED,), output_variables=[VOLTAGE])
            changes = [{VARIED: scale * run.inputs[VARIED]} for scale in scales]
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


class _Discharges:
    """Discharges of a stock model at two rates for value after value, one by one."""

    def __init__(self, kind: str, runs: int):
        self.discharge = Discharge(kind, True, LOOSE, inputs=(VARIED,))
        self.values = self.discharge.inputs[VARIED] * np.linspace(0.8, 1.25, runs)

    def __call__(self) -> list[float]:
        return [
            self.discharge(
                {VARIED: value, CURRENT: rate * self.discharge.one_c}, t_end=5000 / rate
            ).t[-1]
            for value in self.values
            for rate in TWO_RATES
        ]


def sweep(settings: Settings, solver: str) -> list[Row]:
    """`ss.sweep` over two rates in one process, next to the discharges of the stock model."""
    rows, test = [], ss.RateTest(TWO_RATES)
    for kind in settings.kinds:
        n = settings.batch if settings.quick else LENGTHS[kind, solver]
        stock, chosen = _Discharges(kind, max(n // 20, 4)), solver_of(solver, LOOSE)
        seconds, theirs = interleaved(
            functools.partial(
                ss.sweep, hu2024(), design_of(n), test, model=SHORT[kind], solver=chosen
            ),
            stock,
            repeats=1 if settings.quick else 3,
        )
        ours_each, stock_each = seconds / n, theirs / len(stock.values)
        found = Chain(kind, test, chosen).curves()
        rows.append(
            Row(
                label(f"sweep of two rates, {kind}, {tolerances(LOOSE)}", solver),
                1 / ours_each,
                "/s",
                1 / stock_each,
                f"two discharges, {STOCK[kind]}",
                ours_each / stock_each,
                "ours",
                for_default(solver, PER_SECOND[kind]),
                deviation(found, reference_chain(kind, TWO_RATES, settings.refine)),
            )
        )
    return rows


def design_of(n: int) -> pd.DataFrame:
    """Points of one parameter."""
    return ss.sample({KAPPA: (5e-3, 1.0, "log")}, n, method="lhs")


def two_workers(settings: Settings, solver: str) -> list[Row]:
    """Two workers of a sweep next to one, without their start.

    That is, by the longer less the shorter sweep; a quick look takes the start with it, as it
    would be all that there is.
    """
    rows = []
    for kind in settings.kinds:
        many = settings.batch if settings.quick else LENGTHS[kind, solver]
        few, seconds = 0 if settings.quick else many // 10, {}
        for workers in (1, 2):
            both = [_sweep_seconds(kind, n, workers, solver) if n else 0.0 for n in (few, many)]
            seconds[workers] = (both[1] - both[0]) / (many - few)
        start = ", start included" if settings.quick else ""
        rows.append(
            Row(
                label(f"two workers over one (speed-up), five rates, {kind}{start}", solver),
                1 / seconds[2],
                "/s",
                1 / seconds[1],
                "one worker",
                seconds[1] / seconds[2],
                targets=for_default(solver, Targets(1.8, 1.95, more=True)),
            )
        )
    return rows


def _sweep_seconds(kind: str, n: int, workers: int, solver: str) -> float:
    began, test = time.perf_counter(), ss.RateTest(RATES)
    ss.sweep(
        hu2024(),
        design_of(n),
        test,
        model=SHORT[kind],
        workers=workers,
        solver=solver_of(solver, LOOSE),
    )
    return time.perf_counter() - began
