"""What README files quote of the studies is what the studies have stored."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.fits.assumed import assumed

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*/results.json"))


def _study(folder):
    spec = importlib.util.spec_from_file_location(f"study_{folder.name}", folder / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _plain(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("results", STUDIES, ids=lambda path: path.parent.name)
def test_what_is_quoted_is_what_was_stored(results):
    quoted = _study(results.parent).sentences(json.loads(results.read_text()))
    assert any(quoted.values())
    for file, lines in quoted.items():
        text = _plain((ROOT / file).read_text())
        missing = [line for line in lines if _plain(line) not in text]
        assert not missing, f"{file} does not say: {missing}"


def test_the_set_is_what_the_fit_has_stored(hu2024):
    folder = ROOT / "studies" / "fit_hu2024"
    study, results = _study(folder), json.loads((folder / "results.json").read_text())
    for free in study.FITTED:
        if free.data not in (None, study.RATE_TEST):
            continue
        stored, info = results["parameters"][free.label], hu2024.info(free.name)
        low, _, high = stored["marginal"]
        assert info.value == pytest.approx(stored["value"], rel=1e-4)
        assert f"{low:.3g} to {high:.3g} (95 %, sd)" in info.note
        assert f"conditional standard error {stored['error']:.2g}" in info.note


def test_nothing_that_is_assumed_is_held_exact_without_a_reason(hu2024):
    """Every assumed value that a rate test reads varies in the draws of the fit."""
    folder = ROOT / "studies" / "fit_hu2024"
    study = _study(folder)
    header = (folder / "draws.csv").read_text().partition("\n")[0]
    fitted = {f.name for f in study.FITTED}
    for free in assumed(hu2024, fitted | set(study.EXACT)):
        assert free.name in header
    read = {
        name
        for name, info in hu2024.given.items()
        if info.kind == "assumed" and not hu2024.quantity(name).unread_with(hu2024.model_options)
    }
    assert read - {f.name for f in assumed(hu2024)} == set()


def test_only_the_ratios_to_the_radius_are_determined(hu2024):
    """R times 4, D times 16, j0 times 4: every digit again, so that the radius is left out."""
    study = _study(ROOT / "studies" / "fit_hu2024")
    changed = {study.RADIUS: 4, study.D: 16, study.J0: 4}
    scaled = hu2024.replace({name: factor * hu2024[name] for name, factor in changed.items()})
    test = ss.RateTest([0.2, 1])
    one, other = (test.run(ss.SolidStateSPM(), cell).table for cell in (hu2024, scaled))
    for column in ("Discharge capacity [mA.h.g-1]", "Polarization [V]"):
        assert other[column].to_numpy() == pytest.approx(one[column].to_numpy(), rel=1e-4)
