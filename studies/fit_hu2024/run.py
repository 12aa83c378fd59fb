"""Fit of the paper's cell: capacities and gap at 0.1 to 1 C; 2 C and 60 degC are held out.

Compares one particle size, a size distribution and two-phase particles, predicts the points
held out, and writes report.txt, table.csv, held_out.csv, fitted.json and fit.png beside this file.
``--update`` writes the fitted values into parameters/Hu2024. ``--quick`` fits the simplest
variant by the reduced model, with few draws.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import tomlkit
from matplotlib.figure import Figure
from scipy.optimize import brentq

import ssnib_model as ss
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.fits.data import CAPACITY, GAP

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
INTERFACE = "Negative electrode|Na3PS4 interface resistance [Ohm.m2]"
ACCESSIBLE = "Positive electrode accessible fraction"
HYSTERESIS = "Positive electrode hysteresis [V]"
SPREAD = "Positive particle radius spread"
LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"

#: Within one test; what differs from test to test is in its own accessible fraction.
SIGMA = {CAPACITY: 1.0, GAP: 0.005}
RATE_TEST, SECOND_TEST, FIRST_CYCLE = "Fig. 4E", "Fig. 4B", "Fig. 4B, first cycle"

#: Everything that is free in every variant: bounds, and priors from the ranges of the set.
COMMON = [
    ss.Free(D, 1e-17, 1e-14),
    ss.Free(J0, 1e-3, 1.0),
    ss.Free(INTERFACE, 3e-4, 3e-2, prior=(27e-4, 0.7)),
    ss.Free(LOWER, 2.0, 2.8, log=False, prior=(2.5, 0.25)),
    ss.Free(UPPER, 3.8, 4.2, log=False, prior=(4.0, 0.1)),
    *(ss.Free(ACCESSIBLE, 0.8, 1.0, log=False, data=name)
      for name in (RATE_TEST, SECOND_TEST, FIRST_CYCLE)),
]  # fmt: skip
#: What there is to say about a fitted value besides where it comes from.
NOTES = {
    D: "effective, Fickian across a two-phase plateau: only D/R^2 is determined; ",
    ACCESSIBLE: "of the cell of Fig. 4E; the paper sees unconnected regions; ",
}
HYSTERETIC = ss.Free(HYSTERESIS, 0.0, 0.06, log=False, prior=(0.01, 0.01))
SPREADING = ss.Free(SPREAD, 0.0, 1.0, log=False, prior=(0.4, 0.3))
START = {D: 2e-16, J0: 0.02, INTERFACE: 27e-4, LOWER: 2.5, UPPER: 4.0}

HYSTERESIS_OPTION = {"open-circuit potential": "one-state hysteresis"}
#: Variant -> (model, options, free parameters).
VARIANTS = {
    "one size": ("spm+dfn", {}, COMMON),
    "one size, hysteresis": ("spm", HYSTERESIS_OPTION, [*COMMON, HYSTERETIC]),
    "size distribution": ("spm", {"size classes": 5}, [*COMMON, SPREADING]),
    "two-phase": ("spm", {"particle": "two-phase"}, COMMON),
}


def measured(parameters: ss.ParameterSet) -> list[ss.RateTestData]:
    """The data of the fit: three tests, the rates above 1 C and 60 degC left out."""
    rate_test = parameters.measured["Fig. 4E"]
    cell_b = parameters.measured["Fig. 4B"].set_index("C-rate")[[CAPACITY]]
    cell_b[GAP] = parameters.measured["polarization"].set_index("C-rate")[GAP]
    cell_b = cell_b.reset_index()
    tables = {
        RATE_TEST: rate_test[rate_test["C-rate"] <= 1],
        SECOND_TEST: cell_b[cell_b["C-rate"] == 0.2],
        FIRST_CYCLE: cell_b[cell_b["C-rate"] == 0.1],
    }
    return [
        ss.RateTestData(name, table, sigma={q: s for q, s in SIGMA.items() if q in table})
        for name, table in tables.items()
    ]


def fit_variant(base: ss.ParameterSet, name: str, quick: bool) -> ss.FitResult:
    model, options, free = VARIANTS[name]
    changes = {HYSTERESIS: 0.01} if options == HYSTERESIS_OPTION else {}
    changes |= {SPREAD: 0.4} if "size classes" in options else {}
    parameters = base.replace(changes, options)
    labels = {f.label: START[f.name] for f in free if f.name in START and f.data is None}
    if "two-phase" in options.values():
        labels[D] = 2e-15  # the shell between the phases must carry what the whole range did
    return ss.fit(
        parameters,
        measured(parameters),
        free,
        model="spm" if quick else model,
        start=labels | {f"{ACCESSIBLE} ({FIRST_CYCLE})": 0.95},
    )


def held_out(result: ss.FitResult, draws: int) -> pd.DataFrame:
    """Predictions of the two points that no fit has seen, with 95 % bands."""
    rows = []
    for name, rates, rate, kelvin, value in (
        ("2 C", [0.2, 0.5, 1, 2], 2, 298.15, 88.3),
        ("60 degC, 3 C", [3], 3, 333.15, 90.5),
    ):
        bands = result.predict(rates, temperature=kelvin, data=RATE_TEST, n=draws)
        row = bands[(bands["C-rate"] == rate) & (bands["Quantity"] == CAPACITY)].iloc[0]
        rows.append(
            {
                "Held out": name,
                "Measured [mAh/g]": value,
                "Predicted [mAh/g]": row["Best"],
                "Low [mAh/g]": row["Low"],
                "High [mAh/g]": row["High"],
                "Predicted - measured": row["Best"] - value,
                "Inside": row["Low"] <= value <= row["High"],
            }
        )
    return pd.DataFrame(rows)


def fraction_for_60_degrees(result: ss.FitResult) -> float:
    """Accessible fraction that would give the measured capacity at 60 degC and 3 C."""
    hot = result.problem.parameters_for(result.unit, RATE_TEST)
    hot = hot.replace({"Ambient temperature [K]": 333.15})

    def excess(fraction):
        changed = hot.replace({ACCESSIBLE: fraction})
        model = ss.SolidStateSPM(changed.model_options)
        return ss.RateTest([3]).run(model, changed).table[CAPACITY][0] - 90.5

    return brentq(excess, 0.6, 1.0, xtol=1e-3)


def draw(result: ss.FitResult, draws: int, path: Path) -> None:
    """Measured and fitted capacities with bands; points held out are marked as such."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    rates = [0.1, 0.2, 0.5, 1, 2]
    bands = result.predict(rates, data=RATE_TEST, n=draws)
    bands = bands[bands["Quantity"] == CAPACITY]
    ax.fill_between(bands["C-rate"], bands["Low"], bands["High"], alpha=0.3, label="95 % band")
    ax.plot(bands["C-rate"], bands["Best"], label="fit, accessible fraction of Fig. 4E")
    data = result.problem.parameters.measured
    for name, marker, label in (("Fig. 4E", "D", "Fig. 4E"), ("Fig. 4B", "s", "Fig. 4B")):
        table = data[name]
        fitted = table[table["C-rate"] <= 1]
        ax.errorbar(
            fitted["C-rate"], fitted[CAPACITY], 2 * SIGMA[CAPACITY], fmt=marker, color="k",
            mfc="w", capsize=2, label=f"measured, {label}",
        )  # fmt: skip
    out = data["Fig. 4E"][data["Fig. 4E"]["C-rate"] > 1]
    ax.plot(out["C-rate"], out[CAPACITY], "r*", markersize=12, label="measured, held out")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{r:g}" for r in rates])
    ax.minorticks_off()
    ax.set(xlabel="C-rate [h$^{-1}$]", ylabel="Discharge capacity [mA h g$^{-1}$]", ylim=(0, 120))
    ax.legend(loc="lower left")
    figure.savefig(path, dpi=150)


