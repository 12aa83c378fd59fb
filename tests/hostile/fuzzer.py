"""Hostile input for everything the package reads: a mutation fuzzer with a seed.

    python tests/hostile/fuzzer.py --cases 10000 --seed 0
    python tests/hostile/fuzzer.py --target toml --seed 0 --only 1234

Four targets: parameter sets, measured data, stores of sweeps and the command line. A case starts
from good files or arguments and spoils them. What is called may accept or refuse with an
`SSNIBError` (on the command line: an exit code and one line); everything else is a failure: any
other exception, more than 5 s, more than 1 GB, a file changed outside the folder of the case, a
process, a connection, code of the input that is compiled. ``--only`` repeats one case, leaves its
folder and shows the traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import datetime
import faulthandler
import functools
import gzip
import importlib
import io
import json
import math
import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import tomllib
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest import mock

# an arena of address space would count as memory
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pandas as pd
from numba.core.compiler_lock import global_compiler_lock

import ssnib_model as ss
import ssnib_model.runs.target
from ssnib_model import cli, tables
from ssnib_model.cell.set_files import parameter_root
from ssnib_model.fits import search as fit_search
from ssnib_model.measured import reading
from ssnib_model.protocol import rate_test
from ssnib_model.protocol.nearby import Side
from ssnib_model.runs import plots, runner, store, sweep  # noqa: F401

for optional in ("access_parser", "fastnda", "polars", "python_calamine"):
    with contextlib.suppress(ImportError):  # what they load is no deed of a file
        importlib.import_module(optional)

SECONDS, BYTES = 5.0, 2**30
TOO_LONG = f"longer than {SECONDS:g} s"

#: In every piece of code that the input tries to run, and the file that it would leave.
MARK = "ssnib_hostile_mark"
CODE = (
    f"__import__('os').system('touch {MARK}')",
    f"open('{MARK}', 'w').write('x')",
    f"lambda: {MARK}",
    "os.system",
    "ssnib_model.cli.main",
    "builtins.eval",
    "exp(1e9)",
    "{0.__class__.__mro__}",
    "%(name)s%n",
    "!!python/object/apply:os.system [ls]",
)
PATHS = (
    "../secret.csv",
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "..",
    ".",
    "",
    "a\0b.csv",
    "file:/etc/passwd",
    "http://127.0.0.1:9/x.csv",
    "s3://bucket/x.csv",
    "x" * 5000,
    "~/.bashrc",
    "C:\\x.csv",
    "hostile.csv",
    "hostile.csv.gz",
    "hostile.zip",
    "parameters.toml",
)
UNITS = (
    "1", "", "-", "%", "m", "degC", "degF", "degC.m", "degC2", "K", "dB", "dBm", "pH", "Np", "eV",
    "ppm", "S/cm", "m9", "m9*m9*m9*m9*m9", "Ym9/ym9", "mm-9", "nan", "inf", "in", "is", "None",
    "lambda", "e", "pi", "x" * 40, "m" * 41, "m/0", "1/1", "°", "°C", "%%", "µ", "Ω", "Ω°%", "Δ",
    "delta_degC", "kdegC", "mdB", "a.b.c", "avogadro", "speed of light", "k", "__import__",
    "mol-1.J", "Qm9/qm9",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 0.5, -0.0, 1e-300, 5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf, 2**31,
    2**63, 2**64, 10**20, 10**400, 16**9000, 1e-9, 1e9,
)  # fmt: skip
TEXTS = (
    "\x1b]0;title\x07\x1b[31m",
    "line\nbreak\rreturn",
    "\u202e\ufeff\u0000",
    "\U0001f50b" * 20,
    "'; drop table job; --",
    '"',
    "\\",
    "{{{",
    "x" * 100_000,
    " " * 20_000 + "x",
    "NaN",
    "true",
    "1e5",
    "null",
    "Positive electrode OCP [V]",
    "Na3PS4 layer material",
)

Rng = np.random.Generator


# -------------------------------------------------------------------- mutations
def pick(rng: Rng, options):
    return options[int(rng.integers(len(options)))]


def chance(rng: Rng, p: float) -> bool:
    return bool(rng.random() < p)


def hostile_value(rng: Rng, depth: int = 0):
    """A value of any type that a file may hold, mostly one that it should not."""
    kinds = ("number", "text", "code", "path", "unit", "bool", "list", "dict", "date", "deep")
    match pick(rng, kinds[:6] if depth > 2 else kinds):
        case "number":
            return pick(rng, NUMBERS) if chance(rng, 0.7) else float(10 ** rng.uniform(-30, 30))
        case "text":
            return pick(rng, TEXTS)
        case "code":
            return pick(rng, CODE)
        case "path":
            return pick(rng, PATHS)
        case "unit":
            return pick(rng, UNITS)
        case "bool":
            return chance(rng, 0.5)
        case "list":
            size = 2000 if chance(rng, 0.05) else rng.integers(4)
            return [hostile_value(rng, depth + 1)] * int(size)
        case "dict":
            keys = [pick(rng, ("function", "table", "arguments", "x", *CODE)) for _ in range(3)]
            return {key: hostile_value(rng, depth + 1) for key in keys}
        case "date":
            return datetime.datetime(1, 1, 1)
        case "deep":
            return nested(int(pick(rng, (3, 50, 150))), chance(rng, 0.5))


def nested(depth: int, as_list: bool):
    value = 1
    for _ in range(depth):
        value = [value] if as_list else {"value": value}
    return value


def places(tree, path=()) -> list[tuple]:
    """The path of every node of a document but its root."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, child in children:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


