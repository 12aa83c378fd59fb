"""Results of a rate test that can be asked for by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.errors import OptionError
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.rate_test import TABLE_COLUMNS
from ssnib_model.runs.designs import is_number
from ssnib_model.words import short, suggestion

CAPACITY, POLARIZATION = "Discharge capacity [mA.h.g-1]", "Polarization [V]"

#: Discharge capacity over that at `REFERENCE_RATE`, where a test first has it.
RETENTION, REFERENCE_RATE = "Capacity retention", 0.1

#: Results of a rate test that a sensitivity or a target can be asked of.
METRICS = (*(c for c in TABLE_COLUMNS if c not in ("C-rate", "Status")), RETENTION)

#: Energy of a discharge over mass or volume of the stack: see `ssnib_model.cell.bulk`.
SPECIFIC_ENERGY, ENERGY_DENSITY = "Specific energy [W.h.kg-1]", "Energy density [W.h.L-1]"

#: What can be asked of a design.
OF_DESIGNS = (*METRICS, SPECIFIC_ENERGY, ENERGY_DENSITY)

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_SPELLING = re.compile(rf"(?P<name>.+?)(?:\s+at\s+(?P<rate>{_NUMBER})\s*C)?", re.IGNORECASE)


def short_name(column: str) -> str:
    """The name of a metric as it is said: "polarization" of "Polarization [V]"."""
    return column.split(" [")[0].lower()


@dataclass(frozen=True)
class Metric:
    """One result of a rate test.

    Attributes
    ----------
    column : str
        One of `METRICS`.
    rate : float or None
        C-rate at which it is read; the last time that a test has it.
    """

    column: str
    rate: float | None = None

    def __str__(self) -> str:
        name = short_name(self.column)
        return name if self.rate is None else f"{name} at {self.rate:g} C"

    @classmethod
    def of(cls, text: Any, rate: float | None = None, among: Sequence[str] = METRICS) -> Metric:
        """The metric of a name and, beside it or at its end, a rate.

        Parameters
        ----------
        text : str
            A column of the table of a rate test or "Capacity retention", with or without its
            unit and capital; "... at R C" says the rate.
        rate : float, optional
            C-rate, if ``text`` says none.
        among : sequence of str, optional
            Which columns can be asked for.

        Raises
        ------
        OptionError
            For an unknown name, or two rates that differ.
        """
        if isinstance(text, Metric):
            text = str(text)
        match = _SPELLING.fullmatch(text.strip()) if isinstance(text, str) else None
        name = " ".join(match["name"].split()).casefold() if match else ""
        columns = [c for c in among if name in (c.casefold(), short_name(c))]
        if len(columns) != 1:
            spoken = [*map(short_name, among), *among]
            raise OptionError(
                f"metric is {short(text)}: it must be one of {', '.join(among)}, with its rate "
                f'beside it or as in "{short_name(CAPACITY)} at 2 C"{suggestion(name, spoken)}'
            )
        said = float(match["rate"]) if match and match["rate"] else None
        if rate is not None and not is_number(rate):
            raise OptionError(f"rate is {short(rate)}: it must be a C-rate, a number")
        if said is not None and rate is not None and said != rate:
            raise OptionError(
                f"metric is {short(text)} and rate is {rate:g}: leave one of the two rates out"
            )
        return cls(columns[0], said if rate is None else float(rate))

    def check(self, run: RateTest) -> Metric:
        """Itself; `OptionError` if a test does not give it."""
        if self.rate is None or self.rate not in run.rates:
            raise OptionError(
                f'metric is {str(self)!r}: its rate, as in "{short_name(self.column)} at 2 C", '
                f"must be one of {run.rates}"
            )
        if self.column == RETENTION and REFERENCE_RATE not in run.rates:
            raise OptionError(
                f"metric is {str(self)!r}: the test needs the rate {REFERENCE_RATE:g} that the "
                f"capacity is compared with, its rates are {run.rates}"
            )
        return self

    def values(self, table: pd.DataFrame, rates: list[float]) -> np.ndarray:
        """Its value in each of the runs of a table, shape (runs,); NaN where there is none.

        Parameters
        ----------
        table : pandas.DataFrame
            Of one rate test or of a sweep, one row a run and rate.
        rates : list of float
            The C-rates of the test, in its order.
        """
        at = _last(rates, self.rate)
        if self.column != RETENTION:
            return _by_run(table, self.column, rates)[:, at]
        capacities = _by_run(table, CAPACITY, rates)
        reference = capacities[:, rates.index(REFERENCE_RATE)]
        return capacities[:, at] / np.where(reference > 0, reference, np.nan)

    def statuses(self, table: pd.DataFrame, rates: list[float]) -> list[str]:
        """How the half-cycles that it is read from ended, in each of the runs."""
        found = table["Status"].to_numpy().reshape(-1, len(rates))
        if self.column == RETENTION:
            first = rates.index(REFERENCE_RATE)
            good = found[:, first] == "ok"
            return np.where(good, found[:, _last(rates, self.rate)], found[:, first]).tolist()
        return found[:, _last(rates, self.rate)].tolist()


def _last(rates: list[float], rate: Any) -> int:
    """Where a test has a rate for the last time."""
    return len(rates) - 1 - rates[::-1].index(rate)


def _by_run(table: pd.DataFrame, column: str, rates: list[float]) -> np.ndarray:
    return table[column].to_numpy(dtype=float).reshape(-1, len(rates))


def check_metric(metric: str | Metric, rate: float | None, run: RateTest) -> Metric:
    """The metric that is meant, see `Metric.of`; `OptionError` if the test does not give it."""
    return Metric.of(metric, rate).check(run)
