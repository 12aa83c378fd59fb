"""Rate tests: the first one, the next ones, and many of them."""

from __future__ import annotations

import numpy as np
import pybamm

import ssnib_model as ss
from benchmarks.cases import (
    LOOSE,
    MODELS,
    STOCK,
    TIGHT,
    Chain,
    deviation,
    for_default,
    hu2024,
    idaklu,
    label,
    reference_chain,
    solver_of,
    tolerances,
)
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, interleaved

RATES = (0.1, 0.2, 0.5, 1, 2)

#: A discharge, then six charges and discharges: from here the first charge has nothing to do.
#: 1.5 C stands for 3 C, at which the cell of the paper can hardly be charged.
THIRTEEN, CHARGED = (0.2, 0.1, 0.2, 0.5, 1, 1.5, 2), 0.995
PER_SECOND = {
    "full": Targets(150, 200, 300, more=True),
    "reduced": Targets(1000, 2000, 4000, more=True),
}


def _experiment(kind: str, steps: list[str], tolerance, mode: str) -> pybamm.Simulation:
    """Steps of a stock model, which starts charged."""
    return pybamm.Simulation(
        MODELS[kind][1](),
        experiment=pybamm.Experiment(steps),
        parameter_values=pybamm.ParameterValues("Chen2020"),
        solver=idaklu(tolerance),
        experiment_model_mode=mode,
    )


def _down_and_up(rate: float) -> list[str]:
    return [f"Discharge at {rate}C until 2.5 V", f"Charge at {rate}C until 4.2 V"]


#: The same rates, and the same thirteen half-cycles.
FIVE = [step for rate in RATES for step in _down_and_up(rate)]
STOCK_THIRTEEN = [
    _down_and_up(THIRTEEN[0])[0],
    *(step for rate in THIRTEEN[1:] for step in reversed(_down_and_up(rate))),
]


def _solved(experiment: pybamm.Simulation) -> list[float]:
    """Solve, and read the capacities as our table does."""
    name = "Discharge capacity [A.h]"
    cycles = experiment.solve(calc_esoh=False).cycles
    return [float(np.ptp(c[name](t=np.array([c.t[0], c.t[-1]])))) for c in cycles]


def first(settings: Settings, solver: str) -> list[Row]:
    """The first rate test of five rates in a process, model building included."""
    rows, test = [], ss.RateTest(RATES)
    for kind in settings.kinds:
        model = MODELS[kind][0]
        times = interleaved(
            lambda model=model: test.run(model(), hu2024(), solver=solver_of(solver, TIGHT)).table,
            # of its two modes the one that is faster at first
            lambda kind=kind: _solved(_experiment(kind, FIVE, TIGHT, "unified")),
            repeats=settings.long_repeats,
            warm_up=not settings.quick,
        )
        rows.append(_five_rates("first rate test, 0.1 to 2 C", kind, times, solver, settings))
    return rows


def repeated(settings: Settings, solver: str) -> list[Row]:
    """The same again on a model built before, with its table."""
    rows, test = [], ss.RateTest(RATES)
    for kind in settings.kinds:
        ours = Chain(kind, test, solver_of(solver, TIGHT))
        stock = _experiment(kind, FIVE, TIGHT, "legacy")  # the faster mode on repeat
        times = interleaved(
            lambda ours=ours: ours.result().table,
            lambda stock=stock: _solved(stock),
            repeats=settings.long_repeats,
        )
        rows.append(_five_rates("repeated rate test, 0.1 to 2 C", kind, times, solver, settings))
    return rows


def _five_rates(name: str, kind: str, times, solver: str, settings: Settings) -> Row:
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


def throughput(settings: Settings, solver: str) -> list[Row]:
    """Rate tests of 13 half-cycles a second on one core, with the rows of their tables."""
    rows, test = [], ss.RateTest(THIRTEEN, initial_state_of_charge=CHARGED)
    for kind in settings.kinds:
        run = Chain(kind, test, solver_of(solver, LOOSE))
        assert len(run.curves()) == len(STOCK_THIRTEEN) == 13
        stock = _experiment(kind, STOCK_THIRTEEN, LOOSE, "legacy")
        seconds, theirs = interleaved(
            run.result, lambda stock=stock: _solved(stock), repeats=settings.repeats
        )
        reference = reference_chain(kind, THIRTEEN, settings.refine, CHARGED)
        rows.append(
            Row(
                label(f"13 half-cycles, {kind}, {tolerances(LOOSE)}", solver),
                1 / seconds,
                "/s",
                1 / theirs,
                f"Experiment, {STOCK[kind]}",
                seconds / theirs,
                "ours",
                for_default(solver, PER_SECOND[kind]),
                deviation(run.curves(), reference),
            )
        )
    return rows
