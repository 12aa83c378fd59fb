"""Which law of ageing can carry the four cycling figures of the paper?

For each law with one number, the number that each figure asks for by itself; where they are far
apart the law cannot be that of all cells. Capacity against what ages is worked out by the
reduced model on a grid, and the cycles in between follow from it by quadrature; the last lines
run all cycles of some, to check that. Writes table.csv, laws.csv, efficiency.csv, activation.csv
and ageing.png; ``--quick`` has a coarse grid and leaves the 4,000 cycles out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator

import ssnib_model as ss
from ssnib_model.models.ageing import AGE, FULL_CYCLES, HIGH_TIME

FRACTION = "Positive electrode accessible fraction"
INTERFACE = "Negative electrode|Na3PS4 interface resistance"
CAPACITY = "Discharge capacity [mA.h.g-1]"
FADES = {"accessible fraction": "ageing"}
LEAKS = {"electronic leakage": "ohmic"}
OHM_CM2 = 1e-4


class Measured(NamedTuple):
    """A cycling figure of the paper."""

    rate: float
    celsius: float
    cycles: int
    retention: float
    efficiency: float  #: mean coulombic efficiency, NaN where none is given


FIGURES = {
    "0.2 C": Measured(0.2, 25, 250, 0.88, 0.9981),
    "0.5 C": Measured(0.5, 25, 1500, 0.98, np.nan),
    "1 C": Measured(1.0, 25, 600, 0.95, 0.9998),
    "3 C, 60 degC": Measured(3.0, 60, 4000, 0.81, 0.9996),
}
#: Of the room-temperature cells: the other has an activation energy to be chosen.
ROOM = ("0.2 C", "0.5 C", "1 C")
CLOCKS = {
    "per equivalent full cycle": FULL_CYCLES,
    "per hour": AGE,
    "per hour above 3.6 V": HIGH_TIME,
}


def cell(figure: Measured, changes: dict | None = None, options: dict | None = None):
    base = ss.ParameterSet("Hu2024")
    values = {"Ambient temperature [K]": 273.15 + figure.celsius, **(changes or {})}
    return base.replace(values, options or {})


def cycled(figure: Measured, changes: dict, cycles: int = 2) -> tuple[float, dict[str, float]]:
    """Capacity of a cycle under way [mAh/g], and by how much the clocks go on in it."""
    parameters = cell(figure, changes, FADES)
    model = ss.SolidStateSPM(parameters.model_options)
    first = ss.Cycling(figure.rate, cycles=1).run(model, parameters)
    last = ss.Cycling(figure.rate, cycles=1).run(model, parameters, start=first.final_state)
    if not last.ok or last.cycles[CAPACITY][0] <= 0:
        return 0.0, dict.fromkeys(CLOCKS.values(), np.nan)
    before, after = first.final_state.values, last.final_state.values
    return last.cycles[CAPACITY][0], {
        name: float(after[name][0] - before[name][0]) for name in CLOCKS.values()
    }


def by_contact(figure: Measured, shares: np.ndarray) -> dict[str, float]:
    """Share lost per unit of each clock that gives the figure, and totals of the clocks."""
    whole = ss.ParameterSet("Hu2024")[FRACTION]
    found = [cycled(figure, {FRACTION: share * whole}) for share in shares]
    capacity = np.array([q for q, _ in found])
    order = np.argsort(capacity)
    share = float(PchipInterpolator(capacity[order], shares[order])(
        figure.retention * capacity[0]
    ))  # fmt: skip
    places = np.linspace(share, 1, 201)
    result = {"capacity": capacity[0], "share left": share}
    for law, clock in CLOCKS.items():
        per_cycle = PchipInterpolator(shares[::-1], [c[clock] for _, c in found][::-1])(places)
        result[law] = np.trapezoid(1 / (places * per_cycle), places) / figure.cycles
        # of cycles that lose the same share of what is left each
        result[f"{clock} in all"] = figure.cycles * float(per_cycle.mean())
    return result


def by_resistance(figure: Measured, ohms: np.ndarray, halvings: int) -> dict[str, float]:
    """Resistance [Ohm.cm2] at the anode whose growth gives the figure; NaN where none does."""
    base = cell(figure)
    # the parameter is that at the reference temperature
    energy = base[f"{INTERFACE} activation energy [J.mol-1]"]
    reference = base[f"{INTERFACE} reference temperature [K]"]
    warm = base["Ambient temperature [K]"]
    factor = np.exp(-energy / 8.314462618 * (1 / warm - 1 / reference))
    start = base[f"{INTERFACE} [Ohm.m2]"]

    def cycle(ohm: float) -> tuple[float, float, float]:
        """Capacity [mAh/g], hours and gap [V] of the second cycle."""
        parameters = cell(figure, {f"{INTERFACE} [Ohm.m2]": start + ohm * OHM_CM2 * factor})
        model = ss.SolidStateSPM(parameters.model_options)
        result = ss.Cycling(figure.rate, cycles=2).run(model, parameters)
        last = result.cycles.iloc[-1]
        hours = result.table["Duration [s]"].iloc[-2:].sum() / 3600
        return last[CAPACITY] if result.ok else 0.0, hours, last["Mean voltage gap [V]"]

    fresh = first = cycle(0.0)
    low = 0.0
    for ohm in ohms:
        at = cycle(ohm)
        if at[0] < figure.retention * fresh[0]:
            break
        low, first = ohm, at
    else:
        return {"ohm": np.nan, "per hour0.5": np.nan, "gap": np.nan}
    high = ohm
    for _ in range(halvings):
        middle = (low + high) / 2
        at = cycle(middle)
        if at[0] < figure.retention * fresh[0]:
            high = middle
        else:
            low, first = middle, at
    total = figure.cycles * (fresh[1] + first[1]) / 2
    return {"ohm": low, "per hour0.5": low / np.sqrt(total), "gap": first[2] - fresh[2]}


def efficiencies() -> pd.DataFrame:
    """Coulombic efficiency of a cycle under way, and of the first at 0.1 C."""
    rows = []
    first = Measured(0.1, 25, 1, 1.0, 0.9960)
    for name, figure in {"0.1 C, first cycle": first, **FIGURES}.items():
        row: dict[str, object] = {"Figure": name, "Measured": figure.efficiency}
        for column, options in (("without", {}), ("with", LEAKS)):
            parameters = cell(figure, options=options)
            cycles = 1 if figure is first else 3
            result = ss.Cycling(figure.rate, cycles=cycles).run(
                ss.SolidStateDFN(parameters.model_options), parameters
            )
            row[column] = result.cycles["Coulombic efficiency"].iloc[-1]
        rows.append(row)
    return pd.DataFrame(rows)


def simulated(figure: Measured, loss: float, cycles: int) -> tuple[float, float]:
    """Retention of all cycles by the model itself, and the seconds it took."""
    parameters = cell(figure, {f"{FRACTION} loss per cycle": loss}, FADES)
    start = time.perf_counter()
    result = ss.Cycling(figure.rate, cycles=cycles).run(
        ss.SolidStateSPM(parameters.model_options), parameters, keep=cycles
    )
    capacity = result.cycles[CAPACITY].to_numpy()
    return capacity[-1] / capacity[0], time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a coarse grid, 250 cycles")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    # the cells at the end of the grids cannot cycle any more
    warnings.simplefilter("ignore", ss.ValidityWarning)
    shares = np.array([1, 0.9, 0.75]) if arguments.quick else np.array([1, 0.95, 0.9, 0.8, 0.7])
    ohms, halvings = 30 * 2.0 ** np.arange(10), 2 if arguments.quick else 7
    contact = {name: by_contact(figure, shares) for name, figure in FIGURES.items()}
    resistance = {name: by_resistance(figure, ohms, halvings) for name, figure in FIGURES.items()}
    rows = []
    for name, figure in FIGURES.items():
        c, r = contact[name], resistance[name]
        rows.append(
            {
                "Figure": name,
                "Retention": figure.retention,
                "Cycles": figure.cycles,
                "Hours": c[f"{AGE} in all"],
                "Hours above 3.6 V": c[f"{HIGH_TIME} in all"],
                **{f"Loss {law}": c[law] for law in CLOCKS},
                "Resistance needed [Ohm.cm2]": r["ohm"],
                "Growth needed [Ohm.cm2.h-0.5]": r["per hour0.5"],
                "Rise of the gap with it [V]": r["gap"],
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(arguments.out / "table.csv", index=False, float_format="%.4g")

    room = table[table["Figure"].isin(ROOM)]
    warm = table[table["Figure"] == "3 C, 60 degC"].iloc[0]
    laws = []
    for column in [*(f"Loss {law}" for law in CLOCKS), "Growth needed [Ohm.cm2.h-0.5]"]:
        values = np.log(room[column].dropna().to_numpy())
        enough = values.size == len(ROOM)
        ratio = warm[column] / np.exp(values.mean()) if values.size else np.nan
        per_kelvin = 1 / 298.15 - 1 / 333.15
        laws.append(
            {
                "Law": column,
                "Largest over smallest at 25 degC": np.exp(np.ptp(values)) if enough else np.nan,
                "Spread needed (sd of ln)": values.std(ddof=1) if enough else np.nan,
                "60 degC over mean of 25 degC": ratio,
                "Activation energy that would be [eV]": np.log(ratio) * 8.617333e-5 / per_kelvin,
            }
        )
    laws = pd.DataFrame(laws)
    laws.to_csv(arguments.out / "laws.csv", index=False, float_format="%.4g")

    # what activation would have to hide at 0.5 C if the cell lost as the others do
    activation = pd.DataFrame(
        {
            "Law": law,
            "Loss as of": other,
            "Left at 0.5 C without activation": np.exp(-contact[other][law] * total),
            "Gain needed": contact["0.5 C"]["share left"] / np.exp(-contact[other][law] * total)
            - 1,
        }
        for law, clock in CLOCKS.items()
        for total in [contact["0.5 C"][f"{clock} in all"]]
        for other in ("0.2 C", "1 C")
    )
    activation.to_csv(arguments.out / "activation.csv", index=False, float_format="%.4g")

    efficiency = efficiencies()
    efficiency.to_csv(arguments.out / "efficiency.csv", index=False, float_format="%.6g")

    # the point at 60 degC and 3 C
    figure = FIGURES["3 C, 60 degC"]
    fresh = contact["3 C, 60 degC"]["capacity"]
    measured = float(ss.ParameterSet("Hu2024").measured["60 C"].iloc[0][CAPACITY])
    lost = -np.log(measured / fresh)
    cycles = lost / contact["3 C, 60 degC"]["per equivalent full cycle"]
    lines = [
        table.to_string(index=False, float_format="{:.3g}".format),
        laws.to_string(index=False, float_format="{:.3g}".format),
        activation.to_string(index=False, float_format="{:.3g}".format),
        efficiency.to_string(index=False, float_format="{:.4%}".format),
        f"60 degC, 3 C: {fresh:.1f} mAh/g as made, {measured:g} measured: to have lost "
        f"{1 - measured / fresh:.1%} before, that cell needed {cycles:.0f} cycles of its own "
        "ageing",
    ]
    runs = ["0.2 C"] if arguments.quick else ["0.2 C", "1 C", "3 C, 60 degC"]
    for name in runs:
        figure, loss = FIGURES[name], contact[name]["per equivalent full cycle"]
        retention, seconds = simulated(figure, loss, figure.cycles)
        lines.append(
            f"{name}: all {figure.cycles} cycles run: {retention:.4f} of the first, asked for "
            f"{figure.retention:g}; {seconds:.0f} s"
        )
    print("\n\n".join(lines))

    drawn = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = drawn.subplots(1, 2)
    for law in CLOCKS:
        values = table[f"Loss {law}"]
        left.semilogy(table["Figure"], values / values[0], "o-", label=law)
    growth = table["Growth needed [Ohm.cm2.h-0.5]"]
    left.semilogy(table["Figure"], growth / growth[0], "s--", label="resistance, root of time")
    left.axhline(1, color="0.7", lw=0.8, zorder=0)
    left.set(ylabel="Number that the figure asks for, over that of 0.2 C")
    left.set_ylim(top=20)  # room for the legend
    left.legend(fontsize="small", title="law", loc="upper right")
    places = np.arange(len(efficiency))
    for column, marker in (("without", "C0o"), ("with", "C1o"), ("Measured", "k*")):
        name = column if column == "Measured" else f"model, {column} leakage"
        right.plot(places, 100 * (1 - efficiency[column]), marker, ms=8, mfc="none", label=name)
    right.set_xticks(places, efficiency["Figure"], rotation=20, ha="right")
    right.set(ylabel="Charge that does not come back [%]")
    right.legend(fontsize="small")
    drawn.savefig(arguments.out / "ageing.png", dpi=150)


if __name__ == "__main__":
    main()
