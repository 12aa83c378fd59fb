"""Which values have an effect: what no equation reads, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ssnib_model.cell.stack import Stack
from ssnib_model.cell.values import FunctionValue, ParameterInfo
from ssnib_model.errors import OptionError
from ssnib_model.materials.transport import MOST_CARBON
from ssnib_model.quantity import Quantity

#: Options that a protocol has its own values of.
PROTOCOL_OPTIONS: dict[str, dict[str, Any]] = {
    "rate test": {},
    "impedance": {"surface form": "differential"},
}


def alternatives(values: Collection[Any]) -> str:
    """Values of an option, in words."""
    if isinstance(values, range):
        return f"{values.start} or more"
    return " or ".join(repr(value) for value in values)


def off_but_given(stack: Stack, infos: Mapping[str, ParameterInfo]) -> list[str]:
    """One sentence for each value that the options do not read, though it is another cell."""
    known, sentences = stack.known, []
    for name, info in infos.items():
        quantity = known[name]
        if quantity.off is not None and info.value != quantity.off:
            for option, values in quantity.unread_with(stack.options).items():
                sentences.append(
                    f'"{name}" is {info.value:g} but has no effect with the model '
                    f'option "{option}" = {stack.options[option]!r}: change the option to '
                    f"{alternatives(values)} too"
                )
    return sentences


def extrapolated(options: Mapping[str, Any], infos: Mapping[str, ParameterInfo]) -> list[str]:
    """A sentence where a law of transport is used beyond what it was fitted to."""
    name = "Positive electrode carbon volume fraction"
    if options["composite transport"] != "carbon percolation" or name not in infos:
        return []
    carbon = infos[name].value
    if not carbon > MOST_CARBON:
        return []
    return [
        f'"{name}" is {carbon:.2g}: the law "carbon percolation" is fitted to composites with '
        f"{MOST_CARBON:g} at most, and its threshold is extrapolated"
    ]


def unread(
    stack: Stack,
    infos: Mapping[str, ParameterInfo],
    given: Mapping[str, ParameterInfo],
    protocol: str | None = None,
) -> dict[str, str]:
    """Values of kind "user" that change nothing.

    Parameters
    ----------
    stack : Stack
        Of the cell.
    infos : mapping of str to ParameterInfo
        All values.
    given : mapping of str to ParameterInfo
        Those of them that were given.
    protocol : str, optional
        One of `PROTOCOL_OPTIONS`; default: a plain simulation.

    Returns
    -------
    dict
        A sentence that says why, by name.

    Raises
    ------
    OptionError
        For another protocol.
    """
    if protocol not in (None, *PROTOCOL_OPTIONS):
        raise OptionError(
            f"protocol is {protocol!r}: it must be one of {sorted(PROTOCOL_OPTIONS)} or None"
        )
    known, options = stack.known, stack.options | PROTOCOL_OPTIONS.get(protocol or "", {})
    read = {
        name
        for name in infos
        if ((quantity := known[name]).in_model or quantity.only_in == protocol)
        and not quantity.is_argument
        and not quantity.unread_with(options)
        and protocol not in quantity.set_by
    }
    values = [infos[name].value for name in read]
    if any(callable(v) and not hasattr(v, "to_pybamm") for v in values):
        # nobody knows what a Python function reads
        read |= {name for name in infos if known[name].is_argument}
    for value in values:
        if isinstance(value, FunctionValue):
            read |= {used for used in value.arguments.values() if isinstance(used, str)}
    support = stack.plan(given, {}).derivation.support
    used = read.union(*(support.get(name, ()) for name in read))
    return {
        name: f'"{name}" is changed but has no effect: {_why(known[name], options, protocol)}'
        for name, info in given.items()
        if info.kind == "user" and name not in used
    }


def _why(quantity: Quantity, options: Mapping[str, Any], protocol: str | None) -> str:
    """Why a quantity is not read."""
    if protocol is not None and protocol in quantity.set_by:
        return f"it is for a plain simulation ({protocol}: {quantity.set_by[protocol]})"
    unmet = quantity.unread_with(options)
    if unmet:
        return " and ".join(
            f'it is read only with the option "{option}" = {alternatives(values)}, not '
            f"{options[option]!r}"
            for option, values in unmet.items()
        )
    if quantity.only_in:
        return f"only the {quantity.only_in} of a cell has it"
    if quantity.is_argument:
        return "it is read by a function that names it only, and none does"
    if quantity.remark:
        return quantity.remark
    return "neither it nor anything that follows from it is read with the present options"
