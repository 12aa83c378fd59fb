"""Parts of the page: its scripts, its buttons, and what is read of a field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.models import Button, CustomJS, TextAreaInput

from ssnib_model.errors import OptionError

DOWNLOAD = """
const [name, mime, content] = ['name', 'mime', 'content'].map((key) => data.data[key][0]);
const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
const link = document.createElement('a');
link.href = URL.createObjectURL(new Blob([bytes], {type: mime}));
link.download = name;
link.click();
URL.revokeObjectURL(link.href);
"""

#: The handles of sliders have no name of their own.
LABELS = """
const walk = (root) => root.querySelectorAll('*').forEach((e) => {
    if (e.shadowRoot) {
        const title = e.shadowRoot.querySelector('.bk-slider-title');
        e.shadowRoot.querySelectorAll('.noUi-handle').forEach((handle) => {
            const text = title ? title.textContent : 'slider';
            handle.setAttribute('aria-label', text.replace(/:\\s*$/, ''));
        });
        walk(e.shadowRoot);
    }
});
setTimeout(() => walk(document), 300);
"""


#: The title of a slider names its handle; the field above it shows the same.
HIDDEN = ".bk-slider-title { position: absolute; left: -9999px; }"


def button(label: str, does: Callable[[], None]) -> Button:
    """A button that does something here."""
    found = Button(label=label)
    found.on_click(lambda _: does())
    return found


def copying(label: str, text: TextAreaInput) -> Button:
    """A button that copies a text in the browser."""
    found = Button(label=label)
    code = "navigator.clipboard.writeText(text.value)"
    found.js_on_click(CustomJS(args={"text": text}, code=code))
    return found


def when(model: Any, does: Callable[[Any], None], attribute: str = "value") -> None:
    """Do something with every new value of a model."""
    model.on_change(attribute, lambda attr, old, new: does(new))


def number(text: str, name: str) -> float:
    """A number from a text, or `OptionError` with its name."""
    try:
        return float(text)
    except ValueError:
        raise OptionError(f'"{name}" is {text[:40]!r}: a number is needed') from None
