"""Material functions: equilibrium potentials and transport laws, one module a material.

A module lists in ``FUNCTIONS`` those that a parameter file may name, as "<module>_<function>".
"""

import importlib
import pkgutil
from collections.abc import Callable

from ssnib_model.materials.na_sn import alloy_ocp as alloy_ocp
from ssnib_model.materials.nvp import plateau_ocp as plateau_ocp


def _collected() -> dict[str, Callable]:
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    return {
        f"{module.__name__.rpartition('.')[2]}_{function.__name__}": function
        for module in modules
        for function in getattr(module, "FUNCTIONS", ())
    }


#: The functions a parameter file may name. Loading looks a name up here and nowhere else,
#: so that a file can never reach other code.
FUNCTIONS = _collected()
