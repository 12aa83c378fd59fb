"""PyBaMM models of the cell."""

from __future__ import annotations


def default_model(options: dict):
    """The full model for the options of a stack: with a composite cathode, or symmetric."""
    from ssnib_model.models.dfn import SolidStateDFN
    from ssnib_model.models.symmetric import SymmetricCell

    symmetric = options["positive electrode"] == "alloy"
    return (SymmetricCell if symmetric else SolidStateDFN)(options)
