"""How a cell is made: from die, masses, mass ratio and densities to what the model reads.

Every relation is a `Rule`. A value that is not given is derived by the first rule that can;
a value that is given *and* follows from others must agree with them within `TOLERANCE`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ssnib_model.cell.declared import activated_quantities
from ssnib_model.materials import sodium
from ssnib_model.quantity import unit_of

#: Relative difference beyond which a given and a derived value contradict each other.
TOLERANCE = 0.02

TIN_MOLAR_MASS = 0.118710  # kg/mol, IUPAC 2021
SODIUM_MOLAR_MASS = 0.02298977  # kg/mol, IUPAC 2021


@dataclass(frozen=True)
class Rule:
    """``target = compute(*inputs)``, all in the units of their names.

    A given target may contradict its inputs, unless the relation only fills a gap
    (``is_checked`` is False): a default, or the inverse of a relation that is checked.
    """

    target: str
    inputs: tuple[str, ...]
    compute: Callable[..., float]
    formula: str
    is_checked: bool = True


_AREA = "Electrode area [m2]"
_P = "Positive electrode"
_PARTS = tuple(f"{_P} {c} mass part" for c in ("active material", "electrolyte", "carbon"))
_DENSITIES = tuple(
    f"{_P} {c} density [kg.m-3]" for c in ("active material", "electrolyte", "carbon")
)


def solids_volume(mass, am, se, c, rho_am, rho_se, rho_c):
    """Volume without voids [m3] of a mass [kg] of composite with given mass parts."""
    return mass / (am + se + c) * (am / rho_am + se / rho_se + c / rho_c)


@functools.lru_cache(maxsize=100)
def rules(layers: tuple[str, ...], catholyte: str) -> list[Rule]:
    """The relations between the parameters of a cell.

    Parameters
    ----------
    layers : tuple of str
        Names of the electrolyte layers, from the anode to the cathode.
    catholyte : str
        Name of the layer whose material fills the composite.
    """
    found = [Rule(_AREA, ("Die diameter [m]",), lambda d: math.pi / 4 * d**2, "pi/4 diameter^2")]
    for layer in layers:
        mass, thickness = f"{layer} layer mass [kg]", f"{layer} layer thickness [m]"
        made = (_AREA, f"{layer} layer density [kg.m-3]", f"{layer} layer relative density")
        found += [
            Rule(
                thickness,
                (mass, *made),
                lambda m, area, density, relative: m / (area * density * relative),
                "mass / (area density relative density)",
            ),
            Rule(
                mass,
                (thickness, *made),
                lambda t, area, density, relative: t * area * density * relative,
                "thickness area density relative density",
                is_checked=False,
            ),
        ]

    mass, thickness = f"{_P} mass [kg]", f"{_P} thickness [m]"
    void, am_mass = f"{_P} void fraction", f"{_P} active material mass [kg]"
    made = (mass, *_PARTS, *_DENSITIES)
    found += [
        Rule(
            f"{_P} electrolyte density [kg.m-3]",
            (f"{catholyte} layer density [kg.m-3]",),
            lambda density: density,
            f"that of the {catholyte} layer",
            is_checked=False,
        ),
        Rule(
            thickness,
            (_AREA, void, *made),
            lambda area, void, *made: solids_volume(*made) / (area * (1 - void)),
            "volume of solids / (area (1 - void fraction))",
        ),
        Rule(
            void,
            (_AREA, thickness, *made),
            lambda area, thickness, *made: 1 - solids_volume(*made) / (area * thickness),
            "1 - volume of solids / (area thickness)",
            is_checked=False,
        ),
        Rule(
            am_mass,
            (mass, *_PARTS),
            lambda m, am, se, c: m * am / (am + se + c),
            "mass x active material part / sum of parts",
        ),
        Rule(
            f"{_P} active material loading [kg.m-2]",
            (am_mass, _AREA),
            lambda m, area: m / area,
            "active material mass / area",
        ),
        Rule(
            "Nominal cell capacity [A.h]",
            (am_mass, "Specific current at 1 C [A.kg-1]"),
            lambda m, specific: m * specific,
            "active material mass x specific current at 1 C x 1 h",
        ),
        Rule(
            "Current function [A]",
            ("Nominal cell capacity [A.h]",),
            lambda capacity: capacity,
            "1 C",
            is_checked=False,
        ),
        Rule(
            "Maximum concentration in positive electrode [mol.m-3]",
            (
                f"{_P} active material density [kg.m-3]",
                f"{_P} active material molar mass [kg.mol-1]",
                f"{_P} cyclable sodium per formula unit",
            ),
            lambda density, molar_mass, cyclable: cyclable * density / molar_mass,
            "cyclable sodium x density / molar mass",
        ),
        Rule(
            "Negative electrode tin amount [mol]",
            ("Negative electrode alloy mass [kg]", "Negative electrode as-made sodium content"),
            lambda m, y: m / (TIN_MOLAR_MASS + y * SODIUM_MOLAR_MASS),
            "alloy mass / (M_Sn + sodium content x M_Na)",
        ),
        Rule(
            "Negative electrode sodium mass [kg]",
            ("Negative electrode sodium thickness [m]", _AREA),
            lambda thickness, area: thickness * area * sodium.DENSITY,
            "thickness x area x density of sodium",
        ),
        Rule(
            "Negative electrode sodium amount [mol]",
            ("Negative electrode sodium mass [kg]",),
            lambda mass: mass / sodium.MOLAR_MASS,
            "sodium mass / M_Na",
        ),
    ]
    for component, part, density in zip(
        ("active material", "electrolyte", "carbon"), _PARTS, _DENSITIES, strict=True
    ):
        found.append(
            Rule(
                f"{_P} {component} volume fraction",
                (mass, part, *_PARTS, density, _AREA, thickness),
                lambda m, part, am, se, c, density, area, thickness: (
                    m * part / (am + se + c) / density / (area * thickness)
                ),
                f"volume of {component} / (area thickness)",
            )
        )
    for what in ("[S.m-1]", "activation energy [J.mol-1]", "reference temperature [K]"):
        found.append(
            Rule(
                f"{_P} electrolyte conductivity {what}",
                (f"{catholyte} layer conductivity {what}",),
                lambda value: value,
                f"that of the {catholyte} layer",
                is_checked=False,
            )
        )
    for quantity in activated_quantities(layers):
        found.append(
            Rule(
                f"{quantity} reference temperature [K]",
                ("Reference temperature [K]",),
                lambda T: T,
                "the common reference temperature",
                is_checked=False,
            )
        )
    return found


def derive(given: dict[str, float], relations: list[Rule]) -> dict[str, tuple[float, Rule]]:
    """Everything that follows from ``given``: name -> (value, the rule that gave it)."""
    known = dict(given)
    derived: dict[str, tuple[float, Rule]] = {}
    progress = True
    while progress:
        progress = False
        for rule in relations:
            if rule.target not in known and all(name in known for name in rule.inputs):
                known[rule.target] = rule.compute(*(known[name] for name in rule.inputs))
                derived[rule.target] = (known[rule.target], rule)
                progress = True
    return derived


def dependents(names: Iterable[str], relations: list[Rule]) -> set[str]:
    """``names`` and all that may follow from them by the rules."""
    found = set(names)
    while new := {r.target for r in relations if found & set(r.inputs)} - found:
        found |= new
    return found


def contradictions(
    given: dict[str, float], relations: list[Rule], targets: Iterable[str]
) -> list[str]:
    """One sentence for each of ``targets`` that is given but follows differently from others.

    The target is left out and derived again from all the others.
    """
    identities = [rule for rule in relations if rule.is_checked]
    derivable = {rule.target for rule in identities}
    sentences = []
    for target in targets:
        if target not in derivable:
            continue
        others = {name: value for name, value in given.items() if name != target}
        implied = derive(others, identities).get(target)
        if implied is None:
            continue
        value, rule = implied
        if abs(given[target] - value) > TOLERANCE * abs(value):
            unit = unit_of(target)
            sentences.append(
                f'"{target}" is given as {given[target]:.6g} {unit}, but {value:.6g} {unit} '
                f"follows from {rule.formula} ({', '.join(rule.inputs)}): they may differ by "
                f"{TOLERANCE:.0%} at most; remove one or correct it"
            )
    return sentences


def check_composition(values: dict[str, float]) -> list[str]:
    """One sentence for each thing about the composite or the test that cannot be."""
    problems = []
    fractions = {
        c: values[f"{_P} {c} volume fraction"]
        for c in ("active material", "electrolyte", "carbon")
        if f"{_P} {c} volume fraction" in values
    }
    if sum(fractions.values()) > 1 + 1e-9:
        listed = " + ".join(f"{c} {v:.4g}" for c, v in fractions.items())
        problems.append(
            f"the volume fractions of the positive electrode add up to "
            f"{sum(fractions.values()):.4g} ({listed}): at most 1 is possible"
        )
    low, high = values.get("Lower voltage cut-off [V]"), values.get("Upper voltage cut-off [V]")
    if low is not None and high is not None and low >= high:
        problems.append(
            f'"Lower voltage cut-off [V]" is {low:g}: it must be below "Upper voltage cut-off '
            f'[V]", which is {high:g}'
        )
    return problems
