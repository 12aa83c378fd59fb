"""The conductivity ratio of packings of spheres, and the formula that stands for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from ssnib_model.materials.packing import pack

#: Solid fraction of a pressed pellet and of a composite, where a source does not say.
PRESSED = 0.85
PHI, BLOCKED, RATIO = "Electrolyte fraction of spheres", "Blocked contacts", "Conductivity ratio"


def formula(phi, blocked, threshold, exponent):
    """``((phi - p / (1 - b)) / (1 - p))**t``, 0.003 at least above the threshold."""
    above = np.maximum(phi - threshold / (1 - blocked), 3e-3)
    return (above / (1 - threshold)) ** exponent


def network(quick: bool = False) -> pd.DataFrame:
    """Ratios to the pressed electrolyte alone, over size ratio, solid fraction and composition."""
    count, seeds = (250, range(1)) if quick else (600, range(2))
    full = np.mean([pack(count, seed).conductance(seed) for seed in seeds])
    rows = []
    for size, solid in ((0.5, PRESSED), (1.0, PRESSED), (1.0, 0.76), (3.0, PRESSED)):
        for phi in (0.3, 0.6, 1) if quick else (0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0):
            packings = [pack(count, seed, solid, phi, size, 100) for seed in seeds]
            for blocked in (0, 0.3) if quick else (0, 0.3, 0.5):
                found = [p.conductance(s, blocked=blocked) for s, p in enumerate(packings)]
                rows.append((size, solid, phi, blocked, np.mean(found) / full))
    return pd.DataFrame(rows, columns=["Size ratio", "Solid fraction", PHI, BLOCKED, RATIO])


def fit_formula(table: pd.DataFrame) -> tuple[dict[float, tuple[float, float]], float]:
    """Threshold and exponent by size ratio, and the exponent of the solid fraction."""
    found = {}
    for size, rows in table[table["Solid fraction"] == PRESSED].groupby("Size ratio"):
        rows = rows[rows[RATIO] > 2e-3]

        def residuals(x, rows=rows):
            return np.log(formula(rows[PHI], rows[BLOCKED], *x) / rows[RATIO])

        fits = [least_squares(residuals, [p, 2.0], bounds=([0, 0.5], [0.4, 6]), loss="soft_l1",
                              f_scale=0.3) for p in (0.1, 0.15, 0.2)]  # fmt: skip
        found[float(size)] = tuple(min(fits, key=lambda fit: fit.cost).x)
    alone = table[(table["Size ratio"] == 1) & (table[PHI] == 1) & (table[BLOCKED] == 0)]
    loose = alone[alone["Solid fraction"] < PRESSED].iloc[0]
    dense = alone[alone["Solid fraction"] == PRESSED].iloc[0]
    exponent = np.log(loose[RATIO] / dense[RATIO]) / np.log(loose["Solid fraction"] / PRESSED)
    return found, float(exponent)
