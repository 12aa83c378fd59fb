"""``ssnib read``: what the files of instruments hold."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.cli.arguments import add_output_arguments, in_unit_of, option, quantity
from ssnib_model.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_OK,
    one_line,
    print_json,
    results_folder,
    say,
)
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.files import writing

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = """examples:
  ssnib read test.mpt
  ssnib read *.csv --out tidy
  ssnib read cell.txt --column "Voltage [V]=Ewe/V" --unit "Current [A]=mA" --mass "4 mg"
"""

SPECIFIC = "Capacity [mA.h.g-1]"

#: Steps that are printed.
MAX_STEPS = 40


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``read``."""
    read = commands.add_parser(
        "read",
        help="what files of cyclers and impedance analysers hold, with checks",
        description="Read files of instruments and print their format, steps, capacities and "
        "what is doubtful about them. With --out, writes each as a tidy table (FILE.csv, "
        "which ssnib and ss.read_curves read) and as a picture (FILE.png).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    read.add_argument("files", nargs="+", metavar="FILE", help="files of instruments")
    read.add_argument(
        "--column",
        action="append",
        default=[],
        type=option,
        metavar='"QUANTITY=NAME"',
        help='column to take for a quantity, "Voltage [V]=Ewe/V" for example; repeatable',
    )
    read.add_argument(
        "--unit",
        action="append",
        default=[],
        type=option,
        metavar='"QUANTITY=UNIT"',
        help='unit of a column, "Current [A]=mA" for example, or the factor to the unit of the '
        "quantity; repeatable",
    )
    read.add_argument(
        "--mass",
        type=quantity,
        metavar="M",
        help='mass of active material [kg], or with a unit, "4 mg": capacities in mAh/g too',
    )
    read.add_argument(
        "--theoretical",
        type=float,
        metavar="Q",
        help="capacity that the active material can hold [mAh/g]: more than that is said, far "
        "more refused; with --mass",
    )
    add_output_arguments(read, "read", is_default=False)
    read.set_defaults(command=_read)


def _read(arguments: argparse.Namespace) -> int:
    paths = [Path(file) for file in arguments.files]
    names = [path.stem for path in paths]
    twice = {name for name in names if names.count(name) > 1}
    if arguments.out and twice:
        raise OptionError(f"two files would both be written as {sorted(twice)[0]}.csv")
    mass = None if arguments.mass is None else in_unit_of("mass [kg]", arguments.mass)
    if mass is not None and not mass > 0:
        raise OptionError(f"--mass is {mass:g} kg: it must be positive")
    writes = [f"{name}{end}" for name in names for end in (".csv", ".png")]
    most = arguments.theoretical
    if most is not None and (mass is None or not 0 < most < math.inf):
        raise OptionError(f"--theoretical is {most:g} mAh/g: it is positive, and goes with --mass")
    folder = results_folder(arguments, writes)
    found, failed = [], 0
    talks = not arguments.quiet
    for path in paths:
        try:
            frame, record = _overview(path, arguments, mass)
        except MeasuredDataError as error:
            if len(paths) == 1:
                raise
            say(f"ssnib: error: {one_line(str(error))}", file=sys.stderr)
            found.append({"file": str(path), "error": str(error)})
            failed += 1
            continue
        found.append(record)
        if folder:
            _write(folder, path.stem, frame, record["kind"])
        if talks and not arguments.json:
            say(_report(record) + ("\n" if path != paths[-1] else ""))
    if arguments.json:
        print_json({"files": found})
    elif folder and talks:
        say(f"\nThe tables and pictures are in {folder}")
    return EXIT_BAD_INPUT if failed else EXIT_OK


def _overview(
    path: Path, arguments: argparse.Namespace, mass: float | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What a file holds, and the same as a record."""
    from ssnib_model.measured.checks import check_capacity
    from ssnib_model.measured.curves import half_cycles
    from ssnib_model.measured.reading import read_curves
    from ssnib_model.measured.spectra import read_spectrum

    # a name or a unit may be a number
    given = tuple({n: str(v) for n, v in said} for said in (arguments.column, arguments.unit))
    try:
        curves = read_curves(path, given[0], given[1])
    except MeasuredDataError as error:
        try:
            spectra = read_spectrum(path, "all")
        except MeasuredDataError:
            raise error from None
        if any(given):
            raise OptionError(
                f"{path} holds spectra: --column and --unit are for curves"
            ) from None
        return spectra, _of_spectra(path, spectra)
    record = _of_curves(path, curves, mass)
    if mass is not None and arguments.theoretical is not None:
        halves = enumerate(half_cycles(curves, mass), start=1)
        capacities = {
            f"the {part.attrs['direction']} number {number}": part[SPECIFIC].iloc[-1] * mass
            for number, part in halves
        }
        record["findings"] += check_capacity(str(path), capacities, arguments.theoretical, mass)
    return curves, record


def _of_curves(path: Path, curves: pd.DataFrame, mass: float | None) -> dict[str, Any]:
    from ssnib_model.measured.capacity import chosen, totals
    from ssnib_model.measured.overview import steps_table
    from ssnib_model.tables import records

    gains, which = chosen(curves)
    findings = list(curves.attrs["problems"])
    try:
        steps = records(steps_table(curves))
    except MeasuredDataError as error:
        steps = []
        findings.append(f"no steps: {error}")
    passed = totals(curves, gains)
    record: dict[str, Any] = {
        "file": str(path),
        "kind": "curves",
        "format": curves.attrs["format"],
        "rows": len(curves),
        "columns": list(curves.columns),
        "duration [h]": float(curves["Time [s]"].iloc[-1] - curves["Time [s]"].iloc[0]) / 3600,
        "voltage [V]": [float(curves["Voltage [V]"].min()), float(curves["Voltage [V]"].max())],
        "charged [A.h]": passed["charge"],
        "discharged [A.h]": passed["discharge"],
        "capacity by": which,
        "steps": steps,
        "findings": findings,
    }
    if mass is not None:
        record["mass [kg]"] = mass
        for step in steps:
            step["Capacity [mA.h.g-1]"] = abs(step["Charge passed [A.h]"]) / mass
    return record


def _of_spectra(path: Path, spectra: pd.DataFrame) -> dict[str, Any]:
    frequency = spectra["Frequency [Hz]"]
    return {
        "file": str(path),
        "kind": "spectra",
        "format": spectra.attrs["format"],
        "rows": len(spectra),
        "spectra": int(spectra.attrs["spectra"]),
        "frequency [Hz]": [float(frequency.min()), float(frequency.max())],
        "findings": list(spectra.attrs["problems"]),
    }


def _report(record: dict[str, Any]) -> str:
    lines = [f"{record['file']}: {record['format']}, {record['rows']} rows"]
    if record["kind"] == "spectra":
        low, high = record["frequency [Hz]"]
        several = f"{record['spectra']} spectra" if record["spectra"] > 1 else "1 spectrum"
        lines.append(f"  {several}, {low:.4g} to {high:.4g} Hz")
    else:
        low, high = record["voltage [V]"]
        lines += [
            f"  {record['duration [h]']:.4g} h, {low:.3f} to {high:.3f} V; columns "
            f"{', '.join(record['columns'])}",
            f"  charged {_amount(record['charged [A.h]'])}, discharged "
            f"{_amount(record['discharged [A.h]'])}, by {record['capacity by']}",
        ]
        lines += _steps(record)
    lines.append("  findings:" if record["findings"] else "  nothing is doubtful")
    lines += [f"  - {finding}" for finding in record["findings"]]
    return "\n".join(lines)


def _steps(record: dict[str, Any]) -> list[str]:
    steps = record["steps"]
    if not steps:
        return []
    specific = "mass [kg]" in record
    lines = [
        "   step kind       cycle      lines          hours  current [mA]  end [V]  "
        f"{'mAh/g' if specific else 'mAh':>9}  ended by"
    ]
    for number, step in enumerate(steps[:MAX_STEPS], start=1):
        charge = step["Capacity [mA.h.g-1]"] if specific else step["Charge passed [A.h]"] * 1e3
        lines.append(
            f"  {number:>5} {step['Kind']:<10} {step['Cycle']:>5} "
            f"{step['First line']:>7}-{step['Last line']:<7} {step['Duration [s]'] / 3600:>8.3f} "
            f"{step['Current [A]'] * 1e3:>13.5g} {step['End voltage [V]']:>8.3f}  "
            f"{charge:>9.4g}  {step['Ended by']}"
        )
    if len(steps) > MAX_STEPS:
        lines.append(f"  ... {len(steps)} steps in all (--json has them)")
    return lines


def _amount(charge: float) -> str:
    # nothing at all may come as -0.0
    return f"{charge * 1e3 + 0.0:.4g} mAh" if charge < 1 else f"{charge:.4g} Ah"


def _write(folder: Path, name: str, frame: pd.DataFrame, kind: str) -> None:
    """The tidy table and the picture of a file."""
    import matplotlib.pyplot as plt

    from ssnib_model.measured.overview import plot_curves

    with writing(folder):
        frame.to_csv(folder / f"{name}.csv", index=False)
        figure = plt.figure(layout="constrained")
        ax = figure.add_subplot()
        if kind == "curves":
            plot_curves(frame, ax).set_title(f"{name}: {frame.attrs['format']}", fontsize="small")
        else:
            groups = frame.groupby("Spectrum") if "Spectrum" in frame else [(1, frame)]
            for number, part in groups:
                ax.plot(part["Re(Z) [Ohm]"], -part["Im(Z) [Ohm]"], "o-", ms=3, label=number)
            ax.set_xlabel("Re(Z) [Ohm]")
            ax.set_ylabel("-Im(Z) [Ohm]")
            ax.set_aspect("equal", "datalim")
        figure.savefig(folder / f"{name}.png", dpi=150)
        plt.close(figure)
