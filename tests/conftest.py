"""Fixtures shared by all tests."""

import sys
from pathlib import Path

import pybamm
import pytest

import ssnib_model as ss

# for benchmarks/; last, so that the package that is tested is the installed one
sys.path.append(str(Path(__file__).parents[1]))

ON_LINUX = sys.platform == "linux"

#: These limit memory and time and make pipes and devices as only Linux does.
collect_ignore_glob = [] if ON_LINUX else ["hostile/*"]


def pytest_report_header():
    return None if ON_LINUX else "tests/hostile is left out: it needs Linux"


@pytest.fixture(scope="session")
def hu2024():
    return ss.ParameterSet("Hu2024")


@pytest.fixture(scope="session")
def first_hu2024(hu2024):
    """The values that the set had in version 0.1.0, for numbers that were made with them."""
    return hu2024.replace(
        {
            "Na3PS4 layer relative density": 0.85,
            "Positive electrode Bruggeman exponent": 3.0,
            "Negative electrode alloy mass [kg]": 30e-6,
            "Positive particle diffusivity [m2.s-1]": 1.8783e-16,
            "Positive electrode exchange-current density [A.m-2]": 0.010293,
            "Positive electrode accessible fraction": 0.90356,
            "Positive electrode exchange-current density activation energy [J.mol-1]": 48242.6656,
            "Positive particle diffusivity activation energy [J.mol-1]": 43418.3990,
        }
    )


@pytest.fixture(scope="session")
def rate_test(hu2024):
    """The main job: the rate test of the paper."""
    return ss.RateTest([0.1, 0.2, 0.5, 1, 2]).run(parameters=hu2024)


@pytest.fixture(scope="session")
def simulate():
    """Solve a model for a current [A] and a time [s], with some of its values changed."""

    def run(
        model,
        parameters,
        current,
        t_end,
        changes=None,
        var_pts=None,
        rtol=1e-8,
        atol=1e-10,
        **solve,
    ):
        values = parameters.to_pybamm()
        values.update({"Current function [A]": current, **(changes or {})})
        solver = pybamm.IDAKLUSolver(rtol=rtol, atol=atol)
        simulation = pybamm.Simulation(
            model, parameter_values=values, var_pts=var_pts, solver=solver
        )
        return simulation.solve([0, t_end], **solve)

    return run
