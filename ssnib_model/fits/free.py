"""What a fit may change: a parameter, its bounds, its scale and its prior."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssnib_model.errors import OptionError
from ssnib_model.parameters import ParameterSet


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
    prior : tuple of float, optional
        Mean, and standard deviation (of the natural logarithm if ``log``).
    data : str, optional
        Name of the only data set it applies to: each test its own value.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool | None = None
    prior: tuple[float, float] | None = None
    data: str | None = None

    @property
    def label(self) -> str:
        """The name, and the data set if it is not for all."""
        return f"{self.name} ({self.data})" if self.data else self.name

    def completed(self, parameters: ParameterSet) -> Free:
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
        return Free(self.name, float(low), float(high), log, self.prior, self.data)

    def _t(self, value):
        return math.log(value) if self.log else value

    def to_unit(self, value: float) -> float:
        """The value on the scale of the fit, 0 at the lower and 1 at the upper bound."""
        return (self._t(value) - self._t(self.low)) / self.span

    def from_unit(self, unit: float) -> float:
        """The value at a place between the bounds."""
        t = self._t(self.low) + unit * self.span
        # the bounds themselves must not be missed by round-off
        return min(max(math.exp(t) if self.log else t, self.low), self.high)

    @property
    def span(self) -> float:
        """Distance of the bounds on the scale of the fit."""
        return self._t(self.high) - self._t(self.low)
