"""What each measurement would do for an answer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssnib_model.files import writing
from ssnib_model.fits.candidates import Candidate
from ssnib_model.fits.known import Known
from ssnib_model.plotting import axes, label
from ssnib_model.results import record
from ssnib_model.tables import records

#: Standard deviations from the middle to either end of a 95 % band.
WIDTH = 1.959963984540054

#: A parameter whose standard deviation shrinks by more than this is one that a measurement
#: tells, and so many are named.
TELLS, MANY = 0.2, 4


@dataclass(frozen=True)
class Gain:
    """What a candidate adds.

    Attributes
    ----------
    candidate : Candidate
        The measurement.
    deviation : float
        Standard deviation of the answer with it; NaN where it cannot be made.
    shares : numpy.ndarray
        Standard deviations of all that is free with it over those before, shape (k,).
    volume : float
        The same of all together: the geometric mean over the axes of their ellipsoid.
    values : int
        How many values count.
    status : str
        "ok", or what is lacking.
    """

    candidate: Candidate
    deviation: float
    shares: np.ndarray
    volume: float
    values: int
    status: str


class NextExperiment:
    """Measurements, ranked by how much each shrinks the band of an answer.

    Attributes
    ----------
    answer, unit : str
        What is to be known better, and its unit ("1": none).
    value : float
        The answer for the cell as it is.
    low, high : float
        Its 95 % band before any of the measurements.
    table : pandas.DataFrame
        One row a candidate, the best first: "Candidate"; "Shrinks [%]", how much narrower the
        band of the answer gets; "Low" and "High", its 95 % band then; "Shrinks all [%]", the
        same of all parameters together (D-optimality); "Tells", the parameters whose standard
        deviations shrink by more than 20 %; "Values", how many measured values count; "Status".
    parameters : pandas.DataFrame
        Standard deviation of each parameter with a candidate over that before: one row a
        candidate in the order of `table`, one column a parameter.
    best : str
        The best candidate.
    assumptions : list of str
        All that this rests on, one sentence each.
    """

    def __init__(
        self,
        *,
        known: Known,
        answer: str,
        unit: str,
        value: float,
        is_log: bool,
        bounds: tuple[float, float],
        deviation: float,
        gains: list[Gain],
        assumptions: list[str],
    ):
        self.answer, self.unit, self.value = answer, unit, value
        self.model, self.assumptions = known.model, assumptions
        self._is_log, self._bounds, self._deviation = is_log, bounds, deviation
        self.low, self.high = self._band(deviation)
        ranked = sorted(gains, key=lambda g: math.inf if math.isnan(g.deviation) else g.deviation)
        labels = [f.label for f in known.free]
        rows = []
        for g in ranked:
            low, high = self._band(g.deviation)
            rows.append(
                {
                    "Candidate": g.candidate.name,
                    "Shrinks [%]": 100 * (1 - g.deviation / deviation),
                    "Low": low,
                    "High": high,
                    "Shrinks all [%]": 100 * (1 - g.volume),
                    "Tells": _told(labels, g.shares),
                    "Values": g.values,
                    "Status": g.status,
                }
            )
        self.table = pd.DataFrame(rows)
        self.parameters = pd.DataFrame(
            [g.shares for g in ranked],
            columns=labels,
            index=pd.Index([g.candidate.name for g in ranked], name="Candidate"),
        )
        self.deviations = pd.Series(
            [deviation, *(g.deviation for g in ranked)],
            index=["before", *(g.candidate.name for g in ranked)],
        )
        self.best = ranked[0].candidate.name

    def __repr__(self) -> str:
        return f"NextExperiment({self.answer!r}, best: {self.best!r})"

    def _band(self, deviation: float) -> tuple[float, float]:
        """The 95 % band, inside the bounds of a parameter."""
        if math.isnan(deviation):
            return math.nan, math.nan
        away = WIDTH * deviation
        if self._is_log:
            low, high = (self.value * math.exp(sign * away) for sign in (-1, 1))
        else:
            low, high = self.value - away, self.value + away
        return max(low, self._bounds[0]), min(high, self._bounds[1])

    @property
    def sentence(self) -> str:
        """The answer to the question, in one sentence."""
        best = self.table.iloc[0]
        unit = "" if self.unit == "1" else f" {self.unit}"
        now = f"{self.answer} is {self.value:.4g}{unit} ({self.low:.4g} to {self.high:.4g})"
        if not best["Shrinks [%]"] > 0:
            return f"{now}; none of the measurements would make it more certain"
        return (
            f"{now}; most would do {best['Candidate']}, which shrinks its 95 % band by "
            f"{best['Shrinks [%]']:.0f} % ({best['Low']:.4g} to {best['High']:.4g})"
        )

    def report(self) -> str:
        """The ranking and what it rests on, as text."""
        shown = self.table.copy()
        if (shown["Status"] == "ok").all():
            shown = shown.drop(columns="Status")
        text = shown.to_string(index=False, na_rep="-", float_format="{:.4g}".format)
        lines = [
            self.sentence,
            "",
            text,
            "",
            "This supposes",
            *(f"  {a}" for a in self.assumptions),
        ]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bands of the answer before, and with each of the measurements.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        """
        ax = axes(ax)
        rows = self.table[::-1]
        there = rows["Low"].notna()
        places = np.arange(len(rows))
        ax.axvspan(self.low, self.high, color="0.88", zorder=0, label="95 % band before")
        ax.barh(
            places[there], (rows["High"] - rows["Low"])[there], left=rows["Low"][there],
            height=0.6, color="C0", label="with the measurement",
        )  # fmt: skip
        ax.axvline(self.value, color="k", linewidth=0.8, label="as it is")
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            text = "no answer" if np.isnan(row["Low"]) else f"-{max(row['Shrinks [%]'], 0):.0f} %"
            ax.annotate(
                text, (1.01, place), xycoords=("axes fraction", "data"), va="center",
                fontsize="small",
            )  # fmt: skip
        ax.set_yticks(places, rows["Candidate"], fontsize="small")
        if self._is_log and self.low > 0 and self.high > 3 * self.low:
            ax.set_xscale("log")
        ax.set(xlabel=self._axis_label(), ylim=(-0.6, len(rows) - 0.4))
        ax.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
        return ax

    def _axis_label(self) -> str:
        if self.answer.endswith("]"):
            return label(self.answer)
        unit = "-" if self.unit == "1" else self.unit
        return label(f"{self.answer[0].upper()}{self.answer[1:]} [{unit}]")

    def to_dict(self) -> dict[str, Any]:
        """Everything of the report, ready for JSON."""
        return {
            "versions": record.versions(),
            "model": self.model,
            "answer": self.answer,
            "unit": self.unit,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "best": self.best,
            "sentence": self.sentence,
            "candidates": records(self.table),
            "parameters": records(self.parameters.reset_index()),
            "assumptions": self.assumptions,
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def save(self, folder: str | Path) -> Path:
        """Write ``next_experiment.csv``, ``.json``, ``.txt`` and ``.png``.

        Raises
        ------
        SSNIBError
            If the folder cannot be written.
        """
        with writing(folder) as folder:
            self.table.to_csv(folder / "next_experiment.csv", index=False)
            (folder / "next_experiment.json").write_text(self.to_json() + "\n", encoding="utf-8")
            (folder / "next_experiment.txt").write_text(self.report() + "\n", encoding="utf-8")
            figure = Figure(figsize=(10, 1.5 + 0.4 * len(self.table)), layout="constrained")
            self.plot(figure.add_subplot())
            figure.savefig(folder / "next_experiment.png", dpi=150)
        return folder


def _told(labels: list[str], shares: np.ndarray) -> str:
    """The parameters that shrink most, in words."""
    order = [i for i in np.argsort(shares) if shares[i] < 1 - TELLS]
    named = [f"{labels[i].split(' [')[0]} -{100 * (1 - shares[i]):.0f} %" for i in order[:MANY]]
    more = len(order) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
