"""What a result is to be repeated with: versions and hashes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping

import ssnib_model

#: The packages whose versions may change the last digits of a result.
PACKAGES = ("pybamm", "pybammsolvers", "casadi", "numpy", "scipy")


def versions() -> dict[str, str]:
    """Version of this package and of those that compute."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"ssnib_model": ssnib_model.__version__, **found}


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 of texts by name, whatever their order."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()
