"""What limits the cell between 0 and 80 degC, and what about the point at 60 degC?

Rate tests and the breakdown at 1 C against temperature. Writes table.csv and temperature.png;
``--quick`` runs three temperatures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

RATES = [0.2, 1, 2, 3]
CAPACITY = "Discharge capacity [mA.h.g-1]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three temperatures")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = ss.ParameterSet("Hu2024")
    celsius = [0, 25, 60] if arguments.quick else np.arange(0, 81, 5)
    rows, losses = [], {}
    for t in celsius:
        parameters = base.replace({"Ambient temperature [K]": 273.15 + t})
        result = ss.RateTest(RATES).run(ss.SolidStateDFN(), parameters)
        rows.append(result.table[["C-rate", CAPACITY, "Polarization [V]", "Status"]].assign(T=t))
        if result.table["Status"][1] == "ok":
            losses[t] = -1e3 * result.breakdown(1)
    table = pd.concat(rows).rename(columns={"T": "Temperature [degC]"})
    table.to_csv(arguments.out / "table.csv", index=False)
    breakdown = pd.DataFrame(losses).T
    shown = breakdown.loc[:, breakdown.max() > 1]

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for rate, part in table.groupby("C-rate"):
        left.plot(part["Temperature [degC]"], part[CAPACITY], ".-", label=f"{rate:g} C")
    measured = base.measured["60 C"].iloc[0]
    left.plot(60, measured[CAPACITY], "r*", markersize=12, label="measured, 3 C")
    left.set(xlabel="Temperature [degC]", ylabel="Discharge capacity [mAh/g]")
    left.legend()
    right.stackplot(shown.index, shown.T.to_numpy(), labels=shown.columns)
    right.set(xlabel="Temperature [degC]", ylabel="Loss at half of a 1 C discharge [mV]")
    right.legend(fontsize="small")
    figure.savefig(arguments.out / "temperature.png", dpi=150)
    print(table.pivot_table(CAPACITY, "Temperature [degC]", "C-rate").round(1).to_string())
    print(shown.round(0).to_string())


if __name__ == "__main__":
    main()
