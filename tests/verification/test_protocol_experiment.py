"""A `Protocol` of a ``pybamm.Experiment`` is that experiment, run by PyBaMM on the same model."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss

SOLVER = {"rtol": 1e-7, "atol": 1e-7}
DRIVE = np.array([[0.0, 1e-4], [20.0, -2e-4], [60.0, 0.0]])

EXPERIMENT = pybamm.Experiment(
    [
        ("Charge at C/3 for 1 hour or until 3.7 V", "Hold at 3.7 V for 1 hour or until C/20"),
        "Rest for 30 minutes (1 minute period)",
        pybamm.step.string(
            "Discharge at 1.2 mW for 10 minutes or until 2.8 V", temperature="40 oC"
        ),
        pybamm.step.current(DRIVE, termination="< 2.6 V"),
        (
            pybamm.step.resistance(5000, duration="20 minutes", tags="load"),
            pybamm.step.c_rate(0.5, duration="10 hours", termination=["2.8 V", "> 4.5 V"]),
        ),
    ],
    temperature=300.0,
)


@pytest.fixture(scope="module")
def cell():
    # cut-offs far away: PyBaMM keeps them only nearly
    cut_offs = {"Lower voltage cut-off [V]": 1.5, "Upper voltage cut-off [V]": 4.5}
    return ss.ParameterSet("Hu2024").replace(cut_offs)


@pytest.mark.parametrize("through", ["object", "text", "JSON"])
def test_same_steps_and_voltages(cell, through):
    model = ss.SolidStateSPM()
    protocol = ss.Protocol(EXPERIMENT, initial_state_of_charge=0.2)
    if through == "text":
        protocol = ss.Protocol.from_text(protocol.to_text())
    elif through == "JSON":
        protocol = ss.Protocol.from_dict(protocol.to_dict())
    ours = protocol.run(model, cell, solver=pybamm.IDAKLUSolver(**SOLVER))
    values = cell.to_pybamm()
    values["Initial state of charge"] = 0.2
    simulation = pybamm.Simulation(
        model,
        parameter_values=values,
        experiment=EXPERIMENT,
        solver=pybamm.IDAKLUSolver(**SOLVER),
    )
    theirs = simulation.solve(calc_esoh=False)
    steps = [step for cycle in theirs.cycles for step in cycle.steps]
    assert [s.planned.cycle for s in ours.steps] == [1, 1, 2, 3, 4, 5, 5]
    assert len(steps) == len(ours.steps) == 7
    for mine, pybamms in zip(ours.steps, steps, strict=True):
        duration = pybamms.t[-1] - pybamms.t[0]
        assert mine.numbers.duration == pytest.approx(duration, rel=1e-4), mine.planned.text
        # at points that PyBaMM keeps: in a step with a period, there are no others
        inside = pybamms.t[np.linspace(1, len(pybamms.t) - 2, 6).astype(int)] - pybamms.t[0]
        for name, ours_at in (
            ("Voltage [V]", mine.segment.voltage),
            ("Current [A]", mine.segment.current),
        ):
            expected = pybamms[name](pybamms.t[0] + inside)
            scale = 1e-4 if name == "Voltage [V]" else 1e-8
            assert ours_at(inside) == pytest.approx(expected, abs=3 * scale), mine.planned.text
