"""Compiled functions are kept where they can be, and known to be of this source."""

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.solvers import compiling, kernel

RUN = """
import ssnib_model as ss
from ssnib_model.solvers.compiling import compilation_shown
with compilation_shown():
    result = ss.RateTest([1]).run(ss.SolidStateSPM(), solver="structured")
print(result.table["Status"].tolist())
"""

#: A few of its functions, because all of them take a minute.
FEW = """
import numpy as np
from ssnib_model.solvers import compiling, tables
from ssnib_model.solvers.kernel import lookup
compiling.PATIENCE = 0
with compiling.compilation_shown():
    table = tables.build(lambda x: np.array([np.sin(x), np.cos(x)]), 1.0)
    print(np.isclose(lookup.value(table, 0.3), np.sin(0.3)))
"""


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A solver installed where nothing can be written, and a home that cannot be either.

    Whoever runs the tests may be allowed everything: files stand where folders would have to.
    """
    compiling._folder.cache_clear()
    compiling._say_not_kept.cache_clear()
    source = tmp_path / "solvers"
    source.mkdir()
    (source / "__pycache__").touch()
    (tmp_path / "home").touch()
    monkeypatch.setattr(compiling, "HERE", source)
    monkeypatch.setattr(
        compiling.platformdirs, "user_cache_dir", lambda _: tmp_path / "home" / "x"
    )
    yield tmp_path
    compiling._folder.cache_clear()
    compiling._say_not_kept.cache_clear()


def test_kept_where_the_user_says(folder):
    asked = compiling._folder(str(folder / "cache"))
    assert asked.parent == folder / "cache"
    assert asked.is_dir()


def test_kept_beside_the_source_or_in_the_users_folder(folder):
    (folder / "home").unlink()
    assert compiling._folder("").parent == folder / "home" / "x"
    compiling._folder.cache_clear()
    (folder / "solvers" / "__pycache__").unlink()
    assert compiling._folder("").parent == folder / "solvers" / "__pycache__"


@pytest.mark.parametrize("asked", ["", "home/cache", "a\0b"])
def test_not_kept_is_said_once(folder, asked, monkeypatch):
    asked = asked and str(folder / asked)
    with pytest.warns(ss.ValidityWarning, match="cannot be written; set NUMBA_CACHE_DIR"):
        assert compiling._folder(asked) is None
    monkeypatch.setattr("numba.config.CACHE_DIR", asked)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = compiling.compiled(error_model="numpy")
    assert compiled(lambda x: x + 1)(1) == 2


def test_another_source_is_kept_elsewhere(folder):
    """Also where a function changed that is called from another file."""
    for name in ("kernel/a.py", "kernel/part/b.py", "others.py"):
        (folder / "solvers" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "solvers" / name).write_text("1")
    (folder / "steps.py").write_text("1")
    before = compiling._digest()
    (folder / "solvers" / "others.py").write_text("2")
    assert compiling._digest() == before
    for name in ("solvers/kernel/part/b.py", "steps.py"):
        (folder / name).write_text("2")
        assert compiling._digest() != before
        before = compiling._digest()


def test_compiled_modules_take_from_compiled_modules_only():
    """What is kept goes by their source: a constant from elsewhere could change unseen."""
    found = compiling.sources()
    compiled = [file for file in found if (compiling.HERE / "kernel") in file.parents]
    assert compiled
    for file in compiled:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ssnib_model"):
                path = compiling.HERE.parent.joinpath(*node.module.split(".")[1:])
                sources = {path.with_suffix(".py"), path / "__init__.py"}
                sources |= {path / f"{alias.name}.py" for alias in node.names}
                assert {s for s in sources if s.exists()} <= found, (file.name, node.module)
    others = compiling.HERE.parent.rglob("*.py")
    assert not [
        f for f in others if f not in found and re.search(r"import .*\bnjit", f.read_text())
    ]


def _reached(file, modules):
    """What a file takes of ``modules``, as (module, name)."""
    tree, aliases = ast.parse(file.read_text()), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(kernel.__name__):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in modules:
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.module, alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in aliases:
            yield aliases[node.value.id], node.attr


def test_python_calls_nothing_that_only_compiled_functions_may():
    """It would end the process."""
    modules = {
        name: importlib.import_module(name)
        for name in (f"{kernel.__name__}.{m.name}" for m in pkgutil.iter_modules(kernel.__path__))
    }
    inner = {
        (name, n)
        for name, module in modules.items()
        for n, f in vars(module).items()
        if getattr(f, "targetoptions", {}).get("no_cpython_wrapper")
    }
    assert len(inner) > 20
    package, tests = compiling.HERE.parent, Path(__file__).parents[2]
    outside = [f for f in package.rglob("*.py") if compiling.HERE / "kernel" not in f.parents]
    reached = {of for f in [*outside, *tests.rglob("*.py")] for of in _reached(f, modules)}
    assert len(reached) > 20
    assert not inner & reached


def test_runs_where_nothing_can_be_kept(tmp_path):
    """Said in one sentence; and that it compiles, as soon as that takes long."""
    (tmp_path / "file").touch()
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "file" / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", FEW], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.splitlines()[-1] == "True"
    assert done.stderr.count("the compiled solver is not kept") == 1
    assert done.stderr.count(compiling.SENTENCE) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_kept_functions_are_not_compiled_again():
    """So nothing is said."""
    subprocess.run([sys.executable, "-c", RUN], capture_output=True, check=True)
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['ok']"
    assert compiling.SENTENCE not in done.stderr


def test_an_interrupt_in_compiled_functions_is_one():
    """As numba hands it on; any other `SystemError` stays what it is."""

    @compiling.interrupts()
    def failing(cause, words):
        raise SystemError(words) from cause

    with pytest.raises(KeyboardInterrupt):
        failing(KeyboardInterrupt(), "returned a result with an exception set")
    with pytest.raises(SystemError, match="another"):
        failing(None, "another")
