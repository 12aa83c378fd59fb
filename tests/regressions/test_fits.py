"""What fits once did without a word; public names only."""

import json
import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.cli import main

CAPACITY, CHARGE_CAPACITY = "Discharge capacity [mA.h.g-1]", "Charge capacity [mA.h.g-1]"
GAP = "Polarization [V]"
D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
KAPPA = "Na3PS4 layer conductivity [S.m-1]"
ACCESSIBLE = "Positive electrode accessible fraction"
BOUNDS = {D: (1e-18, 1e-14), J0: (1e-3, 1.0)}
SIGMA = {CAPACITY: 0.3, GAP: 0.002}


@pytest.fixture(scope="module")
def table(hu2024):
    """A rate test of the reduced model."""
    found = ss.RateTest([0.5, 2]).run(ss.SolidStateSPM(), hu2024).table
    return found[["C-rate", *SIGMA]]


@pytest.fixture
def data(table):
    return ss.RateTestData("test", table, sigma=SIGMA)


class Counted:
    """A prepared test that counts its runs, and is interrupted at one of them."""

    def __init__(self, prepared, runs, at):
        self._prepared, self._runs, self._at = prepared, runs, at

    def __getattr__(self, name):
        return getattr(self._prepared, name)

    def half_cycles(self, *arguments, **settings):
        self._count()
        return self._prepared.half_cycles(*arguments, **settings)

    def half_cycles_nearby(self, *arguments, **settings):
        self._count()
        return self._prepared.half_cycles_nearby(*arguments, **settings)

    def _count(self):
        self._runs.append(1)
        if len(self._runs) == self._at:
            raise KeyboardInterrupt


@pytest.fixture
def count(monkeypatch):
    """Start to count the simulations of rate tests, with Ctrl-C at one of them."""
    prepare = ss.RateTest.prepare

    def begin(at=None):
        runs = []
        monkeypatch.setattr(
            ss.RateTest,
            "prepare",
            lambda self, *a, **k: Counted(prepare(self, *a, **k), runs, at),
        )
        return runs

    return begin


def same(one, two):
    assert one.values == two.values
    assert one.errors == two.errors
    assert one.chi2 == two.chi2
    assert one.solves == two.solves
    assert one.message == two.message


# -------------------------------------------------------------------- 2
@pytest.mark.parametrize("second", [[KAPPA], [ACCESSIBLE, D]])
def test_finding_02_a_second_fit_of_the_same_data_leaves_the_first(second, data, hu2024):
    first = ss.fit(hu2024, data, BOUNDS, model="spm")
    before = first.profile(D, points=3)["chi2"].to_numpy()
    other = hu2024.replace({"Upper voltage cut-off [V]": 3.9})
    ss.fit(other, [data], second, model="spm", max_iterations=2)
    assert first.profile(D, points=3)["chi2"].to_numpy() == pytest.approx(before, rel=1e-9)
    assert before.max() > 100


def test_finding_02_data_that_are_changed_later_are_not_those_of_the_fit(data, hu2024):
    fit = ss.fit(hu2024, data, {D: BOUNDS[D]}, model="spm")
    data.measured = data.measured + 5
    least = fit.profile(D, points=3)["chi2"].min()
    assert least == pytest.approx(
        ss.fit(hu2024, ss.RateTestData("again", pd.DataFrame(fit_table(fit)), sigma=SIGMA),
               {D: BOUNDS[D]}, model="spm").profile(D, points=3)["chi2"].min(), rel=1e-3,
    )  # fmt: skip


def fit_table(fit):
    rows = fit.residuals
    rates = rows["Quantity"].str.extract(r" at ([\d.]+) C")[0].astype(float)
    names = rows["Quantity"].str.replace(r" at .*", "", regex=True)
    return [
        {"C-rate": rate, **dict(zip(names[rates == rate], rows["Measured"][rates == rate],
                                    strict=True))}
        for rate in dict.fromkeys(rates)
    ]  # fmt: skip


# -------------------------------------------------------------------- 5
def test_finding_05_the_checkpoint_keeps_the_best_of_many_starts(data, hu2024, tmp_path):
    file = tmp_path / "state.json"
    fit = ss.fit(hu2024, data, BOUNDS, model="spm", starts=3, seed=4, max_iterations=2,
                 checkpoint=file)  # fmt: skip
    assert json.loads(file.read_text())["chi2"] == pytest.approx(fit.cost)


