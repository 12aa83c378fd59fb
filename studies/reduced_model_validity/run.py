"""Where does the reduced model hold? Both models over catholyte conductivity and rate.

Writes table.csv and map.png beside this file; ``--quick`` runs four points into a folder.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

CONDUCTIVITIES = [1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]  # S/cm
RATES = [0.1, 0.2, 0.5, 1, 2, 5]
NAME = "Positive electrode electrolyte conductivity [S.m-1]"
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"


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
        "Status of the full model": row["Status"],
    }


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

    figure = Figure(figsize=(11, 4), layout="constrained")
    columns = ["Reduced - full: capacity [mAh/g]", "Reduced - full: gap [mV]"]
    for ax, column in zip(figure.subplots(1, 2), columns, strict=True):
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
    within = table[table["Reaction uniformity number"] <= 2]
    capacity, gap = (within[column].abs().max() for column in columns)
    share = (within[columns[1]] / within["Full: gap [mV]"]).abs().max()
    print(f"up to the limit: {capacity:.2f} mAh/g, {gap:.1f} mV, {share:.1%} of the gap")


if __name__ == "__main__":
    main()
