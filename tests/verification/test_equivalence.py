"""Both solvers give the same answer, whatever is done to whichever cell.

Protocols, options, models and sets; IDAKLU to a tight tolerance is what the structured solver
is compared with, and its own default is compared with that too.
"""

import itertools
import runpy
from pathlib import Path

import pybamm
import pytest

import ssnib_model as ss

differences = runpy.run_path(str(Path(__file__).with_name("equivalence.py")))["differences"]

pytestmark = pytest.mark.filterwarnings("ignore::ssnib_model.ValidityWarning")

MODELS = [ss.SolidStateDFN, ss.SolidStateSPM]
TIGHT = (1e-8, 1e-8)
#: Largest differences at a relative tolerance: V and breakdown [V], charge, profiles.
ALLOWED = {1e-4: (3e-4, 1e-5, 3e-4, 1e-4), 1e-6: (5e-5, 1e-5, 5e-5, 1e-4)}
COARSE = {ss.SolidStateDFN: {"x_p": 6, "r_p": 10}, ss.SolidStateSPM: {"r_p": 10}}

PROTOCOLS = {
    "CC-CV": (
        "Charge at C/2 until cut-off", "Hold at upper cut-off until C/20", "Rest for 1 hour",
        "Discharge at 1C until cut-off", "Rest for 10 hours",
    ),
    "GITT": (
        "Initial state of charge: 0.7", "Repeat 2 times:", "    Discharge at C/5 for 10 minutes",
        "    Rest for 30 minutes",
    ),
    "pulses": (
        "Initial state of charge: 0.5", "Discharge at 3C for 10 seconds", "Rest for 40 seconds",
        "Charge at 2C for 10 seconds", "Rest for 40 seconds",
    ),
    "power": (
        "Initial state of charge: 0.9", "Discharge at 3 mW for 10 minutes",
        "Charge at 1 mW until 3.8 V", "Discharge at 2 mW until cut-off or 20% capacity",
    ),
    "resistance": (
        "Initial state of charge: 0.9", "Discharge at 5000 Ohm for 10 minutes or until 0.4 mA",
        "Discharge at 20000 Ohm until 3.3 V",
    ),
    "profile": (
        "Initial state of charge: 0.5", "Run [0 0; 60 2; 120 -1; 121 -1; 180 0] (C)",
        "Rest for 5 minutes", "Run [0 -1; 300 -3] (C) until > 3.7 V",
    ),
    "holds": (
        "Initial state of charge: 0.5", "Hold at 3.5 V for 10 minutes", "Hold at 3.1 V until C/5",
        "Hold at 3.4 V for 20 hours",
    ),
    "at temperatures": (
        "Initial state of charge: 0.5", "Discharge at C/2 for 10 minutes (45 oC)",
        "Charge at C/2 for 10 minutes (5 oC)", "Hold at 3.5 V for 5 minutes (60 oC)",
    ),
    "at its cut-offs": (
        "Initial state of charge: 0.5", "Discharge at 1C until cut-off",
        "Discharge at 1C until cut-off", "Discharge at 2C for 1 minute",
        "Charge at 50C until 3.9 V", "Charge at 1C until 3.6 V",
        "Charge at C/2 for 30 minutes or until 3.6 V",
    ),
}  # fmt: skip
#: Something of everything, for cells of which it matters what they are.
MIXED = (
    "Initial state of charge: 0.6", "Discharge at 1C for 10 minutes", "Rest for 10 minutes",
    "Charge at 1C until 3.8 V", "Hold at 3.8 V until C/10", "Discharge at 2 mW until 3.0 V",
)  # fmt: skip

FILM = "Positive electrode film resistance [Ohm.m2]"
SPREAD, GAP = "Positive particle radius spread", "Positive electrode hysteresis [V]"
HYSTERESIS = {"open-circuit potential": "one-state hysteresis"}
#: Changes and options of the cell.
CELLS = {
    "film": ({FILM: 0.02, "Positive electrode contacted fraction": 0.6}, {}),
    "size classes": ({SPREAD: 0.5}, {"size classes": 3}),
    "hysteresis": ({GAP: 0.03}, HYSTERESIS),
    "classes, hysteresis, film": ({SPREAD: 0.4, GAP: 0.02, FILM: 0.01},
                                  {"size classes": 2, **HYSTERESIS}),
    "sodium metal": ({"Negative electrode sodium mass [kg]": 2e-6},
                     {"negative electrode": "sodium metal"}),
    "sigma T": ({"Ambient temperature [K]": 310.0}, {"conductivity form": "sigma T"}),
    "front": ({"Positive electrode electrolyte conductivity [S.m-1]": 1e-2,
               "Positive particle diffusivity [m2.s-1]": 3e-17}, {}),
}  # fmt: skip


def _check(kind, parameters, lines, rtol, meshes):
    protocol = ss.Protocol.from_text("\n".join(lines))
    model, var_pts = kind(parameters.model_options), meshes.get(kind)
    fast = protocol.run(
        model, parameters, solver=ss.StructuredSolver(rtol, rtol / 100), var_pts=var_pts
    )
    exact = protocol.run(model, parameters, solver=pybamm.IDAKLUSolver(*TIGHT), var_pts=var_pts)
    found = differences(fast, exact)
    print(f"{model.name}, {rtol:g}: {found}")
    voltage, charge, breakdown, profile = ALLOWED[rtol]
    assert exact.ok
    assert not found.told
    assert found.steps > 0
    assert found.voltage < voltage
    assert found.charge < charge
    assert found.breakdown < breakdown
    assert found.profile < profile


def _cell(hu2024, cell):
    return hu2024.replace(*CELLS[cell])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("model", MODELS)
def test_every_protocol(model, protocol, hu2024):
    _check(model, hu2024, PROTOCOLS[protocol], 1e-6, COARSE)


@pytest.mark.parametrize(("cell", "model"), zip(CELLS, itertools.cycle(MODELS), strict=False))
def test_every_cell(cell, model, hu2024):
    _check(model, _cell(hu2024, cell), MIXED, 1e-6, COARSE)


@pytest.mark.parametrize("model", MODELS)
def test_another_set(model):
    _check(model, ss.ParameterSet("ThreeLayers"), MIXED, 1e-6, COARSE)


@pytest.mark.parametrize("protocol", ["CC-CV", "pulses"])
def test_loose_tolerance(protocol, hu2024):
    _check(ss.SolidStateDFN, hu2024, PROTOCOLS[protocol], 1e-4, COARSE)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("model", MODELS)
def test_every_protocol_on_every_cell(model, cell, hu2024):
    """On the mesh of the model, at the tolerance that is the default."""
    for protocol in PROTOCOLS:
        print(protocol, end=": ")
        _check(model, _cell(hu2024, cell), PROTOCOLS[protocol], 1e-4, {})


def test_default_of_the_other_solver(hu2024):
    """IDAKLU to its own default tolerance is as near as the structured solver has to be."""
    protocol = ss.Protocol.from_text("\n".join(PROTOCOLS["CC-CV"]))
    model = ss.SolidStateDFN(hu2024.model_options)
    own, exact = (
        protocol.run(model, hu2024, solver=solver, var_pts=COARSE[ss.SolidStateDFN])
        for solver in (None, pybamm.IDAKLUSolver(*TIGHT))
    )
    found = differences(own, exact)
    print(found)
    assert not found.told
    assert found.voltage < 5e-4
    assert found.charge < 1e-4
