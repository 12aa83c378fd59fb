"""Results of a rate test that can be asked for by name."""

from __future__ import annotations

from ssnib_model.errors import OptionError
from ssnib_model.rate_test import RateTest

#: Results of a rate test that a sensitivity can be asked of.
METRICS = (
    "Discharge capacity [mA.h.g-1]",
    "Charge capacity [mA.h.g-1]",
    "Polarization [V]",
    "Mean discharge voltage [V]",
    "Energy efficiency",
)


def check_metric(metric: str, rate: float, run: RateTest) -> None:
    """`OptionError` if the metric is none of `METRICS`, or the test has not this rate."""
    if metric not in METRICS or rate not in run.rates:
        raise OptionError(
            f"metric is {metric!r} at {rate!r} C: the metric must be one of {METRICS} and the "
            f"rate one of {run.rates}"
        )
