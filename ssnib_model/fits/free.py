"""What a fit may change: a parameter, its bounds, its scale and its prior."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError

#: The prior of a value as its set has it.
SET = "set"

#: Inverse variance of a value that is anywhere between its bounds, on the scale from 0 to 1.
UNIFORM = 12.0


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
    data : str or tuple of str, optional
        Name of the only data set, or data sets, that it applies to: a test its own value.
    each : bool, optional
        Whether each cell has its own value, around a common mean and with a common spread, which
        are found with it: see `ssnib_model.fits.population`. A cell is a data set, or what
        ``fit`` was told of.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool | None = None
    prior: tuple[float, float] | str | None = None
    data: str | tuple[str, ...] | None = None
    each: bool = False

    @property
    def label(self) -> str:
        """The name, and the data sets if it is not for all."""
        return f"{self.name} ({', '.join(self.names)})" if self.names else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Of the data sets that it applies to, if not to all."""
        return (self.data,) if isinstance(self.data, str) else tuple(self.data or ())

    def applies_to(self, data_name: str | None) -> bool:
        """Whether the value holds for a data set (or, by None, for none by name)."""
        return self.data is None or data_name in self.names

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
        if self.each and (self.data is not None or prior is not None):
            raise OptionError(
                f'"{self.name}" has a value for each cell, and a prior or data: the cells are '
                "those of the fit, and their mean and spread are the prior"
            )
        return Bounded(self.name, float(low), float(high), log, prior, self.data, self.each)


@dataclass(frozen=True)
class Bounded(Free):
    """A free parameter whose bounds and scale are known."""

    low: float
    high: float
    log: bool
    prior: tuple[float, float] | None = None
    cell: str = ""  #: whose value it is, where each cell has its own

    @property
    def label(self) -> str:
        """See `Free.label`; a cell stands for all of its data."""
        return f"{self.name} ({self.cell})" if self.cell else super().label

    def completed(self, parameters: ParameterSet) -> Bounded:
        """Itself: bounds and scale are known."""
        return self

    def for_each(self, cells: Mapping[str, Sequence[str]]) -> list[Bounded]:
        """One for each cell, by the names of its data; itself if there is one for all."""
        if not self.each or self.cell:
            return [self]
        if len(cells) < 2:
            raise OptionError(
                f'"{self.name}" has a value for each cell, of which there is only '
                f"{list(cells)}: a spread needs at least two"
            )
        return [replace(self, data=tuple(names), cell=cell) for cell, names in cells.items()]

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

    @property
    def unit_prior(self) -> tuple[float, float]:
        """Mean and standard deviation before any data, on the scale of the fit; without a prior
        those of a value that is anywhere between its bounds."""
        if self.prior is None:
            return 0.5, UNIFORM**-0.5
        return self.to_unit(self.prior[0]), self.prior[1] / self.span

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
