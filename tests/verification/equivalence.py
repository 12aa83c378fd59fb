"""What two solvers say of the same test, compared step by step."""

from dataclasses import dataclass, field

import numpy as np

from ssnib_model.results.breakdown import variable_at
from ssnib_model.steps import TIE, TIE_OF_CURRENT, Measure, Status

FRACTIONS = np.linspace(0, 1, 25)

#: Over the whole composite or particle, at the end of a step; what counts as 1 is below.
PROFILES = (
    "Positive particle stoichiometry",
    "Positive particle surface stoichiometry",
    "Positive electrode interfacial current density",
)


@dataclass
class Differences:
    """The largest over all steps; what was said differently, in words.

    Attributes
    ----------
    voltage, breakdown : float
        At the same part of a step [V].
    current, charge, energy : float
        Over 1 C, the nominal capacity, and that at 1 V.
    profile : float
        Of stoichiometry, and of the reaction current over that of 1 C, at the end of each step.
    steps : int
        How many were compared.
    told : list of str
        Statuses and ends that differ and are no ties.
    """

    voltage: float = 0.0
    current: float = 0.0
    charge: float = 0.0
    energy: float = 0.0
    breakdown: float = 0.0
    profile: float = 0.0
    steps: int = 0
    told: list[str] = field(default_factory=list)

    def __str__(self):
        return (
            f"{self.steps} steps: {1e3 * self.voltage:.4f} mV, {self.current:.1e} C, charge "
            f"{self.charge:.1e}, energy {self.energy:.1e}, breakdown "
            f"{1e3 * self.breakdown:.4f} mV, profiles {self.profile:.1e}; {self.told or 'alike'}"
        )


def differences(ours, theirs, inside=True):
    """Compare two results of a protocol, the second one the more exact.

    Parameters
    ----------
    ours, theirs : ProtocolResult
        Of the same protocol, cell and mesh.
    inside : bool, optional
        Whether to compare the model's variables too.

    Returns
    -------
    Differences
    """
    found = Differences()
    one_c = theirs.parameters["Nominal cell capacity [A.h]"]
    for mine, other in zip(ours.steps, theirs.steps, strict=True):
        a, b = mine.outcome, other.outcome
        if (a.status, a.end) != (b.status, b.end):
            if tie_of(a, b) is None:
                found.told.append(
                    f"step {mine.number}, {mine.planned.text}: {mine.ending}, by {a.end} after "
                    f"{_duration(a):.6g} s, and {other.ending}, by {b.end} after "
                    f"{_duration(b):.6g} s"
                )
            if abs(_charge(a) - _charge(b)) > 1e-4 * one_c:
                break  # from here on these are two cells
        if a.status is Status.FAILED or b.status is Status.FAILED:
            break
        if a.segment is None or b.segment is None:
            continue
        found.steps += 1
        _compare(found, a.segment, b.segment, one_c, theirs.parameters, inside)
    return found


def tie_of(a, b):
    """The end that two outcomes were so near that either may be said of it; None: none."""
    ends = [outcome.end for outcome in (a, b) if outcome.end is not None]
    for end in ends:
        tie = {Measure.VOLTAGE: TIE, Measure.CAPACITY: 1e-9}.get(
            end.measure, TIE_OF_CURRENT * abs(end.value)
        )
        # where each of them is at its own end, or at the start of the one that went on
        near = []
        for outcome in (a, b):
            if outcome.segment is not None and outcome.end != end:
                at_start = (a if outcome is b else b).status is Status.AT_START
                near.append(_measured(outcome.segment, end.measure, at_start))
        if near and all(abs(value - end.value) < 3 * tie for value in near):
            return end
    return None


def _measured(segment, measure, at_start):
    t = 0.0 if at_start else segment.duration
    return {
        Measure.VOLTAGE: lambda: float(segment.voltage(t)),
        Measure.CURRENT: lambda: float(segment.current(t)),
        Measure.CURRENT_SIZE: lambda: abs(float(segment.current(t))),
        Measure.CAPACITY: lambda: abs(float(segment.passed(t))),
    }[measure]()


def _duration(outcome):
    return outcome.segment.duration if outcome.segment else 0.0


def _charge(outcome):
    return outcome.segment.charge if outcome.segment else 0.0


def _compare(found, a, b, one_c, parameters, inside):
    def larger(name, values):
        setattr(found, name, max(getattr(found, name), float(np.abs(values).max())))

    # of a step that is over at once there are no curves
    larger("charge", (a.charge - b.charge) / one_c)
    larger("energy", (a.energy - b.energy) / one_c)
    if min(a.duration, b.duration) < 1e-3:
        return
    ta, tb = FRACTIONS * a.duration, FRACTIONS * b.duration
    larger("voltage", a.voltage(ta) - b.voltage(tb))
    larger("current", (a.current(ta) - b.current(tb)) / one_c)
    if not inside:
        return
    names = b.solution.all_models[0].variables
    for name in (n for n in names if n.endswith(" overpotential [V]")):
        larger("breakdown", variable_at(a, name, FRACTIONS) - variable_at(b, name, FRACTIONS))
    for name in (n for n in names if n.startswith(PROFILES)):
        scale = _reaction_of_1c(parameters) if name.endswith("[A.m-2]") else 1.0
        ends = (segment.solution[name].entries[..., -1] for segment in (a, b))
        larger("profile", np.subtract(*ends) / scale)


def _reaction_of_1c(p):
    """Mean reaction current density at 1 C [A.m-2], of particles of one size."""
    P = "Positive electrode"
    surface = 3 * p[f"{P} active material volume fraction"] * p[f"{P} thickness [m]"]
    surface *= p["Electrode area [m2]"] * p[f"{P} accessible fraction"]
    surface *= p[f"{P} contacted fraction"] / p["Positive particle radius [m]"]
    return p["Nominal cell capacity [A.h]"] / surface
