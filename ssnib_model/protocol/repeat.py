"""A run again from its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ssnib_model.errors import OptionError
from ssnib_model.files import read_bytes

#: Bytes of a run.json, which holds the tables of its parameter set.
MAX_RUN_SIZE = 100_000_000


def repeat_run(source: str | Path | Mapping):
    """Run a rate test again from its ``run.json``.

    Parameters
    ----------
    source : str, Path or mapping
        The file that `RateTestResult.save` wrote or ``ssnib rate-test --json`` printed, or what
        it holds.

    Returns
    -------
    RateTestResult
        On the same machine with the same versions, the same to the last digit.

    Raises
    ------
    OptionError
        If the document is none of this kind, or what was run cannot be written down: a Python
        function as a parameter, a solver or a model of one's own.
    """
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.models.names import MODELS
    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.solvers.structured import StructuredSolver

    is_read = not isinstance(source, Mapping)
    where, document = (source, _read(source)) if is_read else ("the document", source)
    try:
        settings, test = document["settings"], document["test"]
        name, solver = settings["model"], settings["solver"]
        files, options = document["parameters"]["files"], settings["options"]
        if files is None:
            raise OptionError(f"{where}: one of the parameters was a Python function")
        if name not in MODELS or not (solver is None or isinstance(solver, dict)):
            raise OptionError(
                f"{where}: was run by the model {name!r} and the solver {solver!r}: known are "
                f"{sorted(MODELS)}, and the solvers that come with the package"
            )
        return RateTest(**test).run(
            MODELS[name](options),
            ParameterSet.from_files(files),
            solver=StructuredSolver.from_dict(solver) if solver else None,
            var_pts=settings["var_pts"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{where}: is not the run.json of a rate test ({error})") from error


def _read(file: str | Path):
    try:
        return json.loads(read_bytes(Path(file), MAX_RUN_SIZE))
    except OSError as error:
        raise OptionError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{file}: is not the run.json of a rate test ({error})") from error
