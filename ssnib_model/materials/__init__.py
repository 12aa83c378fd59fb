"""Material functions: equilibrium potentials and laws of transport, one module a material.

A new material is one module here: with a table ``FUNCTIONS`` (name in a parameter file to `Law`)
and, for the quantities that its functions need, ``QUANTITIES`` (template of a name to
`Quantity`).
"""

import importlib
import pkgutil

from ssnib_model.materials.law import Law
from ssnib_model.materials.na_sn import alloy_ocp
from ssnib_model.materials.nvp import plateau_ocp
from ssnib_model.quantity import Quantity

#: The modules of this folder, and nothing that a file could name.
MODULES = [
    importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
]

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
