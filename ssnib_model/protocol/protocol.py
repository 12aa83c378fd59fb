"""Any test of a cell: steps in order, repeated and nested."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import pybamm

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.files import read_bytes
from ssnib_model.protocol.given import Given, Steps, state_of_charge
from ssnib_model.protocol.groups import (
    Node,
    Repeat,
    at,
    cycles,
    merged,
    places,
)
from ssnib_model.protocol.prepared import PreparedProtocol
from ssnib_model.protocol.resolve import resolve
from ssnib_model.protocol.running import cell_of
from ssnib_model.protocol.text import from_json, lines_of, read, to_json
from ssnib_model.results.protocol import ProtocolResult
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Planned, Step
from ssnib_model.tables import text_of
from ssnib_model.words import short

#: Bytes of a protocol as text.
MAX_SIZE = 5_000_000


class Protocol(Steps):
    """What is done to a cell, step by step.

    Parameters
    ----------
    steps : str, pybamm.step.BaseStep, pybamm.Experiment, numpy.ndarray, Protocol or iterable
        One step or several, in order. A step is text in PyBaMM's language, "Discharge at C/5
        for 10 hours or until 2.5 V", or a step of ``pybamm.step``; an array of times [s] and
        currents [A] is a current profile; a tuple or list of steps in it, or a protocol, is a
        group. What the language has beside that of PyBaMM is told on the page "Protocols".
    initial_state_of_charge : float, optional
        Where it starts; default: the "As-made state of charge" of the parameters.

    Raises
    ------
    OptionError
        If a step is not allowed; it says which and why.

    Notes
    -----
    ``protocol * 5`` repeats it, ``a + b`` goes on with another; repeats are kept as such. A cycle
    is one pass through a group that has no group in it; the steps before, between and after such
    groups are cycles too.

    Examples
    --------
    >>> cycle = Protocol(["Charge at C/2 until cut-off", "Discharge at 1 C until cut-off"])
    >>> test = Protocol(["Rest for 1 hour"]) + cycle * 100
    >>> len(test)
    201
    >>> print(test.to_text())
    Rest for 1 hour
    Repeat 100 times:
        Charge at C/2 until cut-off
        Discharge at 1 C until cut-off
    """

    def __init__(self, steps: Any, *, initial_state_of_charge: float | None = None):
        self._set(Given().nodes(steps), initial_state_of_charge)

    def _set(self, steps: Iterable[Node], soc: float | None) -> Self:
        self.steps = merged(steps)
        self._count = Repeat(1, self.steps).count
        self.initial_state_of_charge = None if soc is None else state_of_charge(soc)
        return self

    @classmethod
    def _of(cls, steps: Iterable[Node], soc: float | None) -> Protocol:
        """A plain protocol, also from one of its builders."""
        return Protocol.__new__(Protocol)._set(steps, soc)

    # ------------------------------------------------------------ as a collection
    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Protocol):
            return NotImplemented
        mine, theirs = self.initial_state_of_charge, other.initial_state_of_charge
        return self.steps == other.steps and mine == theirs

    def __hash__(self) -> int:
        return hash((self.steps, self.initial_state_of_charge))

    def __add__(self, other: Any) -> Protocol:
        if not isinstance(other, Protocol):
            return NotImplemented
        if other.initial_state_of_charge is not None:
            raise OptionError(
                f"the protocol that is added starts at initial_state_of_charge = "
                f"{other.initial_state_of_charge:g}: only the first can"
            )
        return self._of((*self.steps, *other.steps), self.initial_state_of_charge)

    def __mul__(self, times: Any) -> Protocol:
        if type(times) is bool or not isinstance(times, numbers.Integral):
            raise OptionError(f"a protocol times {short(times)}: a whole number is needed")
        return self._of([Repeat(int(times), self.steps)], self.initial_state_of_charge)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        lines = self.to_text().split("\n")
        shown = "; ".join(line.strip() for line in lines[:4]) + ("; ..." if lines[4:] else "")
        plural = "" if len(self) == 1 else "s"
        return f"<{type(self).__name__} of {len(self)} step{plural}: {shown[:300]}>"

    # ------------------------------------------------------------ as text and JSON
    @classmethod
    def from_text(cls, text: str, source: str = "the text", folder: str | Path = ".") -> Protocol:
        """A protocol from text.

        Parameters
        ----------
        text : str
            One step a line; "Repeat 10 times:" repeats the lines below that are indented; after
            a # is a comment; the first line may be "Initial state of charge: 0.5".
        source : str, optional
            What it is called where a line is wrong.
        folder : str or Path, optional
            Where files of profiles are.

        Raises
        ------
        OptionError
            If a line is wrong; it says which.
        """
        steps, soc = read(text, source, Path(folder))
        return at(source, cls._of, steps, soc)

    @classmethod
    def from_file(cls, file: str | Path) -> Protocol:
        """A protocol from a text file; see `from_text`.

        Raises
        ------
        OptionError
            If the file cannot be read, or a line is wrong.
        """
        path = Path(file)
        try:
            text = text_of(read_bytes(path, MAX_SIZE), "strict")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise OptionError(f"{path}: cannot be read: {why}") from error
        return cls.from_text(text, str(path), path.parent)

    def to_text(self) -> str:
        """As text that `from_text` reads; profiles from files are written out."""
        soc = self.initial_state_of_charge
        first = [] if soc is None else [f"Initial state of charge: {soc!r}"]
        return "\n".join([*first, *lines_of(self.steps)])

    @classmethod
    def from_dict(cls, document: Any) -> Protocol:
        """The protocol of which this is `to_dict`.

        Raises
        ------
        OptionError
            If it is not.
        """
        known = {"steps", "initial_state_of_charge"}
        if not isinstance(document, dict) or not known >= document.keys() >= {"steps"}:
            raise OptionError(
                f'{short(document)} is not a protocol as JSON: {{"steps": [...], '
                '"initial_state_of_charge": null}'
            )
        steps = from_json(document["steps"])
        return cls._of(steps, document.get("initial_state_of_charge"))

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it: a step is its text, a group ``{"repeat": 5, "steps": [...]}``."""
        soc = self.initial_state_of_charge
        return {"steps": to_json(self.steps), "initial_state_of_charge": soc}

    # ------------------------------------------------------------ for a cell
    def schedule(self, parameters: ParameterSet) -> Iterator[Planned]:
        """The steps for a cell, one after the other, with its cut-offs as safety ends.

        Parameters
        ----------
        parameters : ParameterSet
            The cell.

        Raises
        ------
        OptionError
            At once, if the cell cannot do a step; it says which and why.
        """
        if parameters.model_options["positive electrode"] == "alloy":
            raise OptionError(f"{parameters.name} is a symmetric cell: a protocol needs a cathode")
        # once for each step as it is written, however often it is done
        resolved: dict[int, Step] = {}
        for where, step in places(self.steps, ""):
            what = f'step {where}, "{step.label}"'
            resolved[id(step)] = at(what, resolve, step, parameters)
        return self._planned(resolved)

    def run(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
        progress: bool = False,
        start: CellState | None = None,
        keep: int = 1,
        out: str | Path | None = None,
    ) -> ProtocolResult:
        """Run it.

        Parameters
        ----------
        model : pybamm.BaseModel, optional
            Default `SolidStateDFN` for the stack of ``parameters``.
        parameters : ParameterSet, optional
            Default ``ParameterSet("Hu2024")``. Its "Initial state of charge", where a plain
            simulation starts, is not used.
        solver : str, pybamm.BaseSolver or StructuredSolver, optional
            "auto" (default) is the structured solver where it has all that is asked, else
            IDAKLU: ``result.to_dict()["settings"]["solver"]`` says which, and why. "structured"
            is refused where it cannot, "idaklu" is PyBaMM's with the tolerances of the model.
        var_pts : dict, optional
            Mesh points, as for ``pybamm.Simulation``; default: those of the model.
        progress : bool, optional
            Whether to show a progress bar on stderr.
        start : CellState, optional
            The cell at the start, as from ``result.final_state`` of any test of the same model;
            default: as made, or at the initial state of charge of the protocol.
        keep : int, optional
            Curves and solutions are kept of the first cycle and of every such cycle from there
            on, and of the last one; the table has all.
        out : str or Path, optional
            A folder for steps and state as they come, and for the results at the end. The same
            call goes on from there, whatever ended it, to the same result to the last bit.

        Returns
        -------
        ProtocolResult
            One row a step, whatever happened to it. Ctrl-C ends the run with what there is.

        Raises
        ------
        OptionError
            If model, parameters and start are not those of one cell that can do the steps, or
            for a setting that is not allowed.
        SSNIBError
            If the folder holds another run, is in use, or cannot be written.
        """
        prepared = self.prepare(model, parameters, solver=solver, var_pts=var_pts)
        result = prepared.result(
            prepared.parameters, start=start, keep=keep, out=out, progress=progress
        )
        if out is not None and result.is_complete:
            result.save(out)
        for note in result.notes:
            warnings.warn(note, ValidityWarning, stacklevel=2)
        return result

    def prepare(
        self,
        model: pybamm.BaseModel | None = None,
        parameters: ParameterSet | None = None,
        *,
        varying: Iterable[str] = (),
        solver: Solver = AUTO,
        var_pts: dict[Any, int] | None = None,
    ) -> PreparedProtocol:
        """Build the model once, to run the protocol for many values of some parameters.

        Parameters
        ----------
        model, parameters, solver, var_pts
            As for `run`.
        varying : iterable of str, optional
            Parameters that later runs may change; what follows from them may change too.

        Returns
        -------
        PreparedProtocol

        Raises
        ------
        OptionError
            As for `run`.
        """
        model, parameters = cell_of(model, parameters, solver, "a protocol")
        return PreparedProtocol(self, model, parameters, varying, solver, var_pts)

    def _planned(self, resolved: dict[int, Step]) -> Iterator[Planned]:
        labels = {id(step): step.label for _, step in places(self.steps, "")}
        for cycle, step in cycles(self.steps):
            yield Planned(resolved[id(step)], labels[id(step)], cycle, step.tags, step.period)
