"""The structured solver: a rate test of the same equations, an order of magnitude faster.

Mesh, extrapolations and coefficients are those of the PyBaMM model, which is the reference
it is tested against. What it lacks is refused by name.
"""

from __future__ import annotations

import functools
import numbers
from dataclasses import dataclass
from typing import NamedTuple

import casadi
import numpy as np
import pybamm

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.models.base import F, R_gas
from ssnib_model.models.numbers import Numbers, input_names
from ssnib_model.models.options import ModelOptions
from ssnib_model.models.particles import Particle
from ssnib_model.models.spm import SolidStateSPM
from ssnib_model.rate_test import (
    AT_START,
    CURRENT,
    LOWER,
    UNIFORMITY,
    UPPER,
    PreparedRateTest,
    ended,
)

#: Options that must keep their default value.
PLAIN_OPTIONS = (
    "positive electrode", "particle", "size classes", "open-circuit potential", "thermal",
    "surface form",
)  # fmt: skip

#: Error of an equilibrium potential between the points of its table [V], and most points.
TABLE_ERROR, TABLE_POINTS = 1e-7, 2**18

#: The anode's potential is tabulated to this content [mol Na per mol Sn] and straight beyond,
#: where its sodium is metal.
LARGEST_CONTENT = 128.0

TOLERANCES = (1e-12, 0.1)

DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
ANODE_OCP = "Negative electrode open-circuit potential [V]"


@dataclass(frozen=True)
class StructuredSolver:
    """Solver of a rate test that uses the structure of the equations.

    To be given as ``solver`` to `RateTest.run` or `RateTest.prepare`, with either model. It
    gives voltage, capacity and energy of every half-cycle.

    Parameters
    ----------
    rtol, atol : float, optional
        Tolerances of the states, which are of order 1.

    Raises
    ------
    SSNIBError
        If numba is missing.
    OptionError
        On use, for a model option or a parameter it has no equations for.

    Examples
    --------
    >>> result = RateTest([0.2, 1]).run(solver=StructuredSolver())
    >>> result.table["Status"].tolist()
    ['ok', 'ok']
    """

    rtol: float = 1e-4
    atol: float = 1e-6

    def __post_init__(self):
        for name, value in vars(self).items():
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not (number and TOLERANCES[0] <= value <= TOLERANCES[1]):
                raise OptionError(
                    f"{name} is {value!r}: a tolerance must be a number from {TOLERANCES[0]:g} "
                    f"to {TOLERANCES[1]:g}"
                )
        try:
            import numba  # noqa: F401
        except ImportError as error:
            raise SSNIBError(
                "the structured solver needs numba: pip install 'ssnib_model[fast]'"
            ) from error

    @classmethod
    def from_dict(cls, document: dict) -> StructuredSolver:
        """The solver that ``dataclasses.asdict`` made ``document`` of; checked, it may be bad."""
        if set(document) != {"rtol", "atol"}:
            raise OptionError(f"solver has {sorted(document)}: rtol and atol are needed")
        return cls(**document)


class StructuredRateTest(PreparedRateTest):
    """A rate test that is solved by a `StructuredSolver`; see `RateTest.prepare`."""

    def _set_up(self, model, values: pybamm.ParameterValues, solver, var_pts) -> None:
        for option in PLAIN_OPTIONS:
            value, plain = model.options[option], ModelOptions()[option]
            if value != plain:
                raise OptionError(
                    f'the structured solver has "{option}" = {plain!r} only, not {value!r}: use '
                    "the default solver"
                )
        if not isinstance(self.parameters[DIFFUSIVITY], float):
            raise OptionError(
                f'the structured solver has a constant "{DIFFUSIVITY}" only, not '
                f"{self.parameters[DIFFUSIVITY]}: use the default solver"
            )
        self._solver, self._model = solver, model
        points = {str(k): n for k, n in {**model.default_var_pts, **(var_pts or {})}.items()}
        self._nr = points["r_p"]
        self._is_reduced = isinstance(model, SolidStateSPM)
        self._nx = 1 if self._is_reduced else points["x_p"]
        if self._nr < 3 or (self._nx < 2 and not self._is_reduced):
            raise OptionError(f"var_pts is {points}: at least 3 shells and 2 points are needed")
        self._coefficients = _Coefficients(model, values)

    def _reset(self) -> None:
        self._state = self._sodium = None

    def _solve(self, current: float):
        from ssnib_model import kernel

        inputs = self._inputs | {CURRENT: current}
        try:
            c, ocp, alloy, alloy_range = self._coefficients(inputs)
        except OptionError as error:
            return f"failed: {error}", None
        modes = Modes.of(self._nr)
        if self._state is None:
            self._state = np.outer(np.full(self._nx, c["stoichiometry"]), modes.uniform)
            self._sodium = c["alloy content"]
        cell = kernel.Cell(
            i=c["current density"],
            ohmic=c["ohmic"],
            reduced=self._is_reduced,
            L=c["thickness"],
            sigma_s=c["electronic conductivity"],
            sigma_e=c["ionic conductivity"],
            surface=c["surface"],
            film=c["film resistance"],
            thermal=c["thermal voltage"],
            j0=c["exchange-current density"],
            decay=c["diffusivity over radius squared"] * modes.decay,
            uptake=c["uptake"] * modes.uptake,
            surface_of=modes.surface,
            ocp=ocp,
            alloy=alloy,
            alloy_start=self._sodium / alloy_range,
            alloy_rate=c["alloy rate"] / alloy_range,
        )
        state = self._state.copy()
        outcome, t, potentials, sto = kernel.integrate(
            cell,
            state,
            inputs[LOWER] if current > 0 else inputs[UPPER],
            self._charge_limit / abs(current),
            self._solver.rtol,
            self._solver.atol,
        )
        if outcome == kernel.AT_START:
            return AT_START, None
        if outcome != kernel.EVENT:
            return kernel.REASONS[outcome], None
        solution = StructuredSolution(self._model, cell, t, potentials, sto, current)
        self._state = state
        self._sodium += c["alloy rate"] * t[-1]
        return ended(solution), solution

    def _carry_on(self, solution) -> None:
        """Nothing to do: the state is kept as arrays."""


