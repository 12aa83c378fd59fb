"""Units of parameter files, by pint; nothing else in the package sees a unit object."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

# the grammar of a unit is checked first, so that pint never sees an expression
_TERM = r"(?:[A-Za-zµμΩ°%]+(?:(?:\^|\*\*)?-?[0-9])?|1)"
_UNIT = re.compile(rf"{_TERM}(?:[./* ]{_TERM})*")
#: As people type it: a raised dot, and raised digits.
_TYPED = str.maketrans({"·": ".", "⋅": ".", "⁻": "-", "¹": "1", "²": "2", "³": "3"})


@functools.cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry()
    registry.define("@alias ohm = Ohm")  # as PyBaMM writes it
    return registry


@functools.cache
def _parse(unit: str) -> Any:
    import pint

    unit = unit.translate(_TYPED)
    if unit in ("", "1", "-"):
        return _registry().dimensionless
    if len(unit) > 40 or not _UNIT.fullmatch(unit):
        raise ValueError(f'"{unit}" is not a unit')
    powers = re.sub(r"([A-Za-zµμΩ°%])(?:\^|\*\*)?(-?[0-9])", r"\1**\2", unit)
    try:
        return _registry().parse_units(powers.replace(".", "*").replace(" ", "*"))
    except pint.errors.PintError as error:
        raise ValueError(f'"{unit}" is not a unit') from error


def convert(value: float, unit: str, target: str) -> float:
    """``value`` in ``unit`` as a number in ``target``.

    Energies per particle (eV) convert to energies per mole, and back.

    Raises
    ------
    ValueError
        If ``unit`` is not a unit, cannot be converted to ``target``, or the number overflows.
    """
    import pint

    if unit == target:
        return float(value)
    ureg = _registry()
    quantity = ureg.Quantity(float(value), _parse(unit))
    goal = _parse(target)
    try:
        molar, single = (_parse(energy).dimensionality for energy in ("J.mol-1", "J"))
        if (quantity.dimensionality, goal.dimensionality) == (single, molar):
            quantity = quantity * ureg.Quantity(1, "avogadro_constant")
        elif (quantity.dimensionality, goal.dimensionality) == (molar, single):
            quantity = quantity / ureg.Quantity(1, "avogadro_constant")
        converted = float(quantity.to(goal).magnitude)
    except (pint.errors.PintError, AttributeError) as error:
        # a product with a logarithmic unit, such as dB.m, has no dimensionality at all
        raise ValueError(f'the unit "{unit}" cannot be converted to "{target}"') from error
    if not math.isfinite(converted):
        raise ValueError(f'{value:g} "{unit}" is too large a number in "{target}"')
    return float(f"{converted:.15g}")  # 40 mg is 4e-05 kg, not 3.9999999999999996e-05
