"""What a diagnosis says, in sentences."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ssnib_model.diagnosis.choice import TOLD
from ssnib_model.diagnosis.limits import MOST

if TYPE_CHECKING:
    from ssnib_model.diagnosis.diagnosis import Diagnosis

#: Part of what the prior leaves open above which the data say next to nothing.
NOT_TOLD = 0.85

#: A correlation of which it is said that two parameters trade places.
TRADES = 0.4

#: A loss of at least this share of the sum is named.
NAMED = 0.1

#: Part of the draws that may get lost.
FEW_LOST = 0.1

#: Names that are written out in one sentence.
SHOWN = 3

ALL = "all together"

escaped = html.escape


def interval(low: float, high: float) -> str:
    """Both ends with as many digits as tell them apart, three at least."""
    largest = max(abs(low), abs(high))
    if not (math.isfinite(low) and math.isfinite(high)):
        return "-"
    apart = high - low
    digits = 2 + math.ceil(math.log10(largest / apart)) if apart > 1e-9 * largest else 6
    digits = max(3, digits)
    return f"{number(low, digits)} to {number(high, digits)}"


def number(value: float, digits: int = 3) -> str:
    """A number to some digits, without a power of ten where it needs none; "-" if it is none."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e7 else text


def told(left: float) -> str:
    """How well the data tell a parameter, by the part that they leave open."""
    if not math.isfinite(left):
        return "no draws"
    return "told" if left < TOLD else "partly told" if left < NOT_TOLD else "not told"


def conditions(d: Diagnosis) -> str:
    """What all intervals suppose."""
    given = [d.parameters.info(name) for name in d.held]
    assumed = sum(info.kind == "assumed" for info in given)
    varied = len(d.fit.problem.free)
    return (
        f"Intervals hold 90 % of the draws, in which all {varied} parameters of the table vary "
        f"together. They suppose that the {len(given)} others have exactly their values in "
        f"{d.parameters.name} ({assumed} of them are assumed; those that are held are listed with "
        "the reason), that the equations of the model are right, and that the errors of the data "
        "are as stated"
    )


def notes(d: Diagnosis) -> Iterator[str]:
    """How all this was found, and what is doubtful about it."""
    n = len(d.draws)
    if d.interrupted:
        yield f"NOT COMPLETE: interrupted after {n} draws"
    if d.lost > FEW_LOST * (n + d.lost):
        yield (
            f"{d.lost} of {n + d.lost} draws did not find their way to what data and priors allow "
            "and are left out: INTERVALS MAY BE TOO NARROW; fit fewer parameters or give bounds"
        )
    elif d.lost:
        yield (
            f"{d.lost} of {n + d.lost} draws did not find their way to what data and priors allow "
            "and are left out"
        )
    if d.fit.misfit:
        yield d.fit.misfit
    for kind, amplitude in d.misfit.items():
        yield (
            f"the model may be wrong by {amplitude:.2g} standard deviations in {kind}, alike "
            "along a curve: intervals are wider for it (a wrong model can be wrong in other ways)"
        )
    for text in d.fit.not_simulated[:SHOWN]:
        yield f"not simulated, and not counted: {text}"
    if len(d.fit.not_simulated) > SHOWN:
        yield f"{len(d.fit.not_simulated) - SHOWN} more values could not be simulated"
    for label in d.fit.at_bound:
        if d.table.loc[label, "Part"] == "fitted":
            yield f"the best value of {label} is at a bound of its range"
    if len(d._half_cycles) == MOST:
        yield f"losses are those of the first {MOST} charges and discharges of different rates"
    yield (
        f"draws by randomised maximum likelihood, {n} of them from {d.fit.solves} evaluations for "
        "the best point on: exact where the data depend on the parameters linearly, an "
        "approximation elsewhere; a percentile of so few draws is itself uncertain"
    )


