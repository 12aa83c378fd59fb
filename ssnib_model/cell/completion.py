"""What completes a set: from the values given to all values, and what is wrong with them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ssnib_model.cell import declared, effects, relations, temperature
from ssnib_model.cell.exchanges import Plan
from ssnib_model.cell.relations import Rule
from ssnib_model.cell.stack import Stack
from ssnib_model.cell.values import (
    OVERRIDING_KINDS,
    FunctionValue,
    ParameterInfo,
    shown,
    value_problem,
)
from ssnib_model.quantity import Quantity, unit_of
from ssnib_model.words import suggestion


def checked(
    changes: Mapping[str, Any], known: Mapping[str, Quantity]
) -> tuple[dict[str, ParameterInfo], list[str], list[str]]:
    """Changes that a user wants, as far as they are allowed.

    Parameters
    ----------
    changes : mapping of str to float
        Values by name: numbers, functions or whole `ParameterInfo`.
    known : mapping of str to Quantity
        All names of the stack.

    Returns
    -------
    dict
        The same as `ParameterInfo`; a value alone is of kind "user".
    list of str
        Names of those that were a value alone.
    list of str
        One sentence for each that is not allowed.
    """
    changed: dict[str, ParameterInfo] = {}
    plain, problems = [], []
    for name, value in changes.items():
        quantity = known.get(name)
        if quantity is None:
            problems.append(f'unknown parameter "{name}"{suggestion(name, known)}')
            continue
        info = value if isinstance(value, ParameterInfo) else None
        value = info.value if info else value
        problem = value_problem(value, quantity, unit_of(name))
        if problem:
            problems.append(f'"{name}" {problem}')
        elif info:
            changed[name] = info
        else:
            is_function = callable(getattr(value, "to_pybamm", value))
            value = value if is_function else float(value)
            changed[name] = ParameterInfo(name, value, unit_of(name), "user")
            plain.append(name)
    return changed, plain, problems


@dataclass(frozen=True)
class Completed:
    """All values of a cell, and how they came about.

    Attributes
    ----------
    given : dict
        What is given, in the end.
    given_up : dict
        Of what gave way and follows now, what it was and for what it gave way.
    values : dict
        All, those given first.
    problems : list of str
        One sentence for each thing that is wrong.
    """

    given: dict[str, ParameterInfo]
    given_up: dict[str, str]
    values: dict[str, ParameterInfo]
    problems: list[str]


def give(stack: Stack, given: Mapping[str, ParameterInfo]) -> Completed:
    """All values from those given at once.

    Values of a kind that overrides stand as changes of those that they contradict: older
    files have both.
    """
    redundant = stack.plan(given, {}).redundant
    changed = {n: given[n] for n in redundant if given[n].kind in OVERRIDING_KINDS}
    return change(stack, {n: i for n, i in given.items() if n not in changed}, changed)


def change(
    stack: Stack, given: Mapping[str, ParameterInfo], changed: Mapping[str, ParameterInfo]
) -> Completed:
    """All values from ``given``, with ``changed`` in their place."""
    present: Mapping[str, ParameterInfo] = {}
    if changed:
        present = carry_out(stack, stack.plan(given, {}), given, {}, {}).values
    return carry_out(stack, stack.plan(given, changed), given, changed, present)


def carry_out(
    stack: Stack,
    plan: Plan,
    given: Mapping[str, ParameterInfo],
    changed: Mapping[str, ParameterInfo],
    present: Mapping[str, ParameterInfo],
    given_up: Mapping[str, str] | None = None,
) -> Completed:
    """Give ``changed`` over ``given`` and derive the rest.

    Parameters
    ----------
    stack : Stack
        Of the cell.
    plan : Plan
        What the change does, see `Stack.plan`.
    given, changed : mapping of str to ParameterInfo
        Values given before, and those given now.
    present : mapping of str to ParameterInfo
        All values before the change.
    given_up : mapping of str to str, optional
        What gave way to earlier changes.

    Returns
    -------
    Completed
    """
    known = stack.known
    now = {n: i for n, i in given.items() if n not in plan.given_up} | dict(changed)
    for name, cause in plan.kept.items():
        old = present[name]
        note = f'{old.note}; kept as "{cause}" was changed'
        now[name] = dataclasses.replace(old, kind="derived", note=note)
    lost = {n: text for n, text in (given_up or {}).items() if n not in now}
    for name, cause in plan.given_up.items():
        old = given[name]
        lost[name] = f'given up for "{cause}", was {shown(old)} ({old.kind})'
    infos = dict(now)
    values = plan.derivation.values({n: i.value for n, i in now.items()})
    problems = []
    for rule in plan.derivation.steps:
        name, value = rule.target, values[rule.target]
        unit, note = unit_of(name), rule.formula
        if name in lost:
            note = f"{note}; {lost[name]}"
        infos[name] = ParameterInfo(name, value, unit, "derived", note=note)
        quantity = known[name]
        if rule.form == "inverse" and not quantity.in_model and name != relations.VOID:
            continue  # a mass of what is described otherwise, however small: nothing reads it
        problem = value_problem(value, quantity, unit)
        if problem:
            problems.append(
                f'"{name}" {problem}; it follows from {rule.formula} ({", ".join(rule.inputs)})'
            )
    for name, info in _defaults(stack.layers).items():
        infos.setdefault(name, info)
    temperature.follow(infos, known)
    problems += missing(stack, infos)
    problems += temperature.problems(infos, now, known)
    problems += effects.off_but_given(stack, infos)
    problems += _used_but_missing(infos, now)
    tolerance = relations.ROUND_OFF
    if plan.redundant:
        numbers = {n: i.value for n, i in now.items() if isinstance(i.value, float)}
        problems += relations.contradictions(numbers, stack.rules, plan.redundant)
        tolerance = relations.TOLERANCE
    every = {n: i.value for n, i in infos.items()}
    problems += relations.check_composition(every, tolerance)
    if stack.options["accessible fraction"] == "ageing":
        problems += relations.check_activation(every)
    return Completed(now, lost, infos, problems)


@functools.lru_cache(maxsize=100)
def _defaults(layers: tuple[str, ...]) -> dict[str, ParameterInfo]:
    """What is assumed where nothing is given and nothing follows."""
    found = {}
    for name, quantity in declared.known_names(layers).items():
        if quantity.default is not None:
            found[name] = ParameterInfo(
                name, quantity.default, unit_of(name), "assumed", note="default"
            )
        elif name.endswith("interface resistance activation energy [J.mol-1]"):
            note = "default: no temperature dependence"
            found[name] = ParameterInfo(name, 0.0, "J.mol-1", "assumed", note=note)
    return found


# -------------------------------------------------------------------- what is missing
def missing(stack: Stack, present: Container[str]) -> list[str]:
    """One sentence for each parameter that the models read and that is not ``present``."""
    known, all_rules = stack.known, stack.rules
    sentences = []
    common: dict[str, list[str]] = {}
    for name, quantity in known.items():
        is_read = quantity.in_model and not quantity.is_argument
        if name in present or not is_read or quantity.unread_with(stack.options):
            continue
        rules = [rule for rule in all_rules if rule.target == name]
        # what would only be taken over from another name: that one is told, once
        taken = [r.inputs[0] for r in rules if r.form == "fill" and len(r.inputs) == 1]
        if taken and not any(source in present for source in taken):
            if not any(known[source].in_model for source in taken):
                common.setdefault(taken[0], []).append(name)
            continue
        needed = [list(dict.fromkeys(n for n in r.inputs if n not in present)) for r in rules]
        needs = "".join(f", or give {', '.join(some)}" for some in needed if some)
        sentences.append(f'"{name}" is missing: give it{needs}')
    for source, names in common.items():
        also = f" and {len(names) - 1} more" if len(names) > 1 else ""
        sentences.append(f'"{source}" is missing: give it, or give "{names[0]}"{also}')
    return sentences


def would_be_present(stack: Stack, given: Iterable[str]) -> set[str]:
    """Names of all that would have a value if those ``given`` had one."""
    present = {*given, *_defaults(stack.layers)}
    while True:
        more = {r.target for r in stack.rules if present.issuperset(r.inputs)} - present
        if not more:
            return present
        present |= more


def _used_but_missing(
    infos: Mapping[str, ParameterInfo], given: Mapping[str, ParameterInfo]
) -> list[str]:
    """One sentence for each parameter that a function names and that has no value."""
    return [
        f'"{used}" is missing: "{info.name}" uses it'
        for info in given.values()
        if isinstance(info.value, FunctionValue)
        for used in info.value.arguments.values()
        if isinstance(used, str) and used not in infos
    ]


# -------------------------------------------------------------------- notes
def note_of_change(
    name: str,
    old: ParameterInfo | None,
    plan: Plan,
    given: Mapping[str, ParameterInfo],
    rules: Iterable[Rule],
) -> str:
    """What is to be said of a value that was replaced.

    Parameters
    ----------
    name : str
        Its name.
    old : ParameterInfo or None
        What it was.
    plan : Plan
        Of all the changes.
    given : mapping of str to ParameterInfo
        What was given before.
    rules : iterable of Rule
        The relations of the stack.
    """
    if old is None:
        note = "replaces nothing"
    elif old.kind == "derived":
        note = f"overrides the derived value {shown(old)}: {old.note}"
        if any(rule.form == "fill" and rule.target == name for rule in rules):
            note = f"{note}; does not follow any more"
    elif old.kind == "user" and old.note:
        note = old.note  # what it was before the first change
    else:
        note = f"replaces {shown(old)} ({old.kind})"
    lost = [f'"{n}" ({shown(given[n])})' for n, cause in plan.given_up.items() if cause == name]
    verb = "gives" if len(lost) == 1 else "give"
    return f"{note}; {', '.join(lost)} {verb} way" if lost else note
