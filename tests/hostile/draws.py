"""Random cells far beyond what is sensible: every half-cycle ends with an answer in words.

    python tests/hostile/draws.py --draws 10000 --seed 0 --model dfn --solver idaklu

Each draw changes one to six parameters within the limits of the schema, in half of the draws
within a decade of the set's value, and always the rate, the temperature and the state of charge
at the start. A sample of what is ok is solved again to a tight tolerance.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import os
import re
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pybamm

import ssnib_model as ss
from ssnib_model.models.base import F, R_gas
from ssnib_model.models.names import MODELS
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.solvers.idaklu import half_cycle_solver
from ssnib_model.solvers.preflight import CURRENT, CUT_OFFS, INITIAL, Preflight

P, N = "Positive electrode", "Negative electrode"
FILM = f"{P} film resistance [Ohm.m2]"
#: What is drawn, evenly in its logarithm.
DRAWN = (
    "Na3PS4 layer conductivity [S.m-1]",
    "NaTaCl6 layer conductivity [S.m-1]",
    f"{P} electrolyte conductivity [S.m-1]",
    f"{P} effective electronic conductivity [S.m-1]",
    f"{P} exchange-current density [A.m-2]",
    f"{N} exchange-current density [A.m-2]",
    "Positive particle diffusivity [m2.s-1]",
    "Positive particle radius [m]",
    "Na3PS4 layer thickness [m]",
    "NaTaCl6 layer thickness [m]",
    f"{P} thickness [m]",
    f"{N}|Na3PS4 interface resistance [Ohm.m2]",
    f"{P} accessible fraction",
    f"{P} contacted fraction",
    FILM,
    f"{N} tin amount [mol]",
)
#: Taken as the value of the set where that is 0.
TYPICAL = {FILM: 1e-3}
LOWEST = 1e-6  # where the schema begins at 0
TEMPERATURE, CAPACITY = "Ambient temperature [K]", "Nominal cell capacity [A.h]"
STATES = (0.001, None, 0.999)  # None: as made
SOLVERS = {"idaklu": "idaklu", "structured": "structured"}
TIGHT = 1e-9
#: What a solver says for itself, and no check before it.
UNEXPLAINED = ("failed: the solver", "failed: no cut-off")
FRACTIONS = np.linspace(0.1, 0.9, 9)


@dataclass
class Draw:
    """One random cell, and how it is run."""

    number: int
    state: float | None
    rate: float
    is_near: bool
    changes: dict[str, float]


def draws(number: int, seed: int, base: ss.ParameterSet) -> Iterator[Draw]:
    """Random cells, the same for the same seed."""
    rng = np.random.default_rng(seed)
    for i in range(number):
        is_near = rng.random() < 0.5
        changes = {}
        for name in map(str, rng.choice(DRAWN, rng.integers(1, 7), replace=False)):
            allowed, value = base.quantity(name), TYPICAL.get(name, base[name])
            low, high = allowed.low or LOWEST, allowed.high
            if is_near:
                low, high = max(low, value / 10), min(high, 10 * value)
            changes[name] = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        changes[TEMPERATURE] = rng.uniform(240, 370)
        rate = float(np.exp(rng.uniform(np.log(0.01), np.log(50))))
        # 1 C follows the sodium that the drawn cell can cycle; the test is at "1 C" of this
        sodium = (f"{P} thickness [m]", f"{P} accessible fraction")
        share = np.prod([changes.get(name, base[name]) / base[name] for name in sodium])
        changes[CAPACITY] = float(rate * share * base[CAPACITY])
        yield Draw(i, STATES[rng.integers(3)], rate, is_near, changes)


class Values(dict):
    """Values of a cell that need not go with one another, which no set would take."""

    def __init__(self, base: ss.ParameterSet, changes: dict[str, float]):
        super().__init__({name: base[name] for name in base} | changes)
        self.model_options = base.model_options


class Runner:
    """Runs draws on models that are built once, one for each state at the start."""

    def __init__(self, model: str, solver: str):
        self.solver = SOLVERS[solver]
        self.base = ss.ParameterSet("Hu2024")
        self.model = MODELS[model](self.base.model_options)
        symbols = self.base.to_pybamm()
        symbols.update({n: "[input]" for n in (*DRAWN, TEMPERATURE, INITIAL, CURRENT)})
        self.preflight = Preflight(self.base.model_options, symbols)
        p, composite = self.model.param, self.model.composite_conductivity()
        j = abs(p.i) * p.R / (3 * p.L * p.phi_AM * p.accessible * p.contacted)
        # the losses of the composite if the current is even, more than what they are
        losses = abs(p.i) * p.L * (1 / p.sigma_s + 1 / composite) + j * p.R_film
        losses += 2 * R_gas * p.T / F * pybamm.arcsinh(j / (2 * p.j0_p(p.sto_init)))
        self.losses = symbols.process_symbol(losses)

    @functools.cache  # noqa: B019
    def prepared(self, state: float | None, tolerance: float | None = None):
        """The rate test from a state of charge; to a tolerance by IDAKLU."""
        solver = half_cycle_solver(tolerance, tolerance) if tolerance else self.solver
        test = ss.RateTest([1], initial_state_of_charge=state)
        return test.prepare(
            self.model, self.base, varying=[*DRAWN, TEMPERATURE, CAPACITY], solver=solver
        )

    def __call__(self, draw: Draw, tolerance: float | None = None) -> list[HalfCycle]:
        prepared = self.prepared(draw.state, tolerance)
        return prepared.half_cycles(Values(self.base, draw.changes))

    def are_sensible(self, draw: Draw, half_cycles: list[HalfCycle]) -> Iterator[bool]:
        """Whether a cycler would run it: near the set, and its losses half of the window."""
        values = Values(self.base, draw.changes)
        if not (draw.is_near and draw.rate <= 5 and 273 <= values[TEMPERATURE] <= 353):
            yield from [False] * len(half_cycles)
            return
        inputs = {n: values[n] for n in (*DRAWN, TEMPERATURE)}
        inputs[INITIAL] = values["As-made state of charge"] if draw.state is None else draw.state
        window = values[CUT_OFFS["charge"]] - values[CUT_OFFS["discharge"]]
        passed = 0.0
        for h in half_cycles:
            sign = np.sign(h.current)
            now = inputs | {CURRENT: h.current}
            now[INITIAL] = self.preflight.state_of_charge(now, passed)
            left = sign * (self.preflight.value("voltage", now) - values[CUT_OFFS[h.direction]])
            dense = sign * sum(self.preflight.value(part, now) for part in ("layers", "anode"))
            losses = dense + float(self.losses.evaluate(inputs=now))
            yield bool(losses < window / 2 <= left)
            passed += h.current * h.duration


@dataclass
class Summary:
    """What came of all draws."""

    kinds: collections.Counter = field(default_factory=collections.Counter)
    recoveries: collections.Counter = field(default_factory=collections.Counter)
    sensible: collections.Counter = field(default_factory=collections.Counter)
    gave_up: list[Draw] = field(default_factory=list)
    ok: list[Draw] = field(default_factory=list)
    slowest: float = 0.0
    printed: str = ""
    warned: list[str] = field(default_factory=list)
    differences: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the sensible half-cycles, those that are ok."""
        return self.sensible["ok"] / max(1, self.sensible.total())


