"""Does the pressure on a stack change an answer of the shipped sets?

The relation is R = R1 (p / 1 MPa)^-n, fitted to lithium on Li6PS5Cl (10.1002/aenm.201903253, B),
the only curve there is; no sodium cell of the sets has one. Writes relation.csv, table.csv and
pressure.png; ``--quick`` runs the reduced model.
"""

from __future__ import annotations

import argparse
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

#: Pressure [MPa] and resistance [Ohm] of the cell of 12.7 mm; at 1 MPa only ">500" is known.
PRESSURES, RESISTANCES = np.array([5, 10, 15, 20, 25.0]), np.array([110, 50, 40, 35, 32.0])
AT_LEAST = (1.0, 500.0)
#: On the way back from 25 MPa, at 5 MPa: a contact once pressed keeps much of what it gained.
BACK = (5.0, 50.0)
AREA = math.pi * 1.27**2 / 4  # cm2
#: Pressure [MPa] under which the cell of a set was tested, and the one it is compared with.
TESTED = {
    "Hu2024": (200.0, 50.0),
    "Asakura2020": (3.2, 0.2),
    "Duchene2020": (70.0, 3.0),
    "Ridley2024": (70.0, 50.0),
    "Oh2025": (75.0, 25.0),
}
CAPACITY, GAP = "Discharge capacity [mA.h.g-1]", "Polarization [V]"


def relation() -> tuple[float, float, np.ndarray]:
    """R1 [Ohm.cm2], n and the covariance of (ln R1, n), by least squares of the logarithms."""
    design = np.column_stack([np.ones_like(PRESSURES), -np.log(PRESSURES)])
    wanted = np.log(RESISTANCES * AREA)
    found, residual, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    spread = float(residual[0]) / (len(wanted) - 2)
    return float(np.exp(found[0])), float(found[1]), spread * np.linalg.inv(design.T @ design)


def contact(pressure: float) -> float:
    """Contact resistance [Ohm.cm2] at a pressure [MPa]."""
    first, exponent, _ = relation()
    return float(first * pressure**-exponent)


def answers(parameters: ss.ParameterSet, rate: float, model: str) -> pd.Series:
    """Charged at its lowest rate, discharged at a rate."""
    made = {"dfn": ss.SolidStateDFN, "spm": ss.SolidStateSPM}[model](parameters.model_options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.ValidityWarning)
        return ss.RateTest([rate], charge_rate=0.1).run(made, parameters).table.iloc[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the reduced model")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = "spm" if arguments.quick else "dfn"

    first, exponent, covariance = relation()
    sd = np.sqrt(np.diag(covariance))
    rows = [
        {"Quantity": "R1 [Ohm.cm2]", "Value": first, "Error": first * sd[0]},
        {"Quantity": "n", "Value": exponent, "Error": sd[1]},
        {"Quantity": "at 1 MPa [Ohm.cm2] (measured: above 633)", "Value": contact(AT_LEAST[0]),
         "Error": first * sd[0]},
        {"Quantity": "at 5 MPa, over that on the way back", "Value": contact(BACK[0])
         / (BACK[1] * AREA), "Error": math.nan},
    ]  # fmt: skip
    pd.DataFrame(rows).round(4).to_csv(arguments.out / "relation.csv", index=False)

    found = []
    for name, (own, other) in TESTED.items():
        parameters = ss.ParameterSet(name)
        layer = parameters.model_options["electrolyte layers"][0]
        interface = f"Negative electrode|{layer} interface resistance [Ohm.m2]"
        more = contact(other) - contact(own)  # Ohm.cm2, of one contact
        changed = parameters.replace({interface: parameters[interface] + 1e-4 * more})
        for rate in (0.1, 1.0):
            before, after = (answers(p, rate, model) for p in (parameters, changed))
            found.append(
                {
                    "Set": name,
                    "Pressure [MPa]": f"{own:g} to {other:g}",
                    "Contact [Ohm.cm2]": f"{contact(own):.3g} to {contact(other):.3g}",
                    "C-rate": rate,
                    "Capacity [mAh/g]": before[CAPACITY],
                    "Change [mAh/g]": after[CAPACITY] - before[CAPACITY],
                    "Change of the gap [mV]": 1e3 * (after[GAP] - before[GAP]),
                }
            )
    table = pd.DataFrame(found)
    table.round(3).to_csv(arguments.out / "table.csv", index=False)
    print(table.round(2).to_string(index=False))

    figure = Figure(figsize=(5.5, 4), layout="constrained")
    ax = figure.subplots()
    pressures = np.geomspace(0.2, 300, 100)
    around = np.column_stack([np.ones_like(pressures), -np.log(pressures)])
    error = np.sqrt(np.einsum("ij,jk,ik->i", around, covariance, around))
    middle = first * pressures**-exponent
    factor = np.exp(1.96 * error)
    ax.fill_between(pressures, middle / factor, middle * factor, alpha=0.2, label="95 %")
    ax.plot(pressures, middle, label=f"{first:.0f} (p / MPa)$^{{-{exponent:.2f}}}$")
    ax.plot(PRESSURES, RESISTANCES * AREA, "ko", label="Li on Li$_6$PS$_5$Cl, measured")
    ax.plot(AT_LEAST[0], AT_LEAST[1] * AREA, "k^", label="measured: above this")
    ax.plot(BACK[0], BACK[1] * AREA, "kx", label="measured, back from 25 MPa")
    for number, (name, (own, _)) in enumerate(TESTED.items()):
        ax.axvline(own, color=f"C{number + 1}", linewidth=0.8, linestyle=":", label=name)
    ax.set(xscale="log", yscale="log", xlabel="Stack pressure [MPa]")
    ax.set_ylabel("Contact resistance [Ohm cm$^2$]")
    ax.legend(fontsize=7, ncols=2)
    figure.savefig(arguments.out / "pressure.png", dpi=150)


if __name__ == "__main__":
    main()
