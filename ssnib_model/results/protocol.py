"""What a test gave, step by step."""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.files import writing
from ssnib_model.results import record
from ssnib_model.results.breakdown import overpotentials
from ssnib_model.results.notes import uniformity_note
from ssnib_model.results.step import StepResult, is_whole
from ssnib_model.steps import Status
from ssnib_model.tables import records

if TYPE_CHECKING:
    import pybamm
    from matplotlib.figure import Figure

    from ssnib_model.solvers.state import CellState

STEP_COLUMNS = (
    "Step",
    "Cycle",
    "Text",
    "Type",
    "Duration [s]",
    "Charge passed [A.h]",
    "Capacity [mA.h.g-1]",
    "Energy [W.h]",
    "Start voltage [V]",
    "End voltage [V]",
    "Start current [A]",
    "End current [A]",
    "Ended by",
    "Status",
)

CYCLE_COLUMNS = (
    "Cycle",
    "Charge capacity [mA.h.g-1]",
    "Discharge capacity [mA.h.g-1]",
    "Coulombic efficiency",
    "Energy efficiency",
    "Discharge energy [W.h]",
    "Mean voltage gap [V]",
)


class Run(NamedTuple):
    """How a test went."""

    steps: list[StepResult]
    planned: int  #: number of steps of the test
    final_state: Callable[[], CellState] | None
    start: CellState | None = None
    keep: int = 1


class Document(Protocol):
    """What a result needs to know of the protocol it is of."""

    def to_dict(self) -> dict[str, Any]:
        """The protocol as JSON keeps it."""


