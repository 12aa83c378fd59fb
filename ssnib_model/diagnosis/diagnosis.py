"""What came of a diagnosis: tables, sentences, one page and the same as JSON."""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.diagnosis import words
from ssnib_model.diagnosis.ahead import Ahead
from ssnib_model.diagnosis.choice import Chosen
from ssnib_model.diagnosis.draws import Draw, Joint
from ssnib_model.diagnosis.inputs import InputFile
from ssnib_model.diagnosis.limits import HalfCycleOf, band, limits
from ssnib_model.files import writing
from ssnib_model.fits.next_result import NextExperiment
from ssnib_model.fits.result import FitResult
from ssnib_model.results import record
from ssnib_model.tables import records

#: Of the JSON: raised where what there was is called otherwise or means something else.
SCHEMA = {"name": "ssnib diagnosis", "version": 1}

PAGE, DOCUMENT = "report.html", "report.json"

#: Distance of the 5th and the 95th percentile of a uniform and of a Gaussian prior, in its
#: standard deviations.
OF_UNIFORM, OF_GAUSSIAN = 0.9 * math.sqrt(12), 2 * 1.645


class Diagnosis:
    """What files of measurements say of a cell; see `diagnose`.

    Attributes
    ----------
    files : list of InputFile
        All files, also those that are not used, with the reason.
    parameters : ParameterSet
        The cell, with its values as they were.
    fit : FitResult
        The best point of all parameters that are fitted or vary. Its errors suppose that only
        those that are held are exact.
    draws : pandas.DataFrame
        One row a draw of the parameters, all of equal weight; one column a parameter, in the
        unit of its name.
    next : NextExperiment or None
        What to measure next; None, with the reason in ``no_next``, where that has no answer.
    held : dict of str to str
        Why all others have the value of the set, by name.
    interrupted : bool
        Whether Ctrl-C ended the drawing.
    settings : dict
        What makes the draws what they are.
    seconds : float
        Wall time.
    """

    def __init__(
        self,
        files: Sequence[InputFile],
        chosen: Chosen,
        joint: Joint,
        best: Draw,
        fit: FitResult,
        draws: Sequence[Draw],
        *,
        half_cycles: Sequence[HalfCycleOf],
        ahead: Ahead,
        lost: int,
        interrupted: bool,
        settings: dict[str, Any],
        seconds: float,
    ):
        self.files, self.fit, self.held = list(files), fit, chosen.held
        self.parameters = fit.problem.parameters
        self.interrupted, self.settings, self.seconds = interrupted, settings, seconds
        self._chosen, self._joint, self._best = chosen, joint, best
        self._draws, self._half_cycles, self.lost = list(draws), list(half_cycles), lost
        #: What to measure next; None where there is nothing, and why in ``no_next``.
        self.next = ahead if isinstance(ahead, NextExperiment) else None
        self.no_next = ahead if isinstance(ahead, str) else ""
        self._units = np.array([d.unit for d in draws]).reshape(len(draws), len(best.unit))

    def __repr__(self) -> str:
        used = sum(one.is_used for one in self.files)
        return (
            f"Diagnosis({self.parameters.name}: {used} of {len(self.files)} files, "
            f"{len(self._draws)} draws of {len(self._best.unit)} parameters)"
        )

    @functools.cached_property
    def draws(self) -> pd.DataFrame:
        """See the class."""
        free = self.fit.problem.free
        columns = zip(free, self._units.T, strict=True)
        return pd.DataFrame({f.label: [f.from_unit(u) for u in column] for f, column in columns})

    # ---------------------------------------------------------------- tables
    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """What is known of each parameter.

        Returns
        -------
        pandas.DataFrame
            By label: "Part" ("fitted", or "varied" within its range), "In the set" and "Kind"
            there, "Low" and "High" (the bounds), "Prior" in words, "Best", "5 %", "Median" and
            "95 %" of the draws, in which everything else of the table varies as well;
            "Conditional error", the standard error if all others were known exactly (of a
            logarithm times the value); "Left open", the part of the prior's interval that the
            data leave.
        """
        fitted = {f.label for f in self._chosen.fitted}
        rows = []
        for i, f in enumerate(self.fit.problem.free):
            info = self.parameters.info(f.name)
            units = self._units[:, i]
            low, middle, high = band(units)
            at_least = OF_UNIFORM if f.prior is None else OF_GAUSSIAN
            best = f.from_unit(self._best.unit[i])
            one = f.span * (best if f.log else 1.0)
            rows.append(
                {
                    "Part": "fitted" if f.label in fitted else "varied",
                    "In the set": info.value,
                    "Kind": info.kind,
                    "Low": f.low,
                    "High": f.high,
                    "Prior": _prior(f),
                    "Best": best,
                    "5 %": _from(f, low),
                    "Median": _from(f, middle),
                    "95 %": _from(f, high),
                    "Conditional error": self._conditional[i] * one,
                    "Left open": min((high - low) / (at_least * self._joint.widths[i]), 1.0),
                }
            )
        return pd.DataFrame(rows, index=[f.label for f in self.fit.problem.free])

    @functools.cached_property
    def _information(self) -> np.ndarray:
        """Of data and priors at the best point, shape (k, k)."""
        joint = self._joint
        weighted = joint.root @ (joint.jacobian * joint.used[:, None])
        return weighted.T @ weighted + np.diag(joint.widths**-2.0)

    @property
    def _conditional(self) -> np.ndarray:
        """Standard errors on the scale of the fit if all other parameters were known."""
        return 1 / np.sqrt(np.diag(self._information))

    @functools.cached_property
    def correlation(self) -> pd.DataFrame:
        """Of what is known of the parameters, by label, from the derivatives at the best point."""
        covariance = np.linalg.inv(self._information)
        deviation = np.sqrt(np.diag(covariance))
        labels = list(self.table.index)
        return pd.DataFrame(
            covariance / np.outer(deviation, deviation), index=labels, columns=labels
        )

    @functools.cached_property
    def limits(self) -> pd.DataFrame:
        """Losses of the cell by half-cycle with their bands: see
        `ssnib_model.diagnosis.limits.limits`."""
        return limits(self._half_cycles, [d.losses for d in self._draws if d.losses])

    @functools.cached_property
    def comparison(self) -> pd.DataFrame:
        """All that is compared.

        Returns
        -------
        pandas.DataFrame
            One row a value: "Data", "Quantity", "Measured", "Sigma", "Model" (best point),
            "Residual" (in sigmas), "5 %" and "95 %" of the draws.
        """
        table = self.fit.residuals.copy()
        simulated = np.array([d.values for d in self._draws]).reshape(-1, len(table))
        with warnings.catch_warnings():  # of a value that no draw has
            warnings.simplefilter("ignore", RuntimeWarning)
            table["5 %"], _, table["95 %"] = band(simulated)
        return table

    # ---------------------------------------------------------------- sentences
    @functools.cached_property
    def notes(self) -> list[str]:
        """What there is to say about how all this was found."""
        return list(words.notes(self))

    @functools.cached_property
    def undetermined(self) -> list[str]:
        """What the data leave open, and why, a sentence a parameter."""
        return list(words.undetermined(self))

    @functools.cached_property
    def limiting(self) -> list[str]:
        """What limits the cell in each half-cycle, a sentence each."""
        return list(words.limiting(self.limits))

    @functools.cached_property
    def summary(self) -> list[str]:
        """All of it in a few sentences."""
        return list(words.summary(self))

    @property
    def misfit(self) -> dict[str, float]:
        """How wrong the model may be, in standard deviations by kind of data; empty: not."""
        return dict(self._joint.misfit)

    # ---------------------------------------------------------------- files
    def to_dict(self) -> dict[str, Any]:
        """Everything of the report, ready for JSON; see docs/diagnose.md."""
        fit = self.fit
        document = {
            "schema": dict(SCHEMA),
            "versions": record.versions(),
            "parameters": record.parameters_of(self.parameters),
            "settings": self.settings,
            "complete": not self.interrupted,
            "summary": self.summary,
            "files": [one.to_dict() for one in self.files],
            "fit": {
                "chi2": fit.chi2,
                "values": fit.dof + len(fit.values),
                "describes the data": not fit.does_not_fit,
                "misfit": self.misfit,
                "says": fit.misfit,
                "not simulated": fit.not_simulated,
            },
            "comparison": records(self.comparison),
            "fitted and varied": records(self.table.rename_axis("Parameter").reset_index()),
            "held": self.held,
            "conditions": words.conditions(self),
            "draws": {name: column.tolist() for name, column in self.draws.items()},
            "draws lost": self.lost,
            "limits": records(self.limits),
            "limiting": self.limiting,
            "undetermined": self.undetermined,
            "next": None if self.next is None else self.next.to_dict(),
            "no next": self.no_next or None,
            "notes": self.notes,
            "seconds": self.seconds,
        }
        return _plain(document)

    def to_html(self) -> str:
        """The report as one page that needs nothing else."""
        from ssnib_model.diagnosis.page import page

        return page(self)

    def save(self, folder: str | Path, head: dict[str, Any] | None = None) -> Path:
        """Write ``report.html`` and ``report.json``.

        Parameters
        ----------
        folder : str or Path
            Made if need be; files of these names are replaced.
        head : dict, optional
            What the JSON begins with.

        Raises
        ------
        SSNIBError
            If it cannot be written.
        """
        text = json.dumps(_plain((head or {}) | self.to_dict()), indent=2, allow_nan=False)
        html = self.to_html()
        with writing(folder) as folder:
            (folder / PAGE).write_text(html, encoding="utf-8")
            (folder / DOCUMENT).write_text(text + "\n", encoding="utf-8")
        return folder

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{words.escaped(text)}</li>" for text in self.summary)
        return f"<p>{words.escaped(repr(self))}</p><ul>{items}</ul>"


def _prior(f: Any) -> str:
    scale = ", logarithmic" if f.log else ""
    if f.prior is None:
        return f"{words.number(f.low, 4)} to {words.number(f.high, 4)}{scale}"
    mean, deviation = f.prior
    return f"{words.number(mean, 4)} +- {words.number(deviation, 2)}{scale}"


def _from(f: Any, unit: float) -> float:
    return math.nan if math.isnan(unit) else f.from_unit(float(unit))


def _plain(document: Any) -> Any:
    """Without types of numpy, and with None for what is no number, which JSON does not have."""
    if isinstance(document, dict):
        return {str(key): _plain(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_plain(value) for value in document]
    if isinstance(document, np.generic):
        document = document.item()
    return None if isinstance(document, float) and not math.isfinite(document) else document
