"""Random protocols on random sensible cells: both solvers say the same, step by step.

60 of them, or as many as the environment variable ``SSNIB_RANDOM_PROTOCOLS`` says: 2,000 take
about ten minutes, and another 2,000 every time.
"""

import collections
import functools
import os
import runpy
from pathlib import Path

import pybamm
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ssnib_model as ss
from ssnib_model.steps import Status

differences = runpy.run_path(str(Path(__file__).with_name("equivalence.py")))["differences"]

pytestmark = pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")

ASKED = os.environ.get("SSNIB_RANDOM_PROTOCOLS")
EXAMPLES = int(ASKED or 60)


def _solver(is_exact):
    """The one that is compared with, or the other."""
    return pybamm.IDAKLUSolver(1e-8, 1e-8) if is_exact else ss.StructuredSolver(1e-6, 1e-8)


SPREAD, GAP = "Positive particle radius spread", "Positive electrode hysteresis [V]"
#: Models that are built once: class, options, and what these need.
KINDS = {
    "full": (ss.SolidStateDFN, {}, {}),
    "reduced": (ss.SolidStateSPM, {}, {}),
    "full with hysteresis": (
        ss.SolidStateDFN, {"open-circuit potential": "one-state hysteresis"}, {GAP: 0.02},
    ),
    "reduced with size classes": (ss.SolidStateSPM, {"size classes": 2}, {SPREAD: 0.3}),
}  # fmt: skip
#: What differs from cell to cell, as a factor evenly drawn in its logarithm.
FACTORS = {
    "Na3PS4 layer conductivity [S.m-1]": (0.4, 10),
    "Positive electrode electrolyte conductivity [S.m-1]": (0.1, 10),
    "Positive electrode effective electronic conductivity [S.m-1]": (1e-3, 10),
    "Positive electrode exchange-current density [A.m-2]": (0.2, 10),
    "Positive particle diffusivity [m2.s-1]": (0.1, 10),
    "Positive electrode accessible fraction": (0.7, 1.1),
    "Negative electrode exchange-current density [A.m-2]": (0.2, 5),
}
RANGES = {
    "Positive electrode film resistance [Ohm.m2]": (0.0, 0.01),
    "Positive electrode contacted fraction": (0.5, 1.0),
    "Ambient temperature [K]": (283.0, 333.0),
}
VARYING = [*FACTORS, *RANGES]
MESH = {"x_p": 6, "r_p": 8}


class Cells:
    """Random cells, and both solvers made ready for each kind of model."""

    @functools.cache  # noqa: B019
    def base(self, kind):
        """The set that the cells of a kind are made from."""
        _, options, changes = KINDS[kind]
        return ss.ParameterSet("Hu2024").replace(changes, options)

    @functools.cache  # noqa: B019
    def prepared(self, kind, is_exact):
        """One of the solvers, for any cell of a kind; the protocol is that of the call."""
        parameters, points = self.base(kind), dict(MESH)
        model = KINDS[kind][0](parameters.model_options)
        if KINDS[kind][0] is ss.SolidStateSPM:
            del points["x_p"]
        any_step = ss.Protocol(["Hold at 3.4 V for 1 hour (25 oC)"])
        return any_step.prepare(
            model, parameters, varying=VARYING, solver=_solver(is_exact), var_pts=points
        )

    def run(self, kind, parameters, protocol, is_exact):
        """The result of a protocol by one of the solvers."""
        prepared = self.prepared(kind, is_exact)
        prepared.protocol = protocol
        return prepared.result(parameters)


CELLS = Cells()


@st.composite
def cells(draw):
    """A kind of model, and a cell that someone could have made."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    base, changes = CELLS.base(kind), {}
    for name, (low, high) in FACTORS.items():
        part = draw(st.floats(0, 1))
        changes[name] = float(f"{base[name] * low * (high / low) ** part:.4g}")
    for name, (low, high) in RANGES.items():
        changes[name] = round(draw(st.floats(low, high)), 4)
    return kind, base.replace(changes)


def number(low, high):
    """Numbers evenly in their logarithm, as people write them."""
    return st.floats(0, 1).map(lambda part: f"{float(f'{low * (high / low) ** part:.3g}'):g}")


TIMES = number(1, 20_000).map(lambda t: f"for {t} seconds")
VOLTS = st.floats(2.6, 3.9).map(lambda v: f"{v:.3f} V")
WAYS = st.sampled_from(["Charge", "Discharge"])
ENDS = st.one_of(
    TIMES,
    st.just("until cut-off"),
    st.builds("{} or until {}".format, TIMES, VOLTS),
    st.builds("until {} or {}% capacity".format, VOLTS, number(0.1, 90)),
)
RATES = number(0.02, 6).map(lambda rate: f"{rate}C")
POWERS = number(0.02, 8).map(lambda power: f"{power} mW")
RESISTANCES = number(800, 1e5).map(lambda ohm: f"{ohm} Ohm")


@st.composite
def profiles(draw):
    """A current that goes straight from point to point."""
    times, pairs = 0.0, []
    for _ in range(draw(st.integers(2, 5))):
        pairs.append(f"{times:g} {draw(st.floats(-3, 3)):.3g}")
        times += draw(st.integers(1, 600))
    return f"Run [{'; '.join(pairs)}] (C)"


STEPS = st.one_of(
    st.builds("{} at {} {}".format, WAYS, RATES, ENDS),
    st.builds("{} at {} {}".format, WAYS, POWERS, ENDS),
    st.builds("Discharge at {} {}".format, RESISTANCES, ENDS),
    st.builds("Hold at {} {}".format, VOLTS, TIMES),
    st.builds("Hold at {} for 5 hours or until {}C".format, VOLTS, number(0.01, 0.3)),
    TIMES.map("Rest {}".format),
    profiles(),
)
PROTOCOLS = st.builds(
    lambda steps, soc: ss.Protocol(steps, initial_state_of_charge=round(soc, 3)),
    st.lists(STEPS, min_size=1, max_size=5),
    st.floats(0.05, 0.95),
)

#: What came of them.
COUNTS = collections.Counter()


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=ASKED is None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],  # a protocol of five lines need not be shorter
    suppress_health_check=list(HealthCheck),
)
@given(cells(), PROTOCOLS)
def test_random_protocols(cell, protocol):
    """Voltage and breakdown 0.3 mV, charge 1e-4 of the capacity, the same ends but for ties."""
    kind, parameters = cell
    fast, exact = (CELLS.run(kind, parameters, protocol, which) for which in (False, True))
    # what the reference cannot solve at this tolerance says nothing of the other
    if any(step.outcome.gave_up for step in exact.steps):
        COUNTS["IDAKLU gave up"] += 1
        return
    found = differences(fast, exact)
    COUNTS.update(step.ending.split(":")[0] for step in exact.steps)
    COUNTS["compared"] += found.steps
    assert not found.told, found
    assert found.voltage < 3e-4, found
    assert found.breakdown < 3e-4, found
    assert found.charge < 1e-4, found
    assert found.current < 1e-3, found
    assert found.profile < 1e-3, found


def test_enough_was_compared():
    """The cells and tests drawn above are such that most steps can be done."""
    print(dict(COUNTS))
    if not COUNTS:
        pytest.skip("nothing was drawn in this process")
    assert COUNTS["compared"] > EXAMPLES
    assert COUNTS["IDAKLU gave up"] < 0.05 * EXAMPLES
    assert COUNTS[str(Status.AT_START)] > 0
