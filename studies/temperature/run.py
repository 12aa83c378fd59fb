"""What limits the cell between 0 and 80 degC, and what about the point at 60 degC?

Rate tests and the breakdown at 1 C against temperature; then what each of three routes would
take to give the 90.5 mAh/g measured at 60 degC and 3 C, and what they give at other rates, where
they differ. Writes table.csv, routes.csv, results.json and temperature.png; `sentences` are what
the README quotes. ``--quick`` runs three temperatures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.optimize import brentq

import ssnib_model as ss

RATES = [0.2, 1, 2, 3]
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"
KELVIN, MEASURED = "Ambient temperature [K]", 90.5

#: What would have to be so for 90.5 mAh/g at 60 degC and 3 C: name, and where to look for it.
ROUTES = {
    "smaller accessible fraction": ("Positive electrode accessible fraction", 0.6, 0.95),
    "slower diffusion when hot": (
        "Positive particle diffusivity activation energy [J.mol-1]",
        0.0,
        5e4,
    ),
    "composite near percolation": ("Positive electrode Bruggeman exponent", 3.5, 9.0),
}
#: Rates at 60 degC at which the routes differ.
HOT_RATES = [0.2, 1, 3, 5]


def routes(base: ss.ParameterSet) -> pd.DataFrame:
    """The value each route takes, and the rate test at 60 degC that it goes with."""
    hot, rows = base.replace({KELVIN: 333.15}), []
    for route, (name, low, high) in ROUTES.items():
        test = ss.RateTest([3])
        prepared = test.prepare(ss.SolidStateDFN(), hot, varying=[name])

        def excess(value, name=name, prepared=prepared):
            return prepared.result(hot.replace({name: value})).table[CAPACITY][0] - MEASURED

        value = brentq(excess, low, high, rtol=1e-4)
        result = ss.RateTest(HOT_RATES).run(ss.SolidStateDFN(), hot.replace({name: value}))
        row = {"Route": route, "Parameter": name, "Value": value, "Unit": base.info(name).unit}
        pairs = zip(HOT_RATES, result.table[CAPACITY], result.table[GAP], strict=True)
        for rate, capacity, gap in pairs:
            row |= {f"{rate:g} C [mAh/g]": capacity, f"Gap at {rate:g} C [mV]": 1e3 * gap}
        rows.append(row)
    return pd.DataFrame(rows)


def sentences(results: dict[str, Any]) -> dict[str, list[str]]:
    """What is quoted of the results, by file; a test compares."""
    rows = []
    for row in results["routes"]:
        value = row["Value"] / 96485 if row["Unit"] == "J.mol-1" else row["Value"]
        of = f"{value:.2f}{' eV' if row['Unit'] == 'J.mol-1' else ''}"
        capacities = " / ".join(f"{row[f'{r:g} C [mAh/g]']:.0f}" for r in HOT_RATES)
        gaps = " / ".join(f"{row[f'Gap at {r:g} C [mV]']:.0f}" for r in HOT_RATES)
        rows.append(f"| {row['Route']} | {of} | {capacities} | {gaps} |")
    return {"studies/temperature/README.md": rows}


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
    found = routes(base)
    found.round(4).to_csv(arguments.out / "routes.csv", index=False)
    results = {"routes": found.to_dict("records")}
    (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print("\n".join(sentences(results)["studies/temperature/README.md"]))
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
