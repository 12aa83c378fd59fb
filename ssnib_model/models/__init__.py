"""PyBaMM models of the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssnib_model.models.base import SolidStateBaseModel


def default_model(options: dict) -> SolidStateBaseModel:
    """The full model for the options of a stack: with a composite cathode, or symmetric."""
    from ssnib_model.models.dfn import SolidStateDFN
    from ssnib_model.models.symmetric import SymmetricCell

    symmetric = options["positive electrode"] == "alloy"
    return (SymmetricCell if symmetric else SolidStateDFN)(options)
