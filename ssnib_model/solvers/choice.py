"""Which solver a test is run by, and why."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import pybamm

from ssnib_model.errors import OptionError
from ssnib_model.solvers.compiling import numba_problem
from ssnib_model.solvers.controlled import is_plain
from ssnib_model.solvers.idaklu import Idaklu, usual_solver
from ssnib_model.solvers.stepper import Stepper
from ssnib_model.solvers.structured import (
    INSTEAD,
    Structured,
    StructuredSolver,
    check_tolerances,
    what_it_lacks,
)
from ssnib_model.steps import Step
from ssnib_model.words import short, suggestion

AUTO, STRUCTURED, IDAKLU = NAMES = ("auto", "structured", "idaklu")

#: What a result was solved with where the solver gave up, with all steps of the test.
BY_IDAKLU = "IDAKLU in place of the structured solver, which gave up"
FINER = "the whole test on a mesh twice as fine"


@dataclass(frozen=True)
class Named:
    """A solver by its name, and how exact it is to be.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    structured : tuple of float
        rtol and atol of the structured solver.
    idaklu : tuple of float or None
        rtol and atol of IDAKLU; None: those of the model.
    asked, why : str
        What was asked for where this was chosen, and why it was; "" where it is asked for itself.
    """

    name: str = AUTO
    structured: tuple[float, float] = (1e-5, 1e-7)
    idaklu: tuple[float, float] | None = None
    asked: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise OptionError(
                f"solver is {short(self.name)}: it must be one of {', '.join(NAMES)}, a "
                f"pybamm.BaseSolver or a StructuredSolver{suggestion(self.name, NAMES)}"
            )
        check_tolerances(*self.structured)
        if self.idaklu is not None:
            check_tolerances(*self.idaklu)

    @classmethod
    def from_dict(cls, document: Any) -> Named:
        """What `Choice.to_dict` gave, or what was written before there was a choice.

        Raises
        ------
        OptionError
            If it is no such document.
        """
        if document is None:
            return cls(IDAKLU)
        keys = {"rtol", "atol"}, {"name", "rtol", "atol", "asked", "why"}
        if not isinstance(document, Mapping) or set(document) not in keys:
            raise OptionError(f"solver has {short(document)}: name, rtol and atol are needed")
        name = document.get("name", STRUCTURED)
        asked, why = document.get("asked", ""), document.get("why", "")
        if name not in (STRUCTURED, IDAKLU) or not all(isinstance(t, str) for t in (asked, why)):
            raise OptionError(f"solver has {short(dict(document))}: none of the package")
        tolerances = document["rtol"], document["atol"]
        return cls(name, asked=asked, why=why, **{name: tolerances})


#: What can be asked for.
Solver: TypeAlias = str | pybamm.BaseSolver | StructuredSolver | Named | None

#: Of a result to look at; of a fit with exact derivatives, whose values and errors move by less
#: than a hundredth of the errors; of one whose differences are taken, in which every digit counts;
#: and of derivatives by differences.
USUAL = Named()
FOR_FITS = Named(idaklu=(1e-7, 1e-7))
FOR_DIFFERENCES = Named(structured=(1e-7, 1e-9), idaklu=(1e-7, 1e-7))
FOR_DERIVATIVES = Named(structured=(1e-8, 1e-10), idaklu=(1e-8, 1e-8))


def named(solver: object, like: Named = USUAL) -> Named | pybamm.BaseSolver | StructuredSolver:
    """What was asked for: a solver as it is, a name with the tolerances of another.

    Raises
    ------
    OptionError
        For what is no solver.
    """
    if isinstance(solver, Named | pybamm.BaseSolver | StructuredSolver):
        return solver
    if solver is None or isinstance(solver, str):
        return replace(like, name=AUTO if solver is None else solver)
    raise OptionError(
        f"solver is {short(solver)}: one of {', '.join(NAMES)}, a pybamm.BaseSolver or a "
        "StructuredSolver is needed"
    )


@dataclass(frozen=True)
class Choice:
    """The solver of a test.

    Attributes
    ----------
    asked : str
        What was asked for: one of `NAMES`, or the class of a solver that was given.
    solver : StructuredSolver or pybamm.BaseSolver
        What is taken.
    why : str
        Why another than the structured one is taken, where that was left open.
    note : str
        What a user should know of it, one sentence.
    """

    asked: str
    solver: StructuredSolver | pybamm.BaseSolver
    why: str = ""
    note: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is a solver that no name stands for."""
        return self.asked not in NAMES

    @property
    def name(self) -> str:
        """Of what is taken."""
        if self.is_own:
            return type(self.solver).__name__
        return STRUCTURED if isinstance(self.solver, StructuredSolver) else IDAKLU

    @property
    def again(self) -> Named | pybamm.BaseSolver:
        """What asks for the same once more, wherever that is."""
        return self.solver if self.is_own else Named.from_dict(self.to_dict())

    def in_words(self) -> str:
        """A line for people; "" where there is nothing to say."""
        return f"solver: IDAKLU, because {self.why}" if self.why else ""

    def to_dict(self) -> dict[str, Any] | str:
        """As JSON keeps it: `Named.from_dict` takes it, unless the solver is one's own."""
        if self.is_own:
            return self.name
        return {
            "name": self.name,
            "rtol": self.solver.rtol,
            "atol": self.solver.atol,
            "asked": self.asked,
            "why": self.why,
        }


