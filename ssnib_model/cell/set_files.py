"""The files of a parameter set: their shape, and reading them within limits."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from ssnib_model.errors import MeasuredDataError, ParameterError
from ssnib_model.files import read_bytes
from ssnib_model.words import short, suggestion

FILE_NAME = "parameters.toml"

#: Bytes; a complete set has some 20 thousand.
MAX_FILE_SIZE = 500_000
#: Dots in a line: the time for a dotted key rises with the square of its parts.
MAX_DOTS = 100
MAX_LAYERS = 20
#: Files of measured data of one set.
MAX_MEASURED = 100


# -------------------------------------------------------------------- shape of the file
_Number = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False)]


_Option = (
    Annotated[int, pydantic.Field(strict=True, ge=-(2**31), lt=2**31)]
    | str
    | Annotated[list[str], pydantic.Field(max_length=MAX_LAYERS)]
)


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class Uncertainty(_Strict):
    sd: Annotated[float, pydantic.Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    range: tuple[_Number, _Number] | None = None


class Function(_Strict):
    function: str
    arguments: dict[str, _Number | str] = {}


class Table(_Strict):
    table: str


class Entry(_Strict):
    value: _Number | Function | Table
    unit: str
    kind: Literal["measured", "derived", "literature", "assumed", "fitted", "user"]
    source: str | None = None
    uncertainty: Uncertainty | None = None
    note: str = ""


class _Source(_Strict):
    citation: str
    doi: str | None = None


class _Measured(_Strict):
    file: str
    source: str
    note: str = ""


class SetFile(_Strict):
    name: str
    description: str = ""
    base: str | None = None
    stack: dict[str, _Option]
    sources: dict[str, _Source] = {}
    measured: Annotated[dict[str, _Measured], pydantic.Field(max_length=MAX_MEASURED)] = {}
    parameters: dict[str, Entry]


def list_parameter_sets() -> list[str]:
    """Names of the parameter sets that come with the package."""
    return sorted(p.parent.name for p in parameter_root().glob(f"*/{FILE_NAME}"))


# -------------------------------------------------------------------- helpers
def parameter_root() -> Path:
    """The folder of the parameter sets and materials that come with the package."""
    package = Path(__file__).parent.parent
    shipped = package / "_parameters"  # in a wheel
    return shipped if shipped.is_dir() else package.parent / "parameters"  # in a clone


def find_set(name: str | Path) -> Path:
    known = list_parameter_sets()
    if str(name) in known:
        return parameter_root() / str(name) / FILE_NAME
    path = Path(name)
    try:
        path = path / FILE_NAME if path.is_dir() else path
        found = path.name == FILE_NAME and path.is_file()
    except (OSError, ValueError):  # a name too long, a zero byte, a folder closed to us
        found = False
    if found:
        return path
    raise ParameterError(
        f'"{name}" is neither a known parameter set ({", ".join(known)}) nor a folder with a '
        f"{FILE_NAME}{suggestion(str(name), known)}"
    )


def read_set(path: Path) -> SetFile:
    try:
        text = read_bytes(path, MAX_FILE_SIZE).decode()
        for number, line in enumerate(text.split("\n"), start=1):
            if line.count(".") > MAX_DOTS:
                raise ValueError(f"line {number} has more than {MAX_DOTS} dots")
        document = tomllib.loads(text)
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ParameterError(f"{path}: not a valid TOML file: {error}") from error
    try:
        return SetFile.model_validate(document)
    except pydantic.ValidationError as error:
        raise ParameterError([f"{path}: {s}" for s in _sentences(error)]) from error


def _sentences(error: pydantic.ValidationError) -> list[str]:
    """One sentence for each field that has not the right shape."""
    sentences = {}
    for problem in error.errors(include_url=False):
        # the members of the union for "value" each complain: one sentence is enough
        where = [str(part) for part in problem["loc"]]
        if "value" in where:
            where = where[: where.index("value") + 1]
            message = (
                f"is {short(problem['input'])}: a finite number, {{ function = ..., arguments = "
                "{...} } or { table = ... } is allowed"
            )
        elif where[0] == "stack" and len(where) > 1:  # a union as well
            where = where[:2]
            message = (
                f"is {short(problem['input'])}: a text, a whole number or a list of at most "
                f"{MAX_LAYERS} texts is allowed"
            )
        elif problem["type"] == "extra_forbidden":
            message = "is not a known field"
        elif problem["type"] == "missing":
            message = "is missing"
        else:
            message = f"is {short(problem['input'])}: {problem['msg']}"
        where = [f'"{part}"' if " " in part else part for part in where]
        sentences.setdefault(".".join(where), message)
    return [f"{where} {message}" for where, message in sentences.items()]


def beside(path: Path, file: str) -> Path:
    """The path of a file that a parameter file names, which can only be its neighbour."""
    target = path.parent / file
    # all of them may be links to one folder, but none may lead elsewhere
    homes = {os.path.realpath(path.parent), os.path.dirname(os.path.realpath(path))}
    if (
        Path(file).name != file
        or "\0" in file
        or os.path.dirname(os.path.realpath(target)) not in homes
    ):
        raise MeasuredDataError(f"{short(file)} is not the name of a file in {path.parent}")
    return target
