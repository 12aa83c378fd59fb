"""What the columns of a spectrum are: quantities by the names that instruments give them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ssnib_model.measured.text import Source, split_name
from ssnib_model.tables import listed

FREQUENCY, REAL, IMAGINARY = "Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]"
MODULUS, PHASE = "|Z| [Ohm]", "Phase [deg]"
TIME, VOLTAGE, TEMPERATURE = "Time [s]", "Voltage [V]", "Temperature [K]"
#: A number that tells spectra apart.
GROUP = "Spectrum"

#: Whose impedance and voltage it is, where there are three electrodes.
CELL, WORKING, COUNTER = "cell", "working", "counter"
_OF_AN_ELECTRODE = (REAL, IMAGINARY, MODULUS, PHASE, VOLTAGE)

#: Characters of a name that are looked at.
MAX_NAME = 60

_OF = {
    "we": WORKING, "ce": COUNTER, "we-ce": CELL,
    "ewe": WORKING, "ece": COUNTER, "ewe-ece": CELL,
}  # fmt: skip
_Z = r"z(?P<of>we-ce|we|ce)?"
_PATTERNS = {
    FREQUENCY: r"f|freq\.?|frequency|frequenz",
    REAL: rf"re( ?\({_Z}\)| ?z)?|z ?re(al)?|real( ?z| ?\(z\)| part| impedance)?"
    r"|z ?\(re(al)?\)|z'|z\.real|zr",
    IMAGINARY: rf"im( ?\({_Z}\)| ?z)?|z ?im(g|ag|aginary)?"
    rf"|imag(inary)?( ?z| ?\(z\)| part| impedance)?"
    r"|z ?\(im(ag)?\)|z''|z\.imag|zi",
    MODULUS: rf"\|{_Z}\||z ?mod|z|magnitude|modulus|z ?mag",
    PHASE: rf"phase ?\({_Z}\)|phase|z ?phz|theta|phase angle|z ?phase",
    TIME: r"time|elapsed time",
    VOLTAGE: r"<?(?P<of>ewe-ece|ewe|ece)>?|v ?dc|potential|voltage|e ?dc|e",
    TEMPERATURE: r"temperature|temp\.?",
    GROUP: r"cycle number|cycle|z cycle|loop|loop number|segment ?#?|ns|spectrum|spectrum number",
}  # fmt: skip
_COMPILED = {quantity: re.compile(pattern) for quantity, pattern in _PATTERNS.items()}

_UNIT = re.compile(r"(?P<name>.*?)\s*(?:\[(?P<b>[^\[\]]*)\]|\((?P<p>[^()]*)\)|/\s*(?P<s>[^/]+))")
_AGAIN = re.compile(r"(.+)\.\d+")
_MINUS = re.compile(r"(-|neg\.? |negative |minus )\s*")
#: As people and instruments type it: minus signs, primes, underscores.
_TYPED = str.maketrans("\u2212\u2013\u2032\u2033\u2019\u201d_", "--'\"'\" ")

#: Units as they are spelled, in lower case, and as the package has them.
_SPELLED = {
    "c": "degC", "°c": "degC", "deg c": "degC", "°": "deg", "degrees": "deg", "deg.": "deg",
    "sec": "s", "sec.": "s", "seconds": "s", "hz": "Hz", "khz": "kHz", "ohm": "Ohm",
    "ohms": "Ohm", "\u03c9": "Ohm",
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What a name says.

    Attributes
    ----------
    name : str
        The quantity, one of this module.
    unit : str
        Its unit, "" if the name has none.
    negative : bool
        Whether it is that with a minus: "-Im(Z)".
    of : str
        Whose impedance or voltage it is, where the name says so; "" if not.
    """

    name: str
    unit: str
    negative: bool = False
    of: str = ""


@functools.lru_cache(maxsize=10_000)
def quantity_of(name: str) -> Named | None:
    """What a column of this name holds; None for anything else than the quantities above."""
    if len(name) > MAX_NAME:
        return None
    bare, unit = split_name(name)
    if "_" in name and unit and bare + "_" + unit == name:  # Battery Data Format: frequency_hertz
        return _found(bare.replace("_", " "), unit)
    bare, unit = split_name(name)
    if f"{bare}_{unit}" == name:  # Battery Data Format: frequency_hertz
        return _found(bare.replace("_", " "), unit)
    name = " ".join(name.translate(_TYPED).split())
    whole = _found(name, "")
    if whole:
        return whole
    match = _UNIT.fullmatch(name)
    if not match:
        return None
    unit = (match["b"] or match["p"] or match["s"] or "").strip()
    return _found(match["name"], _SPELLED.get(unit.lower(), unit))


def _found(name: str, unit: str) -> Named | None:
    name = name.lower().replace('"', "''").strip()
    minus = _MINUS.match(name)
    rest = name[minus.end() :] if minus else name
    for quantity, pattern in _COMPILED.items():
        match = pattern.fullmatch(rest)
        if match:
            of = _OF.get(match.groupdict().get("of") or "", "")
            return Named(quantity, unit, bool(minus), of)
    return None


def choose(
    source: Source, names: Sequence[str], electrode: str
) -> tuple[dict[str, list[tuple[str, Named]]], list[str]]:
    """The columns that count: name and meaning, by quantity.

    Parameters
    ----------
    source : Source
        The file, for messages.
    names : sequence of str
        Of its columns, as from `ssnib_model.measured.text.read_table`.
    electrode : str
        Whose impedance is wanted. An impedance that does not say whose it is, is that of the
        working electrode, and of the cell where there is no other.

    Returns
    -------
    dict
        `FREQUENCY`, `REAL` and `IMAGINARY` have one column each, the others one at most, but for
        `GROUP`.
    list of str
        What there is to say about the choice.

    Raises
    ------
    MeasuredDataError
        If there is not one column for each of the three, or none of the electrode.
    """
    known = set(names)
    # the second column of a name is called "name.1"
    bare = {n: m[1] if (m := _AGAIN.fullmatch(n)) and m[1] in known else n for n in names}
    named = [(name, n) for name in names if (n := quantity_of(bare[name]))]
    there = {n.of or WORKING for _, n in named if n.name == REAL}
    of, problems = electrode, []
    if electrode == CELL and CELL not in there:
        of = WORKING
    if of not in there and there:
        raise source.error(
            f"has no impedance of the {electrode} electrode, only of {sorted(there)}"
        )
    if len(there) > 1:
        problems.append(
            f"the file has the impedances of {', '.join(sorted(there))}: this is that of the {of}"
            ", and electrode=... chooses another"
        )
    found: dict[str, list[tuple[str, Named]]] = {}
    for name, n in named:
        if n.name not in _OF_AN_ELECTRODE or (n.of or WORKING) == of:
            found.setdefault(n.name, []).append((name, n))
    for quantity in (FREQUENCY, REAL, IMAGINARY):
        columns = found.get(quantity, [])
        if len(columns) != 1:
            which = f"are {listed([bare[name] for name, _ in columns])}"
            none = f"is none in {listed(names)}"
            raise source.error(
                f"one column for {quantity.split(' [')[0]} is needed, and there "
                f"{which if columns else none}"
            )
    single = {q: v for q, v in found.items() if len(v) == 1 or q == GROUP}
    return single, problems
