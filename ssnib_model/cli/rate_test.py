"""``ssnib rate-test`` and ``ssnib breakdown``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.cli.arguments import (
    CELL,
    NONE,
    add_cell_arguments,
    add_output_arguments,
    cell,
    choice,
    in_words,
    model,
    numbers,
    or_none,
    refuse_beside,
)
from ssnib_model.cli.output import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    RUN_FILE,
    no_answer,
    print_json,
    result_record,
    results_folder,
    say,
    talks,
    write_run,
)
from ssnib_model.errors import OptionError
from ssnib_model.files import writing

if TYPE_CHECKING:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.protocol.rate_test import RateTest

#: What a set can say of its test, besides the rates.
OF_TEST = ("charge_rate", "hold", "rest")

TABLES = ("table.csv", "curves.csv", "comparison.csv", RUN_FILE)
PLOTS = ("rate_test.png", "rate_capability.png", "voltage.png", "polarization.png")


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``rate-test`` and ``breakdown``."""
    rate_test = commands.add_parser(
        "rate-test",
        help="charge and discharge at each rate, beside the measured data",
        description="Charge and discharge the cell at each rate in turn and compare with the "
        "measured data of the parameter set. Writes table.csv, curves.csv, comparison.csv, "
        "run.json and plots.",
        epilog='Example: ssnib rate-test --param "Na3PS4 layer conductivity [S.m-1]=1 mS/cm" '
        "--temperature 60",
    )
    add_cell_arguments(rate_test)
    add_output_arguments(rate_test, "rate-test")
    rate_test.add_argument(
        "--rates",
        type=numbers,
        metavar="0.1,0.2,1",
        help="C-rates in the order of the test (default: those of the set's own test, else "
        "0.1,0.2,0.5,1,2)",
    )
    rate_test.add_argument(
        "--charge-rate",
        type=or_none(float),
        metavar="C",
        help="C-rate of every charge, or none: as the discharge that follows (default: that of "
        "the set's own test, else none)",
    )
    rate_test.add_argument("--cycles", type=int, default=1, help="cycles at each rate")
    rate_test.add_argument(
        "--hold",
        metavar="C/20",
        type=or_none(str),
        help="constant voltage after each charge, until the current has fallen to this C-rate, or "
        'for a time, "1 hour", or none (default: that of the set\'s own test, else none)',
    )
    rate_test.add_argument(
        "--rest",
        metavar="10 min",
        type=or_none(str),
        help="time without current after each charge and discharge, or none (default: that of "
        "the set's own test, else none)",
    )
    rate_test.add_argument(
        "--repeat",
        type=Path,
        metavar="RUN.JSON",
        help="run what this file of an earlier rate test or breakdown says; with it, only where "
        "results go can be given",
    )
    rate_test.set_defaults(command=_rate_test)

    breakdown = commands.add_parser(
        "breakdown",
        help="which loss costs how many millivolts",
        description="Run the rate test up to a rate and print every overpotential at one "
        "point of its charge and discharge. Writes breakdown.csv, breakdown.png and run.json.",
        epilog="Example: ssnib breakdown --rate 2 --at 0.5",
    )
    add_cell_arguments(breakdown)
    add_output_arguments(breakdown, "breakdown")
    breakdown.add_argument("--rate", type=float, default=2.0, help="C-rate (default: 2)")
    breakdown.add_argument(
        "--at", type=float, default=0.5, help="fraction of the half-cycle (default: 0.5)"
    )
    breakdown.set_defaults(command=_breakdown)


def _rate_test(arguments: argparse.Namespace) -> int:
    from ssnib_model.protocol.rate_test import RATES, RateTest
    from ssnib_model.protocol.repeat import read_run

    if arguments.repeat:
        refuse_beside(
            arguments, "--repeat", (*CELL, "rates", "charge_rate", "cycles", "hold", "rest")
        )
        folder = results_folder(arguments, (*TABLES, *PLOTS))
        test, settings = read_run(arguments.repeat)
        if not isinstance(test, RateTest):
            raise OptionError(f"{arguments.repeat}: is the run.json of a protocol, no rate test")
        result = test.run(**settings)
        words = in_words(result.parameters, result.parameters)
        if not (arguments.json or arguments.quiet):
            say(words)
    else:
        asked = {name: getattr(arguments, name) for name in ("rates", *OF_TEST)}
        given = {name: value for name, value in asked.items() if value is not None}
        given = {name: None if value == NONE else value for name, value in given.items()}
        RateTest(**({"rates": RATES, "cycles": arguments.cycles} | given))  # bad ones come first
        parameters, words = cell(arguments)
        test = test_of(arguments, parameters, cycles=arguments.cycles, **given)
        folder = results_folder(arguments, (*TABLES, *PLOTS))
        result = _run(test, arguments, parameters)
    document = result_record(arguments, result)
    computed = any(h.segment is not None for h in result.half_cycles)
    if folder and computed:
        result.save(folder, f"{result.model_name}, {words}")
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        say(_rate_table(result))
        if computed:
            say(f"\nTable, curves, plots and run.json are in {folder}")
    if not computed:
        return no_answer(
            f"no charge or discharge at {_listed(result.test.rates)} C could be run, and nothing "
            "is written"
        )
    discharged = [h for h in result.half_cycles if h.direction == "discharge"]
    if not any(h.segment is not None for h in discharged):
        return no_answer(f"no discharge at {_listed(result.test.rates)} C could be run")
    return EXIT_OK if result.ok else EXIT_SOME_FAILED


