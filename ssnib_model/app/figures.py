"""The figures of the page, each with the data that it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, FactorRange, Whisker
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from ssnib_model.app.design import CAPACITY
from ssnib_model.protocol.rate_test import RATES
from ssnib_model.results.rate_test import RateTestResult

#: Okabe and Ito: told apart by the colour-blind; the pinned design is grey and dotted as well.
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#777777"

SAMPLES = np.linspace(0, 1, 101)
TOOLS = "pan,box_zoom,wheel_zoom,reset,save"


def _figure(title: str, x: str, y: str, **more: Any) -> Any:
    shown = figure(
        title=title, x_axis_label=x, y_axis_label=y, tools=TOOLS, sizing_mode="stretch_width",
        height=330, **more,
    )  # fmt: skip
    shown.toolbar.logo = None
    shown.toolbar.autohide = True
    return shown


class Curves:
    """Voltage against capacity, a colour a rate, charge dashed; the pinned design dotted."""

    def __init__(self) -> None:
        self.now, self.pinned = ({k: ColumnDataSource(_no_curves()) for k in _DASHES}
                                 for _ in range(2))  # fmt: skip
        self.figure = _figure("Voltage", "Capacity [mAh/g]", "Cell voltage [V]")
        for direction, dash in _DASHES.items():
            look = {"line_color": GREY, "line_dash": "dotted", "line_width": 1.5}
            self.figure.multi_line("x", "y", source=self.pinned[direction], **look)
            more = {"legend_field": "label"} if direction == "discharge" else {}
            self.figure.multi_line(
                "x", "y", source=self.now[direction], line_color="colour", line_dash=dash,
                line_width=2, **more,
            )  # fmt: skip
        self.figure.legend.title = "charge dashed"
        self.figure.add_layout(self.figure.legend[0], "right")

    def show(self, result: RateTestResult) -> None:
        """Draw a result."""
        for direction, source in self.now.items():
            source.data = curves_of(result, direction)

    def pin(self, result: RateTestResult | None) -> None:
        """Draw the pinned one, or none."""
        for direction, source in self.pinned.items():
            source.data = curves_of(result, direction) if result else _no_curves()


_DASHES = {"charge": "dashed", "discharge": "solid"}


def _no_curves() -> dict[str, Any]:
    return {"x": [], "y": [], "colour": [], "label": []}


def curves_of(result: RateTestResult, direction: str) -> dict[str, Any]:
    """The curves of the charges or discharges: capacities [mA.h.g-1] and voltages [V]."""
    half_cycles = [h for h in result.half_cycles if h.direction == direction and h.segment]
    scale = np.linspace(0, 230, len(result.test.rates)).astype(int)
    colours = dict(zip(result.test.rates, (Viridis256[i] for i in scale), strict=True))
    return {
        "x": [abs(h.current) * h.duration / 3600 / result.mass * SAMPLES for h in half_cycles],
        "y": [h.at("Voltage [V]", SAMPLES) for h in half_cycles],
        "colour": [colours[h.rate] for h in half_cycles],
        "label": [f"{h.rate:g} C" for h in half_cycles],
    }


class Rates:
    """Discharge capacity against rate, with the measured points of this cell and a band."""

    def __init__(self) -> None:
        empty: dict[str, Any] = {"x": [], "y": []}
        self.now, self.pinned, self.measured = (ColumnDataSource(dict(empty)) for _ in range(3))
        self.band = ColumnDataSource({"x": [], "low": [], "high": []})
        self.figure = _figure(
            "Capacity against rate", "C-rate [1/h]", "Discharge capacity [mAh/g]",
            x_axis_type="log", y_range=DataRange1d(start=0),
        )  # fmt: skip
        draw = self.figure
        draw.line("x", "y", source=self.pinned, color=GREY, line_dash="dotted", line_width=2)
        draw.scatter("x", "y", source=self.pinned, color=GREY, marker="triangle", size=8,
                     legend_label="pinned")  # fmt: skip
        draw.line("x", "y", source=self.now, color=BLUE, line_width=2)
        draw.scatter("x", "y", source=self.now, color=BLUE, size=8, legend_label="this design")
        draw.scatter("x", "y", source=self.measured, marker="square", size=9,
                     fill_color="white", line_color="black", line_width=1.5,
                     legend_label="measured on this cell")  # fmt: skip
        draw.add_layout(Whisker(base="x", lower="low", upper="high", source=self.band,
                                line_color=BLUE))  # fmt: skip
        draw.legend.location = "bottom_left"
        draw.legend.background_fill_alpha = 0.6
        draw.xaxis.ticker = list(RATES)

    def show(self, result: RateTestResult) -> None:
        """Draw a result and what was measured on this very cell; a band is of another one."""
        self.now.data = rates_of(result)
        self.band.data = {"x": [], "low": [], "high": []}
        x, y = [], []
        temperature = result.parameters["Ambient temperature [K]"]
        for table in result.parameters.measured.values():
            if CAPACITY in table:
                near = table[(table["Ambient temperature [K]"] - temperature).abs() <= 5]
                near = near[np.isfinite(near[CAPACITY])]
                x += list(near["C-rate"])
                y += list(near[CAPACITY])
        self.measured.data = {"x": x, "y": y}

    def pin(self, result: RateTestResult | None) -> None:
        """Draw the pinned one, or none."""
        self.pinned.data = rates_of(result) if result else {"x": [], "y": []}


def rates_of(result: RateTestResult) -> dict[str, Any]:
    """Capacities [mA.h.g-1] by rate, in the order of the rates."""
    rows = sorted(result.rows, key=lambda row: row["C-rate"])
    return {"x": [r["C-rate"] for r in rows], "y": [r[CAPACITY] for r in rows]}


class Bars:
    """What each loss costs at half of a discharge, the pinned design as thin bars below."""

    def __init__(self) -> None:
        self.now, self.pinned = (ColumnDataSource({"name": [], "mv": []}) for _ in range(2))
        self.figure = _figure("Losses", "Overpotential [mV]", "", y_range=FactorRange())
        self.figure.hbar("name", right="mv", height=0.7, source=self.now, color=BLUE,
                         legend_label="this design")  # fmt: skip
        self.figure.hbar("name", right="mv", height=0.2, source=self.pinned, color="#111111",
                         legend_label="pinned (thin)")  # fmt: skip
        self.figure.legend.location = "bottom_right"
        self.figure.x_range.start = 0

    def show(self, losses: Any, pinned: Any, rate: float) -> None:
        """Draw losses [V] by name, the largest above."""
        size = 1e3 * losses.abs().sort_values()
        size = size[size >= 1e-3 * size.max()]
        names = list(size.index)
        other = None if pinned is None else 1e3 * pinned.abs()
        if other is not None:
            more = [n for n in other.index if other[n] >= 1e-3 * other.max() and n not in names]
            names = more + names
        self.figure.y_range.factors = names
        self.figure.title.text = f"Losses at half of the {rate:g} C discharge"
        self.now.data = {"name": list(size.index), "mv": list(size)}
        self.pinned.data = {"name": [], "mv": []}
        if other is not None:
            there = [n for n in names if n in other.index]
            self.pinned.data = {"name": there, "mv": [float(other[n]) for n in there]}

    def clear(self) -> None:
        """Draw none."""
        for source in (self.now, self.pinned):
            source.data = {"name": [], "mv": []}


class Nyquist:
    """The impedance, with equal axes."""

    def __init__(self) -> None:
        self.now, self.pinned = (ColumnDataSource({"x": [], "y": []}) for _ in range(2))
        self.figure = _figure(
            "Impedance, state of charge 0.5", "Re Z [Ω]", "-Im Z [Ω]", match_aspect=True
        )
        self.figure.line("x", "y", source=self.pinned, color=GREY, line_dash="dotted")
        self.figure.line("x", "y", source=self.now, color=BLUE)
        self.figure.scatter("x", "y", source=self.now, color=BLUE, size=5)

    def show(self, spectrum: Any) -> None:
        """Draw a spectrum; the one before stays as a dotted line."""
        self.clear()
        self.now.data = {"x": spectrum.z.real, "y": -spectrum.z.imag}

    def clear(self) -> None:
        """Dot what is drawn: it is of another design."""
        if len(self.now.data["x"]):
            self.pinned.data = dict(self.now.data)
            self.now.data = {"x": [], "y": []}


class Beside:
    """A measured file and the model."""

    def __init__(self) -> None:
        self.source = ColumnDataSource({"t": [], "measured": [], "model": []})
        self.figure = _figure("Your file beside the model", "Time [h]", "Cell voltage [V]")
        self.figure.visible = False
        self.figure.scatter("t", "measured", source=self.source, size=3, color="black",
                            legend_label="measured")  # fmt: skip
        self.figure.line("t", "model", source=self.source, color=VERMILION, line_width=2,
                         legend_label="model")  # fmt: skip

    def show(self, curves: Any) -> None:
        """Draw the curves of a comparison."""
        thin = curves.iloc[:: max(1, len(curves) // 4000)]
        self.source.data = {
            "t": thin["Time [s]"].to_numpy() / 3600,
            "measured": thin["Voltage [V]"].to_numpy(),
            "model": thin["Model voltage [V]"].to_numpy(),
        }
        self.figure.visible = True
