"""Where does the reduced model hold? Both models over catholyte conductivity and rate.

Writes table.csv and map.png beside this file; ``--quick`` runs four points into a folder.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

CONDUCTIVITIES = [1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]  # S/cm
RATES = [0.1, 0.2, 0.5, 1, 2, 5]
NAME = "Positive electrode electrolyte conductivity [S.m-1]"
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"
#: Parts of the smaller of two capacities at which curves are compared.
ALONG = np.linspace(0.02, 0.98, 49)


def along(full: ss.RateTestResult, reduced: ss.RateTestResult) -> float:
    """Largest difference [V] of the two models' curves at equal capacity, 2 to 98 % of it."""
    found = []
    for one, other in zip(full.half_cycles, reduced.half_cycles, strict=True):
        shared = ALONG * min(one.capacity, other.capacity)
        if shared[0] > 0:
            voltages = (h.at("Voltage [V]", shared / h.capacity) for h in (one, other))
            found.append(abs(next(voltages) - next(voltages)).max())
    return max(found, default=np.nan)


def compare(parameters: ss.ParameterSet, conductivity: float, rate: float) -> dict:
    """One charge and discharge by both models at a catholyte conductivity [S/cm]."""
    changed = parameters.replace({NAME: 100 * conductivity})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        full, reduced = (
            ss.RateTest([rate]).run(model(changed.model_options), changed)
            for model in (ss.SolidStateDFN, ss.SolidStateSPM)
        )
    row, reduced_row = full.table.iloc[0], reduced.table.iloc[0]
    number = reduced.half_cycles[0].at("Reaction uniformity number", 0.5)
    return {
        "Conductivity [S/cm]": conductivity,
        "C-rate": rate,
        "Reaction uniformity number": float(number),
        "Full: capacity [mAh/g]": row[CAPACITY],
        "Reduced - full: capacity [mAh/g]": reduced_row[CAPACITY] - row[CAPACITY],
        "Full: gap [mV]": 1e3 * row[GAP],
        "Reduced - full: gap [mV]": 1e3 * (reduced_row[GAP] - row[GAP]),
        "Curves apart [mV]": 1e3 * along(full, reduced),
        "Status of the full model": row["Status"],
    }


def at_set(parameters: ss.ParameterSet, rates: list) -> dict:
    """The number and the differences for the cell of the paper by rate."""
    conductivity = parameters[NAME] / 100
    rows = {rate: compare(parameters, conductivity, rate) for rate in rates if rate <= 2}
    names = ("Reaction uniformity number", "Reduced - full: capacity [mAh/g]", "Curves apart [mV]")
    return {rate: {name: row[name] for name in names} for rate, row in rows.items()}


def sentences(results: dict) -> dict[str, list[str]]:
    """What is quoted of the results, by file; a test compares."""
    limit, cell = results["up to 2"], results["the paper's cell"]
    lines = [
        f"within {limit['capacity [mAh/g]']:.1f} mAh/g and {limit['gap [mV]']:.1f} mV of the gap, "
        f"but along the curves only within {limit['curves [mV]']:.0f} mV",
        f"within 5 mV only up to {results['curves within 5 mV up to']:.1f}",
        *(
            f"| {rate} | {row['Reaction uniformity number']:.2f} | "
            f"{row['Reduced - full: capacity [mAh/g]']:+.1f} | {row['Curves apart [mV]']:.0f} |"
            for rate, row in cell.items()
        ),
    ]
    return {"studies/reduced_model_validity/README.md": lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four points only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    conductivities, rates = CONDUCTIVITIES, RATES
    if arguments.quick:
        conductivities, rates = [1e-4, 1e-2], [0.2, 1]
    parameters = ss.ParameterSet("Hu2024")
    table = pd.DataFrame([compare(parameters, k, r) for k in conductivities for r in rates])
    table.round(4).to_csv(arguments.out / "table.csv", index=False)

    figure = Figure(figsize=(14, 4), layout="constrained")
    columns = [
        "Reduced - full: capacity [mAh/g]",
        "Reduced - full: gap [mV]",
        "Curves apart [mV]",
    ]
    for ax, column in zip(figure.subplots(1, 3), columns, strict=True):
        for rate, rows in table.groupby("C-rate"):
            ok = rows[rows["Status of the full model"] == "ok"]
            ax.plot(
                ok["Reaction uniformity number"],
                ok[column].abs() + 1e-4,
                "o-",
                label=f"{rate:g} C",
            )
        ax.axvline(2, color="k", linestyle=":", label="limit of the warning")
        ax.set(xlabel="Reaction uniformity number [-]", ylabel=f"|{column}", xscale="log")
        ax.set_ylabel("|" + column.replace(" [", "| ["))
        ax.set_yscale("log")
    ax.legend(fontsize="small")
    figure.savefig(arguments.out / "map.png", dpi=150)
    print(table.to_string(index=False, float_format="{:.3g}".format, na_rep="-"))
    cell = at_set(parameters, rates)
    every = pd.concat([table, pd.DataFrame(cell.values())])
    within = every[every["Reaction uniformity number"] <= 2]
    capacity, gap, curves = (within[column].abs().max() for column in columns)
    share = (within[columns[1]] / within["Full: gap [mV]"]).abs().max()
    good = table[table["Curves apart [mV]"] <= 5]["Reaction uniformity number"].max()
    poor = table[table["Curves apart [mV]"] > 5]["Reaction uniformity number"].min()
    results = {
        "up to 2": {"capacity [mAh/g]": capacity, "gap [mV]": gap, "curves [mV]": curves},
        "of the gap": share,
        "curves within 5 mV up to": min(good, poor),
        "the paper's cell": {f"{r:g}": row for r, row in cell.items()},
    }
    (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print("\n".join(sentences(results)["studies/reduced_model_validity/README.md"]))


if __name__ == "__main__":
    main()
