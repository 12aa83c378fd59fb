"""Composite transport laws beside measurements: fitted to all sources but one, predicting it."""

import numpy as np
import pandas as pd
import pytest

from ssnib_model.cell.declared import QUANTITIES
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.materials.transport import LAWS, MOST_CARBON, fit_law

#: Voids of composites of which they are not known.
VOIDS = 0.15
CARBON_BLACK = "Kaiser2018"


@pytest.fixture(scope="module")
def data():
    """Electrolyte and carbon over the whole, and the ratio, by source."""
    frame = pd.read_csv(parameter_root() / "materials" / "composite_transport.csv")
    solid = 1 - frame["Void fraction"].fillna(VOIDS)
    of_solids = frame["Basis of the fraction"] == "solids"
    frame["phi"] = frame["Electrolyte volume fraction"] * solid.where(of_solids, 1.0)
    frame["carbon"] = frame["Carbon fraction of solids"] * solid
    columns = ["phi", "carbon", "Conductivity ratio"]
    return {source: rows[columns].to_numpy().T for source, rows in frame.groupby("Source")}


def factor(law, parameters, columns):
    """Mean error factor of a law."""
    *fractions, ratio = columns
    predicted = LAWS[law].function(*fractions[: len(LAWS[law].fractions)], *parameters)
    return np.exp(np.abs(np.log(predicted / ratio)).mean())


@pytest.mark.parametrize(
    ("law", "bound"),
    [("bruggeman", 2.0), ("tortuosity", 2.3), ("percolation", 1.8), ("carbon percolation", 1.8)],
)
def test_fit_all_but_one_predict_it(law, bound, data):
    """Points alone: nothing but one source tells of carbon black, and that one none predicts."""
    errors = {}
    for source in data:
        *fractions, ratio = np.concatenate([v for s, v in data.items() if s != source], axis=1)
        parameters = fit_law(law, fractions[: len(LAWS[law].fractions)], ratio)
        errors[source] = factor(law, parameters, data[source])
    mean = np.exp(np.mean(np.log(list(errors.values()))))
    print(f"\n{law}: {mean:.2f}", {source: round(e, 2) for source, e in errors.items()})
    assert mean < bound
    assert max(errors, key=errors.get) == CARBON_BLACK
    assert errors[CARBON_BLACK] > 3


def test_the_defaults_of_carbon_percolation_hold_for_all_sources(data):
    """The defaults are those of studies/composite_transport."""
    law = "carbon percolation"
    defaults = [QUANTITIES[name].default for name in LAWS[law].parameters]
    errors = {source: factor(law, defaults, columns) for source, columns in data.items()}
    print(f"\n{law}", {source: round(e, 2) for source, e in errors.items()})
    assert np.exp(np.mean(np.log(list(errors.values())))) < 1.5
    assert max(errors.values()) < 2.2
    assert max(columns[1].max() for columns in data.values()) < MOST_CARBON


def test_laws_of_numbers_and_of_symbols_are_the_same():
    import pybamm

    function = LAWS["carbon percolation"].function
    for phi, carbon in ((0.45, 0.0), (0.32, 0.1), (0.1, 0.12), (1.0, 0.0), (0.1, 1.0)):
        number = function(phi, carbon, 0.14, 0.85)
        symbol = function(pybamm.Scalar(phi), pybamm.Scalar(carbon), 0.14, 0.85)
        assert symbol.evaluate() == pytest.approx(number, rel=1e-9)
        assert 0 < number < 1.01


def test_bruggeman_exponents_span_what_is_assumed(data, hu2024):
    """The exponents of both first sources lie within the range given for the cell."""
    low, high = hu2024.info("Positive electrode Bruggeman exponent").uncertainty["range"]
    found = [fit_law("bruggeman", data[s][0], data[s][2])[0] for s in ("Asano2017", CARBON_BLACK)]
    print(f"\nBruggeman exponents {np.round(found, 2)}, of fractions of the whole")
    assert all(low <= exponent <= high for exponent in found)
