"""What a rate test gave."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.files import writing
from ssnib_model.results import record
from ssnib_model.results.breakdown import overpotentials
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.results.notes import uniformity_note
from ssnib_model.results.step import sampled
from ssnib_model.solvers.state import CellState
from ssnib_model.steps import Planned, Status
from ssnib_model.tables import records

SAMPLES = 201

TABLE_COLUMNS = (
    "C-rate",
    "Charge capacity [mA.h.g-1]",
    "Discharge capacity [mA.h.g-1]",
    "Polarization [V]",
    "Mean charge voltage [V]",
    "Mean discharge voltage [V]",
    "Energy efficiency",
    "Coulombic efficiency",
    "Status",
)


class Test(Protocol):
    """What a result needs to know of the rate test it is of."""

    rates: list[float]
    cycles: int

    @property
    def initial_state_of_charge(self) -> float | None:
        """Where it starts; None: as made."""

    def half_cycles(self) -> Iterator[tuple[float, float, str, int]]:
        """The half-cycles in order, as (rate of the row, its own C-rate, direction, cycle)."""

    def schedule(self, parameters: ParameterSet) -> Iterable[Planned]:
        """The steps in order, in SI units for a cell."""

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON keeps it."""


class RateTestResult:
    """What a rate test gave.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a rate, columns `TABLE_COLUMNS`. Capacities and efficiencies are those of all
        charge and energy, that of a hold included. "Polarization [V]" is the charge minus the
        discharge voltage, each when half of what it passes at constant current has passed;
        mean voltages are those of the constant current too, over the charge: a hold and a rest
        tell nothing of it.
    rows : list of dict
        The rows of the table.
    curves : pandas.DataFrame
        Tidy: "Half-cycle" (its number in the test, from 1), "C-rate", "Cycle", "Direction",
        "Time [s]", "Current [A]", "Voltage [V]", "Capacity [mA.h.g-1]"; time and capacity
        count from the start of the half-cycle, and go on in its hold. Rests are left out.
    half_cycles : list of HalfCycle
        Every half-cycle with its PyBaMM solution.
    """

    def __init__(
        self,
        test: Test,
        parameters: ParameterSet,
        half_cycles: list[HalfCycle],
        model_name: str,
        settings: dict[str, Any] | None = None,
        more_notes: Callable[[], list[str]] | None = None,
        final_state: Callable[[], CellState] | None = None,
        start: CellState | None = None,
    ):
        self._final_state, self._start = final_state, start
        self.test, self.parameters, self.half_cycles = test, parameters, half_cycles
        self.model_name, self._settings, self._more_notes = model_name, settings, more_notes
        self.mass = parameters["Positive electrode active material mass [kg]"]
        self.one_c = parameters["Nominal cell capacity [A.h]"]
        self.rows = [self._row(*pair) for pair in self._last_cycles()]

    def __repr__(self) -> str:
        endings = ", ".join(f"{row['C-rate']:g} C {row['Status']}" for row in self.rows)
        return f"RateTestResult({self.parameters.name!r}, {self.model_name}: {endings})"

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=TABLE_COLUMNS)

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        numbered = enumerate(self.half_cycles, start=1)
        return pd.concat([self._curve(n, h) for n, h in numbered], ignore_index=True)

    def _last_cycles(self) -> Iterator[tuple[HalfCycle, HalfCycle]]:
        per_rate = 2 * self.test.cycles
        for end in range(per_rate, len(self.half_cycles) + 1, per_rate):
            yield self.half_cycles[end - 2], self.half_cycles[end - 1]

    def _row(self, charge: HalfCycle, discharge: HalfCycle) -> dict[str, Any]:
        endings = [h.ending for h in (charge, discharge) if h.status is not Status.OK]
        failed = [h.ending for h in (charge, discharge) if h.status is Status.FAILED]
        specific = {h.direction: h.capacity / self.mass for h in (charge, discharge)}
        return {
            "C-rate": discharge.rate,
            "Charge capacity [mA.h.g-1]": specific["charge"],
            "Discharge capacity [mA.h.g-1]": specific["discharge"],
            "Polarization [V]": float(charge.at("Voltage [V]", 0.5))
            - float(discharge.at("Voltage [V]", 0.5)),
            "Mean charge voltage [V]": charge.mean_voltage,
            "Mean discharge voltage [V]": discharge.mean_voltage,
            "Energy efficiency": _ratio(discharge.energy, charge.energy),
            "Coulombic efficiency": _ratio(discharge.capacity, charge.capacity),
            "Status": (failed or endings or ["ok"])[0],
        }

    def _curve(self, number: int, half_cycle: HalfCycle) -> pd.DataFrame:
        fraction = np.linspace(0, 1, SAMPLES if half_cycle.segment else 0)
        time = fraction * half_cycle.duration
        current = np.full_like(time, half_cycle.current)
        voltage = half_cycle.at("Voltage [V]", fraction)
        passed = abs(half_cycle.current) * time / 3600
        if half_cycle.hold is not None:
            held = sampled(half_cycle.hold)
            time = np.append(time, half_cycle.duration + held[0])
            current, voltage = np.append(current, held[1]), np.append(voltage, held[2])
            passed = np.append(passed, (passed[-1] if passed.size else 0.0) + abs(held[3]))
        return pd.DataFrame(
            {
                "Half-cycle": number,
                "C-rate": half_cycle.rate,
                "Cycle": half_cycle.cycle,
                "Direction": half_cycle.direction,
                "Time [s]": time,
                "Current [A]": current,
                "Voltage [V]": voltage,
                "Capacity [mA.h.g-1]": passed / self.mass,
            }
        )

    def compare(self) -> pd.DataFrame:
        """Predictions beside the measurements of this cell, or else of the one it was made from.

        The latter are called by the name of their set, "Hu2024: Fig. 4E". Where a rate comes
        again in the test, its last time is compared.

        Returns
        -------
        pandas.DataFrame
            One row a measured value at a rate of this test and within 5 K of its
            temperature: "Data", "C-rate", "Quantity", "Measured", "Model", "Difference"
            (model minus measured).
        """
        rows = []
        temperature = self.parameters["Ambient temperature [K]"]
        model = self.table.drop_duplicates("C-rate", keep="last").set_index("C-rate")
        measured = self.parameters.measured or self.parameters.reference_data
        for name, data in measured.items():
            near = data[(data["Ambient temperature [K]"] - temperature).abs() <= 5]
            for quantity in near.columns.intersection(model.columns):
                for rate, value in zip(near["C-rate"], near[quantity], strict=True):
                    if rate in model.index and np.isfinite(value):
                        predicted = model.loc[rate, quantity]
                        rows.append((name, rate, quantity, value, predicted))
        columns = ["Data", "C-rate", "Quantity", "Measured", "Model"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(Difference=frame["Model"] - frame["Measured"])

    def breakdown(self, rate: float, at: ArrayLike = 0.5, direction: str = "discharge") -> Any:
        """Overpotentials [V] of the last cycle at a rate.

        Parameters
        ----------
        rate : float
            A C-rate of the test.
        at : float or array_like, optional
            Fractions of the time at constant current, 0 to 1.
        direction : str, optional
            "discharge" or "charge".

        Returns
        -------
        pandas.Series or pandas.DataFrame
            By name, negative on discharge; one row a fraction if ``at`` is an array. They add
            up to the voltage minus the open-circuit voltage of the mean composition.

        Raises
        ------
        OptionError
            If the test has no such half-cycle, or it has no solution.
        """
        matching = [h for h in self.half_cycles if (h.rate, h.direction) == (rate, direction)]
        if not matching:
            raise OptionError(
                f"the test has no {direction!r} at rate {rate!r}: rates are {self.test.rates}, "
                'directions "charge" and "discharge"'
            )
        name, segment = f"{direction} at {rate:g} C", matching[-1].segment
        if segment is None:
            raise OptionError(f"no breakdown for the {name}: {matching[-1].ending}")
        return overpotentials(segment, at, name, "half-cycle")

    @functools.cached_property
    def notes(self) -> list[str]:
        """What there is to say about the validity of the result, one sentence each."""
        notes = self._more_notes() if self._more_notes else []
        for h in self.half_cycles:
            half_cycle = f"the {h.direction} at {abs(h.current) / self.one_c:g} C"
            if h.status is Status.AT_START:
                notes.append(f"{half_cycle} cannot start: {h.reason}")
            if h.recovery:
                notes.append(f"{half_cycle} was solved with {h.recovery}")
        numbers = [h.segment.uniformity for h in self.half_cycles if h.segment]
        largest = max((number for number in numbers if number is not None), default=0.0)
        notes += uniformity_note(largest)
        notes += [*self.parameters.notes, *self.parameters.unread("rate test").values()]
        return list(dict.fromkeys(notes))  # once, however many cycles

    @functools.cached_property
    def final_state(self) -> CellState:
        """The cell at the end of the test, to go on from: ``run(start=result.final_state)``.

        Raises
        ------
        OptionError
            If the cell could not even start.
        """
        if self._final_state is None:
            raise OptionError(f"there is no final state: {self.half_cycles[0].ending}")
        return self._final_state()

    @property
    def ok(self) -> bool:
        """Whether every rate gave an answer (a cut-off reached at start is one)."""
        return not any(h.status is Status.FAILED for h in self.half_cycles)

    def to_dict(self) -> dict[str, Any]:
        """Everything to read the result and to repeat the run (`repeat_run`), ready for JSON."""
        return {
            "versions": record.versions(),
            "model": self.model_name,
            "settings": self._settings,
            "test": self.test.to_dict(),
            "start": None if self._start is None else self._start.to_dict(),
            "parameters": record.parameters_of(self.parameters),
            "notes": self.notes,
            "table": records(self.table),
            "comparison": records(self.compare()),
        }

    def save(self, folder: str | Path, title: str | None = None) -> Path:
        """Write ``table.csv``, ``curves.csv``, ``comparison.csv``, ``run.json`` and the plots,
        these where anything ran.

        Parameters
        ----------
        folder : str or Path
            Where to; made if need be.
        title : str, optional
            Of the plots, such as what was changed in the cell; default: set, model and
            temperature.

        Raises
        ------
        SSNIBError
            If the folder cannot be written.
        """
        from ssnib_model.results.plots import save_rate_test

        with writing(folder) as folder:
            self.table.to_csv(folder / "table.csv", index=False)
            self.curves.to_csv(folder / "curves.csv", index=False)
            self.compare().to_csv(folder / "comparison.csv", index=False)
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
            (folder / "run.json").write_text(text + "\n")
            if any(h.segment for h in self.half_cycles):  # else there is nothing to draw
                save_rate_test(self, folder, title)
        return folder


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
