"""A posterior: weighted draws, what they say, and how far they can be trusted."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.files import writing
from ssnib_model.fits.ensemble import Chain
from ssnib_model.fits.free import is_whole
from ssnib_model.fits.importance import Draws, resampled
from ssnib_model.fits.prediction import bands
from ssnib_model.fits.target import Target
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results import record
from ssnib_model.tables import records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Percentiles of a table: the median and a band of 95 %.
CENTRAL = {"2.5 %": 0.025, "Median": 0.5, "97.5 %": 0.975}


class Posterior:
    """What is known of the free parameters, as draws.

    Attributes
    ----------
    samples : pandas.DataFrame
        One row a draw, all of equal weight, as many as were asked for; one column a parameter, in
        the unit of its name.
    points : pandas.DataFrame
        All draws, with their "Weight" (sum 1).
    method : str
        "importance" or "ensemble".
    effective : float
        Number of independent draws that they are worth.
    k : float
        Pareto k of the weights: they can be trusted up to 0.7, as far as any draw has come; NaN
        of an ensemble.
    r_hat : float
        Potential scale reduction of the chains, of the parameter that mixes worst: above 1.1
        they have not mixed; NaN of weights.
    log_evidence, log_evidence_error : float
        Natural logarithm of the probability density of the data, the parameters integrated over
        their priors, and its standard error: of two models of the same data, with the same
        ``misfit``, the larger is the better one. It depends on the bounds. NaN of an ensemble.
    misfit : pandas.Series
        Root mean square amplitude of the model's misfit by kind of data, in standard deviations
        of the data; empty where the model may not be wrong.
    notes : list of str
        What there is to say about the draws.
    conditions : str
        What they suppose.
    solves : int
        Number of times all data were simulated.
    seconds : float
        Wall time.
    interrupted : bool
        Whether Ctrl-C ended the drawing.
    settings : dict
        What `FitResult.posterior` takes to give the same draws again.
    """

    def __init__(
        self,
        target: Target,
        found: Draws | Chain,
        *,
        settings: dict[str, Any],
        notes: Iterable[str],
        conditions: str,
        seconds: float,
        interrupted: bool,
    ):
        self.problem, self._best, self._found = target.problem, target.best, found
        self.settings, self.notes, self.conditions = settings, list(notes), conditions
        self.seconds, self.interrupted, self.solves = seconds, interrupted, target.solves
        self.effective = found.effective
        self.k = self.r_hat = self.log_evidence = self.log_evidence_error = math.nan
        if isinstance(found, Draws):
            self.method, self.k = "importance", found.k
            self.log_evidence, self.log_evidence_error = found.log_integral
        else:
            self.method, self.r_hat = "ensemble", found.r_hat
        self._rng = functools.partial(np.random.default_rng, [settings["seed"], 1])
        chosen = resampled(found.weights, settings["draws"], self._rng())
        self._units = found.points[chosen]
        #: Of each of ``samples``, all data as simulated, shape (draws, n).
        self.simulated = np.array([target.values[u.tobytes()] for u in self._units])
        self.misfit = target.amplitudes(self.simulated)
        self.samples = self._named(self._units)

    def _named(self, units: np.ndarray) -> pd.DataFrame:
        columns = zip(self.problem.free, units.T, strict=True)
        return pd.DataFrame({f.label: [f.from_unit(u) for u in column] for f, column in columns})

    @functools.cached_property
    def population(self) -> pd.DataFrame:
        """Mean and spread of the parameters that have a value for each cell.

        Returns
        -------
        pandas.DataFrame
            One row a draw of ``samples``; "Mean of ..." in the unit of the parameter and "Spread
            of ...", the standard deviation in that unit or, where the logarithm is fitted, of the
            natural logarithm. No columns where all cells have the same values.
        """
        rng = np.random.default_rng([self.settings["seed"], 2])
        columns: dict[str, np.ndarray] = {}
        for p in self.problem.populations:
            means, spreads = np.array([p.draw(unit, rng) for unit in self._units]).T
            columns[f"Mean of {p.name}"], columns[f"Spread of {p.name}"] = p.named(means, spreads)
        return pd.DataFrame(columns, index=self.samples.index)

    @functools.cached_property
    def points(self) -> pd.DataFrame:
        """See the class."""
        return self._named(self._found.points).assign(Weight=self._found.weights)

    def summary(self) -> pd.DataFrame:
        """What is known of each parameter.

        Returns
        -------
        pandas.DataFrame
            By label: "Best" (of the fit), "Mean", "Standard deviation", "2.5 %", "Median",
            "97.5 %", and "Of its range", the part of the distance between the bounds, on the
            scale of the fit, that the band of 95 % takes: near 0.95 the data say nothing.
        """
        weights, rows = self._found.weights, []
        for i, free in enumerate(self.problem.free):
            units = self._found.points[:, i]
            values = self.points[free.label].to_numpy()
            at = {name: _quantile(units, weights, part) for name, part in CENTRAL.items()}
            mean = float(weights @ values)
            rows.append(
                {
                    "Best": free.from_unit(self._best[i]),
                    "Mean": mean,
                    "Standard deviation": math.sqrt(float(weights @ (values - mean) ** 2)),
                    **{name: free.from_unit(unit) for name, unit in at.items()},
                    "Of its range": at["97.5 %"] - at["2.5 %"],
                }
            )
        return pd.DataFrame(rows, index=[f.label for f in self.problem.free])

    def report(self) -> str:
        """Summary, how far it can be trusted, and what it supposes, as text."""
        trust = f"Pareto k {self.k:.2f}" if self.method == "importance" else ""
        trust = trust or f"R-hat {self.r_hat:.3f}"
        lines = [
            f"Posterior: {self.effective:.0f} independent draws by {self.method}, {trust}; "
            f"{self.solves} simulations of all data, {self.seconds:.1f} s",
            f"  {self.conditions}",
            *(f"  {note}" for note in self.notes),
            self.summary().to_string(float_format="{:.4g}".format),
        ]
        if self.problem.populations:
            lines += ["From cell to cell", _described(self.population)]
        if math.isfinite(self.log_evidence):
            lines.append(
                f"ln evidence {self.log_evidence:.2f} +- {self.log_evidence_error:.2f}, "
                "which depends on the bounds"
            )
        lines += [
            f"Misfit of the model, {kind}: {amplitude:.3g} times sigma"
            for kind, amplitude in self.misfit.items()
        ]
        return "\n".join(lines)

    def of_data(self) -> pd.DataFrame:
        """What the draws say of the data they were drawn by.

        Returns
        -------
        pandas.DataFrame
            One row a value: "Data", "Quantity", "Measured", "Sigma", "2.5 %", "Median", "97.5 %"
            of the simulated values, without the errors of the data.
        """
        table = pd.DataFrame(
            [(d.name, label) for d in self.problem.data for label in d.labels],
            columns=["Data", "Quantity"],
        ).assign(Measured=self.problem.measured, Sigma=self.problem.sigma)
        for name, part in CENTRAL.items():
            table[name] = pd.DataFrame(self.simulated).quantile(part).to_numpy()
        return table

    def parameter_sets(self, n: int, data: str | None = None) -> list[ParameterSet]:
        """Sets of independent draws, for whatever else is to be simulated with them.

        Parameters
        ----------
        n : int
            Number of sets.
        data : str, optional
            Data set whose own values of parameters hold.
        """
        return [self.problem.parameters_for(unit, data) for unit in self._some(n)]

    def _some(self, n: int) -> np.ndarray:
        if not is_whole(n) or n < 1:
            raise OptionError(f"n is {n!r}: at least one draw is needed")
        return self._found.points[resampled(self._found.weights, int(n), self._rng())]

    def predict(
        self,
        rates: Iterable[float],
        *,
        temperature: float | None = None,
        data: str | None = None,
        n: int = 200,
        test: RateTest | None = None,
    ) -> pd.DataFrame:
        """A rate test with bands: `ssnib_model.fits.prediction.bands` of ``n`` draws."""
        return bands(
            self.problem,
            self._best,
            self._some(n),
            rates,
            temperature=temperature,
            data=data,
            test=test,
        )

    def plot(self, grid: Any = None) -> np.ndarray:
        """See `ssnib_model.fits.posterior_plots.posterior_pairs`."""
        from ssnib_model.fits.posterior_plots import posterior_pairs

        return posterior_pairs(self, grid)

    def plot_data(self, ax: Axes | None = None) -> Axes:
        """See `ssnib_model.fits.posterior_plots.posterior_residuals`."""
        from ssnib_model.fits.posterior_plots import posterior_residuals

        return posterior_residuals(self, ax)

    def to_arviz(self) -> Any:
        """See `ssnib_model.fits.arviz_data.to_arviz`."""
        from ssnib_model.fits.arviz_data import to_arviz

        return to_arviz(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything of the report and the settings that repeat it, ready for JSON."""
        return {
            "versions": record.versions(),
            "fit": self.problem.fingerprint(),
            "settings": self.settings,
            "method": self.method,
            "effective": self.effective,
            "pareto_k": _or_none(self.k),
            "r_hat": _or_none(self.r_hat),
            "log_evidence": _or_none(self.log_evidence),
            "log_evidence_error": _or_none(self.log_evidence_error),
            "misfit": self.misfit.to_dict(),
            **(
                {"population": self.population.describe(percentiles=[*CENTRAL.values()]).to_dict()}
                if self.problem.populations
                else {}
            ),
            "notes": self.notes,
            "conditions": self.conditions,
            "interrupted": self.interrupted,
            "solves": self.solves,
            "summary": records(self.summary().rename_axis("Parameter").reset_index()),
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``posterior.csv`` (all draws with their weights), ``.json`` and ``.png``.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there; files of these names are replaced.

        Raises
        ------
        SSNIBError
            If it cannot be written.
        """
        from ssnib_model.fits.posterior_plots import save_posterior

        folder = Path(folder)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.points.to_csv(folder / "posterior.csv", index=False)
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "posterior.json").write_text(text + "\n", encoding="utf-8")
            save_posterior(self, folder)
        return folder


def _described(columns: pd.DataFrame) -> str:
    """Mean, standard deviation and band of each column."""
    table = pd.DataFrame({"Mean": columns.mean(), "Standard deviation": columns.std()})
    for name, part in CENTRAL.items():
        table[name] = columns.quantile(part)
    return table.to_string(float_format="{:.4g}".format)


def _quantile(values: np.ndarray, weights: np.ndarray, part: float) -> float:
    order = np.argsort(values)
    summed = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(part, summed, values[order]))


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
