"""Words for messages."""

from __future__ import annotations

import difflib


def suggestion(name: str, known) -> str:
    """A clause that names the nearest known names, or nothing if none is near."""
    if len(name) > 100 or len(known) > 1000:
        return ""  # the search takes long, and nobody typed that
    folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=0.6)
    if not near:
        return ""
    return "; did you mean " + " or ".join(f'"{folded[n]}"' for n in near) + "?"


def short(value) -> str:
    """A value for a message, cut if it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more than 4300 digits, endless brackets
        return f"{type(value).__name__} that is too long to show"
    return text if len(text) <= 60 else text[:57] + "..."
