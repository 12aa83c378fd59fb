"""Spectra: the same one in every format is the same, and what cannot be told is not guessed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ssnib_model as ss
from ssnib_model.measured.spectrum_checks import sign_by_physics
from ssnib_model.measured.spectrum_formats import SPECTRUM_FORMATS, format_of
from ssnib_model.measured.spectrum_values import spectra_of
from ssnib_model.measured.text import Source

FREQUENCIES = np.geomspace(1e5, 0.1, 25)


def circuit(frequencies, inductance=0.0, diffusion=20.0):
    """A resistance, an arc and a diffusion: what a cell looks like."""
    w = 2 * np.pi * frequencies
    arc = 300 / (1 + 1j * w * 300 * 2e-6)
    return 100 + 1j * w * inductance + arc + diffusion * (1 - 1j) / np.sqrt(w)


Z = circuit(FREQUENCIES)


def rows(separator, *columns, form="{:.7e}"):
    return [
        separator.join(form.format(value) for value in row) for row in zip(*columns, strict=True)
    ]


def ec_lab(f, z, cycle=1):
    names = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\ttime/s\t<Ewe>/V\tcycle number\t\tRwe/Ohm"
    extra = np.ones(len(f))
    lines = rows("\t", f, z.real, -z.imag, np.abs(z), 10 * extra, 3.4 * extra, cycle * extra)
    top = ["EC-Lab ASCII FILE", "Nb header lines : 4", "Electrode surface area : 1 cm\xb2"]
    return "\n".join([*top, names, *(line.replace(".", ",") for line in lines)])


def gamry(f, z):
    curve = ["ZCURVE\tTABLE", "\tPt\tFreq\tZreal\tZimag\tTemp", "\t#\tHz\tohm\tohm\tdeg C"]
    curve += [
        f"\t{line}" for line in rows("\t", np.arange(len(f)), f, z.real, z.imag, 0 * f - 327.67)
    ]
    other = ["EXPLAIN", "TAG\tEISPOT", "OCVCURVE\tTABLE\t1", "\tPt\tVf", "\t#\tV", "\t0\t3.4"]
    return "\n".join([*other, *curve, "EXPERIMENTABORTED\tTOGGLE\tT"])


def zplot(f, z):
    zero = 0 * f
    table = rows("\t", f, zero, zero, zero, z.real, z.imag, zero, zero, zero)
    names = "  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange"
    top = ["ZPLOT2 ASCII", f"  Data Points:    {len(f)}", names, "End Comments"]
    return "\n".join([*top, *table])


def z60(f, z):
    zero = 0 * f
    table = rows(",", f, zero, zero, zero, z.real, z.imag, zero, zero, zero)
    names = "\"  Freq (Hz)    Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range\""
    return "\n".join(
        ['"Z60W Data File: Version 1.1"', '""', "0,2,0,1", f"{len(f)}", names, *table]
    )


def versa(f, z):
    zero = 0 * f
    names = "Definition=Segment #, Point #, E(V), Frequency(Hz), Z Real, Z Imag, Z2 Real, 0"
    table = rows(",", zero, np.arange(len(f)), zero + 3.4, f, z.real, z.imag, zero)
    top = ["<Application>", "Name=VersaStudio", "</Application>", "<Segment1>", "Type=2", names]
    return "\n".join([*top, *table, "</Segment1>", "<Graph1>", "Analysis=0", "</Graph1>"])


def chi(f, z):
    table = rows(", ", f, z.real, z.imag, np.abs(z), np.angle(z, deg=True))
    top = ["Feb. 20, 2020   15:55:08", "A.C. Impedance", "Init E (V) = 0", ""]
    return "\n".join([*top, "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg", "", *table])


def parstat(f, z):
    """Cycling first, in the same table, with 0 for what was not measured."""
    zero = 0 * f
    names = (
        "Potential (V)\tCurrent (A)\tElapsed Time (s)\tFrequency (Hz)\tZre (ohms)\tZim (ohms)\t"
    )
    table = rows("\t", zero + 3.4, zero + 0.1, zero, zero, zero, zero)
    table += rows("\t", zero + 3.5, zero, zero, f, z.real, z.imag)
    return "\n".join([names, *(line + "\t" for line in table)])


def nova(f, z):
    table = rows(";", np.arange(len(f)), f, z.real, -z.imag, np.abs(z), -np.angle(z, deg=True))
    names = "Index;Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°)"
    return "\n".join([names, *(line.replace(".", ",") for line in table)])


def own(f, z):
    table = rows(",", f, z.real, z.imag)
    return "\n".join(["Frequency [Hz],Re(Z) [Ohm],Im(Z) [Ohm]", *table])


def bare(f, z):
    return "\n".join(rows(",", f, z.real, z.imag))


WRITERS = {
    "EC-Lab and BT-Lab": ("x.mpt", ec_lab),
    "Gamry": ("x.DTA", gamry),
    "ZPlot": ("x.z", zplot),
    "Z60W for ZView": ("x.txt", z60),
    "VersaStudio": ("x.par", versa),
    "CH Instruments": ("x.txt", chi),
    "table with names": ("x.csv", own),
    "three columns without names": ("x.csv", bare),
}


@pytest.mark.parametrize("name", [*WRITERS, "Parstat", "NOVA"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_every_format_gives_the_same(name, encoding, tmp_path):
    file, write = WRITERS.get(name) or ("x.txt", {"Parstat": parstat, "NOVA": nova}[name])
    if encoding == "latin-1" and name == "NOVA":
        encoding = "utf-8-sig"
    (tmp_path / file).write_bytes(write(FREQUENCIES, Z).replace("\n", "\r\n").encode(encoding))
    spectrum = ss.read_spectrum(tmp_path / file)
    assert spectrum["Frequency [Hz]"].to_numpy() == pytest.approx(FREQUENCIES, rel=1e-6)
    found = spectrum["Re(Z) [Ohm]"] + 1j * spectrum["Im(Z) [Ohm]"]
    assert np.abs(found.to_numpy() / Z - 1).max() < 1e-5
    assert spectrum.attrs["format"] == (name if name in WRITERS else "table with names")
    assert "Temperature [K]" not in spectrum  # Gamry's -327.67 degC is none
    said = " ".join(spectrum.attrs["problems"])
    expected = {
        "Parstat": "25 of 50 rows have no frequency",
        "three columns without names": "names",
    }
    assert expected.get(name, "") in said
    assert bool(said) == (name in expected)


def test_every_format_is_tried():
    assert {format_.name for format_ in SPECTRUM_FORMATS} == set(WRITERS)


def test_the_voltage_comes_along(tmp_path):
    (tmp_path / "x.mpt").write_text(ec_lab(FREQUENCIES, Z), encoding="latin-1")
    assert ss.read_spectrum(tmp_path / "x.mpt")["Voltage [V]"].unique() == pytest.approx([3.4])


# ------------------------------------------------------------------------------------- the sign
@pytest.mark.parametrize("inductance", [0.0, 1e-4])
@pytest.mark.parametrize("diffusion", [0.0, 200.0])
def test_physics_tells_the_sign(inductance, diffusion):
    z = circuit(FREQUENCIES, inductance, diffusion)
    assert sign_by_physics(FREQUENCIES, z) == 1
    assert sign_by_physics(FREQUENCIES[::-1], z[::-1].conj()) == -1
    assert sign_by_physics(FREQUENCIES, np.full(25, 100 + 0j)) == 0


def test_physics_tells_the_sign_of_an_inductive_loop():
    """At low frequencies, where most points have a positive imaginary part."""
    w = 2 * np.pi * FREQUENCIES
    z = 10 + 100 / (1 + 1j * w * 1e-6) - 60 / (1 + 1j * w * 0.1)
    assert (z.imag > 0).mean() > 0.5
    assert sign_by_physics(FREQUENCIES, z) == 1


def test_the_sign_is_turned_where_the_name_is_wrong_and_it_is_said(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(own(FREQUENCIES, Z.conj()))
    spectrum = ss.read_spectrum(path)
    assert spectrum["Im(Z) [Ohm]"].to_numpy() == pytest.approx(Z.imag, rel=1e-5)
    (said,) = spectrum.attrs["problems"]
    assert "other sign than its name says" in said
    # as it stands, if it is asked for: then nothing is said of physics
    kept = ss.read_spectrum(path, negate=False)
    assert kept["Im(Z) [Ohm]"].to_numpy() == pytest.approx(-Z.imag, rel=1e-5)
    turned = ss.read_spectrum(path, negate=True)
    assert turned["Im(Z) [Ohm]"].to_numpy() == pytest.approx(Z.imag, rel=1e-5)


def test_what_is_suspicious_is_said(tmp_path):
    z = circuit(FREQUENCIES, 1e-3)
    z[5] = -z[5].real + 1j * z[5].imag
    lines = own(FREQUENCIES, z).split("\n")
    (tmp_path / "x.csv").write_text("\n".join([*lines[:8], lines[7], *lines[8:]]))
    said = ss.read_spectrum(tmp_path / "x.csv").attrs["problems"]
    assert any("not positive at 1 frequency, first at line 7" in s for s in said)
    assert any("1 frequency measured more than once" in s for s in said)
    assert any("leads are inductive" in s for s in said)


def test_the_files_own_modulus_is_compared(tmp_path):
    text = ec_lab(FREQUENCIES, Z).replace("|Z|/Ohm\t", "|Z|/mOhm\t")
    (tmp_path / "x.mpt").write_text(text, encoding="latin-1")
    (said,) = ss.read_spectrum(tmp_path / "x.mpt").attrs["problems"]
    assert "own modulus differs" in said
    assert "first at line 5" in said


def test_a_measurement_that_was_stopped_is_said(tmp_path):
    (tmp_path / "x.z").write_text("\n".join(zplot(FREQUENCIES, Z).split("\n")[:-5]))
    assert "says 25 points, the file has 20" in str(ss.read_spectrum(tmp_path / "x.z").attrs)


# ------------------------------------------------------------------------------------- several
def several(kind):
    if kind == "cycles":
        rest = ec_lab(FREQUENCIES, 2 * Z, 2).split("\n")[4:]
        return "x.mpt", "\n".join([ec_lab(FREQUENCIES, Z), *rest])
    if kind == "tables":
        return "x.DTA", f"{gamry(FREQUENCIES, Z)}\n{gamry(FREQUENCIES, 2 * Z)}"
    if kind == "segments":
        return "x.par", f"{versa(FREQUENCIES, Z)}\n{versa(FREQUENCIES, 2 * Z)}"
    if kind == "sweeps":
        return "x.csv", f"{own(FREQUENCIES, Z)}\n" + "\n".join(
            own(FREQUENCIES, 2 * Z).split("\n")[1:]
        )
    return "x.csv", f"{own(FREQUENCIES, Z)}\n\n{own(FREQUENCIES, 2 * Z)}"


@pytest.mark.parametrize("kind", ["cycles", "tables", "segments", "sweeps", "names again"])
def test_one_of_several_is_chosen_never_the_first_in_silence(kind, tmp_path):
    file, text = several(kind)
    (tmp_path / file).write_text(text, encoding="latin-1")
    with pytest.raises(ss.MeasuredDataError, match=r"holds 2 spectra.*1: 25 frequencies.*2: 25"):
        ss.read_spectrum(tmp_path / file)
    for number in (1, 2):
        one = ss.read_spectrum(tmp_path / file, number)
        assert one["Re(Z) [Ohm]"].to_numpy() == pytest.approx(number * Z.real, rel=1e-5)
    both = ss.read_spectrum(tmp_path / file, "all")
    assert both["Spectrum"].tolist() == [1] * 25 + [2] * 25
    assert both.attrs["spectra"] == 2
    with pytest.raises(ss.MeasuredDataError, match="spectrum 3 is asked for, but it holds 2"):
        ss.read_spectrum(tmp_path / file, 3)


@pytest.mark.parametrize(
    "setting", [{"spectrum": 0}, {"spectrum": True}, {"electrode": "anode"}, {"area": -1.0}]
)
def test_choices_that_are_none(setting, tmp_path):
    (tmp_path / "x.csv").write_text(own(FREQUENCIES, Z))
    with pytest.raises(ss.OptionError, match=next(iter(setting))):
        ss.read_spectrum(tmp_path / "x.csv", **setting)


def test_three_electrodes(tmp_path):
    names = ["Re(Z)/Ohm", "-Im(Z)/Ohm", "Re(Zce)/Ohm", "-Im(Zce)/Ohm"]
    names += ["Re(Zwe-ce)/Ohm", "-Im(Zwe-ce)/Ohm", "<Ewe>/V", "<Ewe-Ece>/V"]
    parts = [part for factor in (1, 0.5, 1.5) for part in (factor * Z.real, -factor * Z.imag)]
    one = np.ones(25)
    table = rows("\t", FREQUENCIES, *parts, 3.4 * one, 3.2 * one)
    top = ["EC-Lab ASCII FILE", "Nb header lines : 3", "\t".join(["freq/Hz", *names])]
    (tmp_path / "x.mpt").write_text("\n".join([*top, *table]))
    for electrode, factor in (("cell", 1.5), ("working", 1), ("counter", 0.5)):
        spectrum = ss.read_spectrum(tmp_path / "x.mpt", electrode=electrode)
        assert spectrum["Re(Z) [Ohm]"].to_numpy() == pytest.approx(factor * Z.real, rel=1e-5)
        assert f"this is that of the {electrode}" in spectrum.attrs["problems"][0]
    cell = ss.read_spectrum(tmp_path / "x.mpt")
    assert cell["Voltage [V]"].iloc[0] == 3.2
    assert ss.read_spectrum(tmp_path / "x.mpt", electrode="working")["Voltage [V]"].iloc[0] == 3.4
    (tmp_path / "two.csv").write_text(own(FREQUENCIES, Z))
    with pytest.raises(ss.MeasuredDataError, match="no impedance of the counter electrode"):
        ss.read_spectrum(tmp_path / "two.csv", electrode="counter")


# --------------------------------------------------------------------------------------- units
@pytest.mark.parametrize(
    ("names", "factors"),
    [
        ("freq (kHz),Z' (kOhm),-Z'' (kOhm)", (1e-3, 1e-3, -1e-3)),
        ("f / Hz,Re(Z) / mΩ,Im(Z) / mΩ", (1, 1e3, 1e3)),
        ("Frequency,Zre,Zimg", (1, 1, 1)),
        ("FREQ.(Hz),Z_real(ohm),-Z_imag(ohm)", (1, 1, -1)),
        ("frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm", (1, 1, 1)),
        ("f [Hz],Re(Z) [Ohm.cm2],-Im(Z) [Ω·cm²]", (1, 0.5, -0.5)),
    ],
)
def test_units_in_any_spelling(names, factors, tmp_path):
    path = tmp_path / "x.csv"
    columns = (FREQUENCIES, Z.real, Z.imag)
    table = rows(",", *(c * f for c, f in zip(columns, factors, strict=True)))
    path.write_text("\n".join([names, *table]), encoding="utf-8")
    area = 0.5e-4 if "cm" in names else None
    spectrum = ss.read_spectrum(path, area=area)
    assert spectrum["Frequency [Hz]"].to_numpy() == pytest.approx(FREQUENCIES, rel=1e-5)
    assert spectrum["Im(Z) [Ohm]"].to_numpy() == pytest.approx(Z.imag, rel=1e-5)
    assert bool(spectrum.attrs["problems"]) == ("Zimg" in names)


# ---------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no file of a spectrum that is known: EC-Lab"),
        ("Time [s],Current [A],Voltage [V]\n1,1,3\n2,1,3\n", "no file of a spectrum"),
        ("f/Hz,Re/Ohm,Im/Ohm\n1,1,-1\n2,x,-1\n3,1,-1\n", "line 3, column 'Re/Ohm' is 'x'"),
        ("f/Hz,Re/Ohm,Im/Ohm\n1,1,-1\n2,,-1\n3,1,-1\n", "line 3, column 'Re/Ohm' is ''"),
        ("f/Hz,Re/Ohm,Im/Ohm\n1,1,-1\n2,1e300,-1\n3,1,-1\n", "must be at most 1e\\+100"),
        ("f/Hz,Re/Ohm,Im/Ohm\n1,1,-1\n-2,1,-1\n3,1,-1\n", "line 3, column 'f/Hz'.*not be neg"),
        ("f/Hz,Re/Ohm,Im/Ohm\n1,1,-1\n2,1,-1\n", "line 2, a spectrum of 2 row"),
        ("f/Hz,Re/Ohm,Im/Ohm\n0,1,-1\n0,1,-1\n", "no row of it has a frequency above 0"),
        ("f/Hz,Re/Ohm,Im/Ohm,Re/Ohm,Im/Ohm\n1,1,-1,2,-2\n", "one column for Re\\(Z\\) is needed"),
        ("f/m,Re/Ohm,Im/Ohm\n1,1,-1\n2,1,-1\n3,1,-1\n", "column 'f/m'.*cannot be converted"),
        ("f/Hz,Re/Ohm.cm2,Im/Ohm.cm2\n1,1,-1\n2,1,-1\n3,1,-1\n", "area-specific"),
        ("EC-Lab ASCII FILE\nno count\n\n", "Nb header lines"),
        ("EC-Lab ASCII FILE\nNb header lines : 3\ntime/s\tEwe/V\n1\t2\n", "without an impedance"),
        ("EXPLAIN\nTAG\tCV\n", "Gamry, but with 0 tables"),
        ("ZPLOT2 ASCII\n1 2 3\n", "0 lines 'End Comments'"),
        ("Z60W Data File\nFreq\n", "one line with the names"),
        ("<Application>\nName=VersaStudio\n", "VersaStudio, but with 0 tables"),
    ],
)
def test_bad_files(text, message, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(ss.MeasuredDataError, match=message) as error:
        ss.read_spectrum(path)
    assert str(path) in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(ss.MeasuredDataError, match="cannot be read"):
        ss.read_spectrum(tmp_path / "nothing.z")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(WRITERS)),
    st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=6)), min_size=1, max_size=6),
)
def test_a_mutated_file_is_read_or_refused(name, changes):
    """Never an error of another kind, and never a number that is none."""
    file, write = WRITERS[name]
    data = bytearray(write(FREQUENCIES, Z).encode("utf-8"))
    for place, new in changes:
        place %= len(data)
        data[place : place + len(new) // 2] = new
    source = Source(Path(file), bytes(data))
    try:
        blocks = format_of(source).blocks(source)
        found = [s for b in blocks for s in spectra_of(source, b, "cell", None, None)]
    except ss.SSNIBError:
        return
    assert all(np.isfinite(s.frame.to_numpy()[:, :3]).all() for s in found)
