"""The page on protocols: its examples run, and its texts are read as it says."""

import re
from pathlib import Path

import pytest

import ssnib_model as ss
from ssnib_model.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text(encoding="utf-8")
CELLS = re.findall(r"^\| [^|]+ \| (.+) \|$", PAGE.split("## Several steps")[0], re.MULTILINE)
TEXTS = [text for cell in CELLS for text in re.findall(r"`([^`]+)`", cell)]


def _whole(text):
    """A part of a step as the tables have it, completed."""
    if text.startswith("("):
        return f"Rest for 1 hour {text}"
    if text.startswith("..."):
        hold = " A" in text or "mA`" in text or "C/50" in text or text.endswith("mA")
        first = "Hold at 3 V" if hold else "Discharge at 1 C"
        return text.replace("...", first)
    return text.replace(" ...", " until < 2 V" if text.startswith("Run") else " for 10 s")


def test_the_tables_have_texts():
    assert len(TEXTS) > 25


@pytest.mark.parametrize("text", [t for t in TEXTS if " " in t and not t.startswith("lower")])
def test_texts(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drive.csv").write_text("Time [s],Current [A],C-rate\n0,0.1,1\n1,0.2,1\n")
    whole = _whole(text)
    assert len(ss.Protocol(whole)) == 1


def test_python_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "protocols.md", "exec"), names)


def test_the_text_of_a_file():
    (text,) = re.findall(r"(?m)^    Initial.*\n(?:    .*\n)+", PAGE)
    assert len(ss.Protocol.from_text(re.sub(r"(?m)^    ", "", text))) == 7


@pytest.mark.parametrize("flag", re.findall(r"^    ssnib run .*?(--[a-z]+)", PAGE, re.MULTILINE))
def test_flags(flag, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["run", "--help"])
    assert flag in capsys.readouterr().out