def kind(status: str) -> str:
    """A status without its numbers."""
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", status)


def run(number: int, seed: int, model: str, solver: str, sample: int) -> Summary:
    """All draws, and a sample of the good ones again to a tight tolerance."""
    runner, summary = Runner(model, solver), Summary()
    with _everything_printed() as printed, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for draw in draws(number, seed, runner.base):
            start = time.perf_counter()
            half_cycles = runner(draw)
            summary.slowest = max(summary.slowest, time.perf_counter() - start)
            for h, is_sensible in zip(
                half_cycles, runner.are_sensible(draw, half_cycles), strict=True
            ):
                summary.kinds[kind(h.status)] += 1
                summary.recoveries[h.recovery] += 1
                if is_sensible:
                    summary.sensible[kind(h.status)] += 1
            if any(h.status.startswith(UNEXPLAINED) for h in half_cycles):
                summary.gave_up.append(draw)
            if all(h.status == "ok" for h in half_cycles):
                summary.ok.append(draw)
        chosen = np.random.default_rng(seed).permutation(len(summary.ok))[:sample]
        for i in chosen:
            summary.differences.append(difference(runner, summary.ok[i]))
    (summary.printed,) = printed
    summary.warned = sorted({str(w.message) for w in warned})
    return summary


def difference(runner: Runner, draw: Draw) -> tuple[float, float, int]:
    """Largest difference of capacity and voltage to a tight solution; the draw.

    The capacity counts relative to itself, or to 1 % of the cell's where less passes.
    """
    least = 0.01 * draw.changes[CAPACITY] / draw.rate
    capacity = voltage = 0.0
    for ours, theirs in zip(runner(draw), runner(draw, TIGHT), strict=True):
        if theirs.status != "ok":
            return np.inf, np.inf, draw.number
        off = abs(ours.capacity - theirs.capacity) / max(theirs.capacity, least)
        capacity = max(capacity, off)
        a, b = (h.at("Voltage [V]", FRACTIONS) for h in (ours, theirs))
        voltage = max(voltage, np.abs(a - b).max())
    return capacity, voltage, draw.number


@contextlib.contextmanager
def _everything_printed():
    """A list that holds, after the block, the text of compiled code and Python on fd 1 and 2."""
    printed, kept = [], [os.dup(fd) for fd in (1, 2)]
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        for fd in (1, 2):
            os.dup2(file.fileno(), fd)
        try:
            yield printed
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for fd, old in zip((1, 2), kept, strict=True):
                os.dup2(old, fd)
                os.close(old)
            file.seek(0)
            printed.append(file.read().decode(errors="replace"))


def report(summary: Summary) -> str:
    """What came of it, as a table."""
    lines = ["half-cycles:"]
    lines += [f"{count:7d}  {status}" for status, count in summary.kinds.most_common()]
    lines += ["recoveries:"]
    lines += [f"{n:7d}  {words or 'none'}" for words, n in summary.recoveries.most_common()]
    lines += [f"sensible half-cycles: {summary.share:.3%} ok"]
    lines += [f"{count:7d}  {status}" for status, count in summary.sensible.most_common()]
    for draw in summary.gave_up:
        lines.append(f"gave up: {draw}")
    if summary.differences:
        capacity, voltage, _ = np.array(summary.differences).T
        worst = [summary.differences[i][2] for i in (capacity.argmax(), voltage.argmax())]
        lines += [
            f"{len(capacity)} again to {TIGHT:g}: capacity {capacity.max():.2e} (draw "
            f"{worst[0]:.0f}; median {np.median(capacity):.1e}), voltage {voltage.max():.2e} V "
            f"(draw {worst[1]:.0f}; median {np.median(voltage):.1e})"
        ]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += [f"slowest draw {summary.slowest:.2f} s; most memory {memory:.0f} MB"]
    lines += [f"printed: {summary.printed or 'nothing'}", f"warnings: {summary.warned or 'none'}"]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", choices=MODELS, default="dfn")
    parser.add_argument("--solver", choices=SOLVERS, default="idaklu")
    parser.add_argument("--sample", type=int, default=200)
    a = parser.parse_args()
    print(report(run(a.draws, a.seed, a.model, a.solver, a.sample)))
