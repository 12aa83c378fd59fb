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
from dataclasses import replace
from pathlib import Path

# one thread, before anything loads a linear algebra library
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def benchmarks() -> dict:
    """Every benchmark by name, in the order of the table."""
    from benchmarks import fits, memory, protocols, rate_tests, session, solves, sweeps

    found = (
        session.shell,
        session.first_result,
        session.compiling,
        solves.simulation,
        solves.half_cycle,
        solves.ocp,
        rate_tests.first,
        rate_tests.repeated,
        rate_tests.throughput,
        protocols.cc_cv,
        protocols.cycles,
        sweeps.batch,
        sweeps.sweep,
        sweeps.two_workers,
        memory.memory,
        solves.sensitivities,
        fits.gradient,
        fits.fit,
        fits.against_pybop,
        fits.paper_fit,
        solves.spectrum,
    )
    return {function.__name__: function for function in found}


def _restrictions(arguments: argparse.Namespace, failed: list[str]) -> list[str]:
    """What a table lacks."""
    said = ["A quick look, no measurement"] if arguments.quick else []
    if arguments.cases:
        said.append(f"only {', '.join(arguments.cases)}")
    if failed:
        said.append(f"without {', '.join(dict.fromkeys(failed))}, which failed")
    return said


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for; the exit code says only whether everything ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="one of --list; default: all")
    parser.add_argument("--quick", action="store_true", help="a look: few repeats, about a minute")
    parser.add_argument("--list", action="store_true", help="names of the benchmarks")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows here as well")
    parser.add_argument(
        "--write", metavar="PAGE", type=Path, help="put the table into this page, in place of its"
    )
    arguments = parser.parse_args(argv)

    from ssnib_model import ValidityWarning

    known = benchmarks()
    if arguments.list:
        for name, function in known.items():
            print(f"{name}: {inspect.getdoc(function).splitlines()[0]}")
        return 0
    unknown = sorted(set(arguments.cases) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: they are {', '.join(known)}")

    from benchmarks.cases import SOLVERS
    from benchmarks.report import in_words, machine, markdown, rewritten
    from benchmarks.timing import QUICK, Settings

    if arguments.write:
        try:  # now, not after all that takes so long
            rewritten(arguments.write.read_text(), "")
        except (OSError, ValueError) as error:
            parser.error(f"{arguments.write} cannot be written to: {error}")

    warnings.simplefilter("ignore", ValidityWarning)
    settings, about = QUICK if arguments.quick else Settings(), machine()
    rows, failed, start = [], [], time.perf_counter()
    for name in arguments.cases or known:
        function = known[name]
        takes_solver = "solver" in inspect.signature(function).parameters
        for solver in SOLVERS if takes_solver else ("",):
            began = time.perf_counter()
            try:
                found = function(settings, solver) if takes_solver else function(settings)
                # a look at reduced size is not judged
                rows += [replace(r, targets=None) for r in found] if arguments.quick else found
            except Exception:  # those that ran must not be lost
                traceback.print_exc()
                failed.append(name)
            print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
            if arguments.json:
                content = {"machine": about, "rows": [row.to_dict() for row in rows]}
                arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    if arguments.write:
        said = in_words(about, time.perf_counter() - start, _restrictions(arguments, failed))
        content = f"\n{said}\n\n{markdown(rows, aligned=False)}\n"
        arguments.write.write_text(rewritten(arguments.write.read_text(), content))
    print(markdown(rows))
    print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
