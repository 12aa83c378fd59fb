"""What draws of the parameters say of a rate test that was not measured."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ParameterError
from ssnib_model.fits.data import (
    CAPACITY,
    CHARGE_CAPACITY,
    GAP,
    MASS,
    TEMPERATURE,
    cycles_at,
    read_quantity,
)
from ssnib_model.fits.problem import FitProblem
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.half_cycle import HalfCycle

#: A charge or discharge of less than this part of the nominal capacity is none.
NOTHING = 0.01

#: Draws that are run in one call: the curves of all of them are kept until they are read.
TOGETHER = 200

NOMINAL = "Nominal cell capacity [A.h]"


def bands(
    problem: FitProblem,
    best: np.ndarray,
    draws: np.ndarray,
    rates: Iterable[float],
    *,
    temperature: float | None = None,
    data: str | None = None,
    test: RateTest | None = None,
) -> pd.DataFrame:
    """Capacities and gaps of a rate test with what the parameters' uncertainty makes of them.

    A cell that hardly charges or discharges at all is another case than one that gives a little
    less: how probable it is stands by itself, and the band is that of the other draws.

    Parameters
    ----------
    problem : FitProblem
        Of the fit.
    best : numpy.ndarray
        The best point on the unit scale, shape (k,).
    draws : numpy.ndarray
        Draws of equal weight, shape (n, k).
    rates : iterable of float
        C-rates to predict.
    temperature : float, optional
        [K]; default: that of the set.
    data : str, optional
        Data set whose own values of parameters hold.
    test : RateTest, optional
        The protocol; default: ``rates`` in turn. Where it comes back to a rate, its last block
        counts.

    Returns
    -------
    pandas.DataFrame
        One row a rate and quantity: "C-rate", "Quantity", "Best"; "Low", "Median" and "High"
        (2.5, 50 and 97.5 %) of the draws in which charge and discharge pass more than 1 % of the
        nominal capacity; "No capacity", the part of the draws that have an answer in which one of
        them does not; "Without a value", the part of all draws that have none. The misfit of a
        model that does not describe the data is no part of it.

    Raises
    ------
    OptionError
        If ``data`` is no data set of the fit, or ``test`` lacks one of the rates.
    """
    rates = list(dict.fromkeys(rates))
    names = [d.name for d in problem.data]
    if data is not None and data not in names:
        raise OptionError(f"data is {data!r}: it must be one of the data sets, {names}")
    test = test or RateTest(rates)
    places = {rate: cycles_at(test, rate) for rate in rates}
    for rate, found in places.items():
        if not found:
            raise OptionError(f"{rate!r} is to be predicted, but test has {test.rates} only")

    def cell(unit: np.ndarray) -> ParameterSet:
        parameters = problem.parameters_for(unit, data)
        return (
            parameters if temperature is None else parameters.replace({TEMPERATURE: temperature})
        )

    def possible(unit: np.ndarray) -> ParameterSet | None:
        try:
            return cell(unit)
        except ParameterError:  # values that cannot be together
            return None

    centre = cell(best)
    prepared = test.prepare(
        MODELS[problem.model](centre.model_options),
        centre,
        varying=problem.varying(data),
        solver=problem.solver,
    )
    read = (CAPACITY, GAP, CHARGE_CAPACITY)

    def read_off(
        parameters: ParameterSet, half_cycles: list[HalfCycle]
    ) -> tuple[np.ndarray, np.ndarray]:
        mass = parameters[MASS]
        values = np.array(
            [[read_quantity(half_cycles, c, *places[r][-1], mass) for c in read] for r in rates]
        )
        least = values[:, [0, 2]].min(axis=1)  # NaN if either has no answer
        nothing = least * mass < NOTHING * parameters[NOMINAL]
        return values[:, :2], np.where(np.isfinite(least), nothing, np.nan)

    cells = [possible(unit) for unit in draws]
    at_best, _ = read_off(centre, prepared.half_cycles(centre))
    nothing_found = np.full((len(rates), 2), np.nan), np.full(len(rates), np.nan)
    answers: list[tuple[np.ndarray, np.ndarray]] = []
    for start in range(0, len(cells), TOGETHER):
        part = cells[start : start + TOGETHER]
        runs = iter(prepared.half_cycles_of_many([one for one in part if one is not None]))
        answers += [nothing_found if one is None else read_off(one, next(runs)) for one in part]
    values, nothing = (np.array([one[i] for one in answers]) for i in (0, 1))
    rows = []
    for i, rate in enumerate(rates):
        answered = np.isfinite(nothing[:, i])
        for j, column in enumerate(read[:2]):
            some = values[:, i, j][answered & (nothing[:, i] == 0) & np.isfinite(values[:, i, j])]
            low, median, high = np.percentile(some, [2.5, 50, 97.5]) if len(some) else [np.nan] * 3
            rows.append(
                {
                    "C-rate": rate,
                    "Quantity": column,
                    "Best": at_best[i, j],
                    "Low": low,
                    "Median": median,
                    "High": high,
                    "No capacity": nothing[answered, i].mean() if answered.any() else np.nan,
                    "Without a value": 1 - answered.mean(),
                }
            )
    return pd.DataFrame(rows)
