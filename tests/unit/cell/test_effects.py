"""What is said of values and laws."""

import pytest


@pytest.mark.parametrize(("carbon", "said"), [(0.5, False), (2.0, True)])
def test_more_carbon_than_a_law_was_fitted_to_is_said(carbon, said, hu2024):
    name, law = (
        "Positive electrode carbon mass part",
        {"composite transport": "carbon percolation"},
    )
    text = "is fitted to composites with 0.12 at most"
    assert any(text in note for note in hu2024.replace({name: carbon}, law).notes) is said
    assert not any(text in note for note in hu2024.replace({name: carbon}).notes)
