"""``ssnib parameters`` and ``ssnib materials``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, TextIO

from ssnib_model.cli.arguments import DEFAULT_SET, add_output_arguments
from ssnib_model.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_OK,
    one_line,
    print_json,
    results_folder,
    say,
    write_json,
)
from ssnib_model.errors import SSNIBError


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """``materials`` and ``parameters``."""
    materials = commands.add_parser(
        "materials",
        help="the solid electrolytes known by name",
        epilog='Example: ssnib materials; ssnib rate-test --layer "Na3PS4=Na2.88Sb0.88W0.12S4"',
    )
    materials.set_defaults(command=_materials)

    parameters = commands.add_parser(
        "parameters",
        help="list, show or check parameter sets",
        epilog="Example: ssnib parameters show Hu2024 conductivity",
    )
    actions = parameters.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the sets that come with the package")
    listing.set_defaults(command=_parameters_list)
    show = actions.add_parser(
        "show",
        help="values, units, sources and notes of a set",
        epilog="Example: ssnib parameters show Hu2024 conductivity",
    )
    show.add_argument(
        "set", nargs="?", default=DEFAULT_SET, help=f"name or folder (default: {DEFAULT_SET})"
    )
    show.add_argument("name", nargs="?", default="", help="only names that contain this text")
    show.set_defaults(command=_parameters_show)
    check = actions.add_parser(
        "check", help="report every problem of a set", epilog="Example: ssnib parameters check ."
    )
    check.add_argument("set", help="name or folder")
    check.set_defaults(command=_parameters_check)
    new = actions.add_parser(
        "new",
        help="write a commented set to start from",
        description="Write a set that loads and runs as it is: of example values, or over a set "
        "that comes with the package.",
        epilog="Example: ssnib parameters new mycell --from Hu2024; ssnib rate-test --set mycell",
    )
    new.add_argument("set", metavar="FOLDER", help="where to write it, and its name")
    new.add_argument(
        "--from", dest="base", metavar="NAME", help="a set of which only some values change"
    )
    new.set_defaults(command=_parameters_new)
    schema = actions.add_parser(
        "schema",
        help="JSON Schema of a parameter file, for editors",
        epilog="Example: ssnib parameters schema --json > schema.json",
    )
    schema.set_defaults(command=_parameters_schema)
    commands_and_names = {
        new: "new",
        schema: "schema",
        materials: "materials",
        listing: "sets",
        show: "parameters",
        check: "check",
    }
    for parser, called in commands_and_names.items():
        add_output_arguments(parser, called, is_default=False)


def _tell(
    arguments: argparse.Namespace, document: Any, text: str, file: TextIO | None = None
) -> None:
    """Print a document or its text, and write the document if a folder is named."""
    name = f"{arguments.called}.json"
    folder = results_folder(arguments, [name])
    if folder:
        write_json(folder, name, document)
    if arguments.json:
        print_json(document)
    elif file or not arguments.quiet:  # silence is not for errors
        say(text, file=file)


def _materials(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.electrolytes import solid_electrolytes

    materials = {name: vars(material) for name, material in solid_electrolytes().items()}
    lines = []
    for name, m in materials.items():
        lines += [
            f"{name}: {m['conductivity']:g} S/m at 25 degC, {m['kind']} (grade {m['grade']})",
            f"    {m['source']}" + (f"; {m['note']}" if m["note"] else ""),
        ]
    _tell(arguments, materials, "\n".join(lines))
    return EXIT_OK


def _parameters_list(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.cell.set_files import list_parameter_sets

    sets = {name: ParameterSet(name).description for name in list_parameter_sets()}
    _tell(arguments, sets, "\n".join(f"{name}  {text}" for name, text in sets.items()))
    return EXIT_OK


def _parameters_show(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet

    parameters = ParameterSet(arguments.set)
    text = arguments.name.casefold()
    infos = [parameters.info(name) for name in parameters if text in name.casefold()]
    if not infos:
        raise SSNIBError(f'no parameter name of {arguments.set} contains "{arguments.name}"')
    document = [
        vars(i) | {"value": i.value if isinstance(i.value, float) else str(i.value)} for i in infos
    ]
    lines = []
    for info in infos:
        value = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
        lines.append(one_line(f"{info.name} = {value}"))
        details = [info.kind]
        if info.source:
            source = parameters.sources[info.source]
            doi = f", doi {source['doi']}" if "doi" in source else ""
            details.append(source["citation"] + doi)
        for how, number in (info.uncertainty or {}).items():
            numbers = number if how == "range" else (number,)
            details.append(f"{how} {' to '.join(f'{n:.4g}' for n in numbers)}")
        details += [info.note] if info.note else []
        lines.append("    " + one_line("; ".join(details)))
    _tell(arguments, document, "\n".join(lines))
    return EXIT_OK


def _parameters_check(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.errors import ParameterError

    try:
        parameters = ParameterSet(arguments.set)
    except ParameterError as error:
        lines = [*map(one_line, error.problems), f"{len(error.problems)} problem(s)"]
        document = {"ok": False, "problems": error.problems}
        _tell(arguments, document, "\n".join(lines), file=sys.stderr)
        return EXIT_BAD_INPUT
    counts = parameters.to_frame()["kind"].value_counts()
    kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    text = f"{arguments.set}: {len(parameters)} parameters, no problem ({kinds})"
    _tell(arguments, {"ok": True, "problems": []}, text)
    return EXIT_OK


def _parameters_new(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.parameter_set import ParameterSet
    from ssnib_model.cell.set_files import FILE_NAME
    from ssnib_model.cell.template import command_of, new_set

    folder = new_set(arguments.set, arguments.base)
    command = command_of(ParameterSet(folder))
    text = (
        f"{folder / FILE_NAME} is a set of example values to replace by your own.\n"
        f"    ssnib parameters check {folder}\n    ssnib {command} --set {folder}"
    )
    _tell(arguments, {"folder": str(folder), "base": arguments.base}, text)
    return EXIT_OK


def _parameters_schema(arguments: argparse.Namespace) -> int:
    from ssnib_model.cell.reference import json_schema

    schema = json_schema()
    _tell(arguments, schema, json.dumps(schema, indent=2))
    return EXIT_OK