@pytest.mark.parametrize("at", [1, 2, 9, 17])
def test_finding_05_many_starts_go_on_as_if_without_a_break(at, data, hu2024, tmp_path, count):
    file = tmp_path / "state.json"
    settings = {"model": "spm", "starts": 3, "seed": 4, "max_iterations": 5}
    runs = count()
    whole = ss.fit(hu2024, data, BOUNDS, **settings)
    assert len(runs) > 17
    total = len(runs)
    count(at)
    try:
        part = ss.fit(hu2024, data, BOUNDS, checkpoint=file, **settings)
        assert part.message.startswith("interrupted")
    except KeyboardInterrupt:
        assert at == 1
    runs = count()
    same(ss.fit(hu2024, data, BOUNDS, checkpoint=file, **settings), whole)
    assert len(runs) <= total - at + 2


@pytest.mark.parametrize("at", [1, 4])
def test_finding_05_the_full_model_goes_on_where_it_was(at, data, hu2024, tmp_path, count):
    file, free = tmp_path / "state.json", {D: BOUNDS[D]}
    settings = {"max_iterations": 3, "start": {D: 5e-17}}
    runs = count()
    ss.fit(hu2024, data, free, model="spm", **settings)
    reduced = len(runs)
    runs = count()
    whole = ss.fit(hu2024, data, free, model="spm+dfn", **settings)
    total = len(runs)
    count(reduced + at)
    part = ss.fit(hu2024, data, free, model="spm+dfn", checkpoint=file, **settings)
    assert part.message.startswith("interrupted")
    assert "dfn" in part.message
    runs = count()
    same(ss.fit(hu2024, data, free, model="spm+dfn", checkpoint=file, **settings), whole)
    # what was under way is done again
    assert 0 < len(runs) <= total - (reduced + at) + 3


@pytest.mark.slow
def test_finding_05_workers_write_the_checkpoint_and_another_number_goes_on(
    data, hu2024, tmp_path
):
    file = tmp_path / "state.json"
    settings = {"model": "spm", "starts": 12, "seed": 4, "max_iterations": 4}
    whole = ss.fit(hu2024, data, BOUNDS, **settings)
    finished = threading.Event()

    def interrupt():
        until = time.monotonic() + 120
        while time.monotonic() < until and not finished.is_set():
            time.sleep(0.002)
            if file.exists() and "values" in file.read_text():
                os.kill(os.getpid(), signal.SIGINT)
                return

    watch = threading.Thread(target=interrupt)
    # a shell starts what runs in its background with this signal ignored
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch.start()
    try:
        part = ss.fit(hu2024, data, BOUNDS, workers=2, checkpoint=file, **settings)
    finally:
        finished.set()
        watch.join()
        signal.signal(signal.SIGINT, handler)
    assert file.exists()
    assert part.message.startswith("interrupted")
    same(ss.fit(hu2024, data, BOUNDS, workers=2, checkpoint=file, **settings), whole)
    same(ss.fit(hu2024, data, BOUNDS, workers=1, checkpoint=file, **settings), whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"problem": {}, "unit": [0.5, 0.5], "chi2": 1}',
        '{"format": 2}',
        '{"format": 2, "fit": 3}',
        '{"format": 1e400}',
        "[" * 99_999,
        "\xff",
    ],
)
def test_finding_05_what_is_no_checkpoint_is_refused(text, data, hu2024, tmp_path):
    file = tmp_path / "state.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ss.SSNIBError, match="checkpoint"):
        ss.fit(hu2024, data, BOUNDS, model="spm", checkpoint=file)
    assert file.read_text(encoding="latin-1") == text


@pytest.mark.parametrize("what", ["parameters", "settings", "data", "model"])
def test_finding_05_a_checkpoint_of_another_fit_is_refused(what, table, hu2024, tmp_path):
    file = tmp_path / "state.json"
    data = ss.RateTestData("test", table, sigma=SIGMA)
    ss.fit(hu2024, data, BOUNDS, model="spm", max_iterations=1, checkpoint=file)
    other = {"model": "spm", "max_iterations": 1}
    if what == "parameters":
        hu2024 = hu2024.replace({KAPPA: 0.011})
    if what == "settings":
        other["starts"] = 2
    if what == "model":
        other["model"] = "dfn"
    if what == "data":
        data = ss.RateTestData("test", table, sigma=SIGMA, temperature=303.15)
    with pytest.raises(ss.SSNIBError, match="belongs to another fit"):
        ss.fit(hu2024, data, BOUNDS, checkpoint=file, **other)


