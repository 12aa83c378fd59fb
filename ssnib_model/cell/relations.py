"""How a cell is made: from die, masses, mass ratio and densities to what the model reads.

Every relation is a `Rule`. A value that is not given is derived by the rule that needs the
fewest given ones: that is about names and does not depend on the values. A value that is given
*and* follows from others must agree with them within `TOLERANCE`. What gives way where a value
that follows is changed is in `ssnib_model.cell.exchanges`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ssnib_model.cell.declared import activated_quantities
from ssnib_model.materials.sodium import DENSITY as SODIUM_DENSITY
from ssnib_model.materials.sodium import MOLAR_MASS as SODIUM_MOLAR_MASS
from ssnib_model.quantity import unit_of

#: Relative difference beyond which a given and a derived value contradict each other.
TOLERANCE = 0.02
#: The same for a sum that must be 1, which nobody measures.
ROUND_OFF = 1e-6

TIN_MOLAR_MASS = 0.118710  # kg/mol, IUPAC 2021


@dataclass(frozen=True, eq=False)
class Rule:
    """``target = compute(*inputs)``, all in the units of their names.

    Attributes
    ----------
    target : str
        What follows.
    inputs : tuple of str
        What it follows from.
    compute : callable
        Numbers to number.
    formula : str
        The same in words.
    form : str
        An "identity" holds whatever is given: a contradiction is said of its target. An
        "inverse" is an identity solved for another of its quantities. A "fill" only fills a
        gap: a target that is given may have any value.
    """

    target: str
    inputs: tuple[str, ...]
    compute: Callable[..., Any]
    formula: str
    form: Literal["identity", "inverse", "fill"] = "identity"


AREA, DIAMETER = "Electrode area [m2]", "Die diameter [m]"
_P = "Positive electrode"
COMPONENTS = ("active material", "electrolyte", "carbon")
PARTS = tuple(f"{_P} {c} mass part" for c in COMPONENTS)
DENSITIES = tuple(f"{_P} {c} density [kg.m-3]" for c in COMPONENTS)
FRACTIONS = tuple(f"{_P} {c} volume fraction" for c in COMPONENTS)
MASS, THICKNESS, VOID = f"{_P} mass [kg]", f"{_P} thickness [m]", f"{_P} void fraction"
ACTIVE_MASS = f"{_P} active material mass [kg]"
LOADING = f"{_P} active material loading [kg.m-2]"
CAPACITY, ONE_C = "Nominal cell capacity [A.h]", "Specific current at 1 C [A.kg-1]"
CONCENTRATION = "Maximum concentration in positive electrode [mol.m-3]"
SODIUM = f"{_P} cyclable sodium per formula unit"
MOLAR_MASS = f"{_P} active material molar mass [kg.mol-1]"
TIN, ALLOY = "Negative electrode tin amount [mol]", "Negative electrode alloy mass [kg]"
CONTENT = "Negative electrode as-made sodium content"
#: Of an anode of sodium metal.
METAL = tuple(
    f"Negative electrode sodium {of}" for of in ("thickness [m]", "mass [kg]", "amount [mol]")
)


def same(value: Any) -> Any:
    """A value, a function or table too, taken over as it is."""
    return value


def solids(am: float, se: float, c: float, rho_am: float, rho_se: float, rho_c: float) -> float:
    """Volume without voids [m3] of the composite that holds 1 kg of active material."""
    return (am / rho_am + se / rho_se + c / rho_c) / am


@functools.lru_cache(maxsize=100)
def rules(layers: tuple[str, ...], catholyte: str) -> tuple[Rule, ...]:
    """The relations between the parameters of a cell.

    Parameters
    ----------
    layers : tuple of str
        Names of the electrolyte layers, from the anode to the cathode.
    catholyte : str
        Name of the layer whose material fills the composite.
    """
    found = [
        Rule(AREA, (DIAMETER,), lambda d: math.pi / 4 * d**2, "pi/4 diameter^2"),
        Rule(DIAMETER, (AREA,), lambda A: math.sqrt(4 / math.pi * A),
             "of a disc of this area", "inverse"),
    ]  # fmt: skip
    for layer in layers:
        mass, thickness = f"{layer} layer mass [kg]", f"{layer} layer thickness [m]"
        made = (AREA, f"{layer} layer density [kg.m-3]", f"{layer} layer relative density")
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
                "inverse",
            ),
        ]
    found += [*_composite(), *_capacities()]
    fills = {
        f"{_P} electrolyte density [kg.m-3]": f"{catholyte} layer density [kg.m-3]",
        **{
            f"{_P} electrolyte conductivity {what}": f"{catholyte} layer conductivity {what}"
            for what in ("[S.m-1]", "activation energy [J.mol-1]", "reference temperature [K]")
        },
    }
    for target, source in fills.items():
        found.append(Rule(target, (source,), same, f"that of the {catholyte} layer", "fill"))
    found.append(Rule("Current function [A]", (CAPACITY,), same, "1 C", "fill"))
    common = "Reference temperature [K]"
    for quantity in activated_quantities(layers):
        target = f"{quantity} reference temperature [K]"
        found.append(Rule(target, (common,), same, "the common reference temperature", "fill"))
    return tuple(found)


def _composite() -> list[Rule]:
    """Masses, thickness, voids and volume fractions of the composite.

    Per area where that is possible: what does not depend on the area is not derived from it.
    """
    made = (*PARTS, *DENSITIES)
    found = [
        Rule(ACTIVE_MASS, (MASS, *PARTS), lambda m, am, se, c: m * am / (am + se + c),
             "mass x active material part / sum of parts"),
        Rule(LOADING, (ACTIVE_MASS, AREA), lambda m, A: m / A, "active material mass / area"),
        Rule(ACTIVE_MASS, (LOADING, AREA), lambda w, A: w * A, "loading x area", "inverse"),
        Rule(MASS, (ACTIVE_MASS, *PARTS), lambda m, am, se, c: m * (am + se + c) / am,
             "active material mass x sum of parts / active material part", "inverse"),
        # the solids and the voids fill the composite
        Rule(THICKNESS, (LOADING, VOID, *made),
             lambda w, void, *made: w * solids(*made) / (1 - void),
             "volume of solids / (area (1 - void fraction))"),
        Rule(VOID, (LOADING, THICKNESS, *made),
             lambda w, L, *made: 1 - w * solids(*made) / L,
             "1 - volume of solids / (area thickness)", "inverse"),
        Rule(LOADING, (THICKNESS, VOID, *made),
             lambda L, void, *made: L * (1 - void) / solids(*made),
             "thickness (1 - void fraction) / volume of solids per active material", "inverse"),
        # what is described by volumes
        Rule(VOID, FRACTIONS, lambda *phi: 1 - sum(phi), "1 - sum of volume fractions", "inverse"),
        Rule(LOADING, (FRACTIONS[0], DENSITIES[0], THICKNESS), lambda phi, rho, L: phi * rho * L,
             "volume fraction x density x thickness", "inverse"),
        Rule(THICKNESS, (LOADING, FRACTIONS[0], DENSITIES[0]), lambda w, phi, rho: w / phi / rho,
             "loading / (volume fraction x density)", "inverse"),
        Rule(MASS, (AREA, THICKNESS, *FRACTIONS, *DENSITIES),
             lambda A, L, *x: A * L * sum(p * r for p, r in zip(x[:3], x[3:], strict=True)),
             "area x thickness x sum of volume fraction x density", "inverse"),
        # only their ratios mean something: where there are no parts, their sum is 1
        Rule(PARTS[0], (*FRACTIONS, *DENSITIES),
             lambda *x: x[0] * x[3] / sum(p * r for p, r in zip(x[:3], x[3:], strict=True)),
             "mass fraction", "fill"),
    ]  # fmt: skip
    for k, component in enumerate(COMPONENTS):
        part, density, fraction = PARTS[k], DENSITIES[k], FRACTIONS[k]
        found += [
            Rule(fraction, (VOID, part, density, *made),
                 lambda void, part, density, *made: (
                     (1 - void) * part / density / (made[0] * solids(*made))
                 ),
                 f"(1 - void fraction) x volume of {component} / volume of solids"),
            Rule(fraction, (LOADING, part, PARTS[0], density, THICKNESS),
                 lambda w, part, am, density, L: w * part / am / density / L,
                 f"volume of {component} / (area thickness)"),
        ]  # fmt: skip
        if k > 0:
            found.append(
                Rule(
                    part,
                    (PARTS[0], fraction, density, FRACTIONS[0], DENSITIES[0]),
                    lambda am, phi, rho, phi_am, rho_am: am * phi * rho / (phi_am * rho_am),
                    "active material part x ratio of the masses in a volume",
                    "inverse",
                )
            )
    return found


def _capacities() -> list[Rule]:
    """Charge of the cathode, and what the anode is made of."""
    made = (f"{_P} active material density [kg.m-3]", MOLAR_MASS)

    def per_tin(y: float) -> float:
        return TIN_MOLAR_MASS + y * SODIUM_MOLAR_MASS

    return [
        Rule(CAPACITY, (ACTIVE_MASS, ONE_C), lambda m, q: m * q,
             "active material mass x specific current at 1 C x 1 h"),
        Rule(ONE_C, (CAPACITY, ACTIVE_MASS), lambda Q, m: Q / m,
             "nominal capacity / active material mass / 1 h", "inverse"),
        Rule(CONCENTRATION, (*made, SODIUM), lambda density, M, sodium: sodium * density / M,
             "cyclable sodium x density / molar mass"),
        Rule(SODIUM, (CONCENTRATION, *made), lambda c, density, M: c * M / density,
             "maximum concentration x molar mass / density", "inverse"),
        Rule(TIN, (ALLOY, CONTENT), lambda m, y: m / per_tin(y),
             "alloy mass / (M_Sn + sodium content x M_Na)"),
        Rule(ALLOY, (TIN, CONTENT), lambda n, y: n * per_tin(y),
             "tin amount x (M_Sn + sodium content x M_Na)", "inverse"),
        Rule(METAL[1], (METAL[0], AREA), lambda L, A: L * A * SODIUM_DENSITY,
             "thickness x area x density of sodium"),
        Rule(METAL[0], (METAL[1], AREA), lambda m, A: m / (A * SODIUM_DENSITY),
             "mass / (area x density of sodium)", "inverse"),
        Rule(METAL[2], (METAL[1],), lambda m: m / SODIUM_MOLAR_MASS, "sodium mass / M_Na"),
        Rule(METAL[1], (METAL[2],), lambda n: n * SODIUM_MOLAR_MASS,
             "sodium amount x M_Na", "inverse"),
    ]  # fmt: skip


# -------------------------------------------------------------------- derivation, by names
@dataclass(frozen=True)
class Derivation:
    """How all that is known follows from what is given.

    Attributes
    ----------
    steps : tuple of Rule
        In an order in which they can be computed.
    support : dict
        For every known name the given names that its value depends on.
    """

    steps: tuple[Rule, ...]
    support: dict[str, frozenset[str]]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Given and derived values by name."""
        known = dict(given)
        for rule in self.steps:
            known[rule.target] = rule.compute(*[known[name] for name in rule.inputs])
        return known


