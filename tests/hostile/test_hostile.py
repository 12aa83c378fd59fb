"""Hostile input: a part of the fuzzing in every run, and each bug that it found."""

import contextlib
import io
import json
import os
import sqlite3
import sys
import time
import zipfile
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model import cli, tables
from ssnib_model.measured import reading
from ssnib_model.runs.sweep import resume
from ssnib_model.units import convert

sys.path.insert(0, str(Path(__file__).parent))
import fuzzer

BASE = (fuzzer.parameter_root() / "Hu2024" / "parameters.toml").read_text()
CASES = {"toml": 200, "measured": 300, "store": 200, "cli": 80}
KAPPA = "Na3PS4 layer conductivity [S.m-1]"


@pytest.mark.slow
@pytest.mark.parametrize("target", fuzzer.TARGETS)
def test_only_typed_errors(target):
    outcomes = fuzzer.run(target, CASES[target], seed=2024)
    assert [o for o in outcomes if o.kind == "failed"] == []
    # neither everything nor nothing is refused, or the fuzzer sees only one side
    assert 0 < sum(o.kind == "accepted" for o in outcomes) < 0.6 * len(outcomes)


def _system(folder):
    os.system(f"touch {folder}/x")


def _connect(_):
    import socket

    with contextlib.suppress(OSError), socket.socket() as s:
        s.connect(("127.0.0.1", 9))


@pytest.mark.parametrize(
    ("act", "sign"),
    [
        (_system, "os.system"),
        (_connect, "socket.connect"),
        (lambda _: eval(f"lambda: {fuzzer.MARK}"), "compile of the input"),
        (lambda folder: (folder.parent / "x").write_text(""), "open to write"),
        (lambda folder: (folder / "x").write_text(""), "wrote"),
        (lambda folder: (folder.parent / "secret.csv").read_text(), "reads"),
        (lambda folder: (folder.parent / "secret.csv").unlink(), "os.remove"),
        (lambda _: time.sleep(60), "longer than"),
        (lambda _: bytes(2 * 2**30), "MemoryError"),
        (lambda _: {}["x"], "KeyError"),
    ],
)
def test_the_fuzzer_sees_what_it_should(act, sign, monkeypatch, tmp_path):
    monkeypatch.setattr(fuzzer, "SECONDS", 0.3)
    monkeypatch.setitem(
        fuzzer.TARGETS, "toml", lambda rng, folder: fuzzer.Case(lambda: act(folder))
    )
    outcome = fuzzer.run_case("toml", 0, 0, tmp_path / "fuzz")
    assert outcome.kind == "failed"
    assert sign in outcome.detail


# -------------------------------------------------------------------- parameter sets
@pytest.fixture
def folder(tmp_path):
    fuzzer.copy_set("Hu2024", tmp_path / "set")
    return tmp_path / "set"


def _refused(folder, text) -> str:
    (folder / "parameters.toml").write_text(text)
    began = time.monotonic()
    with pytest.raises(ss.ParameterError) as error:
        ss.ParameterSet(folder)
    assert time.monotonic() - began < 5
    return str(error.value)


