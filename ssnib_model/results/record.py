"""What a result is to be repeated with: versions, hashes and settings."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from typing import Any

import pybamm

import ssnib_model
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import ParameterError
from ssnib_model.models.names import MODELS
from ssnib_model.solvers.choice import Choice

#: The packages whose versions may change the last digits of a result.
PACKAGES = ("pybamm", "pybammsolvers", "casadi", "numpy", "scipy")


def versions() -> dict[str, str]:
    """Version of this package and of those that compute."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"ssnib_model": ssnib_model.__version__, **found}


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 of texts by name, whatever their order."""
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()


def parameters_of(parameters: ParameterSet) -> dict[str, Any]:
    """A parameter set, all of it, and what was changed in it."""
    changed = {n: i.value for n, i in parameters.given.items() if i.kind == "user"}
    try:
        files = parameters.files()
    except ParameterError:  # a Python function cannot be written down
        files = None
    return {
        "set": parameters.name,
        "changed": {n: v if isinstance(v, float) else str(v) for n, v in changed.items()},
        "values": {n: v for n, v in parameters.items() if isinstance(v, float)},
        "sha256": files and digest(files),
        "files": files,
    }


def settings_of(
    model: pybamm.BaseModel, choice: Choice, var_pts: Mapping[Any, int] | None
) -> dict[str, Any]:
    """How a test was run, to run it again."""
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in model.options.items()}
    names: dict[type, str] = {model_class: name for name, model_class in MODELS.items()}
    return {
        "model": names.get(type(model), type(model).__name__),
        "options": options,
        "solver": choice.to_dict(),
        "var_pts": var_pts and {str(name): points for name, points in var_pts.items()},
    }
