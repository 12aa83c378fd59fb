"""A row of the table, its targets, and how both are printed."""

from __future__ import annotations

import datetime
import math
import os
import platform
import textwrap
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from ssnib_model.results import record

HEADER = ("Benchmark", "ours", "next to", "ratio", "must", "goal", "stretch", "error", "verdict")


@dataclass(frozen=True)
class Targets:
    """What a value is judged by; ``more`` if a larger value is better."""

    must: float
    goal: float | None = None
    stretch: float | None = None
    more: bool = False

    def verdict(self, value: float) -> str:
        """The highest level that the value reaches, or "missed"."""
        reached = "missed"
        for level in ("must", "goal", "stretch"):
            target = getattr(self, level)
            if target is not None and (value >= target if self.more else value <= target):
                reached = level
        return reached


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
        What was measured.
    ours, baseline : float
        In ``unit``; NaN for no baseline.
    beside : str
        What the baseline is.
    ratio : float
        As the target defines it: ours over baseline unless the name says otherwise.
    judged : str
        "ratio" or "ours".
    targets : Targets, optional
        None where there is nothing to reach.
    error : str
        Against a fine reference, ours first.
    """

    name: str
    ours: float
    unit: str
    baseline: float = math.nan
    beside: str = ""
    ratio: float = math.nan
    judged: str = "ratio"
    targets: Targets | None = None
    error: str = ""

    @property
    def verdict(self) -> str:
        return self.targets.verdict(getattr(self, self.judged)) if self.targets else ""

    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        unit = f" {self.unit}" if self.judged == "ours" else ""
        sign = "≥" if self.targets and self.targets.more else "≤"
        levels = (getattr(self.targets, n, None) for n in ("must", "goal", "stretch"))
        return (
            self.name,
            f"{self.ours:.3g} {self.unit}",
            f"{self.baseline:.3g} {self.unit}, {self.beside}" if self.beside else "",
            f"{self.ratio:.3g}" if math.isfinite(self.ratio) else "",
            *(f"{sign} {level:g}{unit}" if level is not None else "" for level in levels),
            self.error,
            self.verdict,
        )

    def to_dict(self) -> dict:
        """For JSON, with None for NaN."""
        values = asdict(self) | {"verdict": self.verdict}
        return {
            k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()
        }


def markdown(rows: list[Row], aligned: bool = True) -> str:
    """The table, to be looked at as it is (aligned) or as a part of a page."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in lines) * aligned for k in range(len(HEADER))]
    text = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    return "\n".join([text[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *text[1:]])


#: Between these lines a page has the table and what belongs to it.
BEGIN, END = "<!-- table of python -m benchmarks -->", "<!-- end of the table -->"


def rewritten(page: str, content: str) -> str:
    """The text of a page with other content between `BEGIN` and `END`.

    Raises
    ------
    ValueError
        If it has not each of the two lines once, in this order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"it has not one line {BEGIN} and one line {END} below it")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def in_words(about: dict[str, str], seconds: float, restrictions: list[str]) -> str:
    """What a page says of a run above its table."""
    of_run = [*restrictions, f"{seconds / 60:.0f} minutes on {about['processor']}"]
    others = [f"{key} {value}" for key, value in about.items() if key != "processor"]
    return textwrap.fill(", ".join([*of_run, *others]) + ".", 100, break_on_hyphens=False)


def machine() -> dict[str, str]:
    """Processor, what else it had to do, and versions, without which a time says little."""
    processor, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        names = [s for s in info.read_text().splitlines() if s.startswith("model name")]
        processor = names[0].partition(": ")[2] if names else processor
    about = {"processor": processor, "date": datetime.date.today().isoformat()}
    if hasattr(os, "getloadavg"):
        about["load before"] = f"{os.getloadavg()[0]:.1f} of {os.cpu_count()}"
    about["python"] = platform.python_version()
    return about | record.versions() | {"pybop": version("pybop")}
