"""The numbers that the structured solver needs, from the symbols of the model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import casadi
import numpy as np
import pybamm
from numpy.typing import ArrayLike

from ssnib_model.errors import OptionError
from ssnib_model.models.base import F, R_gas, SolidStateBaseModel
from ssnib_model.models.losses import HYSTERESIS, Resistance
from ssnib_model.models.particles import Particle, size_classes
from ssnib_model.solvers.numbers import Numbers, by_inputs, input_names
from ssnib_model.solvers.tables import Table, build

if TYPE_CHECKING:  # numba takes a second
    from ssnib_model.solvers.kernel.batch import Members
    from ssnib_model.solvers.kernel.cell import Cell

#: Values of an equilibrium potential that casadi works out by one pass through its expression.
AT_ONCE = 256

#: What the share of a surface counts for in a change [V].
PER_SHARE = 4.0
#: What a content of the anode counts for in a change [V]: its potential changes by about that.
PER_CONTENT = 0.05

#: The anode's potential is tabulated to this content [mol Na per mol Sn] and straight beyond,
#: where its sodium is metal.
LARGEST_CONTENT = 128.0


# -------------------------------------------------------------------- coefficients
class Coefficients:
    """The numbers of the model's equations for given inputs, from the model's own symbols.

    Parameters
    ----------
    model : SolidStateBaseModel
        One that the structured solver has the equations of.
    values : pybamm.ParameterValues
        Its parameters, some of them inputs.
    shells : int
        Of the mesh of a particle.
    points : int
        Of the mesh of the composite; 1 for the reduced model.
    """

    def __init__(
        self, model: SolidStateBaseModel, values: pybamm.ParameterValues, shells: int, points: int
    ):
        p = model.param
        self._classes = len(size_classes(model.options["size classes"])[0])
        self._points, self._modes = points, Modes.of(shells)
        self._is_reduced = points == 1
        half = pybamm.Scalar(0.5)
        resistances = [s.resistance for s in model.series_losses() if isinstance(s, Resistance)]
        first = Particle(model, 0, None)  # of all classes alike
        symbols = {
            "L": p.L,
            "sigma_s": p.sigma_s,
            "sigma_e": model.composite_conductivity(),
            "series": sum(resistances, start=pybamm.Scalar(0)),
            "anode_j0": p.j0_n(),
            "thermal": 2 * R_gas * p.T / F,
            "film": sum(loss.resistance(first) for loss in model.local_losses()),
            "j0": p.j0_p(half),
            "half_gap": pybamm.Scalar(0),
            "alloy rate": -p.A_cc / (F * p.n_Sn),
            "scale": 1e-2 * p.Q / p.A_cc,
            "area": p.A_cc,
            "leakage": model.leakage_conductance(),
            "taken": p.ageing.sodium_taken() * p.A_cc / p.n_Sn,
            "stoichiometry": p.sto_init,
            "alloy content": p.y_init,
            "largest alloy content": p.y_made + (1 - p.soc_made) * p.Q_p / (F * p.n_Sn),
        }
        hysteresis = model.options["open-circuit potential"] == HYSTERESIS
        if hysteresis:
            symbols["half_gap"] = pybamm.Parameter("Positive electrode hysteresis [V]") / 2
        for c in range(self._classes):
            particle = Particle(model, c, None)
            surface = p.L * particle.a
            one = pybamm.Scalar(1) / surface  # a reaction of 1 A.m-2 of the cell
            symbols[f"surface {c}"] = surface
            symbols[f"diffusion {c}"] = particle.diffusion_rate(half)
            symbols[f"flux {c}"] = particle.flux(one) / particle.R
            symbols[f"gap rate {c}"] = pybamm.Scalar(0)
            if hysteresis:
                rate = pybamm.Parameter("Positive electrode hysteresis decay rate")
                symbols[f"gap rate {c}"] = rate * particle.leaving(one)
        self.numbers = Numbers({n: by_inputs(model, s) for n, s in symbols.items()}, values)
        self._latest: tuple[dict[str, float], tuple[Cell, Scales]] | None = None
        words = "equilibrium potential of the {} electrode"
        self._potentials = {
            "ocp": Potential(p.U_p, values, words.format("positive"), "stoichiometry"),
            "alloy": Potential(p.U_n, values, words.format("negative"), "sodium content"),
        }

    def _of_classes(self, c: Mapping[str, float], name: str) -> np.ndarray:
        return np.array([c[f"{name} {number}"] for number in range(self._classes)])

    @property
    def inputs_of_potentials(self) -> list[str]:
        """Names of the inputs that an equilibrium potential depends on."""
        return sorted({name for p in self._potentials.values() for name in p.inputs})

    def cell(self, inputs: Mapping[str, float]) -> tuple[Cell, Scales]:
        """The coefficients of the kernel's equations, and how to tell them from SI units.

        Those of the latest inputs are kept, since a test asks for the same at every step.
        """
        latest = self._latest  # read once: another thread may replace it
        if latest is None or latest[0] != inputs:
            self._latest = latest = dict(inputs), self._cell(inputs)
        return latest[1]

    def _cell(self, inputs: Mapping[str, float]) -> tuple[Cell, Scales]:
        from ssnib_model.solvers.kernel.cell import Cell

        c, modes = self.numbers(inputs), self._modes
        content = min(max(c["largest alloy content"], 1e-3), LARGEST_CONTENT)
        alloy_range = float(2.0 ** np.ceil(np.log2(content)))
        cell = Cell(
            reduced=self._is_reduced,
            points=self._points,
            L=c["L"],
            sigma_s=c["sigma_s"],
            sigma_e=c["sigma_e"],
            series=c["series"],
            anode_j0=c["anode_j0"],
            thermal=c["thermal"],
            film=c["film"],
            j0=c["j0"],
            surface=self._of_classes(c, "surface"),
            decay=np.outer(self._of_classes(c, "diffusion"), modes.decay),
            uptake=np.outer(self._of_classes(c, "flux"), modes.uptake),
            surface_of=modes.surface,
            half_gap=c["half_gap"],
            gap_rate=self._of_classes(c, "gap rate"),
            ocp=self._potentials["ocp"].table(1.0, inputs),
            alloy=self._potentials["alloy"].table(alloy_range, inputs),
            alloy_rate=c["alloy rate"] / alloy_range,
            scale=c["scale"],
        )
        return cell, Scales(c["area"], alloy_range, c["leakage"], c["taken"])

    def change(
        self, inputs: Mapping[str, float], before: Mapping[str, float], current: float
    ) -> float:
        """How far the coefficients are from others, of what ages.

        Resistances by what a current [A] drops over them [V], the surface by its share of itself,
        and the content of the anode, by `PER_SHARE` and `PER_CONTENT`; the largest of these.
        """
        c = self.numbers(inputs)
        i = current / before["area"]
        surface, old = (
            sum(n[f"surface {number}"] for number in range(self._classes)) for n in (c, before)
        )
        return max(
            abs(c["series"] - before["series"]) * i,
            abs(c["film"] - before["film"]) * i / old,
            PER_SHARE * abs(surface - old) / old,
            abs(c["taken"] - before["taken"]) * PER_CONTENT,
        )

    def of_many(
        self, inputs: Mapping[str, ArrayLike], members: int
    ) -> tuple[list[tuple[np.ndarray, Members]], np.ndarray]:
        """Those of many cells at once.

        Parameters
        ----------
        inputs, members
            As for `Numbers.of_many`.

        Returns
        -------
        groups : list of tuple
            Cells that share the tables of the potentials, with their numbers in the order given.
        areas : numpy.ndarray
            Of the cells [m2], shape (members,).
        """
        from ssnib_model.solvers.kernel.batch import NUMBERS, Members

        c, modes = self.numbers.of_many(inputs, members), self._modes
        content = np.minimum(np.maximum(c["largest alloy content"], 1e-3), LARGEST_CONTENT)
        ranges = 2.0 ** np.ceil(np.log2(content))
        names = sorted({n for p in self._potentials.values() for n in p.inputs})
        keys = np.array([ranges, *(np.broadcast_to(inputs[n], members) for n in names)])
        distinct, group_of = np.unique(keys, axis=1, return_inverse=True)
        found, columns = [], np.column_stack([c[name] for name in NUMBERS])
        of_classes = [
            np.column_stack([c[f"{name} {number}"] for number in range(self._classes)])
            for name in ("surface", "diffusion", "flux", "gap rate")
        ]
        for group, (alloy_range, *values) in enumerate(distinct.T.tolist()):
            at, own = (
                np.flatnonzero(group_of.ravel() == group),
                dict(zip(names, values, strict=True)),
            )
            try:
                ocp = self._potentials["ocp"].table(1.0, own)
                alloy = self._potentials["alloy"].table(alloy_range, own)
            except OptionError:  # there is none: whoever runs one of them says why
                continue
            surface, diffusion, flux, gap_rate = (of[at] for of in of_classes)
            found.append(
                (
                    at,
                    Members(
                        self._is_reduced, self._points, columns[at], surface, diffusion, flux,
                        gap_rate, modes.decay, modes.uptake, modes.surface, modes.uniform,
                        ocp, alloy, alloy_range,
                    ),
                )
            )  # fmt: skip
        return found, c["area"]

    def start(self, inputs: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, float]:
        """Modes and hysteresis of every site, and the alloy's sodium, of a cell at rest."""
        c = self.numbers(inputs)
        sites = self._points * self._classes
        uniform = np.outer(np.full(sites, c["stoichiometry"]), self._modes.uniform)
        return uniform, np.zeros(sites), c["alloy content"]


