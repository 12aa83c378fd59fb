"""Which law of transport carries from one composite to another?

Every law is fitted to all sources but one and predicts that one. Writes table.csv (errors of the
laws), points.csv (measured and predicted), network.csv (packings of spheres) and predicted.png
beside this file; ``--quick`` takes small packings.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from network import PRESSED, fit_formula, formula, network
from scipy.optimize import least_squares

from ssnib_model.cell.set_files import parameter_root
from ssnib_model.materials.transport import LAWS

MEASURED = "Conductivity ratio"
#: 2 wt% of carbon fibre raises the ionic resistance by 25 %, of a composite taken to hold 0.46 of
#: electrolyte and 0.02 of carbon in its solids; sd of the logarithm.
FIBRE, FIBRE_SD = (0.46, 0.02, np.log(1 / 1.25)), 0.3
SHOWN = ("bruggeman", "percolation", "carbon percolation", "network, carbon blocks contacts")


@dataclass
class Law:
    function: object  #: of composition and parameters
    start: tuple
    low: tuple
    high: tuple


def composition(electrolyte, carbon, solid, size):
    """Of the solids -> all that the laws read, by name."""
    return {"solids": np.asarray(electrolyte, float), "phi": electrolyte * np.asarray(solid),
            "carbon of solids": np.asarray(carbon, float), "carbon": carbon * np.asarray(solid),
            "solid": np.asarray(solid, float), "size": np.asarray(size, float)}  # fmt: skip


def read(path: Path) -> tuple[pd.DataFrame, dict]:
    table = pd.read_csv(path)
    solid = 1 - table["Void fraction"].fillna(1 - PRESSED).to_numpy()
    phi = table["Electrolyte volume fraction"].to_numpy()
    phi = np.where(table["Basis of the fraction"] == "whole", phi / solid, phi)
    carbon = table["Carbon fraction of solids"].to_numpy()
    return table, composition(phi, carbon, solid, table["Size ratio"].fillna(1.0))


def laws(packings: dict, loosening: float) -> dict[str, Law]:
    """The laws that models can be given, fitted to fractions of the whole, and more."""
    found = {}
    for name, law in LAWS.items():
        keys = ("phi", "carbon")[: len(law.fractions)]

        def shipped(c, *x, law=law, keys=keys):
            return law.function(*(c[key] for key in keys), *x)

        # a point below the threshold counts, but does not decide
        high = (0.25, 10.0) if name == "percolation" else law.high
        found[name] = Law(shipped, law.start, law.low, high)

    def carbon_bruggeman(c, b, k):
        return c["phi"] ** (b + k * c["carbon"])

    def free(c, threshold, exponent, rise):
        """Of the solids, all three free, sharp."""
        critical = threshold + rise * c["carbon of solids"]
        return (np.maximum(c["solids"] - critical, 3e-3) / (1 - critical)) ** exponent

    def blocking(c, kappa, size=None):
        carbon = c["carbon of solids"]
        among = c["solids"] / (1 - carbon)
        blocked = 1 - np.exp(-kappa * carbon)
        logs = np.log(np.clip(1.0 if size is None else c[size], min(packings), max(packings)))
        known = np.log(sorted(packings))
        p, t = (np.interp(logs, known, [packings[s][k] for s in sorted(packings)]) for k in (0, 1))
        return formula(among, blocked, p, t) * (c["solid"] / PRESSED) ** loosening

    found["bruggeman, exponent with carbon"] = Law(carbon_bruggeman, (3, 5), (0.5, 0), (10, 60))
    found["carbon percolation of solids, free exponent"] = Law(
        free, (0.1, 2, 0.5), (0, 0.5, 0), (0.29, 6, 3))  # fmt: skip
    found["network, carbon blocks contacts"] = Law(blocking, (2.0,), (0.0,), (10.0,))
    found["network, with sizes of particles"] = Law(
        lambda c, kappa: blocking(c, kappa, "size"), (2.0,), (0.0,), (10.0,))  # fmt: skip
    return found


def fitted(law: Law, c: dict, measured, sources, fibre: bool) -> np.ndarray:
    """Parameters by least squares of logarithms; every source weighs the same."""
    weight = 1 / np.sqrt([np.sum(sources == source) for source in sources])
    phi, carbon, contrast = FIBRE
    with_, without = (composition(np.array([p]), np.array([x]), np.array([PRESSED]), 1.0)
                      for p, x in ((phi, carbon), (phi / (1 - carbon), 0.0)))  # fmt: skip

    def residuals(x):
        errors = np.log(law.function(c, *x) / measured) * weight
        if not fibre:
            return errors
        found = np.log(law.function(with_, *x) / law.function(without, *x))
        return np.r_[errors, (found - contrast) / FIBRE_SD]

    starts = [np.clip(np.multiply(law.start, k), law.low, law.high) for k in (0.5, 1, 1.6)]
    fits = [least_squares(residuals, start, bounds=(law.low, law.high)) for start in starts]
    return min(fits, key=lambda fit: fit.cost).x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small packings")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    packings = network(arguments.quick)
    packings.round(5).to_csv(out / "network.csv", index=False)
    constants, loosening = fit_formula(packings)
    for size, (threshold, exponent) in constants.items():
        print(f"network, size ratio {size:g}: p = {threshold:.3f}, t = {exponent:.2f}")
    print(f"network: conductivity goes as solid fraction ** {loosening:.2f}")

    table, c = read(parameter_root() / "materials" / "composite_transport.csv")
    measured, sources = table[MEASURED].to_numpy(), table["Source"].to_numpy()
    names = list(dict.fromkeys(sources))
    rows, points = [], table[["Source", "Electrolyte volume fraction", MEASURED]].copy()
    for name, law in laws(constants, loosening).items():
        for fibre in (False, True):
            best = fitted(law, c, measured, sources, fibre)
            inside = np.abs(np.log(law.function(c, *best) / measured))
            predicted, without = np.empty(len(measured)), []
            for source in names:
                left = sources == source
                rest = {key: values[~left] for key, values in c.items()}
                x = fitted(law, rest, measured[~left], sources[~left], fibre)
                predicted[left] = law.function({k: v[left] for k, v in c.items()}, *x)
                without.append(x)
            error = np.abs(np.log(predicted / measured))
            by_source = {s: np.exp(error[sources == s].mean()) for s in names}
            rows.append({
                "Law": name, "Fibre contrast": "used" if fibre else "not used",
                "Parameters": " ".join(f"{x:.3g}" for x in best),
                "Least without a source": " ".join(f"{x:.3g}" for x in np.min(without, axis=0)),
                "Most without a source": " ".join(f"{x:.3g}" for x in np.max(without, axis=0)),
                "In sample": np.exp(np.mean([inside[sources == s].mean() for s in names])),
                "Leave one source out": np.exp(np.mean(np.log(list(by_source.values())))),
                "Worst source": max(by_source.values()), **by_source,
            })  # fmt: skip
            if fibre:
                points[name] = predicted
    errors = pd.DataFrame(rows).round(3)
    errors.to_csv(out / "table.csv", index=False)
    points.round(5).to_csv(out / "points.csv", index=False)
    print(errors.iloc[:, [0, 1, 2, 5, 6, 7]].to_string(index=False))

    # what the threshold of each source would be: the range of it that sets should take
    rise = float(errors.loc[(errors["Law"] == "carbon percolation")
                            & (errors["Fibre contrast"] == "used"), "Parameters"]
                 .iloc[0].split()[1])  # fmt: skip
    for source in names:
        of_it = {k: v[sources == source] for k, v in c.items()}
        own = least_squares(
            lambda x, o=of_it, f=measured[sources == source]: np.log(
                LAWS["carbon percolation"].function(o["phi"], o["carbon"], x[0], rise) / f),
            [0.14], bounds=(-0.2, 0.45)).x[0]  # fmt: skip
        print(f"threshold without carbon of {source} alone: {own:.3f}")

    figure = Figure(figsize=(11, 10), layout="constrained")
    span = np.array([2e-4, 1.0])
    for ax, name in zip(figure.subplots(2, 2).ravel(), SHOWN, strict=True):
        ax.plot(span, span, "k-", lw=1)
        ax.plot(span, 2 * span, "k:", span, span / 2, "k:", lw=1)
        for marker, source in zip("os^Dv<>P", names, strict=True):
            left = sources == source
            ax.plot(measured[left], points[name][left].clip(lower=span[0]), marker, label=source)
        error = errors[(errors["Law"] == name) & (errors["Fibre contrast"] == "used")].iloc[0]
        ax.set(xscale="log", yscale="log", xlim=span, ylim=span, xlabel="measured ratio",
               ylabel="predicted without this source",
               title=f"{name}: factor {error['Leave one source out']:.2f}, worst source "
                     f"{error['Worst source']:.2f}")  # fmt: skip
        ax.title.set_fontsize("medium")
    ax.legend(fontsize="small", title="dotted: factor of 2")
    figure.savefig(out / "predicted.png", dpi=120)


if __name__ == "__main__":
    main()