def undetermined(d: Diagnosis) -> Iterator[str]:
    """What the data leave open and why."""
    table, correlation = d.table, d.correlation
    alone = pd.Series(d._conditional / d._joint.widths, index=table.index)
    for label, row in zip(list(table.index), table.to_dict("records"), strict=True):
        left = float(row["Left open"])
        if not left >= TOLD:
            continue
        within = interval(row["5 %"], row["95 %"])
        start = f"{label}: {within}, {left:.0%} of its prior's interval"
        others = correlation.loc[label].drop(label)
        others = others[others.abs() >= TRADES]
        strong = others.reindex(others.abs().sort_values(ascending=False).index)[:SHOWN]
        if alone[label] >= TOLD:
            yield f"{start}; the data depend on it too little"
        elif len(strong):
            names = ", ".join(f"{name} ({value:+.2f})" for name, value in strong.items())
            yield f"{start}; the data tell it no more than together with {names}"
        else:
            yield f"{start}; the data tell only what it makes together with several others"


def limiting(limits: pd.DataFrame) -> Iterator[str]:
    """What limits in each half-cycle."""
    if limits.empty:
        return
    for (data, direction, rate), rows in limits.groupby(
        ["Data", "Direction", "C-rate"], sort=False
    ):
        whole = rows[rows["Loss"] == ALL].iloc[0]
        parts = rows[(rows["Loss"] != ALL) & (rows["Share"] >= NAMED)]
        named = ", ".join(
            f"{part['Loss']} {_band(part)} ({part['Share']:.0%}; the largest in "
            f"{part['Largest']:.0%} of the draws)"
            for _, part in parts.iterrows()
        )
        yield (
            f"{str(direction).capitalize()} at {rate:.3g} C ({data}): {_band(whole)} are lost "
            f"half-way, of which {named}"
        )


def summary(d: Diagnosis) -> Iterator[str]:
    """The whole in a few sentences."""
    used = sum(one.is_used for one in d.files)
    doubts = sum(len(one.findings) for one in d.files if one.is_used)
    if d.interrupted:
        yield f"NOT COMPLETE: interrupted after {len(d.draws)} draws."
    yield (
        f"{used} of {len(d.files)} files are used, with {sum(one.values for one in d.files)} "
        f"values; what there is to say about them ({doubts} findings) is below."
    )
    yield _fits(d)
    known = d.table[d.table["Left open"] < TOLD].sort_values("Left open")
    for label, row in known.iterrows():
        yield f"{label} is {interval(row['5 %'], row['95 %'])} in 90 % of the draws."
    if len(open_ := d.table.index[d.table["Left open"] >= NOT_TOLD]):
        names = ", ".join(open_[:SHOWN])
        more = f" and {len(open_) - SHOWN} more" if len(open_) > SHOWN else ""
        yield f"The data do not tell {names}{more}."
    if not d.limits.empty:
        yield _fastest(d)
    if d.next is not None:
        yield f"Next: {d.next.sentence}."


def _fastest(d: Diagnosis) -> str:
    discharges = d.limits[d.limits["Direction"] == "discharge"]
    table = discharges if len(discharges) else d.limits
    fastest = table[table["C-rate"] == table["C-rate"].max()]
    first = fastest[fastest["Data"] == fastest["Data"].iloc[0]]
    whole, largest = first.iloc[0], first.iloc[1]
    return (
        f"At {whole['C-rate']:.3g} C ({whole['Direction']}) {_band(whole)} are lost half-way; the "
        f"largest loss is {largest['Loss']} with {_band(largest)}, in {largest['Largest']:.0%} of "
        "the draws."
    )


def _fits(d: Diagnosis) -> str:
    residuals = d.comparison
    kinds = residuals["Quantity"].str.partition(" at ")[0].str.partition(" of ")[0]
    parts = []
    for kind, rows in residuals.groupby(kinds, sort=False):
        off = (rows["Model"] - rows["Measured"]).to_numpy(float)
        rms = float(np.sqrt(np.nanmean(off**2))) if np.isfinite(off).any() else math.nan
        parts.append(f"{kind} {rms:.3g}")
    verdict = "does not describe" if d.fit.does_not_fit else "describes"
    n = d.fit.dof + len(d.fit.values)
    wrong = " What follows rests on a model that is wrong for them." if d.fit.does_not_fit else ""
    return (
        f"The model {verdict} the data within their errors (chi2 {d.fit.chi2:.4g} of {n} values); "
        f"root mean square difference: {'; '.join(parts)}.{wrong}"
    )


def _band(row: pd.Series) -> str:
    low, middle, high = (1e3 * row[name] for name in ("5 % [V]", "Median [V]", "95 % [V]"))
    return f"{number(middle)} mV [{interval(low, high)}]"
