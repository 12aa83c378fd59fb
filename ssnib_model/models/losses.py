"""What takes voltage from the cell: one `Loss` each, in the lists that the models assemble.

``SERIES`` are losses of the whole current: layers, interfaces, the anode's reaction.
``LOCAL`` are losses of the reaction at a particle, in series with its kinetics. A new loss is a
class here, in one of the two lists, and its parameters in the declarations of the cell: both
models take it from there into their equations, their voltage and its breakdown.
What transport, kinetics and diffusion take in the composite comes with its equations, which
tell a model from another: they hand it over as a `Composite`.

Overpotentials are negative on discharge, as in PyBaMM.
"""

from __future__ import annotations

import abc
import enum
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.models.activation import R_gas as R_gas
from ssnib_model.models.activation import arrhenius as arrhenius
from ssnib_model.models.ageing import ANODE_INTERPHASE, CATHODE_INTERPHASE

F = pybamm.constants.F
EPSILON_0 = 8.8541878188e-12  # F/m, CODATA 2022

HYSTERESIS = "one-state hysteresis"


class Model(Protocol):
    """What a loss needs of the model that it is of (`SolidStateBaseModel`)."""

    rhs: dict[pybamm.Symbol, pybamm.Symbol]
    initial_conditions: dict[pybamm.Symbol, pybamm.Symbol]
    boundary_conditions: dict[pybamm.Symbol, dict[str, tuple[pybamm.Symbol, str]]]
    variables: dict[str, pybamm.Symbol]
    options: ModelOptions
    param: Any

    def conductivity(self, quantity: str) -> pybamm.Symbol:
        """Conductivity [S.m-1] at the temperature of the cell."""

    def series_losses(self) -> list[SeriesLoss]:
        """Every loss of the whole current."""

    def local_losses(self) -> list[LocalLoss]:
        """Every loss of the reaction at a particle."""


class Site(Protocol):
    """What a loss needs of the particle that it is at (`Particle`)."""

    suffix: str
    where: dict[str, str]
    U_surf: pybamm.Symbol

    def leaving(self, j: pybamm.Symbol) -> pybamm.Symbol:
        """Rate [s-1] at which a reaction takes sodium out of it."""


class Component(enum.Enum):
    """Where a loss appears in ``pybamm.plot_voltage_components``."""

    ELECTROLYTE = enum.auto()
    SOLID = enum.auto()
    CONTACT = enum.auto()
    ANODE = enum.auto()
    CATHODE = enum.auto()
    DIFFUSION = enum.auto()
    EQUILIBRIUM = enum.auto()


class Loss(abc.ABC):
    """Something that takes voltage; "<name> overpotential [V]" is a variable of the models.

    Parameters
    ----------
    model : SolidStateBaseModel
        The model whose options and parameters it reads, and that its states go to.
    """

    name: str
    component: ClassVar[Component] = Component.CONTACT

    def __init__(self, model: Model):
        self.model, self.param = model, model.param

    @classmethod
    def of(cls, model: Model) -> Iterator[Self]:
        """The losses of this kind that a model has: one, none or several."""
        yield cls(model)


# -------------------------------------------------------------------- of the whole current
class SeriesLoss(Loss):
    """A loss of the whole current, between the anode and the current collector."""

    #: Whether it lies between the composite and its current collector.
    behind_cathode: ClassVar[bool] = False

    @abc.abstractmethod
    def overpotential(self) -> pybamm.Symbol:
        """Overpotential [V]; adds the states and equations it needs to the model."""


class Resistance(SeriesLoss):
    """A resistance [Ohm.m2], with a capacity [F.m-2] parallel to it where there are any."""

    resistance: pybamm.Symbol
    capacity: pybamm.Symbol

    def overpotential(self) -> pybamm.Symbol:
        """Ohmic overpotential [V]."""
        model, i = self.model, self.param.i
        if model.options["surface form"] == "false":
            return -i * self.resistance
        drop = pybamm.Variable(f"{self.name} potential drop [V]")
        # an interface may have no resistance
        model.rhs[drop] = (i - drop / pybamm.maximum(self.resistance, 1e-9)) / self.capacity
        model.initial_conditions[drop] = pybamm.Scalar(0)
        return -drop


