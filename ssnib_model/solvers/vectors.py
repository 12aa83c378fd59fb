"""State vectors of the discretised model from what the structured solver follows, and back.

The solver has the modes of the particles and the potential difference across the reaction. The
potentials of electrode and electrolyte follow from that difference by the equations of the
finite volumes, and their boundaries, as PyBaMM discretises them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import casadi
import numpy as np
import pybamm
from scipy.interpolate import CubicHermiteSpline

from ssnib_model.models.base import IONIC_CURRENT, F, R_gas, SolidStateBaseModel
from ssnib_model.models.losses import HYSTERESIS
from ssnib_model.models.particles import Particle, size_classes
from ssnib_model.models.spm import SolidStateSPM
from ssnib_model.solvers.coefficients import Modes
from ssnib_model.solvers.controlled import CURRENT_STATE
from ssnib_model.solvers.numbers import Numbers, by_inputs, input_names
from ssnib_model.solvers.preflight import CURRENT
from ssnib_model.solvers.quartics import SAMPLES_A_STEP, Quartics, corners
from ssnib_model.solvers.terminals import SAME, Terminals

CONTENT = "Negative electrode sodium content"
STOICHIOMETRY = "Positive particle stoichiometry"
HYSTERESIS_STATE = "Positive electrode hysteresis state"
REACTION = "Positive electrode reaction current density"
#: The current of the ions [A], which is no state of a model by this name.
ION = "ionic current"
CHARGE, ENERGY = "Discharge capacity [A.h]", "Discharge energy [W.h]"

PHI_S, PHI_E = "Positive electrode potential [V]", "Positive electrolyte potential [V]"
DIFFERENCE = "Positive electrode potential difference [V]"

#: Error of the anode's potential between the times of a solution [V], and how often at most an
#: interval is halved for it: an edge between two plateaus may be a jump.
EDGE_ERROR, HALVINGS = 2e-7, 40
#: What a mean slope may cost where two steps meet [V].
CORNER = 2e-6
#: How far apart are the times before and after a bend of a profile, of the whole step.
NEAR = 1e-9


class Record(NamedTuple):
    """What the structured solver follows, at the ends of its steps and the quarters of each."""

    t: np.ndarray  #: from 0 [s], shape (n,)
    modes: np.ndarray  #: amplitudes of the modes, shape (n, points, classes, shells)
    hysteresis: np.ndarray  #: state of the hysteresis, shape (n, points, classes)
    reaction: np.ndarray  #: per area of the cell [A.m-2], shape (n, points, classes)
    difference: np.ndarray  #: potential of electrode against electrolyte [V], (n, points)
    current: np.ndarray  #: of the ions, positive on discharge [A], shape (n,)
    sodium: np.ndarray  #: content of the alloy [mol Na per mol Sn], shape (n,)


# -------------------------------------------------------------------- states by name
def suffixes(options: Mapping[str, Any]) -> list[str]:
    """What the names of each size class end with."""
    classes = len(size_classes(options["size classes"])[0])
    return [""] if classes == 1 else [f", size class {n + 1}" for n in range(classes)]


def to_values(
    options: Mapping[str, Any],
    modes: np.ndarray,
    hysteresis: np.ndarray,
    sodium: np.ndarray | float,
) -> dict[str, np.ndarray]:
    """Differential states of the model by name, without its counters, from the solver's.

    Parameters
    ----------
    options : mapping
        Of the model.
    modes : numpy.ndarray
        Amplitudes, shape (..., points, classes, shells).
    hysteresis : numpy.ndarray
        Shape (..., points, classes); not read where the model has none.
    sodium : numpy.ndarray or float
        Content of the alloy, shape (...).

    Returns
    -------
    dict of str to numpy.ndarray
        In PyBaMM's order, shape (..., size of the state).
    """
    before = modes.shape[:-3]
    shells = modes @ Modes.of(modes.shape[-1]).to_shells.T
    values = {CONTENT: np.reshape(sodium, (*before, 1))}
    for n, suffix in enumerate(suffixes(options)):
        values[STOICHIOMETRY + suffix] = shells[..., n, :].reshape(*before, -1)
        if options["open-circuit potential"] == HYSTERESIS:
            values[HYSTERESIS_STATE + suffix] = hysteresis[..., n]
    return values


def from_values(
    options: Mapping[str, Any], values: Mapping[str, np.ndarray], shells: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The inverse of `to_values`: modes, hysteresis (0 without) and sodium.

    Parameters
    ----------
    options, values
        As of `to_values`.
    shells : int
        Number of shells of a particle.
    """
    names = suffixes(options)
    sto = np.stack([np.asarray(values[STOICHIOMETRY + suffix]) for suffix in names], axis=-2)
    sto = np.moveaxis(sto.reshape(*sto.shape[:-1], -1, shells), -3, -2)
    modes = sto @ Modes.of(shells).from_shells.T
    hysteresis = np.zeros(modes.shape[:-1])
    if options["open-circuit potential"] == HYSTERESIS:
        states = [np.asarray(values[HYSTERESIS_STATE + suffix]) for suffix in names]
        hysteresis = np.stack(states, axis=-1)
    return modes, hysteresis, np.asarray(values[CONTENT])[..., 0]