ENTRY = f'[parameters."{KAPPA}"]\nvalue = 1e-4\nunit = "S.cm-1"'
LAYERS = '"electrolyte layers" = ["Na3PS4", "NaTaCl6"]'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # a number of more digits than Python shows
        ("value = 10\nunit", f"value = 0x{'f' * 9000}\nunit", "too long to show"),
        (LAYERS, LAYERS + f'\n"size classes" = 0x{"f" * 9000}', "a whole number or a list"),
        # tables in a table, where an option is expected
        (LAYERS, LAYERS + f"\n{'.'.join('a' * 90)} = 1", "stack.a is {'a': {'a': {'a'"),
        # time that rises with the square of something
        ("[stack]", f"{'.'.join('a' * 30_000)} = 1\n[stack]", "more than 100 dots"),
        ("[stack]", ".".join(['"\u2028"'] * 9000) + " = 1\n[stack]", "more than 100 dots"),
        (LAYERS, f'"electrolyte layers" = {[f"L{i}" for i in range(3000)]}', "at most 20 texts"),
        ("[sources.Hu2024]",
         "".join(f'[measured.m{i}]\nfile = "fig4e.csv"\nsource = "Hu2024"\n' for i in range(3000))
         + "[sources.Hu2024]", "at most 100 items"),
        ("[sources.Hu2024]",
         "".join(f'[parameters."Positive electrode thicknes {i} [m]"]\nvalue = 1\nunit = "m"\n'
                 'kind = "user"\n' for i in range(4000)) + "[sources.Hu2024]", "did you mean"),
        ("Die diameter [m]", "x" * 100_000, "unknown parameter"),
        # units that pint takes and cannot convert, and numbers that overflow
        ('unit = "S.cm-1"', 'unit = "dB.m"', '"dB.m" cannot be converted to "S.m-1"'),
        (ENTRY, ENTRY.replace("1e-4", "1e308").replace("S.cm", "MS.cm"), "too large a number"),
        ("range = [0.24, 0.38]", "sd = 1e308", "is too large a number"),
        # files that are none of its folder
        ('file = "fig4e.csv"', 'file = "a\\u0000b"', "is not the name of a file in"),
        ('file = "fig4e.csv"', 'file = ".."', "is not the name of a file in"),
        ('file = "fig4e.csv"', 'file = ""', "is not the name of a file in"),
        ('file = "fig4e.csv"', 'file = "/etc/passwd"', "is not the name of a file in"),
        ('file = "fig4e.csv"', 'file = "http://127.0.0.1:9/x.csv"', "is not the name of a file"),
        # a table where a number is needed is not even read
        ("value = 10\nunit", 'value = { table = "fig4e.csv" }\nunit', "it must be a number"),
    ],
)  # fmt: skip
def test_parameter_files(old, new, message, folder):
    assert old in BASE
    assert message in _refused(folder, BASE.replace(old, new, 1))


@pytest.mark.parametrize("code", fuzzer.CODE)
def test_code_in_a_parameter_file_stays_text(code, folder, monkeypatch):
    """As a value, function, argument, unit, file, option or name: refused, never run."""
    monkeypatch.chdir(folder)
    quoted = json.dumps(code)
    for old, new in (
        ("value = 10\nunit", f"value = {quoted}\nunit"),
        ('function = "nvp_plateau_ocp"', f"function = {quoted}"),
        (
            'end_amplitude = "Positive electrode OCP end amplitude [V]"',
            f"end_amplitude = {quoted}",
        ),
        ('unit = "S.cm-1"', f"unit = {quoted}"),
        ('file = "fig4e.csv"', f"file = {quoted}"),
        ('"composite transport" = "bruggeman"', f'"composite transport" = {quoted}'),
        ('"Die diameter [m]"', quoted),
        ('"electrolyte layers" = ["Na3PS4", ', f'"electrolyte layers" = [{quoted}, '),
    ):
        assert old in BASE
        _refused(folder, BASE.replace(old, new, 1))
    assert not (folder / fuzzer.MARK).exists()


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "fig4e.csv"])
def test_a_link_out_of_the_set_is_refused(target, folder):
    (folder / "fig4e.csv").unlink()
    (folder / "fig4e.csv").symlink_to(target)
    assert "fig4e.csv" in _refused(folder, BASE)


def test_a_set_of_links_to_one_folder_loads(folder, tmp_path):
    """As some installers make them."""
    (tmp_path / "links").mkdir()
    for file in folder.iterdir():
        (tmp_path / "links" / file.name).symlink_to(file)
    assert len(ss.ParameterSet(tmp_path / "links").measured) == 4


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "/dev/zero", "/proc/self/mem/x"])
def test_names_of_sets(name):
    with pytest.raises(ss.ParameterError, match="neither a known parameter set"):
        ss.ParameterSet(name)