# -------------------------------------------------------------------- 6
@pytest.mark.parametrize("at", [2, 3])
def test_finding_06_ctrl_c_ends_all_starts_and_stages(at, data, hu2024, count):
    runs = count(at)
    fit = ss.fit(hu2024, data, BOUNDS, model="spm+dfn", starts=3, start={D: 5e-17})
    # the errors of the point reached may still need its derivatives
    assert len(runs) <= at + 1
    assert fit.message.startswith("interrupted")
    for part in ("spm", "0 of 3", "dfn"):
        assert part in fit.message
    assert fit.message in fit.report().splitlines()[0]


def test_finding_06_the_command_line_says_so(table, tmp_path, capsys, count):
    file = tmp_path / "rates.csv"
    off = {CAPACITY: table[CAPACITY] - 2, "Ambient temperature [K]": 298.15}
    table.assign(**off).to_csv(file, index=False)
    command = ["fit", str(file), "--free", f"{D}:1e-18:1e-14:log", "--model", "spm",
               "--out", str(tmp_path / "fit")]  # fmt: skip
    count(3)
    assert main(command) not in (0, 2)
    captured = capsys.readouterr()
    assert "interrupted" in captured.out + captured.err
    assert json.loads((tmp_path / "fit" / "checkpoint.json").read_text())["stages"]


# -------------------------------------------------------------------- 13
@pytest.mark.parametrize(
    ("rate", "changes"),
    [(300, {}), (1, {"Upper voltage cut-off [V]": 2.9, "Lower voltage cut-off [V]": 2.8})],
)
@pytest.mark.parametrize("starts", [1, 2])
def test_finding_13_a_fit_in_which_nothing_simulates_is_an_error(rate, changes, starts, hu2024):
    data = ss.RateTestData("mine", pd.DataFrame({"C-rate": [rate], CAPACITY: [90.0]}))
    with pytest.raises(ss.SSNIBError, match=r"could be simulated.*mine.*the discharge at"):
        ss.fit(hu2024.replace(changes), data, {D: BOUNDS[D]}, model="spm", starts=starts)


def test_finding_13_what_was_not_simulated_is_listed(hu2024, table):
    fast = pd.DataFrame({"C-rate": [300], CAPACITY: [1.0], GAP: [0.5]})
    data = ss.RateTestData("mine", pd.concat([table, fast]), sigma=SIGMA)
    fit = ss.fit(hu2024, data, {D: BOUNDS[D]}, model="spm", max_iterations=3)
    report = fit.report()
    assert "could not be simulated" in report
    assert report.count("at 300 C: the") == 2
    # the gap has no value and counts neither in chi2 nor in the degrees of freedom
    assert fit.dof == 5 - 1
    assert np.isfinite(fit.chi2)


def test_finding_13_a_parameter_that_the_data_do_not_see_is_not_exact(data, hu2024):
    """Its error was 0."""
    capacity = "Negative electrode double-layer capacity [F.m-2]"
    fit = ss.fit(hu2024, data, {D: BOUNDS[D], capacity: (0.01, 1.0)}, model="spm")
    assert fit.errors[capacity] > 1
    assert capacity in fit.undetermined()[0]


# -------------------------------------------------------------------- 14
@pytest.mark.parametrize("offset", [0.3, 3.0])
def test_finding_14_a_misfit_is_said_first(offset, table, hu2024, tmp_path):
    wrong = table.assign(**{GAP: table[GAP] + offset * np.array([1, -1])})
    data = ss.RateTestData("test", wrong, sigma=SIGMA)
    fit = ss.fit(hu2024, data, BOUNDS, model="spm")
    ratio = fit.chi2 / fit.dof
    assert ratio > 20
    first = fit.report().splitlines()[0]
    assert f"chi2/dof is {ratio:.3g}" in first
    entry = fit.to_dict()["parameters"][D]
    assert entry["scaled_error"] == pytest.approx(entry["error"] * np.sqrt(ratio))
    assert f"({entry['scaled_error']:.2g} scaled)" in fit.report()
    # whatever is drawn or saved is as wide
    saved = ss.ParameterSet(fit.save(tmp_path / "set")).info(D)
    assert saved.uncertainty["sd"] == pytest.approx(entry["scaled_error"])
    assert f"chi2/dof {ratio:.3g}" in saved.note