def derivation_of(
    given: Iterable[str],
    relations: Sequence[Rule],
    functions: Collection[str] = (),
    not_filled: str | None = None,
) -> Derivation:
    """How all else follows from some names that are given.

    Of several rules for a name the one that depends on the fewest given names is taken, the
    first of equals.

    Parameters
    ----------
    given : iterable of str
        Names.
    relations : sequence of Rule
        See `rules`.
    functions : collection of str, optional
        Those of the names whose values are no numbers.
    not_filled : str, optional
        A name that is derived by identities only.

    Returns
    -------
    Derivation
    """
    support = {name: frozenset((name,)) for name in given}
    not_numbers = set(functions)
    steps: list[Rule] = []
    waiting = [r for r in relations if r.target not in support]
    waiting = [r for r in waiting if r.target != not_filled or r.form != "fill"]
    ready: dict[Rule, frozenset[str]] = {}
    while True:
        for rule in waiting:
            if rule in ready or not all(name in support for name in rule.inputs):
                continue
            if rule.compute is same or not_numbers.isdisjoint(rule.inputs):
                ready[rule] = frozenset().union(*[support[name] for name in rule.inputs])
        if not ready:
            return Derivation(tuple(steps), support)
        # the first of those that need the fewest, in the order of the relations
        rule = min((r for r in waiting if r in ready), key=lambda r: len(ready[r]))
        steps.append(rule)
        support[rule.target] = ready[rule]
        if not not_numbers.isdisjoint(rule.inputs):
            not_numbers.add(rule.target)
        waiting = [r for r in waiting if r.target != rule.target]
        ready = {r: needed for r, needed in ready.items() if r.target != rule.target}


