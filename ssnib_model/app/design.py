"""A design as a page changes it, what the model says of it, and the same as code; no browser."""

from __future__ import annotations

import base64
import functools
import io
import math
import shlex
import tempfile
import warnings
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ssnib_model.cell.electrolytes import CATHOLYTE, swap_layer
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.cell.values import ParameterInfo
from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.measured.comparison import compare
from ssnib_model.protocol.prepared import PreparedRateTest
from ssnib_model.protocol.rate_test import RATES, RateTest
from ssnib_model.results.rate_test import RateTestResult
from ssnib_model.runs.designs import own_ranges, sample

CATHOLYTE_CONDUCTIVITY = "Positive electrode electrolyte conductivity [S.m-1]"
CAPACITY = "Discharge capacity [mA.h.g-1]"

#: Draws of a band.
DRAWS = 64


@dataclass(frozen=True)
class Design:
    """A set and what is changed in it, in the manner of the command line.

    Attributes
    ----------
    set : str
        Name or folder of a parameter set.
    changes : dict
        Values by parameter, in the unit of the name.
    layers : dict
        Solid electrolytes by the layer that they are put in, or by "catholyte".
    rates : tuple of float
        C-rates of the test.
    """

    set: str = "Hu2024"
    changes: dict[str, float] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    rates: tuple[float, ...] = RATES

    def with_value(self, name: str, value: float) -> Design:
        """The same with another value of a parameter."""
        return replace(self, changes=self.changes | {name: value})

    def with_material(self, layer: str, material: str | None) -> Design:
        """The same with another solid electrolyte in a layer; None: that of the set.

        What was changed of that layer's conductivity gives way to the material's.
        """
        owner = "Positive electrode electrolyte" if layer == CATHOLYTE else f"{layer} layer"
        layers = {k: v for k, v in self.layers.items() if k != layer}
        if material is not None:
            layers[layer] = material
        gone = (f"{owner} conductivity", f"{owner} density")
        changes = {n: v for n, v in self.changes.items() if not n.startswith(gone)}
        return replace(self, layers=layers, changes=changes)

    @property
    def _steps(self) -> list[tuple[str, Any]]:
        """What is done to the set, in the order of the command line."""
        steps: list[tuple[str, Any]] = []
        if CATHOLYTE_CONDUCTIVITY in self.changes and self.layers:
            first = {CATHOLYTE_CONDUCTIVITY: self.changes[CATHOLYTE_CONDUCTIVITY]}
            steps.append(("replace", first))
        for layer in sorted(self.layers, key=lambda layer: layer != CATHOLYTE):
            steps.append(("swap", (layer, self.layers[layer])))
        if self.changes:
            steps.append(("replace", self.changes))
        return steps

    @functools.cached_property
    def parameters(self) -> ParameterSet:
        """The cell.

        Raises
        ------
        SSNIBError
            For a value that is not allowed, in one sentence.
        """
        return self._made[0]

    @property
    def warnings(self) -> list[str]:
        """What a changed material has to be warned of."""
        return self._made[1]

    @functools.cached_property
    def _made(self) -> tuple[ParameterSet, list[str]]:
        parameters = _loaded(self.set)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for what, how in self._steps:
                if what == "swap":
                    parameters = swap_layer(parameters, *how)
                else:
                    parameters = parameters.replace(how)
        return parameters, [str(w.message) for w in caught]

    def to_python(self) -> str:
        """Lines of Python that run the same."""
        lines = ["import ssnib_model as ss", "", f"cell = ss.ParameterSet({self.set!r})"]
        for what, how in self._steps:
            if what == "swap":
                lines.append(f"cell = ss.swap_layer(cell, {how[0]!r}, {how[1]!r})")
            else:
                values = "".join(f"    {n!r}: {v!r},\n" for n, v in how.items())
                lines.append(f"cell = cell.replace({{\n{values}}})")
        lines += [
            f"result = ss.RateTest({list(self.rates)!r}).run(parameters=cell)",
            "print(result.table)",
            f"print(result.breakdown({self.rates[-1]!r}))",
        ]
        return "\n".join(lines) + "\n"

    def to_command(self) -> str:
        """A command line that runs the same."""
        words = ["ssnib", "rate-test", "--set", self.set]
        words += ["--rates", ",".join(f"{rate!r}" for rate in self.rates)]
        for layer, material in self.layers.items():
            words += ["--layer", f"{layer}={material}"]
        for name, value in self.changes.items():
            words += ["--param", f"{name}={value!r}"]
        return shlex.join(words)

    def run(self) -> RateTestResult:
        """The rate test, by a model that is built once a set.

        Raises
        ------
        SSNIBError
            For a value that is not allowed, or if no half-cycle could be run.
        """
        result = prepared(self.set, self.rates).result(self.parameters)
        if not any(h.segment is not None for h in result.half_cycles):
            raise OptionError(f"nothing could be run: {result.half_cycles[0].ending}")
        return result

    def bands(self, draws: int = DRAWS) -> tuple[np.ndarray, int]:
        """95 % bands of the discharge capacity over the set's own ranges.

        What was changed here is known, and does not vary.

        Returns
        -------
        numpy.ndarray
            Lower and upper end [mA.h.g-1], shape (2, rates).
        int
            Draws that the cell allows, which they are of.

        Raises
        ------
        OptionError
            If no parameter of the set has a range.
        """
        ranges = {n: r for n, r in own_ranges(self.parameters).items() if n not in self.changes}
        if not ranges:
            raise OptionError(f"no parameter of {self.set} that is left has a range: no bands")
        members = []
        for point in sample(ranges, draws).to_dict("records"):
            try:
                members.append(self.parameters.replace({str(n): v for n, v in point.items()}))
            except SSNIBError:
                continue  # values of the ranges that contradict one another
        found = prepared(self.set, self.rates).half_cycles_of_many(members)
        capacities = np.array(
            [
                [h.capacity / m["Positive electrode active material mass [kg]"]
                 for h in half_cycles if h.direction == "discharge"]
                for m, half_cycles in zip(members, found, strict=True)
            ]
        )  # fmt: skip
        good = capacities[np.isfinite(capacities).all(axis=1)]
        if not len(good):
            raise OptionError("no draw of the set's ranges could be run: no bands")
        return np.quantile(good, (0.025, 0.975), axis=0), len(good)

    def zipped(self) -> str:
        """The set as a folder in a ZIP archive, in base64."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in self.parameters.files().items():
                archive.writestr(f"explored/{name}", text)
        return base64.b64encode(content.getvalue()).decode()


@functools.lru_cache(maxsize=8)
def _loaded(name: str) -> ParameterSet:
    return ParameterSet(name)


@functools.lru_cache(maxsize=4)
def prepared(name: str, rates: tuple[float, ...]) -> PreparedRateTest:
    """The test on a set, of which every number may vary."""
    parameters = _loaded(name)
    if parameters.model_options["positive electrode"] != "composite":
        raise OptionError(f"{name} is a symmetric cell, which has no rate test to explore")
    read = parameters.to_pybamm()
    varying = [n for n in parameters if n in read and isinstance(parameters[n], float)]
    return RateTest(rates).prepare(parameters=parameters, varying=varying)


# -------------------------------------------------------------------- what a page offers
@dataclass(frozen=True)
class Control:
    """A parameter with a slider.

    Attributes
    ----------
    name : str
        The parameter.
    label, unit : str
        As they are shown.
    factor, offset : float
        Shown value = (value - offset) * factor.
    low, high : float
        Ends of the slider, as shown; a field takes any value.
    log : bool
        Whether the slider is logarithmic.
    """

    name: str
    label: str
    unit: str
    factor: float
    low: float
    high: float
    log: bool = True
    offset: float = 0.0

    def shown(self, value: float) -> float:
        """A value as it is shown."""
        return float(f"{(value - self.offset) * self.factor:.10g}")

    def value(self, shown: float) -> float:
        """The value of what is shown, in the unit of the name."""
        return float(f"{shown / self.factor + self.offset:.12g}")

    def at(self, position: float) -> float:
        """What is shown at a position of the slider, 0 to 1, to three digits."""
        if self.log:
            found = self.low * (self.high / self.low) ** position
            return float(f"{found:.3g}")
        return round(self.low + (self.high - self.low) * position, 3)

    def position(self, shown: float) -> float:
        """Where the slider stands, at one of its ends where a value lies beyond."""
        if self.log:
            inside = min(max(shown, self.low), self.high)
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return min(max((shown - self.low) / (self.high - self.low), 0.0), 1.0)


def controls(parameters: ParameterSet) -> list[Control]:
    """The parameters of a cell that have sliders, those of the layers first."""
    found: list[Control] = []

    def add(name: str, label: str, unit: str, factor: float, span: float) -> None:
        if name in parameters and isinstance(parameters[name], float) and parameters[name] > 0:
            now, quantity = parameters[name] * factor, parameters.quantity(name)
            low, high = max(now / span, quantity.low * factor), now * span
            high = min(high, quantity.high * factor)
            if 0 < low < high:
                found.append(Control(name, label, unit, factor, low, high))

    for layer in parameters.model_options["electrolyte layers"]:
        add(f"{layer} layer conductivity [S.m-1]", f"{layer} conductivity", "mS/cm", 10.0, 100.0)
        add(f"{layer} layer thickness [m]", f"{layer} thickness", "µm", 1e6, 30.0)
    electrode = "Positive electrode"
    add(f"{electrode} active material loading [kg.m-2]", "Loading", "mg/cm²", 100.0, 10.0)
    for name, low, high in (
        ("Ambient temperature [K]", -20.0, 100.0),
        ("Lower voltage cut-off [V]", 0.5, 3.0),
        ("Upper voltage cut-off [V]", 3.2, 4.5),
    ):
        if name not in parameters or not isinstance(parameters[name], float):
            continue
        kelvin = name.startswith("Ambient")
        label = "Temperature" if kelvin else name.split(" [")[0]
        now = parameters[name] - (273.15 if kelvin else 0.0)
        ends = min(low, now), max(high, now)
        unit, offset = ("°C", 273.15) if kelvin else ("V", 0.0)
        found.append(Control(name, label, unit, 1.0, *ends, log=False, offset=offset))
    add(
        f"{electrode} exchange-current density [A.m-2]", "Cathode exchange current", "A/m²", 1, 100
    )
    add("Negative electrode exchange-current density [A.m-2]", "Anode exchange current", "A/m²",
        1, 100)  # fmt: skip
    add("Positive particle diffusivity [m2.s-1]", "Particle diffusivity", "m²/s", 1.0, 1000.0)
    first = parameters.model_options["electrolyte layers"][0]
    add(f"Negative electrode|{first} interface resistance [Ohm.m2]", "Anode interface resistance",
        "Ω cm²", 1e4, 100.0)  # fmt: skip
    return found


def others(parameters: ParameterSet) -> list[ParameterInfo]:
    """Every parameter that is a number, for the searchable list."""
    return [i for i in map(parameters.info, parameters) if isinstance(i.value, float)]


def answer(losses: Any, rate: float) -> str:
    """Which loss is the largest, in a sentence."""
    size = losses.abs().sort_values(ascending=False)
    total = float(size.sum())
    if not total:
        return f"At {rate:g} C nothing is lost."
    parts = [f"{name} {1e3 * value:.0f} mV" for name, value in size.iloc[1:3].items()]
    return (
        f"At half of the {rate:g} C discharge, {size.index[0]} costs most: "
        f"{1e3 * size.iloc[0]:.0f} of {1e3 * total:.0f} mV ({size.iloc[0] / total:.0%}); "
        f"then {', '.join(parts)}."
    )


def beside(name: str, content: bytes, parameters: ParameterSet) -> tuple[Any, list[str]]:
    """The model beside the file of a cycler: the curves of both, and what there is to say.

    Nothing of the name reaches a path but letters of its ending.
    """
    ending = "".join(c for c in Path(name).suffix[1:9] if c.isascii() and c.isalnum())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{ending}"
        path.write_bytes(content)
        try:
            found = compare(path, parameters)
        except SSNIBError as error:
            raise OptionError(str(error).replace(str(path), name)) from error
        return found.curves, [s.replace(path.name, name) for s in [found.summary, *found.findings]]
