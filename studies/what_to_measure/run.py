"""Which further measurement would shrink the uncertainty of the fitted set most?

Adds the Jacobian of each candidate measurement, with its sigma, to that of the paper's fit and
compares the standard errors before and after: of every parameter, and of the predicted 2 C.
Writes table.csv and gain.png; ``--quick`` takes two candidates.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.fits.data import CAPACITY, GAP
from ssnib_model.fits.problem import FitProblem

FIT = runpy.run_path(str(Path(__file__).parents[1] / "fit_hu2024" / "run.py"))
LAYER = "Na3PS4 layer conductivity [S.m-1]"
FREE = [
    *(f for f in FIT["COMMON"] if f.data is None),
    ss.Free(FIT["ACCESSIBLE"], 0.8, 1.0, log=False),
    # not free in the paper's fit, because nothing there could tell them apart
    ss.Free(LAYER, 5e-3, 2e-2, log=True, prior=(1e-2, 0.3)),
    ss.Free("Negative electrode exchange-current density [A.m-2]", 0.5, 100, prior=(10, 1.0)),
]


def candidates(parameters: ss.ParameterSet) -> dict[str, list]:
    """Measurements that could be made, as data of the model itself with a plausible sigma."""
    test = ss.RateTest([0.2, 1, 2])
    result = test.run(ss.SolidStateSPM(), parameters)

    def curve(rate, direction):
        rows = result.curves
        rows = rows[(rows["C-rate"] == rate) & (rows["Direction"] == direction)]
        return ss.CurveData(
            f"{direction} {rate:g} C", rows["Capacity [mA.h.g-1]"], rows["Voltage [V]"], rate,
            direction, sigma_voltage=0.003, sigma_capacity=1.0, test=test,
        )  # fmt: skip

    spectrum = ss.impedance(parameters, np.geomspace(1e6, 1e-2, 30))
    gaps = result.table[["C-rate", GAP]]
    return {
        "voltage curves at 0.2 and 1 C": [
            curve(r, d) for r in (0.2, 1) for d in ("charge", "discharge")
        ],
        "gaps at 0.2, 1 and 2 C": [ss.RateTestData("gaps", gaps, sigma={GAP: 0.005}, test=test)],
        "impedance of the cell": [
            ss.SpectrumData("cell", spectrum.frequencies, spectrum.z, relative_sigma=0.02)
        ],
        "both cut-offs stated": [],
        "symmetric cell, dc resistance": [],
        "a second interlayer thickness": [],
    }


def scalar_rows(name: str, problem: FitProblem, unit: np.ndarray) -> np.ndarray:
    """Jacobian rows of the candidates that are one or two numbers, divided by their sigma."""
    k = {f.name: i for i, f in enumerate(problem.free)}
    if name == "both cut-offs stated":
        rows = np.zeros((2, len(unit)))
        for row, cut_off in zip(rows, (FIT["LOWER"], FIT["UPPER"]), strict=True):
            row[k[cut_off]] = problem.free[k[cut_off]].span / 0.005
        return rows

    def value(at):
        p = problem.parameters_for(at, None)
        layer = p["Na3PS4 layer thickness [m]"] / p[LAYER]
        if name == "a second interlayer thickness":
            # two gaps at 0.2 C differ by the layer alone; the thickness is known
            i = 0.2 * p["Nominal cell capacity [A.h]"] / p["Electrode area [m2]"]
            return 2 * i * layer / 2 / 0.005
        # a symmetric cell of 100 um: layer, two interfaces, two charge transfers; 3 % error
        j0 = p["Negative electrode exchange-current density [A.m-2]"]
        total = 1e-4 / p[LAYER] + 2 * p[FIT["INTERFACE"]] + 2 * 0.025693 / j0
        return np.log(total) / 0.03

    row = np.empty(len(unit))
    for i in range(len(unit)):
        step = np.zeros(len(unit))
        step[i] = 1e-4
        row[i] = (value(unit + step) - value(unit - step)) / 2e-4
    return row[None, :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two candidates")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parameters = ss.ParameterSet("Hu2024")
    known = [d for d in FIT["measured"](parameters) if d.name != FIT["FIRST_CYCLE"]]
    problem = FitProblem(parameters, known, FREE, "spm")
    unit = problem.start()
    base = problem.jacobian(unit)

    two_c = ss.RateTestData(
        "2 C", pd.DataFrame({"C-rate": [2.0], CAPACITY: [88.3]}), sigma={CAPACITY: 1.0},
        test=ss.RateTest([0.2, 0.5, 1, 2]),
    )  # fmt: skip
    gradient = FitProblem(parameters, [two_c], FREE, "spm").jacobian(unit)[0]

    def errors(jacobian):
        covariance = np.linalg.inv(jacobian.T @ jacobian)
        return np.sqrt(np.diag(covariance)), float(np.sqrt(gradient @ covariance @ gradient))

    found = {"paper": errors(base)}
    names = list(candidates(parameters).items())
    for name, data in names[-2:] if arguments.quick else names:
        if data:
            extra = FitProblem(parameters, data, FREE, "spm").jacobian(unit)
            extra = extra[: sum(len(d.measured) for d in data)]  # the priors are in already
        else:
            extra = scalar_rows(name, problem, unit)
        found[f"+ {name}"] = errors(np.vstack([base, extra]))

    labels = [f.name.rpartition(" [")[0] or f.name for f in problem.free]
    spans = np.array([f.span for f in problem.free])
    scale = np.array([1.0 if f.log else 1 / parameters[f.name] for f in problem.free])
    table = pd.DataFrame(
        {name: np.append(deviation * spans * scale, prediction)
         for name, (deviation, prediction) in found.items()},
        index=[*(f"relative error of {label}" for label in labels), "error of 2 C [mAh/g]"],
    ).T  # fmt: skip
    table.round(4).to_csv(arguments.out / "table.csv", index_label="Data")

    figure = Figure(figsize=(10, 5), layout="constrained")
    ax = figure.subplots()
    gain = table / table.iloc[0]
    image = ax.imshow(gain.iloc[1:].T.to_numpy(), vmin=0, vmax=1, cmap="viridis", aspect="auto")
    ax.set_xticks(range(len(gain) - 1), gain.index[1:], rotation=20, ha="right", fontsize="small")
    ax.set_yticks(range(gain.shape[1]), gain.columns, fontsize="small")
    ax.set(xlabel="Data", ylabel="Quantity")
    figure.colorbar(image, label="error with the measurement / error without [-]")
    figure.savefig(arguments.out / "gain.png", dpi=150)
    print(table.T.round(3).to_string())


if __name__ == "__main__":
    main()
