"""Where does NaTaCl6 matter: as separator, in the composite, and by its milling time?

Varies its conductivity from 1e-6 to 1e-2 S/cm in the layer only, in the composite only, and in
both, by the full model. Writes table.csv and roles.png; ``--quick`` runs three values.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

LAYER = "NaTaCl6 layer conductivity [S.m-1]"
COMPOSITE = "Positive electrode electrolyte conductivity [S.m-1]"
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"
MILLED = ["annealed", "milled 6 h", "milled 26 h", "milled 40 h", "milled 60 h"]
ROLES = {"layer only": (LAYER,), "composite only": (COMPOSITE,), "both": (LAYER, COMPOSITE)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three values")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parameters = ss.ParameterSet("Hu2024")
    today = parameters[LAYER]
    values = np.geomspace(1e-4, 1, 3 if arguments.quick else 17)
    run, tables = ss.RateTest([0.2, 1, 2]), []
    for role, names in ROLES.items():
        design = pd.DataFrame(
            {name: values if name in names else today for name in (LAYER, COMPOSITE)}
        )
        table = ss.sweep(parameters, design, run, model="dfn")
        tables.append(table.assign(Role=role, Conductivity=np.repeat(values, 3)))
    table = pd.concat(tables, ignore_index=True)
    # thickness of composite over penetration depth, at 1 C by the reduced model's number
    table.to_csv(arguments.out / "table.csv", index=False)

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    for ax, (rate, column, factor, label) in zip(
        figure.subplots(1, 2),
        (
            (1, CAPACITY, 1, "discharge capacity at 1 C [mAh/g]"),
            (0.2, GAP, 1e3, "gap at 0.2 C [mV]"),
        ),
        strict=True,
    ):
        for role, rows in table[table["C-rate"] == rate].groupby("Role"):
            ax.plot(rows["Conductivity"] / 100, factor * rows[column], ".-", label=role)
        for name in MILLED:
            kappa = ss.solid_electrolytes()[f"NaTaCl6 {name}"].conductivity / 100
            ax.axvline(kappa, color="k", linestyle=":", linewidth=0.8)
            ax.annotate(name, (kappa, 1), xycoords=("data", "axes fraction"), rotation=90,
                        va="top", ha="right", fontsize="x-small")  # fmt: skip
        ax.set(xscale="log", xlabel="conductivity of NaTaCl6 [S/cm]", ylabel=label)
        ax.legend()
    figure.savefig(arguments.out / "roles.png", dpi=150)
    shown = table[table["C-rate"].isin([0.2, 1])].pivot_table(
        CAPACITY, ["C-rate", "Conductivity"], "Role"
    )
    print(shown.round(1).to_string())


if __name__ == "__main__":
    main()
