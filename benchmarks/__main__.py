"""Run the benchmarks and print one table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

# one thread, before anything loads a linear algebra library
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

#: Solvers of rate tests, sweeps and fits; None is PyBaMM's IDAKLU.
SOLVERS = (None, "structured")


def benchmarks() -> dict:
    """Every benchmark by name, in the order of the table."""
    from benchmarks import fits, rate_tests, session, solves

    found = (
        session.shell,
        session.first_result,
        solves.simulation,
        solves.half_cycle,
        solves.ocp,
        rate_tests.first,
        rate_tests.repeated,
        rate_tests.throughput,
        rate_tests.batch,
        rate_tests.sweep,
        rate_tests.two_cores,
        rate_tests.memory,
        solves.sensitivities,
        fits.gradient,
        fits.fit,
        fits.against_pybop,
        fits.paper_fit,
        solves.spectrum,
    )
    return {function.__name__: function for function in found}


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for; the exit code says only whether everything ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look: few repeats, about a minute")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="a benchmark; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="names of the benchmarks")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows here as well")
    arguments = parser.parse_args(argv)

    from ssnib_model import ValidityWarning

    known = benchmarks()
    if arguments.list:
        for name, function in known.items():
            print(f"{name}: {inspect.getdoc(function).splitlines()[0]}")
        return 0
    unknown = set(arguments.only or ()) - set(known)
    if unknown:
        parser.error(f"no benchmark {sorted(unknown)}: they are {list(known)}")

    from benchmarks.report import machine, markdown
    from benchmarks.timing import QUICK, Settings

    warnings.simplefilter("ignore", ValidityWarning)
    settings, about = QUICK if arguments.quick else Settings(), machine()
    rows, failed = [], False
    for name in arguments.only or known:
        function = known[name]
        takes_solver = "solver" in inspect.signature(function).parameters
        for solver in SOLVERS if takes_solver else (None,):
            began = time.perf_counter()
            try:
                rows += function(settings, solver) if takes_solver else function(settings)
            except Exception:  # those that ran must not be lost
                traceback.print_exc()
                failed = True
            print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
            if arguments.json:
                found = {"machine": about, "rows": [row.to_dict() for row in rows]}
                arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(markdown(rows))
    print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
