"""What is wrong with a spectrum, by what an impedance can be."""

from __future__ import annotations

import numpy as np

#: Least correlation of phase and slope that tells the sign of the imaginary part.
DECISIVE = 0.3

#: Part by which modulus or phase of a file may differ from its real and imaginary part.
AGREES = 0.02


def sign_by_physics(frequencies: np.ndarray, z: np.ndarray) -> int:
    """The sign of the imaginary part by how the modulus depends on frequency.

    Phase and modulus of a passive and causal impedance belong together (Kramers-Kronig): to
    first order the phase is pi/2 times the slope of ln|Z| over ln(frequency) (H. W. Bode,
    Network Analysis and Feedback Amplifier Design, 1945, chapter XIV). A modulus that falls as
    the frequency rises has a negative phase, whether at a capacitance or an inductive loop.

    Parameters
    ----------
    frequencies : numpy.ndarray
        [Hz], shape (n,), in any order.
    z : numpy.ndarray
        Impedance [Ohm], complex, shape (n,).

    Returns
    -------
    int
        1: as it stands; -1: that of the complex conjugate; 0: it cannot be told.
    """
    # a real part below zero is an artefact, whose phase means nothing
    order = np.argsort(frequencies)
    order = order[z[order].real > 0]
    if len(order) < 3:
        return 0
    x, z = np.log(frequencies[order]), z[order]
    steps = np.diff(x)
    phase, modulus = np.angle(z), np.log(np.abs(z))
    between = (phase[1:] + phase[:-1])[steps > 0] / 2
    slope = (np.diff(modulus)[steps > 0]) / steps[steps > 0]
    # one bad point has a slope of any size
    slope = np.clip(slope, -1, 1)
    weights = steps[steps > 0]
    scale = np.sqrt((weights * between**2).sum() * (weights * slope**2).sum())
    correlation = (weights * between * slope).sum() / scale if scale > 0 else 0.0
    return int(np.sign(correlation)) if abs(correlation) > DECISIVE else 0


def suspicious(frequencies: np.ndarray, z: np.ndarray, lines: np.ndarray) -> list[str]:
    """What there is to say about a spectrum, one sentence each.

    Parameters
    ----------
    frequencies, z : numpy.ndarray
        [Hz] and [Ohm], shape (n,), as they were measured.
    lines : numpy.ndarray
        The line of the file that each is on.
    """
    found = []
    negative = np.flatnonzero(z.real <= 0)
    if negative.size:
        found.append(
            f"Re(Z) is not positive at {negative.size} frequenc{_ies(negative)}, first at line "
            f"{lines[negative[0]]} ({frequencies[negative[0]]:.4g} Hz): no cell does that"
        )
    _, counts = np.unique(frequencies, return_counts=True)
    twice = np.flatnonzero(counts > 1)
    if twice.size:
        found.append(f"{twice.size} frequenc{_ies(twice)} measured more than once")
    inductive = frequencies[z.imag > 0]
    if inductive.size and inductive.max() >= frequencies.max() / 1.001:
        found.append(
            f"Im(Z) is positive at {inductive.size} frequenc{_ies(inductive)}, up to "
            f"{inductive.max():.4g} Hz: leads are inductive, which "
            '"Set-up series inductance [H]" stands for'
        )
    return found


def differs(measured: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Where two ways to a modulus do not agree."""
    return np.flatnonzero(np.abs(measured - own) > AGREES * np.abs(own))


def _ies(found: np.ndarray) -> str:
    return "y" if found.size == 1 else "ies"
