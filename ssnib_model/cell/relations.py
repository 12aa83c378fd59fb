"""How a cell is made: from die, masses, mass ratio and densities to what the model reads.

Every relation is a `Rule`. A value that is not given is derived by the rule that needs the
fewest given ones. A value that is given *and* follows from others must agree with them within
`TOLERANCE`. Where a value that follows from others is changed, something else must give way:
`exchanges` says what, and `plan` carries it out. All of this is about names, and does not
depend on the values: `plan` and `Derivation` are made once for each set of names.
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

#: A column of a design that ends so names the solid electrolyte of a layer.
MATERIAL = " layer material"


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


@dataclass(frozen=True)
class Exchange:
    """What happens to the others when a quantity is changed that follows from them.

    Attributes
    ----------
    kept : tuple of str
        These keep their present values, as if they had been given.
    gives_way : tuple of str
        Those of them that are given, and would contradict, are given no more and follow.
    meaning : str
        What such a change means, for people.
    """

    kept: tuple[str, ...]
    gives_way: tuple[str, ...]
    meaning: str


_AREA, _DIAMETER = "Electrode area [m2]", "Die diameter [m]"
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
        Rule(_AREA, (_DIAMETER,), lambda d: math.pi / 4 * d**2, "pi/4 diameter^2"),
        Rule(_DIAMETER, (_AREA,), lambda A: math.sqrt(4 / math.pi * A),
             "of a disc of this area", "inverse"),
    ]  # fmt: skip
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
        Rule(LOADING, (ACTIVE_MASS, _AREA), lambda m, A: m / A, "active material mass / area"),
        Rule(ACTIVE_MASS, (LOADING, _AREA), lambda w, A: w * A, "loading x area", "inverse"),
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
        Rule(MASS, (_AREA, THICKNESS, *FRACTIONS, *DENSITIES),
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
        Rule(METAL[1], (METAL[0], _AREA), lambda L, A: L * A * SODIUM_DENSITY,
             "thickness x area x density of sodium"),
        Rule(METAL[0], (METAL[1], _AREA), lambda m, A: m / (A * SODIUM_DENSITY),
             "mass / (area x density of sodium)", "inverse"),
        Rule(METAL[2], (METAL[1],), lambda m: m / SODIUM_MOLAR_MASS, "sodium mass / M_Na"),
        Rule(METAL[1], (METAL[2],), lambda n: n * SODIUM_MOLAR_MASS,
             "sodium amount x M_Na", "inverse"),
    ]  # fmt: skip


@functools.lru_cache(maxsize=100)
def exchanges(layers: tuple[str, ...]) -> dict[str, Exchange]:
    """What gives way to a change, by the name that is changed.

    Changes at once are carried out in this order.
    """

    def pair(a: str, b: str, meaning: str) -> dict[str, Exchange]:
        return {a: Exchange((), (b,), meaning), b: Exchange((), (a,), meaning)}

    def without(names: Sequence[str], name: str) -> tuple[str, ...]:
        return tuple(n for n in names if n != name)

    masses = (LOADING, ACTIVE_MASS, MASS)
    found = pair(_AREA, _DIAMETER, "a die of another size, with the same masses in it")
    for layer in layers:
        found |= pair(
            f"{layer} layer mass [kg]",
            f"{layer} layer thickness [m]",
            "another thickness of the same, equally dense layer",
        )
    found[VOID] = Exchange(
        (MASS, *PARTS),
        (THICKNESS, *FRACTIONS),
        "the same mass of composite pressed more or less",
    )
    for name in FRACTIONS:
        found[name] = Exchange(
            (THICKNESS, *without(FRACTIONS, name)),
            (VOID, *masses, *PARTS[1:]),
            "a composite described by volumes: the same thickness, voids in exchange",
        )
    for name in PARTS:
        found[name] = Exchange(
            (MASS, *without(PARTS, name), VOID),
            (*FRACTIONS, THICKNESS),
            "another composition of the same mass of composite, pressed as well",
        )
    found[THICKNESS] = Exchange((), (VOID, *masses), "the same mass pressed to another thickness")
    for name in masses:
        found[name] = Exchange(
            (VOID,),
            (*without(masses, name), THICKNESS),
            "more or less of the same composite, pressed as well",
        )
    found |= pair(CAPACITY, ONE_C, "another current at 1 C for the same cell")
    found |= pair(CONCENTRATION, SODIUM, "another amount of sodium that cycles")
    found |= pair(TIN, ALLOY, "another amount of the same alloy")
    for name in METAL:
        found[name] = Exchange((), without(METAL, name), "another amount of sodium metal")
    return found


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


def _derivation(
    given: Iterable[str],
    relations: Sequence[Rule],
    functions: Collection[str] = (),
    not_filled: str | None = None,
) -> Derivation:
    """`Derivation` from the names ``given``, of which ``functions`` are no numbers.

    Of several rules for a name the one that depends on the fewest given names is taken, the
    first of equals. ``not_filled`` is derived by identities only.
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


