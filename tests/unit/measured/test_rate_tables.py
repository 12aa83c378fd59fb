"""Tables of capacities by C-rate, as people write them."""

from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.tables import read_rate_data

RATE, KELVIN, CAPACITY = "C-rate", "Ambient temperature [K]", "Discharge capacity [mA.h.g-1]"
GAP = "Polarization [V]"


@pytest.mark.parametrize(
    "text",
    [
        "Rate (C),Discharge capacity (mAh/g)\nC/10,110\n2,84.5\n",
        "C rate;mAh/g\n0,1C;110\n2C;84,5\n",
        "a preamble\n\nrate [C]\tQ_dis / mAh g-1\n0.1\t110\n2\t84.5\n",
        "C-Rate,Specific discharge capacity [A.h.kg-1],\n0.1,110,\n2,84.5,\n",
        "# made by hand\nC-rate,Capacity (mAhg-1)\n0.1,110 # good\n2,84.5\n",
    ],
)
def test_human_headers(text, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    table = ss.read_rate_table(tmp_path / "a.csv")
    assert table.to_dict("list") == {RATE: [0.1, 2.0], CAPACITY: pytest.approx([110, 84.5])}
    said = "taken for the capacity of discharge"
    assert all(said in problem for problem in table.attrs["problems"])
    assert len(table.attrs["problems"]) == ("dis" not in text.lower())


def test_all_columns_and_units(tmp_path):
    (tmp_path / "a.csv").write_text(
        "Rate (C),T (°C),Charge capacity [mAh],Discharge capacity [mAh],Voltage gap (mV),"
        "Coulombic efficiency (%),Cycle,Note\n0.1,25,1,0.9,40,90,3,first\n1,60,,,80,,9,second\n"
    )
    table = ss.read_rate_table(tmp_path / "a.csv", active_mass=1e-5)
    assert table[KELVIN].tolist() == pytest.approx([298.15, 333.15])
    assert table["Charge capacity [mA.h.g-1]"].iloc[0] == pytest.approx(100)
    assert table[CAPACITY].iloc[0] == pytest.approx(90)
    assert table[CAPACITY].isna().tolist() == [False, True]
    assert table[GAP].tolist() == pytest.approx([0.04, 0.08])
    assert table["Coulombic efficiency"].iloc[0] == pytest.approx(0.9)
    assert table["Note"].tolist() == ["first", "second"]
    assert table.attrs["problems"] == ["column 'Cycle' is not used"]


def test_the_packages_own_tables_are_the_same():
    path = Path(__file__).parents[3] / "parameters" / "Hu2024" / "fig4b.csv"
    strict = read_rate_data(path)
    table = ss.read_rate_table(path)
    assert table.attrs["problems"] == []
    for column in strict.columns.drop("Note", errors="ignore"):
        assert table[column].to_numpy() == pytest.approx(strict[column].to_numpy(), nan_ok=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line names a C-rate and a capacity"),
        ("a,b\n1,2\n", "no line names a C-rate and a capacity"),
        ("C-rate,Capacity (mAh/g)\nfast,1\n", "line 2, column 'C-rate': 'fast' is no C-rate"),
        ("C-rate,Capacity (mAh/g)\n0,1\n", "'0' is no C-rate"),
        ("C-rate,Capacity (mAh/g)\n1,x\n", "line 2, column"),
        ("C-rate,Capacity\n1,1\n", "has no unit"),
        ("C-rate,Capacity (mAh)\n1,1\n", "mass of active material"),
        ("C-rate,Capacity (V)\n1,1\n", "no unit of a capacity"),
        ("C-rate,Capacity (mAh/g),Specific capacity (mAh/g)\n1,1,1\n", "are both Discharge"),
        ("C-rate,mAh/g,T (m)\n1,1,1\n", "cannot be converted"),
        ("C-rate,mAh/g,T (K)\n1,1,300\n2,1,\n", "line 3, has no temperature"),
    ],
)
def test_bad_tables(text, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ss.MeasuredDataError, match=message) as error:
        ss.read_rate_table(path)
    assert str(path) in str(error.value)
