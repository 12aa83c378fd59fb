"""``ssnib parameters`` and ``ssnib materials``."""

from __future__ import annotations

import sys

from ssnib_model.cli.output import EXIT_BAD_INPUT, EXIT_OK, one_line, print_json, say
from ssnib_model.errors import SSNIBError


def add_parsers(commands) -> None:
    materials = commands.add_parser("materials", help="the solid electrolytes known by name")
    materials.add_argument("--json", action="store_true", help="machine-readable output")
    materials.set_defaults(command=_materials)

    parameters = commands.add_parser("parameters", help="list, show or check parameter sets")
    actions = parameters.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the sets that come with the package")
    listing.set_defaults(command=_parameters_list)
    show = actions.add_parser("show", help="values, units, sources and notes of a set")
    show.add_argument("set", nargs="?", default="Hu2024", help="name or folder (default: Hu2024)")
    show.add_argument("name", nargs="?", default="", help="only names that contain this text")
    show.set_defaults(command=_parameters_show)
    check = actions.add_parser("check", help="report every problem of a set")
    check.add_argument("set", help="name or folder")
    check.set_defaults(command=_parameters_check)
    for action in (listing, show, check):
        action.add_argument("--json", action="store_true", help="machine-readable output")


def _materials(arguments) -> int:
    from ssnib_model.materials.solid_electrolytes import solid_electrolytes

    materials = {name: vars(material) for name, material in solid_electrolytes().items()}
    if arguments.json:
        print_json(materials)
        return EXIT_OK
    for name, m in materials.items():
        say(f"{name}: {m['conductivity']:g} S/m at 25 degC, {m['kind']} (grade {m['grade']})")
        say(f"    {m['source']}" + (f"; {m['note']}" if m["note"] else ""))
    return EXIT_OK


def _parameters_list(arguments) -> int:
    from ssnib_model.parameters import ParameterSet, list_parameter_sets

    sets = {name: ParameterSet(name).description for name in list_parameter_sets()}
    if arguments.json:
        print_json(sets)
    else:
        say("\n".join(f"{name}  {description}" for name, description in sets.items()))
    return EXIT_OK


def _parameters_show(arguments) -> int:
    from ssnib_model.parameters import ParameterSet

    parameters = ParameterSet(arguments.set)
    text = arguments.name.casefold()
    infos = [parameters.info(name) for name in parameters if text in name.casefold()]
    if not infos:
        raise SSNIBError(f'no parameter name of {arguments.set} contains "{arguments.name}"')
    if arguments.json:
        print_json(
            [
                vars(i) | {"value": i.value if isinstance(i.value, float) else str(i.value)}
                for i in infos
            ]
        )
        return EXIT_OK
    for info in infos:
        value = f"{info.value:.6g}" if isinstance(info.value, float) else str(info.value)
        say(one_line(f"{info.name} = {value}"))
        details = [info.kind]
        if info.source:
            source = parameters.sources[info.source]
            doi = f", doi {source['doi']}" if "doi" in source else ""
            details.append(source["citation"] + doi)
        for how, number in (info.uncertainty or {}).items():
            numbers = number if how == "range" else (number,)
            details.append(f"{how} {' to '.join(f'{n:.4g}' for n in numbers)}")
        details += [info.note] if info.note else []
        say("    " + one_line("; ".join(details)))
    return EXIT_OK


def _parameters_check(arguments) -> int:
    from ssnib_model.errors import ParameterError
    from ssnib_model.parameters import ParameterSet

    try:
        parameters, problems = ParameterSet(arguments.set), []
    except ParameterError as error:
        parameters, problems = None, error.problems
    if arguments.json:
        print_json({"ok": not problems, "problems": problems})
    elif problems:
        say("\n".join(map(one_line, problems)), file=sys.stderr)
        say(f"{len(problems)} problem(s)", file=sys.stderr)
    else:
        counts = parameters.to_frame()["kind"].value_counts()
        kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items())
        say(f"{arguments.set}: {len(parameters)} parameters, no problem ({kinds})")
    return EXIT_BAD_INPUT if problems else EXIT_OK
