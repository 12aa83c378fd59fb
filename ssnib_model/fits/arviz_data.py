"""A posterior as ArviZ has it (extra ``[bayes]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ssnib_model.errors import SSNIBError

if TYPE_CHECKING:
    from ssnib_model.fits.draws import Posterior

#: The first version of ArviZ whose groups are a tree of xarray's.
TREES = 1


def to_arviz(posterior: Posterior) -> Any:
    """Draws of equal weight, the data, and what the draws say of the data.

    Parameters
    ----------
    posterior : Posterior
        Of a fit.

    Returns
    -------
    arviz.InferenceData or xarray.DataTree
        What ArviZ before and from version 1 works with. Groups: "posterior", a variable a
        parameter, one chain (weighted draws are drawn again with equal weight);
        "posterior_predictive", "simulated" values without errors of the data and "with errors"
        of their sigma; "observed_data", "measured" and "sigma". The attributes of "posterior"
        say how it was drawn.

    Raises
    ------
    SSNIBError
        If ArviZ is not installed.
    """
    try:
        import arviz
    except ImportError as error:
        raise SSNIBError("InferenceData needs ArviZ: pip install 'ssnib_model[bayes]'") from error
    groups = _groups(posterior)
    if int(arviz.__version__.split(".")[0]) >= TREES:
        return xr.DataTree.from_dict(groups)
    made: Any = arviz.InferenceData
    return made(**groups)


def _groups(posterior: Posterior) -> dict[str, xr.Dataset]:
    problem, n = posterior.problem, len(posterior.samples)
    draws = {"chain": [0], "draw": np.arange(n)}
    values = {"value": [f"{d.name}, {label}" for d in problem.data for label in d.labels]}
    rng = np.random.default_rng([posterior.settings["seed"], 2])
    noisy = posterior.simulated + rng.normal(size=posterior.simulated.shape) * problem.sigma
    attributes = {
        "inference_library": "ssnib_model",
        "inference_library_version": posterior.to_dict()["versions"]["ssnib_model"],
        "method": posterior.method,
        "effective": posterior.effective,
        "pareto_k": posterior.k,
        "r_hat": posterior.r_hat,
        "log_evidence": posterior.log_evidence,
        "notes": "\n".join(posterior.notes),
        "conditions": posterior.conditions,
    }
    return {
        "posterior": xr.Dataset(
            {
                label: (("chain", "draw"), column.to_numpy()[None])
                for label, column in posterior.samples.items()
            },
            draws,
            attributes,
        ),
        "posterior_predictive": xr.Dataset(
            {
                "simulated": (("chain", "draw", "value"), posterior.simulated[None]),
                "with errors": (("chain", "draw", "value"), noisy[None]),
            },
            draws | values,
        ),
        "observed_data": xr.Dataset(
            {"measured": ("value", problem.measured), "sigma": ("value", problem.sigma)}, values
        ),
    }
