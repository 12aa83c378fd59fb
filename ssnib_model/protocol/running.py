"""What a test is run on: model, parameters and solver that go together."""

from __future__ import annotations

from typing import Any

import pybamm

from ssnib_model.cell.options import ModelOptions
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError
from ssnib_model.models import default_model
from ssnib_model.models.base import SolidStateBaseModel
from ssnib_model.solvers.choice import named


def cell_of(
    model: pybamm.BaseModel | None, parameters: ParameterSet | None, solver: Any, test: str
) -> tuple[SolidStateBaseModel, ParameterSet]:
    """Model and parameters for ``test``, the default ones where None is given.

    Raises
    ------
    OptionError
        If they are not those of one cell, or the solver is none.
    """
    parameters = ParameterSet("Hu2024") if parameters is None else parameters
    if not isinstance(parameters, ParameterSet):
        raise OptionError(
            f"parameters is a {type(parameters).__name__}: a ParameterSet is needed, "
            'ParameterSet("Hu2024") for example'
        )
    if parameters.model_options["positive electrode"] == "alloy":
        raise OptionError(f"{parameters.name} is a symmetric cell: {test} needs a cathode")
    named(solver)
    model = default_model(parameters.model_options) if model is None else model
    return model, _of_one_cell(model, parameters)


def _of_one_cell(model: Any, parameters: ParameterSet) -> ParameterSet:
    """The parameters with the options of the model, where these say more than the set's.

    A set that asks for something, size classes for example, must not be run without it; a model
    that asks for more than the set is believed.
    """
    if not isinstance(model, SolidStateBaseModel):
        raise OptionError(
            f"model is a {type(model).__name__}: a model of this package is needed, or one "
            "derived from it"
        )
    own, default = parameters.model_options, ModelOptions()
    for option, value in own.items():
        asked = model.options[option]
        if asked != value and (option == "electrolyte layers" or value != default[option]):
            raise OptionError(
                f'the model has "{option}" = {asked!r} and the parameters {parameters.name} have '
                f"{value!r}: make it with the options of the set, parameters.model_options"
            )
    return parameters if model.options == own else parameters.replace({}, model.options)
