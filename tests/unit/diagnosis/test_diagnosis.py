"""What a diagnosis says, as tables, sentences, page and JSON."""

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss
from ssnib_model.diagnosis import words
from ssnib_model.diagnosis.ahead import beside, look_ahead
from ssnib_model.diagnosis.draws import Joint
from tests.unit.diagnosis.conftest import ACCESSIBLE, J0, TRUTH

PAGE = (Path(__file__).parents[3] / "docs" / "diagnose.md").read_text(encoding="utf-8")
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements with what they hold, and that each is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(report):
    return Page(report.to_html())


def test_truth_is_in_the_intervals(report):
    """Of those with a value inside their ranges."""
    table = report.table
    inside = table[(table["In the set"] > table["Low"]) & (table["In the set"] < table["High"])]
    truth = pd.Series(
        {name: TRUTH.get(name, row["In the set"]) for name, row in inside.iterrows()}
    )
    hit = (inside["5 %"] <= truth) & (truth <= inside["95 %"])
    assert hit.mean() > 0.75
    assert table.loc[ACCESSIBLE, "Part"] == "fitted"
    assert (table["Conditional error"] > 0).all()
    assert not report.fit.does_not_fit


def test_what_to_measure_next(report, page):
    """Twice the fastest rate has no answer for this cell: the first that has one counts."""
    assert report.next.answer in ("discharge capacity at 2 C", "discharge capacity at 3 C")
    assert report.next.low < report.next.value < report.next.high
    assert report.summary[-1] == f"Next: {report.next.sentence}."
    assert report.next.best in page.text


def test_no_answer_is_said(report):
    found = look_ahead(report.fit, ["capacity at 50 C", "happiness at 1 C"])
    assert "capacity at 50 C" in found
    assert "happiness" in found
    with beside(report.fit, ["none"], 2) as ahead:
        assert ahead() == "nobody asked for it"


def test_losses_close(report):
    """The parts add up to the whole in every draw, so their bands hold it."""
    for _, rows in report.limits.groupby(["Direction", "C-rate"]):
        whole, parts = rows.iloc[0], rows.iloc[1:]
        assert whole["Loss"] == "all together"
        assert parts["5 % [V]"].sum() <= whole["Median [V]"] <= parts["95 % [V]"].sum()
        assert parts["Largest"].sum() == pytest.approx(1)
    rates = report.limits.groupby("Direction")["C-rate"].unique()
    np.testing.assert_allclose(np.sort(rates["discharge"]), [0.2, 2], rtol=1e-3)


def test_the_page_needs_nothing_else(page):
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "link", "iframe", "object", "form"} & set(tags)
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert "default-src 'none'" in policy


def test_the_page_is_accessible(page):
    elements = page.elements
    assert next(a for tag, a in elements if tag == "html")["lang"] == "en"
    assert all(len(a["alt"]) > 30 for tag, a in elements if tag == "img")
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert [tag for tag, _ in elements].count("table") == [t for t, _ in elements].count("caption")
    assert all("scope" in a for tag, a in elements if tag == "th")
    identities = [a["id"] for _, a in elements if "id" in a]
    assert len(set(identities)) == len(identities)
    targets = {a["href"][1:] for tag, a in elements if tag == "a"}
    assert targets <= set(identities)


def test_names_of_files_are_no_markup(page, report):
    assert "rates <b>.csv" in page.text
    assert "b" not in {tag for tag, _ in page.elements}
    assert "missing.csv" in page.text
    assert "&lt;b&gt;" in report._repr_html_() or "<b>" not in report._repr_html_()


def test_sentences(report):
    assert report.summary[0].startswith("1 of 2 files are used")
    assert any("describes the data" in text for text in report.summary)
    assert len(report.limiting) == 3
    left = report.table["Left open"]
    assert len(report.undetermined) == (left >= 0.5).sum() > 0
    assert "exactly their values in Hu2024" in words.conditions(report)


def test_json_is_what_the_docs_say(report, tmp_path):
    report.save(tmp_path / "out", {"command": "diagnose"})
    text = (tmp_path / "out" / "report.json").read_text()
    document = json.loads(text, parse_constant=pytest.fail)
    section = PAGE.split("## report.json")[1]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    keys = {key for row in rows for key in re.findall(r"`(.+?)`", row)}
    assert set(document) == keys | {"command"}
    assert document["schema"] == {"name": "ssnib diagnosis", "version": 1}
    draws = document["draws"]
    assert {len(values) for values in draws.values()} == {len(report.draws)}
    assert [row["Parameter"] for row in document["fitted and varied"]] == list(draws)
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE")


def test_it_goes_on_from_kept_draws(rates, hu2024, tmp_path, monkeypatch):
    """To the same result; a line that was cut is drawn again."""
    kept = tmp_path / "draws.jsonl"
    settings = {
        "model": "spm",
        "draws": 12,
        "fit": [J0, ACCESSIBLE],
        "hold": True,
        "answer": "none",
    }
    monkeypatch.setattr("ssnib_model.diagnosis.diagnose.OF_LOSSES", 3)
    whole = ss.diagnose(rates, hu2024, **settings)
    once, count = Joint.draw, itertools.count(1)

    def draw(*given):
        if next(count) > 11:
            raise KeyboardInterrupt
        return once(*given)

    with monkeypatch.context() as patch:
        patch.setattr(Joint, "draw", draw)
        part = ss.diagnose(rates, hu2024, checkpoint=kept, **settings)
    assert part.interrupted
    assert len(part.draws) == 11
    assert part.summary[0].startswith("NOT COMPLETE")
    assert "Not complete" in part.to_html()
    with kept.open("a") as file:
        file.write('{"unit": [0.1')
    with pytest.raises(ss.SSNIBError, match="of another diagnosis"):
        ss.diagnose(rates, hu2024, checkpoint=kept, **settings | {"seed": 4})
    again = ss.diagnose(rates, hu2024, checkpoint=kept, **settings)
    pd.testing.assert_frame_equal(again.draws, whole.draws)
    pd.testing.assert_frame_equal(again.limits, whole.limits)
    assert not kept.exists()
    assert "2 parameters of the table" in words.conditions(again)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"draws": 3}, "whole number from 10"),
        ({"seed": -1}, "seed is -1"),
        ({"workers": 3}, "workers is 3"),
        ({"model": "p2d"}, "must be one of"),
        ({"parameters": {}}, "a ParameterSet is needed"),
        ({"fit": "Nothing"}, '"Nothing"'),
        ({"spectra": "eis.mpt"}, "settings by file"),
        ({"start": "full"}, "start"),
    ],
)
def test_bad_settings(settings, match, rates):
    with pytest.raises(ss.SSNIBError, match=match):
        ss.diagnose(rates, **settings)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (3.3989, 3.4, "3.3989 to 3.4"),
        (0.1, 0.2, "0.1 to 0.2"),
        (2180, 3050, "2180 to 3050"),
        (1e-16, 3e-15, "1e-16 to 3e-15"),
        (0.0, 0.0, "0 to 0"),
        (float("nan"), 1.0, "-"),
    ],
)
def test_intervals_in_words(low, high, text):
    assert words.interval(low, high) == text
