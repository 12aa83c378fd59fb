"""A fit as a PEtab problem, so that other programs can repeat its optimum and its profiles.

PEtab 2.0 (https://petab.readthedocs.io) says parameters with bounds and priors, measurements with
their errors, and which experiment they are of. Models it takes are written out as equations; this
one stops at cut-offs and starts again, which no such language can say. So the tables name no
model: each measured value has an observable, whose formula is the name of the value that
``model.json`` and the set in ``cell`` make, through `ssnib_model`. `pypesto_problem` reads the
tables back and gives pyPESTO an objective with exact gradients.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError, SSNIBError
from ssnib_model.files import writing
from ssnib_model.fits.data import CurveData, Data, RateTestData, SpectrumData
from ssnib_model.fits.free import Bounded, Free
from ssnib_model.fits.problem import FitProblem
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.record import versions
from ssnib_model.solvers.choice import FOR_FITS, IDAKLU, STRUCTURED, Choice, Named
from ssnib_model.solvers.structured import StructuredSolver

MODEL, CELL, PROBLEM = "model.json", "cell", "problem.yaml"
TABLES = PARAMETERS, OBSERVABLES, MEASUREMENTS, EXPERIMENTS = (
    "parameters.tsv",
    "observables.tsv",
    "measurements.tsv",
    "experiments.tsv",
)

NO_POPULATION = (
    "parameters with a value for each cell cannot be written for PEtab, which has no prior with "
    "an unknown mean and spread: free them for each data set by itself (Free(..., data=...))"
)

#: The version of ``model.json``.
FORMAT = 1

_YAML = f"""\
# The model is no language of PEtab: ssnib_model.pypesto_problem gives an objective for {MODEL}
format_version: 2.0.0
model_files: {{}}
parameter_files: [{PARAMETERS}]
observable_files: [{OBSERVABLES}]
measurement_files: [{MEASUREMENTS}]
experiment_files: [{EXPERIMENTS}]
"""


def write_petab(problem: FitProblem, best: np.ndarray, folder: str | Path) -> Path:
    """Write the tables of PEtab, and what the model is.

    Parameters
    ----------
    problem : FitProblem
        Of rate tests, curves and spectra.
    best : numpy.ndarray
        The best point on the unit scale, shape (k,): the nominal values.
    folder : str or Path
        A new folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OptionError
        For data, a solver or parameters that it cannot say.
    SSNIBError
        If the folder exists or cannot be written.
    """
    folder = Path(folder)
    if problem.populations:
        raise OptionError(NO_POPULATION)
    model = {
        "format": FORMAT,
        "versions": versions(),
        "model": problem.model,
        "solver": _solver_of(problem.choice),
        "data": [_described(d) for d in problem.data],
        "parameters": [
            {"name": f.name, "data": list(f.names)} | {"log": f.log} for f in problem.free
        ],
    }
    if folder.exists():
        raise SSNIBError(f"{folder}: is there already: a new folder is needed")
    with writing(folder):
        problem.parameters.save(folder / CELL)
        for name, table in _tables(problem, best):
            table.to_csv(folder / name, sep="\t", index=False)
        (folder / PROBLEM).write_text(_YAML, encoding="utf-8")
        text = json.dumps(model, indent=2, allow_nan=False)
        (folder / MODEL).write_text(text + "\n", encoding="utf-8")
    return folder


def _tables(problem: FitProblem, best: np.ndarray) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables by the names of their files."""
    yield (
        PARAMETERS,
        pd.DataFrame(
            [
                {
                    "parameterId": f"parameter_{n}",
                    "parameterName": f.label,
                    "lowerBound": f.low,
                    "upperBound": f.high,
                    "nominalValue": f.from_unit(u),
                    "estimate": "true",
                    "priorDistribution": ("log-" if f.log else "")
                    + ("normal" if f.prior else "uniform"),
                    "priorParameters": ";".join(map(repr, _prior_of(f))),
                }
                for n, (f, u) in enumerate(zip(problem.free, best, strict=True))
            ]
        ),
    )
    rows = [(n, d, i) for n, d in enumerate(problem.data) for i in range(len(d.measured))]
    yield (
        OBSERVABLES,
        pd.DataFrame(
            [
                {
                    "observableId": f"observable_{n}_{i}",
                    "observableName": f"{d.name}: {d.labels[i]}",
                    "observableFormula": f"value_{n}_{i}",
                    "noiseFormula": repr(float(d.sigma[i])),
                    "noiseDistribution": "normal",
                }
                for n, d, i in rows
            ]
        ),
    )
    yield (
        MEASUREMENTS,
        pd.DataFrame(
            [
                {
                    "observableId": f"observable_{n}_{i}",
                    "experimentId": f"experiment_{n}",
                    "time": 0,  # a value of the whole experiment
                    "measurement": repr(float(d.measured[i])),
                }
                for n, d, i in rows
            ]
        ),
    )
    yield (
        EXPERIMENTS,
        pd.DataFrame(
            [
                {"experimentId": f"experiment_{n}", "time": 0, "conditionId": ""}
                for n in range(len(problem.data))
            ]
        ),
    )


