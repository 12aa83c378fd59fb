"""O3-NaCrO2, and any other layered oxide that is flat while full and rises as it empties.

``sto`` is the sodiated fraction of the sodium that cycles: 1 is NaCrO2.
"""

from __future__ import annotations

from ssnib_model.materials.law import Law, Symbolic, argument
from ssnib_model.materials.nvp import plateau_ocp


def rising_ocp(
    sto: Symbolic,
    flat_potential: Symbolic,
    rise: Symbolic,
    rise_exponent: Symbolic,
    end_amplitude: Symbolic,
    charged_end_width: Symbolic,
    discharged_end_width: Symbolic,
) -> Symbolic:
    """Equilibrium potential that is flat at the sodium-rich end and rises to the other.

    ``U = U_f + dU (1 - sto)**n`` and the steep ends of `plateau_ocp`; without the ends its mean
    over ``sto`` is ``U_f + dU / (n + 1)``.

    An assumed shape: of NaCrO2 it is known that it is flat near 3.0 V vs Na/Na+ while rich in
    sodium, rises to 3.6 V when half of it has left, and is about 3.0 V on average. Its steps at
    the transitions O3-O'3-P'3 are left out.

    Parameters
    ----------
    sto : pybamm.Symbol or float
        Stoichiometry [-], any shape.
    flat_potential : pybamm.Symbol or float
        U_f [V vs Na/Na+].
    rise : pybamm.Symbol or float
        dU [V].
    rise_exponent : pybamm.Symbol or float
        n, 1 or more: the larger, the later the rise.
    end_amplitude : pybamm.Symbol or float
        A of the ends [V].
    charged_end_width, discharged_end_width : pybamm.Symbol or float
        Widths of the ends [-].

    Returns
    -------
    pybamm.Symbol or float
        Equilibrium potential [V vs Na/Na+], the shape of ``sto``.
    """
    # the surface may be a little outside of 0 and 1 between the steps of a solver
    emptied = ((1 - sto) ** 2 + _SMOOTHING) ** 0.5
    return rise * emptied**rise_exponent + plateau_ocp(
        sto, flat_potential, end_amplitude, charged_end_width, discharged_end_width
    )


#: Keeps a power that is no whole number real and smooth at sto = 1: changes U by less than
#: 1e-6 V wherever n is 1 or more.
_SMOOTHING = 1e-12

FUNCTIONS = {"rising_ocp": Law(rising_ocp, ("Positive electrode OCP [V]",))}

QUANTITIES = {
    "Positive electrode OCP flat potential [V]": argument(-1, 6, "U_f of the rising OCP"),
    "Positive electrode OCP rise [V]": argument(0, 5, "dU of the rising OCP"),
    "Positive electrode OCP rise exponent": argument(1, 30, "n of the rising OCP"),
}
