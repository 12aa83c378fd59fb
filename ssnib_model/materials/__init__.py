"""Material functions: equilibrium potentials and transport laws, one module a material."""

from ssnib_model.materials.na_sn import alloy_ocp
from ssnib_model.materials.nvp import plateau_ocp

#: The functions a parameter file may name. Loading looks a name up here and nowhere else,
#: so that a file can never reach other code.
FUNCTIONS = {"nvp_plateau_ocp": plateau_ocp, "na_sn_alloy_ocp": alloy_ocp}
