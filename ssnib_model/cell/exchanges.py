"""What gives way where a value is changed that follows from others.

`exchanges` says what, and `plan` carries it out. All of this is about names, and does not depend
on the values: a `Plan` is made once for each set of names.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ssnib_model.cell.relations import (
    ACTIVE_MASS,
    ALLOY,
    AREA,
    CAPACITY,
    CONCENTRATION,
    DIAMETER,
    FRACTIONS,
    LOADING,
    MASS,
    METAL,
    ONE_C,
    PARTS,
    SODIUM,
    THICKNESS,
    TIN,
    VOID,
    Derivation,
    Rule,
    derivation_of,
    rules,
)

#: A column of a design that ends so names the solid electrolyte of a layer.
MATERIAL = " layer material"


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
    found = pair(AREA, DIAMETER, "a die of another size, with the same masses in it")
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


# -------------------------------------------------------------------- plan of a change
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
    return derivation_of(others, relations, not_filled=name).support.get(name, frozenset())


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
    known = derivation_of(given, relations).support
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
        derivation_of(every, relations, functions),
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
    "Positive electrode electrolyte density [kg.m-3]",
    "Positive electrode electrolyte conductivity [S.m-1]",
    "Positive electrode electrolyte conductivity activation energy [J.mol-1]",
    "Positive electrode electrolyte conductivity reference temperature [K]",
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