def decide(
    asked: Solver,
    model: pybamm.BaseModel,
    values: pybamm.ParameterValues,
    var_pts: Mapping[Any, int] | None = None,
) -> Choice:
    """The solver for what was asked.

    Parameters
    ----------
    asked : str, Named, pybamm.BaseSolver, StructuredSolver or None
        "auto" (also None) is the structured solver where it can do all of this, else IDAKLU.
    model : pybamm.BaseModel
        What is solved.
    values : pybamm.ParameterValues
        Its parameters.
    var_pts : dict, optional
        Mesh points; default: those of the model.

    Raises
    ------
    OptionError
        For what is no solver, or if the structured solver is asked for and cannot.
    SSNIBError
        If it is asked for and numba cannot be imported.
    """
    wanted = named(asked)
    if isinstance(wanted, pybamm.BaseSolver):
        return Choice(type(wanted).__name__, wanted)
    lacking = what_it_lacks(model, values, var_pts)
    if isinstance(wanted, StructuredSolver) or wanted.name == STRUCTURED:
        if lacking:
            raise OptionError(f"{lacking}: {INSTEAD}")
        if isinstance(wanted, StructuredSolver):
            return Choice(STRUCTURED, wanted)
        solver = StructuredSolver(*wanted.structured)
        return Choice(wanted.asked or STRUCTURED, solver, wanted.why)
    why, note = wanted.why, ""
    if wanted.name == AUTO:
        missing = numba_problem()
        if not (lacking or missing):
            return Choice(AUTO, StructuredSolver(*wanted.structured))
        why = lacking or missing
        note = "" if lacking else f"solved by IDAKLU, which takes longer: {missing}"
    own = model.default_solver
    tolerances = wanted.idaklu or (own.rtol, own.atol)
    return Choice(wanted.asked or wanted.name, usual_solver(model, *tolerances), why, note)


class Other(NamedTuple):
    """A stepper that may help where the one that was chosen gave up."""

    name: str  #: by which its results are kept
    in_words: str  #: what they were solved with
    stepper: Stepper
    same_mesh: bool  #: whether it can start from a state on the mesh that was asked for


class Steppers:
    """A model made ready by the solver that was chosen, and what is tried where that gives up.

    Parameters
    ----------
    choice : Choice
        Of `decide`, for the same model.
    model, values, var_pts, steps
        As for `decide`.

    Attributes
    ----------
    first : Stepper
        By the solver that was chosen.
    """

    def __init__(
        self,
        choice: Choice,
        model: pybamm.BaseModel,
        values: pybamm.ParameterValues,
        var_pts: dict[Any, int] | None = None,
        steps: Iterable[Step] = (),
    ):
        self._choice, self._model, self._values, self._var_pts = choice, model, values, var_pts
        self._controls = not all(map(is_plain, steps))
        self.first: Stepper
        if isinstance(choice.solver, StructuredSolver):
            self.first = Structured(model, values, choice.solver, var_pts)
        else:
            self.first = Idaklu(model, values, choice.solver, var_pts, self._controls)

    def others(self) -> Iterator[Other]:
        """What may help where a step gave up, for the whole test, one after the other."""
        if self._idaklu is not self.first:
            yield Other(IDAKLU, BY_IDAKLU, self._idaklu, same_mesh=True)
        yield Other("finer", FINER, self._idaklu.finer, same_mesh=False)

    @functools.cached_property
    def _idaklu(self) -> Idaklu:
        if isinstance(self.first, Idaklu):
            return self.first
        own, tolerances = self._model.default_solver, self._choice.solver
        # as exact as was asked for, and no less than usual
        both = min(tolerances.rtol, own.rtol), min(tolerances.atol, own.atol)
        solver = usual_solver(self._model, *both)
        return Idaklu(self._model, self._values, solver, self._var_pts, self._controls)