class Interface(Resistance):
    """The interface of two neighbours."""

    def __init__(self, model: Model, left: str, right: str):
        super().__init__(model)
        self.name = f"{left}|{right} interface"
        # a resistance falls where a conductance rises
        self.resistance = pybamm.Parameter(f"{self.name} resistance [Ohm.m2]") / arrhenius(
            f"{self.name} resistance", self.param.T
        )
        self.capacity = pybamm.Parameter(f"{self.name} capacity [F.m-2]")


class Layer(Resistance):
    """A dense electrolyte layer, with its geometric capacitance."""

    component = Component.ELECTROLYTE

    def __init__(self, model: Model, layer: str):
        super().__init__(model)
        self.name = f"{layer} layer"
        thickness = pybamm.Parameter(f"{self.name} thickness [m]")
        self.resistance = thickness / model.conductivity(f"{self.name} conductivity")
        self.capacity = (
            EPSILON_0 * pybamm.Parameter(f"{self.name} relative permittivity") / thickness
        )


class Separator(SeriesLoss):
    """All electrolyte layers and the interfaces between the electrodes, in their order."""

    @classmethod
    def of(cls, model: Model) -> Iterator[SeriesLoss]:  # type: ignore[override]
        """Each interface, and the layer on its right."""
        layers = model.options["electrolyte layers"]
        stack = ("Negative electrode", *layers, "Positive electrode")
        for left, right in itertools.pairwise(stack):
            yield Interface(model, left, right)
            if right in layers:
                yield Layer(model, right)


class AnodeReaction(SeriesLoss):
    """Reaction of the planar anode, symmetric Butler-Volmer."""

    name = "Negative electrode reaction"
    component = Component.ANODE

    def overpotential(self) -> pybamm.Symbol:
        """Reaction overpotential [V]."""
        model, p = self.model, self.param
        if model.options["surface form"] == "false":
            return -2 * R_gas * p.T / F * pybamm.arcsinh(p.i / (2 * p.j0_n()))
        eta = pybamm.Variable("Negative electrode potential drop [V]")
        reaction = 2 * p.j0_n() * pybamm.sinh(F * eta / (2 * R_gas * p.T))
        capacity = pybamm.Parameter("Negative electrode double-layer capacity [F.m-2]")
        model.rhs[eta] = (p.i - reaction) / capacity
        model.initial_conditions[eta] = pybamm.Scalar(0)
        return -eta


class AnodeInterphase(Resistance):
    """What grows between the anode and the layer next to it, with the root of time."""

    name = ANODE_INTERPHASE

    def __init__(self, model: Model):
        super().__init__(model)
        quantity = f"{self.name} conductivity"
        conductivity = pybamm.Parameter(f"{quantity} [S.m-1]") * arrhenius(quantity, self.param.T)
        self.resistance = self.param.ageing.thickness() / conductivity
        layer = model.options["electrolyte layers"][0]
        self.capacity = pybamm.Parameter(f"Negative electrode|{layer} interface capacity [F.m-2]")

    @classmethod
    def of(cls, model: Model) -> Iterator[Self]:
        """One with the option, otherwise none."""
        if model.param.ageing.has_anode_interphase:
            yield cls(model)


#: In the order in which they appear in a breakdown.
SERIES: tuple[type[SeriesLoss], ...] = (AnodeInterphase, Separator, AnodeReaction)


# -------------------------------------------------------------------- at a particle
class LocalLoss(Loss):
    """A loss of the reaction at a particle, in series with its kinetics."""

    @abc.abstractmethod
    def drop(self, particle: Site, j: pybamm.Symbol) -> pybamm.Symbol:
        """Overpotential [V] at a reaction current density ``j`` [A.m-2] of the particle."""

    def resistance(self, particle: Site) -> pybamm.Symbol | float:
        """Slope of the drop with the current density [Ohm.m2]."""
        return 0.0


