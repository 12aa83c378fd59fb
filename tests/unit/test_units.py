"""Units as people write them."""

import pytest

from ssnib_model.units import convert


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (20, "mg/cm2", "kg.m-2", 0.2),
        (20, "mg.cm-2", "kg.m-2", 0.2),
        (20, "mg/cm^2", "kg.m-2", 0.2),
        (20, "mg cm-2", "kg.m-2", 0.2),
        (20, "mg·cm⁻²", "kg.m-2", 0.2),
        (3, "uA/cm2", "A.m-2", 0.03),
        (3, "µA/cm²", "A.m-2", 0.03),
        (27, "Ohm.cm2", "Ohm.m2", 27e-4),
        (27, "ohm*cm**2", "Ohm.m2", 27e-4),
        (27, "Ω·cm²", "Ohm.m2", 27e-4),
        (27, "Ω cm2", "Ohm.m2", 27e-4),
        (1.2, "mS/cm", "S.m-1", 0.12),
        (118, "mA/g", "A.kg-1", 118),
        (3, "mAh", "A.h", 3e-3),
        (-10, "°C", "K", 263.15),
        (10, "uF/cm2", "F.m-2", 0.1),
        (1e-11, "cm2/s", "m2.s-1", 1e-15),
        (38.8, "kJ/mol", "eV", 0.40213),
    ],
)
def test_units_as_people_write_them(value, unit, target, expected):
    assert convert(value, unit, target) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("unit", ["mg/cm2)", "mg//cm2", "cm⁻", "2 mg", "mg·", "cm³³³", "cm٣"])
def test_what_is_no_unit(unit):
    with pytest.raises(ValueError, match="is not a unit"):
        convert(1, unit, "kg.m-2")
