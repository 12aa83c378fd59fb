"""Words of cyclers for what a step does."""

import numpy as np
import pytest

from ssnib_model.measured.signs import direction_of


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("D CC_DChg CC_D CCD CCCV_D Discharge DCH 恒流放电 Décharge CP_DChg Entladen D_CC", 1.0),
        ("C CC_Chg CC_C CCC CVC CCCV_C Charge CHA 恒流充电 CCCV_Chg Laden C_CC I_Charge", -1.0),
        ("R Rest Pause OCV Idle Still 静置 搁置 P R_1", 0.0),
        ("Control CCCV Loop 3 FRA", np.nan),
    ],
)
def test_directions(words, expected):
    for word in words.split():
        found = direction_of(word)
        assert found == expected or (np.isnan(found) and np.isnan(expected)), word
