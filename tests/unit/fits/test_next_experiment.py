import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import ssnib_model as ss
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.fits.answers import answer_of
from ssnib_model.fits.candidate_text import candidate_of
from ssnib_model.fits.candidates import IMPEDANCE, default_candidates
from ssnib_model.fits.known import of_file, of_fit

CONDUCTIVITY = "Na3PS4 layer conductivity [S.m-1]"
THICKNESS = "Na3PS4 layer thickness [m]"
D = "Positive particle diffusivity [m2.s-1]"
CAPACITY = "Discharge capacity [mA.h.g-1]"
FREE = [ss.Free(CONDUCTIVITY, 0.005, 0.02, log=True), ss.Free(D, 1e-16, 4e-16, log=True)]


@pytest.fixture(scope="module")
def cell():
    return ss.ParameterSet("Hu2024")


@pytest.fixture(scope="module")
def fit(cell):
    test = ss.RateTest([0.5]).run(ss.SolidStateSPM(), cell)
    table = test.table[["C-rate", CAPACITY, "Polarization [V]"]]
    return ss.fit(cell, table, FREE, model="spm")


def test_closed_form_of_one_resistance(cell):
    """The gap at a rate is 2 i L/sigma more by a layer: all can be written down."""
    free = [ss.Free(CONDUCTIVITY, 0.008, 0.013, log=False, prior=(cell[CONDUCTIVITY], 1e-3))]
    sigma, rate, more = 0.005, 0.2, 3.0
    candidate = ss.Candidate(
        "thick", ss.RateTest([rate]), changes={THICKNESS: more * cell[THICKNESS]}, curves=False,
        sigma={"Polarization [V]": sigma, CAPACITY: 1e6, "Charge capacity [mA.h.g-1]": 1e6},
    )  # fmt: skip
    found = ss.next_experiment(cell, CONDUCTIVITY, free=free, candidates=[candidate])
    current = rate * cell["Nominal cell capacity [A.h]"] / cell["Electrode area [m2]"]
    slope = 2 * current * more * cell[THICKNESS] / cell[CONDUCTIVITY] ** 2
    after = (1e-3**-2 + (slope / sigma) ** 2) ** -0.5
    assert found.deviations["before"] == pytest.approx(1e-3, rel=1e-9)
    # the state of charge at half of a half-cycle moves a little with the layer
    assert found.deviations["thick"] == pytest.approx(after, rel=0.02)
    shrink = found.table["Shrinks [%]"][0]
    assert shrink == pytest.approx(100 * (1 - after / 1e-3), abs=1)
    assert found.parameters.loc["thick", CONDUCTIVITY] == pytest.approx(1 - shrink / 100)


def test_ranking_of_a_fit(fit, cell):
    found = fit.next_experiment(
        "capacity at 2 C",
        candidates=["rates 2", "spectrum 0.5", "rates 0.2, temperature=25 degC"],
    )
    assert found.best == "rates 2"
    assert list(found.table["Shrinks [%]"]) == sorted(found.table["Shrinks [%]"], reverse=True)
    # what is measured itself is known at least as well as it is measured
    assert found.deviations["rates 2"] < 1.3
    assert (found.table["Shrinks [%]"] >= -1e-9).all()
    assert found.low < found.value < found.high
    assert (
        "Na3PS4 layer conductivity"
        in dict(zip(found.table["Candidate"], found.table["Tells"], strict=True))["spectrum 0.5"]
    )
    assert any("5 mV" in a or "0.005 V" in a for a in found.assumptions)


def test_noise_decides(fit):
    """An instrument that sees nothing says nothing; a candidate's own sigma wins."""

    def shrink(**settings):
        found = ss.next_experiment(fit, CONDUCTIVITY, **settings)
        return found.table["Shrinks [%]"][0]

    blind = dict.fromkeys([CAPACITY, "Charge capacity [mA.h.g-1]", "Polarization [V]"], 1e6)
    assert shrink(candidates=["rates 1"], sigma=blind) == pytest.approx(0, abs=1e-6)
    own = "rates 1, sigma Polarization [V]=5 mV"
    assert shrink(candidates=[own], sigma=blind) > 10


def test_file_of_a_fit_says_the_same(fit, tmp_path):
    folder = fit.save(tmp_path / "fit")
    asked = {"candidates": ["rates 1"]}
    now, later = (
        fit.next_experiment(CONDUCTIVITY, **asked),
        ss.next_experiment(folder / "fit.json", CONDUCTIVITY, **asked),
    )
    pd.testing.assert_frame_equal(now.table, later.table, rtol=1e-6)
    np.testing.assert_allclose(of_file(folder).precision, of_fit(fit).precision)
    with pytest.raises(OptionError, match="free is for a set"):
        ss.next_experiment(folder, CONDUCTIVITY, free=[D])
    (folder / "fit.json").write_text('{"values": 1}')
    with pytest.raises(OptionError, match="fit again"):
        ss.next_experiment(folder, CONDUCTIVITY)


def test_more_can_be_free_than_in_the_fit(fit):
    other = ss.Free("Negative electrode|Na3PS4 interface resistance [Ohm.m2]", 3e-4, 3e-2)
    alone = fit.next_experiment(CONDUCTIVITY, candidates=["rates 1"])
    both = fit.next_experiment(CONDUCTIVITY, candidates=["rates 1"], free=[other])
    # the gap tells their sum only
    assert both.high - both.low > 1.2 * (alone.high - alone.low)