def _follows(name: str, given: Iterable[str], relations: Sequence[Rule]) -> bool:
    """Whether ``name`` would follow from the others, were it not given, but to fill a gap."""
    known = set(given) - {name}
    waiting = [r for r in relations if r.target not in known]
    waiting = [r for r in waiting if r.target != name or r.form != "fill"]
    while True:
        now = {r.target for r in waiting if known.issuperset(r.inputs)}
        if name in now or not now:
            return bool(now)
        known |= now
        waiting = [r for r in waiting if r.target not in known]


def _causes(name: str, given: Iterable[str], relations: Sequence[Rule]) -> frozenset[str]:
    """The given names that ``name`` would follow from, were it not given."""
    others = [n for n in given if n != name]
    return _derivation(others, relations, not_filled=name).support.get(name, frozenset())


@dataclass(frozen=True)
class Plan:
    """What a change of some names does, whatever the values.

    Attributes
    ----------
    kept : dict
        Derived names that become given, with their present values, and the change that asks
        for it.
    given_up : dict
        Given names that follow from now on, with the change that they give way to.
    derivation : Derivation
        From what is given afterwards.
    redundant : tuple of str
        Names given afterwards that follow from the others: they may contradict.
    """

    kept: dict[str, str]
    given_up: dict[str, str]
    derivation: Derivation
    redundant: tuple[str, ...]


@functools.lru_cache(maxsize=1000)
def plan(
    layers: tuple[str, ...],
    catholyte: str,
    given: tuple[str, ...],
    functions: tuple[str, ...] = (),
    changed: tuple[str, ...] = (),
) -> Plan:
    """What gives way, is kept and follows when ``changed`` are given anew.

    Parameters
    ----------
    layers, catholyte
        As for `rules`.
    given : tuple of str
        Names that are given before.
    functions : tuple of str
        Those of the names, given before or changed, whose values are no numbers afterwards.
    changed : tuple of str
        Names that are changed at once.

    Returns
    -------
    Plan
    """
    relations, table = rules(layers, catholyte), exchanges(layers)
    targets = {rule.target for rule in relations if rule.form != "fill"}
    known = _derivation(given, relations).support
    # a function follows from nothing
    basis = dict.fromkeys(n for n in (*given, *changed) if n not in functions)
    kept: dict[str, str] = {}
    given_up: dict[str, str] = {}
    for name in (n for n in table if n in changed and n not in functions):
        exchange = table[name]
        keeping = [n for n in exchange.kept if n in known and n not in basis]
        for other in exchange.gives_way:
            if other not in basis or other in changed:
                continue
            if _follows(other, [*basis, *keeping], relations):
                del basis[other]
                kept.pop(other, None)
                if other in given:
                    given_up[other] = name
        for other in keeping:
            if not _follows(other, basis, relations):
                basis[other] = None
                kept[other] = name
                given_up.pop(other, None)
    redundant = [n for n in basis if n in targets and _follows(n, basis, relations)]
    # a measured value that agreed with others so far does not stand beside their change
    identities = {rule.target for rule in relations if rule.form == "identity"}
    for name in [n for n in redundant if n in identities and n not in changed]:
        cause = [n for n in changed if n in _causes(name, basis, relations)]
        if cause:
            del basis[name]
            given_up[name] = cause[0]
    redundant = [n for n in redundant if n in basis and _follows(n, basis, relations)]
    every = (*basis, *functions)
    return Plan(
        {n: cause for n, cause in kept.items() if n not in given},
        given_up,
        _derivation(every, relations, functions),
        tuple(redundant),
    )


