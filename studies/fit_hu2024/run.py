"""Fit of the paper's cell: capacities and gap at 0.1 to 1 C; 2 C and 60 degC are held out.

Fits what the data determine with everything else as the set has it (conditional errors), then
again with every assumed value anywhere in its range (marginal ones), and predicts the points held
out. Writes report.txt, table.csv, held_out.csv, draws.csv, fitted.json, results.json and fit.png
beside this file; `sentences` are what README files quote of them. ``--update`` writes the fitted
values into parameters/Hu2024. ``--quick`` takes the reduced model, and few draws.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomlkit
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.fits.assumed import assumed, marginal
from ssnib_model.fits.data import CAPACITY, GAP, MASS
from ssnib_model.models.names import MODELS

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
HYSTERESIS = "Positive electrode hysteresis [V]"
SPREAD = "Positive particle radius spread"
RADIUS = "Positive particle radius [m]"
INTERFACE = "Negative electrode|Na3PS4 interface resistance [Ohm.m2]"
LOWER, UPPER = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"
START_OF_RUN = "Initial state of charge"
KELVIN = "Ambient temperature [K]"

#: Within one test; what differs from test to test is in its own accessible fraction.
SIGMA = {CAPACITY: 1.0, GAP: 0.005}
RATE_TEST, SECOND_TEST, FIRST_CYCLE = "Fig. 4E", "Fig. 4B", "Fig. 4B, first cycle"

#: What the data determine, everything else being known. What was ever reached by NVP/C, 0.96 of
#: the theoretical capacity (10.1002/batt.202400406), bounds the fractions; that of the first
#: cycle has the ends of the range beside it.
FITTED = [
    ss.Free(D, 1e-17, 1e-14),
    ss.Free(J0, 1e-3, 1.0),
    ss.Free(ACCESSIBLE, 0.8, 0.96, log=False, data=RATE_TEST),
    ss.Free(ACCESSIBLE, 0.8, 0.96, log=False, data=SECOND_TEST),
    ss.Free(ACCESSIBLE, 0.8, 0.98, log=False, data=FIRST_CYCLE),
]
#: With what a measurement of the anode or stated cut-offs would tell; the widths are those of
#: their ranges in the set.
COMMON = [
    *FITTED,
    ss.Free(INTERFACE, prior=(27e-4, 0.7)),
    ss.Free(LOWER, log=False, prior=(2.4, 0.06)),
    ss.Free(UPPER, log=False, prior=(3.85, 0.09)),
]
#: A gap of NVP's own: up to the 0.10 V at 0.2 C of nano NVP/C in a liquid cell
#: (10.1002/smll.201906669), of which kinetics are a part.
OWN_GAP = ss.Free(HYSTERESIS, 0.0, 0.10, log=False)
SPREADING = ss.Free(SPREAD, 0.0, 1.0, log=False, prior=(0.4, 0.3))
START = {D: 2e-16, J0: 0.02, f"{ACCESSIBLE} ({FIRST_CYCLE})": 0.95}

#: Not free although assumed, and why.
EXACT = {
    RADIUS: "R times 4, D times 16 and j0 times 4 give every digit again: D/R2 and j0/R are drawn",
    START_OF_RUN: "a rate test starts as made",
}
#: Standard deviation of the half-Gaussian that the spread of the accessible fraction from cell to
#: cell has before two cells have been seen: cells made alike differ by a few per cent.
CELL_TO_CELL = 0.03
OTHER = f"{ACCESSIBLE} (another cell)"

HYSTERETIC = {"open-circuit potential": "one-state hysteresis"}
#: Variant -> (changes, options, free parameters, model). Two-phase particles are left out: the
#: full model of them takes PyBaMM's IDAKLU and an hour, and the curves of the reduced one are off
#: by 61 mV, so that what it says is no answer.
VARIANTS: dict[str, tuple] = {
    "one size": ({}, {}, FITTED, "spm+dfn"),
    "size distribution": ({SPREAD: 0.4}, {"size classes": 5}, [*FITTED, SPREADING], "spm+dfn"),
}
NOTES = {
    D: (
        "effective, Fickian across a two-phase plateau: only D/R^2 matters, which the data bound "
        "from below; "
    ),
    J0: (
        "only j0/R matters, which the data hardly determine: this set takes 0 for the interface "
        "between Na3PS4 and NaTaCl6 and for NVP's own gap, the lower ends of their ranges, so "
        "that the reaction carries what the layers leave of the gap and j0 is near the least that "
        "it can be; "
    ),
    ACCESSIBLE: "of the cell of Fig. 4E; the paper sees unconnected regions; ",
}
HELD_OUT = {"2 C": 88.3, "2 C, charged at 0.2 C": 88.3, "60 degC, 3 C": 90.5}
QUANTILES = [0.025, 0.5, 0.975]


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
    """What is fitted, with every other value as the set has it."""
    changes, options, free, model = VARIANTS[name]
    parameters = base.replace(changes, options)
    return ss.fit(parameters, measured(base), free, model="spm" if quick else model, start=START)


def marginal_draws(base: ss.ParameterSet, draws: int, quick: bool) -> ss.Posterior:
    """What is fitted and every assumed value, each over its own range, given the data."""
    own_gap = base.replace({HYSTERESIS: 0.05}, HYSTERETIC)
    model = "spm" if quick else "dfn"
    fit = ss.fit(own_gap, measured(base), FITTED, model=model, start=START)
    fitted = {f.name for f in FITTED}
    over = [*assumed(base, fitted | set(EXACT)), OWN_GAP]
    return marginal(fit, draws, over=over, progress=True)


def with_another_cell(posterior: ss.Posterior, seed: int = 0) -> pd.DataFrame:
    """Draws of equal weight, and the accessible fraction of a cell that was not measured.

    Fractions of cells are normal around a mean that may be anywhere. Of the spread, two cells
    say what their difference says; the rest is its prior.
    """
    rng, spreads = np.random.default_rng(seed), np.linspace(1e-3, 5 * CELL_TO_CELL, 300)
    points = posterior.points
    one, two = (points[f"{ACCESSIBLE} ({name})"] for name in (RATE_TEST, SECOND_TEST))
    density = np.exp(-0.5 * (spreads / CELL_TO_CELL) ** 2) / spreads
    of_spread = density * np.exp(-(((one - two).to_numpy()[:, None] / (2 * spreads)) ** 2))
    weights = points["Weight"].to_numpy() * of_spread.sum(axis=1)
    n = max(20, round(2 / float((weights / weights.sum()) @ (weights / weights.sum()))))
    places = (rng.uniform() + np.arange(n)) / n * weights.sum()
    rows = rng.permutation(np.searchsorted(np.cumsum(weights), places))
    drawn = points.iloc[rows].drop(columns="Weight").reset_index(drop=True)
    chosen = [rng.choice(spreads, p=of_spread[row] / of_spread[row].sum()) for row in rows]
    mean = 0.5 * (one + two).to_numpy()[rows]
    drawn[OTHER] = np.clip(rng.normal(mean, np.sqrt(1.5) * np.array(chosen)), 0.4, 0.96)
    return drawn


def cells(base: ss.ParameterSet, draws: pd.DataFrame, of: str = RATE_TEST) -> list:
    """A set for each draw, with the accessible fraction of one of the tests or "another cell"."""
    known = draws[[c for c in draws if not c.startswith(ACCESSIBLE)]]
    fraction = draws[f"{ACCESSIBLE} ({of})"]
    cell = base.replace({HYSTERESIS: 0.05}, HYSTERETIC) if HYSTERESIS in draws else base
    return [
        cell.replace({**row, ACCESSIBLE: value})
        for row, value in zip(known.to_dict("records"), fraction, strict=True)
    ]


def simulate(sets: list, test: ss.RateTest, model: str, kelvin: float | None = None) -> list:
    """The test's result for each set."""
    if kelvin is not None:
        sets = [p.replace({KELVIN: kelvin}) for p in sets]
    varying = sorted({n for p in sets for n in p.given if p[n] != sets[0][n]} | {KELVIN})
    prepared = test.prepare(MODELS[model](sets[0].model_options), sets[0], varying=varying)
    return [prepared.result(p) for p in sets]


