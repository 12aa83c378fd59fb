"""Writing results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssnib_model.errors import SSNIBError


@contextmanager
def writing(folder: str | Path) -> Iterator[Path]:
    """A folder to write to, made if need be; what goes wrong becomes one sentence.

    Raises
    ------
    SSNIBError
        If the folder or a file in it cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        reason = error.strerror or error
        raise SSNIBError(f"{folder}: cannot be written: {reason}") from error
