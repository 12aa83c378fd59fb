"""Material functions: equilibrium potentials and laws of transport, one module a material.

A new material is one module with a table ``FUNCTIONS`` (name in a parameter file to `Law`) and,
for the quantities that its functions need, ``QUANTITIES`` (template of a name to `Quantity`),
and its place in `MODULES`.
"""

from ssnib_model.materials import conductivity, na_sn, nvp, sodium
from ssnib_model.materials.law import Law
from ssnib_model.materials.na_sn import alloy_ocp
from ssnib_model.materials.nvp import plateau_ocp
from ssnib_model.quantity import Quantity

#: The modules that are looked at: a list by hand, so that no file can name another.
MODULES = (nvp, na_sn, sodium, conductivity)

#: The functions a parameter file may name. Loading looks a name up here and nowhere else,
#: so that a file can never reach other code.
FUNCTIONS: dict[str, Law] = {
    name: law for module in MODULES for name, law in getattr(module, "FUNCTIONS", {}).items()
}

#: The quantities that the materials need, by the template of their name.
QUANTITIES: dict[str, Quantity] = {
    name: quantity
    for module in MODULES
    for name, quantity in getattr(module, "QUANTITIES", {}).items()
}

__all__ = ["FUNCTIONS", "MODULES", "QUANTITIES", "alloy_ocp", "plateau_ocp"]
