"""The structured solver: a rate test of the same equations, an order of magnitude faster.

Mesh, extrapolations and coefficients are those of the PyBaMM model, which is the reference
it is tested against. What it lacks is refused by name.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass

import numpy as np

from ssnib_model.errors import OptionError, SSNIBError
from ssnib_model.solvers.preflight import UNIFORMITY

TOLERANCES = (1e-12, 0.1)

DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
ANODE_OCP = "Negative electrode open-circuit potential [V]"


@dataclass(frozen=True)
class StructuredSolver:
    """Solver of a rate test that uses the structure of the equations.

    To be given as ``solver`` to `RateTest.run` or `RateTest.prepare`, with either model. It
    gives voltage, capacity and energy of every half-cycle.

    Parameters
    ----------
    rtol, atol : float, optional
        Tolerances of the states, which are of order 1.

    Raises
    ------
    SSNIBError
        If numba is missing.
    OptionError
        On use, for a model option or a parameter it has no equations for.

    Examples
    --------
    >>> result = RateTest([0.2, 1]).run(solver=StructuredSolver())
    >>> result.table["Status"].tolist()
    ['ok', 'ok']
    """

    rtol: float = 1e-4
    atol: float = 1e-6

    def __post_init__(self):
        for name, value in vars(self).items():
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not (number and TOLERANCES[0] <= value <= TOLERANCES[1]):
                raise OptionError(
                    f"{name} is {value!r}: a tolerance must be a number from {TOLERANCES[0]:g} "
                    f"to {TOLERANCES[1]:g}"
                )
        try:
            import numba  # noqa: F401
        except ImportError as error:
            raise SSNIBError(
                "the structured solver needs numba: pip install 'ssnib_model[fast]'"
            ) from error

    @classmethod
    def from_dict(cls, document: dict) -> StructuredSolver:
        """The solver that ``dataclasses.asdict`` made ``document`` of; checked, it may be bad."""
        if set(document) != {"rtol", "atol"}:
            raise OptionError(f"solver has {sorted(document)}: rtol and atol are needed")
        return cls(**document)


class StructuredSolution:
    """What is known of a half-cycle, in the manner of a ``pybamm.Solution``."""

    def __init__(self, model, cell, t, potentials, sto, current: float):
        self.t, self.all_models, self.termination = t, [model], "event"
        self._cell, self._potentials, self._current = cell, potentials, current
        self._sto = sto if cell.reduced else None

    def __getitem__(self, variable: str):
        known = {
            "Voltage [V]": self._voltage,
            "Discharge energy [W.h]": self._energy,
            ANODE_OCP: self._anode,
            UNIFORMITY: self._uniformity,
        }
        if variable not in known or (variable == UNIFORMITY and not self._cell.reduced):
            raise OptionError(
                f'the structured solver does not give "{variable}": use the default solver'
            )
        return known[variable]

    def _voltage(self, t):
        return self._voltage_and_area(t)[0]

    def _energy(self, t):
        return self._current / 3600 * self._voltage_and_area(t)[1]

    def _voltage_and_area(self, t):
        from ssnib_model.solvers import kernel

        t = np.asarray(t, dtype=float)
        both = kernel.voltage(self._cell, self.t, self._potentials, t.ravel())
        return [values.reshape(t.shape)[()] for values in both]

    def _anode(self, t):
        from ssnib_model.solvers import kernel

        values = [kernel.anode(self._cell, time) for time in np.ravel(t)]
        return np.reshape(values, np.shape(t))[()]

    def _uniformity(self, t):
        from ssnib_model.solvers import kernel

        sto = np.interp(t, self.t, self._sto)
        return np.vectorize(lambda s: kernel.uniformity(self._cell, s))(sto)
