"""What cells beyond the paper's give that the model has not seen, in writing before comparing.

Every cell is fitted to what is given of it with all that is assumed in its range (draws.py,
families.py); every capacity that is held back is predicted. Writes predictions.csv, fits.csv,
known.csv (ranges before and after the data), losses.csv and predictions.png beside this file.
``--quick`` takes few draws and the reduced model.
"""

from __future__ import annotations

import argparse
import json
import runpy
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from draws import (
    ACCESSIBLE,
    CELL_SPREAD,
    RADIUS,
    D,
    Known,
    know,
    limiting,
    predict,
    simulate,
)
from families import FAMILIES, PER_AREA, PER_GRAM, SPREAD
from matplotlib.figure import Figure

import ssnib_model as ss

FIRST = ("set", "case", "quantity", "unit", "median", "low50", "high50", "low95", "high95")
CANNOT, EFFECTIVE, LIMIT = "probability cannot charge", "effective draws", "limiting loss"
PARETO, NOTE = "Pareto k", "note"
QUANTILES = {"median": 0.5, "low50": 0.25, "high50": 0.75, "low95": 0.025, "high95": 0.975}
CAPACITY = "discharge capacity"
SEED = 15
#: Families whose reaction is even: the reduced model is as good (fits.csv: models apart).
EVEN = ("Asakura2020",)
#: Rounds more, where two cells are to be met at once.
MORE = {"Duchene2020": (250,)}
HERE = Path(__file__).parent


def band(values: np.ndarray) -> dict[str, float]:
    """Median and intervals of 50 and 95 %."""
    return {name: float(np.quantile(values, q)) for name, q in QUANTILES.items()}


def fits_of(known: Known, n: int) -> Iterator[dict[str, Any]]:
    """Measured and simulated capacities, one row a value."""
    cells, family = known.cells, known.cells.family
    rng = np.random.default_rng([SEED, FAMILIES.index(family), 3])
    parts = list(zip(family.regimes, known.equal(n, rng), strict=True))
    for g in family.given:
        both = {
            model: np.concatenate(
                [simulate(cells, units, g.of, g.name, g.rates, regime, model=model).discharge
                 for regime, units in parts if len(units)]
            )
            for model in ("spm", "dfn")
        }  # fmt: skip
        simulated = both[family.fitted_by]
        apart = np.nanquantile(np.abs(both["dfn"] - both["spm"]), 0.95, axis=0)
        for i, (rate, value) in enumerate(zip(g.rates, g.values, strict=True)):
            low, middle, high = np.quantile(simulated[:, i], [0.025, 0.5, 0.975])
            yield {
                "set": g.of, "cell": g.name, "C-rate": rate, "measured [mAh/g]": value,
                "median [mAh/g]": middle, "low95 [mAh/g]": low, "high95 [mAh/g]": high,
                "models apart, 95 % [mAh/g]": apart[i],
            }  # fmt: skip


def known_of(known: Known, n: int) -> Iterator[dict[str, Any]]:
    """Ranges of the values before and after the data, those first that the data tell most of."""
    cells = known.cells
    rng = np.random.default_rng([SEED, FAMILIES.index(cells.family), 5])
    units = np.concatenate(known.equal(n, rng))
    rows = {"D/R2 [s-1]": (cells.column(units, D) / cells.column(units, RADIUS) ** 2, "", "")}
    for label, axis in cells.axes.items():
        low, high = np.quantile(units[:, cells.labels.index(label)], [0.025, 0.975])
        if label in (ACCESSIBLE, SPREAD, CELL_SPREAD) or high - low < 0.8:
            rows[label] = cells.column(units, label), axis.low, axis.high
    for label, (values, lowest, highest) in rows.items():
        low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
        yield {
            "set": cells.family.name, "value": label, "median": middle, "low95": low,
            "high95": high, "lower bound": lowest, "upper bound": highest,
        }  # fmt: skip


