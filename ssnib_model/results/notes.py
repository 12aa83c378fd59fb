"""Sentences on the validity of a result."""

from __future__ import annotations

#: Where the voltage of the reduced model is off by about 1 % of the polarization.
UNIFORMITY_LIMIT = 2.0


def uniformity_note(number: float) -> list[str]:
    """What a reaction uniformity number of the reduced model says, nothing within the limit."""
    if not number > UNIFORMITY_LIMIT:
        return []
    return [
        f"the reaction is not uniform over the composite (reaction uniformity number "
        f"{number:.2g}, limit {UNIFORMITY_LIMIT:g}): use the full model, dfn"
    ]