def spoil_tree(rng: Rng, tree, times: int) -> None:
    """Replace, remove, rename, add or move values of a document, in place."""
    for _ in range(times):
        found = places(tree)
        if not found:
            return
        *above, key = pick(rng, found)
        parent = at(tree, above)
        match pick(rng, ("replace", "replace", "number", "remove", "rename", "add", "move")):
            case "replace":
                parent[key] = hostile_value(rng)
            case "number":
                if type(parent[key]) is float:
                    parent[key] *= pick(rng, (0, -1, 1e-6, 1e6, 1e300, 0.9, 1.1, math.nan))
            case "remove":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                names = (*TEXTS, *CODE, str(key)[::-1], str(key) + " ", str(key).upper())
                parent[pick(rng, names)] = parent.pop(key)
            case "add" if isinstance(parent, dict):
                parent[pick(rng, (*TEXTS, *CODE, "base", "value", "unit"))] = hostile_value(rng)
            case "move":
                *others, last = pick(rng, found)
                with contextlib.suppress(KeyError, IndexError, TypeError):
                    # a place may have gone with its parent, or lie in what is moved
                    parent[key] = copy.deepcopy(at(tree, others)[last])


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def spoil_bytes(rng: Rng, data: bytes, words: tuple[bytes, ...] = ()) -> bytes:
    """Flip, cut, repeat, insert and overwrite pieces of a file."""
    data = bytearray(data)
    for _ in range(int(pick(rng, (1, 1, 2, 5, 20)))):
        start = int(rng.integers(len(data) + 1))
        end = min(len(data), start + int(2 ** rng.uniform(0, 8)))
        match pick(rng, ("flip", "cut", "repeat", "word", "noise", "truncate")):
            case "flip" if start < len(data):
                data[start] ^= 1 << int(rng.integers(8))
            case "cut":
                del data[start:end]
            case "repeat":
                data[start:start] = data[start:end] * int(pick(rng, (1, 1, 3, 1000)))
            case "word" if words:
                data[start : pick(rng, (start, end))] = pick(rng, words)
            case "noise":
                data[start:end] = rng.bytes(end - start)
            case "truncate" if chance(rng, 0.2):
                del data[start:]
    return bytes(data)


WORDS = tuple(
    text.encode()
    for text in (
        *CODE, *PATHS, *UNITS, *TEXTS[:10], "=", "\n", ",", ";", "\t", '"', "'", "'''", "[", "]]",
        "{", "}", "#", "nan", "inf", "-", "1e999", "0x" + "f" * 8000, "1" * 5000, "\r\n", "\r",
        "\0", ",,,,", "." * 300, "a." * 3000, "[" * 3000, '"""', "1979-05-27T07:32:00Z", "1,5",
        "Nb header lines : 99999999999999999999", "C-rate", "Time [s]", "Current / A", "Ewe/V",
    )
)  # fmt: skip


def toml_text(document: dict) -> str:
    """A document as TOML: one table for each entry of a table of tables."""
    lines = [f"{_key(k)} = {_inline(v)}" for k, v in document.items() if not _is_table(v)]
    for key, value in document.items():
        if _is_table(value):
            inside = {k: v for k, v in value.items() if not _is_table(v)}
            lines += [f"[{_key(key)}]", *(f"{_key(k)} = {_inline(v)}" for k, v in inside.items())]
            for k, table in value.items():
                if _is_table(table):
                    lines.append(f"[{_key(key)}.{_key(k)}]")
                    lines += [f"{_key(n)} = {_inline(v)}" for n, v in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) for k in value)


def _key(key) -> str:
    return json.dumps(str(key), ensure_ascii=False)


def _inline(value) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < 2**70 else hex(value)
        case float():
            return repr(value)
        case str():
            return _key(value)
        case _:
            return value.isoformat()


def hostile_file(rng: Rng, path: Path, outside: Path) -> None:
    """In the place of a file: a device, link, pipe, folder, bomb or something huge."""
    path.unlink(missing_ok=True)
    kinds = ("device", "link", "loop", "gone", "pipe", "folder", "huge", "bomb", "wide", "long",
             "many", "empty", "noise", "nul", "quotes", "comment")  # fmt: skip
    match pick(rng, kinds):
        case "device":
            path.symlink_to(pick(rng, ("/dev/zero", "/dev/urandom", "/dev/full", "/dev/null")))
        case "link":
            path.symlink_to(outside / "secret.csv")
        case "loop":
            path.symlink_to(path)
        case "gone":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "huge":
            with path.open("wb") as file:
                file.truncate(10 * 2**30)  # a hole: takes no space
        case "bomb":
            write_bomb(rng, path)
        case "wide":
            path.write_bytes(b"," * 100_000 + b"\n" + b"1," * 100_000 + b"\n" * 3)
        case "long":
            path.write_bytes(b"a" + b" " * 300_000 + b"b,Time [s]\n1,2\n3,4\n")
        case "many":
            path.write_bytes(b"x,y\n" + b"".join(b"%d,1\n" % i for i in range(60_000)))
        case "empty":
            path.touch()
        case "noise":
            path.write_bytes(rng.bytes(4000))
        case "nul":
            path.write_bytes(b"\0" * 4000)
        case "quotes":
            path.write_bytes(b'"' * 9_999)
        case "comment":
            path.write_bytes(b"#" * 900_000)


def write_bomb(rng: Rng, path: Path) -> None:
    """A table of half a gigabyte of empty lines, packed."""
    path.write_bytes(pick(rng, (gz_bomb, zip_bomb))())


@functools.cache
def gz_bomb() -> bytes:
    return gzip.compress(b"C-rate\n") + gzip.compress(b"\n" * 2**20) * 512


@functools.cache
def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.csv", b"C-rate\n" + b"\n" * 2**26)
    return file.getvalue()


