"""The cells: what of each is given, what is held back, and how each is taken to be tested.

A family is what one group made of the same materials: all of it has the same values but for what
its file gives otherwise and for its accessible fraction, which differs from cell to cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ssnib_model as ss

SPREAD = "Positive particle radius spread"
DIAMETER = "Die diameter [m]"
LOADING = "Positive electrode active material loading [kg.m-2]"
CONDUCTIVITY = "Na4(B12H12)(B10H10) layer conductivity [S.m-1]"
REFERENCE = "Na4(B12H12)(B10H10) layer reference conductivity [S.m-1]"
BELOW = "Na4(B12H12)(B10H10) layer activation energy below transition [J.mol-1]"
ENERGY = "Na4(B12H12)(B10H10) layer conductivity activation energy [J.mol-1]"

PER_GRAM, PER_AREA = "mA.h.g-1", "mA.h.cm-2"
ZERO = 273.15

#: How charges may have been done, each with the same prior probability.
AS_DISCHARGE: Mapping[str, Any] = {}
SLOW = {"charge_rate": 0.1}
HELD, HELD_LONG = {"hold": "C/20"}, {"hold": "C/100"}


@dataclass(frozen=True)
class Given:
    """Capacities that are known of a cell.

    ``reading`` is the standard deviation of the values [mAh/g].
    """

    of: str
    name: str
    rates: tuple[float, ...]
    values: tuple[float, ...]
    reading: float


@dataclass(frozen=True)
class HeldBack:
    """A capacity that is known to others; ``cell`` is whose accessible fraction it has.

    The cell is tested at ``rates`` in turn, of which the last one counts.
    """

    of: str
    case: str
    rates: tuple[float, ...]
    cell: str = ""
    changes: Mapping[str, float] = field(default_factory=dict)
    celsius: float | None = None
    unit: str = PER_GRAM


@dataclass(frozen=True)
class Family:
    """Cells of the same materials.

    ``regimes`` are the charges that there may have been, ``spread`` the range of the standard
    deviation of the logarithm of the accessible fraction from cell to cell; ``pinned``, whether
    cells are drawn around what they were measured at, at one rate each; ``fitted_by``, the model
    of the fit, the full one where the other overrates what is given.
    """

    name: str
    regimes: tuple[Mapping[str, Any], ...]
    given: tuple[Given, ...]
    held_back: tuple[HeldBack, ...]
    spread: tuple[float, float] = (0.02, 0.08)
    options: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = False
    fitted_by: str = "spm"


FAMILIES = (
    Family(
        "Asakura2020",
        (AS_DISCHARGE, SLOW),
        (Given("Asakura2020", "rate test", (0.1, 0.2, 1), (104, 99, 74), 1.0),),
        (
            *(
                HeldBack(
                    "Asakura2020",
                    f"{rate} C, 12.5 mm pressure cell, 1.14 mg/cm2",
                    (0.1, 1, rate),
                    changes={
                        DIAMETER: 12.5e-3,
                        LOADING: 0.0114,
                        # 90 mg in place of 80 on another area
                        "Na4(CB11H12)2(B12H12) layer thickness [m]": 90 / 80 * (12 / 12.5) ** 2,
                    },
                )
                for rate in (2, 5)
            ),
            HeldBack("Asakura2020", "C/10, 8.0 mg/cm2", (0.1,), changes={LOADING: 0.08}),
            HeldBack("Asakura2020", "1 C, 60 degC", (0.1, 1), celsius=60),
        ),
        options={"size classes": 3},
    ),
    Family(
        "Duchene2020",
        (SLOW,),
        (
            Given("Duchene2020", "95:2:3", (0.1, 5), (118, 67.9), 1.0),
            Given("Duchene2020_97", "97:1:2", (0.1,), (118,), 2.0),
        ),
        (HeldBack("Duchene2020_97", "5 C", (0.1, 5), cell="97:1:2"),),
        fitted_by="dfn",
    ),
    Family(
        "Ridley2024",
        (AS_DISCHARGE, SLOW),
        (
            Given("Ridley2024", "Na0.625", (0.1, 0.5), (126, 105), 2.0),
            # "near theoretical", of 120 to 126 mAh/g
            Given("Ridley2024_Na0.25", "Na0.25", (0.1,), (120,), 5.0),
        ),
        (
            HeldBack("Ridley2024", "1 C", (0.1, 0.5, 1), cell="Na0.625"),
            HeldBack("Ridley2024_Na0.25", "0.5 C", (0.1, 0.5), cell="Na0.25"),
            HeldBack("Ridley2024_Na0.25", "1 C", (0.1, 0.5, 1), cell="Na0.25"),
        ),
        options={"size classes": 3},
    ),
    Family(
        "Oh2025",
        (HELD, HELD_LONG),
        (
            Given("Oh2025_15", "15 mg/cm2", (0.1,), (86.7,), 3.3),
            Given("Oh2025_30", "30 mg/cm2", (0.1,), (73.3,), 1.7),
            Given("Oh2025", "45 mg/cm2", (0.1,), (77.8,), 1.1),
            Given("Oh2025", "45 mg/cm2, series", (0.1,), (68.9,), 1.1),
        ),
        tuple(
            HeldBack(
                "Oh2025",
                f"C/10, {celsius} degC, 45 mg/cm2",
                (0.1,),
                cell="45 mg/cm2, series",
                celsius=celsius,
                unit=PER_AREA,
            )
            for celsius in (0, -5, -10, -15)
        ),
        spread=(0.03, 0.2),
        pinned=True,
    ),
)


#: Where a hydroborate's law changes at 70 degC, above all that is here, it is taken as that of
#: Arrhenius: the value that stands for another one of the set, with the range of that.
STANDS_FOR = {CONDUCTIVITY: REFERENCE, ENERGY: BELOW}
#: What only that law reads.
OF_LAW = (REFERENCE, BELOW, BELOW.replace("below", "above"))


def cell_of(
    name: str, family: Family, changes: Mapping[str, float] | None = None
) -> ss.ParameterSet:
    """A set as it is run: with the options of its family, and another cell of it.

    A layer's thickness is changed by a factor.
    """
    cell = ss.ParameterSet(name)
    if family.options:
        cell = cell.replace({SPREAD: 0.4}, family.options)
    if REFERENCE in cell:
        cell = cell.replace({new: cell[old] for new, old in STANDS_FOR.items()})
    scaled = {n: v * cell[n] if n.endswith("layer thickness [m]") else v
              for n, v in (changes or {}).items()}  # fmt: skip
    return cell.replace(scaled) if scaled else cell
