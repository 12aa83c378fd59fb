"""The model beside what was measured, step by step."""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.files import writing
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE
from ssnib_model.measured.points import StepPoints, points_of
from ssnib_model.measured.protocol import MeasuredProtocol
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.resolve import MASS
from ssnib_model.results.protocol import ProtocolResult
from ssnib_model.solvers.choice import AUTO, Solver
from ssnib_model.steps import Status
from ssnib_model.tables import records

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "Step",
    "Cycle",
    "Text",
    "Ended by",
    "Compared by",
    "Measured capacity [mA.h.g-1]",
    "Model capacity [mA.h.g-1]",
    "RMS [V]",
    "Largest residual [V]",
    "Status",
)


def compare(
    curves: pd.DataFrame | str | Path | MeasuredProtocol,
    parameters: ParameterSet | None = None,
    *,
    model: str = "dfn",
    solver: Solver = AUTO,
    start: float | str | None = None,
    cycles: str | Iterable[int] | None = None,
    only: str | Iterable[str] | None = None,
    mass: float | None = None,
    area: float | None = None,
    temperature: float | None = None,
    progress: bool = False,
) -> Comparison:
    """Do with the model what was done to the cell, and compare.

    Parameters
    ----------
    curves : pandas.DataFrame, str or Path, or MeasuredProtocol
        A measurement as from `read_curves`, its file, or what was found in it already.
    parameters : ParameterSet, optional
        The cell; default ``ParameterSet("Hu2024")``.
    model : str, optional
        "dfn" (default) or "spm".
    solver : optional
        As for `Protocol.run`.
    start, cycles, only, mass, area, temperature : optional
        As for `MeasuredProtocol`.
    progress : bool, optional
        Whether to show a progress bar on stderr.

    Returns
    -------
    Comparison

    Raises
    ------
    MeasuredDataError
        If nothing says what was done or from which state, or it cannot be this cell.
    OptionError
        For a setting that is not allowed.

    Examples
    --------
    >>> import ssnib_model as ss
    >>> cell = ss.ParameterSet("Hu2024")
    >>> test = ss.Protocol(["Charge at C/5 until 3.9 V", "Discharge at 1C for 20 minutes"])
    >>> beside = ss.compare(test.run(parameters=cell).curves, cell)
    >>> beside.table["Ended by"].tolist()
    ['voltage', 'time']
    >>> bool(beside.rms < 1e-4)
    True
    """
    parameters = ParameterSet("Hu2024") if parameters is None else parameters
    if model not in MODELS:
        raise OptionError(f"model is {model!r}: it must be one of {sorted(MODELS)}")
    settings = {
        "start": start, "cycles": cycles, "only": only, "mass": mass, "area": area,
        "temperature": temperature,
    }  # fmt: skip
    if isinstance(curves, MeasuredProtocol):
        given = [name for name, value in settings.items() if value is not None]
        if given or curves.parameters is not parameters:
            raise OptionError(
                f"{', '.join(given) or 'parameters'}: a MeasuredProtocol has its own, which "
                "cannot be changed here"
            )
        measured = curves
    else:
        measured = MeasuredProtocol(curves, parameters, **settings)  # type: ignore[arg-type]
    result = measured.protocol.run(
        MODELS[model](parameters.model_options),
        parameters.replace(measured.limits),
        solver=solver,
        progress=progress,
    )
    comparison = Comparison(measured, result)
    for finding in comparison.findings:
        warnings.warn(finding, ValidityWarning, stacklevel=2)
    return comparison


