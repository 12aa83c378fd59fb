"""Reading data within limits, and writing results."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssnib_model.errors import SSNIBError


def read_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a file of at most ``limit`` bytes.

    Raises
    ------
    OSError
        If it cannot be read, is too large, or is no regular file: a device or a pipe has no end.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a path holds no zero byte")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if status.st_size > limit:
        raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, at most {limit} are allowed")
    with path.open("rb") as file:
        return file.read(limit)


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