class ProtocolResult:
    """What a test gave, step by step.

    Attributes
    ----------
    steps : list of StepResult
        Every step in order: what was planned, how it ended, and its segment.
    rows : list of dict
        The rows of the table.
    parameters : ParameterSet
        The cell.
    """

    def __init__(
        self,
        protocol: Document,
        parameters: ParameterSet,
        run: Run,
        model_name: str,
        settings: dict[str, Any] | None = None,
        more_notes: Callable[[], list[str]] | None = None,
    ):
        self.protocol, self.parameters, self.model_name = protocol, parameters, model_name
        self.steps, self._run = run.steps, run
        self._settings, self._more_notes = settings, more_notes
        self.mass = parameters["Positive electrode active material mass [kg]"]

    def __repr__(self) -> str:
        counts = pd.Series([str(step.status) for step in self.steps], dtype=str).value_counts()
        endings = ", ".join(f"{number} {status}" for status, number in counts.items())
        return f"ProtocolResult({self.parameters.name!r}, {self.model_name}: steps {endings})"

    # ---------------------------------------------------------------- tables
    @functools.cached_property
    def rows(self) -> list[dict[str, Any]]:
        return [self._row(step) for step in self.steps]

    def _row(self, step: StepResult) -> dict[str, Any]:
        n, planned = step.numbers, step.planned
        values = (
            step.number, planned.cycle, planned.text, planned.step.direction, n.duration,
            n.charge, abs(n.charge) / self.mass, n.energy, n.start_voltage, n.end_voltage,
            n.start_current, n.end_current, step.ended_by, step.ending,
        )  # fmt: skip
        return dict(zip(STEP_COLUMNS, values, strict=True))

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row a step, columns `STEP_COLUMNS`.

        Charge, energy and current are positive on discharge; the capacity [mA.h.g-1] is the
        size of the charge over the mass of active material.
        """
        return pd.DataFrame(self.rows, columns=STEP_COLUMNS)

    @functools.cached_property
    def cycles(self) -> pd.DataFrame:
        """One row a cycle, columns `CYCLE_COLUMNS`: all charges and all discharges in it.

        The gap is the mean voltage of the charges less that of the discharges, over charge.
        """
        table = self.table.assign(
            up=(-self.table["Charge passed [A.h]"]).clip(lower=0) / self.mass,
            down=self.table["Charge passed [A.h]"].clip(lower=0) / self.mass,
            taken=(-self.table["Energy [W.h]"]).clip(lower=0),
            given=self.table["Energy [W.h]"].clip(lower=0),
        )
        # a cycle in which a step failed has no capacity
        sums = table.groupby("Cycle", sort=True)[["up", "down", "taken", "given"]].agg(
            "sum", skipna=False
        )
        columns = (
            sums.index, sums["up"], sums["down"],
            sums["down"] / sums["up"].where(sums["up"] > 0),
            sums["given"] / sums["taken"].where(sums["taken"] > 0), sums["given"],
            (sums["taken"] / sums["up"].where(sums["up"] > 0)
             - sums["given"] / sums["down"].where(sums["down"] > 0)) / self.mass,
        )  # fmt: skip
        pairs = zip(CYCLE_COLUMNS, columns, strict=True)
        return pd.DataFrame({name: np.asarray(column) for name, column in pairs})

    @functools.cached_property
    def _starts(self) -> np.ndarray:
        """Time at the start of each step [s], and charge and energy up to there."""
        numbers = np.array([step.numbers[:3] for step in self.steps]).reshape(-1, 3)
        return np.vstack([np.zeros(3), np.cumsum(np.nan_to_num(numbers), axis=0)])

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        """Tidy: "Step", "Cycle", "Time [s]" from the start of the test, "Step time [s]",
        "Current [A]", "Voltage [V]", "Charge passed [A.h]" and "Capacity [mA.h.g-1]" from the
        start of the step; of the steps that were kept."""
        kept = [(step, step.samples) for step in self.steps]
        kept = [(step, samples) for step, samples in kept if samples.size]
        sizes = [samples.shape[1] for _, samples in kept]
        numbers = np.repeat([step.number for step, _ in kept], sizes).astype(int)
        cycles = np.repeat([step.planned.cycle for step, _ in kept], sizes).astype(int)
        t, current, voltage, passed = np.hstack([np.empty((4, 0)), *(s for _, s in kept)])
        return pd.DataFrame(
            {
                "Step": numbers,
                "Cycle": cycles,
                "Time [s]": self._starts[numbers - 1, 0] + t,
                "Step time [s]": t,
                "Current [A]": current,
                "Voltage [V]": voltage,
                "Charge passed [A.h]": passed,
                "Capacity [mA.h.g-1]": abs(passed) / self.mass,
            }
        )

    # ---------------------------------------------------------------- the model's variables
    def breakdown(self, step: int, at: ArrayLike = 0.5) -> Any:
        """Overpotentials [V] of a step.

        Parameters
        ----------
        step : int
            Its number, from 1.
        at : float or array_like, optional
            Fractions of its time, 0 to 1.

        Returns
        -------
        pandas.Series or pandas.DataFrame
            By name, negative on discharge; one row a fraction if ``at`` is an array. They add
            up to the voltage minus the open-circuit voltage of the mean composition.

        Raises
        ------
        OptionError
            If there is no such step, or nothing of it was kept.
        """
        if not is_whole(step) or not 1 <= step <= len(self.steps):
            raise OptionError(f"step is {step!r}: the test has the steps 1 to {len(self.steps)}")
        found = self.steps[step - 1]
        if found.segment is None:
            why = found.ending if found.status is not Status.OK else "its curve was not kept"
            raise OptionError(f"no breakdown for step {step}, {found.planned.text!r}: {why}")
        return overpotentials(found.segment, at, f"step {step}", "time of the step")

    @functools.cached_property
    def solution(self) -> pybamm.Solution:
        """All variables of the model over the whole test, as a solution of PyBaMM.

        Its ``cycles`` are those of the test, each with its ``steps``; it can be given to
        ``pybamm.QuickPlot`` and ``pybamm.plot_voltage_components``. Steps of which nothing was
        kept are left out, a cycle of such steps is None.

        Raises
        ------
        OptionError
            If nothing was kept at all.
        """
        from ssnib_model.results.joined import joined

        parts = [
            (step.planned.cycle, start[0], (start[1], start[2]), step.segment.solution)
            for step, start in zip(self.steps, self._starts, strict=False)
            if step.segment is not None
        ]
        if not parts:
            raise OptionError("no solution: of no step of the test there is a curve with states")
        lost = [s.number for s in self.steps if s.segment is None and s.samples.size]
        if lost:
            warnings.warn(
                f"the solution lacks the steps {lost[0]} to {lost[-1]}: they were solved by an "
                "earlier run, which left their curves only",
                ValidityWarning,
                stacklevel=2,
            )
        return joined(parts)

    @functools.cached_property
    def final_state(self) -> CellState:
        """The cell at the end of the test, to go on from: ``run(start=result.final_state)``.

        Raises
        ------
        OptionError
            If the cell could not even start.
        """
        if self._run.final_state is None:
            raise OptionError(f"there is no final state: {self.steps[0].ending}")
        return self._run.final_state()

    # ---------------------------------------------------------------- what there is to say
    @property
    def is_complete(self) -> bool:
        """Whether the test came to its end, and was not interrupted."""
        return len(self.steps) == self._run.planned

    @property
    def ok(self) -> bool:
        """Whether every step gave an answer (an end that is reached at the start is one)."""
        return self.is_complete and not any(s.status is Status.FAILED for s in self.steps)

    @functools.cached_property
    def notes(self) -> list[str]:
        """What there is to say about the validity of the result, one sentence each."""
        notes = self._more_notes() if self._more_notes else []
        if not self.is_complete:
            notes.append(
                f"the run was interrupted after step {len(self.steps)} of {self._run.planned}"
            )
        said: dict[tuple[str, str], list[str]] = {}
        for step in self.steps:
            text, outcome = step.planned.text, step.outcome
            called = f"step {step.number}, {text!r},"
            if step.status is Status.AT_START:
                sentence = f"{called} cannot start: {outcome.reason}"
                said.setdefault((text, "start"), []).append(sentence)
            if outcome.recovery:
                sentence = f"{called} was solved with {outcome.recovery}"
                said.setdefault((text, outcome.recovery), []).append(sentence)
        for first, *others in said.values():  # thousands of cycles may say the same
            more = f" (and so {len(others)} more times)" if others else ""
            notes.append(first + more)
        numbers = [s.numbers.uniformity for s in self.steps]
        largest = max((n for n in numbers if not math.isnan(n)), default=0.0)
        notes += uniformity_note(largest)
        return [*notes, *self.parameters.notes, *self.parameters.unread("rate test").values()]

    # ---------------------------------------------------------------- files and plots
    def to_dict(self) -> dict[str, Any]:
        """Everything to read the result and to repeat the run (`repeat_run`), ready for JSON."""
        return {
            **job_of(
                self.protocol, self.parameters, self.model_name, self._settings, self._run.start,
                self._run.keep,
            ),
            "notes": self.notes,
            "table": records(self.table),
        }  # fmt: skip

    def plot(self) -> Figure:
        """Voltage and current against time, and the capacities of the cycles if there are."""
        from ssnib_model.results.protocol_plots import protocol_figure

        return protocol_figure(self)

    def save(self, folder: str | Path, title: str | None = None) -> Path:
        """Write ``table.csv``, ``curves.csv``, ``run.json`` and the plot, this where anything
        was kept, and ``cycles.csv`` where there are several.

        Parameters
        ----------
        folder : str or Path
            Where to; made if need be.
        title : str, optional
            Of the plot; default: set, model and temperature.

        Raises
        ------
        SSNIBError
            If the folder cannot be written.
        """
        from ssnib_model.results.protocol_plots import protocol_figure

        with writing(folder) as folder:
            self.table.to_csv(folder / "table.csv", index=False)
            self.curves.to_csv(folder / "curves.csv", index=False)
            if len(self.cycles) > 1:
                self.cycles.to_csv(folder / "cycles.csv", index=False)
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "run.json").write_text(text + "\n")
            if len(self.curves):
                protocol_figure(self, title).savefig(folder / "protocol.png", dpi=150)
        return folder


def job_of(
    protocol: Document,
    parameters: ParameterSet,
    model_name: str,
    settings: Mapping[str, Any] | None,
    start: CellState | None,
    keep: int,
) -> dict[str, Any]:
    """What is run, all of it, ready for JSON."""
    return {
        "versions": record.versions(),
        "model": model_name,
        "settings": settings,
        "protocol": protocol.to_dict(),
        "start": None if start is None else start.to_dict(),
        "keep": keep,
        "parameters": record.parameters_of(parameters),
    }
