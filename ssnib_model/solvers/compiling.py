"""Functions compiled by numba: whether there is one, where the results are kept, and that it is
said while it takes long."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
from tqdm import tqdm

from ssnib_model.errors import ValidityWarning

HERE = Path(__file__).parent

#: The compiled functions, the tables that they read, the constants of steps and what they are
#: compiled by: they take from nothing else.
SOURCES = (
    "solvers/kernel/**/*.py", "solvers/tables.py", "solvers/compiling.py", "steps.py",
)  # fmt: skip

#: Compiling is said once it has taken so long [s].
PATIENCE = 1.0
SENTENCE = "compiling the solver, once: about a minute ..."


def numba_problem() -> str:
    """Why numba cannot be used, or nothing."""
    try:
        import numba  # noqa: F401
    except Exception as error:  # of a library that it loads, it may be anything
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"numba cannot be imported ({reason}); pip install numba"
    return ""


# -------------------------------------------------------------------- interrupted
@contextlib.contextmanager
def interrupts() -> Iterator[None]:
    """Ctrl-C stays a `KeyboardInterrupt` where it comes in compiled functions.

    Python takes the signal while numba packs what a function returns, and numba makes a
    `SystemError` of it.
    """
    try:
        yield
    except SystemError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise KeyboardInterrupt from None


# -------------------------------------------------------------------- compiled once and kept
def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: compile for the types of the arguments and keep the result for other processes.

    Parameters
    ----------
    **options
        Of ``numba.njit``.
    """
    from numba import config, njit

    _listen()
    folder = _folder(config.CACHE_DIR)
    if folder is None:
        return njit(**options)

    def decorate(function: Callable[..., Any]) -> Any:
        # numba asks for the folder now and never again; others go on with their own
        own, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # numba was told to keep results in some other way
            _say_not_kept("numba has no place for it")
            return njit(**options)(function)
        finally:
            config.CACHE_DIR = own

    return decorate


@functools.cache
def _folder(asked: str) -> Path | None:
    """Where compiled functions are kept; None, and it is said, if that cannot be written.

    As numba has it: ``NUMBA_CACHE_DIR``, which is ``asked``, or else beside the source, or else
    the user's folder for caches. In there a folder for this state of the source: numba looks at
    the file of a function only, not at those of the functions that it calls.
    """
    usual = HERE / "__pycache__", Path(platformdirs.user_cache_dir("ssnib_model"))
    places = [Path(asked)] if asked else list(usual)
    for place in places:
        folder = place / f"compiled-{_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except (OSError, ValueError):
            continue
        return folder
    _say_not_kept(f"{' and '.join(map(str, places))} cannot be written")
    return None


def sources() -> set[Path]:
    """The files of `SOURCES`, which are told from the package's folder."""
    return {file for pattern in SOURCES for file in HERE.parent.glob(pattern)}


def _digest() -> str:
    """Of the source of all compiled functions."""
    digest = hashlib.sha256()
    for file in sorted(sources()):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@functools.cache
def _say_not_kept(why: str) -> None:
    if multiprocessing.parent_process() is None:  # once, not by each worker
        warnings.warn(
            f"the compiled solver is not kept, and every process compiles it anew: {why}; set "
            "NUMBA_CACHE_DIR to a folder that can be written",
            ValidityWarning,
            stacklevel=2,
        )


# -------------------------------------------------------------------- shown as progress
class _Progress:
    """Whether compiling is to be shown, and what has been seen of it."""

    shown, said = False, False
    began: float | None = None


@contextlib.contextmanager
def compilation_shown(shown: bool = True) -> Iterator[None]:
    """Say on stderr, once, if functions of the solver are being compiled and it takes long."""
    before = _Progress.shown
    _Progress.shown = before or shown
    try:
        yield
    finally:
        _Progress.shown = before


@functools.cache
def _listen() -> None:
    """Have numba tell what it compiles, and does not read from where it is kept."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            if event.data["dispatcher"].py_func.__module__.startswith(f"{__package__}."):
                _heard()

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", Listener())


def _heard() -> None:
    now = time.monotonic()
    _Progress.began = _Progress.began or now
    if _Progress.shown and not _Progress.said and now - _Progress.began > PATIENCE:
        _Progress.said = True
        tqdm.write(SENTENCE, file=sys.stderr)
