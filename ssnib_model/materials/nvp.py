"""Na3V2(PO4)3 (NVP).

``sto`` is the sodiated fraction of the two Na that cycle:
1 is Na3V2(PO4)3 and 0 is NaV2(PO4)3.
"""

from __future__ import annotations

import numpy as np

from ssnib_model.materials.law import Law, Symbolic, argument


def plateau_ocp(
    sto: Symbolic,
    plateau_potential: Symbolic,
    end_amplitude: Symbolic,
    charged_end_width: Symbolic,
    discharged_end_width: Symbolic,
) -> Symbolic:
    """Equilibrium potential of a two-phase electrode: a plateau with two steep ends.

    ``U = U0 + A exp(-sto / w_c) - A exp(-(1 - sto) / w_d)``

    The plateau is that of the NaV2(PO4)3 / Na3V2(PO4)3 two-phase region (Zeng et al. 2020,
    doi 10.3389/fchem.2020.00635). The exponential ends stand for the narrow single-phase
    regions. They have no source of their own: their widths are assumed, and their amplitude
    is chosen so large that a half-cycle always ends at its voltage cut-off, with ``sto``
    still between 0 and 1. The curve is smooth, which a variable-step solver rewards.

    Parameters
    ----------
    sto : pybamm.Symbol or float
        Stoichiometry [-], any shape.
    plateau_potential : pybamm.Symbol or float
        U0 [V vs Na/Na+].
    end_amplitude : pybamm.Symbol or float
        A [V].
    charged_end_width, discharged_end_width : pybamm.Symbol or float
        w_c and w_d [-].

    Returns
    -------
    pybamm.Symbol or float
        Equilibrium potential [V vs Na/Na+], the shape of ``sto``.
    """
    return (
        plateau_potential
        + end_amplitude * np.exp(-sto / charged_end_width)
        - end_amplitude * np.exp(-(1 - sto) / discharged_end_width)
    )


FUNCTIONS = {"nvp_plateau_ocp": Law(plateau_ocp, ("Positive electrode OCP [V]",))}

QUANTITIES = {
    "Positive electrode plateau potential [V]": argument(-1, 6, "U0 of the plateau OCP"),
    "Positive electrode OCP end amplitude [V]": argument(0.1, 100, "A of the plateau OCP"),
    "Positive electrode OCP charged end width": argument(1e-4, 0.5, "w_c of the plateau OCP"),
    "Positive electrode OCP discharged end width": argument(1e-4, 0.5, "w_d of the plateau OCP"),
}
