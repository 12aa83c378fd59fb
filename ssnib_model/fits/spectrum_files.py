"""Spectra of instruments as data of a fit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.fits.data import TEMPERATURE as AMBIENT
from ssnib_model.fits.data import SpectrumData
from ssnib_model.fits.free import is_number
from ssnib_model.measured.spectra import read_spectrum
from ssnib_model.measured.spectrum_columns import CELL, FREQUENCY, IMAGINARY, REAL, TEMPERATURE

#: Temperatures nearer than this [K] are the same.
SAME = 2.0


def spectrum_from_file(
    path: str | Path,
    parameters: ParameterSet,
    *,
    state: float,
    spectrum: int | None = None,
    temperature: float | None = None,
    lowest: float = 0.0,
    highest: float = math.inf,
    electrode: str = CELL,
    negate: bool | None = None,
    relative_sigma: float = 0.01,
    name: str | None = None,
) -> SpectrumData:
    """A spectrum of a file, ready for a fit.

    Parameters
    ----------
    path : str or Path
        The file, as for `read_spectrum`.
    parameters : ParameterSet
        For the area, where the file holds the area-specific impedance.
    state : float
        State of charge at which it was taken. No file says it, so that there is no default.
    spectrum : int, optional
        Which one of several in the file.
    temperature : float, optional
        [K]; default: that of the file, and where it has none that of the parameters.
    lowest, highest : float, optional
        Frequencies [Hz] outside of which the spectrum is left out; the sentences of the data
        say how many.
    electrode, negate
        As for `read_spectrum`.
    relative_sigma : float, optional
        As for `SpectrumData`.
    name : str, optional
        Of the data; default: that of the file, with the number of the spectrum.

    Returns
    -------
    SpectrumData
        With what there is to say about the file in ``findings``.

    Raises
    ------
    MeasuredDataError
        If the file cannot be used, or nothing is left between the frequencies.
    OptionError
        For a setting that is not allowed.
    """
    path = Path(path)
    _check(state, lowest, highest)
    area = parameters["Electrode area [m2]"]
    frame = read_spectrum(path, spectrum, electrode=electrode, area=area, negate=negate)
    findings: list[Any] = list(frame.attrs["problems"])
    kept = frame[frame[FREQUENCY].between(lowest, highest)]
    if kept.empty:
        raise MeasuredDataError(
            f"{path}: no frequency is between {lowest:g} and {highest:g} Hz: they are "
            f"{frame[FREQUENCY].min():g} to {frame[FREQUENCY].max():g} Hz"
        )
    if len(kept) < len(frame):
        findings.append(
            f"{len(frame) - len(kept)} of {len(frame)} frequencies are left out, outside of "
            f"{lowest:g} to {highest:g} Hz"
        )
    measured = float(frame[TEMPERATURE].median()) if TEMPERATURE in frame else None
    if temperature is None:
        temperature = measured
        if measured is None:
            findings.append(f"the temperature is that of the set, {parameters[AMBIENT]:g} K")
    elif measured is not None and abs(temperature - measured) > SAME:
        findings.append(f"taken at {measured:.2f} K by the file, {temperature:g} K is asked for")
    if name is None:
        several = frame.attrs["spectra"] > 1
        name = f"{path.stem} {frame.attrs['spectrum']}" if several else path.stem
    z = kept[REAL].to_numpy() + 1j * kept[IMAGINARY].to_numpy()
    data = SpectrumData(
        name,
        kept[FREQUENCY].to_numpy(),
        z,
        state,
        relative_sigma=relative_sigma,
        temperature=temperature,
    )
    data.findings = tuple(findings)
    return data


def _check(state: Any, lowest: Any, highest: Any) -> None:
    if not (is_number(state) and 0 < state < 1):
        raise OptionError(f"state is {state!r}: a state of charge between 0 and 1 is needed")
    # the highest may be infinite
    if not (is_number(lowest) and isinstance(highest, int | float) and 0 <= lowest < highest):
        raise OptionError(
            f"lowest is {lowest!r} and highest {highest!r}: two frequencies [Hz], the lower one "
            "first, are needed"
        )