def test_a_candidate_without_an_answer_is_last_and_says_why(fit):
    found = fit.next_experiment(CONDUCTIVITY, candidates=["rates 1000", "rates 1"])
    assert list(found.table["Candidate"]) == ["rates 1", "rates 1000"]
    assert "no answer" in found.table["Status"][1]
    assert np.isnan(found.table["Low"][1])
    json.loads(found.to_json())


def test_what_comes_out(fit, tmp_path):
    found = fit.next_experiment("resistance at 50 %", candidates=["pulse states=2", "symmetric"])
    assert found.unit == "Ohm"
    assert found.best in found.sentence
    ax = found.plot(Figure().add_subplot())
    assert ax.get_xlabel().endswith("[Ohm]")
    assert len(ax.patches) >= 2
    files = {f.name for f in found.save(tmp_path / "out").iterdir()}
    assert files == {f"next_experiment.{e}" for e in ("csv", "json", "png", "txt")}
    document = json.loads((tmp_path / "out" / "next_experiment.json").read_text())
    assert document["candidates"][0]["Candidate"] == found.best


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (CONDUCTIVITY, "S.m-1"),
        ("capacity at 2 C", "mA.h.g-1"),
        ("Energy at 1 C", "W.h.kg-1"),
        ("discharge capacity [mA.h.g-1] at .5 C", "mA.h.g-1"),
        ("energy efficiency at 1 C", "1"),
        ("resistance at 50 %", "Ohm"),
        ("resistance at 0.5 after 1 s", "Ohm"),
        ("Na3PS4 layer overpotential at 1 C", "V"),
    ],
)
def test_answers(text, unit, cell):
    assert answer_of(text, cell, "spm").unit == unit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("capacitance at 2 C", "is no result"),
        ("capacity [V] at 2 C", "is no result"),
        ("capacity", "must be the name"),
        ("resistance at 150 %", "state of charge"),
        ("capacity at 0 C", "C-rate"),
        ("Positive electrode OCP [V]", "only a number"),
    ],
)
def test_answers_that_are_none(text, says, cell):
    with pytest.raises(OptionError, match=says):
        answer_of(text, cell, "spm")


def test_the_values_of_answers_are_those_of_a_run(cell):
    result = ss.RateTest([1]).run(ss.SolidStateSPM(), cell)
    settings = {"free": FREE, "candidates": ["rates 1"]}
    asked = {
        "polarization at 1 C": result.table["Polarization [V]"][0],
        "mean charge voltage at 1 C": result.table["Mean charge voltage [V]"][0],
        "energy efficiency at 1 C": result.table["Energy efficiency"][0],
        "Na3PS4 layer overpotential at 1 C": -result.breakdown(rate=1)["Na3PS4 layer"],
    }
    for answer, value in asked.items():
        found = ss.next_experiment(cell, answer, **settings)
        assert found.value == pytest.approx(value, rel=1e-4), answer


def test_candidates_as_text(cell):
    one = candidate_of("curves 0.2 1, temperature=60 degC, sigma Voltage [V]=1 mV", cell)
    assert one.changes == {"Ambient temperature [K]": 333.15}
    assert one.sigma == {"Voltage [V]": 1e-3}
    assert one.measures.rates == [0.2, 1.0]
    assert candidate_of(f"rates 1, {THICKNESS}=40 um", cell).changes == {
        THICKNESS: pytest.approx(4e-5)
    }
    slow = candidate_of("gitt rate=C/20 pulses=3 rest=2 hours", cell).measures
    assert slow == ss.GITT("C/20", pulses=3, rest="2 hours")
    assert candidate_of("spectrum 0.2", cell).measures.state == 0.2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rate 1", "did you mean"),
        ("rates", "rates"),
        ("rates x", "not a number"),
        ("spectrum 0.1 0.2", "one state"),
        ("symmetric 1", "followed by nothing"),
        ("gitt 20", "KEY=VALUE"),
        ("gitt speed=2", "gitt has no"),
        ("rates 1, thick", "not NAME=VALUE"),
        ("rates 1, temperature=hot", "no number"),
        ("rates 1, Na3PS4 layer thickness [m]=1 V", "convert|unit"),
        ("rates 1, sigma Current [A]=1", "none of"),
        ("rates 1, temperature=20, temperature=30", "twice"),
    ],
)
def test_texts_that_are_no_candidate(text, says, cell):
    with pytest.raises(OptionError, match=says):
        candidate_of(text, cell)


def test_what_has_no_effect_is_refused(cell, fit):
    with pytest.raises(MeasuredDataError, match="Relative impedance"):
        ss.Candidate("a", ss.RateTest([1]), sigma={IMPEDANCE: 0.1})
    with pytest.raises(OptionError, match="no effect"):
        ss.Candidate("a", ss.Spectrum(), curves=False)
    with pytest.raises(OptionError, match="no effect"):
        fit.next_experiment(CONDUCTIVITY, test=ss.RateTest([1]))
    with pytest.raises(OptionError, match="does not depend"):
        ss.next_experiment(
            cell, "Negative electrode exchange-current density [A.m-2]", free=FREE,
            candidates=["rates 1"],
        )  # fmt: skip
    with pytest.raises(OptionError, match="different names"):
        fit.next_experiment(CONDUCTIVITY, candidates=["rates 1", "rates 1"])
    with pytest.raises(OptionError, match="values of its own"):
        fit.next_experiment(CONDUCTIVITY, data="other")


def test_usual_candidates_are_of_the_cell(cell):
    names = [c.name for c in default_candidates(cell)]
    assert len(set(names)) == len(names) > 8
    for layer in cell.model_options["electrolyte layers"]:
        assert any(f"{layer} layer twice" in name for name in names)
