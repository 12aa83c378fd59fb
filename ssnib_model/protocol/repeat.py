"""A run again from its record."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, SSNIBError, ValidityWarning
from ssnib_model.files import read_bytes
from ssnib_model.models.names import MODELS
from ssnib_model.protocol.protocol import Protocol
from ssnib_model.protocol.rate_test import RateTest
from ssnib_model.results.protocol import ProtocolResult
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.results.record import versions
from ssnib_model.solvers.choice import Named
from ssnib_model.solvers.state import CellState

#: Bytes of a run.json, which holds the tables of its parameter set.
MAX_RUN_SIZE = 100_000_000


def repeat_run(source: str | Path | Mapping[str, Any]) -> RateTestResult | ProtocolResult:
    """Run a test again from its ``run.json``.

    Parameters
    ----------
    source : str, Path or mapping
        The file that `RateTestResult.save` or `ProtocolResult.save` wrote, or that ``--json`` of
        the command line printed, or what it holds.

    Returns
    -------
    RateTestResult or ProtocolResult
        On the same machine with the same versions, the same to the last digit.

    Warns
    -----
    ValidityWarning
        If the versions are others than those of then, or another value follows from the files.

    Raises
    ------
    OptionError
        If the document is none of this kind, or what was run cannot be written down: a Python
        function as a parameter, a solver or a model of one's own.
    """
    test, settings = read_run(source)
    return test.run(**settings)


def read_run(source: str | Path | Mapping[str, Any]) -> tuple[RateTest | Protocol, dict[str, Any]]:
    """What a ``run.json`` says: the test, and the arguments of its ``run``; as `repeat_run`."""
    where: object = "the document"
    if isinstance(source, Mapping):
        document: Any = source
    else:
        where, document = source, _read(source)
    try:
        settings = document["settings"]
        name, solver, var_pts = settings["model"], settings["solver"], settings["var_pts"]
        files, then = document["parameters"]["files"], document["parameters"]["values"]
        if files is None:
            raise OptionError(f"{where}: one of the parameters was a Python function")
        if name not in MODELS or not (solver is None or isinstance(solver, dict)):
            raise OptionError(
                f"{where}: was run by the model {name!r} and the solver {solver!r}: known are "
                f"{sorted(MODELS)}, and the solvers that come with the package"
            )
        test: RateTest | Protocol
        others: dict[str, Any] = {}
        if "protocol" in document:
            test, others["keep"] = Protocol.from_dict(document["protocol"]), document["keep"]
        else:
            test = RateTest(**document["test"])
        if document.get("start") is not None:
            others["start"] = CellState.from_dict(document["start"])
        model, parameters = MODELS[name](settings["options"]), ParameterSet.from_files(files)
        solver = Named.from_dict(solver)
        var_pts = None if var_pts is None else dict(var_pts)
        notes = [*_other_versions(document["versions"]), *_other_values(dict(then), parameters)]
    except SSNIBError:  # says so itself
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OptionError(f"{where}: is not the run.json of a test ({error})") from error
    for note in notes:
        warnings.warn(f"{where}: {note}", ValidityWarning, stacklevel=3)
    run = {"model": model, "parameters": parameters, "solver": solver, "var_pts": var_pts}
    return test, run | others


def _other_versions(then: Mapping[str, str]) -> list[str]:
    """What computed then and is another now, as one sentence."""
    now = versions()
    others = [
        f"{name} {then.get(name)}, now {now[name]}" for name in now if then.get(name) != now[name]
    ]
    return [f"was run with other versions: {'; '.join(others)}"] if others else []


def _other_values(then: Mapping[str, float], parameters: ParameterSet) -> list[str]:
    """Which values follow otherwise from the same files, as one sentence."""
    others = []
    for name, value in then.items():
        now = parameters.get(name)
        if now is None or not math.isclose(now, value, rel_tol=1e-9):
            others.append(
                f'"{name}" was {value:.6g} and is {now if now is None else f"{now:.6g}"}'
            )
    return (
        [f"its parameters follow otherwise from its files: {'; '.join(others)}"] if others else []
    )


def _read(file: str | Path) -> Any:
    try:
        return json.loads(read_bytes(Path(file), MAX_RUN_SIZE))
    except OSError as error:
        raise OptionError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{file}: is not the run.json of a test ({error})") from error
