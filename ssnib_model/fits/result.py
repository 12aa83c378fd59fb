"""Fitted values, how well they are determined, and what there is to say about them."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2 as chi2_distribution

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError
from ssnib_model.files import writing
from ssnib_model.fits import known, uncertainty
from ssnib_model.fits.checkpoint import Outcome
from ssnib_model.fits.data import TEMPERATURE, RateTestData
from ssnib_model.fits.draws import Posterior
from ssnib_model.fits.free import is_whole
from ssnib_model.fits.next_experiment import next_experiment
from ssnib_model.fits.next_result import NextExperiment
from ssnib_model.fits.posterior import posterior
from ssnib_model.fits.prediction import bands
from ssnib_model.fits.problem import FitProblem
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.quantity import unit_of
from ssnib_model.results import record
from ssnib_model.tables import records

#: A direction in which the data leave more than this part of the range open is undetermined.
UNDETERMINED = 0.3

#: chi2 is far from its degrees of freedom if it comes as large, or as small, by chance in fewer
#: than this part of all measurements whose errors are as stated.
CHANCE = 1e-3

#: Widest standard error, in ranges of a parameter, of a direction without any information.
OPEN = 1e3


class FitResult:
    """Fitted values and how well they are determined.

    Attributes
    ----------
    values : dict of str to float
        Fitted value by label (the name, with the data set if it is for one only).
    errors : dict of str to float
        Standard error, in the unit of the value, if the errors of the data are as stated; for a
        logarithm, value times the error of the natural logarithm.
    scaled_errors : dict of str to float
        The same times `scale`: if the scatter of the residuals is the error of the data.
    scale : float
        sqrt(chi2/dof), the priors counted as data; NaN without a degree of freedom.
    correlation : pandas.DataFrame
        Of the free parameters, by label.
    chi2 : float
        Sum of squares of the data residuals, of values that could be simulated.
    cost : float
        The same with those of the priors.
    dof : int
        Number of data that could be simulated less number of free parameters.
    residuals : pandas.DataFrame
        One row a value: "Data", "Quantity", "Measured", "Model", "Sigma", "Residual".
    not_simulated : list of str
        Values that could not be simulated at the best point, each with the reason.
    at_bound : list of str
        Labels of values that ended at a bound; their errors mean nothing.
    interrupted : bool
        Whether Ctrl-C ended the fit before its end.
    message : str
        Why the search ended.
    notes : list of str
        Settings that had no effect.
    solves : int
        How often all data, or their derivatives, were asked for.
    seconds : float
        Wall time.
    unit, jacobian : numpy.ndarray
        The best point on the unit scale, shape (k,), and the derivatives of all residuals there
        (`FitProblem.jacobian`).
    """

    def __init__(
        self,
        problem: FitProblem,
        outcome: Outcome,
        *,
        solves: int,
        seconds: float,
        interrupted: str = "",
        notes: Iterable[str] = (),
    ):
        self.problem, self.unit = problem, outcome.unit
        self.interrupted, self.notes = bool(interrupted), list(notes)
        self.message = interrupted or outcome.message
        jacobian = outcome.jacobian
        if jacobian is None:  # only a search that was interrupted has not asked for it
            jacobian = problem.jacobian(self.unit)
            solves += 1
        self.jacobian = jacobian
        self.solves, self.seconds = solves, seconds
        n = len(problem.measured)
        scaled = problem.scaled(outcome.answer)
        names = [d.name for d in problem.data for _ in d.measured]
        quantities = [label for d in problem.data for label in d.labels]
        self.residuals = pd.DataFrame(
            {
                "Data": names,
                "Quantity": quantities,
                "Measured": problem.measured,
                "Model": outcome.answer.values,
                "Sigma": problem.sigma,
                "Residual": scaled,
            }
        )
        self.not_simulated = [
            f"{name}, {quantity}: {reason}"
            for name, quantity, reason in zip(
                names, quantities, outcome.answer.reasons, strict=True
            )
            if reason
        ]
        self.values = problem.values(self.unit)
        labels = list(self.values)
        answered = int(np.isfinite(scaled).sum())
        self.chi2 = float(np.nansum(scaled**2))
        self.dof = answered - len(labels)
        priors = problem.priors(self.unit)
        self.cost = self.chi2 + float(priors @ priors)
        self._all_dof = self.dof + len(priors)
        self.scale = math.sqrt(self.cost / self._all_dof) if self._all_dof > 0 else math.nan
        self.at_bound = [
            label for label, u in zip(labels, self.unit, strict=True) if not 1e-4 < u < 1 - 1e-4
        ]
        # Directions of the data alone, from the best to the least determined one. The range of
        # each parameter bounds what is known of it whatever the data say.
        _, singular, self._directions = np.linalg.svd(jacobian[:n], full_matrices=True)
        singular = np.append(singular, np.zeros(len(labels) - len(singular)))
        self._spread = 1 / np.maximum(singular, 1e-12)
        self.covariance = _inverse(jacobian.T @ jacobian)
        deviation = np.sqrt(np.diag(self.covariance))
        self.correlation = pd.DataFrame(
            self.covariance / np.outer(deviation, deviation), index=labels, columns=labels
        )
        self.errors = {
            f.label: float(d * f.span * (self.values[f.label] if f.log else 1))
            for f, d in zip(problem.free, deviation, strict=True)
        }

    @property
    def scaled_errors(self) -> dict[str, float]:
        """Standard errors by label, times `scale`."""
        return {label: error * self.scale for label, error in self.errors.items()}

    @property
    def bic(self) -> float:
        """Bayesian information criterion, chi2 + k ln n: smaller is better."""
        return self.chi2 + len(self.unit) * math.log(self.dof + len(self.unit))

    @functools.cached_property
    def misfit(self) -> str:
        """What is wrong if chi2 is far from its degrees of freedom, or cannot tell; "" if not.

        The criterion: the probability that chi2 is as large by chance, or that it is as small,
        is below `CHANCE`.
        """
        with_priors = ", priors counted as data" if self._all_dof != self.dof else ""
        if self._all_dof <= 0 and chi2_distribution.sf(self.cost, 1) < CHANCE:
            return (
                f"chi2 is {self.cost:.3g} with no degrees of freedom{with_priors}: THE MODEL DOES "
                "NOT DESCRIBE THE DATA, which as many free parameters could match exactly; the "
                "errors say nothing"
            )
        if self._all_dof <= 0:
            return (
                f"there are no degrees of freedom{with_priors}: whether the model describes the "
                "data cannot be judged"
            )
        ratio = f"chi2/dof is {self.cost / self._all_dof:.3g}{with_priors}"
        above = float(chi2_distribution.sf(self.cost, self._all_dof))
        below = float(chi2_distribution.cdf(self.cost, self._all_dof))
        if self.does_not_fit:
            return (
                f"{ratio}: THE MODEL DOES NOT DESCRIBE THE DATA within their errors (by chance "
                f"with probability {above:.1g}, limit {CHANCE:g}). Errors as stated are too "
                "small; the scaled ones suppose that the misfit is scatter, and a wrong model "
                "makes them wrong as well"
            )
        if below < CHANCE:
            return (
                f"{ratio}: the data agree better with the model than their errors allow (by "
                f"chance with probability {below:.1g}, limit {CHANCE:g}): sigma may be too large"
            )
        return ""

    @property
    def does_not_fit(self) -> bool:
        """Whether chi2 is too large to come by chance."""
        return self._all_dof > 0 and chi2_distribution.sf(self.cost, self._all_dof) < CHANCE

    @property
    def conditions(self) -> str:
        """What the errors suppose, in one sentence."""
        free = {f.name for f in self.problem.free}
        given = [i for name, i in self.problem.parameters.given.items() if name not in free]
        assumed = sum(info.kind == "assumed" for info in given)
        return (
            f"Errors hold only if the {len(given)} parameters that are given and not free have "
            f"exactly their values in {self.problem.parameters.name}; {assumed} of them are "
            "assumed"
        )

    @property
    def widening(self) -> float:
        """Factor on the errors as stated of whatever is drawn or saved: `scale` in a misfit."""
        return self.scale if self.does_not_fit else 1.0

    @property
    def parameters(self) -> ParameterSet:
        """The set with the fitted values of kind "fitted".

        A parameter that has one value a data set keeps that of the base set. In a misfit the
        standard deviations are the scaled ones.
        """
        return self.problem.parameters.replace(
            {
                f.name: ParameterInfo(
                    f.name,
                    self.values[f.label],
                    unit_of(f.name),
                    "fitted",
                    uncertainty={
                        "sd": max(self.errors[f.label] * self.widening, 1e-300),
                        "range": (f.low, f.high),
                    },
                    note=self._note(f.label),
                )
                for f in self.problem.free
                if f.data is None
            }
        )

    def _note(self, label: str) -> str:
        note = f"fitted to {', '.join(d.name for d in self.problem.data)}"
        note += f" (chi2/dof {self.chi2 / self.dof:.3g})" if self.dof > 0 else ""
        note += "; the model does not describe them, sd scaled" if self.does_not_fit else ""
        note += "; the fit was interrupted" if self.interrupted else ""
        return note + ("; at a bound of its range" if label in self.at_bound else "")

    def undetermined(self) -> list[str]:
        """Combinations of parameters that the data leave open, in words."""
        sentences = []
        for spread, direction in zip(self._spread, self._directions, strict=True):
            if spread < UNDETERMINED:
                continue
            parts = []
            for k in np.argsort(-np.abs(direction)):
                if abs(direction[k]) > 0.2:
                    parts.append(self.problem.free[k].moved(0.1 * direction[k]))
            verb = "leaves" if len(parts) == 1 else "together leave"
            sentences.append(f"{', '.join(parts)} {verb} the data as they are")
        return sentences

    def report(self) -> str:
        """Values with errors, residuals by data set, what is not determined: one text."""
        lines = [f"NOT COMPLETE: {self.message}"] if self.interrupted else []
        lines += [self.misfit] if self.misfit else []
        answered = self.dof + len(self.values)
        if self.not_simulated:
            lines += [
                f"{len(self.not_simulated)} of {len(self.residuals)} values could not be simulated"
                " (those without a value are not in chi2)",
                *(f"  {text}" for text in self.not_simulated),
            ]
        said = [(d.name, finding) for d in self.problem.data for finding in d.findings]
        lines += ["Data as read", *(f"  {name}: {text}" for name, text in said)] if said else []
        lines += [f"Fit of {answered} values by {len(self.values)} parameters"]
        lines += [f"  {self.message}; {self.solves} evaluations of all data, {self.seconds:.1f} s"]
        lines += [f"  chi2 {self.chi2:.4g}, degrees of freedom {self.dof}, BIC {self.bic:.4g}"]
        lines += [f"  {note}" for note in self.notes]
        scaled = math.isfinite(self.scale)
        lines += [
            "Parameters (standard errors from the curvature at the best point, as stated by sigma"
            + (f", and scaled by sqrt(chi2/dof) = {self.scale:.3g})" if scaled else ")"),
            f"  {self.conditions}",
        ]
        for f in self.problem.free:
            value, error = self.values[f.label], self.errors[f.label]
            bound = "  AT A BOUND" if f.label in self.at_bound else ""
            both = f" ({error * self.scale:.2g} scaled)" if scaled else ""
            range_ = f"[{f.low:.4g}, {f.high:.4g}]"
            lines.append(f"  {f.label}: {value:.5g} +- {error:.2g}{both}  {range_}{bound}")
        correlation, labels = self.correlation.to_numpy(), list(self.values)
        strong = [
            f"  {a} with {b}: {correlation[i, j]:+.3f}"
            for i, a in enumerate(labels)
            for j, b in enumerate(labels)
            if j > i and abs(correlation[i, j]) > 0.5
        ]
        lines += ["Correlations above 0.5", *strong] if strong else []
        open_ = self.undetermined()
        lines += ["Not determined by the data", *(f"  {s}" for s in open_)] if open_ else []
        lines += ["Residuals", self.residuals.to_string(index=False, float_format="{:.4g}".format)]
        return "\n".join(lines)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """See `ssnib_model.fits.uncertainty.sample`."""
        return uncertainty.sample(self, n, seed)

    def predict(
        self,
        rates: Iterable[float],
        *,
        temperature: float | None = None,
        data: str | None = None,
        n: int = 50,
        seed: int = 0,
        test: RateTest | None = None,
    ) -> pd.DataFrame:
        """A rate test with bands: `ssnib_model.fits.prediction.bands` of ``n`` of `sample`."""
        if not is_whole(n) or n < 1:
            raise OptionError(f"n is {n!r}: at least one draw is needed")
        return bands(
            self.problem,
            self.unit,
            self.sample(int(n), seed),
            rates,
            temperature=temperature,
            data=data,
            test=test,
        )

    def profile(self, label: str, points: int = 9) -> pd.DataFrame:
        """See `ssnib_model.fits.uncertainty.profile`."""
        return uncertainty.profile(self, label, points)

    def posterior(
        self,
        draws: int = 1000,
        *,
        misfit: bool | None = None,
        method: str = "auto",
        seed: int = 0,
        progress: bool = False,
    ) -> Posterior:
        """See `ssnib_model.fits.posterior.posterior`."""
        return posterior(self, draws, misfit=misfit, method=method, seed=seed, progress=progress)

    def next_experiment(self, answer: str, **settings: Any) -> NextExperiment:
        """See `ssnib_model.fits.next_experiment.next_experiment`."""
        return next_experiment(self, answer, **settings)

    def to_dict(self) -> dict:
        """Everything of the report, ready for JSON."""
        scale = self.scale if math.isfinite(self.scale) else None
        return {
            "versions": record.versions(),
            "model": self.problem.model,
            "solver": self.problem.choice and self.problem.choice.to_dict(),
            "interrupted": self.interrupted,
            "message": self.message,
            "notes": self.notes,
            "findings": {d.name: list(d.findings) for d in self.problem.data if d.findings},
            "misfit": self.misfit,
            "chi2": self.chi2,
            "dof": self.dof,
            "bic": self.bic,
            "scale": scale,
            "solves": self.solves,
            "conditions": self.conditions,
            "parameters": {
                f.label: {
                    "value": self.values[f.label],
                    "error": self.errors[f.label],
                    "scaled_error": None if scale is None else self.scaled_errors[f.label],
                    "low": f.low,
                    "high": f.high,
                    "at_bound": f.label in self.at_bound,
                }
                for f in self.problem.free
            },
            "correlation": self.correlation.to_dict(),
            "known": known.to_dict(known.of_fit(self), (d.name for d in self.problem.data)),
            "undetermined": self.undetermined(),
            "not_simulated": self.not_simulated,
            "residuals": records(self.residuals),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the fitted parameter set, the report, ``fit.json`` and ``fit.png``.

        The measured data of the set are the rate tests it was fitted to, and no others.

        Raises
        ------
        SSNIBError
            If the folder exists or cannot be written.
        """
        from ssnib_model.fits.plots import save_fit

        with writing(self._set_of_its_own().save(folder)) as folder:
            (folder / "report.txt").write_text(self.report() + "\n", encoding="utf-8")
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "fit.json").write_text(text + "\n", encoding="utf-8")
            save_fit(self, folder)
        return folder

    def _set_of_its_own(self) -> ParameterSet:
        """The fitted set with the data it was fitted to in place of those of the base set."""
        base, names = self.problem.parameters, ", ".join(d.name for d in self.problem.data)
        tables = {}
        for d in self.problem.data:
            if isinstance(d, RateTestData):
                kelvin = base[TEMPERATURE] if d.temperature is None else d.temperature
                tables[d.name] = d.table.assign(**{TEMPERATURE: kelvin})
        fitted = self.parameters.with_measured(tables, f"the data of this fit: {names}")
        fitted.description = (
            f"Fitted to {names}: {', '.join(f.label for f in self.problem.free)}. Everything else "
            f"was held at its value in {base.name}. {base.description}"
        ).strip()
        return fitted


def _inverse(information: np.ndarray) -> np.ndarray:
    """Covariance; what there is no information on becomes wide, not exact."""
    values, axes = np.linalg.eigh(information)
    least = max(1e-12 * float(values.max()), 1 / OPEN**2)
    return (axes / np.maximum(values, least)) @ axes.T