@functools.cache
def parquet_bomb() -> bytes:
    """One number thirty million times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    names = ["Time / s", "Current / A", "Voltage / V"]
    pq.write_table(pa.Table.from_arrays([pa.repeat(0.0, 10_000_000)] * 3, names), file)
    return file.getvalue()


# -------------------------------------------------------------------- targets
@dataclass
class Case:
    """What to call, the folder it may write to, and what to check of its result."""

    call: Callable[[], object]
    #: Names in the folder that the call may write; None: whatever it likes.
    may_write: tuple[str, ...] | None = ()
    #: Whether it may open the file that lies beside the folder.
    may_read_outside: bool = False


def table_set(folder: Path) -> None:
    """The set Hu2024 with a table in the place of a number."""
    copy_set("Hu2024", folder)
    text = (folder / "parameters.toml").read_text()
    old = text[text.index('[parameters."Positive particle diffusivity [m2.s-1]"]') :]
    old = old[: old.index("[parameters.", 5)]
    new = old[: old.index("value")]
    new += 'value = { table = "d.csv" }\nunit = "cm2.s-1"\nkind = "user"\n\n'
    (folder / "parameters.toml").write_text(text.replace(old, new))
    (folder / "d.csv").write_text("sto,D\n0,1e-12\n0.3,2e-12\n0.6,2e-12\n1,1e-12\n")


def copy_set(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in (parameter_root() / name).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def spoil_set(rng: Rng, folder: Path, outside: Path) -> None:
    """A parameter set of which something is wrong; now and then nothing is."""
    name = pick(rng, ("Hu2024", "ThreeLayers", "SymmetricNaSn", "tables"))
    table_set(folder) if name == "tables" else copy_set(name, folder)
    toml = folder / "parameters.toml"
    (folder / "hostile.csv").symlink_to(pick(rng, ("/dev/zero", outside / "secret.csv")))
    for file in ("hostile.csv.gz", "hostile.zip"):
        if chance(rng, 0.05):
            write_bomb(rng, folder / file)
    match pick(rng, ("bytes", "bytes", "tree", "tree", "tree", "crowd", "csv", "file", "dots")):
        case "bytes":
            toml.write_bytes(spoil_bytes(rng, toml.read_bytes(), WORDS))
        case "tree":
            tree = tomllib.loads(toml.read_text())
            spoil_tree(rng, tree, int(pick(rng, (1, 2, 5, 20))))
            aim(rng, tree)
            toml.write_bytes(toml_text(tree).encode(errors="replace"))
        case "crowd":
            tree = tomllib.loads(toml.read_text())
            crowd(rng, tree)
            toml.write_bytes(toml_text(tree).encode())
        case "csv":
            file = pick(
                rng, sorted(f for f in folder.glob("*.csv") if not f.is_symlink()) or [toml]
            )
            file.write_bytes(spoil_bytes(rng, file.read_bytes(), WORDS))
        case "file":
            file = pick(rng, sorted(f for f in folder.glob("*.*") if not f.is_symlink()))
            hostile_file(rng, file, outside)
        case "dots":
            n = int(pick(rng, (90, 1000, 30_000)))
            key = ".".join(pick(rng, ("a", '"a"', " a ")) for _ in range(n))
            toml.write_text(toml.read_text() + pick(rng, (f"[{key}]\n", f"{key} = 1\n")))


def aim(rng: Rng, tree: dict) -> None:
    """Something hostile where the package looks for a unit, a file or a function."""
    entries = tree.get("parameters")
    entries = [e for e in entries.values() if isinstance(e, dict)] if _is_table(entries) else []
    if entries and chance(rng, 0.3):
        pick(rng, entries)["unit"] = pick(rng, UNITS)
    if entries and chance(rng, 0.3):
        pick(rng, entries)["value"] = {"table": pick(rng, PATHS)}
    if entries and chance(rng, 0.3):
        pick(rng, entries)["value"] = {
            "function": pick(rng, (*CODE, "nvp_plateau_ocp")),
            "arguments": hostile_value(rng),
        }
    if entries and chance(rng, 0.2):
        pick(rng, entries)["uncertainty"] = {"sd": pick(rng, NUMBERS), "range": [0, 1e300]}
    if chance(rng, 0.2):
        tree["measured"] = {"x": {"file": pick(rng, PATHS), "source": "Hu2024"}}


def crowd(rng: Rng, tree: dict) -> None:
    """Far more of something than anybody needs."""
    n = int(pick(rng, (50, 500, 3000)))
    match pick(rng, ("layers", "unknown", "measured", "sources", "arguments", "tables", "names")):
        case "layers":
            tree["stack"]["electrolyte layers"] = [f"L{i}" for i in range(n)]
        case "unknown":
            entry = {"value": 1, "unit": "m", "kind": "user"}
            tree["parameters"] |= {f"Positive electrode thicknes {i} [m]": entry for i in range(n)}
        case "measured":
            data = {"file": "fig4e.csv", "source": "Hu2024"}
            tree["measured"] = {f"m{i}": data for i in range(n)}
        case "sources":
            tree["sources"] = {f"Hu{i}": {"citation": "x"} for i in range(n)}
        case "arguments":
            value = {"function": "nvp_plateau_ocp", "arguments": {f"a{i}": "x" for i in range(n)}}
            pick(rng, list(tree["parameters"].values()))["value"] = value
        case "tables":
            for entry in tree["parameters"].values():
                entry["value"] = {"table": pick(rng, ("d.csv", "ocp.csv", "fig4e.csv"))}
        case "names":
            tree["parameters"]["x" * 100 * n] = {"value": 1, "unit": "m", "kind": "user"}


def toml_case(rng: Rng, folder: Path) -> Case:
    spoil_set(rng, folder / "set", folder.parent)
    # the file named by the user may be a link, those that it names may not
    linked = (folder / "set" / "parameters.toml").is_symlink()
    return Case(lambda: ss.ParameterSet(folder / "set"), may_read_outside=linked)


CURVES = {
    "tidy.csv": "Time [s],Current [A],Voltage [V]\n",
    "bdf.csv": "Test Time / s,Voltage / V,Current / A\n",
    "land.txt": "TestTime/Sec.\tVoltage/V\tCurrent/mA\tCapacity/mAh\n",
    "neware.csv": "Record number,Total Time(h),Voltage(mV),Current(mA),Capacity(mAh)\n",
    "maccor.txt": "Today's Date\n\nRec#\tStep\tTestTime\tAmp-hr\tAmps\tVolts\tState\tDPT Time\n",
    "arbin.csv": "Data_Point,Test_Time,Cycle_Index,Step_Index,Current,Voltage,Charge_Capacity\n",
    "novonix.csv": "[Summary]\nNovonix\n[Data]\nDate and Time,Run Time (h),Current (A),Volts\n",
    "basytec.txt": "~Resultfile from Basytec\n~Time[s]\tCommand\tU[V]\tI[A]\tAh-Cyc-Charge\n",
    "layered.csv": "Cycle ID,Cap(mAh)\n,Step ID,Step Name\n"
    ",,Record ID,Time(h:min:s.ms),Voltage(V),Current(mA),Realtime\n",
    "biologic.mpt": "EC-Lab ASCII FILE\nNb header lines : 5\n\nAcquisition started on : -\n"
    "mode\ttime/s\tEwe/V\t<I>/mA\tcycle number\n",
}


def write_curve(path: Path) -> None:
    """A charge and a discharge of the format that the name stands for."""
    header = CURVES[path.name]
    last = header.splitlines()[-1]
    separator = "\t" if "\t" in last else ","
    rows = [
        separator.join(f"{t if 'ime' in name else 3.4 if 'V' in name else (t > 600) - 0.5:g}"
                       for name in last.split(separator))
        for t in range(0, 1200, 60)
    ]  # fmt: skip
    path.write_text(header + "\n".join(rows) + "\n")


def measured_case(rng: Rng, folder: Path) -> Case:
    files = [*(parameter_root() / "Hu2024").glob("*.csv"),
             parameter_root() / "ThreeLayers" / "ocp.csv",
             parameter_root() / "materials" / "composite_transport.csv"]  # fmt: skip
    name = pick(rng, (*sorted(files), *CURVES, *CURVES, "curve.parquet"))
    path = folder / Path(name).name
    if isinstance(name, Path):
        path.write_bytes(name.read_bytes())
    elif name in CURVES:
        write_curve(path)
    else:
        write_parquet(rng, path)
    if chance(rng, 0.1):
        new = path.with_name(
            pick(
                rng,
                (
                    "x.csv.gz",
                    "x.zip",
                    "x.bz2",
                    "x.xz",
                    "x.parquet",
                    "x.TSV",
                    "x.nda",
                    "x.ndax",
                    "x.res",
                    "x.xlsx",
                    "x.xls",
                    "x.mpr",
                ),
            )
        )
        path = path.rename(new)
    match pick(rng, ("bytes",) * 6 + ("cells",) * 2 + ("file", "path")):
        case "bytes":
            path.write_bytes(spoil_bytes(rng, path.read_bytes(), WORDS))
        case "cells":
            spoil_cells(rng, path)
        case "file":
            hostile_file(rng, path, folder.parent)
        case "path":
            path = folder / pick(rng, PATHS)
    if path.name == "ocp.csv" and chance(rng, 0.7):
        return Case(lambda: tables.read_table(path), may_read_outside=True)
    if path.name in (*CURVES, "curve.parquet") and chance(rng, 0.7):
        return Case(lambda: reading.read_curves(path), may_read_outside=True)
    readers = [tables.read_rate_data, reading.read_curves, tables.read_table]
    fitting_reader = lambda p: ss.data_from_file(p, shipped())  # noqa: E731
    reader = pick(rng, (*readers, readers[1], fitting_reader))
    return Case(lambda: reader(path), may_read_outside=True)


def spoil_cells(rng: Rng, path: Path) -> None:
    """Other names, units and values in the cells of a text table."""
    text = path.read_bytes().decode(errors="replace")
    separator = pick(rng, ("\t", ",", ";"))
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(int(pick(rng, (1, 2, 10)))):
        row = pick(rng, rows)
        names = (" Time [s]", "Time [s] ", "Time/h", "I/A", "Voltage [V]",
                 f"Time [{pick(rng, UNITS)}]")  # fmt: skip
        new = pick(rng, names) if chance(rng, 0.5) else _json(hostile_value(rng, 3))[:5000]
        row[int(rng.integers(len(row)))] = new
    path.write_text("\n".join(separator.join(row) for row in rows), errors="replace", newline="")


def write_parquet(rng: Rng, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if chance(rng, 0.1):
        path.write_bytes(parquet_bomb())
        return
    n = int(pick(rng, (5, 20)))
    values = {
        "float": np.arange(n, dtype=float), "integer": np.zeros(n, np.int8), "text": ["1.5"] * n,
        "list": [[1.0]] * n, "null": [None] * n, "time": np.zeros(n, "datetime64[ns]"),
    }  # fmt: skip
    kinds = [pick(rng, ("float",) * 6 + tuple(values)) for _ in range(3)]
    names = ["Time / h", "I/mA", "Ewe/V"]
    if chance(rng, 0.5):
        known = ("Test Time / s", "Time [s]", "Current / A", "Voltage / V", "x")
        names = [pick(rng, known) for _ in names]
    columns = [pa.array(values[kind]) for kind in kinds]
    pq.write_table(pa.Table.from_arrays(columns, names), path)


@functools.cache
def shipped() -> ss.ParameterSet:
    return ss.ParameterSet("Hu2024")


class _WouldSolveError(Exception):
    """The input was accepted so far that runs would start."""


@functools.cache
def store_files() -> dict[str, bytes]:
    """A sweep of two runs that is complete, so that nothing is left to solve."""
    axes = {"Na3PS4 layer conductivity [S.m-1]": [0.01, 0.02],
            "Na3PS4 layer material": ["Na3PS4 cubic"]}  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        ss.sweep(shipped(), ss.grid(axes), ss.RateTest([1]), out=scratch)
        files = (f for f in Path(scratch).rglob("*") if f.is_file() and f.name != ".lock")
        return {str(file.relative_to(scratch)): file.read_bytes() for file in files}


def write_store(folder: Path) -> None:
    for name, data in store_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


SCHEMAS = (
    "drop table job; create view job as with recursive c(text) as "
    "(select '1' union all select text from c) select text from c where text = '2'",
    "create trigger t after insert on runs begin delete from job; end",
    "drop table runs; create view runs as select 1 as run, '[]' as rows",
    "drop table runs; create table runs (run text, rows text)",
    "drop table runs; create table runs (rows text)",
    "drop table job; create table job (text blob, other int)",
    "drop table job; create table job (other int)",
    "create table other (x int)",
    "delete from job",
    "delete from runs",
    "delete from runs where run = 0",
    "insert into runs values (99999999, '[]')",
    "insert into runs values (-1, '[]')",
    "update runs set rows = null",
    "update runs set rows = 3",
    "update runs set rows = x'00ff'",
    "update job set text = null",
    "update job set text = 5",
    "update job set text = x'00ff'",
    "insert into job select text from job",
    "pragma user_version = 99",
    "pragma journal_mode = wal",
    "pragma encoding = 'UTF-16'; vacuum",
)


def spoil_json(rng: Rng, text: str) -> str:
    tree = json.loads(text)
    match pick(rng, ("tree", "tree", "tree", "tree", "other", "bytes", "deep")):
        case "tree":
            spoil_tree(rng, tree, int(pick(rng, (1, 1, 2, 5))))
        case "other":
            tree = hostile_value(rng)
        case "bytes":
            return spoil_bytes(rng, text.encode(), WORDS).decode(errors="replace")
        case "deep":
            return "[" * 100_000
    return _json(tree)


def _json(tree) -> str:
    with contextlib.suppress(ValueError, RecursionError):
        return json.dumps(tree, default=str)
    return "1" * 5000  # a number of more digits than Python reads


def store_case(rng: Rng, folder: Path) -> Case:
    write_store(folder / "sweep")
    database = folder / "sweep" / store.STORE
    match pick(
        rng, ("job",) * 5 + ("rows",) * 5 + ("schema", "bytes", "bytes", "file", "set", "links")
    ):
        case "job" | "rows" as table:
            column = "text" if table == "job" else "rows"
            source = "job" if table == "job" else "runs"
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                ((text,), *_) = connection.execute(f"select {column} from {source}")
                new = spoil_json(rng, text).encode(errors="replace").decode()
                connection.execute(f"update {source} set {column} = ?", [new])
        case "schema":
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                connection.executescript(pick(rng, SCHEMAS))
        case "bytes":
            database.write_bytes(spoil_bytes(rng, database.read_bytes()))
        case "file":
            hostile_file(rng, pick(rng, (database, folder / "sweep" / "results.csv",
                                         folder / "sweep" / ".lock")), folder.parent)  # fmt: skip
        case "set":
            shutil.rmtree(folder / "sweep" / store.SET)
            spoil_set(rng, folder / "sweep" / store.SET, folder.parent)
        case "links":
            name = pick(rng, ("results.csv.new", "results.csv", ".lock", "sweep.sqlite-journal",
                              "sweep.sqlite-wal", "parameters"))  # fmt: skip
            path = folder / "sweep" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            path.symlink_to(folder.parent / pick(rng, ("secret.csv", "new.csv")))

    def resume():
        with mock.patch.object(runner.Runner, "prepare", side_effect=_WouldSolveError):
            sweep.resume(folder / "sweep")

    return Case(resume, may_write=("sweep",))


#: Words for the arguments of each kind: good ones, and bad ones.
ARGUMENTS = {
    "set": (("Hu2024", "set", "ThreeLayers", "SymmetricNaSn"), ("nowhere", "hu2024", *PATHS)),
    "name": (
        ("Na3PS4 layer conductivity [S.m-1]", "Positive particle diffusivity [m2.s-1]",
         "Ambient temperature [K]", "Na3PS4 layer mass [kg]", "Upper voltage cut-off [V]"),
        ("Positive electrode OCP [V]", "Na3PS4 layer material", "Positive particle radius spread",
         "Nonsense [m]", "", *TEXTS[:5], *CODE),
    ),
    "figure": (
        ("0.01", "0.02", "0.5", "1", "3", "300"),
        ("0", "-1", "nan", "inf", "-inf", "1e308", "1e-320", "1e5", "", "x", "1_0", "1,5", "٣",
         "0x10", "9" * 5000, "1e999"),
    ),
    "count": (("1",), ("0", "-1", "1.5", "", "x", "9" * 5000, "1e3", "nan", "٣", "99999999999")),
    # of more than one process, which is slow to start and not the input's doing
    "workers": (("1",), ("0", "-1", "1.5", "", "x", "9" * 5000)),
    "rates": (("1", "0.5,1"), ("0", "-1", "", ",", "1,,2", "nan", "inf", "1e4", "x", "1;2")),
    "layer": (("Na3PS4=Na3PS4 cubic",), ("Na3PS4=x", "x=Na3PS4 cubic", "=", "", *CODE)),
    "option": (
        ("thermal=lumped", "size classes=2"),
        ("thermal=x", "size classes=99", "size classes=" + "9" * 5000, "electrolyte layers=",
         "electrolyte layers=NaTaCl6", "size classes=²", "=", "x=1", *CODE),
    ),
    "out": (
        ("out", "out/a/b"),
        ("data.csv", "data.csv/x", "", "caf\udce9", "x" * 300, "/dev/null/x", "\x1b[31m"),
    ),
    "data": (("data.csv", "set/fig4e.csv"), ("nowhere.csv", "set", *PATHS)),
    "method": (("local", "tornado", "sobol", "morris"), ("x", "")),
    "metric": (("Energy efficiency", "Polarization [V]"), ("C-rate", "x", "")),
    "asked": (
        ("polarization at 1 C", "capacity retention at 0.5 C"),
        ("polarization at 1.2.3 C", "polarization at . C", "polarization at ٣ C", "x at 1 C",
         "polarization at 1e3 C", "polarization at " + "9" * 400 + " C"),
    ),
    "step": (
        ("Rest for 1 minute", "Charge at 1 C for 1 minute or until cut-off", "Repeat 2 times:",
         "  Rest for 1 s", "Hold at 3.3 V for 1 s", "Run data.csv (A)", "Run [0 0; 1 1e-4] (A)"),
        ("Rest for ever", "Rest until 3 V", "Charge at 9e99 C for 1 s", "Hold at 9 V for 1 s",
         "Repeat 99999999 times:", "Discharge at ٣ A for 1 s", "Rest for 1 s (tags: #)", "-1",
         "Discharge at 1 C until 1 h٣", "Run [0 0] (A)", "Run set (C)", "Run /dev/zero (A)",
         "Discharge at 1e9 W for 1 s", "Charge at 1e-9 Ohm for 1 s", *TEXTS[:8], *CODE),
    ),
    "experiment": (("cycling",), ("formation", "hppc", "", *CODE)),
    "setting": (
        ("rate=2", "hold=1 minute", "rest=1 s", "cycles=1", "rates=2"),
        ("rate=", "rate=0", "rate=9e99", "hold=x", "cycles=0", "cycles=" + "9" * 5000, "cycles=٣",
         "rates=,", "steps=1", "self=1", "=", "x", *CODE),
    ),
    "scheduler": ((), ("", "x", "x://y", "tcp://", *CODE)),
    "limit": ((), ("-1", "0", "nan", "x")),
    "state": (("0.5",), ("0", "1", "-1", "nan", "inf", "x")),
    "pellet": (("Na3PS4",), ("x", "", *CODE)),
    "number": (("2", "1"), ("0", "-2", "1.5", "10000000000", "9" * 30, "x", "")),
    "scale": (("log", "lin"), ("LOG", "")),
    "text": (("conductivity",), (*TEXTS[:8], *CODE)),
    "action": (("show", "check", "list"), ("x", "")),
}  # fmt: skip

#: Arguments made of several: a pattern of kinds.
PATTERNS = {
    "assignment": "{name}={figure}",
    "axis": "{name}={figure}:{figure}:{scale}:{number}",
    "free": "{name}:{figure}:{figure}",
    "sigma": "Voltage [V]={figure}",
}

#: Options of each command with their kinds; those with ! are given nearly always, others at times.
CELL = "--set set, --param assignment, --layer layer, --option option, --temperature figure, " \
       "--json, --quiet, --out out"  # fmt: skip
COMMANDS = {
    "rate-test": f"!--model=spm, !--rates rates, --charge-rate figure, --cycles count, {CELL}",
    "breakdown": f"!--model=spm, !--rate figure, --at figure, {CELL}",
    "fit": f"!--model=spm, ! data, !--free free, --sigma sigma, --starts count, --seed count, "
    f"--workers workers, {CELL}",
    "sweep": f"!--model=spm, !--vary axis, --rates rates, --scheduler scheduler, --time-limit "
    f"limit, --workers workers, {CELL}",
    "sweep ": f"!--model=spm, !--design data, --rates rates, {CELL}",
    "sweep  ": f"!--model=spm, !--sample count, --rates rates, {CELL}",
    "sweep   ": "!--resume set, --workers workers, --json",
    "sensitivity": f"!--model=spm, !--of name, !--rates rates, --method method, --metric metric, "
    f"--samples count, {CELL}",
    "target": "!--model=spm, !--metric asked, !--value figure, !--vary name, --against axis, "
    "--set set, --param assignment, --json",
    "run": f"!--model=spm, ! step, ! step, --times count, --initial-soc figure, --keep count, "
    f"--file data, --repeat data, {CELL}",
    "run ": f"!--model=spm, !--experiment experiment, !--setting=cycles=1, --setting setting, "
    f"{CELL}",
    "impedance": f"!--state state, --pellet pellet, {CELL}",
    "materials": "--json, --x",
    "parameters": "! action, ! set, ! text, --json",
    "parameters ": "! action, ! set, --json",
    "": "--help, --version, -x, text",
}


def argument(rng: Rng, kind: str) -> str:
    if kind in PATTERNS:
        pieces = PATTERNS[kind].replace("}", "{").split("{")
        return "".join(argument(rng, p) if i % 2 else p for i, p in enumerate(pieces))
    good, bad = ARGUMENTS[kind]
    return pick(rng, good if good and chance(rng, 0.8) else bad)


def command_line(rng: Rng) -> list[str]:
    command = pick(rng, tuple(COMMANDS))
    arguments = command.split()
    for given in COMMANDS[command].split(","):
        option, _, kind = given.strip().removeprefix("!").partition(" ")
        if chance(rng, 0.97 if "!" in given else 0.15):
            arguments += [option] * bool(option) + ([argument(rng, kind)] if kind else [])
    if arguments and chance(rng, 0.1):
        place = int(rng.integers(len(arguments)))
        new = pick(rng, (*TEXTS[:8], *CODE, "--", "-", "--help", arguments[place]))
        arguments[place : place + int(rng.integers(2))] = [new] * int(rng.integers(2))
    # a zero byte cannot be in an argument of a process
    return [a.replace("\0", "0") for a in arguments]


def cli_case(rng: Rng, folder: Path) -> Case:
    if chance(rng, 0.3):
        spoil_set(rng, folder / "set", folder.parent)
    else:
        copy_set("Hu2024", folder / "set")
    if chance(rng, 0.05):
        write_store(folder / "set")  # to resume
    data = folder / "data.csv"
    if chance(rng, 0.5):
        write_curve(folder / "tidy.csv")
        (folder / "tidy.csv").rename(data)
    else:
        names = ("Na3PS4 layer conductivity [S.m-1]", "x", "Na3PS4 layer material")
        cells = ("0.01", "0.02", "0.03", "nan", "", "x", "-1", "1e999", "Na3PS4 cubic")
        data.write_text("\n".join([pick(rng, names), *(pick(rng, cells) for _ in range(2))]))
    if chance(rng, 0.2):
        data.write_bytes(spoil_bytes(rng, data.read_bytes(), WORDS))
    elif chance(rng, 0.05):
        hostile_file(rng, data, folder.parent)
    if chance(rng, 0.2):
        (folder / "out").mkdir()
        text = pick(rng, ("[]", "{}", "3", "[" * 99_999, '{"problem": {}, "unit": 3}', "\xff"))
        (folder / "out" / "checkpoint.json").write_text(text)
    argv = command_line(rng)
    # results go to the folder named, or to that of the name of the command
    named = [b for a, b in pairwise(argv) if a in ("--out", "--resume")]
    roots = {Path(out).parts[0] if Path(out).parts else "" for out in named or argv[:1]}
    return Case(lambda: run_command(argv), None if "" in roots else tuple(roots), True)


def run_command(argv: list[str]) -> None:
    """Call ``ssnib`` in this process and check what it says; raises `_Refused` for code 2."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    err.reconfigure(errors="backslashreplace")  # as Python does for the real one
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), few_iterations():
        try:
            code = cli.main(argv)
            usage = False
        except SystemExit as end:
            code, usage = end.code, True
        out.flush()
    err.flush()
    said = err.buffer.getvalue().decode()
    assert code in (0, 2, 3), f"exit code {code!r}"
    assert "Traceback" not in said, "a traceback on stderr"
    assert all(c.isprintable() or c in "\n\t" for c in said), f"unprintable on stderr: {said!r}"
    lines = [line for line in said.splitlines() if line.strip()]
    if code == 0 and "--json" in argv and not usage:
        json.loads(out.buffer.getvalue(), parse_constant=lambda c: 1 / 0)
    if code == 2 and usage:
        assert ": error: " in lines[-1], f"usage error without its line: {said!r}"
        raise _Refused("usage")
    if code == 2 and not ("--json" in argv or lines[-1].endswith("problem(s)")):
        starts = ("ssnib: error: ", "ssnib: warning: ")
        assert lines, "nothing on stderr"
        assert all(line.startswith(starts) for line in lines), f"said {said!r}"
    if code == 2:
        raise _Refused("exit code 2")