def predictions_of(
    known: Known, n: int, some: int, model: str, losses: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """A row for each capacity that is held back; what each loss costs goes to ``losses``."""
    for row in known.cells.family.held_back:
        found = predict(known, row, n, SEED, model)
        scale = found.loading * 1e-3 if row.unit == PER_AREA else 1.0
        gain = limiting(known, row, some, SEED, model).sort_values(ascending=False)
        losses += [{"set": row.of, "case": row.case, "without": loss, "gain [mAh/g]": value}
                   for loss, value in gain.items()]  # fmt: skip
        note = f"{found.lacking} draws without an answer" if found.lacking else ""
        yield {
            "set": row.of,
            "case": row.case,
            "quantity": CAPACITY,
            "unit": row.unit,
            **band(found.values * scale),
            CANNOT: found.cannot,
            EFFECTIVE: min(known.effective, n),
            LIMIT: gain.index[0],
            PARETO: known.pareto,
            NOTE: note,
        }


def paper(model: str) -> Iterator[dict[str, Any]]:
    """The two points that the fit of the paper's cell holds out, of its draws; both are known."""
    folder = HERE.parent / "fit_hu2024"
    fit = runpy.run_path(str(folder / "run.py"))
    draws, base = pd.read_csv(folder / "draws.csv"), ss.ParameterSet("Hu2024")
    known = json.loads((folder / "results.json").read_text())
    budget = json.loads((HERE.parent / "polarization_budget" / "results.json").read_text())
    shares = {loss: by_rate["2"]["Median"] for loss, by_rate in budget["shares"].items()}
    same = fit["simulate"](fit["cells"](base, draws), ss.RateTest([0.2, 0.5, 1, 2]), model)
    other = fit["cells"](base, draws, "another cell")
    hot = fit["simulate"](other, ss.RateTest([3]), model, 333.15)
    for case, results, rate, limit in (
        ("2 C", same, 2, max(shares, key=lambda loss: shares[loss])),
        ("60 degC, 3 C", hot, 3, ""),
    ):
        values = fit["capacities"](results, rate)
        yield {
            "set": "Hu2024",
            "case": case,
            "quantity": CAPACITY,
            "unit": PER_GRAM,
            **band(values[values > 0]),
            CANNOT: float(np.mean(values == 0)),
            EFFECTIVE: known["effective"],
            LIMIT: limit,
            PARETO: known["pareto k"],
            NOTE: f"known before: {fit['HELD_OUT'][case]} mAh/g; draws of studies/fit_hu2024",
        }


def draw(table: pd.DataFrame, path: Path) -> None:
    """Every prediction with its bands, as a part of what the cell gives slowly."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    axes = figure.subplots(1, 2, width_ratios=[2, 1])
    for ax, (unit, label) in zip(
        axes, {PER_GRAM: "mA h g$^{-1}$", PER_AREA: "mA h cm$^{-2}$"}.items(), strict=True
    ):
        rows = table[table["unit"] == unit].iloc[::-1].reset_index(drop=True)
        for y, row in rows.iterrows():
            known = row["set"] == "Hu2024"
            color = "C1" if known else "C0"
            ax.plot([row["low95"], row["high95"]], [y, y], color=color, lw=2, alpha=0.6)
            ax.plot([row["low50"], row["high50"]], [y, y], color=color, lw=8, alpha=0.6)
            ax.plot(row["median"], y, "k|", ms=14)
            ax.annotate(
                f"not charged: {row[CANNOT]:.0%}", (1, y), xycoords=("axes fraction", "data"),
                xytext=(-3, 9), textcoords="offset points", ha="right", fontsize="x-small",
            )  # fmt: skip
        names = [f"{row['set']}\n{row['case']}".replace("12.5 mm ", "")
                 for _, row in rows.iterrows()]  # fmt: skip
        ax.set_yticks(range(len(rows)), names, fontsize="small")
        ax.set(xlabel=f"Capacity [{label}]", ylim=(-0.6, len(rows) - 0.3))
        ax.set_xlim(left=0)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_title("line 95 %, bar 50 %, mark median; orange: known before", fontsize="small")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few draws, the reduced model")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", ss.ValidityWarning)  # extrapolated on purpose
    quick = arguments.quick
    rounds, n, some = ((40, 40), 16, 1) if quick else ((150, 150, 250), 150, 6)
    rows, fits, known_rows = [], [], []
    losses: list[dict[str, Any]] = []
    for family in FAMILIES:
        began = time.process_time()
        model = "spm" if quick or family.name in EVEN else "dfn"
        known = know(family, rounds + (() if quick else MORE.get(family.name, ())), SEED)
        said = f"worth {known.effective:.0f} draws, Pareto k {known.pareto:.2f}"
        seconds = time.process_time() - began
        print(
            f"{family.name}: {said}, regimes {known.shares.round(2)}, {seconds:.0f} s", flush=True
        )
        rows += list(predictions_of(known, n, some, model, losses))
        fits += list(fits_of(known, n // 2))
        known_rows += list(known_of(known, 400))
        print(f"    {time.process_time() - began:.0f} s", flush=True)
    table = pd.DataFrame([*rows, *paper("spm" if quick else "dfn")])
    table = table[[*FIRST, CANNOT, EFFECTIVE, LIMIT, PARETO, NOTE]]
    table[EFFECTIVE] = table[EFFECTIVE].round()
    for name, found, digits in (
        ("predictions", table, 2),
        ("fits", pd.DataFrame(fits), 2),
        ("losses", pd.DataFrame(losses), 2),
    ):
        found.round(digits).to_csv(arguments.out / f"{name}.csv", index=False)
    pd.DataFrame(known_rows).to_csv(
        arguments.out / "known.csv", index=False, float_format="{:.4g}".format
    )
    draw(table, arguments.out / "predictions.png")
    print(table.to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
