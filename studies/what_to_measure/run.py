"""Which further measurement would shrink the uncertainty of the fitted set most?

`ss.next_experiment` adds candidate measurements to the data of the paper's fit, at the fitted
values, for the capacity at 2 C and for the conductivity of Na3PS4. Writes table.csv and gain.png;
``--quick`` takes two candidates.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.fits.problem import FitProblem

FIT = runpy.run_path(str(Path(__file__).parents[1] / "fit_hu2024" / "run.py"))
LAYER = "Na3PS4 layer conductivity [S.m-1]"
FREE = [
    *(f for f in FIT["COMMON"] if f.data is None),
    ss.Free(FIT["ACCESSIBLE"], 0.8, 1.0, log=False),
    # not free in the paper's fit, because nothing there could tell them apart
    ss.Free(LAYER, 5e-3, 2e-2, log=True, prior=(1e-2, 0.3)),
    ss.Free("Negative electrode exchange-current density [A.m-2]", 0.5, 100, prior=(10, 1.0)),
]
SIGMA = {
    "Voltage [V]": 0.003,
    "Discharge capacity [mA.h.g-1]": 1.0,
    "Charge capacity [mA.h.g-1]": 1.0,
    "Relative impedance": 0.02,
}
CANDIDATES = [
    "curves 0.2 1",
    "rates 0.2 1 2",
    "gitt rate=C/10 pulses=10 rest=1 hour",
    "spectrum 0.5",
    "symmetric",
    "rates 0.2, Na3PS4 layer thickness [m]=400 um",
]
ANSWERS = {"capacity at 2 C": ss.RateTest([0.2, 0.5, 1, 2]), LAYER: None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two candidates")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parameters = ss.ParameterSet("Hu2024")
    data = [d for d in FIT["measured"](parameters) if d.name != FIT["FIRST_CYCLE"]]
    known = FitProblem(parameters, data, FREE, "spm")
    candidates = CANDIDATES[-2:] if arguments.quick else CANDIDATES
    figure = Figure(figsize=(9, 6), layout="constrained")
    tables = []
    for ax, (answer, test) in zip(figure.subplots(2, 1), ANSWERS.items(), strict=True):
        found = ss.next_experiment(known, answer, candidates=candidates, test=test, sigma=SIGMA)
        found.plot(ax)
        tables.append(found.table.assign(Answer=found.answer))
        print(f"{found.sentence}\n")
    table = pd.concat(tables, ignore_index=True).set_index("Answer")
    table.round(4).to_csv(arguments.out / "table.csv")
    figure.savefig(arguments.out / "gain.png", dpi=150)
    print(table.drop(columns=["Values", "Status"]).to_string())


if __name__ == "__main__":
    main()
