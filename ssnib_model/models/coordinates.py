"""Coordinates of unit length for the equations, and in metres for whoever looks at a solution.

Thicknesses and radii may be inputs of a model because its coordinates run from 0 to 1. What a
solution shows (``pybamm.QuickPlot``, ``solution[name](t, x=...)``) is in metres, as everywhere
in PyBaMM: the spatial method keeps the unit mesh to itself, and leaves one of real lengths in
its place. A length that is an input has no value when the mesh is made, and size classes have
no common radius: there the coordinates stay fractions.
"""

from __future__ import annotations

import copy
import numbers
from typing import Any

import pybamm

#: Key of a geometry beside "min" and "max", which are 0 and 1.
LENGTH = "length"
#: Option of the spatial method: the domain that it shows in metres.
DOMAIN = "domain in metres"


def coordinate(length: pybamm.Symbol | None) -> dict[str, Any]:
    """Limits of a coordinate from 0 to 1, and the length [m] that it stands for, if one."""
    limits: dict[str, Any] = {"min": 0, "max": 1}
    return limits if length is None else {**limits, LENGTH: length}


class UnitSubMesh(pybamm.Uniform1DSubMesh):
    """A uniform mesh from 0 to 1 that knows which length it stands for.

    Parameters
    ----------
    lims, npts : dict
        As for ``pybamm.Uniform1DSubMesh``; the limits may have a "length" [m].
    """

    def __init__(self, lims: dict, npts: dict):
        ((_, limits),) = ((k, v) for k, v in lims.items() if k != "tabs")
        super().__init__(lims, npts)
        length = limits.get(LENGTH)
        self.metres = float(length) if isinstance(length, numbers.Real) else None

    def in_metres(self) -> pybamm.SubMesh1D:
        """The same mesh in metres."""
        shown = copy.copy(self)
        for name in ("edges", "nodes", "d_edges", "d_nodes"):
            setattr(shown, name, getattr(self, name) * self.metres)
        return shown


class UnitFiniteVolume(pybamm.FiniteVolume):
    """Finite volumes on the unit mesh of a domain, which others see in metres.

    Parameters
    ----------
    options : dict, optional
        As for ``pybamm.FiniteVolume``, and "domain in metres".
    """

    def build(self, mesh: pybamm.Mesh) -> None:
        """Take over the mesh; what is left in it is in metres."""
        super().build(copy.copy(mesh))
        domain = self.options.get(DOMAIN)
        submesh = mesh.get((domain,))
        if isinstance(submesh, UnitSubMesh) and submesh.metres is not None:
            mesh[domain] = submesh.in_metres()