class Scales(NamedTuple):
    """What tells the kernel's numbers from those of the cell."""

    area: float  #: of the cell [m2]
    alloy_range: float  #: sodium content at the end of the anode's table
    leakage: float = 0.0  #: conductance of the layers for electrons [S.m-2]
    taken: float = 0.0  #: content of the anode that its interphase took


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
        self.inputs, self._words = input_names(symbol), (name, argument)
        x, inputs = casadi.MX.sym("x", AT_ONCE), {n: casadi.MX.sym("p") for n in self.inputs}
        value = symbol.to_casadi(t=x, inputs=inputs)
        if value.is_scalar():  # it does not depend on its argument
            value = casadi.repmat(value, AT_ONCE, 1)
        slope = casadi.jtimes(value, x, casadi.DM.ones(AT_ONCE))
        # what casadi knows to be zero it would not write
        results = [casadi.densify(result) for result in (value, slope)]
        self._function = casadi.Function(
            "potential", [x, casadi.vertcat(*inputs.values())], results
        )
        self._latest: tuple[tuple[float, list[float]], Table] | None = None

    def table(self, high: float, inputs: Mapping[str, float]) -> Table:
        """The potential on [0, high] by `build`."""
        given = [inputs[name] for name in self.inputs]
        latest = self._latest  # read once: another thread may replace it
        if latest is None or latest[0] != (high, given):
            table = build(lambda x: self._values_and_slopes(x, given), high, *self._words)
            self._latest = latest = (high, given), table
        return latest[1]

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
    to_shells: np.ndarray  #: values in the shells per amplitude, shape (shells, shells)
    from_shells: np.ndarray  #: amplitudes per value in the shells, its inverse

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
            vectors / scale[:, None],
            vectors.T * scale,
        )
