"""Which layer takes how much of the voltage of a discharge."""

import pybamm
import pybamm_model_zoo as zoo

model = zoo.load("SolidStateDFN")()
solution = pybamm.Simulation(model).solve([0, 1800])
print(f"voltage after half an hour: {solution['Voltage [V]'](1800):.3f} V")
for loss in ("Na3PS4 layer", "NaTaCl6 layer", "Positive electrode reaction"):
    print(f"{loss}: {1e3 * solution[f'{loss} overpotential [V]'](1800):.1f} mV")
