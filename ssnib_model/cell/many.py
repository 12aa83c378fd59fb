"""The values of many cells that differ in some numbers, at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ssnib_model.cell import temperature
from ssnib_model.cell.relations import FRACTIONS, ROUND_OFF, VOID, Rule
from ssnib_model.cell.stack import Stack
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.quantity import unit_of

LOW, HIGH = "Lower voltage cut-off [V]", "Upper voltage cut-off [V]"


def values_of_many(
    stack: Stack,
    given: Mapping[str, ParameterInfo],
    present: Mapping[str, ParameterInfo],
    changes: Mapping[str, np.ndarray],
) -> tuple[dict[str, Any], np.ndarray] | None:
    """What `ssnib_model.cell.completion.carry_out` gives for each of many changes.

    Parameters
    ----------
    stack : Stack
        Of the cells.
    given, present : mapping of str to ParameterInfo
        What is given and all values before the change.
    changes : mapping of str to numpy.ndarray
        Numbers in their place, shape (members,).

    Returns
    -------
    values : dict
        Those that are given or follow: of shape (members,) where they differ.
    allowed : numpy.ndarray
        Which members may be, shape (members,); why the others may not, `carry_out` says.
    None
        In place of both where this has not the rules: with a contradiction to look at, or a
        function of the temperature.
    """
    known = stack.known
    if not changes or not changes.keys() <= known.keys() or temperature.laws(present, known):
        return None
    changed = {n: ParameterInfo(n, float(x[0]), unit_of(n), "user") for n, x in changes.items()}
    plan = stack.plan(given, changed)
    if plan.redundant:
        return None
    values: dict[str, Any] = {n: i.value for n, i in given.items() if n not in plan.given_up}
    values |= changes
    values |= {name: present[name].value for name in plan.kept}
    allowed = np.ones(len(next(iter(changes.values()))), dtype=bool)
    unread = {rule.target for rule in plan.derivation.steps if rule.form == "inverse"}
    unread -= {VOID, *(name for name in unread if known[name].in_model)}
    with np.errstate(all="ignore"):  # what is no number is not allowed
        for rule in plan.derivation.steps:
            values[rule.target] = _computed(rule, [values[name] for name in rule.inputs])
        for name, x in values.items():
            quantity = known[name]
            if isinstance(x, np.ndarray) and name not in unread:
                allowed &= (quantity.low <= x) & (x <= quantity.high)
                if quantity.off is not None and quantity.unread_with(stack.options):
                    allowed &= x == quantity.off
    if not {*FRACTIONS, VOID, LOW, HIGH} <= values.keys():
        return None
    solid = sum(values[name] for name in FRACTIONS)
    allowed &= (solid <= 1 + ROUND_OFF) & (abs(solid + values[VOID] - 1) <= ROUND_OFF)
    allowed &= np.asarray(values[LOW] < values[HIGH])
    return values, allowed


def of_allowed(values: Mapping[str, Any], allowed: np.ndarray) -> tuple[dict[str, Any], list[int]]:
    """The values of those that may be, and which members these are."""
    own = {n: v[allowed] if isinstance(v, np.ndarray) else v for n, v in values.items()}
    return own, np.flatnonzero(allowed).tolist()


def _computed(rule: Rule, inputs: list[Any]) -> Any:
    """A rule on numbers and arrays."""
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    if not arrays:
        return rule.compute(*inputs)
    try:
        return rule.compute(*inputs)
    except TypeError:  # it takes numbers only
        rows = zip(*(np.broadcast_to(x, arrays[0].shape).tolist() for x in inputs), strict=True)
        return np.array([_number(rule, row) for row in rows])


def _number(rule: Rule, row: tuple[Any, ...]) -> float:
    try:
        return rule.compute(*row)
    except (ArithmeticError, ValueError):
        return math.nan