def capacities(results: list, rate: float) -> np.ndarray:
    """Discharge capacity [mAh/g]; 0 where the cell could not be charged."""
    tables = [r.table.set_index("C-rate") for r in results]
    found = np.array([t[CAPACITY][rate] for t in tables])
    return np.where(found < 1.18, 0.0, found)


def band(values: np.ndarray) -> list[float]:
    """2.5, 50 and 97.5 %."""
    return [float(v) for v in np.quantile(values, QUANTILES)]


def predictions(base: ss.ParameterSet, draws: pd.DataFrame, model: str) -> tuple:
    """What the draws say of the points held out, and of lumps of parameters."""
    here = cells(base, draws)
    same = simulate(here, ss.RateTest([0.2, 0.5, 1, 2]), model)
    slow = simulate(here, ss.RateTest([0.2, 2], charge_rate=0.2), model)
    hot = simulate(cells(base, draws, "another cell"), ss.RateTest([3]), model, 333.15)
    found = dict(zip(HELD_OUT, (capacities(same, 2), capacities(slow, 2), capacities(hot, 3)),
                     strict=True))  # fmt: skip
    rows = []
    for name, values in found.items():
        low, median, high = band(values[values > 0])
        rows.append(
            {
                "Held out": name,
                "Measured [mAh/g]": HELD_OUT[name],
                "Cannot be charged": float(np.mean(values == 0)),
                "Low [mAh/g]": low,
                "Median [mAh/g]": median,
                "High [mAh/g]": high,
                "Draws below": float(np.mean(values[values > 0] < HELD_OUT[name])),
            }
        )
    gaps = np.array([r.table[GAP][0] for r in same])
    current = np.array([0.2 * p["Nominal cell capacity [A.h]"] / p["Electrode area [m2]"]
                        for p in here])  # fmt: skip
    values = {
        "D/R2 [s-1]": (draws[D] / base[RADIUS] ** 2).to_numpy(),
        "j0/R [A.m-3]": (draws[J0] / base[RADIUS]).to_numpy(),
        "Total resistance at the gap [Ohm.cm2]": 1e4 * gaps / (2 * current),
    }
    upper = draws[UPPER].to_numpy() if UPPER in draws else np.full(len(draws), base[UPPER])
    possible = found["2 C"] > 0
    cut_offs = {
        "cannot": float(np.mean(upper[~possible] < 3.9)) if (~possible).any() else 0.0,
        "can": float(np.mean(upper[possible] < 3.9)) if possible.any() else 0.0,
    }
    by_rate = {rate: capacities(same, rate) for rate in (0.2, 0.5, 1, 2)}
    return pd.DataFrame(rows), values, cut_offs, by_rate


