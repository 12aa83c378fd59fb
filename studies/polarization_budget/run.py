"""Does Na3PS4 cause the polarization? The share of every loss against rate, with uncertainty.

Draws every uncertain parameter from its range or error and takes the breakdown at half of each
discharge. Writes table.csv and shares.png; ``--quick`` takes four draws.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss

RATES = [0.1, 0.2, 0.5, 1, 2]
#: What shapes the polarization; cut-offs and heat do not.
UNCERTAIN = [
    "Na3PS4 layer relative density",
    "Na3PS4 layer conductivity [S.m-1]",
    "NaTaCl6 layer relative density",
    "NaTaCl6 layer conductivity [S.m-1]",
    "Negative electrode exchange-current density [A.m-2]",
    "Negative electrode|Na3PS4 interface resistance [Ohm.m2]",
    "Positive electrode Bruggeman exponent",
    "Positive electrode exchange-current density [A.m-2]",
    "Positive particle diffusivity [m2.s-1]",
]
#: Not measured in this cell: a factor of two either way.
FACTOR_OF_TWO = "Negative electrode|Na3PS4 interface resistance [Ohm.m2]"


def ranges(parameters: ss.ParameterSet) -> dict[str, tuple]:
    found = {}
    for name in UNCERTAIN:
        value, known = parameters[name], parameters.info(name).uncertainty or {}
        if name == FACTOR_OF_TWO:
            found[name] = (value / 2, 2 * value, "log")
        elif "sd" in known:
            # two standard errors, on the logarithm
            width = np.exp(2 * known["sd"] / value)
            found[name] = (value / width, value * width, "log")
        else:
            low, high = known["range"]
            found[name] = (low, high, "log") if high > 10 * low else (low, high)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four draws")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    base = ss.ParameterSet("Hu2024")
    draws = ss.sample(ranges(base), 4 if arguments.quick else 128)
    test, rows = ss.RateTest(RATES), []
    for number, draw in enumerate(draws.to_dict("records")):
        result = test.run(ss.SolidStateDFN(), base.replace(draw))
        for rate, status in zip(RATES, result.table["Status"], strict=True):
            if status == "ok":
                losses = -result.breakdown(rate)
                share = losses / losses.sum()
                rows.append(
                    {"Draw": number, "C-rate": rate, "Loss [mV]": 1e3 * losses.sum(), **share}
                )
    frame = pd.DataFrame(rows)
    losses = [c for c in frame.columns if c not in ("Draw", "C-rate", "Loss [mV]")]
    shares = frame.melt(["C-rate"], losses, "Loss", "Share").groupby(["Loss", "C-rate"])["Share"]
    quantiles = {"Low": 0.025, "Median": 0.5, "High": 0.975}
    table = pd.DataFrame({name: shares.quantile(q) for name, q in quantiles.items()})
    table.round(4).to_csv(arguments.out / "table.csv")

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    ax = figure.subplots()
    order = table["Median"].groupby("Loss").max().sort_values(ascending=False)
    for name in order.index[order > 0.01]:
        part = table.loc[name]
        (line,) = ax.plot(part.index, part["Median"], "o-", label=name)
        ax.fill_between(part.index, part["Low"], part["High"], color=line.get_color(), alpha=0.15)
    ax.set(xscale="log", xlabel="C-rate [1/h]", ylabel="share of the loss at half discharge [-]",
           ylim=(0, 1))  # fmt: skip
    ax.legend(fontsize="small")
    figure.savefig(arguments.out / "shares.png", dpi=150)
    print(table.loc[order.index[order > 0.01]].round(3).to_string())
    print(frame.groupby("C-rate")["Loss [mV]"].describe()[["count", "50%"]].round(0).to_string())


if __name__ == "__main__":
    main()
