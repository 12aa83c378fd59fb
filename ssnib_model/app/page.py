"""The page of one tab: what is on it and what a change does. Its state is its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import html
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bokeh.core.templates import get_env
from bokeh.document import Document, without_document_lock
from bokeh.layouts import column, row
from bokeh.models import (
    AutocompleteInput,
    ColumnDataSource,
    CustomJS,
    Div,
    FileInput,
    Select,
    Slider,
    TextAreaInput,
    TextInput,
)

from ssnib_model.app import figures
from ssnib_model.app.design import Control, Design, answer, beside, controls, others
from ssnib_model.app.parts import DOWNLOAD, HIDDEN, LABELS, button, copying, number, when
from ssnib_model.cell.electrolytes import CATHOLYTE, solid_electrolytes
from ssnib_model.cell.set_files import list_parameter_sets
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.quantity import unit_of

#: Losses are looked at once the sliders have rested so long [ms]: they take several times longer.
REST = 120

#: One slow question at a time, of all tabs.
_WORKER = ThreadPoolExecutor(1, "ssnib-explore")

OF_THE_SET = "(that of the set)"
STEPS = 200


def open_page(document: Document, design: Design) -> None:
    """Fill the document of a new tab."""
    Page(document, design)


class Page:
    """One tab.

    Parameters
    ----------
    document : bokeh.document.Document
        Of the tab.
    design : Design
        What it begins with.
    """

    def __init__(self, document: Document, design: Design):
        self.document, self.design = document, design
        self.good = design  # the last one that has an answer, which is what is drawn
        self.pinned: Design | None = None
        self.result: Any = None
        self.pinned_result: Any = None
        self._asked = self._setting = False
        self._resting: Any = None
        self.curves, self.rates = figures.Curves(), figures.Rates()
        self.bars, self.nyquist = figures.Bars(), figures.Nyquist()
        self.beside = figures.Beside()
        self._fill()
        self._draw()

    # ---------------------------------------------------------------- what is on it
    def _fill(self) -> None:
        self.answer = Div(text="Running.", sizing_mode="stretch_width", name="answer",
                          styles={"font-size": "1.1rem", "font-weight": "600"})  # fmt: skip
        self.capacities = Div(text="", sizing_mode="stretch_width")
        self.problem = Div(text="", sizing_mode="stretch_width",
                           styles={"color": "#9a3412", "font-weight": "600"})  # fmt: skip
        self.said = Div(text="", sizing_mode="stretch_width")
        self.python = TextAreaInput(title="As Python", rows=8, sizing_mode="stretch_width")
        self.command = TextAreaInput(title="As command line", rows=3, sizing_mode="stretch_width")
        self.download = ColumnDataSource({"name": [], "mime": [], "content": []})
        self.download.js_on_change("data", CustomJS(args={"data": self.download}, code=DOWNLOAD))
        self.rate = Select(
            title="Losses at", value=f"{self.design.rates[-1]:g} C",
            options=[f"{rate:g} C" for rate in self.design.rates], width=120,
        )  # fmt: skip
        when(self.rate, lambda _: self._rest())
        names = sorted({*list_parameter_sets(), self.design.set})
        self.set = Select(title="Parameter set", value=self.design.set, options=names,
                          sizing_mode="stretch_width")  # fmt: skip
        when(self.set, self._other_set)
        self.inputs = column(sizing_mode="stretch_width")
        self._fill_inputs()
        buttons = [
            button("Pin for comparison", self._pin),
            button("Bands", self._bands),
            button("Impedance", self._impedance),
            button("Table as CSV", self._csv),
            button("Set as ZIP", self._zip),
        ]
        copies = [copying("Copy Python", self.python), copying("Copy command", self.command)]
        file = FileInput(title="File of your cycler, beside the model (at most 20 MB)",
                         sizing_mode="stretch_width")  # fmt: skip
        when(file, lambda _: self._file(file), "filename")
        above = column(self.problem, self.capacities, self.rate, sizing_mode="stretch_width",
                       name="above")  # fmt: skip
        below = column(
            row(buttons, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"}),
            self.said, file, self.beside.figure, self.python, self.command, row(copies),
            sizing_mode="stretch_width", name="below",
        )  # fmt: skip
        design = column(self.set, self.inputs, sizing_mode="stretch_width", name="design")
        plots: dict[str, Any] = {"bars": self.bars, "curves": self.curves, "rates": self.rates,
                 "nyquist": self.nyquist}  # fmt: skip
        for name, plot in plots.items():
            plot.figure.name = name
        for root in (design, self.answer, above, *(p.figure for p in plots.values()), below):
            self.document.add_root(root)
        self.document.title = "ssnib explore"
        text = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
        self.document.template = get_env().from_string(text)
        self.document.js_on_event("document_ready", CustomJS(code=LABELS))

    def _fill_inputs(self) -> None:
        """Materials, sliders and the searchable list, for the set."""
        parameters = self.design.parameters
        layers = parameters.model_options["electrolyte layers"]
        self.fields: dict[str, tuple[Control, TextInput, Slider]] = {}
        children: list[Any] = []
        for layer in (*layers, *([] if CATHOLYTE in layers else [CATHOLYTE])):
            where = "composite" if layer == CATHOLYTE else f"{layer} layer"
            select = Select(title=f"Material of the {where}", value=OF_THE_SET,
                            options=[OF_THE_SET, *solid_electrolytes()],
                            sizing_mode="stretch_width")  # fmt: skip
            when(select, functools.partial(self._material, layer))
            children.append(select)
        for control in controls(parameters):
            shown = control.shown(parameters[control.name])
            title = f"{control.label} [{control.unit}]"
            field = TextInput(title=title, value=f"{shown:.6g}", sizing_mode="stretch_width")
            slider = Slider(start=0, end=STEPS, step=1, show_value=False, title=control.label,
                            value=round(STEPS * control.position(shown)), tooltips=False,
                            stylesheets=[HIDDEN],
                            sizing_mode="stretch_width")  # fmt: skip
            when(field, functools.partial(self._typed, control))
            when(slider, functools.partial(self._slid, control))
            self.fields[control.name] = control, field, slider
            children += [field, slider]
        self.name = AutocompleteInput(
            title="Any other parameter", completions=[i.name for i in others(parameters)],
            case_sensitive=False, search_strategy="includes", min_characters=2,
            placeholder="type part of its name", sizing_mode="stretch_width",
        )  # fmt: skip
        self.other = TextInput(title="Value, in the unit of the name", sizing_mode="stretch_width")
        when(self.name, self._named)
        when(self.other, self._typed_other)
        reset = button("Back to the set", lambda: self._begin(Design(self.set.value)))
        self.inputs.children = [*children, self.name, self.other, reset]

    # ---------------------------------------------------------------- what a change does
    def _slid(self, control: Control, position: int) -> None:
        if self._setting:
            return
        shown = control.at(position / STEPS)
        self._set(self.fields[control.name][1], f"{shown:.6g}")
        self._change(self.good.with_value(control.name, control.value(shown)))

    def _typed(self, control: Control, text: str) -> None:
        if self._setting:
            return
        try:
            shown = number(text, f"{control.label} [{control.unit}]")
        except OptionError as error:
            self._bad(error)
            return
        self._set(self.fields[control.name][2], round(STEPS * control.position(shown)))
        self._change(self.good.with_value(control.name, control.value(shown)))

    def _named(self, name: str) -> None:
        parameters = self.good.parameters
        if name in parameters and isinstance(parameters[name], float):
            unit = unit_of(name)
            self.other.title = f"Its value [{unit}]" if unit != "1" else "Its value"
            self._set(self.other, f"{parameters[name]:.10g}")

    def _typed_other(self, text: str) -> None:
        if self._setting or not text.strip():
            return
        try:
            self.good.parameters.info(self.name.value)
            value = number(text, self.name.value)
        except SSNIBError as error:
            self._bad(error)
            return
        self._change(self.good.with_value(self.name.value, value))

    def _material(self, layer: str, material: str) -> None:
        if not self._setting:
            self._change(
                self.good.with_material(layer, None if material == OF_THE_SET else material)
            )

    def _other_set(self, name: str) -> None:
        if not self._setting:
            self._begin(Design(name, rates=self.design.rates))

    def _begin(self, design: Design) -> None:
        """Another set, or the same as it is."""
        try:
            design.run()
        except SSNIBError as error:
            self._bad(error)
            self._set(self.set, self.good.set)
            return
        self.design = self.good = design
        self._fill_inputs()
        self._draw()

    def _set(self, model: Any, value: Any) -> None:
        """Show a value that nobody entered."""
        self._setting = True
        try:
            model.value = value
        finally:
            self._setting = False

    def _change(self, design: Design) -> None:
        """Draw a design in a moment: the last one of those that have come by then."""
        self.design = design
        if not self._asked:
            self._asked = True
            self.document.add_next_tick_callback(self._draw)

    def _draw(self) -> None:
        self._asked = False
        design = self.design
        try:
            result = design.run()
        except SSNIBError as error:
            self._bad(error)
            return
        self.result, self.good = result, design
        self.curves.show(result)
        self.rates.show(result)
        self.nyquist.clear()
        self._show_values()
        rows = ", ".join(f"{y:.2f} at {x:g} C" for x, y in zip(
            *figures.rates_of(result).values(), strict=True))  # fmt: skip
        self.capacities.text = f"Discharge capacity [mAh/g]: <span>{rows}</span>"
        self.problem.text = ""
        notes = [*design.warnings, *result.notes]
        self.said.text = "<br>".join(html.escape(note) for note in notes)
        self.python.value, self.command.value = design.to_python(), design.to_command()
        self._rest()

    def _show_values(self) -> None:
        """What follows from a change is shown as well."""
        for control, field, slider in self.fields.values():
            value = self.good.parameters[control.name]
            if isinstance(value, float):
                shown = control.shown(value)
                if field.value != f"{shown:.6g}":
                    self._set(field, f"{shown:.6g}")
                    self._set(slider, round(STEPS * control.position(shown)))

    def _bad(self, error: SSNIBError) -> None:
        """Say why; what is drawn is of the last design that has an answer."""
        self.design = self.good
        sentence = html.escape(" ".join(str(error).split()))
        self.problem.text = f"{sentence} (Shown is the last design that could be run.)"

    # ---------------------------------------------------------------- slow questions
    def _rest(self) -> None:
        """Look at the losses, unless something changes in the meantime."""
        if self._resting is not None:
            with contextlib.suppress(ValueError):
                self.document.remove_timeout_callback(self._resting)
        self._resting = self.document.add_timeout_callback(self._ask_losses, REST)

    @property
    def _rate(self) -> float:
        """That the losses are shown at."""
        return float(self.rate.value.removesuffix(" C"))

    def _ask_losses(self) -> None:
        self._resting = None
        result, rate = self.result, self._rate
        pinned = self.pinned_result

        def losses_of(result: Any) -> Any:
            try:
                return result.breakdown(rate)
            except OptionError as error:  # it could not start: there is nothing to break down
                return str(error)

        def work() -> Any:
            return losses_of(result), losses_of(pinned) if pinned else None

        def done(found: Any) -> None:
            if result is not self.result or rate != self._rate:
                return  # the losses of a newer one are on their way
            losses, other = found
            if isinstance(losses, str):
                self.bars.clear()
                self.answer.text = html.escape(f"{losses}; choose a lower rate")
            else:
                self.bars.show(losses, None if isinstance(other, str) else other, rate)
                self.answer.text = html.escape(answer(losses, rate))

        self._later(work, done)

    def _later(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Work beside the page, then show what came of it."""

        @without_document_lock
        async def wait() -> None:
            try:
                found = await asyncio.get_running_loop().run_in_executor(_WORKER, work)
            except SSNIBError as error:
                said = error
                self.document.add_next_tick_callback(lambda: self._bad(said))
            else:
                self.document.add_next_tick_callback(lambda: done(found))

        self.document.add_next_tick_callback(wait)

    def _pin(self) -> None:
        self.pinned = None if self.pinned == self.good else self.good
        self.pinned_result = self.result if self.pinned else None
        self.curves.pin(self.pinned_result)
        self.rates.pin(self.pinned_result)
        self._rest()

    def _bands(self) -> None:
        design = self.good
        self.said.text = "Bands: running the ranges of the set (the first time takes a minute)."

        def done(found: Any) -> None:
            if design is not self.good:
                self.said.text = "Bands: the design has changed meanwhile; ask again."
                return
            (low, high), draws = found
            self.rates.band.data = {"x": list(design.rates), "low": low, "high": high}
            self.said.text = f"Bands: 95 % of {draws} draws from the ranges of the set."

        self._later(design.bands, done)

    def _impedance(self) -> None:
        from ssnib_model.eis import impedance

        design = self.good
        self.said.text = "Impedance: running."

        def done(spectrum: Any) -> None:
            if design is self.good:
                self.nyquist.show(spectrum)
                notes = design.parameters.unread("impedance").values()
                said = ["Impedance: dotted is the one before.", *notes]
                self.said.text = "<br>".join(map(html.escape, said))

        self._later(lambda: impedance(design.parameters), done)

    def _file(self, file: FileInput) -> None:
        name, content, design = str(file.filename), base64.b64decode(file.value), self.good

        def done(found: Any) -> None:
            curves, sentences = found
            self.beside.show(curves)
            self.said.text = "<br>".join(map(html.escape, sentences))

        self.said.text = "Your file: running the model through its steps."
        self._later(lambda: beside(name, content, design.parameters), done)

    # ---------------------------------------------------------------- downloads
    def _csv(self) -> None:
        text = self.result.table.to_csv(index=False)
        self._hand_over("table.csv", "text/csv", base64.b64encode(text.encode()).decode())

    def _zip(self) -> None:
        try:
            self._hand_over("explored.zip", "application/zip", self.good.zipped())
        except SSNIBError as error:
            self._bad(error)

    def _hand_over(self, name: str, mime: str, content: str) -> None:
        self.download.data = {"name": [name], "mime": [mime], "content": [content]}