class StructuredSolution:
    """What is known of a half-cycle, in the manner of a ``pybamm.Solution``."""

    def __init__(self, model, cell, t, potentials, sto, current: float):
        self.t, self.all_models, self.termination = t, [model], "event"
        self._cell, self._potentials, self._current = cell, potentials, current
        self._sto = sto if cell.reduced else None

    def __getitem__(self, variable: str):
        known = {
            "Voltage [V]": self._voltage,
            "Discharge energy [W.h]": self._energy,
            ANODE_OCP: self._anode,
            UNIFORMITY: self._uniformity,
        }
        if variable not in known or (variable == UNIFORMITY and not self._cell.reduced):
            raise OptionError(
                f'the structured solver does not give "{variable}": use the default solver'
            )
        return known[variable]

    def _voltage(self, t):
        return self._voltage_and_area(t)[0]

    def _energy(self, t):
        return self._current / 3600 * self._voltage_and_area(t)[1]

    def _voltage_and_area(self, t):
        from ssnib_model import kernel

        t = np.asarray(t, dtype=float)
        both = kernel.voltage(self._cell, self.t, self._potentials, t.ravel())
        return [values.reshape(t.shape)[()] for values in both]

    def _anode(self, t):
        from ssnib_model import kernel

        values = [kernel.anode(self._cell, time) for time in np.ravel(t)]
        return np.reshape(values, np.shape(t))[()]

    def _uniformity(self, t):
        from ssnib_model import kernel

        sto = np.interp(t, self.t, self._sto)
        return np.vectorize(lambda s: kernel.uniformity(self._cell, s))(sto)


# -------------------------------------------------------------------- coefficients
class _Coefficients:
    """The numbers of the model's equations for given inputs, from the model's own symbols."""

    def __init__(self, model, values: pybamm.ParameterValues):
        p = model.param
        particle = Particle(model, 0, None)
        surface = p.L * particle.a
        overpotentials = [model.anode_overpotential(), *model.separator_overpotentials().values()]
        half = pybamm.Scalar(0.5)
        symbols = {
            "current density": p.i,
            "ohmic": sum(overpotentials),
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
        self._numbers = Numbers(symbols, values)
        self._potentials = {"ocp": _Potential(p.U_p, values), "alloy": _Potential(p.U_n, values)}

    def __call__(self, inputs: dict[str, float]):
        """Numbers by name, the tables of cathode and anode, and the range of the latter."""
        c = self._numbers(inputs)
        content = min(max(c["largest alloy content"], 1e-3), LARGEST_CONTENT)
        alloy_range = 2.0 ** np.ceil(np.log2(content))
        ocp = self._potentials["ocp"].table(1.0, inputs)
        return c, ocp, self._potentials["alloy"].table(alloy_range, inputs), alloy_range


class _Potential:
    """An equilibrium potential as a table, made anew only where its inputs change."""

    def __init__(self, potential, values: pybamm.ParameterValues):
        # time stands for its argument
        symbol = values.process_symbol(potential(pybamm.t))
        self._inputs = input_names(symbol)
        x, inputs = casadi.MX.sym("x"), {name: casadi.MX.sym("p") for name in self._inputs}
        value = symbol.to_casadi(t=x, inputs=inputs)
        vector = casadi.vertcat(*inputs.values())
        slope = casadi.jacobian(value, x)
        self._function = casadi.Function("potential", [x, vector], [value, slope])
        self._key, self._table = None, None

    def table(self, high: float, inputs: dict[str, float]) -> np.ndarray:
        """Its `hermite_table` on [0, high]."""
        vector = [inputs[name] for name in self._inputs]
        if self._key != (high, vector):

            def potential(x):
                value, slope = self._function(x[None, :], vector)
                return value.full().ravel(), slope.full().ravel()

            self._key, self._table = (high, vector), hermite_table(potential, high)
        return self._table


def hermite_table(function, high: float) -> np.ndarray:
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
    raise OptionError(
        "an equilibrium potential is too steep for the structured solver: use the default solver"
    )


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