class _Refused(ss.SSNIBError):
    """The command line said no, in the form it should."""

    def __init__(self, how: str):
        super().__init__(how)
        self.how = how


@contextlib.contextmanager
def few_iterations():
    """Fits that stop after their first steps, and sweeps of a few runs only."""
    least_squares = fit_search.least_squares

    def short(*arguments, **settings):
        return least_squares(*arguments, **settings | {"max_nfev": 1})

    points = rate_test.PreparedRateTest.half_cycles
    calls = []

    def counted(self, *arguments, **settings):
        calls.append(1)
        if len(calls) > 12:
            raise _WouldSolveError  # a long job that was asked for is no hang
        return points(self, *arguments, **settings)

    with (
        mock.patch.object(fit_search, "least_squares", short),
        mock.patch.object(rate_test.PreparedRateTest, "half_cycles", counted),
    ):
        yield


TARGETS = {"toml": toml_case, "measured": measured_case, "store": store_case, "cli": cli_case}


# -------------------------------------------------------------------- watch
class Hang(BaseException):
    """The time of a case is over."""


def _is_compiling() -> bool:
    """Whether numba is at work: compiled functions of the package, made, kept or read again."""
    frame = sys._getframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("numba."):
            return True
        frame = frame.f_back
    return False


class Watch:
    """Sees through audit events what a case does; there is one for the process."""

    PROCESS = ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "pty.spawn",
               "subprocess.Popen", "socket.connect", "socket.bind", "socket.sendto",
               "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "ftplib.connect",
               "http.client.connect", "webbrowser.open", "pickle.find_class",
               "sqlite3.enable_load_extension", "sqlite3.load_extension",
               "ctypes.dlopen")  # fmt: skip
    CHANGE = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link",
              "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.rmtree", "shutil.move",
              "shutil.copyfile")  # fmt: skip
    WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def __init__(self):
        self.folder: str | None = None
        self.found: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self.folder is None:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and flags is not None:
                self._opened(os.fsdecode(path), bool(flags & self.WRITE))
        elif event in self.PROCESS:
            self._saw(f"{event} {arguments!r:.200}")
        elif event in self.CHANGE:
            # the last name is not followed: removing a link does not remove what it points to
            for path in (a for a in arguments[:2] if isinstance(a, str | bytes | os.PathLike)):
                parent, name = os.path.split(os.path.abspath(os.fsdecode(path)))
                self._changed(event, os.path.join(os.path.realpath(parent), name))
        elif event in ("compile", "exec"):
            source = arguments[0]
            source = source if isinstance(source, str | bytes) else getattr(source, "co_names", "")
            if MARK in str(source):
                self._saw(f"{event} of the input: {source!r:.200}")

    def _saw(self, what: str) -> None:
        """Note what a case did; what is compiled for it is not its doing."""
        if not _is_compiling():
            self.found.append(what)

    def _opened(self, path: str, writes: bool) -> None:
        if "\0" in path:
            return
        real = os.path.realpath(path)
        if writes:
            self._changed("open to write", real)
        elif not self.may_read_outside and os.path.dirname(real) == os.path.dirname(self.folder):
            self._saw(f"reads {real}")

    def _changed(self, event: str, path: str) -> None:
        if not (path + os.sep).startswith(self.folder + os.sep) and not path.startswith("/dev/"):
            self._saw(f"{event} {path}")

    @contextlib.contextmanager
    def over(self, folder: Path, may_read_outside: bool):
        self.found, self.may_read_outside = [], may_read_outside
        self.folder = os.path.realpath(folder)
        try:
            yield
        finally:
            self.folder = None