def curves_apart(fit: ss.FitResult) -> dict[str, float]:
    """How far the two models are apart along the curves of the fitted cell, 0.2 to 1 C."""
    cell = fit.problem.parameters_for(fit.unit, RATE_TEST)
    test, fractions = ss.RateTest([0.2, 0.5, 1]), np.linspace(0.02, 0.98, 49)
    one, other = (test.run(MODELS[m](cell.model_options), cell).half_cycles for m in MODELS)
    volts, capacity = [], []
    for a, b in zip(one, other, strict=True):
        shared = fractions * min(a.capacity, b.capacity)
        volts += [abs(a.at("Voltage [V]", shared / a.capacity)
                      - b.at("Voltage [V]", shared / b.capacity)).max()]  # fmt: skip
        capacity += [abs(a.capacity - b.capacity) / cell[MASS]]
    return {"Voltage [mV]": 1e3 * max(volts), "Capacity [mAh/g]": max(capacity)}


def conditional_draws(fit: ss.FitResult, n: int) -> pd.DataFrame:
    """Draws of what is fitted alone; another cell is like that of Fig. 4E."""
    drawn = pd.DataFrame([fit.problem.values(unit) for unit in fit.sample(n)])
    return drawn.assign(**{OTHER: drawn[f"{ACCESSIBLE} ({RATE_TEST})"]})