# -------------------------------------------------------------------- all states
class Trajectory(NamedTuple):
    """All states of the model over a step."""

    t: np.ndarray  #: from 0 [s], shape (n,)
    values: dict[str, np.ndarray]  #: by name, in physical units, shape (n, size of the state)
    rates: dict[str, np.ndarray]  #: their derivatives with time


class States:
    """The states of the discretised model from a `Record`.

    Parameters
    ----------
    model : SolidStateBaseModel
        One that the structured solver takes.
    values : pybamm.ParameterValues
        Its parameters; the current an input, and others as well.
    """

    def __init__(self, model: SolidStateBaseModel, values: pybamm.ParameterValues):
        p = model.param
        self._options = dict(model.options)
        self._suffixes = suffixes(self._options)
        self._reduced = isinstance(model, SolidStateSPM)
        particles = [Particle(model, n, None) for n in range(len(self._suffixes))]
        symbols = {
            "area": p.A_cc,
            "thickness": p.L,
            "electronic conductivity": p.sigma_s,
            "ionic conductivity": model.composite_conductivity(),
            "thermal voltage": 2 * R_gas * p.T / F,
            "exchange-current density": p.j0_p(pybamm.Scalar(0.5)),
            "charge of a content": F * p.n_Sn / 3600,
        }
        surfaces = {f"surface{q.suffix}": p.L * q.a for q in particles}
        every = {n: by_inputs(model, s) for n, s in (symbols | surfaces).items()}
        self._numbers = Numbers(every, values)
        self._slow = model.param.ageing.names
        self._separator = _Separator(model, values)

    def __call__(
        self,
        record: Record,
        inputs: Mapping[str, float],
        passed: tuple[float, float],
        bends: np.ndarray,
        voltage: Callable[[np.ndarray, dict[str, np.ndarray]], np.ndarray],
        terminals: Terminals = SAME,
    ) -> Trajectory:
        """The states at the times of a record, and at some between them.

        Times are added where the anode's potential or a profile of the current would not be
        followed by cubics from one sample to the next.

        Parameters
        ----------
        record : Record
            Of a step.
        inputs : mapping
            Values of all inputs but the current.
        passed : tuple of float
            Charge [A.h] and energy [W.h] at the start of the step.
        bends : numpy.ndarray
            Times [s] within the step at which a profile changes its slope; just before and
            after each there is a time as well.
        voltage : callable
            Voltage [V] for times and the values of the states but the energy.
        terminals : Terminals, optional
            What is applied at the current of the record.
        """
        record = _without_empty_steps(record)
        c = self._numbers({**inputs, CURRENT: 0.0})
        a_content = c["charge of a content"]
        samples = to_values(self._options, record.modes, record.hysteresis, record.sodium)
        share, applied = terminals.share, terminals.offset * c["area"]
        moved = a_content * (record.sodium[0] - record.sodium)
        charge = share * moved + applied * record.t / 3600
        samples[CHARGE] = passed[0] + charge[:, None]
        samples[ION] = record.current[:, None]
        samples[CURRENT_STATE] = share * samples[ION] + applied
        samples[IONIC_CURRENT] = samples[ION] / c["area"]
        samples |= self._of_reduced(c, record) if self._reduced else _composite(c, record)
        samples |= {name: np.full((record.t.size, 1), inputs[name]) for name in self._slow}
        for n, suffix in enumerate(self._suffixes):
            samples[f"{REACTION}{suffix} [A.m-2]"] = record.reaction[..., n]

        times = self._times(record, inputs, bends)
        quartics = Quartics(record.t, times)
        values = {name: quartics.values(a) for name, a in samples.items()}
        rates = {name: quartics.rates(a) for name, a in samples.items()}
        content, current = values[CONTENT][:, 0], values[ION][:, 0]
        left, by_content, by_current, alloy, _ = self._separator(content, current, inputs)
        left_rate = by_content * rates[CONTENT][:, 0] + by_current * rates[ION][:, 0]
        for name in {PHI_S, PHI_E} & set(values):
            values[name] += left[:, None]
            rates[name] += left_rate[:, None]

        # the anode's part of the energy apart: over its content it is exact at any current
        V = voltage(times, values)
        smooth = (current * (V + alloy))[np.searchsorted(times, record.t)]
        energy = quartics.integrals(smooth) / 3600
        energy += a_content * self._separator.alloy_integral(content, inputs)
        if not terminals.is_trivial:
            taken = 3600 / c["area"] * a_content * (content[0] - content)
            energy = share * energy + applied / 3600 * terminals.volt_seconds(taken, times)
        values[ENERGY] = (passed[1] + energy)[:, None]
        rates[ENERGY] = values[CURRENT_STATE] * V[:, None] / 3600
        return Trajectory(times, values, rates)

    def _of_reduced(self, c: Mapping[str, float], record: Record) -> dict[str, np.ndarray]:
        """Potential difference and overpotential of each size class of the reduced model."""
        found = {DIFFERENCE: record.difference}
        surface = record.modes[:, 0] @ Modes.of(record.modes.shape[-1]).surface
        # as `CellSymbols.j0_p` has it
        root = np.sqrt(np.maximum(surface * (1 - surface), 1e-6))
        for n, suffix in enumerate(self._suffixes):
            j = record.reaction[:, 0, n] / c[f"surface{suffix}"]
            j0 = 2 * c["exchange-current density"] * root[:, n]
            eta = c["thermal voltage"] * np.arcsinh(j / (2 * j0))
            found[f"Positive electrode reaction overpotential{suffix} [V]"] = eta[:, None]
        return found

    def _times(self, record: Record, inputs: Mapping[str, float], bends: np.ndarray) -> np.ndarray:
        """The times of the record and those that cubics between them need."""
        t = record.t
        near = NEAR * t[-1]
        bends = np.union1d(bends, corners(t, record.difference, CORNER))
        times = np.unique(np.concatenate([t, bends - near, bends, bends + near]))
        inside = np.array([0.25, 0.5, 0.75])
        left, length = times[:-1], np.diff(times)
        for _ in range(HALVINGS):
            fine = left[:, None] + length[:, None] * np.array([0, *inside, 1])
            quartics = Quartics(t, fine.ravel())
            content = quartics.values(record.sodium)
            _, _, _, U, dU = self._separator(content, np.zeros_like(content), inputs)
            U = U.reshape(fine.shape)
            slope = (dU * quartics.rates(record.sodium)).reshape(fine.shape) * length[:, None]
            cubic = CubicHermiteSpline([0.0, 1.0], U[:, [0, -1]].T, slope[:, [0, -1]].T)(inside)
            missed = (np.abs(cubic.T - U[:, 1:-1]) > EDGE_ERROR).any(axis=1)
            if not missed.any():
                break
            times = np.union1d(times, fine[missed, 2])
            left = fine[missed][:, [0, 2]].ravel()
            length = np.repeat(length[missed] / 2, 2)
        return times