_WATCH: list[Watch] = []


@contextlib.contextmanager
def limits():
    """`Hang` after some seconds, `MemoryError` above some memory; a crash if C never returns."""

    def ring(*_):
        if not global_compiler_lock.is_locked():
            raise Hang
        # the first use of a function is compiled, once for all cases: the time begins again
        signal.setitimer(signal.ITIMER_REAL, SECONDS)

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    old = signal.signal(signal.SIGALRM, ring)
    faulthandler.dump_traceback_later(20 * SECONDS, exit=True, file=sys.__stderr__)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, before[1]))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, old)


def listing(folder: Path) -> dict[str, tuple]:
    """Every file below a folder with its size and time of change; links are not followed."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


# -------------------------------------------------------------------- run
@dataclass
class Outcome:
    """``kind`` is "accepted", "refused" or "failed", ``detail`` the type or the reason."""

    number: int
    kind: str
    detail: str
    trace: str = ""


def run_case(target: str, seed: int, number: int, scratch: Path) -> Outcome:
    """Make one case in a new folder below ``scratch``, call it under watch and judge.

    A case that takes too long is repeated once: the machine may have been busy.
    """
    outcome = _run_case(target, seed, number, scratch)
    slow = outcome.detail == TOO_LONG
    return _run_case(target, seed, number, scratch) if slow else outcome


@functools.cache
def _compile() -> None:
    """What many runs and derivatives take too: it is no part of the time of a case."""
    names = ["Na3PS4 layer conductivity [S.m-1]"]
    for model in (ss.SolidStateSPM(), ss.SolidStateDFN()):
        prepared = ss.RateTest([1]).prepare(model, shipped(), varying=names)
        members = [shipped().replace({names[0]: value}) for value in (0.01, 0.02)]
        prepared.half_cycles_of_many(members)
        prepared.half_cycles_nearby(shipped(), [Side(*members, 0.5)])


def _run_case(target: str, seed: int, number: int, scratch: Path) -> Outcome:
    store_files()  # also imports whatever is imported on first use, before the watch
    _compile()
    if not _WATCH:
        _WATCH.append(Watch())
    watch = _WATCH[0]
    rng = np.random.default_rng([seed, list(TARGETS).index(target), number])
    outside, folder = scratch / "outside", scratch / "outside" / "case"
    if scratch.exists():
        shutil.rmtree(scratch)
    folder.mkdir(parents=True)
    (outside / "secret.csv").write_text("C-rate,Ambient temperature [K]\n1,298.15\n")
    case = TARGETS[target](rng, folder)
    before, here = listing(outside), Path.cwd()
    os.chdir(folder)
    kind, detail, trace = "accepted", "", ""
    try:
        with warnings.catch_warnings(), watch.over(folder, case.may_read_outside), limits():
            warnings.simplefilter("ignore")
            case.call()
    except _WouldSolveError:
        detail = "up to the solve"
    except _Refused as error:
        kind, detail = "refused", error.how
    except ss.SSNIBError as error:
        kind, detail = "refused", type(error).__name__
        if not str(error).strip():
            kind, detail = "failed", "an error without a sentence"
    except Hang:
        kind, detail, trace = "failed", TOO_LONG, traceback.format_exc()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        trace = traceback.format_exc()
        kind, detail = "failed", f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        os.chdir(here)
    after = listing(outside)
    changed = {
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    }
    if case.may_write is not None:
        roots = {f"case/{name}" for name in case.may_write} | {"case"}
        wrong = {p for p in changed if p not in roots
                 and not any(p.startswith(root + "/") for root in roots - {"case"})}  # fmt: skip
        if wrong:
            kind, detail = "failed", f"wrote {sorted(wrong)}"
    if watch.found:
        kind, detail = "failed", "; ".join(watch.found)
    return Outcome(number, kind, detail, trace)


def run(target: str, cases: int, seed: int = 0, first: int = 0, progress=None) -> list[Outcome]:
    """The outcomes of many cases of one target."""
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = []
        for number in range(first, first + cases):
            outcomes.append(run_case(target, seed, number, Path(scratch) / "fuzz"))
            if progress:
                progress(outcomes[-1])
        return outcomes


def summary(results: dict[str, list[Outcome]]) -> pd.DataFrame:
    """One row a target: cases, accepted, refused, failed, and what it was refused with."""
    rows = []
    for target, outcomes in results.items():
        kinds = Counter(o.kind for o in outcomes)
        types = Counter(o.detail for o in outcomes if o.kind == "refused")
        rows.append({
            "target": target, "cases": len(outcomes), "accepted": kinds["accepted"],
            "refused": kinds["refused"], "failed": kinds["failed"],
            "refused with": ", ".join(f"{t} {n}" for t, n in types.most_common()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--only", type=int, metavar="N", help="repeat case N of a target")
    arguments = parser.parse_args()
    if arguments.only is not None:
        scratch = Path(tempfile.gettempdir()) / "ssnib_hostile"
        outcome = run_case(
            arguments.target or "toml", arguments.seed, arguments.only, scratch / "fuzz"
        )
        print(outcome.trace, f"{outcome.kind}: {outcome.detail}\nfiles are in {scratch}", sep="\n")
        return outcome.kind == "failed"
    results = {}
    for target in [arguments.target] if arguments.target else TARGETS:

        def tell(outcome, target=target):
            if outcome.kind == "failed":
                print(
                    f"--target {target} --seed {arguments.seed} --only {outcome.number}: "
                    f"{outcome.detail:.300}",
                    flush=True,
                )

        results[target] = run(target, arguments.cases, arguments.seed, progress=tell)
    print(summary(results).to_string(index=False))
    return any(o.kind == "failed" for outcomes in results.values() for o in outcomes)


if __name__ == "__main__":
    sys.exit(main())
