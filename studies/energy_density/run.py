"""Thinner layers, higher loading: energy of the stack against the rate it can take.

Writes table.csv and energy.png; ``--quick`` runs three designs. Mass and volume are those of
alloy, layers and composite; current collectors and housing are left out. The alloy is taken as
1.2 times the sodium that the cathode moves, between Na15Sn4 and Na9Sn4.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

RATES = [0.1, 0.2, 0.5, 1, 2]
LAYERS_UM = {"as made": (271, 702), "100 um each": (100, 100), "30 um each": (30, 30)}
LOADINGS = [5.09, 10, 20, 40]  # mg NVP per cm2
CAPACITY, ENERGY = "Discharge capacity [mA.h.g-1]", "Mean discharge voltage [V]"
ALLOY_DENSITY = 2400.0  # kg/m3, Na15Sn4 (2.40 +- 0.03 g/cm3)


def stack(parameters: ss.ParameterSet) -> tuple[float, float]:
    """Mass [kg] and volume [m3] of alloy, layers and composite."""
    area, F = parameters["Electrode area [m2]"], 96485.33212
    mass = parameters["Positive electrode mass [kg]"]
    volume = parameters["Positive electrode thickness [m]"] * area
    for layer in ("Na3PS4", "NaTaCl6"):
        thickness = parameters[f"{layer} layer thickness [m]"]
        volume += thickness * area
        density = parameters[f"{layer} layer density [kg.m-3]"]
        mass += thickness * area * density * parameters[f"{layer} layer relative density"]
    # sodium moved, in mol; Na15Sn4 to Na9Sn4 gives 1.5 Na per Sn
    sodium = parameters["Nominal cell capacity [A.h]"] * 3600 / F
    alloy = 1.2 * sodium / 1.5 * (0.118710 + 3.75 * 0.02298977)
    return mass + alloy, volume + alloy / ALLOY_DENSITY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three designs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = ss.ParameterSet("Hu2024")
    rows = []
    for name, (interlayer, separator) in LAYERS_UM.items():
        for loading in LOADINGS[: 1 if arguments.quick else None]:
            parameters = base.replace(
                {
                    "Na3PS4 layer thickness [m]": interlayer * 1e-6,
                    "NaTaCl6 layer thickness [m]": separator * 1e-6,
                    "Positive electrode mass [kg]": 1e-5 * loading / LOADINGS[0],
                }
            )
            result = ss.RateTest(RATES).run(ss.SolidStateDFN(), parameters)
            mass, volume = stack(parameters)
            for row, half_cycle in zip(
                result.table.to_dict("records"), result.half_cycles[1::2], strict=True
            ):
                energy = 0.0 if math.isnan(half_cycle.energy) else half_cycle.energy
                rows.append(
                    {
                        "Layers": name,
                        "Loading [mg/cm2]": loading,
                        "C-rate": row["C-rate"],
                        "Areal capacity [mAh/cm2]": row[CAPACITY] * loading / 1e3,
                        "Energy [Wh/kg]": energy / mass,
                        "Energy [Wh/L]": energy / volume / 1e3,
                        "Status": row["Status"],
                    }
                )
    table = pd.DataFrame(rows)
    table.round(4).to_csv(arguments.out / "table.csv", index=False)

    figure = Figure(figsize=(13, 4.5), layout="constrained")
    axes = figure.subplots(1, table["Layers"].nunique(), sharey=True)
    for ax, (name, part) in zip(axes, table.groupby("Layers", sort=False), strict=True):
        for loading, line in part.groupby("Loading [mg/cm2]"):
            ax.plot(line["C-rate"], line["Energy [Wh/kg]"], "o-", label=f"{loading:g} mg/cm2")
        ax.set(title=f"layers {name}", xscale="log", xlabel="C-rate [1/h]")
        ax.set_ylabel("Energy of the stack [Wh/kg]")
    ax.legend(title="NVP")
    figure.savefig(arguments.out / "energy.png", dpi=150)
    for quantity in ("Areal capacity [mAh/cm2]", "Energy [Wh/kg]", "Energy [Wh/L]"):
        print(quantity)
        print(table.pivot_table(quantity, ["Layers", "Loading [mg/cm2]"], "C-rate", sort=False)
              .round(2).to_string())  # fmt: skip


if __name__ == "__main__":
    main()