class Hysteresis(LocalLoss):
    """Half the gap between the branches of the equilibrium potential, times a state."""

    name = "Positive electrode hysteresis"
    component = Component.EQUILIBRIUM  # as in PyBaMM, whose potentials have their branch

    @classmethod
    def of(cls, model: Model) -> Iterator[Self]:
        """One with the option, otherwise none."""
        if model.options["open-circuit potential"] == HYSTERESIS:
            yield cls(model)

    def drop(self, particle: Site, j: pybamm.Symbol) -> pybamm.Symbol:
        """From -1/2 to 1/2 of the gap [V]; the state follows the charge that has passed."""
        model = self.model
        h = pybamm.Variable(
            f"Positive electrode hysteresis state{particle.suffix}", **particle.where
        )
        # towards +1 as sodium leaves, -1 as it enters, over 1/rate of the capacity
        rate = pybamm.Parameter("Positive electrode hysteresis decay rate")
        leaving = particle.leaving(j)
        model.rhs[h] = rate * (leaving - abs(leaving) * h)
        model.initial_conditions[h] = pybamm.Scalar(0)
        return pybamm.Parameter("Positive electrode hysteresis [V]") / 2 * h


class Film(LocalLoss):
    """An ohmic film on the particles."""

    name = "Positive electrode film"

    def drop(self, particle: Site, j: pybamm.Symbol) -> pybamm.Symbol:
        """``j`` times the resistance of the film [V]."""
        return j * self.param.R_film

    def resistance(self, particle: Site) -> pybamm.Symbol:
        """That of the film."""
        return self.param.R_film


class CathodeInterphase(LocalLoss):
    """What grows on the particles where the halide meets the charged cathode."""

    name = CATHODE_INTERPHASE

    @classmethod
    def of(cls, model: Model) -> Iterator[Self]:
        """One with the option, otherwise none."""
        if model.param.ageing.has_cathode_interphase:
            yield cls(model)

    def drop(self, particle: Site, j: pybamm.Symbol) -> pybamm.Symbol:
        """``j`` times the resistance of what has grown [V]."""
        return j * self.resistance(particle)

    def resistance(self, particle: Site) -> pybamm.Symbol:
        """Per area of particle: the same current through all of it passes that of the cell."""
        return self.param.ageing.cathode_resistance() * self.param.surface()


LOCAL: tuple[type[LocalLoss], ...] = (Hysteresis, Film, CathodeInterphase)


# -------------------------------------------------------------------- of the composite
@dataclass(frozen=True)
class Composite:
    """What a model knows of its composite cathode, for the breakdown.

    Attributes
    ----------
    particles : sequence of Particle
        One a size class.
    reactions : sequence of pybamm.Symbol
        Overpotential [V] of each class's kinetics.
    local : dict
        Drops [V] of each class, by the name of the `LocalLoss`.
    ionic, electronic : pybamm.Symbol
        What transport takes [V].
    U_mean : pybamm.Symbol
        Equilibrium potential [V] of the mean composition.
    average : callable
        Average over classes and place, weighted with the reaction current.
    """

    particles: Sequence[Site]
    reactions: Sequence[pybamm.Symbol]
    local: Mapping[str, Sequence[pybamm.Symbol]]
    ionic: pybamm.Symbol
    electronic: pybamm.Symbol
    U_mean: pybamm.Symbol
    average: Callable[[Sequence[pybamm.Symbol]], pybamm.Symbol]

    def overpotentials(self) -> dict[str, pybamm.Symbol]:
        """All that the composite takes [V], by name, in the order of a breakdown."""
        local = {name: self.average(drops) for name, drops in self.local.items()}
        hysteresis = {n: local.pop(n) for n in (Hysteresis.name,) if n in local}
        surfaces = [particle.U_surf for particle in self.particles]
        return {
            "Positive electrode ionic": self.ionic,
            "Positive electrode electronic": self.electronic,
            **local,
            "Positive electrode reaction": self.average(self.reactions),
            "Positive particle diffusion": self.average(surfaces) - self.U_mean,
            **hysteresis,
        }


