"""The numbers that the structured solver needs, from the symbols of the model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import casadi
import numpy as np
import pybamm

from ssnib_model.models.base import F, R_gas, SolidStateBaseModel
from ssnib_model.models.particles import Particle
from ssnib_model.solvers.numbers import Numbers, input_names
from ssnib_model.solvers.tables import Table, build

#: Values of an equilibrium potential that casadi works out by one pass through its expression.
AT_ONCE = 256

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
        words = "equilibrium potential of the {} electrode"
        self._potentials = {
            "ocp": Potential(p.U_p, values, words.format("positive"), "stoichiometry"),
            "alloy": Potential(p.U_n, values, words.format("negative"), "sodium content"),
        }

    def __call__(
        self, inputs: Mapping[str, float]
    ) -> tuple[dict[str, float], Table, Table, float]:
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
        name: str,
        argument: str,
    ):
        # time stands for its argument
        symbol = values.process_symbol(potential(pybamm.t))
        self._inputs, self._words = input_names(symbol), (name, argument)
        x, inputs = casadi.MX.sym("x", AT_ONCE), {n: casadi.MX.sym("p") for n in self._inputs}
        value = symbol.to_casadi(t=x, inputs=inputs)
        if value.is_scalar():  # it does not depend on its argument
            value = casadi.repmat(value, AT_ONCE, 1)
        slope = casadi.jtimes(value, x, casadi.DM.ones(AT_ONCE))
        self._function = casadi.Function(
            "potential", [x, casadi.vertcat(*inputs.values())], [value, slope]
        )
        self._latest: tuple[tuple[float, list[float]], Table] | None = None

    def table(self, high: float, inputs: Mapping[str, float]) -> Table:
        """The potential on [0, high] by `build`."""
        given = [inputs[name] for name in self._inputs]
        if self._latest is None or self._latest[0] != (high, given):
            table = build(lambda x: self._values_and_slopes(x, given), high, *self._words)
            self._latest = (high, given), table
        return self._latest[1]

    def _values_and_slopes(self, x: np.ndarray, given: list[float]) -> np.ndarray:
        """Both for an array of arguments, shape (2, ...)."""
        padded = np.full(-(-x.size // AT_ONCE) * AT_ONCE, x[-1])
        padded[: x.size] = x
        results = np.empty((2, padded.size))
        # arrays of our own: converting arguments and results takes longer than the numbers
        buffer, evaluate = self._function.buffer()
        buffer.set_arg(1, memoryview(np.array(given, dtype=float)))  # type: ignore[call-arg, arg-type]
        for start in range(0, padded.size, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            buffer.set_arg(0, memoryview(padded[part]))  # type: ignore[call-arg, arg-type]
            for n, result in enumerate(results):
                buffer.set_res(n, memoryview(result[part]))  # type: ignore[call-arg, arg-type]
            evaluate()
        return results[:, : x.size]


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
