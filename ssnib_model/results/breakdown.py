"""The overpotentials of a step, whatever it is part of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ssnib_model.errors import OptionError
from ssnib_model.models.losses import breakdown_names
from ssnib_model.steps import Segment


def variable_at(segment: Segment, variable: str, fraction: ArrayLike) -> np.ndarray:
    """A variable of the model at fractions (0 to 1) of the time of a step."""
    fraction = np.asarray(fraction, dtype=float)
    if variable == "Voltage [V]":
        return segment.voltage(fraction * segment.duration)
    solution = segment.solution
    # the products may miss the ends by round-off, outside the interpolant
    start, end = solution.t[0], solution.t[-1]
    return solution[variable](t=np.clip(start + fraction * (end - start), start, end))


def overpotentials(segment: Segment, at: ArrayLike, name: str, whole: str) -> Any:
    """Overpotentials [V] of a step.

    Parameters
    ----------
    segment : Segment
        The step.
    at : float or array_like
        Fractions of its time, 0 to 1.
    name : str
        What it is, such as "discharge at 1 C".
    whole : str
        Of what ``at`` is a fraction, for the message.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        By name, negative on discharge; one row a fraction if ``at`` is an array.

    Raises
    ------
    OptionError
        If ``at`` is no such fraction.
    """
    fractions = np.asarray(at, dtype=float)
    if not ((fractions >= 0) & (fractions <= 1)).all():
        raise OptionError(f"at is {at!r}: it must be a fraction of the {whole}, 0 to 1")
    ending = " overpotential [V]"
    names = breakdown_names(segment.solution.all_models[0].variables)
    values = {n.removesuffix(ending): variable_at(segment, n, fractions) for n in names}
    if fractions.ndim == 0:
        return pd.Series({n: float(value) for n, value in values.items()}, name=name)
    return pd.DataFrame(values, index=pd.Index(fractions, name="Fraction"))
