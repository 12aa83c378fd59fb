"""Steps in groups that are repeated, not expanded: thousands of cycles stay small."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from ssnib_model.errors import OptionError
from ssnib_model.protocol.instruction import Instruction

#: Steps of a protocol with all repeats, and groups in groups.
MAX_STEPS, MAX_DEPTH = 1_000_000, 20

Made = TypeVar("Made")
Given = ParamSpec("Given")


@dataclass(frozen=True)
class Repeat:
    """Steps that are done several times in a row.

    Attributes
    ----------
    times : int
        How many times.
    steps : tuple of Instruction or Repeat
        What is done each time.
    """

    times: int
    steps: tuple[Instruction | Repeat, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", merged(self.steps))
        if not self.steps:
            raise OptionError("there are no steps: give at least one")
        if not 1 <= self.times <= MAX_STEPS:
            raise OptionError(f"is repeated {self.times} times: 1 to {MAX_STEPS} are allowed")
        inside = [s for s in self.steps if isinstance(s, Repeat)]
        depth = 1 + max((s.depth for s in inside), default=0)
        count = self.times * (len(self.steps) - len(inside) + sum(s.count for s in inside))
        if depth > MAX_DEPTH + 1:
            raise OptionError(f"groups lie in groups more than {MAX_DEPTH} deep")
        if count > MAX_STEPS:
            raise OptionError(f"has {count} steps with all repeats: at most {MAX_STEPS} allowed")
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "count", count)

    depth: int = dataclasses.field(init=False, compare=False, repr=False)
    count: int = dataclasses.field(init=False, compare=False, repr=False)


#: What a protocol is made of.
Node = Instruction | Repeat


def merged(steps: Iterable[Node]) -> tuple[Node, ...]:
    """Equal groups in a row as one that is repeated: the same steps and cycles."""
    found: list[Node] = []
    for step in steps:
        last = found[-1] if found else None
        if isinstance(step, Repeat) and isinstance(last, Repeat) and last.steps == step.steps:
            found[-1] = Repeat(last.times + step.times, last.steps)
        else:
            found.append(step)
    return tuple(found)


def places(steps: Iterable[Node], where: str) -> Iterator[tuple[str, Instruction]]:
    """Every step once with its place, "2.3" for the third step of the second group."""
    for number, step in enumerate(steps, 1):
        place = f"{where}.{number}" if where else str(number)
        if isinstance(step, Repeat):
            yield from places(step.steps, place)
        else:
            yield place, step


def cycles(steps: Iterable[Node]) -> Iterator[tuple[int, Instruction]]:
    """Every step as often as it is done, with the number of its cycle."""
    cycle = 0

    def walk(steps: Iterable[Node]) -> Iterator[tuple[int, Instruction]]:
        nonlocal cycle
        begins = True
        for step in steps:
            if isinstance(step, Repeat):
                for _ in range(step.times):
                    yield from walk(step.steps)
                begins = True
            else:
                cycle += begins
                begins = False
                yield cycle, step

    return walk(steps)


def at(where: str, make: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made:
    """What ``make`` gives; its error says where it was."""
    try:
        return make(*args, **kwargs)
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from (error.__cause__ or error)
