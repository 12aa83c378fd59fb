"""Sphinx: the pages of this folder, and a reference of the public names from their docstrings.

pip install ".[docs]" && sphinx-build -W --keep-going docs docs/_build
"""

import re
from pathlib import Path

import ssnib_model as ss

HERE = Path(__file__).parent

project = "ssnib_model"
author = "The ssnib_model developers"
version = release = ss.__version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "py:obj"  # `RateTest` in a docstring is a link where it can be one

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
numpydoc_show_class_members = False  # the template of a class lists them
autodoc_typehints = "none"  # numpydoc's sections say them, with shapes and units
autosummary_imported_members = True

html_theme = "pydata_sphinx_theme"
html_title = "ssnib_model"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False

# --- the reference: one group a part of the package, one page a name ---

TITLES = {
    "cell": "The cell and its parameters",
    "materials": "Materials",
    "models": "Models",
    "protocol": "What is done to a cell",
    "solvers": "Solvers",
    "results": "Results",
    "measured": "Measured data",
    "eis": "Impedance",
    "fits": "Fits",
    "diagnosis": "Diagnosis",
    "runs": "Sweeps, sensitivities and targets",
    "errors": "Errors and warnings",
}


def reference() -> str:
    """Every public name, under the part of the package that it comes from."""
    homes = {name: getattr(ss, name).__module__.split(".")[1] for name in ss.__all__}
    lines = ["Reference", "=========", ""]
    lines += [
        "The names of ``import ssnib_model as ss``.",
        "",
        ".. currentmodule:: ssnib_model",
        "",
    ]
    for part in [*TITLES, *sorted(set(homes.values()) - TITLES.keys())]:
        names = [name for name in ss.__all__ if homes[name] == part]
        if names:
            title = TITLES.get(part, part)
            lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree:", ""]
            lines += [*(f"   {name}" for name in names), ""]
    return "\n".join(lines)


def study(folder: Path) -> str:
    """The README of a study, with its links to the files beside it."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?!\w+:|#)", f"](../../studies/{folder.name}/", text)


def write(file: Path, text: str) -> None:
    """Write what differs only, so that nothing is built again without need."""
    file.parent.mkdir(exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def link_studies(app, docname: str, source: list[str]) -> None:
    """Links to the folder of a study lead to its page."""
    to_folder = r"\]\((?:\.\./)+studies/(\w+)(?:/README\.md)?\)"
    source[0] = re.sub(to_folder, r"](/studies/\1.md)", source[0])


def setup(app) -> None:
    app.connect("source-read", link_studies)


write(HERE / "reference" / "index.rst", reference())
for readme in (HERE.parent / "studies").glob("*/README.md"):
    write(HERE / "studies" / f"{readme.parent.name}.md", study(readme.parent))
