"""Impedance of the cell, of a symmetric cell, and of a pellet between blocking electrodes."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pybamm
from tqdm import tqdm

from ssnib_model.cell.declared import INDUCTANCE, RESISTANCE, SETUP
from ssnib_model.cell.parameter_set import ParameterSet
from ssnib_model.errors import OptionError, ValidityWarning
from ssnib_model.files import writing
from ssnib_model.models import default_model
from ssnib_model.models.symmetric import BlockingPellet

#: The range of a usual instrument: 7 MHz to 10 mHz.
FREQUENCIES = np.geomspace(7e6, 1e-2, 60)

#: Shells of the particles: the steepest profile, at some hertz, is far thinner than a radius.
SHELLS = 100

COLUMNS = ("Frequency [Hz]", "Re(Z) [Ohm]", "Im(Z) [Ohm]")


@dataclass(frozen=True)
class Impedance:
    """A spectrum.

    Attributes
    ----------
    frequencies : numpy.ndarray
        Frequencies [Hz], shape (n,).
    z : numpy.ndarray
        Complex impedance [Ohm], shape (n,).
    title : str
        What it is the impedance of.
    area : float
        Electrode area [m2]; ``z * area`` is the area-specific impedance [Ohm.m2].
    """

    frequencies: np.ndarray
    z: np.ndarray
    title: str
    area: float

    def __repr__(self) -> str:
        return f"Impedance({self.title!r}, {len(self.frequencies)} frequencies)"

    @property
    def table(self) -> pd.DataFrame:
        """Frequency, real and imaginary part, in the order that impedance tools read."""
        return pd.DataFrame(
            np.column_stack([self.frequencies, self.z.real, self.z.imag]), columns=COLUMNS
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``impedance.csv`` and ``impedance.png`` (Nyquist and Bode).

        Raises
        ------
        SSNIBError
            If the folder cannot be written.
        """
        from ssnib_model.results.plots import save_impedance

        with writing(folder) as folder:
            self.table.to_csv(folder / "impedance.csv", index=False)
            save_impedance(self, folder)
        return folder


def impedance(
    parameters: ParameterSet | None = None,
    frequencies=FREQUENCIES,
    state: float = 0.5,
    temperature: float | None = None,
    *,
    pellet: str | None = None,
    var_pts: dict | None = None,
    progress: bool = False,
) -> Impedance:
    """Impedance at equilibrium, by ``pybamm.EISSimulation``.

    In series with the cell stand the set-up's "Set-up series inductance [H]" and "Set-up contact
    resistance [Ohm]" of ``parameters``, both 0 unless given.

    Parameters
    ----------
    parameters : ParameterSet, optional
        Default ``ParameterSet("Hu2024")``. With the option "positive electrode" = "alloy"
        the spectrum is that of a symmetric cell.
    frequencies : array_like, optional
        Frequencies [Hz], positive; default 7 MHz to 10 mHz.
    state : float, optional
        State of charge, between 0 and 1; default 0.5.
    temperature : float, optional
        Temperature [K]; default: that of ``parameters``.
    pellet : str, optional
        Name of an electrolyte layer: the spectrum is that of this layer between blocking
        electrodes, as in a measurement of its conductivity.
    var_pts : dict, optional
        Mesh points, as for ``pybamm.Simulation``.
    progress : bool, optional
        Whether to show a progress bar on stderr.

    Returns
    -------
    Impedance

    Raises
    ------
    OptionError
        For frequencies or a state that are not allowed, or a pellet that is no layer.
    ParameterError
        For a temperature that is not allowed, or values that impedance needs and that
        ``parameters`` lacks.

    Warns
    -----
    ValidityWarning
        For a changed value that no spectrum reads.

    Examples
    --------
    >>> spectrum = impedance(ParameterSet("Hu2024"), state=0.5)
    >>> spectrum.table.columns.tolist()
    ['Frequency [Hz]', 'Re(Z) [Ohm]', 'Im(Z) [Ohm]']
    """
    parameters = ParameterSet("Hu2024") if parameters is None else parameters
    prepared = PreparedImpedance(
        parameters, frequencies, state, temperature, pellet=pellet, var_pts=var_pts
    )
    for sentence in parameters.unread("impedance").values():
        warnings.warn(sentence, ValidityWarning, stacklevel=2)
    return prepared.solve(parameters, progress=progress)


def _is_state(value: object) -> bool:
    return isinstance(value, numbers.Real) and 0 < float(value) < 1


class PreparedImpedance:
    """Spectra of one model built once, for many values of some parameters.

    Parameters
    ----------
    parameters, frequencies, state, temperature, pellet, var_pts
        As for `impedance`.
    varying : iterable of str, optional
        Parameters of the model that differ from spectrum to spectrum.
    """

    def __init__(
        self,
        parameters: ParameterSet,
        frequencies=FREQUENCIES,
        state: float = 0.5,
        temperature: float | None = None,
        *,
        varying: Iterable[str] = (),
        pellet: str | None = None,
        var_pts: dict | None = None,
    ):
        self.frequencies = np.atleast_1d(np.asarray(frequencies, dtype=float))
        good = np.isfinite(self.frequencies) & (self.frequencies > 0)
        if not self.frequencies.size or not good.all():
            raise OptionError(
                f"frequencies are {frequencies!r}: positive numbers in Hz are needed"
            )
        if not _is_state(state):
            raise OptionError(f"state is {state!r}: a state of charge between 0 and 1 is needed")
        self._changes = {"Initial state of charge": float(state)}
        if temperature is not None:
            self._changes["Ambient temperature [K]"] = temperature
        parameters = self._at_state(parameters)
        options = parameters.model_options
        if pellet is None:
            model = default_model(options)
            self.title = f"{parameters.name}, {model.name}, state of charge {state:g}"
        else:
            layers = options["electrolyte layers"]
            if pellet not in layers:
                raise OptionError(f"pellet is {pellet!r}: it must be one of the layers {layers}")
            # a pellet has no heat balance of the cell
            alone = {"electrolyte layers": (pellet,), "thermal": "isothermal"}
            model = BlockingPellet(options | alone)
            self.title = f"{parameters.name}, pellet of {pellet}"
        points = {k: SHELLS if k == "r_p" else v for k, v in model.default_var_pts.items()}
        values = parameters.to_pybamm()
        self._varying = sorted(set(varying) - set(self._changes) - set(SETUP))
        values.update(dict.fromkeys(self._varying, "[input]"))
        self._simulation = pybamm.EISSimulation(
            model, parameter_values=values, var_pts=points | (var_pts or {})
        )

    def _at_state(self, parameters: ParameterSet) -> ParameterSet:
        return parameters.replace(self._changes, {"surface form": "differential"})

    def solve(self, parameters: ParameterSet, progress: bool = False) -> Impedance:
        """The spectrum for ``parameters``, which differ in varying parameters only."""
        parameters = self._at_state(parameters)
        inputs = {name: parameters[name] for name in self._varying}
        bar = tqdm(self.frequencies, desc="Impedance", unit="frequency", disable=not progress)
        z = np.asarray(self._simulation.solve(bar, inputs=inputs).impedance)
        # what the instrument sees besides the cell, in series with it
        inductance, resistance = parameters[INDUCTANCE], parameters[RESISTANCE]
        z = z + resistance + 2j * np.pi * self.frequencies * inductance
        return Impedance(self.frequencies, z, self.title, parameters["Electrode area [m2]"])
