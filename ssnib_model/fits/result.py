"""Fitted values, how well they are determined, and what there is to say about them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ssnib_model import provenance
from ssnib_model.files import writing
from ssnib_model.fits import uncertainty
from ssnib_model.fits.free import Free
from ssnib_model.fits.problem import FitProblem
from ssnib_model.parameters import ParameterInfo, ParameterSet
from ssnib_model.schema import unit_of

if TYPE_CHECKING:
    from ssnib_model.fits.search import _Outcome

#: A direction in which the data leave more than this part of the range open is undetermined.
UNDETERMINED = 0.3


class FitResult:
    """Fitted values and how well they are determined.

    Attributes
    ----------
    values : dict of str to float
        Fitted value by label (the name, with the data set if it is for one only).
    errors : dict of str to float
        Standard error, in the unit of the value; for a logarithm, value times the error of
        the natural logarithm.
    correlation : pandas.DataFrame
        Of the free parameters, by label.
    chi2 : float
        Sum of squares of the data residuals.
    cost : float
        The same with those of the priors.
    dof : int
        Number of data less number of free parameters.
    residuals : pandas.DataFrame
        One row a value: "Data", "Quantity", "Measured", "Model", "Sigma", "Residual".
    at_bound : list of str
        Labels of values that ended at a bound; their errors mean nothing.
    message : str
        Why the search ended.
    solves : int
        Number of times all data were simulated.
    seconds : float
        Wall time.
    """

    def __init__(self, problem: FitProblem, outcome: _Outcome, solves: int, seconds: float):
        self.problem, self.unit = problem, outcome.unit
        self.message, self.cost, self.seconds = outcome.message, outcome.cost, seconds
        n = len(problem.measured)
        model = problem.simulate(self.unit)
        jacobian = problem.jacobian(self.unit)
        self.solves = solves + 1 + 2 * len(self.unit)
        scaled = (model - problem.measured) / problem.sigma
        self.residuals = pd.DataFrame(
            {
                "Data": [d.name for d in problem.data for _ in d.measured],
                "Quantity": [label for d in problem.data for label in d.labels],
                "Measured": problem.measured,
                "Model": model,
                "Sigma": problem.sigma,
                "Residual": scaled,
            }
        )
        self.values = problem.values(self.unit)
        labels = list(self.values)
        self.chi2 = float(np.nansum(scaled**2))
        self.dof = n - len(labels)
        self.at_bound = [
            label for label, u in zip(labels, self.unit, strict=True) if not 1e-4 < u < 1 - 1e-4
        ]
        # Directions of the data alone, from the best to the least determined one. The range of
        # each parameter bounds what is known of it whatever the data say.
        _, singular, self._directions = np.linalg.svd(jacobian[:n], full_matrices=True)
        singular = np.append(singular, np.zeros(len(labels) - len(singular)))
        self._spread = 1 / np.maximum(singular, 1e-12)
        information = jacobian.T @ jacobian
        self.covariance = np.linalg.pinv(information, rcond=1e-12, hermitian=True)
        deviation = np.sqrt(np.diag(self.covariance))
        self.correlation = pd.DataFrame(
            self.covariance / np.outer(deviation, deviation), index=labels, columns=labels
        )
        self.errors = {
            f.label: float(d * f.span * (self.values[f.label] if f.log else 1))
            for f, d in zip(problem.free, deviation, strict=True)
        }

    @property
    def bic(self) -> float:
        """Bayesian information criterion, chi2 + k ln n: smaller is better."""
        return self.chi2 + len(self.unit) * math.log(len(self.residuals))

    @property
    def parameters(self) -> ParameterSet:
        """The set with the fitted values of kind "fitted".

        A parameter that has one value a data set keeps that of the base set.
        """
        return self.problem.parameters.replace(
            {
                f.name: ParameterInfo(
                    f.name,
                    self.values[f.label],
                    unit_of(f.name),
                    "fitted",
                    uncertainty={
                        "sd": max(self.errors[f.label], 1e-300),
                        "range": (f.low, f.high),
                    },
                    note=f"fitted to {', '.join(d.name for d in self.problem.data)}"
                    + ("; at a bound of its range" if f.label in self.at_bound else ""),
                )
                for f in self.problem.free
                if f.data is None
            }
        )

    def undetermined(self) -> list[str]:
        """Combinations of parameters that the data leave open, in words."""
        sentences = []
        for spread, direction in zip(self._spread, self._directions, strict=True):
            if spread < UNDETERMINED:
                continue
            parts = []
            for k in np.argsort(-np.abs(direction)):
                if abs(direction[k]) > 0.2:
                    parts.append(_moved(self.problem.free[k], 0.1 * direction[k]))
            verb = "leaves" if len(parts) == 1 else "together leave"
            sentences.append(f"{', '.join(parts)} {verb} the data as they are")
        return sentences

    def report(self) -> str:
        """Values with errors, residuals by data set, what is not determined: one text."""
        lines = [f"Fit of {len(self.residuals)} values by {len(self.values)} parameters"]
        lines += [f"  {self.message}; {self.solves} simulations of all data, {self.seconds:.1f} s"]
        lines += [f"  chi2 {self.chi2:.4g}, degrees of freedom {self.dof}, BIC {self.bic:.4g}"]
        lines += ["Parameters (standard errors from the curvature at the best point)"]
        for f in self.problem.free:
            value, error = self.values[f.label], self.errors[f.label]
            bound = "  AT A BOUND" if f.label in self.at_bound else ""
            lines.append(
                f"  {f.label}: {value:.5g} +- {error:.2g}  [{f.low:.4g}, {f.high:.4g}]{bound}"
            )
        strong = [
            f"  {a} with {b}: {self.correlation.loc[a, b]:+.3f}"
            for i, a in enumerate(self.values)
            for b in list(self.values)[i + 1 :]
            if abs(self.correlation.loc[a, b]) > 0.5
        ]
        lines += ["Correlations above 0.5", *strong] if strong else []
        open_ = self.undetermined()
        lines += ["Not determined by the data", *(f"  {s}" for s in open_)] if open_ else []
        lines += ["Residuals", self.residuals.to_string(index=False, float_format="{:.4g}".format)]
        return "\n".join(lines)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """See `ssnib_model.fits.uncertainty.sample`."""
        return uncertainty.sample(self, n, seed)

    def predict(self, rates: Iterable[float], **settings) -> pd.DataFrame:
        """See `ssnib_model.fits.uncertainty.predict`."""
        return uncertainty.predict(self, rates, **settings)

    def profile(self, label: str, points: int = 9) -> pd.DataFrame:
        """See `ssnib_model.fits.uncertainty.profile`."""
        return uncertainty.profile(self, label, points)

    def posterior(self, **settings) -> uncertainty.Posterior:
        """See `ssnib_model.fits.uncertainty.posterior`."""
        return uncertainty.posterior(self, **settings)

    def to_dict(self) -> dict:
        """Everything of the report, ready for JSON."""
        finite = self.residuals.astype(object).where(self.residuals.notna(), None)
        return {
            "versions": provenance.versions(),
            "model": self.problem.model,
            "message": self.message,
            "chi2": self.chi2,
            "dof": self.dof,
            "bic": self.bic,
            "solves": self.solves,
            "parameters": {
                f.label: {
                    "value": self.values[f.label],
                    "error": self.errors[f.label],
                    "low": f.low,
                    "high": f.high,
                    "at_bound": f.label in self.at_bound,
                }
                for f in self.problem.free
            },
            "correlation": self.correlation.to_dict(),
            "undetermined": self.undetermined(),
            "residuals": finite.to_dict("records"),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the fitted parameter set, the report, ``fit.json`` and ``fit.png``.

        Raises
        ------
        SSNIBError
            If the folder exists or cannot be written.
        """
        from ssnib_model.fits.plots import save_fit

        with writing(self.parameters.save(folder)) as folder:
            (folder / "report.txt").write_text(self.report() + "\n")
            (folder / "fit.json").write_text(json.dumps(self.to_dict(), indent=2) + "\n")
            save_fit(self, folder)
        return folder


def _moved(f: Free, step: float) -> str:
    """A move of a parameter along an undetermined direction, in words."""
    if f.log:
        return f'"{f.label}" times {math.exp(step * f.span):.3g}'
    return f'"{f.label}" plus {step * f.span:.3g}'
