"""A diagnosis as one page that needs nothing else: no network, no scripts."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any

import jinja2

import ssnib_model
from ssnib_model.diagnosis import figures, words
from ssnib_model.diagnosis.limits import HALF_WAY

if TYPE_CHECKING:
    from ssnib_model.diagnosis.diagnosis import Diagnosis


def page(d: Diagnosis) -> str:
    """The page, as text; whatever comes from files and sets is escaped."""
    # what is missing in the template is an error, not an empty place
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ssnib_model.diagnosis", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = percent
    environment.filters["sentence"] = sentence
    environment.globals["interval"] = words.interval
    groups = ["Data", "Direction", "C-rate"]
    limits: Any = d.limits.groupby(groups, sort=False) if len(d.limits) else []
    return environment.get_template("report.html").render(
        d=d,
        version=ssnib_model.__version__,
        date=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        celsius=d.parameters["Ambient temperature [K]"] - 273.15,
        conditions=words.conditions(d),
        told=words.told,
        files=[(one, figures.of_file(one)) for one in d.files],
        fits=list(figures.of_data(d)),
        singles=_singles(d),
        parameters=[(label, row) for label, row in d.table.iterrows()],
        of_parameters=figures.of_parameters(d),
        of_limits=figures.of_limits(d),
        limits=[
            (f"{str(direction).capitalize()} at {rate:.3g} C, {data}", rows.to_dict("records"))
            for (data, direction, rate), rows in limits
        ],
        half_way=HALF_WAY,
        of_next=figures.of_next(d),
        nexts=[] if d.next is None else d.next.table.to_dict("records"),
    )


def _singles(d: Diagnosis) -> list[dict[str, Any]]:
    """Values that are no part of a curve: capacities and gaps."""
    table = d.comparison
    curve = table["Quantity"].str.match(r"(Voltage \[V\] at |(Re|Im)\(Z\))")
    return [{str(k): v for k, v in row.items()} for row in table[~curve].to_dict("records")]


def number(value: Any, digits: int = 3) -> str:
    """As `ssnib_model.diagnosis.words.number`; what is no number as it is."""
    return words.number(value, digits) if isinstance(value, int | float) else str(value)


def percent(value: float) -> str:
    """A part as percentage; a dash where there is none."""
    return "-" if not math.isfinite(value) else f"{value:.0%}"


def sentence(text: str) -> str:
    """With a capital and a full stop, but a name in front stays as it is."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
