"""Spectra from the file of an impedance analyser."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.measured import spectrum_columns as columns
from ssnib_model.measured.spectrum_columns import FREQUENCY
from ssnib_model.measured.spectrum_formats import format_of
from ssnib_model.measured.spectrum_values import FoundSpectrum, spectra_of
from ssnib_model.measured.text import MAX_SIZE, Source


def read_spectrum(
    path: str | Path,
    spectrum: int | Literal["all"] | None = None,
    *,
    electrode: str = columns.CELL,
    area: float | None = None,
    negate: bool | None = None,
) -> pd.DataFrame:
    """Read an impedance spectrum from the file of an impedance analyser.

    The formats are listed in "Measured files" of the documentation; which one a file has is found
    from the file.

    The sign of the imaginary part is that of physics: negative for a capacitance. Files have it
    either way; it is found by the names, "-Im(Z)" for example, and by how the modulus depends on
    frequency (`ssnib_model.measured.spectrum_checks.sign_by_physics`). Where the two disagree
    physics counts, and ``attrs["problems"]`` says so.

    Parameters
    ----------
    path : str or Path
        The file.
    spectrum : int or "all", optional
        Which one of several in a file, counted from 1 in their order, or "all". It must be given
        where there are several: there is no default.
    electrode : str, optional
        Where there are three electrodes: "cell" (default), "working" or "counter".
    area : float, optional
        Electrode area [m2], for a file that holds the area-specific impedance (Ohm.cm2).
    negate : bool, optional
        Whether the file's imaginary part has the other sign; default: found as above.

    Returns
    -------
    pandas.DataFrame
        "Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]" (negative for a capacitance), in the order
        of the file, and of what it has beside them "Voltage [V]", "Time [s]" and
        "Temperature [K]"; with "all" a column "Spectrum" before them. ``attrs["problems"]`` lists,
        in words, what there is to say; ``attrs["format"]`` is the kind of file and
        ``attrs["spectra"]`` the number of spectra in it.

    Raises
    ------
    MeasuredDataError
        If the file cannot be read, is of no kind above, has a cell that is no number, or has
        several spectra of which none is chosen.
    OptionError
        For a choice that is none.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pellet.csv"
    >>> lines = ["f/Hz,Z'/Ohm,-Z''/Ohm", "1e5,100,20", "1e4,120,60", "1e3,180,90"]
    >>> _ = path.write_text("\\n".join(lines))
    >>> read_spectrum(path)["Im(Z) [Ohm]"].tolist()
    [-20.0, -60.0, -90.0]
    """
    path = Path(path)
    _check(spectrum, electrode, area)
    source = Source.read(path, MAX_SIZE)
    format_ = format_of(source)
    found = [
        part
        for block in format_.blocks(source)
        for part in spectra_of(source, block, electrode, area, negate)
    ]
    if not found:
        raise MeasuredDataError(
            f"{path}: {format_.name}, but no row of it has a frequency above 0: there is no "
            "spectrum in it"
        )
    if spectrum is None and len(found) > 1:
        raise MeasuredDataError(
            f'{path}: holds {len(found)} spectra: say which one by its number, or "all" '
            f"(spectrum=...): {'; '.join(_described(n, part) for n, part in _shown(found))}"
        )
    attrs: dict[Hashable | None, Any] = {"format": format_.name, "spectra": len(found)}
    if spectrum == "all":
        whole = pd.concat(
            [part.frame.assign(Spectrum=n) for n, part in enumerate(found, 1)], ignore_index=True
        )
        whole.insert(0, columns.GROUP, whole.pop(columns.GROUP))
        several = len(found) > 1
        whole.attrs = attrs | {
            "problems": [
                f"spectrum {n}: {p}" if several else p
                for n, part in enumerate(found, 1)
                for p in part.problems
            ]
        }
        return whole
    number = 1 if spectrum is None else spectrum
    if number > len(found):
        raise MeasuredDataError(
            f"{path}: spectrum {number} is asked for, but it holds {len(found)}"
        )
    chosen = found[number - 1]
    chosen.frame.attrs = attrs | {"problems": chosen.problems, "spectrum": number}
    return chosen.frame


def _check(spectrum: object, electrode: str, area: float | None) -> None:
    whole = isinstance(spectrum, int) and not isinstance(spectrum, bool) and spectrum >= 1
    if not (spectrum is None or spectrum == "all" or whole):
        raise OptionError(f'spectrum is {spectrum!r}: a number from 1, or "all", is needed')
    known = (columns.CELL, columns.WORKING, columns.COUNTER)
    if electrode not in known:
        raise OptionError(f"electrode is {electrode!r}: it must be one of {known}")
    if area is not None and not 0 < area < np.inf:
        raise OptionError(f"area is {area!r}: a positive number [m2] is needed")


def _shown(found: Sequence[FoundSpectrum], most: int = 8) -> list[tuple[int, FoundSpectrum]]:
    return list(enumerate(found, 1))[:most]


def _described(number: int, part: FoundSpectrum) -> str:
    frequencies = part.frame[FREQUENCY]
    at = ""
    if columns.VOLTAGE in part.frame:
        at = f" at {part.frame[columns.VOLTAGE].median():.4g} V"
    return (
        f"{number}: {len(frequencies)} frequencies from {frequencies.iloc[0]:.4g} to "
        f"{frequencies.iloc[-1]:.4g} Hz{at}, from line {part.lines[0]}"
    )