class _Separator:
    """Potential of the electrolyte where the last layer meets the composite, and the anode's."""

    def __init__(self, model: SolidStateBaseModel, values: pybamm.ParameterValues):
        content = pybamm.InputParameter(CONTENT)
        p = model.param
        taken = p.ageing.sodium_taken() * p.A_cc / p.n_Sn
        U_n = p.U_n(content - taken if p.ageing.has_anode_interphase else content)
        losses = [s.overpotential() for s in model.series_losses() if not s.behind_cathode]
        both = [sum(losses) - U_n, U_n]
        if model.param.is_leaking:
            ions = {model.param.i: pybamm.InputParameter(CURRENT) / model.param.A_cc}
            both = [pybamm.replace(s, ions, {}) for s in both]
        symbols = [values.process_symbol(by_inputs(model, s)) for s in both]
        self._inputs = [n for n in input_names(*symbols) if n not in (CONTENT, CURRENT)]
        inputs = {name: casadi.MX.sym("p") for name in (CONTENT, CURRENT, *self._inputs)}
        y, i, *rest = inputs.values()
        left, alloy = (casadi.MX(symbol.to_casadi(inputs=inputs)) for symbol in symbols)
        results = [left, casadi.jacobian(left, y), casadi.jacobian(left, i)]
        arguments = [y, i, casadi.vertcat(*rest)]
        results += [alloy, casadi.jacobian(alloy, y)]
        self._function = casadi.Function("separator", arguments, results)
        if not any(isinstance(n, pybamm.Interpolant) for s in symbols for n in s.pre_order()):
            self._function = self._function.expand()  # an order of magnitude faster

    def __call__(
        self, content: np.ndarray, current: np.ndarray, inputs: Mapping[str, float]
    ) -> list[np.ndarray]:
        """Potential [V] and its slopes with content and current; the anode's and its slope."""
        vector = [inputs[name] for name in self._inputs]
        found = self._function(content[None, :], current[None, :], vector)
        return [np.broadcast_to(f.full().ravel(), content.shape) for f in found]

    def alloy_integral(self, content: np.ndarray, inputs: Mapping[str, float]) -> np.ndarray:
        """Integral of the anode's potential over its content, from the first on."""
        nodes, weights = np.polynomial.legendre.leggauss(5)
        middle, half = (content[1:] + content[:-1]) / 2, np.diff(content) / 2
        places = middle[:, None] + half[:, None] * nodes
        U = self(places.ravel(), np.zeros(places.size), inputs)[3].reshape(places.shape)
        return np.concatenate([[0.0], np.cumsum(half * (U @ weights))])


