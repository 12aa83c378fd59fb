"""A measured curve as a smooth function."""

from __future__ import annotations

import numpy as np
import pybamm
from scipy.interpolate import PchipInterpolator

from ssnib_model.materials.nvp import plateau_ocp

#: Points of the resampled curve: every kink of a coarse table restarts the integrator.
RESAMPLED_POINTS = 400

#: Rise [V] and width of the steep ends that close an equilibrium potential given as a table,
#: so that a half-cycle ends at its cut-off and not at the end of the table.
END_AMPLITUDE, END_WIDTH = 5.0, 0.005


class Table:
    """Monotone (PCHIP) interpolation of a table of two columns, called with a symbol.

    Parameters
    ----------
    x, y : array_like
        The points; ``x`` must increase.
    steep_ends : bool
        Whether to add the ends of `plateau_ocp`, for an equilibrium potential against
        stoichiometry. Otherwise the end values are held outside the table.
    """

    def __init__(self, x, y, steep_ends: bool):
        self.x, self.y, self.steep_ends = np.asarray(x, float), np.asarray(y, float), steep_ends

    def __call__(self, variable):
        x = np.linspace(self.x[0], self.x[-1], RESAMPLED_POINTS)
        y = PchipInterpolator(self.x, self.y)(x)
        inside = pybamm.minimum(pybamm.maximum(variable, x[0]), x[-1])
        curve = pybamm.Interpolant(x, y, inside, interpolator="pchip")
        if self.steep_ends:
            curve += plateau_ocp(variable, 0.0, END_AMPLITUDE, END_WIDTH, END_WIDTH)
        return curve
