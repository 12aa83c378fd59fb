"""What a command prints and where it writes."""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path

from ssnib_model.errors import ValidityWarning
from ssnib_model.files import writing

EXIT_OK, EXIT_BAD_INPUT, EXIT_SOME_FAILED = 0, 2, 3


def warned(run):
    """The result of a run; its warnings as one line each on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        result = run()
    for note in result.notes:
        say(f"ssnib: warning: {note}", file=sys.stderr)
    return result


def results_folder(arguments) -> Path | None:
    """The folder for results, made before the run so that no work is lost to it."""
    folder = arguments.out or (None if arguments.json else arguments.folder)
    if folder:
        with writing(folder):
            (folder / ".writable").touch()
            (folder / ".writable").unlink()
    return folder


def talks(arguments) -> bool:
    return not (arguments.quiet or arguments.json) and sys.stderr.isatty()


def print_json(document) -> None:
    print(json.dumps(_finite(document), indent=2, allow_nan=False))


def _finite(document):
    """With None for NaN and infinity, which JSON does not have."""
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_finite(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document


def say(text: str, file=None) -> None:
    """Print for a person."""
    print(printable(text), file=file)


def printable(text: str) -> str:
    """Text of a file without what would steer the terminal or cannot be encoded."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    return " ".join(text.split())
