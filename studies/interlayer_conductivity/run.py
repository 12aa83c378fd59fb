"""What do conductivity and thickness of the Na3PS4 interlayer buy?

Discharge capacity at 2 C and gap at 0.2 C over 1e-5 to 1e-1 S/cm and 25 to 300 um. Writes
table.csv and map.png beside this file; ``--quick`` runs a coarse grid into a folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import ssnib_model as ss

KAPPA, THICKNESS = "Na3PS4 layer conductivity [S.m-1]", "Na3PS4 layer thickness [m]"
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"
MARKED = ["Na3PS4 (2022)", "Na2.25Y0.25Zr0.75Cl6", "Na11Sn2PS12", "Na2.88Sb0.88W0.12S4"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a coarse grid")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parameters = ss.ParameterSet("Hu2024")
    points = (4, 2) if arguments.quick else (25, 8)
    axes = {
        KAPPA: np.geomspace(1e-3, 10, points[0]),
        THICKNESS: np.linspace(25e-6, 3e-4, points[1]),
    }
    table = ss.sweep(parameters, ss.grid(axes), ss.RateTest([0.2, 2]), model="dfn")
    table.to_csv(arguments.out / "table.csv", index=False)

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    shown = ((2, CAPACITY, 1, "discharge capacity at 2 C [mAh/g]"),
             (0.2, GAP, 1e3, "gap at 0.2 C [mV]"))  # fmt: skip
    for ax, (rate, column, factor, label) in zip(figure.subplots(1, 2), shown, strict=True):
        rows = table[table["C-rate"] == rate]
        values = factor * rows.pivot_table(column, THICKNESS, KAPPA, dropna=False)
        filled = ax.contourf(values.columns / 100, values.index * 1e6, values.to_numpy(), 15)
        figure.colorbar(filled, ax=ax, label=label)
        here = (parameters[KAPPA] / 100, parameters[THICKNESS] * 1e6)
        ax.plot(*here, "r*", markersize=14, label="cell of the paper")
        for marker, name in zip("os^D", MARKED, strict=True):
            kappa = ss.solid_electrolytes()[name].conductivity / 100
            ax.plot(kappa, here[1], "w" + marker, markeredgecolor="k", label=name)
        ax.set(xscale="log", xlabel="Na3PS4 layer conductivity [S/cm]",
               ylabel="layer thickness [um]", xlim=(1e-5, 1e-1))  # fmt: skip
    ax.legend(fontsize="x-small", loc="lower right")
    figure.savefig(arguments.out / "map.png", dpi=150)

    # where the interlayer stops to matter: its loss below 5 % of the polarization
    test = ss.RateTest([0.2, 2])
    for rate in test.rates:
        result = test.run(ss.SolidStateDFN(), parameters)
        losses = -result.breakdown(rate)
        rest = losses.sum() - losses["Na3PS4 layer"]
        enough = parameters[KAPPA] / 100 * losses["Na3PS4 layer"] / rest * 0.95 / 0.05
        print(f"{rate:g} C: with the set's values the layer takes less than 5 % of the loss from "
              f"{enough:.1e} S/cm at today's thickness")  # fmt: skip
    for name in MARKED:
        better = ss.swap_layer(parameters, "Na3PS4", name)
        found = test.run(ss.SolidStateDFN(), better).table
        print(f"{name}: gap {1e3 * found[GAP][0]:.0f} mV at 0.2 C, "
              f"{found[CAPACITY][1]:.1f} mAh/g at 2 C")  # fmt: skip


if __name__ == "__main__":
    main()
