"""How much of an electrolyte's conductivity is left inside a composite, by named law.

Every function gives ``f = effective conductivity / conductivity of the dense electrolyte``.
"""

from __future__ import annotations

import pybamm


def bruggeman(volume_fraction):
    """``f = phi**b`` (Bruggeman 1935 has b = 1.5; pressed composites with carbon need 2.7-4.5)."""
    return volume_fraction ** pybamm.Parameter("Positive electrode Bruggeman exponent")


def tortuosity(volume_fraction):
    """``f = phi / tau2`` with a measured tortuosity factor tau2."""
    return volume_fraction / pybamm.Parameter("Positive electrode tortuosity factor")


def percolation(volume_fraction):
    """``f = ((phi - phi_c) / (1 - phi_c))**t`` above the threshold phi_c (Kirkpatrick 1973,
    doi 10.1103/RevModPhys.45.574)."""
    threshold = pybamm.Parameter("Positive electrode percolation threshold")
    exponent = pybamm.Parameter("Positive electrode percolation exponent")
    # a composite at or below its threshold does not conduct: keep a trace instead of 0/0
    excess = pybamm.maximum(volume_fraction - threshold, 1e-6)
    return (excess / (1 - threshold)) ** exponent


LAWS = {"bruggeman": bruggeman, "tortuosity": tortuosity, "percolation": percolation}
