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
    "Protocol": "protocol.protocol",
    "RateTest": "protocol.rate_test",
    "GITT": "protocol.builders",
    "Pulse": "protocol.builders",
    "Cycling": "protocol.builders",
    "Formation": "protocol.builders",
    "RateTestResult": "results.rate_test",
    "ProtocolResult": "results.protocol",
    "CellState": "solvers.state",
    "repeat_run": "protocol.repeat",
    "StructuredSolver": "solvers.structured",
    "SymmetricCell": "models.symmetric",
    "BlockingPellet": "models.symmetric",
    "impedance": "eis",
    "PreparedImpedance": "eis",
    "fit": "fits.search",
    "Free": "fits.free",
    "FitResult": "fits.result",
    "pypesto_problem": "fits.petab",
    "Posterior": "fits.draws",
    "next_experiment": "fits.next_experiment",
    "NextExperiment": "fits.next_result",
    "Candidate": "fits.candidates",
    "Spectrum": "fits.candidates",
    "marginal": "fits.assumed",
    "RateTestData": "fits.data",
    "CurveData": "fits.data",
    "ProtocolData": "fits.protocol_data",
    "SpectrumData": "fits.data",
    "data_from_file": "fits.files",
    "spectrum_from_file": "fits.spectrum_files",
    "curve_from_file": "fits.curve_files",
    "read_curves": "measured.reading",
    "read_spectrum": "measured.spectra",
    "read_capacity_curve": "measured.capacity_voltage",
    "read_rate_table": "measured.rate_tables",
    "half_cycles": "measured.curves",
    "plot_curves": "measured.overview",
    "steps_table": "measured.overview",
    "MeasuredProtocol": "measured.protocol",
    "Comparison": "measured.comparison",
    "compare": "measured.comparison",
    "diagnose": "diagnosis.diagnose",
    "Diagnosis": "diagnosis.diagnosis",
    "explore": "app.server",
    "sweep": "runs.sweep",
    "grid": "runs.designs",
    "sample": "runs.designs",
    "own_ranges": "runs.designs",
    "as_dataset": "runs.sweep",
    "sensitivity": "runs.sensitivity",
    "global_sensitivity": "runs.sensitivity",
    "sobol": "runs.sensitivity",
    "morris": "runs.sensitivity",
    "contour": "runs.target",
    "tornado": "runs.sensitivity",
    "target": "runs.target",
    "optimise": "runs.optimise",
    "Optimum": "runs.optimise",
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
    return [*__all__, "__all__", "__doc__", "__file__", "__name__", "__path__", "__version__"]