@pytest.mark.parametrize("unit", fuzzer.UNITS)
@pytest.mark.parametrize("target", ["m", "K", "1", "J.mol-1"])
def test_units(unit, target):
    with contextlib.suppress(ValueError):
        convert(1.0, unit, target)


# -------------------------------------------------------------------- measured data
READERS = (tables.read_rate_data, reading.read_curves, tables.read_table)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "kind", ["zero", "pipe", "huge", "zip", "xz", "columns", "quoted", "rows", "nul", "long"]
)
def test_files_of_measured_data(reader, kind, tmp_path):
    path = tmp_path / "x.csv"
    match kind:
        case "zero":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "huge":
            path.touch()
            os.truncate(path, 10 * 2**30)
        case "zip":  # its name would have it unpacked
            path = tmp_path / "x.csv.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("x.csv", b"C-rate\n" + b"\n" * 10**8)
        case "xz":
            path = tmp_path / "x.csv.xz"
            path.write_bytes(b"no archive")
        case "columns":
            path.write_text("," * 400_000 + "\n1\n2\n")
        case "quoted":  # a header of many lines
            path.write_text('"\n",' * 100_000 + "\n1\n2\n")
        case "rows":
            path.write_text("Time [s],Current [A],Voltage [V]\n" + "1\n" * 20_000_000)
        case "nul":
            path = tmp_path / "a\0b.csv"
        case "long":  # a pattern that takes the square of the length of a name
            path.write_text("a" + " " * 300_000 + "b\n1\n2\n")
    began = time.monotonic()
    with pytest.raises(ss.MeasuredDataError, match=r"x\.csv|a\x00b"):
        reader(path)
    assert time.monotonic() - began < 5


