"""What a rate test gave."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ParameterError
from ssnib_model.files import writing
from ssnib_model.models.names import MODELS
from ssnib_model.results import record
from ssnib_model.results.half_cycle import HalfCycle
from ssnib_model.solvers.preflight import INITIAL, UNIFORMITY, Preflight

#: Where the voltage of the reduced model is off by about 1 % of the polarization.
UNIFORMITY_LIMIT = 2.0
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


class RateTestResult:
    """What a rate test gave.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a rate, columns `TABLE_COLUMNS`. "Polarization [V]" is the charge minus the
        discharge voltage at half of the respective capacity.
    rows : list of dict
        The rows of the table.
    curves : pandas.DataFrame
        Tidy: "C-rate", "Cycle", "Direction", "Time [s]", "Current [A]", "Voltage [V]",
        "Capacity [mA.h.g-1]"; time and capacity count from the start of the half-cycle.
    half_cycles : list of HalfCycle
        Every half-cycle with its PyBaMM solution.
    """

    def __init__(
        self,
        test,
        parameters: ParameterSet,
        half_cycles,
        model_name: str,
        settings: dict | None = None,
    ):
        self.test, self.parameters, self.half_cycles = test, parameters, half_cycles
        self.model_name, self._settings = model_name, settings
        self.mass = parameters["Positive electrode active material mass [kg]"]
        self.one_c = parameters["Nominal cell capacity [A.h]"]
        self.rows = [self._row(*pair) for pair in self._last_cycles()]

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=TABLE_COLUMNS)

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        return pd.concat([self._curve(h) for h in self.half_cycles], ignore_index=True)

    def _last_cycles(self) -> Iterator[tuple[HalfCycle, HalfCycle]]:
        per_rate = 2 * self.test.cycles
        for end in range(per_rate, len(self.half_cycles) + 1, per_rate):
            yield self.half_cycles[end - 2], self.half_cycles[end - 1]

    def _row(self, charge: HalfCycle, discharge: HalfCycle) -> dict:
        statuses = [h.status for h in (charge, discharge) if h.status != "ok"]
        failed = [s for s in statuses if s.startswith("failed")]
        specific = {h.direction: h.capacity / self.mass for h in (charge, discharge)}
        return {
            "C-rate": discharge.rate,
            "Charge capacity [mA.h.g-1]": specific["charge"],
            "Discharge capacity [mA.h.g-1]": specific["discharge"],
            "Polarization [V]": float(charge.at("Voltage [V]", 0.5))
            - float(discharge.at("Voltage [V]", 0.5)),
            "Mean charge voltage [V]": _ratio(charge.energy, charge.capacity),
            "Mean discharge voltage [V]": _ratio(discharge.energy, discharge.capacity),
            "Energy efficiency": _ratio(discharge.energy, charge.energy),
            "Coulombic efficiency": _ratio(discharge.capacity, charge.capacity),
            "Status": (failed or statuses or ["ok"])[0],
        }

    def _curve(self, half_cycle: HalfCycle) -> pd.DataFrame:
        fraction = np.linspace(0, 1, SAMPLES if half_cycle.solution else 0)
        time = fraction * half_cycle.duration
        capacity = abs(half_cycle.current) * time / 3600 / self.mass
        return pd.DataFrame(
            {
                "C-rate": half_cycle.rate,
                "Cycle": half_cycle.cycle,
                "Direction": half_cycle.direction,
                "Time [s]": time,
                "Current [A]": half_cycle.current,
                "Voltage [V]": half_cycle.at("Voltage [V]", fraction),
                "Capacity [mA.h.g-1]": capacity,
            }
        )

    def compare(self) -> pd.DataFrame:
        """Predictions beside the measurements that come with the set.

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
        for name, data in self.parameters.measured.items():
            near = data[(data["Ambient temperature [K]"] - temperature).abs() <= 5]
            for quantity in near.columns.intersection(model.columns):
                for rate, measured in zip(near["C-rate"], near[quantity], strict=True):
                    if rate in model.index and np.isfinite(measured):
                        predicted = model.loc[rate, quantity]
                        rows.append((name, rate, quantity, measured, predicted))
        columns = ["Data", "C-rate", "Quantity", "Measured", "Model"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(Difference=frame["Model"] - frame["Measured"])

    def breakdown(self, rate: float, at=0.5, direction: str = "discharge"):
        """Overpotentials [V] of the last cycle at a rate.

        Parameters
        ----------
        rate : float
            A C-rate of the test.
        at : float or array_like, optional
            Fractions of the half-cycle, 0 to 1.
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
        half_cycle = self._half_cycle(rate, direction)
        fractions = np.asarray(at, dtype=float)
        if not ((fractions >= 0) & (fractions <= 1)).all():
            raise OptionError(f"at is {at!r}: it must be a fraction of the half-cycle, 0 to 1")
        ending = " overpotential [V]"
        names = [n for n in half_cycle.solution.all_models[0].variables if n.endswith(ending)]
        values = {name.removesuffix(ending): half_cycle.at(name, fractions) for name in names}
        if fractions.ndim == 0:
            values = {name: float(value) for name, value in values.items()}
            return pd.Series(values, name=f"{direction} at {rate:g} C")
        return pd.DataFrame(values, index=pd.Index(fractions, name="Fraction"))

    def _half_cycle(self, rate: float, direction: str) -> HalfCycle:
        matching = [h for h in self.half_cycles if (h.rate, h.direction) == (rate, direction)]
        if not matching:
            raise OptionError(
                f"the test has no {direction!r} at rate {rate!r}: rates are {self.test.rates}, "
                'directions "charge" and "discharge"'
            )
        if matching[-1].solution is None:
            raise OptionError(
                f"no breakdown for the {direction} at {rate:g} C: {matching[-1].status}"
            )
        return matching[-1]

    @functools.cached_property
    def notes(self) -> list[str]:
        """What there is to say about the validity of the result, one sentence each."""
        values = self.parameters.to_pybamm()
        values.update({INITIAL: "[input]"})
        # the anode's balance does not depend on where the test starts
        notes = Preflight(self.parameters.model_options, values).anode_notes({})
        for h in self.half_cycles:
            half_cycle = f"the {h.direction} at {abs(h.current) / self.one_c:g} C"
            if h.reason:
                notes.append(f"{half_cycle} cannot start: {h.reason}")
            if h.recovery:
                notes.append(f"{half_cycle} was solved with {h.recovery}")
        largest = max((float(h.at(UNIFORMITY, 0.5)) for h in self._reduced()), default=0.0)
        if largest > UNIFORMITY_LIMIT:
            notes.append(
                f"the reaction is not uniform over the composite (reaction uniformity number "
                f"{largest:.2g}, limit {UNIFORMITY_LIMIT:g}): use the full model, dfn"
            )
        return list(dict.fromkeys(notes))  # once, however many cycles

    def _reduced(self) -> Iterator[HalfCycle]:
        for half_cycle in self.half_cycles:
            if half_cycle.solution and UNIFORMITY in half_cycle.solution.all_models[0].variables:
                yield half_cycle

    @property
    def ok(self) -> bool:
        """Whether every rate gave an answer (a cut-off reached at start is one)."""
        return not self.table["Status"].str.startswith("failed").any()

    def to_dict(self) -> dict:
        """Everything to read the result and to repeat the run (`repeat_run`), ready for JSON."""
        changed = {n: i.value for n, i in self.parameters.given.items() if i.kind == "user"}
        values = {n: v for n, v in self.parameters.items() if isinstance(v, float)}
        try:
            files = self.parameters.files()
        except ParameterError:  # a Python function cannot be written down
            files = None
        return {
            "versions": record.versions(),
            "model": self.model_name,
            "settings": self._settings,
            "test": {
                "rates": self.test.rates,
                "charge_rate": self.test.charge_rate,
                "cycles": self.test.cycles,
                "initial_state_of_charge": self.test.initial_state_of_charge,
            },
            "parameters": {
                "set": self.parameters.name,
                "changed": {n: v if isinstance(v, float) else str(v) for n, v in changed.items()},
                "values": values,
                "sha256": files and record.digest(files),
                "files": files,
            },
            "notes": self.notes,
            "table": _records(self.table),
            "comparison": _records(self.compare()),
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``table.csv``, ``curves.csv``, ``comparison.csv``, ``run.json`` and the plots.

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
            save_rate_test(self, folder)
        return folder


def settings_of(model, solver, var_pts: dict | None) -> dict:
    """How a test was run, to run it again."""
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in model.options.items()}
    if dataclasses.is_dataclass(solver):
        solver = dataclasses.asdict(solver)
    elif solver is not None:
        solver = type(solver).__name__
    names = {model_class: name for name, model_class in MODELS.items()}
    return {
        "model": names.get(type(model), type(model).__name__),
        "options": options,
        "solver": solver,
        "var_pts": var_pts and {str(name): points for name, points in var_pts.items()},
    }


def _records(frame: pd.DataFrame) -> list[dict]:
    """Rows as dictionaries, with None for NaN."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
