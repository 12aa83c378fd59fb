"""Physics-based model of all-solid-state sodium batteries, built on PyBaMM.

Importing the package turns PyBaMM's telemetry off unless PYBAMM_DISABLE_TELEMETRY says
otherwise, and the messages that SUNDIALS writes to the terminal unless SUNLOGGER_ERROR_FILENAME
and SUNLOGGER_WARNING_FILENAME do: a failed solve says so by itself. The public names load on
first use.
"""

import importlib
import os

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
os.environ.setdefault("SUNLOGGER_ERROR_FILENAME", os.devnull)
os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)

__version__ = "0.1.0"

# No module has the name of a function below: importing it would hide the function.
_HOMES = {
    "ParameterSet": "cell.parameter_set",
    "list_parameter_sets": "cell.set_files",
    "new_set": "cell.template",
    "json_schema": "cell.reference",
    "SolidStateDFN": "models.dfn",
    "SolidStateSPM": "models.spm",
    "solid_electrolytes": "cell.electrolytes",
    "swap_layer": "cell.electrolytes",
    "RateTest": "protocol.rate_test",
    "RateTestResult": "results.rate_test",
    "repeat_run": "protocol.repeat",
    "StructuredSolver": "solvers.structured",
    "SymmetricCell": "models.symmetric",
    "BlockingPellet": "models.symmetric",
    "impedance": "eis",
    "PreparedImpedance": "eis",
    "fit": "fitting",
    "Free": "fitting",
    "FitResult": "fitting",
    "RateTestData": "fit_data",
    "CurveData": "fit_data",
    "SpectrumData": "fit_data",
    "data_from_file": "fit_data",
    "read_curves": "measured.formats",
    "half_cycles": "measured.curves",
    "sweep": "sweeps",
    "grid": "sweeps",
    "sample": "sweeps",
    "own_ranges": "sweeps",
    "as_dataset": "sweeps",
    "sensitivity": "sensitivities",
    "global_sensitivity": "sensitivities",
    "sobol": "sensitivities",
    "morris": "sensitivities",
    "contour": "sensitivities",
    "tornado": "sensitivities",
    "target": "sensitivities",
    "SSNIBError": "errors",
    "ParameterError": "errors",
    "UnknownParameterError": "errors",
    "OptionError": "errors",
    "MeasuredDataError": "errors",
    "ValidityWarning": "errors",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_HOMES])