# -------------------------------------------------------------------- what follows
#: What another electrolyte in a layer may change, of the layer and of a composite filled with it.
_SWAPPED = (
    "{layer} layer thickness [m]",
    "{layer} layer density [kg.m-3]",
    "{layer} layer conductivity [S.m-1]",
    "{layer} layer conductivity activation energy [J.mol-1]",
    "{layer} layer conductivity reference temperature [K]",
)
_SWAPPED_CATHOLYTE = (
    f"{_P} electrolyte density [kg.m-3]",
    f"{_P} electrolyte conductivity [S.m-1]",
    f"{_P} electrolyte conductivity activation energy [J.mol-1]",
    f"{_P} electrolyte conductivity reference temperature [K]",
)


def dependents(
    names: Iterable[str],
    layers: tuple[str, ...],
    catholyte: str,
    given: tuple[str, ...],
    functions: tuple[str, ...] = (),
) -> set[str]:
    """Every name whose value may change when those of ``names`` do.

    Parameters
    ----------
    names : iterable of str
        Names that change, at once or one after the other; "<layer> layer material" stands for
        another electrolyte in a layer.
    layers, catholyte
        As for `rules`.
    given, functions : tuple of str
        As for `plan`.

    Returns
    -------
    set of str
        ``names`` included, but for materials; and what follows by another rule than before,
        which may differ by round-off. All others keep their values to the last digit.
    """
    changed: dict[str, None] = {}
    for name in names:
        layer = name.removesuffix(MATERIAL)
        if name.endswith(MATERIAL) and layer in layers:
            changed |= dict.fromkeys(template.format(layer=layer) for template in _SWAPPED)
            changed |= dict.fromkeys(_SWAPPED_CATHOLYTE if layer == catholyte else ())
        else:
            changed[name] = None
    alone = [(name,) for name in changed] if len(changed) > 1 else []
    found = set(changed)
    for together in (tuple(changed), *alone):
        found |= _changed_by(together, layers, catholyte, given, functions)
    return found


@functools.lru_cache(maxsize=1000)
def _changed_by(
    names: tuple[str, ...],
    layers: tuple[str, ...],
    catholyte: str,
    given: tuple[str, ...],
    functions: tuple[str, ...],
) -> frozenset[str]:
    before = plan(layers, catholyte, given, functions).derivation.steps
    after = plan(layers, catholyte, given, functions, names).derivation.steps
    by_name = {rule.target: rule for rule in before}
    # the same rule of the same values gives the same digits; any other may not
    found = set(names)
    for rule in after:
        if rule is not by_name.get(rule.target) or not found.isdisjoint(rule.inputs):
            found.add(rule.target)
    return frozenset(found)


def derive(given: Mapping[str, float], relations: Sequence[Rule]) -> dict[str, tuple[float, Rule]]:
    """Everything that follows from ``given``: name -> (value, the rule that gave it)."""
    derivation = _derivation(given, relations)
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
        derivation = _derivation(others, relations, not_filled=target)
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


def override_table() -> str:
    """What follows from an override of each value, as a table in Markdown."""
    relations, table = rules(("<layer>",), "<layer>"), exchanges(("<layer>",))
    lines = ["| Changed | Means | Keeps its value | Gives way, and follows |", "|---|---|---|---|"]
    shown = {rule.target for rule in relations if rule.form != "fill"}

    def listed(names: tuple[str, ...]) -> str:
        return ", ".join(names) or "-"

    for name, exchange in table.items():
        if name in shown:
            kept, gives_way = listed(exchange.kept), listed(exchange.gives_way)
            lines.append(f"| {name} | {exchange.meaning} | {kept} | {gives_way} |")
    return "\n".join(lines) + "\n"