def test_a_path_is_never_an_address(tmp_path, monkeypatch):
    """pandas takes "file:..." and "http:..." for addresses, and opens them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("C-rate,Ambient temperature [K]\n1,298.15\n")
    for scheme in ("file:", "http:", "ftp:"):
        with pytest.raises(ss.MeasuredDataError, match="No such file"):
            tables.read_rate_data(f"{scheme}{tmp_path}/x.csv")


def test_rows_with_more_values_than_names(tmp_path):
    (tmp_path / "x.csv").write_text("C-rate,Ambient temperature [K]\n1,298.15,3\n1,x,3\n")
    with pytest.raises(ss.MeasuredDataError, match="more values than the header has names"):
        tables.read_rate_data(tmp_path / "x.csv")


def test_a_whole_number_too_large_for_a_float(tmp_path):
    (tmp_path / "x.csv").write_text(f"C-rate,Ambient temperature [K]\n1,{'9' * 400}\n")
    with pytest.raises(ss.MeasuredDataError, match="it must be a finite number"):
        tables.read_rate_data(tmp_path / "x.csv")


def test_curves_with_odd_headers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Time [s], Time [s],Current [A],Voltage [V]\n1,9,1,3\n2,9,1,3\n")
    assert reading.read_curves(path)["Time [s]"].tolist() == [1, 2]
    for count in ("0", "9" * 5000):
        path.write_text(f"EC-Lab ASCII FILE\nNb header lines : {count}\na\nb\nc\n")
        with pytest.raises(ss.MeasuredDataError, match="Nb header lines"):
            reading.read_curves(path)


def test_parquet_of_a_billion_values_in_some_bytes(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    column = pa.repeat(0.0, 10_000_000)
    pq.write_table(
        pa.table({"Time / s": column, "Current / A": column, "Voltage / V": column}), path
    )
    with pytest.raises(ss.MeasuredDataError, match="more than 20000000 numbers"):
        reading.read_curves(path)
    pq.write_table(
        pa.table({"Time / s": [[1.0]] * 2, "Current / A": ["x"] * 2, "Voltage / V": [1, 2]}), path
    )
    with pytest.raises(ss.MeasuredDataError, match="no column for time"):
        reading.read_curves(path)


# -------------------------------------------------------------------- stores
@pytest.fixture
def store(tmp_path):
    fuzzer.write_store(tmp_path / "sweep")
    return tmp_path / "sweep"


def _change(store, statement, *values):
    with contextlib.closing(sqlite3.connect(store / "sweep.sqlite")) as connection:
        connection.execute(statement, values)
        connection.commit()


def test_a_complete_store_needs_no_solve(store):
    assert resume(store)["Status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize(
    ("statement", "values", "message"),
    [
        ("create trigger t after insert on runs begin select 1; end", (), "only the tables"),
        ("create view v as select 1", (), "only the tables"),
        ("update job set text = ?", (None,), "not JSON"),
        ("update job set text = ?", ("[" * 100_000,), "not JSON"),
        ("update job set text = ?", ("[]",), "none of a sweep"),
        ("update job set text = json_set(text, '$.rates', 3)", (), "rates cannot be used"),
        ("update job set text = json_set(text, '$.rates[0]', 'x')", (), "positive number"),
        ("update job set text = json_set(text, '$.cycles', 'x')", (), "cycles cannot be used"),
        ("update job set text = json_set(text, '$.design.x', 3)", (), "design cannot be used"),
        ("update job set text = json_set(text, '$.model', 'x')", (), "model is 'x'"),
        (f"update job set text = json_set(text, '$.design.\"{KAPPA}\"[0]', 'x')", (),
         "a number is needed"),
        ("update job set text = json_set(text, '$.design.\"Na3PS4 layer material\"[0]', 3)", (),
         "the name of a solid electrolyte is needed"),
        ("update runs set rows = ?", ("3",), "a list of rows"),
        ("update runs set rows = ?", ('[{"Status": 3}]',), "a list of rows"),
        ("update runs set rows = json_set(rows, '$[0].Status', 3)", (), "a list of rows"),
        ("insert into runs values (99, '[]')", (), "the design has 0 to 1"),
    ],
)  # fmt: skip
def test_stores(statement, values, message, store):
    _change(store, statement, *values)
    with pytest.raises(ss.SSNIBError, match=message):
        resume(store)


def test_a_view_in_a_store_is_not_run(store):
    """It could take for ever."""
    _change(store, "drop table job")
    _change(store, "create view job as with recursive c(text) as (select '1' union all "
            "select text from c) select text from c where text = '2'")  # fmt: skip
    with fuzzer.limits(), pytest.raises(ss.SSNIBError, match="only the tables"):
        resume(store)


@pytest.mark.parametrize("name", ["results.csv.new", ".lock", "sweep.sqlite", "parameters"])
def test_nothing_is_written_through_a_link_in_a_store(name, store, tmp_path):
    path = store / name
    if path.exists():
        path.rename(tmp_path / "target")
    path.symlink_to(tmp_path / "target")
    before = fuzzer.listing(tmp_path)
    with pytest.raises(ss.SSNIBError, match="not a link"):
        resume(store)
    assert fuzzer.listing(tmp_path) == before


@pytest.mark.parametrize(
    "content", [b"", b"no database" * 1000, b"SQLite format 3\0" + b"\xed" * 5000]
)
def test_files_that_are_no_database(content, store):
    (store / "sweep.sqlite").write_bytes(content)
    with pytest.raises(ss.SSNIBError, match=r"holds no sweep|cannot be read"):
        resume(store)


# -------------------------------------------------------------------- command line
@pytest.fixture
def data(tmp_path, monkeypatch):
    """Measured data in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("rates.csv").write_text(
        "C-rate,Ambient temperature [K],Discharge capacity [mA.h.g-1]\n1,298.15,99\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "--vary", f"{KAPPA}=1:2:lin:10000000000"], "N from 1 to 1000000"),
        (["sweep", "--vary", f"{KAPPA}=1:2:lin:0"], "N from 1 to 1000000"),
        (["sweep", "--vary", f"{KAPPA}=1:nan:lin:2"], "finite numbers"),
        (["sweep", "--vary", f"{KAPPA}=1:2:lin:99999", "--vary", "x=1:2:lin:99"],
         "at most 2000000 are allowed"),
        (["sweep", "--sample", "99999999999"], "at most 2000000 are allowed"),
        (["sweep", "--vary", f"{KAPPA}=1:2:lin:2", "--time-limit", "nan"], "time_limit is nan"),
        (["sweep", "--design", "/dev/zero"], "not a regular file"),
        (["sweep", "--resume", "x" * 5000], "holds no sweep"),
        (["rate-test", "--set", "x" * 5000], "neither a known parameter set"),
        (["target", "--metric", "polarization at 1.2.3 C", "--value", "1", "--vary", KAPPA],
         "polarization at 1.2.3 C"),
        (["sensitivity", "--of", KAPPA, "--metric", "x"], "it must be one of Charge capacity"),
        (["sensitivity", "--of", KAPPA, "--method", "sobol", "--samples", "0"], "n is 0"),
        (["sensitivity", "--of", KAPPA, "--method", "morris", "--samples", "99999999"], "at most"),
        (["fit", "rates.csv", "--free", f"{KAPPA}:0.005:0.05", "--seed", "-1"], "seed -1"),
        (["fit", "rates.csv", "--free", f"{KAPPA}:1:2", "--starts", "9999999"], "1 to 100000"),
    ],
)  # fmt: skip
def test_arguments(arguments, message, data, capsys):
    with fuzzer.limits():
        try:
            code = cli.main(arguments)
        except SystemExit as end:
            code = end.code
    assert code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "error: " in last
    assert message in last