def test_finding_14_a_misfit_without_degrees_of_freedom_is_said_first(hu2024):
    """As many values as parameters could be matched exactly, and are not."""
    table = pd.DataFrame({"C-rate": [0.5], CAPACITY: [60.0]})
    free = {"Na3PS4 layer conductivity [S.m-1]": (5e-3, 0.5)}
    fit = ss.fit(hu2024, ss.RateTestData("test", table), free, model="spm")
    assert fit.dof == 0
    assert "DOES NOT DESCRIBE" in fit.report().splitlines()[0]
    assert "DOES NOT DESCRIBE" in fit.to_dict()["misfit"]


def test_finding_14_a_good_fit_says_nothing_of_the_kind(hu2024):
    model = ss.SolidStateSPM()
    table = ss.RateTest([0.2, 0.5, 1, 2]).run(model, hu2024).table[["C-rate", *SIGMA]]
    rng = np.random.default_rng(7)
    for column, sigma in SIGMA.items():
        table[column] += rng.normal(0, sigma, len(table))
    fit = ss.fit(hu2024, ss.RateTestData("test", table, sigma=SIGMA), BOUNDS, model="spm")
    assert fit.report().startswith("Fit of 8 values")
    assert not fit.to_dict()["misfit"]


# -------------------------------------------------------------------- 56
@pytest.mark.parametrize("value", [1e-160, 0, -1, float("nan"), float("inf"), 1e200])
def test_finding_56_a_sigma_that_is_none_is_refused_by_name(value, table, tmp_path, capsys):
    with pytest.raises(ss.MeasuredDataError, match=r"Polarization \[V\]"):
        ss.RateTestData("test", table, sigma={GAP: value})
    file = tmp_path / "rates.csv"
    table.assign(**{"Ambient temperature [K]": 298.15}).to_csv(file, index=False)
    command = ["fit", str(file), "--free", D, "--sigma", f"{GAP}={value}", "--json"]
    assert main(command) == 2
    assert GAP in capsys.readouterr().err


@pytest.mark.parametrize("quantity", [CHARGE_CAPACITY, "Voltage [V]", "Capacity"])
def test_finding_56_a_sigma_of_nothing_is_refused_by_name(quantity, table, tmp_path, capsys):
    with pytest.raises(ss.MeasuredDataError, match=quantity.partition(" [")[0]):
        ss.RateTestData("test", table, sigma={quantity: 0.1})
    file = tmp_path / "rates.csv"
    table.assign(**{"Ambient temperature [K]": 298.15}).to_csv(file, index=False)
    command = ["fit", str(file), "--free", D, "--model", "spm", "--json"]
    assert main([*command, "--sigma", f"{quantity}=0.1"]) == 2
    assert quantity in capsys.readouterr().err


# -------------------------------------------------------------------- 38, 41 and what is saved
@pytest.mark.parametrize("iterations", [1, 2])
def test_finding_38_a_result_takes_what_the_search_has(iterations, data, hu2024, count):
    runs = count()
    fit = ss.fit(hu2024, data, {D: BOUNDS[D]}, model="spm", start={D: 1e-16},
                 max_iterations=iterations)  # fmt: skip
    assert len(runs) == fit.solves == 2 * iterations


def test_finding_41_errors_say_what_they_suppose(data, hu2024):
    fit = ss.fit(hu2024, data, BOUNDS, model="spm")
    assert "assumed" in fit.report()
    assert "exactly their values in Hu2024" in fit.report()


def test_finding_29_a_fitted_set_has_the_data_of_its_fit_alone(table, hu2024, tmp_path):
    data = ss.RateTestData("mine", table, sigma=SIGMA, temperature=303.15)
    fit = ss.fit(hu2024, data, BOUNDS, model="spm")
    again = ss.ParameterSet(fit.save(tmp_path / "set"))
    assert list(again.measured) == ["mine"]
    assert again.measured["mine"][CAPACITY].tolist() == pytest.approx(table[CAPACITY].tolist())
    assert set(again.measured["mine"]["Ambient temperature [K]"]) == {303.15}
    assert "Fitted to mine" in again.description
    assert again[D] == pytest.approx(fit.values[D])


def test_start_outside_the_bounds_is_refused(data, hu2024):
    for value in (1e-20, 1.0, -1.0, float("nan")):
        with pytest.raises(ss.OptionError, match="within its bounds"):
            ss.fit(hu2024, data, BOUNDS, model="spm", start={D: value})


def test_a_stage_that_is_no_model_is_refused_before_the_first(data, hu2024, count):
    runs = count()
    with pytest.raises(ss.OptionError, match="must be one of"):
        ss.fit(hu2024, data, BOUNDS, model="spm+p2d")
    assert not runs