class Comparison:
    """The model beside what was measured, step by step; see `compare`.

    Attributes
    ----------
    measured : MeasuredProtocol
        What was done, and how that is known.
    result : ProtocolResult
        What the model did.
    points : list of StepPoints
        What is compared, one for each step that is.
    parameters : ParameterSet
        The cell.
    """

    def __init__(self, measured: MeasuredProtocol, result: ProtocolResult):
        self.measured, self.result = measured, result
        self.parameters, self.model_name = measured.parameters, result.model_name
        self.mass = self.parameters[MASS]
        self.points = [points_of(measured, done) for done in measured.done if done.is_compared]
        # a run that was interrupted has fewer steps
        self.points = [p for p in self.points if p.done.number <= len(result.steps)]

    def __repr__(self) -> str:
        return (
            f"Comparison({self.measured.name!r}, {self.result.model_name}: {len(self.points)} "
            f"steps, {1e3 * self.rms:.3g} mV)"
        )

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row a step that is compared, columns `COLUMNS`.

        "Compared by" is "time" where the current was imposed, "capacity" where a voltage ended
        the step (voltages are those at the same parts of the two capacities), and "charge" for a
        hold.
        """
        return pd.DataFrame([self._row(p) for p in self.points], columns=list(COLUMNS))

    def _row(self, p: StepPoints) -> tuple[Any, ...]:
        done = p.done
        result = self.result.steps[done.number - 1]
        residuals = p.model_voltage(result) - p.voltage
        rms = math.sqrt((residuals**2).mean()) if residuals.size else math.nan
        largest = float(residuals[np.abs(residuals).argmax()]) if residuals.size else math.nan
        by = "capacity" if p.by_capacity else "charge" if done.step.kind == "hold" else "time"
        status = "ended early" if p.ends_early(result) else result.ending
        measured = self.measured.scale * abs(done.step.charge) / self.mass
        model = p.model_capacity(result) / self.mass
        return (
            done.number, done.step.cycle, done.instruction.label, str(done.end.by), by,
            measured, model, rms, largest, status,
        )  # fmt: skip

    @functools.cached_property
    def _residuals(self) -> np.ndarray:
        """All voltages that are compared [V], NaN where the model has none."""
        found = [
            p.model_voltage(self.result.steps[p.done.number - 1]) - p.voltage for p in self.points
        ]
        return np.concatenate([np.empty(0), *found])

    @property
    def rms(self) -> float:
        """Root mean square of all voltages that are compared and that the model has [V]; NaN
        without any."""
        there = self._residuals[np.isfinite(self._residuals)]
        return math.sqrt((there**2).mean()) if there.size else math.nan

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        """Tidy, a row for each of the file: "Step", "Cycle", "Time [s]", "Step time [s]",
        "Current [A]" and "Voltage [V]" as measured, and "Model current [A]", "Model voltage [V]"
        and "Residual [V]" at the time or the part of the capacity that it is compared at."""
        frames = []
        for p in self.points:
            done, result = p.done, self.result.steps[p.done.number - 1]
            rows = self.measured.rows(done)
            t = rows[TIME].to_numpy()
            voltage, current = np.full((2, len(t)), math.nan)
            if result.segment is not None:
                parts = np.clip(t / done.step.duration, 0.0, 1.0)
                times = p.times(result, parts)
                voltage = np.asarray(result.segment.voltage(times))
                current = np.asarray(result.segment.current(times))
            frames.append(
                pd.DataFrame(
                    {
                        "Step": done.number,
                        "Cycle": done.step.cycle,
                        TIME: done.step.start + t,
                        "Step time [s]": t,
                        CURRENT: rows[CURRENT].to_numpy(),
                        VOLTAGE: rows[VOLTAGE].to_numpy(),
                        "Model current [A]": current,
                        "Model voltage [V]": voltage,
                        "Residual [V]": voltage - rows[VOLTAGE].to_numpy(),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def breakdown(self, step: int, at: ArrayLike = 0.5) -> Any:
        """Overpotentials [V] of the model in a step, as `ProtocolResult.breakdown`."""
        return self.result.breakdown(step, at)

    @functools.cached_property
    def findings(self) -> list[str]:
        """What there is to say about the measurement and about what the model could not do."""
        early = [p.done for p in self.points if p.ends_early(self.result.steps[p.done.number - 1])]
        found = list(self.measured.findings)
        if early:
            first = early[0]
            result = self.result.steps[first.number - 1]
            more = f", and so {len(early) - 1} more" if len(early) > 1 else ""
            found.append(
                f"the model cannot take step {first.number}, {first.instruction.label!r}, to its "
                f"end: its voltage leaves the range of the measurement after "
                f"{result.numbers.duration:.4g} s, and what follows starts from another state "
                f"than in the measurement{more}"
            )
        failed = [s for s in self.result.steps if s.status is Status.FAILED]
        if failed:
            found.append(f"step {failed[0].number} of the model {failed[0].ending}")
        return found

    @property
    def summary(self) -> str:
        """What was done and how well the model follows, for people."""
        measured, state = self.measured, self.measured.protocol.initial_state_of_charge
        missing = int(np.isnan(self._residuals).sum())
        without = f", without {missing} that the model does not have" if missing else ""
        return "\n".join(
            [
                f"{measured.name}: {len(measured.done)} steps, {len(self.points)} compared; "
                f"{measured.size}",
                f"start: state of charge {state:.4g} ({measured.start})",
                f"root mean square of the voltages: {1e3 * self.rms:.3g} mV{without}",
            ]
        )

    # ---------------------------------------------------------------- files and plots
    def to_dict(self) -> dict[str, Any]:
        """All numbers and what repeats the run, ready for JSON."""
        measured = self.measured
        return {
            **self.result.to_dict(),
            "measured": {
                "name": measured.name,
                "start": measured.start,
                "size": measured.size,
                "scale": measured.scale,
                "steps": records(measured.table),
            },
            "findings": self.findings,
            "rms": self.rms if math.isfinite(self.rms) else None,
            "comparison": records(self.table),
        }

    def plot(self, step: int | None = None) -> Figure:
        """Measured points, the model's lines, and the residuals below.

        Parameters
        ----------
        step : int, optional
            A single step, with the model's losses below; default: all that are compared.
        """
        from ssnib_model.measured.plots import comparison_figure, step_figure

        return comparison_figure(self) if step is None else step_figure(self, step)

    def save(self, folder: str | Path, title: str | None = None) -> Path:
        """Write ``table.csv``, ``curves.csv``, ``protocol.txt``, ``compare.png`` and ``run.json``.

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
        from ssnib_model.measured.plots import comparison_figure

        with writing(folder) as folder:
            self.table.to_csv(folder / "table.csv", index=False)
            self.curves.to_csv(folder / "curves.csv", index=False)
            text = self.measured.protocol.to_text()
            (folder / "protocol.txt").write_text(text + "\n", encoding="utf-8")
            document = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "run.json").write_text(document + "\n")
            comparison_figure(self, title).savefig(folder / "compare.png", dpi=150)
        return folder
