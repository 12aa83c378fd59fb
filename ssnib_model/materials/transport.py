"""How much of an electrolyte's conductivity is left inside a composite, by named law.

Every law gives ``f = effective conductivity / conductivity of the dense electrolyte`` for a
volume fraction, as a number, an array or a symbol. `LAWS` names the parameters each takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ssnib_model.materials.law import Symbolic

if TYPE_CHECKING:
    import pybamm


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


#: Laws by name: the function and the names of its parameters after the volume fraction.
LAWS: dict[str, tuple[Callable[..., Symbolic], tuple[str, ...]]] = {
    "bruggeman": (bruggeman, ("Positive electrode Bruggeman exponent",)),
    "tortuosity": (tortuosity, ("Positive electrode tortuosity factor",)),
    "percolation": (
        percolation,
        ("Positive electrode percolation threshold", "Positive electrode percolation exponent"),
    ),
}

#: Start and bounds of the laws' parameters in a fit.
_RANGES = {
    "bruggeman": ([3.0], [0.5], [10.0]),
    "tortuosity": ([5.0], [1.0], [1e4]),
    "percolation": ([0.2, 2.0], [0.0, 0.5], [0.29, 10.0]),
}


def effective_ratio(law: str, volume_fraction: pybamm.Symbol) -> Symbolic:
    """``f`` of the law with this name, of the parameters of the cell."""
    import pybamm

    function, names = LAWS[law]
    return function(volume_fraction, *(pybamm.Parameter(name) for name in names))


def fit_law(
    law: str, volume_fractions: npt.ArrayLike, ratios: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Parameters of a law by least squares of the logarithm of measured ratios.

    Parameters
    ----------
    law : str
        A key of `LAWS`.
    volume_fractions, ratios : array_like
        Measured values, shape (n,).

    Returns
    -------
    numpy.ndarray
        The parameters in the order of the law.
    """
    from scipy.optimize import least_squares

    function, _ = LAWS[law]
    start, low, high = _RANGES[law]
    phi, f = np.asarray(volume_fractions, float), np.asarray(ratios, float)

    def residuals(parameters: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.log(function(phi, *parameters) / f))

    return np.asarray(least_squares(residuals, start, bounds=(low, high)).x)