def _prior_of(f: Bounded) -> tuple[float, float]:
    if f.prior is None:
        return f.low, f.high
    mean, deviation = f.prior
    return (math.log(mean) if f.log else mean), deviation


def _solver_of(choice: Choice | None) -> dict[str, Any] | None:
    """A solver by its name and tolerances; None where no data take one."""
    if choice is None:
        return None
    if choice.is_own and not isinstance(choice.solver, StructuredSolver):
        raise OptionError(
            f"the solver of the fit is a {choice.name} of one's own, which no file can say: fit "
            f"with {STRUCTURED} or {IDAKLU}"
        )
    return {
        "name": STRUCTURED if isinstance(choice.solver, StructuredSolver) else IDAKLU,
        "rtol": choice.solver.rtol,
        "atol": choice.solver.atol,
    }


def check_petab(data: Iterable[Data], each: bool) -> None:
    """`OptionError` for data, or values for each cell, that `write_petab` refuses."""
    if each:
        raise OptionError(NO_POPULATION)
    for d in data:
        _described(d)


def _described(d: Data) -> dict[str, Any]:
    """What makes a data set again, but for values and errors."""
    common = {"kind": type(d).__name__, "name": d.name, "temperature": d.temperature}
    if type(d) is RateTestData:
        points = [[rate, column] for rate, column in d.points]
        return common | {"test": d.test.to_dict(), "points": points}
    if type(d) is CurveData:
        direction = "charge" if d.labels[-1].startswith("Charge") else "discharge"
        rate = list(d.test.half_cycles())[d.place][0]
        return common | {
            "test": d.test.to_dict(),
            "rate": rate,
            "direction": direction,
            "fractions": d.fractions.tolist(),
        }
    if type(d) is SpectrumData:
        return common | {"frequencies": d.frequencies.tolist(), "state": d.state}
    raise OptionError(
        f"{d.name} is a {type(d).__name__}: what is written for PEtab are RateTestData, CurveData "
        "and SpectrumData"
    )


def _made(spec: dict[str, Any], values: np.ndarray, sigma: np.ndarray) -> Data:
    """A data set of its description, with its values and errors."""
    name, kelvin = spec["name"], spec["temperature"]
    made: Data
    if spec["kind"] == "SpectrumData":
        half = len(values) // 2
        z = values[:half] + 1j * values[half:]
        made = SpectrumData(name, spec["frequencies"], z, spec["state"], temperature=kelvin)
    elif spec["kind"] == "CurveData":
        fractions, test = np.array(spec["fractions"]), RateTest(**spec["test"])
        capacity = values[-1] * np.append(fractions, 1.0)
        made = CurveData(
            name,
            capacity,
            np.append(values[:-1], values[-2]),
            spec["rate"],
            spec["direction"],
            points=len(fractions),
            temperature=kelvin,
            test=test,
        )
    else:
        table = pd.DataFrame(
            [{"C-rate": r, c: v} for (r, c), v in zip(spec["points"], values, strict=True)]
        )
        made = _rate_test(name, table, RateTest(**spec["test"]), kelvin)
    made.measured, made.sigma = values, sigma
    return made


def _rate_test(name: str, values: pd.DataFrame, test: RateTest, kelvin: Any) -> RateTestData:
    """A rate test of one row a value: those of one row of its table together again."""
    rows: list[dict[str, float]] = []
    for row in values.to_dict("records"):
        new = {str(k): v for k, v in row.items() if v == v}
        if (
            rows
            and rows[-1]["C-rate"] == new["C-rate"]
            and not (rows[-1].keys() & new.keys()) > {"C-rate"}
        ):
            rows[-1] |= new
        else:
            rows.append(new)
    return RateTestData(name, pd.DataFrame(rows), temperature=kelvin, test=test)


