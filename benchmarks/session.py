"""What a user waits for at the shell."""

from __future__ import annotations

import tempfile

from benchmarks.cases import DEFAULT, for_default, label
from benchmarks.report import Row, Targets
from benchmarks.timing import Settings, interleaved, python

SSNIB = "from ssnib_model.cli import main; raise SystemExit(main())"

#: The least that gives a charge and a discharge of a stock model.
STOCK = """
import pybamm
experiment = pybamm.Experiment(["Discharge at 0.2C until 2.5 V", "Charge at 0.2C until 4.2 V"])
model, values = pybamm.lithium_ion.DFN(), pybamm.ParameterValues("Chen2020")
pybamm.Simulation(model, parameter_values=values, experiment=experiment).solve(calc_esoh=False)
"""


def shell(settings: Settings) -> list[Row]:
    """Import and ``ssnib --help``, each in a new process."""
    ours, help_, stock = interleaved(
        python("-c", "from ssnib_model import ParameterSet, RateTest, SolidStateDFN"),
        python("-c", SSNIB, "--help"),
        python("-c", "import pybamm"),
        repeats=settings.long_repeats,
        warm_up=not settings.quick,
    )
    return [
        Row("import", ours, "s", stock, "import pybamm", ours / stock),
        Row("ssnib --help", help_, "s", judged="ours", targets=Targets(0.5, 0.3)),
    ]


def _rate_test(solver: str) -> tuple[str, ...]:
    """Arguments of Python for the least that gives a charge and a discharge of ours."""
    return "-c", SSNIB, "rate-test", "--rates", "0.2", "--json", "--solver", solver


def first_result(settings: Settings, solver: str) -> list[Row]:
    """From the shell to a rate test, ``ssnib rate-test --rates 0.2``, all compiled before."""
    ours, stock = interleaved(
        python(*_rate_test(solver)),
        python("-c", STOCK),
        repeats=settings.long_repeats,  # after a warm-up, which compiles
    )
    return [
        Row(
            label("shell to first rate test, full", solver),
            ours,
            "s",
            stock,
            "Experiment, lithium_ion.DFN",
            ours / stock,
            "ours",
            for_default(solver, Targets(2.3, 2.0, 1.6)),
        ),
    ]


def compiling(settings: Settings) -> list[Row]:
    """The same on a machine on which nothing is compiled yet, once, next to the second time."""
    with tempfile.TemporaryDirectory() as folder:
        call = python(*_rate_test(DEFAULT), NUMBA_CACHE_DIR=folder)
        first, second = (interleaved(call, repeats=1, warm_up=False)[0] for _ in range(2))
    return [
        Row(
            label("shell to first rate test, full, nothing compiled before", DEFAULT),
            first,
            "s",
            second,
            "compiled before",
            first / second,
        ),
    ]
