"""Does Na3PS4 cause the polarization? The share of every loss against rate, with uncertainty.

Takes the draws of studies/fit_hu2024 (draws.csv), in which every assumed value lies anywhere in
its range and all of them together give the measured capacities and the gap of 150 mV, and the
breakdown at half of each discharge; beside them the set as it is. Charged at 0.2 C, so that every
draw is there at every rate. Writes table.csv, results.json and shares.png; `sentences` are what
README files quote. ``--quick`` takes four draws.
"""

from __future__ import annotations

import argparse
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

FIT_FOLDER = Path(__file__).parents[1] / "fit_hu2024"
FIT = runpy.run_path(str(FIT_FOLDER / "run.py"))
RATES = [0.2, 0.5, 1, 2]
TEST = ss.RateTest(RATES, charge_rate=0.2)

#: Losses told one by one, and what the others are put together to.
GROUPS = {
    "Na3PS4": ["Na3PS4 layer"],
    "reaction on NVP": ["Positive electrode reaction"],
    "anode and its interface": [
        "Negative electrode reaction",
        "Negative electrode|Na3PS4 interface",
    ],
    "Na3PS4|NaTaCl6 and NaTaCl6|cathode": [
        "Na3PS4|NaTaCl6 interface",
        "NaTaCl6|Positive electrode interface",
    ],
    "NVP's own gap": ["Positive electrode hysteresis"],
    "NaTaCl6 layer": ["NaTaCl6 layer"],
    "ions in the composite": ["Positive electrode ionic"],
}


def losses(results: list) -> pd.DataFrame:
    """Losses at half of each discharge [V] by group, one row a draw and rate."""
    rows = []
    for number, result in enumerate(results):
        for rate, status in zip(RATES, result.table["Status"], strict=True):
            if status != "ok":
                continue
            found = -result.breakdown(rate)
            row = {name: sum(found.get(n, 0.0) for n in names) for name, names in GROUPS.items()}
            rest = found.sum() - sum(row.values())
            rows.append({"Draw": number, "C-rate": rate, **row, "the rest": rest})
    return pd.DataFrame(rows)


def sentences(results: dict[str, Any]) -> dict[str, list[str]]:
    """What is quoted of the results, by file; a test compares."""

    def share(name: str, rate: str) -> str:
        found = results["shares"][name][rate]
        return (
            f"{found['Median']:.0%} ({found['Low']:.0%} to {found['High']:.0%}; with the set's "
            f"values {found['Set']:.0%})"
        )

    both = [
        f"Na3PS4 takes {share('Na3PS4', '2')} of the loss at 2 C and {share('Na3PS4', '0.2')} at "
        "0.2 C",
    ]
    others = [
        f"| {name.replace('|', ' to ')} | {share(name, '0.2')} | {share(name, '2')} |"
        for name in results["shares"]
    ]
    largest = [
        f"Na3PS4 is the largest loss in {results['largest']['0.2']:.0%} of the draws at 0.2 C and "
        f"in {results['largest']['2']:.0%} at 2 C"
    ]
    return {
        "README.md": [*both, *largest],
        "studies/interlayer_conductivity/README.md": both,
        "studies/polarization_budget/README.md": [*both, *largest, *others],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four draws")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = ss.ParameterSet("Hu2024")
    draws = pd.read_csv(FIT_FOLDER / "draws.csv")
    draws = draws.head(4) if arguments.quick else draws
    frame = losses(FIT["simulate"](FIT["cells"](base, draws), TEST, "dfn"))
    at_set = losses([TEST.run(ss.SolidStateDFN(), base)]).set_index("C-rate").drop(columns="Draw")
    names = list(at_set.columns)
    share = frame.set_index("C-rate")[names].div(frame[names].sum(axis=1).to_numpy(), axis=0)
    of_set = at_set.div(at_set.sum(axis=1), axis=0)
    quantiles = {"Low": 0.025, "Median": 0.5, "High": 0.975}
    long = share.reset_index().melt("C-rate", names, "Loss", "Share")
    grouped = long.groupby(["Loss", "C-rate"])["Share"]
    table = pd.DataFrame({name: grouped.quantile(q) for name, q in quantiles.items()})
    table["Set"] = [of_set.loc[rate, name] for name, rate in table.index]
    table.round(4).to_csv(arguments.out / "table.csv")
    most = share.idxmax(axis=1)
    results = {
        "draws": len(draws),
        "shares": {
            name: {f"{rate:g}": table.loc[name, rate].to_dict() for rate in RATES}
            for name in names
        },
        "largest": {f"{r:g}": float((most[most.index == r] == "Na3PS4").mean()) for r in RATES},
        "loss of the set [mV]": {f"{r:g}": float(1e3 * at_set.loc[r].sum()) for r in RATES},
    }
    text = json.dumps(results, indent=2) + "\n"
    (arguments.out / "results.json").write_text(text)

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    ax = figure.subplots()
    order = table["Median"].groupby("Loss").max().sort_values(ascending=False)
    for name in order.index[order > 0.02]:
        part = table.loc[name]
        (line,) = ax.plot(part.index, part["Median"], "o-", label=name)
        ax.fill_between(part.index, part["Low"], part["High"], color=line.get_color(), alpha=0.12)
        ax.plot(part.index, part["Set"], ":", color=line.get_color())
    ax.plot([], [], "k:", label="with the set's values")
    ax.set(xscale="log", xlabel="C-rate [1/h]", ylabel="share of the loss at half discharge [-]")
    ax.set_ylim(0, float(np.ceil(10 * table["High"].max()) / 10))
    ax.set_xticks(RATES, [f"{r:g}" for r in RATES])
    ax.minorticks_off()
    ax.legend(fontsize="small", ncols=2)
    figure.savefig(arguments.out / "shares.png", dpi=150)
    print(table.loc[order.index].round(3).to_string())
    for lines in sentences(results).values():
        print("\n".join(lines))


if __name__ == "__main__":
    main()
