"""The files of a diagnosis: what each holds, what is doubtful, and why one cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import MeasuredDataError, OptionError
from ssnib_model.files import read_bytes
from ssnib_model.fits.data import CurveData, Data, RateTestData, SpectrumData, check_sigma
from ssnib_model.fits.files import data_from_file
from ssnib_model.fits.protocol_data import ProtocolData
from ssnib_model.fits.spectrum_files import spectrum_from_file
from ssnib_model.measured.columns import CURRENT, TIME, VOLTAGE
from ssnib_model.measured.spectra import read_spectrum
from ssnib_model.measured.text import MAX_SIZE

#: Errors that are written out where no file can be used.
SHOWN = 3

KINDS = {
    ProtocolData: "test of a cycler",
    RateTestData: "table of a rate test",
    CurveData: "voltage against capacity",
    SpectrumData: "impedance spectrum",
}


@dataclass
class InputFile:
    """A file as it was read.

    Attributes
    ----------
    path : str
        As it was given.
    kind : str
        What it holds; "" if nothing of it could be read.
    findings : list of str
        What there is to say about it, one sentence each.
    error : str
        Why it is not used; "" if it is.
    sha256 : str
        Of its bytes; "" if it could not be read at all.
    data : list of Data
        What of it is fitted to; none if it is not used.
    """

    path: str
    kind: str = ""
    findings: list[str] = field(default_factory=list)
    error: str = ""
    sha256: str = ""
    data: list[Data] = field(default_factory=list)

    @property
    def is_used(self) -> bool:
        """Whether it is part of the fit."""
        return bool(self.data)

    @property
    def values(self) -> int:
        """Number of values that are compared."""
        return sum(len(d.measured) for d in self.data)

    def trace(self) -> pd.DataFrame | None:
        """Time, current (of the cell of the set) and voltage of a cycler's file, else None."""
        test = next((d for d in self.data if isinstance(d, ProtocolData)), None)
        if test is None:
            return None
        measured = test.measured_protocol
        frames = []
        for done in measured.done:
            rows = measured.rows(done)
            frames.append(rows.assign(**{TIME: rows[TIME] + done.step.start}))
        return pd.concat(frames, ignore_index=True)[[TIME, CURRENT, VOLTAGE]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        steps = [
            {
                "step": done.number,
                "cycle": done.step.cycle,
                "text": done.instruction.label,
                "duration [s]": float(done.step.duration),
                "charge [A.h]": float(done.step.charge),
                "ended by": str(done.end.by),
                "compared": done.is_compared,
            }
            for d in self.data
            if isinstance(d, ProtocolData)
            for done in d.measured_protocol.done
        ]
        return {
            "file": self.path,
            "sha256": self.sha256 or None,
            "kind": self.kind,
            "used": self.is_used,
            "why not": self.error or None,
            "findings": self.findings,
            "names": [d.name for d in self.data],
            "values": self.values,
            "steps": steps,
        }


def read_files(
    files: Iterable[str | Path],
    parameters: ParameterSet,
    *,
    spectra: Mapping[str | Path, Mapping[str, Any]],
    sigma: Mapping[str, float],
    settings: Mapping[str, Any],
) -> list[InputFile]:
    """All files, those that cannot be used with the reason.

    Parameters
    ----------
    files : iterable of str or Path
        As for `data_from_file`.
    parameters : ParameterSet
        The cell.
    spectra : mapping
        Settings of `spectrum_from_file` by file.
    sigma : mapping
        Standard deviation by quantity.
    settings : mapping
        Of the files of cyclers, as for `data_from_file`.

    Raises
    ------
    MeasuredDataError
        If none can be used, or ``sigma`` is of a quantity that none has.
    OptionError
        If there is no file, or a setting is not allowed.
    """
    plain, own = [Path(f) for f in files], {Path(f): dict(s) for f, s in spectra.items()}
    if not (plain or own):
        raise OptionError("nothing to diagnose: at least one file is needed")
    found: list[InputFile] = []
    for path in [*plain, *own]:
        one = _read(path, parameters, own.get(path), settings)
        same = next((f for f in found if one.sha256 and f.sha256 == one.sha256), None)
        if same is not None and one.is_used and path not in own:
            one.data = []
            one.error = f"it holds the same bytes as {same.path}, and would count twice"
        found.append(one)
    used = [d for f in found for d in f.data]
    if not used:
        raise MeasuredDataError(_none(found))
    idle = [n for n, v in settings.items() if v is not None and n != "temperature"]
    if idle and not any(isinstance(d, ProtocolData) for d in used):
        raise OptionError(
            f"{', '.join(idle)}: has no effect, as none of the files that are used is a cycler's"
        )
    _name(used)
    check_sigma("the data", sigma, sorted({kind for d in used for kind in d.kinds}))
    for d in used:
        d.sigma = np.array([sigma.get(kind, s) for kind, s in zip(d.kinds, d.sigma, strict=True)])
    return found


def _read(
    path: Path,
    parameters: ParameterSet,
    spectrum: dict[str, Any] | None,
    settings: Mapping[str, Any],
) -> InputFile:
    found = InputFile(str(path))
    try:
        found.sha256 = hashlib.sha256(read_bytes(path, MAX_SIZE)).hexdigest()
    except OSError as error:
        found.error = f"it cannot be read: {error.strerror or error}"
        return found
    try:
        if spectrum is not None:
            found.data = [spectrum_from_file(path, parameters, **spectrum)]
        else:
            own = {name: value for name, value in settings.items() if value is not None}
            found.data = _curves(path, parameters, own)
    except MeasuredDataError as error:
        found.error = str(error).removeprefix(f"{path}: ")
        if spectrum is None and _is_spectrum(path):
            found.kind = KINDS[SpectrumData]
            found.error = (
                "it holds an impedance spectrum, and no file says at which state of charge one "
                f'was taken: say it, --spectrum "{path.name}, state=0.5" or spectra={{file: '
                '{"state": 0.5}}'
            )
        return found
    found.kind = KINDS[type(found.data[0])]
    found.findings = list(dict.fromkeys(text for d in found.data for text in d.findings))
    return found


def _curves(path: Path, parameters: ParameterSet, settings: dict[str, Any]) -> list[Data]:
    try:
        return data_from_file(path, parameters, **settings)
    except OptionError:
        # a start, or which cycles, is nothing that a table could take
        kept = {n: v for n, v in settings.items() if n == "temperature"}
        if kept == settings:
            raise
        found = data_from_file(path, parameters, **kept)
        if any(isinstance(d, ProtocolData) for d in found):
            raise
        return found


def _is_spectrum(path: Path) -> bool:
    try:
        read_spectrum(path, "all")
    except MeasuredDataError:
        return False
    return True


def _name(data: Iterable[Data]) -> None:
    """Give data of one name, of files in two folders, different ones."""
    taken: set[str] = set()
    for d in data:
        name, number = d.name, 2
        while d.name in taken:
            d.name, number = f"{name} ({number})", number + 1
        taken.add(d.name)


def _none(found: list[InputFile]) -> str:
    if len(found) == 1:
        return f"{found[0].path}: {found[0].error}"
    shown = "; ".join(f"{f.path}: {f.error}" for f in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"none of the {len(found)} files can be used: {shown}{more}"