def draw(by_rate: dict[str, dict], measured_data: dict, cannot: float, path: Path) -> None:
    """Measured and fitted capacities with both bands; the point held out is marked as such."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    rates = [float(r) for r in by_rate]
    for kind, alpha, label in (
        ("marginal", 0.2, "95 %, every assumed value in its range"),
        ("conditional", 0.5, "95 %, all assumed values exact"),
    ):
        low, _, high = np.array([by_rate[r][kind] for r in by_rate]).T
        ax.fill_between(rates, low, high, alpha=alpha, color="C0", label=label, lw=0)
    ax.plot(rates, [by_rate[r]["set"] for r in by_rate], "C0o-", label="the set Hu2024")
    for name, marker in (("Fig. 4E", "D"), ("Fig. 4B", "s")):
        table = measured_data[name]
        fitted = table[table["C-rate"].between(0.2, 1)]
        ax.errorbar(
            fitted["C-rate"], fitted[CAPACITY], 2 * SIGMA[CAPACITY], fmt=marker, color="k",
            mfc="w", capsize=2, label=f"measured, {name}",
        )  # fmt: skip
    ax.plot(2, HELD_OUT["2 C"], "r*", markersize=12, label="measured, held out")
    ax.annotate(
        f"not charged at 2 C:\n{cannot:.0%} of the draws", (2, 0), (1.9, 8), ha="right"
    )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{r:g}" for r in rates])
    ax.minorticks_off()
    ax.set(xlabel="C-rate [h$^{-1}$]", ylabel="Discharge capacity [mA h g$^{-1}$]", ylim=(0, 115))
    ax.legend(loc="lower left")
    figure.savefig(path, dpi=150)


def update_set(results: dict[str, Any]) -> None:
    """Write the fitted values into the shipped set, which keeps its order and comments."""
    path = parameter_root() / "Hu2024" / "parameters.toml"
    document, known = tomlkit.parse(path.read_text()), ss.ParameterSet("Hu2024")
    for free in FITTED:
        if free.data not in (None, RATE_TEST):
            continue
        found = results["parameters"][free.label]
        entry = document["parameters"][free.name]
        entry["value"] = float(f"{found['value']:.5g}")
        entry["unit"], entry["kind"] = known.info(free.name).unit, "fitted"
        low, _, high = found["marginal"]
        width = np.log(high / low) * found["value"] if free.log is None else high - low
        uncertainty = tomlkit.inline_table()
        uncertainty["sd"] = float(f"{width / 3.92:.2g}")
        uncertainty["range"] = [free.low, free.high]
        entry["uncertainty"] = uncertainty
        of_log = ", of the logarithm" if free.log is None else ""
        entry["note"] = NOTES[free.name] + (
            "studies/fit_hu2024: capacities at 0.1 to 1 C (Fig. 4B, 4E) and the gap at 0.2 C; 2 C "
            f"and 60 degC were held out; {low:.3g} to {high:.3g} (95 %, sd) with every assumed "
            f"value in its own range (sd: a quarter of that{of_log}); conditional standard error "
            f"{found['error']:.2g}, with all of them as in this set"
        )
    path.write_text(tomlkit.dumps(document))


def sentences(results: dict[str, Any]) -> dict[str, list[str]]:
    """What is quoted of the results, by file; a test compares."""
    parameters, lumped = results["parameters"], results["lumped"]
    held, conditional = results["held out"], results["held out, conditional"]

    def three(found: list[float], digits: int = 3) -> str:
        low, median, high = (f"{v:.{digits}g}" for v in found)
        return f"{median} ({low} to {high})"

    def capacity(rows: dict, name: str) -> str:
        return f"{rows[name]['Low [mAh/g]']:.0f} to {rows[name]['High [mAh/g]']:.0f}"

    two, slow, hot = (held[name] for name in HELD_OUT)

    def cannot(row: dict) -> str:
        part = row["Cannot be charged"]
        return f"{part:.2f} ± {np.sqrt(part * (1 - part) / results['effective']):.2f}"

    shared = [
        f"with probability {cannot(two)} the cell cannot be charged at 2 C at all",
        f"if it can, it gives {two['Median [mAh/g]']:.0f} mAh/g "
        f"({capacity(held, '2 C')}; conditional {capacity(conditional, '2 C')})",
        f"charged at 0.2 C it gives {slow['Median [mAh/g]']:.0f} mAh/g at 2 C "
        f"({capacity(held, '2 C, charged at 0.2 C')})",
        f"with probability {cannot(hot)} it cannot be charged at 3 C and 60 °C",
        f"if it can, {hot['Median [mAh/g]']:.0f} mAh/g ({capacity(held, '60 degC, 3 C')}; "
        f"conditional {capacity(conditional, '60 degC, 3 C')})",
        f"{hot['Draws below']:.0%} of those draws are below the 90.5 mAh/g that were measured",
    ]
    table = [
        f"| {name} | {three(found['conditional'])} | {three(found['marginal'])} |"
        for name, found in lumped.items()
    ]
    for label, found in parameters.items():
        if not found["assumed"]:
            value, error = found["value"], found["error"]
            alone = three([value - 1.96 * error, value, value + 1.96 * error])
            table.append(f"| {label} | {alone} | {three(found['marginal'])} |")
    variants = [
        f"| {row['Variant']} | {row['chi2']:.2f} | {row['BIC']:.1f} | "
        f"{row['2 C predicted [mAh/g]']:.1f} | {row['60 degC, 3 C predicted [mAh/g]']:.1f} | "
        f"{row['Models apart [mV]']:.0f} |"
        for row in results["variants"]
    ]
    cut_offs = results["upper cut-off below 3.9 V"]
    more = [
        f"Of the draws that cannot be charged at 2 C, {cut_offs['cannot']:.0%} have an upper "
        f"cut-off below 3.9 V, and so have {cut_offs['can']:.0%} of those that can",
        "The accessible fraction of a cell that was not measured is "
        f"{three(results['another cell'], 2)}",
        f"worth {results['effective']:.0f} independent ones (Pareto k {results['pareto k']:.2f})",
    ]
    quoted = [
        f"{name.partition(' [')[0]} {three(lumped[name]['marginal'])} {unit}"
        for name, unit in (
            ("D/R2 [s-1]", "s⁻¹"),
            ("j0/R [A.m-3]", "A/m³"),
            ("Total resistance at the gap [Ohm.cm2]", "Ω cm²"),
        )
    ]
    return {
        "studies/fit_hu2024/README.md": [*shared, *table, *variants, *more],
        "README.md": [*shared, *quoted],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="reduced model, few draws")
    parser.add_argument("--update", action="store_true", help="write parameters/Hu2024")
    parser.add_argument("--draws", type=int, default=800, help="of the assumed values")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base, quick = ss.ParameterSet("Hu2024"), arguments.quick
    model, n = ("spm", 40) if quick else ("dfn", arguments.draws)
    fits = {v: fit_variant(base, v, quick) for v in (["one size"] if quick else VARIANTS)}

    rows, text = [], []
    for name, fit in fits.items():
        cell = fit.problem.parameters_for(fit.unit, RATE_TEST)
        cell_model = fit.problem.model
        two = capacities(simulate([cell], ss.RateTest([0.2, 0.5, 1, 2]), cell_model), 2)[0]
        hot = capacities(simulate([cell], ss.RateTest([3]), cell_model, 333.15), 3)[0]
        apart = {} if quick else curves_apart(fit)
        rows.append(
            {
                "Variant": name,
                "Model": cell_model,
                "Parameters": len(fit.values),
                "chi2": fit.chi2,
                "chi2 with priors": fit.cost,
                "BIC": fit.bic,
                "2 C predicted [mAh/g]": two,
                "60 degC, 3 C predicted [mAh/g]": hot,
                "Models apart [mV]": apart.get("Voltage [mV]"),
                "Models apart [mAh/g]": apart.get("Capacity [mAh/g]"),
                "Solves": fit.solves,
            }
        )
        text += [f"===== {name}, every other value as in the set", fit.report(), ""]
    table, fit = pd.DataFrame(rows), fits["one size"]
    chosen = table.loc[table["BIC"].idxmin(), "Variant"]

    posterior = marginal_draws(base, n, quick)
    drawn = with_another_cell(posterior)
    held, lumps, cut_offs, by_rate = predictions(base, drawn, model)
    alone = conditional_draws(fit, 12 if quick else 100)
    held_alone, lumps_alone, _, by_rate_alone = predictions(base, alone, model)
    at_set = simulate(
        [fit.problem.parameters_for(fit.unit, RATE_TEST)], ss.RateTest([0.2, 0.5, 1, 2]), model
    )
    results = {
        "draws": n,
        "assumed values": len(posterior.problem.free) - len(FITTED),
        "effective": posterior.effective,
        "pareto k": posterior.k if np.isfinite(posterior.k) else None,
        "notes": posterior.notes,
        "parameters": {
            f.label: {
                "value": fit.values.get(f.label),
                "error": fit.errors.get(f.label),
                "marginal": band(drawn[f.label]),
                "assumed": f.label not in fit.values,
            }
            for f in posterior.problem.free
        },
        "another cell": band(drawn[OTHER]),
        "lumped": {
            name: {"conditional": band(lumps_alone[name]), "marginal": band(lumps[name])}
            for name in lumps
        },
        "held out": held.set_index("Held out").to_dict("index"),
        "held out, conditional": held_alone.set_index("Held out").to_dict("index"),
        "upper cut-off below 3.9 V": cut_offs,
        "capacity": {
            f"{rate:g}": {
                "set": float(capacities(at_set, rate)[0]),
                "marginal": band(by_rate[rate][by_rate[rate] > 0]),
                "conditional": band(by_rate_alone[rate][by_rate_alone[rate] > 0]),
            }
            for rate in by_rate
        },
        "variants": table.to_dict("records"),
    }
    text += [
        table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
        f"chosen by the Bayesian information criterion: {chosen}",
        "===== one size, every assumed value in its own range (marginal)",
        posterior.report(),
        held.to_string(index=False, float_format="{:.4g}".format),
        "===== the same with every assumed value exact (conditional)",
        held_alone.to_string(index=False, float_format="{:.4g}".format),
    ]
    out = arguments.out
    (out / "report.txt").write_text("\n".join(text) + "\n")
    table.round(4).to_csv(out / "table.csv", index=False)
    pd.concat({"marginal": held, "conditional": held_alone}, names=["Errors", "Row"]).droplevel(
        "Row"
    ).round(4).to_csv(out / "held_out.csv")
    drawn.to_csv(out / "draws.csv", index=False, float_format="%.6g")
    fitted = json.dumps(fit.to_dict()["parameters"], indent=2)
    (out / "fitted.json").write_text(fitted + "\n")
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    cannot = results["held out"]["2 C"]["Cannot be charged"]
    draw(results["capacity"], base.measured, cannot, out / "fit.png")
    print("\n".join(text))
    for lines in sentences(results).values() if not quick else ():
        print("\n".join(lines))
    if arguments.update:
        update_set(results)


if __name__ == "__main__":
    main()
