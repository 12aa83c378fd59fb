"""A row of the table, its targets, and how both are printed."""

from __future__ import annotations

import math
import platform
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


def markdown(rows: list[Row]) -> str:
    """The table, aligned, and ready to be pasted into a page."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(HEADER))]
    text = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    return "\n".join([text[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *text[1:]])


def machine() -> dict[str, str]:
    """Processor and versions, without which a time says little."""
    processor, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        names = [s for s in info.read_text().splitlines() if s.startswith("model name")]
        processor = names[0].partition(": ")[2] if names else processor
    about = {"processor": processor, "python": platform.python_version()}
    return about | record.versions() | {"pybop": version("pybop")}
