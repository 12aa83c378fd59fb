"""Protocols as text and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssnib_model.errors import OptionError
from ssnib_model.protocol.groups import MAX_DEPTH, Node, Repeat, at
from ssnib_model.protocol.language import EXAMPLE, instruction
from ssnib_model.words import short

MAX_LINES = 20_000
INDENT = "    "

_REPEAT = re.compile(r"Repeat (\d{1,7}) times?:")
_INITIAL = re.compile(r"Initial state of charge: (\S+)")


@dataclass(frozen=True)
class _Line:
    number: int
    indent: int
    text: str


class _Reader:
    """Lines of a text, which become steps and groups by their indents."""

    def __init__(self, code: list[_Line], source: str, folder: Path):
        self.code, self.source, self.folder = code, source, folder
        self.next = 0
        self.known: dict[str, Node] = {}

    def block(self, indent: int, depth: int = 0) -> tuple[Node, ...]:
        """The lines from here on that have this indent, with the groups in them."""
        found: list[Node] = []
        while self.next < len(self.code) and self.code[self.next].indent >= indent:
            line = self.code[self.next]
            where = f"{self.source}, line {line.number}"
            if line.indent > indent:
                raise OptionError(
                    f"{where}: its indent of {line.indent} spaces is that of no step above"
                )
            self.next += 1
            if not (match := _REPEAT.fullmatch(line.text)):
                if line.text.lower().startswith("repeat "):
                    raise OptionError(
                        f'{where}: "{short(line.text)}": repeats are "Repeat 3 times:", with a '
                        "whole number, and the steps indented below"
                    )
                if line.text not in self.known:
                    self.known[line.text] = at(where, instruction, line.text, self.folder)
                found.append(self.known[line.text])
                continue
            below = self.code[self.next].indent if self.next < len(self.code) else 0
            if below <= indent:
                raise OptionError(f'{where}: "{line.text}" has no steps below that are indented')
            if depth == MAX_DEPTH:
                raise OptionError(f"{where}: groups lie in groups more than {MAX_DEPTH} deep")
            steps, times = self.block(below, depth + 1), int(match[1])
            found.append(at(where, Repeat, times, steps))
        return tuple(found)


def read(text: str, source: str, folder: Path) -> tuple[tuple[Node, ...], float | None]:
    """Steps and initial state of charge of a text; see `Protocol.from_text`."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise OptionError(f"{source}: has {len(lines)} lines: at most {MAX_LINES} are allowed")
    soc: float | None = None
    code: list[_Line] = []
    for number, line in enumerate(lines, 1):
        body = line.split("#")[0].expandtabs(len(INDENT)).rstrip()
        if not code and soc is None and (match := _INITIAL.fullmatch(body)):
            soc = _number(match[1], f"{source}, line {number}")
        elif body:
            code.append(_Line(number, len(body) - len(body.lstrip(" ")), body.strip()))
    if not code:
        raise OptionError(f"{source}: there are no steps: give at least one, {EXAMPLE}")
    return _Reader(code, source, folder).block(0), soc


def lines_of(steps: Iterable[Node]) -> Iterator[str]:
    """Steps as text, line by line."""
    for step in steps:
        if isinstance(step, Repeat):
            yield f"Repeat {step.times} time{'' if step.times == 1 else 's'}:"
            yield from (INDENT + line for line in lines_of(step.steps))
        else:
            yield str(step)


def to_json(steps: Iterable[Node]) -> list[Any]:
    """Steps as JSON keeps them."""
    return [
        {"repeat": s.times, "steps": to_json(s.steps)} if isinstance(s, Repeat) else str(s)
        for s in steps
    ]


def from_json(steps: Any, where: str = "", depth: int = 0) -> tuple[Node, ...]:
    """The steps of which this is `to_json`."""
    if not isinstance(steps, list) or depth > MAX_DEPTH:
        raise OptionError(f"step {where or 0}: {short(steps)} is no list of steps")
    found: list[Node] = []
    known: dict[str, Node] = {}
    for number, step in enumerate(steps, 1):
        place = f"{where}.{number}" if where else str(number)
        if isinstance(step, str):
            if step not in known:
                known[step] = at(f"step {place}", instruction, step)
            found.append(known[step])
            continue
        if not isinstance(step, dict) or step.keys() != {"repeat", "steps"}:
            raise OptionError(f"step {place}: {short(step)} is neither text nor a repeat")
        times, inside = step["repeat"], from_json(step["steps"], place, depth + 1)
        if not isinstance(times, int) or isinstance(times, bool):
            raise OptionError(f"step {place}: repeat is {short(times)}: a whole number is needed")
        found.append(at(f"step {place}", Repeat, times, inside))
    return tuple(found)


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"{where}: {short(text)} is not a number") from None
