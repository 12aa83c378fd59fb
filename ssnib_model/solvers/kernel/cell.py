"""What the kernel knows of a cell, its state, and a step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ssnib_model.solvers.tables import Table

#: Kinds of control, by number.
CURRENT, VOLTAGE, POWER, RESISTANCE = range(4)
#: What an end watches, by number.
OF_VOLTAGE, OF_CURRENT, OF_CURRENT_SIZE, OF_CHARGE = range(4)


class Cell(NamedTuple):
    """The coefficients of the equations; currents per area of the cell, discharge positive.

    A site is a size class at a point of the composite, classes first: site = point * classes +
    class. The reduced model has one point.
    """

    reduced: bool  #: one point with the resistance of the composite
    points: int
    L: float  #: thickness of the composite [m]
    sigma_s: float  #: its effective conductivities [S.m-1]
    sigma_e: float
    series: float  #: resistance of layers and interfaces [Ohm.m2]
    anode_j0: float  #: exchange-current density of the anode [A.m-2]
    thermal: float  #: 2 R T / F [V]
    film: float  #: resistance of the film [Ohm.m2]
    j0: float  #: exchange-current density of the cathode at stoichiometry 1/2 [A.m-2]
    surface: np.ndarray  #: reacting surface of a class per area of the cell
    decay: np.ndarray  #: of the modes of diffusion, negative [s-1], shape (classes, modes)
    uptake: np.ndarray  #: of the modes, per reaction current density [s-1/(A.m-2)]
    surface_of: np.ndarray  #: weights of the modes in the stoichiometry of the surface
    half_gap: float  #: half the gap of hysteresis [V]
    gap_rate: np.ndarray  #: of its state per reaction current density [s-1/(A.m-2)]
    ocp: Table  #: equilibrium potential of the cathode on [0, 1]
    alloy: Table  #: that of the anode, on [0, 1] of the sodium content it may have
    alloy_rate: float  #: how fast a current moves along it [s-1/(A.m-2)]
    scale: float  #: a current density of the order of what matters [A.m-2]


class State(NamedTuple):
    """The differential states, which a step changes in place."""

    modes: np.ndarray  #: amplitudes, shape (sites, modes)
    hysteresis: np.ndarray  #: shape (sites,)
    alloy: np.ndarray  #: place on the anode's table, shape (1,)


class Task(NamedTuple):
    """A step as numbers; currents, powers and resistances per area of the cell."""

    control: int
    value: float  #: [V], [W.m-2] or [Ohm.m2]; not used for a current
    knots: np.ndarray  #: times [s] of the current, from 0 to the end
    currents: np.ndarray  #: at these [A.m-2], straight in between
    measures: np.ndarray  #: what the ends watch
    limits: np.ndarray  #: where they are [V], [A.m-2] or [C.m-2]
    signs: np.ndarray  #: 1 for a value that falls to its limit, -1 for one that rises
    duration: float  #: [s]
    #: current density [A.m-2] that is not counted by ends, and does not pass a resistance:
    #: V = value (i - offset)
    offset: float
