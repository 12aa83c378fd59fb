"""The predictions of what is held back: their rows, that they follow from the study, and that no
held-back value is known here."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ssnib_model as ss

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "blind_predictions"
FIRST = ["set", "case", "quantity", "unit", "median", "low50", "high50", "low95", "high95"]

#: What is held back, by set: C-rates and temperatures [degC] (of the set where there is none).
HELD_BACK = {
    "Asakura2020": [(2, None), (5, None), (0.1, None), (1, 60)],
    "Duchene2020_97": [(5, None)],
    "Ridley2024": [(1, None)],
    "Ridley2024_Na0.25": [(0.5, None), (1, None)],
    "Oh2025": [(0.1, 0), (0.1, -5), (0.1, -10), (0.1, -15)],
}
#: Known before, and said to be.
KNOWN = {"Hu2024": [(2, None), (3, 60)]}


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(STUDY / "predictions.csv")


def _case(text):
    """Rate and temperature of a case."""
    rate = re.search(r"C/(\d+)|([\d.]+) C\b", text)
    celsius = re.search(r"(-?\d+) degC", text)
    return (
        1 / float(rate[1]) if rate[1] else float(rate[2]),
        float(celsius[1]) if celsius else None,
    )


def test_rows_are_what_is_held_back_and_nothing_else(table):
    assert list(table.columns[: len(FIRST)]) == FIRST
    assert {name: [_case(c) for c in rows["case"]] for name, rows in table.groupby("set")} == (
        HELD_BACK | KNOWN
    )
    known = table["note"].fillna("").str.contains("known before")
    assert set(table.loc[known, "set"]) == set(KNOWN)
    assert set(table["quantity"]) == {"discharge capacity"}


def test_bands_are_bands(table):
    ordered = table[["low95", "low50", "median", "high50", "high95"]].to_numpy()
    assert (np.diff(ordered, axis=1) > 0).all()
    assert (ordered >= 0).all()
    assert table["probability cannot charge"].between(0, 1).all()
    blind = table[~table["set"].isin(KNOWN)]
    assert (blind["effective draws"] >= 40).all()
    assert (blind["Pareto k"] <= 0.7).all()
    # as far as the model may be wrong by itself, each is wider
    assert ((blind["high95"] - blind["low95"]) > 0.1 * blind["median"]).all()


def test_no_held_back_value_is_given(table):
    """Every capacity that the study and the sets hold is one of those that were given."""
    given = {
        ("Asakura2020", 0.1): [104], ("Asakura2020", 0.2): [99], ("Asakura2020", 1): [74],
        ("Duchene2020", 0.1): [118], ("Duchene2020", 5): [67.9], ("Duchene2020_97", 0.1): [118],
        ("Ridley2024", 0.1): [126], ("Ridley2024", 0.5): [105],
        ("Ridley2024_Na0.25", 0.1): [120],  # "near theoretical"
        ("Oh2025", 0.1): [68.9, 77.8], ("Oh2025_30", 0.1): [73.3], ("Oh2025_15", 0.1): [86.7],
    }  # fmt: skip
    fits = pd.read_csv(STUDY / "fits.csv")
    in_fits = fits.groupby(["set", "C-rate"])["measured [mAh/g]"].apply(sorted).to_dict()
    assert in_fits == given
    for name in HELD_BACK:
        for data in ss.ParameterSet(name).measured.values():
            for _, row in data.iterrows():
                assert row["Discharge capacity [mA.h.g-1]"] in given[name, row["C-rate"]]
                kelvin = ss.ParameterSet(name)["Ambient temperature [K]"]
                assert row["Ambient temperature [K]"] == pytest.approx(kelvin, abs=0.2)


@pytest.mark.slow
def test_predictions_follow_from_the_study(table, tmp_path):
    """With few draws and the reduced model: medians within the wider of the two bands."""
    command = [sys.executable, STUDY / "run.py", "--quick", "--out", tmp_path]
    subprocess.run(command, capture_output=True, check=True)
    again = pd.read_csv(tmp_path / "predictions.csv")
    assert again[FIRST[:4]].equals(table[FIRST[:4]])
    for (_, new), (_, old) in zip(again.iterrows(), table.iterrows(), strict=True):
        assert old["low95"] <= new["median"] <= old["high95"], old["case"]
        assert new["low95"] <= old["high50"], old["case"]
        assert new["high95"] >= old["low50"], old["case"]
        few = 3 * np.sqrt(0.25 / max(new["effective draws"], 1))
        cannot = "probability cannot charge"
        assert new[cannot] == pytest.approx(old[cannot], abs=few + 0.05), old["case"]


def test_the_report_quotes_the_table(table):
    """Every median and 95 % band of the README is that of predictions.csv."""
    text = (STUDY / "README.md").read_text(encoding="utf-8")
    for _, row in table.iterrows():
        digits = 2 if row["unit"] == "mA.h.cm-2" else 0
        numbers = [
            f"{row[c]:.{digits}f}" for c in ("median", "low50", "high50", "low95", "high95")
        ]
        quoted = "{} | {} to {} | {} to {}".format(*numbers)
        lines = [line for line in text.splitlines() if f"| {row['case']} |" in line]
        assert any(quoted in line and f"`{row['set']}`" in line for line in lines), quoted


def test_the_papers_points_are_those_of_its_own_study(table):
    """One number for one question: as its own study has it, whose draws are kept rounded."""
    known = json.loads((STUDY.parent / "fit_hu2024" / "results.json").read_text())
    rows = table[table["set"] == "Hu2024"].set_index("case")
    for case, row in rows.iterrows():
        found = known["held out"][case]
        expected = [found[f"{name} [mAh/g]"] for name in ("Low", "Median", "High")]
        assert row[["low95", "median", "high95"]].tolist() == pytest.approx(expected, abs=0.1)
        chance = row["probability cannot charge"]
        assert chance == pytest.approx(found["Cannot be charged"], abs=0.01)