def _without_empty_steps(record: Record) -> Record:
    """Without steps that are too short to tell their samples apart."""
    steps = np.diff(record.t).reshape(-1, SAMPLES_A_STEP)
    told_apart = (steps > 0).all(axis=1)
    if (np.abs(steps[~told_apart]) > 1e-12 * record.t[-1]).any():
        raise ValueError("the times of a record do not rise")
    kept = np.append(True, np.repeat(told_apart, SAMPLES_A_STEP))
    return Record(*(samples[kept] for samples in record))


def _composite(c: Mapping[str, float], record: Record) -> dict[str, np.ndarray]:
    """Potentials in the composite against the electrolyte where the last layer ends [V].

    The current divides between electrode and electrolyte by their resistances and by the
    change of the potential difference from one point to the next.
    """
    nx = record.difference.shape[1]
    i = record.current[:, None] / c["area"]
    per_s, per_e = (
        c["thickness"] / c["electronic conductivity"],
        c["thickness"] / c["ionic conductivity"],
    )
    both = per_s + per_e
    i_e = (i * per_s + nx * np.diff(record.difference)) / both
    steps = np.concatenate([i * per_e / (2 * nx), i_e * per_e / nx], axis=1)
    phi_e = -np.cumsum(steps, axis=1)
    return {PHI_E: phi_e, PHI_S: phi_e + record.difference}