@pytest.mark.parametrize("text", ["[]", "{}", "3", '{"problem": 1, "unit": []}', "[" * 99_999])
def test_checkpoints(text, data, capsys):
    Path("fit").mkdir()
    Path("fit/checkpoint.json").write_text(text)
    assert cli.main(["fit", "rates.csv", "--free", f"{KAPPA}:0.005:0.05", "--model", "spm"]) == 2
    assert "checkpoint" in capsys.readouterr().err


def test_nothing_of_a_file_steers_the_terminal(folder, capsys):
    escape = r"\u001b]0;title\u0007" + r"\n" * 3
    (folder / "parameters.toml").write_text(BASE.replace("Die diameter [m]", escape + "[m]"))
    assert cli.main(["parameters", "check", str(folder)]) == 2
    assert cli.main(["rate-test", "--set", str(folder)]) == 2
    (folder / "parameters.toml").write_text(BASE.replace("milled for 40 h", escape))
    assert cli.main(["parameters", "show", str(folder)]) == 0
    said = "".join(capsys.readouterr())
    assert all(c.isprintable() or c == "\n" for c in said)
    assert r"\x1b]0;title\x07" in said


def test_a_folder_that_is_no_text_can_be_printed(folder, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    odd = folder.rename(folder.with_name("caf\udce9"))
    assert cli.main(["parameters", "check", str(odd)]) == 0
    out.flush()
    assert rb"caf\udce9: " in out.buffer.getvalue()


def test_a_source_without_doi_is_shown(folder, capsys):
    assert cli.main(["parameters", "show", "Hu2024", "molar mass"]) == 0
    assert cli.main(["parameters", "show", "Hu2024"]) == 0
    assert "Chotard et al." in capsys.readouterr().out


def test_json_holds_no_nan(capsys):
    """A result that is 0 at the values of the set has no relative sensitivity."""
    cli.output.print_json({"a": [float("nan"), float("inf"), 1.0]})
    assert json.loads(capsys.readouterr().out) == {"a": [None, None, 1.0]}


def test_a_rate_that_cannot_start_is_in_the_plot(tmp_path):
    arguments = ["sensitivity", "--of", KAPPA, "--rates", "100,0.2", "--model", "spm", "--quiet"]
    assert cli.main([*arguments, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "local.png").exists()


def test_a_pellet_has_no_heat_balance(hu2024):
    lumped = hu2024.replace({}, {"thermal": "lumped"})
    frequencies = [1.0, 1e3]
    z = [ss.impedance(p, frequencies, pellet="Na3PS4").z for p in (hu2024, lumped)]
    assert z[0] == pytest.approx(z[1])