def derive(given: Mapping[str, float], relations: Sequence[Rule]) -> dict[str, tuple[float, Rule]]:
    """Everything that follows from ``given``: name -> (value, the rule that gave it)."""
    derivation = derivation_of(given, relations)
    values = derivation.values(given)
    return {rule.target: (values[rule.target], rule) for rule in derivation.steps}


def contradictions(
    given: Mapping[str, float], relations: Sequence[Rule], targets: Iterable[str]
) -> list[str]:
    """One sentence for each of ``targets`` that is given but follows differently from others.

    The target is left out and derived again from all the others. Of one contradiction only the
    side is told that the cell is not made with, if there is one.
    """
    identities = {rule.target for rule in relations if rule.form == "identity"}
    sentences: dict[bool, list[str]] = {True: [], False: []}
    for target in targets:
        others = {name: value for name, value in given.items() if name != target}
        derivation = derivation_of(others, relations, not_filled=target)
        rule = next((rule for rule in derivation.steps if rule.target == target), None)
        if rule is None:
            continue
        value = derivation.values(others)[target]
        if not abs(given[target] - value) <= TOLERANCE * abs(value):
            unit = "" if unit_of(target) == "1" else f" {unit_of(target)}"
            sentences[target in identities].append(
                f'"{target}" is given as {given[target]:.6g}{unit}, but {value:.6g}{unit} '
                f"follows from {rule.formula} ({', '.join(rule.inputs)}): they may differ by "
                f"{TOLERANCE:.0%} at most; remove one or correct it"
            )
    return sentences[True] or sentences[False]


