"""The numbers that the structured solver needs, from the symbols of the model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import casadi
import numpy as np
import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.models.base import F, R_gas, SolidStateBaseModel
from ssnib_model.models.particles import Particle
from ssnib_model.solvers.numbers import Numbers, input_names

#: Error of an equilibrium potential between the points of its table [V], and most points.
TABLE_ERROR, TABLE_POINTS = 1e-7, 2**18

#: The anode's potential is tabulated to this content [mol Na per mol Sn] and straight beyond,
#: where its sodium is metal.
LARGEST_CONTENT = 128.0


# -------------------------------------------------------------------- coefficients
class Coefficients:
    """The numbers of the model's equations for given inputs, from the model's own symbols."""

    def __init__(self, model: SolidStateBaseModel, values: pybamm.ParameterValues):
        p = model.param
        particle = Particle(model, 0, None)
        surface = p.L * particle.a
        half = pybamm.Scalar(0.5)
        symbols = {
            "current density": p.i,
            "ohmic": sum(loss.overpotential() for loss in model.series_losses()),
            "thickness": p.L,
            "electronic conductivity": p.sigma_s,
            "ionic conductivity": model.composite_conductivity(),
            "surface": surface,
            "film resistance": p.R_film,
            "thermal voltage": 2 * R_gas * p.T / F,
            "exchange-current density": p.j0_p(half),
            "diffusivity over radius squared": particle.diffusion_rate(half),
            "uptake": -p.contacted / (F * p.c_max * particle.R * surface),
            "stoichiometry": p.sto_init,
            "alloy content": p.y_init,
            "alloy rate": -p.I / (F * p.n_Sn),
            "largest alloy content": p.y_made + (1 - p.soc_made) * p.Q_p / (F * p.n_Sn),
        }
        self.numbers = Numbers(symbols, values)
        self._potentials = {"ocp": Potential(p.U_p, values), "alloy": Potential(p.U_n, values)}

    def __call__(
        self, inputs: Mapping[str, float]
    ) -> tuple[dict[str, float], np.ndarray, np.ndarray, float]:
        """Numbers by name, the tables of cathode and anode, and the range of the latter."""
        c = self.numbers(inputs)
        content = min(max(c["largest alloy content"], 1e-3), LARGEST_CONTENT)
        alloy_range = 2.0 ** np.ceil(np.log2(content))
        ocp = self._potentials["ocp"].table(1.0, inputs)
        return c, ocp, self._potentials["alloy"].table(alloy_range, inputs), alloy_range


class Potential:
    """An equilibrium potential as a table, made anew only where its inputs change."""

    def __init__(
        self,
        potential: Callable[[pybamm.Symbol], pybamm.Symbol],
        values: pybamm.ParameterValues,
    ):
        # time stands for its argument
        symbol = values.process_symbol(potential(pybamm.t))
        self._inputs = input_names(symbol)
        x, inputs = casadi.MX.sym("x"), {name: casadi.MX.sym("p") for name in self._inputs}
        value = symbol.to_casadi(t=x, inputs=inputs)
        vector = casadi.vertcat(*inputs.values())
        slope = casadi.jacobian(value, x)
        self._function = casadi.Function("potential", [x, vector], [value, slope])
        self._latest: tuple[tuple[float, list[float]], np.ndarray] | None = None

    def table(self, high: float, inputs: Mapping[str, float]) -> np.ndarray:
        """Its `hermite_table` on [0, high]."""
        vector = [inputs[name] for name in self._inputs]
        if self._latest is None or self._latest[0] != (high, vector):

            def potential(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                value, slope = self._function(x[None, :], vector)
                return value.full().ravel(), slope.full().ravel()

            self._latest = (high, vector), hermite_table(potential, high)
        return self._latest[1]


def hermite_table(
    function: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], high: float
) -> np.ndarray:
    """A function on [0, high] as values and slopes, on as many points as it needs.

    Parameters
    ----------
    function : callable
        Values and derivatives for an array.
    high : float
        End of the range.

    Returns
    -------
    numpy.ndarray
        Value, slope times step, and integral over the range as 1, shape (points, 3).

    Raises
    ------
    OptionError
        If `TABLE_POINTS` are not enough for `TABLE_ERROR`.
    """
    points = 2**10
    while points <= TABLE_POINTS:
        x, step = np.linspace(0, high, points + 1, retstep=True)
        value, slope = function(x)
        guess = (value[1:] + value[:-1]) / 2 - step / 8 * np.diff(slope)
        error = np.abs(function((x[1:] + x[:-1]) / 2)[0] - guess)
        # far outside any cut-off a potential may be as steep as it likes
        if (error <= TABLE_ERROR * np.maximum(1, guess**2)).all():
            areas = (value[1:] + value[:-1]) / 2 - step / 12 * np.diff(slope)
            integral = np.concatenate([[0.0], np.cumsum(areas) / points])
            return np.stack([value, slope * step, integral], axis=1)
        points *= 2
    raise OptionError("an equilibrium potential is too steep for the structured solver")


class Modes(NamedTuple):
    """Diffusion in a unit sphere by finite volumes, by the modes of its matrix."""

    decay: np.ndarray  #: eigenvalues of ``1/r2 d/dr (r2 d/dr)``, shape (shells,)
    uptake: np.ndarray  #: rate of change of the modes per flux into the sphere
    surface: np.ndarray  #: weights of the modes in the value at the surface
    uniform: np.ndarray  #: amplitudes of the modes for the value 1 everywhere

    @classmethod
    @functools.cache
    def of(cls, shells: int) -> Modes:
        """The modes of a mesh of equal shells, with the surface value by a parabola."""
        faces = np.linspace(0, 1, shells + 1)
        volumes = np.diff(faces**3) / 3
        exchange = faces[1:-1] ** 2 * shells
        matrix = np.diag(exchange, 1) + np.diag(exchange, -1)
        matrix -= np.diag(matrix.sum(axis=1))
        # symmetric, and the modes of equal weight, in volume**0.5 times the value
        scale = np.sqrt(volumes)
        decay, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
        decay[-1] = 0  # what is uniform stays, to the last digit, however fast diffusion is
        extrapolation = np.zeros(shells)
        extrapolation[-3:] = np.array([3, -10, 15]) / 8
        return cls(
            decay,
            vectors[-1] / scale[-1],
            (extrapolation / scale) @ vectors,
            vectors.T @ scale,
        )
