"""Many runs of a test in one call of compiled code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.solvers.many import Found, run_many
from ssnib_model.solvers.preflight import Preflight
from ssnib_model.solvers.structured import Structured
from ssnib_model.steps import Planned

Schedule = Callable[[Any], Iterable[Planned]]


class Taken(NamedTuple):
    """Runs through tests."""

    found: Found
    tests: list[list[Planned]]
    of: np.ndarray  #: the test of each, shape (members,)


class _Read(Mapping[str, Any]):
    """Values of one of many cells, which remembers those that were asked for."""

    def __init__(self, like: ParameterSet, values: Mapping[str, Any], member: int):
        self._values, self._member = values, member
        self.name, self.model_options = like.name, like.model_options
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if isinstance(value, np.ndarray):
            self.names.add(name)
            return float(value[self._member])
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def take_many(
    stepper: Structured,
    preflight: Preflight,
    schedule: Schedule,
    like: ParameterSet,
    values: Mapping[str, Any],
    inputs: Mapping[str, Any],
    members: int,
    *,
    samples: bool = False,
    threads: int = 1,
) -> Taken | None:
    """Take many cells through their tests, each from where it was made.

    Parameters
    ----------
    stepper, preflight
        Of the prepared test.
    schedule : callable
        Its steps for the values of a cell.
    like : ParameterSet
        What it was prepared for: name and options are those of all.
    values : mapping
        All parameters: of shape (members,) where they differ.
    inputs : mapping
        Those of the model, in the same manner.
    members : int
        How many cells there are.
    samples, threads
        As for `run_many`.

    Returns
    -------
    Taken or None
        Which members have no answer here, ``found.alone`` says; None: no member has one.
    """
    tests, of = _tests(schedule, like, values, members)
    if not tests or len({len(test) for test in tests}) > 1:
        return None
    if any(planned.step.temperature is not None for planned in tests[0]):
        return None
    # those that have no test take the first, which is not used
    places = np.maximum(of, 0)
    steps = [[planned.step for planned in test] for test in tests]
    found = run_many(stepper, inputs, steps, places, samples=samples, threads=threads)
    found.alone[(of < 0) | ~preflight.possible_of_many(inputs, members)] = True
    return Taken(found, tests, places)


def _tests(
    schedule: Schedule, like: ParameterSet, values: Mapping[str, Any], members: int
) -> tuple[list[list[Planned]], np.ndarray]:
    """The tests, and which of them is that of each member; -1: it can do none."""
    names: list[str] = []
    while True:
        keys = np.array([np.zeros(members), *(values[name] for name in names)])
        _, firsts, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        tests: list[list[Planned]] = []
        of_group, read = np.full(len(firsts), -1), set(names)
        for n, first in enumerate(firsts.tolist()):
            one = _Read(like, values, first)
            try:
                test = list(schedule(one))
            except OptionError:
                continue
            finally:
                read |= one.names
            if len(read) > len(names):
                break
            of_group[n] = len(tests)
            tests.append(test)
        if len(read) == len(names):
            return tests, of_group[group.ravel()]
        names = sorted(read)  # it asked for more than the members were told apart by
