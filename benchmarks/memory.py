"""What rate tests keep: in a list, with all variables at hand, and in a sweep."""

from __future__ import annotations

import ssnib_model as ss
from benchmarks.cases import (
    SHORT,
    USUAL,
    Chain,
    for_default,
    hu2024,
    label,
    solver_of,
)
from benchmarks.rate_tests import RATES
from benchmarks.report import Row, Targets
from benchmarks.sweeps import design_of
from benchmarks.timing import Settings, in_fresh_process, resident

#: What is asked of every half-cycle: a profile, which takes the states of the whole model.
PROFILE = "Positive particle surface stoichiometry"


def memory(settings: Settings, solver: str) -> list[Row]:
    """Growth of a process per rate test of five rates: results kept in a list, and in a sweep."""
    rows, n = [], 3 if settings.quick else 25
    ways = {
        "kept in a list, nothing asked for": (_grow_kept, Targets(200, 60)),
        "kept in a list, a profile of each half-cycle asked for": (_grow_asked, Targets(200, 60)),
        "in a sweep": (_grow_sweep, Targets(60, 10)),
    }
    for name, (grow, targets) in ways.items():
        for kind in settings.kinds:
            rows.append(
                Row(
                    label(f"memory of a rate test {name}, {kind}", solver),
                    in_fresh_process(grow, kind, n, solver),
                    "KiB",
                    judged="ours",
                    targets=for_default(solver, targets),
                )
            )
    return rows


def _grow_kept(kind: str, n: int, solver: str) -> float:
    return _grow_list(kind, n, solver, asked=False)


def _grow_asked(kind: str, n: int, solver: str) -> float:
    return _grow_list(kind, n, solver, asked=True)


def _grow_list(kind: str, n: int, solver: str, asked: bool) -> float:
    run, kept = Chain(kind, ss.RateTest(RATES), solver_of(solver, USUAL[solver])), []

    def grow() -> float:
        for _ in range(n):
            kept.append(run.result())
            if asked:
                for half_cycle in kept[-1].half_cycles:
                    _ = half_cycle.solution[PROFILE].entries
        return resident()

    before = grow()  # what the first ones load and cache is no growth
    return max(grow() - before, 0.0) / n


def _grow_sweep(kind: str, n: int, solver: str) -> float:
    after = []
    for runs in (2 * n, 6 * n):
        ss.sweep(
            hu2024(),
            design_of(runs),
            ss.RateTest(RATES),
            model=SHORT[kind],
            solver=solver_of(solver, USUAL[solver]),
        )
        after.append(resident())
    return max(after[1] - after[0], 0.0) / (6 * n)