def _breakdown(arguments: argparse.Namespace) -> int:
    import pandas as pd

    from ssnib_model.protocol.rate_test import RateTest
    from ssnib_model.results.plots import save_breakdown

    slower = [rate for rate in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if rate < arguments.rate]
    rates = RateTest([*slower, arguments.rate]).rates
    parameters, words = cell(arguments)
    test = test_of(arguments, parameters, rates=rates)
    folder = results_folder(arguments, ("breakdown.csv", "breakdown.png", RUN_FILE))
    result = _run(test, arguments, parameters)
    losses = pd.DataFrame(
        {
            f"{direction} [mV]": 1e3 * result.breakdown(arguments.rate, arguments.at, direction)
            for direction in ("charge", "discharge")
        }
    )
    document = result_record(arguments, result)
    asked = {"rate": arguments.rate, "at": arguments.at}
    document["settings"] = document["settings"] | asked
    document.update(asked)
    document.update({str(column): losses[column].to_dict() for column in losses})
    if folder:
        with writing(folder):
            losses.to_csv(folder / "breakdown.csv", index_label="Overpotential")
            title = f"{result.model_name}, {words}"
            save_breakdown(result, arguments.rate, arguments.at, folder, title)
        write_run(folder, document)
    if arguments.json:
        print_json(document)
    elif not arguments.quiet:
        say(f"Overpotentials at {arguments.rate:g} C, {arguments.at:.0%} of the half-cycle")
        say(pd.concat([losses, losses.sum().rename("sum").to_frame().T]).round(1).to_string())
        say(f"\nbreakdown.csv, breakdown.png and run.json are in {folder}")
    return EXIT_OK if result.ok else EXIT_SOME_FAILED


def test_of(arguments: argparse.Namespace, parameters: ParameterSet, **given: Any) -> RateTest:
    """The test of a set with what is ``given``; a line says what of it is the set's own."""
    from ssnib_model.protocol.rate_test import RateTest

    test, stated = RateTest.of(parameters, **given), parameters.test
    parts = {
        "rates": f"rates {_listed(test.rates)} C",
        "charge_rate": f"every charge at {test.charge_rate} C",
        "hold": f"after each charge constant voltage, hold {stated.get('hold')}",
        "rest": f"rest {stated.get('rest')}",
    }
    said = [text for name, text in parts.items() if name in stated and name not in given]
    if said and not (arguments.json or arguments.quiet):
        note = f" ({stated['note']})" if "note" in stated else ""
        say(f"  test of {parameters.name}: {'; '.join(said)}{note}")
    return test


def _run(test, arguments, parameters):
    """The rate test by the model asked for."""
    choice(arguments, parameters)
    settings = {"solver": arguments.solver, "progress": talks(arguments)}
    return test.run(model(arguments, parameters), parameters, **settings)


def _listed(rates) -> str:
    return ", ".join(f"{rate:g}" for rate in rates)


def _rate_table(result) -> str:
    """The result table with the measured values beside it."""
    table = result.table.set_index("C-rate", drop=False)
    shown = table[["C-rate"]].rename(columns={"C-rate": "C-rate [1/h]"})
    shown["charge [mAh/g]"] = table["Charge capacity [mA.h.g-1]"].round(1)
    shown["discharge [mAh/g]"] = table["Discharge capacity [mA.h.g-1]"].round(1)
    shown["gap [mV]"] = (1e3 * table["Polarization [V]"]).round(0)
    units = {"Discharge capacity [mA.h.g-1]": (1, "mAh/g"), "Polarization [V]": (1e3, "mV")}
    data = result.compare()
    for (name, quantity), rows in data[data["Quantity"].isin(units)].groupby(["Data", "Quantity"]):
        factor, unit = units[quantity]
        measured = rows.set_index("C-rate")["Measured"].groupby(level=0).mean() * factor
        shown[f"measured, {name} [{unit}]"] = measured.reindex(shown.index).round(1)
    shown["status"] = table["Status"]
    return shown.to_string(index=False, na_rep="-")
