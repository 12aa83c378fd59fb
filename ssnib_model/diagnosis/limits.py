"""What limits the cell in each half-cycle: its losses, with what is not known of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.fits.data import CurveData, Data, RateTestData
from ssnib_model.fits.problem import FitProblem
from ssnib_model.fits.protocol_data import ProtocolData
from ssnib_model.protocol.resolve import MASS
from ssnib_model.results.breakdown import overpotentials

#: Where in a half-cycle the losses are, as a part of its time.
HALF_WAY = 0.5

#: Half-cycles that are looked at, at most.
MOST = 12

#: Two rates of one direction that differ by less than this part are the same.
SAME_RATE = 0.03

PER_GRAM = "Specific current at 1 C [A.kg-1]"
TEMPERATURE = "Ambient temperature [K]"

#: Percentiles of a band.
BAND = (5, 50, 95)


@dataclass(frozen=True)
class HalfCycleOf:
    """A charge or discharge of the data whose losses are looked at.

    Attributes
    ----------
    data : str
        Name of the data set.
    place : int
        Of its result among those of the experiment.
    direction : str
        "charge" or "discharge".
    rate : float
        C-rate, by its own current.
    """

    data: str
    place: int
    direction: str
    rate: float

    @property
    def label(self) -> str:
        """In words."""
        return f"{self.direction} at {self.rate:.3g} C"


def half_cycles_of(data: Sequence[Data], parameters: ParameterSet) -> list[HalfCycleOf]:
    """The first charge and discharge at each rate, of all data sets, up to `MOST`."""
    found: list[HalfCycleOf] = []
    done = set()
    for d in data:
        if (d.experiment, d.temperature) in done:  # several curves of one test
            continue
        done.add((d.experiment, d.temperature))
        for one in _all_of(d, parameters):
            known = (
                f
                for f in found
                if (f.data, f.direction) == (d.name, one.direction)
                and abs(f.rate - one.rate) < SAME_RATE * one.rate
            )
            if next(known, None) is None:
                found.append(one)
    return sorted(found[:MOST], key=lambda f: (f.direction, f.rate))


def _all_of(d: Data, parameters: ParameterSet) -> Iterator[HalfCycleOf]:
    if isinstance(d, ProtocolData):
        one_c = parameters[PER_GRAM] * parameters[MASS]
        for done in d.measured_protocol.done:
            if done.is_compared and done.step.kind in ("charge", "discharge"):
                current = d.measured_protocol.scale * abs(done.step.current)
                yield HalfCycleOf(d.name, done.number - 1, done.step.kind, current / one_c)
    elif isinstance(d, RateTestData | CurveData):
        for place, (_, rate, direction, _) in enumerate(d.test.half_cycles()):
            yield HalfCycleOf(d.name, place, direction, rate)


def losses(problem: FitProblem, unit: np.ndarray) -> list[pd.Series]:
    """Overpotentials [V] half-way through each half-cycle, in the order of `half_cycles_of`.

    One that the model does not have at this point is empty.
    """
    outcomes = {}
    found = []
    for one in half_cycles_of(problem.data, problem.parameters):
        d = next(d for d in problem.data if d.name == one.data)
        if one.data not in outcomes:
            outcomes[one.data] = problem.outcome(d, unit)
        results, _, why = outcomes[one.data]
        segment = None if why else results[one.place].segment
        if segment is None or not segment.duration > 0:
            found.append(pd.Series(dtype=float, name=one.label))
            continue
        try:
            found.append(overpotentials(segment, HALF_WAY, one.label, "time of the step"))
        except OptionError:  # a segment without a solution
            found.append(pd.Series(dtype=float, name=one.label))
    return found


def band(values: ArrayLike) -> np.ndarray:
    """Percentiles `BAND` of draws along the first axis; NaN without any.

    As far out as another draw is outside with the stated probability: those of few draws are
    wider than the draws' own.
    """
    draws = np.asarray(values, dtype=float)
    if not len(draws):
        return np.full((len(BAND), *draws.shape[1:]), np.nan)
    return np.nanpercentile(draws, BAND, axis=0, method="weibull")


def limits(
    half_cycles: Sequence[HalfCycleOf], draws: Sequence[Sequence[pd.Series]]
) -> pd.DataFrame:
    """Losses of each half-cycle with their bands.

    Parameters
    ----------
    half_cycles : sequence of HalfCycleOf
        Which ones.
    draws : sequence of sequence of pandas.Series
        Of each draw, `losses`.

    Returns
    -------
    pandas.DataFrame
        One row a half-cycle and loss: "Data", "Direction", "C-rate", "Loss", its size [V] as
        "5 % [V]", "Median [V]" and "95 % [V]", "Share" of the sum (median), and "Largest", the
        part of the draws in which it is the largest; "all together" is the sum. Sorted by size in
        each half-cycle.
    """
    rows = []
    for place, one in enumerate(half_cycles):
        known = [draw[place] for draw in draws if len(draw[place])]
        if not known:
            continue
        sign = 1.0 if one.direction == "charge" else -1.0
        table = sign * pd.DataFrame(known)
        whole, largest = table.sum(axis=1), table.idxmax(axis=1)
        columns = [(str(name), table[name]) for name in table.median().sort_values().index[::-1]]
        for name, values in [("all together", whole), *columns]:
            low, middle, high = band(values)
            rows.append(
                {
                    "Data": one.data,
                    "Direction": one.direction,
                    "C-rate": one.rate,
                    "Loss": name,
                    "5 % [V]": low,
                    "Median [V]": middle,
                    "95 % [V]": high,
                    "Share": float((values / whole).median()),
                    "Largest": float((largest == name).mean()) if name in table else np.nan,
                    "Draws": len(known),
                }
            )
    return pd.DataFrame(rows)
