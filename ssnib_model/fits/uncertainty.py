"""What the uncertainty of a fit means: draws by its curvature, and profiles.

Everything here is a function of a result of `fit`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from ssnib_model.errors import OptionError
from ssnib_model.fits.problem import FitProblem


class Fitted(Protocol):
    """What is asked of a `FitResult`, which hands on to the functions here."""

    problem: FitProblem
    unit: np.ndarray
    values: dict[str, float]
    covariance: np.ndarray

    @property
    def widening(self) -> float:
        """Factor of the standard errors in a misfit."""


def sample(result: Fitted, n: int, seed: int = 0) -> np.ndarray:
    """Draws of the parameters on their unit scale.

    From the Gaussian of the covariance, cut at the bounds: a direction that the data leave
    open fills its range. In a misfit the covariance is scaled by chi2/dof.

    Parameters
    ----------
    result : FitResult
        Of `ssnib_model.fits.search.fit`.
    n : int
        Number of draws.
    seed : int, optional
        Of the random numbers.

    Returns
    -------
    numpy.ndarray
        Shape (n, k).
    """
    rng = np.random.default_rng(seed)
    variances, axes = np.linalg.eigh(result.covariance * result.widening**2)
    widths = np.sqrt(np.clip(variances, 0, 1.0))
    draws = np.empty((0, len(result.unit)))
    while len(draws) < n:
        new = result.unit + (rng.normal(size=(4 * n, len(result.unit))) * widths) @ axes.T
        inside = ((new >= 0) & (new <= 1)).all(axis=1)
        # at a bound nearly all draws fall outside: bring back the rest
        new = new[inside] if inside.mean() > 0.01 else np.clip(new, 0, 1)
        draws = np.vstack([draws, new])
    return draws[:n]


def profile(result: Fitted, label: str, points: int = 9) -> pd.DataFrame:
    """Profile of chi2 (data and priors) over one parameter, the others fitted again.

    Parameters
    ----------
    label : str
        Label of a free parameter.
    points : int, optional
        Values over its range.

    Returns
    -------
    pandas.DataFrame
        "Value" and "chi2"; 3.84 above the minimum bounds the 95 % interval.
    """
    labels = list(result.values)
    if label not in labels:
        raise OptionError(f'"{label}" is not free: {labels}')
    k = labels.index(label)
    others = [i for i in range(len(labels)) if i != k]
    rows = []
    for fixed in np.linspace(0, 1, points):

        def full(part, fixed=fixed):
            unit = np.empty(len(labels))
            unit[k], unit[others] = fixed, part
            return unit

        start = np.clip(result.unit[others], 0.01, 0.99)
        if others:
            solution = least_squares(
                lambda part: result.problem.residuals(full(part)),
                start,
                jac=lambda part: result.problem.jacobian(full(part), others),
                bounds=(0, 1),
                max_nfev=15,
            )
            chi2 = 2 * solution.cost
        else:
            residuals = result.problem.residuals(full(start))
            chi2 = residuals @ residuals
        rows.append((result.problem.free[k].from_unit(fixed), float(chi2)))
    return pd.DataFrame(rows, columns=["Value", "chi2"])
