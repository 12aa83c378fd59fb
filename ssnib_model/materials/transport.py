"""How much of an electrolyte's conductivity is left inside a composite, by named law.

Every law gives ``f = effective conductivity / conductivity of the dense electrolyte`` for
fractions of the composite's volume, as numbers, arrays or symbols. `LAWS` names the fractions
and the parameters each takes; studies/composite_transport compares them with measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ssnib_model.materials.law import Symbolic


def bruggeman(volume_fraction: Symbolic, exponent: Symbolic) -> Symbolic:
    """``f = phi**b`` (Bruggeman 1935 has b = 1.5; pressed composites with carbon need 2.7-4.5)."""
    return volume_fraction**exponent


def tortuosity(volume_fraction: Symbolic, factor: Symbolic) -> Symbolic:
    """``f = phi / tau2`` with a measured tortuosity factor tau2."""
    return volume_fraction / factor


def percolation(volume_fraction: Symbolic, threshold: Symbolic, exponent: Symbolic) -> Symbolic:
    """``f = ((phi - phi_c) / (1 - phi_c))**t`` above the threshold phi_c (Kirkpatrick 1973,
    doi 10.1103/RevModPhys.45.574)."""
    import pybamm  # reading a set does not need it

    maximum = pybamm.maximum if isinstance(volume_fraction, pybamm.Symbol) else np.maximum
    # a composite at or below its threshold does not conduct: keep a trace instead of 0/0
    return (maximum(volume_fraction - threshold, 1e-6) / (1 - threshold)) ** exponent


#: Width of the transition at the threshold of `carbon_percolation`: an electrode a few tens of
#: particles thick has no sharp one.
ROUNDING = 0.02

#: Largest fraction of carbon of the composites it is fitted to.
MOST_CARBON = 0.12


def carbon_percolation(
    volume_fraction: Symbolic, carbon_fraction: Symbolic, threshold: Symbolic, rise: Symbolic
) -> Symbolic:
    """``f = ((phi - phi_c) / (1 - phi_c))**2`` above ``phi_c = phi_0 + k phi_C``, rounded there.

    The exponent is that of every network in three dimensions (Kirkpatrick 1973,
    doi 10.1103/RevModPhys.45.574); carbon raises the threshold because it comes between particles
    of electrolyte.

    Parameters
    ----------
    volume_fraction, carbon_fraction : number, array or pybamm.Symbol
        Electrolyte and carbon over the whole composite, voids included.
    threshold : number or pybamm.Symbol
        phi_0, the threshold without carbon.
    rise : number or pybamm.Symbol
        k, rise of the threshold over the fraction of carbon.
    """
    import pybamm  # reading a set does not need it

    critical = threshold + rise * carbon_fraction
    above = volume_fraction - critical
    if isinstance(above, pybamm.Symbol):
        above = pybamm.softplus(above, 0, 1 / ROUNDING)
    else:
        above = ROUNDING * np.logaddexp(0, above / ROUNDING)
    # without a place left for electrolyte nothing conducts, whatever the formula says
    maximum = pybamm.maximum if isinstance(critical, pybamm.Symbol) else np.maximum
    return (above / maximum(1 - critical, ROUNDING)) ** 2


@dataclass(frozen=True)
class Transport:
    """A law of transport in composites.

    Attributes
    ----------
    function : callable
        Of the fractions and then of the parameters.
    parameters : tuple of str
        Names of its parameters, in order.
    start, low, high : tuple of float
        Of the parameters, in a fit.
    fractions : tuple of str
        Names of the fractions it takes, in order.
    """

    function: Callable[..., Symbolic]
    parameters: tuple[str, ...]
    start: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    fractions: tuple[str, ...] = ("Positive electrode electrolyte volume fraction",)


_THRESHOLD = "Positive electrode percolation threshold"

#: Laws by name.
LAWS = {
    "bruggeman": Transport(
        bruggeman, ("Positive electrode Bruggeman exponent",), (3.0,), (0.5,), (10.0,)
    ),
    "tortuosity": Transport(
        tortuosity, ("Positive electrode tortuosity factor",), (5.0,), (1.0,), (1e4,)
    ),
    "percolation": Transport(
        percolation,
        (_THRESHOLD, "Positive electrode percolation exponent"),
        (0.2, 2.0),
        (0.0, 0.5),
        (0.29, 10.0),
    ),
    "carbon percolation": Transport(
        carbon_percolation,
        (f"{_THRESHOLD} without carbon", f"{_THRESHOLD} per carbon fraction"),
        (0.1, 0.5),
        (0.0, 0.0),
        (0.25, 3.0),
        (
            "Positive electrode electrolyte volume fraction",
            "Positive electrode carbon volume fraction",
        ),
    ),
}


def effective_ratio(law: str) -> Symbolic:
    """``f`` of the law with this name, of the parameters of the cell."""
    import pybamm

    found = LAWS[law]
    return found.function(*(pybamm.Parameter(n) for n in found.fractions + found.parameters))


def fit_law(law: str, fractions: npt.ArrayLike, ratios: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Parameters of a law by least squares of the logarithm of measured ratios.

    Parameters
    ----------
    law : str
        A key of `LAWS`.
    fractions : array_like
        Fractions that the law takes, shape (n,), or (k, n) if it takes k.
    ratios : array_like
        Measured values, shape (n,).

    Returns
    -------
    numpy.ndarray
        The parameters in the order of the law.
    """
    from scipy.optimize import least_squares

    found = LAWS[law]
    phi, f = np.atleast_2d(np.asarray(fractions, float)), np.asarray(ratios, float)

    def residuals(parameters: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.log(found.function(*phi, *parameters) / f))

    return np.asarray(least_squares(residuals, found.start, bounds=(found.low, found.high)).x)
