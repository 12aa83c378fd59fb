"""The plan of the package: every module stands in a row and imports from rows above it only.

The rows, first to last; within a row modules may import one another as long as there is no circle.
Imports are read from the source, those inside functions and for type checkers only as well.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import ssnib_model as ss

ROOT = Path(ss.__file__).parent
PACKAGE = ROOT.name

ROWS = (
    ("errors", "files", "units", "words", "tables", "quantity", "plotting", "rate_values"),
    ("materials",),
    ("cell",),
    ("models",),
    ("steps",),
    ("solvers",),
    ("results",),
    ("protocol",),
    ("measured", "eis"),
    ("fits", "runs"),
    ("diagnosis",),
    ("app",),
    ("cli",),
    ("__main__", "model_zoo"),
)

#: What comes with the package as a user of it: it may take the public names.
USERS = ("model_zoo",)


class Arrow(NamedTuple):
    """An import: of a module by a module, both named from the package on."""

    source: str
    target: str
    line: int
    when: str  #: "import" of the module, "call" of a function, "types" when they are checked

    def __str__(self):
        return f"{self.source}:{self.line} imports {self.target}"


def modules(root: Path) -> dict[str, Path]:
    """Files by the dotted names of their modules; the package itself is ``""``."""
    found = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def _names(node: ast.AST, package: str) -> list[str]:
    """Absolute names that an import may load; "from a import b" loads a and, if a module, a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            base = importlib.util.resolve_name("." * node.level + base, package)
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("import_module")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ):
        return [node.args[0].value]
    return []


def _walk(node: ast.AST, when: str) -> Iterator[tuple[ast.AST, str]]:
    """All nodes below one, and when each runs."""
    checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for child in ast.iter_child_nodes(node):
        now = when
        if checking and child in node.body:
            now = "types"
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            now = "call"
        yield child, now
        yield from _walk(child, now)


def arrows(root: Path) -> list[Arrow]:
    """All imports of modules of a package by one another.

    The packages that a module lies in are imported with it; but from inside a package that is no
    arrow: ``from . import options`` is one to the module only.
    """
    files, prefix = modules(root), root.name
    found = []
    for source, file in files.items():
        full = f"{prefix}.{source}".rstrip(".")
        package = full if file.name == "__init__.py" else full.rpartition(".")[0]
        for node, when in _walk(ast.parse(file.read_text(encoding="utf-8")), "import"):
            targets = set()
            for name in _names(node, package):
                top, *parts = name.split(".")
                if top == prefix:
                    targets |= {".".join(parts[: n + 1]) for n in range(len(parts))}
            found += [
                Arrow(source, target, node.lineno, when)
                for target in sorted(targets & files.keys())
                if not f"{source}.".startswith(f"{target}.")
            ]
    return found


def row(module: str) -> int:
    """Number of a module's row, -1 if it has none."""
    return next((n for n, names in enumerate(ROWS) if module.split(".")[0] in names), -1)


def circles(found: list[Arrow]) -> list[set[str]]:
    """Groups of modules that reach one another, through what runs."""
    edges: dict[str, set[str]] = {}
    for arrow in found:
        if arrow.when != "types":
            edges.setdefault(arrow.source, set()).add(arrow.target)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for name in edges.get(todo.pop(), set()) - seen:
                seen.add(name)
                todo.append(name)
        return seen

    reach = {name: reached(name) for name in edges}
    groups = {
        frozenset(other for other in reach[name] if name in reach.get(other, ()))
        for name in edges
        if name in reach[name]
    }
    return [set(group) for group in groups]


def upward(found: list[Arrow]) -> list[Arrow]:
    """Imports from a later row."""
    return [a for a in found if a.source and row(a.target) > row(a.source)]


def test_every_module_has_a_row():
    names = [name for name in modules(ROOT) if name]
    assert [name for name in names if row(name) == -1] == []
    tops = {name.split(".")[0] for name in names}
    assert [name for row in ROWS for name in row if name not in tops] == []


def test_no_import_runs_up():
    assert [str(arrow) for arrow in upward(arrows(ROOT))] == []


def test_no_circles():
    """Not even through imports inside functions."""
    assert circles(arrows(ROOT)) == []


def test_package_imports_nothing_of_itself():
    """The public names load on first use: ``import ssnib_model`` alone takes no time."""
    assert [str(arrow) for arrow in arrows(ROOT) if not arrow.source] == []


def test_modules_ask_the_package_for_its_version_only():
    """Public names are for users: inside, they would hide where an import leads."""
    for name, file in modules(ROOT).items():
        if not name or name.split(".")[0] in USERS:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == PACKAGE
        }
        used |= {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == PACKAGE and not node.level
            for alias in node.names
        }
        assert {n for n in used if n not in modules(ROOT)} <= {"__version__"}, name


def test_nothing_hides_a_public_name():
    """Importing ``ssnib_model.fit`` would put the module where the function of that name was."""
    tops = {name.split(".")[0] for name in modules(ROOT)}
    assert tops & set(ss.__all__) == set()
    assert {path.name for path in ROOT.iterdir() if path.is_dir()} & set(ss.__all__) == set()


@pytest.fixture
def package(tmp_path):
    """A package whose faults are known."""
    files = {
        "__init__.py": "",
        "errors.py": "import os\n",
        "units.py": "def f():\n    from .protocol import rate_test\n",
        "files.py": "import toy.units as u\nimportlib.import_module('toy.cli')\n",
        "cell/__init__.py": "from toy.cell.values import Value\n",
        "cell/values.py": "from toy import errors\nfrom ..cell import options\n",
        "cell/options.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import values\n"
        ),
        "protocol/__init__.py": "",
        "protocol/rate_test.py": "import toy.cell.values\nfrom toy.errors import Error\n",
        "cli.py": "",
        "stray.py": "",
    }
    for name, text in files.items():
        file = tmp_path / "toy" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "toy"


def test_faults_are_found(package):
    """So that the tests above can fail."""
    found = arrows(package)
    assert {(a.source, a.target) for a in upward(found)} == {
        ("units", "protocol"),
        ("units", "protocol.rate_test"),
        ("files", "cli"),
    }
    assert circles(found) == []
    assert {(a.source, a.when) for a in found if a.when != "import"} == {
        ("units", "call"),
        ("cell.options", "types"),
    }
    (package / "cell" / "options.py").write_text("def f():\n    from . import values\n")
    assert circles(arrows(package)) == [{"cell.values", "cell.options"}]
    assert row("stray") == -1