def check_activation(values: Mapping[str, Any]) -> list[str]:
    """A sentence if more material would be accessible after activation than there is."""
    fraction = "Positive electrode accessible fraction"
    gain = f"{fraction} gain by activation"
    first, more = values.get(fraction), values.get(gain)
    if not isinstance(first, float) or not isinstance(more, float) or first * (1 + more) <= 1:
        return []
    return [
        f'"{gain}" is {more:g}: with "{fraction}" = {first:g} more would be accessible in the end '
        f"than there is; it must be at most {1 / first - 1:.4g}"
    ]


def check_composition(values: Mapping[str, Any], tolerance: float = ROUND_OFF) -> list[str]:
    """One sentence for each thing about the composite or the test that cannot be.

    Parameters
    ----------
    values : mapping of str to float
        All values.
    tolerance : float, optional
        Of the sum of volume fractions and voids.
    """
    problems = []
    fractions = {n: values[n] for n in FRACTIONS if n in values}
    # voids that follow may be less than nothing
    if VOID in values and sum(fractions.values()) <= 1 + tolerance:
        fractions[VOID] = values[VOID]
    total, complete = sum(fractions.values()), len(fractions) == 4
    if total > 1 + tolerance or (complete and total < 1 - tolerance):
        listed = " + ".join(
            f"{n.removeprefix(_P + ' ').removesuffix(' volume fraction')} {v:.4g}"
            for n, v in fractions.items()
        )
        problems.append(
            f"the volume fractions of the positive electrode add up to {total:.4g} ({listed}): "
            f"{'1 is needed' if complete else 'at most 1 is possible'}"
        )
    low, high = values.get("Lower voltage cut-off [V]"), values.get("Upper voltage cut-off [V]")
    if low is not None and high is not None and low >= high:
        problems.append(
            f'"Lower voltage cut-off [V]" is {low:g}: it must be below "Upper voltage cut-off '
            f'[V]", which is {high:g}'
        )
    return problems
