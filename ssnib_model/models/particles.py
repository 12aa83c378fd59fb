"""The particles of the cathode: one `Particle` a size class, in either model."""

from __future__ import annotations

import numpy as np
import pybamm

from ssnib_model.models.losses import F, Model

#: Slope that is left inside the miscibility gap, and rounding of its two ends: they keep the
#: two-phase description smooth and its mass balance exact.
GAP_SLOPE = 3e-4
GAP_ROUNDING = 1e-4

#: Fastest diffusion that is followed, D / R^2 [s-1]. There a particle is uniform to 1e-6 at 50 C
#: already, and the round-off of ever larger fluxes would only shorten the steps.
FASTEST_DIFFUSION = 1e3


#: Share of the volume below which a class is left out: it changes nothing that a solver resolves.
SMALLEST_SHARE = 1e-6


def size_classes(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised logarithms of the radii, and shares of the volume, of a size distribution.

    A class by itself is the median; more are the Gauss-Hermite points of a log-normal
    distribution of the volume over the radius, but for those below `SMALLEST_SHARE`.

    Parameters
    ----------
    number : int
        Number of points.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(number)
    kept = weights >= SMALLEST_SHARE * weights.sum()
    return points[kept], weights[kept] / weights[kept].sum()


class Particle:
    """One size class: states, surface values and equations.

    Parameters
    ----------
    model : Model
        The model that the states and equations go to.
    number : int
        Number of the class, from 0, among those of `size_classes`.
    domain : str or None
        Where there is a particle at every point, for the full model.
    """

    def __init__(self, model: Model, number: int, domain: str | None):
        p = self.param = model.param
        self.model = model
        points, shares = size_classes(model.options["size classes"])
        classes = len(points)
        self.share = shares[number]
        spread = pybamm.Parameter("Positive particle radius spread")
        self.R = p.R * pybamm.exp(spread * points[number]) if classes > 1 else p.R
        # surface that reacts, per volume of composite
        self.a = self.share * 3 * p.phi_AM * p.accessible / self.R * p.contacted

        self.suffix = "" if classes == 1 else f", size class {number + 1}"
        self.where = {"domain": domain} if domain else {}
        self.sto = pybamm.Variable(
            f"Positive particle stoichiometry{self.suffix}",
            domain="positive particle",
            auxiliary_domains={"secondary": domain} if domain else None,
        )
        self.two_phase = model.options["particle"] == "two-phase"
        # what drives the flux: its gradient vanishes inside a miscibility gap
        self.driving = self._outside_the_gap(self.sto) if self.two_phase else self.sto
        surface = pybamm.boundary_value(self.driving, "right")
        self.sto_surf = self._composition(surface) if self.two_phase else surface

        self.U_surf = p.U_p(self.sto_surf)

    def _outside_the_gap(self, sto: pybamm.Symbol) -> pybamm.Symbol:
        """Stoichiometry without the miscibility gap: the Stefan problem in enthalpy form.

        The composition has the role of the enthalpy, and this function of it that of the
        temperature (Voller and Cross 1981, doi 10.1016/0017-9310(81)90062-4).
        """

        def ramp(x: pybamm.Symbol) -> pybamm.Symbol:  # max(x, 0), rounded, without overflow
            return (x + pybamm.sqrt(x**2 + GAP_ROUNDING**2)) / 2

        inside = ramp(sto - self.param.sto_poor) - ramp(sto - self.param.sto_rich)
        return sto - (1 - GAP_SLOPE) * inside

    def _composition(self, driving: pybamm.Symbol) -> pybamm.Symbol:
        """The composition of the surface; between the phases, on the plateau, one to the other."""
        p = self.param
        gap = (1 - GAP_SLOPE) * (p.sto_rich - p.sto_poor)
        middle = p.sto_poor + GAP_SLOPE / 2 * (p.sto_rich - p.sto_poor)
        return driving + gap * (1 + pybamm.tanh((driving - middle) / GAP_ROUNDING)) / 2

    def diffusion_rate(self, sto: pybamm.Symbol) -> pybamm.Symbol:
        """D / R^2 [s-1] at a stoichiometry."""
        return pybamm.minimum(self.param.D(sto) / self.R**2, FASTEST_DIFFUSION)

    def flux(self, j: pybamm.Symbol) -> pybamm.Symbol:
        """Flux of stoichiometry into the sphere [m.s-1] for a reaction of ``j`` [A.m-2]."""
        # only the contacted surface reacts; the flux is its average over the sphere
        return -self.param.contacted * j / (F * self.param.c_max)

    def leaving(self, j: pybamm.Symbol) -> pybamm.Symbol:
        """Rate at which the mean stoichiometry falls [s-1] for a reaction of ``j`` [A.m-2]."""
        return -3 * self.flux(j) / self.R

    def set_equations(self, j: pybamm.Symbol) -> None:
        """Diffusion with a reaction of ``j`` [A.m-2] on the contacted surface."""
        model, p, sto = self.model, self.param, self.sto
        N = -self.diffusion_rate(sto) * pybamm.grad(self.driving)
        model.rhs[sto] = -pybamm.div(N)
        flux = self.flux(j)
        model.boundary_conditions[self.driving] = {
            "left": (pybamm.Scalar(0), "Neumann"),
            "right": (flux / self.R / self.diffusion_rate(self.sto_surf), "Neumann"),
        }
        model.initial_conditions[sto] = p.sto_init
        model.variables.update(
            {
                f"Positive particle stoichiometry{self.suffix}": sto,
                f"Positive particle surface stoichiometry{self.suffix}": self.sto_surf,
                f"Positive electrode interfacial current density{self.suffix} [A.m-2]": j,
            }
        )
