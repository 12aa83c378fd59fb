"""The state of a cell as it is handed from test to test, whichever solver made it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.errors import OptionError

#: Differential states that only count, from 0 in every test.
COUNTERS = ("Discharge capacity [A.h]", "Discharge energy [W.h]")


@dataclass(frozen=True, eq=False)
class CellState:
    """The state of a cell at rest or under way: all that its model has to go on from.

    Attributes
    ----------
    model : str
        Name of the model.
    options : ModelOptions
        Its options.
    values : dict of str to numpy.ndarray
        Every differential state but the counters of charge and energy, in PyBaMM's order of its
        mesh, shape (points,), in physical units.

    Raises
    ------
    OptionError
        If a value is not a number.
    """

    model: str
    options: ModelOptions
    values: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        for name, values in self.values.items():
            if values.ndim != 1 or not np.isfinite(values).all():
                raise OptionError(f'the state "{name}" of the cell is not a list of numbers')

    def check(self, model: pybamm.BaseModel, sizes: Mapping[str, int]) -> None:
        """Refuse a state that is not one of a model.

        Parameters
        ----------
        model : pybamm.BaseModel
            The model that is to go on from it.
        sizes : mapping of str to int
            Points of each of its differential states, without the counters.

        Raises
        ------
        OptionError
            For another model, another option, another state, or another mesh.
        """
        if self.model != model.name:
            raise OptionError(
                f'the state of the cell is of the model "{self.model}", and this is '
                f'"{model.name}": start from a state of the same model'
            )
        for option, value in model.options.items():
            if self.options[option] != value:
                raise OptionError(
                    f'the state of the cell is of a model with "{option}" = '
                    f"{self.options[option]!r}, and this has {value!r}"
                )
        if odd := sorted(sizes.keys() ^ self.values.keys()):
            where = "has not" if odd[0] in sizes else "has, and this model has not"
            raise OptionError(f'the state of the cell {where} "{odd[0]}"')
        for name, size in sizes.items():
            if len(self.values[name]) != size:
                raise OptionError(
                    f'the state of the cell has {len(self.values[name])} points of "{name}", and '
                    f"the mesh of this model has {size}: use the same var_pts"
                )

    def to_dict(self) -> dict[str, Any]:
        """For JSON; numbers keep all their digits."""
        options = {k: list(v) if isinstance(v, tuple) else v for k, v in self.options.items()}
        values = {name: values.tolist() for name, values in self.values.items()}
        return {"model": self.model, "options": options, "values": values}

    @classmethod
    def from_dict(cls, document: Any) -> CellState:
        """The state that `to_dict` made a document of.

        Raises
        ------
        OptionError
            If it is none.
        """
        if not isinstance(document, Mapping) or set(document) != {"model", "options", "values"}:
            found = sorted(map(str, document)) if isinstance(document, Mapping) else document
            raise OptionError(
                f"the state of a cell has {found!r}: model, options and values are needed"
            )
        model, options, values = (document[name] for name in ("model", "options", "values"))
        if not isinstance(model, str):
            raise OptionError(f"the state of a cell has the model {model!r}: a name is needed")
        for name, content in (("options", options), ("values", values)):
            if not isinstance(content, Mapping):
                raise OptionError(f"the state of a cell has {name} {content!r}: a table is needed")
        arrays = {}
        for name, numbers in values.items():
            if not (isinstance(numbers, list) and numbers and all(map(_is_number, numbers))):
                raise OptionError(f'the state "{name}" of the cell is not a list of numbers')
            arrays[name] = np.array(numbers, dtype=float)
        return cls(model, ModelOptions(options), arrays)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


class StateVector:
    """Where the differential states of a discretised model are in PyBaMM's vector.

    Parameters
    ----------
    built : pybamm.BaseModel
        A discretised model.
    """

    def __init__(self, built: pybamm.BaseModel):
        self._built = built
        states = {
            variable.name: (variable, slices[0])
            for variable, slices in built.y_slices.items()
            if slices[0].stop <= built.len_rhs
        }
        self._charge, _ = (states.pop(name) for name in COUNTERS)
        self.states = states
        self.sizes = {name: where.stop - where.start for name, (_, where) in states.items()}

    def read(self, y: np.ndarray, inputs: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Values of the states, without the counters, in physical units."""
        found = {}
        for name, (variable, where) in self.states.items():
            scale, reference = scaling(variable, inputs)
            found[name] = reference + scale * np.ravel(y[where])
        return found

    def charge(self, y: np.ndarray, inputs: Mapping[str, float]) -> float:
        """The counter of the charge passed [A.h]."""
        variable, where = self._charge
        scale, reference = scaling(variable, inputs)
        return reference + scale * float(y[where][0])

    def scaled(self, name: str, value: float, inputs: Mapping[str, Any]) -> float:
        """A value as the vector has it, of any of its states."""
        variable = next(v for v in self._built.y_slices if v.name == name)
        scale, reference = scaling(variable, inputs)
        return (value - reference) / scale

    def start(self, inputs: Mapping[str, float], cell: CellState | None = None) -> np.ndarray:
        """A column to start from: the initial conditions, or a state of the cell.

        The algebraic states are those of the initial conditions, which a solver takes as guesses.
        """
        with np.errstate(all="ignore"):  # what has no value the solver gives up on, in words
            y = self._built.concatenated_initial_conditions.evaluate(0, inputs=dict(inputs))
        y = np.array(y, dtype=float).reshape(-1, 1)
        if cell is not None:
            cell.check(self._built, self.sizes)
            for name, (variable, where) in self.states.items():
                scale, reference = scaling(variable, inputs)
                y[where, 0] = (cell.values[name] - reference) / scale
        return y


def scaling(variable: pybamm.Variable, inputs: Mapping[str, Any]) -> tuple[float, float]:
    """Scale and reference of a state, which may be inputs."""
    numbers = (
        symbol.evaluate(inputs=dict(inputs)) for symbol in (variable.scale, variable.reference)
    )
    scale, reference = (float(np.squeeze(number)) for number in numbers)
    return scale, reference
