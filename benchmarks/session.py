"""What a user waits for at the shell."""

from __future__ import annotations

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
    """From the shell: import, ``ssnib --help`` and the first result, each in a new process."""
    load_ours, help_, result, load_stock, stock_result = interleaved(
        python("-c", "from ssnib_model import ParameterSet, RateTest, SolidStateDFN"),
        python("-c", SSNIB, "--help"),
        python("-c", SSNIB, "rate-test", "--rates", "0.2", "--json"),
        python("-c", "import pybamm"),
        python("-c", STOCK),
        repeats=settings.long_repeats,
        warm_up=not settings.quick,
    )
    return [
        Row("import", load_ours, "s", load_stock, "import pybamm", load_ours / load_stock),
        Row("ssnib --help", help_, "s", judged="ours", targets=Targets(0.5, 0.3)),
        Row(
            "shell to first rate test (ssnib rate-test --rates 0.2 --json)",
            result,
            "s",
            stock_result,
            "Experiment, lithium_ion.DFN",
            result / stock_result,
            "ours",
            Targets(3, 2.3),
        ),
    ]
