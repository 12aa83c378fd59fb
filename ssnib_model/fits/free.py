"""What a fit may change: a parameter, its bounds, its scale and its prior."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError

#: The prior of a value as its set has it.
SET = "set"


@dataclass(frozen=True)
class Free:
    """A parameter to be fitted.

    Parameters
    ----------
    name : str
        Name in the parameter set.
    low, high : float, optional
        Bounds; default: the range of uncertainty in the set.
    log : bool, optional
        Whether its logarithm is fitted; default: if the bounds span a factor of 10.
    prior : tuple of float or "set", optional
        Mean, and standard deviation (of the natural logarithm if ``log``); "set": the value and
        standard deviation that the set has of it, unless they are those of a fit.
    data : str, optional
        Name of the only data set it applies to: each test its own value.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool | None = None
    prior: tuple[float, float] | str | None = None
    data: str | None = None

    @property
    def label(self) -> str:
        """The name, and the data set if it is not for all."""
        return f"{self.name} ({self.data})" if self.data else self.name

    def applies_to(self, data_name: str | None) -> bool:
        """Whether the value holds for a data set (or, by None, for none by name)."""
        return self.data is None or self.data == data_name

    def completed(self, parameters: ParameterSet) -> Bounded:
        """With bounds and scale filled in; `OptionError` if they cannot be."""
        info = parameters.info(self.name)
        if not isinstance(info.value, float):
            raise OptionError(f'"{self.name}" is {info.value}: only a number can be fitted')
        range_ = (info.uncertainty or {}).get("range", (None, None))
        low = range_[0] if self.low is None else self.low
        high = range_[1] if self.high is None else self.high
        if low is None or high is None or not (math.isfinite(low) and low < high < math.inf):
            raise OptionError(
                f'"{self.name}" has bounds {low} and {high}: two finite numbers, the lower one '
                "first, are needed (the set gives no range to take them from)"
            )
        log = (low > 0 and high > 9.99 * low) if self.log is None else self.log
        if log and low <= 0:
            raise OptionError(f'"{self.name}" is fitted as a logarithm: its bounds must be > 0')
        prior = _of_set(info, log) if self.prior == SET else _checked(self, log)
        return Bounded(self.name, float(low), float(high), log, prior, self.data)


@dataclass(frozen=True)
class Bounded(Free):
    """A free parameter whose bounds and scale are known."""

    low: float
    high: float
    log: bool
    prior: tuple[float, float] | None = None

    def scaled(self, value: float) -> float:
        """The value, or its logarithm if that is fitted."""
        return math.log(value) if self.log else value

    def to_unit(self, value: float) -> float:
        """The value on the scale of the fit, 0 at the lower and 1 at the upper bound."""
        return (self.scaled(value) - self.scaled(self.low)) / self.span

    def from_unit(self, unit: float) -> float:
        """The value at a place between the bounds."""
        t = self.scaled(self.low) + unit * self.span
        # the bounds themselves must not be missed by round-off
        return min(max(math.exp(t) if self.log else t, self.low), self.high)

    @property
    def span(self) -> float:
        """Distance of the bounds on the scale of the fit."""
        return self.scaled(self.high) - self.scaled(self.low)

    def prior_residual(self, unit: float) -> float:
        """Distance from the mean of the prior in its standard deviations; 0 without a prior."""
        if self.prior is None:
            return 0.0
        mean, deviation = self.prior
        return (self.scaled(self.from_unit(unit)) - self.scaled(mean)) / deviation

    def moved(self, step: float) -> str:
        """A move by a part of the range, in words."""
        if self.log:
            return f'"{self.label}" times {math.exp(step * self.span):.3g}'
        return f'"{self.label}" plus {step * self.span:.3g}'


def is_number(value: Any) -> bool:
    """Whether it is a finite real number."""
    if isinstance(value, bool):
        return False
    return isinstance(value, numbers.Real) and math.isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _of_set(info: ParameterInfo, log: bool) -> tuple[float, float]:
    """The prior that a set has of one of its values; `OptionError` if it has none."""
    deviation: Any = (info.uncertainty or {}).get("sd")
    if info.kind == "fitted" or not is_number(deviation) or deviation <= 0:
        why = "is of a fit" if info.kind == "fitted" else "has no standard deviation"
        raise OptionError(
            f'"{info.name}" has the prior "set", but its value in the set {why}: give a mean and '
            "a standard deviation"
        )
    value: Any = info.value
    return float(value), float(deviation / value if log else deviation)


def _checked(free: Free, log: bool) -> tuple[float, float] | None:
    """The prior; `OptionError` if it is none."""
    if free.prior is None:
        return None
    prior: Any = free.prior
    good = isinstance(prior, tuple | list) and len(prior) == 2 and all(map(is_number, prior))
    if not good or prior[1] <= 0 or (log and prior[0] <= 0):
        raise OptionError(
            f'"{free.label}" has the prior {free.prior!r}: a mean{" > 0" if log else ""} and a '
            "standard deviation > 0 are needed"
        )
    return float(prior[0]), float(prior[1])
