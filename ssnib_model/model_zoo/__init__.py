"""The models in the form of the PyBaMM model zoo: a manifest, an example and a test each.

Found by ``pybamm_model_zoo`` through the entry point ``pybamm_zoo_models``:
``pybamm_model_zoo.load("SolidStateDFN")``. Nothing here is needed to use the models.
"""
