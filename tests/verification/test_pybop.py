"""The same fit through PyBOP reaches the same optimum."""

import numpy as np
import pybamm
import pytest

import ssnib_model as ss

D = "Positive particle diffusivity [m2.s-1]"
J0 = "Positive electrode exchange-current density [A.m-2]"
ACCESSIBLE = "Positive electrode accessible fraction"
TRUTH = {D: 3e-16, J0: 0.02, ACCESSIBLE: 0.93}
BOUNDS = {D: (1e-17, 1e-14), J0: (1e-3, 1.0), ACCESSIBLE: (0.85, 1.0)}


@pytest.mark.slow
def test_pybop_reaches_the_same_optimum(hu2024):
    """A charge at 1 C with 1 mV of noise: both within 2 of our standard errors of one another."""
    pybop = pytest.importorskip("pybop", reason="PyBOP is not made for this Python")
    true_set = hu2024.replace(TRUTH)
    result = ss.RateTest([1]).run(ss.SolidStateSPM(), true_set)
    curve = result.curves[result.curves["Direction"] == "charge"]
    curve = curve[curve["Capacity [mA.h.g-1]"] <= 0.95 * curve["Capacity [mA.h.g-1]"].max()]
    noise = np.random.default_rng(4).normal(0, 1e-3, len(curve))
    voltage = curve["Voltage [V]"].to_numpy() + noise

    values = hu2024.to_pybamm()
    values["Initial state of charge"] = hu2024["As-made state of charge"]
    for name, bounds in BOUNDS.items():
        transformation = None if name == ACCESSIBLE else pybop.LogTransformation()
        values[name] = pybop.Parameter(
            bounds=bounds, initial_value=hu2024[name], transformation=transformation
        )
    dataset = pybop.Dataset(
        {
            "Time [s]": curve["Time [s]"].to_numpy(),
            "Current [A]": curve["Current [A]"].to_numpy(),
            "Voltage [V]": voltage,
        }
    )
    simulator = pybop.pybamm.Simulator(
        # a copy, because PyBOP takes the voltage events out of the model it is given
        ss.SolidStateSPM().new_copy(),
        parameter_values=values,
        protocol=dataset,
        output_variables=["Voltage [V]"],
        solver=pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-7),
    )
    problem = pybop.Problem(simulator, pybop.SumSquaredError(dataset))
    options = pybop.SciPyMinimizeOptions(method="Nelder-Mead", maxiter=600, tol=1e-9)
    optimum = pybop.SciPyMinimize(problem, options).run()
    theirs = dict(zip(problem.parameters.names, np.asarray(optimum.x), strict=True))

    class TimeCurve(ss.CurveData):
        """Compared at times, as PyBOP does, and without the capacity."""

        def read(self, outcome, parameters):
            half_cycle = outcome[0]
            times = curve["Time [s]"].to_numpy()
            solution = half_cycle.solution
            return solution["Voltage [V]"](t=np.minimum(times, solution.t[-1]))

    data = TimeCurve("curve", curve["Capacity [mA.h.g-1]"], voltage, 1, "charge")
    data.measured, data.sigma = voltage, np.full(len(voltage), 1e-3)
    data.labels = [f"Voltage [V] at {t:.0f} s" for t in curve["Time [s]"]]
    ours = ss.fit(hu2024, [data], [ss.Free(n, *b) for n, b in BOUNDS.items()], model="spm")
    print({n: (ours.values[n], ours.errors[n], theirs[n]) for n in BOUNDS})
    print(
        f"{ours.solves} simulations in {ours.seconds:.2f} s against PyBOP's {optimum.time:.2f} s"
    )
    for name in BOUNDS:
        assert theirs[name] == pytest.approx(ours.values[name], abs=2 * ours.errors[name])
        assert ours.values[name] == pytest.approx(TRUTH[name], abs=4 * ours.errors[name])
