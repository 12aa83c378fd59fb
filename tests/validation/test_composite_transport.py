"""Composite transport laws beside measurements: fitted to one source, predicting the other."""

import numpy as np
import pandas as pd
import pytest

from ssnib_model.cell.set_files import parameter_root
from ssnib_model.materials.transport import LAWS, fit_law


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(parameter_root() / "materials" / "composite_transport.csv")
    return {
        source: rows[["Electrolyte volume fraction", "Conductivity ratio"]].to_numpy().T
        for source, rows in frame.groupby("Source")
    }


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("fitted", "predicted"), [("Asano2017", "Kaiser2018"),
                                                   ("Kaiser2018", "Asano2017")])  # fmt: skip
def test_fit_one_predict_the_other(law, fitted, predicted, data):
    """Prints the error factor of each; bounds that of the fit, which is the law's own promise."""
    parameters = fit_law(law, *data[fitted])
    errors = {
        source: np.exp(np.abs(np.log(LAWS[law][0](phi, *parameters) / f)).mean())
        for source, (phi, f) in data.items()
    }
    print(f"\n{law} {np.round(parameters, 3)} fitted to {fitted}: mean error factor "
          f"{errors[fitted]:.2f}; predicting {predicted}: {errors[predicted]:.2f}")  # fmt: skip
    bound = {"bruggeman": 2.5, "tortuosity": 6.0, "percolation": 1.6}[law]
    assert errors[fitted] < bound
    assert np.isfinite(errors[predicted])


def test_bruggeman_exponents_span_what_is_assumed(data, hu2024):
    """The exponents of both sources lie within the range given for the cell."""
    low, high = hu2024.info("Positive electrode Bruggeman exponent").uncertainty["range"]
    exponents = [fit_law("bruggeman", *columns)[0] for columns in data.values()]
    print(f"\nBruggeman exponents {dict(zip(data, np.round(exponents, 2), strict=True))}")
    assert all(low <= exponent <= high for exponent in exponents)
