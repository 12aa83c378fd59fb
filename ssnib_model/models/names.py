"""The models of the cell by their short names."""

from __future__ import annotations

from ssnib_model.models.dfn import SolidStateDFN
from ssnib_model.models.spm import SolidStateSPM

MODELS = {"dfn": SolidStateDFN, "spm": SolidStateSPM}