def read_petab(folder: str | Path) -> FitProblem:
    """The problem of a folder that `write_petab` wrote, with what its tables say now.

    Parameters
    ----------
    folder : str or Path
        With bounds, priors, values and errors that may have been edited.

    Raises
    ------
    MeasuredDataError
        If a file is missing or is not what `write_petab` writes.
    SSNIBError
        If petab is not installed (extra ``[petab]``).
    """
    folder = Path(folder)
    _need("petab")
    from petab.v2 import Problem

    try:
        model = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        tables = Problem.from_yaml(folder / PROBLEM)
        if model["format"] != FORMAT:
            raise ValueError(f"its format is {model['format']!r}, and {FORMAT} is read")
        named = {o.id: o for o in tables.observables}
        data = []
        for n, spec in enumerate(model["data"]):
            own = [m for m in tables.measurements if m.experiment_id == f"experiment_{n}"]
            own.sort(key=lambda m: int(m.observable_id.rpartition("_")[2]))
            values = np.array([m.measurement for m in own])
            sigma = np.array([float(named[m.observable_id].noise_formula) for m in own])
            data.append(_made(spec, values, sigma))
        free = [
            Free(
                spec["name"],
                float(p.lb),
                float(p.ub),
                log=bool(spec["log"]),
                prior=_prior(p, bool(spec["log"])),
                data=tuple(spec["data"]) or None,
            )
            for spec, p in zip(model["parameters"], tables.parameters, strict=True)
        ]
        given, kind = model["solver"], model["model"]
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise MeasuredDataError(f"{folder}: no problem that was written here: {error}") from error
    solver: Named | str | None = None
    if given:
        asked = Named.from_dict(given | {"asked": "", "why": ""})
        usual = getattr(asked, asked.name) == getattr(FOR_FITS, asked.name)
        solver = asked.name if usual else asked
    return FitProblem(ParameterSet(folder / CELL), data, free, kind, solver)


def _prior(parameter: Any, log: bool) -> tuple[float, float] | None:
    """The Gaussian prior of a parameter, if it has one; `ValueError` for another."""
    kind, given = str(parameter.prior_distribution or "").lower(), parameter.prior_parameters
    kind = kind.rpartition(".")[2].replace("_", "-")
    if kind == ("log-uniform" if log else "uniform"):
        return None
    if kind != ("log-normal" if log else "normal"):
        raise ValueError(
            f"{parameter.id} has the prior {kind!r}: it must be uniform or normal, of the "
            f"{'logarithm' if log else 'value'}"
        )
    mean, deviation = map(float, given)
    return (math.exp(mean) if log else mean), deviation


def pypesto_problem(folder: str | Path) -> Any:
    """A problem of pyPESTO, for its optimisers, samplers and profiles.

    Parameters
    ----------
    folder : str or Path
        Of `write_petab`.

    Returns
    -------
    pypesto.Problem
        Its parameters are natural logarithms where the fit's are; its objective is half of chi2,
        priors included, with exact gradients where the fit has them, residuals and their
        derivatives.

    Raises
    ------
    SSNIBError
        If pypesto or petab is not installed (extra ``[petab]``).
    MeasuredDataError
        As for `read_petab`.
    """
    _need("pypesto")
    import pypesto

    problem = read_petab(folder)
    low = np.array([f.scaled(f.low) for f in problem.free])
    span = np.array([f.span for f in problem.free])

    def unit(x: np.ndarray) -> np.ndarray:
        return np.clip((np.asarray(x, float) - low) / span, 0.0, 1.0)

    def residuals(x: np.ndarray) -> np.ndarray:
        return problem.residuals(unit(x))

    def derivatives(x: np.ndarray) -> np.ndarray:
        return problem.jacobian(unit(x)) / span

    objective = pypesto.Objective(
        fun=lambda x: 0.5 * float(np.sum(residuals(x) ** 2)),
        grad=lambda x: derivatives(x).T @ residuals(x),
        hess=lambda x: derivatives(x).T @ derivatives(x),
        res=residuals,
        sres=derivatives,
    )
    return pypesto.Problem(
        objective,
        lb=low,
        ub=low + span,
        x_names=[f.label for f in problem.free],
        x_scales=["log" if f.log else "lin" for f in problem.free],
    )


def _need(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise SSNIBError(f'{module} is not installed: pip install "ssnib-model[petab]"')