def update_set(result: ss.FitResult) -> None:
    """Write the fitted values into the shipped set, which keeps its order and comments."""
    path = parameter_root() / "Hu2024" / "parameters.toml"
    document, known = tomlkit.parse(path.read_text()), ss.ParameterSet("Hu2024")
    fitted = {f.name: f.label for f in result.problem.free if f.data in (None, RATE_TEST)}
    for name, label in fitted.items():
        if label in weak(result):
            continue  # the data say nothing that its prior does not: it stays assumed
        value, error = result.values[label], result.errors[label]
        entry = document["parameters"][name]
        entry["value"] = float(f"{value:.5g}")
        entry["unit"] = known.info(name).unit
        entry["kind"] = "fitted"
        entry.pop("source", None)
        uncertainty = tomlkit.inline_table()
        uncertainty["sd"] = float(f"{error:.2g}")
        uncertainty["range"] = list(known.info(name).uncertainty["range"])
        entry["uncertainty"] = uncertainty
        entry["note"] = NOTES.get(name, "") + (
            "studies/fit_hu2024: capacities at 0.1 to 1 C (Fig. 4B, 4E) and the gap at 0.2 C; "
            "2 C and 60 degC were held out"
        )
    path.write_text(tomlkit.dumps(document))


def weak(result: ss.FitResult) -> list[str]:
    """Parameters whose standard error is at least 80 % of that of their prior."""
    found = []
    for f, d in zip(result.problem.free, np.sqrt(np.diag(result.covariance)), strict=True):
        if f.prior and d * f.span > 0.8 * f.prior[1]:
            found.append(f.label)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simplest variant, few draws")
    parser.add_argument("--update", action="store_true", help="write parameters/Hu2024")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base, draws = ss.ParameterSet("Hu2024"), 5 if arguments.quick else 60
    names = ["one size"] if arguments.quick else list(VARIANTS)
    results = {name: fit_variant(base, name, arguments.quick) for name in names}

    rows, text = [], []
    for name, result in results.items():
        predicted = held_out(result, draws).set_index("Held out")["Predicted [mAh/g]"]
        largest = result.residuals[result.residuals["Quantity"].str.startswith(CAPACITY)]
        rows.append(
            {
                "Variant": name,
                "Parameters": len(result.values),
                "chi2": result.chi2,
                "chi2 with priors": result.cost,
                "BIC": result.bic,
                "Largest capacity error [mAh/g]": (
                    (largest["Model"] - largest["Measured"]).abs().max()
                ),
                **{f"{label} predicted [mAh/g]": v for label, v in predicted.items()},
                "Seconds": result.seconds,
                "Solves": result.solves,
            }
        )
        text += [f"===== {name}", result.report(), ""]
    table = pd.DataFrame(rows)
    chosen = results[table.loc[table["BIC"].idxmin(), "Variant"]]
    best = table.loc[table["BIC"].idxmin(), "Variant"]
    out = held_out(chosen, draws)
    text += [
        table.drop(columns="Seconds").to_string(index=False, float_format="{:.4g}".format),
        f"chosen by the Bayesian information criterion: {best}",
        out.to_string(index=False, float_format="{:.4g}".format),
        f"accessible fraction that gives 90.5 mAh/g at 60 degC and 3 C: "
        f"{fraction_for_60_degrees(chosen):.3f}, "
        f"in Fig. 4E {chosen.values[f'{ACCESSIBLE} ({RATE_TEST})']:.3f}",
        "little more than their priors: " + (", ".join(weak(chosen)) or "none"),
    ]
    (arguments.out / "report.txt").write_text("\n".join(text) + "\n")
    table.drop(columns="Seconds").round(4).to_csv(arguments.out / "table.csv", index=False)
    out.round(3).to_csv(arguments.out / "held_out.csv", index=False)
    fitted = json.dumps(chosen.to_dict()["parameters"], indent=2)
    (arguments.out / "fitted.json").write_text(fitted + "\n")
    draw(chosen, draws, arguments.out / "fit.png")
    print("\n".join(text))
    print(table[["Variant", "Seconds", "Solves"]].to_string(index=False))
    if arguments.update:
        update_set(chosen)


if __name__ == "__main__":
    main()
