"""Na3(VOPO4)2F, and any other cathode whose potential has two plateaus.

``sto`` is the sodiated fraction of the sodium that cycles: 1 is Na3(VOPO4)2F and 0 is
Na(VOPO4)2F.
"""

from __future__ import annotations

import numpy as np

from ssnib_model.materials.law import Law, Symbolic, argument
from ssnib_model.materials.nvp import plateau_ocp


def two_plateau_ocp(
    sto: Symbolic,
    sodium_poor_plateau_potential: Symbolic,
    sodium_rich_plateau_potential: Symbolic,
    step_position: Symbolic,
    step_width: Symbolic,
    end_amplitude: Symbolic,
    charged_end_width: Symbolic,
    discharged_end_width: Symbolic,
) -> Symbolic:
    """Equilibrium potential of an electrode with two two-phase regions: two plateaus.

    ``U = U_r + (U_p - U_r) (1 - tanh((sto - s) / w)) / 2`` and the steep ends of `plateau_ocp`.

    Na3(VOPO4)2F gives up two Na, one on each plateau (s = 1/2), near 3.6 and 4.0 V vs Na/Na+
    (Asakura et al. 2020, doi 10.1039/d0ee01569e). The width of the step and the ends have no
    source: they are assumed.

    Parameters
    ----------
    sto : pybamm.Symbol or float
        Stoichiometry [-], any shape.
    sodium_poor_plateau_potential, sodium_rich_plateau_potential : pybamm.Symbol or float
        U_p below and U_r above the step [V vs Na/Na+].
    step_position, step_width : pybamm.Symbol or float
        s and w [-].
    end_amplitude : pybamm.Symbol or float
        A of the ends [V].
    charged_end_width, discharged_end_width : pybamm.Symbol or float
        Widths of the ends [-].

    Returns
    -------
    pybamm.Symbol or float
        Equilibrium potential [V vs Na/Na+], the shape of ``sto``.
    """
    step = (1 - np.tanh((sto - step_position) / step_width)) / 2
    rise = (sodium_poor_plateau_potential - sodium_rich_plateau_potential) * step
    return rise + plateau_ocp(
        sto, sodium_rich_plateau_potential, end_amplitude, charged_end_width, discharged_end_width
    )


FUNCTIONS = {"two_plateau_ocp": Law(two_plateau_ocp, ("Positive electrode OCP [V]",))}

QUANTITIES = {
    "Positive electrode sodium-poor plateau potential [V]": argument(
        -1, 6, "U_p of the two-plateau OCP"
    ),
    "Positive electrode sodium-rich plateau potential [V]": argument(
        -1, 6, "U_r of the two-plateau OCP"
    ),
    "Positive electrode OCP step position": argument(0, 1, "s of the two-plateau OCP"),
    "Positive electrode OCP step width": argument(1e-3, 0.5, "w of the two-plateau OCP"),
}
