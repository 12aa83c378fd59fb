"""A measured curve as a smooth function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ssnib_model.materials.nvp import plateau_ocp

if TYPE_CHECKING:
    import pybamm

#: Points of the resampled curve: every kink of a coarse table restarts the integrator.
RESAMPLED_POINTS = 400

#: Rise [V] and width of the steep ends that close a cathode's equilibrium potential given as a
#: table, where the set asks for them (``steep_ends = true``): a half-cycle then ends at its
#: cut-off and not at the end of the table. They add 5 V exp(-x / 0.005), 12 mV at x = 0.03 and
#: 92 mV at 0.02, and take the same off at 1 - x.
END_AMPLITUDE, END_WIDTH = 5.0, 0.005


class Table:
    """Monotone (PCHIP) interpolation of a table of two columns, called with a symbol.

    Parameters
    ----------
    x, y : array_like
        The points; ``x`` must increase.
    steep_ends : bool
        Whether to add the ends of `plateau_ocp`, for the equilibrium potential of a cathode
        against stoichiometry. Outside the table its end values are held.
    """

    def __init__(self, x: npt.ArrayLike, y: npt.ArrayLike, steep_ends: bool):
        self.x, self.y, self.steep_ends = np.asarray(x, float), np.asarray(y, float), steep_ends

    def __call__(self, variable: pybamm.Symbol) -> pybamm.Symbol:
        # reading a set needs neither
        import pybamm
        from scipy.interpolate import PchipInterpolator

        x = np.linspace(self.x[0], self.x[-1], RESAMPLED_POINTS)
        y = PchipInterpolator(self.x, self.y)(x)
        inside = pybamm.minimum(pybamm.maximum(variable, x[0]), x[-1])
        curve = pybamm.Interpolant(x, y, inside, interpolator="pchip")
        if self.steep_ends:
            curve += plateau_ocp(variable, 0.0, END_AMPLITUDE, END_WIDTH, END_WIDTH)
        return curve


class ActivatedTable:
    """A quantity against temperature: between two points the Arrhenius law through both.

    Beyond the ends the law of the last two points goes on.

    Parameters
    ----------
    temperature, y : array_like
        The points, temperature [K] increasing, y positive.
    """

    def __init__(self, temperature: npt.ArrayLike, y: npt.ArrayLike):
        self.inverse = -1 / np.asarray(temperature, float)  # increasing
        self.logarithm = np.log(np.asarray(y, float))

    def __call__(self, temperature: pybamm.Symbol) -> pybamm.Symbol:
        import pybamm

        return pybamm.exp(
            pybamm.Interpolant(
                self.inverse, self.logarithm, -1 / temperature, interpolator="linear"
            )
        )