#: Components of what the composite and a second alloy electrode take.
_COMPONENTS = {
    "Positive electrode ionic": Component.ELECTROLYTE,
    "Positive electrode electronic": Component.SOLID,
    "Positive electrode reaction": Component.CATHODE,
    "Positive particle diffusion": Component.DIFFUSION,
}


def pybamm_components(
    model: Model,
    U_right: pybamm.Symbol,
    U_left: pybamm.Symbol,
    overpotentials: Mapping[str, pybamm.Symbol],
) -> dict[str, pybamm.Symbol]:
    """The overpotentials by PyBaMM's names and signs, for ``plot_voltage_components``.

    They add up to the voltage as well. A single-ion conductor has no concentration
    overpotential, and an alloy neither diffusion nor a resistance of its own here.

    Parameters
    ----------
    model : SolidStateBaseModel
        The model whose losses they are.
    U_right, U_left : pybamm.Symbol
        Equilibrium potentials [V].
    overpotentials : mapping
        All overpotentials [V] by name.

    Returns
    -------
    dict of str to pybamm.Symbol
    """
    losses = [*model.series_losses(), *model.local_losses()]
    component = _COMPONENTS | {loss.name: loss.component for loss in losses}

    def total(*wanted: Component) -> pybamm.Symbol:
        found = [eta for name, eta in overpotentials.items() if component[name] in wanted]
        return sum(found, start=pybamm.Scalar(0)) * 1

    none = pybamm.Scalar(0)
    c = Component
    battery, positive = "X-averaged battery", "X-averaged positive electrode"
    solid, diffusion = total(c.SOLID), total(c.DIFFUSION)
    return {
        "Battery open-circuit voltage [V]": U_right - U_left + total(c.EQUILIBRIUM),
        "Negative electrode bulk open-circuit potential [V]": U_left * 1,
        "Positive electrode bulk open-circuit potential [V]": U_right + total(c.EQUILIBRIUM),
        "Battery particle concentration overpotential [V]": diffusion,
        "Negative particle concentration overpotential [V]": none,
        "Positive particle concentration overpotential [V]": diffusion,
        f"{battery} reaction overpotential [V]": total(c.ANODE, c.CATHODE),
        "X-averaged negative electrode reaction overpotential [V]": -total(c.ANODE),
        f"{positive} reaction overpotential [V]": total(c.CATHODE),
        f"{battery} concentration overpotential [V]": none,
        f"{battery} electrolyte ohmic losses [V]": total(c.ELECTROLYTE),
        f"{battery} solid phase ohmic losses [V]": solid,
        f"{battery} negative solid phase ohmic losses [V]": none,
        f"{battery} positive solid phase ohmic losses [V]": solid,
        "Contact overpotential [V]": -total(c.CONTACT),
    }


#: Names of variables that repeat the overpotentials for PyBaMM: no part of a breakdown.
PYBAMM_OVERPOTENTIALS = (
    "Battery particle concentration overpotential [V]",
    "Negative particle concentration overpotential [V]",
    "Positive particle concentration overpotential [V]",
    "X-averaged battery reaction overpotential [V]",
    "X-averaged negative electrode reaction overpotential [V]",
    "X-averaged positive electrode reaction overpotential [V]",
    "X-averaged battery concentration overpotential [V]",
    "Contact overpotential [V]",
)


def breakdown_names(variables: Iterable[str]) -> list[str]:
    """Names of the overpotentials that add up to the voltage, of the variables of a model."""
    ending = " overpotential [V]"
    return [n for n in variables if n.endswith(ending) and n not in PYBAMM_OVERPOTENTIALS]
