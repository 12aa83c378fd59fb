"""Thinner layers, higher loading: energy of the stack against the rate it can take.

Writes table.csv, designs.csv of the search for the best one and energy.png; ``--quick`` runs three
designs and the search by the reduced model. Mass and volume are those of alloy, layers and
composite; current collectors and housing are left out. In the table the alloy is taken as
made as Na9Sn4, 1.2 times what takes the sodium of the cathode up to Na15Sn4.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.cell.bulk import bulk_of

RATES = [0.1, 0.2, 0.5, 1, 2]
LAYERS = ("Na3PS4 layer thickness [m]", "NaTaCl6 layer thickness [m]")
LAYERS_UM = {"as made": None, "100 um each": 100, "30 um each": 30}
LOADINGS = [5.09, 10, 20, 40]  # mg NVP per cm2
CAPACITY, ENERGY = "Discharge capacity [mA.h.g-1]", "Mean discharge voltage [V]"
CONTENT = "Negative electrode as-made sodium content"
ALLOY, CATHODE = "Negative electrode alloy mass [kg]", "Positive electrode mass [kg]"
#: The anode as made: the sodium comes with the cathode, so Na15Sn4 has no room for it.
NA9SN4 = 2.25
#: Where the best design is looked for: layers as thin as 30 um.
VARIED = {
    LAYERS[0]: (30e-6, 300e-6),
    LAYERS[1]: (30e-6, 700e-6),
    CATHODE: (1e-5, 8e-5),
    ALLOY: (1e-6, 1e-4, "log"),
}


def with_alloy(parameters: ss.ParameterSet) -> ss.ParameterSet:
    """The cell with 1.2 times the alloy that takes its sodium: 1.5 Na per Sn."""
    sodium = parameters["Nominal cell capacity [A.h]"] * 3600 / 96485.33212  # mol
    return parameters.replace({ALLOY: 1.2 * sodium / 1.5 * (0.118710 + NA9SN4 * 0.02298977)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three designs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = ss.ParameterSet("Hu2024").replace({CONTENT: NA9SN4})
    rows = []
    for name, thickness in LAYERS_UM.items():
        for loading in LOADINGS[: 1 if arguments.quick else None]:
            parameters = with_alloy(
                base.replace(
                    {CATHODE: 1e-5 * loading / LOADINGS[0]}
                    | ({} if thickness is None else dict.fromkeys(LAYERS, thickness * 1e-6))
                )
            )
            result = ss.RateTest(RATES).run(ss.SolidStateDFN(), parameters)
            mass, volume = bulk_of(parameters)
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
    best = ss.optimise(
        base,
        VARIED,
        maximise="specific energy at 0.2 C",
        subject_to="capacity retention at 2 C >= 0.8",
        model="spm" if arguments.quick else "dfn",
    )
    print(best.sentence, "\n")
    best.table.round(9).to_csv(arguments.out / "designs.csv", index=False)
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
