"""The examples in docstrings and of the first page run; every public name says what it is."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import ssnib_model as ss

MODULES = [
    ss.__name__,
    *(m.name for m in pkgutil.walk_packages(ss.__path__, "ssnib_model.")),
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        if name.endswith("__main__"):
            continue
        for test in finder.find(importlib.import_module(name), name):
            if test.examples:
                yield pytest.param(test, id=test.name)


EXAMPLES = list(_examples())


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append)
    assert results.failed == 0, "".join(said)
    assert list(tmp_path.iterdir()) == [], "an example leaves files"


@pytest.mark.parametrize("name", ss.__all__)
def test_public_names_have_docstrings(name):
    thing = getattr(ss, name)
    assert thing.__doc__
    if inspect.isclass(thing):
        bare = [
            f"{name}.{n}"
            for n, member in vars(thing).items()
            if not n.startswith("_")
            and (inspect.isfunction(member) or isinstance(member, property | classmethod))
            and not inspect.getdoc(getattr(thing, n))
        ]
        assert bare == []


def test_first_page_of_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "index.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, str(page), "exec"), {})
