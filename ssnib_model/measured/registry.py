"""The list of formats of cyclers, in the order in which they are asked for a file."""

from __future__ import annotations

from ssnib_model.measured.binary import ArbinBinary, BiologicBinary, NewareBinary, Spreadsheet
from ssnib_model.measured.formats import (
    Arbin,
    Basytec,
    BatteryDataFormat,
    Digatron,
    EcLab,
    Format,
    Landt,
    LayeredNeware,
    Maccor,
    Neware,
    Novonix,
    OwnTable,
    Parquet,
    Pec,
    TextTable,
)
from ssnib_model.measured.text import Source

#: The first that opens a file reads it.
FORMATS: tuple[Format, ...] = (
    Parquet(),
    NewareBinary(),
    ArbinBinary(),
    BiologicBinary(),
    Spreadsheet(),
    OwnTable(),
    EcLab(),
    Novonix(),
    Maccor(),
    Basytec(),
    Pec(),
    LayeredNeware(),
    Digatron(),
    Landt(),
    Arbin(),
    BatteryDataFormat(),
    Neware(),
    TextTable(),
)


def format_of(source: Source) -> Format:
    """The format of a file."""
    return next(form for form in FORMATS if form.opens(source))
